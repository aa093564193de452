/* The source `mysql` and the GTID sets of two live MySQL servers: where it goes on, on which of
 * them, and what it refuses by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/mysql_subject.h"

/* ---- One server ---------------------------------------------------------------------------- */

static void test_now_begins_behind_everything(void **context)
{
    struct subject subject;
    (void)context;
    insert(1);
    open_at(&subject, "now");
    expect_position(&subject, "mysql:gtid=A:1;server=1;uuid=A");
    insert(2);
    expect(&subject, ROW("A:2", 2));
    expect_position(&subject, "mysql:gtid=A:1-2;file=bin.000001;start=");
    assert_true(subject.source.currents > 0);
    end(&subject);
}

static void test_earliest_begins_with_the_first_file(void **context)
{
    struct subject subject;
    (void)context;
    insert(1);
    rf_test_sql(&first, "FLUSH BINARY LOGS");
    insert(2);
    open_at(&subject, "earliest");
    expect(&subject, ROW("A:1", 1) ROW("A:2", 2));
    end(&subject);
    purge_all(&first);
    insert(3);
    open_at(&subject, "earliest");
    expect_position(&subject, "mysql:gtid=A:1-2;file=bin.000003;end=4;");
    expect(&subject, ROW("A:3", 3));
    end(&subject);
}

static void test_a_resume_at_any_position_neither_repeats_nor_loses(void **context)
{
    enum { COUNT = 12 };
    struct subject subject;
    struct rf_buf all = {0}, pieces = {0};
    (void)context;
    for (int i = 0; i < COUNT; i++) {
        rf_test_sql(&first, "SET SESSION binlog_transaction_compression=%d", i % 3 == 1);
        insert(i);
        rf_test_sql(&first, i % 4 == 3   ? "FLUSH BINARY LOGS"
                            : i % 4 == 2 ? "ALTER TABLE shop.t COMMENT='x'"
                                         : "UPDATE shop.t SET b=CONCAT(b, 'x')");
    }
    open_at(&subject, "earliest");
    assert_int_equal(rf_test_source_until(&subject.source, "row 11", LIMIT_MS, &subject.err),
                     RF_OK);
    assert_int_equal(rf_test_source_drain(&subject.source, QUIET_MS, &subject.err), RF_AGAIN);
    rf_buf_set(&all, rf_buf_str(&subject.source.text));
    end(&subject);

    prepare(&subject, "earliest");
    subject.source.batch_bytes_max = 1;
    open_it(&subject);
    while (pieces.size < all.size) {
        assert_int_equal(rf_test_source_until(&subject.source, "end", LIMIT_MS, &subject.err),
                         RF_OK);
        rf_buf_add_str(&pieces, rf_buf_str(&subject.source.text));
        reopen(&subject);
    }
    assert_string_equal(rf_buf_cstr(&pieces), rf_buf_cstr(&all));
    expect(&subject, "");
    end(&subject);
    rf_buf_deinit(&all);
    rf_buf_deinit(&pieces);
}

static void test_a_set_says_where_to_begin_and_its_hole_is_filled(void **context)
{
    struct subject subject;
    (void)context;
    for (int i = 1; i <= 11; i++) {
        insert(i);
    }
    open_at(&subject, lengthened("A:1-7:9-10"));
    expect(&subject, ROW("A:8", 8) ROW("A:11", 11));
    expect_position(&subject, "mysql:gtid=A:1-11;");
    reopen(&subject);
    expect(&subject, "");
    end(&subject);
}

/* Behind the filled hole the file goes on with what was read elsewhere. */
static void test_a_start_behind_a_filled_hole_repeats_nothing(void **context)
{
    struct subject subject;
    (void)context;
    for (int i = 1; i <= 11; i++) {
        insert(i);
    }
    prepare(&subject, lengthened("A:1-7:9-10"));
    subject.source.batch_bytes_max = 1;
    open_it(&subject);
    assert_int_equal(rf_test_source_until(&subject.source, "row 8", LIMIT_MS, &subject.err), RF_OK);
    expect_position(&subject, "mysql:gtid=A:1-10;file=bin.000001;");
    assert_non_null(strstr(rf_buf_cstr(&subject.source.position), ";by=gtid"));
    reopen(&subject);
    expect(&subject, ROW("A:11", 11));
    assert_non_null(strstr(rf_buf_cstr(&subject.source.position), ";by=gtid"));
    reopen(&subject);
    expect(&subject, "");
    /* A file that has nothing of it behind its beginning can be read by place again. */
    rf_test_sql(&first, "FLUSH BINARY LOGS");
    insert(12);
    expect(&subject, ROW("A:12", 12));
    assert_null(strstr(rf_buf_cstr(&subject.source.position), ";by="));
    reopen(&subject);
    insert(13);
    expect(&subject, ROW("A:13", 13));
    end(&subject);
}

