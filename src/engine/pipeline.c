#include "engine/pipeline.h"

#include "base/clock.h"
#include "base/memory.h"
#include "checkpoint/checkpoint.h"

#include <errno.h>
#include <pthread.h>
#include <rowferry/log.h>
#include <stdlib.h>
#include <time.h>

enum {
    LEAVE_GRACE_MS = 800
}; /* behind the stop's own deadline, for calls that were interrupted to come back */

/* One actor: what its thread needs to carry out actions. `state` is given out and taken back
 * under the mutex, so that an interrupt never meets a state that is being closed. */
struct worker {
    struct rf_pipeline *pipeline;
    uint32_t id;
    const char *address;
    void *state;           /* NULL: no instance */
    struct rf_arena arena; /* of the instance's options */
    struct rf_format format;
    const struct rf_sink_spec *sink; /* NULL: the source */
    struct rf_context ctx;           /* of the instance, with what it points to in the next two */
    struct rf_buf position;          /* at its open; a source's open changes it */
    struct rf_buf note;
    struct rf_buf flush_note;
    struct rf_error err;
    struct rf_buf log;                           /* lines of news, told once the mutex is free */
    uint64_t events_before, transactions_before; /* of earlier runs, from the checkpoint */
    struct rf_view view;                         /* sinks: the one written last */
    int64_t call_since_ms;                       /* under the mutex; 0: no plugin call is out */
    pthread_t thread;
};

struct rf_pipeline {
    struct rf_pipeline_options options;
    struct rf_core *core;
    struct rf_checkpoint *checkpoint;
    struct worker *workers; /* by actor */
    uint32_t worker_count;
    pthread_mutex_t mutex;
    pthread_cond_t news;  /* for workers */
    pthread_cond_t leave; /* for rf_pipeline_run */
    uint32_t running;
    bool stopping;
    bool abandoned;
};

/* -------------------------------------------------------------------------------- the log of it */

static const char *kind_of(const struct rf_pipeline *pipeline, uint32_t id)
{
    return id == RF_CORE_SOURCE ? "source" : pipeline->workers[id].sink->type->name;
}

static void describe(const struct rf_pipeline *pipeline, const struct rf_news *news,
                     struct rf_buf *out)
{
    rf_buf_printf(out, "%s %s: ", kind_of(pipeline, news->actor),
                  pipeline->workers[news->actor].address);
    switch (news->kind) {
    case RF_NEWS_OPENED: rf_buf_printf(out, "open at %.*s", RF_STR_ARG(news->position)); break;
    case RF_NEWS_FIRST:
        rf_buf_printf(out, "no position is known yet, so it begins at %.*s",
                      RF_STR_ARG(news->position));
        break;
    case RF_NEWS_MOVED:
        rf_buf_printf(out,
                      "the destination itself stands %s what was recorded, and it decides: %.*s",
                      news->behind ? "before" : "behind", RF_STR_ARG(news->position));
        break;
    case RF_NEWS_RETRY:
        rf_buf_printf(out, "%s; trying again in %.1f s (try %u)", news->message,
                      (double)news->delay_ms / 1000, news->try);
        break;
    case RF_NEWS_GAVE_UP:
        rf_buf_printf(out, "%s; left as it is, the next start goes on from the recorded position",
                      news->message);
        break;
    case RF_NEWS_RECORD:
        rf_buf_printf(out, "the position could not be saved: %s; trying again in %.1f s (try %u)",
                      news->message, (double)news->delay_ms / 1000, news->try);
        break;
    case RF_NEWS_REOPEN:
        rf_buf_printf(out, "opened anew at %.*s, as the source was lost inside a transaction",
                      RF_STR_ARG(news->position));
        break;
    case RF_NEWS_REWIND:
        rf_buf_printf(out, "stands before what is held; the source goes back to %.*s",
                      RF_STR_ARG(news->position));
        break;
    case RF_NEWS_PARKED:
        rf_buf_printf(out, "closed for now, as the sinks have not kept up for 30 s");
        break;
    case RF_NEWS_OWN_FEED:
    case RF_NEWS_REJOINED:
    case RF_NEWS_BURIED: break;
    case RF_NEWS_ENDED: rf_buf_printf(out, "came to its end"); break;
    case RF_NEWS_FAILED:
        rf_buf_printf(out, "failed; the pipeline ends with exit code %d", news->code);
        break;
    case RF_NEWS_EXPIRED:
        rf_buf_printf(out, "the stop took too long; leaving without a last flush, nothing is lost");
        break;
    }
    if (news->hint[0] != '\0' && news->kind != RF_NEWS_FAILED) {
        rf_buf_printf(out, " (%s)", news->hint);
    }
}

