/* The commands of a change stream. We send them ourselves, and not through libmongoc's change
 * streams: these go on by themselves after an error, where nobody sees it, and copy each event once
 * more.
 *
 * What is to be tried again and what not is the specification's: on servers that label their errors
 * the label decides, on older ones a list. To try again means RF_RETRY here: the engine opens the
 * source behind the last transaction that it got, which resumes the stream. That is about a stream
 * that runs; of one that is to be opened, net/mongo_error.c says what may pass.
 *
 * Source: MongoDB specifications, "Change Streams", "Resumable Error", "Updating the Cached Resume
 * Token"; MongoDB Manual, $changeStream, $changeStreamSplitLargeEvent, getMore. */
#include "source/mongodb.h"

#include "wire/bson.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    REPLY_BYTES = 1 << 20, /* that a batch is to have, about: more only costs memory */
    REPLY_EVENTS_FIRST = 1000,
    REPLY_EVENTS_MAX = 10000,
    CURSOR_NOT_FOUND = 43,
    WIRE_START_AFTER = RF_MONGO_WIRE_4_2,
    WIRE_IMAGES = 17, /* pre- and post-images, of MongoDB 6.0 */
    WIRE_EXPANDED = WIRE_IMAGES,
    SPLIT_BYTES_MAX = 256 << 20,
};

/* --------------------------------------------------------------------------------------- errors */

/* Codes that end a stream for good, or need a person, whatever else is said of them. */
static const struct verdict {
    int code;
    enum rf_status status;
    const char *hint;
} verdicts[] = {
    {286, RF_FATAL, NULL}, /* ChangeStreamHistoryLost */
    {280, RF_FATAL, NULL}, /* ChangeStreamFatalError */
    {136, RF_FATAL, NULL}, /* CappedPositionLost */
    {260, RF_FATAL,
     "the resume token is none of this deployment's: check the address and the position"},
    {234, RF_RETRY, NULL}, /* RetryChangeStream */
    {47, RF_FATAL,
     "images=required: a change has no image any more, or its collection keeps none (collMod: "
     "changeStreamPreAndPostImages); images=when_available goes on without"},
    {10334, RF_FATAL,
     "an event is larger than 16 MiB: MongoDB 6.0.9 and 7.0 split such ones; with fewer images "
     "(images=none) they are smaller"},
    {40573, RF_CONFIG,
     "change streams need a replica set, be it of one member: start mongod with --replSet and run "
     "rs.initiate()"},
    {40324, RF_CONFIG, "change streams came with MongoDB 3.6; is it MongoDB, and no proxy?"},
    {166, RF_CONFIG, "a view has no changes of its own: name the collection that it is made of"},
    {9, RF_CONFIG, "the server does not know an option; is it older than that needs?"},
    {72, RF_CONFIG, "the server does not know an option; is it older than that needs?"},
    {40415, RF_CONFIG, "the server does not know an option; is it older than that needs?"},
};

static const char lost_history[] =
    "what comes behind the position is no longer in the deployment's oplog, which is too small for "
    "so long a time away (replSetResizeOplog), or the position is of another stream, or of what a "
    "backup that was restored does not have. Take a new snapshot of the collections, then set a "
    "new "
    "position";

static bool is_listed(int code)
{
    static const int codes[] = {6,   7,    63,    89,    91,    133,   150,   189,  234,
                                262, 9001, 10107, 11600, 11602, 13388, 13435, 13436};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i] == code) {
            return true;
        }
    }
    return false;
}

static bool has_label(const bson_t *reply, const char *label)
{
    bson_iter_t labels, item;
    if (!bson_iter_init_find(&labels, reply, "errorLabels") || !bson_iter_recurse(&labels, &item)) {
        return false;
    }
    while (bson_iter_next(&item)) {
        if (BSON_ITER_HOLDS_UTF8(&item) && strcmp(bson_iter_utf8(&item, NULL), label) == 0) {
            return true;
        }
    }
    return false;
}

static enum rf_status set_status(struct rf_error *err, enum rf_status status)
{
    if (err != NULL) {
        err->status = status;
    }
    return status;
}

