#include "base/memory.h"

#include <rowferry/batch.h>
#include <stdlib.h>

enum { SCRATCH_KEPT = 1024 * 1024 };

static void *grow(void *array, uint32_t *capacity, uint32_t first, size_t size)
{
    rf_assert(*capacity < UINT32_MAX / 2);
    *capacity = *capacity ? *capacity * 2 : first;
    return rf_realloc(array, *capacity * size);
}

struct rf_transaction *rf_batch_begin(struct rf_batch *batch, struct rf_str id, int64_t commit_us,
                                      bool begins)
{
    if (batch->transaction_count == batch->transaction_capacity) {
        batch->transactions = grow(batch->transactions, &batch->transaction_capacity, 16,
                                   sizeof *batch->transactions);
    }
    struct rf_transaction *transaction = &batch->transactions[batch->transaction_count++];
    *transaction = (struct rf_transaction){
        .id = rf_arena_copy(&batch->arena, id),
        .commit_us = commit_us,
        .first = batch->count,
        .begins = begins,
    };
    return transaction;
}

void rf_batch_commit(struct rf_batch *batch)
{
    rf_assert(batch->transaction_count > 0);
    batch->transactions[batch->transaction_count - 1].ends = true;
}

struct rf_event *rf_batch_add_slow(struct rf_batch *batch)
{
    batch->events = grow(batch->events, &batch->capacity, 64, sizeof *batch->events);
    return rf_batch_add(batch);
}

void rf_batch_use(struct rf_batch *batch, struct rf_table *table)
{
    /* Almost always the table of the event before: look from the end. */
    for (uint32_t i = batch->table_count; i > 0; i--) {
        if (batch->tables[i - 1] == table) {
            return;
        }
    }
    if (batch->table_count == batch->table_capacity) {
        batch->tables = grow(batch->tables, &batch->table_capacity, 8, sizeof *batch->tables);
    }
    batch->tables[batch->table_count++] = rf_table_retain(table);
}

void rf_batch_set_position(struct rf_batch *batch, struct rf_str position, int64_t commit_us)
{
    batch->position = rf_arena_copy(&batch->arena, position);
    batch->commit_us = commit_us;
}

void rf_batch_reset(struct rf_batch *batch, size_t keep_bytes)
{
    for (uint32_t i = 0; i < batch->table_count; i++) {
        rf_table_release(batch->tables[i]);
    }
    rf_arena_reset(&batch->arena, keep_bytes);
    batch->count = 0;
    batch->transaction_count = 0;
    batch->table_count = 0;
    batch->position = RF_STR_NONE;
    batch->commit_us = 0;
    batch->skipped = batch->waived = batch->marked = batch->gone = 0;
    batch->end = batch->current = false;
    if (batch->scratch.capacity > SCRATCH_KEPT) {
        rf_buf_deinit(&batch->scratch);
    }
}

void rf_batch_deinit(struct rf_batch *batch)
{
    rf_batch_reset(batch, 0);
    rf_arena_deinit(&batch->arena);
    free(batch->events);
    free(batch->transactions);
    free(batch->tables);
    rf_buf_deinit(&batch->scratch);
    *batch = (struct rf_batch){0};
}
