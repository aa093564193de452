/* Control-plane memory: allocations that cannot fail. They abort with a message when the system has
 * none left; what the data path holds is bounded by the pool instead. Any thread. */
#ifndef ROWFERRY_BASE_MEMORY_H
#define ROWFERRY_BASE_MEMORY_H

#include <stddef.h>

/* The caller owns the memory and frees it with free(). */
void *rf_alloc(size_t size) __attribute__((malloc, returns_nonnull));
/* Zeroed. */
void *rf_alloc_zero(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *rf_realloc(void *memory, size_t size) __attribute__((returns_nonnull));

#endif
