/* Which deployment it is: a position of one means nothing in another.
 *
 * By the id that it has (net/mongo_who.h); where the user may not read it, or the server has none,
 * by our own document, written at the first start.
 *
 * A backup of the files brings the identity along. What gives it away is the deployment's logical
 * clock, which never goes back, when it is before the place; and, once something was written and
 * that clock has caught up with the wall's, that what was seen last is gone (mongodb_seen.c).
 *
 * Source: MongoDB Manual, "operationTime", "$clusterTime". */
#include "source/mongodb.h"

#include "net/mongo_who.h"
#include "wire/bson.h"

#include <rowferry/log.h>

#include <stdio.h>
#include <unistd.h>

const char rf_mongodb_source_set_back[] =
    "what came since the backup was carried to the sinks, and is no longer there: take a new "
    "snapshot of the collections, then set a new position; or check the address";

/* Members of sets and routers tell in each answer where their clock stands. */
static void note_clock(struct rf_mongodb_source *state, const bson_t *reply)
{
    static const char *const paths[] = {"operationTime", "$clusterTime.clusterTime"};
    bson_iter_t iter, found;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        uint32_t seconds, increment;
        if (!bson_iter_init(&iter, reply) || !bson_iter_find_descendant(&iter, paths[i], &found) ||
            !BSON_ITER_HOLDS_TIMESTAMP(&found)) {
            continue;
        }
        bson_iter_timestamp(&found, &seconds, &increment);
        uint64_t time = (uint64_t)seconds << 32 | increment;
        state->deployment_clock = time > state->deployment_clock ? time : state->deployment_clock;
    }
}

enum rf_status rf_mongodb_source_check_clock(const struct rf_mongodb_source *state,
                                             const struct rf_resume *place, struct rf_error *err)
{
    uint64_t clock = state->deployment_clock;
    uint64_t time = (uint64_t)place->seconds << 32 | place->increment;
    /* Without a token it is a time that we made. */
    if (clock == 0 || place->token.size == 0 || clock >= time) {
        return RF_OK;
    }
    rf_fail(err, RF_FATAL,
            "the clock of %s stands at %u.%u, before the position (%u.%u): it was set back, as by "
            "a backup that was restored",
            state->mongo.peer, (uint32_t)(clock >> 32), (uint32_t)clock, place->seconds,
            place->increment);
    rf_error_hint(err, "%s", rf_mongodb_source_set_back);
    return RF_FATAL;
}

enum rf_status rf_mongodb_source_run(struct rf_mongodb_source *state, size_t begin,
                                     const char *database, bson_t *reply, struct rf_error *err)
{
    bson_t command;
    rf_bson_end(&state->command, begin);
    bool valid =
        bson_init_static(&command, (const uint8_t *)state->command.data, state->command.size);
    rf_assert(valid);
    enum rf_status status = rf_mongo_run(&state->mongo, database, &command, reply, err);
    note_clock(state, reply);
    return status;
}

/* The server will not tell, whenever it is asked. Where it has told before, a refusal that may pass
 * must not make it another deployment; at the first time any will do that is not known to pass:
 * hosted services have codes of their own (8000, 303, 115), and our marker is as good. */
static bool never_tells(const struct rf_error *err, bool first)
{
    enum {
        UNAUTHORIZED = 13,
        NO_COMMAND = 59,
        NO_REPLICATION = 76,
    };
    return err->code == UNAUTHORIZED || err->code == NO_COMMAND || err->code == NO_REPLICATION ||
           (first && err->code != 0 && !rf_mongo_passes(err->code));
}

/* Asks the server, for the first time or again; *found is false where it does not know or may not
 * tell. */
static enum rf_status ask_server(struct rf_mongodb_source *state, bool first, struct rf_buf *who,
                                 bool *found, struct rf_error *err)
{
    bson_t reply;
    struct rf_error refusal = {0};
    enum rf_status status = rf_mongo_who(&state->mongo, who, found, &reply, &refusal);
    note_clock(state, &reply);
    bson_destroy(&reply);
    if (status == RF_OK || never_tells(&refusal, first)) {
        return RF_OK;
    }
    if (err != NULL) {
        *err = refusal;
    }
    return status == RF_REJECT ? RF_FATAL : status;
}

/* ----------------------------------------------------------------------------------- the marker */

static enum rf_status read_marker(struct rf_mongodb_source *state, struct rf_buf *who, bool *found,
                                  struct rf_error *err)
{
    bson_t reply;
    enum rf_status status = rf_mongo_who_marker(&state->mongo, who, found, &reply, err);
    note_clock(state, &reply);
    bson_destroy(&reply);
    return status;
}

static enum rf_status write_marker(struct rf_mongodb_source *state, struct rf_error *err)
{
    bson_t reply;
    unsigned char id[12];
    rf_assert(getentropy(id, sizeof id) == 0);
    rf_buf_reset(&state->command);
    size_t begin = rf_bson_begin(&state->command);
    rf_bson_add_utf8(&state->command, "insert", RF_STR(RF_MONGO_WHO_COLLECTION));
    size_t list = rf_bson_open(&state->command, RF_BSON_ARRAY, "documents");
    size_t document = rf_bson_open_item(&state->command, 0);
    rf_buf_add_byte(&state->command, RF_BSON_OBJECT_ID);
    rf_buf_add(&state->command, "_id", 4);
    rf_buf_add(&state->command, id, sizeof id);
    rf_bson_add_utf8(&state->command, "what",
                     RF_STR("rowferry tells this deployment from others by this document; a "
                            "position is void without it"));
    rf_bson_end(&state->command, document);
    rf_bson_end(&state->command, list);
    enum rf_status status = rf_mongodb_source_run(state, begin, RF_MONGODB_SOURCE_OWN, &reply, err);
    bson_destroy(&reply);
    return status;
}

