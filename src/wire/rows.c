#include "wire/rows.h"

#include "base/load.h"
#include "wire/address.h"
#include "wire/binlog.h"
#include "wire/charset.h"
#include "wire/cursor.h"
#include "wire/decimal.h"
#include "wire/inflate.h"
#include "wire/jsonb.h"
#include "wire/jsonb_change.h"
#include "wire/moment.h"
#include "wire/plan.h"

#include <stdio.h>

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

bool rf_rows_is(unsigned type)
{
    return (type >= RF_BINLOG_WRITE_ROWS_V1 && type <= RF_BINLOG_DELETE_ROWS_V1) ||
           (type >= RF_BINLOG_WRITE_ROWS_V2 && type <= RF_BINLOG_DELETE_ROWS_V2) ||
           type == RF_BINLOG_PARTIAL_UPDATE_ROWS;
}

enum rf_status rf_rows_parse(unsigned type, struct rf_str body, struct rf_rows *rows,
                             struct rf_error *err)
{
    enum { EXTRA_SIZE_SIZE = 2 };
    static const uint8_t ops[] = {RF_CREATE, RF_UPDATE, RF_DELETE};
    rf_assert(rf_rows_is(type));
    bool second = type >= RF_BINLOG_WRITE_ROWS_V2;
    struct rf_cursor cursor = rf_cursor_of(body);

    rows->strict = rows->lacking = false;
    rows->partial = type == RF_BINLOG_PARTIAL_UPDATE_ROWS;
    type = rows->partial ? RF_BINLOG_UPDATE_ROWS_V2 : type;
    rows->op = ops[type - (second ? RF_BINLOG_WRITE_ROWS_V2 : RF_BINLOG_WRITE_ROWS_V1)];
    rows->table_id = rf_cursor_number(&cursor, 6, "table id");
    rows->flags = rf_cursor_u16(&cursor, "flags");
    if (second) {
        uint16_t size = rf_cursor_u16(&cursor, "size of the extra data");
        if (size < EXTRA_SIZE_SIZE) {
            rf_cursor_fail(&cursor, "size of the extra data");
        } else {
            rf_cursor_str(&cursor, size - EXTRA_SIZE_SIZE, "extra data");
        }
    }
    uint64_t count = rf_cursor_packed(&cursor, "number of columns");
    if (count > UINT16_MAX) {
        rf_cursor_fail(&cursor, "number of columns");
        count = 0;
    }
    rows->column_count = (uint32_t)count;
    rows->present = rf_cursor_str(&cursor, (count + 7) / 8, "bitmap of columns");
    rows->present_after = rows->present;
    if (rows->op == RF_UPDATE) {
        rows->present_after = rf_cursor_str(&cursor, (count + 7) / 8, "bitmap of columns after");
    }
    rows->images = rf_cursor_rest(&cursor);
    if (likely(cursor.missing == NULL)) {
        return RF_OK;
    }
    return rf_cursor_check(&cursor, rf_binlog_type_name(type), err);
}

static const char not_text[] = "it is not valid in the column's character set";

/* What the images of one event are decoded with. */
struct decoder {
    const struct rf_table *table;
    const struct rf_plan *plan;
    struct rf_arena *arena;
    struct rf_buf *scratch;
    /* Of partial updates: the documents of the before image, by the number of their column; which
     * of them the after image changes, NULL: none; and memory to change one in. */
    struct rf_str *documents;
    const uint8_t *changed;
    struct rf_arena nodes;
    struct rf_inflater inflater;
    const uint8_t *end;
    bool strict;
    uint64_t marked;      /* values with bytes that are not of their character set */
    const uint8_t *value; /* the one that is decoded */
    uint32_t column;      /* where and why it stopped */
    const char *why;      /* NULL: it has not stopped */
};

static const uint8_t *stop(struct decoder *decoder, ptrdiff_t column, const char *why)
{
    decoder->column = (uint32_t)column;
    decoder->why = why;
    return NULL;
}

static uint32_t load_24(const uint8_t *at)
{
    return rf_load_16(at) | (uint32_t)at[2] << 16;
}

/* `size` bytes, 1 to 8, highest first; in one load where the event goes on long enough. */
static uint64_t load_be(const uint8_t *at, size_t size, const uint8_t *end)
{
    if (likely((size_t)(end - at) >= 8)) {
        return __builtin_bswap64(rf_load_64(at)) >> (64 - 8 * size);
    }
    return rf_load_sized_be(at, size);
}

