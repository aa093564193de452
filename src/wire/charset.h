/* Character sets of the log: collation ids, validation and conversion to UTF-8.
 *
 * Used by table.c, rows.c and the statements of binlog.c. Carried are utf8mb4, utf8mb3, latin1,
 * ascii and binary; the others are known by name, so that a refusal can say which.
 *
 * Collation ids: below 1024 each has its meaning of old; 1024 to 2047 is the same without padding
 * (MariaDB, id - 1024); from 2048 on 256 ids for each of utf8mb3, utf8mb4, ucs2, utf16 and utf32
 * (MariaDB, UCA 14.0.0). MySQL's UCA 9.0.0 collations of utf8mb4 lie at 255 to 323.
 *
 * Source: information_schema.COLLATIONS of MariaDB 10.11; MySQL, "Supported Character Sets and
 * Collations". */
#ifndef ROWFERRY_WIRE_CHARSET_H
#define ROWFERRY_WIRE_CHARSET_H

#include <rowferry/event.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Id 63: bytes. It is what tells BINARY from CHAR and BLOB from TEXT. */
enum { RF_COLLATION_BINARY = 63 };

/* How text of this collation is read. False: the character set is not carried, or not known. */
bool rf_charset_of(unsigned collation, enum rf_charset *charset);

/* The same by its name, letters of either case; *bytes_max is how many a character has at most.
 * False: not carried. */
bool rf_charset_named(struct rf_str name, enum rf_charset *charset, unsigned *bytes_max);

/* "utf8mb4", "cp1251", ...; "unknown" for an id that neither server had when this was written. */
const char *rf_charset_name(unsigned collation);

/* True when every byte is below 0x80. Inlined, as it runs over every text of every row. */
static inline bool rf_charset_is_ascii(const char *text, size_t size)
{
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    uint64_t high = 0, word;
    size_t at = 0;
    if (size < 8) {
        if (size >= 4) {
            uint32_t first, last; /* they overlap */
            memcpy(&first, text, sizeof first);
            memcpy(&last, text + size - 4, sizeof last);
            return ((first | last) & (uint32_t)high_bits) == 0;
        }
        for (; at < size; at++) {
            high |= (unsigned char)text[at];
        }
        return high < 0x80;
    }
#if defined(__SSE2__)
    if (size >= 16) {
        const char *last = text + size - 16; /* the rest, and some bytes once more */
        __m128i bits = _mm_loadu_si128((const __m128i *)(const void *)last);
        for (; text < last; text += 16) {
            bits = _mm_or_si128(bits, _mm_loadu_si128((const __m128i *)(const void *)text));
        }
        return _mm_movemask_epi8(bits) == 0;
    }
#endif
    for (; at + 8 <= size; at += 8) {
        memcpy(&word, text + at, sizeof word);
        high |= word;
    }
    memcpy(&word, text + size - 8, sizeof word);
    return ((high | word) & high_bits) == 0;
}

/* True for well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
 * Source: RFC 3629, section 4. */
bool rf_charset_is_utf8(const char *text, size_t size);
/* Bytes of text that are, up to the first sequence that is not. */
size_t rf_charset_utf8_prefix(const char *text, size_t size);

/* MySQL's latin1 as UTF-8. out has room for 3 bytes for each of size; returns how many were
 * written.
 * Source: cp1252 of the Unicode Consortium; MySQL, "West European Character Sets": 0x81, 0x8d,
 * 0x8f, 0x90 and 0x9d, undefined there, are the control characters of the same number. */
size_t rf_charset_from_latin1(char *out, const char *text, size_t size);

#endif
