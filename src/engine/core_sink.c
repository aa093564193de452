/* A sink's part of the core: where it goes on, what it is given, when it flushes. */
#include "engine/core_state.h"

/* ------------------------------------------------------------------------------- where to go on */

const struct rf_buf *rf_sink_standing(const struct rf_sink *sink)
{
    return sink->durable.position.size > 0 ? &sink->durable.position : &sink->accepted.position;
}

/* True when everything that lies behind the position is held, or still to be read. */
static bool held_serves(const struct rf_core *core, const struct rf_feed *feed,
                        const struct rf_buf *position)
{
    struct rf_str start = rf_buf_str(&feed->position), id = RF_STR_NONE;
    uint64_t first = rf_source_first(feed);
    if (first < feed->pool.next) {
        const struct rf_slot *slot = rf_pool_at(&feed->pool, first);
        start = rf_buf_str(&slot->start);
        if (slot->transactions > 0 && !slot->batch.transactions[0].begins) {
            id = slot->batch.transactions[0].id;
        }
    } else if (feed->inside) {
        id = rf_buf_str(&feed->inside_id);
    }
    return rf_core_contains(core, position, start) &&
           (id.size == 0 || rf_core_contains(core, position, id));
}

/* Goes on from the held batches at the sink's accepted position; or parts from those that it
 * shares them with; or asks for its source to go back. */
static void attach(struct rf_core *core, struct rf_sink *sink, int64_t now_ms)
{
    struct rf_feed *feed = sink->feed;
    sink->inside = false;
    if (feed->located && held_serves(core, feed, &sink->accepted.position)) {
        sink->cursor = rf_source_first(feed);
        sink->skipping = true;
        sink->detached = false;
    } else if (feed->located && core->mode == RF_MODE_RUN && rf_feed_has_others(core, sink)) {
        rf_feed_part(core, sink, RF_OWN_RETURNED, now_ms);
    } else {
        sink->cursor = feed->pool.next;
        sink->detached = true;
        if (sink->accepted.position.size > 0 && core->mode == RF_MODE_RUN) {
            rf_locate_again(core, feed, sink, now_ms);
        }
    }
    if (!sink->uncovered) {
        sink->covered = sink->cursor;
    }
}

/* Closed now, opened again at once, at what is recorded. */
static void reopen(struct rf_core *core, struct rf_sink *sink)
{
    sink->actor.must_close = true;
    rf_buf_set(&rf_core_tell(core, RF_NEWS_REOPEN, sink->actor.id)->position,
               rf_buf_str(&sink->durable.position));
}

void rf_sink_restart(struct rf_core *core, struct rf_sink *sink, int64_t now_ms)
{
    bool usable = sink->actor.open && !sink->actor.must_close;
    if (usable && !sink->inside) {
        attach(core, sink, now_ms);
        return;
    }
    sink->cursor = sink->feed->pool.next;
    if (!sink->uncovered) {
        sink->covered = sink->cursor;
    }
    if (usable) {
        reopen(core, sink);
    }
}

void rf_sink_uninside(struct rf_core *core, struct rf_sink *sink)
{
    if (sink->inside && sink->given >= sink->feed->inside_first && sink->actor.open &&
        !sink->actor.must_close) {
        reopen(core, sink);
    }
}

/* ----------------------------------------------------------------------------- what it is given */

/* How many of the slot's first transactions the sink has already. */
static uint32_t skip(const struct rf_core *core, struct rf_sink *sink, const struct rf_slot *slot)
{
    uint32_t had = 0;
    const struct rf_buf *position = &sink->accepted.position;
    while (had < slot->transactions &&
           rf_core_contains(core, position, slot->batch.transactions[had].id)) {
        had++;
    }
    if (had < slot->transactions || (slot->batch.position.size > 0 &&
                                     !rf_core_contains(core, position, slot->batch.position))) {
        sink->skipping = false;
    }
    return had;
}

