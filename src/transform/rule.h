/* Rules about columns, as a person writes them, for the transform `columns`.
 *
 *   NAME              keep it: with such a rule, only what is kept and the key remain
 *   -NAME             leave it out
 *   mask(NAME)        every character becomes *
 *   mask(NAME,N)      but for the last N characters
 *   hash(NAME)        becomes 64 hexadecimal digits
 *   truncate(NAME,N)  its first N characters
 *
 * NAME is "column", "table.column" or "database.table.column", with * for any run of characters and
 * ? for one. The case of letters does not count, as it does not for the server's columns: a rule
 * that hides something must not depend on it. Knows nothing of values. Thread: any. */
#ifndef ROWFERRY_TRANSFORM_RULE_H
#define ROWFERRY_TRANSFORM_RULE_H

#include <rowferry/arena.h>
#include <rowferry/event.h>
#include <rowferry/option.h>

enum rf_rule_action {
    RF_RULE_KEEP = 1,
    RF_RULE_LEAVE_OUT,
    RF_RULE_MASK,
    RF_RULE_HASH,
    RF_RULE_TRUNCATE,
};

enum { RF_RULE_CHARACTERS_MAX = 1000000000 };

struct rf_rule {
    enum rf_rule_action action;
    uint32_t characters; /* of mask and truncate */
    /* in lower case; empty database and table: any */
    struct rf_str database, table, column;
    bool exact;         /* it names a table, and has no * and ? */
    struct rf_str text; /* as it was written, on one line */
};

struct rf_rules {
    struct rf_rule *items;
    uint32_t count;
    bool keeps;  /* one of them keeps */
    bool hashes; /* one of them hashes */
};

/* Reads a list of rules. It may have been split at every comma: an item with an open parenthesis
 * goes on in the next ones. All text is copied into the arena. Returns RF_OK; RF_CONFIG: what is
 * wrong with which rule, and what was probably meant. */
RF_USE_RESULT enum rf_status rf_rules_read(struct rf_list list, struct rf_arena *arena,
                                           struct rf_rules *out, struct rf_error *err);

/* A table's names, in lower case. */
struct rf_rule_table {
    struct rf_str database, table;
};
bool rf_rule_names_table(const struct rf_rule *rule, const struct rf_rule_table *table);
/* `column` in lower case, of a table that the rule names. */
bool rf_rule_names_column(const struct rf_rule *rule, struct rf_str column);

#endif
