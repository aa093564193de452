/* Commands by registration: a function and, next to it, the name by which it is called.
 *
 *     RF_VERB(create, .name = "create", .usage = "[OPTION...]", .summary = "make and start it",
 *             .options = options, .state_size = sizeof(struct options), .run = run_create);
 *
 * declares a command of every program that this file is linked into: the assignment's decorators.
 * rf_verbs_main matches what was typed against all that are registered, takes options apart by the
 * command's table, prints help, and suggests the nearest name for one that does not exist. Dashes
 * in front of a name do not count: "init" is "-init". `completions SHELL` is a command of every
 * program, and prints what that shell completes it with.
 *
 * Registration happens before main, on one thread. */
#ifndef ROWFERRY_PROGRAMS_VERB_H
#define ROWFERRY_PROGRAMS_VERB_H

#include "config/arguments.h"
#include "config/completion.h"

/* A call of a command, as typed. Everything is borrowed for the call. */
struct rf_call {
    const void *options;      /* the struct that the verb's options fill */
    const char *const *words; /* the arguments that are no options */
    uint32_t word_count;
    const void *subject; /* what the program gave to rf_verbs_main */
};

struct rf_verb {
    const char *name;    /* as typed; "": what the program does when no command is named */
    const char *usage;   /* what follows it */
    const char *summary; /* one line, no full stop */
    const char *help;    /* more, ending in a newline; NULL: nothing */
    const struct rf_option *options; /* NULL: none */
    size_t state_size;
    uint32_t words_max;
    /* Returns the exit code; what went wrong has been said. */
    int (*run)(const struct rf_call *call);
    int rank;             /* commands are listed by it, and by name where it is equal */
    struct rf_verb *next; /* kept by the registry */
};

void rf_verb_register(struct rf_verb *verb);

#define RF_VERB(id, ...)                                              \
    static struct rf_verb verb_##id = {__VA_ARGS__};                  \
    static void __attribute__((constructor)) register_verb_##id(void) \
    {                                                                 \
        rf_verb_register(&verb_##id);                                 \
    }                                                                 \
    struct rf_verb /* takes the semicolon */

/* Who calls. */
struct rf_program {
    const char *name;    /* as typed: "my_sql_container", "rowferry container" */
    const char *summary; /* what it is, one or more lines, ending in a newline */
    const char *footer;  /* behind the commands; NULL: nothing */
    const char *words; /* what may stand behind a command, one a line, for shells; NULL: nothing */
    const void *subject; /* handed to the commands */
};

/* Does what the arguments (behind the program's name) say. Without any, and without a command of
 * the empty name, it prints the usage. Returns the exit code. */
int rf_verbs_main(const struct rf_program *program, int count, char *const *arguments);

/* The commands as shells complete them, each behind the path of the program: "" or "container".
 * paths holds what is made up for it: empty, and outlives completed. Returns how many, RF_VERBS_MAX
 * + 1 at most; the first is the program itself. */
enum { RF_VERBS_MAX = 32 };
uint32_t rf_verbs_complete(const struct rf_program *program, const char *path, struct rf_buf *paths,
                           struct rf_completed *completed);

/* The usage of the program with all its commands. Appends. */
void rf_verbs_describe(const struct rf_program *program, struct rf_buf *out);

#endif
