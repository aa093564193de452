/* Where a source begins: at the oldest position of the sinks that take from its feed. And at a
 * start: which sinks begin together. */
#include "engine/core_state.h"

#include <stdio.h>

static bool counts(const struct rf_sink *sink)
{
    return !sink->actor.exited && !sink->actor.last;
}

/* The sink of the feed (NULL: of all) whose position lies inside those of the others; NULL: no
 * sink has one. Two of which neither contains the other are an error: *other is then the second
 * one. */
static struct rf_sink *oldest(struct rf_core *core, const struct rf_feed *feed,
                              struct rf_sink **other)
{
    struct rf_sink *found = NULL;
    *other = NULL;
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        struct rf_sink *sink = &core->sinks[i];
        const struct rf_buf *at = rf_sink_standing(sink);
        if (!counts(sink) || (feed != NULL && sink->feed != feed) || at->size == 0) {
            continue;
        }
        if (found == NULL || rf_core_contains(core, rf_sink_standing(found), rf_buf_str(at))) {
            found = sink;
        } else if (!rf_core_contains(core, at, rf_buf_str(rf_sink_standing(found)))) {
            *other = sink;
            return found;
        }
    }
    return found;
}

/* False: there are two positions that do not go together, which ends the pipeline. */
static bool positions_agree(struct rf_core *core, struct rf_feed *feed, int64_t now_ms)
{
    struct rf_sink *other, *one = oldest(core, NULL, &other);
    if (other == NULL) {
        return true;
    }
    struct rf_error err = {0};
    rf_fail(&err, RF_FATAL,
            "sinks %u and %u stand at positions of which neither contains the other: \"%.*s\" and "
            "\"%.*s\"",
            one->actor.id, other->actor.id, RF_STR_ARG(rf_buf_str(rf_sink_standing(one))),
            RF_STR_ARG(rf_buf_str(rf_sink_standing(other))));
    rf_error_hint(&err, "they cannot share one source any more: give one of them a pipeline of its "
                        "own (--name), or reset "
                        "its position");
    rf_core_end(core, &feed->actor, 3, &err, now_ms);
    return false;
}

/* -------------------------------------------------------------------------- who begins together */

/* A new sink begins where `from` says; when the others are elsewhere, it does so alone. */
static void part_added(struct rf_core *core, int64_t now_ms)
{
    struct rf_sink *old = NULL;
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        struct rf_sink *sink = &core->sinks[i];
        if (counts(sink) && !sink->added &&
            (old == NULL ||
             rf_core_contains(core, rf_sink_standing(old), rf_buf_str(rf_sink_standing(sink))))) {
            old = sink;
        }
    }
    for (uint32_t i = 0; old != NULL && i < core->options.sink_count; i++) {
        struct rf_sink *sink = &core->sinks[i];
        if (counts(sink) && sink->added &&
            !rf_core_same(core, rf_buf_str(rf_sink_standing(sink)),
                          rf_buf_str(rf_sink_standing(old)))) {
            rf_feed_part(core, sink, RF_OWN_ADDED, now_ms);
        }
    }
}

/* How far behind one is that was set back is not known: its position has no time. One of those who
 * share the feed always stays. */
static bool lies_behind_another(const struct rf_core *core, const struct rf_sink *sink)
{
    const struct rf_buf *mine = rf_sink_standing(sink);
    for (uint32_t i = 0; sink->set_back && i < core->options.sink_count; i++) {
        const struct rf_sink *other = &core->sinks[i];
        const struct rf_buf *theirs = rf_sink_standing(other);
        if (counts(other) && !rf_feed_is_own(other) &&
            rf_core_contains(core, theirs, rf_buf_str(mine)) &&
            !rf_core_contains(core, mine, rf_buf_str(theirs))) {
            return true;
        }
    }
    return false;
}

/* One that is far behind would make the others wait, and then have them in its way. */
static void part_behind(struct rf_core *core, int64_t now_ms)
{
    int64_t newest_us = 0;
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        const struct rf_sink *sink = &core->sinks[i];
        if (counts(sink) && sink->durable.commit_us > newest_us) {
            newest_us = sink->durable.commit_us;
        }
    }
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        struct rf_sink *sink = &core->sinks[i];
        int64_t commit_us = sink->durable.commit_us;
        if (counts(sink) && !rf_feed_is_own(sink) &&
            (lies_behind_another(core, sink) ||
             (commit_us != 0 && newest_us - commit_us > RF_BEHIND_US))) {
            rf_feed_part(core, sink, RF_OWN_BEHIND, now_ms);
        }
    }
}

