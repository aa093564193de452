#include "wire/cql_simple.h"

#include "event/digits.h"
#include "event/floating.h"
#include "wire/cql.h"
#include "wire/cql_number.h"
#include "wire/cql_time.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdlib.h>

enum {
    UUID_SIZE = 16,
    UUID_TEXT = 36,
    NUMBER_TEXT_MAX = 64, /* of a floating number that we read */
};

static int64_t signed_of(struct rf_str bytes)
{
    struct rf_cursor cursor = rf_cursor_of(bytes);
    uint64_t bits = rf_cql_number(&cursor, bytes.size, "number");
    unsigned unused = 64 - 8 * (unsigned)bytes.size;
    return (int64_t)(bits << unused) >> unused;
}

static void print_floating(struct rf_buf *out, struct rf_str bytes)
{
    uint64_t bits = (uint64_t)signed_of(bytes);
    double number;
    float narrow;
    if (bytes.size == 4) {
        uint32_t half = (uint32_t)bits;
        memcpy(&narrow, &half, sizeof narrow);
        number = (double)narrow;
    } else {
        memcpy(&number, &bits, sizeof number);
        narrow = 0;
    }
    if (isnan(number)) {
        rf_buf_add_str(out, RF_STR("NaN"));
    } else if (isinf(number)) {
        rf_buf_add_str(out, number < 0 ? RF_STR("-Infinity") : RF_STR("Infinity"));
    } else {
        char *begin = rf_buf_reserve(out, RF_FLOATING_MAX);
        const char *end =
            bytes.size == 4 ? rf_floating_float(begin, narrow) : rf_floating_double(begin, number);
        out->size += (size_t)(end - begin);
    }
}

static void print_hex(struct rf_buf *out, struct rf_str bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        rf_buf_add_byte(out, digits[(uint8_t)bytes.data[i] >> 4]);
        rf_buf_add_byte(out, digits[bytes.data[i] & 15]);
    }
}

static void print_uuid(struct rf_buf *out, struct rf_str bytes)
{
    static const size_t sizes[] = {4, 2, 2, 2, 6};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (i > 0) {
            rf_buf_add_byte(out, '-');
        }
        print_hex(out, (struct rf_str){bytes.data, sizes[i]});
        bytes.data += sizes[i];
    }
}

static bool print_inet(struct rf_buf *out, struct rf_str bytes)
{
    char text[INET6_ADDRSTRLEN];
    if (bytes.size != 4 && bytes.size != 16) {
        return false;
    }
    if (inet_ntop(bytes.size == 4 ? AF_INET : AF_INET6, bytes.data, text, sizeof text) == NULL) {
        return false;
    }
    rf_buf_add_str(out, rf_str_of(text));
    return true;
}

/* Bytes that a value of that kind always has; 0: that differs. */
static size_t fixed_size(enum rf_cql_kind kind)
{
    switch (kind) {
    case RF_CQL_BOOLEAN:
    case RF_CQL_TINYINT: return 1;
    case RF_CQL_SMALLINT: return 2;
    case RF_CQL_INT:
    case RF_CQL_FLOAT:
    case RF_CQL_DATE: return 4;
    case RF_CQL_BIGINT:
    case RF_CQL_COUNTER_TYPE:
    case RF_CQL_DOUBLE:
    case RF_CQL_TIMESTAMP:
    case RF_CQL_TIME: return 8;
    case RF_CQL_UUID:
    case RF_CQL_TIMEUUID: return UUID_SIZE;
    default: return 0;
    }
}

bool rf_cql_is_quoted(enum rf_cql_kind kind)
{
    return kind == RF_CQL_ASCII || kind == RF_CQL_TEXT || kind == RF_CQL_TIMESTAMP ||
           kind == RF_CQL_DATE || kind == RF_CQL_TIME || kind == RF_CQL_INET;
}

bool rf_cql_print_simple(struct rf_buf *out, enum rf_cql_kind kind, struct rf_str bytes)
{
    size_t fixed = fixed_size(kind);
    if (fixed > 0 && bytes.size != fixed) {
        return false;
    }
    switch (kind) {
    case RF_CQL_ASCII:
    case RF_CQL_TEXT: rf_buf_add_str(out, bytes); return true;
    case RF_CQL_BOOLEAN:
        rf_buf_add_str(out, bytes.data[0] != 0 ? RF_STR("true") : RF_STR("false"));
        return true;
    case RF_CQL_TINYINT:
    case RF_CQL_SMALLINT:
    case RF_CQL_INT:
    case RF_CQL_BIGINT:
    case RF_CQL_COUNTER_TYPE: rf_buf_add_i64(out, signed_of(bytes)); return true;
    case RF_CQL_FLOAT:
    case RF_CQL_DOUBLE: print_floating(out, bytes); return true;
    case RF_CQL_VARINT: return rf_cql_print_varint(out, bytes);
    case RF_CQL_DECIMAL: return rf_cql_print_decimal(out, bytes);
    case RF_CQL_UUID:
    case RF_CQL_TIMEUUID: print_uuid(out, bytes); return true;
    case RF_CQL_TIMESTAMP: rf_cql_print_timestamp(out, signed_of(bytes)); return true;
    case RF_CQL_DATE:
        rf_cql_print_date(out, (int64_t)(uint32_t)signed_of(bytes) - INT64_C(0x80000000));
        return true;
    case RF_CQL_TIME: return rf_cql_print_time(out, signed_of(bytes));
    case RF_CQL_INET: return print_inet(out, bytes);
    case RF_CQL_DURATION: return rf_cql_print_duration(out, bytes);
    default: /* blobs, and what has a class that we do not know */
        rf_buf_add_str(out, RF_STR("0x"));
        print_hex(out, bytes);
        return true;
    }
}

