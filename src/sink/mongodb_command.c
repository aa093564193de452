/* Commands on our own documents, in the sink's buffer, and what their answers say.
 *
 * Source: MongoDB Manual, "Database Commands": find, update. */
#include "sink/mongodb_sink.h"

void rf_mongodb_static(const struct rf_buf *buf, bson_t *out)
{
    bool valid = bson_init_static(out, (const uint8_t *)buf->data, buf->size);
    rf_assert(valid);
}

size_t rf_mongodb_begin(struct rf_mongodb_sink *sink, const char *command, const char *collection)
{
    rf_buf_reset(&sink->command);
    size_t begin = rf_bson_begin(&sink->command);
    rf_bson_add_utf8(&sink->command, command, rf_str_of(collection));
    return begin;
}

/* The first of a reply's writeErrors; false without one. */
static bool first_error(const bson_t *reply, bson_t *error)
{
    bson_iter_t iter, item;
    const uint8_t *data;
    uint32_t size;
    if (!bson_iter_init_find(&iter, reply, "writeErrors") || !bson_iter_recurse(&iter, &item) ||
        !bson_iter_next(&item) || !BSON_ITER_HOLDS_DOCUMENT(&item)) {
        return false;
    }
    bson_iter_document(&item, &size, &data);
    return bson_init_static(error, data, size);
}

enum rf_status rf_mongodb_end(struct rf_mongodb_sink *sink, size_t begin, const char *database,
                              bson_t *reply, struct rf_error *err)
{
    bson_t error, command;
    rf_bson_end(&sink->command, begin);
    rf_mongodb_static(&sink->command, &command);
    enum rf_status status = rf_mongo_run(&sink->mongo, database, &command, reply, err);
    if (status == RF_OK && first_error(reply, &error)) {
        status = rf_mongo_refused(&sink->mongo, &error, database, err);
    }
    if (status == RF_REJECT) {
        status = RF_FATAL;
        if (err != NULL) {
            err->status = status;
        }
    }
    return status;
}

int64_t rf_mongodb_number(const bson_t *reply, const char *name)
{
    bson_iter_t iter;
    return bson_iter_init_find(&iter, reply, name) && BSON_ITER_HOLDS_NUMBER(&iter)
               ? bson_iter_as_int64(&iter)
               : 0;
}

bool rf_mongodb_has_error(const bson_t *reply, int code)
{
    bson_t error;
    return (first_error(reply, &error) && rf_mongodb_number(&error, "code") == code) ||
           rf_mongodb_number(reply, "code") == code;
}

/* -------------------------------------------------------------------------------- one document */

void rf_mongodb_find_begin(struct rf_mongodb_sink *sink, const char *collection,
                           struct rf_mongodb_frame *frame)
{
    frame->command = rf_mongodb_begin(sink, "find", collection);
    frame->part = rf_bson_open(&sink->command, RF_BSON_DOCUMENT, "filter");
}

enum rf_status rf_mongodb_find_end(struct rf_mongodb_sink *sink,
                                   const struct rf_mongodb_frame *frame, const char *database,
                                   bson_t *reply, bson_iter_t *document, bool *found,
                                   struct rf_error *err)
{
    bson_iter_t iter, batch;
    *found = false;
    rf_bson_end(&sink->command, frame->part);
    rf_bson_add_int32(&sink->command, "limit", 1);
    rf_bson_add_bool(&sink->command, "singleBatch", true);
    enum rf_status status = rf_mongodb_end(sink, frame->command, database, reply, err);
    if (status != RF_OK) {
        return status;
    }
    if (!bson_iter_init(&iter, reply) ||
        !bson_iter_find_descendant(&iter, "cursor.firstBatch", &batch) ||
        !BSON_ITER_HOLDS_ARRAY(&batch) || !bson_iter_recurse(&batch, document)) {
        return rf_fail(err, RF_RETRY, "%s did not answer a find as it should", sink->mongo.peer);
    }
    *found = bson_iter_next(document) && BSON_ITER_HOLDS_DOCUMENT(document);
    return RF_OK;
}

void rf_mongodb_update_begin(struct rf_mongodb_sink *sink, const char *collection,
                             struct rf_mongodb_frame *frame)
{
    frame->command = rf_mongodb_begin(sink, "update", collection);
    frame->array = rf_bson_open(&sink->command, RF_BSON_ARRAY, "updates");
    frame->item = rf_bson_open_item(&sink->command, 0);
    frame->part = rf_bson_open(&sink->command, RF_BSON_DOCUMENT, "q");
}

void rf_mongodb_update_with(struct rf_mongodb_sink *sink, struct rf_mongodb_frame *frame)
{
    rf_bson_end(&sink->command, frame->part);
    frame->part = rf_bson_open(&sink->command, RF_BSON_DOCUMENT, "u");
}

enum rf_status rf_mongodb_update_end(struct rf_mongodb_sink *sink,
                                     const struct rf_mongodb_frame *frame, bool upsert,
                                     bson_t *reply, struct rf_error *err)
{
    rf_bson_end(&sink->command, frame->part);
    rf_bson_add_bool(&sink->command, "upsert", upsert);
    rf_bson_end(&sink->command, frame->item);
    rf_bson_end(&sink->command, frame->array);
    rf_bson_add_document(&sink->command, "writeConcern", rf_buf_str(&sink->safe));
    return rf_mongodb_end(sink, frame->command, RF_MONGODB_OWN, reply, err);
}
