#include "format/debezium_schema.h"

/* A field whose type has no name. */
struct field {
    const char *type; /* NULL ends a list */
    bool optional;
    const char *name;
};

static void add_text(struct rf_buf *out, const char *text)
{
    rf_buf_add(out, text, strlen(text));
}

/* {"type":"int64","optional":true,"field":"pos"}, with commas between. */
static void add_fields(struct rf_buf *out, const struct field *fields)
{
    for (const struct field *field = fields; field->type != NULL; field++) {
        rf_buf_printf(out, "%s{\"type\":\"%s\",\"optional\":%s,\"field\":\"%s\"}",
                      field == fields ? "" : ",", field->type, field->optional ? "true" : "false",
                      field->name);
    }
}

static void add_optional(struct rf_buf *out, bool optional)
{
    add_text(out, optional ? ",\"optional\":true" : ",\"optional\":false");
}

/* ---- Columns ------------------------------------------------------------------------------- */

/* What there is to say of a column's type. */
struct kind {
    const char *type;
    const char *name; /* of a logical type; NULL: it has none */
};

static struct kind kind_of_integer(const struct rf_column *column,
                                   const struct rf_debezium_modes *modes)
{
    bool is_unsigned = column->is_unsigned;
    switch ((enum rf_column_type)column->type) {
    case RF_COLUMN_TINYINT: return (struct kind){"int16", NULL};
    case RF_COLUMN_SMALLINT: return (struct kind){is_unsigned ? "int32" : "int16", NULL};
    case RF_COLUMN_MEDIUMINT: return (struct kind){"int32", NULL};
    case RF_COLUMN_INT: return (struct kind){is_unsigned ? "int64" : "int32", NULL};
    default: break;
    }
    if (is_unsigned && modes->bigint == RF_DEBEZIUM_BIGINT_PRECISE) {
        return (struct kind){"bytes", "org.apache.kafka.connect.data.Decimal"};
    }
    return (struct kind){"int64", NULL};
}

static struct kind kind_of_date(const struct rf_debezium_modes *modes)
{
    switch ((enum rf_debezium_time)modes->time) {
    case RF_DEBEZIUM_TIME_CONNECT:
        return (struct kind){"int32", "org.apache.kafka.connect.data.Date"};
    case RF_DEBEZIUM_TIME_ISOSTRING: return (struct kind){"string", "io.debezium.time.IsoDate"};
    default: return (struct kind){"int32", "io.debezium.time.Date"};
    }
}

static struct kind kind_of_datetime(const struct rf_column *column,
                                    const struct rf_debezium_modes *modes)
{
    switch ((enum rf_debezium_time)modes->time) {
    case RF_DEBEZIUM_TIME_CONNECT:
        return (struct kind){"int64", "org.apache.kafka.connect.data.Timestamp"};
    case RF_DEBEZIUM_TIME_ISOSTRING:
        return (struct kind){"string", "io.debezium.time.IsoTimestamp"};
    case RF_DEBEZIUM_TIME_NANOSECONDS:
        return (struct kind){"int64", "io.debezium.time.NanoTimestamp"};
    case RF_DEBEZIUM_TIME_ADAPTIVE:
        if (column->scale <= 3) {
            return (struct kind){"int64", "io.debezium.time.Timestamp"};
        }
        break;
    case RF_DEBEZIUM_TIME_MICROSECONDS: break;
    }
    return (struct kind){"int64", "io.debezium.time.MicroTimestamp"};
}

static struct kind kind_of_time(const struct rf_debezium_modes *modes)
{
    switch ((enum rf_debezium_time)modes->time) {
    case RF_DEBEZIUM_TIME_CONNECT:
        return (struct kind){"int32", "org.apache.kafka.connect.data.Time"};
    case RF_DEBEZIUM_TIME_ISOSTRING: return (struct kind){"string", "io.debezium.time.IsoTime"};
    case RF_DEBEZIUM_TIME_NANOSECONDS: return (struct kind){"int64", "io.debezium.time.NanoTime"};
    default: return (struct kind){"int64", "io.debezium.time.MicroTime"};
    }
}

