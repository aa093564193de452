/* Events of collections for tests, their documents written as Extended JSON.
 *
 * What the store says beside the images is made up: the event's wall clock is the commit, its
 * cluster time the commit's second and the number of the event. Everything lies in the batch but
 * for the tables. Aborts on JSON that libbson does not read. */
#ifndef ROWFERRY_TEST_MONGO_DOCUMENTS_H
#define ROWFERRY_TEST_MONGO_DOCUMENTS_H

#include "lib/events.h"

/* The caller owns the reference. */
struct rf_table *rf_test_collection(const char *database, const char *name);

/* The bytes of a document, in the batch. */
struct rf_str rf_test_bson(struct rf_batch *batch, const char *json);

struct rf_event *rf_test_document_create(struct rf_batch *batch, struct rf_table *table,
                                         const char *json);
/* A replace. `before` may be NULL: not told. */
struct rf_event *rf_test_document_replace(struct rf_batch *batch, struct rf_table *table,
                                          const char *before, const char *json);
/* An update with its description. `key` is {"_id": ...}; before NULL: not told; after NULL: not
 * told, "null": looked up in vain. */
struct rf_event *rf_test_document_update(struct rf_batch *batch, struct rf_table *table,
                                         const char *key, const char *before, const char *after,
                                         const char *description);
struct rf_event *rf_test_document_delete(struct rf_batch *batch, struct rf_table *table,
                                         const char *key, const char *before);
/* "drop", "rename", "dropDatabase" or "invalidate". */
struct rf_event *rf_test_document_drop(struct rf_batch *batch, const char *type,
                                       const char *database, const char *collection);

#endif
