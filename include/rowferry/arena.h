/* Arenas: memory that is given out in order and taken back in one step.
 *
 * A batch owns one; a transaction under assembly owns one. Chunks can move from one arena to
 * another without a copy, which is how the bytes of a log event reach the batch. Not thread-safe:
 * one owner at a time (a filled batch is only read). */
#ifndef ROWFERRY_ARENA_H
#define ROWFERRY_ARENA_H

#include <rowferry/str.h>

enum { RF_ARENA_CHUNK = 64 * 1024 }; /* bytes of an ordinary chunk, its header included */

/* One piece of memory. `used` and `size` count the bytes behind the header. */
struct rf_chunk {
    struct rf_chunk *next;
    size_t size;
    size_t used;
    _Alignas(16) char data[];
};

/* Zeroed is empty and valid. */
struct rf_arena {
    struct rf_chunk *head;  /* the chunk that is being filled; full ones follow */
    struct rf_chunk *spare; /* emptied chunks, kept for reuse (ordinary size only) */
    size_t bytes; /* memory of all chunks from head on, headers included; spare ones do not count */
};

/* `size` bytes aligned to 16 in a chunk with room for them, opening a chunk when needed. Never
 * NULL. */
void *rf_arena_grow(struct rf_arena *arena, size_t size);

/* `size` bytes, aligned to 8, not zeroed. Owned by the arena until its reset. */
static inline void *rf_arena_alloc(struct rf_arena *arena, size_t size)
{
    struct rf_chunk *chunk = arena->head;
    size_t rounded = (size + 7) & ~(size_t)7;
    if (__builtin_expect(chunk != NULL && chunk->size - chunk->used >= rounded && rounded >= size,
                         1)) {
        void *memory = chunk->data + chunk->used;
        chunk->used += rounded;
        return memory;
    }
    return rf_arena_grow(arena, size);
}

/* Gives back the end of the last allocation: it keeps its first `kept` of `size` bytes. */
static inline void rf_arena_shrink(struct rf_arena *arena, const void *memory, size_t size,
                                   size_t kept)
{
    struct rf_chunk *chunk = arena->head;
    size_t rounded = (size + 7) & ~(size_t)7;
    if (chunk->used >= rounded && (const char *)memory == chunk->data + chunk->used - rounded) {
        chunk->used -= rounded - ((kept + 7) & ~(size_t)7);
    }
}

/* A copy in the arena. */
struct rf_str rf_arena_copy(struct rf_arena *arena, struct rf_str str);

/* Moves every chunk of `from` behind the ones of `to`; what lies in them keeps its address. `from`
 * is empty afterwards (its spare chunks stay). `to` goes on filling its own head. */
void rf_arena_adopt(struct rf_arena *to, struct rf_arena *from);
/* The same for one chunk that the caller has taken out of another arena's list (and out of its
 * `bytes`). */
void rf_arena_adopt_chunk(struct rf_arena *to, struct rf_chunk *chunk);

/* Forgets everything; keeps at most `keep_bytes` of ordinary chunks as spare ones and frees the
 * rest. */
void rf_arena_reset(struct rf_arena *arena, size_t keep_bytes);
/* Frees everything. */
void rf_arena_deinit(struct rf_arena *arena);

#endif
