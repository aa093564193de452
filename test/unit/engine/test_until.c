/* Where a run is to end, as a person writes it. */
#include "engine/worker.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_times_are_utc_in_either_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"2026-11-22T12:00:00Z", INT64_C(1795348800000000)},
        {"2026-11-22 12:00:00", INT64_C(1795348800000000)},
        {"2026-11-22T12:00:00", INT64_C(1795348800000000)},
        {" 2026-11-22 12:00:00Z ", INT64_C(1795348800000000)},
        {"2026-11-22T12:00:00.25Z", INT64_C(1795348800250000)},
        {"2026-11-22T12:00:00.000001", INT64_C(1795348800000001)},
        {"1970-01-01T00:00:01Z", 1000000},
        {"2024-02-29T23:59:59Z", INT64_C(1709251199000000)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t us = 0;
        assert_int_equal(rf_until_time(rf_str_of(cases[i].text), &us, NULL), RF_OK);
        assert_true(us == cases[i].us);
    }
}

static void test_times_that_there_are_not_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "2026-02-29T12:00:00Z",         "2026-13-01T12:00:00Z",
        "2026-00-01T12:00:00Z",         "2026-11-22T24:00:00Z",
        "2026-11-22T12:60:00Z",         "2026-11-22T12:00Z",
        "2026-11-22T12:00:00+01:00",    "2026-11-22T12:00:00.Z",
        "2026-11-22T12:00:00.1234567Z", "2026-11-22T",
        "1969-12-31T23:59:59Z",         "2026-11-22T12:00:00ZZ",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_error err = {0};
        int64_t us = 77;
        assert_int_equal(rf_until_time(rf_str_of(cases[i]), &us, &err), RF_CONFIG);
        assert_true(us == 77);
        assert_non_null(strstr(err.message, cases[i]));
        assert_non_null(strstr(err.hint, "UTC"));
    }
}

static void test_what_does_not_look_like_a_time_is_a_position(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "now",
        "0-1-42",
        "bin.000003:1234",
        "",
        "2026",
        "2026-11-22",
        "20261122T120000Z",
        "3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5",
        "2026-11-22-7",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t us = 77;
        assert_int_equal(rf_until_time(rf_str_of(cases[i]), &us, NULL), RF_AGAIN);
        assert_true(us == 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_are_utc_in_either_spelling),
        cmocka_unit_test(test_times_that_there_are_not_are_refused),
        cmocka_unit_test(test_what_does_not_look_like_a_time_is_a_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
