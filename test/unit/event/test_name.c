#include "event/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_known_letters_become_small(void **context)
{
    static const struct {
        const char *name, *folded;
    } cases[] = {
        {"", ""},
        {"Shop_2$", "shop_2$"},
        {"AZ[az{", "az[az{"},
        {"\xc3\x84\xc3\x97\xc3\x9e\xc3\x9f", "\xc3\xa4\xc3\x97\xc3\xbe\xc3\x9f"},
        {"\xd0\x81\xd0\x90\xd0\xaf\xd1\x8f", "\xd1\x91\xd0\xb0\xd1\x8f\xd1\x8f"},
        {"\xce\x91\xce\xa3\xce\xa9", "\xce\xb1\xcf\x83\xcf\x89"},
        {"T\xe8\xa1\xa8", "t\xe8\xa1\xa8"},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[64];
        struct rf_str name = rf_str_of(cases[i].name);
        assert_true(rf_name_fold(out, name));
        assert_true(rf_str_equal((struct rf_str){out, name.size}, rf_str_of(cases[i].folded)));
        memcpy(out, cases[i].name, name.size);
        assert_true(rf_name_fold(out, (struct rf_str){out, name.size}));
        assert_true(rf_str_equal((struct rf_str){out, name.size}, rf_str_of(cases[i].folded)));
    }
}

static void test_what_is_not_known_stays_and_is_said(void **context)
{
    static const char *const names[] = {"\xd4\xb1", "\xc4\xb0", "\xe1\xba\x9e", "\xc3",
                                        "\xe8\xa1", "\x80",     "\xce\xa2",     "\xf0\x9f\x98\x80"};
    (void)context;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char out[8];
        struct rf_str name = rf_str_of(names[i]);
        assert_false(rf_name_fold(out, name));
        assert_memory_equal(out, names[i], name.size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_letters_become_small),
        cmocka_unit_test(test_what_is_not_known_stays_and_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
