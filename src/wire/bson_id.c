#include "wire/bson_id.h"

#include "event/digits.h"
#include "event/floating.h"
#include "wire/bson_json.h"
#include "wire/charset.h"
#include "wire/decimal128.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    OBJECT_ID_SIZE = 12,
    COEFFICIENT_MAX = 34,
    DOUBLE_DIGITS_MAX = 800, /* more than any Double has in decimal */
};

/* -------------------------------------------------------------------------------------- numbers */

static void add_integer(struct rf_buf *out, int64_t number)
{
    rf_buf_add_i64(out, number);
}

static void add_double(struct rf_buf *out, double number)
{
    if (isnan(number)) {
        rf_buf_add_str(out, RF_STR("NaN"));
    } else if (isinf(number)) {
        rf_buf_add_str(out, number < 0 ? RF_STR("-Infinity") : RF_STR("Infinity"));
    } else if (number == trunc(number) && number >= -0x1p63 && number < 0x1p63) {
        add_integer(out, (int64_t)number); /* as of the other types; -0 is 0 */
    } else {
        char *at = rf_buf_reserve(out, RF_FLOATING_MAX);
        out->size += (size_t)(rf_floating_double(at, number) - at);
    }
}

/* A number as its digits, without zeros at either end: 0.<digits> * 10^exponent. */
struct digits {
    char text[DOUBLE_DIGITS_MAX];
    size_t count; /* 0: the number is zero */
    long exponent;
    bool negative;
};

/* Reads "-12.50", "1.25E+3" and the like. */
static void read_digits(struct digits *digits, struct rf_str text)
{
    bool behind_point = false;
    *digits = (struct digits){.negative = rf_str_take_byte(&text, '-')};
    for (; text.size > 0 && (text.data[0] | 0x20) != 'e'; text.data++, text.size--) {
        bool digit = text.data[0] >= '0' && text.data[0] <= '9';
        behind_point |= !digit; /* whichever point the locale has */
        if (digit && (digits->count > 0 || text.data[0] != '0')) {
            rf_assert(digits->count < sizeof digits->text);
            digits->text[digits->count++] = text.data[0];
            digits->exponent += !behind_point;
        } else if (digit) {
            digits->exponent -= behind_point;
        }
    }
    int64_t exponent = 0;
    if (text.size > 0) {
        rf_str_take_byte(&text, text.data[0]);
        rf_str_take_byte(&text, '+');
        rf_assert(rf_str_to_i64(text, &exponent));
    }
    digits->exponent += (long)exponent;
    while (digits->count > 0 && digits->text[digits->count - 1] == '0') {
        digits->count--;
    }
}

static bool same_digits(const struct digits *a, const struct digits *b)
{
    return a->count == b->count && a->negative == b->negative && a->exponent == b->exponent &&
           memcmp(a->text, b->text, a->count) == 0;
}

/* The Double of a finite text without a point, which no locale reads in another way. */
static double double_of(const struct digits *digits)
{
    char text[COEFFICIENT_MAX + 32];
    snprintf(text, sizeof text, "%s%.*se%ld", digits->negative ? "-" : "", (int)digits->count,
             digits->text, digits->exponent - (long)digits->count);
    return strtod(text, NULL);
}

/* True when the Double is that number and no other. */
static bool is_exactly(double number, const struct digits *digits)
{
    static _Thread_local struct digits exact;
    char text[DOUBLE_DIGITS_MAX + 32];
    if (!isfinite(number)) {
        return false;
    }
    int size = snprintf(text, sizeof text, "%.*e", DOUBLE_DIGITS_MAX - 2, number);
    read_digits(&exact, (struct rf_str){text, (size_t)size});
    return same_digits(&exact, digits);
}

/* Whether what lies in the buffer from `begin` on is the text of that Double. */
static bool is_text_of(struct rf_buf *out, size_t begin, double number)
{
    size_t end = out->size;
    add_double(out, number);
    bool same = rf_str_equal((struct rf_str){out->data + begin, end - begin},
                             (struct rf_str){out->data + end, out->size - end});
    out->size = end;
    return same;
}

