#include "lib/cassandra_server.h"

#include "base/memory.h"
#include "wire/cql_value.h"

#include <stdio.h>
#include <stdlib.h>

enum { COLUMNS_MAX = 128, ROWS_MAX = 1 << 20, LIMIT_MS = 30000 };

void rf_test_cassandra_start(struct rf_test_cassandra *server, const char *const *options)
{
    rf_test_server_start(&server->server, "cassandra", options);
}

void rf_test_cassandra_kill(struct rf_test_cassandra *server)
{
    rf_cql_cluster_close(&server->client);
    rf_test_server_act(&server->server, "cassandra", "kill");
}

void rf_test_cassandra_again(struct rf_test_cassandra *server)
{
    rf_test_server_act(&server->server, "cassandra", "start");
}

void rf_test_cassandra_destroy(struct rf_test_cassandra *server)
{
    rf_cql_cluster_close(&server->client);
    rf_test_server_destroy(&server->server, "cassandra");
}

/* ------------------------------------------------------------------------------------ questions */

static void connect_client(struct rf_test_cassandra *server)
{
    struct rf_error err = {0};
    struct rf_cql_options options = {
        .address = {.host = "127.0.0.1",
                    .port = (uint16_t)strtoul(server->port, NULL, 10),
                    .user = server->user,
                    .password = server->password,
                    .connect_timeout_ms = LIMIT_MS,
                    .timeout_ms = LIMIT_MS},
        .in_flight = 1,
    };
    if (server->client.node_count == 0 &&
        rf_cql_cluster_open(&server->client, &options, &err) != RF_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
}

static enum rf_status ask(struct rf_test_cassandra *server, struct rf_str statement,
                          struct rf_cql_result *result, struct rf_error *err)
{
    struct rf_cql_parameters one = {.consistency = RF_CQL_ONE};
    connect_client(server);
    enum rf_status status =
        rf_cql_cluster_ask(&server->client, statement, &one, NULL, result, NULL, err);
    if (status == RF_RETRY) {
        rf_cql_cluster_close(&server->client); /* it was restarted meanwhile */
        connect_client(server);
        *err = (struct rf_error){0};
        status = rf_cql_cluster_ask(&server->client, statement, &one, NULL, result, NULL, err);
    }
    rf_assert(status != RF_OK || result->columns.count <= COLUMNS_MAX);
    return status;
}

static void print_value(struct rf_buf *out, const struct rf_cql_type *type, struct rf_str value)
{
    if (value.data == NULL) {
        rf_buf_add_str(out, RF_STR("NULL"));
    } else {
        rf_assert(rf_cql_value_print(out, type, value));
    }
}

char *rf_test_cassandra_ask(struct rf_test_cassandra *server, const char *statement)
{
    struct rf_error err = {0};
    struct rf_cql_result result;
    struct rf_buf text = {0};
    struct rf_str values[COLUMNS_MAX];
    if (ask(server, rf_str_of(statement), &result, &err) != RF_OK) {
        rf_buf_printf(&text, "error: %s", err.message);
    }
    for (uint32_t i = 0; err.status == RF_OK && i < result.row_count; i++) {
        rf_assert(rf_cql_result_row(&result, values, &err) == RF_OK);
        for (uint32_t j = 0; j < result.columns.count; j++) {
            rf_buf_add_str(&text, j > 0 ? RF_STR(" ") : i > 0 ? RF_STR("\n") : RF_STR_NONE);
            print_value(&text, &result.columns.items[j].type, values[j]);
        }
    }
    char *copy = rf_str_dup(rf_buf_str(&text));
    rf_buf_deinit(&text);
    return copy;
}

static char *tables_of(struct rf_test_cassandra *server, const char *keyspace)
{
    char question[256];
    snprintf(question, sizeof question,
             "SELECT table_name FROM system_schema.tables WHERE keyspace_name = '%s'", keyspace);
    return rf_test_cassandra_ask(server, question);
}

static void carry_out(struct rf_test_cassandra *server, const char *statement)
{
    char *answer = rf_test_cassandra_ask(server, statement);
    if (answer[0] != '\0') {
        fprintf(stderr, "%s: %s\n", statement, answer);
        abort();
    }
    free(answer);
}

struct lines {
    char **items;
    uint32_t count;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void dump_table(struct rf_test_cassandra *server, const char *keyspace, const char *table,
                       struct lines *lines)
{
    struct rf_error err = {0};
    struct rf_cql_result result;
    struct rf_buf text = {0};
    struct rf_str values[COLUMNS_MAX];
    rf_buf_printf(&text, "SELECT * FROM \"%s\".\"%s\"", keyspace, table);
    if (ask(server, rf_buf_str(&text), &result, &err) != RF_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    for (uint32_t i = 0; i < result.row_count; i++) {
        rf_assert(rf_cql_result_row(&result, values, &err) == RF_OK && lines->count < ROWS_MAX);
        rf_buf_reset(&text);
        rf_buf_add_str(&text, rf_str_of(table));
        for (uint32_t j = 0; j < result.columns.count; j++) {
            if (values[j].data != NULL) {
                rf_buf_printf(&text, " %.*s=", RF_STR_ARG(result.columns.items[j].name));
                print_value(&text, &result.columns.items[j].type, values[j]);
            }
        }
        lines->items = rf_realloc(lines->items, (lines->count + 1) * sizeof *lines->items);
        lines->items[lines->count++] = rf_str_dup(rf_buf_str(&text));
    }
    rf_buf_deinit(&text);
}

void rf_test_cassandra_dump(struct rf_test_cassandra *server, const char *keyspace,
                            struct rf_buf *out)
{
    struct lines lines = {0};
    char *tables = tables_of(server, keyspace);
    struct rf_str rest = rf_str_of(tables), name;
    while (rf_str_split(&rest, '\n', &name)) {
        if (name.size > 0 && !rf_str_starts(name, RF_STR("rowferry_"))) {
            char *table = rf_str_dup(name);
            dump_table(server, keyspace, table, &lines);
            free(table);
        }
    }
    if (lines.count > 0) {
        qsort(lines.items, lines.count, sizeof *lines.items, by_text);
    }
    for (uint32_t i = 0; i < lines.count; i++) {
        rf_buf_printf(out, "%s\n", lines.items[i]);
        free(lines.items[i]);
    }
    free(lines.items);
    free(tables);
}

void rf_test_cassandra_empty(struct rf_test_cassandra *server, const char *keyspace)
{
    char statement[256];
    char *tables = tables_of(server, keyspace);
    struct rf_str rest = rf_str_of(tables), name;
    while (rf_str_split(&rest, '\n', &name)) {
        if (name.size > 0) {
            snprintf(statement, sizeof statement, "TRUNCATE \"%s\".\"%.*s\"", keyspace,
                     RF_STR_ARG(name));
            carry_out(server, statement);
        }
    }
    free(tables);
}

void rf_test_cassandra_drop(struct rf_test_cassandra *server, const char *keyspace)
{
    char statement[128];
    snprintf(statement, sizeof statement, "DROP KEYSPACE IF EXISTS \"%s\"", keyspace);
    carry_out(server, statement);
}
