#include "wire/table.h"

#include "lib/binlog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))

/* Column types of the log. */
enum {
    TINY = 1,
    LONG = 3,
    FLOAT = 4,
    DOUBLE = 5,
    LONGLONG = 8,
    YEAR = 13,
    VARCHAR = 15,
    BIT = 16,
    DATETIME2 = 18,
    NEWDECIMAL = 246,
    BLOB = 252,
    STRING = 254,
    GEOMETRY = 255,
};
enum { UTF8 = 45, LATIN1 = 8, ASCII = 11, BINARY = 63, CP1251 = 51 };

static enum rf_status parse(const struct test_column *columns, struct rf_table **table,
                            struct rf_error *err)
{
    struct rf_buf body = {0};
    test_put_table(&body, columns);
    enum rf_status status =
        rf_binlog_table_parse(rf_buf_str(&body), RF_LOG_OF_MARIADB, 3, table, err);
    rf_buf_deinit(&body);
    return status;
}

static void test_a_name_is_read_without_the_rest(void **state)
{
    (void)state;
    static const struct test_column columns[] = {{.name = "a", .type = LONG}, {0}};
    struct rf_buf body = {0};
    struct rf_binlog_table table;
    struct rf_error err = {0};
    test_put_table(&body, columns);
    assert_int_equal(rf_binlog_table_name(rf_buf_str(&body), &table, &err), RF_OK);
    assert_int_equal(table.id, 7);
    assert_int_equal(table.flags, 1);
    assert_true(rf_str_equal(table.database, RF_STR("shop")));
    assert_true(rf_str_equal(table.name, RF_STR("items")));
    enum { HEAD = 8 + 6 + 7 };
    assert_int_equal(rf_binlog_table_name((struct rf_str){body.data, HEAD}, &table, &err), RF_OK);
    for (size_t size = 0; size < HEAD; size++) {
        struct rf_str cut = {body.data, size};
        assert_int_equal(rf_binlog_table_name(cut, &table, &err), RF_FATAL);
    }
    rf_buf_deinit(&body);
}

