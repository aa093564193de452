/* What every format promises, shown on each of them in this build. */
#include "base/memory.h"
#include "engine/registry.h"
#include "lib/events.h"
#include "lib/plugin.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define each_format(entry)                                          \
    const struct rf_registry_format *entry = rf_registry_formats(); \
    entry->name != NULL;                                            \
    entry++

static const char all_columns[] =
    "id:bigint! i:int u:uint de:decimal d:double f:float y:year b:bit da:date ti:time dt:datetime "
    "ts:timestamp c:char t:text by:bytes e:enum s:set j:json g:geometry";
static const char full_row[] =
    "7|-5|18446744073709551615|-1.50|0.25|1.5|2024|3|2024-02-29|-1000000|2024-02-29 12:00:00|"
    "1700000000000000|a\"b\\c\td|line one\nline two|\x01\xff\x80|red|a,b|{\"a\": [1, "
    "2]}|\x01\x02\x03\x04\x01wkb";
static const char null_row[] = "8|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|"
                               "NULL|NULL|NULL|NULL|NULL";
static const char absent_row[] = "9|?|?|?|?|?|?|?|?|?|?|?|?|?|?|?|?|?|?";

static void open_format(struct rf_format *format, const struct rf_format_type *type)
{
    struct rf_error err = {0};
    *format = (struct rf_format){type, rf_alloc_zero(1, type->state_size)};
    rf_test_fallbacks(type->options, format->state);
    assert_int_equal(type->open(format->state, &err), RF_OK);
}

static void close_format(struct rf_format *format)
{
    format->type->close(format->state);
    free(format->state);
}

/* One event of each operation, with every kind of value, NULL and untold ones; and a table without
 * a key. */
static void fill(struct rf_batch *batch, struct rf_table *table, struct rf_table *keyless)
{
    *batch = (struct rf_batch){.bytes_max = 1 << 20};
    rf_test_begin(batch, 1);
    rf_test_create(batch, table, full_row);
    rf_test_create(batch, table, null_row);
    rf_test_update(batch, table, full_row, null_row);
    rf_test_update(batch, table, absent_row, full_row);
    rf_test_delete(batch, table, full_row);
    rf_test_commit(batch);
    rf_test_begin(batch, 2);
    rf_test_create(batch, keyless, "x|y");
    rf_test_create(batch, keyless, "x|y")->op = RF_READ;
    rf_test_truncate(batch, "shop", "all");
    rf_test_ddl(batch, "shop", "CREATE TABLE `a\"b\nc` (x INT)");
    rf_test_ddl(batch, "", "CREATE DATABASE x");
    rf_test_commit(batch);
}

/* Encodes one event and checks the frame around what came out. */
static void encode(struct rf_format *format, const struct rf_view *view,
                   const struct rf_event *event, struct rf_buf *key, struct rf_buf *value,
                   const char *terminator)
{
    struct rf_error err = {0};
    struct rf_encoding out = {.key = key, .value = value, .terminator = rf_str_of(terminator)};
    size_t key_start = key ? key->size : 0, value_start = value->size;
    enum rf_status status = format->type->encode(format->state, view, event, &out, &err);
    if (status != RF_OK) {
        print_message("%s: %s\n", format->type->name, err.message);
    }
    assert_int_equal(status, RF_OK);
    assert_true(out.count <= RF_MESSAGES_MAX);
    for (uint32_t i = 0; i < out.count; i++) {
        const struct rf_message *message = &out.messages[i];
        struct rf_str text = {value->data + message->value_start, message->value_size};
        assert_true(message->value_start >= value_start);
        assert_true(message->value_start + message->value_size + out.terminator.size <=
                    value->size);
        assert_memory_equal(text.data + text.size, out.terminator.data, out.terminator.size);
        assert_true(message->tombstone || text.size > 0);
        assert_true(text.size == 0 || memchr(text.data, '\n', text.size) == NULL);
        value_start = message->value_start + message->value_size + out.terminator.size;
        if (key != NULL) {
            assert_true(message->key_start >= key_start);
            assert_true(message->key_start + message->key_size <= key->size);
        }
    }
    assert_int_equal(value_start, value->size);
}

static struct rf_view whole(const struct rf_batch *batch)
{
    return rf_test_view(batch, 0, UINT32_MAX);
}

static void test_every_kind_of_event_and_value_has_a_form(void **state)
{
    (void)state;
    struct rf_table *table = rf_test_table("shop", "all", all_columns);
    struct rf_table *keyless = rf_test_table("shop", "log", "a:text b:text");
    for (each_format(entry)) {
        struct rf_format format;
        struct rf_batch batch;
        struct rf_buf keys = {0}, values = {0}, alone = {0};
        assert_non_null(entry->type);
        assert_string_equal(entry->type->name, entry->name);
        fill(&batch, table, keyless);
        struct rf_view view = whole(&batch);
        open_format(&format, entry->type);
        for (uint32_t i = 0; i < view.count; i++) {
            struct rf_buf before = {0};
            rf_buf_set(&before, rf_buf_str(&values));
            encode(&format, &view, &view.events[i], &keys, &values, "\n");
            /* Nothing that was there before is touched. */
            assert_true(rf_str_starts(rf_buf_str(&values), rf_buf_str(&before)));
            rf_buf_deinit(&before);
        }
        /* Without keys the values are the same. */
        for (uint32_t i = 0; i < view.count; i++) {
            encode(&format, &view, &view.events[i], NULL, &alone, "\n");
        }
        assert_true(rf_str_equal(rf_buf_str(&values), rf_buf_str(&alone)));
        close_format(&format);
        rf_batch_deinit(&batch);
        rf_buf_deinit(&keys);
        rf_buf_deinit(&values);
        rf_buf_deinit(&alone);
    }
    rf_table_release(table);
    rf_table_release(keyless);
}

