/* Source: MongoDB Manual, "Change Streams", "Change Events", getMore; MongoDB specifications,
 * "Change Streams". */
#include "lib/mongo_script_watch.h"

#include "base/memory.h"
#include "lib/mongo_script_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    BATCH_EVENTS = 101,
    BATCH_BYTES = 16 << 20,
    NEXT_EVENTS_MAX = 100000,
    EVENT_DIGITS = 28, /* of an entry's token, which ends with 04 */
    TOKEN_NOT_FOUND = 280,
    CURSOR_NOT_FOUND = 43,
    NO_DOCUMENT = 47,
    NO_REPLICATION = 76,
    INVALID_TOKEN = 260,
    HISTORY_LOST = 286,
    NO_STREAMS = 40573,
    UNKNOWN_FIELD = 40415,
    WIRE_EXPANDED = 17, /* MongoDB 6.0 */
    NO_STAGE = 40324,
};

struct stream {
    struct stream *next;
    int64_t id;
    char database[64], collection[256]; /* empty: all */
    char look_up[16], before[16];       /* of the options; empty: default */
    bool splits;
    bool expanded; /* more events, and more in them */
    bson_t *match; /* of the stage $match; NULL: there is none */
    uint64_t at;   /* number of the next entry, those that are lost counted */
    char token[2 * RF_MONGO_SCRIPT_TOKEN_SIZE]; /* that it stands behind */
    bool owes_end; /* the entry before ends it, which it has not said yet */
    bool ended;
};

/* ---------------------------------------------------------------------------------------- small */

static struct rf_mongo_script_history *history_of(const struct rf_mongo_script_client *client)
{
    return client->script->set->store->history;
}

static void refuse(bson_t *reply, int code, const char *name, const char *text)
{
    bson_reinit(reply);
    rf_assert(BSON_APPEND_DOUBLE(reply, "ok", 0) && BSON_APPEND_UTF8(reply, "errmsg", text) &&
              BSON_APPEND_INT32(reply, "code", code) && BSON_APPEND_UTF8(reply, "codeName", name));
}

static const char *text_of(const bson_t *document, const char *name)
{
    bson_iter_t field;
    return bson_iter_init_find(&field, document, name) && BSON_ITER_HOLDS_UTF8(&field)
               ? bson_iter_utf8(&field, NULL)
               : "";
}

static void free_stream(struct stream *stream)
{
    bson_destroy(stream->match);
    free(stream);
}

static bool is_in_scope(const struct stream *stream, const struct rf_mongo_script_entry *entry)
{
    if (strcmp(entry->type, "create") == 0 && !stream->expanded) {
        return false;
    }
    if (stream->database[0] == '\0') {
        return true;
    }
    return strcmp(stream->database, entry->database) == 0 &&
           (stream->collection[0] == '\0' || entry->collection[0] == '\0' ||
            strcmp(stream->collection, entry->collection) == 0 ||
            (entry->to != NULL && strcmp(stream->collection, entry->to) == 0));
}

static bool ends_stream(const struct stream *stream, const struct rf_mongo_script_entry *entry)
{
    bool database = strcmp(entry->type, "dropDatabase") == 0;
    bool collection = strcmp(entry->type, "drop") == 0 || strcmp(entry->type, "rename") == 0;
    return (stream->collection[0] != '\0' && (collection || database)) ||
           (stream->database[0] != '\0' && database);
}

static void append_token(bson_t *out, const char *name, const char *token)
{
    bson_t document;
    rf_assert(BSON_APPEND_DOCUMENT_BEGIN(out, name, &document) &&
              BSON_APPEND_UTF8(&document, "_data", token) &&
              bson_append_document_end(out, &document));
}

/* --------------------------------------------------------------------------------------- events */

static void append_names(bson_t *out, const char *name, const char *database,
                         const char *collection)
{
    bson_t names;
    rf_assert(BSON_APPEND_DOCUMENT_BEGIN(out, name, &names) &&
              BSON_APPEND_UTF8(&names, "db", database));
    rf_assert(collection[0] == '\0' || BSON_APPEND_UTF8(&names, "coll", collection));
    rf_assert(bson_append_document_end(out, &names));
}