/* The next file begins behind all that was read, but the place is still in the one before it. */
static void test_a_place_before_the_next_file_still_goes_on_by_the_set(void **context)
{
    struct subject subject;
    (void)context;
    for (int i = 1; i <= 10; i++) {
        insert(i);
    }
    rf_test_sql(&first, "FLUSH BINARY LOGS");
    open_at(&subject, lengthened("A:1-7:9-10"));
    expect(&subject, ROW("A:8", 8));
    expect_position(&subject, "mysql:gtid=A:1-10;file=bin.000001;");
    assert_non_null(strstr(rf_buf_cstr(&subject.source.position), ";by=gtid"));
    reopen(&subject);
    expect(&subject, "");
    insert(11);
    expect(&subject, ROW("A:11", 11));
    expect_position(&subject, "mysql:gtid=A:1-11;file=bin.000002;");
    assert_null(strstr(rf_buf_cstr(&subject.source.position), ";by="));
    reopen(&subject);
    expect(&subject, "");
    end(&subject);
}

/* In files all of it comes in one batch: the end of the first one, and the head of the next. */
static void test_files_tell_the_same_of_a_place_before_the_next_one(void **context)
{
    struct rf_test_source files = {.type = &rf_source_binlog};
    char path[512];
    struct rf_test_setting settings[] = {{"path", path}, {0}};
    struct rf_error err = {0};
    (void)context;
    for (int i = 1; i <= 10; i++) {
        insert(i);
    }
    rf_test_sql(&first, "FLUSH BINARY LOGS");
    snprintf(path, sizeof path, "%s/mysql/data/bin.index", first.dir);
    files.settings = settings;
    files.from = lengthened("A:1-7:9-10");
    if (rf_test_source_open(&files, &err) != RF_OK) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(rf_test_source_drain(&files, 0, &err), RF_OK);
    assert_non_null(strstr(rf_buf_cstr(&files.position), ";file=bin.000001;"));
    assert_non_null(strstr(rf_buf_cstr(&files.position), ";by=gtid"));
    rf_test_source_close(&files);
    rf_buf_reset(&files.text);
    insert(11);
    if (rf_test_source_open(&files, &err) != RF_OK) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(rf_test_source_drain(&files, 0, &err), RF_OK);
    char *came = shortened(rf_buf_cstr(&files.text));
    assert_string_equal(came, ROW("A:11", 11));
    free(came);
    assert_null(strstr(rf_buf_cstr(&files.position), ";by="));
    rf_test_source_deinit(&files);
}

static void test_tagged_transactions_count_by_their_tag(void **context)
{
    struct subject subject;
    (void)context;
    insert(1);
    rf_test_sql(&first, "SET gtid_next='AUTOMATIC:night'");
    insert(2);
    insert(3);
    rf_test_sql(&first, "SET gtid_next='AUTOMATIC'");
    insert(4);
    open_at(&subject, lengthened("A:1:night:1"));
    expect(&subject, ROW("A:night:2", 3) ROW("A:2", 4));
    expect_position(&subject, "mysql:gtid=A:1-2:night:1-2;");
    reopen(&subject);
    rf_test_sql(&first, "SET gtid_next='AUTOMATIC:night'");
    insert(5);
    rf_test_sql(&first, "SET gtid_next='AUTOMATIC'");
    expect(&subject, ROW("A:night:3", 5));
    end(&subject);
}

