/* The commands of the container programs: create, delete, -init, status, logs.
 *
 * The same for all of them: my_sql_container and its kin have one container each, `container` and
 * `rowferry container` have all. */
#ifndef ROWFERRY_PROGRAMS_CONTAINERS_H
#define ROWFERRY_PROGRAMS_CONTAINERS_H

/* The main of a container program. container: the name of the one it is for, as in
 * container/containers.def; NULL: all. Returns the exit code. */
int rf_containers_main(const char *program, const char *container, int count,
                       char *const *arguments);

#endif
