/* Values of rows as Debezium's connectors write them, by its modes.
 *
 * Private to debezium.c. What a value looks like follows its kind, so that a column which a
 * transform made into text is written as text, and the table only tells BIGINT from other numbers
 * and where NULL may stand. Thread: the owner's.
 *
 * Source: Debezium 3.5, "MariaDB connector" and "MySQL connector", "Data type mappings";
 * JdbcValueConverters, BinlogValueConverters, io.debezium.time.*; RFC 4648 section 5 (base64url);
 * Kafka Connect, Decimal; measured against Debezium 3.5 reading from MariaDB 10.11. */
#ifndef ROWFERRY_FORMAT_DEBEZIUM_VALUES_H
#define ROWFERRY_FORMAT_DEBEZIUM_VALUES_H

#include "wire/json.h"

/* The choices of debezium's options, in their order. */
enum rf_debezium_decimal {
    RF_DEBEZIUM_DECIMAL_STRING = 0,
    RF_DEBEZIUM_DECIMAL_PRECISE,
    RF_DEBEZIUM_DECIMAL_DOUBLE,
};
enum rf_debezium_time {
    RF_DEBEZIUM_TIME_ADAPTIVE = 0, /* adaptive_time_microseconds */
    RF_DEBEZIUM_TIME_CONNECT,
    RF_DEBEZIUM_TIME_ISOSTRING,
    RF_DEBEZIUM_TIME_MICROSECONDS,
    RF_DEBEZIUM_TIME_NANOSECONDS,
};
enum rf_debezium_bigint {
    RF_DEBEZIUM_BIGINT_UNSIGNED = 0, /* ours: the number */
    RF_DEBEZIUM_BIGINT_PRECISE,
    RF_DEBEZIUM_BIGINT_LONG,
};
enum rf_debezium_binary {
    RF_DEBEZIUM_BINARY_BYTES = 0,
    RF_DEBEZIUM_BINARY_BASE64,
    RF_DEBEZIUM_BINARY_BASE64_URL_SAFE,
    RF_DEBEZIUM_BINARY_HEX,
};
enum rf_debezium_unfit {
    RF_DEBEZIUM_UNFIT_REJECT = 0,
    RF_DEBEZIUM_UNFIT_NULL, /* as Debezium does */
};

struct rf_debezium_modes {
    int32_t decimal;
    int32_t time;
    int32_t bigint;
    int32_t binary;
    int32_t unfit; /* what becomes of dates and times that the mode has no value for */
};

/* An object of these columns of the table; absent ones are left out. False: a value cannot be
 * said, *column is its number, and nothing was appended. */
RF_USE_RESULT bool rf_debezium_add_row(struct rf_buf *out, const struct rf_json_names *names,
                                       const struct rf_table *table,
                                       const struct rf_debezium_modes *modes,
                                       const struct rf_value *image, uint32_t *column);

#endif