static void test_a_place_says_where_to_begin(void **context)
{
    struct subject subject;
    struct rf_mysql_result result = {0};
    struct rf_error err = {0};
    uint64_t at = 0;
    char place[64];
    (void)context;
    insert(1);
    free(rf_test_sql_ask(&first, "SELECT 1"));
    assert_int_equal(rf_mysql_query(&first.client, "SHOW BINARY LOG STATUS", 0, &result, &err),
                     RF_OK);
    assert_true(rf_mysql_result_next(&result));
    assert_true(rf_str_to_u64(rf_mysql_result_cell(&result, 1), &at));
    rf_mysql_result_deinit(&result);
    insert(2);

    snprintf(place, sizeof place, "bin.000001:%llu", (unsigned long long)at);
    open_at(&subject, place);
    expect_position(&subject, "mysql:gtid=A:1;file=bin.000001;start=");
    expect(&subject, ROW("A:2", 2));
    reopen(&subject);
    expect(&subject, "");
    end(&subject);
    open_at(&subject, "bin.000001:4");
    expect(&subject, ROW("A:1", 1) ROW("A:2", 2));
    end(&subject);
    for (uint64_t beside = at - 1; beside <= at + 1; beside += 2) {
        snprintf(place, sizeof place, "bin.000001:%llu", (unsigned long long)beside);
        prepare(&subject, place);
        refused(&subject, RF_CONFIG, "no transaction begins in bin.000001", "Gtid");
        end(&subject);
    }
    prepare(&subject, "bin.000001:999999");
    refused(&subject, RF_CONFIG, "no transaction begins in bin.000001", "Gtid");
    end(&subject);
    prepare(&subject, "bin.000009:4");
    refused(&subject, RF_CONFIG, "no transaction begins in bin.000009", "Gtid");
    end(&subject);
}

static void test_purged_transactions_are_named(void **context)
{
    struct subject subject;
    (void)context;
    open_at(&subject, "now");
    insert(1);
    expect(&subject, ROW("A:1", 1));
    rf_test_source_close(&subject.source);
    insert(2);
    insert(3);
    purge_all(&first);
    insert(4);
    rf_buf_reset(&subject.source.text);
    char *missing = rf_str_dup(rf_str_of(lengthened("has purged the transactions A:2-3,")));
    refused(&subject, RF_FATAL, missing, "snapshot");
    end(&subject);
    prepare(&subject, lengthened("A:1"));
    refused(&subject, RF_CONFIG, missing, "snapshot");
    free(missing);
    end(&subject);
}

static void test_a_purge_of_what_was_read_is_no_loss(void **context)
{
    struct subject subject;
    (void)context;
    open_at(&subject, "now");
    insert(1);
    expect(&subject, ROW("A:1", 1));
    rf_test_source_close(&subject.source);
    purge_all(&first);
    insert(2);
    reopen(&subject);
    expect(&subject, ROW("A:2", 2));
    end(&subject);
}

/* The server forgets its log, its UUID stays: then its GTIDs begin anew, too. */
static void test_a_server_that_was_reset_is_refused(void **context)
{
    struct subject subject;
    (void)context;
    open_at(&subject, "now");
    insert(1);
    insert(2);
    expect(&subject, ROW("A:1", 1) ROW("A:2", 2));
    rf_test_source_close(&subject.source);
    rf_test_sql(&first, "RESET BINARY LOGS AND GTIDS");
    refused(&subject, RF_FATAL, "the log went back", "RESET");
    insert(3);
    insert(4);
    insert(5);
    refused(&subject, RF_FATAL, "the position", "RESET");
    /* Its place is gone as well: then the set is all there is to compare. */
    purge_all(&first);
    rf_test_sql(&first, "RESET BINARY LOGS AND GTIDS;\nFLUSH BINARY LOGS;\nFLUSH BINARY LOGS;\n"
                        "PURGE BINARY LOGS TO 'bin.000003'");
    insert(6);
    refused(&subject, RF_FATAL, lengthened("does not have the transactions A:2 in its history"),
            "RESET BINARY LOGS AND GTIDS");
    end(&subject);
}

static void test_a_position_of_the_other_kind_of_server_is_refused(void **context)
{
    struct subject subject;
    (void)context;
    prepare(&subject, NULL);
    rf_buf_set(&subject.source.position,
               RF_STR("mariadb:gtid=0-1-5;file=bin.000001;end=300;server=1"));
    refused(&subject, RF_FATAL, "is a server of MySQL", "snapshot");
    end(&subject);
    prepare(&subject, "0-1-5");
    refused(&subject, RF_CONFIG, "is a server of MySQL", "");
    end(&subject);
}

/* ---- Two servers --------------------------------------------------------------------------- */

