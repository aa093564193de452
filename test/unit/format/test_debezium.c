#include "lib/events.h"
#include "lib/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

extern const struct rf_format_type rf_format_debezium;

/* The format with two tables, in a transaction of MariaDB that happened at server 7. */
struct bench {
    struct rf_test_messages messages;
    struct rf_table *orders, *log;
    struct rf_origin origin;
};

static void bench_open(struct bench *bench, const struct rf_test_setting *settings)
{
    struct rf_test_setting all[8] = {{"clock", "commit"}};
    for (size_t i = 0; settings != NULL && settings[i].name != NULL; i++) {
        all[i + 1] = settings[i];
    }
    *bench = (struct bench){
        .orders = rf_test_table("shop", "orders", "id:int! name:text"),
        .log = rf_test_table("shop", "log", "line:text"),
        .origin = {.time_us = INT64_C(1700000001) * 1000000, .offset = 1637, .server_id = 9},
    };
    rf_test_messages_open(&bench->messages, &rf_format_debezium, all);
    rf_test_begin(&bench->messages.batch, 42);
    struct rf_transaction *transaction = rf_test_messages_transaction(&bench->messages);
    transaction->server = RF_SERVER_MARIADB;
    transaction->server_id = 7;
    transaction->gtid = RF_STR("0-7-42");
    transaction->file = RF_STR("bin.000003");
}

static void bench_close(struct bench *bench)
{
    rf_test_messages_close(&bench->messages);
    rf_table_release(bench->orders);
    rf_table_release(bench->log);
}

static struct rf_batch *batch_of(struct bench *bench)
{
    return &bench->messages.batch;
}

/* Of an event of log event 1637: what is the same in all tests is left out of the expected text. */
static const char *messages_of(struct bench *bench, struct rf_event *event)
{
    event->origin = &bench->origin;
    return rf_test_messages_of(&bench->messages, event, NULL);
}

#define SOURCE(table, row, behind)                                                             \
    "\"source\":{\"version\":\"" ROWFERRY_VERSION                                              \
    "\",\"connector\":\"mariadb\",\"name\":\"rowferry\",\"ts_ms\":1700000001000,\"snapshot\":" \
    "\"false\",\"db\":\"shop\",\"sequence\":null,\"ts_us\":1700000001000000,"                  \
    "\"ts_ns\":1700000001000000000,\"table\":\"" table                                         \
    "\",\"server_id\":7,\"gtid\":\"0-7-42\",\"file\":\"bin.000003\",\"pos\":1637,\"row\":" row \
    "," behind "}"
#define PLAIN  "\"thread\":null,\"query\":null"
#define TIMES  ",\"ts_ms\":1700000042000,\"ts_us\":1700000042000000,\"ts_ns\":1700000042000000000}"
#define BEHIND ",\"transaction\":null,\"op\":"

static void test_rows_are_envelopes_in_debeziums_order(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL);
    struct rf_event *event = rf_test_create(batch_of(&bench), bench.orders, "1|anna");
    event->row = 12345;
    assert_string_equal(
        messages_of(&bench, event),
        "{\"id\":1} {\"before\":null,\"after\":{\"id\":1,\"name\":\"anna\"}," SOURCE(
            "orders", "12345", PLAIN) BEHIND "\"c\"" TIMES "\n");
    event = rf_test_update(batch_of(&bench), bench.orders, "1|anna", "1|NULL");
    assert_string_equal(messages_of(&bench, event),
                        "{\"id\":1} {\"before\":{\"id\":1,\"name\":\"anna\"},"
                        "\"after\":{\"id\":1,\"name\":null}," SOURCE("orders", "0", PLAIN) BEHIND
                        "\"u\"" TIMES "\n");
    event = rf_test_create(batch_of(&bench), bench.log, "a \"b\"");
    assert_string_equal(messages_of(&bench, event),
                        " {\"before\":null,\"after\":{\"line\":\"a \\\"b\\\"\"}," SOURCE(
                            "log", "0", PLAIN) BEHIND "\"c\"" TIMES "\n");
    bench_close(&bench);
}

