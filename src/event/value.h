/* Text of temporal values, shared by everything that prints them: rf_value_print and the JSON
 * emitter.
 *
 * Each function writes into the caller's memory, adds no NUL and returns the bytes written. Any
 * thread. */
#ifndef ROWFERRY_EVENT_VALUE_H
#define ROWFERRY_EVENT_VALUE_H

#include "event/floating.h"

#include <rowferry/value.h>

enum {
    RF_DATE_TEXT_MAX = 10,     /* 2024-02-29 */
    RF_DATETIME_TEXT_MAX = 26, /* 2024-02-29 12:00:00.000000 */
    RF_TIME_TEXT_MAX = 20,     /* -838:59:59.000000 */
};

/* "2024-02-29" of a packed date. */
size_t rf_date_text(char *out, uint64_t packed);
/* "2024-02-29" `separator` "12:00:00" and `scale` fraction digits (0-6) of a packed date and
 * time. */
size_t rf_datetime_text(char *out, uint64_t packed, char separator, unsigned scale);
/* The same of microseconds since 1970 UTC; 0 gives the zero date, as the server shows it. */
size_t rf_timestamp_text(char *out, int64_t micros, char separator, unsigned scale);
/* "-838:59:59" and `scale` fraction digits of signed microseconds. */
size_t rf_time_text(char *out, int64_t micros, unsigned scale);
/* "[1.5,-2,1e-05]" of singles, 4 bytes little-endian each; what is no number as "nan", "inf" or
 * "-inf". Writes up to RF_VECTOR_TEXT_MAX of their bytes. */
size_t rf_vector_text(char *out, struct rf_str singles);
#define RF_VECTOR_TEXT_MAX(size) ((size_t)(size) / 4 * RF_VECTOR_SINGLE_MAX + RF_FLOATING_MAX)
enum { RF_VECTOR_SINGLE_MAX = 18 }; /* -1.17549435e-38 and a comma, rounded up */
/* True when none of them is NaN or an infinity. */
bool rf_vector_is_finite(struct rf_str singles);
/* Microseconds since 1970 UTC to packed date and time. */
uint64_t rf_datetime_of_micros(int64_t micros);
/* And back: days since 1970-01-01 of a packed date, or microseconds of date and time. False, *out
 * untouched: it is no date of the calendar ("0000-00-00", "2024-02-30"). */
bool rf_date_to_days(uint64_t packed, int64_t *out);
bool rf_datetime_to_micros(uint64_t packed, int64_t *out);

#endif
