#include "event/digits.h"

char *rf_digits_large(char *out, uint64_t number)
{
    uint64_t high = number / 100000000;
    uint32_t low = (uint32_t)(number % 100000000);
    if (high < 100000000) {
        out = rf_digits_small(out, (uint32_t)high);
    } else {
        out = rf_digits_small(out, (uint32_t)(high / 100000000));
        out = rf_digits_eight(out, (uint32_t)(high % 100000000));
    }
    return rf_digits_eight(out, low);
}
