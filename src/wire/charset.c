#include "wire/charset.h"

struct range {
    uint16_t first, last;
    const char *name;
};

/* Sorted; ids below 1024. */
static const struct range ranges[] = {
    {1, 1, "big5"},        {2, 2, "latin2"},      {3, 3, "dec8"},        {4, 4, "cp850"},
    {5, 5, "latin1"},      {6, 6, "hp8"},         {7, 7, "koi8r"},       {8, 8, "latin1"},
    {9, 9, "latin2"},      {10, 10, "swe7"},      {11, 11, "ascii"},     {12, 12, "ujis"},
    {13, 13, "sjis"},      {14, 14, "cp1251"},    {15, 15, "latin1"},    {16, 16, "hebrew"},
    {18, 18, "tis620"},    {19, 19, "euckr"},     {20, 20, "latin7"},    {21, 21, "latin2"},
    {22, 22, "koi8u"},     {23, 23, "cp1251"},    {24, 24, "gb2312"},    {25, 25, "greek"},
    {26, 26, "cp1250"},    {27, 27, "latin2"},    {28, 28, "gbk"},       {29, 29, "cp1257"},
    {30, 30, "latin5"},    {31, 31, "latin1"},    {32, 32, "armscii8"},  {33, 33, "utf8mb3"},
    {34, 34, "cp1250"},    {35, 35, "ucs2"},      {36, 36, "cp866"},     {37, 37, "keybcs2"},
    {38, 38, "macce"},     {39, 39, "macroman"},  {40, 40, "cp852"},     {41, 42, "latin7"},
    {43, 43, "macce"},     {44, 44, "cp1250"},    {45, 46, "utf8mb4"},   {47, 49, "latin1"},
    {50, 52, "cp1251"},    {53, 53, "macroman"},  {54, 55, "utf16"},     {56, 56, "utf16le"},
    {57, 57, "cp1256"},    {58, 59, "cp1257"},    {60, 61, "utf32"},     {62, 62, "utf16le"},
    {63, 63, "binary"},    {64, 64, "armscii8"},  {65, 65, "ascii"},     {66, 66, "cp1250"},
    {67, 67, "cp1256"},    {68, 68, "cp866"},     {69, 69, "dec8"},      {70, 70, "greek"},
    {71, 71, "hebrew"},    {72, 72, "hp8"},       {73, 73, "keybcs2"},   {74, 74, "koi8r"},
    {75, 75, "koi8u"},     {76, 76, "utf8mb3"},   {77, 77, "latin2"},    {78, 78, "latin5"},
    {79, 79, "latin7"},    {80, 80, "cp850"},     {81, 81, "cp852"},     {82, 82, "swe7"},
    {83, 83, "utf8mb3"},   {84, 84, "big5"},      {85, 85, "euckr"},     {86, 86, "gb2312"},
    {87, 87, "gbk"},       {88, 88, "sjis"},      {89, 89, "tis620"},    {90, 90, "ucs2"},
    {91, 91, "ujis"},      {92, 93, "geostd8"},   {94, 94, "latin1"},    {95, 96, "cp932"},
    {97, 98, "eucjpms"},   {99, 99, "cp1250"},    {101, 124, "utf16"},   {128, 151, "ucs2"},
    {159, 159, "ucs2"},    {160, 183, "utf32"},   {192, 215, "utf8mb3"}, {223, 223, "utf8mb3"},
    {224, 247, "utf8mb4"}, {248, 250, "gb18030"}, {255, 323, "utf8mb4"}, {576, 578, "utf8mb3"},
    {608, 610, "utf8mb4"}, {640, 642, "ucs2"},    {672, 674, "utf16"},   {736, 738, "utf32"},
};

static const char *const uca_names[] = {"utf8mb3", "utf8mb4", "ucs2", "utf16", "utf32"};

const char *rf_charset_name(unsigned collation)
{
    if (collation >= 2048) {
        unsigned index = (collation - 2048) / 256;
        return index < sizeof uca_names / sizeof *uca_names ? uca_names[index] : "unknown";
    }
    unsigned id = collation % 1024;
    size_t low = 0, high = sizeof ranges / sizeof *ranges;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (id > ranges[middle].last) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < sizeof ranges / sizeof *ranges && id >= ranges[low].first;
    return found ? ranges[low].name : "unknown";
}

