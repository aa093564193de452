#include "format/debezium_counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct rf_str numbered(char text[16], unsigned number)
{
    return (struct rf_str){text, (size_t)snprintf(text, 16, "shop.t%u", number)};
}

static void test_events_are_counted_by_table_in_the_order_of_the_first(void **state)
{
    (void)state;
    struct rf_debezium_counts counts = {0};
    char text[16];
    enum { TABLES = 1000 };
    for (unsigned round = 1; round <= 3; round++) {
        for (unsigned i = 0; i < TABLES; i++) {
            const struct rf_debezium_count *count =
                rf_debezium_counts_add(&counts, numbered(text, i));
            assert_int_equal(count->events, round);
            assert_int_equal(counts.total, (round - 1) * TABLES + i + 1);
        }
    }
    assert_int_equal(counts.count, TABLES);
    for (unsigned i = 0; i < TABLES; i++) {
        assert_true(
            rf_str_equal(rf_debezium_count_name(&counts, &counts.items[i]), numbered(text, i)));
    }
    rf_debezium_counts_deinit(&counts);
}

static void test_reset_forgets_all_tables(void **state)
{
    (void)state;
    struct rf_debezium_counts counts = {0};
    char text[16];
    for (unsigned i = 0; i < 40; i++) {
        rf_debezium_counts_add(&counts, numbered(text, i));
    }
    rf_debezium_counts_reset(&counts);
    assert_int_equal(counts.total, 0);
    assert_int_equal(counts.count, 0);
    assert_int_equal(rf_debezium_counts_add(&counts, numbered(text, 39))->events, 1);
    assert_int_equal(counts.count, 1);
    rf_debezium_counts_deinit(&counts);
}

static void test_an_event_can_be_taken_back(void **state)
{
    (void)state;
    struct rf_debezium_counts counts = {0};
    rf_debezium_counts_add(&counts, RF_STR("a"));
    rf_debezium_counts_add(&counts, RF_STR("b"));
    rf_debezium_counts_add(&counts, RF_STR("b"));
    rf_debezium_counts_take_back(&counts, RF_STR("b"));
    rf_debezium_counts_take_back(&counts, RF_STR("a"));
    assert_int_equal(counts.total, 1);
    assert_int_equal(counts.items[0].events, 0);
    assert_int_equal(counts.items[1].events, 1);
    assert_int_equal(rf_debezium_counts_add(&counts, RF_STR("a"))->events, 1);
    assert_int_equal(counts.count, 2);
    rf_debezium_counts_deinit(&counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_are_counted_by_table_in_the_order_of_the_first),
        cmocka_unit_test(test_reset_forgets_all_tables),
        cmocka_unit_test(test_an_event_can_be_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
