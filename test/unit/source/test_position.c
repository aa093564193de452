#include "source/position.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WHOLE                                                                            \
    "mariadb:gtid=0-1-300000,1-2-7;file=bin.000003;start=1000;end=1234;last=0-1-300000;" \
    "time=1763830000;sum=2774811130;server=1;created=1763820000"

static void test_a_position_reads_back_as_it_was_written(void **context)
{
    static const char *const texts[] = {
        WHOLE,
        "mariadb:gtid=",
        "mariadb:gtid=;file=bin.000001;end=4;server=1;created=1763820000",
        "mariadb:gtid=0-1-5",
        "mariadb:gtid=0-1-5;server=3",
        "mariadb:gtid=0-1-5;file=a%20b%3B%25%2C%3D.000001;end=500",
        "mariadb:gtid=0-1-5;file=b.1;start=8000000000;end=8000000100;last=0-1-5;time=0;server=7",
        "mariadb:gtid=4294967295-4294967295-18446744073709551615",
    };
    (void)context;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct rf_position position = {0}, copy = {0};
        struct rf_buf text = {0};
        struct rf_error err = {0};
        if (rf_position_parse(&position, rf_str_of(texts[i]), &err) != RF_OK) {
            fail_msg("%s", err.message);
        }
        rf_position_copy(&copy, &position);
        rf_position_print(&text, &copy);
        assert_string_equal(rf_buf_cstr(&text), texts[i]);
        rf_position_deinit(&position);
        rf_position_deinit(&copy);
        rf_buf_deinit(&text);
    }
}

static void test_every_field_is_understood(void **context)
{
    struct rf_position position = {0};
    (void)context;
    assert_int_equal(rf_position_parse(&position, RF_STR(WHOLE), NULL), RF_OK);
    assert_int_equal(position.gtids.list.count, 2);
    assert_string_equal(rf_buf_cstr(&position.file), "bin.000003");
    assert_true(position.has_last);
    assert_int_equal(position.start, 1000);
    assert_int_equal(position.end, 1234);
    assert_int_equal(position.last.mariadb.sequence, 300000);
    assert_int_equal(position.time, 1763830000);
    assert_true(position.sum == 2774811130);
    assert_int_equal(position.server_id, 1);
    assert_int_equal(position.created, 1763820000);
    rf_position_deinit(&position);
}

static void test_a_text_that_makes_no_sense_is_refused(void **context)
{
    static const char *const texts[] = {
        "",
        "mariadb:",
        "mariadb:file=bin.000001;end=4",
        "mariadb:gtid=;gtid=",
        "mariadb:gtid=;end=4",
        "mariadb:gtid=;file=bin.000001",
        "mariadb:gtid=;file=;end=4",
        "mariadb:gtid=;file=bin.000001;end=3",
        "mariadb:gtid=;file=bin.000001;end=-4",
        "mariadb:gtid=;file=bin.000001;end=4;",
        "mariadb:gtid=;file=bin.000001;end=4;colour=red",
        "mariadb:gtid=;file=bin.000001;end=4;server=0",
        "mariadb:gtid=;file=bin.000001;end=4;server=4294967296",
        "mariadb:gtid=;end=4;file=bin.000001",
        "mariadb:gtid=;file=bin%41;end=4",
        "mariadb:gtid=;file=bin%2;end=4",
        "mariadb:gtid=;file=bin%00x;end=4",
        "mariadb:gtid=;file=a b;end=4",
        "mariadb:gtid=0-1-5;file=b.1;start=9;end=20;last=0-1-5",
        "mariadb:gtid=0-1-5;file=b.1;start=9;end=20;time=1",
        "mariadb:gtid=0-1-5;file=b.1;start=20;end=20;last=0-1-5;time=1",
        "mariadb:gtid=0-1-5;file=b.1;start=9;end=20;last=0-1-6;time=1",
        "mariadb:gtid=0-1-5;file=b.1;start=9;end=20;last=1-1-5;time=1",
        "mariadb:gtid=0-1-5;last=0-1-5",
        "mariadb:gtid=0-1-5;file=b.1;end=20;sum=7",
        "mariadb:gtid=0-1-5;file=b.1;start=9;end=20;last=0-1-5;time=1;sum=0",
        "mariadb:gtid=0-1",
        "mariadb:gtid",
    };
    (void)context;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct rf_position position = {0};
        struct rf_error err = {0};
        if (rf_position_parse(&position, rf_str_of(texts[i]), &err) != RF_CONFIG) {
            fail_msg("accepted: %s", texts[i]);
        }
        assert_int_equal(position.file.size, 0);
        assert_null(position.gtids.list.items);
    }
}

