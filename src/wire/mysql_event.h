/* Events that only MySQL writes: bytes to structs.
 *
 * Used by the sources, beside binlog.h, whose rules hold here: bodies come from rf_binlog_body,
 * every read is checked, damage is RF_FATAL, strings point into the body, nothing is allocated.
 * PREVIOUS_GTIDS (35) is a set of GTIDs and read by gtid_set.h; TRANSACTION_PAYLOAD (40) by
 * payload.h.
 *
 * Source: MySQL, libs/mysql/binlog/event/control_events.h; measured against logs of MySQL 9.7. */
#ifndef ROWFERRY_WIRE_MYSQL_EVENT_H
#define ROWFERRY_WIRE_MYSQL_EVENT_H

#include "wire/gtid_set.h"

/* What begins a transaction: GTID (33), ANONYMOUS_GTID (34), GTID_TAGGED (42).
 *
 * GTID and ANONYMOUS_GTID:
 *
 *   offset size
 *        0    1  flags: 1 may hold changes that were logged as statements
 *        1   16  UUID; zeros without a GTID
 *       17    8  number; 0 without a GTID
 *       25    1  2: the two of the logical clock follow (from 5.7 on)
 *       26    8  last committed
 *       34    8  sequence number
 *       42    7  commit time on the server whose log this is, microseconds since 1970 UTC; bit 55:
 *                the next one follows (from 8.0.1 on, like the rest)
 *       49    7  commit time on the server that ran the transaction first
 *        .    *  bytes of the whole transaction, this event included, packed integer
 *        .    4  version of the server whose log this is; bit 31: the next one follows
 *        .    4  version of the server that ran it first
 *        .    8  ticket of its commit group, when it has one
 *
 * GTID_TAGGED: a message of numbered fields, of which only the first five always come. Integers
 * take 1 to 9 bytes: as many one bits as bytes follow, from the lowest bit of the first byte, then
 * (up to 8 bytes) a zero bit, then the number; a signed one has its sign in the lowest bit and,
 * when negative, its magnitude minus 1 above it.
 *
 *   version (1, as integer), bytes of the message, number of the last field that may not be
 *   skipped; then number and value of each field:
 *    0 flags   1 UUID, 16 integers   2 number, signed   3 tag: its length, then its bytes
 *    4 last committed, signed   5 sequence number, signed   6 commit time here
 *    7 commit time first   8 bytes of the transaction   9 version here   10 version first
 *   11 ticket
 *
 * Source: MySQL, control_events.h, Gtid_event; libs/mysql/serialization/readme.md. */
struct rf_mysql_gtid_event {
    struct rf_mysql_gtid gtid; /* number 0: anonymous */
    uint8_t flags;
    int64_t last_committed;
    int64_t sequence_number;
    uint64_t commit_us; /* microseconds since 1970 UTC; 0: not said */
    uint64_t original_commit_us;
    uint64_t transaction_bytes; /* 0: not said */
    uint32_t version;           /* 90704; 0: not said */
    uint32_t original_version;
};
/* type is one of the three (asserted). Returns RF_OK; RF_FATAL (damage; a field that is not known
 * and may not be skipped). */
RF_USE_RESULT enum rf_status rf_mysql_gtid_event_parse(unsigned type, struct rf_str body,
                                                       struct rf_mysql_gtid_event *event,
                                                       struct rf_error *err);

/* HEARTBEAT_V2 (41): the server lives, and has sent everything up to here. Only sent to who asked
 * for it; else it is HEARTBEAT (27), whose body is the file and whose position is that of the
 * header.
 *
 *   fields of type (1), size (packed integer), value:
 *     1 name of the file   2 position in it, a packed integer   0 ends them, without a size
 *
 * Source: MySQL, control_events.h, Heartbeat_event_v2; codecs/binary.cpp. */
struct rf_mysql_heartbeat {
    struct rf_str file;
    uint64_t position;
};
RF_USE_RESULT enum rf_status rf_mysql_heartbeat_parse(struct rf_str body,
                                                      struct rf_mysql_heartbeat *heartbeat,
                                                      struct rf_error *err);

/* XA_PREPARE (38): ends the rows of an XA transaction.
 *
 *   offset size
 *        0    1  1: it is committed with this (XA COMMIT ... ONE PHASE)
 *        1    4  format id
 *        5    4  g: bytes of the global id, at most 64
 *        9    4  b: bytes of the branch, at most 64
 *       13  g+b  both
 *
 * Source: MySQL, control_events.h, XA_prepare_event. */
struct rf_mysql_xa_prepare {
    bool one_phase;
    uint32_t format;
    struct rf_str global;
    struct rf_str branch;
};
RF_USE_RESULT enum rf_status rf_mysql_xa_prepare_parse(struct rf_str body,
                                                       struct rf_mysql_xa_prepare *prepare,
                                                       struct rf_error *err);

#endif
