/* The container of Cassandra: a cluster of one node that asks for passwords, with the keyspace
 * `stamps`, whose tables the pipeline makes.
 *
 * Its users: cassandra, who may do anything and whose well-known password is changed as soon as it
 * answers; `rowferry`, who writes; `pluto`, the application's, who reads. Passwords travel in no
 * argument: they are set over a connection to 127.0.0.1.
 *
 * Source: Apache Cassandra, the CQL reference, "Security"; doc/native_protocol_v5.spec. */
#include "container/type.h"
#include "net/cql.h"

enum { TIMEOUT_MS = 5000, USER_ROOT = 0, USER_FERRY = 1, USER_APPLICATION = 2 };

/* A heap that it starts with; and all that it takes in an engine, of which half is for the heap. */
enum { HEAP_MIB_LEAST = 96, ENGINE_MIB_LEAST = 512 };

/* Of the first user, until it is changed. */
static const char first_password[] = "cassandra";

extern const struct rf_container_type rf_container_cassandra;

static const char *user_name(int user)
{
    return rf_container_cassandra.users[user];
}

/* ---- Starting -------------------------------------------------------------------------------- */

/* With less it would die somewhere on its way up, of something else each time. 0 is fine. */
static enum rf_status check_memory(int64_t memory_bytes, unsigned least_mib, struct rf_error *err)
{
    if (memory_bytes == 0 || memory_bytes >= (int64_t)least_mib << 20) {
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG, "Cassandra does not start with %lld MiB of memory",
            (long long)memory_bytes >> 20);
    rf_error_hint(err, "it takes --memory %uM or more", least_mib);
    return RF_CONFIG;
}

/* Without memory_bytes it has what tools/servers gives it, the least that carries a load. What it
 * has learned of passwords it forgets at once: else the well-known one were good for two seconds
 * more. */
static enum rf_status equip(const struct rf_home *home, int64_t memory_bytes,
                            struct rf_words *options, struct rf_error *err)
{
    (void)home;
    rf_words_add(options, "authenticator=PasswordAuthenticator");
    rf_words_add(options, "authorizer=CassandraAuthorizer");
    rf_words_add(options, "credentials_validity=0ms");
    if (memory_bytes > 0) {
        rf_words_add(options, "-Xms%lldk", (long long)memory_bytes / 1024);
        rf_words_add(options, "-Xmx%lldk", (long long)memory_bytes / 1024);
    }
    return check_memory(memory_bytes, HEAP_MIB_LEAST, err);
}

static void describe(const struct rf_home *home, struct rf_str called, struct rf_buf *out)
{
    struct rf_str kind;

    (void)home;
    rf_str_split(&called, ' ', &kind);
    rf_buf_printf(out, "Cassandra %.*s, a cluster of one node", RF_STR_ARG(called));
}

/* A configuration of our own in place of the image's, as its entry script cannot turn passwords on.
 * The heap comes by the variables of cassandra-env.sh, which wants both or none. */
static enum rf_status pack(const struct rf_home *home, struct rf_pack *pack, struct rf_error *err)
{
    long long heap_mib = home->settings.memory_bytes > 0 ? home->settings.memory_bytes >> 21 : 512;

    rf_words_add(&pack->environment, "MAX_HEAP_SIZE=%lldM", heap_mib);
    rf_words_add(&pack->environment, "HEAP_NEWSIZE=%lldM", heap_mib / 4);
    rf_words_add(&pack->environment, "%s",
                 "JVM_EXTRA_OPTS=-Dcassandra.config=file://" RF_PACK_DIRECTORY "/cassandra.yaml"
                 " -Dcassandra.superuser_setup_delay_ms=0");
    rf_buf_printf(rf_pack_file(pack, "cassandra.yaml", 0644, 0),
                  "cluster_name: rowferry\n"
                  "num_tokens: 16\n"
                  "partitioner: org.apache.cassandra.dht.Murmur3Partitioner\n"
                  "endpoint_snitch: SimpleSnitch\n"
                  "listen_address: 127.0.0.1\n"
                  "rpc_address: 0.0.0.0\n"
                  "broadcast_rpc_address: 127.0.0.1\n"
                  "native_transport_port: %u\n"
                  "seed_provider: [{class_name: org.apache.cassandra.locator.SimpleSeedProvider, "
                  "parameters: [{seeds: '127.0.0.1:7000'}]}]\n"
                  "authenticator: PasswordAuthenticator\n"
                  "authorizer: CassandraAuthorizer\n"
                  "role_manager: CassandraRoleManager\n"
                  "credentials_validity: 0ms\n"
                  "commitlog_sync: batch\n"
                  "auto_snapshot: false\n",
                  rf_container_cassandra.inside);
    return check_memory(home->settings.memory_bytes, ENGINE_MIB_LEAST, err);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static enum rf_status connect_with(struct rf_cql *cql, uint16_t port, const char *password,
                                   struct rf_error *err)
{
    static const atomic_bool never;
    struct rf_cql_address address = {.host = "127.0.0.1",
                                     .port = port,
                                     .user = user_name(USER_ROOT),
                                     .password = password,
                                     .tls = {.mode = RF_TLS_OFF},
                                     .connect_timeout_ms = TIMEOUT_MS,
                                     .timeout_ms = TIMEOUT_MS,
                                     .interrupted = &never};