static enum rf_level level_of(const struct rf_pipeline *pipeline, enum rf_news_kind kind)
{
    switch (kind) {
    case RF_NEWS_FIRST: /* always so where nothing is kept */
        return pipeline->checkpoint ? RF_LOG_INFO : RF_LOG_DEBUG;
    case RF_NEWS_OPENED:
    case RF_NEWS_ENDED: return RF_LOG_DEBUG;
    case RF_NEWS_MOVED:
    case RF_NEWS_REOPEN:
    case RF_NEWS_REWIND:
    case RF_NEWS_FAILED: return RF_LOG_INFO; /* the error itself is printed by the caller */
    default: return RF_LOG_WARN;
    }
}

/* Under the mutex: news become lines, each with its level in front. */
static void collect(struct rf_pipeline *pipeline, struct rf_buf *log)
{
    struct rf_news news;
    while (rf_core_take_news(pipeline->core, &news)) {
        rf_buf_add_byte(log, (char)('0' + level_of(pipeline, news.kind)));
        describe(pipeline, &news, log);
        rf_buf_add_byte(log, '\n');
    }
}

/* Without the mutex: standard error may block. */
static void tell(struct rf_buf *log)
{
    struct rf_str rest = rf_buf_str(log), line;
    while (rest.size > 0 && rf_str_split(&rest, '\n', &line)) {
        if (line.size > 1) {
            rf_log((enum rf_level)(line.data[0] - '0'), "%.*s", (int)line.size - 1, line.data + 1);
        }
    }
    rf_buf_reset(log);
}

/* ------------------------------------------------------------------------- carrying out actions */

static int64_t connect_timeout_ms(const struct rf_pipeline *pipeline)
{
    return pipeline->options.connect_timeout_ms ? pipeline->options.connect_timeout_ms : 10000;
}

static enum rf_status open_source(struct worker *worker, const struct rf_action *action,
                                  struct rf_result *result)
{
    const struct rf_pipeline_options *options = &worker->pipeline->options;
    const struct rf_source_type *type = options->source.type;
    struct rf_option_set set = {type->name, type->options};
    enum rf_status status =
        rf_options_fill(set, options->source.settings, worker->state, &worker->arena, &worker->err);
    if (status != RF_OK) {
        return status;
    }
    rf_buf_set(&worker->position, action->position);
    worker->ctx = (struct rf_context){
        .pipeline = options->name,
        .instance = worker->address,
        .from = rf_str_of(options->from ? options->from : "now"),
        .connect_timeout_ms = connect_timeout_ms(worker->pipeline),
    };
    status = type->open(worker->state, &worker->ctx, &worker->position, &worker->err);
    result->position = rf_buf_str(&worker->position);
    return status;
}

static enum rf_status open_format(struct worker *worker)
{
    const struct rf_format_type *type = worker->sink->format;
    if (type == NULL) {
        return RF_OK;
    }
    worker->format = (struct rf_format){type, rf_alloc_zero(1, type->state_size)};
    if (type->options != NULL) {
        struct rf_option_set set = {type->name, type->options};
        enum rf_status status = rf_options_fill(set, worker->sink->settings, worker->format.state,
                                                &worker->arena, &worker->err);
        if (status != RF_OK) {
            return status;
        }
    }
    return type->open(worker->format.state, &worker->err);
}

static enum rf_status open_sink(struct worker *worker, const struct rf_action *action,
                                struct rf_result *result)
{
    const struct rf_pipeline *pipeline = worker->pipeline;
    const struct rf_sink_spec *spec = worker->sink;
    struct rf_option_set set = {spec->type->name, spec->type->options};
    enum rf_status status =
        rf_options_fill(set, spec->settings, worker->state, &worker->arena, &worker->err);
    if (status == RF_OK) {
        status = open_format(worker);
    }
    if (status != RF_OK) {
        return status;
    }
    rf_buf_set(&worker->position, action->position);
    rf_buf_set(&worker->note, action->note);
    worker->ctx = (struct rf_context){
        .pipeline = pipeline->options.name,
        .instance = spec->name,
        .position = rf_buf_str(&worker->position),
        .note = rf_buf_str(&worker->note),
        .first_start = action->first_start,
        .adopt = action->adopt,
        .epoch = pipeline->checkpoint ? rf_checkpoint_epoch(pipeline->checkpoint) : 0,
        .format = worker->format.type ? &worker->format : NULL,
        .connect_timeout_ms = connect_timeout_ms(pipeline),
    };
    return spec->type->open(worker->state, &worker->ctx, &result->position, &worker->err);
}

