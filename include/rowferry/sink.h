/* The contract of a sink: where changes go.
 *
 * The rules of source.h hold: one thread at a time, zeroed state with its options filled in,
 * `close` exactly once, no log, no retry, no sleep. A sink needs no locks and no threads; batching,
 * flush timing, retry and metrics are the engine's. */
#ifndef ROWFERRY_SINK_H
#define ROWFERRY_SINK_H

#include <rowferry/batch.h>
#include <rowferry/format.h>
#include <rowferry/option.h>
#include <rowferry/source.h>

struct rf_sink_type {
    const char *name;
    const char *summary; /* one line for `rowferry sinks` */
    const char *example; /* a URL to copy */
    size_t state_size;
    const struct rf_option *options;
    const char *default_format; /* NULL: the sink takes no format */
    /* holds the rows' last state by key: tables without a key are refused by it */
    bool keeps_state;

    /* Connects and checks. ctx has the position and the note of the last recorded flush. A sink
     * whose destination keeps the position beside the data fills *resume with the destination's one
     * (its memory lives until close); it wins, higher or lower. None there while ctx->position is
     * not empty: RF_FATAL, "the destination lost its data or is another one", unless ctx->adopt or
     * ctx->ordered. A
     * destination-keeping sink raises the destination's epoch to ctx->epoch here and, at each
     * position write, finds a higher one: RF_FATAL, a second process. Returns RF_OK; RF_CONFIG;
     * RF_RETRY; RF_FATAL. */
    RF_USE_RESULT enum rf_status (*open)(void *state, const struct rf_context *ctx,
                                         struct rf_str *resume, struct rf_error *err);

    /* Accepts the view's events in order; there may be none, when all that is left of a transaction
     * is its end. The view stays valid until the covering flush. Nothing may be buffered past the
     * return that flush does not cover. Returns RF_OK; RF_RETRY; RF_CONFIG; RF_FATAL; RF_REJECT
     * with err->event: that one was not applied, all before it were, later ones may have been.
     * Never RF_AGAIN. */
    RF_USE_RESULT enum rf_status (*write)(void *state, const struct rf_view *view,
                                          struct rf_error *err);

    /* RF_OK only when everything accepted so far would survive the destination's crash. `position`
     * is the end of the last transaction that was accepted whole; it may lie before what was
     * accepted (inside a large transaction), and may come again, or without new events (all was
     * filtered, or a first start's position). An idle sink is flushed so every few seconds: that
     * tells whether the destination is still there, and still ours. `note`, empty on entry, takes
     * what describes the destination as it was AT position (a file's device, inode and length), so
     * a sink with a note remembers it at each transaction's end. Recorded in one transaction with
     * the position, before the next write; given back at open. Returns as write does. */
    RF_USE_RESULT enum rf_status (*flush)(void *state, struct rf_str position, struct rf_buf *note,
                                          struct rf_error *err);

    void (*close)(void *state);
    /* As in source.h: makes a blocked call return soon with RF_RETRY; sticky until close. NULL: no
     * call blocks. Thread: any. */
    void (*interrupt)(void *state);
    /* Looks for what is wrong with the options beyond each one's own form, as `open` does before
     * it contacts anybody; only `close` follows. NULL: only open can tell. Returns RF_OK;
     * RF_CONFIG. Thread: any. */
    RF_USE_RESULT enum rf_status (*check)(void *state, struct rf_error *err);
    /* As in source.h: looks at every precondition, writes nothing, takes nothing over. Only `close`
     * follows. NULL: there is nothing to look at. */
    RF_USE_RESULT enum rf_status (*examine)(void *state, const struct rf_context *ctx,
                                            struct rf_findings *findings, struct rf_error *err);
};

#endif
