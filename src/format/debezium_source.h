/* The block `source` of debezium's messages, and their times.
 *
 * Private to debezium.c. A source is put together of what is the same for a table, for a
 * transaction and for a log event; the row's number goes between its beginning and its end.
 * Thread: the owner's.
 *
 * Source: Debezium 3.5, BinlogSourceInfoStructMaker, AbstractSourceInfoStructMaker; measured
 * against Debezium 3.5. */
#ifndef ROWFERRY_FORMAT_DEBEZIUM_SOURCE_H
#define ROWFERRY_FORMAT_DEBEZIUM_SOURCE_H

#include "format/debezium_schema.h"

#include <rowferry/event.h>

/* What names a table. Zeroed is empty. */
struct rf_debezium_parts {
    struct rf_buf head;     /* ,"source":{"version":...,"name":"rowferry","ts_ms": */
    struct rf_buf database; /* ,"db":"shop","sequence":null,"ts_us": */
    struct rf_buf table;    /* ,"table":"orders","server_id": */
};

/* An empty table is null. Accepts parts that were made before. */
void rf_debezium_parts_make(struct rf_debezium_parts *parts, const struct rf_debezium_names *names,
                            struct rf_str database, struct rf_str table);
void rf_debezium_parts_deinit(struct rf_debezium_parts *parts);

/* What names a transaction, into an emptied `place`:
 * 1,"gtid":"0-1-42","file":"bin.000001","pos": */
void rf_debezium_place_make(struct rf_buf *place, const struct rf_transaction *transaction);

/* Appends ,"source":{ up to "row": and what is behind the row's number up to the brace. */
void rf_debezium_source_begin(struct rf_buf *out, const struct rf_debezium_parts *parts,
                              const struct rf_buf *place, const struct rf_transaction *transaction,
                              const struct rf_event *event);
void rf_debezium_source_end(struct rf_buf *out, const struct rf_transaction *transaction,
                            const struct rf_event *event);

/* When the change was made, in microseconds since 1970: MySQL says when its transaction was
 * committed; MariaDB when its statement began, in seconds. origin may be NULL. */
int64_t rf_debezium_time(const struct rf_transaction *transaction, const struct rf_origin *origin);

/* Appends ,"ts_ms": with its number; ts_us and ts_ns; and all three. Times before 1970 are as
 * 1970. */
void rf_debezium_add_millis(struct rf_buf *out, int64_t micros);
void rf_debezium_add_micros(struct rf_buf *out, int64_t micros);
void rf_debezium_add_times(struct rf_buf *out, int64_t micros);

/* Appends name, which ends in a colon, and the text; null where there is none. */
void rf_debezium_add_member(struct rf_buf *out, struct rf_str name, struct rf_str text);

#endif
