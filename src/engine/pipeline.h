/* The pipeline: one source, its sinks, a thread each, carrying out what engine/core decides.
 *
 * Used by the command line: create, run, destroy. A second thread may ask for snapshots and for
 * a stop. Decisions (reconnects, where it resumed, why it ended) are logged here, once each; the
 * error that ended it is handed to the caller and not logged. */
#ifndef ROWFERRY_ENGINE_PIPELINE_H
#define ROWFERRY_ENGINE_PIPELINE_H

#include "engine/core.h"
#include "engine/options.h"

#include <rowferry/sink.h>
#include <rowferry/transform.h>

struct rf_pipeline;

/* Made by rf_registry_source_spec and rf_registry_sink_spec, or by tests. Everything is
 * borrowed. */
struct rf_source_spec {
    const struct rf_source_type *type;
    const char *address;         /* for people: logs, status, ctx->instance */
    struct rf_settings settings; /* checked already */
};
enum { RF_TRANSFORMS_MAX = 8 };
struct rf_sink_spec {
    const struct rf_sink_type *type;
    const struct rf_format_type *format; /* NULL: the sink takes none */
    /* those that its settings ask for, in the order in which they are applied */
    const struct rf_transform_type *transforms[RF_TRANSFORMS_MAX];
    uint32_t transform_count;
    const char *dead_letters; /* file for events that it refuses; NULL: they end the pipeline */
    /* how such an event is written there; NULL where dead_letters is */
    const struct rf_format_type *letters_format;
    const char *name; /* its position is kept under it; unique in the pipeline */
    const char *address;
    struct rf_settings settings;
};

/* 0 and NULL stand for the defaults of core.h. Borrowed until rf_pipeline_destroy. */
struct rf_pipeline_options {
    const char *name; /* of the pipeline: keys positions in destinations and in the checkpoint */
    /* see rf_checkpoint_path; NULL: nothing is kept, each run is a first start (tail) */
    const char *checkpoint_path;
    /* where a sink without a position begins: "now" (also NULL), "earliest", a position */
    const char *from;
    /* where it ends, with 0: "now", a position as a person writes it, or a time in UTC
     * ("2026-11-22T12:00:00Z", also with a blank and without Z). NULL: never */
    const char *until;
    uint64_t limit;              /* so many events; 0: any number. See rf_core_options.limit */
    bool limit_exact;            /* not one more, even inside a transaction (tail) */
    const char *spill_directory; /* see rf_context; NULL: $TMPDIR, else /var/tmp */
    bool adopt;                  /* a destination that lost its position is taken as it is */
    size_t pool_bytes;
    size_t batch_bytes;
    int64_t flush_ms;
    int64_t connect_timeout_ms; /* 0: 10 s */
    bool connect_once; /* the first connection of each end is tried once: exit 5 at once (tail) */
    /* a sink whose reader has gone (EPIPE) ends it, with 0, and one without room with 2 (tail) */
    bool ends_with_reader;
    int64_t stop_timeout_ms;
    struct rf_source_spec source;
    const struct rf_sink_spec *sinks;
    uint32_t sink_count;
};

/* What can be said of the options without asking anybody: names that are there twice, dead letters
 * that go where a sink writes, the forms of `from` and `until`. Returns RF_OK; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_pipeline_check(const struct rf_pipeline_options *options,
                                               struct rf_error *err);

/* Checks them, opens the checkpoint, takes its lock, loads every position. Starts nothing and
 * contacts nobody.
 * Returns RF_OK; RF_CONFIG (also: two sinks of one name); RF_FATAL: as rf_checkpoint_open. *out
 * is NULL then. */
RF_USE_RESULT enum rf_status rf_pipeline_create(const struct rf_pipeline_options *options,
                                                struct rf_pipeline **out, struct rf_error *err);

/* Runs until the source has ended, a stop, or a failure. Returns the exit code: 0 (done, or
 * stopped), 2, 3, 4, 5; then *err says why, for the caller to print with its hint. All threads
 * are gone when it returns, unless a plugin hung through a stop: rf_pipeline_abandoned says so,
 * and the process should leave by _exit. To be called once. */
int rf_pipeline_run(struct rf_pipeline *pipeline, struct rf_error *err);
bool rf_pipeline_abandoned(const struct rf_pipeline *pipeline);

/* Stop gracefully: flush, record, close; after 4 s leave without. Returns at once; repeatable;
 * before run it makes run return at once. Thread: any (not a signal handler: use a thread that
 * waits for signals). */
void rf_pipeline_stop(struct rf_pipeline *pipeline);

/* Asks every sink that writes files to begin new ones, with a flush that comes at once. Thread: any
 * (not a signal handler). */
void rf_pipeline_rotate(struct rf_pipeline *pipeline);

/* NULL is accepted; must not be called on an abandoned pipeline. */
void rf_pipeline_destroy(struct rf_pipeline *pipeline);

/* One actor as it is now. */
struct rf_actor_snapshot {
    const char *address; /* borrowed from the specs */
    enum rf_phase phase;
    bool opened;         /* it was open once, in this process */
    uint32_t try;        /* RF_PHASE_RETRYING: number of the next try */
    int64_t retry_in_ms; /* RF_PHASE_RETRYING */
    uint64_t events;     /* source: read; sink: accepted; by this process */
    uint64_t transactions;
    uint64_t skipped;    /* source: log events that its filter left out */
    uint64_t waived;     /* source: log events that the operator had left out by name */
    uint64_t marked;     /* source: values with bytes that are not of their character set */
    uint64_t gone;       /* source: updates whose document was gone when it was looked up */
    uint64_t buried;     /* sink: events that went to its dead letters; by this process */
    bool own_feed;       /* sink: it is behind the others, and has a feed of its own */
    uint64_t held_bytes; /* source: in the pool */
    int64_t commit_us;   /* of the last transaction; 0: none yet */
    /* sinks: the oldest change that the source may have and the sink may not have on record is at
     * most this old. While nothing is left to do that is the time since the source last said so;
     * -1: not known yet */
    int64_t lag_ms;
    bool idle;              /* has done all there is to do */
    int64_t call_ms;        /* how long its plugin has been in the call under way; 0: in none */
    struct rf_buf position; /* of the last transaction read; or accepted */
    struct rf_buf recorded; /* sinks: on disk */
    struct rf_buf message;  /* why it is retrying; terminated */
};
/* Zeroed before its first use; memory is reused from call to call. */
struct rf_pipeline_snapshot {
    struct rf_actor_snapshot source;
    struct rf_actor_snapshot *sinks;
    uint32_t sink_count;
    bool stopping;
};
/* Thread: any, one snapshot per thread. */
void rf_pipeline_snapshot(struct rf_pipeline *pipeline, struct rf_pipeline_snapshot *out);
void rf_pipeline_snapshot_deinit(struct rf_pipeline_snapshot *snapshot);
/* "streaming", "retrying", ... */
const char *rf_phase_name(enum rf_phase phase);

#endif
