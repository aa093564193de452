/* What the program says to a person on standard error, outside the log:
 *
 *     rowferry: could not connect to db.example:3306: Connection refused
 *       hint: is the server up?
 *
 * Coloured only on a terminal, and not when NO_COLOR is set or TERM is "dumb". When the log is
 * JSON, these are lines of the log. Any thread. */
#ifndef ROWFERRY_BASE_MESSAGE_H
#define ROWFERRY_BASE_MESSAGE_H

#include <rowferry/str.h>

/* True when standard error takes colours. */
bool rf_message_coloured(void);

/* Whose name stands in front instead of "rowferry"; borrowed for good. Before any other thread. */
void rf_message_set_program(const char *name);

/* "rowferry: ..." */
void rf_message_error(const char *format, ...) RF_PRINTF(1, 2);
/* "rowferry: warning: ..." */
void rf_message_warn(const char *format, ...) RF_PRINTF(1, 2);
/* "  hint: ...", one line of its own per line of text. */
void rf_message_hint(const char *format, ...) RF_PRINTF(1, 2);
/* "  | ...", one per line of text: what somebody else said about it, such as the end of a log. */
void rf_message_detail(struct rf_str text);
/* The error's message, then its hint if it has one. */
void rf_message_failure(const struct rf_error *err);

#endif
