#include "wire/address.h"

#include <stdbool.h>
#include <stddef.h>

static const char digits[] = "0123456789abcdef";

char *rf_uuid_text(char *out, const uint8_t *bytes)
{
    for (int i = 0; i < RF_UUID_SIZE; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *out++ = '-';
        }
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    return out;
}

char *rf_inet4_text(char *out, const uint8_t *bytes)
{
    for (int i = 0; i < RF_INET4_SIZE; i++) {
        unsigned number = bytes[i];
        if (i > 0) {
            *out++ = '.';
        }
        if (number >= 100) {
            *out++ = digits[number / 100];
        }
        if (number >= 10) {
            *out++ = digits[number / 10 % 10];
        }
        *out++ = digits[number % 10];
    }
    return out;
}

static char *put_group(char *out, unsigned group)
{
    int shift = 12;
    while (shift > 0 && group >> shift == 0) {
        shift -= 4;
    }
    for (; shift >= 0; shift -= 4) {
        *out++ = digits[group >> shift & 15];
    }
    return out;
}

/* The first of the longest runs of zeros; *length is 0 without any. */
static int find_gap(const unsigned *groups, int count, int *length)
{
    int gap = -1;
    *length = 0;
    for (int first = 0; first < count; first++) {
        int end = first;
        while (end < count && groups[end] == 0) {
            end++;
        }
        if (end - first > *length) {
            gap = first;
            *length = end - first;
        }
        first = end;
    }
    return gap;
}

char *rf_inet6_text(char *out, const uint8_t *bytes)
{
    enum { GROUPS = 8, INET4_AT = 6 };
    unsigned groups[GROUPS];
    for (int i = 0; i < GROUPS; i++) {
        groups[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
    }
    int length, gap = find_gap(groups, GROUPS, &length);
    bool holds_inet4 = gap == 0 && (length == INET4_AT ||
                                    (length == INET4_AT - 1 && groups[INET4_AT - 1] == 0xffff));
    for (int i = 0; i < GROUPS; i++) {
        if (i == gap) {
            *out++ = ':';
            i += length - 1;
            if (i == GROUPS - 1) {
                *out++ = ':';
            }
            continue;
        }
        if (i > 0) {
            *out++ = ':';
        }
        if (i == INET4_AT && holds_inet4) {
            return rf_inet4_text(out, bytes + (size_t)2 * INET4_AT);
        }
        out = put_group(out, groups[i]);
    }
    return out;
}
