/* The core's own state, shared by its files: core.c (decisions for all), core_news.c,
 * core_locate.c (where a source begins), core_source.c, core_until.c (where it ends), core_feed.c
 * (who takes from which feed, and how much each may hold), core_join.c (the way back to the shared
 * one), core_sink.c and core_check.c. Nobody else includes it.
 *
 * Words. *accepted*: the end of the last transaction that the sink took whole. *durable*: the
 * accepted position of the last flush that returned OK, or what the destination itself said when
 * it was opened. *recorded*: the durable position that is saved. A *mark* is the running number
 * that each position gets when a sink accepts it, so that positions, which are text in an order of
 * their own, can be compared inside one process. *covered*: every batch below that number is not
 * needed by the sink any more. A sink is *inside* when the last view that it was given ended in
 * the middle of a transaction, *skipping* until it meets the first transaction behind its
 * position, *detached* while the batches that are held do not begin at its position. Numbers of
 * batches are those of the feed that the sink takes from. */
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
    RF_LOOK_MS = 5000, /* a sink that was idle for so long is flushed: is the destination there? */
    RF_PARK_MS = 30000,
    RF_DRAIN_MS = 10000, /* for the sinks to take what a source that failed for good has left */
    RF_NEWS_MAX = 32,
    RF_BURIED_MAX = 16,   /* so many in a row without a position between them are buried at once, */
    RF_BURIED_MS = 10,    /* the next ones so far apart */
    RF_STALL_MS = 500,    /* a call may hold back others for so long, */
    RF_SLOW_MS = 10000,   /* many calls together for so long: then a feed of its own */
    RF_SLOW_FORGIVEN = 4, /* so many ms without anybody held back make up for one with */
    RF_BEHIND_US = 60000000,  /* of commit time, at a start: a feed of its own */
    RF_NEAR_US = 5000000,     /* of commit time: tries to go back to the others */
    RF_JOIN_MS = 1000,        /* between two tries, */
    RF_JOIN_MAX_MS = 64000,   /* and for one that was sent away again soon */
    RF_JOIN_STEADY_MS = 60000 /* "soon" */
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

/* One reading of the source, and what is held of it. */
struct rf_feed {
    struct rf_actor actor;
    uint32_t number; /* 0: the shared one; else 1 + the number of the sink whose own it is */
    struct rf_pool pool;
    bool located; /* it stands, or will stand after a reopen, where its sinks need it */
    bool ended;   /* it has nothing more */
    bool parked;  /* closed until the pool is half empty */
    bool inside;  /* the last batch ended in the middle of a transaction */
    bool idle;    /* its last read found nothing */
    bool ack_due; /* a recorded position has moved since the last ack */
    bool careful; /* see core_until.c */
    /* number of the first batch since it was located; older ones are only kept to be covered */
    uint64_t first;
    uint64_t inside_first;  /* the batch in which that transaction begins */
    uint64_t inside_events; /* of it, handed over so far */
    struct rf_buf inside_id;
    struct rf_buf position; /* end of the last transaction handed over whole */
    struct rf_buf opening;  /* where it is being opened; empty: where `from` says */
    struct rf_buf acking;
    struct rf_buf acked;
    struct rf_slot *slot;     /* being filled */
    int64_t blocked_since_ms; /* -1: the pool has room */
    int64_t commit_us;
    int64_t current_ms; /* see rf_core_status */
    uint64_t events, transactions, skipped, waived, marked, gone;
    uint64_t waived_before; /* of batches that were not held, for the next one that is */
    uint64_t counted;       /* events for the limit, counted from the sinks' beginning */
    uint64_t cut_at;        /* that count where a batch went past the end; UINT64_MAX: not known */
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
    struct rf_feed *feed; /* from which it takes: the shared one, or */
    struct rf_feed *own;
    bool known; /* its position is known: it was opened once */
    bool skipping;
    bool detached;
    bool inside;
    bool uncovered;   /* was given events that no flush has covered yet */
    bool confirm;     /* flush the position although it has not moved: the destination has none */
    bool flush_asked; /* see rf_core_flush_soon; until that flush is given */
    bool record_pending; /* durable goes to the checkpoint before anything else */
    bool ordered;        /* its position is an order; until a record of it has returned OK */
    bool buries;
    bool burying;    /* its last call rejected an event: that goes to the dead letters first */
    bool added;      /* it had no position before this start */
    bool set_back;   /* an order, or its destination, took it back before what was recorded */
    uint64_t cursor; /* number of the next batch to be given */
    uint64_t covered;
    uint64_t given; /* number of the last batch of which it was given events */
    size_t uncovered_bytes;
    int64_t uncovered_since_ms;
    int64_t moved_since_ms;
    int64_t record_retry_ms; /* of a record, or of a burial */
    uint32_t record_tries;
    uint32_t losses;                       /* see rf_core_status */
    uint32_t buried_in_row;                /* since its accepted position moved */
    uint64_t events, transactions, waived; /* accepted, also behind the accepted position */
    uint64_t buried;
    struct rf_place accepted, durable, recorded;
    struct rf_buf note; /* of durable */
    struct rf_buf recorded_note;
    struct rf_buf rejected; /* why, while burying; */
    struct rf_buf rejected_hint;

