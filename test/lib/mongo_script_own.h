/* What the parts of the scripted server share: the set, its members, their connections. Included by
 * mongo_script*.c alone. */
#ifndef ROWFERRY_TEST_MONGO_SCRIPT_OWN_H
#define ROWFERRY_TEST_MONGO_SCRIPT_OWN_H

#include "lib/mongo_script.h"
#include "lib/mongo_script_login.h"
#include "lib/mongo_script_store.h"
#include "lib/mongo_script_wire.h"

#include <openssl/ssl.h>
#include <pthread.h>

enum { RF_MONGO_SCRIPT_MEMBERS_MAX = 7, RF_MONGO_SCRIPT_URI_SIZE = 512 };

/* What the members of a set have in common; one server by itself has one, too. */
struct rf_mongo_script_set {
    pthread_mutex_t lock; /* of this and of all members, their connections' bytes apart */
    pthread_cond_t changed;
    struct rf_mongo_script_store *store;
    const char *name; /* NULL: no set */
    const char *user, *password;
    bool userless; /* nobody has made that user yet */
    struct rf_mongo_script *members[RF_MONGO_SCRIPT_MEMBERS_MAX];
    uint32_t member_count;
    struct rf_mongo_script *primary;
    int32_t election;
    struct retried *retried; /* answers to writes that may come again */
};

struct rf_mongo_script {
    struct rf_mongo_script_options options;
    struct rf_mongo_script_set *set;
    uint16_t port;
    char uri[RF_MONGO_SCRIPT_URI_SIZE];
    SSL_CTX *tls;

    int listener;
    pthread_t acceptor;
    bool running;
    struct peer *peers;
    uint32_t connection_count;

    bool stopping, frozen;
    uint32_t held, releases;
    struct stream *streams;
    struct rule *rules; /* the oldest first */
    uint32_t applied;
    struct seen *seen; /* in their order */
    uint32_t seen_count, seen_capacity;
    char complaint[256];
};

/* A client's connection, as far as commands see it. */
struct rf_mongo_script_client {
    struct rf_mongo_script *script;
    struct rf_mongo_script_login login;
    int32_t id;
};

/* What becomes of a connection after a command. */
enum rf_mongo_script_outcome {
    RF_MONGO_SCRIPT_GOES_ON,
    RF_MONGO_SCRIPT_ENDS,   /* after the bytes, if there are any */
    RF_MONGO_SCRIPT_RESETS, /* the same, and as one that knows nothing of the connection */
};

/* Takes a command and appends the bytes of its answer, true or not, to `out`; may wait. */
enum rf_mongo_script_outcome rf_mongo_script_take(struct rf_mongo_script_client *client,
                                                  const struct rf_mongo_script_request *request,
                                                  struct rf_buf *out);
/* Carries a command out. With the lock. */
void rf_mongo_script_execute(struct rf_mongo_script_client *client, const bson_t *command,
                             const bson_t *failing, bson_t *reply);
/* What the others keep, at the end. */
void rf_mongo_script_retried_destroy(struct retried *retried);
void rf_mongo_script_records_destroy(struct rf_mongo_script *script);

/* Opens the port and takes connections in a thread; closes all. Without the lock. */
void rf_mongo_script_listen(struct rf_mongo_script *script);
void rf_mongo_script_hang_up(struct rf_mongo_script *script);

#endif
