#include "wire/bson.h"

#include "base/memory.h"
#include "event/digits.h"
#include "event/value.h"

#include <endian.h>
#include <stdlib.h>

/* How the values of a column are written. */
enum as {
    AS_INT32 = 1,
    AS_INT64,
    AS_DIGITS, /* an unsigned number as text */
    AS_DOUBLE,
    AS_DECIMAL128,
    AS_TEXT,
    AS_BYTES,
    AS_VECTOR,
    AS_DOCUMENT,
    AS_DATE,   /* or as the next one, when it is none */
    AS_MOMENT, /* text */
};

enum {
    EXPONENT_BIAS = 6176,
    EXPONENT_SHIFT = 49, /* in the upper half */
    FIXED_ROOM = 64,     /* what a value that is not text or bytes needs at most, its type too */
};

/* -------------------------------------------------------------------------------------- numbers */

static char *put_u32(char *at, uint32_t number)
{
    number = htole32(number);
    memcpy(at, &number, sizeof number);
    return at + sizeof number;
}

static char *put_u64(char *at, uint64_t number)
{
    number = htole64(number);
    memcpy(at, &number, sizeof number);
    return at + sizeof number;
}

static char *put_double(char *at, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return put_u64(at, bits);
}

/* Days since 1970 of a day that the Gregorian calendar has, with years that begin in March. */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
    int64_t shifted = (int64_t)year - (month <= 2);
    int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    int64_t year_of_era = shifted - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static bool is_day(unsigned year, unsigned month, unsigned day)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (unsigned)(month == 2 && leap);
}

/* False for what is no date of the calendar. */
static bool ms_of(const struct rf_value *value, int64_t *ms)
{
    if (value->kind == RF_TIMESTAMP) {
        *ms = value->i / 1000;
        return value->i != 0;
    }
    uint64_t packed = value->u;
    unsigned year = rf_datetime_year(packed), month = rf_datetime_month(packed),
             day = rf_datetime_day(packed);
    if (!is_day(year, month, day)) {
        return false;
    }
    int64_t seconds = days_of(year, month, day) * 86400 + (int64_t)rf_datetime_hour(packed) * 3600 +
                      (int64_t)rf_datetime_minute(packed) * 60 + rf_datetime_second(packed);
    *ms = seconds * 1000 + rf_datetime_micros(packed) / 1000;
    return true;
}

/* The decimal's digits as a number, and how many of them are behind the point. False when there
 * are too many, or others than digits. */
static bool coefficient_of(struct rf_str text, unsigned __int128 *out, unsigned *fraction)
{
    enum { HALF = 17 };
    uint64_t halves[2] = {0, 0}, factor = 1;
    unsigned digits = 0;
    bool behind = false;
    *fraction = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)(unsigned char)text.data[i] - '0';
        if (text.data[i] == '.' && !behind) {
            behind = true;
            continue;
        }
        if (digit > 9) {
            return false;
        }
        *fraction += behind;
        if (digits == 0 && digit == 0) {
            continue;
        }
        halves[digits >= HALF] = halves[digits >= HALF] * 10 + digit;
        factor = digits >= HALF ? factor * 10 : 1;
        if (++digits > RF_BSON_DECIMAL_DIGITS) {
            return false;
        }
    }
    *out = (unsigned __int128)halves[0] * factor + halves[1];
    return true;
}

/* --------------------------------------------------------------------------------------- values */

static char *put_text(char *at, struct rf_str text)
{
    at = put_u32(at, (uint32_t)text.size + 1);
    if (text.size > 0) {
        memcpy(at, text.data, text.size);
    }
    at[text.size] = '\0';
    return at + text.size + 1;
}

static char *put_bytes(char *at, struct rf_str bytes)
{
    at = put_u32(at, (uint32_t)bytes.size);
    *at++ = '\0';
    if (bytes.size > 0) {
        memcpy(at, bytes.data, bytes.size);
    }
    return at + bytes.size;
}

