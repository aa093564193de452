/* The Connect schemas of debezium's messages, as Kafka's JSON converter writes them.
 *
 * Private to debezium.c, which puts them in front of keys and values with schemas=on. Each function
 * appends one JSON object. What the log does not tell is not in them: defaults of columns, and
 * comments. Thread: the owner's.
 *
 * Source: Debezium 3.5, SchemaFactory, TableSchemaBuilder, BinlogSourceInfoStructMaker,
 * BinlogValueConverters; Kafka, JsonConverter.asJsonSchema; measured against Debezium 3.5. */
#ifndef ROWFERRY_FORMAT_DEBEZIUM_SCHEMA_H
#define ROWFERRY_FORMAT_DEBEZIUM_SCHEMA_H

#include "format/debezium_values.h"

/* Whose messages they are. */
struct rf_debezium_names {
    const char *prefix;    /* topic.prefix */
    const char *connector; /* "mariadb" or "mysql" */
};

/* Of a row's key, and of the envelope around a row. */
void rf_debezium_schema_key(struct rf_buf *out, const struct rf_debezium_names *names,
                            const struct rf_table *table, const struct rf_debezium_modes *modes);
void rf_debezium_schema_envelope(struct rf_buf *out, const struct rf_debezium_names *names,
                                 const struct rf_table *table,
                                 const struct rf_debezium_modes *modes);
/* The same around a TRUNCATE of a table whose columns are not at hand. */
void rf_debezium_schema_truncate(struct rf_buf *out, const struct rf_debezium_names *names,
                                 struct rf_str database, struct rf_str table);
/* Of a DDL statement. */
void rf_debezium_schema_change_key(struct rf_buf *out, const struct rf_debezium_names *names);
void rf_debezium_schema_change(struct rf_buf *out, const struct rf_debezium_names *names);
/* Fields that all of Debezium's connectors have: `snapshot` of a source, and `transaction` of an
 * envelope. */
void rf_debezium_schema_snapshot(struct rf_buf *out);
void rf_debezium_schema_block(struct rf_buf *out);
/* Of a transaction's beginning and end. */
void rf_debezium_schema_transaction_key(struct rf_buf *out);
void rf_debezium_schema_transaction(struct rf_buf *out);

#endif
