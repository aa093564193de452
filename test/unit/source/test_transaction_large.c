/* Transactions that do not fit into the memory that they may have. */
#include "lib/reading.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Of rows whose table changes its shape, its number and its neighbours on the way. */
static void write_changing(struct rf_test_log *log, uint64_t sequence, unsigned events)
{
    rf_test_log_gtid(log, 0, sequence, 0);
    for (unsigned i = 0; i < events; i++) {
        unsigned columns = 2 + i / 10 % 5;
        rf_test_log_table(log, 20 + i / 7 % 3, "shop", i % 4 ? "t" : "u", columns, true);
        rf_test_log_table(log, 40, "shop", "other", 3, true);
        rf_test_log_insert(log, 20 + i / 7 % 3, columns, (int32_t)i * 100, 1 + i % 3, false);
        rf_test_log_insert(log, 40, 3, (int32_t)i, 1, true);
        if (i % 50 == 17) {
            rf_test_log_query(log, "shop", "CREATE TEMPORARY TABLE x (a INT)");
        }
    }
    rf_test_log_xid(log);
}

/* Whatever the limits of memory and batch are, the same comes out. */
static void test_the_limit_changes_nothing(void **context)
{
    static const size_t limits[] = {1, 200, 1000, 20000, 60000};
    static const size_t batches[] = {1, 1000, 1024 * 1024};
    struct rf_buf wanted = {0}, position = {0};
    (void)context;
    for (size_t i = 0; i <= sizeof limits / sizeof *limits; i++) {
        for (size_t k = 0; k < sizeof batches / sizeof *batches; k++) {
            struct rf_test_reading reading;
            rf_test_reading_memory_max = i == 0 ? 0 : limits[i - 1];
            rf_test_reading_begin(&reading, "-shop.other", "");
            reading.batch.bytes_max = batches[k];
            rf_test_log_row(&reading.log, 1, "shop", "t", 1);
            write_changing(&reading.log, 2, 700);
            write_changing(&reading.log, 3, 3);
            write_changing(&reading.log, 4, 300);
            assert_int_equal(rf_test_reading_all(&reading), RF_AGAIN);
            if (wanted.size == 0) {
                rf_buf_set(&wanted, rf_buf_str(&reading.text));
                rf_buf_set(&position, rf_buf_str(&reading.position));
            }
            assert_true(wanted.size > 50000);
            assert_string_equal(rf_buf_cstr(&reading.text), rf_buf_cstr(&wanted));
            assert_string_equal(rf_buf_cstr(&reading.position), rf_buf_cstr(&position));
            assert_int_equal(reading.skipped, 1003);
            assert_int_equal(reading.assembly.records.spill.file, 0);
            rf_test_reading_end(&reading);
        }
    }
    rf_test_reading_memory_max = 0;
    rf_buf_deinit(&wanted);
    rf_buf_deinit(&position);
}

