/* Tables of every type and shape that a definition can have, and rows for them. */
#ifndef ROWFERRY_TEST_SHAPES_H
#define ROWFERRY_TEST_SHAPES_H

#include <rowferry/event.h>

/* Statements that make database shop with its tables; the last one lacks its semicolon. */
extern const char rf_test_shapes[];
/* Statements that fill them and change a few rows; the same. */
extern const char rf_test_shape_rows[];

/* Appends all that a table says of its columns and its key, on one line. */
void rf_test_table_print(struct rf_buf *out, const struct rf_table *table);
/* Replaces NUL bytes, so that the rest can be compared as a string. */
void rf_test_text_plain(struct rf_buf *text);

#endif
