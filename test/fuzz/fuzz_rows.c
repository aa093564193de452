/* A table definition and a rows event of it, without frames around them. What is decoded must come
 * out as valid JSON in valid UTF-8, and decode to the same values again.
 *
 *   byte 0    which rows event
 *   byte 1-2  size of the TABLE_MAP's body, little-endian
 *   the TABLE_MAP's body, then the rows event's */
#include "wire/rows.h"

#include "lib/json.h"
#include "wire/charset.h"
#include "wire/json.h"
#include "wire/table.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_image(const struct rf_table *table, const struct rf_json_names *names,
                        const struct rf_value *image)
{
    struct rf_buf out = {0};
    uint32_t column;
    if (image != NULL && rf_json_add_row(&out, names, image, &column)) {
        rf_assert(test_json_is_valid(rf_buf_str(&out)));
        rf_assert(rf_charset_is_utf8(out.data, out.size));
    } else if (image != NULL) {
        rf_assert(column < table->column_count && out.size == 0);
    }
    rf_buf_deinit(&out);
}

static void check_rows(unsigned type, struct rf_str body, struct rf_table *table)
{
    struct rf_batch batch = {0};
    struct rf_error err = {0};
    struct rf_rows rows;
    struct rf_json_names names;
    if (rf_rows_parse(type, body, &rows, &err) != RF_OK) {
        return;
    }
    rows.lacking = body.size % 2 != 0; /* some callers take images that lack columns */
    rf_json_names_init(&names, table, NULL, table->column_count);
    rf_batch_begin(&batch, RF_STR("0-1-1"), 0, true);
    enum rf_status status = rf_rows_decode(&rows, table, 1, &batch, &err);
    const uint32_t count = batch.count;
    if (status == RF_OK) {
        rf_assert(rf_rows_decode(&rows, table, 2, &batch, &err) == RF_OK);
        rf_assert(batch.count == 2 * count && batch.transactions[0].count == 2 * count);
    } else {
        rf_assert(status == RF_FATAL && count == 0 && err.message[0] != '\0');
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct rf_event *first = &batch.events[i], *second = &batch.events[count + i];
        rf_assert(first->op == rows.op && first->row == i && first->ordinal == 1);
        check_image(table, &names, first->before);
        check_image(table, &names, first->after);
        for (uint32_t column = 0; column < table->column_count; column++) {
            const struct rf_value *image = rf_event_image(first);
            rf_assert(rf_value_equal(image[column], rf_event_image(second)[column]));
        }
    }
    rf_json_names_deinit(&names);
    rf_batch_deinit(&batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { HEAD = 3 };
    static const uint8_t types[] = {23, 24, 25, 30, 31, 32, 39};
    struct rf_table *table;
    struct rf_error err = {0};
    if (size < HEAD) {
        return 0;
    }
    size_t left = size - HEAD, map_size = (size_t)data[1] | (size_t)data[2] << 8;
    map_size = map_size < left ? map_size : left;
    /* Copies of their exact size, so that a read beyond one of them is found. */
    char *map = malloc(map_size ? map_size : 1);
    char *body = malloc(left > map_size ? left - map_size : 1);
    rf_assert(map != NULL && body != NULL);
    memcpy(map, data + HEAD, map_size);
    memcpy(body, data + HEAD + map_size, left - map_size);
    if (rf_binlog_table_parse((struct rf_str){map, map_size}, RF_LOG_OF_MARIADB, 1, &table, &err) ==
        RF_OK) {
        check_rows(types[data[0] % sizeof types], (struct rf_str){body, left - map_size}, table);
        rf_table_release(table);
    }
    free(map);
    free(body);
    return 0;
}
