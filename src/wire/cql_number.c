#include "wire/cql_number.h"

#include "wire/cql.h"

enum {
    GROUP = 1000000000, /* nine digits */
    GROUP_DIGITS = 9,
    FAST_DIGITS = 18,                            /* that 64 bits hold for certain */
    GROUPS_MAX = RF_CQL_VARINT_MAX * 8 / 29 + 1, /* nine digits are 29.9 bits */
    WORDS_MAX = RF_CQL_VARINT_MAX / 4,
};

/* -------------------------------------------------------------------------------------- writing */

/* Big-endian bytes of a magnitude, negated when that is said, as few as there may be. */
static void add_bytes(struct rf_buf *out, uint8_t *bytes, size_t size, bool negative)
{
    unsigned carry = 1;
    for (size_t i = size; negative && i-- > 0;) {
        carry += (uint8_t)~bytes[i];
        bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
    size_t first = 0;
    uint8_t sign = negative ? 0xFF : 0;
    while (first + 1 < size && bytes[first] == sign && ((bytes[first + 1] ^ sign) & 0x80) == 0) {
        first++;
    }
    rf_buf_add(out, bytes + first, size - first);
}

static void add_number(struct rf_buf *out, uint64_t magnitude, bool negative)
{
    uint8_t bytes[9] = {0};
    uint64_t big = htobe64(magnitude);
    memcpy(bytes + 1, &big, sizeof big);
    add_bytes(out, bytes, sizeof bytes, negative && magnitude != 0);
}

void rf_cql_add_varint(struct rf_buf *out, int64_t number)
{
    add_number(out, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, number < 0);
}

void rf_cql_add_varint_unsigned(struct rf_buf *out, uint64_t number)
{
    add_number(out, number, false);
}

/* Digits in two pieces, as the point lies between them. */
struct digits {
    struct rf_str whole, fraction;
};

static unsigned digit_at(const struct digits *digits, size_t at)
{
    const char *byte = at < digits->whole.size ? &digits->whole.data[at]
                                               : &digits->fraction.data[at - digits->whole.size];
    return (unsigned)*byte - '0';
}

static void add_long(struct rf_buf *out, const struct digits *digits, size_t count, bool negative)
{
    uint32_t words[WORDS_MAX]; /* the lowest first */
    uint8_t bytes[RF_CQL_VARINT_MAX + 1];
    size_t word_count = 0;
    bool nonzero = false;
    for (size_t at = 0; at < count;) {
        size_t end = at + GROUP_DIGITS - (GROUP_DIGITS - count % GROUP_DIGITS) % GROUP_DIGITS;
        end = at > 0 ? at + GROUP_DIGITS : end;
        uint64_t carry = 0, scale = 1;
        for (; at < end; at++, scale *= 10) {
            carry = carry * 10 + digit_at(digits, at);
        }
        nonzero |= carry != 0;
        for (size_t i = 0; i < word_count; i++) {
            carry += words[i] * scale;
            words[i] = (uint32_t)carry;
            carry >>= 32;
        }
        if (carry > 0) {
            rf_assert(word_count < WORDS_MAX);
            words[word_count++] = (uint32_t)carry;
        }
    }
    size_t size = word_count * 4 + 1;
    bytes[0] = 0;
    for (size_t i = 0; i < word_count; i++) {
        uint32_t big = htobe32(words[word_count - 1 - i]);
        memcpy(bytes + 1 + i * 4, &big, sizeof big);
    }
    add_bytes(out, bytes, size, negative && nonzero);
}

static void add_digits(struct rf_buf *out, const struct digits *digits, bool negative)
{
    size_t count = digits->whole.size + digits->fraction.size;
    if (count > FAST_DIGITS) {
        add_long(out, digits, count, negative);
        return;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < digits->whole.size; i++) {
        number = number * 10 + ((unsigned)digits->whole.data[i] - '0');
    }
    for (size_t i = 0; i < digits->fraction.size; i++) {
        number = number * 10 + ((unsigned)digits->fraction.data[i] - '0');
    }
    add_number(out, number, negative);
}

static bool take_sign(struct rf_str *text)
{
    text->data = text->data != NULL ? text->data : "";
    bool negative = text->size > 0 && text->data[0] == '-';
    if (negative || (text->size > 0 && text->data[0] == '+')) {
        text->data++;
        text->size--;
    }
    return negative;
}

static struct rf_str take_digits(struct rf_str *text)
{
    struct rf_str digits = {text->data, 0};
    while (text->size > 0 && text->data[0] >= '0' && text->data[0] <= '9') {
        text->data++;
        text->size--;
        digits.size++;
    }
    return digits;
}

bool rf_cql_add_varint_text(struct rf_buf *out, struct rf_str text)
{
    bool negative = take_sign(&text);
    struct digits digits = {.whole = take_digits(&text)};
    if (digits.whole.size == 0 || digits.whole.size > RF_CQL_DIGITS_MAX || text.size > 0) {
        return false;
    }
    add_digits(out, &digits, negative);
    return true;
}

bool rf_cql_add_decimal_text(struct rf_buf *out, struct rf_str text)
{
    int64_t exponent = 0;
    bool negative = take_sign(&text);
    struct digits digits = {.whole = take_digits(&text)};
    if (text.size > 0 && text.data[0] == '.') {
        text.data++;
        text.size--;
        digits.fraction = take_digits(&text);
    }
    if (text.size > 1 && (text.data[0] == 'E' || text.data[0] == 'e')) {
        struct rf_str number = {text.data + 1, text.size - 1};
        number.data += number.data[0] == '+';
        number.size -= number.data != text.data + 1;
        if (!rf_str_to_i64(number, &exponent)) {
            return false;
        }
        text.size = 0;
    }
    size_t count = digits.whole.size + digits.fraction.size;
    if (count == 0 || count > RF_CQL_DIGITS_MAX || text.size > 0 || exponent > INT32_MAX ||
        exponent < -(int64_t)INT32_MAX + RF_CQL_DIGITS_MAX) {
        return false;
    }
    rf_cql_add_int(out, (int32_t)((int64_t)digits.fraction.size - exponent));
    add_digits(out, &digits, negative);
    return true;
}

/* ------------------------------------------------------------------------------------- printing */

/* Appends the digits of the magnitude, at least `least` of them; gives the sign. */
static bool print_digits(struct rf_buf *out, struct rf_str bytes, size_t least)
{
    uint32_t groups[GROUPS_MAX]; /* of nine digits, the lowest first */
    size_t group_count = 1, begin = out->size;
    bool negative = (bytes.data[0] & 0x80) != 0;
    unsigned flip = negative ? 0xFF : 0;
    groups[0] = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        uint64_t carry = (uint8_t)bytes.data[i] ^ flip;
        for (size_t j = 0; j < group_count; j++) {
            carry += (uint64_t)groups[j] << 8;
            groups[j] = (uint32_t)(carry % GROUP);
            carry /= GROUP;
        }
        if (carry > 0) {
            rf_assert(group_count < GROUPS_MAX);
            groups[group_count++] = (uint32_t)carry;
        }
    }
    /* The bits turned over are one less than the magnitude. */
    for (size_t i = 0; negative; i++) {
        if (i == group_count) {
            groups[group_count++] = 0;
        }
        if (++groups[i] < GROUP) {
            break;
        }
        groups[i] = 0;
    }
    size_t digits = (group_count - 1) * GROUP_DIGITS;
    for (uint32_t top = groups[group_count - 1]; top > 0; top /= 10) {
        digits++;
    }
    for (size_t i = digits > 0 ? digits : 1; i < least; i++) {
        rf_buf_add_byte(out, '0');
    }
    rf_buf_printf(out, "%u", groups[group_count - 1]);
    for (size_t i = group_count - 1; i-- > 0;) {
        rf_buf_printf(out, "%09u", groups[i]);
    }
    rf_assert(out->size - begin >= least);
    return negative;
}

