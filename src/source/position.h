/* Positions in a binary log of MariaDB or MySQL: how they are kept, written and compared.
 *
 * Used by the sources `mysql` and `binlog`, which understand each other's positions. A position is
 * a place between two transactions. Two things say which: the GTIDs of what lies before it
 * (gtids.h), which mean the same on every server of a replication tree; and a fingerprint of the
 * last transaction in the file that it was read from, by which a log that only looks the same
 * (after RESET MASTER, from a backup, of another server with the same address) is recognised.
 *
 * Transactions of a MySQL server with gtid_mode=OFF have no GTIDs. A position behind such a one is
 * a place in a file, and means something on that very server only.
 *
 * As text, one line, fields in this order:
 *
 *   mariadb:gtid=0-1-300000,1-2-7;file=bin.000003;start=1000;end=1234;last=0-1-300000;
 *           time=1763830000;sum=2774811130;server=1;created=1763820000      (without the break)
 *   mysql:gtid=3e11fa47-71ca-11e1-9e33-c80aa9429562:1-7:9;file=...;uuid=4350f323-...
 *
 *   gtid     the set; may be empty: nothing lies before
 *   file     name of the log file, without directories; % ; , = and blanks as %XX
 *   start    where the last transaction begins: the offset of its GTID event
 *   end      where it ends; the place itself
 *   last     its GTID; missing when it has none
 *   time     when it was committed, seconds since 1970 UTC
 *   sum      checksum of the event that ends it; missing in logs without checksums
 *   server   id of the server that owns the file
 *   created  timestamp of the file's first event
 *   uuid     MySQL: UUID of the server that owns the file, where it is known
 *   by       "gtid" where the set alone says what lies before: it comes from another server, and
 *            the file may have some of it behind the place. MySQL: "place" where file and offset
 *            alone do
 *   prepared XA transactions before it that are not over, and where their rows are (prepared.h);
 *            missing when there are none
 *
 * Where no transaction of that file lies before the place, start, last, time and sum are
 * missing. */
#ifndef ROWFERRY_SOURCE_POSITION_H
#define ROWFERRY_SOURCE_POSITION_H

#include "source/prepared.h"

/* Zeroed is empty and valid. Thread: the owner's. */
struct rf_position {
    struct rf_gtids gtids; /* its kind is that of the log */
    bool by_place;         /* the set does not say all: the last transaction has no GTID, or the
                            * next one may have none */
    bool by_gtid;          /* of what the set says, some may lie behind the place, which only says
                            * which log it is */
    struct rf_buf file;    /* empty: not known, the GTIDs alone say where */
    bool has_last;         /* start, last, time and sum are known */
    uint64_t start;
    uint64_t end;
    struct rf_txid last;
    uint32_t time;
    uint32_t sum;       /* 0: the log has no checksums */
    uint32_t server_id; /* 0: not known */
    uint32_t created;   /* 0: not known */
    bool has_uuid;
    struct rf_uuid uuid;
    struct rf_prepared_list prepared;
};

void rf_position_deinit(struct rf_position *position);
void rf_position_copy(struct rf_position *to, const struct rf_position *from);
/* Appends the text. */
void rf_position_print(struct rf_buf *out, const struct rf_position *position);
/* Reads a text as rf_position_print makes it. Returns RF_OK; RF_CONFIG (what is wrong with it),
 * *position then is empty. */
RF_USE_RESULT enum rf_status rf_position_parse(struct rf_position *position, struct rf_str text,
                                               struct rf_error *err);

/* Where a person wants to begin. */
enum rf_start_kind {
    RF_START_NOW,      /* "now" */
    RF_START_EARLIEST, /* "earliest" */
    RF_START_PLACE,    /* "bin.000003:1234": position.file and position.end */
    RF_START_GTIDS,    /* "0-1-5,1-2-7" or "UUID:1-7:9": position.gtids */
    RF_START_POSITION, /* a whole position */
};
struct rf_start {
    enum rf_start_kind kind;
    struct rf_position position;
};
/* Zeroed before; the caller gives start->position to rf_position_deinit.
 * Returns RF_OK; RF_CONFIG (with the forms that exist). */
RF_USE_RESULT enum rf_status rf_start_parse(struct rf_start *start, struct rf_str text,
                                            struct rf_error *err);
/* Whether text is one of these. A source's check_from. Returns as rf_start_parse does. */
RF_USE_RESULT enum rf_status rf_start_check(struct rf_str text, struct rf_error *err);

/* True when all that `other` names lies before `position`. Both are a position, a GTID set or, for
 * `other`, one transaction's id. What is none of these gives false. By GTIDs alone, as the place in
 * a file means nothing on another server; but by place where there are no GTIDs, and then only in
 * the log of one server. What is prepared counts for nothing: its XA COMMIT is a transaction of its
 * own, which has the rows. Thread: any. */
bool rf_position_contains(struct rf_str position, struct rf_str other);

#endif
