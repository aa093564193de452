#include "wire/bson_json.h"

#include "base/load.h"
#include "wire/charset.h"
#include "wire/decimal128.h"
#include "wire/json_emit.h"

enum {
    FIXED = 2 * RF_JSON_SLACK, /* any value of fixed size, with its braces */
    OBJECT_ID_SIZE = 12,
    LEVELS_MAX = RF_BSON_DEPTH_MAX + 2,
};

/* Milliseconds since 1970 of the last one of the year 9999. */
static const int64_t calendar_end_ms = INT64_C(253402300799999);

#define PUT(at, literal) put_bytes((at), (literal), sizeof(literal) - 1)
static inline char *put_bytes(char *at, const char *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

/* ----------------------------------------------------------------------------------------- text */

/* U+10FE00 + byte. */
static char *put_mark(char *at, unsigned char byte)
{
    at[0] = (char)0xf4;
    at[1] = (char)0x8f;
    at[2] = (char)(0xb8 | byte >> 6);
    at[3] = (char)(0x80 | (byte & 0x3f));
    return at + 4;
}

/* The inside of a string. A quote is written over the byte in front, and that put back. */
static char *put_inside(struct rf_buf *out, char *at, const char *text, size_t size)
{
    at = rf_json_room(out, at, size + FIXED);
    size_t front = (size_t)(at - out->data) - 1;
    char kept = out->data[front];
    at = rf_json_put_string(out, at - 1, text, size) - 1;
    out->data[front] = kept;
    return at;
}

/* A string with bytes that are no UTF-8, or marks. */
static char *put_marked(struct rf_buf *out, char *at, struct rf_str text)
{
    *at++ = '"';
    while (text.size > 0) {
        size_t valid = rf_charset_utf8_prefix(text.data, text.size);
        at = put_inside(out, at, text.data, valid);
        text.data += valid;
        text.size -= valid;
        if (text.size == 0) {
            break;
        }
        size_t bytes = rf_charset_utf8_sequence((const uint8_t *)text.data, text.size);
        bytes += bytes == 0;
        for (size_t i = 0; i < bytes; i++) {
            at = put_mark(at, (unsigned char)text.data[i]);
        }
        text.data += bytes;
        text.size -= bytes;
    }
    at = rf_json_room(out, at, FIXED);
    *at++ = '"';
    return at;
}

/* A string; makes its own room, and leaves FIXED bytes. */
static char *put_text(struct rf_buf *out, char *at, struct rf_str text)
{
    at = rf_json_room(out, at, text.size + FIXED + RF_JSON_SLACK);
    if (rf_charset_is_ascii(text.data, text.size) ||
        rf_charset_utf8_prefix(text.data, text.size) == text.size) {
        at = rf_json_put_string(out, at, text.data, text.size);
    } else {
        at = put_marked(out, at, text);
    }
    return rf_json_room(out, at, FIXED);
}

void rf_bson_json_add_string(struct rf_buf *out, struct rf_str text)
{
    const char *at = put_text(out, rf_buf_reserve(out, FIXED), text);
    out->size = (size_t)(at - out->data);
}

/* -------------------------------------------------------------------------------------- writing */

/* A document that is being written. */
struct level {
    struct rf_bson_walk walk;
    bool array;
    bool scope; /* of code: one brace more at its end */
};

struct writer {
    struct rf_buf *out;
    enum rf_bson_json form;
    uint8_t colon_blanks, comma_blanks; /* 0 or 1 */
    uint32_t depth;
    struct level levels[LEVELS_MAX];
};

static void begin_writer(struct writer *writer, struct rf_buf *out, unsigned form)
{
    writer->out = out;
    writer->form = form & ~(unsigned)(RF_BSON_JSON_COLONS | RF_BSON_JSON_COMMAS);
    writer->colon_blanks = (form & RF_BSON_JSON_COLONS) != 0;
    writer->comma_blanks = (form & RF_BSON_JSON_COMMAS) != 0;
    writer->depth = 0;
}

/* Text that ends with a colon, or with a comma, and the blank behind it. */
#define PUT_COLON(writer, at, literal) put_blank(PUT(at, literal), (writer)->colon_blanks)
static inline char *put_blank(char *at, uint8_t blanks)
{
    *at = ' ';
    return at + blanks;
}

static inline char *put_comma(const struct writer *writer, char *at)
{
    *at++ = ',';
    return put_blank(at, writer->comma_blanks);
}

/* -------------------------------------------------------------------------------------- scalars
 * Each finds FIXED bytes of room, makes more where it needs it, and leaves RF_JSON_SLACK. */

static char *put_hex(char *at, const char *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        *at++ = digits[byte >> 4];
        *at++ = digits[byte & 15];
    }
    return at;
}

