#include "lib/mongo_script_run.h"

enum { RESULT_BYTES_MAX = 40 * 1024 * 1024 };

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
static struct rf_mongo_script_document *begin_search(const struct rf_mongo_script_run *run,
                                                     const bson_t *filter, bool *only)
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

/* Calls for each document that the filter means, up to a limit (0: none); it may remove that one.
 * Also checks the filter when there is no document at all. */
enum rf_status rf_mongo_script_each_match(struct rf_mongo_script_run *run, const bson_t *filter,
                                          int64_t limit, rf_mongo_script_take_match *take,
                                          const bson_t *argument, struct rf_error *err)
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

enum rf_status rf_mongo_script_find_match(struct rf_mongo_script_run *run, const bson_t *argument,
                                          struct rf_mongo_script_document *document,
                                          struct rf_error *err)
{
    (void)argument;
    if (run->found.len + document->bson->len > RESULT_BYTES_MAX) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_BAD_VALUE,
                                      "the result is too large for one message");
    }
    append_item(&run->found, &run->found_count, document->bson);
    return RF_OK;
}

static bool holds_something(const bson_t *document, const char *name)
{
    bson_t part;
    return part_of(document, name, &part) && !bson_empty(&part);
}

enum rf_status rf_mongo_script_refuse_unknown(const struct rf_mongo_script_run *run,
                                              struct rf_error *err)
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

void rf_mongo_script_append_cursor(struct rf_mongo_script_run *run, const char *name)
{
    bson_t cursor;
    rf_assert(BSON_APPEND_DOCUMENT_BEGIN(run->reply, "cursor", &cursor));
    rf_assert(BSON_APPEND_ARRAY(&cursor, "firstBatch", &run->found));
    rf_assert(BSON_APPEND_INT64(&cursor, "id", 0));
    rf_assert(BSON_APPEND_UTF8(&cursor, "ns", name));
    rf_assert(bson_append_document_end(run->reply, &cursor));
}

static enum rf_status search(struct rf_mongo_script_run *run, const char *filter_name,
                             int64_t limit, struct rf_error *err)
{
    bson_t filter, all = BSON_INITIALIZER;
    bool given = part_of(run->command, filter_name, &filter);
    enum rf_status status = rf_mongo_script_refuse_unknown(run, err);
    if (status == RF_OK) {
        status = rf_mongo_script_each_match(run, given ? &filter : &all, limit,
                                            rf_mongo_script_find_match, NULL, err);
    }
    bson_destroy(&all);
    return status;
}

enum rf_status rf_mongo_script_run_find(struct rf_mongo_script_run *run, struct rf_error *err)
{
    int64_t limit = number_of(run->command, "limit");
    enum rf_status status = search(run, "filter", limit < 0 ? -limit : limit, err);
    if (status == RF_OK) {
        rf_mongo_script_append_cursor(run, run->name);
    }
    return status;
}

static enum rf_status count_match(struct rf_mongo_script_run *run, const bson_t *argument,
                                  struct rf_mongo_script_document *document, struct rf_error *err)
{
    (void)argument;
    (void)document;
    (void)err;
    run->done++;
    return RF_OK;
}

enum rf_status rf_mongo_script_run_count(struct rf_mongo_script_run *run, struct rf_error *err)
{
    bson_t filter, all = BSON_INITIALIZER;
    bool given = part_of(run->command, "query", &filter);
    enum rf_status status = rf_mongo_script_refuse_unknown(run, err);
    if (status == RF_OK) {
        status = rf_mongo_script_each_match(
            run, given ? &filter : &all, number_of(run->command, "limit"), count_match, NULL, err);
    }
    bson_destroy(&all);
    return status;
}
