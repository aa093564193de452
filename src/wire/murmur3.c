#include "wire/murmur3.h"

#include <endian.h>

#define C1 UINT64_C(0x87c37b91114253d5)
#define C2 UINT64_C(0x4cf5ad432745937f)

static uint64_t rotate(uint64_t number, unsigned bits)
{
    return number << bits | number >> (64 - bits);
}

static uint64_t block(const char *bytes)
{
    uint64_t number;
    memcpy(&number, bytes, sizeof number);
    return le64toh(number);
}

static uint64_t finish(uint64_t number)
{
    number ^= number >> 33;
    number *= UINT64_C(0xff51afd7ed558ccd);
    number ^= number >> 33;
    number *= UINT64_C(0xc4ceb9fe1a85ec53);
    return number ^ number >> 33;
}

int64_t rf_murmur3_token(struct rf_str key)
{
    uint64_t h1 = 0, h2 = 0, k1 = 0, k2 = 0;
    size_t whole = key.size & ~(size_t)15;
    if (key.size == 0) {
        return INT64_MIN;
    }
    for (size_t i = 0; i < whole; i += 16) {
        h1 ^= rotate(block(key.data + i) * C1, 31) * C2;
        h1 = (rotate(h1, 27) + h2) * 5 + 0x52dce729;
        h2 ^= rotate(block(key.data + i + 8) * C2, 33) * C1;
        h2 = (rotate(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    for (size_t i = whole; i < key.size; i++) {
        /* Signed: a byte from 0x80 on sets all bits above it as well. */
        uint64_t byte = (uint64_t)(int64_t)(int8_t)key.data[i];
        size_t at = i - whole;
        if (at < 8) {
            k1 ^= byte << 8 * at;
        } else {
            k2 ^= byte << 8 * (at - 8);
        }
    }
    h2 ^= rotate(k2 * C2, 33) * C1;
    h1 ^= rotate(k1 * C1, 31) * C2;
    h1 ^= key.size;
    h2 ^= key.size;
    h1 += h2;
    h2 += h1;
    h1 = finish(h1) + finish(h2);
    return (int64_t)h1 == INT64_MIN ? INT64_MAX : (int64_t)h1;
}
