/* `rowferry run` as a child of one of our programs: where it lies, and what it said at its end.
 * Thread: any. */
#ifndef ROWFERRY_PROGRAMS_CHILD_H
#define ROWFERRY_PROGRAMS_CHILD_H

#include <rowferry/str.h>

/* The path of the program: $ROWFERRY, else beside us where it is installed, one level up in a build
 * directory. Appends. Returns RF_OK; RF_CONFIG: it is not there. */
RF_USE_RESULT enum rf_status rf_child_program(struct rf_buf *out, struct rf_error *err);

/* Shows what it said last to a person: the message in its log, and the hints behind it. */
void rf_child_show_log(const char *path);

#endif
