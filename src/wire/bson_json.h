/* BSON documents as Extended JSON.
 *
 * Used by the formats, and by sinks that store JSON. A document must be sound (wire/bson_read.h):
 * nothing is checked here, and nothing can go wrong. Output is compact, without spaces or newlines,
 * and valid JSON in UTF-8. Fields stay in their order; of two fields of one name both are written.
 *
 *   type                      canonical                         relaxed, where it is another
 *   Double                    {"$numberDouble":"1.0"}           1.0, but for NaN and infinities
 *   string                    "text"
 *   document, array           {...}, [...]
 *   Binary                    {"$binary":{"base64":"AQ==","subType":"00"}}
 *   undefined                 {"$undefined":true}
 *   ObjectId                  {"$oid":"5f0e0d0c0b0a090807060504"}
 *   Boolean, Null             true, false, null
 *   Date                      {"$date":{"$numberLong":"0"}}     {"$date":"1970-01-01T00:00:00Z"},
 *                                                               years 1970 to 9999
 *   regular expression        {"$regularExpression":{"pattern":"^a","options":"i"}}
 *   pointer                   {"$dbPointer":{"$ref":"a.b","$id":{"$oid":"..."}}}
 *   code, with scope          {"$code":"..."}, {"$code":"...","$scope":{...}}
 *   symbol                    {"$symbol":"text"}
 *   Int32                     {"$numberInt":"1"}                1
 *   Int64                     {"$numberLong":"1"}               1
 *   timestamp                 {"$timestamp":{"t":1,"i":2}}
 *   Decimal128                {"$numberDecimal":"1.50"}
 *   smallest, largest key     {"$minKey":1}, {"$maxKey":1}
 *
 * Floating numbers are the shortest text that reads back equal. Bytes of text that are no UTF-8 are
 * marked as those of any other text (rowferry/value.h): each byte is one character of a range for
 * private use, from which it can be put back, and so are the bytes of a character of that range
 * itself; the marks are what names them. A field that has one of the names above by itself, such as
 * a document {"$oid": "x"}, reads as that type: this is a limit of Extended JSON. Nothing here
 * allocates but the buffer's growth. Thread: the buffer's owner.
 *
 * The strict form is what MongoDB had before, and what a driver for Java still writes in its mode
 * STRICT: as relaxed, but
 *
 *   Binary {"$binary":"AQ==","$type":"00"}   Date {"$date":0}   Int64 {"$numberLong":"1"}
 *   regular expression {"$regex":"^a","$options":"i"}   pointer {"$ref":"a.b","$id":{"$oid":...}}
 *
 * Source: MongoDB Extended JSON (v2), specification 2.1; MongoDB Extended JSON (v1). */
#ifndef ROWFERRY_WIRE_BSON_JSON_H
#define ROWFERRY_WIRE_BSON_JSON_H

#include "wire/bson_read.h"

enum rf_bson_json {
    RF_BSON_JSON_RELAXED,
    RF_BSON_JSON_CANONICAL,
    RF_BSON_JSON_STRICT,
    /* Together with one of these: a blank behind each colon, or behind each comma. */
    RF_BSON_JSON_COLONS = 4,
    RF_BSON_JSON_COMMAS = 8,
};

/* A sound document. `form` is one of enum rf_bson_json, and any blanks. */
void rf_bson_json_add(struct rf_buf *out, struct rf_str document, unsigned form);
/* What an element of a sound document holds, without its name. */
void rf_bson_json_add_value(struct rf_buf *out, const struct rf_bson_element *element,
                            unsigned form);
/* A string with its quotes, as all strings of a document are written. */
void rf_bson_json_add_string(struct rf_buf *out, struct rf_str text);

/* The same as rf_bson_json_add at a place in the buffer, by the rules of wire/json_emit.h: makes
 * its own room and leaves RF_JSON_SLACK bytes. */
char *rf_bson_json_put(struct rf_buf *out, char *at, struct rf_str document, unsigned form);

#endif
