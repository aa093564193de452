#include "wire/charset.h"

#include <rowferry/str.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_every_collation_of_a_server_has_its_character_set(void **state)
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

static void test_five_character_sets_are_carried(void **state)
{
    (void)state;
    static const struct {
        unsigned id;
        bool carried;
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
        {51, false, 0},
        {35, false, 0},
        {2560, false, 0},
        {0, false, 0},
        {17, false, 0},
        {1023, false, 0},
        {3328, false, 0},
        {65535, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum rf_charset charset = 0;
        assert_int_equal(rf_charset_of(cases[i].id, &charset), cases[i].carried);
        assert_int_equal(charset, cases[i].charset);
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

static void test_latin1_is_cp1252_with_its_holes_filled(void **state)
{
    (void)state;
    static const uint32_t high[32] = {
        0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x8d,   0x017d, 0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178};
    for (unsigned byte = 0; byte < 256; byte++) {
        char in = (char)byte, out[3], wanted[4];
        size_t size = encode(wanted, byte >= 0x80 && byte < 0xa0 ? high[byte - 0x80] : byte);
        assert_int_equal(rf_charset_from_latin1(out, &in, 1), size);
        assert_memory_equal(out, wanted, size);
    }
    assert_int_equal(rf_charset_from_latin1(NULL, NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_collation_of_a_server_has_its_character_set),
        cmocka_unit_test(test_five_character_sets_are_carried),
        cmocka_unit_test(test_every_code_point_but_surrogates_is_utf8),
        cmocka_unit_test(test_malformed_utf8_is_found_wherever_it_stands),
        cmocka_unit_test(test_well_formed_utf8_passes_at_every_length),
        cmocka_unit_test(test_one_high_byte_makes_text_not_ascii),
        cmocka_unit_test(test_latin1_is_cp1252_with_its_holes_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
