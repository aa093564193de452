#include "lib/mongo_server.h"

#include "base/memory.h"

#include <fcntl.h>
#include <mongoc/mongoc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { WORDS_MAX = 16 };

static void give_up(const struct rf_test_mongo *server, const char *what, const char *why)
{
    fprintf(stderr, "%s of MongoDB at %s: %s\n", what, server->uri, why);
    abort();
}

/* -------------------------------------------------------------------------------- start and end */

static bool external_used;

/* The deployment is shared by all test programs: this one's turn lasts until destroy. */
static void take_turn(struct rf_test_mongo *server)
{
    char path[512];
    const char *dir = getenv("TMPDIR");
    rf_assert(!external_used);
    external_used = true;
    snprintf(path, sizeof path, "%s/rowferry-test-mongodb.lock", dir != NULL ? dir : "/tmp");
    server->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    rf_assert(server->lock >= 0 && flock(server->lock, LOCK_EX) == 0);
}

static void start_own(struct rf_test_mongo *server, const char *options)
{
    const char *words[WORDS_MAX] = {NULL};
    char *copy = rf_str_dup(rf_str_of(options)), *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        rf_assert(count < WORDS_MAX - 1);
        words[count++] = word;
    }
    if (count > 0) {
        setenv("ROWFERRY_MONGO", "java", 1);
    }
    rf_test_server_start(&server->server, "mongo", words);
    if (count > 0) {
        unsetenv("ROWFERRY_MONGO");
    }
    free(copy);
}

/* Which program serves the directory, as tools/servers wrote down. */
static bool is_mongod(const struct rf_test_mongo *server)
{
    char path[512], name[16] = "";
    snprintf(path, sizeof path, "%s/mongo.program", server->dir);
    FILE *file = fopen(path, "re");
    rf_assert(file != NULL && fscanf(file, "%15s", name) == 1);
    fclose(file);
    return strcmp(name, "mongod") == 0;
}

static char **databases(struct rf_test_mongo *server, bool rowferrys);

void rf_test_mongo_start(struct rf_test_mongo *server, const char *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const char *given = getenv("ROWFERRY_TEST_MONGODB_URI");
    pthread_once(&once, mongoc_init);
    *server = (struct rf_test_mongo){.external = given && *given && !options, .lock = -1};
    if (!server->external) {
        start_own(server, options);
        server->keeps = is_mongod(server);
        snprintf(server->uri, sizeof server->uri, "mongodb://127.0.0.1:%s/", server->port);
        return;
    }
    rf_assert(strlen(given) < sizeof server->uri);
    snprintf(server->uri, sizeof server->uri, "%s", given);
    server->keeps = true;
    take_turn(server);
    char **names = databases(server, true);
    if (names[0] != NULL) {
        fprintf(stderr,
                "ROWFERRY_TEST_MONGODB_URI: the deployment has the database '%s'. Tests drop what "
                "they find: give them a deployment that has none\n",
                names[0]);
        abort();
    }
    bson_strfreev(names);
}

void rf_test_mongo_start_lent(struct rf_test_mongo *server)
{
    const char *given = getenv("ROWFERRY_TEST_MONGODB_URI");
    if (given == NULL || *given == '\0') {
        fprintf(stderr, "this test is for a deployment of MongoDB that somebody lends: set "
                        "ROWFERRY_TEST_MONGODB_URI to one without databases\n");
        abort();
    }
    rf_test_mongo_start(server, NULL);
}

static void disconnect(struct rf_test_mongo *server)
{
    if (server->client != NULL) {
        mongoc_client_destroy(server->client);
        server->client = NULL;
    }
}

static void act(struct rf_test_mongo *server, const char *action)
{
    rf_assert(!server->external); /* it is not ours to stop */
    disconnect(server);
    rf_test_server_act(&server->server, "mongo", action);
}

void rf_test_mongo_stop(struct rf_test_mongo *server)
{
    act(server, "stop");
}

void rf_test_mongo_kill(struct rf_test_mongo *server)
{
    act(server, "kill");
}

void rf_test_mongo_again(struct rf_test_mongo *server)
{
    act(server, "start");
}

static void add_setting(struct rf_test_setting *out, uint32_t room, uint32_t *count,
                        const char *name, const char *value)
{
    if (value != NULL) {
        rf_assert(*count + 1 < room);
        out[(*count)++] = (struct rf_test_setting){name, value};
    }
}

uint32_t rf_test_mongo_settings(struct rf_test_mongo *server, struct rf_test_setting *out,
                                uint32_t room)
{
    uint32_t count = 0;
    if (server->parts == NULL) {
        server->parts = mongoc_uri_new(server->uri);
        rf_assert(server->parts != NULL);
    }
    const mongoc_host_list_t *host = mongoc_uri_get_hosts(server->parts);
    snprintf(server->first_port, sizeof server->first_port, "%u", host->port);
    add_setting(out, room, &count, "host", host->host);
    add_setting(out, room, &count, "port", server->first_port);
    add_setting(out, room, &count, "user", mongoc_uri_get_username(server->parts));
    add_setting(out, room, &count, "password", mongoc_uri_get_password(server->parts));
    if (mongoc_uri_get_username(server->parts) != NULL) {
        add_setting(out, room, &count, "auth_source", mongoc_uri_get_auth_source(server->parts));
    }
    add_setting(out, room, &count, "replica_set", mongoc_uri_get_replica_set(server->parts));
    if (mongoc_uri_get_tls(server->parts)) {
        add_setting(out, room, &count, "tls", "on");
        add_setting(out, room, &count, "tls_ca",
                    mongoc_uri_get_option_as_utf8(server->parts, MONGOC_URI_TLSCAFILE, NULL));
    }
    out[count] = (struct rf_test_setting){NULL, NULL};
    return count;
}

