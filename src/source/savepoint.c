#include "source/savepoint.h"

#include "base/memory.h"

#include <stdlib.h>

static bool is_ascii(struct rf_str name)
{
    for (size_t i = 0; i < name.size; i++) {
        if ((name.data[i] & 0x80) != 0) {
            return false;
        }
    }
    return true;
}

/* Its place, or `count`. */
static uint32_t find(const struct rf_savepoints *savepoints, struct rf_str name)
{
    for (uint32_t i = savepoints->count; i > 0; i--) {
        if (rf_str_equal_nocase(rf_buf_str(&savepoints->items[i - 1].name), name)) {
            return i - 1;
        }
    }
    return savepoints->count;
}

void rf_savepoints_set(struct rf_savepoints *savepoints, struct rf_str name,
                       struct rf_records_mark mark)
{
    uint32_t place = find(savepoints, name);
    savepoints->foreign |= !is_ascii(name);
    if (savepoints->count == savepoints->capacity && place == savepoints->count) {
        uint32_t capacity = savepoints->capacity ? savepoints->capacity * 2 : 8;
        savepoints->items = rf_realloc(savepoints->items, capacity * sizeof *savepoints->items);
        memset(savepoints->items + savepoints->capacity, 0,
               (capacity - savepoints->capacity) * sizeof *savepoints->items);
        savepoints->capacity = capacity;
    }
    struct rf_savepoint *items = savepoints->items, taken = items[place];
    if (place == savepoints->count) {
        rf_buf_set(&taken.name, name);
        savepoints->count++;
    } else {
        memmove(items + place, items + place + 1, (savepoints->count - place - 1) * sizeof *items);
    }
    taken.mark = mark;
    items[savepoints->count - 1] = taken;
}

bool rf_savepoints_return(struct rf_savepoints *savepoints, struct rf_str name,
                          struct rf_records_mark *mark)
{
    uint32_t place = find(savepoints, name);
    if (savepoints->foreign || place == savepoints->count) {
        return false;
    }
    *mark = savepoints->items[place].mark;
    savepoints->count = place + 1;
    return true;
}

void rf_savepoints_reset(struct rf_savepoints *savepoints)
{
    savepoints->count = 0;
    savepoints->foreign = false;
}

void rf_savepoints_deinit(struct rf_savepoints *savepoints)
{
    for (uint32_t i = 0; i < savepoints->capacity; i++) {
        rf_buf_deinit(&savepoints->items[i].name);
    }
    free(savepoints->items);
    *savepoints = (struct rf_savepoints){0};
}
