/* Which collection a table fills, and how its rows are told as documents. The templates of database
 * and collection are made of the table's names alone, so that a TRUNCATE in a later process finds
 * the same one. */
#include "sink/mongodb_sink.h"

#include "base/memory.h"

#include <stdlib.h>

enum { DATABASE_NAME_MAX = 63, SPACE_MAX = 255 };

/* The entry is the first member. */
static struct rf_mongodb_table *table_of(struct rf_map_entry *entry)
{
    return (struct rf_mongodb_table *)entry;
}

/* ---------------------------------------------------------------------------------------- names */

static enum rf_status parse(struct rf_template *template, const char *option, const char *text,
                            struct rf_error *err)
{
    struct rf_buf rendered = {0};
    enum rf_status status = rf_template_parse(template, RF_TEMPLATE_VALUE, text, err);
    if (status != RF_OK) {
        return status;
    }
    bool varies = strstr(text, "{op}") != NULL || strstr(text, "{ts}") != NULL;
    if (varies ||
        rf_template_render_name(template, RF_STR("d"), RF_STR("t"), &rendered, err) != RF_OK) {
        rf_fail(err, RF_CONFIG, "%s '%s' can be made of {database}, {table} and text only", option,
                text);
        rf_error_hint(err, "such as {table}, or shop_{table}: a table fills one collection");
        status = RF_CONFIG;
    }
    rf_buf_deinit(&rendered);
    return status;
}

enum rf_status rf_mongodb_tables_parse(struct rf_mongodb_sink *sink, struct rf_error *err)
{
    const char *database = sink->database, *path = sink->path;
    path = path != NULL && path[0] == '/' ? path + 1 : path;
    if (path != NULL && path[0] != '\0') {
        if (database != NULL && database[0] != '\0') {
            rf_fail(err, RF_CONFIG, "the address names the database %s, and so does database=%s",
                    path, database);
            rf_error_hint(err, "leave one of them out");
            return RF_CONFIG;
        }
        database = path;
    }
    if (database == NULL || database[0] == '\0') {
        database = "{database}";
    }
    enum rf_status status = parse(&sink->database_template, "database", database, err);
    return status == RF_OK ? parse(&sink->collection_template, "collection", sink->collection, err)
                           : status;
}

