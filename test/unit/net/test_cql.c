/* The CQL client against a real node that wants a password and offers TLS, and against what is no
 * node. */
#include "base/clock.h"
#include "lib/cassandra_server.h"
#include "lib/certificates.h"
#include "lib/relay.h"
#include "wire/cql_segment.h"
#include "wire/murmur3.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { DAY_S = 86400, ROWS = 3000 };

static struct rf_test_cassandra server = {.user = "cassandra", .password = "cassandra"};
static char dir[64];
static struct rf_error err;

/* ---------------------------------------------------------------------------------- connections */

static atomic_bool never;

static struct rf_cql_address address(void)
{
    return (struct rf_cql_address){.host = "127.0.0.1",
                                   .port = (uint16_t)strtoul(server.port, NULL, 10),
                                   .user = "cassandra",
                                   .password = "cassandra",
                                   .connect_timeout_ms = 20000,
                                   .timeout_ms = 20000,
                                   .interrupted = &never};
}

/* Connects, asks something, and gives the version that was agreed on; 0: it was refused. */
static unsigned try(const struct rf_cql_address *where, enum rf_status expected)
{
    struct rf_cql cql = {0};
    unsigned version = 0;
    err = (struct rf_error){0};
    enum rf_status status = rf_cql_connect(&cql, where, &err);
    if (status != expected) {
        print_message("%s: %s\n", rf_status_name(status), err.message);
    }
    assert_int_equal(status, expected);
    if (status == RF_OK) {
        struct rf_cql_parameters one = {.consistency = RF_CQL_ONE};
        struct rf_cql_answer answer;
        struct rf_buf *out = rf_cql_request(&cql, RF_CQL_QUERY, RF_CQL_ASK);
        rf_cql_add_query(out, cql.version,
                         RF_STR("SELECT key, bootstrapped FROM system.local WHERE key = 'local'"),
                         &one, NULL);
        assert_int_equal(rf_cql_ask(&cql, &answer, &err), RF_OK);
        assert_int_equal(answer.opcode, RF_CQL_RESULT);
        assert_non_null(memmem(answer.body.at, rf_cursor_left(&answer.body), "COMPLETED", 9));
        version = cql.version;
        assert_int_equal(cql.in_flight, 0);
    }
    rf_cql_close(&cql);
    return version;
}

static void expect_said(const char *words)
{
    if (strstr(err.message, words) == NULL) {
        print_message("'%s' is not in: %s\n", words, err.message);
    }
    assert_non_null(strstr(err.message, words));
}

static void test_the_highest_version_is_agreed_on_and_a_lower_one_where_it_is_asked_for(
    void **state)
{
    (void)state;
    struct rf_cql_address where = address();
    assert_int_equal(try(&where, RF_OK), 5);
    where.version = 4;
    assert_int_equal(try(&where, RF_OK), 4);
}

static void test_packed_frames_are_understood_in_both_versions(void **state)
{
    (void)state;
    struct rf_cql_address where = address();
    where.lz4 = true;
    if (!rf_cql_lz4_here()) {
        assert_int_equal(try(&where, RF_CONFIG), 0);
        expect_said("cannot pack");
        return;
    }
    assert_int_equal(try(&where, RF_OK), 5);
    where.version = 4;
    assert_int_equal(try(&where, RF_OK), 4);
}

static void test_a_wrong_password_is_refused_without_a_word_of_it(void **state)
{
    (void)state;
    struct rf_cql_address where = address();
    where.password = "s3cret-and-wrong";
    (void)try(&where, RF_CONFIG);
    assert_true(err.access);
    expect_said("bad credentials");
    assert_null(strstr(err.message, where.password));
    where.user = NULL;
    (void)try(&where, RF_CONFIG);
    assert_true(err.access);
    expect_said("wants a user and a password");
}

static void test_tls_is_spoken_with_certificates_that_are_good_and_no_others(void **state)
{
    (void)state;
    char ca[128], other[128];
    snprintf(ca, sizeof ca, "%s/ca.pem", dir);
    snprintf(other, sizeof other, "%s/other.pem", dir);
    struct rf_cql_address where = address();
    where.tls = (struct rf_tls_options){.mode = RF_TLS_ON, .ca = ca};
    assert_int_equal(try(&where, RF_OK), 5);
    where.tls.ca = other;
    (void)try(&where, RF_CONFIG);
    expect_said("certificate");
    where.tls.skip_verify = true;
    where.version = 4;
    assert_int_equal(try(&where, RF_OK), 4);
}

