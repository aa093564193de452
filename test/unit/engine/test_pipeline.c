/* The pipeline's threads, with plugins that only count. Under TSan too. */
#include "checkpoint/checkpoint.h"
#include "engine/pipeline.h"
#include "unit/engine/sim.h"

#include "base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { SINKS = 3, PER_TRANSACTION = 5, LIMIT_MS = 20000 };

/* What the plugins do, and what they saw. Everything under the mutex. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;

    uint32_t count;                 /* transactions in the log; UINT32_MAX: it never ends */
    bool ends;                      /* else the source blocks behind the last one */
    uint32_t fail_after;            /* transactions, then a fatal error; 0: never */
    enum rf_status source_open;     /* what an open answers */
    uint32_t open_failures[SINKS];  /* first opens of a sink that fail with RETRY */
    uint32_t write_failures[SINKS]; /* writes that fail with RETRY */
    enum rf_status verdict[SINKS];  /* at event `verdict_at`, unless RF_OK */
    uint32_t verdict_at;
    bool hang; /* sink 0 hangs in a write until it is interrupted */
    bool deaf; /* and the interrupt does not help until released */
    bool released;
    uint32_t slow[SINKS]; /* spins per event */

    uint32_t high[SINKS]; /* the last event in order */
    uint32_t repeats[SINKS];
    uint32_t flushed[SINKS]; /* position */
    uint32_t opens[SINKS];
    uint32_t source_opens, reads, acked;
    int64_t from; /* what the source's option said at its last open */
    bool hanging, dirty_state, gap;
} world;

static void world_reset(void)
{
    pthread_condattr_t attributes;
    memset(&world, 0, sizeof world);
    pthread_mutex_init(&world.mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&world.changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void lock(void)
{
    pthread_mutex_lock(&world.mutex);
}

static void unlock(void)
{
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.mutex);
}

/* Under the mutex: waits for news or the time. */
static void world_wait(int64_t until_ms)
{
    struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                             .tv_nsec = (long)(until_ms % 1000) * 1000000};
    pthread_cond_timedwait(&world.changed, &world.mutex, &until);
}

/* True once the condition holds; false after the limit. */
#define wait_until(condition)                              \
    ({                                                     \
        int64_t limit_ms = rf_clock_ms() + LIMIT_MS;       \
        lock();                                            \
        while (!(condition) && rf_clock_ms() < limit_ms) { \
            world_wait(limit_ms);                          \
        }                                                  \
        bool holds = (condition);                          \
        unlock();                                          \
        holds;                                             \
    })

/* ------------------------------------------------------------------------------------- a source */

struct fake_source {
    int64_t number; /* an option */
    uint32_t next;
    bool used, interrupted;
    char text[24];
};

static const struct rf_option source_options[] = {
    {"number", RF_OPTION_INT, offsetof(struct fake_source, number), "7", NULL, "a number", false},
    RF_OPTION_END,
};

static enum rf_status fake_open(void *memory, const struct rf_context *ctx, struct rf_buf *position,
                                struct rf_error *err)
{
    struct fake_source *state = memory;
    uint32_t at = 0;
    lock();
    world.source_opens++;
    world.from = state->number;
    world.dirty_state |= state->used || ctx->from.size == 0;
    state->used = true;
    enum rf_status status = world.source_open;
    unlock();
    if (status != RF_OK) {
        rf_fail(err, status, "the source does not want to");
        err->connect = true;
        return status;
    }
    sim_parse(rf_buf_str(position), &at);
    rf_buf_reset(position);
    rf_buf_printf(position, "P%u", at);
    state->next = at + 1;
    return RF_OK;
}

static void fake_fill(struct fake_source *state, struct rf_batch *batch)
{
    char text[24];
    while (!rf_batch_full(batch) && state->next <= world.count) {
        snprintf(text, sizeof text, "T%u", state->next);
        rf_batch_begin(batch, rf_str_of(text), 1, true);
        for (uint32_t i = 0; i < PER_TRANSACTION; i++) {
            rf_batch_add(batch)->ordinal = (state->next - 1) * PER_TRANSACTION + i + 1;
        }
        rf_batch_commit(batch);
        snprintf(text, sizeof text, "P%u", state->next++);
        if (world.fail_after > 0 && state->next > world.fail_after) {
            break;
        }
    }
    rf_batch_set_position(batch, rf_str_of(text), 1);
}

