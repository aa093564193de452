/* The source `mysql` on a server whose log has no column names: they are asked for, and used only
 * where nothing in the log says that they may have changed. */
#include "base/clock.h"
#include "lib/mariadb_subject.h"
#include "lib/shapes.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/subject.h"

enum { LIMIT_MS = 20000, QUIET_MS = 300 };

extern const struct rf_source_type rf_source_mysql;

/* ---- Frame --------------------------------------------------------------------------------- */

static void prepare(struct subject *subject, const char *user, const char *from)
{
    prepare_user(subject, &rf_source_mysql, user, from, server.port);
}

/* Reads until nothing more comes, or an error does; tables are described behind each batch. */
static enum rf_status read_all(struct subject *subject)
{
    struct rf_test_source *source = &subject->source;
    enum rf_status status;
    do {
        status = rf_test_source_read(source, QUIET_MS, &subject->err);
        for (uint32_t i = 0; status == RF_OK && i < source->batch.table_count; i++) {
            rf_test_table_print(&source->text, source->batch.tables[i]);
        }
    } while (status == RF_OK);
    return status;
}

/* An empty log that says this much, behind these tables. */
static void begin_log(const char *metadata, const char *tables)
{
    rf_test_sql(&server,
                "SET GLOBAL binlog_row_metadata=%s;\nSET sql_log_bin=0;\n"
                "DROP DATABASE IF EXISTS shop;\nDROP DATABASE IF EXISTS attic;\n%s;\n"
                "SET sql_log_bin=1;\nRESET MASTER",
                metadata, tables);
    rf_test_sql_leave(&server);
}

static const char pair[] = "CREATE DATABASE shop;\nCREATE TABLE shop.t (a INT, b INT);\n"
                           "CREATE TABLE shop.u (a INT, b INT)";

/* ---- What it gives ------------------------------------------------------------------------- */

static char *text_of_shapes(const char *metadata, size_t batch_bytes_max)
{
    struct subject subject;
    begin_log(metadata, rf_test_shapes);
    rf_test_sql(&server, "SET timestamp=1700000000;\n%s", rf_test_shape_rows);
    prepare(&subject, "root", "earliest");
    subject.source.batch_bytes_max = batch_bytes_max;
    open_it(&subject);
    if (read_all(&subject) != RF_AGAIN) {
        fail_msg("%s (%s)", subject.err.message, subject.err.hint);
    }
    rf_test_text_plain(&subject.source.text);
    char *text = rf_str_dup(rf_buf_str(&subject.source.text));
    end(&subject);
    return text;
}

static void test_a_log_without_names_gives_what_one_with_names_gives(void **context)
{
    static const char *const modes[] = {"NO_LOG", "MINIMAL"};
    (void)context;
    char *named = text_of_shapes("FULL", 1);
    assert_non_null(strstr(named, "update shop.versions 1|2|"));
    assert_non_null(strstr(named, "shop.derived: a "));
    for (size_t i = 0; i < 2; i++) {
        char *asked = text_of_shapes(modes[i], 1);
        assert_string_equal(asked, named);
        free(asked);
    }
    free(named);
}

static void test_schema_log_refuses_a_server_that_logs_no_names(void **context)
{
    struct subject subject;
    (void)context;
    begin_log("NO_LOG", pair);
    prepare(&subject, "root", "now");
    set(&subject, "schema", "log");
    assert_int_equal(rf_test_source_open(&subject.source, &subject.err), RF_CONFIG);
    expect_words(&subject.err, "NO_LOG", "SET GLOBAL binlog_row_metadata='FULL'");
    end(&subject);
}

