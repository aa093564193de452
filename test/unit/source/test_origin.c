/* What formats repeat of the log: where an event lies in it, who changed it, when and how. */
#include "lib/reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS_QUERY = 29, ANNOTATE_ROWS = 160, IGNORABLE = 0x80 };

static void annotate(struct rf_test_log *log, const char *sql)
{
    rf_test_log_event(log, ANNOTATE_ROWS, 0, sql, strlen(sql));
}

static void expect_sql(const struct rf_event *event, const char *sql)
{
    assert_true(rf_str_equal(event->origin->sql, rf_str_of(sql)));
}

static void test_a_transaction_knows_its_file_server_and_xid(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    rf_test_log_row(&reading.log, 2, "shop", "t", 1);
    assert_int_equal(rf_test_reading_one(&reading), RF_OK);
    assert_int_equal(reading.batch.transaction_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        const struct rf_transaction *transaction = &reading.batch.transactions[i];
        assert_int_equal(transaction->server, RF_SERVER_MARIADB);
        assert_int_equal(transaction->server_id, 1);
        assert_true(transaction->has_xid);
        assert_int_equal(transaction->xid, 7);
        assert_false(transaction->has_thread);
        assert_true(rf_str_equal(transaction->file, RF_STR("bin.000001")));
        assert_true(rf_str_equal(transaction->gtid, transaction->id));
    }
    rf_test_reading_end(&reading);
}

static void test_a_statement_alone_has_a_thread_and_no_xid(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    rf_test_log_gtid(&reading.log, 0, 2, RF_TEST_STANDALONE);
    rf_test_log_query(&reading.log, "shop", "CREATE TABLE x (a INT)");
    assert_int_equal(rf_test_reading_one(&reading), RF_OK);
    assert_int_equal(reading.batch.transaction_count, 2);
    assert_false(reading.batch.transactions[1].has_xid);
    assert_true(reading.batch.transactions[1].has_thread);
    rf_test_reading_end(&reading);
}

static void test_events_know_where_they_lie_in_the_log(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    reading.log.time = 1700000005;
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 2, false);
    size_t first = reading.log.last;
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    size_t second = reading.log.last;
    reading.log.time = 1700000009;
    rf_test_log_xid(&reading.log);
    assert_int_equal(rf_test_reading_one(&reading), RF_OK);
    assert_int_equal(reading.batch.count, 3);
    const struct rf_event *events = reading.batch.events;
    assert_int_equal(events[0].origin->offset, first);
    assert_ptr_equal(events[1].origin, events[0].origin);
    assert_int_equal(events[2].origin->offset, second);
    assert_int_equal(events[2].origin->time_us, INT64_C(1700000005000000));
    assert_int_equal(events[2].origin->server_id, 1);
    assert_int_equal(reading.batch.transactions[0].commit_us, INT64_C(1700000009000000));
    rf_test_reading_end(&reading);
}

static void test_rows_have_the_statement_that_changed_them(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "shop.t", "");
    reading.assembly.keeps_sql = true;
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    annotate(&reading.log, "UPDATE both of them");
    rf_test_log_table(&reading.log, 21, "shop", "other", 2, true);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 21, 2, 1, 1, false);
    rf_test_log_insert(&reading.log, 20, 2, 1, 2, false);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    /* The next statement is not annotated, then one is in no character set that can be told. */
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    annotate(&reading.log, "INSERT '\xff'");
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    /* As MySQL annotates: behind one byte. */
    rf_test_log_event(&reading.log, ROWS_QUERY, IGNORABLE, "\x06UPDATE MySQL", 13);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    rf_test_log_xid(&reading.log);
    assert_int_equal(rf_test_reading_one(&reading), RF_OK);
    assert_int_equal(reading.batch.count, 6);
    for (uint32_t i = 0; i < 3; i++) {
        expect_sql(&reading.batch.events[i], "UPDATE both of them");
    }
    expect_sql(&reading.batch.events[3], "");
    expect_sql(&reading.batch.events[4], "");
    expect_sql(&reading.batch.events[5], "UPDATE MySQL");
    rf_test_reading_end(&reading);
}

static void test_nobody_pays_for_statements_that_are_not_asked_for(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    annotate(&reading.log, "INSERT ...");
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    rf_test_log_xid(&reading.log);
    assert_int_equal(rf_test_reading_one(&reading), RF_OK);
    expect_sql(&reading.batch.events[0], "");
    rf_test_reading_end(&reading);
}

/* In memory and from the file; each batch is overwritten by the next one. */
static void test_a_statement_reaches_the_rows_of_later_batches(void **context)
{
    enum { EVENTS = 200, ROWS = 200 };
    (void)context;
    for (size_t memory = 0; memory < 2; memory++) {
        struct rf_test_reading reading;
        uint32_t seen = 0, batches = 0;
        rf_test_reading_memory_max = memory * 1000;
        rf_test_reading_begin(&reading, "", "");
        reading.assembly.keeps_sql = true;
        reading.batch.bytes_max = 100 * 1000;
        rf_test_log_gtid(&reading.log, 0, 1, 0);
        annotate(&reading.log, "INSERT of very many rows");
        rf_test_log_table(&reading.log, 20, "shop", "t", 8, true);
        for (int i = 0; i < EVENTS; i++) {
            rf_test_log_insert(&reading.log, 20, 8, 1, ROWS, i + 1 == EVENTS);
        }
        annotate(&reading.log, "INSERT of one");
        rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
        rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
        rf_test_log_xid(&reading.log);
        while (rf_test_reading_one(&reading) == RF_OK) {
            batches++;
            for (uint32_t i = 0; i < reading.batch.count; i++, seen++) {
                expect_sql(&reading.batch.events[i],
                           seen == EVENTS * ROWS ? "INSERT of one" : "INSERT of very many rows");
            }
        }
        assert_int_equal(seen, EVENTS * ROWS + 1);
        assert_true(batches > 3);
        rf_test_reading_end(&reading);
    }
    rf_test_reading_memory_max = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_transaction_knows_its_file_server_and_xid),
        cmocka_unit_test(test_a_statement_alone_has_a_thread_and_no_xid),
        cmocka_unit_test(test_events_know_where_they_lie_in_the_log),
        cmocka_unit_test(test_rows_have_the_statement_that_changed_them),
        cmocka_unit_test(test_nobody_pays_for_statements_that_are_not_asked_for),
        cmocka_unit_test(test_a_statement_reaches_the_rows_of_later_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
