/* The format `flat`: one flat JSON object per row, its columns at the top level.
 *
 *   {"id":1,"total":"19.90","__op":"u","__deleted":false,"__database":"shop","__table":"orders",
 *    "__ts_ms":1763830800000,"__id":"0-1-42:1:0"}
 *
 * For readers that want rows, not changes of rows: loaders of tables and search engines. A deletion
 * has the row as it was. `__op` is c, u, d, r (a row of a snapshot), t (TRUNCATE) or ddl; the last
 * two have `__statement` in the place of columns. `__ts_ms` is the commit; `__id` is the event's
 * id, the same on each replay. With old=on an update has `__old`, the columns that it changed as
 * they were. The two underscores can be something else by `prefix`, as must be when a column has
 * such a name. How values look: wire/json.h. The message's key is the object of the key's columns;
 * it is empty for statements and tables without a key.
 *
 * Of a collection the fields of a document are at the top, in Extended JSON, and `__old` is the
 * whole document as it was, where the store tells it. A deletion of which it tells no document has
 * the _id alone. An update without the document cannot be written, but for one whose document was
 * gone when the store looked for it: it is left out, as the deletion follows.
 *
 * `__op`, `__deleted`, `__table` and `__ts_ms` are called as Debezium's "New Record State
 * Extraction" calls them; the other names are ours. */
#include "base/memory.h"
#include "event/digits.h"
#include "format/documents.h"
#include "format/message.h"
#include "format/piece.h"
#include "format/shapes.h"
#include "wire/json.h"

#include <rowferry/format.h>
#include <stdlib.h>

/* What is kept of one table. */
struct shape {
    struct rf_shape head;
    struct rf_json_names columns;
    struct rf_json_names key;
    struct rf_buf text;        /* ,"__database":"shop","__table":"orders","__ts_ms": */
    struct rf_json_names olds; /* the columns that an update changed, chosen for each */
    int clash;                 /* a column that is called as one of our members; -1: none */
};

struct flat {
    const char *prefix;
    bool old;
    int32_t documents; /* enum rf_bson_json */

    struct rf_shapes shapes;
    struct rf_buf ops[RF_READ + 1]; /* "__op":"c","__deleted":false */

    /* The transaction in hand. */
    bool known;
    struct rf_buf id;
    struct rf_buf tail; /* 1763830800000,"__id":"0-1-42: */
};

static const char *const members[] = {"op",    "deleted", "database", "table",
                                      "ts_ms", "id",      "old",      "statement"};

static void add(struct rf_buf *out, const char *text)
{
    rf_buf_add(out, text, strlen(text));
}

/* "__name": in JSON. */
static void add_name(const struct flat *flat, struct rf_buf *out, const char *name)
{
    struct rf_buf text = {0};
    rf_buf_printf(&text, "%s%s", flat->prefix, name);
    rf_json_add_string(out, rf_buf_str(&text));
    rf_buf_add_byte(out, ':');
    rf_buf_deinit(&text);
}

static int find_clash(const struct flat *flat, const struct rf_table *table)
{
    struct rf_buf text = {0};
    int clash = -1;
    for (size_t i = 0; i < sizeof members / sizeof *members && clash < 0; i++) {
        rf_buf_reset(&text);
        rf_buf_printf(&text, "%s%s", flat->prefix, members[i]);
        clash = rf_table_find(table, rf_buf_str(&text));
    }
    rf_buf_deinit(&text);
    return clash;
}

static void shape_make(void *owner, struct rf_shape *head)
{
    const struct flat *flat = owner;
    struct shape *shape = (struct shape *)head;
    const struct rf_table *table = head->table;
    rf_json_names_init(&shape->columns, table, NULL, table->column_count);
    rf_json_names_init(&shape->key, table, table->key_columns, table->key_count);
    shape->olds.items = rf_alloc_zero(table->column_count + 1, sizeof *shape->olds.items);
    shape->clash = find_clash(flat, table);
    rf_buf_add_byte(&shape->text, ',');
    add_name(flat, &shape->text, "database");
    rf_json_add_string(&shape->text, table->database);
    rf_buf_add_byte(&shape->text, ',');
    add_name(flat, &shape->text, "table");
    rf_json_add_string(&shape->text, table->name);
    rf_buf_add_byte(&shape->text, ',');
    add_name(flat, &shape->text, "ts_ms");
    rf_piece_end(&shape->text);
}

