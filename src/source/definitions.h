/* Definitions of tables out of a file that a person gives, for logs that were written without
 * names.
 *
 * Used by the source `binlog`. The file says what the tables were like at some moment; which one,
 * nobody knows. So a definition is taken only when no statement in the log, from where it is needed
 * to the end of what is there, changes the table: then it does not matter. A log that comes through
 * a pipe, or grows, is looked at as it comes: behind such a statement the definition is void. */
#ifndef ROWFERRY_SOURCE_DEFINITIONS_H
#define ROWFERRY_SOURCE_DEFINITIONS_H

#include "source/changes.h"
#include "source/files.h"

/* Zeroed is valid and empty. Thread: the owner's. */
struct rf_definitions {
    struct rf_definer definer; /* for the assembly's tables; rf_definitions_read fills it */
    struct rf_schema schema;
    char *path;
    struct rf_files *files;   /* in which tables are met; the caller's */
    struct rf_log_file ahead; /* a second reader of them */
    uint32_t ahead_at;        /* in their index; counted from 1, 0: not begun */
    struct rf_changes changes;
};

/* Reads the file. Returns RF_OK; RF_CONFIG (what is wrong with it, by line). */
RF_USE_RESULT enum rf_status rf_definitions_read(struct rf_definitions *definitions,
                                                 const char *path, struct rf_files *files,
                                                 struct rf_error *err);
void rf_definitions_deinit(struct rf_definitions *definitions);

#endif
