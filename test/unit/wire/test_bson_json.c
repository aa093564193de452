/* Documents as Extended JSON: each type in both forms, and back through libbson's reader, which is
 * not ours. */
#include "wire/bson_json.h"

#include "lib/json.h"
#include "wire/bson.h"
#include "wire/charset.h"
#include "wire/decimal128.h"

#include <bson/bson.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))
#define B(literal)      RF_STR(literal)

/* The document of one field, "a". */
static void one_field(struct rf_buf *out, uint8_t type, struct rf_str value)
{
    size_t begin = rf_bson_begin(out);
    rf_buf_add_byte(out, (char)type);
    rf_buf_add(out, "a", 2);
    rf_buf_add_str(out, value);
    rf_bson_end(out, begin);
}

/* Its text, out of memory of its exact size, so that reading beyond it is found; free it. */
static char *json_of(struct rf_str document, unsigned form)
{
    struct rf_buf text = {0};
    char *exact = malloc(document.size);
    assert_non_null(exact);
    memcpy(exact, document.data, document.size);
    struct rf_str copy = {exact, document.size};
    assert_true(rf_bson_is_sound(copy));
    rf_bson_json_add(&text, copy, form);
    assert_true(test_json_is_valid(rf_buf_str(&text)));
    assert_true(rf_charset_is_utf8(text.data, text.size));
    rf_buf_cstr(&text);
    free(exact);
    return text.data;
}

static void expect_json(struct rf_str document, unsigned form, const char *expected)
{
    char *json = json_of(document, form);
    assert_string_equal(json, expected);
    free(json);
}

/* What libbson makes of the text must be the same bytes. */
static void expect_reads_back(struct rf_str document, unsigned form)
{
    bson_error_t error;
    char *json = json_of(document, form);
    bson_t *read = bson_new_from_json((const uint8_t *)json, -1, &error);
    if (read == NULL) {
        fail_msg("%s: %s", json, error.message);
    }
    assert_int_equal(read->len, document.size);
    assert_memory_equal(bson_get_data(read), document.data, document.size);
    bson_destroy(read);
    free(json);
}

/* The values of the corpus of MongoDB's specification, and the edges of each type. relaxed NULL: as
 * canonical. */
struct field_case {
    uint8_t type;
    struct rf_str value;
    const char *canonical, *relaxed;
};