static const struct verdict *verdict_of(int code)
{
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        if (verdicts[i].code == code) {
            return &verdicts[i];
        }
    }
    return NULL;
}

/* What the failure of a command of the stream means. `err` is filled in. */
static enum rf_status judge(const struct rf_mongodb_source *state, enum rf_status status,
                            const bson_t *reply, bool opening, struct rf_error *err)
{
    if (status == RF_OK || err->code == 0) {
        return status; /* the connection broke, or there is none: always to be tried again */
    }
    const struct verdict *verdict = verdict_of(err->code);
    bool labels = state->mongo.max_wire >= RF_MONGO_WIRE_4_4;
    if (verdict != NULL && verdict->status != RF_RETRY) {
        rf_error_hint(err, "%s", verdict->hint != NULL ? verdict->hint : lost_history);
        return set_status(err, verdict->status);
    }
    if (err->access) {
        rf_error_hint(err, "the user needs the actions changeStream and find on what is watched: "
                           "the role read on the database, or readAnyDatabase for all");
        return set_status(err, RF_CONFIG);
    }
    if (err->code == CURSOR_NOT_FOUND || has_label(reply, "ResumableChangeStreamError") ||
        ((!labels || opening) && is_listed(err->code))) {
        return set_status(err, RF_RETRY);
    }
    if (status == RF_CONFIG || (opening && status == RF_RETRY)) {
        return status; /* what may pass, as after an election, must not end a pipeline */
    }
    if (opening) {
        rf_error_hint(err, "the server gives no change stream here: does it keep an oplog? Its log "
                           "may say more");
        return set_status(err, RF_CONFIG);
    }
    rf_error_hint(err, "MongoDB says of this error that the change stream cannot go on behind it "
                       "by itself; look into the server's log");
    return set_status(err, RF_FATAL);
}

/* -------------------------------------------------------------------------------------- replies */

static void drop_reply(struct rf_mongodb_source *state)
{
    if (state->reply != NULL) {
        bson_destroy(state->reply);
        free(state->reply);
        state->reply = NULL;
    }
    state->walking = state->batch_empty = false;
    state->held = RF_STR_NONE;
    state->after_batch = RF_STR_NONE;
}

void rf_mongodb_source_stream_close(struct rf_mongodb_source *state)
{
    drop_reply(state);
    state->cursor = 0;
    state->part = 0;
    rf_buf_reset(&state->parts);
}

/* Runs the command, and keeps its reply. */
static enum rf_status run(struct rf_mongodb_source *state, size_t begin, const char *database,
                          struct rf_error *err)
{
    drop_reply(state);
    /* What bson_t wants is more than malloc promises. */
    state->reply = aligned_alloc(_Alignof(bson_t), sizeof(bson_t));
    rf_assert(state->reply != NULL);
    return rf_mongodb_source_run(state, begin, database, state->reply, err);
}

/* Looks at the batch that the reply has. */
static enum rf_status take_batch(struct rf_mongodb_source *state, bool opening,
                                 struct rf_error *err)
{
    struct rf_str reply = {(const char *)bson_get_data(state->reply), state->reply->len};
    struct rf_bson_element cursor, field;
    if (!rf_bson_find(reply, RF_STR("cursor"), &cursor) || cursor.type != RF_BSON_DOCUMENT) {
        return rf_fail(err, RF_CONFIG, "%s answers a change stream without a cursor",
                       state->mongo.peer);
    }
    struct rf_bson_walk walk = rf_bson_walk(rf_bson_document(&cursor));
    state->clock_before = state->clock;
    if (rf_bson_find(reply, RF_STR("operationTime"), &field) && field.type == RF_BSON_TIMESTAMP) {
        state->clock = (uint64_t)rf_bson_seconds(&field) << 32 | rf_bson_increment(&field);
    }
    while (rf_bson_next(&walk, &field)) {
        bool batch = rf_str_equal(field.name, RF_STR("nextBatch")) ||
                     rf_str_equal(field.name, RF_STR("firstBatch"));
        if (batch && field.type == RF_BSON_ARRAY) {
            state->walk = rf_bson_walk(rf_bson_document(&field));
            state->walking = true;
            state->batch_empty = !opening && field.value.size == 5;
        } else if (rf_str_equal(field.name, RF_STR("id")) && field.type == RF_BSON_INT64) {
            state->cursor = rf_bson_int64(&field);
        } else if (rf_str_equal(field.name, RF_STR("postBatchResumeToken")) &&
                   field.type == RF_BSON_DOCUMENT) {
            state->after_batch = rf_bson_document(&field);
            state->tells_place = true;
        }
    }
    return state->walking ? RF_OK
                          : rf_fail(err, RF_CONFIG, "%s answers a change stream without a batch",
                                    state->mongo.peer);
}

