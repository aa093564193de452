#include "lib/binlog.h"

#include "wire/binlog.h"
#include "wire/gtid.h"
#include "wire/inflate.h"
#include "wire/json.h"
#include "wire/mysql_event.h"
#include "wire/payload.h"
#include "wire/rows.h"
#include "wire/table.h"

#include <stdlib.h>
#include <zlib.h>

enum { TABLES_MAX = 64 };

struct walk {
    struct rf_binlog_format format;
    struct rf_binlog_header header;
    struct rf_str body;
    struct {
        uint64_t id;
        struct rf_str bytes; /* of its TABLE_MAP, in the file */
        struct rf_table *table;
    } tables[TABLES_MAX];
    size_t table_count;
    struct rf_batch batch;
    uint32_t ordinal;
    struct rf_buf *out;
    struct rf_error *err;
};

static void add_text(struct rf_buf *out, const char *name, struct rf_str text)
{
    rf_buf_printf(out, " %s=", name);
    rf_json_add_string(out, text);
}

static void print_column(struct rf_buf *out, const struct rf_column *column)
{
    static const char *const types[] = {
        "?",        "tinyint", "smallint",  "mediumint", "int",  "bigint",   "float",     "double",
        "decimal",  "bit",     "year",      "date",      "time", "datetime", "timestamp", "char",
        "varchar",  "binary",  "varbinary", "text",      "blob", "enum",     "set",       "json",
        "geometry", "vector",  "uuid",      "inet4",     "inet6"};
    static const char *const charsets[RF_CHARSET_COUNT] = {
        "binary",  "ascii",   "latin1", "utf8",   "armscii8", "big5",   "cp1250",  "cp1251",
        "cp1256",  "cp1257",  "cp850",  "cp852",  "cp866",    "cp932",  "dec8",    "eucjpms",
        "euckr",   "gb18030", "gb2312", "gbk",    "geostd8",  "greek",  "hebrew",  "hp8",
        "keybcs2", "koi8r",   "koi8u",  "latin2", "latin5",   "latin7", "macce",   "macroman",
        "sjis",    "swe7",    "tis620", "ucs2",   "ujis",     "utf16",  "utf16le", "utf32"};
    rf_buf_printf(out, "    column %.*s %s", RF_STR_ARG(column->name), types[column->type]);
    rf_buf_printf(out, " length=%u precision=%u scale=%u charset=%s%s%s%s", column->length,
                  column->precision, column->scale, charsets[column->charset],
                  column->is_unsigned ? " unsigned" : "", column->nullable ? " null" : "",
                  column->key ? " key" : "");
    for (uint32_t i = 0; i < column->member_count; i++) {
        rf_buf_add_byte(out, i == 0 ? ' ' : ',');
        rf_json_add_string(out, column->members[i]);
    }
    rf_buf_add_byte(out, '\n');
}

static enum rf_status print_table(struct walk *walk)
{
    struct rf_binlog_table head;
    enum rf_status status = rf_binlog_table_name(walk->body, &head, walk->err);
    if (status != RF_OK) {
        return status;
    }
    rf_buf_printf(walk->out, " id=%llu flags=%x", (unsigned long long)head.id, head.flags);
    add_text(walk->out, "database", head.database);
    add_text(walk->out, "table", head.name);
    rf_buf_add_byte(walk->out, '\n');

    size_t at = 0;
    while (at < walk->table_count && walk->tables[at].id != head.id) {
        at++;
    }
    if (at < walk->table_count && rf_str_equal(walk->tables[at].bytes, walk->body)) {
        return RF_OK;
    }
    struct rf_table *table;
    status = rf_binlog_table_parse(walk->body,
                                   walk->format.mariadb ? RF_LOG_OF_MARIADB : RF_LOG_OF_MYSQL, 1,
                                   &table, walk->err);
    if (status != RF_OK) {
        return status;
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        print_column(walk->out, &table->columns[i]);
    }
    rf_buf_printf(walk->out, "    key");
    for (uint32_t i = 0; i < table->key_count; i++) {
        rf_buf_printf(walk->out, " %.*s", RF_STR_ARG(table->columns[table->key_columns[i]].name));
    }
    rf_buf_add_byte(walk->out, '\n');
    if (at == TABLES_MAX) {
        at--; /* the last place is used again; only a fuzzer has so many */
    } else if (at == walk->table_count) {
        walk->table_count++;
        walk->tables[at].table = NULL;
    }
    rf_table_release(walk->tables[at].table);
    walk->tables[at].id = head.id;
    walk->tables[at].bytes = walk->body;
    walk->tables[at].table = table;
    return RF_OK;
}

