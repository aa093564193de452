/* A source `mysql` under test, its settings, and what is expected of it. For tests with cmocka,
 * which they include first; each function fails the test when it is not so. */
#ifndef ROWFERRY_TEST_SUBJECT_H
#define ROWFERRY_TEST_SUBJECT_H

#include "base/clock.h"
#include "lib/source.h"

#include <stdio.h>

enum { SETTINGS_MAX = 14 };

struct subject {
    struct rf_test_source source;
    struct rf_test_setting settings[SETTINGS_MAX];
    struct rf_error err;
};

/* The value must last as long as the subject. */
static inline void set(struct subject *subject, const char *name, const char *value)
{
    struct rf_test_setting *setting = subject->settings;
    while (setting->name != NULL && strcmp(setting->name, name) != 0) {
        setting++;
    }
    rf_assert(setting + 1 < subject->settings + SETTINGS_MAX);
    *setting = (struct rf_test_setting){name, value};
}

static inline void prepare_user(struct subject *subject, const struct rf_source_type *type,
                                const char *user, const char *from, const char *port)
{
    *subject = (struct subject){0};
    subject->source.type = type;
    subject->source.settings = subject->settings;
    subject->source.from = from;
    set(subject, "user", user);
    set(subject, "port", port);
}

static inline void open_it(struct subject *subject)
{
    subject->err = (struct rf_error){0};
    if (rf_test_source_open(&subject->source, &subject->err) != RF_OK) {
        fail_msg("%s (%s)", subject->err.message, subject->err.hint);
    }
}

static inline void expect_words(const struct rf_error *err, const char *message, const char *hint)
{
    if (strstr(err->message, message) == NULL || strstr(err->hint, hint) == NULL) {
        fail_msg("'%s', '%s' are not in: %s (%s)", message, hint, err->message, err->hint);
    }
}

/* Opening it ends so, with these words. */
static inline void refused(struct subject *subject, enum rf_status status, const char *message,
                           const char *hint)
{
    subject->err = (struct rf_error){0};
    enum rf_status got = rf_test_source_open(&subject->source, &subject->err);
    if (got != status) {
        fail_msg("%s instead of %s (%s): %s", rf_status_name(got), rf_status_name(status), message,
                 subject->err.message);
    }
    expect_words(&subject->err, message, hint);
}

static inline void end(struct subject *subject)
{
    rf_test_source_deinit(&subject->source);
}

#endif
