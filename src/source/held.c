#include "source/held.h"

#include "base/memory.h"

#include <stdlib.h>

static void print_hex(struct rf_buf *out, struct rf_str bytes)
{
    static const char digits[] = "0123456789abcdef";
    rf_buf_add_str(out, RF_STR("X'"));
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];
        rf_buf_add_byte(out, digits[byte >> 4]);
        rf_buf_add_byte(out, digits[byte & 15]);
    }
    rf_buf_add_str(out, RF_STR("',"));
}

void rf_held_print_xid(struct rf_buf *out, uint32_t format, struct rf_str global,
                       struct rf_str branch)
{
    print_hex(out, global);
    print_hex(out, branch);
    rf_buf_add_u64(out, format);
}

uint32_t rf_held_find(const struct rf_held *held, struct rf_str xid)
{
    uint32_t i = 0;
    while (i < held->count && !rf_str_equal_nocase(rf_buf_str(&held->items[i].xid), xid)) {
        i++;
    }
    return i;
}

bool rf_held_has(const struct rf_held *held, const struct rf_prepared *prepared)
{
    for (uint32_t i = 0; i < held->count; i++) {
        const struct rf_prepared *other = &held->items[i].prepared;
        if (rf_txid_equal(&other->txid, &prepared->txid) &&
            (other->txid.kind != RF_TXID_PLACE ||
             rf_str_equal(rf_buf_str(&other->file), rf_buf_str(&prepared->file)))) {
            return true;
        }
    }
    return false;
}

static uint64_t in_memory(const struct rf_records *records)
{
    return records->bytes - records->spilled;
}

enum rf_status rf_held_add(struct rf_held *held, struct rf_str xid,
                           const struct rf_prepared *prepared, struct rf_records *records,
                           struct rf_error *err)
{
    uint64_t most = records->memory_max > 0 ? records->memory_max : RF_RECORDS_MEMORY_MAX;
    if (held->bytes + in_memory(records) > most) {
        enum rf_status status = rf_records_put_away(records, err);
        if (status != RF_OK) {
            return status;
        }
    }
    if (held->count == held->capacity) {
        held->capacity = held->capacity ? held->capacity * 2 : 4;
        held->items = rf_realloc(held->items, held->capacity * sizeof *held->items);
    }
    struct rf_held_rows *rows = &held->items[held->count++];
    *rows = (struct rf_held_rows){.records = *records};
    rf_buf_set(&rows->xid, xid);
    rows->prepared = (struct rf_prepared){.txid = prepared->txid, .start = prepared->start};
    rf_buf_set(&rows->prepared.file, rf_buf_str(&prepared->file));
    rf_records_hold(&rows->records);
    held->bytes += in_memory(&rows->records);
    *records = (struct rf_records){.memory_max = rows->records.memory_max,
                                   .strict = rows->records.strict,
                                   .lacking = rows->records.lacking,
                                   .marked = rows->records.marked,
                                   .spill.directory = rows->records.spill.directory};
    return RF_OK;
}

void rf_held_take(struct rf_held *held, uint32_t number, struct rf_prepared *prepared,
                  struct rf_records *records)
{
    struct rf_held_rows *rows = &held->items[number];
    bool marked = records->marked;
    held->bytes -= in_memory(&rows->records);
    rf_records_deinit(records);
    *records = rows->records;
    records->marked |= marked;
    *prepared = rows->prepared;
    rf_buf_deinit(&rows->xid);
    held->count--;
    memmove(rows, rows + 1, (held->count - number) * sizeof *rows);
}

void rf_held_deinit(struct rf_held *held)
{
    for (uint32_t i = 0; i < held->count; i++) {
        struct rf_held_rows *rows = &held->items[i];
        rf_buf_deinit(&rows->xid);
        rf_buf_deinit(&rows->prepared.file);
        rf_records_deinit(&rows->records);
    }
    free(held->items);
    *held = (struct rf_held){0};
}
