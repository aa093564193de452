/* The trail of the last rows: when each was written at the source, and when it was seen in each
 * copy. From it comes how far each copy is behind.
 *
 * Pure: ids and times in, lags out. Used by the scheduler. Times are of the monotonic clock. */
#ifndef ROWFERRY_PROGRAMS_TRAIL_H
#define ROWFERRY_PROGRAMS_TRAIL_H

#include "programs/posts.h"

enum { RF_TRAIL_ROWS = 100, RF_TRAIL_SHOWN = 5 };

/* What follows the source. */
enum rf_copy {
    RF_COPY_MONGO, /* the document of the row */
    RF_COPY_REDIS, /* the hash of the row */
    RF_COPY_DATE,  /* LastInsertDate: a row is seen when the date is its stamp, or a later one */
    RF_COPIES,
};

struct rf_trail_row {
    struct rf_post post;
    int64_t written_ms;         /* when its commit was answered, or it was first seen in MySQL */
    int64_t seen_ms[RF_COPIES]; /* -1: it is not there */
    char stamps[RF_COPIES][RF_POST_STAMP_SIZE + 1]; /* as the copy has it */
};

/* Zeroed is empty. The newest row comes first. */
struct rf_trail {
    struct rf_trail_row rows[RF_TRAIL_ROWS];
    uint32_t count;
};

/* A row was written by ourselves. */
void rf_trail_wrote(struct rf_trail *trail, const struct rf_post *post, int64_t now_ms);
/* These are the last rows of MySQL, the newest first: what is known of them is kept, all others are
 * forgotten. */
void rf_trail_set(struct rf_trail *trail, const struct rf_post *posts, uint32_t count,
                  int64_t now_ms);

/* The rows that a copy is to be asked for: those that are shown, and those not seen yet. Returns
 * how many; rows has room for RF_TRAIL_ROWS indices. */
uint32_t rf_trail_ask(const struct rf_trail *trail, enum rf_copy copy, uint32_t *rows);
/* What it answered for one of them; stamp NULL: it has no such row. */
void rf_trail_answer(struct rf_trail *trail, enum rf_copy copy, uint32_t row, const char *stamp,
                     int64_t now_ms);
/* What LastInsertDate is; NULL: there is none. */
void rf_trail_date(struct rf_trail *trail, const char *stamp, int64_t now_ms);

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
