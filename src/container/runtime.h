/* What runs a container's server.
 *
 * `native` does it as a private process of this machine, `docker` and `podman` in a container of
 * that engine. A runtime knows nothing of databases beyond what a type says of itself.
 * Thread: one per home. */
#ifndef ROWFERRY_CONTAINER_RUNTIME_H
#define ROWFERRY_CONTAINER_RUNTIME_H

#include "container/type.h"

/* How it is. Zeroed is empty. */
struct rf_container_state {
    bool there;     /* in an engine: this home's container, whether it runs or not */
    bool elsewhere; /* in an engine: there is one, and it is another home's; look has failed */
    bool runs;
    int64_t pid;          /* 0: not known */
    bool out_of_memory;   /* in an engine, and it does not run: that is what it died of */
    int exit_code;        /* in an engine, of one that does not run */
    int64_t memory_bytes; /* that it takes, resident; 0: not known */
    struct rf_buf called; /* what runs there: "mariadb 10.11.19" */
};

/* Who is told what is being done, in a few words, on the thread that does it. */
struct rf_container_progress {
    void (*say)(void *argument, const char *what); /* NULL: nobody */
    void *argument;
};
void rf_container_say(const struct rf_container_progress *progress, const char *format, ...)
    RF_PRINTF(2, 3);

struct rf_container_runtime {
    const char *name; /* as typed: "native" */
    /* Whether it is there to be used. NULL: always. why (may be NULL): what it says where it is
     * there and cannot be used; untouched where there is none. */
    bool (*answers)(const struct rf_container_runtime *runtime, struct rf_error *why);
    /* Gets the image from where it is kept, unless it is there already. NULL: nothing is fetched
     * before the start. Returns RF_OK or RF_CONFIG. */
    enum rf_status (*fetch)(const struct rf_container_runtime *runtime, const char *image,
                            const struct rf_container_progress *progress, struct rf_error *err);
    /* Starts the server that is made or stopped, with the home's settings; returns when it runs.
     * called and details are appended to: what runs there, and, for people, what was said when it
     * failed. Returns RF_OK or RF_CONFIG. */
    enum rf_status (*start)(const struct rf_container_runtime *runtime,
                            const struct rf_container_type *type, const struct rf_home *home,
                            const struct rf_container_progress *progress, struct rf_buf *called,
                            struct rf_buf *details, struct rf_error *err);
    /* Stops it for good, as its data are to go, and removes what is kept of it outside of its home;
     * one that does not run, or is not there, is fine. Returns RF_OK or RF_CONFIG. */
    enum rf_status (*stop)(const struct rf_container_runtime *runtime,
                           const struct rf_container_type *type, const struct rf_home *home,
                           struct rf_error *err);
    /* Fills the empty state, which the caller gives back in any case. Returns RF_OK or
     * RF_CONFIG. */
    enum rf_status (*look)(const struct rf_container_runtime *runtime,
                           const struct rf_container_type *type, const struct rf_home *home,
                           struct rf_container_state *state, struct rf_error *err);
    /* The last so many lines of what the server has logged. Appends. Returns RF_OK or RF_CONFIG. */
    enum rf_status (*logs)(const struct rf_container_runtime *runtime,
                           const struct rf_container_type *type, const struct rf_home *home,
                           uint32_t lines, struct rf_buf *out, struct rf_error *err);
    /* What runs there, for people, from what start and look called it. Appends. */
    void (*describe)(const struct rf_container_type *type, const struct rf_home *home,
                     struct rf_str called, struct rf_buf *out);
};

extern const struct rf_container_runtime rf_container_native;
extern const struct rf_container_runtime rf_container_docker;
extern const struct rf_container_runtime rf_container_podman;

/* The runtime of that name. Returns RF_OK; RF_CONFIG: there is none. */
RF_USE_RESULT enum rf_status rf_container_runtime_find(const char *name,
                                                       const struct rf_container_runtime **out,
                                                       struct rf_error *err);

/* The runtime for what is made anew: the one of that name; without a name (NULL or empty) the one
 * that $ROWFERRY_RUNTIME names, else docker or podman where one answers, else native. refused: gets
 * what the engines said that are there and could not be used, for people; appends. Returns as
 * rf_container_runtime_find. */
RF_USE_RESULT enum rf_status rf_container_runtime_choose(const char *name,
                                                         const struct rf_container_runtime **out,
                                                         struct rf_buf *refused,
                                                         struct rf_error *err);

/* All of them, ended by NULL. */
extern const struct rf_container_runtime *const rf_container_runtimes[];

void rf_container_state_deinit(struct rf_container_state *state);

#endif
