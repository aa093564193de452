/* The core: an operator's orders, refused events, what is counted, and where it ends. */
#include "unit/engine/drive.h"

static struct rf_core_status status_of(uint32_t actor)
{
    struct rf_core_status status;
    rf_core_status(drive.core, actor, &status);
    return status;
}

static void set_sink(uint32_t actor, const char *position, bool ordered, bool buries)
{
    struct rf_core_sink known = {
        .position = rf_str_of(position), .ordered = ordered, .buries = buries};
    rf_core_set_sink(drive.core, actor, &known);
}

/* --------------------------------------------------------------------------------------- orders */

static void test_an_order_is_carried_out_and_recorded_before_anything_is_written(void **state)
{
    (void)state;
    create(1);
    set_sink(SINK, "P3", true, false);
    expect(SINK, RF_ACTION_OPEN);
    assert_true(drive.actions[SINK].ordered && !drive.actions[SINK].first_start);
    expect_position(SINK, "P3");
    done(SINK, RF_OK, "P9"); /* what the destination says of its place is void */
    open_source("P3");
    read_transaction(4, 1);
    expect(SINK, RF_ACTION_FLUSH);
    expect_position(SINK, "P3");
    ok(SINK);
    expect(SINK, RF_ACTION_RECORD); /* although position and note are what is known */
    expect_position(SINK, "P3");
    fail_with(SINK, RF_RETRY);
    drive.now_ms += 4000;
    expect(SINK, RF_ACTION_RECORD);
    ok(SINK);
    write_one(SINK);
    expect(SOURCE, RF_ACTION_ACK);
    expect_position(SOURCE, "P3");
}

static void test_an_order_stands_until_a_record_of_it_worked(void **state)
{
    (void)state;
    create(1);
    set_sink(SINK, "P3", true, false);
    for (int i = 0; i < 3; i++) {
        expect(SINK, RF_ACTION_OPEN);
        assert_true(drive.actions[SINK].ordered);
        ok(SINK);
        expect(SINK, RF_ACTION_FLUSH);
        fail_with(SINK, RF_RETRY);
        expect(SINK, RF_ACTION_CLOSE);
        ok(SINK);
        drive.now_ms += 4000;
    }
    open_sink(SINK, NULL);
    expect(SINK, RF_ACTION_FLUSH);
    ok(SINK);
    expect(SINK, RF_ACTION_RECORD);
    ok(SINK);
    open_source("P3");
    expect(SOURCE, RF_ACTION_ACK);
    ok(SOURCE);
    read_transaction(4, 1);
    expect(SINK, RF_ACTION_WRITE);
    fail_with(SINK, RF_RETRY);
    expect(SINK, RF_ACTION_CLOSE);
    ok(SINK);
    drive.now_ms += 4000;
    expect(SINK, RF_ACTION_OPEN);
    assert_false(drive.actions[SINK].ordered);
}

static void test_an_order_without_a_position_begins_where_from_says(void **state)
{
    (void)state;
    create(1);
    set_sink(SINK, "", true, false);
    expect(SINK, RF_ACTION_OPEN);
    assert_true(drive.actions[SINK].ordered && drive.actions[SINK].first_start);
    done(SINK, RF_OK, "P9");
    expect(SOURCE, RF_ACTION_OPEN);
    expect_position(SOURCE, "");
    done(SOURCE, RF_OK, "P7");
    expect(SINK, RF_ACTION_FLUSH);
    expect_position(SINK, "P7");
    ok(SINK);
    expect(SINK, RF_ACTION_RECORD);
}

/* --------------------------------------------------------------------------------- dead letters */

static void start_burying(void)
{
    create(1);
    set_sink(SINK, "P5", false, true);
    open_sink(SINK, NULL);
    open_source("P5");
    read_transaction(6, 2);
}

static void test_a_rejected_event_is_buried_and_the_sink_is_opened_again_at_once(void **state)
{
    (void)state;
    struct rf_news news;
    start_burying();
    expect(SINK, RF_ACTION_WRITE);
    rf_fail(&drive.err, RF_REJECT, "no luck");
    rf_error_hint(&drive.err, "try a horseshoe");
    done(SINK, RF_REJECT, NULL);
    drive.now_ms += 10000; /* no flush comes between */
    expect(SINK, RF_ACTION_BURY);
    ok(SINK);
    assert_true(told(RF_NEWS_BURIED, &news));
    assert_string_equal(news.message, "no luck");
    assert_string_equal(news.hint, "try a horseshoe");
    assert_int_equal(status_of(SINK).buried, 1);
    expect(SINK, RF_ACTION_CLOSE);
    ok(SINK);
    expect(SINK, RF_ACTION_OPEN);
    expect_position(SINK, "P5");
    ok(SINK);
    write_one(SINK);
    drive.now_ms += 100;
    expect(SINK, RF_ACTION_FLUSH);
    ok(SINK);
    expect(SINK, RF_ACTION_RECORD);
    assert_int_equal(drive.actions[SINK].buried, 1);
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 0);
}

