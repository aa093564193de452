/* The source `binlog` beside a server that is at work: its files are read where it writes them, as
 * they grow, over rotations, purges, a crash and a RESET MASTER. */
#include "base/clock.h"
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

extern const struct rf_source_type rf_source_mysql, rf_source_binlog;

static char index_path[300];

struct subject {
    struct rf_test_source source;
    struct rf_test_setting settings[4];
    struct rf_error err;
};

static void open_it(struct subject *subject)
{
    subject->err = (struct rf_error){0};
    if (rf_test_source_open(&subject->source, &subject->err) != RF_OK) {
        fail_msg("%s (%s)", subject->err.message, subject->err.hint);
    }
}

static void follow(struct subject *subject, const char *from)
{
    *subject = (struct subject){0};
    subject->source.type = &rf_source_binlog;
    subject->source.settings = subject->settings;
    subject->source.from = from;
    subject->settings[0] = (struct rf_test_setting){"path", index_path};
    subject->settings[1] = (struct rf_test_setting){"follow", "on"};
    open_it(subject);
}

static void until(struct subject *subject, const char *part)
{
    if (rf_test_source_until(&subject->source, part, LIMIT_MS, &subject->err) != RF_OK) {
        fail_msg("%s (%s)", subject->err.message, subject->err.hint);
    }
}

static void insert(int from, int to)
{
    for (int i = from; i <= to; i++) {
        rf_test_sql(&server, "INSERT INTO shop.t VALUES (%d, REPEAT('x', %d))", i, i % 7 * 900);
    }
}

static void end(struct subject *subject)
{
    rf_test_source_deinit(&subject->source);
}

static int fresh(void **context)
{
    (void)context;
    rf_test_sql(&server, "SET sql_log_bin=0;\nCREATE OR REPLACE DATABASE shop;\n"
                         "CREATE TABLE shop.t (a INT PRIMARY KEY, b TEXT);\n"
                         "SET sql_log_bin=1;\nRESET MASTER");
    return 0;
}

static void test_rotations_and_purges_lose_nothing_and_are_seen_soon(void **context)
{
    enum { ROUNDS = 30, ROWS = 10 };
    struct subject subject, other = {0};
    char part[32];
    (void)context;
    follow(&subject, "earliest");
    for (int round = 0; round < ROUNDS; round++) {
        insert(round * ROWS + 1, round * ROWS + ROWS);
        snprintf(part, sizeof part, "create shop.t %d|", round * ROWS + ROWS);
        int64_t begin_ms = rf_clock_ms();
        until(&subject, part);
        int64_t waited_ms = rf_clock_ms() - begin_ms;
        assert_true(waited_ms < 3000);
        rf_test_sql(&server,
                    round % 3 == 2 ? "FLUSH BINARY LOGS;\nFLUSH BINARY LOGS" : "FLUSH BINARY LOGS");
        if (round % 5 == 4) {
            char *file = rf_test_sql_ask(&server, "SHOW MASTER STATUS");
            rf_test_sql(&server, "PURGE BINARY LOGS TO '%s'", file);
            free(file);
        }
        if (round % 4 == 3) {
            rf_test_source_close(&subject.source);
            open_it(&subject);
        }
    }
    assert_int_equal(subject.source.events, ROUNDS * ROWS);
    /* A reader over the connection sees the same from the same place. */
    insert(9001, 9003);
    rf_buf_reset(&subject.source.text);
    other.source.type = &rf_source_mysql;
    other.source.settings = other.settings;
    other.settings[0] = (struct rf_test_setting){"user", "root"};
    other.settings[1] = (struct rf_test_setting){"port", server.port};
    rf_buf_set(&other.source.position, rf_buf_str(&subject.source.position));
    open_it(&other);
    until(&subject, "9003|");
    until(&other, "9003|");
    assert_string_equal(rf_buf_cstr(&subject.source.text), rf_buf_cstr(&other.source.text));
    assert_string_equal(rf_buf_cstr(&subject.source.position), rf_buf_cstr(&other.source.position));
    end(&subject);
    end(&other);
}

static void test_a_server_that_crashed_and_came_back_is_followed_on(void **context)
{
    struct subject subject;
    (void)context;
    follow(&subject, "earliest");
    insert(1, 3);
    until(&subject, "create shop.t 3|");
    for (int i = 0; i < 2; i++) {
        if (i == 0) {
            rf_test_mariadb_kill(&server);
        } else {
            rf_test_mariadb_stop(&server);
        }
        assert_int_equal(rf_test_source_drain(&subject.source, 200, &subject.err), RF_AGAIN);
        rf_test_mariadb_again(&server);
        insert(10 + i, 10 + i);
        until(&subject, i == 0 ? "create shop.t 10|" : "create shop.t 11|");
    }
    assert_int_equal(subject.source.events, 5);
    end(&subject);
}

static void test_a_reset_stops_the_following(void **context)
{
    struct subject subject;
    enum rf_status status;
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    (void)context;
    rf_test_sql(&server, "FLUSH BINARY LOGS");
    follow(&subject, "earliest");
    insert(1, 1);
    until(&subject, "create shop.t 1|");
    rf_test_sql(&server, "RESET MASTER");
    insert(2, 2);
    do {
        assert_true(rf_clock_ms() < until_ms);
        status = rf_test_source_read(&subject.source, 50, &subject.err);
    } while (status == RF_OK || status == RF_AGAIN);
    assert_int_equal(status, RF_FATAL);
    assert_non_null(strstr(subject.err.message, "bin.000002 was deleted"));
    assert_int_equal(subject.source.events, 1);
    /* Nor is it taken for a new beginning. */
    rf_test_source_close(&subject.source);
    assert_int_equal(rf_test_source_open(&subject.source, &subject.err), RF_FATAL);
    end(&subject);
}

static int start_with_index(void **context)
{
    int status = start_server(context);
    snprintf(index_path, sizeof index_path, "%s/data/bin.index", server.dir);
    return status;
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rotations_and_purges_lose_nothing_and_are_seen_soon),
        TEST(test_a_server_that_crashed_and_came_back_is_followed_on),
        TEST(test_a_reset_stops_the_following),
    };
    return cmocka_run_group_tests(tests, start_with_index, end_server);
}