static char *put_object_id(const struct writer *writer, char *at, const char *bytes)
{
    at = PUT_COLON(writer, at, "{\"$oid\":");
    *at++ = '"';
    at = put_hex(at, bytes, OBJECT_ID_SIZE);
    return PUT(at, "\"}");
}

/* With a point or an exponent, so that it reads as a Double again. */
static char *put_floating(char *at, double number)
{
    char *end = rf_floating_double(at, number);
    bool whole =
        memchr(at, '.', (size_t)(end - at)) == NULL && memchr(at, 'e', (size_t)(end - at)) == NULL;
    return whole ? PUT(end, ".0") : end;
}

static char *put_double(const struct writer *writer, char *at, double number)
{
    if (isfinite(number) && writer->form != RF_BSON_JSON_CANONICAL) {
        return put_floating(at, number);
    }
    at = PUT_COLON(writer, at, "{\"$numberDouble\":");
    *at++ = '"';
    if (isfinite(number)) {
        at = put_floating(at, number);
    } else if (isnan(number)) {
        at = PUT(at, "NaN");
    } else {
        at = number < 0 ? PUT(at, "-Infinity") : PUT(at, "Infinity");
    }
    return PUT(at, "\"}");
}

static char *put_long(const struct writer *writer, char *at, int64_t number)
{
    at = PUT_COLON(writer, at, "{\"$numberLong\":");
    *at++ = '"';
    at = rf_digits_i64(at, number);
    return PUT(at, "\"}");
}

static char *put_int64(const struct writer *writer, char *at, int64_t number)
{
    return writer->form == RF_BSON_JSON_RELAXED ? rf_digits_i64(at, number)
                                                : put_long(writer, at, number);
}

static char *put_int32(const struct writer *writer, char *at, int32_t number)
{
    if (writer->form != RF_BSON_JSON_CANONICAL) {
        return rf_digits_i64(at, number);
    }
    at = PUT_COLON(writer, at, "{\"$numberInt\":");
    *at++ = '"';
    at = rf_digits_i64(at, number);
    return PUT(at, "\"}");
}

static char *put_date(const struct writer *writer, char *at, int64_t ms)
{
    at = PUT_COLON(writer, at, "{\"$date\":");
    if (writer->form == RF_BSON_JSON_STRICT) {
        at = rf_digits_i64(at, ms);
    } else if (writer->form == RF_BSON_JSON_CANONICAL || ms < 0 || ms > calendar_end_ms) {
        at = put_long(writer, at, ms);
    } else {
        *at++ = '"';
        at += rf_datetime_text(at, rf_datetime_of_micros(ms * 1000), 'T', ms % 1000 == 0 ? 0 : 3);
        at = PUT(at, "Z\"");
    }
    *at++ = '}';
    return at;
}

static char *put_timestamp(const struct writer *writer, char *at,
                           const struct rf_bson_element *element)
{
    at = PUT_COLON(writer, at, "{\"$timestamp\":");
    at = PUT_COLON(writer, at, "{\"t\":");
    at = put_comma(writer, rf_digits_u64(at, rf_bson_seconds(element)));
    at = PUT_COLON(writer, at, "\"i\":");
    at = rf_digits_u64(at, rf_bson_increment(element));
    return PUT(at, "}}");
}

static char *put_decimal128(const struct writer *writer, char *at, const char *bytes)
{
    at = PUT_COLON(writer, at, "{\"$numberDecimal\":");
    *at++ = '"';
    at = rf_decimal128_text(at, bytes);
    return PUT(at, "\"}");
}

