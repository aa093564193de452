/* MySQL's binary JSON to the text that the server itself shows: of SELECT, or CAST(... AS CHAR).
 *
 * Used by rows.c for columns of type 245. A document, all numbers little-endian:
 *
 *   offset size
 *        0    1  type of the value, see below
 *        1    n  the value, to the end
 *
 * No byte at all is the JSON null, which old servers stored in this way.
 *
 *   type  value
 *     00  object, numbers of 2 bytes       04  literal: 00 null, 01 true, 02 false
 *     01  object, numbers of 4 bytes       05  int16      06  uint16
 *     02  array, numbers of 2 bytes        07  int32      08  uint32
 *     03  array, numbers of 4 bytes        09  int64      0a  uint64
 *     0c  string: size, then UTF-8         0b  double, IEEE 754
 *     0f  opaque: a column type (1), size, then bytes
 *
 * A size is 7 bits to a byte, lowest first, the highest bit set in all but the last: 1 to 5 bytes.
 *
 * Objects and arrays, w being 2 or 4:
 *
 *   offset size
 *        0    w  c: number of elements
 *        w    w  bytes of the whole, from offset 0
 *       2w  c*k  objects only: for each key its offset (w) and its size (2); k is w + 2
 *        .  c*v  for each element its type (1) and where it is (w): v is w + 1
 *        .    .  the keys, UTF-8, then the elements that do not stand in their entry
 *
 * Offsets count from offset 0. Literals and 16-bit numbers stand in the entry itself, with w = 4
 * 32-bit ones, too. The server sorts keys by size, then by bytes; they are printed as they come.
 *
 * Opaque bytes by their column type:
 *
 *   246 DECIMAL            precision (1), scale (1), then decimal.h: a number
 *    10 DATE, 12 DATETIME, 7 TIMESTAMP   8: microsecond in bits 0-23, second in 24-29, minute in
 *                          30-35, hour in 36-40, day in 41-45, year * 13 + month from 46: a string
 *    11 TIME               8, signed: the same, hour in bits 36-45: a string
 *   others                 a string "base64:type15:...", a newline behind each 76 letters
 *
 * Source: MySQL, sql-common/json_binary.h; sql-common/json_dom.cc, Json_wrapper::to_string;
 * measured against MySQL 9.7. */
#ifndef ROWFERRY_WIRE_JSONB_H
#define ROWFERRY_WIRE_JSONB_H

#include <rowferry/str.h>

/* Arrays and objects in each other; the server has no deeper ones.
 * Source: MySQL, sql-common/json_syntax_check.h, JSON_DOCUMENT_MAX_DEPTH. */
enum { RF_JSONB_DEPTH_MAX = 100 };

/* Appends the text, valid JSON in UTF-8. Every offset and size is checked against the bytes that
 * are there, and what is appended is bounded by a small multiple of their number, whatever they
 * say. Returns NULL; or why the bytes are no document, a sentence without its full stop: `out` then
 * is as it was. Nothing is allocated but out's growth. Any thread. */
const char *rf_jsonb_print(struct rf_buf *out, struct rf_str bytes);

#endif