    /* It was sent away from the shared feed inside a call, which may still look at those of the
     * shared pool's batches. */
    bool away;
    uint64_t away_first, away_end;
    /* Holding back others. */
    bool blamed; /* at this moment */
    int64_t blamed_ms;
    int64_t progress_ms; /* when it last began or ended a call that worked */
    /* The way back to the shared feed: that keeps its batches from number `join` on, which lie
     * behind join_position. */
    bool joining;
    uint64_t join;
    struct rf_buf join_position;
    int64_t join_at_ms; /* not tried before */
    int64_t join_delay_ms;
    int64_t joined_ms;
};

struct rf_news_item {
    struct rf_news news;
    struct rf_buf message, hint, position;
};

enum rf_mode {
    RF_MODE_RUN,
    /* a source failed for good: sinks finish what is held, but are not opened again */
    RF_MODE_DRAIN,
    RF_MODE_STOP, /* sinks flush what they have accepted, no more */
};

struct rf_core {
    struct rf_core_options options;
    struct rf_buf until;   /* options.until */
    struct rf_feed *feeds; /* the shared one, then each sink's own */
    uint32_t feed_count;
    uint32_t feeds_active; /* see rf_feed_balance */
    struct rf_sink *sinks;
    uint32_t away;    /* sinks that are */
    uint32_t joining; /* likewise */
    bool assigned;    /* it was decided which sinks begin together */
    enum rf_mode mode;
    bool changed; /* see rf_core_take_change */
    bool expired; /* the stop took too long */
    int64_t stop_at_ms;
    int64_t look_at_ms; /* when a sink may have held back others for too long */
    int64_t looked_ms;
    int exit_code;
    struct rf_error error;
    uint64_t random;
    uint64_t mark;
    struct rf_news_item news[RF_NEWS_MAX], taken;
    uint32_t news_first, news_count;
};

/* ---- core.c */

struct rf_actor *rf_core_actor(struct rf_core *core, uint32_t id);
/* NULL: that actor is a sink. */
struct rf_feed *rf_core_feed(const struct rf_core *core, uint32_t id);
bool rf_core_contains(const struct rf_core *core, const struct rf_buf *position,
                      struct rf_str other);
/* The same place, if perhaps in other words. */
bool rf_core_same(const struct rf_core *core, struct rf_str a, struct rf_str b);
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

/* ---- core_news.c */

/* Adds a piece of news; its fields may be changed until the next call. */
struct rf_news_item *rf_core_tell(struct rf_core *core, enum rf_news_kind kind, uint32_t actor);
/* Tells that the actor is open, and behind how many failures. */
void rf_core_tell_opened(struct rf_core *core, const struct rf_actor *actor,
                         struct rf_str position);
void rf_news_deinit(struct rf_core *core);

/* ---- core_locate.c */

/* Decides where the feed's source is to be opened: feed->opening. False: it cannot go on, and the
 * pipeline ends. */
bool rf_locate(struct rf_core *core, struct rf_feed *feed, int64_t now_ms);
/* The source was opened, and stands at position. */
void rf_located(struct rf_core *core, struct rf_feed *feed, struct rf_str position, int64_t now_ms);
/* The held batches do not serve this sink, the only one of its feed: open the source again where
 * it can go on. */
void rf_locate_again(struct rf_core *core, struct rf_feed *feed, const struct rf_sink *sink,
                     int64_t now_ms);

/* ---- core_source.c */

void rf_source_next(struct rf_core *core, struct rf_feed *feed, int64_t now_ms,
                    struct rf_action *action);
void rf_source_done(struct rf_core *core, struct rf_feed *feed, const struct rf_action *action,
                    const struct rf_result *result, int64_t now_ms);
