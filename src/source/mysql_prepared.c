/* The rows of XA transactions that were prepared before the position, and are not over yet.
 *
 * They lie anywhere in the log, each in one piece, which the position names. So each is fetched by
 * itself, and nothing of what lies in between is read a second time. On another server the files
 * are others: a MySQL server sends what is not in the set that it is given, in the order of its
 * log. */
#include "source/mysql.h"

/* `skips`: leaving it out by name is one way to go on. */
static enum rf_status gone(struct rf_mysql_source *state, const struct rf_prepared *prepared,
                           const char *why, const char *hint, bool skips, struct rf_error *err)
{
    rf_buf_reset(&state->text);
    rf_prepared_name(&state->text, prepared);
    size_t name_size = state->text.size;
    if (prepared->file.size > 0) {
        rf_buf_printf(&state->text, ", in %.*s at %llu,", RF_STR_ARG(rf_buf_str(&prepared->file)),
                      (unsigned long long)prepared->start);
    }
    rf_fail(err, RF_FATAL, "%s: the rows of the XA transaction that %s has prepared are needed: %s",
            state->mysql.where, rf_buf_cstr(&state->text), why);
    if (skips) {
        rf_error_hint(err,
                      "%s; or, when its rows are not wanted, leave it out: skip=%.*s in the "
                      "source's options",
                      hint, (int)name_size, rf_buf_cstr(&state->text));
    } else {
        rf_error_hint(err, "%s", hint);
    }
    return RF_FATAL;
}

/* Another one begins where nothing of this stream is left. */
static void forget_stream(struct rf_mysql_source *state)
{
    rf_mysql_close(&state->mysql);
    rf_assembly_turn(&state->assembly, RF_STR_NONE);
    state->assembly.format = (struct rf_binlog_format){0};
    state->held = state->last = RF_STR_NONE;
    state->catalog.again = state->current = false;
}

enum rf_status rf_mysql_source_begin_again(struct rf_mysql_source *state, struct rf_error *err)
{
    forget_stream(state);
    return rf_mysql_source_reconnect(state, err);
}

static enum rf_status fetch(struct rf_mysql_source *state, const struct rf_prepared *prepared,
                            struct rf_error *err)
{
    struct rf_assembly *assembly = &state->assembly;
    struct rf_mysql_log_file file;
    struct rf_str name = rf_buf_str(&prepared->file);
    uint32_t before = assembly->held.count;
    enum rf_status status = rf_mysql_source_find_file(state, name, &file, NULL, err);
    if (status == RF_OK && !file.found) {
        return gone(state, prepared, "the server has deleted that file",
                    "log files that were still needed were purged (binlog_expire_logs_seconds). "
                    "Take a new snapshot of the tables, then set a new position",
                    true, err);
    }
    if (status == RF_OK && prepared->start >= file.size) {
        return gone(state, prepared, "that file is shorter now",
                    "the server ran RESET MASTER, was restored from a backup, or is another one. "
                    "Take a new snapshot of the tables, then set a new position",
                    false, err);
    }
    assembly->mode = RF_ASSEMBLY_COLLECT;
    if (status == RF_OK) {
        status = rf_mysql_source_dump(state, name, prepared->start, err);
    }
    while (status == RF_OK && assembly->held.count == before) {
        status = rf_mysql_source_step(state, err);
    }
    assembly->mode = RF_ASSEMBLY_TAKE;
    forget_stream(state);
    return status == RF_OK ? rf_mysql_source_reconnect(state, err) : status;
}

enum rf_status rf_mysql_source_collect(struct rf_mysql_source *state, bool same, bool *behind,
                                       struct rf_error *err)
{
    const struct rf_prepared *prepared;
    enum rf_status status = RF_OK;
    uint32_t number = 0;
    bool streams = !state->mariadb && state->gtids == RF_MYSQL_GTIDS_ON;
    *behind = false;
    while (status == RF_OK &&
           (prepared = rf_assembly_awaited(&state->assembly, number, &number)) != NULL) {
        bool has_place = same && prepared->file.size > 0 && prepared->start <= UINT32_MAX;
        if (has_place) {
            status = fetch(state, prepared, err);
        } else if (streams && prepared->txid.kind == RF_TXID_MYSQL) {
            *behind = true;
            number++;
        } else {
            return gone(state, prepared,
                        same ? "where in the log they are, is not known"
                             : "where in this server's log they are, is not known",
                        "go back to the server that was read before until the transaction is over "
                        "(XA RECOVER shows it); or take a new snapshot of the tables, then set a "
                        "new position",
                        true, err);
        }
    }
    return status;
}

void rf_mysql_source_seen(struct rf_mysql_source *state, struct rf_gtid_set *set)
{
    const struct rf_prepared *prepared;
    struct rf_gtid_set one = {0};
    rf_gtid_set_copy(set, &state->assembly.position.gtids.set);
    for (uint32_t number = 0;
         (prepared = rf_assembly_awaited(&state->assembly, number, &number)) != NULL; number++) {
        if (prepared->txid.kind == RF_TXID_MYSQL) {
            rf_gtid_set_reset(&one);
            rf_gtid_set_add(&one, &prepared->txid.mysql);
            rf_gtid_set_subtract(set, &one);
        }
    }
    rf_gtid_set_deinit(&one);
}