/* The length in front of a value: 1 to 4 bytes. */
static uint32_t load_size(const uint8_t *at, size_t width)
{
    switch (width) {
    case 1: return at[0];
    case 2: return rf_load_16(at);
    case 3: return load_24(at);
    default: return rf_load_32(at);
    }
}

/* Temporal types end in a fraction of (digits + 1) / 2 bytes: 10^-2, 10^-4 or 10^-6 seconds. */
static const uint32_t fraction_unit[] = {0, 10000, 100, 1};
static const uint32_t fraction_limit[] = {1, 100, 10000, 1000000};

/* DATE, 3 bytes little-endian: day in bits 0-4, month in 5-8, year in 9-23. */
static bool decode_date(const uint8_t *at, struct rf_value *value)
{
    uint32_t raw = load_24(at), day = raw & 31, month = raw >> 5 & 15, year = raw >> 9;
    *value =
        (struct rf_value){.kind = RF_DATE, .u = RF_DATETIME_PACK(year, month, day, 0, 0, 0, 0)};
    return month <= 12 && year <= 9999;
}

/* DATETIME2, big-endian, 5 bytes and the fraction. The 5 bytes minus 2^39: second in bits 0-5,
 * minute in 6-11, hour in 12-16, day in 17-21, year * 13 + month in 22-38.
 * Source: MySQL, mysys/my_time.cc, my_datetime_packed_to_binary. */
static bool decode_datetime(uint64_t raw, unsigned scale, struct rf_value *value)
{
    unsigned fraction_bytes = (scale + 1) / 2;
    uint32_t fraction = (uint32_t)(raw & ((UINT64_C(1) << (8 * fraction_bytes)) - 1));
    uint64_t whole = (raw >> (8 * fraction_bytes)) - (UINT64_C(1) << 39);
    uint32_t months = (uint32_t)(whole >> 22), clock = (uint32_t)whole & 0x3fffff;
    uint32_t year = months / 13, month = months % 13;
    /* From the day down the bits lie side by side, as in a packed value. */
    *value = (struct rf_value){.kind = RF_DATETIME,
                               .scale = (uint8_t)scale,
                               .u = (uint64_t)year << 46 | (uint64_t)month << 42 |
                                    (uint64_t)clock << 20 |
                                    (uint64_t)(fraction * fraction_unit[fraction_bytes])};
    return whole >> 39 == 0 && year <= 9999 && (clock >> 12 & 31) <= 23 &&
           (clock >> 6 & 63) <= 59 && (clock & 63) <= 59 &&
           fraction < fraction_limit[fraction_bytes];
}

/* TIMESTAMP2, big-endian, 4 bytes of seconds since 1970 UTC and the fraction.
 * Source: MySQL, mysys/my_time.cc, my_timestamp_to_binary. */
static bool decode_timestamp(uint64_t raw, unsigned scale, struct rf_value *value)
{
    unsigned fraction_bytes = (scale + 1) / 2;
    uint32_t fraction = (uint32_t)(raw & ((UINT64_C(1) << (8 * fraction_bytes)) - 1));
    uint64_t seconds = raw >> (8 * fraction_bytes);
    *value = (struct rf_value){
        .kind = RF_TIMESTAMP,
        .scale = (uint8_t)scale,
        .i = (int64_t)(seconds * 1000000 + fraction * fraction_unit[fraction_bytes])};
    return fraction < fraction_limit[fraction_bytes];
}

/* TIME2, big-endian, 3 bytes and the fraction, as one number with its sign: minus 2^(bits - 1) it
 * is positive or negative as a whole, so that a negative fraction borrows from the seconds. Its
 * size: second in bits 0-5 above the fraction, minute in 6-11, hour in 12-21.
 * Source: MySQL, mysys/my_time.cc, my_time_packed_to_binary. */
static bool decode_time(uint64_t raw, unsigned scale, struct rf_value *value)
{
    unsigned fraction_bytes = (scale + 1) / 2;
    int64_t number = (int64_t)raw - ((int64_t)1 << (23 + 8 * fraction_bytes));
    uint64_t size = number < 0 ? (uint64_t)-number : (uint64_t)number;
    uint32_t fraction = (uint32_t)(size & ((UINT64_C(1) << (8 * fraction_bytes)) - 1));
    uint32_t clock = (uint32_t)(size >> (8 * fraction_bytes));
    uint32_t hour = clock >> 12, minute = clock >> 6 & 63, second = clock & 63;
    int64_t micros = (int64_t)(hour * 3600 + minute * 60 + second) * 1000000 +
                     fraction * fraction_unit[fraction_bytes];
    *value = (struct rf_value){
        .kind = RF_TIME, .scale = (uint8_t)scale, .i = number < 0 ? -micros : micros};
    return hour <= 838 && minute <= 59 && second <= 59 && fraction < fraction_limit[fraction_bytes];
}

