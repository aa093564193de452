#include "format/debezium_documents.h"

#include "format/debezium_source.h"
#include "format/documents.h"
#include "wire/json.h"

enum {
    WHOLE = RF_BSON_JSON_STRICT | RF_BSON_JSON_COLONS,
    ID = RF_BSON_JSON_RELAXED | RF_BSON_JSON_COLONS,
    FIELDS = RF_BSON_JSON_RELAXED | RF_BSON_JSON_COLONS | RF_BSON_JSON_COMMAS,
};

static void add(struct rf_buf *out, const char *text)
{
    rf_buf_add(out, text, strlen(text));
}

/* ---- Schemas ------------------------------------------------------------------------------- */

static void add_name(struct rf_buf *out, const struct rf_debezium_names *names,
                     const struct rf_table *table, const char *last)
{
    struct rf_buf name = {0};
    rf_buf_printf(&name, "%s.%.*s.%s", names->prefix, RF_STR_ARG(table->full_name), last);
    add(out, ",\"name\":");
    rf_json_add_string(out, rf_buf_str(&name));
    rf_buf_deinit(&name);
}

void rf_debezium_documents_schema_key(struct rf_buf *out, const struct rf_debezium_names *names,
                                      const struct rf_table *table)
{
    add(out, "{\"type\":\"struct\",\"fields\":[{\"type\":\"string\",\"optional\":false,"
             "\"field\":\"id\"}],\"optional\":false");
    add_name(out, names, table, "Key");
    rf_buf_add_byte(out, '}');
}

/* A field whose type has no name. */
struct field {
    const char *type; /* NULL ends a list */
    bool optional;
    const char *name;
};

static void add_fields(struct rf_buf *out, const struct field *fields)
{
    for (const struct field *field = fields; field->type != NULL; field++) {
        rf_buf_printf(out, "%s{\"type\":\"%s\",\"optional\":%s,\"field\":\"%s\"}",
                      field == fields ? "" : ",", field->type, field->optional ? "true" : "false",
                      field->name);
    }
}

/* A document as a string. */
static void add_json_field(struct rf_buf *out, const char *name)
{
    rf_buf_printf(out,
                  "{\"type\":\"string\",\"optional\":true,\"name\":\"io.debezium.data.Json\","
                  "\"version\":1,\"field\":\"%s\"}",
                  name);
}

static void add_update_schema(struct rf_buf *out)
{
    static const struct field truncated[] = {
        {"string", false, "field"}, {"int32", false, "size"}, {0}};
    add(out, "{\"type\":\"struct\",\"fields\":[{\"type\":\"array\",\"items\":{\"type\":\"string\","
             "\"optional\":false},\"optional\":true,\"field\":\"removedFields\"},");
    add_json_field(out, "updatedFields");
    add(out, ",{\"type\":\"array\",\"items\":{\"type\":\"struct\",\"fields\":[");
    add_fields(out, truncated);
    add(out, "],\"optional\":false,"
             "\"name\":\"io.debezium.connector.mongodb.changestream.truncatedarray\","
             "\"version\":1},\"optional\":true,\"field\":\"truncatedArrays\"}],\"optional\":true,"
             "\"name\":\"io.debezium.connector.mongodb.changestream.updatedescription\","
             "\"version\":1,\"field\":\"updateDescription\"}");
}

static void add_source_schema(struct rf_buf *out)
{
    static const struct field before[] = {{"string", false, "version"},
                                          {"string", false, "connector"},
                                          {"string", false, "name"},
                                          {"int64", false, "ts_ms"},
                                          {0}};
    static const struct field behind[] = {
        {"string", false, "db"},         {"string", true, "sequence"},
        {"int64", true, "ts_us"},        {"int64", true, "ts_ns"},
        {"string", false, "collection"}, {"int32", false, "ord"},
        {"string", true, "lsid"},        {"int64", true, "txnNumber"},
        {"int64", true, "wallTime"},     {0}};
    add(out, "{\"type\":\"struct\",\"fields\":[");
    add_fields(out, before);
    rf_buf_add_byte(out, ',');
    rf_debezium_schema_snapshot(out);
    rf_buf_add_byte(out, ',');
    add_fields(out, behind);
    add(out, "],\"optional\":false,\"name\":\"io.debezium.connector.mongo.Source\","
             "\"field\":\"source\"}");
}

void rf_debezium_documents_schema_value(struct rf_buf *out, const struct rf_debezium_names *names,
                                        const struct rf_table *table)
{
    static const struct field tail[] = {{"string", true, "op"},
                                        {"int64", true, "ts_ms"},
                                        {"int64", true, "ts_us"},
                                        {"int64", true, "ts_ns"},
                                        {0}};
    add(out, "{\"type\":\"struct\",\"fields\":[");
    add_json_field(out, "before");
    rf_buf_add_byte(out, ',');
    add_json_field(out, "after");
    rf_buf_add_byte(out, ',');
    add_update_schema(out);
    rf_buf_add_byte(out, ',');
    add_source_schema(out);
    rf_buf_add_byte(out, ',');
    add_fields(out, tail);
    rf_buf_add_byte(out, ',');
    rf_debezium_schema_block(out);
    add(out, "],\"optional\":false");
    add_name(out, names, table, "Envelope");
    rf_buf_add_byte(out, '}');
}

/* ---- Payloads ------------------------------------------------------------------------------ */

/* A document as a string of JSON; null where there is none. */
static void add_document(struct rf_buf *out, struct rf_buf *text, struct rf_str document,
                         unsigned form)
{
    if (document.size == 0) {
        add(out, "null");
        return;
    }
    rf_buf_reset(text);
    rf_bson_json_add(text, document, form);
    rf_json_add_string(out, rf_buf_str(text));
}

