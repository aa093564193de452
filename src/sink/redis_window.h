/* What is to become of the keys that a few rows touch: one change for each key, in the order in
 * which the keys came first.
 *
 * Used by the sink `redis`, which puts its rows in here, and sends the changes when the window is
 * full or has to go for another reason. A row whose key is in the window already joins the change
 * that is there, so that only the last state of a key is sent. Knows nothing of a connection.
 *
 * The window grows as long as keys come again, and shrinks when they do not: then it would only
 * keep Redis waiting. Memory is kept from one window to the next: the steady state allocates
 * nothing. Zeroed is empty and valid. Not thread-safe. */
#ifndef ROWFERRY_SINK_REDIS_WINDOW_H
#define ROWFERRY_SINK_REDIS_WINDOW_H

#include <rowferry/arena.h>
#include <rowferry/event.h>

enum {
    RF_REDIS_WINDOW_LEAST = 512,     /* keys that any window takes */
    RF_REDIS_WINDOW_MOST = 1 << 16,  /* that the largest one takes */
    RF_REDIS_WINDOW_KEY_BYTES = 512, /* of values, for each key that a window takes */
    RF_REDIS_WINDOW_ARENA_BYTES = 16 << 20
};

struct rf_redis_table;

struct rf_redis_change {
    struct rf_str key; /* in the window's arena */
    const struct rf_redis_table *table;
    const struct rf_event *event; /* the first of those that it is made of */
    const struct rf_value *image; /* what to write: hash, json; NULL: the key goes, or text */
    struct rf_str text;           /* what to write: string */
    uint64_t bytes;               /* of what is to be written */
    uint32_t set, null;           /* columns of image with a value, and that are NULL */
    bool untold;                  /* image does not tell all columns */
    bool fresh;                   /* nothing of what is under the key now stays */
    bool puts;                    /* there is something to write */
    bool dropped;                 /* it does not count any more */
};

struct rf_redis_window {
    struct rf_arena arena; /* for what the changes point to; until reset */
    struct rf_redis_change *changes;
    struct rf_redis_slot *slots; /* open addressing, more than twice as many as keys */
    uint64_t seed;               /* of the hashes; may be set while it is empty */
    uint32_t count;
    uint32_t limit;  /* keys that it takes now */
    uint32_t room;   /* keys that there is memory for */
    uint32_t folded; /* rows that joined a change */
    uint64_t bytes;  /* of the values in it */
    bool crowded;    /* too many hashes that are alike */
};

uint64_t rf_redis_window_hash(const struct rf_redis_window *window, struct rf_str key);
/* The change under that key, NULL without one. Valid until the next add. */
struct rf_redis_change *rf_redis_window_find(const struct rf_redis_window *window,
                                             struct rf_str key, uint64_t hash);
/* A zeroed change behind the others, with a copy of the key, which must not be in the window but
 * for dropped ones. The window must not be full. */
struct rf_redis_change *rf_redis_window_add(struct rf_redis_window *window, struct rf_str key,
                                            uint64_t hash);
/* True when the changes are to be sent before the next row is put in. */
static inline bool rf_redis_window_full(const struct rf_redis_window *window)
{
    return window->count > 0 &&
           (window->count == window->limit || window->crowded ||
            window->bytes > (uint64_t)window->limit * RF_REDIS_WINDOW_KEY_BYTES ||
            window->arena.bytes > RF_REDIS_WINDOW_ARENA_BYTES);
}
/* Empties it, and decides on the size of the next one. */
void rf_redis_window_reset(struct rf_redis_window *window);
void rf_redis_window_deinit(struct rf_redis_window *window);

#endif