/* Carries out the command that begins there, and keeps its reply. */
static enum rf_status ask(struct rf_mongodb_source *state, size_t begin, const char *database,
                          bool opening, struct rf_error *err)
{
    enum rf_status status = run(state, begin, database, err);
    status = judge(state, status, state->reply, opening, err);
    return status == RF_OK ? take_batch(state, opening, err) : status;
}

/* -------------------------------------------------------------------------------------- opening */

static const char *lookup_name(enum rf_mongodb_source_images images)
{
    switch (images) {
    case RF_MONGODB_IMAGES_UPDATE_LOOKUP: return "updateLookup";
    case RF_MONGODB_IMAGES_WHEN_AVAILABLE: return "whenAvailable";
    case RF_MONGODB_IMAGES_REQUIRED: return "required";
    case RF_MONGODB_IMAGES_AUTO:
    case RF_MONGODB_IMAGES_NONE: break;
    }
    return NULL;
}

void rf_mongodb_source_add_time(struct rf_buf *out, const char *name, uint32_t seconds,
                                uint32_t increment)
{
    uint32_t numbers[] = {increment, seconds};
    rf_buf_add_byte(out, RF_BSON_TIMESTAMP);
    rf_buf_add(out, name, strlen(name) + 1);
    for (size_t i = 0; i < 2; i++) {
        for (int shift = 0; shift < 32; shift += 8) {
            rf_buf_add_byte(out, (char)(numbers[i] >> shift));
        }
    }
}

static void add_stage(struct rf_mongodb_source *state)
{
    struct rf_buf *out = &state->command;
    const struct rf_resume *place = &state->read;
    const char *lookup = lookup_name(state->asked);
    size_t stage = rf_bson_open_item(out, 0);
    size_t options = rf_bson_open(out, RF_BSON_DOCUMENT, "$changeStream");
    if (lookup != NULL) {
        rf_bson_add_utf8(out, "fullDocument", rf_str_of(lookup));
    }
    if (lookup != NULL && state->asked != RF_MONGODB_IMAGES_UPDATE_LOOKUP) {
        rf_bson_add_utf8(out, "fullDocumentBeforeChange", rf_str_of(lookup));
    }
    if (state->database.size == 0) {
        rf_bson_add_bool(out, "allChangesForCluster", true);
    }
    if (state->expands) {
        rf_bson_add_bool(out, "showExpandedEvents", true);
    }
    if (place->token.size > 0 && state->past.token.size == 0) {
        rf_bson_add_document(out, place->invalidated ? "startAfter" : "resumeAfter",
                             rf_buf_str(&place->token));
    } else if (place->seconds > 0) {
        rf_mongodb_source_add_time(out, "startAtOperationTime", place->seconds, place->increment);
    }
    rf_bson_end(out, options);
    rf_bson_end(out, stage);
}

static size_t begin_aggregate(struct rf_mongodb_source *state)
{
    struct rf_buf *out = &state->command;
    rf_buf_reset(out);
    size_t begin = rf_bson_begin(out);
    if (state->collection.size > 0) {
        rf_bson_add_utf8(out, "aggregate", rf_buf_str(&state->collection));
    } else {
        rf_bson_add_int32(out, "aggregate", 1);
    }
    size_t pipeline = rf_bson_open(out, RF_BSON_ARRAY, "pipeline");
    add_stage(state);
    uint32_t stages = 1;
    stages += rf_mongodb_source_match_add(state, out, stages);
    if (state->splits) { /* by the manual the last one */
        size_t stage = rf_bson_open_item(out, stages);
        rf_bson_end(out, rf_bson_open(out, RF_BSON_DOCUMENT, "$changeStreamSplitLargeEvent"));
        rf_bson_end(out, stage);
    }
    rf_bson_end(out, pipeline);
    size_t cursor = rf_bson_open(out, RF_BSON_DOCUMENT, "cursor");
    if (state->batch_size > 0) {
        rf_bson_add_int32(out, "batchSize", (int32_t)state->batch_size);
    }
    rf_bson_end(out, cursor);
    return begin;
}

