#include "source/changes.h"

#include "lib/log_writer.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_statements_that_name_a_table_concern_it(void **state)
{
    static const struct {
        const char *database, *statement;
        bool concerns; /* shop.items */
    } cases[] = {
        {"shop", "ALTER TABLE items ADD a INT", true},
        {"SHOP", "alter table ITEMS add a int", true},
        {"shop", "ALTER TABLE `items` ADD a INT", true},
        {"", "ALTER TABLE shop.items ADD a INT", true},
        {"other", "ALTER TABLE `shop`.`items` ADD a INT", true},
        {"other", "RENAME TABLE a TO b, b TO shop.items", true},
        {"shop", "/* x */ DROP TABLE items", true}, /* nobody looks behind comments */
        {"shop", "", true},
        {"shop", "DROP TABLE items", false},
        {"shop", "TRUNCATE items", false},
        {"shop", "OPTIMIZE TABLE items", false},
        {"shop", "DROPS items", true},
        {"other", "ALTER TABLE items ADD a INT", false},
        {"shop", "ALTER TABLE items2 ADD a INT", false},
        {"shop", "ALTER TABLE my_items ADD a INT", false},
        {"shop", "ALTER TABLE item ADD a INT", false},
        {"shop2", "ALTER TABLE items ADD a INT", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool concerns =
            rf_change_concerns(rf_str_of(cases[i].database), rf_str_of(cases[i].statement),
                               RF_STR("shop"), RF_STR("items"), false);
        if (concerns != cases[i].concerns) {
            fail_msg("%s: %s", cases[i].database, cases[i].statement);
        }
    }
    /* How such names stand in a statement is not worth following. */
    assert_true(rf_change_concerns(RF_STR("x"), RF_STR("ALTER TABLE y"), RF_STR("shop"),
                                   RF_STR("it`ems"), false));
    assert_true(rf_change_concerns(RF_STR("x"), RF_STR("ALTER TABLE y"), RF_STR("sh\xc3\xb6p"),
                                   RF_STR("items"), false));
}

static void test_only_some_statements_give_a_column_another_type(void **state)
{
    static const struct {
        const char *statement;
        bool concerns;
    } cases[] = {
        {"ALTER TABLE items ADD a INT", false},
        {" alter table items add index (a)", false},
        {"ALTER TABLE items ADD a INT, ALGORITHM=INSTANT", false},
        {"ALTER TABLE items MODIFY a UUID", true},
        {"ALTER TABLE items CHANGE a b INT", true},
        {"ALTER TABLE items DROP a, ADD a UUID", true},
        {"ALTER TABLE items RENAME COLUMN a TO b", true},
        {"ALTER TABLE items EXCHANGE PARTITION p WITH TABLE x", true},
        {"ALTER TABLE items /*!50000 MODIFY a UUID */", true},
        {"RENAME TABLE items TO x, y TO items", true},
        {"CREATE TABLE items LIKE x", true},
        {"CREATE OR REPLACE TABLE items (a UUID)", true},
        {"DROP TABLE items", false},
        {"", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool concerns = rf_change_concerns(RF_STR("shop"), rf_str_of(cases[i].statement),
                                           RF_STR("shop"), RF_STR("items"), true);
        if (concerns != cases[i].concerns) {
            fail_msg("%s", cases[i].statement);
        }
    }
}

static void test_places_are_compared_by_file_number_and_offset(void **state)
{
    static const struct {
        const char *a, *b;
        uint64_t a_offset, b_offset;
        int result;
    } cases[] = {
        {"bin.000001", "bin.000001", 4, 4, 0},
        {"bin.000001", "bin.000001", 4, 5, -1},
        {"bin.000002", "bin.000001", 4, 5, 1},
        {"bin.999999", "bin.1000000", 9, 4, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_log_place a = {0}, b = {0};
        rf_log_place_set(&a, rf_str_of(cases[i].a), cases[i].a_offset);
        rf_log_place_set(&b, rf_str_of(cases[i].b), cases[i].b_offset);
        assert_int_equal(rf_log_place_compare(&a, &b), cases[i].result);
        assert_int_equal(rf_log_place_compare(&b, &a), -cases[i].result);
        rf_log_place_deinit(&a);
        rf_log_place_deinit(&b);
    }
}

static void take_all(struct rf_changes *changes, struct rf_test_log *log)
{
    struct rf_str event;
    size_t at = 0;
    while (rf_test_log_next(log, &at, &event)) {
        assert_int_equal(rf_changes_take(changes, event, 0, NULL), RF_OK);
    }
    rf_test_log_deinit(log);
}

static void test_changes_are_found_behind_a_place_and_over_files(void **state)
{
    struct rf_test_log log = {0};
    struct rf_changes changes = {0};
    struct rf_log_place after = {0};
    (void)state;
    rf_changes_begin(&changes, RF_STR("bin.000001"), 4);
    rf_test_log_begin(&log, "");
    rf_test_log_row(&log, 1, "shop", "items", 1);
    rf_test_log_gtid(&log, 0, 2, 0x01);
    size_t first = log.log.size;
    rf_test_log_query(&log, "shop", "ALTER TABLE items ADD a INT");
    rf_test_log_gtid(&log, 0, 3, 0x01);
    rf_test_log_query(&log, "shop", "TRUNCATE items");
    rf_test_log_rotate(&log, "bin.000002");
    take_all(&changes, &log);
    assert_true(rf_str_equal(rf_buf_str(&changes.to.file), RF_STR("bin.000002")));
    assert_int_equal(changes.to.offset, 4);
    rf_test_log_begin(&log, "0-1-3");
    rf_test_log_gtid(&log, 0, 4, 0x01);
    size_t second = log.log.size;
    rf_test_log_query(&log, "", "RENAME TABLE shop.items TO shop.x");
    size_t end = log.log.size;
    take_all(&changes, &log);
    assert_int_equal(changes.to.offset, end);

    rf_log_place_set(&after, RF_STR("bin.000001"), 4);
    const struct rf_change *change =
        rf_changes_find(&changes, &after, RF_STR("shop"), RF_STR("items"), false);
    assert_int_equal(change->place.offset, first);
    rf_log_place_set(&after, RF_STR("bin.000001"), first + 1);
    change = rf_changes_find(&changes, &after, RF_STR("shop"), RF_STR("items"), false);
    assert_true(rf_str_equal(rf_buf_str(&change->place.file), RF_STR("bin.000002")));
    assert_int_equal(change->place.offset, second);
    assert_null(rf_changes_find(&changes, &after, RF_STR("shop"), RF_STR("others"), false));
    rf_log_place_set(&after, RF_STR("bin.000002"), second + 1);
    assert_null(rf_changes_find(&changes, &after, RF_STR("shop"), RF_STR("items"), false));
    rf_log_place_deinit(&after);
    rf_changes_deinit(&changes);
}

static void test_more_statements_than_are_kept_concern_everything(void **state)
{
    struct rf_changes changes = {0};
    struct rf_test_log log = {0};
    struct rf_log_place after = {0};
    struct rf_buf statement = {0};
    struct rf_str event;
    size_t at = 0;
    (void)state;
    rf_buf_add_str(&statement, RF_STR("ALTER TABLE shop.a COMMENT '"));
    for (int i = 0; i < 60000; i++) {
        rf_buf_add_byte(&statement, 'x');
    }
    rf_test_log_begin(&log, "");
    rf_test_log_query(&log, "", rf_buf_cstr(&statement));
    assert_true(rf_test_log_next(&log, &at, &event));
    rf_changes_begin(&changes, RF_STR("bin.000001"), 4);
    assert_int_equal(rf_changes_take(&changes, event, 0, NULL), RF_OK);
    for (uint64_t i = 0; i < 400; i++) {
        struct rf_str last = rf_test_log_last(&log);
        assert_int_equal(rf_changes_take(&changes, last, (i + 2) * 100000, NULL), RF_OK);
    }
    assert_true(changes.too_many && changes.count < 400);
    rf_log_place_set(&after, RF_STR("bin.000001"), 4);
    assert_non_null(rf_changes_find(&changes, &after, RF_STR("other"), RF_STR("b"), false));
    /* Up to the last one that was seen, of which nothing is kept. */
    rf_log_place_set(&after, RF_STR("bin.000001"), changes.to.offset - rf_test_log_last(&log).size);
    assert_non_null(rf_changes_find(&changes, &after, RF_STR("other"), RF_STR("b"), false));
    rf_log_place_set(&after, RF_STR("bin.000001"), changes.to.offset);
    assert_null(rf_changes_find(&changes, &after, RF_STR("other"), RF_STR("b"), false));
    rf_log_place_deinit(&after);
    rf_changes_deinit(&changes);
    rf_test_log_deinit(&log);
    rf_buf_deinit(&statement);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements_that_name_a_table_concern_it),
        cmocka_unit_test(test_only_some_statements_give_a_column_another_type),
        cmocka_unit_test(test_places_are_compared_by_file_number_and_offset),
        cmocka_unit_test(test_changes_are_found_behind_a_place_and_over_files),
        cmocka_unit_test(test_more_statements_than_are_kept_concern_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
