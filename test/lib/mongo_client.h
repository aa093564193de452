/* libmongoc as the client of a test: a connection by an address, one command, and what was said.
 * For tests with cmocka, which they include first. */
#ifndef ROWFERRY_TEST_MONGO_CLIENT_H
#define ROWFERRY_TEST_MONGO_CLIENT_H

#include <mongoc/mongoc.h>
#include <rowferry/str.h>
#include <stdio.h>

/* What the last command was answered: canonical extended JSON, empty when nothing was; and what
 * libmongoc said of it. */
static struct rf_buf answered;
static bson_error_t refused;

/* JSON with ' for \", as the texts below may be written. */
static inline void in_json(const char *text, char *out, size_t size)
{
    assert_true(strlen(text) < size);
    size_t at = 0;
    do {
        out[at] = text[at] == '\'' ? '"' : text[at];
    } while (text[at++] != '\0');
}

/* More options, "socketTimeoutMS=300&...", or NULL. Waits 5 s for a server, not longer. */
static inline mongoc_client_t *client_at(const char *uri, const char *options)
{
    char text[1024];
    snprintf(text, sizeof text, "%s%sserverSelectionTimeoutMS=5000&retryWrites=false%s%s", uri,
             strchr(uri, '?') ? "&" : "?", options ? "&" : "", options ? options : "");
    mongoc_client_t *client = mongoc_client_new(text);
    assert_non_null(client);
    mongoc_client_set_error_api(client, MONGOC_ERROR_API_VERSION_2);
    return client;
}

/* Closes a client, if there is one, and forgets what was answered. */
static inline void client_close(mongoc_client_t *client)
{
    if (client != NULL) {
        mongoc_client_destroy(client);
    }
    rf_buf_deinit(&answered);
}

/* Whether the server said ok; as libmongoc sees it. A write: with its session and number, as the
 * client's options have it. */
static inline bool ask_as(mongoc_client_t *client, const char *database, const char *command,
                          bool write)
{
    char json[2048];
    in_json(command, json, sizeof json);
    bson_t reply, *parsed = bson_new_from_json((const uint8_t *)json, -1, &refused);
    if (parsed == NULL) {
        fail_msg("%s: %s", command, refused.message);
    }
    refused = (bson_error_t){0};
    bool done =
        write ? mongoc_client_write_command_with_opts(client, database, parsed, NULL, &reply,
                                                      &refused)
              : mongoc_client_command_simple(client, database, parsed, NULL, &reply, &refused);
    char *text = bson_as_canonical_extended_json(&reply, NULL);
    rf_buf_set(&answered, rf_str_of(bson_empty(&reply) ? "" : text));
    rf_buf_cstr(&answered);
    bson_free(text);
    bson_destroy(&reply);
    bson_destroy(parsed);
    return done;
}

static inline bool ask(mongoc_client_t *client, const char *database, const char *command)
{
    return ask_as(client, database, command, false);
}

/* The command succeeds, and its answer has these words in it; NULL: any. */
static inline void expect_done(mongoc_client_t *client, const char *database, const char *command,
                               const char *words)
{
    if (!ask(client, database, command)) {
        fail_msg("%s: %s (%s)", command, refused.message, rf_buf_cstr(&answered));
    }
    if (words != NULL && strstr(answered.data, words) == NULL) {
        fail_msg("%s: %s has no %s", command, answered.data, words);
    }
}

/* The server refuses it with this number. */
static inline void expect_refused(mongoc_client_t *client, const char *database,
                                  const char *command, uint32_t code)
{
    if (ask(client, database, command) || refused.code != code) {
        fail_msg("%s: %u %s (%s)", command, refused.code, refused.message, rf_buf_cstr(&answered));
    }
    assert_int_equal(refused.domain, MONGOC_ERROR_SERVER);
}

#endif
