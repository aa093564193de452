/* The format `maxwell`: the rows that Maxwell's daemon writes.
 *
 *   {"database":"shop","table":"orders","type":"update","ts":1763830800,"xid":1432,"commit":true,
 *    "data":{"id":1,"total":19.90},"old":{"total":18.00}}
 *
 * `type` is insert, update or delete; bootstrap-insert for a row of a snapshot. `data` has the row
 * as it is now, or, of a delete, was; `old` has what an update changed, as it was before. `ts` is
 * when the statement began, in seconds. `xid` is the number by which the transaction was committed,
 * and its last row has `commit`; with output_xoffset the others have their number from 0. Behind
 * them stand, as options of Maxwell's names ask for them, `position`, `gtid`, `server_id`,
 * `thread_id`, `primary_key` and `primary_key_columns`; `query` stands before `type`.
 *
 * DDL is written with output_ddl, without the definitions `def` and `old`, which only a parser of
 * DDL could give; TRUNCATE, which Maxwell leaves out, always, as type table-truncate. The message's
 * key is Maxwell's for Kafka.
 *
 * Values: DECIMAL as a number with all its digits, BIT as a number, SET as a list, JSON as itself,
 * bytes as base64, geometries as text, dates as MySQL shows them, TIMESTAMP in UTC.
 *
 * Source: Maxwell 1.44, docs "Reference" (formatting) and "Data Format"; RowMap, RowIdentity,
 * DDLMap, BinlogConnectorEvent; measured against Maxwell 1.22. */
#include "base/memory.h"
#include "format/ddl_words.h"
#include "format/documents.h"
#include "format/message.h"
#include "format/piece.h"
#include "format/shapes.h"
#include "wire/json_emit.h"
#include "wire/wkt.h"

#include <rowferry/format.h>
#include <stdlib.h>

enum { MICROSECONDS = 1000000 };
enum key_format { KEY_HASH = 0, KEY_ARRAY };

/* What is kept of one table. */
struct shape {
    struct rf_shape head;
    struct rf_json_names columns;
    struct rf_json_names key;
    struct rf_buf begin;     /* {"database":"shop","table":"orders" */
    struct rf_buf key_names; /* ,"primary_key_columns":["id"] */
    struct rf_buf *keys;     /* of the message's key: what stands in front of each of its values */
};

struct maxwell {
    bool positions, gtids, commit_info, offsets, nulls, server_ids, thread_ids, queries;
    bool primary_keys, primary_key_columns, ddl, null_zero_dates;
    int32_t key_format;

    struct rf_shapes shapes;
    struct rf_buf geometry;

    /* The transaction in hand. */
    bool known;
    struct rf_buf id;
    uint64_t rows;      /* of it so far */
    struct rf_buf xid;  /* ,"xid":1432 */
    struct rf_buf tail; /* ,"gtid":...,"server_id":...,"thread_id":... */
};

static void add(struct rf_buf *out, const char *text)
{
    rf_buf_add(out, text, strlen(text));
}

/* ---- Tables -------------------------------------------------------------------------------- */

