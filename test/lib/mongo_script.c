#include "lib/mongo_script_watch.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

static SSL_CTX *create_tls(const char *certificate)
{
    char path[512];
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    rf_assert(tls != NULL);
    snprintf(path, sizeof path, "%s.pem", certificate);
    rf_assert(SSL_CTX_use_certificate_chain_file(tls, path) == 1);
    snprintf(path, sizeof path, "%s.key", certificate);
    rf_assert(SSL_CTX_use_PrivateKey_file(tls, path, SSL_FILETYPE_PEM) == 1);
    return tls;
}

static struct rf_mongo_script_set *create_set(const struct rf_mongo_script_options *options)
{
    struct rf_mongo_script_set *set = rf_alloc_zero(1, sizeof *set);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&set->lock, NULL);
    pthread_cond_init(&set->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    set->store = rf_mongo_script_store_create(options->forgetful);
    rf_mongo_script_store_limit(set->store, options->document_bytes_max, options->batch_max);
    set->store->history = options->streams ? rf_mongo_script_history_create() : NULL;
    set->name = options->set_name;
    set->user = options->user;
    set->password = options->password;
    set->userless = options->userless;
    set->election = 1;
    return set;
}

/* Of all members, as each of them hands out all. */
static void write_uris(struct rf_mongo_script_set *set)
{
    char *uri = set->members[0]->uri;
    size_t size = sizeof set->members[0]->uri;
    int at = snprintf(uri, size, "mongodb://");
    for (uint32_t i = 0; i < set->member_count; i++) {
        at += snprintf(uri + at, size - (size_t)at, "%s127.0.0.1:%u", i ? "," : "",
                       set->members[i]->port);
    }
    at += snprintf(uri + at, size - (size_t)at, "/");
    if (set->name != NULL) {
        at += snprintf(uri + at, size - (size_t)at, "?replicaSet=%s", set->name);
    }
    rf_assert((size_t)at < size);
    for (uint32_t i = 1; i < set->member_count; i++) {
        memcpy(set->members[i]->uri, uri, size);
    }
}

struct rf_mongo_script *rf_mongo_script_create(const struct rf_mongo_script_options *options)
{
    struct rf_mongo_script *script = rf_alloc_zero(1, sizeof *script);
    script->options = *options;
    rf_assert(options->with == NULL || options->with->set->name != NULL);
    script->set = options->with != NULL ? options->with->set : create_set(options);
    if (options->certificate != NULL) {
        script->tls = create_tls(options->certificate);
    }
    rf_mongo_script_listen(script);
    pthread_mutex_lock(&script->set->lock);
    struct rf_mongo_script_set *set = script->set;
    rf_assert(set->member_count < RF_MONGO_SCRIPT_MEMBERS_MAX);
    set->members[set->member_count++] = script;
    if (set->member_count == 1) {
        set->primary = script;
    }
    write_uris(set);
    pthread_mutex_unlock(&script->set->lock);
    return script;
}

/* Out of the list of members; true: it was the last one. */
static bool leave_set(struct rf_mongo_script *script)
{
    struct rf_mongo_script_set *set = script->set;
    pthread_mutex_lock(&set->lock);
    uint32_t at = 0;
    while (set->members[at] != script) {
        at++;
    }
    set->member_count--;
    memmove(&set->members[at], &set->members[at + 1], (set->member_count - at) * sizeof(void *));
    set->primary = set->primary == script ? NULL : set->primary;
    bool last = set->member_count == 0;
    pthread_mutex_unlock(&set->lock);
    return last;
}

void rf_mongo_script_destroy(struct rf_mongo_script *script)
{
    if (script == NULL) {
        return;
    }
    struct rf_mongo_script_set *set = script->set;
    rf_mongo_script_hang_up(script);
    rf_mongo_script_watch_end(script);
    rf_mongo_script_clear(script);
    if (leave_set(script)) {
        rf_mongo_script_store_destroy(set->store);
        rf_mongo_script_retried_destroy(set->retried);
        pthread_cond_destroy(&set->changed);
        pthread_mutex_destroy(&set->lock);
        free(set);
    }
    rf_mongo_script_records_destroy(script);
    SSL_CTX_free(script->tls);
    free(script);
}

uint16_t rf_mongo_script_port(const struct rf_mongo_script *script)
{
    return script->port;
}

const char *rf_mongo_script_uri(const struct rf_mongo_script *script)
{
    return script->uri;
}

