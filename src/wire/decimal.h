/* The packed DECIMAL of MySQL and MariaDB, to exact text.
 *
 * Used by rows.c. A value of DECIMAL(precision, scale) is, from the highest digit on, big-endian:
 *
 *   the (precision - scale) % 9 leading digits in 0-4 bytes
 *   each further 9 digits before the point in 4 bytes
 *   each 9 digits behind the point in 4 bytes
 *   the last scale % 9 digits in 0-4 bytes
 *
 *   digits  1 2 3 4 5 6 7 8
 *   bytes   1 1 2 2 3 3 4 4
 *
 * The highest bit of the first byte is inverted; a negative number has all bits inverted then.
 *
 * Source: MySQL, strings/decimal.c, decimal2bin. */
#ifndef ROWFERRY_WIRE_DECIMAL_H
#define ROWFERRY_WIRE_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

enum {
    RF_DECIMAL_PRECISION_MAX = 65,
    RF_DECIMAL_SCALE_MAX = 38,    /* MariaDB; MySQL has 30 */
    RF_DECIMAL_TEXT_OVERHEAD = 3, /* sign, point, and a zero in front of the point */
};

/* How many digits lie where. */
struct rf_decimal_shape {
    uint8_t whole_partial; /* leading digits, 0 to 8 */
    uint8_t whole_groups;  /* of nine digits */
    uint8_t fraction_groups;
    uint8_t fraction_partial; /* last digits, 0 to 8 */
};
struct rf_decimal_shape rf_decimal_shape(unsigned precision, unsigned scale);

/* Bytes of a packed value. */
size_t rf_decimal_size(struct rf_decimal_shape shape);

/* Writes "-12.00": all fraction digits, no zeros in front but for one before the point. Needs
 * room for precision + RF_DECIMAL_TEXT_OVERHEAD + RF_DIGITS_SLACK bytes. The value is
 * rf_decimal_size bytes; `end` is where the readable memory behind them ends, which only makes
 * it faster when it is further away. Returns the text's end, or NULL for bytes that are no
 * decimal (a group with more than its digits). */
char *rf_decimal_text(char *out, const uint8_t *bytes, const uint8_t *end,
                      struct rf_decimal_shape shape);

#endif
