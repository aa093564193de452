#include "wire/bson_row.h"

#include "base/memory.h"
#include "event/digits.h"
#include "event/value.h"
#include "wire/bson_json.h"
#include "wire/charset.h"
#include "wire/decimal128.h"

#include <math.h>

enum { ID = 0, DOCUMENT = 1, FIELDS = 2 };

/* Milliseconds since 1970 of the first one of the year 0 and the last one of 9999. */
static const int64_t first_ms = INT64_C(-62167219200000), last_ms = INT64_C(253402300799999);

/* ---------------------------------------------------------------------------------------- texts */

static void add_text(struct rf_buf *out, struct rf_str text)
{
    size_t marked = 0;
    if (rf_charset_utf8_prefix(text.data, text.size) == text.size) {
        rf_buf_add_str(out, text);
        return;
    }
    size_t size = rf_charset_measure(RF_CHARSET_UTF8, text);
    (void)rf_charset_convert(RF_CHARSET_UTF8, text, rf_buf_reserve(out, size), &marked);
    out->size += size;
}

static void add_double(struct rf_buf *out, double number)
{
    if (isfinite(number)) {
        const char *end = rf_floating_double(rf_buf_reserve(out, RF_FLOATING_MAX), number);
        out->size = (size_t)(end - out->data);
    } else {
        rf_buf_add_str(out, isnan(number) ? RF_STR("NaN")
                            : number < 0  ? RF_STR("-Infinity")
                                          : RF_STR("Infinity"));
    }
}

static void add_date(struct rf_buf *out, int64_t ms)
{
    enum { SCALE = 3 };
    if (ms < first_ms || ms > last_ms) {
        rf_buf_add_i64(out, ms);
        return;
    }
    char *at = rf_buf_reserve(out, RF_DATETIME_TEXT_MAX + RF_DIGITS_SLACK);
    out->size += rf_datetime_text(at, rf_datetime_of_micros(ms * 1000), ' ', SCALE);
}

static void add_object_id(struct rf_buf *out, struct rf_str bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *at = rf_buf_reserve(out, 2 * bytes.size);
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];
        *at++ = digits[byte >> 4];
        *at++ = digits[byte & 15];
    }
    out->size += 2 * bytes.size;
}

static void add_decimal(struct rf_buf *out, struct rf_str bytes)
{
    const char *end = rf_decimal128_text(rf_buf_reserve(out, RF_DECIMAL128_TEXT_MAX), bytes.data);
    out->size = (size_t)(end - out->data);
}

bool rf_bson_text_add(struct rf_buf *out, const struct rf_bson_element *element)
{
    switch (element->type) {
    case RF_BSON_NULL: return false;
    case RF_BSON_UTF8: add_text(out, rf_bson_text(element)); return true;
    case RF_BSON_INT32: rf_buf_add_i64(out, rf_bson_int32(element)); return true;
    case RF_BSON_INT64: rf_buf_add_i64(out, rf_bson_int64(element)); return true;
    case RF_BSON_DOUBLE: add_double(out, rf_bson_double(element)); return true;
    case RF_BSON_DECIMAL128: add_decimal(out, element->value); return true;
    case RF_BSON_OBJECT_ID: add_object_id(out, element->value); return true;
    case RF_BSON_DATE: add_date(out, rf_bson_int64(element)); return true;
    case RF_BSON_BOOL:
        rf_buf_add_str(out, rf_bson_bool(element) ? RF_STR("true") : RF_STR("false"));
        return true;
    default: rf_bson_json_add_value(out, element, RF_BSON_JSON_RELAXED); return true;
    }
}

/* --------------------------------------------------------------------------------------- tables */

/* What a shown table points to: columns, its key and all names, in one piece. */
struct shown {
    uint32_t key_columns[1];
    struct rf_column columns[];
};

static bool is_known(const struct rf_column *columns, uint32_t count, struct rf_str name)
{
    uint32_t i = 0;
    while (i < count && !rf_str_equal(columns[i].name, name)) {
        i++;
    }
    return i < count;
}

static size_t names_size(const struct rf_table *collection, const struct rf_str *fields,
                         uint32_t count)
{
    size_t size = collection->full_name.size;
    for (uint32_t i = 0; i < count; i++) {
        size += fields[i].size;
    }
    return size;
}