static enum rf_status record(struct worker *worker, const struct rf_action *action)
{
    if (worker->pipeline->checkpoint == NULL) {
        return RF_OK;
    }
    struct rf_checkpoint_sink sink = {
        .name = rf_str_of(worker->sink->name),
        .address = rf_str_of(worker->address),
        .position = action->position,
        .note = action->note,
        .commit_us = action->commit_us,
        .events = worker->events_before + action->events,
        .transactions = worker->transactions_before + action->transactions,
    };
    return rf_checkpoint_save(worker->pipeline->checkpoint, &sink, &worker->err);
}

/* Takes the state back (an interrupt finds none from here on) and closes it. */
static void close_instance(struct worker *worker)
{
    struct rf_pipeline *pipeline = worker->pipeline;
    pthread_mutex_lock(&pipeline->mutex);
    void *state = worker->state;
    worker->state = NULL;
    pthread_mutex_unlock(&pipeline->mutex);

    if (worker->sink != NULL) {
        worker->sink->type->close(state);
        if (worker->format.type != NULL) {
            worker->format.type->close(worker->format.state);
            free(worker->format.state);
            worker->format = (struct rf_format){0};
        }
    } else {
        pipeline->options.source.type->close(state);
    }
    free(state);
    rf_arena_reset(&worker->arena, 0);
}

static enum rf_status act(struct worker *worker, const struct rf_action *action,
                          struct rf_result *result)
{
    const struct rf_source_type *source = worker->pipeline->options.source.type;
    const struct rf_sink_type *sink = worker->sink ? worker->sink->type : NULL;
    switch (action->kind) {
    case RF_ACTION_OPEN:
        return sink ? open_sink(worker, action, result) : open_source(worker, action, result);
    case RF_ACTION_READ:
        rf_batch_reset(action->batch, action->batch->bytes_max / 2);
        return source->read(worker->state, action->batch, action->until_ms, &worker->err);
    case RF_ACTION_ACK:
        return source->ack ? source->ack(worker->state, action->position, &worker->err) : RF_OK;
    case RF_ACTION_WRITE:
        worker->view = action->view;
        return sink->write(worker->state, &action->view, &worker->err);
    case RF_ACTION_FLUSH: {
        rf_buf_reset(&worker->flush_note);
        enum rf_status status =
            sink->flush(worker->state, action->position, &worker->flush_note, &worker->err);
        result->note = rf_buf_str(&worker->flush_note);
        return status;
    }
    case RF_ACTION_RECORD: return record(worker, action);
    case RF_ACTION_CLOSE: close_instance(worker); return RF_OK;
    case RF_ACTION_BURY:
    case RF_ACTION_WAIT:
    case RF_ACTION_EXIT: break;
    }
    rf_assert(false);
    return RF_FATAL;
}

/* ------------------------------------------------------------------------------------- the loop */

/* Under the mutex, after each call of the core: whoever must hear of it hears of it. */
static void spread(struct rf_pipeline *pipeline, struct rf_buf *log)
{
    uint32_t id;
    while (rf_core_take_interrupt(pipeline->core, &id)) {
        const struct worker *worker = &pipeline->workers[id];
        void (*interrupt)(void *) =
            worker->sink ? worker->sink->type->interrupt : pipeline->options.source.type->interrupt;
        if (worker->state != NULL && interrupt != NULL) {
            interrupt(worker->state);
        }
    }
    collect(pipeline, log);
    if (rf_core_take_change(pipeline->core)) {
        pthread_cond_broadcast(&pipeline->news);
        if (rf_core_tick(pipeline->core, rf_clock_ms()) != INT64_MAX) {
            pthread_cond_signal(&pipeline->leave); /* it ends: somebody has to look at the clock */
        }
    }
}

