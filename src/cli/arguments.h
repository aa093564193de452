/* The command line taken apart by a command's option table.
 *
 * `--name=value`, `--name value`, `--flag`, `--` (only words follow), `-` (a word). Options and
 * words may come in any order. Text is borrowed from argv. */
#ifndef ROWFERRY_CLI_ARGUMENTS_H
#define ROWFERRY_CLI_ARGUMENTS_H

#include "cli/command.h"
#include "engine/options.h"

enum { RF_ARGUMENTS_MAX = 256 };

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
                                                const struct rf_command *command, int count,
                                                char *const *arguments, struct rf_error *err);

/* Copies argv to the heap and overwrites the secrets in the original, which other users of the
 * machine see. Returns the copy, ended by NULL; *found: there was a secret. */
char **rf_arguments_hide(int argc, char **argv, bool *found);

#endif
