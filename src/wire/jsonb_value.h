/* The parts of a binary JSON document, for who looks into it.
 *
 * Private to jsonb.c and jsonb_change.c. The layout stands in jsonb.h.
 *
 * Source: as there. */
#ifndef ROWFERRY_WIRE_JSONB_VALUE_H
#define ROWFERRY_WIRE_JSONB_VALUE_H

#include <rowferry/str.h>

/* A value: its type and its bytes, which may be more than it needs. */
struct rf_jsonb_value {
    uint8_t type;
    const uint8_t *at;
    const uint8_t *end;
};

/* True for arrays and objects. */
bool rf_jsonb_is_container(struct rf_jsonb_value value);

/* An array or object, all of whose entries lie in its bytes. */
struct rf_jsonb_container {
    const uint8_t *start;
    uint32_t size;
    uint32_t count;
    uint8_t width; /* of numbers: 2 or 4 */
    bool object;
};

/* What both functions return: NULL, or why the bytes are no document. */
const char *rf_jsonb_open(struct rf_jsonb_value value, struct rf_jsonb_container *container);
/* Element `number`, which the container has, and, of an object, its key. */
const char *rf_jsonb_element(const struct rf_jsonb_container *container, uint32_t number,
                             struct rf_str *key, struct rf_jsonb_value *value);

/* Appends the value's text, or what there was of it when it is none: NULL, or why. It fails when
 * more than `limit` bytes would be in `out`. */
const char *rf_jsonb_add(struct rf_buf *out, struct rf_jsonb_value value, size_t limit);
/* Appends a string; fails when it is not UTF-8. */
const char *rf_jsonb_add_string(struct rf_buf *out, struct rf_str text);

/* What the text of so many bytes may come to, when they lie side by side: a string's byte may
 * become \u0001, an element of three bytes -32768 and what stands around it. */
static inline size_t rf_jsonb_text_max(size_t size)
{
    enum { GROWTH = 8, BASE = 64 };
    return size * GROWTH + BASE;
}
static const char rf_jsonb_overlaps[] = "parts of the JSON document lie in each other";

#endif
