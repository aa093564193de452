#include "engine/core_state.h"

static const struct rf_slot *slot_of(const struct rf_pool *pool, const struct rf_batch *batch)
{
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        if (&pool->slots[i]->batch == batch) {
            return pool->slots[i];
        }
    }
    return NULL;
}

/* 4. A batch that the sink may still look at is held, by its feed's pool or, once it was sent away
 * from the shared one inside a call, there. */
static void check_batches(const struct rf_core *core, const struct rf_sink *sink)
{
    const struct rf_actor *actor = &sink->actor;
    const struct rf_pool *pool = &sink->feed->pool;
    rf_assert(sink->covered >= pool->head && sink->covered <= sink->cursor);
    rf_assert(sink->cursor <= pool->next);
    rf_assert(!sink->uncovered || (actor->instance && sink->given >= sink->covered));
    rf_assert(!sink->away || (actor->must_close && rf_feed_is_own(sink) && !sink->uncovered));
    if (actor->doing.kind != RF_ACTION_WRITE) {
        return;
    }
    if (sink->away) {
        const struct rf_slot *slot = slot_of(&rf_feed_shared(core)->pool, actor->doing.view.batch);
        rf_assert(slot != NULL && slot->number >= sink->away_first &&
                  slot->number < sink->away_end);
        rf_assert(slot->state == RF_SLOT_HELD || slot->state == RF_SLOT_ASIDE);
    } else {
        rf_assert(sink->uncovered && sink->given >= sink->covered && sink->given < sink->cursor);
        rf_assert(rf_pool_at(pool, sink->given)->state == RF_SLOT_HELD);
        rf_assert(&rf_pool_at(pool, sink->given)->batch == actor->doing.view.batch);
    }
}

/* 7. A sink takes from one feed: the shared one, or its own, where it stands alone. What is kept
 * for one that wants to go back to the shared feed is held, and begins between two transactions. */
static void check_feed_of(const struct rf_core *core, const struct rf_sink *sink)
{
    const struct rf_feed *shared = rf_feed_shared(core);
    rf_assert(sink->feed == shared || sink->feed == sink->own);
    rf_assert(sink->detached || sink->feed->located || sink->actor.last);
    if (sink->joining) {
        rf_assert(rf_feed_is_own(sink) && shared->located && !sink->actor.exited);
        rf_assert(sink->join >= shared->pool.head && sink->join <= shared->pool.next);
        rf_assert(sink->join >= shared->first && sink->join_position.size > 0);
        if (sink->join < shared->pool.next) {
            const struct rf_slot *slot = rf_pool_at(&shared->pool, sink->join);
            rf_assert(rf_str_equal(rf_buf_str(&slot->start), rf_buf_str(&sink->join_position)));
            rf_assert(slot->transactions == 0 || slot->batch.transactions[0].begins);
        } else {
            rf_assert(
                rf_str_equal(rf_buf_str(&shared->position), rf_buf_str(&sink->join_position)));
        }
    }
}

static void check_sink(const struct rf_core *core, const struct rf_sink *sink)
{
    const struct rf_actor *actor = &sink->actor;
    /* 1. recorded <= durable <= accepted <= read. */
    rf_assert(sink->recorded.mark <= sink->durable.mark);
    rf_assert(sink->durable.mark <= sink->accepted.mark);
    rf_assert(sink->accepted.mark <= core->mark);
    rf_assert(sink->accepted.events <= sink->events);

    /* 2. What is recorded is what a flush, or the destination itself, called durable. */
    if (actor->doing.kind == RF_ACTION_RECORD) {
        rf_assert(sink->record_pending);
        rf_assert(rf_str_equal(actor->doing.position, rf_buf_str(&sink->durable.position)));
    }
    rf_assert(!(actor->doing.kind == RF_ACTION_WRITE && (sink->record_pending || sink->burying)));
    rf_assert(actor->doing.kind != RF_ACTION_BURY || sink->burying);
    if (actor->exited) {
        return;
    }
    check_batches(core, sink);
    check_feed_of(core, sink);

    /* 5. A position moves only at a transaction's end: what was accepted behind it is given
     * again, or goes on. */
    if (actor->doing.kind == RF_ACTION_FLUSH) {
        rf_assert(rf_str_equal(actor->doing.position, rf_buf_str(&sink->accepted.position)));
    }
    rf_assert(actor->open ? actor->instance : actor->doing.kind != RF_ACTION_WRITE);
}

