/* The core: what happens next in a pipeline, decided in one place without threads, clock, I/O or
 * plugin calls.
 *
 * Actors are one source and its sinks. Whoever carries an actor out asks rf_core_next what it is to
 * do, does exactly that, and reports with rf_core_done; then asks again. The engine's threads do so
 * under one mutex and act outside it; tests do so on one thread, in a seeded order, with a clock of
 * their own. The core keeps the pool of batches, every position, and the sentences of
 * ARCHITECTURE.md that are always true, which it asserts at every step.
 *
 * Not thread-safe. Times are milliseconds of one clock that never goes back. */
#ifndef ROWFERRY_ENGINE_CORE_H
#define ROWFERRY_ENGINE_CORE_H

#include <rowferry/batch.h>

struct rf_core;

/* Sink i is actor RF_CORE_SINK + i. The source of the feed that sinks share is actor
 * RF_CORE_SOURCE; the source of sink i's own feed, which is only open while that sink cannot go
 * along with the others, is actor RF_CORE_SINK + sink_count + i. */
enum { RF_CORE_SOURCE = 0, RF_CORE_SINK = 1 };

/* Feeds. All sinks begin on the shared feed, and a batch of it is freed when all of them have
 * covered it. One that cannot go along parts from it and takes from a feed of its own:
 *   - at a start, when it is new, far behind, or was set back, by an order or by its destination
 *     (RF_OWN_ADDED, RF_OWN_BEHIND);
 *   - when it keeps the oldest batch of a full pool while another sink has nothing left to do:
 *     after 500 ms without progress, or when that was so for 10 s longer than a quarter of the time
 *     in which it was not (RF_OWN_SLOW). A call in progress is interrupted; however long that takes
 *     to come back, the others go on at once;
 *   - when it was opened anew and stands before what is held (RF_OWN_RETURNED).
 * It goes back to the shared feed when it is near the others (see core_join.c). The last sink of
 * the shared feed always stays there: for it alone the source goes back.
 *
 * Bytes. A feed may hold pool_bytes divided by the number of feeds that are open or hold batches,
 * the shared one always counted; a pool that is empty takes one batch of any size. All feeds
 * together hold at most pool_bytes and the newest batch of each feed. What only calls that were
 * interrupted still look at is not counted up to half of pool_bytes, and counts beyond that: so
 * there is never more than 1.5 * pool_bytes and one batch of any size per feed and per such
 * call. */

/* 0 stands for a usable default, but for sink_count and contains. */
struct rf_core_options {
    uint32_t sink_count;
    size_t pool_bytes;          /* 24 MiB, of all feeds together */
    size_t batch_bytes;         /* 512 KiB; at most an eighth of the pool */
    int64_t flush_ms;           /* 100 */
    int64_t connect_timeout_ms; /* 10 s */
    int64_t stop_timeout_ms;    /* 4 s */
    uint64_t seed;              /* of the jitter */
    bool adopt;                 /* handed on to the first open of each sink */
    /* Where it is to end, with exit code 0; whichever comes first. Each feed ends there by itself:
     * nothing of what lies behind is handed over, everything before it is, and recorded positions
     * are exact, so that the next start goes on right there. A feed that begins behind it ends at
     * once. To find the place between two transactions the source may be opened once more, and is
     * read in batches of bytes_max 1 then: it must put no more than one transaction in such a one,
     * else FATAL. */
    struct rf_str until; /* behind this position: the first transaction that it does not contain is
                            not handed over; and as soon as the feed's position contains it there is
                            none to wait for. Empty: none. Copied */
    int64_t until_us;    /* the first transaction that committed at or after it is not handed over;
                            0: none */
    int64_t until_at_ms; /* until_us on the core's clock: a source that says `current` from then on
                            ends there, however quiet it is; 0: only a transaction ends it */
    /* events, counted from where the feed's sinks began: behind the transaction in which the last
     * of them lies; 0: none */
    uint64_t limit;
    bool (*contains)(struct rf_str position, struct rf_str other); /* the source's */
};

enum rf_action_kind {
    /* nothing to do before until_ms or news (INT64_MAX: news alone): ask again. Not reported */
    RF_ACTION_WAIT,
    RF_ACTION_OPEN,   /* make a fresh instance and open it */
    RF_ACTION_READ,   /* source: reset the batch and fill it, until until_ms at most */
    RF_ACTION_ACK,    /* source: tell it position */
    RF_ACTION_WRITE,  /* sink: give it the view */
    RF_ACTION_FLUSH,  /* sink: flush position */
    RF_ACTION_RECORD, /* sink: save position and note, on disk when it returns */
    /* sink: write the event that the last call rejected to the dead letters, on disk when it
     * returns, and leave it out of every view from now on */
    RF_ACTION_BURY,
    RF_ACTION_CLOSE, /* close the instance; always succeeds */
    RF_ACTION_EXIT,  /* this actor has nothing to do any more, ever. Not reported */
};
/* "wait", "open", ... */
const char *rf_action_name(enum rf_action_kind kind);

