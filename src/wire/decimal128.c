#include "wire/decimal128.h"

#include "base/load.h"
#include "event/digits.h"

#include <stdbool.h>

enum {
    BIAS = 6176,
    EXPONENT_MASK = 0x3fff,
    SCIENTIFIC_BELOW = -6, /* below it zeros would be all that is seen */
    HALF = 17,             /* two of them are the 34 digits */
};
#define TEN_TO_HALF UINT64_C(100000000000000000)

static char *put(char *at, const char *text)
{
    size_t size = strlen(text);
    memcpy(at, text, size);
    return at + size;
}

/* Exactly 17 digits. */
static char *put_half(char *at, uint64_t number)
{
    at = rf_digits_nine(at, (uint32_t)(number / 100000000));
    return rf_digits_eight(at, (uint32_t)(number % 100000000));
}

/* All digits of a number below 10^34. */
static char *put_coefficient(char *at, unsigned __int128 number)
{
    uint64_t high = (uint64_t)(number / TEN_TO_HALF), low = (uint64_t)(number % TEN_TO_HALF);
    return high > 0 ? put_half(rf_digits_u64(at, high), low) : rf_digits_u64(at, low);
}

static char *put_scientific(char *at, const char *digits, size_t count, int exponent)
{
    *at++ = digits[0];
    if (count > 1) {
        *at++ = '.';
        memcpy(at, digits + 1, count - 1);
        at += count - 1;
    }
    *at++ = 'E';
    *at++ = exponent < 0 ? '-' : '+';
    return rf_digits_u64(at, (uint64_t)(exponent < 0 ? -exponent : exponent));
}

/* With so many digits behind the point. */
static char *put_plain(char *at, const char *digits, size_t count, size_t behind)
{
    if (behind == 0) {
        memcpy(at, digits, count);
        return at + count;
    }
    size_t before = count > behind ? count - behind : 0;
    if (before == 0) {
        *at++ = '0';
    }
    memcpy(at, digits, before);
    at += before;
    *at++ = '.';
    for (size_t zeros = count < behind ? behind - count : 0; zeros > 0; zeros--) {
        *at++ = '0';
    }
    memcpy(at, digits + before, count - before);
    return at + count - before;
}

char *rf_decimal128_text(char *out, const char *bytes)
{
    const unsigned __int128 limit = (unsigned __int128)TEN_TO_HALF * TEN_TO_HALF;
    char digits[2 * HALF + RF_DIGITS_SLACK];
    uint64_t low = rf_load_64(bytes), high = rf_load_64(bytes + 8);
    if ((high >> 58 & 0x1f) == 0x1f) {
        return put(out, "NaN"); /* a sign means nothing there */
    }
    if (high >> 63 != 0) {
        *out++ = '-';
    }
    if ((high >> 58 & 0x1f) == 0x1e) {
        return put(out, "Infinity");
    }
    bool other_form = (high >> 61 & 3) == 3;
    int exponent = (int)(high >> (other_form ? 47 : 49) & EXPONENT_MASK) - BIAS;
    unsigned __int128 number = (unsigned __int128)(high & UINT64_C(0x1ffffffffffff)) << 64 | low;
    if (other_form || number >= limit) {
        number = 0;
    }
    size_t count = (size_t)(put_coefficient(digits, number) - digits);
    int scientific = exponent + (int)count - 1;
    if (exponent > 0 || scientific < SCIENTIFIC_BELOW) {
        return put_scientific(out, digits, count, scientific);
    }
    return put_plain(out, digits, count, (size_t)-exponent);
}
