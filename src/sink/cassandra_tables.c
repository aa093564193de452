/* Which table there a table of the source fills. The template is made of the source's names alone,
 * so that a TRUNCATE in a later process finds the same one. That a table is filled by one of the
 * source only is recorded beside the position before the first row goes there: the records tell a
 * TRUNCATE whose rows it may remove, keep rows of two tables from overwriting each other, and say
 * of a table that is gone that it was there. */
#include "sink/cassandra_sink.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdlib.h>

/* Rows that others have written until now are older than ours, though their clocks differ. */
#define ADOPT_MARGIN_US UINT64_C(10000000)

/* The entry is the first member. */
static struct rf_cassandra_table *table_of(struct rf_map_entry *entry)
{
    return (struct rf_cassandra_table *)entry;
}

/* ------------------------------------------------------------------------------------- templates
 * */

static enum rf_status parse_table(struct rf_cassandra_sink *sink, struct rf_error *err)
{
    const char *text = sink->table;
    struct rf_buf rendered = {0};
    enum rf_status status = rf_template_parse(&sink->table_template, RF_TEMPLATE_VALUE, text, err);
    if (status != RF_OK) {
        return status;
    }
    bool varies = strstr(text, "{op}") != NULL || strstr(text, "{ts}") != NULL;
    if (varies || rf_template_render_name(&sink->table_template, RF_STR("d"), RF_STR("t"),
                                          &rendered, err) != RF_OK) {
        rf_fail(err, RF_CONFIG, "table '%s' can be made of {database}, {table} and text only",
                text);
        rf_error_hint(err, "such as {table}, or {database}_{table}");
        status = RF_CONFIG;
    }
    rf_buf_deinit(&rendered);
    return status;
}

static enum rf_status parse_value(struct rf_cassandra_sink *sink, uint32_t number,
                                  struct rf_error *err)
{
    struct rf_str text = rf_str_of(sink->values.items[number]), name;
    bool split = rf_str_split(&text, '=', &name) && text.data != NULL;
    if (!split || name.size == 0) {
        rf_fail(err, RF_CONFIG, "'%s' in values is not NAME=TEMPLATE", sink->values.items[number]);
        rf_error_hint(err, "such as values=id=latest,stamp={ts}");
        return RF_CONFIG;
    }
    for (uint32_t i = 0; i < number; i++) {
        struct rf_str other = rf_str_of(sink->values.items[i]), before;
        (void)rf_str_split(&other, '=', &before);
        if (rf_str_equal(name, before)) {
            return rf_fail(err, RF_CONFIG, "the column %.*s comes twice in values",
                           RF_STR_ARG(name));
        }
    }
    return rf_template_parse(&sink->value_templates[number], RF_TEMPLATE_VALUE, text.data, err);
}

static enum rf_status parse_key(struct rf_cassandra_sink *sink, struct rf_error *err)
{
    if (sink->key_names.count > 0 && sink->values.count == 0) {
        rf_fail(err, RF_CONFIG, "key goes with values only");
        rf_error_hint(err, "without them the key is the primary key of the source");
        return RF_CONFIG;
    }
    for (uint32_t i = 0; i < sink->key_names.count; i++) {
        bool found = false;
        for (uint32_t j = 0; j < sink->values.count; j++) {
            struct rf_str text = rf_str_of(sink->values.items[j]), name;
            (void)rf_str_split(&text, '=', &name);
            found |= rf_str_equal(name, rf_str_of(sink->key_names.items[i]));
        }
        if (!found) {
            return rf_fail(err, RF_CONFIG, "the column '%s' of key is none of values",
                           sink->key_names.items[i]);
        }
    }
    return RF_OK;
}

enum rf_status rf_cassandra_tables_parse(struct rf_cassandra_sink *sink, struct rf_error *err)
{
    enum rf_status status = parse_table(sink, err);
    sink->value_templates = rf_alloc_zero(sink->values.count + 1, sizeof *sink->value_templates);
    for (uint32_t i = 0; i < sink->values.count && status == RF_OK; i++) {
        status = parse_value(sink, i, err);
    }
    return status == RF_OK ? parse_key(sink, err) : status;
}

/* ---------------------------------------------------------------------------------------- names */

/* Source: the CQL reference, "Data Definition", names of keyspaces and tables. */
static bool is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
}

static bool is_name(struct rf_str name)
{
    for (size_t i = 0; i < name.size; i++) {
        if (!is_name_byte(name.data[i])) {
            return false;
        }
    }
    return name.size > 0 && name.size <= RF_CASSANDRA_NAME_MAX;
}

