#include "base/map.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MANY = 1000 };

struct thing {
    struct rf_map_entry entry;
    char name[16];
    int seen;
};

static struct rf_map map;

static int teardown(void **state)
{
    (void)state;
    rf_map_deinit(&map);
    return 0;
}

static void test_each_of_many_names_is_found_and_no_other(void **state)
{
    static struct thing things[MANY];
    (void)state;
    assert_null(rf_map_find(&map, RF_STR("name 0")));
    for (int i = 0; i < MANY; i++) {
        snprintf(things[i].name, sizeof things[i].name, "name %d", i);
        assert_null(rf_map_find(&map, rf_str_of(things[i].name)));
        rf_map_add(&map, &things[i].entry, rf_str_of(things[i].name));
    }
    for (int i = 0; i < MANY; i++) {
        assert_ptr_equal(rf_map_find(&map, rf_str_of(things[i].name)), &things[i]);
    }
    assert_null(rf_map_find(&map, RF_STR("name")));
    assert_null(rf_map_find(&map, RF_STR("name 1000")));
    assert_null(rf_map_find(&map, RF_STR_NONE));
}

static void test_a_walk_meets_each_entry_once(void **state)
{
    static struct thing things[MANY];
    int met = 0;
    (void)state;
    assert_null(rf_map_next(&map, NULL));
    for (int i = 0; i < MANY; i++) {
        snprintf(things[i].name, sizeof things[i].name, "%d", i);
        rf_map_add(&map, &things[i].entry, rf_str_of(things[i].name));
    }
    for (struct rf_map_entry *entry = rf_map_next(&map, NULL); entry != NULL;
         entry = rf_map_next(&map, entry), met++) {
        assert_int_equal(((struct thing *)entry)->seen++, 0);
    }
    assert_int_equal(met, MANY);
}

static void test_an_empty_name_and_bytes_of_any_kind_are_names(void **state)
{
    struct thing empty = {0}, zero = {0};
    (void)state;
    rf_map_add(&map, &empty.entry, RF_STR_NONE);
    rf_map_add(&map, &zero.entry, (struct rf_str){"a\0b", 3});
    assert_ptr_equal(rf_map_find(&map, RF_STR("")), &empty);
    assert_ptr_equal(rf_map_find(&map, (struct rf_str){"a\0b", 3}), &zero);
    assert_null(rf_map_find(&map, RF_STR("a")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_each_of_many_names_is_found_and_no_other, teardown),
        cmocka_unit_test_teardown(test_a_walk_meets_each_entry_once, teardown),
        cmocka_unit_test_teardown(test_an_empty_name_and_bytes_of_any_kind_are_names, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