static void print_image(struct walk *walk, const char *name, const struct rf_table *table,
                        const struct rf_value *image)
{
    struct rf_json_names names;
    uint32_t column;
    if (image == NULL) {
        return;
    }
    rf_buf_printf(walk->out, "    %s ", name);
    rf_json_names_init(&names, table, NULL, table->column_count);
    if (!rf_json_add_row(walk->out, &names, image, &column)) {
        rf_buf_printf(walk->out, "(column %u is no number)", column);
    }
    rf_json_names_deinit(&names);
    rf_buf_add_byte(walk->out, '\n');
}

static enum rf_status print_rows(struct walk *walk)
{
    struct rf_rows rows;
    enum rf_status status = rf_rows_parse(walk->header.type, walk->body, &rows, walk->err);
    if (status != RF_OK) {
        return status;
    }
    rf_buf_printf(walk->out, " id=%llu flags=%x columns=%u\n", (unsigned long long)rows.table_id,
                  rows.flags, rows.column_count);
    for (size_t i = 0; i < walk->table_count; i++) {
        if (walk->tables[i].id != rows.table_id) {
            continue;
        }
        rows.lacking = true;
        rf_batch_reset(&walk->batch, RF_ARENA_CHUNK);
        rf_batch_begin(&walk->batch, RF_STR("t"), 0, true);
        status =
            rf_rows_decode(&rows, walk->tables[i].table, ++walk->ordinal, &walk->batch, walk->err);
        for (uint32_t at = 0; at < walk->batch.count; at++) {
            const struct rf_event *event = &walk->batch.events[at];
            print_image(walk, "before", event->table, event->before);
            print_image(walk, "after", event->table, event->after);
        }
        return status;
    }
    return rf_fail(walk->err, RF_FATAL, "rows of table id %llu, which no TABLE_MAP names",
                   (unsigned long long)rows.table_id);
}

static enum rf_status print_query(struct walk *walk)
{
    struct rf_binlog_query query;
    struct rf_str statement;
    enum rf_status status = rf_binlog_query_parse(walk->body, &query, walk->err);
    if (status == RF_OK) {
        status = rf_binlog_statement(&query, &walk->batch.arena, &statement, walk->err);
    }
    if (status == RF_OK) {
        rf_buf_printf(walk->out, " thread=%u error=%u charset=%u", query.thread_id,
                      query.error_code, query.charset);
        rf_buf_printf(walk->out, " flags2=%x sql_mode=%llx xid=%llu", query.flags2,
                      (unsigned long long)query.sql_mode, (unsigned long long)query.xid);
        add_text(walk->out, "database", query.database);
        add_text(walk->out, "statement", statement);
        rf_buf_add_byte(walk->out, '\n');
    }
    return status;
}

static enum rf_status print_gtid(struct walk *walk)
{
    struct rf_gtid_event event;
    enum rf_status status =
        rf_gtid_event_parse(walk->body, walk->header.server_id, &event, walk->err);
    if (status == RF_OK) {
        rf_buf_add_byte(walk->out, ' ');
        rf_gtid_print(walk->out, event.gtid);
        rf_buf_printf(walk->out, " flags=%x extra=%x commit=%llu", event.flags, event.extra_flags,
                      (unsigned long long)event.commit_id);
        if (event.xid_global.size > 0) {
            rf_buf_printf(walk->out, " xa_format=%u", event.xid_format);
            rf_json_add_base64(walk->out, event.xid_global);
            rf_json_add_base64(walk->out, event.xid_branch);
        }
        rf_buf_add_byte(walk->out, '\n');
        walk->ordinal = 0;
    }
    return status;
}

