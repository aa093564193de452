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

static inline uint32_t rf_load_32_be(const void *at)
{
    uint32_t number;
    memcpy(&number, at, sizeof number);
    return be32toh(number);
}

/* Of `size` bytes, 0 to 8: by two reads that may overlap, which costs less than one for each. */
static inline uint64_t rf_load_sized(const void *at, size_t size)
{
    const uint8_t *bytes = at;
    if (size >= 4) {
        return (uint64_t)rf_load_32(bytes + size - 4) << (8 * (size - 4)) | rf_load_32(bytes);
    }
    if (size >= 2) {
        return (uint64_t)rf_load_16(bytes + size - 2) << (8 * (size - 2)) | rf_load_16(bytes);
    }
    return size == 1 ? bytes[0] : 0;
}

/* The same, highest byte first. */
static inline uint64_t rf_load_sized_be(const void *at, size_t size)
{
    const uint8_t *bytes = at;
    uint64_t number = 0;
    if (size >= 4) {
        return (uint64_t)rf_load_32_be(bytes) << (8 * (size - 4)) | rf_load_32_be(bytes + size - 4);
    }
    for (size_t i = 0; i < size; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

#endif