/* What means nothing but itself. */
static char *put_one(const struct writer *writer, char *at, uint8_t type)
{
    switch (type) {
    case RF_BSON_UNDEFINED: return PUT(PUT_COLON(writer, at, "{\"$undefined\":"), "true}");
    case RF_BSON_MAXKEY: return PUT(PUT_COLON(writer, at, "{\"$maxKey\":"), "1}");
    default: return PUT(PUT_COLON(writer, at, "{\"$minKey\":"), "1}");
    }
}

static char *put_binary(const struct writer *writer, char *at, struct rf_str value)
{
    enum { OLD_SUBTYPE = 2, HEAD = 5, OLD_LENGTH = 4 };
    bool strict = writer->form == RF_BSON_JSON_STRICT;
    size_t head = value.data[4] == OLD_SUBTYPE ? HEAD + OLD_LENGTH : HEAD;
    at = rf_json_room(writer->out, at, rf_json_base64_size(value.size) + FIXED + RF_JSON_SLACK);
    at = PUT_COLON(writer, at, "{\"$binary\":");
    if (!strict) {
        at = PUT_COLON(writer, at, "{\"base64\":");
    }
    at = put_comma(writer, rf_json_put_base64(at, value.data + head, value.size - head));
    at = strict ? PUT_COLON(writer, at, "\"$type\":") : PUT_COLON(writer, at, "\"subType\":");
    *at++ = '"';
    at = put_hex(at, value.data + 4, 1);
    return strict ? PUT(at, "\"}") : PUT(at, "\"}}");
}

static char *put_regex(const struct writer *writer, char *at, struct rf_str value)
{
    bool strict = writer->form == RF_BSON_JSON_STRICT;
    struct rf_str pattern = rf_str_of(value.data);
    if (strict) {
        at = PUT_COLON(writer, at, "{\"$regex\":");
    } else {
        at = PUT_COLON(writer, at, "{\"$regularExpression\":");
        at = PUT_COLON(writer, at, "{\"pattern\":");
    }
    at = put_comma(writer, put_text(writer->out, at, pattern));
    at = strict ? PUT_COLON(writer, at, "\"$options\":") : PUT_COLON(writer, at, "\"options\":");
    at = put_text(writer->out, at, rf_str_of(pattern.data + pattern.size + 1));
    return strict ? PUT(at, "}") : PUT(at, "}}");
}

static char *put_pointer(const struct writer *writer, char *at, struct rf_str value)
{
    bool strict = writer->form == RF_BSON_JSON_STRICT;
    const char *id = value.data + value.size - OBJECT_ID_SIZE;
    if (!strict) {
        at = PUT_COLON(writer, at, "{\"$dbPointer\":");
    }
    at = PUT_COLON(writer, at, "{\"$ref\":");
    at = put_text(writer->out, at, (struct rf_str){value.data + 4, (size_t)(id - value.data) - 5});
    at = put_comma(writer, at);
    at = PUT_COLON(writer, at, "\"$id\":");
    at = put_object_id(writer, at, id);
    return strict ? PUT(at, "}") : PUT(at, "}}");
}

/* ------------------------------------------------------------------------------------ documents */

static char *open_level(struct writer *writer, char *at, struct rf_str document, uint8_t type)
{
    rf_assert(writer->depth < LEVELS_MAX);
    struct level *level = &writer->levels[writer->depth++];
    level->walk = rf_bson_walk(document);
    level->array = type == RF_BSON_ARRAY;
    level->scope = type == RF_BSON_SCOPED_CODE;
    *at++ = level->array ? '[' : '{';
    return at;
}

static char *put_code(struct writer *writer, char *at, const struct rf_bson_element *element)
{
    /* size, then the code with its own size, then the scope */
    const char *code = element->value.data + 4;
    size_t size = rf_load_32(code);
    struct rf_str scope = {code + 4 + size, element->value.size - 4 - 4 - size};
    at = PUT_COLON(writer, at, "{\"$code\":");
    at = put_text(writer->out, at, (struct rf_str){code + 4, size - 1});
    at = put_comma(writer, at);
    at = PUT_COLON(writer, at, "\"$scope\":");
    return open_level(writer, at, scope, element->type);
}