static const char *database_of(const struct rf_mongodb_source *state)
{
    return state->database.size > 0 ? state->database.data : "admin";
}

/* From 6.0.9 and 7.0 on. */
static bool can_split(const char *version)
{
    unsigned major = 0, minor = 0, patch = 0;
    return sscanf(version, "%u.%u.%u", &major, &minor, &patch) >= 2 &&
           (major > 6 || (major == 6 && (minor > 0 || patch >= 9)));
}

/* Where the server's clock stands, as it says in each reply. False: it does not say. */
static bool take_operation_time(struct rf_mongodb_source *state)
{
    bson_iter_t iter;
    uint32_t seconds, increment;
    if (!bson_iter_init_find(&iter, state->reply, "operationTime") ||
        !BSON_ITER_HOLDS_TIMESTAMP(&iter)) {
        return false;
    }
    bson_iter_timestamp(&iter, &seconds, &increment);
    state->read.seconds = seconds;
    state->read.increment = increment + 1; /* what has that very time was there before us */
    return true;
}

/* The same by the last entry of the log, on servers that say it nowhere else. */
static enum rf_status ask_log(struct rf_mongodb_source *state, struct rf_error *err)
{
    struct rf_buf *out = &state->command;
    bson_iter_t iter, found;
    uint32_t seconds = 0, increment = 0;
    rf_buf_reset(out);
    size_t begin = rf_bson_begin(out);
    rf_bson_add_utf8(out, "find", RF_STR("oplog.rs"));
    size_t sort = rf_bson_open(out, RF_BSON_DOCUMENT, "sort");
    rf_bson_add_int32(out, "$natural", -1);
    rf_bson_end(out, sort);
    rf_bson_add_int32(out, "limit", 1);
    rf_bson_add_bool(out, "singleBatch", true);
    enum rf_status status = run(state, begin, "local", err);
    if (status != RF_OK) {
        return judge(state, status, state->reply, true, err);
    }
    if (bson_iter_init(&iter, state->reply) &&
        bson_iter_find_descendant(&iter, "cursor.firstBatch.0.ts", &found) &&
        BSON_ITER_HOLDS_TIMESTAMP(&found)) {
        bson_iter_timestamp(&found, &seconds, &increment);
    }
    state->read.seconds = seconds > 0 ? seconds : 1; /* an empty log: all is still to come */
    state->read.increment = increment + 1;
    return RF_OK;
}

static enum rf_status aggregate(struct rf_mongodb_source *state, struct rf_error *err)
{
    size_t begin = begin_aggregate(state);
    return ask(state, begin, database_of(state), true, err);
}

/* Whether it may be the option that is refused: 6.0 knows it, and what speaks the protocol of 6.0,
 * or was upgraded to it by halves, may not. */
static bool may_be_unknown(enum rf_status status, const struct rf_error *err)
{
    enum {
        NOT_SUPPORTED = 115,
        NOT_IMPLEMENTED = 238,
        NO_FEATURE = 303,
        LOCATIONS = 40000, /* from here on a code is a place in the server's source */
    };
    bool unknown = err->code == NOT_SUPPORTED || err->code == NOT_IMPLEMENTED ||
                   err->code == NO_FEATURE || err->code >= LOCATIONS;
    return !err->access && (status == RF_CONFIG || (status == RF_RETRY && unknown));
}

/* The first command of a stream. */
static enum rf_status begin_stream(struct rf_mongodb_source *state, struct rf_error *err)
{
    state->expands = state->mongo.max_wire >= WIRE_EXPANDED;
    enum rf_status status = aggregate(state, err);
    if (state->expands && may_be_unknown(status, err)) {
        *err = (struct rf_error){0};
        state->expands = false;
        status = aggregate(state, err);
    }
    return status;
}

