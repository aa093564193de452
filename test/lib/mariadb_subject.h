/* The MariaDB server of a test program, from its first test to its last. For tests with cmocka:
 * start_server and end_server are for cmocka_run_group_tests. */
#ifndef ROWFERRY_TEST_MARIADB_SUBJECT_H
#define ROWFERRY_TEST_MARIADB_SUBJECT_H

#include "lib/mariadb_server.h"

static struct rf_test_mariadb server;

static inline int start_server(void **context)
{
    (void)context;
    rf_test_mariadb_start(&server, NULL);
    return 0;
}

static inline int end_server(void **context)
{
    (void)context;
    rf_test_mariadb_destroy(&server);
    return 0;
}

#endif