static void test_a_table_knows_its_columns(void **state)
{
    (void)state;
    static const struct test_column columns[] = {
        {.name = "id", .type = LONGLONG, .is_unsigned = true, .key = true},
        {.name = "year", .type = YEAR, .is_unsigned = true},
        {.name = "n", .type = TINY},
        {.name = "f", .type = FLOAT, .metadata = 4, .is_unsigned = true},
        {.name = "price", .type = NEWDECIMAL, .metadata = 12 | 2 << 8},
        {.name = "bits", .type = BIT, .metadata = 3 | 1 << 8},
        {.name = "at", .type = DATETIME2, .metadata = 3},
        {.name = "text", .type = BLOB, .metadata = 2, .collation = UTF8},
        {.name = "blob", .type = BLOB, .metadata = 4, .collation = BINARY},
        {.name = "name", .type = VARCHAR, .metadata = 200, .collation = LATIN1},
        {.name = "raw", .type = VARCHAR, .metadata = 300, .collation = BINARY},
        {.name = "c", .type = STRING, .metadata = 0xfe | 40 << 8, .collation = ASCII},
        {.name = "wide", .type = STRING, .metadata = 0xce | 0xfc << 8, .collation = UTF8},
        {.name = "fixed", .type = STRING, .metadata = 0xfe | 16 << 8, .collation = BINARY},
        {.name = "choice",
         .type = STRING,
         .metadata = 0xf7 | 1 << 8,
         .collation = LATIN1,
         .members = "a,\xe4"},
        {.name = "set",
         .type = STRING,
         .metadata = 0xf8 | 1 << 8,
         .collation = UTF8,
         .members = "x,y"},
        {.name = "shape", .type = GEOMETRY, .metadata = 4, .collation = BINARY},
        {0}};
    static const struct {
        unsigned type, charset, precision, scale, length;
        bool is_unsigned;
    } wanted[] = {
        {RF_COLUMN_BIGINT, RF_CHARSET_BINARY, 0, 0, 0, true},
        {RF_COLUMN_YEAR, RF_CHARSET_BINARY, 0, 0, 0, true},
        {RF_COLUMN_TINYINT, RF_CHARSET_BINARY, 0, 0, 0, false},
        {RF_COLUMN_FLOAT, RF_CHARSET_BINARY, 4, 0, 0, true},
        {RF_COLUMN_DECIMAL, RF_CHARSET_BINARY, 12, 2, 0, false},
        {RF_COLUMN_BIT, RF_CHARSET_BINARY, 11, 0, 0, false},
        {RF_COLUMN_DATETIME, RF_CHARSET_BINARY, 0, 3, 0, false},
        {RF_COLUMN_TEXT, RF_CHARSET_UTF8, 0, 0, 2, false},
        {RF_COLUMN_BLOB, RF_CHARSET_BINARY, 0, 0, 4, false},
        {RF_COLUMN_VARCHAR, RF_CHARSET_LATIN1, 0, 0, 200, false},
        {RF_COLUMN_VARBINARY, RF_CHARSET_BINARY, 0, 0, 300, false},
        {RF_COLUMN_CHAR, RF_CHARSET_ASCII, 0, 0, 40, false},
        {RF_COLUMN_CHAR, RF_CHARSET_UTF8, 0, 0, 1020, false},
        {RF_COLUMN_BINARY, RF_CHARSET_BINARY, 0, 0, 16, false},
        {RF_COLUMN_ENUM, RF_CHARSET_LATIN1, 0, 0, 0, false},
        {RF_COLUMN_SET, RF_CHARSET_UTF8, 0, 0, 0, false},
        {RF_COLUMN_GEOMETRY, RF_CHARSET_BINARY, 0, 0, 4, false},
    };
    struct rf_table *table;
    struct rf_error err = {0};
    assert_int_equal(parse(columns, &table, &err), RF_OK);
    assert_true(rf_str_equal(table->full_name, RF_STR("shop.items")));
    assert_true(rf_str_equal(table->database, RF_STR("shop")));
    assert_true(rf_str_equal(table->name, RF_STR("items")));
    assert_int_equal(table->version, 3);
    assert_int_equal(table->column_count, count_of(wanted));
    for (size_t i = 0; i < count_of(wanted); i++) {
        const struct rf_column *column = &table->columns[i];
        assert_true(rf_str_equal(column->name, rf_str_of(columns[i].name)));
        assert_int_equal(column->type, wanted[i].type);
        assert_int_equal(column->charset, wanted[i].charset);
        assert_int_equal(column->precision, wanted[i].precision);
        assert_int_equal(column->scale, wanted[i].scale);
        assert_int_equal(column->length, wanted[i].length);
        assert_int_equal(column->is_unsigned, wanted[i].is_unsigned);
        assert_int_equal(column->key, i == 0);
        assert_true(column->nullable);
    }
    assert_int_equal(table->key_count, 1);
    assert_int_equal(table->key_columns[0], 0);
    assert_int_equal(table->columns[14].member_count, 2);
    assert_true(rf_str_equal(table->columns[14].members[1], RF_STR("\xc3\xa4")));
    assert_true(rf_str_equal(table->columns[15].members[1], RF_STR("y")));
    rf_table_release(table);
}

static void test_more_than_255_columns_are_read(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static struct test_column columns[COUNT + 1];
    static char names[COUNT][8];
    struct rf_table *table;
    struct rf_error err = {0};
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "c%d", i);
        columns[i] = (struct test_column){
            .name = names[i], .type = LONG, .is_unsigned = i % 3 == 0, .key = i == COUNT - 1};
    }
    assert_int_equal(parse(columns, &table, &err), RF_OK);
    assert_int_equal(table->column_count, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(table->columns[i].is_unsigned, i % 3 == 0);
    }
    assert_int_equal(table->key_columns[0], COUNT - 1);
    rf_table_release(table);
}

