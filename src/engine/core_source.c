/* The source's part of the core: where it is opened, when it is read, what becomes of what it
 * read. */
#include "engine/core_state.h"

#include <stdio.h>

/* ------------------------------------------------------------------------------- where to begin */

/* What a sink has for certain; before its first record the position that a first start gave it. */
static const struct rf_buf *standing(const struct rf_sink *sink)
{
    return sink->durable.position.size > 0 ? &sink->durable.position : &sink->accepted.position;
}

/* The sink whose position lies inside those of all others; NULL: no sink has one. Two of which
 * neither contains the other are an error: *other is then the second one. */
static struct rf_sink *oldest(struct rf_core *core, struct rf_sink **other)
{
    struct rf_sink *found = NULL;
    *other = NULL;
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        struct rf_sink *sink = &core->sinks[i];
        if (sink->actor.exited || sink->actor.last || standing(sink)->size == 0) {
            continue;
        }
        if (found == NULL || rf_core_contains(core, standing(found), rf_buf_str(standing(sink)))) {
            found = sink;
        } else if (!rf_core_contains(core, standing(sink), rf_buf_str(standing(found)))) {
            *other = sink;
            return found;
        }
    }
    return found;
}

static void refuse_positions(struct rf_core *core, const struct rf_sink *one,
                             const struct rf_sink *other, int64_t now_ms)
{
    struct rf_error err = {0};
    rf_fail(&err, RF_FATAL,
            "sinks %u and %u stand at positions of which neither contains the other: \"%.*s\" and "
            "\"%.*s\"",
            one->actor.id, other->actor.id, RF_STR_ARG(rf_buf_str(standing(one))),
            RF_STR_ARG(rf_buf_str(standing(other))));
    rf_error_hint(&err, "they cannot share one source any more: give one of them a pipeline of its "
                        "own (--name), or reset "
                        "its position");
    rf_core_end(core, &core->feed.actor, 3, &err, now_ms);
}

/* Decides where the source is to be opened. False: the sinks' positions do not go together. */
static bool locate(struct rf_core *core, int64_t now_ms)
{
    struct rf_sink *other, *sink = oldest(core, &other);
    rf_buf_reset(&core->feed.opening);
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        struct rf_sink *each = &core->sinks[i];
        if (!each->actor.exited && !each->actor.last && standing(each)->size == 0) {
            return true; /* the source says what `from` means */
        }
    }
    if (other != NULL) {
        refuse_positions(core, sink, other, now_ms);
        return false;
    }
    rf_buf_set(&core->feed.opening, rf_buf_str(standing(sink)));
    return true;
}

static void feed_begins(struct rf_core *core)
{
    struct rf_feed *feed = &core->feed;
    feed->located = true;
    feed->ended = feed->inside = feed->idle = false;
    feed->first = core->pool.next;
    feed->current_ms = 0;
    feed->waived_before = 0;
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        rf_sink_rejoin(core, &core->sinks[i]);
    }
    rf_sink_release(core);
}

/* The source told where `from` is: sinks without a position begin there. */
static void give_first_position(struct rf_core *core, struct rf_str position)
{
    core->mark++;
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        struct rf_sink *sink = &core->sinks[i];
        if (!sink->actor.exited && standing(sink)->size == 0) {
            rf_buf_set(&sink->accepted.position, position);
            sink->accepted.mark = core->mark;
            rf_buf_set(&rf_core_tell(core, RF_NEWS_FIRST, sink->actor.id)->position, position);
        }
    }
}

static void opened(struct rf_core *core, const struct rf_result *result, int64_t now_ms)
{
    struct rf_feed *feed = &core->feed;
    struct rf_str position = result->position;
    rf_assert(position.size > 0);
    feed->parked = false;
    feed->blocked_since_ms = -1;
    if (feed->opening.size == 0) {
        give_first_position(core, position);
        struct rf_sink *other, *sink = oldest(core, &other);
        if (other != NULL || sink == NULL) {
            feed->actor.must_close = true;
            if (other != NULL) {
                refuse_positions(core, sink, other, now_ms);
            }
            return;
        }
        if (!rf_core_same(core, rf_buf_str(standing(sink)), position)) {
            feed->actor.must_close = true; /* and opened again at the oldest position */
            return;
        }
    } else if (!rf_core_same(core, rf_buf_str(&feed->opening), position)) {
        struct rf_error err = {0};
        rf_fail(&err, RF_FATAL, "the source was asked to go on at \"%.*s\" but stands at \"%.*s\"",
                RF_STR_ARG(rf_buf_str(&feed->opening)), RF_STR_ARG(position));
        feed->actor.must_close = true;
        rf_core_end(core, &feed->actor, 3, &err, now_ms);
        return;
    }
    rf_buf_set(&feed->position, position);
    rf_buf_set(&rf_core_tell(core, RF_NEWS_OPENED, RF_CORE_SOURCE)->position, position);
    if (!feed->located) {
        feed_begins(core);
    }
}

