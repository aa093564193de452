/* Rows as BSON, read back by libbson. */
#include "wire/bson.h"

#include "lib/events.h"

#include <bson/bson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))
#define TEXT(k, t)      ((struct rf_value){.kind = (k), .size = sizeof(t) - 1, .text = (t)})
#define DAY(y, m, d)    RF_DATETIME_PACK(y, m, d, 0, 0, 0, 0)

/* The buffer as canonical extended JSON, in which types show; fails where libbson finds a fault. */
static char *read_back(const struct rf_buf *out)
{
    bson_t document;
    bson_error_t error;
    char *exact = malloc(out->size); /* so that reading beyond it is found */
    memcpy(exact, out->data, out->size);
    assert_true(bson_init_static(&document, (const uint8_t *)exact, out->size));
    if (!bson_validate_with_error(&document, BSON_VALIDATE_UTF8 | BSON_VALIDATE_UTF8_ALLOW_NULL,
                                  &error)) {
        fail_msg("%s", error.message);
    }
    char *json = bson_as_canonical_extended_json(&document, NULL);
    assert_non_null(json);
    free(exact);
    return json;
}

static char *column_json(struct rf_column column, struct rf_value value, enum rf_bson_dates dates)
{
    struct rf_bson_fields fields = {0};
    struct rf_buf out = {0};
    uint32_t missing;
    column.name = RF_STR("x");
    struct rf_table table = {.columns = &column, .column_count = 1};
    rf_bson_fields_init(&fields, &table, NULL, 1, dates);
    size_t begin = rf_bson_begin(&out);
    assert_true(rf_bson_add_row(&out, &fields, &value, NULL, &missing));
    rf_bson_end(&out, begin);
    char *json = read_back(&out);
    rf_bson_fields_deinit(&fields);
    rf_buf_deinit(&out);
    return json;
}

static void expect_json(struct rf_column column, struct rf_value value, enum rf_bson_dates dates,
                        const char *expected)
{
    char whole[512];
    snprintf(whole, sizeof whole, "{ \"x\" : %s }", expected);
    char *json = column_json(column, value, dates);
    assert_string_equal(json, whole);
    bson_free(json);
}

