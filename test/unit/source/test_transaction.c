#include "lib/reading.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_rows_leave_when_their_transaction_has_ended(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 2, true);
    rf_test_reading_expect(&reading, "");
    assert_int_equal(reading.position.size, 0);
    rf_test_log_xid(&reading.log);
    rf_test_reading_expect(
        &reading, "begin 0-1-1\n2.0 create shop.t 1|2\n2.1 create shop.t 11|12\nend 0-1-1\n");
    assert_non_null(strstr(rf_buf_cstr(&reading.position), "gtid=0-1-1;file=bin.000001;start="));
    rf_test_reading_end(&reading);
}

static void test_each_operation_has_its_images(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "0-1-6");
    rf_test_log_gtid(&reading.log, 0, 7, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 3, true);
    rf_test_log_insert(&reading.log, 20, 3, 5, 1, true);
    rf_test_log_table(&reading.log, 20, "shop", "t", 3, true);
    rf_test_log_delete(&reading.log, 20, 3, -2, true);
    rf_test_log_query(&reading.log, "", "COMMIT");
    rf_test_reading_expect(
        &reading, "begin 0-1-7\n2.0 create shop.t 5|6|7\n4.0 delete shop.t -2|-1|0\nend 0-1-7\n");
    rf_test_reading_end(&reading);
}

static void test_ordinals_count_what_is_skipped_but_not_annotations(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "shop.t", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_event(&reading.log, 160, 0, "INSERT ...", 10);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_table(&reading.log, 21, "shop", "audit", 2, true);
    rf_test_log_insert(&reading.log, 21, 2, 1, 1, false);
    rf_test_log_event(&reading.log, 29, 0x80, "ignorable", 9);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    rf_test_log_xid(&reading.log);
    rf_test_reading_expect(&reading, "begin 0-1-1\n5.0 create shop.t 1|2\nend 0-1-1\n");
    assert_int_equal(reading.skipped, 1);
    rf_test_reading_end(&reading);
}

static void test_a_filtered_transaction_moves_the_position_without_an_event(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "shop.t", "");
    rf_test_log_row(&reading.log, 1, "other", "t", 1);
    rf_test_reading_expect(&reading, "");
    assert_int_equal(reading.batches, 1);
    assert_int_equal(reading.skipped, 1);
    assert_non_null(strstr(rf_buf_cstr(&reading.position), "last=0-1-1"));
    rf_test_reading_end(&reading);
}

static void test_tables_left_out_need_no_metadata(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "shop.t", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 20, "other", "t", 2, false);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    rf_test_log_xid(&reading.log);
    rf_test_reading_expect(&reading, "");
    rf_test_log_gtid(&reading.log, 0, 2, 0);
    rf_test_log_table(&reading.log, 21, "shop", "t", 2, false);
    rf_test_reading_expect_stop(&reading, RF_CONFIG, "GTID 0-1-2", "");
    assert_non_null(strstr(reading.err.hint, "binlog_row_metadata"));
    rf_test_reading_end(&reading);
}

static const struct rf_table *table_of(const struct rf_test_reading *reading)
{
    assert_true(reading->batch.count > 0);
    return reading->batch.events[reading->batch.count - 1].table;
}

static void test_the_same_definition_is_the_same_table(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    assert_int_equal(rf_test_reading_one(&reading), RF_OK);
    const struct rf_table *first = table_of(&reading);
    assert_int_equal(first->version, 1);
    rf_test_log_row(&reading.log, 2, "shop", "t", 2);
    assert_int_equal(rf_test_reading_one(&reading), RF_OK);
    assert_ptr_equal(table_of(&reading), first);
    /* Another number, as after FLUSH TABLES. */
    rf_test_log_gtid(&reading.log, 0, 3, 0);
    rf_test_log_table(&reading.log, 77, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 77, 2, 3, 1, true);
    rf_test_log_xid(&reading.log);
    assert_int_equal(rf_test_reading_one(&reading), RF_OK);
    assert_ptr_equal(table_of(&reading), first);
    /* Another file. */
    rf_test_log_rotate(&reading.log, "bin.000002");
    rf_test_log_row(&reading.log, 4, "shop", "t", 4);
    assert_int_equal(rf_test_reading_one(&reading), RF_OK);
    assert_ptr_equal(table_of(&reading), first);
    rf_test_reading_end(&reading);
}

static void test_a_changed_definition_is_another_version(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_table(&reading.log, 21, "shop", "t", 3, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, false);
    rf_test_log_insert(&reading.log, 21, 3, 1, 1, true);
    rf_test_log_xid(&reading.log);
    assert_int_equal(rf_test_reading_one(&reading), RF_OK);
    assert_int_equal(reading.batch.count, 2);
    assert_int_equal(reading.batch.events[0].table->version, 1);
    assert_int_equal(reading.batch.events[0].table->column_count, 2);
    assert_int_equal(reading.batch.events[1].table->version, 2);
    assert_int_equal(reading.batch.events[1].table->column_count, 3);
    rf_test_reading_end(&reading);
}