/* ----------------------------------------------------------------------------- what is no node */

/* One that says some bytes to whoever connects, and then nothing, or closes. */
struct stranger {
    int fd;
    uint16_t port;
    struct rf_str says;
    bool closes;
    pthread_t thread;
};

static void *say(void *argument)
{
    struct stranger *stranger = argument;
    int fd = accept(stranger->fd, NULL, NULL);
    struct pollfd wait = {fd, POLLIN, 0};
    char ignored[512];
    assert_true(fd >= 0);
    (void)poll(&wait, 1, 5000);
    (void)!read(fd, ignored, sizeof ignored);
    if (stranger->says.size > 0) {
        (void)!write(fd, stranger->says.data, stranger->says.size);
    }
    if (!stranger->closes) {
        /* Until the client has had enough. */
        while (read(fd, ignored, sizeof ignored) > 0) {
        }
    }
    close(fd);
    return NULL;
}

static void begin_stranger(struct stranger *stranger)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    stranger->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(stranger->fd >= 0);
    assert_int_equal(bind(stranger->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(stranger->fd, 1), 0);
    assert_int_equal(getsockname(stranger->fd, (struct sockaddr *)&at, &size), 0);
    stranger->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&stranger->thread, NULL, say, stranger), 0);
}

static void test_what_is_no_node_is_told_from_one(void **state)
{
    (void)state;
    static const struct {
        struct rf_str says;
        bool closes;
        enum rf_status status;
        const char *said;
    } cases[] = {
        {{"HTTP/1.1 400 Bad Request\r\n\r\n", 28}, true, RF_CONFIG, "is not Cassandra"},
        {{"\x84\0\0\0\6\xff\xff\xff\xff", 9}, false, RF_CONFIG, "is not Cassandra"},
        {{"\x84\0\0\0\2\0\0\0\0", 9}, false, RF_CONFIG, "opcode 2"},
        {{"\x84\0\0\7\6\0\0\0\0", 9}, false, RF_RETRY, "what was not asked"},
        {{"\x84\0\0\0\6\0\0\0\2\0\1", 11}, false, RF_CONFIG, "is not Cassandra"},
        {{"\x84\0\0\0\0\0\0\0\x0a\0\0\x10\1\0\4"
          "busy",
          19},
         false,
         RF_RETRY,
         "busy"},
        {{"\x84\0\0\0\6\0\0\0\x0a\0\1", 11}, true, RF_RETRY, "closed by the node"},
        {{"\x84\0\0\0\6\0\0\0\x0a\0\1", 11}, false, RF_RETRY, "has not answered"},
        {{NULL, 0}, true, RF_RETRY, "closed by the node"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stranger stranger = {.says = cases[i].says, .closes = cases[i].closes};
        struct rf_cql_address where = address();
        begin_stranger(&stranger);
        where.port = stranger.port;
        where.connect_timeout_ms = cases[i].closes ? 5000 : 400;
        (void)try(&where, cases[i].status);
        expect_said(cases[i].said);
        pthread_join(stranger.thread, NULL);
        close(stranger.fd);
    }
}

static void test_nobody_there_is_said_to_be_unreachable(void **state)
{
    (void)state;
    struct rf_cql_address where = address();
    where.port = 1;
    (void)try(&where, RF_RETRY);
    assert_true(err.connect);
}

/* -------------------------------------------------------------------------------------- cluster */

static struct rf_cql_cluster cluster;
static uint32_t done_count, refused_count;
static int32_t refused_code;

static void encode(void *argument, uint32_t slot, struct rf_buf *out)
{
    const int32_t *numbers = argument;
    rf_cql_add_int(out, 4);
    rf_cql_add_int(out, numbers[slot]);
    rf_cql_add_bytes(out, RF_STR("text"));
}

static enum rf_status done(void *argument, uint32_t slot, const struct rf_cql *cql,
                           const struct rf_cql_error *error, struct rf_error *error_out)
{
    (void)argument;
    (void)slot;
    (void)cql;
    (void)error_out;
    done_count += error == NULL;
    refused_count += error != NULL;
    refused_code = error != NULL ? error->code : refused_code;
    return RF_OK;
}

static void expect_ok(enum rf_status status)
{
    if (status != RF_OK) {
        print_message("%s: %s\n", rf_status_name(status), err.message);
    }
    assert_int_equal(status, RF_OK);
}

static int32_t numbers[RF_CQL_IN_FLIGHT_MAX];

static void open_cluster_at(const struct rf_cql_address *where, uint32_t in_flight)
{
    static const char *const contacts[] = {"127.0.0.1:1"};
    struct rf_cql_options options = {
        .address = *where, .contacts = contacts, .contact_count = 1, .in_flight = in_flight};
    done_count = refused_count = 0;
    refused_code = 0;
    err = (struct rf_error){0};
    cluster.encode = encode;
    cluster.done = done;
    cluster.argument = numbers;
    cluster.consistency = RF_CQL_LOCAL_QUORUM;
    expect_ok(rf_cql_cluster_open(&cluster, &options, &err));
}

static void open_cluster(uint32_t in_flight)
{
    struct rf_cql_address where = address();
    open_cluster_at(&where, in_flight);
}

static void expect_answer(const char *statement, const char *expected)
{
    char *answer = rf_test_cassandra_ask(&server, statement);
    assert_string_equal(answer, expected);
    free(answer);
}

static void make_table(void)
{
    expect_answer("CREATE KEYSPACE IF NOT EXISTS net WITH replication = {'class': "
                  "'SimpleStrategy', 'replication_factor': 1}",
                  "");
    expect_answer("DROP TABLE IF EXISTS net.t", "");
    expect_answer("CREATE TABLE net.t (id int PRIMARY KEY, name text)", "");
}

static struct rf_cql_statement statement;

static void prepare(void)
{
    expect_ok(rf_cql_cluster_prepare(&cluster, RF_STR("INSERT INTO net.t (id, name) VALUES (?, ?)"),
                                     &statement, &err));
    assert_int_equal(statement.count, 2);
    assert_int_equal(statement.kinds[0], RF_CQL_INT);
    assert_int_equal(statement.key_count, 1);
}

static void send_rows(int32_t first, int32_t count)
{
    for (int32_t i = first; i < first + count; i++) {
        uint32_t slot;
        expect_ok(rf_cql_cluster_slot(&cluster, &slot, &err));
        numbers[slot] = i;
        expect_ok(rf_cql_cluster_execute(&cluster, slot, &statement, 0, 1000 + i, &err));
    }
    expect_ok(rf_cql_cluster_finish(&cluster, &err));
}

static void test_thousands_of_rows_are_written_by_hundreds_at_once(void **state)
{
    (void)state;
    make_table();
    open_cluster(256);
    prepare();
    send_rows(0, ROWS);
    assert_int_equal(done_count, ROWS);
    expect_answer("SELECT COUNT(*) FROM net.t", "3000");
    expect_answer("SELECT name, writetime(name) FROM net.t WHERE id = 77", "text 1077");
    rf_cql_statement_deinit(&statement);
    rf_cql_cluster_close(&cluster);
}

/* What a node says that has done what it was asked, made to what one says that has too much to do.
 * Version 4, in which each answer is a frame. */
struct busy {
    struct rf_buf kept; /* of a frame, until all of it has come */
    uint32_t left;      /* answers that are still to be made to refusals */
};

static void be_busy(void *argument, struct rf_str said, struct rf_buf *out)
{
    struct busy *busy = argument;
    size_t taken = 0;
    rf_buf_add_str(&busy->kept, said);
    while (busy->kept.size - taken >= RF_CQL_HEADER) {
        static const char refusal[] = "\0\0\0\0\x0a\0\0\x10\1\0\4busy"; /* behind the stream's id */
        struct rf_cql_frame frame;
        struct rf_str whole = {busy->kept.data + taken, busy->kept.size - taken};
        expect_ok(rf_cql_frame_parse(whole.data, &frame, &err));
        if (whole.size < RF_CQL_HEADER + frame.size) {
            break;
        }
        whole.size = RF_CQL_HEADER + frame.size;
        bool void_one = frame.opcode == RF_CQL_RESULT && frame.size == 4;
        if (void_one && busy->left > 0) {
            busy->left--;
            rf_buf_add_str(out, (struct rf_str){whole.data, 4});
            rf_buf_add_str(out, (struct rf_str){refusal, sizeof refusal - 1});
        } else {
            rf_buf_add_str(out, whole);
        }
        taken += whole.size;
    }
    memmove(busy->kept.data, busy->kept.data + taken, busy->kept.size - taken);
    busy->kept.size -= taken;
}

static void test_a_node_that_has_too_much_gets_less_at_once_and_all_in_the_end(void **state)
{
    (void)state;
    struct busy busy = {.left = 700};
    struct rf_test_relay *relay = rf_test_relay_start((uint16_t)strtoul(server.port, NULL, 10));
    struct rf_cql_address where = address();
    where.port = rf_test_relay_port(relay);
    where.version = 4;
    make_table();
    open_cluster_at(&where, 256);
    prepare();
    rf_test_relay_set_filter(relay, be_busy, &busy);
    uint32_t narrowest = cluster.nodes[0]->window;
    assert_int_equal(narrowest, 256);
    for (int32_t i = 0; i < 10; i++) {
        send_rows(100 * i, 100);
        narrowest = narrowest < cluster.nodes[0]->window ? narrowest : cluster.nodes[0]->window;
    }
    assert_int_equal(busy.left, 0);
    assert_int_equal(done_count, 1000);
    assert_int_equal(refused_count, 0);
    assert_in_range(narrowest, 1, 128);
    assert_in_range(cluster.nodes[0]->window, narrowest + 1, 256);
    expect_answer("SELECT COUNT(*) FROM net.t", "1000");
    /* One that never has the time again is given up when the time-out is over. */
    uint32_t slot;
    busy.left = UINT32_MAX;
    cluster.nodes[0]->cql.timeout_ms = 200;
    expect_ok(rf_cql_cluster_slot(&cluster, &slot, &err));
    expect_ok(rf_cql_cluster_execute(&cluster, slot, &statement, 0, 1, &err));
    assert_int_equal(rf_cql_cluster_finish(&cluster, &err), RF_RETRY);
    expect_said("overloaded (0x1001): busy");
    rf_cql_statement_deinit(&statement);
    rf_cql_cluster_close(&cluster);
    rf_test_relay_stop(relay);
    rf_buf_deinit(&busy.kept);
}

static void test_a_statement_that_the_node_has_forgotten_is_prepared_again(void **state)
{
    (void)state;
    make_table();
    open_cluster(16);
    prepare();
    send_rows(0, 100);
    /* Any change of the table makes the node forget its statements. */
    expect_answer("ALTER TABLE net.t WITH comment = 'other'", "");
    send_rows(100, 100);
    assert_int_equal(done_count, 200);
    expect_answer("SELECT COUNT(*) FROM net.t", "200");
    /* One that cannot be prepared any more is a reason to look at the table anew. */
    expect_answer("ALTER TABLE net.t DROP name", "");
    uint32_t slot;
    expect_ok(rf_cql_cluster_slot(&cluster, &slot, &err));
    expect_ok(rf_cql_cluster_execute(&cluster, slot, &statement, 0, 1, &err));
    assert_int_equal(rf_cql_cluster_finish(&cluster, &err), RF_RETRY);
    expect_said("name");
    rf_cql_statement_deinit(&statement);
    rf_cql_cluster_close(&cluster);
}

static void test_a_refusal_is_told_of_its_own_request_and_the_others_go_on(void **state)
{
    (void)state;
    make_table();
    open_cluster(16);
    expect_ok(rf_cql_cluster_prepare(&cluster, RF_STR("INSERT INTO net.t (name, id) VALUES (?, ?)"),
                                     &statement, &err));
    /* The number's bytes are bound as the name: those of 128 are no text, of less they are. */
    send_rows(118, 11);
    assert_int_equal(refused_count, 1);
    assert_int_equal(refused_code, RF_CQL_INVALID);
    assert_int_equal(done_count, 10);
    rf_cql_statement_deinit(&statement);
    rf_cql_cluster_close(&cluster);
}

static void test_questions_are_answered_with_their_values_and_errors(void **state)
{
    (void)state;
    struct rf_cql_result result;
    struct rf_cql_error error;
    struct rf_str values[2] = {{"\0\0\0\5", 4}, {NULL, 0}};
    struct rf_cql_parameters parameters = {.consistency = RF_CQL_ONE, .value_count = 2};
    make_table();
    open_cluster(4);
    expect_ok(rf_cql_cluster_ask(&cluster, RF_STR("INSERT INTO net.t (id, name) VALUES (?, ?)"),
                                 &parameters, values, &result, &error, &err));
    assert_int_equal(result.kind, RF_CQL_VOID);
    parameters.value_count = 1;
    expect_ok(rf_cql_cluster_ask(&cluster, RF_STR("SELECT name FROM net.t WHERE id = ?"),
                                 &parameters, values, &result, &error, &err));
    assert_int_equal(result.row_count, 1);
    expect_ok(rf_cql_result_row(&result, values, &err));
    assert_null(values[0].data);
    parameters.value_count = 0;
    assert_int_equal(rf_cql_cluster_ask(&cluster, RF_STR("SELECT nothing FROM net.t"), &parameters,
                                        NULL, &result, &error, &err),
                     RF_REJECT);
    assert_int_equal(error.code, RF_CQL_INVALID);
    assert_int_equal(
        rf_cql_cluster_ask(&cluster, RF_STR("SELEKT"), &parameters, NULL, &result, &error, &err),
        RF_CONFIG);
    assert_int_equal(error.code, RF_CQL_SYNTAX_ERROR);
    expect_ok(rf_cql_cluster_agree(&cluster, &err));
    rf_cql_cluster_close(&cluster);
}

static void test_the_first_contact_point_that_answers_is_taken(void **state)
{
    (void)state;
    char good[32];
    const char *const contacts[] = {"127.0.0.1:2", good};
    struct rf_cql_options options = {
        .address = address(), .contacts = contacts, .contact_count = 2, .in_flight = 1};
    snprintf(good, sizeof good, "127.0.0.1:%s", server.port);
    options.address.port = 1;
    expect_ok(rf_cql_cluster_open(&cluster, &options, &err));
    assert_int_equal(cluster.up, 1);
    assert_string_equal(cluster.datacenter, "datacenter1");
    assert_true(cluster.ring.count > 0);
    rf_cql_cluster_close(&cluster);
    options.datacenter = "elsewhere";
    assert_int_equal(rf_cql_cluster_open(&cluster, &options, &err), RF_CONFIG);
    expect_said("no node in the datacenter 'elsewhere'");
    rf_cql_cluster_close(&cluster);
    const char *const wrong[] = {"host:port"};
    options.contacts = wrong;
    options.contact_count = 1;
    assert_int_equal(rf_cql_cluster_open(&cluster, &options, &err), RF_CONFIG);
    expect_said("'host:port' is not an address of a node");
    rf_cql_cluster_close(&cluster);
}

static void test_an_interrupt_ends_what_waits(void **state)
{
    (void)state;
    open_cluster(1);
    rf_cql_cluster_interrupt(&cluster);
    int64_t begun_ms = rf_clock_ms();
    assert_int_equal(rf_cql_cluster_agree(&cluster, &err), RF_RETRY);
    expect_said("interrupted");
    assert_true(rf_clock_ms() - begun_ms < 2000);
    rf_cql_cluster_close(&cluster);
    struct rf_cql_options options = {.address = address(), .in_flight = 1};
    assert_int_equal(rf_cql_cluster_open(&cluster, &options, &err), RF_RETRY);
    rf_cql_cluster_close(&cluster);
    cluster = (struct rf_cql_cluster){0};
}

/* ----------------------------------------------------------------------------------------- ring */

static void test_a_token_belongs_to_the_first_node_at_or_behind_it(void **state)
{
    (void)state;
    struct rf_cql_ring ring = {0};
    static const char *const tokens[] = {"100", "-9223372036854775808", "9223372036854775807", "0"};
    static const struct {
        int64_t token;
        uint32_t node;
    } cases[] = {{INT64_MIN, 1}, {INT64_MIN + 1, 3}, {-1, 3},  {0, 3},
                 {1, 0},         {100, 0},           {101, 2}, {INT64_MAX, 2}};
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(rf_cql_ring_add(&ring, rf_str_of(tokens[i]), i));
    }
    assert_false(rf_cql_ring_add(&ring, RF_STR("abc"), 9));
    rf_cql_ring_sort(&ring);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(ring.items[rf_cql_ring_find(&ring, cases[i].token)].node, cases[i].node);
    }
    rf_cql_ring_reset(&ring);
    assert_true(rf_cql_ring_add(&ring, RF_STR("5"), 7));
    assert_int_equal(ring.items[rf_cql_ring_find(&ring, 6)].node, 7);
    rf_cql_ring_deinit(&ring);
}