/* Everything in the slot is accepted now, up to its position. */
static void accept(struct rf_core *core, struct rf_sink *sink, const struct rf_slot *slot)
{
    if (slot->batch.position.size > 0) {
        rf_buf_set(&sink->accepted.position, slot->batch.position);
        sink->accepted.mark = ++core->mark;
        sink->accepted.events = sink->events;
        sink->accepted.transactions = sink->transactions;
        sink->accepted.waived = sink->waived;
        sink->buried_in_row = 0;
        sink->accepted.commit_us =
            slot->batch.commit_us ? slot->batch.commit_us : sink->accepted.commit_us;
    }
}

/* Finds the next events for the sink and passes by what has none. False: nothing is left to
 * give. */
static bool next_view(struct rf_core *core, struct rf_sink *sink, int64_t now_ms,
                      struct rf_view *view)
{
    struct rf_feed *feed = sink->feed;
    while (!sink->detached && sink->cursor < feed->pool.next) {
        const struct rf_slot *slot = rf_pool_at(&feed->pool, sink->cursor);
        const struct rf_batch *batch = &slot->batch;
        uint32_t had = sink->skipping ? skip(core, sink, slot) : 0;
        uint32_t first = had < slot->transactions ? batch->transactions[had].first : slot->events;
        sink->cursor++;
        /* One that was given the beginning of a transaction is given its end, even when no event
         * is left for it. */
        bool end_alone = first == slot->events && sink->inside && had < slot->transactions;
        if (first < slot->events || end_alone) {
            *view = (struct rf_view){
                .batch = batch,
                .events = batch->events + (batch->events ? first : 0),
                .count = slot->events - first,
                .transactions = batch->transactions + had,
                .transaction_count = slot->transactions - had,
            };
            sink->given = slot->number;
            sink->inside = !batch->transactions[slot->transactions - 1].ends;
            return true;
        }
        if (!sink->skipping) {
            bool settled = !rf_sink_dirty(sink);
            sink->transactions += slot->transactions - had;
            sink->waived += slot->waived;
            accept(core, sink, slot);
            sink->moved_since_ms = settled ? now_ms : sink->moved_since_ms;
        }
        if (!sink->uncovered) {
            sink->covered = sink->cursor;
            rf_feed_release(core, feed);
        }
    }
    return false;
}

static void written(struct rf_core *core, struct rf_sink *sink, const struct rf_view *view)
{
    const struct rf_slot *slot = rf_pool_at(&sink->feed->pool, sink->given);
    const struct rf_transaction *last = &view->transactions[view->transaction_count - 1];
    sink->uncovered_bytes += slot->bytes;
    sink->events += view->count;
    sink->transactions += view->transaction_count - !last->ends;
    sink->waived += slot->waived;
    accept(core, sink, slot);
}

/* ------------------------------------------------------------------------------------- outcomes */

static void sink_opened(struct rf_core *core, struct rf_sink *sink, struct rf_str resume,
                        bool adopt, int64_t now_ms)
{
    bool recorded = sink->recorded.position.size > 0;
    sink->known = true;
    sink->record_pending = sink->confirm = false;
    sink->set_back = sink->ordered && recorded;
    rf_buf_reset(&sink->note);
    if (sink->ordered) {
        resume = RF_STR_NONE; /* the order decides */
    }
    if (resume.size == 0) {
        if (recorded) {
            rf_place_set(&sink->durable, &sink->recorded);
            rf_place_set(&sink->accepted, &sink->recorded);
            rf_buf_set(&sink->note, rf_buf_str(&sink->recorded_note));
            sink->confirm = adopt || sink->ordered;
        } else {
            rf_buf_reset(&sink->durable.position);
        }
    } else {
        bool same = recorded && rf_str_equal(resume, rf_buf_str(&sink->recorded.position));
        bool behind =
            recorded && !core->options.contains(resume, rf_buf_str(&sink->recorded.position));
        rf_place_set(&sink->durable, &sink->recorded);
        rf_buf_set(&sink->durable.position, resume);
        if (same) {
            rf_buf_set(&sink->note, rf_buf_str(&sink->recorded_note));
        } else {
            /* A flush, and then a record of it, before anything else: it must not go on from a
             * record that the destination does not have, nor record what the destination may yet
             * lose. */
            sink->confirm = true;
            sink->durable.commit_us = 0;
        }
        if (behind) {
            sink->durable.mark = sink->recorded.mark = 0;
            sink->recorded.commit_us = 0;
            sink->set_back = true;
            sink->losses++;
        }
        if (recorded && !rf_core_same(core, resume, rf_buf_str(&sink->recorded.position))) {
            struct rf_news_item *item = rf_core_tell(core, RF_NEWS_MOVED, sink->actor.id);
            item->news.behind = behind;
            rf_buf_set(&item->position, resume);
        }
        rf_place_set(&sink->accepted, &sink->durable);
    }
    sink->events = sink->accepted.events;
    sink->transactions = sink->accepted.transactions;
    sink->waived = sink->accepted.waived;
    if (sink->accepted.position.size > 0) {
        rf_core_tell_opened(core, &sink->actor, rf_buf_str(&sink->accepted.position));
    }
    attach(core, sink, now_ms);
    rf_feed_release(core, sink->feed);
}

