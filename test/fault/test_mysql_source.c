/* The source `mysql` against a real server: where it begins, what it hands over, what it
 * refuses. */
#include "base/clock.h"
#include "lib/mariadb_subject.h"
#include "source/position.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/subject.h"

enum { LIMIT_MS = 20000, QUIET_MS = 300 };

extern const struct rf_source_type rf_source_mysql, rf_source_binlog;

/* ---- Frame --------------------------------------------------------------------------------- */

static void prepare(struct subject *subject, const char *from)
{
    prepare_user(subject, &rf_source_mysql, "root", from, server.port);
}

static void open_at(struct subject *subject, const char *from)
{
    prepare(subject, from);
    open_it(subject);
}

/* At its position, as after a restart; what was handed over before is forgotten. */
static void reopen(struct subject *subject)
{
    rf_test_source_close(&subject->source);
    rf_buf_reset(&subject->source.text);
    open_it(subject);
}

static void expect(struct subject *subject, const char *text)
{
    struct rf_buf *came = &subject->source.text;
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    while (strlen(rf_buf_cstr(came)) < strlen(text)) {
        enum rf_status status = rf_test_source_read(&subject->source, 50, &subject->err);
        if ((status != RF_OK && status != RF_AGAIN) || rf_clock_ms() > until_ms) {
            fail_msg("%s: %s; this came: %s", rf_status_name(status), subject->err.message,
                     rf_buf_cstr(came));
        }
    }
    assert_string_equal(rf_buf_cstr(came), text);
}

static void expect_nothing(struct subject *subject)
{
    assert_int_equal(rf_test_source_drain(&subject->source, QUIET_MS, &subject->err), RF_AGAIN);
    assert_string_equal(rf_buf_cstr(&subject->source.text), "");
}

static void stopped(struct subject *subject, enum rf_status status, const char *message,
                    const char *hint)
{
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    enum rf_status got;
    do {
        got = rf_test_source_read(&subject->source, 50, &subject->err);
    } while ((got == RF_OK || got == RF_AGAIN) && rf_clock_ms() < until_ms);
    if (got != status) {
        fail_msg("%s instead of %s (%s): %s", rf_status_name(got), rf_status_name(status), message,
                 subject->err.message);
    }
    expect_words(&subject->err, message, hint);
}

/* Later than any time that was logged so far, in whole seconds. */
static void next_second(void)
{
    time_t begin = time(NULL);
    while (time(NULL) == begin) {
        poll(NULL, 0, 10);
    }
}

static char *ask(const char *question)
{
    static char *answer;
    free(answer);
    answer = rf_test_sql_ask(&server, "%s", question);
    return answer;
}

/* An empty log, and a table shop.t (a, b). */
static int fresh(void **context)
{
    (void)context;
    rf_test_sql(&server, "%s",
                "SET GLOBAL binlog_format='ROW', GLOBAL binlog_row_image='FULL', "
                "GLOBAL binlog_row_metadata='FULL', GLOBAL log_bin_compress=OFF;\n"
                "SET SESSION binlog_format='ROW', binlog_row_image='FULL', gtid_domain_id=0;\n"
                "SET sql_log_bin=0;\n"
                "DROP DATABASE IF EXISTS shop;\n"
                "CREATE DATABASE shop;\n"
                "CREATE TABLE shop.t (a INT PRIMARY KEY, b VARCHAR(50));\n"
                "CREATE TABLE shop.u (a INT PRIMARY KEY, b VARCHAR(50));\n"
                "CREATE TABLE shop.m (a INT PRIMARY KEY) ENGINE=MyISAM;\n"
                "SET sql_log_bin=1;\n"
                "USE shop;\n"
                "RESET MASTER");
    return 0;
}

static void insert(int a)
{
    rf_test_sql(&server, "INSERT INTO shop.t VALUES (%d, 'row %d')", a, a);
}

/* The server keeps files that it may still need itself for a moment. */
static void purge_to(const char *file)
{
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    do {
        rf_test_sql(&server, "PURGE BINARY LOGS TO '%s'", file);
        assert_true(rf_clock_ms() < until_ms);
    } while (strcmp(ask("SHOW BINARY LOGS"), file) != 0);
}

/* ---- Where it begins ----------------------------------------------------------------------- */

static void test_now_begins_behind_everything(void **context)
{
    struct subject subject;
    (void)context;
    insert(1);
    open_at(&subject, "now");
    assert_non_null(
        strstr(rf_buf_cstr(&subject.source.position), "gtid=0-1-1;file=bin.000001;end="));
    expect_nothing(&subject);
    insert(2);
    expect(&subject, "begin 0-1-2\n2.0 create shop.t 2|row 2\nend 0-1-2\n");
    end(&subject);
}

static void test_earliest_begins_with_the_first_file(void **context)
{
    struct subject subject;
    (void)context;
    insert(1);
    rf_test_sql(&server, "FLUSH BINARY LOGS");
    insert(2);
    open_at(&subject, "earliest");
    expect(&subject, "begin 0-1-1\n2.0 create shop.t 1|row 1\nend 0-1-1\n"
                     "begin 0-1-2\n2.0 create shop.t 2|row 2\nend 0-1-2\n");
    end(&subject);
    /* The first file that there is, with what lies before it in the position. */
    purge_to("bin.000002");
    open_at(&subject, "earliest");
    assert_non_null(
        strstr(rf_buf_cstr(&subject.source.position), "gtid=0-1-1;file=bin.000002;end=4;"));
    expect(&subject, "begin 0-1-2\n2.0 create shop.t 2|row 2\nend 0-1-2\n");
    end(&subject);
}