static void shape_clear(struct rf_shape *head)
{
    struct shape *shape = (struct shape *)head;
    rf_json_names_deinit(&shape->columns);
    rf_json_names_deinit(&shape->key);
    rf_json_names_deinit(&shape->olds);
    rf_buf_deinit(&shape->text);
    *shape = (struct shape){0};
}

static enum rf_status flat_open(void *state, struct rf_error *err)
{
    static const char *const ops[] = {
        [RF_CREATE] = "\"c\"",   [RF_UPDATE] = "\"u\"", [RF_DELETE] = "\"d\"",
        [RF_TRUNCATE] = "\"t\"", [RF_DDL] = "\"ddl\"",  [RF_READ] = "\"r\""};
    struct flat *flat = state;
    (void)err;
    for (int op = RF_CREATE; op <= RF_READ; op++) {
        add_name(flat, &flat->ops[op], "op");
        add(&flat->ops[op], ops[op]);
        if (op != RF_TRUNCATE && op != RF_DDL) {
            rf_buf_add_byte(&flat->ops[op], ',');
            add_name(flat, &flat->ops[op], "deleted");
            add(&flat->ops[op], op == RF_DELETE ? "true" : "false");
        }
        rf_piece_end(&flat->ops[op]);
    }
    rf_shapes_open(&flat->shapes, sizeof(struct shape), shape_make, shape_clear, flat);
    return RF_OK;
}

static void flat_close(void *state)
{
    struct flat *flat = state;
    rf_shapes_close(&flat->shapes);
    for (int op = RF_CREATE; op <= RF_READ; op++) {
        rf_buf_deinit(&flat->ops[op]);
    }
    rf_buf_deinit(&flat->id);
    rf_buf_deinit(&flat->tail);
    *flat = (struct flat){0};
}

static void prepare(struct flat *flat, const struct rf_transaction *transaction)
{
    if (flat->known && rf_str_equal(rf_buf_str(&flat->id), transaction->id)) {
        return;
    }
    flat->known = true;
    rf_buf_set(&flat->id, transaction->id);
    rf_buf_reset(&flat->tail);
    rf_buf_add_i64(&flat->tail, transaction->commit_us / 1000);
    rf_buf_add_byte(&flat->tail, ',');
    add_name(flat, &flat->tail, "id");
    rf_json_add_string(&flat->tail, transaction->id);
    flat->tail.data[flat->tail.size - 1] = ':';
    rf_piece_end(&flat->tail);
}

/* Behind `__ts_ms`: its value, the event's id and the end. */
static void add_tail(const struct flat *flat, struct rf_buf *out, const struct rf_event *event)
{
    enum { NUMBERS_MAX = 2 * RF_DIGITS_MAX + 4 + RF_DIGITS_SLACK };
    rf_piece_add(out, &flat->tail);
    char *at = rf_buf_reserve(out, NUMBERS_MAX);
    at = rf_digits_u64(at, event->ordinal);
    *at++ = ':';
    at = rf_digits_u64(at, event->row);
    *at++ = '"';
    *at++ = '}';
    out->size = (size_t)(at - out->data);
}

/* The columns that an update changed, as they were. */
static bool add_old(const struct flat *flat, const struct shape *shape, struct rf_buf *out,
                    const struct rf_event *event, uint32_t *column)
{
    struct rf_json_names olds = {.items = shape->olds.items};
    for (uint32_t i = 0; i < shape->columns.count; i++) {
        if (!rf_value_equal(event->before[i], event->after[i])) {
            olds.items[olds.count++] = shape->columns.items[i];
        }
    }
    add_name(flat, out, "old");
    bool said = rf_json_add_row(out, &olds, event->before, column);
    rf_buf_add_byte(out, ',');
    return said;
}

