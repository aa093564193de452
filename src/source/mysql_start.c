#include "source/mysql.h"

#include "base/clock.h"

#include <errno.h>
#include <sys/random.h>

enum {
    OPEN_MS = 10 * 1000,   /* for the server's answer to each thing that open asks */
    SILENT_HEARTBEATS = 3, /* periods without a word until the connection counts as dead */
};

/* ---- The stream's beginning ---------------------------------------------------------------- */

/* Reads one event in open, where all that is asked for comes at once. */
static enum rf_status await(struct rf_mysql_source *state, struct rf_str *event,
                            struct rf_error *err)
{
    uint64_t end;
    int64_t deadline_ms = rf_clock_ms() + OPEN_MS;
    enum rf_status status;
    do {
        status = rf_mysql_source_find(state, deadline_ms, event, &end, err);
    } while (status == RF_AGAIN && rf_clock_ms() < deadline_ms);
    if (status == RF_AGAIN) {
        status = rf_fail(err, RF_RETRY, "%s: the log did not come within %d s", state->mysql.where,
                         OPEN_MS / 1000);
    }
    return status;
}

enum rf_status rf_mysql_source_step(struct rf_mysql_source *state, struct rf_error *err)
{
    struct rf_str event;
    enum rf_status status;
    do {
        status = await(state, &event, err);
        status = status == RF_OK ? rf_assembly_take(&state->assembly, event, 0, err) : status;
    } while (status == RF_AGAIN); /* a table's definition is looked for */
    return status;
}

/* Each feed is a replica of its own to the server, which throws out the older one of two that have
 * the same number. */
static uint32_t server_id_of_feed(const struct rf_mysql_source *state)
{
    return (uint32_t)(((uint64_t)state->server_id - 1 + state->feed) % UINT32_MAX) + 1;
}

enum rf_status rf_mysql_source_number(struct rf_mysql_source *state, uint32_t *server_id,
                                      struct rf_error *err)
{
    if (state->server_id == 0) {
        uint32_t number;
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) {
            return rf_fail(err, RF_RETRY, "no random number to be had: %s", strerror(errno));
        }
        state->server_id = number | 0x80000000; /* where people seldom put theirs */
    }
    *server_id = server_id_of_feed(state);
    return RF_OK;
}

void rf_mysql_source_name(const struct rf_mysql_source *state, struct rf_buf *name)
{
    static const char prefix[] = "rowferry-";
    rf_buf_printf(name, "%s%.*s", prefix, RF_MYSQL_REPLICA_NAME_MAX - (int)(sizeof prefix - 1),
                  state->pipeline != NULL ? state->pipeline : "");
}

enum rf_status rf_mysql_source_register(struct rf_mysql_source *state, uint32_t *server_id,
                                        struct rf_error *err)
{
    struct rf_buf name = {0};
    enum rf_status status = rf_mysql_source_number(state, server_id, err);
    if (status == RF_OK) {
        rf_mysql_source_name(state, &name);
        status = rf_mysql_register(&state->mysql, *server_id, rf_buf_cstr(&name), err);
    }
    rf_buf_deinit(&name);
    return status;
}

enum rf_status rf_mysql_source_dump(struct rf_mysql_source *state, struct rf_str file,
                                    uint64_t offset, struct rf_error *err)
{
    uint32_t server_id;
    rf_assert(offset <= UINT32_MAX);
    state->mysql.annotations = state->queries;
    enum rf_status status = rf_mysql_source_register(state, &server_id, err);
    if (status == RF_OK) {
        status = rf_mysql_dump(&state->mysql, file, (uint32_t)offset, server_id,
                               state->heartbeat_ms * SILENT_HEARTBEATS, err);
    }
    while (status == RF_OK && !state->assembly.format.known) {
        status = rf_mysql_source_step(state, err);
    }
    return status;
}

/* Streams behind the position's GTIDs, from whatever file has them. Where in it, only the events
 * say, whose offsets have 32 bits: that is enough when every file was short before the stream
 * began, as the first event behind the GTIDs then lies in that part. */
static enum rf_status start_by_gtids(struct rf_mysql_source *state, struct rf_error *err)
{
    struct rf_buf gtids = {0};
    if (!state->mariadb) {
        return rf_mysql_source_start_behind(state, err);
    }
    bool adrift = !rf_mysql_source_has_short_files(state);
    state->assembly.position.by_gtid = true;
    rf_gtids_print(&gtids, &state->assembly.position.gtids);
    rf_buf_set(&state->text, RF_STR("SET @slave_gtid_strict_mode=1, @slave_connect_state="));
    rf_mysql_quote(&state->mysql, &state->text, rf_buf_str(&gtids));
    enum rf_status status = rf_mysql_query(&state->mysql, rf_buf_cstr(&state->text), 0, NULL, err);
    rf_buf_deinit(&gtids);
    if (status == RF_OK) {
        status = rf_mysql_source_dump(state, RF_STR_NONE, RF_BINLOG_MAGIC_SIZE, err);
    }
    state->assembly.adrift = adrift;
    return status;
}

