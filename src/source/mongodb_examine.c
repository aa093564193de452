/* What `rowferry doctor` says of a MongoDB deployment.
 *
 * A stream is opened as `open` does, and ended again; a position is held against the deployment by
 * what `open` goes by. Nothing is written: the marker of a deployment that does not say who it is
 * (mongodb_who.c) is made by the first start.
 *
 * Source: MongoDB Manual, "connectionStatus", "listCollections", "collStats", "Replica Set Oplog",
 * "Change Streams with Document Pre- and Post-Images". */
#include "net/mongo_rights.h"
#include "net/tls.h"
#include "source/mongodb.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    DAY_S = 24 * 3600,
    KEPT_S_LEAST = DAY_S,
    SHOWN = 3,
    LIST_MAX = 100000, /* collections of a database, in one answer */
};

/* The connection has broken, as opposed to: the server does not want to. */
static bool is_broken(enum rf_status status, const struct rf_error *why)
{
    return status != RF_OK && why->code == 0;
}

/* Runs the command, and frees it. */
static enum rf_status ask(struct rf_mongodb_source *state, const char *database, bson_t *command,
                          bson_t *reply, struct rf_error *why)
{
    enum rf_status status = rf_mongo_run(&state->mongo, database, command, reply, why);
    bson_destroy(command);
    return status;
}

static const char *user_of(const struct rf_mongodb_source *state)
{
    return state->user != NULL && state->user[0] != '\0' ? state->user : NULL;
}

/* A statement that gives the user a role. */
static void add_grant(const struct rf_mongodb_source *state, struct rf_buf *out, const char *role,
                      const char *database)
{
    const char *user = user_of(state);
    rf_buf_printf(out, "db.grantRolesToUser(\"%s\", [{role: \"%s\", db: \"%s\"}])",
                  user != NULL ? user : "USER", role, database);
    rf_buf_cstr(out);
}

/* ---- The server ------------------------------------------------------------------------------ */

static bool is_set(const struct rf_mongodb_source *state)
{
    return state->mongo.mongos || (state->mongo.set_name != NULL && state->mongo.set_name[0]);
}

static void examine_server(const struct rf_mongodb_source *state, struct rf_findings *findings)
{
    const char *version = state->mongo.version;
    struct rf_tls_options tls = {.mode = (enum rf_tls_mode)state->tls};
    bool old = state->collection.size == 0 && state->mongo.max_wire < RF_MONGO_WIRE_4_0;
    struct rf_finding finding = {
        .what = "server",
        .verdict = old ? RF_FINDING_WRONG : RF_FINDING_FINE,
        .needed = old ? "4.0 or later" : "3.6 or later",
        .why = old ? "it has change streams of single collections only" : NULL,
        .fix = old ? "name one collection (DATABASE.COLLECTION), or use a later version" : NULL};
    rf_finding_add_text(findings, finding, "MongoDB %s",
                        version != NULL && version[0] ? version : "of unknown version");
    rf_finding_add_encryption(findings, rf_tls_wanted(&tls, state->host), state->tls_verify,
                              rf_host_is_loopback(state->host));
}

/* `refused`: whoever does not log in may not read. */
static void examine_login(const struct rf_mongodb_source *state, bool refused,
                          struct rf_findings *findings)
{
    bool known = user_of(state) != NULL;
    bool open = !known && !refused;
    rf_finding_add(findings,
                   (struct rf_finding){
                       .verdict = open ? RF_FINDING_ADVICE : RF_FINDING_FINE,
                       .what = "log-in",
                       .found = known ? "by password" : "none",
                       .needed = "by password",
                       .why = open ? "everybody may read and write there" : NULL,
                       .fix = open ? "turn on authorization, and make a user with the role read on "
                                     "what is captured"
                                   : NULL});
}

static void examine_set(const struct rf_mongodb_source *state, bool reads,
                        struct rf_findings *findings)
{
    struct rf_finding finding = {.what = "replica set", .needed = "one, be it of one member"};
    if (is_set(state)) {
        rf_finding_add_text(findings, finding, "%s",
                            state->mongo.mongos ? "behind mongos" : state->mongo.set_name);
        return;
    }
    finding.found = "none";
    if (!reads) {
        finding.verdict = RF_FINDING_WRONG;
        finding.why = "only a replica set keeps the log that changes are read from";
        finding.fix = "start mongod with --replSet, and run rs.initiate()";
    }
    rf_finding_add(findings, finding);
}

