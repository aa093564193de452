/* The sink `cassandra`: each row a row of a table that is made to fit, by its primary key, and the
 * position beside them in the keyspace.
 *
 * Every statement carries the order stamp of its event as its time (rf_stamp_next), so that it does
 * not matter in which order hundreds of them at once are carried out, and repeats change nothing.
 * The stamp of a position is kept with it, so that a replay has the same ones. A row is written
 * with those columns that the log tells; one that is NULL is left out of a new row, and removed
 * from one that may be there. TRUNCATE waits for all before it; other statements change nothing,
 * but that columns which the source has got are added before the first row that has them.
 *
 * A document of a collection is a row of its _id and its JSON, or of what values=... makes of its
 * fields; see cassandra_documents.c.
 *
 * flush waits until all is confirmed, and then writes the position, see cassandra_place.c. As long
 * as the source has more to give, what came last may wait for rows of the same keys; see window.h.
 * */
#include "sink/cassandra_sink.h"

#include "base/memory.h"
#include "sink/statement.h"

#include <rowferry/sink.h>
#include <stdlib.h>

enum { WINDOW_LEAST = 1000, WINDOW_KEY_BYTES = 4096 };

/* The protocol and the consistencies by the options' choices. */
static const unsigned versions[] = {0, 4, 5};
static const enum rf_cql_consistency consistencies[] = {
    RF_CQL_LOCAL_QUORUM, RF_CQL_QUORUM,    RF_CQL_EACH_QUORUM, RF_CQL_ALL,
    RF_CQL_ONE,          RF_CQL_LOCAL_ONE, RF_CQL_TWO,         RF_CQL_THREE};

void rf_cassandra_add_name(struct rf_buf *out, struct rf_str name)
{
    rf_buf_add_byte(out, '"');
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '"') {
            rf_buf_add_byte(out, '"');
        }
        rf_buf_add_byte(out, name.data[i]);
    }
    rf_buf_add_byte(out, '"');
}

static enum rf_status ask(struct rf_cassandra_sink *sink, enum rf_cql_consistency consistency,
                          const struct rf_str *values, uint16_t value_count,
                          struct rf_cql_result *result, struct rf_error *err)
{
    bool local = consistency == RF_CQL_LOCAL_QUORUM || consistency == RF_CQL_LOCAL_SERIAL;
    struct rf_cql_parameters parameters = {.consistency = (uint16_t)consistency,
                                           .serial_consistency =
                                               local ? RF_CQL_LOCAL_SERIAL : RF_CQL_SERIAL,
                                           .value_count = value_count};
    return rf_cql_cluster_ask(&sink->cluster, rf_buf_str(&sink->statement), &parameters, values,
                              result, NULL, err);
}

static enum rf_status become(enum rf_status status, struct rf_error *err)
{
    if (err != NULL) {
        err->status = status;
    }
    return status;
}

/* What is invalid of what nobody but us has made is so for the moment: a table that is being made,
 * or is not there any more, about which more is known when all is opened again. */
enum rf_status rf_cassandra_ask(struct rf_cassandra_sink *sink, enum rf_cql_consistency consistency,
                                const struct rf_str *values, uint16_t value_count,
                                struct rf_cql_result *result, struct rf_error *err)
{
    enum rf_status status = ask(sink, consistency, values, value_count, result, err);
    return status == RF_REJECT ? become(RF_RETRY, err) : status;
}

enum rf_status rf_cassandra_prepare(struct rf_cassandra_sink *sink,
                                    struct rf_cql_statement *statement, struct rf_error *err)
{
    enum rf_status status =
        rf_cql_cluster_prepare(&sink->cluster, rf_buf_str(&sink->statement), statement, err);
    return status == RF_REJECT ? become(RF_RETRY, err) : status;
}

enum rf_status rf_cassandra_alter(struct rf_cassandra_sink *sink, struct rf_error *err)
{
    struct rf_cql_result result;
    enum rf_status status = ask(sink, RF_CQL_ONE, NULL, 0, &result, err);
    if (status == RF_OK) {
        return rf_cql_cluster_agree(&sink->cluster, err);
    }
    return status == RF_REJECT ? become(RF_CONFIG, err) : status;
}

/* -------------------------------------------------------------------------------------- writing */

