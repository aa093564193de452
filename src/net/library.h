/* A shared library that is loaded when it is first needed, and not before `main`.
 *
 * Used by what wraps a library that is slow to set up or rarely used. Thread: any. */
#ifndef ROWFERRY_NET_LIBRARY_H
#define ROWFERRY_NET_LIBRARY_H

#include <rowferry/error.h>
#include <stddef.h>

/* Loads `file` and finds the functions of those names; addresses has `count` places. problem, of
 * problem_size bytes, says why it failed. The library stays loaded. */
bool rf_library_load(const char *file, const char *const *names, size_t count, void **addresses,
                     char *problem, size_t problem_size);

#endif
