/* The parts of the source `mysql`: what they share. Private to mysql.c and mysql_*.c. */
#ifndef ROWFERRY_SOURCE_MYSQL_H
#define ROWFERRY_SOURCE_MYSQL_H

#include "net/mysql.h"
#include "source/changes.h"
#include "source/mysql_catalog.h"
#include "source/transaction.h"

#include <rowferry/source.h>

enum rf_mysql_names { RF_MYSQL_SCHEMA_AUTO, RF_MYSQL_SCHEMA_LOG }; /* as the option's choices */

/* MySQL's variable gtid_mode: whether all transactions have GTIDs, or none, or some. */
enum rf_mysql_gtid_mode { RF_MYSQL_GTIDS_ON, RF_MYSQL_GTIDS_OFF, RF_MYSQL_GTIDS_MIXED };

struct rf_mysql_source {
    const char *user, *password, *host, *path, *socket;
    int64_t port;
    struct rf_list tables, skip;
    int64_t server_id;
    int64_t heartbeat_ms, connect_timeout_ms;
    int32_t tls;
    bool tls_verify;
    bool queries;
    int32_t schema;  /* enum rf_mysql_names */
    int32_t invalid; /* enum rf_invalid */
    const char *tls_ca, *tls_cert, *tls_key;

    struct rf_mysql mysql;
    struct rf_pick pick;
    struct rf_skips skips;
    struct rf_assembly assembly;
    struct rf_str held; /* an event that open has read and not taken */
    uint32_t feed;
    struct rf_mysql_catalog catalog;
    struct rf_str last; /* event that was found last; valid until the next one is */
    bool current;       /* a heartbeat came behind the last event */

    const char *pipeline;          /* borrowed from the context */
    bool hands_on;                 /* the server logs what it gets as a replica */
    bool mariadb;                  /* the server is one; else it is MySQL */
    enum rf_mysql_gtid_mode gtids; /* MySQL's */
    struct rf_log_place end;       /* MySQL: where its log ended when it was opened */
    struct rf_buf text;
    bool typed; /* the place to begin comes from a person */

    struct rf_mysql aside; /* connected only while the keys are asked for */
    bool asked;            /* ... which was done, or is another feed's business */
    int64_t ask_ms;        /* when they are asked for though events come and come */
};

/* ---- mysql_checks.c: what has to be so before anything is read ---- */

/* Where the server is, as the options say it. Borrows from the state. */
struct rf_mysql_address rf_mysql_source_address(const struct rf_mysql_source *state);
/* Connects, with the options' time-out or that of the context. Returns as rf_mysql_connect. */
RF_USE_RESULT enum rf_status rf_mysql_source_connect(struct rf_mysql_source *state,
                                                     const struct rf_context *ctx,
                                                     struct rf_error *err);
/* Reads the options that say what is captured and what is left out. Returns RF_OK or RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_mysql_source_read_filter(struct rf_mysql_source *state,
                                                         struct rf_error *err);
/* Looks at the settings that the log depends on. Adds what it finds; thorough: also what only
 * people want to know. Returns RF_OK, RF_RETRY or RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_mysql_source_judge(struct rf_mysql_source *state, bool thorough,
                                                   struct rf_findings *findings,
                                                   struct rf_error *err);
/* Connects and looks at the server's settings, reads the filter, and prepares the session for the
 * log. Returns RF_OK; RF_RETRY; RF_CONFIG with the statement that mends it. */
RF_USE_RESULT enum rf_status rf_mysql_source_check(struct rf_mysql_source *state,
                                                   const struct rf_context *ctx,
                                                   struct rf_error *err);
/* Connects to the same server once more and prepares the session, as the stream of a log has no
 * end. Returns RF_OK; RF_RETRY; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_mysql_source_reconnect(struct rf_mysql_source *state,
                                                       struct rf_error *err);
/* Warns of rows that the log lacks because foreign keys change them. Asks the server on a
 * connection of its own, in the first call only and for no longer than a few seconds; a server
 * that does not tell is no reason to fail. It looks into each table's definition, so it is not for
 * open. */
void rf_mysql_source_warn(struct rf_mysql_source *state);

/* ---- mysql_examine.c: the same for people, and more of it: a source's examine ---- */

RF_USE_RESULT enum rf_status rf_mysql_source_examine(void *memory, const struct rf_context *ctx,
                                                     struct rf_findings *findings,
                                                     struct rf_error *err);

/* ---- mysql_place.c: what the server's log has where. All ask the server; RF_OK, RF_RETRY,
 * RF_CONFIG or RF_FATAL ---- */

struct rf_mysql_log_file {
    bool found;
    bool behind_newest; /* its number is higher than that of the newest */
    uint64_t size;
};
/* Looks the file up; with an empty name the first one, whose name *first becomes. */
RF_USE_RESULT enum rf_status rf_mysql_source_find_file(struct rf_mysql_source *state,
                                                       struct rf_str name,
                                                       struct rf_mysql_log_file *file,
                                                       struct rf_buf *first, struct rf_error *err);
/* One value as text, NULL as *found = false. */
RF_USE_RESULT enum rf_status rf_mysql_source_ask(struct rf_mysql_source *state,
                                                 const char *statement, int64_t timeout_ms,
                                                 struct rf_buf *answer, bool *found,
                                                 struct rf_error *err);
/* The GTIDs before a place in a file. *found is false when no event begins there. */
RF_USE_RESULT enum rf_status rf_mysql_source_ask_gtids(struct rf_mysql_source *state,
                                                       struct rf_str file, uint64_t offset,
                                                       struct rf_gtid_list *gtids, bool *found,
                                                       struct rf_error *err);
