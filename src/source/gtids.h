/* Transactions and sets of them, of whichever server the log is.
 *
 * Used by positions and by the assembly of transactions, which treat both kinds of log alike. A
 * transaction is named by MariaDB's GTID or by MySQL's; one of MySQL that has none (gtid_mode=OFF)
 * by the place where it begins, which means something on its own server only. What lies before a
 * place in the log is said by a MariaDB position (the last transaction of each domain) or a MySQL
 * set. */
#ifndef ROWFERRY_SOURCE_GTIDS_H
#define ROWFERRY_SOURCE_GTIDS_H

#include "wire/gtid.h"
#include "wire/gtid_set.h"

enum rf_txid_kind { RF_TXID_MARIADB = 0, RF_TXID_MYSQL, RF_TXID_PLACE };

struct rf_txid {
    enum rf_txid_kind kind;
    union {
        struct rf_gtid mariadb;
        struct rf_mysql_gtid mysql;
        uint64_t offset; /* RF_TXID_PLACE: of its first event, in a file that the caller knows */
    };
};

/* Appends "0-1-42", "UUID:42" or, with the file, "bin.000001:1234". */
void rf_txid_print(struct rf_buf *out, const struct rf_txid *txid, struct rf_str file);
/* Reads "0-1-42" or "UUID:42"; false for anything else. */
bool rf_txid_parse(struct rf_str text, struct rf_txid *txid);
/* Places are equal when their offsets are. */
bool rf_txid_equal(const struct rf_txid *a, const struct rf_txid *b);

/* Zeroed is MariaDB's, and empty. Thread: the owner's. */
struct rf_gtids {
    bool mysql;               /* which of the two it is; the other one is empty */
    struct rf_gtid_list list; /* MariaDB */
    struct rf_gtid_set set;   /* MySQL */
};

bool rf_gtids_empty(const struct rf_gtids *gtids);
/* Reads the kind that `mysql` says. Returns as rf_gtid_list_parse and rf_gtid_set_parse. */
RF_USE_RESULT enum rf_status rf_gtids_parse(struct rf_gtids *gtids, bool mysql, struct rf_str text,
                                            struct rf_error *err);
void rf_gtids_print(struct rf_buf *out, const struct rf_gtids *gtids);
/* The transaction lies before it. False for a place. */
bool rf_gtids_has(const struct rf_gtids *gtids, const struct rf_txid *txid);
/* All of `other` lies before it. */
bool rf_gtids_contain(const struct rf_gtids *gtids, const struct rf_gtids *other);
/* Moves behind the transaction; a place changes nothing. */
void rf_gtids_add(struct rf_gtids *gtids, const struct rf_txid *txid);
void rf_gtids_copy(struct rf_gtids *to, const struct rf_gtids *from);
void rf_gtids_deinit(struct rf_gtids *gtids);

#endif
