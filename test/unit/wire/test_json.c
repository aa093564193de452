#include "wire/json.h"

#include "lib/events.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))

/* What RFC 8259 makes of one byte of a string, the plain way. */
static void put_plainly(struct rf_buf *out, struct rf_str text)
{
    rf_buf_add_byte(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        static const char letters[] = "btn\0fr";
        if (byte == '"' || byte == '\\') {
            rf_buf_printf(out, "\\%c", byte);
        } else if (byte >= 8 && byte <= 13 && byte != 11) {
            rf_buf_printf(out, "\\%c", letters[byte - 8]);
        } else if (byte < 0x20) {
            rf_buf_printf(out, "\\u%04x", byte);
        } else {
            rf_buf_add_byte(out, (char)byte);
        }
    }
    rf_buf_add_byte(out, '"');
}

static void check_string(struct rf_str text)
{
    struct rf_buf wanted = {0}, found = {0};
    char *exact = malloc(text.size ? text.size : 1); /* so that reading beyond it is found */
    if (text.size > 0) {
        memcpy(exact, text.data, text.size);
    }
    put_plainly(&wanted, text);
    rf_json_add_string(&found, (struct rf_str){exact, text.size});
    if (!rf_str_equal(rf_buf_str(&wanted), rf_buf_str(&found))) {
        fail_msg("%.*s, not %.*s", RF_STR_ARG(rf_buf_str(&found)), RF_STR_ARG(rf_buf_str(&wanted)));
    }
    free(exact);
    rf_buf_deinit(&wanted);
    rf_buf_deinit(&found);
}

static void test_every_byte_is_escaped_as_it_must_at_every_place(void **state)
{
    (void)state;
    char text[70];
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t size = 1; size <= sizeof text; size += byte < 0x22 || byte == '\\' ? 1 : 7) {
            for (size_t at = 0; at < size; at++) {
                memset(text, 'x', size);
                text[at] = (char)byte;
                check_string((struct rf_str){text, size});
            }
        }
    }
    check_string(RF_STR(""));
}

static void test_strings_full_of_escapes_grow_the_buffer(void **state)
{
    (void)state;
    char text[3000];
    for (size_t size = 0; size < sizeof text; size += 1 + size / 3) {
        memset(text, 1, size);
        check_string((struct rf_str){text, size});
        memset(text, '"', size);
        check_string((struct rf_str){text, size});
    }
    srandom(1);
    for (int times = 0; times < 2000; times++) {
        size_t size = (size_t)random() % 200;
        for (size_t i = 0; i < size; i++) {
            text[i] = (char)(random() % 8 == 0 ? random() % 40 : random());
        }
        check_string((struct rf_str){text, size});
    }
}

static void test_base64_is_that_of_the_standard(void **state)
{
    (void)state;
    /* RFC 4648, section 10. */
    static const char *const cases[][2] = {
        {"", "\"\""},
        {"f", "\"Zg==\""},
        {"fo", "\"Zm8=\""},
        {"foo", "\"Zm9v\""},
        {"foob", "\"Zm9vYg==\""},
        {"fooba", "\"Zm9vYmE=\""},
        {"foobar", "\"Zm9vYmFy\""},
        {"\xff\xff\xff\xfb\xf0", "\"////+/A=\""},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        struct rf_buf out = {0};
        rf_json_add_base64(&out, rf_str_of(cases[i][0]));
        assert_string_equal(rf_buf_cstr(&out), cases[i][1]);
        rf_buf_deinit(&out);
    }
}

static void test_instants_are_utc_with_a_fraction_only_when_there_is_one(void **state)
{
    (void)state;
    static const struct {
        int64_t micros;
        const char *text;
    } cases[] = {
        {0, "\"1970-01-01T00:00:00Z\""},
        {INT64_C(1795366800000000), "\"2026-11-22T17:00:00Z\""},
        {INT64_C(1795366800000001), "\"2026-11-22T17:00:00.000001Z\""},
        {INT64_C(951782400000000), "\"2000-02-29T00:00:00Z\""},
        {-1, "\"1969-12-31T23:59:59.999999Z\""},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        struct rf_buf out = {0};
        rf_json_add_instant(&out, cases[i].micros);
        assert_string_equal(rf_buf_cstr(&out), cases[i].text);
        rf_buf_deinit(&out);
    }
}

static struct rf_value text_value(unsigned kind, struct rf_str text)
{
    return (struct rf_value){.kind = (uint8_t)kind, .size = (uint32_t)text.size, .text = text.data};
}

static void expect_json(struct rf_value value, const char *json)
{
    struct rf_buf out = {0};
    assert_true(rf_json_add_value(&out, &value));
    assert_string_equal(rf_buf_cstr(&out), json);
    rf_buf_deinit(&out);
}

