#include <rowferry/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum rf_status rf_fail_at(struct rf_error *err, enum rf_status status, const char *file, int line,
                          const char *format, ...)
{
    if (err != NULL) {
        /* The arguments may lie in err->message itself (a message that wraps another), so print
         * first. */
        char message[sizeof err->message];
        va_list args;
        va_start(args, format);
        vsnprintf(message, sizeof message, format, args);
        va_end(args);
        memcpy(err->message, message, sizeof message);
        err->status = status;
        err->code = 0;
        err->file = file;
        err->line = line;
        err->event = NULL;
        err->connect = false;
        err->access = false;
        err->hint[0] = '\0';
    }
    return status;
}

void rf_error_hint(struct rf_error *err, const char *format, ...)
{
    if (err != NULL) {
        char hint[sizeof err->hint];
        va_list args;
        va_start(args, format);
        vsnprintf(hint, sizeof hint, format, args);
        va_end(args);
        memcpy(err->hint, hint, sizeof hint);
    }
}

enum rf_status rf_error_wrap(struct rf_error *err, const char *format, ...)
{
    char context[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);

    size_t context_size = strnlen(context, sizeof err->message - 3);
    size_t message_size = strnlen(err->message, sizeof err->message - 1);
    size_t room = sizeof err->message - 3 - context_size;
    size_t kept = message_size < room ? message_size : room;
    memmove(err->message + context_size + 2, err->message, kept);
    memcpy(err->message, context, context_size);
    memcpy(err->message + context_size, ": ", 2);
    err->message[context_size + 2 + kept] = '\0';
    return err->status;
}

const char *rf_status_name(enum rf_status status)
{
    static const char *const names[] = {"ok", "again", "retry", "reject", "config", "fatal"};
    return (unsigned)status < sizeof names / sizeof *names ? names[status] : "unknown";
}

void rf_assert_failed(const char *condition, const char *file, int line, const char *function)
{
    fprintf(stderr,
            "rowferry: internal error at %s:%d in %s: \"%s\" does not hold. Nothing is lost: the "
            "position on disk is intact. "
            "Please report this line.\n",
            file, line, function, condition);
    abort();
}
