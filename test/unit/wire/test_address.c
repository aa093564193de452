#include "wire/address.h"

#include <rowferry/str.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/binlog.h"

/* The bytes, written as hex, in one of the three texts. */
static void expect_text(char *(*print)(char *, const uint8_t *), const char *hex,
                        const char *wanted)
{
    char text[RF_INET6_TEXT_MAX + 1];
    struct rf_buf bytes = {0};
    test_put_hex(&bytes, hex);
    char *end = print(text, (const uint8_t *)bytes.data);
    *end = '\0';
    assert_string_equal(text, wanted);
    rf_buf_deinit(&bytes);
}

static void test_uuids_are_groups_of_digits(void **state)
{
    (void)state;
    expect_text(rf_uuid_text, "12 3e 45 67 e8 9b 12 d3 a4 56 42 66 55 44 00 00",
                "123e4567-e89b-12d3-a456-426655440000");
    expect_text(rf_uuid_text, "ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff",
                "ffffffff-ffff-ffff-ffff-ffffffffffff");
}

static void test_inet4_has_four_numbers(void **state)
{
    (void)state;
    expect_text(rf_inet4_text, "00 00 00 00", "0.0.0.0");
    expect_text(rf_inet4_text, "01 0a 64 ff", "1.10.100.255");
    expect_text(rf_inet4_text, "ff ff ff ff", "255.255.255.255");
}

/* As MariaDB 10.11 shows them. */
static void test_inet6_is_shortened_as_the_server_does(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *text;
    } cases[] = {
        {"00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", "::"},
        {"00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01", "::1"},
        {"00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00", "1::"},
        {"20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01", "2001:db8::1"},
        {"20 01 0d b8 00 00 00 01 00 01 00 01 00 01 00 01", "2001:db8::1:1:1:1:1"},
        {"20 01 00 00 00 00 00 01 00 00 00 00 00 00 00 01", "2001:0:0:1::1"},
        {"20 01 00 00 00 00 00 01 00 00 00 00 00 01 00 01", "2001::1:0:0:1:1"},
        {"ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"00 00 00 00 00 00 00 00 00 00 ff ff 01 02 03 04", "::ffff:1.2.3.4"},
        {"00 00 00 00 00 00 00 00 00 00 00 00 01 02 03 04", "::1.2.3.4"},
        {"00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", "::0.1.0.0"},
        {"00 00 00 00 00 00 00 00 00 00 ff fe 01 02 03 04", "::fffe:102:304"},
        {"00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 00", "0:0:0:1::"},
        {"00 00 00 01 00 02 00 03 00 04 00 05 00 06 00 00", "::1:2:3:4:5:6:0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_text(rf_inet6_text, cases[i].hex, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uuids_are_groups_of_digits),
        cmocka_unit_test(test_inet4_has_four_numbers),
        cmocka_unit_test(test_inet6_is_shortened_as_the_server_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
