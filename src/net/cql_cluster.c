#include "net/cql_nodes.h"

#include "base/clock.h"
#include "base/memory.h"
#include "net/tcp.h"

#include <poll.h>
#include <stdlib.h>

enum {
    PUSH_BYTES = 32 * 1024, /* with so many to be sent, they are */
    WINDOW_LEAST = 4,
    AGAIN_MS = 20, /* before a request is sent again, the first time; then twice as long */
    AGAIN_DOUBLED_MAX = 6,
};

#define NO_SLOT UINT32_MAX
/* Of a PREPARE in the midst of others: which slot's request waits for it. */
#define PREPARE_TAG (UINT64_C(1) << 32)

enum rf_status rf_cql_cluster_none(const struct rf_cql_cluster *cluster, struct rf_error *err)
{
    return rf_fail(err, RF_RETRY, "no node of Cassandra's datacenter %s is up",
                   cluster->datacenter != NULL ? cluster->datacenter : "");
}

/* -------------------------------------------------------------------------------- nodes go down */

static void again(struct rf_cql_cluster *cluster, struct rf_cql_slot *slot, int64_t pause_ms)
{
    slot->due_ms = rf_clock_ms() + pause_ms;
    cluster->waiting++;
}

/* What was under way there is to be sent again. */
static void set_down(struct rf_cql_cluster *cluster, uint32_t number)
{
    struct rf_cql_node *node = cluster->nodes[number];
    if (!node->cql.connected) {
        return;
    }
    rf_cql_close(&node->cql);
    cluster->up--;
    rf_cql_cluster_failed(node);
    for (uint32_t i = 0; i < cluster->slot_count; i++) {
        struct rf_cql_slot *slot = &cluster->slots[i];
        if (slot->used && slot->due_ms == 0 && slot->node == number) {
            again(cluster, slot, 0);
        }
    }
}

enum rf_status rf_cql_cluster_without(struct rf_cql_cluster *cluster, uint32_t number,
                                      enum rf_status status, struct rf_error *err)
{
    if (status != RF_RETRY || cluster->up <= 1 || atomic_load(&cluster->interrupted)) {
        return status;
    }
    set_down(cluster, number);
    if (err != NULL) {
        *err = (struct rf_error){0};
    }
    return RF_OK;
}

/* -------------------------------------------------------------------------------------- waiting */

/* Moves what can be moved at all nodes. */
static enum rf_status step_all(struct rf_cql_cluster *cluster, bool *moved, struct rf_error *err)
{
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        struct rf_cql *cql = &cluster->nodes[i]->cql;
        if (!cql->connected) {
            continue;
        }
        enum rf_status status = rf_cql_step(cql, moved, err);
        if (status != RF_OK) {
            status = rf_cql_cluster_without(cluster, i, status, err);
            *moved = true;
        }
        if (status != RF_OK) {
            return status;
        }
    }
    return RF_OK;
}

enum rf_status rf_cql_cluster_wait(struct rf_cql_cluster *cluster, int most_ms,
                                   struct rf_error *err)
{
    struct pollfd waits[64];
    nfds_t count = 0;
    bool moved = false;
    enum rf_status status = step_all(cluster, &moved, err);
    if (status != RF_OK || moved) {
        return status;
    }
    for (uint32_t i = 0; i < cluster->node_count && count < sizeof waits / sizeof *waits; i++) {
        const struct rf_cql *cql = &cluster->nodes[i]->cql;
        if (cql->connected) {
            waits[count++] = (struct pollfd){cql->fd, rf_cql_events(cql), 0};
        }
    }
    (void)poll(waits, count, most_ms);
    return RF_OK;
}

/* ------------------------------------------------------------------------------------- requests */

static void free_slot(struct rf_cql_cluster *cluster, uint32_t number)
{
    struct rf_cql_slot *slot = &cluster->slots[number];
    rf_assert(slot->used && slot->due_ms == 0);
    slot->used = false;
    cluster->free_slots[cluster->free_count++] = number;
}

/* The node to send a row to: the first one along the ring that is up. UINT32_MAX: none is. */
static uint32_t route(const struct rf_cql_cluster *cluster, int64_t token)
{
    const struct rf_cql_ring *ring = &cluster->ring;
    if (cluster->node_count == 1 || ring->count == 0) {
        return cluster->nodes[cluster->control]->cql.connected ? cluster->control : UINT32_MAX;
    }
    uint32_t place = rf_cql_ring_find(ring, token);
    for (uint32_t i = 0; i < ring->count; i++) {
        uint32_t node = ring->items[place].node;
        if (cluster->nodes[node]->cql.connected) {
            return node;
        }
        place = place + 1 == ring->count ? 0 : place + 1;
    }
    return UINT32_MAX;
}

