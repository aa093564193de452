/* YAML as far as a configuration needs it: a tree of maps, lists and texts, each with its line.
 *
 * Used by config/file. What it leaves out it refuses, with the line: anchors and aliases, tags,
 * merge keys, several documents, keys that are no text, a key given twice. Texts are kept as they
 * were written: nothing becomes a boolean or a number here. It knows no key and no plugin, and no
 * message repeats a value, which may be a secret.
 *
 * Source: YAML 1.1, https://yaml.org/spec/1.1/, as libyaml reads it. */
#ifndef ROWFERRY_CONFIG_YAML_H
#define ROWFERRY_CONFIG_YAML_H

#include "config/problems.h"

#include <rowferry/arena.h>

enum {
    RF_YAML_BYTES_MAX = 1024 * 1024,
    RF_YAML_DEPTH_MAX = 8,
    RF_YAML_KEYS_MAX = 256, /* in one map */
};

enum rf_yaml_kind { RF_YAML_TEXT = 1, RF_YAML_LIST, RF_YAML_MAP };

struct rf_yaml_node {
    enum rf_yaml_kind kind;
    uint32_t line;   /* where it begins; counted from 1 */
    const char *key; /* in a map: under which it stands; terminated */
    uint32_t key_line;
    const char *text; /* terminated, without control characters */
    bool plain;       /* a text without quotes: then "", "~" and "null" are no value */
    bool refused;     /* what is wrong with it has been said; it has no value to use */
    struct rf_yaml_node *first, *next;
};

/* Zeroed is empty and valid. */
struct rf_yaml {
    struct rf_yaml_node *root; /* NULL: nothing but comments */
    bool broken;               /* reading ended at a mistake: the tree is not all of it */
    struct rf_arena memory;
};

/* Reads the text, which is not needed afterwards. What is wrong is added to the problems; where
 * reading can go on it does. The tree holds what was read up to there. */
void rf_yaml_parse(struct rf_yaml *yaml, struct rf_str text, struct rf_problems *problems);

/* The child of that key; NULL: none. Of anything but a map: NULL. */
const struct rf_yaml_node *rf_yaml_find(const struct rf_yaml_node *map, const char *key);
/* A plain "", "~" or "null". */
bool rf_yaml_is_null(const struct rf_yaml_node *node);
/* For messages: "a list", "keys", "nothing", "a text". */
const char *rf_yaml_describe(const struct rf_yaml_node *node);

/* Gives the memory back, the values in it overwritten. */
void rf_yaml_deinit(struct rf_yaml *yaml);

#endif
