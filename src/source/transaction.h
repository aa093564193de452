/* Transactions out of a log of MariaDB or MySQL: events go in one by one, whole transactions come
 * out.
 *
 * Shared by the sources `mysql` and `binlog`, which only find the events. What lies between the
 * GTID event that begins a transaction and the event that ends it is kept, each event copied once
 * out of the reader's buffer, in memory or, when it is a large one, in a file (records.h); nothing
 * leaves before the end was seen. Then the rows are decoded into batches, and the memory that holds
 * them goes with them. A transaction that the log never
 * finished, because its server crashed, is dropped.
 *
 * The filter works on the table's name, before anything is copied or decoded. What cannot be
 * carried faithfully stops with a message that names file, offset and GTID.
 *
 * What a transaction consists of in a log of MariaDB (10.0 and later):
 *
 *   GTID, then any of TABLE_MAP, rows, QUERY (statements), then XID or QUERY "COMMIT";
 *   GTID with the flag STANDALONE, then one QUERY: a statement that commits by itself.
 *
 * In a log of MySQL (5.7 and later; transaction_mysql.c):
 *
 *   GTID, GTID_TAGGED or ANONYMOUS_GTID, then QUERY "BEGIN" and the same; or one
 *   TRANSACTION_PAYLOAD that has all of that in it;
 *   GTID ..., then one QUERY that is no BEGIN: a statement that commits by itself;
 *   GTID ..., then QUERY "XA START" and rows, QUERY "XA END", and XA_PREPARE, which says when it
 *   commits in one phase.
 *
 * An XA transaction in two phases is two of these, on both servers: one that ends with XA_PREPARE,
 * whose rows are held (held.h), and one that is QUERY "XA COMMIT" or "XA ROLLBACK" alone, with
 * which they are handed over or dropped (transaction_xa.c). They then are rows of the second one's
 * GTID, with the ordinals of the first. Until then the position lists it.
 *
 * Statements: TRUNCATE of one table becomes RF_TRUNCATE when that table is picked. Every other DDL
 * becomes RF_DDL when its default database, or the database of the table that it names, may hold
 * picked tables; without a default database and without a name, when there are no patterns but
 * leaving-out ones. That is more than concern picked tables: a RENAME moves tables between
 * databases in more ways than are worth following, and a consumer can look at the statement.
 * Statements about users and privileges are left out: they concern no table, and passwords stand in
 * them.
 *
 * Names in statements stand as they were typed. With a filter that folds they are folded too, in
 * the event as well, as the rows of that server have them. A statement in a character set that is
 * not carried stops only when it may concern what is picked; its first words are ASCII.
 *
 * Events have the low 32 bits of their offset. The rest is counted from where reading began; when
 * that is not known (`adrift`), positions have GTIDs alone. The next file is known from its top.
 *
 * Ordinals: the events behind the GTID event, from 1. Skipped ones count; ANNOTATE_ROWS and what
 * the dump thread makes up do not, as they come or not according to how the log is read. */
#ifndef ROWFERRY_SOURCE_TRANSACTION_H
#define ROWFERRY_SOURCE_TRANSACTION_H

#include "source/held.h"
#include "source/pick.h"
#include "source/position.h"
#include "source/records.h"
#include "source/savepoint.h"
#include "source/skips.h"
#include "source/statement.h"
#include "source/tables.h"
#include "wire/binlog.h"
#include "wire/inflate.h"
#include "wire/payload.h"

#include <rowferry/batch.h>

/* What is done with the transactions that come. */
enum rf_assembly_mode {
    RF_ASSEMBLY_TAKE = 0, /* they are handed over */
    RF_ASSEMBLY_VERIFY,   /* the first must be `expected` and is not handed over again; then TAKE */
    RF_ASSEMBLY_SKIP,     /* those that the position contains are left out */
    RF_ASSEMBLY_ADVANCE,  /* they move the position, and are not handed over */
    RF_ASSEMBLY_COLLECT,  /* each is one whose rows the position lists as prepared: held again */
};

