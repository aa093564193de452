#include "net/mongo.h"

#include "base/clock.h"
#include "base/memory.h"
#include "net/mongo_library.h"
#include "net/mongo_stream.h"

#include <stdlib.h>

enum { TIMEOUT_MS = 10000, MEMBER_MS = 1000, DOCUMENT_BYTES = 16 * 1024 * 1024 };

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* ------------------------------------------------------------------------------------- address */

/* The hosts only; the rest is set by functions, which need no escaping. */
static mongoc_uri_t *uri_of_hosts(const struct rf_mongo *mongo,
                                  const struct rf_mongo_address *address, struct rf_error *err)
{
    struct rf_buf text = {0};
    bson_error_t error;
    mongoc_uri_t *uri = NULL;
    bool odd = strcspn(address->host, "/?@%, ") != strlen(address->host);
    rf_buf_printf(&text, "mongodb://%s", mongo->where);
    for (uint32_t i = 0; i < address->member_count; i++) {
        odd |= strcspn(address->members[i], "/?@%, ") != strlen(address->members[i]);
        rf_buf_printf(&text, ",%s", address->members[i]);
    }
    rf_buf_add_byte(&text, '/');
    if (!odd) {
        uri = rf_mongoc.uri_new_with_error(rf_buf_cstr(&text), &error);
    }
    rf_buf_deinit(&text);
    if (uri == NULL) {
        rf_fail(err, RF_CONFIG, "'%s' is not an address of MongoDB", mongo->where);
        rf_error_hint(err, "it is a host's name or address, and a port; members are host:port");
    }
    return uri;
}

static mongoc_uri_t *create_uri(struct rf_mongo *mongo, const struct rf_mongo_address *address,
                                struct rf_error *err)
{
    mongoc_uri_t *uri = uri_of_hosts(mongo, address, err);
    if (uri == NULL) {
        return NULL;
    }
    const char *name = is_set(address->name) ? address->name : "rowferry";
    bool taken = rf_mongoc.uri_set_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS,
                                                   (int32_t)mongo->member_ms) &&
                 rf_mongoc.uri_set_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS,
                                                   (int32_t)mongo->timeout_ms) &&
                 /* What is sent again in silence could come after what a newer connection sends. */
                 rf_mongoc.uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false) &&
                 rf_mongoc.uri_set_option_as_bool(uri, MONGOC_URI_RETRYREADS, false) &&
                 rf_mongoc.uri_set_appname(uri, name);
    if (is_set(address->replica_set)) {
        taken &= rf_mongoc.uri_set_option_as_utf8(uri, MONGOC_URI_REPLICASET, address->replica_set);
    } else {
        taken &= rf_mongoc.uri_set_option_as_bool(uri, MONGOC_URI_DIRECTCONNECTION,
                                                  address->member_count == 0);
    }
    if (is_set(address->user)) {
        const char *source = is_set(address->auth_source) ? address->auth_source : "admin";
        taken &= rf_mongoc.uri_set_username(uri, address->user) &&
                 rf_mongoc.uri_set_password(uri, address->password ? address->password : "") &&
                 rf_mongoc.uri_set_auth_source(uri, source);
    }
    if (!taken) {
        rf_fail(err, RF_CONFIG, "libmongoc does not take the settings for %s", mongo->peer);
        rf_error_hint(err, "user, password and the names must be valid UTF-8");
        rf_mongoc.uri_destroy(uri);
        return NULL;
    }
    return uri;
}

/* ---------------------------------------------------------------------------------- connecting */

static int64_t number_of(const bson_t *document, const char *field, int64_t fallback)
{
    bson_iter_t iter;
    return bson_iter_init_find(&iter, document, field) && BSON_ITER_HOLDS_NUMBER(&iter)
               ? bson_iter_as_int64(&iter)
               : fallback;
}

static const char *text_of(const bson_t *document, const char *field)
{
    bson_iter_t iter;
    return bson_iter_init_find(&iter, document, field) && BSON_ITER_HOLDS_UTF8(&iter)
               ? bson_iter_utf8(&iter, NULL)
               : "";
}

static bool truth_of(const bson_t *document, const char *field)
{
    bson_iter_t iter;
    return bson_iter_init_find(&iter, document, field) && bson_iter_as_bool(&iter);
}

