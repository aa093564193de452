/* Texts of _ids: documents are made by libbson, which is not ours. */
#include "wire/bson_id.h"

#include <bson/bson.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))

/* The text of the _id of a document of Extended JSON. */
static void text_of(const char *json, struct rf_buf *out)
{
    bson_error_t error;
    bson_t *document = bson_new_from_json((const uint8_t *)json, -1, &error);
    if (document == NULL) {
        fail_msg("%s: %s", json, error.message);
    }
    struct rf_str bytes = {(const char *)bson_get_data(document), document->len};
    struct rf_bson_element id;
    assert_true(rf_bson_is_sound(bytes));
    assert_true(rf_bson_find(bytes, RF_STR("_id"), &id));
    rf_bson_id_add(out, &id);
    bson_destroy(document);
}

static void expect(const char *json, const char *expected)
{
    struct rf_buf out = {0};
    text_of(json, &out);
    assert_string_equal(rf_buf_cstr(&out), expected);
    rf_buf_deinit(&out);
}

static void test_each_type_has_its_text(void **state)
{
    static const struct {
        const char *json, *text;
    } cases[] = {
        {"{\"_id\": {\"$oid\": \"5f0e0d0c0b0a09080706050F\"}}", "5f0e0d0c0b0a09080706050f"},
        {"{\"_id\": \"shop\"}", "shop"},
        {"{\"_id\": \"\"}", ""},
        {"{\"_id\": \"a b:c\"}", "a b:c"},
        {"{\"_id\": {\"$numberInt\": \"-12\"}}", "-12"},
        {"{\"_id\": {\"$numberLong\": \"9007199254740993\"}}", "9007199254740993"},
        {"{\"_id\": {\"$numberDouble\": \"0.1\"}}", "0.1"},
        {"{\"_id\": {\"$numberDouble\": \"1e20\"}}", "1e+20"},
        {"{\"_id\": {\"$numberDouble\": \"NaN\"}}", "NaN"},
        {"{\"_id\": {\"$numberDouble\": \"-Infinity\"}}", "-Infinity"},
        {"{\"_id\": {\"$numberDecimal\": \"0.1\"}}", "1e-1"},
        {"{\"_id\": {\"$numberDecimal\": \"0.10\"}}", "1e-1"},
        {"{\"_id\": {\"$numberDecimal\": \"9223372036854775807\"}}", "9223372036854775807"},
        {"{\"_id\": {\"$numberDecimal\": \"-1.5E+6000\"}}", "-15e5999"},
        {"{\"_id\": {\"$numberDecimal\": \"NaN\"}}", "NaN"},
        {"{\"_id\": null}", "null"},
        {"{\"_id\": true}", "true"},
        {"{\"_id\": {\"a\": 1}}", "{\"a\":{\"$numberInt\":\"1\"}}"},
        {"{\"_id\": {\"$date\": {\"$numberLong\": \"5\"}}}", "{\"$date\":{\"$numberLong\":\"5\"}}"},
    };
    (void)state;
    for (size_t i = 0; i < count_of(cases); i++) {
        expect(cases[i].json, cases[i].text);
    }
}

