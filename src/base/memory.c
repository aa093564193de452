#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

static void *need(void *memory, size_t size)
{
    if (memory == NULL) {
        fprintf(stderr, "rowferry: out of memory while asking for %zu bytes\n", size);
        abort();
    }
    return memory;
}

void *rf_alloc(size_t size)
{
    return need(malloc(size ? size : 1), size);
}

void *rf_alloc_zero(size_t count, size_t size)
{
    return need(calloc(count ? count : 1, size ? size : 1), count * size);
}

void *rf_realloc(void *memory, size_t size)
{
    return need(realloc(memory, size ? size : 1), size);
}