static void assign(struct rf_core *core, int64_t now_ms)
{
    if (!core->assigned) {
        core->assigned = true;
        part_added(core, now_ms);
        part_behind(core, now_ms);
    }
}

/* ------------------------------------------------------------------------------- where to begin */

bool rf_locate(struct rf_core *core, struct rf_feed *feed, int64_t now_ms)
{
    rf_buf_reset(&feed->opening);
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        struct rf_sink *sink = &core->sinks[i];
        if (sink->feed == feed && counts(sink) && rf_sink_standing(sink)->size == 0) {
            return true; /* the source says what `from` means */
        }
    }
    if (!positions_agree(core, feed, now_ms)) {
        return false;
    }
    assign(core, now_ms);
    struct rf_sink *other, *sink = oldest(core, feed, &other);
    rf_assert(sink != NULL);
    rf_buf_set(&feed->opening, rf_buf_str(rf_sink_standing(sink)));
    return true;
}

/* The source told where `from` is: sinks without a position begin there. */
static void give_first_position(struct rf_core *core, struct rf_feed *feed, struct rf_str position)
{
    core->mark++;
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        struct rf_sink *sink = &core->sinks[i];
        if (rf_feed_serves(feed, sink) && rf_sink_standing(sink)->size == 0) {
            rf_buf_set(&sink->accepted.position, position);
            sink->accepted.mark = core->mark;
            sink->added = true;
            rf_buf_set(&rf_core_tell(core, RF_NEWS_FIRST, sink->actor.id)->position, position);
        }
    }
}

static void begin(struct rf_core *core, struct rf_feed *feed, int64_t now_ms)
{
    struct rf_sink *other, *sink = oldest(core, feed, &other);
    rf_assert(feed != rf_feed_shared(core) || core->joining == 0);
    feed->located = true;
    feed->ended = feed->inside = feed->idle = feed->careful = false;
    feed->first = feed->pool.next;
    feed->current_ms = 0;
    feed->waived_before = 0;
    feed->cut_at = UINT64_MAX;
    feed->counted = sink ? sink->accepted.events : 0;
    feed->commit_us = sink ? sink->accepted.commit_us : 0;
    for (uint32_t i = 0; i < core->options.sink_count; i++) {
        struct rf_sink *each = &core->sinks[i];
        if (rf_feed_serves(feed, each)) {
            rf_sink_restart(core, each, now_ms);
        }
    }
    rf_feed_release(core, feed);
}

/* True when the source stands where it was asked to. */
static bool stands(struct rf_core *core, struct rf_feed *feed, struct rf_str position,
                   int64_t now_ms)
{
    if (feed->opening.size == 0) {
        give_first_position(core, feed, position);
        if (!positions_agree(core, feed, now_ms)) {
            return false;
        }
        assign(core, now_ms);
        struct rf_sink *other, *sink = oldest(core, feed, &other);
        /* Else it is opened again at the oldest position. */
        return sink != NULL && rf_core_same(core, rf_buf_str(rf_sink_standing(sink)), position);
    }
    if (rf_core_same(core, rf_buf_str(&feed->opening), position)) {
        return true;
    }
    struct rf_error err = {0};
    rf_fail(&err, RF_FATAL, "the source was asked to go on at \"%.*s\" but stands at \"%.*s\"",
            RF_STR_ARG(rf_buf_str(&feed->opening)), RF_STR_ARG(position));
    rf_core_end(core, &feed->actor, 3, &err, now_ms);
    return false;
}

void rf_located(struct rf_core *core, struct rf_feed *feed, struct rf_str position, int64_t now_ms)
{
    rf_assert(position.size > 0);
    feed->parked = false;
    feed->blocked_since_ms = -1;
    if (!stands(core, feed, position, now_ms)) {
        feed->actor.must_close = true;
        return;
    }
    rf_buf_set(&feed->position, position);
    rf_core_tell_opened(core, &feed->actor, position);
    if (!feed->located) {
        begin(core, feed, now_ms);
        if (rf_until_reached(core, feed)) {
            rf_source_ends(core, feed);
        }
    }
}

void rf_locate_again(struct rf_core *core, struct rf_feed *feed, const struct rf_sink *sink,
                     int64_t now_ms)
{
    if (!feed->located) {
        return; /* it is on its way already, and looks at every sink */
    }
    feed->located = feed->ended = feed->parked = false;
    rf_buf_set(&rf_core_tell(core, RF_NEWS_REWIND, sink->actor.id)->position,
               rf_buf_str(&sink->accepted.position));
    rf_core_recall(&feed->actor);
    rf_join_yield(core, now_ms);
}
