/* The format `debezium`: the payload that Debezium's MySQL and MariaDB connectors write.
 *
 *   {"before":null,"after":{"id":1,"total":"19.90"},"source":{"version":"0.1.0",
 *    "connector":"mariadb","name":"rowferry","ts_ms":1763830800000,"snapshot":"false","db":"shop",
 *    "sequence":null,"ts_us":...,"ts_ns":...,"table":"orders","server_id":1,"gtid":"0-1-42",
 *    "file":"bin.000001","pos":1637,"row":0,"thread":null,"query":null},"transaction":null,
 *    "op":"c","ts_ms":...,"ts_us":...,"ts_ns":...}
 *
 * `op` is c, u, d, r (a row of a snapshot) or t (TRUNCATE). A row whose key changes becomes two
 * messages, d with the old key and c with the new one. Behind each d stands a tombstone where the
 * sink has keys; a file has none, and without a key a tombstone says nothing. DDL statements are
 * messages of their own, with `ddl` and an empty `tableChanges`, which only a parser of DDL could
 * fill. With transaction_metadata BEGIN stands in front of a transaction's first row, and END
 * behind its last one.
 *
 * Messages of documents are those of its connector for MongoDB: debezium_documents.h.
 *
 * With schemas=on each message is {"schema":...,"payload":...}, as Kafka's JSON converter writes
 * it. Options have Debezium's names with underscores; docs/formats.md has each field and where it
 * comes from, and in what this differs.
 *
 * What is the same for every row of a table, a transaction or a log event is put together once.
 *
 * Source: Debezium 3.5, "MySQL connector" and "MariaDB connector": "Data change events", "Schema
 * change topic", "Transaction metadata", "Data type mappings"; BinlogSourceInfoStructMaker,
 * SchemaFactory, Envelope, TransactionMonitor; measured against Debezium 3.5. */
#include "base/clock.h"
#include "event/digits.h"
#include "format/ddl_words.h"
#include "format/debezium_counts.h"
#include "format/debezium_documents.h"
#include "format/debezium_source.h"
#include "format/debezium_values.h"
#include "format/message.h"
#include "format/piece.h"
#include "format/shapes.h"

#include <rowferry/format.h>

enum rf_debezium_clock { CLOCK_NOW = 0, CLOCK_COMMIT };

/* What is kept of one table. */
struct shape {
    struct rf_shape head;
    uint64_t serial; /* tells it from all that had its place before */
    struct rf_json_names columns;
    struct rf_json_names key;
    struct rf_debezium_parts parts;
    struct rf_buf begin;      /* {"before": with the schema in front of it */
    struct rf_buf key_schema; /* {"schema":...,"payload": or nothing */
};

struct debezium {
    const char *topic_prefix;
    bool schemas;
    bool tombstones;
    bool transactions;
    bool schema_changes;
    int32_t clock;
    struct rf_debezium_modes modes;

    struct rf_debezium_names names;
    uint8_t server; /* enum rf_server: who wrote the log */
    struct rf_shapes shapes;
    uint64_t serials;

    /* The transaction in hand. */
    bool known;
    bool begun; /* its BEGIN was written */
    struct rf_buf id;
    struct rf_buf place; /* 1,"gtid":"0-1-42","file":"bin.000001","pos": */
    struct rf_debezium_counts counts;

    /* The log event in hand: what its rows have in common. */
    uint8_t op;
    uint32_t ordinal;
    uint64_t serial;
    struct rf_buf text;   /* scratch */
    struct rf_buf source; /* ,"source":{...,"row": */
    struct rf_buf behind; /* ,"thread":null,"query":null},"transaction":null,"op":" */
    struct rf_buf end;    /* ","ts_ms":...} */
};

/* ---- Messages ------------------------------------------------------------------------------ */

static void add(struct rf_buf *out, const char *text)
{
    rf_buf_add(out, text, strlen(text));
}

/* In front of a payload, with schemas=on. */
static void begin_payload(const struct debezium *debezium, struct rf_buf *out)
{
    if (debezium->schemas) {
        add(out, "{\"schema\":");
    }
}

