#include "source/records.h"

#include "base/load.h"
#include "base/memory.h"
#include "wire/binlog.h"
#include "wire/rows.h"

#include <rowferry/log.h>
#include <stdlib.h>

enum { ORDINARY = RF_ARENA_CHUNK - sizeof(struct rf_chunk), FIRST_CAPACITY = 16 };

static size_t aligned(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

/* What may lie in memory. Once there is a file, less: the processor's cache has it still when it is
 * written. */
static size_t memory_max(const struct rf_records *records)
{
    size_t bytes = records->memory_max > 0 ? records->memory_max : RF_RECORDS_MEMORY_MAX;
    return records->spill.file > 0 && bytes > RF_RECORDS_WRITE ? RF_RECORDS_WRITE : bytes;
}

/* The record at `at` of the chunk's bytes, or what was read back for them: a sum has said that they
 * are what was written. */
static struct rf_record *record_at(char *data, size_t at, size_t size)
{
    struct rf_record *record = (struct rf_record *)(void *)(data + at);
    rf_assert(size - at >= sizeof *record && size - at - sizeof *record >= aligned(record->size));
    return record;
}

static size_t whole(const struct rf_record *record)
{
    return sizeof *record + aligned(record->size);
}

/* ---- Chunks -------------------------------------------------------------------------------- */

/* Of the ordinary size, or of one that fits `size` bytes; where memory is scarcer than a chunk, of
 * all of it. */
static struct rf_chunk *take_chunk(struct rf_records *records, size_t size)
{
    struct rf_chunk *chunk;
    size_t ordinary = memory_max(records) < ORDINARY ? memory_max(records) & ~(size_t)7 : ORDINARY;
    if (size <= ORDINARY && ordinary == ORDINARY && records->spare != NULL) {
        chunk = records->spare;
        records->spare = chunk->next;
        records->spare_count--;
    } else {
        size_t room = size <= ordinary ? ordinary : size;
        chunk = rf_alloc(sizeof *chunk + room);
        chunk->size = room;
    }
    chunk->used = 0;
    chunk->next = NULL;
    return chunk;
}

static void append(struct rf_records *records, struct rf_chunk *chunk)
{
    if (records->last != NULL) {
        records->last->next = chunk;
    } else {
        records->first = chunk;
    }
    records->last = chunk;
}

/* Keeps ordinary chunks: one, or while the file is in use those that are filled again at once. */
static void recycle(struct rf_records *records, struct rf_chunk *chunk)
{
    uint32_t kept = records->spill.file > 0 ? RF_RECORDS_WRITE / RF_ARENA_CHUNK : 1;
    if (chunk->size == ORDINARY && records->spare_count < kept) {
        chunk->next = records->spare;
        records->spare = chunk;
        records->spare_count++;
    } else {
        free(chunk);
    }
}

static void drop_chunks(struct rf_records *records)
{
    for (struct rf_chunk *chunk = records->first, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        recycle(records, chunk);
    }
    records->first = records->last = NULL;
}

static void free_chunks(struct rf_chunk *from)
{
    for (struct rf_chunk *next; from != NULL; from = next) {
        next = from->next;
        free(from);
    }
}

void rf_records_reset(struct rf_records *records)
{
    rf_spill_close(&records->spill);
    drop_chunks(records);
    if (records->spare != NULL) {
        free_chunks(records->spare->next);
        records->spare->next = NULL;
        records->spare_count = 1;
    }
    for (uint32_t i = 0; records->holds && i < records->table_count; i++) {
        rf_table_release(records->tables[i]);
    }
    records->holds = false;
    if (records->table_count > 0) {
        records->table_count = 0;
        memset(records->places, 0, records->place_capacity * sizeof *records->places);
    }
    records->count = records->bytes = records->spilled = 0;
}

void rf_records_deinit(struct rf_records *records)
{
    rf_records_reset(records);
    free(records->spare);
    free(records->tables);
    free(records->places);
    rf_buf_deinit(&records->sql);
    *records = (struct rf_records){.memory_max = records->memory_max,
                                   .strict = records->strict,
                                   .lacking = records->lacking,
                                   .spill.directory = records->spill.directory};
}

/* ---- To the file --------------------------------------------------------------------------- */

static uint32_t *place_of(const struct rf_records *records, const struct rf_table *table)
{
    uint32_t mask = records->place_capacity - 1;
    uint32_t place = (uint32_t)((uintptr_t)table * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;
    while (records->places[place] != 0 && records->tables[records->places[place] - 1] != table) {
        place = (place + 1) & mask;
    }
    return &records->places[place];
}

/* Pointers are no business of a disk: there a table has a number. */
static uint64_t number_of(struct rf_records *records, struct rf_table *table)
{
    if (table == NULL) {
        return 0;
    }
    if (records->table_count > 0 && records->tables[records->table_count - 1] == table) {
        return records->table_count;
    }
    if (records->table_count * 2 >= records->place_capacity) {
        uint32_t capacity = records->place_capacity ? records->place_capacity * 2 : FIRST_CAPACITY;
        free(records->places);
        records->places = rf_alloc_zero(capacity, sizeof *records->places);
        records->place_capacity = capacity;
        for (uint32_t i = 0; i < records->table_count; i++) {
            *place_of(records, records->tables[i]) = i + 1;
        }
    }
    uint32_t *place = place_of(records, table);
    if (*place == 0) {
        if (records->table_count == records->table_capacity) {
            records->table_capacity =
                records->table_capacity ? records->table_capacity * 2 : FIRST_CAPACITY;
            records->tables =
                rf_realloc(records->tables, records->table_capacity * sizeof *records->tables);
        }
        records->tables[records->table_count++] = table;
        *place = records->table_count;
    }
    return *place;
}

/* All that lies in memory goes behind what is in the file. */
static enum rf_status spill_chunks(struct rf_records *records, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    while (records->first != NULL && status == RF_OK) {
        struct rf_spill_block blocks[RF_SPILL_BLOCKS_MAX];
        struct iovec parts[RF_SPILL_BLOCKS_MAX];
        struct rf_chunk *chunk = records->first;
        uint32_t count = 0;
        for (; chunk != NULL && count < RF_SPILL_BLOCKS_MAX; chunk = chunk->next, count++) {
            for (size_t at = 0; at < chunk->used;) {
                struct rf_record *record = record_at(chunk->data, at, chunk->used);
                record->number = number_of(records, record->table);
                at += whole(record);
            }
            parts[count] = (struct iovec){chunk->data, chunk->used};
            blocks[count] = (struct rf_spill_block){&parts[count], 1};
        }
        status = rf_spill_write(&records->spill, blocks, count, err);
        while (records->first != chunk) {
            struct rf_chunk *next = records->first->next;
            recycle(records, records->first);
            records->first = next;
        }
    }
    if (records->first == NULL) {
        records->last = NULL;
        records->spilled = records->bytes;
    }
    return status;
}

/* Without a copy of what is larger than all the memory, behind what lies there. */
static enum rf_status spill_record(struct rf_records *records, const struct rf_record *head,
                                   size_t bytes, const struct rf_str *parts, uint32_t count,
                                   struct rf_error *err)
{
    static char padding[8];
    struct rf_record record = *head;
    struct iovec pieces[1 + RF_RECORD_PARTS_MAX + 1] = {{&record, sizeof record}};
    struct rf_spill_block block = {pieces, 1};
    rf_assert(count <= RF_RECORD_PARTS_MAX);
    record.size = bytes;
    record.number = number_of(records, head->table);
    for (uint32_t i = 0; i < count; i++) {
        pieces[block.count++] = (struct iovec){(char *)(uintptr_t)parts[i].data, parts[i].size};
    }
    pieces[block.count++] = (struct iovec){padding, aligned(bytes) - bytes};
    enum rf_status status = spill_chunks(records, err);
    if (status == RF_OK) {
        status = rf_spill_write(&records->spill, &block, 1, err);
    }
    if (status == RF_OK) {
        records->count++;
        records->bytes += whole(&record);
        records->spilled = records->bytes;
    }
    return status;
}

/* The last chunk has no room for `size` bytes more: opens the next one, when there is memory for
 * it, or spills all and then opens it. */
static enum rf_status make_room(struct rf_records *records, size_t size, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    if (records->bytes - records->spilled + size > memory_max(records)) {
        status = spill_chunks(records, err);
    }
    if (status == RF_OK) {
        append(records, take_chunk(records, size));
    }
    return status;
}

enum rf_status rf_records_add(struct rf_records *records, const struct rf_record *head,
                              const struct rf_str *parts, uint32_t count, struct rf_error *err)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        bytes += parts[i].size;
    }
    size_t size = sizeof *head + aligned(bytes);
    struct rf_chunk *chunk = records->last;
    if (__builtin_expect(chunk == NULL || chunk->size - chunk->used < size, 0)) {
        if (size > memory_max(records)) {
            return spill_record(records, head, bytes, parts, count, err);
        }
        enum rf_status status = make_room(records, size, err);
        if (status != RF_OK) {
            return status;
        }
        chunk = records->last;
    }
    struct rf_record *record = (struct rf_record *)(void *)(chunk->data + chunk->used);
    *record = *head;
    record->size = bytes;
    char *to = (char *)(record + 1);
    for (uint32_t i = 0; i < count; i++) {
        if (parts[i].size > 0) {
            memcpy(to, parts[i].data, parts[i].size);
            to += parts[i].size;
        }
    }
    chunk->used += size;
    records->count++;
    records->bytes += size;
    return RF_OK;
}

