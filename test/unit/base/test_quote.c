#include "base/quote.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_json_strings_are_valid_whatever_they_are_made_of(void **state)
{
    (void)state;
    static const struct {
        struct rf_str text;
        const char *quoted;
    } cases[] = {
        {RF_STR(""), "\"\""},
        {RF_STR("shop.orders"), "\"shop.orders\""},
        {RF_STR("a\"b\\c"), "\"a\\\"b\\\\c\""},
        {RF_STR("line\nbreak\x7f\x00"), "\"line\\u000abreak\\u007f\\u0000\""},
        {RF_STR("h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
         "\"h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""},
        {RF_STR("\xc3"), "\"\\ufffd\""},                       /* cut short */
        {RF_STR("\xc3("), "\"\\ufffd(\""},                     /* not followed up */
        {RF_STR("\xc0\xaf"), "\"\\ufffd\\ufffd\""},            /* longer than need be */
        {RF_STR("\xe0\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\""}, /* likewise */
        {RF_STR("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\""}, /* half of a pair */
        {RF_STR("\xf4\x90\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
        {RF_STR("\xff\xfe"), "\"\\ufffd\\ufffd\""},
    };
    struct rf_buf out = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rf_buf_reset(&out);
        rf_quote_json(&out, cases[i].text);
        assert_string_equal(rf_buf_cstr(&out), cases[i].quoted);
    }
    rf_buf_deinit(&out);
}

/* RFC 4648 section 10. */
static void test_base64_is_that_of_the_standard(void **state)
{
    (void)state;
    static const struct {
        struct rf_str bytes;
        const char *text;
    } cases[] = {
        {RF_STR(""), ""},
        {RF_STR("f"), "Zg=="},
        {RF_STR("fo"), "Zm8="},
        {RF_STR("foo"), "Zm9v"},
        {RF_STR("foob"), "Zm9vYg=="},
        {RF_STR("fooba"), "Zm9vYmE="},
        {RF_STR("foobar"), "Zm9vYmFy"},
        {RF_STR("\xff\xef\xbe\x00"), "/+++AA=="},
    };
    struct rf_buf out = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rf_buf_reset(&out);
        rf_quote_base64(&out, cases[i].bytes);
        assert_string_equal(rf_buf_cstr(&out), cases[i].text);
    }
    rf_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_strings_are_valid_whatever_they_are_made_of),
        cmocka_unit_test(test_base64_is_that_of_the_standard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
