#include "lib/certificates.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/mongo_client.h"

/* The scripted server as clients meet it: who may come in, who is primary, what is a message. */

enum { DAY_S = 86400 };

static const char insert_1[] = "{'insert': 't', 'documents': [{'_id': 1}]}";
static const char insert_2[] = "{'insert': 't', 'documents': [{'_id': 2}]}";
static const char has_1[] = "shop.t { \"_id\" : { \"$numberInt\" : \"1\" } }\n";

/* ------------------------------------------------------------------------------ who may come in */

static void try_login(const char *user_and_password, const char *mechanism, bool succeeds)
{
    char uri[256];
    snprintf(uri, sizeof uri, "mongodb://%s@127.0.0.1:%u/?authMechanism=%s", user_and_password,
             rf_mongo_script_port(script), mechanism);
    mongoc_client_destroy(client);
    client = client_at(uri, NULL);
    if (ask("shop", "{'count': 't'}") != succeeds) {
        fail_msg("%s by %s: %s (%s)", user_and_password, mechanism, refused.message,
                 rf_buf_cstr(&answered));
    }
    if (!succeeds) {
        assert_int_equal(refused.domain, MONGOC_ERROR_CLIENT);
        assert_int_equal(refused.code, MONGOC_ERROR_CLIENT_AUTHENTICATE);
    }
}

static void test_only_the_right_password_logs_in(void **state)
{
    (void)state;
    static const char *const mechanisms[] = {"SCRAM-SHA-256", "SCRAM-SHA-1"};
    static const struct rf_mongo_script_options options = {.user = "row,fer=ry",
                                                           .password = "secret"};
    begin(&options, NULL);
    for (size_t i = 0; i < sizeof mechanisms / sizeof *mechanisms; i++) {
        try_login("row%2Cfer%3Dry:secret", mechanisms[i], true);
        try_login("row%2Cfer%3Dry:Secret", mechanisms[i], false);
        try_login("rowferry:secret", mechanisms[i], false);
        try_login("row%2Cfer%3Dryy:secret", mechanisms[i], false);
    }
    /* By the mechanism that the server's hello makes the client choose. */
    char uri[256];
    snprintf(uri, sizeof uri, "mongodb://row%%2Cfer%%3Dry:secret@127.0.0.1:%u/",
             rf_mongo_script_port(script));
    mongoc_client_destroy(client);
    client = client_at(uri, NULL);
    expect_done("shop", insert_1, NULL);
    expect_dump(has_1);
    uint32_t logins = rf_mongo_script_count(script, "saslStart");
    char *command = rf_mongo_script_command(script, "saslStart", logins);
    assert_non_null(strstr(command, "\"mechanism\" : \"SCRAM-SHA-256\""));
    free(command);
}

static void test_nobody_does_anything_without_a_login(void **state)
{
    (void)state;
    static const struct rf_mongo_script_options options = {.user = "u", .password = "p"};
    begin(&options, NULL);
    expect_refused("shop", insert_1, 13);
    expect_refused("shop", "{'find': 't'}", 13);
    expect_refused("shop", "{'dropDatabase': 1}", 13);
    expect_refused("shop", "{'noSuchCommand': 1}", 13);
    expect_done("admin", "{'isMaster': 1}", NULL);
    expect_dump("");
}

static void connect_by_tls(const char *options, bool succeeds)
{
    reconnect(options);
    if (ask("shop", "{'count': 't'}") != succeeds) {
        fail_msg("%s: %s (%s)", options, refused.message, rf_buf_cstr(&answered));
    }
}

