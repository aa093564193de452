/* A connection to a MongoDB server, replica set or mongos: log-in, commands, and what errors mean.
 *
 * Used by what writes to or reads from MongoDB. libmongoc does what it does well: the handshake,
 * SCRAM, finding the primary, messages. The sockets are ours (net/mongo_stream.h), so that each
 * wait can be interrupted and TLS is what it is for our other clients. libmongoc is set up with the
 * first connection of the process; what it logs goes to our log, as debug.
 *
 * One connection is one log-in: when it breaks, commands fail until it is closed and connected
 * again, so that nobody goes on in silence with a server that was restarted or is another one.
 * After any status but RF_OK or RF_REJECT: close it.
 *
 * Messages hold no row data: of what a server says, all from the first brace on is left out, as
 * there it repeats what it was given.
 *
 * Zeroed is valid and closed. One thread at a time, but for rf_mongo_interrupt. */
#ifndef ROWFERRY_NET_MONGO_H
#define ROWFERRY_NET_MONGO_H

#include "net/tls.h"

#include <bson/bson.h>

struct _mongoc_client_t;

/* Of maxWireVersion: what the server can do. */
enum {
    RF_MONGO_WIRE_3_6 = 6, /* the oldest that libmongoc talks to */
    RF_MONGO_WIRE_4_0 = 7, /* transactions on replica sets */
    RF_MONGO_WIRE_4_2 = 8, /* and on sharded clusters */
    RF_MONGO_WIRE_4_4 = 9, /* comments on every command */
    RF_MONGO_WIRE_5_0 = 13,
};

/* Where and as whom. Everything is borrowed for the call. */
struct rf_mongo_address {
    const char *host;
    uint16_t port;
    /* with replica_set: more members, "host:port", asked when the first one is away */
    const char *const *members;
    uint32_t member_count;
    const char *user;        /* NULL or empty: no log-in */
    const char *password;    /* of the user */
    const char *auth_source; /* database of the user; NULL or empty: admin */
    /* NULL or empty: that one server, and no other. Else all members of that set, of which the
     * primary is used */
    const char *replica_set;
    const char
        *name; /* told to the server, shown by currentOp, at most 128 bytes; NULL: rowferry */
    struct rf_tls_options tls; /* "auto" is decided for each member by its own address */
    bool any; /* also one that takes no writes, as it is not, or not yet, the primary of its set */
    int64_t connect_timeout_ms; /* of connecting and logging in; 0: 10 s */
    int64_t timeout_ms;         /* without a byte from the other side, after that; 0: 10 s */
};

struct rf_mongo {
    struct _mongoc_client_t *client; /* for what is not in this header; NULL: closed */
    char *where;                     /* "host:port", for messages */
    char *peer;                      /* "MongoDB at host:port" */
    int32_t max_wire;                /* its maxWireVersion */
    int32_t document_bytes;          /* that a document may have */
    bool sessions;                   /* logical sessions: a replica set or a sharded cluster */
    bool mongos;                     /* the router of a sharded cluster */
    char *set_name;                  /* of its replica set; empty: none */
    char *version;                   /* "5.0.0"; empty: it did not say */
    int64_t timeout_ms;

    /* While it connects, and of the streams. */
    const struct rf_tls_options *tls; /* borrowed from the address; NULL: no more connecting */
    const char *wanted_set;           /* borrowed; NULL: any */
    bool heard_set;                   /* a member of it was heard */
    bool any;                         /* as the address has it */
    bool other_set;                   /* `broken` says that a member is of another one */
    int64_t deadline_ms;              /* of connecting, on the monotonic clock */
    int64_t member_ms;                /* of it, for one member */
    struct rf_error broken;           /* what happened to the last stream that broke */
    atomic_bool interrupted;          /* the last member: all before it is what close gives back */
};

/* Connects, by TLS where that is wanted, logs in, and proves it by a command. With `hello` or, for
 * servers that do not know it, isMaster. Returns RF_OK; RF_RETRY (not reachable, with err->connect;
 * interrupted; no primary); RF_CONFIG (refused, with err->access for user and password; not a
 * MongoDB server; too old; not of that replica set; TLS not as wanted). */
RF_USE_RESULT enum rf_status rf_mongo_connect(struct rf_mongo *mongo,
                                              const struct rf_mongo_address *address,
                                              struct rf_error *err);
/* Accepts closed ones. An interrupt stays in force. */
void rf_mongo_close(struct rf_mongo *mongo);
/* Makes the call under way, and each later one, return soon with RF_RETRY. Not while, nor after,
 * the memory of mongo goes away. Thread: any. */
void rf_mongo_interrupt(struct rf_mongo *mongo);

/* Carries out one command on the primary, or on the one server that was asked for, and waits for
 * its answer. `reply` is always initialised here and the caller's to destroy, also after an error.
 * The command may be larger than a document, by 16 KiB.
 * Returns RF_OK: the server said ok, and no writeConcernError; `writeErrors` in the reply are the
 * caller's to look for. Else as rf_mongo_fail. */
RF_USE_RESULT enum rf_status rf_mongo_run(struct rf_mongo *mongo, const char *database,
                                          const bson_t *command, bson_t *reply,
                                          struct rf_error *err);

/* Fills err from what libmongoc says of a call that failed, and from the server's reply (NULL:
 * none): its code (0: it is not the server that says so), its codeName, its errorLabels. `what` is
 * what was tried, to what, as in "writing to shop.orders". Returns
 *     RF_RETRY   the connection broke or was interrupted; no primary; labelled as to be tried
 *                again; a write concern not fulfilled: it is not durable; the disk is full; all
 *                that is not known to be anything else
 *     RF_CONFIG  not permitted or not logged in, with err->access; a command, a database or a
 *                concern that the server does not know; not a MongoDB server
 *     RF_REJECT  it is about what was to be written: too large, a duplicate key, not valid there */
enum rf_status rf_mongo_fail(const struct rf_mongo *mongo, const bson_error_t *error,
                             const bson_t *reply, const char *what, struct rf_error *err);
/* The same for one element of a reply's writeErrors, or its writeConcernError. */
enum rf_status rf_mongo_refused(const struct rf_mongo *mongo, const bson_t *refusal,
                                const char *what, struct rf_error *err);
/* True when a refusal with that code is known to pass by itself; one that nobody knows is not. */
bool rf_mongo_passes(int code);

#endif
