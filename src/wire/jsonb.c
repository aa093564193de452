#include "wire/jsonb.h"

#include "base/load.h"
#include "event/digits.h"
#include "event/floating.h"
#include "event/value.h"
#include "wire/charset.h"
#include "wire/decimal.h"
#include "wire/json.h"
#include "wire/jsonb_value.h"

#include <math.h>

enum {
    SMALL_OBJECT = 0x00,
    LARGE_OBJECT = 0x01,
    SMALL_ARRAY = 0x02,
    LARGE_ARRAY = 0x03,
    LITERAL = 0x04,
    INT16 = 0x05,
    UINT16 = 0x06,
    INT32 = 0x07,
    UINT32 = 0x08,
    INT64 = 0x09,
    UINT64 = 0x0a,
    DOUBLE = 0x0b,
    STRING = 0x0c,
    OPAQUE = 0x0f,
};

/* Column types of opaque values. */
enum { TYPE_TIMESTAMP = 7, TYPE_DATE = 10, TYPE_TIME = 11, TYPE_DATETIME = 12, TYPE_DECIMAL = 246 };

static const char cut_off[] = "the JSON document ends too early";
static const char damaged[] = "the JSON document is damaged";

static void add_number(struct rf_buf *out, int64_t number)
{
    char *at = rf_buf_reserve(out, 1 + RF_DIGITS_MAX + RF_DIGITS_SLACK);
    out->size += (size_t)(rf_digits_i64(at, number) - at);
}

static void add_unsigned(struct rf_buf *out, uint64_t number)
{
    char *at = rf_buf_reserve(out, RF_DIGITS_MAX + RF_DIGITS_SLACK);
    out->size += (size_t)(rf_digits_u64(at, number) - at);
}

/* ---- Doubles ------------------------------------------------------------------------------- */

/* The digits of a number, 0.digits * 10^point. */
struct digits {
    char text[RF_FLOATING_MAX];
    int count;
    int point;
};

/* Takes the shortest text apart. */
static struct digits digits_of(double number)
{
    struct digits digits = {.count = 0};
    char text[RF_FLOATING_MAX];
    const char *end = rf_floating_double(text, number), *at = text;
    bool behind = false;
    int exponent = 0;
    for (; at < end && *at != 'e'; at++) {
        if (*at == '.') {
            behind = true;
        } else if (*at != '0' || digits.count > 0) {
            digits.text[digits.count++] = *at;
            digits.point += !behind;
        } else if (behind) {
            digits.point--; /* a zero in front of the first digit */
        }
    }
    if (at < end) {
        bool negative = *++at == '-';
        for (at++; at < end; at++) {
            exponent = exponent * 10 + (*at - '0');
        }
        digits.point += negative ? -exponent : exponent;
    }
    while (digits.count > 1 && digits.text[digits.count - 1] == '0') {
        digits.count--;
    }
    return digits;
}

static void add_zeros(struct rf_buf *out, int count)
{
    for (; count > 0; count--) {
        rf_buf_add_byte(out, '0');
    }
}

/* As the server prints a DOUBLE: without an exponent from 1e-15 to below 1e15, and where there are
 * digits behind the point; with ".0" where it would look like an integer.
 * Source: MySQL, strings/dtoa.cc, my_gcvt. */
static const char *add_double(struct rf_buf *out, const uint8_t *bytes)
{
    enum { POINT_MIN = -14, POINT_MAX = 15 };
    uint64_t bits = rf_load_sized(bytes, sizeof bits);
    double number;
    memcpy(&number, &bits, sizeof number);
    if (!isfinite(number)) {
        return "the JSON document has a number that is none (NaN or infinity)";
    }
    if (signbit(number)) {
        rf_buf_add_byte(out, '-');
    }
    if (number == 0) {
        rf_buf_add(out, "0.0", 3);
        return NULL;
    }
    struct digits digits = digits_of(fabs(number));
    int count = digits.count, point = digits.point;
    if (point < POINT_MIN || (point > POINT_MAX && point >= count)) {
        rf_buf_add(out, digits.text, 1);
        if (count > 1) {
            rf_buf_add_byte(out, '.');
            rf_buf_add(out, digits.text + 1, (size_t)count - 1);
        }
        rf_buf_add_byte(out, 'e');
        add_number(out, point - 1);
    } else if (point <= 0) {
        rf_buf_add(out, "0.", 2);
        add_zeros(out, -point);
        rf_buf_add(out, digits.text, (size_t)count);
    } else if (point >= count) {
        rf_buf_add(out, digits.text, (size_t)count);
        add_zeros(out, point - count);
        rf_buf_add(out, ".0", 2);
    } else {
        rf_buf_add(out, digits.text, (size_t)point);
        rf_buf_add_byte(out, '.');
        rf_buf_add(out, digits.text + point, (size_t)(count - point));
    }
    return NULL;
}