/* A vector of single floats: what they are, no bits of padding, then their bytes. */
static char *put_vector(char *at, struct rf_str singles)
{
    enum { VECTOR = 9, FLOAT32 = 0x27 };
    at = put_u32(at, (uint32_t)singles.size + 2);
    *at++ = VECTOR;
    *at++ = FLOAT32;
    *at++ = 0;
    if (singles.size > 0) {
        memcpy(at, singles.data, singles.size);
    }
    return at + singles.size;
}

static char *put_moment(char *at, const struct rf_value *value)
{
    char *text = at + 4;
    size_t size = 0;
    switch (value->kind) {
    case RF_DATE: size = rf_date_text(text, value->u); break;
    case RF_DATETIME: size = rf_datetime_text(text, value->u, 'T', value->scale); break;
    case RF_TIMESTAMP:
        size = rf_timestamp_text(text, value->i, 'T', value->scale);
        text[size++] = 'Z';
        break;
    case RF_TIME: size = rf_time_text(text, value->i, value->scale); break;
    default: break;
    }
    text[size] = '\0';
    (void)put_u32(at, (uint32_t)size + 1);
    return text + size + 1;
}

static char *put_digits(char *at, uint64_t number)
{
    char *end = rf_digits_u64(at + 4, number);
    *end++ = '\0';
    (void)put_u32(at, (uint32_t)(end - at) - 4);
    return end;
}

static double floating_of(const struct rf_value *value)
{
    return value->kind == RF_FLOAT ? (double)value->f : value->d;
}

/* NULL: it is none that a Decimal128 can be. */
static char *put_decimal(char *at, struct rf_str text)
{
    unsigned __int128 coefficient;
    unsigned fraction;
    uint64_t sign = text.size > 0 && text.data[0] == '-';
    struct rf_str digits = {text.data + sign, text.size - sign};
    if (!coefficient_of(digits, &coefficient, &fraction)) {
        return NULL;
    }
    at = put_u64(at, (uint64_t)coefficient);
    return put_u64(at, sign << 63 | (uint64_t)(EXPONENT_BIAS - fraction) << EXPONENT_SHIFT |
                           (uint64_t)(coefficient >> 64));
}

/* Writes the value; *type says as what. `at` has room for it. */
static char *put_value(char *at, const struct rf_bson_field *field, const struct rf_value *value,
                       char *type)
{
    int64_t ms;
    char *end;
    switch ((enum as)field->as) {
    case AS_INT32: *type = RF_BSON_INT32; return put_u32(at, (uint32_t)value->u);
    case AS_INT64: *type = RF_BSON_INT64; return put_u64(at, value->u);
    case AS_DOUBLE: *type = RF_BSON_DOUBLE; return put_double(at, floating_of(value));
    case AS_DECIMAL128:
        end = put_decimal(at, rf_value_str(*value));
        if (end == NULL) {
            break;
        }
        *type = RF_BSON_DECIMAL128;
        return end;
    case AS_DATE:
        if (!ms_of(value, &ms)) {
            *type = RF_BSON_UTF8;
            return put_moment(at, value);
        }
        *type = RF_BSON_DATE;
        return put_u64(at, (uint64_t)ms);
    case AS_MOMENT: *type = RF_BSON_UTF8; return put_moment(at, value);
    case AS_DIGITS: *type = RF_BSON_UTF8; return put_digits(at, value->u);
    case AS_BYTES: *type = RF_BSON_BINARY; return put_bytes(at, rf_value_str(*value));
    case AS_VECTOR: *type = RF_BSON_BINARY; return put_vector(at, rf_value_str(*value));
    case AS_DOCUMENT:
        *type = RF_BSON_DOCUMENT;
        memcpy(at, value->text, value->size);
        return at + value->size;
    case AS_TEXT: break;
    }
    *type = RF_BSON_UTF8;
    return put_text(at, rf_value_str(*value));
}

/* ------------------------------------------------------------------------------------ documents */

size_t rf_bson_begin(struct rf_buf *out)
{
    size_t begin = out->size;
    (void)rf_buf_reserve(out, 4);
    out->size += 4;
    return begin;
}

