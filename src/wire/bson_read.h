/* BSON: looking into documents.
 *
 * Used by what reads from MongoDB. A document from outside is checked once, in all its depth, by
 * rf_bson_is_sound; from then on it is walked without any check. Nothing here allocates or copies:
 * elements borrow the document's bytes. The layout is that of wire/bson.h, with the types that only
 * a reader meets:
 *
 *   type                        value
 *   0x06 undefined, 0x0A Null, 0x7F largest key, 0xFF smallest key    nothing
 *   0x07 ObjectId               12
 *   0x0B regular expression     pattern, 0, options, 0
 *   0x0C pointer                a string, then 12
 *   0x0D code, 0x0E symbol      as a string
 *   0x0F code with scope        size (int32, itself included), a string, a document
 *   0x11 timestamp              increment (uint32), seconds since 1970 UTC (uint32)
 *
 * Thread: any.
 *
 * Source: bsonspec.org, version 1.1. */
#ifndef ROWFERRY_WIRE_BSON_READ_H
#define ROWFERRY_WIRE_BSON_READ_H

#include "wire/bson.h"

enum { RF_BSON_DEPTH_MAX = 200 /* MongoDB takes 100, and sends back 180 at most */ };

/* True when the bytes begin with one whole document in which every size, every closing zero and
 * every type is right, and that is nested no deeper than RF_BSON_DEPTH_MAX. Its size goes to
 * *size; more bytes may follow. That text is UTF-8 is not checked. */
bool rf_bson_take(struct rf_str bytes, size_t *size);
/* The same, and nothing follows. */
bool rf_bson_is_sound(struct rf_str bytes);

/* One field of a document, or one item of an array. */
struct rf_bson_element {
    uint8_t type;        /* enum rf_bson_type */
    struct rf_str name;  /* without its zero; an array's items are named "0", "1", ... */
    struct rf_str value; /* as it lies there, see the table; the size of a string included */
};

struct rf_bson_walk {
    const char *at;
};

/* Walks over the elements of a sound document or array. */
struct rf_bson_walk rf_bson_walk(struct rf_str document);
/* The next element. False: there is none. */
bool rf_bson_next(struct rf_bson_walk *walk, struct rf_bson_element *element);
/* The first element of that name. False: the document has none; *element is then zeroed. */
bool rf_bson_find(struct rf_str document, struct rf_str name, struct rf_bson_element *element);

/* The document of an image of a collection (rf_table.documents); empty where the image is NULL, or
 * has none. */
static inline struct rf_str rf_document_of(const struct rf_value *image)
{
    return image != NULL && image[1].kind == RF_DOCUMENT ? rf_value_str(image[1]) : RF_STR_NONE;
}

/* What an element holds; its type must be the one that is asked for. */
struct rf_str rf_bson_text(const struct rf_bson_element *element);     /* string, code, symbol */
struct rf_str rf_bson_document(const struct rf_bson_element *element); /* document, array */
int32_t rf_bson_int32(const struct rf_bson_element *element);
int64_t rf_bson_int64(const struct rf_bson_element *element); /* Int64, Date */
double rf_bson_double(const struct rf_bson_element *element);
bool rf_bson_bool(const struct rf_bson_element *element);
uint32_t rf_bson_seconds(const struct rf_bson_element *element);   /* timestamp */
uint32_t rf_bson_increment(const struct rf_bson_element *element); /* timestamp */

#endif
