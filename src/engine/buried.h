/* The events of one sink that went to its dead letters and that its durable position does not
 * contain yet: whatever is given again leaves them out.
 *
 * An event is known by its id: transaction, ordinal, row. Kept in order, so that looking one up
 * costs little beside many. Used by one thread, the sink's. */
#ifndef ROWFERRY_ENGINE_BURIED_H
#define ROWFERRY_ENGINE_BURIED_H

#include <rowferry/event.h>

/* So many at most: a sink that refuses that much before its position moves once is not meant to
 * go on. */
enum { RF_BURIED_HELD_MAX = 10000 };

struct rf_buried_item {
    struct rf_str transaction; /* on the heap, one allocation each */
    uint32_t ordinal, row;
};

/* Zeroed is empty and valid. */
struct rf_buried {
    struct rf_buried_item *items;
    uint32_t count;
    uint32_t capacity;
};

/* Copies the id. One that is there already is not added again. */
void rf_buried_add(struct rf_buried *buried, struct rf_str transaction, uint32_t ordinal,
                   uint32_t row);

/* The events of that transaction: their number, *first is where they begin. */
uint32_t rf_buried_of(const struct rf_buried *buried, struct rf_str transaction, uint32_t *first);
/* True when the event is one of these. */
bool rf_buried_has(const struct rf_buried *buried, uint32_t first, uint32_t count,
                   const struct rf_event *event);

/* Drops those whose transaction lies inside the position. */
void rf_buried_forget(struct rf_buried *buried, struct rf_str position,
                      bool (*contains)(struct rf_str position, struct rf_str other));

/* A number that is another one for other events; 0 when there are none. */
uint64_t rf_buried_hash(const struct rf_buried *buried);

void rf_buried_deinit(struct rf_buried *buried);

#endif
