/* A real Redis server of a test's own, started by tools/servers on a free port of 127.0.0.1.
 *
 * It ends with the test, also when that is killed. Aborts when a server cannot be had: a test that
 * needs one must not pass without. */
#ifndef ROWFERRY_TEST_REDIS_SERVER_H
#define ROWFERRY_TEST_REDIS_SERVER_H

#include "lib/server.h"
#include "net/redis.h"

/* Zeroed: never started. */
struct rf_test_redis {
    union { /* its directory and port, by themselves too */
        struct rf_test_server server;
        struct {
            char dir[256];
            char port[8];
        };
    };
    struct rf_redis client; /* of the test, to look into it */
};

/* Starts one with more server options, words separated by spaces; NULL: none. */
void rf_test_redis_start(struct rf_test_redis *server, const char *options);
/* In an orderly way, with its data saved; and again with the data and options that it had. */
void rf_test_redis_stop(struct rf_test_redis *server);
void rf_test_redis_kill(struct rf_test_redis *server);
void rf_test_redis_again(struct rf_test_redis *server);
/* Kills it and removes its directory. */
void rf_test_redis_destroy(struct rf_test_redis *server);

/* One command, words separated by spaces, and its reply as text: a list has its items separated by
 * spaces. Connects when it is not connected. The text is the caller's to free. */
char *rf_test_redis_ask(struct rf_test_redis *server, const char *command);

/* Everything in the database in a fixed order: "key type content" and a newline for each key. The
 * keys that belong to rowferry itself are left out. Appends. */
void rf_test_redis_dump(struct rf_test_redis *server, struct rf_buf *out);

#endif