static enum rf_status explain_rights(const struct rf_mongodb_source *state, enum rf_status status,
                                     struct rf_error *err)
{
    if (status == RF_CONFIG && err != NULL && err->access && state->user != NULL) {
        rf_error_hint(err,
                      "the deployment has to say who it is: grant the role clusterMonitor, or "
                      "readWrite on the database rowferry: db.grantRolesToUser(\"%s\", "
                      "[{role: \"clusterMonitor\", db: \"admin\"}])",
                      state->user);
    }
    if (status == RF_REJECT && err != NULL) {
        err->status = RF_FATAL;
    }
    return status == RF_REJECT ? RF_FATAL : status;
}

static enum rf_status ask_marker(struct rf_mongodb_source *state, bool create, struct rf_buf *who,
                                 bool *found, struct rf_error *err)
{
    enum rf_status status = read_marker(state, who, found, err);
    if (status == RF_OK && !*found && create) {
        status = write_marker(state, err);
        if (status == RF_OK) {
            /* Another process may have written one at the same time: the first one counts. */
            status = read_marker(state, who, found, err);
        }
    }
    return explain_rights(state, status, err);
}

enum rf_status rf_mongodb_source_who(struct rf_mongodb_source *state, struct rf_resume *place,
                                     struct rf_error *err)
{
    struct rf_buf who = {0};
    bool found = false, known = place->deployment.size > 0;
    bool by_marker = known && rf_str_starts(rf_buf_str(&place->deployment), RF_STR("marker="));
    enum rf_status status = by_marker ? RF_OK : ask_server(state, !known, &who, &found, err);
    if (status == RF_OK && !found && (by_marker || !known)) {
        status = ask_marker(state, !known, &who, &found, err);
    }
    if (status == RF_OK && !found) {
        status = by_marker ? RF_FATAL : RF_CONFIG;
        rf_fail(err, status, "%s does not say any more which deployment it is%s", state->mongo.peer,
                by_marker ? ": the document that we wrote into rowferry.deployment is gone" : "");
        rf_error_hint(err, by_marker ? "it lost its data or is another one: take a new snapshot, "
                                       "then set a new position"
                                     : "give back the right that it took (role clusterMonitor)");
    } else if (status == RF_OK && known &&
               !rf_str_equal(rf_buf_str(&who), rf_buf_str(&place->deployment))) {
        rf_fail(err, RF_FATAL,
                "%s is another deployment than that of the position: %.*s, and not "
                "%.*s",
                state->mongo.peer, RF_STR_ARG(rf_buf_str(&who)),
                RF_STR_ARG(rf_buf_str(&place->deployment)));
        rf_error_hint(err, "check the address; if it is to be this one from now on, take a new "
                           "snapshot, then set a new position");
        status = RF_FATAL;
    } else if (status == RF_OK) {
        rf_buf_set(&place->deployment, rf_buf_str(&who));
    }
    rf_buf_deinit(&who);
    return status;
}

enum rf_status rf_mongodb_source_who_tells(struct rf_mongodb_source *state, struct rf_buf *who,
                                           bool *found, struct rf_error *err)
{
    struct rf_error refusal = {0};
    enum rf_status status = ask_server(state, true, who, found, err);
    if (status == RF_OK && !*found) {
        status = read_marker(state, who, found, &refusal);
        bool broken = status != RF_OK && refusal.code == 0;
        if (broken && err != NULL) {
            *err = refusal;
        }
        status = broken ? status : RF_OK;
    }
    return status;
}

/* -------------------------------------------------------------------------------- what is there */

void rf_mongodb_source_warn(struct rf_mongodb_source *state)
{
    bson_t reply;
    bson_iter_t iter, first;
    struct rf_error ignored = {0};
    if (state->collection.size == 0) {
        return;
    }
    rf_buf_reset(&state->command);
    size_t begin = rf_bson_begin(&state->command);
    rf_bson_add_int32(&state->command, "listCollections", 1);
    size_t filter = rf_bson_open(&state->command, RF_BSON_DOCUMENT, "filter");
    rf_bson_add_utf8(&state->command, "name", rf_buf_str(&state->collection));
    rf_bson_end(&state->command, filter);
    rf_bson_add_bool(&state->command, "nameOnly", true);
    /* Who may not ask is not told. */
    enum rf_status status =
        rf_mongodb_source_run(state, begin, state->database.data, &reply, &ignored);
    if (status == RF_OK && bson_iter_init(&iter, &reply) &&
        bson_iter_find_descendant(&iter, "cursor.firstBatch", &first) &&
        BSON_ITER_HOLDS_ARRAY(&first) && bson_iter_recurse(&first, &iter) &&
        !bson_iter_next(&iter)) {
        rf_log(RF_LOG_WARN, "%s has no collection %s.%s yet; its changes come when it is made",
               state->mongo.peer, state->database.data, state->collection.data);
    }
    bson_destroy(&reply);
}
