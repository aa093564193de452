/* Which node of a Cassandra cluster has a row: the ring of tokens.
 *
 * Used by net/cql_cluster. Each node owns the tokens up to and with its own ones, from the one
 * before on. The owner of a row's token has a copy of it, whatever the replication (in the
 * datacenter whose nodes these are), and the next nodes along the ring are likely to have the
 * others. Zeroed is empty and valid.
 *
 * Source: Apache Cassandra, documentation, "Dynamo", section "Dataset Partitioning: Consistent
 * Hashing". */
#ifndef ROWFERRY_NET_CQL_RING_H
#define ROWFERRY_NET_CQL_RING_H

#include <rowferry/str.h>

struct rf_cql_token {
    int64_t token;
    uint32_t node; /* the caller's number of it */
};

struct rf_cql_ring {
    struct rf_cql_token *items; /* by token */
    uint32_t count;
    uint32_t capacity;
};

/* A token of a node, as Cassandra writes it, "-9223372036854775808". False: it is no number, as
 * with another partitioner than Murmur3. */
bool rf_cql_ring_add(struct rf_cql_ring *ring, struct rf_str token, uint32_t node);
/* Puts them in order, behind the last add. */
void rf_cql_ring_sort(struct rf_cql_ring *ring);
/* The place of the token's owner in `items`; places further on, past the end from the beginning,
 * are the next nodes. There must be one. */
uint32_t rf_cql_ring_find(const struct rf_cql_ring *ring, int64_t token);
/* Keeps the memory. */
void rf_cql_ring_reset(struct rf_cql_ring *ring);
void rf_cql_ring_deinit(struct rf_cql_ring *ring);

#endif