void rf_test_mongo_destroy(struct rf_test_mongo *server)
{
    if (server->parts != NULL) {
        mongoc_uri_destroy(server->parts);
    }
    if (server->external) {
        rf_test_mongo_wipe(server);
        disconnect(server);
        close(server->lock);
        external_used = false;
    } else {
        disconnect(server);
        rf_test_server_destroy(&server->server, "mongo");
    }
    *server = (struct rf_test_mongo){0};
}

/* ------------------------------------------------------------------------------------ questions */

static mongoc_client_t *client_of(struct rf_test_mongo *server)
{
    if (server->client == NULL) {
        bson_error_t error = {0};
        mongoc_uri_t *uri = mongoc_uri_new_with_error(server->uri, &error);
        server->client = uri != NULL ? mongoc_client_new_from_uri(uri) : NULL;
        mongoc_uri_destroy(uri);
        if (server->client == NULL) {
            give_up(server, "the address", error.message);
        }
        rf_assert(mongoc_client_set_error_api(server->client, MONGOC_ERROR_API_VERSION_2));
        rf_assert(mongoc_client_set_appname(server->client, "rowferry tests"));
    }
    return server->client;
}

char *rf_test_mongo_ask(struct rf_test_mongo *server, const char *database, const char *command)
{
    bson_error_t error = {0};
    bson_t reply, *parsed = bson_new_from_json((const uint8_t *)command, -1, &error);
    if (parsed == NULL) {
        give_up(server, command, error.message);
    }
    bool done =
        mongoc_client_command_simple(client_of(server), database, parsed, NULL, &reply, &error);
    if (!done && !bson_has_field(&reply, "ok")) {
        give_up(server, command, error.message);
    }
    char *json = bson_as_canonical_extended_json(&reply, NULL);
    char *copy = rf_str_dup(rf_str_of(json));
    bson_free(json);
    bson_destroy(&reply);
    bson_destroy(parsed);
    return copy;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted and ended by a NULL; to be freed with bson_strfreev. */
static char **databases(struct rf_test_mongo *server, bool rowferrys)
{
    bson_error_t error = {0};
    char **names = mongoc_client_get_database_names_with_opts(client_of(server), NULL, &error);
    size_t kept = 0;
    if (names == NULL) {
        give_up(server, "the list of databases", error.message);
    }
    for (size_t i = 0; names[i] != NULL; i++) {
        bool own = strcmp(names[i], "admin") == 0 || strcmp(names[i], "local") == 0 ||
                   strcmp(names[i], "config") == 0;
        if (own || (!rowferrys && strcmp(names[i], "rowferry") == 0)) {
            bson_free(names[i]);
        } else {
            names[kept++] = names[i];
        }
    }
    names[kept] = NULL;
    qsort(names, kept, sizeof *names, by_text);
    return names;
}

void rf_test_mongo_wipe(struct rf_test_mongo *server)
{
    char **names = databases(server, true);
    for (char **name = names; *name != NULL; name++) {
        bson_error_t error = {0};
        mongoc_database_t *database = mongoc_client_get_database(client_of(server), *name);
        if (!mongoc_database_drop(database, &error)) {
            give_up(server, *name, error.message);
        }
        mongoc_database_destroy(database);
    }
    bson_strfreev(names);
}

struct lines {
    char **items;
    size_t count, capacity;
};

static void read_collection(struct rf_test_mongo *server, const char *database, const char *name,
                            struct lines *lines)
{
    bson_t filter = BSON_INITIALIZER;
    const bson_t *document;
    bson_error_t error = {0};
    mongoc_collection_t *collection =
        mongoc_client_get_collection(client_of(server), database, name);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(collection, &filter, NULL, NULL);
    while (mongoc_cursor_next(cursor, &document)) {
        if (lines->count == lines->capacity) {
            lines->capacity = lines->capacity * 2 + 64;
            lines->items = rf_realloc(lines->items, lines->capacity * sizeof *lines->items);
        }
        lines->items[lines->count++] = bson_as_canonical_extended_json(document, NULL);
    }
    if (mongoc_cursor_error(cursor, &error)) {
        give_up(server, name, error.message);
    }
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(collection);
    bson_destroy(&filter);
}

static void dump_collection(struct rf_test_mongo *server, const char *database, const char *name,
                            struct rf_buf *out)
{
    struct lines lines = {0};
    read_collection(server, database, name, &lines);
    if (lines.count > 0) {
        qsort(lines.items, lines.count, sizeof *lines.items, by_text);
    }
    for (size_t i = 0; i < lines.count; i++) {
        rf_buf_printf(out, "%s.%s ", database, name);
        rf_buf_add_str(out, rf_str_of(lines.items[i]));
        rf_buf_add_byte(out, '\n');
        bson_free(lines.items[i]);
    }
    free(lines.items);
}

void rf_test_mongo_dump(struct rf_test_mongo *server, struct rf_buf *out)
{
    char **names = databases(server, false);
    for (char **name = names; *name != NULL; name++) {
        bson_error_t error = {0};
        mongoc_database_t *database = mongoc_client_get_database(client_of(server), *name);
        char **collections = mongoc_database_get_collection_names_with_opts(database, NULL, &error);
        if (collections == NULL) {
            give_up(server, "the list of collections", error.message);
        }
        size_t count = 0;
        while (collections[count] != NULL) {
            count++;
        }
        qsort(collections, count, sizeof *collections, by_text);
        for (size_t i = 0; i < count; i++) {
            if (strncmp(collections[i], "system.", 7) != 0) {
                dump_collection(server, *name, collections[i], out);
            }
        }
        bson_strfreev(collections);
        mongoc_database_destroy(database);
    }
    bson_strfreev(names);
}
