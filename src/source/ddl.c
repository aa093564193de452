#include "source/ddl.h"

#include "event/name.h"
#include "source/statement.h"

struct filter {
    const struct rf_pick *pick, *loose;
    struct rf_arena *arena;
};

/* What a statement concerns, its names as the server compares them. */
struct concern {
    bool truncates;
    bool owner_known, object_known; /* how the server compares this name is known */
    struct rf_str database;         /* the default one */
    struct rf_str owner;            /* the database of the object */
    struct rf_str object;
};
enum verdict { LEAVES, PICKS, UNSURE };

static bool fold(const struct filter *filter, struct rf_str *name)
{
    if (name->size == 0 || (!filter->pick->folds && filter->loose == NULL)) {
        return true;
    }
    char *copy = rf_arena_alloc(filter->arena, name->size);
    bool known = rf_name_fold(copy, *name);
    if (filter->pick->folds) {
        name->data = copy;
    }
    return known;
}

static struct concern concern_of(const struct filter *filter, const struct rf_statement *statement,
                                 struct rf_str database)
{
    struct concern concern = {
        .truncates = statement->kind == RF_STATEMENT_TRUNCATE,
        .database = database,
        .owner = statement->database.size > 0 ? statement->database : database,
        .object = statement->object,
    };
    fold(filter, &concern.database);
    concern.owner_known = fold(filter, &concern.owner);
    concern.object_known = fold(filter, &concern.object);
    return concern;
}

static bool picks(const struct filter *filter, const struct rf_pick *pick,
                  const struct concern *concern)
{
    struct rf_str database = concern->database, owner = concern->owner;
    if (concern->truncates) {
        char *full = rf_arena_alloc(filter->arena, owner.size + 1 + concern->object.size);
        size_t size = 0;
        const struct rf_str parts[] = {owner, RF_STR("."), concern->object};
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            if (parts[i].size > 0) {
                memcpy(full + size, parts[i].data, parts[i].size);
                size += parts[i].size;
            }
        }
        return rf_pick_table(pick, (struct rf_str){full, size});
    }
    if (database.size == 0 && owner.size == 0) {
        return !pick->has_positive;
    }
    return (database.size > 0 && rf_pick_database(pick, database)) ||
           (owner.size > 0 && rf_pick_database(pick, owner));
}

/* Whether some table of the object's database may be picked. */
static bool picks_owner(const struct filter *filter, const struct concern *concern)
{
    return !concern->owner_known || rf_pick_database(filter->pick, concern->owner) ||
           (filter->loose != NULL && rf_pick_database(filter->loose, concern->owner));
}

/* Other DDL is handed over when in doubt, a TRUNCATE never. */
static enum verdict judge(const struct filter *filter, const struct concern *concern)
{
    bool picked = picks(filter, filter->pick, concern);
    bool differs = filter->loose != NULL && picks(filter, filter->loose, concern) != picked;
    bool known = concern->owner_known && concern->object_known;
    if (!concern->truncates) {
        return picked || differs || !concern->owner_known ? PICKS : LEAVES;
    }
    /* Without folding, what is picked as it was typed is handed over so. */
    bool doubtful = !known && (filter->pick->folds || !picked);
    if (differs || (doubtful && picks_owner(filter, concern))) {
        return UNSURE;
    }
    return picked ? PICKS : LEAVES;
}

/* False for bytes that mean another character in some sets that are ASCII otherwise. */
static bool is_plain(struct rf_str name)
{
    for (size_t i = 0; i < name.size; i++) {
        if ((name.data[i] & 0x80) != 0 || memchr("@[\\]^`{|}~", name.data[i], 10) != NULL) {
            return false;
        }
    }
    return true;
}

/* True when a statement in an unknown character set certainly concerns nothing that is picked. In
 * some sets a byte that looks like a quote or the end of a word is a part of another character:
 * what stands behind a name that is not plain may be misread. */
static bool concerns_others(const struct filter *filter, const struct rf_binlog_query *query,
                            const struct rf_statement *statement)
{
    bool plain = is_plain(statement->object);
    bool begins_plain = plain || statement->database.size > 0;
    if (!is_plain(statement->database) || !begins_plain || statement->has_settings) {
        return false;
    }
    struct concern concern = concern_of(filter, statement, query->database);
    return concern.truncates && !plain ? !picks_owner(filter, &concern)
                                       : judge(filter, &concern) == LEAVES;
}

static enum rf_status not_sure(const struct filter *filter, const struct concern *concern,
                               struct rf_error *err)
{
    rf_fail(err, RF_FATAL,
            "TRUNCATE of %.*s.%.*s: whether that is a table to capture depends on how the server "
            "compares names",
            RF_STR_ARG(concern->owner), RF_STR_ARG(concern->object));
    rf_error_hint(err, "%s",
                  filter->loose != NULL
                      ? "add lower_case_table_names=0, 1 or 2 to the source's address: what the "
                        "server answers to SELECT @@lower_case_table_names"
                      : "the lower case of some of its letters is not known here: leave the "
                        "database out with tables=..., or begin behind this transaction");
    return RF_FATAL;
}

/* Converted is only what may be picked: others may use any character set. */
enum rf_status rf_ddl_pick(const struct rf_binlog_query *query, const struct rf_pick *pick,
                           const struct rf_pick *loose, struct rf_arena *arena, struct rf_ddl *ddl,
                           bool *picked, struct rf_error *err)
{
    const struct filter filter = {pick, loose, arena};
    struct rf_str text;
    struct rf_statement statement;
    enum rf_status status = rf_binlog_statement(query, arena, &text, err);
    bool converted = status == RF_OK;
    rf_statement_read(converted ? text : query->statement, arena, &statement);
    if (!converted && !concerns_others(&filter, query, &statement)) {
        rf_error_hint(err, "for statements to come: SET NAMES utf8mb4 in the sessions that run "
                           "them; to get past this one: leave its database out with tables=..., "
                           "or begin behind it");
        return status;
    }
    struct concern concern = concern_of(&filter, &statement, query->database);
    enum verdict verdict = converted ? judge(&filter, &concern) : LEAVES;
    *picked = verdict == PICKS;
    if (verdict == UNSURE) {
        return not_sure(&filter, &concern, err);
    }
    if (verdict == LEAVES && err != NULL) {
        *err = (struct rf_error){0};
    }
    *ddl = (struct rf_ddl){
        .truncates = concern.truncates,
        .database = concern.object.size > 0 ? concern.owner : concern.database,
        .object = concern.object,
        .statement = text,
    };
    return RF_OK;
}