/* The document as it is now; NULL: there is none. */
static const bson_t *look_up(const struct rf_mongo_script_client *client,
                             const struct rf_mongo_script_entry *entry)
{
    char name[320];
    bson_iter_t id;
    snprintf(name, sizeof name, "%s.%s", entry->database, entry->collection);
    rf_assert(bson_iter_init_find(&id, entry->key, "_id"));
    const struct rf_mongo_script_document *document = rf_mongo_script_document(
        rf_mongo_script_collection(client->script->set->store, name, false), &id);
    return document != NULL ? document->bson : NULL;
}

static void append_image(bson_t *out, const char *name, const bson_t *image)
{
    rf_assert(image != NULL ? BSON_APPEND_DOCUMENT(out, name, image) : BSON_APPEND_NULL(out, name));
}

/* False: an image is required, and there is none. */
static bool append_images(const struct rf_mongo_script_client *client, const struct stream *stream,
                          const struct rf_mongo_script_entry *entry, bson_t *out)
{
    bool keeps = client->script->options.images;
    bool update = strcmp(entry->type, "update") == 0;
    if (entry->after != NULL && !update) {
        append_image(out, "fullDocument", entry->after);
    } else if (update && strcmp(stream->look_up, "updateLookup") == 0) {
        append_image(out, "fullDocument", look_up(client, entry));
    } else if (update && stream->look_up[0] != '\0') {
        append_image(out, "fullDocument", keeps ? entry->after : NULL);
    }
    bool before = strcmp(entry->type, "insert") != 0 && entry->key != NULL;
    if (before && stream->before[0] != '\0') {
        append_image(out, "fullDocumentBeforeChange", keeps ? entry->before : NULL);
    }
    bool required = strcmp(stream->look_up, "required") == 0 && (update || before);
    return keeps || !required;
}

static bool make_event(const struct rf_mongo_script_client *client, const struct stream *stream,
                       const struct rf_mongo_script_entry *entry, bson_t *out)
{
    append_token(out, "_id", entry->token);
    rf_assert(BSON_APPEND_UTF8(out, "operationType", entry->type) &&
              BSON_APPEND_TIMESTAMP(out, "clusterTime", entry->seconds, entry->increment) &&
              BSON_APPEND_DATE_TIME(out, "wallTime", (int64_t)entry->seconds * 1000));
    bool whole = append_images(client, stream, entry, out);
    append_names(out, "ns", entry->database, entry->collection);
    if (entry->to != NULL) {
        append_names(out, "to", entry->database, entry->to);
    }
    if (entry->key != NULL) {
        rf_assert(BSON_APPEND_DOCUMENT(out, "documentKey", entry->key));
    }
    if (entry->update != NULL) {
        bson_t update, paths;
        rf_assert(BSON_APPEND_DOCUMENT_BEGIN(out, "updateDescription", &update) &&
                  bson_concat(&update, entry->update));
        rf_assert(!stream->expanded ||
                  (BSON_APPEND_DOCUMENT_BEGIN(&update, "disambiguatedPaths", &paths) &&
                   bson_append_document_end(&update, &paths)));
        rf_assert(bson_append_document_end(out, &update));
    }
    if (entry->transaction > 0) {
        bson_t lsid;
        rf_assert(BSON_APPEND_DOCUMENT_BEGIN(out, "lsid", &lsid) &&
                  BSON_APPEND_INT32(&lsid, "id", 7) && bson_append_document_end(out, &lsid));
        rf_assert(BSON_APPEND_INT64(out, "txnNumber", entry->transaction));
    }
    return whole;
}

static void make_end(struct stream *stream, const struct rf_mongo_script_entry *entry, bson_t *out)
{
    snprintf(stream->token, sizeof stream->token, "%sF0", entry->token);
    append_token(out, "_id", stream->token);
    rf_assert(BSON_APPEND_UTF8(out, "operationType", "invalidate") &&
              BSON_APPEND_TIMESTAMP(out, "clusterTime", entry->seconds, entry->increment) &&
              BSON_APPEND_DATE_TIME(out, "wallTime", (int64_t)entry->seconds * 1000));
}

