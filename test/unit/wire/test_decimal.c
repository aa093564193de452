#include "wire/decimal.h"

#include "event/digits.h"

#include <rowferry/str.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TEXT_MAX = RF_DECIMAL_PRECISION_MAX + RF_DECIMAL_TEXT_OVERHEAD, FAR = 32 };

static size_t put_group(uint8_t *out, const char *digits, size_t count)
{
    static const uint8_t sizes[10] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
    uint32_t number = 0;
    for (size_t i = 0; i < count; i++) {
        number = number * 10 + (uint32_t)(digits[i] - '0');
    }
    for (size_t i = 0; i < sizes[count]; i++) {
        out[i] = (uint8_t)(number >> (8 * (sizes[count] - 1 - i)));
    }
    return sizes[count];
}

/* The packed form of all digits, `whole` of them before the point, as the manual describes it. */
static size_t pack(uint8_t *out, const char *digits, size_t whole, size_t scale, bool negative)
{
    size_t size = put_group(out, digits, whole % 9);
    for (size_t at = whole % 9; at < whole; at += 9) {
        size += put_group(out + size, digits + at, 9);
    }
    for (size_t at = 0; at + 9 <= scale; at += 9) {
        size += put_group(out + size, digits + whole + at, 9);
    }
    size += put_group(out + size, digits + whole + scale - scale % 9, scale % 9);
    out[0] ^= 0x80;
    for (size_t i = 0; negative && i < size; i++) {
        out[i] = (uint8_t)~out[i];
    }
    return size;
}

/* What the server would show. */
static void show(struct rf_buf *out, const char *digits, size_t whole, size_t scale, bool negative)
{
    size_t skip = 0;
    rf_buf_reset(out);
    while (skip < whole && digits[skip] == '0') {
        skip++;
    }
    rf_buf_printf(out, "%s%.*s%s", negative ? "-" : "", (int)(whole - skip), digits + skip,
                  whole == skip ? "0" : "");
    if (scale > 0) {
        rf_buf_printf(out, ".%.*s", (int)scale, digits + whole);
    }
}

/* Checks one number in memory that ends with it, and in memory that goes on. */
static void check(const char *digits, size_t precision, size_t scale, bool negative)
{
    struct rf_buf wanted = {0};
    uint8_t packed[64] = {0};
    struct rf_decimal_shape shape = rf_decimal_shape((unsigned)precision, (unsigned)scale);
    size_t size = pack(packed, digits, precision - scale, scale, negative);
    show(&wanted, digits, precision - scale, scale, negative);
    assert_int_equal(rf_decimal_size(shape), size);
    for (size_t behind = 0; behind <= FAR; behind += FAR) {
        uint8_t *bytes = malloc(size + behind);
        char *text = malloc(precision + RF_DECIMAL_TEXT_OVERHEAD + RF_DIGITS_SLACK);
        memcpy(bytes, packed, size);
        memset(bytes + size, 0xa5, behind);
        char *end = rf_decimal_text(text, bytes, bytes + size + behind, shape);
        assert_non_null(end);
        if (!rf_str_equal((struct rf_str){text, (size_t)(end - text)}, rf_buf_str(&wanted))) {
            fail_msg("DECIMAL(%zu,%zu): %.*s, not %s", precision, scale, (int)(end - text), text,
                     rf_buf_cstr(&wanted));
        }
        free(text);
        free(bytes);
    }
    rf_buf_deinit(&wanted);
}

static void test_every_shape_of_decimal_prints_as_the_server_does(void **state)
{
    (void)state;
    srandom(1);
    for (size_t precision = 1; precision <= RF_DECIMAL_PRECISION_MAX; precision++) {
        for (size_t scale = 0; scale <= precision && scale <= RF_DECIMAL_SCALE_MAX; scale++) {
            char digits[RF_DECIMAL_PRECISION_MAX];
            for (int negative = 0; negative <= 1; negative++) {
                memset(digits, '0', precision);
                check(digits, precision, scale, negative);
                memset(digits, '9', precision);
                check(digits, precision, scale, negative);
                for (size_t at = 0; at < precision; at++) {
                    memset(digits, '0', precision);
                    digits[at] = (char)('1' + at % 9);
                    check(digits, precision, scale, negative);
                }
                for (int times = 0; times < 8; times++) {
                    size_t zeros = (size_t)random() % (precision + 1);
                    for (size_t at = 0; at < precision; at++) {
                        digits[at] = (char)('0' + (at < zeros ? 0 : random() % 10));
                    }
                    check(digits, precision, scale, negative);
                }
            }
        }
    }
}