/* --------------------------------------------------------------------------- life and elections */

void rf_mongo_script_stop(struct rf_mongo_script *script)
{
    rf_mongo_script_hang_up(script);
}

void rf_mongo_script_crash(struct rf_mongo_script *script)
{
    rf_mongo_script_hang_up(script);
    pthread_mutex_lock(&script->set->lock);
    rf_mongo_script_watch_end(script);
    rf_mongo_script_store_crash(script->set->store);
    pthread_mutex_unlock(&script->set->lock);
}

void rf_mongo_script_again(struct rf_mongo_script *script)
{
    rf_assert(!script->running);
    rf_mongo_script_listen(script);
}

static void set_primary(struct rf_mongo_script_set *set, struct rf_mongo_script *primary)
{
    pthread_mutex_lock(&set->lock);
    set->primary = primary;
    set->election += primary != NULL;
    pthread_mutex_unlock(&set->lock);
}

void rf_mongo_script_elect(struct rf_mongo_script *script)
{
    set_primary(script->set, script);
}

void rf_mongo_script_step_down(struct rf_mongo_script *script)
{
    rf_assert(script->set->name != NULL);
    set_primary(script->set, NULL);
}

/* ------------------------------------------------------------------------------------ a look in */

uint32_t rf_mongo_script_connections(struct rf_mongo_script *script)
{
    pthread_mutex_lock(&script->set->lock);
    uint32_t count = script->connection_count;
    pthread_mutex_unlock(&script->set->lock);
    return count;
}

char *rf_mongo_script_complaint(struct rf_mongo_script *script)
{
    pthread_mutex_lock(&script->set->lock);
    char *copy = rf_str_dup(rf_str_of(script->complaint));
    pthread_mutex_unlock(&script->set->lock);
    return copy;
}

char *rf_mongo_script_ask(struct rf_mongo_script *script, const char *database, const char *command)
{
    bson_error_t error;
    bson_t reply = BSON_INITIALIZER;
    bson_t *parsed = bson_new_from_json((const uint8_t *)command, -1, &error);
    if (parsed == NULL) {
        fprintf(stderr, "%s: %s\n", command, error.message);
        abort();
    }
    rf_assert(BSON_APPEND_UTF8(parsed, "$db", database));
    pthread_mutex_lock(&script->set->lock);
    rf_assert(rf_mongo_script_store_run(script->set->store, parsed, NULL, &reply));
    rf_mongo_script_store_settle(script->set->store);
    pthread_cond_broadcast(&script->set->changed);
    pthread_mutex_unlock(&script->set->lock);
    char *json = bson_as_canonical_extended_json(&reply, NULL);
    char *copy = rf_str_dup(rf_str_of(json));
    bson_free(json);
    bson_destroy(&reply);
    bson_destroy(parsed);
    return copy;
}

void rf_mongo_script_dump(struct rf_mongo_script *script, struct rf_buf *out)
{
    pthread_mutex_lock(&script->set->lock);
    rf_mongo_script_store_dump(script->set->store, out);
    pthread_mutex_unlock(&script->set->lock);
}

void rf_mongo_script_forget(struct rf_mongo_script *script)
{
    pthread_mutex_lock(&script->set->lock);
    rf_mongo_script_store_clear(script->set->store);
    pthread_mutex_unlock(&script->set->lock);
}

/* -------------------------------------------------------------------------------------- streams */

void rf_mongo_script_bundle(struct rf_mongo_script *script, bool bundled)
{
    pthread_mutex_lock(&script->set->lock);
    rf_mongo_script_history_bundle(script->set->store->history, bundled);
    pthread_mutex_unlock(&script->set->lock);
}

void rf_mongo_script_lose_history(struct rf_mongo_script *script)
{
    pthread_mutex_lock(&script->set->lock);
    rf_mongo_script_history_lose(script->set->store->history);
    pthread_mutex_unlock(&script->set->lock);
}

void rf_mongo_script_set_back(struct rf_mongo_script *script, uint32_t count)
{
    pthread_mutex_lock(&script->set->lock);
    rf_mongo_script_history_set_back(script->set->store->history, count);
    pthread_mutex_unlock(&script->set->lock);
}

void rf_mongo_script_kill_cursors(struct rf_mongo_script *script)
{
    pthread_mutex_lock(&script->set->lock);
    rf_mongo_script_watch_end(script);
    pthread_cond_broadcast(&script->set->changed);
    pthread_mutex_unlock(&script->set->lock);
}
