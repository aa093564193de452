/* The program's log: one line per decision on standard error, as text or as JSON.
 *
 *     2026-11-22T17:00:00.123Z warn  redis://cache:6379/0: retry in 2 s: Connection refused
 *     {"time":"2026-11-22T17:00:00.123Z","level":"warn","pipeline":"shop",
 *      "actor":"redis://cache:6379/0","message":"retry in 2 s: Connection refused"}     (one line)
 *
 * Used by the engine and the command line. Plugins return errors instead; the context gives them
 * `rf_log` for nothing but things that are neither an error nor a result (a value typed by guess,
 * said once). Any thread. Never row data, never a secret. */
#ifndef ROWFERRY_LOG_H
#define ROWFERRY_LOG_H

#include <rowferry/str.h>

enum rf_level { RF_LOG_ERROR, RF_LOG_WARN, RF_LOG_INFO, RF_LOG_DEBUG };
enum rf_log_format { RF_LOG_TEXT, RF_LOG_JSON };

void rf_log(enum rf_level level, const char *format, ...) RF_PRINTF(2, 3);

/* A line that says more than its text. As text, "ACTOR: MESSAGE (HINT)". */
struct rf_log_entry {
    enum rf_level level;
    struct rf_str actor; /* which source or sink it is about, by its address; empty: none */
    struct rf_str message;
    struct rf_str hint; /* what to do about it; empty: nothing */
};
void rf_log_write(const struct rf_log_entry *entry);

/* Lines above this level are dropped; RF_LOG_INFO at the start. */
void rf_log_set_level(enum rf_level level);
bool rf_log_enabled(enum rf_level level);
/* RF_LOG_TEXT at the start. */
void rf_log_set_format(enum rf_log_format format);
bool rf_log_is_json(void);
/* The "pipeline" of every JSON line from here on; copied. NULL: none. */
void rf_log_set_pipeline(const char *name);
/* Called before and after a line is printed, with the log's lock held, so that a live line on the
 * terminal can be wiped and drawn again. NULL: none. */
void rf_log_set_around(void (*before)(void *), void (*after)(void *), void *argument);

#endif
