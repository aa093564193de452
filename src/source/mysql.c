/* Source `mysql`: the binary log of a running MariaDB server, as a replica gets it.
 *
 * Where reading begins is settled in `open`, before anything is handed over:
 *
 *   now        where the server's log ends
 *   earliest   the first file that the server has
 *   a place    file and offset that a person names; a transaction has to begin there
 *   GTIDs      behind them, on any server that has them
 *   a position that was recorded:
 *     its server, its file is there   at the last transaction's own place; it is read again, must
 *                                     be what the position says, and is not handed over again
 *     its server, its file is gone    behind its GTIDs: the file was purged, which loses nothing as
 *                                     long as the server still has what comes behind them
 *     another server                  behind its GTIDs
 *
 * A MariaDB server has no identity but its number, and after RESET MASTER its files and GTIDs begin
 * anew under the same names: hence the comparison. A position's file changes with the next
 * transaction, not when the server begins a new file. */
#include "net/mysql.h"
#include "base/clock.h"
#include "source/transaction.h"

#include <rowferry/log.h>
#include <rowferry/source.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
    OPEN_MS = 10 * 1000,     /* for the server's answer to each thing that open asks */
    SCAN_MS = 60 * 1000,     /* for questions that make the server read a log file */
    SILENT_HEARTBEATS = 3,   /* periods without a word until the connection counts as dead */
    HEARTBEAT_MS_MAX = 1000, /* asked of the server, so that soon is known when nothing comes */
    NOW_TRIES = 5,
    CASCADES_SHOWN = 3,
    WRITE_TIMEOUT_S = 600, /* how long the server waits for a reader whose sinks are slow */
    ERROR_READING_LOG =
        1236, /* ER_MASTER_FATAL_ERROR_READING_BINLOG: the number of nearly everything */
};

struct state {
    const char *user, *password, *host, *path, *socket;
    int64_t port;
    struct rf_list tables, skip;
    int64_t server_id;
    int64_t heartbeat_ms, connect_timeout_ms;
    int32_t tls;
    bool tls_verify;
    const char *tls_ca, *tls_cert, *tls_key;

    struct rf_mysql mysql;
    struct rf_pick pick;
    struct rf_skips skips;
    struct rf_assembly assembly;
    struct rf_str held; /* an event that open has read and not taken */
    uint32_t feed;
    bool current; /* a heartbeat came behind the last event */
    struct rf_buf text;
    bool typed; /* the place to begin comes from a person */
};

#define OPTION(name, kind, field, fallback, choices, help)                        \
    {                                                                             \
        name, kind, offsetof(struct state, field), fallback, choices, help, false \
    }

static const struct rf_option options[] = {
    OPTION("user", RF_OPTION_TEXT, user, NULL, NULL, "a user that may replicate"),
    OPTION("password", RF_OPTION_SECRET, password, NULL, NULL, "that user's password"),
    OPTION("host", RF_OPTION_TEXT, host, "127.0.0.1", NULL, "name or address of the server"),
    OPTION("port", RF_OPTION_INT, port, "3306", "1..65535", "TCP port"),
    OPTION("socket", RF_OPTION_TEXT, socket, NULL, NULL,
           "path of the server's Unix socket, instead of host and port"),
    OPTION("path", RF_OPTION_TEXT, path, NULL, NULL,
           "database, or database.table, with *; several with commas"),
    OPTION("tables", RF_OPTION_LIST, tables, NULL, NULL,
           "database.table patterns with *, a leading - leaves out; none: all tables"),
    OPTION("skip", RF_OPTION_LIST, skip, NULL, NULL, RF_SKIPS_HELP),
    OPTION("server_id", RF_OPTION_INT, server_id, NULL, "1..4294967295",
           "our number among the server's replicas, and for feeds beside the first the numbers "
           "behind it; none: random ones"),
    OPTION("heartbeat", RF_OPTION_DURATION, heartbeat_ms, "5s", "100..3600000",
           "how often a quiet server has to say that it lives: after three periods of silence the "
           "connection is made anew (it is asked to say so every second, or as often as this)"),
    OPTION("connect_timeout", RF_OPTION_DURATION, connect_timeout_ms, "10s", "100..600000",
           "how long one attempt to connect may take"),
    OPTION("tls", RF_OPTION_CHOICE, tls, "auto", "auto|on|off",
           "encryption; auto: off on this machine and on Unix sockets, else on"),
    OPTION("tls_verify", RF_OPTION_BOOL, tls_verify, "on", NULL,
           "check the server's certificate and name"),
    OPTION("tls_ca", RF_OPTION_TEXT, tls_ca, NULL, NULL,
           "file of certificates to trust; none: those of the system"),
    OPTION("tls_cert", RF_OPTION_TEXT, tls_cert, NULL, NULL, "file of our own certificate"),
    OPTION("tls_key", RF_OPTION_TEXT, tls_key, NULL, NULL, "file of its key"),
    RF_OPTION_END,
};