static void test_it_speaks_tls_and_nothing_else(void **state)
{
    (void)state;
    char dir[] = "/tmp/rowferry-tls-XXXXXX", name[64], options[256];
    assert_non_null(mkdtemp(dir));
    rf_test_certificate(dir, "ca", NULL, NULL, -DAY_S, DAY_S);
    rf_test_certificate(dir, "other", NULL, NULL, -DAY_S, DAY_S);
    rf_test_certificate(dir, "server", "ca", "IP:127.0.0.1", -DAY_S, DAY_S);
    snprintf(name, sizeof name, "%s/server", dir);
    begin(&(struct rf_mongo_script_options){.certificate = name}, NULL);
    snprintf(options, sizeof options, "tls=true&tlsCAFile=%s/ca.pem", dir);
    connect_by_tls(options, true);
    snprintf(options, sizeof options, "tls=true&tlsCAFile=%s/other.pem", dir);
    connect_by_tls(options, false);
    connect_by_tls("connectTimeoutMS=300&serverSelectionTryOnce=true", false);
    snprintf(options, sizeof options, "tls=true&tlsCAFile=%s/ca.pem", dir);
    connect_by_tls(options, true); /* the bad ones did it no harm */
    static const char *const files[] = {"ca.pem",    "ca.key",     "other.pem",
                                        "other.key", "server.pem", "server.key"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
}

/* --------------------------------------------------------------------------------- replica sets */

static struct rf_mongo_script *second;

static void begin_set(const char *client_options)
{
    script = rf_mongo_script_create(&(struct rf_mongo_script_options){.set_name = "rs0"});
    second = rf_mongo_script_create(&(struct rf_mongo_script_options){.with = script});
    reconnect(client_options);
}

static int end_set(void **state)
{
    end(state);
    rf_mongo_script_destroy(second);
    second = NULL;
    return 0;
}

static void test_a_new_primary_is_found_and_has_the_documents(void **state)
{
    (void)state;
    begin_set("heartbeatFrequencyMS=500");
    expect_done("shop", insert_1, NULL);
    assert_int_equal(rf_mongo_script_count(script, "insert"), 1);
    rf_mongo_script_elect(second);
    expect_refused("shop", insert_2, 10107);
    expect_done("shop", insert_2, NULL);
    assert_int_equal(rf_mongo_script_count(script, "insert"), 2);
    assert_int_equal(rf_mongo_script_count(second, "insert"), 1);
    expect_done("shop", "{'count': 't'}", "\"n\" : { \"$numberInt\" : \"2\" }");
    /* And back, after which the old one is known to be old. */
    rf_mongo_script_elect(script);
    expect_refused("shop", "{'drop': 't'}", 10107);
    expect_done("shop", "{'drop': 't'}", NULL);
    assert_int_equal(rf_mongo_script_count(script, "drop"), 1);
    expect_dump("");
}

static void test_without_a_primary_nothing_is_written(void **state)
{
    (void)state;
    begin_set("serverSelectionTryOnce=true");
    rf_mongo_script_step_down(script);
    assert_false(ask("shop", insert_1));
    assert_int_equal(refused.domain, MONGOC_ERROR_SERVER_SELECTION);
    rf_mongo_script_elect(second);
    reconnect(NULL);
    expect_done("shop", insert_1, NULL);
    assert_int_equal(rf_mongo_script_count(second, "insert"), 1);
    /* A secondary alone answers reads that may come from it, and no others. */
    char uri[128];
    snprintf(uri, sizeof uri, "mongodb://127.0.0.1:%u/?directConnection=true",
             rf_mongo_script_port(script));
    mongoc_client_destroy(client);
    client = client_at(uri, NULL);
    expect_done("admin", "{'isMaster': 1}", "\"secondary\" : true");
    expect_refused("shop", insert_2, 10107);
    expect_done("shop", "{'find': 't', '$readPreference': {'mode': 'secondaryPreferred'}}",
                "\"_id\"");
}

static void test_a_member_can_die_and_the_other_serves(void **state)
{
    (void)state;
    begin_set("serverSelectionTryOnce=false");
    expect_done("shop", insert_1, NULL);
    rf_mongo_script_elect(second);
    rf_mongo_script_stop(script);
    assert_false(ask("shop", insert_2));
    expect_done("shop", insert_2, NULL);
    assert_int_equal(rf_mongo_script_count(second, "insert"), 1);
}

static void test_a_retried_write_is_carried_out_once(void **state)
{
    (void)state;
    begin_set(NULL);
    char uri[256];
    snprintf(uri, sizeof uri, "%s&retryWrites=true", rf_mongo_script_uri(script));
    mongoc_client_destroy(client);
    client = mongoc_client_new(uri);
    mongoc_client_set_error_api(client, MONGOC_ERROR_API_VERSION_2);
    mongoc_collection_t *collection = mongoc_client_get_collection(client, "shop", "t");
    bson_t *document = BCON_NEW("_id", BCON_INT32(1));
    rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){.command = "insert",
                                                                .act = RF_MONGO_SCRIPT_CUT,
                                                                .executed = true});
    /* It is done once, sent twice, and no duplicate. */
    assert_true(mongoc_collection_insert_one(collection, document, NULL, NULL, &refused));
    assert_int_equal(rf_mongo_script_count(script, "insert"), 2);
    expect_dump(has_1);
    /* The next one has another number, and is a duplicate. */
    assert_false(mongoc_collection_insert_one(collection, document, NULL, NULL, &refused));
    assert_int_equal(refused.code, 11000);
    /* To the new primary as well. */
    rf_mongo_script_elect(second);
    bson_t *other = BCON_NEW("_id", BCON_INT32(2));
    assert_true(mongoc_collection_insert_one(collection, other, NULL, NULL, &refused));
    assert_int_equal(rf_mongo_script_count(second, "insert"), 1);
    bson_destroy(other);
    bson_destroy(document);
    mongoc_collection_destroy(collection);
}

