/* The format `canal`: Alibaba Canal's flat messages, of one row each.
 *
 *   {"data":[{"id":"1","total":"19.90"}],"database":"shop","es":1763830800000,"gtid":"0-1-42",
 *    "id":1637,"isDdl":false,"mysqlType":{"id":"int","total":"decimal(12,2)"},"old":null,
 *    "pkNames":["id"],"sql":"","sqlType":{"id":4,"total":3},"table":"orders","ts":1763830800123,
 *    "type":"INSERT"}
 *
 * `type` is INSERT, UPDATE or DELETE, of statements CREATE, ALTER, ERASE, RENAME, TRUNCATE, CINDEX,
 * DINDEX or QUERY. `data` has the row as it is now, or, of a deletion, was; `old` has what an
 * update changed, as it was before. `es` is when the statement began, `ts` when the message was
 * written. Canal puts the rows of a log event into one message and numbers its batches in `id`;
 * here each row is a message, and `id` is where its log event begins in the file. `sql` is the
 * statement; of rows only where the source brings it along, which Canal sends as a message of its
 * own.
 *
 * All values are strings: ENUM is its member's number, SET the sum of its members' bits, bytes and
 * geometries one character for each byte (ISO 8859-1), dates as MySQL shows them, TIMESTAMP in UTC,
 * VECTOR, which Canal does not know, as VECTOR_TO_STRING has it but for the digits: "[1,-2.5]".
 * `mysqlType` is the type as MySQL 8 shows it, without display widths. `sqlType` is the JDBC type;
 * of unsigned columns the next larger one, which Canal gives only to values that need it.
 *
 * Source: Canal 1.1.7, FlatMessage, MQMessageUtils.messageConverter, LogEventConvert.parseOneRow,
 * RowsLogBuffer, CanalEntry.EventType; java.sql.Types; measured against Canal 1.1.7. */
#include "base/clock.h"
#include "format/ddl_words.h"
#include "format/documents.h"
#include "format/message.h"
#include "format/piece.h"
#include "format/shapes.h"
#include "wire/json_emit.h"

#include <rowferry/format.h>

enum canal_clock { CLOCK_NOW = 0, CLOCK_COMMIT };

/* What is kept of one table. */
struct shape {
    struct rf_shape head;
    struct rf_json_names columns;
    struct rf_json_names key;
    struct rf_buf database; /* ,"database":"shop","es": */
    struct rf_buf types;    /* ,"isDdl":false,"mysqlType":{...},"old": */
    struct rf_buf keys;     /* ,"pkNames":["id"],"sql": */
    struct rf_buf tail;     /* ,"sqlType":{...},"table":"orders","ts": */
};

struct canal {
    int32_t clock;

    struct rf_shapes shapes;

    /* The transaction in hand. */
    bool known;
    struct rf_buf id;
    struct rf_buf gtid; /* ,"gtid":"0-1-42","id": */
    int64_t ts_ms;
};

static void add(struct rf_buf *out, const char *text)
{
    rf_buf_add(out, text, strlen(text));
}

/* ---- Types --------------------------------------------------------------------------------- */

/* Source: java.sql.Types. */
enum jdbc_type {
    JDBC_BIT = -7,
    JDBC_TINYINT = -6,
    JDBC_BIGINT = -5,
    JDBC_CHAR = 1,
    JDBC_DECIMAL = 3,
    JDBC_INTEGER = 4,
    JDBC_SMALLINT = 5,
    JDBC_REAL = 7,
    JDBC_DOUBLE = 8,
    JDBC_VARCHAR = 12,
    JDBC_DATE = 91,
    JDBC_TIME = 92,
    JDBC_TIMESTAMP = 93,
    JDBC_BLOB = 2004,
    JDBC_CLOB = 2005,
};

