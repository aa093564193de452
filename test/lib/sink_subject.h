/* A sink under test, its settings, and what is expected of it. For tests with cmocka, which they
 * include first; each function fails the test when it is not so. One test program has one of each
 * of these. */
#ifndef ROWFERRY_TEST_SINK_SUBJECT_H
#define ROWFERRY_TEST_SINK_SUBJECT_H

#include "lib/events.h"
#include "lib/plugin.h"

enum { SETTINGS_MAX = 12 };

static struct rf_test_setting settings[SETTINGS_MAX]; /* of the sink, behind begin_sink */
static struct rf_test_sink sink;
static struct rf_batch batch;
static struct rf_error err;

#define expect_status(call, status)                                                   \
    do {                                                                              \
        enum rf_status got_ = (call);                                                 \
        if (got_ != (status)) {                                                       \
            print_message("%s: %s (%s)\n", #call, rf_status_name(got_), err.message); \
        }                                                                             \
        assert_int_equal(got_, (status));                                             \
    } while (0)

/* A closed sink with these settings, up to one without a name, and an empty batch. */
static inline void begin_sink(const struct rf_sink_type *type, const struct rf_test_setting *given,
                              size_t bytes_max)
{
    memset(settings, 0, sizeof settings);
    for (size_t i = 0; given[i].name != NULL; i++) {
        rf_assert(i + 1 < SETTINGS_MAX);
        settings[i] = given[i];
    }
    sink = (struct rf_test_sink){.type = type, .settings = settings};
    batch = (struct rf_batch){.bytes_max = bytes_max};
    err = (struct rf_error){0};
}

static inline void end_sink(void)
{
    rf_test_sink_deinit(&sink);
    rf_batch_deinit(&batch);
}

static inline void open_sink(void)
{
    expect_status(rf_test_sink_open(&sink, &err), RF_OK);
}

static inline void flush(const char *position)
{
    expect_status(rf_test_sink_flush(&sink, position, &err), RF_OK);
}

/* Closes it when it is open, and opens it again. */
static inline void reopen(void)
{
    rf_test_sink_close(&sink);
    open_sink();
}

/* The same, which is refused. */
static inline void reopen_fails(enum rf_status expected)
{
    rf_test_sink_close(&sink);
    expect_status(rf_test_sink_open(&sink, &err), expected);
}

/* `count` events of the batch from `first` on; UINT32_MAX: all the rest. */
static inline enum rf_status write_some(uint32_t first, uint32_t count)
{
    struct rf_view view = rf_test_view(&batch, first, count);
    return sink.type->write(sink.state, &view, &err);
}

/* What the last error says. */
static inline void expect_said(const char *words)
{
    if (strstr(err.message, words) == NULL) {
        print_message("'%s' is not in: %s\n", words, err.message);
    }
    assert_non_null(strstr(err.message, words));
}

#endif
