/* Which DDL statements concern tables that are picked.
 *
 * Used by the assembly of transactions; transaction.h says what is handed over and what is left
 * out. Names in statements stand as they were typed: they are compared as the server does where
 * that is known. */
#ifndef ROWFERRY_SOURCE_DDL_H
#define ROWFERRY_SOURCE_DDL_H

#include "source/pick.h"
#include "wire/binlog.h"

/* A statement to hand over. */
struct rf_ddl {
    bool truncates;          /* RF_TRUNCATE of `object`, else RF_DDL */
    struct rf_str database;  /* of the object; without one the default database */
    struct rf_str object;    /* the table that it names; may be empty */
    struct rf_str statement; /* UTF-8 */
};

/* pick and loose are those of struct rf_assembly. Strings of *ddl point into the query's bytes or
 * into the arena. Returns RF_OK, *picked says whether *ddl is to be handed over; RF_FATAL (a
 * TRUNCATE of which nobody can say; a statement in a character set that is not carried, and that
 * may concern what is picked). */
RF_USE_RESULT enum rf_status rf_ddl_pick(const struct rf_binlog_query *query,
                                         const struct rf_pick *pick, const struct rf_pick *loose,
                                         struct rf_arena *arena, struct rf_ddl *ddl, bool *picked,
                                         struct rf_error *err);

#endif
