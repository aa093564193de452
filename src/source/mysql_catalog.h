/* Definitions of tables from the server itself, for a log that was written without column names.
 *
 * Used by the source `mysql`. A server says what its tables are like now; the log tells of a place
 * P that may lie far behind. The two agree when no statement changed the table in between, and that
 * is looked at, not assumed:
 *
 *   1. SHOW CREATE TABLE, on a connection of its own: the definition D
 *   2. where the log ends now, behind that: Q
 *   3. the log from P to Q, on another connection of its own: statements that concern the table
 *
 * A statement that changes a table is logged before its lock on the table's name is given back, and
 * SHOW CREATE TABLE waits for that lock: what D has seen lies before Q. So when nothing between P
 * and Q concerns the table, D is what it was at P. Else nobody knows, and the reading stops. (A
 * statement that somebody kept out of the log cannot be seen; number, types, sizes and nullability
 * of the columns are compared with the TABLE_MAP all the same.)
 *
 * What was read of the log is kept, so that the next table only needs what came since. All this
 * takes a while in a large backlog: it is done in pieces, each of which ends with the deadline of a
 * read. */
#ifndef ROWFERRY_SOURCE_MYSQL_CATALOG_H
#define ROWFERRY_SOURCE_MYSQL_CATALOG_H

#include "net/mysql.h"
#include "source/changes.h"
#include "source/transaction.h"

/* Zeroed is closed. Thread: the owner's, but for rf_mysql_catalog_interrupt. */
struct rf_mysql_catalog {
    struct rf_definer definer;          /* for the assembly's tables; filled by init */
    const struct rf_assembly *assembly; /* says where we are */
    struct rf_mysql_address address;
    int64_t deadline_ms; /* set by the owner before each event is taken */
    bool again;          /* the event that was being taken has to be given to the assembly again */

    struct rf_mysql query, scan;
    bool scanning;
    struct rf_buf wanted; /* the table in hand, "database.name"; empty: none */
    struct rf_schema schema;
    bool absent; /* the server has no such table any more */
    bool types;  /* not its names are in question, but its types */
    struct rf_log_place until;
    struct rf_changes changes;
    bool begun; /* `changes` knows a stretch of the log */
};

/* What the address points to, and the assembly, must last until close. */
void rf_mysql_catalog_init(struct rf_mysql_catalog *catalog, const struct rf_assembly *assembly,
                           const struct rf_mysql_address *address);
void rf_mysql_catalog_close(struct rf_mysql_catalog *catalog);
/* Thread: any. */
void rf_mysql_catalog_interrupt(struct rf_mysql_catalog *catalog);

#endif
