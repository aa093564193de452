/* Values of a row to those of CQL. What can be wrong with one is found before anything of its row
 * is sent; what is written then is written as often as a request is sent. */
#include "sink/cassandra_sink.h"
#include "wire/calendar.h"
#include "wire/cql_number.h"
#include "wire/cql_time.h"
#include "wire/cql_value.h"

enum { DAY_MS = 86400000 };

#define DAY_US INT64_C(86400000000)

static enum rf_status reject(const struct rf_event *event, struct rf_error *err)
{
    if (err != NULL) {
        err->event = event;
    }
    return RF_REJECT;
}

/* --------------------------------------------------------------------------------------- dates */

static struct rf_date date_of(uint64_t packed)
{
    return (struct rf_date){rf_datetime_year(packed), rf_datetime_month(packed),
                            rf_datetime_day(packed)};
}

static int64_t milliseconds_of(const struct rf_value *value)
{
    if (value->kind == RF_TIMESTAMP) {
        return value->i / 1000;
    }
    uint64_t packed = value->u;
    int64_t seconds = ((int64_t)rf_datetime_hour(packed) * 60 + rf_datetime_minute(packed)) * 60 +
                      rf_datetime_second(packed);
    return rf_date_days(date_of(packed)) * DAY_MS + seconds * 1000 +
           rf_datetime_micros(packed) / 1000;
}

static bool is_real(const struct rf_value *value)
{
    return value->kind == RF_TIMESTAMP ? value->i != 0 : rf_date_is_real(date_of(value->u));
}

/* Of a kind of integer. */
static int64_t integer_of(const struct rf_value *value)
{
    return value->kind == RF_INT ? value->i : (int64_t)value->u;
}

/* ----------------------------------------------------------------------------------- templates */

/* What the column's template makes, or the value's text, as bytes of its type, in sink->made. */
static enum rf_status render(struct rf_cassandra_sink *sink,
                             const struct rf_cassandra_change *change,
                             const struct rf_cassandra_column *column, struct rf_error *err)
{
    struct rf_cql_type type = {.kind = column->kind};
    struct rf_buf *rendered = &sink->rendered;
    rf_buf_reset(rendered);
    rf_buf_reset(&sink->made);
    enum rf_status status = RF_OK;
    if (column->source >= 0) {
        rf_value_print(rendered, change->image[column->source]);
    } else {
        status = rf_binding_render(&column->binding, change->event, change->commit_us,
                                   change->image, change->other, rendered, err);
    }
    if (status == RF_OK && !rf_cql_value_read(&sink->made, &type, rf_buf_str(rendered))) {
        rf_fail(err, RF_REJECT, "what column %.*s is to be for a row of %.*s is no %s",
                RF_STR_ARG(column->name), RF_STR_ARG(change->event->table->full_name),
                rf_cql_kind_name(column->kind));
        status = reject(change->event, err);
    }
    return status;
}

/* --------------------------------------------------------------------------------------- adding */

static void add_integer(struct rf_buf *out, int64_t number, unsigned size)
{
    uint64_t big = htobe64((uint64_t)number);
    char *at = rf_buf_reserve(out, 12);
    uint32_t head = htobe32(size);
    memcpy(at, &head, sizeof head);
    memcpy(at + 4, (const char *)&big + 8 - size, size);
    out->size += 4 + size;
}

static void add_floating(struct rf_buf *out, const struct rf_value *value, unsigned size)
{
    int64_t bits = 0;
    if (size == 4) {
        int32_t narrow;
        memcpy(&narrow, &value->f, sizeof narrow);
        bits = narrow;
    } else {
        double number = value->kind == RF_FLOAT ? (double)value->f : value->d;
        memcpy(&bits, &number, sizeof bits);
    }
    add_integer(out, bits, size);
}

/* What has no fixed size is written behind room for its size. */
static size_t begin_sized(struct rf_buf *out)
{
    rf_cql_add_int(out, 0);
    return out->size;
}

static void end_sized(struct rf_buf *out, size_t begin)
{
    uint32_t size = htobe32((uint32_t)(out->size - begin));
    memcpy(out->data + begin - sizeof size, &size, sizeof size);
}

