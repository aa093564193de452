/* The command line taken apart by a command's option table, and the help that comes from it.
 *
 * `--name=value`, `--name value`, `--flag`, `--` (only words follow), `-` (a word); an option whose
 * name is one letter is `-n value`, too. Options and words may come in any order. Text is borrowed
 * from argv. */
#ifndef ROWFERRY_CONFIG_ARGUMENTS_H
#define ROWFERRY_CONFIG_ARGUMENTS_H

#include "engine/options.h"

enum { RF_ARGUMENTS_MAX = 256 };

/* What a command takes. */
struct rf_syntax {
    const char *name;                /* of the command, in front of messages: "run" */
    const char *program;             /* what is typed before the arguments: "rowferry run" */
    const char *usage;               /* the arguments: "[OPTION...] SOURCE SINK..." */
    const char *help;                /* paragraphs, ending in a newline */
    const char *more;                /* what to type for that help: "rowferry help run" */
    const struct rf_option *options; /* names as typed behind the "--" */
    uint32_t words_min;              /* arguments that are not options */
    uint32_t words_max;
};

/* Zeroed is empty and valid. */
struct rf_arguments {
    struct rf_setting settings[RF_ARGUMENTS_MAX];
    uint32_t setting_count;
    const char *words[RF_ARGUMENTS_MAX];
    uint32_t word_count;
    bool help; /* --help or -h was among them: nothing else was checked */
};

/* arguments: what follows the command's name. Returns RF_OK; RF_CONFIG: unknown, doubled or
 * unreadable option, too few or too many words. */
RF_USE_RESULT enum rf_status rf_arguments_parse(struct rf_arguments *out,
                                                const struct rf_syntax *syntax, int count,
                                                char *const *arguments, struct rf_error *err);

/* Copies argv to the heap and overwrites the secrets in the original, which other users of the
 * machine see. Returns the copy, ended by NULL; *found: there was a secret. */
char **rf_arguments_hide(int argc, char **argv, bool *found);

/* The usage line, the help and a line per option. Appends. */
void rf_syntax_describe(const struct rf_syntax *syntax, struct rf_buf *out);

#endif
