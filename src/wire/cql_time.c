#include "wire/cql_time.h"

#include "wire/calendar.h"
#include "wire/cql.h"

enum { DAY_MS = 86400000 };

#define DAY_NS INT64_C(86400000000000)

/* ------------------------------------------------------------------------------------ durations */

static void add_vint(struct rf_buf *out, int64_t number)
{
    uint64_t bits = (uint64_t)number << 1 ^ (uint64_t)(number >> 63);
    unsigned significant = 64 - (unsigned)__builtin_clzll(bits | 1);
    unsigned extra = (significant - 1) / 7;
    extra = extra > 8 ? 8 : extra;
    char bytes[9];
    for (unsigned i = 0; i <= extra; i++) {
        unsigned shift = 8 * (extra - i);
        bytes[i] = shift < 64 ? (char)(uint8_t)(bits >> shift) : 0;
    }
    bytes[0] = (char)((uint8_t)bytes[0] | (uint8_t) ~(0xFFu >> extra));
    rf_buf_add(out, bytes, extra + 1);
}

static int64_t read_vint(struct rf_cursor *cursor)
{
    unsigned first = (unsigned)rf_cql_number(cursor, 1, "vint");
    unsigned extra = first == 0xFF ? 8 : (unsigned)__builtin_clz(~first << 24);
    uint64_t bits = extra < 8 ? first & (0xFFu >> extra) : 0;
    if (extra > 0) {
        bits = (extra < 8 ? bits << 8 * extra : 0) | rf_cql_number(cursor, extra, "vint");
    }
    return (int64_t)(bits >> 1 ^ (0 - (bits & 1)));
}

void rf_cql_add_duration(struct rf_buf *out, int32_t months, int32_t days, int64_t nanoseconds)
{
    add_vint(out, months);
    add_vint(out, days);
    add_vint(out, nanoseconds);
}

bool rf_cql_print_duration(struct rf_buf *out, struct rf_str bytes)
{
    struct rf_cursor cursor = rf_cursor_of(bytes);
    int64_t parts[3];
    bool below = false, above = false;
    for (size_t i = 0; i < 3; i++) {
        parts[i] = read_vint(&cursor);
        below |= parts[i] < 0;
        above |= parts[i] > 0;
    }
    if (cursor.missing != NULL || rf_cursor_left(&cursor) > 0 || (below && above) ||
        parts[0] != (int32_t)parts[0] || parts[1] != (int32_t)parts[1]) {
        return false;
    }
    rf_buf_printf(out, "%s%llumo%llud%lluns", below ? "-" : "",
                  (unsigned long long)(below ? 0 - (uint64_t)parts[0] : (uint64_t)parts[0]),
                  (unsigned long long)(below ? 0 - (uint64_t)parts[1] : (uint64_t)parts[1]),
                  (unsigned long long)(below ? 0 - (uint64_t)parts[2] : (uint64_t)parts[2]));
    return true;
}

/* Takes "12mo" off the front. */
static bool take_amount(struct rf_str *text, uint64_t *number, struct rf_str *unit)
{
    struct rf_str digits = {text->data, 0};
    while (digits.size < text->size && (unsigned)(text->data[digits.size] - '0') <= 9) {
        digits.size++;
    }
    *unit = (struct rf_str){digits.data + digits.size, 0};
    while (digits.size + unit->size < text->size && (unsigned)(unit->data[unit->size] - '0') > 9) {
        unit->size++;
    }
    text->data += digits.size + unit->size;
    text->size -= digits.size + unit->size;
    return rf_str_to_u64(digits, number) && unit->size > 0;
}

bool rf_cql_read_duration(struct rf_buf *out, struct rf_str text)
{
    static const struct {
        const char *name;
        unsigned part;
        uint64_t times;
    } units[] = {{"y", 0, 12},
                 {"mo", 0, 1},
                 {"w", 1, 7},
                 {"d", 1, 1},
                 {"h", 2, UINT64_C(3600000000000)},
                 {"m", 2, UINT64_C(60000000000)},
                 {"s", 2, 1000000000},
                 {"ms", 2, 1000000},
                 {"us", 2, 1000},
                 {"ns", 2, 1}};
    static const uint64_t most[3] = {INT32_MAX, INT32_MAX, INT64_MAX};
    uint64_t parts[3] = {0};
    bool negative = text.size > 0 && text.data[0] == '-';
    text.data += negative;
    text.size -= negative;
    if (text.size == 0) {
        return false;
    }
    while (text.size > 0) {
        uint64_t number;
        struct rf_str unit;
        size_t i = 0;
        if (!take_amount(&text, &number, &unit)) {
            return false;
        }
        while (i < sizeof units / sizeof *units && !rf_str_equal(unit, rf_str_of(units[i].name))) {
            i++;
        }
        if (i == sizeof units / sizeof *units ||
            __builtin_mul_overflow(number, units[i].times, &number) ||
            __builtin_add_overflow(parts[units[i].part], number, &parts[units[i].part]) ||
            parts[units[i].part] > most[units[i].part]) {
            return false;
        }
    }
    int64_t sign = negative ? -1 : 1;
    rf_cql_add_duration(out, (int32_t)(sign * (int64_t)parts[0]),
                        (int32_t)(sign * (int64_t)parts[1]), sign * (int64_t)parts[2]);
    return true;
}

/* ---------------------------------------------------------------------------------------- times */