static const struct field_case cases[] = {
    {0x01, B("\x00\x00\x00\x00\x00\x00\xf0\x3f"), "{\"$numberDouble\":\"1.0\"}", "1.0"},
    {0x01, B("\x00\x00\x00\x00\x00\x00\x00\x80"), "{\"$numberDouble\":\"-0.0\"}", "-0.0"},
    {0x01, B("\x9a\x99\x99\x99\x99\x99\xb9\x3f"), "{\"$numberDouble\":\"0.1\"}", "0.1"},
    {0x01, B("\xec\x22\xc6\x27\x00\x00\x00\x44"), "{\"$numberDouble\":\"3.6893493613911966e+19\"}",
     "3.6893493613911966e+19"},
    {0x01, B("\x00\x00\x00\x00\x00\x00\xf8\x7f"), "{\"$numberDouble\":\"NaN\"}", NULL},
    {0x01, B("\x00\x00\x00\x00\x00\x00\xf0\x7f"), "{\"$numberDouble\":\"Infinity\"}", NULL},
    {0x01, B("\x00\x00\x00\x00\x00\x00\xf0\xff"), "{\"$numberDouble\":\"-Infinity\"}", NULL},
    {0x02, B("\x01\x00\x00\x00\x00"), "\"\"", NULL},
    {0x02,
     B("\x04\x00\x00\x00"
       "a\"\\"
       "\x00"),
     "\"a\\\"\\\\\"", NULL},
    {0x02,
     B("\x04\x00\x00\x00"
       "a\x00\x1f"
       "\x00"),
     "\"a\\u0000\\u001f\"", NULL},
    {0x02, B("\x03\x00\x00\x00\xc3\xa9\x00"), "\"\xc3\xa9\"", NULL},
    {0x03, B("\x05\x00\x00\x00\x00"), "{}", NULL},
    {0x03,
     B("\x0e\x00\x00\x00\x02"
       "a\x00\x02\x00\x00\x00"
       "b\x00\x00"),
     "{\"a\":\"b\"}", NULL},
    {0x04, B("\x05\x00\x00\x00\x00"), "[]", NULL},
    {0x04,
     B("\x13\x00\x00\x00\x10"
       "0\x00\x0a\x00\x00\x00\x10"
       "1\x00\xff\xff\xff\xff\x00"),
     "[{\"$numberInt\":\"10\"},{\"$numberInt\":\"-1\"}]", "[10,-1]"},
    {0x05, B("\x00\x00\x00\x00\x00"), "{\"$binary\":{\"base64\":\"\",\"subType\":\"00\"}}", NULL},
    {0x05, B("\x02\x00\x00\x00\x80\xff\xff"),
     "{\"$binary\":{\"base64\":\"//8=\",\"subType\":\"80\"}}", NULL},
    {0x05, B("\x06\x00\x00\x00\x02\x02\x00\x00\x00\xff\xff"),
     "{\"$binary\":{\"base64\":\"//8=\",\"subType\":\"02\"}}", NULL},
    {0x06, B(""), "{\"$undefined\":true}", NULL},
    {0x07, B("\x56\xe1\xfc\x72\xe0\xc9\x17\xe9\xc4\x71\x41\x61"),
     "{\"$oid\":\"56e1fc72e0c917e9c4714161\"}", NULL},
    {0x08, B("\x01"), "true", NULL},
    {0x08, B("\x00"), "false", NULL},
    {0x09, B("\x00\x00\x00\x00\x00\x00\x00\x00"), "{\"$date\":{\"$numberLong\":\"0\"}}",
     "{\"$date\":\"1970-01-01T00:00:00Z\"}"},
    {0x09, B("\xc5\xd8\xd6\xcc\x3b\x01\x00\x00"), "{\"$date\":{\"$numberLong\":\"1356351330501\"}}",
     "{\"$date\":\"2012-12-24T12:15:30.501Z\"}"},
    {0x09, B("\xc4\x3c\xe7\xb9\xbd\xff\xff\xff"), "{\"$date\":{\"$numberLong\":\"-284643869500\"}}",
     NULL},
    {0x09, B("\x00\xdc\x1f\xd2\x77\xe6\x00\x00"),
     "{\"$date\":{\"$numberLong\":\"253402300800000\"}}", NULL},
    {0x09, B("\xff\xdb\x1f\xd2\x77\xe6\x00\x00"),
     "{\"$date\":{\"$numberLong\":\"253402300799999\"}}",
     "{\"$date\":\"9999-12-31T23:59:59.999Z\"}"},
    {0x09, B("\x00\x00\x00\x00\x00\x00\x00\x80"),
     "{\"$date\":{\"$numberLong\":\"-9223372036854775808\"}}", NULL},
    {0x0a, B(""), "null", NULL},
    {0x0b, B("a/\"b\x00im\x00"),
     "{\"$regularExpression\":{\"pattern\":\"a/\\\"b\",\"options\":\"im\"}}", NULL},
    {0x0b, B("\x00\x00"), "{\"$regularExpression\":{\"pattern\":\"\",\"options\":\"\"}}", NULL},
    {0x0c,
     B("\x02\x00\x00\x00"
       "b\x00\x56\xe1\xfc\x72\xe0\xc9\x17\xe9\xc4\x71\x41\x61"),
     "{\"$dbPointer\":{\"$ref\":\"b\",\"$id\":{\"$oid\":\"56e1fc72e0c917e9c4714161\"}}}", NULL},
    {0x0d,
     B("\x02\x00\x00\x00"
       "b\x00"),
     "{\"$code\":\"b\"}", NULL},
    {0x0e,
     B("\x02\x00\x00\x00"
       "b\x00"),
     "{\"$symbol\":\"b\"}", NULL},
    {0x0f,
     B("\x16\x00\x00\x00\x02\x00\x00\x00"
       "b\x00\x0c\x00\x00\x00\x10"
       "x\x00\x01\x00\x00\x00"
       "\x00"),
     "{\"$code\":\"b\",\"$scope\":{\"x\":{\"$numberInt\":\"1\"}}}",
     "{\"$code\":\"b\",\"$scope\":{\"x\":1}}"},
    {0x0f,
     B("\x0f\x00\x00\x00\x02\x00\x00\x00"
       "b\x00\x05\x00\x00\x00\x00"),
     "{\"$code\":\"b\",\"$scope\":{}}", NULL},
    {0x10, B("\x00\x00\x00\x80"), "{\"$numberInt\":\"-2147483648\"}", "-2147483648"},
    {0x10, B("\xff\xff\xff\x7f"), "{\"$numberInt\":\"2147483647\"}", "2147483647"},
    {0x11, B("\x2a\x00\x00\x00\x15\xcd\x5b\x07"), "{\"$timestamp\":{\"t\":123456789,\"i\":42}}",
     NULL},
    {0x11, B("\xff\xff\xff\xff\xff\xff\xff\xff"),
     "{\"$timestamp\":{\"t\":4294967295,\"i\":4294967295}}", NULL},
    {0x12, B("\x00\x00\x00\x00\x00\x00\x00\x80"), "{\"$numberLong\":\"-9223372036854775808\"}",
     "-9223372036854775808"},
    {0x12, B("\x01\x00\x00\x00\x00\x00\x00\x00"), "{\"$numberLong\":\"1\"}", "1"},
    {0x13, B("\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x3e\x30"),
     "{\"$numberDecimal\":\"0.1\"}", NULL},
    {0x7f, B(""), "{\"$maxKey\":1}", NULL},
    {0xff, B(""), "{\"$minKey\":1}", NULL},
};

