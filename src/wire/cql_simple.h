/* Values of CQL's simple types, which hold no others: their text, and bytes of it.
 *
 * Used by cql_value, whose header tells the bytes and the texts.
 *
 * Source: as for cql_value.h. */
#ifndef ROWFERRY_WIRE_CQL_SIMPLE_H
#define ROWFERRY_WIRE_CQL_SIMPLE_H

#include "wire/cql_type.h"

/* True for what CQL writes in quotes. */
bool rf_cql_is_quoted(enum rf_cql_kind kind);

/* Appends the text of one or more bytes, of texts and blobs also of none. False: the bytes are none
 * of the type; nothing, or a part of it, was appended. */
bool rf_cql_print_simple(struct rf_buf *out, enum rf_cql_kind kind, struct rf_str bytes);
/* Appends the bytes of a text. False: the text is none of the type; a part may have been
 * appended. */
bool rf_cql_read_simple(struct rf_buf *out, enum rf_cql_kind kind, struct rf_str text);

#endif
