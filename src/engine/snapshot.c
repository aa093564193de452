/* Snapshots: how a pipeline does, for people and for the state of the process. */
#include "engine/worker.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdlib.h>

/* How old a change may be that the sink does not have on record: two bounds, of which the better
 * one counts. All that the upstream had at complete_ms is on record; and so is the last recorded
 * transaction, and all before it. */
static int64_t lag_ms(struct rf_worker *worker, const struct rf_core_status *status)
{
    int64_t now_ms = rf_clock_ms(), least = -1;
    if (status->losses != worker->losses) {
        worker->losses = status->losses;
        worker->complete_ms = 0;
    }
    if (status->idle && status->current_ms > worker->complete_ms) {
        worker->complete_ms = status->current_ms;
    }
    if (worker->complete_ms > 0) {
        least = now_ms - worker->complete_ms;
    }
    if (status->recorded_commit_us > 0) {
        /* The other end's clock may be ahead of ours: then we only know that it is not 0. */
        int64_t behind = (rf_clock_wall_us() - status->recorded_commit_us) / 1000;
        behind = behind > 1 ? behind : 1;
        least = least < 0 || behind < least ? behind : least;
    }
    return least == 0 && !status->idle ? 1 : least;
}

static int64_t call_ms(const struct rf_worker *worker)
{
    return worker->call_since_ms > 0 ? rf_clock_ms() - worker->call_since_ms : 0;
}

static void snap(struct rf_pipeline *pipeline, uint32_t id, struct rf_actor_snapshot *out)
{
    struct rf_core_status status;
    rf_core_status(pipeline->core, id, &status);
    int64_t retry_in_ms = status.retry_ms - rf_clock_ms();
    out->address = pipeline->workers[id].address;
    out->phase = status.phase;
    out->opened = status.opened;
    out->try = status.try;
    out->retry_in_ms = status.phase == RF_PHASE_RETRYING && retry_in_ms > 0 ? retry_in_ms : 0;
    out->events = status.events;
    out->transactions = status.transactions;
    out->skipped = status.skipped;
    out->waived = status.waived;
    out->marked = status.marked;
    out->gone = status.gone;
    out->buried = status.buried;
    out->own_feed = status.own_feed;
    out->held_bytes = status.held_bytes;
    out->commit_us = status.commit_us;
    out->idle = status.idle;
    out->lag_ms = pipeline->workers[id].sink ? lag_ms(&pipeline->workers[id], &status) : -1;
    out->call_ms = call_ms(&pipeline->workers[id]);
    if (pipeline->workers[id].sink != NULL) {
        /* The source of its own feed, which nobody else shows. */
        int64_t more_ms = call_ms(&pipeline->workers[id + pipeline->options.sink_count]);
        out->call_ms = more_ms > out->call_ms ? more_ms : out->call_ms;
    }
    rf_buf_set(&out->position, status.position);
    rf_buf_set(&out->recorded, status.recorded);
    rf_buf_set(&out->message, rf_str_of(status.message));
    if (status.own_feed && out->message.size == 0) {
        rf_core_status(pipeline->core, id + pipeline->options.sink_count, &status);
        rf_buf_set(&out->message, rf_str_of(status.message));
    }
    rf_buf_cstr(&out->message);
}

void rf_pipeline_snapshot(struct rf_pipeline *pipeline, struct rf_pipeline_snapshot *out)
{
    uint32_t sink_count = pipeline->options.sink_count;
    if (out->sinks == NULL) {
        out->sinks = rf_alloc_zero(sink_count, sizeof *out->sinks);
        out->sink_count = sink_count;
    }
    rf_assert(out->sink_count == sink_count);
    pthread_mutex_lock(&pipeline->mutex);
    snap(pipeline, RF_CORE_SOURCE, &out->source);
    for (uint32_t i = 0; i < sink_count; i++) {
        snap(pipeline, RF_CORE_SINK + i, &out->sinks[i]);
    }
    out->stopping = pipeline->stopping;
    pthread_mutex_unlock(&pipeline->mutex);
}

static void actor_deinit(struct rf_actor_snapshot *actor)
{
    rf_buf_deinit(&actor->position);
    rf_buf_deinit(&actor->recorded);
    rf_buf_deinit(&actor->message);
}

void rf_pipeline_snapshot_deinit(struct rf_pipeline_snapshot *snapshot)
{
    actor_deinit(&snapshot->source);
    for (uint32_t i = 0; i < snapshot->sink_count; i++) {
        actor_deinit(&snapshot->sinks[i]);
    }
    free(snapshot->sinks);
    *snapshot = (struct rf_pipeline_snapshot){0};
}

const char *rf_phase_name(enum rf_phase phase)
{
    static const char *const names[] = {"closed",    "connecting", "retrying",
                                        "streaming", "full",       "done"};
    return (unsigned)phase < sizeof names / sizeof *names ? names[phase] : "unknown";
}