/* ---- The stream ------------------------------------------------------------------------------ */

static void print_scope(const struct rf_mongodb_source *state, struct rf_buf *out)
{
    if (state->collection.size > 0) {
        rf_buf_printf(out, "%s.%s", state->database.data, state->collection.data);
    } else if (state->database.size > 0) {
        rf_buf_printf(out, "the database %s", state->database.data);
    } else {
        rf_buf_printf(out, "all databases");
    }
    rf_buf_cstr(out);
}

static void add_lacking_right(const struct rf_mongodb_source *state, const char *scope,
                              const struct rf_error *why, struct rf_findings *findings)
{
    bool all = state->database.size == 0;
    struct rf_buf fix = {0}, needed = {0};
    rf_buf_printf(&needed, "changeStream and find on %s", scope);
    if (user_of(state) == NULL) {
        rf_buf_printf(&fix, "set user and password, of a user with the role %s",
                      all ? "readAnyDatabase" : "read");
    } else {
        add_grant(state, &fix, all ? "readAnyDatabase" : "read",
                  all ? "admin" : state->database.data);
    }
    rf_finding_add(findings, (struct rf_finding){.verdict = RF_FINDING_WRONG,
                                                 .what = "rights",
                                                 .found = "not granted",
                                                 .needed = rf_buf_cstr(&needed),
                                                 .why = why->message,
                                                 .fix = rf_buf_cstr(&fix)});
    rf_buf_deinit(&fix);
    rf_buf_deinit(&needed);
}

/* Opens a stream as a start does, and ends it; *reads: there was one; *refused: for want of rights.
 * Returns RF_OK; RF_RETRY. */
static enum rf_status examine_stream(struct rf_mongodb_source *state, bool *reads, bool *refused,
                                     struct rf_findings *findings, struct rf_error *err)
{
    struct rf_error why = {0};
    struct rf_buf scope = {0};
    enum rf_status status = rf_mongodb_source_stream_open(state, &why);
    *reads = status == RF_OK;
    *refused = why.access;
    print_scope(state, &scope);
    if (*reads) {
        rf_mongodb_source_end_cursor(state, state->cursor);
        rf_finding_add_text(findings, (struct rf_finding){.what = "change stream"}, "%s",
                            scope.data);
    } else if (status == RF_RETRY && is_broken(status, &why)) {
        if (err != NULL) {
            *err = why;
        }
        rf_buf_deinit(&scope);
        return status;
    } else if (why.access) {
        add_lacking_right(state, scope.data, &why, findings);
    } else if (status == RF_RETRY) {
        rf_finding_add(findings, (struct rf_finding){.verdict = RF_FINDING_UNKNOWN,
                                                     .what = "change stream",
                                                     .found = "not now",
                                                     .why = why.message});
    } else if (is_set(state)) { /* else that is why */
        rf_finding_add_error(findings, "change stream", &why);
    }
    rf_buf_deinit(&scope);
    rf_mongodb_source_stream_close(state);
    rf_resume_deinit(&state->read);
    return RF_OK;
}

/* ---- Which deployment it is ------------------------------------------------------------------ */

/* Whether the user may read and write our marker; false: it is not told. */
static bool may_mark(struct rf_mongodb_source *state, bool *may)
{
    static const char *const actions[] = {"find", "insert"};
    struct rf_error ignored = {0};
    bson_t reply;
    bson_iter_t at, list;
    *may = user_of(state) == NULL;
    if (*may) {
        return true;
    }
    enum rf_status status =
        ask(state, "admin",
            BCON_NEW("connectionStatus", BCON_INT32(1), "showPrivileges", BCON_BOOL(true)), &reply,
            &ignored);
    bool told = status == RF_OK && bson_iter_init(&at, &reply) &&
                bson_iter_find_descendant(&at, "authInfo.authenticatedUserPrivileges", &list);
    *may = told && rf_mongo_granted(&list, RF_MONGODB_SOURCE_OWN, "deployment", actions, 2) == 3;
    bson_destroy(&reply);
    return told;
}

