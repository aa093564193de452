/* Dates as numbers of days, without the C library's time zones.
 *
 * Used by cql_value and by the sinks that want instants. The Gregorian calendar, also for the years
 * before it; year 0 is 1 BC.
 *
 * Source: ISO 8601; H. Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013). */
#ifndef ROWFERRY_WIRE_CALENDAR_H
#define ROWFERRY_WIRE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

struct rf_date {
    int64_t year;
    unsigned month; /* from 1 */
    unsigned day;   /* from 1 */
};

/* Years of both signs up to here are safe from overflows. */
#define RF_YEAR_MAX INT64_C(300000000)

/* Days since 1970-01-01 of a date that rf_date_is_real says yes to. */
static inline int64_t rf_date_days(struct rf_date date)
{
    int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    unsigned month = date.month > 2 ? date.month - 3 : date.month + 9; /* from March on */
    int64_t of_year = (153 * month + 2) / 5 + date.day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static inline struct rf_date rf_date_of_days(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month = (unsigned)((5 * of_year + 2) / 153);
    struct rf_date date = {.year = year_of_era + era * 400,
                           .month = month < 10 ? month + 3 : month - 9,
                           .day = (unsigned)(of_year - (153 * month + 2) / 5 + 1)};
    date.year += date.month <= 2;
    return date;
}

/* False for months and days that there are not, such as 0 or February 30, and for years beyond
 * RF_YEAR_MAX. */
static inline bool rf_date_is_real(struct rf_date date)
{
    static const unsigned char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
    return date.year >= -RF_YEAR_MAX && date.year <= RF_YEAR_MAX && date.month >= 1 &&
           date.month <= 12 && date.day >= 1 && date.day <= days[date.month - 1] &&
           (date.month != 2 || date.day <= 28 || leap);
}

#endif