/* Cassandra itself says which token a key has. */
static void test_the_token_of_a_key_is_that_of_the_node(void **state)
{
    (void)state;
    char expected[32];
    make_table();
    expect_answer("INSERT INTO net.t (id) VALUES (77)", "");
    snprintf(expected, sizeof expected, "%lld",
             (long long)rf_murmur3_token((struct rf_str){"\0\0\0M", 4}));
    expect_answer("SELECT token(id) FROM net.t WHERE id = 77", expected);
}

/* ------------------------------------------------------------------------------------- the node */

/* Its key and certificate in one file, as the node wants them. */
static void join(const char *to, const char *first, const char *second)
{
    const char *const parts[] = {first, second};
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, to);
    FILE *out = fopen(path, "we");
    assert_non_null(out);
    for (size_t i = 0; i < 2; i++) {
        char line[256];
        snprintf(path, sizeof path, "%s/%s", dir, parts[i]);
        FILE *in = fopen(path, "re");
        assert_non_null(in);
        while (fgets(line, sizeof line, in) != NULL) {
            fputs(line, out);
        }
        fclose(in);
    }
    assert_int_equal(fchmod(fileno(out), 0644), 0);
    assert_int_equal(fclose(out), 0);
}

static int start_node(void **state)
{
    char encryption[512];
    const char *options[] = {"authenticator=PasswordAuthenticator",
                             "authorizer=CassandraAuthorizer", encryption, NULL};
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/rowferry-cql-XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chmod(dir, 0755), 0);
    rf_test_certificate(dir, "ca", NULL, NULL, -DAY_S, DAY_S);
    rf_test_certificate(dir, "other", NULL, NULL, -DAY_S, DAY_S);
    rf_test_certificate(dir, "server", "ca", "IP:127.0.0.1", -DAY_S, DAY_S);
    join("both.pem", "server.key", "server.pem");
    snprintf(encryption, sizeof encryption,
             "client_encryption_options={enabled: true, optional: true, keystore: %s/both.pem, "
             "ssl_context_factory: {class_name: "
             "org.apache.cassandra.security.PEMBasedSslContextFactory}}",
             dir);
    rf_test_cassandra_start(&server, options);
    return 0;
}

