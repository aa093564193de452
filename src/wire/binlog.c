#include "wire/binlog.h"

#include "wire/charset.h"
#include "wire/cursor.h"

#ifdef RF_WITH_ISAL
#include <isa-l/crc.h>
#else
#include <zlib.h>
#endif

const char *rf_binlog_type_name(unsigned type)
{
    static const char *const mysql[] = {
        [RF_BINLOG_UNKNOWN] = "UNKNOWN",
        [RF_BINLOG_START_V3] = "START_V3",
        [RF_BINLOG_QUERY] = "QUERY",
        [RF_BINLOG_STOP] = "STOP",
        [RF_BINLOG_ROTATE] = "ROTATE",
        [RF_BINLOG_INTVAR] = "INTVAR",
        [RF_BINLOG_LOAD] = "LOAD",
        [RF_BINLOG_SLAVE] = "SLAVE",
        [RF_BINLOG_CREATE_FILE] = "CREATE_FILE",
        [RF_BINLOG_APPEND_BLOCK] = "APPEND_BLOCK",
        [RF_BINLOG_EXEC_LOAD] = "EXEC_LOAD",
        [RF_BINLOG_DELETE_FILE] = "DELETE_FILE",
        [RF_BINLOG_NEW_LOAD] = "NEW_LOAD",
        [RF_BINLOG_RAND] = "RAND",
        [RF_BINLOG_USER_VAR] = "USER_VAR",
        [RF_BINLOG_FORMAT_DESCRIPTION] = "FORMAT_DESCRIPTION",
        [RF_BINLOG_XID] = "XID",
        [RF_BINLOG_BEGIN_LOAD_QUERY] = "BEGIN_LOAD_QUERY",
        [RF_BINLOG_EXECUTE_LOAD_QUERY] = "EXECUTE_LOAD_QUERY",
        [RF_BINLOG_TABLE_MAP] = "TABLE_MAP",
        [RF_BINLOG_PRE_GA_WRITE_ROWS] = "PRE_GA_WRITE_ROWS",
        [RF_BINLOG_PRE_GA_UPDATE_ROWS] = "PRE_GA_UPDATE_ROWS",
        [RF_BINLOG_PRE_GA_DELETE_ROWS] = "PRE_GA_DELETE_ROWS",
        [RF_BINLOG_WRITE_ROWS_V1] = "WRITE_ROWS_V1",
        [RF_BINLOG_UPDATE_ROWS_V1] = "UPDATE_ROWS_V1",
        [RF_BINLOG_DELETE_ROWS_V1] = "DELETE_ROWS_V1",
        [RF_BINLOG_INCIDENT] = "INCIDENT",
        [RF_BINLOG_HEARTBEAT] = "HEARTBEAT",
        [RF_BINLOG_IGNORABLE] = "IGNORABLE",
        [RF_BINLOG_ROWS_QUERY] = "ROWS_QUERY",
        [RF_BINLOG_WRITE_ROWS_V2] = "WRITE_ROWS_V2",
        [RF_BINLOG_UPDATE_ROWS_V2] = "UPDATE_ROWS_V2",
        [RF_BINLOG_DELETE_ROWS_V2] = "DELETE_ROWS_V2",
        [RF_BINLOG_MYSQL_GTID] = "MYSQL_GTID",
        [RF_BINLOG_MYSQL_ANONYMOUS_GTID] = "MYSQL_ANONYMOUS_GTID",
        [RF_BINLOG_MYSQL_PREVIOUS_GTIDS] = "MYSQL_PREVIOUS_GTIDS",
        [RF_BINLOG_TRANSACTION_CONTEXT] = "TRANSACTION_CONTEXT",
        [RF_BINLOG_VIEW_CHANGE] = "VIEW_CHANGE",
        [RF_BINLOG_XA_PREPARE] = "XA_PREPARE",
        [RF_BINLOG_PARTIAL_UPDATE_ROWS] = "PARTIAL_UPDATE_ROWS",
        [RF_BINLOG_TRANSACTION_PAYLOAD] = "TRANSACTION_PAYLOAD",
        [RF_BINLOG_HEARTBEAT_V2] = "HEARTBEAT_V2",
        [RF_BINLOG_MYSQL_GTID_TAGGED] = "MYSQL_GTID_TAGGED",
    };
    static const char *const mariadb[] = {
        "ANNOTATE_ROWS",
        "BINLOG_CHECKPOINT",
        "GTID",
        "GTID_LIST",
        "START_ENCRYPTION",
        "QUERY_COMPRESSED",
        "WRITE_ROWS_COMPRESSED_V1",
        "UPDATE_ROWS_COMPRESSED_V1",
        "DELETE_ROWS_COMPRESSED_V1",
        "WRITE_ROWS_COMPRESSED_V2",
        "UPDATE_ROWS_COMPRESSED_V2",
        "DELETE_ROWS_COMPRESSED_V2",
    };
    if (type < sizeof mysql / sizeof *mysql) {
        return mysql[type];
    }
    if (type >= RF_BINLOG_ANNOTATE_ROWS &&
        type - RF_BINLOG_ANNOTATE_ROWS < sizeof mariadb / sizeof *mariadb) {
        return mariadb[type - RF_BINLOG_ANNOTATE_ROWS];
    }
    return "UNKNOWN";
}

