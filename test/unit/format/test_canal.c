#include "lib/events.h"
#include "lib/messages.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

extern const struct rf_format_type rf_format_canal;

static const struct rf_test_setting commit_clock[] = {{"clock", "commit"}, {0}};

struct bench {
    struct rf_test_messages messages;
    struct rf_table *orders;
    struct rf_origin origin;
};

static void bench_open(struct bench *bench)
{
    *bench = (struct bench){
        .orders = rf_test_table("shop", "orders", "id:int! name:text"),
        .origin = {.time_us = INT64_C(1700000001) * 1000000, .offset = 1637},
    };
    rf_test_messages_open(&bench->messages, &rf_format_canal, commit_clock);
    rf_test_begin(&bench->messages.batch, 42);
    rf_test_messages_transaction(&bench->messages)->gtid = RF_STR("0-7-42");
}

static void bench_close(struct bench *bench)
{
    rf_test_messages_close(&bench->messages);
    rf_table_release(bench->orders);
}

static struct rf_batch *batch_of(struct bench *bench)
{
    return &bench->messages.batch;
}

static const char *messages_of(struct bench *bench, struct rf_event *event)
{
    event->origin = &bench->origin;
    return rf_test_messages_of(&bench->messages, event, NULL);
}

#define PLACE ",\"database\":\"shop\",\"es\":1700000001000,\"gtid\":\"0-7-42\",\"id\":1637,"
#define TYPES "\"isDdl\":false,\"mysqlType\":{\"id\":\"int\",\"name\":\"text\"},"
#define BEHIND                                                                 \
    ",\"pkNames\":[\"id\"],\"sql\":\"\",\"sqlType\":{\"id\":4,\"name\":2005}," \
    "\"table\":\"orders\",\"ts\":1700000042000,\"type\":"

static void test_rows_are_flat_messages_of_strings(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench);
    struct rf_event *event = rf_test_create(batch_of(&bench), bench.orders, "1|anna");
    assert_string_equal(messages_of(&bench, event),
                        "{\"id\":\"1\"} {\"data\":[{\"id\":\"1\",\"name\":\"anna\"}]" PLACE TYPES
                        "\"old\":null" BEHIND "\"INSERT\"}\n");
    event = rf_test_update(batch_of(&bench), bench.orders, "1|anna", "1|NULL");
    assert_string_equal(messages_of(&bench, event),
                        "{\"id\":\"1\"} {\"data\":[{\"id\":\"1\",\"name\":null}]" PLACE TYPES
                        "\"old\":[{\"name\":\"anna\"}]" BEHIND "\"UPDATE\"}\n");
    event = rf_test_update(batch_of(&bench), bench.orders, "1|anna", "1|anna");
    assert_string_equal(messages_of(&bench, event),
                        "{\"id\":\"1\"} {\"data\":[{\"id\":\"1\",\"name\":\"anna\"}]" PLACE TYPES
                        "\"old\":null" BEHIND "\"UPDATE\"}\n");
    event = rf_test_delete(batch_of(&bench), bench.orders, "1|?");
    assert_string_equal(messages_of(&bench, event),
                        "{\"id\":\"1\"} {\"data\":[{\"id\":\"1\"}]" PLACE TYPES
                        "\"old\":null" BEHIND "\"DELETE\"}\n");
    bench_close(&bench);
}

static void test_rows_without_a_log_or_a_key_are_messages_too(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench);
    rf_test_messages_transaction(&bench.messages)->gtid = RF_STR_NONE;
    struct rf_table *table = rf_test_table("shop", "log", "x:int");
    struct rf_event *event = rf_test_create(batch_of(&bench), table, "5");
    event->op = RF_READ;
    assert_string_equal(rf_test_messages_of(&bench.messages, event, NULL),
                        " {\"data\":[{\"x\":\"5\"}],\"database\":\"shop\",\"es\":1700000042000,"
                        "\"gtid\":\"\",\"id\":0,\"isDdl\":false,\"mysqlType\":{\"x\":\"int\"},"
                        "\"old\":null,\"pkNames\":null,\"sql\":\"\",\"sqlType\":{\"x\":4},"
                        "\"table\":\"log\",\"ts\":1700000042000,\"type\":\"INSERT\"}\n");
    bench_close(&bench);
    rf_table_release(table);
}

/* What the row's message says of a column `c`: its value, its type and its type's number. */
static const char *told_of(struct bench *bench, struct rf_column column, struct rf_value value)
{
    static char told[512];
    column.name = RF_STR("c");
    struct rf_table *table = rf_test_table("shop", "t", "c:int");
    const struct rf_column *own = table->columns;
    struct rf_event *event = rf_test_create(batch_of(bench), table, "1");
    table->columns = &column;
    event->after = &value;
    const char *text = messages_of(bench, event);
    const char *data = strstr(text, "{\"c\":"), *type = data ? strstr(data + 1, "{\"c\":") : NULL;
    const char *number = type ? strstr(type + 1, "{\"c\":") : NULL;
    if (number == NULL) {
        snprintf(told, sizeof told, "%s", text);
    } else {
        snprintf(told, sizeof told, "%.*s %.*s %.*s", (int)strcspn(data + 5, "}"), data + 5,
                 (int)strcspn(type + 5, "}"), type + 5, (int)strcspn(number + 5, "}"), number + 5);
    }
    table->columns = own;
    rf_table_release(table);
    return told;
}

