/* Numbers of CQL that have any size: varint and decimal.
 *
 * Used by cql_value and by the sink. A varint is a number in two's complement, big-endian, in as
 * few bytes as there may be; a decimal is an [int], its scale, and a varint: the number is varint *
 * 10^-scale.
 *
 *   varint   0: 00   127: 7f   128: 0080   -1: ff   -128: 80   -129: ff7f
 *   decimal  12.50: 00000002 04e2
 *
 * Source: Apache Cassandra, doc/native_protocol_v4.spec, sections 6.6 and 6.23; Java,
 * BigInteger.toByteArray. */
#ifndef ROWFERRY_WIRE_CQL_NUMBER_H
#define ROWFERRY_WIRE_CQL_NUMBER_H

#include <rowferry/str.h>

enum {
    RF_CQL_VARINT_MAX = 1024,  /* bytes, beyond which we do not read and write one */
    RF_CQL_DIGITS_MAX = 2460,  /* decimal digits that always fit into them */
    RF_CQL_SCALE_PLAIN = 1024, /* up to this scale a decimal is printed without an exponent */
};

/* Append the bytes of a value, without its size. */
void rf_cql_add_varint(struct rf_buf *out, int64_t number);
void rf_cql_add_varint_unsigned(struct rf_buf *out, uint64_t number);
/* "-123"; false for text that is no whole number, or one of too many digits: nothing was
 * appended. */
bool rf_cql_add_varint_text(struct rf_buf *out, struct rf_str text);
/* "-12.50", "1.5E+3": all digits behind the point count. False as above. */
bool rf_cql_add_decimal_text(struct rf_buf *out, struct rf_str text);

/* Appends "-123"; false for no bytes, or too many; nothing was appended. */
bool rf_cql_print_varint(struct rf_buf *out, struct rf_str bytes);
/* Appends "-12.50", with an exponent for scales below 0 or beyond RF_CQL_SCALE_PLAIN. False as
 * above. */
bool rf_cql_print_decimal(struct rf_buf *out, struct rf_str bytes);

#endif
