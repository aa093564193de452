/* A source's part of the core: when it is opened and read, what becomes of what it read. */
#include "engine/core_state.h"

uint64_t rf_source_first(const struct rf_feed *feed)
{
    return feed->pool.head > feed->first ? feed->pool.head : feed->first;
}

/* --------------------------------------------------------------------------------- what it read */

void rf_source_drop_unfinished(struct rf_core *core, struct rf_feed *feed)
{
    bool begins = !feed->inside;
    for (uint64_t n = feed->pool.next; !begins && n > rf_source_first(feed); n--) {
        struct rf_slot *slot = rf_pool_at(&feed->pool, n - 1);
        rf_assert(slot->transactions > 0);
        const struct rf_transaction *piece = &slot->batch.transactions[slot->transactions - 1];
        rf_assert(!piece->ends);
        slot->transactions--;
        slot->events = piece->first;
        begins = piece->begins;
    }
    if (feed->inside) {
        feed->events -= feed->inside_events;
        feed->counted -= feed->inside_events;
    }
    for (uint32_t i = 0; feed->inside && core->mode == RF_MODE_RUN && i < core->options.sink_count;
         i++) {
        if (rf_feed_serves(feed, &core->sinks[i])) {
            rf_sink_uninside(core, &core->sinks[i]);
        }
    }
    feed->inside = false;
    feed->inside_events = 0;
}

/* What the contract promises of a batch. */
static void check_batch(const struct rf_feed *feed, const struct rf_batch *batch)
{
    bool some_end = false;
    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        const struct rf_transaction *transaction = &batch->transactions[i];
        rf_assert(transaction->begins != (i == 0 && feed->inside));
        rf_assert(transaction->ends || i + 1 == batch->transaction_count);
        rf_assert(transaction->id.size > 0);
        some_end |= transaction->ends;
    }
    rf_assert(!some_end || batch->position.size > 0);
    rf_assert(batch->count == 0 || batch->transaction_count > 0);
}

static void hold(struct rf_feed *feed, struct rf_slot *slot)
{
    const struct rf_batch *batch = &slot->batch;
    check_batch(feed, batch);
    rf_buf_set(&slot->start, rf_buf_str(&feed->position));
    rf_pool_hold(&feed->pool, slot);
    slot->waived = feed->waived_before;
    feed->waived_before = 0;
    if (batch->position.size > 0) {
        rf_buf_set(&feed->position, batch->position);
        feed->commit_us = batch->commit_us ? batch->commit_us : feed->commit_us;
    }
    feed->events += batch->count;
    feed->counted += batch->count;
    if (batch->transaction_count > 0) {
        const struct rf_transaction *last = &batch->transactions[batch->transaction_count - 1];
        if (!last->ends && last->begins) {
            feed->inside_first = slot->number;
            feed->inside_events = 0;
            rf_buf_set(&feed->inside_id, last->id);
        }
        feed->inside = !last->ends;
        feed->inside_events = last->ends ? 0 : feed->inside_events + last->count;
        feed->transactions += batch->transaction_count - !last->ends;
    }
}

void rf_source_ends(struct rf_core *core, struct rf_feed *feed)
{
    feed->ended = true;
    rf_core_tell(core, RF_NEWS_ENDED, feed->actor.id);
}

static void fail_source(struct rf_core *core, struct rf_feed *feed, const struct rf_error *err,
                        int64_t now_ms)
{
    feed->actor.must_close = true;
    rf_core_end(core, &feed->actor, 3, err, now_ms);
    rf_source_drop_unfinished(core, feed);
}

/* The end lies inside the batch, which is not handed over: it is read again in small ones. */
static void read_again(struct rf_core *core, struct rf_feed *feed, const struct rf_batch *batch,
                       uint64_t events, int64_t now_ms)
{
    struct rf_error err = {0};
    if (batch->bytes_max < feed->pool.batch_bytes) {
        rf_fail(&err, RF_FATAL,
                "the source gave %u transactions in a batch that is full with one, so it cannot be "
                "stopped between them",
                batch->transaction_count);
        fail_source(core, feed, &err, now_ms);
        return;
    }
    feed->careful = feed->cut_at != UINT64_MAX;
    feed->cut_at = feed->counted + events;
    feed->actor.must_close = true;
}

