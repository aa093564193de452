/* What we ask of a terminal. Any thread. */
#ifndef ROWFERRY_BASE_TERMINAL_H
#define ROWFERRY_BASE_TERMINAL_H

#include <rowferry/str.h>

/* How wide it is; 80 when it does not say. */
uint32_t rf_terminal_columns(int fd);
/* How high it is; 24 when it does not say. */
uint32_t rf_terminal_rows(int fd);
/* True when it is a terminal, NO_COLOR is not set and TERM is not "dumb". */
bool rf_terminal_takes_colours(int fd);
/* Writes all of it, past what stdio holds. One that is gone is no reason to stop: then the rest is
 * dropped. */
void rf_terminal_put(int fd, struct rf_str text);

#endif
