#include "event/value.h"

#include <rowferry/event.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))

static void expect_print(struct rf_value value, const char *expected)
{
    struct rf_buf out = {0};
    rf_value_print(&out, value);
    assert_string_equal(rf_buf_cstr(&out), expected);
    rf_buf_deinit(&out);
}

static void test_values_print_as_the_server_shows_them(void **state)
{
    (void)state;
    expect_print((struct rf_value){.kind = RF_ABSENT}, "");
    expect_print((struct rf_value){.kind = RF_NULL}, "");
    expect_print((struct rf_value){.kind = RF_INT, .i = INT64_MIN}, "-9223372036854775808");
    expect_print((struct rf_value){.kind = RF_UINT, .u = UINT64_MAX}, "18446744073709551615");
    expect_print((struct rf_value){.kind = RF_BIT, .scale = 64, .u = UINT64_MAX},
                 "18446744073709551615");
    expect_print((struct rf_value){.kind = RF_YEAR, .u = 0}, "0000");
    expect_print((struct rf_value){.kind = RF_YEAR, .u = 2155}, "2155");
    expect_print((struct rf_value){.kind = RF_TEXT, .text = "héllo", .size = 6}, "héllo");
    expect_print((struct rf_value){.kind = RF_DECIMAL, .text = "-0.50", .size = 5}, "-0.50");
}

static void test_vectors_print_as_lists_of_numbers(void **state)
{
    (void)state;
    static const char numbers[] = "\0\0\x80\x3f\0\0\0\xc0\xcd\xcc\xcc\x3d\xff\xff\x7f\xff";
    static const char others[] = "\0\0\x80\x7f\0\0\x80\xff\0\0\xc0\x7f";
    expect_print((struct rf_value){.kind = RF_VECTOR, .text = numbers, .size = 16},
                 "[1,-2,0.1,-3.4028235e+38]");
    expect_print((struct rf_value){.kind = RF_VECTOR, .text = NULL, .size = 0}, "[]");
    expect_print((struct rf_value){.kind = RF_VECTOR, .text = others, .size = 12},
                 "[inf,-inf,nan]");
    assert_true(rf_vector_is_finite((struct rf_str){numbers, 16}));
    for (size_t i = 0; i < 3; i++) {
        assert_false(rf_vector_is_finite((struct rf_str){others + 4 * i, 4}));
    }
    struct rf_value vector = {.kind = RF_VECTOR, .text = numbers, .size = 16}, other = vector;
    assert_true(rf_value_equal(vector, other));
    other.size = 12;
    assert_false(rf_value_equal(vector, other));
}

static void test_dates_print_with_their_own_precision(void **state)
{
    (void)state;
    uint64_t packed = RF_DATETIME_PACK(2024, 2, 29, 23, 59, 58, 123456);
    expect_print((struct rf_value){.kind = RF_DATE, .u = packed}, "2024-02-29");
    expect_print((struct rf_value){.kind = RF_DATETIME, .u = packed}, "2024-02-29 23:59:58");
    expect_print((struct rf_value){.kind = RF_DATETIME, .u = packed, .scale = 3},
                 "2024-02-29 23:59:58.123");
    expect_print((struct rf_value){.kind = RF_DATETIME, .u = packed, .scale = 6},
                 "2024-02-29 23:59:58.123456");
    expect_print((struct rf_value){.kind = RF_DATETIME, .u = 0, .scale = 1},
                 "0000-00-00 00:00:00.0");
    expect_print((struct rf_value){.kind = RF_DATE, .u = RF_DATETIME_PACK(2024, 0, 10, 0, 0, 0, 0)},
                 "2024-00-10");
    expect_print((struct rf_value){.kind = RF_TIMESTAMP, .i = 0}, "0000-00-00 00:00:00");
    expect_print((struct rf_value){.kind = RF_TIMESTAMP, .i = 1000000}, "1970-01-01 00:00:01");
    expect_print((struct rf_value){.kind = RF_TIMESTAMP, .i = 951782400123456, .scale = 6},
                 "2000-02-29 00:00:00.123456");
    expect_print((struct rf_value){.kind = RF_TIMESTAMP, .i = 2147483647LL * 1000000},
                 "2038-01-19 03:14:07");
    expect_print((struct rf_value){.kind = RF_TIMESTAMP, .i = 4107542399LL * 1000000},
                 "2100-02-28 23:59:59");
    expect_print((struct rf_value){.kind = RF_TIMESTAMP, .i = 4107542400LL * 1000000},
                 "2100-03-01 00:00:00");
}

static void test_times_reach_beyond_a_day_and_below_zero(void **state)
{
    (void)state;
    int64_t most = ((838LL * 60 + 59) * 60 + 59) * 1000000 + 999999;
    expect_print((struct rf_value){.kind = RF_TIME, .i = most, .scale = 6}, "838:59:59.999999");
    expect_print((struct rf_value){.kind = RF_TIME, .i = -most, .scale = 6}, "-838:59:59.999999");
    expect_print((struct rf_value){.kind = RF_TIME, .i = -1, .scale = 6}, "-00:00:00.000001");
    expect_print((struct rf_value){.kind = RF_TIME, .i = 0}, "00:00:00");
    expect_print((struct rf_value){.kind = RF_TIME, .i = -3723250000, .scale = 3}, "-01:02:03.250");
}

