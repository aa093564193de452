#include "format/debezium_values.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* What a value of a column "c" looks like; "refused" where it has no form. */
static const char *text_of(struct rf_value value, struct rf_column column,
                           struct rf_debezium_modes modes)
{
    static char text[512];
    struct rf_buf out = {0};
    column.name = RF_STR("c");
    const struct rf_table table = {.column_count = 1, .columns = &column};
    struct rf_json_names names;
    uint32_t number = 7;
    rf_json_names_init(&names, &table, NULL, 1);
    rf_buf_set(&out, RF_STR("before"));
    if (!rf_debezium_add_row(&out, &names, &table, &modes, &value, &number)) {
        assert_int_equal(number, 0);
        assert_int_equal(out.size, 6);
        snprintf(text, sizeof text, "refused");
    } else {
        const char *row = rf_buf_cstr(&out);
        assert_int_equal(strncmp(row, "before{\"c\":", 11), 0);
        assert_int_equal(row[out.size - 1], '}');
        snprintf(text, sizeof text, "%.*s", (int)out.size - 12, row + 11);
    }
    rf_json_names_deinit(&names);
    rf_buf_deinit(&out);
    return text;
}

static struct rf_value text_value(enum rf_kind kind, const char *text)
{
    return (struct rf_value){.kind = (uint8_t)kind, .text = text, .size = (uint32_t)strlen(text)};
}

static const struct rf_column nullable = {.nullable = true}, required = {0};