/* Returns RF_OK; RF_RETRY. */
static enum rf_status examine_who(struct rf_mongodb_source *state, struct rf_findings *findings,
                                  struct rf_error *err)
{
    struct rf_buf who = {0}, fix = {0};
    struct rf_finding finding = {.what = "deployment",
                                 .needed = "its id, or a document of ours in rowferry.deployment"};
    struct rf_error why = {0};
    bool found = false, may = false;
    enum rf_status status = rf_mongodb_source_who_tells(state, &who, &found, &why);
    if (is_broken(status, &why)) {
        if (err != NULL) {
            *err = why;
        }
        rf_buf_deinit(&who);
        return status;
    }
    if (status != RF_OK) {
        finding.verdict = RF_FINDING_UNKNOWN;
        finding.found = "not told";
        finding.why = why.message;
    } else if (found) {
        finding.found = rf_buf_cstr(&who);
    } else if (!may_mark(state, &may)) {
        finding.verdict = RF_FINDING_UNKNOWN;
        finding.found = "not told";
        finding.why = "it does not say which one it is, nor whether this user may write that "
                      "document";
    } else if (may) {
        finding.found = "it does not say; the first start writes such a document";
    } else {
        add_grant(state, &fix, "clusterMonitor", "admin");
        finding.verdict = RF_FINDING_WRONG;
        finding.found = "it does not say";
        finding.why = "a position must never be used for another deployment";
        finding.fix = fix.data;
    }
    rf_finding_add(findings, finding);
    rf_buf_deinit(&who);
    rf_buf_deinit(&fix);
    return RF_OK;
}

/* ---- Collections ----------------------------------------------------------------------------- */

/* What the collections that are picked lack of images. */
struct lacks {
    struct rf_buf names, fix;
    uint32_t count;
};

static bool wants_images(const struct rf_mongodb_source *state)
{
    return state->asked >= RF_MONGODB_IMAGES_WHEN_AVAILABLE;
}

static void note_lack(struct lacks *lacks, const char *database, const char *collection)
{
    if (++lacks->count > SHOWN) {
        return;
    }
    rf_buf_printf(&lacks->names, "%s%s.%s", lacks->count > 1 ? ", " : "", database, collection);
    rf_buf_printf(&lacks->fix,
                  "%sdb.getSiblingDB(\"%s\").runCommand({collMod: \"%s\", "
                  "changeStreamPreAndPostImages: {enabled: true}})",
                  lacks->count > 1 ? "; " : "", database, collection);
}

static const char *text_of(const bson_iter_t *document, const char *name)
{
    bson_iter_t iter;
    return bson_iter_recurse(document, &iter) && bson_iter_find(&iter, name) &&
                   BSON_ITER_HOLDS_UTF8(&iter)
               ? bson_iter_utf8(&iter, NULL)
               : "";
}

static void take_collection(struct rf_mongodb_source *state, const char *database,
                            const bson_iter_t *item, struct lacks *lacks,
                            struct rf_findings *findings)
{
    const char *name = text_of(item, "name"), *type = text_of(item, "type");
    bson_iter_t iter, enabled;
    rf_buf_reset(&state->text);
    rf_buf_printf(&state->text, "%s.%s", database, name);
    if (name[0] == '\0' || strncmp(name, "system.", 7) == 0 ||
        (type[0] != '\0' && strcmp(type, "collection") != 0) ||
        !rf_pick_table(&state->pick, rf_buf_str(&state->text))) {
        return;
    }
    rf_finding_add_table(findings, rf_str_of(database), rf_str_of(name));
    bool keeps = bson_iter_recurse(item, &iter) &&
                 bson_iter_find_descendant(&iter, "options.changeStreamPreAndPostImages.enabled",
                                           &enabled) &&
                 bson_iter_as_bool(&enabled);
    if (!keeps) {
        note_lack(lacks, database, name);
    }
}

/* Returns as rf_mongo_run. */
static enum rf_status list_collections(struct rf_mongodb_source *state, const char *database,
                                       struct lacks *lacks, struct rf_findings *findings,
                                       struct rf_error *why)
{
    bson_t reply;
    bson_iter_t at, list;
    bool names = !wants_images(state); /* which takes no more rights than to read them */
    bson_t *command = BCON_NEW("listCollections", BCON_INT32(1), "cursor", "{", "batchSize",
                               BCON_INT32(LIST_MAX), "}", "nameOnly", BCON_BOOL(names));
    if (names && state->mongo.max_wire >= RF_MONGO_WIRE_4_0) {
        rf_assert(BSON_APPEND_BOOL(command, "authorizedCollections", true));
    }
    enum rf_status status = ask(state, database, command, &reply, why);
    if (status == RF_OK && bson_iter_init(&at, &reply) &&
        bson_iter_find_descendant(&at, "cursor.firstBatch", &list) &&
        bson_iter_recurse(&list, &at)) {
        while (bson_iter_next(&at)) {
            take_collection(state, database, &at, lacks, findings);
        }
    }
    bson_destroy(&reply);
    return status;
}