enum rf_status rf_binlog_magic_check(struct rf_str bytes, struct rf_error *err)
{
    if (bytes.size < RF_BINLOG_MAGIC_SIZE) {
        return rf_fail(err, RF_FATAL, "not a binary log: only %zu bytes long", bytes.size);
    }
    if (memcmp(bytes.data,
               "\xfd"
               "bin",
               4) == 0) {
        enum rf_status status = rf_fail(err, RF_FATAL, "the binary log is encrypted");
        rf_error_hint(err, "Read it from its server, which decrypts it.");
        return status;
    }
    if (memcmp(bytes.data,
               "\xfe"
               "bin",
               4) != 0) {
        const unsigned char *first = (const unsigned char *)bytes.data;
        return rf_fail(err, RF_FATAL,
                       "not a binary log: it begins with %02x %02x %02x %02x, not fe 62 69 6e",
                       first[0], first[1], first[2], first[3]);
    }
    return RF_OK;
}

static uint32_t load_u32(const char *bytes)
{
    const unsigned char *at = (const unsigned char *)bytes;
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Every event of a log comes through here, wanted or not: no cursor. */
enum rf_status rf_binlog_header_parse(struct rf_str bytes, struct rf_binlog_header *header,
                                      struct rf_error *err)
{
    if (bytes.size < RF_BINLOG_HEADER_SIZE) {
        struct rf_cursor cursor = rf_cursor_of(bytes);
        rf_cursor_str(&cursor, RF_BINLOG_HEADER_SIZE, "header");
        return rf_cursor_check(&cursor, "event header", err);
    }
    header->timestamp = load_u32(bytes.data);
    header->type = (uint8_t)bytes.data[4];
    header->server_id = load_u32(bytes.data + 5);
    header->size = load_u32(bytes.data + 9);
    header->end_position = load_u32(bytes.data + 13);
    header->flags = (uint16_t)((uint8_t)bytes.data[17] | (uint8_t)bytes.data[18] << 8);
    if (header->size < RF_BINLOG_HEADER_SIZE) {
        return rf_fail(err, RF_FATAL, "damaged event header: a %s event of %u bytes",
                       rf_binlog_type_name(header->type), header->size);
    }
    return RF_OK;
}

static uint32_t crc32_of(uint32_t seed, const char *bytes, size_t size)
{
#ifdef RF_WITH_ISAL
    return crc32_gzip_refl(seed, (const unsigned char *)bytes, size);
#else
    return (uint32_t)crc32_z(seed, (const unsigned char *)bytes, size);
#endif
}

static enum rf_status checksum_compare(unsigned type, uint32_t logged, uint32_t computed,
                                       struct rf_error *err)
{
    if (logged == computed) {
        return RF_OK;
    }
    return rf_fail(err, RF_FATAL, "checksum mismatch in a %s event: %08x is logged, %08x computed",
                   rf_binlog_type_name(type), logged, computed);
}

/* Of the whole format description but its last four bytes. The flag that says "in use" is set and
 * cleared in place after the event was written, so it does not count. */
static uint32_t format_checksum(const char *event, size_t size)
{
    enum { FLAGS_OFFSET = 17 };
    char header[RF_BINLOG_HEADER_SIZE];
    memcpy(header, event, sizeof header);
    header[FLAGS_OFFSET] = (char)(header[FLAGS_OFFSET] & ~RF_BINLOG_FLAG_IN_USE);
    return crc32_of(crc32_of(0, header, sizeof header), event + sizeof header,
                    size - sizeof header);
}

/* The lengths of the fixed parts that the parsers of this room take for granted. */
static enum rf_status fixed_check(const struct rf_binlog_format *format, struct rf_error *err)
{
    static const struct {
        uint8_t type;
        uint8_t size;
        bool mariadb_only;
    } wanted[] = {
        {RF_BINLOG_QUERY, 13, false},
        {RF_BINLOG_ROTATE, 8, false},
        {RF_BINLOG_XID, 0, false},
        {RF_BINLOG_TABLE_MAP, 8, false},
        {RF_BINLOG_WRITE_ROWS_V1, 8, false},
        {RF_BINLOG_UPDATE_ROWS_V1, 8, false},
        {RF_BINLOG_DELETE_ROWS_V1, 8, false},
        {RF_BINLOG_INCIDENT, 2, false},
        {RF_BINLOG_WRITE_ROWS_V2, 10, false},
        {RF_BINLOG_UPDATE_ROWS_V2, 10, false},
        {RF_BINLOG_DELETE_ROWS_V2, 10, false},
        {RF_BINLOG_PARTIAL_UPDATE_ROWS, 10, false},
        {RF_BINLOG_GTID, 19, true},
        {RF_BINLOG_GTID_LIST, 4, true},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        unsigned type = wanted[i].type;
        if ((wanted[i].mariadb_only && !format->mariadb) || type > format->fixed_count) {
            continue; /* events of this type cannot come */
        }
        bool rows = (type >= RF_BINLOG_WRITE_ROWS_V1 && type <= RF_BINLOG_DELETE_ROWS_V1) ||
                    (type >= RF_BINLOG_WRITE_ROWS_V2 && type <= RF_BINLOG_DELETE_ROWS_V2) ||
                    type == RF_BINLOG_PARTIAL_UPDATE_ROWS;
        if (format->fixed[type] == 0 && rows) {
            continue; /* this server writes other ones */
        }
        if (format->fixed[type] != wanted[i].size) {
            return rf_fail(err, RF_FATAL,
                           "server %s writes %s events with a fixed part of %u bytes; only %u can "
                           "be read",
                           format->server_version, rf_binlog_type_name(type), format->fixed[type],
                           wanted[i].size);
        }
    }
    return RF_OK;
}

enum rf_status rf_binlog_format_parse(struct rf_str event, struct rf_binlog_format *format,
                                      struct rf_error *err)
{
    enum { VERSION_SIZE = 50, BEFORE_TABLE = 57, AFTER_TABLE = 1 + RF_BINLOG_CHECKSUM_SIZE };
    enum { LAST_OF_OLD = RF_BINLOG_INCIDENT, FIRST_OF_MARIADB = RF_BINLOG_ANNOTATE_ROWS };
    struct rf_binlog_header header;
    struct rf_binlog_format read = {.known = true};
    enum rf_status status = rf_binlog_header_parse(event, &header, err);
    if (status != RF_OK) {
        return status;
    }
    rf_assert(header.type == RF_BINLOG_FORMAT_DESCRIPTION);
    if (event.size != header.size) {
        return rf_fail(err, RF_FATAL, "a FORMAT_DESCRIPTION event of %u bytes came as %zu bytes",
                       header.size, event.size);
    }
    struct rf_str body = {event.data + RF_BINLOG_HEADER_SIZE, event.size - RF_BINLOG_HEADER_SIZE};
    struct rf_cursor cursor = rf_cursor_of(body);
    uint16_t log_version = rf_cursor_u16(&cursor, "log version");
    struct rf_str version = rf_cursor_str(&cursor, VERSION_SIZE, "server version");
    read.created = rf_cursor_u32(&cursor, "creation time");
    uint8_t header_size = rf_cursor_u8(&cursor, "header size");
    if (rf_cursor_left(&cursor) < LAST_OF_OLD + AFTER_TABLE) {
        rf_cursor_fail(&cursor, "table of event types with a checksum behind it");
    }
    status = rf_cursor_check(&cursor, "FORMAT_DESCRIPTION event", err);
    if (status != RF_OK) {
        return status;
    }
    memcpy(read.server_version, version.data, VERSION_SIZE);
    size_t count = body.size - BEFORE_TABLE - AFTER_TABLE;
    if (log_version != 4 || header_size != RF_BINLOG_HEADER_SIZE || count > UINT8_MAX) {
        return rf_fail(err, RF_FATAL,
                       "server %s writes binary log version %u with headers of %u bytes and %zu "
                       "event types; only version 4 with 19 bytes can be read",
                       read.server_version, log_version, header_size, count);
    }
    read.fixed_count = (uint8_t)count;
    memcpy(read.fixed + 1, cursor.at, count);
    read.checksum = cursor.at[count];
    read.mariadb = count >= FIRST_OF_MARIADB;
    read.in_use = (header.flags & RF_BINLOG_FLAG_IN_USE) != 0;
    status = checksum_compare(header.type, load_u32(event.data + event.size - 4),
                              format_checksum(event.data, event.size - 4), err);
    /* A server that sends a log without checksums from its middle clears the creation time and
     * leaves this one as it was. */
    bool stale = read.checksum == RF_BINLOG_CHECKSUM_NONE && read.created == 0;
    if (status != RF_OK && !stale) {
        return status;
    }
    if (read.checksum != RF_BINLOG_CHECKSUM_NONE && read.checksum != RF_BINLOG_CHECKSUM_CRC32) {
        return rf_fail(err, RF_FATAL, "server %s uses checksum algorithm %u, which is not known",
                       read.server_version, read.checksum);
    }
    status = fixed_check(&read, err);
    if (status == RF_OK) {
        *format = read;
    }
    return status;
}

enum rf_status rf_binlog_body(const struct rf_binlog_format *format,
                              const struct rf_binlog_header *header, struct rf_str event,
                              struct rf_str *body, struct rf_error *err)
{
    if (event.size != header->size) {
        return rf_fail(err, RF_FATAL, "a %s event of %u bytes came as %zu bytes",
                       rf_binlog_type_name(header->type), header->size, event.size);
    }
    size_t behind = format->checksum == RF_BINLOG_CHECKSUM_CRC32 ? RF_BINLOG_CHECKSUM_SIZE : 0;
    if (event.size < RF_BINLOG_HEADER_SIZE + behind) {
        return rf_fail(err, RF_FATAL, "a %s event of %u bytes is too short for its checksum",
                       rf_binlog_type_name(header->type), header->size);
    }
    size_t end = event.size - behind;
    if (behind > 0) {
        enum rf_status status = checksum_compare(header->type, load_u32(event.data + end),
                                                 crc32_of(0, event.data, end), err);
        if (status != RF_OK) {
            return status;
        }
    }
    *body = (struct rf_str){event.data + RF_BINLOG_HEADER_SIZE, end - RF_BINLOG_HEADER_SIZE};
    return RF_OK;
}

enum rf_status rf_binlog_rotate_parse(struct rf_str body, struct rf_binlog_rotate *rotate,
                                      struct rf_error *err)
{
    struct rf_cursor cursor = rf_cursor_of(body);
    rotate->position = rf_cursor_u64(&cursor, "position");
    rotate->file = rf_cursor_rest(&cursor);
    if (rotate->file.size == 0) {
        rf_cursor_fail(&cursor, "file name");
    }
    return rf_cursor_check(&cursor, "ROTATE event", err);
}

/* Keeps what is wanted of the status variables. They are hints to a statement that we do not
 * run: an unknown code ends them, but bytes that are missing are damage. */
static void status_parse(struct rf_binlog_query *query, struct rf_cursor *cursor)
{
    enum {
        FLAGS2 = 0,
        SQL_MODE = 1,
        CATALOG = 2,
        AUTO_INCREMENT = 3,
        CHARSET = 4,
        TIME_ZONE = 5,
        CATALOG_WITHOUT_NUL = 6,
        LC_TIME_NAMES = 7,
        DATABASE_CHARSET = 8,
        TABLES_FOR_UPDATE = 9,
        WRITTEN_BYTES = 10,
        INVOKER = 11,
        UPDATED_DATABASES = 12,
        MICROSECONDS = 13,
        MARIADB_MICROSECONDS = 128,
        MARIADB_XID = 129,
        TOO_MANY_DATABASES = 254,
    };
    while (rf_cursor_left(cursor) > 0) {
        uint8_t code = rf_cursor_u8(cursor, "status variable");
        switch (code) {
        case FLAGS2:
            query->flags2 = rf_cursor_u32(cursor, "flags2");
            query->has_flags2 = true;
            break;
        case SQL_MODE:
            query->sql_mode = rf_cursor_u64(cursor, "sql_mode");
            query->has_sql_mode = true;
            break;
        case CATALOG:
            rf_cursor_str(cursor, rf_cursor_u8(cursor, "catalog size") + 1u, "catalog");
            break;
        case AUTO_INCREMENT: rf_cursor_u32(cursor, "auto_increment settings"); break;
        case CHARSET:
            query->charset = rf_cursor_u16(cursor, "client character set");
            rf_cursor_u32(cursor, "connection and server collations");
            break;
        case TIME_ZONE:
        case CATALOG_WITHOUT_NUL:
            rf_cursor_str(cursor, rf_cursor_u8(cursor, "size of a name"), "name");
            break;
        case LC_TIME_NAMES:
        case DATABASE_CHARSET: rf_cursor_u16(cursor, "status variable"); break;
        case TABLES_FOR_UPDATE: rf_cursor_u64(cursor, "status variable"); break;
        case WRITTEN_BYTES: rf_cursor_u32(cursor, "status variable"); break;
        case INVOKER:
            rf_cursor_str(cursor, rf_cursor_u8(cursor, "size of the invoker's name"), "invoker");
            rf_cursor_str(cursor, rf_cursor_u8(cursor, "size of the invoker's host"), "host");
            break;
        case UPDATED_DATABASES: {
            uint8_t count = rf_cursor_u8(cursor, "number of databases");
            for (unsigned i = 0; count != TOO_MANY_DATABASES && i < count; i++) {
                size_t left = rf_cursor_left(cursor);
                const uint8_t *nul = left > 0 ? memchr(cursor->at, 0, left) : NULL;
                size_t size = nul != NULL ? (size_t)(nul - cursor->at) + 1 : left + 1;
                rf_cursor_str(cursor, size, "name of a database");
            }
            break;
        }
        case MICROSECONDS:
        case MARIADB_MICROSECONDS:
            query->micros = (uint32_t)rf_cursor_number(cursor, 3, "microseconds");
            break;
        case MARIADB_XID:
            query->xid = rf_cursor_u64(cursor, "xid");
            query->has_xid = true;
            break;
        default: return;
        }
    }
}

enum rf_status rf_binlog_query_parse(struct rf_str body, struct rf_binlog_query *query,
                                     struct rf_error *err)
{
    struct rf_cursor cursor = rf_cursor_of(body);
    *query = (struct rf_binlog_query){0};
    query->thread_id = rf_cursor_u32(&cursor, "thread id");
    query->execution_seconds = rf_cursor_u32(&cursor, "execution time");
    uint8_t database_size = rf_cursor_u8(&cursor, "size of the database's name");
    query->error_code = rf_cursor_u16(&cursor, "error code");
    uint16_t status_size = rf_cursor_u16(&cursor, "size of the status variables");
    query->status = rf_cursor_str(&cursor, status_size, "status variables");
    query->database = rf_cursor_str(&cursor, database_size, "database");
    if (rf_cursor_u8(&cursor, "end of the database's name") != 0) {
        rf_cursor_fail(&cursor, "end of the database's name");
    }
    query->statement = rf_cursor_rest(&cursor);

    enum rf_status status = rf_cursor_check(&cursor, "QUERY event", err);
    if (status == RF_OK) {
        struct rf_cursor variables = rf_cursor_of(query->status);
        status_parse(query, &variables);
        status = rf_cursor_check(&variables, "status variables of a QUERY event", err);
    }
    return status;
}

enum rf_status rf_binlog_statement(const struct rf_binlog_query *query, struct rf_arena *arena,
                                   struct rf_str *statement, struct rf_error *err)
{
    enum rf_charset charset = RF_CHARSET_UTF8;
    bool known = query->charset == 0 || rf_charset_of(query->charset, &charset);
    charset = charset == RF_CHARSET_BINARY ? RF_CHARSET_UTF8 : charset;
    if (!known && !rf_charset_is_ascii(query->statement.data, query->statement.size)) {
        return rf_fail(err, RF_FATAL,
                       "a statement in a character set that is not known: collation "
                       "%u",
                       query->charset);
    }
    rf_charset_decode(charset, query->statement, arena, statement);
    return RF_OK;
}

enum rf_status rf_binlog_xid_parse(struct rf_str body, uint64_t *xid, struct rf_error *err)
{
    struct rf_cursor cursor = rf_cursor_of(body);
    *xid = rf_cursor_u64(&cursor, "number");
    return rf_cursor_check(&cursor, "XID event", err);
}

enum rf_status rf_binlog_incident_parse(struct rf_str body, struct rf_binlog_incident *incident,
                                        struct rf_error *err)
{
    struct rf_cursor cursor = rf_cursor_of(body);
    incident->kind = rf_cursor_u16(&cursor, "kind");
    uint8_t size = rf_cursor_u8(&cursor, "size of the message");
    incident->message = rf_cursor_str(&cursor, size, "message");
    return rf_cursor_check(&cursor, "INCIDENT event", err);
}