static void test_each_column_has_its_type(void **state)
{
    static const struct {
        struct rf_column column;
        struct rf_value value;
        const char *json;
    } cases[] = {
        {{.type = RF_COLUMN_TINYINT}, {.kind = RF_INT, .i = -128}, "{ \"$numberInt\" : \"-128\" }"},
        {{.type = RF_COLUMN_TINYINT, .is_unsigned = true},
         {.kind = RF_UINT, .u = 255},
         "{ \"$numberInt\" : \"255\" }"},
        {{.type = RF_COLUMN_SMALLINT}, {.kind = RF_INT, .i = 1}, "{ \"$numberInt\" : \"1\" }"},
        {{.type = RF_COLUMN_MEDIUMINT, .is_unsigned = true},
         {.kind = RF_UINT, .u = 16777215},
         "{ \"$numberInt\" : \"16777215\" }"},
        {{.type = RF_COLUMN_INT},
         {.kind = RF_INT, .i = INT32_MIN},
         "{ \"$numberInt\" : \"-2147483648\" }"},
        {{.type = RF_COLUMN_INT, .is_unsigned = true},
         {.kind = RF_UINT, .u = UINT32_MAX},
         "{ \"$numberLong\" : \"4294967295\" }"},
        {{.type = RF_COLUMN_INT, .is_unsigned = true},
         {.kind = RF_UINT, .u = 1},
         "{ \"$numberLong\" : \"1\" }"},
        {{.type = RF_COLUMN_BIGINT},
         {.kind = RF_INT, .i = INT64_MIN},
         "{ \"$numberLong\" : \"-9223372036854775808\" }"},
        {{.type = RF_COLUMN_BIGINT}, {.kind = RF_INT, .i = 1}, "{ \"$numberLong\" : \"1\" }"},
        {{.type = RF_COLUMN_BIGINT, .is_unsigned = true},
         {.kind = RF_UINT, .u = UINT64_MAX},
         "\"18446744073709551615\""},
        {{.type = RF_COLUMN_BIGINT, .is_unsigned = true}, {.kind = RF_UINT, .u = 0}, "\"0\""},
        {{.type = RF_COLUMN_YEAR}, {.kind = RF_YEAR, .u = 2155}, "{ \"$numberInt\" : \"2155\" }"},
        {{.type = RF_COLUMN_FLOAT},
         {.kind = RF_FLOAT, .f = 0.5f},
         "{ \"$numberDouble\" : \"0.5\" }"},
        {{.type = RF_COLUMN_DOUBLE},
         {.kind = RF_DOUBLE, .d = -0.1},
         "{ \"$numberDouble\" : \"-0.10000000000000000555\" }"},
        {{.type = RF_COLUMN_BIT, .precision = 1},
         {.kind = RF_BIT, .u = 1, .scale = 1},
         "{ \"$numberLong\" : \"1\" }"},
        {{.type = RF_COLUMN_BIT, .precision = 63},
         {.kind = RF_BIT, .u = INT64_MAX, .scale = 63},
         "{ \"$numberLong\" : \"9223372036854775807\" }"},
        {{.type = RF_COLUMN_BIT, .precision = 64},
         {.kind = RF_BIT, .u = UINT64_MAX, .scale = 64},
         "\"18446744073709551615\""},
        {{.type = RF_COLUMN_DECIMAL, .precision = 12, .scale = 2},
         TEXT(RF_DECIMAL, "19.90"),
         "{ \"$numberDecimal\" : \"19.90\" }"},
        {{.type = RF_COLUMN_DECIMAL, .precision = 34, .scale = 0},
         TEXT(RF_DECIMAL, "-9999999999999999999999999999999999"),
         "{ \"$numberDecimal\" : \"-9999999999999999999999999999999999\" }"},
        {{.type = RF_COLUMN_DECIMAL, .precision = 35, .scale = 2},
         TEXT(RF_DECIMAL, "1.00"),
         "\"1.00\""},
        {{.type = RF_COLUMN_TIME, .scale = 3},
         {.kind = RF_TIME, .i = INT64_C(-3020399000000), .scale = 3},
         "\"-838:59:59.000\""},
        {{.type = RF_COLUMN_TEXT}, TEXT(RF_TEXT, "a\"\0\xC3\xA4"), "\"a\\\"\\u0000\xC3\xA4\""},
        {{.type = RF_COLUMN_VARCHAR}, TEXT(RF_TEXT, ""), "\"\""},
        {{.type = RF_COLUMN_ENUM}, TEXT(RF_ENUM, "red"), "\"red\""},
        {{.type = RF_COLUMN_SET}, TEXT(RF_SET, "a,b"), "\"a,b\""},
        {{.type = RF_COLUMN_JSON}, TEXT(RF_JSON, "{}"), "\"{}\""},
        {{.type = RF_COLUMN_BINARY},
         TEXT(RF_BYTES, "\0\xff"),
         "{ \"$binary\" : { \"base64\" : \"AP8=\", \"subType\" : \"00\" } }"},
        {{.type = RF_COLUMN_BLOB},
         TEXT(RF_BYTES, ""),
         "{ \"$binary\" : { \"base64\" : \"\", \"subType\" : \"00\" } }"},
        {{.type = RF_COLUMN_GEOMETRY},
         TEXT(RF_GEOMETRY, "\1\0\0\0w"),
         "{ \"$binary\" : { \"base64\" : \"AQAAAHc=\", \"subType\" : \"00\" } }"},
        {{.type = RF_COLUMN_INT}, {.kind = RF_NULL}, "null"},
    };
    (void)state;
    for (size_t i = 0; i < count_of(cases); i++) {
        for (int dates = 0; dates < 2; dates++) { /* which is about dates alone */
            expect_json(cases[i].column, cases[i].value, (enum rf_bson_dates)dates, cases[i].json);
        }
    }
}

