/* One event of a change stream to one event of a batch. The bytes are copied once, into the batch,
 * and everything points into that copy.
 *
 * Source: MongoDB Manual, "Change Events". */
#include "source/mongodb.h"

#include "base/memory.h"
#include "wire/bson_id.h"
#include "wire/bson_json.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    NESTED_MAX = 100, /* levels that a document of MongoDB has at most */
    LEVEL_BYTES = 7,  /* type, an empty name, size and end: what a level takes at least */
    NAME_MAX_SIZE = 512,
};

/* ---------------------------------------------------------------------------------- reading one */

/* The document or text of a field of that type; false: it is of another type. */
static bool take_document(const struct rf_bson_element *field, struct rf_str *out)
{
    if (field->type != RF_BSON_DOCUMENT) {
        return false;
    }
    *out = rf_bson_document(field);
    return true;
}

static bool take_text(const struct rf_bson_element *field, struct rf_str *out)
{
    if (field->type != RF_BSON_UTF8) {
        return false;
    }
    *out = rf_bson_text(field);
    return true;
}

/* A document, or null: it was asked for in vain. */
static bool take_image(const struct rf_bson_element *field, struct rf_str *out, bool *looked)
{
    *looked = field->type == RF_BSON_NULL;
    return *looked || take_document(field, out);
}

static bool take_names(const struct rf_bson_element *field, struct rf_str *database,
                       struct rf_str *collection)
{
    struct rf_bson_element name;
    if (field->type != RF_BSON_DOCUMENT) {
        return false;
    }
    struct rf_str document = rf_bson_document(field);
    if (!rf_bson_find(document, RF_STR("db"), &name) || !take_text(&name, database)) {
        return false;
    }
    return !rf_bson_find(document, RF_STR("coll"), &name) || take_text(&name, collection);
}

static bool take_number(const struct rf_bson_element *field, int64_t *out)
{
    if (field->type == RF_BSON_INT64) {
        *out = rf_bson_int64(field);
    } else if (field->type == RF_BSON_INT32) {
        *out = rf_bson_int32(field);
    }
    return field->type == RF_BSON_INT64 || field->type == RF_BSON_INT32;
}

static bool is_named(const struct rf_bson_element *field, const char *name)
{
    return rf_str_equal(field->name, rf_str_of(name));
}

static bool take_wall(const struct rf_bson_element *field, int64_t *out)
{
    if (field->type != RF_BSON_DATE) {
        return false;
    }
    int64_t ms = rf_bson_int64(field);
    *out = ms > 0 && ms < INT64_MAX / 1000 ? ms * 1000 : 0;
    return true;
}

/* False: the field is not of the type that it has to be. */
static bool take_field(struct rf_mongodb_source_change *change, const struct rf_bson_element *field)
{
    if (is_named(field, "_id")) {
        return take_document(field, &change->token);
    }
    if (is_named(field, "operationType")) {
        return take_text(field, &change->type);
    }
    if (is_named(field, "fullDocument")) {
        return take_image(field, &change->document, &change->looked_up);
    }
    if (is_named(field, "fullDocumentBeforeChange")) {
        return take_image(field, &change->before, &change->looked_before);
    }
    if (is_named(field, "documentKey")) {
        return take_document(field, &change->key);
    }
    if (is_named(field, "ns")) {
        return take_names(field, &change->database, &change->collection);
    }
    if (is_named(field, "to")) {
        return take_names(field, &change->to_database, &change->to_collection);
    }
    if (is_named(field, "updateDescription")) {
        return take_document(field, &change->update);
    }
    if (is_named(field, "clusterTime")) {
        bool fits = field->type == RF_BSON_TIMESTAMP;
        change->seconds = fits ? rf_bson_seconds(field) : 0;
        change->increment = fits ? rf_bson_increment(field) : 0;
        return fits;
    }
    if (is_named(field, "wallTime")) {
        return take_wall(field, &change->wall_us);
    }
    if (is_named(field, "lsid")) {
        return take_document(field, &change->lsid);
    }
    if (is_named(field, "txnNumber")) {
        return take_number(field, &change->txn_number);
    }
    return true; /* what later versions add stays in the raw event */
}