/* Zeroed is valid: nothing read yet. Thread: the owner's. */
struct rf_assembly {
    /* Given by the source before the first event, owned by it. */
    const struct rf_pick *pick;
    /* The same patterns, folded, of a source that cannot know how its server compares names: where
     * the two differ, nobody can say. NULL: `pick` compares as the server does. */
    const struct rf_pick *loose;
    const struct rf_skips *skips; /* what is left out by name; NULL: nothing */
    bool has_uuid;                /* MySQL: the server whose log it is, where that is known */
    struct rf_uuid uuid;
    bool keeps_sql; /* rows get the statement that changed them, where the log has it */
    /* `records.memory_max` and `records.spill.directory` are the source's to give, too. */

    /* Where we are. */
    struct rf_position position; /* behind the last transaction that was handed over whole */
    bool moved;                  /* since it was last written into a batch */
    struct rf_binlog_format format;
    struct rf_buf file;    /* the one that is being read, without directories */
    uint32_t server_id;    /* its owner; 0: the one that its first event names */
    uint32_t created;      /* timestamp of its first event; 0: that was not read yet */
    struct rf_str event;   /* the one in hand, while it is taken */
    uint64_t offset;       /* of it, in the file */
    uint64_t next;         /* of the event behind it */
    bool adrift;           /* set by the source: which 4 GiB of the file these are, is not known */
    bool from_top;         /* this file is read from its first event on */
    bool follows_all;      /* what the position's GTIDs have, lies before this file */
    bool adopts_list;      /* set by the source: the next GTID_LIST says what lies before us */
    uint32_t must_created; /* set by the source: what `created` has to be; 0: anything */

    enum rf_assembly_mode mode;
    struct rf_position expected; /* RF_ASSEMBLY_VERIFY: the transaction that must come first */
    struct rf_gtids read;        /* RF_ASSEMBLY_SKIP: what was read, skipped or not */

    struct rf_error failed; /* what to say at the next rf_assembly_fill */

    /* The transaction in hand. */
    bool open;         /* GTID seen, end not yet */
    bool ready;        /* end seen, not yet handed over whole */
    bool begun;        /* a part of it was handed over */
    bool drops;        /* it is not to be handed over */
    bool standalone;   /* ends with its first QUERY */
    bool drops_ddl;    /* the first or the undone half of a two-phase ALTER */
    bool named;        /* the operator wants it left out whole */
    bool completes_xa; /* XA COMMIT or XA ROLLBACK is all there is of it */
    bool xa;           /* they are rows of an XA transaction, whose XA PREPARE has to come */
    bool prepares;     /* XA PREPARE has ended it: its rows are held, under `xa_name` */
    bool collects;     /* the position lists it, and its rows are not here */
    bool resolves;     /* it has committed or rolled back `resolved` */
    bool mysql;        /* it is MySQL's */
    struct rf_txid txid;
    bool has_xid;
    bool has_thread;
    bool same_sql;      /* rows with the statement in `sql` were kept */
    uint32_t committer; /* the id of the server that committed it first */
    uint32_t thread_id;
    uint64_t xid;
    struct rf_buf sql; /* the statement in hand, UTF-8; empty: it is not known or not kept */
    uint64_t start;
    uint64_t end;
    uint32_t time;       /* when its last event was logged, seconds since 1970 UTC */
    int64_t commit_us;   /* when it was committed, microseconds since then; 0: not said */
    int64_t position_us; /* ... of the transaction before the position */
    uint32_t sum;        /* of its last event */
    uint32_t ordinal;
    uint64_t skipped;
    uint64_t waived;
    uint64_t waived_before; /* between transactions, since the last one was handed over */
    struct rf_buf xa_name;  /* of what it prepares, as held.h says */
    struct rf_prepared resolved;
    struct rf_held held;
    struct rf_savepoints savepoints;
    struct rf_records records;
    struct rf_payload payload;
    struct rf_inflater inflater;
    struct rf_str logged; /* the event in hand as the log has it, also while `event` is another */
    bool packed;          /* the event in hand lies in it: it has no checksum and no place */
    uint32_t unpacked;    /* events of the payload in hand that were taken before it came again */

    struct rf_tables tables;
    struct rf_arena scratch;
    struct rf_buf text;
};

