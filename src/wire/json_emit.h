/* The inner parts of the JSON emitter, for loops over the columns of a row.
 *
 * Used by json.c and by formats that write some types of their own way. Everything here works on
 * `at`, a place in the buffer's memory behind its size, and returns the place behind what it
 * wrote; room for it has been made before, and RF_JSON_SLACK bytes more than the value needs by
 * its size. When the row is done, the caller sets the buffer's size to where `at` is. Nothing here
 * allocates but rf_json_room. Thread: the buffer's owner.
 *
 * Source: RFC 8259 (JSON), RFC 4648 section 4 (base64), ISO 8601 (dates and times). */
#ifndef ROWFERRY_WIRE_JSON_EMIT_H
#define ROWFERRY_WIRE_JSON_EMIT_H

#include "event/digits.h"
#include "event/floating.h"
#include "event/value.h"
#include "wire/json.h"

#include <math.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Bytes behind what a value needs by its size: quotes, a comma, what a copy in steps of 16 writes
 * too much, and every value of fixed size as a whole. */
enum { RF_JSON_SLACK = 64 };

/* Makes room for more bytes at `at`; the buffer may move. */
static inline char *rf_json_room(struct rf_buf *out, char *at, size_t more)
{
    if (__builtin_expect((size_t)(out->data + out->capacity - at) >= more, 1)) {
        return at;
    }
    out->size = (size_t)(at - out->data);
    return rf_buf_grow(out, more);
}

/* Bytes from the front that need no escape, of fewer than 16; they are copied. */
size_t rf_json_copy_short(char *at, const char *text, size_t size);
/* The string from `done` on, where the first byte that needs an escape is, and the quote behind it.
 * Makes its own room, and leaves that of the caller's rest. */
char *rf_json_put_escaped(struct rf_buf *out, char *at, const char *text, size_t size, size_t done);
/* A base64 string with its quotes; room for rf_json_base64_size(size) + RF_JSON_SLACK bytes was
 * made. */
char *rf_json_put_base64(char *at, const char *bytes, size_t size);
static inline size_t rf_json_base64_size(size_t size)
{
    return (size / 3 + (size % 3 != 0)) * 4;
}
/* {"srid":4326,"wkb":"base64"}; makes its own room. */
char *rf_json_put_geometry(struct rf_buf *out, char *at, const struct rf_value *value);
/* [1.5,-2]; makes its own room. NULL: an element that JSON cannot say. */
char *rf_json_put_vector(struct rf_buf *out, char *at, const struct rf_value *value);

/* A document as relaxed Extended JSON; makes its own room. */
char *rf_json_put_document(struct rf_buf *out, char *at, const struct rf_value *value);

#if defined(__SSE2__)
/* Copies 16 bytes; returns a bit for each that must be escaped. */
static inline int rf_json_copy_chunk(char *at, const char *text)
{
    __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)text);
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(chunk, _mm_set1_epi8(0x1f)), chunk);
    __m128i quote = _mm_cmpeq_epi8(chunk, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(chunk, _mm_set1_epi8('\\'));
    _mm_storeu_si128((__m128i *)(void *)at, chunk);
    return _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, quote), backslash));
}
#endif

/* Copies plain bytes from the front, up to the first one that must be escaped; returns how many.
 * What lies behind them, up to size, may be written too. */
static inline size_t rf_json_copy_plain(char *at, const char *text, size_t size)
{
    size_t done = 0;
#if defined(__SSE2__)
    while (size - done >= 16) {
        int found = rf_json_copy_chunk(at + done, text + done);
        if (__builtin_expect(found != 0, 0)) {
            return done + (size_t)__builtin_ctz((unsigned)found);
        }
        done += 16;
    }
    if (done > 0) {
        /* The rest together with bytes that were plain already. */
        int found = rf_json_copy_chunk(at + size - 16, text + size - 16);
        return found == 0 ? size : size - 16 + (size_t)__builtin_ctz((unsigned)found);
    }
#endif
    return rf_json_copy_short(at, text, size);
}

