#include "wire/jsonb.h"

#include "lib/binlog.h"
#include "lib/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))

/* Prints from memory of exactly the document's size. */
static const char *print(struct rf_buf *out, const struct rf_buf *document)
{
    char *exact = malloc(document->size ? document->size : 1);
    if (document->size > 0) {
        memcpy(exact, document->data, document->size);
    }
    const char *why = rf_jsonb_print(out, (struct rf_str){exact, document->size});
    free(exact);
    return why;
}

static void expect_text(const char *hex, const char *wanted)
{
    struct rf_buf document = {0}, out = {0};
    test_put_hex(&document, hex);
    const char *why = print(&out, &document);
    if (why != NULL || !rf_str_equal(rf_buf_str(&out), rf_str_of(wanted))) {
        fail_msg("%s: %s, wanted %s", hex, why ? why : rf_buf_cstr(&out), wanted);
    }
    assert_true(test_json_is_valid(rf_buf_str(&out)));
    rf_buf_deinit(&document);
    rf_buf_deinit(&out);
}

static void expect_refusal(const char *hex, const char *wanted)
{
    struct rf_buf document = {0}, out = {0};
    test_put_hex(&document, hex);
    rf_buf_add_byte(&out, '!');
    const char *why = print(&out, &document);
    if (why == NULL || strstr(why, wanted) == NULL || out.size != 1) {
        fail_msg("%s: %s", hex, why ? why : rf_buf_cstr(&out));
    }
    rf_buf_deinit(&document);
    rf_buf_deinit(&out);
}

static void test_scalars_are_what_select_prints(void **state)
{
    (void)state;
    expect_text("", "null"); /* as old servers stored it */
    expect_text("04 00", "null");
    expect_text("04 01", "true");
    expect_text("04 02", "false");
    expect_text("05 00 80", "-32768");
    expect_text("06 ff ff", "65535");
    expect_text("07 00 00 00 80", "-2147483648");
    expect_text("08 ff ff ff ff", "4294967295");
    expect_text("09 00 00 00 00 00 00 00 80", "-9223372036854775808");
    expect_text("0a ff ff ff ff ff ff ff ff", "18446744073709551615");
    expect_text("0c 00", "\"\"");
    expect_text("0c 03 22 5c 0a", "\"\\\"\\\\\\n\"");
    expect_text("0c 04 08 0c 01 7f", "\"\\b\\f\\u0001\x7f\"");
    expect_text("0c 02 c3 a9", "\"é\"");
}

static void test_doubles_print_as_the_server_prints_them(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {-1.5, "-1.5"},
        {100, "100.0"},
        {0.1, "0.1"},
        {1e14, "100000000000000.0"},
        {1e15, "1e15"},
        {123456789012345.67, "123456789012345.67"},
        {1234567890123456.8, "1234567890123456.8"},
        {12345678901234568, "1.2345678901234568e16"},
        {1e-5, "0.00001"},
        {1e-15, "0.000000000000001"},
        {1e-16, "1e-16"},
        {1.5e300, "1.5e300"},
        {-2.5e-10, "-0.00000000025"},
        {18446744073709551616.0, "1.8446744073709552e19"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {5e-324, "5e-324"},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        uint64_t bits;
        struct rf_buf document = {0}, out = {0};
        memcpy(&bits, &cases[i].number, sizeof bits);
        test_put(&document, 0x0b, 1);
        test_put(&document, bits, 8);
        assert_null(print(&out, &document));
        assert_string_equal(rf_buf_cstr(&out), cases[i].text);
        rf_buf_deinit(&document);
        rf_buf_deinit(&out);
    }
    expect_refusal("0b 00 00 00 00 00 00 f0 7f", "NaN or infinity");
    expect_refusal("0b 00 00 00 00 00 00 f8 ff", "NaN or infinity");
}

/* The documents were read from a log of MySQL 9.7. */
static void test_opaque_values_have_the_text_of_their_type(void **state)
{
    (void)state;
    expect_text("0f f6 04 03 02 81 32", "1.50");
    expect_text("0f f6 04 03 02 7e cd", "-1.50");
    expect_text("0f 0a 08 00 00 00 00 00 ba b2 19", "\"2024-02-29\"");
    expect_text("0f 0c 08 40 e2 01 b8 c8 ba b2 19", "\"2024-02-29 12:34:56.123456\"");
    expect_text("0f 07 08 00 00 00 b8 c8 ba b2 19", "\"2024-02-29 12:34:56.000000\"");
    expect_text("0f 0a 08 00 00 00 00 00 00 00 00", "\"0000-00-00\"");
    expect_text("0f 0b 08 08 0a 0c b8 c8 00 00 00", "\"12:34:56.789000\"");
    expect_text("0f 0b 08 00 00 00 05 91 cb ff ff", "\"-838:59:59.000000\"");
    expect_text("0f 0f 00", "\"base64:type15:\"");
    expect_text("0f 0f 02 00 ff", "\"base64:type15:AP8=\"");
    expect_text("0f fc 04 62 6c 6f 62", "\"base64:type252:YmxvYg==\"");
}

