/* A reader of JSON that knows no more than what is valid.
 *
 * Source: RFC 8259. */
#ifndef ROWFERRY_TEST_LIB_JSON_H
#define ROWFERRY_TEST_LIB_JSON_H

#include <rowferry/str.h>

/* True when the text is one JSON value and nothing else. Blanks between its parts are allowed; its
 * strings need not be UTF-8. */
bool test_json_is_valid(struct rf_str text);

#endif