static void end_payload(const struct debezium *debezium, struct rf_buf *out)
{
    if (debezium->schemas) {
        rf_buf_add_byte(out, '}');
    }
}

/* ---- Tables -------------------------------------------------------------------------------- */

static void shape_make_documents(const struct debezium *debezium, struct shape *shape)
{
    const struct rf_table *table = shape->head.table;
    if (debezium->schemas) {
        add(&shape->begin, "{\"schema\":");
        rf_debezium_documents_schema_value(&shape->begin, &debezium->names, table);
        add(&shape->begin, ",\"payload\":");
        add(&shape->key_schema, "{\"schema\":");
        rf_debezium_documents_schema_key(&shape->key_schema, &debezium->names, table);
        add(&shape->key_schema, ",\"payload\":");
    }
    add(&shape->begin, "{");
    rf_piece_end(&shape->begin);
}

static void shape_make(void *owner, struct rf_shape *head)
{
    struct debezium *debezium = owner;
    struct shape *shape = (struct shape *)head;
    const struct rf_table *table = head->table;
    if (table->documents) {
        shape_make_documents(debezium, shape);
        return;
    }
    shape->serial = ++debezium->serials;
    rf_json_names_init(&shape->columns, table, NULL, table->column_count);
    rf_json_names_init(&shape->key, table, table->key_columns, table->key_count);
    rf_debezium_parts_make(&shape->parts, &debezium->names, table->database, table->name);
    if (debezium->schemas) {
        add(&shape->begin, "{\"schema\":");
        rf_debezium_schema_envelope(&shape->begin, &debezium->names, table, &debezium->modes);
        add(&shape->begin, ",\"payload\":");
        add(&shape->key_schema, "{\"schema\":");
        rf_debezium_schema_key(&shape->key_schema, &debezium->names, table, &debezium->modes);
        add(&shape->key_schema, ",\"payload\":");
    }
    add(&shape->begin, "{\"before\":");
    rf_piece_end(&shape->begin);
}

static void shape_clear(struct rf_shape *head)
{
    struct shape *shape = (struct shape *)head;
    rf_json_names_deinit(&shape->columns);
    rf_json_names_deinit(&shape->key);
    rf_debezium_parts_deinit(&shape->parts);
    rf_buf_deinit(&shape->begin);
    rf_buf_deinit(&shape->key_schema);
    *shape = (struct shape){0};
}

/* ---- Instances ----------------------------------------------------------------------------- */

/* Whose log it is stands in every message. */
static void serve(struct debezium *debezium, uint8_t server)
{
    rf_shapes_close(&debezium->shapes);
    debezium->server = server;
    debezium->names = (struct rf_debezium_names){
        .prefix = debezium->topic_prefix,
        .connector = server == RF_SERVER_MARIADB ? "mariadb" : "mysql",
    };
    rf_shapes_open(&debezium->shapes, sizeof(struct shape), shape_make, shape_clear, debezium);
}

static enum rf_status debezium_open(void *state, struct rf_error *err)
{
    struct debezium *debezium = state;
    if (debezium->topic_prefix[0] == '\0') {
        rf_fail(err, RF_CONFIG, "topic_prefix is empty: it is what messages are named by");
        rf_error_hint(err, "leave it out, or write the name that Debezium's topic.prefix would be");
        return RF_CONFIG;
    }
    serve(debezium, RF_SERVER_UNKNOWN);
    return RF_OK;
}

static void debezium_close(void *state)
{
    struct debezium *debezium = state;
    rf_shapes_close(&debezium->shapes);
    rf_debezium_counts_deinit(&debezium->counts);
    rf_buf_deinit(&debezium->id);
    rf_buf_deinit(&debezium->place);
    rf_buf_deinit(&debezium->text);
    rf_buf_deinit(&debezium->source);
    rf_buf_deinit(&debezium->behind);
    rf_buf_deinit(&debezium->end);
    *debezium = (struct debezium){0};
}

/* ---- What messages have in common ----------------------------------------------------------- */

/* When the message is written. */
static int64_t envelope_time(const struct debezium *debezium,
                             const struct rf_transaction *transaction)
{
    return debezium->clock == CLOCK_COMMIT ? transaction->commit_us : rf_clock_wall_us();
}