static void add_lower(struct rf_buf *out, struct rf_str text)
{
    size_t start = out->size;
    rf_buf_add_str(out, text);
    for (size_t i = start; i < out->size; i++) {
        char byte = out->data[i];
        out->data[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
    }
}

/* {"database":"shop","table":"orders","pk.id": or ["shop","orders",[{"id": */
static void make_key_part(const struct maxwell *maxwell, struct rf_buf *out,
                          const struct rf_table *table, uint32_t number)
{
    struct rf_buf name = {0};
    bool array = maxwell->key_format == KEY_ARRAY;
    if (number == 0) {
        add(out, array ? "[" : "{\"database\":");
        rf_json_add_string(out, table->database);
        add(out, array ? "," : ",\"table\":");
        rf_json_add_string(out, table->name);
        add(out, array ? ",[" : "");
    }
    add(&name, array ? "" : "pk.");
    add_lower(&name, table->columns[table->key_columns[number]].name);
    add(out, !array ? "," : number > 0 ? "},{" : "{");
    rf_json_add_string(out, rf_buf_str(&name));
    add(out, ":");
    rf_buf_deinit(&name);
}

static void shape_make(void *owner, struct rf_shape *head)
{
    const struct maxwell *maxwell = owner;
    struct shape *shape = (struct shape *)head;
    const struct rf_table *table = head->table;
    rf_json_names_init(&shape->columns, table, NULL, table->column_count);
    rf_json_names_init(&shape->key, table, table->key_columns, table->key_count);
    add(&shape->begin, "{\"database\":");
    rf_json_add_string(&shape->begin, table->database);
    add(&shape->begin, ",\"table\":");
    rf_json_add_string(&shape->begin, table->name);
    rf_piece_end(&shape->begin);
    add(&shape->key_names, ",\"primary_key_columns\":[");
    shape->keys = rf_alloc_zero(table->key_count + 1, sizeof *shape->keys);
    for (uint32_t i = 0; i < table->key_count; i++) {
        add(&shape->key_names, i > 0 ? "," : "");
        rf_json_add_string(&shape->key_names, table->columns[table->key_columns[i]].name);
        make_key_part(maxwell, &shape->keys[i], table, i);
    }
    add(&shape->key_names, "]");
}

static void shape_clear(struct rf_shape *head)
{
    struct shape *shape = (struct shape *)head;
    for (uint32_t i = 0; shape->keys != NULL && i < shape->key.count; i++) {
        rf_buf_deinit(&shape->keys[i]);
    }
    free(shape->keys);
    rf_json_names_deinit(&shape->columns);
    rf_json_names_deinit(&shape->key);
    rf_buf_deinit(&shape->begin);
    rf_buf_deinit(&shape->key_names);
    *shape = (struct shape){0};
}

static enum rf_status maxwell_open(void *state, struct rf_error *err)
{
    struct maxwell *maxwell = state;
    (void)err;
    rf_shapes_open(&maxwell->shapes, sizeof(struct shape), shape_make, shape_clear, maxwell);
    return RF_OK;
}

static void maxwell_close(void *state)
{
    struct maxwell *maxwell = state;
    rf_shapes_close(&maxwell->shapes);
    rf_buf_deinit(&maxwell->geometry);
    rf_buf_deinit(&maxwell->id);
    rf_buf_deinit(&maxwell->xid);
    rf_buf_deinit(&maxwell->tail);
    *maxwell = (struct maxwell){0};
}

/* ---- Values -------------------------------------------------------------------------------- */

/* ["a","b"] of "a,b"; members have no commas in them. Room for twice the text was made. */
static char *put_set(struct rf_buf *out, char *at, const struct rf_value *value)
{
    struct rf_str rest = rf_value_str(*value), member;
    *at++ = '[';
    while (value->size > 0 && rf_str_split(&rest, ',', &member)) {
        at = rf_json_room(out, at, member.size + rest.size + RF_JSON_SLACK);
        at = rf_json_put_string(out, at, member.data, member.size);
        *at++ = ',';
    }
    at -= at[-1] == ',';
    *at++ = ']';
    return at;
}

/* A document as it is, on one line: line ends can only be blanks between its parts. */
static char *put_json(char *at, const struct rf_value *value)
{
    for (uint32_t i = 0; i < value->size; i++) {
        char byte = value->text[i];
        *at++ = (unsigned char)byte < ' ' ? ' ' : byte;
    }
    return at;
}

static char *put_geometry(struct maxwell *maxwell, struct rf_buf *out, char *at,
                          const struct rf_value *value)
{
    enum { SRID_SIZE = 4 };
    struct rf_buf *text = &maxwell->geometry;
    rf_buf_reset(text);
    if (!rf_wkt_add(text, (struct rf_str){value->text + SRID_SIZE, value->size - SRID_SIZE})) {
        return NULL;
    }
    at = rf_json_room(out, at, text->size + RF_JSON_SLACK);
    return rf_json_put_string(out, at, text->data, text->size);
}

static bool is_zero_date(const struct rf_value *value)
{
    return value->kind == RF_TIMESTAMP
               ? value->i == 0
               : rf_datetime_year(value->u) == 0 && rf_datetime_month(value->u) == 0 &&
                     rf_datetime_day(value->u) == 0;
}

static char *put_date(const struct maxwell *maxwell, char *at, const struct rf_value *value)
{
    if (maxwell->null_zero_dates && is_zero_date(value)) {
        memcpy(at, "null", 4);
        return at + 4;
    }
    *at++ = '"';
    switch (value->kind) {
    case RF_DATE: at += rf_date_text(at, value->u); break;
    case RF_DATETIME: at += rf_datetime_text(at, value->u, ' ', value->scale); break;
    default: at += rf_timestamp_text(at, value->i, ' ', value->scale); break;
    }
    *at++ = '"';
    return at;
}

/* Room for value->size + RF_JSON_SLACK bytes was made. NULL: it cannot be said. */
static char *put_value(struct maxwell *maxwell, struct rf_buf *out, char *at,
                       const struct rf_value *value)
{
    switch (value->kind) {
    case RF_DECIMAL: memcpy(at, value->text, value->size); return at + value->size;
    case RF_SET: return put_set(out, at, value);
    case RF_JSON: return put_json(at, value);
    case RF_GEOMETRY: return put_geometry(maxwell, out, at, value);
    case RF_DATE:
    case RF_DATETIME:
    case RF_TIMESTAMP: return put_date(maxwell, at, value);
    default: return rf_json_put_value(out, at, value);
    }
}

static bool add_value(struct maxwell *maxwell, struct rf_buf *out, const struct rf_value *value)
{
    char *at = put_value(maxwell, out, rf_buf_reserve(out, value->size + RF_JSON_SLACK), value);
    if (at != NULL) {
        out->size = (size_t)(at - out->data);
    }
    return at != NULL;
}

/* Columns of an image. other: those that differ from it; a column that is in neither is left
 * out. */
static bool add_image(struct maxwell *maxwell, struct rf_buf *out, const struct shape *shape,
                      const struct rf_value *image, const struct rf_value *other, uint32_t *column)
{
    const struct rf_json_names *names = &shape->columns;
    char *at = rf_buf_reserve(out, RF_JSON_SLACK);
    *at++ = '{';
    const struct rf_json_name *name = names->items;
    for (uint32_t left = names->count; left > 0; left--, name++) {
        const struct rf_value *value = &image[name->column];
        if (value->kind == RF_ABSENT || (value->kind == RF_NULL && !maxwell->nulls) ||
            (other != NULL && rf_value_equal(*value, other[name->column]))) {
            continue;
        }
        at = rf_json_room(out, at, name->size + (size_t)value->size + 2 * RF_JSON_SLACK);
        at = put_value(maxwell, out, rf_json_put_name(at, name), value);
        if (at == NULL) {
            *column = name->column;
            return false;
        }
        *at++ = ',';
    }
    at -= at[-1] == ',';
    *at++ = '}';
    out->size = (size_t)(at - out->data);
    return true;
}

/* ---- Messages ------------------------------------------------------------------------------ */

static void prepare(struct maxwell *maxwell, const struct rf_transaction *transaction)
{
    if (maxwell->known && rf_str_equal(rf_buf_str(&maxwell->id), transaction->id)) {
        return;
    }
    maxwell->known = true;
    maxwell->rows = 0;
    rf_buf_set(&maxwell->id, transaction->id);
    rf_buf_reset(&maxwell->xid);
    if (transaction->has_xid && maxwell->commit_info) {
        add(&maxwell->xid, ",\"xid\":");
        rf_buf_add_u64(&maxwell->xid, transaction->xid);
    }
    rf_piece_end(&maxwell->xid);
    struct rf_buf *tail = &maxwell->tail;
    rf_buf_reset(tail);
    if (maxwell->gtids && transaction->gtid.size > 0) {
        add(tail, ",\"gtid\":");
        rf_json_add_string(tail, transaction->gtid);
    }
    if (maxwell->server_ids) {
        add(tail, ",\"server_id\":");
        rf_buf_add_u64(tail, transaction->server_id);
    }
    if (maxwell->thread_ids && transaction->has_thread) {
        add(tail, ",\"thread_id\":");
        rf_buf_add_u64(tail, transaction->thread_id);
    }
    rf_piece_end(tail);
}

static int64_t time_of(const struct rf_transaction *transaction, const struct rf_event *event)
{
    return event->origin != NULL ? event->origin->time_us : transaction->commit_us;
}

static void add_position(struct rf_buf *out, const struct rf_transaction *transaction,
                         const struct rf_event *event)
{
    add(out, ",\"position\":");
    rf_json_add_string(out, transaction->file);
    out->data[out->size - 1] = ':';
    rf_buf_add_u64(out, event->origin != NULL ? event->origin->offset : 0);
    rf_buf_add_byte(out, '"');
}

/* From the query to what stands in front of the data. */
static void add_head(struct maxwell *maxwell, struct rf_buf *out, const struct rf_view *view,
                     const struct rf_event *event)
{
    static const char *const types[] = {[RF_CREATE] = ",\"type\":\"insert\",\"ts\":",
                                        [RF_UPDATE] = ",\"type\":\"update\",\"ts\":",
                                        [RF_DELETE] = ",\"type\":\"delete\",\"ts\":",
                                        [RF_READ] = ",\"type\":\"bootstrap-insert\",\"ts\":"};
    const struct rf_transaction *transaction = rf_view_transaction(view, event);
    bool last = rf_view_ends(view, event);
    if (maxwell->queries && event->origin != NULL && event->origin->sql.size > 0) {
        add(out, ",\"query\":");
        rf_json_add_string(out, event->origin->sql);
    }
    add(out, types[event->op]);
    rf_buf_add_i64(out, time_of(transaction, event) / MICROSECONDS);
    rf_piece_add(out, &maxwell->xid);
    if (maxwell->commit_info && maxwell->offsets && !last) {
        add(out, ",\"xoffset\":");
        rf_buf_add_u64(out, maxwell->rows);
    }
    if (maxwell->commit_info && last) {
        add(out, ",\"commit\":true");
    }
    if (maxwell->positions) {
        add_position(out, transaction, event);
    }
    rf_piece_add(out, &maxwell->tail);
}

static bool add_key_values(struct maxwell *maxwell, struct rf_buf *out, const struct shape *shape,
                           const struct rf_value *image, uint32_t *column)
{
    add(out, ",\"primary_key\":[");
    for (uint32_t i = 0; i < shape->key.count; i++) {
        *column = shape->key.items[i].column;
        add(out, i > 0 ? "," : "");
        if (!add_value(maxwell, out, &image[*column])) {
            return false;
        }
    }
    add(out, "]");
    return true;
}

/* A table without a key has a `_uuid`: here the event's id, which is the same each time. */
static void add_keyless(struct maxwell *maxwell, struct rf_buf *out, const struct rf_table *table,
                        const struct rf_event *event)
{
    bool array = maxwell->key_format == KEY_ARRAY;
    add(out, array ? "[" : "{\"database\":");
    rf_json_add_string(out, table->database);
    add(out, array ? "," : ",\"table\":");
    rf_json_add_string(out, table->name);
    if (array) {
        add(out, ",[]]");
        return;
    }
    add(out, ",\"_uuid\":");
    rf_json_add_string(out, rf_buf_str(&maxwell->id));
    out->size--;
    rf_buf_printf(out, ":%u:%u\"}", event->ordinal, event->row);
}

static bool add_key(struct maxwell *maxwell, struct rf_buf *out, const struct shape *shape,
                    const struct rf_event *event, uint32_t *column)
{
    const struct rf_value *image = rf_event_image(event);
    if (out == NULL) {
        return true;
    }
    if (shape->key.count == 0) {
        add_keyless(maxwell, out, shape->head.table, event);
        return true;
    }
    for (uint32_t i = 0; i < shape->key.count; i++) {
        *column = shape->key.items[i].column;
        rf_buf_add_str(out, rf_buf_str(&shape->keys[i]));
        if (!add_value(maxwell, out, &image[*column])) {
            return false;
        }
    }
    add(out, maxwell->key_format == KEY_ARRAY ? "}]]" : "}");
    return true;
}

static bool add_row(struct maxwell *maxwell, const struct rf_view *view,
                    const struct rf_event *event, struct rf_encoding *out, uint32_t *column)
{
    const struct shape *shape = (const struct shape *)rf_shapes_of(&maxwell->shapes, event->table);
    const struct rf_value *image = rf_event_image(event);
    struct rf_buf *value = out->value;
    if (!add_key(maxwell, out->key, shape, event, column)) {
        return false;
    }
    rf_piece_add(value, &shape->begin);
    add_head(maxwell, value, view, event);
    if (maxwell->primary_keys && !add_key_values(maxwell, value, shape, image, column)) {
        return false;
    }
    if (maxwell->primary_key_columns) {
        rf_buf_add_str(value, rf_buf_str(&shape->key_names));
    }
    rf_buf_add_str(value, RF_STR(",\"data\":"));
    if (!add_image(maxwell, value, shape, image, NULL, column)) {
        return false;
    }
    if (event->op == RF_UPDATE) {
        size_t before = value->size;
        rf_buf_add_str(value, RF_STR(",\"old\":"));
        size_t empty = value->size + 2;
        if (!add_image(maxwell, value, shape, event->before, image, column)) {
            return false;
        }
        value->size = value->size == empty ? before : value->size;
    }
    rf_buf_add_byte(value, '}');
    maxwell->rows++;
    return true;
}

static const char *type_of(const struct rf_event *event, const struct rf_ddl_words *words)
{
    static const char *const types[][RF_DDL_RENAME + 1] = {
        [RF_DDL_TABLE] = {"ddl", "table-create", "table-alter", "table-drop", "table-alter"},
        [RF_DDL_DATABASE] = {"ddl", "database-create", "database-alter", "database-drop", "ddl"},
        [RF_DDL_INDEX] = {"ddl", "table-alter", "ddl", "table-alter", "ddl"},
    };
    if (event->op == RF_TRUNCATE) {
        return "table-truncate";
    }
    return words->object != RF_DDL_NOTHING ? types[words->object][words->verb] : "ddl";
}

/* Maxwell gives the time of a statement in milliseconds. */
static void add_statement(const struct maxwell *maxwell, const struct rf_transaction *transaction,
                          const struct rf_event *event, struct rf_encoding *out)
{
    struct rf_ddl_words words = rf_ddl_words_read(event->statement);
    struct rf_buf *value = out->value;
    if (out->key != NULL) {
        rf_json_add_string(out->key, rf_buf_str(&maxwell->id));
    }
    add(value, "{\"type\":\"");
    add(value, type_of(event, &words));
    add(value, "\",\"database\":");
    rf_json_add_string(value, words.name.size > 0 ? words.name : event->database);
    if (event->object.size > 0) {
        add(value, ",\"table\":");
        rf_json_add_string(value, event->object);
    }
    add(value, ",\"ts\":");
    rf_buf_add_i64(value, time_of(transaction, event) / 1000);
    add(value, ",\"sql\":");
    rf_json_add_string(value, event->statement);
    if (maxwell->positions) {
        add_position(value, transaction, event);
    }
    if (maxwell->gtids && transaction->gtid.size > 0) {
        add(value, ",\"gtid\":");
        rf_json_add_string(value, transaction->gtid);
    }
    rf_buf_add_byte(value, '}');
}

static enum rf_status reject(const struct rf_event *event, uint32_t column, struct rf_error *err)
{
    const struct rf_table *table = event->table;
    rf_fail(err, RF_REJECT,
            "column %.*s of table %.*s has a number that is not finite, or a geometry that is no "
            "valid one, and the format maxwell has no other form for it",
            RF_STR_ARG(table->columns[column].name), RF_STR_ARG(table->full_name));
    rf_error_hint(err, "the format json has geometries as bytes");
    if (err != NULL) {
        err->event = event;
    }
    return RF_REJECT;
}

static enum rf_status maxwell_encode(void *state, const struct rf_view *view,
                                     const struct rf_event *event, struct rf_encoding *out,
                                     struct rf_error *err)
{
    struct maxwell *maxwell = state;
    const struct rf_mark mark = rf_mark_of(out);
    const struct rf_transaction *transaction = rf_view_transaction(view, event);
    uint32_t column = 0;
    if (event->change != NULL || (event->table != NULL && event->table->documents)) {
        return rf_document_refuse(event, "maxwell", err);
    }
    prepare(maxwell, transaction);
    if (event->op == RF_DDL && !maxwell->ddl) {
        return RF_OK;
    }
    if (event->op == RF_DDL || event->op == RF_TRUNCATE) {
        add_statement(maxwell, transaction, event, out);
    } else if (!add_row(maxwell, view, event, out, &column)) {
        rf_message_undo(out, mark);
        return reject(event, column, err);
    }
    rf_message_end(out, mark, false);
    return RF_OK;
}

/* ---- The plugin ---------------------------------------------------------------------------- */

#define FLAG(name, field, fallback, help)                                                  \
    {                                                                                      \
        name, RF_OPTION_BOOL, offsetof(struct maxwell, field), fallback, NULL, help, false \
    }

static const struct rf_option maxwell_options[] = {
    FLAG("output_binlog_position", positions, "off", "where in the log the row's event begins"),
    FLAG("output_gtid_position", gtids, "off", "the transaction's GTID"),
    FLAG("output_commit_info", commit_info, "on", "xid, and commit in a transaction's last row"),
    FLAG("output_xoffset", offsets, "off",
         "a row's number in its transaction, from 0; the last one has commit instead"),
    FLAG("output_nulls", nulls, "on", "columns that are NULL"),
    FLAG("output_server_id", server_ids, "off", "the server that committed the transaction"),
    FLAG("output_thread_id", thread_ids, "off", "the connection that ran it, where the log says"),
    FLAG("output_row_query", queries, "off",
         "the statement that changed the row; the source has to bring it: queries=on"),
    FLAG("output_primary_keys", primary_keys, "off", "values of the primary key"),
    FLAG("output_primary_key_columns", primary_key_columns, "off", "names of its columns"),
    FLAG("output_ddl", ddl, "off", "DDL statements"),
    FLAG("output_null_zerodates", null_zero_dates, "off", "0000-00-00 as null"),
    {"kafka_key_format", RF_OPTION_CHOICE, offsetof(struct maxwell, key_format), "hash",
     "hash|array",
     "how the message's key looks. For sinks that write keys; of this build none does, so it "
     "changes nothing",
     false},
    RF_OPTION_END,
};

const struct rf_format_type rf_format_maxwell = {
    .name = "maxwell",
    .summary = "Maxwell's rows: database, table, type, ts, xid, commit, data, old",
    .state_size = sizeof(struct maxwell),
    .options = maxwell_options,
    .open = maxwell_open,
    .encode = maxwell_encode,
    .close = maxwell_close,
};
