/* A connection to one node of Cassandra: frames of CQL, many at once, paired by stream ids.
 *
 * Used by net/cql_cluster. The caller begins a request, appends its body, and ends it; each has a
 * tag, a number of the caller's, with which its answer is handed to `take`, in whatever order
 * answers come. Nothing here waits but rf_cql_connect and rf_cql_ask: rf_cql_step moves what can be
 * moved now, and says what to poll for. It never sends without reading, so that two full socket
 * buffers cannot lock each other up.
 *
 * Speaks version 5 where the node does, with its segments and their checksums, else 4. After any
 * status but RF_OK the connection is of no use any more: close it. An ERROR of the node is no such
 * status; what it means is for the caller, who has rf_cql_refused to translate it. Zeroed is valid
 * and closed. One thread at a time.
 *
 * Source: Apache Cassandra, doc/native_protocol_v5.spec, sections 2 to 4. */
#ifndef ROWFERRY_NET_CQL_H
#define ROWFERRY_NET_CQL_H

#include "net/tls.h"
#include "wire/cql.h"

enum {
    RF_CQL_IN_FLIGHT_MAX = 4096, /* requests of one connection that are not answered yet */
};

/* The tag of a request whose answer rf_cql_ask waits for; the caller's own are less. */
#define RF_CQL_ASK (UINT64_MAX - 1)

/* Where and as whom. Everything is borrowed for the call, but `interrupted`: until close. */
struct rf_cql_address {
    const char *host;
    uint16_t port;
    const char *user;     /* NULL or empty: none, the node must not ask */
    const char *password; /* NULL: empty */
    struct rf_tls_options tls;
    unsigned version; /* the highest to speak; 0: the highest that we know */
    bool lz4;         /* pack what is sent, where the node can */
    int64_t connect_timeout_ms;
    int64_t timeout_ms; /* of rf_cql_ask; and how long all may be silent that was asked */
    const atomic_bool *interrupted;
};

/* An answer; valid until the call that hands it over returns. */
struct rf_cql_answer {
    uint8_t opcode;
    unsigned version;
    struct rf_cursor body; /* behind what the frame's flags have announced */
};

/* Takes one answer. Another status than RF_OK ends the call that is reading, with that status. */
typedef enum rf_status rf_cql_take(void *argument, uint64_t tag, const struct rf_cql_answer *answer,
                                   struct rf_error *err);

struct rf_cql {
    rf_cql_take *take;
    void *argument;
    unsigned version;
    uint32_t in_flight;
    /* the node has told of nodes that came, went, or changed; set back by the caller */
    bool changed;

    bool connected;
    bool segmented; /* frames travel in segments */
    bool lz4;
    int fd;
    struct rf_tls tls;    /* over fd; its session is NULL when the connection is in the clear */
    struct rf_buf frames; /* version 5: whole ones that are not in segments yet, and one begun */
    size_t begun;         /* where the frame begins that is being written */
    struct rf_buf out;    /* what is to be sent; before `sent` it is gone already */
    size_t sent;
    struct rf_buf in; /* what has come, up to `taken` used already */
    size_t taken;
    struct rf_buf plain; /* version 5: frames out of their segments, up to `read` used already */
    size_t read;
    struct rf_buf body;    /* an unpacked one */
    struct rf_buf kept;    /* of the answer to rf_cql_ask */
    struct rf_buf scratch; /* a packed one */
    uint64_t *tags;        /* by stream */
    int16_t *streams;      /* free ones, free_count of them */
    uint32_t free_count;
    int64_t heard_ms; /* when something came last, or was asked while nothing was under way */
    int64_t timeout_ms;
    short read_events; /* what the last reading and sending wait for */
    short send_events;
    const atomic_bool *interrupted;
    bool answered; /* what rf_cql_ask has asked; its answer is kept */
    uint8_t opcode;
    char *where; /* "host:port", for messages */
    char *peer;  /* "Cassandra at host:port" */
};

/* Connects, by TLS where that is wanted, agrees on a version, logs in. Returns RF_OK; RF_RETRY (not
 * reachable, with err->connect; interrupted; starting); RF_CONFIG (refused, with err->access for
 * user and password; not Cassandra; TLS not as wanted). */
RF_USE_RESULT enum rf_status rf_cql_connect(struct rf_cql *cql,
                                            const struct rf_cql_address *address,
                                            struct rf_error *err);
/* Accepts closed ones. */
void rf_cql_close(struct rf_cql *cql);

/* Begins a request; fewer than RF_CQL_IN_FLIGHT_MAX may be under way. Returns the buffer to append
 * its body to. */
struct rf_buf *rf_cql_request(struct rf_cql *cql, enum rf_cql_opcode opcode, uint64_t tag);
/* Ends it; nothing is sent yet. */
void rf_cql_request_end(struct rf_cql *cql);
/* Takes back the request that was begun, as if there had been none. */
void rf_cql_request_drop(struct rf_cql *cql);
/* Bytes that wait to be sent. */
static inline size_t rf_cql_unsent(const struct rf_cql *cql)
{
    return cql->out.size - cql->sent + cql->frames.size;
}

/* Sends what goes without waiting, takes what has come. *moved is set when something was.
 * Returns RF_OK; RF_RETRY: lost, silent for too long, interrupted; RF_CONFIG; what take returned.
 * */
RF_USE_RESULT enum rf_status rf_cql_step(struct rf_cql *cql, bool *moved, struct rf_error *err);
/* What to poll its fd for before the next step. */
short rf_cql_events(const struct rf_cql *cql);

/* Ends the request that was begun with the tag RF_CQL_ASK and waits for its answer, which stays
 * valid until the next request; answers to others go to take meanwhile. Returns as rf_cql_step; an
 * ERROR is RF_OK. */
RF_USE_RESULT enum rf_status rf_cql_ask(struct rf_cql *cql, struct rf_cql_answer *answer,
                                        struct rf_error *err);

/* Fills err from an ERROR, and says what it means: RF_RETRY (overloaded, too few replicas, time is
 * up, a request that came damaged ...), RF_CONFIG (not permitted, with err->access; what the node
 * cannot do), RF_REJECT for what is about the statement's own data. */
enum rf_status rf_cql_refused(const struct rf_cql *cql, const struct rf_cql_error *error,
                              struct rf_error *err);
/* True for an ERROR that the same request may not meet a moment later. */
bool rf_cql_is_transient(int32_t code);

#endif
