#include "wire/schema.h"
#include "wire/sql.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define GOLDEN ROWFERRY_TEST_DIR "/golden/schema"

/* ---- Tokens -------------------------------------------------------------------------------- */

static void test_text_is_cut_into_tokens(void **state)
{
    static const struct {
        const char *text, *tokens; /* each with its kind and a blank behind it */
    } cases[] = {
        {"", ""},
        {"a", "wa "},
        {"a b\n\tc1_$", "wa wb wc1_$ "},
        {"`a``b`.`c`", "na`b m. nc "},
        {"'it''s' \"x\"\"y\" 'a\\'b\\n'", "sit's sx\"y sa'b\n "},
        {"'a\\%\\_\\\\'", "sa\\%\\_\\ "},
        {"(1,-2)", "m( w1 m, m- w2 m) "},
        {"a -- b\nc # d\ne/* f */g", "wa wc we wg "},
        {"a --b", "wa m- m- wb "},
        {"/*!40101 SET x*/ y", "wSET wx wy "},
        {"/*M!100301 COMPRESSED*/ y", "wCOMPRESSED wy "},
        {"/*M!999999\\- not for anybody */ y", "wy "},
        {"/*!999999 a*/ y", "wy "},
        {"`open", ""},
        {"a 'open", "wa "},
        {"a /* open", "wa "},
        {"'\\", ""},
        {"/*", ""},
        {"/*!", ""},
        {"--", ""},
        {"\xc3\xa4 \xff", "w\xc3\xa4 w\xff "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_sql sql = {.rest = rf_str_of(cases[i].text)};
        struct rf_arena memory = {0};
        struct rf_buf out = {0};
        for (struct rf_sql_token token; (token = rf_sql_next(&sql)).kind != RF_SQL_END;) {
            rf_buf_add_byte(&out, ".wnsm"[token.kind]);
            rf_buf_add_str(&out, rf_sql_text(token, &memory));
            rf_buf_add_byte(&out, ' ');
        }
        assert_string_equal(rf_buf_cstr(&out), cases[i].tokens);
        rf_buf_deinit(&out);
        rf_arena_deinit(&memory);
    }
}

static void test_statements_end_at_their_delimiter(void **state)
{
    struct rf_sql sql = {.rest = RF_STR("a ';' b; DELIMITER ;;\nc; d ;; e")};
    (void)state;
    assert_true(rf_sql_skip(&sql));
    assert_true(rf_sql_is(rf_sql_next(&sql), "delimiter"));
    rf_sql_delimiter(&sql);
    assert_true(rf_sql_skip(&sql));
    assert_true(rf_sql_is(rf_sql_next(&sql), "E"));
    assert_int_equal(sql.line, 2);
    assert_false(rf_sql_skip(&sql));
}

/* ---- Definitions --------------------------------------------------------------------------- */

static void print_table(struct rf_buf *out, const struct rf_definition *table)
{
    rf_buf_printf(out, "%.*s.%.*s at %s\n", RF_STR_ARG(table->database), RF_STR_ARG(table->name),
                  strrchr(table->where, ':') + 1);
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct rf_definition_column *column = &table->columns[i];
        rf_buf_printf(out, "  %.*s: %.*s = %u/0x%04x%s%s", RF_STR_ARG(column->name),
                      RF_STR_ARG(column->type), column->log_type, column->metadata,
                      column->is_unsigned ? " unsigned" : "", column->nullable ? "" : " not null");
        if (column->character) {
            rf_buf_printf(out, " %.*s%s", RF_STR_ARG(column->charset_name),
                          column->carried ? "" : " (not carried)");
        }
        for (uint32_t member = 0; member < column->member_count; member++) {
            rf_buf_printf(out, " [%.*s]", RF_STR_ARG(column->members[member]));
        }
        rf_buf_add_byte(out, '\n');
    }
    rf_buf_add_str(out, RF_STR("  key"));
    for (uint32_t i = 0; i < table->key_count; i++) {
        rf_buf_printf(out, " %.*s", RF_STR_ARG(table->columns[table->key_columns[i]].name));
    }
    rf_buf_add_byte(out, '\n');
}