static void add_decimal(struct rf_buf *out, const struct rf_value *value)
{
    if (value->kind == RF_DECIMAL) {
        bool good = rf_cql_add_decimal_text(out, rf_value_str(*value));
        rf_assert(good);
        return;
    }
    rf_cql_add_int(out, 0);
    if (value->kind == RF_INT) {
        rf_cql_add_varint(out, value->i);
    } else {
        rf_cql_add_varint_unsigned(out, value->u);
    }
}

static void add_sized(struct rf_buf *out, const struct rf_cassandra_column *column,
                      const struct rf_value *value)
{
    size_t begin = begin_sized(out);
    switch ((enum rf_cassandra_method)column->method) {
    case RF_CASSANDRA_VARINT:
        if (value->kind == RF_INT) {
            rf_cql_add_varint(out, value->i);
        } else {
            rf_cql_add_varint_unsigned(out, value->u);
        }
        break;
    case RF_CASSANDRA_DECIMAL: add_decimal(out, value); break;
    case RF_CASSANDRA_DURATION: rf_cql_add_duration(out, 0, 0, value->i * 1000); break;
    default: rf_value_print(out, *value); break;
    }
    end_sized(out, begin);
}

static void add_value(struct rf_buf *out, const struct rf_cassandra_column *column,
                      const struct rf_value *value)
{
    switch ((enum rf_cassandra_method)column->method) {
    case RF_CASSANDRA_INTEGER: add_integer(out, integer_of(value), column->size); break;
    case RF_CASSANDRA_BYTES: rf_cql_add_bytes(out, rf_value_str(*value)); break;
    case RF_CASSANDRA_FLOATING: add_floating(out, value, column->size); break;
    case RF_CASSANDRA_BOOLEAN: add_integer(out, integer_of(value), 1); break;
    case RF_CASSANDRA_DATE:
        add_integer(out, (int64_t)rf_cql_date(rf_date_days(date_of(value->u))), 4);
        break;
    case RF_CASSANDRA_TIMESTAMP: add_integer(out, milliseconds_of(value), 8); break;
    case RF_CASSANDRA_TIME: add_integer(out, value->i * 1000, 8); break;
    case RF_CASSANDRA_MICROS: add_integer(out, value->i, 8); break;
    default: add_sized(out, column, value); break;
    }
}

/* A column of the key may be told by the other image only. */
static const struct rf_value *value_of(const struct rf_cassandra_change *change,
                                       const struct rf_cassandra_column *column)
{
    const struct rf_value *value = &change->image[column->source];
    return value->kind == RF_ABSENT && column->key && change->other != NULL
               ? &change->other[column->source]
               : value;
}

void rf_cassandra_value_add(struct rf_cassandra_sink *sink, struct rf_buf *out,
                            const struct rf_cassandra_change *change,
                            const struct rf_cassandra_column *column)
{
    const struct rf_value *value = column->source < 0 ? NULL : value_of(change, column);
    if (value != NULL && value->kind == RF_NULL && change->nulls) {
        rf_cql_add_null(out);
    } else if (value != NULL && value->kind <= RF_NULL) {
        rf_cql_add_unset(out);
    } else if (column->method == RF_CASSANDRA_READ) {
        enum rf_status status = render(sink, change, column, NULL);
        rf_assert(status == RF_OK);
        rf_cql_add_bytes(out, rf_buf_str(&sink->made));
    } else {
        add_value(out, column, value);
    }
}

/* ------------------------------------------------------------------------------------- checking */

static enum rf_status cannot(const struct rf_cassandra_change *change,
                             const struct rf_cassandra_column *column, const char *what,
                             struct rf_error *err)
{
    rf_fail(err, RF_REJECT, "column %.*s of a row of %.*s %s, which %s cannot say",
            RF_STR_ARG(column->name), RF_STR_ARG(change->event->table->full_name), what,
            rf_cql_kind_name(column->kind));
    rf_error_hint(err, "where such values are to be carried, make the table in Cassandra yourself, "
                       "with this column as text");
    return reject(change->event, err);
}

