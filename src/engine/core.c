#include "engine/core_state.h"

#include "base/memory.h"

#include <stdlib.h>

const char *rf_action_name(enum rf_action_kind kind)
{
    static const char *const names[] = {"wait",  "open",   "read", "ack",   "write",
                                        "flush", "record", "bury", "close", "exit"};
    return (unsigned)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

/* ------------------------------------------------------------------------------ life and access */

struct rf_core *rf_core_create(const struct rf_core_options *options)
{
    struct rf_core *core = rf_alloc_zero(1, sizeof *core);
    core->options = *options;
    struct rf_core_options *o = &core->options;
    o->pool_bytes = o->pool_bytes ? o->pool_bytes : 24 << 20;
    o->batch_bytes = o->batch_bytes ? o->batch_bytes : 512 << 10;
    if (o->batch_bytes > o->pool_bytes / 8) {
        o->batch_bytes = o->pool_bytes / 8 ? o->pool_bytes / 8 : 1;
    }
    o->flush_ms = o->flush_ms ? o->flush_ms : 100;
    o->connect_timeout_ms = o->connect_timeout_ms ? o->connect_timeout_ms : 10000;
    o->stop_timeout_ms = o->stop_timeout_ms ? o->stop_timeout_ms : 4000;
    rf_assert(o->sink_count > 0 && o->contains != NULL);

    /* Batches of a quiet source are small; a few slots more than full ones would need are
     * enough, as sinks flush at once when the reader runs out of them. */
    rf_pool_init(&core->pool, (uint32_t)(o->pool_bytes / o->batch_bytes) + 16, o->pool_bytes,
                 o->batch_bytes);
    core->random = o->seed * 2 + 1;
    core->stop_at_ms = INT64_MAX;
    core->feed.blocked_since_ms = -1;
    core->feed.first = core->pool.next;
    core->sinks = rf_alloc_zero(o->sink_count, sizeof *core->sinks);
    for (uint32_t i = 0; i < o->sink_count; i++) {
        core->sinks[i].actor.id = RF_CORE_SINK + i;
        core->sinks[i].cursor = core->sinks[i].covered = core->pool.next;
        core->sinks[i].detached = true;
    }
    return core;
}

void rf_core_set_sink(struct rf_core *core, uint32_t actor, const struct rf_core_sink *known)
{
    struct rf_sink *sink = &core->sinks[actor - RF_CORE_SINK];
    rf_buf_set(&sink->recorded.position, known->position);
    rf_buf_set(&sink->recorded_note, known->note);
    sink->recorded.commit_us = known->commit_us;
    sink->ordered = known->ordered;
    sink->buries = known->buries;
}

static void deinit_news(struct rf_news_item *item)
{
    rf_buf_deinit(&item->message);
    rf_buf_deinit(&item->hint);
    rf_buf_deinit(&item->position);
}

void rf_core_destroy(struct rf_core *core)
{
    if (core == NULL) {
        return;
    }
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        struct rf_sink *sink = &core->sinks[i];
        struct rf_buf *bufs[] = {&sink->accepted.position, &sink->durable.position,
                                 &sink->recorded.position, &sink->note,
                                 &sink->recorded_note,     &sink->rejected,
                                 &sink->actor.message};
        for (size_t j = 0; j < sizeof bufs / sizeof *bufs; j++) {
            rf_buf_deinit(bufs[j]);
        }
    }
    struct rf_feed *feed = &core->feed;
    struct rf_buf *bufs[] = {&feed->inside_id, &feed->position, &feed->opening,
                             &feed->acking,    &feed->acked,    &feed->actor.message};
    for (size_t j = 0; j < sizeof bufs / sizeof *bufs; j++) {
        rf_buf_deinit(bufs[j]);
    }
    for (uint32_t i = 0; i < RF_NEWS_MAX; i++) {
        deinit_news(&core->news[i]);
    }
    deinit_news(&core->taken);
    rf_pool_deinit(&core->pool);
    free(core->sinks);
    free(core);
}

struct rf_actor *rf_core_actor(struct rf_core *core, uint32_t id)
{
    rf_assert(id <= core->options.sink_count);
    return id == RF_CORE_SOURCE ? &core->feed.actor : &core->sinks[id - RF_CORE_SINK].actor;
}

bool rf_core_contains(const struct rf_core *core, const struct rf_buf *position,
                      struct rf_str other)
{
    return core->options.contains(rf_buf_str(position), other);
}

