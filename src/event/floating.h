/* Floating numbers as the shortest decimal text that reads back equal.
 *
 * Used by rf_value_print and by the JSON emitter. Of all shortest texts it is the one nearest to
 * the number. Independent of the locale, and without the C library's conversions, which take twenty
 * times as long.
 *
 * Source: R. Giulietti, "The Schubfach way to render doubles" (2021); IEEE 754-2008, 3.4. */
#ifndef ROWFERRY_EVENT_FLOATING_H
#define ROWFERRY_EVENT_FLOATING_H

#include <stddef.h>

/* Bytes that a text may have, and that may be written. */
enum { RF_FLOATING_MAX = 40 };

/* Writes "0.1", "-12", "1e+20", "1.5e-07": without an exponent from 10^-4 on, up to 10^15 (10^9
 * for a float) or as far as the digits go. Not for NaN and infinities. Returns the text's end. */
char *rf_floating_double(char *out, double number);
char *rf_floating_float(char *out, float number);

#endif
