/* Columns of the source to columns of CQL: which there are, with which type they are made, and what
 * other types hold all of their values, in tables that somebody else has made. */
#include "sink/cassandra_sink.h"

#include "base/memory.h"

#include <stdlib.h>

#define BIT(kind) (UINT32_C(1) << (kind))

enum {
    ALL_TEXTS = BIT(RF_TEXT) | BIT(RF_JSON) | BIT(RF_ENUM) | BIT(RF_SET) | BIT(RF_DECIMAL),
    ALL_BYTES = BIT(RF_BYTES) | BIT(RF_GEOMETRY),
    ALL_INTEGERS = BIT(RF_INT) | BIT(RF_UINT) | BIT(RF_BIT) | BIT(RF_YEAR),
    ALL_DATES = BIT(RF_DATE) | BIT(RF_DATETIME) | BIT(RF_TIMESTAMP),
    MS_DIGITS = 3,  /* of a fraction of seconds that CQL's timestamp has */
    DATES_TEXT = 1, /* the option's second choice */
};

/* --------------------------------------------------------------------------------- which columns
 * */

static enum rf_status no_key(const struct rf_table *table, struct rf_error *err)
{
    rf_fail(err, RF_CONFIG, "table %.*s has no primary key, which a table of Cassandra must have",
            RF_STR_ARG(table->full_name));
    rf_error_hint(err,
                  "give it one, make rows of other columns with values=..., or leave it out with "
                  "tables=...,-%.*s",
                  RF_STR_ARG(table->full_name));
    return RF_CONFIG;
}

static void copy_columns(struct rf_cassandra_table *table)
{
    const struct rf_table *source = table->shown;
    table->columns = rf_alloc_zero(source->column_count + 1, sizeof *table->columns);
    table->column_count = source->column_count;
    for (uint32_t i = 0; i < source->column_count; i++) {
        table->columns[i].name = source->columns[i].name;
        table->columns[i].source = (int32_t)i;
    }
    for (uint32_t i = 0; i < source->key_count; i++) {
        table->columns[source->key_columns[i]].key = true;
        table->key[i] = source->key_columns[i];
    }
    table->key_count = source->key_count;
}

/* "{name}" or "{column:name}" and nothing else: the number of that column, else -1. */
static int32_t plain_copy(const struct rf_table *source, const char *text)
{
    struct rf_str name = rf_str_of(text);
    if (name.size < 3 || name.data[0] != '{' || name.data[1] == '{' ||
        memchr(name.data, '}', name.size) != name.data + name.size - 1) {
        return -1;
    }
    name = (struct rf_str){name.data + 1, name.size - 2};
    if (rf_str_starts(name, RF_STR("column:"))) {
        name.data += 7;
        name.size -= 7;
    } else if (rf_str_equal(name, RF_STR("key")) || rf_str_equal(name, RF_STR("ts")) ||
               rf_str_equal(name, RF_STR("op")) || rf_str_equal(name, RF_STR("table")) ||
               rf_str_equal(name, RF_STR("database"))) {
        return -1;
    }
    return rf_table_find(source, name);
}

static bool is_key_name(const struct rf_cassandra_sink *sink, uint32_t number, struct rf_str name)
{
    if (sink->key_names.count == 0) {
        return number == 0;
    }
    for (uint32_t i = 0; i < sink->key_names.count; i++) {
        if (rf_str_equal(name, rf_str_of(sink->key_names.items[i]))) {
            return true;
        }
    }
    return false;
}

/* Rows of values=...: their deletes can be carried out only where each has a key of its own. */
static enum rf_status map_columns(struct rf_cassandra_sink *sink, struct rf_cassandra_table *table,
                                  struct rf_error *err)
{
    const struct rf_table *source = table->shown;
    uint32_t own = 0;
    table->columns = rf_alloc_zero(sink->values.count, sizeof *table->columns);
    table->column_count = sink->values.count;
    for (uint32_t i = 0; i < sink->values.count; i++) {
        struct rf_cassandra_column *column = &table->columns[i];
        struct rf_str text = rf_str_of(sink->values.items[i]);
        (void)rf_str_split(&text, '=', &column->name);
        column->key = is_key_name(sink, i, column->name);
        column->source = plain_copy(source, text.data);
        if (column->source < 0) {
            enum rf_status status =
                rf_template_bind(&sink->value_templates[i], source, &column->binding, err);
            if (status != RF_OK) {
                return status;
            }
        }
        own += column->key && column->source >= 0 && source->columns[column->source].key;
        if (column->key) {
            table->key[table->key_count++] = i;
        }
    }
    table->folds = source->key_count == 0 || own < source->key_count;
    return RF_OK;
}

enum rf_status rf_cassandra_columns_make(struct rf_cassandra_sink *sink,
                                         struct rf_cassandra_table *table, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    uint32_t most = table->shown->key_count;
    most = sink->values.count > most ? sink->values.count : most;
    table->key = rf_alloc_zero(most + 1, sizeof *table->key);
    if (sink->values.count > 0) {
        status = map_columns(sink, table, err);
    } else if (table->shown->key_count == 0) {
        status = no_key(table->table, err);
    } else {
        copy_columns(table);
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        rf_cassandra_add_name(&table->columns[i].quoted, table->columns[i].name);
    }
    return status;
}

