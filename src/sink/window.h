/* Changes that wait, one for each key, in the order in which the keys came first.
 *
 * Used by sinks that hold the rows' last state: they put their changes in here, and send them when
 * the window is full or has to go for another reason. A change whose key is in the window already
 * joins the one that is there, so that only the last state of a key is sent. Knows nothing of what
 * a key or a change is.
 *
 * The window grows as long as keys come again, and shrinks when they do not: then it would only
 * keep the destination waiting. Memory is kept from one window to the next: the steady state
 * allocates nothing. Zeroed but for change_size and least is empty and valid. Not thread-safe. */
#ifndef ROWFERRY_SINK_WINDOW_H
#define ROWFERRY_SINK_WINDOW_H

#include <rowferry/arena.h>

enum {
    RF_WINDOW_MOST = 1 << 16, /* keys that the largest one takes */
    RF_WINDOW_ARENA_BYTES = 16 << 20
};

struct rf_window {
    uint32_t change_size; /* bytes of a change; the owner's, set before anything else */
    uint32_t least;       /* keys that any window takes; the same */
    uint32_t key_bytes;   /* so many, of what is to be written, a window takes for each key */

    struct rf_arena arena;        /* for what the changes point to; until reset */
    struct rf_str *keys;          /* by number, in the arena */
    char *changes;                /* by number */
    struct rf_window_slot *slots; /* open addressing, at least four times as many as keys */
    uint64_t seed;                /* of the hashes; may be set while it is empty */
    uint32_t count;
    uint32_t limit;      /* keys that it takes now */
    uint32_t room;       /* keys that there is memory for */
    uint32_t slot_count; /* a power of two */
    uint32_t folded;     /* changes that joined another; counted by the owner */
    uint64_t bytes;      /* of what is to be written; counted by the owner */
    bool crowded;        /* too many hashes that are alike */
};

uint64_t rf_window_hash(const struct rf_window *window, struct rf_str key);
/* The change under that key, NULL without one. Valid until the next add or reset. */
void *rf_window_find(const struct rf_window *window, struct rf_str key, uint64_t hash);
/* A zeroed change behind the others, with a copy of the key; an older one of that key is not found
 * any more. The window must not be full. */
void *rf_window_add(struct rf_window *window, struct rf_str key, uint64_t hash);

static inline void *rf_window_at(const struct rf_window *window, uint32_t number)
{
    return window->changes + (size_t)number * window->change_size;
}
static inline uint32_t rf_window_number(const struct rf_window *window, const void *change)
{
    return (uint32_t)((size_t)((const char *)change - window->changes) / window->change_size);
}
/* True when the changes are to be sent before the next one is put in. */
static inline bool rf_window_full(const struct rf_window *window)
{
    return window->count > 0 && (window->count == window->limit || window->crowded ||
                                 window->bytes > (uint64_t)window->limit * window->key_bytes ||
                                 window->arena.bytes > RF_WINDOW_ARENA_BYTES);
}
/* Empties it, and decides on the size of the next one. */
void rf_window_reset(struct rf_window *window);
void rf_window_deinit(struct rf_window *window);

#endif
