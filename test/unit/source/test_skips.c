#include "lib/reading.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* ---- Names --------------------------------------------------------------------------------- */

static enum rf_status read_names(struct rf_skips *skips, const char *name, struct rf_error *err)
{
    const char *items[] = {name};
    const struct rf_list list = {items, 1};
    return rf_skips_read(skips, &list, err);
}

static bool leaves_out(const struct rf_skips *skips, const char *transaction)
{
    struct rf_txid txid;
    assert_true(rf_txid_parse(rf_str_of(transaction), &txid));
    return rf_skips_transaction(skips, &txid, RF_STR("bin.000001"));
}

static void test_names_and_gtids_are_known(void **context)
{
    struct rf_skips skips = {0};
    (void)context;
    assert_int_equal(read_names(&skips, "statements", NULL), RF_OK);
    assert_true(skips.statements && !skips.incident && !skips.rollbacks);
    assert_int_equal(read_names(&skips, " incident", NULL), RF_OK);
    assert_int_equal(read_names(&skips, "rollbacks", NULL), RF_OK);
    assert_true(skips.incident && skips.rollbacks);
    assert_int_equal(read_names(&skips, "0-1-1234", NULL), RF_OK);
    assert_int_equal(read_names(&skips, "7-2-5", NULL), RF_OK);
    assert_true(leaves_out(&skips, "0-1-1234"));
    assert_true(leaves_out(&skips, "7-2-5"));
    assert_false(leaves_out(&skips, "0-1-1235"));
    assert_false(leaves_out(&skips, "0-2-1234"));
    assert_false(leaves_out(&skips, "1-1-1234"));
    assert_int_equal(read_names(&skips, "3E11FA47-71ca-11e1-9e33-c80aa9429562:5", NULL), RF_OK);
    assert_int_equal(read_names(&skips, "3e11fa47-71ca-11e1-9e33-c80aa9429562:night:6", NULL),
                     RF_OK);
    assert_true(leaves_out(&skips, "3e11fa47-71ca-11e1-9e33-c80aa9429562:5"));
    assert_true(leaves_out(&skips, "3e11fa47-71ca-11e1-9e33-c80aa9429562:night:6"));
    assert_false(leaves_out(&skips, "3e11fa47-71ca-11e1-9e33-c80aa9429562:6"));
    assert_int_equal(read_names(&skips, "bin.000001:157", NULL), RF_OK);
    const struct rf_txid here = {.kind = RF_TXID_PLACE, .offset = 157};
    const struct rf_txid there = {.kind = RF_TXID_PLACE, .offset = 158};
    assert_true(rf_skips_transaction(&skips, &here, RF_STR("bin.000001")));
    assert_false(rf_skips_transaction(&skips, &here, RF_STR("bin.000002")));
    assert_false(rf_skips_transaction(&skips, &there, RF_STR("bin.000001")));
    rf_skips_deinit(&skips);
    assert_false(leaves_out(&skips, "0-1-1234"));
}

static void test_other_names_are_refused_with_what_was_meant(void **context)
{
    static const struct {
        const char *name, *said;
    } cases[] = {
        {"statement", "did you mean \"statements\"?"},
        {"incidents", "did you mean \"incident\"?"},
        {"rolbacks", "did you mean \"rollbacks\"?"},
        {"0-1", "skip: \"0-1\""},
        {"unknown", "skip: \"unknown\""},
        {"statments:1", "skip: \"statments:1\""},
        {"bin.000001:", "skip: \"bin.000001:\""},
        {"3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5", "skip: \"3e11fa47"},
        {"", "skip: \"\""},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_skips skips = {0};
        struct rf_error err = {0};
        assert_int_equal(read_names(&skips, cases[i].name, &err), RF_CONFIG);
        assert_non_null(strstr(err.message, cases[i].said));
        assert_non_null(strstr(err.hint, "statements, incident, rollbacks"));
        rf_skips_deinit(&skips);
    }
}

/* ---- What they leave out ------------------------------------------------------------------- */

