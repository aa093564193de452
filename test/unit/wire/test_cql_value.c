/* Values of CQL against what the Python driver makes of them (test/golden/cql). */
#include "wire/cql_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/golden_lines.h"
#include "wire/calendar.h"

static struct rf_arena arena;

static void read_type(struct rf_str bytes, struct rf_cql_type *type)
{
    struct rf_cursor cursor = rf_cursor_of(bytes);
    rf_cql_type_read(&cursor, &arena, type);
    assert_null(cursor.missing);
    assert_int_equal(rf_cursor_left(&cursor), 0);
}

static void check_both_ways(struct rf_str line)
{
    struct rf_buf type_bytes = {0}, bytes = {0}, out = {0};
    struct rf_cql_type type;
    struct rf_str text = line;
    read_type(bytes_of_hex(&type_bytes, next_word(&text)), &type);
    struct rf_str hex = next_word(&text);
    bytes_of_hex(&bytes, hex);
    assert_true(rf_cql_value_print(&out, &type, rf_buf_str(&bytes)));
    if (!rf_str_equal(rf_buf_str(&out), text)) {
        print_message("wanted %.*s\nfound  %s\n", RF_STR_ARG(line), rf_buf_cstr(&out));
    }
    assert_true(rf_str_equal(rf_buf_str(&out), text));
    rf_buf_reset(&out);
    if (!rf_cql_value_read(&out, &type, text)) {
        fail_msg("not read: %.*s", RF_STR_ARG(line));
    }
    expect_hex(line, rf_buf_str(&out), hex);
    rf_buf_deinit(&type_bytes);
    rf_buf_deinit(&bytes);
    rf_buf_deinit(&out);
}

static void test_values_are_those_of_the_python_driver_both_ways(void **state)
{
    (void)state;
    for_each_line(ROWFERRY_TEST_DIR "/golden/cql/values.txt", check_both_ways);
    rf_arena_deinit(&arena);
}

struct text_case {
    enum rf_cql_kind kind;
    const char *text;
    const char *printed; /* NULL: it is refused */
};

static void check_text(const struct text_case *one)
{
    struct rf_buf bytes = {0}, printed = {0};
    struct rf_cql_type type = {.kind = (uint16_t)one->kind};
    bool good = rf_cql_value_read(&bytes, &type, rf_str_of(one->text));
    if (good != (one->printed != NULL)) {
        fail_msg("%s '%s': %s", rf_cql_kind_name(one->kind), one->text, good ? "read" : "refused");
    }
    if (good) {
        assert_true(rf_cql_value_print(&printed, &type, rf_buf_str(&bytes)));
        assert_string_equal(rf_buf_cstr(&printed), one->printed);
    } else {
        assert_int_equal(bytes.size, 0);
    }
    rf_buf_deinit(&bytes);
    rf_buf_deinit(&printed);
}

