#include "wire/decimal.h"

#include "wire/digits.h"

/* Bytes of 0 to 8 digits, and the first number that has more digits. */
static const uint8_t partial_size[9] = {0, 1, 1, 2, 2, 3, 3, 4, 4};
static const uint32_t partial_limit[9] = {1,      10,      100,      1000,     10000,
                                          100000, 1000000, 10000000, 100000000};

size_t rf_decimal_size(unsigned precision, unsigned scale)
{
    unsigned whole = precision - scale;
    return (size_t)whole / 9 * 4 + partial_size[whole % 9] + (size_t)scale / 9 * 4 +
           partial_size[scale % 9];
}

static uint32_t load(const uint8_t *bytes, size_t size, uint8_t mask)
{
    uint32_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number = number << 8 | (uint8_t)(bytes[i] ^ mask);
    }
    return number;
}

static uint32_t load_four(const uint8_t *bytes, uint8_t mask)
{
    uint32_t number;
    memcpy(&number, bytes, 4);
    return __builtin_bswap32(number) ^ (mask ? UINT32_MAX : 0);
}

char *rf_decimal_text(char *out, const uint8_t *bytes, unsigned precision, unsigned scale)
{
    unsigned whole = precision - scale, groups = whole / 9, partial = whole % 9;
    uint8_t mask = bytes[0] & 0x80 ? 0 : 0xff;
    uint32_t flip = 0x80; /* of the first byte, wherever it belongs */
    if (mask) {
        *out++ = '-';
    }

    char *digits = out;
    if (partial > 0) {
        size_t size = partial_size[partial];
        uint32_t number = load(bytes, size, mask) ^ flip << (8 * (size - 1));
        flip = 0;
        if (number >= partial_limit[partial]) {
            return NULL;
        }
        out = number > 0 ? rf_digits_small(out, number) : out;
        bytes += size;
    }
    for (; groups > 0; groups--) {
        uint32_t number = load_four(bytes, mask) ^ flip << 24;
        flip = 0;
        if (number > 999999999) {
            return NULL;
        }
        if (out > digits) {
            out = rf_digits_nine(out, number);
        } else if (number > 0) {
            out = rf_digits_u64(out, number);
        }
        bytes += 4;
    }
    if (out == digits) {
        *out++ = '0';
    }

    if (scale > 0) {
        *out++ = '.';
        for (groups = scale / 9; groups > 0; groups--) {
            uint32_t number = load_four(bytes, mask) ^ flip << 24;
            flip = 0;
            if (number > 999999999) {
                return NULL;
            }
            out = rf_digits_nine(out, number);
            bytes += 4;
        }
        partial = scale % 9;
        if (partial > 0) {
            size_t size = partial_size[partial];
            uint32_t number = load(bytes, size, mask) ^ flip << (8 * (size - 1));
            if (number >= partial_limit[partial]) {
                return NULL;
            }
            out = rf_digits_padded(out, number, partial);
        }
    }
    return out;
}
