/* Values: one column of one row, lossless and typed, 16 bytes.
 *
 * A value borrows its bytes: they lie in the batch's arena or in the table (enum members), and live
 * as long as the batch. Made by wire/ (decoders), read by formats and sinks. Mapping to a
 * destination's type goes by column, never by value. */
#ifndef ROWFERRY_VALUE_H
#define ROWFERRY_VALUE_H

#include <rowferry/str.h>

enum rf_kind {
    RF_ABSENT = 0, /* the log does not say (not the same as NULL) */
    RF_NULL,
    RF_INT,     /* i: signed integer of up to 64 bits */
    RF_UINT,    /* u: unsigned integer of up to 64 bits */
    RF_FLOAT,   /* f: IEEE 754 single */
    RF_DOUBLE,  /* d: IEEE 754 double */
    RF_DECIMAL, /* text: exact, "-123.4500", as many fraction digits as the column declares */
    RF_TEXT,    /* text: valid UTF-8; bytes that are no characters are marked, see below */
    RF_BYTES,   /* text: any bytes */
    RF_JSON,    /* text: a JSON document as UTF-8 */
    /* text: the member; `ordinal` its number from 1; 0 and "" is the server's error value */
    RF_ENUM,
    RF_SET,      /* text: members joined by commas */
    RF_GEOMETRY, /* text: SRID as 4 bytes little-endian, then WKB */
    RF_BIT,      /* u: the bits as a number; `scale` how many the column has */
    RF_YEAR,     /* u: 0 or 1901-2155 */
    RF_DATE,     /* u: packed, see below; time parts 0 */
    RF_DATETIME, /* u: packed; `scale` fraction digits 0-6; no zone */
    /* i: microseconds since 1970-01-01 UTC; `scale` fraction digits; 0 is the zero timestamp */
    RF_TIMESTAMP,
    RF_TIME,   /* i: signed microseconds, up to +-838:59:59.999999; `scale` fraction digits */
    RF_VECTOR, /* text: IEEE 754 singles, 4 bytes little-endian each */
    /* text: a whole BSON document, its length and its last zero byte included; checked by whoever
     * made the value, so that a reader finds every length inside it true and its nesting bounded */
    RF_DOCUMENT,
};

struct rf_value {
    uint8_t kind;     /* enum rf_kind */
    uint8_t scale;    /* fraction digits of temporal kinds, bits of RF_BIT */
    uint16_t ordinal; /* RF_ENUM */
    uint32_t size;    /* bytes of text */
    union {
        int64_t i;
        uint64_t u;
        double d;
        float f;
        const char *text;
    };
};
_Static_assert(sizeof(struct rf_value) == 16, "a value is two words");

/* True when what the value holds lies in `text`. */
static inline bool rf_value_has_text(const struct rf_value *value)
{
    return (value->kind >= RF_DECIMAL && value->kind <= RF_GEOMETRY) || value->kind >= RF_VECTOR;
}

static inline struct rf_str rf_value_str(struct rf_value value)
{
    return (struct rf_str){value.text, value.size};
}

/* Bytes of a text that are no character of the column's character set, as a server may hold them,
 * are carried as one character each of a range for private use: byte 0x41 is U+10FE41. So nothing
 * is lost: a reader puts back the byte for each character of that range, and for every other one
 * its bytes in the column's character set. Where a text has such a character itself, its bytes are
 * marked, too. The texts of RF_ENUM and RF_SET, and statements, are marked likewise. */
enum { RF_MARK_FIRST = 0x10fe00, RF_MARK_LAST = RF_MARK_FIRST + 0xff };
static inline bool rf_is_mark(uint32_t code)
{
    return code >= RF_MARK_FIRST && code <= RF_MARK_LAST;
}

/* Date and time in 64 bits, so that zero dates ("0000-00-00", "2024-00-10") survive: bits 0-19
 * microsecond, 20-25 second, 26-31 minute, 32-36 hour, 37-41 day, 42-45 month, 46-59 year. Grows
 * with time. */
#define RF_DATETIME_PACK(year, month, day, hour, minute, second, micros)            \
    ((uint64_t)(year) << 46 | (uint64_t)(month) << 42 | (uint64_t)(day) << 37 |     \
     (uint64_t)(hour) << 32 | (uint64_t)(minute) << 26 | (uint64_t)(second) << 20 | \
     (uint64_t)(micros))
static inline unsigned rf_datetime_year(uint64_t packed)
{
    return (unsigned)(packed >> 46) & 0x3FFF;
}
static inline unsigned rf_datetime_month(uint64_t packed)
{
    return (unsigned)(packed >> 42) & 0xF;
}
static inline unsigned rf_datetime_day(uint64_t packed)
{
    return (unsigned)(packed >> 37) & 0x1F;
}
static inline unsigned rf_datetime_hour(uint64_t packed)
{
    return (unsigned)(packed >> 32) & 0x1F;
}
static inline unsigned rf_datetime_minute(uint64_t packed)
{
    return (unsigned)(packed >> 26) & 0x3F;
}
static inline unsigned rf_datetime_second(uint64_t packed)
{
    return (unsigned)(packed >> 20) & 0x3F;
}
static inline unsigned rf_datetime_micros(uint64_t packed)
{
    return (unsigned)packed & 0xFFFFF;
}

#endif