/* All definitions, the last one first. */
static enum rf_status print(struct rf_str text, struct rf_buf *out, struct rf_error *err)
{
    struct rf_schema schema = {0};
    enum rf_status status = rf_schema_parse(&schema, text, "x.sql", RF_STR_NONE, err);
    for (const struct rf_definition *table = schema.first; table != NULL; table = table->next) {
        print_table(out, table);
    }
    rf_schema_deinit(&schema);
    return status;
}

static bool read_file(const char *path, struct rf_buf *out)
{
    FILE *file = fopen(path, "rbe");
    for (int byte; file != NULL && (byte = fgetc(file)) != EOF;) {
        rf_buf_add_byte(out, (char)byte);
    }
    return file != NULL && fclose(file) == 0;
}

static void check_dump(const char *stem)
{
    char path[512];
    struct rf_buf text = {0}, wanted = {0}, found = {0};
    struct rf_error err = {0};
    snprintf(path, sizeof path, GOLDEN "/%s.sql", stem);
    assert_true(read_file(path, &text));
    if (print(rf_buf_str(&text), &found, &err) != RF_OK) {
        fail_msg("%s: %s", stem, err.message);
    }
    snprintf(path, sizeof path, GOLDEN "/%s.out", stem);
    if (getenv("ROWFERRY_UPDATE_GOLDEN") != NULL) {
        FILE *file = fopen(path, "wbe");
        assert_non_null(file);
        fwrite(found.data, 1, found.size, file);
        assert_int_equal(fclose(file), 0);
    }
    assert_true(read_file(path, &wanted));
    assert_string_equal(rf_buf_cstr(&found), rf_buf_cstr(&wanted));
    rf_buf_deinit(&text);
    rf_buf_deinit(&wanted);
    rf_buf_deinit(&found);
}

/* mariadb.sql and databases.sql are what mariadb-dump of MariaDB 10.11 printed; the tables are
 * those of test/lib/shapes.c. */
static void test_dumps_read_as_written_down(void **state)
{
    (void)state;
    check_dump("mariadb");
    check_dump("databases");
    check_dump("mysql");
}

