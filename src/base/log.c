#include <rowferry/log.h>

#include "base/quote.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static atomic_int log_level = RF_LOG_INFO;
static atomic_int log_format = RF_LOG_TEXT;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char *log_pipeline; /* with the lock */
static void (*around_before)(void *);
static void (*around_after)(void *);
static void *around_argument;

void rf_log_set_level(enum rf_level level)
{
    atomic_store(&log_level, (int)level);
}

bool rf_log_enabled(enum rf_level level)
{
    return (int)level <= atomic_load(&log_level);
}

void rf_log_set_format(enum rf_log_format format)
{
    atomic_store(&log_format, (int)format);
}

bool rf_log_is_json(void)
{
    return atomic_load(&log_format) == RF_LOG_JSON;
}

void rf_log_set_pipeline(const char *name)
{
    pthread_mutex_lock(&log_lock);
    free(log_pipeline);
    log_pipeline = name ? rf_str_dup(rf_str_of(name)) : NULL;
    pthread_mutex_unlock(&log_lock);
}

void rf_log_set_around(void (*before)(void *), void (*after)(void *), void *argument)
{
    pthread_mutex_lock(&log_lock);
    around_before = before;
    around_after = after;
    around_argument = argument;
    pthread_mutex_unlock(&log_lock);
}

static void add_time(struct rf_buf *line)
{
    struct timespec now;
    struct tm utc;
    char stamp[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    rf_buf_printf(line, "%s.%03ldZ", stamp, now.tv_nsec / 1000000);
}

static void add_text_line(struct rf_buf *line, const struct rf_log_entry *entry)
{
    static const char *const names[] = {"error", "warn ", "info ", "debug"};

    add_time(line);
    rf_buf_printf(line, " %s ", names[entry->level]);
    if (entry->actor.size > 0) {
        rf_buf_printf(line, "%.*s: ", RF_STR_ARG(entry->actor));
    }
    rf_buf_add_str(line, entry->message);
    if (entry->hint.size > 0) {
        rf_buf_printf(line, " (%.*s)", RF_STR_ARG(entry->hint));
    }
}

static void add_json_member(struct rf_buf *line, const char *name, struct rf_str text)
{
    if (text.size > 0) {
        rf_buf_printf(line, ",\"%s\":", name);
        rf_quote_json(line, text);
    }
}

/* With the lock. */
static void add_json_line(struct rf_buf *line, const struct rf_log_entry *entry)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};

    rf_buf_printf(line, "{\"time\":\"");
    add_time(line);
    rf_buf_printf(line, "\",\"level\":\"%s\"", names[entry->level]);
    add_json_member(line, "pipeline", rf_str_of(log_pipeline));
    add_json_member(line, "actor", entry->actor);
    rf_buf_printf(line, ",\"message\":");
    rf_quote_json(line, entry->message);
    add_json_member(line, "hint", entry->hint);
    rf_buf_add_byte(line, '}');
}

void rf_log_write(const struct rf_log_entry *entry)
{
    struct rf_buf line = {0};

    if (!rf_log_enabled(entry->level)) {
        return;
    }
    pthread_mutex_lock(&log_lock);
    if (rf_log_is_json()) {
        add_json_line(&line, entry);
    } else {
        add_text_line(&line, entry);
    }
    rf_buf_add_byte(&line, '\n');
    if (around_before != NULL) {
        around_before(around_argument);
    }
    fwrite(line.data, 1, line.size, stderr);
    fflush(stderr);
    if (around_after != NULL) {
        around_after(around_argument);
    }
    pthread_mutex_unlock(&log_lock);
    rf_buf_deinit(&line);
}

void rf_log(enum rf_level level, const char *format, ...)
{
    struct rf_buf message = {0};
    va_list args;

    if (!rf_log_enabled(level)) {
        return;
    }
    va_start(args, format);
    rf_buf_vprintf(&message, format, args);
    va_end(args);
    struct rf_log_entry entry = {.level = level, .message = rf_buf_str(&message)};
    rf_log_write(&entry);
    rf_buf_deinit(&message);
}
