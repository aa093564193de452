#include "cli/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct rf_source_type mysql = {.name = "mysql"};
static const struct rf_sink_type redis = {.name = "redis"}, file = {.name = "file"};

static void test_sinks_of_one_kind_are_told_apart(void **state)
{
    const struct rf_sink_spec sinks[] = {
        {.type = &redis, .name = "redis://a:6379/0"},
        {.type = &file, .name = "file:/x"},
        {.type = &redis, .name = "cache"},
        {.type = &redis, .name = "redis://b:6379/0"},
        {.type = &file, .name = "file"},
    };
    static const char *const names[] = {"redis", "file", "cache", "redis#2", "file#2"};
    struct rf_actor_snapshot actors[5] = {{.lag_ms = 0}, {.lag_ms = 70}, {.lag_ms = 2000}};
    const struct rf_pipeline_options options = {
        .source.type = &mysql, .sinks = sinks, .sink_count = 5};
    const struct rf_pipeline_snapshot snapshot = {.sinks = actors, .sink_count = 5};
    struct rf_progress progress;
    (void)state;
    rf_view_progress(&progress, &options, &snapshot);
    assert_string_equal(progress.source.name, "mysql");
    for (int i = 0; i < 5; i++) {
        assert_string_equal(progress.sinks[i].name, names[i]);
    }
    assert_int_equal(progress.lag_us, 2000000); /* of the slowest */
    actors[4].lag_ms = -1;                      /* which may be one that nobody knows of */
    rf_view_progress(&progress, &options, &snapshot);
    assert_int_equal(progress.lag_us, -1);
    assert_int_equal(progress.sinks[4].lag_us, -1);
}

static void test_a_phase_is_a_state_for_people(void **state)
{
    static const struct {
        enum rf_phase phase;
        bool idle, own_feed;
        enum rf_progress_state wanted;
    } cases[] = {
        {RF_PHASE_CONNECTING, false, false, RF_PROGRESS_CONNECTING},
        {RF_PHASE_RETRYING, false, true, RF_PROGRESS_RETRYING},
        {RF_PHASE_STREAMING, true, false, RF_PROGRESS_OK},
        {RF_PHASE_STREAMING, false, false, RF_PROGRESS_BUSY},
        {RF_PHASE_STREAMING, false, true, RF_PROGRESS_OWN_FEED},
        {RF_PHASE_CLOSED, false, false, RF_PROGRESS_WAITING},
        {RF_PHASE_FULL, false, false, RF_PROGRESS_WAITING},
        {RF_PHASE_DONE, true, false, RF_PROGRESS_DONE},
    };
    const struct rf_sink_spec sink = {.type = &redis, .name = "redis:"};
    const struct rf_pipeline_options options = {
        .source.type = &mysql, .sinks = &sink, .sink_count = 1};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_actor_snapshot actor = {.phase = cases[i].phase,
                                          .idle = cases[i].idle,
                                          .own_feed = cases[i].own_feed,
                                          .buried = 3};
        const struct rf_pipeline_snapshot snapshot = {.sinks = &actor, .sink_count = 1};
        struct rf_progress progress;
        rf_view_progress(&progress, &options, &snapshot);
        assert_int_equal(progress.sinks[0].state, cases[i].wanted);
        assert_int_equal(progress.sinks[0].buried, 3);
    }
}

static void test_more_sinks_than_fit_are_counted(void **state)
{
    enum { SINKS = RF_PROGRESS_SINKS_MAX + 4 };
    struct rf_sink_spec sinks[SINKS];
    struct rf_actor_snapshot actors[SINKS] = {0};
    const struct rf_pipeline_options options = {
        .source.type = &mysql, .sinks = sinks, .sink_count = SINKS};
    const struct rf_pipeline_snapshot snapshot = {.sinks = actors, .sink_count = SINKS};
    struct rf_progress progress;
    (void)state;
    for (int i = 0; i < SINKS; i++) {
        sinks[i] = (struct rf_sink_spec){.type = &redis, .name = "redis:"};
    }
    actors[SINKS - 1].lag_ms = 5; /* counts, though it is not shown */
    rf_view_progress(&progress, &options, &snapshot);
    assert_int_equal(progress.sink_count, RF_PROGRESS_SINKS_MAX);
    assert_int_equal(progress.more_sinks, 4);
    assert_int_equal(progress.lag_us, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sinks_of_one_kind_are_told_apart),
        cmocka_unit_test(test_a_phase_is_a_state_for_people),
        cmocka_unit_test(test_more_sinks_than_fit_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
