/* The core: which sink takes from which feed. */
#include "unit/engine/drive.h"
#include "unit/engine/sim_process.h"

static struct rf_core_status status_of(uint32_t actor)
{
    struct rf_core_status status;
    rf_core_status(drive.core, actor, &status);
    return status;
}

/* Reads transactions of one event from `number` on until the pool is full. Returns the number of
 * the next one. */
static uint32_t fill_pool(uint32_t number)
{
    while (next(SOURCE)->kind != RF_ACTION_WAIT) {
        if (drive.actions[SOURCE].kind == RF_ACTION_READ) {
            rf_batch_reset(drive.actions[SOURCE].batch, 65536);
            add(drive.actions[SOURCE].batch, number, 1, true, true);
            set_position(drive.actions[SOURCE].batch, number++);
        }
        ok(SOURCE);
    }
    return number;
}

/* SINK and OTHER at P5, a pool of 8 batches. */
static void start_small(void)
{
    drive.options.pool_bytes = 8 * SIM_BATCH_BYTES;
    start_two_at_5();
}

/* SINK hangs in a write, the pool is full, OTHER has nothing left to do. Returns the number of the
 * next transaction. */
static uint32_t stall_sink(void)
{
    start_small();
    read_transaction(6, 1);
    expect(SINK, RF_ACTION_WRITE);
    uint32_t number = fill_pool(7);
    drain(OTHER);
    return number;
}

/* ---------------------------------------------------------------------------- the way out: slow */

static void test_a_stalled_sink_is_sent_away_after_500_ms_and_the_others_go_on(void **state)
{
    (void)state;
    struct rf_news news;
    uint32_t actor, number = stall_sink();
    assert_int_equal(drive.actions[OTHER].until_ms, drive.now_ms + 500); /* it looks at the clock */
    assert_int_equal(status_of(SOURCE).phase, RF_PHASE_FULL);
    drive.now_ms += 499;
    expect(OTHER, RF_ACTION_WAIT);
    assert_false(rf_core_take_interrupt(drive.core, &actor));
    drive.now_ms += 1;
    expect(OTHER, RF_ACTION_WAIT);
    assert_true(rf_core_take_change(drive.core));
    assert_true(rf_core_take_interrupt(drive.core, &actor));
    assert_int_equal(actor, SINK);
    assert_true(told(RF_NEWS_OWN_FEED, &news));
    assert_int_equal(news.why, RF_OWN_SLOW);
    assert_int_equal(news.actor, SINK);
    assert_true(status_of(SINK).own_feed && !status_of(OTHER).own_feed);

    /* The call has not come back: its batch stays as it is, and the source is read all the same. */
    const struct rf_batch *seen = drive.actions[SINK].view.batch;
    for (int i = 0; i < 50; i++) {
        number = fill_pool(number);
        drain(OTHER);
        drive.now_ms += 100;
        drain(OTHER);
        assert_int_equal(seen->count, 1);
        assert_true(rf_str_equal(seen->transactions[0].id, RF_STR("T6")));
        assert_true(status_of(SOURCE).held_bytes <= 10 * SIM_BATCH_BYTES);
    }
    assert_true(number > 100);

    /* It comes back, is closed and opened again, and goes on with a source of its own. */
    expect(own_source(SINK), RF_ACTION_WAIT);
    fail_with(SINK, RF_RETRY);
    expect(SINK, RF_ACTION_CLOSE);
    ok(SINK);
    assert_int_equal(status_of(SOURCE).held_bytes, 0);
    expect(own_source(SINK), RF_ACTION_WAIT); /* where it goes on is not known yet */
    open_sink(SINK, NULL);                    /* at once: it did not fail */
    expect(own_source(SINK), RF_ACTION_OPEN);
    expect_position(own_source(SINK), "P5");
    assert_int_equal(drive.actions[own_source(SINK)].feed, SINK);
    done(own_source(SINK), RF_OK, "P5");
    expect(own_source(SINK), RF_ACTION_ACK);
    ok(own_source(SINK));
    read_of(own_source(SINK), 6, 1);
    expect(SINK, RF_ACTION_WRITE);
}

static void test_an_answer_that_comes_after_all_is_not_counted(void **state)
{
    (void)state;
    stall_sink();
    drive.now_ms += 500;
    expect(OTHER, RF_ACTION_WAIT);
    ok(SINK);
    assert_int_equal(status_of(SINK).events, 0);
    expect(SINK, RF_ACTION_CLOSE);
    ok(SINK);
    open_sink(SINK, NULL);
    expect(own_source(SINK), RF_ACTION_OPEN);
    expect_position(own_source(SINK), "P5");
}

