#include "wire/charset.h"

#include <rowferry/str.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_every_collation_of_both_servers_has_its_character_set(void **state)
{
    (void)state;
    FILE *file = fopen(ROWFERRY_TEST_DIR "/golden/wire/collations.txt", "r");
    char line[1024];
    unsigned ids = 0;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        struct rf_str rest = rf_str_trim(rf_str_of(line)), name, range;
        if (line[0] == '#') {
            continue;
        }
        assert_true(rf_str_split(&rest, ' ', &name));
        while (rf_str_split(&rest, ' ', &range)) {
            struct rf_str first_text, last_text;
            uint64_t first = 0, last = 0;
            assert_true(rf_str_split(&range, '-', &first_text));
            assert_true(rf_str_split(&range, '-', &last_text));
            assert_true(rf_str_to_u64(first_text, &first) && rf_str_to_u64(last_text, &last));
            for (uint64_t id = first; id <= last; id++, ids++) {
                struct rf_str found = rf_str_of(rf_charset_name((unsigned)id));
                if (!rf_str_equal(found, name)) {
                    fail_msg("collation %u: %.*s, not %.*s", (unsigned)id, RF_STR_ARG(found),
                             RF_STR_ARG(name));
                }
            }
        }
    }
    fclose(file);
    assert_true(ids > 1000);
}

