#include "lib/mongo_script_run.h"

#include <stdio.h>

enum { DATABASE_NAME_MAX = 63, NAMESPACE_MAX = 255 };

static const char *code_name(int code)
{
    switch (code) {
    case RF_MONGO_SCRIPT_BAD_VALUE: return "BadValue";
    case RF_MONGO_SCRIPT_NOT_PARSED: return "FailedToParse";
    case RF_MONGO_SCRIPT_UNAUTHORIZED: return "Unauthorized";
    case RF_MONGO_SCRIPT_BAD_LENGTH: return "InvalidLength";
    case RF_MONGO_SCRIPT_LOGIN_FAILED: return "AuthenticationFailed";
    case RF_MONGO_SCRIPT_NO_NAMESPACE: return "NamespaceNotFound";
    case RF_MONGO_SCRIPT_NAMESPACE_EXISTS: return "NamespaceExists";
    case RF_MONGO_SCRIPT_BAD_ID: return "InvalidIdField";
    case RF_MONGO_SCRIPT_NO_COMMAND: return "CommandNotFound";
    case RF_MONGO_SCRIPT_ID_CHANGED: return "ImmutableField";
    case RF_MONGO_SCRIPT_BAD_NAMESPACE: return "InvalidNamespace";
    case RF_MONGO_SCRIPT_NO_TRANSACTIONS: return "OperationNotSupportedInTransaction";
    case RF_MONGO_SCRIPT_NO_MECHANISM: return "MechanismUnavailable";
    case RF_MONGO_SCRIPT_NOT_PRIMARY: return "NotWritablePrimary";
    case RF_MONGO_SCRIPT_TOO_LARGE: return "BSONObjectTooLarge";
    case RF_MONGO_SCRIPT_DUPLICATE_KEY: return "DuplicateKey";
    case RF_MONGO_SCRIPT_NOT_PRIMARY_READ: return "NotPrimaryNoSecondaryOk";
    default: return "";
    }
}

void rf_mongo_script_store_refuse(const struct rf_error *err, bson_t *reply)
{
    rf_assert(BSON_APPEND_DOUBLE(reply, "ok", 0));
    rf_assert(BSON_APPEND_UTF8(reply, "errmsg", err->message));
    rf_assert(BSON_APPEND_INT32(reply, "code", err->code));
    rf_assert(BSON_APPEND_UTF8(reply, "codeName", code_name(err->code)));
}

/* -------------------------------------------------------------------- collections and databases */

static void tell(const struct rf_mongo_script_run *run, const char *type, const char *name,
                 const char *to)
{
    if (run->store->history != NULL) {
        rf_mongo_script_history_collection(run->store->history, type, name, to);
    }
}

static enum rf_status run_create(struct rf_mongo_script_run *run, struct rf_error *err)
{
    if (run->collection != NULL) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NAMESPACE_EXISTS,
                                      "Collection %s already exists.", run->name);
    }
    rf_mongo_script_collection(run->store, run->name, true);
    tell(run, "create", run->name, NULL);
    return RF_OK;
}

/* Within a database, and to a name that nobody has, or with dropTarget. */
static enum rf_status run_rename(struct rf_mongo_script_run *run, struct rf_error *err)
{
    bson_iter_t from, to;
    rf_assert(bson_iter_init_find(&from, run->command, "renameCollection") &&
              bson_iter_init_find(&to, run->command, "to"));
    const char *old_name = bson_iter_utf8(&from, NULL), *new_name = bson_iter_utf8(&to, NULL);
    struct rf_mongo_script_collection *old =
        rf_mongo_script_collection(run->store, old_name, false);
    struct rf_mongo_script_collection *target =
        rf_mongo_script_collection(run->store, new_name, false);
    if (old == NULL || strncmp(old_name, new_name, strcspn(old_name, ".") + 1) != 0 ||
        (target != NULL && !truth_of(run->command, "dropTarget", false))) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NO_NAMESPACE,
                                      "no such collection, or the new one is there");
    }
    run->store->quiet = true;
    if (target != NULL) {
        rf_mongo_script_collection_drop(run->store, target);
    }
    struct rf_mongo_script_collection *made =
        rf_mongo_script_collection(run->store, new_name, true);
    old = rf_mongo_script_collection(run->store, old_name, false);
    for (struct rf_mongo_script_document *each = old->first; each != NULL; each = each->below) {
        rf_mongo_script_document_put(run->store, made, bson_copy(each->bson));
    }
    rf_mongo_script_collection_drop(run->store, old);
    run->store->quiet = false;
    tell(run, "rename", old_name, new_name + strcspn(new_name, ".") + 1);
    return RF_OK;
}

