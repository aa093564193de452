/* Source `mysql`: the binary log of a running MariaDB or MySQL server, as a replica gets it.
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
 * anew under the same names: hence the comparison. A MySQL server has a UUID, which outlives RESET
 * BINARY LOGS AND GTIDS. Where its transactions have no GTIDs, only the place in its own file says
 * where to go on. A position's file changes with the next transaction, not when the server begins a
 * new file. */
#include "source/mysql.h"

#include "base/clock.h"
#include "wire/mysql_event.h"

enum {
    ASK_MS = 60 * 1000, /* what can wait until nothing comes waits no longer than this */
    ERROR_READING_LOG =
        1236, /* ER_MASTER_FATAL_ERROR_READING_BINLOG: the number of nearly everything */
};

#define OPTION(name, kind, field, fallback, choices, help)                                  \
    {                                                                                       \
        name, kind, offsetof(struct rf_mysql_source, field), fallback, choices, help, false \
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
    OPTION(
        "schema", RF_OPTION_CHOICE, schema, "auto", "auto|log",
        "what the log does not say, the columns' names where binlog_row_metadata is not FULL, "
        "and which are MariaDB's UUID, INET4 and INET6: auto asks the server, which takes SELECT "
        "on the tables; log refuses a server without names, and has bytes"),
    OPTION("invalid", RF_OPTION_CHOICE, invalid, "mark", RF_INVALID_CHOICES, RF_INVALID_HELP),
    OPTION("skip", RF_OPTION_LIST, skip, NULL, NULL, RF_SKIPS_HELP),
    OPTION("queries", RF_OPTION_BOOL, queries, "off", NULL,
           "rows bring along the statement that changed them, where the server logs it, for "
           "formats that repeat it"),
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

/* ---- Reading ------------------------------------------------------------------------------- */

/* Puts into words what the server refused, and for what. */
static enum rf_status explain(struct rf_mysql_source *state, struct rf_error *err)
{
    const char *hint;
    if (err->code != ERROR_READING_LOG || err->status != RF_FATAL) {
        return err->status;
    }
    if (strstr(err->message, "more GTIDs than the") != NULL) {
        hint = "the server lost transactions that were read from it: it ran RESET BINARY LOGS AND "
               "GTIDS or was restored from a backup. Take a new snapshot of the tables, then set a "
               "new position";
    } else if (strstr(err->message, "anonymous") != NULL ||
               strstr(err->message, "ANONYMOUS") != NULL) {
        hint = "the log has transactions without GTIDs behind the position, and the server's "
               "gtid_mode does not let it send them: begin behind them, at a place in the log "
               "(bin.000001:1234), or set gtid_mode to ON_PERMISSIVE until they were read";
    } else if (strstr(err->message, "Could not find first log file") != NULL ||
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

/* A MySQL server also sends one where it has passed over transactions that we have. Only behind
 * what was there at the beginning is it true that nothing more is. */
static bool is_at_end(const struct rf_mysql_source *state, const struct rf_binlog_header *header,
                      struct rf_str event)
{
    struct rf_mysql_heartbeat heartbeat = {.position = header->end_position};
    struct rf_str body;
    if (state->mariadb || state->end.file.size == 0) {
        return true;
    }
    if (rf_binlog_body(&state->assembly.format, header, event, &body, NULL) != RF_OK) {
        return false;
    }
    heartbeat.file = body;
    if (header->type == RF_BINLOG_HEARTBEAT_V2 &&
        rf_mysql_heartbeat_parse(body, &heartbeat, NULL) != RF_OK) {
        return false;
    }
    struct rf_log_place place = {
        .file = {.data = (char *)(uintptr_t)heartbeat.file.data, .size = heartbeat.file.size},
        .offset = heartbeat.position};
    return rf_log_place_compare(&place, &state->end) >= 0;
}

static bool is_heartbeat(struct rf_str event, struct rf_binlog_header *header)
{
    return rf_binlog_header_parse(event, header, NULL) == RF_OK &&
           (header->type == RF_BINLOG_HEARTBEAT || header->type == RF_BINLOG_HEARTBEAT_V2);
}

/* rf_event_finder. The server sends a heartbeat when it stands at the end of its log and nothing
 * was written for a period: nothing is there then, and nothing was when it was sent. */
enum rf_status rf_mysql_source_find(void *reader, int64_t deadline_ms, struct rf_str *event,
                                    uint64_t *end, struct rf_error *err)
{
    struct rf_mysql_source *state = reader;
    struct rf_binlog_header header;
    *end = 0;
    state->catalog.deadline_ms = deadline_ms;
    if (state->catalog.again) {
        state->catalog.again = false;
        *event = state->last;
        return RF_OK;
    }
    if (state->held.data != NULL) {
        *event = state->last = state->held;
        state->held = RF_STR_NONE;
        return RF_OK;
    }
    enum rf_status status = rf_mysql_read_event(&state->mysql, deadline_ms, event, err);
    if (status == RF_OK && is_heartbeat(*event, &header)) {
        status = rf_assembly_take(&state->assembly, *event, 0, err);
        state->current =
            status == RF_OK && !state->assembly.open && is_at_end(state, &header, *event);
        return status == RF_OK ? RF_AGAIN : status;
    }
    state->last = *event;
    state->current &= status == RF_AGAIN;
    return status == RF_OK || status == RF_AGAIN ? status : explain(state, err);
}

/* ---- The plugin ---------------------------------------------------------------------------- */

static enum rf_status mysql_open(void *memory, const struct rf_context *ctx,
                                 struct rf_buf *position, struct rf_error *err)
{
    struct rf_mysql_source *state = memory;
    struct rf_start start = {0};
    struct rf_str from = position->size > 0 ? rf_buf_str(position) : ctx->from;
    state->assembly.pick = &state->pick;
    state->assembly.skips = &state->skips;
    state->assembly.keeps_sql = state->queries;
    state->assembly.records.strict = state->invalid == RF_INVALID_STOP;
    state->assembly.records.spill.directory = ctx->spill_directory;
    state->assembly.records.lacking = !ctx->whole;
    state->pipeline = ctx->pipeline;
    state->feed = ctx->feed;
    state->asked = ctx->feed > 0; /* the first feed has said it */
    state->ask_ms = rf_clock_ms() + ASK_MS;
    enum rf_status status = rf_start_parse(&start, from.size > 0 ? from : RF_STR("now"), err);
    if (status == RF_OK) {
        status = rf_mysql_source_check(state, ctx, err);
    }
    if (status == RF_OK && state->schema == RF_MYSQL_SCHEMA_AUTO) {
        struct rf_mysql_address address = rf_mysql_source_address(state);
        rf_mysql_catalog_init(&state->catalog, &state->assembly, &address);
        state->assembly.tables.definer = &state->catalog.definer;
    }
    if (status == RF_OK && !state->mariadb) {
        status =
            rf_mysql_source_ask_end(&state->mysql, &state->end.file, &state->end.offset, NULL, err);
    }
    if (status == RF_OK) {
        status = rf_mysql_source_begin(state, &start, err);
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
    struct rf_mysql_source *state = memory;
    enum rf_status status =
        rf_assembly_fill(&state->assembly, batch, deadline_ms, rf_mysql_source_find, state, err);
    if (status == RF_AGAIN || (status == RF_OK && rf_clock_ms() >= state->ask_ms)) {
        rf_mysql_source_warn(state);
    }
    if (state->current && (status == RF_OK || status == RF_AGAIN)) {
        batch->current = true;
        state->current = false;
        status = RF_OK;
    }
    return status;
}

static void mysql_source_close(void *memory)
{
    struct rf_mysql_source *state = memory;
    rf_mysql_catalog_close(&state->catalog);
    rf_mysql_close(&state->aside);
    rf_mysql_close(&state->mysql);
    rf_assembly_deinit(&state->assembly);
    rf_pick_deinit(&state->pick);
    rf_skips_deinit(&state->skips);
    rf_log_place_deinit(&state->end);
    rf_buf_deinit(&state->text);
}

static void mysql_interrupt(void *memory)
{
    struct rf_mysql_source *state = memory;
    rf_mysql_interrupt(&state->mysql);
    rf_mysql_interrupt(&state->aside);
    rf_mysql_catalog_interrupt(&state->catalog);
}

const struct rf_source_type rf_source_mysql = {
    .name = "mysql",
    .summary = "the binary log of a running MariaDB or MySQL server",
    .example = "mysql://user@127.0.0.1:3306/shop.orders",
    .state_size = sizeof(struct rf_mysql_source),
    .options = options,
    .open = mysql_open,
    .read = mysql_read,
    .close = mysql_source_close,
    .interrupt = mysql_interrupt,
    .contains = rf_position_contains,
    .check_from = rf_start_check,
    .examine = rf_mysql_source_examine,
};
