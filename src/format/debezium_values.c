#include "format/debezium_values.h"

#include "base/load.h"
#include "wire/json_emit.h"

#include <stdlib.h>

enum { MICROSECONDS = 1000000, SCALE_MAX = 6 };
static const int64_t day_us = INT64_C(86400) * MICROSECONDS;

/* One column's value and how it is to be written. */
struct cell {
    const struct rf_value *value;
    const struct rf_column *column;
    const struct rf_debezium_modes *modes;
};

static char *put_null(char *at)
{
    memcpy(at, "null", 4);
    return at + 4;
}

/* A date or time that the mode has no value for. NULL: it is refused. */
static char *put_unfit(char *at, const struct cell *cell, const char *instead)
{
    if (cell->modes->unfit == RF_DEBEZIUM_UNFIT_REJECT) {
        return NULL;
    }
    if (cell->column->nullable) {
        return put_null(at);
    }
    size_t size = strlen(instead);
    memcpy(at, instead, size);
    return at + size;
}

/* ---- Dates and times ----------------------------------------------------------------------- */

/* Fraction digits without the zeros at their end. */
static unsigned trimmed_scale(unsigned micros)
{
    unsigned scale = micros == 0 ? 0 : SCALE_MAX;
    for (; scale > 0 && micros % 10 == 0; scale--) {
        micros /= 10;
    }
    return scale;
}

static char *put_date(char *at, const struct cell *cell)
{
    int64_t days;
    bool text = cell->modes->time == RF_DEBEZIUM_TIME_ISOSTRING;
    if (!rf_date_to_days(cell->value->u, &days)) {
        return put_unfit(at, cell, text ? "\"1970-01-01Z\"" : "0");
    }
    if (!text) {
        return rf_digits_i64(at, days);
    }
    *at++ = '"';
    at += rf_date_text(at, cell->value->u);
    *at++ = 'Z';
    *at++ = '"';
    return at;
}

/* Rounded down, as instants before 1970 are. */
static int64_t whole_millis(int64_t micros)
{
    return micros / 1000 - (micros % 1000 < 0);
}

static char *put_nanos(char *at, const struct cell *cell, int64_t micros)
{
    int64_t nanos;
    if (__builtin_mul_overflow(micros, INT64_C(1000), &nanos)) {
        return put_unfit(at, cell, "0");
    }
    return rf_digits_i64(at, nanos);
}

static char *put_datetime(char *at, const struct cell *cell)
{
    const struct rf_value *value = cell->value;
    int64_t micros;
    bool text = cell->modes->time == RF_DEBEZIUM_TIME_ISOSTRING;
    if (!rf_datetime_to_micros(value->u, &micros)) {
        return put_unfit(at, cell, text ? "\"1970-01-01T00:00:00Z\"" : "0");
    }
    switch ((enum rf_debezium_time)cell->modes->time) {
    case RF_DEBEZIUM_TIME_ADAPTIVE:
        return rf_digits_i64(at, value->scale <= 3 ? whole_millis(micros) : micros);
    case RF_DEBEZIUM_TIME_CONNECT: return rf_digits_i64(at, whole_millis(micros));
    case RF_DEBEZIUM_TIME_MICROSECONDS: return rf_digits_i64(at, micros);
    case RF_DEBEZIUM_TIME_NANOSECONDS: return put_nanos(at, cell, micros);
    case RF_DEBEZIUM_TIME_ISOSTRING: break;
    }
    *at++ = '"';
    at += rf_datetime_text(at, value->u, 'T', trimmed_scale(rf_datetime_micros(value->u)));
    *at++ = 'Z';
    *at++ = '"';
    return at;
}

/* The same in every mode: with the fraction digits that the column has. */
static char *put_timestamp(char *at, const struct cell *cell)
{
    const struct rf_value *value = cell->value;
    uint64_t packed = rf_datetime_of_micros(value->i);
    if (value->i == 0 && cell->modes->unfit == RF_DEBEZIUM_UNFIT_REJECT) {
        return NULL; /* else 1970, as Debezium writes it, NULL or not */
    }
    *at++ = '"';
    at += rf_datetime_text(at, packed, 'T', value->scale);
    *at++ = 'Z';
    *at++ = '"';
    return at;
}

/* A TIME is a duration; two of the modes take it for a time of the day. */
static char *put_time(char *at, const struct cell *cell)
{
    int64_t micros = cell->value->i;
    bool of_day = micros >= 0 && micros < day_us;
    switch ((enum rf_debezium_time)cell->modes->time) {
    case RF_DEBEZIUM_TIME_ADAPTIVE:
    case RF_DEBEZIUM_TIME_MICROSECONDS: return rf_digits_i64(at, micros);
    case RF_DEBEZIUM_TIME_NANOSECONDS: return put_nanos(at, cell, micros);
    case RF_DEBEZIUM_TIME_CONNECT:
        return of_day ? rf_digits_i64(at, micros / 1000) : put_unfit(at, cell, "0");
    case RF_DEBEZIUM_TIME_ISOSTRING: break;
    }
    if (!of_day) {
        return put_unfit(at, cell, "\"00:00:00Z\"");
    }
    *at++ = '"';
    at += rf_time_text(at, micros, trimmed_scale((unsigned)(micros % MICROSECONDS)));
    *at++ = 'Z';
    *at++ = '"';
    return at;
}

