/* Signals while a pipeline runs: one thread waits for them, so no handler ever interrupts anything.
 *
 * SIGINT, SIGTERM and SIGHUP ask for a graceful stop; the second of them leaves at once. One that
 * was ignored when the program began (nohup, a shell's background job) stays ignored. SIGHUP is
 * something else for a program that no terminal can hang up on: whoever sends it wants new files.
 * SIGWINCH asks for the live line to be drawn anew. */
#ifndef ROWFERRY_BASE_SIGNALS_H
#define ROWFERRY_BASE_SIGNALS_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

struct rf_signals {
    void (*stop)(void *argument);    /* called once, on the signals' thread */
    void (*leave)(void *argument);   /* before the process ends at the second signal */
    void (*resized)(void *argument); /* the terminal has another size */
    void (*hangup)(void *argument);  /* at each SIGHUP; NULL: it asks for a stop */
    void *argument;
    /* the rest is private */
    sigset_t set;
    sigset_t before;
    pthread_t thread;
    atomic_int caught;
    atomic_bool ending;
};

/* Blocks the signals in this thread and every one made from here on. */
void rf_signals_block(struct rf_signals *signals);
/* Starts to listen; the callbacks are set. After block. */
void rf_signals_listen(struct rf_signals *signals);
/* The signal that asked for the stop; 0: none yet. Any thread. */
int rf_signals_caught(const struct rf_signals *signals);
/* Ends the thread and gives the signals back. */
void rf_signals_deinit(struct rf_signals *signals);

#endif
