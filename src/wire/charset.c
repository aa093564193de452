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
        enum rf_charset charset;
        unsigned bytes_max;
    } carried[] = {
        {"utf8mb4", RF_CHARSET_UTF8, 4}, {"utf8mb3", RF_CHARSET_UTF8, 3},
        {"utf8", RF_CHARSET_UTF8, 3},    {"latin1", RF_CHARSET_LATIN1, 1},
        {"ascii", RF_CHARSET_ASCII, 1},  {"binary", RF_CHARSET_BINARY, 1},
    };
    for (size_t i = 0; i < sizeof carried / sizeof *carried; i++) {
        if (rf_str_equal_nocase(name, rf_str_of(carried[i].name))) {
            *charset = carried[i].charset;
            *bytes_max = carried[i].bytes_max;
            return true;
        }
    }
    return false;
}

bool rf_charset_of(unsigned collation, enum rf_charset *charset)
{
    static const struct {
        const char *name;
        enum rf_charset charset;
    } carried[] = {
        {"utf8mb4", RF_CHARSET_UTF8}, {"utf8mb3", RF_CHARSET_UTF8},  {"latin1", RF_CHARSET_LATIN1},
        {"ascii", RF_CHARSET_ASCII},  {"binary", RF_CHARSET_BINARY},
    };
    const char *name = rf_charset_name(collation);
    for (size_t i = 0; i < sizeof carried / sizeof *carried; i++) {
        if (strcmp(name, carried[i].name) == 0) {
            *charset = carried[i].charset;
            return true;
        }
    }
    return false;
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

size_t rf_charset_utf8_prefix(const char *text, size_t size)
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
        if (step == 0) {
            break;
        }
        at += step;
        left -= step;
    }
    return size - left;
}

bool rf_charset_is_utf8(const char *text, size_t size)
{
    return rf_charset_is_ascii(text, size) || rf_charset_utf8_prefix(text, size) == size;
}

size_t rf_charset_from_latin1(char *out, const char *text, size_t size)
{
    static const uint16_t cp1252[32] = {
        0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178};
    char *at = out;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        unsigned code = byte >= 0x80 && byte < 0xa0 ? cp1252[byte - 0x80] : byte;
        if (code < 0x80) {
            *at++ = (char)code;
        } else if (code < 0x800) {
            *at++ = (char)(0xc0 | code >> 6);
            *at++ = (char)(0x80 | (code & 0x3f));
        } else {
            *at++ = (char)(0xe0 | code >> 12);
            *at++ = (char)(0x80 | (code >> 6 & 0x3f));
            *at++ = (char)(0x80 | (code & 0x3f));
        }
    }
    return (size_t)(at - out);
}
