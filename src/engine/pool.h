/* The pool: the batches between one source and its sinks, bounded in number and in bytes.
 *
 * A slot is free, being filled by the source, held, or set aside. Filled batches get numbers that
 * only grow, and are held from the oldest that a sink still needs to the newest. One that only
 * somebody who does not go along any more still looks at is set aside: it is out of the order, and
 * freed by hand. Slots are made when they are needed, so that a pool that was never used holds no
 * memory. Used by the core alone, under whatever lock guards that. */
#ifndef ROWFERRY_ENGINE_POOL_H
#define ROWFERRY_ENGINE_POOL_H

#include <rowferry/batch.h>

enum rf_slot_state { RF_SLOT_FREE, RF_SLOT_FILLING, RF_SLOT_HELD, RF_SLOT_ASIDE };

struct rf_slot {
    enum rf_slot_state state;
    struct rf_batch batch;
    size_t bytes;    /* what the batch holds, while it is held or set aside; 0 else */
    uint64_t number; /* its place in the order of reading */
    uint64_t offset; /* bytes of all batches that were held before it */
    /* how many of them count: a piece that the source never finished does not */
    uint32_t transactions;
    uint32_t events; /* likewise */
    uint64_t waived; /* log events that were left out by name, up to its end */
    /* the position before its first event; inside a transaction: before that */
    struct rf_buf start;
};

struct rf_pool {
    struct rf_slot **slots; /* NULL: none was ever taken */
    uint32_t slot_count;
    uint32_t count;        /* so many may be held; as many again set aside */
    struct rf_slot **free; /* a stack: the batch that was freed last is warm in the cache */
    uint32_t free_count;
    struct rf_slot **order; /* held batch number n, at n % count */
    uint64_t head;          /* number of the oldest held batch; equal to next: none is held */
    uint64_t next;          /* number that the next batch gets */
    size_t bytes;           /* of all held batches */
    size_t aside_bytes;     /* of those set aside */
    uint64_t offset;        /* bytes of all batches that were ever held */
    size_t bytes_max;       /* see rf_pool_has_room */
    size_t batch_bytes;
    bool oversized; /* a free slot may hold far more memory than usual */
    bool changed;   /* since core_check.c last looked at every slot */
};

/* At most count batches, which are full at batch_bytes. Allocates nothing. Deinit with
 * rf_pool_deinit. */
void rf_pool_init(struct rf_pool *pool, uint32_t count, size_t bytes_max, size_t batch_bytes);
/* No batch may be in use by anybody. Accepts a zeroed pool. */
void rf_pool_deinit(struct rf_pool *pool);
/* Another limit. When it is lower, memory that free slots have kept is given back. */
void rf_pool_limit(struct rf_pool *pool, size_t bytes_max);
/* Gives back the memory of all free slots. Numbers go on. */
void rf_pool_trim(struct rf_pool *pool);

/* True when one more batch may be filled: a slot is free, and either a batch of the usual size
 * still fits or nothing is held at all, so that one that is larger than the pool gets through as
 * well. */
bool rf_pool_has_room(const struct rf_pool *pool);
/* Takes a free slot to be filled. A slot whose batch grew far beyond the usual size comes first:
 * its next owner gives that memory back when it resets the batch. */
struct rf_slot *rf_pool_take(struct rf_pool *pool);
/* Gives back a slot that was not filled. */
void rf_pool_give_back(struct rf_pool *pool, struct rf_slot *slot);
/* The filled batch becomes the newest held one, with the next number. */
void rf_pool_hold(struct rf_pool *pool, struct rf_slot *slot);
/* The held batch of that number, head <= number < next. */
struct rf_slot *rf_pool_at(const struct rf_pool *pool, uint64_t number);
/* Bytes of the held batches from that number on, head <= number <= next. */
size_t rf_pool_bytes_from(const struct rf_pool *pool, uint64_t number);
/* Frees the held batches whose number is below. Their memory stays until the slot is filled
 * again, unless far more is held than may be. */
void rf_pool_release(struct rf_pool *pool, uint64_t below);
/* The oldest held batch is held no more, but not freed. */
void rf_pool_set_aside(struct rf_pool *pool);
/* Frees one that was set aside, its memory as well. */
void rf_pool_free_aside(struct rf_pool *pool, struct rf_slot *slot);

#endif