static void test_fail_over_goes_on_behind_the_set(void **context)
{
    struct subject subject;
    (void)context;
    open_at(&subject, "now");
    for (int i = 1; i <= 3; i++) {
        insert(i);
    }
    expect(&subject, ROW("A:1", 1) ROW("A:2", 2) ROW("A:3", 3));
    /* The replica has them in another file, at other places. */
    rf_test_sql(&second, "FLUSH BINARY LOGS");
    for (int i = 1; i <= 5; i++) {
        replicate(i, i);
    }
    insert_into(&second, 6);
    fail_over(&subject);
    open_it(&subject);
    expect(&subject, ROW("A:4", 4) ROW("A:5", 5) ROW("B:1", 6));
    expect_position(&subject, "mysql:gtid=");
    reopen(&subject);
    insert_into(&second, 7);
    expect(&subject, ROW("B:2", 7));
    end(&subject);
}

/* A replica that applies in parallel may have a transaction before its predecessor. */
static void test_fail_over_with_a_hole_fills_the_hole(void **context)
{
    struct subject subject;
    (void)context;
    open_at(&subject, "now");
    for (int i = 1; i <= 2; i++) {
        insert(i);
    }
    expect(&subject, ROW("A:1", 1) ROW("A:2", 2));
    rf_test_source_close(&subject.source);

    /* From the second server, which has 4 already, but not 3. */
    replicate(1, 1);
    replicate(2, 2);
    replicate(4, 4);
    fail_over(&subject);
    open_it(&subject);
    expect(&subject, ROW("A:4", 4));
    expect_position(&subject, "mysql:gtid=A:1-2:4;");
    rf_test_source_close(&subject.source);

    /* Back to the first: 3 was never seen, 4 was. */
    insert(3);
    insert(4);
    insert(5);
    set(&subject, "port", first.port);
    rf_buf_reset(&subject.source.text);
    open_it(&subject);
    expect(&subject, ROW("A:3", 3) ROW("A:5", 5));
    expect_position(&subject, "mysql:gtid=A:1-5;");
    end(&subject);
}

static void test_an_errant_transaction_is_named(void **context)
{
    struct subject subject;
    (void)context;
    open_at(&subject, "now");
    for (int i = 1; i <= 3; i++) {
        insert(i);
    }
    expect(&subject, ROW("A:1", 1) ROW("A:2", 2) ROW("A:3", 3));
    /* The third one never reached the replica. */
    replicate(1, 1);
    replicate(2, 2);
    insert_into(&second, 4);
    fail_over(&subject);
    refused(&subject, RF_FATAL, lengthened("does not have the transactions A:3 in its history"),
            "fail-over");
    /* Once it has it, all is well. */
    replicate(3, 3);
    open_it(&subject);
    expect(&subject, ROW("B:1", 4));
    end(&subject);
}

/* What the replica has of its own, and nobody else, is a change like any other, unless it was
 * purged: then it was never seen, and will never be. */
static void test_a_replicas_own_transactions_that_are_gone_are_named(void **context)
{
    struct subject subject;
    (void)context;
    open_at(&subject, "now");
    insert(1);
    expect(&subject, ROW("A:1", 1));
    insert_into(&second, 2);
    purge_all(&second);
    replicate(1, 1);
    fail_over(&subject);
    refused(&subject, RF_FATAL, lengthened("has purged the transactions B:1,"), "snapshot");
    end(&subject);
}

/* Cloned from a backup, it has none of the old files, and knows that. */
static void test_a_replica_that_was_cloned_will_do(void **context)
{
    struct subject subject;
    (void)context;
    open_at(&subject, "now");
    insert(1);
    insert(2);
    expect(&subject, ROW("A:1", 1) ROW("A:2", 2));
    rf_test_sql(&second, "SET GLOBAL gtid_purged='%s:1-2'", uuids[0]);
    replicate(3, 3);
    fail_over(&subject);
    open_it(&subject);
    expect(&subject, ROW("A:3", 3));
    end(&subject);
}

/* ---- Without GTIDs ------------------------------------------------------------------------- */

