/* A command on the documents while it is carried out, and what its parts share. Included by
 * mongo_script_commands.c, _find.c and _write.c alone. */
#ifndef ROWFERRY_TEST_MONGO_SCRIPT_RUN_H
#define ROWFERRY_TEST_MONGO_SCRIPT_RUN_H

#include "lib/mongo_script_store.h"

enum { RF_MONGO_SCRIPT_NAME_SIZE = 320 };

/* One command under way. */
struct rf_mongo_script_run {
    struct rf_mongo_script_store *store;
    const bson_t *command;
    const bson_t *failing;
    bson_t *reply;
    const char *database;
    char name[RF_MONGO_SCRIPT_NAME_SIZE]; /* "database.collection" of the command's first field */
    struct rf_mongo_script_collection *collection; /* NULL: there is none yet */
    int32_t done;                                  /* documents inserted, matched, deleted, found */
    int32_t modified;
    bson_t failures; /* writeErrors */
    bson_t upserted; /* {index, _id} of each document that an update made */
    bson_t found;
    uint32_t failure_count, upserted_count, found_count;
};

/* What a command does; on RF_REJECT the reply says why. */
typedef enum rf_status rf_mongo_script_verb(struct rf_mongo_script_run *run, struct rf_error *err);
rf_mongo_script_verb rf_mongo_script_run_insert, rf_mongo_script_run_update,
    rf_mongo_script_run_delete, rf_mongo_script_run_find_and_modify, rf_mongo_script_run_find,
    rf_mongo_script_run_count;

/* What is done with a document that a filter means; it may be removed. */
typedef enum rf_status rf_mongo_script_take_match(struct rf_mongo_script_run *run,
                                                  const bson_t *argument,
                                                  struct rf_mongo_script_document *document,
                                                  struct rf_error *err);
/* Takes each document of the collection that the filter means, up to a limit (0: none). Refuses a
 * filter that it does not know also when there is no document at all. */
enum rf_status rf_mongo_script_each_match(struct rf_mongo_script_run *run, const bson_t *filter,
                                          int64_t limit, rf_mongo_script_take_match *take,
                                          const bson_t *argument, struct rf_error *err);
/* Adds it to what was found. */
rf_mongo_script_take_match rf_mongo_script_find_match;
/* Refuses options that change what is found, and that are not known here. */
enum rf_status rf_mongo_script_refuse_unknown(const struct rf_mongo_script_run *run,
                                              struct rf_error *err);

/* Appends the cursor that holds all that was found, and is at its end. */
void rf_mongo_script_append_cursor(struct rf_mongo_script_run *run, const char *name);

/* --------------------------------------------------------------------------- parts of documents */

static inline bool truth_of(const bson_t *document, const char *name, bool otherwise)
{
    bson_iter_t field;
    return bson_iter_init_find(&field, document, name) ? bson_iter_as_bool(&field) : otherwise;
}

static inline int64_t number_of(const bson_t *document, const char *name)
{
    bson_iter_t field;
    return bson_iter_init_find(&field, document, name) ? bson_iter_as_int64(&field) : 0;
}

/* The document in a field; false: there is none. It borrows. */
static inline bool part_of(const bson_t *document, const char *name, bson_t *part)
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

/* Walks over the documents of an array. */
static inline bool next_document(bson_iter_t *iter, bson_t *document)
{
    const uint8_t *data;
    uint32_t size;
    if (!bson_iter_next(iter) || !BSON_ITER_HOLDS_DOCUMENT(iter)) {
        return false;
    }
    bson_iter_document(iter, &size, &data);
    return bson_init_static(document, data, size);
}

static inline void append_item(bson_t *array, uint32_t *count, const bson_t *item)
{
    char digits[16];
    const char *key;
    bson_uint32_to_string((*count)++, &key, digits, sizeof digits);
    rf_assert(bson_append_document(array, key, -1, item));
}

#endif