    return rf_cql_connect(cql, &address, err);
}

/* *fresh: its first user still has the well-known password. One that lets nobody in has not made
 * that user yet: it does so shortly after it has begun to listen. */
static enum rf_status connect_as_root(struct rf_cql *cql, const struct rf_home *home, uint16_t port,
                                      bool *fresh, struct rf_error *err)
{
    struct rf_buf secret = {0};
    enum rf_status status = rf_home_secret(home, user_name(USER_ROOT), &secret, err);

    *fresh = false;
    if (status == RF_OK) {
        status = connect_with(cql, port, secret.data, err);
    }
    if (status == RF_CONFIG && err->access) {
        rf_cql_close(cql);
        status = connect_with(cql, port, first_password, err);
        *fresh = status == RF_OK;
        if (status == RF_CONFIG && err->access) {
            status = err->status = RF_RETRY;
        }
    }
    rf_buf_wipe(&secret);
    return status;
}

/* Carries out a statement; what it gives back is of no interest. What the node finds wrong with it
 * is right a moment later: it refuses to change users until it has begun to look after them. */
static enum rf_status ask(struct rf_cql *cql, const char *statement, struct rf_error *err)
{
    struct rf_cql_parameters parameters = {.consistency = RF_CQL_ONE};
    struct rf_cql_answer answer;
    struct rf_cql_error error;

    rf_cql_add_query(rf_cql_request(cql, RF_CQL_QUERY, RF_CQL_ASK), cql->version,
                     rf_str_of(statement), &parameters, NULL);
    enum rf_status status = rf_cql_ask(cql, &answer, err);
    if (status == RF_OK && answer.opcode == RF_CQL_ERROR) {
        status = rf_cql_error_parse(&answer.body, answer.version, &error, err);
        status = status == RF_OK ? rf_cql_refused(cql, &error, err) : RF_CONFIG;
    } else if (status == RF_OK && answer.opcode != RF_CQL_RESULT) {
        status = rf_fail(err, RF_CONFIG, "%s answered a statement with opcode %u", cql->peer,
                         answer.opcode);
    }
    if (status == RF_REJECT) {
        status = err->status = RF_RETRY;
    }
    return status;
}

static enum rf_status answers(const struct rf_home *home, uint16_t port, struct rf_error *err)
{
    struct rf_cql cql = {0};
    bool fresh;
    enum rf_status status = connect_as_root(&cql, home, port, &fresh, err);

    if (status == RF_OK) {
        status = ask(&cql, "SELECT release_version FROM system.local", err);
    }
    rf_cql_close(&cql);
    return status;
}

/* ---- Preparing ------------------------------------------------------------------------------- */

/* A statement that ends with a user's password: it is forgotten right after. */
static enum rf_status ask_with_secret(struct rf_cql *cql, const struct rf_home *home, int user,
                                      const char *verb, struct rf_error *err)
{
    struct rf_buf secret = {0}, text = {0};
    enum rf_status status = rf_home_secret(home, user_name(user), &secret, err);

    if (status == RF_OK) {
        rf_buf_printf(&text, "%s %s WITH PASSWORD = '%s' AND LOGIN = true", verb, user_name(user),
                      secret.data);
        status = ask(cql, rf_buf_cstr(&text), err);
        /* The connection's buffers are used again, or given back as they are. */
        if (cql->out.data != NULL) {
            explicit_bzero(cql->out.data, cql->out.capacity);
        }
        if (cql->frames.data != NULL) {
            explicit_bzero(cql->frames.data, cql->frames.capacity);
        }
    }
    rf_buf_wipe(&secret);
    rf_buf_wipe(&text);
    return status;
}

/* All of it may be there already. What the sink needs is in docs/delivery.md; the one who reads may
 * read, and nothing else. */
static enum rf_status make_stamps(struct rf_cql *cql, const struct rf_home *home,
                                  struct rf_error *err)
{
    static const char *const grants[] = {
        "GRANT CREATE ON KEYSPACE stamps TO rowferry", "GRANT ALTER ON KEYSPACE stamps TO rowferry",
        "GRANT SELECT ON KEYSPACE stamps TO rowferry",
        "GRANT MODIFY ON KEYSPACE stamps TO rowferry", "GRANT SELECT ON KEYSPACE stamps TO pluto"};
    enum rf_status status = ask(cql,
                                "CREATE KEYSPACE IF NOT EXISTS stamps WITH replication = "
                                "{'class': 'SimpleStrategy', 'replication_factor': 1}",
                                err);

    for (int user = USER_FERRY; status == RF_OK && user <= USER_APPLICATION; user++) {
        status = ask_with_secret(cql, home, user, "CREATE ROLE IF NOT EXISTS", err);
    }
    for (size_t i = 0; status == RF_OK && i < sizeof grants / sizeof *grants; i++) {
        status = ask(cql, grants[i], err);
    }
    return status;
}

static enum rf_status prepare(const struct rf_home *home, uint16_t port, struct rf_error *err)
{
    struct rf_cql cql = {0};
    bool fresh;
    enum rf_status status = connect_as_root(&cql, home, port, &fresh, err);

    if (status == RF_OK && fresh) {
        status = ask_with_secret(&cql, home, USER_ROOT, "ALTER ROLE", err);
    }
    if (status == RF_OK) {
        status = make_stamps(&cql, home, err);
    }
    rf_cql_close(&cql);
    return status;
}

const struct rf_container_type rf_container_cassandra = {
    .name = "cassandra",
    .title = "Cassandra",
    .server = "final_cassandra_container",
    .port = 1000,
    .users = {[USER_ROOT] = "cassandra", [USER_FERRY] = "rowferry", [USER_APPLICATION] = "pluto"},
    .servers = {{"cassandra", {"--durable"}}},
    .equip = equip,
    .describe = describe,
    .image = "cassandra:5",
    .inside = 9042,
    .pack = pack,
    .answers = answers,
    .prepare = prepare,
};
