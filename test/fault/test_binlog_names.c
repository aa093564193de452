/* The source `binlog` on logs without column names, as a real server writes them: completed with what
 * mariadb-dump prints of the tables, or numbered. What it gives must be what it gives of a log with
 * names. */
#include "lib/mariadb_server.h"
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

static struct rf_test_mariadb server;
static char schema_path[300];

static const char tables[] =
    "CREATE DATABASE shop;\n"
    "USE shop;\n"
    "CREATE TABLE numbers (a TINYINT, b TINYINT UNSIGNED, c SMALLINT UNSIGNED, d MEDIUMINT, "
    "e MEDIUMINT UNSIGNED ZEROFILL, f INT UNSIGNED, g BIGINT UNSIGNED NOT NULL, h FLOAT, "
    "i FLOAT(30), j DOUBLE, k FLOAT(7,3), l DECIMAL(10,0), m DECIMAL(65,30) UNSIGNED, n BIT(1), "
    "o BIT(64), p YEAR, q DOUBLE UNSIGNED, r BOOL DEFAULT TRUE, PRIMARY KEY (g));\n"
    "CREATE TABLE times (a DATE, b TIME, c TIME(3), d DATETIME NOT NULL DEFAULT "
    "current_timestamp() ON UPDATE current_timestamp(), e DATETIME(6), f TIMESTAMP NULL, "
    "g TIMESTAMP(2) NOT NULL DEFAULT '2024-02-03 04:05:06.78', UNIQUE KEY (a));\n"
    "CREATE TABLE texts (a CHAR(3), b CHAR(255), c VARCHAR(10) NOT NULL DEFAULT 'it''s \\\\ (', "
    "d VARCHAR(300), e TINYTEXT, f TEXT COMMENT 'a, b) `c', g MEDIUMTEXT, h LONGTEXT, "
    "i BINARY(16), j VARBINARY(300), k TINYBLOB, l BLOB, m LONGBLOB, n CHAR(7) CHARACTER SET "
    "latin1, "
    "o VARCHAR(255) CHARACTER SET latin1 COLLATE latin1_bin, p TEXT CHARACTER SET ascii, "
    "q VARCHAR(20) COLLATE utf8mb4_bin, r VARCHAR(20) CHARACTER SET utf8mb3, "
    "s CHAR(5) CHARACTER SET binary, t JSON, KEY (c, d(3)), PRIMARY KEY (c, a, d(5)) USING BTREE) "
    "DEFAULT CHARSET=utf8mb4;\n"
    "CREATE TABLE latin (id INT AUTO_INCREMENT PRIMARY KEY, t TEXT, e ENUM('ä','ö','''x\\\\y'), "
    "s SET('a','b','ü')) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=latin1 "
    "COMMENT='charset=utf8; (';\n"
    "CREATE TABLE many (id INT PRIMARY KEY, e ENUM('one','two','three') NOT NULL, "
    "s SET('1','2','3','4','5','6','7','8','9'), b SET('a','b') CHARACTER SET latin1);\n"
    "CREATE TABLE other (a UUID, b INET4, c INET6, d POINT, e GEOMETRY NOT NULL, f LINESTRING, "
    "PRIMARY KEY (a));\n"
    "CREATE TABLE derived (a INT PRIMARY KEY, b INT AS (a + 1) VIRTUAL, c VARCHAR(20) AS "
    "(CONCAT(a, ',)')) STORED, d INT INVISIBLE DEFAULT 5, e INT DEFAULT (1 + (2 * 3)), "
    "CHECK (a > 0), CONSTRAINT chk CHECK (d > (0)));\n"
    "CREATE TABLE `we``ird, (name` (`co``l` INT, `primary` INT, `key` VARCHAR(3), "
    "PRIMARY KEY (`co``l`,`primary`), KEY `k``` (`key`));\n"
    "CREATE TABLE child (id INT, t INT, FULLTEXT KEY (note), note TEXT, KEY (t), "
    "CONSTRAINT fk FOREIGN KEY (t) REFERENCES latin (id) ON DELETE CASCADE);\n"
    "CREATE TABLE parts (a INT NOT NULL, b INT) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS "
    "THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);\n"
    "CREATE TABLE versions (a INT PRIMARY KEY, b INT) WITH SYSTEM VERSIONING;\n"
    "CREATE TABLE periods (a INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e TIMESTAMP(6) "
    "GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME(s, e), PRIMARY KEY (a, e)) "
    "WITH SYSTEM VERSIONING;\n"
    "CREATE VIEW v AS SELECT a FROM numbers;\n"
    "CREATE TRIGGER tr BEFORE INSERT ON child FOR EACH ROW SET NEW.note = 'CREATE TABLE x (';\n"
    "CREATE PROCEDURE pr() BEGIN SELECT 1; END";

