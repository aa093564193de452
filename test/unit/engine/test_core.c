/* The core, one decision at a time. What it does in the long run is in test_core_seeds.c. */
#include "unit/engine/drive.h"

/* ----------------------------------------------------------------------------------- beginnings */

static void test_a_first_position_is_flushed_and_recorded_before_the_first_read(void **state)
{
    (void)state;
    create(1);
    expect(SOURCE, RF_ACTION_WAIT);
    open_sink(SINK, NULL);
    assert_true(drive.actions[SINK].first_start);
    expect(SINK, RF_ACTION_WAIT);
    expect(SOURCE, RF_ACTION_OPEN);
    expect_position(SOURCE, "");
    done(SOURCE, RF_OK, "P7");
    expect(SOURCE, RF_ACTION_WAIT);
    expect(SINK, RF_ACTION_FLUSH);
    expect_position(SINK, "P7");
    done(SINK, RF_OK, "the note");
    expect(SOURCE, RF_ACTION_WAIT);
    expect(SINK, RF_ACTION_RECORD);
    expect_position(SINK, "P7");
    assert_true(rf_str_equal(drive.actions[SINK].note, RF_STR("the note")));
    ok(SINK);
    expect(SOURCE, RF_ACTION_ACK);
    expect_position(SOURCE, "P7");
    ok(SOURCE);
    expect(SOURCE, RF_ACTION_READ);
}

static void test_the_destinations_own_position_wins_lower_or_higher(void **state)
{
    (void)state;
    static const char *const resumes[] = {"P3", "P9"};
    for (int i = 0; i < 2; i++) {
        struct rf_news news;
        create(1);
        set_recorded(SINK, "P5");
        open_sink(SINK, resumes[i]);
        assert_true(told(RF_NEWS_MOVED, &news));
        assert_int_equal(news.behind, i == 0);
        expect(SOURCE, RF_ACTION_OPEN);
        expect_position(SOURCE, resumes[i]);
        expect(SINK, RF_ACTION_FLUSH);
        expect_position(SINK, resumes[i]);
        ok(SINK);
        expect(SINK, RF_ACTION_RECORD);
        expect_position(SINK, resumes[i]);
        rf_core_destroy(drive.core);
    }
    drive.core = NULL;
}

static void test_the_feed_begins_at_the_oldest_and_sinks_skip_what_they_have(void **state)
{
    (void)state;
    create(3);
    set_recorded(SINK, "P9");
    set_recorded(OTHER, "P3");
    set_recorded(THIRD, "P5");
    open_sink(SINK, NULL);
    open_sink(OTHER, NULL);
    expect(SOURCE, RF_ACTION_WAIT);
    open_sink(THIRD, NULL);
    expect(SOURCE, RF_ACTION_OPEN);
    expect_position(SOURCE, "P3");
    done(SOURCE, RF_OK, "P3");
    struct rf_batch *batch = begin_read();
    for (uint32_t number = 4; number <= 7; number++) {
        add(batch, number, 2, true, true);
    }
    set_position(batch, 7);
    ok(SOURCE);
    expect(SINK, RF_ACTION_WAIT);
    expect(OTHER, RF_ACTION_WRITE);
    assert_int_equal(drive.actions[OTHER].view.count, 8);
    expect(THIRD, RF_ACTION_WRITE);
    assert_int_equal(drive.actions[THIRD].view.count, 4);
    assert_true(rf_str_equal(drive.actions[THIRD].view.transactions[0].id, RF_STR("T6")));
    assert_int_equal(drive.actions[THIRD].view.transaction_count, 2);
    ok(OTHER);
    ok(THIRD);
}