static void test_a_place_to_begin_has_five_forms(void **context)
{
    static const struct {
        const char *text;
        enum rf_start_kind kind;
    } cases[] = {
        {"now", RF_START_NOW},
        {" earliest\n", RF_START_EARLIEST},
        {"bin.000003:1234", RF_START_PLACE},
        {"C:bin.000003:1234", RF_START_PLACE},
        {"0-1-5", RF_START_GTIDS},
        {"0-1-5,1-2-7", RF_START_GTIDS},
        {WHOLE, RF_START_POSITION},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_start start = {0};
        struct rf_error err = {0};
        if (rf_start_parse(&start, rf_str_of(cases[i].text), &err) != RF_OK ||
            start.kind != cases[i].kind) {
            fail_msg("%s: kind %d, %s", cases[i].text, start.kind, err.message);
        }
        rf_position_deinit(&start.position);
    }
    struct rf_start start = {0};
    assert_int_equal(rf_start_parse(&start, RF_STR("bin.000003:1234"), NULL), RF_OK);
    assert_string_equal(rf_buf_cstr(&start.position.file), "bin.000003");
    assert_int_equal(start.position.end, 1234);
    rf_position_deinit(&start.position);
}

static void test_other_places_are_refused_with_the_forms(void **context)
{
    static const char *const texts[] = {"",       "later",       "bin.000003", "bin.000003:", ":4",
                                        "bin:3",  "bin:-4",      "bin:12x",    "a/b:4",       "0-1",
                                        "0-1-5,", "0-1-5,0-1-6", "mariadb:x",  "bin\n1:4"};
    (void)context;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct rf_start start = {0};
        struct rf_error err = {0};
        if (rf_start_parse(&start, rf_str_of(texts[i]), &err) != RF_CONFIG) {
            fail_msg("accepted: %s", texts[i]);
        }
        rf_position_deinit(&start.position);
    }
}

static void test_a_position_contains_what_lies_before_it(void **context)
{
    static const struct {
        const char *position, *other;
        bool contains;
    } cases[] = {
        {WHOLE, "0-1-300000", true},
        {WHOLE, "0-1-299999", true},
        {WHOLE, "0-1-300001", false},
        {WHOLE, "1-2-7", true},
        {WHOLE, "2-1-1", false},
        {WHOLE, "0-1-5,1-2-7", true},
        {WHOLE, "0-1-5,1-2-8", false},
        {WHOLE, WHOLE, true},
        {WHOLE, "mariadb:gtid=", true},
        {"mariadb:gtid=", WHOLE, false},
        {"mariadb:gtid=", "mariadb:gtid=", true},
        {"mariadb:gtid=0-1-5", "mariadb:gtid=0-1-5;file=other.000009;end=9999", true},
        {"0-1-5", "0-1-5", true},
        {"0-1-5", "0-1-6", false},
        {"0-1-5", "0-2-5", false},
        {WHOLE, "", false},
        {WHOLE, "now", false},
        {WHOLE, "bin.000003:4", false},
        {WHOLE, "mariadb:gtid=;colour=red", false},
        {"", "0-1-5", false},
        {"nonsense", "0-1-5", false},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (rf_position_contains(rf_str_of(cases[i].position), rf_str_of(cases[i].other)) !=
            cases[i].contains) {
            fail_msg("%s contains %s", cases[i].position, cases[i].other);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_position_reads_back_as_it_was_written),
        cmocka_unit_test(test_every_field_is_understood),
        cmocka_unit_test(test_a_text_that_makes_no_sense_is_refused),
        cmocka_unit_test(test_a_place_to_begin_has_five_forms),
        cmocka_unit_test(test_other_places_are_refused_with_the_forms),
        cmocka_unit_test(test_a_position_contains_what_lies_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
