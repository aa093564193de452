#include "format/debezium_counts.h"

#include "base/memory.h"
#include "format/shapes.h"

#include <stdlib.h>

void rf_debezium_counts_reset(struct rf_debezium_counts *counts)
{
    if (counts->count > 0) {
        memset(counts->places, 0, counts->place_capacity * sizeof *counts->places);
    }
    rf_buf_reset(&counts->names);
    counts->count = 0;
    counts->total = 0;
}

void rf_debezium_counts_deinit(struct rf_debezium_counts *counts)
{
    free(counts->items);
    free(counts->places);
    rf_buf_deinit(&counts->names);
    *counts = (struct rf_debezium_counts){0};
}

/* Where the table's number stands, or would. There is always a free place. */
static uint32_t *place_of(const struct rf_debezium_counts *counts, struct rf_str table)
{
    uint32_t mask = counts->place_capacity - 1;
    for (uint32_t at = rf_shapes_hash(table) & mask;; at = (at + 1) & mask) {
        uint32_t number = counts->places[at];
        if (number == 0 ||
            rf_str_equal(rf_debezium_count_name(counts, &counts->items[number - 1]), table)) {
            return &counts->places[at];
        }
    }
}

static void grow(struct rf_debezium_counts *counts)
{
    enum { FIRST = 16 };
    counts->capacity = counts->capacity > 0 ? counts->capacity * 2 : FIRST;
    counts->items = rf_realloc(counts->items, counts->capacity * sizeof *counts->items);
    free(counts->places);
    counts->place_capacity = counts->capacity * 2;
    counts->places = rf_alloc_zero(counts->place_capacity, sizeof *counts->places);
    for (uint32_t i = 0; i < counts->count; i++) {
        *place_of(counts, rf_debezium_count_name(counts, &counts->items[i])) = i + 1;
    }
}

void rf_debezium_counts_take_back(struct rf_debezium_counts *counts, struct rf_str table)
{
    counts->items[*place_of(counts, table) - 1].events--;
    counts->total--;
}

const struct rf_debezium_count *rf_debezium_counts_add(struct rf_debezium_counts *counts,
                                                       struct rf_str table)
{
    if (counts->count == counts->capacity) {
        grow(counts);
    }
    uint32_t *place = place_of(counts, table);
    if (*place == 0) {
        counts->items[counts->count] = (struct rf_debezium_count){
            .name_start = (uint32_t)counts->names.size,
            .name_size = (uint32_t)table.size,
        };
        rf_buf_add_str(&counts->names, table);
        *place = ++counts->count;
    }
    struct rf_debezium_count *item = &counts->items[*place - 1];
    item->events++;
    counts->total++;
    return item;
}