/* A newline stands behind each 76 letters, but not behind the last ones. */
static void test_long_opaque_values_have_lines(void **state)
{
    (void)state;
    static const struct {
        unsigned size;
        const char *head, *tail;
    } cases[] = {{57, "AAAA", "AAAA\""}, {58, "AAAA\\nAA", "\\nAA==\""}, {114, "AA", "AA\""}};
    for (size_t i = 0; i < count_of(cases); i++) {
        struct rf_buf document = {0}, out = {0};
        test_put_hex(&document, "0f 0f");
        test_put(&document, cases[i].size, 1);
        for (unsigned n = 0; n < cases[i].size; n++) {
            rf_buf_add_byte(&document, '\0');
        }
        assert_null(print(&out, &document));
        const char *text = rf_buf_cstr(&out);
        assert_true(rf_str_starts(rf_buf_str(&out), RF_STR("\"base64:type15:AAAA")));
        assert_non_null(strstr(text, cases[i].head));
        assert_string_equal(text + out.size - strlen(cases[i].tail), cases[i].tail);
        assert_int_equal(strstr(text, "\\n") != NULL, cases[i].size > 57);
        rf_buf_deinit(&document);
        rf_buf_deinit(&out);
    }
}

static void test_arrays_and_objects(void **state)
{
    (void)state;
    expect_text("02 00 00 04 00", "[]");
    expect_text("00 00 00 04 00", "{}");
    expect_text("03 00 00 00 00 08 00 00 00", "[]");
    expect_text("02 02 00 0a 00 05 01 00 04 00 00", "[1, null]");
    expect_text("02 01 00 0a 00 0c 07 00 02 68 69", "[\"hi\"]");
    expect_text("00 02 00 15 00 12 00 01 00 13 00 02 00 05 02 00 04 01 00 62 61 61",
                "{\"b\": 2, \"aa\": true}");
    /* In large ones, numbers of 32 bits stand in their entry. */
    expect_text("03 02 00 00 00 12 00 00 00 07 ff ff ff ff 08 00 00 00 80", "[-1, 2147483648]");
    expect_text("01 01 00 00 00 14 00 00 00 13 00 00 00 01 00 05 05 00 00 00 6b", "{\"k\": 5}");
    /* An array in an array. */
    expect_text("02 01 00 0e 00 02 07 00 01 00 07 00 05 03 00", "[[3]]");
}

static void test_what_lies_outside_is_never_read(void **state)
{
    (void)state;
    expect_refusal("05 00", "too early");
    expect_refusal("0b 00 00 00", "too early");
    expect_refusal("0c 05 61", "too early");
    expect_refusal("0c ff ff ff ff ff 01", "too early"); /* a size of six bytes */
    expect_refusal("0c ff ff ff ff 0f 61", "too early");
    expect_refusal("0f", "too early");
    expect_refusal("0f f6", "too early");
    expect_refusal("02 01 00", "too early");
    expect_refusal("02 01 00 08 00 05 01 00", "too early"); /* larger than what is there */
    expect_refusal("02 01 00 06 00 05 01 00", "too early"); /* smaller than its entries */
    expect_refusal("02 ff ff 07 00 05 01 00", "too early");
    expect_refusal("02 01 00 0a 00 0c 0a 00 02 68 69", "too early"); /* behind the end */
    expect_refusal("02 01 00 0a 00 0c 09 00 02 68 69", "too early");
    expect_refusal("00 01 00 0c 00 0b 00 02 00 04 00 00 61", "too early"); /* its key */
    expect_refusal("03 ff ff ff ff 08 00 00 00", "too early");
    expect_refusal("01 00 00 00 80 ff ff ff ff", "too early");
}

