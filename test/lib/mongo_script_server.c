/* The commands that are about the server and not about documents: who it is, logging in, sessions;
 * and what has to hold before one about documents is carried out. */
#include "lib/mongo_script_watch.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdlib.h>
#include <unistd.h>

enum { WIRE_VERSION = 17, SESSION_MINUTES = 30 };

typedef void act(struct rf_mongo_script_client *client, const bson_t *command, bson_t *reply);

static void append_ok(bson_t *reply)
{
    rf_assert(BSON_APPEND_DOUBLE(reply, "ok", 1));
}

static void just_ok(struct rf_mongo_script_client *client, const bson_t *command, bson_t *reply)
{
    (void)client;
    (void)command;
    append_ok(reply);
}

/* ---------------------------------------------------------------------------------------- hello */

static int32_t wire_version(const struct rf_mongo_script *script)
{
    return script->options.wire_version_max ? script->options.wire_version_max : WIRE_VERSION;
}

static bool is_primary(const struct rf_mongo_script *script)
{
    return script->set->primary == script;
}

static void append_address(bson_t *reply, const char *name, const struct rf_mongo_script *script)
{
    struct rf_buf text = {0};
    rf_buf_printf(&text, "127.0.0.1:%u", script->port);
    rf_assert(bson_append_utf8(reply, name, -1, text.data, (int)text.size));
    rf_buf_deinit(&text);
}

static void append_set(const struct rf_mongo_script *script, bson_t *reply)
{
    const struct rf_mongo_script_set *set = script->set;
    bson_t hosts;
    rf_assert(BSON_APPEND_BOOL(reply, "secondary", !is_primary(script)));
    rf_assert(BSON_APPEND_UTF8(reply, "setName", set->name));
    rf_assert(BSON_APPEND_INT32(reply, "setVersion", 1));
    rf_assert(BSON_APPEND_ARRAY_BEGIN(reply, "hosts", &hosts));
    for (uint32_t i = 0; i < set->member_count; i++) {
        char digits[16];
        const char *key;
        bson_uint32_to_string(i, &key, digits, sizeof digits);
        append_address(&hosts, key, set->members[i]);
    }
    rf_assert(bson_append_array_end(reply, &hosts));
    append_address(reply, "me", script);
    if (set->primary != NULL) {
        append_address(reply, "primary", set->primary);
    }
    if (is_primary(script)) {
        bson_oid_t election;
        uint8_t bytes[12] = {0};
        bytes[11] = (uint8_t)set->election;
        bson_oid_init_from_data(&election, bytes);
        rf_assert(BSON_APPEND_OID(reply, "electionId", &election));
    }
}

static void append_mechanisms(const struct rf_mongo_script *script, bson_t *reply)
{
    bson_t list;
    rf_assert(BSON_APPEND_ARRAY_BEGIN(reply, "saslSupportedMechs", &list));
    if (script->set->user != NULL) {
        rf_assert(BSON_APPEND_UTF8(&list, "0", "SCRAM-SHA-1") &&
                  BSON_APPEND_UTF8(&list, "1", "SCRAM-SHA-256"));
    }
    rf_assert(bson_append_array_end(reply, &list));
}

static void say_hello(struct rf_mongo_script_client *client, const bson_t *command, bson_t *reply)
{
    const struct rf_mongo_script *script = client->script;
    const struct rf_mongo_script_store *store = script->set->store;
    bson_iter_t first;
    rf_assert(bson_iter_init(&first, command) && bson_iter_next(&first));
    bool newer = strcmp(bson_iter_key(&first), "hello") == 0;
    rf_assert(
        bson_append_bool(reply, newer ? "isWritablePrimary" : "ismaster", -1, is_primary(script)));
    if (bson_has_field(command, "helloOk")) {
        rf_assert(BSON_APPEND_BOOL(reply, "helloOk", true));
    }
    if (script->set->name != NULL) {
        append_set(script, reply);
    }
    rf_assert(BSON_APPEND_INT32(reply, "maxBsonObjectSize", (int32_t)store->document_bytes_max));
    rf_assert(BSON_APPEND_INT32(reply, "maxMessageSizeBytes", RF_MONGO_SCRIPT_MESSAGE_MAX));
    rf_assert(BSON_APPEND_INT32(reply, "maxWriteBatchSize", (int32_t)store->batch_max));
    rf_assert(BSON_APPEND_DATE_TIME(reply, "localTime", rf_clock_wall_us() / 1000));
    if (!script->options.sessionless) {
        rf_assert(BSON_APPEND_INT32(reply, "logicalSessionTimeoutMinutes", SESSION_MINUTES));
    }
    rf_assert(BSON_APPEND_INT32(reply, "connectionId", client->id));
    rf_assert(BSON_APPEND_INT32(reply, "minWireVersion", 0));
    rf_assert(BSON_APPEND_INT32(reply, "maxWireVersion", wire_version(script)));
    rf_assert(BSON_APPEND_BOOL(reply, "readOnly", false));
    if (bson_has_field(command, "saslSupportedMechs")) {
        append_mechanisms(script, reply);
    }
    append_ok(reply);
}