static void test_metadata_that_was_not_logged_asks_for_full(void **state)
{
    (void)state;
    static const struct test_column columns[] = {
        {.name = "a", .type = LONG},
        {.name = "b", .type = STRING, .metadata = 0xfe | 4 << 8, .collation = UTF8},
        {.name = "c", .type = STRING, .metadata = 0xf7 | 1 << 8, .collation = UTF8, .members = "x"},
        {0}};
    static const uint8_t fields[] = {1, 3, 4, 6, 11};
    struct rf_buf body = {0};
    test_put_table(&body, columns);
    /* Where the optional metadata begins: names, 3 columns, 4 bytes of metadata, the NULL bits. */
    enum { OPTIONAL = 21 + 1 + 3 + 1 + 4 + 1 };
    for (size_t missing = 0; missing < count_of(fields); missing++) {
        struct rf_buf less = {0};
        struct rf_table *table;
        struct rf_error err = {0};
        rf_buf_add(&less, body.data, OPTIONAL);
        for (size_t at = OPTIONAL; at < body.size; at += 2 + (unsigned char)body.data[at + 1]) {
            if (body.data[at] != fields[missing]) {
                rf_buf_add(&less, body.data + at, 2u + (unsigned char)body.data[at + 1]);
            }
        }
        assert_true(less.size < body.size);
        assert_int_equal(
            rf_binlog_table_parse(rf_buf_str(&less), RF_LOG_OF_MARIADB, 1, &table, &err),
            RF_CONFIG);
        assert_null(table);
        assert_non_null(strstr(err.message, "shop.items"));
        assert_non_null(strstr(err.hint, "SET GLOBAL binlog_row_metadata=FULL"));
        assert_non_null(strstr(err.hint, "only what is logged from then on"));
        rf_buf_deinit(&less);
    }
    rf_buf_deinit(&body);
}

static void test_what_is_not_carried_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        struct test_column column;
        const char *named;
    } cases[] = {
        {{.name = "bad", .type = 0}, "type 0"},
        {{.name = "bad", .type = 6}, "type 6"},
        {{.name = "bad", .type = 20}, "typed array"},
        {{.name = "bad", .type = 253}, "type 253"},
        {{.name = "bad", .type = 99}, "unknown (type 99)"},
        {{.name = "bad", .type = VARCHAR, .metadata = 9, .collation = 65535},
         "unknown (collation 65535)"},
        {{.name = "bad",
          .type = STRING,
          .metadata = 0xf7 | 1 << 8,
          .collation = 17,
          .members = "x"},
         "unknown (collation 17)"},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        const struct test_column columns[] = {{.name = "id", .type = LONG}, cases[i].column, {0}};
        struct rf_table *table;
        struct rf_error err = {0};
        assert_int_equal(parse(columns, &table, &err), RF_FATAL);
        assert_null(table);
        if (strstr(err.message, cases[i].named) == NULL || strstr(err.message, "bad") == NULL ||
            strstr(err.message, "shop.items") == NULL) {
            fail_msg("%s: %s", cases[i].named, err.message);
        }
    }
}

static void test_impossible_type_metadata_is_damage(void **state)
{
    (void)state;
    static const struct test_column cases[] = {
        {.name = "x", .type = FLOAT, .metadata = 8},
        {.name = "x", .type = DOUBLE, .metadata = 4},
        {.name = "x", .type = BIT, .metadata = 8},
        {.name = "x", .type = BIT, .metadata = 0},
        {.name = "x", .type = BIT, .metadata = 1 | 8 << 8},
        {.name = "x", .type = DATETIME2, .metadata = 7},
        {.name = "x", .type = 17, .metadata = 255},
        {.name = "x", .type = 19, .metadata = 7},
        {.name = "x", .type = NEWDECIMAL, .metadata = 0},
        {.name = "x", .type = NEWDECIMAL, .metadata = 66},
        {.name = "x", .type = NEWDECIMAL, .metadata = 10 | 11 << 8},
        {.name = "x", .type = NEWDECIMAL, .metadata = 65 | 39 << 8},
        {.name = "x", .type = BLOB, .metadata = 0, .collation = UTF8},
        {.name = "x", .type = BLOB, .metadata = 5, .collation = UTF8},
        {.name = "x", .type = GEOMETRY, .metadata = 0, .collation = BINARY},
        {.name = "x", .type = 140, .metadata = 0, .collation = UTF8},
        {.name = "x", .type = 140, .metadata = 5, .collation = UTF8},
        {.name = "x", .type = 141, .metadata = 0, .collation = UTF8},
        {.name = "x", .type = STRING, .metadata = 0xf7 | 3 << 8, .collation = UTF8, .members = "a"},
        {.name = "x", .type = STRING, .metadata = 0xf8 | 9 << 8, .collation = UTF8, .members = "a"},
        {.name = "x", .type = STRING, .metadata = 0xf8, .collation = UTF8, .members = "a"},
        {.name = "x", .type = STRING, .metadata = 0xff | 9 << 8, .collation = UTF8},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        const struct test_column columns[] = {cases[i], {0}};
        struct rf_table *table;
        struct rf_error err = {0};
        if (parse(columns, &table, &err) != RF_FATAL || strstr(err.message, "damaged") == NULL) {
            fail_msg("case %zu: %s", i, err.message);
        }
    }
}

