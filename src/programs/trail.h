/* The trail of the last rows: when each was written at the source, and when it was seen in each
 * copy. From it comes how far each copy is behind.
 *
 * The stamps of rows are of a clock that people set: a row that was written later may have an
 * earlier one. So nothing is concluded from their order. What we wrote ourselves is remembered by
 * its id until it was seen everywhere, and what a copy has of one value only is judged by which row
 * that value is of. Rows that others wrote are taken to be newer than those known before: who looks
 * at MySQL right before it writes has the order of the log.
 *
 * Pure: ids and times in, lags out. Used by the scheduler. Times are of the monotonic clock. */
#ifndef ROWFERRY_PROGRAMS_TRAIL_H
#define ROWFERRY_PROGRAMS_TRAIL_H

#include "programs/posts.h"

/* Of the rows there is room for, so many are MySQL's last ones; the others are of our own that are
 * not among them. */
enum { RF_TRAIL_ROWS = 100, RF_TRAIL_LAST = 80, RF_TRAIL_SHOWN = 5 };

/* What follows the source. */
enum rf_copy {
    RF_COPY_MONGO,     /* the document of the row */
    RF_COPY_REDIS,     /* the hash of the row */
    RF_COPY_CASSANDRA, /* the row of the row */
    /* LastInsertDate: a row is seen when the date is its stamp, or that of a later row */
    RF_COPY_DATE,
    RF_COPY_MAX, /* the same of Cassandra's row maxTimeStamp */
    RF_COPIES,
};

struct rf_trail_row {
    struct rf_post post;
    /* grows in the order in which rows came to be known; 0: an old one that others' deletion has
     * brought to light, older than all */
    uint64_t order;
    bool own;                   /* written by ourselves */
    int64_t written_ms;         /* when its commit was answered, or it was first seen in MySQL */
    int64_t seen_ms[RF_COPIES]; /* -1: it is not there */
    char stamps[RF_COPIES][RF_POST_STAMP_SIZE + 1]; /* as the copy has it */
};

/* Zeroed is empty. The newest row comes first. */
struct rf_trail {
    struct rf_trail_row rows[RF_TRAIL_ROWS];
    uint32_t count;
    uint64_t order;         /* the highest that was given */
    bool full;              /* MySQL may have more rows than there was room for */
    bool unused[RF_COPIES]; /* there is no such copy: nothing is behind there */
};

/* A row was written by ourselves. */
void rf_trail_wrote(struct rf_trail *trail, const struct rf_post *post, int64_t now_ms);
/* Rows of our own that are not among MySQL's last ones, `posts`, and that some copy lacks or that
 * are shown: they may have been deleted. Fills out, which has room for RF_TRAIL_ROWS -
 * RF_TRAIL_LAST, and returns how many. */
uint32_t rf_trail_absent(const struct rf_trail *trail, const struct rf_post *posts, uint32_t count,
                         struct rf_post *out);
/* These are the last rows of MySQL, by their stamps, the newest first, and behind them those absent
 * ones that it still has: what is known of them is kept, all others are forgotten. */
void rf_trail_set(struct rf_trail *trail, const struct rf_post *posts, uint32_t count,
                  int64_t now_ms);

bool rf_trail_knows(const struct rf_trail *trail, const char *id);

/* The rows that a copy is to be asked for: those that are shown, and those not seen yet. Returns
 * how many; rows has room for RF_TRAIL_ROWS indices. */
uint32_t rf_trail_ask(const struct rf_trail *trail, enum rf_copy copy, uint32_t *rows);
/* What it answered for one of them; stamp NULL: it has no such row. */
void rf_trail_answer(struct rf_trail *trail, enum rf_copy copy, uint32_t row, const char *stamp,
                     int64_t now_ms);
/* What a copy of one value has (RF_COPY_DATE, RF_COPY_MAX); NULL: it has none. The row that
 * has this stamp, and all rows before it, were carried. A stamp of no row says nothing; of a stamp
 * that several rows have, the newest counts that is in that store itself (whose answer,
 * RF_COPY_REDIS or RF_COPY_CASSANDRA, is given first). */
void rf_trail_value(struct rf_trail *trail, enum rf_copy copy, const char *stamp, int64_t now_ms);

/* How far a copy is behind. */
struct rf_lag {
    uint32_t rows; /* that are missing */
    bool more;     /* all that are known are: there may be more */
    /* while rows are missing: since the oldest of them was written; else what the newest took */
    int64_t ms;
    bool known; /* there is a row to measure by */
};
struct rf_lag rf_trail_lag(const struct rf_trail *trail, enum rf_copy copy, int64_t now_ms);

#endif
