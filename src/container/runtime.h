/* What runs a container's server.
 *
 * `native` does it as a private process of this machine. Engines of containers are known by name
 * only in this version. A runtime knows nothing of databases beyond what a type says of itself.
 * Thread: one per home. */
#ifndef ROWFERRY_CONTAINER_RUNTIME_H
#define ROWFERRY_CONTAINER_RUNTIME_H

#include "container/type.h"

/* How it is. Zeroed is empty. */
struct rf_container_state {
    bool runs;
    int64_t pid;          /* 0: not known */
    int64_t memory_bytes; /* that it takes, resident; 0: not known */
    struct rf_buf called; /* what runs there: "mariadb 10.11.19" */
};

struct rf_container_runtime {
    const char *name; /* as typed: "native" */
    /* Starts the server that is made or stopped, with the home's settings; returns when it has
     * answered in its own words, or soon after. called and details are appended to: what runs
     * there, and, for people, what was said when it failed. Returns RF_OK or RF_CONFIG. */
    enum rf_status (*start)(const struct rf_container_type *type, const struct rf_home *home,
                            struct rf_buf *called, struct rf_buf *details, struct rf_error *err);
    /* Stops it in order; one that does not run is fine. Returns RF_OK or RF_CONFIG. */
    enum rf_status (*stop)(const struct rf_container_type *type, const struct rf_home *home,
                           struct rf_error *err);
    /* Fills the empty state, which the caller gives back in any case. Returns RF_OK or
     * RF_CONFIG. */
    enum rf_status (*look)(const struct rf_container_type *type, const struct rf_home *home,
                           struct rf_container_state *state, struct rf_error *err);
    /* The last so many lines of what the server has logged. Appends. Returns RF_OK or RF_CONFIG. */
    enum rf_status (*logs)(const struct rf_container_type *type, const struct rf_home *home,
                           uint32_t lines, struct rf_buf *out, struct rf_error *err);
};

extern const struct rf_container_runtime rf_container_native;

/* The runtime of that name. Returns RF_OK; RF_CONFIG: there is none, or not in this version. */
RF_USE_RESULT enum rf_status rf_container_runtime_find(const char *name,
                                                       const struct rf_container_runtime **out,
                                                       struct rf_error *err);

void rf_container_state_deinit(struct rf_container_state *state);

#endif
