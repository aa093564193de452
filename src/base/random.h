/* Numbers that nobody can guess, from the system. */
#ifndef ROWFERRY_BASE_RANDOM_H
#define ROWFERRY_BASE_RANDOM_H

#include <rowferry/error.h>
#include <stddef.h>

/* Fills `bytes`, and writes them as hexadecimal digits to `digits`, which has room for 2 * size and
 * a 0 behind them. Any thread. Returns RF_OK; RF_RETRY: the system gave none. */
RF_USE_RESULT enum rf_status rf_random_hex(unsigned char *bytes, size_t size, char *digits,
                                           struct rf_error *err);

#endif