/* Appends type and name, and returns room for so many bytes behind them, which are counted. */
static char *add_head(struct rf_buf *out, enum rf_bson_type type, const char *name, size_t room)
{
    size_t size = strlen(name) + 1;
    char *at = rf_buf_reserve(out, 1 + size + room);
    *at++ = (char)type;
    memcpy(at, name, size);
    out->size += 1 + size + room;
    return at + size;
}

size_t rf_bson_open(struct rf_buf *out, enum rf_bson_type type, const char *name)
{
    (void)add_head(out, type, name, 4);
    return out->size - 4;
}

size_t rf_bson_open_item(struct rf_buf *out, uint32_t number)
{
    char *at = rf_buf_reserve(out, 1 + RF_DIGITS_MAX + RF_DIGITS_SLACK + 4);
    char *begin = at;
    *at++ = RF_BSON_DOCUMENT;
    at = rf_digits_u64(at, number);
    *at++ = '\0';
    out->size += (size_t)(at - begin) + 4;
    return out->size - 4;
}

void rf_bson_end(struct rf_buf *out, size_t begin)
{
    rf_buf_add_byte(out, '\0');
    (void)put_u32(out->data + begin, (uint32_t)(out->size - begin));
}

void rf_bson_add_utf8(struct rf_buf *out, const char *name, struct rf_str text)
{
    (void)put_text(add_head(out, RF_BSON_UTF8, name, 5 + text.size), text);
}

void rf_bson_add_int32(struct rf_buf *out, const char *name, int32_t number)
{
    (void)put_u32(add_head(out, RF_BSON_INT32, name, 4), (uint32_t)number);
}

void rf_bson_add_int64(struct rf_buf *out, const char *name, int64_t number)
{
    (void)put_u64(add_head(out, RF_BSON_INT64, name, 8), (uint64_t)number);
}

void rf_bson_add_bool(struct rf_buf *out, const char *name, bool truth)
{
    *add_head(out, RF_BSON_BOOL, name, 1) = truth;
}

void rf_bson_add_date(struct rf_buf *out, const char *name, int64_t ms)
{
    (void)put_u64(add_head(out, RF_BSON_DATE, name, 8), (uint64_t)ms);
}

void rf_bson_add_document(struct rf_buf *out, const char *name, struct rf_str document)
{
    memcpy(add_head(out, RF_BSON_DOCUMENT, name, document.size), document.data, document.size);
}

/* ----------------------------------------------------------------------------------------- rows */

static enum as as_of(const struct rf_column *column, enum rf_bson_dates dates)
{
    enum { MS_DIGITS = 3 };
    bool date = dates == RF_BSON_DATES_DATE && column->scale <= MS_DIGITS;
    switch ((enum rf_column_type)column->type) {
    case RF_COLUMN_TINYINT:
    case RF_COLUMN_SMALLINT:
    case RF_COLUMN_MEDIUMINT:
    case RF_COLUMN_YEAR: return AS_INT32;
    case RF_COLUMN_INT: return column->is_unsigned ? AS_INT64 : AS_INT32;
    case RF_COLUMN_BIGINT: return column->is_unsigned ? AS_DIGITS : AS_INT64;
    case RF_COLUMN_BIT: return column->precision < 64 ? AS_INT64 : AS_DIGITS;
    case RF_COLUMN_FLOAT:
    case RF_COLUMN_DOUBLE: return AS_DOUBLE;
    case RF_COLUMN_DECIMAL:
        return column->precision <= RF_BSON_DECIMAL_DIGITS ? AS_DECIMAL128 : AS_TEXT;
    case RF_COLUMN_DATE: return dates == RF_BSON_DATES_DATE ? AS_DATE : AS_MOMENT;
    case RF_COLUMN_DATETIME:
    case RF_COLUMN_TIMESTAMP: return date ? AS_DATE : AS_MOMENT;
    case RF_COLUMN_TIME: return AS_MOMENT;
    case RF_COLUMN_BINARY:
    case RF_COLUMN_VARBINARY:
    case RF_COLUMN_BLOB:
    case RF_COLUMN_GEOMETRY: return AS_BYTES;
    case RF_COLUMN_VECTOR: return AS_VECTOR;
    case RF_COLUMN_CHAR:
    case RF_COLUMN_VARCHAR:
    case RF_COLUMN_TEXT:
    case RF_COLUMN_ENUM:
    case RF_COLUMN_SET:
    case RF_COLUMN_JSON:
    case RF_COLUMN_UUID:
    case RF_COLUMN_INET4:
    case RF_COLUMN_INET6:
    case RF_COLUMN_DOCUMENT_ID: break;
    case RF_COLUMN_DOCUMENT: return AS_DOCUMENT;
    }
    return AS_TEXT;
}

