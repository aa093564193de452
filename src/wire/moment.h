/* Dates and times as they were before MySQL 5.6, and as MariaDB 5.3 gave them fractions.
 *
 * Used by rows.c for columns of the types 7, 11 and 12 of the log: of tables that were made with
 * mysql56_temporal_format=OFF. They have other bytes with a fraction than without, and how many
 * digits there are does not stand in the log.
 *
 *   digits          0                 1 2   3 4   5     6
 *   TIMESTAMP       4 little-endian   5 5   6 6   7     7   bytes
 *   TIME            3 little-endian   4 4   5 5   5     6
 *   DATETIME        8 little-endian   6 6   7 7   7     8
 *
 *   without a fraction:
 *     TIMESTAMP     seconds since 1970 UTC
 *     TIME          a signed number of the decimal digits hhmmss
 *     DATETIME      a number of the decimal digits yyyymmddhhmmss
 *   with n digits of one, big-endian:
 *     TIMESTAMP     4 bytes of seconds, then the fraction in units of 10^-n
 *     DATETIME      in units of 10^-n seconds, and months of 32 days, years of 13 months: the whole
 *     TIME          the same, plus what 838:59:59 and one second more come to
 *
 * Source: MariaDB, sql/field.cc, Field_timestamp_hires, Field_time_hires, Field_datetime_hires and
 * their kin without a fraction; measured against MariaDB 10.11. */
#ifndef ROWFERRY_WIRE_MOMENT_H
#define ROWFERRY_WIRE_MOMENT_H

#include <rowferry/value.h>

/* Each reads `width` bytes, as many as the table says for `scale` digits (0 to 6). False: they are
 * no value of the type. Any thread. */
bool rf_moment_old_timestamp(const uint8_t *at, unsigned width, unsigned scale,
                             struct rf_value *value);
bool rf_moment_old_time(const uint8_t *at, unsigned width, unsigned scale, struct rf_value *value);
bool rf_moment_old_datetime(const uint8_t *at, unsigned width, unsigned scale,
                            struct rf_value *value);

#endif
