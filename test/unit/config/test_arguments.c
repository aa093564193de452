#include "config/arguments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct sample {
    const char *name;
    int64_t wait_ms;
    bool quiet;
    int64_t lines;
};

static const struct rf_option options[] = {
    {"name", RF_OPTION_TEXT, offsetof(struct sample, name), NULL, NULL, "a name", false},
    {"wait-ms", RF_OPTION_DURATION, offsetof(struct sample, wait_ms), "100", "1..10s", "a time",
     false},
    {"quiet", RF_OPTION_BOOL, offsetof(struct sample, quiet), NULL, NULL, "say less", false},
    {"n", RF_OPTION_INT, offsetof(struct sample, lines), NULL, "1..9", "how many", false},
    RF_OPTION_END,
};

static const struct rf_syntax syntax = {
    .name = "sample",
    .program = "rowferry sample",
    .usage = "[OPTION...] FROM TO...",
    .help = "It does it.\n",
    .more = "rowferry help sample",
    .options = options,
    .words_min = 1,
    .words_max = 3,
};

enum { COUNT_MAX = 8 };

static enum rf_status parse(const char *const *arguments, struct rf_arguments *out,
                            struct rf_error *err)
{
    char *copy[COUNT_MAX];
    int count = 0;

    while (count < COUNT_MAX && arguments[count] != NULL) {
        copy[count] = (char *)(uintptr_t)arguments[count];
        count++;
    }
    return rf_arguments_parse(out, &syntax, count, copy, err);
}

static void test_options_and_words_come_in_any_order(void **state)
{
    static const struct {
        const char *arguments[COUNT_MAX];
        const char *seen; /* settings, then words */
    } cases[] = {
        {{"a"}, "a "},
        {{"a", "b", "c"}, "a b c "},
        {{"--name", "x", "a"}, "name=x a "},
        {{"--name=x", "a"}, "name=x a "},
        {{"--name=", "a"}, "name= a "},
        {{"a", "--name=x=y", "b"}, "name=x=y a b "},
        {{"--quiet", "a"}, "quiet=on a "},
        {{"--quiet=no", "a"}, "quiet=no a "},
        {{"--name", "--quiet", "a"}, "name=--quiet a "},
        {{"-"}, "- "},
        {{"a", "--", "--quiet", "-x"}, "a --quiet -x "},
        {{"--", "--help"}, "--help "},
        {{"--wait-ms", "2s", "a"}, "wait-ms=2s a "},
        {{"-n", "5", "a"}, "n=5 a "},
        {{"a", "--n=5"}, "n=5 a "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_arguments parsed = {0};
        struct rf_error err = {0};
        struct rf_buf seen = {0};
        if (parse(cases[i].arguments, &parsed, &err) != RF_OK) {
            fail_msg("%s: %s", cases[i].seen, err.message);
        }
        assert_false(parsed.help);
        for (uint32_t k = 0; k < parsed.setting_count; k++) {
            rf_buf_printf(&seen, "%s=%s ", parsed.settings[k].name, parsed.settings[k].value);
        }
        for (uint32_t k = 0; k < parsed.word_count; k++) {
            rf_buf_printf(&seen, "%s ", parsed.words[k]);
        }
        assert_string_equal(rf_buf_cstr(&seen), cases[i].seen);
        rf_buf_deinit(&seen);
    }
}

static void test_what_cannot_be_read_is_said(void **state)
{
    static const struct {
        const char *arguments[COUNT_MAX];
        const char *message;
    } cases[] = {
        {{NULL}, "sample: too few arguments"},
        {{"a", "b", "c", "d"}, "sample: too many arguments"},
        {{"a", "--nmae=x"}, "sample has no option --nmae; did you mean --name?"},
        {{"a", "--wait", "1"}, "sample has no option --wait; did you mean --wait-ms?"},
        {{"a", "--zzzzzzzzz"}, "sample has no option --zzzzzzzzz"},
        {{"a", "-q"}, "sample has no option -q"},
        {{"a", "-n5"}, "sample has no option -n5"},
        {{"a", "-n"}, "-n needs a value: how many"},
        {{"a", "--name"}, "--name needs a value: a name"},
        {{"a", "--quiet=maybe"}, "quiet: \"maybe\" is not allowed, it takes: on or off"},
        {{"a", "--wait-ms=11s"}, NULL},
        {{"a", "--name=x", "--name=y"}, "name of sample is set twice"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_arguments parsed = {0};
        struct rf_error err = {0};
        assert_int_equal(parse(cases[i].arguments, &parsed, &err), RF_CONFIG);
        if (cases[i].message != NULL) {
            assert_string_equal(err.message, cases[i].message);
        }
    }
}

static void test_help_is_asked_for_anywhere_and_nothing_else_is_checked(void **state)
{
    static const char *const cases[][COUNT_MAX] = {
        {"--help"}, {"-h"}, {"--nmae", "x", "-h"}, {"a", "b", "c", "d", "--help"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_arguments parsed = {0};
        struct rf_error err = {0};
        assert_int_equal(parse(cases[i], &parsed, &err), RF_OK);
        assert_true(parsed.help);
    }
}

static void test_more_arguments_than_there_is_room_for_are_refused(void **state)
{
    static struct rf_arguments parsed;
    static char *many[RF_ARGUMENTS_MAX + 1];
    static char word[] = "a";
    struct rf_error err = {0};
    (void)state;
    for (int i = 0; i <= RF_ARGUMENTS_MAX; i++) {
        many[i] = word;
    }
    assert_int_equal(rf_arguments_parse(&parsed, &syntax, RF_ARGUMENTS_MAX + 1, many, &err),
                     RF_CONFIG);
    assert_string_equal(err.message, "sample: more than 256 arguments");
}

static void test_secrets_leave_the_original_and_stay_in_the_copy(void **state)
{
    char program[] = "rowferry", address[] = "mysql://cdc:geheim@h/shop", plain[] = "--name=x";
    char *argv[] = {program, address, plain, NULL};
    bool found = false;
    (void)state;
    char **copy = rf_arguments_hide(3, argv, &found);
    assert_true(found);
    assert_string_equal(argv[1], "mysql://cdc:******@h/shop");
    assert_string_equal(copy[1], "mysql://cdc:geheim@h/shop");
    assert_string_equal(copy[2], "--name=x");
    assert_null(copy[3]);
    for (int i = 0; i < 3; i++) {
        free(copy[i]);
    }
    free(copy);
}

static void test_help_lists_every_option_of_the_table(void **state)
{
    struct rf_buf out = {0};
    (void)state;
    rf_syntax_describe(&syntax, &out);
    assert_string_equal(rf_buf_cstr(&out),
                        "usage: rowferry sample [OPTION...] FROM TO...\n\nIt does it.\n\noptions:\n"
                        "  --name TEXT              a name\n"
                        "  --wait-ms TIME           a time (default: 100)\n"
                        "  --quiet                  say less\n"
                        "  -n N                     how many\n");
    rf_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_and_words_come_in_any_order),
        cmocka_unit_test(test_what_cannot_be_read_is_said),
        cmocka_unit_test(test_help_is_asked_for_anywhere_and_nothing_else_is_checked),
        cmocka_unit_test(test_more_arguments_than_there_is_room_for_are_refused),
        cmocka_unit_test(test_secrets_leave_the_original_and_stay_in_the_copy),
        cmocka_unit_test(test_help_lists_every_option_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
