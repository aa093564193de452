/* Definitions of tables out of any text, and TABLE_MAPs completed with them. Input: the text, then,
 * behind a NUL, the body of a TABLE_MAP. */
#include "wire/schema.h"
#include "wire/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_definition(const struct rf_definition *table)
{
    rf_assert(table->column_count > 0);
    for (uint32_t i = 0; i < table->key_count; i++) {
        rf_assert(table->key_columns[i] < table->column_count);
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        rf_assert(table->columns[i].name.size > 0);
        rf_assert(table->columns[i].member_count == 0 || table->columns[i].members != NULL);
    }
}

static void complete(struct rf_str body, const struct rf_definition *definition)
{
    struct rf_table *table;
    struct rf_error err = {0};
    enum rf_status status =
        rf_binlog_table_complete(body, RF_LOG_OF_MARIADB, definition, 1, &table, &err);
    rf_assert((status == RF_OK) == (table != NULL));
    rf_assert(status == RF_OK || err.message[0] != '\0');
    if (table != NULL && definition != NULL &&
        rf_binlog_table_lacks(body, RF_LOG_OF_MARIADB) == RF_LACKS_NAMES) {
        rf_assert(table->column_count == definition->column_count);
        rf_assert(table->key_count <= definition->column_count);
    }
    rf_table_release(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rf_schema schema = {0};
    struct rf_error err = {0};
    const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
    struct rf_str text = {(const char *)data, end ? (size_t)(end - data) : size};
    struct rf_str body = RF_STR("");
    if (end != NULL) {
        body = (struct rf_str){(const char *)end + 1, size - text.size - 1};
    }
    enum rf_status status = rf_schema_parse(&schema, text, "fuzz", RF_STR("shop"), &err);
    rf_assert(status == RF_OK || (status == RF_CONFIG && err.message[0] != '\0'));
    for (const struct rf_definition *table = schema.first; table != NULL; table = table->next) {
        check_definition(table);
        complete(body, table);
    }
    complete(body, NULL);
    rf_schema_deinit(&schema);
    return 0;
}
