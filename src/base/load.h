/* Numbers out of bytes that need not be aligned, lowest byte first, or highest where the name says
 * so. The caller has checked that they are there. */
#ifndef ROWFERRY_BASE_LOAD_H
#define ROWFERRY_BASE_LOAD_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t rf_load_16(const void *at)
{
    uint16_t number;
    memcpy(&number, at, sizeof number);
    return le16toh(number);
}

static inline uint32_t rf_load_32(const void *at)
{
    uint32_t number;
    memcpy(&number, at, sizeof number);
    return le32toh(number);
}

static inline uint64_t rf_load_64(const void *at)
{
    uint64_t number;
    memcpy(&number, at, sizeof number);
    return le64toh(number);
}

/* Of `size` bytes, 0 to 8. */
static inline uint64_t rf_load_sized(const void *at, size_t size)
{
    const uint8_t *bytes = at;
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number |= (uint64_t)bytes[i] << (8 * i);
    }
    return number;
}

/* Highest byte first. */
static inline uint64_t rf_load_sized_be(const void *at, size_t size)
{
    const uint8_t *bytes = at;
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

#endif