/* Adds an event in parts of one field each, but for the token. */
static void add_split(struct rf_mongo_script_run *found, const char *token, const bson_t *event)
{
    bson_iter_t field;
    int32_t count = 0, number = 0;
    rf_assert(bson_iter_init(&field, event));
    while (bson_iter_next(&field)) {
        count++;
    }
    count--; /* the token */
    rf_assert(bson_iter_init(&field, event) && bson_iter_next(&field));
    while (bson_iter_next(&field)) {
        bson_t part = BSON_INITIALIZER, split;
        char own[2 * RF_MONGO_SCRIPT_TOKEN_SIZE];
        snprintf(own, sizeof own, "%s%02X", token, (unsigned)++number);
        append_token(&part, "_id", own);
        rf_assert(BSON_APPEND_DOCUMENT_BEGIN(&part, "splitEvent", &split) &&
                  BSON_APPEND_INT32(&split, "fragment", number) &&
                  BSON_APPEND_INT32(&split, "of", count) &&
                  bson_append_document_end(&part, &split));
        rf_assert(bson_append_iter(&part, NULL, 0, &field));
        append_item(&found->found, &found->found_count, &part);
        bson_destroy(&part);
    }
}

/* Whether it passes the stage $match. Filters on images are none of ours. */
static bool passes(const struct rf_mongo_script_client *client, struct stream *stream,
                   const struct rf_mongo_script_entry *entry)
{
    struct rf_error err = {0};
    bool matches = is_in_scope(stream, entry);
    if (matches && stream->match != NULL) {
        bson_t event = BSON_INITIALIZER;
        make_event(client, stream, entry, &event);
        rf_assert(rf_mongo_script_match(stream->match, &event, &matches, &err) == RF_OK);
        bson_destroy(&event);
    }
    return matches;
}

/* Fills found with what comes next. False: an image that is required is missing. */
static bool fill(const struct rf_mongo_script_client *client, struct stream *stream,
                 int64_t batch_size, struct rf_mongo_script_run *found)
{
    const struct rf_mongo_script_history *history = history_of(client);
    uint32_t split_bytes = client->script->options.split_bytes;
    bool whole = true;
    while (whole && found->found_count < batch_size && found->found.len < BATCH_BYTES) {
        bson_t event = BSON_INITIALIZER;
        if (stream->owes_end) {
            make_end(stream, &history->entries[stream->at - history->lost - 1], &event);
            append_item(&found->found, &found->found_count, &event);
            bson_destroy(&event);
            stream->owes_end = false;
            stream->ended = true;
            break;
        }
        if (stream->at - history->lost >= history->count) {
            bson_destroy(&event);
            break;
        }
        const struct rf_mongo_script_entry *entry = &history->entries[stream->at - history->lost];
        bool passed = passes(client, stream, entry);
        if (passed) {
            whole = make_event(client, stream, entry, &event);
            if (whole && stream->splits && split_bytes > 0 && event.len > split_bytes) {
                add_split(found, entry->token, &event);
            } else if (whole) {
                append_item(&found->found, &found->found_count, &event);
            }
            stream->owes_end = whole && ends_stream(stream, entry);
        }
        if (whole) {
            stream->at++;
            snprintf(stream->token, sizeof stream->token, "%s", entry->token);
            /* Behind what it does not have it stands at a time, as it were, and at no event. */
            stream->token[EVENT_DIGITS - 1] = passed ? '4' : '5';
        }
        bson_destroy(&event);
    }
    return whole;
}

/* --------------------------------------------------------------------------------------- places */

static bool is_token(const char *token)
{
    return strlen(token) >= 28 && strncmp(token, "82", 2) == 0 &&
           strspn(token, "0123456789ABCDEF") == strlen(token);
}

/* The token of an event is to be one that the stream has. */
static bool has_event(const struct rf_mongo_script_client *client, struct stream *stream,
                      const char *token)
{
    const struct rf_mongo_script_history *history = history_of(client);
    bool is_time =
        strncmp(token + 18, "FFFFFFFF", 8) == 0 || strncmp(token + EVENT_DIGITS - 2, "04", 2) != 0;
    for (uint32_t i = 0; i < history->count && !is_time; i++) {
        if (strncmp(history->entries[i].token, token, EVENT_DIGITS) == 0) {
            return passes(client, stream, &history->entries[i]);
        }
    }
    return is_time;
}

