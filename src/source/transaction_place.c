/* Where in the log we are: files, and which transaction may come. */
#include "source/transaction.h"

#include <rowferry/log.h>

enum rf_status rf_assembly_mismatch(struct rf_error *err)
{
    rf_error_hint(err,
                  "this is not the log that the position was taken from: the server ran RESET "
                  "MASTER, was restored from a backup, or is another one. Take a new snapshot of "
                  "the tables, then set a new position");
    return RF_FATAL;
}

/* ---- Files --------------------------------------------------------------------------------- */

static void drop_unfinished(struct rf_assembly *assembly)
{
    if (assembly->open) {
        rf_buf_reset(&assembly->text);
        rf_txid_print(&assembly->text, &assembly->txid, rf_buf_str(&assembly->file));
        rf_log(RF_LOG_WARN,
               "%.*s ends inside transaction %s, which the server never finished: left out",
               RF_STR_ARG(rf_buf_str(&assembly->file)), rf_buf_cstr(&assembly->text));
        assembly->open = false;
    }
    rf_assembly_forget(assembly);
    rf_tables_forget(&assembly->tables);
}

void rf_assembly_turn(struct rf_assembly *assembly, struct rf_str file)
{
    drop_unfinished(assembly);
    rf_buf_set(&assembly->file, file);
    assembly->created = 0;
    assembly->from_top = assembly->follows_all = false;
    assembly->adrift = false;
}

enum rf_status rf_assembly_rotate(struct rf_assembly *assembly, struct rf_str body,
                                  struct rf_error *err)
{
    struct rf_binlog_rotate rotate;
    enum rf_status status = rf_binlog_rotate_parse(body, &rotate, err);
    if (status != RF_OK) {
        return status;
    }
    rf_assembly_turn(assembly, rotate.file);
    assembly->next = assembly->offset = rotate.position;
    assembly->from_top = rotate.position == RF_BINLOG_MAGIC_SIZE;
    return RF_OK;
}

enum rf_status rf_assembly_describe(struct rf_assembly *assembly,
                                    const struct rf_binlog_header *header, struct rf_str event,
                                    struct rf_error *err)
{
    enum rf_status status = rf_binlog_format_parse(event, &assembly->format, err);
    if (status != RF_OK) {
        return status;
    }
    assembly->tables.maker = assembly->format.mariadb ? RF_LOG_OF_MARIADB : RF_LOG_OF_MYSQL;
    if (assembly->position.gtids.mysql == assembly->format.mariadb) {
        if (!rf_gtids_empty(&assembly->position.gtids) || assembly->position.by_place) {
            rf_fail(err, RF_FATAL, "a log of %s, but the position is one of %s",
                    assembly->format.server_version,
                    assembly->format.mariadb ? "MySQL" : "MariaDB");
            return rf_assembly_mismatch(err);
        }
        assembly->position.gtids.mysql = !assembly->format.mariadb;
    }
    drop_unfinished(assembly);
    assembly->created = header->timestamp;
    if (assembly->server_id == 0) {
        assembly->server_id = header->server_id;
    }
    if (assembly->must_created != 0 && assembly->must_created != header->timestamp) {
        rf_fail(err, RF_FATAL, "the file was begun at %u, not at %u as the position says",
                header->timestamp, assembly->must_created);
        return rf_assembly_mismatch(err);
    }
    assembly->must_created = 0;
    return RF_OK;
}

/* What lies before a file. When we read on from the file before it, all of that was seen. */
enum rf_status rf_assembly_list(struct rf_assembly *assembly, const struct rf_binlog_header *header,
                                struct rf_str body, struct rf_error *err)
{
    struct rf_gtid_list list = {0};
    bool artificial = (header->flags & RF_BINLOG_FLAG_ARTIFICIAL) != 0;
    enum rf_status status = rf_gtid_list_event_parse(body, &list, err);
    if (status == RF_OK && assembly->adopts_list) {
        rf_gtid_list_copy(&assembly->position.gtids.list, &list);
        assembly->adopts_list = false;
    } else if (status == RF_OK && assembly->from_top && !artificial) {
        assembly->follows_all = rf_gtid_list_contains(&list, &assembly->position.gtids.list);
        for (uint32_t i = 0; i < list.count && status == RF_OK; i++) {
            if (!rf_gtid_list_has(&assembly->position.gtids.list, list.items[i])) {
                rf_buf_reset(&assembly->text);
                rf_gtid_print(&assembly->text, list.items[i]);
                status =
                    rf_fail(err, RF_FATAL,
                            "a gap in the log: transaction %s lies before this file, but it was "
                            "never seen",
                            rf_buf_cstr(&assembly->text));
            }
        }
    }
    rf_gtid_list_deinit(&list);
    return status;
}

/* ---- Transactions -------------------------------------------------------------------------- */

static enum rf_status expect_txid(struct rf_assembly *assembly, struct rf_error *err)
{
    const struct rf_position *expected = &assembly->expected;
    if (rf_txid_equal(&assembly->txid, &expected->last) && assembly->start == expected->start) {
        return RF_OK;
    }
    rf_buf_reset(&assembly->text);
    if (expected->last.kind != RF_TXID_PLACE) {
        rf_buf_add_byte(&assembly->text, ' ');
        rf_txid_print(&assembly->text, &expected->last, RF_STR_NONE);
    }
    rf_fail(err, RF_FATAL, "the position says that transaction%s begins at %llu, but it does not",
            rf_buf_cstr(&assembly->text), (unsigned long long)expected->start);
    return rf_assembly_mismatch(err);
}

