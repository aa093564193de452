#include "lib/mongo_script_store.h"

#include <stdio.h>

enum { RESULT_BYTES_MAX = 40 * 1024 * 1024, NAME_SIZE = 320, DATABASE_NAME_MAX = 63 };

/* One command under way. */
struct run {
    struct rf_mongo_script_store *store;
    const bson_t *command;
    const bson_t *failing;
    bson_t *reply;
    const char *database;
    char name[NAME_SIZE]; /* "database.collection" of the command's first field */
    struct rf_mongo_script_collection *collection; /* NULL: there is none yet */
    int32_t done;                                  /* documents inserted, matched, deleted, found */
    int32_t modified;
    bson_t failures; /* writeErrors */
    bson_t upserted; /* {index, _id} of each document that an update made */
    bson_t found;
    uint32_t failure_count, upserted_count, found_count;
};

/* -------------------------------------------------------------------------------------- helpers */

static const char *code_name(int code)
{
    switch (code) {
    case RF_MONGO_SCRIPT_BAD_VALUE: return "BadValue";
    case RF_MONGO_SCRIPT_NOT_PARSED: return "FailedToParse";
    case RF_MONGO_SCRIPT_UNAUTHORIZED: return "Unauthorized";
    case RF_MONGO_SCRIPT_BAD_LENGTH: return "InvalidLength";
    case RF_MONGO_SCRIPT_LOGIN_FAILED: return "AuthenticationFailed";
    case RF_MONGO_SCRIPT_NO_NAMESPACE: return "NamespaceNotFound";
    case RF_MONGO_SCRIPT_NAMESPACE_EXISTS: return "NamespaceExists";
    case RF_MONGO_SCRIPT_BAD_ID: return "InvalidIdField";
    case RF_MONGO_SCRIPT_NO_COMMAND: return "CommandNotFound";
    case RF_MONGO_SCRIPT_ID_CHANGED: return "ImmutableField";
    case RF_MONGO_SCRIPT_BAD_NAMESPACE: return "InvalidNamespace";
    case RF_MONGO_SCRIPT_NO_TRANSACTIONS: return "OperationNotSupportedInTransaction";
    case RF_MONGO_SCRIPT_NO_MECHANISM: return "MechanismUnavailable";
    case RF_MONGO_SCRIPT_NOT_PRIMARY: return "NotWritablePrimary";
    case RF_MONGO_SCRIPT_TOO_LARGE: return "BSONObjectTooLarge";
    case RF_MONGO_SCRIPT_DUPLICATE_KEY: return "DuplicateKey";
    case RF_MONGO_SCRIPT_NOT_PRIMARY_READ: return "NotPrimaryNoSecondaryOk";
    default: return "";
    }
}

void rf_mongo_script_store_refuse(const struct rf_error *err, bson_t *reply)
{
    rf_assert(BSON_APPEND_DOUBLE(reply, "ok", 0));
    rf_assert(BSON_APPEND_UTF8(reply, "errmsg", err->message));
    rf_assert(BSON_APPEND_INT32(reply, "code", err->code));
    rf_assert(BSON_APPEND_UTF8(reply, "codeName", code_name(err->code)));
}

static bool truth_of(const bson_t *document, const char *name, bool otherwise)
{
    bson_iter_t field;
    return bson_iter_init_find(&field, document, name) ? bson_iter_as_bool(&field) : otherwise;
}

static int64_t number_of(const bson_t *document, const char *name)
{
    bson_iter_t field;
    return bson_iter_init_find(&field, document, name) ? bson_iter_as_int64(&field) : 0;
}

/* The document in a field; false: there is none. It borrows. */
static bool part_of(const bson_t *document, const char *name, bson_t *part)
{
    bson_iter_t field;
    const uint8_t *data;
    uint32_t size;
    if (!bson_iter_init_find(&field, document, name) || !BSON_ITER_HOLDS_DOCUMENT(&field)) {
        return false;
    }
    bson_iter_document(&field, &size, &data);
    return bson_init_static(part, data, size);
}

static bool holds_something(const bson_t *document, const char *name)
{
    bson_t part;
    return part_of(document, name, &part) && !bson_empty(&part);
}

