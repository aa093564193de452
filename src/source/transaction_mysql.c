/* What is particular to MySQL's transactions. */
#include "source/transaction.h"
#include "wire/mysql_event.h"

enum rf_status rf_assembly_mysql_gtid(struct rf_assembly *assembly,
                                      const struct rf_binlog_header *header, struct rf_str body,
                                      struct rf_error *err)
{
    struct rf_mysql_gtid_event event;
    enum rf_status status = rf_assembly_start(assembly, header, true, err);
    if (status == RF_OK) {
        status = rf_mysql_gtid_event_parse(header->type, body, &event, err);
    }
    if (status != RF_OK) {
        return status;
    }
    if (event.gtid.number > 0) {
        assembly->txid = (struct rf_txid){.kind = RF_TXID_MYSQL, .mysql = event.gtid};
    }
    assembly->standalone = true; /* until a BEGIN comes */
    /* It has room for 55 bits. */
    assembly->commit_us = (int64_t)event.original_commit_us;
    return rf_assembly_expect(assembly, err);
}

/* Without GTIDs a position is a place, and moves on with the files, or it would lie before one that
 * is empty for ever. It stays where it is when its own file begins, which is read from the top to
 * know its format, and when a file is only looked into for something else. */
static void stand_in_file(struct rf_assembly *assembly, const struct rf_gtid_set *before)
{
    struct rf_position *position = &assembly->position;
    bool goes_on = assembly->mode == RF_ASSEMBLY_TAKE || assembly->mode == RF_ASSEMBLY_ADVANCE;
    if (!goes_on || rf_str_equal(rf_buf_str(&position->file), rf_buf_str(&assembly->file))) {
        return;
    }
    rf_gtid_set_unite(&position->gtids.set, before);
    rf_buf_set(&position->file, rf_buf_str(&assembly->file));
    position->has_last = false;
    position->start = 0;
    position->end = assembly->next;
    position->created = assembly->created;
    assembly->moved = true;
}

/* What lies before a file. When we read on from the file before it, all of that was seen. Where
 * there are transactions without GTIDs, the place says what was seen, and the set only follows. */
enum rf_status rf_assembly_mysql_previous(struct rf_assembly *assembly,
                                          const struct rf_binlog_header *header, struct rf_str body,
                                          struct rf_error *err)
{
    struct rf_gtid_set set = {0};
    struct rf_position *position = &assembly->position;
    bool artificial = (header->flags & RF_BINLOG_FLAG_ARTIFICIAL) != 0;
    if (!position->gtids.mysql) {
        return rf_fail(err, RF_FATAL, "GTIDs of MySQL in a log of MariaDB");
    }
    enum rf_status status = rf_gtid_set_decode(&set, body, err);
    if (status == RF_OK && assembly->adopts_list) {
        rf_gtid_set_copy(&position->gtids.set, &set);
        assembly->adopts_list = false;
    } else if (status == RF_OK && assembly->from_top && !artificial && position->by_place) {
        stand_in_file(assembly, &set);
    } else if (status == RF_OK && assembly->from_top && !artificial) {
        assembly->follows_all = rf_gtid_set_contains(&set, &position->gtids.set);
        rf_gtid_set_subtract(&set, &position->gtids.set);
        if (set.count > 0) {
            rf_buf_reset(&assembly->text);
            rf_gtid_set_print(&assembly->text, &set);
            status =
                rf_fail(err, RF_FATAL,
                        "a gap in the log: transactions %s lie before this file, but they were "
                        "never seen",
                        rf_buf_cstr(&assembly->text));
        }
    }
    rf_gtid_set_deinit(&set);
    return status;
}

/* Only what lies between the GTID and the end of a transaction can lie in a payload. */
static bool may_be_packed(unsigned type)
{
    switch (type) {
    case RF_BINLOG_FORMAT_DESCRIPTION:
    case RF_BINLOG_ROTATE:
    case RF_BINLOG_STOP:
    case RF_BINLOG_GTID:
    case RF_BINLOG_GTID_LIST:
    case RF_BINLOG_MYSQL_GTID:
    case RF_BINLOG_MYSQL_ANONYMOUS_GTID:
    case RF_BINLOG_MYSQL_GTID_TAGGED:
    case RF_BINLOG_MYSQL_PREVIOUS_GTIDS:
    case RF_BINLOG_TRANSACTION_PAYLOAD: return false;
    default: return true;
    }
}

static enum rf_status take_packed(struct rf_assembly *assembly, struct rf_str event,
                                  struct rf_error *err)
{
    uint8_t type = rf_binlog_header_type(event.data);
    if (!assembly->open || !may_be_packed(type)) {
        rf_fail(err, RF_FATAL, "a compressed transaction has a %s event %s",
                rf_binlog_type_name(type), assembly->open ? "in it" : "behind its end");
        return rf_assembly_stop(assembly, err);
    }
    assembly->packed = true;
    enum rf_status status = rf_assembly_take(assembly, event, 0, err);
    assembly->packed = false;
    return status;
}

enum rf_status rf_assembly_mysql_prepares(struct rf_assembly *assembly, struct rf_str body,
                                          bool *prepares, struct rf_error *err)
{
    struct rf_binlog_query query;
    struct rf_statement statement;
    struct rf_str event = RF_STR_NONE;
    *prepares = false;
    enum rf_status status = rf_payload_open(&assembly->payload, body, err);
    if (status == RF_OK) {
        status = rf_payload_next(&assembly->payload, &event, err);
    }
    if (status == RF_OK && event.data != NULL &&
        rf_binlog_header_type(event.data) == RF_BINLOG_QUERY) {
        struct rf_str inner = {event.data + RF_BINLOG_HEADER_SIZE,
                               event.size - RF_BINLOG_HEADER_SIZE};
        status = rf_binlog_query_parse(inner, &query, err);
        if (status == RF_OK) {
            rf_arena_reset(&assembly->scratch, RF_ARENA_CHUNK);
            rf_statement_read(query.statement, &assembly->scratch, &statement);
            *prepares = statement.xa == RF_XA_START;
        }
    }
    rf_payload_close(&assembly->payload);
    return status;
}

/* When the tables' definer is still at work (RF_AGAIN), the same payload comes again, and what was
 * taken of it is passed over. */
enum rf_status rf_assembly_mysql_payload(struct rf_assembly *assembly,
                                         const struct rf_binlog_header *header, struct rf_str body,
                                         struct rf_error *err)
{
    struct rf_str whole = assembly->event, event = RF_STR_NONE;
    bool inside = false; /* what failed has its hint already */
    if (!assembly->open || !assembly->mysql) {
        return rf_fail(err, RF_FATAL,
                       "a compressed transaction of MySQL without its GTID in front of it");
    }
    enum rf_status status = rf_payload_open(&assembly->payload, body, err);
    for (uint32_t n = 0; status == RF_OK; n++) {
        status = rf_payload_next(&assembly->payload, &event, err);
        if (status != RF_OK || event.data == NULL) {
            break;
        }
        if (n >= assembly->unpacked) {
            status = take_packed(assembly, event, err);
            inside = status != RF_OK;
            assembly->unpacked += !inside;
        }
    }
    rf_payload_close(&assembly->payload);
    assembly->event = whole;
    if (status == RF_OK && assembly->open) {
        status = rf_fail(err, RF_FATAL, "a compressed transaction ends without a commit");
    }
    if (status == RF_OK) {
        /* Its place, time and checksum are those of the payload. */
        return rf_assembly_end(assembly, header, err);
    }
    return inside ? status : rf_assembly_stop(assembly, err);
}
