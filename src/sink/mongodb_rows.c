/* Rows: which change of a document each one is.
 *
 * A change waits in the window under the row's table and _id. When that comes again, the newer one
 * takes its place: a whole row replaces the document, whatever was there, and a delete removes it.
 * A row whose key changes is two changes. Everything that can be wrong with a row is found here,
 * before anything of it is sent. */
#include "sink/mongodb_sink.h"

static enum rf_status reject(const struct rf_event *event, struct rf_error *err)
{
    if (err != NULL) {
        err->event = event;
    }
    return RF_REJECT;
}

static enum rf_status untold(const struct rf_event *event, struct rf_error *err)
{
    rf_fail(err, RF_REJECT,
            "the log does not tell all columns of a row of %.*s, which is to be a "
            "whole document",
            RF_STR_ARG(event->table->full_name));
    rf_error_hint(err, "set binlog_row_image=FULL at the source");
    return reject(event, err);
}

/* The table's number, then the element _id: the value of a key's one column, else a document of
 * them in the key's order. */
static enum rf_status render_key(const struct rf_mongodb_table *target,
                                 const struct rf_event *event, const struct rf_value *image,
                                 const struct rf_value *other, struct rf_buf *out,
                                 struct rf_error *err)
{
    const struct rf_bson_fields *key = &target->key;
    uint32_t column;
    rf_buf_reset(out);
    rf_buf_add(out, &target->number, sizeof target->number);
    if (key->count > 1) {
        size_t id = rf_bson_open(out, RF_BSON_DOCUMENT, "_id");
        if (!rf_bson_add_row(out, key, image, other, &column)) {
            return untold(event, err);
        }
        rf_bson_end(out, id);
        return RF_OK;
    }
    const struct rf_value *value = &image[key->items->column];
    value = value->kind == RF_ABSENT && other != NULL ? &other[key->items->column] : value;
    if (value->kind == RF_ABSENT) {
        return untold(event, err);
    }
    rf_bson_add_value(out, (struct rf_str){"_id", sizeof "_id"}, key->items, value);
    return RF_OK;
}

/* Exactly how large the document will be. */
static size_t measure(struct rf_mongodb_sink *sink, const struct rf_mongodb_table *target,
                      const struct rf_value *image, const struct rf_value *other)
{
    uint32_t column;
    rf_buf_reset(&sink->text);
    size_t document = rf_bson_begin(&sink->text);
    rf_buf_add(&sink->text, sink->key.data + sizeof target->number,
               sink->key.size - sizeof target->number);
    bool told = rf_bson_add_row(&sink->text, &target->fields, image, other, &column);
    rf_assert(told);
    rf_bson_end(&sink->text, document);
    size_t size = sink->text.size;
    rf_buf_deinit(&sink->text);
    return size;
}

/* What of a row must be known before it waits: that all of it is told, and about how much it is. */
static enum rf_status check_row(struct rf_mongodb_sink *sink, const struct rf_mongodb_table *target,
                                const struct rf_event *event, const struct rf_value *image,
                                const struct rf_value *other, uint64_t *bytes, struct rf_error *err)
{
    uint64_t limit = (uint64_t)sink->mongo.document_bytes;
    *bytes = sink->key.size;
    for (uint32_t i = 0; i < target->fields.count; i++) {
        const struct rf_bson_field *field = &target->fields.items[i];
        const struct rf_value *value = &image[field->column];
        if (value->kind == RF_ABSENT) {
            if (other == NULL || other[field->column].kind == RF_ABSENT) {
                return untold(event, err);
            }
            value = &other[field->column];
        }
        *bytes += field->name_size + sizeof *value;
        *bytes += rf_value_has_text(value) ? value->size : 0;
    }
    /* Only what could be too large is made to be measured. */
    if (*bytes > limit / 2 && measure(sink, target, image, other) > limit) {
        rf_fail(err, RF_REJECT,
                "a row of %.*s is a document of more than %llu bytes, which is what "
                "MongoDB takes",
                RF_STR_ARG(event->table->full_name), (unsigned long long)limit);
        rf_error_hint(err, "leave large columns out with columns=-NAME, or cut them short");
        return reject(event, err);
    }
    return RF_OK;
}