static char *put_wrapped(const struct writer *writer, char *at,
                         const struct rf_bson_element *element)
{
    at = element->type == RF_BSON_CODE ? PUT_COLON(writer, at, "{\"$code\":")
                                       : PUT_COLON(writer, at, "{\"$symbol\":");
    at = put_text(writer->out, at, rf_bson_text(element));
    *at++ = '}';
    return at;
}

static char *put_value(struct writer *writer, char *at, const struct rf_bson_element *element)
{
    switch ((enum rf_bson_type)element->type) {
    case RF_BSON_DOUBLE: return put_double(writer, at, rf_bson_double(element));
    case RF_BSON_UTF8: return put_text(writer->out, at, rf_bson_text(element));
    case RF_BSON_DOCUMENT:
    case RF_BSON_ARRAY: return open_level(writer, at, element->value, element->type);
    case RF_BSON_BINARY: return put_binary(writer, at, element->value);
    case RF_BSON_OBJECT_ID: return put_object_id(writer, at, element->value.data);
    case RF_BSON_BOOL: return rf_bson_bool(element) ? PUT(at, "true") : PUT(at, "false");
    case RF_BSON_DATE: return put_date(writer, at, rf_bson_int64(element));
    case RF_BSON_NULL: return PUT(at, "null");
    case RF_BSON_REGEX: return put_regex(writer, at, element->value);
    case RF_BSON_POINTER: return put_pointer(writer, at, element->value);
    case RF_BSON_CODE:
    case RF_BSON_SYMBOL: return put_wrapped(writer, at, element);
    case RF_BSON_SCOPED_CODE: return put_code(writer, at, element);
    case RF_BSON_INT32: return put_int32(writer, at, rf_bson_int32(element));
    case RF_BSON_TIMESTAMP: return put_timestamp(writer, at, element);
    case RF_BSON_INT64: return put_int64(writer, at, rf_bson_int64(element));
    case RF_BSON_DECIMAL128: return put_decimal128(writer, at, element->value.data);
    case RF_BSON_UNDEFINED:
    case RF_BSON_MAXKEY:
    case RF_BSON_MINKEY: return put_one(writer, at, element->type);
    }
    rf_assert(false && "a document that was checked");
    return at;
}

/* What is left of all documents that are open. */
static char *put_levels(struct writer *writer, char *at)
{
    struct rf_bson_element element;
    bool first = true; /* nothing of the innermost document is written yet */
    while (writer->depth > 0) {
        struct level *level = &writer->levels[writer->depth - 1];
        at = rf_json_room(writer->out, at, FIXED + RF_JSON_SLACK);
        if (!rf_bson_next(&level->walk, &element)) {
            *at++ = level->array ? ']' : '}';
            *at = '}';
            at += level->scope;
            writer->depth--;
            first = false;
            continue;
        }
        if (!first) {
            at = put_comma(writer, at);
        }
        if (!level->array) {
            at = put_text(writer->out, at, element.name);
            *at++ = ':';
            at = put_blank(at, writer->colon_blanks);
            at = rf_json_room(writer->out, at, FIXED + RF_JSON_SLACK);
        }
        uint32_t depth = writer->depth;
        at = put_value(writer, at, &element);
        first = writer->depth > depth;
    }
    return rf_json_room(writer->out, at, RF_JSON_SLACK);
}

char *rf_bson_json_put(struct rf_buf *out, char *at, struct rf_str document, unsigned form)
{
    struct writer writer;
    begin_writer(&writer, out, form);
    at = rf_json_room(out, at, FIXED);
    at = open_level(&writer, at, document, RF_BSON_DOCUMENT);
    return put_levels(&writer, at);
}

void rf_bson_json_add(struct rf_buf *out, struct rf_str document, unsigned form)
{
    const char *at = rf_bson_json_put(out, rf_buf_reserve(out, FIXED), document, form);
    out->size = (size_t)(at - out->data);
}

void rf_bson_json_add_value(struct rf_buf *out, const struct rf_bson_element *element,
                            unsigned form)
{
    struct writer writer;
    begin_writer(&writer, out, form);
    char *at = put_value(&writer, rf_buf_reserve(out, FIXED + RF_JSON_SLACK), element);
    at = put_levels(&writer, at);
    out->size = (size_t)(at - out->data);
}
