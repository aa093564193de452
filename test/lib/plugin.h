/* Plugins under test: a fresh instance with its options filled in, and a sink driven as the engine
 * does.
 *
 * Knows option tables only, so that a unit test needs no other room than its own. */
#ifndef ROWFERRY_TEST_PLUGIN_H
#define ROWFERRY_TEST_PLUGIN_H

#include <rowferry/sink.h>

/* Sets one option of a state: plain numbers for times and sizes, in milliseconds and bytes. Text is
 * borrowed. Aborts when there is no such option. */
void rf_test_set(const struct rf_option *options, void *state, const char *name, const char *value);
/* Fills in all fallbacks. */
void rf_test_fallbacks(const struct rf_option *options, void *state);

struct rf_test_setting {
    const char *name, *value;
};

/* A sink and what the engine would remember about it. Zeroed but for type and settings is ready to
 * be opened. position and note are those of the last record; they outlive the instance. */
struct rf_test_sink {
    const struct rf_sink_type *type;
    const struct rf_test_setting *settings; /* ends with a NULL name */
    struct rf_format *format;
    uint64_t epoch;
    bool adopt;
    bool ordered; /* the position is an operator's order */
    uint64_t picks;
    const atomic_uint *rotations; /* NULL: nobody asks for new files */

    void *state; /* NULL: closed */
    struct rf_context ctx;
    struct rf_buf position, note;
    struct rf_str resume; /* what open returned */
};

/* With a fresh instance. After a failure it is closed already. */
RF_USE_RESULT enum rf_status rf_test_sink_open(struct rf_test_sink *sink, struct rf_error *err);
/* Flushes and, when that went well, remembers position and note. */
RF_USE_RESULT enum rf_status rf_test_sink_flush(struct rf_test_sink *sink, const char *position,
                                                struct rf_error *err);
void rf_test_sink_close(struct rf_test_sink *sink);
/* Closes it, and forgets position and note. */
void rf_test_sink_deinit(struct rf_test_sink *sink);

/* What its position is by now: the destination's where it keeps one, else the recorded one. */
struct rf_str rf_test_sink_position(const struct rf_test_sink *sink);

#endif
