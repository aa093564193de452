/* Numbers out of bytes, against the plain way to make them, byte by byte. */

#include "base/load.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const uint8_t bytes[] = {0xf1, 0x02, 0xe3, 0x04, 0xd5, 0x06, 0xc7, 0x08, 0xb9, 0x0a};

static void test_numbers_of_any_size_have_all_their_bytes_and_no_others(void **state)
{
    (void)state;
    for (size_t from = 0; from < 2; from++) {
        for (size_t size = 0; size <= 8; size++) {
            uint64_t low = 0, high = 0;
            for (size_t i = 0; i < size; i++) {
                low |= (uint64_t)bytes[from + i] << (8 * i);
                high = high << 8 | bytes[from + i];
            }
            assert_int_equal(rf_load_sized(bytes + from, size), low);
            assert_int_equal(rf_load_sized_be(bytes + from, size), high);
        }
    }
}

static void test_numbers_of_a_width_are_their_bytes(void **state)
{
    (void)state;
    assert_int_equal(rf_load_16(bytes + 1), 0xe302);
    assert_int_equal(rf_load_32(bytes + 1), 0xd504e302);
    assert_int_equal(rf_load_32_be(bytes + 1), 0x02e304d5);
    assert_int_equal(rf_load_64(bytes + 1), 0xb908c706d504e302);
}

/* ASan sees whether a byte before or behind the number is read. */
static void test_nothing_beside_the_number_is_read(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 8; size++) {
        uint8_t *exact = malloc(size + (size == 0));
        memcpy(exact, bytes, size);
        uint64_t expected = rf_load_sized(bytes, size);
        assert_int_equal(rf_load_sized(exact, size), expected);
        expected = rf_load_sized_be(bytes, size);
        assert_int_equal(rf_load_sized_be(exact, size), expected);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_of_any_size_have_all_their_bytes_and_no_others),
        cmocka_unit_test(test_numbers_of_a_width_are_their_bytes),
        cmocka_unit_test(test_nothing_beside_the_number_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
