/* A real MariaDB or MySQL server of a test's own, started by tools/servers on a free port of
 * 127.0.0.1.
 *
 * It ends with the test, also when that is killed. Aborts when a server cannot be had, or a
 * statement fails: a test that needs them must not pass without. */
#ifndef ROWFERRY_TEST_MARIADB_SERVER_H
#define ROWFERRY_TEST_MARIADB_SERVER_H

#include "lib/server.h"
#include "net/mysql.h"

/* Zeroed: never started. */
struct rf_test_mariadb {
    union { /* its directory and port, by themselves too */
        struct rf_test_server server;
        struct {
            char dir[256];
            char port[8];
        };
    };
    const char *kind;       /* set before the start: "mysql"; NULL: "mariadb" */
    struct rf_mysql client; /* of the test, as root */
};

/* Starts one with more server options; NULL: none. Each ends with a NULL. */
void rf_test_mariadb_start(struct rf_test_mariadb *server, const char *const *options);
void rf_test_mariadb_stop(struct rf_test_mariadb *server);
void rf_test_mariadb_kill(struct rf_test_mariadb *server);
/* With the data and the options that it had. */
void rf_test_mariadb_again(struct rf_test_mariadb *server);
/* Kills it and removes its directory. */
void rf_test_mariadb_destroy(struct rf_test_mariadb *server);
/* Freezes its process (stopped), or lets it run on. */
void rf_test_mariadb_freeze(struct rf_test_mariadb *server, bool frozen);

/* Runs statements, as printf makes them; each but the last ends with a semicolon and a newline. */
void rf_test_sql(struct rf_test_mariadb *server, const char *format, ...) RF_PRINTF(2, 3);
/* The first cell of the last statement's answer, or ""; the caller's to free. */
char *rf_test_sql_ask(struct rf_test_mariadb *server, const char *format, ...) RF_PRINTF(2, 3);
/* Waits until the server names exactly these as its replicas, a line "NUMBER HOST" each; aborts
 * when it does not. */
void rf_test_replicas_wait(struct rf_test_mariadb *server, const char *wanted);
/* Closes the test's own connection; the next statement makes another one. */
void rf_test_sql_leave(struct rf_test_mariadb *server);

#endif
