/* Statements that take rows away, or to another table, without a word of them in the log.
 *
 * Used by sinks that hold the rows' last state, and leave what they hold as it is. */
#ifndef ROWFERRY_SINK_STATEMENT_H
#define ROWFERRY_SINK_STATEMENT_H

#include <rowferry/event.h>

/* Warns of such an RF_DDL event, a drop or rename of a collection among them. `kept` is what the
 * rows have become, `where`: "keys", "Redis". */
void rf_statement_warn(const struct rf_event *event, const char *kept, const char *where);

#endif
