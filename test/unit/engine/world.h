/* A world around the pipeline's threads: a source and sinks that only count, and runs of them.
 *
 * What the plugins do is said in `world`, what they saw is found there; both under its mutex. The
 * log has transactions of PER_TRANSACTION events each; the n-th is "Tn", behind it lies the
 * position "Pn". Events are numbered from 1 through the whole log, by their ordinal. */
#ifndef ROWFERRY_TEST_WORLD_H
#define ROWFERRY_TEST_WORLD_H

#include "base/clock.h"
#include "checkpoint/checkpoint.h"
#include "engine/pipeline.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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
    uint32_t now;                   /* the transaction behind which `now` is */
    bool says_current;              /* that nothing is behind the last one */
    int64_t commit_us;              /* of the first one; 0: 1 for all */
    uint32_t fail_after;            /* transactions, then a fatal error; 0: never */
    enum rf_status source_open;     /* what an open answers */
    uint32_t open_failures[SINKS];  /* first opens of a sink that fail with RETRY */
    uint32_t write_failures[SINKS]; /* writes that fail with RETRY */
    enum rf_status verdict[SINKS];  /* at event `verdict_at`, unless RF_OK */
    uint32_t verdict_at;
    uint32_t refuse_every[SINKS]; /* events are refused by name; 0: none */
    bool hang;                    /* sink 0 hangs in a write until it is interrupted */
    bool deaf;                    /* and the interrupt does not help until released */
    bool released;
    uint32_t slow[SINKS]; /* spins per event */

    uint32_t high[SINKS]; /* the last event in order */
    uint32_t repeats[SINKS];
    uint32_t flushed[SINKS]; /* position */
    uint32_t opens[SINKS];
    uint64_t picks[SINKS];               /* at its last open */
    const atomic_uint *rotations[SINKS]; /* likewise */
    uint32_t ordered[SINKS];             /* opens that carry out an order */
    uint32_t feed_opens[1 + SINKS];      /* by the number of the feed */
    char spill[64];                      /* directory, at the last open */
    uint32_t source_opens, reads, acked;
    int64_t from; /* what the source's option said at its last open */
    bool hanging, dirty_state, gap;
} world;

