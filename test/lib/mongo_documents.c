#include "lib/mongo_documents.h"

#include "base/memory.h"
#include "wire/bson_id.h"

#include <bson/bson.h>
#include <stdio.h>
#include <stdlib.h>

/* What is behind a collection: its columns and names, in one piece. */
struct description {
    struct rf_column columns[2];
    uint32_t key_columns[1];
    char text[];
};

struct rf_table *rf_test_collection(const char *database, const char *name)
{
    struct rf_table *table = rf_alloc_zero(1, sizeof *table);
    size_t size = strlen(database) + strlen(name) + 1;
    struct description *description = rf_alloc_zero(1, sizeof *description + size + 1);
    snprintf(description->text, size + 1, "%s.%s", database, name);
    description->columns[0] = (struct rf_column){.name = RF_STR("_id"),
                                                 .type = RF_COLUMN_DOCUMENT_ID,
                                                 .charset = RF_CHARSET_UTF8,
                                                 .key = true};
    description->columns[1] = (struct rf_column){
        .name = RF_STR("document"), .type = RF_COLUMN_DOCUMENT, .nullable = true};
    *table = (struct rf_table){
        .version = 1,
        .database = {description->text, strlen(database)},
        .name = {description->text + strlen(database) + 1, strlen(name)},
        .full_name = {description->text, size},
        .column_count = 2,
        .key_count = 1,
        .documents = true,
        .columns = description->columns,
        .key_columns = description->key_columns,
        .memory = description,
    };
    atomic_init(&table->references, 1);
    return table;
}

struct rf_str rf_test_bson(struct rf_batch *batch, const char *json)
{
    bson_error_t error;
    bson_t *document = bson_new_from_json((const uint8_t *)json, -1, &error);
    if (document == NULL) {
        fprintf(stderr, "%s: %s\n", json, error.message);
        abort();
    }
    struct rf_str bytes = {(const char *)bson_get_data(document), document->len};
    bytes = rf_arena_copy(&batch->arena, bytes);
    rf_assert(rf_bson_is_sound(bytes));
    bson_destroy(document);
    return bytes;
}

static struct rf_value id_of(struct rf_batch *batch, struct rf_str document)
{
    struct rf_bson_element id;
    struct rf_buf text = {0};
    bool found = rf_bson_find(document, RF_STR("_id"), &id);
    rf_assert(found);
    rf_bson_id_add(&text, &id);
    struct rf_str copy = rf_arena_copy(&batch->arena, rf_buf_str(&text));
    rf_buf_deinit(&text);
    return (struct rf_value){.kind = RF_TEXT, .size = (uint32_t)copy.size, .text = copy.data};
}

/* json NULL: not told; "null": there was none. */
static const struct rf_value *image_of(struct rf_batch *batch, struct rf_str key, const char *json)
{
    struct rf_value *image = rf_arena_alloc(&batch->arena, 2 * sizeof *image);
    image[0] = id_of(batch, key);
    image[1] = (struct rf_value){.kind = json == NULL ? RF_ABSENT : RF_NULL};
    if (json != NULL && strcmp(json, "null") != 0) {
        struct rf_str bytes = rf_test_bson(batch, json);
        image[1] = (struct rf_value){
            .kind = RF_DOCUMENT, .size = (uint32_t)bytes.size, .text = bytes.data};
    }
    return image;
}

/* {"_id": ...} of a document. */
static struct rf_str key_of(struct rf_batch *batch, const char *json)
{
    struct rf_bson_element id;
    struct rf_buf key = {0};
    struct rf_str document = rf_test_bson(batch, json);
    bool found = rf_bson_find(document, RF_STR("_id"), &id);
    rf_assert(found);
    size_t begin = rf_bson_begin(&key);
    rf_buf_add_byte(&key, (char)id.type);
    rf_buf_add(&key, "_id", sizeof "_id");
    rf_buf_add_str(&key, id.value);
    rf_bson_end(&key, begin);
    struct rf_str copy = rf_arena_copy(&batch->arena, rf_buf_str(&key));
    rf_buf_deinit(&key);
    return copy;
}

static struct rf_event *add(struct rf_batch *batch, enum rf_op op, struct rf_table *table,
                            const char *type, struct rf_str key)
{
    struct rf_document_change *change = rf_arena_alloc(&batch->arena, sizeof *change);
    struct rf_event *event = rf_batch_add(batch);
    const struct rf_transaction *transaction = &batch->transactions[batch->transaction_count - 1];
    *change = (struct rf_document_change){
        .type = rf_str_of(type),
        .key = key,
        .wall_us = transaction->commit_us,
        .cluster_time = (uint32_t)(transaction->commit_us / 1000000),
        .cluster_increment = transaction->count,
    };
    event->op = (uint8_t)op;
    event->ordinal = transaction->count;
    event->table = table;
    event->change = change;
    if (table != NULL) {
        rf_batch_use(batch, table);
    }
    return event;
}

struct rf_event *rf_test_document_create(struct rf_batch *batch, struct rf_table *table,
                                         const char *json)
{
    struct rf_str key = key_of(batch, json);
    const struct rf_value *after = image_of(batch, key, json);
    struct rf_event *event = add(batch, RF_CREATE, table, "insert", key);
    event->after = after;
    return event;
}

struct rf_event *rf_test_document_replace(struct rf_batch *batch, struct rf_table *table,
                                          const char *before, const char *json)
{
    struct rf_str key = key_of(batch, json);
    const struct rf_value *old = image_of(batch, key, before);
    const struct rf_value *new = image_of(batch, key, json);
    struct rf_event *event = add(batch, RF_UPDATE, table, "replace", key);
    event->before = old;
    event->after = new;
    return event;
}

struct rf_event *rf_test_document_update(struct rf_batch *batch, struct rf_table *table,
                                         const char *key, const char *before, const char *after,
                                         const char *description)
{
    struct rf_str id = rf_test_bson(batch, key);
    struct rf_document_change *change;
    const struct rf_value *old = image_of(batch, id, before);
    const struct rf_value *new = image_of(batch, id, after);
    struct rf_event *event = add(batch, RF_UPDATE, table, "update", id);
    event->before = old;
    event->after = new;
    change = (struct rf_document_change *)event->change;
    change->update = rf_test_bson(batch, description);
    return event;
}

struct rf_event *rf_test_document_delete(struct rf_batch *batch, struct rf_table *table,
                                         const char *key, const char *before)
{
    struct rf_str id = rf_test_bson(batch, key);
    const struct rf_value *old = image_of(batch, id, before);
    struct rf_event *event = add(batch, RF_DELETE, table, "delete", id);
    event->before = old;
    return event;
}

struct rf_event *rf_test_document_drop(struct rf_batch *batch, const char *type,
                                       const char *database, const char *collection)
{
    char statement[256];
    snprintf(statement, sizeof statement,
             "{\"operationType\":\"%s\",\"ns\":{\"db\":\"%s\",\"coll\":\"%s\"}}", type, database,
             collection);
    struct rf_event *event = add(batch, RF_DDL, NULL, type, RF_STR_NONE);
    event->database = rf_arena_copy(&batch->arena, rf_str_of(database));
    event->object = rf_arena_copy(&batch->arena, rf_str_of(collection));
    event->statement = rf_arena_copy(&batch->arena, rf_str_of(statement));
    return event;
}
