#include "lib/events.h"
#include "lib/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

extern const struct rf_format_type rf_format_maxwell;

struct bench {
    struct rf_test_messages messages;
    struct rf_table *orders;
    struct rf_origin origin;
};

static void bench_open(struct bench *bench, const struct rf_test_setting *settings)
{
    *bench = (struct bench){
        .orders = rf_test_table("shop", "orders", "id:int! name:text"),
        .origin = {.time_us = INT64_C(1700000001) * 1000000, .offset = 1637},
    };
    rf_test_messages_open(&bench->messages, &rf_format_maxwell, settings);
    rf_test_begin(&bench->messages.batch, 42);
    struct rf_transaction *transaction = rf_test_messages_transaction(&bench->messages);
    transaction->server_id = 7;
    transaction->gtid = RF_STR("0-7-42");
    transaction->file = RF_STR("bin.000003");
    transaction->has_xid = true;
    transaction->xid = 1432;
}

static void bench_close(struct bench *bench)
{
    rf_test_messages_close(&bench->messages);
    rf_table_release(bench->orders);
}

static struct rf_batch *batch_of(struct bench *bench)
{
    return &bench->messages.batch;
}

static const char *messages_of(struct bench *bench, struct rf_event *event)
{
    event->origin = &bench->origin;
    return rf_test_messages_of(&bench->messages, event, NULL);
}

#define ORDERS "{\"database\":\"shop\",\"table\":\"orders\","
#define KEY    "{\"database\":\"shop\",\"table\":\"orders\",\"pk.id\":1} "

static void test_rows_have_what_an_update_changed_as_it_was(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL);
    rf_test_create(batch_of(&bench), bench.orders, "1|anna");
    rf_test_update(batch_of(&bench), bench.orders, "1|anna", "1|bob");
    rf_test_update(batch_of(&bench), bench.orders, "1|bob", "1|bob");
    rf_test_delete(batch_of(&bench), bench.orders, "1|NULL");
    rf_test_commit(batch_of(&bench));
    struct rf_event *events = batch_of(&bench)->events;
    assert_string_equal(messages_of(&bench, &events[0]),
                        KEY ORDERS "\"type\":\"insert\",\"ts\":1700000001,\"xid\":1432,"
                                   "\"data\":{\"id\":1,\"name\":\"anna\"}}\n");
    assert_string_equal(messages_of(&bench, &events[1]),
                        KEY ORDERS "\"type\":\"update\",\"ts\":1700000001,\"xid\":1432,"
                                   "\"data\":{\"id\":1,\"name\":\"bob\"},"
                                   "\"old\":{\"name\":\"anna\"}}\n");
    assert_string_equal(messages_of(&bench, &events[2]),
                        KEY ORDERS "\"type\":\"update\",\"ts\":1700000001,\"xid\":1432,"
                                   "\"data\":{\"id\":1,\"name\":\"bob\"}}\n");
    assert_string_equal(messages_of(&bench, &events[3]),
                        KEY ORDERS "\"type\":\"delete\",\"ts\":1700000001,\"xid\":1432,"
                                   "\"commit\":true,\"data\":{\"id\":1,\"name\":null}}\n");
    bench_close(&bench);
}

static void test_each_option_adds_its_member_in_maxwells_order(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, (struct rf_test_setting[]){{"output_binlog_position", "on"},
                                                  {"output_gtid_position", "on"},
                                                  {"output_xoffset", "on"},
                                                  {"output_server_id", "on"},
                                                  {"output_thread_id", "on"},
                                                  {"output_row_query", "on"},
                                                  {"output_primary_keys", "on"},
                                                  {"output_primary_key_columns", "on"},
                                                  {"output_nulls", "off"},
                                                  {0}});
    struct rf_transaction *transaction = rf_test_messages_transaction(&bench.messages);
    transaction->has_thread = true;
    transaction->thread_id = 99;
    bench.origin.sql = RF_STR("INSERT \"x\"");
    rf_test_create(batch_of(&bench), bench.orders, "1|NULL");
    rf_test_create(batch_of(&bench), bench.orders, "1|b");
    rf_test_create(batch_of(&bench), bench.orders, "1|c");
    rf_test_commit(batch_of(&bench));
    struct rf_event *events = batch_of(&bench)->events;
#define HEAD                         \
    KEY ORDERS "\"query\":\"INSERT " \
               "\\\"x\\\"\",\"type\":\"insert\",\"ts\":1700000001,\"xid\":1432,"