static struct kind kind_of_decimal(const struct rf_debezium_modes *modes)
{
    switch ((enum rf_debezium_decimal)modes->decimal) {
    case RF_DEBEZIUM_DECIMAL_PRECISE:
        return (struct kind){"bytes", "org.apache.kafka.connect.data.Decimal"};
    case RF_DEBEZIUM_DECIMAL_DOUBLE: return (struct kind){"double", NULL};
    case RF_DEBEZIUM_DECIMAL_STRING: break;
    }
    return (struct kind){"string", NULL};
}

static struct kind kind_of(const struct rf_column *column, const struct rf_debezium_modes *modes)
{
    switch ((enum rf_column_type)column->type) {
    case RF_COLUMN_TINYINT:
    case RF_COLUMN_SMALLINT:
    case RF_COLUMN_MEDIUMINT:
    case RF_COLUMN_INT:
    case RF_COLUMN_BIGINT: return kind_of_integer(column, modes);
    case RF_COLUMN_FLOAT: return (struct kind){"float", NULL};
    case RF_COLUMN_DOUBLE: return (struct kind){"double", NULL};
    case RF_COLUMN_DECIMAL: return kind_of_decimal(modes);
    case RF_COLUMN_BIT:
        return column->precision == 1 ? (struct kind){"boolean", NULL}
                                      : (struct kind){"bytes", "io.debezium.data.Bits"};
    case RF_COLUMN_YEAR: return (struct kind){"int32", "io.debezium.time.Year"};
    case RF_COLUMN_DATE: return kind_of_date(modes);
    case RF_COLUMN_TIME: return kind_of_time(modes);
    case RF_COLUMN_DATETIME: return kind_of_datetime(column, modes);
    case RF_COLUMN_TIMESTAMP: return (struct kind){"string", "io.debezium.time.ZonedTimestamp"};
    case RF_COLUMN_BINARY:
    case RF_COLUMN_VARBINARY:
    case RF_COLUMN_BLOB:
        return (struct kind){modes->binary == RF_DEBEZIUM_BINARY_BYTES ? "bytes" : "string", NULL};
    case RF_COLUMN_ENUM: return (struct kind){"string", "io.debezium.data.Enum"};
    case RF_COLUMN_SET: return (struct kind){"string", "io.debezium.data.EnumSet"};
    case RF_COLUMN_JSON: return (struct kind){"string", "io.debezium.data.Json"};
    case RF_COLUMN_GEOMETRY:
        return (struct kind){"struct", column->precision == RF_GEOMETRY_POINT
                                           ? "io.debezium.data.geometry.Point"
                                           : "io.debezium.data.geometry.Geometry"};
    case RF_COLUMN_VECTOR: return (struct kind){"array", "io.debezium.data.FloatVector"};
    default: break;
    }
    return (struct kind){"string", NULL};
}

/* The members of an ENUM or SET in one string. */
static void add_members(struct rf_buf *out, const struct rf_column *column)
{
    struct rf_buf all = {0};
    for (uint32_t i = 0; i < column->member_count; i++) {
        struct rf_str member = column->members[i];
        if (i > 0) {
            rf_buf_add_byte(&all, ',');
        }
        for (size_t k = 0; k < member.size; k++) {
            if (member.data[k] == ',') {
                rf_buf_add_byte(&all, '\\');
            }
            rf_buf_add_byte(&all, member.data[k]);
        }
    }
    rf_json_add_string(out, rf_buf_str(&all));
    rf_buf_deinit(&all);
}

static void add_parameters(struct rf_buf *out, const struct rf_column *column,
                           const struct kind *kind)
{
    bool decimal = kind->name != NULL && strcmp(kind->type, "bytes") == 0;
    switch (column->type) {
    case RF_COLUMN_DECIMAL:
    case RF_COLUMN_BIGINT:
        if (decimal) {
            bool number = column->type == RF_COLUMN_BIGINT; /* 20 digits have 64 bits */
            rf_buf_printf(out,
                          ",\"parameters\":{\"scale\":\"%u\",\"connect.decimal.precision\":\"%u\"}",
                          number ? 0 : column->scale, number ? 20 : column->precision);
        }
        break;
    case RF_COLUMN_BIT:
        if (column->precision != 1) {
            rf_buf_printf(out, ",\"parameters\":{\"length\":\"%u\"}", column->precision);
        }
        break;
    case RF_COLUMN_ENUM:
    case RF_COLUMN_SET:
        add_text(out, ",\"parameters\":{\"allowed\":");
        add_members(out, column);
        rf_buf_add_byte(out, '}');
        break;
    default: break;
    }
}