/* ENUM, little-endian: the member's number from 1; 0 is what the server stores for a wrong
 * value. */
static bool decode_enum(const struct rf_column *column, uint32_t ordinal, struct rf_value *value)
{
    if (ordinal > column->member_count) {
        return false;
    }
    struct rf_str member = ordinal > 0 ? column->members[ordinal - 1] : RF_STR("");
    *value = (struct rf_value){.kind = RF_ENUM,
                               .ordinal = (uint16_t)ordinal,
                               .size = (uint32_t)member.size,
                               .text = member.data};
    return true;
}

/* SET, little-endian: bit n for member n + 1. */
static bool decode_set(struct rf_arena *arena, const struct rf_column *column, uint64_t bits,
                       struct rf_value *value)
{
    *value = (struct rf_value){.kind = RF_SET, .text = ""};
    if (column->member_count < 64 && bits >> column->member_count != 0) {
        return false;
    }
    size_t size = 0;
    for (uint64_t rest = bits; rest != 0; rest &= rest - 1) {
        size += column->members[__builtin_ctzll(rest)].size + (rest != bits);
    }
    if ((bits & (bits - 1)) == 0) {
        value->text = bits != 0 ? column->members[__builtin_ctzll(bits)].data : "";
    } else {
        char *at = rf_arena_alloc(arena, size);
        value->text = at;
        for (uint64_t rest = bits; rest != 0; rest &= rest - 1) {
            struct rf_str member = column->members[__builtin_ctzll(rest)];
            if (rest != bits) {
                *at++ = ',';
            }
            memcpy(at, member.data, member.size);
            at += member.size;
        }
    }
    value->size = (uint32_t)size;
    return true;
}

/* The value of an ENUM or SET may have members with marks. */
static bool check_members(struct decoder *decoder, const struct rf_value *value)
{
    if (likely(!decoder->plan->marked) ||
        rf_charset_utf8_prefix(value->text, value->size) == value->size) {
        return true;
    }
    decoder->marked++;
    decoder->why = decoder->strict ? not_text : NULL;
    return !decoder->strict;
}

static struct rf_value text_value(unsigned kind, const void *text, size_t size)
{
    return (struct rf_value){.kind = (uint8_t)kind, .size = (uint32_t)size, .text = text};
}

/* Where text stops being valid, or for sets other than UTF-8 at least not before that. */
static size_t valid_bytes(enum rf_charset charset, const char *text, uint32_t size)
{
    size_t valid = charset == RF_CHARSET_UTF8 ? rf_charset_utf8_prefix(text, size) : 0;
    while (charset != RF_CHARSET_UTF8 && rf_charset_extends_ascii(charset) && valid < size &&
           (unsigned char)text[valid] < 0x80) {
        valid++;
    }
    return valid;
}

/* Text whose bytes are not the value already. */
static bool decode_text(struct decoder *decoder, enum rf_charset charset, const char *text,
                        uint32_t size, struct rf_value *value)
{
    struct rf_str decoded;
    size_t marked =
        rf_charset_decode(charset, (struct rf_str){text, size}, decoder->arena, &decoded);
    *value = text_value(RF_TEXT, decoded.data, decoded.size);
    decoder->marked += marked > 0;
    if (marked > 0 && decoder->strict) {
        decoder->why = not_text;
        decoder->value = (const uint8_t *)text + valid_bytes(charset, text, size);
    } else if (decoded.size > UINT32_MAX) {
        decoder->why = "as UTF-8 it is longer than 4 GiB";
    }
    return decoder->why == NULL;
}