static void test_dates_are_dates_as_far_as_nothing_is_lost(void **state)
{
    static const struct {
        struct rf_column column;
        struct rf_value value;
        const char *date, *text;
    } cases[] = {
        {{.type = RF_COLUMN_DATE},
         {.kind = RF_DATE, .u = DAY(2024, 2, 29)},
         "{ \"$date\" : { \"$numberLong\" : \"1709164800000\" } }",
         "\"2024-02-29\""},
        {{.type = RF_COLUMN_DATETIME, .scale = 3},
         {.kind = RF_DATETIME, .scale = 3, .u = RF_DATETIME_PACK(1969, 12, 31, 23, 59, 59, 999000)},
         "{ \"$date\" : { \"$numberLong\" : \"-1\" } }",
         "\"1969-12-31T23:59:59.999\""},
        {{.type = RF_COLUMN_DATETIME, .scale = 4},
         {.kind = RF_DATETIME, .scale = 4, .u = RF_DATETIME_PACK(2024, 1, 1, 0, 0, 0, 0)},
         "\"2024-01-01T00:00:00.0000\"",
         "\"2024-01-01T00:00:00.0000\""},
        {{.type = RF_COLUMN_TIMESTAMP, .scale = 0},
         {.kind = RF_TIMESTAMP, .scale = 0, .i = INT64_C(1000000)},
         "{ \"$date\" : { \"$numberLong\" : \"1000\" } }",
         "\"1970-01-01T00:00:01Z\""},
        {{.type = RF_COLUMN_TIMESTAMP, .scale = 6},
         {.kind = RF_TIMESTAMP, .scale = 6, .i = INT64_C(1000001)},
         "\"1970-01-01T00:00:01.000001Z\"",
         "\"1970-01-01T00:00:01.000001Z\""},
        /* What no calendar has. */
        {{.type = RF_COLUMN_DATE}, {.kind = RF_DATE}, "\"0000-00-00\"", "\"0000-00-00\""},
        {{.type = RF_COLUMN_DATE},
         {.kind = RF_DATE, .u = DAY(2024, 0, 10)},
         "\"2024-00-10\"",
         "\"2024-00-10\""},
        {{.type = RF_COLUMN_DATE},
         {.kind = RF_DATE, .u = DAY(2023, 2, 29)},
         "\"2023-02-29\"",
         "\"2023-02-29\""},
        {{.type = RF_COLUMN_DATETIME},
         {.kind = RF_DATETIME},
         "\"0000-00-00T00:00:00\"",
         "\"0000-00-00T00:00:00\""},
        {{.type = RF_COLUMN_TIMESTAMP, .scale = 2},
         {.kind = RF_TIMESTAMP, .scale = 2},
         "\"0000-00-00T00:00:00.00Z\"",
         "\"0000-00-00T00:00:00.00Z\""},
    };
    (void)state;
    for (size_t i = 0; i < count_of(cases); i++) {
        expect_json(cases[i].column, cases[i].value, RF_BSON_DATES_DATE, cases[i].date);
        expect_json(cases[i].column, cases[i].value, RF_BSON_DATES_STRING, cases[i].text);
    }
}

/* The C library knows the calendar, too. */
static void test_every_day_of_ten_thousand_years_is_where_it_belongs(void **state)
{
    const struct rf_column column = {.type = RF_COLUMN_DATE, .name = {"x", 1}};
    const struct rf_table table = {.columns = &column, .column_count = 1};
    struct rf_bson_fields fields = {0};
    struct rf_buf out = {0};
    (void)state;
    rf_bson_fields_init(&fields, &table, NULL, 1, RF_BSON_DATES_DATE);
    for (int year = 0; year < 10000; year += year % 400 < 8 ? 1 : 13) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= 31; day++) {
                struct tm parts = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
                int64_t ms = (int64_t)timegm(&parts) * 1000, found = 0;
                bool there = parts.tm_mon == month - 1; /* else it was moved on */
                struct rf_value value = {.kind = RF_DATE, .u = DAY(year, month, day)};
                rf_buf_reset(&out);
                rf_bson_add_value(&out, RF_STR("x\0"), fields.items, &value);
                assert_int_equal(out.data[0], there ? RF_BSON_DATE : RF_BSON_UTF8);
                memcpy(&found, out.data + 3, sizeof found); /* little-endian, as all our machines */
                assert_true(!there || found == ms);
            }
        }
    }
    rf_bson_fields_deinit(&fields);
    rf_buf_deinit(&out);
}

/* libbson reads the same text. */
static void test_decimals_are_exact_to_the_last_zero(void **state)
{
    const struct rf_column column = {.type = RF_COLUMN_DECIMAL, .precision = 34};
    uint64_t seed = 42;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char text[48];
        int digits = 1 + (int)((seed >> 20) % 34), at = 0;
        int scale = (int)((seed >> 40) % (unsigned)(digits + 1));
        text[at] = '-';
        at += (seed >> 33) % 2 == 0;
        for (int j = 0; j < digits; j++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            if (j == digits - scale) {
                text[at] = '0';
                at += j == 0;
                text[at++] = '.';
            }
            text[at++] = (char)('0' + ((seed >> 50) % 4 == 0 ? 0 : (seed >> 33) % 10));
        }
        text[at] = '\0';
        bson_decimal128_t wanted;
        if (!bson_decimal128_from_string(text, &wanted)) {
            fail_msg("libbson does not read %s", text);
        }
        struct rf_value value = {.kind = RF_DECIMAL, .size = (uint32_t)at, .text = text};
        char *json = column_json(column, value, RF_BSON_DATES_DATE);
        char expected[96], number[BSON_DECIMAL128_STRING];
        bson_decimal128_to_string(&wanted, number);
        snprintf(expected, sizeof expected, "{ \"x\" : { \"$numberDecimal\" : \"%s\" } }", number);
        assert_string_equal(json, expected);
        bson_free(json);
    }
}