/* ---- Numbers ------------------------------------------------------------------------------- */

/* 65 digits and a sign have 217 bits. */
enum { LIMBS = 7, NUMBER_BYTES = LIMBS * 4 + 1 };

/* The shortest two's complement, highest byte first, as Java's BigInteger writes it, in base64. */
static char *put_number_bytes(char *at, const uint32_t limbs[LIMBS], bool negative)
{
    char bytes[NUMBER_BYTES] = {0};
    uint32_t carry = negative;
    for (unsigned i = 0; i < LIMBS * 4; i++) {
        uint32_t byte = limbs[i / 4] >> (8 * (i % 4)) & 0xff;
        byte = negative ? (~byte & 0xff) + carry : byte;
        carry = byte >> 8;
        bytes[NUMBER_BYTES - 1 - i] = (char)byte;
    }
    bytes[0] = negative && carry == 0 ? (char)0xff : 0;
    unsigned first = 0;
    while (first + 1 < NUMBER_BYTES && bytes[first] == (bytes[first + 1] < 0 ? (char)0xff : 0)) {
        first++;
    }
    return rf_json_put_base64(at, bytes + first, NUMBER_BYTES - first);
}

static char *put_decimal_bytes(char *at, const struct rf_value *value)
{
    uint32_t limbs[LIMBS] = {0};
    bool negative = value->size > 0 && value->text[0] == '-';
    for (uint32_t i = negative; i < value->size; i++) {
        if (value->text[i] == '.') {
            continue;
        }
        uint64_t carry = (uint64_t)(value->text[i] - '0');
        for (unsigned j = 0; j < LIMBS; j++) {
            carry += (uint64_t)limbs[j] * 10;
            limbs[j] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    return put_number_bytes(at, limbs, negative);
}

static char *put_decimal_double(char *at, const struct rf_value *value)
{
    enum { TEXT_MAX = 80 };
    char text[TEXT_MAX];
    size_t size = value->size < TEXT_MAX - 1 ? value->size : TEXT_MAX - 1;
    memcpy(text, value->text, size);
    text[size] = '\0';
    return rf_floating_double(at, strtod(text, NULL));
}

static char *put_decimal(char *at, const struct cell *cell)
{
    switch ((enum rf_debezium_decimal)cell->modes->decimal) {
    case RF_DEBEZIUM_DECIMAL_PRECISE: return put_decimal_bytes(at, cell->value);
    case RF_DEBEZIUM_DECIMAL_DOUBLE: return put_decimal_double(at, cell->value);
    case RF_DEBEZIUM_DECIMAL_STRING: break;
    }
    return rf_json_put_decimal(at, cell->value->text, cell->value->size);
}

static char *put_unsigned(char *at, const struct cell *cell)
{
    uint64_t number = cell->value->u;
    if (cell->column->type == RF_COLUMN_BIGINT) {
        if (cell->modes->bigint == RF_DEBEZIUM_BIGINT_LONG) {
            return rf_digits_i64(at, (int64_t)number);
        }
        if (cell->modes->bigint == RF_DEBEZIUM_BIGINT_PRECISE) {
            const uint32_t limbs[LIMBS] = {(uint32_t)number, (uint32_t)(number >> 32)};
            return put_number_bytes(at, limbs, false);
        }
    }
    return rf_digits_u64(at, number);
}

/* One bit is a truth; more are their bytes, lowest first. */
static char *put_bits(char *at, const struct rf_value *value)
{
    char bytes[8];
    if (value->scale == 1) {
        bool set = value->u != 0;
        memcpy(at, set ? "true" : "false", 5);
        return at + (set ? 4 : 5);
    }
    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)(value->u >> (8 * i));
    }
    return rf_json_put_base64(at, bytes, ((unsigned)value->scale + 7) / 8);
}

/* ---- Bytes --------------------------------------------------------------------------------- */

static char *put_hex(char *at, const struct rf_value *value)
{
    static const char digits[] = "0123456789abcdef";
    *at++ = '"';
    for (uint32_t i = 0; i < value->size; i++) {
        unsigned char byte = (unsigned char)value->text[i];
        *at++ = digits[byte >> 4];
        *at++ = digits[byte & 15];
    }
    *at++ = '"';
    return at;
}