/* ---- Checks -------------------------------------------------------------------------------- */

static enum rf_status connect_to(struct state *state, const struct rf_context *ctx,
                                 struct rf_error *err)
{
    struct rf_mysql_address address = {
        .host = state->host,
        .socket = state->socket,
        .port = (uint16_t)state->port,
        .user = state->user,
        .password = state->password,
        .tls = (enum rf_mysql_tls)state->tls,
        .tls_skip_verify = !state->tls_verify,
        .tls_ca = state->tls_ca,
        .tls_cert = state->tls_cert,
        .tls_key = state->tls_key,
        .timeout_ms = state->connect_timeout_ms,
    };
    if (ctx->connect_timeout_ms > 0 && ctx->connect_timeout_ms < address.timeout_ms) {
        address.timeout_ms = ctx->connect_timeout_ms;
    }
    enum rf_status status = rf_mysql_connect(&state->mysql, &address, err);
    if (status == RF_OK && !rf_mysql_is_mariadb(&state->mysql)) {
        rf_fail(err, RF_CONFIG, "%s is not a MariaDB server (version %s)", state->mysql.where,
                rf_mysql_version(&state->mysql));
        rf_error_hint(err, "MySQL's log has another form, which is not read yet");
        status = RF_CONFIG;
    }
    return status;
}

/* What the server must be set to, and how. */
struct setting {
    const char *name;
    const char *needed;
    const char *why;
    const char *hint;
};
static const struct setting settings[] = {
    {"log_bin", "ON", "without a binary log there is nothing to read",
     "start the server with --log-bin, or log_bin in the section [mariadb] of its configuration"},
    {"binlog_format", "ROW", "only rows that are logged as rows can be carried",
     "SET GLOBAL binlog_format='ROW'; sessions that are open keep theirs until they connect again. "
     "To leave out what is logged as statements: skip=statements in the source's options"},
    {"binlog_row_image", "FULL", "the log then lacks columns",
     "SET GLOBAL binlog_row_image='FULL'; sessions that are open keep theirs until they connect "
     "again"},
    {"binlog_row_metadata", "FULL", "the log then lacks the columns' names and types",
     "SET GLOBAL binlog_row_metadata='FULL'; it holds for what is logged from then on"},
    {"log_bin_compress", "OFF", "compressed events are not carried yet",
     "SET GLOBAL log_bin_compress=OFF; it holds for what is logged from then on"},
};
enum { SETTING_COUNT = sizeof settings / sizeof *settings };