/* Walks over the documents of an array. */
static bool next_document(bson_iter_t *iter, bson_t *document)
{
    const uint8_t *data;
    uint32_t size;
    if (!bson_iter_next(iter) || !BSON_ITER_HOLDS_DOCUMENT(iter)) {
        return false;
    }
    bson_iter_document(iter, &size, &data);
    return bson_init_static(document, data, size);
}

static enum rf_status list_of(const bson_t *command, const char *name, bson_iter_t *list,
                              struct rf_error *err)
{
    bson_iter_t field;
    if (!bson_iter_init_find(&field, command, name) || !BSON_ITER_HOLDS_ARRAY(&field)) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NOT_PARSED, "no array '%s'", name);
    }
    rf_assert(bson_iter_recurse(&field, list));
    return RF_OK;
}

static struct rf_mongo_script_collection *made(struct run *run)
{
    if (run->collection == NULL) {
        run->collection = rf_mongo_script_collection(run->store, run->name, true);
    }
    return run->collection;
}

/* --------------------------------------------------------------------------------- write errors */

static void append_item(bson_t *array, uint32_t *count, const bson_t *item)
{
    char digits[16];
    const char *key;
    bson_uint32_to_string((*count)++, &key, digits, sizeof digits);
    rf_assert(bson_append_document(array, key, -1, item));
}

static void append_error(struct run *run, uint32_t index, const struct rf_error *err)
{
    bson_t failure = BSON_INITIALIZER;
    rf_assert(BSON_APPEND_INT32(&failure, "index", (int32_t)index));
    rf_assert(BSON_APPEND_INT32(&failure, "code", err->code));
    rf_assert(BSON_APPEND_UTF8(&failure, "errmsg", err->message));
    append_item(&run->failures, &run->failure_count, &failure);
    bson_destroy(&failure);
}

/* Whether the script has this operation fail. */
static bool fails_by_script(struct run *run, uint32_t index)
{
    bson_iter_t iter;
    bson_t failure;
    if (run->failing == NULL) {
        return false;
    }
    rf_assert(bson_iter_init(&iter, run->failing));
    while (next_document(&iter, &failure)) {
        if (number_of(&failure, "index") == index) {
            append_item(&run->failures, &run->failure_count, &failure);
            return true;
        }
    }
    return false;
}

typedef enum rf_status operate(struct run *run, uint32_t index, const bson_t *operation,
                               struct rf_error *err);

/* Each operation of a bulk in turn; what fails is listed, and ends an ordered one. */
static enum rf_status each_operation(struct run *run, const char *name, operate *one,
                                     struct rf_error *err)
{
    bson_iter_t list, counted;
    bson_t operation;
    uint32_t count = 0;
    bool ordered = truth_of(run->command, "ordered", true);
    enum rf_status status = list_of(run->command, name, &list, err);
    if (status != RF_OK) {
        return status;
    }
    counted = list;
    while (bson_iter_next(&counted)) {
        count++;
    }
    if (count < 1 || count > run->store->batch_max) {
        return rf_mongo_script_refuse(
            err, RF_MONGO_SCRIPT_BAD_LENGTH,
            "Write batch sizes must be between 1 and %u. Got %u operations.", run->store->batch_max,
            count);
    }
    for (uint32_t i = 0; next_document(&list, &operation); i++) {
        struct rf_error failed = {0};
        bool fails = fails_by_script(run, i);
        if (!fails && one(run, i, &operation, &failed) != RF_OK) {
            append_error(run, i, &failed);
            fails = true;
        }
        if (fails && ordered) {
            break;
        }
    }
    return RF_OK;
}

/* ------------------------------------------------------------------------------------ documents */

/* A copy with the _id as its first field, and with one if it had none. */
static bson_t *copy_in_order(const bson_t *document)
{
    bson_iter_t field, id;
    rf_assert(bson_iter_init(&field, document));
    if (bson_iter_next(&field) && strcmp(bson_iter_key(&field), "_id") == 0) {
        return bson_copy(document);
    }
    bson_t *copy = bson_new();
    if (bson_iter_init_find(&id, document, "_id")) {
        rf_assert(bson_append_iter(copy, "_id", 3, &id));
    } else {
        bson_oid_t oid;
        bson_oid_init(&oid, NULL);
        rf_assert(BSON_APPEND_OID(copy, "_id", &oid));
    }
    bson_copy_to_excluding_noinit(document, copy, "_id", NULL);
    return copy;
}