static enum rf_status print_gtid_list(struct walk *walk)
{
    struct rf_gtid_list list = {0};
    enum rf_status status = rf_gtid_list_event_parse(walk->body, &list, walk->err);
    if (status == RF_OK) {
        rf_buf_add_byte(walk->out, ' ');
        rf_gtid_list_print(walk->out, &list);
        rf_buf_add_byte(walk->out, '\n');
    }
    rf_gtid_list_deinit(&list);
    return status;
}

static enum rf_status print_mysql_gtid(struct walk *walk)
{
    struct rf_mysql_gtid_event event;
    enum rf_status status =
        rf_mysql_gtid_event_parse(walk->header.type, walk->body, &event, walk->err);
    if (status == RF_OK) {
        rf_buf_add_byte(walk->out, ' ');
        rf_mysql_gtid_print(walk->out, &event.gtid);
        rf_buf_printf(walk->out, " flags=%x clock=%lld,%lld commit=%llu,%llu bytes=%llu",
                      event.flags, (long long)event.last_committed,
                      (long long)event.sequence_number, (unsigned long long)event.commit_us,
                      (unsigned long long)event.original_commit_us,
                      (unsigned long long)event.transaction_bytes);
        rf_buf_printf(walk->out, " version=%u,%u\n", event.version, event.original_version);
        walk->ordinal = 0;
    }
    return status;
}

static enum rf_status print_previous(struct walk *walk)
{
    struct rf_gtid_set set = {0};
    enum rf_status status = rf_gtid_set_decode(&set, walk->body, walk->err);
    if (status == RF_OK) {
        rf_buf_add_byte(walk->out, ' ');
        rf_gtid_set_print(walk->out, &set);
        rf_buf_add_byte(walk->out, '\n');
    }
    rf_gtid_set_deinit(&set);
    return status;
}

static enum rf_status print_xa_prepare(struct walk *walk)
{
    struct rf_mysql_xa_prepare prepare;
    enum rf_status status = rf_mysql_xa_prepare_parse(walk->body, &prepare, walk->err);
    if (status == RF_OK) {
        rf_buf_printf(walk->out, " one_phase=%d format=%u", prepare.one_phase, prepare.format);
        rf_json_add_base64(walk->out, prepare.global);
        rf_json_add_base64(walk->out, prepare.branch);
        rf_buf_add_byte(walk->out, '\n');
    }
    return status;
}

static enum rf_status print_body(struct walk *walk);

/* The events in it, as lines of their own. What they define is read from the payload's memory,
 * which is gone behind it: no later one is compared with it. */
static enum rf_status print_payload(struct walk *walk)
{
    struct rf_payload payload = {0};
    struct rf_binlog_header outer = walk->header;
    struct rf_str event = RF_STR_NONE;
    rf_buf_printf(walk->out, " %zu bytes\n", walk->body.size);
    enum rf_status status = rf_payload_open(&payload, walk->body, walk->err);
    while (status == RF_OK) {
        status = rf_payload_next(&payload, &event, walk->err);
        if (status != RF_OK || event.data == NULL) {
            break;
        }
        status = rf_binlog_header_parse(event, &walk->header, walk->err);
        if (status == RF_OK && walk->header.type == RF_BINLOG_TRANSACTION_PAYLOAD) {
            status = rf_fail(walk->err, RF_FATAL, "a payload within a payload");
        }
        if (status == RF_OK) {
            walk->body = (struct rf_str){event.data + RF_BINLOG_HEADER_SIZE,
                                         event.size - RF_BINLOG_HEADER_SIZE};
            rf_buf_printf(walk->out, "  packed %s server=%u time=%u flags=%x",
                          rf_binlog_type_name(walk->header.type), walk->header.server_id,
                          walk->header.timestamp, walk->header.flags);
            status = print_body(walk);
        }
        for (size_t i = 0; i < walk->table_count; i++) {
            walk->tables[i].bytes = RF_STR_NONE; /* compared with nothing from here on */
        }
    }
    walk->header = outer;
    rf_payload_deinit(&payload);
    return status;
}