#define TAIL                                                                 \
    ",\"position\":\"bin.000003:1637\",\"gtid\":\"0-7-42\",\"server_id\":7," \
    "\"thread_id\":99,\"primary_key\":[1],\"primary_key_columns\":[\"id\"],\"data\":"
    assert_string_equal(messages_of(&bench, &events[0]), HEAD "\"xoffset\":0" TAIL "{\"id\":1}}\n");
    assert_string_equal(messages_of(&bench, &events[1]),
                        HEAD "\"xoffset\":1" TAIL "{\"id\":1,\"name\":\"b\"}}\n");
    assert_string_equal(messages_of(&bench, &events[2]),
                        HEAD "\"commit\":true" TAIL "{\"id\":1,\"name\":\"c\"}}\n");
    bench_close(&bench);
}

static void test_without_commit_info_there_is_neither_xid_nor_offset(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, (struct rf_test_setting[]){
                           {"output_commit_info", "off"}, {"output_xoffset", "on"}, {0}});
    struct rf_event *event = rf_test_create(batch_of(&bench), bench.orders, "1|a");
    rf_test_commit(batch_of(&bench));
    assert_string_equal(messages_of(&bench, event),
                        KEY ORDERS "\"type\":\"insert\",\"ts\":1700000001,"
                                   "\"data\":{\"id\":1,\"name\":\"a\"}}\n");
    bench_close(&bench);
}

static void test_what_the_log_does_not_say_is_left_out(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, (struct rf_test_setting[]){{"output_gtid_position", "on"},
                                                  {"output_thread_id", "on"},
                                                  {"output_row_query", "on"},
                                                  {0}});
    struct rf_transaction *transaction = rf_test_messages_transaction(&bench.messages);
    transaction->has_xid = false;
    transaction->gtid = RF_STR_NONE;
    struct rf_event *event = rf_test_create(batch_of(&bench), bench.orders, "1|?");
    event->op = RF_READ;
    assert_string_equal(rf_test_messages_of(&bench.messages, event, NULL),
                        KEY ORDERS "\"type\":\"bootstrap-insert\",\"ts\":1700000042,"
                                   "\"data\":{\"id\":1}}\n");
    bench_close(&bench);
}

static void test_keys_are_hashes_or_arrays_with_names_in_small_letters(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL);
    struct rf_table *table = rf_test_table("shop", "t", "ID:int! Part:text! x:int");
    struct rf_table *keyless = rf_test_table("shop", "log", "x:int");
    struct rf_event *event = rf_test_create(batch_of(&bench), table, "1|a\"b|5");
    static const char hash[] =
        "{\"database\":\"shop\",\"table\":\"t\",\"pk.id\":1,\"pk.part\":\"a\\\"b\"} ";
    assert_int_equal(strncmp(messages_of(&bench, event), hash, sizeof hash - 1), 0);
    /* The event's own id stands for the random one of Maxwell's. */
    event = rf_test_create(batch_of(&bench), keyless, "5");
    event->ordinal = 3;
    event->row = 2;
    static const char none[] =
        "{\"database\":\"shop\",\"table\":\"log\",\"_uuid\":\"0-1-42:3:2\"} ";
    assert_int_equal(strncmp(messages_of(&bench, event), none, sizeof none - 1), 0);
    bench_close(&bench);
    bench_open(&bench, (struct rf_test_setting[]){{"kafka_key_format", "array"}, {0}});
    event = rf_test_create(batch_of(&bench), table, "1|a\"b|5");
    static const char array[] = "[\"shop\",\"t\",[{\"id\":1},{\"part\":\"a\\\"b\"}]] ";
    assert_int_equal(strncmp(messages_of(&bench, event), array, sizeof array - 1), 0);
    event = rf_test_create(batch_of(&bench), keyless, "5");
    static const char empty[] = "[\"shop\",\"log\",[]] ";
    assert_int_equal(strncmp(messages_of(&bench, event), empty, sizeof empty - 1), 0);
    bench_close(&bench);
    rf_table_release(table);
    rf_table_release(keyless);
}

/* The data of a row that has one column of this type and value. */
static const char *data_of(struct bench *bench, const char *column, const char *value)
{
    static char data[256];
    char described[64];
    snprintf(described, sizeof described, "c:%s", column);
    struct rf_table *table = rf_test_table("shop", "t", described);
    const char *text = messages_of(bench, rf_test_create(batch_of(bench), table, value));
    const char *at = strstr(text, "\"data\":{\"c\":");
    snprintf(data, sizeof data, "%s", at != NULL ? at + sizeof "\"data\":{\"c\":" - 1 : text);
    if (at != NULL) {
        data[strlen(data) - (sizeof "}}\n" - 1)] = '\0';
    }
    rf_table_release(table);
    return data;
}