static void test_a_table_map_cut_anywhere_is_damage_or_lacks_metadata(void **state)
{
    (void)state;
    static const struct test_column columns[] = {
        {.name = "id", .type = LONG, .key = true},
        {.name = "name", .type = VARCHAR, .metadata = 200, .collation = UTF8},
        {.name = "choice",
         .type = STRING,
         .metadata = 0xf7 | 1 << 8,
         .collation = UTF8,
         .members = "a,b"},
        {0}};
    struct rf_buf body = {0};
    test_put_table(&body, columns);
    for (size_t size = 0; size < body.size; size++) {
        char *exact = malloc(size ? size : 1);
        struct rf_table *table;
        struct rf_error err = {0};
        memcpy(exact, body.data, size);
        enum rf_status status =
            rf_binlog_table_parse((struct rf_str){exact, size}, RF_LOG_OF_MARIADB, 1, &table, &err);
        assert_true(status == RF_FATAL || status == RF_CONFIG);
        assert_null(table);
        free(exact);
    }
    rf_buf_deinit(&body);
}

static void test_a_table_map_with_any_byte_changed_is_read_or_refused(void **state)
{
    (void)state;
    static const struct test_column columns[] = {
        {.name = "id", .type = LONG, .key = true},
        {.name = "name", .type = VARCHAR, .metadata = 200, .collation = UTF8},
        {.name = "choice",
         .type = STRING,
         .metadata = 0xf7 | 1 << 8,
         .collation = LATIN1,
         .members = "a,b"},
        {.name = "set",
         .type = STRING,
         .metadata = 0xf8 | 1 << 8,
         .collation = UTF8,
         .members = "a,b"},
        {.name = "price", .type = NEWDECIMAL, .metadata = 12 | 2 << 8},
        {0}};
    struct rf_buf body = {0};
    test_put_table(&body, columns);
    for (size_t at = 0; at < body.size; at++) {
        char before = body.data[at];
        for (int byte = 0; byte < 256; byte++) {
            struct rf_table *table;
            struct rf_error err = {0};
            body.data[at] = (char)byte;
            enum rf_status status =
                rf_binlog_table_parse(rf_buf_str(&body), RF_LOG_OF_MARIADB, 1, &table, &err);
            assert_true((status == RF_OK) == (table != NULL));
            rf_table_release(table);
        }
        body.data[at] = before;
    }
    rf_buf_deinit(&body);
}

static void test_a_table_without_columns_is_damage(void **state)
{
    (void)state;
    static const struct test_column columns[] = {{0}};
    struct rf_table *table;
    struct rf_error err = {0};
    assert_int_equal(parse(columns, &table, &err), RF_FATAL);
}

/* As MySQL 9.7 wrote them: tables g1 (a INT, g GEOMETRY, t VARCHAR of latin1, p POINT) and g3 (v of
 * latin1, g GEOMETRY, x of ascii, y of utf8mb4). */
static void test_mysql_counts_no_geometries_among_the_texts(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        uint8_t charsets[4];
    } cases[] = {
        {"91 00 00 00 00 00 01 00 04 73 68 6f 70 00 02 67 31 00 04 03 ff 0f ff 04 04 0a 00 04 0e "
         "01 01 00 02 01 08 07 02 00 01 04 08 01 61 01 67 01 74 01 70 08 01 00 0c 01 f0",
         {0, 0, RF_CHARSET_LATIN1, 0}},
        {"a3 00 00 00 00 00 01 00 04 73 68 6f 70 00 02 67 33 00 04 0f ff 0f 0f 07 0a 00 04 05 00 "
         "14 00 0f 03 05 08 0b fc ff 00 07 01 00 04 08 01 76 01 67 01 78 01 79 0c 01 f0",
         {RF_CHARSET_LATIN1, 0, RF_CHARSET_ASCII, RF_CHARSET_UTF8}},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        struct rf_buf body = {0};
        struct rf_table *table;
        struct rf_error err = {0};
        test_put_hex(&body, cases[i].hex);
        assert_int_equal(rf_binlog_table_parse(rf_buf_str(&body), RF_LOG_OF_MYSQL, 1, &table, &err),
                         RF_OK);
        assert_int_equal(table->column_count, 4);
        for (uint32_t j = 0; j < 4; j++) {
            assert_int_equal(table->columns[j].charset, cases[i].charsets[j]);
        }
        rf_table_release(table);
        rf_buf_deinit(&body);
    }
}