static const char *print_json(struct decoder *decoder, uint32_t number, struct rf_str bytes)
{
    struct rf_str *document = decoder->documents != NULL ? &decoder->documents[number] : NULL;
    bool changed =
        decoder->changed != NULL && (decoder->changed[number / 8] >> (number % 8) & 1) != 0;
    if (!changed) {
        if (document != NULL) {
            *document = bytes;
        }
        return rf_jsonb_print(decoder->scratch, bytes);
    }
    if (document->data == NULL) {
        return "it is the change of a document that is not there";
    }
    const char *why = rf_jsonb_print_changed(decoder->scratch, *document, bytes, &decoder->nodes);
    rf_arena_reset(&decoder->nodes, RF_ARENA_CHUNK);
    return why;
}

static bool decode_json(struct decoder *decoder, uint32_t number, const char *bytes, uint32_t size,
                        struct rf_value *value)
{
    rf_buf_reset(decoder->scratch);
    decoder->why = print_json(decoder, number, (struct rf_str){bytes, size});
    if (decoder->why == NULL && decoder->scratch->size > UINT32_MAX) {
        decoder->why = "as text it is longer than 4 GiB";
    }
    if (decoder->why == NULL) {
        struct rf_str text = rf_arena_copy(decoder->arena, rf_buf_str(decoder->scratch));
        *value = text_value(RF_JSON, text.data, text.size);
    }
    return decoder->why == NULL;
}

/* UUID, INET4 and INET6, of whose bytes the zeros at the end are missing. */
static bool decode_address(struct decoder *decoder, unsigned op, const char *bytes, uint32_t size,
                           struct rf_value *value)
{
    uint8_t whole[RF_UUID_SIZE] = {0};
    _Static_assert(RF_INET6_SIZE == RF_UUID_SIZE && RF_INET4_SIZE < RF_UUID_SIZE, "all fit");
    if (size > (op == RF_PLAN_INET4 ? RF_INET4_SIZE : RF_UUID_SIZE)) {
        return false;
    }
    memcpy(whole, bytes, size);
    char *text = rf_arena_alloc(decoder->arena, RF_INET6_TEXT_MAX), *end;
    switch (op) {
    case RF_PLAN_UUID: end = rf_uuid_text(text, whole); break;
    case RF_PLAN_INET4: end = rf_inet4_text(text, whole); break;
    default: end = rf_inet6_text(text, whole); break;
    }
    *value = text_value(RF_TEXT, text, (size_t)(end - text));
    rf_arena_shrink(decoder->arena, text, RF_INET6_TEXT_MAX, value->size);
    return true;
}

/* What BINARY(n), UUID and INET6 lose: the zeros at their end. */
static bool decode_binary(struct rf_arena *arena, const char *bytes, uint32_t size, uint32_t length,
                          struct rf_value *value)
{
    if (size < length) {
        char *copy = rf_arena_alloc(arena, length);
        memcpy(copy, bytes, size);
        memset(copy + size, 0, length - size);
        *value = text_value(RF_BYTES, copy, length);
    }
    return size <= length;
}

/* Of a COMPRESSED column. What is wrong with it lies where the value does. */
static bool decode_compressed(struct decoder *decoder, const struct rf_column *column,
                              const struct rf_plan_step *step, struct rf_str bytes,
                              struct rf_value *value)
{
    const uint8_t *at = decoder->value;
    uint64_t max = column->type == RF_COLUMN_VARCHAR || column->type == RF_COLUMN_VARBINARY
                       ? column->length
                       : (UINT64_C(1) << 8 * step->width) - 1;
    struct rf_str plain;
    decoder->why = rf_inflate_value(&decoder->inflater, bytes, max, decoder->arena, &plain);
    if (decoder->why != NULL) {
        return false;
    }
    *value = text_value(step->inner == RF_PLAN_BYTES ? RF_BYTES : RF_TEXT, plain.data, plain.size);
    bool good = step->inner == RF_PLAN_BYTES ||
                (step->inner == RF_PLAN_TEXT && rf_charset_is_ascii(plain.data, plain.size)) ||
                decode_text(decoder, step->charset, plain.data, (uint32_t)plain.size, value);
    decoder->value = at;
    return good;
}