/* The last chunk is the one that is not full. */
static void trim(struct rf_records *records)
{
    struct rf_chunk *last = records->last, **place = &records->first;
    while (*place != last) {
        place = &(*place)->next;
    }
    last->size = last->used;
    *place = records->last = rf_realloc(last, sizeof *last + last->used);
}

void rf_records_hold(struct rf_records *records)
{
    rf_assert(!records->holds && records->spill.read == 0);
    for (struct rf_chunk *chunk = records->first; chunk != NULL; chunk = chunk->next) {
        for (size_t at = 0; at < chunk->used;) {
            struct rf_record *record = record_at(chunk->data, at, chunk->used);
            number_of(records, record->table);
            at += whole(record);
        }
    }
    for (uint32_t i = 0; i < records->table_count; i++) {
        rf_table_retain(records->tables[i]);
    }
    records->holds = true;
    free_chunks(records->spare);
    records->spare = NULL;
    records->spare_count = 0;
    if (records->first != NULL) {
        trim(records);
    }
}

enum rf_status rf_records_put_away(struct rf_records *records, struct rf_error *err)
{
    enum rf_status status = spill_chunks(records, err);
    if (status == RF_OK) {
        free_chunks(records->spare);
        records->spare = NULL;
        records->spare_count = 0;
    }
    return status;
}

