#include "schedule/loop.h"

#include <stddef.h>
#include <string.h>

void rf_loop_add(struct rf_loop *loop, struct rf_job *job)
{
    rf_assert(loop->job_count < RF_JOBS_MAX && job->every_ms > 0 && job->first_ms >= 0);
    job->runs = job->failures = job->missed = 0;
    job->due_ms = loop->clock.now_ms(loop->clock.argument) + job->first_ms;
    loop->jobs[loop->job_count++] = job;
}

/* The job whose beat comes, or came, first; NULL: there is none. */
static struct rf_job *next_job(const struct rf_loop *loop)
{
    struct rf_job *next = NULL;

    for (uint32_t i = 0; i < loop->job_count; i++) {
        if (next == NULL || loop->jobs[i]->due_ms < next->due_ms) {
            next = loop->jobs[i];
        }
    }
    return next;
}

/* To the next beat that has not passed yet. One that is just now has not. */
static void move_on(struct rf_job *job, int64_t now_ms)
{
    job->due_ms += job->every_ms;
    if (job->due_ms < now_ms) {
        int64_t passed = (now_ms - job->due_ms - 1) / job->every_ms + 1;
        job->missed += (uint64_t)passed;
        job->due_ms += passed * job->every_ms;
    }
}

/* Returns RF_OK: go on; else what ends the loop. */
static enum rf_status run_job(struct rf_loop *loop, struct rf_job *job, struct rf_error *err)
{
    memset(err, 0, sizeof *err);
    job->runs++;
    enum rf_status status = job->run(job->argument, err);
    move_on(job, loop->clock.now_ms(loop->clock.argument));
    if (status == RF_OK || status == RF_AGAIN) {
        return RF_OK;
    }
    job->failures++;
    if (loop->failed != NULL) {
        loop->failed(loop->argument, job, err);
    }
    return job->policy == RF_JOB_STOP ? status : RF_OK;
}

enum rf_status rf_loop_run(struct rf_loop *loop, struct rf_error *err)
{
    struct rf_error failure;
    enum rf_status status = RF_OK;

    while (status == RF_OK && !atomic_load(&loop->stop)) {
        struct rf_job *job = next_job(loop);
        int64_t due_ms = job != NULL ? job->due_ms : INT64_MAX;
        if (due_ms > loop->clock.now_ms(loop->clock.argument)) {
            loop->clock.wait(loop->clock.argument, due_ms);
        } else {
            status = run_job(loop, job, &failure);
        }
    }
    if (status != RF_OK && err != NULL) {
        *err = failure;
    }
    return status;
}

void rf_loop_stop(struct rf_loop *loop)
{
    /* The flag first: who is woken looks at it. */
    atomic_store(&loop->stop, true);
    loop->clock.wake(loop->clock.argument);
}