static void test_a_sink_that_is_being_opened_again_holds_back_nobody(void **state)
{
    (void)state;
    struct rf_news news;
    uint32_t actor;
    start_small();
    read_transaction(6, 1);
    expect(SINK, RF_ACTION_WRITE);
    fail_with(SINK, RF_RETRY);
    expect(SINK, RF_ACTION_CLOSE);
    ok(SINK);
    drive.now_ms += 100;
    expect(SINK, RF_ACTION_OPEN); /* which hangs */
    uint32_t number = fill_pool(7);
    drain(OTHER);
    drive.now_ms += 400;
    expect(OTHER, RF_ACTION_WAIT);
    assert_true(told(RF_NEWS_OWN_FEED, &news));
    assert_false(rf_core_take_interrupt(drive.core, &actor)); /* it is where it should be */
    assert_true(fill_pool(number) > number);
    ok(SINK);
    expect(own_source(SINK), RF_ACTION_OPEN);
    expect_position(own_source(SINK), "P5");
}

/* SINK takes call_ms for each call, OTHER none. How long until SINK is sent away; at most
 * limit_ms. */
static int64_t run_slow(int64_t call_ms, int64_t read_ms, int64_t limit_ms)
{
    uint32_t number = 6;
    int64_t begun_ms = drive.now_ms, write_ms = 0, read_at_ms = 0;
    bool busy = false;
    start_small();
    while (!status_of(SINK).own_feed && drive.now_ms - begun_ms < limit_ms) {
        if (busy && drive.now_ms >= write_ms) {
            ok(SINK);
            busy = false;
        }
        if (!busy && next(SINK)->kind != RF_ACTION_WAIT) {
            busy = true;
            write_ms = drive.now_ms + call_ms;
        }
        if (drive.now_ms >= read_at_ms && next(SOURCE)->kind != RF_ACTION_WAIT) {
            if (drive.actions[SOURCE].kind == RF_ACTION_READ) {
                rf_batch_reset(drive.actions[SOURCE].batch, 65536);
                add(drive.actions[SOURCE].batch, number, 1, true, true);
                set_position(drive.actions[SOURCE].batch, number++);
                read_at_ms = drive.now_ms + read_ms;
            }
            ok(SOURCE);
        }
        drain(OTHER);
        drive.now_ms += 5;
    }
    return drive.now_ms - begun_ms;
}

static void test_a_slow_sink_is_sent_away_when_it_has_held_back_others_for_10_s(void **state)
{
    (void)state;
    int64_t after_ms = run_slow(200, 5, 60000);
    assert_true(after_ms >= 10000 && after_ms < 16000);
}

static void test_a_sink_that_keeps_up_is_not_sent_away(void **state)
{
    (void)state;
    assert_true(run_slow(50, 100, 300000) >= 300000); /* faster than the source, in slow calls */
}

static void test_an_only_sink_stays_however_slow_it_is(void **state)
{
    (void)state;
    uint32_t actor;
    drive.options.pool_bytes = 8 * SIM_BATCH_BYTES;
    start_at_5();
    read_transaction(6, 1);
    expect(SINK, RF_ACTION_WRITE);
    fill_pool(7);
    drive.now_ms += 29999;
    expect(SOURCE, RF_ACTION_WAIT);
    assert_false(rf_core_take_interrupt(drive.core, &actor));
    assert_false(status_of(SINK).own_feed);
}

static void test_the_last_sink_of_the_shared_feed_stays_there(void **state)
{
    (void)state;
    uint32_t number = stall_sink(), actor;
    drive.now_ms += 500;
    expect(OTHER, RF_ACTION_WAIT);
    assert_true(rf_core_take_interrupt(drive.core, &actor));
    number = fill_pool(number);
    expect(OTHER, RF_ACTION_WRITE); /* and now this one stalls as well */
    fail_with(SINK, RF_RETRY);
    drain(SINK);
    fill_pool(number);
    drive.now_ms += 25000;
    expect(SOURCE, RF_ACTION_WAIT);
    expect(SINK, RF_ACTION_FLUSH); /* it has been idle */
    ok(SINK);
    drain(SINK);
    assert_false(rf_core_take_interrupt(drive.core, &actor));
    assert_false(status_of(OTHER).own_feed);
}

/* ----------------------------------------------------------- the way out: a start, and a return */