static void test_a_deletion_is_followed_by_a_tombstone_where_there_is_a_key(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL);
    struct rf_event *event = rf_test_delete(batch_of(&bench), bench.orders, "1|anna");
    static const char deletion[] =
        "{\"before\":{\"id\":1,\"name\":\"anna\"},\"after\":null," SOURCE("orders", "0", PLAIN)
            BEHIND "\"d\"" TIMES "\n";
    char expected[1024];
    snprintf(expected, sizeof expected, "{\"id\":1} %s{\"id\":1} TOMBSTONE\n", deletion);
    assert_string_equal(messages_of(&bench, event), expected);
    bench.messages.keyless = true;
    snprintf(expected, sizeof expected, " %s", deletion);
    assert_string_equal(messages_of(&bench, event), expected);
    bench.messages.keyless = false;
    event = rf_test_delete(batch_of(&bench), bench.log, "a");
    assert_string_equal(messages_of(&bench, event),
                        " {\"before\":{\"line\":\"a\"},\"after\":null," SOURCE("log", "0", PLAIN)
                            BEHIND "\"d\"" TIMES "\n");
    bench_close(&bench);
    bench_open(&bench, (struct rf_test_setting[]){{"tombstones", "off"}, {0}});
    event = rf_test_delete(batch_of(&bench), bench.orders, "1|anna");
    snprintf(expected, sizeof expected, "{\"id\":1} %s", deletion);
    assert_string_equal(messages_of(&bench, event), expected);
    bench_close(&bench);
}

static void test_a_changed_key_is_a_deletion_and_a_creation(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL);
    struct rf_event *event = rf_test_update(batch_of(&bench), bench.orders, "1|anna", "2|bob");
    assert_string_equal(
        messages_of(&bench, event),
        "{\"id\":1} {\"before\":{\"id\":1,\"name\":\"anna\"},\"after\":null," SOURCE("orders", "0",
                                                                                     PLAIN) BEHIND
        "\"d\"" TIMES "\n"
        "{\"id\":1} TOMBSTONE\n"
        "{\"id\":2} {\"before\":null,\"after\":{\"id\":2,\"name\":\"bob\"}," SOURCE(
            "orders", "0", PLAIN) BEHIND "\"c\"" TIMES "\n");
    bench_close(&bench);
}

static void test_mysql_has_its_own_name_and_the_time_of_its_commit(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL);
    struct rf_transaction *transaction = rf_test_messages_transaction(&bench.messages);
    transaction->server = RF_SERVER_MYSQL;
    transaction->commit_us = 1700000042123456;
    transaction->has_thread = true;
    transaction->thread_id = 4294967295;
    transaction->gtid = RF_STR_NONE;
    bench.origin.sql = RF_STR("INSERT INTO orders\nVALUES (1)");
    struct rf_event *event = rf_test_create(batch_of(&bench), bench.log, "a");
    assert_string_equal(
        messages_of(&bench, event),
        " {\"before\":null,\"after\":{\"line\":\"a\"},\"source\":{\"version\":\"" ROWFERRY_VERSION
        "\",\"connector\":\"mysql\",\"name\":\"rowferry\",\"ts_ms\":1700000042123,\"snapshot\":"
        "\"false\",\"db\":\"shop\",\"sequence\":null,\"ts_us\":1700000042123456,"
        "\"ts_ns\":1700000042123456000,\"table\":\"log\",\"server_id\":7,\"gtid\":null,"
        "\"file\":\"bin.000003\",\"pos\":1637,\"row\":0,\"thread\":4294967295,"
        "\"query\":\"INSERT INTO orders\\nVALUES (1)\"},\"transaction\":null,\"op\":\"c\","
        "\"ts_ms\":1700000042123,\"ts_us\":1700000042123456,\"ts_ns\":1700000042123456000}\n");
    bench_close(&bench);
}

static void test_rows_of_a_snapshot_are_r_and_need_no_log(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, (struct rf_test_setting[]){{"topic_prefix", "a\"b"}, {0}});
    struct rf_transaction *transaction = rf_test_messages_transaction(&bench.messages);
    transaction->commit_us = 0;
    struct rf_event *event = rf_test_create(batch_of(&bench), bench.log, "a");
    event->op = RF_READ;
    assert_string_equal(
        rf_test_messages_of(&bench.messages, event, NULL),
        " {\"before\":null,\"after\":{\"line\":\"a\"},\"source\":{\"version\":\"" ROWFERRY_VERSION
        "\",\"connector\":\"mariadb\",\"name\":\"a\\\"b\",\"ts_ms\":0,\"snapshot\":\"true\","
        "\"db\":\"shop\",\"sequence\":null,\"ts_us\":0,\"ts_ns\":0,\"table\":\"log\","
        "\"server_id\":7,\"gtid\":\"0-7-42\",\"file\":\"bin.000003\",\"pos\":0,\"row\":0,"
        "\"thread\":null,\"query\":null},\"transaction\":null,\"op\":\"r\",\"ts_ms\":0,"
        "\"ts_us\":0,\"ts_ns\":0}\n");
    bench_close(&bench);
}

