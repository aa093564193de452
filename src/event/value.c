#include "event/value.h"

#include "event/digits.h"
#include "event/floating.h"

#include <math.h>
#include <rowferry/event.h>

static const char pairs[] = "0001020304050607080910111213141516171819202122232425262728293031323334"
                            "3536373839404142434445464748"
                            "4950515253545556575859606162636465666768697071727374757677787980818283"
                            "8485868788899091929394959697"
                            "9899";

static char *two(char *out, unsigned number)
{
    memcpy(out, pairs + (size_t)number % 100 * 2, 2);
    return out + 2;
}

static char *fraction(char *out, unsigned micros, unsigned scale)
{
    if (scale > 0) {
        char digits[6];
        two(two(two(digits, micros / 10000), micros / 100), micros);
        *out++ = '.';
        scale = scale < 6 ? scale : 6;
        memcpy(out, digits, scale);
        out += scale;
    }
    return out;
}

static char *date(char *out, uint64_t packed)
{
    out = two(out, rf_datetime_year(packed) / 100);
    out = two(out, rf_datetime_year(packed));
    *out++ = '-';
    out = two(out, rf_datetime_month(packed));
    *out++ = '-';
    return two(out, rf_datetime_day(packed));
}

size_t rf_date_text(char *out, uint64_t packed)
{
    return (size_t)(date(out, packed) - out);
}

size_t rf_datetime_text(char *out, uint64_t packed, char separator, unsigned scale)
{
    char *at = date(out, packed);
    *at++ = separator;
    at = two(at, rf_datetime_hour(packed));
    *at++ = ':';
    at = two(at, rf_datetime_minute(packed));
    *at++ = ':';
    at = two(at, rf_datetime_second(packed));
    return (size_t)(fraction(at, rf_datetime_micros(packed), scale) - out);
}

uint64_t rf_datetime_of_micros(int64_t micros)
{
    int64_t seconds = micros / 1000000, rest = micros % 1000000;
    if (rest < 0) {
        rest += 1000000;
        seconds--;
    }
    int64_t days = seconds / 86400, clock = seconds % 86400;
    if (clock < 0) {
        clock += 86400;
        days--;
    }
    /* Gregorian date from a day number, with years that begin in March so that the leap day comes
     * last. */
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    int64_t day = day_of_year - (153 * march_month + 2) / 5 + 1;
    int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2);
    return RF_DATETIME_PACK(year, month, day, clock / 3600, clock / 60 % 60, clock % 60, rest);
}

bool rf_date_to_days(uint64_t packed, int64_t *out)
{
    static const uint8_t month_days[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year = rf_datetime_year(packed), month = rf_datetime_month(packed);
    unsigned day = rf_datetime_day(packed);
    if (month == 0 || month > 12 || day == 0 || day > month_days[month] ||
        (month == 2 && day == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))) {
        return false;
    }
    /* As above: years that begin in March, from the year 0 on. */
    unsigned march_year = year - (month <= 2) + 400;
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned days =
        march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 + day_of_year;
    *out = (int64_t)days - 719468 - 146097;
    return true;
}

bool rf_datetime_to_micros(uint64_t packed, int64_t *out)
{
    int64_t days;
    if (!rf_date_to_days(packed, &days)) {
        return false;
    }
    unsigned seconds = rf_datetime_hour(packed) * 3600 + rf_datetime_minute(packed) * 60 +
                       rf_datetime_second(packed);
    *out = (days * 86400 + seconds) * 1000000 + rf_datetime_micros(packed);
    return true;
}

size_t rf_timestamp_text(char *out, int64_t micros, char separator, unsigned scale)
{
    return rf_datetime_text(out, micros == 0 ? 0 : rf_datetime_of_micros(micros), separator, scale);
}

size_t rf_time_text(char *out, int64_t micros, unsigned scale)
{
    char *at = out;
    uint64_t size = micros < 0 ? 0 - (uint64_t)micros : (uint64_t)micros;
    if (micros < 0) {
        *at++ = '-';
    }
    unsigned seconds = (unsigned)(size / 1000000);
    unsigned hours = seconds / 3600 % 1000;
    if (hours >= 100) {
        *at++ = (char)('0' + hours / 100);
    }
    at = two(at, hours);
    *at++ = ':';
    at = two(at, seconds / 60 % 60);
    *at++ = ':';
    at = two(at, seconds % 60);
    return (size_t)(fraction(at, (unsigned)(size % 1000000), scale) - out);
}