static void test_a_change_between_here_and_now_stops_and_is_named(void **context)
{
    static const struct {
        const char *statements;
        const char *named; /* NULL: it does not matter */
    } cases[] = {
        {"ALTER TABLE shop.t CHANGE b c INT", "CHANGE b c"}, /* looks the same in the log */
        {"USE shop;\nALTER TABLE t CHANGE b c INT;\nALTER TABLE t CHANGE c b INT", "CHANGE b c"},
        {"USE shop;\nALTER TABLE t ADD c INT FIRST;\nALTER TABLE t DROP b", "ADD c INT"},
        {"ALTER TABLE shop.t RENAME COLUMN b TO c", "RENAME COLUMN b"},
        /* the names alone tell */
        {"ALTER TABLE shop.t RENAME COLUMN a TO b, RENAME COLUMN b TO a", "RENAME COLUMN a TO b"},
        {"ALTER TABLE shop.t CHANGE a b INT, CHANGE b a INT", "CHANGE a b"},
        {"DROP TABLE shop.t;\nCREATE TABLE shop.t (b INT, a INT)", "CREATE TABLE shop.t"},
        {"CREATE OR REPLACE TABLE shop.t (b INT, a INT)", "REPLACE TABLE"},
        {"RENAME TABLE shop.t TO shop.x, shop.u TO shop.t, shop.x TO shop.u", "RENAME TABLE"},
        {"CREATE DATABASE attic;\nRENAME TABLE shop.t TO attic.t;\n"
         "CREATE TABLE shop.t LIKE shop.u",
         "RENAME TABLE"},
        {"DROP DATABASE shop;\nCREATE DATABASE shop;\nUSE shop;\nCREATE TABLE `t` (b INT, a INT)",
         "CREATE TABLE `t`"},
        {"ALTER TABLE shop.u CHANGE b c INT", NULL},
        {"CREATE DATABASE attic;\nCREATE TABLE attic.t (x INT)", NULL},
        {"TRUNCATE shop.t;\nOPTIMIZE TABLE shop.t;\nDROP TABLE shop.u", NULL},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct subject subject;
        begin_log(i % 2 == 0 ? "NO_LOG" : "MINIMAL", pair);
        rf_test_sql(&server,
                    "INSERT INTO shop.t VALUES (1, 2);\nFLUSH BINARY LOGS;\n%s;\n"
                    "FLUSH BINARY LOGS",
                    cases[i].statements);
        rf_test_sql_leave(&server);
        prepare(&subject, "root", "earliest");
        open_it(&subject);
        enum rf_status status = read_all(&subject);
        if (cases[i].named != NULL) {
            if (status != RF_CONFIG || subject.source.events != 0) {
                fail_msg("%s: %s", cases[i].statements, rf_buf_cstr(&subject.source.text));
            }
            expect_words(&subject.err, cases[i].named, "SET GLOBAL binlog_row_metadata=FULL");
            expect_words(&subject.err, "bin.000002 at ", "tables=-shop.t");
        } else if (status != RF_AGAIN || subject.source.events == 0) {
            fail_msg("%s: %s", cases[i].statements, subject.err.message);
        }
        end(&subject);
    }
}

static void test_a_dropped_table_is_not_guessed(void **context)
{
    struct subject subject;
    (void)context;
    begin_log("NO_LOG", pair);
    rf_test_sql(&server, "INSERT INTO shop.t VALUES (1, 2);\nDROP TABLE shop.t");
    prepare(&subject, "root", "earliest");
    open_it(&subject);
    assert_int_equal(read_all(&subject), RF_CONFIG);
    expect_words(&subject.err, "no such table any more", "binlog_row_metadata=FULL");
    end(&subject);
}

static void test_a_change_that_is_kept_out_of_the_log_shows_in_the_types(void **context)
{
    struct subject subject;
    (void)context;
    begin_log("NO_LOG", pair);
    rf_test_sql(&server, "INSERT INTO shop.t VALUES (1, 2);\nSET sql_log_bin=0;\n"
                         "ALTER TABLE shop.t MODIFY b BIGINT");
    prepare(&subject, "root", "earliest");
    open_it(&subject);
    assert_int_equal(read_all(&subject), RF_CONFIG);
    expect_words(&subject.err, "column 2 has type 3", "binlog_row_metadata=FULL");
    end(&subject);
}

/* The statement that makes the table stands in the transaction of its first rows. */
static void test_a_table_made_of_a_query_has_the_names_that_it_was_made_with(void **context)
{
    static const char *const makes[] = {"CREATE TABLE", "CREATE OR REPLACE TABLE"};
    (void)context;
    for (size_t i = 0; i < sizeof makes / sizeof *makes; i++) {
        struct subject subject;
        begin_log(i % 2 == 0 ? "NO_LOG" : "MINIMAL", pair);
        rf_test_sql(&server,
                    "USE shop;\nINSERT INTO t VALUES (1, 2);\n%s made AS SELECT a x, b y FROM t;\n"
                    "INSERT INTO made VALUES (3, 4)",
                    makes[i]);
        prepare(&subject, "root", "earliest");
        open_it(&subject);
        if (read_all(&subject) != RF_AGAIN) {
            fail_msg("%s (%s)", subject.err.message, subject.err.hint);
        }
        assert_non_null(strstr(rf_buf_cstr(&subject.source.text), "create shop.made 1|2"));
        assert_non_null(strstr(rf_buf_cstr(&subject.source.text), "create shop.made 3|4"));
        end(&subject);
    }
}