/* ---- Other scalars ------------------------------------------------------------------------- */

/* Reads a size at *at. SIZE_MAX: it is none, or more than lies behind it. */
static size_t take_size(const uint8_t **at, const uint8_t *end)
{
    enum { BYTES_MAX = 5 };
    uint64_t size = 0;
    for (unsigned i = 0; i < BYTES_MAX && *at < end; i++) {
        uint8_t byte = *(*at)++;
        size |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            return size <= (uint64_t)(end - *at) ? (size_t)size : SIZE_MAX;
        }
    }
    return SIZE_MAX;
}

const char *rf_jsonb_add_string(struct rf_buf *out, struct rf_str text)
{
    if (!rf_charset_is_utf8(text.data, text.size)) {
        return "a string of the JSON document is not UTF-8";
    }
    rf_json_add_string(out, text);
    return NULL;
}

static const char *add_decimal(struct rf_buf *out, const uint8_t *at, const uint8_t *end)
{
    enum { HEAD = 2 };
    if (end - at < HEAD || at[0] == 0 || at[0] > RF_DECIMAL_PRECISION_MAX || at[1] > at[0] ||
        at[1] > RF_DECIMAL_SCALE_MAX) {
        return damaged;
    }
    struct rf_decimal_shape shape = rf_decimal_shape(at[0], at[1]);
    if ((size_t)(end - at) != HEAD + rf_decimal_size(shape)) {
        return damaged;
    }
    char *text = rf_buf_reserve(out, at[0] + (size_t)RF_DECIMAL_TEXT_OVERHEAD + RF_DIGITS_SLACK);
    const char *text_end = rf_decimal_text(text, at + HEAD, end, shape);
    if (text_end == NULL) {
        return damaged;
    }
    out->size += (size_t)(text_end - text);
    return NULL;
}

/* What a temporal value counts up to is not looked at but for what its text has room for. */
static const char *add_moment(struct rf_buf *out, unsigned type, const uint8_t *bytes)
{
    enum { MICROS_BITS = 24, HOUR_SHIFT = MICROS_BITS + 12, DAY_SHIFT = HOUR_SHIFT + 5 };
    int64_t packed = (int64_t)rf_load_sized(bytes, 8);
    uint64_t size = packed < 0 ? 0 - (uint64_t)packed : (uint64_t)packed;
    uint64_t micros = size & ((1 << MICROS_BITS) - 1), second = size >> MICROS_BITS & 63;
    uint64_t minute = size >> (MICROS_BITS + 6) & 63, months = size >> (DAY_SHIFT + 5);
    char *at = rf_buf_reserve(out, RF_DATETIME_TEXT_MAX + 2), *begin = at;
    if (micros > 999999 || second > 59 || minute > 59) {
        return damaged;
    }
    *at++ = '"';
    if (type == TYPE_TIME) {
        uint64_t hour = size >> HOUR_SHIFT;
        if (hour > 838) {
            return damaged;
        }
        int64_t whole = (int64_t)((hour * 60 + minute) * 60 + second) * 1000000 + (int64_t)micros;
        at += rf_time_text(at, packed < 0 ? -whole : whole, 6);
    } else {
        uint64_t day = size >> DAY_SHIFT & 31, hour = size >> HOUR_SHIFT & 31;
        if (packed < 0 || months / 13 > 9999 || hour > 23) {
            return damaged;
        }
        uint64_t moment =
            RF_DATETIME_PACK(months / 13, months % 13, day, hour, minute, second, micros);
        at += type == TYPE_DATE ? rf_date_text(at, moment) : rf_datetime_text(at, moment, ' ', 6);
    }
    *at++ = '"';
    out->size += (size_t)(at - begin);
    return NULL;
}