static void test_a_new_sink_begins_where_from_says_the_others_where_they_were(void **state)
{
    (void)state;
    struct rf_news news;
    create(2);
    set_recorded(OTHER, "P3");
    open_sink(SINK, NULL);
    open_sink(OTHER, NULL);
    expect(SOURCE, RF_ACTION_OPEN);
    expect_position(SOURCE, "");
    done(SOURCE, RF_OK, "P100");
    assert_true(told(RF_NEWS_OWN_FEED, &news));
    assert_int_equal(news.actor, SINK);
    assert_int_equal(news.why, RF_OWN_ADDED);
    expect(SINK, RF_ACTION_FLUSH);
    expect_position(SINK, "P100");
    expect(SOURCE, RF_ACTION_CLOSE);
    ok(SOURCE);
    expect(SOURCE, RF_ACTION_OPEN);
    expect_position(SOURCE, "P3");
    done(SOURCE, RF_OK, "P3");
    expect(SOURCE, RF_ACTION_READ); /* the others do not wait for the new one */
    expect(own_source(SINK), RF_ACTION_OPEN);
    expect_position(own_source(SINK), "P100");
    assert_int_equal(drive.actions[own_source(SINK)].feed, 1);
    done(own_source(SINK), RF_OK, "P100");
    expect(own_source(SINK), RF_ACTION_WAIT); /* until the new sink's position is recorded */
    ok(SINK);
    expect(SINK, RF_ACTION_RECORD);
    ok(SINK);
    expect(own_source(SINK), RF_ACTION_ACK);
    expect_position(own_source(SINK), "P3"); /* the smallest of all */
}

static bool foreign_contains(struct rf_str position, struct rf_str other)
{
    return rf_str_equal(position, other);
}

static void test_positions_that_do_not_go_together_end_it_with_3(void **state)
{
    (void)state;
    struct rf_error err;
    drive.options.contains = foreign_contains;
    create(2);
    set_recorded(SINK, "A");
    set_recorded(OTHER, "B");
    open_sink(SINK, NULL);
    open_sink(OTHER, NULL);
    expect(SOURCE, RF_ACTION_EXIT);
    assert_int_equal(rf_core_exit_code(drive.core, &err), 3);
    assert_non_null(strstr(err.message, "\"A\" and \"B\""));
    for (uint32_t actor = SINK; actor <= OTHER; actor++) {
        expect(actor, RF_ACTION_CLOSE);
        ok(actor);
        expect(actor, RF_ACTION_EXIT);
    }
}

static void test_a_source_that_stands_elsewhere_than_asked_ends_it_with_3(void **state)
{
    (void)state;
    create(1);
    set_recorded(SINK, "P5");
    open_sink(SINK, NULL);
    open_source("P6");
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 3);
    close_all();
}

/* ------------------------------------------------------------------------------------- flushing */

static void test_a_flush_comes_in_time_and_then_the_record_before_the_next_write(void **state)
{
    (void)state;
    start_at_5();
    read_transaction(6, 2);
    write_one(SINK);
    expect(SINK, RF_ACTION_WAIT);
    assert_int_equal(drive.actions[SINK].until_ms, drive.now_ms + 100);
    drive.now_ms += 99;
    expect(SINK, RF_ACTION_WAIT);
    drive.now_ms += 1;
    read_transaction(7, 2);
    expect(SINK, RF_ACTION_FLUSH);
    expect_position(SINK, "P6");
    ok(SINK);
    expect(SOURCE, RF_ACTION_READ); /* told only what is on record */
    expect(SINK, RF_ACTION_RECORD);
    expect_position(SINK, "P6");
    assert_int_equal(drive.actions[SINK].events, 2);
    assert_int_equal(drive.actions[SINK].transactions, 1);
    ok(SINK);
    write_one(SINK);
    done(SOURCE, RF_AGAIN, NULL);
    expect(SOURCE, RF_ACTION_ACK);
    expect_position(SOURCE, "P6");
}

static void test_three_quarters_of_the_pool_are_flushed_at_once(void **state)
{
    (void)state;
    drive.options.pool_bytes = 8 * 66 * 1024; /* a batch takes 64 KiB and a little */
    start_at_5();
    for (uint32_t number = 6; number <= 12; number++) {
        read_transaction(number, 2);
    }
    for (uint32_t written = 0; written < 6; written++) {
        write_one(SINK);
    }
    expect(SINK, RF_ACTION_FLUSH); /* although there is more to write */
    expect_position(SINK, "P11");
}

