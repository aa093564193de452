#include "base/memory.h"

#include <rowferry/str.h>
#include <stdio.h>
#include <stdlib.h>

int rf_str_compare(struct rf_str a, struct rf_str b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    if (order == 0) {
        order = a.size < b.size ? -1 : a.size > b.size;
    }
    return order < 0 ? -1 : order > 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool rf_str_equal_nocase(struct rf_str a, struct rf_str b)
{
    if (a.size != b.size) {
        return false;
    }
    for (size_t i = 0; i < a.size; i++) {
        if (lower(a.data[i]) != lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

bool rf_str_split(struct rf_str *rest, char separator, struct rf_str *field)
{
    if (rest->data == NULL) {
        return false;
    }
    const char *end = rest->size ? memchr(rest->data, separator, rest->size) : NULL;
    if (end == NULL) {
        *field = *rest;
        *rest = RF_STR_NONE;
    } else {
        size_t size = (size_t)(end - rest->data);
        *field = (struct rf_str){rest->data, size};
        *rest = (struct rf_str){end + 1, rest->size - size - 1};
    }
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct rf_str rf_str_trim(struct rf_str str)
{
    while (str.size > 0 && is_space(str.data[0])) {
        str.data++;
        str.size--;
    }
    while (str.size > 0 && is_space(str.data[str.size - 1])) {
        str.size--;
    }
    return str;
}

bool rf_str_to_u64(struct rf_str str, uint64_t *out)
{
    uint64_t number = 0;
    if (str.size == 0) {
        return false;
    }
    for (size_t i = 0; i < str.size; i++) {
        unsigned digit = (unsigned)(unsigned char)str.data[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, digit, &number)) {
            return false;
        }
    }
    *out = number;
    return true;
}

bool rf_str_to_i64(struct rf_str str, int64_t *out)
{
    bool negative = str.size > 0 && str.data[0] == '-';
    uint64_t number = 0;
    if (negative) {
        str.data++;
        str.size--;
    }
    if (!rf_str_to_u64(str, &number) || number > (uint64_t)INT64_MAX + negative) {
        return false;
    }
    *out = negative ? (int64_t)(0 - number) : (int64_t)number;
    return true;
}

bool rf_str_match(struct rf_str pattern, struct rf_str text)
{
    /* The classic walk: remember the last star and what it has eaten; on a mismatch let it eat one
     * byte more. */
    size_t p = 0, t = 0, star = SIZE_MAX, eaten = 0;
    while (t < text.size) {
        if (p < pattern.size && pattern.data[p] == '*') {
            star = p++;
            eaten = t;
        } else if (p < pattern.size &&
                   (pattern.data[p] == '?' || pattern.data[p] == text.data[t])) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++eaten;
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.data[p] == '*') {
        p++;
    }
    return p == pattern.size;
}

char *rf_str_dup(struct rf_str str)
{
    char *copy = rf_alloc(str.size + 1);
    if (str.size > 0) {
        memcpy(copy, str.data, str.size);
    }
    copy[str.size] = '\0';
    return copy;
}

char *rf_buf_grow(struct rf_buf *buf, size_t more)
{
    size_t need, capacity = buf->capacity ? buf->capacity : 64;
    rf_assert(!__builtin_add_overflow(buf->size, more, &need) && need < SIZE_MAX / 2);
    while (capacity < need) {
        capacity *= 2;
    }
    buf->data = rf_realloc(buf->data, capacity);
    buf->capacity = capacity;
    return buf->data + buf->size;
}

void rf_buf_add_u64(struct rf_buf *buf, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    rf_buf_add(buf, digits + at, sizeof digits - at);
}

void rf_buf_add_i64(struct rf_buf *buf, int64_t number)
{
    if (number < 0) {
        rf_buf_add_byte(buf, '-');
    }
    rf_buf_add_u64(buf, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void rf_buf_vprintf(struct rf_buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    rf_assert(size >= 0);
    vsnprintf(rf_buf_reserve(buf, (size_t)size + 1), (size_t)size + 1, format, again);
    buf->size += (size_t)size;
    va_end(again);
}

void rf_buf_printf(struct rf_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rf_buf_vprintf(buf, format, args);
    va_end(args);
}

const char *rf_buf_cstr(struct rf_buf *buf)
{
    *rf_buf_reserve(buf, 1) = '\0';
    return buf->data;
}

void rf_buf_deinit(struct rf_buf *buf)
{
    free(buf->data);
    *buf = (struct rf_buf){0};
}

void rf_buf_wipe(struct rf_buf *buf)
{
    if (buf->data != NULL) {
        explicit_bzero(buf->data, buf->capacity);
    }
    rf_buf_deinit(buf);
}