static int jdbc_type_of(const struct rf_column *column)
{
    bool is_unsigned = column->is_unsigned;
    switch ((enum rf_column_type)column->type) {
    case RF_COLUMN_TINYINT: return is_unsigned ? JDBC_SMALLINT : JDBC_TINYINT;
    case RF_COLUMN_SMALLINT: return is_unsigned ? JDBC_INTEGER : JDBC_SMALLINT;
    case RF_COLUMN_MEDIUMINT: return JDBC_INTEGER;
    case RF_COLUMN_INT: return is_unsigned ? JDBC_BIGINT : JDBC_INTEGER;
    case RF_COLUMN_BIGINT: return is_unsigned ? JDBC_DECIMAL : JDBC_BIGINT;
    case RF_COLUMN_FLOAT: return JDBC_REAL;
    case RF_COLUMN_DOUBLE: return JDBC_DOUBLE;
    case RF_COLUMN_DECIMAL: return JDBC_DECIMAL;
    case RF_COLUMN_BIT:
    case RF_COLUMN_SET: return JDBC_BIT;
    case RF_COLUMN_ENUM: return JDBC_INTEGER;
    case RF_COLUMN_DATE: return JDBC_DATE;
    case RF_COLUMN_TIME: return JDBC_TIME;
    case RF_COLUMN_DATETIME:
    case RF_COLUMN_TIMESTAMP: return JDBC_TIMESTAMP;
    case RF_COLUMN_CHAR: return JDBC_CHAR;
    case RF_COLUMN_TEXT: return JDBC_CLOB;
    case RF_COLUMN_BINARY:
    case RF_COLUMN_VARBINARY:
    case RF_COLUMN_BLOB:
    case RF_COLUMN_GEOMETRY: return JDBC_BLOB;
    case RF_COLUMN_YEAR:
    case RF_COLUMN_VARCHAR:
    case RF_COLUMN_JSON:
    case RF_COLUMN_VECTOR:
    case RF_COLUMN_UUID:
    case RF_COLUMN_INET4:
    case RF_COLUMN_INET6: return JDBC_VARCHAR;
    default: return JDBC_VARCHAR;
    }
}

/* enum('small','it''s large') */
static void add_members(struct rf_buf *out, const char *type, const struct rf_column *column)
{
    add(out, type);
    for (uint32_t i = 0; i < column->member_count; i++) {
        struct rf_str member = column->members[i];
        add(out, i > 0 ? ",'" : "('");
        for (size_t k = 0; k < member.size; k++) {
            if (member.data[k] == '\'') {
                rf_buf_add_byte(out, '\'');
            }
            rf_buf_add_byte(out, member.data[k]);
        }
        rf_buf_add_byte(out, '\'');
    }
    add(out, column->member_count > 0 ? ")" : "");
}

/* TEXT and BLOB by the bytes of their length: tinytext, text, mediumtext, longtext. */
static void add_blob(struct rf_buf *out, const char *type, const struct rf_column *column)
{
    static const char *const sizes[] = {"", "tiny", "", "medium", "long"};
    add(out, column->length <= 4 ? sizes[column->length] : "");
    add(out, type);
}

/* The log has the bytes of a text column, the type its characters: of UTF-8 four bytes each. */
static void add_length(struct rf_buf *out, const char *type, const struct rf_column *column)
{
    unsigned bytes = column->charset == RF_CHARSET_UTF8 ? 4 : 1;
    rf_buf_printf(out, "%s(%u)", type, column->length / bytes);
}

static void add_fraction(struct rf_buf *out, const char *type, const struct rf_column *column)
{
    add(out, type);
    if (column->scale > 0) {
        rf_buf_printf(out, "(%u)", column->scale);
    }
}

static void add_number(struct rf_buf *out, const char *type, const struct rf_column *column)
{
    add(out, type);
    if (column->type == RF_COLUMN_DECIMAL) {
        rf_buf_printf(out, "(%u,%u)", column->precision, column->scale);
    }
    add(out, column->is_unsigned ? " unsigned" : "");
}

static const char *geometry_type(const struct rf_column *column)
{
    static const char *const types[] = {
        [RF_GEOMETRY_ANY] = "geometry",
        [RF_GEOMETRY_POINT] = "point",
        [RF_GEOMETRY_LINESTRING] = "linestring",
        [RF_GEOMETRY_POLYGON] = "polygon",
        [RF_GEOMETRY_MULTIPOINT] = "multipoint",
        [RF_GEOMETRY_MULTILINESTRING] = "multilinestring",
        [RF_GEOMETRY_MULTIPOLYGON] = "multipolygon",
        [RF_GEOMETRY_COLLECTION] = "geometrycollection",
    };
    return column->precision <= RF_GEOMETRY_COLLECTION ? types[column->precision] : "geometry";
}