static void test_a_position_that_moved_without_events_is_recorded_after_a_second(void **state)
{
    (void)state;
    start_at_5();
    set_position(begin_read(), 6);
    ok(SOURCE);
    expect(SINK, RF_ACTION_WAIT);
    assert_int_equal(drive.actions[SINK].until_ms, drive.now_ms + 1000);
    drive.now_ms += 500;
    set_position(begin_read(), 7);
    ok(SOURCE);
    expect(SINK, RF_ACTION_WAIT);
    assert_int_equal(drive.actions[SINK].until_ms, drive.now_ms + 500);
    drive.now_ms += 500;
    expect(SINK, RF_ACTION_FLUSH);
    expect_position(SINK, "P7");
    ok(SINK);
    expect(SINK, RF_ACTION_RECORD);
}

static void test_a_position_does_not_move_inside_a_transaction(void **state)
{
    (void)state;
    create(1);
    set_recorded(SINK, "P5");
    open_sink(SINK, NULL);
    open_source("P5");
    read_piece(6, true, false);
    write_one(SINK);
    drive.now_ms += 100;
    expect(SINK, RF_ACTION_FLUSH);
    expect_position(SINK, "P5");
    done(SINK, RF_OK, "n");
    expect(SINK, RF_ACTION_WAIT); /* nothing changed: nothing to record */
    read_piece(6, false, false);
    read_piece(6, false, true);
    write_one(SINK);
    write_one(SINK);
    drive.now_ms += 100;
    expect(SINK, RF_ACTION_FLUSH);
    expect_position(SINK, "P6");
    done(SINK, RF_OK, "n");
    expect(SINK, RF_ACTION_RECORD);
    expect_position(SINK, "P6");
}

static void test_a_full_disk_delays_the_record_without_a_reconnect(void **state)
{
    (void)state;
    struct rf_news news;
    start_at_5();
    read_transaction(6, 2);
    write_one(SINK);
    read_transaction(7, 2);
    drive.now_ms += 100;
    expect(SINK, RF_ACTION_FLUSH);
    ok(SINK);
    for (int i = 0; i < 20; i++) {
        expect(SINK, RF_ACTION_RECORD);
        fail_with(SINK, RF_RETRY);
        assert_true(told(RF_NEWS_RECORD, &news));
        assert_true(news.delay_ms > 0 && news.delay_ms <= 4000);
        expect(SINK, RF_ACTION_WAIT); /* and not to write */
        assert_int_equal(drive.actions[SINK].until_ms, drive.now_ms + news.delay_ms);
        drive.now_ms += news.delay_ms;
    }
    expect(SINK, RF_ACTION_RECORD);
    ok(SINK);
    write_one(SINK);
}

/* ------------------------------------------------------------------------------------- the pool */

