#include "source/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct expected {
    const char *text;
    enum rf_statement_kind kind;
    const char *database, *object;
};

static void expect(const struct expected *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct rf_arena arena = {0};
        struct rf_statement statement;
        const struct expected *want = &cases[i];
        rf_statement_read(rf_str_of(want->text), &arena, &statement);
        if (statement.kind != want->kind ||
            !rf_str_equal(statement.database, rf_str_of(want->database)) ||
            !rf_str_equal(statement.object, rf_str_of(want->object))) {
            fail_msg("%s: kind %d, '%.*s' . '%.*s'", want->text, statement.kind,
                     RF_STR_ARG(statement.database), RF_STR_ARG(statement.object));
        }
        rf_arena_deinit(&arena);
    }
}
#define EXPECT(cases) expect(cases, sizeof cases / sizeof *cases)

static void test_what_ends_or_undoes_a_transaction_is_known(void **context)
{
    static const struct expected cases[] = {
        {"BEGIN", RF_STATEMENT_BEGIN, NULL, NULL},
        {"begin work", RF_STATEMENT_BEGIN, NULL, NULL},
        {"START TRANSACTION", RF_STATEMENT_BEGIN, NULL, NULL},
        {"COMMIT", RF_STATEMENT_COMMIT, NULL, NULL},
        {" /* bye */ commit ", RF_STATEMENT_COMMIT, NULL, NULL},
        {"ROLLBACK", RF_STATEMENT_ROLLBACK, NULL, NULL},
        {"ROLLBACK TO `s`", RF_STATEMENT_ROLLBACK_TO, NULL, "s"},
        {"rollback work to savepoint s", RF_STATEMENT_ROLLBACK_TO, NULL, "s"},
        {"ROLLBACK TO savepoint", RF_STATEMENT_ROLLBACK_TO, NULL, NULL},
        {"SAVEPOINT `s```", RF_STATEMENT_SAVEPOINT, NULL, "s`"},
        {"RELEASE SAVEPOINT s", RF_STATEMENT_RELEASE, NULL, NULL},
        {"XA END X'61',X'',1", RF_STATEMENT_XA, NULL, NULL},
    };
    (void)context;
    EXPECT(cases);
}

static void test_statements_that_change_rows_are_known(void **context)
{
    static const char *const texts[] = {
        "INSERT INTO t VALUES (1)",
        "update t set a=1",
        "DELETE FROM t",
        "REPLACE t VALUES (1)",
        "LOAD DATA INFILE 'x' INTO TABLE t",
        "CALL p()",
        "WITH c AS (SELECT 1) DELETE FROM t",
        "-- a comment\nINSERT INTO t VALUES (1)",
        "# a comment\n  INSERT INTO t VALUES (1)",
        "/* a /* b */ INSERT INTO t VALUES (1)",
        "/*!40000 INSERT INTO t VALUES (1) */",
        "/*M!100100 INSERT */ INTO t VALUES (1)",
        "SET STATEMENT max_statement_time=1 FOR INSERT INTO t VALUES (1)",
        "SET STATEMENT sql_mode='a for ALTER', x=\"for\" FOR UPDATE t SET a=1",
        "SET STATEMENT a=1 FOR SET STATEMENT b=2 FOR DELETE FROM t",
        "SELECT SETVAL(s, 1)",
        "DO RELEASE_LOCK('x')",
    };
    (void)context;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct expected one = {texts[i], RF_STATEMENT_CHANGE, NULL, NULL};
        expect(&one, 1);
    }
}