static void test_known_floating_numbers(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {19.99, "19.99"},
        {0.1, "0.1"},
        {1e300, "1e+300"},
        {-2.5, "-2.5"},
        {1e15, "1e+15"},
        {123456789.125, "123456789.125"},
        {0.30000000000000004, "0.30000000000000004"},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        expect_print((struct rf_value){.kind = RF_DOUBLE, .d = cases[i].number}, cases[i].text);
    }
    expect_print((struct rf_value){.kind = RF_FLOAT, .f = 0.1F}, "0.1");
    expect_print((struct rf_value){.kind = RF_FLOAT, .f = 3.4028235e38F}, "3.4028235e+38");
    expect_print((struct rf_value){.kind = RF_FLOAT, .f = 16777216.0F}, "16777216");
}

static void test_equality_is_of_kind_and_content(void **state)
{
    (void)state;
    struct rf_value null = {.kind = RF_NULL, .u = 1}, other_null = {.kind = RF_NULL, .u = 2},
                    absent = {.kind = RF_ABSENT};
    assert_true(rf_value_equal(null, other_null));
    assert_false(rf_value_equal(null, absent));
    struct rf_value a = {.kind = RF_TEXT, .text = "ab", .size = 2},
                    b = {.kind = RF_TEXT, .text = "abc", .size = 2};
    assert_true(rf_value_equal(a, b));
    b.size = 3;
    assert_false(rf_value_equal(a, b));
    b = (struct rf_value){.kind = RF_BYTES, .text = "ab", .size = 2};
    assert_false(rf_value_equal(a, b));
    struct rf_value zero = {.kind = RF_DOUBLE, .d = 0.0}, minus = {.kind = RF_DOUBLE, .d = -0.0};
    assert_false(rf_value_equal(zero, minus));
}

static void test_only_an_update_of_a_key_column_changes_the_key(void **state)
{
    (void)state;
    static const uint32_t keys[] = {1};
    struct rf_table table = {.column_count = 2, .key_count = 1, .key_columns = keys};
    struct rf_value before[] = {{.kind = RF_INT, .i = 1}, {.kind = RF_INT, .i = 5}};
    struct rf_value after[] = {{.kind = RF_INT, .i = 2}, {.kind = RF_INT, .i = 5}};
    struct rf_event event = {.op = RF_UPDATE, .table = &table, .before = before, .after = after};
    assert_false(rf_event_changes_key(&event));
    after[1].i = 6;
    assert_true(rf_event_changes_key(&event));
    event.op = RF_CREATE;
    assert_false(rf_event_changes_key(&event));
    event.op = RF_UPDATE;
    table.key_count = 0;
    assert_false(rf_event_changes_key(&event));
}

static void test_dates_and_day_numbers_are_each_others_inverse(void **state)
{
    enum { FIRST = -719528, LAST = 2932896 }; /* 0000-01-01 and 9999-12-31 */
    (void)state;
    for (int64_t day = FIRST; day <= LAST; day++) {
        int64_t found, micros;
        uint64_t packed = rf_datetime_of_micros(day * 86400000000 + 3723000004);
        assert_true(rf_date_to_days(packed, &found));
        assert_int_equal(found, day);
        assert_true(rf_datetime_to_micros(packed, &micros));
        assert_int_equal(micros, day * 86400000000 + 3723000004);
    }
}

static void test_what_is_no_date_has_no_day_number(void **state)
{
    static const unsigned wrong[][3] = {{0, 0, 0},     {2024, 0, 0},  {2024, 2, 0},  {2024, 0, 1},
                                        {2024, 13, 1}, {2023, 2, 29}, {1900, 2, 29}, {2024, 4, 31},
                                        {2024, 2, 30}, {9999, 15, 31}};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int64_t out = 7;
        uint64_t packed = RF_DATETIME_PACK(wrong[i][0], wrong[i][1], wrong[i][2], 0, 0, 0, 0);
        assert_false(rf_date_to_days(packed, &out));
        assert_false(rf_datetime_to_micros(packed, &out));
        assert_int_equal(out, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_print_as_the_server_shows_them),
        cmocka_unit_test(test_vectors_print_as_lists_of_numbers),
        cmocka_unit_test(test_dates_print_with_their_own_precision),
        cmocka_unit_test(test_times_reach_beyond_a_day_and_below_zero),
        cmocka_unit_test(test_known_floating_numbers),
        cmocka_unit_test(test_equality_is_of_kind_and_content),
        cmocka_unit_test(test_only_an_update_of_a_key_column_changes_the_key),
        cmocka_unit_test(test_dates_and_day_numbers_are_each_others_inverse),
        cmocka_unit_test(test_what_is_no_date_has_no_day_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