static void test_types_come_to_what_the_log_has(void **state)
{
    static const struct {
        const char *type;
        unsigned log_type, metadata;
    } cases[] = {
        {"int", 3, 0},
        {"TINYINT(1)", 1, 0},
        {"float(24)", 4, 4},
        {"float(25)", 5, 8},
        {"float(40,3)", 4, 4},
        {"decimal(65,30)", 246, 65 | 30 << 8},
        {"bit(1)", 16, 1},
        {"bit(64)", 16, 8 << 8},
        {"time", 19, 0},
        {"datetime(6)", 18, 6},
        {"char(1)", 254, 0x04fe},
        {"char(63)", 254, 0xfcfe},
        {"char(64)", 254, 0x00ee},
        {"char(255)", 254, 0xfcce},
        {"binary(255)", 254, 0xfffe},
        {"varchar(16383)", 15, 65532},
        {"varbinary(65535)", 15, 65535},
        {"set('1','2','3','4','5','6','7','8')", 254, 0x01f8},
        {"set('1','2','3','4','5','6','7','8','9')", 254, 0x02f8},
        {"enum('a')", 254, 0x01f7},
        {"uuid", 254, 0x10fe},
        {"quux(1,2)", 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_schema schema = {0};
        struct rf_buf text = {0};
        struct rf_error err = {0};
        rf_buf_printf(&text, "CREATE TABLE d.t (a %s) CHARSET=utf8mb4", cases[i].type);
        if (rf_schema_parse(&schema, rf_buf_str(&text), "x", RF_STR_NONE, &err) != RF_OK) {
            fail_msg("%s: %s", cases[i].type, err.message);
        }
        assert_int_equal(schema.first->columns[0].log_type, cases[i].log_type);
        assert_int_equal(schema.first->columns[0].metadata, cases[i].metadata);
        rf_schema_deinit(&schema);
        rf_buf_deinit(&text);
    }
}

static void test_what_is_not_understood_is_named_by_line(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"CREATE TABLE t (", "x.sql:1: not a column near \"the end\""},
        {"\n\nCREATE TABLE t (a INT,\n)", "x.sql:4: not a column near \")\""},
        {"CREATE TABLE t ()", "not a column"},
        {"CREATE TABLE t (a)", "not a type near \")\""},
        {"CREATE TABLE t (a INT", "not closed"},
        {"CREATE TABLE t (a INT, PRIMARY KEY (b))", "a key of no column near \"b\""},
        {"CREATE TABLE t (a ENUM(1))", "not a list of members"},
        {"CREATE TABLE t (a ENUM('x')", "not closed"},
        {"CREATE TABLE t (a ENUM('\xff'))", "not UTF-8"},
        {"CREATE TABLE t (a VARCHAR)", "a type without its size"},
        {"CREATE TABLE t (a VARCHAR(9999999))", "not the size of a type"},
        {"CREATE TABLE t (a VARCHAR(70000))", "a type without its size"},
        {"CREATE TABLE t (a DECIMAL(1,2,3))", "not the size of a type"},
        {"CREATE TABLE t (a INT DEFAULT (1)", "not closed"},
        {"CREATE TABLE t (a INT DEFAULT (1", "not closed"},
        {"CREATE TABLE 'x' (a INT)", "not the name of a table"},
        {"CREATE TABLE t (`\xff` INT)", "not a name"},
        {"CREATE TABLE t (`` INT)", "not a name"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_error err = {0};
        struct rf_buf out = {0};
        enum rf_status status = print(rf_str_of(cases[i].text), &out, &err);
        if (status != RF_CONFIG || strstr(err.message, cases[i].message) == NULL) {
            fail_msg("%s: %s: %s", cases[i].text, rf_status_name(status), err.message);
        }
        assert_non_null(strstr(err.hint, "mariadb-dump"));
        rf_buf_deinit(&out);
    }
}

static void test_a_table_is_found_in_its_database_and_the_last_definition_counts(void **state)
{
    static const char text[] =
        "CREATE TABLE t (a INT); USE one; CREATE TABLE t (b INT);"
        "CREATE TABLE two.t (c INT); CREATE TABLE t (d INT);"
        "CREATE TEMPORARY TABLE u (a INT); CREATE TABLE v LIKE t;"
        "CREATE VIEW w AS SELECT 1; INSERT INTO x VALUES ('CREATE TABLE y (');";
    struct rf_schema schema = {0};
    const struct rf_definition *nameless, *table;
    (void)state;
    assert_int_equal(rf_schema_parse(&schema, RF_STR(text), "x", RF_STR_NONE, NULL), RF_OK);
    table = rf_schema_find(&schema, RF_STR("one"), RF_STR("t"), &nameless);
    assert_true(rf_str_equal(table->columns[0].name, RF_STR("d")));
    table = rf_schema_find(&schema, RF_STR("two"), RF_STR("t"), &nameless);
    assert_true(rf_str_equal(table->columns[0].name, RF_STR("c")));
    assert_null(rf_schema_find(&schema, RF_STR("three"), RF_STR("t"), &nameless));
    assert_true(rf_str_equal(nameless->columns[0].name, RF_STR("a")));
    for (int i = 0; i < 4; i++) {
        struct rf_str name = {&"uvwy"[i], 1};
        assert_null(rf_schema_find(&schema, RF_STR("one"), name, &nameless));
        assert_null(nameless);
    }
    rf_schema_deinit(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_cut_into_tokens),
        cmocka_unit_test(test_statements_end_at_their_delimiter),
        cmocka_unit_test(test_dumps_read_as_written_down),
        cmocka_unit_test(test_types_come_to_what_the_log_has),
        cmocka_unit_test(test_what_is_not_understood_is_named_by_line),
        cmocka_unit_test(test_a_table_is_found_in_its_database_and_the_last_definition_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
