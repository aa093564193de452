#include "lib/events.h"

#include <math.h>
#include <rowferry/format.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

extern const struct rf_format_type rf_format_json;

/* A format with what it writes to. */
struct bench {
    void *state;
    struct rf_batch batch;
    struct rf_table *orders;
    struct rf_buf value, key;
};

static struct bench bench_open(void)
{
    struct bench bench = {.state = calloc(1, rf_format_json.state_size)};
    struct rf_error err = {0};
    assert_int_equal(rf_format_json.open(bench.state, &err), RF_OK);
    bench.orders = rf_test_table("shop", "orders", "id:int! name:text");
    return bench;
}

static void bench_close(struct bench *bench)
{
    rf_format_json.close(bench->state);
    free(bench->state);
    rf_batch_deinit(&bench->batch);
    rf_table_release(bench->orders);
    rf_buf_deinit(&bench->value);
    rf_buf_deinit(&bench->key);
}

static enum rf_status encode(struct bench *bench, const struct rf_event *event,
                             struct rf_error *err)
{
    struct rf_view view = rf_test_view(&bench->batch, 0, UINT32_MAX);
    struct rf_encoding out = {
        .value = &bench->value, .key = &bench->key, .terminator = RF_STR("\n")};
    rf_buf_reset(&bench->value);
    rf_buf_reset(&bench->key);
    enum rf_status status = rf_format_json.encode(bench->state, &view, event, &out, err);
    if (status == RF_OK) {
        assert_int_equal(out.count, 1);
        assert_int_equal(out.messages[0].value_start, 0);
        assert_int_equal(out.messages[0].value_size, bench->value.size - 1);
        assert_int_equal(out.messages[0].key_start, 0);
        assert_int_equal(out.messages[0].key_size, bench->key.size);
        assert_false(out.messages[0].tombstone);
    }
    return status;
}

static void expect(struct bench *bench, const struct rf_event *event, const char *key,
                   const char *line)
{
    struct rf_error err = {0};
    assert_int_equal(encode(bench, event, &err), RF_OK);
    assert_string_equal(rf_buf_cstr(&bench->key), key);
    assert_string_equal(rf_buf_cstr(&bench->value), line);
}

static void test_rows_have_their_key_and_their_images(void **state)
{
    (void)state;
    struct bench bench = bench_open();
    rf_test_begin(&bench.batch, 42);
    struct rf_event *event = rf_test_create(&bench.batch, bench.orders, "1|anna");
    event->ordinal = 3;
    event->row = 7;
    expect(&bench, event, "{\"id\":1}",
           "{\"op\":\"create\",\"table\":\"shop.orders\",\"key\":{\"id\":1},\"before\":null,"
           "\"after\":{\"id\":1,\"name\":\"anna\"},\"ts\":\"2023-11-14T22:14:02Z\","
           "\"position\":\"0-1-42\",\"id\":\"0-1-42:3:7\"}\n");
    event = rf_test_update(&bench.batch, bench.orders, "1|anna", "2|NULL");
    event->ordinal = 4294967295;
    event->row = 4294967295;
    expect(&bench, event, "{\"id\":2}",
           "{\"op\":\"update\",\"table\":\"shop.orders\",\"key\":{\"id\":2},"
           "\"before\":{\"id\":1,\"name\":\"anna\"},\"after\":{\"id\":2,\"name\":null},"
           "\"ts\":\"2023-11-14T22:14:02Z\",\"position\":\"0-1-42\","
           "\"id\":\"0-1-42:4294967295:4294967295\"}\n");
    event = rf_test_delete(&bench.batch, bench.orders, "2|?");
    event->ordinal = 5;
    expect(&bench, event, "{\"id\":2}",
           "{\"op\":\"delete\",\"table\":\"shop.orders\",\"key\":{\"id\":2},\"before\":{\"id\":2},"
           "\"after\":null,\"ts\":\"2023-11-14T22:14:02Z\",\"position\":\"0-1-42\",\"id\":\"0-1-42:"
           "5:0\"}\n");
    event = rf_test_create(&bench.batch, bench.orders, "9|x");
    event->op = RF_READ;
    event->ordinal = 0;
    expect(&bench, event, "{\"id\":9}",
           "{\"op\":\"read\",\"table\":\"shop.orders\",\"key\":{\"id\":9},\"before\":null,"
           "\"after\":{\"id\":9,\"name\":\"x\"},\"ts\":\"2023-11-14T22:14:02Z\","
           "\"position\":\"0-1-42\",\"id\":\"0-1-42:0:0\"}\n");
    rf_test_commit(&bench.batch);
    bench_close(&bench);
}