/* Finds a node with room for one more request; may wait for it. */
static enum rf_status find_node(struct rf_cql_cluster *cluster, int64_t token, uint32_t *number,
                                struct rf_error *err)
{
    for (;;) {
        *number = route(cluster, token);
        if (*number == UINT32_MAX) {
            return rf_cql_cluster_none(cluster, err);
        }
        const struct rf_cql_node *node = cluster->nodes[*number];
        if (node->cql.in_flight < node->window) {
            return RF_OK;
        }
        enum rf_status status = rf_cql_cluster_wait(cluster, RF_TCP_SLICE_MS, err);
        if (status != RF_OK) {
            return status;
        }
    }
}

static enum rf_status send_slot(struct rf_cql_cluster *cluster, uint32_t number,
                                struct rf_error *err)
{
    struct rf_cql_slot *slot = &cluster->slots[number];
    const struct rf_cql_statement *statement = slot->statement;
    uint32_t node;
    enum rf_status status = find_node(cluster, slot->token, &node, err);
    if (status != RF_OK) {
        return status;
    }
    struct rf_cql *cql = &cluster->nodes[node]->cql;
    slot->node = node;
    struct rf_cql_parameters parameters = {.consistency = cluster->consistency,
                                           .value_count = (uint16_t)statement->count,
                                           .has_timestamp = true,
                                           .timestamp = slot->timestamp};
    struct rf_buf *out = rf_cql_request(cql, RF_CQL_EXECUTE, number);
    rf_cql_add_string(out, rf_buf_str(&statement->id));
    if (cql->version >= 5) {
        rf_cql_add_string(out, rf_buf_str(&statement->metadata_id));
    }
    rf_cql_add_parameters(out, cql->version, &parameters);
    cluster->encode(cluster->argument, number, out);
    rf_cql_add_parameters_end(out, &parameters);
    rf_cql_request_end(cql);
    if (rf_cql_unsent(cql) >= PUSH_BYTES) {
        bool moved = false;
        status = rf_cql_step(cql, &moved, err);
        status = status == RF_OK ? RF_OK : rf_cql_cluster_without(cluster, node, status, err);
    }
    return status;
}

/* Sends again what is due. */
static enum rf_status send_due(struct rf_cql_cluster *cluster, struct rf_error *err)
{
    int64_t now_ms = rf_clock_ms();
    for (uint32_t i = 0; i < cluster->slot_count && cluster->waiting > 0; i++) {
        struct rf_cql_slot *slot = &cluster->slots[i];
        if (!slot->used || slot->due_ms == 0 || slot->due_ms > now_ms) {
            continue;
        }
        slot->due_ms = 0;
        cluster->waiting--;
        /* While it waits for room it belongs to no node. */
        slot->node = UINT32_MAX;
        enum rf_status status = send_slot(cluster, i, err);
        if (status != RF_OK) {
            return status;
        }
    }
    return RF_OK;
}

static enum rf_status wait_and_send(struct rf_cql_cluster *cluster, struct rf_error *err)
{
    enum rf_status status = cluster->waiting > 0 ? send_due(cluster, err) : RF_OK;
    /* What is due next must not wait for long. */
    int most_ms = cluster->waiting > 0 ? AGAIN_MS / 2 : RF_TCP_SLICE_MS;
    return status == RF_OK ? rf_cql_cluster_wait(cluster, most_ms, err) : status;
}

enum rf_status rf_cql_cluster_slot(struct rf_cql_cluster *cluster, uint32_t *slot,
                                   struct rf_error *err)
{
    enum rf_status status = RF_OK;
    while (cluster->free_count == 0 && status == RF_OK) {
        status = wait_and_send(cluster, err);
    }
    if (status == RF_OK) {
        *slot = cluster->free_slots[--cluster->free_count];
        cluster->slots[*slot] = (struct rf_cql_slot){.used = true, .node = UINT32_MAX};
    }
    return status;
}

enum rf_status rf_cql_cluster_execute(struct rf_cql_cluster *cluster, uint32_t number,
                                      const struct rf_cql_statement *statement, int64_t token,
                                      int64_t timestamp, struct rf_error *err)
{
    struct rf_cql_slot *slot = &cluster->slots[number];
    slot->statement = statement;
    slot->token = token;
    slot->timestamp = timestamp;
    return send_slot(cluster, number, err);
}

enum rf_status rf_cql_cluster_finish(struct rf_cql_cluster *cluster, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    while (cluster->free_count < cluster->slot_count && status == RF_OK) {
        status = wait_and_send(cluster, err);
    }
    return status;
}

/* -------------------------------------------------------------------------------------- answers */

/* A node that has too much is given half as much; each answer brings a little of it back. */
static void narrow(struct rf_cql_node *node)
{
    node->window = node->window / 2 > WINDOW_LEAST ? node->window / 2 : WINDOW_LEAST;
}

