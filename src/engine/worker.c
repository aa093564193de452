#include "engine/worker.h"

#include "base/clock.h"
#include "base/memory.h"
#include "engine/letters.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* The deepest that was seen is 48 KiB, of a TLS handshake below a client library's connect. What a
 * sanitizer adds to each frame does not fit. */
enum { STACK_BYTES = 256 * 1024 };
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DEFAULT_STACK 1
#endif
#endif

/* ------------------------------------------------------------------------- carrying out actions */

struct rf_context rf_worker_source_context(const struct rf_pipeline *pipeline, uint32_t feed)
{
    const struct rf_pipeline_options *options = &pipeline->options;
    bool whole = false;
    for (uint32_t i = 0; i < options->sink_count; i++) {
        whole |= options->sinks[i].type->keeps_state;
    }
    return (struct rf_context){
        .pipeline = options->name,
        .instance = options->source.address,
        .from = rf_str_of(options->from ? options->from : "now"),
        .feed = feed,
        .whole = whole,
        .spill_directory = options->spill_directory,
        .connect_timeout_ms = options->connect_timeout_ms ? options->connect_timeout_ms : 10000,
    };
}

static enum rf_status open_source(struct rf_worker *worker, const struct rf_action *action,
                                  struct rf_result *result)
{
    const struct rf_source_spec *spec = &worker->pipeline->options.source;
    struct rf_option_set set = {spec->type->name, spec->type->options};
    enum rf_status status =
        rf_options_fill(set, spec->settings, worker->state, &worker->arena, &worker->err);
    if (status != RF_OK) {
        return status;
    }
    rf_buf_set(&worker->position, action->position);
    worker->ctx = rf_worker_source_context(worker->pipeline, action->feed);
    status = spec->type->open(worker->state, &worker->ctx, &worker->position, &worker->err);
    result->position = rf_buf_str(&worker->position);
    return status;
}

static enum rf_status open_format(struct rf_worker *worker)
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

/* How many events the sink may still be given, from its recorded position on. */
static uint64_t events_left(const struct rf_worker *worker)
{
    const struct rf_pipeline_options *options = &worker->pipeline->options;
    if (!options->limit_exact || options->limit == 0) {
        return UINT64_MAX;
    }
    return options->limit > worker->recorded_events ? options->limit - worker->recorded_events : 0;
}

static enum rf_status open_sink(struct rf_worker *worker, const struct rf_action *action,
                                struct rf_result *result)
{
    struct rf_pipeline *pipeline = worker->pipeline;
    const struct rf_sink_spec *spec = worker->sink;
    struct rf_option_set set = {spec->type->name, spec->type->options};
    enum rf_status status =
        rf_options_fill(set, spec->settings, worker->state, &worker->arena, &worker->err);
    if (status == RF_OK) {
        status = open_format(worker);
    }
    if (status == RF_OK) {
        status = rf_views_open(&worker->views, spec, events_left(worker), &worker->err);
    }
    if (status != RF_OK) {
        return status;
    }
    rf_buf_set(&worker->position, action->position);
    rf_buf_set(&worker->recorded, action->position);
    rf_buf_set(&worker->note, action->note);
    /* Events that were buried come no more: the stamps of those behind them would be others. */
    uint64_t picks = worker->picks + rf_buried_hash(&worker->buried);
    worker->ctx = (struct rf_context){
        .pipeline = pipeline->options.name,
        .instance = spec->name,
        .position = rf_buf_str(&worker->position),
        .note = rf_buf_str(&worker->note),
        .first_start = action->first_start,
        .adopt = action->adopt,
        .ordered = action->ordered,
        .epoch = pipeline->checkpoint ? rf_checkpoint_epoch(pipeline->checkpoint) : 0,
        .picks = picks != 0 ? picks : 1,
        .rotations = &pipeline->rotations,
        .format = worker->format.type ? &worker->format : NULL,
        .connect_timeout_ms = rf_worker_source_context(pipeline, 0).connect_timeout_ms,
    };
    return spec->type->open(worker->state, &worker->ctx, &result->position, &worker->err);
}

