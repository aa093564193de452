/* The sink `redis`: rows as hashes, strings or JSON, or everything as entries of streams, and the
 * position beside them.
 *
 * A document of a collection is a row of its fields at the top level, see redis_documents.c.
 *
 * flush sends what waits, reads every reply, and then writes the position: what Redis loses in a
 * crash of its own it loses with the position. The hash rowferry:position:PIPELINE:INSTANCE holds
 *
 *     position      the source's position behind the last flush
 *     updated       when that was, UTC
 *     epoch, owner  who may write; see net/redis_guard.h
 *     table:DB:T    the keys of table T in DB: "whole" or "folds", and their pattern, which tell a
 *                   later process what a TRUNCATE is about
 *     stamp, picks, stream:KEY   as=stream; see redis_streams.c
 *
 * As long as the source has more to give, what came last may wait for rows of the same keys; see
 * window.h. */
#include "base/clock.h"
#include "event/value.h"
#include "sink/place.h"
#include "sink/redis_sink.h"
#include "sink/statement.h"

#include <rowferry/sink.h>
#include <stdlib.h>

/* Adds what only we know about a refusal: which row it is about, and which rights we need. */
static enum rf_status explain(const struct rf_redis_sink *sink, enum rf_status status,
                              struct rf_error *err)
{
    const char *template = sink->key_template.text;
    bool streams = sink->as == RF_REDIS_STREAM;
    if (err == NULL) {
        return status;
    }
    if (status == RF_REJECT && err->event == NULL) {
        err->event = sink->guard.refused;
        rf_error_hint(err, "a key of this row's name may hold something else already");
        status = streams ? rf_redis_streams_explain(sink, status, err) : status;
    } else if (status == RF_CONFIG && err->access && strstr(err->message, "NOPERM") != NULL) {
        rf_error_hint(err,
                      "grant it: ACL SETUSER %s ~" RF_REDIS_OWN_PREFIX "* ~%.*s* +multi +exec "
                      "+watch +hset +hget +hgetall +select +info %s",
                      sink->user != NULL && sink->user[0] ? sink->user : "default",
                      (int)strcspn(template, "{"), template,
                      streams ? "+xadd +type +xinfo +xrange +xrevrange"
                              : "+hdel +set +unlink +scan");
    }
    return status;
}

static enum rf_status write_event(struct rf_redis_sink *sink, const struct rf_event *event,
                                  struct rf_error *err)
{
    enum rf_status status;
    if (sink->as == RF_REDIS_STREAM) {
        return rf_redis_streams_put(sink, event, err);
    }
    switch ((enum rf_op)event->op) {
    case RF_CREATE:
    case RF_UPDATE:
    case RF_DELETE:
    case RF_READ: return rf_redis_row_put(sink, event, err);
    case RF_TRUNCATE:
        status = rf_redis_rows_send(sink, err);
        return status == RF_OK ? rf_redis_truncate(sink, event, err) : status;
    case RF_DDL:
        rf_statement_warn(event, "keys", "Redis"); /* keys stay as they are */
        return rf_redis_rows_send(sink, err);
    }
    return RF_OK;
}

/* Sends everything and reads every reply. */
static enum rf_status finish(struct rf_redis_sink *sink, struct rf_error *err)
{
    enum rf_status status = rf_redis_rows_send(sink, err);
    return status == RF_OK ? rf_redis_group_finish(&sink->guard, err) : status;
}

static enum rf_status redis_write(void *state, const struct rf_view *view, struct rf_error *err)
{
    struct rf_redis_sink *sink = state;
    enum rf_status status = RF_OK;
    sink->view = view;
    uint32_t at = 0;
    for (uint32_t i = 0; i < view->transaction_count && status == RF_OK; i++) {
        for (; at < view->count && status == RF_OK; at++) {
            if (rf_view_transaction(view, &view->events[at]) != &view->transactions[i]) {
                break;
            }
            status = write_event(sink, &view->events[at], err);
        }
        if (status == RF_OK && view->transactions[i].ends) {
            sink->stamp_whole = sink->stamp;
        }
    }
    rf_assert(status != RF_OK || at == view->count);
    sink->view = NULL;
    if (status == RF_OK) {
        status = rf_view_more_follows(view) ? RF_OK : finish(sink, err);
    } else if (status == RF_REJECT && err != NULL && err->event != NULL) {
        /* We refused it ourselves. Those before it are to be applied, which may fail in turn. */
        struct rf_error earlier = {0};
        enum rf_status finished = finish(sink, &earlier);
        if (finished != RF_OK) {
            status = finished;
            *err = earlier;
        }
    }
    return explain(sink, status, err);
}

static void add_now(struct rf_buf *out)
{
    struct rf_value now = {.kind = RF_TIMESTAMP, .scale = 3, .i = rf_clock_wall_us()};
    rf_buf_reset(out);
    rf_value_print(out, now);
}