static void test_texts_of_other_forms_are_read_or_refused(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        {RF_CQL_TINYINT, "128", NULL},
        {RF_CQL_TINYINT, "-129", NULL},
        {RF_CQL_SMALLINT, "32768", NULL},
        {RF_CQL_INT, "2147483648", NULL},
        {RF_CQL_INT, "", NULL},
        {RF_CQL_INT, "1.0", NULL},
        {RF_CQL_BIGINT, "9223372036854775808", NULL},
        {RF_CQL_VARINT, "-0", "0"},
        {RF_CQL_VARINT, "0000000000000000000000000000000000001", "1"},
        {RF_CQL_VARINT, "12a", NULL},
        {RF_CQL_VARINT, "", NULL},
        {RF_CQL_VARINT, "-", NULL},
        {RF_CQL_DECIMAL, ".5", "0.5"},
        {RF_CQL_DECIMAL, "5.", "5"},
        {RF_CQL_DECIMAL, "1.5e3", "15E+2"},
        {RF_CQL_DECIMAL, "1.5e-2", "0.015"},
        {RF_CQL_DECIMAL, "1e99999999999", NULL},
        {RF_CQL_DECIMAL, ".", NULL},
        {RF_CQL_DECIMAL, "1.2.3", NULL},
        {RF_CQL_DOUBLE, "nan", "NaN"},
        {RF_CQL_DOUBLE, "0x10", NULL},
        {RF_CQL_DOUBLE, " 1", NULL},
        {RF_CQL_DOUBLE, "1 ", NULL},
        {RF_CQL_BOOLEAN, "TRUE", "true"},
        {RF_CQL_BOOLEAN, "1", NULL},
        {RF_CQL_ASCII, "\xc3\xa9", NULL},
        {RF_CQL_TIMESTAMP, "2024-02-29", "2024-02-29 00:00:00.000"},
        {RF_CQL_TIMESTAMP, "2024-02-29T12:30", "2024-02-29 12:30:00.000"},
        {RF_CQL_TIMESTAMP, "2024-02-29 12:30:00.5Z", "2024-02-29 12:30:00.500"},
        {RF_CQL_TIMESTAMP, "2024-02-29 12:30:00+01:30", "2024-02-29 11:00:00.000"},
        {RF_CQL_TIMESTAMP, "2024-02-29 00:30:00.000000-0130", "2024-02-29 02:00:00.000"},
        {RF_CQL_TIMESTAMP, "2024-02-29 12:30:00.000001", NULL},
        {RF_CQL_TIMESTAMP, "2023-02-29", NULL},
        {RF_CQL_TIMESTAMP, "0000-00-00 00:00:00", NULL},
        {RF_CQL_TIMESTAMP, "2024-01-01 24:00:00", NULL},
        {RF_CQL_TIMESTAMP, "2024-01-01 12:00:00 ", NULL},
        {RF_CQL_TIMESTAMP, "299999999-01-01", NULL},
        {RF_CQL_DATE, "-0001-12-31", "-0001-12-31"},
        {RF_CQL_DATE, "5881580-07-11", "5881580-07-11"},
        {RF_CQL_DATE, "5881580-07-12", NULL},
        {RF_CQL_DATE, "-5877641-06-23", "-5877641-06-23"},
        {RF_CQL_DATE, "2024-00-10", NULL},
        {RF_CQL_TIME, "23:59", "23:59:00.000000000"},
        {RF_CQL_TIME, "24:00:00", NULL},
        {RF_CQL_TIME, "-01:00:00", NULL},
        {RF_CQL_DURATION, "1y2mo3w4d5h6m7s8ms9us10ns", "14mo25d18367008009010ns"},
        {RF_CQL_DURATION, "-1h", "-0mo0d3600000000000ns"},
        {RF_CQL_DURATION, "1", NULL},
        {RF_CQL_DURATION, "", NULL},
        {RF_CQL_DURATION, "2147483648d", NULL},
        {RF_CQL_UUID, "12345678-1234-5678-9abc-def01234567", NULL},
        {RF_CQL_UUID, "12345678x1234-5678-9abc-def012345678", NULL},
        {RF_CQL_TIMEUUID, "12345678-1234-4678-9abc-def012345678", NULL},
        {RF_CQL_INET, "1.2.3", NULL},
        {RF_CQL_INET, "host", NULL},
        {RF_CQL_BLOB, "cafe", NULL},
        {RF_CQL_BLOB, "0xcaf", NULL},
        {RF_CQL_BLOB, "0xCAFE", "0xcafe"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_text(&cases[i]);
    }
}

static void test_bytes_that_are_none_of_the_type_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *type, *bytes;
    } cases[] = {
        {"0009", "000000"},           /* an int of three bytes */
        {"0012", "ffffffffffffffff"}, /* a time before midnight */
        {"0012", "00004e94914f0000"}, /* of 24 hours */
        {"0010", "0102030405"},       /* an address of five bytes */
        {"0015", "0201"},             /* a duration without its end */
        {"0015", "020100"},           /* of two signs */
        {"0015", "0000000000"},       /* with something behind it */
        {"0006", "000000"},           /* a decimal without its scale */
        {"00200009", "00000001"},     /* a list without its element */
        {"00200009", "7fffffff00000000"},
        {"00200009", "ffffffff"},
        {"00200009", "000000010000000400000001ff"},
        {"003100020009000d", "0000000400000001ffffffff00"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_buf type_bytes = {0}, bytes = {0}, out = {0};
        struct rf_cql_type type;
        read_type(bytes_of_hex(&type_bytes, rf_str_of(cases[i].type)), &type);
        rf_buf_add_byte(&out, 'x');
        assert_false(
            rf_cql_value_print(&out, &type, bytes_of_hex(&bytes, rf_str_of(cases[i].bytes))));
        assert_int_equal(out.size, 1);
        rf_buf_deinit(&type_bytes);
        rf_buf_deinit(&bytes);
        rf_buf_deinit(&out);
    }
    rf_arena_deinit(&arena);
}