bool rf_core_same(const struct rf_core *core, struct rf_str a, struct rf_str b)
{
    return rf_str_equal(a, b) || (core->options.contains(a, b) && core->options.contains(b, a));
}

bool rf_core_all_sinks_gone(const struct rf_core *core)
{
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        if (!core->sinks[i].actor.exited) {
            return false;
        }
    }
    return true;
}

bool rf_core_finished(const struct rf_core *core)
{
    return core->feed.actor.exited && rf_core_all_sinks_gone(core);
}

int rf_core_exit_code(const struct rf_core *core, struct rf_error *err)
{
    if (err != NULL) {
        *err = core->error;
    }
    return core->exit_code;
}

void rf_place_set(struct rf_place *place, const struct rf_place *from)
{
    struct rf_buf position = place->position;
    rf_buf_set(&position, rf_buf_str(&from->position));
    *place = *from;
    place->position = position;
}

/* ----------------------------------------------------------------------------------------- news */

struct rf_news_item *rf_core_tell(struct rf_core *core, enum rf_news_kind kind, uint32_t actor)
{
    if (core->news_count == RF_NEWS_MAX) {
        core->news_first = (core->news_first + 1) % RF_NEWS_MAX;
        core->news_count--;
    }
    struct rf_news_item *item = &core->news[(core->news_first + core->news_count++) % RF_NEWS_MAX];
    item->news = (struct rf_news){.kind = kind, .actor = actor};
    rf_buf_reset(&item->message);
    rf_buf_reset(&item->hint);
    rf_buf_reset(&item->position);
    return item;
}

bool rf_core_take_news(struct rf_core *core, struct rf_news *out)
{
    if (core->news_count == 0) {
        return false;
    }
    struct rf_news_item *item = &core->news[core->news_first], swap = core->taken;
    core->taken = *item;
    *item = swap;
    core->news_first = (core->news_first + 1) % RF_NEWS_MAX;
    core->news_count--;
    *out = core->taken.news;
    out->message = rf_buf_cstr(&core->taken.message);
    out->hint = rf_buf_cstr(&core->taken.hint);
    out->position = rf_buf_str(&core->taken.position);
    return true;
}

/* ------------------------------------------------------------------------------------ decisions */

void rf_core_recall(struct rf_actor *actor)
{
    if (!actor->instance) {
        return;
    }
    actor->must_close = true;
    if (actor->doing.kind != RF_ACTION_WAIT && actor->doing.kind != RF_ACTION_CLOSE &&
        !actor->interrupted) {
        actor->interrupted = true;
        actor->interrupt_wanted = true;
    }
}

bool rf_core_take_change(struct rf_core *core)
{
    bool changed = core->changed;
    core->changed = false;
    return changed;
}

bool rf_core_take_interrupt(struct rf_core *core, uint32_t *actor)
{
    for (uint32_t id = 0; id <= core->options.sink_count; id++) {
        struct rf_actor *candidate = rf_core_actor(core, id);
        if (candidate->interrupt_wanted) {
            candidate->interrupt_wanted = false;
            *actor = id;
            return true;
        }
    }
    return false;
}

static void begin_stop(struct rf_core *core, int64_t now_ms)
{
    if (core->mode == RF_MODE_STOP) {
        return;
    }
    core->mode = RF_MODE_STOP;
    core->changed = true;
    core->stop_at_ms = now_ms + core->options.stop_timeout_ms;
    rf_core_recall(&core->feed.actor);
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        /* One that is only being opened has nothing to flush. */
        if (core->sinks[i].actor.doing.kind == RF_ACTION_OPEN) {
            rf_core_recall(&core->sinks[i].actor);
        }
    }
}

void rf_core_end(struct rf_core *core, struct rf_actor *actor, int code, const struct rf_error *err,
                 int64_t now_ms)
{
    struct rf_news_item *item = rf_core_tell(core, RF_NEWS_FAILED, actor->id);
    item->news.code = code;
    rf_buf_set(&item->message, rf_str_of(err->message));
    rf_buf_set(&item->hint, rf_str_of(err->hint));
    if (core->exit_code == 0) {
        core->exit_code = code;
        core->error = *err;
        core->error.event = NULL;
    }
    if (actor->id == RF_CORE_SOURCE && core->mode == RF_MODE_RUN) {
        core->mode = RF_MODE_DRAIN;
        core->stop_at_ms = now_ms + RF_DRAIN_MS;
    } else if (actor->id != RF_CORE_SOURCE) {
        begin_stop(core, now_ms);
    }
    actor->last = true;
}

