/* Batches and views: how events travel from one source to many sinks.
 *
 * A batch is filled by the source's thread, then shared read-only by every sink until each has
 * called the covering flush, then reset as a whole. A view is the part of a batch that one sink is
 * given. */
#ifndef ROWFERRY_BATCH_H
#define ROWFERRY_BATCH_H

#include <rowferry/arena.h>
#include <rowferry/event.h>

struct rf_batch {
    struct rf_arena arena; /* holds everything that the events point to, but for the tables */
    struct rf_event *events;
    uint32_t count;
    uint32_t capacity;
    struct rf_transaction *transactions;
    uint32_t transaction_count;
    uint32_t transaction_capacity;
    struct rf_table **tables; /* one reference each */
    uint32_t table_count;
    uint32_t table_capacity;
    /* behind the last transaction that ended here (events or not); empty: none ended. In the
     * arena */
    struct rf_str position;
    int64_t commit_us; /* of that transaction; 0 without one */
    uint64_t skipped;  /* log events that the source's filter left out, for the counters */
    uint64_t waived;   /* log events that were left out because the operator named them */
    uint64_t marked;   /* values with bytes that are not of their character set (value.h) */
    uint64_t gone;     /* updates whose document was gone when it was looked up (event.h) */
    size_t bytes_max;  /* the source stops filling when rf_batch_bytes reaches it */
    bool end;          /* the source has nothing more, ever (the end of a log file) */
    /* the upstream has just said that it has nothing behind what was handed over: what is in this
     * batch is all there is. May stand alone, without events and position */
    bool current;
    struct rf_buf scratch; /* for whoever fills it: nothing in it lasts from value to value */
};

/* Memory that the batch holds. An empty batch always takes one event, however large. */
static inline size_t rf_batch_bytes(const struct rf_batch *batch)
{
    return batch->arena.bytes + batch->capacity * sizeof *batch->events +
           batch->transaction_capacity * sizeof *batch->transactions;
}
static inline bool rf_batch_full(const struct rf_batch *batch)
{
    return batch->arena.bytes + batch->count * sizeof *batch->events >= batch->bytes_max;
}

/* Opens the next transaction (or goes on with one: begins = false). Its id is copied into the
 * arena. */
struct rf_transaction *rf_batch_begin(struct rf_batch *batch, struct rf_str id, int64_t commit_us,
                                      bool begins);
/* Ends it here. */
void rf_batch_commit(struct rf_batch *batch);
/* A zeroed event of the open transaction, to be filled by the caller. Valid until the next add. */
struct rf_event *rf_batch_add_slow(struct rf_batch *batch);
static inline struct rf_event *rf_batch_add(struct rf_batch *batch)
{
    if (__builtin_expect(batch->count == batch->capacity, 0)) {
        return rf_batch_add_slow(batch);
    }
    struct rf_event *event = &batch->events[batch->count++];
    *event = (struct rf_event){.transaction = batch->transaction_count - 1};
    batch->transactions[batch->transaction_count - 1].count++;
    return event;
}
/* The batch keeps a reference of its own on the table; a table that it has already is not counted
 * again. */
void rf_batch_use(struct rf_batch *batch, struct rf_table *table);
/* Copies position into the arena. */
void rf_batch_set_position(struct rf_batch *batch, struct rf_str position, int64_t commit_us);

/* Empties it; keeps at most keep_bytes of arena and the arrays. */
void rf_batch_reset(struct rf_batch *batch, size_t keep_bytes);
void rf_batch_deinit(struct rf_batch *batch);

/* The events of a batch from one on. Everything is borrowed from the batch and valid until the
 * covering flush. */
struct rf_view {
    const struct rf_batch *batch;
    const struct rf_event *events;
    uint32_t count;
    /* those that the events belong to; `first` still counts from the batch's start */
    const struct rf_transaction *transactions;
    uint32_t transaction_count;
};

static inline const struct rf_transaction *rf_view_transaction(const struct rf_view *view,
                                                               const struct rf_event *event)
{
    return &view->batch->transactions[event->transaction];
}
/* Order stamps, for destinations that want numbers which grow: microseconds of the commit, moved up
 * so that no two events of a sink have the same. The sink begins with the stamp that lies beside
 * its position in the destination (0: none) and calls this for each event that it is given, so that
 * a repeat gets the same stamps. When ctx->picks is not what it was at that position, other events
 * come: it first adds RF_STAMP_GAP. */
#define RF_STAMP_GAP UINT64_C(10000000000)
static inline uint64_t rf_stamp_next(uint64_t previous, int64_t commit_us)
{
    uint64_t commit = commit_us > 0 ? (uint64_t)commit_us : 0;
    return commit > previous ? commit : previous + 1;
}

/* A batch that is not full is all that the source had at that moment: a reader of the destination
 * is to see it now. Behind a full one more follows, or else the flush. */
static inline bool rf_view_more_follows(const struct rf_view *view)
{
    return rf_batch_full(view->batch) && !view->batch->current && !view->batch->end;
}

/* True when the event is the last one of its transaction: behind it lies a position. */
static inline bool rf_view_ends(const struct rf_view *view, const struct rf_event *event)
{
    const struct rf_transaction *transaction = rf_view_transaction(view, event);
    return transaction->ends &&
           (uint32_t)(event - view->batch->events) + 1 == transaction->first + transaction->count;
}

#endif