static void test_a_full_pool_stops_the_reader_and_makes_the_sink_flush(void **state)
{
    (void)state;
    drive.options.pool_bytes = 8 * 66 * 1024;
    start_at_5();
    uint32_t number = 6;
    while (next(SOURCE)->kind == RF_ACTION_READ) {
        rf_batch_reset(drive.actions[SOURCE].batch, 65536);
        add(drive.actions[SOURCE].batch, number, 1, true, true);
        set_position(drive.actions[SOURCE].batch, number++);
        ok(SOURCE);
        assert_true(number < 20);
    }
    assert_true(number >= 12);
    assert_int_equal(drive.actions[SOURCE].kind, RF_ACTION_WAIT);
    struct rf_core_status status;
    rf_core_status(drive.core, SOURCE, &status);
    assert_int_equal(status.phase, RF_PHASE_FULL);

    /* After 30 s the source is closed, and opened again when the pool is half empty. An only sink
     * keeps its feed, however long it takes. */
    int64_t blocked_ms = drive.now_ms;
    expect(SINK, RF_ACTION_WRITE);
    drive.now_ms = blocked_ms + 29999;
    expect(SOURCE, RF_ACTION_WAIT);
    assert_int_equal(drive.actions[SOURCE].until_ms, blocked_ms + 30000);
    drive.now_ms = blocked_ms + 30000;
    expect(SOURCE, RF_ACTION_CLOSE);
    ok(SOURCE);
    expect(SOURCE, RF_ACTION_WAIT);
    ok(SINK);
    /* It takes all there is, and does not wait with its flush while the source does. */
    bool flushed = false;
    while (next(SINK)->kind != RF_ACTION_WAIT) {
        flushed |= drive.actions[SINK].kind == RF_ACTION_FLUSH;
        ok(SINK);
    }
    assert_true(flushed);
    drive.now_ms += 100;
    while (next(SINK)->kind != RF_ACTION_WAIT) {
        ok(SINK);
    }
    rf_core_status(drive.core, SINK, &status);
    assert_true(rf_str_equal(status.recorded, status.position));
    assert_true(status.idle && !status.own_feed);
    snprintf(drive.text, sizeof drive.text, "P%u", number - 1);
    expect(SOURCE, RF_ACTION_OPEN);
    expect_position(SOURCE, drive.text);
}

static void test_one_batch_larger_than_the_pool_gets_through(void **state)
{
    (void)state;
    drive.options.pool_bytes = 8 * 66 * 1024;
    start_at_5();
    struct rf_batch *batch = begin_read();
    add(batch, 6, 1, true, true);
    rf_arena_alloc(&batch->arena, 10 << 20);
    set_position(batch, 6);
    ok(SOURCE);
    expect(SOURCE, RF_ACTION_WAIT);
    write_one(SINK);
    expect(SINK, RF_ACTION_FLUSH);
    ok(SINK);
    struct rf_batch *same = batch;
    batch = begin_read();
    assert_ptr_equal(batch, same); /* its memory is given back first */
    assert_true(rf_batch_bytes(batch) < 1 << 20);
}

/* ------------------------------------------------------------------------------------- failures */

static void test_back_off_grows_to_4_s_with_jitter(void **state)
{
    (void)state;
    struct rf_news news;
    start_at_5();
    int64_t most_ms = 100;
    for (uint32_t i = 1; i <= 50; i++) {
        expect(SOURCE, RF_ACTION_READ);
        fail_with(SOURCE, RF_RETRY);
        assert_true(told(RF_NEWS_RETRY, &news));
        assert_int_equal(news.try, i);
        assert_true(news.delay_ms >= most_ms / 2 && news.delay_ms <= most_ms);
        most_ms = most_ms * 2 > 4000 ? 4000 : most_ms * 2;
        expect(SOURCE, RF_ACTION_CLOSE);
        ok(SOURCE);
        expect(SOURCE, RF_ACTION_WAIT);
        assert_int_equal(drive.actions[SOURCE].until_ms, drive.now_ms + news.delay_ms);
        drive.now_ms += news.delay_ms;
        open_source("P5");
    }
    /* A read that works begins it anew, even one that finds nothing. */
    expect(SOURCE, RF_ACTION_READ);
    done(SOURCE, RF_AGAIN, NULL);
    expect(SOURCE, RF_ACTION_READ);
    fail_with(SOURCE, RF_RETRY);
    assert_true(told(RF_NEWS_RETRY, &news));
    assert_int_equal(news.try, 1);
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 0);
}