void rf_cassandra_columns_deinit(struct rf_cassandra_table *table)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        rf_binding_deinit(&table->columns[i].binding);
        rf_buf_deinit(&table->columns[i].quoted);
    }
    free(table->columns);
    free(table->key);
    table->columns = NULL;
    table->key = NULL;
    table->column_count = table->key_count = table->partition_count = 0;
    table->folds = false;
}

/* ----------------------------------------------------------------------------------- which types
 * */

/* Bytes that hold all values of an integer column; 9: more than eight. */
static unsigned integer_bytes(const struct rf_column *column)
{
    switch ((enum rf_column_type)column->type) {
    case RF_COLUMN_TINYINT: return column->is_unsigned ? 2 : 1;
    case RF_COLUMN_YEAR: return 2;
    case RF_COLUMN_SMALLINT: return column->is_unsigned ? 4 : 2;
    case RF_COLUMN_MEDIUMINT: return 4;
    case RF_COLUMN_INT: return column->is_unsigned ? 8 : 4;
    case RF_COLUMN_BIGINT: return column->is_unsigned ? 9 : 8;
    case RF_COLUMN_BIT: return column->precision >= 64 ? 9 : 8;
    default: return 0;
    }
}

static bool is_text(const struct rf_column *column)
{
    bool characters = column->type == RF_COLUMN_CHAR || column->type == RF_COLUMN_VARCHAR ||
                      column->type == RF_COLUMN_TEXT;
    return column->type == RF_COLUMN_ENUM || column->type == RF_COLUMN_SET ||
           column->type == RF_COLUMN_JSON || (characters && column->charset != RF_CHARSET_BINARY);
}

static const char *own_type(const struct rf_column *column, bool key)
{
    switch (integer_bytes(column)) {
    case 1: return "tinyint";
    case 2: return "smallint";
    case 4: return "int";
    case 8: return "bigint";
    case 9: return "varint";
    default: break;
    }
    switch ((enum rf_column_type)column->type) {
    case RF_COLUMN_FLOAT: return "float";
    case RF_COLUMN_DOUBLE: return "double";
    case RF_COLUMN_DECIMAL: return "decimal";
    case RF_COLUMN_DATE: return "date";
    case RF_COLUMN_DATETIME:
    case RF_COLUMN_TIMESTAMP: return column->scale <= MS_DIGITS ? "timestamp" : "text";
    case RF_COLUMN_TIME: return key ? "bigint" : "duration"; /* no key is made of durations */
    default: return is_text(column) ? "text" : "blob";
    }
}

static bool is_date(const struct rf_column *column)
{
    return column->type == RF_COLUMN_DATE || column->type == RF_COLUMN_DATETIME ||
           column->type == RF_COLUMN_TIMESTAMP;
}

const char *rf_cassandra_column_type(const struct rf_cassandra_sink *sink,
                                     const struct rf_cassandra_table *table,
                                     const struct rf_cassandra_column *column)
{
    const struct rf_column *source =
        &table->shown->columns[column->source < 0 ? 0 : column->source];
    bool texts = column->source < 0 || (sink->dates == DATES_TEXT && is_date(source));
    return texts ? "text" : own_type(source, column->key);
}

static void set_method(struct rf_cassandra_column *column, enum rf_cassandra_method method,
                       unsigned size, uint32_t takes, bool picky)
{
    column->method = (uint8_t)method;
    column->size = (uint8_t)size;
    column->takes = takes;
    column->picky = picky;
}

static unsigned cql_integer_bytes(enum rf_cql_kind kind)
{
    switch (kind) {
    case RF_CQL_TINYINT: return 1;
    case RF_CQL_SMALLINT: return 2;
    case RF_CQL_INT: return 4;
    case RF_CQL_BIGINT: return 8;
    default: return 0;
    }
}

static bool fit_integer(struct rf_cassandra_column *column, const struct rf_column *source,
                        enum rf_cql_kind kind)
{
    unsigned bytes = integer_bytes(source), there = cql_integer_bytes(kind);
    if (there >= bytes) {
        set_method(column, RF_CASSANDRA_INTEGER, there, ALL_INTEGERS, false);
    } else if (kind == RF_CQL_VARINT) {
        set_method(column, RF_CASSANDRA_VARINT, 0, ALL_INTEGERS, false);
    } else if (kind == RF_CQL_DECIMAL) {
        set_method(column, RF_CASSANDRA_DECIMAL, 0, ALL_INTEGERS, false);
    } else if (kind == RF_CQL_BOOLEAN &&
               (source->type == RF_COLUMN_TINYINT || source->type == RF_COLUMN_BIT)) {
        set_method(column, RF_CASSANDRA_BOOLEAN, 1, ALL_INTEGERS, true);
    } else {
        return false;
    }
    return true;
}