/* Frees everything; the assembly is zeroed but for what the source gave before the first event. */
void rf_assembly_deinit(struct rf_assembly *assembly);

/* Takes one event, header and checksum included; its bytes may change afterwards. `end` is the
 * offset behind it in the file; 0: as the event says. Not while `ready`. Returns RF_OK (now look at
 * `ready`); RF_AGAIN (not taken: the definer in `tables` is still at work, and the same event has
 * to come again); RF_RETRY (no room for a large transaction); RF_CONFIG (the log lacks what is
 * needed: with the statement that mends it); RF_FATAL (damage, a gap, something that is not
 * carried). After an error the assembly is of no further use. */
RF_USE_RESULT enum rf_status rf_assembly_take(struct rf_assembly *assembly, struct rf_str event,
                                              uint64_t end, struct rf_error *err);

/* Hands the ready transaction over. Returns RF_OK (whole, `ready` is false again); RF_AGAIN (the
 * batch is full: go on with the next one); RF_RETRY (what lay on disk could not be read back);
 * RF_CONFIG and RF_FATAL as above: the batch then has nothing of it but what earlier batches were
 * given. */
RF_USE_RESULT enum rf_status rf_assembly_drain(struct rf_assembly *assembly, struct rf_batch *batch,
                                               struct rf_error *err);

/* Finds the next event, for rf_assembly_fill: its bytes, valid until the next call, and `end` as
 * above. Returns RF_OK, with event->data NULL when there will never be one again; RF_AGAIN (none by
 * deadline_ms; one in the past: do not wait); anything else ends the reading. */
typedef enum rf_status rf_event_finder(void *reader, int64_t deadline_ms, struct rf_str *event,
                                       uint64_t *end, struct rf_error *err);

/* rf_source_type.read for a source whose events `find` finds: fills the batch with what is there,
 * and keeps an error for the next call when something came before it. */
RF_USE_RESULT enum rf_status rf_assembly_fill(struct rf_assembly *assembly, struct rf_batch *batch,
                                              int64_t deadline_ms, rf_event_finder *find,
                                              void *reader, struct rf_error *err);

/* The log goes on elsewhere, or ended: forgets table numbers and drops an unfinished transaction.
 * file is the next one's name, empty when not known. */
void rf_assembly_turn(struct rf_assembly *assembly, struct rf_str file);

/* Puts where we are in front of the message: "bin.000003 at 1234, GTID 0-1-5: ". Returns err's
 * status. */
enum rf_status rf_assembly_wrap(struct rf_assembly *assembly, struct rf_error *err);
/* Says what to do when the log is not the one that the position was taken from. Returns
 * RF_FATAL. */
enum rf_status rf_assembly_mismatch(struct rf_error *err);

/* The first XA transaction that the position lists as prepared, from number `from` on, whose rows
 * are not here and have to be read again; NULL: none. Its number in the list is *number. Valid
 * until the position changes.
 * What the operator leaves out by name is taken off the list meanwhile. */
const struct rf_prepared *rf_assembly_awaited(struct rf_assembly *assembly, uint32_t from,
                                              uint32_t *number);

/* ---- Between transaction.c and transaction_*.c ---- */

/* Adds to the hint of an error how the transaction in hand is left out by name. Returns err's
 * status. */
enum rf_status rf_assembly_stop(struct rf_assembly *assembly, struct rf_error *err);
/* Drops what was kept of the transaction in hand. */
void rf_assembly_forget(struct rf_assembly *assembly);
/* Events that say where we are: the next file, the format of this one, what lies before it. Return
 * RF_OK; RF_FATAL (damage, a gap, not the file that it must be). */
RF_USE_RESULT enum rf_status rf_assembly_rotate(struct rf_assembly *assembly, struct rf_str body,
                                                struct rf_error *err);
RF_USE_RESULT enum rf_status rf_assembly_describe(struct rf_assembly *assembly,
                                                  const struct rf_binlog_header *header,
                                                  struct rf_str event, struct rf_error *err);