static void test_a_place_must_be_where_a_transaction_begins(void **context)
{
    static const char question[] = "SHOW MASTER STATUS";
    struct subject subject;
    char place[64];
    (void)context;
    uint64_t ends[4] = {0};
    for (int i = 0; i < 4; i++) {
        struct rf_mysql_result result = {0};
        if (i > 0) {
            insert(i);
        }
        struct rf_error err = {0};
        ask("SELECT 1");
        assert_int_equal(rf_mysql_query(&server.client, question, 0, &result, &err), RF_OK);
        assert_true(rf_mysql_result_next(&result));
        assert_true(rf_str_to_u64(rf_mysql_result_cell(&result, 1), &ends[i]));
        rf_mysql_result_deinit(&result);
    }
    for (uint64_t at = 4; at <= ends[3] + 1; at++) {
        bool good = at == 4 || at == ends[0] || at == ends[1] || at == ends[2] || at == ends[3];
        snprintf(place, sizeof place, "bin.000001:%llu", (unsigned long long)at);
        prepare(&subject, place);
        enum rf_status status = rf_test_source_open(&subject.source, &subject.err);
        /* Between format description, GTID_LIST and checkpoint is a good place too. */
        if (at > 4 && at < ends[0] && status == RF_OK) {
            good = true;
        }
        if (status != (good ? RF_OK : RF_CONFIG)) {
            fail_msg("%s: %s %s", place, rf_status_name(status), subject.err.message);
        }
        if (good) {
            struct rf_buf text = {0};
            for (int i = 1; i < 4; i++) {
                if (at <= ends[i - 1]) {
                    rf_buf_printf(&text, "begin 0-1-%d\n2.0 create shop.t %d|row %d\nend 0-1-%d\n",
                                  i, i, i, i);
                }
            }
            expect(&subject, rf_buf_cstr(&text));
            rf_buf_deinit(&text);
        }
        end(&subject);
    }
    prepare(&subject, "bin.000009:4");
    refused(&subject, RF_CONFIG, "bin.000009", "SHOW BINLOG EVENTS");
    end(&subject);
}

static void test_gtids_say_where_to_begin(void **context)
{
    struct subject subject;
    (void)context;
    insert(1);
    rf_test_sql(&server, "SET gtid_domain_id=7;\nINSERT INTO shop.t VALUES (2, 'b');\n"
                         "FLUSH BINARY LOGS;\nINSERT INTO shop.t VALUES (3, 'c')");
    open_at(&subject, "0-1-1,7-1-1");
    expect(&subject, "begin 7-1-2\n2.0 create shop.t 3|c\nend 7-1-2\n");
    end(&subject);
    open_at(&subject, "0-1-1");
    expect(&subject, "begin 7-1-1\n2.0 create shop.t 2|b\nend 7-1-1\n"
                     "begin 7-1-2\n2.0 create shop.t 3|c\nend 7-1-2\n");
    end(&subject);
    prepare(&subject, "0-1-99");
    refused(&subject, RF_CONFIG, "0-1-99", "");
    end(&subject);
    prepare(&subject, "0-5-1");
    refused(&subject, RF_CONFIG, "0-5-1", "");
    end(&subject);
    prepare(&subject, "yesterday");
    refused(&subject, RF_CONFIG, "yesterday", "earliest");
    end(&subject);
}

static void insert_in_domain(int domain, int a)
{
    rf_test_sql(&server, "SET gtid_domain_id=%d", domain);
    insert(a);
}

/* As after a fail-over to a server whose log has the domains in another order: behind the place lie
 * transactions that were read elsewhere. */
static void test_what_lies_behind_the_place_and_was_read_is_left_out(void **context)
{
    struct subject subject;
    struct rf_test_source file = {.type = &rf_source_binlog, .from = "0-1-2", .batch_bytes_max = 1};
    char path[512];
    struct rf_test_setting settings[] = {{"path", path}, {0}};
    struct rf_error err = {0};
    const char *rest = "begin 7-1-2\n2.0 create shop.t 4|row 4\nend 7-1-2\n"
                       "begin 0-1-3\n2.0 create shop.t 5|row 5\nend 0-1-3\n";
    (void)context;
    insert_in_domain(0, 1);
    insert_in_domain(7, 2);
    insert_in_domain(0, 3);
    insert_in_domain(7, 4);
    insert_in_domain(0, 5);
    prepare(&subject, "0-1-2");
    subject.source.batch_bytes_max = 1;
    assert_int_equal(rf_test_source_open(&subject.source, &subject.err), RF_OK);
    assert_int_equal(rf_test_source_until(&subject.source, "end 7-1-1", LIMIT_MS, &subject.err),
                     RF_OK);
    assert_non_null(strstr(rf_buf_cstr(&subject.source.position), "gtid=0-1-2,7-1-1;file="));
    assert_non_null(strstr(rf_buf_cstr(&subject.source.position), ";by=gtid"));
    reopen(&subject);
    expect(&subject, rest);
    end(&subject);

    snprintf(path, sizeof path, "%s/data/bin.000001", server.dir);
    rf_test_sql(&server, "FLUSH BINARY LOGS");
    file.settings = settings;
    assert_int_equal(rf_test_source_open(&file, &err), RF_OK);
    assert_int_equal(rf_test_source_until(&file, "end 7-1-1", LIMIT_MS, &err), RF_OK);
    assert_non_null(strstr(rf_buf_cstr(&file.position), ";by=gtid"));
    rf_test_source_close(&file);
    rf_buf_reset(&file.text);
    assert_int_equal(rf_test_source_open(&file, &err), RF_OK);
    assert_int_equal(rf_test_source_drain(&file, 0, &err), RF_OK);
    assert_string_equal(rf_buf_cstr(&file.text), rest);
    rf_test_source_deinit(&file);
}

