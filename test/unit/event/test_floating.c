#include "event/floating.h"

#include "event/powers.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))

static const char *text_of(double number)
{
    static char text[RF_FLOATING_MAX + 1];
    memset(text, '#', sizeof text);
    *rf_floating_double(text, number) = '\0';
    return text;
}

static const char *text_of_float(float number)
{
    static char text[RF_FLOATING_MAX + 1];
    memset(text, '#', sizeof text);
    *rf_floating_float(text, number) = '\0';
    return text;
}

static void test_doubles_have_their_shortest_text(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0.0, "0"},
        {-0.0, "-0"},
        {1.0, "1"},
        {-12.0, "-12"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {2.0 / 3, "0.6666666666666666"},
        {19.99, "19.99"},
        {100.5, "100.5"},
        {123456789.123456789, "123456789.12345679"},
        {999999999999999.0, "999999999999999"},
        {1e15, "1e+15"},
        {1234567890123456.0, "1234567890123456"},
        {12345678901234568.0, "12345678901234568"},
        {123456789012345680.0, "1.2345678901234568e+17"},
        {9007199254740993.0, "9007199254740992"},
        {1e20, "1e+20"},
        {1e21, "1e+21"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {9.5e-3, "0.0095"},
        {1e-4, "0.0001"},
        {1.5e-5, "1.5e-05"},
        {1e-7, "1e-07"},
        {1e100, "1e+100"},
        {1.5e-100, "1.5e-100"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {-DBL_MAX, "-1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {0x1p-1074, "5e-324"},
        {0x0.fffffffffffffp-1022, "2.225073858507201e-308"},
        {0x1p-1073, "1e-323"},
        {0x1p52, "4503599627370496"},
        {0x1p60, "1.152921504606847e+18"},
        {0x1p-30, "9.313225746154785e-10"},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        assert_string_equal(text_of(cases[i].number), cases[i].text);
    }
}

static void test_floats_have_their_shortest_text(void **state)
{
    (void)state;
    static const struct {
        float number;
        const char *text;
    } cases[] = {
        {0.0f, "0"},
        {-0.0f, "-0"},
        {0.1f, "0.1"},
        {-1.5f, "-1.5"},
        {0.33333333f, "0.33333334"},
        {16777216.0f, "16777216"},
        {102389912.0f, "102389912"}, /* 102389910 would do, but is not the number */
        {1e9f, "1e+09"},
        {1e10f, "1e+10"},
        {123456.79f, "123456.79"},
        {1e-4f, "0.0001"},
        {1e-5f, "1e-05"},
        {FLT_MAX, "3.4028235e+38"},
        {FLT_MIN, "1.1754944e-38"},
        {0x1p-149f, "1e-45"},
        {0x1p-148f, "3e-45"},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        assert_string_equal(text_of_float(cases[i].number), cases[i].text);
    }
}

static unsigned digits_of(const char *text)
{
    unsigned count = 0, zeros = 0;
    for (bool leading = true; *text != '\0' && *text != 'e'; text++) {
        if (*text >= '0' && *text <= '9') {
            leading = leading && *text == '0';
            zeros = *text == '0' ? zeros + 1 : 0;
            count += !leading;
        }
    }
    return count > zeros ? count - zeros : 1;
}

/* No text with one digit less reads back equal, and this one does. */
static void check_double(double number)
{
    char less[64];
    const char *text = text_of(number);
    if (strtod(text, NULL) != number) {
        fail_msg("%a became %s", number, text);
    }
    unsigned digits = digits_of(text);
    if (digits > 1) {
        snprintf(less, sizeof less, "%.*e", (int)digits - 2, number);
        if (strtod(less, NULL) == number) {
            fail_msg("%a became %s, and %s is shorter", number, text, less);
        }
    }
}

static void test_random_doubles_read_back_equal_and_no_shorter_text_does(void **state)
{
    (void)state;
    srandom(1);
    for (int i = 0; i < 60000; i++) {
        uint64_t bits = (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
        double number;
        if (i % 3 == 1) {
            bits &= ~(UINT64_MAX >> 12); /* powers of two: the interval is lopsided */
            bits |= (uint64_t)random() % 3;
        }
        memcpy(&number, &bits, sizeof number);
        if (i % 3 == 2) {
            number = (double)random() / (double)(1 + random() % 100000);
        }
        if (isfinite(number) && number != 0) {
            check_double(number);
        }
    }
}

static void test_random_floats_read_back_equal(void **state)
{
    (void)state;
    srandom(1);
    for (int i = 0; i < 60000; i++) {
        uint32_t bits = (uint32_t)random() << 1 ^ (uint32_t)random();
        float number;
        bits = i % 2 ? bits : bits & 0xff800000;
        memcpy(&number, &bits, sizeof number);
        if (isfinite(number) && strtof(text_of_float(number), NULL) != number) {
            fail_msg("%a became %s", (double)number, text_of_float(number));
        }
    }
}

static void test_the_table_of_powers_is_exact_where_it_can_be(void **state)
{
    (void)state;
    unsigned __int128 number = 1;
    for (int power = 0; power <= 38; power++, number *= 10) {
        unsigned __int128 shifted = number;
        while (shifted >> 127 == 0) {
            shifted <<= 1;
        }
        struct rf_power entry = rf_powers[power - RF_POWER_FIRST];
        assert_true(entry.high == (uint64_t)(shifted >> 64) && entry.low == (uint64_t)shifted);
    }
    for (int power = RF_POWER_FIRST; power <= RF_POWER_LAST; power++) {
        assert_true(rf_powers[power - RF_POWER_FIRST].high >> 63 == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doubles_have_their_shortest_text),
        cmocka_unit_test(test_floats_have_their_shortest_text),
        cmocka_unit_test(test_random_doubles_read_back_equal_and_no_shorter_text_does),
        cmocka_unit_test(test_random_floats_read_back_equal),
        cmocka_unit_test(test_the_table_of_powers_is_exact_where_it_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