/* Strings and batch are the core's and stay as they are until the action is reported. */
struct rf_action {
    enum rf_action_kind kind;
    int64_t until_ms;
    struct rf_str position; /* OPEN: where to go on, empty: none known; ACK, FLUSH, RECORD */
    struct rf_str note;     /* OPEN of a sink, RECORD */
    bool first_start;       /* OPEN of a sink: nothing was ever recorded for it */
    bool adopt;             /* OPEN of a sink */
    bool ordered;           /* OPEN of a sink: position is an order that was not carried out yet */
    uint32_t feed;          /* OPEN of a source: 0: the shared one; else 1 + its sink's number */
    struct rf_batch *batch; /* READ */
    struct rf_view view;    /* WRITE */
    uint64_t events;        /* RECORD: accepted up to position, in this process */
    uint64_t transactions;  /* likewise */
    uint64_t waived;        /* likewise: log events that the operator had left out by name */
    uint64_t buried;        /* RECORD: events that went to the dead letters, in this process */
    int64_t commit_us;      /* RECORD: of the last transaction in position; 0: not known */
};

/* What came of it. All borrowed for the call. */
struct rf_result {
    enum rf_status status;
    const struct rf_error *err; /* unless status is RF_OK or RF_AGAIN */
    /* OPEN, OK: of a source the real position; of a sink the destination's, or empty */
    struct rf_str position;
    struct rf_str note; /* FLUSH, OK */
};

struct rf_core *rf_core_create(const struct rf_core_options *options);
/* What is known of a sink at the start. */
struct rf_core_sink {
    struct rf_str position; /* recorded, or ordered; empty: none */
    struct rf_str note;
    int64_t commit_us; /* of the last transaction in position; 0: not known */
    bool ordered;      /* an operator's order: position, or with an empty one to begin anew */
    bool buries;       /* an event that it rejects goes to the dead letters; else it ends all */
};
/* Between create and the first next. Copied. */
void rf_core_set_sink(struct rf_core *core, uint32_t actor, const struct rf_core_sink *sink);
/* No action may be out, unless the process is about to end. NULL is accepted. */
void rf_core_destroy(struct rf_core *core);

/* What the actor is to do now. It must have reported the action before, WAIT aside. After EXIT
 * it must not ask again. */
void rf_core_next(struct rf_core *core, uint32_t actor, int64_t now_ms, struct rf_action *action);
/* The outcome of the action that rf_core_next gave. Statuses: as the contracts in source.h and
 * sink.h have them; of RECORD RF_OK, RF_RETRY (no room on the disk: again after a while, the
 * sink stays open) or RF_FATAL. */
void rf_core_done(struct rf_core *core, uint32_t actor, const struct rf_action *action,
                  const struct rf_result *result, int64_t now_ms);

/* Stop gracefully: no more reading; every sink flushes what it has, its position is recorded,
 * all are closed. What is not done after stop_timeout_ms is interrupted and closed without a
 * flush. Repeatable. */
void rf_core_stop(struct rf_core *core, int64_t now_ms);

/* Every sink that is open is to flush as soon as it can, also when it has nothing new: what it does
 * in flushes alone is due. */
void rf_core_flush_soon(struct rf_core *core);

/* Looks at the clock: must be called at least when the time comes that it returned last
 * (INT64_MAX: never), so that a stop runs out even while every actor is busy. */
int64_t rf_core_tick(struct rf_core *core, int64_t now_ms);
/* True when a stop has run out. */
bool rf_core_expired(const struct rf_core *core);

/* True when something has changed since the last call that actors who wait may have waited for:
 * they are to ask again. To be asked after every call above, rf_core_next included. */
bool rf_core_take_change(struct rf_core *core);

/* Takes one actor whose plugin call in progress must be interrupted; false: none. To be asked
 * after every call above. The actor may have come back by itself in the meantime; it will be
 * closed in any case. */
bool rf_core_take_interrupt(struct rf_core *core, uint32_t *actor);