/* Of a geometry and of a vector, what is in it; of the others nothing. */
static void add_inner(struct rf_buf *out, const struct rf_column *column)
{
    static const struct field point[] = {{"double", false, "x"},
                                         {"double", false, "y"},
                                         {"bytes", true, "wkb"},
                                         {"int32", true, "srid"},
                                         {0}};
    static const struct field any[] = {{"bytes", false, "wkb"}, {"int32", true, "srid"}, {0}};
    if (column->type == RF_COLUMN_GEOMETRY) {
        add_text(out, ",\"fields\":[");
        add_fields(out, column->precision == RF_GEOMETRY_POINT ? point : any);
        rf_buf_add_byte(out, ']');
    } else if (column->type == RF_COLUMN_VECTOR) {
        add_text(out, ",\"items\":{\"type\":\"float\",\"optional\":false}");
    }
}

static void add_column(struct rf_buf *out, const struct rf_column *column,
                       const struct rf_debezium_modes *modes)
{
    struct kind kind = kind_of(column, modes);
    rf_buf_printf(out, "{\"type\":\"%s\"", kind.type);
    add_inner(out, column);
    add_optional(out, column->nullable && !column->key);
    if (kind.name != NULL) {
        rf_buf_printf(out, ",\"name\":\"%s\",\"version\":1", kind.name);
    }
    if (column->type == RF_COLUMN_GEOMETRY) {
        add_text(out, column->precision == RF_GEOMETRY_POINT ? ",\"doc\":\"Geometry (POINT)\""
                                                             : ",\"doc\":\"Geometry\"");
    }
    add_parameters(out, column, &kind);
    add_text(out, ",\"field\":");
    rf_json_add_string(out, column->name);
    rf_buf_add_byte(out, '}');
}

/* ---- What they are parts of ---------------------------------------------------------------- */

/* "prefix.database.table" and what is behind it, as a JSON string. */
static void add_name(struct rf_buf *out, const struct rf_debezium_names *names,
                     struct rf_str database, struct rf_str table, const char *last)
{
    struct rf_buf name = {0};
    rf_buf_printf(&name, "%s.%.*s.%.*s.%s", names->prefix, RF_STR_ARG(database), RF_STR_ARG(table),
                  last);
    add_text(out, ",\"name\":");
    rf_json_add_string(out, rf_buf_str(&name));
    rf_buf_deinit(&name);
}

void rf_debezium_schema_key(struct rf_buf *out, const struct rf_debezium_names *names,
                            const struct rf_table *table, const struct rf_debezium_modes *modes)
{
    add_text(out, "{\"type\":\"struct\",\"fields\":[");
    for (uint32_t i = 0; i < table->key_count; i++) {
        add_text(out, i > 0 ? "," : "");
        add_column(out, &table->columns[table->key_columns[i]], modes);
    }
    add_text(out, "],\"optional\":false");
    add_name(out, names, table->database, table->name, "Key");
    rf_buf_add_byte(out, '}');
}

/* Behind the fields of a struct that is not optional: its own name, of version 1. */
static void end_struct(struct rf_buf *out, const char *name)
{
    rf_buf_printf(out, "],\"optional\":false,\"name\":\"%s\",\"version\":1", name);
}

void rf_debezium_schema_snapshot(struct rf_buf *out)
{
    add_text(out, "{\"type\":\"string\",\"optional\":true,\"name\":\"io.debezium.data.Enum\","
                  "\"version\":1,\"parameters\":{\"allowed\":\"true,first,"
                  "first_in_data_collection,last_in_data_collection,last,false,incremental\"},"
                  "\"default\":\"false\",\"field\":\"snapshot\"}");
}

