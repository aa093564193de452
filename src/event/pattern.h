/* Patterns for tables, as a person writes them.
 *
 * A pattern is "database.table", "database" for all of its tables, with * for any run of characters
 * and ? for one; one that begins with - leaves tables out. A table is picked when some pattern has
 * it, or there are none but leaving-out ones, and no leaving-out one has it. Names are compared
 * byte by byte. Used by the sources' filter and by the transform `tables`. Thread: any, nothing is
 * shared. */
#ifndef ROWFERRY_EVENT_PATTERN_H
#define ROWFERRY_EVENT_PATTERN_H

#include <rowferry/arena.h>

struct rf_pattern {
    struct rf_str full;     /* for "database.table" */
    struct rf_str database; /* the part for the database alone: the beginning of full */
    bool leaves_out;
};

/* Reads one; its text is copied into the arena. Returns RF_OK; RF_CONFIG (it can match nothing). */
RF_USE_RESULT enum rf_status rf_pattern_read(struct rf_str text, struct rf_arena *arena,
                                             struct rf_pattern *out, struct rf_error *err);
/* The same one in lower case, as rf_name_fold makes it, in new text from the arena. */
struct rf_pattern rf_pattern_fold(struct rf_pattern pattern, struct rf_arena *arena);

/* What the patterns together say. full_name is "database.table". */
bool rf_pattern_picks_table(const struct rf_pattern *patterns, uint32_t count,
                            struct rf_str full_name);
/* True when some table of that database may be picked. */
bool rf_pattern_picks_database(const struct rf_pattern *patterns, uint32_t count,
                               struct rf_str database);

#endif
