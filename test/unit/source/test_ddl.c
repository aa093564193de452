#include "lib/reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_statements_become_events(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, RF_TEST_STANDALONE);
    rf_test_log_query(&reading.log, "shop", "ALTER TABLE t ADD c INT");
    rf_test_log_gtid(&reading.log, 0, 2, RF_TEST_STANDALONE);
    rf_test_log_query(&reading.log, "shop", "TRUNCATE other.`t`");
    rf_test_log_gtid(&reading.log, 0, 3, RF_TEST_STANDALONE);
    rf_test_log_query(&reading.log, "shop", "TRUNCATE t");
    rf_test_log_gtid(&reading.log, 0, 4, RF_TEST_STANDALONE);
    rf_test_log_query(&reading.log, "shop", "GRANT ALL ON *.* TO x IDENTIFIED BY 'secret'");
    rf_test_log_gtid(&reading.log, 0, 5, 0);
    rf_test_log_query(&reading.log, "shop", "CREATE TABLE u (a INT, b INT)");
    rf_test_log_table(&reading.log, 20, "shop", "u", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    rf_test_log_xid(&reading.log);
    rf_test_reading_expect(&reading,
                           "begin 0-1-1\n1.0 ddl shop/t ALTER TABLE t ADD c INT\nend 0-1-1\n"
                           "begin 0-1-2\n1.0 truncate other.t\nend 0-1-2\n"
                           "begin 0-1-3\n1.0 truncate shop.t\nend 0-1-3\n"
                           "begin 0-1-5\n1.0 ddl shop/u CREATE TABLE u (a INT, b INT)\n"
                           "3.0 create shop.u 1|2\nend 0-1-5\n");
    assert_int_equal(reading.skipped, 1);
    rf_test_reading_end(&reading);
}

static void test_statements_are_filtered_by_what_they_may_touch(void **context)
{
    static const struct {
        const char *patterns, *database, *statement, *text;
    } cases[] = {
        {"shop.t", "shop", "DROP TABLE u", "1.0 ddl shop/u DROP TABLE u\n"},
        {"shop.t", "x", "DROP TABLE shop.u", "1.0 ddl shop/u DROP TABLE shop.u\n"},
        {"shop.t", "x", "DROP TABLE u", ""},
        {"shop.t", "", "FLUSH TABLES", ""},
        {"", "", "FLUSH TABLES", "1.0 ddl / FLUSH TABLES\n"},
        {"-shop.t", "", "FLUSH TABLES", "1.0 ddl / FLUSH TABLES\n"},
        {"-shop", "shop", "DROP TABLE u", ""},
        {"shop.t", "shop", "TRUNCATE t", "1.0 truncate shop.t\n"},
        {"shop.t", "shop", "TRUNCATE u", ""},
        {"shop.t", "x", "TRUNCATE shop.t", "1.0 truncate shop.t\n"},
        {"shop.t", "shop", "TRUNCATE x.t", ""},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_test_reading reading;
        struct rf_buf text = {0};
        rf_test_reading_begin(&reading, cases[i].patterns, "");
        rf_test_log_gtid(&reading.log, 0, 1, RF_TEST_STANDALONE);
        rf_test_log_query(&reading.log, cases[i].database, cases[i].statement);
        if (cases[i].text[0] != '\0') {
            rf_buf_printf(&text, "begin 0-1-1\n%send 0-1-1\n", cases[i].text);
        }
        rf_test_reading_expect(&reading, rf_buf_cstr(&text));
        rf_buf_deinit(&text);
        rf_test_reading_end(&reading);
    }
}

static void statement_in(struct rf_test_reading *reading, unsigned charset, const char *database,
                         const char *statement)
{
    enum { CHARSET_AT = 19 + 13 + 1 };
    rf_test_log_query(&reading->log, database, statement);
    char *event = reading->log.log.data + reading->log.last;
    event[CHARSET_AT] = (char)charset;
    event[CHARSET_AT + 1] = (char)(charset >> 8);
    rf_test_log_seal(&reading->log, reading->log.last);
}

enum folding { EXACT, FOLDED, LOOSE };