static void test_a_first_connection_is_tried_for_10_s_then_5(void **state)
{
    (void)state;
    create(1);
    int64_t start_ms = drive.now_ms;
    int tries = 0;
    while (next(SINK)->kind == RF_ACTION_OPEN) {
        rf_fail(&drive.err, RF_RETRY, "connection refused");
        drive.err.connect = true;
        done(SINK, RF_RETRY, NULL);
        expect(SINK, RF_ACTION_CLOSE);
        ok(SINK);
        if (next(SINK)->kind == RF_ACTION_EXIT) {
            break;
        }
        drive.now_ms = drive.actions[SINK].until_ms;
        tries++;
    }
    assert_true(drive.now_ms - start_ms <= 10000 && drive.now_ms - start_ms > 5000 && tries > 4);
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 5);
    expect(SOURCE, RF_ACTION_EXIT);
    expect(own_source(SINK), RF_ACTION_EXIT);
    assert_true(rf_core_finished(drive.core));
}

static void test_refused_credentials_end_a_first_start_at_once(void **state)
{
    (void)state;
    create(1);
    expect(SINK, RF_ACTION_OPEN);
    rf_fail(&drive.err, RF_CONFIG, "wrong password");
    drive.err.access = true;
    done(SINK, RF_CONFIG, NULL);
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 2);
}

static void test_refused_credentials_at_a_reconnect_are_tried_5_times(void **state)
{
    (void)state;
    start_at_5();
    expect(SOURCE, RF_ACTION_READ);
    fail_with(SOURCE, RF_RETRY);
    for (int i = 1; i <= 5; i++) {
        expect(SOURCE, RF_ACTION_CLOSE);
        ok(SOURCE);
        assert_int_equal(rf_core_exit_code(drive.core, NULL), 0);
        expect(SOURCE, RF_ACTION_WAIT);
        drive.now_ms = drive.actions[SOURCE].until_ms;
        expect(SOURCE, RF_ACTION_OPEN);
        rf_fail(&drive.err, RF_CONFIG, "wrong password");
        drive.err.access = true;
        done(SOURCE, RF_CONFIG, NULL);
    }
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 2);
    close_all();
}

static void test_a_rejected_event_ends_it_with_4_after_others_have_flushed(void **state)
{
    (void)state;
    create(2);
    set_recorded(SINK, "P5");
    set_recorded(OTHER, "P5");
    open_sink(SINK, NULL);
    open_sink(OTHER, NULL);
    open_source("P5");
    read_transaction(6, 2);
    read_transaction(7, 2);
    expect(SOURCE, RF_ACTION_READ);
    write_one(OTHER);
    expect(SINK, RF_ACTION_WRITE);
    fail_with(SINK, RF_REJECT);
    uint32_t actor;
    assert_true(rf_core_take_interrupt(drive.core, &actor));
    assert_int_equal(actor, SOURCE);
    expect(OTHER, RF_ACTION_FLUSH); /* and not to write */
    expect_position(OTHER, "P6");
    ok(OTHER);
    expect(OTHER, RF_ACTION_RECORD);
    ok(OTHER);
    fail_with(SOURCE, RF_RETRY);
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 4);
    close_all();
}

static void test_a_source_lost_inside_a_transaction_reopens_the_sinks_that_began_it(void **state)
{
    (void)state;
    struct rf_news news;
    create(2);
    set_recorded(SINK, "P5");
    set_recorded(OTHER, "P5");
    open_sink(SINK, NULL);
    open_sink(OTHER, NULL);
    open_source("P5");
    struct rf_batch *batch = begin_read();
    add(batch, 6, 2, true, true);
    set_position(batch, 6);
    ok(SOURCE);
    batch = begin_read();
    add(batch, 7, 2, true, true);
    add(batch, 8, 3, true, false);
    set_position(batch, 7);
    ok(SOURCE);
    write_one(SINK);
    write_one(SINK);
    write_one(OTHER);
    expect(SOURCE, RF_ACTION_READ);
    fail_with(SOURCE, RF_RETRY);
    assert_true(told(RF_NEWS_REOPEN, &news));
    assert_int_equal(news.actor, SINK);
    expect(OTHER, RF_ACTION_WRITE);
    assert_int_equal(drive.actions[OTHER].view.count, 2); /* without the piece of T8 */
    ok(OTHER);
    expect(SOURCE, RF_ACTION_CLOSE);
    ok(SOURCE);
    expect(SINK, RF_ACTION_CLOSE);
    ok(SINK);
    expect(SINK, RF_ACTION_OPEN);
    expect_position(SINK, "P5");
    ok(SINK);
    expect(SINK, RF_ACTION_WRITE);
    assert_true(rf_str_equal(drive.actions[SINK].view.transactions[0].id, RF_STR("T6")));
    drive.now_ms += 100;
    expect(SOURCE, RF_ACTION_OPEN);
    expect_position(SOURCE, "P7");
}

