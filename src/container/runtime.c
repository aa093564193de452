#include "container/runtime.h"

#include "base/nearest.h"

static const char *const to_come[] = {"docker", "podman"};

enum { TO_COME = sizeof to_come / sizeof *to_come };

enum rf_status rf_container_runtime_find(const char *name, const struct rf_container_runtime **out,
                                         struct rf_error *err)
{
    const char *const names[] = {"native", "docker", "podman"};

    if (strcmp(name, rf_container_native.name) == 0) {
        *out = &rf_container_native;
        return RF_OK;
    }
    for (uint32_t i = 0; i < TO_COME; i++) {
        if (strcmp(name, to_come[i]) == 0) {
            rf_fail(err, RF_CONFIG, "the runtime '%s' is not in this version", name);
            rf_error_hint(err, "--runtime native runs servers as private processes of this "
                               "machine, without any engine");
            return RF_CONFIG;
        }
    }
    const char *meant = rf_nearest(name, names, sizeof names / sizeof *names);
    rf_fail(err, RF_CONFIG, "there is no runtime '%s'%s%s%s", name, meant ? "; did you mean '" : "",
            meant ? meant : "", meant ? "'?" : "");
    rf_error_hint(err, "there is 'native'");
    return RF_CONFIG;
}

void rf_container_state_deinit(struct rf_container_state *state)
{
    rf_buf_deinit(&state->called);
    *state = (struct rf_container_state){0};
}
