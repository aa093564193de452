/* Source `mongodb`: the change streams of a MongoDB deployment: of a collection, a database, or all
 * of it.
 *
 * A transaction is what has one session and one number (lsid, txnNumber); every other event is one
 * by itself. That one is complete is seen when another event comes, or the server says that it has
 * nothing more, or that it is further: until then its events may be handed over, but no place
 * behind it. On a sharded cluster the events of several transactions may lie between each other:
 * there each event is one by itself.
 *
 * A stream of a collection ends when that is dropped or renamed, one of a database when that is
 * dropped: an event `invalidate` says so. Another stream begins behind it at once, for what may be
 * made under that name.
 *
 * Source: MongoDB Manual, "Change Streams", "Change Events". */
#include "source/mongodb.h"

#include "base/clock.h"

#include <rowferry/log.h>

#include <stdlib.h>

enum {
    WAIT_MS_MAX = 1000,
    SECOND_US = 1000000,
};

#define OPTION(name, kind, field, fallback, choices, help)                                    \
    {                                                                                         \
        name, kind, offsetof(struct rf_mongodb_source, field), fallback, choices, help, false \
    }

static const struct rf_option options[] = {
    OPTION("user", RF_OPTION_TEXT, user, NULL, NULL,
           "user to log in as, by SCRAM; none: no log-in"),
    OPTION("password", RF_OPTION_SECRET, password, NULL, NULL, "password of the user"),
    OPTION("host", RF_OPTION_TEXT, host, "127.0.0.1", NULL,
           "name or address of the server, or of a member of the replica set"),
    OPTION("port", RF_OPTION_INT, port, "27017", "1..65535", "its port"),
    OPTION("path", RF_OPTION_TEXT, path, NULL, NULL,
           "database, or database.collection, with *; several with commas; none: all"),
    OPTION("auth_source", RF_OPTION_TEXT, auth_source, "admin", NULL,
           "database that the user is known in"),
    OPTION("replica_set", RF_OPTION_TEXT, replica_set, NULL, NULL,
           "name of the replica set, of which the primary is found and followed; none: this "
           "server only"),
    OPTION("members", RF_OPTION_LIST, members, NULL, NULL,
           "more members of the set, host:port, asked when the first one is away"),
    OPTION("tables", RF_OPTION_LIST, tables, NULL, NULL,
           "database.collection patterns with *, a leading - leaves out; none: all"),
    OPTION("images", RF_OPTION_CHOICE, images, "auto",
           "auto|none|update_lookup|when_available|required",
           "what an update brings along: none: what it changed; update_lookup: the document as it "
           "is when the server looks it up; when_available, required: the images before and after "
           "that a collection keeps from MongoDB 6.0 on; auto: update_lookup where a sink holds "
           "the last state, else none"),
    OPTION("batch_size", RF_OPTION_INT, batch_size, "0", "0..100000",
           "events that the server sends at once, at most; 0: about 1 MiB of them"),
    OPTION("timeout", RF_OPTION_DURATION, timeout_ms, "10s", "2s..10m",
           "the longest wait for a sign of the server"),
    OPTION("tls", RF_OPTION_CHOICE, tls, "auto", "auto|on|off",
           "encryption; auto: off on this machine, else on"),
    OPTION("tls_verify", RF_OPTION_BOOL, tls_verify, "on", NULL,
           "check the server's certificate and name"),
    OPTION("tls_ca", RF_OPTION_TEXT, tls_ca, NULL, NULL,
           "file of certificates to trust; none: those of the system"),
    OPTION("tls_cert", RF_OPTION_TEXT, tls_cert, NULL, NULL, "file of our own certificate"),
    OPTION("tls_key", RF_OPTION_TEXT, tls_key, NULL, NULL,
           "file of its key; none: it is in the file of tls_cert"),
    RF_OPTION_END,
};

/* -------------------------------------------------------------------------------------- opening */

/* A pattern that can only mean itself. */
static bool is_exact(struct rf_str pattern)
{
    for (size_t i = 0; i < pattern.size; i++) {
        if (pattern.data[i] == '*' || pattern.data[i] == '?' || pattern.data[i] == ',') {
            return false;
        }
    }
    return pattern.size > 0 && pattern.data[0] != '-';
}

/* The narrowest stream that has all that is wanted; of the rest the server leaves out what it can
 * (mongodb_match.c), and what comes is looked at here. */