static enum rf_status write_position(struct rf_redis_sink *sink, struct rf_str position,
                                     struct rf_error *err)
{
    bool streams = sink->as == RF_REDIS_STREAM;
    enum rf_status status = rf_redis_group_open(&sink->guard, err);
    if (status != RF_OK) {
        return status;
    }
    add_now(&sink->text);
    rf_redis_group_command(&sink->guard, RF_REDIS_NO_TAG,
                           6 + (streams ? RF_REDIS_STREAMS_ARGUMENTS : 0));
    rf_redis_bulk(&sink->guard.redis, RF_STR("HSET"));
    rf_redis_bulk(&sink->guard.redis, rf_buf_str(&sink->guard.key));
    rf_redis_bulk(&sink->guard.redis, RF_STR("position"));
    rf_redis_bulk(&sink->guard.redis, position);
    rf_redis_bulk(&sink->guard.redis, RF_STR("updated"));
    rf_redis_bulk(&sink->guard.redis, rf_buf_str(&sink->text));
    if (streams) {
        rf_redis_streams_add_fields(sink);
    }
    return rf_redis_group_finish(&sink->guard, err);
}

static enum rf_status redis_flush(void *state, struct rf_str position, struct rf_buf *note,
                                  struct rf_error *err)
{
    struct rf_redis_sink *sink = state;
    (void)note;
    /* The position goes in a group of its own, behind the replies to all that it stands for. */
    enum rf_status status = finish(sink, err);
    if (status == RF_OK) {
        status = rf_redis_streams_prove(sink, err);
    }
    /* Also one that has not moved: so the server is known to be there, and its data to be ours. */
    if (status == RF_OK) {
        status = write_position(sink, position, err);
    }
    if (status == RF_OK) {
        rf_buf_set(&sink->position, position);
    }
    return explain(sink, status, err);
}

/* Refuses a key template that begins with a column. */
static enum rf_status check_front(const char *key, struct rf_error *err)
{
    struct rf_str text = rf_str_of(key);
    if (text.data[0] != '{' || rf_str_starts(text, RF_STR("{{")) ||
        rf_str_starts(text, RF_STR("{database}")) || rf_str_starts(text, RF_STR("{table}")) ||
        rf_str_starts(text, RF_STR("{collection}"))) {
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG,
            "the key template '%s' begins with a column: nobody could tell its keys from others",
            key);
    rf_error_hint(err, "put some text or {table} in front, such as {table}:%s", key);
    return RF_CONFIG;
}

static enum rf_status parse_database(const struct rf_redis_sink *sink, uint32_t *database,
                                     struct rf_error *err)
{
    struct rf_str path = rf_str_of(sink->path);
    uint64_t number = 0;
    if (path.size > 0 && path.data[0] == '/') {
        path.data++;
        path.size--;
    }
    if (path.size > 0 && (!rf_str_to_u64(path, &number) || number > INT32_MAX)) {
        rf_fail(err, RF_CONFIG, "'%.*s' is not the number of a Redis database", RF_STR_ARG(path));
        rf_error_hint(err, "write it as redis://host:port/0");
        return RF_CONFIG;
    }
    *database = (uint32_t)number;
    return RF_OK;
}

static enum rf_status parse_templates(struct rf_redis_sink *sink, struct rf_error *err)
{
    static const char *const defaults[] = {"{database}:{table}:{key}",
                                           "mongo:{database}:{collection}:{_id}"};
    const char *key = sink->key, *document_key;
    if ((sink->as == RF_REDIS_STRING) != (sink->value != NULL && sink->value[0] != '\0')) {
        rf_fail(err, RF_CONFIG,
                sink->as == RF_REDIS_STRING ? "as=string needs a template for the value"
                                            : "a template for the value goes with as=string only");
        rf_error_hint(err, "such as as=string&value={ts}, or {column} by its name");
        return RF_CONFIG;
    }
    if (sink->entries_max > 0 && sink->as != RF_REDIS_STREAM) {
        rf_fail(err, RF_CONFIG, "maxlen goes with as=stream only");
        rf_error_hint(err, "it is the number of entries that a stream keeps");
        return RF_CONFIG;
    }
    if (key != NULL && key[0] != '\0') {
        document_key = key;
    } else {
        key = sink->as == RF_REDIS_STREAM ? "{database}:{table}" : defaults[0];
        document_key = defaults[1];
    }
    enum rf_status status = rf_template_parse(&sink->key_template, RF_TEMPLATE_KEY, key, err);
    if (status == RF_OK) {
        status = rf_template_parse(&sink->document_template, RF_TEMPLATE_KEY, document_key, err);
    }
    if (status == RF_OK && sink->as == RF_REDIS_STREAM) {
        status = rf_redis_streams_check(sink, err);
    } else if (status == RF_OK) {
        status = check_front(key, err);
    }
    if (status == RF_OK && sink->as == RF_REDIS_STRING) {
        status = rf_template_parse(&sink->value_template, RF_TEMPLATE_VALUE, sink->value, err);
    }
    return status;
}