static void test_an_event_that_a_flush_rejects_is_buried_as_well(void **state)
{
    (void)state;
    start_burying();
    write_one(SINK);
    drive.now_ms += 100;
    expect(SINK, RF_ACTION_FLUSH);
    fail_with(SINK, RF_REJECT);
    expect(SINK, RF_ACTION_BURY);
}

static void test_a_burial_that_fails_for_now_is_tried_again_before_anything_else(void **state)
{
    (void)state;
    struct rf_news news;
    start_burying();
    expect(SINK, RF_ACTION_WRITE);
    fail_with(SINK, RF_REJECT);
    for (uint32_t i = 1; i <= 10; i++) {
        expect(SINK, RF_ACTION_BURY);
        fail_with(SINK, RF_RETRY);
        assert_true(told(RF_NEWS_RETRY, &news));
        assert_int_equal(news.try, i);
        expect(SINK, RF_ACTION_WAIT);
        assert_int_equal(drive.actions[SINK].until_ms, drive.now_ms + news.delay_ms);
        drive.now_ms += news.delay_ms;
    }
    expect(SINK, RF_ACTION_BURY);
    fail_with(SINK, RF_FATAL);
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 3);
    assert_int_equal(status_of(SINK).buried, 0);
    close_all();
}

static void test_nothing_is_buried_while_it_stops(void **state)
{
    (void)state;
    start_burying();
    expect(SINK, RF_ACTION_WRITE);
    rf_core_stop(drive.core, drive.now_ms);
    fail_with(SINK, RF_REJECT);
    close_all();
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 0);
}

static void test_burials_without_an_end_do_not_keep_a_processor_busy(void **state)
{
    (void)state;
    start_burying();
    int64_t begun_ms = drive.now_ms;
    for (int i = 0; i < 200; i++) {
        expect(SINK, RF_ACTION_WRITE);
        fail_with(SINK, RF_REJECT);
        expect(SINK, RF_ACTION_BURY);
        ok(SINK);
        expect(SINK, RF_ACTION_CLOSE);
        ok(SINK);
        if (next(SINK)->kind == RF_ACTION_WAIT) {
            drive.now_ms = drive.actions[SINK].until_ms;
            expect(SINK, RF_ACTION_OPEN);
        }
        ok(SINK);
    }
    assert_true(drive.now_ms - begun_ms >= 1000);
}

/* --------------------------------------------------------------------------------------- counts */

static void test_what_was_left_out_by_name_is_counted_with_the_position(void **state)
{
    (void)state;
    start_at_5();
    struct rf_batch *batch = begin_read();
    batch->waived = 2; /* with nothing else: for the next batch */
    batch->current = true;
    ok(SOURCE);
    assert_int_equal(status_of(SOURCE).waived, 2);
    assert_int_equal(status_of(SINK).waived, 0);
    batch = begin_read();
    add(batch, 6, 1, true, true);
    set_position(batch, 6);
    batch->waived = 3;
    ok(SOURCE);
    set_position(begin_read(), 7);
    drive.actions[SOURCE].batch->waived = 1; /* all of it was left out */
    ok(SOURCE);
    drain(SINK);
    drive.now_ms += 100;
    expect(SINK, RF_ACTION_FLUSH);
    ok(SINK);
    expect(SINK, RF_ACTION_RECORD);
    expect_position(SINK, "P7");
    assert_int_equal(drive.actions[SINK].waived, 6);
}

static void test_the_status_says_when_the_upstream_had_nothing_more(void **state)
{
    (void)state;
    start_at_5();
    assert_int_equal(status_of(SINK).current_ms, 0);
    begin_read()->current = true;
    drive.now_ms += 700;
    ok(SOURCE);
    assert_int_equal(status_of(SOURCE).current_ms, drive.now_ms);
    assert_int_equal(status_of(SINK).current_ms, drive.now_ms);
    assert_true(status_of(SOURCE).idle);
    assert_int_equal(status_of(SOURCE).held_bytes, 0);
    int64_t said_ms = drive.now_ms;
    drive.now_ms += 700;
    read_transaction(6, 1);
    assert_int_equal(status_of(SINK).current_ms, said_ms);
}

/* ------------------------------------------------------------------------------------- the end */

