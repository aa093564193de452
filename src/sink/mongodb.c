/* The sink `mongodb`: each row a document, by its primary key, and the position beside them.
 *
 * A table fills one collection, by default of the same names. _id is the primary key: the value of
 * its column, or a document of its columns in the key's order; all columns are fields, too. A
 * create or an update replaces the document, or makes it; a delete removes it; TRUNCATE empties the
 * collection; other statements change nothing.
 *
 * A document of a collection is written as it is, byte for byte, under its own _id. It must be
 * whole: what an update changed is not applied, as document and position are not written in one
 * transaction, so that it could be applied twice.
 *
 * flush writes what waits, and then the position: everything is written with the write concern, and
 * what MongoDB loses in spite of that it loses with the position. As long as the source has more to
 * give, what came last may wait for rows of the same keys; see window.h.
 *
 * Our own documents lie in the database `rowferry`; see mongodb_place.c and mongodb_records.c. */
#include "sink/mongodb_sink.h"
#include "sink/statement.h"

#include <rowferry/sink.h>

enum { WINDOW_LEAST = 1000, WINDOW_KEY_BYTES = 4096 };

/* -------------------------------------------------------------------------------------- writing */

/* Adds what only we know about a refusal: which rights we need. */
static enum rf_status explain(const struct rf_mongodb_sink *sink, enum rf_status status,
                              struct rf_error *err)
{
    if (err != NULL && status == RF_CONFIG && err->access && sink->user != NULL &&
        strstr(err->message, "Unauthorized") != NULL) {
        rf_error_hint(err,
                      "grant it: db.grantRolesToUser(\"%s\", [{role: \"readWrite\", db: "
                      "\"" RF_MONGODB_OWN "\"}, {role: \"readWrite\", db: DATABASE}]), DATABASE "
                      "being each one that rows go to",
                      sink->user);
    }
    return status;
}

static enum rf_status write_event(struct rf_mongodb_sink *sink, const struct rf_event *event,
                                  struct rf_error *err)
{
    enum rf_status status;
    switch ((enum rf_op)event->op) {
    case RF_CREATE:
    case RF_UPDATE:
    case RF_DELETE:
    case RF_READ: return rf_mongodb_row_put(sink, event, err);
    case RF_TRUNCATE:
        status = rf_mongodb_rows_send(sink, err);
        return status == RF_OK ? rf_mongodb_truncate(sink, event, err) : status;
    case RF_DDL:
        rf_statement_warn(event, "documents", "MongoDB"); /* which stay as they are */
        return rf_mongodb_rows_send(sink, err);
    }
    return RF_OK;
}

static enum rf_status mongodb_write(void *state, const struct rf_view *view, struct rf_error *err)
{
    struct rf_mongodb_sink *sink = state;
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < view->count && status == RF_OK; i++) {
        status = write_event(sink, &view->events[i], err);
    }
    if (status == RF_OK) {
        status = rf_view_more_follows(view) ? RF_OK : rf_mongodb_rows_send(sink, err);
    } else if (status == RF_REJECT && sink->window.count > 0) {
        /* We refused it ourselves. Those before it are to be applied, which may fail in turn. */
        struct rf_error earlier = {0};
        enum rf_status sent = rf_mongodb_rows_send(sink, &earlier);
        if (sent != RF_OK) {
            status = sent;
            if (err != NULL) {
                *err = earlier;
            }
        }
    }
    return explain(sink, status, err);
}

static enum rf_status mongodb_flush(void *state, struct rf_str position, struct rf_buf *note,
                                    struct rf_error *err)
{
    struct rf_mongodb_sink *sink = state;
    (void)note;
    enum rf_status status = rf_mongodb_rows_send(sink, err);
    if (status == RF_OK && rf_str_equal(position, rf_buf_str(&sink->position))) {
        status = rf_mongodb_place_check(sink, err);
    } else if (status == RF_OK) {
        status = rf_mongodb_place_write(sink, position, err);
        if (status == RF_OK) {
            rf_buf_set(&sink->position, position);
        }
    }
    return explain(sink, status, err);
}

/* -------------------------------------------------------------------------------------- opening */

/* {w, j, wtimeout}: the server gives up before we do, and says why. */
static void set_concern(struct rf_buf *out, const char *w, int64_t timeout_ms)
{
    uint64_t members = 0;
    rf_buf_reset(out);
    size_t document = rf_bson_begin(out);
    if (rf_str_to_u64(rf_str_of(w), &members)) {
        rf_bson_add_int32(out, "w", (int32_t)members);
    } else {
        rf_bson_add_utf8(out, "w", rf_str_of(w));
    }
    rf_bson_add_bool(out, "j", true);
    rf_bson_add_int64(out, "wtimeout", timeout_ms * 4 / 5);
    rf_bson_end(out, document);
}