/* A field of INFO's text, "name:value" on a line of its own. */
/* Reads the hash of the position. */
static enum rf_status read_state(struct rf_redis_sink *sink, uint64_t *epoch, struct rf_error *err)
{
    const struct rf_redis_reply *reply = &sink->guard.redis.reply;
    enum rf_status status = rf_redis_guard_read(&sink->guard, err);
    for (uint32_t i = 0; status == RF_OK && i + 1 < reply->item_count; i += 2) {
        struct rf_str name = reply->items[i], value = reply->items[i + 1];
        if (rf_str_equal(name, RF_STR("position"))) {
            rf_buf_set(&sink->position, value);
        } else if (rf_str_equal(name, RF_STR("epoch")) && !rf_str_to_u64(value, epoch)) {
            status = rf_fail(err, RF_FATAL, "the epoch '%.*s' in %s is not a number",
                             RF_STR_ARG(value), rf_buf_cstr(&sink->guard.key));
        } else if (rf_str_starts(name, RF_STR(RF_REDIS_TABLE_FIELD))) {
            rf_buf_set(&rf_redis_table_get(&sink->tables, name)->record, value);
        } else {
            status = rf_redis_streams_read(sink, name, value, err);
        }
    }
    return status;
}

/* Where it stands, whose it is, and that it is ours from now on. */
static enum rf_status take_over(struct rf_redis_sink *sink, const struct rf_context *ctx,
                                struct rf_error *err)
{
    uint64_t epoch = 0;
    enum rf_status status = read_state(sink, &epoch, err);
    if (status == RF_OK) {
        status = rf_place_check_epoch(ctx, epoch, sink->guard.redis.peer, "Redis", err);
    }
    if (status == RF_OK) {
        status =
            rf_place_check_position(ctx, rf_buf_str(&sink->position), sink->guard.redis.peer, err);
    }
    if (status == RF_OK) {
        status = rf_redis_guard_take(&sink->guard, ctx->epoch, err);
    }
    if (status == RF_OK) {
        memcpy(&sink->window.seed, sink->guard.owner, sizeof sink->window.seed);
    }
    if (status == RF_OK && ctx->ordered) {
        rf_buf_reset(&sink->position); /* void: the next flush writes the one that was ordered */
    }
    if (status == RF_OK && sink->as == RF_REDIS_STREAM) {
        sink->picks = ctx->picks;
        status = rf_redis_streams_open(sink, ctx->ordered, err);
    }
    return status;
}

static enum rf_status redis_check(void *state, struct rf_error *err)
{
    struct rf_redis_sink *sink = state;
    uint32_t database = 0;
    enum rf_status status = parse_database(sink, &database, err);
    return status == RF_OK ? parse_templates(sink, err) : status;
}

enum rf_status rf_redis_sink_connect(struct rf_redis_sink *sink, const struct rf_context *ctx,
                                     struct rf_error *err)
{
    struct rf_redis_address address = {
        .host = sink->host,
        .port = (uint16_t)sink->port,
        .user = sink->user,
        .password = sink->password,
        .tls = {.mode = (enum rf_tls_mode)sink->tls,
                .skip_verify = !sink->tls_verify,
                .ca = sink->tls_ca,
                .cert = sink->tls_cert,
                .key = sink->tls_key},
        .connect_timeout_ms = ctx->connect_timeout_ms,
        .timeout_ms = sink->timeout_ms,
    };
    enum rf_status status = parse_database(sink, &address.database, err);
    if (status == RF_OK) {
        status = parse_templates(sink, err);
    }
    return status == RF_OK ? rf_redis_connect(&sink->guard.redis, &address, err) : status;
}

static enum rf_status redis_open(void *state, const struct rf_context *ctx, struct rf_str *resume,
                                 struct rf_error *err)
{
    struct rf_redis_sink *sink = state;
    sink->window.change_size = sizeof(struct rf_redis_change);
    sink->window.least = RF_REDIS_WINDOW_LEAST;
    sink->window.key_bytes = RF_REDIS_WINDOW_KEY_BYTES;
    rf_buf_set(&sink->guard.key, RF_STR(RF_REDIS_OWN_PREFIX));
    rf_template_escape(&sink->guard.key, rf_str_of(ctx->pipeline), ':');
    rf_buf_printf(&sink->guard.key, ":%s", ctx->instance);
    enum rf_status status = rf_redis_sink_connect(sink, ctx, err);
    if (status == RF_OK) {
        status = rf_redis_sink_check(sink, err);
    }
    if (status == RF_OK) {
        status = take_over(sink, ctx, err);
    }
    if (status == RF_OK) {
        *resume = rf_buf_str(&sink->position);
    }
    return explain(sink, status, err);
}

