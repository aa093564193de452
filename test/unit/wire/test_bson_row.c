/* Documents as rows of texts. */
#include "wire/bson_row.h"

#include "lib/mongo_documents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))

/* The text of the field "x" of a document; "NULL" where it has none. */
static void expect_text(const char *json, const char *expected)
{
    struct rf_batch batch = {.bytes_max = 1 << 20};
    struct rf_bson_element element;
    struct rf_buf text = {0};
    assert_true(rf_bson_find(rf_test_bson(&batch, json), RF_STR("x"), &element));
    rf_buf_add_byte(&text, '!');
    if (!rf_bson_text_add(&text, &element)) {
        assert_int_equal(text.size, 1);
        rf_buf_add_str(&text, RF_STR("NULL"));
    }
    assert_string_equal(rf_buf_cstr(&text) + 1, expected);
    rf_buf_deinit(&text);
    rf_batch_deinit(&batch);
}

static void test_each_type_has_its_text(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"x\":\"a\\\"b\\n\"}", "a\"b\n"},
        {"{\"x\":\"\"}", ""},
        {"{\"x\":{\"$numberInt\":\"-5\"}}", "-5"},
        {"{\"x\":{\"$numberLong\":\"9223372036854775807\"}}", "9223372036854775807"},
        {"{\"x\":{\"$numberDouble\":\"0.1\"}}", "0.1"},
        {"{\"x\":{\"$numberDouble\":\"2.0\"}}", "2"},
        {"{\"x\":{\"$numberDouble\":\"NaN\"}}", "NaN"},
        {"{\"x\":{\"$numberDouble\":\"-Infinity\"}}", "-Infinity"},
        {"{\"x\":{\"$numberDecimal\":\"19.90\"}}", "19.90"},
        {"{\"x\":true}", "true"},
        {"{\"x\":{\"$oid\":\"56e1fc72e0c917e9c4714161\"}}", "56e1fc72e0c917e9c4714161"},
        {"{\"x\":{\"$date\":{\"$numberLong\":\"1356351330501\"}}}", "2012-12-24 12:15:30.501"},
        {"{\"x\":{\"$date\":{\"$numberLong\":\"-1\"}}}", "1969-12-31 23:59:59.999"},
        {"{\"x\":{\"$date\":{\"$numberLong\":\"-62167219200000\"}}}", "0000-01-01 00:00:00.000"},
        {"{\"x\":{\"$date\":{\"$numberLong\":\"-62167219200001\"}}}", "-62167219200001"},
        {"{\"x\":{\"$date\":{\"$numberLong\":\"253402300799999\"}}}", "9999-12-31 23:59:59.999"},
        {"{\"x\":{\"$date\":{\"$numberLong\":\"253402300800000\"}}}", "253402300800000"},
        {"{\"x\":null}", "NULL"},
        {"{\"x\":{\"a\":[1,{\"b\":\"c\"}]}}", "{\"a\":[1,{\"b\":\"c\"}]}"},
        {"{\"x\":[]}", "[]"},
        {"{\"x\":{\"$binary\":{\"base64\":\"AQ==\",\"subType\":\"00\"}}}",
         "{\"$binary\":{\"base64\":\"AQ==\",\"subType\":\"00\"}}"},
        {"{\"x\":{\"$minKey\":1}}", "{\"$minKey\":1}"},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        expect_text(cases[i][0], cases[i][1]);
    }
}

static void test_bytes_that_are_no_utf8_are_marked(void **state)
{
    (void)state;
    static const char value[] = "\x03\x00\x00\x00"
                                "a\xff";
    struct rf_bson_element element = {.type = RF_BSON_UTF8, .value = {value, sizeof value}};
    struct rf_buf text = {0};
    assert_true(rf_bson_text_add(&text, &element));
    assert_string_equal(rf_buf_cstr(&text), "a\xf4\x8f\xbb\xbf");
    rf_buf_deinit(&text);
}

static void expect_cell(const struct rf_value *value, enum rf_kind kind, const char *text)
{
    assert_int_equal(value->kind, kind);
    if (text != NULL) {
        assert_int_equal(value->size, strlen(text));
        assert_memory_equal(value->text, text, value->size);
    }
}

static void test_a_collection_is_shown_with_the_fields_that_were_asked_for(void **state)
{
    (void)state;
    static const struct rf_str fields[] = {{"b", 1}, {"_id", 3}, {"a", 1}, {"b", 1}};
    struct rf_table *posts = rf_test_collection("shop", "posts");
    struct rf_batch batch = {.bytes_max = 1 << 20};
    struct rf_arena arena = {0};
    struct rf_bson_row row;
    rf_bson_row_init(&row, posts, fields, count_of(fields), false);
    assert_int_equal(row.table->column_count, 4);
    assert_int_equal(rf_table_find(row.table, RF_STR("b")), 2);
    assert_int_equal(rf_table_find(row.table, RF_STR("a")), 3);
    assert_int_equal(row.table->key_count, 1);
    assert_int_equal(row.table->key_columns[0], 0);
    assert_true(rf_str_equal(row.table->full_name, RF_STR("shop.posts")));
    assert_true(rf_str_equal(row.table->database, RF_STR("shop")));
    assert_true(rf_str_equal(row.table->name, RF_STR("posts")));

    rf_test_begin(&batch, 1);
    struct rf_event *event =
        rf_test_document_create(&batch, posts, "{\"_id\":7,\"a\":\"x\",\"c\":1,\"a\":\"y\"}");
    const struct rf_value *values = rf_bson_row_of(&row, event->after, &arena);
    expect_cell(&values[0], RF_TEXT, "7");
    expect_cell(&values[1], RF_ABSENT, NULL);
    expect_cell(&values[2], RF_NULL, NULL);
    expect_cell(&values[3], RF_TEXT, "x");

    event = rf_test_document_delete(&batch, posts, "{\"_id\":8}", NULL);
    values = rf_bson_row_of(&row, event->before, &arena);
    expect_cell(&values[0], RF_TEXT, "8");
    expect_cell(&values[3], RF_ABSENT, NULL);
    rf_bson_row_deinit(&row);
    rf_arena_deinit(&arena);
    rf_batch_deinit(&batch);
    rf_table_release(posts);
}

static void test_the_whole_document_is_made_only_when_it_is_asked_for(void **state)
{
    (void)state;
    static const struct rf_str fields[] = {{"document", 8}};
    struct rf_table *posts = rf_test_collection("shop", "posts");
    for (int way = 0; way < 2; way++) {
        struct rf_batch batch = {.bytes_max = 1 << 20};
        struct rf_arena arena = {0};
        struct rf_bson_row row;
        rf_bson_row_init(&row, posts, fields, way == 0, way == 1);
        assert_int_equal(row.table->column_count, 2);
        rf_test_begin(&batch, 1);
        struct rf_event *event = rf_test_document_create(&batch, posts, "{\"_id\":7,\"a\":[]}");
        const struct rf_value *values = rf_bson_row_of(&row, event->after, &arena);
        expect_cell(&values[1], RF_JSON, "{\"_id\":7,\"a\":[]}");
        rf_bson_row_deinit(&row);
        rf_arena_deinit(&arena);
        rf_batch_deinit(&batch);
    }
    rf_table_release(posts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_type_has_its_text),
        cmocka_unit_test(test_bytes_that_are_no_utf8_are_marked),
        cmocka_unit_test(test_a_collection_is_shown_with_the_fields_that_were_asked_for),
        cmocka_unit_test(test_the_whole_document_is_made_only_when_it_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