static enum rf_status check_order(struct rf_assembly *assembly, const struct rf_gtids *before,
                                  struct rf_error *err)
{
    const struct rf_gtid *last = rf_gtid_list_find(&before->list, assembly->txid.mariadb.domain);
    if (last == NULL || assembly->txid.mariadb.sequence > last->sequence) {
        return RF_OK;
    }
    rf_buf_reset(&assembly->text);
    rf_gtid_print(&assembly->text, *last);
    rf_fail(err, RF_FATAL, "out of order GTID: it comes behind %s", rf_buf_cstr(&assembly->text));
    rf_error_hint(err, "two servers write in one domain, or gtid_strict_mode is off: give each "
                       "writing server a gtid_domain_id of its own");
    return RF_FATAL;
}

/* MySQL's transactions may come in any order, but each of them once. */
static enum rf_status check_new(struct rf_assembly *assembly, const struct rf_gtids *before,
                                struct rf_error *err)
{
    if (assembly->txid.kind == RF_TXID_MARIADB) {
        return check_order(assembly, before, err);
    }
    if (!rf_gtids_has(before, &assembly->txid)) {
        return RF_OK;
    }
    rf_fail(err, RF_FATAL, "this transaction comes a second time");
    return rf_assembly_mismatch(err);
}

static enum rf_status skip_seen(struct rf_assembly *assembly, const struct rf_gtids *before,
                                struct rf_error *err)
{
    if (assembly->txid.kind == RF_TXID_PLACE) {
        rf_fail(err, RF_FATAL,
                "a transaction without a GTID: whether it lies before the position, "
                "which is one of another file, nobody can say");
        rf_error_hint(err, "begin at a place in this log: bin.000001:1234");
        return RF_FATAL;
    }
    enum rf_status status = check_new(assembly, &assembly->read, err);
    rf_gtids_add(&assembly->read, &assembly->txid);
    assembly->drops = rf_gtids_has(before, &assembly->txid);
    return status != RF_OK || assembly->drops ? status : check_new(assembly, before, err);
}

/* The position lists it, and its rows are not here. */
static bool is_awaited(const struct rf_assembly *assembly)
{
    const struct rf_prepared_list *list = &assembly->position.prepared;
    uint32_t at =
        rf_prepared_find(list, &assembly->txid, rf_buf_str(&assembly->file), assembly->start);
    return at < list->count && !rf_held_has(&assembly->held, &list->items[at]) &&
           !rf_assembly_xa_is_empty(assembly, &list->items[at]);
}

static enum rf_status not_prepared(struct rf_error *err)
{
    rf_fail(err, RF_FATAL,
            "the position says that an XA transaction that is prepared begins here, but it does "
            "not");
    return rf_assembly_mismatch(err);
}

/* Whether this transaction may come now, and what is done with it. */
enum rf_status rf_assembly_expect(struct rf_assembly *assembly, struct rf_error *err)
{
    const struct rf_gtids *before = &assembly->position.gtids;
    enum rf_status status;
    assembly->collects = is_awaited(assembly);
    assembly->drops = assembly->mode != RF_ASSEMBLY_TAKE && !assembly->collects;
    assembly->named = false;
    if (assembly->collects) {
        rf_gtids_add(&assembly->read, &assembly->txid);
        return RF_OK;
    }
    switch (assembly->mode) {
    case RF_ASSEMBLY_COLLECT: return not_prepared(err);
    case RF_ASSEMBLY_VERIFY: status = expect_txid(assembly, err); break;
    case RF_ASSEMBLY_SKIP: status = skip_seen(assembly, before, err); break;
    default: status = check_new(assembly, before, err); break;
    }
    assembly->named =
        !assembly->drops && assembly->skips != NULL &&
        rf_skips_transaction(assembly->skips, &assembly->txid, rf_buf_str(&assembly->file));
    return status;
}

/* The position moves behind the transaction in hand. */
void rf_assembly_advance(struct rf_assembly *assembly)
{
    struct rf_position *position = &assembly->position;
    rf_gtids_add(&position->gtids, &assembly->txid);
    position->last = assembly->txid;
    position->by_place = assembly->txid.kind == RF_TXID_PLACE;
    /* Not before: until now the place was one of an earlier file. */
    position->by_gtid &= !assembly->follows_all;
    position->time = assembly->time;
    assembly->position_us = assembly->commit_us;
    position->sum = assembly->sum;
    position->server_id = assembly->server_id;
    position->has_uuid = assembly->has_uuid;
    position->uuid = assembly->uuid;
    position->has_last = !assembly->adrift;
    position->start = assembly->adrift ? 0 : assembly->start;
    position->end = assembly->adrift ? 0 : assembly->end;
    position->created = assembly->adrift ? 0 : assembly->created;
    rf_buf_set(&position->file, assembly->adrift ? RF_STR_NONE : rf_buf_str(&assembly->file));
    rf_assembly_xa_advance(assembly);
}

enum rf_status rf_assembly_expect_end(struct rf_assembly *assembly, struct rf_error *err)
{
    const struct rf_position *expected = &assembly->expected;
    if (assembly->end == expected->end && assembly->time == expected->time) {
        if (assembly->sum == expected->sum) {
            assembly->mode = RF_ASSEMBLY_TAKE;
            return RF_OK;
        }
        rf_fail(err, RF_FATAL,
                "the position's last transaction is another one: its end has checksum "
                "%u, the position says %u",
                assembly->sum, expected->sum);
        return rf_assembly_mismatch(err);
    }
    rf_fail(err, RF_FATAL,
            "the position's last transaction ends at %llu, committed at %u; the position says %llu "
            "and %u",
            (unsigned long long)assembly->end, assembly->time, (unsigned long long)expected->end,
            expected->time);
    return rf_assembly_mismatch(err);
}