static void test_decimals_are_text_the_bytes_of_their_number_or_doubles(void **state)
{
    (void)state;
    /* Bytes as java.math.BigInteger.toByteArray gives them. */
    static const struct {
        const char *decimal, *bytes, *number;
    } cases[] = {
        {"0", "\"AA==\"", "0"},
        {"0.00", "\"AA==\"", "0"},
        {"1", "\"AQ==\"", "1"},
        {"-1", "\"/w==\"", "-1"},
        {"1.27", "\"fw==\"", "1.27"},
        {"1.28", "\"AIA=\"", "1.28"},
        {"-1.28", "\"gA==\"", "-1.28"},
        {"-1.29", "\"/38=\"", "-1.29"},
        {"19.90", "\"B8Y=\"", "19.9"},
        {"-0.05", "\"+w==\"", "-0.05"},
        {"2.55", "\"AP8=\"", "2.55"},
        {"-2.56", "\"/wA=\"", "-2.56"},
        {"18446744073709551615", "\"AP//////////\"", "1.8446744073709552e+19"},
        {"-9223372036854775808", "\"gAAAAAAAAAA=\"", "-9.223372036854776e+18"},
        /* 65 digits, the most that there are. */
        {"99999999999999999999999999999999999999999999999999999999999999999",
         "\"APMWJxx/w5CKi+9GTjlF73olNgn//////////w==\"", NULL},
        {"-99999999999999999999999999999999999999999999999999999999999999.999",
         "\"/wzp2OOAPG91dBC5sca6EIXayfYAAAAAAAAAAQ==\"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_value value = text_value(RF_DECIMAL, cases[i].decimal);
        char quoted[100];
        snprintf(quoted, sizeof quoted, "\"%s\"", cases[i].decimal);
        assert_string_equal(text_of(value, nullable, (struct rf_debezium_modes){0}), quoted);
        struct rf_debezium_modes modes = {.decimal = RF_DEBEZIUM_DECIMAL_PRECISE};
        assert_string_equal(text_of(value, nullable, modes), cases[i].bytes);
        modes.decimal = RF_DEBEZIUM_DECIMAL_DOUBLE;
        if (cases[i].number != NULL) {
            assert_string_equal(text_of(value, nullable, modes), cases[i].number);
        }
    }
}

static void test_unsigned_bigints_have_modes_other_numbers_have_not(void **state)
{
    (void)state;
    const struct rf_column bigint = {.type = RF_COLUMN_BIGINT, .is_unsigned = true};
    const struct rf_column whole = {.type = RF_COLUMN_INT, .is_unsigned = true};
    const struct rf_value most = {.kind = RF_UINT, .u = UINT64_MAX};
    const struct rf_value many = {.kind = RF_UINT, .u = UINT32_MAX};
    struct rf_debezium_modes modes = {.bigint = RF_DEBEZIUM_BIGINT_UNSIGNED};
    assert_string_equal(text_of(most, bigint, modes), "18446744073709551615");
    modes.bigint = RF_DEBEZIUM_BIGINT_LONG;
    assert_string_equal(text_of(most, bigint, modes), "-1");
    assert_string_equal(text_of(many, whole, modes), "4294967295");
    modes.bigint = RF_DEBEZIUM_BIGINT_PRECISE;
    assert_string_equal(text_of(most, bigint, modes), "\"AP//////////\"");
    assert_string_equal(text_of(many, whole, modes), "4294967295");
    const struct rf_value least = {.kind = RF_INT, .i = INT64_MIN};
    assert_string_equal(text_of(least, bigint, modes), "-9223372036854775808");
}

static void test_one_bit_is_a_truth_and_more_are_bytes_lowest_first(void **state)
{
    (void)state;
    const struct rf_debezium_modes modes = {0};
    struct rf_value value = {.kind = RF_BIT, .u = 1, .scale = 1};
    assert_string_equal(text_of(value, nullable, modes), "true");
    value.u = 0;
    assert_string_equal(text_of(value, nullable, modes), "false");
    value = (struct rf_value){.kind = RF_BIT, .u = 0x1ff, .scale = 9};
    assert_string_equal(text_of(value, nullable, modes), "\"/wE=\"");
    value = (struct rf_value){.kind = RF_BIT, .u = 1, .scale = 64};
    assert_string_equal(text_of(value, nullable, modes), "\"AQAAAAAAAAA=\"");
}

static void test_bytes_are_base64_of_either_alphabet_or_hex(void **state)
{
    (void)state;
    const struct rf_value value = {.kind = RF_BYTES, .text = "\xfb\xff\x00\x3e", .size = 4};
    const struct rf_value none = {.kind = RF_BYTES, .text = "", .size = 0};
    struct rf_debezium_modes modes = {.binary = RF_DEBEZIUM_BINARY_BYTES};
    assert_string_equal(text_of(value, nullable, modes), "\"+/8APg==\"");
    modes.binary = RF_DEBEZIUM_BINARY_BASE64;
    assert_string_equal(text_of(value, nullable, modes), "\"+/8APg==\"");
    modes.binary = RF_DEBEZIUM_BINARY_BASE64_URL_SAFE;
    assert_string_equal(text_of(value, nullable, modes), "\"-_8APg==\"");
    modes.binary = RF_DEBEZIUM_BINARY_HEX;
    assert_string_equal(text_of(value, nullable, modes), "\"fbff003e\"");
    assert_string_equal(text_of(none, nullable, modes), "\"\"");
}

static struct rf_debezium_modes time_mode(enum rf_debezium_time time)
{
    return (struct rf_debezium_modes){.time = (int32_t)time};
}

static void test_dates_are_days_or_text(void **state)
{
    (void)state;
    static const struct {
        unsigned year, month, day;
        const char *days, *text;
    } cases[] = {
        {1970, 1, 1, "0", "\"1970-01-01Z\""},
        {2024, 2, 29, "19782", "\"2024-02-29Z\""},
        {1000, 1, 1, "-354285", "\"1000-01-01Z\""},
        {9999, 12, 31, "2932896", "\"9999-12-31Z\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct rf_value value = {
            .kind = RF_DATE,
            .u = RF_DATETIME_PACK(cases[i].year, cases[i].month, cases[i].day, 0, 0, 0, 0)};
        for (int mode = RF_DEBEZIUM_TIME_ADAPTIVE; mode <= RF_DEBEZIUM_TIME_NANOSECONDS; mode++) {
            assert_string_equal(text_of(value, required, time_mode((enum rf_debezium_time)mode)),
                                mode == RF_DEBEZIUM_TIME_ISOSTRING ? cases[i].text : cases[i].days);
        }
    }
}

static void test_datetimes_are_milliseconds_microseconds_nanoseconds_or_text(void **state)
{
    (void)state;
    struct rf_value value = {
        .kind = RF_DATETIME, .u = RF_DATETIME_PACK(2024, 2, 29, 12, 0, 0, 250000), .scale = 3};
    assert_string_equal(text_of(value, required, time_mode(RF_DEBEZIUM_TIME_ADAPTIVE)),
                        "1709208000250");
    value.scale = 4;
    assert_string_equal(text_of(value, required, time_mode(RF_DEBEZIUM_TIME_ADAPTIVE)),
                        "1709208000250000");
    assert_string_equal(text_of(value, required, time_mode(RF_DEBEZIUM_TIME_CONNECT)),
                        "1709208000250");
    assert_string_equal(text_of(value, required, time_mode(RF_DEBEZIUM_TIME_MICROSECONDS)),
                        "1709208000250000");
    assert_string_equal(text_of(value, required, time_mode(RF_DEBEZIUM_TIME_NANOSECONDS)),
                        "1709208000250000000");
    assert_string_equal(text_of(value, required, time_mode(RF_DEBEZIUM_TIME_ISOSTRING)),
                        "\"2024-02-29T12:00:00.25Z\"");
    /* Rounded down, before 1970 too. */
    value.u = RF_DATETIME_PACK(1969, 12, 31, 23, 59, 59, 999999);
    assert_string_equal(text_of(value, required, time_mode(RF_DEBEZIUM_TIME_CONNECT)), "-1");
    assert_string_equal(text_of(value, required, time_mode(RF_DEBEZIUM_TIME_MICROSECONDS)), "-1");
    value.u = RF_DATETIME_PACK(2024, 2, 29, 12, 0, 0, 0);
    assert_string_equal(text_of(value, required, time_mode(RF_DEBEZIUM_TIME_ISOSTRING)),
                        "\"2024-02-29T12:00:00Z\"");
}

static void test_nanoseconds_end_in_the_year_2262(void **state)
{
    (void)state;
    struct rf_value value = {
        .kind = RF_DATETIME, .u = RF_DATETIME_PACK(2262, 4, 11, 23, 47, 16, 854775), .scale = 6};
    struct rf_debezium_modes modes = time_mode(RF_DEBEZIUM_TIME_NANOSECONDS);
    assert_string_equal(text_of(value, nullable, modes), "9223372036854775000");
    value.u++;
    assert_string_equal(text_of(value, nullable, modes), "refused");
    modes.unfit = RF_DEBEZIUM_UNFIT_NULL;
    assert_string_equal(text_of(value, nullable, modes), "null");
}

static void test_times_are_durations_and_of_a_day_in_two_modes(void **state)
{
    (void)state;
    struct rf_value value = {.kind = RF_TIME, .i = INT64_C(86399999999), .scale = 6};
    assert_string_equal(text_of(value, required, time_mode(RF_DEBEZIUM_TIME_ADAPTIVE)),
                        "86399999999");
    assert_string_equal(text_of(value, required, time_mode(RF_DEBEZIUM_TIME_NANOSECONDS)),
                        "86399999999000");
    assert_string_equal(text_of(value, required, time_mode(RF_DEBEZIUM_TIME_CONNECT)), "86399999");
    assert_string_equal(text_of(value, required, time_mode(RF_DEBEZIUM_TIME_ISOSTRING)),
                        "\"23:59:59.999999Z\"");
    static const int64_t others[] = {INT64_C(86400000000), -1, INT64_C(-3020399999999)};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char micros[32];
        value.i = others[i];
        snprintf(micros, sizeof micros, "%lld", (long long)others[i]);
        assert_string_equal(text_of(value, required, time_mode(RF_DEBEZIUM_TIME_MICROSECONDS)),
                            micros);
        struct rf_debezium_modes modes = time_mode(RF_DEBEZIUM_TIME_CONNECT);
        assert_string_equal(text_of(value, nullable, modes), "refused");
        modes.unfit = RF_DEBEZIUM_UNFIT_NULL;
        assert_string_equal(text_of(value, nullable, modes), "null");
        assert_string_equal(text_of(value, required, modes), "0");
        modes.time = RF_DEBEZIUM_TIME_ISOSTRING;
        assert_string_equal(text_of(value, required, modes), "\"00:00:00Z\"");
    }
}