/* Holds what is in the batch, unless some of it lies behind where the pipeline is to end: false. */
static bool take(struct rf_core *core, struct rf_feed *feed, struct rf_slot *slot, int64_t now_ms)
{
    const struct rf_batch *batch = &slot->batch;
    uint64_t events = 0;
    enum rf_until until = rf_until_look(core, feed, batch, &events);
    bool something = batch->transaction_count > 0 || batch->position.size > 0;
    if (until == RF_UNTIL_BEFORE) {
        feed->skipped += batch->skipped;
        feed->waived += batch->waived;
        feed->marked += batch->marked;
        feed->gone += batch->gone;
        feed->waived_before += batch->waived;
    }
    if (until == RF_UNTIL_BEFORE && something) {
        hold(feed, slot);
        if (rf_until_reached(core, feed)) {
            rf_source_ends(core, feed);
        }
        return true;
    }
    if (until == RF_UNTIL_INSIDE) {
        read_again(core, feed, batch, events, now_ms);
    } else if (until == RF_UNTIL_BEHIND) {
        rf_source_ends(core, feed);
    }
    rf_pool_give_back(&feed->pool, slot);
    return until == RF_UNTIL_BEFORE;
}

static void read_ok(struct rf_core *core, struct rf_feed *feed, struct rf_slot *slot,
                    int64_t now_ms)
{
    const struct rf_batch *batch = &slot->batch;
    bool end = batch->end || (batch->current && rf_until_passed(core, now_ms));
    bool something = batch->transaction_count > 0 || batch->position.size > 0;
    feed->idle = batch->end || !something;
    bool current = batch->current;
    if (take(core, feed, slot, now_ms) && current) {
        feed->current_ms = now_ms;
    }
    if (!end || feed->ended || feed->actor.must_close) {
        return;
    }
    if (feed->inside && batch->end) {
        struct rf_error err = {0};
        rf_fail(&err, RF_FATAL, "the source ended inside the transaction %.*s",
                RF_STR_ARG(rf_buf_str(&feed->inside_id)));
        fail_source(core, feed, &err, now_ms);
    } else if (!feed->inside) {
        rf_source_ends(core, feed);
    }
}

static void source_worked(struct rf_actor *actor)
{
    actor->tries = 0;
    rf_buf_reset(&actor->message);
}

static void source_failed(struct rf_core *core, struct rf_feed *feed,
                          const struct rf_result *result, int64_t now_ms)
{
    rf_core_failed(core, &feed->actor, result, now_ms);
    feed->idle = false;
    if (feed->located) {
        rf_source_drop_unfinished(core, feed);
    }
}

static void read_done(struct rf_core *core, struct rf_feed *feed, const struct rf_result *result,
                      int64_t now_ms)
{
    struct rf_slot *slot = feed->slot;
    feed->slot = NULL;
    if (result->status == RF_OK && feed->located && core->mode == RF_MODE_RUN &&
        !feed->actor.must_close) {
        source_worked(&feed->actor);
        read_ok(core, feed, slot, now_ms);
        return;
    }
    rf_pool_give_back(&feed->pool, slot);
    if (result->status == RF_AGAIN) {
        source_worked(&feed->actor);
        feed->idle = true;
    } else if (result->status != RF_OK) {
        source_failed(core, feed, result, now_ms);
    }
}

static void source_closed(struct rf_core *core, struct rf_feed *feed, int64_t now_ms)
{
    if (feed->located) {
        rf_source_drop_unfinished(core, feed);
    }
    if (!rf_feed_wanted(core, feed)) {
        rf_pool_trim(&feed->pool);
    }
    rf_join_yield(core, now_ms);
    rf_feed_balance(core);
}

