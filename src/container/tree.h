/* Directories with all that is in them. */
#ifndef ROWFERRY_CONTAINER_TREE_H
#define ROWFERRY_CONTAINER_TREE_H

#include <rowferry/error.h>

/* Removes everything in the open directory but the entry `kept` (NULL: nothing is). Never follows
 * a link and never leaves the directory, even when somebody changes it meanwhile: servers, which
 * run as another user, own parts of it. path is for messages. Returns RF_OK or RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_tree_empty(int directory, const char *path, const char *kept,
                                           struct rf_error *err);

#endif