static enum rf_status mongodb_check(void *state, struct rf_error *err)
{
    enum { MEMBERS_MAX = 50 };
    struct rf_mongodb_sink *sink = state;
    uint64_t members = 1;
    if (sink->w[0] == '\0' ||
        (rf_str_to_u64(rf_str_of(sink->w), &members) && (members == 0 || members > MEMBERS_MAX))) {
        rf_fail(err, RF_CONFIG, "w=%s: a write must be confirmed, by 1 to 50 members", sink->w);
        rf_error_hint(err, "w is majority, a number of members, or the name of a write concern");
        return RF_CONFIG;
    }
    if (sink->members.count > 0 && (sink->replica_set == NULL || sink->replica_set[0] == '\0')) {
        rf_fail(err, RF_CONFIG, "members goes with replica_set only");
        rf_error_hint(err, "set replica_set to the name of their set");
        return RF_CONFIG;
    }
    return rf_mongodb_tables_parse(sink, err);
}

static enum rf_status connect_server(struct rf_mongodb_sink *sink, const struct rf_context *ctx,
                                     struct rf_error *err)
{
    struct rf_mongo_address address = {
        .host = sink->host,
        .port = (uint16_t)sink->port,
        .members = sink->members.items,
        .member_count = sink->members.count,
        .user = sink->user,
        .password = sink->password,
        .auth_source = sink->auth_source,
        .replica_set = sink->replica_set,
        .name = sink->name,
        .tls = {.mode = (enum rf_tls_mode)sink->tls,
                .skip_verify = !sink->tls_verify,
                .ca = sink->tls_ca,
                .cert = sink->tls_cert,
                .key = sink->tls_key},
        .connect_timeout_ms = ctx->connect_timeout_ms,
        .timeout_ms = sink->timeout_ms,
    };
    return rf_mongo_connect(&sink->mongo, &address, err);
}

static enum rf_status mongodb_open(void *state, const struct rf_context *ctx, struct rf_str *resume,
                                   struct rf_error *err)
{
    struct rf_mongodb_sink *sink = state;
    sink->pipeline = ctx->pipeline;
    sink->instance = ctx->instance;
    sink->adopts = sink->adopt || ctx->adopt;
    sink->window.change_size = sizeof(struct rf_mongodb_change);
    sink->window.least = WINDOW_LEAST;
    sink->window.key_bytes = WINDOW_KEY_BYTES;
    rf_mongodb_fence_name(sink, ctx);
    enum rf_status status = mongodb_check(sink, err);
    if (status == RF_OK) {
        set_concern(&sink->concern, sink->w, sink->timeout_ms);
        set_concern(&sink->safe, "majority", sink->timeout_ms);
        status = connect_server(sink, ctx, err);
    }
    if (status == RF_OK) {
        status = rf_mongodb_place_take(sink, ctx, err);
    }
    if (status == RF_OK) {
        status = rf_mongodb_fence_wait(sink, err);
    }
    if (status == RF_OK) {
        status = rf_mongodb_records_read(sink, err);
    }
    if (status == RF_OK) {
        *resume = rf_buf_str(&sink->position);
    }
    return explain(sink, status, err);
}

static void mongodb_close(void *state)
{
    struct rf_mongodb_sink *sink = state;
    rf_mongo_close(&sink->mongo);
    rf_mongodb_tables_deinit(sink);
    rf_window_deinit(&sink->window);
    rf_buf_deinit(&sink->bulk.out);
    rf_buf_deinit(&sink->concern);
    rf_buf_deinit(&sink->safe);
    rf_buf_deinit(&sink->position);
    rf_buf_deinit(&sink->key);
    rf_buf_deinit(&sink->old_key);
    rf_buf_deinit(&sink->text);
    rf_buf_deinit(&sink->command);
}

static void mongodb_interrupt(void *state)
{
    struct rf_mongodb_sink *sink = state;
    rf_mongo_interrupt(&sink->mongo);
}

