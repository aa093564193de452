/* The pipeline's threads, with plugins that only count. Under TSan too. */
#include "unit/engine/world.h"

static void test_three_sinks_of_different_speed_get_everything_once(void **state)
{
    (void)state;
    struct run run;
    world.count = 20000;
    world.ends = true;
    world.slow[1] = 50;
    world.slow[2] = 400;
    prepare(&run, SINKS);
    assert_int_equal(run_to_end(&run), 0);
    for (uint32_t i = 0; i < SINKS; i++) {
        assert_int_equal(world.high[i], world.count * PER_TRANSACTION);
        assert_int_equal(world.repeats[i], 0);
        assert_int_equal(world.flushed[i], world.count);
        assert_int_equal(world.opens[i], 1);
        assert_int_equal(recorded(sink_specs[i].name), world.count);
    }
    assert_false(world.gap);
    assert_int_equal(world.acked, world.count);
}

static void test_a_stop_under_load_repeats_nothing_after_the_restart(void **state)
{
    (void)state;
    struct run run;
    world.count = UINT32_MAX - 1;
    world.slow[1] = 20;
    for (int i = 1; i <= 5; i++) {
        uint32_t wanted = world.high[0] + 50000;
        prepare(&run, 2);
        start(&run);
        assert_true(wait_until(world.high[0] > wanted && world.high[1] > 0));
        int64_t asked_ms = rf_clock_ms();
        rf_pipeline_stop(run.pipeline);
        assert_int_equal(finish(&run), 0);
        assert_true(rf_clock_ms() - asked_ms < 4000);
        assert_int_equal(recorded("a") * PER_TRANSACTION, world.high[0]);
        assert_int_equal(recorded("b") * PER_TRANSACTION, world.high[1]);
    }
    assert_int_equal(world.repeats[0], 0);
    assert_int_equal(world.repeats[1], 0);
    assert_false(world.gap);
    assert_true(world.acked > 0);
}

static void test_a_sink_that_was_dead_for_a_while_loses_nothing(void **state)
{
    (void)state;
    struct run run;
    world.count = 5000;
    world.ends = true;
    world.open_failures[0] = 3;
    world.write_failures[0] = 3;
    prepare(&run, 2);
    assert_int_equal(run_to_end(&run), 0);
    assert_int_equal(world.opens[0], 7);
    assert_int_equal(world.opens[1], 1);
    assert_int_equal(world.high[0], world.count * PER_TRANSACTION);
    assert_int_equal(world.high[1], world.count * PER_TRANSACTION);
    assert_false(world.gap);
    assert_int_equal(world.repeats[1], 0);
}

static void test_a_blocked_source_is_interrupted_by_a_stop(void **state)
{
    (void)state;
    struct run run;
    world.count = 10;
    prepare(&run, 1);
    start(&run);
    assert_true(wait_until(world.high[0] == world.count * PER_TRANSACTION));
    int64_t asked_ms = rf_clock_ms();
    rf_pipeline_stop(run.pipeline);
    assert_int_equal(finish(&run), 0);
    assert_true(rf_clock_ms() - asked_ms < 900);
    assert_int_equal(recorded("a"), world.count);
}

static void test_a_hanging_sink_is_interrupted_when_the_stop_runs_out(void **state)
{
    (void)state;
    struct run run;
    world.count = 10;
    world.hang = true;
    prepare(&run, 2);
    run.options.stop_timeout_ms = 200;
    start(&run);
    assert_true(wait_until(world.hanging && world.flushed[1] == world.count));
    int64_t asked_ms = rf_clock_ms();
    rf_pipeline_stop(run.pipeline);
    assert_int_equal(finish(&run), 0);
    int64_t took_ms = rf_clock_ms() - asked_ms;
    assert_true(took_ms >= 200 && took_ms < 900);
    assert_int_equal(recorded("a"), 0);
    assert_int_equal(recorded("b"), world.count);
}

static void test_a_failure_elsewhere_does_not_wait_for_a_hanging_sink(void **state)
{
    (void)state;
    struct run run;
    world.count = 10;
    world.hang = true;
    world.verdict[1] = RF_FATAL;
    world.verdict_at = 12;
    prepare(&run, 2);
    run.options.stop_timeout_ms = 200;
    assert_int_equal(run_to_end(&run), 3);
    assert_true(run.took_ms >= 200 && run.took_ms < 2000);
}

