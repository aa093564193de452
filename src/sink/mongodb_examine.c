/* What `rowferry doctor` says of a MongoDB server that rows are to go to: nothing is written, and
 * nothing is taken over.
 *
 * Source: MongoDB Manual, "connectionStatus", "Resource Document", "Privilege Actions". */
#include "net/mongo_rights.h"
#include "sink/mongodb_sink.h"

#include <stdlib.h>

enum { LACKS_SHOWN = 3 };

/* ----------------------------------------------------------------------------------- the rights */

/* What is done to a collection, as bits; in the order of the names. */
static const char *const actions[] = {"find", "insert", "update", "remove"};
enum {
    ACTION_COUNT = sizeof actions / sizeof *actions,
    OUR_ACTIONS = 7, /* of our own nothing is removed */
    ROW_ACTIONS = 15,
};

/* What is lacking so far, and the roles that would bring it. */
struct lacks {
    struct rf_buf text, roles;
    uint32_t count;
};

static void note_lack(struct lacks *lacks, unsigned missing, const char *database,
                      const char *collection)
{
    struct rf_buf role = {0};
    rf_buf_printf(&role, "{role: \"readWrite\", db: \"%s\"}", database);
    if (lacks->roles.size == 0 || strstr(rf_buf_cstr(&lacks->roles), rf_buf_cstr(&role)) == NULL) {
        rf_buf_printf(&lacks->roles, "%s%s", lacks->roles.size > 0 ? ", " : "", role.data);
    }
    rf_buf_deinit(&role);
    if (++lacks->count > LACKS_SHOWN) {
        return;
    }
    rf_buf_add_str(&lacks->text, lacks->count > 1 ? RF_STR("; ") : RF_STR_NONE);
    const char *between = "";
    for (unsigned i = 0; i < ACTION_COUNT; i++) {
        if ((missing >> i & 1) != 0) {
            rf_buf_printf(&lacks->text, "%s%s", between, actions[i]);
            between = ", ";
        }
    }
    rf_buf_printf(&lacks->text, " on %s.%s", database, collection);
}

static void look_for_lack(struct lacks *lacks, const bson_iter_t *privileges, unsigned needed,
                          const char *database, const char *collection)
{
    unsigned missing =
        needed & ~rf_mongo_granted(privileges, database, collection, actions, ACTION_COUNT);
    if (missing != 0) {
        note_lack(lacks, missing, database, collection);
    }
}

static void examine_rights(struct rf_mongodb_sink *sink, const struct rf_context *ctx,
                           const bson_iter_t *privileges, struct rf_findings *findings)
{
    struct lacks lacks = {0};
    struct rf_buf fix = {0};
    look_for_lack(&lacks, privileges, OUR_ACTIONS, RF_MONGODB_OWN, RF_MONGODB_POSITIONS);
    look_for_lack(&lacks, privileges, OUR_ACTIONS, RF_MONGODB_OWN, RF_MONGODB_TABLES);
    for (uint32_t i = 0; i < ctx->table_count; i++) {
        struct rf_mongodb_table *table;
        if (rf_mongodb_table_get(sink, ctx->tables[i].database, ctx->tables[i].name, &table,
                                 NULL) == RF_OK) {
            look_for_lack(&lacks, privileges, ROW_ACTIONS, table->database.data,
                          table->collection.data);
        }
    }
    struct rf_finding finding = {
        .what = "rights", .found = "granted", .needed = "readWrite on rowferry and where rows go"};
    if (lacks.count > LACKS_SHOWN) {
        rf_buf_printf(&lacks.text, "; and %u more", lacks.count - LACKS_SHOWN);
    }
    if (lacks.count > 0) {
        rf_buf_printf(&fix, "db.grantRolesToUser(\"%s\", [%s])", sink->user ? sink->user : "USER",
                      rf_buf_cstr(&lacks.roles));
        finding.verdict = RF_FINDING_WRONG;
        finding.why = "rows and the position cannot be written";
        finding.fix = rf_buf_cstr(&fix);
        rf_finding_add_text(findings, finding, "lacking: %s", rf_buf_cstr(&lacks.text));
    } else {
        rf_finding_add(findings, finding);
    }
    rf_buf_deinit(&lacks.text);
    rf_buf_deinit(&lacks.roles);
    rf_buf_deinit(&fix);
}