static enum rf_status write_view(struct rf_worker *worker, const struct rf_action *action)
{
    const struct rf_view *view;
    enum rf_status status =
        rf_views_give(&worker->views, &worker->buried, &action->view, &view, &worker->err);
    if (status == RF_OK) {
        status = worker->sink->type->write(worker->state, view, &worker->err);
    }
    return status;
}

static enum rf_status flush(struct rf_worker *worker, const struct rf_action *action,
                            struct rf_result *result)
{
    rf_buf_reset(&worker->flush_note);
    enum rf_status status = worker->sink->type->flush(worker->state, action->position,
                                                      &worker->flush_note, &worker->err);
    if (status == RF_OK) {
        rf_views_covered(&worker->views);
        result->note = rf_buf_str(&worker->flush_note);
    }
    return status;
}

static enum rf_status record(struct rf_worker *worker, const struct rf_action *action)
{
    struct rf_pipeline *pipeline = worker->pipeline;
    struct rf_checkpoint_sink sink = {
        .name = rf_str_of(worker->sink->name),
        .address = rf_str_of(worker->address),
        .position = action->position,
        .note = action->note,
        .commit_us = action->commit_us,
        .events = worker->events_before + action->events,
        .transactions = worker->transactions_before + action->transactions,
        .waived = worker->waived_before + action->waived,
        .buried = worker->buried_before + action->buried,
    };
    enum rf_status status = RF_OK;
    if (pipeline->checkpoint != NULL) {
        status = rf_checkpoint_save(pipeline->checkpoint, &sink, &worker->err);
    }
    if (status == RF_OK) {
        rf_buf_set(&worker->recorded, action->position);
        worker->recorded_events = action->events;
        rf_buried_forget(&worker->buried, action->position,
                         pipeline->options.source.type->contains);
    }
    return status;
}

static enum rf_status bury(struct rf_worker *worker)
{
    struct rf_refused *refused = &worker->refused;
    if (refused->line.size == 0) {
        return rf_fail(&worker->err, RF_FATAL,
                       "the sink refused an event without saying which one, so it cannot be put "
                       "into the dead letters");
    }
    if (worker->buried.count >= RF_BURIED_HELD_MAX) {
        rf_fail(&worker->err, RF_FATAL,
                "%d events went to the dead letters since the position of this sink last moved",
                RF_BURIED_HELD_MAX);
        rf_error_hint(&worker->err, "look at the reasons in %s: something else is wrong",
                      worker->sink->dead_letters);
        return RF_FATAL;
    }
    enum rf_status status =
        rf_letters_append(worker->sink->dead_letters, rf_buf_str(&refused->line), &worker->err);
    if (status == RF_OK) {
        rf_buried_add(&worker->buried, rf_buf_str(&refused->transaction), refused->ordinal,
                      refused->row);
        rf_buf_reset(&refused->line);
    }
    return status;
}

/* Takes the state back (an interrupt finds none from here on) and closes it. */
static void close_instance(struct rf_worker *worker)
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
        rf_views_close(&worker->views);
    } else {
        pipeline->options.source.type->close(state);
    }
    free(state);
    rf_arena_reset(&worker->arena, 0);
}

static enum rf_status act(struct rf_worker *worker, struct rf_result *result)
{
    const struct rf_source_type *source = worker->pipeline->options.source.type;
    const struct rf_action *action = &worker->action;
    switch (action->kind) {
    case RF_ACTION_OPEN:
        return worker->sink ? open_sink(worker, action, result)
                            : open_source(worker, action, result);
    case RF_ACTION_READ:
        rf_batch_reset(action->batch, action->batch->bytes_max / 2);
        return source->read(worker->state, action->batch, action->until_ms, &worker->err);
    case RF_ACTION_ACK:
        return source->ack ? source->ack(worker->state, action->position, &worker->err) : RF_OK;
    case RF_ACTION_WRITE: return write_view(worker, action);
    case RF_ACTION_FLUSH: return flush(worker, action, result);
    case RF_ACTION_RECORD: return record(worker, action);
    case RF_ACTION_BURY: return bury(worker);
    case RF_ACTION_CLOSE: close_instance(worker); return RF_OK;
    case RF_ACTION_WAIT:
    case RF_ACTION_EXIT: break;
    }
    rf_assert(false);
    return RF_FATAL;
}

