/* The _id of a document as text.
 *
 * Used by what reads from MongoDB: rows of collections have their _id as text (rowferry/event.h,
 * rf_table.documents). Texts of two _ids are equal only when MongoDB takes the two for equal:
 *
 *   ObjectId             "5f0e0d0c0b0a090807060504": 24 hexadecimal digits in lower case
 *   number               "5", "-12", "1.5", "1e+20": whichever of the four types it has. What is no
 *                        Double exactly has all its digits, without zeros at either end: "1e-1" is
 *                        the Decimal128 of a tenth, "0.1" the Double next to it; where a Double
 *                        has that very text, with a zero: "1.0e-10" beside the Double "1e-10"; and
 *                        "NaN", "Infinity", "-Infinity"
 *   string               as it is; one that reads like any other form here, or has bytes that are
 *                        no UTF-8, as a JSON string in quotes
 *   everything else      canonical Extended JSON (wire/bson_json.h)
 *
 * Inside documents each number keeps its type's form: {a: 1} and {a: 1.0} have two texts although
 * MongoDB takes them for equal. Nothing here allocates but the buffer's growth. Thread: the
 * buffer's owner.
 *
 * Source: MongoDB Manual, "Comparison/Sort Order", "The _id Field". */
#ifndef ROWFERRY_WIRE_BSON_ID_H
#define ROWFERRY_WIRE_BSON_ID_H

#include "wire/bson_read.h"

/* Appends the text of an element of a sound document. */
void rf_bson_id_add(struct rf_buf *out, const struct rf_bson_element *id);

#endif