static void test_an_event_reads_the_same_whatever_came_before(void **state)
{
    (void)state;
    struct rf_table *table = rf_test_table("shop", "all", all_columns);
    struct rf_table *keyless = rf_test_table("shop", "log", "a:text b:text");
    for (each_format(entry)) {
        struct rf_format old, fresh;
        struct rf_batch batch;
        fill(&batch, table, keyless);
        struct rf_view view = whole(&batch);
        open_format(&old, entry->type);
        for (uint32_t round = 0; round < 2; round++) {
            for (uint32_t i = view.count; i-- > 0;) {
                struct rf_buf keys[2] = {{0}}, values[2] = {{0}};
                open_format(&fresh, entry->type);
                encode(&old, &view, &view.events[i], &keys[0], &values[0], "");
                encode(&fresh, &view, &view.events[i], &keys[1], &values[1], "");
                assert_true(rf_str_equal(rf_buf_str(&keys[0]), rf_buf_str(&keys[1])));
                assert_true(rf_str_equal(rf_buf_str(&values[0]), rf_buf_str(&values[1])));
                close_format(&fresh);
                for (int j = 0; j < 2; j++) {
                    rf_buf_deinit(&keys[j]);
                    rf_buf_deinit(&values[j]);
                }
            }
        }
        close_format(&old);
        rf_batch_deinit(&batch);
    }
    rf_table_release(table);
    rf_table_release(keyless);
}

static void test_rows_with_one_key_have_one_message_key(void **state)
{
    (void)state;
    struct rf_table *table = rf_test_table("shop", "t", "a:text! x:text b:int!");
    for (each_format(entry)) {
        struct rf_format format;
        struct rf_batch batch = {.bytes_max = 1 << 20};
        struct rf_buf keys[4] = {{0}}, values = {0};
        rf_test_begin(&batch, 1);
        rf_test_create(&batch, table, "k|one|1");
        rf_test_update(&batch, table, "k|one|1", "k|two|1");
        rf_test_delete(&batch, table, "k|two|1");
        rf_test_create(&batch, table, "k|one|2");
        struct rf_view view = whole(&batch);
        open_format(&format, entry->type);
        for (uint32_t i = 0; i < view.count; i++) {
            encode(&format, &view, &view.events[i], &keys[i], &values, "");
            assert_true(keys[i].size > 0);
        }
        assert_true(rf_str_equal(rf_buf_str(&keys[0]), rf_buf_str(&keys[1])));
        assert_true(rf_str_equal(rf_buf_str(&keys[0]), rf_buf_str(&keys[2])));
        assert_false(rf_str_equal(rf_buf_str(&keys[0]), rf_buf_str(&keys[3])));
        close_format(&format);
        for (int i = 0; i < 4; i++) {
            rf_buf_deinit(&keys[i]);
        }
        rf_buf_deinit(&values);
        rf_batch_deinit(&batch);
    }
    rf_table_release(table);
}

/* Thousands of tables, whose memory is given back and taken again, and versions that alternate: no
 * name of another table or version may show up. */
static void test_names_are_those_of_the_events_own_table(void **state)
{
    (void)state;
    for (each_format(entry)) {
        struct rf_format format;
        open_format(&format, entry->type);
        for (uint32_t i = 0; i < 3000; i++) {
            char name[32], columns[64], column[32];
            struct rf_batch batch = {.bytes_max = 1 << 20};
            struct rf_buf value = {0};
            snprintf(name, sizeof name, "table_%u", i / 2);
            snprintf(column, sizeof column, "column_%u_%s", i / 2, i % 2 ? "new" : "old");
            snprintf(columns, sizeof columns, "id:int! %s:text", column);
            struct rf_table *table = rf_test_table("shop", name, columns);
            rf_test_begin(&batch, 1);
            rf_test_create(&batch, table, "1|x");
            rf_table_release(table);
            struct rf_view view = whole(&batch);
            encode(&format, &view, &view.events[0], NULL, &value, "");
            assert_non_null(memmem(value.data, value.size, name, strlen(name)));
            assert_non_null(memmem(value.data, value.size, column, strlen(column)));
            rf_buf_deinit(&value);
            rf_batch_deinit(&batch);
        }
        close_format(&format);
    }
}

static void test_closing_accepts_what_was_never_opened(void **state)
{
    (void)state;
    for (each_format(entry)) {
        void *zeroed = rf_alloc_zero(1, entry->type->state_size);
        entry->type->close(zeroed);
        free(zeroed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_event_and_value_has_a_form),
        cmocka_unit_test(test_an_event_reads_the_same_whatever_came_before),
        cmocka_unit_test(test_rows_with_one_key_have_one_message_key),
        cmocka_unit_test(test_names_are_those_of_the_events_own_table),
        cmocka_unit_test(test_closing_accepts_what_was_never_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
