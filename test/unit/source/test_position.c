#include "source/position.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WHOLE                                                                            \
    "mariadb:gtid=0-1-300000,1-2-7;file=bin.000003;start=1000;end=1234;last=0-1-300000;" \
    "time=1763830000;sum=2774811130;server=1;created=1763820000"

#define A "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define B "4350f323-7565-4e59-8763-4b1b83a0ce0e"
#define MYSQL                                                                          \
    "mysql:gtid=" A ":1-7:9:night:1;file=bin.000003;start=1000;end=1234;last=" A ":9;" \
    "time=1763830000;sum=2774811130;server=1;created=1763820000;uuid=" A
#define PLACE                                                                            \
    "mysql:gtid=" A ":1-7;file=bin.000003;start=1000;end=1234;time=1763830000;server=1;" \
    "uuid=" A ";by=place"

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
        MYSQL,
        PLACE,
        "mysql:gtid=",
        "mysql:gtid=" A ":1-7:9," B ":5;server=1;uuid=" B,
        "mysql:gtid=;file=bin.000001;end=157;server=1;by=place",
        WHOLE ";by=gtid",
        MYSQL ";by=gtid",
        "mariadb:gtid=0-1-5;file=b.1;end=500;by=gtid",
        "mysql:gtid=" A ":night:1;file=bin.000001;start=4;end=9;last=" A ":night:1;time=1",
        WHOLE ";prepared=0-1-10@bin.000002:1000,1-2-3",
        MYSQL ";prepared=" A ":night:1@a%20b@c.000001:4," A ":2",
        PLACE ";prepared=bin.000001:157,bin.000002:157," A ":2@bin.000001:400",
        WHOLE ";prepared=0-1-10@bin.000002:1000=0123456789abcdef.6f6e65..1,1-2-3",
        WHOLE ";prepared=0-1-10=fedcba9876543210..00ff.4294967295",
        PLACE ";prepared=bin.000001:157=0000000000000000.61.62.1",
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
        WHOLE ";prepared=",
        WHOLE ";prepared=0-1-10@",
        WHOLE ";prepared=0-1-10@bin.000002",
        WHOLE ";prepared=0-1-10@bin.000002:3",
        WHOLE ";prepared=0-1-10,0-1-10@bin.000002:100",
        WHOLE ";prepared=bin.000002:100",
        WHOLE ";prepared=0-1-10@bin.000002:1000=",
        WHOLE ";prepared=0-1-10@bin.000002:1000=0123456789abcdef.61.1",
        WHOLE ";prepared=0-1-10@bin.000002:1000=0123456789abcde.61..1",
        WHOLE ";prepared=0-1-10@bin.000002:1000=0123456789abcdeg.61..1",
        WHOLE ";prepared=0-1-10@bin.000002:1000=0123456789abcdef.6..1",
        WHOLE ";prepared=0-1-10@bin.000002:1000=0123456789abcdef.61..4294967296",
        WHOLE ";prepared=0-1-10@bin.000002:1000=0123456789abcdef.61..1=",
        WHOLE ";prepared==0123456789abcdef.61..1",
        WHOLE ";prepared=7-1-10@bin.000002:100",
        WHOLE ";prepared=0-1-300001@bin.000002:100",
        WHOLE ";prepared=" A ":1",
        MYSQL ";prepared=" A ":8@bin.000002:100",
        MYSQL ";prepared=0-1-10",
        PLACE ";prepared=bin.000002:100,bin.000002:100",
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
        "mariadb:gtid=" A ":1-7",
        "mariadb:gtid=0-1-5;uuid=" A,
        "mariadb:gtid=0-1-5;file=b.1;end=20;by=place",
        "mysql:",
        "mysql:gtid=0-1-5",
        "mysql:gtid=" A ":1-7;uuid=" A "x",
        "mysql:gtid=" A ":1-7;by=place",
        "mysql:gtid=" A ":1-7;by=gtid",
        "mariadb:gtid=0-1-5;by=gtid",
        "mysql:gtid=" A ":1-7;file=b.1;end=20;by=hand",
        "mysql:gtid=" A ":1-7;file=b.1;start=9;end=20;time=1",
        "mysql:gtid=" A ":1-7;file=b.1;start=9;end=20;last=" A ":8;time=1",
        "mysql:gtid=" A ":1-7;file=b.1;start=9;end=20;last=" A ":7;time=1;by=place",
        "mysql:gtid=" A ":1-7;file=b.1;start=9;end=20;last=0-1-5;time=1",
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
        {A ":1-7:9", RF_START_GTIDS},
        {A ":9", RF_START_GTIDS},
        {" " A ":1-7 ,\n" B ":night:1", RF_START_GTIDS},
        {MYSQL, RF_START_POSITION},
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
        {MYSQL, A ":7", true},
        {MYSQL, A ":8", false},
        {MYSQL, A ":9", true},
        {MYSQL, A ":night:1", true},
        {MYSQL, A ":night:2", false},
        {MYSQL, B ":1", false},
        {MYSQL, A ":1-7", true},
        {MYSQL, A ":1-9", false},
        {A ":1-9:night:1-2", MYSQL, true},
        {MYSQL, MYSQL, true},
        {MYSQL, "mysql:gtid=", true},
        /* What is prepared lies before; what becomes of it is another transaction. */
        {WHOLE ";prepared=0-1-9@bin.000001:4", "0-1-9", true},
        {WHOLE ";prepared=0-1-9@bin.000001:4", WHOLE, true},
        {WHOLE, WHOLE ";prepared=0-1-9@bin.000001:4", true},
        {"mariadb:gtid=0-1-9;prepared=0-1-9@bin.000001:4", "0-1-10", false},
        /* By GTIDs the place does not matter; without, it does, and so does whose it is. */
        {"mysql:gtid=" A ":1-7", "mysql:gtid=" A ":1-7;file=bin.000009;end=9999", true},
        {PLACE, PLACE, true},
        {PLACE, "mysql:gtid=;file=bin.000003;end=1234;by=place", true},
        {PLACE, "mysql:gtid=;file=bin.000003;end=1235;by=place", false},
        {PLACE, "mysql:gtid=;file=bin.000002;end=9999;by=place", true},
        {PLACE, "mysql:gtid=;file=bin.000004;end=4;by=place", false},
        {PLACE, "mysql:gtid=;file=other.000002;end=4;by=place", false},
        {PLACE, "mysql:gtid=;file=bin.000002;end=4;uuid=" B ";by=place", false},
        {PLACE, "mysql:gtid=" A ":8;file=bin.000002;end=4;by=place", false},
        {"mysql:gtid=" A ":1-7", PLACE, false},
        {MYSQL, PLACE, true},
        {PLACE, "bin.000003:1000", true},
        {PLACE, "bin.000003:1233", true},
        {PLACE, "bin.000003:1234", false},
        {PLACE, "bin.000004:4", false},
        {PLACE, A ":7", true},
        {WHOLE, A ":1", false},
        {MYSQL, "0-1-5", false},
        {WHOLE, "mysql:gtid=", false},
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
