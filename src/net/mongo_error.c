/* What the errors of MongoDB and of libmongoc mean, and how they are told.
 *
 * Source: src/mongo/base/error_codes.yml of the server; the specifications "Retryable Writes" and
 * "Server Discovery and Monitoring" of the drivers. */
#include "net/mongo.h"

#include "net/mongo_library.h"

static const char no_primary[] = "a member of a replica set that is not its primary takes no "
                                 "writes: set replica_set to the set's name, and the primary is "
                                 "found";
static const char no_rights[] = "the user needs rights for it; docs/operating.md has the roles";
static const char unknown[] =
    "that is tried again, as it may pass; when it stays: look the code up, mend what it is about, "
    "and it goes on by itself, or leave out what is refused";
static const char other_index[] =
    "the collection has a unique index of its own, besides that of _id; drop it, or make it not "
    "unique: rows reach it one after the other, and swap such values";

/* Codes of which something is known. All others are tried again, since a refusal that passes must
 * not end a pipeline, nor cost an event; the message has the code. */
static const struct code {
    int code;
    const char *name;
    enum rf_status status;
    bool access;
    const char *hint;
} codes[] = {
    {6, "HostUnreachable", RF_RETRY, false, NULL},
    {7, "HostNotFound", RF_RETRY, false, NULL},
    {64, "WriteConcernFailed", RF_RETRY, false,
     "too few members of the set confirmed it in time: it is not durable"},
    {89, "NetworkTimeout", RF_RETRY, false, NULL},
    {91, "ShutdownInProgress", RF_RETRY, false, NULL},
    {100, "UnsatisfiableWriteConcern", RF_RETRY, false,
     "the set has too few members that hold data for this w"},
    {112, "WriteConflict", RF_RETRY, false, NULL},
    {189, "PrimarySteppedDown", RF_RETRY, false, NULL},
    {262, "ExceededTimeLimit", RF_RETRY, false, NULL},
    {10058, "NotWritablePrimary", RF_RETRY, false, no_primary},
    {10107, "NotWritablePrimary", RF_RETRY, false, no_primary},
    {11600, "InterruptedAtShutdown", RF_RETRY, false, NULL},
    {11601, "Interrupted", RF_RETRY, false, NULL},
    {11602, "InterruptedDueToReplStateChange", RF_RETRY, false, NULL},
    {13435, "NotPrimaryNoSecondaryOk", RF_RETRY, false, no_primary},
    {13436, "NotPrimaryOrSecondary", RF_RETRY, false, NULL},
    {14031, "OutOfDiskSpace", RF_RETRY, false, "the server's disk is full: make room there"},

    {11, "UserNotFound", RF_CONFIG, true, "check user, password and auth_source"},
    {13, "Unauthorized", RF_CONFIG, true, no_rights},
    {18, "AuthenticationFailed", RF_CONFIG, true, "check user, password and auth_source"},
    {20, "IllegalOperation", RF_CONFIG, false, NULL},
    {59, "CommandNotFound", RF_CONFIG, false, "is it MongoDB, 3.6 or later, and no proxy?"},
    {61, "ShardKeyNotFound", RF_CONFIG, false,
     "a sharded collection takes whole documents only when _id is its shard key"},
    {73, "InvalidNamespace", RF_CONFIG, false, "MongoDB takes no such name"},
    {79, "UnknownReplWriteConcern", RF_CONFIG, false, "the set has no write concern of that name"},
    {166, "CommandNotSupportedOnView", RF_CONFIG, false, "there is a view of that name"},

    {2, "BadValue", RF_REJECT, false, NULL},
    {9, "FailedToParse", RF_REJECT, false, NULL},
    {14, "TypeMismatch", RF_REJECT, false, NULL},
    {22, "InvalidBSON", RF_REJECT, false, NULL},
    {52, "DollarPrefixedFieldName", RF_REJECT, false, NULL},
    {53, "InvalidIdField", RF_REJECT, false, NULL},
    {57, "DottedFieldName", RF_REJECT, false, NULL},
    {66, "ImmutableField", RF_REJECT, false, NULL},
    {121, "DocumentValidationFailure", RF_REJECT, false,
     "the collection has a validator that refuses it"},
    {171, "CannotIndexParallelArrays", RF_REJECT, false, NULL},
    {10334, "BSONObjectTooLarge", RF_REJECT, false, NULL},
    {11000, "DuplicateKey", RF_REJECT, false, other_index},
    {11001, "DuplicateKey", RF_REJECT, false, other_index},
    {12582, "DuplicateKey", RF_REJECT, false, other_index},
    {16755, "LocationIndexKeys", RF_REJECT, false, "it does not fit a geo index"},
    {17280, "KeyTooLong", RF_REJECT, false, NULL},
    {17419, "DocumentTooLarge", RF_REJECT, false, NULL},
    {17420, "DocumentTooLarge", RF_REJECT, false, NULL},
};

static const struct code *find_code(int code)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i].code == code) {
            return &codes[i];
        }
    }
    return NULL;
}

bool rf_mongo_passes(int code)
{
    const struct code *known = find_code(code);
    return known != NULL && known->status == RF_RETRY;
}

/* What a server says up to where it repeats what it was given. */
static int told_size(const char *text)
{
    const char *first = strstr(text, " First element");
    size_t size = strcspn(text, "{\r\n");
    const char *key = strstr(text, " dup key");
    size = first != NULL && (size_t)(first - text) < size ? (size_t)(first - text) : size;
    size = key != NULL && (size_t)(key - text) < size ? (size_t)(key - text) : size;
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == ':')) {
        size--;
    }
    return size < 400 ? (int)size : 400;
}

