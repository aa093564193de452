/* What a source leaves out because the operator named it.
 *
 * Used by the assembly of transactions. Each thing on the list would stop the pipeline otherwise;
 * left out, it is counted (rf_batch.waived) and the position moves past it. The names, as they
 * stand in the option `skip`:
 *
 *   statements   row changes that were logged as statements, not as rows
 *   incident     the server's word that events are missing from its log
 *   rollbacks    rows that the log keeps in front of the ROLLBACK that undid them, because another
 *                engine took part; its own rows, which stay on the server, go with them
 *   0-1-1234     the transaction of this GTID, whatever is in it; MySQL's is UUID:1234, and a
 *                transaction that has none is named by where it begins: bin.000001:1234
 *
 * There is no name for event types that are not known: such an event may change how those behind it
 * are to be read. One within a transaction can be left out with it, by its GTID. */
#ifndef ROWFERRY_SOURCE_SKIPS_H
#define ROWFERRY_SOURCE_SKIPS_H

#include "source/gtids.h"

#include <rowferry/option.h>

/* What stands in the help of the option. */
#define RF_SKIPS_HELP                                                             \
    "what to leave out where it would stop: statements, incident, rollbacks, or " \
    "GTIDs of whole transactions"

struct rf_skipped {
    struct rf_txid txid;
    char *file; /* of a place; else NULL */
};

/* Zeroed is valid: nothing is left out. Thread: any, as long as nobody reads a list into it. */
struct rf_skips {
    bool statements;
    bool incident;
    bool rollbacks;
    struct rf_skipped *transactions;
    uint32_t count;
};

/* Adds the names. Returns RF_OK; RF_CONFIG (not a name; with the one that was probably meant). */
RF_USE_RESULT enum rf_status rf_skips_read(struct rf_skips *skips, const struct rf_list *names,
                                           struct rf_error *err);
/* file is the one in which the transaction stands. */
bool rf_skips_transaction(const struct rf_skips *skips, const struct rf_txid *txid,
                          struct rf_str file);
void rf_skips_deinit(struct rf_skips *skips);

#endif