/* What it says without compression, as if it had been logged so. */
static enum rf_status print_compressed(struct walk *walk)
{
    struct rf_inflater inflater = {0};
    struct rf_str event, body = walk->body;
    struct rf_binlog_header header = walk->header;
    rf_buf_printf(walk->out, " %zu bytes", body.size);
    enum rf_status status = rf_inflate_event(&inflater, &header, body, &event, walk->err);
    if (status == RF_OK) {
        status = rf_binlog_header_parse(event, &walk->header, walk->err);
    }
    if (status == RF_OK) {
        walk->body =
            (struct rf_str){event.data + RF_BINLOG_HEADER_SIZE, event.size - RF_BINLOG_HEADER_SIZE};
        status = print_body(walk);
    }
    walk->header = header; /* it says where the next one begins */
    rf_inflater_deinit(&inflater);
    return status;
}

static enum rf_status print_body(struct walk *walk)
{
    struct rf_buf *out = walk->out;
    enum rf_status status;
    switch (walk->header.type) {
    case RF_BINLOG_QUERY: return print_query(walk);
    case RF_BINLOG_TABLE_MAP: return print_table(walk);
    case RF_BINLOG_GTID: return print_gtid(walk);
    case RF_BINLOG_GTID_LIST: return print_gtid_list(walk);
    case RF_BINLOG_MYSQL_GTID:
    case RF_BINLOG_MYSQL_ANONYMOUS_GTID:
    case RF_BINLOG_MYSQL_GTID_TAGGED: return print_mysql_gtid(walk);
    case RF_BINLOG_MYSQL_PREVIOUS_GTIDS: return print_previous(walk);
    case RF_BINLOG_XA_PREPARE: return print_xa_prepare(walk);
    case RF_BINLOG_TRANSACTION_PAYLOAD: return print_payload(walk);
    case RF_BINLOG_ROTATE: {
        struct rf_binlog_rotate rotate;
        status = rf_binlog_rotate_parse(walk->body, &rotate, walk->err);
        if (status == RF_OK) {
            add_text(out, "file", rotate.file);
            rf_buf_printf(out, " position=%llu\n", (unsigned long long)rotate.position);
        }
        return status;
    }
    case RF_BINLOG_XID: {
        uint64_t xid = 0;
        status = rf_binlog_xid_parse(walk->body, &xid, walk->err);
        rf_buf_printf(out, " %llu\n", (unsigned long long)xid);
        return status;
    }
    case RF_BINLOG_INCIDENT: {
        struct rf_binlog_incident incident;
        status = rf_binlog_incident_parse(walk->body, &incident, walk->err);
        if (status == RF_OK) {
            rf_buf_printf(out, " kind=%u", incident.kind);
            add_text(out, "message", incident.message);
            rf_buf_add_byte(out, '\n');
        }
        return status;
    }
    default:
        if (rf_inflate_is(walk->header.type)) {
            return print_compressed(walk);
        }
        if (rf_rows_is(walk->header.type)) {
            return print_rows(walk);
        }
        rf_buf_printf(out, " %zu bytes\n", walk->body.size);
        return RF_OK;
    }
}

static enum rf_status print_event(struct walk *walk, struct rf_str event)
{
    struct rf_binlog_header *header = &walk->header;
    enum rf_status status;
    rf_buf_printf(walk->out, "%s server=%u time=%u flags=%x end=%u",
                  rf_binlog_type_name(header->type), header->server_id, header->timestamp,
                  header->flags, header->end_position);
    if (header->type == RF_BINLOG_FORMAT_DESCRIPTION) {
        status = rf_binlog_format_parse(event, &walk->format, walk->err);
        rf_buf_printf(walk->out, " version=%s mariadb=%d in_use=%d checksum=%u types=%u\n",
                      walk->format.server_version, walk->format.mariadb, walk->format.in_use,
                      walk->format.checksum, walk->format.fixed_count);
        return status;
    }
    status = rf_binlog_body(&walk->format, header, event, &walk->body, walk->err);
    return status == RF_OK ? print_body(walk) : status;
}