/* Nobody: the server lets everybody in. */
void rf_mongodb_examine_login(struct rf_mongodb_sink *sink, const struct rf_context *ctx,
                              struct rf_findings *findings)
{
    struct rf_error ignored = {0};
    bson_t *command =
        BCON_NEW("connectionStatus", BCON_INT32(1), "showPrivileges", BCON_BOOL(true));
    bson_t reply;
    bson_iter_t at, users, first, privileges;
    enum rf_status status = rf_mongo_run(&sink->mongo, "admin", command, &reply, &ignored);

    if (status == RF_OK && bson_iter_init(&at, &reply) &&
        bson_iter_find_descendant(&at, "authInfo.authenticatedUsers", &users) &&
        bson_iter_recurse(&users, &first)) {
        bool known = bson_iter_next(&first);
        rf_finding_add(findings,
                       (struct rf_finding){.verdict = known ? RF_FINDING_FINE : RF_FINDING_ADVICE,
                                           .what = "log-in",
                                           .found = known ? "by password" : "none",
                                           .needed = "by password",
                                           .why = known ? NULL : "everybody may write there",
                                           .fix = known ? NULL
                                                        : "turn on authorization, and make a user "
                                                          "with readWrite on the databases that "
                                                          "are written, and on rowferry"});
        if (known && bson_iter_init(&at, &reply) &&
            bson_iter_find_descendant(&at, "authInfo.authenticatedUserPrivileges", &privileges)) {
            examine_rights(sink, ctx, &privileges, findings);
        } else if (known) {
            rf_finding_add(findings, (struct rf_finding){.verdict = RF_FINDING_UNKNOWN,
                                                         .what = "rights",
                                                         .why = "the server does not tell"});
        }
    } else {
        rf_finding_add(findings, (struct rf_finding){.verdict = RF_FINDING_UNKNOWN,
                                                     .what = "log-in",
                                                     .why = "the server does not tell"});
    }
    bson_destroy(&reply);
    bson_destroy(command);
}

/* ------------------------------------------------------------------------------------- the rest */

void rf_mongodb_examine_set(const struct rf_mongodb_sink *sink, struct rf_findings *findings)
{
    const char *name = sink->mongo.set_name;
    bool set = sink->mongo.mongos || (name != NULL && name[0] != '\0');
    struct rf_finding finding = {.what = "replica set", .needed = "one"};

    if (set) {
        rf_finding_add_text(findings, finding, "%s", sink->mongo.mongos ? "behind mongos" : name);
        return;
    }
    finding.verdict = RF_FINDING_ADVICE;
    finding.found = "none";
    finding.why = "what it confirms is on one machine only, and no other one takes over";
    finding.fix = "start mongod with --replSet, and initiate the set";
    rf_finding_add(findings, finding);
}

enum rf_status rf_mongodb_examine_tables(struct rf_mongodb_sink *sink, const struct rf_context *ctx,
                                         struct rf_findings *findings, struct rf_error *err)
{
    struct rf_error why = {0};
    uint32_t fine = 0;
    enum rf_status status = rf_mongodb_records_read(sink, &why);
    for (uint32_t i = 0; i < ctx->table_count && status == RF_OK; i++) {
        struct rf_mongodb_table *table = NULL;
        why = (struct rf_error){0};
        status = rf_mongodb_table_examine(sink, ctx->tables[i].database, ctx->tables[i].name,
                                          &table, &why);
        if (status == RF_CONFIG && !why.access) {
            rf_finding_add(findings, (struct rf_finding){.verdict = RF_FINDING_WRONG,
                                                         .what = "collection",
                                                         .found = table->space.data,
                                                         .why = why.message,
                                                         .fix = why.hint[0] ? why.hint : NULL});
            status = RF_OK;
        } else {
            fine += status == RF_OK;
        }
    }
    if (status == RF_CONFIG && why.access) { /* the rights say what is lacking */
        rf_finding_add(findings, (struct rf_finding){.verdict = RF_FINDING_UNKNOWN,
                                                     .what = "collections",
                                                     .why = why.message});
        return RF_OK;
    }
    if (status == RF_OK && fine > 0) {
        rf_finding_add_text(findings,
                            (struct rf_finding){.what = "collections", .needed = "free for us"},
                            "%u, free or ours", fine);
    }
    if (status != RF_OK && err != NULL) {
        *err = why;
    }
    return status;
}