static void test_a_number_has_one_text_whichever_type_it_has(void **state)
{
    static const char *const same[][4] = {
        {"{\"$numberInt\": \"0\"}", "{\"$numberLong\": \"0\"}", "{\"$numberDouble\": \"-0.0\"}",
         "{\"$numberDecimal\": \"-0E+5\"}"},
        {"{\"$numberInt\": \"5\"}", "{\"$numberLong\": \"5\"}", "{\"$numberDouble\": \"5\"}",
         "{\"$numberDecimal\": \"5.00\"}"},
        {"{\"$numberInt\": \"-100\"}", "{\"$numberLong\": \"-100\"}",
         "{\"$numberDouble\": \"-1e2\"}", "{\"$numberDecimal\": \"-1E+2\"}"},
        {"{\"$numberLong\": \"9007199254740994\"}", "{\"$numberDouble\": \"9007199254740994\"}",
         "{\"$numberDecimal\": \"9007199254740994.0\"}", NULL},
        {"{\"$numberDouble\": \"1.5\"}", "{\"$numberDecimal\": \"1.50\"}",
         "{\"$numberDecimal\": \"15E-1\"}", NULL},
        {"{\"$numberDouble\": \"1e22\"}", "{\"$numberDecimal\": \"1E+22\"}", NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < count_of(same); i++) {
        struct rf_buf first = {0}, other = {0}, json = {0};
        for (size_t k = 0; k < 4 && same[i][k] != NULL; k++) {
            struct rf_buf *text = k == 0 ? &first : &other;
            rf_buf_reset(&json);
            rf_buf_reset(&other);
            rf_buf_printf(&json, "{\"_id\": %s}", same[i][k]);
            text_of(rf_buf_cstr(&json), text);
            if (k > 0) {
                assert_string_equal(rf_buf_cstr(&other), rf_buf_cstr(&first));
            }
        }
        rf_buf_deinit(&first);
        rf_buf_deinit(&other);
        rf_buf_deinit(&json);
    }
}

/* MongoDB compares exactly, and no negative power of ten is a Double. */
static void test_a_decimal_has_another_text_than_the_double_next_to_it(void **state)
{
    static const char *const numbers[] = {"0.1",   "0.3",     "1e-5", "-1e-7",  "1e-10", "-3e-10",
                                          "7e-22", "1.5e-10", "1e23", "5e-324", "1e-400"};
    (void)state;
    for (size_t i = 0; i < count_of(numbers); i++) {
        struct rf_buf floating = {0}, decimal = {0}, json = {0};
        rf_buf_printf(&json, "{\"_id\": {\"$numberDouble\": \"%s\"}}",
                      i + 1 < count_of(numbers) ? numbers[i] : "0");
        text_of(rf_buf_cstr(&json), &floating);
        rf_buf_reset(&json);
        rf_buf_printf(&json, "{\"_id\": {\"$numberDecimal\": \"%s\"}}", numbers[i]);
        text_of(rf_buf_cstr(&json), &decimal);
        assert_string_not_equal(rf_buf_cstr(&decimal), rf_buf_cstr(&floating));
        rf_buf_deinit(&floating);
        rf_buf_deinit(&decimal);
        rf_buf_deinit(&json);
    }
    expect("{\"_id\": {\"$numberDouble\": \"1e-10\"}}", "1e-10");
    expect("{\"_id\": {\"$numberDecimal\": \"1E-10\"}}", "1.0e-10");
    expect("{\"_id\": {\"$numberDecimal\": \"10E-11\"}}", "1.0e-10"); /* the same number */
    expect("{\"_id\": \"1.0e-10\"}", "\"1.0e-10\"");
}

static void test_a_string_that_reads_like_another_id_stands_in_quotes(void **state)
{
    static const char *const texts[] = {
        "5",
        "-12",
        "1.5",
        "1e+20",
        "NaN",
        "Infinity",
        "5f0e0d0c0b0a09080706050f",
        "true",
        "null",
        "-Infinity",
        "{\\\"a\\\":1}",
        "[1]",
        "\\\"x\\\"",
        "1e-1",
    };
    (void)state;
    for (size_t i = 0; i < count_of(texts); i++) {
        struct rf_buf json = {0}, quoted = {0};
        rf_buf_printf(&json, "{\"_id\": \"%s\"}", texts[i]);
        rf_buf_printf(&quoted, "\"%s\"", texts[i]);
        expect(rf_buf_cstr(&json), rf_buf_cstr(&quoted));
        rf_buf_deinit(&json);
        rf_buf_deinit(&quoted);
    }
    expect("{\"_id\": \"5F0E0D0C0B0A09080706050F\"}", "5F0E0D0C0B0A09080706050F");
    expect("{\"_id\": \"5f0e0d0c0b0a09080706050\"}", "5f0e0d0c0b0a09080706050");
}

static void test_bytes_that_are_no_text_are_marked_and_quoted(void **state)
{
    static const char document[] = "\x0f\x00\x00\x00\x02_id\x00\x02\x00\x00\x00\xff\x00";
    struct rf_bson_element id;
    struct rf_buf out = {0};
    (void)state;
    /* 4 + 1 + 4 + 4 + 2 + 1: the size is put in here, as the literal has no closing zero counted */
    char bytes[16];
    memcpy(bytes, document, sizeof bytes);
    bytes[0] = 16;
    struct rf_str whole = {bytes, sizeof bytes};
    assert_true(rf_bson_is_sound(whole));
    assert_true(rf_bson_find(whole, RF_STR("_id"), &id));
    rf_bson_id_add(&out, &id);
    assert_string_equal(rf_buf_cstr(&out), "\"\xf4\x8f\xbb\xbf\"");
    rf_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_type_has_its_text),
        cmocka_unit_test(test_a_number_has_one_text_whichever_type_it_has),
        cmocka_unit_test(test_a_decimal_has_another_text_than_the_double_next_to_it),
        cmocka_unit_test(test_a_string_that_reads_like_another_id_stands_in_quotes),
        cmocka_unit_test(test_bytes_that_are_no_text_are_marked_and_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
