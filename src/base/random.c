#include "base/random.h"

#include <stdio.h>
#include <sys/random.h>

enum rf_status rf_random_hex(unsigned char *bytes, size_t size, char *digits, struct rf_error *err)
{
    if (getrandom(bytes, size, 0) != (ssize_t)size) {
        return rf_fail(err, RF_RETRY, "the system gave no random numbers");
    }
    for (size_t i = 0; i < size; i++) {
        snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
    }
    return RF_OK;
}
