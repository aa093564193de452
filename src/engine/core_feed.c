/* Who takes from which feed, and how much each feed may hold.
 *
 * All sinks begin on the shared feed. One that cannot go along parts from it: it takes from a feed
 * of its own then, which stands where that sink stands. What it still looks at of the shared pool,
 * inside a call that was interrupted but has not come back, is set aside there, so that the others
 * go on at once. */
#include "engine/core_state.h"

bool rf_feed_wanted(const struct rf_core *core, const struct rf_feed *feed)
{
    if (feed == rf_feed_shared(core)) {
        return true;
    }
    return rf_feed_serves(feed, &core->sinks[feed->number - 1]);
}

bool rf_feed_has_others(const struct rf_core *core, const struct rf_sink *sink)
{
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        const struct rf_sink *other = &core->sinks[i];
        if (other != sink && rf_feed_serves(sink->feed, other) && !other->actor.last) {
            return true;
        }
    }
    return false;
}

/* ---------------------------------------------------------------------------------------- bytes */

static size_t spare_bytes(const struct rf_core *core)
{
    return core->options.pool_bytes / 2;
}

bool rf_feed_has_room(const struct rf_core *core, const struct rf_feed *feed)
{
    const struct rf_pool *pool = &feed->pool;
    if (!rf_pool_has_room(pool)) {
        return false;
    }
    if (pool->head == pool->next || (core->feeds_active == 1 && pool->aside_bytes == 0)) {
        return true;
    }
    /* Feeds that hold more than their share, as there are more of them now. */
    size_t bytes = 0, aside = 0;
    for (uint32_t i = 0; i < core->feed_count; i++) {
        const struct rf_feed *each = &core->feeds[i];
        bool filling = each != feed && each->slot != NULL;
        bytes += each->pool.bytes + (filling ? core->options.batch_bytes : 0);
        aside += each->pool.aside_bytes;
    }
    bytes += aside > spare_bytes(core) ? aside - spare_bytes(core) : 0;
    return bytes + core->options.batch_bytes <= core->options.pool_bytes;
}

static bool is_active(const struct rf_core *core, const struct rf_feed *feed)
{
    return feed == rf_feed_shared(core) || feed->actor.instance ||
           feed->pool.head != feed->pool.next;
}

/* A sink that is away keeps its batches until it is back; with too little room for that its feed
 * begins anew then. */
static void empty_if_idle(struct rf_core *core, struct rf_feed *feed)
{
    if (feed == rf_feed_shared(core) || !feed->located ||
        feed->pool.bytes <= feed->pool.bytes_max) {
        return;
    }
    struct rf_sink *sink = &core->sinks[feed->number - 1];
    if (sink->feed == feed && !sink->actor.instance) {
        feed->located = feed->ended = feed->parked = false;
        sink->cursor = sink->covered = feed->pool.next;
        sink->detached = true;
        rf_core_recall(&feed->actor);
        rf_feed_release(core, feed);
        rf_pool_trim(&feed->pool);
    }
}

void rf_feed_balance(struct rf_core *core)
{
    uint32_t active = 0;
    for (uint32_t i = 0; i < core->feed_count; i++) {
        active += is_active(core, &core->feeds[i]);
    }
    if (active != core->feeds_active) {
        core->feeds_active = active;
        core->changed = true;
        for (uint32_t i = 0; i < core->feed_count; i++) {
            rf_pool_limit(&core->feeds[i].pool, core->options.pool_bytes / active);
        }
    }
    for (uint32_t i = 0; i < core->feed_count && active > 1; i++) {
        empty_if_idle(core, &core->feeds[i]);
    }
}

/* -------------------------------------------------------------------------------------- release */

static bool is_looked_at(const struct rf_core *core, uint64_t number)
{
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        const struct rf_sink *sink = &core->sinks[i];
        if (sink->away && number >= sink->away_first && number < sink->away_end) {
            return true;
        }
    }
    return false;
}

void rf_feed_release(struct rf_core *core, struct rf_feed *feed)
{
    struct rf_pool *pool = &feed->pool;
    bool shared = feed == rf_feed_shared(core);
    uint64_t least = pool->next;
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        const struct rf_sink *sink = &core->sinks[i];
        if (rf_feed_serves(feed, sink)) {
            least = sink->covered < least ? sink->covered : least;
        }
        if (shared && sink->joining) {
            least = sink->join < least ? sink->join : least;
        }
    }
    if (least <= pool->head) {
        return;
    }
    while (shared && core->away > 0 && pool->head < least) {
        if (is_looked_at(core, pool->head)) {
            rf_pool_set_aside(pool);
        } else {
            rf_pool_release(pool, pool->head + 1);
        }
    }
    rf_pool_release(pool, least);
    core->changed = true;
    if (pool->head == pool->next && !feed->actor.instance) {
        rf_feed_balance(core);
    }
}

void rf_feed_forget_away(struct rf_core *core, struct rf_sink *sink)
{
    if (!sink->away) {
        return;
    }
    sink->away = false;
    core->away--;
    core->changed = true;
    struct rf_pool *pool = &rf_feed_shared(core)->pool;
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        struct rf_slot *slot = pool->slots[i];
        if (slot->state == RF_SLOT_ASIDE && !is_looked_at(core, slot->number)) {
            rf_pool_free_aside(pool, slot);
        }
    }
}

/* ---------------------------------------------------------------------------------- to and fro */