static void test_at_a_start_a_sink_a_minute_behind_gets_a_feed_of_its_own(void **state)
{
    (void)state;
    static const int64_t behind_us[] = {60000000, 60000001};
    for (int i = 0; i < 2; i++) {
        struct rf_news news;
        create(3);
        set_recorded_at(SINK, "P5", 1000000000 - behind_us[i]);
        set_recorded_at(OTHER, "P90", 1000000000);
        set_recorded_at(THIRD, "P70", 0); /* not known */
        open_sink(SINK, NULL);
        open_sink(OTHER, NULL);
        open_sink(THIRD, NULL);
        expect(SOURCE, RF_ACTION_OPEN);
        expect_position(SOURCE, i == 0 ? "P5" : "P70");
        assert_int_equal(told(RF_NEWS_OWN_FEED, &news), i == 1);
        assert_int_equal(status_of(SINK).own_feed, i == 1);
        if (i == 1) {
            assert_int_equal(news.why, RF_OWN_BEHIND);
            expect(own_source(SINK), RF_ACTION_WAIT); /* the others' comes first */
            fail_with(SOURCE, RF_RETRY);
            expect(SOURCE, RF_ACTION_CLOSE);
            ok(SOURCE);
            expect(own_source(SINK), RF_ACTION_WAIT);
            drive.now_ms += 100;
            open_source("P70");
            expect(own_source(SINK), RF_ACTION_OPEN);
            expect_position(own_source(SINK), "P5");
        } else {
            expect(own_source(SINK), RF_ACTION_WAIT);
        }
        rf_core_destroy(drive.core);
    }
    drive.core = NULL;
}

static void test_at_a_start_a_sink_that_was_set_back_gets_a_feed_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct rf_news news;
        const struct rf_core_sink order = {.position = RF_STR("P5"), .ordered = true};
        create(3);
        set_recorded_at(SINK, "P90", 1000000000);
        set_recorded_at(OTHER, "P90", 1000000000);
        set_recorded_at(THIRD, "P70", 0);
        if (i == 0) {
            rf_core_set_sink(drive.core, OTHER, &order);
        } else if (i == 2) {
            rf_core_set_sink(drive.core, SINK, &order); /* all of them: one stays */
            rf_core_set_sink(drive.core, OTHER, &order);
            rf_core_set_sink(drive.core, THIRD, &order);
        }
        open_sink(SINK, NULL);
        open_sink(OTHER, i == 1 ? "P5" : NULL); /* or its destination went back by itself */
        open_sink(THIRD, NULL);
        drain(SINK);
        drain(OTHER); /* recorded, before it is known where the others stand */
        drain(THIRD);
        assert_int_equal(status_of(OTHER).losses, i == 1);
        expect(SOURCE, RF_ACTION_OPEN);
        expect_position(SOURCE, i == 2 ? "P5" : "P70");
        assert_int_equal(told(RF_NEWS_OWN_FEED, &news), i != 2);
        assert_false(status_of(SINK).own_feed);
        assert_false(status_of(THIRD).own_feed);
        if (i != 2) {
            assert_int_equal(news.actor, OTHER);
            assert_int_equal(news.why, RF_OWN_BEHIND);
            done(SOURCE, RF_OK, "P70");
            expect(own_source(OTHER), RF_ACTION_OPEN);
            expect_position(own_source(OTHER), "P5");
        }
        rf_core_destroy(drive.core);
    }
    drive.core = NULL;
}

static void test_a_new_sink_that_begins_where_the_others_are_shares_their_feed(void **state)
{
    (void)state;
    struct rf_news news;
    create(2);
    set_recorded(OTHER, "P100");
    open_sink(SINK, NULL);
    open_sink(OTHER, NULL);
    open_source("P100");
    assert_false(told(RF_NEWS_OWN_FEED, &news));
    assert_false(status_of(SINK).own_feed);
}

