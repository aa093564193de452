/* Whether the deployment still has what was seen of it last: a backup of its files that was
 * restored has the same id, and the server takes a place between two events whatever came before
 * it.
 *
 * So a place remembers the time of the last event of its stream (seen): if anything of the stream
 * was undone, that one was. The stream is begun at that time once, for one event, which has to have
 * that very time. That costs the server the look at one entry of its log; where it is gone, it goes
 * on looking for another one: so no event is asked for with the stream itself, but behind it, with
 * a limit to how long the server may wait.
 *
 * What nobody can tell is taken for right: the log does not reach back so far any more, or it is a
 * sharded cluster, whose router has to wait for all shards.
 *
 * Source: MongoDB Manual, $changeStream (startAtOperationTime), killCursors. */
#include "source/mongodb.h"

#include "wire/bson.h"

enum { TRIES = 5, WAIT_MS = 200 };

enum finding { FOUND, MISSING, UNKNOWN };

static const char *database_of(const struct rf_mongodb_source *state)
{
    return state->database.size > 0 ? state->database.data : "admin";
}

static struct rf_str collection_of(const struct rf_mongodb_source *state)
{
    return state->collection.size > 0 ? rf_buf_str(&state->collection) : RF_STR("$cmd.aggregate");
}

/* Nothing but the times: an event may be larger than a document. */
static size_t begin_command(struct rf_mongodb_source *state, const struct rf_resume *place)
{
    struct rf_buf *out = &state->command;
    uint32_t stages = 1;
    rf_buf_reset(out);
    size_t begin = rf_bson_begin(out);
    if (state->collection.size > 0) {
        rf_bson_add_utf8(out, "aggregate", rf_buf_str(&state->collection));
    } else {
        rf_bson_add_int32(out, "aggregate", 1);
    }
    size_t pipeline = rf_bson_open(out, RF_BSON_ARRAY, "pipeline");
    size_t stage = rf_bson_open_item(out, 0);
    size_t options = rf_bson_open(out, RF_BSON_DOCUMENT, "$changeStream");
    if (state->database.size == 0) {
        rf_bson_add_bool(out, "allChangesForCluster", true);
    }
    rf_mongodb_source_add_time(out, "startAtOperationTime", place->seen_seconds,
                               place->seen_increment);
    rf_bson_end(out, options);
    rf_bson_end(out, stage);
    stages += rf_mongodb_source_match_add(state, out, stages);
    stage = rf_bson_open_item(out, stages);
    size_t fields = rf_bson_open(out, RF_BSON_DOCUMENT, "$project");
    rf_bson_add_int32(out, "clusterTime", 1);
    rf_bson_end(out, fields);
    rf_bson_end(out, stage);
    rf_bson_end(out, pipeline);
    size_t cursor = rf_bson_open(out, RF_BSON_DOCUMENT, "cursor");
    rf_bson_add_int32(out, "batchSize", 0);
    rf_bson_end(out, cursor);
    return begin;
}

static size_t begin_more(struct rf_mongodb_source *state, int64_t cursor)
{
    struct rf_buf *out = &state->command;
    rf_buf_reset(out);
    size_t begin = rf_bson_begin(out);
    rf_bson_add_int64(out, "getMore", cursor);
    rf_bson_add_utf8(out, "collection", collection_of(state));
    rf_bson_add_int32(out, "batchSize", 1);
    rf_bson_add_int64(out, "maxTimeMS", WAIT_MS);
    return begin;
}

static uint64_t seen_of(const struct rf_resume *place)
{
    return (uint64_t)place->seen_seconds << 32 | place->seen_increment;
}

/* The time of the first event of a batch; 0: it has none. */
static uint64_t first_time(struct rf_str batch)
{
    struct rf_bson_element event, time;
    struct rf_bson_walk walk = rf_bson_walk(batch);
    if (!rf_bson_next(&walk, &event) || event.type != RF_BSON_DOCUMENT ||
        !rf_bson_find(rf_bson_document(&event), RF_STR("clusterTime"), &time) ||
        time.type != RF_BSON_TIMESTAMP) {
        return 0;
    }
    return (uint64_t)rf_bson_seconds(&time) << 32 | rf_bson_increment(&time);
}

/* Up to which time all was looked at; 0: it does not say. */
static uint64_t scanned_time(struct rf_str token)
{
    struct rf_resume at = {0};
    uint64_t time = rf_resume_take(&at, token) ? (uint64_t)at.seconds << 32 | at.increment : 0;
    rf_resume_deinit(&at);
    return time;
}

