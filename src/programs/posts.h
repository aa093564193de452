/* The table pluto.posts of MySQL: writing rows into it, and reading the last ones.
 *
 * A row is an id, a random UUID, and a stamp, the local time when it was made. Used by mysqldb and
 * the scheduler. Thread: that of the connection. */
#ifndef ROWFERRY_PROGRAMS_POSTS_H
#define ROWFERRY_PROGRAMS_POSTS_H

#include "net/mysql.h"

enum { RF_POST_ID_SIZE = 36, RF_POST_STAMP_SIZE = 20 };

struct rf_post {
    char id[RF_POST_ID_SIZE + 1];       /* "f81d4fae-7dec-4d0d-a765-00a0c91e6bf6" */
    char stamp[RF_POST_STAMP_SIZE + 1]; /* "2026-11-22 17:00:00" */
};

/* How many rows a store has. */
struct rf_store_count {
    uint64_t rows;
    bool about; /* an estimate */
    bool more;  /* there are more than that */
};

/* A new row: a random id and the time now. */
void rf_post_make(struct rf_post *post);

/* Writes the rows in one transaction. Returns RF_OK: they are committed; RF_RETRY; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_posts_write(struct rf_mysql *mysql, const struct rf_post *posts,
                                            uint32_t count, struct rf_error *err);

/* The last rows by stamp, the newest first: at most *count of them; then *count is how many there
 * are. Returns RF_OK; RF_RETRY; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_posts_last(struct rf_mysql *mysql, struct rf_post *posts,
                                           uint32_t *count, struct rf_error *err);

/* Looks for rows by their ids: the stamps of those that are not there become empty. Returns RF_OK;
 * RF_RETRY; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_posts_find(struct rf_mysql *mysql, struct rf_post *posts,
                                           uint32_t count, struct rf_error *err);

/* Takes what an answer has of one of them; the ids come in any order. */
void rf_posts_take(struct rf_post *posts, uint32_t count, struct rf_str id, struct rf_str stamp);

/* How many rows there are. Returns RF_OK; RF_RETRY; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_posts_count(struct rf_mysql *mysql, uint64_t *out,
                                            struct rf_error *err);

/* Deletes every row, and says how many there were. Returns RF_OK; RF_RETRY; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_posts_clear(struct rf_mysql *mysql, uint64_t *out,
                                            struct rf_error *err);

#endif
