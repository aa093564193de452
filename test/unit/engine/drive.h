/* The core by hand: each test says what every actor is to do next, and what comes of it. */
#ifndef ROWFERRY_TEST_DRIVE_H
#define ROWFERRY_TEST_DRIVE_H

#include "unit/engine/sim.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { SOURCE = RF_CORE_SOURCE, SINK = RF_CORE_SINK, OTHER = RF_CORE_SINK + 1, THIRD };

static struct {
    struct rf_core_options options;
    struct rf_core *core;
    int64_t now_ms;
    struct rf_action actions[7];
    struct rf_error err;
    char text[32];
} drive;

static inline int set_up(void **state)
{
    (void)state;
    memset(&drive, 0, sizeof drive);
    drive.options = (struct rf_core_options){.sink_count = 1, .contains = sim_contains, .seed = 1};
    drive.now_ms = 5000;
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    rf_core_destroy(drive.core);
    return 0;
}

static inline void create(uint32_t sinks)
{
    drive.options.sink_count = sinks;
    drive.core = rf_core_create(&drive.options);
}

static inline void set_recorded(uint32_t actor, const char *position)
{
    struct rf_core_sink known = {.position = rf_str_of(position), .note = RF_STR("n")};
    rf_core_set_sink(drive.core, actor, &known);
}

static inline void set_recorded_at(uint32_t actor, const char *position, int64_t commit_us)
{
    struct rf_core_sink known = {.position = rf_str_of(position), .commit_us = commit_us};
    rf_core_set_sink(drive.core, actor, &known);
}

/* The source of the sink's own feed. */
static inline uint32_t own_source(uint32_t sink)
{
    return sink + drive.options.sink_count;
}

static inline struct rf_action *next(uint32_t actor)
{
    rf_core_next(drive.core, actor, drive.now_ms, &drive.actions[actor]);
    return &drive.actions[actor];
}

/* The actor is to do this now. */
#define expect(actor, wanted)                                                                    \
    do {                                                                                         \
        struct rf_action *given_ = next(actor);                                                  \
        if (given_->kind != (wanted)) {                                                          \
            fail_msg("actor %d is to %s, not to %s", (int)(actor), rf_action_name(given_->kind), \
                     rf_action_name(wanted));                                                    \
        }                                                                                        \
    } while (0)

static inline void expect_position(uint32_t actor, const char *position)
{
    assert_true(rf_str_equal(drive.actions[actor].position, rf_str_of(position)));
}

static inline void done(uint32_t actor, enum rf_status status, const char *text)
{
    struct rf_result result = {.status = status, .err = &drive.err};
    if (drive.actions[actor].kind == RF_ACTION_OPEN) {
        result.position = rf_str_of(text);
    } else {
        result.note = rf_str_of(text);
    }
    rf_core_done(drive.core, actor, &drive.actions[actor], &result, drive.now_ms);
}

static inline void ok(uint32_t actor)
{
    done(actor, RF_OK, NULL);
}

static inline void fail_with(uint32_t actor, enum rf_status status)
{
    rf_fail(&drive.err, status, "no luck");
    done(actor, status, NULL);
}

static inline void open_sink(uint32_t actor, const char *resume)
{
    expect(actor, RF_ACTION_OPEN);
    done(actor, RF_OK, resume);
}

static inline void open_source(const char *position)
{
    expect(SOURCE, RF_ACTION_OPEN);
    done(SOURCE, RF_OK, position);
}

/* Adds a transaction to the batch that is being read. */
static inline void add(struct rf_batch *batch, uint32_t number, uint32_t events, bool begins,
                       bool ends)
{
    char text[16];
    snprintf(text, sizeof text, "T%u", number);
    rf_batch_begin(batch, rf_str_of(text), number, begins);
    for (uint32_t i = 0; i < events; i++) {
        rf_batch_add(batch)->ordinal = i;
    }
    if (ends) {
        rf_batch_commit(batch);
    }
}

static inline void set_position(struct rf_batch *batch, uint32_t number)
{
    char text[16];
    snprintf(text, sizeof text, "P%u", number);
    rf_batch_set_position(batch, rf_str_of(text), number);
}

/* Of the feed whose source that is. */
static inline struct rf_batch *begin_read_of(uint32_t source)
{
    expect(source, RF_ACTION_READ);
    rf_batch_reset(drive.actions[source].batch, 65536);
    return drive.actions[source].batch;
}

static inline struct rf_batch *begin_read(void)
{
    return begin_read_of(SOURCE);
}

static inline void read_of(uint32_t source, uint32_t number, uint32_t events)
{
    struct rf_batch *batch = begin_read_of(source);
    add(batch, number, events, true, true);
    set_position(batch, number);
    ok(source);
}

static inline void read_transaction(uint32_t number, uint32_t events)
{
    read_of(SOURCE, number, events);
}

static inline void read_piece(uint32_t number, bool begins, bool ends)
{
    struct rf_batch *batch = begin_read();
    add(batch, number, 3, begins, ends);
    if (ends) {
        set_position(batch, number);
    }
    ok(SOURCE);
}

/* One sink that stands, with the source, at P5. */
static inline void start_at_5(void)
{
    create(1);
    set_recorded(SINK, "P5");
    open_sink(SINK, NULL);
    open_source("P5");
}

/* Two of them. */
static inline void start_two_at_5(void)
{
    create(2);
    set_recorded(SINK, "P5");
    set_recorded(OTHER, "P5");
    open_sink(SINK, NULL);
    open_sink(OTHER, NULL);
    open_source("P5");
}

static inline void write_one(uint32_t actor)
{
    expect(actor, RF_ACTION_WRITE);
    ok(actor);
}

/* The sink does all there is to do, without time passing. */
static inline void drain(uint32_t actor)
{
    while (next(actor)->kind != RF_ACTION_WAIT) {
        assert_int_not_equal(drive.actions[actor].kind, RF_ACTION_EXIT);
        ok(actor);
    }
}

static inline bool told(enum rf_news_kind kind, struct rf_news *out)
{
    while (rf_core_take_news(drive.core, out)) {
        if (out->kind == kind) {
            return true;
        }
    }
    return false;
}

static inline void close_all(void)
{
    for (uint32_t actor = 0; actor <= 2 * drive.options.sink_count; actor++) {
        if (drive.actions[actor].kind == RF_ACTION_EXIT) {
            continue;
        }
        if (next(actor)->kind == RF_ACTION_CLOSE) {
            ok(actor);
            next(actor);
        }
        assert_int_equal(drive.actions[actor].kind, RF_ACTION_EXIT);
    }
    assert_true(rf_core_finished(drive.core));
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
