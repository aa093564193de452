/* The sink that throws everything away. For measuring a source alone, and as the smallest complete sink: docs/adding-a-sink.md
 * walks through it. */
#include <rowferry/sink.h>

/* One instance. The engine allocates it zeroed, and one thread at a time uses it. */
struct null_sink {
    uint64_t accepted; /* events that write was given */
    uint64_t flushed;  /* of these, the ones that a flush has covered */
};

/* Nothing can be set. The table is there all the same, so that a wrong option is an error and not silence. */
static const struct rf_option null_options[] = {RF_OPTION_END};

static enum rf_status null_open(void *state, const struct rf_context *ctx, struct rf_str *resume,
                                struct rf_error *err)
{
    (void)state;
    (void)ctx;
    (void)resume; /* left empty: the destination keeps no position, the engine's checkpoint does */
    (void)err;
    return RF_OK;
}

static enum rf_status null_write(void *state, const struct rf_view *view, struct rf_error *err)
{
    struct null_sink *sink = state;
    (void)err;
    sink->accepted += view->count;
    return RF_OK;
}

static enum rf_status null_flush(void *state, struct rf_str position, struct rf_buf *note,
                                 struct rf_error *err)
{
    struct null_sink *sink = state;
    (void)position;
    (void)note; /* left empty: there is nothing to find again at the next open */
    (void)err;
    sink->flushed = sink->accepted;
    return RF_OK;
}

static void null_close(void *state)
{
    struct null_sink *sink = state;
    *sink = (struct null_sink){0};
}

const struct rf_sink_type rf_sink_null = {
    .name = "null",
    .summary = "throws everything away, to measure a source alone",
    .example = "null:",
    .state_size = sizeof(struct null_sink),
    .options = null_options,
    .open = null_open,
    .write = null_write,
    .flush = null_flush,
    .close = null_close,
};
