/* Debezium's messages of documents, as its connector for MongoDB has them.
 *
 * Private to debezium.c. They differ from those of rows in all but the frame: a document is a
 * string of JSON, an update has its description, the key is {"id":"..."}, and `source` is another
 * one. Thread: the owner's.
 *
 *   {"before":null,"after":"{\"_id\": 1,\"a\": 2}","updateDescription":{"removedFields":null,
 *    "updatedFields":"{\"a\": 2}","truncatedArrays":null},"source":{"version":"0.1.0",
 *    "connector":"mongodb","name":"rowferry","ts_ms":...,"snapshot":"false","db":"shop",
 *    "sequence":null,"ts_us":...,"ts_ns":...,"collection":"posts","ord":1,"lsid":null,
 *    "txnNumber":null,"wallTime":...},"op":"u","ts_ms":...,"ts_us":...,"ts_ns":...,
 *    "transaction":null}
 *
 * Documents are in the strict form of Extended JSON, the key's _id and the updated fields in the
 * relaxed one, with the blanks that the connector's library writes.
 *
 * Source: Debezium 3.5, "MongoDB connector": "Change event keys", "Change event values";
 * MongoDbCollectionSchema, MongoDbSchemaFactory, MongoDbSourceInfoStructMaker,
 * JsonSerialization. */
#ifndef ROWFERRY_FORMAT_DEBEZIUM_DOCUMENTS_H
#define ROWFERRY_FORMAT_DEBEZIUM_DOCUMENTS_H

#include "format/debezium_schema.h"

/* The schemas of a collection's keys and values. */
void rf_debezium_documents_schema_key(struct rf_buf *out, const struct rf_debezium_names *names,
                                      const struct rf_table *table);
void rf_debezium_documents_schema_value(struct rf_buf *out, const struct rf_debezium_names *names,
                                        const struct rf_table *table);

/* Appends {"id":"..."}. `text` is scratch. */
void rf_debezium_documents_add_key(struct rf_buf *out, struct rf_buf *text,
                                   const struct rf_event *event);
/* Appends "before":...,"after":...,"updateDescription":...,"source":{...} */
void rf_debezium_documents_add_change(struct rf_buf *out, struct rf_buf *text,
                                      const struct rf_debezium_names *names,
                                      const struct rf_transaction *transaction,
                                      const struct rf_event *event);

#endif