static const char *add_opaque(struct rf_buf *out, const uint8_t *at, const uint8_t *end)
{
    enum { LINE_BYTES = 57, MOMENT_SIZE = 8 };
    if (at == end) {
        return cut_off;
    }
    unsigned type = *at++;
    size_t size = take_size(&at, end);
    if (size == SIZE_MAX) {
        return cut_off;
    }
    switch (type) {
    case TYPE_DECIMAL: return add_decimal(out, at, at + size);
    case TYPE_DATE:
    case TYPE_DATETIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIME: return size == MOMENT_SIZE ? add_moment(out, type, at) : damaged;
    default: break;
    }
    rf_buf_add_str(out, RF_STR("\"base64:type"));
    rf_buf_add_u64(out, type);
    rf_buf_add_byte(out, ':');
    for (size_t line; size > 0; at += line, size -= line) {
        line = size < LINE_BYTES ? size : LINE_BYTES;
        rf_json_add_base64_digits(out, (struct rf_str){(const char *)at, line});
        rf_buf_add_str(out, size > line ? RF_STR("\\n") : RF_STR(""));
    }
    rf_buf_add_byte(out, '"');
    return NULL;
}

static const char *add_literal(struct rf_buf *out, unsigned literal)
{
    static const struct rf_str names[] = {{"null", 4}, {"true", 4}, {"false", 5}};
    if (literal >= sizeof names / sizeof *names) {
        return damaged;
    }
    rf_buf_add_str(out, names[literal]);
    return NULL;
}

/* Bytes of a number or literal; 0: of another type. */
static size_t fixed_size(unsigned type)
{
    switch (type) {
    case LITERAL: return 1;
    case INT16:
    case UINT16: return 2;
    case INT32:
    case UINT32: return 4;
    case INT64:
    case UINT64:
    case DOUBLE: return 8;
    default: return 0;
    }
}

static const char *add_scalar(struct rf_buf *out, unsigned type, const uint8_t *at,
                              const uint8_t *end)
{
    size_t size = fixed_size(type);
    if ((size_t)(end - at) < size) {
        return cut_off;
    }
    switch (type) {
    case LITERAL: return add_literal(out, *at);
    case INT16: add_number(out, (int16_t)rf_load_sized(at, size)); return NULL;
    case INT32: add_number(out, (int32_t)rf_load_sized(at, size)); return NULL;
    case INT64: add_number(out, (int64_t)rf_load_sized(at, size)); return NULL;
    case UINT16:
    case UINT32:
    case UINT64: add_unsigned(out, rf_load_sized(at, size)); return NULL;
    case DOUBLE: return add_double(out, at);
    case STRING:
        size = take_size(&at, end);
        return size == SIZE_MAX ? cut_off
                                : rf_jsonb_add_string(out, (struct rf_str){(const char *)at, size});
    case OPAQUE: return add_opaque(out, at, end);
    default: return "the JSON document has a value of an unknown type";
    }
}

/* ---- Arrays and objects -------------------------------------------------------------------- */

bool rf_jsonb_is_container(struct rf_jsonb_value value)
{
    return value.type <= LARGE_ARRAY;
}

static size_t key_entry_size(const struct rf_jsonb_container *container)
{
    return container->object ? container->width + 2u : 0;
}

const char *rf_jsonb_open(struct rf_jsonb_value value, struct rf_jsonb_container *container)
{
    unsigned width = value.type == LARGE_OBJECT || value.type == LARGE_ARRAY ? 4 : 2;
    size_t left = (size_t)(value.end - value.at);
    if (left < 2 * width) {
        return cut_off;
    }
    *container = (struct rf_jsonb_container){
        .start = value.at,
        .count = (uint32_t)rf_load_sized(value.at, width),
        .size = (uint32_t)rf_load_sized(value.at + width, width),
        .width = (uint8_t)width,
        .object = value.type == SMALL_OBJECT || value.type == LARGE_OBJECT,
    };
    uint64_t entries = (uint64_t)container->count * (key_entry_size(container) + width + 1);
    return container->size > left || 2 * width + entries > container->size ? cut_off : NULL;
}

