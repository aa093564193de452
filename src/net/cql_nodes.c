/* The nodes of a cluster: who they are, the connections to them, and whether they agree. */
#include "net/cql_nodes.h"

#include "base/clock.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum {
    NODE_AGAIN_MS = 1000, /* before a node is connected to again, the first time; then twice that */
    NODE_AGAIN_DOUBLED_MAX = 6,
    NODE_CONNECT_MS = 1000, /* to a node besides the first */
    AGREE_MS = 30000,       /* for all nodes to have the same schema */
    AGREE_SLICE_MS = 20,
    NODE_COLUMNS = 5,
};

/* ----------------------------------------------------------------------------------- connecting */

void rf_cql_cluster_failed(struct rf_cql_node *node)
{
    unsigned doubled =
        node->failures < NODE_AGAIN_DOUBLED_MAX ? node->failures : NODE_AGAIN_DOUBLED_MAX;
    node->retry_ms = rf_clock_ms() + ((int64_t)NODE_AGAIN_MS << doubled);
    node->failures++;
}

static uint32_t add_node(struct rf_cql_cluster *cluster, struct rf_str host, uint16_t port)
{
    struct rf_cql_node *node = rf_alloc_zero(1, sizeof *node);
    node->host = rf_str_dup(host);
    node->port = port;
    node->cluster = cluster;
    cluster->nodes = rf_realloc(cluster->nodes, (cluster->node_count + 1) * sizeof *cluster->nodes);
    cluster->nodes[cluster->node_count] = node;
    return cluster->node_count++;
}

static enum rf_status connect_node(struct rf_cql_cluster *cluster, uint32_t number,
                                   int64_t limit_ms, struct rf_error *err)
{
    struct rf_cql_node *node = cluster->nodes[number];
    struct rf_cql_address address = cluster->options.address;
    address.host = node->host;
    address.port = node->port;
    address.connect_timeout_ms = limit_ms;
    address.interrupted = &cluster->interrupted;
    node->cql.take = rf_cql_cluster_take;
    node->cql.argument = node;
    enum rf_status status = rf_cql_connect(&node->cql, &address, err);
    if (status != RF_OK) {
        rf_cql_close(&node->cql);
        rf_cql_cluster_failed(node);
        return status;
    }
    node->window = cluster->options.in_flight;
    node->failures = 0;
    cluster->up++;
    return RF_OK;
}

/* "host", "host:port", "[::1]:port". */
static enum rf_status parse_contact(const struct rf_cql_cluster *cluster, const char *text,
                                    struct rf_str *host, uint16_t *port, struct rf_error *err)
{
    struct rf_str rest = rf_str_of(text);
    uint64_t number = cluster->options.address.port;
    const char *end = rest.size > 0 && text[0] == '[' ? strchr(text, ']') : NULL;
    const char *colon = end != NULL ? (end[1] == ':' ? end + 1 : NULL) : strchr(text, ':');
    bool bare = end == NULL && colon != NULL && strchr(colon + 1, ':') != NULL; /* an IPv6 one */
    *host = rest;
    if (end != NULL) {
        *host = (struct rf_str){text + 1, (size_t)(end - text) - 1};
    } else if (colon != NULL && !bare) {
        host->size = (size_t)(colon - text);
    }
    if (colon != NULL && !bare && !rf_str_to_u64(rf_str_of(colon + 1), &number)) {
        number = 0;
    }
    if (host->size == 0 || number == 0 || number > UINT16_MAX) {
        rf_fail(err, RF_CONFIG, "'%s' is not an address of a node", text);
        rf_error_hint(err, "write host or host:port");
        return RF_CONFIG;
    }
    *port = (uint16_t)number;
    return RF_OK;
}

/* The first contact point that answers becomes node 0. */
static enum rf_status connect_contact(struct rf_cql_cluster *cluster, struct rf_error *err)
{
    const struct rf_cql_options *options = &cluster->options;
    struct rf_str host = rf_str_of(options->address.host);
    uint16_t port = options->address.port;
    enum rf_status status = RF_OK;
    uint32_t node = add_node(cluster, host, port);
    status = connect_node(cluster, node, options->address.connect_timeout_ms, err);
    for (uint32_t i = 0; status == RF_RETRY && i < options->contact_count; i++) {
        if (atomic_load(&cluster->interrupted)) {
            break;
        }
        status = parse_contact(cluster, options->contacts[i], &host, &port, err);
        if (status == RF_OK) {
            free(cluster->nodes[node]->host);
            cluster->nodes[node]->host = rf_str_dup(host);
            cluster->nodes[node]->port = port;
            status = connect_node(cluster, node, options->address.connect_timeout_ms, err);
        }
    }
    return status;
}

