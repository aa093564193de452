#include "lib/events.h"
#include "lib/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

extern const struct rf_format_type rf_format_flat;

struct bench {
    struct rf_test_messages messages;
    struct rf_table *orders;
};

static void bench_open(struct bench *bench, const struct rf_test_setting *settings)
{
    *bench = (struct bench){.orders = rf_test_table("shop", "orders", "id:int! name:text")};
    rf_test_messages_open(&bench->messages, &rf_format_flat, settings);
    rf_test_begin(&bench->messages.batch, 42);
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

static const char *messages_of(struct bench *bench, const struct rf_event *event)
{
    return rf_test_messages_of(&bench->messages, event, NULL);
}

#define BEHIND \
    ",\"__database\":\"shop\",\"__table\":\"orders\",\"__ts_ms\":1700000042000,\"__id\":\"0-1-42:"

static void test_columns_come_first_then_what_happened(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL);
    struct rf_event *event = rf_test_create(batch_of(&bench), bench.orders, "1|anna");
    event->row = 3;
    assert_string_equal(
        messages_of(&bench, event),
        "{\"id\":1} {\"id\":1,\"name\":\"anna\",\"__op\":\"c\",\"__deleted\":false" BEHIND
        "1:3\"}\n");
    event = rf_test_update(batch_of(&bench), bench.orders, "1|anna", "2|NULL");
    assert_string_equal(
        messages_of(&bench, event),
        "{\"id\":2} {\"id\":2,\"name\":null,\"__op\":\"u\",\"__deleted\":false" BEHIND "2:0\"}\n");
    event = rf_test_delete(batch_of(&bench), bench.orders, "2|bob");
    assert_string_equal(
        messages_of(&bench, event),
        "{\"id\":2} {\"id\":2,\"name\":\"bob\",\"__op\":\"d\",\"__deleted\":true" BEHIND
        "3:0\"}\n");
    event = rf_test_create(batch_of(&bench), bench.orders, "4|?");
    event->op = RF_READ;
    assert_string_equal(messages_of(&bench, event),
                        "{\"id\":4} {\"id\":4,\"__op\":\"r\",\"__deleted\":false" BEHIND
                        "4:0\"}\n");
    bench_close(&bench);
}

static void test_a_row_without_any_column_begins_with_its_op(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL);
    struct rf_event *event = rf_test_delete(batch_of(&bench), bench.orders, "?|?");
    assert_string_equal(messages_of(&bench, event),
                        "{} {\"__op\":\"d\",\"__deleted\":true" BEHIND "1:0\"}\n");
    bench_close(&bench);
}

static void test_old_has_what_an_update_changed(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, (struct rf_test_setting[]){{"old", "on"}, {0}});
    struct rf_event *event = rf_test_update(batch_of(&bench), bench.orders, "1|a", "1|b");
    assert_string_equal(messages_of(&bench, event),
                        "{\"id\":1} {\"id\":1,\"name\":\"b\",\"__old\":{\"name\":\"a\"},"
                        "\"__op\":\"u\",\"__deleted\":false" BEHIND "1:0\"}\n");
    event = rf_test_update(batch_of(&bench), bench.orders, "1|b", "1|b");
    assert_string_equal(messages_of(&bench, event),
                        "{\"id\":1} {\"id\":1,\"name\":\"b\",\"__old\":{},"
                        "\"__op\":\"u\",\"__deleted\":false" BEHIND "2:0\"}\n");
    event = rf_test_create(batch_of(&bench), bench.orders, "1|b");
    assert_null(strstr(messages_of(&bench, event), "__old"));
    bench_close(&bench);
}

static void test_statements_have_no_columns(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL);
    struct rf_event *event = rf_test_truncate(batch_of(&bench), "shop", "orders");
    assert_string_equal(messages_of(&bench, event),
                        " {\"__op\":\"t\",\"__database\":\"shop\",\"__table\":\"orders\","
                        "\"__statement\":\"TRUNCATE TABLE `orders`\",\"__ts_ms\":1700000042000,"
                        "\"__id\":\"0-1-42:1:0\"}\n");
    event = rf_test_ddl(batch_of(&bench), "", "CREATE DATABASE \"x\"");
    assert_string_equal(messages_of(&bench, event),
                        " {\"__op\":\"ddl\",\"__database\":\"\","
                        "\"__statement\":\"CREATE DATABASE \\\"x\\\"\","
                        "\"__ts_ms\":1700000042000,\"__id\":\"0-1-42:2:0\"}\n");
    bench_close(&bench);
}

static void test_a_column_called_like_a_member_needs_another_prefix(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, NULL);
    struct rf_table *table = rf_test_table("shop", "t", "id:int! __op:text");
    struct rf_event *event = rf_test_create(batch_of(&bench), table, "1|x");
    struct rf_error err = {0};
    assert_string_equal(rf_test_messages_of(&bench.messages, event, &err), "REJECT");
    assert_string_equal(err.message, "column __op of table shop.t is called as a member that the "
                                     "format flat adds itself");
    assert_string_equal(err.hint, "choose another prefix than \"__\" for those: prefix=...");
    bench_close(&bench);
    bench_open(&bench, (struct rf_test_setting[]){{"prefix", "\"rf."}, {0}});
    event = rf_test_create(batch_of(&bench), table, "1|x");
    assert_string_equal(messages_of(&bench, event),
                        "{\"id\":1} {\"id\":1,\"__op\":\"x\",\"\\\"rf.op\":\"c\","
                        "\"\\\"rf.deleted\":false,\"\\\"rf.database\":\"shop\","
                        "\"\\\"rf.table\":\"t\",\"\\\"rf.ts_ms\":1700000042000,"
                        "\"\\\"rf.id\":\"0-1-42:1:0\"}\n");
    bench_close(&bench);
    rf_table_release(table);
}

static void test_numbers_that_are_not_finite_are_refused(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, (struct rf_test_setting[]){{"old", "on"}, {0}});
    struct rf_table *table = rf_test_table("shop", "t", "id:double!");
    struct rf_event *event = rf_test_create(batch_of(&bench), table, "nan");
    assert_string_equal(messages_of(&bench, event), "REJECT");
    event = rf_test_update(batch_of(&bench), table, "inf", "1");
    assert_string_equal(messages_of(&bench, event), "REJECT");
    bench_close(&bench);
    rf_table_release(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_come_first_then_what_happened),
        cmocka_unit_test(test_a_row_without_any_column_begins_with_its_op),
        cmocka_unit_test(test_old_has_what_an_update_changed),
        cmocka_unit_test(test_statements_have_no_columns),
        cmocka_unit_test(test_a_column_called_like_a_member_needs_another_prefix),
        cmocka_unit_test(test_numbers_that_are_not_finite_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