static void test_what_rows_have_in_common_is_made_anew_when_it_changes(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL);
    struct rf_event *event = rf_test_create(batch_of(&bench), bench.log, "a");
    char first[1024];
    snprintf(first, sizeof first, "%s", messages_of(&bench, event));
    /* Another log event at the same address, as memory of batches is used again. */
    bench.origin.offset = 9999;
    event->ordinal++;
    const char *second = messages_of(&bench, event);
    assert_non_null(strstr(first, "\"pos\":1637,"));
    assert_non_null(strstr(second, "\"pos\":9999,"));
    /* The same number of a log event in the next transaction. */
    rf_test_commit(batch_of(&bench));
    rf_test_begin(batch_of(&bench), 43);
    rf_test_messages_transaction(&bench.messages)->server = RF_SERVER_MARIADB;
    bench.origin.offset = 77;
    uint32_t ordinal = event->ordinal;
    event = rf_test_create(batch_of(&bench), bench.log, "a");
    event->ordinal = ordinal;
    const char *third = messages_of(&bench, event);
    assert_non_null(strstr(third, "\"gtid\":null,"));
    assert_non_null(strstr(third, "\"pos\":77,"));
    bench_close(&bench);
}

static void test_truncates_are_t(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL);
    struct rf_transaction *transaction = rf_test_messages_transaction(&bench.messages);
    transaction->has_thread = true; /* which Debezium does not give for statements */
    struct rf_event *event = rf_test_truncate(batch_of(&bench), "shop", "orders");
    assert_string_equal(messages_of(&bench, event),
                        " {\"before\":null,\"after\":null," SOURCE("orders", "0", PLAIN) BEHIND
                        "\"t\"" TIMES "\n");
    bench_close(&bench);
}

static void test_ddl_is_a_schema_change_whose_key_is_the_database(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL);
    struct rf_event *event = rf_test_ddl(batch_of(&bench), "shop", "ALTER TABLE orders ADD x INT");
    event->object = RF_STR("orders");
    assert_string_equal(
        messages_of(&bench, event),
        "{\"databaseName\":\"shop\"} {" SOURCE(
            "orders", "0",
            PLAIN) ",\"ts_ms\":1700000042000,"
                   "\"databaseName\":\"shop\",\"schemaName\":null,"
                   "\"ddl\":\"ALTER TABLE orders ADD x INT\",\"tableChanges\":[]}\n");
    event = rf_test_ddl(batch_of(&bench), "", "CREATE DATABASE IF NOT EXISTS `new`");
    const char *text = messages_of(&bench, event);
    assert_int_equal(strncmp(text, "{\"databaseName\":\"new\"} {\"source\":", 33), 0);
    assert_non_null(strstr(text, "\"db\":\"new\",\"sequence\":null,"));
    assert_non_null(strstr(text, "\"table\":null,"));
    bench_close(&bench);
    bench_open(&bench, (struct rf_test_setting[]){{"include_schema_changes", "off"}, {0}});
    event = rf_test_ddl(batch_of(&bench), "shop", "ALTER TABLE orders ADD x INT");
    assert_string_equal(messages_of(&bench, event), "");
    bench_close(&bench);
}

static const struct rf_test_setting borders[] = {{"provide_transaction_metadata", "on"}, {0}};

