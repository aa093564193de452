#include "net/library.h"

#include <dlfcn.h>
#include <stdio.h>

bool rf_library_load(const char *file, const char *const *names, size_t count, void **addresses,
                     char *problem, size_t problem_size)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    bool found = library != NULL;

    for (size_t i = 0; i < count && found; i++) {
        addresses[i] = dlsym(library, names[i]);
        found = addresses[i] != NULL;
    }
    if (!found) {
        const char *why = dlerror();
        snprintf(problem, problem_size, "%s", why != NULL ? why : "it lacks a function");
    }
    return found;
}
