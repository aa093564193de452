/* The way back to the shared feed.
 *
 * The sink stands on a feed of its own, near the others. The shared feed, between two transactions,
 * begins to keep its batches for it, from the next one to be read on; what lies before that is the
 * position P. The sink goes on with its own feed. As soon as its accepted position A contains P,
 * it is inside no transaction, and a flush has covered what it was given, it takes from the shared
 * feed, at the batch that is kept for it, and skips what A contains.
 *
 * Nothing is lost: what lies behind A lies behind P, and all that lies behind P is held from that
 * batch on, or still to be read. Nothing is doubled: between two transactions the sink was given
 * just what A contains. The order is that of the shared feed, in which what A contains comes first,
 * as both feeds read one log. No view of the own feed's pool is in use after the flush, so it can
 * be emptied at once.
 *
 * Nobody waits for it: as soon as the shared pool is full, or much is kept for the sink alone, the
 * try is given up, and made again later. So it is when the shared feed is closed, to be opened
 * again here or elsewhere. A transaction that the shared feed drops began behind P, as P lies
 * between two. */
#include "engine/core_state.h"

static void forget(struct rf_core *core, struct rf_sink *sink)
{
    sink->joining = false;
    core->joining--;
    rf_buf_reset(&sink->join_position);
}

void rf_join_cancel(struct rf_core *core, struct rf_sink *sink, int64_t now_ms)
{
    if (sink->joining) {
        forget(core, sink);
        sink->join_at_ms = now_ms + RF_JOIN_MS;
        rf_feed_release(core, rf_feed_shared(core));
    }
}

/* The shared feed reads, and has room to. */
static bool is_flowing(const struct rf_core *core)
{
    const struct rf_feed *shared = rf_feed_shared(core);
    return core->mode == RF_MODE_RUN && shared->located && shared->actor.open &&
           !shared->actor.must_close && !shared->ended && rf_feed_has_room(core, shared);
}

/* Bytes that are only kept for sinks that may join at that batch or behind it. */
static size_t kept_bytes(const struct rf_core *core, uint64_t from)
{
    const struct rf_feed *shared = rf_feed_shared(core);
    uint64_t least = shared->pool.next;
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        const struct rf_sink *sink = &core->sinks[i];
        if (rf_feed_serves(shared, sink)) {
            least = sink->covered < least ? sink->covered : least;
        }
    }
    return least <= from
               ? 0
               : rf_pool_bytes_from(&shared->pool, from) - rf_pool_bytes_from(&shared->pool, least);
}

static bool may_go_on(const struct rf_core *core, const struct rf_sink *sink)
{
    return is_flowing(core) &&
           kept_bytes(core, sink->join) <= rf_feed_shared(core)->pool.bytes_max / 4;
}

void rf_join_yield(struct rf_core *core, int64_t now_ms)
{
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        struct rf_sink *sink = &core->sinks[i];
        if (sink->joining && !may_go_on(core, sink)) {
            rf_join_cancel(core, sink, now_ms);
        }
    }
}

/* Both have read all there is, or stand at one time, or at one place. */
static bool is_near(const struct rf_core *core, const struct rf_sink *sink)
{
    const struct rf_feed *shared = rf_feed_shared(core), *own = sink->feed;
    int64_t mine_us = sink->accepted.commit_us, theirs_us = shared->commit_us;
    if (shared->idle && own->idle && sink->cursor == own->pool.next) {
        return true;
    }
    if (mine_us != 0 && theirs_us != 0) {
        return mine_us - theirs_us <= RF_NEAR_US && theirs_us - mine_us <= RF_NEAR_US;
    }
    return rf_core_same(core, rf_buf_str(&sink->accepted.position), rf_buf_str(&shared->position));
}

static bool may_begin(const struct rf_core *core, const struct rf_sink *sink, int64_t now_ms)
{
    const struct rf_feed *own = sink->feed;
    return now_ms >= sink->join_at_ms && is_flowing(core) && !rf_feed_shared(core)->inside &&
           own->located && !own->ended && !sink->detached && is_near(core, sink);
}

static void join(struct rf_core *core, struct rf_sink *sink, int64_t now_ms)
{
    struct rf_feed *own = sink->feed;
    sink->feed = rf_feed_shared(core);
    sink->cursor = sink->covered = sink->join;
    sink->skipping = true;
    sink->joined_ms = now_ms;
    forget(core, sink);
    rf_buf_set(&rf_core_tell(core, RF_NEWS_REJOINED, sink->actor.id)->position,
               rf_buf_str(&sink->accepted.position));
    rf_feed_leave(core, own);
    rf_feed_release(core, sink->feed);
}

bool rf_join_step(struct rf_core *core, struct rf_sink *sink, int64_t now_ms)
{
    const struct rf_feed *shared = rf_feed_shared(core);
    if (!rf_feed_is_own(sink)) {
        return false;
    }
    if (!sink->joining && may_begin(core, sink, now_ms)) {
        sink->joining = true;
        core->joining++;
        sink->join = shared->pool.next;
        rf_buf_set(&sink->join_position, rf_buf_str(&shared->position));
    }
    if (!sink->joining) {
        return false;
    }
    if (!may_go_on(core, sink) || sink->detached) {
        rf_join_cancel(core, sink, now_ms);
        return false;
    }
    if (sink->inside ||
        !rf_core_contains(core, &sink->accepted.position, rf_buf_str(&sink->join_position))) {
        return false;
    }
    if (sink->uncovered) {
        return true;
    }
    join(core, sink, now_ms);
    return false;
}
