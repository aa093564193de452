/* Any text as rules about columns, and any bytes as a row's values: no crash, no overflow; what is
 * refused says why, and what is accepted keeps the key, adds no column, and leaves no text that it
 * hides. */
#include "transform/rule.h"

#include <rowferry/transform.h>
#include <stdlib.h>

extern const struct rf_transform_type rf_transform_columns;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct rf_column columns[] = {
    {.name = {"id", 2}, .type = RF_COLUMN_INT, .key = true},
    {.name = {"email", 5}, .type = RF_COLUMN_VARCHAR, .charset = RF_CHARSET_UTF8, .nullable = true},
    {.name = {"note", 4}, .type = RF_COLUMN_TEXT, .charset = RF_CHARSET_UTF8, .nullable = true},
    {.name = {"n", 1}, .type = RF_COLUMN_BIGINT, .is_unsigned = true},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static struct rf_table *make_table(void)
{
    static const uint32_t key[] = {0};
    struct rf_table *table = calloc(1, sizeof *table);
    rf_assert(table != NULL);
    *table = (struct rf_table){
        .version = 1,
        .database = RF_STR("shop"),
        .name = RF_STR("users"),
        .full_name = RF_STR("shop.users"),
        .column_count = COLUMNS,
        .key_count = 1,
        .columns = columns,
        .key_columns = key,
    };
    atomic_init(&table->references, 1);
    return table;
}

static void check_event(const struct rf_event *event, struct rf_list list, struct rf_arena *arena)
{
    struct rf_error err = {0};
    struct rf_rules rules;
    const struct rf_rule_table names = {RF_STR("shop"), RF_STR("users")};
    rf_assert(rf_rules_read(list, arena, &rules, &err) == RF_OK);
    const struct rf_table *table = event->table;
    rf_assert(table->column_count <= COLUMNS && table->key_count == 1);
    rf_assert(table->columns[table->key_columns[0]].key);
    for (uint32_t i = 0; i < rules.count; i++) {
        const struct rf_rule *rule = &rules.items[i];
        for (uint32_t j = 0; j < table->column_count; j++) {
            struct rf_value value = event->after[j];
            if (!rf_rule_names_table(rule, &names) ||
                !rf_rule_names_column(rule, table->columns[j].name)) {
                continue;
            }
            rf_assert(rule->action != RF_RULE_LEAVE_OUT);
            if (rule->action == RF_RULE_MASK || rule->action == RF_RULE_HASH) {
                rf_assert(value.kind == RF_TEXT);
            }
        }
    }
}

/* The row's texts are the input itself, as text where it is ASCII. */
static void apply(void *state, struct rf_table *table, struct rf_str input, struct rf_list list,
                  struct rf_arena *arena)
{
    uint8_t kind = RF_TEXT;
    for (size_t i = 0; i < input.size; i++) {
        kind = ((unsigned char)input.data[i] & 0x80) != 0 ? RF_BYTES : kind;
    }
    struct rf_value text = {.kind = kind, .size = (uint32_t)input.size, .text = input.data};
    struct rf_value values[COLUMNS] = {{.kind = RF_INT, .i = 7}, text, text, {.kind = RF_UINT}};
    struct rf_event event = {.op = RF_UPDATE, .table = table, .before = values, .after = values};
    struct rf_error err = {0};
    bool drop = false;
    enum rf_status status = rf_transform_columns.apply(state, &event, &drop, arena, &err);
    rf_assert(status == RF_OK || (status == RF_CONFIG && err.message[0] != '\0'));
    if (status == RF_OK) {
        rf_assert(!drop && values[1].text == input.data);
        check_event(&event, list, arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rf_arena arena = {0};
    struct rf_error err = {0};
    struct rf_rules rules;
    struct rf_str input = {(const char *)data, size}, rest, item;
    char *text = rf_str_dup(input);
    struct rf_list list = {.items = rf_arena_alloc(&arena, (size + 1) * sizeof(char *))};
    rest = rf_str_of(text); /* up to the first NUL, as every option */
    while (rest.size > 0 && rf_str_split(&rest, ',', &item)) {
        char *copy = rf_arena_alloc(&arena, item.size + 1);
        memcpy(copy, item.data, item.size);
        copy[item.size] = '\0';
        list.items[list.count++] = copy;
    }
    enum rf_status status = rf_rules_read(list, &arena, &rules, &err);
    rf_assert(status == RF_OK || (status == RF_CONFIG && err.message[0] != '\0'));
    rf_assert(status != RF_OK || rules.count <= list.count);

    void *state = calloc(1, rf_transform_columns.state_size);
    rf_assert(state != NULL);
    for (const struct rf_option *option = rf_transform_columns.options; option->name; option++) {
        const char *salt = "a salt for tests";
        char *field = (char *)state + option->offset;
        if (option->kind == RF_OPTION_LIST) {
            memcpy(field, &list, sizeof list);
        } else {
            memcpy(field, &salt, sizeof salt);
        }
    }
    rf_assert(rf_transform_columns.open(state, &err) == status);
    if (status == RF_OK) {
        struct rf_table *table = make_table();
        apply(state, table, input, list, &arena);
        apply(state, table, input, list, &arena);
        rf_transform_columns.close(state);
        rf_table_release(table);
    } else {
        rf_transform_columns.close(state);
    }
    free(state);
    free(text);
    rf_arena_deinit(&arena);
    return 0;
}