static enum rf_status run_drop(struct rf_mongo_script_run *run, struct rf_error *err)
{
    if (run->collection == NULL) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NO_NAMESPACE, "ns not found");
    }
    rf_mongo_script_collection_drop(run->store, run->collection);
    run->collection = NULL;
    tell(run, "drop", run->name, NULL);
    rf_assert(BSON_APPEND_INT32(run->reply, "nIndexesWas", 1));
    rf_assert(BSON_APPEND_UTF8(run->reply, "ns", run->name));
    return RF_OK;
}

static bool is_in(const char *name, const char *database)
{
    size_t size = strlen(database);
    return strncmp(name, database, size) == 0 && name[size] == '.';
}

static enum rf_status run_drop_database(struct rf_mongo_script_run *run, struct rf_error *err)
{
    (void)err;
    for (size_t i = 0; i < run->store->collection_count;) {
        struct rf_mongo_script_collection *collection = run->store->collections[i];
        if (is_in(collection->name, run->database)) {
            tell(run, "drop", collection->name, NULL);
            rf_mongo_script_collection_drop(run->store, collection);
        } else {
            i++;
        }
    }
    tell(run, "dropDatabase", run->database, NULL);
    rf_assert(BSON_APPEND_UTF8(run->reply, "dropped", run->database));
    return RF_OK;
}

/* Takes what is listed, if the command's filter means it. */
static enum rf_status take_listed(struct rf_mongo_script_run *run, const bson_t *listed,
                                  struct rf_error *err)
{
    bson_t filter;
    bool matches = true;
    enum rf_status status = RF_OK;
    if (part_of(run->command, "filter", &filter)) {
        status = rf_mongo_script_match(&filter, listed, &matches, err);
    }
    if (status == RF_OK && matches) {
        append_item(&run->found, &run->found_count, listed);
    }
    return status;
}

static enum rf_status run_list_collections(struct rf_mongo_script_run *run, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    char name[RF_MONGO_SCRIPT_NAME_SIZE];
    for (size_t i = 0; i < run->store->collection_count && status == RF_OK; i++) {
        const char *whole = run->store->collections[i]->name;
        bson_t listed = BSON_INITIALIZER;
        if (is_in(whole, run->database)) {
            rf_assert(BSON_APPEND_UTF8(&listed, "name", strchr(whole, '.') + 1) &&
                      BSON_APPEND_UTF8(&listed, "type", "collection"));
            status = take_listed(run, &listed, err);
        }
        bson_destroy(&listed);
    }
    snprintf(name, sizeof name, "%s.$cmd.listCollections", run->database);
    rf_mongo_script_append_cursor(run, name);
    return status;
}

static enum rf_status run_list_databases(struct rf_mongo_script_run *run, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    const char *last = "";
    for (size_t i = 0; i < run->store->collection_count && status == RF_OK; i++) {
        const char *whole = run->store->collections[i]->name;
        size_t size = strcspn(whole, ".");
        bson_t listed = BSON_INITIALIZER;
        if (strncmp(whole, last, size + 1) != 0) {
            rf_assert(bson_append_utf8(&listed, "name", -1, whole, (int)size));
            rf_assert(BSON_APPEND_BOOL(&listed, "empty", false));
            status = take_listed(run, &listed, err);
        }
        bson_destroy(&listed);
        last = whole;
    }
    rf_assert(BSON_APPEND_ARRAY(run->reply, "databases", &run->found));
    return status;
}