static int stop_node(void **state)
{
    static const char *const files[] = {"ca.pem",     "ca.key",     "other.pem", "other.key",
                                        "server.pem", "server.key", "both.pem"};
    (void)state;
    rf_test_cassandra_destroy(&server);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_the_highest_version_is_agreed_on_and_a_lower_one_where_it_is_asked_for),
        cmocka_unit_test(test_packed_frames_are_understood_in_both_versions),
        cmocka_unit_test(test_a_wrong_password_is_refused_without_a_word_of_it),
        cmocka_unit_test(test_tls_is_spoken_with_certificates_that_are_good_and_no_others),
        cmocka_unit_test(test_what_is_no_node_is_told_from_one),
        cmocka_unit_test(test_nobody_there_is_said_to_be_unreachable),
        cmocka_unit_test(test_thousands_of_rows_are_written_by_hundreds_at_once),
        cmocka_unit_test(test_a_node_that_has_too_much_gets_less_at_once_and_all_in_the_end),
        cmocka_unit_test(test_a_statement_that_the_node_has_forgotten_is_prepared_again),
        cmocka_unit_test(test_a_refusal_is_told_of_its_own_request_and_the_others_go_on),
        cmocka_unit_test(test_questions_are_answered_with_their_values_and_errors),
        cmocka_unit_test(test_the_first_contact_point_that_answers_is_taken),
        cmocka_unit_test(test_an_interrupt_ends_what_waits),
        cmocka_unit_test(test_a_token_belongs_to_the_first_node_at_or_behind_it),
        cmocka_unit_test(test_the_token_of_a_key_is_that_of_the_node),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