static void test_known_bytes_of_a_server(void **state)
{
    (void)state;
    /* DECIMAL(14,4), 1234567890.1234 and its negative: the manual's own example. */
    static const uint8_t positive[] = {0x81, 0x0d, 0xfb, 0x38, 0xd2, 0x04, 0xd2};
    static const uint8_t negative[] = {0x7e, 0xf2, 0x04, 0xc7, 0x2d, 0xfb, 0x2d};
    struct rf_decimal_shape shape = rf_decimal_shape(14, 4);
    char text[TEXT_MAX + RF_DIGITS_SLACK];
    char *end = rf_decimal_text(text, positive, positive + sizeof positive, shape);
    assert_int_equal(end - text, 15);
    assert_memory_equal(text, "1234567890.1234", 15);
    end = rf_decimal_text(text, negative, negative + sizeof negative, shape);
    assert_int_equal(end - text, 16);
    assert_memory_equal(text, "-1234567890.1234", 16);
}

static void test_groups_with_more_than_their_digits_are_refused(void **state)
{
    (void)state;
    static const struct {
        unsigned precision, scale;
        uint8_t bytes[64];
    } cases[] = {
        {1, 0, {0x80 | 10}}, /* two digits where there is room for one */
        {2, 0, {0x80 | 100}},
        {9, 0, {0x80 | 0x3b, 0x9a, 0xca, 0x00}}, /* 10^9 in a group of nine */
        {10, 0, {0x81, 0x3b, 0x9a, 0xca, 0x00}},
        {10, 0, {0x8a, 0, 0, 0, 0}},
        {3, 2, {0x81, 100}},
        {2, 2, {0x80 | 100}},
        {9, 9, {0x80 | 0x3b, 0x9a, 0xca, 0x00}},
        {27, 0, {0x80, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}},
        {20, 18, {0x80, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_decimal_shape shape = rf_decimal_shape(cases[i].precision, cases[i].scale);
        char text[TEXT_MAX + RF_DIGITS_SLACK];
        const uint8_t *bytes = cases[i].bytes;
        assert_null(rf_decimal_text(text, bytes, bytes + sizeof cases[i].bytes, shape));
        assert_null(rf_decimal_text(text, bytes, bytes + rf_decimal_size(shape), shape));
    }
}

static void test_digits_are_those_of_printf(void **state)
{
    (void)state;
    char out[RF_DIGITS_MAX + 1 + RF_DIGITS_SLACK], wanted[32];
    uint64_t numbers[20 * 3 + 3] = {0, UINT64_MAX, 1};
    size_t count = 3;
    for (uint64_t power = 10; count + 3 <= sizeof numbers / sizeof *numbers; power *= 10) {
        numbers[count++] = power - 1;
        numbers[count++] = power;
        numbers[count++] = power + 1;
        if (power > UINT64_MAX / 10) {
            break;
        }
    }
    for (size_t i = 0; i < count; i++) {
        int size = snprintf(wanted, sizeof wanted, "%llu", (unsigned long long)numbers[i]);
        assert_int_equal(rf_digits_u64(out, numbers[i]) - out, size);
        assert_memory_equal(out, wanted, (size_t)size);
        size = snprintf(wanted, sizeof wanted, "%lld", (long long)numbers[i]);
        assert_int_equal(rf_digits_i64(out, (int64_t)numbers[i]) - out, size);
        assert_memory_equal(out, wanted, (size_t)size);
    }
    for (uint32_t number = 0; number < 100000000; number += 97 + number / 50) {
        snprintf(wanted, sizeof wanted, "%08u", number);
        rf_digits_eight(out, number);
        assert_memory_equal(out, wanted, 8);
        int size = snprintf(wanted, sizeof wanted, "%u", number);
        assert_int_equal(rf_digits_small(out, number) - out, size);
        assert_memory_equal(out, wanted, (size_t)size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_shape_of_decimal_prints_as_the_server_does),
        cmocka_unit_test(test_known_bytes_of_a_server),
        cmocka_unit_test(test_groups_with_more_than_their_digits_are_refused),
        cmocka_unit_test(test_digits_are_those_of_printf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
