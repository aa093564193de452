/* Workers: the threads of a pipeline, one per actor of the core, each carrying out what the core
 * decides for its actor.
 *
 * Everything that the core says is asked under one mutex. Whoever has changed something asks on
 * behalf of all workers that wait, and wakes those for which there is something to do, and only
 * those: a worker whose feed is not needed, or whose sink is idle, sleeps through everything.
 * Shared by pipeline.c, worker.c, until.c, news.c and snapshot.c; nobody else includes it. */
#ifndef ROWFERRY_ENGINE_WORKER_H
#define ROWFERRY_ENGINE_WORKER_H

#include "checkpoint/checkpoint.h"
#include "engine/buried.h"
#include "engine/pipeline.h"
#include "engine/views.h"

#include <pthread.h>

/* An event that its sink refused, while the core decides what becomes of it. */
struct rf_refused {
    struct rf_buf line; /* for the dead letters; empty: it is not known which event */
    struct rf_buf transaction;
    uint32_t ordinal, row;
};

/* One actor: what its thread needs to carry out actions. `state` is given out and taken back
 * under the mutex, so that an interrupt never meets a state that is being closed. */
struct rf_worker {
    struct rf_pipeline *pipeline;
    uint32_t id;
    const char *address;
    const struct rf_sink_spec *sink; /* NULL: a source */
    uint32_t feed;                   /* of a source: 0 the shared one, else 1 + its sink's number */

    /* under the mutex */
    pthread_t thread;
    pthread_cond_t news;
    bool waiting;            /* its action is WAIT: others ask on its behalf */
    int64_t until_ms;        /* while it waits: when it asks by itself */
    struct rf_action action; /* to be carried out, or under way */
    void *state;             /* NULL: no instance */
    int64_t call_since_ms;   /* since when its plugin is in a call; 0: it is in none */

    /* of its thread alone */
    struct rf_arena arena; /* of the instance's options */
    struct rf_format format;
    struct rf_context ctx;  /* of the instance, with what it points to in the next two */
    struct rf_buf position; /* at its open; a source's open changes it */
    struct rf_buf note;
    struct rf_buf flush_note;
    struct rf_error err;
    struct rf_buf log; /* lines of news, told once the mutex is free */

    /* sinks */
    uint64_t picks;
    struct rf_views views;
    struct rf_buried buried;
    struct rf_refused refused;
    struct rf_buf recorded;    /* position, of the last record or open */
    uint64_t recorded_events;  /* of this process, up to there */
    struct rf_core_sink known; /* at the start, from the checkpoint */
    struct rf_buf known_text;  /* what it points to */
    /* of earlier runs, from the checkpoint */
    uint64_t events_before, transactions_before, waived_before, buried_before;
    /* snapshots, under the mutex: when the upstream last said that it has nothing that this sink
     * has not on record; 0: not yet */
    int64_t complete_ms;
    uint32_t losses; /* of the core's status, when that was last looked at */
};

struct rf_pipeline {
    struct rf_pipeline_options options;
    struct rf_core *core;
    struct rf_checkpoint *checkpoint;
    struct rf_worker *workers; /* by actor */
    uint32_t worker_count;
    atomic_uint rotations;
    int64_t until_us; /* options.until, when it is a time */

    pthread_mutex_t mutex;
    pthread_cond_t leave; /* for rf_pipeline_run */
    int64_t leave_ms;     /* until when rf_pipeline_run sleeps; INT64_MIN: it does not sleep */
    uint32_t running;
    void *probe; /* a source's state, while rf_pipeline_run asks it where `until` is */
    bool stopping;
    bool abandoned;
};

/* ---- worker.c */

/* A thread for this worker. Under the mutex; the thread counts as running. */
void rf_worker_start(struct rf_worker *worker);
/* Under the mutex, after each call of the core: whoever must hear of it hears of it. Lines for the
 * log are appended; tell them (rf_news_tell) without the mutex. */
void rf_worker_spread(struct rf_pipeline *pipeline, struct rf_buf *log);
/* Under the mutex: waits for the condition, or the time on the monotonic clock. */
void rf_worker_wait(struct rf_pipeline *pipeline, pthread_cond_t *what, int64_t until_ms);
/* What all opens of sources have in common. */
struct rf_context rf_worker_source_context(const struct rf_pipeline *pipeline, uint32_t feed);
void rf_worker_deinit(struct rf_worker *worker);

/* ---- news.c */

/* Under the mutex: the core's news become lines, each with its level in front. */
void rf_news_collect(struct rf_pipeline *pipeline, struct rf_buf *log);
/* Without the mutex, as standard error may block: logs the lines and empties the buffer. */
void rf_news_tell(struct rf_buf *log);

/* ---- until.c */

/* Reads a time in UTC as rf_pipeline_options.until has it. Returns RF_OK; RF_AGAIN: it does not
 * look like one, so it is a position; RF_CONFIG: it looks like one but there is no such time. */
enum rf_status rf_until_time(struct rf_str text, int64_t *out_us, struct rf_error *err);
/* Asks the source itself where `text` ("now", or a position as a person writes it) is, with an
 * instance of its own, as a first connection is made: with retries, until a stop. Returns the exit
 * code, *position the place; empty with 0: it was stopped. */
int rf_until_resolve(struct rf_pipeline *pipeline, const char *text, struct rf_buf *position,
                     struct rf_error *err);

#endif
