#include "engine/pool.h"

#include "base/memory.h"

#include <stdlib.h>

void rf_pool_init(struct rf_pool *pool, uint32_t count, size_t bytes_max, size_t batch_bytes)
{
    rf_assert(count > 0);
    *pool = (struct rf_pool){
        .slots = rf_alloc_zero(count, sizeof *pool->slots),
        .count = count,
        .free = rf_alloc_zero(count, sizeof *pool->free),
        .free_count = count,
        .order = rf_alloc_zero(count, sizeof *pool->order),
        .head = 1,
        .next = 1,
        .bytes_max = bytes_max,
        .batch_bytes = batch_bytes,
    };
    for (uint32_t i = 0; i < count; i++) {
        pool->slots[i].batch.bytes_max = batch_bytes;
        pool->free[i] = count - 1 - i;
    }
}

void rf_pool_deinit(struct rf_pool *pool)
{
    for (uint32_t i = 0; i < pool->count; i++) {
        rf_batch_deinit(&pool->slots[i].batch);
        rf_buf_deinit(&pool->slots[i].start);
    }
    free(pool->slots);
    free(pool->free);
    free(pool->order);
    *pool = (struct rf_pool){0};
}

static bool is_oversized(const struct rf_pool *pool, const struct rf_slot *slot)
{
    return rf_batch_bytes(&slot->batch) > 4 * pool->batch_bytes;
}

bool rf_pool_has_room(const struct rf_pool *pool)
{
    return pool->free_count > 0 &&
           (pool->head == pool->next || pool->bytes + pool->batch_bytes <= pool->bytes_max);
}

struct rf_slot *rf_pool_take(struct rf_pool *pool)
{
    rf_assert(pool->free_count > 0);
    uint32_t chosen = pool->free_count - 1;
    if (pool->oversized) {
        pool->oversized = false;
        for (uint32_t i = 0; i < pool->free_count; i++) {
            if (is_oversized(pool, &pool->slots[pool->free[i]])) {
                pool->oversized = true;
                chosen = i;
            }
        }
    }
    struct rf_slot *slot = &pool->slots[pool->free[chosen]];
    pool->free[chosen] = pool->free[--pool->free_count];
    slot->state = RF_SLOT_FILLING;
    return slot;
}

static void push(struct rf_pool *pool, struct rf_slot *slot)
{
    slot->state = RF_SLOT_FREE;
    slot->bytes = 0;
    pool->oversized |= is_oversized(pool, slot);
    pool->free[pool->free_count++] = (uint32_t)(slot - pool->slots);
}

void rf_pool_give_back(struct rf_pool *pool, struct rf_slot *slot)
{
    rf_assert(slot->state == RF_SLOT_FILLING);
    push(pool, slot);
}

void rf_pool_hold(struct rf_pool *pool, struct rf_slot *slot)
{
    rf_assert(slot->state == RF_SLOT_FILLING);
    slot->state = RF_SLOT_HELD;
    slot->number = pool->next++;
    slot->bytes = rf_batch_bytes(&slot->batch);
    slot->transactions = slot->batch.transaction_count;
    slot->events = slot->batch.count;
    pool->order[slot->number % pool->count] = (uint32_t)(slot - pool->slots);
    pool->bytes += slot->bytes;
}

struct rf_slot *rf_pool_at(const struct rf_pool *pool, uint64_t number)
{
    rf_assert(number >= pool->head && number < pool->next);
    return &pool->slots[pool->order[number % pool->count]];
}

void rf_pool_release(struct rf_pool *pool, uint64_t below)
{
    rf_assert(below <= pool->next);
    while (pool->head < below) {
        struct rf_slot *slot = rf_pool_at(pool, pool->head);
        pool->bytes -= slot->bytes;
        pool->head++;
        push(pool, slot);
    }
}