/* Completes the columns with a definition of SQL; *table is NULL unless RF_OK. */
static enum rf_status complete(const struct test_column *columns, const char *sql,
                               struct rf_table **table, struct rf_error *err)
{
    struct rf_schema schema = {0};
    struct rf_buf body = {0};
    test_put_table(&body, columns);
    assert_int_equal(rf_schema_parse(&schema, rf_str_of(sql), "schema", RF_STR("shop"), err),
                     RF_OK);
    enum rf_status status =
        rf_binlog_table_complete(rf_buf_str(&body), RF_LOG_OF_MARIADB, schema.first, 1, table, err);
    rf_schema_deinit(&schema);
    rf_buf_deinit(&body);
    return status;
}

static void test_a_definition_says_which_bytes_are_addresses(void **state)
{
    (void)state;
    static const struct test_column columns[] = {
        {.name = "id", .type = STRING, .metadata = 0xfe | 16 << 8, .collation = BINARY},
        {.name = "a4", .type = STRING, .metadata = 0xfe | 4 << 8, .collation = BINARY},
        {.name = "a6", .type = STRING, .metadata = 0xfe | 16 << 8, .collation = BINARY},
        {.name = "b", .type = STRING, .metadata = 0xfe | 16 << 8, .collation = BINARY},
        {.name = "t", .type = STRING, .metadata = 0xfe | 16 << 8, .collation = UTF8},
        {0}};
    /* Another order, and more of them: it is of another time, and names decide. */
    static const char sql[] = "CREATE TABLE items (new INT, a6 INET6, a4 INET4, id UUID NOT NULL, "
                              "b BINARY(16), t UUID);";
    static const uint8_t wanted[] = {RF_COLUMN_UUID, RF_COLUMN_INET4, RF_COLUMN_INET6,
                                     RF_COLUMN_BINARY, RF_COLUMN_CHAR};
    struct rf_table *table;
    struct rf_error err = {0};
    assert_int_equal(complete(columns, sql, &table, &err), RF_OK);
    for (uint32_t i = 0; i < count_of(wanted); i++) {
        assert_int_equal(table->columns[i].type, wanted[i]);
    }
    rf_table_release(table);
    /* One of another size is none. */
    assert_int_equal(complete(columns, "CREATE TABLE items (id INET4, a4 UUID);", &table, &err),
                     RF_OK);
    assert_int_equal(table->columns[0].type, RF_COLUMN_BINARY);
    assert_int_equal(table->columns[1].type, RF_COLUMN_BINARY);
    rf_table_release(table);
}

static void test_old_times_need_a_definition(void **state)
{
    (void)state;
    static const struct test_column columns[] = {{.name = "id", .type = LONG},
                                                 {.name = "a", .type = 7},
                                                 {.name = "b", .type = 11},
                                                 {.name = "c", .type = 12},
                                                 {0}};
    static const char sql[] = "CREATE TABLE items (id INT, a TIMESTAMP(3) /* mariadb-5.3 */ NULL, "
                              "b TIME, c DATETIME(6));";
    struct rf_table *table;
    struct rf_error err = {0};
    assert_int_equal(parse(columns, &table, &err), RF_CONFIG);
    assert_non_null(strstr(err.message, "column a of table shop.items"));
    assert_non_null(strstr(err.hint, "mysql56_temporal_format"));
    assert_int_equal(complete(columns, sql, &table, &err), RF_OK);
    assert_int_equal(table->columns[1].type, RF_COLUMN_TIMESTAMP);
    assert_int_equal(table->columns[1].scale, 3);
    assert_int_equal(table->columns[2].type, RF_COLUMN_TIME);
    assert_int_equal(table->columns[2].scale, 0);
    assert_int_equal(table->columns[3].type, RF_COLUMN_DATETIME);
    assert_int_equal(table->columns[3].scale, 6);
    rf_table_release(table);
    assert_int_equal(
        complete(columns, "CREATE TABLE items (a TIME, b TIME, c TIME);", &table, &err), RF_CONFIG);
    assert_null(table);
}

