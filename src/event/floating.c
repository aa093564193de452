#include "event/floating.h"

#include "event/digits.h"
#include "event/powers.h"

#include <math.h>
#include <stdbool.h>

/* floor(log10(2^e)), floor(log10(3/4 * 2^e)) and floor(log2(10^e)), right for every exponent
 * that can come; >> of a negative number rounds down with every compiler that we build with. */
static int log10_of_power2(int e)
{
    return (e * 1262611) >> 22;
}

static int log10_of_three_quarters(int e)
{
    return (e * 1262611 - 524031) >> 22;
}

static int log2_of_power10(int e)
{
    return (e * 1741647) >> 19;
}

/* The product's first 64 bits; its last bit tells, like a bit of sticky rounding, that more
 * follows. */
static uint64_t multiply(struct rf_power power, uint64_t number)
{
    unsigned __int128 low = (unsigned __int128)power.low * number;
    unsigned __int128 sum = (unsigned __int128)power.high * number + (uint64_t)(low >> 64);
    return (uint64_t)(sum >> 64) | ((uint64_t)sum > 1);
}

/* digits * 10^exponent */
struct decimal {
    uint64_t digits;
    int exponent;
};

/* The shortest decimal inside the interval of numbers that are rounded to significand *
 * 2^exponent, and of those the nearest. `lopsided`: the neighbour below is half as far away as
 * the one above. */
static struct decimal shortest(uint64_t significand, int exponent, bool lopsided)
{
    /* Everything in quarters of the last place: the number and the ends of its interval, which
     * belong to it when ties are rounded to it. */
    const uint64_t odd = significand & 1;
    const int k = lopsided ? log10_of_three_quarters(exponent) : log10_of_power2(exponent);
    const int shift = exponent + log2_of_power10(-k) + 1;
    const struct rf_power power = rf_powers[-k - RF_POWER_FIRST];
    const uint64_t middle = multiply(power, 4 * significand << shift);
    const uint64_t lower =
        multiply(power, (4 * significand - 2 + (lopsided ? 1 : 0)) << shift) + odd;
    const uint64_t upper = multiply(power, (4 * significand + 2) << shift) - odd;
    const uint64_t whole = middle / 4;

    if (whole >= 10) {
        /* One digit less, when exactly one of the two neighbours lies inside. */
        uint64_t tens = whole / 10;
        bool below = lower <= 40 * tens, above = 40 * tens + 40 <= upper;
        if (below != above) {
            return (struct decimal){tens + above, k + 1};
        }
    }
    bool below = lower <= 4 * whole, above = 4 * whole + 4 <= upper;
    if (below == above) {
        /* Both or none: the nearer one, the even one when there is none. */
        uint64_t half = 4 * whole + 2;
        above = middle > half || (middle == half && (whole & 1));
    }
    return (struct decimal){whole + above, k};
}

/* Short numbers come with many zeros at their end: eight at a time, then fewer. */
static struct decimal without_zeros(struct decimal decimal)
{
    static const struct {
        uint32_t power;
        int zeros;
    } steps[] = {{100000000, 8}, {10000, 4}, {100, 2}, {10, 1}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (decimal.digits % steps[i].power == 0) {
            decimal.digits /= steps[i].power;
            decimal.exponent += steps[i].zeros;
        }
    }
    return decimal;
}

static char *put_exponent(char *out, int exponent)
{
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    unsigned size = (unsigned)(exponent < 0 ? -exponent : exponent);
    return rf_digits_padded(out, size, size >= 100 ? 3 : 2);
}

/* digits[0].digits[1]... * 10^exponent; `plain_max` is how many places stand before the point
 * without an exponent being written. */
static char *put_decimal(char *out, struct decimal decimal, unsigned plain_max)
{
    char digits[RF_DIGITS_MAX + RF_DIGITS_SLACK];
    decimal = without_zeros(decimal);
    unsigned count = (unsigned)(rf_digits_u64(digits, decimal.digits) - digits);
    int point = (int)count + decimal.exponent; /* places before the point */
    if (point < -3 || point > (int)(count > plain_max ? count : plain_max)) {
        *out++ = digits[0];
        if (count > 1) {
            *out++ = '.';
            memcpy(out, digits + 1, count - 1);
            out += count - 1;
        }
        return put_exponent(out, point - 1);
    }
    if (point <= 0) {
        memcpy(out, "0.000", 5);
        out += 2 - point;
        memcpy(out, digits, count);
        return out + count;
    }
    unsigned before = (unsigned)point < count ? (unsigned)point : count;
    memcpy(out, digits, before);
    out += before;
    if ((unsigned)point >= count) {
        memset(out, '0', (unsigned)point - count);
        return out + ((unsigned)point - count);
    }
    *out++ = '.';
    memcpy(out, digits + before, count - before);
    return out + (count - before);
}

/* A number of IEEE 754 by its parts; not zero. */
static char *put_parts(char *out, uint64_t fraction, unsigned biased, unsigned fraction_bits,
                       int bias, unsigned plain_max)
{
    const uint64_t hidden = biased > 0 ? UINT64_C(1) << fraction_bits : 0;
    const int exponent = (int)(biased > 0 ? biased : 1) - bias - (int)fraction_bits;
    const bool lopsided = fraction == 0 && biased > 1;
    return put_decimal(out, shortest(fraction | hidden, exponent, lopsided), plain_max);
}

char *rf_floating_double(char *out, double number)
{
    enum { FRACTION_BITS = 52, BIAS = 1023, PLAIN_MAX = 15 };
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    double size = fabs(number);
    *out = '-';
    out += bits >> 63;
    if (size < 1e15 && size == (double)(uint64_t)size) {
        return rf_digits_u64(out, (uint64_t)size);
    }
    return put_parts(out, bits & ((UINT64_C(1) << FRACTION_BITS) - 1),
                     (unsigned)(bits >> FRACTION_BITS) & 0x7ff, FRACTION_BITS, BIAS, PLAIN_MAX);
}

char *rf_floating_float(char *out, float number)
{
    enum { FRACTION_BITS = 23, BIAS = 127, PLAIN_MAX = 9 };
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    float size = fabsf(number);
    *out = '-';
    out += bits >> 31;
    /* Exact, even where fewer digits would read back equal. */
    if (size < 1e9f && size == (float)(uint32_t)size) {
        return rf_digits_u64(out, (uint32_t)size);
    }
    return put_parts(out, bits & ((1u << FRACTION_BITS) - 1), bits >> FRACTION_BITS & 0xff,
                     FRACTION_BITS, BIAS, PLAIN_MAX);
}