/* ---- From the file ------------------------------------------------------------------------- */

/* The next block as a chunk. NULL, with *status RF_RETRY, when it cannot be had. */
static struct rf_chunk *read_chunk(struct rf_records *records, enum rf_status *status,
                                   struct rf_error *err)
{
    size_t size;
    *status = rf_spill_peek(&records->spill, &size, err);
    if (*status != RF_OK) {
        return NULL;
    }
    struct rf_chunk *chunk = take_chunk(records, size);
    *status = rf_spill_read(&records->spill, chunk->data, err);
    if (*status != RF_OK) {
        recycle(records, chunk);
        return NULL;
    }
    chunk->used = size;
    for (size_t at = 0; at < size;) {
        struct rf_record *record = record_at(chunk->data, at, size);
        rf_assert(record->number <= records->table_count);
        record->table = record->number > 0 ? records->tables[record->number - 1] : NULL;
        at += whole(record);
    }
    return chunk;
}

/* The file ends where its records, and with the first of them those of the next block in memory,
 * have `kept` bytes. */
static enum rf_status cut_file(struct rf_records *records, uint64_t kept, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    uint64_t before = 0;
    size_t size = 0;
    while (status == RF_OK && rf_spill_left(&records->spill)) {
        status = rf_spill_peek(&records->spill, &size, err);
        if (status != RF_OK || before + size > kept) {
            break;
        }
        rf_spill_skip(&records->spill);
        before += size;
    }
    records->spilled = before;
    if (status == RF_OK && before < kept) {
        uint64_t number = records->spill.read, at = records->spill.read_at;
        struct rf_chunk *chunk = read_chunk(records, &status, err);
        if (chunk != NULL) {
            chunk->used = kept - before;
            append(records, chunk);
            records->spill.read = number;
            records->spill.read_at = at;
        }
    }
    return status == RF_OK ? rf_spill_cut(&records->spill, err) : status;
}

enum rf_status rf_records_cut(struct rf_records *records, struct rf_records_mark mark,
                              struct rf_error *err)
{
    uint64_t kept = mark.bytes;
    rf_assert(kept <= records->bytes && records->spill.read == 0);
    records->bytes = kept;
    records->count = mark.count;
    if (kept < records->spilled) {
        drop_chunks(records);
        return cut_file(records, kept, err);
    }
    size_t left = (size_t)(kept - records->spilled);
    struct rf_chunk **place = &records->first;
    records->last = NULL;
    while (*place != NULL && left > 0) {
        records->last = *place;
        records->last->used = records->last->used < left ? records->last->used : left;
        left -= records->last->used;
        place = &records->last->next;
    }
    struct rf_chunk *chunk = *place;
    *place = NULL;
    for (struct rf_chunk *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        recycle(records, chunk);
    }
    return RF_OK;
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
        records->spare_count = 1;
    }
    return data;
}

