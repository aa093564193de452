/* The live line: one line at the bottom of a terminal, drawn anew four times a second.
 *
 * Log lines scroll past above it: the line is wiped before each of them and drawn again behind it.
 * What it says comes from a callback, which is asked on the live line's own thread and outside its
 * lock. Off a terminal there is no line; then the callback's text goes to the log every ten
 * seconds, as long as it changes. */
#ifndef ROWFERRY_CLI_LIVE_H
#define ROWFERRY_CLI_LIVE_H

#include <rowferry/str.h>

#include <pthread.h>

struct rf_live {
    /* Writes the line, at most `columns` wide (0: any width), into the empty buffer. */
    void (*text)(void *argument, uint32_t columns, struct rf_buf *out);
    void *argument;
    bool terminal; /* draw; else log */
    /* the rest is private */
    pthread_mutex_t lock;
    pthread_cond_t news;
    pthread_t thread;
    bool started;
    bool stop;
    bool redraw;
    struct rf_buf line;  /* as it is on the screen, or as last logged */
    uint32_t line_width; /* columns that it takes there; 0: nothing is drawn */
};

/* Starts it; text, argument and terminal are set. */
void rf_live_start(struct rf_live *live);
/* Draws anew soon, as the terminal has another width. Any thread, between start and stop. */
void rf_live_redraw(struct rf_live *live);
/* Wipes the line if that needs no waiting; for a process that ends at once. Any thread. */
void rf_live_abandon(struct rf_live *live);
/* Ends the thread and wipes the line. Accepts one that was never started. */
void rf_live_stop(struct rf_live *live);

#endif
