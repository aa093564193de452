/* An engine of containers, spoken to by the API of the Docker Engine: Docker, and Podman, which has
 * the same one. Only the calls that are needed to run a server by name are here.
 *
 * The version of the API is negotiated at open: the engine's own, between RF_DOCKER_API_MIN and
 * RF_DOCKER_API_MAX. Every call may take as long as its time-out; rf_docker_pull as long as the
 * image keeps coming.
 *
 * Statuses, where a function does not say more: RF_OK; RF_RETRY: the engine is not there
 * (err->connect), or went away in the middle; RF_CONFIG: it refuses, with its own words in the
 * message and its code in err->code (404 not there, 409 in the way, 500 it failed).
 *
 * Thread: one per engine.
 *
 * Source: Docker Engine API, 1.41 to 1.47. */
#ifndef ROWFERRY_NET_DOCKER_H
#define ROWFERRY_NET_DOCKER_H

#include "net/http.h"

/* Minor numbers of version 1. */
enum { RF_DOCKER_API_MIN = 41, RF_DOCKER_API_MAX = 47 };

/* Zeroed is closed. */
struct rf_docker {
    struct rf_http http;
    int api;              /* the minor number that is spoken */
    bool podman;          /* else Docker, or what says no name */
    struct rf_buf called; /* terminated: "Docker 20.10.24" */
};

/* Connects and agrees on a version. address as for rf_http_open. Returns as above; RF_CONFIG also:
 * no right to its socket, an engine too old or too new, no engine at all. Close it in any case. */
RF_USE_RESULT enum rf_status rf_docker_open(struct rf_docker *docker, const char *address,
                                            struct rf_error *err);
/* Accepts closed ones. */
void rf_docker_close(struct rf_docker *docker);

/* Whether the engine has that image ("redis:7") itself. */
RF_USE_RESULT enum rf_status rf_docker_has_image(struct rf_docker *docker, const char *image,
                                                 bool *there, struct rf_error *err);

/* How far a pull is. */
struct rf_docker_pull {
    uint32_t layers; /* that are known of by now */
    uint32_t layers_done;
    int64_t bytes; /* downloaded, of those layers that say so */
    int64_t bytes_total;
};
/* Fetches an image. progress is told from time to time on this thread; NULL: nobody is. An engine
 * that fails says so inside an answer that began well: RF_CONFIG with its words. */
RF_USE_RESULT enum rf_status rf_docker_pull(struct rf_docker *docker, const char *image,
                                            void (*progress)(void *argument,
                                                             const struct rf_docker_pull *pull),
                                            void *argument, struct rf_error *err);

enum { RF_DOCKER_LABELS_MAX = 4 };

/* A name and a value, both terminated. */
struct rf_docker_pair {
    const char *name;
    const char *value;
};

/* A container to be made. */
struct rf_docker_spec {
    const char *name;
    const char *image;
    const char *const *command;     /* ended by NULL; NULL: the image's */
    const char *const *environment; /* "NAME=value", ended by NULL; NULL: none */
    struct rf_docker_pair labels[RF_DOCKER_LABELS_MAX]; /* ended by one without a name */
    uint16_t inside;      /* the port on which its server listens, on TCP */
    uint16_t outside;     /* where that is to be found: on 127.0.0.1 */
    int64_t memory_bytes; /* 0: no limit */
    int64_t files_open;   /* its limit of open files; 0: the engine's */
};
/* Makes a container that does not run yet. */
RF_USE_RESULT enum rf_status rf_docker_create(struct rf_docker *docker,
                                              const struct rf_docker_spec *spec,
                                              struct rf_error *err);

/* One file for a container. */
struct rf_docker_file {
    /* below the directory, without a slash at its beginning; with one at its end it is itself a
     * directory */
    const char *name;
    unsigned mode; /* 0644 */
    unsigned user; /* its owner and group, inside */
    struct rf_str text;
};
/* Puts files into a directory of the container, which is there already; whether it runs or not. */
RF_USE_RESULT enum rf_status rf_docker_put(struct rf_docker *docker, const char *container,
                                           const char *directory,
                                           const struct rf_docker_file *files, uint32_t count,
                                           struct rf_error *err);

/* One that runs already is fine. */
RF_USE_RESULT enum rf_status rf_docker_start(struct rf_docker *docker, const char *container,
                                             struct rf_error *err);
/* Removes it, running or not, with its unnamed volumes. One that is not there is fine. */
RF_USE_RESULT enum rf_status rf_docker_remove(struct rf_docker *docker, const char *container,
                                              struct rf_error *err);

/* What a container is and how it does. Zeroed is empty. */
struct rf_docker_look {
    bool there;
    bool runs;
    bool out_of_memory;  /* what it died of */
    int exit_code;       /* of one that does not run */
    int64_t pid;         /* on the engine's machine; 0: not known */
    struct rf_buf image; /* as it was named when the container was made; terminated */
    /* the values of the labels that were asked for, terminated; empty: it has no such one */
    struct rf_buf labels[RF_DOCKER_LABELS_MAX];
};
void rf_docker_look_deinit(struct rf_docker_look *look);
/* Fills the empty look, which the caller gives back in any case. labels: names, ended by NULL, at
 * most RF_DOCKER_LABELS_MAX. One that is not there: RF_OK. */
RF_USE_RESULT enum rf_status rf_docker_inspect(struct rf_docker *docker, const char *container,
                                               const char *const *labels,
                                               struct rf_docker_look *look, struct rf_error *err);
/* The memory that it uses, in bytes, without what is only cached; 0: the engine does not say. */
RF_USE_RESULT enum rf_status rf_docker_memory(struct rf_docker *docker, const char *container,
                                              int64_t *bytes, struct rf_error *err);
/* The last so many lines of what it wrote to its output and its errors. Appends. */
RF_USE_RESULT enum rf_status rf_docker_logs(struct rf_docker *docker, const char *container,
                                            uint32_t lines, struct rf_buf *out,
                                            struct rf_error *err);

#endif