static void add_mysql_type(struct rf_buf *out, const struct rf_column *column)
{
    switch ((enum rf_column_type)column->type) {
    case RF_COLUMN_TINYINT: add_number(out, "tinyint", column); break;
    case RF_COLUMN_SMALLINT: add_number(out, "smallint", column); break;
    case RF_COLUMN_MEDIUMINT: add_number(out, "mediumint", column); break;
    case RF_COLUMN_INT: add_number(out, "int", column); break;
    case RF_COLUMN_BIGINT: add_number(out, "bigint", column); break;
    case RF_COLUMN_FLOAT: add_number(out, "float", column); break;
    case RF_COLUMN_DOUBLE: add_number(out, "double", column); break;
    case RF_COLUMN_DECIMAL: add_number(out, "decimal", column); break;
    case RF_COLUMN_BIT: rf_buf_printf(out, "bit(%u)", column->precision); break;
    case RF_COLUMN_YEAR: add(out, "year"); break;
    case RF_COLUMN_DATE: add(out, "date"); break;
    case RF_COLUMN_TIME: add_fraction(out, "time", column); break;
    case RF_COLUMN_DATETIME: add_fraction(out, "datetime", column); break;
    case RF_COLUMN_TIMESTAMP: add_fraction(out, "timestamp", column); break;
    case RF_COLUMN_CHAR: add_length(out, "char", column); break;
    case RF_COLUMN_VARCHAR: add_length(out, "varchar", column); break;
    case RF_COLUMN_BINARY: add_length(out, "binary", column); break;
    case RF_COLUMN_VARBINARY: add_length(out, "varbinary", column); break;
    case RF_COLUMN_TEXT: add_blob(out, "text", column); break;
    case RF_COLUMN_BLOB: add_blob(out, "blob", column); break;
    case RF_COLUMN_ENUM: add_members(out, "enum", column); break;
    case RF_COLUMN_SET: add_members(out, "set", column); break;
    case RF_COLUMN_JSON: add(out, "json"); break;
    case RF_COLUMN_GEOMETRY: add(out, geometry_type(column)); break;
    case RF_COLUMN_VECTOR: add(out, "vector"); break;
    case RF_COLUMN_UUID: add(out, "uuid"); break;
    case RF_COLUMN_INET4: add(out, "inet4"); break;
    case RF_COLUMN_INET6: add(out, "inet6"); break;
    default: add(out, "unknown"); break;
    }
}

/* ---- Tables -------------------------------------------------------------------------------- */

/* Canal names the key's columns in the table's order. */
static void make_keys(struct rf_buf *out, const struct rf_table *table)
{
    bool any = false;
    add(out, ",\"pkNames\":");
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].key) {
            add(out, any ? "," : "[");
            rf_json_add_string(out, table->columns[i].name);
            any = true;
        }
    }
    add(out, any ? "],\"sql\":" : "null,\"sql\":");
}

static void shape_make(void *owner, struct rf_shape *head)
{
    struct shape *shape = (struct shape *)head;
    const struct rf_table *table = head->table;
    struct rf_buf type = {0};
    (void)owner;
    rf_json_names_init(&shape->columns, table, NULL, table->column_count);
    rf_json_names_init(&shape->key, table, table->key_columns, table->key_count);
    add(&shape->database, ",\"database\":");
    rf_json_add_string(&shape->database, table->database);
    add(&shape->database, ",\"es\":");
    add(&shape->types, ",\"isDdl\":false,\"mysqlType\":{");
    add(&shape->tail, ",\"sqlType\":{");
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct rf_column *column = &table->columns[i];
        add(&shape->types, i > 0 ? "," : "");
        rf_json_add_string(&shape->types, column->name);
        rf_buf_reset(&type);
        add_mysql_type(&type, column);
        rf_buf_add_byte(&shape->types, ':');
        rf_json_add_string(&shape->types, rf_buf_str(&type));
        add(&shape->tail, i > 0 ? "," : "");
        rf_json_add_string(&shape->tail, column->name);
        rf_buf_printf(&shape->tail, ":%d", jdbc_type_of(column));
    }
    add(&shape->types, "},\"old\":");
    make_keys(&shape->keys, table);
    add(&shape->tail, "},\"table\":");
    rf_json_add_string(&shape->tail, table->name);
    add(&shape->tail, ",\"ts\":");
    rf_piece_end(&shape->database);
    rf_piece_end(&shape->types);
    rf_piece_end(&shape->keys);
    rf_piece_end(&shape->tail);
    rf_buf_deinit(&type);
}