static void test_a_resume_at_any_position_neither_repeats_nor_loses(void **context)
{
    enum { COUNT = 12 };
    struct subject subject;
    struct rf_buf all = {0}, pieces = {0};
    (void)context;
    for (int i = 0; i < COUNT; i++) {
        insert(i);
        rf_test_sql(&server, i % 4 == 3   ? "FLUSH BINARY LOGS"
                             : i % 4 == 2 ? "ALTER TABLE shop.t COMMENT='x'"
                                          : "UPDATE shop.t SET b=CONCAT(b, 'x')");
    }
    open_at(&subject, "earliest");
    assert_int_equal(rf_test_source_until(&subject.source, "row 11", LIMIT_MS, &subject.err),
                     RF_OK);
    assert_int_equal(rf_test_source_drain(&subject.source, QUIET_MS, &subject.err), RF_AGAIN);
    rf_buf_set(&all, rf_buf_str(&subject.source.text));
    end(&subject);

    prepare(&subject, "earliest");
    subject.source.batch_bytes_max = 1;
    open_it(&subject);
    while (pieces.size < all.size) {
        assert_int_equal(rf_test_source_until(&subject.source, "end", LIMIT_MS, &subject.err),
                         RF_OK);
        rf_buf_add_str(&pieces, rf_buf_str(&subject.source.text));
        reopen(&subject);
    }
    assert_string_equal(rf_buf_cstr(&pieces), rf_buf_cstr(&all));
    expect_nothing(&subject);
    end(&subject);
    rf_buf_deinit(&all);
    rf_buf_deinit(&pieces);
}

static void test_a_resume_without_a_transaction_behind_it_works_too(void **context)
{
    struct subject subject;
    (void)context;
    open_at(&subject, "now");
    assert_non_null(strstr(rf_buf_cstr(&subject.source.position), "gtid=;file=bin.000001;end="));
    insert(1);
    reopen(&subject);
    expect(&subject, "begin 0-1-1\n2.0 create shop.t 1|row 1\nend 0-1-1\n");
    end(&subject);
}

/* ---- What it hands over -------------------------------------------------------------------- */

static void test_file_and_server_tell_the_same(void **context)
{
    struct subject live;
    struct rf_test_source file = {.type = &rf_source_binlog, .from = "earliest"};
    char path[512];
    struct rf_test_setting settings[] = {{"path", path}, {0}};
    struct rf_error err = {0};
    (void)context;
    rf_test_sql(
        &server, "%s",
        "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, NULL);\n"
        "UPDATE t SET b='z' WHERE a < 3;\n"
        "CREATE TABLE v (x INT UNSIGNED PRIMARY KEY, y DECIMAL(10,2)) AS SELECT 7 x, 1.5 y;\n"
        "ALTER TABLE v ADD z DATETIME;\n"
        "BEGIN;\n"
        "INSERT INTO v VALUES (8, -2, '2024-02-29 12:00:00');\n"
        "DELETE FROM t WHERE a=2;\n"
        "COMMIT;\n"
        "RENAME TABLE v TO w, u TO v;\n"
        "TRUNCATE TABLE w;\n"
        "INSERT INTO m VALUES (1);\n"
        "DROP TABLE w;\n"
        "CREATE USER nobody@localhost IDENTIFIED BY 'secret';\n"
        "DROP USER nobody@localhost;\n"
        "FLUSH BINARY LOGS");
    open_at(&live, "earliest");
    assert_int_equal(rf_test_source_until(&live.source, "end 0-1-9", LIMIT_MS, &live.err), RF_OK);
    assert_int_equal(rf_test_source_drain(&live.source, QUIET_MS, &live.err), RF_AGAIN);

    snprintf(path, sizeof path, "%s/data/bin.000001", server.dir);
    file.settings = settings;
    assert_int_equal(rf_test_source_open(&file, &err), RF_OK);
    assert_int_equal(rf_test_source_drain(&file, 0, &err), RF_OK);
    assert_string_equal(rf_buf_cstr(&live.source.text), rf_buf_cstr(&file.text));
    assert_string_equal(rf_buf_cstr(&live.source.position), rf_buf_cstr(&file.position));
    assert_null(strstr(rf_buf_cstr(&file.text), "secret"));
    assert_int_equal(live.source.skipped, 2);
    assert_string_equal(rf_buf_cstr(&file.text),
                        "begin 0-1-1\n2.0 create shop.t 1|a\n2.1 create shop.t 2|b\n"
                        "2.2 create shop.t 3|NULL\nend 0-1-1\n"
                        "begin 0-1-2\n2.0 update shop.t 1|a > 1|z\n2.1 update shop.t 2|b > 2|z\n"
                        "end 0-1-2\n"
                        "begin 0-1-3\n1.0 ddl shop/v CREATE TABLE `v` (\n"
                        "  `x` int(10) unsigned NOT NULL,\n  `y` decimal(10,2) DEFAULT NULL,\n"
                        "  PRIMARY KEY (`x`)\n)\n3.0 create shop.v 7|1.50\nend 0-1-3\n"
                        "begin 0-1-4\n1.0 ddl shop/v ALTER TABLE v ADD z DATETIME\nend 0-1-4\n"
                        "begin 0-1-5\n2.0 create shop.v 8|-2.00|2024-02-29 12:00:00\n"
                        "4.0 delete shop.t 2|z\nend 0-1-5\n"
                        "begin 0-1-6\n1.0 ddl shop/ RENAME TABLE v TO w, u TO v\nend 0-1-6\n"
                        "begin 0-1-7\n1.0 truncate shop.w\nend 0-1-7\n"
                        "begin 0-1-8\n2.0 create shop.m 1\nend 0-1-8\n"
                        "begin 0-1-9\n1.0 ddl shop/w DROP TABLE `w` /* generated by server */\n"
                        "end 0-1-9\n");
    rf_test_source_deinit(&file);
    end(&live);
}