static enum rf_status check_settings(struct state *state, struct rf_error *err)
{
    struct rf_mysql_result result = {0};
    bool seen[SETTING_COUNT] = {false};
    enum rf_status status = rf_mysql_query(
        &state->mysql,
        "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format', "
        "'binlog_row_image', 'binlog_row_metadata', 'log_bin_compress', 'server_id', "
        "'lower_case_table_names')",
        0, &result, err);
    while (status == RF_OK && rf_mysql_result_next(&result)) {
        struct rf_str name = rf_mysql_result_cell(&result, 0);
        struct rf_str value = rf_mysql_result_cell(&result, 1);
        uint64_t number;
        if (rf_str_equal(name, RF_STR("server_id")) && rf_str_to_u64(value, &number)) {
            state->assembly.server_id = (uint32_t)number;
        }
        if (rf_str_equal(name, RF_STR("lower_case_table_names")) &&
            !rf_str_equal(value, RF_STR("0"))) {
            rf_pick_fold(&state->pick);
        }
        for (size_t i = 0; i < SETTING_COUNT && status == RF_OK; i++) {
            if (!rf_str_equal(name, rf_str_of(settings[i].name))) {
                continue;
            }
            seen[i] = true;
            bool good = rf_str_equal_nocase(value, rf_str_of(settings[i].needed));
            if (!good && state->skips.statements && rf_str_equal(name, RF_STR("binlog_format"))) {
                rf_log(RF_LOG_WARN,
                       "%s: binlog_format is %.*s: row changes that are logged as "
                       "statements are left out, as skip=statements says",
                       state->mysql.where, RF_STR_ARG(value));
            } else if (!good) {
                status = rf_fail(err, RF_CONFIG, "%s: %s is %.*s, and must be %s: %s",
                                 state->mysql.where, settings[i].name, RF_STR_ARG(value),
                                 settings[i].needed, settings[i].why);
                rf_error_hint(err, "on the server: %s", settings[i].hint);
            }
        }
    }
    for (size_t i = 0; i < SETTING_COUNT && status == RF_OK; i++) {
        if (!seen[i] && !rf_str_equal(rf_str_of(settings[i].needed), RF_STR("OFF"))) {
            status = rf_fail(err, RF_CONFIG,
                             "%s: the server (%s) has no %s; MariaDB 10.5 or later is needed",
                             state->mysql.where, rf_mysql_version(&state->mysql), settings[i].name);
        }
    }
    rf_mysql_result_deinit(&result);
    return status;
}

static enum rf_status prepare_session(struct state *state, struct rf_error *err)
{
    struct rf_buf *text = &state->text;
    int64_t period_ms =
        state->heartbeat_ms < HEARTBEAT_MS_MAX ? state->heartbeat_ms : HEARTBEAT_MS_MAX;
    rf_buf_reset(text);
    rf_buf_printf(text,
                  "SET net_write_timeout=%d, @master_binlog_checksum='CRC32', "
                  "@mariadb_slave_capability=4, @master_heartbeat_period=%lld",
                  WRITE_TIMEOUT_S, (long long)period_ms * 1000000);
    return rf_mysql_query(&state->mysql, rf_buf_cstr(text), 0, NULL, err);
}

static enum rf_status add_patterns(struct state *state, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    struct rf_str path = rf_str_of(state->path ? state->path : ""), pattern;
    while (status == RF_OK && path.size > 0 && rf_str_split(&path, ',', &pattern)) {
        status = rf_pick_add(&state->pick, pattern, err);
    }
    for (uint32_t i = 0; i < state->tables.count && status == RF_OK; i++) {
        status = rf_pick_add(&state->pick, rf_str_of(state->tables.items[i]), err);
    }
    return status;
}

/* Rows that a foreign key changes are not in a MariaDB log. One line says so, when the server tells
 * which tables have such keys; that takes some right to them, and is no reason to stop. */
static void warn_of_cascades(struct state *state)
{
    static const char question[] =
        "SET STATEMENT max_statement_time=2 FOR "
        "SELECT CONSTRAINT_SCHEMA, TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS "
        "WHERE DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') "
        "OR UPDATE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') "
        "GROUP BY CONSTRAINT_SCHEMA, TABLE_NAME ORDER BY CONSTRAINT_SCHEMA, TABLE_NAME";
    struct rf_mysql_result result = {0};
    struct rf_buf names = {0};
    uint32_t count = 0;
    bool answered = rf_mysql_query(&state->mysql, question, 0, &result, NULL) == RF_OK;
    while (answered && rf_mysql_result_next(&result)) {
        size_t before = names.size;
        rf_buf_add_str(&names, before > 0 ? RF_STR(", ") : RF_STR_NONE);
        size_t begin = names.size;
        rf_buf_add_str(&names, rf_mysql_result_cell(&result, 0));
        rf_buf_add_byte(&names, '.');
        rf_buf_add_str(&names, rf_mysql_result_cell(&result, 1));
        struct rf_str name = {names.data + begin, names.size - begin};
        bool picked = rf_pick_table(&state->pick, name);
        count += picked;
        if (!picked || count > CASCADES_SHOWN) {
            names.size = before;
        }
    }
    if (count > 0) {
        rf_log(RF_LOG_WARN, "rows that the server changes by foreign keys are not in its log: %s%s",
               rf_buf_cstr(&names), count > CASCADES_SHOWN ? ", ..." : "");
    }
    rf_mysql_result_deinit(&result);
    rf_buf_deinit(&names);
}

