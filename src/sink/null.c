/* The sink `null`: takes everything, keeps nothing, and counts.
 *
 * It is the smallest whole sink; docs/adding-a-sink.md explains it line by line. Its count lives in
 * the note that the engine records together with the position, so that it is exact over any crash:
 * every event counts once, however often it was handed over. */
#include <rowferry/sink.h>

struct null_sink {
    bool rows; /* option: leave DDL and TRUNCATE out */

    uint64_t accepted; /* counted so far */
    uint64_t ended; /* counted up to the end of the last transaction that was handed over whole */
};

static enum rf_status null_open(void *state, const struct rf_context *ctx, struct rf_str *resume,
                                struct rf_error *err)
{
    struct null_sink *sink = state;
    (void)resume; /* nothing of the position is kept by ourselves */
    if (ctx->note.size > 0 && !rf_str_to_u64(ctx->note, &sink->ended)) {
        return rf_fail(err, RF_FATAL, "the note '%.*s' of %s is not a number of events",
                       RF_STR_ARG(ctx->note), ctx->instance);
    }
    sink->accepted = sink->ended;
    return RF_OK;
}

static enum rf_status null_write(void *state, const struct rf_view *view, struct rf_error *err)
{
    struct null_sink *sink = state;
    (void)err;
    const struct rf_event *event = view->events;
    for (uint32_t i = 0; i < view->transaction_count; i++) {
        const struct rf_transaction *transaction = &view->transactions[i];
        for (uint32_t j = 0; j < transaction->count; j++, event++) {
            bool statement = event->op == RF_DDL || event->op == RF_TRUNCATE;
            sink->accepted += !(sink->rows && statement);
        }
        if (transaction->ends) {
            sink->ended = sink->accepted;
        }
    }
    return RF_OK;
}

static enum rf_status null_flush(void *state, struct rf_str position, struct rf_buf *note,
                                 struct rf_error *err)
{
    const struct null_sink *sink = state;
    (void)position;
    (void)err;
    rf_buf_add_u64(note, sink->ended);
    return RF_OK;
}

static void null_close(void *state)
{
    (void)state; /* there is nothing to give back */
}

static const struct rf_option null_options[] = {
    {"rows", RF_OPTION_BOOL, offsetof(struct null_sink, rows), "off", NULL,
     "count changes of rows only, no statements", false},
    RF_OPTION_END,
};

const struct rf_sink_type rf_sink_null = {
    .name = "null",
    .summary = "takes everything and only counts it",
    .example = "null:",
    .state_size = sizeof(struct null_sink),
    .options = null_options,
    .open = null_open,
    .write = null_write,
    .flush = null_flush,
    .close = null_close,
};
