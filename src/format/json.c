/* The format `json`: one object per event, flat and plain.
 *
 *   {"op":"update","table":"shop.orders","key":{"id":1},"before":{...},"after":{...},
 *    "ts":"2026-11-22T17:00:00Z","position":"0-1-42","id":"0-1-42:1:0"}
 *
 * `op` is create, update, delete or read; a missing image is null, and so is the key of a table
 * without one. Columns that the log does not tell are left out of an image. `ts` is the commit
 * time, `position` the transaction, `id` the transaction, the log event in it and the row in that:
 * the same on each replay. Statements have no images:
 *
 *   {"op":"truncate","table":"shop.orders","statement":"...","ts":...,"position":...,"id":...}
 *   {"op":"ddl","database":"shop","table":"shop.orders","statement":"...", ...}
 *
 * where `table` is absent when the source does not know it. How values look: wire/json.h. The
 * message's key is the key object; it is empty for statements and tables without a key.
 *
 * Of a collection the images are its documents, in Extended JSON, relaxed or as documents=canonical
 * says, and so is the _id in the key. An image that the store does not tell is null. An update
 * without the document then has what the store says of it instead:
 *
 *   {"op":"update","table":"shop.posts","key":{"_id":1},"before":null,"after":null,
 *    "update":{"updatedFields":{"a":2},"removedFields":[]},"ts":...}
 *
 * What is the same for every row of a table, or for every event of a transaction, is put together
 * once. */
#include "wire/json.h"
#include "event/digits.h"
#include "format/documents.h"
#include "format/piece.h"
#include "format/shapes.h"

#include <rowferry/format.h>

/* What is kept of one table. */
struct shape {
    struct rf_shape head;
    struct rf_json_names columns;
    struct rf_json_names key;
    struct rf_buf text; /* ,"table":"shop.orders","key": */
};

struct json {
    int32_t documents; /* enum rf_bson_json */

    struct rf_shapes shapes;
    struct rf_buf tail; /* ,"ts":"...","position":"...","id":"ID: of the transaction below */
    struct rf_buf tail_id;
    int64_t tail_commit_us;
    bool tail_known;
};

static void shape_make(void *owner, struct rf_shape *head)
{
    struct shape *shape = (struct shape *)head;
    const struct rf_table *table = head->table;
    (void)owner;
    rf_json_names_init(&shape->columns, table, NULL, table->column_count);
    rf_json_names_init(&shape->key, table, table->key_columns, table->key_count);
    rf_buf_add_str(&shape->text, RF_STR(",\"table\":"));
    rf_json_add_string(&shape->text, table->full_name);
    rf_buf_add_str(&shape->text, RF_STR(",\"key\":"));
    rf_piece_end(&shape->text);
}

static void shape_clear(struct rf_shape *head)
{
    struct shape *shape = (struct shape *)head;
    rf_json_names_deinit(&shape->columns);
    rf_json_names_deinit(&shape->key);
    rf_buf_deinit(&shape->text);
    *shape = (struct shape){0};
}

static enum rf_status json_open(void *state, struct rf_error *err)
{
    struct json *json = state;
    (void)err;
    rf_shapes_open(&json->shapes, sizeof(struct shape), shape_make, shape_clear, json);
    return RF_OK;
}

static void json_close(void *state)
{
    struct json *json = state;
    rf_shapes_close(&json->shapes);
    rf_buf_deinit(&json->tail);
    rf_buf_deinit(&json->tail_id);
    *json = (struct json){0};
}

static void tail_prepare(struct json *json, const struct rf_transaction *transaction)
{
    if (json->tail_known && json->tail_commit_us == transaction->commit_us &&
        rf_str_equal(rf_buf_str(&json->tail_id), transaction->id)) {
        return;
    }
    rf_buf_reset(&json->tail);
    rf_buf_add_str(&json->tail, RF_STR(",\"ts\":"));
    rf_json_add_instant(&json->tail, transaction->commit_us);
    rf_buf_add_str(&json->tail, RF_STR(",\"position\":"));
    rf_json_add_string(&json->tail, transaction->id);
    rf_buf_add_str(&json->tail, RF_STR(",\"id\":"));
    rf_json_add_string(&json->tail, transaction->id);
    json->tail.size--; /* the id goes on */
    rf_piece_end(&json->tail);
    rf_buf_set(&json->tail_id, transaction->id);
    json->tail_commit_us = transaction->commit_us;
    json->tail_known = true;
}

static void add_tail(struct json *json, struct rf_buf *out, const struct rf_event *event)
{
    enum { NUMBERS_MAX = 2 * RF_DIGITS_MAX + 4 + RF_DIGITS_SLACK };
    rf_piece_add(out, &json->tail);
    char *at = rf_buf_reserve(out, NUMBERS_MAX);
    *at++ = ':';
    at = rf_digits_u64(at, event->ordinal);
    *at++ = ':';
    at = rf_digits_u64(at, event->row);
    *at++ = '"';
    *at++ = '}';
    out->size = (size_t)(at - out->data);
}

static enum rf_status reject(const struct rf_event *event, uint32_t column, struct rf_error *err)
{
    const struct rf_table *table = event->table;
    rf_fail(err, RF_REJECT,
            "column %.*s of table %.*s is not a finite number, which JSON cannot say",
            RF_STR_ARG(table->columns[column].name), RF_STR_ARG(table->full_name));
    if (err != NULL) {
        err->event = event;
    }
    return RF_REJECT;
}

static bool add_image(struct rf_buf *out, const struct shape *shape, const struct rf_value *image,
                      uint32_t *column)
{
    if (image == NULL) {
        rf_buf_add_str(out, RF_STR("null"));
        return true;
    }
    return rf_json_add_row(out, &shape->columns, image, column);
}