static void test_each_type_is_written_in_both_forms(void **state)
{
    (void)state;
    struct rf_buf document = {0};
    char whole[256];
    for (size_t i = 0; i < count_of(cases); i++) {
        const char *relaxed = cases[i].relaxed ? cases[i].relaxed : cases[i].canonical;
        rf_buf_reset(&document);
        one_field(&document, cases[i].type, cases[i].value);
        snprintf(whole, sizeof whole, "{\"a\":%s}", cases[i].canonical);
        expect_json(rf_buf_str(&document), RF_BSON_JSON_CANONICAL, whole);
        snprintf(whole, sizeof whole, "{\"a\":%s}", relaxed);
        expect_json(rf_buf_str(&document), RF_BSON_JSON_RELAXED, whole);
    }
    rf_buf_deinit(&document);
}

static void test_canonical_text_reads_back_as_the_same_bytes(void **state)
{
    (void)state;
    struct rf_buf document = {0};
    for (size_t i = 0; i < count_of(cases); i++) {
        rf_buf_reset(&document);
        one_field(&document, cases[i].type, cases[i].value);
        expect_reads_back(rf_buf_str(&document), RF_BSON_JSON_CANONICAL);
    }
    rf_buf_deinit(&document);
}

static void test_random_numbers_read_back_as_the_same_bytes(void **state)
{
    (void)state;
    enum { ROUNDS = 20000 };
    struct rf_buf document = {0};
    uint64_t random = 88172645463325252;
    for (int i = 0; i < ROUNDS; i++) {
        static const uint8_t types[] = {0x01, 0x09, 0x12};
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        uint8_t type = types[i % 3];
        if (type == 0x01 && (random >> 52 & 0x7ff) == 0x7ff) {
            continue; /* which NaN it is no text tells */
        }
        rf_buf_reset(&document);
        one_field(&document, type, (struct rf_str){(const char *)&random, sizeof random});
        expect_reads_back(rf_buf_str(&document), RF_BSON_JSON_CANONICAL);
        if (type == 0x01) {
            expect_reads_back(rf_buf_str(&document), RF_BSON_JSON_RELAXED);
        }
    }
    rf_buf_deinit(&document);
}

