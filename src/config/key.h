/* One key of a configuration file: its value read, checked by its option, and kept as a setting.
 *
 * What config/file is made of; nobody else uses it. Problems are said with their line and never
 * show a secret, nor what came from the environment. */
#ifndef ROWFERRY_CONFIG_KEY_H
#define ROWFERRY_CONFIG_KEY_H

#include "config/file.h"

struct rf_key_reader {
    struct rf_config *config;
    const struct rf_config_top *top;
    struct rf_problems *problems;
    bool is_public; /* others may read the file: it may hold no secret */
};

/* A terminated copy that lives as long as the configuration. */
const char *rf_key_keep(struct rf_key_reader *reader, struct rf_str text);
/* So many so far, those for which there was no room too. */
uint32_t rf_key_problem_count(const struct rf_key_reader *reader);

/* One value as it stands in the file, and as it is meant. */
struct rf_key_value {
    const char *raw;
    const char *text;
    bool replaced; /* some of it came from the environment: never shown */
};
/* list: the option takes several; they are joined by commas. address: see environment.h. Returns
 * false after a problem. */
bool rf_key_value(struct rf_key_reader *reader, const struct rf_yaml_node *node, const char *name,
                  bool list, bool address, struct rf_key_value *out);

/* Reads the value of a key whose option is known, and puts it into the part under `name`, which
 * lives as long as the configuration. */
void rf_key_read(struct rf_key_reader *reader, struct rf_config_part *part,
                 const struct rf_option *option, const char *name, const struct rf_yaml_node *node);

/* The key is none of the names. where: "source", "sinks[1]"; NULL: the top of the file. */
void rf_key_refuse(struct rf_key_reader *reader, const struct rf_yaml_node *node, const char *where,
                   const char *const *names, uint32_t count);
/* A secret stands where others may read it. */
void rf_key_refuse_public(struct rf_key_reader *reader, uint32_t line, const char *what);

#endif