static void test_every_known_collation_is_carried(void **state)
{
    (void)state;
    static const struct {
        unsigned id;
        bool known;
        enum rf_charset charset;
    } cases[] = {
        {45, true, RF_CHARSET_UTF8},
        {255, true, RF_CHARSET_UTF8},
        {33, true, RF_CHARSET_UTF8},
        {2048, true, RF_CHARSET_UTF8},
        {2304, true, RF_CHARSET_UTF8},
        {1069, true, RF_CHARSET_UTF8},
        {8, true, RF_CHARSET_LATIN1},
        {1032, true, RF_CHARSET_LATIN1},
        {11, true, RF_CHARSET_ASCII},
        {65, true, RF_CHARSET_ASCII},
        {63, true, RF_CHARSET_BINARY},
        {51, true, RF_CHARSET_CP1251},
        {35, true, RF_CHARSET_UCS2},
        {2560, true, RF_CHARSET_UCS2},
        {2816, true, RF_CHARSET_UTF16},
        {3072, true, RF_CHARSET_UTF32},
        {248, true, RF_CHARSET_GB18030},
        {1052, true, RF_CHARSET_GBK},
        {82, true, RF_CHARSET_SWE7},
        {0, false, 0},
        {17, false, 0},
        {1023, false, 0},
        {3328, false, 0},
        {65535, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum rf_charset charset = 0;
        assert_int_equal(rf_charset_of(cases[i].id, &charset), cases[i].known);
        assert_int_equal(charset, cases[i].charset);
    }
    for (unsigned id = 0; id < 4000; id++) {
        enum rf_charset charset = 0;
        bool named = strcmp(rf_charset_name(id), "unknown") != 0;
        assert_int_equal(rf_charset_of(id, &charset), named);
    }
    assert_string_equal(rf_charset_name(0), "unknown");
    assert_string_equal(rf_charset_name(4000000000u), "unknown");
}

static size_t encode(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (char)(leads[size] | code);
    return size;
}

static void test_every_code_point_but_surrogates_is_utf8(void **state)
{
    (void)state;
    char text[4];
    for (uint32_t code = 0; code < 0x120000; code++) {
        bool valid = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
        size_t size = encode(text, code);
        if (rf_charset_is_utf8(text, size) != valid) {
            fail_msg("U+%04X", code);
        }
        /* Cut off it is none, whatever it was. */
        for (size_t cut = 1; cut < size; cut++) {
            assert_false(rf_charset_is_utf8(text, cut));
        }
    }
}

static void test_malformed_utf8_is_found_wherever_it_stands(void **state)
{
    (void)state;
    static const struct rf_str cases[] = {
        {"\x80", 1},
        {"\xbf", 1},
        {"\xc0\x80", 2},
        {"\xc1\xbf", 2},
        {"\xc3", 1},
        {"\xc3\x28", 2},
        {"\xe0\x80\x80", 3},
        {"\xe0\x9f\xbf", 3},
        {"\xed\xa0\x80", 3},
        {"\xe2\x82", 2},
        {"\xe2\x28\xa1", 3},
        {"\xf0\x80\x80\x80", 4},
        {"\xf4\x90\x80\x80", 4},
        {"\xf5\x80\x80\x80", 4},
        {"\xf0\x9f\x9a", 3},
        {"\xfe", 1},
        {"\xff", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t before = 0; before < 40; before++) {
            for (size_t after = 0; after < 40; after++) {
                size_t size = before + cases[i].size + after;
                char *text = malloc(size);
                memset(text, 'x', size);
                memcpy(text + before, cases[i].data, cases[i].size);
                assert_false(rf_charset_is_utf8(text, size));
                assert_int_equal(rf_charset_utf8_prefix(text, size), before);
                free(text);
            }
        }
    }
}

static void test_well_formed_utf8_passes_at_every_length(void **state)
{
    (void)state;
    for (size_t before = 0; before < 40; before++) {
        for (size_t after = 0; after < 40; after++) {
            size_t size = before + 9 + after;
            char *text = malloc(size);
            memset(text, 'x', size);
            memcpy(text + before, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\xa2", 9);
            assert_true(rf_charset_is_utf8(text, size));
            assert_int_equal(rf_charset_utf8_prefix(text, size), size);
            free(text);
        }
    }
}

static void test_one_high_byte_makes_text_not_ascii(void **state)
{
    (void)state;
    for (size_t size = 0; size < 80; size++) {
        char *text = malloc(size ? size : 1); /* exact, so that reading beyond it is found */
        memset(text, 0x7f, size);
        assert_true(rf_charset_is_ascii(text, size));
        for (size_t at = 0; at < size; at++) {
            text[at] = (char)0x80;
            assert_false(rf_charset_is_ascii(text, size));
            text[at] = 0;
        }
        free(text);
    }
}

/* The text as UTF-8, from memory of exactly its size; *marked is how many bytes were marked. */
static struct rf_str decode(struct rf_arena *arena, enum rf_charset charset, const char *bytes,
                            size_t size, size_t *marked)
{
    struct rf_str decoded;
    size_t counted = 0;
    char *exact = malloc(size ? size : 1);
    memcpy(exact, bytes, size);
    struct rf_str text = {exact, size};
    *marked = rf_charset_decode(charset, text, arena, &decoded);
    decoded = rf_arena_copy(arena, decoded);
    assert_true(rf_charset_is_utf8(decoded.data, decoded.size));
    /* Measuring and converting agree. */
    size_t measured = rf_charset_measure(charset, text);
    assert_true(measured <= size * RF_CHARSET_GROWTH);
    assert_int_equal(measured, decoded.size);
    char *again = malloc(measured ? measured : 1);
    assert_ptr_equal(rf_charset_convert(charset, text, again, &counted), again + measured);
    assert_int_equal(counted, *marked);
    assert_memory_equal(again, decoded.data, measured);
    free(again);
    free(exact);
    return decoded;
}

static void test_latin1_is_cp1252_with_its_holes_filled(void **state)
{
    (void)state;
    static const uint32_t high[32] = {
        0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x8d,   0x017d, 0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178};
    struct rf_arena arena = {0};
    for (unsigned byte = 0; byte < 256; byte++) {
        char in = (char)byte, wanted[4];
        size_t marked,
            size = encode(wanted, byte >= 0x80 && byte < 0xa0 ? high[byte - 0x80] : byte);
        struct rf_str text = decode(&arena, RF_CHARSET_LATIN1, &in, 1, &marked);
        assert_int_equal(marked, 0);
        assert_true(rf_str_equal(text, (struct rf_str){wanted, size}));
    }
    rf_arena_deinit(&arena);
}

/* One of each shape; every character of every set is compared with the servers elsewhere. */
static void test_texts_of_each_shape_become_utf8(void **state)
{
    (void)state;
    static const struct {
        enum rf_charset charset;
        struct rf_str in, out;
    } cases[] = {
        {RF_CHARSET_CP1251, {"\xc6 x \xf6", 5}, {"Ж x ц", 7}},
        {RF_CHARSET_KOI8R, {"\xd6", 1}, {"ж", 2}},
        {RF_CHARSET_SWE7, {"{}@", 3}, {"äåÉ", 6}},
        {RF_CHARSET_GBK,
         {"a\xd6\xd0\x81\x5c"
          "b",
          6},
         {"a中乗b", 8}},
        {RF_CHARSET_BIG5, {"\xa4\xa4", 2}, {"中", 3}},
        {RF_CHARSET_GB2312, {"\xd6\xd0", 2}, {"中", 3}},
        {RF_CHARSET_GB18030, {"\xd6\xd0\x81\x30\x81\x30\x90\x30\x81\x30", 10}, {"中\xc2\x80𐀀", 9}},
        {RF_CHARSET_GB18030,
         {"\xe3\x32\x9a\x35\x84\x31\xa4\x37", 8},
         {"\xf4\x8f\xbf\xbf\xef\xbf\xbd", 7}},
        {RF_CHARSET_EUCKR, {"\xb0\xa1", 2}, {"가", 3}},
        {RF_CHARSET_SJIS, {"\x93\xfa\x5c\xb1", 4}, {"日\\ｱ", 7}},
        {RF_CHARSET_CP932, {"\x81\x60\x87\x40", 4}, {"～①", 6}},
        {RF_CHARSET_UJIS, {"\xc6\xfc\x8e\xb1\x8f\xb0\xa1", 7}, {"日ｱ丂", 9}},
        {RF_CHARSET_EUCJPMS, {"\xa1\xc1\x8f\xf3\xf3", 5}, {"～ⅰ", 6}},
        {RF_CHARSET_UCS2, {"\0a\x20\xac", 4}, {"a€", 4}},
        {RF_CHARSET_UTF16, {"\0a\xd8\x3d\xde\x00", 6}, {"a😀", 5}},
        {RF_CHARSET_UTF16LE, {"a\0\x3d\xd8\x00\xde", 6}, {"a😀", 5}},
        {RF_CHARSET_UTF32, {"\0\0\0a\0\1\xf6\0", 8}, {"a😀", 5}},
        {RF_CHARSET_UTF8, {"naïve 😀", 11}, {"naïve 😀", 11}},
    };
    struct rf_arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t marked;
        struct rf_str text =
            decode(&arena, cases[i].charset, cases[i].in.data, cases[i].in.size, &marked);
        if (marked != 0 || !rf_str_equal(text, cases[i].out)) {
            fail_msg("case %zu: %.*s, %zu marked", i, RF_STR_ARG(text), marked);
        }
    }
    rf_arena_deinit(&arena);
}

#define MARK(two) "\xf4\x8f" two
/* U+10FE00 plus the byte. */
static void test_bytes_that_are_no_characters_are_marked(void **state)
{
    (void)state;
    static const struct {
        enum rf_charset charset;
        struct rf_str in, out;
        size_t marked;
    } cases[] = {
        {RF_CHARSET_UTF8,
         {"a\xff"
          "b",
          3},
         {"a" MARK("\xbb\xbf") "b", 6},
         1},
        {RF_CHARSET_UTF8, {"\xe2\x82", 2}, {MARK("\xbb\xa2") MARK("\xba\x82"), 8}, 2},
        {RF_CHARSET_UTF8,
         {"\xed\xa0\x80", 3},
         {MARK("\xbb\xad") MARK("\xba\xa0") MARK("\xba\x80"), 12},
         3},
        {RF_CHARSET_ASCII, {"caf\xe9", 4}, {"caf" MARK("\xbb\xa9"), 7}, 1},
        {RF_CHARSET_CP1250, {"\x81", 1}, {MARK("\xba\x81"), 4}, 1},
        {RF_CHARSET_SWE7, {"\xe4", 1}, {MARK("\xbb\xa4"), 4}, 1},
        {RF_CHARSET_GBK, {"\xa2\xa0", 2}, {MARK("\xba\xa2") MARK("\xba\xa0"), 8}, 2},
        {RF_CHARSET_GBK, {"\xd6", 1}, {MARK("\xbb\x96"), 4}, 1},
        {RF_CHARSET_GBK, {"\xd6 ", 2}, {MARK("\xbb\x96") " ", 5}, 1},
        {RF_CHARSET_BIG5, {"\xa1\x5a", 2}, {MARK("\xba\xa1") MARK("\xb9\x9a"), 8}, 2},
        {RF_CHARSET_TIS620, {"\xdb", 1}, {MARK("\xbb\x9b"), 4}, 1},
        {RF_CHARSET_UJIS, {"\x8f\xa1", 2}, {MARK("\xba\x8f") MARK("\xba\xa1"), 8}, 2},
        {RF_CHARSET_UCS2,
         {"\xd8\x00\x00", 3},
         {MARK("\xbb\x98") MARK("\xb8\x80") MARK("\xb8\x80"), 12},
         3},
        {RF_CHARSET_UTF16, {"\xd8\x00\0a", 4}, {MARK("\xbb\x98") MARK("\xb8\x80") "a", 9}, 2},
        {RF_CHARSET_UTF16, {"\xdc\x00", 2}, {MARK("\xbb\x9c") MARK("\xb8\x80"), 8}, 2},
        {RF_CHARSET_UTF32,
         {"\0\x11\0\0", 4},
         {MARK("\xb8\x80") MARK("\xb8\x91") MARK("\xb8\x80") MARK("\xb8\x80"), 16},
         4},
        {RF_CHARSET_GB18030,
         {"\x84\x31\xa5\x30", 4},
         {MARK("\xba\x84") MARK("\xb8\xb1") MARK("\xba\xa5") MARK("\xb8\xb0"), 16},
         4},
        {RF_CHARSET_GB18030,
         {"\x84\x31\xa5 ", 4},
         {MARK("\xba\x84") "1" MARK("\xba\xa5") " ", 10},
         2},
    };
    struct rf_arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t marked;
        struct rf_str text =
            decode(&arena, cases[i].charset, cases[i].in.data, cases[i].in.size, &marked);
        if (marked != cases[i].marked || !rf_str_equal(text, cases[i].out)) {
            fail_msg("case %zu: %zu bytes, %zu marked", i, text.size, marked);
        }
    }
    rf_arena_deinit(&arena);
}