/* What the driver for Java writes in its mode STRICT, and its blanks. */
static void test_the_strict_form_is_that_of_older_readers(void **state)
{
    (void)state;
    static const struct field_case strict[] = {
        {0x01, B("\x00\x00\x00\x00\x00\x00\xf0\x3f"), "1.0", NULL},
        {0x05, B("\x02\x00\x00\x00\x80\xff\xff"), "{\"$binary\": \"//8=\",\"$type\": \"80\"}",
         NULL},
        {0x07, B("\x56\xe1\xfc\x72\xe0\xc9\x17\xe9\xc4\x71\x41\x61"),
         "{\"$oid\": \"56e1fc72e0c917e9c4714161\"}", NULL},
        {0x09, B("\xc5\xd8\xd6\xcc\x3b\x01\x00\x00"), "{\"$date\": 1356351330501}", NULL},
        {0x0b, B("a\x00i\x00"), "{\"$regex\": \"a\",\"$options\": \"i\"}", NULL},
        {0x0c,
         B("\x02\x00\x00\x00"
           "b\x00\x56\xe1\xfc\x72\xe0\xc9\x17\xe9\xc4\x71\x41\x61"),
         "{\"$ref\": \"b\",\"$id\": {\"$oid\": \"56e1fc72e0c917e9c4714161\"}}", NULL},
        {0x10, B("\x01\x00\x00\x00"), "1", NULL},
        {0x11, B("\x2a\x00\x00\x00\x01\x00\x00\x00"), "{\"$timestamp\": {\"t\": 1,\"i\": 42}}",
         NULL},
        {0x12, B("\x01\x00\x00\x00\x00\x00\x00\x00"), "{\"$numberLong\": \"1\"}", NULL},
        {0xff, B(""), "{\"$minKey\": 1}", NULL},
    };
    struct rf_buf document = {0};
    char whole[128];
    for (size_t i = 0; i < count_of(strict); i++) {
        rf_buf_reset(&document);
        one_field(&document, strict[i].type, strict[i].value);
        snprintf(whole, sizeof whole, "{\"a\": %s}", strict[i].canonical);
        expect_json(rf_buf_str(&document), RF_BSON_JSON_STRICT | RF_BSON_JSON_COLONS, whole);
    }
    rf_buf_deinit(&document);
}

static void test_blanks_stand_behind_colons_and_commas_alone(void **state)
{
    (void)state;
    static const char bytes[] = "\x27\x00\x00\x00\x02"
                                "a:,\x00\x03\x00\x00\x00"
                                ":,\x00\x04"
                                "b\x00"
                                "\x13\x00\x00\x00\x10"
                                "0\x00\x0a\x00\x00\x00\x10"
                                "1\x00\xff\xff\xff\xff\x00";
    struct rf_str document = {bytes, sizeof bytes};
    expect_json(document, RF_BSON_JSON_RELAXED, "{\"a:,\":\":,\",\"b\":[10,-1]}");
    expect_json(document, RF_BSON_JSON_RELAXED | RF_BSON_JSON_COLONS,
                "{\"a:,\": \":,\",\"b\": [10,-1]}");
    expect_json(document, RF_BSON_JSON_RELAXED | RF_BSON_JSON_COLONS | RF_BSON_JSON_COMMAS,
                "{\"a:,\": \":,\", \"b\": [10, -1]}");
}

static void decimal_of(const char *text, struct rf_buf *out)
{
    bson_decimal128_t decimal;
    assert_true(bson_decimal128_from_string(text, &decimal));
    rf_buf_reset(out);
    rf_buf_add(out, &decimal.low, sizeof decimal.low);
    rf_buf_add(out, &decimal.high, sizeof decimal.high);
}

static void test_decimals_are_written_as_the_specification_says(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0",
        "0E+3",
        "0E-7",
        "-0.00",
        "0.000000",
        "1",
        "-1",
        "19.90",
        "0.001234",
        "0.0000012",
        "1.2E-7",
        "1E+1",
        "1.2E+35",
        "123456789012345678901234567890.1234",
        "9999999999999999999999999999999999",
        "9.999999999999999999999999999999999E+6144",
        "1E-6176",
        "1.000000000000000000000000000000000E+6144",
        "Infinity",
        "-Infinity",
        "NaN",
        "1.00000000000000000",
        "100000000000000000",
        "12345678901234567",
        "5.00",
    };
    struct rf_buf bytes = {0};
    for (size_t i = 0; i < count_of(texts); i++) {
        char text[RF_DECIMAL128_TEXT_MAX + 1];
        decimal_of(texts[i], &bytes);
        *rf_decimal128_text(text, bytes.data) = '\0';
        assert_string_equal(text, texts[i]);
    }
    rf_buf_deinit(&bytes);
}