static void test_statements_are_left_out_and_counted(void **context)
{
    static const char intvar[] = "\x02\x05\x00\x00\x00\x00\x00\x00\x00";
    struct rf_test_reading reading;
    (void)context;
    for (int skips = 0; skips < 2; skips++) {
        rf_test_reading_begin(&reading, "", "");
        rf_test_reading_skip(&reading, skips ? "statements" : "incident rollbacks");
        rf_test_log_row(&reading.log, 1, "shop", "t", 1);
        rf_test_log_gtid(&reading.log, 0, 2, 0);
        rf_test_log_event(&reading.log, RF_BINLOG_INTVAR, 0, intvar, 9);
        rf_test_log_query(&reading.log, "shop", "INSERT INTO t VALUES (LAST_INSERT_ID())");
        rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
        rf_test_log_insert(&reading.log, 20, 2, 5, 1, true);
        rf_test_log_xid(&reading.log);
        rf_test_log_gtid(&reading.log, 0, 3, RF_TEST_STANDALONE);
        rf_test_log_query(&reading.log, "shop", "DROP TABLE u");
        if (skips) {
            rf_test_reading_expect(&reading,
                                   RF_TEST_ONE_ROW "begin 0-1-2\n4.0 create shop.t 5|6\nend 0-1-2\n"
                                                   "begin 0-1-3\n1.0 ddl shop/u DROP TABLE u\n"
                                                   "end 0-1-3\n");
            assert_int_equal(reading.waived, 2);
        } else {
            rf_test_reading_expect_stop(&reading, RF_FATAL, "not logged as rows", RF_TEST_ONE_ROW);
            assert_non_null(strstr(reading.err.hint, "skip=statements"));
            assert_non_null(strstr(reading.err.hint, "skip=0-1-2"));
        }
        rf_test_reading_end(&reading);
    }
}

static void test_an_incident_is_left_out_and_counted(void **context)
{
    static const char body[] = "\x01\x00\x04lost";
    struct rf_test_reading reading;
    (void)context;
    for (int skips = 0; skips < 2; skips++) {
        rf_test_reading_begin(&reading, "", "");
        rf_test_reading_skip(&reading, skips ? "incident" : "");
        rf_test_log_row(&reading.log, 1, "shop", "t", 1);
        rf_test_log_event(&reading.log, RF_BINLOG_INCIDENT, 0, body, 7);
        rf_test_log_row(&reading.log, 2, "shop", "t", 1);
        if (skips) {
            rf_test_reading_expect(&reading, RF_TEST_ONE_ROW
                                   "begin 0-1-2\n2.0 create shop.t 1|2\nend 0-1-2\n");
            assert_int_equal(reading.waived, 1);
        } else {
            rf_test_reading_expect_stop(&reading, RF_FATAL, "hole: lost", RF_TEST_ONE_ROW);
            assert_non_null(strstr(reading.err.hint, "skip=incident"));
            assert_null(strstr(reading.err.hint, "skip=0-1"));
        }
        rf_test_reading_end(&reading);
    }
}

static void insert(struct rf_test_reading *reading, int32_t first)
{
    rf_test_log_table(&reading->log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading->log, 20, 2, first, 1, true);
}

static void test_rows_that_were_rolled_back_are_left_out(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_reading_skip(&reading, "rollbacks");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    insert(&reading, 10);
    rf_test_log_query(&reading.log, "shop", "SAVEPOINT `a`");
    insert(&reading, 20);
    rf_test_log_query(&reading.log, "shop", "SAVEPOINT b");
    insert(&reading, 30);
    rf_test_log_query(&reading.log, "shop", "ROLLBACK TO B"); /* 30 */
    insert(&reading, 40);
    rf_test_log_query(&reading.log, "shop", "ROLLBACK TO `b`"); /* 40 */
    insert(&reading, 50);
    rf_test_log_query(&reading.log, "shop", "RELEASE SAVEPOINT b");
    rf_test_log_query(&reading.log, "shop", "SAVEPOINT a"); /* the first one is no more */
    insert(&reading, 60);
    insert(&reading, 61);
    rf_test_log_query(&reading.log, "shop", "ROLLBACK TO a"); /* 60, 61 */
    insert(&reading, 70);
    rf_test_log_xid(&reading.log);
    rf_test_log_gtid(&reading.log, 0, 2, 0);
    insert(&reading, 80);
    rf_test_log_query(&reading.log, "shop", "ROLLBACK"); /* 80 */
    rf_test_log_row(&reading.log, 3, "shop", "t", 1);
    rf_test_reading_expect(&reading, "begin 0-1-1\n2.0 create shop.t 10|11\n"
                                     "5.0 create shop.t 20|21\n14.0 create shop.t 50|51\n"
                                     "23.0 create shop.t 70|71\nend 0-1-1\n"
                                     "begin 0-1-3\n2.0 create shop.t 1|2\nend 0-1-3\n");
    assert_int_equal(reading.waived, 5);
    rf_test_reading_end(&reading);
}

