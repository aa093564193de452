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

static void create_feeds(struct rf_core *core)
{
    const struct rf_core_options *o = &core->options;
    /* Batches of a quiet source are small; a few slots more than full ones would need are
     * enough, as sinks flush at once when the reader runs out of them. */
    uint32_t slots = (uint32_t)(o->pool_bytes / o->batch_bytes) + 16;
    core->feed_count = 1 + o->sink_count;
    core->feeds = rf_alloc_zero(core->feed_count, sizeof *core->feeds);
    for (uint32_t i = 0; i < core->feed_count; i++) {
        struct rf_feed *feed = &core->feeds[i];
        feed->number = i;
        feed->actor.id = i == 0 ? RF_CORE_SOURCE : RF_CORE_SINK + o->sink_count + i - 1;
        /* The upstream is known to work by the time that a sink gets a feed of its own. */
        feed->actor.ever_opened = i > 0;
        rf_pool_init(&feed->pool, slots, o->pool_bytes, o->batch_bytes);
        feed->blocked_since_ms = -1;
        feed->first = feed->pool.next;
        feed->cut_at = UINT64_MAX;
    }
}

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

    rf_buf_set(&core->until, o->until);
    o->until = rf_buf_str(&core->until);
    core->random = o->seed * 2 + 1;
    core->stop_at_ms = core->look_at_ms = INT64_MAX;
    create_feeds(core);
    core->sinks = rf_alloc_zero(o->sink_count, sizeof *core->sinks);
    for (uint32_t i = 0; i < o->sink_count; i++) {
        struct rf_sink *sink = &core->sinks[i];
        sink->actor.id = RF_CORE_SINK + i;
        sink->feed = rf_feed_shared(core);
        sink->own = &core->feeds[1 + i];
        sink->cursor = sink->covered = sink->feed->pool.next;
        sink->detached = true;
        sink->join_delay_ms = RF_JOIN_MS;
    }
    rf_feed_balance(core);
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

static void deinit_sink(struct rf_sink *sink)
{
    struct rf_buf *bufs[] = {&sink->accepted.position, &sink->durable.position,
                             &sink->recorded.position, &sink->note,
                             &sink->recorded_note,     &sink->rejected,
                             &sink->rejected_hint,     &sink->join_position,
                             &sink->actor.message};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) {
        rf_buf_deinit(bufs[i]);
    }
}

static void deinit_feed(struct rf_feed *feed)
{
    struct rf_buf *bufs[] = {&feed->inside_id, &feed->position, &feed->opening,
                             &feed->acking,    &feed->acked,    &feed->actor.message};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) {
        rf_buf_deinit(bufs[i]);
    }
    rf_pool_deinit(&feed->pool);
}

void rf_core_destroy(struct rf_core *core)
{
    if (core == NULL) {
        return;
    }
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        deinit_sink(&core->sinks[i]);
    }
    for (uint32_t i = 0; i < core->feed_count; i++) {
        deinit_feed(&core->feeds[i]);
    }
    rf_news_deinit(core);
    rf_buf_deinit(&core->until);
    free(core->feeds);
    free(core->sinks);
    free(core);
}

struct rf_feed *rf_core_feed(const struct rf_core *core, uint32_t id)
{
    uint32_t sinks = core->options.sink_count;
    rf_assert(id <= 2 * sinks);
    if (id == RF_CORE_SOURCE) {
        return &core->feeds[0];
    }
    return id > sinks ? &core->feeds[id - sinks] : NULL;
}

struct rf_actor *rf_core_actor(struct rf_core *core, uint32_t id)
{
    struct rf_feed *feed = rf_core_feed(core, id);
    return feed != NULL ? &feed->actor : &core->sinks[id - RF_CORE_SINK].actor;
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
    for (uint32_t i = 0; i < core->feed_count; i++) {
        if (!core->feeds[i].actor.exited) {
            return false;
        }
    }
    return rf_core_all_sinks_gone(core);
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
    for (uint32_t id = 0; id <= 2 * core->options.sink_count; id++) {
        struct rf_actor *candidate = rf_core_actor(core, id);
        if (candidate->interrupt_wanted) {
            candidate->interrupt_wanted = false;
            *actor = id;
            return true;
        }
    }
    return false;
}