/* ---- What the server has ------------------------------------------------------------------- */

struct log_file {
    bool found;
    bool behind_newest; /* its number is higher than that of the newest */
    uint64_t size;
};

static uint64_t number_of(struct rf_str file)
{
    uint64_t number = 0;
    const char *dot = file.size > 0 ? memrchr(file.data, '.', file.size) : NULL;
    if (dot != NULL) {
        rf_str_to_u64((struct rf_str){dot + 1, file.size - (size_t)(dot - file.data) - 1}, &number);
    }
    return number;
}

/* Looks the file up; with an empty name the first one, whose name *first becomes. */
static enum rf_status find_file(struct state *state, struct rf_str name, struct log_file *file,
                                struct rf_buf *first, struct rf_error *err)
{
    struct rf_mysql_result result = {0};
    uint64_t newest = 0;
    *file = (struct log_file){0};
    enum rf_status status = rf_mysql_query(&state->mysql, "SHOW BINARY LOGS", 0, &result, err);
    while (status == RF_OK && rf_mysql_result_next(&result)) {
        struct rf_str cell = rf_mysql_result_cell(&result, 0);
        newest = number_of(cell);
        if (!file->found && (name.size == 0 || rf_str_equal(cell, name))) {
            file->found = true;
            rf_str_to_u64(rf_mysql_result_cell(&result, 1), &file->size);
            if (first != NULL) {
                rf_buf_set(first, cell);
            }
        }
    }
    file->behind_newest = !file->found && number_of(name) > newest;
    rf_mysql_result_deinit(&result);
    return status;
}

/* One value as text, NULL as *found = false. */
static enum rf_status ask(struct state *state, const char *statement, int64_t timeout_ms,
                          struct rf_buf *answer, bool *found, struct rf_error *err)
{
    struct rf_mysql_result result = {0};
    enum rf_status status = rf_mysql_query(&state->mysql, statement, timeout_ms, &result, err);
    *found = false;
    if (status == RF_OK && rf_mysql_result_next(&result)) {
        struct rf_str cell = rf_mysql_result_cell(&result, 0);
        *found = cell.data != NULL;
        rf_buf_set(answer, cell);
    }
    rf_mysql_result_deinit(&result);
    return status;
}

/* The GTIDs before a place in a file. *found is false when no event begins there. */
static enum rf_status ask_gtids(struct state *state, struct rf_str file, uint64_t offset,
                                struct rf_gtid_list *gtids, bool *found, struct rf_error *err)
{
    struct rf_buf answer = {0};
    rf_buf_set(&state->text, RF_STR("SELECT BINLOG_GTID_POS("));
    rf_mysql_quote(&state->mysql, &state->text, file);
    rf_buf_printf(&state->text, ", %llu)", (unsigned long long)offset);
    enum rf_status status = ask(state, rf_buf_cstr(&state->text), SCAN_MS, &answer, found, err);
    if (status == RF_OK && *found) {
        status = rf_gtid_list_parse(gtids, rf_buf_str(&answer), err);
    }
    rf_buf_deinit(&answer);
    return status;
}

static enum rf_status ask_status(struct state *state, struct rf_buf *file, uint64_t *offset,
                                 struct rf_error *err)
{
    struct rf_mysql_result result = {0};
    enum rf_status status = rf_mysql_query(&state->mysql, "SHOW MASTER STATUS", 0, &result, err);
    if (status == RF_OK && rf_mysql_result_next(&result)) {
        rf_buf_set(file, rf_mysql_result_cell(&result, 0));
        rf_str_to_u64(rf_mysql_result_cell(&result, 1), offset);
    } else if (status == RF_OK) {
        status = rf_fail(err, RF_CONFIG, "%s: the server says that it has no binary log",
                         state->mysql.where);
    }
    rf_mysql_result_deinit(&result);
    return status;
}

/* Where the log ends, and the GTIDs before that. Nobody stops the server in between: the answers
 * belong together when the GTIDs are the same before and after; else they are asked by place. */
