/* A configuration file: one pipeline, its source, its sinks and how it is run, as YAML.
 *
 *     name: shop
 *     source:
 *       url: mysql://cdc@db.example:3306
 *       password_file: cdc.password
 *       tables: [shop.*, -shop.audit_*]
 *     sinks:
 *       - redis://cache:6379
 *       - url: file:changes.jsonl
 *         format: json
 *
 * Used by `rowferry run FILE` and `rowferry config check FILE`. Under `source` and in each item of
 * `sinks` stand the options of that plugin's table, at the top those of the command, with '_' where
 * an argument has '-'. Everything that can be wrong is looked for, without contacting anybody, and
 * all of it is said in one go. Values may hold ${NAME}, see environment.h.
 *
 * Relative paths mean what they mean to the process: who wants them to begin at the file changes
 * the directory before (see rf_config_read). */
#ifndef ROWFERRY_CONFIG_FILE_H
#define ROWFERRY_CONFIG_FILE_H

#include "config/ends.h"
#include "config/problems.h"
#include "config/yaml.h"

enum { RF_CONFIG_KEYS_MAX = RF_URL_SETTINGS_MAX };

/* What may stand at the top of a file, beside `source` and `sinks`. */
struct rf_config_top {
    const struct rf_option *options; /* the command's, with '-' in their names */
    /* those that a file cannot have, and why; ended by NULL */
    const struct rf_config_refusal {
        const char *name, *why;
    } * refusals;
};

/* What was said of the pipeline, the source or one sink. */
struct rf_config_part {
    struct rf_setting settings[RF_CONFIG_KEYS_MAX];
    /* for people: as it stands in the file; NULL: a secret */
    const char *shown[RF_CONFIG_KEYS_MAX];
    uint32_t count;
    uint32_t line;
    bool url_hidden; /* the address came from the environment: its options are not shown */
};

/* Zeroed is empty and valid. */
struct rf_config {
    struct rf_config_part top;
    struct rf_config_part source;
    struct rf_config_part *sinks; /* as many as ends.sink_count */
    struct rf_ends ends;
    struct rf_arena memory;
};

/* Reads the file at `path`. problems->file is what the operator calls it. beside: what the command
 * line says of the source; it wins. Returns RF_OK; RF_CONFIG: the problems, of which there is at
 * least one, say why, in the order of their lines, and the configuration is not to be used. */
RF_USE_RESULT enum rf_status rf_config_read(struct rf_config *config, const char *path,
                                            const struct rf_config_top *top,
                                            struct rf_settings beside,
                                            struct rf_problems *problems);
/* The same for a text. is_public: others may read it, so it may hold no secret. */
RF_USE_RESULT enum rf_status rf_config_parse(struct rf_config *config, struct rf_str text,
                                             bool is_public, const struct rf_config_top *top,
                                             struct rf_settings beside,
                                             struct rf_problems *problems);

/* To an error whose message may show values of this part: leaves them out if one of them came from
 * the environment. A secret is none: no message has it. name: of the one that is meant; NULL: any,
 * or the address. */
void rf_config_hide(const struct rf_config_part *part, const char *name, struct rf_error *err);

/* Gives the memory back, secrets overwritten. */
void rf_config_deinit(struct rf_config *config);

#endif
