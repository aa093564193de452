/* What MongoDB's filters and updates mean, as far as the scripted server knows: equality,
 * comparisons, regular expressions with the option s, $and, $or and $nor; replacement, $set, $unset
 * and $setOnInsert.
 *
 * Used by lib/mongo_script_store.h alone. What is not known is refused, never guessed: code 2 for
 * filters and 9 for updates. Numbers of different types are equal when their values are; Decimal128
 * equals only itself, bit by bit.
 *
 * Source: MongoDB manual, "Query Predicates", "Update Operators". */
#ifndef ROWFERRY_TEST_MONGO_SCRIPT_MATCH_H
#define ROWFERRY_TEST_MONGO_SCRIPT_MATCH_H

#include <bson/bson.h>
#include <rowferry/str.h>

/* MongoDB's numbers of errors. */
enum {
    RF_MONGO_SCRIPT_BAD_VALUE = 2,
    RF_MONGO_SCRIPT_NOT_PARSED = 9,
    RF_MONGO_SCRIPT_UNAUTHORIZED = 13,
    RF_MONGO_SCRIPT_BAD_LENGTH = 16,
    RF_MONGO_SCRIPT_LOGIN_FAILED = 18,
    RF_MONGO_SCRIPT_NO_NAMESPACE = 26,
    RF_MONGO_SCRIPT_NAMESPACE_EXISTS = 48,
    RF_MONGO_SCRIPT_BAD_ID = 53,
    RF_MONGO_SCRIPT_NO_COMMAND = 59,
    RF_MONGO_SCRIPT_ID_CHANGED = 66,
    RF_MONGO_SCRIPT_BAD_NAMESPACE = 73,
    RF_MONGO_SCRIPT_NO_TRANSACTIONS = 263,
    RF_MONGO_SCRIPT_NO_MECHANISM = 334,
    RF_MONGO_SCRIPT_NOT_PRIMARY = 10107,
    RF_MONGO_SCRIPT_TOO_LARGE = 10334,
    RF_MONGO_SCRIPT_DUPLICATE_KEY = 11000,
    RF_MONGO_SCRIPT_NOT_PRIMARY_READ = 13435,
};

/* Fills err with one of these numbers and is RF_REJECT. */
#define rf_mongo_script_refuse(err, number, ...) \
    (rf_fail((err), RF_REJECT, __VA_ARGS__), (err)->code = (number), RF_REJECT)

/* Appends bytes that are the same for equal values, and for no others. */
void rf_mongo_script_key(const bson_iter_t *value, struct rf_buf *out);

/* Whether the document is one that the filter means. Returns RF_OK or RF_REJECT. */
RF_USE_RESULT enum rf_status rf_mongo_script_match(const bson_t *filter, const bson_t *document,
                                                   bool *matches, struct rf_error *err);

/* Fills `after`, which the caller initialised, with what becomes of the document `before`; NULL: an
 * upsert found none, and what the filter demands to be equal is in the new one. An upsert's
 * document may be without an _id still. Returns RF_OK or RF_REJECT. */
RF_USE_RESULT enum rf_status rf_mongo_script_update(const bson_t *before, const bson_t *filter,
                                                    const bson_t *update, bson_t *after,
                                                    struct rf_error *err);

#endif