static bool is_own_or_system(const char *database)
{
    static const char *const names[] = {RF_MONGODB_OWN, "admin", "local", "config"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(database, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static enum rf_status bad_place(const struct rf_mongodb_table *table, struct rf_str source,
                                const char *why, struct rf_error *err)
{
    rf_fail(err, RF_CONFIG, "rows of %.*s cannot go to '%s': %s", RF_STR_ARG(source),
            table->space.data, why);
    rf_error_hint(err,
                  "choose another with database= and collection=, or leave the table out with "
                  "tables=...,-%.*s",
                  RF_STR_ARG(source));
    return RF_CONFIG;
}

/* Source: MongoDB Manual, "MongoDB Limits and Thresholds", naming restrictions. */
static enum rf_status check_place(const struct rf_mongodb_table *table, struct rf_str source,
                                  struct rf_error *err)
{
    struct rf_str database = rf_buf_str(&table->database),
                  collection = rf_buf_str(&table->collection);
    if (is_own_or_system(database.data)) {
        return bad_place(table, source, "this database is rowferry's own or MongoDB's", err);
    }
    if (database.size == 0 || database.size > DATABASE_NAME_MAX ||
        strcspn(database.data, "/\\. \"$") != database.size) {
        return bad_place(table, source, "a database's name has 1 to 63 bytes and none of /\\. \"$",
                         err);
    }
    if (collection.size == 0 || strcspn(collection.data, "$") != collection.size ||
        rf_str_starts(collection, RF_STR("system."))) {
        return bad_place(table, source,
                         "a collection's name is not empty, has no $ and does not begin with "
                         "system.",
                         err);
    }
    if (table->space.size > SPACE_MAX) {
        return bad_place(table, source, "both names together have at most 255 bytes", err);
    }
    return RF_OK;
}

/* --------------------------------------------------------------------------------------- tables */

static void set_name(struct rf_buf *out, struct rf_str database, struct rf_str table)
{
    rf_buf_set(out, database);
    rf_buf_add_byte(out, '\0');
    rf_buf_add_str(out, table);
}

enum rf_status rf_mongodb_table_get(struct rf_mongodb_sink *sink, struct rf_str database,
                                    struct rf_str name, struct rf_mongodb_table **out,
                                    struct rf_error *err)
{
    set_name(&sink->text, database, name);
    struct rf_mongodb_table *table = table_of(rf_map_find(&sink->tables, rf_buf_str(&sink->text)));
    if (table == NULL) {
        table = rf_alloc_zero(1, sizeof *table);
        rf_buf_set(&table->name, rf_buf_str(&sink->text));
        table->number = sink->table_count++;
        rf_map_add(&sink->tables, &table->entry, rf_buf_str(&table->name));
    }
    *out = table;
    if (table->space.size > 0) {
        return RF_OK;
    }
    enum rf_status status =
        rf_template_render_name(&sink->database_template, database, name, &table->database, err);
    if (status == RF_OK) {
        status = rf_template_render_name(&sink->collection_template, database, name,
                                         &table->collection, err);
    }
    if (status == RF_OK) {
        rf_buf_printf(&table->space, "%s.%s", table->database.data, table->collection.data);
    }
    return status;
}

static void unbind(struct rf_mongodb_table *table)
{
    rf_bson_fields_deinit(&table->key);
    rf_bson_fields_deinit(&table->fields);
    rf_table_release(table->table);
    table->table = NULL;
}

/* -------------------------------------------------------------------------------------- binding */

/* How a rule for columns names this one: what the rule would read otherwise is any byte. */
static void hint_without(struct rf_str name, const struct rf_table *table, struct rf_error *err)
{
    char rule[64];
    size_t size = name.size < sizeof rule ? name.size : sizeof rule;
    for (size_t i = 0; i < size; i++) {
        rule[i] = strchr(".,()", name.data[i]) != NULL ? '?' : name.data[i];
    }
    rf_error_hint(err,
                  "leave the column out with columns=-%.*s, or the table with tables=...,-%.*s",
                  (int)size, rule, RF_STR_ARG(table->full_name));
}

static enum rf_status check_columns(const struct rf_mongodb_sink *sink,
                                    const struct rf_table *table, struct rf_error *err)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct rf_column *column = &table->columns[i];
        struct rf_str name = column->name;
        bool whole_key = column->key && table->key_count == 1;
        bool dollar = name.size > 0 && name.data[0] == '$';
        bool special = dollar || memchr(name.data, '.', name.size) != NULL;
        if (rf_str_equal(name, RF_STR("_id")) && !whole_key) {
            rf_fail(err, RF_CONFIG,
                    "table %.*s has a column _id that is not its primary key, which is what _id is "
                    "in MongoDB",
                    RF_STR_ARG(table->full_name));
        } else if (dollar && column->key && !whole_key) {
            rf_fail(err, RF_CONFIG,
                    "column '%.*s' of table %.*s: within an _id no field's name begins with $",
                    RF_STR_ARG(name), RF_STR_ARG(table->full_name));
        } else if (special && sink->mongo.max_wire < RF_MONGO_WIRE_5_0) {
            rf_fail(err, RF_CONFIG,
                    "column '%.*s' of table %.*s: before MongoDB 5.0 a field's name cannot have "
                    "points, or begin with $; %s has the protocol of an older one",
                    RF_STR_ARG(name), RF_STR_ARG(table->full_name), sink->mongo.peer);
        } else {
            continue;
        }
        hint_without(name, table, err);
        return RF_CONFIG;
    }
    return RF_OK;
}

/* All columns, but one that is the key by the name _id: a field comes once. */
static void init_fields(struct rf_mongodb_sink *sink, struct rf_mongodb_table *target,
                        const struct rf_table *table)
{
    uint32_t *numbers = rf_alloc((table->column_count + 1) * sizeof *numbers), count = 0;
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (!rf_str_equal(table->columns[i].name, RF_STR("_id"))) {
            numbers[count++] = i;
        }
    }
    enum rf_bson_dates dates = (enum rf_bson_dates)sink->dates;
    rf_bson_fields_init(&target->fields, table, numbers, count, dates);
    rf_bson_fields_init(&target->key, table, table->key_columns, table->key_count, dates);
    target->table = rf_table_retain((struct rf_table *)table);
    free(numbers);
}

