#include "wire/moment.h"

#include "base/load.h"

/* Microseconds of a unit of the last of n digits. */
static const uint32_t units[] = {1000000, 100000, 10000, 1000, 100, 10, 1};

bool rf_moment_old_timestamp(const uint8_t *at, unsigned width, unsigned scale,
                             struct rf_value *value)
{
    enum { SECONDS_SIZE = 4 };
    uint64_t seconds = scale == 0 ? rf_load_sized(at, width) : rf_load_sized_be(at, SECONDS_SIZE);
    uint64_t fraction = scale == 0 ? 0 : rf_load_sized_be(at + SECONDS_SIZE, width - SECONDS_SIZE);
    uint64_t micros = fraction * units[scale];
    *value = (struct rf_value){
        .kind = RF_TIMESTAMP, .scale = (uint8_t)scale, .i = (int64_t)(seconds * 1000000 + micros)};
    return micros < 1000000;
}

bool rf_moment_old_time(const uint8_t *at, unsigned width, unsigned scale, struct rf_value *value)
{
    const int64_t limit = ((int64_t)838 * 60 + 59) * 60 + 60; /* seconds; all times lie below */
    bool good = true;
    int64_t micros;
    if (scale == 0) {
        int32_t number = (int32_t)((uint32_t)rf_load_sized(at, width) << 8) >> 8;
        int32_t size = number < 0 ? -number : number;
        int64_t seconds = (int64_t)(size / 10000 * 60 + size / 100 % 100) * 60 + size % 100;
        good = size % 100 < 60 && size / 100 % 100 < 60;
        micros = (number < 0 ? -seconds : seconds) * 1000000;
    } else {
        micros = (int64_t)rf_load_sized_be(at, width) * units[scale] - limit * 1000000;
    }
    *value = (struct rf_value){.kind = RF_TIME, .scale = (uint8_t)scale, .i = micros};
    return good && micros < limit * 1000000 && micros > -limit * 1000000;
}

bool rf_moment_old_datetime(const uint8_t *at, unsigned width, unsigned scale,
                            struct rf_value *value)
{
    uint64_t number = scale == 0 ? rf_load_sized(at, width) : rf_load_sized_be(at, width);
    uint64_t micros = 0, base = 100, days = 100, months = 100;
    if (scale > 0) {
        uint64_t per_second = 1000000 / units[scale];
        micros = number % per_second * units[scale];
        number /= per_second;
        base = 60;
        days = 32;
        months = 13;
    }
    uint64_t second = number % base, minute = number / base % base;
    uint64_t rest = number / base / base, hours = scale == 0 ? 100 : 24;
    uint64_t hour = rest % hours, day = rest / hours % days;
    uint64_t month = rest / hours / days % months, year = rest / hours / days / months;
    *value = (struct rf_value){.kind = RF_DATETIME,
                               .scale = (uint8_t)scale,
                               .u = RF_DATETIME_PACK(year & 0x3fff, month & 15, day & 31, hour & 31,
                                                     minute & 63, second & 63, micros)};
    return year <= 9999 && month <= 12 && day <= 31 && hour <= 23 && minute <= 59 && second <= 59;
}
