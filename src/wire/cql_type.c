#include "wire/cql_type.h"

#include "wire/cql.h"

static const struct {
    enum rf_cql_kind kind;
    const char *name;
} simple[] = {
    {RF_CQL_ASCII, "ascii"},
    {RF_CQL_BIGINT, "bigint"},
    {RF_CQL_BLOB, "blob"},
    {RF_CQL_BOOLEAN, "boolean"},
    {RF_CQL_COUNTER_TYPE, "counter"},
    {RF_CQL_DECIMAL, "decimal"},
    {RF_CQL_DOUBLE, "double"},
    {RF_CQL_FLOAT, "float"},
    {RF_CQL_INT, "int"},
    {RF_CQL_TIMESTAMP, "timestamp"},
    {RF_CQL_UUID, "uuid"},
    {RF_CQL_TEXT, "text"},
    {RF_CQL_TEXT, "varchar"},
    {RF_CQL_VARINT, "varint"},
    {RF_CQL_TIMEUUID, "timeuuid"},
    {RF_CQL_INET, "inet"},
    {RF_CQL_DATE, "date"},
    {RF_CQL_TIME, "time"},
    {RF_CQL_SMALLINT, "smallint"},
    {RF_CQL_TINYINT, "tinyint"},
    {RF_CQL_DURATION, "duration"},
};

/* What version 4 calls a duration. */
#define DURATION_CLASS "org.apache.cassandra.db.marshal.DurationType"

enum { SIMPLE = sizeof simple / sizeof *simple };

enum rf_cql_kind rf_cql_kind_of(struct rf_str name)
{
    for (size_t i = 0; i < SIMPLE; i++) {
        if (rf_str_equal(name, rf_str_of(simple[i].name))) {
            return simple[i].kind;
        }
    }
    return RF_CQL_CUSTOM;
}

const char *rf_cql_kind_name(enum rf_cql_kind kind)
{
    for (size_t i = 0; i < SIMPLE; i++) {
        if (simple[i].kind == kind) {
            return simple[i].name;
        }
    }
    return NULL;
}

static void read_type(struct rf_cursor *cursor, struct rf_arena *arena, struct rf_cql_type *type,
                      unsigned depth);

/* As many types in a row; of a user's type each has its name in front. */
static void read_items(struct rf_cursor *cursor, struct rf_arena *arena, struct rf_cql_type *type,
                       unsigned count, unsigned depth)
{
    /* Two bytes are the shortest type, so that no more are made room for than can come. */
    if (rf_cursor_left(cursor) / 2 < count) {
        rf_cursor_fail(cursor, "types");
        return;
    }
    bool named = type->kind == RF_CQL_UDT;
    struct rf_cql_type *items = rf_arena_alloc(arena, (count + 1) * sizeof *items);
    struct rf_str *fields = named ? rf_arena_alloc(arena, (count + 1) * sizeof *fields) : NULL;
    for (unsigned i = 0; i < count; i++) {
        if (named) {
            fields[i] = rf_cql_string(cursor, "field's name");
        }
        read_type(cursor, arena, &items[i], depth + 1);
    }
    type->items = items;
    type->fields = fields;
    type->count = (uint16_t)count;
}

static void read_type(struct rf_cursor *cursor, struct rf_arena *arena, struct rf_cql_type *type,
                      unsigned depth)
{
    *type = (struct rf_cql_type){.kind = rf_cql_short(cursor, "type")};
    if (depth > RF_CQL_DEPTH_MAX) {
        rf_cursor_fail(cursor, "type, so deeply nested");
        return;
    }
    switch ((enum rf_cql_kind)type->kind) {
    case RF_CQL_CUSTOM:
        type->name = rf_cql_string(cursor, "type's class");
        if (rf_str_equal(type->name, RF_STR(DURATION_CLASS))) {
            type->kind = RF_CQL_DURATION;
        }
        break;
    case RF_CQL_LIST:
    case RF_CQL_SET: read_items(cursor, arena, type, 1, depth); break;
    case RF_CQL_MAP: read_items(cursor, arena, type, 2, depth); break;
    case RF_CQL_UDT:
        (void)rf_cql_string(cursor, "type's keyspace");
        type->name = rf_cql_string(cursor, "type's name");
        read_items(cursor, arena, type, rf_cql_short(cursor, "fields"), depth);
        break;
    case RF_CQL_TUPLE:
        read_items(cursor, arena, type, rf_cql_short(cursor, "elements"), depth);
        break;
    default:
        if (rf_cql_kind_name(type->kind) == NULL) {
            rf_cursor_fail(cursor, "type");
        }
        break;
    }
}

void rf_cql_type_read(struct rf_cursor *cursor, struct rf_arena *arena, struct rf_cql_type *type)
{
    read_type(cursor, arena, type, 0);
}

void rf_cql_type_print(struct rf_buf *out, const struct rf_cql_type *type)
{
    const char *name = rf_cql_kind_name(type->kind);
    if (type->kind == RF_CQL_CUSTOM) {
        rf_buf_printf(out, "'%.*s'", RF_STR_ARG(type->name));
        return;
    }
    if (type->kind == RF_CQL_UDT) {
        rf_buf_add_str(out, type->name);
        return;
    }
    if (name != NULL) {
        rf_buf_add_str(out, rf_str_of(name));
        return;
    }
    rf_buf_add_str(out, type->kind == RF_CQL_LIST  ? RF_STR("list<")
                        : type->kind == RF_CQL_SET ? RF_STR("set<")
                        : type->kind == RF_CQL_MAP ? RF_STR("map<")
                                                   : RF_STR("tuple<"));
    for (unsigned i = 0; i < type->count; i++) {
        rf_buf_add_str(out, i > 0 ? RF_STR(", ") : RF_STR_NONE);
        rf_cql_type_print(out, &type->items[i]);
    }
    rf_buf_add_byte(out, '>');
}
