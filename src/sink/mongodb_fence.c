/* What an earlier connection of this pipeline has sent, the server may still be at, or may not even
 * have read: it would overwrite what we write next. All our connections of a pipeline and a sink
 * have one name; as long as the server has another one of it, nothing is written.
 *
 * The server forgets a connection behind the last command that it read from it. When the other
 * side's end was lost in the network, it finds out by its keep-alives, within minutes.
 *
 * Source: MongoDB Manual, "$currentOp (aggregation)", "killOp". */
#include "sink/mongodb_sink.h"

#include <rowferry/log.h>
#include <stdio.h>

void rf_mongodb_fence_name(struct rf_mongodb_sink *sink, const struct rf_context *ctx)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    const char *const texts[] = {ctx->pipeline, "", ctx->instance};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        for (const char *at = texts[i]; *at != '\0'; at++) {
            hash = (hash ^ (unsigned char)*at) * 1099511628211u;
        }
        hash *= 1099511628211u;
    }
    snprintf(sink->name, sizeof sink->name, "rowferry %.64s %016llx", ctx->pipeline,
             (unsigned long long)hash);
    for (char *at = sink->name; *at != '\0'; at++) {
        *at = (unsigned char)*at < 0x80 ? *at : '_'; /* it may have been cut inside a letter */
    }
}

static enum rf_status ask_operations(struct rf_mongodb_sink *sink, bson_t *reply,
                                     struct rf_error *err)
{
    struct rf_buf *out = &sink->command;
    rf_buf_reset(out);
    size_t command = rf_bson_begin(out);
    rf_bson_add_int32(out, "aggregate", 1);
    size_t pipeline = rf_bson_open(out, RF_BSON_ARRAY, "pipeline");
    size_t first = rf_bson_open_item(out, 0);
    size_t current = rf_bson_open(out, RF_BSON_DOCUMENT, "$currentOp");
    rf_bson_add_bool(out, "allUsers", false);
    rf_bson_add_bool(out, "idleConnections", true);
    if (sink->mongo.mongos) {
        rf_bson_add_bool(out, "localOps", true);
    }
    rf_bson_end(out, current);
    rf_bson_end(out, first);
    size_t second = rf_bson_open_item(out, 1);
    size_t match = rf_bson_open(out, RF_BSON_DOCUMENT, "$match");
    rf_bson_add_utf8(out, "appName", rf_str_of(sink->name));
    rf_bson_end(out, match);
    rf_bson_end(out, second);
    rf_bson_end(out, pipeline);
    size_t cursor = rf_bson_open(out, RF_BSON_DOCUMENT, "cursor");
    rf_bson_end(out, cursor);
    rf_bson_add_utf8(out, "comment", rf_str_of(sink->owner)); /* tells this one from all others */
    return rf_mongodb_end(sink, command, "admin", reply, err);
}

static bool is_ours(const struct rf_mongodb_sink *sink, const bson_iter_t *operation)
{
    bson_iter_t iter, comment;
    return bson_iter_recurse(operation, &iter) &&
           bson_iter_find_descendant(&iter, "command.comment", &comment) &&
           BSON_ITER_HOLDS_UTF8(&comment) &&
           strcmp(bson_iter_utf8(&comment, NULL), sink->owner) == 0;
}

/* Asks for the end of what the operation is about. When that is refused, we wait all the same. */
static void end_operation(struct rf_mongodb_sink *sink, const bson_iter_t *operation)
{
    struct rf_error nothing = {0};
    bson_iter_t iter;
    bson_t command = BSON_INITIALIZER, reply;
    if (bson_iter_recurse(operation, &iter) && bson_iter_find(&iter, "opid")) {
        rf_assert(BSON_APPEND_INT32(&command, "killOp", 1) &&
                  bson_append_iter(&command, "op", -1, &iter));
        enum rf_status status = rf_mongo_run(&sink->mongo, "admin", &command, &reply, &nothing);
        (void)status;
        bson_destroy(&reply);
    }
    bson_destroy(&command);
}

/* Whether the server said that it has no such thing, or that we may not ask: that is so the next
 * time too, and docs/delivery.md has what it means. Whatever else it answers, such as right after a
 * fail-over, says nothing of others. */
static bool cannot_tell(const struct rf_error *err)
{
    enum { UNAUTHORIZED = 13, NO_SUCH_COMMAND = 59, NO_SUCH_STAGE = 40324 };
    return err->code == UNAUTHORIZED || err->code == NO_SUCH_COMMAND || err->code == NO_SUCH_STAGE;
}

/* It was not told who is at work: that is asked again, whatever the answer would mean elsewhere. */
static enum rf_status not_told(const struct rf_mongodb_sink *sink, struct rf_error *why,
                               struct rf_error *err)
{
    if (cannot_tell(why)) {
        rf_log(RF_LOG_INFO,
               "%s does not tell which connections it has (code %d): a write that was delayed "
               "inside it is not waited for",
               sink->mongo.peer, why->code);
        return RF_OK;
    }
    why->status = RF_RETRY;
    why->access = false;
    if (err != NULL) {
        *err = *why;
    }
    return RF_RETRY;
}

/* Ends what others are at. Returns their number; -1: that is no answer to the question. */
static int64_t end_others(struct rf_mongodb_sink *sink, const bson_t *reply)
{
    bson_iter_t iter, batch, operation;
    int64_t others = 0;
    if (!bson_iter_init(&iter, reply) ||
        !bson_iter_find_descendant(&iter, "cursor.firstBatch", &batch) ||
        !BSON_ITER_HOLDS_ARRAY(&batch) || !bson_iter_recurse(&batch, &operation)) {
        return -1;
    }
    while (bson_iter_next(&operation)) {
        if (BSON_ITER_HOLDS_DOCUMENT(&operation) && !is_ours(sink, &operation)) {
            others++;
            end_operation(sink, &operation);
        }
    }
    return others;
}

enum rf_status rf_mongodb_fence_wait(struct rf_mongodb_sink *sink, struct rf_error *err)
{
    struct rf_error why = {0};
    bson_t reply;
    enum rf_status status = ask_operations(sink, &reply, &why);
    int64_t others = status == RF_OK ? end_others(sink, &reply) : 0;
    bson_destroy(&reply);
    if (status != RF_OK) {
        return not_told(sink, &why, err);
    }
    if (others < 0) {
        return rf_fail(err, RF_RETRY, "%s did not answer as it should which connections it has",
                       sink->mongo.peer);
    }
    if (others == 0) {
        return RF_OK;
    }
    rf_fail(err, RF_RETRY, "%s still has %lld earlier connection%s of this pipeline",
            sink->mongo.peer, (long long)others, others > 1 ? "s" : "");
    rf_error_hint(err, "what they sent must have ended before anything is written; if another "
                       "process of this name is at work, give it a --name of its own");
    return RF_RETRY;
}