static enum rf_status bind_version(struct rf_mongodb_sink *sink, struct rf_mongodb_table *target,
                                   const struct rf_table *table, struct rf_error *err)
{
    if (table->key_count == 0) {
        rf_fail(err, RF_CONFIG, "table %.*s has no primary key, which is to be the _id",
                RF_STR_ARG(table->full_name));
        rf_error_hint(err,
                      "give it a primary key; sequences and tables without a key can be left out "
                      "with tables=...,-%.*s",
                      RF_STR_ARG(table->full_name));
        return RF_CONFIG;
    }
    enum rf_status status = check_place(target, table->full_name, err);
    if (status == RF_OK && !table->documents) {
        status = check_columns(sink, table, err);
    }
    if (status == RF_OK) {
        status = rf_mongodb_loop_check(sink, target, table, err);
    }
    if (status == RF_OK) {
        init_fields(sink, target, table);
        status = target->claimed ? RF_OK : rf_mongodb_record_claim(sink, target, err);
    }
    return status;
}

enum rf_status rf_mongodb_table_bind(struct rf_mongodb_sink *sink, const struct rf_table *table,
                                     struct rf_mongodb_table **out, struct rf_error *err)
{
    enum rf_status status = rf_mongodb_table_get(sink, table->database, table->name, out, err);
    struct rf_mongodb_table *target = *out;
    if (status != RF_OK || target->table == table) {
        return status;
    }
    /* What waits was put in by the version before, and is written by what is known of it. */
    status = target->table != NULL ? rf_mongodb_rows_send(sink, err) : RF_OK;
    unbind(target);
    if (status == RF_OK) {
        status = bind_version(sink, target, table, err);
    }
    if (status != RF_OK) {
        unbind(target);
    }
    return status;
}

enum rf_status rf_mongodb_table_of(struct rf_mongodb_sink *sink, struct rf_str database,
                                   struct rf_str table, struct rf_mongodb_table **out,
                                   struct rf_error *err)
{
    enum rf_status status = rf_mongodb_table_get(sink, database, table, out, err);
    if (status == RF_OK && !(*out)->claimed) {
        *out = NULL;
    }
    return status;
}

enum rf_status rf_mongodb_table_examine(struct rf_mongodb_sink *sink, struct rf_str database,
                                        struct rf_str name, struct rf_mongodb_table **out,
                                        struct rf_error *err)
{
    struct rf_buf full = {0};
    enum rf_status status = rf_mongodb_table_get(sink, database, name, out, err);
    if (status == RF_OK) {
        rf_buf_printf(&full, "%.*s.%.*s", RF_STR_ARG(database), RF_STR_ARG(name));
        status = check_place(*out, rf_buf_str(&full), err);
    }
    rf_buf_deinit(&full);
    return status == RF_OK && !(*out)->claimed && !sink->adopts
               ? rf_mongodb_record_judge(sink, *out, err)
               : status;
}

void rf_mongodb_tables_deinit(struct rf_mongodb_sink *sink)
{
    for (struct rf_map_entry *entry = rf_map_next(&sink->tables, NULL), *next; entry != NULL;
         entry = next) {
        struct rf_mongodb_table *table = table_of(entry);
        next = rf_map_next(&sink->tables, entry);
        unbind(table);
        rf_buf_deinit(&table->name);
        rf_buf_deinit(&table->database);
        rf_buf_deinit(&table->collection);
        rf_buf_deinit(&table->space);
        free(table);
    }
    rf_map_deinit(&sink->tables);
    rf_template_deinit(&sink->database_template);
    rf_template_deinit(&sink->collection_template);
}