static void wait_until(struct rf_pipeline *pipeline, pthread_cond_t *what, int64_t until_ms)
{
    if (until_ms == INT64_MAX) {
        pthread_cond_wait(what, &pipeline->mutex);
        return;
    }
    struct timespec until = {
        .tv_sec = (time_t)(until_ms / 1000),
        .tv_nsec = (long)(until_ms % 1000) * 1000000,
    };
    pthread_cond_timedwait(what, &pipeline->mutex, &until);
}

/* Under the mutex: asks what is to be done until there is something. */
static void next_action(struct worker *worker, struct rf_action *action)
{
    struct rf_pipeline *pipeline = worker->pipeline;
    for (;;) {
        rf_core_next(pipeline->core, worker->id, rf_clock_ms(), action);
        spread(pipeline, &worker->log);
        if (action->kind != RF_ACTION_WAIT) {
            return;
        }
        if (worker->log.size > 0) {
            pthread_mutex_unlock(&pipeline->mutex);
            tell(&worker->log);
            pthread_mutex_lock(&pipeline->mutex);
            continue; /* things may have changed meanwhile */
        }
        wait_until(pipeline, &pipeline->news, action->until_ms);
    }
}

/* Says which event was refused: by its id, by which it is found in the log and in other sinks. */
static void name_refused(struct worker *worker, const struct rf_result *result)
{
    const struct rf_event *event = worker->err.event;
    const struct rf_view *view = &worker->view;
    if (result->status != RF_REJECT || event == NULL || event < view->events ||
        event >= view->events + view->count) {
        return;
    }
    struct rf_str id = rf_view_transaction(view, event)->id;
    if (event->table != NULL) {
        rf_error_wrap(&worker->err, "%s of %.*s, event %.*s:%u:%u", rf_op_name(event->op),
                      RF_STR_ARG(event->table->full_name), RF_STR_ARG(id), event->ordinal,
                      event->row);
    } else {
        rf_error_wrap(&worker->err, "%s in %.*s, event %.*s:%u:%u", rf_op_name(event->op),
                      RF_STR_ARG(event->database), RF_STR_ARG(id), event->ordinal, event->row);
    }
}

/* The reader of our output has gone and was the only one who wanted it: the end, not a failure.
 * What it did not take counts as taken. */
static void end_with_reader(struct worker *worker, struct rf_result *result)
{
    struct rf_pipeline *pipeline = worker->pipeline;
    if (pipeline->options.ends_with_reader && worker->sink != NULL && result->status == RF_RETRY &&
        worker->err.code == EPIPE) {
        rf_core_stop(pipeline->core, rf_clock_ms());
        result->status = RF_OK;
    }
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct rf_pipeline *pipeline = worker->pipeline;
    struct rf_action action;

    pthread_mutex_lock(&pipeline->mutex);
    for (;;) {
        next_action(worker, &action);
        if (action.kind == RF_ACTION_EXIT) {
            break;
        }
        if (action.kind == RF_ACTION_OPEN) {
            size_t size = worker->sink ? worker->sink->type->state_size
                                       : pipeline->options.source.type->state_size;
            worker->state = rf_alloc_zero(1, size);
        }
        worker->call_since_ms = rf_clock_ms();
        pthread_mutex_unlock(&pipeline->mutex);
        tell(&worker->log);

        struct rf_result result = {.err = &worker->err};
        rf_fail(&worker->err, RF_OK, "%s failed without a reason", rf_action_name(action.kind));
        result.status = act(worker, &action, &result);

        pthread_mutex_lock(&pipeline->mutex);
        worker->call_since_ms = 0;
        end_with_reader(worker, &result);
        name_refused(worker, &result);
        rf_core_done(pipeline->core, worker->id, &action, &result, rf_clock_ms());
        spread(pipeline, &worker->log);
    }
    pipeline->running--;
    pthread_cond_signal(&pipeline->leave);
    pthread_mutex_unlock(&pipeline->mutex);
    tell(&worker->log);
    return NULL;
}

/* Under the mutex: until all threads have left, or a stop has taken longer than any plugin call
 * may. While every worker is inside a call, this is the thread that sees a stop run out. */
static void wait_for_workers(struct rf_pipeline *pipeline)
{
    struct rf_buf log = {0};
    int64_t leave_at_ms = INT64_MAX;
    while (pipeline->running > 0 && !pipeline->abandoned) {
        int64_t now_ms = rf_clock_ms(), look_at_ms = rf_core_tick(pipeline->core, now_ms);
        spread(pipeline, &log);
        if (rf_core_expired(pipeline->core) && leave_at_ms == INT64_MAX) {
            leave_at_ms = now_ms + LEAVE_GRACE_MS;
        }
        if (now_ms >= leave_at_ms) {
            pipeline->abandoned = true;
            break;
        }
        wait_until(pipeline, &pipeline->leave, look_at_ms < leave_at_ms ? look_at_ms : leave_at_ms);
    }
    tell(&log);
    rf_buf_deinit(&log);
}

