#include "source/pick.h"

#include "base/memory.h"
#include "source/name.h"

#include <stdlib.h>

/* The log has one byte for the size of each of the two names. */
enum { FOLDED_MAX = 255 + 1 + 255 };

enum rf_status rf_pick_add(struct rf_pick *pick, struct rf_str text, struct rf_error *err)
{
    struct rf_str name = rf_str_trim(text);
    bool leaves_out = rf_str_starts(name, RF_STR("-"));
    if (leaves_out) {
        name = (struct rf_str){name.data + 1, name.size - 1};
    }
    const char *dot = name.size > 0 ? memchr(name.data, '.', name.size) : NULL;
    size_t database = dot ? (size_t)(dot - name.data) : name.size;
    if (database == 0 || database + 1 == name.size) {
        rf_fail(err, RF_CONFIG, "not a pattern for tables: \"%.*s\"", RF_STR_ARG(text));
        rf_error_hint(err, "database.table, with * for any characters; database alone for all its "
                           "tables; a leading - leaves tables out");
        return RF_CONFIG;
    }
    if (pick->count == pick->capacity) {
        pick->capacity = pick->capacity ? pick->capacity * 2 : 8;
        pick->patterns = rf_realloc(pick->patterns, pick->capacity * sizeof *pick->patterns);
    }
    size_t size = name.size + (dot ? 0 : 2);
    char *full = rf_arena_alloc(&pick->memory, size);
    memcpy(full, name.data, name.size);
    if (dot == NULL) {
        memcpy(full + name.size, ".*", 2);
    }
    pick->patterns[pick->count++] = (struct rf_pattern){
        .full = {full, size},
        .database = {full, database},
        .leaves_out = leaves_out,
    };
    pick->has_positive |= !leaves_out;
    if (pick->folds) {
        rf_name_fold(full, (struct rf_str){full, size});
    }
    return RF_OK;
}

void rf_pick_fold(struct rf_pick *pick)
{
    pick->folds = true;
    for (uint32_t i = 0; i < pick->count; i++) {
        struct rf_pattern *pattern = &pick->patterns[i];
        char *full = rf_arena_alloc(&pick->memory, pattern->full.size);
        rf_name_fold(full, pattern->full);
        pattern->full.data = pattern->database.data = full;
    }
}

/* The name as it is compared. No server has names that do not fit. */
static struct rf_str compared(const struct rf_pick *pick, struct rf_str name, char *room)
{
    if (!pick->folds || name.size > FOLDED_MAX) {
        return name;
    }
    rf_name_fold(room, name);
    return (struct rf_str){room, name.size};
}

void rf_pick_deinit(struct rf_pick *pick)
{
    free(pick->patterns);
    rf_arena_deinit(&pick->memory);
    *pick = (struct rf_pick){0};
}

bool rf_pick_table(const struct rf_pick *pick, struct rf_str full_name)
{
    char room[FOLDED_MAX];
    struct rf_str name = compared(pick, full_name, room);
    bool picked = !pick->has_positive;
    for (uint32_t i = 0; i < pick->count; i++) {
        if (rf_str_match(pick->patterns[i].full, name)) {
            if (pick->patterns[i].leaves_out) {
                return false;
            }
            picked = true;
        }
    }
    return picked;
}

bool rf_pick_database(const struct rf_pick *pick, struct rf_str database)
{
    char room[FOLDED_MAX];
    struct rf_str name = compared(pick, database, room);
    bool picked = !pick->has_positive;
    for (uint32_t i = 0; i < pick->count; i++) {
        const struct rf_pattern *pattern = &pick->patterns[i];
        if (!pattern->leaves_out) {
            picked |= rf_str_match(pattern->database, name);
        } else if (rf_str_match(pattern->database, name) &&
                   rf_str_equal((struct rf_str){pattern->full.data + pattern->database.size,
                                                pattern->full.size - pattern->database.size},
                                RF_STR(".*"))) {
            return false;
        }
    }
    return picked;
}