void rf_source_done(struct rf_core *core, struct rf_feed *feed, const struct rf_action *action,
                    const struct rf_result *result, int64_t now_ms)
{
    switch (action->kind) {
    case RF_ACTION_OPEN:
        if (result->status != RF_OK) {
            source_failed(core, feed, result, now_ms);
        } else if (!feed->actor.must_close) {
            rf_located(core, feed, result->position, now_ms);
        }
        break;
    case RF_ACTION_READ: read_done(core, feed, result, now_ms); break;
    case RF_ACTION_ACK:
        if (result->status != RF_OK) {
            source_failed(core, feed, result, now_ms);
        } else {
            rf_buf_set(&feed->acked, rf_buf_str(&feed->acking));
        }
        break;
    default: source_closed(core, feed, now_ms); break;
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
static bool ack_wanted(struct rf_core *core, struct rf_feed *feed)
{
    if (!feed->ack_due || !feed->located) {
        return false;
    }
    feed->ack_due = false;
    const struct rf_buf *least = NULL;
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        if (core->sinks[i].recorded.position.size == 0) {
            return false;
        }
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

static bool first_positions_are_recorded(const struct rf_core *core, const struct rf_feed *feed)
{
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        const struct rf_sink *sink = &core->sinks[i];
        if (rf_feed_serves(feed, sink) && sink->recorded.position.size == 0) {
            return false;
        }
    }
    return true;
}

static void next_open(struct rf_core *core, struct rf_feed *feed, int64_t now_ms,
                      struct rf_action *action)
{
    if (!first_positions_are_recorded(core, feed)) {
        return;
    }
    if (core->joining > 0 && feed == rf_feed_shared(core)) {
        rf_join_yield(core, now_ms);
    }
    if (feed->ack_due && ack_wanted(core, feed)) {
        action->kind = RF_ACTION_ACK;
        action->position = rf_buf_str(&feed->acking);
    } else if (feed->ended) {
        bool last = rf_core_all_sinks_gone(core) || !rf_feed_wanted(core, feed);
        action->kind = last ? RF_ACTION_CLOSE : RF_ACTION_WAIT;
    } else if (rf_feed_has_room(core, feed)) {
        feed->blocked_since_ms = -1;
        feed->slot = rf_pool_take(&feed->pool);
        feed->slot->batch.bytes_max = rf_until_batch_bytes(core, feed);
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
            rf_core_tell(core, RF_NEWS_PARKED, feed->actor.id);
            action->kind = RF_ACTION_CLOSE;
        }
    }
}

/* False: not yet. */
static bool may_be_opened(const struct rf_core *core, const struct rf_feed *feed)
{
    if (!rf_feed_wanted(core, feed) || feed->ended ||
        (feed->parked && feed->pool.bytes > feed->pool.bytes_max / 2)) {
        return false;
    }
    if (!rf_feed_shared(core)->actor.ever_opened && feed != rf_feed_shared(core)) {
        return false; /* where there are too few connections, one sink is to wait, not all others */
    }
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        const struct rf_sink *sink = &core->sinks[i];
        /* Where the sink of a feed of its own goes on is only known once that is open. */
        bool stands = sink->actor.open && !sink->actor.must_close;
        if (!sink->known || (sink->own == feed && !feed->located && !stands)) {
            return false;
        }
    }
    return true;
}

/* True when every sink has on record what the feed would go on with: it has been acknowledged then,
 * and may be gone. */
static bool is_passed_by(struct rf_core *core, const struct rf_feed *feed)
{
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        const struct rf_buf *position = certain(core, &core->sinks[i]);
        if (rf_feed_serves(feed, &core->sinks[i]) &&
            (!rf_core_contains(core, position, rf_buf_str(&feed->position)) ||
             rf_core_contains(core, &feed->position, rf_buf_str(position)))) {
            return false;
        }
    }
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        struct rf_sink *sink = &core->sinks[i];
        sink->detached |= rf_feed_serves(feed, sink);
    }
    return true;
}

static void next_closed(struct rf_core *core, struct rf_feed *feed, int64_t now_ms,
                        struct rf_action *action)
{
    if (core->mode != RF_MODE_RUN || rf_core_all_sinks_gone(core)) {
        action->kind = RF_ACTION_EXIT;
        return;
    }
    if (!may_be_opened(core, feed)) {
        return;
    }
    if (now_ms < feed->actor.retry_ms) {
        action->until_ms = feed->actor.retry_ms;
        return;
    }
    if (feed->located && is_passed_by(core, feed)) {
        feed->located = feed->parked = false;
        rf_join_yield(core, now_ms);
    }
    if (feed->located) {
        rf_buf_set(&feed->opening, rf_buf_str(&feed->position));
    } else if (!rf_locate(core, feed, now_ms)) {
        action->kind = RF_ACTION_EXIT;
        return;
    }
    action->kind = RF_ACTION_OPEN;
    action->position = rf_buf_str(&feed->opening);
    action->feed = feed->number;
}

void rf_source_next(struct rf_core *core, struct rf_feed *feed, int64_t now_ms,
                    struct rf_action *action)
{
    if (feed->actor.instance) {
        next_open(core, feed, now_ms, action);
    } else {
        next_closed(core, feed, now_ms, action);
    }
}
