/* A server of the MongoDB protocol that does what a test tells it: for what no real one can be made
 * to do.
 *
 * It listens on a free port of 127.0.0.1, in threads of the test's own process, and is a small
 * truthful server (lib/mongo_script_store.h) but for what rules say: the third update on
 * shop.orders is refused, this answer gets lost, that one is half a message. It keeps every command
 * that it got, for the test to look at. It can ask for a log-in (SCRAM), speak TLS, and be a member
 * of a replica set, of which the test says who is the primary.
 *
 * Retried writes with a number (retryWrites) are carried out once. There are no transactions,
 * cursors or indexes: it refuses them; but for change streams, and what is told in them to be one
 * transaction.
 *
 * Aborts when it cannot work, as where no port is free. Free of cmocka, for programs that are no
 * tests. Thread: any, for every function but create and destroy. Source: MongoDB manual, "Database
 * Commands"; server discovery and monitoring specification; retryable writes specification. */
#ifndef ROWFERRY_TEST_MONGO_SCRIPT_H
#define ROWFERRY_TEST_MONGO_SCRIPT_H

#include <rowferry/str.h>

struct rf_mongo_script;

/* Strings are borrowed until destroy. Zeroed: one server by itself, open to everybody. */
struct rf_mongo_script_options {
    const char *user, *password; /* it wants a log-in as this one */
    bool userless; /* ... once createUser has made that one; before, who is not logged in may do
                    * that, and nothing else */
    const char *certificate; /* "DIR/NAME" of lib/certificates.h: it speaks TLS */
    const char *set_name;    /* it is a member of a replica set, and its primary at first */
    /* a second or third member: has the documents, the set and the log-in of this one, and is
     * secondary */
    struct rf_mongo_script *with;
    int32_t wire_version_max;               /* 0: 17, as MongoDB 6.0 */
    uint32_t document_bytes_max, batch_max; /* 0: as MongoDB's, 16 MiB and 100,000 */
    bool sessionless;                       /* knows no sessions */
    bool forgetful;       /* a crash takes all that was written since the last journaled write */
    bool streams;         /* it keeps a history, from which change streams are read */
    bool nameless;        /* ... and does not tell who it is (replSetGetConfig) */
    bool tokenless;       /* its batches have no postBatchResumeToken */
    bool images;          /* its collections keep images before and after each change */
    uint32_t split_bytes; /* events larger than that are split, where the client wants it */
    bool unrecorded;      /* keeps and counts no commands: for measurements */
};

struct rf_mongo_script *rf_mongo_script_create(const struct rf_mongo_script_options *options);
/* Accepts NULL. The documents go with the last member of a set. */
void rf_mongo_script_destroy(struct rf_mongo_script *script);

uint16_t rf_mongo_script_port(const struct rf_mongo_script *script);
/* "mongodb://127.0.0.1:PORT/", or all members and the set's name; without user and password. Lives
 * as long as the server. */
const char *rf_mongo_script_uri(const struct rf_mongo_script *script);

/* ---------------------------------------------------------------------------------------- rules */

/* What happens to a command instead of the truth. */
enum rf_mongo_script_act {
    RF_MONGO_SCRIPT_ANSWER, /* it is answered with `json`; if executed, with the truthful answer, in
                              * which the fields of `json` are put */
    RF_MONGO_SCRIPT_FAIL,   /* `json` is {"writeErrors": [{"index": ...}, ...]}: just these
                              * operations of it fail so, the others are executed (up to the first
                              * one that fails, if it is ordered) and counted truthfully */
    RF_MONGO_SCRIPT_HOLD,   /* it waits, or if executed its answer does, for release */
    RF_MONGO_SCRIPT_CUT,    /* the connection is closed without an answer */
    RF_MONGO_SCRIPT_RESET,  /* the connection is reset, as by a machine that was started anew */
    RF_MONGO_SCRIPT_LOSE,   /* no answer, and the connection stays */
    RF_MONGO_SCRIPT_HALF,   /* half the answer's bytes, then the connection is closed */
    RF_MONGO_SCRIPT_GARBAGE, /* bytes that are no message, then the connection is closed */
    RF_MONGO_SCRIPT_LONG,    /* the message says that it is longer than it is */
    RF_MONGO_SCRIPT_SHORT,   /* the message says that it is shorter than a header */
    RF_MONGO_SCRIPT_DAMAGED, /* the document in the message says that it is longer than that */
    RF_MONGO_SCRIPT_OTHER,   /* the message answers another request */
};