static void test_a_file_goes_on_where_the_server_was_left(void **context)
{
    struct subject live;
    struct rf_test_source file = {.type = &rf_source_binlog};
    char path[512];
    struct rf_test_setting settings[] = {{"path", path}, {0}};
    struct rf_error err = {0};
    (void)context;
    insert(1);
    open_at(&live, "earliest");
    expect(&live, "begin 0-1-1\n2.0 create shop.t 1|row 1\nend 0-1-1\n");
    insert(2);
    rf_test_sql(&server, "FLUSH BINARY LOGS");
    insert(3);
    rf_test_sql(&server, "FLUSH BINARY LOGS");
    file.settings = settings;
    for (int i = 1; i <= 2; i++) {
        snprintf(path, sizeof path, "%s/data/bin.00000%d", server.dir, i);
        rf_buf_set(&file.position, rf_buf_str(i == 1 ? &live.source.position : &file.position));
        struct rf_buf kept = file.position;
        file.position = (struct rf_buf){0};
        rf_buf_set(&file.position, rf_buf_str(&kept));
        rf_buf_deinit(&kept);
        assert_int_equal(rf_test_source_open(&file, &err), RF_OK);
        assert_int_equal(rf_test_source_drain(&file, 0, &err), RF_OK);
        rf_test_source_close(&file);
    }
    assert_string_equal(rf_buf_cstr(&file.text),
                        "begin 0-1-2\n2.0 create shop.t 2|row 2\nend 0-1-2\n"
                        "begin 0-1-3\n2.0 create shop.t 3|row 3\nend 0-1-3\n");
    /* A file that begins later than the position: what lies between was never seen. */
    rf_test_sql(&server, "FLUSH BINARY LOGS");
    rf_buf_set(&file.position, rf_buf_str(&live.source.position));
    snprintf(path, sizeof path, "%s/data/bin.000003", server.dir);
    assert_int_equal(rf_test_source_open(&file, &err), RF_FATAL);
    expect_words(&err, "gap", "");
    rf_test_source_deinit(&file);
    end(&live);
}

static void test_only_picked_tables_are_handed_over(void **context)
{
    struct subject subject;
    (void)context;
    prepare(&subject, "earliest");
    set(&subject, "path", "shop");
    set(&subject, "tables", "-shop.u,-shop.m");
    open_it(&subject);
    rf_test_sql(&server, "%s",
                "INSERT INTO u VALUES (1, 'u');\nINSERT INTO t VALUES (1, 't');\n"
                "BEGIN;\nINSERT INTO u VALUES (2, 'u');\nINSERT INTO t VALUES (2, 't');\nCOMMIT;\n"
                "TRUNCATE u;\nTRUNCATE t");
    expect(&subject, "begin 0-1-2\n2.0 create shop.t 1|t\nend 0-1-2\n"
                     "begin 0-1-3\n4.0 create shop.t 2|t\nend 0-1-3\n"
                     "begin 0-1-5\n1.0 truncate shop.t\nend 0-1-5\n");
    assert_int_equal(subject.source.skipped, 3);
    end(&subject);
}

static void test_the_position_moves_while_all_is_filtered(void **context)
{
    struct subject subject;
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    (void)context;
    prepare(&subject, "now");
    set(&subject, "tables", "no.such");
    open_it(&subject);
    for (int i = 0; i < 20; i++) {
        insert(i);
    }
    while (strstr(rf_buf_cstr(&subject.source.position), "gtid=0-1-20;") == NULL) {
        enum rf_status status = rf_test_source_read(&subject.source, 50, &subject.err);
        assert_true(status == RF_OK || status == RF_AGAIN);
        assert_true(rf_clock_ms() < until_ms);
    }
    assert_int_equal(subject.source.events, 0);
    assert_int_equal(subject.source.skipped, 20);
    end(&subject);
}

static void test_rows_meet_the_definition_that_they_were_written_with(void **context)
{
    struct subject subject;
    (void)context;
    rf_test_sql(&server, "%s",
                "INSERT INTO t VALUES (1, 'a');\n"
                "ALTER TABLE t ADD c INT FIRST;\n"
                "INSERT INTO t VALUES (9, 2, 'b');\n"
                "ALTER TABLE t DROP COLUMN b;\n"
                "INSERT INTO t VALUES (8, 3);\n"
                "RENAME TABLE t TO x, u TO t, x TO u;\n"
                "INSERT INTO t VALUES (4, 'was u');\n"
                "INSERT INTO u VALUES (7, 5);\n"
                "DROP TABLE t;\n"
                "CREATE TABLE t (b VARCHAR(9), a INT PRIMARY KEY);\n"
                "INSERT INTO t VALUES ('new', 6)");
    open_at(&subject, "earliest");
    assert_int_equal(rf_test_source_until(&subject.source, "new|6", LIMIT_MS, &subject.err), RF_OK);
    static const char *const rows[] = {"shop.t 1|a\n",     "shop.t 9|2|b\n", "shop.t 8|3\n",
                                       "shop.t 4|was u\n", "shop.u 7|5\n",   "shop.t new|6\n"};
    const char *at = rf_buf_cstr(&subject.source.text);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        at = strstr(at, rows[i]);
        assert_non_null(at);
    }
    end(&subject);
}

static void test_a_large_transaction_comes_in_pieces_and_in_order(void **context)
{
    enum { ROWS = 30000 };
    struct subject subject;
    bool begun = false, ended = false;
    int64_t next = 1, until_ms = rf_clock_ms() + LIMIT_MS;
    uint32_t pieces = 0;
    (void)context;
    prepare(&subject, "now");
    subject.source.batch_bytes_max = 512 * 1024;
    subject.source.quiet = true;
    open_it(&subject);
    rf_test_sql(&server, "INSERT INTO t SELECT seq, REPEAT('x', 40) FROM seq_1_to_%d", ROWS);
    insert(ROWS + 1);
    while (!ended) {
        enum rf_status status = rf_test_source_read(&subject.source, 50, &subject.err);
        assert_true(status == RF_OK || status == RF_AGAIN);
        assert_true(rf_clock_ms() < until_ms);
        const struct rf_batch *batch = &subject.source.batch;
        for (uint32_t i = 0; status == RF_OK && i < batch->transaction_count; i++) {
            const struct rf_transaction *transaction = &batch->transactions[i];
            if (!rf_str_equal(transaction->id, RF_STR("0-1-1"))) {
                continue;
            }
            assert_true(transaction->begins != begun);
            begun = true;
            ended = transaction->ends;
            pieces++;
            for (uint32_t k = 0; k < transaction->count; k++) {
                assert_int_equal(batch->events[transaction->first + k].after[0].i, next);
                next++;
            }
        }
    }
    assert_int_equal(next, ROWS + 1);
    assert_true(pieces > 3);
    end(&subject);
}

