#include "lib/mongo_script_history.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

enum { BEGINNING = 1763830000, PER_SECOND = 100 };

struct rf_mongo_script_history *rf_mongo_script_history_create(void)
{
    struct rf_mongo_script_history *history = rf_alloc_zero(1, sizeof *history);
    bson_oid_init(&history->identity, NULL);
    return history;
}

static void release_entry(struct rf_mongo_script_entry *entry)
{
    free(entry->database);
    free(entry->collection);
    free(entry->to);
    bson_destroy(entry->key);
    bson_destroy(entry->before);
    bson_destroy(entry->after);
    bson_destroy(entry->update);
}

static void release(struct rf_mongo_script_history *history)
{
    for (uint32_t i = 0; i < history->count; i++) {
        release_entry(&history->entries[i]);
    }
    history->lost += history->count;
    history->count = 0;
}

void rf_mongo_script_history_destroy(struct rf_mongo_script_history *history)
{
    if (history != NULL) {
        release(history);
        free(history->entries);
        free(history);
    }
}

void rf_mongo_script_history_lose(struct rf_mongo_script_history *history)
{
    release(history);
}

void rf_mongo_script_history_set_back(struct rf_mongo_script_history *history, uint32_t count)
{
    rf_assert(count <= history->count);
    for (; count > 0; count--) {
        rf_assert(history->entries[history->count - 1].transaction == 0);
        release_entry(&history->entries[--history->count]);
        history->ticks--;
    }
}

void rf_mongo_script_history_time(const struct rf_mongo_script_history *history, uint32_t *seconds,
                                  uint32_t *increment)
{
    *seconds = BEGINNING + history->ticks / PER_SECOND;
    *increment = history->ticks % PER_SECOND + 1;
}

/* As MongoDB's tokens begin: 0x82 and the time. */
static void print_token(uint32_t seconds, uint32_t increment, uint32_t index,
                        char token[RF_MONGO_SCRIPT_TOKEN_SIZE])
{
    snprintf(token, RF_MONGO_SCRIPT_TOKEN_SIZE, "82%08X%08X%08X04", seconds, increment, index);
}

void rf_mongo_script_history_now(const struct rf_mongo_script_history *history,
                                 char token[RF_MONGO_SCRIPT_TOKEN_SIZE])
{
    uint32_t seconds, increment;
    rf_mongo_script_history_time(history, &seconds, &increment);
    print_token(seconds, increment, UINT32_MAX, token);
}

void rf_mongo_script_history_bundle(struct rf_mongo_script_history *history, bool bundled)
{
    rf_assert(history->bundled != bundled);
    history->bundled = bundled;
    history->transaction += bundled;
    history->ticks += bundled;
    history->index = 0;
}

static struct rf_mongo_script_entry *add(struct rf_mongo_script_history *history, const char *type,
                                         const char *name)
{
    if (history->count == history->capacity) {
        history->capacity = history->capacity * 2 + 64;
        history->entries =
            rf_realloc(history->entries, history->capacity * sizeof *history->entries);
    }
    struct rf_mongo_script_entry *entry = &history->entries[history->count++];
    size_t size = strcspn(name, ".");
    history->ticks += !history->bundled;
    *entry = (struct rf_mongo_script_entry){
        .type = type,
        .database = rf_str_dup((struct rf_str){name, size}),
        .collection = rf_str_dup(rf_str_of(name[size] != '\0' ? name + size + 1 : "")),
        .index = history->bundled ? history->index++ : 0,
        .transaction = history->bundled ? history->transaction : 0,
    };
    rf_mongo_script_history_time(history, &entry->seconds, &entry->increment);
    print_token(entry->seconds, entry->increment, entry->index, entry->token);
    return entry;
}

/* What changed among the fields of the document itself. */
static bson_t *describe(const bson_t *before, const bson_t *after)
{
    bson_t *description = bson_new(), updated, removed;
    bson_iter_t field, other;
    uint32_t count = 0;
    rf_assert(BSON_APPEND_DOCUMENT_BEGIN(description, "updatedFields", &updated));
    rf_assert(bson_iter_init(&field, after));
    while (bson_iter_next(&field)) {
        bson_t left = BSON_INITIALIZER, right = BSON_INITIALIZER;
        bool there = bson_iter_init_find(&other, before, bson_iter_key(&field));
        rf_assert(bson_append_iter(&left, "v", 1, &field));
        rf_assert(!there || bson_append_iter(&right, "v", 1, &other));
        if (!there || !bson_equal(&left, &right)) {
            rf_assert(bson_append_iter(&updated, NULL, 0, &field));
        }
        bson_destroy(&left);
        bson_destroy(&right);
    }
    rf_assert(bson_append_document_end(description, &updated));
    rf_assert(BSON_APPEND_ARRAY_BEGIN(description, "removedFields", &removed));
    rf_assert(bson_iter_init(&field, before));
    while (bson_iter_next(&field)) {
        char digits[16];
        const char *key;
        if (!bson_has_field(after, bson_iter_key(&field))) {
            bson_uint32_to_string(count++, &key, digits, sizeof digits);
            rf_assert(BSON_APPEND_UTF8(&removed, key, bson_iter_key(&field)));
        }
    }
    rf_assert(bson_append_array_end(description, &removed));
    bson_t truncated;
    rf_assert(BSON_APPEND_ARRAY_BEGIN(description, "truncatedArrays", &truncated) &&
              bson_append_array_end(description, &truncated));
    return description;
}

void rf_mongo_script_history_document(struct rf_mongo_script_history *history, const char *name,
                                      const bson_t *before, const bson_t *after, bool replaces)
{
    bson_iter_t id;
    const char *type = before == NULL  ? "insert"
                       : after == NULL ? "delete"
                       : replaces      ? "replace"
                                       : "update";
    struct rf_mongo_script_entry *entry = add(history, type, name);
    entry->key = bson_new();
    rf_assert(bson_iter_init_find(&id, before != NULL ? before : after, "_id"));
    rf_assert(bson_append_iter(entry->key, "_id", 3, &id));
    entry->before = before != NULL ? bson_copy(before) : NULL;
    entry->after = after != NULL ? bson_copy(after) : NULL;
    entry->update = before != NULL && after != NULL && !replaces ? describe(before, after) : NULL;
}

void rf_mongo_script_history_collection(struct rf_mongo_script_history *history, const char *type,
                                        const char *name, const char *to)
{
    struct rf_mongo_script_entry *entry = add(history, type, name);
    entry->to = to != NULL ? rf_str_dup(rf_str_of(to)) : NULL;
}
