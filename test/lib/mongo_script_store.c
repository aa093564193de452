#include "lib/mongo_script_store.h"

#include "base/memory.h"

#include <stdlib.h>

enum { BUCKETS_MIN = 64, DOCUMENT_BYTES_MAX = 16 * 1024 * 1024, BATCH_MAX = 100000 };

/* One change that is not journaled: what there was in its place. */
struct undo {
    struct undo *next;
    char *collection;
    bson_t *before; /* NULL: nothing */
    bson_t *id;     /* {_id: ...} */
};

struct rf_mongo_script_store *rf_mongo_script_store_create(bool forgetful)
{
    struct rf_mongo_script_store *store = rf_alloc_zero(1, sizeof *store);
    store->forgetful = forgetful;
    store->document_bytes_max = DOCUMENT_BYTES_MAX;
    store->batch_max = BATCH_MAX;
    return store;
}

void rf_mongo_script_store_limit(struct rf_mongo_script_store *store, uint32_t document_bytes_max,
                                 uint32_t batch_max)
{
    store->document_bytes_max = document_bytes_max ? document_bytes_max : DOCUMENT_BYTES_MAX;
    store->batch_max = batch_max ? batch_max : BATCH_MAX;
}

/* ------------------------------------------------------------------------------------ documents */

/* FNV-1a. */
static uint64_t hash_of(struct rf_str key)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < key.size; i++) {
        hash = (hash ^ (uint8_t)key.data[i]) * 1099511628211u;
    }
    return hash;
}

static struct rf_mongo_script_document **place_of(const struct rf_mongo_script_collection *at,
                                                  uint64_t hash, struct rf_str key)
{
    struct rf_mongo_script_document **place = &at->buckets[hash & (at->bucket_count - 1)];
    while (*place != NULL && !((*place)->hash == hash && (*place)->key_size == key.size &&
                               memcmp((*place)->key, key.data, key.size) == 0)) {
        place = &(*place)->next;
    }
    return place;
}

static void grow(struct rf_mongo_script_collection *collection)
{
    if (collection->count < collection->bucket_count) {
        return;
    }
    free(collection->buckets);
    collection->bucket_count *= 4;
    collection->buckets = rf_alloc_zero(collection->bucket_count, sizeof(void *));
    for (struct rf_mongo_script_document *each = collection->first; each; each = each->below) {
        struct rf_mongo_script_document **bucket =
            &collection->buckets[each->hash & (collection->bucket_count - 1)];
        each->next = *bucket;
        *bucket = each;
    }
}

static void remember(struct rf_mongo_script_store *store,
                     const struct rf_mongo_script_collection *collection, const bson_t *before,
                     const bson_t *after)
{
    bson_iter_t id;
    if (!store->forgetful) {
        return;
    }
    struct undo *undo = rf_alloc_zero(1, sizeof *undo);
    undo->next = store->undo;
    undo->collection = rf_str_dup(rf_str_of(collection->name));
    undo->before = before ? bson_copy(before) : NULL;
    undo->id = bson_new();
    rf_assert(bson_iter_init_find(&id, before ? before : after, "_id") &&
              bson_append_iter(undo->id, "_id", 3, &id));
    store->undo = undo;
}

struct rf_mongo_script_document *rf_mongo_script_document(
    const struct rf_mongo_script_collection *collection, const bson_iter_t *id)
{
    struct rf_buf key = {0};
    if (collection == NULL) {
        return NULL;
    }
    rf_mongo_script_key(id, &key);
    struct rf_mongo_script_document *found =
        *place_of(collection, hash_of(rf_buf_str(&key)), rf_buf_str(&key));
    rf_buf_deinit(&key);
    return found;
}

void rf_mongo_script_document_put(struct rf_mongo_script_store *store,
                                  struct rf_mongo_script_collection *collection, bson_t *bson)
{
    bson_iter_t id;
    struct rf_buf key = {0};
    rf_assert(bson_iter_init_find(&id, bson, "_id"));
    rf_mongo_script_key(&id, &key);
    uint64_t hash = hash_of(rf_buf_str(&key));
    struct rf_mongo_script_document **place = place_of(collection, hash, rf_buf_str(&key));
    remember(store, collection, *place ? (*place)->bson : NULL, bson);
    if (store->history != NULL && !store->quiet) {
        rf_mongo_script_history_document(store->history, collection->name,
                                         *place ? (*place)->bson : NULL, bson, store->replaces);
    }
    if (*place != NULL) {
        bson_destroy((*place)->bson);
        (*place)->bson = bson;
    } else {
        struct rf_mongo_script_document *document = rf_alloc(sizeof *document + key.size);
        *document = (struct rf_mongo_script_document){
            .above = collection->last, .hash = hash, .bson = bson, .key_size = key.size};
        memcpy(document->key, key.data, key.size);
        *(document->above ? &document->above->below : &collection->first) = document;
        collection->last = document;
        *place = document;
        collection->count++;
        grow(collection);
    }
    rf_buf_deinit(&key);
}

void rf_mongo_script_document_remove(struct rf_mongo_script_store *store,
                                     struct rf_mongo_script_collection *collection,
                                     struct rf_mongo_script_document *document)
{
    struct rf_str key = {document->key, document->key_size};
    struct rf_mongo_script_document **place = place_of(collection, document->hash, key);
    rf_assert(*place == document);
    remember(store, collection, document->bson, NULL);
    if (store->history != NULL && !store->quiet) {
        rf_mongo_script_history_document(store->history, collection->name, document->bson, NULL,
                                         false);
    }
    *place = document->next;
    *(document->above ? &document->above->below : &collection->first) = document->below;
    *(document->below ? &document->below->above : &collection->last) = document->above;
    collection->count--;
    bson_destroy(document->bson);
    free(document);
}

