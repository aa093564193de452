/* Views: what one sink is given of the batches that all sinks share.
 *
 * What the core hands out goes through as it is, at no cost, unless there is something to change:
 * transforms, events that were buried, or the last event of a run. Then the sink is given a shadow:
 * a batch of its own with copies of events and transactions, which borrows all that they point to.
 * Everything lives until the covering flush, also the views themselves. Used by one thread, the
 * sink's. */
#ifndef ROWFERRY_ENGINE_VIEWS_H
#define ROWFERRY_ENGINE_VIEWS_H

#include "engine/buried.h"
#include "engine/pipeline.h"

/* One that was given since the last covering flush. */
struct rf_given {
    struct rf_given *before;
    struct rf_view whole; /* as the core has it */
    struct rf_view view;  /* as the sink has it */
};

/* Zeroed is empty and valid. */
struct rf_views {
    const struct rf_sink_spec *spec; /* while it is open */
    void *states[RF_TRANSFORMS_MAX];
    uint32_t state_count;
    struct rf_arena options; /* of the transforms */
    struct rf_arena memory;  /* what was given and is not covered yet */
    struct rf_given *last;
    uint64_t events_left; /* those that the sink may still be given */
};

/* Opens the sink's transforms. events_left: UINT64_MAX for any number. Close it in any case.
 * Returns RF_OK or RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_views_open(struct rf_views *views, const struct rf_sink_spec *spec,
                                           uint64_t events_left, struct rf_error *err);

/* *out: the view for the sink. Returns RF_OK; RF_REJECT, RF_CONFIG: of a transform, err->event is
 * set. */
RF_USE_RESULT enum rf_status rf_views_give(struct rf_views *views, const struct rf_buried *buried,
                                           const struct rf_view *whole, const struct rf_view **out,
                                           struct rf_error *err);

/* A flush covered all that was given; nothing of it is valid any more. */
void rf_views_covered(struct rf_views *views);

/* The view in which this event lies; NULL: in none that is still valid. *as_given, which may be
 * NULL: the sink was given the event so, else it is as the source read it. */
const struct rf_view *rf_views_find(const struct rf_views *views, const void *event,
                                    bool *as_given);

/* Accepts a zeroed one. What was given is gone. */
void rf_views_close(struct rf_views *views);
/* Closes it, and gives its memory back. */
void rf_views_deinit(struct rf_views *views);

#endif