static void tell_build(struct rf_mongo_script_client *client, const bson_t *command, bson_t *reply)
{
    static const struct {
        int32_t wire;
        const char *name;
    } versions[] = {{0, "3.4.0"},  {6, "3.6.0"},  {7, "4.0.0"},  {8, "4.2.0"}, {9, "4.4.0"},
                    {13, "5.0.0"}, {17, "6.0.0"}, {21, "7.0.0"}, {25, "8.0.0"}};
    const char *name = NULL;
    (void)command;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        name = versions[i].wire <= wire_version(client->script) ? versions[i].name : name;
    }
    rf_assert(BSON_APPEND_UTF8(reply, "version", name));
    append_ok(reply);
}

static void tell_status(struct rf_mongo_script_client *client, const bson_t *command, bson_t *reply)
{
    (void)client;
    (void)command;
    rf_assert(BSON_APPEND_INT64(reply, "pid", getpid()));
    append_ok(reply);
}

/* --------------------------------------------------------------------------------------- log-in */

/* What a message of SCRAM holds, as binary or as text; empty: nothing. */
static struct rf_str payload_of(const bson_t *command)
{
    bson_iter_t field;
    uint32_t size = 0;
    const uint8_t *data = NULL;
    if (bson_iter_init_find(&field, command, "payload") && BSON_ITER_HOLDS_BINARY(&field)) {
        bson_iter_binary(&field, NULL, &size, &data);
    }
    return (struct rf_str){(const char *)data, size};
}

static void answer_login(enum rf_status status, struct rf_str payload, bool done,
                         const struct rf_error *err, bson_t *reply)
{
    if (status != RF_OK) {
        rf_mongo_script_store_refuse(err, reply);
        return;
    }
    rf_assert(BSON_APPEND_INT32(reply, "conversationId", 1));
    rf_assert(BSON_APPEND_BOOL(reply, "done", done));
    rf_assert(BSON_APPEND_BINARY(reply, "payload", BSON_SUBTYPE_BINARY,
                                 (const uint8_t *)(payload.size > 0 ? payload.data : ""),
                                 (uint32_t)payload.size));
    append_ok(reply);
}

static void begin_login(struct rf_mongo_script_client *client, const bson_t *command, bson_t *reply)
{
    bson_iter_t field;
    struct rf_error err = {0};
    struct rf_buf out = {0};
    const char *mechanism =
        bson_iter_init_find(&field, command, "mechanism") && BSON_ITER_HOLDS_UTF8(&field)
            ? bson_iter_utf8(&field, NULL)
            : "";
    enum rf_status status;
    if (client->login.user == NULL || client->script->set->userless) {
        status =
            rf_mongo_script_refuse(&err, RF_MONGO_SCRIPT_LOGIN_FAILED, "Authentication failed.");
    } else {
        status =
            rf_mongo_script_login_begin(&client->login, mechanism, payload_of(command), &out, &err);
    }
    answer_login(status, rf_buf_str(&out), false, &err, reply);
    rf_buf_deinit(&out);
}

/* The third step of a client that does not leave it out is empty. */
static void go_on_with_login(struct rf_mongo_script_client *client, const bson_t *command,
                             bson_t *reply)
{
    struct rf_error err = {0};
    struct rf_buf out = {0};
    enum rf_status status = RF_OK;
    if (client->login.step != 2 || payload_of(command).size > 0) {
        status = rf_mongo_script_login_end(&client->login, payload_of(command), &out, &err);
    }
    /* Who left it out is done by the signature. */
    answer_login(status, rf_buf_str(&out), true, &err, reply);
    rf_buf_deinit(&out);
}

