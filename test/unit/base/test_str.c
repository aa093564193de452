#include <rowferry/str.h>
#include <stdlib.h>

/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))

static void test_numbers_are_whole_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        uint64_t number;
    } cases[] = {
        {"0", true, 0},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"", false, 0},
        {"-1", false, 0},
        {"1x", false, 0},
        {" 1", false, 0},
        {"00012", true, 12},
        {"99999999999999999999999", false, 0},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        uint64_t number = 77;
        assert_int_equal(rf_str_to_u64(rf_str_of(cases[i].text), &number), cases[i].good);
        assert_true(number == (cases[i].good ? cases[i].number : 77));
    }
}

static void test_signed_numbers_reach_both_ends(void **state)
{
    (void)state;
    int64_t number = 0;
    assert_true(rf_str_to_i64(RF_STR("-9223372036854775808"), &number) && number == INT64_MIN);
    assert_true(rf_str_to_i64(RF_STR("9223372036854775807"), &number) && number == INT64_MAX);
    assert_false(rf_str_to_i64(RF_STR("9223372036854775808"), &number));
    assert_false(rf_str_to_i64(RF_STR("-9223372036854775809"), &number));
    assert_false(rf_str_to_i64(RF_STR("-"), &number));
    assert_false(rf_str_to_i64(RF_STR("--1"), &number));
}

static void test_split_keeps_empty_fields(void **state)
{
    (void)state;
    struct rf_str rest = RF_STR("a,,b,"), field;
    const char *expected[] = {"a", "", "b", ""};
    for (size_t i = 0; i < count_of(expected); i++) {
        assert_true(rf_str_split(&rest, ',', &field));
        assert_true(rf_str_equal(field, rf_str_of(expected[i])));
    }
    assert_false(rf_str_split(&rest, ',', &field));
}

static void test_patterns_match_as_a_shell_would(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool match;
    } cases[] = {
        {"*", "", true},
        {"shop.*", "shop.orders", true},
        {"shop.*", "shop2.orders", false},
        {"a*b*c", "axxbyyc", true},
        {"a*b*c", "axxbyy", false},
        {"", "", true},
        {"", "x", false},
        {"?", "x", true},
        {"*aab", "aaaaab", true},
        {"shop.order?", "shop.orders", true},
        {"***", "abc", true},
        {"a", "ab", false},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        assert_int_equal(rf_str_match(rf_str_of(cases[i].pattern), rf_str_of(cases[i].text)),
                         cases[i].match);
    }
}

static void test_order_is_by_bytes_then_length(void **state)
{
    (void)state;
    assert_int_equal(rf_str_compare(RF_STR("a"), RF_STR("b")), -1);
    assert_int_equal(rf_str_compare(RF_STR("ab"), RF_STR("a")), 1);
    assert_int_equal(rf_str_compare(RF_STR("\xff"), RF_STR("a")), 1);
    assert_int_equal(rf_str_compare(RF_STR_NONE, RF_STR("")), 0);
    assert_true(rf_str_equal_nocase(RF_STR("Begin"), RF_STR("BEGIN")));
    assert_false(rf_str_equal_nocase(RF_STR("Begin"), RF_STR("BEGIN ")));
}

static void test_trim_takes_white_space_at_both_ends(void **state)
{
    (void)state;
    assert_true(rf_str_equal(rf_str_trim(RF_STR(" \t a b \r\n")), RF_STR("a b")));
    assert_int_equal(rf_str_trim(RF_STR("  ")).size, 0);
}

static void test_buffer_grows_and_keeps_its_memory(void **state)
{
    (void)state;
    struct rf_buf buf = {0};
    for (int i = 0; i < 1000; i++) {
        rf_buf_add_i64(&buf, i % 2 ? -i : i);
        rf_buf_add_byte(&buf, ' ');
    }
    rf_buf_printf(&buf, "%s|%d", "end", 7);
    assert_true(rf_str_starts(rf_buf_str(&buf), RF_STR("0 -1 2 -3 ")));
    assert_string_equal(rf_buf_cstr(&buf) + buf.size - 5, "end|7");
    char *before = buf.data;
    rf_buf_set(&buf, RF_STR("short"));
    assert_ptr_equal(buf.data, before);
    assert_int_equal(buf.size, 5);
    rf_buf_reset(&buf);
    rf_buf_add_u64(&buf, UINT64_MAX);
    rf_buf_add_i64(&buf, INT64_MIN);
    assert_string_equal(rf_buf_cstr(&buf), "18446744073709551615-9223372036854775808");
    rf_buf_deinit(&buf);
    assert_null(buf.data);
}

static void test_duplicate_is_terminated(void **state)
{
    (void)state;
    char *copy = rf_str_dup((struct rf_str){"abcdef", 3});
    assert_string_equal(copy, "abc");
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_whole_or_refused),
        cmocka_unit_test(test_signed_numbers_reach_both_ends),
        cmocka_unit_test(test_split_keeps_empty_fields),
        cmocka_unit_test(test_patterns_match_as_a_shell_would),
        cmocka_unit_test(test_order_is_by_bytes_then_length),
        cmocka_unit_test(test_trim_takes_white_space_at_both_ends),
        cmocka_unit_test(test_buffer_grows_and_keeps_its_memory),
        cmocka_unit_test(test_duplicate_is_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
