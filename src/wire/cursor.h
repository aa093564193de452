/* Reading little-endian numbers and strings out of bytes that may be damaged.
 *
 * Used inside wire/. A read past the end gives 0 or the empty string and is remembered, so that a
 * parser reads everything in one go and asks once, rf_cursor_check, before it believes any of it.
 * The row decoder does not use it: it checks inline. */
#ifndef ROWFERRY_WIRE_CURSOR_H
#define ROWFERRY_WIRE_CURSOR_H

#include "base/load.h"

#include <rowferry/str.h>

struct rf_cursor {
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *start;
    const char *missing; /* what the first failed read was to give; NULL: none failed */
    size_t missing_at;   /* its offset */
};

static inline struct rf_cursor rf_cursor_of(struct rf_str bytes)
{
    const uint8_t *start = (const uint8_t *)bytes.data;
    return (struct rf_cursor){
        .at = start, .end = bytes.size > 0 ? start + bytes.size : start, .start = start};
}

static inline size_t rf_cursor_left(const struct rf_cursor *cursor)
{
    return cursor->at == cursor->end ? 0 : (size_t)(cursor->end - cursor->at);
}

static inline size_t rf_cursor_offset(const struct rf_cursor *cursor)
{
    return cursor->at == cursor->start ? 0 : (size_t)(cursor->at - cursor->start);
}

/* Remembers that `what` could not be read here; only the first time counts. What is left is not
 * read any more. */
static inline void rf_cursor_fail(struct rf_cursor *cursor, const char *what)
{
    if (cursor->missing == NULL) {
        cursor->missing = what;
        cursor->missing_at = rf_cursor_offset(cursor);
        cursor->end = cursor->at;
    }
}

/* The next `size` bytes as a little-endian number, size 1 to 8. */
static inline uint64_t rf_cursor_number(struct rf_cursor *cursor, size_t size, const char *what)
{
    uint64_t number = 0;
    if (rf_cursor_left(cursor) < size) {
        rf_cursor_fail(cursor, what);
        return 0;
    }
    number = rf_load_sized(cursor->at, size);
    cursor->at += size;
    return number;
}

static inline uint8_t rf_cursor_u8(struct rf_cursor *cursor, const char *what)
{
    return (uint8_t)rf_cursor_number(cursor, 1, what);
}

static inline uint16_t rf_cursor_u16(struct rf_cursor *cursor, const char *what)
{
    return (uint16_t)rf_cursor_number(cursor, 2, what);
}

static inline uint32_t rf_cursor_u32(struct rf_cursor *cursor, const char *what)
{
    return (uint32_t)rf_cursor_number(cursor, 4, what);
}

static inline uint64_t rf_cursor_u64(struct rf_cursor *cursor, const char *what)
{
    return rf_cursor_number(cursor, 8, what);
}

/* The protocol's packed integer: a byte below 251 is the number, 252, 253 and 254 are followed by
 * 2, 3 and 8 bytes; 251 (NULL) and 255 are damage here.
 * Source: MariaDB Knowledge Base, "Protocol Data Types", length encoded integers. */
static inline uint64_t rf_cursor_packed(struct rf_cursor *cursor, const char *what)
{
    uint8_t first = rf_cursor_u8(cursor, what);
    switch (first) {
    case 252: return rf_cursor_number(cursor, 2, what);
    case 253: return rf_cursor_number(cursor, 3, what);
    case 254: return rf_cursor_number(cursor, 8, what);
    case 251:
    case 255: rf_cursor_fail(cursor, what); return 0;
    default: return first;
    }
}

/* The next `size` bytes; they are not copied. */
static inline struct rf_str rf_cursor_str(struct rf_cursor *cursor, uint64_t size, const char *what)
{
    if (rf_cursor_left(cursor) < size) {
        rf_cursor_fail(cursor, what);
        return RF_STR_NONE;
    }
    struct rf_str str = {(const char *)cursor->at, (size_t)size};
    cursor->at += size;
    return str;
}

/* Everything that is left. */
static inline struct rf_str rf_cursor_rest(struct rf_cursor *cursor)
{
    return rf_cursor_str(cursor, rf_cursor_left(cursor), "rest");
}

/* RF_OK when every read succeeded; else RF_FATAL, "`event` ends at offset N, inside its
 * `missing`". */
RF_USE_RESULT static inline enum rf_status rf_cursor_check(const struct rf_cursor *cursor,
                                                           const char *event, struct rf_error *err)
{
    if (cursor->missing == NULL) {
        return RF_OK;
    }
    return rf_fail(err, RF_FATAL, "damaged %s: no valid %s at offset %zu of its body", event,
                   cursor->missing, cursor->missing_at);
}

#endif