/* Of other users nothing is kept. */
static void create_user(struct rf_mongo_script_client *client, const bson_t *command, bson_t *reply)
{
    struct rf_mongo_script_set *set = client->script->set;
    bson_iter_t field;
    rf_assert(bson_iter_init_find(&field, command, "createUser"));
    set->userless = set->userless && !(BSON_ITER_HOLDS_UTF8(&field) &&
                                       strcmp(bson_iter_utf8(&field, NULL), set->user) == 0);
    append_ok(reply);
}

/* ------------------------------------------------------------------------------- retried writes */

/* The last write with a number of each session. */
struct retried {
    struct retried *next;
    struct rf_buf session;
    int64_t number;
    bson_t *reply; /* NULL: it was refused as a whole and may come again */
};

void rf_mongo_script_retried_destroy(struct retried *retried)
{
    while (retried != NULL) {
        struct retried *next = retried->next;
        rf_buf_deinit(&retried->session);
        bson_destroy(retried->reply);
        free(retried);
        retried = next;
    }
}

/* NULL: the command has no number. */
static struct retried *retried_of(struct rf_mongo_script_set *set, const bson_t *command)
{
    bson_iter_t session, number;
    struct rf_buf key = {0};
    if (!bson_iter_init_find(&number, command, "txnNumber") ||
        !bson_iter_init_find(&session, command, "lsid")) {
        return NULL;
    }
    rf_mongo_script_key(&session, &key);
    struct retried *found = set->retried;
    while (found != NULL && !rf_str_equal(rf_buf_str(&found->session), rf_buf_str(&key))) {
        found = found->next;
    }
    if (found == NULL) {
        found = rf_alloc_zero(1, sizeof *found);
        found->next = set->retried;
        found->session = key;
        set->retried = found;
    } else {
        rf_buf_deinit(&key);
    }
    if (found->number != bson_iter_as_int64(&number)) {
        found->number = bson_iter_as_int64(&number);
        bson_destroy(found->reply);
        found->reply = NULL;
    }
    return found;
}

/* ------------------------------------------------------------------------------------ documents */

static const struct verb {
    const char *name;
    act *act;  /* NULL: about documents */
    bool open; /* before the log-in, too */
    bool writes, reads;
} verbs[] = {
    {"hello", say_hello, true, false, false},
    {"isMaster", say_hello, true, false, false},
    {"ismaster", say_hello, true, false, false},
    {"saslStart", begin_login, true, false, false},
    {"saslContinue", go_on_with_login, true, false, false},
    {"createUser", create_user, false, true, false},
    {"ping", just_ok, true, false, false},
    {"buildInfo", tell_build, true, false, false},
    {"endSessions", just_ok, false, false, false},
    {"refreshSessions", just_ok, false, false, false},
    {"serverStatus", tell_status, false, false, false},
    {"aggregate", rf_mongo_script_watch_begin, false, false, true},
    {"getMore", rf_mongo_script_watch_more, false, false, true},
    {"killCursors", rf_mongo_script_watch_kill, false, false, false},
    {"replSetGetConfig", rf_mongo_script_watch_config, false, false, false},
    {"renameCollection", NULL, false, true, false},
    {"insert", NULL, false, true, false},
    {"update", NULL, false, true, false},
    {"delete", NULL, false, true, false},
    {"findAndModify", NULL, false, true, false},
    {"findandmodify", NULL, false, true, false},
    {"create", NULL, false, true, false},
    {"drop", NULL, false, true, false},
    {"dropDatabase", NULL, false, true, false},
    {"find", NULL, false, false, true},
    {"count", NULL, false, false, true},
    {"listCollections", NULL, false, false, true},
    {"listDatabases", NULL, false, false, true},
};

static const struct verb *verb_of(const bson_t *command)
{
    bson_iter_t first;
    rf_assert(bson_iter_init(&first, command) && bson_iter_next(&first));
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].name, bson_iter_key(&first)) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

/* Whether a read may be answered by a secondary. */
static bool reads_anywhere(const bson_t *command)
{
    bson_iter_t field, mode;
    return bson_iter_init(&field, command) &&
           bson_iter_find_descendant(&field, "$readPreference.mode", &mode) &&
           BSON_ITER_HOLDS_UTF8(&mode) && strcmp(bson_iter_utf8(&mode, NULL), "primary") != 0;
}

