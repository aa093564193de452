#include "programs/verb.h"

#include "base/exit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

/* What the last call saw. */
static char seen[256];

struct options {
    int64_t port;
    bool check;
};

static const struct rf_option options[] = {
    {"port", RF_OPTION_INT, offsetof(struct options, port), "7", "1..99", "a port", false},
    {"check", RF_OPTION_BOOL, offsetof(struct options, check), NULL, NULL, "look", false},
    RF_OPTION_END,
};

static int note_call(const char *name, const struct rf_call *call)
{
    const struct options *chosen = call->options;
    int size = snprintf(seen, sizeof seen, "%s %d %d %s", name, (int)chosen->port, chosen->check,
                        (const char *)call->subject);

    for (uint32_t i = 0; i < call->word_count; i++) {
        size += snprintf(seen + size, sizeof seen - (size_t)size, " %s", call->words[i]);
    }
    return 40 + (int)call->word_count;
}

static int run_create(const struct rf_call *call)
{
    return note_call("create", call);
}

RF_VERB(create, .name = "create", .usage = "[OPTION...]", .summary = "make it", .rank = 2,
        .help = "More of it.\n", .options = options, .state_size = sizeof(struct options),
        .words_max = 2, .run = run_create);

static int run_init(const struct rf_call *call)
{
    return note_call("init", call);
}

RF_VERB(init, .name = "-init", .usage = "", .summary = "make it afresh", .rank = 1,
        .options = options, .state_size = sizeof(struct options), .run = run_init);

static const struct rf_program program = {
    .name = "sample",
    .summary = "What it is.\n",
    .footer = "At the end.\n",
    .subject = "it",
};

enum { COUNT_MAX = 8, OUTPUT_MAX = 4096 };

static char output[OUTPUT_MAX];

/* Calls with standard output and error going to `output`. */
static int call(const char *const *arguments)
{
    char *copy[COUNT_MAX];
    int count = 0;
    char path[] = "/tmp/rowferry-verb-XXXXXX";
    int file = mkstemp(path), out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);

    seen[0] = '\0';
    while (count < COUNT_MAX && arguments[count] != NULL) {
        copy[count] = (char *)(uintptr_t)arguments[count];
        count++;
    }
    fflush(stdout);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    int code = rf_verbs_main(&program, count, copy);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    ssize_t size = pread(file, output, OUTPUT_MAX - 1, 0);
    output[size > 0 ? size : 0] = '\0';
    close(file);
    close(out);
    close(err);
    unlink(path);
    return code;
}

static void test_a_command_is_called_with_its_options_and_words(void **state)
{
    static const struct {
        const char *arguments[COUNT_MAX];
        const char *seen;
        int code;
    } cases[] = {
        {{"create"}, "create 7 0 it", 40},
        {{"create", "--port", "9", "--check", "a", "b"}, "create 9 1 it a b", 42},
        {{"create", "a", "--port=9"}, "create 9 0 it a", 41},
        {{"-init"}, "init 7 0 it", 40},
        {{"--init"}, "init 7 0 it", 40},
        {{"init"}, "init 7 0 it", 40},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(call(cases[i].arguments), cases[i].code);
        assert_string_equal(seen, cases[i].seen);
        assert_string_equal(output, "");
    }
}

static void test_what_cannot_be_meant_is_usage_and_calls_nobody(void **state)
{
    static const struct {
        const char *arguments[COUNT_MAX];
        const char *said;
    } cases[] = {
        {{"craete"}, "there is no command 'craete'; did you mean 'create'?"},
        {{"-inti"}, "there is no command '-inti'; did you mean '-init'?"},
        {{"elephant"}, "there is no command 'elephant'\n"},
        {{"elephant"}, "'sample --help' lists the commands"},
        {{"-"}, "there is no command '-'"},
        {{""}, "there is no command ''"},
        {{"create", "--prot", "1"}, "create has no option --prot; did you mean --port?"},
        {{"create", "--prot", "1"}, "'sample create --help' lists what there is"},
        {{"create", "--port", "100"}, "\"100\" is not allowed"},
        {{"create", "a", "b", "c"}, "too many arguments"},
        {{"-init", "a"}, "usage: sample -init"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(call(cases[i].arguments), RF_EXIT_USAGE);
        assert_string_equal(seen, "");
        if (strstr(output, cases[i].said) == NULL) {
            fail_msg("'%s' is not in: %s", cases[i].said, output);
        }
    }
}

static void test_help_comes_from_the_registry_in_its_order(void **state)
{
    static const char wanted[] = "usage: sample -init\n"
                                 "       sample create [OPTION...]\n"
                                 "\nWhat it is.\n"
                                 "\ncommands:\n"
                                 "  -init      make it afresh\n"
                                 "  create     make it\n"
                                 "\nAt the end.\n";
    (void)state;
    assert_int_equal(call((const char *[]){"--help", NULL}), RF_EXIT_DONE);
    assert_string_equal(output, wanted);
    assert_int_equal(call((const char *[]){"help", NULL}), RF_EXIT_DONE);
    assert_string_equal(output, wanted);
    /* Without anything to do it says what could be done, and that nothing was. */
    assert_int_equal(call((const char *[]){NULL}), RF_EXIT_USAGE);
    assert_string_equal(output, wanted);
    assert_int_equal(call((const char *[]){"create", "--help", NULL}), RF_EXIT_DONE);
    assert_string_equal(output, "usage: sample create [OPTION...]\n\nMake it.\nMore of it.\n"
                                "\noptions:\n"
                                "  --port N                 a port (default: 7)\n"
                                "  --check                  look\n");
    assert_string_equal(seen, "");
}

static int run_alone(const struct rf_call *call_made)
{
    (void)call_made;
    snprintf(seen, sizeof seen, "alone");
    return 3;
}

/* Last, as a command that is registered stays. */
static void test_a_nameless_command_is_what_happens_without_one(void **state)
{
    static struct rf_verb alone = {.name = "",
                                   .usage = "[--port N]",
                                   .summary = "do it",
                                   .options = options,
                                   .state_size = sizeof(struct options),
                                   .run = run_alone};
    (void)state;
    rf_verb_register(&alone);
    assert_int_equal(call((const char *[]){NULL}), 3);
    assert_string_equal(seen, "alone");
    assert_int_equal(call((const char *[]){"--port", "9", NULL}), 3);
    assert_string_equal(seen, "alone");
    assert_int_equal(call((const char *[]){"create", NULL}), 40);
    assert_int_equal(call((const char *[]){"--prot", "9", NULL}), RF_EXIT_USAGE);
    assert_non_null(strstr(output, "sample has no option --prot; did you mean --port?"));
    assert_int_equal(call((const char *[]){"creat", NULL}), RF_EXIT_USAGE);
    assert_non_null(strstr(output, "did you mean 'create'?"));
    assert_string_equal(seen, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_command_is_called_with_its_options_and_words),
        cmocka_unit_test(test_what_cannot_be_meant_is_usage_and_calls_nobody),
        cmocka_unit_test(test_help_comes_from_the_registry_in_its_order),
        cmocka_unit_test(test_a_nameless_command_is_what_happens_without_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
