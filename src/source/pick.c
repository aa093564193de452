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

/* FNV-1a, 64 bits. */
static uint64_t fingerprint_of(char kind, struct rf_str text)
{
    static const uint64_t basis = UINT64_C(0xcbf29ce484222325), prime = UINT64_C(0x100000001b3);
    uint64_t sum = (basis ^ (unsigned char)kind) * prime;
    for (size_t i = 0; i < text.size; i++) {
        sum = (sum ^ (unsigned char)text.data[i]) * prime;
    }
    return sum;
}

uint64_t rf_pick_fingerprint(const struct rf_pick *pick)
{
    uint64_t sum = fingerprint_of(pick->folds ? 'f' : 'n', RF_STR_NONE);
    for (uint32_t i = 0; i < pick->count; i++) { /* whose order says nothing */
        sum += fingerprint_of(pick->patterns[i].leaves_out ? '-' : '+', pick->patterns[i].full);
    }
    return sum;
}

bool rf_pick_database(const struct rf_pick *pick, struct rf_str database)
{
    char room[FOLDED_MAX];
    return rf_pattern_picks_database(pick->patterns, pick->count, compared(pick, database, room));
}