static void test_what_is_no_document_is_refused_by_name(void **state)
{
    (void)state;
    expect_refusal("04 03", "damaged");
    expect_refusal("0d", "unknown type");
    expect_refusal("ff 00 00", "unknown type");
    expect_refusal("02 01 00 07 00 0e 05 00", "unknown type");
    expect_refusal("0c 01 ff", "not UTF-8");
    expect_refusal("0f f6 02 00 00", "damaged"); /* precision 0 */
    expect_refusal("0f f6 02 42 00", "damaged"); /* precision 66 */
    expect_refusal("0f f6 03 03 04 81", "damaged");
    expect_refusal("0f f6 03 03 02 81", "damaged"); /* a byte too short */
    expect_refusal("0f f6 04 03 02 ff ff", "damaged");
    expect_refusal("0f 0a 07 00 00 00 00 00 ba b2", "damaged");
    expect_refusal("0f 0c 08 ff ff ff 00 00 00 00 00", "damaged"); /* microseconds */
    expect_refusal("0f 0c 08 00 00 00 3f 00 00 00 00", "damaged"); /* 63 seconds */
    expect_refusal("0f 0c 08 00 00 00 00 00 00 00 7f", "damaged"); /* the year */
    expect_refusal("0f 0c 08 00 00 00 00 00 00 00 80", "damaged"); /* before all time */
    expect_refusal("0f 0b 08 00 00 00 00 70 34 00 00", "damaged"); /* 839 hours */
    expect_refusal("0f 0b 08 00 00 00 00 00 00 00 80", "damaged");
}

/* Arrays of one element in each other, as deep as asked. */
static void put_nest(struct rf_buf *document, unsigned depth)
{
    test_put(document, 2, 1);
    for (unsigned left = depth; left > 0; left--) {
        unsigned below = left - 1;
        test_put(document, below > 0 || left > 1 ? 1 : 0, 2);
        test_put(document, left > 1 ? (uint64_t)left * 7 - 3 : 4, 2);
        if (left > 1) {
            test_put(document, 2, 1);
            test_put(document, 7, 2);
        }
    }
}

static void test_nesting_ends_at_its_limit(void **state)
{
    (void)state;
    for (unsigned depth = 1; depth <= RF_JSONB_DEPTH_MAX + 50; depth++) {
        struct rf_buf document = {0}, out = {0};
        put_nest(&document, depth);
        const char *why = print(&out, &document);
        if (depth <= RF_JSONB_DEPTH_MAX) {
            assert_null(why);
            assert_int_equal(out.size, 2 * depth);
        } else {
            assert_non_null(strstr(why, "deeper than 100"));
            assert_int_equal(out.size, 0);
        }
        rf_buf_deinit(&document);
        rf_buf_deinit(&out);
    }
}

/* Each array has two elements, which are the same one below it: 2^n of them in n * 10 bytes. */
static void test_a_document_that_repeats_itself_is_refused_before_it_grows(void **state)
{
    (void)state;
    enum { LEVELS = 60, SIZE = 10 };
    struct rf_buf document = {0}, out = {0};
    test_put(&document, 2, 1);
    for (unsigned left = LEVELS; left > 0; left--) {
        test_put(&document, 2, 2);
        test_put(&document, left * SIZE, 2);
        for (int twice = 0; twice < 2; twice++) {
            test_put(&document, left > 1 ? 2 : 5, 1);
            test_put(&document, SIZE, 2);
        }
    }
    const char *why = print(&out, &document);
    assert_non_null(strstr(why, "lie in each other"));
    assert_true(out.capacity < 64 * document.size);
    rf_buf_deinit(&document);
    rf_buf_deinit(&out);
}

static void test_a_document_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct rf_buf document = {0}, out = {0};
    test_put_hex(&document, "00 02 00 1d 00 12 00 01 00 13 00 02 00 0c 15 00 0f 18 00 62 61 61 "
                            "02 68 69 0f 03 01 02 03");
    assert_null(print(&out, &document));
    assert_string_equal(rf_buf_cstr(&out), "{\"b\": \"hi\", \"aa\": \"base64:type15:AQID\"}");
    for (size_t size = document.size; size > 1;) {
        document.size = --size;
        rf_buf_reset(&out);
        assert_non_null(print(&out, &document));
        assert_int_equal(out.size, 0);
    }
    rf_buf_deinit(&document);
    rf_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars_are_what_select_prints),
        cmocka_unit_test(test_doubles_print_as_the_server_prints_them),
        cmocka_unit_test(test_opaque_values_have_the_text_of_their_type),
        cmocka_unit_test(test_long_opaque_values_have_lines),
        cmocka_unit_test(test_arrays_and_objects),
        cmocka_unit_test(test_what_lies_outside_is_never_read),
        cmocka_unit_test(test_what_is_no_document_is_refused_by_name),
        cmocka_unit_test(test_nesting_ends_at_its_limit),
        cmocka_unit_test(test_a_document_that_repeats_itself_is_refused_before_it_grows),
        cmocka_unit_test(test_a_document_cut_anywhere_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
