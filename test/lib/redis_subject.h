/* A Redis server of a test program, and what is expected of what it holds. For tests with cmocka,
 * which they include first; each function fails the test when it is not so. */
#ifndef ROWFERRY_TEST_REDIS_SUBJECT_H
#define ROWFERRY_TEST_REDIS_SUBJECT_H

#include "lib/redis_server.h"

#include <stdlib.h>

static struct rf_test_redis server;

/* For cmocka_run_group_tests. */
static inline int start_server(void **state)
{
    (void)state;
    rf_test_redis_start(&server, NULL);
    return 0;
}

static inline int stop_server(void **state)
{
    (void)state;
    rf_test_redis_destroy(&server);
    return 0;
}

/* One command, whatever it answers. */
static inline void tell(const char *command)
{
    free(rf_test_redis_ask(&server, command));
}

static inline void expect_answer(const char *command, const char *expected)
{
    char *answer = rf_test_redis_ask(&server, command);
    assert_string_equal(answer, expected);
    free(answer);
}

/* As rf_test_redis_dump tells it. */
static inline void expect_content(const char *expected)
{
    struct rf_buf content = {0};
    rf_test_redis_dump(&server, &content);
    assert_string_equal(rf_buf_cstr(&content), expected);
    rf_buf_deinit(&content);
}

#endif