static void choose_scope(struct rf_mongodb_source *state)
{
    struct rf_str path = rf_str_of(state->path), database;
    if (state->pick.count == 1 && path.size == 0) {
        path = rf_str_of(state->tables.items[0]);
    }
    if (state->pick.count != 1 || !is_exact(path)) {
        path = RF_STR_NONE;
    }
    if (path.size > 0 && rf_str_split(&path, '.', &database)) {
        rf_buf_set(&state->database, database);
        if (path.size > 0) {
            rf_buf_set(&state->collection, path);
        }
    } else if (rf_mongodb_source_one_database(&state->pick, &database)) {
        rf_buf_set(&state->database, database);
    }
    state->picks = rf_mongodb_source_picks(state);
    rf_buf_cstr(&state->database);
    rf_buf_cstr(&state->collection);
}

static enum rf_status read_filter(struct rf_mongodb_source *state, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    struct rf_str path = rf_str_of(state->path), pattern;
    while (status == RF_OK && path.size > 0 && rf_str_split(&path, ',', &pattern)) {
        status = rf_pick_add(&state->pick, pattern, err);
    }
    for (uint32_t i = 0; i < state->tables.count && status == RF_OK; i++) {
        status = rf_pick_add(&state->pick, rf_str_of(state->tables.items[i]), err);
    }
    if (status == RF_OK) {
        choose_scope(state);
    }
    if (status == RF_OK &&
        rf_str_equal(rf_buf_str(&state->database), RF_STR(RF_MONGODB_SOURCE_OWN))) {
        rf_fail(err, RF_CONFIG,
                "the database " RF_MONGODB_SOURCE_OWN " is our own, and is not "
                "captured");
        rf_error_hint(err, "name another database");
        status = RF_CONFIG;
    }
    if (status == RF_OK && state->members.count > 0 &&
        (state->replica_set == NULL || state->replica_set[0] == '\0')) {
        rf_fail(err, RF_CONFIG, "members goes with replica_set only");
        rf_error_hint(err, "set replica_set to the name of their set");
        status = RF_CONFIG;
    }
    return status;
}

static enum rf_status connect_server(struct rf_mongodb_source *state, const struct rf_context *ctx,
                                     struct rf_error *err)
{
    struct rf_mongo_address address = {
        .host = state->host,
        .port = (uint16_t)state->port,
        .members = state->members.items,
        .member_count = state->members.count,
        .user = state->user,
        .password = state->password,
        .auth_source = state->auth_source,
        .replica_set = state->replica_set,
        .tls = {.mode = (enum rf_tls_mode)state->tls,
                .skip_verify = !state->tls_verify,
                .ca = state->tls_ca,
                .cert = state->tls_cert,
                .key = state->tls_key},
        .connect_timeout_ms = ctx->connect_timeout_ms,
        .timeout_ms = state->timeout_ms,
    };
    return rf_mongo_connect(&state->mongo, &address, err);
}

enum rf_status rf_mongodb_source_connect(struct rf_mongodb_source *state,
                                         const struct rf_context *ctx, struct rf_error *err)
{
    state->asked = (enum rf_mongodb_source_images)state->images;
    if (state->asked == RF_MONGODB_IMAGES_AUTO) {
        state->asked = ctx->whole ? RF_MONGODB_IMAGES_UPDATE_LOOKUP : RF_MONGODB_IMAGES_NONE;
    }
    enum rf_status status = read_filter(state, err);
    return status == RF_OK ? connect_server(state, ctx, err) : status;
}

static enum rf_status mongodb_source_open(void *memory, const struct rf_context *ctx,
                                          struct rf_buf *position, struct rf_error *err)
{
    struct rf_mongodb_source *state = memory;
    enum rf_status status = position->size > 0
                                ? rf_resume_parse(&state->read, rf_buf_str(position), err)
                                : rf_resume_from(&state->read, ctx->from, err);
    if (status == RF_OK) {
        status = rf_mongodb_source_connect(state, ctx, err);
    }
    /* A place is looked at before it is used; nothing is written where no stream can be had. */
    bool known = state->read.deployment.size > 0;
    state->read.picks = known ? state->read.picks : state->picks;
    if (status == RF_OK && known) {
        status = rf_mongodb_source_who(state, &state->read, err);
    }
    if (status == RF_OK && known && !state->mongo.mongos) {
        status = rf_mongodb_source_check_clock(state, &state->read, err);
    }
    if (status == RF_OK && known) {
        status = rf_mongodb_source_check_seen(state, &state->read, err);
    }
    if (status == RF_OK) {
        status = rf_mongodb_source_stream_open(state, err);
    }
    if (status == RF_OK && known && state->mongo.mongos) {
        status = rf_mongodb_source_check_clock(state, &state->read, err);
    }
    if (status == RF_OK && !known) {
        status = rf_mongodb_source_who(state, &state->read, err);
    }
    if (status == RF_OK && !known && ctx->feed == 0) {
        rf_mongodb_source_warn(state);
    }
    if (status == RF_OK) {
        rf_buf_set(&state->safe.deployment, rf_buf_str(&state->read.deployment));
        rf_resume_copy(&state->safe, &state->read);
        rf_buf_reset(position);
        rf_resume_print(position, &state->safe);
    }
    return status;
}