/* Puts a document into the collection. */
static enum rf_status put(struct run *run, const bson_t *document, const bson_t **stored,
                          struct rf_error *err)
{
    bson_iter_t id;
    if (bson_iter_init_find(&id, document, "_id") &&
        (BSON_ITER_HOLDS_ARRAY(&id) || BSON_ITER_HOLDS_REGEX(&id) ||
         BSON_ITER_HOLDS_UNDEFINED(&id))) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_BAD_ID,
                                      "The '_id' value cannot be of type %s",
                                      BSON_ITER_HOLDS_ARRAY(&id) ? "array" : "regex or undefined");
    }
    bson_t *copy = copy_in_order(document);
    if (copy->len > run->store->document_bytes_max) {
        (void)rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_TOO_LARGE,
                                     "object to insert too large. size in bytes: %u, max size: %u",
                                     copy->len, run->store->document_bytes_max);
        bson_destroy(copy);
        return RF_REJECT;
    }
    *stored = copy;
    rf_mongo_script_document_put(run->store, made(run), copy);
    return RF_OK;
}

/* The next document from `at` on that the filter means; NULL: no more. */
static enum rf_status next_match(struct rf_mongo_script_document *at, const bson_t *filter,
                                 struct rf_mongo_script_document **found, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    bool matches = false;
    for (; at != NULL; at = at->below) {
        status = rf_mongo_script_match(filter, at->bson, &matches, err);
        if (status != RF_OK || matches) {
            break;
        }
    }
    *found = at;
    return status;
}

/* Where to begin to look, and whether that is the only place: a filter by _id needs no search. */
static struct rf_mongo_script_document *begin_search(const struct run *run, const bson_t *filter,
                                                     bool *only)
{
    bson_iter_t id, child;
    *only = false;
    if (run->collection == NULL) {
        return NULL;
    }
    if (bson_iter_init_find(&id, filter, "_id") &&
        !(BSON_ITER_HOLDS_DOCUMENT(&id) && bson_iter_recurse(&id, &child) &&
          bson_iter_next(&child) && bson_iter_key(&child)[0] == '$')) {
        *only = true;
        return rf_mongo_script_document(run->collection, &id);
    }
    return run->collection->first;
}

typedef enum rf_status take_match(struct run *run, const bson_t *argument,
                                  struct rf_mongo_script_document *document, struct rf_error *err);

/* Calls for each document that the filter means, up to a limit (0: none); it may remove that one.
 * Also checks the filter when there is no document at all. */
static enum rf_status each_match(struct run *run, const bson_t *filter, int64_t limit,
                                 take_match *take, const bson_t *argument, struct rf_error *err)
{
    bool only, matches;
    bson_t nothing = BSON_INITIALIZER;
    struct rf_mongo_script_document *at = begin_search(run, filter, &only), *found = NULL;
    enum rf_status status = rf_mongo_script_match(filter, &nothing, &matches, err);
    bson_destroy(&nothing);
    for (int64_t count = 0; status == RF_OK && at != NULL && (limit == 0 || count < limit);
         count++) {
        struct rf_mongo_script_document *below;
        if (only) {
            status = rf_mongo_script_match(filter, at->bson, &matches, err);
            found = status == RF_OK && matches ? at : NULL;
        } else {
            status = next_match(at, filter, &found, err);
        }
        if (status != RF_OK || found == NULL) {
            break;
        }
        below = only ? NULL : found->below;
        status = take(run, argument, found, err);
        at = below;
    }
    return status;
}

/* ----------------------------------------------------------------------- insert, update, delete */

static enum rf_status insert_one(struct run *run, uint32_t index, const bson_t *document,
                                 struct rf_error *err)
{
    bson_iter_t id;
    const bson_t *stored;
    (void)index;
    if (bson_iter_init_find(&id, document, "_id") &&
        rf_mongo_script_document(run->collection, &id) != NULL) {
        return rf_mongo_script_refuse(
            err, RF_MONGO_SCRIPT_DUPLICATE_KEY,
            "E11000 duplicate key error collection: %s index: _id_ dup key", run->name);
    }
    enum rf_status status = put(run, document, &stored, err);
    run->done += status == RF_OK;
    return status;
}

