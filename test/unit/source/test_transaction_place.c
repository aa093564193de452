#include "lib/reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_a_resume_compares_the_last_transaction_and_goes_on_behind_it(void **context)
{
    struct rf_test_reading first, second;
    (void)context;
    rf_test_reading_begin(&first, "", "");
    rf_test_log_row(&first.log, 1, "shop", "t", 1);
    size_t at = first.log.log.size;
    rf_test_log_row(&first.log, 2, "shop", "t", 3);
    assert_int_equal(rf_test_reading_all(&first), RF_AGAIN);
    rf_test_log_row(&first.log, 3, "shop", "t", 5);

    rf_test_reading_resume(&second, &first, at);
    rf_test_reading_expect(&second, "begin 0-1-3\n2.0 create shop.t 5|6\nend 0-1-3\n");
    assert_int_equal(second.assembly.mode, RF_ASSEMBLY_TAKE);
    rf_test_reading_end(&second);
    rf_test_reading_end(&first);
}

static void test_a_resume_in_another_log_stops(void **context)
{
    static const char *const differences[] = {"sequence", "time", "end", "created",
                                              "another transaction in that second"};
    (void)context;
    for (int i = 0; i < 5; i++) {
        struct rf_test_reading first, second;
        rf_test_reading_begin(&first, "", "");
        size_t at = first.log.log.size;
        rf_test_log_row(&first.log, 2, "shop", "t", 3);
        assert_int_equal(rf_test_reading_all(&first), RF_AGAIN);
        struct rf_buf position = first.position;
        first.position = (struct rf_buf){0};
        rf_test_reading_end(&first);

        rf_test_reading_begin(&first, "", "");
        first.log.time = i == 1 ? 1700000001 : 0;
        first.log.xid = i == 4 ? 8 : 0;
        rf_test_log_row(&first.log, i == 0 ? 3 : 2, "shop", i == 2 ? "tt" : "t", 3);
        rf_buf_deinit(&first.position);
        first.position = position;
        rf_test_reading_resume(&second, &first, at);
        second.assembly.must_created = 0;
        if (i == 3) {
            rf_test_reading_end(&second);
            rf_test_reading_resume(&second, &first, 0);
            struct rf_str event;
            size_t again = 0;
            assert_true(rf_test_log_next(&second.log, &again, &event));
            second.assembly.must_created = 1600000000;
            assert_int_equal(rf_assembly_take(&second.assembly, event, 0, &second.err), RF_FATAL);
        } else {
            assert_int_equal(rf_test_reading_all(&second), RF_FATAL);
        }
        if (second.err.hint[0] == '\0' || second.text.size > 0) {
            fail_msg("%s: %s", differences[i], second.err.message);
        }
        rf_test_reading_end(&second);
        rf_test_reading_end(&first);
    }
}

static void test_what_the_position_contains_is_skipped(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "0-1-1");
    reading.assembly.adopts_list = false;
    reading.assembly.mode = RF_ASSEMBLY_SKIP;
    assert_int_equal(
        rf_gtid_list_parse(&reading.assembly.position.gtids.list, RF_STR("0-1-3,1-1-1"), NULL),
        RF_OK);
    for (unsigned i = 2; i <= 5; i++) {
        rf_test_log_row(&reading.log, i, "shop", "t", (int32_t)i);
    }
    rf_test_reading_expect(&reading, "begin 0-1-4\n2.0 create shop.t 4|5\nend 0-1-4\n"
                                     "begin 0-1-5\n2.0 create shop.t 5|6\nend 0-1-5\n");
    rf_test_log_row(&reading.log, 5, "shop", "t", 9);
    assert_int_equal(rf_test_reading_all(&reading), RF_FATAL);
    assert_non_null(strstr(reading.err.message, "out of order"));
    rf_test_reading_end(&reading);
}

static void test_advancing_moves_the_position_and_hands_nothing_over(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    reading.assembly.mode = RF_ASSEMBLY_ADVANCE;
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    rf_test_reading_expect(&reading, "");
    assert_int_equal(reading.assembly.position.gtids.list.count, 1);
    reading.assembly.mode = RF_ASSEMBLY_TAKE;
    rf_test_log_row(&reading.log, 2, "shop", "t", 3);
    rf_test_reading_expect(&reading, "begin 0-1-2\n2.0 create shop.t 3|4\nend 0-1-2\n");
    rf_test_reading_end(&reading);
}

