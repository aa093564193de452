#include "config/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NULL: there is no room. */
static struct rf_error *make_room(struct rf_problems *problems, uint32_t line)
{
    if (problems->left_out > 0 || problems->count == RF_PROBLEMS_MAX) {
        problems->left_out++;
        return NULL;
    }
    struct rf_problem *problem = &problems->items[problems->count++];
    *problem = (struct rf_problem){.line = line};
    return &problem->err;
}

static void place(const struct rf_problems *problems, uint32_t line, struct rf_error *err)
{
    if (line > 0) {
        rf_error_wrap(err, "%s:%u", problems->file, line);
    } else {
        rf_error_wrap(err, "%s", problems->file);
    }
}

void rf_problem_add(struct rf_problems *problems, uint32_t line, const char *format, ...)
{
    struct rf_error *err = make_room(problems, line);
    char message[sizeof err->message];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (err != NULL) {
        rf_fail(err, RF_CONFIG, "%s", message);
        place(problems, line, err);
    }
}

void rf_problem_hint(struct rf_problems *problems, const char *format, ...)
{
    char hint[sizeof problems->items[0].err.hint];
    va_list args;

    if (problems->left_out > 0 || problems->count == 0) {
        return;
    }
    va_start(args, format);
    vsnprintf(hint, sizeof hint, format, args);
    va_end(args);
    rf_error_hint(&problems->items[problems->count - 1].err, "%s", hint);
}

void rf_problem_add_error(struct rf_problems *problems, uint32_t line, const struct rf_error *err)
{
    size_t size = strlen(problems->file);
    bool placed = strncmp(err->message, problems->file, size) == 0 && err->message[size] == ':';
    uint32_t own_line = placed ? (uint32_t)strtoul(err->message + size + 1, NULL, 10) : 0;
    struct rf_error *kept = make_room(problems, own_line > 0 ? own_line : line);

    if (kept == NULL) {
        return;
    }
    *kept = *err;
    kept->status = RF_CONFIG;
    if (!placed) {
        place(problems, line, kept);
    }
}

void rf_problems_sort(struct rf_problems *problems)
{
    for (uint32_t i = 1; i < problems->count; i++) {
        struct rf_problem moved = problems->items[i];
        uint32_t at = i;
        for (; at > 0 && problems->items[at - 1].line > moved.line; at--) {
            problems->items[at] = problems->items[at - 1];
        }
        problems->items[at] = moved;
    }
}
