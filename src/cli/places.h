/* Where state lies: one file per pipeline in a directory.
 *
 * Used by `run`, `status` and `position`. */
#ifndef ROWFERRY_CLI_PLACES_H
#define ROWFERRY_CLI_PLACES_H

#include "checkpoint/checkpoint.h"

/* The path of that pipeline's state. directory: NULL for the usual one. Appends; creates nothing.
 * Returns RF_OK; RF_CONFIG: not a name, or there is no home directory. */
RF_USE_RESULT enum rf_status rf_place_of(const char *directory, const char *name,
                                         struct rf_buf *path, struct rf_error *err);

/* Reads the state of that pipeline, as rf_checkpoint_read does; says it in other words when there
 * is none. Returns RF_OK; RF_CONFIG; RF_FATAL. */
RF_USE_RESULT enum rf_status rf_place_read(const char *path, const char *name,
                                           struct rf_checkpoint_report *out, struct rf_error *err);

/* The names of the pipelines that have state there, sorted; a directory that is not there has none.
 * The caller frees each name and the array with free(). Returns RF_OK or RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_places_list(const char *directory, char ***names, uint32_t *count,
                                            struct rf_error *err);

#endif