/* -------------------------------------------------------------------------------------- looking */

static enum rf_status ask_simply(struct rf_cql_cluster *cluster, const char *text,
                                 struct rf_cql_result *result, struct rf_cql_error *error,
                                 struct rf_error *err)
{
    struct rf_cql_parameters one = {.consistency = RF_CQL_ONE};
    enum rf_status status =
        rf_cql_cluster_ask(cluster, rf_str_of(text), &one, NULL, result, error, err);
    if (status == RF_OK && result->kind != RF_CQL_ROWS) {
        status = rf_fail(err, RF_RETRY, "Cassandra at %s gave no rows of its own tables",
                         cluster->nodes[cluster->control]->cql.where);
    }
    return status;
}

static bool in_datacenter(const struct rf_cql_cluster *cluster, struct rf_str datacenter)
{
    return rf_str_equal(datacenter, rf_str_of(cluster->datacenter));
}

/* The tokens of a node, a set of texts. */
static enum rf_status add_tokens(struct rf_cql_cluster *cluster, struct rf_str tokens,
                                 uint32_t node, struct rf_error *err)
{
    struct rf_cursor cursor = rf_cursor_of(tokens);
    int32_t count = tokens.size > 0 ? rf_cql_int(&cursor, "tokens") : 0;
    for (int32_t i = 0; i < count && cursor.missing == NULL; i++) {
        struct rf_str token = rf_cql_bytes(&cursor, "token");
        if (cursor.missing == NULL && !rf_cql_ring_add(&cluster->ring, token, node)) {
            rf_fail(err, RF_CONFIG, "'%.*s' is no token of Murmur3Partitioner", RF_STR_ARG(token));
            rf_error_hint(err, "other partitioners are not supported");
            return RF_CONFIG;
        }
    }
    return cursor.missing == NULL
               ? RF_OK
               : rf_fail(err, RF_RETRY, "Cassandra gave damaged tokens of a node");
}

/* Who the node is that is asked. */
static enum rf_status look_at_control(struct rf_cql_cluster *cluster, struct rf_error *err)
{
    struct rf_cql_node *node = cluster->nodes[cluster->control];
    struct rf_cql_result result;
    struct rf_str values[NODE_COLUMNS];
    enum rf_status status = ask_simply(
        cluster, "SELECT host_id, data_center, tokens FROM system.local WHERE key = 'local'",
        &result, NULL, err);
    if (status == RF_OK && (result.row_count != 1 || result.columns.count != 3)) {
        status = rf_fail(err, RF_RETRY, "Cassandra at %s does not say who it is", node->cql.where);
    }
    if (status == RF_OK) {
        status = rf_cql_result_row(&result, values, err);
    }
    if (status != RF_OK) {
        return status;
    }
    if (values[0].size == RF_CQL_ID_SIZE) {
        memcpy(node->id, values[0].data, RF_CQL_ID_SIZE);
    }
    if (cluster->datacenter == NULL) {
        const char *wanted = cluster->options.datacenter;
        cluster->datacenter = wanted != NULL && wanted[0] != '\0' ? rf_str_dup(rf_str_of(wanted))
                                                                  : rf_str_dup(values[1]);
    }
    node->here = in_datacenter(cluster, values[1]);
    return node->here ? add_tokens(cluster, values[2], cluster->control, err) : RF_OK;
}

/* The node of that id, or a new one. */
static uint32_t find_node(struct rf_cql_cluster *cluster, struct rf_str id, struct rf_str host,
                          uint16_t port)
{
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        struct rf_cql_node *node = cluster->nodes[i];
        if (memcmp(node->id, id.data, RF_CQL_ID_SIZE) == 0) {
            if (!node->cql.connected) {
                free(node->host);
                node->host = rf_str_dup(host);
                node->port = port;
            }
            return i;
        }
    }
    uint32_t number = add_node(cluster, host, port);
    memcpy(cluster->nodes[number]->id, id.data, RF_CQL_ID_SIZE);
    return number;
}