/* One rule holds for some commands, counted from when it was made: those with this name, on this
 * collection. When several hold, the oldest does. */
struct rf_mongo_script_rule {
    const char *command;    /* "update"; "hello" is isMaster too; NULL: all but hello, logging in,
                             * ping, buildInfo and endSessions */
    const char *collection; /* "shop.orders"; NULL: any, or none */
    uint32_t nth;           /* from this one on; 0 and 1: from the first */
    uint32_t times;         /* 0: once; UINT32_MAX: for ever */
    enum rf_mongo_script_act act;
    bool executed; /* it is carried out all the same; not for FAIL */
    const char *json;
};

/* Copies it all. */
void rf_mongo_script_rule(struct rf_mongo_script *script, const struct rf_mongo_script_rule *rule);
/* No more rules. What is held stays held until release. */
void rf_mongo_script_clear(struct rf_mongo_script *script);
/* How often rules were applied. */
uint32_t rf_mongo_script_applied(struct rf_mongo_script *script);

/* Everything that HOLD holds goes on. */
void rf_mongo_script_release(struct rf_mongo_script *script);
/* From now on, until false, nothing at all is answered. Connections are still taken. */
void rf_mongo_script_freeze(struct rf_mongo_script *script, bool frozen);
/* Closes all connections. */
void rf_mongo_script_cut(struct rf_mongo_script *script);
/* Closes all connections and the port; what was held is not carried out. */
void rf_mongo_script_stop(struct rf_mongo_script *script);
/* The same, and a forgetful one forgets. */
void rf_mongo_script_crash(struct rf_mongo_script *script);
/* Listens again, on the same port. */
void rf_mongo_script_again(struct rf_mongo_script *script);

/* This member is the primary from now on, the others are not. Connections stay. */
void rf_mongo_script_elect(struct rf_mongo_script *script);
/* Nobody is, until the next election. */
void rf_mongo_script_step_down(struct rf_mongo_script *script);

/* ----------------------------------------------------------------------------- what it has seen */

/* How many commands of a name this member got; NULL: all but hello. */
uint32_t rf_mongo_script_count(struct rf_mongo_script *script, const char *name);
/* The nth of them, from 1, as canonical extended JSON, with "$db"; NULL: there were not so many.
 * The text is the caller's to free. */
char *rf_mongo_script_command(struct rf_mongo_script *script, const char *name, uint32_t nth);
/* Connections that were taken so far. */
uint32_t rf_mongo_script_connections(struct rf_mongo_script *script);
/* Why it closed a connection last: what it got there was no message. Empty: it never did. The text
 * is the caller's to free. */
char *rf_mongo_script_complaint(struct rf_mongo_script *script);

/* Waits until it has got so many commands of a name; false: not within 20 s. */
bool rf_mongo_script_wait(struct rf_mongo_script *script, const char *name, uint32_t count);
/* Waits until so many are held. */
bool rf_mongo_script_wait_held(struct rf_mongo_script *script, uint32_t count);

/* Carries a command out on the documents, as no client: no rule holds for it, nobody records it.
 * The answer is the caller's to free. */
char *rf_mongo_script_ask(struct rf_mongo_script *script, const char *database,
                          const char *command);
/* All documents, as rf_test_mongo_dump (lib/mongo_server.h) tells them. Appends. */
void rf_mongo_script_dump(struct rf_mongo_script *script, struct rf_buf *out);
/* Writes from now on are told by change streams as one transaction, until false. */
void rf_mongo_script_bundle(struct rf_mongo_script *script, bool bundled);
/* The history was too long: what happened so far is not kept any more. */
void rf_mongo_script_lose_history(struct rf_mongo_script *script);
/* A backup took the place of the history, made before the last so many changes; the documents stay.
 */
void rf_mongo_script_set_back(struct rf_mongo_script *script, uint32_t count);
/* All cursors of this member are gone. */
void rf_mongo_script_kill_cursors(struct rf_mongo_script *script);
/* No documents any more: the disk was lost, or it is another server. */
void rf_mongo_script_forget(struct rf_mongo_script *script);

#endif