static void prepare_transaction(struct debezium *debezium, const struct rf_transaction *transaction)
{
    if (debezium->known && rf_str_equal(rf_buf_str(&debezium->id), transaction->id)) {
        return;
    }
    if (transaction->server != debezium->server) {
        serve(debezium, transaction->server);
    }
    debezium->known = true;
    debezium->begun = false;
    debezium->serial = 0;
    rf_debezium_counts_reset(&debezium->counts);
    rf_buf_set(&debezium->id, transaction->id);
    rf_buf_reset(&debezium->place);
    rf_debezium_place_make(&debezium->place, transaction);
}

/* All rows of a log event have these in common, and its ordinal tells it from the others of its
 * transaction. Addresses would not: memory of batches is used again. */
static void prepare_origin(struct debezium *debezium, const struct shape *shape,
                           const struct rf_transaction *transaction, const struct rf_event *event)
{
    if (debezium->serial == shape->serial && debezium->ordinal == event->ordinal &&
        debezium->op == event->op) {
        return;
    }
    debezium->serial = shape->serial;
    debezium->ordinal = event->ordinal;
    debezium->op = event->op;
    rf_buf_reset(&debezium->source);
    rf_debezium_source_begin(&debezium->source, &shape->parts, &debezium->place, transaction,
                             event);
    rf_piece_end(&debezium->source);
    rf_buf_reset(&debezium->behind);
    rf_debezium_source_end(&debezium->behind, transaction, event);
    rf_buf_add_str(&debezium->behind, debezium->transactions
                                          ? RF_STR(",\"transaction\":")
                                          : RF_STR(",\"transaction\":null,\"op\":\""));
    rf_piece_end(&debezium->behind);
    rf_buf_reset(&debezium->end);
    rf_buf_add_byte(&debezium->end, '"');
    rf_debezium_add_times(&debezium->end, envelope_time(debezium, transaction));
    rf_buf_add_byte(&debezium->end, '}');
    end_payload(debezium, &debezium->end);
    rf_piece_end(&debezium->end);
}

/* ---- Transactions -------------------------------------------------------------------------- */

/* The block in the envelope of one more event. */
static void add_block(struct debezium *debezium, struct rf_buf *out, struct rf_str table)
{
    const struct rf_debezium_count *count = rf_debezium_counts_add(&debezium->counts, table);
    add(out, "{\"id\":");
    rf_json_add_string(out, rf_buf_str(&debezium->id));
    add(out, ",\"total_order\":");
    rf_buf_add_u64(out, debezium->counts.total);
    add(out, ",\"data_collection_order\":");
    rf_buf_add_u64(out, count->events);
    rf_buf_add_byte(out, '}');
}

static void add_collections(const struct debezium *debezium, struct rf_buf *out)
{
    const struct rf_debezium_counts *counts = &debezium->counts;
    rf_buf_add_byte(out, '[');
    const char *comma = "";
    for (uint32_t i = 0; i < counts->count; i++) {
        if (counts->items[i].events == 0) {
            continue;
        }
        add(out, comma);
        add(out, "{\"data_collection\":");
        comma = ",";
        rf_json_add_string(out, rf_debezium_count_name(counts, &counts->items[i]));
        add(out, ",\"event_count\":");
        rf_buf_add_u64(out, counts->items[i].events);
        rf_buf_add_byte(out, '}');
    }
    rf_buf_add_byte(out, ']');
}