/* `reply` may be NULL. */
static enum rf_status refuse(const struct rf_mongo *mongo, int code, const char *name,
                             const char *text, const bson_t *reply, const char *what,
                             struct rf_error *err)
{
    const struct code *known = find_code(code);
    bool again = reply != NULL && (rf_mongoc.error_has_label(reply, "RetryableWriteError") ||
                                   rf_mongoc.error_has_label(reply, "TransientTransactionError"));
    enum rf_status status = known != NULL && !again ? known->status : RF_RETRY;
    name = name != NULL ? name : known != NULL ? known->name : "no name for it";
    rf_fail(err, status, "%s refused %s: %.*s (code %d, %s)", mongo->peer, what, told_size(text),
            text, code, name);
    if (known == NULL && !again) {
        rf_error_hint(err, "%s", unknown);
    } else if (known != NULL && known->hint != NULL) {
        rf_error_hint(err, "%s", known->hint);
    }
    if (err != NULL) {
        err->code = code;
        err->access = status == RF_CONFIG && known->access;
    }
    return status;
}

static const char *text_of(const bson_t *document, const char *field)
{
    bson_iter_t iter;
    return bson_iter_init_find(&iter, document, field) && BSON_ITER_HOLDS_UTF8(&iter)
               ? bson_iter_utf8(&iter, NULL)
               : NULL;
}

static int code_of(const bson_t *document)
{
    bson_iter_t iter;
    return bson_iter_init_find(&iter, document, "code") && BSON_ITER_HOLDS_NUMBER(&iter)
               ? (int)bson_iter_as_int64(&iter)
               : 0;
}

enum rf_status rf_mongo_refused(const struct rf_mongo *mongo, const bson_t *refusal,
                                const char *what, struct rf_error *err)
{
    const char *text = text_of(refusal, "errmsg");
    return refuse(mongo, code_of(refusal), text_of(refusal, "codeName"),
                  text != NULL ? text : "it did not say why", refusal, what, err);
}

/* A write concern that was not fulfilled. */
static bool concern_of(const bson_t *reply, bson_t *concern)
{
    const uint8_t *data;
    uint32_t size;
    bson_iter_t iter;
    if (reply == NULL || !bson_iter_init_find(&iter, reply, "writeConcernError") ||
        !BSON_ITER_HOLDS_DOCUMENT(&iter)) {
        return false;
    }
    bson_iter_document(&iter, &size, &data);
    return bson_init_static(concern, data, size);
}

static enum rf_status interrupted(const struct rf_mongo *mongo, struct rf_error *err)
{
    return rf_fail(err, RF_RETRY, "the connection to %s was interrupted", mongo->peer);
}

/* No server that fits; libmongoc says of each that it knows why. */
static enum rf_status nobody_found(const struct rf_mongo *mongo, const bson_error_t *error,
                                   struct rf_error *err)
{
    if (mongo->broken.status != RF_OK) {
        if (err != NULL) {
            *err = mongo->broken;
            err->connect |= err->status == RF_RETRY;
        }
        return mongo->broken.status;
    }
    if (error->code == MONGOC_ERROR_PROTOCOL_BAD_WIRE_VERSION) {
        return rf_fail(err, RF_CONFIG, "%s and libmongoc do not understand each other: %.*s",
                       mongo->peer, told_size(error->message), error->message);
    }
    rf_fail(err, RF_RETRY,
            mongo->wanted_set != NULL ? "no primary was found by %s: %.*s"
                                      : "no answer to the handshake from %s: %.*s",
            mongo->peer, told_size(error->message), error->message);
    if (mongo->wanted_set != NULL) {
        rf_error_hint(err, "the members of the set must be reachable by the names that they have "
                           "in it");
    }
    if (err != NULL) {
        err->connect = true;
    }
    return RF_RETRY;
}

enum rf_status rf_mongo_fail(const struct rf_mongo *mongo, const bson_error_t *error,
                             const bson_t *reply, const char *what, struct rf_error *err)
{
    bool server = error->domain == MONGOC_ERROR_SERVER || error->domain == MONGOC_ERROR_QUERY ||
                  error->domain == MONGOC_ERROR_WRITE_CONCERN;
    bson_t concern;
    if (concern_of(reply, &concern)) {
        return rf_mongo_refused(mongo, &concern, what, err);
    }
    if (server) {
        const char *name = reply != NULL ? text_of(reply, "codeName") : NULL;
        return refuse(mongo, (int)error->code, name, error->message, reply, what, err);
    }
    if (atomic_load(&mongo->interrupted)) {
        return interrupted(mongo, err);
    }
    if (error->domain == MONGOC_ERROR_SERVER_SELECTION ||
        error->code == MONGOC_ERROR_PROTOCOL_BAD_WIRE_VERSION) {
        return nobody_found(mongo, error, err);
    }
    if (mongo->broken.status != RF_OK) {
        if (err != NULL) {
            *err = mongo->broken;
        }
        return mongo->broken.status;
    }
    if ((error->domain == MONGOC_ERROR_CLIENT && error->code == MONGOC_ERROR_CLIENT_AUTHENTICATE) ||
        error->domain == MONGOC_ERROR_SCRAM || error->domain == MONGOC_ERROR_SASL) {
        rf_fail(err, RF_CONFIG, "%s does not let us in: %.*s", mongo->peer,
                told_size(error->message), error->message);
        rf_error_hint(err, "check user, password and auth_source");
        if (err != NULL) {
            err->access = true;
        }
        return RF_CONFIG;
    }
    return rf_fail(err, RF_RETRY, "%s failed at %s: %.*s", what, mongo->peer,
                   told_size(error->message), error->message);
}
