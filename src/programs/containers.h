/* The commands of the container programs: create, delete, -init, status, logs.
 *
 * The same for all of them: my_sql_container and its kin have one container each, `container` and
 * `rowferry container` have all. */
#ifndef ROWFERRY_PROGRAMS_CONTAINERS_H
#define ROWFERRY_PROGRAMS_CONTAINERS_H

#include "config/completion.h"

/* The main of a container program. container: the name of the one it is for, as in
 * container/containers.def; NULL: all. Returns the exit code. */
int rf_containers_main(const char *program, const char *container, int count,
                       char *const *arguments);

/* The commands as shells complete them, behind the path "container"; see rf_verbs_complete. words:
 * empty, holds the containers' names, and outlives completed. */
uint32_t rf_containers_complete(struct rf_buf *words, struct rf_buf *paths,
                                struct rf_completed *completed);

#endif
