#include "lib/mariadb_server.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

enum { TIMEOUT_MS = 60 * 1000 };

static const char *kind_of(const struct rf_test_mariadb *server)
{
    return server->kind ? server->kind : "mariadb";
}

void rf_test_mariadb_start(struct rf_test_mariadb *server, const char *const *options)
{
    rf_test_server_start(&server->server, kind_of(server), options);
}

void rf_test_mariadb_stop(struct rf_test_mariadb *server)
{
    rf_test_sql_leave(server);
    rf_test_server_act(&server->server, kind_of(server), "stop");
}

void rf_test_mariadb_kill(struct rf_test_mariadb *server)
{
    rf_test_sql_leave(server);
    rf_test_server_act(&server->server, kind_of(server), "kill");
}

void rf_test_mariadb_again(struct rf_test_mariadb *server)
{
    rf_test_server_act(&server->server, kind_of(server), "start");
}

void rf_test_mariadb_destroy(struct rf_test_mariadb *server)
{
    rf_test_sql_leave(server);
    rf_test_server_destroy(&server->server, kind_of(server));
}

void rf_test_mariadb_freeze(struct rf_test_mariadb *server, bool frozen)
{
    rf_test_server_freeze(&server->server, kind_of(server), frozen);
}

/* ---- Statements ---------------------------------------------------------------------------- */

static void connect_client(struct rf_test_mariadb *server)
{
    struct rf_error err = {0};
    struct rf_mysql_address address = {.port = (uint16_t)strtoul(server->port, NULL, 10),
                                       .user = "root",
                                       .timeout_ms = TIMEOUT_MS};
    if (server->client.handle == NULL &&
        rf_mysql_connect(&server->client, &address, &err) != RF_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
}

static char *run(struct rf_test_mariadb *server, const char *format, va_list args)
{
    struct rf_buf text = {0};
    struct rf_error err = {0};
    char *answer = NULL;
    connect_client(server);
    rf_buf_vprintf(&text, format, args);
    char *next = text.data;
    rf_buf_cstr(&text);
    for (next = text.data; next != NULL;) {
        struct rf_mysql_result result = {0};
        char *statement = next, *end = strstr(next, ";\n");
        next = end ? end + 2 : NULL;
        if (end != NULL) {
            *end = '\0';
        }
        if (rf_mysql_query(&server->client, statement, 0, &result, &err) != RF_OK) {
            fprintf(stderr, "%s\n", err.message);
            abort();
        }
        free(answer);
        answer = rf_str_dup(rf_mysql_result_next(&result) ? rf_mysql_result_cell(&result, 0)
                                                          : RF_STR(""));
        rf_mysql_result_deinit(&result);
    }
    rf_buf_deinit(&text);
    return answer;
}

void rf_test_sql(struct rf_test_mariadb *server, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    free(run(server, format, args));
    va_end(args);
}

char *rf_test_sql_ask(struct rf_test_mariadb *server, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *answer = run(server, format, args);
    va_end(args);
    return answer;
}

static void read_replicas(struct rf_test_mariadb *server, struct rf_buf *out)
{
    struct rf_mysql_result result = {0};
    struct rf_error err = {0};
    bool mysql = server->kind != NULL && strcmp(server->kind, "mysql") == 0;
    connect_client(server);
    if (rf_mysql_query(&server->client, mysql ? "SHOW REPLICAS" : "SHOW SLAVE HOSTS", 0, &result,
                       &err) != RF_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    while (rf_mysql_result_next(&result)) {
        rf_buf_printf(out, "%.*s %.*s\n", RF_STR_ARG(rf_mysql_result_cell(&result, 0)),
                      RF_STR_ARG(rf_mysql_result_cell(&result, 1)));
    }
    rf_mysql_result_deinit(&result);
}

void rf_test_replicas_wait(struct rf_test_mariadb *server, const char *wanted)
{
    int64_t until_ms = rf_clock_ms() + TIMEOUT_MS;
    struct rf_buf found = {0};
    do {
        if (rf_clock_ms() > until_ms) {
            fprintf(stderr, "replicas: not\n%sbut\n%s", wanted, rf_buf_cstr(&found));
            abort();
        }
        rf_buf_reset(&found);
        read_replicas(server, &found);
    } while (strcmp(rf_buf_cstr(&found), wanted) != 0);
    rf_buf_deinit(&found);
}

void rf_test_sql_leave(struct rf_test_mariadb *server)
{
    rf_mysql_close(&server->client);
}
