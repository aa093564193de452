/* The name that was probably meant. For messages about names that do not exist; any thread. */
#ifndef ROWFERRY_BASE_NEAREST_H
#define ROWFERRY_BASE_NEAREST_H

#include <rowferry/str.h>

/* Edits that turn one name into the other: insert, delete, replace, swap of neighbours. Case of
 * ASCII letters does not count. UINT32_MAX for names of more than 64 bytes. */
uint32_t rf_name_distance(struct rf_str a, struct rf_str b);

/* The most edits for which a suggestion still makes sense. */
static inline uint32_t rf_name_distance_max(struct rf_str word)
{
    return (uint32_t)(word.size / 3 + 1);
}

/* The nearest one of the candidates; NULL when none is near enough. */
const char *rf_nearest(const char *word, const char *const *candidates, uint32_t count);

#endif