static void test_a_row_is_its_columns_in_order(void **state)
{
    struct rf_table *table = rf_test_table("shop", "orders", "a:int! b:text c:decimal d:bytes");
    struct rf_batch batch = {0};
    struct rf_bson_fields all = {0}, some = {0};
    struct rf_buf out = {0};
    const uint32_t numbers[] = {2, 0};
    uint32_t missing = 99;
    (void)state;
    const struct rf_value *row = rf_test_row(&batch, table, "7|x|1.50|?");
    const struct rf_value *older = rf_test_row(&batch, table, "?|old|?|bb");
    rf_bson_fields_init(&all, table, NULL, 4, RF_BSON_DATES_DATE);
    rf_bson_fields_init(&some, table, numbers, 2, RF_BSON_DATES_DATE);
    size_t begin = rf_bson_begin(&out);
    size_t inner = rf_bson_open(&out, RF_BSON_DOCUMENT, "some");
    assert_true(rf_bson_add_row(&out, &some, row, NULL, &missing));
    rf_bson_end(&out, inner);
    size_t before = out.size;
    assert_false(rf_bson_add_row(&out, &all, row, NULL, &missing));
    assert_int_equal(missing, 3);
    assert_int_equal(out.size, before);
    assert_true(rf_bson_add_row(&out, &all, row, older, &missing));
    rf_bson_end(&out, begin);
    char *json = read_back(&out);
    assert_string_equal(json,
                        "{ \"some\" : { \"c\" : { \"$numberDecimal\" : \"1.50\" }, \"a\" : { "
                        "\"$numberInt\" : \"7\" } }, \"a\" : { \"$numberInt\" : \"7\" }, \"b\" : "
                        "\"x\", \"c\" : { \"$numberDecimal\" : \"1.50\" }, \"d\" : { \"$binary\" : "
                        "{ \"base64\" : \"YmI=\", \"subType\" : \"00\" } } }");
    bson_free(json);
    rf_bson_fields_deinit(&all);
    rf_bson_fields_deinit(&some);
    rf_buf_deinit(&out);
    rf_batch_deinit(&batch);
    rf_table_release(table);
}

static void test_commands_are_documents_of_what_was_added(void **state)
{
    struct rf_buf out = {0};
    (void)state;
    size_t begin = rf_bson_begin(&out);
    rf_bson_add_utf8(&out, "update", RF_STR("orders"));
    rf_bson_add_bool(&out, "ordered", false);
    size_t array = rf_bson_open(&out, RF_BSON_ARRAY, "items");
    for (uint32_t i = 0; i < 1001; i++) {
        size_t item = rf_bson_open_item(&out, i);
        rf_bson_add_int32(&out, "i", (int32_t)i);
        rf_bson_end(&out, item);
    }
    rf_bson_end(&out, array);
    rf_bson_add_int64(&out, "long", -1);
    rf_bson_add_date(&out, "at", 5);
    rf_bson_add_document(&out, "none", (struct rf_str){"\5\0\0\0", 5});
    rf_bson_end(&out, begin);
    bson_free(read_back(&out));
    bson_t document;
    bson_iter_t iter, found;
    assert_true(bson_init_static(&document, (const uint8_t *)out.data, out.size));
    static const char *const places[] = {"items.0.i", "items.9.i", "items.10.i", "items.1000.i"};
    static const int32_t numbers[] = {0, 9, 10, 1000};
    for (size_t i = 0; i < count_of(places); i++) {
        assert_true(bson_iter_init(&iter, &document) &&
                    bson_iter_find_descendant(&iter, places[i], &found));
        assert_int_equal(bson_iter_int32(&found), numbers[i]);
    }
    assert_true(bson_iter_init_find(&iter, &document, "none") && BSON_ITER_HOLDS_DOCUMENT(&iter));
    assert_true(bson_iter_init_find(&iter, &document, "ordered") && !bson_iter_bool(&iter));
    assert_true(bson_iter_init_find(&iter, &document, "long") && bson_iter_int64(&iter) == -1);
    assert_true(bson_iter_init_find(&iter, &document, "at") && bson_iter_date_time(&iter) == 5);
    rf_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_column_has_its_type),
        cmocka_unit_test(test_dates_are_dates_as_far_as_nothing_is_lost),
        cmocka_unit_test(test_every_day_of_ten_thousand_years_is_where_it_belongs),
        cmocka_unit_test(test_decimals_are_exact_to_the_last_zero),
        cmocka_unit_test(test_a_row_is_its_columns_in_order),
        cmocka_unit_test(test_commands_are_documents_of_what_was_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