void rf_feed_part(struct rf_core *core, struct rf_sink *sink, enum rf_own_feed why, int64_t now_ms)
{
    struct rf_feed *shared = sink->feed;
    rf_assert(shared == rf_feed_shared(core));
    struct rf_news_item *item = rf_core_tell(core, RF_NEWS_OWN_FEED, sink->actor.id);
    item->news.why = why;
    rf_buf_set(&item->position, rf_buf_str(rf_sink_standing(sink)));
    if (sink->uncovered) {
        sink->away = true;
        sink->away_first = sink->covered;
        sink->away_end = sink->cursor;
        core->away++;
    }
    if (sink->joined_ms > 0 && now_ms - sink->joined_ms < RF_JOIN_STEADY_MS) {
        sink->join_delay_ms *= 4;
        sink->join_delay_ms =
            sink->join_delay_ms > RF_JOIN_MAX_MS ? RF_JOIN_MAX_MS : sink->join_delay_ms;
    } else {
        sink->join_delay_ms = RF_JOIN_MS;
    }
    sink->join_at_ms = now_ms + sink->join_delay_ms;
    sink->feed = sink->own;
    sink->cursor = sink->covered = sink->own->pool.next;
    sink->uncovered = sink->inside = sink->skipping = false;
    sink->uncovered_bytes = 0;
    sink->detached = true;
    sink->blamed = false;
    sink->blamed_ms = 0;
    core->changed = true;
    if (sink->actor.open && (why == RF_OWN_SLOW || sink->away)) {
        rf_core_recall(&sink->actor);
    }
    rf_feed_release(core, shared);
}

void rf_feed_leave(struct rf_core *core, struct rf_feed *feed)
{
    feed->located = feed->ended = feed->inside = feed->parked = feed->idle = false;
    feed->blocked_since_ms = -1;
    feed->inside_events = 0;
    feed->actor.tries = 0;
    feed->actor.retry_ms = 0;
    rf_buf_reset(&feed->actor.message);
    rf_core_recall(&feed->actor);
    rf_feed_release(core, feed);
    rf_pool_trim(&feed->pool);
    core->changed = true;
}

/* ------------------------------------------------------------------------- who holds back whom */

static bool takes_part(const struct rf_sink *sink, const struct rf_feed *feed)
{
    return rf_feed_serves(feed, sink) && !sink->actor.last;
}

/* It has done all that there is, and waits for the source to be read. */
static bool starves(const struct rf_sink *sink, const struct rf_feed *feed)
{
    const struct rf_actor *actor = &sink->actor;
    return takes_part(sink, feed) && actor->open && !actor->must_close && !sink->detached &&
           actor->doing.kind == RF_ACTION_WAIT && sink->cursor == feed->pool.next &&
           !sink->uncovered && !sink->record_pending && !sink->burying;
}

static bool anybody_starves(const struct rf_core *core, const struct rf_feed *feed)
{
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        if (starves(&core->sinks[i], feed)) {
            return true;
        }
    }
    return false;
}

/* When the sink, which keeps the oldest batch of a full pool, will have held back others for too
 * long. */
static int64_t parts_at(const struct rf_sink *sink, int64_t now_ms)
{
    int64_t stalled_ms = sink->progress_ms + RF_STALL_MS;
    int64_t slow_ms = now_ms + RF_SLOW_MS - sink->blamed_ms / RF_SLOW_FORGIVEN;
    return stalled_ms < slow_ms ? stalled_ms : slow_ms;
}

/* RF_SLOW_FORGIVEN for each ms in which it holds back others, less one for each other ms: a short
 * break does not begin it anew, and one that only sometimes is in the way stays. */
static void count_time(struct rf_core *core, int64_t now_ms)
{
    int64_t passed_ms = now_ms - core->looked_ms;
    core->looked_ms = now_ms;
    for (uint32_t i = 0; i < core->options.sink_count && passed_ms > 0; i++) {
        struct rf_sink *sink = &core->sinks[i];
        sink->blamed_ms += sink->blamed ? passed_ms * RF_SLOW_FORGIVEN : -passed_ms;
        sink->blamed_ms = sink->blamed_ms < 0 ? 0 : sink->blamed_ms;
    }
}

/* True: one was sent away; the next may be in the way now. */
static bool look_once(struct rf_core *core, int64_t now_ms)
{
    struct rf_feed *feed = rf_feed_shared(core);
    bool held = core->mode == RF_MODE_RUN && feed->located && !rf_feed_has_room(core, feed) &&
                feed->pool.head < feed->pool.next && anybody_starves(core, feed);
    core->look_at_ms = INT64_MAX;
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        struct rf_sink *sink = &core->sinks[i];
        sink->blamed = held && takes_part(sink, feed) && sink->covered == feed->pool.head;
        if (!sink->blamed) {
            continue;
        }
        int64_t at_ms = parts_at(sink, now_ms);
        if (now_ms >= at_ms) {
            rf_feed_part(core, sink, RF_OWN_SLOW, now_ms);
            return true;
        }
        core->look_at_ms = at_ms < core->look_at_ms ? at_ms : core->look_at_ms;
    }
    return false;
}

void rf_feed_look(struct rf_core *core, int64_t now_ms)
{
    if (core->options.sink_count == 1) {
        return;
    }
    count_time(core, now_ms);
    while (look_once(core, now_ms)) {
    }
}
