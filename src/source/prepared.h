/* XA transactions that lie before a position, prepared and neither committed nor rolled back: where
 * their rows are to be read again.
 *
 * Used by positions, which list them. The rows of an XA transaction stand in the log in front of
 * its XA PREPARE, and what becomes of them, a later XA COMMIT or XA ROLLBACK says, perhaps of
 * another connection, perhaps days later. So a position behind the one and before the other has two
 * ends: reading goes on at its place, but the rows of what it lists lie further back.
 *
 * As text, one after the other with commas, in the order of the log:
 *
 *   0-1-10@bin.000003:1000     GTID of the XA PREPARE, file and offset where its rows begin
 *   0-1-10                     where in the log it is, is not known
 *   bin.000003:1000            it has no GTID (MySQL with gtid_mode=OFF)
 *   0-1-10@...=9ae16a3b2f90404f.6f6e65..1
 *                              none of its rows was picked, by the patterns with that fingerprint
 *                              (pick.h); the rest is its name: global and branch part, format
 *
 * File names are written as in positions: % ; , = and blanks as %XX. No GTID has an @ in it. */
#ifndef ROWFERRY_SOURCE_PREPARED_H
#define ROWFERRY_SOURCE_PREPARED_H

#include "source/gtids.h"

struct rf_prepared {
    struct rf_txid txid; /* of the group of events that ends with XA PREPARE */
    struct rf_buf file;  /* without directories; empty: not known */
    uint64_t start;      /* where that group begins in it */
    struct rf_buf xid;   /* its name as held.h has it; empty: it may have rows */
    uint64_t picks;      /* fingerprint of the patterns of which none picked a row of it */
};
/* Zeroed is empty and valid. Thread: the owner's. */
struct rf_prepared_list {
    struct rf_prepared *items; /* in the order of the log */
    uint32_t count;
    uint32_t capacity; /* those from `count` on keep their names' memory */
};

/* Adds a copy behind the others. A place (RF_TXID_PLACE) needs file and start. */
void rf_prepared_add(struct rf_prepared_list *list, const struct rf_prepared *prepared);
/* The number of that one, or `count`. Those without a GTID are told by file and offset. */
uint32_t rf_prepared_find(const struct rf_prepared_list *list, const struct rf_txid *txid,
                          struct rf_str file, uint64_t start);
/* Takes one out, by its number. */
void rf_prepared_remove(struct rf_prepared_list *list, uint32_t number);
void rf_prepared_copy(struct rf_prepared_list *to, const struct rf_prepared_list *from);
void rf_prepared_deinit(struct rf_prepared_list *list);

/* Appends the text; nothing for the empty list. */
void rf_prepared_print(struct rf_buf *out, const struct rf_prepared_list *list);
/* Appends one as a message names it: "0-1-10" or "bin.000003:1000". */
void rf_prepared_name(struct rf_buf *out, const struct rf_prepared *prepared);
/* Reads a text as rf_prepared_print makes it, of MySQL's or MariaDB's log; false, the list in any
 * valid state, for another text, an empty one, or one that names a transaction twice. */
bool rf_prepared_parse(struct rf_prepared_list *list, struct rf_str text, bool mysql);

/* ---- Names of files in positions, shared with position.c ---- */

/* Appends the name. */
void rf_position_print_file(struct rf_buf *out, struct rf_str file);
/* Reads only what the above writes, so that a position has one text; false for anything else. */
bool rf_position_parse_file(struct rf_buf *file, struct rf_str text);

#endif
