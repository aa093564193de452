/* Where reading begins in the log of a MySQL server.
 *
 * Its GTIDs are sets: the server sends everything that is not in ours, in the order of its own log.
 * So a hole is filled, and the same set goes on at any server of the replication tree. What must be
 * so is asked before: the server has executed all that we have, and has purged nothing else. */
#include "source/mysql.h"

enum { SILENT_HEARTBEATS = 3 };

/* One of the server's sets. */
static enum rf_status ask_set(struct rf_mysql_source *state, const char *statement,
                              struct rf_gtid_set *set, struct rf_error *err)
{
    struct rf_buf answer = {0};
    bool found;
    enum rf_status status = rf_mysql_source_ask(state, statement, 0, &answer, &found, err);
    if (status == RF_OK) {
        status = rf_gtid_set_parse(set, rf_buf_str(&answer), err);
    }
    rf_buf_deinit(&answer);
    return status;
}

static enum rf_status unknown(struct rf_mysql_source *state, const struct rf_gtid_set *missing,
                              struct rf_error *err)
{
    rf_buf_reset(&state->text);
    rf_gtid_set_print(&state->text, missing);
    rf_fail(err, state->typed ? RF_CONFIG : RF_FATAL,
            "%s does not have the transactions %s in its history, which lie before the position",
            state->mysql.where, rf_buf_cstr(&state->text));
    rf_error_hint(err,
                  "the server lost them (RESET BINARY LOGS AND GTIDS, a restored backup, a "
                  "fail-over to a replica that did not have them yet), or they were only ever "
                  "on the server that was read before. Take a new snapshot of the tables, then "
                  "set a new position");
    return state->typed ? RF_CONFIG : RF_FATAL;
}

static enum rf_status purged(struct rf_mysql_source *state, const struct rf_gtid_set *missing,
                             const struct rf_gtid_set *ours, struct rf_error *err)
{
    bool prepared = rf_gtid_set_contains(ours, missing);
    rf_buf_reset(&state->text);
    rf_gtid_set_print(&state->text, missing);
    rf_fail(err, state->typed ? RF_CONFIG : RF_FATAL, "%s has purged the transactions %s, which %s",
            state->mysql.where, rf_buf_cstr(&state->text),
            prepared ? "are XA transactions that were prepared before the position and are not over"
                     : "come behind the position");
    rf_error_hint(err,
                  "the server has deleted log files that were still needed "
                  "(binlog_expire_logs_seconds). Take a new snapshot of the tables, then set a "
                  "new position");
    return state->typed ? RF_CONFIG : RF_FATAL;
}

enum rf_status rf_mysql_source_check_set(struct rf_mysql_source *state, struct rf_error *err)
{
    const struct rf_gtid_set *ours = &state->assembly.position.gtids.set;
    struct rf_gtid_set missing = {0}, theirs = {0}, seen = {0};
    enum rf_status status = ask_set(state, "SELECT @@GLOBAL.gtid_executed", &theirs, err);
    if (status == RF_OK && !rf_gtid_set_contains(&theirs, ours)) {
        rf_gtid_set_copy(&missing, ours);
        rf_gtid_set_subtract(&missing, &theirs);
        status = unknown(state, &missing, err);
    }
    if (status == RF_OK) {
        status = ask_set(state, "SELECT @@GLOBAL.gtid_purged", &missing, err);
    }
    rf_mysql_source_seen(state, &seen);
    if (status == RF_OK && !rf_gtid_set_contains(&seen, &missing)) {
        rf_gtid_set_subtract(&missing, &seen);
        status = purged(state, &missing, ours, err);
    }
    rf_gtid_set_deinit(&seen);
    rf_gtid_set_deinit(&missing);
    rf_gtid_set_deinit(&theirs);
    return status;
}

enum rf_status rf_mysql_source_start_behind(struct rf_mysql_source *state, struct rf_error *err)
{
    struct rf_assembly *assembly = &state->assembly;
    struct rf_gtid_set seen = {0};
    struct rf_buf set = {0};
    uint32_t server_id;
    if (state->gtids != RF_MYSQL_GTIDS_ON) {
        rf_fail(err, RF_CONFIG,
                "%s: the position is a set of GTIDs, and the server does not send what is behind "
                "one, as its gtid_mode is %s",
                state->mysql.where, state->gtids == RF_MYSQL_GTIDS_OFF ? "OFF" : "not ON");
        rf_error_hint(err, "on the server: SET GLOBAL gtid_mode=ON, in the steps that its manual "
                           "describes; or begin at a place: bin.000001:1234");
        return RF_CONFIG;
    }
    bool adrift = !rf_mysql_source_has_short_files(state);
    enum rf_status status = rf_mysql_source_register(state, &server_id, err);
    assembly->position.by_gtid = true;
    if (status == RF_OK) {
        rf_mysql_source_seen(state, &seen);
        rf_gtid_set_encode(&set, &seen);
        status = rf_mysql_dump_behind(&state->mysql, rf_buf_str(&set), server_id,
                                      state->heartbeat_ms * SILENT_HEARTBEATS, err);
    }
    rf_buf_deinit(&set);
    rf_gtid_set_deinit(&seen);
    while (status == RF_OK && !assembly->format.known) {
        status = rf_mysql_source_step(state, err);
    }
    assembly->adrift = adrift;
    return status;
}

