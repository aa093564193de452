/* Whole text files beside the log: its index, and the definitions of its tables. */
#ifndef ROWFERRY_SOURCE_TEXT_H
#define ROWFERRY_SOURCE_TEXT_H

#include <rowferry/error.h>
#include <rowferry/str.h>

/* Appends the file's content. Stops when there is more than bytes_max in `out`: the caller looks at
 * its size.
 * Returns: 0, or the errno of what went wrong; then out may have a part of it.
 * Thread: any, each with its own out. */
RF_USE_RESULT int rf_text_read(const char *path, size_t bytes_max, struct rf_buf *out);

#endif
