/* What several pieces of work that go on at once are doing, for a person.
 *
 * On a terminal a line for each, drawn anew as it changes, with how long it has been going on; off
 * one, a plain line at each change. Colours only where the terminal takes them and NO_COLOR is not
 * set. On standard output. */
#ifndef ROWFERRY_PROGRAMS_BOARD_H
#define ROWFERRY_PROGRAMS_BOARD_H

#include <rowferry/str.h>

#include <pthread.h>

enum { RF_BOARD_ROWS_MAX = 16 };

enum rf_board_end { RF_BOARD_WORKS, RF_BOARD_DONE, RF_BOARD_FAILED };

struct rf_board_row {
    const char *name; /* borrowed */
    struct rf_buf text;
    enum rf_board_end end;
    int64_t begin_ms, end_ms;
};

/* All of it is private. */
struct rf_board {
    struct rf_board_row rows[RF_BOARD_ROWS_MAX];
    uint32_t row_count;
    uint32_t open; /* rows that have not ended */
    bool terminal, coloured;
    bool drawn; /* its lines stand above the cursor */
    pthread_mutex_t lock;
    pthread_cond_t news;
};

/* Begins with a row for each name. */
void rf_board_begin(struct rf_board *board, const char *const *names, uint32_t count);
/* What that row is doing. Any thread. */
void rf_board_say(struct rf_board *board, uint32_t row, const char *what);
/* What came of it. Any thread; once for each row. */
void rf_board_end(struct rf_board *board, uint32_t row, bool done, const char *what);
/* Draws until every row has ended, and leaves the lines where they are. The thread that began. */
void rf_board_watch(struct rf_board *board);

#endif