static enum rf_status write_event(struct rf_cassandra_sink *sink, const struct rf_event *event,
                                  struct rf_error *err)
{
    sink->stamp = rf_stamp_next(sink->stamp, rf_view_transaction(sink->view, event)->commit_us);
    switch ((enum rf_op)event->op) {
    case RF_CREATE:
    case RF_UPDATE:
    case RF_DELETE:
    case RF_READ: return rf_cassandra_row_put(sink, event, err);
    case RF_TRUNCATE: return rf_cassandra_truncate(sink, event, err);
    case RF_DDL:
        rf_statement_warn(event, "rows", "Cassandra"); /* which stay as they are */
        return rf_cassandra_rows_finish(sink, err);
    }
    return RF_OK;
}

static enum rf_status cassandra_write(void *state, const struct rf_view *view, struct rf_error *err)
{
    struct rf_cassandra_sink *sink = state;
    enum rf_status status = RF_OK;
    uint32_t at = 0;
    sink->view = view;
    sink->looked = false;
    for (uint32_t i = 0; i < view->transaction_count && status == RF_OK; i++) {
        for (; at < view->count && status == RF_OK; at++) {
            if (rf_view_transaction(view, &view->events[at]) != &view->transactions[i]) {
                break;
            }
            status = write_event(sink, &view->events[at], err);
        }
        if (status == RF_OK && view->transactions[i].ends) {
            sink->stamp_whole = sink->stamp;
        }
    }
    sink->view = NULL;
    if (status == RF_OK) {
        return rf_view_more_follows(view) ? RF_OK : rf_cassandra_rows_finish(sink, err);
    }
    if (status == RF_REJECT && sink->refused_event == NULL) {
        /* We refused it ourselves. Those before it are to be applied, which may fail in turn. */
        struct rf_error earlier = {0};
        enum rf_status finished = rf_cassandra_rows_finish(sink, &earlier);
        if (finished != RF_OK) {
            status = finished;
            if (err != NULL) {
                *err = earlier;
            }
        }
    }
    return status;
}

static enum rf_status cassandra_flush(void *state, struct rf_str position, struct rf_buf *note,
                                      struct rf_error *err)
{
    struct rf_cassandra_sink *sink = state;
    (void)note;
    sink->looked = false;
    enum rf_status status = rf_cassandra_rows_finish(sink, err);
    if (status == RF_OK && rf_str_equal(position, rf_buf_str(&sink->position))) {
        status = rf_cassandra_place_look(sink, err);
    } else if (status == RF_OK) {
        status = rf_cassandra_place_write(sink, position, err);
        if (status == RF_OK) {
            rf_buf_set(&sink->position, position);
        }
    }
    return status == RF_OK ? rf_cql_cluster_tend(&sink->cluster, err) : status;
}

/* -------------------------------------------------------------------------------------- opening */

static enum rf_status parse_keyspace(struct rf_cassandra_sink *sink, struct rf_error *err)
{
    struct rf_str path = rf_str_of(sink->path);
    if (path.size > 0 && path.data[0] == '/') {
        path.data++;
        path.size--;
    }
    bool good = path.size > 0 && path.size <= RF_CASSANDRA_NAME_MAX;
    for (size_t i = 0; i < path.size; i++) {
        char byte = path.data[i];
        good &= byte == '_' || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                (byte >= 'A' && byte <= 'Z');
    }
    if (!good) {
        rf_fail(err, RF_CONFIG,
                path.size == 0 ? "the address names no keyspace"
                               : "'%.*s' is not the name of a keyspace",
                RF_STR_ARG(path));
        rf_error_hint(err, "write it as cassandra://host:9042/keyspace; a name has 1 to 48 letters "
                           "without accents, digits and underscores");
        return RF_CONFIG;
    }
    if (rf_str_equal(path, RF_STR("system")) || rf_str_starts(path, RF_STR("system_"))) {
        rf_fail(err, RF_CONFIG, "the keyspace %.*s is Cassandra's own", RF_STR_ARG(path));
        rf_error_hint(err, "choose another");
        return RF_CONFIG;
    }
    rf_buf_set(&sink->keyspace, path);
    (void)rf_buf_cstr(&sink->keyspace);
    rf_buf_reset(&sink->quoted);
    rf_cassandra_add_name(&sink->quoted, path);
    return RF_OK;
}

static enum rf_status cassandra_check(void *state, struct rf_error *err)
{
    struct rf_cassandra_sink *sink = state;
    enum rf_status status = parse_keyspace(sink, err);
    return status == RF_OK ? rf_cassandra_tables_parse(sink, err) : status;
}