static void test_values_within_values_are_refused_when_their_brackets_do_not_fit(void **state)
{
    (void)state;
    static const struct {
        const char *type, *text;
    } cases[] = {
        {"00200009", "[1, 2"},     {"00200009", "1, 2]"},
        {"00200009", "[1 2]"},     {"00200009", "[1] "},
        {"00200009", "{1}"},       {"0020000d", "['a]"},
        {"0020000d", "[a]"},       {"0021000d0009", "{'a': 1, 'b'}"},
        {"0021000d0009", "{'a'}"}, {"003100020009000d", "(1)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_buf type_bytes = {0}, out = {0};
        struct rf_cql_type type;
        read_type(bytes_of_hex(&type_bytes, rf_str_of(cases[i].type)), &type);
        if (rf_cql_value_read(&out, &type, rf_str_of(cases[i].text))) {
            fail_msg("read: %s", cases[i].text);
        }
        assert_int_equal(out.size, 0);
        rf_buf_deinit(&type_bytes);
        rf_buf_deinit(&out);
    }
    rf_arena_deinit(&arena);
}

static void test_types_print_as_cql_writes_them(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        {"0002", "bigint"},
        {"000d", "text"},
        {"0021000d0020000b", "map<text, list<timestamp>>"},
        {"0031000200220010000c", "tuple<set<inet>, uuid>"},
        {"000000046f72672e", "'org.'"},
        {"0000002c6f72672e6170616368652e63617373616e6472612e64622e6d61727368616c2e4475726174696f6e5"
         "479"
         "7065",
         "duration"},
        {"003000026b73000161000100016200090", "a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_buf bytes = {0}, out = {0};
        struct rf_cql_type type;
        read_type(bytes_of_hex(&bytes, rf_str_of(cases[i].bytes)), &type);
        rf_cql_type_print(&out, &type);
        assert_string_equal(rf_buf_cstr(&out), cases[i].text);
        rf_buf_deinit(&bytes);
        rf_buf_deinit(&out);
    }
    rf_arena_deinit(&arena);
    assert_int_equal(rf_cql_kind_of(RF_STR("varchar")), RF_CQL_TEXT);
    assert_int_equal(rf_cql_kind_of(RF_STR("list<int>")), RF_CQL_CUSTOM);
}

static void test_types_nested_too_deeply_are_refused(void **state)
{
    (void)state;
    struct rf_buf bytes = {0};
    struct rf_cql_type type;
    for (int i = 0; i < RF_CQL_DEPTH_MAX + 2; i++) {
        rf_buf_add(&bytes, "\0\x20", 2);
    }
    rf_buf_add(&bytes, "\0\x09", 2);
    struct rf_cursor cursor = rf_cursor_of(rf_buf_str(&bytes));
    rf_cql_type_read(&cursor, &arena, &type);
    assert_non_null(cursor.missing);
    rf_buf_deinit(&bytes);
    rf_arena_deinit(&arena);
}

static void test_days_go_forth_and_back_over_all_of_cqls_dates(void **state)
{
    (void)state;
    for (int64_t days = INT32_MIN; days <= INT32_MAX; days += 99991) {
        struct rf_date date = rf_date_of_days(days);
        assert_true(rf_date_is_real(date));
        assert_int_equal(rf_date_days(date), days);
    }
    assert_int_equal(rf_date_days((struct rf_date){1970, 1, 1}), 0);
    assert_int_equal(rf_date_days((struct rf_date){2000, 3, 1}), 11017);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_those_of_the_python_driver_both_ways),
        cmocka_unit_test(test_texts_of_other_forms_are_read_or_refused),
        cmocka_unit_test(test_bytes_that_are_none_of_the_type_are_refused),
        cmocka_unit_test(test_values_within_values_are_refused_when_their_brackets_do_not_fit),
        cmocka_unit_test(test_types_print_as_cql_writes_them),
        cmocka_unit_test(test_types_nested_too_deeply_are_refused),
        cmocka_unit_test(test_days_go_forth_and_back_over_all_of_cqls_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
