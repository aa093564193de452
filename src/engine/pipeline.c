#include "engine/pipeline.h"

#include "base/clock.h"
#include "base/memory.h"
#include "engine/letters.h"
#include "engine/picks.h"
#include "engine/worker.h"

#include <rowferry/log.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LEAVE_GRACE_MS = 800
}; /* behind the stop's own deadline, for calls that were interrupted to come back */

/* ------------------------------------------------------------------------------------------ run */

/* Under the mutex: until all threads have left, or a stop has taken longer than any plugin call
 * may. While every worker is inside a call, this is the thread that sees a stop run out. */
static void wait_for_workers(struct rf_pipeline *pipeline)
{
    struct rf_buf log = {0};
    int64_t leave_at_ms = INT64_MAX;
    while (pipeline->running > 0 && !pipeline->abandoned) {
        int64_t now_ms = rf_clock_ms(), look_at_ms = rf_core_tick(pipeline->core, now_ms);
        rf_worker_spread(pipeline, &log);
        if (rf_core_expired(pipeline->core) && leave_at_ms == INT64_MAX) {
            leave_at_ms = now_ms + LEAVE_GRACE_MS;
        }
        if (now_ms >= leave_at_ms) {
            pipeline->abandoned = true;
            break;
        }
        pipeline->leave_ms = look_at_ms < leave_at_ms ? look_at_ms : leave_at_ms;
        rf_worker_wait(pipeline, &pipeline->leave, pipeline->leave_ms);
        pipeline->leave_ms = INT64_MIN;
    }
    rf_news_tell(&log);
    rf_buf_deinit(&log);
}

/* That time by the monotonic clock; it may be long past. */
static int64_t on_our_clock(int64_t time_us)
{
    int64_t at_ms = rf_clock_ms() + (time_us - rf_clock_wall_us()) / 1000;
    return at_ms > 1 ? at_ms : 1;
}

/* A core that knows where the sinks stand. until: behind which position it ends; empty: none. */
static struct rf_core *make_core(const struct rf_pipeline *pipeline, struct rf_str until)
{
    const struct rf_pipeline_options *options = &pipeline->options;
    const struct rf_core_options core_options = {
        .sink_count = options->sink_count,
        .pool_bytes = options->pool_bytes,
        .batch_bytes = options->batch_bytes,
        .flush_ms = options->flush_ms,
        .connect_timeout_ms = options->connect_once ? 1 : options->connect_timeout_ms,
        .stop_timeout_ms = options->stop_timeout_ms,
        .seed = (uint64_t)rf_clock_wall_us(),
        .adopt = options->adopt,
        .until = until,
        .until_us = pipeline->until_us,
        .until_at_ms = pipeline->until_us ? on_our_clock(pipeline->until_us) : 0,
        .limit = options->limit,
        .contains = options->source.type->contains,
    };
    struct rf_core *core = rf_core_create(&core_options);
    for (uint32_t i = 0; i < options->sink_count; i++) {
        uint32_t id = RF_CORE_SINK + i;
        rf_core_set_sink(core, id, &pipeline->workers[id].known);
    }
    return core;
}

/* Where the end is that a position or `now` names, only the source can say, and it may take a
 * while: so it is asked here, where a stop is heard. Returns the exit code. */
static int find_end(struct rf_pipeline *pipeline, struct rf_error *err)
{
    const char *text = pipeline->options.until;
    struct rf_buf position = {0};
    if (text == NULL || pipeline->until_us != 0) {
        return 0;
    }
    int code = rf_until_resolve(pipeline, text, &position, err);
    if (position.size > 0) {
        struct rf_core *core = make_core(pipeline, rf_buf_str(&position));
        pthread_mutex_lock(&pipeline->mutex);
        rf_core_destroy(pipeline->core);
        pipeline->core = core;
        if (pipeline->stopping) {
            rf_core_stop(core, rf_clock_ms());
        }
        pthread_mutex_unlock(&pipeline->mutex);
        rf_log(RF_LOG_DEBUG, "source %s: until %s is %.*s", pipeline->options.source.address, text,
               RF_STR_ARG(rf_buf_str(&position)));
    }
    rf_buf_deinit(&position);
    return code;
}

