/* A real server of the MongoDB protocol of a test's own, started by tools/servers on a free port of
 * 127.0.0.1: mongod where the machine has one, else mongo-java-server.
 *
 * It ends with the test, also when that is killed. Aborts when a server cannot be had: a test that
 * needs one must not pass without.
 *
 * With ROWFERRY_TEST_MONGODB_URI in the environment all tests use that deployment instead, one test
 * program after the other. It must hold no databases but its own (admin, local, config): what a
 * test makes is dropped at its end, and nobody's data must be taken for a test's. It cannot be
 * stopped or killed. */
#ifndef ROWFERRY_TEST_MONGO_SERVER_H
#define ROWFERRY_TEST_MONGO_SERVER_H

#include "lib/plugin.h"
#include "lib/server.h"

#include <rowferry/str.h>

struct _mongoc_client_t;
struct _mongoc_uri_t;

/* Zeroed: never started. */
struct rf_test_mongo {
    union { /* its directory and port, by themselves too */
        struct rf_test_server server;
        struct {
            char dir[256];
            char port[8];
        };
    };
    bool external;                   /* the deployment of the environment; dir and port are empty */
    bool keeps;                      /* its data outlast a kill */
    char uri[512];                   /* where it is */
    char first_port[8];              /* of its first member, for the settings */
    struct _mongoc_client_t *client; /* of the test, to look into it */
    struct _mongoc_uri_t *parts;     /* of uri, once somebody asked for the settings */
    int lock;                        /* on the deployment */
};

/* Starts one with more server options, words separated by spaces; NULL: none. With options it is
 * mongo-java-server always, as nobody else knows them. One at a time where it is external. */
void rf_test_mongo_start(struct rf_test_mongo *server, const char *options);
/* The one of the environment, for tests of what the server for tests cannot do. Aborts without. */
void rf_test_mongo_start_lent(struct rf_test_mongo *server);
/* In an orderly way, or not; and again with the options that it had, and with the data that it
 * keeps. */
void rf_test_mongo_stop(struct rf_test_mongo *server);
void rf_test_mongo_kill(struct rf_test_mongo *server);
void rf_test_mongo_again(struct rf_test_mongo *server);
/* Kills it and removes its directory. Accepts one that was never started. */
void rf_test_mongo_destroy(struct rf_test_mongo *server);

/* What the sink mongodb is told to reach it: host, port, user and so on. At most `room` settings,
 * the last without a name; their texts live as long as the server. Returns their number, without
 * that one. */
uint32_t rf_test_mongo_settings(struct rf_test_mongo *server, struct rf_test_setting *out,
                                uint32_t room);

/* Drops all databases but the server's own. */
void rf_test_mongo_wipe(struct rf_test_mongo *server);

/* One command as JSON, and the server's whole reply, also when it refuses, as canonical extended
 * JSON. Connects when it is not connected. The text is the caller's to free. */
char *rf_test_mongo_ask(struct rf_test_mongo *server, const char *database, const char *command);

/* All documents in a fixed order: "database.collection document" and a newline for each, documents
 * as canonical extended JSON, so that types show. The databases of rowferry itself and of the
 * server are left out. Appends. */
void rf_test_mongo_dump(struct rf_test_mongo *server, struct rf_buf *out);

#endif
