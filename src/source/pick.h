/* Which tables a source captures, from patterns that a person wrote.
 *
 * How a pattern looks and what several say together: event/pattern.h. Names are compared byte by
 * byte, as the server logged them; or both in lower case, as a server compares them whose
 * lower_case_table_names is not 0. */
#ifndef ROWFERRY_SOURCE_PICK_H
#define ROWFERRY_SOURCE_PICK_H

#include "event/pattern.h"

#include <rowferry/option.h>

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
/* A number that is the same for the same patterns in any order, compared in the same way, and with
 * near certainty another one for others. It is written into positions: how it is made, stays. */
uint64_t rf_pick_fingerprint(const struct rf_pick *pick);
/* True when some table of that database may be picked. */
bool rf_pick_database(const struct rf_pick *pick, struct rf_str database);

#endif
