#include "wire/decimal.h"

#include "event/digits.h"

#include <stdbool.h>

/* Bytes of 0 to 8 digits, and the first number that has more digits. */
static const uint8_t partial_size[9] = {0, 1, 1, 2, 2, 3, 3, 4, 4};
static const uint32_t partial_limit[9] = {1,      10,      100,      1000,     10000,
                                          100000, 1000000, 10000000, 100000000};

struct rf_decimal_shape rf_decimal_shape(unsigned precision, unsigned scale)
{
    unsigned whole = precision - scale;
    return (struct rf_decimal_shape){(uint8_t)(whole % 9), (uint8_t)(whole / 9),
                                     (uint8_t)(scale / 9), (uint8_t)(scale % 9)};
}

size_t rf_decimal_size(struct rf_decimal_shape shape)
{
    return partial_size[shape.whole_partial] + shape.whole_groups * 4u +
           shape.fraction_groups * 4u + partial_size[shape.fraction_partial];
}

/* 0 to 4 bytes, highest first. */
static inline uint32_t load(const uint8_t *bytes, size_t size)
{
    uint32_t number;
    switch (size) {
    case 0: return 0;
    case 1: return bytes[0];
    case 2: return (uint32_t)bytes[0] << 8 | bytes[1];
    case 3: return (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
    default: memcpy(&number, bytes, sizeof number); return be32toh(number);
    }
}

/* A value under way: the bytes of one group of digits after the other. */
struct reader {
    const uint8_t *at;
    uint32_t invert; /* all ones for a negative number */
    uint32_t first;  /* the inverted highest bit, until it was met */
    bool valid;
};

/* A group of `size` bytes that is below `limit`; anything else gives 0 and is remembered. */
static inline uint32_t next(struct reader *reader, size_t size, uint32_t limit)
{
    uint32_t shift = (uint32_t)(8 * (4 - size));
    uint32_t number = (load(reader->at, size) << shift ^ reader->invert ^ reader->first) >> shift;
    reader->at += size;
    reader->first = 0;
    reader->valid &= number < limit;
    return number < limit ? number : 0;
}

static char *long_text(char *out, const uint8_t *bytes, struct rf_decimal_shape shape)
{
    const uint32_t nine = 1000000000;
    bool negative = (bytes[0] & 0x80) == 0, started = false;
    struct reader reader = {bytes, negative ? UINT32_MAX : 0, 0x80000000, true};
    uint64_t high = 0;
    *out = '-';
    out += negative;

    if (shape.whole_partial > 0) {
        high = next(&reader, partial_size[shape.whole_partial], partial_limit[shape.whole_partial]);
    }
    /* Up to 18 digits fit into one number; leading zeros may reach further than the first
     * groups. */
    for (unsigned groups = shape.whole_groups; groups > 0; groups--) {
        uint32_t number = next(&reader, 4, nine);
        if (started) {
            out = rf_digits_nine(out, number);
        } else if (high >= nine) {
            out = rf_digits_nine(rf_digits_u64(out, high), number);
            started = true;
        } else {
            high = high * nine + number;
        }
    }
    if (!started) {
        out = rf_digits_u64(out, high);
    }

    if (shape.fraction_groups + shape.fraction_partial > 0) {
        *out++ = '.';
        for (unsigned groups = shape.fraction_groups; groups > 0; groups--) {
            out = rf_digits_nine(out, next(&reader, 4, nine));
        }
        if (shape.fraction_partial > 0) {
            unsigned digits = shape.fraction_partial;
            uint32_t number = next(&reader, partial_size[digits], partial_limit[digits]);
            out = rf_digits_padded(out, number, digits);
        }
    }
    return reader.valid ? out : NULL;
}

/* Up to 17 digits before the point and 8 behind it: both sides in one load each. */
static char *short_text(char *out, const uint8_t *bytes, struct rf_decimal_shape shape)
{
    unsigned whole_bits = 8 * (partial_size[shape.whole_partial] + 4u * shape.whole_groups);
    unsigned fraction_bits = 8u * partial_size[shape.fraction_partial];
    uint64_t sign = bytes[0] & 0x80 ? 0 : UINT64_MAX, whole = 0, fraction, partial;
    if (whole_bits > 0) {
        memcpy(&whole, bytes, sizeof whole);
        whole = (be64toh(whole) ^ sign ^ UINT64_C(1) << 63) >> (64 - whole_bits);
    }
    *out = '-';
    out += sign & 1;
    bool valid = true;
    if (shape.whole_groups > 0) {
        uint32_t group = (uint32_t)whole;
        partial = whole >> 32;
        valid = group <= 999999999;
        whole = partial * 1000000000 + group;
    } else {
        partial = whole;
    }
    if (!valid || partial >= partial_limit[shape.whole_partial]) {
        return NULL;
    }
    out = rf_digits_u64(out, whole);
    if (fraction_bits > 0) {
        memcpy(&fraction, bytes + whole_bits / 8, sizeof fraction);
        fraction = be64toh(fraction) ^ sign ^ (whole_bits == 0 ? UINT64_C(1) << 63 : 0);
        fraction >>= 64 - fraction_bits;
        if (fraction >= partial_limit[shape.fraction_partial]) {
            return NULL;
        }
        *out++ = '.';
        out = rf_digits_padded(out, (uint32_t)fraction, shape.fraction_partial);
    }
    return out;
}

char *rf_decimal_text(char *out, const uint8_t *bytes, const uint8_t *end,
                      struct rf_decimal_shape shape)
{
    enum { LOADS = 16 };
    if (shape.whole_groups <= 1 && shape.fraction_groups == 0 && end - bytes >= LOADS) {
        return short_text(out, bytes, shape);
    }
    return long_text(out, bytes, shape);
}