static void test_truncates_are_found_as_the_server_compares_names(void **context)
{
    static const struct {
        enum folding folding;
        const char *patterns, *database, *statement;
        const char *text; /* NULL: it stops */
    } cases[] = {
        {FOLDED, "shop.orders", "", "TRUNCATE TABLE Shop.Orders", "1.0 truncate shop.orders\n"},
        {FOLDED, "Shop.Orders", "SHOP", "TRUNCATE `ORDERS`", "1.0 truncate shop.orders\n"},
        {FOLDED, "shop.orders", "x", "TRUNCATE Shop.Other", ""},
        {FOLDED, "-shop.orders", "x", "TRUNCATE Shop.Orders", ""},
        {FOLDED, "", "x", "TRUNCATE \xc3\x84.B", "1.0 truncate \xc3\xa4.b\n"},
        {FOLDED, "shop.orders", "Shop", "DROP TABLE Orders",
         "1.0 ddl shop/orders DROP TABLE Orders\n"},
        {FOLDED, "shop.orders", "x", "ALTER TABLE Shop.Orders FORCE",
         "1.0 ddl shop/orders ALTER TABLE Shop.Orders FORCE\n"},
        /* Letters whose lower case nobody here knows. */
        {FOLDED, "", "shop", "TRUNCATE \xd4\xb1", NULL},
        {FOLDED, "shop.*", "shop", "TRUNCATE \xd4\xb1", NULL},
        {FOLDED, "shop.*", "x", "TRUNCATE \xd4\xb1", ""},
        {FOLDED, "shop.*", "x", "TRUNCATE \xd4\xb1.t", NULL},
        {EXACT, "shop.orders", "shop", "TRUNCATE Orders", ""},
        {EXACT, "shop.Orders", "shop", "TRUNCATE Orders", "1.0 truncate shop.Orders\n"},
        {EXACT, "shop.*", "shop", "TRUNCATE \xd4\xb1", "1.0 truncate shop.\xd4\xb1\n"},
        {LOOSE, "shop.orders", "shop", "TRUNCATE Orders", NULL},
        {LOOSE, "shop.Orders", "shop", "TRUNCATE orders", NULL},
        {LOOSE, "-shop.orders", "shop", "TRUNCATE Orders", NULL},
        {LOOSE, "shop.orders", "Shop", "TRUNCATE orders", NULL},
        {LOOSE, "shop.orders", "shop", "TRUNCATE orders", "1.0 truncate shop.orders\n"},
        {LOOSE, "shop.orders", "shop", "TRUNCATE Other", ""},
        {LOOSE, "shop.*", "shop", "TRUNCATE Orders", "1.0 truncate shop.Orders\n"},
        {LOOSE, "shop.o", "shop", "TRUNCATE \xd4\xb1", NULL},
        {LOOSE, "shop.o", "x", "TRUNCATE \xd4\xb1", ""},
        {LOOSE, "shop.o", "x", "DROP TABLE Shop.O", "1.0 ddl Shop/O DROP TABLE Shop.O\n"},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_test_reading reading;
        struct rf_pick loose = {0};
        struct rf_buf text = {0};
        struct rf_str rest = rf_str_of(cases[i].patterns), field;
        rf_test_reading_begin(&reading, cases[i].patterns, "");
        if (cases[i].folding == FOLDED) {
            rf_pick_fold(&reading.pick);
        } else if (cases[i].folding == LOOSE) {
            while (rest.size > 0 && rf_str_split(&rest, ' ', &field)) {
                assert_int_equal(rf_pick_add(&loose, field, NULL), RF_OK);
            }
            rf_pick_fold(&loose);
            reading.assembly.loose = &loose;
        }
        rf_test_log_gtid(&reading.log, 0, 1, RF_TEST_STANDALONE);
        rf_test_log_query(&reading.log, cases[i].database, cases[i].statement);
        if (cases[i].text == NULL) {
            rf_test_reading_expect_stop(&reading, RF_FATAL, "TRUNCATE of ", "");
            assert_non_null(strstr(reading.err.hint, cases[i].folding == LOOSE
                                                         ? "lower_case_table_names="
                                                         : "tables="));
        } else {
            if (cases[i].text[0] != '\0') {
                rf_buf_printf(&text, "begin 0-1-1\n%send 0-1-1\n", cases[i].text);
            }
            rf_test_reading_expect(&reading, rf_buf_cstr(&text));
            assert_int_equal(reading.skipped, cases[i].text[0] == '\0');
        }
        rf_buf_deinit(&text);
        rf_pick_deinit(&loose);
        rf_test_reading_end(&reading);
    }
}