static enum rf_status ask_now(struct state *state, struct rf_position *position,
                              struct rf_error *err)
{
    static const char question[] = "SELECT @@gtid_binlog_pos";
    struct rf_buf before = {0}, after = {0};
    bool found;
    enum rf_status status = ask(state, question, 0, &before, &found, err);
    for (int i = 0; i < NOW_TRIES && status == RF_OK; i++) {
        status = ask_status(state, &position->file, &position->end, err);
        if (status == RF_OK) {
            status = ask(state, question, 0, &after, &found, err);
        }
        if (status == RF_OK && rf_str_equal(rf_buf_str(&before), rf_buf_str(&after))) {
            status = rf_gtid_list_parse(&position->gtids, rf_buf_str(&after), err);
            goto done;
        }
        rf_buf_set(&before, rf_buf_str(&after));
    }
    if (status == RF_OK) {
        status = ask_gtids(state, rf_buf_str(&position->file), position->end, &position->gtids,
                           &found, err);
    }
    if (status == RF_OK && !found) {
        status = rf_fail(err, RF_RETRY, "%s: the log moved on while its end was looked for",
                         state->mysql.where);
    }
done:
    rf_buf_deinit(&before);
    rf_buf_deinit(&after);
    return status;
}

/* Less than 32 bits have room for, by an event that begins there. */
static const uint64_t offset_max = UINT32_MAX - 1024 * 1024;

/* True when no file is so large that an event's 32 bits could not say where in it they are. A
 * server that does not tell is taken for one that has such files. */
static bool has_short_files(struct state *state)
{
    struct rf_mysql_result result = {0};
    bool short_ones = rf_mysql_query(&state->mysql, "SHOW BINARY LOGS", 0, &result, NULL) == RF_OK;
    while (short_ones && rf_mysql_result_next(&result)) {
        uint64_t size;
        short_ones = rf_str_to_u64(rf_mysql_result_cell(&result, 1), &size) && size <= offset_max;
    }
    rf_mysql_result_deinit(&result);
    return short_ones;
}

/* ---- The stream's beginning ---------------------------------------------------------------- */

/* Puts into words what the server refused, and for what. */
static enum rf_status explain(struct state *state, struct rf_error *err)
{
    const char *hint;
    if (err->code != ERROR_READING_LOG || err->status != RF_FATAL) {
        return err->status;
    }
    if (strstr(err->message, "Could not find first log file") != NULL ||
        strstr(err->message, "purged") != NULL) {
        hint =
            "the server has deleted log files that were still needed (binlog_expire_logs_seconds). "
            "Take a new snapshot of the tables, then set a new position";
    } else if (strstr(err->message, "not in the master's binlog") != NULL) {
        hint =
            "this server never had that transaction, or lost it: it ran RESET MASTER, was restored "
            "from a backup, or is another one. Take a new snapshot of the tables, then set a new "
            "position";
    } else if (strstr(err->message, "impossible position") != NULL) {
        hint = "the file is shorter than that: the server ran RESET MASTER, was restored from a "
               "backup, "
               "or is another one";
    } else if (strstr(err->message, "max_allowed_packet") != NULL) {
        hint = "a transaction there has an event of more than 1 GiB, which no server sends: read "
               "that log file itself (binlog:PATH), or set the position behind that transaction";
    } else {
        hint = "the server cannot read its own log there: it is damaged, or no event begins there";
    }
    rf_error_hint(err, "%s", hint);
    rf_buf_reset(&state->text);
    rf_position_print(&state->text, &state->assembly.position);
    rf_error_wrap(err, "behind %s", rf_buf_cstr(&state->text));
    if (state->typed) {
        err->status = RF_CONFIG;
    }
    return err->status;
}

static bool is_heartbeat(struct rf_str event)
{
    struct rf_binlog_header header;
    return rf_binlog_header_parse(event, &header, NULL) == RF_OK &&
           header.type == RF_BINLOG_HEARTBEAT;
}

/* rf_event_finder. The server sends a heartbeat when it stands at the end of its log and nothing
 * was written for a period: nothing is there then, and nothing was when it was sent. */
