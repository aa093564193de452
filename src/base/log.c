#include <rowferry/log.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static atomic_int log_level = RF_LOG_INFO;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
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

void rf_log_set_around(void (*before)(void *), void (*after)(void *), void *argument)
{
    pthread_mutex_lock(&log_lock);
    around_before = before;
    around_after = after;
    around_argument = argument;
    pthread_mutex_unlock(&log_lock);
}

void rf_log(enum rf_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warn ", "info ", "debug"};
    if (!rf_log_enabled(level)) {
        return;
    }
    struct rf_buf line = {0};
    struct timespec now;
    struct tm utc;
    char stamp[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    rf_buf_printf(&line, "%s.%03ldZ %s ", stamp, now.tv_nsec / 1000000, names[level]);
    va_list args;
    va_start(args, format);
    rf_buf_vprintf(&line, format, args);
    va_end(args);
    rf_buf_add_byte(&line, '\n');

    pthread_mutex_lock(&log_lock);
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