static void escape(struct rf_buf *name)
{
    struct rf_buf escaped = {0};
    for (size_t i = 0; i < name->size; i++) {
        if (is_name_byte(name->data[i])) {
            rf_buf_add_byte(&escaped, name->data[i]);
        } else {
            rf_buf_printf(&escaped, "_%02x", (unsigned char)name->data[i]);
        }
    }
    rf_buf_set(name, rf_buf_str(&escaped));
    rf_buf_deinit(&escaped);
}

static enum rf_status check_name(const struct rf_cassandra_table *table, struct rf_str source,
                                 struct rf_error *err)
{
    struct rf_str name = rf_buf_str(&table->target);
    bool own = rf_str_starts(name, RF_STR(RF_CASSANDRA_OWN_PREFIX));
    if (is_name(name) && !own) {
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG, "rows of %.*s cannot go to a table '%.*s': %s", RF_STR_ARG(source),
            RF_STR_ARG(name),
            own ? "such names are rowferry's own"
                : "a name has 1 to 48 letters without accents, digits and underscores");
    rf_error_hint(err,
                  "choose another with table=..., write the bytes in another way with escape=on, "
                  "or leave it out with tables=...,-%.*s",
                  RF_STR_ARG(source));
    return RF_CONFIG;
}

struct rf_str rf_cassandra_table_source(struct rf_cassandra_sink *sink,
                                        const struct rf_cassandra_table *table)
{
    struct rf_str name = rf_buf_str(&table->name), database;
    (void)rf_str_split(&name, '\0', &database);
    rf_buf_set(&sink->text, database);
    rf_buf_add_byte(&sink->text, '.');
    rf_buf_add_str(&sink->text, name);
    return rf_buf_str(&sink->text);
}

enum rf_status rf_cassandra_table_get(struct rf_cassandra_sink *sink, struct rf_str database,
                                      struct rf_str name, struct rf_cassandra_table **out,
                                      struct rf_error *err)
{
    rf_buf_set(&sink->text, database);
    rf_buf_add_byte(&sink->text, '\0');
    rf_buf_add_str(&sink->text, name);
    struct rf_cassandra_table *table =
        table_of(rf_map_find(&sink->tables, rf_buf_str(&sink->text)));
    if (table == NULL) {
        table = rf_alloc_zero(1, sizeof *table);
        rf_buf_set(&table->name, rf_buf_str(&sink->text));
        table->number = sink->table_count++;
        rf_map_add(&sink->tables, &table->entry, rf_buf_str(&table->name));
    }
    *out = table;
    if (table->path.size > 0) {
        return RF_OK;
    }
    enum rf_status status =
        rf_template_render_name(&sink->table_template, database, name, &table->target, err);
    if (status == RF_OK && sink->escape) {
        escape(&table->target);
    }
    if (status == RF_OK) {
        rf_buf_add_str(&table->path, rf_buf_str(&sink->quoted));
        rf_buf_add_byte(&table->path, '.');
        rf_cassandra_add_name(&table->path, rf_buf_str(&table->target));
        (void)rf_buf_cstr(&table->path);
    }
    return status;
}

/* -------------------------------------------------------------------------------------- records */

/* Rows of two tables in one there would overwrite each other, but for those that share keys anyway.
 * */
static enum rf_status check_shared(struct rf_cassandra_sink *sink,
                                   const struct rf_cassandra_table *table, struct rf_error *err)
{
    for (struct rf_map_entry *entry = rf_map_next(&sink->tables, NULL); entry != NULL;
         entry = rf_map_next(&sink->tables, entry)) {
        const struct rf_cassandra_table *other = table_of(entry);
        if (other == table || !other->recorded ||
            !rf_str_equal(rf_buf_str(&other->target), rf_buf_str(&table->target)) ||
            (other->recorded_folds && table->folds)) {
            continue;
        }
        rf_fail(err, RF_CONFIG, "rows of %.*s would go to %s, which %.*s fills already",
                RF_STR_ARG(table->table->full_name), table->path.data,
                RF_STR_ARG(rf_cassandra_table_source(sink, other)));
        rf_error_hint(err, "make the tables differ, with table={database}_{table}; for a renamed "
                           "table see docs/delivery.md");
        return RF_CONFIG;
    }
    return RF_OK;
}

static enum rf_status has_rows(struct rf_cassandra_sink *sink,
                               const struct rf_cassandra_table *table, bool *rows,
                               struct rf_error *err)
{
    struct rf_cql_result result;
    rf_buf_set(&sink->statement, RF_STR("SELECT "));
    rf_buf_add_str(&sink->statement, rf_buf_str(&table->columns[table->key[0]].quoted));
    rf_buf_add_str(&sink->statement, RF_STR(" FROM "));
    rf_buf_add_str(&sink->statement, rf_buf_str(&table->path));
    rf_buf_add_str(&sink->statement, RF_STR(" LIMIT 1"));
    enum rf_status status = rf_cassandra_ask(
        sink, (enum rf_cql_consistency)sink->cluster.consistency, NULL, 0, &result, err);
    *rows = status == RF_OK && result.row_count > 0;
    return status;
}

