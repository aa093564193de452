#include "lib/reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_a_transaction_without_its_end_is_dropped(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    rf_test_log_rotate(&reading.log, "bin.000002");
    rf_test_log_row(&reading.log, 2, "shop", "t", 5);
    rf_test_reading_expect(&reading, "begin 0-1-2\n2.0 create shop.t 5|6\nend 0-1-2\n");
    rf_test_reading_end(&reading);
}

static void test_transactions_that_are_not_carried_stop_by_name(void **context)
{
    static const struct {
        uint8_t flags;
        const char *first, *second, *message;
    } cases[] = {
        {RF_TEST_PREPARED_XA, NULL, NULL, "ends without XA PREPARE"},
        {RF_TEST_COMPLETED_XA, NULL, NULL, "ends without XA COMMIT"},
        {0, "XA END X'61',X'',1", NULL, "ends without XA PREPARE"},
        {0, "XA COMMIT X'61',X'',1", NULL, "rows in front of an XA COMMIT"},
        {0, "ROLLBACK", NULL, "ROLLBACK"},
        {0, "ROLLBACK TO `s`", NULL, "ROLLBACK TO"},
        {0, "INSERT INTO t VALUES (1)", NULL, "INSERT INTO t VALUES (1)"},
        {0, "SAVEPOINT s", "FROBNICATE t\nnow", "FROBNICATE t now"},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_test_reading reading;
        rf_test_reading_begin(&reading, "", "");
        rf_test_log_row(&reading.log, 1, "shop", "t", 1);
        rf_test_log_gtid(&reading.log, 0, 2, cases[i].flags);
        rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
        rf_test_log_insert(&reading.log, 20, 2, 9, 1, true);
        if (cases[i].first != NULL) {
            rf_test_log_query(&reading.log, "shop", cases[i].first);
        }
        if (cases[i].second != NULL) {
            rf_test_log_query(&reading.log, "shop", cases[i].second);
        }
        rf_test_log_xid(&reading.log);
        rf_test_reading_expect_stop(&reading, RF_FATAL, cases[i].message, RF_TEST_ONE_ROW);
        assert_non_null(strstr(reading.err.message, "GTID 0-1-2"));
        rf_test_reading_end(&reading);
    }
}

static void test_rolled_back_rows_that_nobody_picked_are_no_trouble(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "shop.t", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 21, "shop", "u", 2, true);
    rf_test_log_insert(&reading.log, 21, 2, 9, 1, true);
    rf_test_log_query(&reading.log, "shop", "SAVEPOINT s");
    rf_test_log_query(&reading.log, "shop", "ROLLBACK TO s");
    rf_test_log_query(&reading.log, "shop", "ROLLBACK");
    rf_test_log_row(&reading.log, 2, "shop", "t", 1);
    rf_test_reading_expect(&reading, "begin 0-1-2\n2.0 create shop.t 1|2\nend 0-1-2\n");
    rf_test_reading_end(&reading);
}

static void test_rolling_back_to_a_savepoint_without_rows_behind_it_is_no_trouble(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    rf_test_log_query(&reading.log, "shop", "SAVEPOINT s");
    rf_test_log_query(&reading.log, "shop", "ROLLBACK TO s");
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 3, 1, true);
    rf_test_log_xid(&reading.log);
    rf_test_reading_expect(
        &reading, "begin 0-1-1\n2.0 create shop.t 1|2\n6.0 create shop.t 3|4\nend 0-1-1\n");
    rf_test_reading_end(&reading);
}