int64_t rf_core_backoff(struct rf_core *core, uint32_t tries)
{
    int64_t most = tries < 16 ? (int64_t)RF_BACKOFF_MIN_MS << tries : RF_BACKOFF_MAX_MS;
    most = most > RF_BACKOFF_MAX_MS ? RF_BACKOFF_MAX_MS : most;
    core->random ^= core->random << 13;
    core->random ^= core->random >> 7;
    core->random ^= core->random << 17;
    return most / 2 + (int64_t)(core->random % (uint64_t)(most / 2 + 1));
}

/* 0: try again. */
static int exit_code_of(struct rf_core *core, struct rf_actor *actor,
                        const struct rf_result *result, int64_t delay_ms, int64_t now_ms)
{
    switch (result->status) {
    case RF_REJECT: return 4;
    case RF_FATAL: return 3;
    case RF_CONFIG:
    case RF_RETRY: break;
    default: rf_assert(false); /* a status that no call may fail with */
    }
    if (result->err->access) {
        actor->refusals++;
        return !actor->ever_opened || actor->refusals >= RF_REFUSALS_MAX ? 2 : 0;
    }
    if (result->status == RF_CONFIG) {
        return 2;
    }
    bool late = now_ms + delay_ms - actor->first_try_ms > core->options.connect_timeout_ms;
    return !actor->ever_opened && late ? 5 : 0;
}

void rf_core_failed(struct rf_core *core, struct rf_actor *actor, const struct rf_result *result,
                    int64_t now_ms)
{
    actor->must_close = true;
    if (actor->interrupted && result->status == RF_RETRY) {
        return; /* as it was told to */
    }
    int64_t delay_ms = rf_core_backoff(core, actor->tries);
    int code = exit_code_of(core, actor, result, delay_ms, now_ms);
    rf_buf_set(&actor->message, rf_str_of(result->err->message));
    rf_buf_cstr(&actor->message);
    if (core->mode != RF_MODE_RUN && result->status == RF_RETRY) {
        if (actor->id != RF_CORE_SOURCE) {
            rf_buf_set(&rf_core_tell(core, RF_NEWS_GAVE_UP, actor->id)->message,
                       rf_str_of(result->err->message));
        }
        return;
    }
    if (code != 0) {
        rf_core_end(core, actor, code, result->err, now_ms);
        return;
    }
    actor->tries++;
    actor->retry_ms = now_ms + delay_ms;
    struct rf_news_item *item = rf_core_tell(core, RF_NEWS_RETRY, actor->id);
    item->news.delay_ms = delay_ms;
    item->news.try = actor->tries;
    rf_buf_set(&item->message, rf_str_of(result->err->message));
    rf_buf_set(&item->hint, rf_str_of(result->err->hint));
}

void rf_core_stop(struct rf_core *core, int64_t now_ms)
{
    begin_stop(core, now_ms);
    rf_core_check(core);
}

int64_t rf_core_tick(struct rf_core *core, int64_t now_ms)
{
    if (core->mode == RF_MODE_DRAIN && now_ms >= core->stop_at_ms) {
        begin_stop(core, now_ms);
        core->changed = true;
    } else if (!core->expired && now_ms >= core->stop_at_ms) {
        core->expired = core->changed = true;
        bool told = false;
        for (uint32_t i = 0; i < core->options.sink_count; i++) {
            if (core->sinks[i].actor.instance && !told) {
                rf_core_tell(core, RF_NEWS_EXPIRED, core->sinks[i].actor.id);
                told = true;
            }
            rf_core_recall(&core->sinks[i].actor);
        }
    }
    return core->expired ? INT64_MAX : core->stop_at_ms;
}

bool rf_core_expired(const struct rf_core *core)
{
    return core->expired;
}

/* -------------------------------------------------------------------------------- next and done */