static bool is_of_the_server(const char *database)
{
    static const char *const names[] = {"admin", "local", "config", RF_MONGODB_SOURCE_OWN, NULL};
    const char *const *name = names;
    while (*name != NULL && strcmp(*name, database) != 0) {
        name++;
    }
    return *name != NULL;
}

static enum rf_status list_databases(struct rf_mongodb_source *state, struct lacks *lacks,
                                     struct rf_findings *findings, struct rf_error *why)
{
    bson_t reply;
    bson_iter_t at, list;
    enum rf_status status =
        ask(state, "admin", BCON_NEW("listDatabases", BCON_INT32(1), "nameOnly", BCON_BOOL(true)),
            &reply, why);
    bool there = status == RF_OK && bson_iter_init_find(&at, &reply, "databases") &&
                 bson_iter_recurse(&at, &list);
    while (there && status == RF_OK && bson_iter_next(&list)) {
        const char *name = text_of(&list, "name");
        if (!is_of_the_server(name) && rf_pick_database(&state->pick, rf_str_of(name))) {
            status = list_collections(state, name, lacks, findings, why);
        }
    }
    bson_destroy(&reply);
    return status;
}

static void examine_images(const struct rf_mongodb_source *state, struct lacks *lacks,
                           struct rf_findings *findings)
{
    bool required = state->asked == RF_MONGODB_IMAGES_REQUIRED;
    struct rf_finding finding = {.what = "images", .found = "kept", .needed = "kept"};
    if (lacks->count > SHOWN) {
        rf_buf_printf(&lacks->names, " and %u more", lacks->count - SHOWN);
        rf_buf_printf(&lacks->fix, "; and so on");
    }
    if (lacks->count == 0) {
        rf_finding_add(findings, finding);
        return;
    }
    finding.verdict = required ? RF_FINDING_WRONG : RF_FINDING_ADVICE;
    finding.why = required ? "images=required stops at the first change without one"
                           : "a change has no images there: an update is what it changed alone";
    finding.fix = rf_buf_cstr(&lacks->fix);
    rf_finding_add_text(findings, finding, "not kept by %s", rf_buf_cstr(&lacks->names));
}

/* Those that would be captured, for the sinks to look at, and what they keep. Returns RF_OK;
 * RF_RETRY. */
static enum rf_status examine_collections(struct rf_mongodb_source *state,
                                          struct rf_findings *findings, struct rf_error *err)
{
    struct lacks lacks = {0};
    struct rf_error why = {0};
    struct rf_finding finding = {.what = "collections"};
    enum rf_status status =
        state->database.size > 0
            ? list_collections(state, state->database.data, &lacks, findings, &why)
            : list_databases(state, &lacks, findings, &why);
    if (is_broken(status, &why)) {
        if (err != NULL) {
            *err = why;
        }
    } else if (status != RF_OK) {
        finding.verdict = RF_FINDING_UNKNOWN;
        finding.found = "not told";
        finding.why = why.message;
        rf_finding_add(findings, finding);
        status = RF_OK;
    } else {
        if (findings->table_count == 0) {
            finding.verdict = RF_FINDING_ADVICE;
            finding.needed = "1 or more";
            finding.why = "nothing comes until there is one; a name may be mistyped";
            finding.fix = "check the names; or make them, and their changes come";
        }
        rf_finding_add_text(findings, finding, "%u", findings->table_count);
        if (wants_images(state) && findings->table_count > 0) {
            examine_images(state, &lacks, findings);
        }
    }
    rf_buf_deinit(&lacks.names);
    rf_buf_deinit(&lacks.fix);
    return status;
}

/* ---- The log --------------------------------------------------------------------------------- */

struct log {
    bool known;   /* where it begins */
    bool growing; /* it has room, so nothing of it goes yet */
    uint32_t first, first_increment, last;
};

/* "9.2 d", "5.0 h", "40 s". */
static void print_time(char *out, size_t size, int64_t seconds)
{
    if (seconds >= 2 * DAY_S) {
        snprintf(out, size, "%.1f d", (double)seconds / DAY_S);
    } else if (seconds >= 3600) {
        snprintf(out, size, "%.1f h", (double)seconds / 3600);
    } else {
        snprintf(out, size, "%lld s", (long long)seconds);
    }
}

