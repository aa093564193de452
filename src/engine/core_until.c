/* Where the pipeline is to end: behind a position, before a time, after so many events.
 *
 * A batch has one position, behind its last transaction; one inside it is not known. So a batch
 * that goes past the end is not handed over: the source is opened again where it began, and read
 * in batches of one transaction each as soon as the end may lie in the next one of the usual
 * size. Then the end lies between two batches, and all that was recorded is exact. */
#include "engine/core_state.h"

/* The last event of the limit was handed over before the number-th one that the feed counts. */
static bool limit_reached(const struct rf_core *core, uint64_t number)
{
    return core->options.limit > 0 && number >= core->options.limit;
}

static bool behind_the_end(const struct rf_core *core, const struct rf_feed *feed,
                           const struct rf_transaction *transaction)
{
    const struct rf_core_options *o = &core->options;
    return transaction->begins && ((o->until.size > 0 && !o->contains(o->until, transaction->id)) ||
                                   (o->until_us != 0 && transaction->commit_us >= o->until_us) ||
                                   limit_reached(core, feed->counted + transaction->first));
}

static bool has_end(const struct rf_core_options *o)
{
    return o->until.size > 0 || o->until_us != 0 || o->limit > 0;
}

enum rf_until rf_until_look(const struct rf_core *core, const struct rf_feed *feed,
                            const struct rf_batch *batch, uint64_t *events)
{
    if (!has_end(&core->options)) {
        return RF_UNTIL_BEFORE;
    }
    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        if (behind_the_end(core, feed, &batch->transactions[i])) {
            *events = batch->transactions[i].first;
            return i == 0 ? RF_UNTIL_BEHIND : RF_UNTIL_INSIDE;
        }
    }
    return RF_UNTIL_BEFORE;
}

bool rf_until_reached(const struct rf_core *core, const struct rf_feed *feed)
{
    const struct rf_core_options *o = &core->options;
    return !feed->inside &&
           ((o->until.size > 0 && rf_core_contains(core, &feed->position, o->until)) ||
            (o->until_us != 0 && feed->commit_us >= o->until_us) ||
            limit_reached(core, feed->counted));
}

bool rf_until_passed(const struct rf_core *core, int64_t now_ms)
{
    const struct rf_core_options *o = &core->options;
    return o->until_us != 0 && o->until_at_ms != 0 && now_ms >= o->until_at_ms;
}

size_t rf_until_batch_bytes(const struct rf_core *core, const struct rf_feed *feed)
{
    uint64_t end = core->options.limit > 0 ? core->options.limit : UINT64_MAX;
    end = feed->cut_at < end ? feed->cut_at : end;
    uint64_t left = end > feed->counted ? end - feed->counted : 0;
    bool near = left <= feed->pool.batch_bytes / sizeof(struct rf_event);
    return near || feed->careful ? 1 : feed->pool.batch_bytes;
}