static void shape_clear(struct rf_shape *head)
{
    struct shape *shape = (struct shape *)head;
    rf_json_names_deinit(&shape->columns);
    rf_json_names_deinit(&shape->key);
    rf_buf_deinit(&shape->database);
    rf_buf_deinit(&shape->types);
    rf_buf_deinit(&shape->keys);
    rf_buf_deinit(&shape->tail);
    *shape = (struct shape){0};
}

static enum rf_status canal_open(void *state, struct rf_error *err)
{
    struct canal *canal = state;
    (void)err;
    rf_shapes_open(&canal->shapes, sizeof(struct shape), shape_make, shape_clear, canal);
    return RF_OK;
}

static void canal_close(void *state)
{
    struct canal *canal = state;
    rf_shapes_close(&canal->shapes);
    rf_buf_deinit(&canal->id);
    rf_buf_deinit(&canal->gtid);
    *canal = (struct canal){0};
}

/* ---- Values -------------------------------------------------------------------------------- */

/* The bits of the members that the text names. */
static uint64_t set_bits(const struct rf_column *column, const struct rf_value *value)
{
    struct rf_str rest = rf_value_str(*value), member;
    uint64_t bits = 0;
    while (value->size > 0 && rf_str_split(&rest, ',', &member)) {
        for (uint32_t i = 0; i < column->member_count && i < 64; i++) {
            if (rf_str_equal(column->members[i], member)) {
                bits |= UINT64_C(1) << i;
                break;
            }
        }
    }
    return bits;
}

/* Each byte as the character of that number. */
static char *put_latin1(struct rf_buf *out, char *at, const struct rf_value *value)
{
    static const char digits[] = "0123456789abcdef";
    enum { ESCAPE_SIZE = 6 };
    at = rf_json_room(out, at, (size_t)value->size * ESCAPE_SIZE + RF_JSON_SLACK);
    *at++ = '"';
    for (uint32_t i = 0; i < value->size; i++) {
        unsigned char byte = (unsigned char)value->text[i];
        if (byte >= 0x80) {
            *at++ = (char)(0xc0 | byte >> 6);
            *at++ = (char)(0x80 | (byte & 0x3f));
        } else if (byte < 0x20) {
            memcpy(at, "\\u00", 4);
            at[4] = digits[byte >> 4];
            at[5] = digits[byte & 15];
            at += ESCAPE_SIZE;
        } else {
            if (byte == '"' || byte == '\\') {
                *at++ = '\\';
            }
            *at++ = (char)byte;
        }
    }
    *at++ = '"';
    return at;
}

static char *put_quoted_number(char *at, uint64_t number)
{
    *at++ = '"';
    at = rf_digits_u64(at, number);
    *at++ = '"';
    return at;
}

/* Room for value->size + RF_JSON_SLACK bytes was made. NULL: a number that is not finite. */
static char *put_value(struct rf_buf *out, char *at, const struct rf_column *column,
                       const struct rf_value *value)
{
    switch (value->kind) {
    case RF_BIT:
    case RF_UINT: return put_quoted_number(at, value->u);
    case RF_ENUM: return put_quoted_number(at, value->ordinal);
    case RF_SET: return put_quoted_number(at, set_bits(column, value));
    case RF_BYTES:
    case RF_GEOMETRY: return put_latin1(out, at, value);
    case RF_INT:
    case RF_FLOAT:
    case RF_DOUBLE:
    case RF_VECTOR:
        *at++ = '"';
        at = rf_json_put_value(out, at, value);
        if (at != NULL) {
            *at++ = '"';
        }
        return at;
    case RF_YEAR:
        *at++ = '"';
        at = rf_digits_padded(at, (uint32_t)value->u, 4);
        break;
    case RF_DATETIME:
        *at++ = '"';
        at += rf_datetime_text(at, value->u, ' ', value->scale);
        break;
    case RF_TIMESTAMP:
        *at++ = '"';
        at += rf_timestamp_text(at, value->i, ' ', value->scale);
        break;
    default: return rf_json_put_value(out, at, value);
    }
    *at++ = '"';
    return at;
}