/* A value with its length in front, already cut off. */
static bool decode_sized(struct decoder *decoder, uint32_t number, const struct rf_plan_step *step,
                         const char *text, uint32_t size, struct rf_value *value)
{
    switch ((enum rf_plan_op)step->op) {
    case RF_PLAN_WIDE: return decode_text(decoder, step->charset, text, size, value);
    case RF_PLAN_BINARY:
        *value = text_value(RF_BYTES, text, size);
        return decode_binary(decoder->arena, text, size, step->length, value);
    case RF_PLAN_GEOMETRY: *value = text_value(RF_GEOMETRY, text, size); return size >= 4;
    case RF_PLAN_JSON: return decode_json(decoder, step->json, text, size, value);
    case RF_PLAN_VECTOR: *value = text_value(RF_VECTOR, text, size); return size % 4 == 0;
    case RF_PLAN_UUID:
    case RF_PLAN_INET4:
    case RF_PLAN_INET6: return decode_address(decoder, step->op, text, size, value);
    case RF_PLAN_COMPRESSED:
        return decode_compressed(decoder, &decoder->table->columns[number], step,
                                 (struct rf_str){text, size}, value);
    default: *value = text_value(RF_BYTES, text, size); return true;
    }
}

/* The types that are rare, or need more than a few instructions. `number` is the column's. */
static bool decode_other(struct decoder *decoder, uint32_t number, const struct rf_plan_step *step,
                         const uint8_t *at, struct rf_value *value)
{
    const struct rf_column *column = &decoder->table->columns[number];
    const uint8_t *end = decoder->end;
    uint64_t bits;
    switch ((enum rf_plan_op)step->op) {
    case RF_PLAN_BIT:
        bits = load_be(at, step->width, end);
        *value = (struct rf_value){.kind = RF_BIT, .scale = step->scale, .u = bits};
        return step->scale == 64 || bits >> step->scale == 0;
    case RF_PLAN_YEAR:
        *value = (struct rf_value){.kind = RF_YEAR, .u = *at == 0 ? 0 : 1900u + *at};
        return true;
    case RF_PLAN_DATE: return decode_date(at, value);
    case RF_PLAN_TIME: return decode_time(load_be(at, step->width, end), step->scale, value);
    case RF_PLAN_OLD_TIME: return rf_moment_old_time(at, step->width, step->scale, value);
    case RF_PLAN_OLD_DATETIME: return rf_moment_old_datetime(at, step->width, step->scale, value);
    case RF_PLAN_OLD_TIMESTAMP: return rf_moment_old_timestamp(at, step->width, step->scale, value);
    case RF_PLAN_ENUM:
        return decode_enum(column, load_size(at, step->width), value) &&
               check_members(decoder, value);
    default:
        return decode_set(decoder->arena, column, rf_load_sized(at, step->width), value) &&
               check_members(decoder, value);
    }
}

/* The value at decoder->value is none, or none that may be carried. */
static const uint8_t *stop_invalid(struct decoder *decoder, ptrdiff_t column)
{
    return stop(decoder, column,
                decoder->why != NULL ? decoder->why : "it is not a value of its type");
}

/* Which columns an image has. */
struct present {
    const uint8_t *bitmap; /* NULL: all of them */
    uint32_t count;
};

static bool has(const uint8_t *bitmap, ptrdiff_t column)
{
    return (bitmap[column / 8] >> (column % 8) & 1) != 0;
}

/* Decodes the image at `at`. Returns where it ends; or NULL, with decoder->column, value and
 * why. */
