/* The contract of a transform: what becomes of an event on its way to one sink.
 *
 * Each sink has its own instances, applied in the order of src/transform/transforms.def, before the
 * sink sees anything. A transform's options stand beside those of the sink; it is used when one of
 * them is set. It does no I/O. The rules of source.h hold: one thread at a time, zeroed state with
 * its options filled in, `close` exactly once, also after a failed `open`. */
#ifndef ROWFERRY_TRANSFORM_H
#define ROWFERRY_TRANSFORM_H

#include <rowferry/batch.h>
#include <rowferry/option.h>

struct rf_transform_type {
    const char *name;
    const char *summary; /* one line for the documentation */
    size_t state_size;
    const struct rf_option *options;

    /* Checks what can be checked without an event. Returns RF_OK or RF_CONFIG. */
    RF_USE_RESULT enum rf_status (*open)(void *state, struct rf_error *err);

    /* Changes `event`, a copy that is the caller's; what it points to is shared by all sinks and is
     * never changed but replaced: values by others from the arena, which lives as long as the view;
     * the table by one of the transform's own, which lives until close. Its place (transaction,
     * ordinal, row) stays. *drop, false before: the sink is not to see it. Returns RF_OK; RF_REJECT
     * (this event cannot be transformed; err->event need not be set); RF_CONFIG (the options do not
     * fit the table). */
    RF_USE_RESULT enum rf_status (*apply)(void *state, struct rf_event *event, bool *drop,
                                          struct rf_arena *arena, struct rf_error *err);

    void (*close)(void *state);
};

#endif