/* The reader's side of it, as value.h says: marks become their byte again. */
static size_t unmark_utf8(char *out, struct rf_str text)
{
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        const unsigned char *at = (const unsigned char *)text.data + i;
        if (i + 4 <= text.size && at[0] == 0xf4 && at[1] == 0x8f && (at[2] & 0xfc) == 0xb8) {
            out[size++] = (char)((at[2] & 3) << 6 | (at[3] & 0x3f));
            i += 3;
        } else {
            out[size++] = text.data[i];
        }
    }
    return size;
}

static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void test_marked_text_can_be_turned_back_whatever_it_was(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "\xff", "a", "é",   "\xf4\x8f\xb8\x80", "\xf4\x8f\xbb\xbf", "\xf4\x8f", "\xf4\x8f\xbc\x80",
        "\x80", "😀", "\xc3"};
    struct rf_arena arena = {0};
    uint32_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        char text[64], back[64];
        size_t size = 0, marked;
        for (uint32_t left = random_next(&seed) % 12; left > 0; left--) {
            const char *part = parts[random_next(&seed) % (sizeof parts / sizeof *parts)];
            memcpy(text + size, part, strlen(part));
            size += strlen(part);
        }
        struct rf_str decoded = decode(&arena, RF_CHARSET_UTF8, text, size, &marked);
        assert_int_equal(unmark_utf8(back, decoded), size);
        assert_memory_equal(back, text, size);
        rf_arena_reset(&arena, RF_ARENA_CHUNK);
    }
    rf_arena_deinit(&arena);
}