static void test_statements_are_read_in_their_character_set(void **context)
{
    enum { CP1251 = 51, GBK = 28, SJIS = 13, SWE7 = 10, ASCII = 11 };
    static const struct {
        unsigned charset;
        const char *patterns, *database, *statement, *text;
    } cases[] = {
        {CP1251, "shop.t", "x", "ALTER TABLE t COMMENT='\xcf'", ""},
        {CP1251, "shop.t", "x", "ALTER TABLE shop.t COMMENT='\xcf'",
         "1.0 ddl shop/t ALTER TABLE shop.t COMMENT='П'\n"},
        {CP1251, "shop.*", "x", "TRUNCATE shop.\xcf", "1.0 truncate shop.П\n"},
        {CP1251, "shop.t", "x", "TRUNCATE \xcf.t", ""},
        {CP1251, "shop.t", "x", "TRUNCATE shop.t -- \xcf", "1.0 truncate shop.t\n"},
        /* Their second byte looks like the end of a name or a text. */
        {GBK, "", "x", "TRUNCATE `\x81``.`shop`", "1.0 truncate 乣.shop\n"},
        {GBK, "shop.t", "x", "TRUNCATE `\x81``.`t`", ""},
        {GBK, "shop.*", "x", "TRUNCATE shop.`\x81\\`", "1.0 truncate shop.乗\n"},
        {SJIS, "x.t", "x",
         "SET STATEMENT sql_mode='\x95\\' FOR TRUNCATE x.t /* ' FOR TRUNCATE y.t */",
         "1.0 truncate x.t\n"},
        {SWE7, "shop", "shop", "ALTER TABLE t COMMENT='{'",
         "1.0 ddl shop/t ALTER TABLE t COMMENT='ä'\n"},
        {ASCII, "", "x", "DROP TABLE t /* \x81 */",
         "1.0 ddl x/t DROP TABLE t /* \xf4\x8f\xba\x81 */\n"},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_test_reading reading;
        struct rf_buf text = {0};
        rf_test_reading_begin(&reading, cases[i].patterns, "");
        rf_test_log_gtid(&reading.log, 0, 1, RF_TEST_STANDALONE);
        statement_in(&reading, cases[i].charset, cases[i].database, cases[i].statement);
        if (cases[i].text[0] != '\0') {
            rf_buf_printf(&text, "begin 0-1-1\n%send 0-1-1\n", cases[i].text);
        }
        rf_test_reading_expect(&reading, rf_buf_cstr(&text));
        assert_int_equal(reading.skipped, cases[i].text[0] == '\0');
        rf_buf_deinit(&text);
        rf_test_reading_end(&reading);
    }
}

static void test_unknown_character_sets_stop_only_where_something_is_picked(void **context)
{
    enum { UNKNOWN = 17 };
    static const struct {
        const char *patterns, *database, *statement;
        bool stops;
    } cases[] = {
        {"shop.t", "x", "ALTER TABLE t COMMENT='\xcf'", false},
        {"shop.t", "x", "DROP TABLE t /* \x81 */", false},
        {"shop.t", "x", "TRUNCATE x.\xcf", false},
        {"shop.t", "x", "TRUNCATE shop.\xcf", true},
        {"shop.t", "x", "TRUNCATE \xcf.t", true},
        {"shop.t", "x", "CREATE TABLE \xcf (a INT)", true},
        {"shop.t", "x", "TRUNCATE shop.u -- \xcf", false},
        {"shop.t", "x", "TRUNCATE shop.t -- \xcf", true},
        {"shop.t", "shop", "ALTER TABLE t COMMENT='\xcf'", true},
        {"shop.t", "x", "ALTER TABLE shop.t COMMENT='\xcf'", true},
        {"-x", "x", "ALTER TABLE t COMMENT='\xcf'", false},
        {"", "x", "ALTER TABLE t COMMENT='\xcf'", true},
        {"shop.t", "x", "TRUNCATE `\x81`.`shop`.`t`", true},
        {"shop.t", "x", "SET STATEMENT sql_mode='\x95\\' FOR TRUNCATE x.t", true},
        {"shop.t", "x", "DROP TABLE x.t, y.\x95\\", false},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_test_reading reading;
        rf_test_reading_begin(&reading, cases[i].patterns, "");
        rf_test_log_gtid(&reading.log, 0, 1, RF_TEST_STANDALONE);
        statement_in(&reading, UNKNOWN, cases[i].database, cases[i].statement);
        enum rf_status status = rf_test_reading_all(&reading);
        if (status != (cases[i].stops ? RF_FATAL : RF_AGAIN)) {
            fail_msg("%zu: %s: %s", i, rf_status_name(status), reading.err.message);
        }
        assert_string_equal(rf_buf_cstr(&reading.text), "");
        assert_int_equal(reading.skipped, !cases[i].stops);
        bool unread = strstr(reading.err.message, "a statement that is not known") != NULL;
        if (cases[i].stops && !unread) {
            assert_non_null(strstr(reading.err.message, "collation 17"));
            assert_non_null(strstr(reading.err.hint, "SET NAMES utf8mb4"));
            assert_non_null(strstr(reading.err.hint, "tables="));
        }
        rf_test_reading_end(&reading);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements_become_events),
        cmocka_unit_test(test_statements_are_filtered_by_what_they_may_touch),
        cmocka_unit_test(test_truncates_are_found_as_the_server_compares_names),
        cmocka_unit_test(test_statements_are_read_in_their_character_set),
        cmocka_unit_test(test_unknown_character_sets_stop_only_where_something_is_picked),
    };
    int failed = cmocka_run_group_tests_name("in memory", tests, NULL, NULL);
    rf_test_reading_memory_max = 300;
    return failed + cmocka_run_group_tests_name("in a file", tests, NULL, NULL);
}
