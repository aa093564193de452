/* Statuses and errors: how every fallible function of Rowferry answers.
 *
 * Used by every room and every plugin. A status says what the engine has to do next; the error says
 * it to a person: what happened, to what, and what to do. `struct rf_error` is plain storage, so an
 * error path never allocates. */
#ifndef ROWFERRY_ERROR_H
#define ROWFERRY_ERROR_H

#include <stdbool.h>
#include <stdint.h>

/* What the caller, in the end the engine, has to do. 0 is OK, always. */
enum rf_status {
    RF_OK = 0,
    RF_AGAIN,  /* nothing yet, or no room: call again; not an error and err is left alone */
    RF_RETRY,  /* transient: close, back off, open again */
    RF_REJECT, /* this event can never succeed: the pipeline's policy decides; by default exit 4 */
    RF_CONFIG, /* the operator must change something: stop, exit 2, print the hint */
    RF_FATAL,  /* going on could lose or corrupt data: stop, exit 3 */
};

/* What went wrong. The caller owns it and passes it down; the first failure fills it. Zeroed before
 * use. */
struct rf_error {
    enum rf_status status;
    int code;         /* the upstream's own number (MySQL error, errno, ...), 0 without one */
    const char *file; /* where in our source it was raised */
    int line;
    /* with RF_REJECT: the struct rf_event that was refused: of any view that no flush covers yet,
     * or of its batch where a transform refused it */
    const void *event;
    /* the other side could not be reached at all; at a first start this is exit code 5 */
    bool connect;
    /* the other side refused our credentials (retried 5 times at a reconnect, not at a first
     * start) */
    bool access;
    char message[768]; /* one line, no newline at its end, never a secret */
    char hint[512];    /* what to do about it; empty without one */
};

#define RF_PRINTF(format_at, first_at) __attribute__((__format__(__printf__, format_at, first_at)))
#define RF_USE_RESULT                  __attribute__((warn_unused_result))

/* Fills err (NULL is accepted) and returns status, so that a failing function says
 * `return rf_fail(err, RF_RETRY, "could not connect to %s:%d: %s", ...)`. Clears code, event, flags
 * and hint. */
#define rf_fail(err, status, ...) rf_fail_at((err), (status), __FILE__, __LINE__, __VA_ARGS__)
enum rf_status rf_fail_at(struct rf_error *err, enum rf_status status, const char *file, int line,
                          const char *format, ...) RF_PRINTF(5, 6) __attribute__((cold));

/* Adds what to do. Call after rf_fail; replaces an older hint. */
void rf_error_hint(struct rf_error *err, const char *format, ...) RF_PRINTF(2, 3)
    __attribute__((cold));

/* Puts "context: " in front of the message, for a caller that knows more about where it happened.
 * Returns err's status. */
enum rf_status rf_error_wrap(struct rf_error *err, const char *format, ...) RF_PRINTF(2, 3)
    __attribute__((cold));

/* "ok", "again", "retry", "reject", "config", "fatal". */
const char *rf_status_name(enum rf_status status);

/* For our own mistakes only, always compiled in: prints the condition and aborts. Input from
 * outside is never asserted. */
#define rf_assert(condition) \
    ((condition) ? (void)0 : rf_assert_failed(#condition, __FILE__, __LINE__, __func__))
void rf_assert_failed(const char *condition, const char *file, int line, const char *function)
    __attribute__((noreturn, cold));

#endif