static void sink_closed(struct rf_core *core, struct rf_sink *sink, int64_t now_ms)
{
    sink->uncovered = sink->inside = sink->record_pending = sink->confirm = sink->burying = false;
    sink->flush_asked = false;
    sink->uncovered_bytes = 0;
    sink->record_retry_ms = 0;
    rf_join_cancel(core, sink, now_ms);
    rf_feed_forget_away(core, sink);
    /* What it was given since its last flush stays held, to be given again, */
    rf_feed_release(core, sink->feed);
    /* unless that is more than its feed may hold. */
    rf_feed_balance(core);
}

static void sink_flushed(struct rf_core *core, struct rf_sink *sink, struct rf_str note)
{
    sink->uncovered = sink->confirm = false;
    sink->uncovered_bytes = 0;
    sink->covered = sink->cursor;
    rf_place_set(&sink->durable, &sink->accepted);
    rf_buf_set(&sink->note, note);
    sink->record_pending =
        sink->ordered ||
        !rf_str_equal(rf_buf_str(&sink->durable.position), rf_buf_str(&sink->recorded.position)) ||
        !rf_str_equal(note, rf_buf_str(&sink->recorded_note));
    rf_feed_release(core, sink->feed);
    sink->actor.tries = 0;
    rf_buf_reset(&sink->actor.message);
}

/* The same again after a while; the sink stays open. */
static void delay(struct rf_core *core, struct rf_sink *sink, enum rf_news_kind kind,
                  const struct rf_error *err, int64_t now_ms)
{
    int64_t delay_ms = rf_core_backoff(core, sink->record_tries++);
    sink->record_retry_ms = now_ms + delay_ms;
    struct rf_news_item *item = rf_core_tell(core, kind, sink->actor.id);
    item->news.delay_ms = delay_ms;
    item->news.try = sink->record_tries;
    rf_buf_set(&item->message, rf_str_of(err->message));
    rf_buf_set(&item->hint, rf_str_of(err->hint));
}

static void sink_recorded(struct rf_core *core, struct rf_sink *sink,
                          const struct rf_result *result, int64_t now_ms)
{
    if (result->status == RF_OK) {
        rf_place_set(&sink->recorded, &sink->durable);
        rf_buf_set(&sink->recorded_note, rf_buf_str(&sink->note));
        sink->record_pending = sink->ordered = false;
        sink->record_tries = 0;
        for (uint32_t i = 0; i < core->feed_count; i++) {
            core->feeds[i].ack_due = true;
        }
        return;
    }
    if (result->status != RF_RETRY || core->mode == RF_MODE_STOP) {
        rf_core_failed(core, &sink->actor, result, now_ms);
        return;
    }
    delay(core, sink, RF_NEWS_RECORD, result->err, now_ms);
}