static void add_source(struct rf_buf *out, const struct rf_debezium_names *names)
{
    static const struct field before[] = {{"string", false, "version"},
                                          {"string", false, "connector"},
                                          {"string", false, "name"},
                                          {"int64", false, "ts_ms"},
                                          {0}};
    static const struct field behind[] = {{"string", false, "db"},
                                          {"string", true, "sequence"},
                                          {"int64", true, "ts_us"},
                                          {"int64", true, "ts_ns"},
                                          {"string", true, "table"},
                                          {"int64", false, "server_id"},
                                          {"string", true, "gtid"},
                                          {"string", false, "file"},
                                          {"int64", false, "pos"},
                                          {"int32", false, "row"},
                                          {"int64", true, "thread"},
                                          {"string", true, "query"},
                                          {0}};
    add_text(out, "{\"type\":\"struct\",\"fields\":[");
    add_fields(out, before);
    add_text(out, ",");
    rf_debezium_schema_snapshot(out);
    add_text(out, ",");
    add_fields(out, behind);
    rf_buf_printf(out,
                  "],\"optional\":false,\"name\":\"io.debezium.connector.%s.Source\","
                  "\"version\":1,\"field\":\"source\"}",
                  names->connector);
}

void rf_debezium_schema_block(struct rf_buf *out)
{
    static const struct field block[] = {{"string", false, "id"},
                                         {"int64", false, "total_order"},
                                         {"int64", false, "data_collection_order"},
                                         {0}};
    add_text(out, "{\"type\":\"struct\",\"fields\":[");
    add_fields(out, block);
    add_text(out, "],\"optional\":true,\"name\":\"event.block\",\"version\":1,"
                  "\"field\":\"transaction\"}");
}

/* What stands around the two images of a row, whose own schemas are given. */
static void add_envelope(struct rf_buf *out, const struct rf_debezium_names *names,
                         struct rf_str database, struct rf_str table, struct rf_str value)
{
    static const struct field tail[] = {{"string", false, "op"},
                                        {"int64", true, "ts_ms"},
                                        {"int64", true, "ts_us"},
                                        {"int64", true, "ts_ns"},
                                        {0}};
    add_text(out, "{\"type\":\"struct\",\"fields\":[");
    rf_buf_add_str(out, value);
    add_text(out, ",\"field\":\"before\"},");
    rf_buf_add_str(out, value);
    add_text(out, ",\"field\":\"after\"},");
    add_source(out, names);
    add_text(out, ",");
    rf_debezium_schema_block(out);
    add_text(out, ",");
    add_fields(out, tail);
    add_text(out, "],\"optional\":false");
    add_name(out, names, database, table, "Envelope");
    add_text(out, ",\"version\":2}");
}

void rf_debezium_schema_envelope(struct rf_buf *out, const struct rf_debezium_names *names,
                                 const struct rf_table *table,
                                 const struct rf_debezium_modes *modes)
{
    struct rf_buf value = {0};
    add_text(&value, "{\"type\":\"struct\",\"fields\":[");
    for (uint32_t i = 0; i < table->column_count; i++) {
        add_text(&value, i > 0 ? "," : "");
        add_column(&value, &table->columns[i], modes);
    }
    add_text(&value, "],\"optional\":true");
    add_name(&value, names, table->database, table->name, "Value");
    add_envelope(out, names, table->database, table->name, rf_buf_str(&value));
    rf_buf_deinit(&value);
}

void rf_debezium_schema_truncate(struct rf_buf *out, const struct rf_debezium_names *names,
                                 struct rf_str database, struct rf_str table)
{
    struct rf_buf value = {0};
    add_text(&value, "{\"type\":\"struct\",\"fields\":[],\"optional\":true");
    add_name(&value, names, database, table, "Value");
    add_envelope(out, names, database, table, rf_buf_str(&value));
    rf_buf_deinit(&value);
}

void rf_debezium_schema_change_key(struct rf_buf *out, const struct rf_debezium_names *names)
{
    static const struct field fields[] = {{"string", false, "databaseName"}, {0}};
    add_text(out, "{\"type\":\"struct\",\"fields\":[");
    add_fields(out, fields);
    rf_buf_printf(out,
                  "],\"optional\":false,\"name\":\"io.debezium.connector.%s.SchemaChangeKey\","
                  "\"version\":1}",
                  names->connector);
}