static void add_decimal(struct rf_buf *out, const char *bytes)
{
    struct digits digits;
    char text[RF_DECIMAL128_TEXT_MAX];
    struct rf_str shown = {text, (size_t)(rf_decimal128_text(text, bytes) - text)};
    if (shown.data[shown.size - 1] > '9') { /* NaN, Infinity */
        rf_buf_add_str(out, shown);
        return;
    }
    read_digits(&digits, shown);
    if (digits.count == 0) {
        rf_buf_add_byte(out, '0');
        return;
    }
    double number = double_of(&digits);
    if (is_exactly(number, &digits)) {
        add_double(out, number);
        return;
    }
    long zeros = digits.exponent - (long)digits.count; /* behind the digits */
    int64_t integer = 0;
    rf_buf_reserve(out, RF_DECIMAL128_TEXT_MAX);
    size_t begin = out->size;
    rf_buf_printf(out, "%s%.*s", digits.negative ? "-" : "", (int)digits.count, digits.text);
    if (zeros >= 0 && zeros < RF_DIGITS_MAX) {
        size_t end = out->size;
        for (long i = 0; i < zeros; i++) {
            rf_buf_add_byte(out, '0');
        }
        struct rf_str whole = {out->data + begin, out->size - begin};
        if (rf_str_to_i64(whole, &integer)) {
            return; /* an Int64 may be the same number */
        }
        out->size = end;
    }
    size_t end = out->size;
    rf_buf_printf(out, "e%ld", zeros);
    if (is_text_of(out, begin, number)) { /* of the Double next to it, which is another _id */
        out->size = end;
        rf_buf_printf(out, ".0e%ld", zeros);
    }
}

/* ----------------------------------------------------------------------------------------- text */

static bool all_in(struct rf_str text, const char *bytes)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\0' || strchr(bytes, text.data[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* Whether a string could be taken for the text of something else. */
static bool is_ambiguous(struct rf_str text)
{
    static const char *const words[] = {"true", "false", "null", "NaN", "Infinity", "-Infinity"};
    if (text.size == 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (rf_str_equal(text, rf_str_of(words[i]))) {
            return true;
        }
    }
    return strchr("{[\"", text.data[0]) != NULL || all_in(text, "0123456789.e+-") ||
           (text.size == 2 * (size_t)OBJECT_ID_SIZE && all_in(text, "0123456789abcdef"));
}

static void add_text(struct rf_buf *out, struct rf_str text)
{
    if (is_ambiguous(text) || (!rf_charset_is_ascii(text.data, text.size) &&
                               rf_charset_utf8_prefix(text.data, text.size) != text.size)) {
        rf_bson_json_add_string(out, text);
    } else {
        rf_buf_add_str(out, text);
    }
}

void rf_bson_id_add(struct rf_buf *out, const struct rf_bson_element *id)
{
    static const char hex[] = "0123456789abcdef";
    switch ((enum rf_bson_type)id->type) {
    case RF_BSON_OBJECT_ID:
        for (size_t i = 0; i < OBJECT_ID_SIZE; i++) {
            unsigned char byte = (unsigned char)id->value.data[i];
            rf_buf_add_byte(out, hex[byte >> 4]);
            rf_buf_add_byte(out, hex[byte & 15]);
        }
        break;
    case RF_BSON_UTF8: add_text(out, rf_bson_text(id)); break;
    case RF_BSON_INT32: add_integer(out, rf_bson_int32(id)); break;
    case RF_BSON_INT64: add_integer(out, rf_bson_int64(id)); break;
    case RF_BSON_DOUBLE: add_double(out, rf_bson_double(id)); break;
    case RF_BSON_DECIMAL128: add_decimal(out, id->value.data); break;
    default: rf_bson_json_add_value(out, id, RF_BSON_JSON_CANONICAL); break;
    }
}
