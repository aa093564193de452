/* The stores of the containers, as the scheduler writes and reads them: MySQL, MongoDB, Redis,
 * Cassandra.
 *
 * Each has one connection, made when it is needed. A store that does not answer is closed, known
 * to be away, and tried again a second later at the earliest (some seconds, when it took its time
 * to fail), so that it costs little time and nothing piles up; its calls return RF_RETRY
 * meanwhile. One thread, but for rf_stores_interrupt. */
#ifndef ROWFERRY_PROGRAMS_STORES_H
#define ROWFERRY_PROGRAMS_STORES_H

#include "programs/access.h"
#include "programs/posts.h"

enum rf_store {
    RF_STORE_MYSQL,
    RF_STORE_MONGO,
    RF_STORE_REDIS,
    RF_STORE_CASSANDRA,
    RF_STORES,
};

/* Zeroed is closed. It stays where it is. */
struct rf_stores {
    struct rf_mysql mysql;
    struct rf_mongo mongo;
    struct rf_redis redis;
    struct rf_cql cassandra;
    atomic_bool interrupted; /* looked at by Cassandra's connection */
    bool open[RF_STORES];
    int64_t begun_ms[RF_STORES]; /* the last call; of the monotonic clock */
    int64_t retry_ms[RF_STORES]; /* not connected again before */
    char away[RF_STORES][160];   /* why it is; empty: it is not, or nobody has tried yet */
};

/* "MySQL", "MongoDB", "Redis", "Cassandra". */
const char *rf_store_title(enum rf_store store);
/* By its container ("redis"); RF_STORES: there is no such one. */
enum rf_store rf_store_of(const char *container);

/* Connects to each of them, so that it is known who is away. Failures are kept. */
void rf_stores_try(struct rf_stores *stores, bool with_cassandra);

/* All of the following return RF_OK; RF_RETRY: away, or lost; RF_CONFIG: it refuses, and is not
 * away for that. */

/* Writes a row to MySQL's pluto.posts. */
RF_USE_RESULT enum rf_status rf_stores_post(struct rf_stores *stores, const struct rf_post *post,
                                            struct rf_error *err);
/* Writes a document to MongoDB's pluto.notes, which no pipeline fills. */
RF_USE_RESULT enum rf_status rf_stores_note(struct rf_stores *stores, const struct rf_post *post,
                                            struct rf_error *err);

/* The last rows of MySQL, as rf_posts_last. */
RF_USE_RESULT enum rf_status rf_stores_posts(struct rf_stores *stores, struct rf_post *posts,
                                             uint32_t *count, struct rf_error *err);
/* The last notes, the newest first: at most *count of them; *total: how many there are. */
RF_USE_RESULT enum rf_status rf_stores_notes(struct rf_stores *stores, struct rf_post *notes,
                                             uint32_t *count, uint64_t *total,
                                             struct rf_error *err);
/* Looks for rows by their ids in any of the stores; the stamps of those that
 * are there are filled in, those of the others become empty. */
RF_USE_RESULT enum rf_status rf_stores_find(struct rf_stores *stores, enum rf_store store,
                                            struct rf_post *posts, uint32_t count,
                                            struct rf_error *err);
/* The same for notes: in MongoDB, or their copies in Redis and Cassandra. */
RF_USE_RESULT enum rf_status rf_stores_find_notes(struct rf_stores *stores, enum rf_store store,
                                                  struct rf_post *notes, uint32_t count,
                                                  struct rf_error *err);
/* How many rows that store has; where there are many, Redis estimates, and in Cassandra counting
 * ends. */
RF_USE_RESULT enum rf_status rf_stores_count(struct rf_stores *stores, enum rf_store store,
                                             struct rf_store_count *out, struct rf_error *err);
/* The value of LastInsertDate in Redis; empty: there is none. out has room for a stamp. */
RF_USE_RESULT enum rf_status rf_stores_date(struct rf_stores *stores, char *out,
                                            struct rf_error *err);
/* The stamp of the row maxTimeStamp in Cassandra; likewise. */
RF_USE_RESULT enum rf_status rf_stores_max(struct rf_stores *stores, char *out,
                                           struct rf_error *err);
/* Deletes all rows of MySQL's pluto.posts; *out: how many there were. */
RF_USE_RESULT enum rf_status rf_stores_clear_posts(struct rf_stores *stores, uint64_t *out,
                                                   struct rf_error *err);
/* The same for MongoDB's pluto.notes. */
RF_USE_RESULT enum rf_status rf_stores_clear_notes(struct rf_stores *stores, uint64_t *out,
                                                   struct rf_error *err);

/* Makes the call under way, and each later one, return soon with RF_RETRY. Thread: any. */
void rf_stores_interrupt(struct rf_stores *stores);
void rf_stores_close(struct rf_stores *stores);

#endif