/* BEGIN or END. */
static void add_border(struct debezium *debezium, struct rf_encoding *out, bool ends,
                       int64_t time_us)
{
    struct rf_mark mark = rf_mark_of(out);
    struct rf_buf *value = out->value;
    if (out->key != NULL) {
        if (debezium->schemas) {
            add(out->key, "{\"schema\":");
            rf_debezium_schema_transaction_key(out->key);
            add(out->key, ",\"payload\":");
        }
        add(out->key, "{\"id\":");
        rf_json_add_string(out->key, rf_buf_str(&debezium->id));
        rf_buf_add_byte(out->key, '}');
        end_payload(debezium, out->key);
    }
    begin_payload(debezium, value);
    if (debezium->schemas) {
        rf_debezium_schema_transaction(value);
        add(value, ",\"payload\":");
    }
    add(value, ends ? "{\"status\":\"END\",\"id\":" : "{\"status\":\"BEGIN\",\"id\":");
    rf_json_add_string(value, rf_buf_str(&debezium->id));
    if (ends) {
        add(value, ",\"event_count\":");
        rf_buf_add_u64(value, debezium->counts.total);
        add(value, ",\"data_collections\":");
        add_collections(debezium, value);
    } else {
        add(value, ",\"event_count\":null,\"data_collections\":null");
    }
    rf_debezium_add_millis(value, time_us);
    rf_buf_add_byte(value, '}');
    end_payload(debezium, value);
    rf_message_end(out, mark, false);
}

static void begin_transaction(struct debezium *debezium, const struct rf_transaction *transaction,
                              const struct rf_event *event, struct rf_encoding *out)
{
    if (debezium->transactions && !debezium->begun) {
        debezium->begun = true;
        add_border(debezium, out, false, rf_debezium_time(transaction, event->origin));
    }
}

static enum rf_status debezium_end(void *state, const struct rf_view *view,
                                   const struct rf_transaction *transaction,
                                   struct rf_encoding *out, struct rf_error *err)
{
    struct debezium *debezium = state;
    (void)view;
    (void)err;
    if (debezium->begun && rf_str_equal(rf_buf_str(&debezium->id), transaction->id)) {
        add_border(debezium, out, true, transaction->commit_us);
        debezium->begun = false;
    }
    return RF_OK;
}

/* ---- Rows ---------------------------------------------------------------------------------- */

/* A row as one message has it. */
struct change {
    char letter;
    const struct rf_value *before; /* NULL: none */
    const struct rf_value *after;
};

static bool add_image(const struct debezium *debezium, const struct shape *shape,
                      struct rf_buf *out, const struct rf_value *image, uint32_t *column)
{
    if (image == NULL) {
        add(out, "null");
        return true;
    }
    return rf_debezium_add_row(out, &shape->columns, shape->head.table, &debezium->modes, image,
                               column);
}

static bool add_key(const struct debezium *debezium, const struct shape *shape,
                    const struct change *change, struct rf_buf *out, uint32_t *column)
{
    const struct rf_value *image = change->after ? change->after : change->before;
    if (out == NULL || shape->key.count == 0) {
        return true;
    }
    rf_buf_add_str(out, rf_buf_str(&shape->key_schema));
    bool said =
        rf_debezium_add_row(out, &shape->key, shape->head.table, &debezium->modes, image, column);
    end_payload(debezium, out);
    return said;
}

static enum rf_status add_change(struct debezium *debezium, const struct shape *shape,
                                 const struct rf_event *event, const struct change *change,
                                 struct rf_encoding *out, uint32_t *column)
{
    enum { ROW_MAX = RF_DIGITS_MAX + RF_DIGITS_SLACK };
    struct rf_mark mark = rf_mark_of(out);
    struct rf_buf *value = out->value;
    if (!add_key(debezium, shape, change, out->key, column)) {
        return RF_REJECT;
    }
    rf_piece_add(value, &shape->begin);
    if (!add_image(debezium, shape, value, change->before, column)) {
        return RF_REJECT;
    }
    rf_buf_add_str(value, RF_STR(",\"after\":"));
    if (!add_image(debezium, shape, value, change->after, column)) {
        return RF_REJECT;
    }
    rf_piece_add(value, &debezium->source);
    char *at = rf_buf_reserve(value, ROW_MAX);
    value->size = (size_t)(rf_digits_u64(at, event->row) - value->data);
    rf_piece_add(value, &debezium->behind);
    if (debezium->transactions) {
        add_block(debezium, value, shape->head.table->full_name);
        add(value, ",\"op\":\"");
    }
    rf_buf_add_byte(value, change->letter);
    rf_piece_add(value, &debezium->end);
    rf_message_end(out, mark, false);
    return RF_OK;
}

