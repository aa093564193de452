#include <rowferry/error.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_a_failure_says_what_where_and_what_to_do(void **state)
{
    (void)state;
    struct rf_error err = {.code = 9, .connect = true};
    assert_int_equal(rf_fail(&err, RF_RETRY, "could not connect to %s:%d", "host", 3306), RF_RETRY);
    rf_error_hint(&err, "start the %s", "server");
    assert_string_equal(err.message, "could not connect to host:3306");
    assert_string_equal(err.hint, "start the server");
    assert_int_equal(err.status, RF_RETRY);
    assert_int_equal(err.code, 0);
    assert_false(err.connect);
    assert_non_null(strstr(err.file, "test_error.c"));
    assert_true(err.line > 0);
    assert_int_equal(rf_fail(NULL, RF_FATAL, "nobody listens"), RF_FATAL);
}

static void test_a_wrapped_message_keeps_both_parts(void **state)
{
    (void)state;
    struct rf_error err = {0};
    rf_fail(&err, RF_FATAL, "checksum mismatch");
    assert_int_equal(rf_error_wrap(&err, "%s at %d", "bin.000001", 4), RF_FATAL);
    assert_string_equal(err.message, "bin.000001 at 4: checksum mismatch");
    /* The error's own message as an argument. */
    rf_fail(&err, RF_CONFIG, "again: %s", err.message);
    assert_string_equal(err.message, "again: bin.000001 at 4: checksum mismatch");
}

static void test_messages_are_cut_not_overrun(void **state)
{
    (void)state;
    struct rf_error err = {0};
    char large[4000];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    rf_fail(&err, RF_FATAL, "%s", large);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    rf_error_wrap(&err, "%s", large);
    assert_true(strlen(err.message) < sizeof err.message);
    rf_error_wrap(&err, "context");
    assert_int_equal(strncmp(err.message, "context: xxx", 12), 0);
    assert_true(strlen(err.message) < sizeof err.message);
}

static void test_every_status_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(rf_status_name(RF_OK), "ok");
    assert_string_equal(rf_status_name(RF_FATAL), "fatal");
    assert_string_equal(rf_status_name((enum rf_status)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failure_says_what_where_and_what_to_do),
        cmocka_unit_test(test_a_wrapped_message_keeps_both_parts),
        cmocka_unit_test(test_messages_are_cut_not_overrun),
        cmocka_unit_test(test_every_status_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