static void test_events_that_are_not_carried_stop_by_name(void **context)
{
    static const struct {
        uint8_t type;
        const char *message;
    } cases[] = {
        {5, "INTVAR"}, {13, "RAND"},         {14, "USER_VAR"},   {17, "LOAD"},
        {18, "LOAD"},  {26, "hole"},         {38, "XA"},         {33, "MySQL"},
        {40, "MySQL"}, {39, "no TABLE_MAP"}, {164, "encrypted"}, {165, "damaged QUERY"},
        {200, "200"},  {255, "255"},
    };
    static const char body[] = "\x01\x00\x04lost events and more";
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_test_reading reading;
        rf_test_reading_begin(&reading, "none.such", "");
        rf_test_log_gtid(&reading.log, 0, 1, 0);
        rf_test_log_event(&reading.log, cases[i].type, 0, body, sizeof body);
        rf_test_log_xid(&reading.log);
        rf_test_reading_expect_stop(&reading, RF_FATAL, cases[i].message, "");
        rf_test_reading_end(&reading);
    }
}

/* A row (1, 2), packed by zlib without making it smaller; a spoiled one stops only when its table
 * is picked. */
static void test_compressed_rows_are_read_when_they_are_picked(void **context)
{
    static const unsigned char body[] = {0x14, 0x0,  0x0, 0x0, 0x0, 0x0, 0x1,  0x0,  0x2, 0x3, 0x81,
                                         0x9,  0x78, 0x1, 0x1, 0x9, 0x0, 0xf6, 0xff, 0x0, 0x1, 0x0,
                                         0x0,  0x0,  0x2, 0x0, 0x0, 0x0, 0x0,  0x19, 0x0, 0x4};
    (void)context;
    for (int i = 0; i < 4; i++) {
        struct rf_test_reading reading;
        bool picked = i % 2 != 0, spoiled = i / 2 != 0;
        unsigned char copy[sizeof body];
        memcpy(copy, body, sizeof body);
        copy[sizeof body - 1] ^= spoiled;
        rf_test_reading_begin(&reading, picked ? "shop.t" : "other.t", "");
        reading.compressed = true;
        rf_test_log_gtid(&reading.log, 0, 1, 0);
        rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
        rf_test_log_event(&reading.log, 166, 0, copy, sizeof copy);
        rf_test_log_xid(&reading.log);
        if (picked && spoiled) {
            rf_test_reading_expect_stop(&reading, RF_FATAL, "WRITE_ROWS_COMPRESSED_V1", "");
        } else {
            rf_test_reading_expect(&reading, picked ? RF_TEST_ONE_ROW : "");
            assert_int_equal(reading.skipped, !picked);
        }
        rf_test_reading_end(&reading);
    }
}

static void test_gtids_that_do_not_grow_stop(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "0-1-9,1-1-9");
    rf_test_log_gtid(&reading.log, 2, 1, RF_TEST_STANDALONE);
    rf_test_log_query(&reading.log, "shop", "FLUSH TABLES");
    rf_test_log_gtid(&reading.log, 1, 9, RF_TEST_STANDALONE);
    rf_test_log_query(&reading.log, "shop", "FLUSH TABLES");
    rf_test_reading_expect_stop(&reading, RF_FATAL, "out of order",
                                "begin 2-1-1\n1.0 ddl shop/ FLUSH TABLES\nend 2-1-1\n");
    rf_test_reading_end(&reading);
}

static void test_events_outside_of_a_transaction_stop(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_reading_expect_stop(&reading, RF_FATAL, "without a GTID", RF_TEST_ONE_ROW);
    rf_test_reading_end(&reading);

    rf_test_reading_begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_gtid(&reading.log, 0, 2, 0);
    rf_test_reading_expect_stop(&reading, RF_FATAL, "before this one has ended", "");
    rf_test_reading_end(&reading);
}

static void test_a_gap_between_files_stops(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "0-1-3");
    rf_test_log_row(&reading.log, 4, "shop", "t", 1);
    rf_test_log_rotate(&reading.log, "bin.000001");
    rf_test_log_gtid_list(&reading.log, "0-1-4");
    rf_test_log_row(&reading.log, 5, "shop", "t", 3);
    rf_test_log_rotate(&reading.log, "bin.000001");
    rf_test_log_gtid_list(&reading.log, "0-1-6");
    rf_test_reading_expect_stop(&reading, RF_FATAL, "0-1-6",
                                "begin 0-1-4\n2.0 create shop.t 1|2\nend 0-1-4\n"
                                "begin 0-1-5\n2.0 create shop.t 3|4\nend 0-1-5\n");
    rf_test_reading_end(&reading);
}

