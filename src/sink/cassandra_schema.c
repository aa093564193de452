/* The tables there: what they are, making them, and adding columns that the source has got. */
#include "sink/cassandra_sink.h"

#include "base/memory.h"

#include <stdlib.h>

/* A column of the table there, as system_schema.columns tells it. Lies in the answer. */
struct there {
    struct rf_str name, type, kind; /* partition_key, clustering, regular, static */
    int32_t position;               /* in its part of the key */
};

struct shape {
    struct there *columns;
    uint32_t count;
};

static enum rf_status read_shape(struct rf_cassandra_sink *sink,
                                 const struct rf_cassandra_table *table, struct shape *shape,
                                 struct rf_error *err)
{
    struct rf_cql_result result;
    struct rf_str values[] = {rf_buf_str(&sink->keyspace), rf_buf_str(&table->target)};
    rf_buf_set(&sink->statement,
               RF_STR("SELECT column_name, type, kind, position FROM system_schema.columns WHERE "
                      "keyspace_name = ? AND table_name = ?"));
    enum rf_status status = rf_cassandra_ask(sink, RF_CQL_ONE, values, 2, &result, err);
    if (status != RF_OK) {
        return status;
    }
    shape->columns =
        rf_arena_alloc(&sink->cluster.arena, (result.row_count + 1) * sizeof *shape->columns);
    for (uint32_t i = 0; i < result.row_count && status == RF_OK; i++) {
        struct rf_str row[4];
        status = rf_cql_result_row(&result, row, err);
        if (status == RF_OK) {
            struct rf_cursor position = rf_cursor_of(row[3]);
            shape->columns[i] =
                (struct there){row[0], row[1], row[2], rf_cql_int(&position, "position")};
        }
    }
    shape->count = result.row_count;
    return status;
}

static const struct there *find_there(const struct shape *shape, struct rf_str name)
{
    for (uint32_t i = 0; i < shape->count; i++) {
        if (rf_str_equal(shape->columns[i].name, name)) {
            return &shape->columns[i];
        }
    }
    return NULL;
}

static bool is_partition(const struct there *there)
{
    return rf_str_equal(there->kind, RF_STR("partition_key"));
}

static bool is_key(const struct there *there)
{
    return is_partition(there) || rf_str_equal(there->kind, RF_STR("clustering"));
}

/* ----------------------------------------------------------------------------------------- made */

/* CREATE TABLE. Its key is all one partition: any part of it alone could make a partition of
 * millions of rows. */
static void add_create(struct rf_cassandra_sink *sink, const struct rf_cassandra_table *table)
{
    struct rf_buf *out = &sink->statement;
    rf_buf_set(out, RF_STR("CREATE TABLE IF NOT EXISTS "));
    rf_buf_add_str(out, rf_buf_str(&table->path));
    rf_buf_add_str(out, RF_STR(" ("));
    for (uint32_t i = 0; i < table->column_count; i++) {
        rf_buf_add_str(out, rf_buf_str(&table->columns[i].quoted));
        rf_buf_printf(out, " %s, ", rf_cassandra_column_type(sink, table, &table->columns[i]));
    }
    rf_buf_add_str(out, RF_STR("PRIMARY KEY (("));
    for (uint32_t i = 0; i < table->key_count; i++) {
        rf_buf_add_str(out, i > 0 ? RF_STR(", ") : RF_STR_NONE);
        rf_buf_add_str(out, rf_buf_str(&table->columns[table->key[i]].quoted));
    }
    rf_buf_add_str(out, RF_STR(")))"));
}

static enum rf_status alter(struct rf_cassandra_sink *sink, const struct rf_cassandra_table *table,
                            const char *what, struct rf_error *err)
{
    enum rf_status status = rf_cassandra_alter(sink, err);
    if (status != RF_CONFIG) {
        return status;
    }
    rf_error_wrap(err, "could not %s %s", what, table->path.data);
    rf_error_hint(err, "do it yourself, or let us: %s", rf_buf_cstr(&sink->statement));
    return status;
}