static void test_a_read_honours_its_deadline_and_hands_over_what_is_there(void **context)
{
    struct subject subject;
    (void)context;
    prepare(&subject, "now");
    set(&subject, "heartbeat", "100");
    open_it(&subject);
    int64_t begin_ms = rf_clock_ms();
    assert_int_equal(rf_test_source_read(&subject.source, 400, &subject.err), RF_AGAIN);
    int64_t waited_ms = rf_clock_ms() - begin_ms;
    assert_true(waited_ms >= 400 && waited_ms < 2000);
    insert(1);
    begin_ms = rf_clock_ms();
    assert_int_equal(rf_test_source_read(&subject.source, 15000, &subject.err), RF_OK);
    assert_true(rf_clock_ms() - begin_ms < 5000);
    end(&subject);
}

static void test_a_batch_of_one_byte_has_at_most_one_transaction(void **context)
{
    enum { TRANSACTIONS = 9 };
    struct subject subject;
    (void)context;
    prepare(&subject, "earliest");
    subject.source.batch_bytes_max = 1;
    open_it(&subject);
    for (int i = 1; i <= TRANSACTIONS; i++) {
        insert(i);
    }
    for (uint64_t seen = 0; seen < TRANSACTIONS;) {
        uint64_t before = subject.source.transactions;
        enum rf_status status = rf_test_source_read(&subject.source, LIMIT_MS, &subject.err);
        assert_int_equal(status, RF_OK);
        assert_true(subject.source.transactions - before <= 1);
        seen = subject.source.transactions;
    }
    end(&subject);
}

static void test_a_quiet_server_is_known_to_be_read_to_its_end_within_two_seconds(void **context)
{
    struct subject subject;
    (void)context;
    open_at(&subject, "now");
    for (int i = 1; i <= 2; i++) {
        uint64_t before;
        insert(i);
        while (subject.source.events < (uint64_t)i) {
            assert_int_equal(rf_test_source_read(&subject.source, LIMIT_MS, &subject.err), RF_OK);
        }
        before = subject.source.currents;
        int64_t begin_ms = rf_clock_ms();
        while (subject.source.currents == before) {
            assert_int_equal(rf_test_source_read(&subject.source, 10, &subject.err), RF_AGAIN);
            assert_true(rf_clock_ms() - begin_ms < LIMIT_MS);
        }
        int64_t waited_ms = rf_clock_ms() - begin_ms;
        assert_true(waited_ms < 2000);
    }
    end(&subject);
}

static void test_it_never_claims_to_be_at_the_end_while_more_is_there(void **context)
{
    enum { ROWS = 300 };
    struct subject subject;
    (void)context;
    for (int i = 1; i <= ROWS; i++) {
        insert(i);
    }
    prepare(&subject, "earliest");
    set(&subject, "heartbeat", "100");
    subject.source.quiet = true;
    subject.source.batch_bytes_max = 1;
    open_it(&subject);
    while (subject.source.currents == 0) {
        enum rf_status status = rf_test_source_read(&subject.source, 20, &subject.err);
        assert_true(status == RF_OK || status == RF_AGAIN);
    }
    assert_true(subject.source.events >= ROWS);
    end(&subject);
}

static void test_a_reader_is_seen_among_the_replicas_as_long_as_it_reads(void **context)
{
    struct subject subject;
    (void)context;
    prepare(&subject, "now");
    set(&subject, "server_id", "4711");
    open_it(&subject);
    rf_test_replicas_wait(&server, "4711 rowferry-test\n");
    end(&subject);
    rf_test_replicas_wait(&server, "");
}

static void test_feeds_of_one_number_do_not_throw_each_other_out(void **context)
{
    struct subject first, second;
    (void)context;
    prepare(&first, "now");
    set(&first, "server_id", "4294967295"); /* the next number is 1 more than there are... */
    open_it(&first);
    prepare(&second, "now");
    set(&second, "server_id", "4294967295");
    second.source.feed = 2; /* ... so they go on at 1, which is the server's own, and 2 */
    open_it(&second);
    for (int i = 1; i <= 3; i++) {
        insert(i);
        while (first.source.events < (uint64_t)i || second.source.events < (uint64_t)i) {
            enum rf_status one = rf_test_source_read(&first.source, 20, &first.err);
            enum rf_status other = rf_test_source_read(&second.source, 20, &second.err);
            assert_true(one == RF_OK || one == RF_AGAIN);
            assert_true(other == RF_OK || other == RF_AGAIN);
        }
    }
    assert_string_equal(rf_buf_cstr(&first.source.text), rf_buf_cstr(&second.source.text));
    end(&first);
    end(&second);
}

/* ---- What it refuses ----------------------------------------------------------------------- */

