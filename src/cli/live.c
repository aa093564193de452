#include "cli/live.h"

#include "base/clock.h"
#include "base/terminal.h"
#include "cli/progress.h"

#include <rowferry/log.h>
#include <time.h>
#include <unistd.h>

enum { DRAW_MS = 250, LOG_MS = 10000 };

static uint32_t terminal_columns(void)
{
    return rf_terminal_columns(STDERR_FILENO);
}

static void put(struct rf_str text)
{
    rf_terminal_put(STDERR_FILENO, text);
}

/* Takes the line off the screen. A terminal made narrower has broken it into several rows. */
static void wipe(struct rf_live *live)
{
    struct rf_buf out = {0};
    uint32_t rows;

    if (live->line_width == 0) {
        return;
    }
    rows = (live->line_width - 1) / terminal_columns();
    rf_buf_printf(&out, "\r");
    if (rows > 0) {
        rf_buf_printf(&out, "\033[%uA", rows);
    }
    rf_buf_printf(&out, "\033[J");
    put(rf_buf_str(&out));
    rf_buf_deinit(&out);
    live->line_width = 0;
}

/* The last column stays free: a character in it makes some terminals go to the next row. */
static void draw(struct rf_live *live)
{
    uint32_t width = rf_progress_width(rf_buf_str(&live->line));

    if (width == 0 || width >= terminal_columns()) {
        return; /* drawn for another width; the next drawing is near */
    }
    put(rf_buf_str(&live->line));
    live->line_width = width;
}

static void before_log(void *argument)
{
    struct rf_live *live = argument;

    pthread_mutex_lock(&live->lock);
    wipe(live);
}

static void after_log(void *argument)
{
    struct rf_live *live = argument;

    draw(live);
    pthread_mutex_unlock(&live->lock);
}

static void show(struct rf_live *live, struct rf_buf *text)
{
    pthread_mutex_lock(&live->lock);
    wipe(live);
    rf_buf_set(&live->line, rf_buf_str(text));
    if (!live->stop) {
        draw(live);
    }
    pthread_mutex_unlock(&live->lock);
}

static void log_text(struct rf_live *live, struct rf_buf *text)
{
    if (!rf_str_equal(rf_buf_str(text), rf_buf_str(&live->line))) {
        rf_buf_set(&live->line, rf_buf_str(text));
        rf_log(RF_LOG_INFO, "%.*s", RF_STR_ARG(rf_buf_str(text)));
    }
}

/* False: it is time to end. */
static bool wait_for_turn(struct rf_live *live)
{
    int64_t until_ms = rf_clock_ms() + (live->terminal ? DRAW_MS : LOG_MS);
    struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    int waited = 0;
    bool go_on;

    pthread_mutex_lock(&live->lock);
    while (!live->stop && !live->redraw && waited == 0) {
        waited = pthread_cond_timedwait(&live->news, &live->lock, &until);
    }
    live->redraw = false;
    go_on = !live->stop;
    pthread_mutex_unlock(&live->lock);
    return go_on;
}

static void *draw_again_and_again(void *argument)
{
    struct rf_live *live = argument;
    struct rf_buf text = {0};

    while (wait_for_turn(live)) {
        rf_buf_reset(&text);
        live->text(live->argument, live->terminal ? terminal_columns() - 1 : 0, &text);
        if (live->terminal) {
            show(live, &text);
        } else {
            log_text(live, &text);
        }
    }
    rf_buf_deinit(&text);
    return NULL;
}

void rf_live_start(struct rf_live *live)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&live->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&live->news, &attributes);
    pthread_condattr_destroy(&attributes);
    if (live->terminal) {
        rf_log_set_around(before_log, after_log, live);
    }
    rf_assert(pthread_create(&live->thread, NULL, draw_again_and_again, live) == 0);
    live->started = true;
}

void rf_live_redraw(struct rf_live *live)
{
    pthread_mutex_lock(&live->lock);
    live->redraw = live->terminal;
    pthread_cond_signal(&live->news);
    pthread_mutex_unlock(&live->lock);
}

void rf_live_abandon(struct rf_live *live)
{
    if (live->started && pthread_mutex_trylock(&live->lock) == 0) {
        wipe(live);
        live->stop = true;
        pthread_mutex_unlock(&live->lock);
    }
}

void rf_live_stop(struct rf_live *live)
{
    if (!live->started) {
        return;
    }
    pthread_mutex_lock(&live->lock);
    live->stop = true;
    pthread_cond_signal(&live->news);
    pthread_mutex_unlock(&live->lock);
    pthread_join(live->thread, NULL);
    rf_log_set_around(NULL, NULL, NULL);
    wipe(live);
    rf_buf_deinit(&live->line);
    pthread_cond_destroy(&live->news);
    pthread_mutex_destroy(&live->lock);
    live->started = false;
}