static void test_a_sink_that_returns_behind_what_is_held_parts_and_the_others_stay(void **state)
{
    (void)state;
    struct rf_news news;
    start_two_at_5();
    read_transaction(6, 2);
    for (uint32_t actor = SINK; actor <= OTHER; actor++) {
        write_one(actor);
    }
    drive.now_ms += 100;
    drain(SINK);
    drain(OTHER);
    expect(SOURCE, RF_ACTION_ACK);
    ok(SOURCE);
    read_transaction(7, 2);
    expect(SINK, RF_ACTION_WRITE);
    fail_with(SINK, RF_RETRY);
    expect(SINK, RF_ACTION_CLOSE);
    ok(SINK);
    drive.now_ms += 100;
    expect(SOURCE, RF_ACTION_READ);
    open_sink(SINK, "P4"); /* the destination was restored from a backup */
    assert_true(told(RF_NEWS_OWN_FEED, &news));
    assert_int_equal(news.why, RF_OWN_RETURNED);
    done(SOURCE, RF_AGAIN, NULL); /* nobody has interrupted it */
    expect(SOURCE, RF_ACTION_READ);
    expect(own_source(SINK), RF_ACTION_OPEN);
    expect_position(own_source(SINK), "P4");
}

static void test_positions_of_all_feeds_must_go_together(void **state)
{
    (void)state;
    create(2);
    set_recorded(SINK, "P3");
    set_recorded(OTHER, "elsewhere");
    open_sink(SINK, NULL);
    open_sink(OTHER, NULL);
    expect(SOURCE, RF_ACTION_EXIT);
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 3);
}

/* --------------------------------------------------------------------------------- the way back */

/* SINK, which was behind, stands with a feed of its own at P50, the shared feed at P60. Both have
 * nothing to do. */
static void start_apart(void)
{
    drive.options.pool_bytes = 32 * SIM_BATCH_BYTES;
    create(2);
    set_recorded_at(SINK, "P50", 1000000);
    set_recorded_at(OTHER, "P60", 100000000);
    open_sink(SINK, NULL);
    open_sink(OTHER, NULL);
    open_source("P60");
    expect(own_source(SINK), RF_ACTION_OPEN);
    done(own_source(SINK), RF_OK, "P50");
    expect(OTHER, RF_ACTION_WAIT);
    drive.now_ms += 1000;
}

/* What the sink was given, down to its first and last transaction. */
static void expect_write(uint32_t actor, const char *first, const char *last)
{
    expect(actor, RF_ACTION_WRITE);
    const struct rf_view *view = &drive.actions[actor].view;
    assert_true(rf_str_equal(view->transactions[0].id, rf_str_of(first)));
    assert_true(rf_str_equal(view->transactions[view->transaction_count - 1].id, rf_str_of(last)));
}

/* Acknowledges what there is to be. */
static void ack(uint32_t source)
{
    while (next(source)->kind == RF_ACTION_ACK) {
        ok(source);
    }
    if (drive.actions[source].kind == RF_ACTION_READ) {
        done(source, RF_AGAIN, NULL);
    }
}

static void read_many(uint32_t source, uint32_t first, uint32_t last)
{
    ack(source);
    struct rf_batch *batch = begin_read_of(source);
    for (uint32_t number = first; number <= last; number++) {
        add(batch, number, 1, true, true);
    }
    set_position(batch, last);
    batch->commit_us = (int64_t)last * 1000000;
    ok(source);
}

static void test_a_sink_that_has_caught_up_goes_along_with_the_others_again(void **state)
{
    (void)state;
    struct rf_news news;
    uint32_t actor;
    start_apart();
    read_many(SOURCE, 61, 62);
    drain(OTHER);
    drive.now_ms += 100;
    drain(OTHER); /* and P62 is not held any more */
    read_many(own_source(SINK), 51, 58);
    expect_write(SINK, "T51", "T58");
    ok(SINK);
    expect(SINK, RF_ACTION_WAIT); /* near: from P62 on the shared feed keeps its batches */
    read_many(SOURCE, 63, 64);
    drain(OTHER);
    drive.now_ms += 50;
    read_many(own_source(SINK), 59, 63); /* it is ahead of P62 then, with an event of T63 */
    expect_write(SINK, "T59", "T63");
    ok(SINK);
    expect(SINK, RF_ACTION_FLUSH); /* not due yet: but the own pool is emptied next */
    expect_position(SINK, "P63");
    ok(SINK);
    assert_true(status_of(SINK).own_feed);
    expect(SINK, RF_ACTION_RECORD);
    ok(SINK);
    expect_write(SINK, "T64", "T64");
    assert_true(told(RF_NEWS_REJOINED, &news));
    assert_int_equal(news.actor, SINK);
    assert_true(rf_str_equal(news.position, RF_STR("P63")));
    assert_false(status_of(SINK).own_feed);
    assert_int_equal(status_of(own_source(SINK)).held_bytes, 0);
    ok(SINK);

    /* Its own source is closed, and waits. */
    assert_false(rf_core_take_interrupt(drive.core, &actor)); /* it was in no call */
    expect(own_source(SINK), RF_ACTION_CLOSE);
    ok(own_source(SINK));
    expect(own_source(SINK), RF_ACTION_WAIT);
    read_many(SOURCE, 65, 66);
    expect_write(SINK, "T65", "T66");
    expect_write(OTHER, "T65", "T66");
}