/* Gives a stream that began "now" the place where it did. */
static enum rf_status find_now(struct rf_mongodb_source *state, struct rf_error *err)
{
    bool timed = take_operation_time(state);
    if (state->after_batch.size > 0) {
        if (rf_resume_take(&state->read, state->after_batch)) {
            return RF_OK;
        }
        return rf_fail(err, RF_CONFIG, "%s gives resume tokens without _data", state->mongo.peer);
    }
    /* Between the stream's beginning and that time may lie changes: it begins there once more. */
    enum rf_status status = timed ? RF_OK : ask_log(state, err);
    return status == RF_OK ? aggregate(state, err) : status;
}

/* A server does not go on behind an event that another stream had, and this one has not. From its
 * time on the stream is the same, and tokens tell what of that time came before. MongoDB 3.6 begins
 * at no time, and has streams of collections only: its positions that say of none go on as ever. */
static void go_by_time(struct rf_mongodb_source *state)
{
    const struct rf_resume *place = &state->read;
    rf_buf_reset(&state->past.token);
    rf_buf_reset(&state->past.order);
    if (place->token.size > 0 && place->seconds > 0 && place->picks != state->picks &&
        state->mongo.max_wire >= RF_MONGO_WIRE_4_0) {
        rf_resume_copy(&state->past, place);
    }
}

enum rf_status rf_mongodb_source_stream_open(struct rf_mongodb_source *state, struct rf_error *err)
{
    struct rf_error spare = {0};
    err = err != NULL ? err : &spare; /* its code is looked at */
    rf_mongodb_source_stream_close(state);
    state->splits = can_split(state->mongo.version);
    if (state->asked >= RF_MONGODB_IMAGES_WHEN_AVAILABLE && state->mongo.max_wire < WIRE_IMAGES) {
        rf_fail(err, RF_CONFIG, "%s is older than MongoDB 6.0 and keeps no images",
                state->mongo.peer);
        rf_error_hint(err, "images=update_lookup has the document as it is when it is looked up");
        return RF_CONFIG;
    }
    if (state->read.invalidated && state->mongo.max_wire < WIRE_START_AFTER) {
        /* Nothing older goes on behind the end of a stream but by time. */
        rf_buf_reset(&state->read.token);
        rf_buf_reset(&state->read.order);
        state->read.increment++;
        state->read.invalidated = false;
    }
    bool now = state->read.token.size == 0 && state->read.seconds == 0;
    go_by_time(state);
    enum rf_status status = begin_stream(state, err);
    return status == RF_OK && now ? find_now(state, err) : status;
}

/* How many events to ask for, going by how large they were. */
static int64_t events_wanted(const struct rf_mongodb_source *state)
{
    if (state->batch_size > 0) {
        return state->batch_size;
    }
    if (state->event_bytes == 0) {
        return REPLY_EVENTS_FIRST;
    }
    int64_t wanted = REPLY_BYTES / (int64_t)state->event_bytes;
    return wanted < 1 ? 1 : wanted > REPLY_EVENTS_MAX ? REPLY_EVENTS_MAX : wanted;
}

enum rf_status rf_mongodb_source_stream_more(struct rf_mongodb_source *state, int64_t wait_ms,
                                             struct rf_error *err)
{
    struct rf_error spare = {0};
    struct rf_buf *out = &state->command;
    err = err != NULL ? err : &spare;
    rf_buf_reset(out);
    size_t begin = rf_bson_begin(out);
    rf_bson_add_int64(out, "getMore", state->cursor);
    rf_bson_add_utf8(out, "collection",
                     state->collection.size > 0 ? rf_buf_str(&state->collection)
                                                : RF_STR("$cmd.aggregate"));
    rf_bson_add_int64(out, "batchSize", events_wanted(state));
    rf_bson_add_int64(out, "maxTimeMS", wait_ms > 0 ? wait_ms : 1);
    return ask(state, begin, database_of(state), false, err);
}