static enum rf_status update_match(struct run *run, const bson_t *update,
                                   struct rf_mongo_script_document *document, struct rf_error *err)
{
    bson_t after = BSON_INITIALIZER;
    const bson_t *stored;
    enum rf_status status = rf_mongo_script_update(document->bson, NULL, update, &after, err);
    if (status == RF_OK && !bson_equal(document->bson, &after)) {
        status = put(run, &after, &stored, err);
        run->modified += status == RF_OK;
    }
    run->done += status == RF_OK;
    bson_destroy(&after);
    return status;
}

/* An upsert that matched nothing. */
static enum rf_status insert_update(struct run *run, uint32_t index, const bson_t *filter,
                                    const bson_t *update, struct rf_error *err)
{
    bson_t after = BSON_INITIALIZER;
    const bson_t *stored;
    bson_iter_t id;
    enum rf_status status = rf_mongo_script_update(NULL, filter, update, &after, err);
    if (status == RF_OK && bson_iter_init_find(&id, &after, "_id") &&
        rf_mongo_script_document(run->collection, &id) != NULL) {
        status = rf_mongo_script_refuse(
            err, RF_MONGO_SCRIPT_DUPLICATE_KEY,
            "E11000 duplicate key error collection: %s index: _id_ dup key", run->name);
    }
    if (status == RF_OK) {
        status = put(run, &after, &stored, err);
    }
    if (status == RF_OK) {
        bson_t upserted = BSON_INITIALIZER;
        rf_assert(BSON_APPEND_INT32(&upserted, "index", (int32_t)index));
        rf_assert(bson_iter_init_find(&id, stored, "_id") &&
                  bson_append_iter(&upserted, "_id", 3, &id));
        append_item(&run->upserted, &run->upserted_count, &upserted);
        bson_destroy(&upserted);
        run->done++;
    }
    bson_destroy(&after);
    return status;
}

static enum rf_status update_one(struct run *run, uint32_t index, const bson_t *operation,
                                 struct rf_error *err)
{
    bson_t filter, update;
    bool multi = truth_of(operation, "multi", false);
    int32_t before = run->done;
    if (!part_of(operation, "q", &filter) || !part_of(operation, "u", &update)) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NOT_PARSED,
                                      "an update is made of the documents q and u");
    }
    enum rf_status status = each_match(run, &filter, multi ? 0 : 1, update_match, &update, err);
    if (status == RF_OK && run->done == before && truth_of(operation, "upsert", false)) {
        status = insert_update(run, index, &filter, &update, err);
    }
    return status;
}

static enum rf_status delete_match(struct run *run, const bson_t *argument,
                                   struct rf_mongo_script_document *document, struct rf_error *err)
{
    (void)argument;
    (void)err;
    rf_mongo_script_document_remove(run->store, run->collection, document);
    run->done++;
    return RF_OK;
}

static enum rf_status delete_one(struct run *run, uint32_t index, const bson_t *operation,
                                 struct rf_error *err)
{
    bson_t filter;
    int64_t limit = number_of(operation, "limit");
    (void)index;
    if (!part_of(operation, "q", &filter) || !bson_has_field(operation, "limit") || limit < 0 ||
        limit > 1) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NOT_PARSED,
                                      "a delete is made of a document q and a limit of 0 or 1");
    }
    return each_match(run, &filter, limit, delete_match, NULL, err);
}

static enum rf_status run_insert(struct run *run, struct rf_error *err)
{
    return each_operation(run, "documents", insert_one, err);
}

static enum rf_status run_update(struct run *run, struct rf_error *err)
{
    enum rf_status status = each_operation(run, "updates", update_one, err);
    if (status == RF_OK) {
        rf_assert(BSON_APPEND_INT32(run->reply, "nModified", run->modified));
    }
    return status;
}

static enum rf_status run_delete(struct run *run, struct rf_error *err)
{
    return each_operation(run, "deletes", delete_one, err);
}

/* ------------------------------------------------------------------------------- find, and both */

