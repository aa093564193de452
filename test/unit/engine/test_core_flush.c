/* Flushes that somebody asked for, and what a snapshot may conclude from a read. */
#include "unit/engine/drive.h"

static struct rf_core_status status_of(uint32_t actor)
{
    struct rf_core_status status;
    rf_core_status(drive.core, actor, &status);
    return status;
}

static void expect_flush_and_record_at(uint32_t actor, const char *position)
{
    expect(actor, RF_ACTION_FLUSH);
    expect_position(actor, position);
    done(actor, RF_OK, "the next file");
    expect(actor, RF_ACTION_RECORD);
    expect_position(actor, position);
    assert_true(rf_str_equal(drive.actions[actor].note, RF_STR("the next file")));
    ok(actor);
    assert_int_equal(next(actor)->kind, RF_ACTION_WAIT);
}

static void test_an_idle_sink_flushes_when_it_is_asked_to_once(void **state)
{
    (void)state;
    start_two_at_5();
    drain(SINK);
    drain(OTHER);
    (void)rf_core_take_change(drive.core);
    rf_core_flush_soon(drive.core);
    assert_true(rf_core_take_change(drive.core)); /* those who wait ask again */
    expect_flush_and_record_at(SINK, "P5");
    expect_flush_and_record_at(OTHER, "P5");
}

static void test_a_busy_sink_flushes_when_it_is_back(void **state)
{
    (void)state;
    start_at_5();
    read_transaction(6, 1);
    expect(SINK, RF_ACTION_WRITE);
    rf_core_flush_soon(drive.core);
    ok(SINK);
    expect_flush_and_record_at(SINK, "P6"); /* without waiting for flush_ms */
}

static void test_a_sink_that_is_not_open_is_not_asked(void **state)
{
    (void)state;
    create(1);
    set_recorded(SINK, "P5");
    expect(SINK, RF_ACTION_OPEN);
    rf_core_flush_soon(drive.core);
    ok(SINK);
    expect(SINK, RF_ACTION_WAIT);
}

static void test_a_sink_inside_a_transaction_flushes_at_the_position_before_it(void **state)
{
    (void)state;
    start_at_5();
    read_piece(6, true, false);
    write_one(SINK);
    rf_core_flush_soon(drive.core);
    expect(SINK, RF_ACTION_FLUSH);
    expect_position(SINK, "P5");
}

static void test_an_idle_sink_is_flushed_every_five_seconds(void **state)
{
    (void)state;
    start_at_5();
    drain(SINK);
    expect(SINK, RF_ACTION_WAIT);
    assert_int_equal(drive.actions[SINK].until_ms, drive.now_ms + 5000);
    for (int i = 0; i < 3; i++) {
        drive.now_ms += 4999;
        expect(SINK, RF_ACTION_WAIT);
        drive.now_ms++;
        expect(SINK, RF_ACTION_FLUSH);
        expect_position(SINK, "P5");
        done(SINK, RF_OK, "n");
        expect(SINK, RF_ACTION_WAIT); /* nothing has moved, so nothing is recorded */
    }
}

/* It lost its last moments while nothing came: what it lost is written again. */
static void test_a_destination_that_died_while_idle_is_filled_again(void **state)
{
    (void)state;
    start_at_5();
    read_transaction(6, 1);
    write_one(SINK);
    drive.now_ms += 100;
    drain(SINK);
    drive.now_ms += 5000;
    expect(SINK, RF_ACTION_FLUSH);
    expect_position(SINK, "P6");
    fail_with(SINK, RF_RETRY);
    expect(SINK, RF_ACTION_CLOSE);
    ok(SINK);
    assert_int_equal(status_of(SINK).phase, RF_PHASE_RETRYING);
    drive.now_ms += 5000;
    expect(SINK, RF_ACTION_OPEN);
    expect_position(SINK, "P6");
    done(SINK, RF_OK, "P5");
    assert_int_equal(status_of(SINK).losses, 1);
}

/* Else a sink that has all that is held would seem to have all that there is. */
static void test_a_batch_that_is_read_again_does_not_make_the_feed_current(void **state)
{
    (void)state;
    drive.options.until = RF_STR("P6");
    drive.now_ms = 7000;
    start_at_5();
    struct rf_batch *batch = begin_read();
    add(batch, 6, 1, true, true);
    add(batch, 7, 1, true, true);
    set_position(batch, 7);
    batch->current = true;
    ok(SOURCE);
    assert_int_equal(status_of(SOURCE).current_ms, 0);
    expect(SOURCE, RF_ACTION_CLOSE);
    ok(SOURCE);
    open_source("P5");
    batch = begin_read();
    add(batch, 6, 1, true, true);
    set_position(batch, 6);
    batch->current = true;
    ok(SOURCE);
    assert_int_equal(status_of(SOURCE).current_ms, 7000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_an_idle_sink_flushes_when_it_is_asked_to_once),
        test(test_a_busy_sink_flushes_when_it_is_back),
        test(test_a_sink_that_is_not_open_is_not_asked),
        test(test_a_sink_inside_a_transaction_flushes_at_the_position_before_it),
        test(test_an_idle_sink_is_flushed_every_five_seconds),
        test(test_a_destination_that_died_while_idle_is_filled_again),
        test(test_a_batch_that_is_read_again_does_not_make_the_feed_current),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