/* What an answer tells; *cursor goes on where it does not. `asked`: for events. */
static enum finding judge(const bson_t *reply, bool asked, uint64_t seen, int64_t *cursor)
{
    struct rf_str whole = {(const char *)bson_get_data(reply), reply->len};
    struct rf_bson_element part, field;
    uint64_t time = 0, scanned = 0;
    *cursor = 0;
    if (!rf_bson_find(whole, RF_STR("cursor"), &part) || part.type != RF_BSON_DOCUMENT) {
        return UNKNOWN;
    }
    struct rf_bson_walk walk = rf_bson_walk(rf_bson_document(&part));
    while (rf_bson_next(&walk, &field)) {
        bool batch = rf_str_equal(field.name, RF_STR("nextBatch")) ||
                     rf_str_equal(field.name, RF_STR("firstBatch"));
        if (batch && field.type == RF_BSON_ARRAY) {
            time = first_time(rf_bson_document(&field));
        } else if (rf_str_equal(field.name, RF_STR("id")) && field.type == RF_BSON_INT64) {
            *cursor = rf_bson_int64(&field);
        } else if (rf_str_equal(field.name, RF_STR("postBatchResumeToken")) &&
                   field.type == RF_BSON_DOCUMENT) {
            scanned = scanned_time(rf_bson_document(&field));
        }
    }
    if (time != 0) { /* an earlier one is of the same transaction, which ended then */
        return time <= seen ? FOUND : MISSING;
    }
    return asked && scanned > seen ? MISSING : UNKNOWN;
}

/* The connection is gone: whatever the log has, nothing can be asked any more. */
static enum rf_status lost_sight(const struct rf_resume *place, const struct rf_error *why,
                                 struct rf_error *err)
{
    rf_fail(err, why->status,
            "%s. It was asked for the last change before the position, which was made at %u.%u",
            why->message, place->seen_seconds, place->seen_increment);
    rf_error_hint(err, "%s",
                  why->hint[0] != '\0' ? why->hint
                                       : "it may have to look through much of its oplog "
                                         "for that: where this stays, raise timeout");
    if (err != NULL) {
        err->code = why->code;
        err->connect = why->connect;
    }
    return why->status;
}

/* Returns RF_OK; as rf_mongo_run where the connection broke. A refusal is no answer: the stream
 * itself will meet it, and say so. */
static enum rf_status look(struct rf_mongodb_source *state, const struct rf_resume *place,
                           enum finding *finding, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    size_t begin = begin_command(state, place);
    int64_t cursor = 0;
    *finding = UNKNOWN;
    for (int i = 0; i <= TRIES && status == RF_OK && *finding == UNKNOWN; i++) {
        struct rf_error refusal = {0};
        bson_t reply;
        if (i > 0) {
            begin = begin_more(state, cursor);
        }
        status = rf_mongodb_source_run(state, begin, database_of(state), &reply, &refusal);
        if (status == RF_OK) {
            *finding = judge(&reply, i > 0, seen_of(place), &cursor);
        } else if (state->mongo.broken.status != RF_OK || atomic_load(&state->mongo.interrupted)) {
            status = lost_sight(place, &refusal, err);
            cursor = 0;
        } else {
            status = RF_AGAIN; /* refused */
        }
        bson_destroy(&reply);
        if (cursor == 0) {
            break;
        }
    }
    rf_mongodb_source_end_cursor(state, cursor);
    return status == RF_AGAIN ? RF_OK : status;
}

enum rf_status rf_mongodb_source_check_seen(struct rf_mongodb_source *state,
                                            const struct rf_resume *place, struct rf_error *err)
{
    enum finding finding = UNKNOWN;
    enum rf_status status = RF_OK;
    if (place->seen_seconds != 0 && place->token.size > 0 && !state->mongo.mongos &&
        place->picks == state->picks && state->mongo.max_wire >= RF_MONGO_WIRE_4_0) {
        status = look(state, place, &finding, err);
    }
    if (status != RF_OK || finding != MISSING) {
        return status;
    }
    rf_fail(err, RF_FATAL,
            "%s has not any more what it had at %u.%u, which was the last change before the "
            "position: it was set back, as by a backup that was restored",
            state->mongo.peer, place->seen_seconds, place->seen_increment);
    rf_error_hint(err,
                  "%s. If it was not, set the position without seen=", rf_mongodb_source_set_back);
    return RF_FATAL;
}