static const uint8_t *decode_image(struct decoder *decoder, const uint8_t *at,
                                   const struct present *present, const struct rf_value **image)
{
    static const char truncated[] = "the event ends inside the value";
    const uint8_t *const end = decoder->end, *const bitmap = present->bitmap;
    const uint32_t count = decoder->table->column_count;
    const struct rf_plan_step *step = decoder->plan->steps, *const last = step + count;
    const size_t image_bytes = count * sizeof(struct rf_value) + decoder->plan->text_bytes;
    const uint8_t *nulls = at;
    unsigned null_bits = 0;
    bool good = true;

    if (unlikely((size_t)(end - at) < (present->count + 7) / 8)) {
        decoder->value = at;
        return stop(decoder, 0, "the event ends inside the bitmap of NULLs");
    }
    struct rf_value *value = rf_arena_alloc(decoder->arena, image_bytes);
    char *text = (char *)(value + count);
    *image = value;
    at += (present->count + 7) / 8;
    for (; step < last; step++, value++) {
        if (unlikely(bitmap != NULL) && !has(bitmap, value - *image)) {
            *value = (struct rf_value){.kind = RF_ABSENT};
            continue;
        }
        if (null_bits <= 1) {
            null_bits = *nulls++ | 0x100u; /* the ninth bit says when the next eight are due */
        }
        bool is_null = null_bits & 1;
        null_bits >>= 1;
        if (is_null) {
            *value = (struct rf_value){.kind = RF_NULL};
            continue;
        }
        decoder->value = at;
        if (unlikely((size_t)(end - at) < step->width)) {
            return stop(decoder, value - *image, truncated);
        }
        switch ((enum rf_plan_op)step->op) {
        case RF_PLAN_I8: *value = (struct rf_value){.kind = RF_INT, .i = (int8_t)*at}; break;
        case RF_PLAN_U8: *value = (struct rf_value){.kind = RF_UINT, .u = *at}; break;
        case RF_PLAN_I16:
            *value = (struct rf_value){.kind = RF_INT, .i = (int16_t)rf_load_16(at)};
            break;
        case RF_PLAN_U16: *value = (struct rf_value){.kind = RF_UINT, .u = rf_load_16(at)}; break;
        case RF_PLAN_I24:
            *value = (struct rf_value){.kind = RF_INT, .i = (int32_t)(load_24(at) << 8) >> 8};
            break;
        case RF_PLAN_U24: *value = (struct rf_value){.kind = RF_UINT, .u = load_24(at)}; break;
        case RF_PLAN_I32:
            *value = (struct rf_value){.kind = RF_INT, .i = (int32_t)rf_load_32(at)};
            break;
        case RF_PLAN_U32: *value = (struct rf_value){.kind = RF_UINT, .u = rf_load_32(at)}; break;
        case RF_PLAN_I64:
            *value = (struct rf_value){.kind = RF_INT, .i = (int64_t)rf_load_64(at)};
            break;
        case RF_PLAN_U64: *value = (struct rf_value){.kind = RF_UINT, .u = rf_load_64(at)}; break;
        case RF_PLAN_FLOAT: {
            uint32_t bits = rf_load_32(at);
            *value = (struct rf_value){.kind = RF_FLOAT};
            memcpy(&value->f, &bits, sizeof bits);
            break;
        }
        case RF_PLAN_DOUBLE: {
            uint64_t bits = rf_load_64(at);
            *value = (struct rf_value){.kind = RF_DOUBLE};
            memcpy(&value->d, &bits, sizeof bits);
            break;
        }
        case RF_PLAN_DECIMAL: {
            char *text_end = rf_decimal_text(text, at, end, step->decimal);
            good = text_end != NULL;
            *value = text_value(RF_DECIMAL, text, (size_t)(text_end - text));
            text = good ? text_end : text;
            break;
        }
        case RF_PLAN_DATETIME:
            good = decode_datetime(load_be(at, step->width, end), step->scale, value);
            break;
        case RF_PLAN_TIMESTAMP:
            good = decode_timestamp(load_be(at, step->width, end), step->scale, value);
            break;
        case RF_PLAN_BIT:
        case RF_PLAN_YEAR:
        case RF_PLAN_DATE:
        case RF_PLAN_TIME:
        case RF_PLAN_ENUM:
        case RF_PLAN_SET:
        case RF_PLAN_OLD_TIME:
        case RF_PLAN_OLD_DATETIME:
        case RF_PLAN_OLD_TIMESTAMP:
            good = decode_other(decoder, (uint32_t)(value - *image), step, at, value);
            break;
        case RF_PLAN_TEXT: {
            uint32_t size = load_size(at, step->width);
            if (unlikely(size > (size_t)(end - at) - step->width)) {
                return stop(decoder, value - *image, truncated);
            }
            const char *text_at = (const char *)at + step->width;
            *value = text_value(RF_TEXT, text_at, size);
            good = likely(rf_charset_is_ascii(text_at, size)) ||
                   decode_text(decoder, step->charset, text_at, size, value);
            at += size;
            break;
        }
        case RF_PLAN_WIDE:
        case RF_PLAN_BYTES:
        case RF_PLAN_BINARY:
        case RF_PLAN_GEOMETRY:
        case RF_PLAN_JSON:
        case RF_PLAN_VECTOR:
        case RF_PLAN_UUID:
        case RF_PLAN_INET4:
        case RF_PLAN_INET6:
        case RF_PLAN_COMPRESSED: {
            uint32_t size = load_size(at, step->width);
            if (unlikely(size > (size_t)(end - at) - step->width)) {
                return stop(decoder, value - *image, truncated);
            }
            const char *bytes = (const char *)at + step->width;
            good = decode_sized(decoder, (uint32_t)(value - *image), step, bytes, size, value);
            at += size;
            break;
        }
        }
        at += step->width;
        if (unlikely(!good)) {
            return stop_invalid(decoder, value - *image);
        }
    }
    rf_arena_shrink(decoder->arena, *image, image_bytes, (size_t)(text - (const char *)*image));
    return at;
}