/* Number of the first held batch that the feed, as it stands, goes on from. */
uint64_t rf_source_first(const struct rf_feed *feed);
/* The feed has nothing more. */
void rf_source_ends(struct rf_core *core, struct rf_feed *feed);
/* A transaction that the source began to hand over will come again from its beginning: what is
 * held of it does not count. */
void rf_source_drop_unfinished(struct rf_core *core, struct rf_feed *feed);

/* ---- core_until.c */

enum rf_until {
    RF_UNTIL_BEFORE, /* the whole batch lies before the end */
    RF_UNTIL_INSIDE, /* its first transactions do: it is read again, in smaller batches */
    RF_UNTIL_BEHIND, /* nothing of it does */
};
/* Where the batch that was just read lies. RF_UNTIL_INSIDE: *events of it lie before the end. */
enum rf_until rf_until_look(const struct rf_core *core, const struct rf_feed *feed,
                            const struct rf_batch *batch, uint64_t *events);
/* True when everything before the end was handed over, as far as the feed's position says. */
bool rf_until_reached(const struct rf_core *core, const struct rf_feed *feed);
/* True when what commits from now on lies behind the end. */
bool rf_until_passed(const struct rf_core *core, int64_t now_ms);
/* How large the next batch may get, so that the end lies between two batches. */
size_t rf_until_batch_bytes(const struct rf_core *core, const struct rf_feed *feed);

/* ---- core_feed.c */

static inline struct rf_feed *rf_feed_shared(const struct rf_core *core)
{
    return &core->feeds[0];
}
static inline bool rf_feed_is_own(const struct rf_sink *sink)
{
    return sink->feed == sink->own;
}
/* True when the sink takes, or will take, from that feed. */
static inline bool rf_feed_serves(const struct rf_feed *feed, const struct rf_sink *sink)
{
    return sink->feed == feed && !sink->actor.exited;
}
/* True when the feed's source is of any use: it is opened, read, and kept. */
bool rf_feed_wanted(const struct rf_core *core, const struct rf_feed *feed);
/* Another live sink takes from the same feed. */
bool rf_feed_has_others(const struct rf_core *core, const struct rf_sink *sink);
/* True when the feed may read one more batch. */
bool rf_feed_has_room(const struct rf_core *core, const struct rf_feed *feed);
/* Gives back the batches that no sink needs. */
void rf_feed_release(struct rf_core *core, struct rf_feed *feed);
/* Shares out the bytes anew. To be called when a source was opened or closed, or a pool emptied. */
void rf_feed_balance(struct rf_core *core);
/* The sink takes from a feed of its own from now on. */
void rf_feed_part(struct rf_core *core, struct rf_sink *sink, enum rf_own_feed why, int64_t now_ms);
/* Nobody takes from the feed any more. */
void rf_feed_leave(struct rf_core *core, struct rf_feed *feed);
/* The sink was closed: batches that it alone could still look at are freed. */
void rf_feed_forget_away(struct rf_core *core, struct rf_sink *sink);
/* Looks who holds back whom, now and for how long; to be called at the end of every step. */
void rf_feed_look(struct rf_core *core, int64_t now_ms);

/* ---- core_join.c */

/* The next step of an open sink with a feed of its own towards the shared one: begins to try, gives
 * up, or takes from the shared feed when it returns. True: it must flush first. */
bool rf_join_step(struct rf_core *core, struct rf_sink *sink, int64_t now_ms);
/* Gives up the tries for which the shared feed would have to wait, or keep too much. */
void rf_join_yield(struct rf_core *core, int64_t now_ms);
/* Gives up this one, if there is one. */
void rf_join_cancel(struct rf_core *core, struct rf_sink *sink, int64_t now_ms);

/* ---- core_sink.c */

void rf_sink_next(struct rf_core *core, struct rf_sink *sink, int64_t now_ms,
                  struct rf_action *action);
void rf_sink_done(struct rf_core *core, struct rf_sink *sink, const struct rf_action *action,
                  const struct rf_result *result, int64_t now_ms);
/* The feed begins anew at batch number feed->first. */
void rf_sink_restart(struct rf_core *core, struct rf_sink *sink, int64_t now_ms);
/* The source was lost inside a transaction: a sink that has begun it is opened anew. */
void rf_sink_uninside(struct rf_core *core, struct rf_sink *sink);
/* True when a flush would change anything. */
bool rf_sink_dirty(const struct rf_sink *sink);
/* What it has for certain; before its first record the position that a first start gave it. */
const struct rf_buf *rf_sink_standing(const struct rf_sink *sink);

/* ---- core_check.c */

/* The sentences that are always true. */
void rf_core_check(struct rf_core *core);

#endif
