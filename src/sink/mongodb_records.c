/* Whose a collection is. That it is filled by one table of one pipeline's one sink only is recorded
 * in rowferry.tables before the first row goes there:
 *
 *     _id              {database, collection}
 *     pipeline, sink   who fills it
 *     database, table  those of the source
 *
 * The records tell a TRUNCATE whose documents it may remove, and keep rows of two tables from
 * overwriting each other. A collection that has documents and no record is somebody else's: it is
 * filled only after `adopt`, which takes over records of others, too.
 *
 * Records of earlier versions have pipeline and sink in their _id. Who finds its own ones makes
 * those of today, where nobody has one, and does not ask about documents: they are its own. */
#include "sink/mongodb_sink.h"

enum { DUPLICATE_KEY = 11000 };

enum whose { NOBODYS, OURS, ANOTHERS };

static void add_id(struct rf_mongodb_sink *sink, const struct rf_mongodb_table *table)
{
    struct rf_buf *out = &sink->command;
    size_t id = rf_bson_open(out, RF_BSON_DOCUMENT, "_id");
    rf_bson_add_utf8(out, "database", rf_buf_str(&table->database));
    rf_bson_add_utf8(out, "collection", rf_buf_str(&table->collection));
    rf_bson_end(out, id);
}

/* The table's names at the source. */
static struct rf_str source_of(const struct rf_mongodb_table *table, struct rf_str *database)
{
    struct rf_str name = rf_buf_str(&table->name);
    (void)rf_str_split(&name, '\0', database);
    return name;
}

