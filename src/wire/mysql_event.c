#include "wire/mysql_event.h"

#include "wire/binlog.h"
#include "wire/cursor.h"

/* ---- GTID, ANONYMOUS_GTID ------------------------------------------------------------------ */

static void parse_times(struct rf_cursor *cursor, struct rf_mysql_gtid_event *event)
{
    enum { TIME_SIZE = 7 };
    const uint64_t follows = (uint64_t)1 << 55;
    event->commit_us = rf_cursor_number(cursor, TIME_SIZE, "commit time");
    event->original_commit_us = event->commit_us;
    if (event->commit_us & follows) {
        event->commit_us &= ~follows;
        event->original_commit_us = rf_cursor_number(cursor, TIME_SIZE, "first commit time");
    }
}

static void parse_versions(struct rf_cursor *cursor, struct rf_mysql_gtid_event *event)
{
    const uint32_t follows = (uint32_t)1 << 31;
    event->version = rf_cursor_u32(cursor, "server version");
    event->original_version = event->version;
    if (event->version & follows) {
        event->version &= ~follows;
        event->original_version = rf_cursor_u32(cursor, "first server version");
    }
}

/* Each version of the server added something to the end. */
static void parse_plain(struct rf_cursor *cursor, struct rf_mysql_gtid_event *event)
{
    enum { LOGICAL_CLOCK = 2 };
    event->flags = rf_cursor_u8(cursor, "flags");
    struct rf_str uuid = rf_cursor_str(cursor, RF_UUID_SIZE, "UUID");
    if (uuid.size > 0) {
        memcpy(event->gtid.origin.uuid.bytes, uuid.data, RF_UUID_SIZE);
    }
    event->gtid.number = rf_cursor_u64(cursor, "number");
    if (rf_cursor_left(cursor) > 0 && rf_cursor_u8(cursor, "clock") == LOGICAL_CLOCK) {
        event->last_committed = (int64_t)rf_cursor_u64(cursor, "last committed");
        event->sequence_number = (int64_t)rf_cursor_u64(cursor, "sequence number");
        if (rf_cursor_left(cursor) > 0) {
            parse_times(cursor, event);
        }
        if (rf_cursor_left(cursor) > 0) {
            event->transaction_bytes = rf_cursor_packed(cursor, "size of the transaction");
        }
        if (rf_cursor_left(cursor) > 0) {
            parse_versions(cursor, event);
        }
    }
}

/* ---- GTID_TAGGED --------------------------------------------------------------------------- */

static uint64_t integer(struct rf_cursor *cursor, const char *what)
{
    uint8_t first = rf_cursor_u8(cursor, what);
    unsigned more = 0;
    while (more < 8 && (first >> more & 1) != 0) {
        more++;
    }
    if (more == 0) {
        return first >> 1;
    }
    uint64_t rest = rf_cursor_number(cursor, more, what);
    if (more >= 7) {
        return rest; /* the first byte has no room for a part of it */
    }
    return rest << (7 - more) | first >> (more + 1);
}

static int64_t signed_integer(struct rf_cursor *cursor, const char *what)
{
    uint64_t number = integer(cursor, what);
    uint64_t sign = (number & 1) != 0 ? UINT64_MAX : 0;
    return (int64_t)(number >> 1 ^ sign);
}

static uint32_t small_integer(struct rf_cursor *cursor, const char *what)
{
    uint64_t number = integer(cursor, what);
    if (number > UINT32_MAX) {
        rf_cursor_fail(cursor, what);
    }
    return (uint32_t)number;
}

static void parse_uuid(struct rf_cursor *cursor, struct rf_uuid *uuid)
{
    for (size_t i = 0; i < RF_UUID_SIZE; i++) {
        uint64_t byte = integer(cursor, "UUID");
        if (byte > UINT8_MAX) {
            rf_cursor_fail(cursor, "UUID");
        }
        uuid->bytes[i] = (uint8_t)byte;
    }
}

static void parse_tag(struct rf_cursor *cursor, struct rf_gtid_origin *origin)
{
    struct rf_str tag = rf_cursor_str(cursor, integer(cursor, "length of the tag"), "tag");
    if (!rf_gtid_origin_tag(origin, tag)) {
        rf_cursor_fail(cursor, "tag");
    }
}

enum field {
    FLAGS,
    UUID,
    NUMBER,
    TAG,
    LAST_COMMITTED,
    SEQUENCE_NUMBER,
    COMMIT_TIME,
    FIRST_COMMIT_TIME,
    BYTES,
    VERSION,
    FIRST_VERSION,
    TICKET,
    FIELD_COUNT,
};

static void parse_field(struct rf_cursor *cursor, enum field field,
                        struct rf_mysql_gtid_event *event)
{
    switch (field) {
    case FLAGS: event->flags = (uint8_t)integer(cursor, "flags"); break;
    case UUID: parse_uuid(cursor, &event->gtid.origin.uuid); break;
    case NUMBER: event->gtid.number = (uint64_t)signed_integer(cursor, "number"); break;
    case TAG: parse_tag(cursor, &event->gtid.origin); break;
    case LAST_COMMITTED: event->last_committed = signed_integer(cursor, "last committed"); break;
    case SEQUENCE_NUMBER: event->sequence_number = signed_integer(cursor, "sequence number"); break;
    case COMMIT_TIME:
        event->commit_us = event->original_commit_us = integer(cursor, "commit time");
        break;
    case FIRST_COMMIT_TIME: event->original_commit_us = integer(cursor, "first commit time"); break;
    case BYTES: event->transaction_bytes = integer(cursor, "size of the transaction"); break;
    case VERSION:
        event->version = event->original_version = small_integer(cursor, "server version");
        break;
    case FIRST_VERSION:
        event->original_version = small_integer(cursor, "first server version");
        break;
    case TICKET: integer(cursor, "ticket"); break;
    case FIELD_COUNT: break;
    }
}

