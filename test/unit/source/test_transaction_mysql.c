#include "lib/mysql_log.h"
#include "lib/reading.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define U RF_TEST_UUID
#define ROW(number, a, b) \
    "begin " U ":" number "\n3.0 create shop.t " a "|" b "\nend " U ":" number "\n"

static void expect_position(const struct rf_test_reading *reading, const char *begin)
{
    struct rf_buf copy = {0};
    rf_buf_set(&copy, rf_buf_str(&reading->position));
    assert_non_null(strstr(rf_buf_cstr(&copy), begin));
    rf_buf_deinit(&copy);
}

static void test_a_transaction_is_what_lies_between_begin_and_xid(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin_mysql(&reading, "", 4);
    rf_test_log_mysql_row(&reading.log, 5, "shop", "t", 1);
    rf_test_log_mysql_gtid(&reading.log, 6, 0);
    rf_test_log_query(&reading.log, "shop", "BEGIN");
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 7, 1, true);
    rf_test_log_query(&reading.log, "shop", "COMMIT");
    rf_test_reading_expect(&reading, ROW("5", "1", "2") ROW("6", "7", "8"));
    expect_position(&reading, "mysql:gtid=" U ":1-6;file=bin.000001;start=");
    expect_position(&reading, ";last=" U ":6;");
    rf_test_reading_end(&reading);
}

static void test_a_statement_without_begin_is_a_transaction(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin_mysql(&reading, "", 0);
    rf_test_log_mysql_gtid(&reading.log, 1, 0);
    rf_test_log_query(&reading.log, "shop", "CREATE TABLE t (a INT)");
    rf_test_log_mysql_gtid(&reading.log, 2, 0);
    rf_test_log_query(&reading.log, "shop", "CREATE USER a IDENTIFIED BY 'b'");
    rf_test_log_mysql_row(&reading.log, 3, "shop", "t", 1);
    rf_test_reading_expect(&reading, "begin " U ":1\n1.0 ddl shop/t CREATE TABLE t (a INT)\n"
                                     "end " U ":1\n" ROW("3", "1", "2"));
    rf_test_reading_end(&reading);
}

/* CREATE TABLE ... SELECT: the statement stands within its transaction. */
static void test_a_statement_behind_begin_ends_nothing(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin_mysql(&reading, "", 0);
    rf_test_log_mysql_gtid(&reading.log, 1, 0);
    rf_test_log_query(&reading.log, "shop", "BEGIN");
    rf_test_log_query(&reading.log, "shop", "CREATE TABLE t (a INT, b INT) START TRANSACTION");
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    rf_test_log_xid(&reading.log);
    rf_test_reading_expect(&reading,
                           "begin " U ":1\n"
                           "2.0 ddl shop/t CREATE TABLE t (a INT, b INT) START TRANSACTION\n"
                           "4.0 create shop.t 1|2\nend " U ":1\n");
    rf_test_reading_end(&reading);
}

static void test_the_time_of_the_commit_has_microseconds_where_the_log_has_them(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    for (int said = 0; said < 2; said++) {
        rf_test_reading_begin_mysql(&reading, "", 0);
        rf_test_log_mysql_gtid(&reading.log, 1, said ? 1700000009123456 : 0);
        rf_test_log_query(&reading.log, "shop", "TRUNCATE t");
        assert_int_equal(rf_test_reading_one(&reading), RF_OK);
        int64_t wanted = said ? 1700000009123456 : 1700000000000000;
        assert_int_equal(reading.batch.transactions[0].commit_us, wanted);
        assert_int_equal(reading.batch.commit_us, wanted);
        rf_test_reading_end(&reading);
    }
}

static void test_packed_events_are_those_without(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin_mysql(&reading, "", 0);
    rf_test_log_mysql_gtid(&reading.log, 1, 0);
    size_t at = reading.log.log.size;
    rf_test_log_query(&reading.log, "shop", "BEGIN");
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    rf_test_log_xid(&reading.log);
    rf_test_log_pack(&reading.log, at);
    rf_test_log_mysql_row(&reading.log, 2, "shop", "t", 3);
    rf_test_reading_expect(&reading, ROW("1", "1", "2") ROW("2", "3", "4"));
    rf_test_reading_end(&reading);
}

