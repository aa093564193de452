/* Character sets of the log: collation ids, validation and conversion to UTF-8.
 *
 * Used by table.c, rows.c, schema.c and the statements of binlog.c. All sets of MariaDB 10.11 and
 * MySQL 9.7 are carried, to the character that CONVERT(... USING utf8mb4) gives there; what is none
 * in its set, and what the servers turn into a question mark, is marked (value.h).
 *
 * Collation ids: below 1024 each has its meaning of old; 1024 to 2047 is the same without padding
 * (MariaDB, id - 1024); from 2048 on 256 ids for each of utf8mb3, utf8mb4, ucs2, utf16 and utf32
 * (MariaDB, UCA 14.0.0). MySQL's UCA 9.0.0 collations of utf8mb4 lie at 255 to 323.
 *
 * A character, byte by byte (b: any byte above 0x7f; what has no table below 0x80 is ASCII there):
 *
 *   ascii, latin1 and its kin   1   swe7: ten of ASCII's signs are letters
 *   big5, gbk                   1, or b and 0x40-0x7e, 0x80-0xfe
 *   gb2312                      1, or b and 0xa1-0xfe
 *   euckr                       1, or b and 0x41-0x5a, 0x61-0x7a, 0x81-0xfe
 *   sjis, cp932                 1, 0xa1-0xdf (kana), or b and 0x40-0x7e, 0x80-0xfc
 *   ujis, eucjpms               1, or b and 0xa1-0xfe, or 0x8f and two of these
 *   gb18030                     as gbk, or 0x81-0xfe, 0x30-0x39, 0x81-0xfe, 0x30-0x39
 *   utf8mb3, utf8mb4            1 to 4
 *   ucs2                        2, highest first
 *   utf16, utf16le              2, or 4 for a pair of surrogates; highest first, lowest first
 *   utf32                       4, highest first
 *
 * Source: information_schema.COLLATIONS and CONVERT(... USING utf8mb4) of MariaDB 10.11 and MySQL
 * 9.7, for each character of each set (tools/gen-charsets); MySQL, "Supported Character Sets and
 * Collations". */
#ifndef ROWFERRY_WIRE_CHARSET_H
#define ROWFERRY_WIRE_CHARSET_H

#include <rowferry/arena.h>
#include <rowferry/event.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Id 63: bytes. It is what tells BINARY from CHAR and BLOB from TEXT. */
enum { RF_COLLATION_BINARY = 63 };

/* The character set of a collation. False: neither server had such an id when this was written. */
bool rf_charset_of(unsigned collation, enum rf_charset *charset);

/* The same by its name, letters of either case; *bytes_max is how many a character has at most.
 * False: neither server knows it. */
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
/* Bytes of text that are, up to the first sequence that is not, or is a mark of value.h. */
size_t rf_charset_utf8_prefix(const char *text, size_t size);
/* Bytes of the well-formed sequence at `at`, of which `left` are there, at least one; 0: none. */
size_t rf_charset_utf8_sequence(const uint8_t *at, size_t left);

/* True when text of ASCII characters alone stands as its ASCII bytes: all sets but swe7 and those
 * whose characters have two or four bytes each. */
static inline bool rf_charset_extends_ascii(enum rf_charset charset)
{
    return charset != RF_CHARSET_SWE7 && charset != RF_CHARSET_UCS2 &&
           charset != RF_CHARSET_UTF16 && charset != RF_CHARSET_UTF16LE &&
           charset != RF_CHARSET_UTF32;
}

/* Text of this character set, which is not RF_CHARSET_BINARY, as UTF-8: *decoded is the text itself
 * where that is valid UTF-8 already, else a copy in the arena, of its exact size. Returns how many
 * of its bytes are marked there; 0: all of it was valid. Any thread. */
size_t rf_charset_decode(enum rf_charset charset, struct rf_str text, struct rf_arena *arena,
                         struct rf_str *decoded);

/* The same into memory of the caller's: the bytes that it takes, at most RF_CHARSET_GROWTH for each
 * of the text, and the conversion, which returns where it ends and adds to *marked. */
enum { RF_CHARSET_GROWTH = 4 };
size_t rf_charset_measure(enum rf_charset charset, struct rf_str text);
char *rf_charset_convert(enum rf_charset charset, struct rf_str text, char *out, size_t *marked);

#endif