static char *put_bytes(struct rf_buf *out, char *at, const struct cell *cell)
{
    const struct rf_value *value = cell->value;
    if (cell->modes->binary == RF_DEBEZIUM_BINARY_HEX) {
        at = rf_json_room(out, at, (size_t)value->size * 2 + RF_JSON_SLACK);
        return put_hex(at, value);
    }
    at = rf_json_room(out, at, rf_json_base64_size(value->size) + RF_JSON_SLACK);
    char *end = rf_json_put_base64(at, value->text, value->size);
    if (cell->modes->binary == RF_DEBEZIUM_BINARY_BASE64_URL_SAFE) {
        for (char *byte = at; byte < end; byte++) {
            *byte = *byte == '+' ? '-' : *byte == '/' ? '_' : *byte;
        }
    }
    return end;
}

static char *put_text(char *at, const char *text, size_t size)
{
    memcpy(at, text, size);
    return at + size;
}

/* A coordinate in WKB, whose first byte tells the order of bytes. */
static double load_double(const char *at, bool little)
{
    uint64_t bits;
    double number;
    memcpy(&bits, at, sizeof bits);
    bits = little ? le64toh(bits) : be64toh(bits);
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* A POINT has its coordinates besides. NULL: they are no numbers that JSON can say. */
static char *put_point(char *at, const char *wkb, size_t size)
{
    enum { X_AT = 5, Y_AT = 13, POINT_SIZE = 21 };
    if (size != POINT_SIZE) {
        return at;
    }
    double x = load_double(wkb + X_AT, wkb[0] != 0), y = load_double(wkb + Y_AT, wkb[0] != 0);
    if (!isfinite(x) || !isfinite(y)) {
        return NULL;
    }
    at = rf_floating_double(put_text(at, "\"x\":", 4), x);
    at = rf_floating_double(put_text(at, ",\"y\":", 5), y);
    *at++ = ',';
    return at;
}

static char *put_geometry(struct rf_buf *out, char *at, const struct cell *cell)
{
    enum { SRID_SIZE = 4, FRAME = 4 * RF_JSON_SLACK };
    rf_assert(cell->value->size >= SRID_SIZE);
    const char *wkb = cell->value->text + SRID_SIZE;
    size_t size = cell->value->size - SRID_SIZE;
    uint32_t srid = rf_load_32(cell->value->text);
    at = rf_json_room(out, at, rf_json_base64_size(size) + FRAME);
    *at++ = '{';
    if (cell->column->precision == RF_GEOMETRY_POINT) {
        at = put_point(at, wkb, size);
    }
    if (at == NULL) {
        return NULL;
    }
    at = rf_json_put_base64(put_text(at, "\"wkb\":", 6), wkb, size);
    at = put_text(at, ",\"srid\":", 8);
    at = srid != 0 ? rf_digits_u64(at, srid) : put_null(at);
    *at++ = '}';
    return at;
}

/* ---- Rows ---------------------------------------------------------------------------------- */

/* Room for value->size + RF_JSON_SLACK bytes was made. NULL: it cannot be said. */
static char *put_special(struct rf_buf *out, char *at, const struct cell *cell)
{
    switch (cell->value->kind) {
    case RF_UINT: return put_unsigned(at, cell);
    case RF_DECIMAL:
        at = rf_json_room(out, at, cell->value->size + 2 * RF_JSON_SLACK);
        return put_decimal(at, cell);
    case RF_BIT: return put_bits(at, cell->value);
    case RF_BYTES: return put_bytes(out, at, cell);
    case RF_DATE: return put_date(at, cell);
    case RF_DATETIME: return put_datetime(at, cell);
    case RF_TIMESTAMP: return put_timestamp(at, cell);
    case RF_TIME: return put_time(at, cell);
    case RF_GEOMETRY: return put_geometry(out, at, cell);
    default: return rf_json_put_value(out, at, cell->value);
    }
}

bool rf_debezium_add_row(struct rf_buf *out, const struct rf_json_names *names,
                         const struct rf_table *table, const struct rf_debezium_modes *modes,
                         const struct rf_value *image, uint32_t *column)
{
    const size_t start = out->size;
    char *at = rf_buf_reserve(out, RF_JSON_SLACK);
    *at++ = '{';
    const struct rf_json_name *name = names->items;
    for (uint32_t left = names->count; left > 0; left--, name++) {
        const struct rf_value *value = &image[name->column];
        if (__builtin_expect(value->kind == RF_ABSENT, 0)) {
            continue;
        }
        at = rf_json_room(out, at, name->size + (size_t)value->size + 2 * RF_JSON_SLACK);
        at = rf_json_put_name(at, name);
        if (value->kind == RF_TEXT) {
            at = rf_json_put_string(out, at, value->text, value->size);
        } else if (value->kind == RF_INT) {
            at = rf_digits_i64(at, value->i);
        } else {
            const struct cell cell = {value, &table->columns[name->column], modes};
            at = put_special(out, at, &cell);
        }
        if (__builtin_expect(at == NULL, 0)) {
            out->size = start;
            *column = name->column;
            return false;
        }
        *at++ = ',';
    }
    /* The last comma becomes the brace. */
    at -= at[-1] == ',';
    *at++ = '}';
    out->size = (size_t)(at - out->data);
    return true;
}