/* Sends it again after a while, unless that has gone on for too long. */
static enum rf_status try_again(struct rf_cql_node *node, uint32_t number,
                                const struct rf_cql_error *error, struct rf_error *err)
{
    struct rf_cql_cluster *cluster = node->cluster;
    struct rf_cql_slot *slot = &cluster->slots[number];
    int64_t now_ms = rf_clock_ms();
    unsigned doubled = slot->tries < AGAIN_DOUBLED_MAX ? slot->tries : AGAIN_DOUBLED_MAX;
    slot->begun_ms = slot->tries++ == 0 ? now_ms : slot->begun_ms;
    if (now_ms - slot->begun_ms > node->cql.timeout_ms) {
        return rf_cql_refused(&node->cql, error, err);
    }
    narrow(node);
    again(cluster, slot, (int64_t)AGAIN_MS << doubled);
    return RF_OK;
}

/* The node has forgotten the statement: it is prepared there again, and the request follows. */
static void prepare_again(struct rf_cql_node *node, uint32_t number)
{
    struct rf_cql *cql = &node->cql;
    const struct rf_cql_statement *statement = node->cluster->slots[number].statement;
    struct rf_buf *out = rf_cql_request(cql, RF_CQL_PREPARE, PREPARE_TAG | number);
    rf_cql_add_prepare(out, cql->version, rf_buf_str(&statement->text));
    rf_cql_request_end(cql);
}

/* Of another id than before, the statement would be about another table of the same name. */
static enum rf_status prepared_again(struct rf_cql_node *node, uint32_t number,
                                     const struct rf_cql_answer *answer, struct rf_error *err)
{
    struct rf_cql_cluster *cluster = node->cluster;
    struct rf_cql_result result;
    struct rf_cursor body = answer->body;
    rf_arena_reset(&cluster->arena, RF_ARENA_CHUNK);
    enum rf_status status =
        rf_cql_result_parse(&body, answer->version, &cluster->arena, &result, err);
    if (status != RF_OK || result.kind != RF_CQL_PREPARED ||
        !rf_str_equal(result.id, rf_buf_str(&cluster->slots[number].statement->id))) {
        return rf_fail(err, RF_RETRY, "Cassandra at %s has prepared another statement than before",
                       node->cql.where);
    }
    again(cluster, &cluster->slots[number], 0);
    return RF_OK;
}

static enum rf_status take_error(struct rf_cql_node *node, uint64_t tag,
                                 const struct rf_cql_answer *answer, struct rf_error *err)
{
    struct rf_cql_cluster *cluster = node->cluster;
    struct rf_cql_error error;
    struct rf_cursor body = answer->body;
    uint32_t number = (uint32_t)tag;
    if (rf_cql_error_parse(&body, answer->version, &error, err) != RF_OK) {
        return rf_fail(err, RF_RETRY, "Cassandra at %s answered with a damaged error",
                       node->cql.where);
    }
    if (tag & PREPARE_TAG) {
        /* The table has changed: opened again, all is looked at anew. */
        (void)rf_cql_refused(&node->cql, &error, err);
        if (err != NULL) {
            err->status = RF_RETRY;
        }
        return RF_RETRY;
    }
    if (error.code == RF_CQL_UNPREPARED) {
        prepare_again(node, number);
        return RF_OK;
    }
    if (rf_cql_is_transient(error.code)) {
        return try_again(node, number, &error, err);
    }
    enum rf_status status = cluster->done(cluster->argument, number, &node->cql, &error, err);
    free_slot(cluster, number);
    return status;
}

enum rf_status rf_cql_cluster_take(void *argument, uint64_t tag, const struct rf_cql_answer *answer,
                                   struct rf_error *err)
{
    struct rf_cql_node *node = argument;
    struct rf_cql_cluster *cluster = node->cluster;
    if (answer->opcode == RF_CQL_ERROR) {
        return take_error(node, tag, answer, err);
    }
    if (answer->opcode != RF_CQL_RESULT) {
        return rf_fail(err, RF_RETRY, "Cassandra at %s answered a statement with opcode %u",
                       node->cql.where, answer->opcode);
    }
    if (tag & PREPARE_TAG) {
        return prepared_again(node, (uint32_t)tag, answer, err);
    }
    node->window += node->window < cluster->options.in_flight;
    enum rf_status status = cluster->done(cluster->argument, (uint32_t)tag, &node->cql, NULL, err);
    free_slot(cluster, (uint32_t)tag);
    return status;
}

/* --------------------------------------------------------------------------------------- asking */

