/* Decimal digits, inlined into the decoders and encoders of the data path. Used inside wire/. */
#ifndef ROWFERRY_WIRE_DIGITS_H
#define ROWFERRY_WIRE_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { RF_DIGITS_MAX = 20 }; /* of 64 bits */

extern const char rf_digits_pairs[200]; /* "000102...99" */

static inline char *rf_digits_two(char *out, uint32_t number)
{
    memcpy(out, rf_digits_pairs + (size_t)number * 2, 2);
    return out + 2;
}

/* Exactly 8 digits of a number below 10^8. */
static inline char *rf_digits_eight(char *out, uint32_t number)
{
    uint32_t high = number / 10000, low = number % 10000;
    out = rf_digits_two(out, high / 100);
    out = rf_digits_two(out, high % 100);
    out = rf_digits_two(out, low / 100);
    return rf_digits_two(out, low % 100);
}

/* Exactly 9 digits of a number below 10^9. */
static inline char *rf_digits_nine(char *out, uint32_t number)
{
    *out = (char)('0' + number / 100000000);
    return rf_digits_eight(out + 1, number % 100000000);
}

/* `count` digits, with leading zeros; the number has no more than that. */
static inline char *rf_digits_padded(char *out, uint32_t number, size_t count)
{
    for (size_t i = count; i > 0; i--) {
        out[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    return out + count;
}

/* Up to 8 digits, without leading zeros. */
static inline char *rf_digits_small(char *out, uint32_t number)
{
    if (number < 100) {
        if (number < 10) {
            *out = (char)('0' + number);
            return out + 1;
        }
        return rf_digits_two(out, number);
    }
    if (number < 10000) {
        uint32_t high = number / 100;
        if (high < 10) {
            *out++ = (char)('0' + high);
        } else {
            out = rf_digits_two(out, high);
        }
        return rf_digits_two(out, number % 100);
    }
    char digits[8];
    rf_digits_eight(digits, number);
    size_t skip = number >= 10000000 ? 0 : number >= 1000000 ? 1 : number >= 100000 ? 2 : 3;
    memcpy(out, digits + skip, 4);
    memcpy(out + 4 - skip, digits + 4, 4);
    return out + 8 - skip;
}

/* Room for RF_DIGITS_MAX bytes is needed. Returns the end of the digits. */
static inline char *rf_digits_u64(char *out, uint64_t number)
{
    if (number < 100000000) {
        return rf_digits_small(out, (uint32_t)number);
    }
    uint64_t high = number / 100000000;
    uint32_t low = (uint32_t)(number % 100000000);
    if (high < 100000000) {
        out = rf_digits_small(out, (uint32_t)high);
    } else {
        out = rf_digits_small(out, (uint32_t)(high / 100000000));
        out = rf_digits_eight(out, (uint32_t)(high % 100000000));
    }
    return rf_digits_eight(out, low);
}

/* With a '-' in front: one byte more. */
static inline char *rf_digits_i64(char *out, int64_t number)
{
    if (number < 0) {
        *out++ = '-';
        return rf_digits_u64(out, 0 - (uint64_t)number);
    }
    return rf_digits_u64(out, (uint64_t)number);
}

#endif
