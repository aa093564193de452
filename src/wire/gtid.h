/* MariaDB's global transaction ids, and positions made of them.
 *
 * A GTID names one transaction, "domain-server-sequence". A position has at most one per domain,
 * the last transaction of that domain that lies before it: "0-1-300000,7-2-12". Used by the
 * sources. MySQL's GTID sets (UUIDs with intervals) are another thing and not read here.
 *
 * Source: MariaDB Knowledge Base, "Global Transaction ID". */
#ifndef ROWFERRY_WIRE_GTID_H
#define ROWFERRY_WIRE_GTID_H

#include <rowferry/str.h>

struct rf_gtid {
    uint32_t domain;
    uint32_t server_id;
    uint64_t sequence;
};

/* Bytes of the longest GTID as text. */
enum { RF_GTID_TEXT_MAX = 10 + 1 + 10 + 1 + 20 };

/* "0-1-42", nothing in front or behind; false for anything else, *gtid untouched. */
bool rf_gtid_parse(struct rf_str text, struct rf_gtid *gtid);
/* Appends "0-1-42". */
void rf_gtid_print(struct rf_buf *out, struct rf_gtid gtid);

/* A position. Zeroed is empty and valid: nothing lies before it. Sorted by domain; grows with the
 * number of domains, which is bounded by nothing but memory. Thread: the owner's. */
struct rf_gtid_list {
    struct rf_gtid *items;
    uint32_t count;
    uint32_t capacity;
};

/* Replaces the list by the text's. Blanks and newlines around each GTID are accepted, and so is the
 * empty text. A domain that comes twice is refused.
 * Returns RF_OK; RF_CONFIG with the piece that is not a GTID, the list untouched. */
RF_USE_RESULT enum rf_status rf_gtid_list_parse(struct rf_gtid_list *list, struct rf_str text,
                                                struct rf_error *err);
/* Appends "0-1-42,7-2-12", by domain; nothing for the empty list. */
void rf_gtid_list_print(struct rf_buf *out, const struct rf_gtid_list *list);
/* Moves the domain's place to this transaction, whatever stood there. */
void rf_gtid_list_update(struct rf_gtid_list *list, struct rf_gtid gtid);
/* The domain's last transaction, or NULL. Valid until the list changes. */
const struct rf_gtid *rf_gtid_list_find(const struct rf_gtid_list *list, uint32_t domain);
/* True when the transaction lies before the position: its domain is there with a higher sequence
 * number, or with this very GTID. (The same number from another server is another transaction.) */
bool rf_gtid_list_has(const struct rf_gtid_list *list, struct rf_gtid gtid);
/* True when every GTID of `other` lies before the position. */
bool rf_gtid_list_contains(const struct rf_gtid_list *list, const struct rf_gtid_list *other);
/* Makes `list` a copy of `other`, in the memory that it has. */
void rf_gtid_list_copy(struct rf_gtid_list *list, const struct rf_gtid_list *other);
/* Empties it and keeps the memory. */
void rf_gtid_list_reset(struct rf_gtid_list *list);
/* Gives the memory back. */
void rf_gtid_list_deinit(struct rf_gtid_list *list);

/* GTID (162): a transaction begins. Server id and time come from the common header.
 *
 *   offset size
 *        0    8  sequence number
 *        8    4  domain
 *       12    1  flags, below
 *       13    8  commit id, with RF_GTID_GROUP_COMMIT_ID
 *        .    .  with RF_GTID_PREPARED_XA or RF_GTID_COMPLETED_XA: format id (4), bytes of the
 *                global id (1), bytes of the branch (1), then both
 *        .    1  extra flags, when a byte is left
 *        .    .  what they bring, in this order: number of engines (1), sequence number of the
 *                START ALTER (8) of a COMMIT or ROLLBACK ALTER, thread id (4); zeros up to 19
 *                bytes at least
 *
 * Source: MariaDB Knowledge Base, "GTID_EVENT"; MariaDB 10.11, sql/log_event.h, Gtid_log_event. */
enum {
    RF_GTID_STANDALONE = 0x01,      /* one statement without a COMMIT behind it (DDL) */
    RF_GTID_GROUP_COMMIT_ID = 0x02, /* commit id present */
    RF_GTID_TRANSACTIONAL = 0x04,   /* all tables could have been rolled back */
    RF_GTID_ALLOW_PARALLEL = 0x08,
    RF_GTID_WAITED = 0x10,
    RF_GTID_DDL = 0x20,
    RF_GTID_PREPARED_XA = 0x40,  /* rows of an XA transaction; XA PREPARE ends the group */
    RF_GTID_COMPLETED_XA = 0x80, /* XA COMMIT or XA ROLLBACK of one */
};
struct rf_gtid_event {
    struct rf_gtid gtid;
    uint8_t flags;
    uint8_t extra_flags; /* 0x01 several engines; 0x02, 0x04, 0x08 START, COMMIT, ROLLBACK ALTER;
                          * 0x10 thread id present */
    bool has_thread;     /* only newer servers say it */
    uint32_t thread_id;  /* of the connection that ran the transaction */
    uint64_t commit_id;  /* 0 without one */
    uint32_t xid_format;
    struct rf_str xid_global; /* point into the body; empty without an XA transaction */
    struct rf_str xid_branch;
};
/* Returns RF_OK; RF_FATAL (damage). */
RF_USE_RESULT enum rf_status rf_gtid_event_parse(struct rf_str body, uint32_t server_id,
                                                 struct rf_gtid_event *event, struct rf_error *err);

/* GTID_LIST (163): which transactions lie before this file (or, artificial, before the stream's
 * start). Several entries may have the same domain (one per server id); they come in the order in
 * which the domain's last one is the last of its entries.
 *
 *   offset size
 *        0    4  n in the low 28 bits, flags above
 *        4    16 n times: domain (4), server id (4), sequence number (8)
 *
 * Returns RF_OK, the list then holds the last entry of each domain; RF_FATAL (damage), untouched.
 * Source: MariaDB Knowledge Base, "GTID_LIST_EVENT". */
RF_USE_RESULT enum rf_status rf_gtid_list_event_parse(struct rf_str body, struct rf_gtid_list *list,
                                                      struct rf_error *err);

#endif
