/* The source `binlog` on logs without column names, as a real server writes them: completed with
 * what mariadb-dump prints of the tables, or numbered. What it gives must be what it gives of a log
 * with names. */
#include "base/clock.h"
#include "lib/mariadb_subject.h"
#include "lib/shapes.h"
#include "lib/source.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

extern const struct rf_source_type rf_source_binlog;

static char schema_path[300];

/* ---- Frame --------------------------------------------------------------------------------- */

struct subject {
    struct rf_test_source source;
    struct rf_test_setting settings[6];
    char path[300];
    struct rf_error err;
};

static void prepare(struct subject *subject, const char *name, const char *value)
{
    *subject = (struct subject){0};
    subject->source.type = &rf_source_binlog;
    subject->source.settings = subject->settings;
    subject->source.from = "earliest";
    snprintf(subject->path, sizeof subject->path, "%s/data/bin.index", server.dir);
    subject->settings[0] = (struct rf_test_setting){"path", subject->path};
    subject->settings[1] = (struct rf_test_setting){name, value};
}

/* Reads to the end; what came is in source.text, behind the description of each batch's tables. */
static enum rf_status read_all(struct subject *subject)
{
    struct rf_test_source *source = &subject->source;
    subject->err = (struct rf_error){0};
    enum rf_status status = rf_test_source_open(source, &subject->err);
    while (status == RF_OK && !source->ended) {
        status = rf_test_source_read(source, 1000, &subject->err);
        for (uint32_t i = 0; status == RF_OK && i < source->batch.table_count; i++) {
            rf_test_table_print(&source->text, source->batch.tables[i]);
        }
    }
    return status;
}

static char *text_of(const char *name, const char *value)
{
    struct subject subject;
    prepare(&subject, name, value);
    if (read_all(&subject) != RF_OK) {
        fail_msg("%s (%s)", subject.err.message, subject.err.hint);
    }
    rf_test_text_plain(&subject.source.text);
    char *text = rf_str_dup(rf_buf_str(&subject.source.text));
    rf_test_source_deinit(&subject.source);
    return text;
}

static void refused(const char *name, const char *value, enum rf_status wanted, const char *words,
                    const char *hint)
{
    struct subject subject;
    prepare(&subject, name, value);
    enum rf_status status = read_all(&subject);
    if (status != wanted || strstr(subject.err.message, words) == NULL ||
        strstr(subject.err.hint, hint) == NULL) {
        fail_msg("%s instead of %s, '%s': %s (%s)", rf_status_name(status), rf_status_name(wanted),
                 words, subject.err.message, subject.err.hint);
    }
    rf_test_source_deinit(&subject.source);
}

static void dump(void)
{
    pid_t pid = fork();
    int result = 1;
    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = open(schema_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd >= 0 && dup2(fd, 1) == 1) {
            execlp("mariadb-dump", "mariadb-dump", "--no-defaults", "-h127.0.0.1", "-P",
                   server.port, "-uroot", "--no-data", "--routines", "--triggers", "shop",
                   (char *)NULL);
        }
        _exit(127);
    }
    assert_true(waitpid(pid, &result, 0) == pid && result == 0);
}