static const struct rf_option mongodb_options[] = {
    {"host", RF_OPTION_TEXT, offsetof(struct rf_mongodb_sink, host), "127.0.0.1", NULL,
     "name or address of the server, or of a member of the replica set", false},
    {"port", RF_OPTION_INT, offsetof(struct rf_mongodb_sink, port), "27017", "1..65535", "its port",
     false},
    {"path", RF_OPTION_TEXT, offsetof(struct rf_mongodb_sink, path), NULL, NULL,
     "database that all rows go to; the same as database", false},
    {"user", RF_OPTION_TEXT, offsetof(struct rf_mongodb_sink, user), NULL, NULL,
     "user to log in as, by SCRAM; none: no log-in", false},
    {"password", RF_OPTION_SECRET, offsetof(struct rf_mongodb_sink, password), NULL, NULL,
     "password of the user", false},
    {"auth_source", RF_OPTION_TEXT, offsetof(struct rf_mongodb_sink, auth_source), "admin", NULL,
     "database that the user is known in", false},
    {"replica_set", RF_OPTION_TEXT, offsetof(struct rf_mongodb_sink, replica_set), NULL, NULL,
     "name of the replica set, of which the primary is found and followed; none: this server only",
     false},
    {"members", RF_OPTION_LIST, offsetof(struct rf_mongodb_sink, members), NULL, NULL,
     "more members of the set, host:port, asked when the first one is away", false},
    {"tls", RF_OPTION_CHOICE, offsetof(struct rf_mongodb_sink, tls), "auto", "auto|on|off",
     "encryption; auto: off on this machine, else on", false},
    {"tls_verify", RF_OPTION_BOOL, offsetof(struct rf_mongodb_sink, tls_verify), "on", NULL,
     "check the server's certificate and name", false},
    {"tls_ca", RF_OPTION_TEXT, offsetof(struct rf_mongodb_sink, tls_ca), NULL, NULL,
     "file of certificates to trust; none: those of the system", false},
    {"tls_cert", RF_OPTION_TEXT, offsetof(struct rf_mongodb_sink, tls_cert), NULL, NULL,
     "file of our own certificate", false},
    {"tls_key", RF_OPTION_TEXT, offsetof(struct rf_mongodb_sink, tls_key), NULL, NULL,
     "file of its key; none: it is in the file of tls_cert", false},
    {"database", RF_OPTION_TEXT, offsetof(struct rf_mongodb_sink, database), NULL, NULL,
     "template of the database that a table's rows go to; none: {database}", false},
    {"collection", RF_OPTION_TEXT, offsetof(struct rf_mongodb_sink, collection), "{table}", NULL,
     "template of the collection that a table fills", false},
    {"dates", RF_OPTION_CHOICE, offsetof(struct rf_mongodb_sink, dates), "date", "date|string",
     "what DATE, DATETIME and TIMESTAMP with up to 3 fraction digits become; with more they are "
     "strings",
     false},
    {"w", RF_OPTION_TEXT, offsetof(struct rf_mongodb_sink, w), "majority", NULL,
     "who has to confirm rows: majority, a number of members, or a write concern's name; the "
     "position is always confirmed by a majority",
     false},
    {"adopt", RF_OPTION_BOOL, offsetof(struct rf_mongodb_sink, adopt), "off", NULL,
     "write to collections that have documents already, or that another pipeline or sink fills; "
     "for one start",
     false},
    {"fold", RF_OPTION_BOOL, offsetof(struct rf_mongodb_sink, fold), "on", NULL,
     "of changes of one row that come soon after each other only the last state is sent", false},
    {"timeout", RF_OPTION_DURATION, offsetof(struct rf_mongodb_sink, timeout_ms), "10s",
     "100ms..10m", "the longest wait for a sign of the server", false},
    RF_OPTION_END,
};

/* --------------------------------------------------------------------------------------- doctor */

static enum rf_status mongodb_examine(void *state, const struct rf_context *ctx,
                                      struct rf_findings *findings, struct rf_error *err)
{
    struct rf_mongodb_sink *sink = state;
    enum rf_status status = mongodb_check(sink, err);

    sink->pipeline = ctx->pipeline;
    sink->instance = ctx->instance;
    sink->adopts = sink->adopt;
    sink->looks_only = true;
    if (status == RF_OK) {
        status = connect_server(sink, ctx, err);
    }
    if (status == RF_OK) {
        const char *version = sink->mongo.version;
        struct rf_tls_options tls = {.mode = (enum rf_tls_mode)sink->tls};
        rf_finding_add_text(findings, (struct rf_finding){.what = "server"}, "MongoDB %s",
                            version != NULL && version[0] ? version : "of unknown version");
        rf_finding_add_encryption(findings, rf_tls_wanted(&tls, sink->host), sink->tls_verify,
                                  rf_host_is_loopback(sink->host));
        rf_mongodb_examine_login(sink, ctx, findings);
        rf_mongodb_examine_set(sink, findings);
        bool weak = strcmp(sink->w, "majority") != 0;
        rf_finding_add(findings, (struct rf_finding){
                                     .verdict = weak ? RF_FINDING_ADVICE : RF_FINDING_FINE,
                                     .what = "write concern",
                                     .found = sink->w,
                                     .needed = "majority",
                                     .why = weak ? "a fail-over may take writes back" : NULL,
                                     .fix = weak ? "leave w out of the sink's options" : NULL});
        status = rf_mongodb_examine_tables(sink, ctx, findings, err);
    }
    return explain(sink, status, err);
}

const struct rf_sink_type rf_sink_mongodb = {
    .name = "mongodb",
    .summary = "rows as MongoDB documents by primary key; the position is kept beside them",
    .example = "mongodb://127.0.0.1:27017/shop",
    .state_size = sizeof(struct rf_mongodb_sink),
    .options = mongodb_options,
    .keeps_state = true,
    .open = mongodb_open,
    .write = mongodb_write,
    .flush = mongodb_flush,
    .close = mongodb_close,
    .interrupt = mongodb_interrupt,
    .check = mongodb_check,
    .examine = mongodb_examine,
};