/* Its place, its time and its checksum are those of the payload: a resume finds it again. */
static void test_a_resume_at_a_packed_transaction_compares_its_payload(void **context)
{
    struct rf_test_reading first, second;
    (void)context;
    rf_test_reading_begin_mysql(&first, "", 0);
    size_t begin = first.log.log.size;
    rf_test_log_mysql_gtid(&first.log, 1, 0);
    size_t at = first.log.log.size;
    first.log.time = 1700000001; /* of the events inside */
    rf_test_log_query(&first.log, "shop", "BEGIN");
    rf_test_log_xid(&first.log);
    first.log.time = 1700000002;
    rf_test_log_pack(&first.log, at);
    assert_int_equal(rf_test_reading_all(&first), RF_AGAIN);
    expect_position(&first, ";time=1700000002;");
    rf_test_log_mysql_row(&first.log, 2, "shop", "t", 3);
    rf_test_reading_resume(&second, &first, begin);
    rf_test_reading_expect(&second, ROW("2", "3", "4"));
    rf_test_reading_end(&second);
    rf_test_reading_end(&first);
}

static void pack_and_expect_stop(const char *message, void (*fill)(struct rf_test_log *log))
{
    struct rf_test_reading reading;
    rf_test_reading_begin_mysql(&reading, "", 0);
    rf_test_log_mysql_row(&reading.log, 1, "shop", "t", 1);
    rf_test_log_mysql_gtid(&reading.log, 2, 0);
    size_t at = reading.log.log.size;
    rf_test_log_query(&reading.log, "shop", "BEGIN");
    fill(&reading.log);
    rf_test_log_pack(&reading.log, at);
    rf_test_reading_expect_stop(&reading, RF_FATAL, message, ROW("1", "1", "2"));
    assert_non_null(strstr(reading.err.hint, "skip=" U ":2"));
    rf_test_reading_end(&reading);
}

static void fill_nothing(struct rf_test_log *log)
{
    (void)log;
}

static void fill_gtid(struct rf_test_log *log)
{
    rf_test_log_mysql_gtid(log, 3, 0);
}

static void fill_payload(struct rf_test_log *log)
{
    rf_test_log_event(log, 40, 0, "\0", 1);
}

static void fill_rotate(struct rf_test_log *log)
{
    rf_test_log_rotate(log, "bin.000009");
}

static void fill_too_much(struct rf_test_log *log)
{
    rf_test_log_xid(log);
    rf_test_log_xid(log);
}

static void fill_damage(struct rf_test_log *log)
{
    rf_test_log_insert(log, 99, 2, 1, 1, true);
}

static void test_a_payload_that_is_no_whole_transaction_stops(void **context)
{
    (void)context;
    pack_and_expect_stop("ends without a commit", fill_nothing);
    pack_and_expect_stop("a MYSQL_GTID event in it", fill_gtid);
    pack_and_expect_stop("a TRANSACTION_PAYLOAD event in it", fill_payload);
    pack_and_expect_stop("a ROTATE event in it", fill_rotate);
    pack_and_expect_stop("a XID event behind its end", fill_too_much);
    pack_and_expect_stop("table number 99", fill_damage);
}

static void test_a_payload_that_was_named_is_left_out_unread(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin_mysql(&reading, "", 0);
    rf_test_reading_skip(&reading, U ":1");
    rf_test_log_mysql_gtid(&reading.log, 1, 0);
    rf_test_log_event(&reading.log, 40, 0, "damage", 6);
    rf_test_log_mysql_row(&reading.log, 2, "shop", "t", 3);
    rf_test_reading_expect(&reading, ROW("2", "3", "4"));
    assert_int_equal(reading.waived, 1);
    expect_position(&reading, "mysql:gtid=" U ":1-2;");
    rf_test_reading_end(&reading);
}