static inline void world_reset(void)
{
    pthread_condattr_t attributes;
    memset(&world, 0, sizeof world);
    world.says_current = true;
    pthread_mutex_init(&world.mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&world.changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

static inline void lock(void)
{
    pthread_mutex_lock(&world.mutex);
}

static inline void unlock(void)
{
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.mutex);
}

/* Under the mutex: waits for news or the time. */
static inline void world_wait(int64_t until_ms)
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

/* Of "P12" or "T12" the 12. */
static inline bool world_parse(struct rf_str text, uint32_t *out)
{
    uint64_t number;
    if (text.size < 2 || (text.data[0] != 'P' && text.data[0] != 'T') ||
        !rf_str_to_u64((struct rf_str){text.data + 1, text.size - 1}, &number)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static inline bool world_contains(struct rf_str position, struct rf_str other)
{
    uint32_t a, b;
    return world_parse(position, &a) && world_parse(other, &b) && position.data[0] == 'P' && b <= a;
}

/* ------------------------------------------------------------------------------------- a source */

struct fake_source {
    int64_t number; /* an option */
    uint32_t next;
    bool used, interrupted, said_current;
};

static const struct rf_option source_options[] = {
    {"number", RF_OPTION_INT, offsetof(struct fake_source, number), "7", NULL, "a number", false},
    RF_OPTION_END,
};

static inline enum rf_status fake_open(void *memory, const struct rf_context *ctx,
                                       struct rf_buf *position, struct rf_error *err)
{
    struct fake_source *state = memory;
    uint32_t at = 0;
    lock();
    world.source_opens++;
    world.from = state->number;
    world.dirty_state |= state->used || ctx->from.size == 0;
    world.feed_opens[ctx->feed]++;
    snprintf(world.spill, sizeof world.spill, "%s",
             ctx->spill_directory ? ctx->spill_directory : "none");
    state->used = true;
    enum rf_status status = world.source_open;
    unlock();
    if (status != RF_OK) {
        rf_fail(err, status, "the source does not want to");
        err->connect = true;
        return status;
    }
    struct rf_str from = position->size > 0 ? rf_buf_str(position) : ctx->from;
    if (position->size == 0 && rf_str_equal(from, RF_STR("now"))) {
        at = world.now;
    } else if (!world_parse(from, &at) && !rf_str_equal(from, RF_STR("earliest"))) {
        return rf_fail(err, RF_CONFIG, "\"%.*s\" is not a position", RF_STR_ARG(from));
    }
    rf_buf_reset(position);
    rf_buf_printf(position, "P%u", at);
    state->next = at + 1;
    return RF_OK;
}

static inline int64_t fake_commit_us(uint32_t transaction)
{
    return world.commit_us ? world.commit_us + transaction * INT64_C(1000000) : 1;
}

static inline void fake_fill(struct fake_source *state, struct rf_batch *batch)
{
    char text[24];
    int64_t commit_us = 0;
    while (!rf_batch_full(batch) && state->next <= world.count) {
        snprintf(text, sizeof text, "T%u", state->next);
        commit_us = fake_commit_us(state->next);
        rf_batch_begin(batch, rf_str_of(text), commit_us, true);
        for (uint32_t i = 0; i < PER_TRANSACTION; i++) {
            struct rf_event *event = rf_batch_add(batch);
            event->op = RF_TRUNCATE;
            event->database = RF_STR("shop");
            event->object = RF_STR("items");
            event->ordinal = (state->next - 1) * PER_TRANSACTION + i + 1;
        }
        rf_batch_commit(batch);
        snprintf(text, sizeof text, "P%u", state->next++);
        if (world.fail_after > 0 && state->next > world.fail_after) {
            break;
        }
    }
    rf_batch_set_position(batch, rf_str_of(text), commit_us);
}

static inline enum rf_status fake_read(void *memory, struct rf_batch *batch, int64_t deadline_ms,
                                       struct rf_error *err)
{
    struct fake_source *state = memory;
    enum rf_status status = RF_OK;
    lock();
    world.reads++;
    pthread_cond_broadcast(&world.changed);
    bool says_current = world.says_current && !state->said_current && state->next > world.count;
    while (state->next > world.count && !world.ends && !state->interrupted && !says_current &&
           rf_clock_ms() < deadline_ms) {
        world_wait(deadline_ms);
    }
    if (state->interrupted) {
        status = rf_fail(err, RF_RETRY, "interrupted");
    } else if (world.fail_after > 0 && state->next > world.fail_after) {
        status = rf_fail(err, RF_FATAL, "the log is damaged");
    } else if (state->next <= world.count) {
        fake_fill(state, batch);
        state->said_current = false;
    } else if (world.ends) {
        batch->end = true;
    } else if (says_current) {
        state->said_current = batch->current = true;
    } else {
        status = RF_AGAIN;
    }
    unlock();
    return status;
}

static inline enum rf_status fake_ack(void *memory, struct rf_str position, struct rf_error *err)
{
    (void)memory;
    (void)err;
    lock();
    world_parse(position, &world.acked);
    unlock();
    return RF_OK;
}

static inline void fake_close(void *memory)
{
    (void)memory;
}

static inline void fake_interrupt(void *memory)
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
    .contains = world_contains,
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

static inline enum rf_status sink_open(void *memory, const struct rf_context *ctx,
                                       struct rf_str *resume, struct rf_error *err)
{
    struct fake_sink *state = memory;
    (void)resume;
    state->ctx = ctx;
    lock();
    world.picks[state->number] = ctx->picks;
    world.rotations[state->number] = ctx->rotations;
    world.ordered[state->number] += ctx->ordered;
    bool fails = world.opens[state->number]++ < world.open_failures[state->number];
    unlock();
    return fails ? rf_fail(err, RF_RETRY, "refused") : RF_OK;
}

static inline bool refused(int64_t number, uint32_t event)
{
    return world.refuse_every[number] > 0 && event % world.refuse_every[number] == 0;
}

static inline void take(struct fake_sink *state, uint32_t event)
{
    uint32_t next = world.high[state->number] + 1;
    while (refused(state->number, next)) {
        next++;
    }
    if (event == next) {
        world.high[state->number] = event;
    } else if (event <= world.high[state->number]) {
        world.repeats[state->number]++;
    } else {
        world.gap = true;
    }
}

static inline enum rf_status sink_write(void *memory, const struct rf_view *view,
                                        struct rf_error *err)
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
        if (refused(number, view->events[i].ordinal)) {
            status = rf_fail(err, RF_REJECT, "number %u is refused", view->events[i].ordinal);
            err->event = &view->events[i];
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

static inline enum rf_status sink_flush(void *memory, struct rf_str position, struct rf_buf *note,
                                        struct rf_error *err)
{
    struct fake_sink *state = memory;
    (void)err;
    lock();
    world_parse(position, &world.flushed[state->number]);
    /* The context stays as it was at open, whatever was recorded since. */
    uint32_t opened_at = 0;
    world.dirty_state |=
        state->ctx->position.size > 0 && !world_parse(state->ctx->position, &opened_at);
    unlock();
    rf_buf_add_str(note, position);
    return RF_OK;
}

static inline void sink_interrupt(void *memory)
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

static inline void prepare(struct run *run, uint32_t sinks)
{
    *run = (struct run){
        .options =
            {
                .name = "test",
                .checkpoint_path = checkpoint_path,
                .pool_bytes = 4 << 20,
                .batch_bytes = 128 << 10,
                .flush_ms = 5,
                .source = {.type = &fake_source_type, .address = "counting:"},
                .sinks = sink_specs,
                .sink_count = sinks,
            },
    };
}

static inline void *carry_out(void *argument)
{
    struct run *run = argument;
    int64_t start_ms = rf_clock_ms();
    run->code = rf_pipeline_run(run->pipeline, &run->err);
    run->took_ms = rf_clock_ms() - start_ms;
    return NULL;
}

static inline void start(struct run *run)
{
    assert_int_equal(rf_pipeline_create(&run->options, &run->pipeline, &run->err), RF_OK);
    assert_int_equal(pthread_create(&run->thread, NULL, carry_out, run), 0);
}

static inline int finish(struct run *run)
{
    assert_int_equal(pthread_join(run->thread, NULL), 0);
    assert_false(rf_pipeline_abandoned(run->pipeline));
    rf_pipeline_destroy(run->pipeline);
    return run->code;
}

static inline int run_to_end(struct run *run)
{
    start(run);
    return finish(run);
}

/* Until something happens, or a moment has passed: snapshots have no news of their own. */
static inline void pause_watching(void)
{
    lock();
    world_wait(rf_clock_ms() + 10);
    pthread_mutex_unlock(&world.mutex);
}

/* Takes snapshots until `done` says so of one; false after the limit. */
static inline bool watch(struct run *run, struct rf_pipeline_snapshot *snapshot,
                         bool (*done)(const struct rf_pipeline_snapshot *))
{
    int64_t limit_ms = rf_clock_ms() + LIMIT_MS;
    rf_pipeline_snapshot(run->pipeline, snapshot);
    while (!done(snapshot) && rf_clock_ms() < limit_ms) {
        pause_watching();
        rf_pipeline_snapshot(run->pipeline, snapshot);
    }
    return done(snapshot);
}

static inline bool all_idle(const struct rf_pipeline_snapshot *snapshot)
{
    bool idle = snapshot->source.idle;
    for (uint32_t i = 0; i < snapshot->sink_count; i++) {
        idle &= snapshot->sinks[i].idle;
    }
    return idle;
}

/* Until nothing is left to do. */
static inline int run_to_stop(struct run *run)
{
    struct rf_pipeline_snapshot snapshot = {0};
    start(run);
    assert_true(watch(run, &snapshot, all_idle));
    rf_pipeline_snapshot_deinit(&snapshot);
    rf_pipeline_stop(run->pipeline);
    return finish(run);
}

static inline uint32_t recorded(const char *name)
{
    struct rf_checkpoint_report report;
    struct rf_error err;
    uint32_t position = UINT32_MAX;
    if (rf_checkpoint_read(checkpoint_path, &report, &err) == RF_OK) {
        for (uint32_t i = 0; i < report.sink_count; i++) {
            if (rf_str_equal(report.sinks[i].name, rf_str_of(name))) {
                world_parse(report.sinks[i].position, &position);
            }
        }
    }
    rf_checkpoint_report_deinit(&report);
    return position;
}

static inline int set_up(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/rowferry-pipeline-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(checkpoint_path, sizeof checkpoint_path, "%s/test.db", directory);
    world_reset();
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"test.db", "test.db-wal", "test.db-shm", "test.lock",
                                        "refused.jsonl"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    rmdir(directory);
    return 0;
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
