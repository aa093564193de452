#include "config/environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int set_variables(void **state)
{
    (void)state;
    return setenv("RF_TEST_USER", "cdc", 1) != 0 || setenv("RF_TEST_HARD", "a:b/c@d?e%f", 1) != 0 ||
           setenv("RF_TEST_EMPTY", "", 1) != 0 || setenv("RF_TEST_NESTED", "${RF_TEST_USER}", 1);
}

struct example {
    const char *text;
    const char *out;
    bool replaced;
};

static void expect_all(const struct example *cases, size_t count, bool address)
{
    for (size_t i = 0; i < count; i++) {
        struct rf_buf out = {0};
        struct rf_error err = {0};
        bool replaced = false;
        if (rf_environment_replace(rf_str_of(cases[i].text), address, &out, &replaced, &err) !=
            RF_OK) {
            fail_msg("%s: %s", cases[i].text, err.message);
        }
        assert_string_equal(rf_buf_cstr(&out), cases[i].out);
        assert_int_equal(replaced, cases[i].replaced);
        rf_buf_deinit(&out);
    }
}

static void test_variables_take_their_place_and_nothing_else_does(void **state)
{
    static const struct example cases[] = {
        {"", "", false},
        {"plain", "plain", false},
        {"$", "$", false},
        {"$$", "$$", false},
        {"$5 {x} $RF_TEST_USER", "$5 {x} $RF_TEST_USER", false},
        {"${RF_TEST_USER}", "cdc", true},
        {"a${RF_TEST_USER}b${RF_TEST_USER}", "acdcbcdc", true},
        {"$${RF_TEST_USER}", "${RF_TEST_USER}", false},
        {"$$${RF_TEST_USER}", "$${RF_TEST_USER}", false},
        {"${RF_TEST_EMPTY}", "", true},
        {"${RF_TEST_NESTED}", "${RF_TEST_USER}", true},
        {"${RF_TEST_HARD}", "a:b/c@d?e%f", true},
    };
    (void)state;
    expect_all(cases, sizeof cases / sizeof *cases, false);
}

static void test_a_variable_inside_an_address_stays_one_part_of_it(void **state)
{
    static const struct example cases[] = {
        {"mysql://u:${RF_TEST_HARD}@h", "mysql://u:a%3Ab%2Fc%40d%3Fe%25f@h", true},
        {"${RF_TEST_HARD}", "a:b/c@d?e%f", true}, /* the whole address */
        {"mysql://${RF_TEST_USER}@h", "mysql://cdc@h", true},
    };
    (void)state;
    expect_all(cases, sizeof cases / sizeof *cases, true);
}

static void test_what_is_no_variable_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"${RF_TEST_NOTHING}", "the environment has no variable RF_TEST_NOTHING"},
        {"${}", "\"${\" without the name of a variable and its \"}\""},
        {"${RF_TEST_USER", "\"${\" without the name of a variable and its \"}\""},
        {"${RF_TEST_USER:-x}", "\"${\" without the name of a variable and its \"}\""},
        {"${1A}", "\"${\" without the name of a variable and its \"}\""},
        {"geheim${", "\"${\" without the name of a variable and its \"}\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_buf out = {0};
        struct rf_error err = {0};
        bool replaced = false;
        assert_int_equal(
            rf_environment_replace(rf_str_of(cases[i].text), false, &out, &replaced, &err),
            RF_CONFIG);
        assert_string_equal(err.message, cases[i].message);
        rf_buf_deinit(&out);
    }
}

static void test_without_its_variables_only_what_the_file_says_is_left(void **state)
{
    static const char *const cases[][2] = {
        {"mysql://${U}:${P}@h", "mysql://:@h"}, {"${P}", ""}, {"a$${P}", "a${P}"}, {"a${P", "a"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_buf out = {0};
        rf_environment_remove(rf_str_of(cases[i][0]), &out);
        assert_string_equal(rf_buf_cstr(&out), cases[i][1]);
        rf_buf_deinit(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variables_take_their_place_and_nothing_else_does),
        cmocka_unit_test(test_a_variable_inside_an_address_stays_one_part_of_it),
        cmocka_unit_test(test_what_is_no_variable_is_refused),
        cmocka_unit_test(test_without_its_variables_only_what_the_file_says_is_left),
    };
    return cmocka_run_group_tests(tests, set_variables, NULL);
}
