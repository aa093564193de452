/* A map of things by their names.
 *
 * Used where something is looked up by a name that comes from outside, such as a table's. The
 * entries are members of the caller's structs and stay the caller's; so does what their names point
 * to. Zeroed is empty and valid. Not thread-safe. */
#ifndef ROWFERRY_BASE_MAP_H
#define ROWFERRY_BASE_MAP_H

#include <rowferry/str.h>

struct rf_map_entry {
    struct rf_map_entry *next; /* in the same bucket */
    uint64_t hash;
    struct rf_str name;
};

struct rf_map {
    struct rf_map_entry **buckets;
    uint32_t bucket_count; /* a power of two, or 0 */
    uint32_t count;
};

/* NULL: there is none of that name. */
struct rf_map_entry *rf_map_find(const struct rf_map *map, struct rf_str name);
/* Puts it in under its name, of which there must be none yet. */
void rf_map_add(struct rf_map *map, struct rf_map_entry *entry, struct rf_str name);
/* The entry behind that one, in no order; of NULL the first. NULL: there is none. Nothing may be
 * put in meanwhile. */
struct rf_map_entry *rf_map_next(const struct rf_map *map, const struct rf_map_entry *entry);
/* Forgets all entries, which are not freed. */
void rf_map_deinit(struct rf_map *map);

#endif