/* Puts the stream behind a token. False: the reply says why not. */
static bool put_behind(const struct rf_mongo_script_client *client, struct stream *stream,
                       const char *token, bool start_after, bson_t *reply)
{
    const struct rf_mongo_script_history *history = history_of(client);
    bool is_end = strlen(token) > 28 && strcmp(token + 28, "F0") == 0;
    if (!is_token(token)) {
        refuse(reply, INVALID_TOKEN, "InvalidResumeToken", "the resume token was not readable");
        return false;
    }
    if (is_end && !start_after) {
        refuse(reply, INVALID_TOKEN, "InvalidResumeToken",
               "Attempting to resume a change stream using 'resumeAfter' is not allowed from an "
               "invalidate notification");
        return false;
    }
    stream->at = history->lost;
    while (stream->at - history->lost < history->count &&
           strncmp(history->entries[stream->at - history->lost].token, token, 28) <= 0) {
        stream->at++;
    }
    char now[RF_MONGO_SCRIPT_TOKEN_SIZE];
    rf_mongo_script_history_now(history, now);
    if ((stream->at == history->lost && history->lost > 0 && strncmp(token, now, 28) < 0) ||
        strncmp(token, now, 28) > 0) {
        refuse(reply, HISTORY_LOST, "ChangeStreamHistoryLost",
               "Resume of change stream was not possible, as the resume point may no longer be in "
               "the oplog.");
        return false;
    }
    bool kept = stream->at > history->lost; /* else it was the last one that is lost */
    if (kept && !is_end && !has_event(client, stream, token)) {
        refuse(reply, TOKEN_NOT_FOUND, "ChangeStreamFatalError",
               "cannot resume stream; the resume token was not found");
        return false;
    }
    if (kept && !is_end) {
        const struct rf_mongo_script_entry *entry =
            &history->entries[stream->at - history->lost - 1];
        stream->owes_end = strncmp(entry->token, token, 28) == 0 && is_in_scope(stream, entry) &&
                           ends_stream(stream, entry);
    }
    snprintf(stream->token, sizeof stream->token, "%s", token);
    return true;
}

static bool put_at(const struct rf_mongo_script_history *history, struct stream *stream,
                   const bson_iter_t *time, bson_t *reply)
{
    uint32_t seconds, increment;
    bson_iter_timestamp(time, &seconds, &increment);
    stream->at = history->lost;
    while (stream->at - history->lost < history->count) {
        const struct rf_mongo_script_entry *entry = &history->entries[stream->at - history->lost];
        if (entry->seconds > seconds ||
            (entry->seconds == seconds && entry->increment >= increment)) {
            break;
        }
        stream->at++;
    }
    uint32_t now, then;
    rf_mongo_script_history_time(history, &now, &then);
    if (stream->at == history->lost && history->lost > 0 &&
        (seconds < now || (seconds == now && increment <= then))) {
        refuse(reply, HISTORY_LOST, "ChangeStreamHistoryLost",
               "the time is no longer in the oplog");
        return false;
    }
    snprintf(stream->token, sizeof stream->token, "82%08X%08X0000000000", seconds, increment);
    return true;
}

static bool place(const struct rf_mongo_script_client *client, struct stream *stream,
                  const bson_t *options, bson_t *reply)
{
    const struct rf_mongo_script_history *history = history_of(client);
    bson_t token;
    bson_iter_t time;
    if (part_of(options, "resumeAfter", &token)) {
        return put_behind(client, stream, text_of(&token, "_data"), false, reply);
    }
    if (part_of(options, "startAfter", &token)) {
        return put_behind(client, stream, text_of(&token, "_data"), true, reply);
    }
    if (bson_iter_init_find(&time, options, "startAtOperationTime")) {
        return put_at(history, stream, &time, reply);
    }
    stream->at = history->lost + history->count;
    rf_mongo_script_history_now(history, stream->token);
    return true;
}

/* -------------------------------------------------------------------------------------- answers */

static void append_batch(const struct rf_mongo_script_client *client, struct stream *stream,
                         const char *name, const struct rf_mongo_script_run *found, bson_t *reply)
{
    const struct rf_mongo_script_history *history = history_of(client);
    bson_t cursor;
    uint32_t seconds, increment;
    rf_assert(BSON_APPEND_DOCUMENT_BEGIN(reply, "cursor", &cursor));
    rf_assert(BSON_APPEND_ARRAY(&cursor, name, &found->found));
    if (!client->script->options.tokenless) {
        if (!stream->ended && !stream->owes_end && stream->at - history->lost == history->count &&
            found->found_count == 0) {
            rf_mongo_script_history_now(history, stream->token);
        }
        append_token(&cursor, "postBatchResumeToken", stream->token);
    }
    rf_assert(BSON_APPEND_INT64(&cursor, "id", stream->ended ? 0 : stream->id));
    rf_assert(BSON_APPEND_UTF8(&cursor, "ns", "shop.orders"));
    rf_assert(bson_append_document_end(reply, &cursor));
    rf_mongo_script_history_time(history, &seconds, &increment);
    rf_assert(BSON_APPEND_TIMESTAMP(reply, "operationTime", seconds, increment));
    rf_assert(BSON_APPEND_DOUBLE(reply, "ok", 1));
}