static enum rf_status start_now(struct rf_mysql_source *state, struct rf_error *err)
{
    struct rf_position *position = &state->assembly.position;
    if (!state->mariadb) {
        return rf_mysql_source_start_now(state, err);
    }
    enum rf_status status = rf_mysql_source_ask_now(state, position, err);
    if (status == RF_OK && position->end > UINT32_MAX) {
        status = start_by_gtids(state, err);
    } else if (status == RF_OK) {
        status = rf_mysql_source_dump(state, rf_buf_str(&position->file), position->end, err);
    }
    position->server_id = state->assembly.server_id;
    position->created = state->assembly.created;
    return status;
}

static enum rf_status start_earliest(struct rf_mysql_source *state, struct rf_error *err)
{
    struct rf_assembly *assembly = &state->assembly;
    struct rf_position *position = &assembly->position;
    struct rf_mysql_log_file file;
    enum rf_status status =
        rf_mysql_source_find_file(state, RF_STR_NONE, &file, &position->file, err);
    if (status == RF_OK && !file.found) {
        status = rf_fail(err, RF_CONFIG, "%s: the server has no log file", state->mysql.where);
    }
    if (status == RF_OK) {
        assembly->adopts_list = true;
        position->end = RF_BINLOG_MAGIC_SIZE;
        status = rf_mysql_source_dump(state, rf_buf_str(&position->file), position->end, err);
    }
    while (status == RF_OK && assembly->adopts_list) {
        status = rf_mysql_source_step(state, err);
    }
    position->by_place = !state->mariadb && state->gtids != RF_MYSQL_GTIDS_ON;
    position->has_uuid = assembly->has_uuid;
    position->uuid = assembly->uuid;
    position->server_id = assembly->server_id;
    position->created = assembly->created;
    return status;
}

enum rf_status rf_mysql_source_no_boundary(struct rf_mysql_source *state,
                                           const struct rf_position *place, struct rf_error *err)
{
    rf_fail(err, RF_CONFIG, "%s: no transaction begins in %.*s at %llu", state->mysql.where,
            RF_STR_ARG(rf_buf_str(&place->file)), (unsigned long long)place->end);
    rf_error_hint(err,
                  "on the server: SHOW BINLOG EVENTS IN '%.*s'; a transaction begins at the Pos of "
                  "each line of type Gtid or Anonymous_Gtid",
                  RF_STR_ARG(rf_buf_str(&place->file)));
    return RF_CONFIG;
}

/* True for events that only come between transactions. */
static bool is_between(struct rf_str event)
{
    struct rf_binlog_header header;
    if (rf_binlog_header_parse(event, &header, NULL) != RF_OK) {
        return false;
    }
    switch (header.type) {
    case RF_BINLOG_GTID:
    case RF_BINLOG_GTID_LIST:
    case RF_BINLOG_CHECKPOINT:
    case RF_BINLOG_ROTATE:
    case RF_BINLOG_STOP:
    case RF_BINLOG_HEARTBEAT: return true;
    default: return false;
    }
}

/* A place that a person typed: the server knows whether an event begins there, the event whether a
 * transaction does. */
static enum rf_status start_at_place(struct rf_mysql_source *state, const struct rf_position *place,
                                     struct rf_error *err)
{
    struct rf_position *position = &state->assembly.position;
    struct rf_buf newest = {0};
    struct rf_str event;
    uint64_t end = 0;
    bool found = false;
    state->typed = true;
    if (!state->mariadb) {
        return rf_mysql_source_start_at(state, place, err);
    }
    rf_position_copy(position, place);
    enum rf_status status = rf_mysql_source_ask_end(&state->mysql, &newest, &end, NULL, err);
    bool at_end = end == place->end && rf_str_equal(rf_buf_str(&newest), rf_buf_str(&place->file));
    rf_buf_deinit(&newest);
    if (status == RF_OK && place->end <= UINT32_MAX) {
        status = rf_mysql_source_ask_gtids(state, rf_buf_str(&place->file), place->end,
                                           &position->gtids.list, &found, err);
    }
    if (status == RF_OK && place->end > UINT32_MAX) {
        rf_fail(err, RF_CONFIG, "%s: the protocol has no room for an offset of %llu",
                state->mysql.where, (unsigned long long)place->end);
        rf_error_hint(err, "begin behind the GTID of the transaction before it");
        return RF_CONFIG;
    }
    if (status == RF_OK && !found) {
        return rf_mysql_source_no_boundary(state, place, err);
    }
    if (status == RF_OK) {
        status = rf_mysql_source_dump(state, rf_buf_str(&position->file), position->end, err);
    }
    if (status == RF_OK && !at_end) {
        status = await(state, &event, err);
        if (status == RF_OK && !is_between(event)) {
            return rf_mysql_source_no_boundary(state, place, err);
        }
        if (status == RF_OK) {
            state->held = event;
        }
    }
    position->server_id = state->assembly.server_id;
    position->created = state->assembly.created;
    return status;
}

