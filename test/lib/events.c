#include "lib/events.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

enum { COLUMNS_MAX = 64, START_S = 1700000000 };

static const struct {
    const char *name;
    enum rf_column_type type;
    enum rf_kind kind;
} types[] = {
    {"int", RF_COLUMN_INT, RF_INT},
    {"bigint", RF_COLUMN_BIGINT, RF_INT},
    {"uint", RF_COLUMN_BIGINT, RF_UINT},
    {"decimal", RF_COLUMN_DECIMAL, RF_DECIMAL},
    {"double", RF_COLUMN_DOUBLE, RF_DOUBLE},
    {"float", RF_COLUMN_FLOAT, RF_FLOAT},
    {"year", RF_COLUMN_YEAR, RF_YEAR},
    {"bit", RF_COLUMN_BIT, RF_BIT},
    {"date", RF_COLUMN_DATE, RF_DATE},
    {"time", RF_COLUMN_TIME, RF_TIME},
    {"datetime", RF_COLUMN_DATETIME, RF_DATETIME},
    {"timestamp", RF_COLUMN_TIMESTAMP, RF_TIMESTAMP},
    {"char", RF_COLUMN_CHAR, RF_TEXT},
    {"text", RF_COLUMN_TEXT, RF_TEXT},
    {"bytes", RF_COLUMN_VARBINARY, RF_BYTES},
    {"enum", RF_COLUMN_ENUM, RF_ENUM},
    {"set", RF_COLUMN_SET, RF_SET},
    {"json", RF_COLUMN_JSON, RF_JSON},
    {"geometry", RF_COLUMN_GEOMETRY, RF_GEOMETRY},
};
enum { TYPES = sizeof types / sizeof *types };

/* What is behind a table: its columns and names, in one piece. */
struct description {
    struct rf_column columns[COLUMNS_MAX];
    uint32_t key_columns[COLUMNS_MAX];
    char text[];
};

static size_t type_of(struct rf_str name)
{
    size_t i = 0;
    while (i < TYPES && !rf_str_equal(name, rf_str_of(types[i].name))) {
        i++;
    }
    rf_assert(i < TYPES);
    return i;
}

static size_t type_of_column(const struct rf_column *column)
{
    size_t i = 0;
    while (i < TYPES && (types[i].type != (enum rf_column_type)column->type ||
                         (types[i].kind == RF_INT && column->is_unsigned))) {
        i++;
    }
    rf_assert(i < TYPES);
    return i;
}

static void describe_column(struct rf_table *table, struct description *description,
                            struct rf_str word)
{
    struct rf_str name;
    struct rf_column *column = &description->columns[table->column_count];
    bool key = word.data[word.size - 1] == '!';
    word.size -= key;
    rf_assert(table->column_count < COLUMNS_MAX && rf_str_split(&word, ':', &name) && word.data);
    size_t type = type_of(word);
    *column = (struct rf_column){
        .name = name,
        .type = (uint8_t)types[type].type,
        .charset = types[type].kind == RF_TEXT ? RF_CHARSET_UTF8 : RF_CHARSET_BINARY,
        .is_unsigned = types[type].kind == RF_UINT,
        .nullable = !key,
        .key = key,
    };
    if (key) {
        description->key_columns[table->key_count++] = table->column_count;
    }
    table->column_count++;
}

struct rf_table *rf_test_table(const char *database, const char *name, const char *columns)
{
    struct rf_table *table = rf_alloc_zero(1, sizeof *table);
    size_t full_size = strlen(database) + strlen(name) + 1;
    struct description *description =
        rf_alloc_zero(1, sizeof *description + full_size + 1 + strlen(columns) + 1);
    char *text = description->text, *list = text + full_size + 1;
    snprintf(text, full_size + 1, "%s.%s", database, name);
    memcpy(list, columns, strlen(columns) + 1);
    *table = (struct rf_table){
        .version = 1,
        .database = {text, strlen(database)},
        .name = {text + strlen(database) + 1, strlen(name)},
        .full_name = {text, full_size},
        .columns = description->columns,
        .key_columns = description->key_columns,
        .memory = description,
    };
    atomic_init(&table->references, 1);
    struct rf_str rest = rf_str_of(list), word;
    while (rf_str_split(&rest, ' ', &word)) {
        if (word.size > 0) {
            describe_column(table, description, word);
        }
    }
    return table;
}

/* "2024-02-29 12:00:00.250" or its date alone. */
static uint64_t parse_datetime(const char *text)
{
    unsigned parts[7] = {0};
    int fields = sscanf(text, "%u-%u-%u %u:%u:%u.%6u", &parts[0], &parts[1], &parts[2], &parts[3],
                        &parts[4], &parts[5], &parts[6]);
    rf_assert(fields >= 3);
    const char *dot = strchr(text, '.');
    for (size_t digits = dot ? strlen(dot + 1) : 6; digits < 6; digits++) {
        parts[6] *= 10;
    }
    return RF_DATETIME_PACK(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]);
}

/* SRID, order of bytes, type, x and y. */
static const char point[] = "\xe6\x10\0\0\1\1\0\0\0"
                            "\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\x40";

