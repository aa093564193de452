/* What the scheduler asks of MongoDB.
 *
 * Source: MongoDB's manual, "Database Commands": insert, find, count, delete. */
#include "programs/stores_links.h"

#include <stdio.h>

static const char database[] = "pluto";

/* The first of the reply's writeErrors, which the server's ok does not tell. */
static enum rf_status check_writes(const struct rf_mongo *mongo, const bson_t *reply,
                                   const char *what, struct rf_error *err)
{
    bson_iter_t at, errors;
    bson_t refusal;
    uint32_t size;
    const uint8_t *data;

    if (!bson_iter_init_find(&at, reply, "writeErrors") || !BSON_ITER_HOLDS_ARRAY(&at) ||
        !bson_iter_recurse(&at, &errors) || !bson_iter_next(&errors) ||
        !BSON_ITER_HOLDS_DOCUMENT(&errors)) {
        return RF_OK;
    }
    bson_iter_document(&errors, &size, &data);
    if (!bson_init_static(&refusal, data, size)) {
        return rf_fail(err, RF_RETRY, "%s: MongoDB's refusal cannot be read", what);
    }
    return rf_mongo_refused(mongo, &refusal, what, err);
}

/* Takes the command over; the reply is the caller's to destroy. */
static enum rf_status run(struct rf_mongo *mongo, bson_t *command, bson_t *reply,
                          struct rf_error *err)
{
    enum rf_status status = rf_mongo_run(mongo, database, command, reply, err);

    bson_destroy(command);
    return status;
}

enum rf_status rf_stores_mongo_note(struct rf_mongo *mongo, const struct rf_post *post,
                                    struct rf_error *err)
{
    bson_t *command = BCON_NEW("insert", BCON_UTF8("notes"), "documents", "[", "{", "_id",
                               BCON_UTF8(post->id), "stamp", BCON_UTF8(post->stamp), "}", "]");
    bson_t reply;
    enum rf_status status = run(mongo, command, &reply, err);

    if (status == RF_OK) {
        status = check_writes(mongo, &reply, "writing to pluto.notes", err);
    }
    bson_destroy(&reply);
    return status;
}

static void copy_text(const bson_iter_t *at, char *out, size_t size)
{
    if (BSON_ITER_HOLDS_UTF8(at)) {
        snprintf(out, size, "%s", bson_iter_utf8(at, NULL));
    }
}

/* One document of an answer. */
static void read_post(const bson_iter_t *document, struct rf_post *post)
{
    bson_iter_t at;

    memset(post, 0, sizeof *post);
    if (!BSON_ITER_HOLDS_DOCUMENT(document) || !bson_iter_recurse(document, &at)) {
        return;
    }
    while (bson_iter_next(&at)) {
        if (strcmp(bson_iter_key(&at), "_id") == 0) {
            copy_text(&at, post->id, sizeof post->id);
        } else if (strcmp(bson_iter_key(&at), "stamp") == 0) {
            copy_text(&at, post->stamp, sizeof post->stamp);
        }
    }
}

/* Goes to the documents of a find's reply. False: it is none. */
static bool first_batch(const bson_t *reply, bson_iter_t *out)
{
    bson_iter_t at, batch;

    return bson_iter_init(&at, reply) &&
           bson_iter_find_descendant(&at, "cursor.firstBatch", &batch) &&
           BSON_ITER_HOLDS_ARRAY(&batch) && bson_iter_recurse(&batch, out);
}

enum rf_status rf_stores_mongo_notes(struct rf_mongo *mongo, struct rf_post *notes, uint32_t *count,
                                     struct rf_error *err)
{
    bson_t *command = BCON_NEW("find", BCON_UTF8("notes"), "sort", "{", "stamp", BCON_INT32(-1),
                               "_id", BCON_INT32(-1), "}", "limit", BCON_INT32((int32_t)*count),
                               "singleBatch", BCON_BOOL(true));
    bson_t reply;
    bson_iter_t at;
    uint32_t found = 0;
    enum rf_status status = run(mongo, command, &reply, err);

    if (status == RF_OK && first_batch(&reply, &at)) {
        while (found < *count && bson_iter_next(&at)) {
            read_post(&at, &notes[found++]);
        }
    }
    bson_destroy(&reply);
    *count = found;
    return status;
}

/* {find: "...", filter: {_id: {$in: [...]}}} */
static bson_t *find_command(const char *collection, const struct rf_post *posts, uint32_t count)
{
    bson_t *command = BCON_NEW("find", BCON_UTF8(collection));
    bson_t filter, id, list;
    char number[16];

    bson_append_document_begin(command, "filter", -1, &filter);
    bson_append_document_begin(&filter, "_id", -1, &id);
    bson_append_array_begin(&id, "$in", -1, &list);
    for (uint32_t i = 0; i < count; i++) {
        snprintf(number, sizeof number, "%u", i);
        bson_append_utf8(&list, number, -1, posts[i].id, -1);
    }
    bson_append_array_end(&id, &list);
    bson_append_document_end(&filter, &id);
    bson_append_document_end(command, &filter);
    bson_append_int32(command, "batchSize", -1, (int32_t)count);
    bson_append_bool(command, "singleBatch", -1, true);
    return command;
}

enum rf_status rf_stores_mongo_find(struct rf_mongo *mongo, const char *collection,
                                    struct rf_post *posts, uint32_t count, struct rf_error *err)
{
    bson_t reply;
    bson_iter_t at;
    struct rf_post found;
    enum rf_status status = run(mongo, find_command(collection, posts, count), &reply, err);

    for (uint32_t i = 0; i < count; i++) {
        posts[i].stamp[0] = '\0';
    }
    if (status == RF_OK && first_batch(&reply, &at)) {
        while (bson_iter_next(&at)) {
            read_post(&at, &found);
            for (uint32_t i = 0; i < count; i++) {
                if (strcmp(posts[i].id, found.id) == 0) {
                    posts[i] = found;
                }
            }
        }
    }
    bson_destroy(&reply);
    return status;
}

static enum rf_status read_number(const bson_t *reply, uint64_t *out, struct rf_error *err)
{
    bson_iter_t at;

    if (!bson_iter_init_find(&at, reply, "n") || !BSON_ITER_HOLDS_NUMBER(&at) ||
        bson_iter_as_int64(&at) < 0) {
        return rf_fail(err, RF_CONFIG, "MongoDB answered without a number");
    }
    *out = (uint64_t)bson_iter_as_int64(&at);
    return RF_OK;
}

enum rf_status rf_stores_mongo_count(struct rf_mongo *mongo, const char *collection, uint64_t *out,
                                     struct rf_error *err)
{
    bson_t reply;
    enum rf_status status = run(mongo, BCON_NEW("count", BCON_UTF8(collection)), &reply, err);

    if (status == RF_OK) {
        status = read_number(&reply, out, err);
    }
    bson_destroy(&reply);
    return status;
}

enum rf_status rf_stores_mongo_clear(struct rf_mongo *mongo, const char *collection, uint64_t *out,
                                     struct rf_error *err)
{
    bson_t *command = BCON_NEW("delete", BCON_UTF8(collection), "deletes", "[", "{", "q", "{", "}",
                               "limit", BCON_INT32(0), "}", "]");
    bson_t reply;
    enum rf_status status = run(mongo, command, &reply, err);

    if (status == RF_OK) {
        status = check_writes(mongo, &reply, "emptying a collection of pluto", err);
    }
    if (status == RF_OK) {
        status = read_number(&reply, out, err);
    }
    bson_destroy(&reply);
    return status;
}
