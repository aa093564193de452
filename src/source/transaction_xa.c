/* XA transactions in two phases: rows that are held from XA PREPARE to XA COMMIT or XA ROLLBACK.
 *
 * One of which no row was picked is listed in the position as such, with its name and the
 * fingerprint of the patterns: as long as these are the same, nothing of it has to be read again to
 * know what its XA COMMIT brings, and the log files that it lies in may go. */
#include "source/transaction.h"
#include "wire/mysql_event.h"

enum rf_status rf_assembly_xa_prepare(struct rf_assembly *assembly,
                                      const struct rf_binlog_header *header, struct rf_str body,
                                      struct rf_error *err)
{
    struct rf_mysql_xa_prepare prepare;
    enum rf_status status = rf_mysql_xa_prepare_parse(body, &prepare, err);
    if (status == RF_OK && !assembly->open) {
        status = rf_fail(err, RF_FATAL, "XA_PREPARE without its GTID in front of it");
    }
    if (status != RF_OK) {
        return status;
    }
    assembly->ordinal++;
    assembly->xa = false;
    assembly->prepares = !prepare.one_phase;
    if (assembly->prepares) {
        rf_buf_reset(&assembly->xa_name);
        rf_held_print_xid(&assembly->xa_name, prepare.format, prepare.global, prepare.branch);
    }
    return rf_assembly_end(assembly, header, err);
}

static struct rf_prepared in_hand(const struct rf_assembly *assembly)
{
    bool known = !assembly->adrift || assembly->txid.kind == RF_TXID_PLACE;
    return (struct rf_prepared){
        .txid = assembly->txid,
        .file = known ? assembly->file : (struct rf_buf){0}, /* borrowed */
        .start = known ? assembly->start : 0,
    };
}

enum rf_status rf_assembly_xa_hold(struct rf_assembly *assembly, struct rf_error *err)
{
    struct rf_prepared prepared = in_hand(assembly);
    struct rf_str xid = rf_buf_str(&assembly->xa_name);
    if (rf_held_find(&assembly->held, xid) < assembly->held.count) {
        rf_fail(err, RF_FATAL,
                "XA PREPARE %.*s, and the log does not say what became of the one before it of "
                "that name",
                RF_STR_ARG(xid));
        rf_error_hint(err, "it was committed or rolled back in a session with sql_log_bin=0: take "
                           "a new snapshot of its tables");
        return rf_assembly_stop(assembly, err);
    }
    return rf_held_add(&assembly->held, xid, &prepared, &assembly->records, err);
}

bool rf_assembly_xa_is_empty(const struct rf_assembly *assembly, const struct rf_prepared *prepared)
{
    return prepared->xid.size > 0 && prepared->picks == rf_pick_fingerprint(assembly->pick);
}

/* The one of that name that the position lists without rows; NULL: there is none. */
static const struct rf_prepared *find_empty(const struct rf_assembly *assembly, struct rf_str xid)
{
    const struct rf_prepared_list *list = &assembly->position.prepared;
    for (uint32_t i = 0; i < list->count; i++) {
        if (rf_str_equal_nocase(rf_buf_str(&list->items[i].xid), xid) &&
            rf_assembly_xa_is_empty(assembly, &list->items[i])) {
            return &list->items[i];
        }
    }
    return NULL;
}

/* Takes the rows out of those that are held; false: they are not there. */
static bool take_back(struct rf_assembly *assembly, const struct rf_statement *statement)
{
    uint32_t number = rf_held_find(&assembly->held, statement->object);
    const struct rf_prepared *empty = find_empty(assembly, statement->object);
    if (number == assembly->held.count && empty == NULL) {
        return false;
    }
    rf_buf_deinit(&assembly->resolved.file);
    if (number < assembly->held.count) {
        rf_held_take(&assembly->held, number, &assembly->resolved, &assembly->records);
    } else {
        assembly->resolved = (struct rf_prepared){.txid = empty->txid, .start = empty->start};
        rf_buf_set(&assembly->resolved.file, rf_buf_str(&empty->file));
    }
    assembly->resolves = true;
    return true;
}

enum rf_status rf_assembly_xa_resolve(struct rf_assembly *assembly,
                                      const struct rf_statement *statement, struct rf_error *err)
{
    if (assembly->records.count > 0) {
        return rf_fail(err, RF_FATAL,
                       "rows in front of an XA COMMIT or XA ROLLBACK, which has none");
    }
    bool known = take_back(assembly, statement);
    assembly->completes_xa = false;
    if (statement->xa == RF_XA_ROLLBACK) {
        rf_records_reset(&assembly->records);
        return RF_OK;
    }
    if (known) {
        return RF_OK;
    }
    rf_fail(err, RF_FATAL,
            "XA COMMIT %.*s, whose rows were prepared before reading began, or were left out",
            RF_STR_ARG(statement->object));
    rf_error_hint(err, "begin at a place before its XA PREPARE, or take a new snapshot of its "
                       "tables");
    return RF_FATAL;
}

void rf_assembly_xa_drop(struct rf_assembly *assembly, const struct rf_statement *statement)
{
    if (statement->xa == RF_XA_COMMIT || statement->xa == RF_XA_ROLLBACK) {
        take_back(assembly, statement);
        rf_records_reset(&assembly->records);
    }
}

/* What was left out by name is not what the patterns left out. */
static bool prepares_nothing(const struct rf_assembly *assembly)
{
    uint32_t number = rf_held_find(&assembly->held, rf_buf_str(&assembly->xa_name));
    return number < assembly->held.count && assembly->held.items[number].records.count == 0 &&
           assembly->waived == 0;
}

void rf_assembly_xa_advance(struct rf_assembly *assembly)
{
    struct rf_prepared_list *list = &assembly->position.prepared;
    struct rf_prepared prepared = assembly->prepares ? in_hand(assembly) : assembly->resolved;
    uint32_t number =
        rf_prepared_find(list, &prepared.txid, rf_buf_str(&prepared.file), prepared.start);
    if (assembly->prepares && prepares_nothing(assembly)) {
        prepared.xid = assembly->xa_name; /* borrowed */
        prepared.picks = rf_pick_fingerprint(assembly->pick);
    }
    if (assembly->prepares && number < list->count) {
        rf_buf_set(&list->items[number].xid, rf_buf_str(&prepared.xid));
        list->items[number].picks = prepared.picks;
    } else if (assembly->prepares) {
        rf_prepared_add(list, &prepared);
    } else if (assembly->resolves && number < list->count) {
        rf_prepared_remove(list, number);
    }
}

const struct rf_prepared *rf_assembly_awaited(struct rf_assembly *assembly, uint32_t from,
                                              uint32_t *number)
{
    struct rf_prepared_list *list = &assembly->position.prepared;
    for (*number = from; *number < list->count;) {
        const struct rf_prepared *prepared = &list->items[*number];
        if (assembly->skips != NULL &&
            rf_skips_transaction(assembly->skips, &prepared->txid, rf_buf_str(&prepared->file))) {
            rf_prepared_remove(list, *number);
        } else if (!rf_held_has(&assembly->held, prepared) &&
                   !rf_assembly_xa_is_empty(assembly, prepared)) {
            return prepared;
        } else {
            ++*number;
        }
    }
    return NULL;
}