static const char rows[] =
    "SET NAMES utf8mb4;\n"
    "USE shop;\n"
    "INSERT INTO numbers VALUES (-1, 255, 65535, -8388608, 16777215, 4294967295, "
    "18446744073709551615, 1.5, 2.25, -3.5, 1.125, -5, 1.000000000000000000000000000001, 1, 5, "
    "2024, "
    "7, FALSE);\n"
    "INSERT INTO times VALUES ('2024-02-29', '-01:02:03', '10:11:12.345', '2024-01-02 03:04:05', "
    "'2024-01-02 03:04:05.678901', NULL, '2024-05-06 07:08:09.12');\n"
    "INSERT INTO texts VALUES ('ä', 'b', 'c', 'd', 'e', 'f', 'g', 'h', x'0102030000', x'ff00', "
    "x'00', x'fe', 'm', 'n', 'ö', 'p', 'q', 'r', x'01', '{\"a\":1}');\n"
    "INSERT INTO latin VALUES (1, 'grün', 'ö', 'a,ü'), (2, NULL, '''x\\\\y', '');\n"
    "INSERT INTO many VALUES (1, 'three', '1,9', 'b');\n"
    "INSERT INTO other VALUES ('123e4567-e89b-12d3-a456-426655440000', '1.2.3.0', '::1', "
    "POINT(1,2), POINT(3,4), NULL);\n"
    "INSERT INTO derived (a, d) VALUES (1, 9);\n"
    "INSERT INTO `we``ird, (name` VALUES (1, 2, 'x');\n"
    "INSERT INTO child VALUES (1, 1, NULL);\n"
    "INSERT INTO parts VALUES (1, 2), (20, 3);\n"
    "INSERT INTO versions VALUES (1, 2);\n"
    "UPDATE versions SET b = 3;\n"
    "INSERT INTO periods (a) VALUES (4);\n"
    "UPDATE many SET e = 'one'";

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

static void describe(struct rf_buf *out, const struct rf_table *table)
{
    rf_buf_printf(out, "%.*s:", RF_STR_ARG(table->full_name));
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct rf_column *column = &table->columns[i];
        rf_buf_printf(out, " %.*s %u/%u %d%d%d %u,%u,%u %u", RF_STR_ARG(column->name), column->type,
                      column->charset, column->is_unsigned, column->nullable, column->key,
                      column->precision, column->scale, column->length, column->member_count);
        for (uint32_t member = 0; member < column->member_count; member++) {
            rf_buf_printf(out, "'%.*s'", RF_STR_ARG(column->members[member]));
        }
    }
    rf_buf_printf(out, " key");
    for (uint32_t i = 0; i < table->key_count; i++) {
        rf_buf_printf(out, " %u", table->key_columns[i]);
    }
    rf_buf_add_byte(out, '\n');
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
            describe(&source->text, source->batch.tables[i]);
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
    for (size_t i = 0; i < subject.source.text.size; i++) {
        char *byte = &subject.source.text.data[i];
        *byte = *byte == '\0' ? '@' : *byte; /* of the binary columns: the rest is a string */
    }
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
                metadata, tables);
    rf_test_sql_leave(&server);
    rf_test_sql(&server, "SET timestamp=1700000000;\n%s", rows);
}

/* ---- What it gives ------------------------------------------------------------------------- */

static void test_definitions_complete_a_log_to_what_it_is_with_names(void **context)
{
    (void)context;
    log_rows("FULL");
    dump();
    char *named = text_of("names", "log");
    char *ignored = text_of("schema", schema_path);
    assert_string_equal(ignored, named);
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
    free(ignored);
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
        {"a INT NOT NULL, b VARCHAR(10) CHARACTER SET cp1251, c INT",
         "character set that cannot be carried: cp1251"},
    };
    char text[400];
    (void)context;
    begin_small("CREATE TABLE shop.t (a INT NOT NULL, b VARCHAR(10) CHARACTER SET utf8mb4, c INT)");
    rf_test_sql(&server, "INSERT INTO shop.t VALUES (1, 'x', 2)");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, "USE shop;\nCREATE TABLE t (%s) DEFAULT CHARSET=utf8mb4;\n",
                 cases[i].definition);
        write_schema(text);
        refused("schema", schema_path, strstr(cases[i].words, "cp1251") ? RF_FATAL : RF_CONFIG,
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
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct subject subject;
        begin_small("CREATE TABLE shop.t (a INT, b INT);\nCREATE TABLE shop.u (a INT, b INT)");
        rf_test_sql(&server,
                    "INSERT INTO shop.t VALUES (1, 2);\nFLUSH BINARY LOGS;\n%s;\nSET "
                    "sql_log_bin=0;\nDROP DATABASE IF EXISTS t",
                    cases[i].statement);
        write_schema("USE shop; CREATE TABLE t (a INT, b INT); CREATE TABLE u (a INT, b INT)");
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

static int start_server(void **context)
{
    (void)context;
    rf_test_mariadb_start(&server, NULL);
    snprintf(schema_path, sizeof schema_path, "%s/schema.sql", server.dir);
    return 0;
}

static int end_server(void **context)
{
    (void)context;
    rf_test_mariadb_destroy(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definitions_complete_a_log_to_what_it_is_with_names),
        cmocka_unit_test(test_numbered_columns_have_all_but_names_members_and_key),
        cmocka_unit_test(test_a_definition_that_disagrees_stops_with_both_sides),
        cmocka_unit_test(test_a_change_ahead_stops_before_anything_is_handed_over),
        cmocka_unit_test(test_a_change_while_it_is_followed_voids_the_definition),
    };
    return cmocka_run_group_tests(tests, start_server, end_server);
}