/* A row of system.peers_v2, or of system.peers, which has no port. */
static enum rf_status take_peer(struct rf_cql_cluster *cluster, const struct rf_str *values,
                                bool has_port, struct rf_error *err)
{
    char host[INET6_ADDRSTRLEN];
    struct rf_str address = values[3];
    uint32_t port = cluster->options.address.port;
    if (values[0].size != RF_CQL_ID_SIZE || (address.size != 4 && address.size != 16) ||
        !in_datacenter(cluster, values[1]) || cluster->node_count == RF_CQL_NODES_MAX) {
        return RF_OK; /* still on its way in, or not of ours */
    }
    if (has_port && values[4].size == 4) {
        struct rf_cursor cursor = rf_cursor_of(values[4]);
        port = (uint32_t)rf_cql_int(&cursor, "port");
    }
    if (inet_ntop(address.size == 4 ? AF_INET : AF_INET6, address.data, host, sizeof host) ==
            NULL ||
        port == 0 || port > UINT16_MAX) {
        return RF_OK;
    }
    uint32_t number = find_node(cluster, values[0], rf_str_of(host), (uint16_t)port);
    cluster->nodes[number]->here = true;
    return add_tokens(cluster, values[2], number, err);
}

static enum rf_status look_at_peers(struct rf_cql_cluster *cluster, struct rf_error *err)
{
    struct rf_cql_result result;
    struct rf_cql_error error;
    bool has_port = true;
    enum rf_status status = ask_simply(
        cluster,
        "SELECT host_id, data_center, tokens, native_address, native_port FROM system.peers_v2",
        &result, &error, err);
    if (status == RF_REJECT && error.code == RF_CQL_INVALID) { /* Cassandra 3 has no such table */
        has_port = false;
        status = ask_simply(cluster,
                            "SELECT host_id, data_center, tokens, rpc_address FROM system.peers",
                            &result, NULL, err);
    }
    if (status == RF_OK && result.columns.count != (has_port ? 5 : 4)) {
        status = rf_fail(err, RF_RETRY, "Cassandra does not say who its nodes are");
    }
    for (uint32_t i = 0; status == RF_OK && i < result.row_count; i++) {
        struct rf_str values[NODE_COLUMNS];
        status = rf_cql_result_row(&result, values, err);
        if (status == RF_OK) {
            status = take_peer(cluster, values, has_port, err);
        }
    }
    return status;
}

/* Asks who there is. Nodes that are not told of any more keep their place, unused. */
static enum rf_status look(struct rf_cql_cluster *cluster, struct rf_error *err)
{
    rf_cql_ring_reset(&cluster->ring);
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        cluster->nodes[i]->here = false;
    }
    cluster->nodes[cluster->control]->cql.changed = false;
    enum rf_status status = look_at_control(cluster, err);
    if (status == RF_OK) {
        status = look_at_peers(cluster, err);
    }
    rf_cql_ring_sort(&cluster->ring);
    if (status == RF_OK && cluster->ring.count == 0) {
        rf_fail(err, RF_CONFIG, "Cassandra at %s has no node in the datacenter '%s'",
                cluster->nodes[cluster->control]->cql.where, cluster->datacenter);
        rf_error_hint(err, "check datacenter");
        return RF_CONFIG;
    }
    return status;
}

static enum rf_status listen_to_events(struct rf_cql_cluster *cluster, struct rf_error *err)
{
    struct rf_cql *cql = &cluster->nodes[cluster->control]->cql;
    struct rf_cql_result result;
    struct rf_cql_error error;
    rf_cql_add_register(rf_cql_request(cql, RF_CQL_REGISTER, RF_CQL_ASK));
    return rf_cql_cluster_ask_node(cluster, cluster->control, &result, &error, err);
}

/* ------------------------------------------------------------------------------------------ all */

enum rf_status rf_cql_cluster_open(struct rf_cql_cluster *cluster,
                                   const struct rf_cql_options *options, struct rf_error *err)
{
    rf_assert(options->in_flight > 0 && options->in_flight < RF_CQL_IN_FLIGHT_MAX);
    cluster->options = *options;
    cluster->control = 0;
    enum rf_status status = connect_contact(cluster, err);
    if (status == RF_OK) {
        status = listen_to_events(cluster, err);
    }
    if (status == RF_OK) {
        status = look(cluster, err);
    }
    for (uint32_t i = 0; status == RF_OK && i < cluster->node_count; i++) {
        struct rf_error ignored = {0};
        const struct rf_cql_node *node = cluster->nodes[i];
        if (node->here && !node->cql.connected &&
            connect_node(cluster, i, NODE_CONNECT_MS, &ignored) == RF_CONFIG) {
            *err = ignored;
            status = RF_CONFIG;
        }
    }
    if (status == RF_OK) {
        cluster->slot_count = options->in_flight * (cluster->ring.count > 0 ? cluster->up : 1);
        cluster->slots = rf_alloc_zero(cluster->slot_count, sizeof *cluster->slots);
        cluster->free_slots = rf_alloc_zero(cluster->slot_count, sizeof *cluster->free_slots);
        for (uint32_t i = 0; i < cluster->slot_count; i++) {
            cluster->free_slots[i] = cluster->slot_count - 1 - i;
        }
        cluster->free_count = cluster->slot_count;
    }
    return status;
}

