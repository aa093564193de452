/* Which tables a source captures, from patterns that a person wrote.
 *
 * A pattern is "database.table", "database" for all of its tables, with * for any run of characters
 * and ? for one; one that begins with - leaves tables out. A table is picked when some pattern has
 * it, or there are none but leaving-out ones, and no leaving-out one has it. Names are compared
 * byte by byte, as the server logged them; or both in lower case, as a server compares them whose
 * lower_case_table_names is not 0. */
#ifndef ROWFERRY_SOURCE_PICK_H
#define ROWFERRY_SOURCE_PICK_H

#include <rowferry/arena.h>
#include <rowferry/option.h>

struct rf_pattern {
    struct rf_str full;     /* for "database.table" */
    struct rf_str database; /* the part for the database alone */
    bool leaves_out;
};

/* Zeroed is valid and picks everything. Thread: any, as long as nobody adds. */
struct rf_pick {
    struct rf_pattern *patterns;
    uint32_t count;
    uint32_t capacity;
    bool has_positive;
    bool folds; /* names are compared in lower case */
    struct rf_arena memory;
};

/* Adds one pattern; the text is copied. Returns RF_OK; RF_CONFIG (it can match nothing). */
RF_USE_RESULT enum rf_status rf_pick_add(struct rf_pick *pick, struct rf_str pattern,
                                         struct rf_error *err);
/* From now on names are compared in lower case. */
void rf_pick_fold(struct rf_pick *pick);
void rf_pick_deinit(struct rf_pick *pick);

/* full_name is "database.table". */
bool rf_pick_table(const struct rf_pick *pick, struct rf_str full_name);
/* True when some table of that database may be picked. */
bool rf_pick_database(const struct rf_pick *pick, struct rf_str database);

#endif
