/* JSON text, appended to a buffer: the emitter of the hot path.
 *
 * Used by the formats and by sinks that store JSON. Output is compact, without spaces or newlines,
 * independent of the locale, and valid JSON in UTF-8 as long as its input is valid UTF-8. Nothing
 * here allocates but the buffer's growth. Thread: the buffer's owner.
 *
 * Source: RFC 8259 (JSON), RFC 4648 section 4 (base64), ISO 8601 (dates and times). */
#ifndef ROWFERRY_WIRE_JSON_H
#define ROWFERRY_WIRE_JSON_H

#include <rowferry/event.h>

/* A string with its quotes. Only quote, backslash and control characters are escaped. */
void rf_json_add_string(struct rf_buf *out, struct rf_str text);

/* Bytes as a base64 string with its quotes and padding. */
void rf_json_add_base64(struct rf_buf *out, struct rf_str bytes);
/* Its letters and padding alone. */
void rf_json_add_base64_digits(struct rf_buf *out, struct rf_str bytes);

/* Microseconds since 1970 UTC as "2026-11-22T17:00:00Z", with six fraction digits where there is a
 * fraction. 0 is 1970 here, not the zero timestamp. */
void rf_json_add_instant(struct rf_buf *out, int64_t micros);

/* A value:
 *
 *   RF_NULL, RF_ABSENT        null
 *   RF_INT, RF_UINT, RF_BIT   a number; unsigned ones as such, so readers need 64 bits
 *   RF_YEAR                   a number
 *   RF_FLOAT, RF_DOUBLE       the shortest number that reads back equal
 *   RF_DECIMAL                a string, exact: "19.90"
 *   RF_TEXT, RF_ENUM, RF_SET  a string
 *   RF_JSON                   a string that holds the document as stored
 *   RF_BYTES                  a string, base64
 *   RF_DATE                   "2024-02-29"; zero dates "0000-00-00"
 *   RF_DATETIME               "2024-02-29T12:00:00.250" with the column's fraction digits
 *   RF_TIMESTAMP              the same in UTC with a Z behind; zero "0000-00-00T00:00:00Z"
 *   RF_TIME                   "-838:59:59.000"
 *   RF_GEOMETRY               {"srid":4326,"wkb":"base64"}
 *   RF_VECTOR                 an array of numbers, as RF_FLOAT
 *   RF_DOCUMENT               the document as relaxed Extended JSON, see wire/bson_json.h
 *
 * Returns false, nothing appended, for a floating number that JSON cannot say (NaN, infinity). */
RF_USE_RESULT bool rf_json_add_value(struct rf_buf *out, const struct rf_value *value);

/* The names of an object's members, escaped once: all columns of a table, or some. */
struct rf_json_names {
    struct rf_json_name *items;
    uint32_t count;
};
struct rf_json_name {
    /* "id": with quotes and colon; readable up to the next multiple of 16 bytes */
    const char *text;
    uint32_t size;
    uint32_t column;
};
/* numbers: count column numbers, or NULL for the first count columns. One allocation; deinit frees
 * it. The table may go away. */
void rf_json_names_init(struct rf_json_names *names, const struct rf_table *table,
                        const uint32_t *numbers, uint32_t count);
/* Accepts a zeroed one. */
void rf_json_names_deinit(struct rf_json_names *names);

/* An object of these members out of a row image; absent ones are left out.
 * Returns false for a number that JSON cannot say, nothing appended; *column is then its number. */
RF_USE_RESULT bool rf_json_add_row(struct rf_buf *out, const struct rf_json_names *names,
                                   const struct rf_value *image, uint32_t *column);

#endif