/* Every slot is what the pool says of it. Looked at when one has changed. */
static void check_slots(struct rf_feed *feed)
{
    struct rf_pool *pool = &feed->pool;
    uint32_t counts[RF_SLOT_ASIDE + 1] = {0};
    size_t bytes[RF_SLOT_ASIDE + 1] = {0};
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        const struct rf_slot *slot = pool->slots[i];
        counts[slot->state]++;
        bytes[slot->state] += slot->bytes;
    }
    rf_assert(counts[RF_SLOT_HELD] == pool->next - pool->head &&
              pool->next - pool->head <= pool->count);
    rf_assert(counts[RF_SLOT_FREE] == pool->free_count &&
              counts[RF_SLOT_FILLING] == (feed->slot != NULL));
    rf_assert(bytes[RF_SLOT_HELD] == pool->bytes && bytes[RF_SLOT_ASIDE] == pool->aside_bytes);
    rf_assert(bytes[RF_SLOT_FREE] == 0 && bytes[RF_SLOT_FILLING] == 0);
    pool->changed = false;
}

static void check_pool(struct rf_feed *feed)
{
    struct rf_pool *pool = &feed->pool;
    if (pool->changed) {
        check_slots(feed);
    }
    rf_assert(feed->slot == NULL || feed->slot->state == RF_SLOT_FILLING);
    rf_assert((feed->actor.doing.kind == RF_ACTION_READ) == (feed->slot != NULL));
    rf_assert(pool->aside_bytes == 0 || feed->number == 0);
}

/* One feed has one source, which is open only where the sinks need it. */
static void check_feed(const struct rf_core *core, const struct rf_feed *feed)
{
    const struct rf_actor *actor = &feed->actor;
    rf_assert(actor->must_close || !actor->open || feed->located);
    rf_assert(rf_feed_wanted(core, feed) || !feed->located || core->mode != RF_MODE_RUN ||
              feed->ended);
    if (feed->located && feed->number > 0 && core->mode == RF_MODE_RUN) {
        rf_assert(core->sinks[feed->number - 1].feed == feed);
    }
    /* 3. The source is told only what every sink has on record. */
    if (actor->doing.kind == RF_ACTION_ACK) {
        for (uint32_t i = 0; i < core->options.sink_count; i++) {
            rf_assert(core->sinks[i].recorded.position.size > 0);
        }
    }
}

/* 8. All feeds together hold no more than the pool's bytes, but for the newest batch of each, which
 * may be of any size; with what was set aside it is half as much again, and one batch more for
 * each call that looks at it. */
static void check_bytes(const struct rf_core *core)
{
    size_t bytes = 0, newest = 0, aside = 0, largest = 0;
    for (uint32_t i = 0; i < core->feed_count; i++) {
        const struct rf_pool *pool = &core->feeds[i].pool;
        bytes += pool->bytes;
        newest += pool->head < pool->next ? rf_pool_at(pool, pool->next - 1)->bytes : 0;
        aside += pool->aside_bytes;
        for (uint32_t j = 0; j < pool->slot_count && pool->aside_bytes > 0; j++) {
            size_t slot_bytes = pool->slots[j]->bytes;
            largest = slot_bytes > largest ? slot_bytes : largest;
        }
    }
    size_t most = core->options.pool_bytes;
    rf_assert(bytes <= most + newest);
    rf_assert(bytes + aside <= most + most / 2 + newest + core->away * largest || aside == 0);
}

void rf_core_check(struct rf_core *core)
{
    for (uint32_t i = 0; i < core->feed_count; i++) {
        check_pool(&core->feeds[i]);
        check_feed(core, &core->feeds[i]);
    }
    check_bytes(core);
    uint32_t away = 0, joining = 0;
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        check_sink(core, &core->sinks[i]);
        away += core->sinks[i].away;
        joining += core->sinks[i].joining;
    }
    rf_assert(away == core->away && joining == core->joining);
}
