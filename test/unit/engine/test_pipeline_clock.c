/* The wall clock jumps by days, to and fro, while a pipeline runs: the operator's hand, or a clock
 * that is set over the network. Only the monotonic one may decide anything. */
#include "unit/engine/world.h"

#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

enum { COUNT = 10000, FLUSH_MS = 10, DAY_SECONDS = 86400 };

static atomic_uint looks;

/* In front of the one of libc, also for what is tested. */
int clock_gettime(clockid_t clock, struct timespec *out)
{
    int status = (int)syscall(SYS_clock_gettime, clock, out);
    if (clock == CLOCK_REALTIME) {
        unsigned look = atomic_fetch_add(&looks, 1);
        out->tv_sec += (look % 2 ? -1 : 1) * (time_t)(look % 7) * DAY_SECONDS;
    }
    return status;
}

static bool all_is_there(const struct rf_pipeline_snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->sink_count; i++) {
        assert_true(snapshot->sinks[i].lag_ms >= -1); /* never of the future */
        assert_false(snapshot->sinks[i].own_feed);
    }
    return all_idle(snapshot) && snapshot->sinks[0].lag_ms >= 0;
}

static void test_steps_of_the_wall_clock_change_nothing(void **state)
{
    (void)state;
    struct run run;
    struct rf_pipeline_snapshot snapshot = {0};
    unsigned before = atomic_load(&looks);
    int64_t begin_ms = rf_clock_ms();
    world.count = COUNT;
    world.commit_us = rf_clock_wall_us();
    world.says_current = true;
    prepare(&run, SINKS);
    run.options.flush_ms = FLUSH_MS;
    start(&run);
    assert_true(watch(&run, &snapshot, all_is_there));
    /* All that is known of the last moment is true, though the times of the log are not. */
    assert_true(snapshot.sinks[0].lag_ms <= rf_clock_ms() - begin_ms);
    rf_pipeline_stop(run.pipeline);
    assert_int_equal(finish(&run), 0);
    rf_pipeline_snapshot_deinit(&snapshot);
    for (uint32_t i = 0; i < SINKS; i++) {
        assert_int_equal(world.high[i], COUNT * PER_TRANSACTION);
        assert_int_equal(world.repeats[i], 0);
        assert_int_equal(world.opens[i], 1);
        assert_int_equal(recorded(sink_specs[i].name), COUNT);
    }
    assert_int_equal(world.source_opens, 1);
    assert_false(world.gap);
    assert_true(atomic_load(&looks) > before + 3); /* it was looked at, and went to and fro */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_steps_of_the_wall_clock_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