static void test_offsets_above_4_gib_are_counted(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_reading_expect(&reading, "");
    reading.assembly.next = 0xffffff00;
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    rf_test_reading_expect(&reading, RF_TEST_ONE_ROW);
    struct rf_position position = {0};
    assert_int_equal(rf_position_parse(&position, rf_buf_str(&reading.position), NULL), RF_OK);
    assert_true(position.end == ((uint64_t)1 << 32) + reading.log.log.size);
    assert_true(position.start > (uint64_t)1 << 32);
    rf_position_deinit(&position);
    rf_test_reading_end(&reading);
}

/* As if the file had `more` bytes in front; events have only 32 bits of their place. */
static void shift(struct rf_test_reading *reading, uint32_t more)
{
    enum { END_AT = 13 };
    for (size_t at = reading->at, next = at;; at = next) {
        struct rf_str event;
        uint32_t place = 0;
        if (!rf_test_log_next(&reading->log, &next, &event)) {
            return;
        }
        char *bytes = reading->log.log.data + (next - event.size);
        for (int i = 3; i >= 0; i--) {
            place = place << 8 | (unsigned char)bytes[END_AT + i];
        }
        place += more;
        for (int i = 0; i < 4; i++) {
            bytes[END_AT + i] = (char)(place >> (8 * i));
        }
        rf_test_log_seal(&reading->log, next - event.size);
    }
}

static void test_offsets_wrap_at_any_byte(void **context)
{
    static const uint64_t gib4 = (uint64_t)1 << 32;
    (void)context;
    for (uint64_t before = 0; before < 400; before++) {
        struct rf_test_reading reading;
        struct rf_position position = {0};
        rf_test_reading_begin(&reading, "", "");
        rf_test_reading_expect(&reading, "");
        size_t head = reading.log.log.size, begins[3];
        for (unsigned i = 0; i < 3; i++) {
            begins[i] = reading.log.log.size;
            rf_test_log_row(&reading.log, i + 1, "shop", "t", 1);
        }
        uint64_t more = 3 * gib4 - head - before;
        shift(&reading, (uint32_t)more);
        reading.assembly.next = head + more;
        assert_int_equal(rf_test_reading_all(&reading), RF_AGAIN);
        assert_int_equal(rf_position_parse(&position, rf_buf_str(&reading.position), NULL), RF_OK);
        assert_true(position.end == reading.log.log.size + more);
        assert_true(position.start == begins[2] + more);
        rf_position_deinit(&position);
        rf_test_reading_end(&reading);
    }
}

static void test_a_place_that_is_not_known_is_not_written(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_reading_expect(&reading, "");
    reading.assembly.adrift = true;
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    assert_int_equal(rf_test_reading_all(&reading), RF_AGAIN);
    assert_string_equal(rf_buf_cstr(&reading.position), "mariadb:gtid=0-1-1;server=1");
    /* It goes on with the next file, whose top is known. */
    rf_test_log_rotate(&reading.log, "bin.000002");
    rf_test_log_row(&reading.log, 2, "shop", "t", 1);
    assert_int_equal(rf_test_reading_all(&reading), RF_AGAIN);
    assert_non_null(strstr(rf_buf_cstr(&reading.position), "gtid=0-1-2;file=bin.000002;start="));
    rf_test_reading_end(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_resume_compares_the_last_transaction_and_goes_on_behind_it),
        cmocka_unit_test(test_a_resume_in_another_log_stops),
        cmocka_unit_test(test_what_the_position_contains_is_skipped),
        cmocka_unit_test(test_advancing_moves_the_position_and_hands_nothing_over),
        cmocka_unit_test(test_offsets_above_4_gib_are_counted),
        cmocka_unit_test(test_offsets_wrap_at_any_byte),
        cmocka_unit_test(test_a_place_that_is_not_known_is_not_written),
    };
    int failed = cmocka_run_group_tests_name("in memory", tests, NULL, NULL);
    rf_test_reading_memory_max = 300;
    return failed + cmocka_run_group_tests_name("in a file", tests, NULL, NULL);
}