/* Behind a deletion: the key without a value, so that a log that keeps the last message of each key
 * can forget it. */
static enum rf_status add_tombstone(const struct debezium *debezium, const struct shape *shape,
                                    const struct change *change, struct rf_encoding *out,
                                    uint32_t *column)
{
    struct rf_mark mark = rf_mark_of(out);
    if (!debezium->tombstones || out->key == NULL || shape->key.count == 0) {
        return RF_OK;
    }
    if (!add_key(debezium, shape, change, out->key, column)) {
        return RF_REJECT;
    }
    rf_message_end(out, mark, true);
    return RF_OK;
}

static enum rf_status add_deletion(struct debezium *debezium, const struct shape *shape,
                                   const struct rf_event *event, struct rf_encoding *out,
                                   uint32_t *column)
{
    const struct change change = {'d', event->before, NULL};
    enum rf_status status = add_change(debezium, shape, event, &change, out, column);
    return status == RF_OK ? add_tombstone(debezium, shape, &change, out, column) : status;
}

static enum rf_status reject(const struct rf_event *event, uint32_t column, struct rf_error *err)
{
    const struct rf_table *table = event->table;
    rf_fail(err, RF_REJECT,
            "column %.*s of table %.*s has a value for which the format debezium has none: a zero "
            "date, or a time that does not fit its time_precision_mode",
            RF_STR_ARG(table->columns[column].name), RF_STR_ARG(table->full_name));
    rf_error_hint(err, "unfit_values=null writes null or 1970-01-01 there, as Debezium does; the "
                       "format json has such values as they are");
    if (err != NULL) {
        err->event = event;
    }
    return RF_REJECT;
}

static enum rf_status add_row(struct debezium *debezium, const struct rf_transaction *transaction,
                              const struct rf_event *event, struct rf_encoding *out,
                              struct rf_error *err)
{
    static const char letters[] = {
        [RF_CREATE] = 'c', [RF_UPDATE] = 'u', [RF_DELETE] = 'd', [RF_READ] = 'r'};
    const struct shape *shape = (const struct shape *)rf_shapes_of(&debezium->shapes, event->table);
    struct change change = {letters[event->op], event->before, event->after};
    uint32_t column = 0;
    enum rf_status status = RF_OK;
    prepare_origin(debezium, shape, transaction, event);
    begin_transaction(debezium, transaction, event, out);
    if (event->op == RF_DELETE) {
        status = add_deletion(debezium, shape, event, out, &column);
    } else {
        if (rf_event_changes_key(event)) {
            status = add_deletion(debezium, shape, event, out, &column);
            change = (struct change){'c', NULL, event->after};
        }
        if (status == RF_OK) {
            status = add_change(debezium, shape, event, &change, out, &column);
        }
    }
    return status == RF_OK ? RF_OK : reject(event, column, err);
}

/* ---- Documents ----------------------------------------------------------------------------- */

static void add_document_key(struct debezium *debezium, const struct shape *shape,
                             const struct rf_event *event, struct rf_buf *out)
{
    if (out != NULL) {
        rf_buf_add_str(out, rf_buf_str(&shape->key_schema));
        rf_debezium_documents_add_key(out, &debezium->text, event);
        end_payload(debezium, out);
    }
}

static void add_document(struct debezium *debezium, const struct rf_transaction *transaction,
                         const struct rf_event *event, struct rf_encoding *out)
{
    static const char letters[] = {
        [RF_CREATE] = 'c', [RF_UPDATE] = 'u', [RF_DELETE] = 'd', [RF_READ] = 'r'};
    const struct shape *shape = (const struct shape *)rf_shapes_of(&debezium->shapes, event->table);
    begin_transaction(debezium, transaction, event, out);
    struct rf_mark mark = rf_mark_of(out);
    struct rf_buf *value = out->value;
    add_document_key(debezium, shape, event, out->key);
    rf_piece_add(value, &shape->begin);
    rf_debezium_documents_add_change(value, &debezium->text, &debezium->names, transaction, event);
    rf_buf_printf(value, ",\"op\":\"%c\"", letters[event->op]);
    rf_debezium_add_times(value, envelope_time(debezium, transaction));
    add(value, ",\"transaction\":");
    if (debezium->transactions) {
        add_block(debezium, value, event->table->full_name);
    } else {
        add(value, "null");
    }
    rf_buf_add_byte(value, '}');
    end_payload(debezium, value);
    rf_message_end(out, mark, false);
    if (event->op == RF_DELETE && debezium->tombstones && out->key != NULL) {
        mark = rf_mark_of(out);
        add_document_key(debezium, shape, event, out->key);
        rf_message_end(out, mark, true);
    }
}

