#include "base/map.h"

#include "base/memory.h"

#include <stdlib.h>

static uint64_t hash_of(struct rf_str name)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < name.size; i++) {
        hash = (hash ^ (unsigned char)name.data[i]) * 1099511628211u;
    }
    return hash;
}

struct rf_map_entry *rf_map_find(const struct rf_map *map, struct rf_str name)
{
    uint64_t hash = hash_of(name);
    struct rf_map_entry *entry =
        map->bucket_count > 0 ? map->buckets[hash & (map->bucket_count - 1)] : NULL;
    while (entry != NULL && (entry->hash != hash || !rf_str_equal(entry->name, name))) {
        entry = entry->next;
    }
    return entry;
}

static void grow(struct rf_map *map)
{
    uint32_t count = map->bucket_count ? map->bucket_count * 2 : 64;
    struct rf_map_entry **buckets = rf_alloc_zero(count, sizeof *buckets);
    for (uint32_t i = 0; i < map->bucket_count; i++) {
        for (struct rf_map_entry *entry = map->buckets[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            entry->next = buckets[entry->hash & (count - 1)];
            buckets[entry->hash & (count - 1)] = entry;
        }
    }
    free(map->buckets);
    map->buckets = buckets;
    map->bucket_count = count;
}

void rf_map_add(struct rf_map *map, struct rf_map_entry *entry, struct rf_str name)
{
    if (map->count == map->bucket_count) {
        grow(map);
    }
    entry->hash = hash_of(name);
    entry->name = name;
    struct rf_map_entry **bucket = &map->buckets[entry->hash & (map->bucket_count - 1)];
    entry->next = *bucket;
    *bucket = entry;
    map->count++;
}

struct rf_map_entry *rf_map_next(const struct rf_map *map, const struct rf_map_entry *entry)
{
    uint32_t bucket = 0;
    if (entry != NULL && entry->next != NULL) {
        return entry->next;
    }
    if (entry != NULL) {
        bucket = (uint32_t)(entry->hash & (map->bucket_count - 1)) + 1;
    }
    while (bucket < map->bucket_count && map->buckets[bucket] == NULL) {
        bucket++;
    }
    return bucket < map->bucket_count ? map->buckets[bucket] : NULL;
}

void rf_map_deinit(struct rf_map *map)
{
    free(map->buckets);
    *map = (struct rf_map){0};
}