static enum rf_status connect_cluster(struct rf_cassandra_sink *sink, const struct rf_context *ctx,
                                      struct rf_error *err)
{
    struct rf_cql_options options = {
        .address = {.host = sink->host,
                    .port = (uint16_t)sink->port,
                    .user = sink->user,
                    .password = sink->password,
                    .tls = {.mode = (enum rf_tls_mode)sink->tls,
                            .skip_verify = !sink->tls_verify,
                            .ca = sink->tls_ca,
                            .cert = sink->tls_cert,
                            .key = sink->tls_key},
                    .version = versions[sink->protocol],
                    .lz4 = sink->compression == 1,
                    .connect_timeout_ms = ctx->connect_timeout_ms,
                    .timeout_ms = sink->timeout_ms},
        .contacts = sink->nodes.items,
        .contact_count = sink->nodes.count,
        .datacenter = sink->datacenter,
        .in_flight = (uint32_t)sink->in_flight,
    };
    sink->cluster.encode = rf_cassandra_encode;
    sink->cluster.done = rf_cassandra_done;
    sink->cluster.argument = sink;
    sink->cluster.consistency = (uint16_t)consistencies[sink->consistency];
    enum rf_status status = rf_cql_cluster_open(&sink->cluster, &options, err);
    if (status == RF_OK) {
        sink->requests = rf_alloc_zero(sink->cluster.slot_count, sizeof *sink->requests);
    }
    return status;
}

/* "3244032B", "16MiB": bytes; 0: none of these. */
static uint64_t parse_size(struct rf_str text)
{
    static const struct {
        const char *unit;
        unsigned shift;
    } units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"B", 0}};
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        struct rf_str digits = text, unit = rf_str_of(units[i].unit);
        if (text.size > unit.size &&
            memcmp(text.data + text.size - unit.size, unit.data, unit.size) == 0) {
            digits.size -= unit.size;
            return rf_str_to_u64(digits, &number) && number < UINT64_C(1) << 32
                       ? number << units[i].shift
                       : 0;
        }
    }
    return 0;
}

/* How large a request may be. Some nodes of version 4 do not answer a larger one at all. */
static enum rf_status read_limit(struct rf_cassandra_sink *sink, struct rf_error *err)
{
    enum { EXTRA = 4096 }; /* what of a request is not the row */
    struct rf_cql_result result;
    struct rf_error ignored = {0};
    struct rf_str value = RF_STR_NONE;
    sink->row_limit = (uint64_t)sink->row_bytes_max;
    rf_buf_set(&sink->statement, RF_STR("SELECT value FROM system_views.settings WHERE name = "
                                        "'native_transport_max_message_size'"));
    enum rf_status status = ask(sink, RF_CQL_ONE, NULL, 0, &result, &ignored);
    if (status == RF_OK && result.row_count == 1 && result.columns.count == 1) {
        status = rf_cql_result_row(&result, &value, &ignored);
        uint64_t limit = status == RF_OK ? parse_size(value) : 0;
        if (limit > EXTRA && limit - EXTRA < sink->row_limit) {
            sink->row_limit = limit - EXTRA;
        }
    }
    if (status == RF_RETRY && err != NULL) {
        *err = ignored;
    }
    return status == RF_RETRY ? status : RF_OK; /* one that does not tell knows no such limit */
}

static enum rf_status cassandra_open(void *state, const struct rf_context *ctx,
                                     struct rf_str *resume, struct rf_error *err)
{
    struct rf_cassandra_sink *sink = state;
    sink->pipeline = ctx->pipeline;
    sink->instance = ctx->instance;
    sink->epoch = ctx->epoch;
    sink->picks = ctx->picks;
    sink->adopts = sink->adopt || ctx->adopt;
    sink->ordered = ctx->ordered;
    sink->window.change_size = sizeof(struct rf_cassandra_change);
    sink->window.least = WINDOW_LEAST;
    sink->window.key_bytes = WINDOW_KEY_BYTES;
    enum rf_status status = cassandra_check(sink, err);
    if (status == RF_OK) {
        status = connect_cluster(sink, ctx, err);
    }
    if (status == RF_OK) {
        status = read_limit(sink, err);
    }
    if (status == RF_OK) {
        status = rf_cassandra_place_take(sink, ctx, err);
    }
    if (status == RF_OK) {
        *resume = rf_buf_str(&sink->position);
    }
    return status;
}

