/* Where a run is to end: from what a person writes to a time or a position. */
#include "engine/worker.h"

#include "base/clock.h"
#include "base/memory.h"

#include <rowferry/log.h>
#include <stdlib.h>
#include <time.h>

/* ------------------------------------------------------------------------------------ as a time */

/* Takes a number of so many digits off the front. */
static bool take_number(struct rf_str *rest, size_t digits, int *out)
{
    uint64_t number;
    if (rest->size < digits || !rf_str_to_u64((struct rf_str){rest->data, digits}, &number)) {
        return false;
    }
    *out = (int)number;
    rest->data += digits;
    rest->size -= digits;
    return true;
}

static bool take_byte(struct rf_str *rest, const char *choices)
{
    if (rest->size == 0 || strchr(choices, rest->data[0]) == NULL) {
        return false;
    }
    rest->data++;
    rest->size--;
    return true;
}

/* ".25" as 250000; none is 0. */
static bool take_fraction(struct rf_str *rest, int64_t *micros)
{
    *micros = 0;
    if (!take_byte(rest, ".")) {
        return true;
    }
    int64_t unit = 100000;
    size_t digits = 0;
    for (int digit; digits < 6 && take_number(rest, 1, &digit); digits++, unit /= 10) {
        *micros += digit * unit;
    }
    return digits > 0;
}

/* gmtime_r(timegm(t)) gives the same fields back only for a date that there is. */
static bool to_micros(struct tm fields, int64_t micros, int64_t *out_us)
{
    struct tm normal = fields;
    time_t seconds = timegm(&normal);
    if (normal.tm_year != fields.tm_year || normal.tm_mon != fields.tm_mon ||
        normal.tm_mday != fields.tm_mday || normal.tm_hour != fields.tm_hour ||
        normal.tm_min != fields.tm_min || normal.tm_sec != fields.tm_sec || seconds <= 0) {
        return false;
    }
    *out_us = (int64_t)seconds * 1000000 + micros;
    return true;
}

enum rf_status rf_until_time(struct rf_str text, int64_t *out_us, struct rf_error *err)
{
    struct rf_str rest = rf_str_trim(text);
    struct tm fields = {0};
    int64_t micros = 0;
    if (!take_number(&rest, 4, &fields.tm_year) || !take_byte(&rest, "-") ||
        !take_number(&rest, 2, &fields.tm_mon) || !take_byte(&rest, "-") ||
        !take_number(&rest, 2, &fields.tm_mday) || !take_byte(&rest, "T ")) {
        return RF_AGAIN;
    }
    fields.tm_year -= 1900;
    fields.tm_mon -= 1;
    bool whole = take_number(&rest, 2, &fields.tm_hour) && take_byte(&rest, ":") &&
                 take_number(&rest, 2, &fields.tm_min) && take_byte(&rest, ":") &&
                 take_number(&rest, 2, &fields.tm_sec) && take_fraction(&rest, &micros);
    (void)take_byte(&rest, "Z");
    if (!whole || rest.size > 0 || !to_micros(fields, micros, out_us)) {
        rf_fail(err, RF_CONFIG, "until: \"%.*s\" is not a time", RF_STR_ARG(text));
        rf_error_hint(err, "write it in UTC, such as 2026-11-22T12:00:00Z");
        return RF_CONFIG;
    }
    return RF_OK;
}

/* -------------------------------------------------------------------------------- as a position */

/* With the mutex held, but for the call itself. */
static enum rf_status probe(struct rf_pipeline *pipeline, const char *text, struct rf_buf *position,
                            struct rf_error *err)
{
    const struct rf_source_spec *spec = &pipeline->options.source;
    struct rf_option_set set = {spec->type->name, spec->type->options};
    struct rf_context ctx = rf_worker_source_context(pipeline, 0);
    struct rf_arena arena = {0};
    void *state = rf_alloc_zero(1, spec->type->state_size);
    ctx.from = rf_str_of(text);
    rf_buf_reset(position);
    pipeline->probe = state;
    pthread_mutex_unlock(&pipeline->mutex);

    rf_fail(err, RF_OK, "open failed without a reason");
    enum rf_status status = rf_options_fill(set, spec->settings, state, &arena, err);
    if (status == RF_OK) {
        status = spec->type->open(state, &ctx, position, err);
    }
    pthread_mutex_lock(&pipeline->mutex);
    pipeline->probe = NULL;
    pthread_mutex_unlock(&pipeline->mutex);
    spec->type->close(state);
    free(state);
    rf_arena_deinit(&arena);
    pthread_mutex_lock(&pipeline->mutex);
    return status;
}

/* As the core decides about a first connection; 0: try again. */
static int exit_code_of(enum rf_status status, const struct rf_error *err, bool late)
{
    switch (status) {
    case RF_RETRY: return err->access ? 2 : late ? 5 : 0;
    case RF_CONFIG: return 2;
    default: return 3;
    }
}

static void wait_for_stop(struct rf_pipeline *pipeline, int64_t until_ms)
{
    while (!pipeline->stopping && rf_clock_ms() < until_ms) {
        rf_worker_wait(pipeline, &pipeline->leave, until_ms);
    }
}

int rf_until_resolve(struct rf_pipeline *pipeline, const char *text, struct rf_buf *position,
                     struct rf_error *err)
{
    enum { DELAY_MIN_MS = 100, DELAY_MAX_MS = 4000 };
    const struct rf_pipeline_options *options = &pipeline->options;
    int64_t give_up_ms = rf_clock_ms(), delay_ms = DELAY_MIN_MS;
    give_up_ms +=
        options->connect_once ? 1 : rf_worker_source_context(pipeline, 0).connect_timeout_ms;
    int code = 0;
    pthread_mutex_lock(&pipeline->mutex);
    for (uint32_t try = 2; code == 0 && !pipeline->stopping; try++) {
        enum rf_status status = probe(pipeline, text, position, err);
        if (status == RF_OK || pipeline->stopping) {
            break;
        }
        code = exit_code_of(status, err, rf_clock_ms() + delay_ms > give_up_ms);
        if (code == 0) {
            pthread_mutex_unlock(&pipeline->mutex);
            rf_log(RF_LOG_WARN, "source %s: %s; trying again in %.1f s (try %u)",
                   options->source.address, err->message, (double)delay_ms / 1000, try);
            pthread_mutex_lock(&pipeline->mutex);
            wait_for_stop(pipeline, rf_clock_ms() + delay_ms);
            delay_ms = delay_ms * 2 < DELAY_MAX_MS ? delay_ms * 2 : DELAY_MAX_MS;
        } else if (status == RF_CONFIG && !err->connect && !err->access) {
            rf_error_wrap(err, "until %s", text);
        }
    }
    if (code != 0 || pipeline->stopping) {
        rf_buf_reset(position);
    }
    pthread_mutex_unlock(&pipeline->mutex);
    return code;
}