/* ---------------------------------------------------------------------------------- collections */

/* By database, then by the rest. */
static int by_name(const char *a, const char *b)
{
    struct rf_str left = {a, strcspn(a, ".")}, right = {b, strcspn(b, ".")};
    int order = rf_str_compare(left, right);
    return order != 0 ? order : strcmp(a + left.size, b + right.size);
}

struct rf_mongo_script_collection *rf_mongo_script_collection(struct rf_mongo_script_store *store,
                                                              const char *name, bool create)
{
    size_t at = 0;
    while (at < store->collection_count && by_name(store->collections[at]->name, name) < 0) {
        at++;
    }
    if (at < store->collection_count && strcmp(store->collections[at]->name, name) == 0) {
        return store->collections[at];
    }
    if (!create) {
        return NULL;
    }
    struct rf_mongo_script_collection *made = rf_alloc_zero(1, sizeof *made);
    made->name = rf_str_dup(rf_str_of(name));
    made->bucket_count = BUCKETS_MIN;
    made->buckets = rf_alloc_zero(made->bucket_count, sizeof(void *));
    store->collections =
        rf_realloc(store->collections, (store->collection_count + 1) * sizeof(void *));
    memmove(&store->collections[at + 1], &store->collections[at],
            (store->collection_count - at) * sizeof(void *));
    store->collections[at] = made;
    store->collection_count++;
    return made;
}

void rf_mongo_script_collection_drop(struct rf_mongo_script_store *store,
                                     struct rf_mongo_script_collection *collection)
{
    size_t at = 0;
    bool quiet = store->quiet;
    store->quiet = true; /* whoever drops it says so */
    while (collection->first != NULL) {
        rf_mongo_script_document_remove(store, collection, collection->first);
    }
    store->quiet = quiet;
    while (store->collections[at] != collection) {
        at++;
    }
    store->collection_count--;
    memmove(&store->collections[at], &store->collections[at + 1],
            (store->collection_count - at) * sizeof(void *));
    free(collection->buckets);
    free(collection->name);
    free(collection);
}

/* ----------------------------------------------------------------------------- crashes and ends */

void rf_mongo_script_store_settle(struct rf_mongo_script_store *store)
{
    while (store->undo != NULL) {
        struct undo *undo = store->undo;
        store->undo = undo->next;
        bson_destroy(undo->before);
        bson_destroy(undo->id);
        free(undo->collection);
        free(undo);
    }
}

void rf_mongo_script_store_crash(struct rf_mongo_script_store *store)
{
    bool forgetful = store->forgetful;
    store->forgetful = false;
    store->quiet = true;
    for (const struct undo *undo = store->undo; undo != NULL; undo = undo->next) {
        struct rf_mongo_script_collection *collection =
            rf_mongo_script_collection(store, undo->collection, true);
        bson_iter_t id;
        rf_assert(bson_iter_init_find(&id, undo->id, "_id"));
        struct rf_mongo_script_document *document = rf_mongo_script_document(collection, &id);
        if (undo->before != NULL) {
            rf_mongo_script_document_put(store, collection, bson_copy(undo->before));
        } else if (document != NULL) {
            rf_mongo_script_document_remove(store, collection, document);
        }
    }
    store->forgetful = forgetful;
    store->quiet = false;
    rf_mongo_script_store_settle(store);
}

void rf_mongo_script_store_clear(struct rf_mongo_script_store *store)
{
    while (store->collection_count > 0) {
        rf_mongo_script_collection_drop(store, store->collections[0]);
    }
    rf_mongo_script_store_settle(store);
    if (store->history != NULL) {
        rf_mongo_script_history_destroy(store->history);
        store->history = rf_mongo_script_history_create();
    }
}

void rf_mongo_script_store_destroy(struct rf_mongo_script_store *store)
{
    if (store != NULL) {
        rf_mongo_script_store_clear(store);
        rf_mongo_script_history_destroy(store->history);
        free(store->collections);
        free(store);
    }
}

/* ----------------------------------------------------------------------------------------- dump */

static bool is_own(const char *name)
{
    static const char *const own[] = {"admin.", "config.", "local.", "rowferry."};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (strncmp(name, own[i], strlen(own[i])) == 0) {
            return true;
        }
    }
    return false;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void rf_mongo_script_store_dump(const struct rf_mongo_script_store *store, struct rf_buf *out)
{
    for (size_t i = 0; i < store->collection_count; i++) {
        const struct rf_mongo_script_collection *collection = store->collections[i];
        size_t count = 0;
        if (is_own(collection->name) || collection->count == 0) {
            continue;
        }
        char **lines = rf_alloc_zero(collection->count, sizeof *lines);
        for (const struct rf_mongo_script_document *each = collection->first; each;
             each = each->below) {
            char *line = bson_as_canonical_extended_json(each->bson, NULL);
            lines[count++] = line ? line : bson_strdup("a document with a text that is no UTF-8");
        }
        qsort(lines, count, sizeof *lines, by_text);
        for (size_t line = 0; line < count; line++) {
            rf_buf_printf(out, "%s ", collection->name);
            rf_buf_add_str(out, rf_str_of(lines[line]));
            rf_buf_add_byte(out, '\n');
            bson_free(lines[line]);
        }
        free(lines);
    }
}
