#include "source/mongodb_resume.h"

#include "event/digits.h"
#include "wire/bson.h"

#include <stdio.h>
#include <time.h>

static const char prefix[] = "mongodb:";

void rf_resume_deinit(struct rf_resume *place)
{
    rf_buf_deinit(&place->deployment);
    rf_buf_deinit(&place->token);
    rf_buf_deinit(&place->order);
    *place = (struct rf_resume){0};
}

void rf_resume_copy(struct rf_resume *to, const struct rf_resume *from)
{
    to->seconds = from->seconds;
    to->increment = from->increment;
    to->invalidated = from->invalidated;
    to->picks = from->picks;
    to->seen_seconds = from->seen_seconds;
    to->seen_increment = from->seen_increment;
    rf_buf_set(&to->token, rf_buf_str(&from->token));
    rf_buf_set(&to->order, rf_buf_str(&from->order));
}

/* --------------------------------------------------------------------------------------- tokens */

static void add_hex(struct rf_buf *out, struct rf_str bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];
        rf_buf_add_byte(out, digits[byte >> 4]);
        rf_buf_add_byte(out, digits[byte & 15]);
    }
}

/* False: it is none. */
static bool add_bytes(struct rf_buf *out, struct rf_str hex)
{
    if (hex.size % 2 != 0) {
        return false;
    }
    for (size_t i = 0; i < hex.size; i += 2) {
        int high = rf_digit_of_hex(hex.data[i]), low = rf_digit_of_hex(hex.data[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        rf_buf_add_byte(out, (char)(high << 4 | low));
    }
    return true;
}

/* Letters and digits, which need no quotes anywhere. */
static bool is_plain(struct rf_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (!((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
              (byte >= 'a' && byte <= 'z'))) {
            return false;
        }
    }
    return text.size > 0;
}

/* 8 digits. */
static uint32_t number_of_hex(const char *hex)
{
    uint32_t number = 0;
    for (int i = 0; i < 8; i++) {
        number = number << 4 | (uint32_t)rf_digit_of_hex(hex[i]);
    }
    return number;
}

/* 0x82, seconds and increment, highest byte first, are what a token of MongoDB begins with. */
static void take_time(struct rf_resume *place)
{
    enum { TIME_DIGITS = 2 + 8 + 8 };
    struct rf_str order = rf_buf_str(&place->order);
    if (order.size < TIME_DIGITS || !rf_str_starts(order, RF_STR("82"))) {
        return;
    }
    for (size_t i = 0; i < TIME_DIGITS; i++) {
        if (rf_digit_of_hex(order.data[i]) < 0) {
            return;
        }
    }
    place->seconds = number_of_hex(order.data + 2);
    place->increment = number_of_hex(order.data + 2 + 8);
}

bool rf_resume_take(struct rf_resume *place, struct rf_str token)
{
    enum { BINARY_HEADER = 5 };
    struct rf_bson_element data;
    bool found = rf_bson_find(token, RF_STR("_data"), &data);
    if (!found || (data.type != RF_BSON_UTF8 && data.type != RF_BSON_BINARY)) {
        return false;
    }
    rf_buf_reset(&place->order);
    if (data.type == RF_BSON_BINARY) {
        add_hex(&place->order,
                (struct rf_str){data.value.data + BINARY_HEADER, data.value.size - BINARY_HEADER});
    } else if (is_plain(rf_bson_text(&data))) {
        rf_buf_add_str(&place->order, rf_bson_text(&data));
    } else {
        add_hex(&place->order, rf_bson_text(&data));
    }
    rf_buf_set(&place->token, token);
    take_time(place);
    place->invalidated = false;
    return place->order.size > 0;
}

/* {_data: text} */
static void make_token(struct rf_buf *out, struct rf_str data)
{
    rf_buf_reset(out);
    size_t begin = rf_bson_begin(out);
    rf_bson_add_utf8(out, "_data", data);
    rf_bson_end(out, begin);
}

/* True when the token is what make_token makes of its order. */
static bool is_simple(const struct rf_resume *place)
{
    struct rf_buf simple = {0};
    make_token(&simple, rf_buf_str(&place->order));
    bool same = rf_str_equal(rf_buf_str(&simple), rf_buf_str(&place->token));
    rf_buf_deinit(&simple);
    return same;
}

/* ----------------------------------------------------------------------------------------- text */

void rf_resume_print(struct rf_buf *out, const struct rf_resume *place)
{
    rf_buf_printf(out, "%s%.*s;time=%u.%u", prefix, (int)place->deployment.size,
                  place->deployment.size > 0 ? place->deployment.data : "", place->seconds,
                  place->increment);
    if (place->seen_seconds != 0) {
        rf_buf_printf(out, ";seen=%u.%u", place->seen_seconds, place->seen_increment);
    }
    if (place->token.size > 0 && is_simple(place)) {
        rf_buf_add_str(out, RF_STR(";token="));
        rf_buf_add_str(out, rf_buf_str(&place->order));
    } else if (place->token.size > 0) {
        rf_buf_add_str(out, RF_STR(";resume="));
        add_hex(out, rf_buf_str(&place->token));
    }
    if (place->picks != 0) {
        rf_buf_printf(out, ";picks=%08x", place->picks);
    }
    if (place->invalidated) {
        rf_buf_add_str(out, RF_STR(";after=invalidate"));
    }
}

void rf_resume_print_id(struct rf_buf *out, const struct rf_resume *place)
{
    rf_buf_add_u64(out, place->seconds);
    rf_buf_add_byte(out, '.');
    rf_buf_add_u64(out, place->increment);
    rf_buf_add_byte(out, ':');
    rf_buf_add_str(out, rf_buf_str(&place->order));
}

/* "SECONDS.INCREMENT"; the second part may be missing. */
static bool parse_numbers(struct rf_str text, uint32_t *first, uint32_t *second)
{
    struct rf_str part;
    uint64_t seconds, increment = 0;
    if (!rf_str_split(&text, '.', &part) || !rf_str_to_u64(part, &seconds) ||
        seconds > UINT32_MAX ||
        (text.data != NULL && (!rf_str_to_u64(text, &increment) || increment > UINT32_MAX))) {
        return false;
    }
    *first = (uint32_t)seconds;
    *second = (uint32_t)increment;
    return true;
}

static bool parse_time(struct rf_resume *place, struct rf_str text)
{
    return parse_numbers(text, &place->seconds, &place->increment);
}

static bool parse_picks(struct rf_resume *place, struct rf_str value)
{
    bool fine = value.size == 8;
    for (size_t i = 0; i < value.size; i++) {
        fine &= rf_digit_of_hex(value.data[i]) >= 0;
    }
    place->picks = fine ? number_of_hex(value.data) : 0;
    return fine;
}

static bool parse_field(struct rf_resume *place, struct rf_str name, struct rf_str value)
{
    struct rf_buf token = {0};
    bool fine = false;
    if (rf_str_equal(name, RF_STR("time"))) {
        return parse_time(place, value);
    }
    if (rf_str_equal(name, RF_STR("after"))) {
        place->invalidated = rf_str_equal(value, RF_STR("invalidate"));
        return place->invalidated;
    }
    if (rf_str_equal(name, RF_STR("seen"))) {
        return parse_numbers(value, &place->seen_seconds, &place->seen_increment);
    }
    if (rf_str_equal(name, RF_STR("picks"))) {
        return parse_picks(place, value);
    }
    uint32_t seconds = place->seconds, increment = place->increment;
    if (rf_str_equal(name, RF_STR("token")) && is_plain(value)) {
        make_token(&token, value);
        fine = rf_resume_take(place, rf_buf_str(&token));
    } else if (rf_str_equal(name, RF_STR("resume"))) {
        fine = add_bytes(&token, value) && rf_bson_is_sound(rf_buf_str(&token)) &&
               rf_resume_take(place, rf_buf_str(&token));
    }
    place->seconds = seconds; /* what stands there holds */
    place->increment = increment;
    rf_buf_deinit(&token);
    return fine;
}

static bool parse_deployment(struct rf_resume *place, struct rf_str field)
{
    struct rf_str rest = field, kind;
    bool fine = rf_str_split(&rest, '=', &kind) && is_plain(rest) &&
                (rf_str_equal(kind, RF_STR("set")) || rf_str_equal(kind, RF_STR("cluster")) ||
                 rf_str_equal(kind, RF_STR("marker")));
    if (fine) {
        rf_buf_set(&place->deployment, field);
    }
    return fine;
}

static bool parse(struct rf_resume *place, struct rf_str text)
{
    struct rf_str field, name;
    if (!rf_str_starts(text, rf_str_of(prefix))) {
        return false;
    }
    text.data += sizeof prefix - 1;
    text.size -= sizeof prefix - 1;
    if (!rf_str_split(&text, ';', &field) || !parse_deployment(place, field)) {
        return false;
    }
    while (rf_str_split(&text, ';', &field)) {
        if (!rf_str_split(&field, '=', &name) || field.data == NULL ||
            !parse_field(place, name, field)) {
            return false;
        }
    }
    return place->seconds > 0 || place->token.size > 0;
}

enum rf_status rf_resume_parse(struct rf_resume *place, struct rf_str text, struct rf_error *err)
{
    *place = (struct rf_resume){0};
    if (parse(place, text)) {
        return RF_OK;
    }
    rf_resume_deinit(place);
    rf_fail(err, RF_CONFIG, "'%.*s' is no position in the change streams of MongoDB",
            (int)(text.size < 200 ? text.size : 200), text.data ? text.data : "");
    rf_error_hint(err, "it looks like mongodb:set=64F0...;time=1763830000.2;token=82692F...");
    return RF_CONFIG;
}

/* "2026-11-27T12:00:00Z", or with a blank, or without the Z. */
static bool parse_date(struct rf_resume *place, struct rf_str text)
{
    struct tm tm = {0};
    char copy[32], between, behind = 'Z';
    int used = 0;
    if (text.size >= sizeof copy || text.size < 19) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (sscanf(copy, "%4d-%2d-%2d%c%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &between,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) != 7 ||
        used != 19 || (between != 'T' && between != ' ')) {
        return false;
    }
    behind = copy[used] != '\0' ? copy[used] : behind;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    struct tm wanted = tm;
    time_t seconds = timegm(&tm);
    if (behind != 'Z' || text.size > 20 || seconds <= 0 || seconds > UINT32_MAX ||
        tm.tm_mon != wanted.tm_mon || tm.tm_mday != wanted.tm_mday ||
        tm.tm_hour != wanted.tm_hour || tm.tm_min != wanted.tm_min || tm.tm_sec != wanted.tm_sec) {
        return false;
    }
    place->seconds = (uint32_t)seconds;
    return true;
}

enum rf_status rf_resume_from(struct rf_resume *place, struct rf_str text, struct rf_error *err)
{
    enum { TOKEN_LEAST = 16 };
    *place = (struct rf_resume){0};
    if (rf_str_starts(text, rf_str_of(prefix))) {
        return rf_resume_parse(place, text, err);
    }
    if (text.size == 0 || rf_str_equal(text, RF_STR("now")) || parse_date(place, text)) {
        return RF_OK;
    }
    if (text.size < TOKEN_LEAST && parse_time(place, text) && place->seconds > 0) {
        return RF_OK;
    }
    if (text.size >= TOKEN_LEAST && text.size % 2 == 0) {
        struct rf_buf bytes = {0};
        bool hex = add_bytes(&bytes, text);
        rf_buf_deinit(&bytes);
        if (hex && parse_field(place, RF_STR("token"), text)) {
            take_time(place);
            return RF_OK;
        }
    }
    rf_resume_deinit(place);
    rf_fail(err, RF_CONFIG, "'%.*s' is no place in the change streams of MongoDB to begin at",
            (int)(text.size < 200 ? text.size : 200), text.data);
    rf_error_hint(err, "it is now; a time: 2026-11-27T12:00:00Z, 1763830000 or 1763830000.2; a "
                       "resume token: the hexadecimal digits of its _data; or a position");
    return RF_CONFIG;
}

enum rf_status rf_resume_check(struct rf_str text, struct rf_error *err)
{
    struct rf_resume place;
    enum rf_status status = rf_resume_from(&place, text, err);
    rf_resume_deinit(&place);
    return status;
}

/* ------------------------------------------------------------------------------------ comparing */

/* "1763830000.2:82692F...". */
static bool parse_id(struct rf_resume *place, struct rf_str text)
{
    struct rf_str time;
    *place = (struct rf_resume){0};
    if (!rf_str_split(&text, ':', &time) || !is_plain(text) || !parse_time(place, time)) {
        return false;
    }
    rf_buf_set(&place->order, text);
    return true;
}

/* -1, 0 or 1. */
static int compare_times(const struct rf_resume *a, const struct rf_resume *b)
{
    if (a->seconds != b->seconds) {
        return a->seconds < b->seconds ? -1 : 1;
    }
    return a->increment == b->increment ? 0 : a->increment < b->increment ? -1 : 1;
}

/* By bytes, and not shorter first: a token that another one begins with lies before it. */
static int compare_orders(const struct rf_resume *a, const struct rf_resume *b)
{
    size_t both = a->order.size < b->order.size ? a->order.size : b->order.size;
    int order = both > 0 ? memcmp(a->order.data, b->order.data, both) : 0;
    return order != 0 ? order : a->order.size < b->order.size ? -1 : a->order.size > b->order.size;
}

static bool contains(const struct rf_resume *position, const struct rf_resume *other)
{
    int time = compare_times(other, position);
    if (time != 0 || other->order.size == 0) {
        /* Without a token a place is before all that has its time. */
        return time <= 0;
    }
    return position->order.size > 0 && compare_orders(other, position) <= 0;
}

bool rf_resume_is_past(const struct rf_resume *place, const struct rf_resume *other)
{
    return place->order.size > 0 && other->order.size > 0 && contains(place, other);
}

bool rf_resume_contains(struct rf_str position, struct rf_str other)
{
    struct rf_resume place, named;
    struct rf_error ignored;
    if (rf_resume_parse(&place, position, &ignored) != RF_OK) {
        return false;
    }
    bool is_id = parse_id(&named, other);
    bool known = is_id || rf_resume_parse(&named, other, &ignored) == RF_OK;
    bool same = known && (is_id || rf_str_equal(rf_buf_str(&named.deployment),
                                                rf_buf_str(&place.deployment)));
    bool inside = same && contains(&place, &named);
    rf_resume_deinit(&place);
    rf_resume_deinit(&named);
    return inside;
}