static void test_without_gtids_a_place_is_bound_to_its_server(void **context)
{
    struct subject subject;
    (void)context;
    set_gtid_mode(&first, "OFF");
    set_gtid_mode(&second, "OFF");
    open_at(&subject, "now");
    expect_position(&subject, "mysql:gtid=;file=bin.");
    insert(1);
    insert(2);
    assert_int_equal(rf_test_source_until(&subject.source, "row 2\nend", LIMIT_MS, &subject.err),
                     RF_OK);
    assert_non_null(strstr(rf_buf_cstr(&subject.source.position), ";by=place"));
    reopen(&subject);
    expect(&subject, "");
    insert(3);
    assert_int_equal(rf_test_source_until(&subject.source, "row 3\nend", LIMIT_MS, &subject.err),
                     RF_OK);
    /* The other server has the same file, and more in it. */
    for (int i = 1; i < 9; i++) {
        insert_into(&second, i);
    }
    fail_over(&subject);
    refused(&subject, RF_FATAL, "of another server, and its transactions have no GTIDs",
            "gtid_mode=ON");
    set(&subject, "port", first.port);
    open_it(&subject);
    expect(&subject, "");
    end(&subject);
}

static void test_without_gtids_a_purge_names_the_file(void **context)
{
    struct subject subject;
    (void)context;
    set_gtid_mode(&first, "OFF");
    open_at(&subject, "now");
    insert(1);
    assert_int_equal(rf_test_source_until(&subject.source, "row 1\nend", LIMIT_MS, &subject.err),
                     RF_OK);
    char *file = rf_test_sql_ask(&first, "SHOW BINARY LOG STATUS");
    rf_test_source_close(&subject.source);
    purge_all(&first);
    refused(&subject, RF_FATAL, file, "purged");
    refused(&subject, RF_FATAL, "which the server has deleted", "snapshot");
    free(file);
    end(&subject);
}

static void test_without_gtids_a_reset_is_noticed_by_the_place(void **context)
{
    struct subject subject;
    (void)context;
    set_gtid_mode(&first, "OFF");
    rf_test_sql(&first, "RESET BINARY LOGS AND GTIDS");
    open_at(&subject, "now");
    insert(1);
    assert_int_equal(rf_test_source_until(&subject.source, "row 1\nend", LIMIT_MS, &subject.err),
                     RF_OK);
    rf_test_source_close(&subject.source);
    rf_test_sql(&first, "RESET BINARY LOGS AND GTIDS;\nDELETE FROM shop.t");
    for (int i = 1; i < 9; i++) {
        insert(i);
    }
    refused(&subject, RF_FATAL, "", "RESET MASTER");
    end(&subject);
}

/* The way from none to all, while it is read: what has a GTID is known by it, the rest by place. */
static void test_gtids_are_switched_on_while_it_reads(void **context)
{
    static const char *const modes[] = {"OFF", "OFF_PERMISSIVE", "ON_PERMISSIVE"};
    struct subject subject;
    char text[32];
    (void)context;
    set_gtid_mode(&first, "OFF");
    open_at(&subject, "now");
    for (int i = 0; i < 3; i++) {
        set_gtid_mode(&first, modes[i]);
        insert(i);
        snprintf(text, sizeof text, "row %d\nend", i);
        assert_int_equal(rf_test_source_until(&subject.source, text, LIMIT_MS, &subject.err),
                         RF_OK);
        reopen(&subject);
        expect(&subject, "");
    }
    expect_position(&subject, "mysql:gtid=A:1;file=bin.");
    set_gtid_mode(&first, "ON");
    insert(7);
    expect(&subject, ROW("A:2", 7));
    reopen(&subject);
    insert(8);
    expect(&subject, ROW("A:3", 8));
    end(&subject);
}

static void test_now_is_right_while_gtids_are_switched_on(void **context)
{
    struct subject subject;
    (void)context;
    set_gtid_mode(&first, "ON_PERMISSIVE");
    insert(1);
    open_at(&subject, "now");
    expect_position(&subject, "mysql:gtid=A:1;file=bin.");
    insert(2);
    expect(&subject, ROW("A:2", 2));
    end(&subject);
    prepare(&subject, lengthened("A:1"));
    refused(&subject, RF_CONFIG, "its gtid_mode is not ON", "gtid_mode=ON");
    end(&subject);
}

