/* What a real server logs that stops the source, and that it is left out when it is named: rows
 * changed by statements, rows that were rolled back beside another engine, XA transactions. */
#include "lib/mariadb_subject.h"
#include "lib/source.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LIMIT_MS = 20000 };

extern const struct rf_source_type rf_source_mysql;

struct subject {
    struct rf_test_source source;
    struct rf_test_setting settings[4];
    struct rf_error err;
};

/* From the log's beginning. skip NULL: nothing. */
static void prepare(struct subject *subject, const char *skip)
{
    *subject = (struct subject){
        .settings = {{"user", "root"}, {"port", server.port}, {skip ? "skip" : NULL, skip}},
        .source = {.type = &rf_source_mysql, .from = "earliest"},
    };
    subject->source.settings = subject->settings;
}

/* It stops in front of the last row, and says in its hint how to get past. */
static void expect_stop_but(const char *skip, const char *message, const char *hint)
{
    struct subject subject;
    prepare(&subject, skip);
    assert_int_equal(rf_test_source_open(&subject.source, &subject.err), RF_OK);
    assert_int_equal(
        rf_test_source_until(&subject.source, "create shop.last", LIMIT_MS, &subject.err),
        RF_FATAL);
    if (strstr(subject.err.message, message) == NULL || strstr(subject.err.hint, hint) == NULL) {
        fail_msg("%s (%s)", subject.err.message, subject.err.hint);
    }
    rf_test_source_deinit(&subject.source);
}

static void expect_stop(const char *message, const char *hint)
{
    expect_stop_but(NULL, message, hint);
}

static void expect(const char *skip, const char *text, uint64_t waived)
{
    struct subject subject;
    prepare(&subject, skip);
    if (rf_test_source_open(&subject.source, &subject.err) != RF_OK ||
        rf_test_source_until(&subject.source, "create shop.last", LIMIT_MS, &subject.err) !=
            RF_OK) {
        fail_msg("%s (%s)", subject.err.message, subject.err.hint);
    }
    assert_string_equal(rf_buf_cstr(&subject.source.text), text);
    assert_int_equal(subject.source.waived, waived);
    rf_test_source_deinit(&subject.source);
}

static int fresh(void **context)
{
    (void)context;
    rf_test_sql(&server, "%s",
                "SET GLOBAL binlog_format='ROW';\n"
                "SET sql_log_bin=0;\n"
                "DROP DATABASE IF EXISTS shop;\n"
                "CREATE DATABASE shop;\n"
                "CREATE TABLE shop.t (a INT PRIMARY KEY) ENGINE=InnoDB;\n"
                "CREATE TABLE shop.m (a INT PRIMARY KEY) ENGINE=MyISAM;\n"
                "CREATE TABLE shop.last (a INT PRIMARY KEY) ENGINE=InnoDB;\n"
                "SET sql_log_bin=1;\n"
                "RESET MASTER");
    return 0;
}

static void test_rows_changed_by_statements_are_left_out(void **context)
{
    (void)context;
    rf_test_sql(&server, "%s",
                "SET binlog_format='STATEMENT';\n"
                "INSERT INTO shop.t VALUES (1);\n"
                "SET binlog_format='ROW';\n"
                "INSERT INTO shop.t VALUES (2);\n"
                "INSERT INTO shop.last VALUES (1)");
    expect_stop("INSERT INTO shop.t VALUES (1)", "skip=statements");
    const char *rest = "begin 0-1-2\n2.0 create shop.t 2\nend 0-1-2\n"
                       "begin 0-1-3\n2.0 create shop.last 1\nend 0-1-3\n";
    expect("statements", rest, 1);
    expect("0-1-1", rest, 2);
}

static void test_a_server_that_logs_statements_is_read_when_they_are_named(void **context)
{
    struct subject subject;
    (void)context;
    rf_test_sql(&server, "%s",
                "SET GLOBAL binlog_format='STATEMENT';\n"
                "INSERT INTO shop.t VALUES (1);\n"
                "INSERT INTO shop.last VALUES (1)");
    prepare(&subject, NULL);
    assert_int_equal(rf_test_source_open(&subject.source, &subject.err), RF_CONFIG);
    assert_non_null(strstr(subject.err.hint, "skip=statements"));
    rf_test_source_deinit(&subject.source);
    expect("statements",
           "begin 0-1-1\n2.0 create shop.t 1\nend 0-1-1\n"
           "begin 0-1-2\n2.0 create shop.last 1\nend 0-1-2\n",
           0);
}

static void test_rows_that_were_rolled_back_are_left_out(void **context)
{
    (void)context;
    rf_test_sql(&server, "%s",
                "BEGIN;\n"
                "INSERT INTO shop.t VALUES (10);\n"
                "INSERT INTO shop.m VALUES (1);\n"
                "SAVEPOINT s;\n"
                "INSERT INTO shop.t VALUES (11);\n"
                "INSERT INTO shop.m VALUES (2);\n"
                "ROLLBACK TO s;\n"
                "INSERT INTO shop.t VALUES (12);\n"
                "COMMIT;\n"
                "INSERT INTO shop.last VALUES (1)");
    expect_stop("ROLLBACK TO", "skip=rollbacks");
    /* Rows of MyISAM are transactions of their own. */
    expect("rollbacks",
           "begin 0-1-1\n2.0 create shop.m 1\nend 0-1-1\n"
           "begin 0-1-2\n2.0 create shop.m 2\nend 0-1-2\n"
           "begin 0-1-3\n2.0 create shop.t 10\n8.0 create shop.t 12\nend 0-1-3\n"
           "begin 0-1-4\n2.0 create shop.last 1\nend 0-1-4\n",
           1);
}

static void test_xa_transactions_are_left_out_by_their_two_gtids(void **context)
{
    (void)context;
    rf_test_sql(&server, "%s",
                "XA START 'x';\n"
                "INSERT INTO shop.t VALUES (1);\n"
                "XA END 'x';\n"
                "XA PREPARE 'x';\n"
                "XA COMMIT 'x';\n"
                "INSERT INTO shop.last VALUES (1)");
    /* Without the first one's rows the second one has nothing to commit. */
    expect_stop_but("0-1-1", "XA COMMIT", "skip=0-1-2");
    expect("0-1-1,0-1-2", "begin 0-1-3\n2.0 create shop.last 1\nend 0-1-3\n", 5);
}

static void test_a_name_that_is_none_is_refused_before_anything_is_contacted(void **context)
{
    struct subject subject;
    (void)context;
    prepare(&subject, "statments");
    subject.settings[1].value = "1"; /* no server there */
    assert_int_equal(rf_test_source_open(&subject.source, &subject.err), RF_CONFIG);
    assert_non_null(strstr(subject.err.message, "did you mean \"statements\"?"));
    rf_test_source_deinit(&subject.source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_rows_changed_by_statements_are_left_out, fresh),
        cmocka_unit_test_setup(test_a_server_that_logs_statements_is_read_when_they_are_named,
                               fresh),
        cmocka_unit_test_setup(test_rows_that_were_rolled_back_are_left_out, fresh),
        cmocka_unit_test_setup(test_xa_transactions_are_left_out_by_their_two_gtids, fresh),
        cmocka_unit_test(test_a_name_that_is_none_is_refused_before_anything_is_contacted),
    };
    return cmocka_run_group_tests(tests, start_server, end_server);
}
