/* A Cassandra node of a test program, and what is expected of what it holds. For tests with cmocka,
 * which they include first; each function fails the test when it is not so. */
#ifndef ROWFERRY_TEST_CASSANDRA_SUBJECT_H
#define ROWFERRY_TEST_CASSANDRA_SUBJECT_H

#include "lib/cassandra_server.h"

#include <stdlib.h>

static struct rf_test_cassandra server;

/* For cmocka_run_group_tests. */
static inline int start_server(void **state)
{
    (void)state;
    rf_test_cassandra_start(&server, NULL);
    return 0;
}

static inline int stop_server(void **state)
{
    (void)state;
    rf_test_cassandra_destroy(&server);
    return 0;
}

static inline void expect_answer(const char *statement, const char *expected)
{
    char *answer = rf_test_cassandra_ask(&server, statement);
    if (strcmp(answer, expected) != 0) {
        print_message("%s\n", statement);
    }
    assert_string_equal(answer, expected);
    free(answer);
}

/* One that has no rows to give. */
static inline void tell(const char *statement)
{
    expect_answer(statement, "");
}

#endif