/* The change of that key, a new one when none waits. Without folding, and when the window is full,
 * what waits is sent first. */
static enum rf_status get_change(struct rf_mongodb_sink *sink, const struct rf_buf *text,
                                 struct rf_mongodb_change **out, struct rf_error *err)
{
    struct rf_window *window = &sink->window;
    struct rf_str key = rf_buf_str(text);
    uint64_t hash = rf_window_hash(window, key);
    struct rf_mongodb_change *change = rf_window_find(window, key, hash);
    enum rf_status status = RF_OK;
    if ((change != NULL && !sink->fold) || (change == NULL && rf_window_full(window))) {
        status = rf_mongodb_rows_send(sink, err);
        change = NULL;
    }
    if (status != RF_OK) {
        return status;
    }
    if (change == NULL) {
        change = rf_window_add(window, key, hash);
    } else {
        window->folded++;
    }
    *out = change;
    return RF_OK;
}

enum rf_status rf_mongodb_change_put(struct rf_mongodb_sink *sink, const struct rf_buf *key,
                                     const struct rf_mongodb_change *newer, struct rf_error *err)
{
    struct rf_mongodb_change *change = NULL;
    enum rf_status status = get_change(sink, key, &change, err);
    if (status == RF_OK) {
        sink->window.bytes += newer->bytes - change->bytes;
        *change = *newer;
        change->order = sink->order;
    }
    return status;
}

/* A row that is there now, under the key that was rendered. */
static enum rf_status put_row(struct rf_mongodb_sink *sink, struct rf_mongodb_table *target,
                              const struct rf_event *event, struct rf_error *err)
{
    struct rf_mongodb_change change = {
        .table = target, .event = event, .image = event->after, .other = event->before};
    enum rf_status status =
        check_row(sink, target, event, event->after, event->before, &change.bytes, err);
    return status == RF_OK ? rf_mongodb_change_put(sink, &sink->key, &change, err) : status;
}

static enum rf_status delete_row(struct rf_mongodb_sink *sink, struct rf_mongodb_table *target,
                                 const struct rf_event *event, const struct rf_buf *key,
                                 struct rf_error *err)
{
    struct rf_mongodb_change change = {.table = target, .event = event, .bytes = key->size};
    return rf_mongodb_change_put(sink, key, &change, err);
}

static enum rf_status update_row(struct rf_mongodb_sink *sink, struct rf_mongodb_table *target,
                                 const struct rf_event *event, struct rf_error *err)
{
    if (!rf_event_changes_key(event)) {
        return put_row(sink, target, event, err);
    }
    enum rf_status status = render_key(target, event, event->before, NULL, &sink->old_key, err);
    if (status != RF_OK || rf_str_equal(rf_buf_str(&sink->key), rf_buf_str(&sink->old_key))) {
        return status == RF_OK ? put_row(sink, target, event, err) : status;
    }
    /* First what may be refused: nothing of the event is to be applied then. */
    uint64_t bytes;
    status = check_row(sink, target, event, event->after, event->before, &bytes, err);
    if (status == RF_OK) {
        status = delete_row(sink, target, event, &sink->old_key, err);
    }
    return status == RF_OK ? put_row(sink, target, event, err) : status;
}

enum rf_status rf_mongodb_row_put(struct rf_mongodb_sink *sink, const struct rf_event *event,
                                  struct rf_error *err)
{
    struct rf_mongodb_table *target = sink->last;
    enum rf_status status = RF_OK;
    sink->order++;
    if (target == NULL || target->table != event->table) {
        sink->last = NULL;
        status = rf_mongodb_table_bind(sink, event->table, &target, err);
        if (status != RF_OK) {
            return status;
        }
        sink->last = target;
    }
    if (event->table->documents) {
        return rf_mongodb_document_put(sink, target, event, err);
    }
    const struct rf_value *image = rf_event_image(event);
    const struct rf_value *other = event->op == RF_UPDATE ? event->before : NULL;
    status = render_key(target, event, image, other, &sink->key, err);
    if (status != RF_OK) {
        return status;
    }
    switch ((enum rf_op)event->op) {
    case RF_UPDATE: return update_row(sink, target, event, err);
    case RF_DELETE: return delete_row(sink, target, event, &sink->key, err);
    default: return put_row(sink, target, event, err);
    }
}