/* Into the dead letters: then it is opened again, and given everything but that event. */
static void sink_buried(struct rf_core *core, struct rf_sink *sink, const struct rf_result *result,
                        int64_t now_ms)
{
    if (result->status == RF_RETRY && core->mode == RF_MODE_RUN && !sink->actor.must_close) {
        delay(core, sink, RF_NEWS_RETRY, result->err, now_ms);
        return;
    }
    sink->burying = false;
    sink->record_tries = 0;
    if (result->status != RF_OK) {
        rf_core_failed(core, &sink->actor, result, now_ms);
        return;
    }
    sink->buried++;
    struct rf_news_item *item = rf_core_tell(core, RF_NEWS_BURIED, sink->actor.id);
    rf_buf_set(&item->message, rf_buf_str(&sink->rejected));
    rf_buf_set(&item->hint, rf_buf_str(&sink->rejected_hint));
    sink->actor.must_close = true;
    if (++sink->buried_in_row >= RF_BURIED_MAX) {
        sink->actor.retry_ms = now_ms + RF_BURIED_MS;
    }
}

/* The call refused an event. False: that is a failure like any other. */
static bool rejected(const struct rf_core *core, struct rf_sink *sink,
                     const struct rf_action *action, const struct rf_result *result)
{
    if (result->status != RF_REJECT || !sink->buries ||
        (action->kind != RF_ACTION_WRITE && action->kind != RF_ACTION_FLUSH)) {
        return false;
    }
    if (core->mode != RF_MODE_RUN || sink->actor.must_close) {
        sink->actor.must_close = true; /* and refused again the next time */
        return true;
    }
    sink->burying = true;
    sink->record_retry_ms = 0;
    rf_buf_set(&sink->rejected, rf_str_of(result->err->message));
    rf_buf_set(&sink->rejected_hint, rf_str_of(result->err->hint));
    return true;
}

void rf_sink_done(struct rf_core *core, struct rf_sink *sink, const struct rf_action *action,
                  const struct rf_result *result, int64_t now_ms)
{
    if (action->kind == RF_ACTION_RECORD) {
        sink_recorded(core, sink, result, now_ms);
        return;
    }
    if (action->kind == RF_ACTION_BURY) {
        sink_buried(core, sink, result, now_ms);
        return;
    }
    if (rejected(core, sink, action, result)) {
        return;
    }
    if (result->status != RF_OK) {
        rf_core_failed(core, &sink->actor, result, now_ms);
        return;
    }
    sink->progress_ms = now_ms;
    if (sink->away && action->kind != RF_ACTION_CLOSE) {
        return; /* it was sent away meanwhile, and will be given that again */
    }
    switch (action->kind) {
    case RF_ACTION_OPEN: sink_opened(core, sink, result->position, action->adopt, now_ms); break;
    case RF_ACTION_WRITE: written(core, sink, &action->view); break;
    case RF_ACTION_FLUSH: sink_flushed(core, sink, result->note); break;
    case RF_ACTION_CLOSE: sink_closed(core, sink, now_ms); break;
    default: rf_assert(false); /* a sink does no such thing */
    }
}

/* ------------------------------------------------------------------------------------ what next */

bool rf_sink_dirty(const struct rf_sink *sink)
{
    return sink->uncovered || sink->confirm ||
           !rf_str_equal(rf_buf_str(&sink->accepted.position), rf_buf_str(&sink->durable.position));
}

/* When its next flush is due by the clock, whatever comes. */
static int64_t flush_at(const struct rf_core *core, const struct rf_sink *sink)
{
    if (sink->uncovered) {
        return sink->uncovered_since_ms + core->options.flush_ms;
    }
    if (!rf_sink_dirty(sink)) {
        return INT64_MAX;
    }
    /* A first position, and one that the destination lacks, before the first read. */
    return sink->confirm || sink->recorded.position.size == 0 ? 0
                                                              : sink->moved_since_ms + RF_MOVE_MS;
}

/* When it will have been idle for so long that its destination is looked at, by a flush of what it
 * has: one that died, or went back, would be noticed with the next event only, which may come
 * tomorrow. */
static int64_t look_at(const struct rf_core *core, const struct rf_sink *sink)
{
    return core->mode == RF_MODE_RUN && sink->accepted.position.size > 0 && !sink->feed->ended
               ? sink->progress_ms + RF_LOOK_MS
               : INT64_MAX;
}