static void test_tables_without_a_key_have_none(void **state)
{
    (void)state;
    struct bench bench = bench_open();
    struct rf_table *table = rf_test_table("shop", "log \"q\"", "a:int");
    rf_test_begin(&bench.batch, 1);
    struct rf_event *event = rf_test_create(&bench.batch, table, "5");
    event->ordinal = 1;
    expect(&bench, event, "",
           "{\"op\":\"create\",\"table\":\"shop.log \\\"q\\\"\",\"key\":null,\"before\":null,"
           "\"after\":{\"a\":5},\"ts\":\"2023-11-14T22:13:21Z\",\"position\":\"0-1-1\",\"id\":\"0-"
           "1-1:1:"
           "0\"}\n");
    bench_close(&bench);
    rf_table_release(table);
}

static void test_composite_keys_come_in_the_keys_order(void **state)
{
    (void)state;
    struct bench bench = bench_open();
    static const uint32_t reversed[] = {1, 0};
    struct rf_table *table = rf_test_table("shop", "t", "a:int! b:text!");
    const uint32_t *order = table->key_columns;
    rf_test_begin(&bench.batch, 1);
    struct rf_event *event = rf_test_create(&bench.batch, table, "5|x");
    table->key_columns = reversed;
    struct rf_error err = {0};
    assert_int_equal(encode(&bench, event, &err), RF_OK);
    assert_string_equal(rf_buf_cstr(&bench.key), "{\"b\":\"x\",\"a\":5}");
    table->key_columns = order;
    bench_close(&bench);
    rf_table_release(table);
}

static void test_statements_have_neither_key_nor_images(void **state)
{
    (void)state;
    struct bench bench = bench_open();
    rf_test_begin(&bench.batch, 1);
    struct rf_event *event = rf_test_truncate(&bench.batch, "shop", "or\"ders");
    event->statement = RF_STR("TRUNCATE `or\"ders`");
    event->ordinal = 1;
    expect(&bench, event, "",
           "{\"op\":\"truncate\",\"table\":\"shop.or\\\"ders\",\"statement\":\"TRUNCATE "
           "`or\\\"ders`\",\"ts\":\"2023-11-14T22:13:21Z\",\"position\":\"0-1-1\",\"id\":\"0-1-1:1:"
           "0\"}\n");
    event = rf_test_ddl(&bench.batch, "shop", "CREATE TABLE t (a INT)");
    event->ordinal = 2;
    expect(&bench, event, "",
           "{\"op\":\"ddl\",\"database\":\"shop\",\"statement\":\"CREATE TABLE t (a INT)\","
           "\"ts\":\"2023-11-14T22:13:21Z\",\"position\":\"0-1-1\",\"id\":\"0-1-1:2:0\"}\n");
    event->object = RF_STR("t");
    expect(
        &bench, event, "",
        "{\"op\":\"ddl\",\"database\":\"shop\",\"table\":\"shop.t\",\"statement\":\"CREATE TABLE "
        "t (a "
        "INT)\",\"ts\":\"2023-11-14T22:13:21Z\",\"position\":\"0-1-1\",\"id\":\"0-1-1:2:0\"}\n");
    event->database = RF_STR_NONE;
    expect(&bench, event, "",
           "{\"op\":\"ddl\",\"database\":\"\",\"table\":\"t\",\"statement\":\"CREATE TABLE "
           "t (a "
           "INT)\",\"ts\":\"2023-11-14T22:13:21Z\",\"position\":\"0-1-1\",\"id\":\"0-1-1:2:0\"}\n");
    bench_close(&bench);
}

static void test_a_new_version_of_a_table_has_its_new_names(void **state)
{
    (void)state;
    struct bench bench = bench_open();
    struct rf_error err = {0};
    rf_test_begin(&bench.batch, 1);
    for (int times = 0; times < 3; times++) {
        struct rf_table *changed = rf_test_table("shop", "orders", "id:int! renamed:text");
        assert_int_equal(encode(&bench, rf_test_create(&bench.batch, bench.orders, "1|x"), &err),
                         RF_OK);
        assert_non_null(strstr(rf_buf_cstr(&bench.value), "\"name\":\"x\""));
        assert_int_equal(encode(&bench, rf_test_create(&bench.batch, changed, "1|x"), &err), RF_OK);
        assert_non_null(strstr(rf_buf_cstr(&bench.value), "\"renamed\":\"x\""));
        rf_table_release(changed);
    }
    bench_close(&bench);
}

