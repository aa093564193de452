/* Values of CQL as text, and text as values.
 *
 * Used by the sink for what is made of templates, by messages and by tests; the sink writes the
 * values of rows itself, without the text between. The bytes of a value, its size not counted:
 *
 *   ascii, text, blob      the bytes          boolean           1: 0 or 1
 *   tinyint 1, smallint 2, int 4, bigint and counter 8: signed    float 4, double 8: IEEE 754
 *   varint, decimal        cql_number.h       uuid, timeuuid    16
 *   timestamp              8: milliseconds since 1970, signed     inet    4 or 16
 *   date                   4: days since 1970 plus 2^31, unsigned
 *   time                   8: nanoseconds since midnight
 *   duration               three [vint]: months, days, nanoseconds, of one sign
 *   list, set              [int] n, n times [value]
 *   map                    [int] n, n times [value] [value]
 *   tuple, user's type     a [value] per element; the last ones may be missing
 *
 *   [vint]  a signed number n as (n << 1) ^ (n >> 63), in 1 to 9 bytes: as many bits as the first
 *           byte has ones at its front, so many bytes follow it
 *
 * As text a simple value is what CQL writes between the quotes: 12, -1.50, true, 2024-02-29,
 * 2024-02-29 12:00:00.250, 23:59:59.000000001, 0xcafe, 1mo2d3ns, 127.0.0.1. Others are CQL's own:
 * ['a', null], {1: 0x00}, ('b', 2), {field: 3}. No bytes at all, which most types may be, are no
 * text at all.
 *
 * Source: Apache Cassandra, doc/native_protocol_v4.spec, section 6; native_protocol_v5.spec, 3 and
 * 5, for vint and duration; the CQL reference, "Data Types". */
#ifndef ROWFERRY_WIRE_CQL_VALUE_H
#define ROWFERRY_WIRE_CQL_VALUE_H

#include "wire/cql_type.h"

/* Appends the text of a value that is not null. False: the bytes are none of the type. */
bool rf_cql_value_print(struct rf_buf *out, const struct rf_cql_type *type, struct rf_str bytes);

/* Appends the bytes of a text. False: the text is none of the type; out is as it was. */
bool rf_cql_value_read(struct rf_buf *out, const struct rf_cql_type *type, struct rf_str text);

#endif
