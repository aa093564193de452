/* Where a run ends: at a time, a position, now, or after so many events. */
#include "unit/engine/world.h"

enum { COUNT = 5000 };

static void prepare_end(struct run *run, const char *until)
{
    world.count = COUNT;
    prepare(run, 2);
    run->options.from = "earliest";
    run->options.until = until;
}

static void expect_end(uint32_t transaction)
{
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(world.high[i], transaction * PER_TRANSACTION);
        assert_int_equal(world.repeats[i], 0);
    }
    assert_int_equal(recorded("a"), transaction);
    assert_int_equal(recorded("b"), transaction);
    assert_false(world.gap);
}

static void test_until_a_position_ends_behind_it(void **state)
{
    (void)state;
    struct run run;
    prepare_end(&run, "P1234");
    assert_int_equal(run_to_end(&run), 0);
    expect_end(1234);
}

static void test_until_a_time_ends_before_it(void **state)
{
    (void)state;
    struct run run;
    world.commit_us =
        INT64_C(1795348800000000); /* 2026-11-22 12:00:00, and a second more for each */
    prepare_end(&run, "2026-11-22 12:10:01Z");
    assert_int_equal(run_to_end(&run), 0);
    expect_end(600);
}

static void test_until_now_ends_where_the_source_stood_at_the_start(void **state)
{
    (void)state;
    struct run run;
    world.now = 777;
    prepare_end(&run, "now");
    assert_int_equal(run_to_end(&run), 0);
    expect_end(777);
}

static void test_a_run_after_its_end_goes_on_right_there(void **state)
{
    (void)state;
    struct run run;
    prepare_end(&run, "P1000");
    assert_int_equal(run_to_end(&run), 0);
    prepare_end(&run, "P2000");
    assert_int_equal(run_to_end(&run), 0);
    expect_end(2000);
    prepare_end(&run, "P1500"); /* it is behind that already */
    assert_int_equal(run_to_end(&run), 0);
    expect_end(2000);
}

static void test_what_is_neither_a_time_nor_a_position_is_refused(void **state)
{
    (void)state;
    struct run run;
    prepare_end(&run, "tomorrow");
    assert_int_equal(run_to_end(&run), 2);
    assert_string_equal(run.err.message, "until tomorrow: \"tomorrow\" is not a position");
    assert_int_equal(world.opens[0], 0);

    prepare_end(&run, "2026-02-30T12:00:00Z");
    assert_int_equal(rf_pipeline_create(&run.options, &run.pipeline, &run.err), RF_CONFIG);
    assert_string_equal(run.err.message, "until: \"2026-02-30T12:00:00Z\" is not a time");
}

static void test_a_source_that_cannot_be_asked_is_a_first_connection_that_failed(void **state)
{
    (void)state;
    static const struct {
        enum rf_status status;
        bool once;
        int code;
    } cases[] = {
        {RF_RETRY, false, 5}, {RF_RETRY, true, 5}, {RF_CONFIG, false, 2}, {RF_FATAL, false, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run run;
        world.source_open = cases[i].status;
        world.source_opens = 0;
        prepare_end(&run, "now");
        run.options.connect_timeout_ms = 400;
        run.options.connect_once = cases[i].once;
        assert_int_equal(run_to_end(&run), cases[i].code);
        assert_non_null(strstr(run.err.message, "the source does not want to"));
        assert_true(cases[i].status == RF_RETRY && !cases[i].once ? world.source_opens > 1
                                                                  : world.source_opens == 1);
        assert_true(run.took_ms < 2000);
    }
}

static void test_a_stop_is_heard_while_the_source_is_asked(void **state)
{
    (void)state;
    struct run run;
    world.source_open = RF_RETRY;
    prepare_end(&run, "now");
    run.options.connect_timeout_ms = LIMIT_MS;
    start(&run);
    assert_true(wait_until(world.source_opens >= 3));
    int64_t asked_ms = rf_clock_ms();
    rf_pipeline_stop(run.pipeline);
    assert_int_equal(finish(&run), 0);
    assert_true(rf_clock_ms() - asked_ms < 900);
    assert_int_equal(world.opens[0], 0);
}

static void test_a_limit_ends_behind_the_transaction(void **state)
{
    (void)state;
    struct run run;
    prepare_end(&run, NULL);
    run.options.limit = 1002; /* inside the 201st */
    assert_int_equal(run_to_end(&run), 0);
    expect_end(201);
}

static void test_an_exact_limit_ends_behind_the_event(void **state)
{
    (void)state;
    static const uint64_t limits[] = {1, 5, 7, 1002};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct run run;
        world.high[0] = world.high[1] = 0;
        prepare_end(&run, NULL);
        run.options.checkpoint_path = NULL;
        run.options.limit = limits[i];
        run.options.limit_exact = true;
        assert_int_equal(run_to_end(&run), 0);
        assert_int_equal(world.high[0], limits[i]);
        assert_int_equal(world.high[1], limits[i]);
        assert_int_equal(world.repeats[0], 0);
    }
}

static void test_an_exact_limit_counts_an_event_once_however_often_it_is_given(void **state)
{
    (void)state;
    struct run run;
    world.write_failures[0] = 3;
    prepare_end(&run, NULL);
    run.options.limit = 1002;
    run.options.limit_exact = true;
    assert_int_equal(run_to_end(&run), 0);
    assert_int_equal(world.opens[0], 4);
    assert_int_equal(world.high[0], 1002);
    assert_int_equal(world.high[1], 1002);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_until_a_position_ends_behind_it),
        test(test_until_a_time_ends_before_it),
        test(test_until_now_ends_where_the_source_stood_at_the_start),
        test(test_a_run_after_its_end_goes_on_right_there),
        test(test_what_is_neither_a_time_nor_a_position_is_refused),
        test(test_a_source_that_cannot_be_asked_is_a_first_connection_that_failed),
        test(test_a_stop_is_heard_while_the_source_is_asked),
        test(test_a_limit_ends_behind_the_transaction),
        test(test_an_exact_limit_ends_behind_the_event),
        test(test_an_exact_limit_counts_an_event_once_however_often_it_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
