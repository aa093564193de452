/* Changes as lines for a person. */
#include "programs/change.h"

#include <stdlib.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int set_zone(void **state)
{
    (void)state;
    setenv("TZ", "UTC-1", 1); /* an hour ahead of UTC */
    tzset();
    return 0;
}

static void expect(const char *json, const char *expected)
{
    struct rf_buf out = {0};
    rf_buf_add_byte(&out, '!');
    rf_change_line(rf_str_of(json), &out);
    assert_string_equal(rf_buf_cstr(&out) + 1, expected);
    rf_buf_deinit(&out);
}

#define BEHIND ",\"ts\":\"2026-11-27T07:14:50Z\",\"position\":\"p\",\"id\":\"p:1:0\"}"

static void test_each_kind_of_change_has_its_line(void **state)
{
    (void)state;
    expect("{\"op\":\"create\",\"table\":\"pluto.notes\",\"key\":{\"_id\":\"a-b\"},\"before\":null,"
           "\"after\":{\"_id\":\"a-b\",\"stamp\":\"s\",\"n\":[1,{\"x\":null}]}" BEHIND,
           "2026-11-27 08:14:50  insert  a-b  {\"stamp\":\"s\",\"n\":[1,{\"x\":null}]}\n");
    expect(
        "{\"op\":\"update\",\"key\":{\"_id\":{\"$oid\":\"56e1fc72e0c917e9c4714161\"}},\"before\":"
        "null,\"after\":{\"_id\":{\"$oid\":\"56e1fc72e0c917e9c4714161\"}}" BEHIND,
        "2026-11-27 08:14:50  update  56e1fc72e0c917e9c4714161  {}\n");
    expect("{\"op\":\"update\",\"key\":{\"_id\":7},\"before\":null,\"after\":null,\"update\":"
           "{\"updatedFields\":{\"a\":1}}" BEHIND,
           "2026-11-27 08:14:50  update  7  changed {\"updatedFields\":{\"a\":1}}\n");
    expect("{\"op\":\"delete\",\"key\":{\"_id\":{\"a\":1}},\"before\":null,\"after\":null" BEHIND,
           "2026-11-27 08:14:50  delete  {\"a\":1}\n");
    expect("{\"op\":\"ddl\",\"database\":\"pluto\",\"table\":\"pluto.notes\",\"statement\":"
           "\"{\\\"operationType\\\":\\\"drop\\\"}\"" BEHIND,
           "2026-11-27 08:14:50  drop\n");
}

static void test_nothing_in_a_line_can_move_the_cursor(void **state)
{
    (void)state;
    expect("{\"op\":\"delete\",\"key\":{\"_id\":\"a\\u001b[2J\"},\"after\":null" BEHIND,
           "2026-11-27 08:14:50  delete  \"a\\u001b[2J\"\n");
}

static void test_what_cannot_be_read_is_shown_as_it_came(void **state)
{
    (void)state;
    expect("not json", "not json\n");
    expect("{\"op\":", "{\"op\":\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind_of_change_has_its_line),
        cmocka_unit_test(test_nothing_in_a_line_can_move_the_cursor),
        cmocka_unit_test(test_what_cannot_be_read_is_shown_as_it_came),
    };
    return cmocka_run_group_tests(tests, set_zone, NULL);
}