int rf_pipeline_run(struct rf_pipeline *pipeline, struct rf_error *err)
{
    int exit_code = find_end(pipeline, err);
    if (exit_code != 0) {
        return exit_code;
    }
    pthread_mutex_lock(&pipeline->mutex);
    for (uint32_t i = 0; i < pipeline->worker_count; i++) {
        rf_worker_start(&pipeline->workers[i]);
    }
    wait_for_workers(pipeline);
    bool abandoned = pipeline->abandoned;
    exit_code = rf_core_exit_code(pipeline->core, err);
    pthread_mutex_unlock(&pipeline->mutex);
    for (uint32_t i = 0; i < pipeline->worker_count; i++) {
        if (abandoned) {
            pthread_detach(pipeline->workers[i].thread);
        } else {
            pthread_join(pipeline->workers[i].thread, NULL);
        }
    }
    return exit_code;
}

bool rf_pipeline_abandoned(const struct rf_pipeline *pipeline)
{
    return pipeline->abandoned;
}

void rf_pipeline_stop(struct rf_pipeline *pipeline)
{
    struct rf_buf log = {0};
    const struct rf_source_type *source = pipeline->options.source.type;
    pthread_mutex_lock(&pipeline->mutex);
    pipeline->stopping = true;
    rf_core_stop(pipeline->core, rf_clock_ms());
    rf_worker_spread(pipeline, &log);
    if (pipeline->probe != NULL && source->interrupt != NULL) {
        source->interrupt(pipeline->probe);
    }
    pthread_cond_signal(&pipeline->leave);
    pthread_mutex_unlock(&pipeline->mutex);
    rf_news_tell(&log);
    rf_buf_deinit(&log);
}

void rf_pipeline_rotate(struct rf_pipeline *pipeline)
{
    struct rf_buf log = {0};
    atomic_fetch_add(&pipeline->rotations, 1);
    pthread_mutex_lock(&pipeline->mutex);
    rf_core_flush_soon(pipeline->core);
    rf_worker_spread(pipeline, &log);
    pthread_mutex_unlock(&pipeline->mutex);
    rf_news_tell(&log);
    rf_buf_deinit(&log);
}

/* ------------------------------------------------------------------------------ create, destroy */

static enum rf_status load(struct rf_pipeline *pipeline, struct rf_worker *worker,
                           struct rf_error *err)
{
    struct rf_checkpoint_sink sink = {0};
    enum rf_status status = rf_checkpoint_load(pipeline->checkpoint, rf_str_of(worker->sink->name),
                                               &worker->known_text, &sink, err);
    worker->events_before = sink.events;
    worker->transactions_before = sink.transactions;
    worker->waived_before = sink.waived;
    worker->buried_before = sink.buried;
    worker->known.position = sink.position;
    worker->known.note = sink.note;
    worker->known.commit_us = sink.commit_us;
    worker->known.ordered = sink.ordered;
    return status;
}

static enum rf_status refuse_twins(const struct rf_pipeline_options *options, struct rf_error *err)
{
    for (uint32_t i = 0; i < options->sink_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(options->sinks[i].name, options->sinks[j].name) == 0) {
                rf_fail(err, RF_CONFIG, "two sinks are named \"%s\"", options->sinks[i].name);
                rf_error_hint(err, "a sink's position is kept under its name: give one of them "
                                   "another with name=...");
                return RF_CONFIG;
            }
        }
    }
    return RF_OK;
}

static enum rf_status check_letters(const struct rf_pipeline_options *options, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < options->sink_count && status == RF_OK; i++) {
        if (options->sinks[i].dead_letters != NULL) {
            status = rf_letters_check(options->sinks[i].dead_letters, err);
        }
    }
    return status;
}

