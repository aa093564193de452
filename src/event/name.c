#include "event/name.h"

/* Letters whose lower case is their code plus `step`. */
struct range {
    unsigned first, last;
    unsigned step;
};

/* Of two bytes each, before and after. Codes between U+0080 and U+07FF that are in no range have a
 * case that is not known here. */
static const struct range pairs[] = {
    {0x0080, 0x00bf, 0},    {0x00c0, 0x00d6, 0x20}, {0x00d7, 0x00d7, 0},    {0x00d8, 0x00de, 0x20},
    {0x00df, 0x00ff, 0},    {0x0391, 0x03a1, 0x20}, {0x03a3, 0x03a9, 0x20}, {0x03b1, 0x03c9, 0},
    {0x0400, 0x040f, 0x50}, {0x0410, 0x042f, 0x20}, {0x0430, 0x045f, 0},
};

/* Of three bytes, without a case. */
static const struct range caseless[] = {
    {0x2e80, 0x9fff, 0}, /* Chinese, Japanese */
    {0xac00, 0xd7a3, 0}, /* Korean */
    {0xf900, 0xfaff, 0}, /* Chinese, for compatibility */
};

static const struct range *find(const struct range *ranges, size_t count, unsigned code)
{
    for (size_t i = 0; i < count; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) {
            return &ranges[i];
        }
    }
    return NULL;
}

static bool continues(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (((unsigned char)bytes[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    return true;
}

/* Folds what stands at `at`, of `left` bytes. Returns its size; 0: it is not known. */
static size_t fold_wide(char *out, const char *at, size_t left)
{
    unsigned lead = (unsigned char)at[0];
    if (lead >= 0xc2 && lead <= 0xdf && left >= 2 && continues(at + 1, 1)) {
        unsigned code = (lead & 0x1f) << 6 | ((unsigned char)at[1] & 0x3f);
        const struct range *range = find(pairs, sizeof pairs / sizeof *pairs, code);
        if (range == NULL) {
            return 0;
        }
        code += range->step;
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if ((lead & 0xf0) == 0xe0 && left >= 3 && continues(at + 1, 2)) {
        unsigned code = (lead & 0x0f) << 12 | ((unsigned)(unsigned char)at[1] & 0x3f) << 6 |
                        ((unsigned char)at[2] & 0x3f);
        if (find(caseless, sizeof caseless / sizeof *caseless, code) != NULL) {
            memmove(out, at, 3);
            return 3;
        }
    }
    return 0;
}

bool rf_name_fold(char *out, struct rf_str name)
{
    bool known = true;
    for (size_t at = 0; at < name.size;) {
        char byte = name.data[at];
        size_t size = 1;
        if ((byte & 0x80) == 0) {
            out[at] = byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
        } else {
            size = fold_wide(out + at, name.data + at, name.size - at);
            if (size == 0) {
                out[at] = byte;
                known = false;
                size = 1;
            }
        }
        at += size;
    }
    return known;
}