static void test_tables_are_named_where_they_are_named_at_all(void **context)
{
    static const struct expected cases[] = {
        {"TRUNCATE t", RF_STATEMENT_TRUNCATE, NULL, "t"},
        {"TRUNCATE TABLE t", RF_STATEMENT_TRUNCATE, NULL, "t"},
        {"truncate `table`", RF_STATEMENT_TRUNCATE, NULL, "table"},
        {"truncate table", RF_STATEMENT_TRUNCATE, NULL, "table"},
        {"TRUNCATE TABLE `shop`.`mem` /* generated */", RF_STATEMENT_TRUNCATE, "shop", "mem"},
        {"TRUNCATE shop . t", RF_STATEMENT_TRUNCATE, "shop", "t"},
        {"TRUNCATE `a``b`.`c.d`", RF_STATEMENT_TRUNCATE, "a`b", "c.d"},
        {"TRUNCATE \"a\"\"b\"", RF_STATEMENT_TRUNCATE, NULL, "a\"b"},
        {"TRUNCATE t\xc3\xa4", RF_STATEMENT_TRUNCATE, NULL, "t\xc3\xa4"},
        {"TRUNCATE", RF_STATEMENT_UNKNOWN, NULL, NULL},
        {"TRUNCATE `open", RF_STATEMENT_UNKNOWN, NULL, NULL},
        {"CREATE TABLE t (a INT)", RF_STATEMENT_DDL, NULL, "t"},
        {"CREATE OR REPLACE TABLE IF NOT EXISTS s.t (a INT)", RF_STATEMENT_DDL, "s", "t"},
        {"CREATE TEMPORARY TABLE t (a INT)", RF_STATEMENT_DDL, NULL, NULL},
        {"DROP /*!40005 TEMPORARY */ TABLE IF EXISTS `t`", RF_STATEMENT_DDL, NULL, NULL},
        {"DROP TABLE IF EXISTS t", RF_STATEMENT_DDL, NULL, "t"},
        {"DROP TABLE t, u", RF_STATEMENT_DDL, NULL, NULL},
        {"ALTER ONLINE IGNORE TABLE s.t ADD b INT", RF_STATEMENT_DDL, "s", "t"},
        {"SET STATEMENT x=1 FOR ALTER TABLE u ADD e INT", RF_STATEMENT_DDL, NULL, "u"},
        {"RENAME TABLE a TO b", RF_STATEMENT_DDL, NULL, NULL},
        {"CREATE DATABASE shop", RF_STATEMENT_DDL, NULL, NULL},
        {"CREATE VIEW v AS SELECT 1", RF_STATEMENT_DDL, NULL, NULL},
        {"ANALYZE TABLE t", RF_STATEMENT_DDL, NULL, NULL},
        {"FLUSH TABLES", RF_STATEMENT_DDL, NULL, NULL},
        {"SET GLOBAL x = 1", RF_STATEMENT_DDL, NULL, NULL},
    };
    (void)context;
    EXPECT(cases);
}

static void test_statements_with_passwords_are_told_apart(void **context)
{
    static const char *const texts[] = {
        "CREATE USER x IDENTIFIED BY 'secret'",
        "CREATE OR REPLACE USER x",
        "ALTER USER x IDENTIFIED BY 'secret'",
        "DROP ROLE r",
        "RENAME USER a TO b",
        "GRANT SELECT ON *.* TO x IDENTIFIED BY 'secret'",
        "REVOKE ALL ON *.* FROM x",
        "SET PASSWORD FOR x='*00'",
        "SET DEFAULT ROLE r",
        "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (PASSWORD 'secret')",
    };
    (void)context;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct expected one = {texts[i], RF_STATEMENT_ACCOUNT, NULL, NULL};
        expect(&one, 1);
    }
}

static void test_what_is_not_known_is_said_to_be_so(void **context)
{
    static const char *const texts[] = {
        "",
        "   ",
        "/* only a comment",
        "FROBNICATE t",
        "BEGIN NOT ATOMIC x; END",
        "123",
        "COMMIT AND CHAIN",
        "(SELECT 1)",
        "IF 1 THEN DROP TABLE t; END IF",
        "SET STATEMENT x=1",
        "SET STATEMENT x='open FOR INSERT",
        "\xff\xfe",
    };
    (void)context;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct expected one = {texts[i], RF_STATEMENT_UNKNOWN, NULL, NULL};
        expect(&one, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_ends_or_undoes_a_transaction_is_known),
        cmocka_unit_test(test_statements_that_change_rows_are_known),
        cmocka_unit_test(test_tables_are_named_where_they_are_named_at_all),
        cmocka_unit_test(test_statements_with_passwords_are_told_apart),
        cmocka_unit_test(test_what_is_not_known_is_said_to_be_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