/* ---- Resuming ------------------------------------------------------------------------------ */

/* The server's state has one line per domain and writing server. */
enum rf_status rf_mysql_source_check_gtids(struct rf_mysql_source *state, struct rf_error *err)
{
    const struct rf_gtid_list *ours = &state->assembly.position.gtids.list;
    if (!state->mariadb) {
        return rf_mysql_source_check_set(state, err);
    }
    struct rf_buf answer = {0}, gtid = {0};
    bool found;
    enum rf_status status =
        rf_mysql_source_ask(state, "SELECT @@gtid_binlog_state", 0, &answer, &found, err);
    for (uint32_t i = 0; i < ours->count && status == RF_OK; i++) {
        struct rf_str rest = rf_buf_str(&answer), field;
        bool has = false;
        while (!has && rf_str_split(&rest, ',', &field)) {
            struct rf_gtid theirs;
            has = rf_gtid_parse(rf_str_trim(field), &theirs) &&
                  theirs.domain == ours->items[i].domain &&
                  theirs.server_id == ours->items[i].server_id &&
                  theirs.sequence >= ours->items[i].sequence;
        }
        if (!has) {
            rf_gtid_print(&gtid, ours->items[i]);
            status =
                rf_fail(err, state->typed ? RF_CONFIG : RF_FATAL,
                        "%s does not have transaction %s in its history (%.*s)", state->mysql.where,
                        rf_buf_cstr(&gtid), RF_STR_ARG(rf_buf_str(&answer)));
            rf_assembly_mismatch(err);
        }
    }
    rf_buf_deinit(&answer);
    rf_buf_deinit(&gtid);
    return status;
}

/* The position was taken where no transaction of the file lay before it, so there is none to
 * compare: the GTIDs before that place have to be the same. */
static enum rf_status check_place(struct rf_mysql_source *state, const struct rf_position *position,
                                  struct rf_error *err)
{
    struct rf_gtid_list gtids = {0};
    bool found;
    enum rf_status status = rf_mysql_source_ask_gtids(state, rf_buf_str(&position->file),
                                                      position->end, &gtids, &found, err);
    if (status == RF_OK && (!found || !rf_gtid_list_contains(&gtids, &position->gtids.list) ||
                            !rf_gtid_list_contains(&position->gtids.list, &gtids))) {
        rf_fail(err, RF_FATAL,
                "%s: other transactions lie before %.*s at %llu than the position says",
                state->mysql.where, RF_STR_ARG(rf_buf_str(&position->file)),
                (unsigned long long)position->end);
        status = rf_assembly_mismatch(err);
    }
    rf_gtid_list_deinit(&gtids);
    return status;
}

/* The file is there: from the last transaction on, which must be the one that we know. */
static enum rf_status resume_in_file(struct rf_mysql_source *state,
                                     const struct rf_position *position, struct rf_error *err)
{
    struct rf_assembly *assembly = &state->assembly;
    enum rf_status status = RF_OK;
    if (!position->has_last && state->mariadb) {
        status = check_place(state, position, err);
    } else if (position->has_last) {
        assembly->mode = RF_ASSEMBLY_VERIFY;
        rf_position_copy(&assembly->expected, position);
    }
    assembly->must_created = position->created;
    if (status == RF_OK) {
        status = rf_mysql_source_dump(state, rf_buf_str(&position->file),
                                      position->has_last ? position->start : position->end, err);
    }
    while (status == RF_OK && assembly->mode == RF_ASSEMBLY_VERIFY) {
        status = rf_mysql_source_step(state, err);
    }
    return status;
}

/* A MariaDB server has no identity but its number. */
bool rf_mysql_source_is_same(const struct rf_mysql_source *state,
                             const struct rf_position *position)
{
    if (position->has_uuid && state->assembly.has_uuid) {
        return rf_uuid_equal(&position->uuid, &state->assembly.uuid);
    }
    return position->server_id == state->assembly.server_id;
}