static void test_every_kind_of_value_has_its_form(void **state)
{
    (void)state;
    const uint64_t leap = RF_DATETIME_PACK(2024, 2, 29, 1, 2, 3, 45000);
    expect_json((struct rf_value){.kind = RF_NULL}, "null");
    expect_json((struct rf_value){.kind = RF_ABSENT}, "null");
    expect_json((struct rf_value){.kind = RF_INT, .i = INT64_MIN}, "-9223372036854775808");
    expect_json((struct rf_value){.kind = RF_INT, .i = -1}, "-1");
    expect_json((struct rf_value){.kind = RF_UINT, .u = UINT64_MAX}, "18446744073709551615");
    expect_json((struct rf_value){.kind = RF_BIT, .scale = 64, .u = UINT64_MAX},
                "18446744073709551615");
    expect_json((struct rf_value){.kind = RF_YEAR, .u = 2155}, "2155");
    expect_json((struct rf_value){.kind = RF_YEAR, .u = 0}, "0");
    expect_json((struct rf_value){.kind = RF_FLOAT, .f = 0.1f}, "0.1");
    expect_json((struct rf_value){.kind = RF_DOUBLE, .d = 19.99}, "19.99");
    expect_json((struct rf_value){.kind = RF_DOUBLE, .d = -0.0}, "-0");
    expect_json(text_value(RF_TEXT, RF_STR("a\"\n")), "\"a\\\"\\n\"");
    expect_json(text_value(RF_JSON, RF_STR("{\"a\":1}")), "\"{\\\"a\\\":1}\"");
    expect_json(text_value(RF_ENUM, RF_STR("small")), "\"small\"");
    expect_json(text_value(RF_SET, RF_STR("a,b")), "\"a,b\"");
    expect_json(text_value(RF_BYTES, RF_STR("foob")), "\"Zm9vYg==\"");
    expect_json(text_value(RF_GEOMETRY, RF_STR("\xe6\x10\0\0foob")),
                "{\"srid\":4326,\"wkb\":\"Zm9vYg==\"}");
    expect_json(text_value(RF_VECTOR, (struct rf_str){"\0\0\x80\x3f\xcd\xcc\xcc\x3d", 8}),
                "[1,0.1]");
    expect_json((struct rf_value){.kind = RF_DATE, .u = RF_DATETIME_PACK(2024, 2, 29, 0, 0, 0, 0)},
                "\"2024-02-29\"");
    expect_json((struct rf_value){.kind = RF_DATE}, "\"0000-00-00\"");
    expect_json((struct rf_value){.kind = RF_DATETIME, .u = leap}, "\"2024-02-29T01:02:03\"");
    expect_json((struct rf_value){.kind = RF_DATETIME, .scale = 3, .u = leap},
                "\"2024-02-29T01:02:03.045\"");
    expect_json((struct rf_value){.kind = RF_DATETIME}, "\"0000-00-00T00:00:00\"");
    expect_json((struct rf_value){.kind = RF_TIMESTAMP, .scale = 6, .i = 1000001},
                "\"1970-01-01T00:00:01.000001Z\"");
    expect_json((struct rf_value){.kind = RF_TIMESTAMP}, "\"0000-00-00T00:00:00Z\"");
    expect_json((struct rf_value){.kind = RF_TIME, .scale = 2, .i = -250000}, "\"-00:00:00.25\"");
    expect_json((struct rf_value){.kind = RF_TIME, .scale = 6, .i = -INT64_C(3020399999999)},
                "\"-838:59:59.999999\"");
}

static void test_decimals_of_every_length_are_strings(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 68; size++) {
        char *exact = malloc(size);
        struct rf_buf wanted = {0};
        memset(exact, '7', size);
        rf_buf_printf(&wanted, "\"%.*s\"", (int)size, exact);
        expect_json(text_value(RF_DECIMAL, (struct rf_str){exact, size}), rf_buf_cstr(&wanted));
        rf_buf_deinit(&wanted);
        free(exact);
    }
}

