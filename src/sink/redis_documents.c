/* Documents of collections: a hash of the fields at the top level, the document as JSON, or a
 * string made of its fields.
 *
 * Templates see a document as a row of texts (wire/bson_row.h), and so is a field of a hash
 * written; one that is Null is left out, as a column that is NULL. A document is always written
 * whole: nothing of what was under its key stays, unless the key is one that documents share. A key
 * that is made of the _id is made of nothing else, as nobody tells what another field was
 * before. */
#include "sink/document.h"
#include "sink/redis_sink.h"
#include "wire/bson_json.h"

#include "base/memory.h"

#include <stdlib.h>

/* ------------------------------------------------------------------------------------- binding */

struct names {
    struct rf_str *items;
    uint32_t count;
};

static void add_names(struct names *names, const struct rf_template *template)
{
    struct rf_str name;
    uint32_t at = 0;
    while (rf_template_next_column(template, &at, &name)) {
        names->items = rf_realloc(names->items, (names->count + 1) * sizeof *names->items);
        names->items[names->count++] = name;
    }
}

/* The key must be the same as long as the _id is. */
static enum rf_status check_key(const struct rf_redis_sink *sink, const struct rf_binding *key,
                                const struct rf_table *table, struct rf_error *err)
{
    struct rf_str name;
    uint32_t at = 0;
    while (key->whole_key && rf_template_next_column(&sink->document_template, &at, &name)) {
        if (!rf_str_equal(name, RF_STR("_id"))) {
            rf_fail(err, RF_CONFIG,
                    "the key template '%s' has {%.*s} beside the _id of documents of %.*s: when "
                    "that field changes, nobody could tell the key that the document had before",
                    sink->document_template.text, RF_STR_ARG(name), RF_STR_ARG(table->full_name));
            rf_error_hint(err, "make the key of the _id and the names alone, such as "
                               "mongo:{database}:{collection}:{_id}");
            return RF_CONFIG;
        }
    }
    return RF_OK;
}

enum rf_status rf_redis_documents_bind(struct rf_redis_sink *sink, struct rf_redis_table *target,
                                       const struct rf_table *table, struct rf_error *err)
{
    struct names names = {0};
    add_names(&names, &sink->document_template);
    if (sink->as == RF_REDIS_STRING) {
        add_names(&names, &sink->value_template);
    }
    rf_bson_row_init(&target->row, table, names.items, names.count, false);
    free(names.items);
    enum rf_status status =
        rf_template_bind(&sink->document_template, target->row.table, &target->key, err);
    if (status == RF_OK) {
        status = check_key(sink, &target->key, table, err);
    }
    if (status == RF_OK && sink->as == RF_REDIS_STRING) {
        status = rf_template_bind(&sink->value_template, target->row.table, &target->value, err);
    }
    return status;
}

/* ------------------------------------------------------------------------------------- commands */

static struct rf_str document_of(const struct rf_redis_change *change)
{
    return rf_value_str(change->image[1]);
}

static void add_field(struct rf_redis_sink *sink, const struct rf_bson_element *field)
{
    rf_buf_reset(&sink->text);
    if (rf_bson_text_add(&sink->text, field)) {
        rf_redis_bulk(&sink->guard.redis, field->name);
        rf_redis_bulk(&sink->guard.redis, rf_buf_str(&sink->text));
    }
}

void rf_redis_document_hash(struct rf_redis_sink *sink, const struct rf_redis_change *change)
{
    struct rf_redis *redis = &sink->guard.redis;
    struct rf_bson_element field;
    if (change->set > 0) {
        struct rf_bson_walk walk = rf_bson_walk(document_of(change));
        rf_redis_group_command(&sink->guard, change->event, 2 + 2 * change->set);
        rf_redis_bulk(redis, RF_STR("HSET"));
        rf_redis_bulk(redis, change->key);
        while (rf_bson_next(&walk, &field)) {
            add_field(sink, &field);
        }
    }
    if (change->null > 0 && !change->fresh) {
        struct rf_bson_walk walk = rf_bson_walk(document_of(change));
        rf_redis_group_command(&sink->guard, change->event, 2 + change->null);
        rf_redis_bulk(redis, RF_STR("HDEL"));
        rf_redis_bulk(redis, change->key);
        while (rf_bson_next(&walk, &field)) {
            if (field.type == RF_BSON_NULL) {
                rf_redis_bulk(redis, field.name);
            }
        }
    }
}