/* What a column of that kind holds. A value that is something else would be misread. */
static bool fits(enum as as, const struct rf_value *value)
{
    switch (as) {
    case AS_INT32:
    case AS_INT64:
    case AS_DIGITS:
        return value->kind == RF_INT || value->kind == RF_UINT || value->kind == RF_YEAR ||
               value->kind == RF_BIT;
    case AS_DOUBLE: return value->kind == RF_FLOAT || value->kind == RF_DOUBLE;
    case AS_DATE: return value->kind >= RF_DATE && value->kind <= RF_TIMESTAMP;
    case AS_MOMENT: return value->kind >= RF_DATE && value->kind <= RF_TIME;
    case AS_DECIMAL128:
    case AS_TEXT:
    case AS_BYTES: return rf_value_has_text(value) && value->kind < RF_VECTOR;
    case AS_VECTOR: return value->kind == RF_VECTOR;
    case AS_DOCUMENT: return value->kind == RF_DOCUMENT;
    }
    return false;
}

void rf_bson_fields_init(struct rf_bson_fields *fields, const struct rf_table *table,
                         const uint32_t *numbers, uint32_t count, enum rf_bson_dates dates)
{
    size_t names = 0;
    for (uint32_t i = 0; i < count; i++) {
        names += table->columns[numbers != NULL ? numbers[i] : i].name.size + 1;
    }
    fields->count = count;
    fields->items = rf_alloc(count * sizeof *fields->items + names + 1);
    char *at = (char *)(fields->items + count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = numbers != NULL ? numbers[i] : i;
        const struct rf_column *column = &table->columns[number];
        fields->items[i] = (struct rf_bson_field){.name = at,
                                                  .name_size = (uint32_t)column->name.size + 1,
                                                  .column = number,
                                                  .as = (uint8_t)as_of(column, dates)};
        memcpy(at, column->name.data, column->name.size);
        at[column->name.size] = '\0';
        at += column->name.size + 1;
    }
}

void rf_bson_fields_deinit(struct rf_bson_fields *fields)
{
    free(fields->items);
    *fields = (struct rf_bson_fields){0};
}

void rf_bson_add_value(struct rf_buf *out, struct rf_str name, const struct rf_bson_field *field,
                       const struct rf_value *value)
{
    if (value->kind == RF_ABSENT) {
        return;
    }
    size_t room = FIXED_ROOM + name.size + (rf_value_has_text(value) ? value->size : 0);
    char *begin = rf_buf_reserve(out, room), *at = begin + 1 + name.size;
    memcpy(begin + 1, name.data, name.size);
    if (value->kind == RF_NULL) {
        *begin = RF_BSON_NULL;
    } else {
        rf_assert(fits((enum as)field->as, value));
        at = put_value(at, field, value, begin);
    }
    out->size += (size_t)(at - begin);
}

bool rf_bson_add_row(struct rf_buf *out, const struct rf_bson_fields *fields,
                     const struct rf_value *image, const struct rf_value *other, uint32_t *column)
{
    size_t size = out->size;
    for (uint32_t i = 0; i < fields->count; i++) {
        const struct rf_bson_field *field = &fields->items[i];
        const struct rf_value *value = &image[field->column];
        if (value->kind == RF_ABSENT && other != NULL) {
            value = &other[field->column];
        }
        if (value->kind == RF_ABSENT) {
            out->size = size;
            *column = field->column;
            return false;
        }
        rf_bson_add_value(out, (struct rf_str){field->name, field->name_size}, field, value);
    }
    return true;
}