/* --------------------------------------------------------------------------------- the commands */

struct verb {
    const char *name;
    rf_mongo_script_verb *run;
    bool names; /* its first field is a collection */
    bool counts;
};

static const struct verb verbs[] = {
    {"insert", rf_mongo_script_run_insert, true, true},
    {"update", rf_mongo_script_run_update, true, true},
    {"delete", rf_mongo_script_run_delete, true, true},
    {"find", rf_mongo_script_run_find, true, false},
    {"count", rf_mongo_script_run_count, true, true},
    {"findAndModify", rf_mongo_script_run_find_and_modify, true, false},
    {"findandmodify", rf_mongo_script_run_find_and_modify, true, false},
    {"create", run_create, true, false},
    {"drop", run_drop, true, false},
    {"dropDatabase", run_drop_database, false, false},
    {"renameCollection", run_rename, false, false},
    {"listCollections", run_list_collections, false, false},
    {"listDatabases", run_list_databases, false, false},
};

/* Finds the collection that the first field names. */
static enum rf_status name_collection(struct rf_mongo_script_run *run, const bson_iter_t *first,
                                      struct rf_error *err)
{
    const char *name = BSON_ITER_HOLDS_UTF8(first) ? bson_iter_utf8(first, NULL) : "";
    size_t database_size = strlen(run->database);
    bool bad_database = database_size == 0 || database_size > DATABASE_NAME_MAX ||
                        strcspn(run->database, "/\\. \"$*<>:|?") != database_size;
    if (bad_database || name[0] == '\0' || name[0] == '.' || strchr(name, '$') != NULL ||
        database_size + strlen(name) + 1 > NAMESPACE_MAX) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_BAD_NAMESPACE,
                                      "Invalid namespace specified '%s.%s'", run->database, name);
    }
    snprintf(run->name, sizeof run->name, "%s.%s", run->database, name);
    run->collection = rf_mongo_script_collection(run->store, run->name, false);
    return RF_OK;
}

static void answer(struct rf_mongo_script_run *run, const struct verb *verb, enum rf_status status,
                   const struct rf_error *err)
{
    if (status != RF_OK) {
        bson_reinit(run->reply);
        rf_mongo_script_store_refuse(err, run->reply);
        return;
    }
    if (verb->counts) {
        rf_assert(BSON_APPEND_INT32(run->reply, "n", run->done));
    }
    if (run->upserted_count > 0 && strcmp(verb->name, "update") == 0) {
        rf_assert(BSON_APPEND_ARRAY(run->reply, "upserted", &run->upserted));
    }
    if (run->failure_count > 0) {
        rf_assert(BSON_APPEND_ARRAY(run->reply, "writeErrors", &run->failures));
    }
    rf_assert(BSON_APPEND_DOUBLE(run->reply, "ok", 1));
}

bool rf_mongo_script_store_run(struct rf_mongo_script_store *store, const bson_t *command,
                               const bson_t *failing, bson_t *reply)
{
    bson_iter_t first, database;
    const struct verb *verb = NULL;
    rf_assert(bson_iter_init(&first, command) && bson_iter_next(&first));
    rf_assert(bson_iter_init_find(&database, command, "$db"));
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        verb = strcmp(verbs[i].name, bson_iter_key(&first)) == 0 ? &verbs[i] : verb;
    }
    if (verb == NULL) {
        return false;
    }
    struct rf_error err = {0};
    struct rf_mongo_script_run run = {.store = store,
                                      .command = command,
                                      .failing = failing,
                                      .reply = reply,
                                      .database = bson_iter_utf8(&database, NULL)};
    bson_init(&run.failures);
    bson_init(&run.upserted);
    bson_init(&run.found);
    enum rf_status status = verb->names ? name_collection(&run, &first, &err) : RF_OK;
    if (status == RF_OK) {
        status = verb->run(&run, &err);
    }
    answer(&run, verb, status, &err);
    bson_destroy(&run.failures);
    bson_destroy(&run.upserted);
    bson_destroy(&run.found);
    return true;
}
