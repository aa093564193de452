/* The plan of a run: what was typed and what a configuration file says, put together.
 *
 * `run` carries it out, `config check` prints it; so what the check finds good, the run takes. */
#ifndef ROWFERRY_CLI_PLAN_H
#define ROWFERRY_CLI_PLAN_H

#include "config/file.h"

/* What the options of `run` fill. */
struct rf_run_options {
    const char *name;
    const char *from;
    const char *until;
    int64_t limit;
    bool follow;
    const char *state;
    const char *spill_directory;
    int64_t pool_bytes;
    int64_t flush_ms;
    int64_t connect_timeout_ms;
    bool adopt;
    bool quiet;
    int32_t log_level;
    int32_t log_format; /* enum rf_log_format */
};

/* Of `run`; a file has them at its top, with '_' for '-', but for those of one start alone. */
extern const struct rf_option rf_run_option_table[];

/* Zeroed is empty and valid. */
struct rf_plan {
    struct rf_run_options chosen;
    struct rf_pipeline_options pipeline; /* complete; borrows from the plan */
    struct rf_ends *ends;                /* of the file, or typed */
    const char *file;                    /* the configuration file; NULL: none */
    /* the rest is private */
    struct rf_config config;
    struct rf_ends typed_ends;
    struct rf_buf name, path;
    struct rf_arena memory;
};

/* Makes the plan: words are a source and its sinks, or one configuration file. What was typed wins
 * over what the file says. Of a file the working directory becomes the file's own, so that
 * relative paths in it mean the same wherever it is started; typed ones keep their meaning. The log
 * is set as the options say. Contacts nobody and makes nothing. Returns RF_EXIT_DONE, or another
 * exit code after the messages. */
int rf_plan_make(struct rf_plan *plan, struct rf_settings typed, const char *const *words,
                 uint32_t word_count);

/* What it would do, for people, without secrets. Appends. */
void rf_plan_describe(const struct rf_plan *plan, struct rf_buf *out);

void rf_plan_deinit(struct rf_plan *plan);

/* It is spelled like a configuration file, and not like an address, which begins with a scheme. */
bool rf_plan_is_file_name(const char *word);

/* What --follow sets beside the address of a source. Returns RF_OK; RF_CONFIG: this source has
 * nothing to follow. *out lives as long as the program. */
RF_USE_RESULT enum rf_status rf_plan_follow(const char *source, struct rf_settings *out,
                                            struct rf_error *err);

#endif