static void redis_close(void *state)
{
    struct rf_redis_sink *sink = state;
    rf_redis_guard_close(&sink->guard);
    rf_redis_tables_deinit(&sink->tables);
    rf_redis_streams_deinit(sink);
    rf_window_deinit(&sink->window);
    rf_template_deinit(&sink->key_template);
    rf_template_deinit(&sink->value_template);
    rf_template_deinit(&sink->document_template);
    rf_buf_deinit(&sink->position);
    rf_buf_deinit(&sink->key_text);
    rf_buf_deinit(&sink->old_key_text);
    rf_buf_deinit(&sink->text);
}

static void redis_interrupt(void *state)
{
    struct rf_redis_sink *sink = state;
    rf_redis_interrupt(&sink->guard.redis);
}

static const struct rf_option redis_options[] = {
    {"host", RF_OPTION_TEXT, offsetof(struct rf_redis_sink, host), "127.0.0.1", NULL,
     "name or address of the server", false},
    {"port", RF_OPTION_INT, offsetof(struct rf_redis_sink, port), "6379", "1..65535", "its port",
     false},
    {"path", RF_OPTION_TEXT, offsetof(struct rf_redis_sink, path), "0", NULL,
     "number of the database", false},
    {"user", RF_OPTION_TEXT, offsetof(struct rf_redis_sink, user), NULL, NULL,
     "user of an ACL; without one the default user", false},
    {"password", RF_OPTION_SECRET, offsetof(struct rf_redis_sink, password), NULL, NULL,
     "password of the user", false},
    {"tls", RF_OPTION_CHOICE, offsetof(struct rf_redis_sink, tls), "auto", "auto|on|off",
     "encryption; auto: off on this machine, else on; rediss:// is tls=on", false},
    {"tls_verify", RF_OPTION_BOOL, offsetof(struct rf_redis_sink, tls_verify), "on", NULL,
     "check the server's certificate and name", false},
    {"tls_ca", RF_OPTION_TEXT, offsetof(struct rf_redis_sink, tls_ca), NULL, NULL,
     "file of certificates to trust; none: those of the system", false},
    {"tls_cert", RF_OPTION_TEXT, offsetof(struct rf_redis_sink, tls_cert), NULL, NULL,
     "file of our own certificate", false},
    {"tls_key", RF_OPTION_TEXT, offsetof(struct rf_redis_sink, tls_key), NULL, NULL,
     "file of its key; none: it is in the file of tls_cert", false},
    {"as", RF_OPTION_CHOICE, offsetof(struct rf_redis_sink, as), "hash", "hash|string|json|stream",
     "what a row or document becomes: a hash of its columns or fields, a string made by value, one "
     "JSON object; or each event an entry of a stream",
     false},
    {"key", RF_OPTION_TEXT, offsetof(struct rf_redis_sink, key), NULL, NULL,
     "template of a row's key; none: {database}:{table}:{key}, of documents "
     "mongo:{database}:{collection}:{_id}, and {database}:{table} for streams; "
     "without the whole primary key, rows share keys and deletes leave them",
     false},
    {"value", RF_OPTION_TEXT, offsetof(struct rf_redis_sink, value), NULL, NULL,
     "as=string: template of the value, such as {ts} or {column}; of documents {field}, {document}",
     false},
    {"maxlen", RF_OPTION_INT, offsetof(struct rf_redis_sink, entries_max), NULL,
     "1..9223372036854775807", "as=stream: entries that a stream keeps, at least; none: all",
     false},
    {"fold", RF_OPTION_BOOL, offsetof(struct rf_redis_sink, fold), "on", NULL,
     "of changes of one key that come soon after each other only the last state is sent; as=stream "
     "sends all",
     false},
    {"timeout", RF_OPTION_DURATION, offsetof(struct rf_redis_sink, timeout_ms), "10s", "100ms..10m",
     "the longest wait for a sign of the server", false},
    RF_OPTION_END,
};

const struct rf_sink_type rf_sink_redis = {
    .name = "redis",
    .summary =
        "rows as Redis hashes, strings or JSON by key, or streams; the position is kept beside "
        "them",
    .example = "redis://127.0.0.1:6379/0?key={database}:{table}:{key}",
    .state_size = sizeof(struct rf_redis_sink),
    .options = redis_options,
    .keeps_state = true,
    .open = redis_open,
    .write = redis_write,
    .flush = redis_flush,
    .close = redis_close,
    .interrupt = redis_interrupt,
    .check = redis_check,
    .examine = rf_redis_sink_examine,
};