static void test_a_sink_that_stands_before_what_is_held_takes_the_source_back(void **state)
{
    (void)state;
    start_at_5();
    read_transaction(6, 2);
    write_one(SINK);
    drive.now_ms += 100;
    expect(SINK, RF_ACTION_FLUSH);
    ok(SINK);
    expect(SINK, RF_ACTION_RECORD);
    ok(SINK);
    expect(SOURCE, RF_ACTION_ACK);
    ok(SOURCE);
    read_transaction(7, 2);
    expect(SINK, RF_ACTION_WRITE);
    fail_with(SINK, RF_RETRY);
    expect(SINK, RF_ACTION_CLOSE);
    ok(SINK);
    expect(SOURCE, RF_ACTION_READ);
    drive.now_ms += 100;
    open_sink(SINK, "P4"); /* the destination was restored from a backup */
    uint32_t actor;
    assert_true(rf_core_take_interrupt(drive.core, &actor));
    assert_int_equal(actor, SOURCE);
    fail_with(SOURCE, RF_RETRY);
    expect(SOURCE, RF_ACTION_CLOSE);
    ok(SOURCE);
    expect(SOURCE, RF_ACTION_OPEN); /* at once: it did not fail */
    expect_position(SOURCE, "P4");
}

/* -------------------------------------------------------------------------------------- endings */

static void test_at_the_end_of_the_source_all_is_flushed_recorded_and_acknowledged(void **state)
{
    (void)state;
    start_at_5();
    struct rf_batch *batch = begin_read();
    add(batch, 6, 2, true, true);
    set_position(batch, 6);
    batch->end = true;
    ok(SOURCE);
    expect(SOURCE, RF_ACTION_WAIT);
    write_one(SINK);
    expect(SINK, RF_ACTION_FLUSH);
    ok(SINK);
    expect(SINK, RF_ACTION_RECORD);
    ok(SINK);
    expect(SOURCE, RF_ACTION_ACK);
    expect_position(SOURCE, "P6");
    ok(SOURCE);
    expect(SOURCE, RF_ACTION_WAIT);
    expect(SINK, RF_ACTION_CLOSE);
    ok(SINK);
    expect(SINK, RF_ACTION_EXIT);
    expect(SOURCE, RF_ACTION_CLOSE);
    ok(SOURCE);
    expect(SOURCE, RF_ACTION_EXIT);
    expect(own_source(SINK), RF_ACTION_EXIT);
    assert_true(rf_core_finished(drive.core));
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 0);
}

static void test_a_stop_writes_nothing_more_and_flushes(void **state)
{
    (void)state;
    uint32_t actor;
    start_at_5();
    read_transaction(6, 2);
    read_transaction(7, 2);
    expect(SOURCE, RF_ACTION_READ);
    write_one(SINK);
    rf_core_stop(drive.core, drive.now_ms);
    assert_true(rf_core_take_interrupt(drive.core, &actor));
    assert_int_equal(actor, SOURCE);
    assert_false(rf_core_take_interrupt(drive.core, &actor));
    fail_with(SOURCE, RF_RETRY);
    expect(SINK, RF_ACTION_FLUSH);
    expect_position(SINK, "P6");
    ok(SINK);
    expect(SINK, RF_ACTION_RECORD);
    ok(SINK);
    close_all();
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 0);
}