/* The rows lie behind what the other server sends without being asked, and are asked for. */
static void test_a_fail_over_between_xa_prepare_and_commit_finds_the_rows(void **context)
{
    struct subject subject;
    (void)context;
    static const char xa[] =
        "%sXA START 'x';\nINSERT INTO shop.t VALUES (2, 'row 2');\nXA END 'x';\nXA PREPARE 'x'%s";
    char next[80];
    rf_test_sql(&first, xa, "", "");
    insert(1);
    open_at(&subject, "earliest");
    expect(&subject, ROW("A:2", 1));
    expect_position(&subject, "mysql:gtid=A:1-2;");
    snprintf(next, sizeof next, "SET gtid_next='%s:1';\n", uuids[0]);
    rf_test_sql(&second, xa, next, ";\nSET gtid_next='AUTOMATIC'");
    replicate(2, 1);
    insert_into(&second, 3);
    fail_over(&subject);
    open_it(&subject);
    expect(&subject, ROW("B:1", 3));
    rf_test_sql(&second, "SET gtid_next='%s:3';\nXA COMMIT 'x';\nSET gtid_next='AUTOMATIC'",
                uuids[0]);
    rf_test_sql(&first, "XA COMMIT 'x'");
    expect(&subject, ROW("B:1", 3) ROW("A:3", 2));
    end(&subject);
}

/* ... and are refused by name where they are not there any more. */
static void test_a_fail_over_to_a_server_without_the_prepared_rows_stops(void **context)
{
    struct subject subject;
    (void)context;
    rf_test_sql(&first, "XA START 'x';\nINSERT INTO shop.t VALUES (2, 'row 2');\nXA END 'x';\n"
                        "XA PREPARE 'x'");
    open_at(&subject, "earliest");
    expect(&subject, "");
    rf_test_sql(&second, "SET GLOBAL gtid_purged='%s:1'", uuids[0]);
    fail_over(&subject);
    refused(&subject, RF_FATAL, "XA transactions that were prepared before the position", "");
    rf_test_sql(&first, "XA ROLLBACK 'x'");
    end(&subject);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_now_begins_behind_everything, fresh),
        cmocka_unit_test_setup(test_earliest_begins_with_the_first_file, fresh),
        cmocka_unit_test_setup(test_a_resume_at_any_position_neither_repeats_nor_loses, fresh),
        cmocka_unit_test_setup(test_a_set_says_where_to_begin_and_its_hole_is_filled, fresh),
        cmocka_unit_test_setup(test_a_start_behind_a_filled_hole_repeats_nothing, fresh),
        cmocka_unit_test_setup(test_a_place_before_the_next_file_still_goes_on_by_the_set, fresh),
        cmocka_unit_test_setup(test_files_tell_the_same_of_a_place_before_the_next_one, fresh),
        cmocka_unit_test_setup(test_tagged_transactions_count_by_their_tag, fresh),
        cmocka_unit_test_setup(test_a_place_says_where_to_begin, fresh),
        cmocka_unit_test_setup(test_purged_transactions_are_named, fresh),
        cmocka_unit_test_setup(test_a_purge_of_what_was_read_is_no_loss, fresh),
        cmocka_unit_test_setup(test_a_server_that_was_reset_is_refused, fresh),
        cmocka_unit_test_setup(test_a_position_of_the_other_kind_of_server_is_refused, fresh),
        cmocka_unit_test_setup(test_fail_over_goes_on_behind_the_set, fresh),
        cmocka_unit_test_setup(test_fail_over_with_a_hole_fills_the_hole, fresh),
        cmocka_unit_test_setup(test_an_errant_transaction_is_named, fresh),
        cmocka_unit_test_setup(test_a_replicas_own_transactions_that_are_gone_are_named, fresh),
        cmocka_unit_test_setup(test_a_replica_that_was_cloned_will_do, fresh),
        cmocka_unit_test_setup(test_without_gtids_a_place_is_bound_to_its_server, fresh),
        cmocka_unit_test_setup(test_without_gtids_a_purge_names_the_file, fresh),
        cmocka_unit_test_setup(test_without_gtids_a_reset_is_noticed_by_the_place, fresh),
        cmocka_unit_test_setup(test_gtids_are_switched_on_while_it_reads, fresh),
        cmocka_unit_test_setup(test_now_is_right_while_gtids_are_switched_on, fresh),
        cmocka_unit_test_setup(test_a_fail_over_between_xa_prepare_and_commit_finds_the_rows,
                               fresh),
        cmocka_unit_test_setup(test_a_fail_over_to_a_server_without_the_prepared_rows_stops, fresh),
    };
    return cmocka_run_group_tests(tests, start_servers, end_servers);
}
