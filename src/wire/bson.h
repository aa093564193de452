/* BSON: rows as documents, written straight into a buffer.
 *
 * Used by what writes to MongoDB. Which type a value gets is decided by its column, once for each
 * version of a table, and never by the value, so that a field has one type in all documents:
 *
 *   TINYINT SMALLINT MEDIUMINT INT YEAR      Int32; INT UNSIGNED Int64
 *   BIGINT                                   Int64; BIGINT UNSIGNED string of digits
 *   FLOAT DOUBLE                             Double
 *   DECIMAL(p,s)                             Decimal128 with s fraction digits; p > 34: string
 *   BIT(n)                                   Int64; BIT(64) string of digits
 *   DATE, DATETIME and TIMESTAMP with up     Date, a DATETIME taken for UTC; with
 *   to 3 fraction digits                     RF_BSON_DATES_STRING string
 *   DATETIME, TIMESTAMP with more            string "2024-02-29T12:00:00.250000", TIMESTAMP with Z
 *   TIME                                     string "-838:59:59.000"
 *   CHAR VARCHAR TEXT ENUM SET JSON          string
 *   UUID INET4 INET6                         string, as MariaDB shows it
 *   BINARY VARBINARY BLOB                    Binary, subtype 0
 *   GEOMETRY                                 Binary: SRID, 4 bytes little-endian, then WKB
 *   VECTOR                                   Binary, subtype 9: a vector of FLOAT32
 *
 * A date that no calendar has ("0000-00-00", "2024-02-31") cannot be a Date: it becomes the string
 * that its column would have otherwise. That is the one exception. NULL is Null; what the log does
 * not tell is left out.
 *
 *   document  size (int32, itself included), elements, 0
 *   element   type (1), name, 0, value
 *
 *   type                     value
 *   0x01 Double              8, IEEE 754
 *   0x02 string              size (int32, the 0 included), UTF-8, 0
 *   0x03 document, 0x04 array    a document; an array's names are "0", "1", ...
 *   0x05 Binary              size (int32), subtype (1), bytes
 *   0x08 Boolean             1
 *   0x09 Date                int64, milliseconds since 1970 UTC
 *   0x0A Null                nothing
 *   0x10 Int32, 0x12 Int64   4, 8
 *   0x13 Decimal128          16: bits 0-112 coefficient, 113-126 exponent + 6176, 127 sign
 *
 * All numbers are little-endian. Nothing here allocates but the buffer's growth. Thread: the
 * buffer's owner.
 *
 * Source: bsonspec.org, version 1.1, and its "BSON Binary Vector" for subtype 9; IEEE
 * 754-2008 section 3.5.2 (decimal128, binary encoding). */
#ifndef ROWFERRY_WIRE_BSON_H
#define ROWFERRY_WIRE_BSON_H

#include <rowferry/event.h>

enum rf_bson_type {
    RF_BSON_DOUBLE = 0x01,
    RF_BSON_UTF8 = 0x02,
    RF_BSON_DOCUMENT = 0x03,
    RF_BSON_ARRAY = 0x04,
    RF_BSON_BINARY = 0x05,
    RF_BSON_UNDEFINED = 0x06,
    RF_BSON_OBJECT_ID = 0x07,
    RF_BSON_BOOL = 0x08,
    RF_BSON_DATE = 0x09,
    RF_BSON_NULL = 0x0A,
    RF_BSON_REGEX = 0x0B,
    RF_BSON_POINTER = 0x0C,
    RF_BSON_CODE = 0x0D,
    RF_BSON_SYMBOL = 0x0E,
    RF_BSON_SCOPED_CODE = 0x0F,
    RF_BSON_INT32 = 0x10,
    RF_BSON_TIMESTAMP = 0x11,
    RF_BSON_INT64 = 0x12,
    RF_BSON_DECIMAL128 = 0x13,
    RF_BSON_MAXKEY = 0x7F,
    RF_BSON_MINKEY = 0xFF,
};

enum { RF_BSON_DECIMAL_DIGITS = 34 /* that a Decimal128 has at most */ };

enum rf_bson_dates { RF_BSON_DATES_DATE, RF_BSON_DATES_STRING };

/* -------------------------------------------------------------------------------------- documents
 * Names are terminated; text is valid UTF-8. */

/* Opens a document that is no element; returns where it begins, for rf_bson_end. */
size_t rf_bson_begin(struct rf_buf *out);
/* Opens one that is an element; `type` is RF_BSON_DOCUMENT or RF_BSON_ARRAY. */
size_t rf_bson_open(struct rf_buf *out, enum rf_bson_type type, const char *name);
/* The same as an array's element of that number. */
size_t rf_bson_open_item(struct rf_buf *out, uint32_t number);
/* Ends the document that begins there, the last one that is open. */
void rf_bson_end(struct rf_buf *out, size_t begin);

void rf_bson_add_utf8(struct rf_buf *out, const char *name, struct rf_str text);
void rf_bson_add_int32(struct rf_buf *out, const char *name, int32_t number);
void rf_bson_add_int64(struct rf_buf *out, const char *name, int64_t number);
void rf_bson_add_bool(struct rf_buf *out, const char *name, bool truth);
void rf_bson_add_date(struct rf_buf *out, const char *name, int64_t ms);
/* A whole document, as it is. */
void rf_bson_add_document(struct rf_buf *out, const char *name, struct rf_str document);

/* ------------------------------------------------------------------------------------------- rows
 */

/* How one column is written. */
struct rf_bson_field {
    const char *name;   /* terminated */
    uint32_t name_size; /* the 0 included */
    uint32_t column;
    uint8_t as; /* private to bson.c */
};

/* All columns of a table, or some. Zeroed is empty and valid. */
struct rf_bson_fields {
    struct rf_bson_field *items;
    uint32_t count;
};

/* numbers: count column numbers, or NULL for the first count columns. One allocation. The table may
 * go away. */
void rf_bson_fields_init(struct rf_bson_fields *fields, const struct rf_table *table,
                         const uint32_t *numbers, uint32_t count, enum rf_bson_dates dates);
void rf_bson_fields_deinit(struct rf_bson_fields *fields);

/* Appends a value as an element of that name, the 0 counted; nothing for an absent one. */
void rf_bson_add_value(struct rf_buf *out, struct rf_str name, const struct rf_bson_field *field,
                       const struct rf_value *value);
/* Appends each field of the row as an element. What `image` does not tell is taken from `other`,
 * which may be NULL. Returns false when neither tells a field, *column is then its number, and the
 * buffer is as it was. */
RF_USE_RESULT bool rf_bson_add_row(struct rf_buf *out, const struct rf_bson_fields *fields,
                                   const struct rf_value *image, const struct rf_value *other,
                                   uint32_t *column);

#endif
