/* What the two halves of a cluster know of each other: cql_cluster.c, which sends requests, and
 * cql_nodes.c, which finds the nodes and connects to them. Nobody else includes it. */
#ifndef ROWFERRY_NET_CQL_NODES_H
#define ROWFERRY_NET_CQL_NODES_H

#include "net/cql_cluster.h"

/* ---- cql_cluster.c */

/* Fills err: there is no node to send to. Returns RF_RETRY. */
enum rf_status rf_cql_cluster_none(const struct rf_cql_cluster *cluster, struct rf_error *err);
/* Of a connection that failed with that status: the others go on without it, as long as there are
 * any. Returns RF_OK, with err emptied, or the status. */
RF_USE_RESULT enum rf_status rf_cql_cluster_without(struct rf_cql_cluster *cluster, uint32_t number,
                                                    enum rf_status status, struct rf_error *err);
/* Moves what can be moved; when that is nothing, waits until there is something, or so long.
 * Returns RF_OK; RF_RETRY; what done returned. */
RF_USE_RESULT enum rf_status rf_cql_cluster_wait(struct rf_cql_cluster *cluster, int most_ms,
                                                 struct rf_error *err);
/* Ends the request that was begun at that node, and parses the RESULT, which is void for READY.
 * Returns as rf_cql_cluster_ask. */
RF_USE_RESULT enum rf_status rf_cql_cluster_ask_node(struct rf_cql_cluster *cluster,
                                                     uint32_t number, struct rf_cql_result *result,
                                                     struct rf_cql_error *error,
                                                     struct rf_error *err);
/* The take of every node's connection. */
enum rf_status rf_cql_cluster_take(void *argument, uint64_t tag, const struct rf_cql_answer *answer,
                                   struct rf_error *err);

/* ---- cql_nodes.c */

/* It was lost, or could not be reached: when to try again. */
void rf_cql_cluster_failed(struct rf_cql_node *node);

#endif