static enum rf_status fake_read(void *memory, struct rf_batch *batch, int64_t deadline_ms,
                                struct rf_error *err)
{
    struct fake_source *state = memory;
    enum rf_status status = RF_OK;
    lock();
    world.reads++;
    pthread_cond_broadcast(&world.changed);
    while (state->next > world.count && !world.ends && !state->interrupted &&
           rf_clock_ms() < deadline_ms) {
        world_wait(deadline_ms);
    }
    if (state->interrupted) {
        status = rf_fail(err, RF_RETRY, "interrupted");
    } else if (world.fail_after > 0 && state->next > world.fail_after) {
        status = rf_fail(err, RF_FATAL, "the log is damaged");
    } else if (state->next <= world.count) {
        fake_fill(state, batch);
    } else if (world.ends) {
        batch->end = true;
    } else {
        status = RF_AGAIN;
    }
    unlock();
    return status;
}

static enum rf_status fake_ack(void *memory, struct rf_str position, struct rf_error *err)
{
    (void)memory;
    (void)err;
    lock();
    sim_parse(position, &world.acked);
    unlock();
    return RF_OK;
}

static void fake_close(void *memory)
{
    (void)memory;
}

static void fake_interrupt(void *memory)
{
    struct fake_source *state = memory;
    lock();
    state->interrupted = true;
    unlock();
}

static const struct rf_source_type fake_source_type = {
    .name = "counting",
    .state_size = sizeof(struct fake_source),
    .options = source_options,
    .open = fake_open,
    .read = fake_read,
    .ack = fake_ack,
    .close = fake_close,
    .interrupt = fake_interrupt,
    .contains = sim_contains,
};

/* ---------------------------------------------------------------------------------------- sinks */

struct fake_sink {
    int64_t number; /* which of them, an option */
    bool interrupted;
    const struct rf_context *ctx;
};

static const struct rf_option sink_options[] = {
    {"number", RF_OPTION_INT, offsetof(struct fake_sink, number), NULL, NULL, "a number", true},
    RF_OPTION_END,
};

static enum rf_status sink_open(void *memory, const struct rf_context *ctx, struct rf_str *resume,
                                struct rf_error *err)
{
    struct fake_sink *state = memory;
    (void)resume;
    state->ctx = ctx;
    lock();
    bool fails = world.opens[state->number]++ < world.open_failures[state->number];
    unlock();
    return fails ? rf_fail(err, RF_RETRY, "refused") : RF_OK;
}

static void take(struct fake_sink *state, uint32_t event)
{
    if (event == world.high[state->number] + 1) {
        world.high[state->number] = event;
    } else if (event <= world.high[state->number]) {
        world.repeats[state->number]++;
    } else {
        world.gap = true;
    }
}

static enum rf_status sink_write(void *memory, const struct rf_view *view, struct rf_error *err)
{
    struct fake_sink *state = memory;
    enum rf_status status = RF_OK;
    int64_t number = state->number;
    lock();
    while (number == 0 && world.hang && !world.released && (!state->interrupted || world.deaf)) {
        world.hanging = true;
        pthread_cond_broadcast(&world.changed);
        world_wait(rf_clock_ms() + 1000);
    }
    while (number == 1 && world.hang && !world.hanging) {
        world_wait(rf_clock_ms() + 1000); /* first the other one hangs */
    }
    if (state->interrupted) {
        status = rf_fail(err, RF_RETRY, "interrupted");
    } else if (world.write_failures[number] > 0) {
        world.write_failures[number]--;
        status = rf_fail(err, RF_RETRY, "connection reset");
    }
    for (uint32_t i = 0; i < view->count && status == RF_OK; i++) {
        if (world.verdict[number] != RF_OK && view->events[i].ordinal == world.verdict_at) {
            status = rf_fail(err, world.verdict[number], "event %u is not to my taste",
                             world.verdict_at);
            break;
        }
        take(state, view->events[i].ordinal);
    }
    uint32_t spins = world.slow[number] * view->count;
    unlock();
    for (uint32_t i = 0; i < spins; i++) {
        atomic_signal_fence(memory_order_seq_cst);
    }
    return status;
}

static enum rf_status sink_flush(void *memory, struct rf_str position, struct rf_buf *note,
                                 struct rf_error *err)
{
    struct fake_sink *state = memory;
    (void)err;
    lock();
    sim_parse(position, &world.flushed[state->number]);
    /* The context stays as it was at open, whatever was recorded since. */
    uint32_t opened_at = 0;
    world.dirty_state |=
        state->ctx->position.size > 0 && !sim_parse(state->ctx->position, &opened_at);
    unlock();
    rf_buf_add_str(note, position);
    return RF_OK;
}

static void sink_interrupt(void *memory)
{
    struct fake_sink *state = memory;
    lock();
    state->interrupted = true;
    unlock();
}

