#include "net/cql_ring.h"

#include "base/memory.h"

#include <stdlib.h>

bool rf_cql_ring_add(struct rf_cql_ring *ring, struct rf_str token, uint32_t node)
{
    int64_t number;
    if (!rf_str_to_i64(token, &number)) {
        return false;
    }
    if (ring->count == ring->capacity) {
        ring->capacity = ring->capacity ? ring->capacity * 2 : 256;
        ring->items = rf_realloc(ring->items, ring->capacity * sizeof *ring->items);
    }
    ring->items[ring->count++] = (struct rf_cql_token){number, node};
    return true;
}

static int by_token(const void *a, const void *b)
{
    int64_t left = ((const struct rf_cql_token *)a)->token;
    int64_t right = ((const struct rf_cql_token *)b)->token;
    return left < right ? -1 : left > right;
}

void rf_cql_ring_sort(struct rf_cql_ring *ring)
{
    if (ring->count > 0) {
        qsort(ring->items, ring->count, sizeof *ring->items, by_token);
    }
}

uint32_t rf_cql_ring_find(const struct rf_cql_ring *ring, int64_t token)
{
    uint32_t low = 0, high = ring->count;
    rf_assert(ring->count > 0);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ring->items[middle].token < token) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == ring->count ? 0 : low;
}

void rf_cql_ring_reset(struct rf_cql_ring *ring)
{
    ring->count = 0;
}

void rf_cql_ring_deinit(struct rf_cql_ring *ring)
{
    free(ring->items);
    *ring = (struct rf_cql_ring){0};
}
