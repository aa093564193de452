/* Documents of collections: each is written as it came, under its own _id.
 *
 * A change waits under the bytes of its _id. Two _ids that MongoDB takes for one, such as the
 * numbers 1 and 1.0, may wait both: only one of them can be there at a time, so all but the last
 * one are deletes, which are sent first. */
#include "sink/document.h"
#include "sink/mongodb_sink.h"

/* The table's number, then the element _id. */
static void render_key(const struct rf_mongodb_table *target, const struct rf_bson_element *id,
                       struct rf_buf *out)
{
    rf_buf_reset(out);
    rf_buf_add(out, &target->number, sizeof target->number);
    rf_buf_add_byte(out, (char)id->type);
    rf_buf_add(out, "_id", sizeof "_id");
    rf_buf_add_str(out, id->value);
}

static enum rf_status too_large(const struct rf_event *event, uint64_t limit, struct rf_error *err)
{
    rf_fail(err, RF_REJECT, "a document of %.*s has %u bytes, and this server takes %llu",
            RF_STR_ARG(event->table->full_name), event->after[1].size, (unsigned long long)limit);
    if (err != NULL) {
        err->event = event;
    }
    return RF_REJECT;
}

enum rf_status rf_mongodb_document_put(struct rf_mongodb_sink *sink,
                                       struct rf_mongodb_table *target,
                                       const struct rf_event *event, struct rf_error *err)
{
    struct rf_bson_element id;
    enum rf_document_do what = RF_DOCUMENT_PASS;
    uint64_t limit = (uint64_t)sink->mongo.document_bytes;
    enum rf_status status = rf_document_decide(event, &what, err);
    if (status == RF_OK && what != RF_DOCUMENT_PASS) {
        status = rf_document_id(event, &id, err);
    }
    if (status != RF_OK || what == RF_DOCUMENT_PASS) {
        return status;
    }
    render_key(target, &id, &sink->key);
    struct rf_mongodb_change change = {.table = target, .event = event, .bytes = sink->key.size};
    if (what == RF_DOCUMENT_PUT) {
        change.image = event->after;
        change.bytes += event->after[1].size;
        if (event->after[1].size > limit) {
            return too_large(event, limit, err);
        }
    }
    return rf_mongodb_change_put(sink, &sink->key, &change, err);
}