/* Adds the columns that are not there; *changed when there were any. */
static enum rf_status add_columns(struct rf_cassandra_sink *sink,
                                  const struct rf_cassandra_table *table, const struct shape *shape,
                                  bool *changed, struct rf_error *err)
{
    struct rf_buf *out = &sink->statement;
    rf_buf_set(out, RF_STR("ALTER TABLE "));
    rf_buf_add_str(out, rf_buf_str(&table->path));
    rf_buf_add_str(out, RF_STR(" ADD ("));
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct rf_cassandra_column *column = &table->columns[i];
        if (find_there(shape, column->name) != NULL) {
            continue;
        }
        rf_buf_add_str(out, *changed ? RF_STR(", ") : RF_STR_NONE);
        rf_buf_add_str(out, rf_buf_str(&column->quoted));
        rf_buf_printf(out, " %s", rf_cassandra_column_type(sink, table, column));
        *changed = true;
    }
    rf_buf_add_byte(out, ')');
    return *changed ? alter(sink, table, "add columns to", err) : RF_OK;
}

/* -------------------------------------------------------------------------------------- checked */

static enum rf_status other_key(const struct rf_cassandra_table *table, struct rf_str column,
                                const char *what, struct rf_error *err)
{
    rf_fail(err, RF_CONFIG, "the table %s does not fit: its column %.*s is %s", table->path.data,
            RF_STR_ARG(column), what);
    rf_error_hint(err,
                  "its primary key must be made of the same columns as that of %.*s; let "
                  "another table be made, with table=...",
                  RF_STR_ARG(table->table->full_name));
    return RF_CONFIG;
}

/* The columns of the key are the same on both sides, in whatever order they are there. */
static enum rf_status check_key(const struct rf_cassandra_table *table, const struct shape *shape,
                                struct rf_error *err)
{
    for (uint32_t i = 0; i < table->key_count; i++) {
        struct rf_str name = table->columns[table->key[i]].name;
        const struct there *there = find_there(shape, name);
        if (there == NULL || !is_key(there)) {
            return other_key(table, name, there == NULL ? "missing" : "not part of the primary key",
                             err);
        }
    }
    for (uint32_t i = 0; i < shape->count; i++) {
        const struct there *there = &shape->columns[i];
        bool ours = false;
        for (uint32_t j = 0; j < table->key_count; j++) {
            ours |= rf_str_equal(there->name, table->columns[table->key[j]].name);
        }
        if (is_key(there) && !ours) {
            return other_key(table, there->name, "part of the primary key there alone", err);
        }
    }
    return RF_OK;
}

static enum rf_status check_regular(struct rf_cassandra_sink *sink,
                                    const struct rf_cassandra_table *table,
                                    const struct shape *shape, struct rf_error *err)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        struct rf_cassandra_column *column = &table->columns[i];
        const struct there *there = find_there(shape, column->name);
        if (there == NULL) {
            return rf_fail(err, RF_RETRY, "the column %.*s of %s is not there yet",
                           RF_STR_ARG(column->name), table->path.data);
        }
        if (rf_str_equal(there->kind, RF_STR("static"))) {
            return other_key(table, column->name, "static", err);
        }
        enum rf_status status =
            rf_cassandra_column_fit(sink, table, column, rf_cql_kind_of(there->type), err);
        if (status != RF_OK) {
            return status;
        }
    }
    return RF_OK;
}

/* Our key in the order of the one there, that of the partition first. */
static void order_key(struct rf_cassandra_table *table, const struct shape *shape)
{
    uint32_t filled = 0;
    uint32_t *key = rf_alloc_zero(table->key_count + 1, sizeof *key);
    table->partition_count = 0;
    for (int part = 0; part < 2; part++) {
        for (int32_t position = 0; position < (int32_t)table->key_count; position++) {
            for (uint32_t i = 0; i < table->key_count; i++) {
                const struct there *there = find_there(shape, table->columns[table->key[i]].name);
                if (there->position == position && is_partition(there) == (part == 0)) {
                    key[filled++] = table->key[i];
                    table->partition_count += part == 0;
                }
            }
        }
    }
    rf_assert(filled == table->key_count);
    free(table->key);
    table->key = key;
}