void rf_redis_document_json(struct rf_redis_sink *sink, const struct rf_redis_change *change)
{
    rf_buf_reset(&sink->text);
    rf_bson_json_add(&sink->text, document_of(change), RF_BSON_JSON_RELAXED);
    rf_redis_group_command(&sink->guard, change->event, 3);
    rf_redis_bulk(&sink->guard.redis, RF_STR("SET"));
    rf_redis_bulk(&sink->guard.redis, change->key);
    rf_redis_bulk(&sink->guard.redis, rf_buf_str(&sink->text));
}

/* ------------------------------------------------------------------------------------ documents */

/* Extended JSON has at most so many bytes for each of the document. */
static enum rf_status check_size(const struct rf_event *event, struct rf_error *err)
{
    enum { GROWTH = 12 };
    uint64_t size = (uint64_t)event->after[1].size * GROWTH;
    return size > RF_REDIS_VALUE_MAX ? rf_redis_too_large(event, size, err) : RF_OK;
}

static void count_fields(struct rf_redis_change *change)
{
    struct rf_bson_walk walk = rf_bson_walk(document_of(change));
    struct rf_bson_element field;
    change->set = change->null = 0;
    while (rf_bson_next(&walk, &field)) {
        change->null += field.type == RF_BSON_NULL;
        change->set += field.type != RF_BSON_NULL;
    }
}

static enum rf_status put(struct rf_redis_sink *sink, const struct rf_redis_table *target,
                          const struct rf_event *event, struct rf_error *err)
{
    struct rf_redis_change *change = NULL;
    enum rf_status status = rf_redis_change_get(sink, target, event, &change, err);
    if (status != RF_OK) {
        return status;
    }
    sink->window.bytes -= change->bytes;
    change->table = target;
    change->puts = true;
    change->fresh |= target->key.whole_key;
    change->image = event->after;
    change->bytes = event->after[1].size;
    if (sink->as == RF_REDIS_HASH) {
        count_fields(change);
    } else if (sink->as == RF_REDIS_STRING) {
        change->text = rf_arena_copy(&sink->window.arena, rf_buf_str(&sink->old_key_text));
        change->bytes = change->text.size;
    }
    sink->window.bytes += change->bytes;
    return RF_OK;
}

/* The key, and as=string the value, which waits in old_key_text: no key of a document changes. */
static enum rf_status render(struct rf_redis_sink *sink, struct rf_redis_table *target,
                             const struct rf_event *event, struct rf_error *err)
{
    const struct rf_value *row =
        rf_bson_row_of(&target->row, rf_event_image(event), &sink->window.arena);
    enum rf_status status = rf_redis_key_render(target, event, row, NULL, &sink->key_text, err);
    if (status == RF_OK && sink->as == RF_REDIS_STRING && event->op != RF_DELETE) {
        int64_t commit_us = rf_view_transaction(sink->view, event)->commit_us;
        rf_buf_reset(&sink->old_key_text);
        status = rf_binding_render(&target->value, event, commit_us, row, NULL, &sink->old_key_text,
                                   err);
    }
    if (status == RF_OK && sink->as == RF_REDIS_STRING &&
        sink->old_key_text.size > RF_REDIS_VALUE_MAX) {
        status = rf_redis_too_large(event, sink->old_key_text.size, err);
    }
    return status;
}

enum rf_status rf_redis_document_put(struct rf_redis_sink *sink, struct rf_redis_table *target,
                                     const struct rf_event *event, struct rf_error *err)
{
    enum rf_document_do what = RF_DOCUMENT_PASS;
    enum rf_status status = rf_document_decide(event, &what, err);
    if (status != RF_OK || what == RF_DOCUMENT_PASS ||
        (what == RF_DOCUMENT_REMOVE && !target->key.whole_key)) {
        return status; /* other documents share the key */
    }
    if (what == RF_DOCUMENT_PUT) {
        status = check_size(event, err);
    }
    if (status == RF_OK) {
        status = render(sink, target, event, err);
    }
    if (status != RF_OK) {
        return status;
    }
    return what == RF_DOCUMENT_PUT ? put(sink, target, event, err)
                                   : rf_redis_change_remove(sink, target, event, err);
}