enum rf_status rf_mongodb_source_change_read(const struct rf_mongodb_source *state,
                                             struct rf_mongodb_source_change *change,
                                             struct rf_str event, struct rf_error *err)
{
    struct rf_bson_element field;
    struct rf_bson_walk walk = rf_bson_walk(event);
    *change = (struct rf_mongodb_source_change){.whole = event};
    while (rf_bson_next(&walk, &field)) {
        if (!take_field(change, &field)) {
            return rf_fail(err, RF_FATAL,
                           "a change event has a field %.*s of the BSON type 0x%02x, which is not "
                           "what the manual says",
                           (int)(field.name.size < 100 ? field.name.size : 100), field.name.data,
                           field.type);
        }
    }
    if (change->token.size == 0 || change->type.size == 0) {
        return rf_fail(err, RF_FATAL, "a change event has no %s",
                       change->token.size == 0 ? "resume token (_id)" : "operationType");
    }
    if (change->database.size == 0 && state->collection.size > 0 &&
        !rf_str_equal(change->type, RF_STR("invalidate"))) {
        /* Who watches one collection need not be told which. */
        change->database = rf_buf_str(&state->database);
        change->collection = rf_buf_str(&state->collection);
    }
    return RF_OK;
}

/* -------------------------------------------------------------------------------- collections */

/* What is behind a table: its columns and names, in one piece. */
struct description {
    struct rf_column columns[2];
    uint32_t key_columns[1];
    char text[];
};

static struct rf_table *create_table(struct rf_str database, struct rf_str name)
{
    struct rf_table *table = rf_alloc_zero(1, sizeof *table);
    size_t size = database.size + 1 + name.size;
    struct description *description = rf_alloc_zero(1, sizeof *description + size + 1);
    memcpy(description->text, database.data, database.size);
    description->text[database.size] = '.';
    memcpy(description->text + database.size + 1, name.data, name.size);
    description->columns[0] = (struct rf_column){.name = RF_STR("_id"),
                                                 .type = RF_COLUMN_DOCUMENT_ID,
                                                 .charset = RF_CHARSET_UTF8,
                                                 .key = true};
    description->columns[1] = (struct rf_column){
        .name = RF_STR("document"), .type = RF_COLUMN_DOCUMENT, .nullable = true};
    *table = (struct rf_table){
        .version = 1,
        .database = {description->text, database.size},
        .name = {description->text + database.size + 1, name.size},
        .full_name = {description->text, size},
        .column_count = 2,
        .key_count = 1,
        .documents = true,
        .columns = description->columns,
        .key_columns = description->key_columns,
        .memory = description,
    };
    atomic_init(&table->references, 1);
    return table;
}

/* NULL: the names are longer than any of MongoDB's. */
static struct rf_mongodb_source_collection *collection_of(
    struct rf_mongodb_source *state, const struct rf_mongodb_source_change *change)
{
    char name[NAME_MAX_SIZE];
    size_t size = change->database.size + 1 + change->collection.size;
    if (size > sizeof name) {
        return NULL;
    }
    memcpy(name, change->database.data, change->database.size);
    name[change->database.size] = '.';
    if (change->collection.size > 0) {
        memcpy(name + change->database.size + 1, change->collection.data, change->collection.size);
    }
    struct rf_map_entry *entry = rf_map_find(&state->collections, (struct rf_str){name, size});
    if (entry != NULL) {
        return (
            struct rf_mongodb_source_collection
                *)(void *)((char *)entry - offsetof(struct rf_mongodb_source_collection, entry));
    }
    struct rf_mongodb_source_collection *made = rf_alloc_zero(1, sizeof *made);
    made->table = create_table(change->database, change->collection);
    made->picked = !rf_str_equal(change->database, RF_STR(RF_MONGODB_SOURCE_OWN)) &&
                   rf_pick_table(&state->pick, made->table->full_name);
    rf_map_add(&state->collections, &made->entry, made->table->full_name);
    return made;
}

void rf_mongodb_source_collections_deinit(struct rf_mongodb_source *state)
{
    struct rf_map_entry *entry = rf_map_next(&state->collections, NULL);
    while (entry != NULL) {
        struct rf_map_entry *next = rf_map_next(&state->collections, entry);
        struct rf_mongodb_source_collection *collection =
            (void *)((char *)entry - offsetof(struct rf_mongodb_source_collection, entry));
        rf_table_release(collection->table);
        free(collection);
        entry = next;
    }
    rf_map_deinit(&state->collections);
}

/* The same of a name that only a rename tells: it may be gone the next moment. */
static bool is_name_picked(const struct rf_mongodb_source *state, struct rf_str database,
                           struct rf_str collection)
{
    char name[NAME_MAX_SIZE];
    size_t size = database.size + 1 + collection.size;
    if (rf_str_equal(database, RF_STR(RF_MONGODB_SOURCE_OWN)) || database.size == 0 ||
        collection.size == 0 || size > sizeof name) {
        return false;
    }
    memcpy(name, database.data, database.size);
    name[database.size] = '.';
    memcpy(name + database.size + 1, collection.data, collection.size);
    return rf_pick_table(&state->pick, (struct rf_str){name, size});
}