static struct rf_origin *originate(const struct rf_record *record, struct rf_batch *batch)
{
    enum { TIME_AT = 0, SERVER_AT = 5, MICROSECONDS = 1000000 };
    const char *raw = (const char *)(record + 1) + record->size - record->event_size;
    struct rf_origin *origin = rf_arena_alloc(&batch->arena, sizeof *origin);
    *origin = (struct rf_origin){
        .raw = {raw, record->event_size},
        .offset = record->offset,
    };
    if (record->event_size >= RF_BINLOG_HEADER_SIZE) {
        origin->time_us = (int64_t)rf_load_32(raw + TIME_AT) * MICROSECONDS;
        origin->server_id = rf_load_32(raw + SERVER_AT);
    }
    return origin;
}

/* The statement that changed these rows. It is logged once in front of all of them, which may be
 * more than a batch takes: later ones get a copy. `sql` is where it lies in this batch. */
static void find_sql(struct rf_records *records, const struct rf_record *record, struct rf_str *sql,
                     struct rf_batch *batch)
{
    size_t size = record->size - record->event_size;
    if (size > 0) {
        *sql = (struct rf_str){(const char *)(record + 1), size};
        rf_buf_set(&records->sql, *sql);
    } else if (!record->same_sql) {
        *sql = RF_STR_NONE;
        rf_buf_reset(&records->sql);
    } else if (sql->size == 0 && records->sql.size > 0) {
        *sql = rf_arena_copy(&batch->arena, rf_buf_str(&records->sql));
    }
}

/* Says so for the first one; the others are counted. */
static void say_marked(struct rf_records *records, const struct rf_table *table)
{
    if (!records->marked) {
        rf_log(RF_LOG_WARN,
               "table %.*s has text with bytes that are not of its character set: they are "
               "marked, and counted; this is said once",
               RF_STR_ARG(table->full_name));
    }
    records->marked = true;
}

static enum rf_status decode_rows(struct rf_records *records, const struct rf_record *record,
                                  const struct rf_origin *origin, struct rf_batch *batch,
                                  struct rf_error *err)
{
    struct rf_rows rows;
    struct rf_str body = {origin->raw.data + RF_BINLOG_HEADER_SIZE,
                          origin->raw.size - RF_BINLOG_HEADER_SIZE - record->checksum_size};
    uint32_t first = batch->count;
    uint64_t marked = batch->marked;
    enum rf_status status = rf_rows_parse(record->type, body, &rows, err);
    rows.strict = records->strict;
    rows.lacking = records->lacking;
    if (status == RF_OK) {
        status = rf_rows_decode(&rows, record->table, record->ordinal, batch, err);
    }
    for (uint32_t i = first; i < batch->count; i++) {
        batch->events[i].origin = origin;
    }
    if (batch->marked > marked) {
        say_marked(records, record->table);
    }
    return status;
}

static enum rf_status decode(struct rf_records *records, const struct rf_record *record,
                             struct rf_str *sql, struct rf_batch *batch, struct rf_error *err)
{
    const char *bytes = (const char *)(record + 1);
    size_t front = record->size - record->event_size;
    struct rf_origin *origin = originate(record, batch);
    if (record->table != NULL) {
        find_sql(records, record, sql, batch);
        origin->sql = *sql;
        return decode_rows(records, record, origin, batch, err);
    }
    struct rf_event *event = rf_batch_add(batch);
    size_t names = record->database_size + record->object_size;
    event->op = record->type;
    event->ordinal = record->ordinal;
    event->database = (struct rf_str){bytes, record->database_size};
    event->object = (struct rf_str){bytes + record->database_size, record->object_size};
    event->statement = (struct rf_str){bytes + names, front - names};
    event->origin = origin;
    return RF_OK;
}

enum rf_status rf_records_hand_over(struct rf_records *records, struct rf_batch *batch,
                                    uint64_t *offset, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    struct rf_chunk *chunk;
    if (rf_spill_left(&records->spill)) {
        chunk = read_chunk(records, &status, err);
        if (chunk == NULL) {
            return status;
        }
    } else {
        chunk = records->first;
        records->first = chunk->next;
        records->last = chunk->next ? records->last : NULL;
    }
    size_t size = chunk->used;
    char *data = give(records, chunk, batch);
    struct rf_str sql = RF_STR_NONE;
    for (size_t at = 0; at < size && status == RF_OK;) {
        const struct rf_record *record = record_at(data, at, size);
        status = decode(records, record, &sql, batch, err);
        *offset = status == RF_OK ? *offset : record->offset;
        at += whole(record);
    }
    return status;
}