/* Where a server's log ends. *gtids becomes what MySQL says that it has executed; may be NULL. */
RF_USE_RESULT enum rf_status rf_mysql_source_ask_end(struct rf_mysql *mysql, struct rf_buf *file,
                                                     uint64_t *offset, struct rf_buf *gtids,
                                                     struct rf_error *err);
/* The same, with the GTIDs before it. */
RF_USE_RESULT enum rf_status rf_mysql_source_ask_now(struct rf_mysql_source *state,
                                                     struct rf_position *position,
                                                     struct rf_error *err);
/* True when no file is so large that an event's 32 bits could not say where in it they are. A
 * server that does not tell is taken for one that has such files. */
bool rf_mysql_source_has_short_files(struct rf_mysql_source *state);

/* ---- mysql_start.c: where reading begins ---- */

/* Stands where `start` says, as the head of mysql.c has it. Returns as rf_source_type.open. */
RF_USE_RESULT enum rf_status rf_mysql_source_begin(struct rf_mysql_source *state,
                                                   const struct rf_start *start,
                                                   struct rf_error *err);
/* The position's file is one of this server's log. */
bool rf_mysql_source_is_same(const struct rf_mysql_source *state,
                             const struct rf_position *position);
/* For mysql_gtid.c, and used by it: all return RF_OK, RF_RETRY, RF_CONFIG or RF_FATAL. */
/* Streams from a place in a file, or, when file is empty, as the session's variables say, and reads
 * until the format is known. */
RF_USE_RESULT enum rf_status rf_mysql_source_dump(struct rf_mysql_source *state, struct rf_str file,
                                                  uint64_t offset, struct rf_error *err);
/* Gives the next event to the assembly. */
RF_USE_RESULT enum rf_status rf_mysql_source_step(struct rf_mysql_source *state,
                                                  struct rf_error *err);
/* The same number for each feed. */
RF_USE_RESULT enum rf_status rf_mysql_source_number(struct rf_mysql_source *state,
                                                    uint32_t *server_id, struct rf_error *err);
/* What this pipeline's readers are called among the server's replicas, at most
 * RF_MYSQL_REPLICA_NAME_MAX bytes. Appends. */
void rf_mysql_source_name(const struct rf_mysql_source *state, struct rf_buf *name);
/* Says who will read the log, and with which number. */
RF_USE_RESULT enum rf_status rf_mysql_source_register(struct rf_mysql_source *state,
                                                      uint32_t *server_id, struct rf_error *err);
/* A place where no transaction begins. */
enum rf_status rf_mysql_source_no_boundary(struct rf_mysql_source *state,
                                           const struct rf_position *place, struct rf_error *err);

/* Whether the position's file is still as long as it was; `file`: what there is of that name.
 * Returns RF_OK or RF_FATAL. */
RF_USE_RESULT enum rf_status rf_mysql_source_check_place(const struct rf_mysql_source *state,
                                                         const struct rf_position *position,
                                                         const struct rf_mysql_log_file *file,
                                                         struct rf_error *err);
/* All GTIDs of the state's position must be known to this server, whichever file they are in; of a
 * MySQL server as rf_mysql_source_check_set. */
RF_USE_RESULT enum rf_status rf_mysql_source_check_gtids(struct rf_mysql_source *state,
                                                         struct rf_error *err);
/* Fails with RF_FATAL: the place is all that says what was read, and it is not there; `same`: the
 * server is. */
enum rf_status rf_mysql_source_no_place(const struct rf_mysql_source *state,
                                        const struct rf_position *position, bool same,
                                        struct rf_error *err);

/* ---- mysql_prepared.c: rows of XA transactions that lie before the position ---- */

/* Reads the rows of what the position lists as prepared again, each from where it lies; `same`: the
 * places are this server's. *behind: some have no place here and come with the stream when it
 * begins behind the set of rf_mysql_source_seen. Leaves the session as it was. Returns RF_OK,
 * RF_RETRY, RF_CONFIG or RF_FATAL (they are not there any more). */
RF_USE_RESULT enum rf_status rf_mysql_source_collect(struct rf_mysql_source *state, bool same,
                                                     bool *behind, struct rf_error *err);
/* After a stream that was only looked into: a new connection, ready for another one. Returns as a
 * connect does. */
RF_USE_RESULT enum rf_status rf_mysql_source_begin_again(struct rf_mysql_source *state,
                                                         struct rf_error *err);
/* MySQL: the position's set without those transactions whose rows are still to come. */
void rf_mysql_source_seen(struct rf_mysql_source *state, struct rf_gtid_set *set);

/* ---- mysql_gtid.c: the same for a MySQL server, whose GTIDs are sets ---- */

/* All GTIDs of the position must be known to this server, and it must have all the others that it
 * ever had in its log. */
RF_USE_RESULT enum rf_status rf_mysql_source_check_set(struct rf_mysql_source *state,
                                                       struct rf_error *err);
/* Streams behind the position's set. */
RF_USE_RESULT enum rf_status rf_mysql_source_start_behind(struct rf_mysql_source *state,
                                                          struct rf_error *err);
RF_USE_RESULT enum rf_status rf_mysql_source_start_now(struct rf_mysql_source *state,
                                                       struct rf_error *err);
/* Streams from the place that the position has, and finds out what lies before it. */
RF_USE_RESULT enum rf_status rf_mysql_source_start_at(struct rf_mysql_source *state,
                                                      const struct rf_position *place,
                                                      struct rf_error *err);

/* ---- mysql.c ---- */

/* rf_event_finder; reader is a struct rf_mysql_source. */
enum rf_status rf_mysql_source_find(void *reader, int64_t deadline_ms, struct rf_str *event,
                                    uint64_t *end, struct rf_error *err);

#endif