/* The limit of this suite's second run lies within the first rows. */
static void test_a_rollback_reaches_back_into_the_file(void **context)
{
    enum { ROWS = 300 };
    struct rf_test_reading reading;
    (void)context;
    for (int32_t kept = 0; kept < ROWS; kept += 7) {
        struct rf_buf text = {0};
        rf_test_reading_begin(&reading, "", "");
        rf_test_reading_skip(&reading, "rollbacks");
        rf_test_log_gtid(&reading.log, 0, 1, 0);
        rf_buf_add_str(&text, RF_STR("begin 0-1-1\n"));
        for (int32_t i = 0; i < ROWS; i++) {
            if (i == kept) {
                rf_test_log_query(&reading.log, "shop", "SAVEPOINT s");
            }
            insert(&reading, i);
            if (i < kept) {
                rf_buf_printf(&text, "%d.0 create shop.t %d|%d\n", 2 * i + 2, i, i + 1);
            }
        }
        rf_test_log_query(&reading.log, "shop", "ROLLBACK TO s");
        insert(&reading, 5);
        rf_test_log_xid(&reading.log);
        rf_buf_printf(&text, "%d.0 create shop.t 5|6\nend 0-1-1\n", 2 * ROWS + 4);
        rf_test_reading_expect(&reading, rf_buf_cstr(&text));
        assert_int_equal(reading.waived, ROWS - kept);
        rf_buf_deinit(&text);
        rf_test_reading_end(&reading);
    }
}

static void test_savepoints_that_are_not_known_stop_all_the_same(void **context)
{
    static const char *const cases[][2] = {
        {"SAVEPOINT a", "ROLLBACK TO c"},
        {"SAVEPOINT \xc3\xa9", "ROLLBACK TO a"},
        {"SAVEPOINT a", "ROLLBACK TO \xc3\xa4"},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_test_reading reading;
        rf_test_reading_begin(&reading, "", "");
        rf_test_reading_skip(&reading, "rollbacks");
        rf_test_log_gtid(&reading.log, 0, 1, 0);
        rf_test_log_query(&reading.log, "shop", cases[i][0]);
        insert(&reading, 1);
        rf_test_log_query(&reading.log, "shop", cases[i][1]);
        rf_test_log_xid(&reading.log);
        rf_test_reading_expect_stop(&reading, RF_FATAL, "ROLLBACK TO", "");
        assert_non_null(strstr(reading.err.hint, "skip=0-1-1"));
        rf_test_reading_end(&reading);
    }
}

/* What stands between a GTID and its end, and stops the pipeline. */
static void add_trouble(struct rf_test_log *log, int which)
{
    static const char incident[] = "\x01\x00\x04lost", compressed[] = {20, 0, 0, 0, 0, 0, 1, 0};
    switch (which) {
    case 0: rf_test_log_query(log, "shop", "UPDATE t SET a = 1"); break;
    case 1: rf_test_log_query(log, "shop", "FROBNICATE"); break;
    case 2: rf_test_log_event(log, 200, 0, "unknown", 7); break;
    case 3: rf_test_log_event(log, RF_BINLOG_INCIDENT, 0, incident, 7); break;
    case 4: rf_test_log_event(log, RF_BINLOG_WRITE_ROWS_COMPRESSED_V1, 0, compressed, 8); break;
    case 5: rf_test_log_query(log, "shop", "ROLLBACK TO s"); break;
    case 6: rf_test_log_table(log, 20, "shop", "t", 2, false); break;
    case 7: rf_test_log_insert(log, 99, 2, 1, 1, true); break;
    case 8: rf_test_log_event(log, RF_BINLOG_QUERY_COMPRESSED, 0, compressed, 8); break;
    case 9: rf_test_log_event(log, RF_BINLOG_INTVAR, 0, "", 0); break;
    default:
        rf_test_log_insert(log, 20, 2, 1, 2, true);
        log->log.data[log->last + 19 + 8 + 1] = 1; /* the image lacks a column */
        rf_test_log_seal(log, log->last);
        break;
    }
}

static void test_a_named_transaction_is_left_out_whatever_is_in_it(void **context)
{
    (void)context;
    for (int which = 0; which <= 10; which++) {
        for (int skips = 0; skips < 2; skips++) {
            struct rf_test_reading reading;
            rf_test_reading_begin(&reading, "", "");
            rf_test_reading_skip(&reading, skips ? "0-1-2 0-1-9" : "0-1-9");
            rf_test_log_row(&reading.log, 1, "shop", "t", 1);
            rf_test_log_gtid(&reading.log, 0, 2, 0);
            rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
            rf_test_log_insert(&reading.log, 20, 2, 7, 1, false);
            add_trouble(&reading.log, which);
            rf_test_log_xid(&reading.log);
            rf_test_log_row(&reading.log, 3, "shop", "t", 3);
            if (skips) {
                rf_test_reading_expect(&reading, RF_TEST_ONE_ROW
                                       "begin 0-1-3\n2.0 create shop.t 3|4\nend 0-1-3\n");
                assert_int_equal(reading.waived, 4);
                assert_int_equal(reading.skipped, 0);
            } else {
                rf_test_reading_expect_stop(&reading, which == 6 ? RF_CONFIG : RF_FATAL,
                                            "GTID 0-1-2", RF_TEST_ONE_ROW);
                if (strstr(reading.err.hint, "skip=0-1-2") == NULL) {
                    fail_msg("%d: %s (%s)", which, reading.err.message, reading.err.hint);
                }
            }
            rf_test_reading_end(&reading);
        }
    }
}

