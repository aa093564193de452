/* What a format keeps of each table: names that are escaped, texts that are the same in every row.
 *
 * Used by formats. A shape is made when a table's first event comes and is found again by the
 * table's address; a reference keeps that address from becoming another table's. Shapes lie in a
 * fixed number of places, by a hash of the table's name, so a new version takes the old one's place
 * and memory stays bounded whatever the number of tables. Thread: the owner's. */
#ifndef ROWFERRY_FORMAT_SHAPES_H
#define ROWFERRY_FORMAT_SHAPES_H

#include <rowferry/event.h>

/* The first member of each format's own shape. */
struct rf_shape {
    struct rf_table *table; /* NULL: the place is free */
};

/* Zeroed is closed. */
struct rf_shapes {
    size_t size; /* of a format's own shape */
    void (*make)(void *owner, struct rf_shape *shape);
    void (*clear)(struct rf_shape *shape); /* accepts a zeroed one, and leaves it zeroed */
    void *owner;
    char *places;
    struct rf_shape *last;
};

/* make fills in a zeroed shape whose table is set; clear gives back what make took. */
void rf_shapes_open(struct rf_shapes *shapes, size_t size,
                    void (*make)(void *owner, struct rf_shape *shape),
                    void (*clear)(struct rf_shape *shape), void *owner);
/* Accepts zeroed ones. */
void rf_shapes_close(struct rf_shapes *shapes);

struct rf_shape *rf_shapes_find(struct rf_shapes *shapes, const struct rf_table *table);
/* The table's shape; valid until the next call. */
static inline struct rf_shape *rf_shapes_of(struct rf_shapes *shapes, const struct rf_table *table)
{
    struct rf_shape *last = shapes->last;
    return last != NULL && last->table == table ? last : rf_shapes_find(shapes, table);
}

/* FNV-1a with its upper half folded in. */
uint32_t rf_shapes_hash(struct rf_str text);

#endif
