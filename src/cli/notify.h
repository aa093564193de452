/* What a service manager is told while a pipeline runs: that it works (READY), how it does
 * (STATUS), that it lives (WATCHDOG) and that it ends (STOPPING).
 *
 * Datagrams to the socket that $NOTIFY_SOCKET names, a path or (with '@' in front) a name of the
 * abstract namespace; without that variable nothing is sent and no thread runs.
 *
 * Source: systemd's manual, sd_notify(3) and sd_watchdog_enabled(3). */
#ifndef ROWFERRY_CLI_NOTIFY_H
#define ROWFERRY_CLI_NOTIFY_H

#include "engine/pipeline.h"

#include <pthread.h>

/* How it is now. */
struct rf_notify_look {
    bool ready; /* every source and sink was open once, all at the same time */
    bool alive; /* no thread hangs, and the whole does not stand still without a reason */
    struct rf_buf line;
};

struct rf_notify {
    /* Fills look, whose line is empty; asked on a thread of its own, which it may hold up: then the
     * manager is told nothing more, and knows. */
    void (*look)(void *argument, struct rf_notify_look *look);
    void *argument;
    /* the rest is private */
    int socket;
    int64_t watchdog_ms; /* between two signs of life; 0: nobody waits for any */
    bool started, ready, stopping, told_stopping, end;
    int64_t told_ms; /* when the last STATUS was sent */
    struct rf_buf status;
    pthread_mutex_t lock;
    pthread_cond_t news;
    pthread_t thread;
};

/* Starts it where a manager listens; look and argument are set. Whatever goes wrong is a warning in
 * the log: a pipeline runs without it. */
void rf_notify_start(struct rf_notify *notify);
/* Says that it is about to end. Any thread, repeatable. */
void rf_notify_stopping(struct rf_notify *notify);
/* Says so if nobody did, and ends the thread. Accepts one that never started. */
void rf_notify_stop(struct rf_notify *notify);

/* True when every end of the pipeline is open. */
bool rf_notify_is_ready(const struct rf_pipeline_snapshot *snapshot);
/* True while no plugin has been in one call for five minutes, or in its open for fifteen. None may
 * block for longer than 10 s behind its deadline; but to look through a long log when it opens, or
 * through all keys of a large Redis for a TRUNCATE, is work. */
bool rf_notify_is_alive(const struct rf_pipeline_snapshot *snapshot);

/* Whether nothing moves although something would have to; zeroed before its first use. */
struct rf_standstill {
    int64_t since_ms; /* 0: it moves, or has a reason not to */
    uint64_t events;  /* that the source had read then */
};
/* True once it was so for five minutes: the source has no room for what it read, and yet every
 * sink is open, has nothing left to do, and is in no call. Whoever waits for a destination, a disk
 * or the next flush still has something to do; so nobody is going to make room. One caller, again
 * and again. */
bool rf_standstill_is_over_limit(struct rf_standstill *still,
                                 const struct rf_pipeline_snapshot *snapshot, int64_t now_ms);

#endif