/* --------------------------------------------------------------------------------- what is kept */

static void test_a_server_is_as_old_as_it_is_told_to_be(void **state)
{
    (void)state;
    begin(&(struct rf_mongo_script_options){.wire_version_max = 6, .sessionless = true}, NULL);
    expect_done("admin", "{'isMaster': 1}", "\"maxWireVersion\" : { \"$numberInt\" : \"6\" }");
    assert_null(strstr(answered.data, "logicalSessionTimeoutMinutes"));
    assert_null(mongoc_client_start_session(client, NULL, &refused));
    expect_done("admin", "{'buildInfo': 1}", "\"version\" : \"3.6.0\"");
    end(NULL);
    begin(&(struct rf_mongo_script_options){.wire_version_max = 5}, NULL);
    assert_false(ask("admin", "{'ping': 1}"));
    assert_non_null(strstr(refused.message, "wire version"));
}

static void test_every_command_is_kept_as_it_came(void **state)
{
    (void)state;
    begin(NULL, NULL);
    expect_done("shop", insert_1, NULL);
    mongoc_collection_t *collection = mongoc_client_get_collection(client, "shop", "t");
    bson_t *document = BCON_NEW("_id", BCON_INT64(2), "v", BCON_DOUBLE(1.5));
    assert_true(mongoc_collection_insert_one(collection, document, NULL, NULL, &refused));
    assert_int_equal(rf_mongo_script_count(script, "insert"), 2);
    assert_true(rf_mongo_script_count(script, "hello") >= 1);
    assert_int_equal(rf_mongo_script_count(script, "update"), 0);
    assert_null(rf_mongo_script_command(script, "insert", 3));
    /* The second came as a sequence beside the command. */
    char *command = rf_mongo_script_command(script, "insert", 2);
    assert_non_null(strstr(command, "\"documents\" : [ { \"_id\" : { \"$numberLong\" : \"2\" }, "
                                    "\"v\" : { \"$numberDouble\" : \"1.5\" } } ]"));
    assert_non_null(strstr(command, "\"$db\" : \"shop\""));
    free(command);
    bson_destroy(document);
    mongoc_collection_destroy(collection);
}

/* --------------------------------------------------------------------------------- raw messages */