static void write_schema(const char *text)
{
    FILE *file = fopen(schema_path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The same rows once more, in a log of their own that says this much. */
static void log_rows(const char *metadata)
{
    rf_test_sql(&server,
                "SET GLOBAL binlog_row_metadata=%s;\nSET sql_log_bin=0;\n"
                "DROP DATABASE IF EXISTS shop;\n%s;\nSET timestamp=1700000000;\n"
                "SET sql_log_bin=1;\nRESET MASTER",
                metadata, rf_test_shapes);
    rf_test_sql_leave(&server);
    rf_test_sql(&server, "SET timestamp=1700000000;\n%s", rf_test_shape_rows);
}

/* ---- What it gives ------------------------------------------------------------------------- */

static void test_definitions_complete_a_log_to_what_it_is_with_names(void **context)
{
    (void)context;
    log_rows("FULL");
    dump();
    /* Of a log with names it only says which bytes are addresses. */
    char *named = text_of("schema", schema_path);
    char *alone = text_of("names", "log");
    const char *typed =
        strstr(named, "create shop.other 123e4567-e89b-12d3-a456-426655440000|1.2.3.0|::1|");
    const char *untyped = strstr(alone, "create shop.other ");
    assert_non_null(typed);
    assert_int_equal(typed - named, untyped - alone);
    assert_memory_equal(named, alone, (size_t)(typed - named));
    assert_non_null(strstr(named, "shop.versions"));
    static const char *const modes[] = {"NO_LOG", "MINIMAL"};
    for (size_t i = 0; i < 2; i++) {
        log_rows(modes[i]);
        char *completed = text_of("schema", schema_path);
        assert_string_equal(completed, named);
        free(completed);
        refused("names", "log", RF_CONFIG, "the column names of table shop.numbers", "schema=FILE");
    }
    free(named);
    free(alone);
}

static void test_numbered_columns_have_all_but_names_members_and_key(void **context)
{
    (void)context;
    log_rows("MINIMAL");
    char *text = text_of("names", "@1..");
    assert_non_null(strstr(text, "create shop.many 1|3|257|2\n"));
    assert_non_null(strstr(text, "update shop.many 1|3|257|2 > 1|1|257|2\n"));
    assert_non_null(strstr(text, "create shop.latin 1|gr\xc3\xbcn|2|5\n"));
    assert_non_null(strstr(text, "shop.many: @1 "));
    assert_non_null(strstr(text, "18446744073709551615|1.5"));
    assert_null(strstr(text, "key 0"));
    free(text);
    log_rows("NO_LOG");
    refused("names", "@1..", RF_CONFIG, "which numbers are unsigned", "schema=FILE");
}

static void begin_small(const char *table)
{
    rf_test_sql(&server,
                "SET GLOBAL binlog_row_metadata=NO_LOG;\nSET sql_log_bin=0;\n"
                "CREATE OR REPLACE DATABASE shop;\n%s;\nSET sql_log_bin=1;\nRESET MASTER",
                table);
    rf_test_sql_leave(&server);
}

static void test_a_definition_that_disagrees_stops_with_both_sides(void **context)
{
    static const struct {
        const char *definition, *words;
    } cases[] = {
        {"a INT NOT NULL, b VARCHAR(10)", "3 columns in the log, 2 in the definition"},
        {"a INT NOT NULL, b VARCHAR(11), c INT", "column 2 has type 15, metadata 0x0028"},
        {"a INT NOT NULL, b TEXT, c INT", "b TEXT of the definition has type 252"},
        {"a INT, b VARCHAR(10), c INT", "column 1 is NOT NULL in the log; a of the definition may"},
        {"a INT NOT NULL, b VARCHAR(10), c BIGINT UNSIGNED", "column 3"},
        {"a INT NOT NULL, b VARCHAR(10), c QUUX(3)", "c QUUX(3) of the definition"},
        {"a INT NOT NULL, b VARCHAR(10) CHARACTER SET klingon, c INT",
         "character set that is not known: klingon"},
    };
    char text[400];
    (void)context;
    begin_small("CREATE TABLE shop.t (a INT NOT NULL, b VARCHAR(10) CHARACTER SET utf8mb4, c INT)");
    rf_test_sql(&server, "INSERT INTO shop.t VALUES (1, 'x', 2)");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, "USE shop;\nCREATE TABLE t (%s) DEFAULT CHARSET=utf8mb4;\n",
                 cases[i].definition);
        write_schema(text);
        refused("schema", schema_path, strstr(cases[i].words, "klingon") ? RF_FATAL : RF_CONFIG,
                cases[i].words, "");
    }
    write_schema("CREATE TABLE t (a INT NOT NULL, b VARCHAR(10), c INT)");
    refused("schema", schema_path, RF_CONFIG, "does not say in which database", "USE `shop`");
    write_schema("USE shop; CREATE TABLE u (a INT)");
    refused("schema", schema_path, RF_CONFIG, "does not define it", "--no-data");
    write_schema("USE shop; CREATE TABLE u (a INT,, b INT)");
    refused("schema", schema_path, RF_CONFIG, ":1: not a column near \",\"", "mariadb-dump");
    write_schema("SELECT 1");
    refused("schema", schema_path, RF_CONFIG, "defines no table", "mariadb-dump");
    refused("schema", "/nowhere/at.all", RF_CONFIG, "could not be read", "");
}

static void test_a_change_ahead_stops_before_anything_is_handed_over(void **context)
{
    static const struct {
        const char *statement;
        bool stops;
    } cases[] = {
        {"ALTER TABLE shop.t CHANGE b c INT", true}, /* looks the same in the log */
        {"RENAME TABLE shop.t TO shop.x, shop.u TO shop.t, shop.x TO shop.u", true},
        {"DROP TABLE shop.t;\nCREATE TABLE shop.t (b INT, a INT)", true},
        {"USE shop;\nALTER TABLE t ADD d INT;\nALTER TABLE t DROP d", true},
        {"ALTER TABLE shop.u CHANGE b c INT", false},
        {"DROP TABLE shop.t", false},
        {"OPTIMIZE TABLE shop.t", false},
        {"CREATE DATABASE t", false},
        {"CREATE TABLE shop.n AS SELECT a x FROM shop.t", false}, /* one transaction */
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct subject subject;
        begin_small("CREATE TABLE shop.t (a INT, b INT);\nCREATE TABLE shop.u (a INT, b INT)");
        rf_test_sql(&server,
                    "INSERT INTO shop.t VALUES (1, 2);\nFLUSH BINARY LOGS;\n%s;\nSET "
                    "sql_log_bin=0;\nDROP DATABASE IF EXISTS t",
                    cases[i].statement);
        write_schema("USE shop; CREATE TABLE t (a INT, b INT); CREATE TABLE u (a INT, b INT); "
                     "CREATE TABLE n (x INT)");
        prepare(&subject, "schema", schema_path);
        enum rf_status status = read_all(&subject);
        if (cases[i].stops) {
            if (status != RF_CONFIG || strstr(subject.err.message, "bin.000002 at ") == NULL) {
                fail_msg("%s: %s", cases[i].statement, subject.err.message);
            }
            assert_int_equal(subject.source.events, 0);
        } else if (status != RF_OK || subject.source.events == 0) {
            fail_msg("%s: %s", cases[i].statement, subject.err.message);
        }
        rf_test_source_deinit(&subject.source);
    }
}