static void test_settings_are_checked_with_the_statement_that_mends_them(void **context)
{
    static const struct {
        const char *bad, *message, *hint;
    } cases[] = {
        {"SET GLOBAL binlog_format='STATEMENT'", "STATEMENT", "SET GLOBAL binlog_format='ROW'"},
        {"SET GLOBAL binlog_format='MIXED'", "MIXED", "SET GLOBAL binlog_format='ROW'"},
        {"SET GLOBAL binlog_row_image='MINIMAL'", "MINIMAL", "SET GLOBAL binlog_row_image='FULL'"},
        {"SET GLOBAL binlog_row_image='NOBLOB'", "NOBLOB", "SET GLOBAL binlog_row_image='FULL'"},
        {"SET GLOBAL binlog_row_metadata='NO_LOG'", "NO_LOG",
         "SET GLOBAL binlog_row_metadata='FULL'"},
        {"SET GLOBAL binlog_row_metadata='MINIMAL'", "MINIMAL",
         "SET GLOBAL binlog_row_metadata='FULL'"},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct subject subject;
        rf_test_sql(&server, "%s", cases[i].bad);
        prepare(&subject, "now");
        set(&subject, "schema", "log");
        subject.source.whole = true;
        refused(&subject, RF_CONFIG, cases[i].message, cases[i].hint);
        assert_false(subject.err.access || subject.err.connect);
        /* The hint is a statement to copy, and does what it says. */
        char *statement = strstr(subject.err.hint, "SET GLOBAL"), *rest = strchr(statement, ';');
        rf_test_sql(&server, "%.*s", rest ? (int)(rest - statement) : 500, statement);
        open_it(&subject);
        end(&subject);
    }
}

static void test_a_wrong_password_is_an_access_error(void **context)
{
    struct subject subject;
    (void)context;
    rf_test_sql(&server, "CREATE OR REPLACE USER cdc@'%%' IDENTIFIED BY 'right';\n"
                         "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO cdc@'%%'");
    prepare(&subject, "now");
    set(&subject, "user", "cdc");
    set(&subject, "password", "wrong");
    refused(&subject, RF_CONFIG, "Access denied", "password");
    assert_true(subject.err.access);
    assert_null(strstr(subject.err.message, "wrong"));
    set(&subject, "password", "right");
    open_it(&subject);
    end(&subject);
    prepare(&subject, "now");
    set(&subject, "user", "nosuchuser");
    refused(&subject, RF_CONFIG, "Access denied", "");
    assert_true(subject.err.access);
    end(&subject);
}

/* The session that reads goes on; the next log-in is refused, and says why, whichever way the
 * server treats such a user. */
static void test_a_password_that_expires_is_an_access_error_at_the_next_log_in(void **context)
{
    (void)context;
    for (int disconnects = 0; disconnects < 2; disconnects++) {
        struct subject subject;
        rf_test_sql(&server,
                    "SET GLOBAL disconnect_on_expired_password=%d;\n"
                    "CREATE OR REPLACE USER cdc@'%%' IDENTIFIED BY 'right';\n"
                    "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO cdc@'%%';\n"
                    "RESET MASTER",
                    disconnects);
        prepare(&subject, "now");
        set(&subject, "user", "cdc");
        set(&subject, "password", "right");
        open_it(&subject);
        rf_test_sql(&server, "SET sql_log_bin=0;\nALTER USER cdc@'%%' PASSWORD EXPIRE;\n"
                             "SET sql_log_bin=1");
        insert(10 + disconnects);
        assert_int_equal(rf_test_source_until(&subject.source, "|row 1", LIMIT_MS, &subject.err),
                         RF_OK);
        rf_test_source_close(&subject.source);
        refused(&subject, RF_CONFIG, "password has expired", "ALTER USER");
        assert_true(subject.err.access);
        assert_null(strstr(subject.err.message, "right"));
        rf_test_sql(&server, "ALTER USER cdc@'%%' IDENTIFIED BY 'new'");
        set(&subject, "password", "new");
        open_it(&subject);
        end(&subject);
    }
    rf_test_sql(&server, "DROP USER cdc@'%%';\nSET GLOBAL disconnect_on_expired_password=0");
}

static void test_missing_grants_are_named_and_their_statement_helps(void **context)
{
    static const char *const grants[] = {"", "REPLICATION SLAVE", "BINLOG MONITOR"};
    (void)context;
    for (size_t i = 0; i < sizeof grants / sizeof *grants; i++) {
        struct subject subject;
        rf_test_sql(&server, "CREATE OR REPLACE USER 'c`d\"c'@'%%'");
        if (grants[i][0] != '\0') {
            rf_test_sql(&server, "GRANT %s ON *.* TO 'c`d\"c'@'%%'", grants[i]);
        }
        prepare(&subject, "now");
        set(&subject, "user", "c`d\"c");
        refused(&subject, RF_CONFIG, "ccess denied",
                "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.*");
        rf_test_sql(&server, "%s", strstr(subject.err.hint, "GRANT"));
        open_it(&subject);
        end(&subject);
    }
    rf_test_sql(&server, "DROP USER 'c`d\"c'@'%%'");
}

static void test_what_sessions_may_still_do_stops_by_name(void **context)
{
    static const struct {
        enum rf_status status;
        const char *message, *statements;
    } cases[] = {
        {RF_FATAL, "INSERT INTO shop.t VALUES (5, 'five')",
         "SET SESSION binlog_format='STATEMENT';\nINSERT INTO shop.t VALUES (5, 'five')"},
        {RF_FATAL, "RAND",
         "SET SESSION binlog_format='STATEMENT';\nINSERT INTO shop.t VALUES (FLOOR(RAND()*9)+9, "
         "'')"},
        {RF_FATAL, "shop.t",
         "SET SESSION binlog_row_image='MINIMAL';\nUPDATE shop.t SET b='x' WHERE a=1"},
        {RF_CONFIG, "shop.t",
         "SET GLOBAL binlog_row_metadata='NO_LOG';\nUPDATE shop.t SET b='x' WHERE a=1"},
        {RF_FATAL, "ROLLBACK TO",
         "CREATE TRIGGER shop.g AFTER INSERT ON shop.t FOR EACH ROW INSERT INTO shop.m VALUES "
         "(NEW.a);\n"
         "BEGIN;\nINSERT INTO shop.t VALUES (50, 'a');\nSAVEPOINT s;\n"
         "INSERT INTO shop.t VALUES (51, 'undone');\nROLLBACK TO s;\n"
         "INSERT INTO shop.t VALUES (52, 'c');\nCOMMIT"},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct subject subject;
        fresh(NULL);
        insert(1);
        prepare(&subject, "earliest");
        set(&subject, "schema", "log");
        subject.source.whole = true;
        open_it(&subject);
        expect(&subject, "begin 0-1-1\n2.0 create shop.t 1|row 1\nend 0-1-1\n");
        rf_test_sql(&server, "%s", cases[i].statements);
        rf_test_sql(&server, "SET SESSION binlog_format='ROW', binlog_row_image='FULL';\n"
                             "INSERT INTO shop.u VALUES (99, 'behind it')");
        stopped(&subject, cases[i].status, cases[i].message, "");
        expect_words(&subject.err, "bin.000001 at ", "");
        expect_words(&subject.err, "GTID 0-1-", "");
        assert_null(strstr(rf_buf_cstr(&subject.source.text), "undone"));
        assert_null(strstr(rf_buf_cstr(&subject.source.text), "behind it"));
        end(&subject);
    }
}