enum rf_status test_binlog_print(struct rf_str file, struct rf_buf *out, struct rf_error *err)
{
    struct walk *walk = calloc(1, sizeof *walk);
    rf_assert(walk != NULL);
    walk->out = out;
    walk->err = err;
    enum rf_status status = rf_binlog_magic_check(file, err);
    for (size_t at = RF_BINLOG_MAGIC_SIZE; status == RF_OK && at < file.size;) {
        struct rf_str rest = {file.data + at, file.size - at};
        status = rf_binlog_header_parse(rest, &walk->header, err);
        if (status == RF_OK && walk->header.size > rest.size) {
            status = rf_fail(err, RF_FATAL, "the log ends inside an event of %u bytes",
                             walk->header.size);
        }
        if (status == RF_OK) {
            rest.size = walk->header.size;
            status = print_event(walk, rest);
        }
        if (status != RF_OK) {
            rf_error_wrap(err, "offset %zu", at);
        }
        at += walk->header.size;
    }
    for (size_t i = 0; i < walk->table_count; i++) {
        rf_table_release(walk->tables[i].table);
    }
    rf_batch_deinit(&walk->batch);
    free(walk);
    return status;
}

void test_binlog_repair(char *file, size_t size)
{
    enum { TYPE = 4, SIZE = 9, FLAGS = 17, SMALLEST = 19 + 4 };
    bool checked = true; /* a format description has a checksum always */
    for (size_t at = RF_BINLOG_MAGIC_SIZE; at < size && size - at >= SMALLEST;) {
        unsigned char *event = (unsigned char *)file + at;
        uint32_t event_size = (uint32_t)event[SIZE] | (uint32_t)event[SIZE + 1] << 8 |
                              (uint32_t)event[SIZE + 2] << 16 | (uint32_t)event[SIZE + 3] << 24;
        if (event_size < SMALLEST || event_size > size - at) {
            return;
        }
        bool is_format = event[TYPE] == RF_BINLOG_FORMAT_DESCRIPTION;
        if (is_format) {
            checked = event[event_size - 5] == RF_BINLOG_CHECKSUM_CRC32;
        }
        if (is_format || checked) {
            unsigned char flags = event[FLAGS];
            event[FLAGS] = is_format ? flags & 0xfe : flags;
            uLong sum = crc32(0, event, event_size - 4);
            event[FLAGS] = flags;
            for (size_t i = 0; i < 4; i++) {
                event[event_size - 4 + i] = (unsigned char)(sum >> (8 * i));
            }
        }
        at += event_size;
    }
}

void test_put(struct rf_buf *out, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        rf_buf_add_byte(out, (char)(number >> (8 * i)));
    }
}

void test_put_packed(struct rf_buf *out, uint64_t number)
{
    if (number < 251) {
        test_put(out, number, 1);
    } else if (number <= UINT16_MAX) {
        test_put(out, 252, 1);
        test_put(out, number, 2);
    } else if (number < 1 << 24) {
        test_put(out, 253, 1);
        test_put(out, number, 3);
    } else {
        test_put(out, 254, 1);
        test_put(out, number, 8);
    }
}

void test_put_hex(struct rf_buf *out, const char *hex)
{
    while (*hex != '\0') {
        char *end;
        rf_buf_add_byte(out, (char)strtoul(hex, &end, 16));
        rf_assert(end == hex + 2);
        hex = end + (*end == ' ');
    }
}

static void put_text(struct rf_buf *out, struct rf_str text)
{
    test_put_packed(out, text.size);
    rf_buf_add_str(out, text);
}

/* One field of the optional metadata; empty ones are left out, as the server does. */
static void put_field(struct rf_buf *out, uint8_t type, struct rf_buf *field)
{
    if (field->size > 0) {
        test_put(out, type, 1);
        put_text(out, rf_buf_str(field));
    }
    rf_buf_deinit(field);
}

static unsigned real_type(const struct test_column *column)
{
    return column->type == 254 ? column->metadata & 0xff : column->type;
}

static bool is_enum(const struct test_column *column)
{
    return real_type(column) == 247;
}

static bool is_set(const struct test_column *column)
{
    return real_type(column) == 248;
}

static bool is_character(const struct test_column *column)
{
    return column->type == 15 || column->type == 252 || column->type == 255 ||
           (column->type == 254 && !is_enum(column) && !is_set(column));
}

