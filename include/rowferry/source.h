/* The contract of a source: where changes come from.
 *
 * One instance is used by one thread at a time, but for `interrupt`. State comes zeroed, with its
 * options filled in. `close` runs exactly once, also after a failed `open`, and accepts zeroed
 * fields, so `open` never cleans up. A source returns errors; it does not log, retry, sleep or
 * exit, and no call blocks for longer than 10 s past its deadline. */
#ifndef ROWFERRY_SOURCE_H
#define ROWFERRY_SOURCE_H

#include <rowferry/batch.h>
#include <rowferry/finding.h>
#include <rowferry/option.h>

/* A place that is recorded for one of a pipeline's sinks. */
struct rf_recorded {
    const char *sink;
    struct rf_str position;
};

/* What the engine tells a plugin at open. Borrowed; valid until close. */
struct rf_context {
    const char *pipeline; /* the pipeline's name: keys positions in destinations */
    const char *instance; /* the plugin's name inside the pipeline: its address, never a secret */
    /* sources: where to begin without a position: "now", "earliest", or a position as a
     * person writes it */
    struct rf_str from;
    struct rf_str position; /* sinks: of the last recorded flush; empty: none */
    struct rf_str note;     /* sinks: the note of that flush */
    bool first_start;       /* sinks: the pipeline's own state knows nothing of this sink */
    /* sinks: the operator said that a destination which lost its position is to start anew */
    bool adopt;
    /* sinks: an operator set or reset the position, and that was not carried out yet: what the
     * destination says of its place is void. A sink whose destination keeps the position leaves
     * *resume empty and goes on at `position`; the flush that follows writes it there. The note is
     * empty: the destination is taken as it is now */
    bool ordered;
    uint64_t epoch; /* sinks: grows with each start of this pipeline; see sink.h */
    /* sinks: a number that is another one when other events reach the sink from the same log
     * (tables, columns, skips); see rf_stamp_next */
    uint64_t picks;
    /* sinks: grows when the operator wants new files (SIGHUP); looked at by flush. NULL: never */
    const atomic_uint *rotations;
    /* sources: which feed of the pipeline this is: 0 is the one that sinks share, others are read
     * for one sink alone, at the same time, and must not disturb it (a server id of their own) */
    uint32_t feed;
    /* sources: some sink holds the last state of what it is given: it needs whole documents */
    bool whole;
    /* sources: where large transactions may be kept meanwhile. NULL: $TMPDIR, else /var/tmp */
    const char *spill_directory;
    /* sources, in `examine`: where the pipeline's sinks stand, as far as is known */
    const struct rf_recorded *recorded;
    uint32_t recorded_count;
    /* sinks, in `examine`: tables whose rows would come, as far as the source tells */
    const struct rf_finding_table *tables;
    uint32_t table_count;
    struct rf_format *format; /* sinks that declare a default format: the instance; else NULL */
    int64_t connect_timeout_ms;
};

struct rf_source_type {
    const char *name;
    const char *summary; /* one line for `rowferry sources` */
    const char *example; /* a URL to copy */
    size_t state_size;
    const struct rf_option *options;

    /* Connects, checks every precondition, and stands at a position: in, `position` says where to
     * go on (empty: where ctx->from says); out, it holds the real position where reading begins, in
     * the source's own text, one line without tabs. Nothing that lies before it will be handed
     * over, everything behind it will. Returns RF_OK; RF_CONFIG (wrong address, access, format,
     * grants: with the exact statement that mends it); RF_RETRY (not reachable now); RF_FATAL
     * (position purged, of another server, or no longer what it was). */
    RF_USE_RESULT enum rf_status (*open)(void *state, const struct rf_context *ctx,
                                         struct rf_buf *position, struct rf_error *err);

    /* Fills the empty batch with what is there, whole transactions as far as they fit, until it is
     * full, nothing more is there, or the deadline passes. A transaction larger than a batch goes
     * on in the next one. When all was filtered out: RF_OK, no events, a later position, at least
     * once a second. deadline_ms is on the monotonic clock (rf_clock_ms). Returns RF_OK (something
     * in it, or batch->end); RF_AGAIN (nothing yet; the batch is untouched); RF_RETRY (connection
     * lost: open again after the last transaction that was handed over whole); RF_CONFIG; RF_FATAL
     * (gap, damage, something that we cannot carry). What was put into the batch before an error is
     * handed over first: an error is returned only with an empty batch, else at the next read. */
    RF_USE_RESULT enum rf_status (*read)(void *state, struct rf_batch *batch, int64_t deadline_ms,
                                         struct rf_error *err);

    /* Everything up to position is durable in every sink. Repeatable; doubles as the upstream's
     * heartbeat. NULL: not needed. Returns RF_OK or RF_RETRY. */
    RF_USE_RESULT enum rf_status (*ack)(void *state, struct rf_str position, struct rf_error *err);

    void (*close)(void *state);

    /* Makes a blocked read, ack or open return soon, with RF_RETRY; sticky until close. Thread:
     * any. */
    void (*interrupt)(void *state);

    /* True when everything that `other` names, a transaction's id or a position, lies inside
     * `position`. Both are text of this source; text that is not gives false. GTID sets are only
     * partly ordered: never "compare". Thread: any. */
    bool (*contains)(struct rf_str position, struct rf_str other);

    /* Whether `from` is a place to begin by its form; asks nobody. NULL: only open can tell.
     * Returns RF_OK; RF_CONFIG (with the forms that there are). Thread: any. */
    RF_USE_RESULT enum rf_status (*check_from)(struct rf_str from, struct rf_error *err);

    /* Looks at every precondition, and adds what it finds; changes nothing there, and disturbs
     * nobody who reads from the same server under the same name. Only `close` follows. What open
     * insists on is wrong here, and what is wrong here open refuses, or the first row does. NULL:
     * there is nothing to look at. Returns RF_OK: the findings say it; RF_RETRY (not reachable);
     * RF_CONFIG (not let in): what was found until then stays. */
    RF_USE_RESULT enum rf_status (*examine)(void *state, const struct rf_context *ctx,
                                            struct rf_findings *findings, struct rf_error *err);
};

#endif