static void test_types_are_those_of_create_table_and_of_jdbc(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench);
    static const struct {
        struct rf_column column;
        const char *told;
    } cases[] = {
        {{.type = RF_COLUMN_TINYINT}, "null \"tinyint\" -6"},
        {{.type = RF_COLUMN_TINYINT, .is_unsigned = true}, "null \"tinyint unsigned\" 5"},
        {{.type = RF_COLUMN_SMALLINT}, "null \"smallint\" 5"},
        {{.type = RF_COLUMN_SMALLINT, .is_unsigned = true}, "null \"smallint unsigned\" 4"},
        {{.type = RF_COLUMN_MEDIUMINT, .is_unsigned = true}, "null \"mediumint unsigned\" 4"},
        {{.type = RF_COLUMN_INT}, "null \"int\" 4"},
        {{.type = RF_COLUMN_INT, .is_unsigned = true}, "null \"int unsigned\" -5"},
        {{.type = RF_COLUMN_BIGINT}, "null \"bigint\" -5"},
        {{.type = RF_COLUMN_BIGINT, .is_unsigned = true}, "null \"bigint unsigned\" 3"},
        {{.type = RF_COLUMN_FLOAT}, "null \"float\" 7"},
        {{.type = RF_COLUMN_DOUBLE, .is_unsigned = true}, "null \"double unsigned\" 8"},
        {{.type = RF_COLUMN_DECIMAL, .precision = 10, .scale = 2}, "null \"decimal(10,2)\" 3"},
        {{.type = RF_COLUMN_BIT, .precision = 9}, "null \"bit(9)\" -7"},
        {{.type = RF_COLUMN_YEAR}, "null \"year\" 12"},
        {{.type = RF_COLUMN_DATE}, "null \"date\" 91"},
        {{.type = RF_COLUMN_TIME, .scale = 3}, "null \"time(3)\" 92"},
        {{.type = RF_COLUMN_DATETIME}, "null \"datetime\" 93"},
        {{.type = RF_COLUMN_TIMESTAMP, .scale = 6}, "null \"timestamp(6)\" 93"},
        {{.type = RF_COLUMN_CHAR, .length = 8, .charset = RF_CHARSET_UTF8}, "null \"char(2)\" 1"},
        {{.type = RF_COLUMN_VARCHAR, .length = 8, .charset = RF_CHARSET_LATIN1},
         "null \"varchar(8)\" 12"},
        {{.type = RF_COLUMN_VARBINARY, .length = 8}, "null \"varbinary(8)\" 2004"},
        {{.type = RF_COLUMN_BINARY, .length = 8}, "null \"binary(8)\" 2004"},
        {{.type = RF_COLUMN_TEXT, .length = 1}, "null \"tinytext\" 2005"},
        {{.type = RF_COLUMN_TEXT, .length = 2}, "null \"text\" 2005"},
        {{.type = RF_COLUMN_BLOB, .length = 3}, "null \"mediumblob\" 2004"},
        {{.type = RF_COLUMN_BLOB, .length = 4}, "null \"longblob\" 2004"},
        {{.type = RF_COLUMN_JSON, .length = 4}, "null \"json\" 12"},
        {{.type = RF_COLUMN_GEOMETRY}, "null \"geometry\" 2004"},
        {{.type = RF_COLUMN_GEOMETRY, .precision = RF_GEOMETRY_POLYGON}, "null \"polygon\" 2004"},
        {{.type = RF_COLUMN_VECTOR, .length = 4}, "null \"vector\" 12"},
        {{.type = RF_COLUMN_UUID, .length = 16}, "null \"uuid\" 12"},
        {{.type = RF_COLUMN_INET4, .length = 4}, "null \"inet4\" 12"},
        {{.type = RF_COLUMN_INET6, .length = 16}, "null \"inet6\" 12"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct rf_value null = {.kind = RF_NULL};
        assert_string_equal(told_of(&bench, cases[i].column, null), cases[i].told);
    }
    bench_close(&bench);
}

static struct rf_value text_value(enum rf_kind kind, const char *text, size_t size)
{
    return (struct rf_value){.kind = (uint8_t)kind, .text = text, .size = (uint32_t)size};
}

static void test_members_are_numbers(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench);
    static const struct rf_str members[] = {{"a", 1}, {"it's", 4}, {"c", 1}};
    struct rf_column column = {.type = RF_COLUMN_SET, .member_count = 3, .members = members};
    assert_string_equal(told_of(&bench, column, text_value(RF_SET, "a,c", 3)),
                        "\"5\" \"set('a','it''s','c')\" -7");
    assert_string_equal(told_of(&bench, column, text_value(RF_SET, "", 0)),
                        "\"0\" \"set('a','it''s','c')\" -7");
    column.type = RF_COLUMN_ENUM;
    struct rf_value value = text_value(RF_ENUM, "it's", 4);
    value.ordinal = 2;
    assert_string_equal(told_of(&bench, column, value), "\"2\" \"enum('a','it''s','c')\" 4");
    bench_close(&bench);
}

