/* The core's own state, shared by core.c (decisions for all), core_source.c, core_sink.c and
 * core_check.c. Nobody else includes it.
 *
 * Words. *accepted*: the end of the last transaction that the sink took whole. *durable*: the
 * accepted position of the last flush that returned OK, or what the destination itself said when
 * it was opened. *recorded*: the durable position that is saved. A *mark* is the running number
 * that each position gets when it is read, so that positions, which are text in an order of
 * their own, can be compared inside one process. *covered*: every batch below that number is not
 * needed by the sink any more. A sink is *inside* when the last view that it was given ended in
 * the middle of a transaction, *skipping* until it meets the first transaction behind its
 * position, *detached* while the batches that are held do not begin at its position. */
#ifndef ROWFERRY_ENGINE_CORE_STATE_H
#define ROWFERRY_ENGINE_CORE_STATE_H

#include "engine/core.h"
#include "engine/pool.h"

enum {
    RF_BACKOFF_MIN_MS = 100,
    RF_BACKOFF_MAX_MS = 4000, /* an upstream that is back is used again within 5 s */
    RF_REFUSALS_MAX = 5,      /* of our credentials, in a row */
    RF_READ_MS = 1000,
    RF_MOVE_MS = 1000, /* a position that moved without events is flushed after this long */
    RF_PARK_MS = 30000,
    RF_DRAIN_MS = 10000, /* for the sinks to take what a source that failed for good has left */
    RF_NEWS_MAX = 32,
    RF_BURIED_MAX = 16, /* so many in a row without a position between them are buried at once, */
    RF_BURIED_MS = 10,  /* the next ones so far apart */
};

/* What source and sinks have in common. */
struct rf_actor {
    uint32_t id;
    bool instance;         /* an open was given and not closed yet */
    bool open;             /* and it succeeded */
    bool must_close;       /* as soon as it is not busy */
    bool last;             /* never to be opened again */
    bool exited;           /* was told to exit */
    bool ever_opened;      /* in this process */
    bool interrupt_wanted; /* not taken yet */
    bool interrupted;      /* since its open */
    bool tried;
    struct rf_action doing; /* RF_ACTION_WAIT: not busy */
    int64_t first_try_ms;
    int64_t retry_ms; /* not opened before */
    uint32_t tries;   /* failures since it last worked */
    uint32_t refusals;
    struct rf_buf message; /* of the last failure */
};

struct rf_feed {
    struct rf_actor actor;
    bool located; /* it stands, or will stand after a reopen, where its sinks need it */
    bool ended;   /* it has nothing more */
    bool parked;  /* closed until the pool is half empty */
    bool inside;  /* the last batch ended in the middle of a transaction */
    bool idle;    /* its last read found nothing */
    bool ack_due; /* a recorded position has moved since the last ack */
    /* number of the first batch since it was located; older ones are only kept to be covered */
    uint64_t first;
    uint64_t inside_first; /* the batch in which that transaction begins */
    struct rf_buf inside_id;
    struct rf_buf position; /* end of the last transaction handed over whole */
    struct rf_buf opening;  /* where it is being opened; empty: where `from` says */
    struct rf_buf acking;
    struct rf_buf acked;
    struct rf_slot *slot;     /* being filled */
    int64_t blocked_since_ms; /* -1: the pool has room */
    int64_t commit_us;
    int64_t current_ms; /* see rf_core_status */
    uint64_t events, transactions, skipped, waived;
    uint64_t waived_before; /* of batches that were not held, for the next one that is */
};

/* A position and all that is known about it. */
struct rf_place {
    struct rf_buf position;
    uint64_t mark;
    uint64_t events;
    uint64_t transactions;
    uint64_t waived;
    int64_t commit_us;
};

struct rf_sink {
    struct rf_actor actor;
    bool known; /* its position is known: it was opened once */
    bool skipping;
    bool detached;
    bool inside;
    bool uncovered; /* was given events that no flush has covered yet */
    bool confirm;   /* flush the position although it has not moved: the destination has none */
    bool record_pending; /* durable goes to the checkpoint before anything else */
    bool ordered;        /* its position is an order; until a record of it has returned OK */
    bool buries;
    bool burying;    /* its last call rejected an event: that goes to the dead letters first */
    uint64_t cursor; /* number of the next batch to be given */
    uint64_t covered;
    uint64_t given; /* number of the last batch of which it was given events */
    size_t uncovered_bytes;
    int64_t uncovered_since_ms;
    int64_t moved_since_ms;
    int64_t record_retry_ms; /* of a record, or of a burial */
    uint32_t record_tries;
    uint32_t buried_in_row;                /* since its accepted position moved */
    uint64_t events, transactions, waived; /* accepted, also behind the accepted position */
    uint64_t buried;
    struct rf_place accepted, durable, recorded;
    struct rf_buf note; /* of durable */
    struct rf_buf recorded_note;
    struct rf_buf rejected; /* why, while burying */
};