void rf_core_next(struct rf_core *core, uint32_t id, int64_t now_ms, struct rf_action *action)
{
    struct rf_actor *actor = rf_core_actor(core, id);
    rf_assert(actor->doing.kind == RF_ACTION_WAIT && !actor->exited);
    rf_core_tick(core, now_ms);
    *action = (struct rf_action){.kind = RF_ACTION_WAIT, .until_ms = INT64_MAX};
    if (actor->must_close) {
        action->kind = RF_ACTION_CLOSE;
    } else if (id == RF_CORE_SOURCE) {
        rf_source_next(core, now_ms, action);
    } else {
        rf_sink_next(core, &core->sinks[id - RF_CORE_SINK], now_ms, action);
    }
    switch (action->kind) {
    case RF_ACTION_OPEN:
        rf_assert(!actor->instance);
        actor->instance = true;
        if (!actor->tried) {
            actor->tried = true;
            actor->first_try_ms = now_ms;
        }
        break;
    case RF_ACTION_WAIT:
        /* Whoever waits may be the only one who looks at the clock. */
        if (!core->expired && action->until_ms > core->stop_at_ms) {
            action->until_ms = core->stop_at_ms;
        }
        break;
    case RF_ACTION_EXIT:
        rf_assert(!actor->instance);
        actor->exited = core->changed = true;
        if (id != RF_CORE_SOURCE) {
            core->sinks[id - RF_CORE_SINK].covered = UINT64_MAX;
            rf_sink_release(core);
        }
        break;
    default: rf_assert(actor->instance);
    }
    if (action->kind != RF_ACTION_EXIT) {
        actor->doing = *action;
    }
    rf_core_check(core);
}

void rf_core_done(struct rf_core *core, uint32_t id, const struct rf_action *action,
                  const struct rf_result *result, int64_t now_ms)
{
    struct rf_actor *actor = rf_core_actor(core, id);
    rf_assert(actor->doing.kind == action->kind && action->kind != RF_ACTION_WAIT);
    rf_assert(result->status == RF_OK || result->status == RF_AGAIN || result->err != NULL);
    rf_core_tick(core, now_ms);
    actor->doing = (struct rf_action){.kind = RF_ACTION_WAIT};
    core->changed = true;
    if (action->kind == RF_ACTION_CLOSE) {
        actor->instance = actor->open = actor->must_close = false;
        actor->interrupt_wanted = actor->interrupted = false;
    } else if (action->kind == RF_ACTION_OPEN && result->status == RF_OK) {
        actor->open = actor->ever_opened = true;
        actor->refusals = 0;
    }
    if (id == RF_CORE_SOURCE) {
        rf_source_done(core, action, result, now_ms);
    } else {
        rf_sink_done(core, &core->sinks[id - RF_CORE_SINK], action, result, now_ms);
    }
    rf_core_check(core);
}

/* --------------------------------------------------------------------------------------- status */

static enum rf_phase phase_of(const struct rf_core *core, const struct rf_actor *actor)
{
    if (actor->exited || (actor->last && !actor->instance)) {
        return RF_PHASE_DONE;
    }
    if (actor->open) {
        return actor->id == RF_CORE_SOURCE && core->feed.blocked_since_ms >= 0 ? RF_PHASE_FULL
                                                                               : RF_PHASE_STREAMING;
    }
    if (actor->tries > 0) {
        return RF_PHASE_RETRYING;
    }
    return actor->instance ? RF_PHASE_CONNECTING : RF_PHASE_CLOSED;
}

void rf_core_status(const struct rf_core *core, uint32_t id, struct rf_core_status *out)
{
    rf_assert(id <= core->options.sink_count);
    const struct rf_actor *actor =
        id == RF_CORE_SOURCE ? &core->feed.actor : &core->sinks[id - RF_CORE_SINK].actor;
    *out = (struct rf_core_status){
        .phase = phase_of(core, actor),
        .try = actor->tries,
        .retry_ms = actor->retry_ms,
        .message = actor->message.size > 0 ? actor->message.data : "",
    };
    if (id == RF_CORE_SOURCE) {
        const struct rf_feed *feed = &core->feed;
        out->events = feed->events;
        out->transactions = feed->transactions;
        out->skipped = feed->skipped;
        out->waived = feed->waived;
        out->current_ms = feed->current_ms;
        out->held_bytes = core->pool.bytes;
        out->commit_us = feed->commit_us;
        out->position = rf_buf_str(&feed->position);
        out->idle = feed->idle;
    } else {
        const struct rf_sink *sink = &core->sinks[id - RF_CORE_SINK];
        out->events = sink->events;
        out->transactions = sink->transactions;
        out->waived = sink->waived;
        out->buried = sink->buried;
        out->current_ms = core->feed.current_ms;
        out->commit_us = sink->accepted.commit_us;
        out->recorded_commit_us = sink->recorded.commit_us;
        out->position = rf_buf_str(&sink->accepted.position);
        out->recorded = rf_buf_str(&sink->recorded.position);
        out->idle = sink->actor.open && !sink->detached && sink->cursor == core->pool.next &&
                    !rf_sink_dirty(sink) && !sink->record_pending;
    }
}
