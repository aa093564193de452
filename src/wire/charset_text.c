#include "wire/charset.h"

#include "wire/charset_tables.h"

#define always_inline __attribute__((always_inline)) static inline

enum { SIGN_BIT = 0x80 };
static const uint32_t none = UINT32_MAX;

/* What a set's characters are read with. */
struct tables {
    const char16_t *high;              /* one byte */
    const struct rf_charset_row *rows; /* two bytes */
    const struct rf_charset_row *more; /* three bytes, behind 0x8f */
    uint8_t second_min;                /* the least byte that can be a second one */
};

/* The next character at `at`, which lies before `end`: its code point and its size; or `none`, and
 * the bytes that are to be marked. */
typedef uint32_t next_function(const struct tables *tables, const uint8_t *at, const uint8_t *end,
                               size_t *size);

/* ---- Characters, by the shape of their sets ------------------------------------------------ */

always_inline uint32_t unit(char16_t code)
{
    return code == RF_CHARSET_HOLE ? none : code;
}

always_inline uint32_t next_single(const struct tables *tables, const uint8_t *at,
                                   const uint8_t *end, size_t *size)
{
    (void)end;
    *size = 1;
    if (*at < SIGN_BIT) {
        return *at;
    }
    return tables->high != NULL ? unit(tables->high[*at - SIGN_BIT]) : none;
}

always_inline uint32_t next_swe7(const struct tables *tables, const uint8_t *at, const uint8_t *end,
                                 size_t *size)
{
    (void)tables;
    (void)end;
    *size = 1;
    return *at < SIGN_BIT ? unit(rf_charset_swe7[*at]) : none;
}

always_inline uint32_t from_row(const struct rf_charset_row *row, uint8_t last)
{
    bool has = row->codes != NULL && last >= row->first && last - row->first < row->count;
    return has ? unit(row->codes[last - row->first]) : none;
}

always_inline uint32_t next_double(const struct tables *tables, const uint8_t *at,
                                   const uint8_t *end, size_t *size)
{
    *size = 1;
    if (*at < SIGN_BIT) {
        return *at;
    }
    if (end - at < 2 || at[1] < tables->second_min) {
        return none;
    }
    *size = 2;
    return from_row(&tables->rows[*at - SIGN_BIT], at[1]);
}

always_inline uint32_t next_sjis(const struct tables *tables, const uint8_t *at, const uint8_t *end,
                                 size_t *size)
{
    if (*at >= 0xa1 && *at <= 0xdf) {
        *size = 1;
        return 0xff61u + *at - 0xa1; /* kana of half the width */
    }
    return next_double(tables, at, end, size);
}

always_inline uint32_t next_euc(const struct tables *tables, const uint8_t *at, const uint8_t *end,
                                size_t *size)
{
    if (*at != 0x8f) {
        return next_double(tables, at, end, size);
    }
    *size = 1;
    if (end - at < 3 || at[1] < tables->second_min || at[2] < tables->second_min) {
        return none;
    }
    *size = 3;
    return from_row(&tables->more[at[1] - SIGN_BIT], at[2]);
}

static uint32_t gb18030_number(uint32_t number)
{
    size_t low = 0, high = RF_CHARSET_GB18030_RUNS;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (rf_charset_gb18030_runs[middle].number <= number) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const struct rf_charset_run *run = &rf_charset_gb18030_runs[low];
    bool has = number >= run->number && number - run->number < run->count;
    return has ? run->code + (number - run->number) : none;
}

always_inline uint32_t next_gb18030(const struct tables *tables, const uint8_t *at,
                                    const uint8_t *end, size_t *size)
{
    bool four = end - at >= 4 && *at > SIGN_BIT && at[1] >= '0' && at[1] <= '9' &&
                at[2] > SIGN_BIT && at[3] >= '0' && at[3] <= '9';
    if (!four || *at == 0xff || at[2] == 0xff) {
        return next_double(tables, at, end, size);
    }
    *size = 4;
    return gb18030_number(
        (uint32_t)(((at[0] - 0x81) * 10 + at[1] - '0') * 1260 + (at[2] - 0x81) * 10 + at[3] - '0'));
}

always_inline uint32_t next_utf8(const struct tables *tables, const uint8_t *at, const uint8_t *end,
                                 size_t *size)
{
    (void)tables;
    *size = rf_charset_utf8_sequence(at, (size_t)(end - at));
    switch (*size) {
    case 1: return *at;
    case 2: return (at[0] & 0x1fu) << 6 | (at[1] & 0x3fu);
    case 3: return (at[0] & 0x0fu) << 12 | (at[1] & 0x3fu) << 6 | (at[2] & 0x3fu);
    case 4:
        return (at[0] & 0x07u) << 18 | (at[1] & 0x3fu) << 12 | (at[2] & 0x3fu) << 6 |
               (at[3] & 0x3fu);
    default: *size = 1; return none;
    }
}

