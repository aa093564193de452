/* A real Cassandra node of a test's own, started by tools/servers on a free port of 127.0.0.1.
 *
 * It ends with the test, also when that is killed. Aborts when one cannot be had: a test that needs
 * it must not pass without. A start takes seconds: one node for a test program. */
#ifndef ROWFERRY_TEST_CASSANDRA_SERVER_H
#define ROWFERRY_TEST_CASSANDRA_SERVER_H

#include "lib/server.h"
#include "net/cql_cluster.h"

/* Zeroed: never started. */
struct rf_test_cassandra {
    union { /* its directory and port, by themselves too */
        struct rf_test_server server;
        struct {
            char dir[256];
            char port[8];
        };
    };
    const char *user, *password;  /* of the client; NULL: it does not log in */
    struct rf_cql_cluster client; /* of the test, to look into it */
};

/* Starts one with more options, as tools/servers takes them; NULL: none. Ends with a NULL. */
void rf_test_cassandra_start(struct rf_test_cassandra *server, const char *const *options);
/* kill -9, as an orderly stop takes it five seconds; and again, with the data and options that it
 * had. */
void rf_test_cassandra_kill(struct rf_test_cassandra *server);
void rf_test_cassandra_again(struct rf_test_cassandra *server);
/* Kills it and removes its directory. Accepts one that was never started. */
void rf_test_cassandra_destroy(struct rf_test_cassandra *server);

/* One statement, whatever it answers: a line of values, separated by spaces, for each row, or the
 * error's words behind "error: ". Connects when it is not connected. The text is the caller's to
 * free. */
char *rf_test_cassandra_ask(struct rf_test_cassandra *server, const char *statement);

/* All rows of all tables of a keyspace, but of rowferry's own, in a fixed order: "table
 * column=value ..." without nulls, and a newline for each. Appends. */
void rf_test_cassandra_dump(struct rf_test_cassandra *server, const char *keyspace,
                            struct rf_buf *out);
/* Removes all rows of all its tables, rowferry's own as well; much quicker than dropping it. */
void rf_test_cassandra_empty(struct rf_test_cassandra *server, const char *keyspace);
/* Drops the keyspace, if there is one of that name. */
void rf_test_cassandra_drop(struct rf_test_cassandra *server, const char *keyspace);

#endif