/* The columns of a table behind a DDL statement, and the table around them. */
static void add_changed_table(struct rf_buf *out)
{
    static const struct field columns[] = {{"string", false, "name"},
                                           {"int32", false, "jdbcType"},
                                           {"int32", true, "nativeType"},
                                           {"string", false, "typeName"},
                                           {"string", true, "typeExpression"},
                                           {"string", true, "charsetName"},
                                           {"int32", true, "length"},
                                           {"int32", true, "scale"},
                                           {"int32", false, "position"},
                                           {"boolean", true, "optional"},
                                           {"boolean", true, "autoIncremented"},
                                           {"boolean", true, "generated"},
                                           {"string", true, "comment"},
                                           {"string", true, "defaultValueExpression"},
                                           {0}};
    static const char texts[] = "{\"type\":\"array\",\"items\":{\"type\":\"string\","
                                "\"optional\":false},\"optional\":true,\"field\":";
    add_text(out, "{\"type\":\"struct\",\"fields\":[{\"type\":\"string\",\"optional\":true,"
                  "\"field\":\"defaultCharsetName\"},");
    add_text(out, texts);
    add_text(out, "\"primaryKeyColumnNames\"},{\"type\":\"array\",\"items\":{\"type\":"
                  "\"struct\",\"fields\":[");
    add_fields(out, columns);
    add_text(out, ",");
    add_text(out, texts);
    add_text(out, "\"enumValues\"}");
    end_struct(out, "io.debezium.connector.schema.Column");
    add_text(out, "},\"optional\":false,\"field\":\"columns\"},{\"type\":\"string\","
                  "\"optional\":true,\"field\":\"comment\"}],\"optional\":true,"
                  "\"name\":\"io.debezium.connector.schema.Table\",\"version\":1,"
                  "\"field\":\"table\"}");
}

void rf_debezium_schema_change(struct rf_buf *out, const struct rf_debezium_names *names)
{
    static const struct field fields[] = {{"int64", false, "ts_ms"},
                                          {"string", true, "databaseName"},
                                          {"string", true, "schemaName"},
                                          {"string", true, "ddl"},
                                          {0}};
    static const struct field change[] = {{"string", false, "type"}, {"string", false, "id"}, {0}};
    add_text(out, "{\"type\":\"struct\",\"fields\":[");
    add_source(out, names);
    add_text(out, ",");
    add_fields(out, fields);
    add_text(out, ",{\"type\":\"array\",\"items\":{\"type\":\"struct\",\"fields\":[");
    add_fields(out, change);
    add_text(out, ",");
    add_changed_table(out);
    end_struct(out, "io.debezium.connector.schema.Change");
    add_text(out, "},\"optional\":false,\"field\":\"tableChanges\"}");
    rf_buf_printf(out,
                  "],\"optional\":false,\"name\":\"io.debezium.connector.%s.SchemaChangeValue\","
                  "\"version\":1}",
                  names->connector);
}

void rf_debezium_schema_transaction_key(struct rf_buf *out)
{
    static const struct field fields[] = {{"string", false, "id"}, {0}};
    add_text(out, "{\"type\":\"struct\",\"fields\":[");
    add_fields(out, fields);
    end_struct(out, "io.debezium.connector.common.TransactionMetadataKey");
    rf_buf_add_byte(out, '}');
}

void rf_debezium_schema_transaction(struct rf_buf *out)
{
    static const struct field fields[] = {
        {"string", false, "status"}, {"string", false, "id"}, {"int64", true, "event_count"}, {0}};
    static const struct field collection[] = {
        {"string", false, "data_collection"}, {"int64", false, "event_count"}, {0}};
    static const struct field tail[] = {{"int64", false, "ts_ms"}, {0}};
    add_text(out, "{\"type\":\"struct\",\"fields\":[");
    add_fields(out, fields);
    add_text(out, ",{\"type\":\"array\",\"items\":{\"type\":\"struct\",\"fields\":[");
    add_fields(out, collection);
    add_text(out, "],\"optional\":true,\"name\":\"event.collection\",\"version\":1},"
                  "\"optional\":true,\"field\":\"data_collections\"},");
    add_fields(out, tail);
    end_struct(out, "io.debezium.connector.common.TransactionMetadataValue");
    rf_buf_add_byte(out, '}');
}