static void test_each_end_of_a_named_transaction_is_found(void **context)
{
    static const struct {
        uint8_t flags;
        const char *first, *last; /* last NULL: XA PREPARE */
    } cases[] = {
        {0, "SAVEPOINT s", "COMMIT"},
        {0, "ROLLBACK TO s", "ROLLBACK"},
        {RF_TEST_STANDALONE, NULL, "INSERT INTO t VALUES (1)"},
        {RF_TEST_PREPARED_XA, "XA END X'61',X'',1", NULL},
        {RF_TEST_COMPLETED_XA, NULL, "XA COMMIT X'61',X'',1"},
        {RF_TEST_COMPLETED_XA, NULL, "XA ROLLBACK X'61',X'',1"},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_test_reading reading;
        rf_test_reading_begin(&reading, "", "");
        rf_test_reading_skip(&reading, "0-1-2");
        rf_test_log_row(&reading.log, 1, "shop", "t", 1);
        rf_test_log_gtid(&reading.log, 0, 2, cases[i].flags);
        if (cases[i].first != NULL) {
            insert(&reading, 1);
            rf_test_log_query(&reading.log, "shop", cases[i].first);
        }
        if (cases[i].last != NULL) {
            rf_test_log_query(&reading.log, "shop", cases[i].last);
        } else {
            rf_test_log_event(&reading.log, RF_BINLOG_XA_PREPARE, 0, "whatever", 8);
        }
        rf_test_log_row(&reading.log, 3, "shop", "t", 3);
        rf_test_reading_expect(&reading,
                               RF_TEST_ONE_ROW "begin 0-1-3\n2.0 create shop.t 3|4\nend 0-1-3\n");
        assert_int_equal(reading.waived, cases[i].first != NULL ? 4 : 1);
        rf_test_reading_end(&reading);
    }
}

/* The list may be shortened once the position is past what it named. */
static void test_a_resume_behind_a_named_transaction_does_not_need_its_name(void **context)
{
    for (int which = 0; which <= 10; which++) {
        struct rf_test_reading first, second;
        (void)context;
        rf_test_reading_begin(&first, "", "");
        rf_test_reading_skip(&first, "0-1-2");
        rf_test_log_row(&first.log, 1, "shop", "t", 1);
        size_t at = first.log.log.size;
        rf_test_log_gtid(&first.log, 0, 2, which == 3 ? RF_TEST_PREPARED_XA : 0);
        add_trouble(&first.log, which);
        rf_test_log_xid(&first.log);
        rf_test_reading_expect(&first, RF_TEST_ONE_ROW);
        assert_non_null(strstr(rf_buf_cstr(&first.position), "last=0-1-2"));
        rf_test_log_row(&first.log, 3, "shop", "t", 3);

        rf_test_reading_resume(&second, &first, at);
        rf_test_reading_expect(&second, "begin 0-1-3\n2.0 create shop.t 3|4\nend 0-1-3\n");
        assert_int_equal(second.waived, 0);
        rf_test_reading_end(&second);
        rf_test_reading_end(&first);
    }
}

static void test_what_is_damaged_stops_also_in_a_named_transaction(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    rf_test_reading_begin(&reading, "", "");
    rf_test_reading_skip(&reading, "0-1-1 statements incident rollbacks");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    insert(&reading, 1);
    reading.log.log.data[reading.log.last + 25] ^= 1;
    rf_test_log_xid(&reading.log);
    rf_test_reading_expect_stop(&reading, RF_FATAL, "checksum", "");
    rf_test_reading_end(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_gtids_are_known),
        cmocka_unit_test(test_other_names_are_refused_with_what_was_meant),
        cmocka_unit_test(test_statements_are_left_out_and_counted),
        cmocka_unit_test(test_an_incident_is_left_out_and_counted),
        cmocka_unit_test(test_rows_that_were_rolled_back_are_left_out),
        cmocka_unit_test(test_a_rollback_reaches_back_into_the_file),
        cmocka_unit_test(test_savepoints_that_are_not_known_stop_all_the_same),
        cmocka_unit_test(test_a_named_transaction_is_left_out_whatever_is_in_it),
        cmocka_unit_test(test_each_end_of_a_named_transaction_is_found),
        cmocka_unit_test(test_a_resume_behind_a_named_transaction_does_not_need_its_name),
        cmocka_unit_test(test_what_is_damaged_stops_also_in_a_named_transaction),
    };
    int failed = cmocka_run_group_tests_name("in memory", tests, NULL, NULL);
    rf_test_reading_memory_max = 300;
    return failed + cmocka_run_group_tests_name("in a file", tests, NULL, NULL);
}