static void test_bytes_are_one_character_each(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench);
    const struct rf_column column = {.type = RF_COLUMN_BLOB, .length = 2};
    assert_string_equal(told_of(&bench, column, text_value(RF_BYTES, "a\"\\\0\x1f\x7f\x80\xff", 8)),
                        "\"a\\\"\\\\\\u0000\\u001f\x7f\xc2\x80\xc3\xbf\" \"blob\" 2004");
    bench_close(&bench);
}

static void test_values_are_text_as_mysql_shows_them(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench);
    const struct rf_column column = {.type = RF_COLUMN_INT};
    static const struct {
        struct rf_value value;
        const char *told;
    } cases[] = {
        {{.kind = RF_INT, .i = INT64_MIN}, "\"-9223372036854775808\" \"int\" 4"},
        {{.kind = RF_UINT, .u = UINT64_MAX}, "\"18446744073709551615\" \"int\" 4"},
        {{.kind = RF_BIT, .u = 5, .scale = 3}, "\"5\" \"int\" 4"},
        {{.kind = RF_DOUBLE, .d = -0.5}, "\"-0.5\" \"int\" 4"},
        {{.kind = RF_YEAR, .u = 2024}, "\"2024\" \"int\" 4"},
        {{.kind = RF_YEAR, .u = 0}, "\"0000\" \"int\" 4"},
        {{.kind = RF_DATE, .u = 0}, "\"0000-00-00\" \"int\" 4"},
        {{.kind = RF_DATETIME, .u = RF_DATETIME_PACK(2024, 2, 29, 12, 0, 0, 250000), .scale = 3},
         "\"2024-02-29 12:00:00.250\" \"int\" 4"},
        {{.kind = RF_TIMESTAMP, .i = 1709208000250000, .scale = 2},
         "\"2024-02-29 12:00:00.25\" \"int\" 4"},
        {{.kind = RF_TIME, .i = -1000000}, "\"-00:00:01\" \"int\" 4"},
        {{.kind = RF_VECTOR, .text = "\0\0\x80\x3f\0\0\x20\xc0", .size = 8},
         "\"[1,-2.5]\" \"int\" 4"},
        {{.kind = RF_VECTOR, .text = "", .size = 0}, "\"[]\" \"int\" 4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(told_of(&bench, column, cases[i].value), cases[i].told);
    }
    const struct rf_value infinite = {.kind = RF_DOUBLE, .d = (double)INFINITY};
    assert_string_equal(told_of(&bench, column, infinite), "REJECT");
    const struct rf_value endless = {.kind = RF_VECTOR, .text = "\0\0\x80\x7f", .size = 4};
    assert_string_equal(told_of(&bench, column, endless), "REJECT");
    bench_close(&bench);
}

static void test_statements_have_their_type_by_their_first_words(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench);
    static const struct {
        const char *statement, *type;
    } cases[] = {
        {"CREATE TABLE x (a INT)", "CREATE"},
        {"ALTER TABLE x ADD b INT", "ALTER"},
        {"RENAME TABLE x TO y", "RENAME"},
        {"DROP TABLE x", "ERASE"},
        {"CREATE UNIQUE INDEX i ON x (a)", "CINDEX"},
        {"DROP INDEX i ON x", "DINDEX"},
        {"CREATE DATABASE shop", "QUERY"},
        {"GRANT ALL ON *.* TO x", "QUERY"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[512];
        struct rf_event *event = rf_test_ddl(batch_of(&bench), "shop", cases[i].statement);
        event->object = RF_STR("x");
        snprintf(expected, sizeof expected,
                 " {\"data\":null" PLACE "\"isDdl\":true,\"mysqlType\":null,\"old\":null,"
                 "\"pkNames\":null,\"sql\":\"%s\",\"sqlType\":null,\"table\":\"x\","
                 "\"ts\":1700000042000,\"type\":\"%s\"}\n",
                 cases[i].statement, cases[i].type);
        assert_string_equal(messages_of(&bench, event), expected);
    }
    struct rf_event *event = rf_test_truncate(batch_of(&bench), "shop", "x");
    assert_non_null(strstr(messages_of(&bench, event), "\"type\":\"TRUNCATE\"}\n"));
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_flat_messages_of_strings),
        cmocka_unit_test(test_rows_without_a_log_or_a_key_are_messages_too),
        cmocka_unit_test(test_types_are_those_of_create_table_and_of_jdbc),
        cmocka_unit_test(test_members_are_numbers),
        cmocka_unit_test(test_bytes_are_one_character_each),
        cmocka_unit_test(test_values_are_text_as_mysql_shows_them),
        cmocka_unit_test(test_statements_have_their_type_by_their_first_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