static void test_transactions_have_both_ends_and_count_their_events(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, borders);
    struct rf_event *event = rf_test_create(batch_of(&bench), bench.log, "a");
    static const char begin[] = "{\"id\":\"0-1-42\"} {\"status\":\"BEGIN\",\"id\":\"0-1-42\","
                                "\"event_count\":null,\"data_collections\":null,"
                                "\"ts_ms\":1700000001000}\n ";
    const char *text = messages_of(&bench, event);
    assert_int_equal(strncmp(text, begin, sizeof begin - 1), 0);
    assert_non_null(strstr(text, "\"transaction\":{\"id\":\"0-1-42\",\"total_order\":1,"
                                 "\"data_collection_order\":1},\"op\":\"c\""));
    /* A changed key is two events. */
    event = rf_test_update(batch_of(&bench), bench.orders, "1|a", "2|a");
    text = messages_of(&bench, event);
    assert_null(strstr(text, "BEGIN"));
    assert_non_null(strstr(text, "\"total_order\":2,\"data_collection_order\":1},\"op\":\"d\""));
    assert_non_null(strstr(text, "\"total_order\":3,\"data_collection_order\":2},\"op\":\"c\""));
    event = rf_test_truncate(batch_of(&bench), "shop", "log");
    text = messages_of(&bench, event);
    assert_non_null(strstr(text, "\"total_order\":4,\"data_collection_order\":2},\"op\":\"t\""));
    rf_test_commit(batch_of(&bench));
    assert_string_equal(rf_test_messages_end(&bench.messages),
                        "{\"id\":\"0-1-42\"} {\"status\":\"END\",\"id\":\"0-1-42\","
                        "\"event_count\":4,\"data_collections\":[{\"data_collection\":\"shop.log\","
                        "\"event_count\":2},{\"data_collection\":\"shop.orders\","
                        "\"event_count\":2}],\"ts_ms\":1700000042000}\n");
    bench_close(&bench);
}

static void test_a_transaction_without_rows_has_no_ends(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, borders);
    const char *text = messages_of(&bench, rf_test_ddl(batch_of(&bench), "shop", "DROP TABLE x"));
    assert_null(strstr(text, "BEGIN"));
    rf_test_commit(batch_of(&bench));
    assert_string_equal(rf_test_messages_end(&bench.messages), "");
    bench_close(&bench);
    bench_open(&bench, NULL);
    assert_non_null(messages_of(&bench, rf_test_create(batch_of(&bench), bench.log, "a")));
    rf_test_commit(batch_of(&bench));
    assert_string_equal(rf_test_messages_end(&bench.messages), "");
    bench_close(&bench);
}

static void test_a_refused_event_leaves_no_trace_in_the_counts(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, borders);
    struct rf_table *table = rf_test_table("shop", "days", "id:int! day:date");
    struct rf_batch *batch = batch_of(&bench);
    assert_string_equal(messages_of(&bench, rf_test_create(batch, table, "1|0000-00-00")),
                        "REJECT");
    assert_non_null(strstr(messages_of(&bench, rf_test_create(batch, bench.log, "a")), "BEGIN"));
    /* The deletion can be said, the creation cannot. */
    struct rf_event *event = rf_test_update(batch, table, "1|2024-02-29", "2|2024-02-00");
    assert_string_equal(messages_of(&bench, event), "REJECT");
    const char *text = messages_of(&bench, rf_test_create(batch, bench.log, "b"));
    assert_null(strstr(text, "BEGIN"));
    assert_non_null(strstr(text, "\"total_order\":2,\"data_collection_order\":2}"));
    rf_test_commit(batch);
    assert_non_null(strstr(rf_test_messages_end(&bench.messages),
                           "\"event_count\":2,\"data_collections\":[{\"data_collection\":"
                           "\"shop.log\",\"event_count\":2}]"));
    bench_close(&bench);
    rf_table_release(table);
}

static void test_refusals_name_the_column_and_the_way_out(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL);
    struct rf_table *table = rf_test_table("shop", "days", "id:int! day:date");
    struct rf_event *event = rf_test_create(batch_of(&bench), table, "1|0000-00-00");
    struct rf_error err = {0};
    assert_string_equal(rf_test_messages_of(&bench.messages, event, &err), "REJECT");
    assert_string_equal(err.message,
                        "column day of table shop.days has a value for which the format debezium "
                        "has none: a zero date, or a time that does not fit its "
                        "time_precision_mode");
    assert_non_null(strstr(err.hint, "unfit_values=null"));
    bench_close(&bench);
    rf_table_release(table);
}

