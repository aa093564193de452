/* The core's decisions as lines of the log, for a person who was woken by them. */
#include "engine/worker.h"

#include <rowferry/log.h>

/* "sink redis://..." is enough to find the line of the configuration. */
static void name_actor(const struct rf_pipeline *pipeline, uint32_t id, struct rf_buf *out)
{
    const struct rf_worker *worker = &pipeline->workers[id];
    if (worker->sink != NULL) {
        rf_buf_printf(out, "%s %s", worker->sink->type->name, worker->address);
    } else if (worker->feed == 0) {
        rf_buf_printf(out, "source %s", worker->address);
    } else {
        const struct rf_sink_spec *sink = &pipeline->options.sinks[worker->feed - 1];
        rf_buf_printf(out, "source %s for %s alone", worker->address, sink->address);
    }
}

static const char *reason_of(enum rf_own_feed why)
{
    switch (why) {
    case RF_OWN_SLOW: return "it was too slow for the others, which waited for it";
    case RF_OWN_BEHIND: return "it stands far behind the others";
    case RF_OWN_ADDED: return "it begins at another place than the others";
    case RF_OWN_RETURNED:
        return "it came back, and what it needs next is not kept in memory any more";
    }
    return "it cannot go along with the others";
}

static void add_retry(const struct rf_news *news, struct rf_buf *out)
{
    rf_buf_printf(out, "; trying again in %.1f s (try %u)", (double)news->delay_ms / 1000,
                  news->try);
}

static void describe(const struct rf_pipeline *pipeline, const struct rf_news *news,
                     struct rf_buf *out)
{
    name_actor(pipeline, news->actor, out);
    rf_buf_add_byte(out, '\t'); /* no address has one */
    switch (news->kind) {
    case RF_NEWS_OPENED:
        rf_buf_printf(out, news->try > 0 ? "answers again, and goes on at %.*s" : "open at %.*s",
                      RF_STR_ARG(news->position));
        break;
    case RF_NEWS_FIRST:
        rf_buf_printf(out, "no position is known yet, so it begins at %.*s",
                      RF_STR_ARG(news->position));
        break;
    case RF_NEWS_MOVED:
        rf_buf_printf(out,
                      "the destination itself stands %s what was recorded, and it decides: %.*s",
                      news->behind ? "before" : "ahead of", RF_STR_ARG(news->position));
        break;
    case RF_NEWS_RETRY:
        rf_buf_printf(out, "%s", news->message);
        add_retry(news, out);
        break;
    case RF_NEWS_GAVE_UP:
        rf_buf_printf(out, "%s; left as it is, the next start goes on from the recorded position",
                      news->message);
        break;
    case RF_NEWS_RECORD:
        rf_buf_printf(out, "the position could not be saved: %s", news->message);
        add_retry(news, out);
        break;
    case RF_NEWS_REOPEN:
        rf_buf_printf(out, "opened anew at %.*s, as the source was lost inside a transaction",
                      RF_STR_ARG(news->position));
        break;
    case RF_NEWS_REWIND:
        rf_buf_printf(out, "stands before what is held; the source goes back to %.*s",
                      RF_STR_ARG(news->position));
        break;
    case RF_NEWS_PARKED:
        rf_buf_printf(out, "closed for now, as the sinks have not kept up for 30 s");
        break;
    case RF_NEWS_OWN_FEED:
        rf_buf_printf(out,
                      "%s; it gets a feed of its own, from %.*s on, so that nobody waits for it, "
                      "and goes along with the others again once it has caught up",
                      reason_of(news->why), RF_STR_ARG(news->position));
        break;
    case RF_NEWS_REJOINED:
        rf_buf_printf(out, "caught up at %.*s; it goes along with the others again",
                      RF_STR_ARG(news->position));
        break;
    case RF_NEWS_BURIED:
        rf_buf_printf(out, "%s; the event is in %s, and the sink goes on without it", news->message,
                      pipeline->workers[news->actor].sink->dead_letters);
        break;
    case RF_NEWS_ENDED: rf_buf_printf(out, "came to its end"); break;
    case RF_NEWS_FAILED:
        rf_buf_printf(out, "failed; the pipeline ends with exit code %d", news->code);
        break;
    case RF_NEWS_EXPIRED:
        rf_buf_printf(out, "the stop took too long; leaving without a last flush, nothing is lost");
        break;
    }
    if (news->hint[0] != '\0' && news->kind != RF_NEWS_FAILED) {
        rf_buf_printf(out, " (%s)", news->hint);
    }
}

static enum rf_level level_of(const struct rf_pipeline *pipeline, const struct rf_news *news)
{
    switch (news->kind) {
    case RF_NEWS_FIRST: /* always so where nothing is kept */
        return pipeline->checkpoint ? RF_LOG_INFO : RF_LOG_DEBUG;
    case RF_NEWS_OPENED: return news->try > 0 ? RF_LOG_INFO : RF_LOG_DEBUG;
    case RF_NEWS_ENDED: return RF_LOG_DEBUG;
    case RF_NEWS_OWN_FEED: /* that one is slow somebody should know; the rest is as it must be */
        return news->why == RF_OWN_SLOW ? RF_LOG_WARN : RF_LOG_INFO;
    case RF_NEWS_MOVED:
    case RF_NEWS_REOPEN:
    case RF_NEWS_REWIND:
    case RF_NEWS_REJOINED:
    case RF_NEWS_FAILED: return RF_LOG_INFO; /* the error itself is printed by the caller */
    default: return RF_LOG_WARN;
    }
}

void rf_news_collect(struct rf_pipeline *pipeline, struct rf_buf *log)
{
    struct rf_news news;
    while (rf_core_take_news(pipeline->core, &news)) {
        rf_buf_add_byte(log, (char)('0' + level_of(pipeline, &news)));
        describe(pipeline, &news, log);
        rf_buf_add_byte(log, '\n');
    }
}

void rf_news_tell(struct rf_buf *log)
{
    struct rf_str rest = rf_buf_str(log), line;
    while (rest.size > 0 && rf_str_split(&rest, '\n', &line)) {
        if (line.size > 1) {
            struct rf_log_entry entry = {.level = (enum rf_level)(line.data[0] - '0')};
            entry.message = (struct rf_str){line.data + 1, line.size - 1};
            (void)rf_str_split(&entry.message, '\t', &entry.actor);
            rf_log_write(&entry);
        }
    }
    rf_buf_reset(log);
}
