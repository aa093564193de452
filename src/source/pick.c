#include "source/pick.h"

#include "base/memory.h"
#include "event/name.h"

#include <stdlib.h>

/* The log has one byte for the size of each of the two names. */
enum { FOLDED_MAX = 255 + 1 + 255 };

enum rf_status rf_pick_add(struct rf_pick *pick, struct rf_str text, struct rf_error *err)
{
    struct rf_pattern pattern;
    enum rf_status status = rf_pattern_read(text, &pick->memory, &pattern, err);
    if (status != RF_OK) {
        return status;
    }
    if (pick->count == pick->capacity) {
        pick->capacity = pick->capacity ? pick->capacity * 2 : 8;
        pick->patterns = rf_realloc(pick->patterns, pick->capacity * sizeof *pick->patterns);
    }
    pick->patterns[pick->count++] = pick->folds ? rf_pattern_fold(pattern, &pick->memory) : pattern;
    pick->has_positive |= !pattern.leaves_out;
    return RF_OK;
}

void rf_pick_fold(struct rf_pick *pick)
{
    pick->folds = true;
    for (uint32_t i = 0; i < pick->count; i++) {
        pick->patterns[i] = rf_pattern_fold(pick->patterns[i], &pick->memory);
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
    return rf_pattern_picks_table(pick->patterns, pick->count, compared(pick, full_name, room));
}

bool rf_pick_database(const struct rf_pick *pick, struct rf_str database)
{
    char room[FOLDED_MAX];
    return rf_pattern_picks_database(pick->patterns, pick->count, compared(pick, database, room));
}
