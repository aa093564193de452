#include "wire/cql_result.h"

enum {
    FLAG_GLOBAL_TABLE = 0x01,
    FLAG_MORE_PAGES = 0x02,
    FLAG_NO_METADATA = 0x04,
    FLAG_METADATA_CHANGED = 0x08,
    COLUMN_BYTES_MIN = 4, /* that the description of a column takes */
};

static void read_key(struct rf_cursor *body, struct rf_arena *arena, struct rf_cql_result *result)
{
    uint32_t count = (uint32_t)rf_cql_int(body, "columns of the key");
    if (rf_cursor_left(body) / 2 < count) {
        rf_cursor_fail(body, "columns of the key");
        return;
    }
    uint16_t *key = rf_arena_alloc(arena, (count + 1) * sizeof *key);
    for (uint32_t i = 0; i < count; i++) {
        key[i] = rf_cql_short(body, "column of the key");
        if (key[i] >= result->bound.count) {
            rf_cursor_fail(body, "column of the key");
        }
    }
    result->key = key;
    result->key_count = count;
}

/* `prepared`: whose bound values these are, else NULL. */
static void read_columns(struct rf_cursor *body, struct rf_arena *arena,
                         struct rf_cql_columns *columns, struct rf_cql_result *prepared)
{
    int32_t flags = rf_cql_int(body, "flags");
    columns->count = (uint32_t)rf_cql_int(body, "columns");
    if (columns->count > INT32_MAX) {
        rf_cursor_fail(body, "columns");
    }
    if (prepared != NULL) {
        read_key(body, arena, prepared);
    }
    if (flags & FLAG_MORE_PAGES) {
        columns->paging_state = rf_cql_bytes(body, "paging state");
    }
    if (flags & FLAG_METADATA_CHANGED) {
        columns->metadata_id = rf_cql_string(body, "metadata id");
    }
    if (flags & FLAG_NO_METADATA) {
        return;
    }
    if (flags & FLAG_GLOBAL_TABLE) {
        columns->keyspace = rf_cql_string(body, "keyspace");
        columns->table = rf_cql_string(body, "table");
    }
    if (rf_cursor_left(body) / COLUMN_BYTES_MIN < columns->count) {
        rf_cursor_fail(body, "columns");
        return;
    }
    columns->items = rf_arena_alloc(arena, (columns->count + 1) * sizeof *columns->items);
    for (uint32_t i = 0; i < columns->count && body->missing == NULL; i++) {
        if ((flags & FLAG_GLOBAL_TABLE) == 0) {
            struct rf_str keyspace = rf_cql_string(body, "keyspace");
            struct rf_str table = rf_cql_string(body, "table");
            columns->keyspace = i == 0 ? keyspace : columns->keyspace;
            columns->table = i == 0 ? table : columns->table;
        }
        columns->items[i].name = rf_cql_string(body, "column's name");
        rf_cql_type_read(body, arena, &columns->items[i].type);
    }
}

static void read_rows(struct rf_cursor *body, struct rf_arena *arena, struct rf_cql_result *result)
{
    read_columns(body, arena, &result->columns, NULL);
    result->row_count = (uint32_t)rf_cql_int(body, "number of rows");
    /* Each value takes four bytes; a row without columns would take none. */
    if (result->row_count > INT32_MAX ||
        (result->row_count > 0 &&
         (result->columns.count == 0 ||
          rf_cursor_left(body) / 4 / result->columns.count < result->row_count))) {
        rf_cursor_fail(body, "rows");
    }
    result->rows = *body;
    for (uint64_t i = 0; i < (uint64_t)result->row_count * result->columns.count; i++) {
        rf_cql_bytes(body, "value");
    }
}

enum rf_status rf_cql_result_parse(struct rf_cursor *body, unsigned version, struct rf_arena *arena,
                                   struct rf_cql_result *result, struct rf_error *err)
{
    int32_t kind = rf_cql_int(body, "kind");
    *result = (struct rf_cql_result){.kind = (enum rf_cql_result_kind)kind};
    switch (kind) {
    case RF_CQL_VOID: break;
    case RF_CQL_ROWS: read_rows(body, arena, result); break;
    case RF_CQL_SET_KEYSPACE: result->keyspace = rf_cql_string(body, "keyspace"); break;
    case RF_CQL_PREPARED:
        result->id = rf_cql_string(body, "statement's id");
        result->metadata_id = version >= 5 ? rf_cql_string(body, "metadata id") : RF_STR_NONE;
        read_columns(body, arena, &result->bound, result);
        read_columns(body, arena, &result->columns, NULL);
        break;
    case RF_CQL_SCHEMA_CHANGED: rf_cql_schema_change_read(body, &result->change); break;
    default: rf_cursor_fail(body, "kind"); break;
    }
    return rf_cursor_check(body, "RESULT", err);
}

enum rf_status rf_cql_result_row(struct rf_cql_result *result, struct rf_str *values,
                                 struct rf_error *err)
{
    for (uint32_t i = 0; i < result->columns.count; i++) {
        values[i] = rf_cql_bytes(&result->rows, "value");
    }
    return rf_cursor_check(&result->rows, "RESULT", err);
}