/* ---- Statements ---------------------------------------------------------------------------- */

static void add_truncate(struct debezium *debezium, const struct rf_transaction *transaction,
                         const struct rf_event *event, struct rf_encoding *out)
{
    struct rf_debezium_parts parts = {0};
    struct rf_buf name = {0};
    begin_transaction(debezium, transaction, event, out);
    struct rf_mark mark = rf_mark_of(out);
    struct rf_buf *value = out->value;
    if (debezium->schemas) {
        add(value, "{\"schema\":");
        rf_debezium_schema_truncate(value, &debezium->names, event->database, event->object);
        add(value, ",\"payload\":");
    }
    add(value, "{\"before\":null,\"after\":null");
    rf_debezium_parts_make(&parts, &debezium->names, event->database, event->object);
    rf_debezium_source_begin(value, &parts, &debezium->place, transaction, event);
    rf_buf_add_byte(value, '0');
    rf_debezium_source_end(value, transaction, event);
    add(value, ",\"transaction\":");
    if (debezium->transactions) {
        rf_buf_printf(&name, "%.*s.%.*s", RF_STR_ARG(event->database), RF_STR_ARG(event->object));
        add_block(debezium, value, rf_buf_str(&name));
    } else {
        add(value, "null");
    }
    add(value, ",\"op\":\"t\"");
    rf_debezium_add_times(value, envelope_time(debezium, transaction));
    rf_buf_add_byte(value, '}');
    end_payload(debezium, value);
    rf_message_end(out, mark, false);
    rf_debezium_parts_deinit(&parts);
    rf_buf_deinit(&name);
}

static void add_schema_change(const struct debezium *debezium,
                              const struct rf_transaction *transaction,
                              const struct rf_event *event, struct rf_encoding *out)
{
    struct rf_debezium_parts parts = {0};
    struct rf_ddl_words words = rf_ddl_words_read(event->statement);
    struct rf_str database = words.name.size > 0 ? words.name : event->database;
    struct rf_mark mark = rf_mark_of(out);
    struct rf_buf *value = out->value;
    if (out->key != NULL) {
        if (debezium->schemas) {
            add(out->key, "{\"schema\":");
            rf_debezium_schema_change_key(out->key, &debezium->names);
            add(out->key, ",\"payload\":");
        }
        add(out->key, "{\"databaseName\":");
        rf_json_add_string(out->key, database);
        rf_buf_add_byte(out->key, '}');
        end_payload(debezium, out->key);
    }
    if (debezium->schemas) {
        add(value, "{\"schema\":");
        rf_debezium_schema_change(value, &debezium->names);
        add(value, ",\"payload\":");
    }
    rf_debezium_parts_make(&parts, &debezium->names, database, event->object);
    size_t comma = value->size;
    rf_debezium_source_begin(value, &parts, &debezium->place, transaction, event);
    value->data[comma] = '{';
    rf_buf_add_byte(value, '0');
    rf_debezium_source_end(value, transaction, event);
    rf_debezium_add_millis(value, envelope_time(debezium, transaction));
    add(value, ",\"databaseName\":");
    rf_json_add_string(value, database);
    add(value, ",\"schemaName\":null,\"ddl\":");
    rf_json_add_string(value, event->statement);
    add(value, ",\"tableChanges\":[]}");
    end_payload(debezium, value);
    rf_message_end(out, mark, false);
    rf_debezium_parts_deinit(&parts);
}

/* ---- The plugin ---------------------------------------------------------------------------- */