static void test_an_empty_prefix_is_refused(void **state)
{
    (void)state;
    void *debezium = calloc(1, rf_format_debezium.state_size);
    struct rf_error err = {0};
    rf_test_fallbacks(rf_format_debezium.options, debezium);
    rf_test_set(rf_format_debezium.options, debezium, "topic_prefix", "");
    assert_int_equal(rf_format_debezium.open(debezium, &err), RF_CONFIG);
    assert_string_equal(err.message, "topic_prefix is empty: it is what messages are named by");
    rf_format_debezium.close(debezium);
    free(debezium);
}

#define FIELD(type, optional, name) \
    "{\"type\":\"" type "\",\"optional\":" optional ",\"field\":\"" name "\"}"

static void test_schemas_stand_in_front_of_keys_and_payloads(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, (struct rf_test_setting[]){{"schemas", "on"}, {0}});
    struct rf_event *event = rf_test_delete(batch_of(&bench), bench.orders, "1|anna");
    const char *text = messages_of(&bench, event);
    static const char key[] = "{\"schema\":{\"type\":\"struct\",\"fields\":[" FIELD(
        "int32", "false",
        "id") "],\"optional\":false,\"name\":\"rowferry.shop.orders.Key\"},\"payload\":{\"id\":1}}";
    static const char head[] =
        " {\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"struct\",\"fields\":[" FIELD(
            "int32", "false", "id") "," FIELD("string", "true",
                                              "name") "],\"optional\":true,\"name\":\"rowferry."
                                                      "shop.orders.Value\",\"field\":\"before\"},";
    assert_int_equal(strncmp(text, key, sizeof key - 1), 0);
    assert_int_equal(strncmp(text + sizeof key - 1, head, sizeof head - 1), 0);
    assert_non_null(strstr(text, "\"optional\":false,\"name\":\"rowferry.shop.orders.Envelope\","
                                 "\"version\":2},\"payload\":{\"before\":{\"id\":1,"));
    assert_non_null(strstr(text, "000}}\n{\"schema\":"));
    assert_non_null(strstr(text, "\"payload\":{\"id\":1}} TOMBSTONE\n"));
    bench_close(&bench);
}

static void test_schemas_of_statements_and_borders_have_debeziums_names(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, (struct rf_test_setting[]){
                           {"schemas", "on"}, {"provide_transaction_metadata", "on"}, {0}});
    struct rf_batch *batch = batch_of(&bench);
    const char *text = messages_of(&bench, rf_test_truncate(batch, "shop", "orders"));
    assert_non_null(strstr(text, "io.debezium.connector.common.TransactionMetadataKey"));
    assert_non_null(strstr(text, "io.debezium.connector.common.TransactionMetadataValue"));
    assert_non_null(strstr(text, "rowferry.shop.orders.Envelope"));
    text = messages_of(&bench, rf_test_ddl(batch, "shop", "DROP TABLE x"));
    assert_non_null(strstr(text, "io.debezium.connector.mariadb.SchemaChangeKey"));
    assert_non_null(strstr(text, "io.debezium.connector.mariadb.SchemaChangeValue"));
    assert_non_null(strstr(text, "io.debezium.connector.mariadb.Source"));
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_envelopes_in_debeziums_order),
        cmocka_unit_test(test_a_deletion_is_followed_by_a_tombstone_where_there_is_a_key),
        cmocka_unit_test(test_a_changed_key_is_a_deletion_and_a_creation),
        cmocka_unit_test(test_mysql_has_its_own_name_and_the_time_of_its_commit),
        cmocka_unit_test(test_rows_of_a_snapshot_are_r_and_need_no_log),
        cmocka_unit_test(test_what_rows_have_in_common_is_made_anew_when_it_changes),
        cmocka_unit_test(test_truncates_are_t),
        cmocka_unit_test(test_ddl_is_a_schema_change_whose_key_is_the_database),
        cmocka_unit_test(test_transactions_have_both_ends_and_count_their_events),
        cmocka_unit_test(test_a_transaction_without_rows_has_no_ends),
        cmocka_unit_test(test_a_refused_event_leaves_no_trace_in_the_counts),
        cmocka_unit_test(test_refusals_name_the_column_and_the_way_out),
        cmocka_unit_test(test_an_empty_prefix_is_refused),
        cmocka_unit_test(test_schemas_stand_in_front_of_keys_and_payloads),
        cmocka_unit_test(test_schemas_of_statements_and_borders_have_debeziums_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