static void cassandra_close(void *state)
{
    struct rf_cassandra_sink *sink = state;
    struct rf_buf *bufs[] = {&sink->keyspace, &sink->quoted, &sink->position,
                             &sink->key_text, &sink->text,   &sink->old_key_text,
                             &sink->rendered, &sink->made,   &sink->statement};
    rf_cql_cluster_close(&sink->cluster);
    rf_cassandra_tables_deinit(sink);
    rf_window_deinit(&sink->window);
    rf_arena_deinit(&sink->documents);
    free(sink->requests);
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) {
        rf_buf_deinit(bufs[i]);
    }
}

static void cassandra_interrupt(void *state)
{
    struct rf_cassandra_sink *sink = state;
    rf_cql_cluster_interrupt(&sink->cluster);
}

#define AT(member) offsetof(struct rf_cassandra_sink, member)

static const struct rf_option cassandra_options[] = {
    {"host", RF_OPTION_TEXT, AT(host), "127.0.0.1", NULL, "name or address of a node", false},
    {"port", RF_OPTION_INT, AT(port), "9042", "1..65535", "its port for CQL", false},
    {"path", RF_OPTION_TEXT, AT(path), NULL, NULL,
     "keyspace that the rows go to; it is made when it is not there", false},
    {"user", RF_OPTION_TEXT, AT(user), NULL, NULL, "role to log in as; none: no log-in", false},
    {"password", RF_OPTION_SECRET, AT(password), NULL, NULL, "password of the role", false},
    {"nodes", RF_OPTION_LIST, AT(nodes), NULL, NULL,
     "more nodes, host or host:port, asked when the first one is away; all others are found by "
     "asking",
     false},
    {"datacenter", RF_OPTION_TEXT, AT(datacenter), NULL, NULL,
     "whose nodes are written to; none: that of the node that answers", false},
    {"tls", RF_OPTION_CHOICE, AT(tls), "auto", "auto|on|off",
     "encryption; auto: off on this machine, else on", false},
    {"tls_verify", RF_OPTION_BOOL, AT(tls_verify), "on", NULL,
     "check the nodes' certificates and names", false},
    {"tls_ca", RF_OPTION_TEXT, AT(tls_ca), NULL, NULL,
     "file of certificates to trust; none: those of the system", false},
    {"tls_cert", RF_OPTION_TEXT, AT(tls_cert), NULL, NULL, "file of our own certificate", false},
    {"tls_key", RF_OPTION_TEXT, AT(tls_key), NULL, NULL,
     "file of its key; none: it is in the file of tls_cert", false},
    {"protocol", RF_OPTION_CHOICE, AT(protocol), "auto", "auto|4|5",
     "version of CQL's protocol; auto: the highest that both sides know", false},
    {"compression", RF_OPTION_CHOICE, AT(compression), "off", "off|lz4",
     "pack what is sent, and what is answered", false},
    {"consistency", RF_OPTION_CHOICE, AT(consistency), "local_quorum",
     "local_quorum|quorum|each_quorum|all|one|local_one|two|three",
     "who has to confirm rows; the position is always confirmed by a quorum", false},
    {"replication", RF_OPTION_TEXT, AT(replication), "1", NULL,
     "of a keyspace that is made: copies in the datacenter, or a map as CQL has it", false},
    {"table", RF_OPTION_TEXT, AT(table), "{table}", NULL,
     "template of the table that a table of the source fills", false},
    {"escape", RF_OPTION_BOOL, AT(escape), "off", NULL,
     "in names of tables, write bytes that Cassandra does not take as _ and two hexadecimal digits",
     false},
    {"dates", RF_OPTION_CHOICE, AT(dates), "date", "date|text",
     "what DATE, DATETIME and TIMESTAMP with up to 3 fraction digits are made; with more they are "
     "texts; only text holds dates that there are not, such as 0000-00-00",
     false},
    {"values", RF_OPTION_LIST, AT(values), NULL, NULL,
     "columns that a row becomes, each NAME=TEMPLATE, such as stamp={ts}; none: its own", false},
    {"key", RF_OPTION_LIST, AT(key_names), NULL, NULL,
     "which of values make the primary key; none: the first; without the whole primary key of the "
     "source, rows share keys and deletes leave them",
     false},
    {"adopt", RF_OPTION_BOOL, AT(adopt), "off", NULL,
     "write to tables that have rows already which this pipeline did not write", false},
    {"fold", RF_OPTION_BOOL, AT(fold), "on", NULL,
     "of changes of one row that come soon after each other only the last state is sent", false},
    {"in_flight", RF_OPTION_INT, AT(in_flight), "512", "1..4000",
     "statements at once, for each node", false},
    {"row_bytes_max", RF_OPTION_SIZE, AT(row_bytes_max), "16M", "1..256M",
     "a larger row is refused; also one that is larger than what the nodes take", false},
    {"timeout", RF_OPTION_DURATION, AT(timeout_ms), "10s", "100ms..10m",
     "the longest wait for a sign of a node", false},
    RF_OPTION_END,
};