/* ---- What the log may be like ------------------------------------------------------------- */

/* Statements and rows, and columns whose values are compressed by themselves; with names in the log
 * and without. One row each, as how many fit into an event depends on how large they are. */
static void test_what_the_server_compresses_comes_as_if_it_did_not(void **context)
{
    struct rf_buf plain = {0};
    (void)context;
    for (int i = 0; i < 4; i++) {
        struct subject subject;
        bool compresses = i % 2 != 0;
        fresh(NULL);
        rf_test_sql(
            &server,
            "SET GLOBAL log_bin_compress=%d, GLOBAL log_bin_compress_min_len=10, "
            "GLOBAL binlog_row_metadata='%s';\n"
            "CREATE TABLE shop.c (a INT PRIMARY KEY, t TEXT %s, "
            "v VARCHAR(300) CHARACTER SET utf8mb4 %s, w VARCHAR(100) CHARACTER SET ucs2 %s, "
            "b VARBINARY(300) %s, l LONGBLOB %s)",
            compresses, i / 2 ? "NO_LOG" : "FULL", compresses ? "COMPRESSED" : "",
            compresses ? "COMPRESSED" : "", compresses ? "COMPRESSED" : "",
            compresses ? "COMPRESSED" : "", compresses ? "COMPRESSED" : "");
        prepare(&subject, "now");
        open_it(&subject);
        rf_test_sql(&server, "INSERT INTO shop.c VALUES (1, REPEAT('a', 5000), REPEAT('ä', 300), "
                             "REPEAT('ж', 100), REPEAT('b', 300), REPEAT('c', 100000));\n"
                             "INSERT INTO shop.c VALUES (2, '', '', '', '', '');\n"
                             "INSERT INTO shop.c VALUES (3, NULL, NULL, NULL, NULL, NULL);\n"
                             "INSERT INTO shop.c VALUES (4, 't', 'ä', 'ж', 'b', 'c');\n"
                             "UPDATE shop.c SET t=v, l=NULL, v='new' WHERE a=1;\n"
                             "UPDATE shop.c SET t=v, l=NULL, v='new' WHERE a=2;\n"
                             "DELETE FROM shop.c WHERE a=1;\n"
                             "ALTER TABLE shop.t COMMENT 'a statement that is long enough';\n"
                             "INSERT INTO shop.t VALUES (7, 'last')");
        if (rf_test_source_until(&subject.source, "7|last\nend", LIMIT_MS, &subject.err) != RF_OK) {
            fail_msg("%d: %s", i, subject.err.message);
        }
        if (!compresses) {
            rf_buf_set(&plain, rf_buf_str(&subject.source.text));
        }
        const char *found = rf_buf_cstr(&subject.source.text), *wanted = rf_buf_cstr(&plain);
        size_t same = 0; /* they are too long to be shown */
        while (found[same] == wanted[same] && found[same] != '\0') {
            same++;
        }
        if (found[same] != wanted[same]) {
            fail_msg("%d: at %zu, %.60s instead of %.60s", i, same, found + same, wanted + same);
        }
        end(&subject);
    }
    rf_buf_deinit(&plain);
    fresh(NULL);
}

/* ---- What the log can suffer --------------------------------------------------------------- */

static void test_a_purged_file_is_no_loss_as_long_as_nothing_was_in_it(void **context)
{
    struct subject subject;
    (void)context;
    insert(1);
    open_at(&subject, "earliest");
    expect(&subject, "begin 0-1-1\n2.0 create shop.t 1|row 1\nend 0-1-1\n");
    rf_test_sql(&server, "FLUSH BINARY LOGS;\nFLUSH BINARY LOGS");
    purge_to("bin.000003");
    reopen(&subject);
    insert(2);
    expect(&subject, "begin 0-1-2\n2.0 create shop.t 2|row 2\nend 0-1-2\n");
    end(&subject);
}

static void test_a_purged_transaction_stops_and_says_what_is_missing(void **context)
{
    struct subject subject;
    (void)context;
    insert(1);
    open_at(&subject, "earliest");
    expect(&subject, "begin 0-1-1\n2.0 create shop.t 1|row 1\nend 0-1-1\n");
    rf_test_source_close(&subject.source);
    insert(2);
    rf_test_sql(&server, "FLUSH BINARY LOGS;\nFLUSH BINARY LOGS");
    purge_to("bin.000003");
    insert(3);
    refused(&subject, RF_FATAL, "0-1-1", "binlog_expire_logs_seconds");
    end(&subject);
}

static void test_a_reset_log_is_recognised(void **context)
{
    (void)context;
    /* What the server did while nobody read: 0 nothing more, 1 fewer, 2 as many, 3 more
     * transactions. */
    for (int rows = 0; rows < 4; rows++) {
        struct subject subject;
        fresh(NULL);
        insert(1);
        insert(2);
        open_at(&subject, "earliest");
        assert_int_equal(rf_test_source_until(&subject.source, "end 0-1-2", LIMIT_MS, &subject.err),
                         RF_OK);
        rf_test_source_close(&subject.source);
        next_second();
        fresh(NULL);
        for (int i = 1; i <= rows; i++) {
            insert(i);
        }
        if (rows == 3) {
            rf_test_sql(&server, "FLUSH BINARY LOGS");
        }
        refused(&subject, RF_FATAL, "", "RESET MASTER");
        end(&subject);
    }
}

