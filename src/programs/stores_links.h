/* Between stores.c and its parts: what all connections have in common. */
#ifndef ROWFERRY_PROGRAMS_STORES_LINKS_H
#define ROWFERRY_PROGRAMS_STORES_LINKS_H

#include "programs/stores.h"

/* Connects to the store unless it is connected. Returns RF_OK; RF_RETRY: away, and perhaps not
 * tried again yet; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_stores_open(struct rf_stores *stores, enum rf_store store,
                                            struct rf_error *err);
/* Takes note of what came of a call: after anything but RF_OK the store is closed, and away, for
 * the reason in err, unless it has only refused what was asked of it. Returns status. */
enum rf_status rf_stores_done(struct rf_stores *stores, enum rf_store store, enum rf_status status,
                              const struct rf_error *err);

/* The parts that know a client. Each works on an open connection, and leaves the rest to its
 * caller. */
enum rf_status rf_stores_mongo_note(struct rf_mongo *mongo, const struct rf_post *post,
                                    struct rf_error *err);
enum rf_status rf_stores_mongo_notes(struct rf_mongo *mongo, struct rf_post *notes, uint32_t *count,
                                     struct rf_error *err);
enum rf_status rf_stores_mongo_find(struct rf_mongo *mongo, const char *collection,
                                    struct rf_post *posts, uint32_t count, struct rf_error *err);
enum rf_status rf_stores_mongo_count(struct rf_mongo *mongo, const char *collection, uint64_t *out,
                                     struct rf_error *err);
enum rf_status rf_stores_mongo_clear(struct rf_mongo *mongo, const char *collection, uint64_t *out,
                                     struct rf_error *err);
enum rf_status rf_stores_redis_find(struct rf_redis *redis, struct rf_post *posts, uint32_t count,
                                    struct rf_error *err);
enum rf_status rf_stores_redis_notes(struct rf_redis *redis, struct rf_post *notes, uint32_t count,
                                     struct rf_error *err);
enum rf_status rf_stores_redis_count(struct rf_redis *redis, struct rf_store_count *out,
                                     struct rf_error *err);
enum rf_status rf_stores_redis_date(struct rf_redis *redis, char *out, struct rf_error *err);
enum rf_status rf_stores_cassandra_find(struct rf_cql *cql, struct rf_post *posts, uint32_t count,
                                        struct rf_error *err);
enum rf_status rf_stores_cassandra_notes(struct rf_cql *cql, struct rf_post *notes, uint32_t count,
                                         struct rf_error *err);
enum rf_status rf_stores_cassandra_count(struct rf_cql *cql, struct rf_store_count *out,
                                         struct rf_error *err);
enum rf_status rf_stores_cassandra_max(struct rf_cql *cql, char *out, struct rf_error *err);

#endif