/* --------------------------------------------------------------------------------- transactions */

/* The open transaction ends: behind it lies a place. */
static void end_transaction(struct rf_mongodb_source *state, struct rf_batch *batch)
{
    if (!state->open) {
        return;
    }
    if (state->handed && !state->shown) {
        /* It was handed over in earlier batches, but for its end. */
        rf_batch_begin(batch, rf_buf_str(&state->id), state->commit_us, false);
    }
    if (state->handed) {
        rf_batch_commit(batch);
    }
    rf_resume_copy(&state->safe, &state->read);
    state->safe_us = state->commit_us;
    state->moved = true;
    state->open = state->handed = state->shown = false;
}

static bool goes_on(const struct rf_mongodb_source *state,
                    const struct rf_mongodb_source_change *change)
{
    return state->open && change->lsid.size > 0 && change->txn_number == state->txn_number &&
           rf_str_equal(change->lsid, rf_buf_str(&state->lsid));
}

/* The place is of this stream from now on; what another one had last means nothing in it. */
static void claim(const struct rf_mongodb_source *state, struct rf_resume *place)
{
    if (place->picks != state->picks) {
        place->seen_seconds = place->seen_increment = 0;
    }
    place->picks = state->picks;
}

/* The place behind an event. */
static enum rf_status pass(struct rf_mongodb_source *state,
                           const struct rf_mongodb_source_change *change, struct rf_error *err)
{
    uint32_t seconds = change->seconds > 0 ? change->seconds : state->read.seconds;
    uint32_t increment = change->seconds > 0 ? change->increment : state->read.increment;
    if (!rf_resume_take(&state->read, change->token)) {
        return rf_fail(err, RF_FATAL, "a change event has a resume token without _data");
    }
    state->read.seconds = seconds;
    state->read.increment = increment;
    claim(state, &state->read);
    if (change->seconds > 0 && !rf_mongodb_source_change_is_idle(change)) {
        state->read.seen_seconds = seconds;
        state->read.seen_increment = increment;
    }
    state->read.invalidated = rf_str_equal(change->type, RF_STR("invalidate"));
    return RF_OK;
}

/* Why a stream ends is told by the event before; where there is none, as before MongoDB 4.0, what
 * is known has to do. */
static void explain_end(struct rf_mongodb_source *state,
                        const struct rf_mongodb_source_change *change)
{
    if (state->read.invalidated && !state->end_told) {
        rf_log(RF_LOG_WARN,
               "%s says that the stream of %s%s%s ended, and not why: it was dropped, renamed or "
               "replaced. Changes go on, but copies of its documents are as they were before: "
               "remove them, and copy it anew",
               state->mongo.peer, state->database.data, state->collection.size > 0 ? "." : "",
               state->collection.data);
    }
    state->end_told = rf_str_equal(change->type, RF_STR("drop")) ||
                      rf_str_equal(change->type, RF_STR("rename")) ||
                      rf_str_equal(change->type, RF_STR("dropDatabase"));
}

static void begin_transaction(struct rf_mongodb_source *state,
                              const struct rf_mongodb_source_change *change)
{
    state->commit_us = change->wall_us > 0 ? change->wall_us : (int64_t)change->seconds * SECOND_US;
    state->ordinal = 0;
    state->txn_number = change->txn_number;
    rf_buf_set(&state->lsid, change->lsid);
    rf_buf_reset(&state->id);
    rf_resume_print_id(&state->id, &state->read);
    state->open = true;
    state->handed = state->shown = false;
}

/* Of a stream that began at a place's time: what was handed over before the place. */
static bool came_before(struct rf_mongodb_source *state,
                        const struct rf_mongodb_source_change *change)
{
    struct rf_resume at = {.seconds = change->seconds, .increment = change->increment};
    if (state->past.token.size == 0) {
        return false;
    }
    bool before = rf_resume_take(&at, change->token) && at.seconds > 0 &&
                  rf_resume_is_past(&state->past, &at);
    rf_resume_deinit(&at);
    if (!before) { /* nor is anything behind it */
        rf_buf_reset(&state->past.token);
        rf_buf_reset(&state->past.order);
    }
    return before;
}