/* The place is all that says what was read, and it is not there. */
enum rf_status rf_mysql_source_no_place(const struct rf_mysql_source *state,
                                        const struct rf_position *position, bool same,
                                        struct rf_error *err)
{
    rf_fail(err, RF_FATAL,
            "%s: the position is in %.*s at %llu%s, and its transactions have no GTIDs by which to "
            "find it elsewhere",
            state->mysql.where, RF_STR_ARG(rf_buf_str(&position->file)),
            (unsigned long long)position->end,
            same ? ", which the server has deleted" : " of another server");
    rf_error_hint(err,
                  same ? "log files that were still needed were purged "
                         "(binlog_expire_logs_seconds). Take a new snapshot of the tables, then "
                         "set a new position"
                       : "go back to that server; or take a new snapshot of the tables, then "
                         "set a new position. With gtid_mode=ON a position holds on every "
                         "server of a replication tree");
    return RF_FATAL;
}

enum rf_status rf_mysql_source_check_place(const struct rf_mysql_source *state,
                                           const struct rf_position *position,
                                           const struct rf_mysql_log_file *file,
                                           struct rf_error *err)
{
    if (!file->behind_newest && (!file->found || file->size >= position->end)) {
        return RF_OK;
    }
    rf_fail(err, RF_FATAL, "%s: the log went back: the position is in %.*s at %llu, which %s",
            state->mysql.where, RF_STR_ARG(rf_buf_str(&position->file)),
            (unsigned long long)position->end,
            file->found ? "is shorter now" : "the server has not begun yet");
    return rf_assembly_mismatch(err);
}

static enum rf_status resume(struct rf_mysql_source *state, const struct rf_position *position,
                             struct rf_error *err)
{
    struct rf_mysql_log_file file = {0};
    enum rf_status status = RF_OK;
    bool same = position->file.size > 0 && rf_mysql_source_is_same(state, position);
    rf_position_copy(&state->assembly.position, position);
    if (same) {
        status = rf_mysql_source_find_file(state, rf_buf_str(&position->file), &file, NULL, err);
    }
    if (status == RF_OK && same) {
        status = rf_mysql_source_check_place(state, position, &file, err);
    }
    bool behind = false;
    if (status == RF_OK && position->prepared.count > 0) {
        status = rf_mysql_source_collect(state, same, &behind, err);
    }
    /* The protocol has 32 bits for the offset. */
    if (status == RF_OK && file.found && position->file.size > 0 && position->end <= UINT32_MAX &&
        !behind) {
        if (!position->by_gtid) {
            return resume_in_file(state, position, err);
        }
        /* The log is looked at there, and read by what the server knows of its order. */
        status = position->has_last ? resume_in_file(state, position, err) : RF_OK;
        if (status == RF_OK && position->has_last) {
            status = rf_mysql_source_begin_again(state, err);
        }
    }
    if (status == RF_OK && position->by_place) {
        return rf_mysql_source_no_place(state, position, same, err);
    }
    if (status == RF_OK) {
        status = rf_mysql_source_check_gtids(state, err);
    }
    return status == RF_OK ? start_by_gtids(state, err) : status;
}

/* What was written for a server of the other kind says nothing here. */
static enum rf_status check_kind(struct rf_mysql_source *state, const struct rf_start *start,
                                 struct rf_error *err)
{
    bool mysql = start->position.gtids.mysql;
    if ((start->kind != RF_START_POSITION && start->kind != RF_START_GTIDS) ||
        mysql != state->mariadb) {
        return RF_OK;
    }
    rf_fail(err, start->kind == RF_START_GTIDS ? RF_CONFIG : RF_FATAL,
            "%s is a server of %s (%s), but the position is one of %s", state->mysql.where,
            state->mariadb ? "MariaDB" : "MySQL", rf_mysql_version(&state->mysql),
            mysql ? "MySQL" : "MariaDB");
    return rf_assembly_mismatch(err) == RF_FATAL && start->kind == RF_START_GTIDS ? RF_CONFIG
                                                                                  : RF_FATAL;
}

enum rf_status rf_mysql_source_begin(struct rf_mysql_source *state, const struct rf_start *start,
                                     struct rf_error *err)
{
    enum rf_status status = check_kind(state, start, err);
    if (status != RF_OK) {
        return status;
    }
    state->assembly.position.gtids.mysql = !state->mariadb;
    switch (start->kind) {
    case RF_START_NOW: return start_now(state, err);
    case RF_START_EARLIEST: return start_earliest(state, err);
    case RF_START_PLACE: return start_at_place(state, &start->position, err);
    case RF_START_POSITION: return resume(state, &start->position, err);
    case RF_START_GTIDS: break;
    }
    state->typed = true;
    rf_position_copy(&state->assembly.position, &start->position);
    state->assembly.position.server_id = state->assembly.server_id;
    state->assembly.position.has_uuid = state->assembly.has_uuid;
    state->assembly.position.uuid = state->assembly.uuid;
    status = rf_mysql_source_check_gtids(state, err);
    return status == RF_OK ? start_by_gtids(state, err) : status;
}