static enum rf_status find_match(struct run *run, const bson_t *argument,
                                 struct rf_mongo_script_document *document, struct rf_error *err)
{
    (void)argument;
    if (run->found.len + document->bson->len > RESULT_BYTES_MAX) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_BAD_VALUE,
                                      "the result is too large for one message");
    }
    append_item(&run->found, &run->found_count, document->bson);
    return RF_OK;
}

static enum rf_status refuse_unknown(const struct run *run, struct rf_error *err)
{
    static const char *const unknown[] = {"sort", "projection", "fields", "skip", "arrayFilters"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        if (holds_something(run->command, unknown[i]) || number_of(run->command, unknown[i]) != 0) {
            return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_BAD_VALUE, "this server knows no %s",
                                          unknown[i]);
        }
    }
    return RF_OK;
}

static void append_cursor(struct run *run, const char *name)
{
    bson_t cursor;
    rf_assert(BSON_APPEND_DOCUMENT_BEGIN(run->reply, "cursor", &cursor));
    rf_assert(BSON_APPEND_ARRAY(&cursor, "firstBatch", &run->found));
    rf_assert(BSON_APPEND_INT64(&cursor, "id", 0));
    rf_assert(BSON_APPEND_UTF8(&cursor, "ns", name));
    rf_assert(bson_append_document_end(run->reply, &cursor));
}

static enum rf_status search(struct run *run, const char *filter_name, int64_t limit,
                             struct rf_error *err)
{
    bson_t filter, all = BSON_INITIALIZER;
    bool given = part_of(run->command, filter_name, &filter);
    enum rf_status status = refuse_unknown(run, err);
    if (status == RF_OK) {
        status = each_match(run, given ? &filter : &all, limit, find_match, NULL, err);
    }
    bson_destroy(&all);
    return status;
}

static enum rf_status run_find(struct run *run, struct rf_error *err)
{
    int64_t limit = number_of(run->command, "limit");
    enum rf_status status = search(run, "filter", limit < 0 ? -limit : limit, err);
    if (status == RF_OK) {
        append_cursor(run, run->name);
    }
    return status;
}

static enum rf_status count_match(struct run *run, const bson_t *argument,
                                  struct rf_mongo_script_document *document, struct rf_error *err)
{
    (void)argument;
    (void)document;
    (void)err;
    run->done++;
    return RF_OK;
}

static enum rf_status run_count(struct run *run, struct rf_error *err)
{
    bson_t filter, all = BSON_INITIALIZER;
    bool given = part_of(run->command, "query", &filter);
    enum rf_status status = refuse_unknown(run, err);
    if (status == RF_OK) {
        status = each_match(run, given ? &filter : &all, number_of(run->command, "limit"),
                            count_match, NULL, err);
    }
    bson_destroy(&all);
    return status;
}

/* The first document that was found, before or after the change, or null. */
static void append_value(struct run *run)
{
    bson_iter_t item;
    bson_t document;
    if (bson_iter_init(&item, &run->found) && next_document(&item, &document)) {
        rf_assert(BSON_APPEND_DOCUMENT(run->reply, "value", &document));
    } else {
        rf_assert(BSON_APPEND_NULL(run->reply, "value"));
    }
}

static void append_last_error(struct run *run, bool removes)
{
    bson_t last;
    rf_assert(BSON_APPEND_DOCUMENT_BEGIN(run->reply, "lastErrorObject", &last));
    rf_assert(BSON_APPEND_INT32(&last, "n", run->done));
    if (!removes) {
        bson_iter_t item, id;
        bson_t upserted;
        rf_assert(
            BSON_APPEND_BOOL(&last, "updatedExisting", run->done > 0 && run->upserted_count == 0));
        if (bson_iter_init(&item, &run->upserted) && next_document(&item, &upserted)) {
            rf_assert(bson_iter_init_find(&id, &upserted, "_id") &&
                      bson_append_iter(&last, "upserted", -1, &id));
        }
    }
    rf_assert(bson_append_document_end(run->reply, &last));
}

