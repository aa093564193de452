/* The tables that a log speaks of, by the numbers that it gives them.
 *
 * Used by the assembly of transactions. A rows event names its table by a number; the TABLE_MAP in
 * front of it says which table that is. Full TABLE_MAPs are larger than a small row, so they are
 * compared, not parsed again: by number, and by name when the server gave the same table another
 * number. A changed one makes a new version of the table. Whether a table is picked is decided once
 * per name; of those that are not, nothing is parsed.
 *
 * A TABLE_MAP that was logged without names is completed with a definition that somebody else
 * gives, the definer. A statement in the log that concerns the table voids it, even when the next
 * TABLE_MAP looks the same: columns may have other names now.
 *
 * The definer is also asked for what no TABLE_MAP says: fraction digits of old temporal types, and
 * which BINARY columns are UUID, INET4 or INET6. Where it cannot say the latter, they stay BINARY,
 * and the log says so once. */
#ifndef ROWFERRY_SOURCE_TABLES_H
#define ROWFERRY_SOURCE_TABLES_H

#include "source/pick.h"
#include "wire/table.h"

#include <rowferry/event.h>

/* Who says what TABLE_MAPs without names leave out. */
struct rf_definer {
    void *self;
    /* *definition stays valid until the next call; NULL: the columns are to be numbered. `lack`:
     * what is wanted of it; unless that is the names, NULL says that it is not known. `changed`:
     * a statement of the log has voided the one that was given before. Returns RF_OK; RF_AGAIN
     * (not found out yet: the TABLE_MAP has to come again); RF_RETRY; RF_CONFIG (with
     * *definition, when there is one that need not hold here); RF_FATAL. */
    RF_USE_RESULT enum rf_status (*define)(void *self, const struct rf_binlog_table *table,
                                           enum rf_table_lack lack, bool changed,
                                           const struct rf_definition **definition,
                                           struct rf_error *err);
    const char *hint; /* what to do when the definition and the log disagree; NULL: the usual */
};

struct rf_table_name; /* what is kept by name */

/* What is kept by number. */
struct rf_table_number {
    uint64_t id;
    uint64_t statement; /* the last one whose TABLE_MAP had it; 0: the place is free */
    struct rf_table_name *name;
    struct rf_table *table; /* one reference; NULL: not picked */
};

/* Zeroed is empty and valid. Thread: the owner's. */
struct rf_tables {
    const struct rf_definer *definer; /* the owner's; NULL: none */
    enum rf_log_maker maker;          /* set by the owner: whose TABLE_MAPs they are */
    uint32_t defined_count;           /* names whose table was completed with a definition */
    struct rf_table_name **names;     /* by hash of the name */
    uint32_t name_count;
    uint32_t name_capacity;          /* a power of two, or 0 */
    uint32_t version;                /* behind which new names begin */
    struct rf_table_number *numbers; /* by hash of the number */
    uint32_t number_count;
    uint32_t number_capacity;
    uint64_t statement; /* in hand, from 1 */
    struct rf_table **retired;
    uint32_t retired_count;
    uint32_t retired_capacity;
};

/* Takes a TABLE_MAP: its number stands for this table until the statement's end.
 * Returns RF_OK; RF_CONFIG; RF_FATAL, as rf_binlog_table_parse; what the definer returns, as if the
 * TABLE_MAP had never come. */
RF_USE_RESULT enum rf_status rf_tables_map(struct rf_tables *tables, const struct rf_pick *pick,
                                           struct rf_str body, struct rf_error *err);
/* What the number stands for in this statement; NULL: no TABLE_MAP said so. Borrowed; the table
 * stays valid until rf_tables_settle. */
const struct rf_table_number *rf_tables_find(const struct rf_tables *tables, uint64_t id);
/* A statement came that is not about rows: what it concerns is looked up anew. An empty one, of
 * which nothing is known, concerns everything. */
void rf_tables_change(struct rf_tables *tables, struct rf_str default_database,
                      struct rf_str statement);
/* The statement is over. */
void rf_tables_next_statement(struct rf_tables *tables);
/* No transaction in hand needs tables that were replaced. */
void rf_tables_settle(struct rf_tables *tables);
/* Another file: numbers mean nothing any more. Names and versions stay, unless there are very many:
 * their versions then go on behind the highest one. Settles. */
void rf_tables_forget(struct rf_tables *tables);
/* Forgets all but the definer. */
void rf_tables_deinit(struct rf_tables *tables);

#endif