/* The time of the first or the last entry; 0: there is none. Returns as rf_mongo_run. */
static enum rf_status ask_end(struct rf_mongodb_source *state, int32_t order, uint32_t *seconds,
                              uint32_t *increment, struct rf_error *why)
{
    bson_t reply;
    bson_iter_t at, found;
    enum rf_status status =
        ask(state, "local",
            BCON_NEW("find", BCON_UTF8("oplog.rs"), "sort", "{", "$natural", BCON_INT32(order), "}",
                     "projection", "{", "ts", BCON_INT32(1), "}", "limit", BCON_INT32(1),
                     "singleBatch", BCON_BOOL(true)),
            &reply, why);
    *seconds = *increment = 0;
    if (status == RF_OK && bson_iter_init(&at, &reply) &&
        bson_iter_find_descendant(&at, "cursor.firstBatch.0.ts", &found) &&
        BSON_ITER_HOLDS_TIMESTAMP(&found)) {
        bson_iter_timestamp(&found, seconds, increment);
    }
    bson_destroy(&reply);
    return status;
}

/* Whether a tenth or more of the room that it may take is free; who may not ask is told no. */
static enum rf_status ask_room(struct rf_mongodb_source *state, bool *growing, struct rf_error *why)
{
    bson_t reply;
    bson_iter_t size, most;
    enum rf_status status =
        ask(state, "local", BCON_NEW("collStats", BCON_UTF8("oplog.rs")), &reply, why);
    *growing = status == RF_OK && bson_iter_init_find(&size, &reply, "size") &&
               bson_iter_init_find(&most, &reply, "maxSize") && BSON_ITER_HOLDS_NUMBER(&size) &&
               BSON_ITER_HOLDS_NUMBER(&most) &&
               bson_iter_as_double(&size) < 0.9 * bson_iter_as_double(&most);
    bson_destroy(&reply);
    return is_broken(status, why) ? status : RF_OK;
}

static void judge_log(const struct rf_mongodb_source *state, const struct log *log,
                      struct rf_findings *findings)
{
    char kept[64];
    int64_t seconds = log->last > log->first ? (int64_t)log->last - log->first : 0;
    bool brief = seconds < KEPT_S_LEAST && !log->growing;
    struct rf_finding finding = {.what = "log kept", .needed = "1 d or longer"};
    if (brief) {
        finding.verdict = RF_FINDING_ADVICE;
        finding.why = "a pipeline that stands still for longer has lost its place for good";
        finding.fix = state->mongo.max_wire >= RF_MONGO_WIRE_4_4
                          ? "on each member: db.adminCommand({replSetResizeOplog: 1, "
                            "minRetentionHours: 24}), or a larger size (MB)"
                          : "on each member: db.adminCommand({replSetResizeOplog: 1, size: MB}), "
                            "with a larger size";
    }
    print_time(kept, sizeof kept, seconds);
    rf_finding_add_text(findings, finding, "%s%s", kept,
                        log->growing ? ", and there is room for more" : "");
}

/* Returns RF_OK; RF_RETRY. */
static enum rf_status examine_log(struct rf_mongodb_source *state, struct log *log,
                                  struct rf_findings *findings, struct rf_error *err)
{
    struct rf_error why = {0};
    struct rf_buf fix = {0};
    uint32_t increment;
    struct rf_finding finding = {
        .verdict = RF_FINDING_UNKNOWN, .what = "log kept", .found = "not told"};
    enum rf_status status = RF_OK;
    if (state->mongo.mongos) {
        finding.why = "a router does not show the logs of its shards";
        rf_finding_add(findings, finding);
        return RF_OK;
    }
    status = ask_end(state, 1, &log->first, &log->first_increment, &why);
    if (status == RF_OK) {
        status = ask_end(state, -1, &log->last, &increment, &why);
    }
    if (status == RF_OK) {
        status = ask_room(state, &log->growing, &why);
    }
    log->known = status == RF_OK && log->first != 0;
    if (is_broken(status, &why)) {
        if (err != NULL) {
            *err = why;
        }
        return status;
    }
    if (log->known) {
        judge_log(state, log, findings);
    } else {
        finding.why = status != RF_OK ? why.message : "the server shows no entry of local.oplog.rs";
        if (why.access) {
            add_grant(state, &fix, "read", "local");
            finding.fix = fix.data;
        }
        rf_finding_add(findings, finding);
    }
    rf_buf_deinit(&fix);
    return RF_OK;
}

