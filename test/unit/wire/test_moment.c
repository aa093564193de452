#include "wire/moment.h"

#include "lib/binlog.h"

#include <rowferry/event.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

typedef bool decoder(const uint8_t *at, unsigned width, unsigned scale, struct rf_value *value);

/* NULL: the bytes are no value. The text is that of MariaDB 10.11, which the bytes are of, too. */
static void expect(decoder *decode, unsigned scale, const char *hex, const char *wanted)
{
    struct rf_buf bytes = {0}, text = {0};
    struct rf_value value;
    test_put_hex(&bytes, hex);
    bool good = decode((const uint8_t *)bytes.data, (unsigned)bytes.size, scale, &value);
    assert_int_equal(good, wanted != NULL);
    if (wanted != NULL) {
        assert_int_equal(value.scale, scale);
        rf_value_print(&text, value);
        assert_string_equal(rf_buf_cstr(&text), wanted);
    }
    rf_buf_deinit(&bytes);
    rf_buf_deinit(&text);
}

static void test_timestamps_of_old(void **state)
{
    (void)state;
    expect(rf_moment_old_timestamp, 0, "00 00 00 00", "0000-00-00 00:00:00");
    expect(rf_moment_old_timestamp, 0, "c0 71 e0 65", "2024-02-29 12:00:00");
    expect(rf_moment_old_timestamp, 1, "65 e0 71 c0 09", "2024-02-29 12:00:00.9");
    expect(rf_moment_old_timestamp, 3, "65 e0 71 c0 00 7b", "2024-02-29 12:00:00.123");
    expect(rf_moment_old_timestamp, 6, "7f ff ff ff 0f 42 3f", "2038-01-19 03:14:07.999999");
    expect(rf_moment_old_timestamp, 1, "65 e0 71 c0 0a", NULL);
    expect(rf_moment_old_timestamp, 6, "65 e0 71 c0 0f 42 40", NULL);
}

static void test_times_of_old(void **state)
{
    (void)state;
    expect(rf_moment_old_time, 0, "00 00 00", "00:00:00");
    expect(rf_moment_old_time, 0, "c0 1d fe", "-12:34:56");
    expect(rf_moment_old_time, 0, "a7 f5 7f", "838:59:59");
    expect(rf_moment_old_time, 0, "59 0a 80", "-838:59:59");
    expect(rf_moment_old_time, 0, "60 00 00", NULL); /* 96 seconds */
    expect(rf_moment_old_time, 0, "80 25 00", NULL); /* 96 minutes */
    expect(rf_moment_old_time, 0, "ff ff 7f", NULL);
    /* 3,020,400 seconds come to 838:59:59 and one. */
    expect(rf_moment_old_time, 1, "01 cc e0 60", "00:00:00.0");
    expect(rf_moment_old_time, 1, "01 cc e0 5f", "-00:00:00.1");
    expect(rf_moment_old_time, 1, "00 00 00 01", "-838:59:59.9");
    expect(rf_moment_old_time, 1, "03 99 c0 bf", "838:59:59.9");
    expect(rf_moment_old_time, 1, "00 00 00 00", NULL);
    expect(rf_moment_old_time, 1, "03 99 c0 c0", NULL);
    expect(rf_moment_old_time, 6, "02 bf 3d de 7c 01", "00:00:00.000001");
}

static void test_datetimes_of_old(void **state)
{
    (void)state;
    expect(rf_moment_old_datetime, 0, "00 00 00 00 00 00 00 00", "0000-00-00 00:00:00");
    expect(rf_moment_old_datetime, 0, "00 b8 aa 8b 68 12 00 00", "2024-02-29 12:00:00");
    expect(rf_moment_old_datetime, 0, "77 87 d1 05 f1 5a 00 00", "9999-12-31 23:59:59");
    expect(rf_moment_old_datetime, 0, "78 87 d1 05 f1 5a 00 00", NULL); /* second 60 */
    expect(rf_moment_old_datetime, 0, "ff ff ff ff ff ff ff ff", NULL);
    expect(rf_moment_old_datetime, 1, "00 00 00 00 00 00", "0000-00-00 00:00:00.0");
    expect(rf_moment_old_datetime, 1, "00 00 00 00 00 01", "0000-00-00 00:00:00.1");
    expect(rf_moment_old_datetime, 6, "00 00 00 00 00 0f 42 40", "0000-00-00 00:00:01.000000");
    expect(rf_moment_old_datetime, 6, "ff ff ff ff ff ff ff ff", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timestamps_of_old),
        cmocka_unit_test(test_times_of_old),
        cmocka_unit_test(test_datetimes_of_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