static float load_single(const char *at)
{
    uint32_t bits;
    float single;
    memcpy(&bits, at, sizeof bits);
    bits = le32toh(bits);
    memcpy(&single, &bits, sizeof single);
    return single;
}

bool rf_vector_is_finite(struct rf_str singles)
{
    bool finite = true;
    for (size_t i = 0; i + sizeof(float) <= singles.size; i += sizeof(float)) {
        finite &= isfinite(load_single(singles.data + i)) != 0;
    }
    return finite;
}

static char *single_text(char *at, float single)
{
    const char *name = isnan(single) ? "nan" : single > 0 ? "inf" : "-inf";
    if (isfinite(single)) {
        return rf_floating_float(at, single);
    }
    memcpy(at, name, strlen(name));
    return at + strlen(name);
}

size_t rf_vector_text(char *out, struct rf_str singles)
{
    char *at = out;
    *at++ = '[';
    for (size_t i = 0; i + sizeof(float) <= singles.size; i += sizeof(float)) {
        if (i > 0) {
            *at++ = ',';
        }
        at = single_text(at, load_single(singles.data + i));
    }
    *at++ = ']';
    return (size_t)(at - out);
}

_Static_assert(RF_FLOATING_MAX >= 1 + RF_DIGITS_MAX + RF_DIGITS_SLACK, "numbers fit as well");

void rf_value_print(struct rf_buf *out, struct rf_value value)
{
    char *room = rf_buf_reserve(out, RF_FLOATING_MAX);
    switch ((enum rf_kind)value.kind) {
    case RF_ABSENT:
    case RF_NULL: break;
    case RF_INT: out->size += (size_t)(rf_digits_i64(room, value.i) - room); break;
    case RF_UINT:
    case RF_BIT: out->size += (size_t)(rf_digits_u64(room, value.u) - room); break;
    case RF_YEAR: {
        two(two(room, (unsigned)value.u / 100), (unsigned)value.u);
        out->size += 4;
        break;
    }
    case RF_FLOAT: out->size += (size_t)(rf_floating_float(room, value.f) - room); break;
    case RF_DOUBLE: out->size += (size_t)(rf_floating_double(room, value.d) - room); break;
    case RF_DATE: out->size += rf_date_text(room, value.u); break;
    case RF_DATETIME: out->size += rf_datetime_text(room, value.u, ' ', value.scale); break;
    case RF_TIMESTAMP: out->size += rf_timestamp_text(room, value.i, ' ', value.scale); break;
    case RF_TIME: out->size += rf_time_text(room, value.i, value.scale); break;
    case RF_DECIMAL:
    case RF_TEXT:
    case RF_BYTES:
    case RF_JSON:
    case RF_ENUM:
    case RF_SET:
    case RF_GEOMETRY:
    case RF_DOCUMENT: rf_buf_add(out, value.text, value.size); break;
    case RF_VECTOR:
        room = rf_buf_reserve(out, RF_VECTOR_TEXT_MAX(value.size));
        out->size += rf_vector_text(room, rf_value_str(value));
        break;
    }
}

bool rf_value_equal(struct rf_value a, struct rf_value b)
{
    if (a.kind != b.kind) {
        return false;
    }
    switch ((enum rf_kind)a.kind) {
    case RF_ABSENT:
    case RF_NULL: return true;
    case RF_INT:
    case RF_UINT:
    case RF_BIT:
    case RF_YEAR:
    case RF_DATE:
    case RF_DATETIME:
    case RF_TIMESTAMP:
    case RF_TIME: return a.u == b.u;
    case RF_FLOAT: return memcmp(&a.f, &b.f, sizeof a.f) == 0;
    case RF_DOUBLE: return memcmp(&a.d, &b.d, sizeof a.d) == 0;
    case RF_DECIMAL:
    case RF_TEXT:
    case RF_BYTES:
    case RF_JSON:
    case RF_ENUM:
    case RF_SET:
    case RF_GEOMETRY:
    case RF_VECTOR:
    case RF_DOCUMENT:
        return a.size == b.size && (a.size == 0 || memcmp(a.text, b.text, a.size) == 0);
    }
    return false;
}
