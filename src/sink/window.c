#include "sink/window.h"

#include "base/memory.h"

#include <stdlib.h>

enum {
    PROBES_MAX = 64,              /* a window with more is crowded */
    GROW_ONE_OF = 64,             /* it pays when one change of so many joins another */
    SHRINK_ONE_OF = 256,          /* and it does not when fewer do */
    ARENA_KEEP = 4 * 1024 * 1024, /* bytes kept from one window to the next */
};

struct rf_window_slot {
    uint32_t hash;
    uint32_t number; /* of the change, from 1; 0: free */
};

uint64_t rf_window_hash(const struct rf_window *window, struct rf_str key)
{
    const uint64_t factor = 0x9E3779B97F4A7C15u;
    uint64_t hash = window->seed ^ key.size * factor, word;
    const char *at = key.data;
    size_t left = key.size;
    for (; left >= sizeof word; left -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = (hash ^ word) * factor;
        hash ^= hash >> 32;
    }
    word = 0;
    for (size_t i = 0; i < left; i++) {
        word = word << 8 | (unsigned char)at[i];
    }
    hash = (hash ^ word) * factor;
    return hash ^ hash >> 29;
}

/* The slot of that key, or the free one where it would be. *probes: how many were looked at. */
static struct rf_window_slot *find_slot(const struct rf_window *window, struct rf_str key,
                                        uint64_t hash, uint32_t *probes)
{
    uint32_t mask = window->slot_count - 1, short_hash = (uint32_t)(hash >> 32);
    *probes = 1;
    for (uint32_t at = (uint32_t)hash & mask;; at = (at + 1) & mask, ++*probes) {
        struct rf_window_slot *slot = &window->slots[at];
        if (slot->number == 0 ||
            (slot->hash == short_hash && rf_str_equal(window->keys[slot->number - 1], key))) {
            return slot;
        }
    }
}

void *rf_window_find(const struct rf_window *window, struct rf_str key, uint64_t hash)
{
    uint32_t probes;
    if (window->count == 0) {
        return NULL;
    }
    const struct rf_window_slot *slot = find_slot(window, key, hash, &probes);
    return slot->number > 0 ? rf_window_at(window, slot->number - 1) : NULL;
}

static void make_room(struct rf_window *window)
{
    if (window->limit == 0) {
        window->limit = window->least;
    }
    if (window->room < window->limit) {
        free(window->keys);
        free(window->changes);
        free(window->slots);
        window->room = window->limit;
        window->slot_count = 64;
        while (window->slot_count < 4 * window->room) {
            window->slot_count *= 2;
        }
        window->keys = rf_alloc(window->room * sizeof *window->keys);
        window->changes = rf_alloc((size_t)window->room * window->change_size);
        window->slots = rf_alloc(window->slot_count * sizeof *window->slots);
    }
    memset(window->slots, 0, window->slot_count * sizeof *window->slots);
}

void *rf_window_add(struct rf_window *window, struct rf_str key, uint64_t hash)
{
    uint32_t probes;
    if (window->count == 0) {
        make_room(window);
    }
    rf_assert(window->count < window->limit);
    struct rf_window_slot *slot = find_slot(window, key, hash, &probes);
    window->crowded |= probes > PROBES_MAX;
    window->keys[window->count] = rf_arena_copy(&window->arena, key);
    void *change = rf_window_at(window, window->count++);
    memset(change, 0, window->change_size);
    *slot = (struct rf_window_slot){(uint32_t)(hash >> 32), window->count};
    return change;
}

void rf_window_reset(struct rf_window *window)
{
    uint64_t rows = (uint64_t)window->count + window->folded;
    if (rows >= window->least) {
        if ((uint64_t)window->folded * GROW_ONE_OF >= rows) {
            /* What was enough for all keys of this window is enough for the next one. */
            while (window->limit * 2 <= RF_WINDOW_MOST && window->limit < 4 * window->count) {
                window->limit *= 2;
            }
        } else if ((uint64_t)window->folded * SHRINK_ONE_OF < rows &&
                   window->limit > window->least) {
            window->limit /= 2;
        }
    }
    rf_arena_reset(&window->arena, ARENA_KEEP);
    window->count = window->folded = 0;
    window->bytes = 0;
    window->crowded = false;
}

void rf_window_deinit(struct rf_window *window)
{
    rf_arena_deinit(&window->arena);
    free(window->keys);
    free(window->changes);
    free(window->slots);
    *window = (struct rf_window){0};
}