static enum rf_status find(void *reader, int64_t deadline_ms, struct rf_str *event, uint64_t *end,
                           struct rf_error *err)
{
    struct state *state = reader;
    *end = 0;
    if (state->held.data != NULL) {
        *event = state->held;
        state->held = RF_STR_NONE;
        return RF_OK;
    }
    enum rf_status status = rf_mysql_read_event(&state->mysql, deadline_ms, event, err);
    if (status == RF_OK && is_heartbeat(*event)) {
        status = rf_assembly_take(&state->assembly, *event, 0, err);
        state->current = status == RF_OK && !state->assembly.open;
        return status == RF_OK ? RF_AGAIN : status;
    }
    state->current &= status == RF_AGAIN;
    return status == RF_OK || status == RF_AGAIN ? status : explain(state, err);
}

/* Reads one event in open, where all that is asked for comes at once. */
static enum rf_status await(struct state *state, struct rf_str *event, struct rf_error *err)
{
    uint64_t end;
    int64_t deadline_ms = rf_clock_ms() + OPEN_MS;
    enum rf_status status;
    do {
        status = find(state, deadline_ms, event, &end, err);
    } while (status == RF_AGAIN && rf_clock_ms() < deadline_ms);
    if (status == RF_AGAIN) {
        status = rf_fail(err, RF_RETRY, "%s: the log did not come within %d s", state->mysql.where,
                         OPEN_MS / 1000);
    }
    return status;
}

static enum rf_status await_and_take(struct state *state, struct rf_error *err)
{
    struct rf_str event;
    enum rf_status status = await(state, &event, err);
    return status == RF_OK ? rf_assembly_take(&state->assembly, event, 0, err) : status;
}

/* Each feed is a replica of its own to the server, which throws out the older one of two that have
 * the same number. */
static uint32_t server_id_of_feed(const struct state *state)
{
    return (uint32_t)(((uint64_t)state->server_id - 1 + state->feed) % UINT32_MAX) + 1;
}

static enum rf_status start_dump(struct state *state, struct rf_str file, uint64_t offset,
                                 struct rf_error *err)
{
    if (state->server_id == 0) {
        uint32_t server_id;
        if (getrandom(&server_id, sizeof server_id, 0) != (ssize_t)sizeof server_id) {
            return rf_fail(err, RF_RETRY, "no random number to be had: %s", strerror(errno));
        }
        server_id |= 0x80000000; /* where people seldom put theirs */
        state->server_id = server_id;
    }
    rf_assert(offset <= UINT32_MAX);
    enum rf_status status =
        rf_mysql_dump(&state->mysql, file, (uint32_t)offset, server_id_of_feed(state),
                      state->heartbeat_ms * SILENT_HEARTBEATS, err);
    while (status == RF_OK && !state->assembly.format.known) {
        status = await_and_take(state, err);
    }
    return status;
}

/* Streams behind the position's GTIDs, from whatever file has them. Where in it, only the events
 * say, whose offsets have 32 bits: that is enough when every file was short before the stream
 * began, as the first event behind the GTIDs then lies in that part. */
static enum rf_status start_by_gtids(struct state *state, struct rf_error *err)
{
    struct rf_buf gtids = {0};
    bool adrift = !has_short_files(state);
    rf_gtid_list_print(&gtids, &state->assembly.position.gtids);
    rf_buf_set(&state->text, RF_STR("SET @slave_gtid_strict_mode=1, @slave_connect_state="));
    rf_mysql_quote(&state->mysql, &state->text, rf_buf_str(&gtids));
    enum rf_status status = rf_mysql_query(&state->mysql, rf_buf_cstr(&state->text), 0, NULL, err);
    rf_buf_deinit(&gtids);
    if (status == RF_OK) {
        status = start_dump(state, RF_STR_NONE, RF_BINLOG_MAGIC_SIZE, err);
    }
    state->assembly.adrift = adrift;
    return status;
}

static enum rf_status start_now(struct state *state, struct rf_error *err)
{
    struct rf_position *position = &state->assembly.position;
    enum rf_status status = ask_now(state, position, err);
    if (status == RF_OK && position->end > UINT32_MAX) {
        status = start_by_gtids(state, err);
    } else if (status == RF_OK) {
        status = start_dump(state, rf_buf_str(&position->file), position->end, err);
    }
    position->server_id = state->assembly.server_id;
    position->created = state->assembly.created;
    return status;
}