static enum rf_status fail_value(const struct decoder *decoder, uint32_t row, struct rf_error *err)
{
    const struct rf_table *table = decoder->table;
    enum { SHOWN_MAX = 8 };
    size_t left = (size_t)(decoder->end - decoder->value);
    size_t shown = left < SHOWN_MAX ? left : SHOWN_MAX;
    char hex[3 * SHOWN_MAX + 1] = "nothing";
    for (size_t i = 0; i < shown; i++) {
        snprintf(hex + 3 * i, 4, "%02x ", decoder->value[i]);
    }
    if (shown > 0) {
        hex[3 * shown - 1] = '\0';
    }
    enum rf_status status = rf_fail(
        err, RF_FATAL, "column %.*s of table %.*s, row %u of the event: %s; it goes on with %s",
        RF_STR_ARG(table->columns[decoder->column].name), RF_STR_ARG(table->full_name), row,
        decoder->why, hex);
    if (decoder->why == not_text) {
        rf_error_hint(err, "The server holds bytes that the column's character set does not have. "
                           "Mend the row there and start behind it; or leave the table out; or "
                           "have such bytes marked: invalid=mark");
    }
    return status;
}

/* The number of the first column that a bitmap does not have; it lacks one. */
static uint32_t first_lacking(const uint8_t *bits)
{
    uint32_t i = 0;
    while ((bits[i / 8] >> (i % 8) & 1) != 0) {
        i++;
    }
    return i;
}

/* What is absent cannot be told from the log. */
static enum rf_status fail_lacking(const struct rf_table *table, uint32_t column,
                                   struct rf_error *err)
{
    rf_fail(err, RF_FATAL,
            "rows of table %.*s were logged without column %.*s, as binlog_row_image was MINIMAL "
            "or NOBLOB: a destination that holds the last state of each row needs all of them",
            RF_STR_ARG(table->full_name), RF_STR_ARG(table->columns[column].name));
    rf_error_hint(err, "On the server: SET GLOBAL binlog_row_image=FULL; it covers only what "
                       "sessions that begin afterwards log.");
    return RF_FATAL;
}

/* How many columns a bitmap has. Nearly always it has all of them, which is quick to see. */
static uint32_t count_columns(const uint8_t *bits, uint32_t column_count)
{
    uint32_t whole = column_count / 8, last = (1u << column_count % 8) - 1, full = 0, count = 0;
    while (full < whole && bits[full] == UINT8_MAX) {
        full++;
    }
    if (likely(full == whole && (last == 0 || (bits[whole] & last) == last))) {
        return column_count;
    }
    for (uint32_t i = 0; i < whole; i++) {
        count += (uint32_t)__builtin_popcount(bits[i]);
    }
    return count + (last > 0 ? (uint32_t)__builtin_popcount(bits[whole] & last) : 0);
}

static enum rf_status present_read(const struct rf_table *table, struct rf_str bitmap, bool lacking,
                                   struct present *present, struct rf_error *err)
{
    const uint8_t *bits = (const uint8_t *)bitmap.data;
    present->count = count_columns(bits, table->column_count);
    present->bitmap = NULL;
    if (__builtin_expect(present->count < table->column_count, 0)) {
        present->bitmap = bits;
        return lacking ? RF_OK : fail_lacking(table, first_lacking(bits), err);
    }
    return RF_OK;
}

/* Reads what stands in front of a partial after image. Returns where that begins, or NULL. */
static const uint8_t *decode_options(struct decoder *decoder, const uint8_t *at)
{
    enum { PARTIAL_JSON = 1 };
    size_t size = (decoder->plan->json_count + 7) / 8;
    decoder->value = at;
    if (at == decoder->end) {
        return stop(decoder, 0, "the event ends in front of the after image");
    }
    uint8_t options = *at++;
    if ((options & ~PARTIAL_JSON) != 0) {
        return stop(decoder, 0, "the after image has options that are not known");
    }
    if (options == 0) {
        return at;
    }
    if ((size_t)(decoder->end - at) < size) {
        return stop(decoder, 0, "the event ends inside the bitmap of changed documents");
    }
    decoder->changed = at;
    return at + size;
}