static void test_transactions_come_in_any_order_but_each_once(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin_mysql(&reading, "", 0);
    rf_test_log_mysql_row(&reading.log, 2, "shop", "t", 1);
    rf_test_log_mysql_row(&reading.log, 1, "shop", "t", 3);
    rf_test_log_mysql_row(&reading.log, 4, "shop", "t", 5);
    rf_test_reading_expect(&reading, ROW("2", "1", "2") ROW("1", "3", "4") ROW("4", "5", "6"));
    expect_position(&reading, "mysql:gtid=" U ":1-2:4;");
    rf_test_log_mysql_row(&reading.log, 1, "shop", "t", 7);
    rf_test_reading_expect_stop(&reading, RF_FATAL, "comes a second time",
                                ROW("2", "1", "2") ROW("1", "3", "4") ROW("4", "5", "6"));
    rf_test_reading_end(&reading);
}

static void test_tagged_transactions_have_their_tag(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin_mysql(&reading, "", 3);
    rf_test_log_tagged_gtid(&reading.log, "night", 1);
    rf_test_log_query(&reading.log, "shop", "TRUNCATE t");
    rf_test_reading_expect(&reading,
                           "begin " U ":night:1\n1.0 truncate shop.t\nend " U ":night:1\n");
    expect_position(&reading, "mysql:gtid=" U ":1-3:night:1;");
    rf_test_reading_end(&reading);
}

static void test_a_transaction_without_a_gtid_is_known_by_its_place(void **context)
{
    struct rf_test_reading first, second;
    char text[256];
    (void)context;
    rf_test_reading_begin_mysql(&first, "", 0);
    size_t at = first.log.log.size;
    rf_test_log_mysql_row(&first.log, 0, "shop", "t", 1);
    snprintf(text, sizeof text, "begin bin.000001:%zu\n3.0 create shop.t 1|2\nend bin.000001:%zu\n",
             at, at);
    rf_test_reading_expect(&first, text);
    expect_position(&first, ";by=place");
    rf_test_log_mysql_row(&first.log, 0, "shop", "t", 3);
    rf_test_reading_resume(&second, &first, at);
    assert_int_equal(rf_test_reading_all(&second), RF_AGAIN);
    assert_non_null(strstr(rf_buf_cstr(&second.text), "create shop.t 3|4"));
    assert_null(strstr(rf_buf_cstr(&second.text), "create shop.t 1|2"));
    rf_test_reading_end(&second);
    rf_test_reading_end(&first);
}

static void test_a_gap_before_a_file_is_named(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin_mysql(&reading, "", 0);
    rf_test_log_mysql_row(&reading.log, 1, "shop", "t", 1);
    rf_test_log_rotate(&reading.log, "bin.000001");
    rf_test_log_previous(&reading.log, 3);
    rf_test_reading_expect_stop(&reading, RF_FATAL, "transactions " U ":2-3 lie before this file",
                                ROW("1", "1", "2"));
    rf_test_reading_end(&reading);
}

/* Without GTIDs the position moves on with the files, where nothing else would move it. */
static void test_without_gtids_a_new_file_is_a_new_place(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin_mysql(&reading, "", 0);
    rf_test_log_mysql_row(&reading.log, 0, "shop", "t", 1);
    rf_test_log_rotate(&reading.log, "bin.000002");
    rf_test_log_previous(&reading.log, 0);
    assert_int_equal(rf_test_reading_all(&reading), RF_AGAIN);
    expect_position(&reading, "mysql:gtid=;file=bin.000002;end=");
    expect_position(&reading, ";by=place");
    rf_test_reading_end(&reading);
}