static void test_two_quiet_feeds_join(void **state)
{
    (void)state;
    uint32_t actor;
    start_apart();
    read_many(own_source(SINK), 51, 60);
    expect_write(SINK, "T51", "T60");
    ok(SINK);
    drive.now_ms += 100;
    drain(SINK);
    ack(SOURCE);
    ack(own_source(SINK));
    expect(own_source(SINK), RF_ACTION_READ);
    drive.now_ms += 1000;
    expect(SINK, RF_ACTION_WAIT);
    assert_false(status_of(SINK).own_feed);
    assert_true(rf_core_take_interrupt(drive.core, &actor));
    assert_int_equal(actor, own_source(SINK));
}

/* A piece of T59 was given: that ends with its own feed. */
static void test_a_sink_does_not_go_back_inside_a_transaction(void **state)
{
    (void)state;
    start_apart();
    struct rf_batch *batch = begin_read_of(own_source(SINK));
    for (uint32_t number = 51; number <= 60; number++) {
        add(batch, number, 1, true, true);
    }
    add(batch, 61, 1, true, false);
    set_position(batch, 60);
    batch->commit_us = 60000000;
    ok(own_source(SINK));
    read_many(SOURCE, 61, 62);
    drain(OTHER);
    expect_write(SINK, "T51", "T61");
    ok(SINK);
    expect(SINK, RF_ACTION_WAIT);
    assert_true(status_of(SINK).own_feed);
    batch = begin_read_of(own_source(SINK));
    add(batch, 61, 1, false, true);
    set_position(batch, 61);
    batch->commit_us = 61000000;
    ok(own_source(SINK));
    expect_write(SINK, "T61", "T61");
    ok(SINK);
}

static void test_a_try_is_given_up_when_too_much_is_kept_for_it(void **state)
{
    (void)state;
    start_apart(); /* a share of 16 batches, a quarter of which may be kept */
    read_many(SOURCE, 61, 61);
    drain(OTHER);
    drive.now_ms += 100;
    drain(OTHER);
    read_many(own_source(SINK), 51, 58);
    expect_write(SINK, "T51", "T58");
    ok(SINK);
    expect(SINK, RF_ACTION_WAIT);
    size_t most = 0;
    for (uint32_t number = 62; number < 80; number++) {
        while (next(SOURCE)->kind == RF_ACTION_ACK) {
            ok(SOURCE);
        }
        assert_int_equal(drive.actions[SOURCE].kind, RF_ACTION_READ); /* it never waits */
        rf_batch_reset(drive.actions[SOURCE].batch, 65536);
        add(drive.actions[SOURCE].batch, number, 1, true, true);
        set_position(drive.actions[SOURCE].batch, number);
        ok(SOURCE);
        drain(OTHER);
        drive.now_ms += 100;
        drain(OTHER);
        size_t held = status_of(SOURCE).held_bytes;
        most = held > most ? held : most;
    }
    assert_true(most >= 3 * SIM_BATCH_BYTES && most <= 6 * SIM_BATCH_BYTES);
    assert_true(status_of(SINK).own_feed);
}

static void test_a_feed_of_its_own_that_fails_is_opened_again_and_ends_nothing(void **state)
{
    (void)state;
    start_apart();
    for (int i = 0; i < 30; i++) { /* far longer than a first connection may take */
        expect(own_source(SINK), RF_ACTION_READ);
        fail_with(own_source(SINK), RF_RETRY);
        expect(own_source(SINK), RF_ACTION_CLOSE);
        ok(own_source(SINK));
        expect(own_source(SINK), RF_ACTION_WAIT);
        drive.now_ms = drive.actions[own_source(SINK)].until_ms;
        expect(own_source(SINK), RF_ACTION_OPEN);
        expect_position(own_source(SINK), "P50");
        done(own_source(SINK), RF_OK, "P50");
    }
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 0);
    expect(own_source(SINK), RF_ACTION_READ);
    fail_with(own_source(SINK), RF_FATAL);
    assert_int_equal(rf_core_exit_code(drive.core, NULL), 3);
    close_all();
}

