/* Subcommands: what each file of this folder that is a command defines, and the list of them.
 *
 * A command says its options as a table like every plugin does; parsing, `--help` and errors that
 * suggest the nearest name all come from it. Single thread, until a command starts a pipeline. */
#ifndef ROWFERRY_CLI_COMMAND_H
#define ROWFERRY_CLI_COMMAND_H

#include "base/exit.h"
#include "config/arguments.h"

struct rf_command {
    const char *name;
    const char *usage;               /* what follows the name: "[OPTION...] SOURCE SINK..." */
    const char *summary;             /* one line, no full stop */
    const char *help;                /* paragraphs for `rowferry help NAME`, ending in a newline */
    size_t state_size;               /* of the struct that the options fill */
    const struct rf_option *options; /* names as typed behind the "--" */
    uint32_t words_min;              /* arguments that are not options */
    uint32_t words_max;
    /* For shells: appends what may stand behind it, one a line. NULL: nothing is known. */
    void (*complete)(struct rf_buf *out);
    bool completes_files; /* a file may stand there */
    /* options: the filled struct. words: the other arguments, words_min to words_max of them; they
     * may hold secrets. Returns the process's exit code; what went wrong has been said on standard
     * error. */
    int (*run)(void *options, const char *const *words, uint32_t word_count);
    /* Instead of run, for a command whose options may also come from elsewhere: it gets what was
     * typed, checked but not filled. */
    int (*run_typed)(struct rf_settings typed, const char *const *words, uint32_t word_count);
    /* Instead of both, for a command with commands of its own: it gets what follows its name, and
     * options is empty. */
    int (*run_raw)(int count, char *const *arguments);
};

/* Named by others too. */
extern const struct rf_command rf_command_run;

/* The list, ended by NULL. */
extern const struct rf_command *const rf_commands[];
/* NULL: none of that name. */
const struct rf_command *rf_command_find(const char *name);

/* What its arguments are taken apart by. text: empty, holds what is made up for it, and outlives
 * it. */
struct rf_syntax rf_command_syntax(const struct rf_command *command, struct rf_buf *text);

/* What `rowferry --help` and `rowferry help NAME` print. Append to out. */
void rf_command_describe_all(struct rf_buf *out);
void rf_command_describe(const struct rf_command *command, struct rf_buf *out);

/* Says that there is no such command, and which one was probably meant. word holds no secret. */
void rf_command_refuse(const char *word);

/* Writes all of it to standard output. Returns RF_EXIT_DONE also when the reader has gone away,
 * else, after a message, RF_EXIT_CONFIG. */
int rf_command_print(struct rf_buf *text);

#endif