static enum rf_status run_find_and_modify(struct run *run, struct rf_error *err)
{
    bson_t filter, update, id_filter = BSON_INITIALIZER;
    bson_iter_t id, item;
    bool removes = truth_of(run->command, "remove", false);
    bool upserts = truth_of(run->command, "upsert", false);
    enum rf_status status = refuse_unknown(run, err);
    if (status == RF_OK && (!part_of(run->command, "query", &filter) ||
                            removes == part_of(run->command, "update", &update))) {
        status = rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NOT_PARSED,
                                        "findAndModify has a query, and either update or remove");
    }
    if (status == RF_OK) {
        status = each_match(run, &filter, 1, find_match, NULL, err);
    }
    if (status == RF_OK && run->found_count > 0) {
        status = each_match(run, &filter, 1, removes ? delete_match : update_match, &update, err);
    } else if (status == RF_OK && upserts) {
        status = insert_update(run, 0, &filter, &update, err);
    }
    if (status == RF_OK && truth_of(run->command, "new", false)) {
        /* What it is now. Its _id is the one that was found or made. */
        const bson_t *of = run->found_count > 0 ? &run->found : &run->upserted;
        bson_t first;
        if (bson_iter_init(&item, of) && next_document(&item, &first) &&
            bson_iter_init_find(&id, &first, "_id")) {
            rf_assert(bson_append_iter(&id_filter, "_id", 3, &id));
            bson_reinit(&run->found);
            run->found_count = 0;
            status = each_match(run, &id_filter, 1, find_match, NULL, err);
        }
    }
    if (status == RF_OK) {
        append_last_error(run, removes);
        append_value(run);
    }
    bson_destroy(&id_filter);
    return status;
}

/* -------------------------------------------------------------------- collections and databases */

static enum rf_status run_create(struct run *run, struct rf_error *err)
{
    if (run->collection != NULL) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NAMESPACE_EXISTS,
                                      "Collection %s already exists.", run->name);
    }
    made(run);
    return RF_OK;
}

static enum rf_status run_drop(struct run *run, struct rf_error *err)
{
    if (run->collection == NULL) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NO_NAMESPACE, "ns not found");
    }
    rf_mongo_script_collection_drop(run->store, run->collection);
    run->collection = NULL;
    rf_assert(BSON_APPEND_INT32(run->reply, "nIndexesWas", 1));
    rf_assert(BSON_APPEND_UTF8(run->reply, "ns", run->name));
    return RF_OK;
}

static bool is_in(const char *name, const char *database)
{
    size_t size = strlen(database);
    return strncmp(name, database, size) == 0 && name[size] == '.';
}

static enum rf_status run_drop_database(struct run *run, struct rf_error *err)
{
    (void)err;
    for (size_t i = 0; i < run->store->collection_count;) {
        struct rf_mongo_script_collection *collection = run->store->collections[i];
        if (is_in(collection->name, run->database)) {
            rf_mongo_script_collection_drop(run->store, collection);
        } else {
            i++;
        }
    }
    rf_assert(BSON_APPEND_UTF8(run->reply, "dropped", run->database));
    return RF_OK;
}

/* Takes what is listed, if the command's filter means it. */
static enum rf_status take_listed(struct run *run, const bson_t *listed, struct rf_error *err)
{
    bson_t filter;
    bool matches = true;
    enum rf_status status = RF_OK;
    if (part_of(run->command, "filter", &filter)) {
        status = rf_mongo_script_match(&filter, listed, &matches, err);
    }
    if (status == RF_OK && matches) {
        append_item(&run->found, &run->found_count, listed);
    }
    return status;
}

static enum rf_status run_list_collections(struct run *run, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    char name[NAME_SIZE];
    for (size_t i = 0; i < run->store->collection_count && status == RF_OK; i++) {
        const char *whole = run->store->collections[i]->name;
        bson_t listed = BSON_INITIALIZER;
        if (is_in(whole, run->database)) {
            rf_assert(BSON_APPEND_UTF8(&listed, "name", strchr(whole, '.') + 1) &&
                      BSON_APPEND_UTF8(&listed, "type", "collection"));
            status = take_listed(run, &listed, err);
        }
        bson_destroy(&listed);
    }
    snprintf(name, sizeof name, "%s.$cmd.listCollections", run->database);
    append_cursor(run, name);
    return status;
}