static enum rf_status debezium_encode(void *state, const struct rf_view *view,
                                      const struct rf_event *event, struct rf_encoding *out,
                                      struct rf_error *err)
{
    struct debezium *debezium = state;
    const struct rf_transaction *transaction = rf_view_transaction(view, event);
    struct rf_mark mark = rf_mark_of(out);
    enum rf_status status = RF_OK;
    prepare_transaction(debezium, transaction);
    bool begun = debezium->begun;
    uint64_t total = debezium->counts.total;
    switch (event->op) {
    case RF_DDL:
        /* Debezium's connector for MongoDB says nothing of a drop and the like. */
        if (debezium->schema_changes && event->change == NULL) {
            add_schema_change(debezium, transaction, event, out);
        }
        break;
    case RF_TRUNCATE: add_truncate(debezium, transaction, event, out); break;
    default:
        if (event->table->documents) {
            add_document(debezium, transaction, event, out);
        } else {
            status = add_row(debezium, transaction, event, out, err);
        }
        break;
    }
    if (status != RF_OK) {
        debezium->begun = begun;
        while (debezium->counts.total > total) {
            rf_debezium_counts_take_back(&debezium->counts, event->table->full_name);
        }
        rf_message_undo(out, mark);
        out->count = 0;
    }
    return status;
}

static const struct rf_option debezium_options[] = {
    {"topic_prefix", RF_OPTION_TEXT, offsetof(struct debezium, topic_prefix), "rowferry", NULL,
     "what source.name and the schemas say: Debezium's topic.prefix", false},
    {"schemas", RF_OPTION_BOOL, offsetof(struct debezium, schemas), "off", NULL,
     "each message is {\"schema\":...,\"payload\":...}: Kafka's converter.schemas.enable", false},
    {"tombstones", RF_OPTION_BOOL, offsetof(struct debezium, tombstones), "on", NULL,
     "a key without a value behind each deletion: tombstones.on.delete. For sinks that write keys; "
     "of this build none does, so it changes nothing",
     false},
    {"provide_transaction_metadata", RF_OPTION_BOOL, offsetof(struct debezium, transactions), "off",
     NULL, "BEGIN and END of each transaction, and a row's number in it", false},
    {"include_schema_changes", RF_OPTION_BOOL, offsetof(struct debezium, schema_changes), "on",
     NULL, "DDL statements", false},
    {"decimal_handling_mode", RF_OPTION_CHOICE, offsetof(struct debezium, modes.decimal), "string",
     "string|precise|double", "DECIMAL; string and precise are exact", false},
    {"time_precision_mode", RF_OPTION_CHOICE, offsetof(struct debezium, modes.time),
     "adaptive_time_microseconds",
     "adaptive_time_microseconds|connect|isostring|microseconds|nanoseconds",
     "DATE, TIME and DATETIME; connect has milliseconds only", false},
    {"bigint_unsigned_handling_mode", RF_OPTION_CHOICE, offsetof(struct debezium, modes.bigint),
     "unsigned", "unsigned|precise|long",
     "BIGINT UNSIGNED; unsigned is the number, with long it is negative from 2^63 on", false},
    {"binary_handling_mode", RF_OPTION_CHOICE, offsetof(struct debezium, modes.binary), "bytes",
     "bytes|base64|base64-url-safe|hex", "BINARY, VARBINARY and BLOB; bytes are base64 in JSON",
     false},
    {"unfit_values", RF_OPTION_CHOICE, offsetof(struct debezium, modes.unfit), "reject",
     "reject|null",
     "zero dates, and times that the mode cannot say: refuse the event, or null as Debezium does",
     false},
    {"clock", RF_OPTION_CHOICE, offsetof(struct debezium, clock), "now", "now|commit",
     "the envelope's own ts_ms: when it was written, or the commit, so that a repeat is the same",
     false},
    RF_OPTION_END,
};

const struct rf_format_type rf_format_debezium = {
    .name = "debezium",
    .summary = "Debezium's change events: before, after, source, op, ts_ms, transaction",
    .state_size = sizeof(struct debezium),
    .options = debezium_options,
    .open = debezium_open,
    .encode = debezium_encode,
    .end = debezium_end,
    .close = debezium_close,
};