static void add_document(const struct json *json, struct rf_buf *out, struct rf_str document)
{
    if (document.size > 0) {
        rf_bson_json_add(out, document, (unsigned)json->documents);
    } else {
        rf_buf_add_str(out, RF_STR("null"));
    }
}

/* What stands behind "key": of a document. */
static void add_document_change(const struct json *json, const struct rf_event *event,
                                struct rf_buf *out, size_t *key_size)
{
    const size_t start = out->size;
    struct rf_str before = rf_document_of(event->before), after = rf_document_of(event->after);
    rf_buf_add_str(out, RF_STR("{\"_id\":"));
    rf_document_add_id(out, event, (unsigned)json->documents);
    rf_buf_add_byte(out, '}');
    *key_size = out->size - start;
    rf_buf_add_str(out, RF_STR(",\"before\":"));
    add_document(json, out, before);
    rf_buf_add_str(out, RF_STR(",\"after\":"));
    add_document(json, out, after);
    if (event->change != NULL && event->change->update.size > 0 && after.size == 0) {
        rf_buf_add_str(out, RF_STR(",\"update\":"));
        add_document(json, out, event->change->update);
    }
}

/* The event of a row. The key's place in `out` is returned for the message's key. */
static enum rf_status add_row(struct json *json, const struct rf_event *event, struct rf_buf *out,
                              size_t *key_start, size_t *key_size, struct rf_error *err)
{
    enum { OP_SIZE = 16 };
    static const char ops[][OP_SIZE] = {
        [RF_CREATE] = "{\"op\":\"create\"",
        [RF_UPDATE] = "{\"op\":\"update\"",
        [RF_DELETE] = "{\"op\":\"delete\"",
        [RF_READ] = "{\"op\":\"read\"",
    };
    static const uint8_t op_sizes[] = {
        [RF_CREATE] = 14, [RF_UPDATE] = 14, [RF_DELETE] = 14, [RF_READ] = 12};
    const struct shape *shape = (const struct shape *)rf_shapes_of(&json->shapes, event->table);
    uint32_t column;
    memcpy(rf_buf_reserve(out, OP_SIZE), ops[event->op], OP_SIZE);
    out->size += op_sizes[event->op];
    rf_piece_add(out, &shape->text);
    *key_start = out->size;
    if (event->table->documents) {
        add_document_change(json, event, out, key_size);
        return RF_OK;
    }
    if (shape->key.count > 0) {
        if (!rf_json_add_row(out, &shape->key, rf_event_image(event), &column)) {
            return reject(event, column, err);
        }
        *key_size = out->size - *key_start;
    } else {
        rf_buf_add_str(out, RF_STR("null"));
        *key_size = 0;
    }
    rf_buf_add_str(out, RF_STR(",\"before\":"));
    if (!add_image(out, shape, event->before, &column)) {
        return reject(event, column, err);
    }
    rf_buf_add_str(out, RF_STR(",\"after\":"));
    if (!add_image(out, shape, event->after, &column)) {
        return reject(event, column, err);
    }
    return RF_OK;
}

/* "database.object" in one string. */
static void add_table_name(struct rf_buf *out, const struct rf_event *event)
{
    rf_buf_add_str(out, RF_STR(",\"table\":"));
    if (event->database.size > 0) {
        rf_json_add_string(out, event->database);
        out->data[out->size - 1] = '.';
    }
    size_t quote = out->size;
    rf_json_add_string(out, event->object);
    if (event->database.size > 0) {
        memmove(out->data + quote, out->data + quote + 1, out->size - quote - 1);
        out->size--;
    }
}

static void add_statement(const struct rf_event *event, struct rf_buf *out)
{
    if (event->op == RF_TRUNCATE) {
        rf_buf_add_str(out, RF_STR("{\"op\":\"truncate\""));
    } else {
        rf_buf_add_str(out, RF_STR("{\"op\":\"ddl\",\"database\":"));
        rf_json_add_string(out, event->database);
    }
    if (event->object.size > 0) {
        add_table_name(out, event);
    }
    rf_buf_add_str(out, RF_STR(",\"statement\":"));
    rf_json_add_string(out, event->statement);
}

static enum rf_status json_encode(void *state, const struct rf_view *view,
                                  const struct rf_event *event, struct rf_encoding *out,
                                  struct rf_error *err)
{
    struct json *json = state;
    struct rf_buf *value = out->value;
    const size_t start = value->size;
    size_t key_start = start, key_size = 0;
    tail_prepare(json, rf_view_transaction(view, event));
    if (event->op == RF_TRUNCATE || event->op == RF_DDL) {
        add_statement(event, value);
    } else {
        enum rf_status status = add_row(json, event, value, &key_start, &key_size, err);
        if (status != RF_OK) {
            value->size = start;
            return status;
        }
    }
    add_tail(json, value, event);

    struct rf_message *message = &out->messages[out->count++];
    *message = (struct rf_message){.value_start = start, .value_size = value->size - start};
    if (out->key != NULL) {
        message->key_start = out->key->size;
        message->key_size = key_size;
        rf_buf_add(out->key, value->data + key_start, key_size);
    }
    rf_buf_add_str(value, out->terminator);
    return RF_OK;
}

static const struct rf_option json_options[] = {
    {"documents", RF_OPTION_CHOICE, offsetof(struct json, documents), "relaxed",
     "relaxed|canonical",
     "Extended JSON of documents; canonical tells each number's type, and is longer", false},
    RF_OPTION_END,
};

const struct rf_format_type rf_format_json = {
    .name = "json",
    .summary = "one flat JSON object per event: op, table, key, before, after, ts, position, id",
    .state_size = sizeof(struct json),
    .options = json_options,
    .open = json_open,
    .encode = json_encode,
    .close = json_close,
};
