#include "base/memory.h"

#include <rowferry/arena.h>
#include <stdlib.h>

static size_t chunk_bytes(const struct rf_chunk *chunk)
{
    return sizeof *chunk + chunk->size;
}

void *rf_arena_grow(struct rf_arena *arena, size_t size)
{
    enum { ORDINARY = RF_ARENA_CHUNK - sizeof(struct rf_chunk) };
    rf_assert(size < SIZE_MAX / 2);
    size_t rounded = (size + 7) & ~(size_t)7;
    struct rf_chunk *chunk;
    if (rounded <= ORDINARY && arena->spare != NULL) {
        chunk = arena->spare;
        arena->spare = chunk->next;
    } else {
        size_t room = rounded <= ORDINARY ? ORDINARY : rounded;
        chunk = rf_alloc(sizeof *chunk + room);
        chunk->size = room;
    }
    chunk->used = rounded;
    arena->bytes += chunk_bytes(chunk);
    /* A chunk made for one large piece is full at once: it goes behind the head, which may still
     * have room. */
    if (chunk->size > ORDINARY && arena->head != NULL) {
        chunk->next = arena->head->next;
        arena->head->next = chunk;
    } else {
        chunk->next = arena->head;
        arena->head = chunk;
    }
    return chunk->data;
}

struct rf_str rf_arena_copy(struct rf_arena *arena, struct rf_str str)
{
    char *copy = rf_arena_alloc(arena, str.size);
    if (str.size > 0) {
        memcpy(copy, str.data, str.size);
    }
    return (struct rf_str){copy, str.size};
}

void rf_arena_adopt_chunk(struct rf_arena *to, struct rf_chunk *chunk)
{
    to->bytes += chunk_bytes(chunk);
    if (to->head == NULL) {
        chunk->next = NULL;
        to->head = chunk;
    } else {
        chunk->next = to->head->next;
        to->head->next = chunk;
    }
}

void rf_arena_adopt(struct rf_arena *to, struct rf_arena *from)
{
    for (struct rf_chunk *chunk = from->head, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        rf_arena_adopt_chunk(to, chunk);
    }
    from->head = NULL;
    from->bytes = 0;
}

void rf_arena_reset(struct rf_arena *arena, size_t keep_bytes)
{
    size_t kept = 0;
    struct rf_chunk *chunks = arena->head, *older = arena->spare, *next;
    arena->spare = NULL;
    while (chunks != NULL || older != NULL) {
        if (chunks == NULL) {
            chunks = older;
            older = NULL;
        }
        next = chunks->next;
        if (chunk_bytes(chunks) == RF_ARENA_CHUNK && kept + RF_ARENA_CHUNK <= keep_bytes) {
            chunks->next = arena->spare;
            arena->spare = chunks;
            kept += RF_ARENA_CHUNK;
        } else {
            free(chunks);
        }
        chunks = next;
    }
    arena->head = NULL;
    arena->bytes = 0;
}

void rf_arena_deinit(struct rf_arena *arena)
{
    rf_arena_reset(arena, 0);
}