/* Another node is asked from here on. */
static enum rf_status move_control(struct rf_cql_cluster *cluster, struct rf_error *err)
{
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        if (cluster->nodes[i]->cql.connected) {
            cluster->control = i;
            enum rf_status status = listen_to_events(cluster, err);
            return status == RF_OK ? look(cluster, err) : status;
        }
    }
    return rf_cql_cluster_none(cluster, err);
}

enum rf_status rf_cql_cluster_tend(struct rf_cql_cluster *cluster, struct rf_error *err)
{
    struct rf_cql *control = &cluster->nodes[cluster->control]->cql;
    enum rf_status status = RF_OK;
    bool changed = control->connected && control->changed;
    if (!control->connected) {
        status = move_control(cluster, err);
    } else if (changed) {
        status = look(cluster, err);
    }
    int64_t now_ms = rf_clock_ms();
    for (uint32_t i = 0; status == RF_OK && i < cluster->node_count; i++) {
        struct rf_error ignored = {0};
        struct rf_cql_node *node = cluster->nodes[i];
        if (node->here && !node->cql.connected && (changed || now_ms >= node->retry_ms)) {
            (void)!connect_node(cluster, i, NODE_CONNECT_MS, &ignored);
            break; /* one at a time, since others wait for us */
        }
    }
    return status;
}

/* True when no node that we are connected to has another schema. */
static enum rf_status schemas_are_equal(struct rf_cql_cluster *cluster, bool *equal,
                                        struct rf_error *err)
{
    char version[RF_CQL_ID_SIZE] = {0};
    struct rf_cql_result result;
    struct rf_str values[2];
    *equal = true;
    enum rf_status status = ask_simply(
        cluster, "SELECT schema_version FROM system.local WHERE key = 'local'", &result, NULL, err);
    if (status == RF_OK && result.row_count == 1 && result.columns.count == 1) {
        status = rf_cql_result_row(&result, values, err);
        if (status == RF_OK && values[0].size == sizeof version) {
            memcpy(version, values[0].data, sizeof version);
        }
    }
    if (status == RF_OK) {
        status = ask_simply(cluster, "SELECT host_id, schema_version FROM system.peers", &result,
                            NULL, err);
    }
    for (uint32_t i = 0; status == RF_OK && i < result.row_count; i++) {
        status = result.columns.count == 2 ? rf_cql_result_row(&result, values, err)
                                           : rf_fail(err, RF_RETRY, "a peer of two columns");
        for (uint32_t j = 0; status == RF_OK && j < cluster->node_count; j++) {
            const struct rf_cql_node *node = cluster->nodes[j];
            if (node->cql.connected && values[0].size == RF_CQL_ID_SIZE &&
                memcmp(node->id, values[0].data, RF_CQL_ID_SIZE) == 0) {
                *equal &= values[1].size == sizeof version &&
                          memcmp(version, values[1].data, sizeof version) == 0;
            }
        }
    }
    return status;
}

enum rf_status rf_cql_cluster_agree(struct rf_cql_cluster *cluster, struct rf_error *err)
{
    int64_t deadline_ms = rf_clock_ms() + AGREE_MS;
    for (;;) {
        bool equal;
        enum rf_status status = schemas_are_equal(cluster, &equal, err);
        if (status != RF_OK || equal) {
            return status;
        }
        if (rf_clock_ms() > deadline_ms) {
            rf_fail(err, RF_RETRY, "the nodes of Cassandra do not agree on their schema");
            rf_error_hint(err, "nodetool describecluster tells which of them differ");
            return RF_RETRY;
        }
        status = rf_cql_cluster_wait(cluster, AGREE_SLICE_MS, err);
        if (status != RF_OK) {
            return status;
        }
    }
}

void rf_cql_cluster_close(struct rf_cql_cluster *cluster)
{
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        rf_cql_close(&cluster->nodes[i]->cql);
        free(cluster->nodes[i]->host);
        free(cluster->nodes[i]);
    }
    free(cluster->nodes);
    free(cluster->datacenter);
    free(cluster->slots);
    free(cluster->free_slots);
    rf_cql_ring_deinit(&cluster->ring);
    rf_arena_deinit(&cluster->arena);
    memset(cluster, 0, offsetof(struct rf_cql_cluster, interrupted));
}

void rf_cql_cluster_interrupt(struct rf_cql_cluster *cluster)
{
    atomic_store(&cluster->interrupted, true);
}