static void expect_ended(const char *position)
{
    struct rf_news news;
    assert_true(told(RF_NEWS_ENDED, &news));
    while (next(SINK)->kind != RF_ACTION_EXIT) {
        assert_int_not_equal(drive.actions[SINK].kind, RF_ACTION_WAIT);
        ok(SINK);
    }
    assert_true(rf_str_equal(status_of(SINK).recorded, rf_str_of(position)));
    while (next(SOURCE)->kind == RF_ACTION_ACK) {
        ok(SOURCE);
    }
    assert_int_equal(drive.actions[SOURCE].kind, RF_ACTION_CLOSE);
    ok(SOURCE);
    close_all();
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 0);
}

/* A batch of the transactions from first to last, two events each. */
static struct rf_batch *fill(uint32_t first, uint32_t last)
{
    struct rf_batch *batch = begin_read();
    for (uint32_t number = first; number <= last; number++) {
        add(batch, number, 2, true, true);
    }
    set_position(batch, last);
    return batch;
}

static void test_it_ends_behind_a_position_where_a_batch_ends(void **state)
{
    (void)state;
    drive.options.until = RF_STR("P8");
    start_at_5();
    fill(6, 8);
    ok(SOURCE); /* without a look at what follows */
    expect_ended("P8");
    assert_int_equal(status_of(SINK).events, 6);
}

/* The source goes back once, and hands over one transaction at a time. */
static void expect_ends_inside(void)
{
    fill(6, 9);
    ok(SOURCE);
    assert_int_equal(status_of(SOURCE).held_bytes, 0);
    expect(SOURCE, RF_ACTION_CLOSE);
    ok(SOURCE);
    expect(SOURCE, RF_ACTION_OPEN); /* at once */
    expect_position(SOURCE, "P5");
    done(SOURCE, RF_OK, "P5");
    for (uint32_t number = 6; number <= 8; number++) {
        struct rf_batch *batch = begin_read();
        assert_int_equal(batch->bytes_max, 1);
        add(batch, number, 2, true, true);
        set_position(batch, number);
        ok(SOURCE);
    }
}

static void test_it_ends_behind_a_position_that_lies_inside_a_batch(void **state)
{
    (void)state;
    drive.options.until = RF_STR("P8");
    start_at_5();
    expect_ends_inside();
    expect_ended("P8");
    assert_int_equal(status_of(SINK).events, 6);
    assert_int_equal(status_of(SOURCE).events, 6);
}

static void test_it_ends_before_the_first_transaction_of_a_time(void **state)
{
    (void)state;
    drive.options.until_us = 9; /* T9 is the first one */
    start_at_5();
    expect_ends_inside();
    fill(9, 9);
    ok(SOURCE);
    expect_ended("P8");
}

static void test_a_quiet_source_ends_when_the_time_has_come(void **state)
{
    (void)state;
    struct rf_news news;
    drive.options.until_us = 9;
    drive.options.until_at_ms = drive.now_ms + 1000;
    start_at_5();
    fill(6, 8)->current = true;
    ok(SOURCE);
    assert_false(told(RF_NEWS_ENDED, &news));
    begin_read()->current = true;
    drive.now_ms += 1000;
    ok(SOURCE);
    expect_ended("P8");
}

static void test_a_limit_ends_behind_the_transaction_in_which_it_lies(void **state)
{
    (void)state;
    for (uint64_t limit = 5; limit <= 6; limit++) { /* the events of T8 */
        memset(drive.actions, 0, sizeof drive.actions);
        drive.options.limit = limit;
        start_at_5();
        for (uint32_t number = 6; number <= 8; number++) {
            struct rf_batch *batch = begin_read();
            assert_int_equal(batch->bytes_max, 1); /* it is near, and cannot be passed by */
            add(batch, number, 2, true, true);
            set_position(batch, number);
            ok(SOURCE);
        }
        expect_ended("P8");
        assert_int_equal(status_of(SINK).events, 6);
        rf_core_destroy(drive.core);
    }
    drive.core = NULL;
}

static void test_a_far_limit_costs_nothing_before_it_is_near(void **state)
{
    (void)state;
    drive.options.limit = 1000000;
    start_at_5();
    assert_true(fill(6, 9)->bytes_max > 1000);
}

static void test_a_transaction_that_was_begun_is_completed(void **state)
{
    (void)state;
    drive.options.limit = 2;
    start_at_5();
    read_piece(6, true, false);
    read_piece(6, false, false);
    read_piece(6, false, true);
    expect_ended("P6");
    assert_int_equal(status_of(SINK).events, 9);
}