static const char *read_key(const struct rf_jsonb_container *container, uint32_t number,
                            struct rf_str *key)
{
    unsigned width = container->width;
    const uint8_t *entry = container->start + 2 * width + number * (size_t)(width + 2);
    uint64_t offset = rf_load_sized(entry, width), size = rf_load_sized(entry + width, 2);
    if (offset + size > container->size) {
        return cut_off;
    }
    *key = (struct rf_str){(const char *)container->start + offset, (size_t)size};
    return NULL;
}

const char *rf_jsonb_element(const struct rf_jsonb_container *container, uint32_t number,
                             struct rf_str *key, struct rf_jsonb_value *value)
{
    unsigned width = container->width;
    const uint8_t *start = container->start;
    const uint8_t *entry = start + 2 * width + container->count * key_entry_size(container) +
                           number * (size_t)(width + 1);
    const char *why = container->object ? read_key(container, number, key) : NULL;
    size_t size = fixed_size(*entry);
    if (size > 0 && size <= width) {
        *value = (struct rf_jsonb_value){*entry, entry + 1, entry + 1 + width};
        return why;
    }
    uint64_t offset = rf_load_sized(entry + 1, width);
    if (offset >= container->size) {
        return cut_off;
    }
    *value = (struct rf_jsonb_value){*entry, start + offset, start + container->size};
    return why;
}

/* Everything that is open, outermost first. */
struct nest {
    struct {
        struct rf_jsonb_container container;
        uint32_t next; /* element */
    } levels[RF_JSONB_DEPTH_MAX];
    unsigned depth;
};

/* Prints the value, or opens it where it has elements. */
static const char *add_value(struct nest *nest, struct rf_buf *out, struct rf_jsonb_value value)
{
    if (!rf_jsonb_is_container(value)) {
        return add_scalar(out, value.type, value.at, value.end);
    }
    if (nest->depth == RF_JSONB_DEPTH_MAX) {
        return "the JSON document is nested deeper than 100 times";
    }
    struct rf_jsonb_container *container = &nest->levels[nest->depth].container;
    const char *why = rf_jsonb_open(value, container);
    if (why == NULL) {
        nest->levels[nest->depth++].next = 0;
        rf_buf_add_byte(out, container->object ? '{' : '[');
    }
    return why;
}

/* The next element of the innermost container, which has one. */
static const char *add_element(struct nest *nest, struct rf_buf *out)
{
    const struct rf_jsonb_container *container = &nest->levels[nest->depth - 1].container;
    uint32_t number = nest->levels[nest->depth - 1].next++;
    struct rf_jsonb_value value;
    struct rf_str key;
    const char *why = rf_jsonb_element(container, number, &key, &value);
    if (number > 0) {
        rf_buf_add_str(out, RF_STR(", "));
    }
    if (why == NULL && container->object) {
        why = rf_jsonb_add_string(out, key);
        rf_buf_add_str(out, RF_STR(": "));
    }
    return why == NULL ? add_value(nest, out, value) : why;
}

const char *rf_jsonb_add(struct rf_buf *out, struct rf_jsonb_value value, size_t limit)
{
    struct nest nest;
    nest.depth = 0;
    const char *why = add_value(&nest, out, value);
    while (why == NULL && out->size <= limit && nest.depth > 0) {
        const struct rf_jsonb_container *container = &nest.levels[nest.depth - 1].container;
        if (nest.levels[nest.depth - 1].next == container->count) {
            rf_buf_add_byte(out, container->object ? '}' : ']');
            nest.depth--;
        } else {
            why = add_element(&nest, out);
        }
    }
    return why == NULL && out->size > limit ? rf_jsonb_overlaps : why;
}

const char *rf_jsonb_print(struct rf_buf *out, struct rf_str bytes)
{
    const size_t begin = out->size;
    const uint8_t *at = (const uint8_t *)bytes.data;
    if (bytes.size == 0) {
        return add_literal(out, 0);
    }
    struct rf_jsonb_value value = {*at, at + 1, at + bytes.size};
    const char *why = rf_jsonb_add(out, value, begin + rf_jsonb_text_max(bytes.size));
    if (why != NULL) {
        out->size = begin;
    }
    return why;
}