int rf_pipeline_run(struct rf_pipeline *pipeline, struct rf_error *err)
{
    uint32_t started = 0;
    pthread_mutex_lock(&pipeline->mutex);
    for (uint32_t i = 0; i < pipeline->worker_count; i++) {
        struct worker *worker = &pipeline->workers[i];
        int code = pthread_create(&worker->thread, NULL, work, worker);
        rf_assert(code == 0);
        pipeline->running++;
        started++;
    }
    wait_for_workers(pipeline);
    bool abandoned = pipeline->abandoned;
    int exit_code = rf_core_exit_code(pipeline->core, err);
    pthread_mutex_unlock(&pipeline->mutex);
    for (uint32_t i = 0; i < started; i++) {
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
    pthread_mutex_lock(&pipeline->mutex);
    pipeline->stopping = true;
    rf_core_stop(pipeline->core, rf_clock_ms());
    spread(pipeline, &log);
    pthread_mutex_unlock(&pipeline->mutex);
    tell(&log);
    rf_buf_deinit(&log);
}

/* ------------------------------------------------------------------------------ create, destroy */

static enum rf_status load(struct rf_pipeline *pipeline, struct worker *worker,
                           struct rf_error *err)
{
    struct rf_buf text = {0};
    struct rf_checkpoint_sink sink;
    enum rf_status status =
        rf_checkpoint_load(pipeline->checkpoint, rf_str_of(worker->sink->name), &text, &sink, err);
    if (status == RF_OK) {
        worker->events_before = sink.events;
        worker->transactions_before = sink.transactions;
        if (sink.position.size > 0) {
            struct rf_core_sink known = {
                .position = sink.position, .note = sink.note, .commit_us = sink.commit_us};
            rf_core_set_sink(pipeline->core, worker->id, &known);
        }
    }
    rf_buf_deinit(&text);
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

static void make_workers(struct rf_pipeline *pipeline)
{
    const struct rf_pipeline_options *options = &pipeline->options;
    pipeline->worker_count = 1 + options->sink_count;
    pipeline->workers = rf_alloc_zero(pipeline->worker_count, sizeof *pipeline->workers);
    for (uint32_t i = 0; i < pipeline->worker_count; i++) {
        struct worker *worker = &pipeline->workers[i];
        worker->pipeline = pipeline;
        worker->id = i;
        worker->sink = i == RF_CORE_SOURCE ? NULL : &options->sinks[i - RF_CORE_SINK];
        worker->address = worker->sink ? worker->sink->address : options->source.address;
    }
}

enum rf_status rf_pipeline_create(const struct rf_pipeline_options *options,
                                  struct rf_pipeline **out, struct rf_error *err)
{
    *out = NULL;
    enum rf_status status = refuse_twins(options, err);
    if (status != RF_OK) {
        return status;
    }
    struct rf_pipeline *pipeline = rf_alloc_zero(1, sizeof *pipeline);
    pipeline->options = *options;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pipeline->news, &attributes);
    pthread_cond_init(&pipeline->leave, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&pipeline->mutex, NULL);
    make_workers(pipeline);
    struct rf_core_options core = {
        .sink_count = options->sink_count,
        .pool_bytes = options->pool_bytes,
        .batch_bytes = options->batch_bytes,
        .flush_ms = options->flush_ms,
        .connect_timeout_ms = options->connect_once ? 1 : options->connect_timeout_ms,
        .stop_timeout_ms = options->stop_timeout_ms,
        .seed = (uint64_t)rf_clock_wall_us(),
        .adopt = options->adopt,
        .contains = options->source.type->contains,
    };
    pipeline->core = rf_core_create(&core);
    if (options->checkpoint_path != NULL) {
        status = rf_checkpoint_open(&pipeline->checkpoint, options->checkpoint_path, options->name,
                                    options->source.address, err);
        for (uint32_t i = RF_CORE_SINK; i < pipeline->worker_count && status == RF_OK; i++) {
            status = load(pipeline, &pipeline->workers[i], err);
        }
    }
    if (status != RF_OK) {
        rf_pipeline_destroy(pipeline);
        return status;
    }
    *out = pipeline;
    return RF_OK;
}

void rf_pipeline_destroy(struct rf_pipeline *pipeline)
{
    if (pipeline == NULL) {
        return;
    }
    for (uint32_t i = 0; i < pipeline->worker_count; i++) {
        struct worker *worker = &pipeline->workers[i];
        rf_arena_deinit(&worker->arena);
        rf_buf_deinit(&worker->position);
        rf_buf_deinit(&worker->note);
        rf_buf_deinit(&worker->flush_note);
        rf_buf_deinit(&worker->log);
    }
    free(pipeline->workers);
    rf_core_destroy(pipeline->core);
    rf_checkpoint_close(pipeline->checkpoint);
    pthread_cond_destroy(&pipeline->news);
    pthread_cond_destroy(&pipeline->leave);
    pthread_mutex_destroy(&pipeline->mutex);
    free(pipeline);
}

/* ------------------------------------------------------------------------------------ snapshots */

static void snap(struct rf_pipeline *pipeline, uint32_t id, struct rf_actor_snapshot *out)
{
    struct rf_core_status status;
    rf_core_status(pipeline->core, id, &status);
    int64_t retry_in_ms = status.retry_ms - rf_clock_ms();
    int64_t call_since_ms = pipeline->workers[id].call_since_ms;
    out->call_ms = call_since_ms != 0 ? rf_clock_ms() - call_since_ms : 0;
    out->address = pipeline->workers[id].address;
    out->phase = status.phase;
    out->try = status.try;
    out->retry_in_ms = status.phase == RF_PHASE_RETRYING && retry_in_ms > 0 ? retry_in_ms : 0;
    out->events = status.events;
    out->transactions = status.transactions;
    out->skipped = status.skipped;
    out->held_bytes = status.held_bytes;
    out->commit_us = status.commit_us;
    out->idle = status.idle;
    rf_buf_set(&out->position, status.position);
    rf_buf_set(&out->recorded, status.recorded);
    rf_buf_set(&out->message, rf_str_of(status.message));
    rf_buf_cstr(&out->message);
}

static int64_t lag_ms(const struct rf_actor_snapshot *source, const struct rf_actor_snapshot *sink)
{
    if (sink->idle && source->idle) {
        return 0;
    }
    if (sink->commit_us == 0) {
        return -1;
    }
    int64_t behind = (rf_clock_wall_us() - sink->commit_us) / 1000;
    return behind > 0 ? behind : 0;
}

void rf_pipeline_snapshot(struct rf_pipeline *pipeline, struct rf_pipeline_snapshot *out)
{
    uint32_t sink_count = pipeline->options.sink_count;
    if (out->sinks == NULL) {
        out->sinks = rf_alloc_zero(sink_count, sizeof *out->sinks);
        out->sink_count = sink_count;
    }
    rf_assert(out->sink_count == sink_count);
    pthread_mutex_lock(&pipeline->mutex);
    snap(pipeline, RF_CORE_SOURCE, &out->source);
    for (uint32_t i = 0; i < sink_count; i++) {
        snap(pipeline, RF_CORE_SINK + i, &out->sinks[i]);
    }
    out->stopping = pipeline->stopping;
    pthread_mutex_unlock(&pipeline->mutex);
    out->source.lag_ms = -1;
    for (uint32_t i = 0; i < sink_count; i++) {
        out->sinks[i].lag_ms = lag_ms(&out->source, &out->sinks[i]);
    }
}

static void actor_deinit(struct rf_actor_snapshot *actor)
{
    rf_buf_deinit(&actor->position);
    rf_buf_deinit(&actor->recorded);
    rf_buf_deinit(&actor->message);
}

void rf_pipeline_snapshot_deinit(struct rf_pipeline_snapshot *snapshot)
{
    actor_deinit(&snapshot->source);
    for (uint32_t i = 0; i < snapshot->sink_count; i++) {
        actor_deinit(&snapshot->sinks[i]);
    }
    free(snapshot->sinks);
    *snapshot = (struct rf_pipeline_snapshot){0};
}

const char *rf_phase_name(enum rf_phase phase)
{
    static const char *const names[] = {"closed",    "connecting", "retrying",
                                        "streaming", "full",       "done"};
    return (unsigned)phase < sizeof names / sizeof *names ? names[phase] : "unknown";
}