void rf_source_rewind(struct rf_core *core, const struct rf_sink *sink)
{
    struct rf_feed *feed = &core->feed;
    if (!feed->located) {
        return; /* it is on its way already, and looks at every sink */
    }
    feed->located = feed->ended = feed->parked = false;
    rf_buf_set(&rf_core_tell(core, RF_NEWS_REWIND, sink->actor.id)->position,
               rf_buf_str(&sink->accepted.position));
    rf_core_recall(&feed->actor);
}

uint64_t rf_source_first(const struct rf_core *core)
{
    return core->pool.head > core->feed.first ? core->pool.head : core->feed.first;
}

/* --------------------------------------------------------------------------------- what it read */

/* A transaction that the source began to hand over will come again from its beginning: what is
 * held of it does not count. */
static void drop_unfinished(struct rf_core *core)
{
    struct rf_feed *feed = &core->feed;
    bool begins = !feed->inside;
    for (uint64_t n = core->pool.next; !begins && n > rf_source_first(core); n--) {
        struct rf_slot *slot = rf_pool_at(&core->pool, n - 1);
        rf_assert(slot->transactions > 0);
        const struct rf_transaction *piece = &slot->batch.transactions[slot->transactions - 1];
        rf_assert(!piece->ends);
        slot->transactions--;
        slot->events = piece->first;
        feed->events -= piece->count;
        begins = piece->begins;
    }
    if (feed->inside && core->mode == RF_MODE_RUN) {
        for (uint32_t i = 0; i < core->options.sink_count; i++) {
            rf_sink_uninside(core, &core->sinks[i]);
        }
    }
    feed->inside = false;
}

/* What the contract promises of a batch. */
static void check_batch(const struct rf_core *core, const struct rf_batch *batch)
{
    bool some_end = false;
    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        const struct rf_transaction *transaction = &batch->transactions[i];
        rf_assert(transaction->begins != (i == 0 && core->feed.inside));
        rf_assert(transaction->ends || i + 1 == batch->transaction_count);
        rf_assert(transaction->id.size > 0);
        some_end |= transaction->ends;
    }
    rf_assert(!some_end || batch->position.size > 0);
    rf_assert(batch->count == 0 || batch->transaction_count > 0);
}

static void hold(struct rf_core *core, struct rf_slot *slot)
{
    struct rf_feed *feed = &core->feed;
    const struct rf_batch *batch = &slot->batch;
    check_batch(core, batch);
    rf_buf_set(&slot->start, rf_buf_str(&feed->position));
    rf_pool_hold(&core->pool, slot);
    slot->waived = feed->waived_before;
    feed->waived_before = 0;
    slot->mark = 0;
    if (batch->position.size > 0) {
        rf_buf_set(&feed->position, batch->position);
        feed->commit_us = batch->commit_us ? batch->commit_us : feed->commit_us;
        slot->mark = ++core->mark;
    }
    feed->events += batch->count;
    if (batch->transaction_count > 0) {
        const struct rf_transaction *last = &batch->transactions[batch->transaction_count - 1];
        if (!last->ends && last->begins) {
            feed->inside_first = slot->number;
            rf_buf_set(&feed->inside_id, last->id);
        }
        feed->inside = !last->ends;
        feed->transactions += batch->transaction_count - !last->ends;
    }
}

static void read_ok(struct rf_core *core, struct rf_slot *slot, int64_t now_ms)
{
    struct rf_feed *feed = &core->feed;
    const struct rf_batch *batch = &slot->batch;
    bool end = batch->end, something = batch->transaction_count > 0 || batch->position.size > 0;
    feed->skipped += batch->skipped;
    feed->waived += batch->waived;
    feed->waived_before += batch->waived;
    feed->idle = end || !something;
    feed->current_ms = batch->current ? now_ms : feed->current_ms;
    if (something) {
        hold(core, slot);
    } else {
        rf_pool_give_back(&core->pool, slot);
    }
    if (end && feed->inside) {
        struct rf_error err = {0};
        rf_fail(&err, RF_FATAL, "the source ended inside the transaction %.*s",
                RF_STR_ARG(rf_buf_str(&feed->inside_id)));
        feed->actor.must_close = true;
        rf_core_end(core, &feed->actor, 3, &err, now_ms);
        drop_unfinished(core);
    } else if (end) {
        feed->ended = true;
        rf_core_tell(core, RF_NEWS_ENDED, RF_CORE_SOURCE);
    }
}

static void source_worked(struct rf_actor *actor)
{
    actor->tries = 0;
    rf_buf_reset(&actor->message);
}

static void source_failed(struct rf_core *core, const struct rf_result *result, int64_t now_ms)
{
    struct rf_feed *feed = &core->feed;
    rf_core_failed(core, &feed->actor, result, now_ms);
    feed->idle = false;
    if (feed->located) {
        drop_unfinished(core);
    }
}