static void test_decimals_of_random_bits_are_written_as_by_libbson(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252;
    for (int i = 0; i < 50000; i++) {
        char text[RF_DECIMAL128_TEXT_MAX + 1], theirs[BSON_DECIMAL128_STRING];
        uint64_t words[2];
        for (int word = 0; word < 2; word++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            words[word] = random;
        }
        if (i % 2 == 0) { /* small exponents are rare among random ones */
            words[1] = (words[1] & UINT64_C(0x8000ffffffffffff)) | UINT64_C(6171) << 49;
            words[1] &= ~(UINT64_C(0xffffffff) << (i % 16));
        }
        bson_decimal128_t decimal = {.low = words[0], .high = words[1]};
        bson_decimal128_to_string(&decimal, theirs);
        bool large = (words[1] & UINT64_C(0x1ffffffffffff)) >= UINT64_C(0x1ed09bead87c0);
        if (large && (words[1] >> 61 & 3) != 3) {
            continue; /* a coefficient that may be too large: libbson shows it all the same */
        }
        *rf_decimal128_text(text, (const char *)words) = '\0';
        assert_string_equal(text, theirs);
    }
}

static void test_coefficients_that_no_decimal_has_count_as_zero(void **state)
{
    (void)state;
    static const struct {
        struct rf_str bytes;
        const char *text;
    } odd[] = {
        /* 10^34, one more than fits */
        {B("\x00\x00\x00\x00\x64\x8e\x8d\x37\xc0\x87\xad\xbe\x09\xed\x41\x30"), "0"},
        {B("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x41\x30"), "0"},
        {B("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10\x6c"), "0"},
    };
    char text[RF_DECIMAL128_TEXT_MAX + 1];
    for (size_t i = 0; i < count_of(odd); i++) {
        *rf_decimal128_text(text, odd[i].bytes.data) = '\0';
        assert_string_equal(text, odd[i].text);
    }
}

static void test_bytes_that_are_no_utf8_are_marked_one_by_one(void **state)
{
    (void)state;
    static const struct {
        struct rf_str value;
        const char *text;
    } texts[] = {
        {B("\x02\x00\x00\x00\xff\x00"), "\"\xf4\x8f\xbb\xbf\""},
        {B("\x04\x00\x00\x00"
           "a\x80"
           "b\x00"),
         "\"a\xf4\x8f\xba\x80"
         "b\""},
        /* cut off inside a character */
        {B("\x04\x00\x00\x00"
           "\"\xc3\xa9"
           "\x00"),
         "\"\\\"\xc3\xa9\""},
        {B("\x03\x00\x00\x00"
           "\"\xc3"
           "\x00"),
         "\"\\\"\xf4\x8f\xbb\x83\""},
        /* a surrogate: three bytes, each marked */
        {B("\x04\x00\x00\x00\xed\xa0\x80\x00"),
         "\"\xf4\x8f\xbb\xad\xf4\x8f\xba\xa0\xf4\x8f\xba\x80\""},
        /* a mark itself: its bytes are marked */
        {B("\x05\x00\x00\x00\xf4\x8f\xbb\xbf\x00"),
         "\"\xf4\x8f\xbb\xb4\xf4\x8f\xba\x8f\xf4\x8f\xba\xbb\xf4\x8f\xba\xbf\""},
    };
    struct rf_buf document = {0};
    char whole[128];
    for (size_t i = 0; i < count_of(texts); i++) {
        rf_buf_reset(&document);
        one_field(&document, 0x02, texts[i].value);
        snprintf(whole, sizeof whole, "{\"a\":%s}", texts[i].text);
        expect_json(rf_buf_str(&document), RF_BSON_JSON_RELAXED, whole);
    }
    rf_buf_deinit(&document);
}

static void test_names_are_text_like_any_other(void **state)
{
    (void)state;
    static const char bytes[] = "\x0c\x00\x00\x00\x0a\"\xff\n\x00\x0a\x00";
    expect_json((struct rf_str){bytes, sizeof bytes}, RF_BSON_JSON_RELAXED,
                "{\"\\\"\xf4\x8f\xbb\xbf\\n\":null,\"\":null}");
}