static void test_thousands_of_tables_keep_their_names_apart(void **state)
{
    (void)state;
    enum { TABLES = 3000 };
    struct bench bench = bench_open();
    struct rf_error err = {0};
    struct rf_table *tables[TABLES];
    rf_test_begin(&bench.batch, 1);
    for (int i = 0; i < TABLES; i++) {
        struct rf_buf name = {0};
        rf_buf_printf(&name, "t%d", i);
        tables[i] = rf_test_table("shop", rf_buf_cstr(&name), "a:int!");
        rf_buf_deinit(&name);
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < TABLES; i++) {
            struct rf_buf wanted = {0};
            rf_buf_printf(&wanted, "\"table\":\"shop.t%d\",", i);
            assert_int_equal(encode(&bench, rf_test_create(&bench.batch, tables[i], "1"), &err),
                             RF_OK);
            assert_non_null(strstr(rf_buf_cstr(&bench.value), rf_buf_cstr(&wanted)));
            rf_buf_deinit(&wanted);
        }
    }
    bench_close(&bench);
    for (int i = 0; i < TABLES; i++) {
        rf_table_release(tables[i]);
    }
}

static void test_each_transaction_has_its_own_time_and_position(void **state)
{
    (void)state;
    struct bench bench = bench_open();
    struct rf_error err = {0};
    for (uint64_t number = 8; number <= 11; number++) {
        rf_batch_reset(&bench.batch,
                       RF_ARENA_CHUNK); /* the next one's id lies where this one's did */
        rf_test_begin(&bench.batch, number);
        assert_int_equal(encode(&bench, rf_test_create(&bench.batch, bench.orders, "1|x"), &err),
                         RF_OK);
        struct rf_buf wanted = {0};
        rf_buf_printf(&wanted,
                      "\"ts\":\"2023-11-14T22:13:%02uZ\",\"position\":\"0-1-%u\",\"id\":\"0-1-%u:",
                      20 + (unsigned)number, (unsigned)number, (unsigned)number);
        assert_non_null(strstr(rf_buf_cstr(&bench.value), rf_buf_cstr(&wanted)));
        rf_buf_deinit(&wanted);
        rf_test_commit(&bench.batch);
    }
    bench_close(&bench);
}

static void test_a_number_that_json_lacks_is_rejected_with_its_event(void **state)
{
    (void)state;
    struct bench bench = bench_open();
    struct rf_table *table = rf_test_table("shop", "t", "id:int! d:double");
    struct rf_error err = {0};
    rf_test_begin(&bench.batch, 1);
    struct rf_event *event = rf_test_create(&bench.batch, table, "1|2.5");
    ((struct rf_value *)event->after)[1].d = INFINITY;
    assert_int_equal(encode(&bench, event, &err), RF_REJECT);
    assert_ptr_equal(err.event, event);
    assert_non_null(strstr(err.message, "column d of table shop.t"));
    assert_int_equal(bench.value.size, 0);
    assert_int_equal(bench.key.size, 0);
    bench_close(&bench);
    rf_table_release(table);
}

static void test_messages_are_appended_and_keys_only_when_wanted(void **state)
{
    (void)state;
    struct bench bench = bench_open();
    struct rf_error err = {0};
    rf_test_begin(&bench.batch, 1);
    const struct rf_event *event = rf_test_create(&bench.batch, bench.orders, "1|x");
    struct rf_view view = rf_test_view(&bench.batch, 0, UINT32_MAX);
    struct rf_encoding out = {.value = &bench.value};
    for (int times = 0; times < 2; times++) {
        out.count = 0;
        assert_int_equal(rf_format_json.encode(bench.state, &view, event, &out, &err), RF_OK);
    }
    assert_int_equal(out.messages[0].value_start, out.messages[0].value_size);
    assert_int_equal(bench.value.size, 2 * out.messages[0].value_size);
    bench_close(&bench);
}

static void test_close_accepts_what_was_never_opened(void **state)
{
    (void)state;
    void *zeroed = calloc(1, rf_format_json.state_size);
    rf_format_json.close(zeroed);
    free(zeroed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_have_their_key_and_their_images),
        cmocka_unit_test(test_tables_without_a_key_have_none),
        cmocka_unit_test(test_composite_keys_come_in_the_keys_order),
        cmocka_unit_test(test_statements_have_neither_key_nor_images),
        cmocka_unit_test(test_a_new_version_of_a_table_has_its_new_names),
        cmocka_unit_test(test_thousands_of_tables_keep_their_names_apart),
        cmocka_unit_test(test_each_transaction_has_its_own_time_and_position),
        cmocka_unit_test(test_a_number_that_json_lacks_is_rejected_with_its_event),
        cmocka_unit_test(test_messages_are_appended_and_keys_only_when_wanted),
        cmocka_unit_test(test_close_accepts_what_was_never_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