static enum rf_status parse_tagged(struct rf_cursor *cursor, struct rf_mysql_gtid_event *event,
                                   struct rf_error *err)
{
    enum { SERIALIZATION_VERSION = 1 };
    uint64_t version = integer(cursor, "version of the message");
    if (cursor->missing == NULL && version != SERIALIZATION_VERSION) {
        return rf_fail(err, RF_FATAL,
                       "a GTID_TAGGED event whose message has version %llu; only %d can be read",
                       (unsigned long long)version, SERIALIZATION_VERSION);
    }
    integer(cursor, "size of the message");
    uint64_t needed = integer(cursor, "last field that is needed");
    unsigned seen = 0;
    while (rf_cursor_left(cursor) > 0) {
        uint64_t field = integer(cursor, "number of a field");
        if (field >= FIELD_COUNT && field <= needed) {
            return rf_fail(err, RF_FATAL,
                           "a GTID_TAGGED event has a field %llu, which is not known and may not "
                           "be skipped",
                           (unsigned long long)field);
        }
        if (field >= FIELD_COUNT) {
            break; /* how long it is, only its own server's version knows */
        }
        if ((seen >> field) != 0) {
            rf_cursor_fail(cursor, "order of fields");
            break;
        }
        seen |= 1u << field;
        parse_field(cursor, (enum field)field, event);
    }
    if ((seen & (1u << UUID | 1u << NUMBER)) != (1u << UUID | 1u << NUMBER)) {
        rf_cursor_fail(cursor, "UUID and number");
    }
    return RF_OK;
}

enum rf_status rf_mysql_gtid_event_parse(unsigned type, struct rf_str body,
                                         struct rf_mysql_gtid_event *event, struct rf_error *err)
{
    struct rf_cursor cursor = rf_cursor_of(body);
    struct rf_mysql_gtid_event read = {0};
    enum rf_status status = RF_OK;
    rf_assert(type == RF_BINLOG_MYSQL_GTID || type == RF_BINLOG_MYSQL_ANONYMOUS_GTID ||
              type == RF_BINLOG_MYSQL_GTID_TAGGED);
    if (type == RF_BINLOG_MYSQL_GTID_TAGGED) {
        status = parse_tagged(&cursor, &read, err);
    } else {
        parse_plain(&cursor, &read);
    }
    if (status != RF_OK) {
        return status;
    }
    if (type == RF_BINLOG_MYSQL_ANONYMOUS_GTID) {
        read.gtid = (struct rf_mysql_gtid){0};
    } else if (read.gtid.number == 0 || read.gtid.number > RF_GTID_NUMBER_MAX) {
        rf_cursor_fail(&cursor, "number");
    }
    status = rf_cursor_check(&cursor, "GTID event", err);
    if (status == RF_OK) {
        *event = read;
    }
    return status;
}

/* ---- Others -------------------------------------------------------------------------------- */

enum rf_status rf_mysql_heartbeat_parse(struct rf_str body, struct rf_mysql_heartbeat *heartbeat,
                                        struct rf_error *err)
{
    enum { END, FILE_NAME, POSITION };
    struct rf_cursor cursor = rf_cursor_of(body);
    struct rf_mysql_heartbeat read = {0};
    uint8_t type;
    while ((type = rf_cursor_u8(&cursor, "field")) != END) {
        struct rf_str value =
            rf_cursor_str(&cursor, rf_cursor_packed(&cursor, "size of a field"), "field");
        struct rf_cursor inside = rf_cursor_of(value);
        if (type == FILE_NAME) {
            read.file = value;
        } else if (type == POSITION) {
            read.position = rf_cursor_packed(&inside, "position");
        }
        if (inside.missing != NULL) {
            rf_cursor_fail(&cursor, "position");
        }
    }
    enum rf_status status = rf_cursor_check(&cursor, "HEARTBEAT_V2 event", err);
    if (status == RF_OK) {
        *heartbeat = read;
    }
    return status;
}

enum rf_status rf_mysql_xa_prepare_parse(struct rf_str body, struct rf_mysql_xa_prepare *prepare,
                                         struct rf_error *err)
{
    enum { PART_MAX = 64 };
    struct rf_cursor cursor = rf_cursor_of(body);
    struct rf_mysql_xa_prepare read = {.one_phase = rf_cursor_u8(&cursor, "phases") != 0};
    read.format = rf_cursor_u32(&cursor, "format id");
    uint32_t global_size = rf_cursor_u32(&cursor, "size of the global id");
    uint32_t branch_size = rf_cursor_u32(&cursor, "size of the branch");
    if (global_size > PART_MAX || branch_size > PART_MAX) {
        rf_cursor_fail(&cursor, "size of the global id or the branch");
    }
    read.global = rf_cursor_str(&cursor, global_size, "global id");
    read.branch = rf_cursor_str(&cursor, branch_size, "branch");
    enum rf_status status = rf_cursor_check(&cursor, "XA_PREPARE event", err);
    if (status == RF_OK) {
        *prepare = read;
    }
    return status;
}