static bool fit_date(struct rf_cassandra_column *column, const struct rf_column *source,
                     enum rf_cql_kind kind)
{
    if (kind == RF_CQL_DATE && source->type == RF_COLUMN_DATE) {
        set_method(column, RF_CASSANDRA_DATE, 4, BIT(RF_DATE), true);
    } else if (kind == RF_CQL_TIMESTAMP && source->scale <= MS_DIGITS) {
        set_method(column, RF_CASSANDRA_TIMESTAMP, 8, ALL_DATES, true);
    } else {
        return false;
    }
    return true;
}

static bool fit_time(struct rf_cassandra_column *column, enum rf_cql_kind kind)
{
    if (kind == RF_CQL_DURATION) {
        set_method(column, RF_CASSANDRA_DURATION, 0, BIT(RF_TIME), false);
    } else if (kind == RF_CQL_TIME) {
        set_method(column, RF_CASSANDRA_TIME, 8, BIT(RF_TIME), true);
    } else if (kind == RF_CQL_BIGINT) {
        set_method(column, RF_CASSANDRA_MICROS, 8, BIT(RF_TIME), false);
    } else {
        return false;
    }
    return true;
}

static bool fit_floating(struct rf_cassandra_column *column, const struct rf_column *source,
                         enum rf_cql_kind kind)
{
    bool narrow = source->type == RF_COLUMN_FLOAT;
    if (kind != RF_CQL_DOUBLE && !(kind == RF_CQL_FLOAT && narrow)) {
        return false;
    }
    set_method(column, RF_CASSANDRA_FLOATING, kind == RF_CQL_FLOAT ? 4 : 8,
               kind == RF_CQL_FLOAT ? BIT(RF_FLOAT) : BIT(RF_FLOAT) | BIT(RF_DOUBLE), false);
    return true;
}

static bool fit(struct rf_cassandra_column *column, const struct rf_column *source,
                enum rf_cql_kind kind)
{
    bool binary = !is_text(source);
    switch ((enum rf_column_type)source->type) {
    case RF_COLUMN_TINYINT:
    case RF_COLUMN_SMALLINT:
    case RF_COLUMN_MEDIUMINT:
    case RF_COLUMN_INT:
    case RF_COLUMN_BIGINT:
    case RF_COLUMN_YEAR:
    case RF_COLUMN_BIT:
        if (fit_integer(column, source, kind)) {
            return true;
        }
        break;
    case RF_COLUMN_FLOAT:
    case RF_COLUMN_DOUBLE:
        if (fit_floating(column, source, kind)) {
            return true;
        }
        break;
    case RF_COLUMN_DECIMAL:
        if (kind == RF_CQL_DECIMAL) {
            set_method(column, RF_CASSANDRA_DECIMAL, 0, BIT(RF_DECIMAL), false);
            return true;
        }
        break;
    case RF_COLUMN_DATE:
    case RF_COLUMN_DATETIME:
    case RF_COLUMN_TIMESTAMP:
        if (fit_date(column, source, kind)) {
            return true;
        }
        break;
    case RF_COLUMN_TIME:
        if (fit_time(column, kind)) {
            return true;
        }
        break;
    default:
        if (kind == (binary ? RF_CQL_BLOB : RF_CQL_TEXT)) {
            set_method(column, RF_CASSANDRA_BYTES, 0, binary ? ALL_BYTES : ALL_TEXTS, false);
            return true;
        }
        return false;
    }
    if (kind != RF_CQL_TEXT) {
        return false;
    }
    /* Everything that is not bytes has a text. */
    set_method(column, RF_CASSANDRA_PRINTED, 0, UINT32_MAX & ~(uint32_t)ALL_BYTES, false);
    return true;
}

enum rf_status rf_cassandra_column_fit(struct rf_cassandra_sink *sink,
                                       const struct rf_cassandra_table *table,
                                       struct rf_cassandra_column *column, enum rf_cql_kind kind,
                                       struct rf_error *err)
{
    const char *name = rf_cql_kind_name(kind);
    column->kind = (uint16_t)kind;
    if (column->source < 0 && name != NULL && kind != RF_CQL_COUNTER_TYPE) {
        set_method(column, RF_CASSANDRA_READ, 0, UINT32_MAX, true);
        return RF_OK;
    }
    if (column->source >= 0 && fit(column, &table->shown->columns[column->source], kind)) {
        return RF_OK;
    }
    /* Who makes rows of his own knows what the texts are; but keys that are one there for two of
     * the source are no keys. */
    if (sink->values.count > 0 && !column->key && name != NULL && kind != RF_CQL_COUNTER_TYPE) {
        set_method(column, RF_CASSANDRA_READ, 0, UINT32_MAX, true);
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG,
            "the column %.*s of %s is %s%s there, which does not hold all values "
            "of %.*s in %.*s",
            RF_STR_ARG(column->name), table->path.data, name != NULL ? "" : "of a type ",
            name != NULL ? name : "that we do not write", RF_STR_ARG(column->name),
            RF_STR_ARG(table->table->full_name));
    rf_error_hint(err,
                  "it would be made as %s; Cassandra does not change types: let another table be "
                  "made, with table=..., or leave the column out with columns=-%.*s",
                  rf_cassandra_column_type(sink, table, column), RF_STR_ARG(column->name));
    return RF_CONFIG;
}