static void test_the_bytes_are_shared_out_among_the_feeds(void **state)
{
    (void)state;
    start_apart(); /* 32 batches; two feeds */
    uint32_t number = 61;
    while (next(SOURCE)->kind == RF_ACTION_READ) {
        rf_batch_reset(drive.actions[SOURCE].batch, 65536);
        add(drive.actions[SOURCE].batch, number, 1, true, true);
        set_position(drive.actions[SOURCE].batch, number++);
        ok(SOURCE);
    }
    assert_true(number > 61 + 10); /* a little more than SIM_BATCH_BYTES each */
    assert_true(status_of(SOURCE).held_bytes <= 16 * SIM_BATCH_BYTES + SIM_BATCH_BYTES);
    read_many(own_source(SINK), 51, 51); /* which has its own share */
}

/* ------------------------------------------------------------------------------ in the long run */

/* A destination hangs while the other one works. The log grows by a transaction each rate_ms. */
static void hang(struct sim_world *world, enum sim_kind kind, uint64_t seed, uint32_t rate_ms,
                 int64_t hang_ms)
{
    sim_init(world, seed);
    world->chances = (struct sim_chances){0};
    world->sinks = world->until = world->limit = world->available = 0;
    world->ends = true;
    world->clockless = false;
    world->step_ms = 1;
    world->rate_ms = rate_ms;
    world->begun_ms = world->now_ms;
    world->pool_bytes = 8 * SIM_BATCH_BYTES;
    world->from_now = false;
    sim_write_log(world, SIM_TRANSACTIONS_MAX);
    sim_add_sink(world, kind)->live = true;
    sim_add_sink(world, SIM_FILE);
    world->dests[0].slow = world->dests[1].slow = false;
    world->dests[1].stalled_from_ms = world->now_ms + 10000;
    world->dests[1].stalled_until_ms = world->now_ms + 10000 + hang_ms;
}

static void test_a_sink_that_hangs_for_5_minutes_holds_back_nobody_and_comes_back(void **state)
{
    (void)state;
    static struct sim_world world;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        /* 10 transactions a second, and 25 */
        bool fast = seed > 2;
        hang(&world, seed % 2 ? SIM_FILE : SIM_KEYED, seed, fast ? 40 : 100, fast ? 30000 : 300000);
        int64_t back_ms = world.dests[1].stalled_until_ms;
        sim_live(&world);
        if (world.failure[0] != '\0') {
            fail_msg("seed %d: %s", (int)seed, world.failure);
        }
        print_message("the other one was at most %lld ms behind; back after %lld ms; %llu opens\n",
                      (long long)world.worst_ms, (long long)(world.rejoined_ms[1] - back_ms),
                      (unsigned long long)world.source_opens);
        assert_int_equal(world.parted_ms[0], 0);
        assert_true(world.worst_ms <= 1500);
        assert_true(world.parted_ms[1] > 0 && world.parted_ms[1] < back_ms);
        assert_true(world.rejoined_ms[1] > back_ms && world.rejoined_ms[1] < back_ms + 40000);
        assert_true(world.source_opens < 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_a_stalled_sink_is_sent_away_after_500_ms_and_the_others_go_on),
        test(test_an_answer_that_comes_after_all_is_not_counted),
        test(test_a_sink_that_is_being_opened_again_holds_back_nobody),
        test(test_a_slow_sink_is_sent_away_when_it_has_held_back_others_for_10_s),
        test(test_a_sink_that_keeps_up_is_not_sent_away),
        test(test_an_only_sink_stays_however_slow_it_is),
        test(test_the_last_sink_of_the_shared_feed_stays_there),
        test(test_at_a_start_a_sink_a_minute_behind_gets_a_feed_of_its_own),
        test(test_at_a_start_a_sink_that_was_set_back_gets_a_feed_of_its_own),
        test(test_a_new_sink_that_begins_where_the_others_are_shares_their_feed),
        test(test_a_sink_that_returns_behind_what_is_held_parts_and_the_others_stay),
        test(test_positions_of_all_feeds_must_go_together),
        test(test_a_sink_that_has_caught_up_goes_along_with_the_others_again),
        test(test_two_quiet_feeds_join),
        test(test_a_sink_does_not_go_back_inside_a_transaction),
        test(test_a_try_is_given_up_when_too_much_is_kept_for_it),
        test(test_a_feed_of_its_own_that_fails_is_opened_again_and_ends_nothing),
        test(test_the_bytes_are_shared_out_among_the_feeds),
        test(test_a_sink_that_hangs_for_5_minutes_holds_back_nobody_and_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