static struct rf_str keep(char **at, struct rf_str text)
{
    char *copy = *at;
    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    *at += text.size;
    return (struct rf_str){copy, text.size};
}

void rf_bson_row_init(struct rf_bson_row *row, const struct rf_table *collection,
                      const struct rf_str *fields, uint32_t count, bool document)
{
    size_t size = sizeof(struct shown) + (FIELDS + count) * sizeof(struct rf_column);
    struct shown *shown = rf_alloc_zero(1, size + names_size(collection, fields, count));
    struct rf_table *table = rf_alloc_zero(1, sizeof *table);
    char *at = (char *)shown + size;
    struct rf_str full_name = keep(&at, collection->full_name);
    shown->columns[ID] = (struct rf_column){
        .name = RF_STR("_id"), .type = RF_COLUMN_TEXT, .charset = RF_CHARSET_UTF8, .key = true};
    shown->columns[DOCUMENT] = (struct rf_column){.name = RF_STR("document"),
                                                  .type = RF_COLUMN_JSON,
                                                  .charset = RF_CHARSET_UTF8,
                                                  .nullable = true};
    uint32_t columns = FIELDS;
    for (uint32_t i = 0; i < count; i++) {
        document |= rf_str_equal(fields[i], shown->columns[DOCUMENT].name);
        if (!is_known(shown->columns, columns, fields[i])) {
            shown->columns[columns++] = (struct rf_column){.name = keep(&at, fields[i]),
                                                           .type = RF_COLUMN_TEXT,
                                                           .charset = RF_CHARSET_UTF8,
                                                           .nullable = true};
        }
    }
    *table = (struct rf_table){
        .version = collection->version,
        .database = {full_name.data, collection->database.size},
        .name = {full_name.data + collection->database.size + 1, collection->name.size},
        .full_name = full_name,
        .column_count = columns,
        .key_count = 1,
        .columns = shown->columns,
        .key_columns = shown->key_columns,
        .memory = shown,
    };
    atomic_init(&table->references, 1);
    *row = (struct rf_bson_row){.table = table, .document = document};
}

void rf_bson_row_deinit(struct rf_bson_row *row)
{
    rf_table_release(row->table);
    rf_buf_deinit(&row->text);
    *row = (struct rf_bson_row){0};
}

/* ----------------------------------------------------------------------------------------- rows */

static struct rf_value in_arena(const struct rf_bson_row *row, struct rf_arena *arena,
                                enum rf_kind kind)
{
    struct rf_str copy = rf_arena_copy(arena, rf_buf_str(&row->text));
    return (struct rf_value){
        .kind = (uint8_t)kind, .size = (uint32_t)copy.size, .text = copy.size > 0 ? copy.data : ""};
}

static struct rf_value field_of(struct rf_bson_row *row, struct rf_str document, struct rf_str name,
                                struct rf_arena *arena)
{
    struct rf_bson_element element;
    rf_buf_reset(&row->text);
    if (!rf_bson_find(document, name, &element) || !rf_bson_text_add(&row->text, &element)) {
        return (struct rf_value){.kind = RF_NULL};
    }
    return in_arena(row, arena, RF_TEXT);
}

const struct rf_value *rf_bson_row_of(struct rf_bson_row *row, const struct rf_value *image,
                                      struct rf_arena *arena)
{
    const struct rf_table *table = row->table;
    struct rf_value *values = rf_arena_alloc(arena, table->column_count * sizeof *values);
    bool told = image[DOCUMENT].kind == RF_DOCUMENT;
    values[ID] = image[ID];
    values[DOCUMENT] = (struct rf_value){.kind = RF_ABSENT};
    if (told && row->document) {
        rf_buf_reset(&row->text);
        rf_bson_json_add(&row->text, rf_value_str(image[DOCUMENT]), RF_BSON_JSON_RELAXED);
        values[DOCUMENT] = in_arena(row, arena, RF_JSON);
    }
    for (uint32_t i = FIELDS; i < table->column_count; i++) {
        values[i] =
            told ? field_of(row, rf_value_str(image[DOCUMENT]), table->columns[i].name, arena)
                 : (struct rf_value){.kind = RF_ABSENT};
    }
    return values;
}
