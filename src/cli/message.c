#include "cli/message.h"

#include <rowferry/log.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RED    "\033[1;31m"
#define YELLOW "\033[1;33m"
#define CYAN   "\033[36m"
#define PLAIN  "\033[0m"

bool rf_message_coloured(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return isatty(STDERR_FILENO) && (no_color == NULL || no_color[0] == '\0') && term != NULL &&
           strcmp(term, "dumb") != 0;
}

/* One line per line of text, the lead in front of each; written in one call, so that lines of two
 * threads do not mix. */
static void say(enum rf_level level, const char *lead, const char *colour, const char *format,
                va_list args)
{
    struct rf_buf text = {0};
    struct rf_buf out = {0};
    struct rf_str rest, line;
    bool coloured = rf_message_coloured();

    rf_buf_vprintf(&text, format, args);
    rest = rf_buf_str(&text);
    if (rf_log_is_json()) {
        rf_log_write(&(struct rf_log_entry){.level = level, .message = rest});
        rest = RF_STR_NONE;
    }
    while (rf_str_split(&rest, '\n', &line)) {
        rf_buf_printf(&out, "%s%s%s%.*s\n", coloured ? colour : "", lead, coloured ? PLAIN : "",
                      RF_STR_ARG(line));
    }
    if (out.size > 0) {
        fwrite(out.data, 1, out.size, stderr);
        fflush(stderr);
    }
    rf_buf_deinit(&text);
    rf_buf_deinit(&out);
}

void rf_message_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(RF_LOG_ERROR, "rowferry: ", RED, format, args);
    va_end(args);
}

void rf_message_warn(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(RF_LOG_WARN, "rowferry: warning: ", YELLOW, format, args);
    va_end(args);
}

void rf_message_hint(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(RF_LOG_WARN, "  hint: ", CYAN, format, args);
    va_end(args);
}

void rf_message_failure(const struct rf_error *err)
{
    if (rf_log_is_json()) {
        rf_log_write(&(struct rf_log_entry){.level = RF_LOG_ERROR,
                                            .message = rf_str_of(err->message),
                                            .hint = rf_str_of(err->hint)});
        return;
    }
    rf_message_error("%s", err->message);
    if (err->hint[0] != '\0') {
        rf_message_hint("%s", err->hint);
    }
}
