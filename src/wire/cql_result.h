/* RESULT: what a statement gave back.
 *
 * Used by net/cql and by who asks. The body is an [int], its kind, and behind it
 *
 *   1 void            nothing
 *   2 rows            metadata, [int] number of rows, and these: a [bytes] per column
 *   3 set keyspace    [string]
 *   4 prepared        [short bytes] id, in version 5 [short bytes] result's metadata id; metadata
 *                     of what is bound, metadata of the rows
 *   5 schema change   [string] change, [string] target, names
 *
 *   metadata          [int] flags, [int] columns; of what is bound: [int] n, n times [short], which
 *                     of them make the partition's key; then with flag 2 [bytes], the paging state;
 *                     with flag 8 [short bytes], a new metadata id; without flag 4, for each
 *                     column: [string] keyspace and [string] table, with flag 1 once in front of
 *                     all, [string] name, [option] type (cql_type.h)
 *
 * Source: Apache Cassandra, doc/native_protocol_v4.spec and native_protocol_v5.spec, section
 * 4.2.5. */
#ifndef ROWFERRY_WIRE_CQL_RESULT_H
#define ROWFERRY_WIRE_CQL_RESULT_H

#include "wire/cql.h"
#include "wire/cql_type.h"

enum rf_cql_result_kind {
    RF_CQL_VOID = 1,
    RF_CQL_ROWS = 2,
    RF_CQL_SET_KEYSPACE = 3,
    RF_CQL_PREPARED = 4,
    RF_CQL_SCHEMA_CHANGED = 5,
};

struct rf_cql_column {
    struct rf_str name;
    struct rf_cql_type type;
};
struct rf_cql_columns {
    struct rf_cql_column *items; /* NULL: the answer does not describe them */
    uint32_t count;
    struct rf_str keyspace, table; /* of the first one */
    struct rf_str paging_state;    /* NULL data: these are the last rows */
    struct rf_str metadata_id;     /* of version 5: it has changed */
};

/* Descriptions lie in the arena, strings in the body. */
struct rf_cql_result {
    enum rf_cql_result_kind kind;
    struct rf_cql_columns columns; /* of rows; of a prepared statement those that it will give */
    uint32_t row_count;
    struct rf_cursor rows;  /* stands in front of the first value */
    struct rf_str keyspace; /* RF_CQL_SET_KEYSPACE */
    /* RF_CQL_PREPARED */
    struct rf_str id, metadata_id;
    struct rf_cql_columns bound;
    const uint16_t *key; /* which of the bound values make the partition's key, in its order */
    uint32_t key_count;
    struct rf_cql_event change; /* RF_CQL_SCHEMA_CHANGED */
};

/* Reads a RESULT's body, and walks over the values of all its rows, so that what is damaged is seen
 * here and not half-way through them. Returns RF_OK; RF_FATAL: damaged. */
RF_USE_RESULT enum rf_status rf_cql_result_parse(struct rf_cursor *body, unsigned version,
                                                 struct rf_arena *arena,
                                                 struct rf_cql_result *result,
                                                 struct rf_error *err);

/* Reads the next row of result->rows: columns.count values into `values`, NULL data for null.
 * Returns RF_OK; RF_FATAL: there are no more than row_count. */
RF_USE_RESULT enum rf_status rf_cql_result_row(struct rf_cql_result *result, struct rf_str *values,
                                               struct rf_error *err);

#endif