/* T6 ends in the batch in which the end lies: it comes again from its beginning. */
static void test_the_end_may_lie_right_behind_a_large_transaction(void **state)
{
    (void)state;
    drive.options.until = RF_STR("P6");
    start_at_5();
    read_piece(6, true, false);
    write_one(SINK);
    struct rf_batch *batch = begin_read();
    add(batch, 6, 3, false, true);
    add(batch, 7, 3, true, true);
    set_position(batch, 7);
    ok(SOURCE);
    expect(SOURCE, RF_ACTION_CLOSE);
    ok(SOURCE);
    expect(SINK, RF_ACTION_CLOSE);
    ok(SINK);
    open_sink(SINK, NULL);
    expect(SOURCE, RF_ACTION_OPEN);
    expect_position(SOURCE, "P5");
    done(SOURCE, RF_OK, "P5");
    read_piece(6, true, false);
    read_piece(6, false, true);
    expect_ended("P6");
    assert_int_equal(status_of(SINK).events, 6);
}

static void test_one_that_is_behind_the_end_already_ends_at_once(void **state)
{
    (void)state;
    drive.options.until = RF_STR("P5");
    start_at_5();
    expect(SINK, RF_ACTION_CLOSE);
    ok(SINK);
    expect(SINK, RF_ACTION_EXIT);
    expect(SOURCE, RF_ACTION_CLOSE);
    ok(SOURCE);
    close_all();
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 0);
}

static void test_a_source_that_cannot_be_stopped_between_two_transactions_ends_it_with_3(
    void **state)
{
    (void)state;
    struct rf_error err;
    drive.options.until = RF_STR("P8");
    start_at_5();
    for (int i = 0; i < 2; i++) {
        fill(6, 9);
        ok(SOURCE);
        expect(SOURCE, RF_ACTION_CLOSE);
        ok(SOURCE);
        if (i == 0) {
            open_source("P5");
        }
    }
    assert_int_equal(rf_core_exit_code(drive.core, &err), 3);
    assert_non_null(strstr(err.message, "4 transactions in a batch that is full with one"));
    close_all();
}

static void test_each_feed_ends_there_by_itself(void **state)
{
    (void)state;
    drive.options.until = RF_STR("P62");
    create(2);
    set_recorded_at(SINK, "P50", 1000000);
    set_recorded_at(OTHER, "P60", 100000000);
    open_sink(SINK, NULL);
    open_sink(OTHER, NULL);
    open_source("P60");
    expect(own_source(SINK), RF_ACTION_OPEN);
    done(own_source(SINK), RF_OK, "P50");
    read_transaction(62, 1);
    while (next(OTHER)->kind != RF_ACTION_EXIT) {
        ok(OTHER);
    }
    expect(SINK, RF_ACTION_WAIT);
    expect(SOURCE, RF_ACTION_ACK); /* it stays for the other feed's sake */
    ok(SOURCE);
    expect(SOURCE, RF_ACTION_WAIT);
    expect(own_source(SINK), RF_ACTION_ACK);
    ok(own_source(SINK));
    read_of(own_source(SINK), 62, 1);
    while (next(SINK)->kind != RF_ACTION_EXIT) {
        ok(SINK);
    }
    assert_true(rf_str_equal(status_of(SINK).recorded, RF_STR("P62")));
    expect(SOURCE, RF_ACTION_ACK);
    expect_position(SOURCE, "P62");
    ok(SOURCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_an_order_is_carried_out_and_recorded_before_anything_is_written),
        test(test_an_order_stands_until_a_record_of_it_worked),
        test(test_an_order_without_a_position_begins_where_from_says),
        test(test_a_rejected_event_is_buried_and_the_sink_is_opened_again_at_once),
        test(test_an_event_that_a_flush_rejects_is_buried_as_well),
        test(test_a_burial_that_fails_for_now_is_tried_again_before_anything_else),
        test(test_nothing_is_buried_while_it_stops),
        test(test_burials_without_an_end_do_not_keep_a_processor_busy),
        test(test_what_was_left_out_by_name_is_counted_with_the_position),
        test(test_the_status_says_when_the_upstream_had_nothing_more),
        test(test_it_ends_behind_a_position_where_a_batch_ends),
        test(test_it_ends_behind_a_position_that_lies_inside_a_batch),
        test(test_it_ends_before_the_first_transaction_of_a_time),
        test(test_a_quiet_source_ends_when_the_time_has_come),
        test(test_a_limit_ends_behind_the_transaction_in_which_it_lies),
        test(test_a_far_limit_costs_nothing_before_it_is_near),
        test(test_a_transaction_that_was_begun_is_completed),
        test(test_the_end_may_lie_right_behind_a_large_transaction),
        test(test_one_that_is_behind_the_end_already_ends_at_once),
        test(test_a_source_that_cannot_be_stopped_between_two_transactions_ends_it_with_3),
        test(test_each_feed_ends_there_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
