#include "base/quote.h"

/* The length of the character at the front, 1 to 4; 0 when it is not one in UTF-8: cut short,
 * longer than need be, a half of a pair, or beyond U+10FFFF (RFC 3629 section 4). */
static size_t character(const unsigned char *at, size_t rest)
{
    size_t size = at[0] < 0x80 ? 1 : at[0] < 0xC2 ? 0 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    if (size <= 1) {
        return size;
    }
    if (at[0] > 0xF4 || size > rest) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    bool wrong = (at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] > 0x9F) ||
                 (at[0] == 0xF0 && at[1] < 0x90) || (at[0] == 0xF4 && at[1] > 0x8F);
    return wrong ? 0 : size;
}

void rf_quote_json(struct rf_buf *out, struct rf_str text)
{
    rf_buf_add_byte(out, '"');
    for (size_t i = 0; i < text.size;) {
        const char *at = text.data + i;
        unsigned char byte = (unsigned char)*at;
        size_t size = character((const unsigned char *)at, text.size - i);
        if (size == 0) {
            rf_buf_add_str(out, RF_STR("\\ufffd"));
            size = 1;
        } else if (byte == '"' || byte == '\\') {
            rf_buf_add_byte(out, '\\');
            rf_buf_add_byte(out, *at);
        } else if (byte < ' ' || byte == 0x7f) {
            rf_buf_printf(out, "\\u%04x", byte);
        } else {
            rf_buf_add(out, at, size);
        }
        i += size;
    }
    rf_buf_add_byte(out, '"');
}

void rf_quote_base64(struct rf_buf *out, struct rf_str bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *from = (const unsigned char *)bytes.data;
    char *to = rf_buf_reserve(out, bytes.size / 3 * 4 + 4);
    char *const start = to;
    size_t rest = bytes.size;
    for (; rest >= 3; rest -= 3, from += 3) {
        uint32_t three = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
        *to++ = digits[three >> 18];
        *to++ = digits[three >> 12 & 63];
        *to++ = digits[three >> 6 & 63];
        *to++ = digits[three & 63];
    }
    if (rest > 0) {
        uint32_t last = (uint32_t)from[0] << 16 | (rest == 2 ? (uint32_t)from[1] << 8 : 0);
        *to++ = digits[last >> 18];
        *to++ = digits[last >> 12 & 63];
        *to++ = rest == 2 ? digits[last >> 6 & 63] : '=';
        *to++ = '=';
    }
    out->size += (size_t)(to - start);
}
