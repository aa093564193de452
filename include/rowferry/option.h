/* Options: what a person may set of a plugin, one table each.
 *
 * The same table serves the URL (`redis://host:2400?key=...`), the configuration file and `rowferry
 * options`. The engine fills the plugin's state from it before `open`. Parts of a URL are options
 * too, by the names `user`, `password`, `host`, `port` and `path`: a plugin whose table lacks one
 * refuses URLs that have it. */
#ifndef ROWFERRY_OPTION_H
#define ROWFERRY_OPTION_H

#include <rowferry/str.h>

enum rf_option_kind {
    RF_OPTION_TEXT = 1, /* const char *, terminated; NULL without a value and without a fallback */
    RF_OPTION_SECRET, /* the same, never printed; also as NAME_file=PATH and from the environment */
    RF_OPTION_INT,    /* int64_t */
    RF_OPTION_BOOL,   /* bool: on, off, yes, no, true, false, 1, 0 */
    RF_OPTION_SIZE,   /* int64_t bytes: 64M, 1GiB, 4096 */
    /* int64_t milliseconds: 100ms, 10s, 5m, 2h; a bare number is milliseconds */
    RF_OPTION_DURATION,
    RF_OPTION_CHOICE, /* int32_t: the index into `choices` */
    RF_OPTION_LIST,   /* struct rf_list of terminated strings, split at commas */
};

struct rf_list {
    const char **items;
    uint32_t count;
};

struct rf_option {
    const char *name; /* NULL ends the table */
    enum rf_option_kind kind;
    size_t offset;        /* into the plugin's state */
    const char *fallback; /* as text; NULL: none (number 0, false, empty) */
    /* RF_OPTION_CHOICE: "hash|string"; INT, SIZE and DURATION: "min..max" in their unit; else
     * NULL */
    const char *choices;
    const char *help; /* one line, no full stop */
    bool required;
};

#define RF_OPTION_END                       \
    {                                       \
        NULL, 0, 0, NULL, NULL, NULL, false \
    }

#endif