/* What the handshake told. */
static enum rf_status take_hello(struct rf_mongo *mongo, const bson_t *hello, struct rf_error *err)
{
    mongo->max_wire = (int32_t)number_of(hello, "maxWireVersion", 0);
    mongo->document_bytes = (int32_t)number_of(hello, "maxBsonObjectSize", DOCUMENT_BYTES);
    mongo->sessions = number_of(hello, "logicalSessionTimeoutMinutes", 0) > 0;
    mongo->mongos = strcmp(text_of(hello, "msg"), "isdbgrid") == 0;
    mongo->set_name = rf_str_dup(rf_str_of(text_of(hello, "setName")));
    if (mongo->any || truth_of(hello, "ismaster") || truth_of(hello, "isWritablePrimary")) {
        return RF_OK;
    }
    rf_fail(err, RF_RETRY, "%s is not the primary%s%s, and takes no writes", mongo->peer,
            mongo->set_name[0] ? " of the replica set " : "", mongo->set_name);
    rf_error_hint(err, "set replica_set%s%s, and the primary is found",
                  mongo->set_name[0] ? " to " : "", mongo->set_name);
    if (err != NULL) {
        err->connect = true;
    }
    return RF_RETRY;
}

/* A member that is of another set is dropped by libmongoc without a word. That is a reason to give
 * up only while no member of the right set was heard; one that is just starting does not know yet
 * which set it is of. */
static void hear_member(const mongoc_apm_server_heartbeat_succeeded_t *heard)
{
    struct rf_mongo *mongo = rf_mongoc.apm_server_heartbeat_succeeded_get_context(heard);
    const bson_t *reply = rf_mongoc.apm_server_heartbeat_succeeded_get_reply(heard);
    const char *name = text_of(reply, "setName");
    if (mongo->wanted_set == NULL) {
        return;
    }
    if (strcmp(name, mongo->wanted_set) == 0) {
        mongo->heard_set = true;
        if (mongo->other_set) {
            mongo->other_set = false;
            mongo->broken = (struct rf_error){0};
        }
        return;
    }
    if (mongo->heard_set || mongo->broken.status != RF_OK || truth_of(reply, "isreplicaset")) {
        return;
    }
    mongo->other_set = true;
    rf_fail(&mongo->broken, RF_CONFIG, "MongoDB at %s is %s%s, and not of the replica set %s",
            rf_mongoc.apm_server_heartbeat_succeeded_get_host(heard)->host_and_port,
            name[0] ? "a member of " : "no member of a set", name, mongo->wanted_set);
    rf_error_hint(&mongo->broken, "set replica_set to the name of its set, or leave it out");
}

static void hear_members(struct rf_mongo *mongo)
{
    mongoc_apm_callbacks_t *callbacks = rf_mongoc.apm_callbacks_new();
    rf_mongoc.apm_set_server_heartbeat_succeeded_cb(callbacks, hear_member);
    rf_mongoc.client_set_apm_callbacks(mongo->client, callbacks, mongo);
    rf_mongoc.apm_callbacks_destroy(callbacks);
}

static enum rf_status greet(struct rf_mongo *mongo, struct rf_error *err)
{
    bson_error_t error = {0};
    mongoc_server_description_t *server =
        rf_mongoc.client_select_server(mongo->client, true, NULL, &error);
    if (server == NULL) {
        return rf_mongo_fail(mongo, &error, NULL, "the handshake", err);
    }
    enum rf_status status =
        take_hello(mongo, rf_mongoc.server_description_hello_response(server), err);
    rf_mongoc.server_description_destroy(server);
    return status;
}

/* libmongoc logs in with the first command. */
static enum rf_status log_in(struct rf_mongo *mongo, struct rf_error *err)
{
    bson_t command = BSON_INITIALIZER, reply;
    rf_assert(BSON_APPEND_INT32(&command, "ping", 1));
    enum rf_status status = rf_mongo_run(mongo, "admin", &command, &reply, err);
    bson_destroy(&reply);
    if (status == RF_OK) {
        struct rf_error nothing = {0};
        bson_reinit(&command);
        rf_assert(BSON_APPEND_INT32(&command, "buildInfo", 1));
        /* Nobody needs it but people who read it. */
        enum rf_status told = rf_mongo_run(mongo, "admin", &command, &reply, &nothing);
        if (told == RF_OK) {
            mongo->version = rf_str_dup(rf_str_of(text_of(&reply, "version")));
        }
        bson_destroy(&reply);
    }
    bson_destroy(&command);
    return status;
}

