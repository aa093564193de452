/* A real server of a test's own, started by tools/servers on a free port of 127.0.0.1: what those
 * of every kind have in common.
 *
 * It ends with the test, also when that is killed. Aborts when a server cannot be had: a test that
 * needs one must not pass without. */
#ifndef ROWFERRY_TEST_SERVER_H
#define ROWFERRY_TEST_SERVER_H

#include <stdbool.h>

/* Zeroed: never started. Of the kind that is named in each call: "mariadb", "mysql", "redis". */
struct rf_test_server {
    char dir[256];
    char port[8];
};

/* Starts one with more server options; NULL: none. Each ends with a NULL. */
void rf_test_server_start(struct rf_test_server *server, const char *kind,
                          const char *const *options);
/* "stop": in an orderly way; "kill"; "start": again, with the data and options that it had. */
void rf_test_server_act(const struct rf_test_server *server, const char *kind, const char *action);
/* Freezes its process, all threads of which stand when this returns, or lets it run on. */
void rf_test_server_freeze(const struct rf_test_server *server, const char *kind, bool frozen);
/* Kills it and removes its directory. Accepts one that was never started. */
void rf_test_server_destroy(struct rf_test_server *server, const char *kind);

#endif