void rf_mongodb_source_end_cursor(struct rf_mongodb_source *state, int64_t cursor)
{
    struct rf_buf *out = &state->command;
    struct rf_error ignored = {0};
    bson_t reply;
    if (cursor == 0) {
        return;
    }
    rf_buf_reset(out);
    size_t begin = rf_bson_begin(out);
    rf_bson_add_utf8(out, "killCursors",
                     state->collection.size > 0 ? rf_buf_str(&state->collection)
                                                : RF_STR("$cmd.aggregate"));
    size_t list = rf_bson_open(out, RF_BSON_ARRAY, "cursors");
    rf_bson_add_int64(out, "0", cursor);
    rf_bson_end(out, list);
    /* The server ends it by itself, too, only later. */
    enum rf_status status =
        rf_mongodb_source_run(state, begin, database_of(state), &reply, &ignored);
    (void)status;
    bson_destroy(&reply);
}

/* ----------------------------------------------------------------------------------- split ones */

static enum rf_status bad_split(struct rf_error *err, const char *what)
{
    return rf_fail(err, RF_FATAL, "the parts of a split change event do not fit together: %s",
                   what);
}

static bool int_of(struct rf_str document, const char *name, int32_t *out)
{
    struct rf_bson_element field;
    if (!rf_bson_find(document, rf_str_of(name), &field) || field.type != RF_BSON_INT32) {
        return false;
    }
    *out = rf_bson_int32(&field);
    return true;
}

/* Appends the part's fields; the token is that of the last one. */
static void add_part(struct rf_buf *out, struct rf_str part, bool last)
{
    struct rf_bson_element field;
    struct rf_bson_walk walk = rf_bson_walk(part);
    while (rf_bson_next(&walk, &field)) {
        bool token = rf_str_equal(field.name, RF_STR("_id"));
        if ((token && !last) || rf_str_equal(field.name, RF_STR("splitEvent"))) {
            continue;
        }
        rf_buf_add_byte(out, (char)field.type);
        rf_buf_add(out, field.name.data, field.name.size + 1);
        rf_buf_add_str(out, field.value);
    }
}

/* Takes one part; *event is filled in with the last one. */
static enum rf_status take_part(struct rf_mongodb_source *state, struct rf_str part,
                                struct rf_str split, struct rf_str *event, struct rf_error *err)
{
    int32_t number, count;
    if (!int_of(split, "fragment", &number) || !int_of(split, "of", &count)) {
        return bad_split(err, "one does not say its number");
    }
    if (number != state->part + 1 || number > count ||
        (state->part > 0 && count != state->part_count)) {
        return bad_split(err, "their numbers are not in order");
    }
    if (state->parts.size + part.size > SPLIT_BYTES_MAX) {
        return bad_split(err, "they are larger than 256 MiB together");
    }
    if (number == 1) {
        rf_buf_reset(&state->parts);
        rf_bson_begin(&state->parts);
    }
    add_part(&state->parts, part, number == count);
    state->part = number;
    state->part_count = count;
    if (number == count) {
        rf_bson_end(&state->parts, 0);
        state->part = 0;
        *event = rf_buf_str(&state->parts);
    }
    return RF_OK;
}

enum rf_status rf_mongodb_source_stream_next(struct rf_mongodb_source *state, struct rf_str *event,
                                             struct rf_error *err)
{
    struct rf_bson_element item, split;
    enum rf_status status = RF_OK;
    *event = RF_STR_NONE;
    while (status == RF_OK && event->size == 0 && state->walking) {
        bool there = rf_bson_next(&state->walk, &item);
        if (there) { /* of the last ones, the later the more */
            state->event_bytes = state->event_bytes - state->event_bytes / 4 + item.value.size / 4;
        }
        if (!there) {
            state->walking = false;
        } else if (item.type != RF_BSON_DOCUMENT) {
            status = rf_fail(err, RF_FATAL, "%s sends a change event that is no document",
                             state->mongo.peer);
        } else if (state->splits &&
                   rf_bson_find(rf_bson_document(&item), RF_STR("splitEvent"), &split) &&
                   split.type == RF_BSON_DOCUMENT) {
            status =
                take_part(state, rf_bson_document(&item), rf_bson_document(&split), event, err);
        } else if (state->part > 0) {
            status = bad_split(err, "another event comes between them");
        } else {
            *event = rf_bson_document(&item);
        }
    }
    return status;
}
