/* Text and bytes inside JSON: strings that any reader takes, whatever they are made of.
 *
 * For what is written now and then: dead letters, log lines. The hot path has wire/json.h. Any
 * thread.
 *
 * Source: RFC 8259 section 7 (strings); RFC 4648 section 4 (base64). */
#ifndef ROWFERRY_BASE_QUOTE_H
#define ROWFERRY_BASE_QUOTE_H

#include <rowferry/str.h>

/* The text with quotes around it: quotes, backslashes and control characters escaped, and U+FFFD
 * in the place of each byte that is not part of a character in UTF-8. Appends. */
void rf_quote_json(struct rf_buf *out, struct rf_str text);

/* The bytes in base64, with padding, without quotes. Appends. */
void rf_quote_base64(struct rf_buf *out, struct rf_str bytes);

#endif