static void test_any_bytes_of_any_set_become_utf8_and_never_a_replacement(void **state)
{
    (void)state;
    struct rf_arena arena = {0};
    uint32_t seed = 11;
    for (unsigned charset = RF_CHARSET_BINARY + 1; charset < RF_CHARSET_COUNT; charset++) {
        bool unicode = charset == RF_CHARSET_UTF8 || charset == RF_CHARSET_UCS2 ||
                       charset == RF_CHARSET_UTF16 || charset == RF_CHARSET_UTF16LE ||
                       charset == RF_CHARSET_UTF32 || charset == RF_CHARSET_GB18030;
        for (unsigned pair = 0; pair < 65536; pair++) {
            char text[] = {(char)(pair >> 8), (char)pair, (char)random_next(&seed), 'x'};
            size_t marked;
            struct rf_str decoded = decode(&arena, charset, text, sizeof text, &marked);
            if (!unicode) {
                assert_null(memmem(decoded.data, decoded.size, "\xef\xbf\xbd", 3));
            }
            rf_arena_reset(&arena, RF_ARENA_CHUNK);
        }
    }
    rf_arena_deinit(&arena);
}

/* Longer than what is converted without a look at its size first. */
static void test_long_texts_take_their_exact_size(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    struct rf_arena arena = {0};
    static char in[2 * COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        memcpy(in + 2 * i, "\xd6\xd0", 2);
    }
    size_t marked;
    struct rf_str text = decode(&arena, RF_CHARSET_GBK, in, sizeof in, &marked);
    assert_int_equal(text.size, 3 * COUNT);
    assert_int_equal(marked, 0);
    rf_arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_collation_of_both_servers_has_its_character_set),
        cmocka_unit_test(test_every_known_collation_is_carried),
        cmocka_unit_test(test_every_code_point_but_surrogates_is_utf8),
        cmocka_unit_test(test_malformed_utf8_is_found_wherever_it_stands),
        cmocka_unit_test(test_well_formed_utf8_passes_at_every_length),
        cmocka_unit_test(test_one_high_byte_makes_text_not_ascii),
        cmocka_unit_test(test_latin1_is_cp1252_with_its_holes_filled),
        cmocka_unit_test(test_texts_of_each_shape_become_utf8),
        cmocka_unit_test(test_bytes_that_are_no_characters_are_marked),
        cmocka_unit_test(test_marked_text_can_be_turned_back_whatever_it_was),
        cmocka_unit_test(test_any_bytes_of_any_set_become_utf8_and_never_a_replacement),
        cmocka_unit_test(test_long_texts_take_their_exact_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