static void test_an_xa_transaction_in_one_phase_is_one_as_others_are(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin_mysql(&reading, "", 0);
    rf_test_log_mysql_gtid(&reading.log, 1, 0);
    rf_test_log_query(&reading.log, "shop", "XA START X'61',X'',1");
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    rf_test_log_query(&reading.log, "shop", "XA END X'61',X'',1");
    rf_test_log_xa_prepare(&reading.log, true);
    rf_test_reading_expect(&reading, ROW("1", "1", "2"));
    rf_test_reading_end(&reading);
}

static void test_xa_transactions_that_were_named_are_left_out(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin_mysql(&reading, "", 0);
    rf_test_reading_skip(&reading, U ":1 " U ":2");
    rf_test_log_mysql_gtid(&reading.log, 1, 0);
    rf_test_log_query(&reading.log, "shop", "XA START X'61',X'',1");
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    rf_test_log_query(&reading.log, "shop", "XA END X'61',X'',1");
    rf_test_log_xa_prepare(&reading.log, false);
    rf_test_log_mysql_gtid(&reading.log, 2, 0);
    rf_test_log_query(&reading.log, "shop", "XA COMMIT X'61',X'',1");
    rf_test_log_mysql_row(&reading.log, 3, "shop", "t", 5);
    rf_test_reading_expect(&reading, ROW("3", "5", "6"));
    rf_test_reading_end(&reading);
}

static void test_events_of_the_other_kind_of_server_stop(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin_mysql(&reading, "", 0);
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_reading_expect_stop(&reading, RF_FATAL, "a transaction of MariaDB in a log of 9.7", "");
    rf_test_reading_end(&reading);
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_mysql_row(&reading.log, 1, "shop", "t", 1);
    rf_test_reading_expect_stop(&reading, RF_FATAL, "a transaction of MySQL in a log of 10.11", "");
    rf_test_reading_end(&reading);
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_previous(&reading.log, 1);
    rf_test_reading_expect_stop(&reading, RF_FATAL, "GTIDs of MySQL", "");
    rf_test_reading_end(&reading);
}

static void test_events_that_may_be_ignored_are(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    for (int ignorable = 0; ignorable < 2; ignorable++) {
        rf_test_reading_begin_mysql(&reading, "", 0);
        rf_test_log_mysql_row(&reading.log, 1, "shop", "t", 1);
        rf_test_log_event(&reading.log, 90, ignorable ? 0x80 : 0, "new", 3);
        rf_test_log_mysql_row(&reading.log, 2, "shop", "t", 3);
        if (ignorable) {
            rf_test_reading_expect(&reading, ROW("1", "1", "2") ROW("2", "3", "4"));
        } else {
            rf_test_reading_expect_stop(&reading, RF_FATAL, "type 90", ROW("1", "1", "2"));
        }
        rf_test_reading_end(&reading);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_transaction_is_what_lies_between_begin_and_xid),
        cmocka_unit_test(test_a_statement_without_begin_is_a_transaction),
        cmocka_unit_test(test_a_statement_behind_begin_ends_nothing),
        cmocka_unit_test(test_the_time_of_the_commit_has_microseconds_where_the_log_has_them),
        cmocka_unit_test(test_packed_events_are_those_without),
        cmocka_unit_test(test_a_resume_at_a_packed_transaction_compares_its_payload),
        cmocka_unit_test(test_a_payload_that_is_no_whole_transaction_stops),
        cmocka_unit_test(test_a_payload_that_was_named_is_left_out_unread),
        cmocka_unit_test(test_transactions_come_in_any_order_but_each_once),
        cmocka_unit_test(test_tagged_transactions_have_their_tag),
        cmocka_unit_test(test_a_transaction_without_a_gtid_is_known_by_its_place),
        cmocka_unit_test(test_a_gap_before_a_file_is_named),
        cmocka_unit_test(test_without_gtids_a_new_file_is_a_new_place),
        cmocka_unit_test(test_an_xa_transaction_in_one_phase_is_one_as_others_are),
        cmocka_unit_test(test_xa_transactions_that_were_named_are_left_out),
        cmocka_unit_test(test_events_of_the_other_kind_of_server_stop),
        cmocka_unit_test(test_events_that_may_be_ignored_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