static enum rf_status reject(const struct flat *flat, const struct rf_event *event, uint32_t column,
                             bool clash, struct rf_error *err)
{
    const struct rf_table *table = event->table;
    struct rf_str name = table->columns[column].name;
    if (clash) {
        rf_fail(err, RF_REJECT,
                "column %.*s of table %.*s is called as a member that the format flat adds itself",
                RF_STR_ARG(name), RF_STR_ARG(table->full_name));
        rf_error_hint(err, "choose another prefix than \"%s\" for those: prefix=...", flat->prefix);
    } else {
        rf_fail(err, RF_REJECT,
                "column %.*s of table %.*s is not a finite number, which JSON cannot say",
                RF_STR_ARG(name), RF_STR_ARG(table->full_name));
    }
    if (err != NULL) {
        err->event = event;
    }
    return RF_REJECT;
}

static enum rf_status add_row(struct flat *flat, const struct rf_event *event,
                              struct rf_encoding *out, struct rf_error *err)
{
    const struct shape *shape = (const struct shape *)rf_shapes_of(&flat->shapes, event->table);
    const struct rf_value *image = rf_event_image(event);
    struct rf_buf *value = out->value;
    uint32_t column;
    if (shape->clash >= 0) {
        return reject(flat, event, (uint32_t)shape->clash, true, err);
    }
    if (out->key != NULL && shape->key.count > 0 &&
        !rf_json_add_row(out->key, &shape->key, image, &column)) {
        return reject(flat, event, column, false, err);
    }
    if (!rf_json_add_row(value, &shape->columns, image, &column)) {
        return reject(flat, event, column, false, err);
    }
    /* The object goes on, with a comma unless it was empty. */
    bool empty = value->data[value->size - 2] == '{';
    value->size -= empty;
    value->data[value->size - 1] = empty ? '{' : ',';
    if (flat->old && event->op == RF_UPDATE && !add_old(flat, shape, value, event, &column)) {
        return reject(flat, event, column, false, err);
    }
    rf_piece_add(value, &flat->ops[event->op]);
    rf_piece_add(value, &shape->text);
    add_tail(flat, value, event);
    return RF_OK;
}

/* ---- Documents ----------------------------------------------------------------------------- */

static enum rf_status refuse(const struct rf_event *event, struct rf_error *err)
{
    if (err != NULL) {
        err->event = event;
    }
    return RF_REJECT;
}

/* True for a name that one of our own members has. */
static bool clashes(const struct flat *flat, struct rf_str name)
{
    struct rf_str prefix = rf_str_of(flat->prefix);
    if (!rf_str_starts(name, prefix)) {
        return false;
    }
    name.data += prefix.size;
    name.size -= prefix.size;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (rf_str_equal(name, rf_str_of(members[i]))) {
            return true;
        }
    }
    return false;
}

/* The fields at the top, each with a comma behind it. */
static enum rf_status add_fields(const struct flat *flat, const struct rf_event *event,
                                 struct rf_str document, struct rf_buf *out, struct rf_error *err)
{
    struct rf_bson_walk walk = rf_bson_walk(document);
    struct rf_bson_element field;
    while (rf_bson_next(&walk, &field)) {
        if (clashes(flat, field.name)) {
            rf_fail(err, RF_REJECT,
                    "field %.*s of a document of %.*s is called as a member that the format flat "
                    "adds itself",
                    RF_STR_ARG(field.name), RF_STR_ARG(event->table->full_name));
            rf_error_hint(err, "choose another prefix than \"%s\" for those: prefix=...",
                          flat->prefix);
            return refuse(event, err);
        }
        rf_bson_json_add_string(out, field.name);
        rf_buf_add_byte(out, ':');
        rf_bson_json_add_value(out, &field, (unsigned)flat->documents);
        rf_buf_add_byte(out, ',');
    }
    return RF_OK;
}

static void add_id(const struct flat *flat, const struct rf_event *event, struct rf_buf *out)
{
    rf_buf_add_str(out, RF_STR("\"_id\":"));
    rf_document_add_id(out, event, (unsigned)flat->documents);
}

