/* Documents as rows: for whoever writes columns, and templates that name fields.
 *
 * Used by sinks. A collection (rf_table.documents) is shown as a table of texts: its _id, its
 * document as relaxed Extended JSON, and those fields of the top level that somebody asked for by
 * name:
 *
 *   string             as it is; bytes that are no UTF-8 are marked (rowferry/value.h)
 *   Int32, Int64       in decimal
 *   Double             the shortest text that reads back equal; NaN, Infinity, -Infinity
 *   Decimal128         as wire/decimal128.h
 *   Boolean            true, false
 *   ObjectId           24 hexadecimal digits
 *   Date               2024-02-29 12:00:00.250, UTC; outside the years 0 to 9999 its milliseconds
 *   Null, none at all  NULL
 *   everything else    relaxed Extended JSON
 *
 * Of two fields of one name the first counts. Nothing is allocated per document but from the
 * caller's arena. Thread: the owner's.
 *
 * Source: bsonspec.org, version 1.1. */
#ifndef ROWFERRY_WIRE_BSON_ROW_H
#define ROWFERRY_WIRE_BSON_ROW_H

#include "wire/bson_read.h"

#include <rowferry/arena.h>

/* Appends the text of a value by the table above. False, nothing appended: it is NULL. */
bool rf_bson_text_add(struct rf_buf *out, const struct rf_bson_element *element);

/* Zeroed is empty and valid. */
struct rf_bson_row {
    struct rf_table *table; /* as it is shown: _id, document, then the fields; one reference */
    bool document;          /* somebody asked for the whole */
    struct rf_buf text;     /* of the value in hand */
};

/* fields: names that somebody asked for, in any order, also more than once; "_id" and "document"
 * are those two. `document`: it is asked for anyway. */
void rf_bson_row_init(struct rf_bson_row *row, const struct rf_table *collection,
                      const struct rf_str *fields, uint32_t count, bool document);
void rf_bson_row_deinit(struct rf_bson_row *row);

/* The row of an image of the collection, all of it in the arena. What nobody asked for is absent;
 * so is everything but the _id where the image does not tell the document. */
const struct rf_value *rf_bson_row_of(struct rf_bson_row *row, const struct rf_value *image,
                                      struct rf_arena *arena);

#endif
