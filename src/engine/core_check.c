#include "engine/core_state.h"

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
    rf_assert(!(actor->doing.kind == RF_ACTION_WRITE && sink->record_pending));

    /* 4. A batch that it may still look at is held. */
    if (actor->exited) {
        return;
    }
    rf_assert(sink->covered >= core->pool.head && sink->covered <= sink->cursor);
    rf_assert(sink->cursor <= core->pool.next);
    rf_assert(!sink->uncovered || (actor->instance && sink->given >= sink->covered));
    if (actor->doing.kind == RF_ACTION_WRITE) {
        rf_assert(sink->uncovered && sink->given >= sink->covered && sink->given < sink->cursor);
        rf_assert(rf_pool_at(&core->pool, sink->given)->state == RF_SLOT_HELD);
        rf_assert(&rf_pool_at(&core->pool, sink->given)->batch == actor->doing.view.batch);
    }

    /* 5. A position moves only at a transaction's end: what was accepted behind it is given
     * again, or goes on. */
    if (actor->doing.kind == RF_ACTION_FLUSH) {
        rf_assert(rf_str_equal(actor->doing.position, rf_buf_str(&sink->accepted.position)));
    }
    rf_assert(actor->open ? actor->instance : actor->doing.kind != RF_ACTION_WRITE);
}

static void check_pool(const struct rf_core *core)
{
    const struct rf_pool *pool = &core->pool;
    uint32_t held = 0, filling = 0;
    size_t bytes = 0;
    for (uint32_t i = 0; i < pool->count; i++) {
        held += pool->slots[i].state == RF_SLOT_HELD;
        filling += pool->slots[i].state == RF_SLOT_FILLING;
        bytes += pool->slots[i].bytes;
    }
    rf_assert(held == pool->next - pool->head);
    rf_assert(held + filling + pool->free_count == pool->count);
    rf_assert(bytes == pool->bytes);
    rf_assert(filling == (core->feed.slot != NULL) && filling <= 1);
    rf_assert((core->feed.actor.doing.kind == RF_ACTION_READ) == (filling == 1));
}

void rf_core_check(const struct rf_core *core)
{
    check_pool(core);
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        check_sink(core, &core->sinks[i]);
    }
    /* 3. The source is told only what every sink has on record. */
    const struct rf_action *doing = &core->feed.actor.doing;
    if (doing->kind == RF_ACTION_ACK) {
        for (uint32_t i = 0; i < core->options.sink_count; i++) {
            rf_assert(core->sinks[i].recorded.position.size > 0);
        }
    }
    rf_assert(core->feed.actor.must_close || !core->feed.actor.open || core->feed.located);
}