bool rf_charset_named(struct rf_str name, enum rf_charset *charset, unsigned *bytes_max)
{
    static const struct {
        const char *name;
        uint8_t charset, bytes_max;
    } sets[] = {
        {"utf8mb4", RF_CHARSET_UTF8, 4},      {"utf8mb3", RF_CHARSET_UTF8, 3},
        {"utf8", RF_CHARSET_UTF8, 3},         {"latin1", RF_CHARSET_LATIN1, 1},
        {"ascii", RF_CHARSET_ASCII, 1},       {"binary", RF_CHARSET_BINARY, 1},
        {"armscii8", RF_CHARSET_ARMSCII8, 1}, {"big5", RF_CHARSET_BIG5, 2},
        {"cp1250", RF_CHARSET_CP1250, 1},     {"cp1251", RF_CHARSET_CP1251, 1},
        {"cp1256", RF_CHARSET_CP1256, 1},     {"cp1257", RF_CHARSET_CP1257, 1},
        {"cp850", RF_CHARSET_CP850, 1},       {"cp852", RF_CHARSET_CP852, 1},
        {"cp866", RF_CHARSET_CP866, 1},       {"cp932", RF_CHARSET_CP932, 2},
        {"dec8", RF_CHARSET_DEC8, 1},         {"eucjpms", RF_CHARSET_EUCJPMS, 3},
        {"euckr", RF_CHARSET_EUCKR, 2},       {"gb18030", RF_CHARSET_GB18030, 4},
        {"gb2312", RF_CHARSET_GB2312, 2},     {"gbk", RF_CHARSET_GBK, 2},
        {"geostd8", RF_CHARSET_GEOSTD8, 1},   {"greek", RF_CHARSET_GREEK, 1},
        {"hebrew", RF_CHARSET_HEBREW, 1},     {"hp8", RF_CHARSET_HP8, 1},
        {"keybcs2", RF_CHARSET_KEYBCS2, 1},   {"koi8r", RF_CHARSET_KOI8R, 1},
        {"koi8u", RF_CHARSET_KOI8U, 1},       {"latin2", RF_CHARSET_LATIN2, 1},
        {"latin5", RF_CHARSET_LATIN5, 1},     {"latin7", RF_CHARSET_LATIN7, 1},
        {"macce", RF_CHARSET_MACCE, 1},       {"macroman", RF_CHARSET_MACROMAN, 1},
        {"sjis", RF_CHARSET_SJIS, 2},         {"swe7", RF_CHARSET_SWE7, 1},
        {"tis620", RF_CHARSET_TIS620, 1},     {"ucs2", RF_CHARSET_UCS2, 2},
        {"ujis", RF_CHARSET_UJIS, 3},         {"utf16", RF_CHARSET_UTF16, 4},
        {"utf16le", RF_CHARSET_UTF16LE, 4},   {"utf32", RF_CHARSET_UTF32, 4},
    };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (rf_str_equal_nocase(name, rf_str_of(sets[i].name))) {
            *charset = sets[i].charset;
            *bytes_max = sets[i].bytes_max;
            return true;
        }
    }
    return false;
}

bool rf_charset_of(unsigned collation, enum rf_charset *charset)
{
    unsigned bytes_max;
    return rf_charset_named(rf_str_of(rf_charset_name(collation)), charset, &bytes_max);
}

static bool continues(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Bytes of the well-formed sequence of two or more bytes at `at`, or 0. */
static size_t sequence(const unsigned char *at, size_t left)
{
    unsigned char lead = at[0];
    if (lead >= 0xc2 && lead <= 0xdf) {
        return left >= 2 && continues(at[1]) ? 2 : 0;
    }
    if ((lead & 0xf0) == 0xe0) {
        if (left < 3 || !continues(at[1]) || !continues(at[2])) {
            return 0;
        }
        bool overlong = lead == 0xe0 && at[1] < 0xa0;
        bool surrogate = lead == 0xed && at[1] > 0x9f;
        return overlong || surrogate ? 0 : 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        if (left < 4 || !continues(at[1]) || !continues(at[2]) || !continues(at[3])) {
            return 0;
        }
        bool overlong = lead == 0xf0 && at[1] < 0x90;
        bool too_high = lead == 0xf4 && at[1] > 0x8f;
        return overlong || too_high ? 0 : 4;
    }
    return 0;
}

size_t rf_charset_utf8_sequence(const uint8_t *at, size_t left)
{
    return *at < 0x80 ? 1 : sequence(at, left);
}

/* U+10FE00 to U+10FEFF. */
static bool is_mark(const unsigned char *at)
{
    return at[0] == 0xf4 && at[1] == 0x8f && (at[2] & 0xfc) == 0xb8;
}

/* Inlined with and without a look at marks. */
__attribute__((always_inline)) static inline size_t prefix(const char *text, size_t size,
                                                           bool unmarked)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t left = size;
    while (left > 0) {
        if (*at < 0x80) {
            bool eight = left >= 8 && rf_charset_is_ascii((const char *)at, 8);
            at += eight ? 8 : 1;
            left -= eight ? 8 : 1;
            continue;
        }
        size_t step = sequence(at, left);
        if (step == 0 || (unmarked && step == 4 && is_mark(at))) {
            break;
        }
        at += step;
        left -= step;
    }
    return size - left;
}

size_t rf_charset_utf8_prefix(const char *text, size_t size)
{
    return prefix(text, size, true);
}

bool rf_charset_is_utf8(const char *text, size_t size)
{
    return rf_charset_is_ascii(text, size) || prefix(text, size, false) == size;
}
