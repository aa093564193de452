#include "base/nearest.h"

#include <ctype.h>

enum { NAME_MAX_BYTES = 64 };

static int lower(struct rf_str name, size_t at)
{
    return tolower((unsigned char)name.data[at]);
}

uint32_t rf_name_distance(struct rf_str a, struct rf_str b)
{
    uint32_t rows[3][NAME_MAX_BYTES + 1];
    if (a.size > NAME_MAX_BYTES || b.size > NAME_MAX_BYTES) {
        return UINT32_MAX;
    }
    for (size_t j = 0; j <= b.size; j++) {
        rows[0][j] = (uint32_t)j;
    }
    for (size_t i = 1; i <= a.size; i++) {
        uint32_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = (uint32_t)i;
        for (size_t j = 1; j <= b.size; j++) {
            int left = lower(a, i - 1), right = lower(b, j - 1);
            uint32_t best = above[j - 1] + (left != right);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && left == lower(b, j - 2) && right == lower(a, i - 2) &&
                two_above[j - 2] + 1 < best) {
                best = two_above[j - 2] + 1;
            }
            row[j] = best;
        }
    }
    return rows[a.size % 3][b.size];
}

const char *rf_nearest(const char *word, const char *const *candidates, uint32_t count)
{
    const char *nearest = NULL;
    uint32_t least = rf_name_distance_max(rf_str_of(word));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t edits = rf_name_distance(rf_str_of(word), rf_str_of(candidates[i]));
        if (edits <= least && edits < strlen(candidates[i])) {
            nearest = candidates[i];
            if (edits == 0) {
                break;
            }
            least = edits - 1;
        }
    }
    return nearest;
}