static enum rf_status run_list_databases(struct run *run, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    const char *last = "";
    for (size_t i = 0; i < run->store->collection_count && status == RF_OK; i++) {
        const char *whole = run->store->collections[i]->name;
        size_t size = strcspn(whole, ".");
        bson_t listed = BSON_INITIALIZER;
        if (strncmp(whole, last, size + 1) != 0) {
            rf_assert(bson_append_utf8(&listed, "name", -1, whole, (int)size));
            rf_assert(BSON_APPEND_BOOL(&listed, "empty", false));
            status = take_listed(run, &listed, err);
        }
        bson_destroy(&listed);
        last = whole;
    }
    rf_assert(BSON_APPEND_ARRAY(run->reply, "databases", &run->found));
    return status;
}

/* --------------------------------------------------------------------------------- the commands */

struct verb {
    const char *name;
    enum rf_status (*run)(struct run *run, struct rf_error *err);
    bool names; /* its first field is a collection */
    bool counts;
};

static const struct verb verbs[] = {
    {"insert", run_insert, true, true},
    {"update", run_update, true, true},
    {"delete", run_delete, true, true},
    {"find", run_find, true, false},
    {"count", run_count, true, true},
    {"findAndModify", run_find_and_modify, true, false},
    {"findandmodify", run_find_and_modify, true, false},
    {"create", run_create, true, false},
    {"drop", run_drop, true, false},
    {"dropDatabase", run_drop_database, false, false},
    {"listCollections", run_list_collections, false, false},
    {"listDatabases", run_list_databases, false, false},
};

/* Finds the collection that the first field names. */
static enum rf_status name_collection(struct run *run, const bson_iter_t *first,
                                      struct rf_error *err)
{
    const char *name = BSON_ITER_HOLDS_UTF8(first) ? bson_iter_utf8(first, NULL) : "";
    size_t database_size = strlen(run->database);
    bool bad_database = database_size == 0 || database_size > DATABASE_NAME_MAX ||
                        strcspn(run->database, "/\\. \"$*<>:|?") != database_size;
    if (bad_database || name[0] == '\0' || name[0] == '.' || strchr(name, '$') != NULL ||
        database_size + strlen(name) + 1 > 255) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_BAD_NAMESPACE,
                                      "Invalid namespace specified '%s.%s'", run->database, name);
    }
    snprintf(run->name, sizeof run->name, "%s.%s", run->database, name);
    run->collection = rf_mongo_script_collection(run->store, run->name, false);
    return RF_OK;
}

static void answer(struct run *run, const struct verb *verb, enum rf_status status,
                   const struct rf_error *err)
{
    if (status != RF_OK) {
        bson_reinit(run->reply);
        rf_mongo_script_store_refuse(err, run->reply);
        return;
    }
    if (verb->counts) {
        rf_assert(BSON_APPEND_INT32(run->reply, "n", run->done));
    }
    if (run->upserted_count > 0 && strcmp(verb->name, "update") == 0) {
        rf_assert(BSON_APPEND_ARRAY(run->reply, "upserted", &run->upserted));
    }
    if (run->failure_count > 0) {
        rf_assert(BSON_APPEND_ARRAY(run->reply, "writeErrors", &run->failures));
    }
    rf_assert(BSON_APPEND_DOUBLE(run->reply, "ok", 1));
}

bool rf_mongo_script_store_run(struct rf_mongo_script_store *store, const bson_t *command,
                               const bson_t *failing, bson_t *reply)
{
    bson_iter_t first, database;
    const struct verb *verb = NULL;
    rf_assert(bson_iter_init(&first, command) && bson_iter_next(&first));
    rf_assert(bson_iter_init_find(&database, command, "$db"));
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        verb = strcmp(verbs[i].name, bson_iter_key(&first)) == 0 ? &verbs[i] : verb;
    }
    if (verb == NULL) {
        return false;
    }
    struct rf_error err = {0};
    struct run run = {.store = store,
                      .command = command,
                      .failing = failing,
                      .reply = reply,
                      .database = bson_iter_utf8(&database, NULL)};
    bson_init(&run.failures);
    bson_init(&run.upserted);
    bson_init(&run.found);
    enum rf_status status = verb->names ? name_collection(&run, &first, &err) : RF_OK;
    if (status == RF_OK) {
        status = verb->run(&run, &err);
    }
    answer(&run, verb, status, &err);
    bson_destroy(&run.failures);
    bson_destroy(&run.upserted);
    bson_destroy(&run.found);
    return true;
}