static void make_workers(struct rf_pipeline *pipeline, const pthread_condattr_t *attributes)
{
    const struct rf_pipeline_options *options = &pipeline->options;
    uint32_t feeds = RF_CORE_SINK + options->sink_count; /* their actors, one per sink */
    pipeline->worker_count = feeds + options->sink_count;
    pipeline->workers = rf_alloc_zero(pipeline->worker_count, sizeof *pipeline->workers);
    for (uint32_t i = 0; i < pipeline->worker_count; i++) {
        struct rf_worker *worker = &pipeline->workers[i];
        worker->pipeline = pipeline;
        worker->id = i;
        worker->address = options->source.address;
        pthread_cond_init(&worker->news, attributes);
        if (i >= feeds) {
            worker->feed = 1 + i - feeds;
        } else if (i >= RF_CORE_SINK) {
            worker->sink = &options->sinks[i - RF_CORE_SINK];
            worker->address = worker->sink->address;
            worker->picks = rf_picks_of(&options->source, worker->sink);
            worker->known.buries = worker->sink->dead_letters != NULL;
        }
    }
}

static void make_threads(struct rf_pipeline *pipeline)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pipeline->leave, &attributes);
    pthread_mutex_init(&pipeline->mutex, NULL);
    pipeline->leave_ms = INT64_MIN;
    make_workers(pipeline, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* A time, or what the source takes for a place. *until_us: the time; else as it was. */
static enum rf_status check_until(const struct rf_pipeline_options *options, int64_t *until_us,
                                  struct rf_error *err)
{
    const struct rf_source_type *source = options->source.type;
    struct rf_str until = rf_str_of(options->until);
    enum rf_status status = rf_until_time(until, until_us, err);
    if (status != RF_AGAIN) {
        return status;
    }
    if (source->check_from != NULL && source->check_from(until, err) != RF_OK) {
        char hint[sizeof err->hint];
        snprintf(hint, sizeof hint, "%s", err != NULL ? err->hint : "");
        rf_fail(err, RF_CONFIG, "until: \"%s\" is no place to end", options->until);
        rf_error_hint(err, "a time in UTC such as 2026-11-22T12:00:00Z, or: %s", hint);
        return RF_CONFIG;
    }
    return RF_OK;
}

static enum rf_status check(const struct rf_pipeline_options *options, int64_t *until_us,
                            struct rf_error *err)
{
    const struct rf_source_type *source = options->source.type;
    enum rf_status status = refuse_twins(options, err);
    if (status == RF_OK) {
        status = check_letters(options, err);
    }
    if (status == RF_OK && options->from != NULL && source->check_from != NULL) {
        status = source->check_from(rf_str_of(options->from), err);
    }
    if (status == RF_OK && options->until != NULL) {
        status = check_until(options, until_us, err);
    }
    return status;
}

enum rf_status rf_pipeline_check(const struct rf_pipeline_options *options, struct rf_error *err)
{
    int64_t until_us = 0;
    return check(options, &until_us, err);
}

enum rf_status rf_pipeline_create(const struct rf_pipeline_options *options,
                                  struct rf_pipeline **out, struct rf_error *err)
{
    int64_t until_us = 0;
    *out = NULL;
    enum rf_status status = check(options, &until_us, err);
    if (status != RF_OK) {
        return status;
    }
    struct rf_pipeline *pipeline = rf_alloc_zero(1, sizeof *pipeline);
    pipeline->options = *options;
    pipeline->until_us = until_us;
    make_threads(pipeline);
    if (options->checkpoint_path != NULL) {
        status = rf_checkpoint_open(&pipeline->checkpoint, options->checkpoint_path, options->name,
                                    options->source.address, err);
        for (uint32_t i = 0; i < options->sink_count && status == RF_OK; i++) {
            status = load(pipeline, &pipeline->workers[RF_CORE_SINK + i], err);
        }
    }
    if (status != RF_OK) {
        rf_pipeline_destroy(pipeline);
        return status;
    }
    pipeline->core = make_core(pipeline, RF_STR_NONE);
    *out = pipeline;
    return RF_OK;
}

void rf_pipeline_destroy(struct rf_pipeline *pipeline)
{
    if (pipeline == NULL) {
        return;
    }
    for (uint32_t i = 0; i < pipeline->worker_count; i++) {
        rf_worker_deinit(&pipeline->workers[i]);
    }
    free(pipeline->workers);
    rf_core_destroy(pipeline->core);
    rf_checkpoint_close(pipeline->checkpoint);
    pthread_cond_destroy(&pipeline->leave);
    pthread_mutex_destroy(&pipeline->mutex);
    free(pipeline);
}