static void test_a_change_while_it_is_followed_voids_the_definition(void **context)
{
    struct subject subject;
    enum rf_status status;
    (void)context;
    begin_small("CREATE TABLE shop.t (a INT, b INT);\nCREATE TABLE shop.u (a INT, b INT)");
    rf_test_sql(&server, "INSERT INTO shop.t VALUES (1, 2);\nINSERT INTO shop.u VALUES (3, 4)");
    write_schema("USE shop; CREATE TABLE t (a INT, b INT); CREATE TABLE u (a INT, b INT)");
    prepare(&subject, "schema", schema_path);
    subject.settings[2] = (struct rf_test_setting){"follow", "on"};
    assert_int_equal(rf_test_source_open(&subject.source, &subject.err), RF_OK);
    assert_int_equal(rf_test_source_until(&subject.source, "3|4", 20000, &subject.err), RF_OK);
    rf_test_sql(&server, "ALTER TABLE shop.t CHANGE b c INT;\nINSERT INTO shop.u VALUES (5, 6);\n"
                         "INSERT INTO shop.t VALUES (7, 8)");
    status = rf_test_source_until(&subject.source, "7|8", 20000, &subject.err);
    assert_int_equal(status, RF_CONFIG);
    assert_non_null(strstr(rf_buf_cstr(&subject.source.text), "create shop.u 5|6"));
    assert_non_null(strstr(subject.err.message, "shop.t was changed by a statement of the log"));
    rf_test_source_deinit(&subject.source);
}

/* Each statement is looked for from where a table is met: files behind us are not needed. */
static void test_a_table_that_is_met_late_needs_no_purged_file(void **context)
{
    enum { FILES = 5 };
    struct subject subject;
    char path[300], part[32];
    (void)context;
    begin_small("CREATE TABLE shop.t (a INT, b INT);\nCREATE TABLE shop.u (a INT, b INT)");
    write_schema("USE shop; CREATE TABLE t (a INT, b INT); CREATE TABLE u (a INT, b INT)");
    prepare(&subject, "schema", schema_path);
    subject.settings[2] = (struct rf_test_setting){"follow", "on"};
    assert_int_equal(rf_test_source_open(&subject.source, &subject.err), RF_OK);
    for (int i = 1; i <= FILES; i++) {
        rf_test_sql(&server, "INSERT INTO shop.t VALUES (%d, %d);\nFLUSH BINARY LOGS", i, i * 100);
        snprintf(part, sizeof part, "%d|%d", i, i * 100);
        assert_int_equal(rf_test_source_until(&subject.source, part, 20000, &subject.err), RF_OK);
    }
    /* The server keeps files that it may still need after a crash for a moment. */
    snprintf(path, sizeof path, "%s/data/bin.000002", server.dir);
    int64_t until_ms = rf_clock_ms() + 20000;
    do {
        assert_true(rf_clock_ms() < until_ms);
        rf_test_sql(&server, "PURGE BINARY LOGS TO 'bin.%06d'", FILES);
    } while (access(path, F_OK) == 0);
    rf_test_sql(&server, "INSERT INTO shop.u VALUES (3, 4)");
    if (rf_test_source_until(&subject.source, "create shop.u 3|4", 20000, &subject.err) != RF_OK) {
        fail_msg("%s (%s)", subject.err.message, subject.err.hint);
    }
    rf_test_source_deinit(&subject.source);
}

static int start_with_schema(void **context)
{
    int status = start_server(context);
    snprintf(schema_path, sizeof schema_path, "%s/schema.sql", server.dir);
    return status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definitions_complete_a_log_to_what_it_is_with_names),
        cmocka_unit_test(test_numbered_columns_have_all_but_names_members_and_key),
        cmocka_unit_test(test_a_definition_that_disagrees_stops_with_both_sides),
        cmocka_unit_test(test_a_change_ahead_stops_before_anything_is_handed_over),
        cmocka_unit_test(test_a_change_while_it_is_followed_voids_the_definition),
        cmocka_unit_test(test_a_table_that_is_met_late_needs_no_purged_file),
    };
    return cmocka_run_group_tests(tests, start_with_schema, end_server);
}