/* Answers with the next batch; false: the stream is broken, and the reply says why. */
static bool answer(const struct rf_mongo_script_client *client, struct stream *stream,
                   const char *name, int64_t batch_size, bson_t *reply)
{
    struct rf_mongo_script_run found = {0};
    bson_init(&found.found);
    bool whole = fill(client, stream, batch_size, &found);
    if (whole) {
        append_batch(client, stream, name, &found, reply);
    } else {
        refuse(reply, NO_DOCUMENT, "NoMatchingDocument",
               "Change stream was configured to require a post-image for all events, but the "
               "post-image was not found");
    }
    bson_destroy(&found.found);
    return whole;
}

/* The stage $changeStream, that of $match (left alone where there is none), and whether large
 * events are split. False: there is no such stage first, or one that is not known. */
static bool stages_of(const bson_t *command, bson_t *options, bson_t **match, bool *splits)
{
    bson_iter_t pipeline, stage;
    bson_t document, filter;
    bool first = true, found = false;
    *splits = false;
    if (!bson_iter_init_find(&pipeline, command, "pipeline") ||
        !bson_iter_recurse(&pipeline, &stage)) {
        return false;
    }
    while (next_document(&stage, &document)) {
        bool known = first ? part_of(&document, "$changeStream", options)
                           : bson_has_field(&document, "$project"); /* more is no harm */
        if (!first && *match == NULL && !*splits && part_of(&document, "$match", &filter)) {
            *match = bson_copy(&filter);
            known = true;
        } else if (!first && !*splits &&
                   bson_has_field(&document, "$changeStreamSplitLargeEvent")) {
            known = *splits = true;
        }
        if (!known) {
            return false;
        }
        found = true;
        first = false;
    }
    return found;
}

static void set_scope(struct stream *stream, const bson_t *command, const bson_t *options)
{
    bson_iter_t first;
    const char *database = text_of(command, "$db");
    rf_assert(bson_iter_init(&first, command) && bson_iter_next(&first));
    bool all = truth_of(options, "allChangesForCluster", false);
    snprintf(stream->database, sizeof stream->database, "%s", all ? "" : database);
    snprintf(stream->collection, sizeof stream->collection, "%s",
             BSON_ITER_HOLDS_UTF8(&first) ? bson_iter_utf8(&first, NULL) : "");
    stream->expanded = truth_of(options, "showExpandedEvents", false);
    snprintf(stream->look_up, sizeof stream->look_up, "%s", text_of(options, "fullDocument"));
    snprintf(stream->before, sizeof stream->before, "%s",
             text_of(options, "fullDocumentBeforeChange"));
}

void rf_mongo_script_watch_begin(struct rf_mongo_script_client *client, const bson_t *command,
                                 bson_t *reply)
{
    static int64_t last_id = 1000; /* under the lock of its set; only to be another one each time */
    bson_t options, cursor;
    bool splits;
    bson_t *match = NULL;
    if (!stages_of(command, &options, &match, &splits)) {
        bson_destroy(match);
        refuse(reply, NO_STAGE, "Location40324", "Unrecognized pipeline stage name");
        return;
    }
    if (history_of(client) == NULL) {
        bson_destroy(match);
        refuse(reply, NO_STREAMS, "Location40573",
               "The $changeStream stage is only supported on replica sets");
        return;
    }
    if (truth_of(&options, "showExpandedEvents", false) &&
        client->script->options.wire_version_max &&
        client->script->options.wire_version_max < WIRE_EXPANDED) {
        bson_destroy(match);
        refuse(reply, UNKNOWN_FIELD, "Location40415",
               "BSON field '$changeStream.showExpandedEvents' is an unknown field.");
        return;
    }
    struct stream *stream = rf_alloc_zero(1, sizeof *stream);
    set_scope(stream, command, &options);
    stream->splits = splits;
    stream->match = match;
    stream->id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
    int64_t size = part_of(command, "cursor", &cursor) && bson_has_field(&cursor, "batchSize")
                       ? number_of(&cursor, "batchSize")
                       : BATCH_EVENTS;
    if (!place(client, stream, &options, reply) ||
        !answer(client, stream, "firstBatch", size, reply) || stream->ended) {
        free_stream(stream);
        return;
    }
    stream->next = client->script->streams;
    client->script->streams = stream;
}

