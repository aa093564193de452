/* The rows of XA transactions that are prepared, until it is known what becomes of them.
 *
 * Used by the assembly of transactions. What was kept of a transaction (records.h) is put here at
 * its XA PREPARE under the transaction's name, and taken back at XA COMMIT or XA ROLLBACK. All of
 * them together stay within the memory of one large transaction; what comes on top of that goes to
 * files, one for each.
 *
 * Both servers log the name of an XA transaction as X'gtrid',X'bqual',format, in hexadecimal. */
#ifndef ROWFERRY_SOURCE_HELD_H
#define ROWFERRY_SOURCE_HELD_H

#include "source/prepared.h"
#include "source/records.h"

struct rf_held_rows {
    struct rf_buf xid;           /* as above */
    struct rf_prepared prepared; /* where the rows came from */
    struct rf_records records;
};
/* Zeroed is empty and valid. Thread: the owner's. */
struct rf_held {
    struct rf_held_rows *items;
    uint32_t count;
    uint32_t capacity;
    uint64_t bytes; /* of those that lie in memory */
};

/* The name as the servers log it. */
void rf_held_print_xid(struct rf_buf *out, uint32_t format, struct rf_str global,
                       struct rf_str branch);
/* The number of that one, or `count`. Hexadecimal digits of either case are the same. */
uint32_t rf_held_find(const struct rf_held *held, struct rf_str xid);
/* Whether the rows of this prepared transaction are here. */
bool rf_held_has(const struct rf_held *held, const struct rf_prepared *prepared);
/* Takes the records over, which are empty then and have their limits and their directory still. No
 * transaction of that name is here. Returns RF_OK; RF_RETRY (no room for them in the file): nothing
 * was taken. */
RF_USE_RESULT enum rf_status rf_held_add(struct rf_held *held, struct rf_str xid,
                                         const struct rf_prepared *prepared,
                                         struct rf_records *records, struct rf_error *err);
/* Gives one back, by its number: *records, which are empty, become its records, *prepared, which
 * the caller frees, where they came from. */
void rf_held_take(struct rf_held *held, uint32_t number, struct rf_prepared *prepared,
                  struct rf_records *records);
void rf_held_deinit(struct rf_held *held);

#endif