/* ------------------------------------------------------------------------------- refused events */

/* What the dead letters would say of the event, while it can still be seen. */
static void keep_refused(struct rf_worker *worker)
{
    struct rf_refused *refused = &worker->refused;
    const struct rf_event *event = worker->err.event;
    bool as_given;
    const struct rf_view *view = rf_views_find(&worker->views, event, &as_given);
    rf_buf_reset(&refused->line);
    if (view == NULL || worker->sink->dead_letters == NULL) {
        return;
    }
    const struct rf_letter letter = {
        .pipeline = worker->pipeline->options.name,
        .sink = worker->address,
        .reason = worker->err.message,
        .position = rf_buf_str(&worker->recorded),
        .view = view,
        .event = event,
        .format = as_given ? worker->sink->letters_format : NULL,
        .raw = worker->sink->transform_count == 0,
    };
    rf_letter_write(&letter, &refused->line);
    rf_buf_set(&refused->transaction, rf_view_transaction(view, event)->id);
    refused->ordinal = event->ordinal;
    refused->row = event->row;
}

/* Says which event was refused: by its id, by which it is found in the log and in other sinks. */
static void name_refused(struct rf_worker *worker)
{
    const struct rf_event *event = worker->err.event;
    const struct rf_view *view = rf_views_find(&worker->views, event, NULL);
    if (view == NULL) {
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

/* A refusal, also one by a transform, has the event in its error. */
static void look_at_refusal(struct rf_worker *worker, enum rf_status status)
{
    if (worker->sink == NULL || worker->err.event == NULL ||
        (status != RF_REJECT && status != RF_CONFIG)) {
        return;
    }
    if (status == RF_REJECT) {
        keep_refused(worker);
    }
    name_refused(worker);
}

/* ------------------------------------------------------------------------------------- the loop */

static void interrupt_those_who_must(struct rf_pipeline *pipeline)
{
    uint32_t id;
    while (rf_core_take_interrupt(pipeline->core, &id)) {
        const struct rf_worker *worker = &pipeline->workers[id];
        void (*interrupt)(void *) =
            worker->sink ? worker->sink->type->interrupt : pipeline->options.source.type->interrupt;
        if (worker->state != NULL && interrupt != NULL) {
            interrupt(worker->state);
        }
    }
}

/* Under the mutex: what the worker, which is not busy, is to do. Its new instance is there at once,
 * so that an interrupt finds it. */
static void ask(struct rf_worker *worker, int64_t now_ms)
{
    const struct rf_pipeline *pipeline = worker->pipeline;
    rf_core_next(pipeline->core, worker->id, now_ms, &worker->action);
    worker->waiting = worker->action.kind == RF_ACTION_WAIT;
    if (worker->action.kind == RF_ACTION_OPEN) {
        rf_assert(worker->state == NULL);
        worker->state = rf_alloc_zero(1, worker->sink ? worker->sink->type->state_size
                                                      : pipeline->options.source.type->state_size);
    }
}

static void ask_for_those_who_wait(struct rf_pipeline *pipeline)
{
    int64_t now_ms = rf_clock_ms();
    for (uint32_t i = 0; i < pipeline->worker_count; i++) {
        struct rf_worker *worker = &pipeline->workers[i];
        if (!worker->waiting) {
            continue;
        }
        ask(worker, now_ms);
        if (!worker->waiting || worker->action.until_ms < worker->until_ms) {
            worker->until_ms = worker->action.until_ms;
            pthread_cond_signal(&worker->news);
        }
    }
}

void rf_worker_spread(struct rf_pipeline *pipeline, struct rf_buf *log)
{
    int64_t look_at_ms;
    bool changed;
    do {
        look_at_ms = rf_core_tick(pipeline->core, rf_clock_ms());
        interrupt_those_who_must(pipeline);
        changed = rf_core_take_change(pipeline->core);
        if (changed) {
            ask_for_those_who_wait(pipeline);
        }
    } while (changed);
    rf_news_collect(pipeline, log);
    if (look_at_ms < pipeline->leave_ms) {
        pthread_cond_signal(&pipeline->leave); /* somebody has to look at the clock */
    }
}

void rf_worker_wait(struct rf_pipeline *pipeline, pthread_cond_t *what, int64_t until_ms)
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

/* Under the mutex: until there is something to do. */
static void next_action(struct rf_worker *worker)
{
    struct rf_pipeline *pipeline = worker->pipeline;
    ask(worker, rf_clock_ms());
    worker->until_ms = worker->action.until_ms;
    rf_worker_spread(pipeline, &worker->log);
    while (worker->waiting) {
        if (worker->log.size > 0) {
            pthread_mutex_unlock(&pipeline->mutex);
            rf_news_tell(&worker->log);
            pthread_mutex_lock(&pipeline->mutex);
            continue;
        }
        rf_worker_wait(pipeline, &worker->news, worker->until_ms);
        if (worker->waiting && rf_clock_ms() >= worker->until_ms) {
            ask(worker, rf_clock_ms());
            worker->until_ms = worker->action.until_ms;
            rf_worker_spread(pipeline, &worker->log);
        }
    }
}

/* The reader of our output has gone and was the only one who wanted it: the end, not a failure.
 * What it did not take counts as taken. */
static void end_with_reader(struct rf_worker *worker, struct rf_result *result)
{
    struct rf_pipeline *pipeline = worker->pipeline;
    if (!pipeline->options.ends_with_reader || worker->sink == NULL || result->status != RF_RETRY) {
        return;
    }
    if (worker->err.code == EPIPE) {
        rf_core_stop(pipeline->core, rf_clock_ms());
        result->status = RF_OK;
    } else if (worker->err.code == ENOSPC) {
        result->status = worker->err.status = RF_CONFIG; /* nothing is kept: why should it wait */
    }
}

static void *work(void *argument)
{
    struct rf_worker *worker = argument;
    struct rf_pipeline *pipeline = worker->pipeline;

    pthread_mutex_lock(&pipeline->mutex);
    for (;;) {
        next_action(worker);
        if (worker->action.kind == RF_ACTION_EXIT) {
            break;
        }
        worker->call_since_ms = rf_clock_ms();
        pthread_mutex_unlock(&pipeline->mutex);
        rf_news_tell(&worker->log);

        struct rf_result result = {.err = &worker->err};
        rf_fail(&worker->err, RF_OK, "%s failed without a reason",
                rf_action_name(worker->action.kind));
        result.status = act(worker, &result);
        look_at_refusal(worker, result.status);

        pthread_mutex_lock(&pipeline->mutex);
        worker->call_since_ms = 0;
        end_with_reader(worker, &result);
        rf_core_done(pipeline->core, worker->id, &worker->action, &result, rf_clock_ms());
        rf_worker_spread(pipeline, &worker->log);
    }
    pipeline->running--;
    pthread_cond_signal(&pipeline->leave);
    pthread_mutex_unlock(&pipeline->mutex);
    rf_news_tell(&worker->log);
    return NULL;
}

void rf_worker_start(struct rf_worker *worker)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
#ifndef DEFAULT_STACK
    rf_assert(pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0);
#endif
    rf_assert(pthread_create(&worker->thread, &attributes, work, worker) == 0);
    pthread_attr_destroy(&attributes);
    worker->pipeline->running++;
}

void rf_worker_deinit(struct rf_worker *worker)
{
    struct rf_buf *bufs[] = {&worker->position, &worker->note,         &worker->flush_note,
                             &worker->log,      &worker->refused.line, &worker->refused.transaction,
                             &worker->recorded, &worker->known_text};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) {
        rf_buf_deinit(bufs[i]);
    }
    rf_arena_deinit(&worker->arena);
    rf_views_deinit(&worker->views);
    rf_buried_deinit(&worker->buried);
    pthread_cond_destroy(&worker->news);
}