static enum rf_status not_ours(struct rf_cassandra_sink *sink,
                               const struct rf_cassandra_table *table, const char *why,
                               struct rf_error *err)
{
    rf_fail(err, RF_CONFIG, "the table %s %s, and this pipeline did not begin it", table->path.data,
            why);
    rf_error_hint(err,
                  "empty it, choose another with table=..., or take it over with adopt=yes: "
                  "rows of %.*s are then written over what is there",
                  RF_STR_ARG(table->table->full_name));
    (void)sink;
    return RF_CONFIG;
}

/* A table that was there before us, and is not recorded as ours. What we write must be newer than
 * what is there, or it would not be seen. */
static enum rf_status take_over(struct rf_cassandra_sink *sink, struct rf_cassandra_table *table,
                                struct rf_error *err)
{
    bool rows = false, taken = false;
    uint64_t stamp = 0;
    enum rf_status status =
        rf_cassandra_place_others(sink, rf_buf_str(&table->target), &stamp, &taken, err);
    if (status == RF_OK) {
        status = has_rows(sink, table, &rows, err);
    }
    if (status != RF_OK || (!rows && !taken)) {
        return status;
    }
    if (!sink->adopts) {
        return not_ours(sink, table, taken ? "is filled by another pipeline" : "has rows", err);
    }
    uint64_t now = (uint64_t)rf_clock_wall_us() + ADOPT_MARGIN_US;
    uint64_t newest = stamp + RF_STAMP_GAP > now && stamp > 0 ? stamp + RF_STAMP_GAP : now;
    table->lift = newest > sink->stamp ? newest - sink->stamp : 0;
    return RF_OK;
}

/* -------------------------------------------------------------------------------------- binding */

static void unbind(struct rf_cassandra_table *table)
{
    rf_cassandra_columns_deinit(table);
    rf_cql_statement_deinit(&table->insert);
    rf_cql_statement_deinit(&table->remove);
    rf_bson_row_deinit(&table->row);
    rf_table_release(table->table);
    table->table = NULL;
    table->shown = NULL;
}

static enum rf_status bind_version(struct rf_cassandra_sink *sink, struct rf_cassandra_table *table,
                                   struct rf_error *err)
{
    bool found = false;
    enum rf_status status = check_name(table, table->table->full_name, err);
    if (status == RF_OK) {
        status = rf_cassandra_columns_make(sink, table, err);
    }
    if (status == RF_OK) {
        status = check_shared(sink, table, err);
    }
    if (status == RF_OK) {
        status = rf_cassandra_schema_fit(sink, table, &found, err);
    }
    if (status == RF_OK && !table->recorded && found) {
        status = take_over(sink, table, err);
    }
    if (status == RF_OK && (!table->recorded || table->recorded_folds != table->folds)) {
        status = rf_cassandra_place_record(sink, table, err);
    }
    return status;
}

enum rf_status rf_cassandra_table_bind(struct rf_cassandra_sink *sink, const struct rf_table *table,
                                       struct rf_cassandra_table **out, struct rf_error *err)
{
    struct rf_cassandra_table *target = NULL;
    enum rf_status status =
        rf_cassandra_table_get(sink, table->database, table->name, &target, err);
    *out = target;
    if (status != RF_OK || target->table == table) {
        return status;
    }
    /* What is under way was made by the version before, and may have to be sent again. */
    status = rf_cassandra_rows_finish(sink, err);
    unbind(target);
    if (status == RF_OK) {
        target->table = rf_table_retain((struct rf_table *)table);
        target->shown = table;
        if (table->documents) {
            rf_cassandra_documents_show(sink, target);
        }
        status = bind_version(sink, target, err);
    }
    if (status != RF_OK) {
        unbind(target);
    }
    return status;
}

void rf_cassandra_tables_deinit(struct rf_cassandra_sink *sink)
{
    for (struct rf_map_entry *entry = rf_map_next(&sink->tables, NULL), *next; entry != NULL;
         entry = next) {
        struct rf_cassandra_table *table = table_of(entry);
        next = rf_map_next(&sink->tables, entry);
        unbind(table);
        rf_buf_deinit(&table->name);
        rf_buf_deinit(&table->target);
        rf_buf_deinit(&table->path);
        free(table);
    }
    rf_map_deinit(&sink->tables);
    for (uint32_t i = 0; sink->value_templates != NULL && i < sink->values.count; i++) {
        rf_template_deinit(&sink->value_templates[i]);
    }
    free(sink->value_templates);
    rf_template_deinit(&sink->table_template);
}
