/* The time loop: jobs that run every so often, one after the other, on one thread.
 *
 * Used by programs that write and read now and then. It knows nothing of what the jobs do.
 *
 * A job's beats are first, first + every, first + 2 * every and so on, counted from the time when
 * it was added: they do not drift, however long its runs take. A job that is late does not pile up:
 * beats that have passed while it, or another job, ran are missed, counted, and never made up for.
 * Of several jobs that are due the one that is due longest runs first; of two that are due at once,
 * the one that was added first.
 *
 * Time and waiting come from outside (schedule/clock.h has the real ones), so that tests can let
 * hours pass in no time.
 *
 * Zeroed is empty and valid. One thread, but for rf_loop_stop. Units: milliseconds. */
#ifndef ROWFERRY_SCHEDULE_LOOP_H
#define ROWFERRY_SCHEDULE_LOOP_H

#include <rowferry/error.h>
#include <stdatomic.h>

enum { RF_JOBS_MAX = 16 };

/* What the loop knows of time. */
struct rf_loop_clock {
    /* Never goes back. */
    int64_t (*now_ms)(void *argument);
    /* Returns at until_ms, or as soon as wake was called, before or during it; may return early. */
    void (*wait)(void *argument, int64_t until_ms);
    /* Ends the wait under way, or the next one. Any thread, and signal handlers. */
    void (*wake)(void *argument);
    void *argument;
};

enum rf_job_policy {
    RF_JOB_GO_ON, /* a failure is reported, the job runs again at its next beat */
    RF_JOB_STOP,  /* a failure is reported and ends the loop with its status */
};

/* A job. The caller owns it, and it stays where it is while the loop runs. */
struct rf_job {
    const char *name; /* for messages */
    int64_t every_ms; /* > 0 */
    int64_t first_ms; /* from the adding to the first beat; 0: at once */
    enum rf_job_policy policy;
    /* Returns RF_OK, or another status with err filled, which is a failure. RF_AGAIN is none: there
     * was nothing to do. */
    enum rf_status (*run)(void *argument, struct rf_error *err);
    void *argument;
    /* kept by the loop, for reading */
    uint64_t runs;     /* that began */
    uint64_t failures; /* among them */
    uint64_t missed;   /* beats that passed unused */
    int64_t due_ms;    /* the next beat */
};

struct rf_loop {
    struct rf_loop_clock clock;
    /* Told of each failure, before the policy is followed; NULL: nobody is. */
    void (*failed)(void *argument, const struct rf_job *job, const struct rf_error *err);
    void *argument;
    /* the rest is private */
    struct rf_job *jobs[RF_JOBS_MAX];
    uint32_t job_count;
    atomic_bool stop;
};

/* Adds a job; its counters begin at 0. Also from a job that runs. clock is set before. */
void rf_loop_add(struct rf_loop *loop, struct rf_job *job);

/* Runs the jobs until rf_loop_stop was called, before or during it. Without jobs it only waits.
 * Returns RF_OK: stopped; the status of a job whose policy is RF_JOB_STOP, with its error. */
RF_USE_RESULT enum rf_status rf_loop_run(struct rf_loop *loop, struct rf_error *err);

/* Makes rf_loop_run return once the job that runs, if one does, has returned. Thread: any; also
 * signal handlers and jobs. */
void rf_loop_stop(struct rf_loop *loop);

#endif
