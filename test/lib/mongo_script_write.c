#include "lib/mongo_script_run.h"

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

static struct rf_mongo_script_collection *made(struct rf_mongo_script_run *run)
{
    if (run->collection == NULL) {
        run->collection = rf_mongo_script_collection(run->store, run->name, true);
    }
    return run->collection;
}

/* --------------------------------------------------------------------------------- write errors */

static void append_error(struct rf_mongo_script_run *run, uint32_t index,
                         const struct rf_error *err)
{
    bson_t failure = BSON_INITIALIZER;
    rf_assert(BSON_APPEND_INT32(&failure, "index", (int32_t)index));
    rf_assert(BSON_APPEND_INT32(&failure, "code", err->code));
    rf_assert(BSON_APPEND_UTF8(&failure, "errmsg", err->message));
    append_item(&run->failures, &run->failure_count, &failure);
    bson_destroy(&failure);
}

/* Whether the script has this operation fail. */
static bool fails_by_script(struct rf_mongo_script_run *run, uint32_t index)
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

typedef enum rf_status operate(struct rf_mongo_script_run *run, uint32_t index,
                               const bson_t *operation, struct rf_error *err);

/* Each operation of a bulk in turn; what fails is listed, and ends an ordered one. */
static enum rf_status each_operation(struct rf_mongo_script_run *run, const char *name,
                                     operate *one, struct rf_error *err)
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
static enum rf_status put(struct rf_mongo_script_run *run, const bson_t *document,
                          const bson_t **stored, struct rf_error *err)
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

/* ----------------------------------------------------------------------- insert, update, delete */

static enum rf_status insert_one(struct rf_mongo_script_run *run, uint32_t index,
                                 const bson_t *document, struct rf_error *err)
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

static enum rf_status update_match(struct rf_mongo_script_run *run, const bson_t *update,
                                   struct rf_mongo_script_document *document, struct rf_error *err)
{
    bson_t after = BSON_INITIALIZER;
    const bson_t *stored;
    enum rf_status status = rf_mongo_script_update(document->bson, NULL, update, &after, err);
    if (status == RF_OK && !bson_equal(document->bson, &after)) {
        bson_iter_t first;
        run->store->replaces = !bson_iter_init(&first, update) || !bson_iter_next(&first) ||
                               bson_iter_key(&first)[0] != '$';
        status = put(run, &after, &stored, err);
        run->store->replaces = false;
        run->modified += status == RF_OK;
    }
    run->done += status == RF_OK;
    bson_destroy(&after);
    return status;
}

/* An upsert that matched nothing. */
static enum rf_status insert_update(struct rf_mongo_script_run *run, uint32_t index,
                                    const bson_t *filter, const bson_t *update,
                                    struct rf_error *err)
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

static enum rf_status update_one(struct rf_mongo_script_run *run, uint32_t index,
                                 const bson_t *operation, struct rf_error *err)
{
    bson_t filter, update;
    bool multi = truth_of(operation, "multi", false);
    int32_t before = run->done;
    if (!part_of(operation, "q", &filter) || !part_of(operation, "u", &update)) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NOT_PARSED,
                                      "an update is made of the documents q and u");
    }
    enum rf_status status =
        rf_mongo_script_each_match(run, &filter, multi ? 0 : 1, update_match, &update, err);
    if (status == RF_OK && run->done == before && truth_of(operation, "upsert", false)) {
        status = insert_update(run, index, &filter, &update, err);
    }
    return status;
}

static enum rf_status delete_match(struct rf_mongo_script_run *run, const bson_t *argument,
                                   struct rf_mongo_script_document *document, struct rf_error *err)
{
    (void)argument;
    (void)err;
    rf_mongo_script_document_remove(run->store, run->collection, document);
    run->done++;
    return RF_OK;
}

static enum rf_status delete_one(struct rf_mongo_script_run *run, uint32_t index,
                                 const bson_t *operation, struct rf_error *err)
{
    bson_t filter;
    int64_t limit = number_of(operation, "limit");
    (void)index;
    if (!part_of(operation, "q", &filter) || !bson_has_field(operation, "limit") || limit < 0 ||
        limit > 1) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NOT_PARSED,
                                      "a delete is made of a document q and a limit of 0 or 1");
    }
    return rf_mongo_script_each_match(run, &filter, limit, delete_match, NULL, err);
}

enum rf_status rf_mongo_script_run_insert(struct rf_mongo_script_run *run, struct rf_error *err)
{
    return each_operation(run, "documents", insert_one, err);
}

enum rf_status rf_mongo_script_run_update(struct rf_mongo_script_run *run, struct rf_error *err)
{
    enum rf_status status = each_operation(run, "updates", update_one, err);
    if (status == RF_OK) {
        rf_assert(BSON_APPEND_INT32(run->reply, "nModified", run->modified));
    }
    return status;
}

enum rf_status rf_mongo_script_run_delete(struct rf_mongo_script_run *run, struct rf_error *err)
{
    return each_operation(run, "deletes", delete_one, err);
}

/* ------------------------------------------------------------------------------ find and modify */

/* The first document that was found, before or after the change, or null. */
static void append_value(struct rf_mongo_script_run *run)
{
    bson_iter_t item;
    bson_t document;
    if (bson_iter_init(&item, &run->found) && next_document(&item, &document)) {
        rf_assert(BSON_APPEND_DOCUMENT(run->reply, "value", &document));
    } else {
        rf_assert(BSON_APPEND_NULL(run->reply, "value"));
    }
}

static void append_last_error(struct rf_mongo_script_run *run, bool removes)
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

enum rf_status rf_mongo_script_run_find_and_modify(struct rf_mongo_script_run *run,
                                                   struct rf_error *err)
{
    bson_t filter, update, id_filter = BSON_INITIALIZER;
    bson_iter_t id, item;
    bool removes = truth_of(run->command, "remove", false);
    bool upserts = truth_of(run->command, "upsert", false);
    enum rf_status status = rf_mongo_script_refuse_unknown(run, err);
    if (status == RF_OK && (!part_of(run->command, "query", &filter) ||
                            removes == part_of(run->command, "update", &update))) {
        status = rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NOT_PARSED,
                                        "findAndModify has a query, and either update or remove");
    }
    if (status == RF_OK) {
        status = rf_mongo_script_each_match(run, &filter, 1, rf_mongo_script_find_match, NULL, err);
    }
    if (status == RF_OK && run->found_count > 0) {
        status = rf_mongo_script_each_match(run, &filter, 1, removes ? delete_match : update_match,
                                            &update, err);
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
            status = rf_mongo_script_each_match(run, &id_filter, 1, rf_mongo_script_find_match,
                                                NULL, err);
        }
    }
    if (status == RF_OK) {
        append_last_error(run, removes);
        append_value(run);
    }
    bson_destroy(&id_filter);
    return status;
}