void rf_source_done(struct rf_core *core, const struct rf_action *action,
                    const struct rf_result *result, int64_t now_ms)
{
    struct rf_feed *feed = &core->feed;
    struct rf_slot *slot = feed->slot;
    switch (action->kind) {
    case RF_ACTION_OPEN:
        if (result->status != RF_OK) {
            source_failed(core, result, now_ms);
        } else if (!feed->actor.must_close) {
            opened(core, result, now_ms);
        }
        break;
    case RF_ACTION_READ:
        feed->slot = NULL;
        if (result->status == RF_OK && feed->located && core->mode == RF_MODE_RUN) {
            source_worked(&feed->actor);
            read_ok(core, slot, now_ms);
            break;
        }
        rf_pool_give_back(&core->pool, slot);
        if (result->status == RF_AGAIN) {
            source_worked(&feed->actor);
            feed->idle = true;
        } else if (result->status != RF_OK) {
            source_failed(core, result, now_ms);
        }
        break;
    case RF_ACTION_ACK:
        if (result->status != RF_OK) {
            source_failed(core, result, now_ms);
        } else {
            rf_buf_set(&feed->acked, rf_buf_str(&feed->acking));
        }
        break;
    default: break;
    }
}

/* ------------------------------------------------------------------------------------ what next */

/* What is on record for the sink, unless its destination went back behind that. */
static const struct rf_buf *certain(const struct rf_core *core, const struct rf_sink *sink)
{
    const struct rf_buf *recorded = &sink->recorded.position, *durable = &sink->durable.position;
    return recorded->size > 0 && rf_core_contains(core, durable, rf_buf_str(recorded)) ? recorded
                                                                                       : durable;
}

/* The oldest recorded position, when it has moved and all sinks have one that goes with the
 * others. */
static bool ack_wanted(struct rf_core *core)
{
    struct rf_feed *feed = &core->feed;
    if (!feed->ack_due || !feed->located) {
        return false;
    }
    feed->ack_due = false;
    const struct rf_buf *least = NULL;
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        const struct rf_buf *position = certain(core, &core->sinks[i]);
        if (least == NULL || rf_core_contains(core, least, rf_buf_str(position))) {
            least = position;
        } else if (!rf_core_contains(core, position, rf_buf_str(least))) {
            return false;
        }
    }
    if (feed->acked.size > 0 && rf_core_contains(core, &feed->acked, rf_buf_str(least))) {
        return false;
    }
    rf_buf_set(&feed->acking, rf_buf_str(least));
    return true;
}

static bool first_positions_are_recorded(const struct rf_core *core)
{
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        const struct rf_sink *sink = &core->sinks[i];
        if (!sink->actor.exited && sink->recorded.position.size == 0) {
            return false;
        }
    }
    return true;
}

static void next_open(struct rf_core *core, int64_t now_ms, struct rf_action *action)
{
    struct rf_feed *feed = &core->feed;
    if (!first_positions_are_recorded(core)) {
        return;
    }
    if (feed->ack_due && ack_wanted(core)) {
        action->kind = RF_ACTION_ACK;
        action->position = rf_buf_str(&feed->acking);
    } else if (feed->ended) {
        action->kind = rf_core_all_sinks_gone(core) ? RF_ACTION_CLOSE : RF_ACTION_WAIT;
    } else if (rf_pool_has_room(&core->pool)) {
        feed->blocked_since_ms = -1;
        feed->slot = rf_pool_take(&core->pool);
        action->kind = RF_ACTION_READ;
        action->batch = &feed->slot->batch;
        action->until_ms = now_ms + RF_READ_MS;
    } else {
        feed->blocked_since_ms = feed->blocked_since_ms < 0 ? now_ms : feed->blocked_since_ms;
        feed->idle = false;
        if (feed->inside) {
            return; /* closed now, it would begin the transaction anew, which sinks have begun */
        }
        action->until_ms = feed->blocked_since_ms + RF_PARK_MS;
        if (now_ms >= action->until_ms) {
            feed->parked = true;
            rf_core_tell(core, RF_NEWS_PARKED, RF_CORE_SOURCE);
            action->kind = RF_ACTION_CLOSE;
        }
    }
}

static void next_closed(struct rf_core *core, int64_t now_ms, struct rf_action *action)
{
    struct rf_feed *feed = &core->feed;
    if (core->mode != RF_MODE_RUN || rf_core_all_sinks_gone(core)) {
        action->kind = RF_ACTION_EXIT;
        return;
    }
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        if (!core->sinks[i].known) {
            return;
        }
    }
    if (now_ms < feed->actor.retry_ms) {
        action->until_ms = feed->actor.retry_ms;
        return;
    }
    if (feed->ended || (feed->parked && core->pool.bytes > core->pool.bytes_max / 2)) {
        return;
    }
    if (feed->located) {
        rf_buf_set(&feed->opening, rf_buf_str(&feed->position));
    } else if (!locate(core, now_ms)) {
        action->kind = RF_ACTION_EXIT;
        return;
    }
    action->kind = RF_ACTION_OPEN;
    action->position = rf_buf_str(&feed->opening);
}

void rf_source_next(struct rf_core *core, int64_t now_ms, struct rf_action *action)
{
    if (core->feed.actor.instance) {
        next_open(core, now_ms, action);
    } else {
        next_closed(core, now_ms, action);
    }
}