static void test_timestamps_are_text_in_every_mode(void **state)
{
    (void)state;
    struct rf_value value = {.kind = RF_TIMESTAMP, .i = 1709208000250000, .scale = 3};
    for (int mode = RF_DEBEZIUM_TIME_ADAPTIVE; mode <= RF_DEBEZIUM_TIME_NANOSECONDS; mode++) {
        assert_string_equal(text_of(value, required, time_mode((enum rf_debezium_time)mode)),
                            "\"2024-02-29T12:00:00.250Z\"");
    }
    value.scale = 0;
    value.i = 1709208000000000;
    assert_string_equal(text_of(value, required, time_mode(RF_DEBEZIUM_TIME_CONNECT)),
                        "\"2024-02-29T12:00:00Z\"");
}

static void test_zero_dates_are_refused_or_null_or_1970(void **state)
{
    (void)state;
    static const struct {
        struct rf_value value;
        const char *number, *text;
    } cases[] = {
        {{.kind = RF_DATE}, "0", "\"1970-01-01Z\""},
        {{.kind = RF_DATE, .u = RF_DATETIME_PACK(2024, 2, 0, 0, 0, 0, 0)}, "0", "\"1970-01-01Z\""},
        {{.kind = RF_DATETIME}, "0", "\"1970-01-01T00:00:00Z\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_debezium_modes modes = {0};
        assert_string_equal(text_of(cases[i].value, nullable, modes), "refused");
        modes.unfit = RF_DEBEZIUM_UNFIT_NULL;
        assert_string_equal(text_of(cases[i].value, nullable, modes), "null");
        assert_string_equal(text_of(cases[i].value, required, modes), cases[i].number);
        modes.time = RF_DEBEZIUM_TIME_ISOSTRING;
        assert_string_equal(text_of(cases[i].value, required, modes), cases[i].text);
    }
    const struct rf_value zero = {.kind = RF_TIMESTAMP};
    struct rf_debezium_modes modes = {0};
    assert_string_equal(text_of(zero, nullable, modes), "refused");
    modes.unfit = RF_DEBEZIUM_UNFIT_NULL;
    assert_string_equal(text_of(zero, nullable, modes), "\"1970-01-01T00:00:00Z\"");
}

/* SRID 4326 and POINT(1 2). */
#define POINT                \
    "\xe6\x10\0\0\1\1\0\0\0" \
    "\0\0\0\0\0\0\xf0\x3f"   \
    "\0\0\0\0\0\0\0\x40"

static void test_geometries_are_wkb_with_their_srid(void **state)
{
    (void)state;
    struct rf_value value = {.kind = RF_GEOMETRY, .text = POINT, .size = sizeof POINT - 1};
    struct rf_column column = {.precision = RF_GEOMETRY_ANY, .nullable = true};
    const struct rf_debezium_modes modes = {0};
    assert_string_equal(text_of(value, column, modes),
                        "{\"wkb\":\"AQEAAAAAAAAAAADwPwAAAAAAAABA\",\"srid\":4326}");
    column.precision = RF_GEOMETRY_POINT;
    assert_string_equal(text_of(value, column, modes),
                        "{\"x\":1,\"y\":2,\"wkb\":\"AQEAAAAAAAAAAADwPwAAAAAAAABA\","
                        "\"srid\":4326}");
    /* The other order of bytes, without an SRID. */
    static const char big[] = "\0\0\0\0\0\0\0\0\1"
                              "\x3f\xf0\0\0\0\0\0\0"
                              "\x40\0\0\0\0\0\0\0";
    value.text = big;
    assert_string_equal(text_of(value, column, modes),
                        "{\"x\":1,\"y\":2,\"wkb\":\"AAAAAAE/8AAAAAAAAEAAAAAAAAAA\","
                        "\"srid\":null}");
    static const char infinite[] = "\0\0\0\0\0\0\0\0\1"
                                   "\x7f\xf0\0\0\0\0\0\0"
                                   "\x40\0\0\0\0\0\0\0";
    value.text = infinite;
    assert_string_equal(text_of(value, column, modes), "refused");
}

static void test_other_values_are_as_in_every_format(void **state)
{
    (void)state;
    const struct rf_debezium_modes modes = {0};
    assert_string_equal(text_of((struct rf_value){.kind = RF_NULL}, nullable, modes), "null");
    assert_string_equal(text_of((struct rf_value){.kind = RF_YEAR, .u = 2024}, nullable, modes),
                        "2024");
    assert_string_equal(text_of((struct rf_value){.kind = RF_DOUBLE, .d = -0.5}, nullable, modes),
                        "-0.5");
    assert_string_equal(text_of((struct rf_value){.kind = RF_DOUBLE, .d = NAN}, nullable, modes),
                        "refused");
    struct rf_value value = text_value(RF_SET, "a,b");
    assert_string_equal(text_of(value, nullable, modes), "\"a,b\"");
    value = text_value(RF_ENUM, "m");
    assert_string_equal(text_of(value, nullable, modes), "\"m\"");
    value = text_value(RF_JSON, "{\"a\": 1}");
    assert_string_equal(text_of(value, nullable, modes), "\"{\\\"a\\\": 1}\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimals_are_text_the_bytes_of_their_number_or_doubles),
        cmocka_unit_test(test_unsigned_bigints_have_modes_other_numbers_have_not),
        cmocka_unit_test(test_one_bit_is_a_truth_and_more_are_bytes_lowest_first),
        cmocka_unit_test(test_bytes_are_base64_of_either_alphabet_or_hex),
        cmocka_unit_test(test_dates_are_days_or_text),
        cmocka_unit_test(test_datetimes_are_milliseconds_microseconds_nanoseconds_or_text),
        cmocka_unit_test(test_nanoseconds_end_in_the_year_2262),
        cmocka_unit_test(test_times_are_durations_and_of_a_day_in_two_modes),
        cmocka_unit_test(test_timestamps_are_text_in_every_mode),
        cmocka_unit_test(test_zero_dates_are_refused_or_null_or_1970),
        cmocka_unit_test(test_geometries_are_wkb_with_their_srid),
        cmocka_unit_test(test_other_values_are_as_in_every_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
