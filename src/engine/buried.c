#include "engine/buried.h"

#include "base/memory.h"
#include "engine/picks.h"

#include <stdlib.h>

/* By transaction first, so that those of one lie together. */
static int compare(const struct rf_buried_item *a, struct rf_str transaction, uint32_t ordinal,
                   uint32_t row)
{
    int order = rf_str_compare(a->transaction, transaction);
    if (order == 0) {
        order = (a->ordinal > ordinal) - (a->ordinal < ordinal);
    }
    return order != 0 ? order : (a->row > row) - (a->row < row);
}

/* The first that is not before that id. */
static uint32_t place(const struct rf_buried *buried, struct rf_str transaction, uint32_t ordinal,
                      uint32_t row)
{
    uint32_t low = 0, high = buried->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(&buried->items[middle], transaction, ordinal, row) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void rf_buried_add(struct rf_buried *buried, struct rf_str transaction, uint32_t ordinal,
                   uint32_t row)
{
    uint32_t at = place(buried, transaction, ordinal, row);
    if (at < buried->count && compare(&buried->items[at], transaction, ordinal, row) == 0) {
        return;
    }
    if (buried->count == buried->capacity) {
        buried->capacity = buried->capacity ? buried->capacity * 2 : 16;
        buried->items = rf_realloc(buried->items, buried->capacity * sizeof *buried->items);
    }
    memmove(buried->items + at + 1, buried->items + at,
            (buried->count - at) * sizeof *buried->items);
    buried->items[at] = (struct rf_buried_item){
        .transaction = {rf_str_dup(transaction), transaction.size},
        .ordinal = ordinal,
        .row = row,
    };
    buried->count++;
}

uint32_t rf_buried_of(const struct rf_buried *buried, struct rf_str transaction, uint32_t *first)
{
    *first = place(buried, transaction, 0, 0);
    uint32_t end = *first;
    while (end < buried->count && rf_str_equal(buried->items[end].transaction, transaction)) {
        end++;
    }
    return end - *first;
}

bool rf_buried_has(const struct rf_buried *buried, uint32_t first, uint32_t count,
                   const struct rf_event *event)
{
    const struct rf_buried these = {.items = buried->items + first, .count = count};
    struct rf_str transaction = these.items[0].transaction;
    uint32_t at = place(&these, transaction, event->ordinal, event->row);
    return at < count && compare(&these.items[at], transaction, event->ordinal, event->row) == 0;
}

void rf_buried_forget(struct rf_buried *buried, struct rf_str position,
                      bool (*contains)(struct rf_str position, struct rf_str other))
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < buried->count; i++) {
        if (contains(position, buried->items[i].transaction)) {
            free((char *)buried->items[i].transaction.data);
        } else {
            buried->items[kept++] = buried->items[i];
        }
    }
    buried->count = kept;
}

uint64_t rf_buried_hash(const struct rf_buried *buried)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < buried->count; i++) {
        const struct rf_buried_item *item = &buried->items[i];
        char numbers[8];
        memcpy(numbers, &item->ordinal, 4);
        memcpy(numbers + 4, &item->row, 4);
        sum += rf_picks_hash(item->transaction, (struct rf_str){numbers, sizeof numbers});
    }
    return sum;
}

void rf_buried_deinit(struct rf_buried *buried)
{
    for (uint32_t i = 0; i < buried->count; i++) {
        free((char *)buried->items[i].transaction.data);
    }
    free(buried->items);
    *buried = (struct rf_buried){0};
}
