/* The program's log: plain lines on standard error, one decision each.
 *
 * Used by the engine and the command line. Plugins return errors instead; the context gives them
 * `rf_log` for nothing but things that are neither an error nor a result (a value typed by guess,
 * said once). Any thread. Never row data, never a secret. */
#ifndef ROWFERRY_LOG_H
#define ROWFERRY_LOG_H

#include <rowferry/str.h>

enum rf_level { RF_LOG_ERROR, RF_LOG_WARN, RF_LOG_INFO, RF_LOG_DEBUG };

void rf_log(enum rf_level level, const char *format, ...) RF_PRINTF(2, 3);
/* Lines above this level are dropped; RF_LOG_INFO at the start. */
void rf_log_set_level(enum rf_level level);
bool rf_log_enabled(enum rf_level level);
/* Called before and after a line is printed, with the log's lock held, so that a live line on the
 * terminal can be wiped and drawn again. NULL: none. */
void rf_log_set_around(void (*before)(void *), void (*after)(void *), void *argument);

#endif