static enum rf_status check_value(const struct rf_cassandra_change *change,
                                  const struct rf_cassandra_column *column,
                                  const struct rf_value *value, struct rf_error *err)
{
    if ((column->takes >> value->kind & 1) == 0) {
        rf_fail(err, RF_REJECT, "column %.*s of a row of %.*s is not what the table says it is",
                RF_STR_ARG(column->name), RF_STR_ARG(change->event->table->full_name));
        return reject(change->event, err);
    }
    switch ((enum rf_cassandra_method)column->method) {
    case RF_CASSANDRA_DATE:
    case RF_CASSANDRA_TIMESTAMP:
        return is_real(value) ? RF_OK : cannot(change, column, "is a date that there is not", err);
    case RF_CASSANDRA_TIME:
        return value->i >= 0 && value->i < DAY_US
                   ? RF_OK
                   : cannot(change, column, "is longer than a day or negative", err);
    case RF_CASSANDRA_BOOLEAN:
        return (uint64_t)integer_of(value) <= 1 ? RF_OK
                                                : cannot(change, column, "is not 0 or 1", err);
    default: return RF_OK;
    }
}

static enum rf_status untold(const struct rf_cassandra_change *change,
                             const struct rf_cassandra_column *column, struct rf_error *err)
{
    rf_fail(err, RF_REJECT,
            "the log does not tell column %.*s of a row of %.*s, which its key is "
            "made of",
            RF_STR_ARG(column->name), RF_STR_ARG(change->event->table->full_name));
    rf_error_hint(err, "set binlog_row_image=FULL at the source");
    return reject(change->event, err);
}

static enum rf_status check_column(struct rf_cassandra_sink *sink,
                                   const struct rf_cassandra_change *change,
                                   const struct rf_cassandra_column *column, struct rf_error *err)
{
    if (column->source < 0) {
        return render(sink, change, column, err);
    }
    const struct rf_value *value = value_of(change, column);
    if (value->kind == RF_NULL && column->key) {
        return cannot(change, column, "is NULL, but part of the key", err);
    }
    if (value->kind == RF_ABSENT && column->key) {
        return untold(change, column, err);
    }
    if (value->kind <= RF_NULL) {
        return RF_OK;
    }
    return column->method == RF_CASSANDRA_READ ? render(sink, change, column, err)
                                               : check_value(change, column, value, err);
}

enum rf_status rf_cassandra_row_check(struct rf_cassandra_sink *sink,
                                      struct rf_cassandra_change *change, struct rf_error *err)
{
    const struct rf_cassandra_table *table = change->table;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct rf_cassandra_column *column = &table->columns[i];
        const struct rf_value *value = column->source < 0 ? NULL : &change->image[column->source];
        if (value == NULL || column->picky || column->key ||
            (value->kind > RF_NULL && (column->takes >> value->kind & 1) == 0)) {
            enum rf_status status = check_column(sink, change, column, err);
            if (status != RF_OK) {
                return status;
            }
        }
        bytes += sizeof *value;
        if (value != NULL && value->kind >= RF_DECIMAL && value->kind <= RF_GEOMETRY) {
            bytes += value->size;
        }
    }
    change->bytes = bytes;
    if (bytes > sink->row_limit) {
        rf_fail(err, RF_REJECT, "a row of %.*s has about %llu bytes, and no more than %llu may be",
                RF_STR_ARG(change->event->table->full_name), (unsigned long long)bytes,
                (unsigned long long)sink->row_limit);
        rf_error_hint(err,
                      "leave large columns out with columns=-NAME, or cut them short; how much "
                      "Cassandra takes, max_mutation_size says");
        return reject(change->event, err);
    }
    return RF_OK;
}

enum rf_status rf_cassandra_key_add(struct rf_cassandra_sink *sink, struct rf_buf *out,
                                    const struct rf_cassandra_change *change, struct rf_error *err)
{
    const struct rf_cassandra_table *table = change->table;
    rf_buf_reset(out);
    rf_buf_add(out, &table->number, sizeof table->number);
    for (uint32_t i = 0; i < table->key_count; i++) {
        const struct rf_cassandra_column *column = &table->columns[table->key[i]];
        enum rf_status status = check_column(sink, change, column, err);
        if (status != RF_OK) {
            return status;
        }
        rf_cassandra_value_add(sink, out, change, column);
    }
    return RF_OK;
}
