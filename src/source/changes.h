/* Statements that change the definitions of tables, in a stretch of a log.
 *
 * Used where names of columns do not stand in the log: a definition that was found elsewhere is one
 * of a certain moment, and holds at another place of the log when no statement between the two
 * changes the table. Nothing is worked out from the statements: one that may concern the table is
 * enough to stop.
 *
 * A statement concerns a table when it names it, and names its database or has it as the default
 * one; names are looked for as whole words, letters of either case. Every statement concerns a
 * table whose names are not of ASCII letters, digits, _ and $. What begins with DROP, TRUNCATE,
 * ANALYZE, OPTIMIZE, CHECK, REPAIR or FLUSH changes no definition: a table that is made again is
 * named by the statement that makes it.
 *
 * Where the log has the columns' names and only their types are in question (`types`), of all
 * statements that concern a table an ALTER TABLE matters only when it has one of the words by which
 * a column that is there gets another type: CHANGE, DROP, EXCHANGE, MODIFY, RENAME. */
#ifndef ROWFERRY_SOURCE_CHANGES_H
#define ROWFERRY_SOURCE_CHANGES_H

#include "wire/binlog.h"
#include "wire/inflate.h"
#include "wire/payload.h"

/* Between events of a log. */
struct rf_log_place {
    struct rf_buf file; /* without directories */
    uint64_t offset;
};
void rf_log_place_set(struct rf_log_place *place, struct rf_str file, uint64_t offset);
/* -1, 0 or 1: files by their numbers. */
int rf_log_place_compare(const struct rf_log_place *a, const struct rf_log_place *b);
void rf_log_place_deinit(struct rf_log_place *place);

struct rf_change {
    struct rf_log_place place; /* where the statement begins */
    struct rf_buf database;    /* the default one */
    struct rf_buf statement;
};

/* What is known of the log between two places. Zeroed is empty and valid. Thread: the owner's. */
struct rf_changes {
    struct rf_log_place from, to;
    struct rf_binlog_format format; /* of the events that are taken */
    struct rf_payload payload;      /* MySQL: statements may be packed with rows */
    struct rf_inflater inflater;    /* MariaDB: they may be compressed */
    struct rf_change *items;
    uint32_t count;
    uint32_t capacity;
    size_t bytes;
    bool too_many; /* there were more statements than are kept: nobody knows what is behind them */
};

/* Nothing is known but that reading begins here. */
void rf_changes_begin(struct rf_changes *changes, struct rf_str file, uint64_t offset);
/* Takes the next event of a log as its server or its file has it; `end` is the offset behind it, 0
 * as the event says. `to` moves behind it. Returns RF_OK; RF_FATAL (damage). */
RF_USE_RESULT enum rf_status rf_changes_take(struct rf_changes *changes, struct rf_str event,
                                             uint64_t end, struct rf_error *err);
/* The first statement behind `after` that concerns the table, or its types; NULL: none. */
const struct rf_change *rf_changes_find(const struct rf_changes *changes,
                                        const struct rf_log_place *after, struct rf_str database,
                                        struct rf_str table, bool types);
void rf_changes_deinit(struct rf_changes *changes);

/* Says that the definition that `source` gives of a table need not hold, because of this statement.
 * Returns RF_CONFIG. */
enum rf_status rf_change_refuse(const struct rf_change *change, struct rf_str database,
                                struct rf_str table, bool types, const char *source,
                                struct rf_error *err);
/* True when a statement concerns the table, or its types. An empty statement, of which nothing is
 * known, does. */
bool rf_change_concerns(struct rf_str default_database, struct rf_str statement,
                        struct rf_str database, struct rf_str table, bool types);

#endif