static int connect_raw(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(rf_mongo_script_port(script)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Sends the bytes and no more; returns how many came back until the other side closed. */
static ssize_t converse_raw(const void *bytes, size_t size, char *answer, size_t answer_size)
{
    int fd = connect_raw();
    ssize_t got, total = 0;
    assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
    shutdown(fd, SHUT_WR);
    while ((got = recv(fd, answer + total, answer_size - (size_t)total, 0)) > 0) {
        total += got;
    }
    close(fd);
    return got < 0 ? -1 : total;
}

/* A message's kind, and what it has after that; its length and id come before. */
#define MSG   "\xdd\7\0\0"
#define QUERY "\xd4\7\0\0"
#define PING  "\x1a\0\0\0\x10ping\0\1\0\0\0\2$db\0\2\0\0\0a\0\0"

static size_t put_message(const char *rest, size_t rest_size, char *out, size_t out_size)
{
    size_t size = rest_size + 12;
    assert_true(size <= out_size && size < 256);
    memcpy(out, "\0\0\0\0\1\0\0\0\0\0\0\0", 12);
    memcpy(out + 12, rest, rest_size);
    out[0] = (char)size;
    return size;
}

static size_t put_ping(char out[256])
{
    static const char rest[] = MSG "\0\0\0\0\0" PING;
    return put_message(rest, sizeof rest - 1, out, 256);
}

static void expect_complaint(const char *bytes, size_t size, const char *words)
{
    char answer[4096];
    ssize_t got = converse_raw(bytes, size, answer, sizeof answer);
    char *complaint = rf_mongo_script_complaint(script);
    if (got != 0 || strstr(complaint, words) == NULL) {
        fail_msg("'%s' is not in '%s'; %zd bytes came", words, complaint, got);
    }
    free(complaint);
}

static void test_what_is_no_message_closes_the_connection(void **state)
{
    (void)state;
    static const struct {
        const char *rest;
        size_t size;
        const char *complaint;
    } cases[] = {
#define CASE(rest, complaint) {rest, sizeof(rest) - 1, complaint}
        CASE("\x01\0\0\0", "of the kind 1"),
        CASE(MSG "\0\0", "inside a number"),
        CASE(MSG "\0\0\0\0", "without a document"),
        CASE(MSG "\1\0\0\0\0" PING, "flags 0x1"),
        CASE(MSG "\4\0\0\0\0" PING, "flags 0x4"),
        CASE(MSG "\0\0\0\0\2" PING, "kind 2"),
        CASE(MSG "\0\0\0\0\0" PING "\0" PING, "kind 0 in the wrong place"),
        CASE(MSG "\0\0\0\0\0\6\0\0\0", "a document of 0 bytes, where 4"),
        CASE(MSG "\0\0\0\0\0\6\0\0\0\0", "a document of 6 bytes, where 5"),
        CASE(MSG "\0\0\0\0\0\5\0\0\0\1", "is none"),
        CASE(MSG "\0\0\0\0\0\x0d\0\0\0\2a\0\x0f\0\0\0b\0", "is none"),
        CASE(MSG "\0\0\0\0\0\5\0\0\0\0", "without its $db"),
        CASE(MSG "\0\0\0\0\0" PING "\1", "a sequence of 0 bytes"),
        CASE(MSG "\0\0\0\0\0" PING "\1\xff\0\0\0", "a sequence of 255 bytes"),
        CASE(MSG "\0\0\0\0\0" PING "\1\6\0\0\0ab", "a name without an end"),
        CASE(MSG "\0\0\0\0\0" PING "\1\x09\0\0\0ping\0", "'ping' comes twice"),
        CASE(MSG "\0\0\0\0\0" PING "\1\x0a\0\0\0a\0\5\0\0\0", "a document of 0 bytes, where 4"),
        CASE(QUERY "\0\0\0\0a.b\0\0\0\0\0\1\0\0\0\5\0\0\0\0", "a query of 'a.b'"),
        CASE(QUERY "\0\0\0\0a.$cmd\0\0\0\0\0\1\0\0\0\5\0\0\0\0\0", "behind the end"),
        CASE(QUERY "\0\0\0\0a.$cmd", "a name without an end"),
#undef CASE
    };
    char message[256], answer[4096];
    begin(NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = put_message(cases[i].rest, cases[i].size, message, sizeof message);
        expect_complaint(message, size, cases[i].complaint);
    }
    expect_complaint("\x0f\0\0\0\1\0\0\0\0\0\0\0\xdd\7\0\0", 16, "no message has 15 bytes");
    expect_complaint("\0\0\0\x80\1\0\0\0\0\0\0\0\xdd\7\0\0", 16, "has 2147483648 bytes");
    expect_complaint("GET / HTTP/1.1\r\n", 16, "no message has");
    size_t size = put_ping(message);
    assert_true(converse_raw(message, size, answer, sizeof answer) > 16);
    assert_int_equal(answer[8], 1); /* it answers the message with that id */
}

static void test_a_message_is_whole_however_it_comes(void **state)
{
    (void)state;
    char message[256], answer[256];
    size_t size = put_ping(message);
    begin(NULL, NULL);
    int fd = connect_raw();
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(send(fd, message + i, 1, MSG_NOSIGNAL), 1);
    }
    assert_true(recv(fd, answer, sizeof answer, 0) > 16);
    close(fd);
    /* What begins and does not end is nothing. */
    assert_int_equal(converse_raw(message, size - 1, answer, sizeof answer), 0);
    assert_int_equal(rf_mongo_script_count(script, "ping"), 1);
}

/* A write without an acknowledgement (w: 0) is carried out, and nothing is said. */
static void test_who_wants_no_answer_gets_none(void **state)
{
    (void)state;
    begin(NULL, NULL);
    mongoc_collection_t *collection = mongoc_client_get_collection(client, "shop", "t");
    bson_t *document = BCON_NEW("_id", BCON_INT32(1));
    bson_t *options = BCON_NEW("writeConcern", "{", "w", BCON_INT32(0), "}");
    assert_true(mongoc_collection_insert_one(collection, document, options, NULL, &refused));
    expect_done("shop", "{'count': 't'}", "\"n\" : { \"$numberInt\" : \"1\" }");
    bson_destroy(options);
    bson_destroy(document);
    mongoc_collection_destroy(collection);
}

/* The bytes that rules make: libmongoc 1.23 trusts the length of a document, and reads beyond. */
static void test_damage_is_where_it_is_said_to_be(void **state)
{
    (void)state;
    char good[256], whole[256], spoilt[256];
    int32_t number;
    size_t good_size = put_ping(good);
    begin(NULL, NULL);
    ssize_t size = converse_raw(good, good_size, whole, sizeof whole);
    assert_true(size > 21);
    static const struct {
        enum rf_mongo_script_act act;
        size_t at;
        int32_t value; /* 0: 1,000 more than is true */
    } cases[] = {
        {RF_MONGO_SCRIPT_LONG, 0, 0},
        {RF_MONGO_SCRIPT_SHORT, 0, 7},
        {RF_MONGO_SCRIPT_DAMAGED, 21, 0},
        {RF_MONGO_SCRIPT_OTHER, 8, 0x7ffffff0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t truth;
        rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){
                                         .command = "ping", .act = cases[i].act, .executed = true});
        assert_int_equal(converse_raw(good, good_size, spoilt, sizeof spoilt), size);
        memcpy(&truth, whole + cases[i].at, sizeof truth);
        memcpy(&number, spoilt + cases[i].at, sizeof number);
        assert_int_equal(number, cases[i].value ? cases[i].value : truth + 1000);
        /* And nowhere else; the message's own id is at 4. */
        memcpy(spoilt + cases[i].at, &truth, sizeof truth);
        memcpy(spoilt + 4, whole + 4, 4);
        assert_memory_equal(spoilt, whole, (size_t)size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_only_the_right_password_logs_in, end),
        cmocka_unit_test_teardown(test_nobody_does_anything_without_a_login, end),
        cmocka_unit_test_teardown(test_it_speaks_tls_and_nothing_else, end),
        cmocka_unit_test_teardown(test_a_new_primary_is_found_and_has_the_documents, end_set),
        cmocka_unit_test_teardown(test_without_a_primary_nothing_is_written, end_set),
        cmocka_unit_test_teardown(test_a_member_can_die_and_the_other_serves, end_set),
        cmocka_unit_test_teardown(test_a_retried_write_is_carried_out_once, end_set),
        cmocka_unit_test_teardown(test_a_server_is_as_old_as_it_is_told_to_be, end),
        cmocka_unit_test_teardown(test_every_command_is_kept_as_it_came, end),
        cmocka_unit_test_teardown(test_what_is_no_message_closes_the_connection, end),
        cmocka_unit_test_teardown(test_a_message_is_whole_however_it_comes, end),
        cmocka_unit_test_teardown(test_who_wants_no_answer_gets_none, end),
        cmocka_unit_test_teardown(test_damage_is_where_it_is_said_to_be, end),
    };
    mongoc_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