/* ---- Positions ------------------------------------------------------------------------------- */

static void judge_position(const struct rf_recorded *recorded, const struct rf_resume *place,
                           const struct log *log, struct rf_findings *findings)
{
    char left[64];
    struct rf_finding finding = {.what = "position"};
    bool gone =
        log->known && (place->seconds < log->first ||
                       (place->seconds == log->first && place->increment < log->first_increment));
    if (!log->known) {
        finding.verdict = RF_FINDING_UNKNOWN;
        finding.why = "whether the log still has what comes behind it, is not told";
        rf_finding_add_text(findings, finding, "%s: %u.%u", recorded->sink, place->seconds,
                            place->increment);
    } else if (gone) {
        finding.verdict = RF_FINDING_WRONG;
        finding.why = "what comes behind it is no longer in the log";
        finding.fix = "take a new snapshot of the collections, then set a new position";
        rf_finding_add_text(findings, finding, "%s: %u.%u", recorded->sink, place->seconds,
                            place->increment);
    } else if (log->growing) {
        rf_finding_add_text(findings, finding, "%s: %u.%u, which is there", recorded->sink,
                            place->seconds, place->increment);
    } else { /* at the pace at which it came */
        int64_t left_s = (int64_t)place->seconds - log->first;
        print_time(left, sizeof left, left_s);
        if (left_s < KEPT_S_LEAST) {
            finding.verdict = RF_FINDING_ADVICE;
            finding.why = "once the log goes on over it, it is lost";
            finding.fix = "start the pipeline, or have the server keep its log for longer";
        }
        rf_finding_add_text(findings, finding, "%s: %u.%u, there for about %s", recorded->sink,
                            place->seconds, place->increment, left);
    }
}

/* As `open` looks at it. Returns RF_OK; RF_RETRY. */
static enum rf_status examine_position(struct rf_mongodb_source *state,
                                       const struct rf_recorded *recorded, const struct log *log,
                                       struct rf_findings *findings, struct rf_error *err)
{
    struct rf_resume place;
    struct rf_error why = {0};
    struct rf_finding finding = {.what = "position"};
    enum rf_status status = rf_resume_parse(&place, recorded->position, &why);
    bool parsed = status == RF_OK;
    if (status == RF_OK) {
        status = rf_mongodb_source_who(state, &place, &why);
    }
    if (status == RF_OK && !state->mongo.mongos) {
        status = rf_mongodb_source_check_clock(state, &place, &why);
    }
    if (status == RF_OK) {
        status = rf_mongodb_source_check_seen(state, &place, &why);
    }
    if (status == RF_OK) {
        judge_position(recorded, &place, log, findings);
    } else if (status == RF_RETRY && is_broken(status, &why)) {
        if (err != NULL) {
            *err = why;
        }
    } else {
        finding.verdict = status == RF_RETRY || !parsed ? RF_FINDING_UNKNOWN : RF_FINDING_WRONG;
        finding.why = why.message;
        finding.fix = why.hint[0] != '\0' ? why.hint : NULL;
        rf_finding_add_text(findings, finding, "%s%s", recorded->sink, parsed ? "" : ": not ours");
    }
    rf_resume_deinit(&place);
    return status == RF_RETRY && why.code == 0 ? status : RF_OK;
}

/* ---------------------------------------------------------------------------------------------- */

enum rf_status rf_mongodb_source_examine(void *memory, const struct rf_context *ctx,
                                         struct rf_findings *findings, struct rf_error *err)
{
    struct rf_mongodb_source *state = memory;
    struct log log = {0};
    bool reads = false, refused = false;
    enum rf_status status = rf_mongodb_source_connect(state, ctx, err);
    if (status != RF_OK) {
        return status;
    }
    examine_server(state, findings);
    status = examine_stream(state, &reads, &refused, findings, err);
    if (status == RF_OK) {
        examine_login(state, refused, findings);
        examine_set(state, reads, findings);
    }
    bool streams = reads || is_set(state); /* else there is no log either */
    if (status == RF_OK && streams) {
        status = examine_who(state, findings, err);
    }
    if (status == RF_OK && reads) {
        status = examine_collections(state, findings, err);
    }
    if (status == RF_OK && streams) {
        status = examine_log(state, &log, findings, err);
    }
    for (uint32_t i = 0; i < ctx->recorded_count && status == RF_OK && streams; i++) {
        status = examine_position(state, &ctx->recorded[i], &log, findings, err);
    }
    return status;
}