static enum rf_status add_document(struct flat *flat, const struct rf_event *event,
                                   struct rf_encoding *out, struct rf_error *err)
{
    const struct shape *shape = (const struct shape *)rf_shapes_of(&flat->shapes, event->table);
    struct rf_buf *value = out->value;
    struct rf_str document = rf_document_of(rf_event_image(event));
    struct rf_str old =
        flat->old && event->op == RF_UPDATE ? rf_document_of(event->before) : RF_STR_NONE;
    enum rf_status status = RF_OK;
    if (out->key != NULL) {
        rf_buf_add_byte(out->key, '{');
        add_id(flat, event, out->key);
        rf_buf_add_byte(out->key, '}');
    }
    rf_buf_add_byte(value, '{');
    if (document.size > 0) {
        status = add_fields(flat, event, document, value, err);
    } else if (event->op == RF_DELETE) {
        add_id(flat, event, value);
        rf_buf_add_byte(value, ',');
    } else {
        rf_fail(err, RF_REJECT,
                "the store does not tell the document of an update of %.*s, and the format flat "
                "has nothing else to write",
                RF_STR_ARG(event->table->full_name));
        rf_error_hint(err, "set images=update_lookup at the source, or take the format json, which "
                           "has what the update changed");
        status = refuse(event, err);
    }
    if (status == RF_OK && old.size > 0) {
        add_name(flat, value, "old");
        rf_bson_json_add(value, old, (unsigned)flat->documents);
        rf_buf_add_byte(value, ',');
    }
    rf_piece_add(value, &flat->ops[event->op]);
    rf_piece_add(value, &shape->text);
    add_tail(flat, value, event);
    return status;
}

/* ---- Statements ---------------------------------------------------------------------------- */

static void add_statement(const struct flat *flat, const struct rf_event *event, struct rf_buf *out)
{
    rf_buf_add_byte(out, '{');
    rf_piece_add(out, &flat->ops[event->op]);
    rf_buf_add_byte(out, ',');
    add_name(flat, out, "database");
    rf_json_add_string(out, event->database);
    if (event->object.size > 0) {
        rf_buf_add_byte(out, ',');
        add_name(flat, out, "table");
        rf_json_add_string(out, event->object);
    }
    rf_buf_add_byte(out, ',');
    add_name(flat, out, "statement");
    rf_json_add_string(out, event->statement);
    rf_buf_add_byte(out, ',');
    add_name(flat, out, "ts_ms");
    add_tail(flat, out, event);
}

static enum rf_status flat_encode(void *state, const struct rf_view *view,
                                  const struct rf_event *event, struct rf_encoding *out,
                                  struct rf_error *err)
{
    struct flat *flat = state;
    const struct rf_mark mark = rf_mark_of(out);
    enum rf_status status = RF_OK;
    prepare(flat, rf_view_transaction(view, event));
    if (event->op == RF_DDL || event->op == RF_TRUNCATE) {
        add_statement(flat, event, out->value);
    } else if (event->table->documents) {
        if (rf_document_is_gone(event)) {
            return RF_OK;
        }
        status = add_document(flat, event, out, err);
    } else {
        status = add_row(flat, event, out, err);
    }
    if (status != RF_OK) {
        rf_message_undo(out, mark);
        return status;
    }
    rf_message_end(out, mark, false);
    return RF_OK;
}

static const struct rf_option flat_options[] = {
    {"prefix", RF_OPTION_TEXT, offsetof(struct flat, prefix), "__", NULL,
     "what the members that are no columns begin with", false},
    {"old", RF_OPTION_BOOL, offsetof(struct flat, old), "off", NULL,
     "updates have the columns that they changed, as they were", false},
    {"documents", RF_OPTION_CHOICE, offsetof(struct flat, documents), "relaxed",
     "relaxed|canonical",
     "Extended JSON of documents; canonical tells each number's type, and is longer", false},
    RF_OPTION_END,
};

const struct rf_format_type rf_format_flat = {
    .name = "flat",
    .summary =
        "one flat JSON object per row: its columns, then __op, __table, __ts_ms and the like",
    .state_size = sizeof(struct flat),
    .options = flat_options,
    .open = flat_open,
    .encode = flat_encode,
    .close = flat_close,
};