static void test_a_row_that_cannot_be_read_takes_its_transaction_with_it(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    rf_test_log_gtid(&reading.log, 0, 2, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 5, 1, false);
    rf_test_log_insert(&reading.log, 20, 2, 7, 2, true);
    reading.log.log.data[reading.log.last + 19 + 8 + 1] = 1; /* the image lacks a column */
    rf_test_log_seal(&reading.log, reading.log.last);
    rf_test_log_xid(&reading.log);
    rf_test_reading_expect_stop(&reading, RF_FATAL, "GTID 0-1-2", RF_TEST_ONE_ROW);
    rf_test_reading_end(&reading);
}

static void test_any_flipped_bit_stops_before_anything_behind_it(void **context)
{
    struct rf_test_reading reading;
    struct rf_buf whole = {0};
    size_t first;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    first = reading.log.log.size;
    rf_test_log_row(&reading.log, 2, "shop", "t", 3);
    rf_test_log_gtid(&reading.log, 0, 3, RF_TEST_STANDALONE);
    rf_test_log_query(&reading.log, "shop", "DROP TABLE t");
    rf_buf_set(&whole, rf_buf_str(&reading.log.log));
    rf_test_reading_end(&reading);
    for (size_t bit = first * 8; bit < whole.size * 8; bit++) {
        size_t offset = bit / 8;
        rf_test_reading_begin(&reading, "", "");
        rf_buf_set(&reading.log.log, rf_buf_str(&whole));
        reading.log.log.data[offset] ^= (char)(1u << bit % 8);
        struct rf_error err = {0};
        enum rf_status status = RF_OK;
        /* Sizes come from the log that was not touched: those are the reader's to check. */
        size_t at = 0;
        struct rf_str event;
        struct rf_test_log clean = {.log = whole};
        while (status == RF_OK && rf_test_log_next(&clean, &at, &event)) {
            struct rf_str flipped = {reading.log.log.data + (event.data - whole.data), event.size};
            status = rf_assembly_take(&reading.assembly, flipped, 0, &err);
            while (status == RF_OK && reading.assembly.ready) {
                status = rf_assembly_drain(&reading.assembly, &reading.batch, &err);
            }
        }
        if (status != RF_FATAL) {
            fail_msg("bit %zu: status %s", bit, rf_status_name(status));
        }
        assert_true(reading.batch.count <= 2);
        rf_test_reading_end(&reading);
    }
    rf_buf_deinit(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_transaction_without_its_end_is_dropped),
        cmocka_unit_test(test_transactions_that_are_not_carried_stop_by_name),
        cmocka_unit_test(test_rolled_back_rows_that_nobody_picked_are_no_trouble),
        cmocka_unit_test(test_rolling_back_to_a_savepoint_without_rows_behind_it_is_no_trouble),
        cmocka_unit_test(test_events_that_are_not_carried_stop_by_name),
        cmocka_unit_test(test_compressed_rows_are_read_when_they_are_picked),
        cmocka_unit_test(test_gtids_that_do_not_grow_stop),
        cmocka_unit_test(test_events_outside_of_a_transaction_stop),
        cmocka_unit_test(test_a_gap_between_files_stops),
        cmocka_unit_test(test_a_row_that_cannot_be_read_takes_its_transaction_with_it),
        cmocka_unit_test(test_any_flipped_bit_stops_before_anything_behind_it),
    };
    int failed = cmocka_run_group_tests_name("in memory", tests, NULL, NULL);
    rf_test_reading_memory_max = 300;
    return failed + cmocka_run_group_tests_name("in a file", tests, NULL, NULL);
}
