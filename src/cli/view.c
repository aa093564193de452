#include "cli/view.h"

#include <stdio.h>

static enum rf_progress_state state_of(const struct rf_actor_snapshot *actor)
{
    switch (actor->phase) {
    case RF_PHASE_CONNECTING: return RF_PROGRESS_CONNECTING;
    case RF_PHASE_RETRYING: return RF_PROGRESS_RETRYING;
    case RF_PHASE_STREAMING:
        return actor->own_feed ? RF_PROGRESS_OWN_FEED
               : actor->idle   ? RF_PROGRESS_OK
                               : RF_PROGRESS_BUSY;
    case RF_PHASE_CLOSED:
    case RF_PHASE_FULL: return RF_PROGRESS_WAITING;
    case RF_PHASE_DONE: break;
    }
    return RF_PROGRESS_DONE;
}

/* A name that was given has no colon, as an address has; it may be long, and the line is short. */
static bool has_own_name(const struct rf_sink_spec *spec)
{
    return spec->name != NULL && spec->name[0] != '\0' && strchr(spec->name, ':') == NULL &&
           strcmp(spec->name, spec->type->name) != 0;
}

static uint32_t number_of(const struct rf_pipeline_options *options, uint32_t sink)
{
    uint32_t number = 1;

    for (uint32_t i = 0; i < sink; i++) {
        number += options->sinks[i].type == options->sinks[sink].type &&
                  !has_own_name(&options->sinks[i]);
    }
    return number;
}

/* Its own name; or "redis", and "redis#2" for the second of them that has none. */
static void name_sink(struct rf_progress_actor *out, const struct rf_pipeline_options *options,
                      uint32_t sink)
{
    const struct rf_sink_spec *spec = &options->sinks[sink];
    uint32_t number = number_of(options, sink);

    if (has_own_name(spec)) {
        snprintf(out->name, sizeof out->name, "%s", spec->name);
    } else if (number > 1) {
        snprintf(out->name, sizeof out->name, "%s#%u", spec->type->name, number);
    } else {
        snprintf(out->name, sizeof out->name, "%s", spec->type->name);
    }
}

void rf_view_progress(struct rf_progress *out, const struct rf_pipeline_options *options,
                      const struct rf_pipeline_snapshot *snapshot)
{
    *out = (struct rf_progress){
        .position = rf_buf_str(&snapshot->source.position),
        .events = snapshot->source.events,
        .waived = snapshot->source.waived,
        .lag_us = -1,
        .source = {.state = state_of(&snapshot->source),
                   .retry_in_ms = snapshot->source.retry_in_ms},
    };
    bool unknown = false;

    snprintf(out->source.name, sizeof out->source.name, "%s", options->source.type->name);
    for (uint32_t i = 0; i < snapshot->sink_count; i++) {
        const struct rf_actor_snapshot *sink = &snapshot->sinks[i];
        unknown = unknown || sink->lag_ms < 0;
        if (sink->lag_ms * 1000 > out->lag_us) {
            out->lag_us = sink->lag_ms * 1000;
        }
        if (i >= RF_PROGRESS_SINKS_MAX) {
            out->more_sinks++;
            continue;
        }
        name_sink(&out->sinks[i], options, i);
        out->sinks[i].state = state_of(sink);
        out->sinks[i].retry_in_ms = sink->retry_in_ms;
        out->sinks[i].lag_us = sink->lag_ms < 0 ? -1 : sink->lag_ms * 1000;
        out->sinks[i].buried = sink->buried;
        out->sink_count = i + 1;
    }
    if (unknown) {
        out->lag_us = -1; /* the slowest may be that one */
    }
}
