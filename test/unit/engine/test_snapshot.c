/* What a snapshot says beside what the core knows: how long a plugin has been in a call, how old a
 * change may be that a sink lacks. */
#include "engine/core_state.h"
#include "engine/worker.h"

#include "base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

/* A source whose read, and a sink whose open, stay where they are until somebody lets them go. */
static atomic_bool sink_held, source_held, source_left;

static enum rf_status source_open(void *state, const struct rf_context *ctx,
                                  struct rf_buf *position, struct rf_error *err)
{
    (void)state, (void)ctx, (void)err;
    rf_buf_set(position, RF_STR("1"));
    return RF_OK;
}

static enum rf_status source_read(void *state, struct rf_batch *batch, int64_t deadline_ms,
                                  struct rf_error *err)
{
    (void)state, (void)batch, (void)deadline_ms, (void)err;
    while (atomic_load(&source_held)) {
    }
    atomic_store(&source_left, true);
    return RF_AGAIN;
}

static enum rf_status source_ack(void *state, struct rf_str position, struct rf_error *err)
{
    (void)state, (void)position, (void)err;
    return RF_OK;
}

static void nothing(void *state)
{
    (void)state;
}

static bool source_contains(struct rf_str position, struct rf_str other)
{
    return rf_str_equal(position, other);
}

static enum rf_status sink_open(void *state, const struct rf_context *ctx, struct rf_str *resume,
                                struct rf_error *err)
{
    (void)state, (void)ctx, (void)resume, (void)err;
    while (atomic_load(&sink_held)) {
    }
    return RF_OK;
}

static enum rf_status sink_write(void *state, const struct rf_view *view, struct rf_error *err)
{
    (void)state, (void)view, (void)err;
    return RF_OK;
}

static enum rf_status sink_flush(void *state, struct rf_str position, struct rf_buf *note,
                                 struct rf_error *err)
{
    (void)state, (void)position, (void)note, (void)err;
    return RF_OK;
}

static const struct rf_option no_options[] = {RF_OPTION_END};
static const struct rf_source_type source_type = {
    .name = "fake",
    .state_size = 1,
    .options = no_options,
    .open = source_open,
    .read = source_read,
    .ack = source_ack,
    .close = nothing,
    .interrupt = nothing,
    .contains = source_contains,
};
static const struct rf_sink_type sink_type = {
    .name = "fake",
    .state_size = 1,
    .options = no_options,
    .open = sink_open,
    .write = sink_write,
    .flush = sink_flush,
    .close = nothing,
};

static void *run(void *argument)
{
    struct rf_error err;
    assert_int_equal(rf_pipeline_run(argument, &err), 0);
    return NULL;
}

static void look_until(struct rf_pipeline *pipeline, struct rf_pipeline_snapshot *snapshot,
                       bool (*seen)(const struct rf_pipeline_snapshot *snapshot))
{
    int64_t until_ms = rf_clock_ms() + 20000;
    do {
        assert_true(rf_clock_ms() < until_ms);
        rf_pipeline_snapshot(pipeline, snapshot);
    } while (!seen(snapshot));
}

static bool sink_is_long_in_a_call(const struct rf_pipeline_snapshot *snapshot)
{
    return snapshot->sinks[0].call_ms >= 100;
}

static bool source_is_long_in_a_call(const struct rf_pipeline_snapshot *snapshot)
{
    return snapshot->source.call_ms >= 100;
}

static bool nobody_is_long_in_a_call(const struct rf_pipeline_snapshot *snapshot)
{
    return snapshot->source.call_ms < 100 && snapshot->sinks[0].call_ms < 100;
}

static struct rf_pipeline *create(void)
{
    static const struct rf_sink_spec sink = {
        .type = &sink_type, .name = "fake", .address = "fake:sink"};
    const struct rf_pipeline_options options = {
        .name = "test",
        .source = {.type = &source_type, .address = "fake:source"},
        .sinks = &sink,
        .sink_count = 1,
    };
    struct rf_pipeline *pipeline;
    assert_int_equal(rf_pipeline_create(&options, &pipeline, NULL), RF_OK);
    return pipeline;
}

