#include "source/records.h"

#include "base/memory.h"
#include "wire/rows.h"

#include <stdlib.h>

enum { ORDINARY = RF_ARENA_CHUNK - sizeof(struct rf_chunk) };

static size_t aligned(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

static struct rf_chunk *open_chunk(struct rf_records *records, size_t size)
{
    struct rf_chunk *chunk;
    if (size <= ORDINARY && records->spare != NULL) {
        chunk = records->spare;
        records->spare = chunk->next;
    } else {
        size_t room = size <= ORDINARY ? ORDINARY : size;
        chunk = rf_alloc(sizeof *chunk + room);
        chunk->size = room;
    }
    chunk->used = 0;
    chunk->next = NULL;
    if (records->last != NULL) {
        records->last->next = chunk;
    } else {
        records->first = chunk;
    }
    records->last = chunk;
    return chunk;
}

struct rf_record *rf_records_add(struct rf_records *records, size_t size)
{
    size_t whole = sizeof(struct rf_record) + aligned(size);
    struct rf_chunk *chunk = records->last;
    if (chunk == NULL || chunk->size - chunk->used < whole) {
        chunk = open_chunk(records, whole);
    }
    struct rf_record *record = (struct rf_record *)(void *)(chunk->data + chunk->used);
    chunk->used += whole;
    records->bytes += whole;
    *record = (struct rf_record){.size = (uint32_t)size};
    return record;
}

/* Keeps one ordinary chunk. */
static void recycle(struct rf_records *records, struct rf_chunk *chunk)
{
    if (records->spare == NULL && chunk->size == ORDINARY) {
        chunk->next = NULL;
        records->spare = chunk;
    } else {
        free(chunk);
    }
}

void rf_records_reset(struct rf_records *records)
{
    for (struct rf_chunk *chunk = records->first, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        recycle(records, chunk);
    }
    records->first = records->last = NULL;
    records->bytes = 0;
}

void rf_records_deinit(struct rf_records *records)
{
    rf_records_reset(records);
    free(records->spare);
    *records = (struct rf_records){0};
}

/* ---- Handing over -------------------------------------------------------------------------- */

/* Gives a chunk's bytes to the batch. The chunk itself moves, unless little of it was used: a small
 * transaction would then bring a large empty chunk along, and is copied once more instead. */
static char *give(struct rf_records *records, struct rf_chunk *chunk, struct rf_batch *batch)
{
    if (chunk->used < RF_ARENA_CHUNK / 2) {
        char *copy = rf_arena_alloc(&batch->arena, chunk->used);
        memcpy(copy, chunk->data, chunk->used);
        recycle(records, chunk);
        return copy;
    }
    char *data = chunk->data;
    rf_arena_adopt_chunk(&batch->arena, chunk);
    if (records->spare == NULL && batch->arena.spare != NULL) {
        records->spare = batch->arena.spare;
        batch->arena.spare = records->spare->next;
        records->spare->next = NULL;
    }
    return data;
}

static enum rf_status decode(const struct rf_record *record, struct rf_batch *batch,
                             struct rf_error *err)
{
    const char *bytes = (const char *)(record + 1);
    if (record->table != NULL) {
        struct rf_rows rows;
        enum rf_status status =
            rf_rows_parse(record->type, (struct rf_str){bytes, record->size}, &rows, err);
        return status == RF_OK ? rf_rows_decode(&rows, record->table, record->ordinal, batch, err)
                               : status;
    }
    struct rf_event *event = rf_batch_add(batch);
    size_t front = record->database_size + record->object_size;
    event->op = record->type;
    event->ordinal = record->ordinal;
    event->database = (struct rf_str){bytes, record->database_size};
    event->object = (struct rf_str){bytes + record->database_size, record->object_size};
    event->statement = (struct rf_str){bytes + front, record->size - front};
    return RF_OK;
}

enum rf_status rf_records_hand_over(struct rf_records *records, struct rf_batch *batch,
                                    uint64_t *offset, struct rf_error *err)
{
    struct rf_chunk *chunk = records->first;
    records->first = chunk->next;
    records->last = chunk->next ? records->last : NULL;
    size_t size = chunk->used;
    const char *data = give(records, chunk, batch);
    for (size_t at = 0; at < size;) {
        const struct rf_record *record = (const struct rf_record *)(const void *)(data + at);
        enum rf_status status = decode(record, batch, err);
        if (status != RF_OK) {
            *offset = record->offset;
            return status;
        }
        at += sizeof *record + aligned(record->size);
    }
    return RF_OK;
}