/* A string with its quotes; room for size + RF_JSON_SLACK bytes was made. */
static inline char *rf_json_put_string(struct rf_buf *out, char *at, const char *text, size_t size)
{
    *at++ = '"';
    size_t done = rf_json_copy_plain(at, text, size);
    at += done;
    if (__builtin_expect(done < size, 0)) {
        return rf_json_put_escaped(out, at, text, size, done);
    }
    *at++ = '"';
    return at;
}

/* A string in which nothing needs an escape: a decimal. */
static inline char *rf_json_put_decimal(char *at, const char *text, size_t size)
{
    *at++ = '"';
    if (size >= 8 && size <= 16) {
        /* Two halves that overlap. */
        uint64_t low, high;
        memcpy(&low, text, sizeof low);
        memcpy(&high, text + size - 8, sizeof high);
        memcpy(at, &low, sizeof low);
        memcpy(at + size - 8, &high, sizeof high);
    } else if (size >= 4 && size < 8) {
        uint32_t low, high;
        memcpy(&low, text, sizeof low);
        memcpy(&high, text + size - 4, sizeof high);
        memcpy(at, &low, sizeof low);
        memcpy(at + size - 4, &high, sizeof high);
    } else if (size > 0) {
        memcpy(at, text, size);
    }
    at[size] = '"';
    return at + size + 1;
}

/* The name of a member, with its quotes and colon, in steps of 16: its memory allows it. */
static inline char *rf_json_put_name(char *at, const struct rf_json_name *name)
{
    memcpy(at, name->text, 16);
    for (size_t done = 16; __builtin_expect(done < name->size, 0); done += 16) {
        memcpy(at + done, name->text + done, 16);
    }
    return at + name->size;
}

/* A value as rf_json_add_value writes it; room for value->size + RF_JSON_SLACK bytes was made.
 * NULL: a number that JSON cannot say. Inlined into the loop over a row's columns. */
__attribute__((always_inline)) static inline char *rf_json_put_value(struct rf_buf *out, char *at,
                                                                     const struct rf_value *value)
{
    switch ((enum rf_kind)value->kind) {
    case RF_ABSENT:
    case RF_NULL: memcpy(at, "null", 4); return at + 4;
    case RF_INT: return rf_digits_i64(at, value->i);
    case RF_UINT:
    case RF_BIT:
    case RF_YEAR: return rf_digits_u64(at, value->u);
    case RF_FLOAT: return isfinite(value->f) ? rf_floating_float(at, value->f) : NULL;
    case RF_DOUBLE: return isfinite(value->d) ? rf_floating_double(at, value->d) : NULL;
    case RF_DECIMAL: return rf_json_put_decimal(at, value->text, value->size);
    case RF_TEXT:
    case RF_JSON:
    case RF_ENUM:
    case RF_SET: return rf_json_put_string(out, at, value->text, value->size);
    case RF_BYTES:
        at = rf_json_room(out, at, rf_json_base64_size(value->size) + RF_JSON_SLACK);
        return rf_json_put_base64(at, value->text, value->size);
    case RF_GEOMETRY: return rf_json_put_geometry(out, at, value);
    case RF_VECTOR: return rf_json_put_vector(out, at, value);
    case RF_DOCUMENT: return rf_json_put_document(out, at, value);
    case RF_DATE:
        *at++ = '"';
        at += rf_date_text(at, value->u);
        break;
    case RF_DATETIME:
        *at++ = '"';
        at += rf_datetime_text(at, value->u, 'T', value->scale);
        break;
    case RF_TIMESTAMP:
        *at++ = '"';
        at += rf_timestamp_text(at, value->i, 'T', value->scale);
        *at++ = 'Z';
        break;
    case RF_TIME:
        *at++ = '"';
        at += rf_time_text(at, value->i, value->scale);
        break;
    }
    *at++ = '"';
    return at;
}

#endif