/* What has to hold before it is carried out. */
static enum rf_status allow(const struct rf_mongo_script_client *client, const bson_t *command,
                            const struct verb *verb, struct rf_error *err)
{
    const struct rf_mongo_script *script = client->script;
    bson_iter_t first;
    rf_assert(bson_iter_init(&first, command) && bson_iter_next(&first));
    const char *name = bson_iter_key(&first);
    bool open = verb != NULL && (verb->open || (verb->act == create_user && script->set->userless));
    if (script->set->user != NULL && !client->login.done && !open) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_UNAUTHORIZED,
                                      "command %s requires authentication", name);
    }
    if (verb == NULL) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NO_COMMAND, "no such command: '%s'",
                                      name);
    }
    if (bson_has_field(command, "startTransaction") || bson_has_field(command, "autocommit")) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NO_TRANSACTIONS,
                                      "this server knows no transactions");
    }
    if (verb->writes && !is_primary(script)) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NOT_PRIMARY, "not primary");
    }
    if (verb->reads && !is_primary(script) && !reads_anywhere(command)) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NOT_PRIMARY_READ,
                                      "not primary and secondaryOk=false");
    }
    return RF_OK;
}

static void refuse(const bson_t *command, const struct rf_error *err, bson_t *reply)
{
    rf_mongo_script_store_refuse(err, reply);
    if (err->code == RF_MONGO_SCRIPT_NOT_PRIMARY && bson_has_field(command, "txnNumber")) {
        bson_t labels;
        rf_assert(BSON_APPEND_ARRAY_BEGIN(reply, "errorLabels", &labels));
        rf_assert(BSON_APPEND_UTF8(&labels, "0", "RetryableWriteError"));
        rf_assert(bson_append_array_end(reply, &labels));
    }
}

/* Whether the write, and so all before it, is on disk when it is answered. */
static bool is_journaled(const struct rf_mongo_script_set *set, const bson_t *command)
{
    bson_iter_t field, part;
    bool majority = bson_iter_init(&field, command) &&
                    bson_iter_find_descendant(&field, "writeConcern.w", &part) &&
                    BSON_ITER_HOLDS_UTF8(&part) &&
                    strcmp(bson_iter_utf8(&part, NULL), "majority") == 0;
    bool journal = bson_iter_init(&field, command) &&
                   bson_iter_find_descendant(&field, "writeConcern.j", &part) &&
                   bson_iter_as_bool(&part);
    return journal || (majority && set->name != NULL);
}

static void run_on_documents(struct rf_mongo_script_set *set, const bson_t *command, bool writes,
                             const bson_t *failing, bson_t *reply)
{
    struct retried *retried = writes ? retried_of(set, command) : NULL;
    if (retried != NULL && retried->reply != NULL) {
        rf_assert(bson_concat(reply, retried->reply));
        return;
    }
    rf_assert(rf_mongo_script_store_run(set->store, command, failing, reply));
    if (writes && set->store->history != NULL) {
        pthread_cond_broadcast(&set->changed); /* for streams that wait */
    }
    bson_iter_t ok;
    if (retried != NULL && bson_iter_init_find(&ok, reply, "ok") && bson_iter_as_bool(&ok)) {
        retried->reply = bson_copy(reply);
    }
    if (writes && is_journaled(set, command)) {
        rf_mongo_script_store_settle(set->store);
    }
}

/* As members of a set do in each answer. */
static void append_time(const struct rf_mongo_script_history *history, bson_t *reply)
{
    uint32_t seconds, increment;
    bson_t time;
    if (history == NULL || bson_has_field(reply, "operationTime")) {
        return;
    }
    rf_mongo_script_history_time(history, &seconds, &increment);
    rf_assert(BSON_APPEND_TIMESTAMP(reply, "operationTime", seconds, increment) &&
              BSON_APPEND_DOCUMENT_BEGIN(reply, "$clusterTime", &time) &&
              BSON_APPEND_TIMESTAMP(&time, "clusterTime", seconds, increment) &&
              bson_append_document_end(reply, &time));
}

void rf_mongo_script_execute(struct rf_mongo_script_client *client, const bson_t *command,
                             const bson_t *failing, bson_t *reply)
{
    const struct verb *verb = verb_of(command);
    struct rf_error err = {0};
    if (allow(client, command, verb, &err) != RF_OK) {
        refuse(command, &err, reply);
    } else if (verb->act != NULL) {
        verb->act(client, command, reply);
    } else {
        run_on_documents(client->script->set, command, verb->writes, failing, reply);
    }
    append_time(client->script->set->store->history, reply);
}