/* Decisions, for the log. */
enum rf_news_kind {
    RF_NEWS_OPENED, /* actor stands at position, behind `try` failures since it last worked */
    /* sink had no position: it begins at position, where the source says `from` is */
    RF_NEWS_FIRST,
    /* the destination's position is not the one that was recorded: it wins; `behind` says which
     * way */
    RF_NEWS_MOVED,
    RF_NEWS_RETRY, /* message failed it; it is opened again after delay_ms, for the try-th time */
    /* message failed it while the pipeline was ending; what it had not flushed is given again
     * next time */
    RF_NEWS_GAVE_UP,
    RF_NEWS_RECORD, /* the position could not be saved; again after delay_ms */
    /* sink is opened anew: the source was lost inside a transaction that the sink had begun */
    RF_NEWS_REOPEN,
    /* the source goes back to position, as this sink stands before what is held in memory */
    RF_NEWS_REWIND,
    RF_NEWS_PARKED, /* the source is closed: its sinks have not kept up for 30 s */
    /* the sink gets a feed of its own from position on; `why` says for what */
    RF_NEWS_OWN_FEED,
    RF_NEWS_REJOINED, /* the sink goes along with the others again, from position on */
    RF_NEWS_BURIED,   /* message: an event of the sink went to the dead letters */
    RF_NEWS_ENDED,    /* the source has come to its end */
    RF_NEWS_FAILED,   /* message ends the pipeline with exit code `code` */
    RF_NEWS_EXPIRED,  /* the stop took too long: leaving without the flush */
};
enum rf_own_feed {
    RF_OWN_SLOW = 1, /* it held the pool for too long, the others were waiting */
    RF_OWN_BEHIND,   /* it stands far behind the others at the start */
    RF_OWN_ADDED,    /* it is new, the others are not where it begins */
    RF_OWN_RETURNED, /* it came back, and what it needs is not held any more */
};
struct rf_news {
    enum rf_news_kind kind;
    enum rf_own_feed why; /* RF_NEWS_OWN_FEED */
    uint32_t actor;
    int64_t delay_ms;
    uint32_t try;
    int code;
    bool behind;
    const char *message; /* terminated; valid until the next call of rf_core_take_news */
    const char *hint;
    struct rf_str position; /* likewise */
};
/* Takes the oldest piece of news; false: none. At most 32 are kept; older ones are dropped. */
bool rf_core_take_news(struct rf_core *core, struct rf_news *out);

/* True when every actor was given EXIT. */
bool rf_core_finished(const struct rf_core *core);
/* 0, or the exit code of the failure that ended it; *err (may be NULL) gets that error. */
int rf_core_exit_code(const struct rf_core *core, struct rf_error *err);

enum rf_phase {
    RF_PHASE_CLOSED,     /* not open, and nothing is tried */
    RF_PHASE_CONNECTING, /* the open is under way, or about to be tried */
    RF_PHASE_RETRYING,   /* waits for the next try */
    RF_PHASE_STREAMING,
    RF_PHASE_FULL, /* source: open, but the pool has no room */
    RF_PHASE_DONE,
};
/* Of one actor, for progress and metrics. Strings are borrowed until the next call of the core. */
struct rf_core_status {
    enum rf_phase phase;
    bool opened;           /* it was open once, in this process */
    uint32_t try;          /* RF_PHASE_RETRYING: the number of the next try */
    int64_t retry_ms;      /* RF_PHASE_RETRYING: when, on the core's clock */
    const char *message;   /* of the last failure; "" when there was none since it last worked */
    uint64_t events;       /* read; or accepted, each once however often it was given */
    uint64_t transactions; /* ends of them */
    uint64_t skipped;      /* source: log events that its filter left out */
    uint64_t waived;       /* source: log events that the operator had left out by name */
    uint64_t marked;       /* source: values with bytes that are not of their character set */
    uint64_t gone;         /* source: updates whose document was gone when it was looked up */
    uint64_t buried;       /* sink: events that went to the dead letters */
    uint64_t held_bytes;   /* source: in the pool */
    bool own_feed;         /* sink: it has a feed of its own now */
    /* source, or the source of the sink's feed: when the upstream last said that it has nothing
     * behind what was read, on the core's clock; 0: not yet */
    int64_t current_ms;
    int64_t commit_us; /* of the last transaction read; or written */
    /* sinks: of the last transaction in the recorded position, 0 when not known */
    int64_t recorded_commit_us;
    struct rf_str position; /* of the last transaction read; or accepted */
    struct rf_str recorded; /* sinks */
    /* sinks: how often the destination has stood before what was recorded: what it was known to
     * have until then it may lack */
    uint32_t losses;
    /* source: its last read found nothing; sink: nothing is left for it to write or flush */
    bool idle;
};
void rf_core_status(const struct rf_core *core, uint32_t actor, struct rf_core_status *out);

#endif