/* With GTIDs, what is not in the server's own set is still to come. Its answer to where the log
 * ends is no help there: a transaction is in the log before it is in the set, so the two need not
 * belong together. */
enum rf_status rf_mysql_source_start_now(struct rf_mysql_source *state, struct rf_error *err)
{
    struct rf_position *position = &state->assembly.position;
    struct rf_position place = {0};
    struct rf_buf executed = {0};
    enum rf_status status;
    if (state->gtids == RF_MYSQL_GTIDS_ON) {
        status = ask_set(state, "SELECT @@GLOBAL.gtid_executed", &position->gtids.set, err);
        if (status == RF_OK) {
            status = rf_mysql_source_start_behind(state, err);
        }
    } else {
        status = rf_mysql_source_ask_end(&state->mysql, &place.file, &place.end, &executed, err);
        if (status == RF_OK && state->gtids == RF_MYSQL_GTIDS_OFF) {
            /* No transaction gets a GTID, so the set is what it is. */
            rf_position_copy(position, &place);
            position->by_place = true;
            status = rf_gtids_parse(&position->gtids, true, rf_buf_str(&executed), err);
        }
        if (status == RF_OK && state->gtids == RF_MYSQL_GTIDS_OFF) {
            status = rf_mysql_source_dump(state, rf_buf_str(&place.file), place.end, err);
        } else if (status == RF_OK) {
            status = rf_mysql_source_start_at(state, &place, err);
        }
    }
    rf_position_deinit(&place);
    rf_buf_deinit(&executed);
    position->server_id = state->assembly.server_id;
    position->has_uuid = state->assembly.has_uuid;
    position->uuid = state->assembly.uuid;
    if (position->file.size > 0) {
        position->created = state->assembly.created;
    }
    return status;
}

/* From the file's top, whose first events say what lies before it, to the place. */
static enum rf_status read_to(struct rf_mysql_source *state, const struct rf_position *place,
                              struct rf_error *err)
{
    struct rf_assembly *assembly = &state->assembly;
    enum rf_status status =
        rf_mysql_source_dump(state, rf_buf_str(&place->file), RF_BINLOG_MAGIC_SIZE, err);
    assembly->mode = RF_ASSEMBLY_ADVANCE;
    while (status == RF_OK && (assembly->adopts_list || assembly->next < place->end)) {
        status = rf_mysql_source_step(state, err);
        if (status == RF_OK &&
            !rf_str_equal(rf_buf_str(&assembly->file), rf_buf_str(&place->file))) {
            return rf_mysql_source_no_boundary(state, place, err);
        }
    }
    assembly->mode = RF_ASSEMBLY_TAKE;
    bool between =
        !assembly->open && (assembly->next == place->end || place->end == RF_BINLOG_MAGIC_SIZE);
    return status == RF_OK && !between ? rf_mysql_source_no_boundary(state, place, err) : status;
}

enum rf_status rf_mysql_source_start_at(struct rf_mysql_source *state,
                                        const struct rf_position *place, struct rf_error *err)
{
    struct rf_assembly *assembly = &state->assembly;
    struct rf_position *position = &assembly->position;
    struct rf_mysql_log_file file;
    enum rf_status status =
        rf_mysql_source_find_file(state, rf_buf_str(&place->file), &file, NULL, err);
    if (status == RF_OK && place->end > UINT32_MAX) {
        rf_fail(err, RF_CONFIG, "%s: the protocol has no room for an offset of %llu",
                state->mysql.where, (unsigned long long)place->end);
        rf_error_hint(err, "begin behind the GTIDs of the transactions before it");
        return RF_CONFIG;
    }
    if (status == RF_OK && (!file.found || place->end > file.size)) {
        return rf_mysql_source_no_boundary(state, place, err);
    }
    assembly->adopts_list = true;
    position->gtids.mysql = true;
    if (status == RF_OK) {
        status = read_to(state, place, err);
    }
    if (status == RF_OK && !position->has_last) {
        rf_buf_set(&position->file, rf_buf_str(&place->file));
        position->end = place->end;
        position->by_place = state->gtids != RF_MYSQL_GTIDS_ON;
        position->server_id = assembly->server_id;
        position->created = assembly->created;
        position->has_uuid = assembly->has_uuid;
        position->uuid = assembly->uuid;
    }
    return status;
}