void rf_debezium_documents_add_key(struct rf_buf *out, struct rf_buf *text,
                                   const struct rf_event *event)
{
    rf_buf_reset(text);
    rf_document_add_id(text, event, ID);
    add(out, "{\"id\":");
    rf_json_add_string(out, rf_buf_str(text));
    rf_buf_add_byte(out, '}');
}

/* The names in an array; null without any. */
static void add_removed(struct rf_buf *out, const struct rf_bson_element *fields)
{
    const size_t start = out->size;
    if (fields->type == RF_BSON_ARRAY) {
        struct rf_bson_walk walk = rf_bson_walk(rf_bson_document(fields));
        struct rf_bson_element name;
        while (rf_bson_next(&walk, &name)) {
            if (name.type == RF_BSON_UTF8) {
                rf_buf_add_byte(out, out->size == start ? '[' : ',');
                rf_bson_json_add_string(out, rf_bson_text(&name));
            }
        }
    }
    add(out, out->size == start ? "null" : "]");
}

/* {field, newSize} as {"field":...,"size":...}. */
static void add_truncated(struct rf_buf *out, const struct rf_bson_element *arrays)
{
    const size_t start = out->size;
    if (arrays->type == RF_BSON_ARRAY) {
        struct rf_bson_walk walk = rf_bson_walk(rf_bson_document(arrays));
        struct rf_bson_element item, field, size;
        while (rf_bson_next(&walk, &item)) {
            if (item.type == RF_BSON_DOCUMENT &&
                rf_bson_find(rf_bson_document(&item), RF_STR("field"), &field) &&
                rf_bson_find(rf_bson_document(&item), RF_STR("newSize"), &size) &&
                field.type == RF_BSON_UTF8) {
                add(out, out->size == start ? "[{\"field\":" : ",{\"field\":");
                rf_bson_json_add_string(out, rf_bson_text(&field));
                add(out, ",\"size\":");
                rf_bson_json_add_value(out, &size, RF_BSON_JSON_RELAXED);
                rf_buf_add_byte(out, '}');
            }
        }
    }
    add(out, out->size == start ? "null" : "]");
}

static void add_update(struct rf_buf *out, struct rf_buf *text, struct rf_str update)
{
    struct rf_bson_element updated, removed, truncated;
    if (update.size == 0) {
        add(out, "null");
        return;
    }
    (void)rf_bson_find(update, RF_STR("updatedFields"), &updated);
    (void)rf_bson_find(update, RF_STR("removedFields"), &removed);
    (void)rf_bson_find(update, RF_STR("truncatedArrays"), &truncated);
    add(out, "{\"removedFields\":");
    add_removed(out, &removed);
    add(out, ",\"updatedFields\":");
    add_document(out, text,
                 updated.type == RF_BSON_DOCUMENT ? rf_bson_document(&updated) : RF_STR_NONE,
                 FIELDS);
    add(out, ",\"truncatedArrays\":");
    add_truncated(out, &truncated);
    rf_buf_add_byte(out, '}');
}

/* The session and its number; both null outside of a transaction of several documents. */
static void add_session(struct rf_buf *out, struct rf_buf *text,
                        const struct rf_document_change *change)
{
    bool inside = change != NULL && change->lsid.size > 0;
    add(out, ",\"lsid\":");
    add_document(out, text, inside ? change->lsid : RF_STR_NONE, WHOLE);
    add(out, ",\"txnNumber\":");
    if (inside) {
        rf_buf_add_i64(out, change->txn_number);
    } else {
        add(out, "null");
    }
}

static void add_source(struct rf_buf *out, struct rf_buf *text,
                       const struct rf_debezium_names *names,
                       const struct rf_transaction *transaction, const struct rf_event *event)
{
    const struct rf_document_change *change = event->change;
    const struct rf_table *table = event->table;
    int64_t time_us = change != NULL && change->cluster_time > 0
                          ? (int64_t)change->cluster_time * 1000000
                          : transaction->commit_us;
    add(out,
        "\"source\":{\"version\":\"" ROWFERRY_VERSION "\",\"connector\":\"mongodb\",\"name\":");
    rf_json_add_string(out, rf_str_of(names->prefix));
    rf_debezium_add_millis(out, time_us);
    add(out, event->op == RF_READ ? ",\"snapshot\":\"true\",\"db\":"
                                  : ",\"snapshot\":\"false\",\"db\":");
    rf_json_add_string(out, table->database);
    add(out, ",\"sequence\":null");
    rf_debezium_add_micros(out, time_us);
    add(out, ",\"collection\":");
    rf_json_add_string(out, table->name);
    add(out, ",\"ord\":");
    rf_buf_add_i64(out, change != NULL ? (int32_t)change->cluster_increment : 0);
    add_session(out, text, change);
    add(out, ",\"wallTime\":");
    if (change != NULL && change->wall_us != 0) {
        rf_buf_add_i64(out, change->wall_us / 1000);
    } else {
        add(out, "null");
    }
    rf_buf_add_byte(out, '}');
}

void rf_debezium_documents_add_change(struct rf_buf *out, struct rf_buf *text,
                                      const struct rf_debezium_names *names,
                                      const struct rf_transaction *transaction,
                                      const struct rf_event *event)
{
    add(out, "\"before\":");
    add_document(out, text, rf_document_of(event->before), WHOLE);
    add(out, ",\"after\":");
    add_document(out, text, rf_document_of(event->after), WHOLE);
    add(out, ",\"updateDescription\":");
    add_update(out, text, event->change != NULL ? event->change->update : RF_STR_NONE);
    rf_buf_add_byte(out, ',');
    add_source(out, text, names, transaction, event);
}