/* Both images of a partial update. */
static const uint8_t *decode_partial(struct decoder *decoder, const uint8_t *at,
                                     const struct present *present, const struct rf_value **images)
{
    memset(decoder->documents, 0, decoder->plan->json_count * sizeof *decoder->documents);
    decoder->changed = NULL;
    at = decode_image(decoder, at, &present[0], &images[0]);
    if (at != NULL) {
        at = decode_options(decoder, at);
    }
    return at != NULL ? decode_image(decoder, at, &present[1], &images[1]) : NULL;
}

/* What an update did not touch need not be in the image after it: it is what it was before. */
static void take_over(const struct decoder *decoder, const struct present *after,
                      const struct rf_value **images)
{
    for (uint32_t i = 0; after->bitmap != NULL && i < decoder->table->column_count; i++) {
        if (images[1][i].kind == RF_ABSENT) {
            ((struct rf_value *)(uintptr_t)images[1])[i] = images[0][i];
        }
    }
}

/* `present`: of the images before, and after. */
static enum rf_status decode_rows(struct decoder *decoder, const struct rf_rows *rows,
                                  const struct present *present, uint32_t ordinal,
                                  struct rf_batch *batch, struct rf_error *err)
{
    const uint8_t *at = (const uint8_t *)rows->images.data;
    for (uint32_t row = 0; at != decoder->end; row++) {
        const struct rf_value *images[2] = {NULL, NULL}; /* before, after */
        if (rows->partial) {
            at = decode_partial(decoder, at, present, images);
        } else if (rows->op != RF_CREATE) {
            at = decode_image(decoder, at, &present[0], &images[0]);
        }
        if (rows->op != RF_DELETE && !rows->partial && at != NULL) {
            at = decode_image(decoder, at, &present[1], &images[1]);
        }
        if (unlikely(at == NULL)) {
            return fail_value(decoder, row, err);
        }
        if (rows->op == RF_UPDATE) {
            take_over(decoder, &present[1], images);
        }
        struct rf_event *event = rf_batch_add(batch);
        event->op = rows->op;
        event->ordinal = ordinal;
        event->row = row;
        event->table = decoder->table;
        event->before = images[0];
        event->after = images[1];
    }
    return RF_OK;
}

enum rf_status rf_rows_decode(const struct rf_rows *rows, struct rf_table *table, uint32_t ordinal,
                              struct rf_batch *batch, struct rf_error *err)
{
    const struct rf_plan *plan = table->memory;
    rf_assert(plan->magic == RF_PLAN_MAGIC && batch->transaction_count > 0);
    if (rows->column_count != table->column_count) {
        return rf_fail(err, RF_FATAL,
                       "damaged rows event: it has %u columns, and its table %.*s has %u",
                       rows->column_count, RF_STR_ARG(table->full_name), table->column_count);
    }
    struct present present[2];
    enum rf_status status = present_read(table, rows->present, rows->lacking, &present[0], err);
    present[1] = present[0];
    if (status == RF_OK && rows->op == RF_UPDATE) {
        status = present_read(table, rows->present_after, rows->lacking, &present[1], err);
    }
    if (status == RF_OK && present[0].count == 0) {
        /* Not even their number could be told. */
        status = rf_fail(err, RF_FATAL, "rows of table %.*s were logged without any column",
                         RF_STR_ARG(table->full_name));
    }
    if (status != RF_OK || rows->images.size == 0) {
        return status;
    }

    struct rf_transaction *transaction = &batch->transactions[batch->transaction_count - 1];
    const uint32_t count = batch->count, transaction_count = transaction->count;
    struct decoder decoder = {
        .table = table,
        .plan = plan,
        .strict = rows->strict,
        .arena = &batch->arena,
        .scratch = &batch->scratch,
        .end = (const uint8_t *)rows->images.data + rows->images.size,
    };
    if (rows->partial) {
        decoder.documents =
            rf_arena_alloc(&batch->arena, (plan->json_count + 1) * sizeof *decoder.documents);
    }
    rf_batch_use(batch, table);
    status = decode_rows(&decoder, rows, present, ordinal, batch, err);
    if (rows->partial) {
        rf_arena_deinit(&decoder.nodes);
    }
    if (decoder.inflater.stream != NULL) { /* a column was compressed */
        rf_inflater_deinit(&decoder.inflater);
    }
    if (status != RF_OK) {
        batch->count = count;
        transaction->count = transaction_count;
    } else {
        batch->marked += decoder.marked;
    }
    return status;
}
