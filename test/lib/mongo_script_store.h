/* The documents of the scripted server: collections in memory, and the commands on them.
 *
 * Used by lib/mongo_script.h alone, under its lock. It does what MongoDB does with insert, update,
 * delete, find (of a whole result at once), count, findAndModify, create, drop, dropDatabase,
 * listCollections and listDatabases, and refuses what it does not know, a sort or a projection as
 * well as a command.
 *
 * What is written can be made to depend on a journal: then a crash takes back all that was written
 * since the store was last told to settle. */
#ifndef ROWFERRY_TEST_MONGO_SCRIPT_STORE_H
#define ROWFERRY_TEST_MONGO_SCRIPT_STORE_H

#include "lib/mongo_script_history.h"
#include "lib/mongo_script_match.h"

struct rf_mongo_script_store;

/* Ends with destroy. A forgetful one knows what is not journaled; the others keep everything. */
struct rf_mongo_script_store *rf_mongo_script_store_create(bool forgetful);
void rf_mongo_script_store_destroy(struct rf_mongo_script_store *store);

/* Limits, as a server tells them in its hello. */
void rf_mongo_script_store_limit(struct rf_mongo_script_store *store, uint32_t document_bytes_max,
                                 uint32_t batch_max);

/* Carries out a command, which has its "$db", and appends the answer to `reply`: a refusal as well.
 * `failing`: an array of writeErrors; the operations of these indexes fail just so, and the others
 * are carried out as the command says (up to the first failure, if it is ordered); NULL: none.
 * False: it does not know such a command, and did nothing. */
bool rf_mongo_script_store_run(struct rf_mongo_script_store *store, const bson_t *command,
                               const bson_t *failing, bson_t *reply);
/* Appends what a refusal says. */
void rf_mongo_script_store_refuse(const struct rf_error *err, bson_t *reply);

/* All that was written so far survives a crash. */
void rf_mongo_script_store_settle(struct rf_mongo_script_store *store);
void rf_mongo_script_store_crash(struct rf_mongo_script_store *store);
/* Empty, as a server whose disk was lost. */
void rf_mongo_script_store_clear(struct rf_mongo_script_store *store);

/* As rf_test_mongo_dump (lib/mongo_server.h). Appends. */
void rf_mongo_script_store_dump(const struct rf_mongo_script_store *store, struct rf_buf *out);

/* ------------------------------------------------------------------------------- its two halves */

/* One document, in its collection's order. */
struct rf_mongo_script_document {
    struct rf_mongo_script_document *next; /* with the same bucket */
    struct rf_mongo_script_document *above, *below;
    uint64_t hash;
    bson_t *bson;
    size_t key_size; /* of its _id, as rf_mongo_script_key tells it */
    char key[];
};

struct rf_mongo_script_collection {
    char *name; /* "database.collection" */
    struct rf_mongo_script_document **buckets;
    size_t bucket_count, count;
    struct rf_mongo_script_document *first, *last;
};

struct rf_mongo_script_store {
    struct rf_mongo_script_collection **collections; /* in the order of their names */
    size_t collection_count;
    struct undo *undo; /* the latest first */
    bool forgetful;
    struct rf_mongo_script_history *history; /* NULL: none is kept */
    bool quiet;                              /* what is done now is no change that is told */
    bool replaces;                           /* what is put now was given whole */
    uint32_t document_bytes_max, batch_max;
};

/* NULL: there is none, and create is false. */
struct rf_mongo_script_collection *rf_mongo_script_collection(struct rf_mongo_script_store *store,
                                                              const char *name, bool create);
void rf_mongo_script_collection_drop(struct rf_mongo_script_store *store,
                                     struct rf_mongo_script_collection *collection);
/* The document with this _id; NULL: there is none, or no collection. */
struct rf_mongo_script_document *rf_mongo_script_document(
    const struct rf_mongo_script_collection *collection, const bson_iter_t *id);
/* Puts it in the place of the one with its _id, or behind all others. Takes the document over. */
void rf_mongo_script_document_put(struct rf_mongo_script_store *store,
                                  struct rf_mongo_script_collection *collection, bson_t *bson);
void rf_mongo_script_document_remove(struct rf_mongo_script_store *store,
                                     struct rf_mongo_script_collection *collection,
                                     struct rf_mongo_script_document *document);

#endif