static void test_a_sink_shows_what_is_wrong_with_its_own_feed(void **state)
{
    (void)state;
    struct rf_pipeline *pipeline = create();
    struct rf_pipeline_snapshot snapshot = {0};
    struct rf_sink *sink = &pipeline->core->sinks[0];
    sink->feed = sink->own;
    rf_buf_set(&sink->own->actor.message, RF_STR("too many connections"));
    rf_buf_cstr(&sink->own->actor.message);
    rf_pipeline_snapshot(pipeline, &snapshot);
    assert_string_equal(snapshot.sinks[0].message.data, "too many connections");
    assert_int_equal(snapshot.source.message.size, 0);
    rf_buf_set(&sink->actor.message, RF_STR("no answer")); /* its own trouble comes first */
    rf_buf_cstr(&sink->actor.message);
    rf_pipeline_snapshot(pipeline, &snapshot);
    assert_string_equal(snapshot.sinks[0].message.data, "no answer");
    rf_pipeline_snapshot_deinit(&snapshot);
    rf_pipeline_destroy(pipeline);
}

static void test_the_lag_of_a_sink_that_lost_what_it_had_is_not_known(void **state)
{
    (void)state;
    struct rf_pipeline *pipeline = create();
    struct rf_pipeline_snapshot snapshot = {0};
    struct rf_sink *sink = &pipeline->core->sinks[0];
    pipeline->workers[RF_CORE_SINK].complete_ms = rf_clock_ms();
    rf_pipeline_snapshot(pipeline, &snapshot);
    assert_true(snapshot.sinks[0].lag_ms >= 1);
    sink->losses++;
    rf_pipeline_snapshot(pipeline, &snapshot);
    assert_int_equal(snapshot.sinks[0].lag_ms, -1);
    sink->recorded.commit_us = rf_clock_wall_us() - 60000000; /* until a time says something */
    rf_pipeline_snapshot(pipeline, &snapshot);
    assert_true(snapshot.sinks[0].lag_ms >= 60000);
    rf_pipeline_snapshot_deinit(&snapshot);
    rf_pipeline_destroy(pipeline);
}

static void test_a_snapshot_says_how_long_a_call_has_lasted(void **state)
{
    struct rf_pipeline *pipeline = create();
    struct rf_pipeline_snapshot snapshot = {0};
    pthread_t runner;
    (void)state;
    atomic_store(&sink_held, true);
    atomic_store(&source_held, true);
    rf_pipeline_snapshot(pipeline, &snapshot);
    assert_int_equal(snapshot.source.call_ms + snapshot.sinks[0].call_ms, 0);
    assert_int_equal(pthread_create(&runner, NULL, run, pipeline), 0);
    look_until(pipeline, &snapshot, sink_is_long_in_a_call);
    assert_int_equal(snapshot.sinks[0].phase, RF_PHASE_CONNECTING);
    atomic_store(&sink_held, false);
    look_until(pipeline, &snapshot, source_is_long_in_a_call);
    assert_true(snapshot.sinks[0].call_ms < snapshot.source.call_ms);
    atomic_store(&source_held, false);
    look_until(pipeline, &snapshot, nobody_is_long_in_a_call);
    assert_true(atomic_load(&source_left));
    rf_pipeline_stop(pipeline);
    pthread_join(runner, NULL);
    rf_pipeline_snapshot(pipeline, &snapshot);
    assert_int_equal(snapshot.source.call_ms + snapshot.sinks[0].call_ms, 0);
    rf_pipeline_snapshot_deinit(&snapshot);
    rf_pipeline_destroy(pipeline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sink_shows_what_is_wrong_with_its_own_feed),
        cmocka_unit_test(test_the_lag_of_a_sink_that_lost_what_it_had_is_not_known),
        cmocka_unit_test(test_a_snapshot_says_how_long_a_call_has_lasted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