/* Adds the event to the batch, in its transaction. What does not fit leaves nothing there. */
static enum rf_status show(struct rf_mongodb_source *state, struct rf_batch *batch,
                           const struct rf_mongodb_source_change *change, struct rf_error *err)
{
    bool begins = !state->shown;
    uint32_t count = batch->count;
    if (begins) {
        rf_batch_begin(batch, rf_buf_str(&state->id), state->commit_us, !state->handed);
    }
    enum rf_status status = rf_mongodb_source_change_add(state, batch, change, err);
    if (status == RF_OK) {
        state->shown = state->handed = true;
        return RF_OK;
    }
    batch->transactions[batch->transaction_count - 1].count -= batch->count - count;
    batch->count = count;
    batch->transaction_count -= begins;
    return status;
}

/* Takes an event, or holds it for the next batch when the end of the transaction before it has
 * filled this one. */
static enum rf_status take_event(struct rf_mongodb_source *state, struct rf_batch *batch,
                                 struct rf_str event, struct rf_error *err)
{
    struct rf_mongodb_source_change change;
    enum rf_status status = rf_mongodb_source_change_read(state, &change, event, err);
    if (status == RF_OK && came_before(state, &change)) {
        if (state->read.invalidated && rf_str_equal(change.token, rf_buf_str(&state->read.token))) {
            claim(state, &state->read); /* this stream ends there, too: it is begun behind it */
        }
        return RF_OK;
    }
    bool several = change.lsid.size > 0 && !state->mongo.mongos;
    bool more = status == RF_OK && goes_on(state, &change);
    if (status == RF_OK && !more) {
        end_transaction(state, batch);
        if (batch->transaction_count > 0 && rf_batch_full(batch)) {
            state->held = event;
            return RF_OK;
        }
    }
    if (status == RF_OK) {
        status = pass(state, &change, err);
    }
    if (status != RF_OK) {
        return status;
    }
    explain_end(state, &change);
    if (!more) {
        begin_transaction(state, &change);
    }
    state->ordinal++;
    if (rf_mongodb_source_change_is_idle(&change)) {
        /* Nothing to carry; the place is behind it. */
    } else if (rf_mongodb_source_change_is_picked(state, &change)) {
        status = show(state, batch, &change, err);
    } else {
        batch->skipped++;
    }
    if (status == RF_OK && !several) {
        end_transaction(state, batch);
    }
    return status;
}

/* -------------------------------------------------------------------------------------- reading */

/* Takes what the batch of the server has; stops when ours is full. */
static enum rf_status take_events(struct rf_mongodb_source *state, struct rf_batch *batch,
                                  bool *full, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    struct rf_str event;
    *full = false;
    while (status == RF_OK) {
        event = state->held;
        state->held = RF_STR_NONE;
        if (event.size == 0) {
            status = rf_mongodb_source_stream_next(state, &event, err);
        }
        if (status != RF_OK || event.size == 0) {
            break;
        }
        status = take_event(state, batch, event, err);
        *full = batch->transaction_count > 0 && rf_batch_full(batch);
        if (*full) {
            break;
        }
    }
    return status;
}

static uint64_t time_of(const struct rf_resume *place)
{
    return (uint64_t)place->seconds << 32 | place->increment;
}

/* All of the server's batch was taken: it says how far it is, even where nothing was ours. */
static enum rf_status finish_reply(struct rf_mongodb_source *state, struct rf_batch *batch,
                                   struct rf_error *err)
{
    struct rf_resume behind = {0};
    enum rf_status status = RF_OK;
    if (state->batch_empty) {
        end_transaction(state, batch);
    }
    if (state->after_batch.size > 0 && state->part == 0) {
        behind.seconds = state->read.seconds;
        behind.increment = state->read.increment;
        if (!rf_resume_take(&behind, state->after_batch)) {
            status = rf_fail(err, RF_FATAL, "a postBatchResumeToken has no _data");
        } else if (!rf_str_equal(rf_buf_str(&behind.order), rf_buf_str(&state->read.order)) &&
                   !rf_resume_is_past(&state->past, &behind)) {
            behind.picks = state->read.picks;
            behind.seen_seconds = state->read.seen_seconds;
            behind.seen_increment = state->read.seen_increment;
            claim(state, &behind);
            end_transaction(state, batch);
            rf_resume_copy(&state->read, &behind);
            rf_resume_copy(&state->safe, &behind);
            state->moved = true;
        }
        rf_resume_deinit(&behind);
    }
    state->after_batch = RF_STR_NONE;
    if (state->batch_empty && status == RF_OK && !state->open) {
        /* It may have stopped to look, as its time was over: then it is not where its clock is. A
         * server that does not tell where it is can only be taken by its word that there is
         * nothing. */
        batch->current = time_of(&state->read) >= state->clock_before || state->clock_before == 0 ||
                         !state->tells_place;
    }
    state->batch_empty = false;
    return status;
}

