#include "format/shapes.h"

#include "base/memory.h"

#include <stdlib.h>

enum { PLACES = 1024 }; /* a power of two */

uint32_t rf_shapes_hash(struct rf_str text)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < text.size; i++) {
        hash = (hash ^ (unsigned char)text.data[i]) * 16777619u;
    }
    return hash ^ hash >> 15;
}

void rf_shapes_open(struct rf_shapes *shapes, size_t size,
                    void (*make)(void *owner, struct rf_shape *shape),
                    void (*clear)(struct rf_shape *shape), void *owner)
{
    *shapes = (struct rf_shapes){
        .size = size,
        .make = make,
        .clear = clear,
        .owner = owner,
        .places = rf_alloc_zero(PLACES, size),
    };
}

static void forget(struct rf_shapes *shapes, struct rf_shape *shape)
{
    struct rf_table *table = shape->table;
    shapes->clear(shape);
    *shape = (struct rf_shape){0};
    rf_table_release(table);
}

struct rf_shape *rf_shapes_find(struct rf_shapes *shapes, const struct rf_table *table)
{
    size_t place = rf_shapes_hash(table->full_name) % PLACES;
    struct rf_shape *shape = (struct rf_shape *)(void *)(shapes->places + place * shapes->size);
    if (shape->table != table) {
        forget(shapes, shape);
        /* The batch holds the table by a reference; taking another one changes nothing that is
         * shown. */
        shape->table = rf_table_retain((struct rf_table *)table);
        shapes->make(shapes->owner, shape);
    }
    shapes->last = shape;
    return shape;
}

void rf_shapes_close(struct rf_shapes *shapes)
{
    for (size_t i = 0; shapes->places != NULL && i < PLACES; i++) {
        forget(shapes, (struct rf_shape *)(void *)(shapes->places + i * shapes->size));
    }
    free(shapes->places);
    *shapes = (struct rf_shapes){0};
}