static void set_names(struct rf_mongo *mongo, const struct rf_mongo_address *address)
{
    struct rf_buf text = {0};
    rf_buf_printf(&text, strchr(address->host, ':') ? "[%s]:%u" : "%s:%u", address->host,
                  address->port);
    mongo->where = rf_str_dup(rf_buf_str(&text));
    rf_buf_reset(&text);
    rf_buf_printf(&text, "MongoDB at %s", mongo->where);
    mongo->peer = rf_str_dup(rf_buf_str(&text));
    rf_buf_deinit(&text);
}

static enum rf_status connect_client(struct rf_mongo *mongo, const struct rf_mongo_address *address,
                                     struct rf_error *err)
{
    bson_error_t error = {0};
    mongoc_uri_t *uri = create_uri(mongo, address, err);
    if (uri == NULL) {
        return RF_CONFIG;
    }
    mongo->client = rf_mongoc.client_new_from_uri_with_error(uri, &error);
    rf_mongoc.uri_destroy(uri);
    if (mongo->client == NULL) {
        return rf_fail(err, RF_CONFIG, "libmongoc does not take the settings for %s: %s",
                       mongo->peer, error.message);
    }
    rf_assert(rf_mongoc.client_set_error_api(mongo->client, MONGOC_ERROR_API_VERSION_2));
    rf_mongoc.client_set_stream_initiator(mongo->client, rf_mongo_stream_create, mongo);
    hear_members(mongo);
    enum rf_status status = greet(mongo, err);
    return status == RF_OK ? log_in(mongo, err) : status;
}

enum rf_status rf_mongo_connect(struct rf_mongo *mongo, const struct rf_mongo_address *address,
                                struct rf_error *err)
{
    int64_t limit_ms = address->connect_timeout_ms > 0 ? address->connect_timeout_ms : TIMEOUT_MS;
    bool several = is_set(address->replica_set) || address->member_count > 0;
    set_names(mongo, address);
    mongo->tls = &address->tls;
    mongo->wanted_set = is_set(address->replica_set) ? address->replica_set : NULL;
    mongo->any = address->any;
    mongo->deadline_ms = rf_clock_ms() + limit_ms;
    mongo->timeout_ms = address->timeout_ms > 0 ? address->timeout_ms : TIMEOUT_MS;
    /* A member that does not answer must leave time for the others. */
    mongo->member_ms = several && limit_ms / 4 > MEMBER_MS ? limit_ms / 4 : limit_ms;
    enum rf_status status = rf_mongo_library_load(err);
    if (status == RF_OK) {
        status = rf_tls_check_files(&address->tls, err);
    }
    if (status == RF_OK) {
        status = connect_client(mongo, address, err);
    }
    mongo->tls = NULL;
    mongo->wanted_set = NULL;
    if (status == RF_OK) {
        /* Of a member that is away, while others are there. */
        mongo->broken = (struct rf_error){0};
        mongo->version = mongo->version != NULL ? mongo->version : rf_str_dup(RF_STR_NONE);
    }
    return status;
}

void rf_mongo_close(struct rf_mongo *mongo)
{
    if (mongo->client != NULL) {
        rf_mongoc.client_destroy(mongo->client);
    }
    free(mongo->where);
    free(mongo->peer);
    free(mongo->set_name);
    free(mongo->version);
    memset(mongo, 0, offsetof(struct rf_mongo, interrupted));
}

void rf_mongo_interrupt(struct rf_mongo *mongo)
{
    atomic_store(&mongo->interrupted, true);
}

/* ------------------------------------------------------------------------------------ commands */

enum rf_status rf_mongo_run(struct rf_mongo *mongo, const char *database, const bson_t *command,
                            bson_t *reply, struct rf_error *err)
{
    bson_error_t error = {0};
    bson_iter_t iter;
    const char *name =
        bson_iter_init(&iter, command) && bson_iter_next(&iter) ? bson_iter_key(&iter) : "";
    bool done =
        rf_mongoc.client_command_simple(mongo->client, database, command, NULL, reply, &error);
    if (done && !bson_has_field(reply, "writeConcernError")) {
        return RF_OK;
    }
    char what[96];
    snprintf(what, sizeof what, "the command %.32s", name);
    return rf_mongo_fail(mongo, &error, reply, what, err);
}
