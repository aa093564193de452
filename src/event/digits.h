/* Decimal digits without branches on their number, inlined into the decoders and encoders of the
 * data path. Used in event/, wire/ and by the formats. */
#ifndef ROWFERRY_EVENT_DIGITS_H
#define ROWFERRY_EVENT_DIGITS_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Of 64 bits. Every function here may write 7 bytes more than it says: room for them must be
 * there. */
enum { RF_DIGITS_MAX = 20, RF_DIGITS_SLACK = 8 };

/* The eight digits of a number below 10^8, one per byte, the first one in the lowest byte. The
 * number is split in halves three times, all parts of a step at once: n / 100 is n * 10486 >> 20
 * below 10^4, and n / 10 is n * 103 >> 10 below 100. */
static inline uint64_t rf_digits_bytes(uint32_t number)
{
    uint64_t fours = number / 10000 | (uint64_t)(number % 10000) << 32;
    uint64_t hundreds = (fours * 10486) >> 20 & UINT64_C(0x0000007f0000007f);
    uint64_t pairs = hundreds | (fours - hundreds * 100) << 16;
    uint64_t tens = (pairs * 103) >> 10 & UINT64_C(0x000f000f000f000f);
    return tens | (pairs - tens * 10) << 8;
}

#define RF_DIGITS_ZEROS UINT64_C(0x3030303030303030)

/* Exactly 8 digits of a number below 10^8. */
static inline char *rf_digits_eight(char *out, uint32_t number)
{
    uint64_t text = htole64(rf_digits_bytes(number) | RF_DIGITS_ZEROS);
    memcpy(out, &text, sizeof text);
    return out + 8;
}

/* Exactly 9 digits of a number below 10^9. */
static inline char *rf_digits_nine(char *out, uint32_t number)
{
    *out = (char)('0' + number / 100000000);
    return rf_digits_eight(out + 1, number % 100000000);
}

/* Exactly `count` digits, 1 to 8, of a number that has no more. */
static inline char *rf_digits_padded(char *out, uint32_t number, unsigned count)
{
    uint64_t text = htole64((rf_digits_bytes(number) | RF_DIGITS_ZEROS) >> (64 - 8 * count));
    memcpy(out, &text, sizeof text);
    return out + count;
}

/* A number below 10^8 without leading zeros. */
static inline char *rf_digits_small(char *out, uint32_t number)
{
    uint64_t digits = rf_digits_bytes(number);
    /* The last digit is written even when it is zero. */
    unsigned skip = (unsigned)__builtin_ctzll(digits | UINT64_C(1) << 56) & ~7u;
    uint64_t text = htole64((digits | RF_DIGITS_ZEROS) >> skip);
    memcpy(out, &text, sizeof text);
    return out + 8 - skip / 8;
}

/* A number from 10^8 on. */
char *rf_digits_large(char *out, uint64_t number);

static inline char *rf_digits_u64(char *out, uint64_t number)
{
    if (__builtin_expect(number < 100000000, 1)) {
        return rf_digits_small(out, (uint32_t)number);
    }
    return rf_digits_large(out, number);
}

/* What a hexadecimal digit says; -1: it is none. */
static inline int rf_digit_of_hex(char digit)
{
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
           : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                          : -1;
}

/* With a '-' in front: one byte more. */
static inline char *rf_digits_i64(char *out, int64_t number)
{
    *out = '-';
    return rf_digits_u64(out + (number < 0), number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

#endif
