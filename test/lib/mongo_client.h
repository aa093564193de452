/* libmongoc as the client of a scripted server: begin and end, one command, and what was said. For
 * tests with cmocka, which they include first; each function fails the test when it is not so. */
#ifndef ROWFERRY_TEST_MONGO_CLIENT_H
#define ROWFERRY_TEST_MONGO_CLIENT_H

#include "lib/mongo_script.h"

#include <mongoc/mongoc.h>
#include <rowferry/str.h>
#include <stdio.h>

static struct rf_mongo_script *script;
static mongoc_client_t *client;

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
    mongoc_client_t *made = mongoc_client_new(text);
    assert_non_null(made);
    mongoc_client_set_error_api(made, MONGOC_ERROR_API_VERSION_2);
    return made;
}

/* Takes another client, with other options. */
static inline void reconnect(const char *client_options)
{
    if (client != NULL) {
        mongoc_client_destroy(client);
    }
    client = client_at(rf_mongo_script_uri(script), client_options);
}

/* NULL: as the server and libmongoc are by themselves. */
static inline void begin(const struct rf_mongo_script_options *options, const char *client_options)
{
    script = rf_mongo_script_create(options ? options : &(struct rf_mongo_script_options){0});
    reconnect(client_options);
}

/* The teardown of every test. */
static inline int end(void **state)
{
    (void)state;
    if (client != NULL) {
        mongoc_client_destroy(client);
    }
    rf_mongo_script_destroy(script);
    rf_buf_deinit(&answered);
    client = NULL;
    script = NULL;
    return 0;
}

/* Whether the server said ok; as libmongoc sees it. A write: with its session and number, as the
 * client's options have it. */
static inline bool ask_as(const char *database, const char *command, bool write)
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

static inline bool ask(const char *database, const char *command)
{
    return ask_as(database, command, false);
}

/* The command succeeds, and its answer has these words in it; NULL: any. */
static inline void expect_done(const char *database, const char *command, const char *words)
{
    if (!ask(database, command)) {
        fail_msg("%s: %s (%s)", command, refused.message, rf_buf_cstr(&answered));
    }
    if (words != NULL && strstr(answered.data, words) == NULL) {
        fail_msg("%s: %s has no %s", command, answered.data, words);
    }
}

/* The server refuses it with this number. */
static inline void expect_refused(const char *database, const char *command, uint32_t code)
{
    if (ask(database, command) || refused.code != code) {
        fail_msg("%s: %u %s (%s)", command, refused.code, refused.message, rf_buf_cstr(&answered));
    }
    assert_int_equal(refused.domain, MONGOC_ERROR_SERVER);
}

/* As rf_mongo_script_dump tells it. */
static inline void expect_dump(const char *expected)
{
    struct rf_buf out = {0};
    rf_mongo_script_dump(script, &out);
    assert_string_equal(rf_buf_cstr(&out), expected);
    rf_buf_deinit(&out);
}

#endif
