/* MySQL's partial JSON: the changes of a document, logged in the place of the changed one.
 *
 * Used by rows.c for PARTIAL_UPDATE_ROWS events, which a server writes with
 * binlog_row_value_options=PARTIAL_JSON. Changes, one behind the other, each on what those before
 * it have left:
 *
 *   size
 *      1  0 replace, 1 insert, 2 remove
 *      *  p: bytes of the path, packed integer
 *      p  path: $ and its steps, .name, ."a name in JSON" or [number]
 *      *  not of 2: v: bytes of the value, packed integer
 *      v  not of 2: a document, as in jsonb.h
 *
 * Replaced and removed is what the path leads to, which must be there; $ alone can only be
 * replaced. Inserted is a member that is not there yet, at the place that its key has in the order
 * of keys; or an element of an array, in front of the one that has its number, or at the end. No
 * changes at all: the document stays what it was.
 *
 * Source: MySQL, sql/json_diff.h, Json_diff_vector::write_binary and apply_json_diffs;
 * sql-common/json_path.h; measured against MySQL 9.7. */
#ifndef ROWFERRY_WIRE_JSONB_CHANGE_H
#define ROWFERRY_WIRE_JSONB_CHANGE_H

#include <rowferry/arena.h>

/* Appends the text of the changed document. `scratch` is memory for the time of the call, which the
 * caller resets. Returns NULL; or why it cannot be done, a sentence without its full stop: `out` is
 * then as it was. Any thread. */
const char *rf_jsonb_print_changed(struct rf_buf *out, struct rf_str document,
                                   struct rf_str changes, struct rf_arena *scratch);

#endif