static bool read_hex(struct rf_buf *out, struct rf_str text)
{
    if (text.size % 2 != 0) {
        return false;
    }
    for (size_t i = 0; i < text.size; i += 2) {
        int high = rf_digit_of_hex(text.data[i]), low = rf_digit_of_hex(text.data[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        rf_buf_add_byte(out, (char)(high << 4 | low));
    }
    return true;
}

static bool read_blob(struct rf_buf *out, struct rf_str text)
{
    return rf_str_starts(text, RF_STR("0x")) &&
           read_hex(out, (struct rf_str){text.data + 2, text.size - 2});
}

static bool read_uuid(struct rf_buf *out, struct rf_str text, bool timed)
{
    if (text.size != UUID_TEXT || (timed && text.data[14] != '1')) {
        return false;
    }
    for (size_t i = 0, end = 8; i < UUID_TEXT; i = end + 1, end += i == 24 ? 13 : 5) {
        if (!read_hex(out, (struct rf_str){text.data + i, end - i}) ||
            (end < UUID_TEXT && text.data[end] != '-')) {
            return false;
        }
    }
    return true;
}

static bool read_integer(struct rf_buf *out, struct rf_str text, size_t size)
{
    int64_t number, edge = (int64_t)(UINT64_C(1) << (8 * size - 1));
    if (!rf_str_to_i64(text, &number) || (size < 8 && (number >= edge || number < -edge))) {
        return false;
    }
    uint64_t big = htobe64((uint64_t)number);
    rf_buf_add(out, (const char *)&big + 8 - size, size);
    return true;
}

static bool read_floating(struct rf_buf *out, struct rf_str text, bool narrow)
{
    char copy[NUMBER_TEXT_MAX], *end;
    if (text.size == 0 || text.size >= sizeof copy || text.data[0] == ' ' ||
        memchr(text.data, 'x', text.size) != NULL || memchr(text.data, '\0', text.size) != NULL) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    double number = strtod(copy, &end);
    float small = narrow ? strtof(copy, &end) : 0;
    if (*end != '\0') {
        return false;
    }
    if (narrow) {
        uint32_t bits;
        memcpy(&bits, &small, sizeof bits);
        rf_cql_add_int(out, (int32_t)bits);
    } else {
        int64_t bits;
        memcpy(&bits, &number, sizeof bits);
        rf_cql_add_long(out, bits);
    }
    return true;
}

static bool read_inet(struct rf_buf *out, struct rf_str text)
{
    char copy[INET6_ADDRSTRLEN], bytes[16];
    if (text.size == 0 || text.size >= sizeof copy || memchr(text.data, '\0', text.size) != NULL) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    bool six = memchr(text.data, ':', text.size) != NULL;
    if (inet_pton(six ? AF_INET6 : AF_INET, copy, bytes) != 1) {
        return false;
    }
    rf_buf_add(out, bytes, six ? 16 : 4);
    return true;
}

static bool read_boolean(struct rf_buf *out, struct rf_str text)
{
    bool yes = rf_str_equal_nocase(text, RF_STR("true"));
    if (!yes && !rf_str_equal_nocase(text, RF_STR("false"))) {
        return false;
    }
    rf_buf_add_byte(out, yes);
    return true;
}

static bool is_ascii(struct rf_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        if ((uint8_t)text.data[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

bool rf_cql_read_simple(struct rf_buf *out, enum rf_cql_kind kind, struct rf_str text)
{
    text.data = text.data != NULL ? text.data : "";
    switch (kind) {
    case RF_CQL_ASCII:
        if (!is_ascii(text)) {
            return false;
        }
        rf_buf_add_str(out, text);
        return true;
    case RF_CQL_TEXT: rf_buf_add_str(out, text); return true;
    case RF_CQL_BOOLEAN: return read_boolean(out, text);
    case RF_CQL_TINYINT:
    case RF_CQL_SMALLINT:
    case RF_CQL_INT:
    case RF_CQL_BIGINT:
    case RF_CQL_COUNTER_TYPE: return read_integer(out, text, fixed_size(kind));
    case RF_CQL_FLOAT: return read_floating(out, text, true);
    case RF_CQL_DOUBLE: return read_floating(out, text, false);
    case RF_CQL_VARINT: return rf_cql_add_varint_text(out, text);
    case RF_CQL_DECIMAL: return rf_cql_add_decimal_text(out, text);
    case RF_CQL_UUID: return read_uuid(out, text, false);
    case RF_CQL_TIMEUUID: return read_uuid(out, text, true);
    case RF_CQL_TIMESTAMP: return rf_cql_read_timestamp(out, text);
    case RF_CQL_DATE: return rf_cql_read_date(out, text);
    case RF_CQL_TIME: return rf_cql_read_time(out, text);
    case RF_CQL_INET: return read_inet(out, text);
    case RF_CQL_DURATION: return rf_cql_read_duration(out, text);
    default: return read_blob(out, text);
    }
}
