/* The source `mongodb` on the scripted server, for the tests of it: included by each after cmocka.
 * Every test begins with begin() or begin_with(), and its teardown is end(). */
#ifndef ROWFERRY_TEST_MONGO_SOURCE_H
#define ROWFERRY_TEST_MONGO_SOURCE_H

#include "lib/mongo_script.h"
#include "lib/source.h"
#include "net/mongo.h"
#include "wire/bson.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern const struct rf_source_type rf_source_mongodb;

enum { SETTINGS_MAX = 8, LIMIT_MS = 20000 };

static struct rf_mongo_script *script;
static struct rf_test_source source;
static struct rf_test_setting settings[SETTINGS_MAX];
static char port_text[8];
static struct rf_error err;

static inline void set(const char *name, const char *value)
{
    for (int i = 0; i < SETTINGS_MAX - 1; i++) {
        if (settings[i].name == NULL || strcmp(settings[i].name, name) == 0) {
            settings[i] = (struct rf_test_setting){name, value};
            return;
        }
    }
    rf_assert(false);
}

/* A source that is not open yet. */
static inline void begin_with(const struct rf_mongo_script_options *options, const char *path)
{
    script = rf_mongo_script_create(options);
    memset(settings, 0, sizeof settings);
    snprintf(port_text, sizeof port_text, "%u", rf_mongo_script_port(script));
    source = (struct rf_test_source){.type = &rf_source_mongodb, .settings = settings};
    err = (struct rf_error){0};
    set("port", port_text);
    if (path != NULL) {
        set("path", path);
    }
}

static inline void begin(const char *path)
{
    begin_with(&(struct rf_mongo_script_options){.set_name = "rs", .streams = true}, path);
}

static inline int end(void **state)
{
    (void)state;
    rf_test_source_deinit(&source);
    rf_mongo_script_destroy(script);
    script = NULL;
    return 0;
}

static inline void must(enum rf_status status)
{
    if (status != RF_OK) {
        fail_msg("%s: %s", rf_status_name(status), err.message);
    }
}

static inline void open_source(void)
{
    must(rf_test_source_open(&source, &err));
}

/* Opens it again behind what it handed over. */
static inline void reopen(void)
{
    rf_test_source_close(&source);
    open_source();
}

static inline void tell(const char *database, const char *command)
{
    char *reply = rf_mongo_script_ask(script, database, command);
    if (strstr(reply, "\"ok\" : { \"$numberDouble\" : \"1.0\" }") == NULL ||
        strstr(reply, "writeErrors") != NULL) {
        fail_msg("%s: %s", command, reply);
    }
    free(reply);
}

static inline void insert(const char *collection, int id)
{
    char command[128];
    snprintf(command, sizeof command, "{\"insert\": \"%s\", \"documents\": [{\"_id\": %d}]}",
             collection, id);
    tell("shop", command);
}

/* {_id: levels, a: {a: ... {}}}, of so many levels, by a client, as JSON of libbson ends at 100. */
static inline void insert_levels(int levels)
{
    struct rf_mongo mongo = {0};
    struct rf_mongo_address address = {.host = "127.0.0.1", .port = rf_mongo_script_port(script)};
    struct rf_buf out = {0};
    size_t opened[128];
    bson_t command, reply;
    must(rf_mongo_connect(&mongo, &address, &err));
    size_t begin_at = rf_bson_begin(&out);
    rf_bson_add_utf8(&out, "insert", RF_STR("orders"));
    size_t list = rf_bson_open(&out, RF_BSON_ARRAY, "documents");
    opened[0] = rf_bson_open_item(&out, 0);
    rf_bson_add_int32(&out, "_id", levels);
    for (int i = 1; i < levels; i++) {
        opened[i] = rf_bson_open(&out, RF_BSON_DOCUMENT, "a");
    }
    for (int i = levels; i > 0; i--) {
        rf_bson_end(&out, opened[i - 1]);
    }
    rf_bson_end(&out, list);
    rf_bson_end(&out, begin_at);
    assert_true(bson_init_static(&command, (const uint8_t *)out.data, out.size));
    must(rf_mongo_run(&mongo, "shop", &command, &reply, &err));
    bson_destroy(&reply);
    rf_mongo_close(&mongo);
    rf_buf_deinit(&out);
}

/* Reads until that came. */
static inline void until(const char *part)
{
    must(rf_test_source_until(&source, part, LIMIT_MS, &err));
}

static inline const char *text(void)
{
    return rf_buf_cstr(&source.text);
}

static inline bool has(const char *part)
{
    return strstr(text(), part) != NULL;
}

/* From here on what is logged is kept, until said() looks whether that was among it. */
static int heard = -1, aloud = -1;

static inline void listen_to_log(void)
{
    heard = memfd_create("log", MFD_CLOEXEC);
    aloud = fcntl(2, F_DUPFD_CLOEXEC, 3);
    rf_assert(heard >= 0 && aloud >= 0 && dup2(heard, 2) == 2);
}

static inline bool said(const char *part)
{
    char log[8192];
    ssize_t size = pread(heard, log, sizeof log - 1, 0);
    rf_assert(size >= 0 && dup2(aloud, 2) == 2);
    close(heard);
    close(aloud);
    log[size] = '\0';
    return strstr(log, part) != NULL;
}

/* Reads until an error comes. */
static inline enum rf_status until_failed(void)
{
    enum rf_status status = RF_OK;
    for (int i = 0; i < 100 && (status == RF_OK || status == RF_AGAIN); i++) {
        status = rf_test_source_read(&source, 500, &err);
    }
    return status;
}

#endif
