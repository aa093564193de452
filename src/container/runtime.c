#include "container/runtime.h"

#include "base/nearest.h"

#include <stdio.h>
#include <stdlib.h>

const struct rf_container_runtime *const rf_container_runtimes[] = {
    &rf_container_native, &rf_container_docker, &rf_container_podman, NULL};

enum { COUNT = sizeof rf_container_runtimes / sizeof *rf_container_runtimes - 1 };

enum rf_status rf_container_runtime_find(const char *name, const struct rf_container_runtime **out,
                                         struct rf_error *err)
{
    const char *names[COUNT];

    for (uint32_t i = 0; i < COUNT; i++) {
        names[i] = rf_container_runtimes[i]->name;
        if (strcmp(name, names[i]) == 0) {
            *out = rf_container_runtimes[i];
            return RF_OK;
        }
    }
    const char *meant = rf_nearest(name, names, COUNT);
    rf_fail(err, RF_CONFIG, "there is no runtime '%s'%s%s%s", name, meant ? "; did you mean '" : "",
            meant ? meant : "", meant ? "'?" : "");
    rf_error_hint(err, "there are 'native', 'docker' and 'podman'");
    return RF_CONFIG;
}

enum rf_status rf_container_runtime_choose(const char *name,
                                           const struct rf_container_runtime **out,
                                           struct rf_buf *refused, struct rf_error *err)
{
    const char *wanted = name != NULL && name[0] != '\0' ? name : getenv("ROWFERRY_RUNTIME");

    if (wanted != NULL && wanted[0] != '\0') {
        return rf_container_runtime_find(wanted, out, err);
    }
    *out = &rf_container_native;
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct rf_container_runtime *runtime = rf_container_runtimes[i];
        struct rf_error why = {0};
        if (runtime->answers == NULL) {
            continue;
        }
        if (runtime->answers(runtime, &why)) {
            *out = runtime;
            break;
        }
        if (why.message[0] != '\0') {
            rf_buf_printf(refused, "%s%s could not be used: %s", refused->size > 0 ? "; " : "",
                          runtime->name, why.message);
        }
    }
    return RF_OK;
}

void rf_container_say(const struct rf_container_progress *progress, const char *format, ...)
{
    char text[256];
    va_list args;

    if (progress->say != NULL) {
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        progress->say(progress->argument, text);
    }
}

void rf_container_state_deinit(struct rf_container_state *state)
{
    rf_buf_deinit(&state->called);
    *state = (struct rf_container_state){0};
}