static void test_a_sink_that_ignores_the_interrupt_is_left_behind(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct run run;
        world.count = 10;
        world.hang = world.deaf = true;
        prepare(&run, 1);
        run.options.stop_timeout_ms = 100;
        if (rf_pipeline_create(&run.options, &run.pipeline, &run.err) != RF_OK ||
            pthread_create(&run.thread, NULL, carry_out, &run) != 0 || !wait_until(world.hanging)) {
            _exit(1);
        }
        rf_pipeline_stop(run.pipeline);
        pthread_join(run.thread, NULL);
        _exit(run.code == 0 && rf_pipeline_abandoned(run.pipeline) && run.took_ms < 5000 ? 0 : 2);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_a_rejected_event_ends_it_with_4_and_others_flush(void **state)
{
    (void)state;
    struct run run;
    world.count = 1000;
    world.verdict[1] = RF_REJECT;
    world.verdict_at = 777;
    prepare(&run, 2);
    assert_int_equal(run_to_end(&run), 4);
    assert_string_equal(run.err.message, "event 777 is not to my taste");
    assert_int_equal(world.high[1], 776);
    assert_int_equal(recorded("a") * PER_TRANSACTION, world.high[0]);
    assert_true(recorded("b") * PER_TRANSACTION <= 776);
}

static void test_what_was_read_before_the_damage_is_delivered(void **state)
{
    (void)state;
    struct run run;
    world.count = 3000;
    world.fail_after = 2000;
    prepare(&run, 2);
    assert_int_equal(run_to_end(&run), 3);
    assert_string_equal(run.err.message, "the log is damaged");
    assert_int_equal(world.high[0], 2000 * PER_TRANSACTION);
    assert_int_equal(world.high[1], 2000 * PER_TRANSACTION);
    assert_int_equal(recorded("a"), 2000);
    assert_int_equal(recorded("b"), 2000);
}

static void test_exit_codes_of_a_first_start(void **state)
{
    (void)state;
    static const struct {
        enum rf_status status;
        int code;
    } cases[] = {{RF_CONFIG, 2}, {RF_FATAL, 3}, {RF_RETRY, 5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run run;
        world.source_open = cases[i].status;
        prepare(&run, 1);
        run.options.connect_timeout_ms = 300;
        assert_int_equal(run_to_end(&run), cases[i].code);
        assert_string_equal(run.err.message, "the source does not want to");
        assert_true(run.took_ms < 2000);
    }
    assert_true(world.source_opens > 3);
}

static void test_each_open_gets_a_fresh_state_with_its_options(void **state)
{
    (void)state;
    struct run run;
    static const struct rf_setting setting = {"number", "42", NULL};
    world.count = 100;
    world.ends = true;
    world.source_open = RF_RETRY;
    prepare(&run, 1);
    run.options.source.settings = (struct rf_settings){&setting, 1};
    start(&run);
    assert_true(wait_until(world.source_opens >= 3));
    lock();
    world.source_open = RF_OK;
    unlock();
    assert_int_equal(finish(&run), 0);
    assert_int_equal(world.from, 42);
    assert_false(world.dirty_state);
}

static void test_a_second_pipeline_of_that_name_is_refused(void **state)
{
    (void)state;
    struct run run, second;
    world.count = 10;
    prepare(&run, 1);
    prepare(&second, 1);
    start(&run);
    assert_int_equal(rf_pipeline_create(&second.options, &second.pipeline, &second.err), RF_CONFIG);
    assert_null(second.pipeline);
    assert_non_null(strstr(second.err.hint, "--name"));
    rf_pipeline_stop(run.pipeline);
    assert_int_equal(finish(&run), 0);
    second.options.sinks = (const struct rf_sink_spec[]){sink_specs[0], sink_specs[0]};
    second.options.sink_count = 2;
    assert_int_equal(rf_pipeline_create(&second.options, &second.pipeline, &second.err), RF_CONFIG);
}

static void test_a_stop_before_the_start_ends_it_at_once(void **state)
{
    (void)state;
    struct run run;
    world.count = 10;
    prepare(&run, 2);
    assert_int_equal(rf_pipeline_create(&run.options, &run.pipeline, &run.err), RF_OK);
    rf_pipeline_stop(run.pipeline);
    rf_pipeline_stop(run.pipeline);
    carry_out(&run);
    assert_int_equal(run.code, 0);
    assert_int_equal(world.opens[0] + world.source_opens, 0);
    rf_pipeline_destroy(run.pipeline);
}

static void test_snapshots_follow_the_run(void **state)
{
    (void)state;
    struct run run;
    struct rf_pipeline_snapshot snapshot = {0};
    world.count = 3000;
    prepare(&run, 2);
    start(&run);
    do {
        rf_pipeline_snapshot(run.pipeline, &snapshot);
        assert_true(snapshot.sinks[0].events <= snapshot.source.events);
    } while (snapshot.sinks[0].events < world.count * PER_TRANSACTION);
    assert_true(watch(&run, &snapshot, all_idle));
    assert_int_equal(snapshot.sink_count, 2);
    assert_int_equal(snapshot.sinks[1].events, world.count * PER_TRANSACTION);
    assert_int_equal(snapshot.sinks[1].transactions, world.count);
    assert_int_equal(snapshot.source.transactions, world.count);
    assert_int_equal(snapshot.sinks[0].phase, RF_PHASE_STREAMING);
    assert_string_equal(rf_buf_cstr(&snapshot.sinks[0].recorded), "P3000");
    assert_string_equal(snapshot.sinks[0].address, "counter:a");
    rf_pipeline_stop(run.pipeline);
    assert_int_equal(finish(&run), 0);
    rf_pipeline_snapshot_deinit(&snapshot);
}

static bool lag_is_known(const struct rf_pipeline_snapshot *snapshot)
{
    return all_idle(snapshot) && snapshot->sinks[0].lag_ms >= 0 && snapshot->sinks[1].lag_ms >= 0;
}

/* The last commit is an hour old; that everything is on record the source alone can say. */
static void test_lag_is_what_the_source_said_and_else_the_age_of_what_is_on_record(void **state)
{
    (void)state;
    struct run run;
    struct rf_pipeline_snapshot snapshot = {0};
    enum { HOUR_S = 3600 };
    world.count = 3000;
    world.says_current = false;
    world.commit_us =
        rf_clock_wall_us() - HOUR_S * INT64_C(1000000) - world.count * INT64_C(1000000);
    prepare(&run, 2);
    start(&run);
    assert_true(watch(&run, &snapshot, lag_is_known));
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(snapshot.sinks[i].lag_ms >= HOUR_S * 1000);
        assert_true(snapshot.sinks[i].lag_ms < HOUR_S * 1000 + 2 * LIMIT_MS);
    }
    rf_pipeline_stop(run.pipeline);
    assert_int_equal(finish(&run), 0);

    int64_t began_ms = rf_clock_ms();
    world.count = 3001;
    world.says_current = true;
    prepare(&run, 2);
    start(&run);
    assert_true(wait_until(world.acked == world.count));
    do {
        rf_pipeline_snapshot(run.pipeline, &snapshot);
    } while (snapshot.sinks[0].lag_ms > rf_clock_ms() - began_ms && /* said since then */
             rf_clock_ms() < began_ms + LIMIT_MS);
    assert_true(snapshot.sinks[0].lag_ms <= rf_clock_ms() - began_ms);
    assert_true(snapshot.sinks[0].lag_ms >= 0);
    rf_pipeline_stop(run.pipeline);
    assert_int_equal(finish(&run), 0);
    rf_pipeline_snapshot_deinit(&snapshot);
}

static bool lag_is_unknown(const struct rf_pipeline_snapshot *snapshot)
{
    return snapshot->source.phase == RF_PHASE_STREAMING && snapshot->sinks[0].lag_ms == -1;
}

static void test_lag_is_not_known_before_anybody_said_anything(void **state)
{
    (void)state;
    struct run run;
    struct rf_pipeline_snapshot snapshot = {0};
    world.says_current = false;
    prepare(&run, 1);
    start(&run);
    assert_true(watch(&run, &snapshot, lag_is_unknown));
    rf_pipeline_stop(run.pipeline);
    assert_int_equal(finish(&run), 0);
    rf_pipeline_snapshot_deinit(&snapshot);
}

static void test_plugins_are_told_what_the_contract_says(void **state)
{
    (void)state;
    struct run run;
    world.count = 10;
    prepare(&run, 2);
    run.options.spill_directory = "/var/spool";
    start(&run);
    assert_true(wait_until(world.acked == world.count));
    assert_string_equal(world.spill, "/var/spool");
    assert_int_equal(world.feed_opens[0], 1);
    assert_true(world.picks[0] != 0);
    assert_true(world.picks[0] == world.picks[1]); /* no difference between what they get */
    uint64_t picks = world.picks[0];
    assert_ptr_equal(world.rotations[0], world.rotations[1]);
    unsigned before = atomic_load(world.rotations[0]);
    rf_pipeline_rotate(run.pipeline);
    assert_int_equal(atomic_load(world.rotations[0]), before + 1);
    rf_pipeline_stop(run.pipeline);
    assert_int_equal(finish(&run), 0);
    assert_int_equal(run_to_stop(&run), 0);
    assert_true(world.picks[0] == picks); /* the same after a restart */
    assert_int_equal(world.ordered[0], 0);
}

static void test_an_order_is_carried_out_once(void **state)
{
    (void)state;
    struct run run;
    world.count = 100;
    prepare(&run, 1);
    assert_int_equal(run_to_stop(&run), 0);
    assert_int_equal(recorded("a"), 100);
    assert_int_equal(rf_checkpoint_order(checkpoint_path, RF_STR("a"), RF_STR("P40"), &run.err),
                     RF_OK);
    assert_int_equal(run_to_stop(&run), 0);
    assert_int_equal(world.ordered[0], 1);
    assert_int_equal(world.repeats[0], 60 * PER_TRANSACTION);
    assert_int_equal(recorded("a"), 100);
    assert_int_equal(run_to_stop(&run), 0);
    assert_int_equal(world.ordered[0], 1);
    assert_int_equal(world.repeats[0], 60 * PER_TRANSACTION);
}

static int64_t cpu_us(void)
{
    struct timespec spent;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return (int64_t)spent.tv_sec * 1000000 + spent.tv_nsec / 1000;
}

static void test_an_idle_pipeline_uses_no_cpu(void **state)
{
    (void)state;
    struct run run;
    world.count = 10;
    prepare(&run, SINKS);
    start(&run);
    assert_true(wait_until(world.acked == world.count));
    uint32_t reads = world.reads;
    assert_true(wait_until(world.reads == reads + 1));
    int64_t before_us = cpu_us();
    assert_true(wait_until(world.reads == reads + 2)); /* a second later */
    assert_true(cpu_us() - before_us < 20000);
    rf_pipeline_stop(run.pipeline);
    assert_int_equal(finish(&run), 0);
}

static void test_without_a_checkpoint_each_run_is_a_first_start(void **state)
{
    (void)state;
    struct run run;
    world.count = 100;
    world.ends = true;
    prepare(&run, 1);
    run.options.checkpoint_path = NULL;
    assert_int_equal(run_to_end(&run), 0);
    assert_int_equal(run_to_end(&run), 0);
    assert_int_equal(world.repeats[0], world.count * PER_TRANSACTION);
    assert_int_not_equal(access(checkpoint_path, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_three_sinks_of_different_speed_get_everything_once),
        test(test_a_stop_under_load_repeats_nothing_after_the_restart),
        test(test_a_sink_that_was_dead_for_a_while_loses_nothing),
        test(test_a_blocked_source_is_interrupted_by_a_stop),
        test(test_a_hanging_sink_is_interrupted_when_the_stop_runs_out),
        test(test_a_failure_elsewhere_does_not_wait_for_a_hanging_sink),
        test(test_a_sink_that_ignores_the_interrupt_is_left_behind),
        test(test_a_rejected_event_ends_it_with_4_and_others_flush),
        test(test_what_was_read_before_the_damage_is_delivered),
        test(test_exit_codes_of_a_first_start),
        test(test_each_open_gets_a_fresh_state_with_its_options),
        test(test_a_second_pipeline_of_that_name_is_refused),
        test(test_a_stop_before_the_start_ends_it_at_once),
        test(test_snapshots_follow_the_run),
        test(test_lag_is_what_the_source_said_and_else_the_age_of_what_is_on_record),
        test(test_lag_is_not_known_before_anybody_said_anything),
        test(test_plugins_are_told_what_the_contract_says),
        test(test_an_order_is_carried_out_once),
        test(test_an_idle_pipeline_uses_no_cpu),
        test(test_without_a_checkpoint_each_run_is_a_first_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