static enum rf_status start_earliest(struct state *state, struct rf_error *err)
{
    struct rf_assembly *assembly = &state->assembly;
    struct rf_position *position = &assembly->position;
    struct log_file file;
    enum rf_status status = find_file(state, RF_STR_NONE, &file, &position->file, err);
    if (status == RF_OK && !file.found) {
        status = rf_fail(err, RF_CONFIG, "%s: the server has no log file", state->mysql.where);
    }
    if (status == RF_OK) {
        assembly->adopts_list = true;
        position->end = RF_BINLOG_MAGIC_SIZE;
        status = start_dump(state, rf_buf_str(&position->file), position->end, err);
    }
    while (status == RF_OK && assembly->adopts_list) {
        status = await_and_take(state, err);
    }
    position->server_id = assembly->server_id;
    position->created = assembly->created;
    return status;
}

static enum rf_status no_boundary(struct state *state, const struct rf_position *place,
                                  struct rf_error *err)
{
    rf_fail(err, RF_CONFIG, "%s: no transaction begins in %.*s at %llu", state->mysql.where,
            RF_STR_ARG(rf_buf_str(&place->file)), (unsigned long long)place->end);
    rf_error_hint(err,
                  "on the server: SHOW BINLOG EVENTS IN '%.*s'; a transaction begins at the Pos of "
                  "each Gtid line",
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
static enum rf_status start_at_place(struct state *state, const struct rf_position *place,
                                     struct rf_error *err)
{
    struct rf_position *position = &state->assembly.position;
    struct rf_buf newest = {0};
    struct rf_str event;
    uint64_t end = 0;
    bool found = false;
    rf_position_copy(position, place);
    state->typed = true;
    enum rf_status status = ask_status(state, &newest, &end, err);
    bool at_end = end == place->end && rf_str_equal(rf_buf_str(&newest), rf_buf_str(&place->file));
    rf_buf_deinit(&newest);
    if (status == RF_OK && place->end <= UINT32_MAX) {
        status =
            ask_gtids(state, rf_buf_str(&place->file), place->end, &position->gtids, &found, err);
    }
    if (status == RF_OK && place->end > UINT32_MAX) {
        rf_fail(err, RF_CONFIG, "%s: the protocol has no room for an offset of %llu",
                state->mysql.where, (unsigned long long)place->end);
        rf_error_hint(err, "begin behind the GTID of the transaction before it");
        return RF_CONFIG;
    }
    if (status == RF_OK && !found) {
        return no_boundary(state, place, err);
    }
    if (status == RF_OK) {
        status = start_dump(state, rf_buf_str(&position->file), position->end, err);
    }
    if (status == RF_OK && !at_end) {
        status = await(state, &event, err);
        if (status == RF_OK && !is_between(event)) {
            return no_boundary(state, place, err);
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

/* All GTIDs of the position must be known to this server, whichever file they are in. The server's
 * state has one line per domain and writing server. */
static enum rf_status check_gtids(struct state *state, struct rf_error *err)
{
    const struct rf_gtid_list *ours = &state->assembly.position.gtids;
    struct rf_buf answer = {0}, gtid = {0};
    bool found;
    enum rf_status status = ask(state, "SELECT @@gtid_binlog_state", 0, &answer, &found, err);
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
static enum rf_status check_place(struct state *state, const struct rf_position *position,
                                  struct rf_error *err)
{
    struct rf_gtid_list gtids = {0};
    bool found;
    enum rf_status status =
        ask_gtids(state, rf_buf_str(&position->file), position->end, &gtids, &found, err);
    if (status == RF_OK && (!found || !rf_gtid_list_contains(&gtids, &position->gtids) ||
                            !rf_gtid_list_contains(&position->gtids, &gtids))) {
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
static enum rf_status resume_in_file(struct state *state, const struct rf_position *position,
                                     struct rf_error *err)
{
    struct rf_assembly *assembly = &state->assembly;
    enum rf_status status = RF_OK;
    if (!position->has_last) {
        status = check_place(state, position, err);
    } else {
        assembly->mode = RF_ASSEMBLY_VERIFY;
        rf_position_copy(&assembly->expected, position);
    }
    assembly->must_created = position->created;
    if (status == RF_OK) {
        status = start_dump(state, rf_buf_str(&position->file),
                            position->has_last ? position->start : position->end, err);
    }
    while (status == RF_OK && assembly->mode == RF_ASSEMBLY_VERIFY) {
        status = await_and_take(state, err);
    }
    return status;
}

static enum rf_status resume(struct state *state, const struct rf_position *position,
                             struct rf_error *err)
{
    struct log_file file = {0};
    enum rf_status status = RF_OK;
    bool same = position->file.size > 0 && position->server_id == state->assembly.server_id;
    rf_position_copy(&state->assembly.position, position);
    if (same) {
        status = find_file(state, rf_buf_str(&position->file), &file, NULL, err);
    }
    if (status == RF_OK && same &&
        (file.behind_newest || (file.found && file.size < position->end))) {
        rf_fail(err, RF_FATAL, "%s: the log went back: the position is in %.*s at %llu, which %s",
                state->mysql.where, RF_STR_ARG(rf_buf_str(&position->file)),
                (unsigned long long)position->end,
                file.found ? "is shorter now" : "the server has not begun yet");
        return rf_assembly_mismatch(err);
    }
    /* The protocol has 32 bits for the offset. */
    if (status == RF_OK && file.found && position->file.size > 0 && position->end <= UINT32_MAX) {
        return resume_in_file(state, position, err);
    }
    if (status == RF_OK) {
        status = check_gtids(state, err);
    }
    return status == RF_OK ? start_by_gtids(state, err) : status;
}

static enum rf_status begin(struct state *state, const struct rf_start *start, struct rf_error *err)
{
    enum rf_status status;
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
    status = check_gtids(state, err);
    return status == RF_OK ? start_by_gtids(state, err) : status;
}

/* ---- The plugin ---------------------------------------------------------------------------- */

static enum rf_status mysql_open(void *memory, const struct rf_context *ctx,
                                 struct rf_buf *position, struct rf_error *err)
{
    struct state *state = memory;
    struct rf_start start = {0};
    struct rf_str from = position->size > 0 ? rf_buf_str(position) : ctx->from;
    state->assembly.pick = &state->pick;
    state->assembly.skips = &state->skips;
    state->assembly.records.spill.directory = ctx->spill_directory;
    state->feed = ctx->feed;
    enum rf_status status = rf_start_parse(&start, from.size > 0 ? from : RF_STR("now"), err);
    if (status == RF_OK) {
        status = rf_skips_read(&state->skips, &state->skip, err);
    }
    if (status == RF_OK) {
        status = add_patterns(state, err);
    }
    if (status == RF_OK) {
        status = connect_to(state, ctx, err);
    }
    if (status == RF_OK) {
        status = check_settings(state, err);
    }
    if (status == RF_OK) {
        warn_of_cascades(state);
        status = prepare_session(state, err);
    }
    if (status == RF_OK) {
        status = begin(state, &start, err);
    }
    if (status == RF_OK) {
        rf_buf_reset(position);
        rf_position_print(position, &state->assembly.position);
        state->typed = false;
    }
    rf_position_deinit(&start.position);
    return status;
}

static enum rf_status mysql_read(void *memory, struct rf_batch *batch, int64_t deadline_ms,
                                 struct rf_error *err)
{
    struct state *state = memory;
    enum rf_status status =
        rf_assembly_fill(&state->assembly, batch, deadline_ms, find, state, err);
    if (state->current && (status == RF_OK || status == RF_AGAIN)) {
        batch->current = true;
        state->current = false;
        status = RF_OK;
    }
    return status;
}

static void mysql_source_close(void *memory)
{
    struct state *state = memory;
    rf_mysql_close(&state->mysql);
    rf_assembly_deinit(&state->assembly);
    rf_pick_deinit(&state->pick);
    rf_skips_deinit(&state->skips);
    rf_buf_deinit(&state->text);
}

static void mysql_interrupt(void *memory)
{
    struct state *state = memory;
    rf_mysql_interrupt(&state->mysql);
}

const struct rf_source_type rf_source_mysql = {
    .name = "mysql",
    .summary = "the binary log of a running MariaDB server",
    .example = "mysql://user@127.0.0.1:3306/shop.orders",
    .state_size = sizeof(struct state),
    .options = options,
    .open = mysql_open,
    .read = mysql_read,
    .close = mysql_source_close,
    .interrupt = mysql_interrupt,
    .contains = rf_position_contains,
};