enum rf_status rf_cql_cluster_ask_node(struct rf_cql_cluster *cluster, uint32_t number,
                                       struct rf_cql_result *result, struct rf_cql_error *error,
                                       struct rf_error *err)
{
    struct rf_cql *cql = &cluster->nodes[number]->cql;
    struct rf_cql_answer answer;
    enum rf_status status = rf_cql_ask(cql, &answer, err);
    *error = (struct rf_cql_error){0};
    *result = (struct rf_cql_result){.kind = RF_CQL_VOID};
    if (status != RF_OK) {
        return status;
    }
    if (answer.opcode == RF_CQL_ERROR) {
        status = rf_cql_error_parse(&answer.body, answer.version, error, err);
        if (status == RF_OK) {
            return rf_cql_refused(cql, error, err);
        }
    } else if (answer.opcode == RF_CQL_RESULT) {
        rf_arena_reset(&cluster->arena, RF_ARENA_CHUNK);
        status = rf_cql_result_parse(&answer.body, answer.version, &cluster->arena, result, err);
    } else if (answer.opcode != RF_CQL_READY) {
        status = rf_fail(err, RF_FATAL, "opcode %u", answer.opcode);
    }
    if (status != RF_OK) {
        rf_error_wrap(err, "the answer of Cassandra at %s is not CQL", cql->where);
        if (err != NULL) {
            err->status = RF_RETRY;
        }
        status = RF_RETRY;
    }
    return status;
}

enum rf_status rf_cql_cluster_ask(struct rf_cql_cluster *cluster, struct rf_str text,
                                  const struct rf_cql_parameters *parameters,
                                  const struct rf_str *values, struct rf_cql_result *result,
                                  struct rf_cql_error *error, struct rf_error *err)
{
    struct rf_cql_error ignored;
    struct rf_cql *cql = &cluster->nodes[cluster->control]->cql;
    if (!cql->connected) {
        return rf_cql_cluster_none(cluster, err);
    }
    struct rf_buf *out = rf_cql_request(cql, RF_CQL_QUERY, RF_CQL_ASK);
    rf_cql_add_query(out, cql->version, text, parameters, values);
    return rf_cql_cluster_ask_node(cluster, cluster->control, result,
                                   error != NULL ? error : &ignored, err);
}

static void keep_statement(struct rf_cql_statement *statement, struct rf_str text,
                           const struct rf_cql_result *result)
{
    const struct rf_cql_columns *bound = &result->bound;
    rf_cql_statement_deinit(statement);
    rf_buf_set(&statement->text, text);
    rf_buf_set(&statement->id, result->id);
    rf_buf_set(&statement->metadata_id, result->metadata_id);
    statement->count = bound->items != NULL ? bound->count : 0;
    statement->kinds = rf_alloc_zero(statement->count + 1, sizeof *statement->kinds);
    for (uint32_t i = 0; i < statement->count; i++) {
        statement->kinds[i] = bound->items[i].type.kind;
    }
    statement->key_count = result->key_count;
    statement->key = rf_alloc_zero(result->key_count + 1, sizeof *statement->key);
    for (uint32_t i = 0; i < result->key_count; i++) {
        statement->key[i] = result->key[i];
    }
}

static enum rf_status prepare_at(struct rf_cql_cluster *cluster, uint32_t node, struct rf_str text,
                                 struct rf_cql_result *result, struct rf_error *err)
{
    struct rf_cql *cql = &cluster->nodes[node]->cql;
    struct rf_cql_error error;
    rf_cql_add_prepare(rf_cql_request(cql, RF_CQL_PREPARE, RF_CQL_ASK), cql->version, text);
    enum rf_status status = rf_cql_cluster_ask_node(cluster, node, result, &error, err);
    if (status == RF_OK && result->kind != RF_CQL_PREPARED) {
        status = rf_fail(err, RF_RETRY, "Cassandra at %s has not prepared a statement", cql->where);
    }
    return status;
}

enum rf_status rf_cql_cluster_prepare(struct rf_cql_cluster *cluster, struct rf_str text,
                                      struct rf_cql_statement *statement, struct rf_error *err)
{
    struct rf_cql_result result;
    if (!cluster->nodes[cluster->control]->cql.connected) {
        return rf_cql_cluster_none(cluster, err);
    }
    enum rf_status status = prepare_at(cluster, cluster->control, text, &result, err);
    if (status != RF_OK) {
        return status;
    }
    keep_statement(statement, text, &result);
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        if (i == cluster->control || !cluster->nodes[i]->cql.connected) {
            continue;
        }
        status = prepare_at(cluster, i, text, &result, err);
        /* One that does not know it yet says so when it is asked to carry it out. */
        if (status == RF_RETRY) {
            status = rf_cql_cluster_without(cluster, i, status, err);
        }
    }
    return status;
}

void rf_cql_statement_deinit(struct rf_cql_statement *statement)
{
    rf_buf_deinit(&statement->text);
    rf_buf_deinit(&statement->id);
    rf_buf_deinit(&statement->metadata_id);
    free(statement->kinds);
    free(statement->key);
    *statement = (struct rf_cql_statement){0};
}