static void test_each_row_has_the_names_of_its_time_while_tables_change(void **context)
{
    static const char *const columns[] = {"b", "c", "b2", "b"};
    struct subject subject;
    char statement[100], name[80];
    (void)context;
    begin_log("NO_LOG", pair);
    prepare(&subject, "root", "now");
    open_it(&subject);
    for (int i = 0; i < 4; i++) {
        rf_buf_reset(&subject.source.text);
        rf_test_sql(&server,
                    "INSERT INTO shop.t VALUES (%d, 0);\nINSERT INTO shop.u VALUES (0, %d)", i, i);
        if (read_all(&subject) != RF_AGAIN) {
            fail_msg("%s (%s)", subject.err.message, subject.err.hint);
        }
        snprintf(name, sizeof name, "shop.t: a 4/0 010 0,0,0 0 %s 4/0", columns[i]);
        assert_non_null(strstr(rf_buf_cstr(&subject.source.text), name));
        assert_non_null(strstr(subject.source.text.data, "shop.u: a 4/0 010 0,0,0 0 b 4/0"));
        snprintf(statement, sizeof statement, "ALTER TABLE shop.t CHANGE %s %s INT", columns[i],
                 columns[(i + 1) % 4]);
        if (i < 3) {
            rf_test_sql(&server, "%s", statement);
        }
    }
    end(&subject);
}

static void test_a_backlog_of_many_tables_is_read_in_pieces(void **context)
{
    enum { TABLES = 12, ROWS = 40 };
    struct subject subject;
    struct rf_buf sql = {0};
    (void)context;
    rf_buf_printf(&sql, "CREATE DATABASE shop");
    for (int i = 0; i < TABLES; i++) {
        rf_buf_printf(&sql, ";\nCREATE TABLE shop.t%d (a INT PRIMARY KEY, c%d INT)", i, i);
    }
    begin_log("NO_LOG", rf_buf_cstr(&sql));
    for (int i = 0; i < ROWS * TABLES; i++) {
        rf_test_sql(&server,
                    i % 97 == 96 ? "FLUSH BINARY LOGS;\nINSERT INTO shop.t%d VALUES (%d, 1)"
                                 : "INSERT INTO shop.t%d VALUES (%d, 1)",
                    i % TABLES, i);
    }
    prepare(&subject, "root", "earliest");
    open_it(&subject);
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    while (subject.source.events < ROWS * TABLES) { /* reads that never wait get on as well */
        enum rf_status status = rf_test_source_read(&subject.source, 0, &subject.err);
        assert_true(status == RF_OK || status == RF_AGAIN);
        assert_true(rf_clock_ms() < until_ms);
    }
    assert_non_null(strstr(rf_buf_cstr(&subject.source.text), "create shop.t11 "));
    end(&subject);
    rf_buf_deinit(&sql);
}

static void test_a_missing_grant_is_named_and_its_statement_helps(void **context)
{
    struct subject subject;
    (void)context;
    begin_log("NO_LOG", pair);
    rf_test_sql(&server, "SET sql_log_bin=0;\nCREATE OR REPLACE USER 'cdc'@'127.0.0.1';\n"
                         "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO 'cdc'@'127.0.0.1';\n"
                         "SET sql_log_bin=1;\nINSERT INTO shop.t VALUES (1, 2)");
    prepare(&subject, "cdc", "earliest");
    open_it(&subject);
    assert_int_equal(read_all(&subject), RF_CONFIG);
    expect_words(&subject.err, "may not be asked", "GRANT SELECT ON `shop`.* TO 'cdc'@'127.0.0.1'");
    char *grant = strstr(subject.err.hint, "GRANT"), *rest = strchr(grant, ';');
    rf_test_sql(&server, "SET sql_log_bin=0;\n%.*s", (int)(rest - grant), grant);
    rf_test_source_close(&subject.source);
    open_it(&subject);
    assert_int_equal(read_all(&subject), RF_AGAIN);
    assert_non_null(strstr(rf_buf_cstr(&subject.source.text), "create shop.t 1|2"));
    end(&subject);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_log_without_names_gives_what_one_with_names_gives),
        cmocka_unit_test(test_schema_log_refuses_a_server_that_logs_no_names),
        cmocka_unit_test(test_a_change_between_here_and_now_stops_and_is_named),
        cmocka_unit_test(test_a_dropped_table_is_not_guessed),
        cmocka_unit_test(test_a_change_that_is_kept_out_of_the_log_shows_in_the_types),
        cmocka_unit_test(test_a_table_made_of_a_query_has_the_names_that_it_was_made_with),
        cmocka_unit_test(test_each_row_has_the_names_of_its_time_while_tables_change),
        cmocka_unit_test(test_a_backlog_of_many_tables_is_read_in_pieces),
        cmocka_unit_test(test_a_missing_grant_is_named_and_its_statement_helps),
    };
    return cmocka_run_group_tests(tests, start_server, end_server);
}