struct rf_news_item {
    struct rf_news news;
    struct rf_buf message, hint, position;
};

enum rf_mode {
    RF_MODE_RUN,
    /* the source failed for good: sinks finish what is held, but are not opened again */
    RF_MODE_DRAIN,
    RF_MODE_STOP, /* sinks flush what they have accepted, no more */
};

struct rf_core {
    struct rf_core_options options;
    struct rf_pool pool;
    struct rf_feed feed;
    struct rf_sink *sinks;
    enum rf_mode mode;
    bool changed; /* see rf_core_take_change */
    bool expired; /* the stop took too long */
    int64_t stop_at_ms;
    int exit_code;
    struct rf_error error;
    uint64_t random;
    uint64_t mark;
    struct rf_news_item news[RF_NEWS_MAX], taken;
    uint32_t news_first, news_count;
};

/* ---- core.c */

struct rf_actor *rf_core_actor(struct rf_core *core, uint32_t id);
bool rf_core_contains(const struct rf_core *core, const struct rf_buf *position,
                      struct rf_str other);
/* The same place, if perhaps in other words. */
bool rf_core_same(const struct rf_core *core, struct rf_str a, struct rf_str b);
/* Adds a piece of news; its fields may be changed until the next call. */
struct rf_news_item *rf_core_tell(struct rf_core *core, enum rf_news_kind kind, uint32_t actor);
/* A plugin call failed: decides between another try, a drain and a stop. The actor is to be
 * closed in any case. */
void rf_core_failed(struct rf_core *core, struct rf_actor *actor, const struct rf_result *result,
                    int64_t now_ms);
/* Ends the pipeline with that exit code, unless it is ending with another one already. */
void rf_core_end(struct rf_core *core, struct rf_actor *actor, int code, const struct rf_error *err,
                 int64_t now_ms);
/* The actor is to be closed; a call in progress is interrupted. */
void rf_core_recall(struct rf_actor *actor);
int64_t rf_core_backoff(struct rf_core *core, uint32_t tries);
bool rf_core_all_sinks_gone(const struct rf_core *core);
void rf_place_set(struct rf_place *place, const struct rf_place *from);

/* ---- core_source.c */

void rf_source_next(struct rf_core *core, int64_t now_ms, struct rf_action *action);
void rf_source_done(struct rf_core *core, const struct rf_action *action,
                    const struct rf_result *result, int64_t now_ms);
/* The batches that are held do not serve this sink: open the source again where they all can go
 * on. */
void rf_source_rewind(struct rf_core *core, const struct rf_sink *sink);
/* Number of the first held batch that the feed, as it stands, goes on from. */
uint64_t rf_source_first(const struct rf_core *core);

/* ---- core_sink.c */

void rf_sink_next(struct rf_core *core, struct rf_sink *sink, int64_t now_ms,
                  struct rf_action *action);
void rf_sink_done(struct rf_core *core, struct rf_sink *sink, const struct rf_action *action,
                  const struct rf_result *result, int64_t now_ms);
/* Goes on from the held batches at the sink's accepted position, or asks for a rewind. */
void rf_sink_attach(struct rf_core *core, struct rf_sink *sink);
/* The feed begins anew at batch number feed.first. */
void rf_sink_rejoin(struct rf_core *core, struct rf_sink *sink);
/* The source was lost inside a transaction: a sink that has begun it is opened anew. */
void rf_sink_uninside(struct rf_core *core, struct rf_sink *sink);
/* Gives back the batches that no sink needs. */
void rf_sink_release(struct rf_core *core);
/* True when a flush would change anything. */
bool rf_sink_dirty(const struct rf_sink *sink);

/* ---- core_check.c */

/* The sentences that are always true. */
void rf_core_check(const struct rf_core *core);

#endif
