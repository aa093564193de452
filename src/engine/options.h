/* Options: what a person wrote about a plugin, turned into the fields of its state.
 *
 * The configuration room turns URLs, files and arguments into settings, which are names with
 * text; here they meet the plugin's table: checked once before anything is contacted, then
 * filled into a fresh state before each open. Nothing here knows a plugin. Thread: any, no
 * shared state. */
#ifndef ROWFERRY_ENGINE_OPTIONS_H
#define ROWFERRY_ENGINE_OPTIONS_H

#include <rowferry/arena.h>
#include <rowferry/option.h>

/* One thing that was said. All text is borrowed and terminated. */
struct rf_setting {
    const char *name;  /* "host", "tables", "password_file" */
    const char *value; /* as a person wrote it, percent signs and quotes already undone */
    const char *where; /* goes in front of errors: "shop.yaml:7"; NULL: the command line */
};

struct rf_settings {
    const struct rf_setting *items;
    uint32_t count;
};

/* One table and whose it is. */
struct rf_option_set {
    /* the plugin's name: in messages, and in the names of environment variables */
    const char *owner;
    const struct rf_option *options;
};

/* What every sink understands, by the engine. */
struct rf_sink_common {
    const char *name;         /* the position is kept under it; NULL: the address */
    const char *format;       /* NULL: the sink's own choice */
    const char *dead_letters; /* file for events that the sink refuses; NULL: they end it */
};
extern const struct rf_option rf_sink_common_options[];

/* Checks everything that can be checked without contacting anybody: each setting is known to at
 * least one of the sets, is given once, can be read by each set that knows it, and nothing required
 * is missing. sets[0].owner is the one that messages name. Files of secrets are read, and
 * forgotten.
 *
 * Secrets: an option `password` of RF_OPTION_SECRET may be set as `password`, as `password_file`
 * (the file's content without its last newline; a file that others may read is refused), as
 * `password_env` (the name of an environment variable), or not at all: then
 * ROWFERRY_<OWNER>_PASSWORD is looked up. Only one of them.
 * Returns RF_OK or RF_CONFIG: the message says which setting and the hint what is possible. */
RF_USE_RESULT enum rf_status rf_options_check(const struct rf_option_set *sets, uint32_t set_count,
                                              struct rf_settings settings, struct rf_error *err);

/* The first half of it alone: each setting is known to at least one of the sets. For sets that are
 * looked at only when one of their options is set, such as those of transforms. Returns RF_OK or
 * RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_options_check_names(const struct rf_option_set *sets,
                                                    uint32_t set_count, struct rf_settings settings,
                                                    struct rf_error *err);
/* True when one of these options is set. */
bool rf_options_touched(const struct rf_option *options, struct rf_settings settings);

/* Fills a zeroed state from one set: fallbacks first, then the settings that the set knows; the
 * others are skipped, as rf_options_check has found them to be someone else's. Text is borrowed
 * from the settings and the table; lists and what came from files lie in the arena.
 * Returns RF_OK or RF_CONFIG (also when a secret's file is gone by now). */
RF_USE_RESULT enum rf_status rf_options_fill(struct rf_option_set set, struct rf_settings settings,
                                             void *state, struct rf_arena *arena,
                                             struct rf_error *err);

/* The option of that name, also by the names that secrets have beside it; NULL: none. */
const struct rf_option *rf_options_find(const struct rf_option *options, const char *name);

/* What may be written for it, for `rowferry options`: "text", "size, 4096 to 1G", "one of hash,
 * string". Appends. */
void rf_option_describe(const struct rf_option *option, struct rf_buf *out);

/* "64M", "1GiB", "4096", "10 kB": bytes; letters stand for powers of 1024. False: not a size,
 * *out untouched. */
bool rf_parse_size(struct rf_str text, int64_t *out);
/* "100ms", "10s", "5m", "2h", "1d"; a bare number is milliseconds. */
bool rf_parse_duration(struct rf_str text, int64_t *out_ms);
/* on, off, yes, no, true, false, 1, 0. */
bool rf_parse_bool(struct rf_str text, bool *out);

#endif