/* Columns of an image. other: only those that differ from it. */
static bool add_image(struct rf_buf *out, const struct rf_json_names *names,
                      const struct rf_table *table, const struct rf_value *image,
                      const struct rf_value *other, uint32_t *column)
{
    char *at = rf_buf_reserve(out, RF_JSON_SLACK);
    *at++ = '{';
    const struct rf_json_name *name = names->items;
    for (uint32_t left = names->count; left > 0; left--, name++) {
        const struct rf_value *value = &image[name->column];
        if (value->kind == RF_ABSENT ||
            (other != NULL && rf_value_equal(*value, other[name->column]))) {
            continue;
        }
        at = rf_json_room(out, at, name->size + (size_t)value->size + 2 * RF_JSON_SLACK);
        at = put_value(out, rf_json_put_name(at, name), &table->columns[name->column], value);
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

static void prepare(struct canal *canal, const struct rf_transaction *transaction)
{
    if (canal->known && rf_str_equal(rf_buf_str(&canal->id), transaction->id)) {
        return;
    }
    canal->known = true;
    rf_buf_set(&canal->id, transaction->id);
    rf_buf_reset(&canal->gtid);
    add(&canal->gtid, ",\"gtid\":");
    rf_json_add_string(&canal->gtid, transaction->gtid);
    add(&canal->gtid, ",\"id\":");
    rf_piece_end(&canal->gtid);
    canal->ts_ms =
        (canal->clock == CLOCK_COMMIT ? transaction->commit_us : rf_clock_wall_us()) / 1000;
}

static int64_t es_of(const struct rf_transaction *transaction, const struct rf_event *event)
{
    return (event->origin != NULL ? event->origin->time_us : transaction->commit_us) / 1000;
}

/* "es", GTID and id. */
static void add_place(const struct canal *canal, struct rf_buf *out,
                      const struct rf_transaction *transaction, const struct rf_event *event)
{
    rf_buf_add_i64(out, es_of(transaction, event));
    rf_piece_add(out, &canal->gtid);
    rf_buf_add_u64(out, event->origin != NULL ? event->origin->offset : 0);
}

/* The list of old values; null without any. */
static bool add_old(struct rf_buf *out, const struct shape *shape, const struct rf_event *event,
                    uint32_t *column)
{
    size_t start = out->size;
    enum { EMPTY = sizeof "[{" }; /* and the brace behind it */
    if (event->op != RF_UPDATE) {
        add(out, "null");
        return true;
    }
    rf_buf_add_byte(out, '[');
    if (!add_image(out, &shape->columns, shape->head.table, event->before, event->after, column)) {
        return false;
    }
    if (out->size - start == EMPTY) {
        out->size = start;
        add(out, "null");
    } else {
        rf_buf_add_byte(out, ']');
    }
    return true;
}

static bool add_row(struct canal *canal, const struct rf_transaction *transaction,
                    const struct rf_event *event, struct rf_encoding *out, uint32_t *column)
{
    static const char *const types[] = {[RF_CREATE] = ",\"type\":\"INSERT\"}",
                                        [RF_UPDATE] = ",\"type\":\"UPDATE\"}",
                                        [RF_DELETE] = ",\"type\":\"DELETE\"}",
                                        [RF_READ] = ",\"type\":\"INSERT\"}"};
    const struct shape *shape = (const struct shape *)rf_shapes_of(&canal->shapes, event->table);
    const struct rf_table *table = event->table;
    const struct rf_value *image = rf_event_image(event);
    struct rf_buf *value = out->value;
    if (out->key != NULL && shape->key.count > 0 &&
        !add_image(out->key, &shape->key, table, image, NULL, column)) {
        return false;
    }
    rf_buf_add_str(value, RF_STR("{\"data\":["));
    if (!add_image(value, &shape->columns, table, image, NULL, column)) {
        return false;
    }
    rf_buf_add_byte(value, ']');
    rf_piece_add(value, &shape->database);
    add_place(canal, value, transaction, event);
    rf_piece_add(value, &shape->types);
    if (!add_old(value, shape, event, column)) {
        return false;
    }
    rf_piece_add(value, &shape->keys);
    rf_json_add_string(value, event->origin != NULL ? event->origin->sql : RF_STR_NONE);
    rf_piece_add(value, &shape->tail);
    rf_buf_add_i64(value, canal->ts_ms);
    add(value, types[event->op]);
    return true;
}

static const char *type_of(const struct rf_event *event)
{
    static const char *const tables[] = {
        [RF_DDL_OTHER] = "QUERY", [RF_DDL_CREATE] = "CREATE", [RF_DDL_ALTER] = "ALTER",
        [RF_DDL_DROP] = "ERASE",  [RF_DDL_RENAME] = "RENAME",
    };
    struct rf_ddl_words words = rf_ddl_words_read(event->statement);
    if (event->op == RF_TRUNCATE) {
        return "TRUNCATE";
    }
    if (words.object == RF_DDL_INDEX && words.verb == RF_DDL_CREATE) {
        return "CINDEX";
    }
    if (words.object == RF_DDL_INDEX && words.verb == RF_DDL_DROP) {
        return "DINDEX";
    }
    return words.object == RF_DDL_TABLE ? tables[words.verb] : "QUERY";
}

static void add_statement(const struct canal *canal, const struct rf_transaction *transaction,
                          const struct rf_event *event, struct rf_encoding *out)
{
    struct rf_ddl_words words = rf_ddl_words_read(event->statement);
    struct rf_buf *value = out->value;
    add(value, "{\"data\":null,\"database\":");
    rf_json_add_string(value, words.name.size > 0 ? words.name : event->database);
    add(value, ",\"es\":");
    add_place(canal, value, transaction, event);
    add(value, ",\"isDdl\":true,\"mysqlType\":null,\"old\":null,\"pkNames\":null,\"sql\":");
    rf_json_add_string(value, event->statement);
    add(value, ",\"sqlType\":null,\"table\":");
    rf_json_add_string(value, event->object);
    add(value, ",\"ts\":");
    rf_buf_add_i64(value, canal->ts_ms);
    add(value, ",\"type\":\"");
    add(value, type_of(event));
    add(value, "\"}");
}

static enum rf_status reject(const struct rf_event *event, uint32_t column, struct rf_error *err)
{
    const struct rf_table *table = event->table;
    rf_fail(err, RF_REJECT,
            "column %.*s of table %.*s is not a finite number, which the format canal cannot say",
            RF_STR_ARG(table->columns[column].name), RF_STR_ARG(table->full_name));
    if (err != NULL) {
        err->event = event;
    }
    return RF_REJECT;
}

static enum rf_status canal_encode(void *state, const struct rf_view *view,
                                   const struct rf_event *event, struct rf_encoding *out,
                                   struct rf_error *err)
{
    struct canal *canal = state;
    const struct rf_mark mark = rf_mark_of(out);
    const struct rf_transaction *transaction = rf_view_transaction(view, event);
    uint32_t column = 0;
    if (event->change != NULL || (event->table != NULL && event->table->documents)) {
        return rf_document_refuse(event, "canal", err);
    }
    prepare(canal, transaction);
    if (event->op == RF_DDL || event->op == RF_TRUNCATE) {
        add_statement(canal, transaction, event, out);
    } else if (!add_row(canal, transaction, event, out, &column)) {
        rf_message_undo(out, mark);
        return reject(event, column, err);
    }
    rf_message_end(out, mark, false);
    return RF_OK;
}

/* ---- The plugin ---------------------------------------------------------------------------- */

static const struct rf_option canal_options[] = {
    {"clock", RF_OPTION_CHOICE, offsetof(struct canal, clock), "now", "now|commit",
     "ts: when the message was written, or the commit, so that a repeat is the same", false},
    RF_OPTION_END,
};

const struct rf_format_type rf_format_canal = {
    .name = "canal",
    .summary = "Alibaba Canal's flat messages: data, old, mysqlType, sqlType, pkNames, type",
    .state_size = sizeof(struct canal),
    .options = canal_options,
    .open = canal_open,
    .encode = canal_encode,
    .close = canal_close,
};
