/* What the core tells: pieces of news, and how its actors are. */
#include "engine/core_state.h"

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

void rf_core_tell_opened(struct rf_core *core, const struct rf_actor *actor, struct rf_str position)
{
    struct rf_news_item *item = rf_core_tell(core, RF_NEWS_OPENED, actor->id);
    item->news.try = actor->tries;
    rf_buf_set(&item->position, position);
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

static void deinit_news(struct rf_news_item *item)
{
    rf_buf_deinit(&item->message);
    rf_buf_deinit(&item->hint);
    rf_buf_deinit(&item->position);
}

void rf_news_deinit(struct rf_core *core)
{
    for (uint32_t i = 0; i < RF_NEWS_MAX; i++) {
        deinit_news(&core->news[i]);
    }
    deinit_news(&core->taken);
}

/* --------------------------------------------------------------------------------------- status */

static enum rf_phase phase_of(const struct rf_core *core, const struct rf_actor *actor)
{
    if (actor->exited || (actor->last && !actor->instance)) {
        return RF_PHASE_DONE;
    }
    if (actor->open) {
        const struct rf_feed *feed = rf_core_feed(core, actor->id);
        return feed != NULL && feed->blocked_since_ms >= 0 ? RF_PHASE_FULL : RF_PHASE_STREAMING;
    }
    if (actor->tries > 0) {
        return RF_PHASE_RETRYING;
    }
    return actor->instance ? RF_PHASE_CONNECTING : RF_PHASE_CLOSED;
}

void rf_core_status(const struct rf_core *core, uint32_t id, struct rf_core_status *out)
{
    const struct rf_feed *feed = rf_core_feed(core, id);
    const struct rf_sink *sink = feed == NULL ? &core->sinks[id - RF_CORE_SINK] : NULL;
    const struct rf_actor *actor = feed != NULL ? &feed->actor : &sink->actor;
    *out = (struct rf_core_status){
        .phase = phase_of(core, actor),
        .opened = actor->ever_opened,
        .try = actor->tries,
        .retry_ms = actor->retry_ms,
        .message = actor->message.size > 0 ? actor->message.data : "",
    };
    if (feed != NULL) {
        out->events = feed->events;
        out->transactions = feed->transactions;
        out->skipped = feed->skipped;
        out->waived = feed->waived;
        out->marked = feed->marked;
        out->gone = feed->gone;
        out->current_ms = feed->current_ms;
        out->held_bytes = feed->pool.bytes + feed->pool.aside_bytes;
        out->commit_us = feed->commit_us;
        out->position = rf_buf_str(&feed->position);
        out->idle = feed->idle;
    } else {
        feed = sink->feed;
        out->events = sink->events;
        out->transactions = sink->transactions;
        out->waived = sink->waived;
        out->buried = sink->buried;
        out->own_feed = rf_feed_is_own(sink);
        out->current_ms = feed->current_ms;
        out->commit_us = sink->accepted.commit_us;
        out->recorded_commit_us = sink->recorded.commit_us;
        out->position = rf_buf_str(&sink->accepted.position);
        out->recorded = rf_buf_str(&sink->recorded.position);
        out->losses = sink->losses;
        out->idle = sink->actor.open && !sink->detached && sink->cursor == feed->pool.next &&
                    !rf_sink_dirty(sink) && !sink->record_pending;
    }
}