static void test_long_text_of_any_kind_finds_room(void **state)
{
    (void)state;
    enum { LONGEST = 3000 };
    static const char *const pieces[] = {"x", "\"", "\x01", "\xc3\xa9", "\xff", "\xff\"", "x\xff"};
    char *text = malloc(LONGEST + 2);
    assert_non_null(text);
    for (size_t p = 0; p < count_of(pieces); p++) {
        size_t step = strlen(pieces[p]);
        for (size_t size = 0; size < LONGEST; size += 1 + size / 7) {
            for (size_t at = 0; at < size; at++) {
                text[at] = pieces[p][at % step];
            }
            text[size] = '\0';
            struct rf_buf document = {0};
            size_t begin = rf_bson_begin(&document);
            rf_bson_add_utf8(&document, "a", (struct rf_str){text, size});
            rf_bson_add_utf8(&document, "b", (struct rf_str){text, size});
            rf_bson_end(&document, begin);
            char *json = json_of(rf_buf_str(&document), RF_BSON_JSON_RELAXED);
            assert_int_equal(strncmp(json, "{\"a\":\"", 6), 0);
            assert_non_null(strstr(json, "\",\"b\":\""));
            free(json);
            rf_buf_deinit(&document);
        }
    }
    free(text);
}

static void test_documents_of_every_depth_are_written(void **state)
{
    (void)state;
    for (unsigned depth = 0; depth <= RF_BSON_DEPTH_MAX; depth += depth < 3 ? 1 : 197) {
        struct rf_buf document = {0};
        size_t begins[RF_BSON_DEPTH_MAX + 1];
        begins[0] = rf_bson_begin(&document);
        for (unsigned i = 1; i <= depth; i++) {
            begins[i] = rf_bson_open(&document, i % 2 ? RF_BSON_ARRAY : RF_BSON_DOCUMENT, "0");
        }
        for (unsigned i = depth + 1; i > 0; i--) {
            rf_bson_end(&document, begins[i - 1]);
        }
        char *json = json_of(rf_buf_str(&document), RF_BSON_JSON_CANONICAL);
        size_t open = 0;
        for (const char *at = json; *at != '\0'; at++) {
            open += *at == '{' || *at == '[';
        }
        assert_int_equal(open, depth + 1);
        free(json);
        rf_buf_deinit(&document);
    }
}

static void test_a_value_is_written_without_its_name(void **state)
{
    (void)state;
    static const char bytes[] = "\x16\x00\x00\x00\x03"
                                "a\x00\x0e\x00\x00\x00\x02"
                                "a\x00\x02\x00\x00\x00"
                                "b\x00\x00";
    struct rf_str document = {bytes, sizeof bytes};
    struct rf_bson_element element;
    struct rf_buf out = {0};
    assert_true(rf_bson_is_sound(document));
    assert_true(rf_bson_find(document, RF_STR("a"), &element));
    rf_buf_add_byte(&out, '!');
    rf_bson_json_add_value(&out, &element, RF_BSON_JSON_RELAXED);
    assert_string_equal(rf_buf_cstr(&out), "!{\"a\":\"b\"}");
    rf_buf_deinit(&out);
}

static void test_fields_of_one_name_are_all_written_in_order(void **state)
{
    (void)state;
    struct rf_buf document = {0};
    size_t begin = rf_bson_begin(&document);
    rf_bson_add_int32(&document, "b", 1);
    rf_bson_add_int32(&document, "a", 2);
    rf_bson_add_int32(&document, "b", 3);
    rf_bson_end(&document, begin);
    expect_json(rf_buf_str(&document), RF_BSON_JSON_RELAXED, "{\"b\":1,\"a\":2,\"b\":3}");
    rf_buf_deinit(&document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_type_is_written_in_both_forms),
        cmocka_unit_test(test_canonical_text_reads_back_as_the_same_bytes),
        cmocka_unit_test(test_random_numbers_read_back_as_the_same_bytes),
        cmocka_unit_test(test_the_strict_form_is_that_of_older_readers),
        cmocka_unit_test(test_blanks_stand_behind_colons_and_commas_alone),
        cmocka_unit_test(test_decimals_are_written_as_the_specification_says),
        cmocka_unit_test(test_decimals_of_random_bits_are_written_as_by_libbson),
        cmocka_unit_test(test_coefficients_that_no_decimal_has_count_as_zero),
        cmocka_unit_test(test_bytes_that_are_no_utf8_are_marked_one_by_one),
        cmocka_unit_test(test_names_are_text_like_any_other),
        cmocka_unit_test(test_long_text_of_any_kind_finds_room),
        cmocka_unit_test(test_documents_of_every_depth_are_written),
        cmocka_unit_test(test_a_value_is_written_without_its_name),
        cmocka_unit_test(test_fields_of_one_name_are_all_written_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
