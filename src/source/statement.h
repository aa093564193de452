/* What kind of statement a log's QUERY event holds, by its first words.
 *
 * Used by the assembly of transactions. It is no parser: it finds the words that decide whether a
 * statement ends a transaction, changes rows behind our back, or changes tables, and the name of
 * the table where it stands at a fixed place. Comments are stepped over; what stands in a version
 * comment counts. A statement that it does not know is RF_STATEMENT_UNKNOWN, and the caller
 * stops. */
#ifndef ROWFERRY_SOURCE_STATEMENT_H
#define ROWFERRY_SOURCE_STATEMENT_H

#include <rowferry/arena.h>

enum rf_statement_kind {
    RF_STATEMENT_UNKNOWN = 0,
    RF_STATEMENT_BEGIN,       /* BEGIN, START TRANSACTION */
    RF_STATEMENT_COMMIT,      /* COMMIT */
    RF_STATEMENT_ROLLBACK,    /* ROLLBACK of the whole transaction */
    RF_STATEMENT_ROLLBACK_TO, /* ROLLBACK TO a savepoint */
    RF_STATEMENT_SAVEPOINT,   /* SAVEPOINT */
    RF_STATEMENT_RELEASE,     /* RELEASE SAVEPOINT */
    RF_STATEMENT_XA,          /* XA ... */
    RF_STATEMENT_CHANGE,      /* changes rows: INSERT, UPDATE, CALL, ... */
    RF_STATEMENT_TRUNCATE,    /* TRUNCATE of one table, which is named */
    RF_STATEMENT_ACCOUNT,     /* users, roles, servers, privileges: may hold passwords */
    RF_STATEMENT_DDL,         /* everything else that is known to change no rows */
};

enum rf_xa_step {
    RF_XA_OTHER = 0, /* XA END, ... */
    RF_XA_START,     /* what belongs to it comes behind */
    RF_XA_COMMIT,
    RF_XA_ROLLBACK,
};

struct rf_statement {
    enum rf_statement_kind kind;
    bool has_settings;      /* SET STATEMENT ... FOR stands in front */
    enum rf_xa_step xa;     /* RF_STATEMENT_XA: which of them */
    struct rf_str word;     /* the first word, as it stands there */
    struct rf_str database; /* of the table, where the statement says it; else empty */
    struct rf_str object;   /* the table, the savepoint, or what XA COMMIT and XA ROLLBACK say
                             * behind these words, where one is known; else empty */
};

/* text is UTF-8. The strings of *statement point into it, or into the arena where quotes within a
 * name had to be undone. Takes any bytes. */
void rf_statement_read(struct rf_str text, struct rf_arena *arena, struct rf_statement *statement);

#endif
