/* What shells complete: a program's commands, options and their values, as a script for bash, zsh
 * or fish.
 *
 * Used by `rowferry completions SHELL` and by the same word behind each of the other programs: each
 * describes its own tables, so there is no second list. Single thread.
 *
 * Source: bash's manual, "Programmable Completion"; zshcompsys(1); fish's manual, "complete". */
#ifndef ROWFERRY_CONFIG_COMPLETION_H
#define ROWFERRY_CONFIG_COMPLETION_H

#include <rowferry/error.h>
#include <rowferry/option.h>

/* One command, or the program itself. Everything is borrowed for the call. */
struct rf_completed {
    const char *path; /* what is typed to get there: "run", "container create"; "": the program */
    const char *summary;             /* one line */
    const struct rf_option *options; /* names as typed behind the dashes; NULL: none */
    const char *words; /* what may stand behind it, one a line; NULL: nothing is known */
    bool files;        /* or a file */
};

/* Appends the script. shell: "bash", "zsh" or "fish". Commands of a command come behind it.
 * `--help` is offered everywhere. A word that ends in a colon is the beginning of an address: no
 * blank follows it. Returns RF_OK; RF_CONFIG: there is no such shell. */
RF_USE_RESULT enum rf_status rf_completion_write(const char *shell, const char *program,
                                                 const struct rf_completed *completed,
                                                 uint32_t count, struct rf_buf *out,
                                                 struct rf_error *err);

/* The shells, one a line: what may stand behind `completions`. */
extern const char rf_completion_shells[];

#endif
