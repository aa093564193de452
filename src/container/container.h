/* Containers: servers by name and port, made, started, looked at and removed.
 *
 * Used by the container programs and by those that look for a server. All that is particular to a
 * database is in its type, all that is particular to how it runs in its runtime.
 *
 * Each call works on one container and may take some seconds, or minutes where packages have to be
 * installed. Calls for different containers may run at once, each on its own thread. */
#ifndef ROWFERRY_CONTAINER_CONTAINER_H
#define ROWFERRY_CONTAINER_CONTAINER_H

#include "container/runtime.h"

/* What a person asked for; zeroed: nothing in particular. */
struct rf_container_wishes {
    const char *runtime;  /* NULL or empty: as before, else as rf_container_runtime_choose does */
    uint16_t port;        /* 0: as before, else the type's */
    int64_t memory_bytes; /* 0: as before, else as the server likes */
    const char *server;   /* NULL or empty: as before, else as the type chooses; native only */
    const char *image;    /* NULL or empty: as before, else the type's; engines only */
};

/* One piece of work. type, wishes, progress and argument are set; the rest is filled. Give it to
 * rf_container_work_deinit afterwards. */
struct rf_container_work {
    const struct rf_container_type *type;
    struct rf_container_wishes wishes;
    struct rf_container_progress progress; /* told on the working thread */
    /* filled */
    bool changed;          /* false: there was nothing to do */
    uint16_t port;         /* on which it answers */
    struct rf_buf which;   /* "this machine's MariaDB 10.11.19" */
    struct rf_buf details; /* what else there is to show when it failed: the end of a log */
    struct rf_buf refused; /* why it is in no engine although one is there; inner */
};
void rf_container_work_deinit(struct rf_container_work *work);

/* Makes the container where there is none, starts it where it does not run, waits until it answers,
 * and makes the databases, tables and users that are missing. One that runs and is complete is left
 * as it is; natively, one that was stopped takes another port and memory. Returns RF_OK; RF_CONFIG:
 * somebody else has its name or port, it runs, or was made in an engine, with other settings than
 * these, it did not start, ...; RF_RETRY: it runs but does not answer in time. */
RF_USE_RESULT enum rf_status rf_container_create(struct rf_container_work *work,
                                                 struct rf_error *err);
/* Stops it and removes it with its data. None there is fine. Returns RF_OK; RF_CONFIG, also while
 * somebody has a hold on the containers (container/hold.h). */
RF_USE_RESULT enum rf_status rf_container_delete(struct rf_container_work *work,
                                                 struct rf_error *err);
/* Both in turn, on the port that it had unless another is wished. What can be known before (an
 * engine that does not answer, an image that cannot be had, a port that is taken) fails before
 * anything is deleted. Returns as they do. */
RF_USE_RESULT enum rf_status rf_container_init(struct rf_container_work *work,
                                               struct rf_error *err);

/* How it is. */
struct rf_container_look {
    bool there;   /* it was made */
    bool answers; /* in its protocol, to whom knows the password */
    struct rf_home home;
    struct rf_container_state state;
    struct rf_buf which; /* as above; empty when it does not run */
};
/* Fills the zeroed look, which the caller gives back in any case. Returns RF_OK or RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_container_look(const struct rf_container_type *type,
                                               struct rf_container_look *look,
                                               struct rf_error *err);
void rf_container_look_deinit(struct rf_container_look *look);

/* The last lines of its log. Appends. Returns RF_OK; RF_CONFIG: there is none. */
RF_USE_RESULT enum rf_status rf_container_logs(const struct rf_container_type *type, uint32_t lines,
                                               struct rf_buf *out, struct rf_error *err);

#endif
