/* What a container is made of: one constant per database, in a file of its own.
 *
 * A container is a server that has a name and a port, so that people and programs find it. A
 * database's file says how it is called, what it is started with, how it proves that it answers,
 * and what is prepared in it; what is the same for all of them (directories, passwords, ports,
 * starting, deleting) is done by container/container.h and by the runtime. `containers.def` lists
 * the files.
 *
 * The functions may block for some seconds, and run on the thread that works on the container.
 * Their err is never NULL. */
#ifndef ROWFERRY_CONTAINER_TYPE_H
#define ROWFERRY_CONTAINER_TYPE_H

#include "base/process.h"
#include "container/home.h"
#include "container/pack.h"

enum { RF_CONTAINER_USERS_MAX = 4, RF_CONTAINER_SERVERS_MAX = 2, RF_CONTAINER_FLAGS_MAX = 2 };

/* A server that it can be natively. */
struct rf_container_server {
    const char *name; /* as --server and tools/servers call it: "mariadb" */
    const char *flags[RF_CONTAINER_FLAGS_MAX + 1]; /* of its start, "--durable"; ended by NULL */
};

struct rf_container_type {
    const char *name;   /* as typed: "mysql" */
    const char *title;  /* "MySQL" */
    const char *server; /* the container's own name: "final_mysql_container" */
    uint16_t port;
    /* Its users, each with a password of its own in the container's home; ended by NULL. */
    const char *users[RF_CONTAINER_USERS_MAX + 1];

    /* ---- native: a process of tools/servers ---- */
    /* At least one; ended by one without a name. */
    struct rf_container_server servers[RF_CONTAINER_SERVERS_MAX + 1];
    /* The name of the one that it is where nobody asks for another. NULL: the first. */
    const char *(*choose)(void);
    /* Adds the server's options, and writes into the home what the server is to read; memory_bytes
     * 0: as it likes. Returns RF_OK or RF_CONFIG. */
    enum rf_status (*equip)(const struct rf_home *home, int64_t memory_bytes,
                            struct rf_words *options, struct rf_error *err);
    /* What runs there, from what tools/servers calls it ("mariadb 10.11.19"): "this machine's
     * MariaDB 10.11.19", and what people have to know of it. Appends. */
    void (*describe)(const struct rf_home *home, struct rf_str called, struct rf_buf *out);

    /* Whether its server knows users; NULL: it does. */
    bool (*has_users)(const struct rf_home *home);
    /* Whether its data know its port, so that it starts on no other; NULL: they do not. */
    bool (*keeps_port)(const struct rf_home *home);

    /* ---- in an engine of containers ---- */
    const char *image; /* where nobody asks for another one: "redis:7" */
    uint16_t inside;   /* the port that its server listens on in there; 0: the same as outside */
    /* Fills the empty pack. Returns RF_OK or RF_CONFIG. */
    enum rf_status (*pack)(const struct rf_home *home, struct rf_pack *pack, struct rf_error *err);

    /* ---- whatever runs it ---- */
    /* Logs in and asks something that only this server can answer. Returns RF_OK; RF_RETRY: not
     * yet; RF_CONFIG: somebody else answers there, or it lets us in no more. */
    enum rf_status (*answers)(const struct rf_home *home, uint16_t port, struct rf_error *err);
    /* Makes databases, tables and users where they are missing. It answers. Returns as answers;
     * after RF_RETRY it is asked again. */
    enum rf_status (*prepare)(const struct rf_home *home, uint16_t port, struct rf_error *err);
};

/* All of them, in the order of containers.def, ended by NULL. */
extern const struct rf_container_type *const rf_container_types[];
/* Its server of that name; NULL: there is none. */
const struct rf_container_server *rf_container_server_find(const struct rf_container_type *type,
                                                           const char *name);
/* The one that a home of this type has, or will have. */
const struct rf_container_server *rf_container_server_of(const struct rf_container_type *type,
                                                         const struct rf_home *home);
/* By its name or the name of its server; NULL: there is none. */
const struct rf_container_type *rf_container_type_find(const char *name);

#endif