static void test_a_stop_that_takes_4_s_leaves_without_the_flush(void **state)
{
    (void)state;
    uint32_t actor;
    struct rf_news news;
    start_at_5();
    read_transaction(6, 2);
    expect(SINK, RF_ACTION_WRITE);
    rf_core_stop(drive.core, drive.now_ms);
    assert_int_equal(rf_core_tick(drive.core, drive.now_ms), drive.now_ms + 4000);
    assert_false(rf_core_take_interrupt(drive.core, &actor));
    drive.now_ms += 4000;
    assert_int_equal(rf_core_tick(drive.core, drive.now_ms), INT64_MAX);
    assert_true(rf_core_expired(drive.core));
    assert_true(rf_core_take_interrupt(drive.core, &actor));
    assert_int_equal(actor, SINK);
    assert_true(told(RF_NEWS_EXPIRED, &news));
    fail_with(SINK, RF_RETRY);
    close_all();
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 0);
}

/* A sink that hangs must not keep the reason for itself. */
static void test_a_failed_source_waits_for_its_sinks_only_so_long(void **state)
{
    (void)state;
    uint32_t interrupted = 99;
    struct rf_news news;
    start_at_5();
    read_piece(6, true, true);
    expect(SINK, RF_ACTION_WRITE); /* and never comes back */
    expect(SOURCE, RF_ACTION_READ);
    fail_with(SOURCE, RF_FATAL);
    int64_t look_at_ms = rf_core_tick(drive.core, drive.now_ms);
    assert_int_equal(look_at_ms, drive.now_ms + 10000);
    assert_false(rf_core_take_interrupt(drive.core, &interrupted));
    drive.now_ms = look_at_ms;
    look_at_ms = rf_core_tick(drive.core, drive.now_ms);
    assert_int_equal(look_at_ms, drive.now_ms + 4000);
    drive.now_ms = look_at_ms;
    rf_core_tick(drive.core, drive.now_ms);
    assert_true(rf_core_take_interrupt(drive.core, &interrupted));
    assert_int_equal(interrupted, SINK);
    assert_true(told(RF_NEWS_EXPIRED, &news));
    fail_with(SINK, RF_RETRY);
    close_all();
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_a_first_position_is_flushed_and_recorded_before_the_first_read),
        test(test_the_destinations_own_position_wins_lower_or_higher),
        test(test_the_feed_begins_at_the_oldest_and_sinks_skip_what_they_have),
        test(test_a_new_sink_begins_where_from_says_the_others_where_they_were),
        test(test_positions_that_do_not_go_together_end_it_with_3),
        test(test_a_source_that_stands_elsewhere_than_asked_ends_it_with_3),
        test(test_a_flush_comes_in_time_and_then_the_record_before_the_next_write),
        test(test_three_quarters_of_the_pool_are_flushed_at_once),
        test(test_a_position_that_moved_without_events_is_recorded_after_a_second),
        test(test_a_position_does_not_move_inside_a_transaction),
        test(test_a_full_disk_delays_the_record_without_a_reconnect),
        test(test_a_full_pool_stops_the_reader_and_makes_the_sink_flush),
        test(test_one_batch_larger_than_the_pool_gets_through),
        test(test_back_off_grows_to_4_s_with_jitter),
        test(test_a_first_connection_is_tried_for_10_s_then_5),
        test(test_refused_credentials_end_a_first_start_at_once),
        test(test_refused_credentials_at_a_reconnect_are_tried_5_times),
        test(test_a_rejected_event_ends_it_with_4_after_others_have_flushed),
        test(test_a_source_lost_inside_a_transaction_reopens_the_sinks_that_began_it),
        test(test_a_sink_that_stands_before_what_is_held_takes_the_source_back),
        test(test_at_the_end_of_the_source_all_is_flushed_recorded_and_acknowledged),
        test(test_a_stop_writes_nothing_more_and_flushes),
        test(test_a_stop_that_takes_4_s_leaves_without_the_flush),
        test(test_a_failed_source_waits_for_its_sinks_only_so_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