/* --------------------------------------------------------------------------------------- doctor */

/* One value of one row; false: there is none, or it may not be seen. It lies in the connection. */
static bool ask_one(struct rf_cassandra_sink *sink, const char *statement,
                    const struct rf_str *values, uint16_t value_count, struct rf_str *value)
{
    struct rf_cql_result result;
    struct rf_error ignored = {0};

    rf_buf_set(&sink->statement, rf_str_of(statement));
    return ask(sink, RF_CQL_ONE, values, value_count, &result, &ignored) == RF_OK &&
           result.row_count > 0 && result.columns.count == 1 &&
           rf_cql_result_row(&result, value, &ignored) == RF_OK;
}

static void examine_keyspace(struct rf_cassandra_sink *sink, struct rf_findings *findings)
{
    struct rf_str name = rf_buf_str(&sink->keyspace), replication = RF_STR_NONE;
    bool there = ask_one(sink,
                         "SELECT JSON replication FROM system_schema.keyspaces WHERE "
                         "keyspace_name = ?",
                         &name, 1, &replication);
    bool once = there && memmem(replication.data, replication.size, "\"replication_factor\": \"1\"",
                                strlen("\"replication_factor\": \"1\"")) != NULL;
    struct rf_finding finding = {.what = "keyspace", .needed = "it, or the right to make it"};

    if (!there) {
        finding.why = "it is made at the first start, with the replication of the sink's options; "
                      "that takes the right CREATE ON ALL KEYSPACES";
        rf_finding_add_text(findings, finding, "%.*s is not there", RF_STR_ARG(name));
        return;
    }
    if (once) {
        finding.verdict = RF_FINDING_ADVICE;
        finding.why = "each row is on one node only";
        finding.fix = "ALTER KEYSPACE with a replication_factor of 3, then nodetool repair";
    }
    rf_finding_add_text(findings, finding, "%.*s, %.*s", RF_STR_ARG(name), RF_STR_ARG(replication));
}

static enum rf_status cassandra_examine(void *state, const struct rf_context *ctx,
                                        struct rf_findings *findings, struct rf_error *err)
{
    struct rf_cassandra_sink *sink = state;
    struct rf_str value = RF_STR_NONE;
    enum rf_status status = cassandra_check(sink, err);

    if (status == RF_OK) {
        status = connect_cluster(sink, ctx, err);
    }
    if (status == RF_OK) {
        struct rf_tls_options tls = {.mode = (enum rf_tls_mode)sink->tls};
        bool told = ask_one(sink, "SELECT release_version FROM system.local", NULL, 0, &value);
        rf_finding_add_text(findings, (struct rf_finding){.what = "server"}, "Cassandra %.*s",
                            RF_STR_ARG(told ? value : RF_STR("of unknown version")));
        rf_finding_add_encryption(findings, rf_tls_wanted(&tls, sink->host), sink->tls_verify,
                                  rf_host_is_loopback(sink->host));
        examine_keyspace(sink, findings);
    }
    return status;
}

const struct rf_sink_type rf_sink_cassandra = {
    .name = "cassandra",
    .summary = "rows of Cassandra's tables by primary key; the position is kept beside them",
    .example = "cassandra://127.0.0.1:9042/shop",
    .state_size = sizeof(struct rf_cassandra_sink),
    .options = cassandra_options,
    .keeps_state = true,
    .open = cassandra_open,
    .write = cassandra_write,
    .flush = cassandra_flush,
    .close = cassandra_close,
    .interrupt = cassandra_interrupt,
    .check = cassandra_check,
    .examine = cassandra_examine,
};
