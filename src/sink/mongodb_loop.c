/* A pipeline must not feed itself: what is written to a collection that is captured comes back as
 * a change, and is written again, over what was changed meanwhile.
 *
 * By the names of the collections, and of those that this sink is recorded to fill; and by the
 * deployment, which positions of the source `mongodb` begin with (net/mongo_who.h): it has one id
 * whatever its addresses are. */
#include "sink/mongodb_sink.h"

#include "net/mongo_who.h"

#include <rowferry/log.h>

/* Whether this sink fills that collection. */
static bool is_filled(const struct rf_mongodb_sink *sink, struct rf_str space)
{
    for (struct rf_map_entry *entry = rf_map_next(&sink->tables, NULL); entry != NULL;
         entry = rf_map_next(&sink->tables, entry)) {
        const struct rf_mongodb_table *table = (const struct rf_mongodb_table *)entry;
        if (table->claimed && rf_str_equal(rf_buf_str(&table->space), space)) {
            return true;
        }
    }
    return false;
}

/* Whether documents of that collection have been seen. */
static bool is_captured(struct rf_mongodb_sink *sink, const struct rf_mongodb_table *target)
{
    rf_buf_set(&sink->text, rf_buf_str(&target->database));
    rf_buf_add_byte(&sink->text, '\0');
    rf_buf_add_str(&sink->text, rf_buf_str(&target->collection));
    struct rf_map_entry *entry = rf_map_find(&sink->tables, rf_buf_str(&sink->text));
    const struct rf_mongodb_table *table = (const struct rf_mongodb_table *)entry;
    return table != NULL && (table->claimed || table->table != NULL);
}

/* "set=64f0..." of the position; empty: it is none of MongoDB's. */
static struct rf_str deployment_of(struct rf_str position)
{
    struct rf_str kind, who;
    if (!rf_str_split(&position, ':', &kind) || !rf_str_equal(kind, RF_STR("mongodb")) ||
        position.data == NULL || !rf_str_split(&position, ';', &who)) {
        return RF_STR_NONE;
    }
    return who;
}

/* Whether the deployment that is written to is the one that is captured; asked once. */
static enum rf_status compare(struct rf_mongodb_sink *sink, struct rf_error *err)
{
    struct rf_str captured = deployment_of(rf_buf_str(&sink->position));
    struct rf_error refusal = {0};
    bson_t reply;
    bool found = false;
    if (captured.size == 0 || sink->compared) {
        return RF_OK;
    }
    enum rf_status status =
        rf_str_starts(captured, RF_STR("marker="))
            ? rf_mongo_who_marker(&sink->mongo, &sink->text, &found, &reply, &refusal)
            : rf_mongo_who(&sink->mongo, &sink->text, &found, &reply, &refusal);
    bson_destroy(&reply);
    sink->same = found && rf_str_equal(rf_buf_str(&sink->text), captured);
    if (status != RF_OK && (refusal.code == 0 || rf_mongo_passes(refusal.code))) {
        if (err != NULL) {
            *err = refusal;
        }
        return status;
    }
    if (status != RF_OK && refusal.access) {
        rf_log(RF_LOG_WARN,
               "%s does not tell this user which deployment it is (role clusterMonitor): if it is "
               "the one that is captured, what is written comes back as a change",
               sink->mongo.peer);
    }
    sink->compared = true;
    return RF_OK;
}

enum rf_status rf_mongodb_loop_check(struct rf_mongodb_sink *sink,
                                     const struct rf_mongodb_table *target,
                                     const struct rf_table *table, struct rf_error *err)
{
    bool itself = rf_str_equal(table->full_name, rf_buf_str(&target->space));
    bool filled = is_filled(sink, table->full_name);
    if (!table->documents || (!itself && !filled && !is_captured(sink, target))) {
        return RF_OK;
    }
    enum rf_status status = compare(sink, err);
    if (status != RF_OK || !sink->same) {
        return status;
    }
    rf_fail(err, RF_CONFIG,
            "%s is the deployment that is captured, and documents of %.*s would go to %s, %s: "
            "the pipeline would feed itself",
            sink->mongo.peer, RF_STR_ARG(table->full_name), target->space.data,
            itself   ? "where they come from"
            : filled ? "and they come from one that it fills"
                     : "which it captures");
    rf_error_hint(err,
                  "write to a database (database=) that is not captured, or leave what is filled "
                  "out of the source: tables=-%.*s. If it is another deployment, made of a copy "
                  "of the files, it still has the id of that one: give it its own (start it "
                  "without --replSet, drop the database local, then rs.initiate())",
                  RF_STR_ARG(itself || filled ? table->full_name : rf_buf_str(&target->space)));
    return RF_CONFIG;
}