static void put_members(struct rf_buf *out, const struct test_column *column)
{
    struct rf_buf members = {0};
    struct rf_str rest = rf_str_of(column->members), member;
    uint64_t count = 0;
    while (rf_str_split(&rest, ',', &member)) {
        put_text(&members, member);
        count++;
    }
    test_put_packed(out, count);
    rf_buf_add_str(out, rf_buf_str(&members));
    rf_buf_deinit(&members);
}

/* Bytes of type metadata that this type has. */
static size_t metadata_size(uint8_t type)
{
    switch (type) {
    case 4:
    case 5:
    case 17:
    case 18:
    case 19:
    case 140:
    case 242:
    case 245:
    case 252:
    case 255: return 1;
    case 15:
    case 16:
    case 141:
    case 246:
    case 253:
    case 254: return 2;
    default: return 0;
    }
}

static void put_optional(struct rf_buf *out, const struct test_column *columns)
{
    enum { NUMERIC_COUNT = 9 };
    static const uint8_t numeric[NUMERIC_COUNT] = {1, 2, 3, 4, 5, 8, 9, 13, 246};
    struct rf_buf signs = {0}, charsets = {0}, enum_charsets = {0}, names = {0};
    struct rf_buf sets = {0}, enums = {0}, key = {0};
    unsigned numbers = 0;
    for (uint32_t i = 0; columns[i].name != NULL; i++) {
        const struct test_column *column = &columns[i];
        if (memchr(numeric, column->type, NUMERIC_COUNT) != NULL) {
            if (numbers % 8 == 0) {
                rf_buf_add_byte(&signs, 0);
            }
            unsigned bit = column->is_unsigned ? 0x80u >> numbers % 8 : 0;
            signs.data[signs.size - 1] = (char)((unsigned char)signs.data[signs.size - 1] | bit);
            numbers++;
        }
        if (is_character(column)) {
            test_put_packed(&charsets, column->collation);
        }
        if (is_enum(column) || is_set(column)) {
            test_put_packed(&enum_charsets, column->collation);
            put_members(is_set(column) ? &sets : &enums, column);
        }
        put_text(&names, rf_str_of(column->name));
        if (column->key) {
            test_put_packed(&key, i);
        }
    }
    put_field(out, 1, &signs);
    put_field(out, 3, &charsets);
    put_field(out, 4, &names);
    put_field(out, 5, &sets);
    put_field(out, 6, &enums);
    put_field(out, 8, &key);
    put_field(out, 11, &enum_charsets);
}

void test_put_table(struct rf_buf *out, const struct test_column *columns)
{
    struct rf_buf metadata = {0};
    uint32_t count = 0;
    while (columns[count].name != NULL) {
        test_put(&metadata, columns[count].metadata, metadata_size(columns[count].type));
        count++;
    }
    test_put(out, 7, 6);
    test_put(out, 1, 2);
    test_put_hex(out, "04 73 68 6f 70 00 05 69 74 65 6d 73 00"); /* shop, items */
    test_put_packed(out, count);
    for (uint32_t i = 0; i < count; i++) {
        test_put(out, columns[i].type, 1);
    }
    put_text(out, rf_buf_str(&metadata));
    for (uint32_t i = 0; i < (count + 7) / 8; i++) {
        test_put(out, 0xff, 1);
    }
    put_optional(out, columns);
    rf_buf_deinit(&metadata);
}

void test_put_rows(struct rf_buf *out, unsigned type, uint32_t column_count)
{
    bool second = type >= RF_BINLOG_WRITE_ROWS_V2;
    bool update = type == RF_BINLOG_UPDATE_ROWS_V1 || type == RF_BINLOG_UPDATE_ROWS_V2 ||
                  type == RF_BINLOG_PARTIAL_UPDATE_ROWS;
    test_put(out, 7, 6);
    test_put(out, RF_ROWS_STATEMENT_END, 2);
    if (second) {
        test_put(out, 2, 2);
    }
    test_put_packed(out, column_count);
    for (uint32_t i = 0; i < (update ? 2 : 1) * ((column_count + 7) / 8); i++) {
        test_put(out, 0xff, 1);
    }
}
