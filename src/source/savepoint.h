/* The savepoints of the transaction in hand, and how much of it came before each.
 *
 * Used by the assembly of transactions. Names are compared as ASCII, letters of either case the
 * same. The server's own rules are finer (accents), so a transaction with other letters in such a
 * name is one whose savepoints are not known. */
#ifndef ROWFERRY_SOURCE_SAVEPOINT_H
#define ROWFERRY_SOURCE_SAVEPOINT_H

#include "source/records.h"

struct rf_savepoint {
    struct rf_buf name;
    struct rf_records_mark mark;
};

/* Zeroed is empty and valid. Thread: the owner's. */
struct rf_savepoints {
    struct rf_savepoint *items; /* in the order of the log */
    uint32_t count;
    uint32_t capacity; /* those from `count` on keep their names' memory */
    bool foreign;      /* some name is not ASCII */
};

/* SAVEPOINT name: one of that name that is there already is no more. */
void rf_savepoints_set(struct rf_savepoints *savepoints, struct rf_str name,
                       struct rf_records_mark mark);
/* ROLLBACK TO name: those behind it are no more. True, *mark is what was kept before it; false when
 * it is not known. */
bool rf_savepoints_return(struct rf_savepoints *savepoints, struct rf_str name,
                          struct rf_records_mark *mark);
/* A transaction begins. */
void rf_savepoints_reset(struct rf_savepoints *savepoints);
void rf_savepoints_deinit(struct rf_savepoints *savepoints);

#endif
