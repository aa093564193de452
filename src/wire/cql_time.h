/* Times of CQL: their text, and bytes of it.
 *
 * Used by cql_simple and by the sink. Which bytes they are tells cql_value.h; a date is the number
 * of days plus 2^31. A text must be whole: nothing in front or behind.
 *
 *   timestamp   2024-02-29 12:00:00.250, also with a T, fewer or no parts of the clock, and Z or
 *               +01:00 behind; a part finer than a millisecond is refused
 *   date        2024-02-29, -0001-12-31
 *   time        23:59:59.000000001, also without the end
 *   duration    1mo2d3ns; also of y, w, h, m, s, ms and us; with one sign in front
 *
 * Source: Apache Cassandra, doc/native_protocol_v5.spec, sections 3 (vint) and 5; the CQL
 * reference, "Working with dates" and "Working with durations". */
#ifndef ROWFERRY_WIRE_CQL_TIME_H
#define ROWFERRY_WIRE_CQL_TIME_H

#include <rowferry/str.h>

/* The days of CQL's date, out of days since 1970, from INT32_MIN to INT32_MAX. */
static inline uint32_t rf_cql_date(int64_t days)
{
    return (uint32_t)(days + INT64_C(0x80000000));
}

/* Appends a duration's bytes. The three have one sign. */
void rf_cql_add_duration(struct rf_buf *out, int32_t months, int32_t days, int64_t nanoseconds);

/* Append the text. */
void rf_cql_print_timestamp(struct rf_buf *out, int64_t ms);
void rf_cql_print_date(struct rf_buf *out, int64_t days);
/* False, and nothing is appended: it lies not within a day. */
bool rf_cql_print_time(struct rf_buf *out, int64_t nanoseconds);
/* False, and nothing is appended: the bytes are no duration. */
bool rf_cql_print_duration(struct rf_buf *out, struct rf_str bytes);

/* Append the bytes of a text. False, and nothing is appended: the text is none. Its data is not
 * NULL. */
bool rf_cql_read_timestamp(struct rf_buf *out, struct rf_str text);
bool rf_cql_read_date(struct rf_buf *out, struct rf_str text);
bool rf_cql_read_time(struct rf_buf *out, struct rf_str text);
bool rf_cql_read_duration(struct rf_buf *out, struct rf_str text);

#endif