static void recall_sources(struct rf_core *core)
{
    for (uint32_t i = 0; i < core->feed_count; i++) {
        rf_core_recall(&core->feeds[i].actor);
    }
}

static void begin_stop(struct rf_core *core, int64_t now_ms)
{
    if (core->mode == RF_MODE_STOP) {
        return;
    }
    core->mode = RF_MODE_STOP;
    core->changed = true;
    core->stop_at_ms = now_ms + core->options.stop_timeout_ms;
    recall_sources(core);
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
    bool source = rf_core_feed(core, actor->id) != NULL;
    if (source && core->mode == RF_MODE_RUN) {
        core->mode = RF_MODE_DRAIN;
        core->stop_at_ms = now_ms + RF_DRAIN_MS;
        core->changed = true;
        recall_sources(core);
    } else if (!source) {
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
        if (rf_core_feed(core, actor->id) == NULL) {
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

void rf_core_flush_soon(struct rf_core *core)
{
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        struct rf_sink *sink = &core->sinks[i];
        sink->flush_asked = sink->actor.open;
    }
    core->changed = true;
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

/* What the action is the beginning of. */
static void begun(struct rf_core *core, struct rf_actor *actor, struct rf_sink *sink,
                  const struct rf_action *action, int64_t now_ms)
{
    switch (action->kind) {
    case RF_ACTION_OPEN:
        rf_assert(!actor->instance);
        actor->instance = true;
        if (!actor->tried) {
            actor->tried = true;
            actor->first_try_ms = now_ms;
        }
        if (sink == NULL) {
            rf_feed_balance(core);
        }
        break;
    case RF_ACTION_WAIT: break;
    case RF_ACTION_EXIT:
        rf_assert(!actor->instance);
        actor->exited = core->changed = true;
        if (sink != NULL) {
            rf_join_cancel(core, sink, now_ms);
            rf_feed_release(core, sink->feed);
        }
        break;
    default:
        rf_assert(actor->instance);
        if (sink != NULL) {
            sink->progress_ms = now_ms;
        }
    }
}

void rf_core_next(struct rf_core *core, uint32_t id, int64_t now_ms, struct rf_action *action)
{
    struct rf_actor *actor = rf_core_actor(core, id);
    struct rf_feed *feed = rf_core_feed(core, id);
    struct rf_sink *sink = feed == NULL ? &core->sinks[id - RF_CORE_SINK] : NULL;
    rf_assert(actor->doing.kind == RF_ACTION_WAIT && !actor->exited);
    rf_core_tick(core, now_ms);
    *action = (struct rf_action){.kind = RF_ACTION_WAIT, .until_ms = INT64_MAX};
    if (actor->must_close) {
        action->kind = RF_ACTION_CLOSE;
    } else if (feed != NULL) {
        rf_source_next(core, feed, now_ms, action);
    } else {
        rf_sink_next(core, sink, now_ms, action);
    }
    begun(core, actor, sink, action, now_ms);
    if (action->kind != RF_ACTION_EXIT) {
        actor->doing = *action;
    }
    rf_feed_look(core, now_ms);
    if (action->kind == RF_ACTION_WAIT) {
        /* Whoever waits may be the only one who looks at the clock. */
        int64_t look_at_ms = core->expired ? INT64_MAX : core->stop_at_ms;
        look_at_ms = core->look_at_ms < look_at_ms ? core->look_at_ms : look_at_ms;
        action->until_ms = look_at_ms < action->until_ms ? look_at_ms : action->until_ms;
    }
    rf_core_check(core);
}

void rf_core_done(struct rf_core *core, uint32_t id, const struct rf_action *action,
                  const struct rf_result *result, int64_t now_ms)
{
    struct rf_actor *actor = rf_core_actor(core, id);
    struct rf_feed *feed = rf_core_feed(core, id);
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
    if (feed != NULL) {
        rf_source_done(core, feed, action, result, now_ms);
    } else {
        rf_sink_done(core, &core->sinks[id - RF_CORE_SINK], action, result, now_ms);
    }
    rf_feed_look(core, now_ms);
    rf_core_check(core);
}