static bool flush_due(const struct rf_core *core, const struct rf_sink *sink, int64_t now_ms)
{
    return now_ms >= flush_at(core, sink) ||
           (sink->flush_asked && sink->accepted.position.size > 0) ||
           (sink->uncovered && sink->uncovered_bytes >= sink->feed->pool.bytes_max / 4 * 3);
}

/* Nothing more will come for it. */
static bool drained(const struct rf_core *core, const struct rf_sink *sink)
{
    if (core->mode == RF_MODE_STOP) {
        return true;
    }
    bool taken = sink->cursor == sink->feed->pool.next;
    if (core->mode == RF_MODE_DRAIN) {
        return sink->detached || taken;
    }
    return sink->feed->ended && !sink->detached && taken;
}

static void give_flush(struct rf_sink *sink, struct rf_action *action)
{
    sink->flush_asked = false;
    action->kind = RF_ACTION_FLUSH;
    action->position = rf_buf_str(&sink->accepted.position);
}

static void next_open(struct rf_core *core, struct rf_sink *sink, int64_t now_ms,
                      struct rf_action *action)
{
    if (sink->burying) {
        action->until_ms = sink->record_retry_ms;
        if (core->mode != RF_MODE_RUN || now_ms >= sink->record_retry_ms) {
            action->kind = core->mode == RF_MODE_RUN ? RF_ACTION_BURY : RF_ACTION_CLOSE;
        }
        return;
    }
    if (sink->record_pending) {
        action->until_ms = sink->record_retry_ms;
        if (now_ms >= sink->record_retry_ms || core->mode == RF_MODE_STOP) {
            action->kind = RF_ACTION_RECORD;
            action->position = rf_buf_str(&sink->durable.position);
            action->note = rf_buf_str(&sink->note);
            action->events = sink->durable.events;
            action->transactions = sink->durable.transactions;
            action->waived = sink->durable.waived;
            action->buried = sink->buried;
            action->commit_us = sink->durable.commit_us;
        }
        return;
    }
    if (rf_join_step(core, sink, now_ms) || flush_due(core, sink, now_ms)) {
        give_flush(sink, action);
        return;
    }
    if (core->mode != RF_MODE_STOP && next_view(core, sink, now_ms, &action->view)) {
        action->kind = RF_ACTION_WRITE;
        if (!sink->uncovered) {
            sink->uncovered = true;
            sink->uncovered_since_ms = now_ms;
        }
        return;
    }
    bool finished = drained(core, sink);
    if (!finished && now_ms >= look_at(core, sink)) {
        give_flush(sink, action);
    } else if (rf_sink_dirty(sink) && sink->accepted.position.size > 0 &&
               (finished || (sink->uncovered && !rf_feed_has_room(core, sink->feed)))) {
        give_flush(sink, action);
    } else if (finished) {
        sink->actor.last = true;
        action->kind = RF_ACTION_CLOSE;
    } else {
        int64_t look_ms = look_at(core, sink);
        int64_t join_ms = rf_feed_is_own(sink) ? now_ms + RF_JOIN_MS : INT64_MAX;
        action->until_ms = flush_at(core, sink);
        action->until_ms = join_ms < action->until_ms ? join_ms : action->until_ms;
        action->until_ms = look_ms < action->until_ms ? look_ms : action->until_ms;
    }
}

void rf_sink_next(struct rf_core *core, struct rf_sink *sink, int64_t now_ms,
                  struct rf_action *action)
{
    struct rf_actor *actor = &sink->actor;
    if (actor->instance) {
        next_open(core, sink, now_ms, action);
    } else if (actor->last || core->mode != RF_MODE_RUN) {
        action->kind = RF_ACTION_EXIT;
    } else if (now_ms < actor->retry_ms) {
        action->until_ms = actor->retry_ms;
    } else {
        action->kind = RF_ACTION_OPEN;
        action->position = rf_buf_str(&sink->recorded.position);
        action->note = rf_buf_str(&sink->recorded_note);
        action->first_start = sink->recorded.position.size == 0;
        action->ordered = sink->ordered;
        action->adopt = core->options.adopt && !actor->ever_opened;
    }
}
