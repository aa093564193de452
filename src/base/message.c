#include "base/message.h"

#include "base/terminal.h"

#include <rowferry/log.h>

#include <stdio.h>
#include <unistd.h>

#define RED    "\033[1;31m"
#define YELLOW "\033[1;33m"
#define CYAN   "\033[36m"
#define PLAIN  "\033[0m"

static const char *program = "rowferry";

void rf_message_set_program(const char *name)
{
    program = name;
}

bool rf_message_coloured(void)
{
    return rf_terminal_takes_colours(STDERR_FILENO);
}

/* One line per line of text, "LEAD: " or "LEADwhat" in front of each; written in one call, so that
 * lines of two threads do not mix. */
static void say(enum rf_level level, struct rf_str lead, const char *what, const char *colour,
                struct rf_str text)
{
    struct rf_buf out = {0};
    struct rf_str line;
    bool coloured = rf_message_coloured();

    if (rf_log_is_json()) {
        rf_log_write(&(struct rf_log_entry){.level = level, .message = text});
        return;
    }
    while (rf_str_split(&text, '\n', &line)) {
        rf_buf_printf(&out, "%s%.*s%s%s%.*s\n", coloured ? colour : "", RF_STR_ARG(lead), what,
                      coloured ? PLAIN : "", RF_STR_ARG(line));
    }
    if (out.size > 0) {
        fwrite(out.data, 1, out.size, stderr);
        fflush(stderr);
    }
    rf_buf_deinit(&out);
}

static void say_format(enum rf_level level, struct rf_str lead, const char *what,
                       const char *colour, const char *format, va_list args)
{
    struct rf_buf text = {0};

    rf_buf_vprintf(&text, format, args);
    say(level, lead, what, colour, rf_buf_str(&text));
    rf_buf_deinit(&text);
}

void rf_message_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_format(RF_LOG_ERROR, rf_str_of(program), ": ", RED, format, args);
    va_end(args);
}

void rf_message_warn(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_format(RF_LOG_WARN, rf_str_of(program), ": warning: ", YELLOW, format, args);
    va_end(args);
}

void rf_message_hint(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_format(RF_LOG_WARN, RF_STR("  "), "hint: ", CYAN, format, args);
    va_end(args);
}

void rf_message_detail(struct rf_str text)
{
    say(RF_LOG_WARN, RF_STR("  "), "| ", CYAN, text);
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