static struct stream **stream_of(struct rf_mongo_script *script, int64_t id)
{
    struct stream **at = &script->streams;
    while (*at != NULL && (*at)->id != id) {
        at = &(*at)->next;
    }
    return at;
}

static bool has_news(const struct rf_mongo_script_client *client, const struct stream *stream)
{
    const struct rf_mongo_script_history *history = history_of(client);
    for (uint64_t at = stream->at; at - history->lost < history->count; at++) {
        if (is_in_scope(stream, &history->entries[at - history->lost])) {
            return true;
        }
    }
    return stream->owes_end;
}

/* Waits for something to tell, with the lock; the stream may go away meanwhile. */
static void await(const struct rf_mongo_script_client *client, int64_t id, int64_t wait_ms)
{
    struct rf_mongo_script *script = client->script;
    struct timespec limit;
    int late = 0;
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_nsec += wait_ms % 1000 * 1000000;
    limit.tv_sec += wait_ms / 1000 + limit.tv_nsec / 1000000000;
    limit.tv_nsec %= 1000000000;
    struct stream *stream = *stream_of(script, id);
    while (stream != NULL && !has_news(client, stream) && late == 0 && !script->stopping) {
        late = pthread_cond_timedwait(&script->set->changed, &script->set->lock, &limit);
        stream = *stream_of(script, id);
    }
}

void rf_mongo_script_watch_more(struct rf_mongo_script_client *client, const bson_t *command,
                                bson_t *reply)
{
    int64_t id = number_of(command, "getMore"), wait_ms = number_of(command, "maxTimeMS");
    struct stream **place = stream_of(client->script, id);
    if (*place != NULL) {
        await(client, id, wait_ms > 0 ? wait_ms : 1000);
        place = stream_of(client->script, id);
    }
    struct stream *stream = *place;
    if (stream == NULL) {
        refuse(reply, CURSOR_NOT_FOUND, "CursorNotFound", "cursor id not found");
        return;
    }
    if (stream->at < history_of(client)->lost) {
        refuse(reply, HISTORY_LOST, "ChangeStreamHistoryLost",
               "the oplog has overtaken the stream");
        return;
    }
    int64_t size = number_of(command, "batchSize");
    if (!answer(client, stream, "nextBatch", size > 0 ? size : NEXT_EVENTS_MAX, reply) ||
        stream->ended) {
        place = stream_of(client->script, id);
        *place = stream->next;
        free_stream(stream);
    }
}

void rf_mongo_script_watch_kill(struct rf_mongo_script_client *client, const bson_t *command,
                                bson_t *reply)
{
    bson_iter_t cursors, id;
    if (bson_iter_init_find(&cursors, command, "cursors") && bson_iter_recurse(&cursors, &id)) {
        while (bson_iter_next(&id)) {
            struct stream **place = stream_of(client->script, bson_iter_as_int64(&id));
            if (*place != NULL) {
                struct stream *stream = *place;
                *place = stream->next;
                free_stream(stream);
            }
        }
    }
    rf_assert(BSON_APPEND_DOUBLE(reply, "ok", 1));
}

void rf_mongo_script_watch_end(struct rf_mongo_script *script)
{
    while (script->streams != NULL) {
        struct stream *stream = script->streams;
        script->streams = stream->next;
        free_stream(stream);
    }
}

void rf_mongo_script_watch_config(struct rf_mongo_script_client *client, const bson_t *command,
                                  bson_t *reply)
{
    const struct rf_mongo_script_history *history = history_of(client);
    bson_t config, settings;
    (void)command;
    if (history == NULL || client->script->options.nameless) {
        refuse(reply, NO_REPLICATION, "NoReplicationEnabled", "not running with --replSet");
        return;
    }
    rf_assert(BSON_APPEND_DOCUMENT_BEGIN(reply, "config", &config) &&
              BSON_APPEND_UTF8(&config, "_id", "rs") &&
              BSON_APPEND_DOCUMENT_BEGIN(&config, "settings", &settings) &&
              BSON_APPEND_OID(&settings, "replicaSetId", &history->identity) &&
              bson_append_document_end(&config, &settings) &&
              bson_append_document_end(reply, &config) && BSON_APPEND_DOUBLE(reply, "ok", 1));
}