/* The stream is closed: behind an invalidate another one begins. */
static enum rf_status begin_again(struct rf_mongodb_source *state, struct rf_error *err)
{
    if (!state->read.invalidated) {
        return rf_fail(err, RF_RETRY, "%s closed the change stream", state->mongo.peer);
    }
    return rf_mongodb_source_stream_open(state, err);
}

static enum rf_status fill(struct rf_mongodb_source *state, struct rf_batch *batch,
                           int64_t deadline_ms, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    bool full = false;
    while (status == RF_OK) {
        status = take_events(state, batch, &full, err);
        if (status == RF_OK && !full) {
            status = finish_reply(state, batch, err);
        }
        if (status != RF_OK || batch->transaction_count > 0 || state->moved || batch->current) {
            break;
        }
        int64_t left_ms = deadline_ms - rf_clock_ms();
        if (left_ms <= 0) {
            return RF_AGAIN;
        }
        status = state->cursor == 0
                     ? begin_again(state, err)
                     : rf_mongodb_source_stream_more(
                           state, left_ms < WAIT_MS_MAX ? left_ms : WAIT_MS_MAX, err);
    }
    return status;
}

static enum rf_status mongodb_source_read(void *memory, struct rf_batch *batch, int64_t deadline_ms,
                                          struct rf_error *err)
{
    struct rf_mongodb_source *state = memory;
    struct rf_error failed = {0};
    state->shown = false;
    enum rf_status status = state->failed.status;
    if (status != RF_OK) {
        failed = state->failed;
    } else if (atomic_load(&state->mongo.interrupted)) {
        status = rf_fail(&failed, RF_RETRY, "reading from %s was interrupted", state->mongo.peer);
    } else {
        status = fill(state, batch, deadline_ms, &failed);
    }
    if (state->moved) {
        rf_buf_reset(&state->text);
        rf_resume_print(&state->text, &state->safe);
        rf_batch_set_position(batch, rf_buf_str(&state->text), state->safe_us);
        state->safe_us = 0;
        state->moved = false;
    }
    if (status == RF_OK || status == RF_AGAIN) {
        return status;
    }
    if (batch->transaction_count > 0 || batch->position.size > 0) {
        state->failed = failed; /* what came before it goes first */
        return RF_OK;
    }
    if (err != NULL) {
        *err = failed;
    }
    return status;
}

static void mongodb_source_close(void *memory)
{
    struct rf_mongodb_source *state = memory;
    rf_mongodb_source_stream_close(state);
    rf_mongo_close(&state->mongo);
    rf_mongodb_source_collections_deinit(state);
    rf_pick_deinit(&state->pick);
    rf_resume_deinit(&state->read);
    rf_resume_deinit(&state->safe);
    rf_resume_deinit(&state->past);
    rf_buf_deinit(&state->database);
    rf_buf_deinit(&state->collection);
    rf_buf_deinit(&state->command);
    rf_buf_deinit(&state->parts);
    rf_buf_deinit(&state->id);
    rf_buf_deinit(&state->lsid);
    rf_buf_deinit(&state->text);
}

static void mongodb_source_interrupt(void *memory)
{
    struct rf_mongodb_source *state = memory;
    rf_mongo_interrupt(&state->mongo);
}

const struct rf_source_type rf_source_mongodb = {
    .name = "mongodb",
    .summary = "the change streams of a MongoDB replica set or sharded cluster",
    .example = "mongodb://127.0.0.1:27017/shop.orders",
    .state_size = sizeof(struct rf_mongodb_source),
    .options = options,
    .open = mongodb_source_open,
    .read = mongodb_source_read,
    .close = mongodb_source_close,
    .interrupt = mongodb_source_interrupt,
    .contains = rf_resume_contains,
    .check_from = rf_resume_check,
    .examine = rf_mongodb_source_examine,
};
