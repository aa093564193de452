/* Powers of ten for floating.c, as many as doubles need. Private to it.
 *
 * Source: R. Giulietti, "The Schubfach way to render doubles" (2021), section 9.6: g(k). */
#ifndef ROWFERRY_EVENT_POWERS_H
#define ROWFERRY_EVENT_POWERS_H

#include <stdint.h>

enum { RF_POWER_FIRST = -292, RF_POWER_LAST = 324 };

/* The first 128 bits of a power, rounded up: 10^p is `high:low` * 2^(floor(log2(10^p)) - 127). */
struct rf_power {
    uint64_t high;
    uint64_t low;
};

extern const struct rf_power rf_powers[RF_POWER_LAST - RF_POWER_FIRST + 1];

#endif