static void test_values_look_as_maxwell_has_them(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL);
    assert_string_equal(data_of(&bench, "decimal", "-19.90"), "-19.90");
    assert_string_equal(data_of(&bench, "uint", "18446744073709551615"), "18446744073709551615");
    assert_string_equal(data_of(&bench, "set", "a,b"), "[\"a\",\"b\"]");
    assert_string_equal(data_of(&bench, "set", "a"), "[\"a\"]");
    assert_string_equal(data_of(&bench, "set", ""), "[]");
    assert_string_equal(data_of(&bench, "enum", "m"), "\"m\"");
    assert_string_equal(data_of(&bench, "json", "{\"a\":\n[1]}"), "{\"a\": [1]}");
    assert_string_equal(data_of(&bench, "bytes", "ab"), "\"YWI=\"");
    assert_string_equal(data_of(&bench, "geometry", "point"), "\"POINT (1 2)\"");
    assert_string_equal(data_of(&bench, "geometry", "none"), "REJECT");
    assert_string_equal(data_of(&bench, "double", "inf"), "REJECT");
    assert_string_equal(data_of(&bench, "date", "2024-02-29"), "\"2024-02-29\"");
    assert_string_equal(data_of(&bench, "date", "0000-00-00"), "\"0000-00-00\"");
    assert_string_equal(data_of(&bench, "datetime", "2024-02-29 12:00:00"),
                        "\"2024-02-29 12:00:00\"");
    assert_string_equal(data_of(&bench, "timestamp", "1709208000000000"),
                        "\"2024-02-29 12:00:00\"");
    bench_close(&bench);
}

static void test_zero_dates_are_null_on_demand(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, (struct rf_test_setting[]){{"output_null_zerodates", "on"}, {0}});
    assert_string_equal(data_of(&bench, "date", "0000-00-00"), "null");
    assert_string_equal(data_of(&bench, "datetime", "0000-00-00 00:00:00"), "null");
    assert_string_equal(data_of(&bench, "timestamp", "0"), "null");
    assert_string_equal(data_of(&bench, "date", "2024-00-00"), "\"2024-00-00\"");
    bench_close(&bench);
}

static void test_ddl_is_written_on_demand_and_truncates_always(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL);
    struct rf_event *event = rf_test_ddl(batch_of(&bench), "shop", "DROP TABLE orders");
    assert_string_equal(messages_of(&bench, event), "");
    event = rf_test_truncate(batch_of(&bench), "shop", "orders");
    assert_string_equal(messages_of(&bench, event),
                        "\"0-1-42\" {\"type\":\"table-truncate\",\"database\":\"shop\","
                        "\"table\":\"orders\",\"ts\":1700000001000,"
                        "\"sql\":\"TRUNCATE TABLE `orders`\"}\n");
    bench_close(&bench);
    bench_open(&bench, (struct rf_test_setting[]){{"output_ddl", "on"},
                                                  {"output_binlog_position", "on"},
                                                  {"output_gtid_position", "on"},
                                                  {0}});
    static const struct {
        const char *statement, *type;
    } cases[] = {
        {"CREATE TABLE x (a INT)", "table-create"},
        {"ALTER TABLE x ADD b INT", "table-alter"},
        {"RENAME TABLE x TO y", "table-alter"},
        {"DROP TABLE x", "table-drop"},
        {"CREATE INDEX i ON x (a)", "table-alter"},
        {"DROP INDEX i ON x", "table-alter"},
        {"CREATE DATABASE shop", "database-create"},
        {"ALTER DATABASE shop CHARSET utf8mb4", "database-alter"},
        {"DROP DATABASE shop", "database-drop"},
        {"CREATE VIEW v AS SELECT 1", "ddl"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[512];
        snprintf(expected, sizeof expected,
                 "\"0-1-42\" {\"type\":\"%s\",\"database\":\"shop\",\"ts\":1700000001000,"
                 "\"sql\":\"%s\",\"position\":\"bin.000003:1637\",\"gtid\":\"0-7-42\"}\n",
                 cases[i].type, cases[i].statement);
        event = rf_test_ddl(batch_of(&bench), "shop", cases[i].statement);
        assert_string_equal(messages_of(&bench, event), expected);
    }
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_have_what_an_update_changed_as_it_was),
        cmocka_unit_test(test_each_option_adds_its_member_in_maxwells_order),
        cmocka_unit_test(test_without_commit_info_there_is_neither_xid_nor_offset),
        cmocka_unit_test(test_what_the_log_does_not_say_is_left_out),
        cmocka_unit_test(test_keys_are_hashes_or_arrays_with_names_in_small_letters),
        cmocka_unit_test(test_values_look_as_maxwell_has_them),
        cmocka_unit_test(test_zero_dates_are_null_on_demand),
        cmocka_unit_test(test_ddl_is_written_on_demand_and_truncates_always),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