static void test_a_table_number_that_changes_its_meaning_keeps_what_was_read(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    for (unsigned columns = 2; columns < 6; columns++) {
        rf_test_log_table(&reading.log, 20, "shop", "t", columns, true);
        rf_test_log_insert(&reading.log, 20, columns, 1, 1, true);
    }
    rf_test_log_xid(&reading.log);
    rf_test_reading_expect(&reading,
                           "begin 0-1-1\n2.0 create shop.t 1|2\n4.0 create shop.t 1|2|3\n"
                           "6.0 create shop.t 1|2|3|4\n8.0 create shop.t 1|2|3|4|5\nend 0-1-1\n");
    rf_test_reading_end(&reading);
}

static void test_many_tables_are_told_apart(void **context)
{
    enum { TABLES = 1000 };
    struct rf_test_reading reading;
    struct rf_buf text = {0};
    (void)context;
    rf_test_reading_begin(&reading, "db.t*", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_buf_add_str(&text, RF_STR("begin 0-1-1\n"));
    for (unsigned i = 0; i < TABLES; i++) {
        struct rf_buf name = {0};
        rf_buf_printf(&name, "%c%u", i % 3 == 0 ? 'x' : 't', i);
        rf_test_log_table(&reading.log, 1000 - i, "db", rf_buf_cstr(&name), 2, true);
        rf_test_log_insert(&reading.log, 1000 - i, 2, (int32_t)i, 1, true);
        if (i % 3 != 0) {
            rf_buf_printf(&text, "%u.0 create db.%s %u|%u\n", 2 * i + 2, name.data, i, i + 1);
        }
        rf_buf_deinit(&name);
    }
    rf_test_log_xid(&reading.log);
    rf_buf_add_str(&text, RF_STR("end 0-1-1\n"));
    rf_test_reading_expect(&reading, rf_buf_cstr(&text));
    rf_buf_deinit(&text);
    rf_test_reading_end(&reading);
}

/* Each name is used once, as by jobs that make tables for themselves. */
static void test_names_of_ever_more_tables_do_not_stay_for_ever(void **context)
{
    enum { TABLES = 20000 };
    struct rf_test_reading reading;
    struct rf_tables *tables = &reading.assembly.tables;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    for (unsigned i = 0; i < TABLES; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%u", i);
        rf_test_log_table(&reading.log, i + 1, "job", name, 2, true);
    }
    rf_test_log_table(&reading.log, TABLES, "job", "t0", 3, true);
    rf_test_log_insert(&reading.log, TABLES, 3, 1, 1, true);
    rf_test_log_xid(&reading.log);
    assert_int_equal(rf_test_reading_one(&reading), RF_OK);
    assert_int_equal(reading.batch.events[0].table->version, 2);
    assert_int_equal(tables->name_count, TABLES);
    rf_tables_forget(tables);
    assert_int_equal(tables->name_count, 0);
    rf_test_log_gtid(&reading.log, 0, 2, 0);
    rf_test_log_table(&reading.log, 7, "job", "t0", 2, true);
    rf_test_log_insert(&reading.log, 7, 2, 1, 1, true);
    rf_test_log_xid(&reading.log);
    assert_int_equal(rf_test_reading_one(&reading), RF_OK);
    assert_int_equal(reading.batch.events[0].table->version, 3);
    rf_test_reading_end(&reading);
}

static void test_a_table_map_holds_for_one_statement(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    rf_test_log_gtid(&reading.log, 0, 2, 0);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    rf_test_reading_expect_stop(&reading, RF_FATAL, "no TABLE_MAP",
                                "begin 0-1-1\n2.0 create shop.t 1|2\nend 0-1-1\n");
    rf_test_reading_end(&reading);
}

static void test_a_rows_event_without_a_table_only_ends_the_statement(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_insert(&reading.log, 0xffffff, 0, 0, 0, true);
    rf_test_log_xid(&reading.log);
    rf_test_reading_expect(&reading, "");
    assert_non_null(strstr(rf_buf_cstr(&reading.position), "last=0-1-1"));
    rf_test_reading_end(&reading);
}

static void test_a_transaction_larger_than_a_batch_comes_in_pieces(void **context)
{
    enum { EVENTS = 400, ROWS = 100 };
    struct rf_test_reading reading;
    struct rf_buf text = {0};
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    reading.batch.bytes_max = 64 * 1024;
    rf_test_log_row(&reading.log, 1, "shop", "t", 0);
    rf_test_log_gtid(&reading.log, 0, 2, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_buf_add_str(&text, RF_STR("begin 0-1-1\n2.0 create shop.t 0|1\nend 0-1-1\nbegin 0-1-2\n"));
    for (unsigned i = 0; i < EVENTS; i++) {
        rf_test_log_insert(&reading.log, 20, 2, (int32_t)(i * 1000), ROWS, i + 1 == EVENTS);
        for (unsigned row = 0; row < ROWS; row++) {
            rf_buf_printf(&text, "%u.%u create shop.t %u|%u\n", i + 2, row, i * 1000 + row * 10,
                          i * 1000 + row * 10 + 1);
        }
    }
    rf_test_log_xid(&reading.log);
    rf_test_log_row(&reading.log, 3, "shop", "t", 7);
    rf_buf_add_str(&text, RF_STR("end 0-1-2\nbegin 0-1-3\n2.0 create shop.t 7|8\nend 0-1-3\n"));
    rf_test_reading_expect(&reading, rf_buf_cstr(&text));
    assert_true(reading.batches > 5);
    rf_buf_deinit(&text);
    rf_test_reading_end(&reading);
}

static void test_the_position_waits_for_the_last_piece(void **context)
{
    struct rf_test_reading reading;
    bool ended = false;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    reading.batch.bytes_max = 1;
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    for (unsigned i = 0; i < 20000; i++) {
        rf_test_log_insert(&reading.log, 20, 2, 1, 1, i == 19999);
    }
    rf_test_log_xid(&reading.log);
    for (int piece = 0; !ended; piece++) {
        assert_int_equal(rf_test_reading_one(&reading), RF_OK);
        assert_int_equal(reading.batch.transaction_count, 1);
        assert_true(reading.batch.transactions[0].begins == (piece == 0));
        ended = reading.batch.transactions[0].ends;
        assert_true((reading.batch.position.size > 0) == ended);
        assert_true(!ended || piece > 3);
    }
    assert_int_equal(rf_test_reading_one(&reading), RF_AGAIN);
    rf_test_reading_end(&reading);
}

static void test_a_transaction_that_fits_is_not_cut(void **context)
{
    struct rf_test_reading reading;
    uint32_t batches = 0;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    reading.batch.bytes_max = 200 * 1024;
    for (unsigned i = 1; i <= 40; i++) {
        rf_test_log_gtid(&reading.log, 0, i, 0);
        rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
        rf_test_log_insert(&reading.log, 20, 2, 1, 1000, true);
        rf_test_log_xid(&reading.log);
    }
    while (rf_test_reading_one(&reading) == RF_OK) {
        batches++;
        for (uint32_t i = 0; i < reading.batch.transaction_count; i++) {
            assert_true(reading.batch.transactions[i].begins);
            assert_true(reading.batch.transactions[i].ends);
        }
    }
    assert_true(batches > 3);
    rf_test_reading_end(&reading);
}

static void test_an_event_larger_than_a_chunk_keeps_its_place(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, false);
    rf_test_log_insert(&reading.log, 20, 2, 100000, 20000, false);
    rf_test_log_insert(&reading.log, 20, 2, 5, 1, true);
    rf_test_log_xid(&reading.log);
    reading.batch.bytes_max = 16 * 1024 * 1024;
    assert_int_equal(rf_test_reading_one(&reading), RF_OK);
    assert_int_equal(reading.batch.count, 20002);
    assert_int_equal(reading.batch.events[0].after[0].i, 1);
    assert_int_equal(reading.batch.events[1].after[0].i, 100000);
    assert_int_equal(reading.batch.events[20000].after[0].i, 100000 + 19999 * 10);
    assert_int_equal(reading.batch.events[20001].after[0].i, 5);
    rf_test_reading_end(&reading);
}

static void test_small_transactions_do_not_bring_a_chunk_each(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    for (unsigned i = 1; i <= 1000; i++) {
        rf_test_log_row(&reading.log, i, "shop", "t", 1);
    }
    assert_int_equal(rf_test_reading_one(&reading), RF_OK);
    assert_int_equal(reading.batch.transaction_count, 1000);
    assert_true(reading.batch.arena.bytes < 512 * 1024);
    rf_test_reading_end(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_leave_when_their_transaction_has_ended),
        cmocka_unit_test(test_each_operation_has_its_images),
        cmocka_unit_test(test_ordinals_count_what_is_skipped_but_not_annotations),
        cmocka_unit_test(test_a_filtered_transaction_moves_the_position_without_an_event),
        cmocka_unit_test(test_tables_left_out_need_no_metadata),
        cmocka_unit_test(test_the_same_definition_is_the_same_table),
        cmocka_unit_test(test_a_changed_definition_is_another_version),
        cmocka_unit_test(test_a_table_number_that_changes_its_meaning_keeps_what_was_read),
        cmocka_unit_test(test_many_tables_are_told_apart),
        cmocka_unit_test(test_names_of_ever_more_tables_do_not_stay_for_ever),
        cmocka_unit_test(test_a_table_map_holds_for_one_statement),
        cmocka_unit_test(test_a_rows_event_without_a_table_only_ends_the_statement),
        cmocka_unit_test(test_a_transaction_larger_than_a_batch_comes_in_pieces),
        cmocka_unit_test(test_the_position_waits_for_the_last_piece),
        cmocka_unit_test(test_a_transaction_that_fits_is_not_cut),
        cmocka_unit_test(test_an_event_larger_than_a_chunk_keeps_its_place),
        cmocka_unit_test(test_small_transactions_do_not_bring_a_chunk_each),
    };
    int failed = cmocka_run_group_tests_name("in memory", tests, NULL, NULL);
    rf_test_reading_memory_max = 300;
    return failed + cmocka_run_group_tests_name("in a file", tests, NULL, NULL);
}