static void add_names(struct rf_buf *out, const struct rf_cassandra_table *table,
                      const uint32_t *columns, uint32_t count, const char *between)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct rf_cassandra_column *column = &table->columns[columns ? columns[i] : i];
        rf_buf_add_str(out, i > 0 ? rf_str_of(between) : RF_STR_NONE);
        rf_buf_add_str(out, rf_buf_str(&column->quoted));
        if (columns != NULL) {
            rf_buf_add_str(out, RF_STR(" = ?"));
        }
    }
}

static enum rf_status prepare(struct rf_cassandra_sink *sink, struct rf_cassandra_table *table,
                              struct rf_error *err)
{
    struct rf_buf *out = &sink->statement;
    rf_buf_set(out, RF_STR("INSERT INTO "));
    rf_buf_add_str(out, rf_buf_str(&table->path));
    rf_buf_add_str(out, RF_STR(" ("));
    add_names(out, table, NULL, table->column_count, ", ");
    rf_buf_add_str(out, RF_STR(") VALUES ("));
    for (uint32_t i = 0; i < table->column_count; i++) {
        rf_buf_add_str(out, i > 0 ? RF_STR(", ?") : RF_STR("?"));
    }
    rf_buf_add_byte(out, ')');
    enum rf_status status = rf_cassandra_prepare(sink, &table->insert, err);
    if (status != RF_OK) {
        return status;
    }
    rf_buf_set(out, RF_STR("DELETE FROM "));
    rf_buf_add_str(out, rf_buf_str(&table->path));
    rf_buf_add_str(out, RF_STR(" WHERE "));
    add_names(out, table, table->key, table->key_count, " AND ");
    status = rf_cassandra_prepare(sink, &table->remove, err);
    if (status == RF_OK &&
        (table->insert.count != table->column_count || table->remove.count != table->key_count)) {
        status = rf_fail(err, RF_RETRY, "Cassandra has prepared other statements for %s than ours",
                         table->path.data);
    }
    for (uint32_t i = 0; status == RF_OK && i < table->column_count; i++) {
        if (table->insert.kinds[i] != table->columns[i].kind) {
            status = rf_fail(err, RF_RETRY, "the column %.*s of %s has just changed its type",
                             RF_STR_ARG(table->columns[i].name), table->path.data);
        }
    }
    return status;
}

enum rf_status rf_cassandra_schema_vanished(const struct rf_cassandra_table *table,
                                            struct rf_error *err)
{
    rf_fail(err, RF_FATAL, "the table %s has vanished: its rows were lost, or somebody dropped it",
            table->path.data);
    rf_error_hint(err, "what is in the log from here on would not bring its rows back; see "
                       "docs/delivery.md on a destination that lost its data");
    return RF_FATAL;
}

enum rf_status rf_cassandra_schema_fit(struct rf_cassandra_sink *sink,
                                       struct rf_cassandra_table *table, bool *found,
                                       struct rf_error *err)
{
    struct shape shape = {0};
    bool changed = false;
    enum rf_status status = read_shape(sink, table, &shape, err);
    *found = shape.count > 0;
    if (status == RF_OK && *found) {
        status = check_key(table, &shape, err);
        if (status == RF_OK) {
            status = add_columns(sink, table, &shape, &changed, err);
        }
    } else if (status == RF_OK && table->recorded && !sink->adopts && !sink->ordered) {
        status = rf_cassandra_schema_vanished(table, err);
    } else if (status == RF_OK) {
        changed = true;
        add_create(sink, table);
        status = alter(sink, table, "make the table", err);
    }
    if (status == RF_OK && changed) {
        status = read_shape(sink, table, &shape, err);
    }
    /* It may be another's who was quicker. */
    if (status == RF_OK && changed) {
        status = check_key(table, &shape, err);
    }
    if (status == RF_OK) {
        status = check_regular(sink, table, &shape, err);
    }
    if (status == RF_OK) {
        order_key(table, &shape);
        status = prepare(sink, table, err);
    }
    return status;
}