static struct rf_value parse_value(struct rf_batch *batch, const struct rf_column *column,
                                   struct rf_str text)
{
    struct rf_str copy = rf_arena_copy(&batch->arena, text);
    struct rf_value value = {.kind = (uint8_t)types[type_of_column(column)].kind,
                             .size = (uint32_t)copy.size};
    char *terminated = rf_str_dup(text);
    value.text = copy.data;
    switch ((enum rf_kind)value.kind) {
    case RF_TIMESTAMP:
    case RF_TIME:
    case RF_INT: value.i = strtoll(terminated, NULL, 10); break;
    case RF_BIT:
    case RF_YEAR:
    case RF_UINT: value.u = strtoull(terminated, NULL, 10); break;
    case RF_FLOAT: value.f = strtof(terminated, NULL); break;
    case RF_DOUBLE: value.d = strtod(terminated, NULL); break;
    case RF_DATE:
    case RF_DATETIME: value.u = parse_datetime(terminated); break;
    case RF_ENUM: value.ordinal = 1; break;
    case RF_GEOMETRY:
        if (rf_str_equal(text, RF_STR("point"))) {
            value.text = point;
            value.size = sizeof point - 1;
        }
        break;
    default: break;
    }
    free(terminated);
    return value;
}

const struct rf_value *rf_test_row(struct rf_batch *batch, const struct rf_table *table,
                                   const char *row)
{
    struct rf_value *values =
        rf_arena_alloc(&batch->arena, (table->column_count + 1) * sizeof *values);
    struct rf_str rest = rf_str_of(row), field;
    for (uint32_t i = 0; i < table->column_count; i++) {
        rf_assert(rf_str_split(&rest, '|', &field));
        if (rf_str_equal(field, RF_STR("NULL"))) {
            values[i] = (struct rf_value){.kind = RF_NULL};
        } else if (rf_str_equal(field, RF_STR("?"))) {
            values[i] = (struct rf_value){.kind = RF_ABSENT};
        } else {
            values[i] = parse_value(batch, &table->columns[i], field);
        }
    }
    rf_assert(rest.data == NULL);
    return values;
}

static void begin(struct rf_batch *batch, uint64_t number, bool begins)
{
    char id[32];
    snprintf(id, sizeof id, "0-1-%llu", (unsigned long long)number);
    rf_batch_begin(batch, rf_str_of(id), (int64_t)(START_S + number) * 1000000, begins);
}

void rf_test_begin(struct rf_batch *batch, uint64_t number)
{
    begin(batch, number, true);
}

void rf_test_resume(struct rf_batch *batch, uint64_t number)
{
    begin(batch, number, false);
}

void rf_test_commit(struct rf_batch *batch)
{
    const struct rf_transaction *last = &batch->transactions[batch->transaction_count - 1];
    struct rf_str number = last->id;
    number.data += sizeof "0-1-" - 1;
    number.size -= sizeof "0-1-" - 1;
    rf_batch_commit(batch);
    rf_batch_set_position(batch, number, last->commit_us);
}

static struct rf_event *add(struct rf_batch *batch, enum rf_op op, struct rf_table *table)
{
    struct rf_event *event = rf_batch_add(batch);
    event->op = (uint8_t)op;
    event->ordinal = batch->transactions[batch->transaction_count - 1].count;
    event->table = table;
    if (table != NULL) {
        rf_batch_use(batch, table);
    }
    return event;
}

struct rf_event *rf_test_create(struct rf_batch *batch, struct rf_table *table, const char *row)
{
    const struct rf_value *after = rf_test_row(batch, table, row);
    struct rf_event *event = add(batch, RF_CREATE, table);
    event->after = after;
    return event;
}

struct rf_event *rf_test_update(struct rf_batch *batch, struct rf_table *table, const char *before,
                                const char *after)
{
    const struct rf_value *old = rf_test_row(batch, table, before);
    const struct rf_value *new = rf_test_row(batch, table, after);
    struct rf_event *event = add(batch, RF_UPDATE, table);
    event->before = old;
    event->after = new;
    return event;
}

struct rf_event *rf_test_delete(struct rf_batch *batch, struct rf_table *table, const char *row)
{
    const struct rf_value *before = rf_test_row(batch, table, row);
    struct rf_event *event = add(batch, RF_DELETE, table);
    event->before = before;
    return event;
}

static struct rf_event *add_statement(struct rf_batch *batch, enum rf_op op, const char *database,
                                      const char *object, const char *statement)
{
    struct rf_event *event = add(batch, op, NULL);
    event->database = rf_arena_copy(&batch->arena, rf_str_of(database));
    event->object = rf_arena_copy(&batch->arena, rf_str_of(object));
    event->statement = rf_arena_copy(&batch->arena, rf_str_of(statement));
    return event;
}

struct rf_event *rf_test_truncate(struct rf_batch *batch, const char *database, const char *table)
{
    char statement[256];
    snprintf(statement, sizeof statement, "TRUNCATE TABLE `%s`", table);
    return add_statement(batch, RF_TRUNCATE, database, table, statement);
}

struct rf_event *rf_test_ddl(struct rf_batch *batch, const char *database, const char *statement)
{
    return add_statement(batch, RF_DDL, database, "", statement);
}

struct rf_view rf_test_view(const struct rf_batch *batch, uint32_t first, uint32_t count)
{
    uint32_t rest = batch->count - first;
    struct rf_view view = {.batch = batch, .count = count < rest ? count : rest};
    if (batch->events != NULL) {
        view.events = batch->events + first;
    }
    uint32_t from = 0, end = first + view.count;
    while (from < batch->transaction_count &&
           batch->transactions[from].first + batch->transactions[from].count <= first &&
           batch->transactions[from].first < first) {
        from++;
    }
    uint32_t to = from;
    while (to < batch->transaction_count &&
           (batch->transactions[to].first < end || batch->transactions[to].count == 0)) {
        to++;
    }
    view.transactions = batch->transactions + from;
    view.transaction_count = to - from;
    return view;
}
