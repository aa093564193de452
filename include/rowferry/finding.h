/* Findings: what a plugin finds out about its other side before anything runs, one line each.
 *
 * Made by sources and sinks (`examine`), shown by `rowferry doctor`; those that must be so are what
 * `open` insists on, from the same table. A finding says what was looked at, what was found, what
 * is needed, why, and how to mend it, as a statement to paste. */
#ifndef ROWFERRY_FINDING_H
#define ROWFERRY_FINDING_H

#include <rowferry/arena.h>

enum rf_verdict {
    RF_FINDING_FINE = 0,
    RF_FINDING_ADVICE,  /* it runs as it is; something is less safe than it could be */
    RF_FINDING_UNKNOWN, /* it could not be looked at */
    RF_FINDING_WRONG,   /* nothing runs until it is mended */
};
/* "ok", "advice", "unknown", "wrong". */
const char *rf_verdict_name(enum rf_verdict verdict);

/* Texts are terminated; NULL where there is nothing to say. No secrets. */
struct rf_finding {
    enum rf_verdict verdict;
    const char *what;   /* "binlog_format" */
    const char *found;  /* "STATEMENT"; NULL: there is no such thing */
    const char *needed; /* "ROW" */
    const char *why;    /* what happens otherwise */
    const char *fix;    /* what to do */
};

/* A table whose rows a source would hand over, by its names there. */
struct rf_finding_table {
    struct rf_str database, name;
};

/* A list that grows, in the order in which things were looked at. Zeroed is empty and valid.
 * Thread: the owner's. */
struct rf_findings {
    struct rf_finding *items;
    uint32_t count;
    uint32_t capacity;
    struct rf_finding_table *tables; /* of a source, as far as it tells: sinks look at them, too */
    uint32_t table_count;
    uint32_t table_capacity;
    struct rf_arena memory; /* of their texts */
};

/* Adds one; its texts are copied. */
void rf_finding_add(struct rf_findings *findings, struct rf_finding finding);
/* The same, with `found` made up from a format. */
void rf_finding_add_text(struct rf_findings *findings, struct rf_finding finding,
                         const char *format, ...) RF_PRINTF(3, 4);
/* Adds what a check has found wrong, as its error says it; nothing when err has no message. */
void rf_finding_add_error(struct rf_findings *findings, const char *what,
                          const struct rf_error *err);
/* Adds whether a connection is encrypted: `local`: it does not leave this machine. */
void rf_finding_add_encryption(struct rf_findings *findings, bool encrypted, bool verified,
                               bool local);
/* Adds a table; its names are copied. */
void rf_finding_add_table(struct rf_findings *findings, struct rf_str database, struct rf_str name);
/* The first that is wrong; NULL: none is. */
const struct rf_finding *rf_findings_first_wrong(const struct rf_findings *findings);
uint32_t rf_findings_count(const struct rf_findings *findings, enum rf_verdict verdict);
void rf_findings_deinit(struct rf_findings *findings);

#endif