void rf_cql_print_date(struct rf_buf *out, int64_t days)
{
    struct rf_date date = rf_date_of_days(days);
    rf_buf_printf(out, "%s%04lld-%02u-%02u", date.year < 0 ? "-" : "",
                  (long long)(date.year < 0 ? -date.year : date.year), date.month, date.day);
}

static void print_clock(struct rf_buf *out, int64_t seconds)
{
    rf_buf_printf(out, "%02lld:%02lld:%02lld", (long long)(seconds / 3600),
                  (long long)(seconds / 60 % 60), (long long)(seconds % 60));
}

bool rf_cql_print_time(struct rf_buf *out, int64_t nanoseconds)
{
    if (nanoseconds < 0 || nanoseconds >= DAY_NS) {
        return false;
    }
    print_clock(out, nanoseconds / 1000000000);
    rf_buf_printf(out, ".%09lld", (long long)(nanoseconds % 1000000000));
    return true;
}

void rf_cql_print_timestamp(struct rf_buf *out, int64_t ms)
{
    int64_t days = ms / DAY_MS, rest = ms % DAY_MS;
    if (rest < 0) {
        days--;
        rest += DAY_MS;
    }
    rf_cql_print_date(out, days);
    rf_buf_add_byte(out, ' ');
    print_clock(out, rest / 1000);
    rf_buf_printf(out, ".%03lld", (long long)(rest % 1000));
}

/* Takes up to `most` digits, at least `least`. */
static bool take_number(struct rf_str *text, size_t least, size_t most, int64_t *number)
{
    size_t size = 0;
    *number = 0;
    while (size < text->size && size < most && (unsigned)(text->data[size] - '0') <= 9) {
        *number = *number * 10 + (text->data[size++] - '0');
    }
    text->data += size;
    text->size -= size;
    return size >= least;
}

static bool take_date(struct rf_str *text, int64_t *days)
{
    bool negative = rf_str_take_byte(text, '-');
    int64_t year, month, day;
    if (!take_number(text, 4, 9, &year) || !rf_str_take_byte(text, '-') ||
        !take_number(text, 1, 2, &month) || !rf_str_take_byte(text, '-') ||
        !take_number(text, 1, 2, &day)) {
        return false;
    }
    struct rf_date date = {negative ? -year : year, (unsigned)month, (unsigned)day};
    if (!rf_date_is_real(date)) {
        return false;
    }
    *days = rf_date_days(date);
    return true;
}

/* "23:59", "23:59:59", "23:59:59.000000001": nanoseconds. */
static bool take_clock(struct rf_str *text, int64_t *nanoseconds)
{
    int64_t hour, minute, second = 0, fraction = 0;
    if (!take_number(text, 1, 2, &hour) || !rf_str_take_byte(text, ':') ||
        !take_number(text, 2, 2, &minute)) {
        return false;
    }
    if (rf_str_take_byte(text, ':')) {
        if (!take_number(text, 2, 2, &second)) {
            return false;
        }
        if (rf_str_take_byte(text, '.')) {
            size_t before = text->size;
            if (!take_number(text, 1, 9, &fraction)) {
                return false;
            }
            for (size_t digits = before - text->size; digits < 9; digits++) {
                fraction *= 10;
            }
        }
    }
    *nanoseconds = ((hour * 60 + minute) * 60 + second) * 1000000000 + fraction;
    return hour < 24 && minute < 60 && second < 60;
}

/* Nothing, "Z", "+0130", "-01:30": the minutes that the clock is ahead. */
static bool take_zone(struct rf_str *text, int64_t *minutes)
{
    int64_t hour = 0, minute = 0;
    *minutes = 0;
    if (text->size == 0 || rf_str_take_byte(text, 'Z')) {
        return text->size == 0;
    }
    bool behind = rf_str_take_byte(text, '-');
    if ((!behind && !rf_str_take_byte(text, '+')) || !take_number(text, 2, 2, &hour)) {
        return false;
    }
    (void)rf_str_take_byte(text, ':');
    if (!take_number(text, 2, 2, &minute) || hour > 18 || minute > 59 || text->size > 0) {
        return false;
    }
    *minutes = behind ? -(hour * 60 + minute) : hour * 60 + minute;
    return true;
}

bool rf_cql_read_timestamp(struct rf_buf *out, struct rf_str text)
{
    int64_t days, nanoseconds = 0, minutes, ms;
    if (!take_date(&text, &days)) {
        return false;
    }
    if ((rf_str_take_byte(&text, ' ') || rf_str_take_byte(&text, 'T')) &&
        !take_clock(&text, &nanoseconds)) {
        return false;
    }
    /* What is finer than a millisecond would be lost. */
    if (!take_zone(&text, &minutes) || nanoseconds % 1000000 != 0 ||
        __builtin_mul_overflow(days, (int64_t)DAY_MS, &ms) ||
        __builtin_add_overflow(ms, nanoseconds / 1000000 - minutes * 60000, &ms)) {
        return false;
    }
    rf_cql_add_long(out, ms);
    return true;
}

bool rf_cql_read_date(struct rf_buf *out, struct rf_str text)
{
    int64_t days;
    if (!take_date(&text, &days) || text.size > 0 || days < INT32_MIN || days > INT32_MAX) {
        return false;
    }
    rf_cql_add_int(out, (int32_t)rf_cql_date(days));
    return true;
}

bool rf_cql_read_time(struct rf_buf *out, struct rf_str text)
{
    int64_t nanoseconds;
    if (!take_clock(&text, &nanoseconds) || text.size > 0) {
        return false;
    }
    rf_cql_add_long(out, nanoseconds);
    return true;
}