static void test_floating_numbers_read_back_equal(void **state)
{
    (void)state;
    static const double numbers[] = {0.1,     1.0 / 3, 1e15,      1e16,
                                     1e21,    1e22,    1e-5,      123e-20,
                                     DBL_MAX, DBL_MIN, 4.94e-324, 9007199254740993.0};
    srandom(1);
    for (size_t i = 0; i < count_of(numbers) + 3000; i++) {
        struct rf_value value = {.kind = RF_DOUBLE};
        if (i < count_of(numbers)) {
            value.d = numbers[i];
        } else {
            value.u = (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
        }
        struct rf_buf out = {0};
        if (!isfinite(value.d)) {
            assert_false(rf_json_add_value(&out, &value));
            continue;
        }
        assert_true(rf_json_add_value(&out, &value));
        assert_true(strtod(rf_buf_cstr(&out), NULL) == value.d);
        struct rf_value single = {.kind = RF_FLOAT, .f = (float)value.d};
        rf_buf_reset(&out);
        if (isfinite(single.f)) {
            assert_true(rf_json_add_value(&out, &single));
            assert_true(strtof(rf_buf_cstr(&out), NULL) == single.f);
        }
        rf_buf_deinit(&out);
    }
}

static void test_numbers_that_json_lacks_leave_the_buffer_alone(void **state)
{
    (void)state;
    const double doubles[] = {NAN, INFINITY, -INFINITY};
    struct rf_buf out = {0};
    rf_buf_add_str(&out, RF_STR("kept"));
    for (size_t i = 0; i < count_of(doubles); i++) {
        struct rf_value wide = {.kind = RF_DOUBLE, .d = doubles[i]};
        struct rf_value single = {.kind = RF_FLOAT, .f = (float)doubles[i]};
        assert_false(rf_json_add_value(&out, &wide));
        assert_false(rf_json_add_value(&out, &single));
    }
    assert_string_equal(rf_buf_cstr(&out), "kept");
    rf_buf_deinit(&out);
}

static void test_a_row_is_an_object_without_what_is_absent(void **state)
{
    (void)state;
    struct rf_batch batch = {0};
    struct rf_table *table = rf_test_table("shop", "t", "id:int! name:text n:int");
    static const struct {
        const char *row, *all, *some;
    } cases[] = {
        {"1|anna|5", "{\"id\":1,\"name\":\"anna\",\"n\":5}", "{\"n\":5,\"id\":1}"},
        {"1|NULL|NULL", "{\"id\":1,\"name\":null,\"n\":null}", "{\"n\":null,\"id\":1}"},
        {"1|?|5", "{\"id\":1,\"n\":5}", "{\"n\":5,\"id\":1}"},
        {"?|?|5", "{\"n\":5}", "{\"n\":5}"},
        {"?|?|?", "{}", "{}"},
    };
    static const uint32_t numbers[] = {2, 0};
    struct rf_json_names all, some, none = {0};
    rf_json_names_init(&all, table, NULL, 3);
    rf_json_names_init(&some, table, numbers, 2);
    for (size_t i = 0; i < count_of(cases); i++) {
        const struct rf_value *image = rf_test_row(&batch, table, cases[i].row);
        struct rf_buf out = {0};
        uint32_t column;
        assert_true(rf_json_add_row(&out, &all, image, &column));
        assert_string_equal(rf_buf_cstr(&out), cases[i].all);
        rf_buf_reset(&out);
        assert_true(rf_json_add_row(&out, &some, image, &column));
        assert_string_equal(rf_buf_cstr(&out), cases[i].some);
        rf_buf_reset(&out);
        assert_true(rf_json_add_row(&out, &none, image, &column));
        assert_string_equal(rf_buf_cstr(&out), "{}");
        rf_buf_deinit(&out);
    }
    rf_json_names_deinit(&all);
    rf_json_names_deinit(&some);
    rf_json_names_deinit(&none);
    rf_table_release(table);
    rf_batch_deinit(&batch);
}

static void test_names_of_every_length_are_escaped(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 64; size++) {
        char name[64];
        struct rf_buf wanted = {0}, out = {0};
        memset(name, 'n', size);
        name[size / 2] = '"';
        struct rf_column column = {.name = {name, size}};
        struct rf_table table = {.columns = &column, .column_count = 1};
        struct rf_value value = {.kind = RF_INT, .i = 7};
        struct rf_json_names names;
        uint32_t number;
        rf_json_names_init(&names, &table, NULL, 1);
        rf_buf_add_byte(&wanted, '{');
        put_plainly(&wanted, column.name);
        rf_buf_add_str(&wanted, RF_STR(":7}"));
        assert_true(rf_json_add_row(&out, &names, &value, &number));
        assert_true(rf_str_equal(rf_buf_str(&out), rf_buf_str(&wanted)));
        rf_json_names_deinit(&names);
        rf_buf_deinit(&wanted);
        rf_buf_deinit(&out);
    }
}

static void test_a_row_with_a_number_that_json_lacks_names_its_column(void **state)
{
    (void)state;
    struct rf_column columns[2] = {{.name = RF_STR("a")}, {.name = RF_STR("b")}};
    struct rf_table table = {.columns = columns, .column_count = 2};
    struct rf_value image[2] = {{.kind = RF_INT, .i = 1}, {.kind = RF_DOUBLE, .d = NAN}};
    struct rf_json_names names;
    struct rf_buf out = {0};
    uint32_t column = 9;
    rf_json_names_init(&names, &table, NULL, 2);
    rf_buf_add_str(&out, RF_STR("kept"));
    assert_false(rf_json_add_row(&out, &names, image, &column));
    assert_int_equal(column, 1);
    assert_string_equal(rf_buf_cstr(&out), "kept");
    rf_json_names_deinit(&names);
    rf_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_is_escaped_as_it_must_at_every_place),
        cmocka_unit_test(test_strings_full_of_escapes_grow_the_buffer),
        cmocka_unit_test(test_base64_is_that_of_the_standard),
        cmocka_unit_test(test_instants_are_utc_with_a_fraction_only_when_there_is_one),
        cmocka_unit_test(test_every_kind_of_value_has_its_form),
        cmocka_unit_test(test_decimals_of_every_length_are_strings),
        cmocka_unit_test(test_floating_numbers_read_back_equal),
        cmocka_unit_test(test_numbers_that_json_lacks_leave_the_buffer_alone),
        cmocka_unit_test(test_a_row_is_an_object_without_what_is_absent),
        cmocka_unit_test(test_names_of_every_length_are_escaped),
        cmocka_unit_test(test_a_row_with_a_number_that_json_lacks_names_its_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