static void test_a_reset_log_is_recognised_without_a_transaction_to_compare(void **context)
{
    struct subject subject;
    (void)context;
    insert(1);
    open_at(&subject, "now");
    rf_test_source_close(&subject.source);
    next_second();
    fresh(NULL);
    insert(1);
    insert(2);
    refused(&subject, RF_FATAL, "", "RESET MASTER");
    end(&subject);
    /* A file that was begun at another time, at the same offset and behind the same GTIDs. */
    fresh(NULL);
    open_at(&subject, "now");
    rf_test_source_close(&subject.source);
    next_second();
    fresh(NULL);
    refused(&subject, RF_FATAL, "begun", "RESET MASTER");
    end(&subject);
}

static void test_a_log_that_went_back_to_earlier_files_is_recognised(void **context)
{
    struct subject subject;
    (void)context;
    rf_test_sql(&server, "FLUSH BINARY LOGS;\nFLUSH BINARY LOGS");
    insert(1);
    open_at(&subject, "earliest");
    assert_int_equal(rf_test_source_until(&subject.source, "end 0-1-1", LIMIT_MS, &subject.err),
                     RF_OK);
    rf_test_source_close(&subject.source);
    fresh(NULL);
    insert(1);
    refused(&subject, RF_FATAL, "bin.000003", "RESET MASTER");
    end(&subject);
}

static void test_a_thousand_rotations_lose_nothing(void **context)
{
    const char *scale = getenv("ROWFERRY_SCALE");
    int count = 1000 / (int)strtol(scale ? scale : "20", NULL, 10);
    struct subject subject;
    struct rf_buf text = {0};
    (void)context;
    open_at(&subject, "now");
    for (int i = 1; i <= count; i++) {
        insert(i);
        rf_test_sql(&server, "FLUSH BINARY LOGS");
        rf_buf_printf(&text, "begin 0-1-%d\n2.0 create shop.t %d|row %d\nend 0-1-%d\n", i, i, i, i);
        if (i % 10 == 0) {
            expect(&subject, rf_buf_cstr(&text));
        }
    }
    expect(&subject, rf_buf_cstr(&text));
    rf_buf_deinit(&text);
    end(&subject);
}

static void test_a_restarted_server_is_found_again(void **context)
{
    struct subject subject;
    (void)context;
    insert(1);
    open_at(&subject, "earliest");
    expect(&subject, "begin 0-1-1\n2.0 create shop.t 1|row 1\nend 0-1-1\n");
    for (int i = 0; i < 2; i++) {
        insert(10 + i);
        (i == 0 ? rf_test_mariadb_stop : rf_test_mariadb_kill)(&server);
        stopped(&subject, RF_RETRY, "", "");
        rf_test_source_close(&subject.source);
        subject.err = (struct rf_error){0};
        assert_int_equal(rf_test_source_open(&subject.source, &subject.err), RF_RETRY);
        assert_true(subject.err.connect);
        rf_test_mariadb_again(&server);
        open_it(&subject);
    }
    insert(20);
    assert_int_equal(rf_test_source_until(&subject.source, "20|row 20", LIMIT_MS, &subject.err),
                     RF_OK);
    assert_non_null(strstr(rf_buf_cstr(&subject.source.text), "10|row 10"));
    end(&subject);
}

static int end_answering(void **context)
{
    ask("SELECT 1");
    return end_server(context);
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_now_begins_behind_everything),
        TEST(test_earliest_begins_with_the_first_file),
        TEST(test_a_place_must_be_where_a_transaction_begins),
        TEST(test_gtids_say_where_to_begin),
        TEST(test_what_lies_behind_the_place_and_was_read_is_left_out),
        TEST(test_a_resume_at_any_position_neither_repeats_nor_loses),
        TEST(test_a_resume_without_a_transaction_behind_it_works_too),
        TEST(test_file_and_server_tell_the_same),
        TEST(test_a_file_goes_on_where_the_server_was_left),
        TEST(test_only_picked_tables_are_handed_over),
        TEST(test_the_position_moves_while_all_is_filtered),
        TEST(test_rows_meet_the_definition_that_they_were_written_with),
        TEST(test_a_large_transaction_comes_in_pieces_and_in_order),
        TEST(test_a_read_honours_its_deadline_and_hands_over_what_is_there),
        TEST(test_a_batch_of_one_byte_has_at_most_one_transaction),
        TEST(test_a_quiet_server_is_known_to_be_read_to_its_end_within_two_seconds),
        TEST(test_it_never_claims_to_be_at_the_end_while_more_is_there),
        TEST(test_a_reader_is_seen_among_the_replicas_as_long_as_it_reads),
        TEST(test_feeds_of_one_number_do_not_throw_each_other_out),
        TEST(test_settings_are_checked_with_the_statement_that_mends_them),
        TEST(test_a_wrong_password_is_an_access_error),
        TEST(test_a_password_that_expires_is_an_access_error_at_the_next_log_in),
        TEST(test_missing_grants_are_named_and_their_statement_helps),
        TEST(test_what_sessions_may_still_do_stops_by_name),
        TEST(test_what_the_server_compresses_comes_as_if_it_did_not),
        TEST(test_a_purged_file_is_no_loss_as_long_as_nothing_was_in_it),
        TEST(test_a_purged_transaction_stops_and_says_what_is_missing),
        TEST(test_a_reset_log_is_recognised),
        TEST(test_a_reset_log_is_recognised_without_a_transaction_to_compare),
        TEST(test_a_log_that_went_back_to_earlier_files_is_recognised),
        TEST(test_a_thousand_rotations_lose_nothing),
        TEST(test_a_restarted_server_is_found_again),
    };
    return cmocka_run_group_tests(tests, start_server, end_answering);
}