static const struct rf_sink_type fake_sink_type = {
    .name = "counter",
    .state_size = sizeof(struct fake_sink),
    .options = sink_options,
    .open = sink_open,
    .write = sink_write,
    .flush = sink_flush,
    .close = fake_close,
    .interrupt = sink_interrupt,
};

/* ------------------------------------------------------------------------------------- the runs */

static const struct rf_setting numbers[SINKS] = {
    {"number", "0", NULL}, {"number", "1", NULL}, {"number", "2", NULL}};
static const struct rf_sink_spec sink_specs[SINKS] = {
    {.type = &fake_sink_type, .name = "a", .address = "counter:a", .settings = {&numbers[0], 1}},
    {.type = &fake_sink_type, .name = "b", .address = "counter:b", .settings = {&numbers[1], 1}},
    {.type = &fake_sink_type, .name = "c", .address = "counter:c", .settings = {&numbers[2], 1}},
};

struct run {
    struct rf_pipeline_options options;
    struct rf_pipeline *pipeline;
    pthread_t thread;
    struct rf_error err;
    int code;
    int64_t took_ms;
};

static char directory[64], checkpoint_path[96];

static void prepare(struct run *run, uint32_t sinks)
{
    *run = (struct run){
        .options =
            {
                .name = "test",
                .checkpoint_path = checkpoint_path,
                .pool_bytes = 4 << 20,
                .batch_bytes = 64 << 10,
                .flush_ms = 5,
                .source = {.type = &fake_source_type, .address = "counting:"},
                .sinks = sink_specs,
                .sink_count = sinks,
            },
    };
}

static void *carry_out(void *argument)
{
    struct run *run = argument;
    int64_t start_ms = rf_clock_ms();
    run->code = rf_pipeline_run(run->pipeline, &run->err);
    run->took_ms = rf_clock_ms() - start_ms;
    return NULL;
}

static void start(struct run *run)
{
    assert_int_equal(rf_pipeline_create(&run->options, &run->pipeline, &run->err), RF_OK);
    assert_int_equal(pthread_create(&run->thread, NULL, carry_out, run), 0);
}

static int finish(struct run *run)
{
    assert_int_equal(pthread_join(run->thread, NULL), 0);
    assert_false(rf_pipeline_abandoned(run->pipeline));
    rf_pipeline_destroy(run->pipeline);
    return run->code;
}

static int run_to_end(struct run *run)
{
    start(run);
    return finish(run);
}

static uint32_t recorded(const char *name)
{
    struct rf_checkpoint_report report;
    struct rf_error err;
    uint32_t position = UINT32_MAX;
    if (rf_checkpoint_read(checkpoint_path, &report, &err) == RF_OK) {
        for (uint32_t i = 0; i < report.sink_count; i++) {
            if (rf_str_equal(report.sinks[i].name, rf_str_of(name))) {
                sim_parse(report.sinks[i].position, &position);
            }
        }
    }
    rf_checkpoint_report_deinit(&report);
    return position;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/rowferry-pipeline-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(checkpoint_path, sizeof checkpoint_path, "%s/test.db", directory);
    world_reset();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"test.db", "test.db-wal", "test.db-shm", "test.lock"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    rmdir(directory);
    return 0;
}

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
    int64_t limit_ms = rf_clock_ms() + LIMIT_MS;
    world.count = 3000;
    prepare(&run, 2);
    start(&run);
    do {
        rf_pipeline_snapshot(run.pipeline, &snapshot);
        assert_true(snapshot.sinks[0].events <= snapshot.source.events);
    } while (!(snapshot.source.idle && snapshot.sinks[0].idle && snapshot.sinks[1].idle) &&
             rf_clock_ms() < limit_ms);
    assert_int_equal(snapshot.sink_count, 2);
    assert_int_equal(snapshot.sinks[1].events, world.count * PER_TRANSACTION);
    assert_int_equal(snapshot.sinks[1].transactions, world.count);
    assert_int_equal(snapshot.source.transactions, world.count);
    assert_int_equal(snapshot.sinks[0].lag_ms, 0);
    assert_int_equal(snapshot.sinks[0].phase, RF_PHASE_STREAMING);
    assert_string_equal(rf_buf_cstr(&snapshot.sinks[0].recorded), "P3000");
    assert_string_equal(snapshot.sinks[0].address, "counter:a");
    rf_pipeline_stop(run.pipeline);
    assert_int_equal(finish(&run), 0);
    rf_pipeline_snapshot_deinit(&snapshot);
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

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
        test(test_an_idle_pipeline_uses_no_cpu),
        test(test_without_a_checkpoint_each_run_is_a_first_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
