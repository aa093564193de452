/* Which collection a table fills. The templates of database and collection are made of the table's
 * names alone, so that a TRUNCATE in a later process finds the same one. That a collection is
 * filled by one table of one pipeline's one sink only is recorded in rowferry.tables before the
 * first row goes there:
 *
 *     _id              {database, collection}
 *     pipeline, sink   who fills it
 *     database, table  those of the source
 *
 * The records tell a TRUNCATE whose documents it may remove, and keep rows of two tables from
 * overwriting each other. A collection that has documents and no record is somebody else's: it is
 * filled only after `adopt`, which takes over records of others, too. Records of earlier versions
 * have pipeline and sink in their _id; who finds its own ones there makes the new ones. */
#include "sink/mongodb_sink.h"

#include "base/memory.h"

#include <stdlib.h>

enum { DUPLICATE_KEY = 11000, DATABASE_NAME_MAX = 63, SPACE_MAX = 255 };

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

/* The one of these names, which may be new, with its collection. */
static enum rf_status get_table(struct rf_mongodb_sink *sink, struct rf_str database,
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

/* -------------------------------------------------------------------------------------- records */

static void add_record_id(struct rf_mongodb_sink *sink, const struct rf_mongodb_table *table)
{
    struct rf_buf *out = &sink->command;
    size_t id = rf_bson_open(out, RF_BSON_DOCUMENT, "_id");
    rf_bson_add_utf8(out, "database", rf_buf_str(&table->database));
    rf_bson_add_utf8(out, "collection", rf_buf_str(&table->collection));
    rf_bson_end(out, id);
}

static void add_record_owner(struct rf_mongodb_sink *sink, const struct rf_mongodb_table *table)
{
    struct rf_str name = rf_buf_str(&table->name), database;
    (void)rf_str_split(&name, '\0', &database);
    rf_bson_add_utf8(&sink->command, "pipeline", rf_str_of(sink->pipeline));
    rf_bson_add_utf8(&sink->command, "sink", rf_str_of(sink->instance));
    rf_bson_add_utf8(&sink->command, "database", database);
    rf_bson_add_utf8(&sink->command, "table", name);
}

static struct rf_str text_of(const bson_iter_t *document, const char *path)
{
    bson_iter_t iter, found;
    uint32_t size = 0;
    if (bson_iter_recurse(document, &iter) && bson_iter_find_descendant(&iter, path, &found) &&
        BSON_ITER_HOLDS_UTF8(&found)) {
        const char *text = bson_iter_utf8(&found, &size);
        return (struct rf_str){text, size};
    }
    return RF_STR_NONE;
}

/* Asks for one document of a collection; without a record's _id for any. *found, and then what it
 * says of its owner: "shop.orders of pipeline shop, sink main". */
static enum rf_status find_one(struct rf_mongodb_sink *sink, const struct rf_mongodb_table *table,
                               bool record, bool *found, struct rf_buf *owner, struct rf_error *err)
{
    struct rf_buf *out = &sink->command;
    const char *database = record ? RF_MONGODB_OWN : table->database.data;
    bson_iter_t iter, batch, document;
    bson_t reply;
    size_t command =
        rf_mongodb_begin(sink, "find", record ? RF_MONGODB_TABLES : table->collection.data);
    size_t filter = rf_bson_open(out, RF_BSON_DOCUMENT, "filter");
    if (record) {
        add_record_id(sink, table);
    }
    rf_bson_end(out, filter);
    rf_bson_add_int32(out, "limit", 1);
    rf_bson_add_bool(out, "singleBatch", true);
    enum rf_status status = rf_mongodb_end(sink, command, database, &reply, err);
    *found = status == RF_OK && bson_iter_init(&iter, &reply) &&
             bson_iter_find_descendant(&iter, "cursor.firstBatch", &batch) &&
             bson_iter_recurse(&batch, &document) && bson_iter_next(&document);
    if (*found && record && BSON_ITER_HOLDS_DOCUMENT(&document)) {
        rf_buf_printf(
            owner, "%.*s.%.*s of pipeline %.*s, sink %.*s",
            RF_STR_ARG(text_of(&document, "database")), RF_STR_ARG(text_of(&document, "table")),
            RF_STR_ARG(text_of(&document, "pipeline")), RF_STR_ARG(text_of(&document, "sink")));
    }
    bson_destroy(&reply);
    return status;
}

static enum rf_status taken(struct rf_mongodb_sink *sink, const struct rf_mongodb_table *table,
                            struct rf_error *err)
{
    struct rf_str name = rf_buf_str(&table->name), database;
    struct rf_buf owner = {0};
    bool found = false;
    enum rf_status status = find_one(sink, table, true, &found, &owner, err);
    (void)rf_str_split(&name, '\0', &database);
    if (status == RF_OK) {
        rf_fail(err, RF_CONFIG,
                "rows of %.*s.%.*s would go to %s, which another table fills already: %s",
                RF_STR_ARG(database), RF_STR_ARG(name), table->space.data,
                owner.size > 0 ? rf_buf_cstr(&owner) : "(its record has just gone)");
        rf_error_hint(err, "make the collections differ with {database} and {table} in database= "
                           "and collection=; or, where that one fills it no more, take it over "
                           "with adopt=on, for one start. Records are in " RF_MONGODB_OWN
                           "." RF_MONGODB_TABLES);
        status = RF_CONFIG;
    }
    rf_buf_deinit(&owner);
    return status;
}

/* A collection without a record is ours to fill when nobody has filled it. */
static enum rf_status check_empty(struct rf_mongodb_sink *sink,
                                  const struct rf_mongodb_table *table, struct rf_error *err)
{
    bool record = false, filled = false;
    struct rf_buf owner = {0};
    enum rf_status status = find_one(sink, table, true, &record, &owner, err);
    if (status == RF_OK && !record) {
        status = find_one(sink, table, false, &filled, NULL, err);
    }
    rf_buf_deinit(&owner);
    if (status == RF_OK && filled) {
        rf_fail(err, RF_CONFIG,
                "the collection %s has documents, and none that this pipeline has written",
                table->space.data);
        rf_error_hint(err, "choose another one with database= and collection=, empty it, or take "
                           "it over with adopt=on: rows then replace documents of their _id, and "
                           "a TRUNCATE removes all");
        status = RF_CONFIG;
    }
    return status;
}

/* Nothing is found by this filter but a record of the same table and owner; where another has one,
 * the upsert runs into its _id. Who adopts finds either. */
static enum rf_status claim(struct rf_mongodb_sink *sink, struct rf_mongodb_table *table,
                            bool adopt, struct rf_error *err)
{
    struct rf_buf *out = &sink->command;
    bson_t reply;
    enum rf_status status = adopt ? RF_OK : check_empty(sink, table, err);
    if (status != RF_OK) {
        return status;
    }
    size_t command = rf_mongodb_begin(sink, "update", RF_MONGODB_TABLES);
    size_t updates = rf_bson_open(out, RF_BSON_ARRAY, "updates");
    size_t item = rf_bson_open_item(out, 0);
    size_t filter = rf_bson_open(out, RF_BSON_DOCUMENT, "q");
    add_record_id(sink, table);
    if (!adopt) {
        add_record_owner(sink, table);
    }
    rf_bson_end(out, filter);
    size_t document = rf_bson_open(out, RF_BSON_DOCUMENT, "u");
    add_record_id(sink, table);
    add_record_owner(sink, table);
    rf_bson_end(out, document);
    rf_bson_add_bool(out, "upsert", true);
    rf_bson_end(out, item);
    rf_bson_end(out, updates);
    rf_bson_add_document(out, "writeConcern", rf_buf_str(&sink->safe));
    status = rf_mongodb_end(sink, command, RF_MONGODB_OWN, &reply, err);
    if (rf_mongodb_has_error(&reply, DUPLICATE_KEY)) {
        status = taken(sink, table, err);
    }
    bson_destroy(&reply);
    table->claimed = status == RF_OK;
    return status;
}

/* Makes the record of today beside one of an earlier version, unless another has made one. */
static enum rf_status claim_again(struct rf_mongodb_sink *sink, struct rf_mongodb_table *table,
                                  struct rf_error *err)
{
    bool there = false;
    struct rf_buf owner = {0};
    enum rf_status status = find_one(sink, table, true, &there, &owner, err);
    rf_buf_deinit(&owner);
    return status == RF_OK ? claim(sink, table, !there, err) : status;
}

/* A record of before; when the templates were others then, it is of no use now. */
static enum rf_status take_record(struct rf_mongodb_sink *sink, const bson_iter_t *record,
                                  struct rf_error *err)
{
    struct rf_mongodb_table *table = NULL;
    enum rf_status status =
        get_table(sink, text_of(record, "database"), text_of(record, "table"), &table, err);
    if (status == RF_OK &&
        rf_str_equal(text_of(record, "_id.database"), rf_buf_str(&table->database)) &&
        rf_str_equal(text_of(record, "_id.collection"), rf_buf_str(&table->collection))) {
        /* One of an earlier version: its documents are ours, so nothing is asked of them. */
        bool early = text_of(record, "_id.pipeline").data != NULL;
        status = early && !table->claimed ? claim_again(sink, table, err) : RF_OK;
        table->claimed = status == RF_OK;
    }
    return status;
}

/* Takes the records of one answer; *cursor is 0 behind the last one. */
static enum rf_status take_records(struct rf_mongodb_sink *sink, const bson_t *reply,
                                   int64_t *cursor, struct rf_error *err)
{
    bson_iter_t iter, batch, record;
    enum rf_status status = RF_OK;
    *cursor = 0;
    if (bson_iter_init(&iter, reply) && bson_iter_find_descendant(&iter, "cursor.id", &batch)) {
        *cursor = bson_iter_as_int64(&batch);
    }
    if ((bson_iter_init(&iter, reply) &&
         bson_iter_find_descendant(&iter, "cursor.firstBatch", &batch)) ||
        (bson_iter_init(&iter, reply) &&
         bson_iter_find_descendant(&iter, "cursor.nextBatch", &batch))) {
        bool within = bson_iter_recurse(&batch, &record);
        while (within && status == RF_OK && bson_iter_next(&record)) {
            status = BSON_ITER_HOLDS_DOCUMENT(&record) ? take_record(sink, &record, err) : RF_OK;
        }
        return status;
    }
    return rf_fail(err, RF_RETRY, "%s did not answer a find as it should", sink->mongo.peer);
}

static void add_owner_filter(struct rf_mongodb_sink *sink, uint32_t number, const char *pipeline,
                             const char *instance)
{
    size_t item = rf_bson_open_item(&sink->command, number);
    rf_bson_add_utf8(&sink->command, pipeline, rf_str_of(sink->pipeline));
    rf_bson_add_utf8(&sink->command, instance, rf_str_of(sink->instance));
    rf_bson_end(&sink->command, item);
}

enum rf_status rf_mongodb_tables_read(struct rf_mongodb_sink *sink, struct rf_error *err)
{
    struct rf_buf *out = &sink->command;
    bson_t reply;
    int64_t cursor = 0;
    size_t command = rf_mongodb_begin(sink, "find", RF_MONGODB_TABLES);
    size_t filter = rf_bson_open(out, RF_BSON_DOCUMENT, "filter");
    size_t either = rf_bson_open(out, RF_BSON_ARRAY, "$or");
    add_owner_filter(sink, 0, "pipeline", "sink");
    add_owner_filter(sink, 1, "_id.pipeline", "_id.sink"); /* of earlier versions */
    rf_bson_end(out, either);
    rf_bson_end(out, filter);
    enum rf_status status = rf_mongodb_end(sink, command, RF_MONGODB_OWN, &reply, err);
    for (;;) {
        if (status == RF_OK) {
            status = take_records(sink, &reply, &cursor, err);
        }
        bson_destroy(&reply);
        if (status != RF_OK || cursor == 0) {
            return status;
        }
        rf_buf_reset(out);
        command = rf_bson_begin(out);
        rf_bson_add_int64(out, "getMore", cursor);
        rf_bson_add_utf8(out, "collection", RF_STR(RF_MONGODB_TABLES));
        status = rf_mongodb_end(sink, command, RF_MONGODB_OWN, &reply, err);
    }
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
        init_fields(sink, target, table);
        status = target->claimed ? RF_OK : claim(sink, target, sink->adopts, err);
    }
    return status;
}

enum rf_status rf_mongodb_table_bind(struct rf_mongodb_sink *sink, const struct rf_table *table,
                                     struct rf_mongodb_table **out, struct rf_error *err)
{
    enum rf_status status = get_table(sink, table->database, table->name, out, err);
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
    enum rf_status status = get_table(sink, database, table, out, err);
    if (status == RF_OK && !(*out)->claimed) {
        *out = NULL;
    }
    return status;
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