bool rf_mongodb_source_change_is_picked(struct rf_mongodb_source *state,
                                        const struct rf_mongodb_source_change *change)
{
    if (change->database.size == 0) {
        return true; /* invalidate: it ends the whole stream */
    }
    if (rf_str_equal(change->type, RF_STR("rename"))) { /* $out ends with one */
        return is_name_picked(state, change->database, change->collection) ||
               is_name_picked(state, change->to_database, change->to_collection);
    }
    if (change->collection.size == 0) { /* dropDatabase */
        return !rf_str_equal(change->database, RF_STR(RF_MONGODB_SOURCE_OWN)) &&
               rf_pick_database(&state->pick, change->database);
    }
    const struct rf_mongodb_source_collection *collection = collection_of(state, change);
    return collection == NULL || collection->picked;
}

/* --------------------------------------------------------------------------------- handing over */

static int levels_of(struct rf_str document)
{
    int deepest = 0;
    struct rf_bson_element field;
    struct rf_bson_walk walk = rf_bson_walk(document);
    while (rf_bson_next(&walk, &field)) {
        int below = field.type == RF_BSON_DOCUMENT || field.type == RF_BSON_ARRAY
                        ? levels_of(rf_bson_document(&field))
                        : 0;
        deepest = below > deepest ? below : deepest;
    }
    return deepest + 1;
}

static bool is_too_deep(struct rf_str document)
{
    return document.size > (size_t)NESTED_MAX * LEVEL_BYTES && levels_of(document) > NESTED_MAX;
}

static enum rf_status refuse(const struct rf_mongodb_source_change *change, struct rf_error *err,
                             const char *what)
{
    return rf_fail(err, RF_FATAL, "%.*s of %.*s.%.*s at %u.%u: %s", RF_STR_ARG(change->type),
                   RF_STR_ARG(change->database), RF_STR_ARG(change->collection), change->seconds,
                   change->increment, what);
}

static struct rf_value document_value(struct rf_str document, bool gone)
{
    if (document.size == 0) {
        return (struct rf_value){.kind = gone ? RF_NULL : RF_ABSENT};
    }
    return (struct rf_value){
        .kind = RF_DOCUMENT, .size = (uint32_t)document.size, .text = document.data};
}

static const struct rf_value *image_of(struct rf_batch *batch, struct rf_value id,
                                       struct rf_value document)
{
    struct rf_value *image = rf_arena_alloc(&batch->arena, 2 * sizeof *image);
    image[0] = id;
    image[1] = document;
    return image;
}

static enum rf_status add_row(struct rf_mongodb_source *state, struct rf_batch *batch,
                              const struct rf_mongodb_source_change *change, struct rf_event *event,
                              struct rf_error *err)
{
    struct rf_bson_element id;
    struct rf_mongodb_source_collection *collection = collection_of(state, change);
    if (collection == NULL || change->collection.size == 0) {
        return refuse(change, err, "its names are none that MongoDB has");
    }
    if (change->key.size == 0 || !rf_bson_find(change->key, RF_STR("_id"), &id)) {
        refuse(change, err, "the server does not say which document it is (documentKey._id)");
        rf_error_hint(err, "MongoDB always says it; this server's change events are not those of "
                           "MongoDB");
        return RF_FATAL;
    }
    if (is_too_deep(change->document) || is_too_deep(change->before)) {
        return refuse(change, err,
                      "the document is nested deeper than the 100 levels that "
                      "MongoDB takes");
    }
    rf_batch_use(batch, collection->table);
    rf_buf_reset(&batch->scratch);
    rf_bson_id_add(&batch->scratch, &id);
    struct rf_str text = rf_arena_copy(&batch->arena, rf_buf_str(&batch->scratch));
    struct rf_value key = {.kind = RF_TEXT, .size = (uint32_t)text.size, .text = text.data};
    event->table = collection->table;
    if (event->op != RF_CREATE) {
        event->before = image_of(batch, key, document_value(change->before, false));
    }
    if (event->op != RF_DELETE) {
        bool gone = change->looked_up && state->asked == RF_MONGODB_IMAGES_UPDATE_LOOKUP;
        event->after = image_of(batch, key, document_value(change->document, gone));
    }
    if (event->op == RF_CREATE && change->document.size == 0) {
        return refuse(change, err, "the server does not send the document");
    }
    batch->gone += event->op == RF_UPDATE && event->after[1].kind == RF_NULL;
    return RF_OK;
}