static void insert(struct rf_buf *out, size_t at, char byte)
{
    rf_buf_add_byte(out, byte);
    memmove(out->data + at + 1, out->data + at, out->size - 1 - at);
    out->data[at] = byte;
}

bool rf_cql_print_varint(struct rf_buf *out, struct rf_str bytes)
{
    size_t begin = out->size;
    if (bytes.size == 0 || bytes.size > RF_CQL_VARINT_MAX) {
        return false;
    }
    if (print_digits(out, bytes, 1)) {
        insert(out, begin, '-');
    }
    return true;
}

bool rf_cql_print_decimal(struct rf_buf *out, struct rf_str bytes)
{
    size_t begin = out->size;
    struct rf_cursor cursor = rf_cursor_of(bytes);
    int64_t scale = rf_cql_int(&cursor, "scale");
    struct rf_str unscaled = rf_cursor_rest(&cursor);
    if (cursor.missing != NULL || unscaled.size == 0 || unscaled.size > RF_CQL_VARINT_MAX) {
        return false;
    }
    bool plain = scale >= 0 && scale <= RF_CQL_SCALE_PLAIN;
    bool negative = print_digits(out, unscaled, plain ? (size_t)scale + 1 : 1);
    if (plain && scale > 0) {
        insert(out, out->size - (size_t)scale, '.');
    } else if (!plain) {
        rf_buf_printf(out, "E%+lld", (long long)-scale);
    }
    if (negative) {
        insert(out, begin, '-');
    }
    return true;
}
