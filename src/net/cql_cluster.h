/* A cluster of Cassandra nodes: one connection to each node of a datacenter, and prepared
 * statements that are carried out by the hundred at once, each at a node that has the row.
 *
 * Used by what writes to Cassandra. What is carried out this way must do no harm when it is carried
 * out twice, and in any order: a request whose node was lost, was overloaded or ran out of time is
 * sent again, to the same or another node. For that the caller has a slot for each request under
 * way, a number, from which it can write the request's values as often as it is asked to.
 *
 *     rf_cql_cluster_slot     a free slot, waiting for one if need be
 *     rf_cql_cluster_execute  calls encode, and sends
 *     (done)                  is called once for each, when it was carried out or refused for good
 *     rf_cql_cluster_finish   returns when all were
 *
 * A node that is overloaded is given fewer requests at once for a while. Nodes that come, go, or
 * move are noticed by the events of the node that the cluster was asked through first.
 *
 * Statements that must not be carried out twice, and questions, go by rf_cql_cluster_ask, one at a
 * time. After any status but RF_OK close it. Zeroed is valid and closed. One thread at a time, but
 * for rf_cql_cluster_interrupt. */
#ifndef ROWFERRY_NET_CQL_CLUSTER_H
#define ROWFERRY_NET_CQL_CLUSTER_H

#include "net/cql.h"
#include "net/cql_ring.h"
#include "wire/cql_result.h"

enum { RF_CQL_NODES_MAX = 1000, RF_CQL_ID_SIZE = 16 };

/* Everything is borrowed until close. */
struct rf_cql_options {
    struct rf_cql_address address; /* of the first contact point; `interrupted` is set by open */
    const char *const *contacts;   /* more, "host" or "host:port", tried in turn */
    uint32_t contact_count;
    const char *datacenter; /* whose nodes are written to; NULL or empty: that of the contact */
    uint32_t in_flight;     /* requests at once and node, up to RF_CQL_IN_FLIGHT_MAX */
};

struct rf_cql_node {
    struct rf_cql cql; /* closed: it is down, or has gone */
    char *host;
    uint16_t port;
    char id[RF_CQL_ID_SIZE]; /* of the node, wherever it is */
    bool here;               /* among those that the cluster told of last, in our datacenter */
    uint32_t window;         /* requests that it may have at once now */
    uint32_t failures;       /* of connecting, in a row */
    int64_t retry_ms;        /* when to connect again */
    struct rf_cql_cluster *cluster;
};

/* A prepared statement; the caller's, and stays where it is while requests of it are under way. */
struct rf_cql_statement {
    struct rf_buf text;
    struct rf_buf id, metadata_id;
    uint16_t *kinds; /* enum rf_cql_kind of what is bound */
    uint32_t count;
    uint16_t *key; /* which of these make the partition's key, in its order */
    uint32_t key_count;
};
void rf_cql_statement_deinit(struct rf_cql_statement *statement);

struct rf_cql_slot {
    const struct rf_cql_statement *statement;
    int64_t timestamp;
    int64_t token;
    int64_t due_ms; /* when it is to be sent again; 0: it is under way, or free */
    int64_t begun_ms;
    uint32_t node; /* that it was sent to */
    uint16_t tries;
    bool used;
};

/* Appends the values of the request in that slot, statement->count of them. */
typedef void rf_cql_encode(void *argument, uint32_t slot, struct rf_buf *out);
/* The request in that slot was carried out (error is NULL), or refused; the slot is free when this
 * returns. Another status than RF_OK ends the call that is reading. */
typedef enum rf_status rf_cql_done(void *argument, uint32_t slot, const struct rf_cql *cql,
                                   const struct rf_cql_error *error, struct rf_error *err);

struct rf_cql_cluster {
    struct rf_cql_options options;
    rf_cql_encode *encode;
    rf_cql_done *done;
    void *argument;
    uint16_t consistency; /* of what is executed */

    struct rf_cql_node **nodes; /* in their places for good; node_count of them */
    uint32_t node_count;
    uint32_t control; /* the node that is asked, and tells of others */
    uint32_t up;      /* nodes that are connected */
    struct rf_cql_ring ring;
    char *datacenter;
    struct rf_cql_slot *slots;
    uint32_t *free_slots;
    uint32_t slot_count, free_count;
    uint32_t waiting; /* slots that are to be sent again */
    struct rf_arena arena;
    atomic_bool interrupted; /* the last member: all before it is what close gives back */
};

/* Connects to the first contact point that answers, and to the nodes that it tells of. Set encode,
 * done, argument and consistency before. Returns as rf_cql_connect; RF_CONFIG also without any
 * node in the datacenter. */
RF_USE_RESULT enum rf_status rf_cql_cluster_open(struct rf_cql_cluster *cluster,
                                                 const struct rf_cql_options *options,
                                                 struct rf_error *err);
/* Accepts closed ones. An interrupt stays in force. */
void rf_cql_cluster_close(struct rf_cql_cluster *cluster);
/* Makes the call under way, and each later one, return soon with RF_RETRY. Thread: any. */
void rf_cql_cluster_interrupt(struct rf_cql_cluster *cluster);

/* A statement with its values, by the node that is asked. The answer, of which *result is made,
 * stays valid until the next call here. Returns RF_OK; RF_RETRY, after which it may have been
 * carried out or not; what rf_cql_refused makes of an ERROR, which is then in *error, code 0
 * without one (NULL: of no interest). */
RF_USE_RESULT enum rf_status rf_cql_cluster_ask(struct rf_cql_cluster *cluster, struct rf_str text,
                                                const struct rf_cql_parameters *parameters,
                                                const struct rf_str *values,
                                                struct rf_cql_result *result,
                                                struct rf_cql_error *error, struct rf_error *err);
/* Prepares at all nodes. What was in *statement is forgotten. Returns as rf_cql_cluster_ask. */
RF_USE_RESULT enum rf_status rf_cql_cluster_prepare(struct rf_cql_cluster *cluster,
                                                    struct rf_str text,
                                                    struct rf_cql_statement *statement,
                                                    struct rf_error *err);
/* Waits until all nodes have the same schema. Returns RF_OK; RF_RETRY. */
RF_USE_RESULT enum rf_status rf_cql_cluster_agree(struct rf_cql_cluster *cluster,
                                                  struct rf_error *err);

/* A free slot. May wait. Returns RF_OK; RF_RETRY; what done returned. */
RF_USE_RESULT enum rf_status rf_cql_cluster_slot(struct rf_cql_cluster *cluster, uint32_t *slot,
                                                 struct rf_error *err);
/* Sends the request in that slot, now or soon. The token, of what rf_murmur3_token makes it, is of
 * no use with one node. Returns as rf_cql_cluster_slot. */
RF_USE_RESULT enum rf_status rf_cql_cluster_execute(struct rf_cql_cluster *cluster, uint32_t slot,
                                                    const struct rf_cql_statement *statement,
                                                    int64_t token, int64_t timestamp,
                                                    struct rf_error *err);
/* Waits until every request was carried out or refused. Returns as rf_cql_cluster_slot. */
RF_USE_RESULT enum rf_status rf_cql_cluster_finish(struct rf_cql_cluster *cluster,
                                                   struct rf_error *err);
/* Looks after nodes that came, went or are down, when it is time for that. Nothing may be under
 * way. Returns RF_OK; RF_RETRY. */
RF_USE_RESULT enum rf_status rf_cql_cluster_tend(struct rf_cql_cluster *cluster,
                                                 struct rf_error *err);

#endif