static struct rf_str joined(struct rf_batch *batch, struct rf_str database,
                            struct rf_str collection)
{
    if (database.size == 0) {
        return RF_STR_NONE;
    }
    rf_buf_set(&batch->scratch, database);
    if (collection.size > 0) {
        rf_buf_add_byte(&batch->scratch, '.');
        rf_buf_add_str(&batch->scratch, collection);
    }
    return rf_arena_copy(&batch->arena, rf_buf_str(&batch->scratch));
}

static void add_statement(struct rf_batch *batch, const struct rf_mongodb_source_change *change,
                          struct rf_event *event)
{
    rf_buf_reset(&batch->scratch);
    rf_bson_json_add(&batch->scratch, change->whole, RF_BSON_JSON_RELAXED);
    event->statement = rf_arena_copy(&batch->arena, rf_buf_str(&batch->scratch));
    event->database = change->database;
    event->object = change->collection;
}

static bool op_of(struct rf_str type, uint8_t *op)
{
    static const struct {
        const char *type;
        uint8_t op;
    } ops[] = {
        {"insert", RF_CREATE},    {"update", RF_UPDATE},  {"replace", RF_UPDATE},
        {"delete", RF_DELETE},    {"drop", RF_DDL},       {"rename", RF_DDL},
        {"dropDatabase", RF_DDL}, {"invalidate", RF_DDL},
    };
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (rf_str_equal(type, rf_str_of(ops[i].type))) {
            *op = ops[i].op;
            return true;
        }
    }
    return false;
}

bool rf_mongodb_source_change_is_idle(const struct rf_mongodb_source_change *change)
{
    static const char *const types[] = {
        "create",
        "createIndexes",
        "dropIndexes",
        "modify",
        "shardCollection",
        "reshardCollection",
        "refineCollectionShardKey",
        "migrateLastChunkFromShard",
        "endOfTransaction",
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (rf_str_equal(change->type, rf_str_of(types[i]))) {
            return true;
        }
    }
    return false;
}

static bool lies_in(struct rf_str part, struct rf_str whole)
{
    return part.data >= whole.data && part.data < whole.data + whole.size;
}

/* The same change in the batch. */
static struct rf_mongodb_source_change moved(const struct rf_mongodb_source_change *change,
                                             struct rf_batch *batch)
{
    struct rf_mongodb_source_change copy = *change;
    struct rf_str *parts[] = {
        &copy.token,       &copy.type,          &copy.database, &copy.collection,
        &copy.to_database, &copy.to_collection, &copy.key,      &copy.document,
        &copy.before,      &copy.update,        &copy.lsid,
    };
    copy.whole = rf_arena_copy(&batch->arena, change->whole);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (lies_in(*parts[i], change->whole)) {
            parts[i]->data = copy.whole.data + (parts[i]->data - change->whole.data);
        } else if (parts[i]->size > 0) { /* the name of the collection that is watched */
            *parts[i] = rf_arena_copy(&batch->arena, *parts[i]);
        }
    }
    return copy;
}

enum rf_status rf_mongodb_source_change_add(struct rf_mongodb_source *state, struct rf_batch *batch,
                                            const struct rf_mongodb_source_change *original,
                                            struct rf_error *err)
{
    struct rf_mongodb_source_change copied;
    uint8_t op;
    if (!op_of(original->type, &op)) {
        refuse(original, err, "this version does not know such a change");
        rf_error_hint(err, "it has to be known what it does to documents; report it, and begin "
                           "behind it with a new position");
        return RF_FATAL;
    }
    copied = moved(original, batch);
    struct rf_document_change *change = rf_arena_alloc(&batch->arena, sizeof *change);
    struct rf_origin *origin = rf_arena_alloc(&batch->arena, sizeof *origin);
    *change = (struct rf_document_change){
        .type = copied.type,
        .key = copied.key,
        .update = copied.update,
        .to = joined(batch, copied.to_database, copied.to_collection),
        .wall_us = copied.wall_us,
        .cluster_time = copied.seconds,
        .cluster_increment = copied.increment,
        .lsid = copied.lsid,
        .txn_number = copied.txn_number,
    };
    *origin = (struct rf_origin){.raw = copied.whole, .time_us = state->commit_us};
    struct rf_event *event = rf_batch_add(batch);
    event->op = op;
    event->ordinal = state->ordinal;
    event->origin = origin;
    event->change = change;
    if (op == RF_DDL) {
        add_statement(batch, &copied, event);
        return RF_OK;
    }
    return add_row(state, batch, &copied, event, err);
}
