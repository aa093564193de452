/* What the scheduler shows: a table on a terminal, a line per run elsewhere.
 *
 *     scheduler  run 12, every 2.0 s                    the pipeline runs, pid 4711
 *
 *     MySQL                MongoDB              Redis                notes
 *     2026-11-22 17:00:04  2026-11-22 17:00:04  2026-11-22 17:00:04  2026-11-22 17:00:04
 *     2026-11-22 17:00:02  2026-11-22 17:00:02  2026-11-22 17:00:02  2026-11-22 17:00:02
 *     ...
 *     12 rows              12 rows              12 rows              12 rows
 *                          60 ms behind         52 ms behind
 *     LastInsertDate       2026-11-22 17:00:04  52 ms behind
 *     notes in Redis       2026-11-22 17:00:04  52 ms behind
 *
 * With Cassandra there is a column more, and lines for maxTimeStamp and the notes in it. Where they
 * do not fit, of a stamp the time alone is shown.
 *
 * Pure: values in, text out. */
#ifndef ROWFERRY_PROGRAMS_SCREEN_H
#define ROWFERRY_PROGRAMS_SCREEN_H

#include "programs/trail.h"

enum { RF_SCREEN_NOTES = RF_TRAIL_SHOWN, RF_SCREEN_NEWS = 4 };

/* One store. */
struct rf_screen_store {
    bool away;
    bool unread;     /* it is there, but refuses to be read */
    const char *why; /* of either: what was said */
    bool counted;
    struct rf_store_count count;
};

struct rf_screen {
    uint64_t run;
    uint64_t missed; /* beats */
    int64_t every_ms;
    int pid;           /* of the pipeline; 0: it does not run */
    uint32_t restarts; /* of it */
    const struct rf_trail *trail;
    /* of notes: their copies in Redis and Cassandra, RF_COPY_REDIS and RF_COPY_CASSANDRA */
    const struct rf_trail *notes_trail;
    bool has_cassandra;
    struct rf_screen_store mysql, mongo, redis, cassandra, notes;
    struct rf_post last_notes[RF_SCREEN_NOTES];
    uint32_t note_count;
    char date[RF_POST_STAMP_SIZE + 1]; /* LastInsertDate; empty: there is none */
    char max[RF_POST_STAMP_SIZE + 1];  /* maxTimeStamp, likewise */
    /* that this run's row, its note, was not written, or may not have been; empty: it was */
    char no_row[200], no_note[200];
    /* what happened lately, the oldest first */
    char news[RF_SCREEN_NEWS][200];
    int64_t now_ms;
    bool coloured;
};

/* The table, its lines at most `columns` wide and without their ends in the last one. Returns how
 * many lines; each ends in "\033[K\n". Appends. */
uint32_t rf_screen_table(const struct rf_screen *screen, uint32_t columns, struct rf_buf *out);
/* One line, with its newline:
 *
 *     17:00:04 run 12: MySQL 12 rows; MongoDB 12, 60 ms behind; Redis 12, 52 ms behind;
 *     LastInsertDate 2026-11-22 17:00:04, 52 ms behind; notes 12 rows, in Redis 30 ms behind
 *
 * in one line, with "; row not written: ..." and the like where that is so.
 *
 * Appends. */
void rf_screen_line(const struct rf_screen *screen, struct rf_buf *out);

#endif