static void test_rows_that_nobody_picked_are_kept_nowhere(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_memory_max = 1;
    rf_test_reading_begin(&reading, "none.such", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    for (unsigned i = 0; i < 100; i++) {
        rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
        rf_test_log_insert(&reading.log, 20, 2, 1, 100, true);
    }
    assert_int_equal(rf_test_reading_all(&reading), RF_AGAIN);
    assert_int_equal(reading.assembly.records.bytes, 0);
    assert_int_equal(reading.assembly.records.spill.file, 0);
    rf_test_log_xid(&reading.log);
    rf_test_reading_expect(&reading, "");
    rf_test_reading_memory_max = 0;
    rf_test_reading_end(&reading);
}

static void begin_large(struct rf_test_reading *reading, const char *directory)
{
    rf_test_reading_memory_max = 2000;
    rf_test_reading_begin(reading, "", "");
    rf_test_reading_memory_max = 0;
    reading->assembly.records.spill.directory = directory;
    rf_test_log_row(&reading->log, 1, "shop", "t", 1);
    assert_int_equal(rf_test_reading_all(reading), RF_AGAIN);
    rf_test_log_gtid(&reading->log, 0, 2, 0);
    for (unsigned i = 0; i < 200; i++) {
        rf_test_log_table(&reading->log, 20, "shop", "t", 2, true);
        rf_test_log_insert(&reading->log, 20, 2, (int32_t)i, 3, true);
    }
}

static void test_a_large_transaction_without_its_end_leaves_nothing(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    begin_large(&reading, NULL);
    assert_int_equal(rf_test_reading_all(&reading), RF_AGAIN);
    int fd = reading.assembly.records.spill.file - 1;
    assert_true(fd >= 0 && reading.assembly.records.spill.size > 10000);
    rf_test_log_rotate(&reading.log, "bin.000002");
    rf_test_log_row(&reading.log, 2, "shop", "t", 5);
    rf_test_reading_expect(&reading,
                           RF_TEST_ONE_ROW "begin 0-1-2\n2.0 create shop.t 5|6\nend 0-1-2\n");
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    rf_test_reading_end(&reading);
    /* And neither does one that is interrupted. */
    begin_large(&reading, NULL);
    assert_int_equal(rf_test_reading_all(&reading), RF_AGAIN);
    fd = reading.assembly.records.spill.file - 1;
    rf_test_reading_end(&reading);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void test_without_room_it_is_tried_again_and_says_for_what(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    begin_large(&reading, "/nowhere/at/all");
    rf_test_log_xid(&reading.log);
    rf_test_reading_expect_stop(&reading, RF_RETRY, "GTID 0-1-2", RF_TEST_ONE_ROW);
    assert_non_null(strstr(reading.err.message, "/nowhere/at/all"));
    assert_non_null(strstr(reading.err.hint, "--spill-dir"));
    assert_null(strstr(reading.err.hint, "skip="));
    rf_test_reading_end(&reading);
}

/* One byte of the file is another when it is read back: nothing of that chunk leaves, and the
 * position stays in front of the transaction. */
static void test_damage_on_disk_is_never_handed_over(void **context)
{
    struct rf_buf whole = {0};
    struct rf_test_reading reading;
    uint64_t size = 0;
    (void)context;
    begin_large(&reading, NULL);
    assert_int_equal(rf_test_reading_all(&reading), RF_AGAIN);
    size = reading.assembly.records.spill.size;
    rf_test_log_xid(&reading.log);
    assert_int_equal(rf_test_reading_all(&reading), RF_AGAIN);
    rf_buf_set(&whole, rf_buf_str(&reading.text));
    rf_test_reading_end(&reading);
    assert_true(size > 10000);
    for (uint64_t offset = 0; offset < size; offset += 131) {
        char byte;
        begin_large(&reading, NULL);
        reading.batch.bytes_max = 1;
        assert_int_equal(rf_test_reading_all(&reading), RF_AGAIN);
        int fd = reading.assembly.records.spill.file - 1;
        assert_int_equal(pread(fd, &byte, 1, (off_t)offset), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
        rf_test_log_xid(&reading.log);
        assert_int_equal(rf_test_reading_all(&reading), RF_RETRY);
        assert_non_null(strstr(reading.err.message, "could not be read back"));
        assert_true(reading.text.size < whole.size);
        assert_memory_equal(reading.text.data, whole.data, reading.text.size);
        assert_non_null(strstr(rf_buf_cstr(&reading.position), "last=0-1-1"));
        rf_test_reading_end(&reading);
    }
    rf_buf_deinit(&whole);
}

/* As it was before there was a file: more than 64 MiB, in the memory that is usual. */
static void test_a_hundred_megabytes_take_no_more_memory_than_the_limit(void **context)
{
    enum { EVENTS = 130, ROWS = 100000, EVENT_BYTES = 900 * 1000 };
    struct rf_test_reading reading;
    struct rf_records *records = &reading.assembly.records;
    uint64_t rows = 0;
    bool ended = false;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, ROWS, false);
    assert_int_equal(rf_test_reading_all(&reading), RF_AGAIN);
    struct rf_str event = rf_test_log_last(&reading.log);
    assert_in_range(event.size, EVENT_BYTES - 100, EVENT_BYTES + 100);
    for (int i = 1; i < EVENTS; i++) {
        assert_int_equal(rf_assembly_take(&reading.assembly, event, 0, NULL), RF_OK);
        assert_true(records->bytes - records->spilled <= RF_RECORDS_MEMORY_MAX);
    }
    assert_true(records->bytes > 100 * 1000 * 1000);
    assert_true(records->spilled <= records->spill.size);
    rf_test_log_xid(&reading.log);
    while (!ended) {
        assert_int_equal(rf_test_reading_one(&reading), RF_OK);
        assert_int_equal(reading.batch.transaction_count, 1);
        assert_true(reading.batch.transactions[0].begins == (rows == 0));
        ended = reading.batch.transactions[0].ends;
        assert_true((reading.batch.position.size > 0) == ended);
        rows += reading.batch.count;
    }
    assert_int_equal(rows, EVENTS * ROWS);
    rf_test_reading_end(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_limit_changes_nothing),
        cmocka_unit_test(test_rows_that_nobody_picked_are_kept_nowhere),
        cmocka_unit_test(test_a_large_transaction_without_its_end_leaves_nothing),
        cmocka_unit_test(test_without_room_it_is_tried_again_and_says_for_what),
        cmocka_unit_test(test_damage_on_disk_is_never_handed_over),
        cmocka_unit_test(test_a_hundred_megabytes_take_no_more_memory_than_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