RF_USE_RESULT enum rf_status rf_assembly_list(struct rf_assembly *assembly,
                                              const struct rf_binlog_header *header,
                                              struct rf_str body, struct rf_error *err);
/* A transaction begins here, of a MySQL log or not: what is to be known of it is reset. Returns
 * RF_OK; RF_FATAL (the one before it has not ended; the log is one of the other server). */
RF_USE_RESULT enum rf_status rf_assembly_start(struct rf_assembly *assembly,
                                               const struct rf_binlog_header *header, bool mysql,
                                               struct rf_error *err);
/* The transaction in hand has ended with this event. */
RF_USE_RESULT enum rf_status rf_assembly_end(struct rf_assembly *assembly,
                                             const struct rf_binlog_header *header,
                                             struct rf_error *err);
/* XA_PREPARE: the end of an XA transaction's rows. Returns as rf_assembly_take. */
RF_USE_RESULT enum rf_status rf_assembly_xa_prepare(struct rf_assembly *assembly,
                                                    const struct rf_binlog_header *header,
                                                    struct rf_str body, struct rf_error *err);
/* XA COMMIT or XA ROLLBACK: the held rows become those of the transaction in hand, or are dropped.
 * Returns RF_OK; RF_FATAL (rows are committed that were never seen). */
RF_USE_RESULT enum rf_status rf_assembly_xa_resolve(struct rf_assembly *assembly,
                                                    const struct rf_statement *statement,
                                                    struct rf_error *err);
/* The same for a transaction that is not handed over: the rows are dropped. */
void rf_assembly_xa_drop(struct rf_assembly *assembly, const struct rf_statement *statement);
/* The transaction in hand is over, and has prepared something. Returns RF_OK; RF_RETRY (no room);
 * RF_FATAL (of that name one is prepared already). */
RF_USE_RESULT enum rf_status rf_assembly_xa_hold(struct rf_assembly *assembly,
                                                 struct rf_error *err);
/* Whether it is known, for the patterns that hold now, that no row of this one is picked. */
bool rf_assembly_xa_is_empty(const struct rf_assembly *assembly,
                             const struct rf_prepared *prepared);
/* Writes into the position what the transaction in hand has prepared or resolved; whether it has
 * rows, also of one that the position lists already. */
void rf_assembly_xa_advance(struct rf_assembly *assembly);

/* MySQL's: the event that begins a transaction; what lies before the file; a whole transaction,
 * packed. Return as rf_assembly_take. */
RF_USE_RESULT enum rf_status rf_assembly_mysql_gtid(struct rf_assembly *assembly,
                                                    const struct rf_binlog_header *header,
                                                    struct rf_str body, struct rf_error *err);
RF_USE_RESULT enum rf_status rf_assembly_mysql_previous(struct rf_assembly *assembly,
                                                        const struct rf_binlog_header *header,
                                                        struct rf_str body, struct rf_error *err);
RF_USE_RESULT enum rf_status rf_assembly_mysql_payload(struct rf_assembly *assembly,
                                                       const struct rf_binlog_header *header,
                                                       struct rf_str body, struct rf_error *err);
/* Whether a whole transaction, packed, is one in two phases: its rows may be needed, wherever the
 * reading begins. Looks at its first event only. Returns RF_OK; RF_FATAL (damage). */
RF_USE_RESULT enum rf_status rf_assembly_mysql_prepares(struct rf_assembly *assembly,
                                                        struct rf_str body, bool *prepares,
                                                        struct rf_error *err);
/* Whether the transaction that has begun may come now; sets `drops` by the mode. Returns RF_OK;
 * RF_FATAL (out of order, or not the expected one). */
RF_USE_RESULT enum rf_status rf_assembly_expect(struct rf_assembly *assembly, struct rf_error *err);
/* RF_ASSEMBLY_VERIFY: the expected transaction has ended; from here on TAKE. Returns RF_OK;
 * RF_FATAL (it ended otherwise than expected). */
RF_USE_RESULT enum rf_status rf_assembly_expect_end(struct rf_assembly *assembly,
                                                    struct rf_error *err);
/* The position moves behind the transaction in hand. */
void rf_assembly_advance(struct rf_assembly *assembly);

#endif