always_inline bool is_surrogate(uint32_t code)
{
    return code >= 0xd800 && code <= 0xdfff;
}

always_inline uint32_t next_ucs2(const struct tables *tables, const uint8_t *at, const uint8_t *end,
                                 size_t *size)
{
    (void)tables;
    *size = end - at < 2 ? 1 : 2;
    uint32_t code = *size == 2 ? (uint32_t)at[0] << 8 | at[1] : none;
    return is_surrogate(code) ? none : code;
}

always_inline uint32_t next_pair(const uint8_t *at, const uint8_t *end, size_t *size, bool little)
{
    *size = end - at < 2 ? 1 : 2;
    if (*size == 1) {
        return none;
    }
    uint32_t code = (uint32_t)at[little] << 8 | at[!little];
    if (!is_surrogate(code)) {
        return code;
    }
    if (code >= 0xdc00 || end - at < 4) {
        return none;
    }
    uint32_t low = (uint32_t)at[2 + little] << 8 | at[2 + !little];
    if (low < 0xdc00 || low > 0xdfff) {
        return none;
    }
    *size = 4;
    return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

always_inline uint32_t next_utf16(const struct tables *tables, const uint8_t *at,
                                  const uint8_t *end, size_t *size)
{
    (void)tables;
    return next_pair(at, end, size, false);
}

always_inline uint32_t next_utf16le(const struct tables *tables, const uint8_t *at,
                                    const uint8_t *end, size_t *size)
{
    (void)tables;
    return next_pair(at, end, size, true);
}

always_inline uint32_t next_utf32(const struct tables *tables, const uint8_t *at,
                                  const uint8_t *end, size_t *size)
{
    (void)tables;
    *size = end - at < 4 ? 1 : 4;
    if (*size == 1) {
        return none;
    }
    uint32_t code = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    return is_surrogate(code) || code > 0x10ffff ? none : code;
}

/* ---- Texts --------------------------------------------------------------------------------- */

/* Where the writing goes on. Without `out` it is only counted. */
struct writer {
    char *out;
    size_t size;
    size_t marked;
};

always_inline void put(struct writer *writer, bool writes, uint32_t code)
{
    char *at = writes ? writer->out + writer->size : NULL;
    if (code < 0x80) {
        writer->size += 1;
        if (writes) {
            at[0] = (char)code;
        }
    } else if (code < 0x800) {
        writer->size += 2;
        if (writes) {
            at[0] = (char)(0xc0 | code >> 6);
            at[1] = (char)(0x80 | (code & 0x3f));
        }
    } else if (code < 0x10000) {
        writer->size += 3;
        if (writes) {
            at[0] = (char)(0xe0 | code >> 12);
            at[1] = (char)(0x80 | (code >> 6 & 0x3f));
            at[2] = (char)(0x80 | (code & 0x3f));
        }
    } else {
        writer->size += 4;
        if (writes) {
            at[0] = (char)(0xf0 | code >> 18);
            at[1] = (char)(0x80 | (code >> 12 & 0x3f));
            at[2] = (char)(0x80 | (code >> 6 & 0x3f));
            at[3] = (char)(0x80 | (code & 0x3f));
        }
    }
}

/* Eight ASCII characters at a time. */
always_inline const uint8_t *put_ascii(struct writer *writer, bool writes, const uint8_t *at,
                                       const uint8_t *end)
{
    while (end - at >= 8 && rf_charset_is_ascii((const char *)at, 8)) {
        if (writes) {
            memcpy(writer->out + writer->size, at, 8);
        }
        writer->size += 8;
        at += 8;
    }
    return at;
}

/* Inlined for each shape of characters. */
always_inline void put_text(struct writer *writer, bool writes, next_function *next, bool ascii,
                            const struct tables *tables, struct rf_str text)
{
    const uint8_t *at = (const uint8_t *)text.data, *end = text.size > 0 ? at + text.size : at;
    while (at < end) {
        if (ascii) {
            at = put_ascii(writer, writes, at, end);
            if (at == end) {
                break;
            }
        }
        size_t size;
        uint32_t code = next(tables, at, end, &size);
        if (code != none && !rf_is_mark(code)) {
            put(writer, writes, code);
            at += size;
            continue;
        }
        writer->marked += size;
        for (; size > 0; size--) {
            put(writer, writes, RF_MARK_FIRST + *at++);
        }
    }
}

always_inline void put_charset(struct writer *writer, bool writes, enum rf_charset charset,
                               struct rf_str text)
{
    static const struct tables of[RF_CHARSET_COUNT] = {
        [RF_CHARSET_BIG5] = {.rows = rf_charset_big5, .second_min = 0x40},
        [RF_CHARSET_GBK] = {.rows = rf_charset_gbk, .second_min = 0x40},
        [RF_CHARSET_GB2312] = {.rows = rf_charset_gb2312, .second_min = 0xa1},
        [RF_CHARSET_GB18030] = {.rows = rf_charset_gb18030, .second_min = 0x40},
        [RF_CHARSET_EUCKR] = {.rows = rf_charset_euckr, .second_min = 0x41},
        [RF_CHARSET_SJIS] = {.rows = rf_charset_sjis, .second_min = 0x40},
        [RF_CHARSET_CP932] = {.rows = rf_charset_cp932, .second_min = 0x40},
        [RF_CHARSET_UJIS] = {.rows = rf_charset_ujis,
                             .more = rf_charset_ujis_8f,
                             .second_min = 0xa1},
        [RF_CHARSET_EUCJPMS] = {.rows = rf_charset_eucjpms,
                                .more = rf_charset_eucjpms_8f,
                                .second_min = 0xa1},
    };
    const struct tables single = {.high = rf_charset_high[charset]};
    switch (charset) {
    case RF_CHARSET_UTF8: put_text(writer, writes, next_utf8, true, NULL, text); break;
    case RF_CHARSET_BIG5:
    case RF_CHARSET_GBK:
    case RF_CHARSET_GB2312:
    case RF_CHARSET_EUCKR: put_text(writer, writes, next_double, true, &of[charset], text); break;
    case RF_CHARSET_GB18030:
        put_text(writer, writes, next_gb18030, true, &of[charset], text);
        break;
    case RF_CHARSET_SJIS:
    case RF_CHARSET_CP932: put_text(writer, writes, next_sjis, true, &of[charset], text); break;
    case RF_CHARSET_UJIS:
    case RF_CHARSET_EUCJPMS: put_text(writer, writes, next_euc, true, &of[charset], text); break;
    case RF_CHARSET_SWE7: put_text(writer, writes, next_swe7, false, NULL, text); break;
    case RF_CHARSET_UCS2: put_text(writer, writes, next_ucs2, false, NULL, text); break;
    case RF_CHARSET_UTF16: put_text(writer, writes, next_utf16, false, NULL, text); break;
    case RF_CHARSET_UTF16LE: put_text(writer, writes, next_utf16le, false, NULL, text); break;
    case RF_CHARSET_UTF32: put_text(writer, writes, next_utf32, false, NULL, text); break;
    default: put_text(writer, writes, next_single, true, &single, text); break;
    }
}

size_t rf_charset_measure(enum rf_charset charset, struct rf_str text)
{
    struct writer writer = {0};
    put_charset(&writer, false, charset, text);
    return writer.size;
}

char *rf_charset_convert(enum rf_charset charset, struct rf_str text, char *out, size_t *marked)
{
    struct writer writer = {.out = out};
    put_charset(&writer, true, charset, text);
    *marked += writer.marked;
    return out + writer.size;
}

size_t rf_charset_decode(enum rf_charset charset, struct rf_str text, struct rf_arena *arena,
                         struct rf_str *decoded)
{
    enum { MEASURED = 256 }; /* room for this many bytes more than needed is not worth a look */
    size_t marked = 0;
    rf_assert(charset > RF_CHARSET_BINARY && charset < RF_CHARSET_COUNT);
    *decoded = text;
    if (rf_charset_extends_ascii(charset) && rf_charset_is_ascii(text.data, text.size)) {
        return 0;
    }
    if (charset == RF_CHARSET_UTF8 && rf_charset_utf8_prefix(text.data, text.size) == text.size) {
        return 0;
    }
    size_t room =
        text.size <= MEASURED ? text.size * RF_CHARSET_GROWTH : rf_charset_measure(charset, text);
    char *copy = rf_arena_alloc(arena, room);
    char *end = rf_charset_convert(charset, text, copy, &marked);
    *decoded = (struct rf_str){copy, (size_t)(end - copy)};
    rf_arena_shrink(arena, copy, room, decoded->size);
    return marked;
}