static void add_owner(struct rf_mongodb_sink *sink, const struct rf_mongodb_table *table)
{
    struct rf_str database, name = source_of(table, &database);
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

/* ----------------------------------------------------------------------------------- one record */

/* Reads the record. owner, when it is another's: "shop.orders of pipeline shop, sink main". */
static enum rf_status look(struct rf_mongodb_sink *sink, const struct rf_mongodb_table *table,
                           enum whose *whose, struct rf_buf *owner, struct rf_error *err)
{
    struct rf_mongodb_frame frame;
    bson_iter_t record;
    bson_t reply;
    bool found;
    rf_mongodb_find_begin(sink, RF_MONGODB_TABLES, &frame);
    add_id(sink, table);
    enum rf_status status =
        rf_mongodb_find_end(sink, &frame, RF_MONGODB_OWN, &reply, &record, &found, err);
    *whose = found ? OURS : NOBODYS;
    if (found) {
        struct rf_str database = text_of(&record, "database"), name = text_of(&record, "table");
        struct rf_str pipeline = text_of(&record, "pipeline"), sunk = text_of(&record, "sink");
        struct rf_str our_database, our_name = source_of(table, &our_database);
        if (!rf_str_equal(database, our_database) || !rf_str_equal(name, our_name) ||
            !rf_str_equal(pipeline, rf_str_of(sink->pipeline)) ||
            !rf_str_equal(sunk, rf_str_of(sink->instance))) {
            *whose = ANOTHERS;
            rf_buf_printf(owner, "%.*s.%.*s of pipeline %.*s, sink %.*s", RF_STR_ARG(database),
                          RF_STR_ARG(name), RF_STR_ARG(pipeline), RF_STR_ARG(sunk));
        }
    }
    bson_destroy(&reply);
    return status;
}

/* `would` is what rows or a TRUNCATE would do to the collection. */
static enum rf_status refuse(const struct rf_mongodb_table *table, const char *would,
                             struct rf_buf *owner, struct rf_error *err)
{
    struct rf_str database, name = source_of(table, &database);
    rf_fail(err, RF_CONFIG, "%s of %.*s.%.*s would %s %s, which %s%s", would, RF_STR_ARG(database),
            RF_STR_ARG(name), strcmp(would, "rows") == 0 ? "go to" : "empty", table->space.data,
            owner->size > 0 ? "another table fills already: "
                            : "is not recorded as its own any more",
            rf_buf_cstr(owner));
    rf_error_hint(err,
                  "make the collections differ with {database} and {table} in database= and "
                  "collection=; or, where that one fills it no more, take it over with "
                  "adopt=on, for one start. Records are in " RF_MONGODB_OWN "." RF_MONGODB_TABLES);
    return RF_CONFIG;
}

/* A collection without a record is ours to fill when nobody has filled it. */
static enum rf_status check_empty(struct rf_mongodb_sink *sink,
                                  const struct rf_mongodb_table *table, struct rf_error *err)
{
    struct rf_mongodb_frame frame;
    bson_iter_t document;
    bson_t reply;
    bool filled;
    rf_mongodb_find_begin(sink, table->collection.data, &frame);
    enum rf_status status =
        rf_mongodb_find_end(sink, &frame, table->database.data, &reply, &document, &filled, err);
    bson_destroy(&reply);
    if (status == RF_OK && filled) {
        rf_fail(err, RF_CONFIG,
                "the collection %s has documents, and none that this pipeline has written",
                table->space.data);
        rf_error_hint(err, "choose another one with database= and collection=, empty it, or take "
                           "it over with adopt=on: rows then replace documents of their _id, and "
                           "a TRUNCATE removes all");
        return RF_CONFIG;
    }
    return status;
}

/* Nothing is found by the filter but a record of the same table and owner; where another has one,
 * the upsert runs into its _id, and *lost. Who adopts finds either. */
static enum rf_status record(struct rf_mongodb_sink *sink, const struct rf_mongodb_table *table,
                             bool adopt, bool *lost, struct rf_error *err)
{
    struct rf_mongodb_frame frame;
    bson_t reply;
    rf_mongodb_update_begin(sink, RF_MONGODB_TABLES, &frame);
    add_id(sink, table);
    if (!adopt) {
        add_owner(sink, table);
    }
    rf_mongodb_update_with(sink, &frame);
    add_id(sink, table);
    add_owner(sink, table);
    enum rf_status status = rf_mongodb_update_end(sink, &frame, true, &reply, err);
    *lost = rf_mongodb_has_error(&reply, DUPLICATE_KEY);
    bson_destroy(&reply);
    return *lost ? RF_OK : status;
}

enum rf_status rf_mongodb_record_judge(struct rf_mongodb_sink *sink,
                                       const struct rf_mongodb_table *table, struct rf_error *err)
{
    struct rf_buf owner = {0};
    enum whose whose = OURS;
    enum rf_status status = look(sink, table, &whose, &owner, err);
    if (status == RF_OK && whose == ANOTHERS) {
        status = refuse(table, "rows", &owner, err);
    } else if (status == RF_OK && whose == NOBODYS) {
        status = check_empty(sink, table, err);
    }
    rf_buf_deinit(&owner);
    return status;
}

enum rf_status rf_mongodb_record_claim(struct rf_mongodb_sink *sink, struct rf_mongodb_table *table,
                                       struct rf_error *err)
{
    bool lost = false;
    enum rf_status status = sink->adopts ? RF_OK : rf_mongodb_record_judge(sink, table, err);
    if (status == RF_OK) {
        status = record(sink, table, sink->adopts, &lost, err);
    }
    if (lost) { /* the next time it can be read whose it is */
        status = rf_fail(err, RF_RETRY, "another process recorded %s as its own in the same moment",
                         table->space.data);
    }
    table->claimed = status == RF_OK;
    return status;
}

enum rf_status rf_mongodb_record_check(struct rf_mongodb_sink *sink, struct rf_mongodb_table *table,
                                       struct rf_error *err)
{
    struct rf_buf owner = {0};
    enum whose whose;
    enum rf_status status = look(sink, table, &whose, &owner, err);
    if (status == RF_OK && whose != OURS) {
        status = refuse(table, "a TRUNCATE", &owner, err);
    }
    rf_buf_deinit(&owner);
    return status;
}

/* ---------------------------------------------------------------------------------- our records */

/* Makes the record of today beside one of an earlier version. Where another has one by now, what is
 * said of that waits until rows come, if ever they do. */
static enum rf_status renew(struct rf_mongodb_sink *sink, struct rf_mongodb_table *table,
                            struct rf_error *err)
{
    struct rf_buf owner = {0};
    enum whose whose;
    bool lost = false;
    enum rf_status status = look(sink, table, &whose, &owner, err);
    rf_buf_deinit(&owner);
    if (status == RF_OK && whose == NOBODYS) {
        status = record(sink, table, false, &lost, err);
    }
    table->claimed = status == RF_OK && whose != ANOTHERS && !lost;
    return status;
}

/* A record of before; when the templates were others then, it is of no use now. */
static enum rf_status take_record(struct rf_mongodb_sink *sink, const bson_iter_t *found,
                                  struct rf_error *err)
{
    struct rf_mongodb_table *table = NULL;
    enum rf_status status = rf_mongodb_table_get(sink, text_of(found, "database"),
                                                 text_of(found, "table"), &table, err);
    if (status != RF_OK || table->claimed ||
        !rf_str_equal(text_of(found, "_id.database"), rf_buf_str(&table->database)) ||
        !rf_str_equal(text_of(found, "_id.collection"), rf_buf_str(&table->collection))) {
        return status;
    }
    if (text_of(found, "_id.pipeline").data != NULL && !sink->looks_only) {
        return renew(sink, table, err);
    }
    table->claimed = true;
    return RF_OK;
}

/* Takes the records of one answer; *cursor is 0 behind the last one. */
static enum rf_status take_records(struct rf_mongodb_sink *sink, const bson_t *reply,
                                   int64_t *cursor, struct rf_error *err)
{
    bson_iter_t iter, batch, found;
    enum rf_status status = RF_OK;
    *cursor = 0;
    if (bson_iter_init(&iter, reply) && bson_iter_find_descendant(&iter, "cursor.id", &batch)) {
        *cursor = bson_iter_as_int64(&batch);
    }
    if ((bson_iter_init(&iter, reply) &&
         bson_iter_find_descendant(&iter, "cursor.firstBatch", &batch)) ||
        (bson_iter_init(&iter, reply) &&
         bson_iter_find_descendant(&iter, "cursor.nextBatch", &batch))) {
        bool within = bson_iter_recurse(&batch, &found);
        while (within && status == RF_OK && bson_iter_next(&found)) {
            status = BSON_ITER_HOLDS_DOCUMENT(&found) ? take_record(sink, &found, err) : RF_OK;
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

enum rf_status rf_mongodb_records_read(struct rf_mongodb_sink *sink, struct rf_error *err)
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
