#include "net/mysql.h"

#include "lib/mariadb_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct rf_test_mariadb server;

static int start(void **state)
{
    (void)state;
    rf_test_mariadb_start(&server, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    rf_test_mariadb_destroy(&server);
    return 0;
}

static void connect_client(struct rf_mysql *mysql)
{
    struct rf_error err = {0};
    struct rf_mysql_address address = {
        .port = (uint16_t)strtoul(server.port, NULL, 10), .user = "root", .timeout_ms = 10000};

    assert_int_equal(rf_mysql_connect(mysql, &address, &err), RF_OK);
}

static void test_a_statement_with_secrets_is_in_no_message(void **state)
{
    static const char *const statements[] = {
        "INSERT INTO nowhere.t VALUES ('geheim')",
        "CREATE USER x@'%' IDENTIFIED BY 'geheim' NONSENSE",
        "geheim",
    };
    struct rf_mysql mysql = {0};
    (void)state;
    connect_client(&mysql);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        struct rf_error err = {0};
        assert_int_equal(rf_mysql_execute(&mysql, statements[i], "doing it", &err), RF_CONFIG);
        assert_non_null(strstr(err.message, "doing it failed: "));
        assert_null(strstr(err.message, "geheim"));
        assert_null(strstr(err.hint, "geheim"));
        assert_int_not_equal(err.code, 0);
    }
    rf_mysql_close(&mysql);
}

static void test_a_plain_statement_is_named_when_it_fails(void **state)
{
    struct rf_mysql mysql = {0};
    struct rf_error err = {0};
    (void)state;
    connect_client(&mysql);
    assert_int_equal(rf_mysql_query(&mysql, "SELECT 1 FROM nowhere.t", 0, NULL, &err), RF_CONFIG);
    assert_non_null(strstr(err.message, "running \"SELECT 1 FROM nowhere.t\" failed"));
    assert_int_equal(rf_mysql_execute(&mysql, "DO 1", "doing it", &err), RF_OK);
    rf_mysql_close(&mysql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_statement_with_secrets_is_in_no_message),
        cmocka_unit_test(test_a_plain_statement_is_named_when_it_fails),
    };
    return cmocka_run_group_tests(tests, start, end);
}
