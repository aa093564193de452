#include "format/ddl_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_first_words_tell_what_happens_to_what(void **state)
{
    (void)state;
    static const struct {
        const char *statement;
        enum rf_ddl_verb verb;
        enum rf_ddl_object object;
        const char *name;
    } cases[] = {
        {"create table t (a int)", RF_DDL_CREATE, RF_DDL_TABLE, ""},
        {"CREATE OR REPLACE TEMPORARY TABLE t (a INT)", RF_DDL_CREATE, RF_DDL_TABLE, ""},
        {"ALTER ONLINE IGNORE TABLE t ADD b INT", RF_DDL_ALTER, RF_DDL_TABLE, ""},
        {"DROP TABLES a, b", RF_DDL_DROP, RF_DDL_TABLE, ""},
        {"RENAME TABLE a TO b", RF_DDL_RENAME, RF_DDL_TABLE, ""},
        {"CREATE UNIQUE INDEX i ON t (a)", RF_DDL_CREATE, RF_DDL_INDEX, ""},
        {"DROP INDEX i ON t", RF_DDL_DROP, RF_DDL_INDEX, ""},
        {"CREATE DATABASE shop", RF_DDL_CREATE, RF_DDL_DATABASE, "shop"},
        {"CREATE SCHEMA IF NOT EXISTS `my shop` CHARSET utf8mb4", RF_DDL_CREATE, RF_DDL_DATABASE,
         "my shop"},
        {"DROP DATABASE IF EXISTS shop;", RF_DDL_DROP, RF_DDL_DATABASE, "shop"},
        {"ALTER DATABASE \"shop\" CHARSET latin1", RF_DDL_ALTER, RF_DDL_DATABASE, "shop"},
        {"CREATE VIEW v AS SELECT 1", RF_DDL_CREATE, RF_DDL_NOTHING, ""},
        {"GRANT ALL ON *.* TO u", RF_DDL_OTHER, RF_DDL_NOTHING, ""},
        {"DROP DATABASE shop/* gone */", RF_DDL_DROP, RF_DDL_DATABASE, "shop"},
        {"", RF_DDL_OTHER, RF_DDL_NOTHING, ""},
        {"CREATE", RF_DDL_CREATE, RF_DDL_NOTHING, ""},
        {"CREATE DATABASE", RF_DDL_CREATE, RF_DDL_DATABASE, ""},
        {"CREATE DATABASE `", RF_DDL_CREATE, RF_DDL_DATABASE, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_ddl_words words = rf_ddl_words_read(rf_str_of(cases[i].statement));
        assert_int_equal(words.verb, cases[i].verb);
        assert_int_equal(words.object, cases[i].object);
        assert_true(rf_str_equal(words.name, rf_str_of(cases[i].name)));
    }
}

static void test_comments_are_stepped_over_and_versions_count(void **state)
{
    (void)state;
    static const char *const statements[] = {
        " \t\n/* a */ /**/ CREATE /* b */ TABLE t (a INT)",
        "-- a\n# b\r\nCREATE TABLE t (a INT)",
        "CREATE /*!40101 TEMPORARY */ TABLE t (a INT)",
        "/*!50000 CREATE */ TABLE t (a INT)",
        "/*M!100100 CREATE TABLE */ t (a INT)",
    };
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        struct rf_ddl_words words = rf_ddl_words_read(rf_str_of(statements[i]));
        assert_int_equal(words.verb, RF_DDL_CREATE);
        assert_int_equal(words.object, RF_DDL_TABLE);
    }
    static const char *const open[] = {"/*", "/*!", "/*M!", "--", "#", "/* CREATE TABLE t", "/*/"};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        assert_int_equal(rf_ddl_words_read(rf_str_of(open[i])).verb, RF_DDL_OTHER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_words_tell_what_happens_to_what),
        cmocka_unit_test(test_comments_are_stepped_over_and_versions_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