static void test_a_member_that_a_server_could_not_print_is_not_guessed(void **state)
{
    (void)state;
    /* shop.items with one ENUM, and no optional metadata. */
    static const char bare[] = "07 00 00 00 00 00 01 00 04 73 68 6f 70 00 05 69 74 65 6d 73 00 "
                               "01 fe 02 f7 01 ff";
    struct rf_buf unnamed = {0};
    struct rf_error err = {0};
    test_put_hex(&unnamed, bare);
    static const struct {
        const char *sql;
        enum rf_status status;
    } cases[] = {
        {"CREATE TABLE items (e ENUM('x','?')) CHARSET=utf8mb4;", RF_CONFIG},
        {"CREATE TABLE items (e ENUM('?')) CHARSET=gb18030;", RF_CONFIG},
        {"CREATE TABLE items (e ENUM('?')) CHARSET=utf8mb3;", RF_OK},
        {"CREATE TABLE items (e ENUM('?')) CHARSET=gbk;", RF_OK},
        {"CREATE TABLE items (e ENUM('x')) CHARSET=utf8mb4;", RF_OK},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        struct rf_schema schema = {0};
        struct rf_table *table = NULL;
        assert_int_equal(
            rf_schema_parse(&schema, rf_str_of(cases[i].sql), "schema", RF_STR("shop"), &err),
            RF_OK);
        assert_int_equal(rf_binlog_table_complete(rf_buf_str(&unnamed), RF_LOG_OF_MARIADB,
                                                  schema.first, 1, &table, &err),
                         cases[i].status);
        rf_table_release(table);
        rf_schema_deinit(&schema);
    }
    rf_buf_deinit(&unnamed);
}

static enum rf_table_lack lack_of(const struct test_column *column)
{
    const struct test_column columns[] = {{.name = "id", .type = LONG}, *column, {0}};
    struct rf_buf body = {0};
    test_put_table(&body, columns);
    enum rf_table_lack lack = rf_binlog_table_lacks(rf_buf_str(&body), RF_LOG_OF_MARIADB);
    rf_buf_deinit(&body);
    return lack;
}

static void test_what_a_log_does_not_say_is_known(void **state)
{
    (void)state;
    static const struct {
        struct test_column column;
        enum rf_table_lack lack;
    } cases[] = {
        {{.name = "c", .type = LONG}, RF_LACKS_NOTHING},
        {{.name = "c", .type = 17, .metadata = 3}, RF_LACKS_NOTHING},
        {{.name = "c", .type = 7}, RF_LACKS_FRACTIONS},
        {{.name = "c", .type = 11}, RF_LACKS_FRACTIONS},
        {{.name = "c", .type = 12}, RF_LACKS_FRACTIONS},
        {{.name = "c", .type = STRING, .metadata = 0xfe | 16 << 8, .collation = BINARY},
         RF_LACKS_ADDRESSES},
        {{.name = "c", .type = STRING, .metadata = 0xfe | 4 << 8, .collation = BINARY},
         RF_LACKS_ADDRESSES},
        {{.name = "c", .type = STRING, .metadata = 0xfe | 8 << 8, .collation = BINARY},
         RF_LACKS_NOTHING},
        {{.name = "c", .type = STRING, .metadata = 0xfe | 16 << 8, .collation = UTF8},
         RF_LACKS_NOTHING},
        {{.name = "c", .type = VARCHAR, .metadata = 16, .collation = BINARY}, RF_LACKS_NOTHING},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        assert_int_equal(lack_of(&cases[i].column), cases[i].lack);
    }
    assert_int_equal(rf_binlog_table_lacks(RF_STR("cut"), RF_LOG_OF_MARIADB), RF_LACKS_NAMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_definition_says_which_bytes_are_addresses),
        cmocka_unit_test(test_old_times_need_a_definition),
        cmocka_unit_test(test_what_a_log_does_not_say_is_known),
        cmocka_unit_test(test_a_member_that_a_server_could_not_print_is_not_guessed),
        cmocka_unit_test(test_a_name_is_read_without_the_rest),
        cmocka_unit_test(test_a_table_knows_its_columns),
        cmocka_unit_test(test_more_than_255_columns_are_read),
        cmocka_unit_test(test_metadata_that_was_not_logged_asks_for_full),
        cmocka_unit_test(test_what_is_not_carried_is_refused_by_name),
        cmocka_unit_test(test_impossible_type_metadata_is_damage),
        cmocka_unit_test(test_a_table_map_cut_anywhere_is_damage_or_lacks_metadata),
        cmocka_unit_test(test_a_table_map_with_any_byte_changed_is_read_or_refused),
        cmocka_unit_test(test_a_table_without_columns_is_damage),
        cmocka_unit_test(test_mysql_counts_no_geometries_among_the_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
