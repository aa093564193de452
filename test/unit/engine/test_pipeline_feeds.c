/* Feeds of their own, with real threads: a sink that holds the others up goes its own way, and
 * comes back. */
#include "unit/engine/world.h"

enum { COUNT = 10000, POOL_BYTES = 1 << 20, FLUSH_MS = 50 }; /* the log is many times the pool */
#define FIRST_COMMIT_US INT64_C(1700000000000000)            /* and a second more for each */

/* Snapshots until the condition holds of one, or the limit has passed. */
#define watch_until(run, snapshot, condition)                  \
    ({                                                         \
        int64_t limit_ms = rf_clock_ms() + LIMIT_MS;           \
        do {                                                   \
            rf_pipeline_snapshot((run)->pipeline, (snapshot)); \
        } while (!(condition) && rf_clock_ms() < limit_ms);    \
        (condition);                                           \
    })

static void expect_all(uint32_t sinks)
{
    for (uint32_t i = 0; i < sinks; i++) {
        assert_int_equal(world.high[i], world.count * PER_TRANSACTION);
        assert_int_equal(recorded(sink_specs[i].name), world.count);
    }
    assert_false(world.gap);
}

static void test_a_sink_that_hangs_holds_nobody_up_and_comes_back(void **state)
{
    (void)state;
    struct run run;
    struct rf_pipeline_snapshot snapshot = {0};
    world.count = COUNT;
    world.commit_us = FIRST_COMMIT_US;
    world.hang = true;
    world.deaf = true; /* not even the interrupt helps */
    prepare(&run, 2);
    run.options.flush_ms = FLUSH_MS;
    run.options.pool_bytes = POOL_BYTES;
    start(&run);
    assert_true(wait_until(world.high[1] == COUNT * PER_TRANSACTION));
    assert_true(world.high[0] < COUNT * PER_TRANSACTION / 2);
    lock();
    world.released = true;
    world.hang = false;
    unlock();
    assert_true(wait_until(world.high[0] == COUNT * PER_TRANSACTION));
    assert_true(watch_until(&run, &snapshot, !snapshot.sinks[0].own_feed && all_idle(&snapshot)));
    assert_true(world.feed_opens[1] >= 1); /* the first sink's own */
    assert_int_equal(world.feed_opens[2], 0);
    assert_int_equal(world.opens[1], 1);
    lock();
    world.count += 500; /* together again */
    unlock();
    assert_true(wait_until(world.high[0] == world.count * PER_TRANSACTION &&
                           world.high[1] == world.count * PER_TRANSACTION));
    rf_pipeline_stop(run.pipeline);
    assert_int_equal(finish(&run), 0);
    rf_pipeline_snapshot_deinit(&snapshot);
    expect_all(2);
    assert_int_equal(world.repeats[1], 0);
}

static void test_a_sink_that_is_new_gets_all_it_wants_while_the_others_go_on(void **state)
{
    (void)state;
    struct run run;
    struct rf_pipeline_snapshot snapshot = {0};
    world.count = COUNT;
    world.commit_us = FIRST_COMMIT_US;
    prepare(&run, 1);
    run.options.flush_ms = FLUSH_MS;
    assert_int_equal(run_to_stop(&run), 0);
    world.count += 1000;
    prepare(&run, SINKS);
    run.options.flush_ms = FLUSH_MS;
    run.options.from = "earliest";
    start(&run);
    assert_true(watch_until(&run, &snapshot,
                            all_idle(&snapshot) && snapshot.sinks[2].recorded.size > 0 &&
                                !snapshot.sinks[1].own_feed && !snapshot.sinks[2].own_feed));
    rf_pipeline_stop(run.pipeline);
    assert_int_equal(finish(&run), 0);
    rf_pipeline_snapshot_deinit(&snapshot);
    expect_all(SINKS);
    assert_int_equal(world.repeats[0], 0);
}

/* All threads are there from the start; those of feeds that nobody needs sleep through the run. */
static void test_a_run_without_trouble_opens_no_other_feed(void **state)
{
    (void)state;
    struct run run;
    world.count = COUNT;
    world.ends = true;
    prepare(&run, SINKS);
    run.options.flush_ms = FLUSH_MS;
    assert_int_equal(run_to_end(&run), 0);
    expect_all(SINKS);
    assert_int_equal(world.feed_opens[0], 1);
    assert_int_equal(world.feed_opens[1] + world.feed_opens[2] + world.feed_opens[3], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_a_sink_that_hangs_holds_nobody_up_and_comes_back),
        test(test_a_sink_that_is_new_gets_all_it_wants_while_the_others_go_on),
        test(test_a_run_without_trouble_opens_no_other_feed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
