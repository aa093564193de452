/* Walks the bytes of a whole log file through wire/, as a source would, and says what it saw.
 *
 * For the golden files, where a person reads the text, and for the fuzz targets, which have every
 * decoder and the JSON emitter behind one input. */
#ifndef ROWFERRY_TEST_LIB_BINLOG_H
#define ROWFERRY_TEST_LIB_BINLOG_H

#include <rowferry/str.h>

/* Appends one line per event, and one per table definition and row, until the end or the first error.
 * Column definitions are shown when a table is seen first, or has changed.
 * Returns RF_OK, or the error with the event's offset in front. */
enum rf_status test_binlog_print(struct rf_str file, struct rf_buf *out, struct rf_error *err);

#endif
