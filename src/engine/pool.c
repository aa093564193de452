#include "engine/pool.h"

#include "base/memory.h"

#include <stdlib.h>

void rf_pool_init(struct rf_pool *pool, uint32_t count, size_t bytes_max, size_t batch_bytes)
{
    rf_assert(count > 0);
    *pool = (struct rf_pool){
        .count = count,
        .head = 1,
        .next = 1,
        .bytes_max = bytes_max,
        .batch_bytes = batch_bytes,
    };
}

static void destroy_slot(struct rf_slot *slot)
{
    rf_batch_deinit(&slot->batch);
    rf_buf_deinit(&slot->start);
    free(slot);
}

void rf_pool_deinit(struct rf_pool *pool)
{
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        destroy_slot(pool->slots[i]);
    }
    free(pool->slots);
    free(pool->free);
    free(pool->order);
    *pool = (struct rf_pool){0};
}

static void forget(struct rf_pool *pool, struct rf_slot *slot)
{
    rf_batch_deinit(&slot->batch);
    slot->batch.bytes_max = pool->batch_bytes;
}

void rf_pool_limit(struct rf_pool *pool, size_t bytes_max)
{
    if (bytes_max < pool->bytes_max) {
        for (uint32_t i = 0; i < pool->free_count; i++) {
            forget(pool, pool->free[i]);
        }
    }
    pool->bytes_max = bytes_max;
}

void rf_pool_trim(struct rf_pool *pool)
{
    uint32_t kept = 0;
    pool->changed = true;
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        if (pool->slots[i]->state == RF_SLOT_FREE) {
            destroy_slot(pool->slots[i]);
        } else {
            pool->slots[kept++] = pool->slots[i];
        }
    }
    pool->slot_count = kept;
    pool->free_count = 0;
    pool->oversized = false;
    if (kept == 0) {
        free(pool->slots);
        free(pool->free);
        free(pool->order);
        pool->slots = pool->free = pool->order = NULL;
    }
}

static bool is_oversized(const struct rf_pool *pool, const struct rf_slot *slot)
{
    return rf_batch_bytes(&slot->batch) > 4 * pool->batch_bytes;
}

bool rf_pool_has_room(const struct rf_pool *pool)
{
    return pool->next - pool->head < pool->count &&
           (pool->free_count > 0 || pool->slot_count < 2 * pool->count) &&
           (pool->head == pool->next || pool->bytes + pool->batch_bytes <= pool->bytes_max);
}

static void make_slot(struct rf_pool *pool)
{
    rf_assert(pool->slot_count < 2 * pool->count);
    pool->changed = true;
    if (pool->slots == NULL) {
        pool->slots = rf_alloc_zero(2 * pool->count, sizeof(struct rf_slot *));
        pool->free = rf_alloc_zero(2 * pool->count, sizeof(struct rf_slot *));
        pool->order = rf_alloc_zero(pool->count, sizeof(struct rf_slot *));
    }
    struct rf_slot *slot = rf_alloc_zero(1, sizeof *slot);
    slot->batch.bytes_max = pool->batch_bytes;
    pool->slots[pool->slot_count++] = slot;
    pool->free[pool->free_count++] = slot;
}

struct rf_slot *rf_pool_take(struct rf_pool *pool)
{
    if (pool->free_count == 0) {
        make_slot(pool);
    }
    uint32_t chosen = pool->free_count - 1;
    if (pool->oversized) {
        pool->oversized = false;
        for (uint32_t i = 0; i < pool->free_count; i++) {
            if (is_oversized(pool, pool->free[i])) {
                pool->oversized = true;
                chosen = i;
            }
        }
    }
    struct rf_slot *slot = pool->free[chosen];
    pool->free[chosen] = pool->free[--pool->free_count];
    slot->state = RF_SLOT_FILLING;
    pool->changed = true;
    return slot;
}

static void push(struct rf_pool *pool, struct rf_slot *slot)
{
    slot->state = RF_SLOT_FREE;
    slot->bytes = 0;
    pool->changed = true;
    pool->oversized |= is_oversized(pool, slot);
    pool->free[pool->free_count++] = slot;
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
    pool->changed = true;
    slot->number = pool->next++;
    slot->offset = pool->offset;
    slot->bytes = rf_batch_bytes(&slot->batch);
    slot->transactions = slot->batch.transaction_count;
    slot->events = slot->batch.count;
    pool->order[slot->number % pool->count] = slot;
    pool->bytes += slot->bytes;
    pool->offset += slot->bytes;
}

struct rf_slot *rf_pool_at(const struct rf_pool *pool, uint64_t number)
{
    rf_assert(number >= pool->head && number < pool->next);
    return pool->order[number % pool->count];
}

size_t rf_pool_bytes_from(const struct rf_pool *pool, uint64_t number)
{
    return number == pool->next ? 0 : (size_t)(pool->offset - rf_pool_at(pool, number)->offset);
}

static struct rf_slot *take_head(struct rf_pool *pool)
{
    struct rf_slot *slot = rf_pool_at(pool, pool->head);
    pool->bytes -= slot->bytes;
    pool->head++;
    pool->changed = true;
    return slot;
}

void rf_pool_release(struct rf_pool *pool, uint64_t below)
{
    rf_assert(below <= pool->next);
    while (pool->head < below) {
        bool above = pool->bytes > pool->bytes_max + pool->batch_bytes;
        struct rf_slot *slot = take_head(pool);
        if (above) {
            forget(pool, slot);
        }
        push(pool, slot);
    }
}

void rf_pool_set_aside(struct rf_pool *pool)
{
    struct rf_slot *slot = take_head(pool);
    slot->state = RF_SLOT_ASIDE;
    pool->aside_bytes += slot->bytes;
}

void rf_pool_free_aside(struct rf_pool *pool, struct rf_slot *slot)
{
    rf_assert(slot->state == RF_SLOT_ASIDE);
    pool->aside_bytes -= slot->bytes;
    forget(pool, slot);
    push(pool, slot);
}
