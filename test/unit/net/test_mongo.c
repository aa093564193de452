/* Connecting to MongoDB, commands and what errors mean: against a scripted server, and against
 * others that are none. */
#include "net/mongo.h"

#include "base/clock.h"
#include "lib/certificates.h"
#include "lib/mongo_script.h"

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

static struct rf_mongo_script *script;
static struct rf_mongo mongo;
static struct rf_error err;
static struct rf_mongo_address address;

static void begin(const struct rf_mongo_script_options *options)
{
    script = rf_mongo_script_create(options ? options : &(struct rf_mongo_script_options){0});
    address = (struct rf_mongo_address){.host = "127.0.0.1",
                                        .port = rf_mongo_script_port(script),
                                        .connect_timeout_ms = 5000,
                                        .timeout_ms = 5000};
    err = (struct rf_error){0};
}

static int teardown(void **state)
{
    (void)state;
    rf_mongo_close(&mongo);
    rf_mongo_script_destroy(script);
    script = NULL;
    memset(&mongo, 0, sizeof mongo);
    return 0;
}

static void expect_connect(enum rf_status expected, const char *words)
{
    rf_mongo_close(&mongo);
    err = (struct rf_error){0};
    enum rf_status status = rf_mongo_connect(&mongo, &address, &err);
    if (status != expected || (words != NULL && strstr(err.message, words) == NULL)) {
        fail_msg("%s: %s (%s)", rf_status_name(status), err.message, err.hint);
    }
}

static enum rf_status run(const char *database, const char *json)
{
    bson_error_t error;
    bson_t reply, *command = bson_new_from_json((const uint8_t *)json, -1, &error);
    assert_non_null(command);
    err = (struct rf_error){0};
    enum rf_status status = rf_mongo_run(&mongo, database, command, &reply, &err);
    bson_destroy(&reply);
    bson_destroy(command);
    return status;
}

/* ----------------------------------------------------------------------------------- connecting */

static void test_it_knows_whom_it_talks_to(void **state)
{
    (void)state;
    begin(NULL);
    expect_connect(RF_OK, NULL);
    assert_int_equal(mongo.max_wire, 17);
    assert_int_equal(mongo.document_bytes, 16 * 1024 * 1024);
    assert_false(mongo.mongos);
    assert_string_equal(mongo.set_name, "");
    assert_true(mongo.version[0] != '\0');
    expect_connect(RF_OK, NULL); /* closed and connected again */
    assert_int_equal(run("d", "{\"ping\": 1}"), RF_OK);
}

static void test_an_old_server_says_so(void **state)
{
    (void)state;
    begin(&(struct rf_mongo_script_options){.wire_version_max = 6, .sessionless = true});
    expect_connect(RF_OK, NULL);
    assert_int_equal(mongo.max_wire, RF_MONGO_WIRE_3_6);
    assert_false(mongo.sessions);
    teardown(NULL);
    begin(&(struct rf_mongo_script_options){.wire_version_max = 5});
    expect_connect(RF_CONFIG, "do not understand each other");
}

static void test_a_user_logs_in_with_the_right_password_only(void **state)
{
    (void)state;
    begin(&(struct rf_mongo_script_options){.user = "cdc", .password = "p:a/s@s%ä"});
    address.user = "cdc";
    address.password = "p:a/s@s%ä";
    expect_connect(RF_OK, NULL);
    address.password = "open sesame";
    expect_connect(RF_CONFIG, "does not let us in");
    assert_true(err.access);
    assert_null(strstr(err.message, "sesame"));
    assert_null(strstr(err.hint, "sesame"));
    address.user = NULL;
    expect_connect(RF_OK, NULL); /* which may do nothing */
    assert_int_equal(run("d", "{\"find\": \"t\", \"filter\": {}}"), RF_CONFIG);
    assert_true(err.access);
}

static void test_nobody_there_is_an_error_of_the_connection(void **state)
{
    (void)state;
    begin(NULL);
    address.port = 1;
    expect_connect(RF_RETRY, "could not connect to MongoDB at 127.0.0.1:1: Connection refused");
    assert_true(err.connect);
    address.host = "no.such.host.invalid";
    expect_connect(RF_RETRY, "could not connect to MongoDB at no.such.host.invalid:1: ");
    assert_true(err.connect);
    address.host = "a,b";
    expect_connect(RF_CONFIG, "is not an address");
}

static void test_a_secondary_is_not_written_to(void **state)
{
    (void)state;
    begin(&(struct rf_mongo_script_options){.set_name = "rs0"});
    expect_connect(RF_OK, NULL);
    assert_string_equal(mongo.set_name, "rs0");
    assert_true(mongo.sessions);
    rf_mongo_script_step_down(script);
    expect_connect(RF_RETRY, "is not the primary of the replica set rs0");
    assert_non_null(strstr(err.hint, "set replica_set to rs0"));
}

static void test_a_set_of_another_name_is_a_mistake(void **state)
{
    (void)state;
    begin(&(struct rf_mongo_script_options){.set_name = "rs0"});
    address.replica_set = "rs1";
    expect_connect(RF_CONFIG, "is a member of rs0, and not of the replica set rs1");
    teardown(NULL);
    begin(NULL);
    address.replica_set = "rs1";
    expect_connect(RF_CONFIG, "is no member of a set, and not of the replica set rs1");
}

static void test_a_member_that_is_away_is_made_up_for_by_another(void **state)
{
    (void)state;
    char member[32];
    const char *members[] = {member};
    begin(&(struct rf_mongo_script_options){.set_name = "rs0"});
    snprintf(member, sizeof member, "127.0.0.1:%u", rf_mongo_script_port(script));
    address.port = 1;
    address.replica_set = "rs0";
    address.members = members;
    address.member_count = 1;
    expect_connect(RF_OK, NULL);
    assert_int_equal(run("d", "{\"ping\": 1}"), RF_OK);
}

/* In a fail-over: it does not know yet which set it is of. The server that was asked is such a one
 * for a moment, then it is what it was. */
static void test_a_member_that_is_just_starting_is_waited_for(void **state)
{
    (void)state;
    begin(&(struct rf_mongo_script_options){.set_name = "rs0"});
    address.replica_set = "rs0";
    rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){
                                     .command = "hello",
                                     .times = 1,
                                     .act = RF_MONGO_SCRIPT_ANSWER,
                                     .json = "{\"ok\": 1, \"isreplicaset\": true, \"ismaster\": "
                                             "false, \"isWritablePrimary\": false, "
                                             "\"maxWireVersion\": 17, \"minWireVersion\": 0}"});
    address.connect_timeout_ms = 1500;
    enum rf_status status = rf_mongo_connect(&mongo, &address, &err);
    assert_int_not_equal(status, RF_CONFIG);
    if (status != RF_OK) {
        assert_int_equal(status, RF_RETRY);
        rf_mongo_close(&mongo);
        expect_connect(RF_OK, NULL);
    }
}

/* One of the members is of another set; another one is right. */
static void test_a_stray_member_is_no_reason_to_give_up_on_the_others(void **state)
{
    (void)state;
    char member[32];
    const char *members[] = {member};
    begin(&(struct rf_mongo_script_options){.set_name = "rs0"});
    struct rf_mongo_script *stray =
        rf_mongo_script_create(&(struct rf_mongo_script_options){.set_name = "other"});
    snprintf(member, sizeof member, "127.0.0.1:%u", rf_mongo_script_port(stray));
    address.replica_set = "rs0";
    address.members = members;
    address.member_count = 1;
    rf_mongo_script_step_down(script);
    address.connect_timeout_ms = 800;
    expect_connect(RF_RETRY, NULL);
    rf_mongo_script_elect(script);
    expect_connect(RF_OK, NULL);
    rf_mongo_script_destroy(stray);
}

/* ---------------------------------------------------------------------------------- not MongoDB */

/* Says what it is told to whoever connects, before or after it is spoken to, and hangs up. */
struct speaker {
    int listener;
    struct rf_str text;
    bool waits;
    bool hangs_up;
    pthread_t thread;
};

static void *speak(void *argument)
{
    const struct speaker *speaker = argument;
    char heard[4096];
    int fd = accept(speaker->listener, NULL, NULL);
    rf_assert(fd >= 0);
    if (speaker->waits) {
        (void)!recv(fd, heard, sizeof heard, 0);
    }
    (void)!send(fd, speaker->text.data, speaker->text.size, MSG_NOSIGNAL);
    while (!speaker->hangs_up && recv(fd, heard, sizeof heard, 0) > 0) {
    }
    close(fd);
    return NULL;
}

static void with_speaker(struct rf_str text, bool waits, bool hangs_up, enum rf_status expected,
                         const char *words)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof place;
    struct speaker speaker = {.text = text, .waits = waits, .hangs_up = hangs_up};
    speaker.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(speaker.listener, (struct sockaddr *)&place, sizeof place), 0);
    assert_int_equal(listen(speaker.listener, 1), 0);
    assert_int_equal(getsockname(speaker.listener, (struct sockaddr *)&place, &size), 0);
    assert_int_equal(pthread_create(&speaker.thread, NULL, speak, &speaker), 0);
    address = (struct rf_mongo_address){
        .host = "127.0.0.1", .port = ntohs(place.sin_port), .connect_timeout_ms = 500};
    expect_connect(expected, words);
    rf_mongo_close(&mongo);
    pthread_join(speaker.thread, NULL);
    close(speaker.listener);
}

static void test_what_is_no_mongodb_is_called_so(void **state)
{
    (void)state;
    static const char document_lies[] =
        "\x1a\0\0\0\1\0\0\0\1\0\0\0\xdd\x07\0\0\0\0\0\0\0\x7f\0\0\0\0";
    const char *words = "is not a MongoDB server";
    with_speaker(RF_STR("HTTP/1.1 400 Bad Request\r\n\r\n"), true, true, RF_CONFIG, words);
    with_speaker(RF_STR("-ERR unknown command\r\n"), true, false, RF_CONFIG, words);
    with_speaker(RF_STR("\x4a\0\0\0\x0a"
                        "5.5.5-10.11.6-MariaDB\0"),
                 false, false, RF_CONFIG, words);
    with_speaker(RF_STR("\0\0\0\0\1\0\0\0\1\0\0\0\xdd\x07\0\0"), true, false, RF_CONFIG, words);
    with_speaker(RF_STR("\xff\xff\xff\x7f\1\0\0\0\1\0\0\0\xdd\x07\0\0"), true, false, RF_CONFIG,
                 words);
    with_speaker((struct rf_str){document_lies, 0x1a}, true, false, RF_CONFIG, words);
}

static void test_a_server_that_says_nothing_is_given_up(void **state)
{
    (void)state;
    int64_t start_ms = rf_clock_ms();
    with_speaker(RF_STR(""), true, false, RF_RETRY, "no answer to the handshake from MongoDB at ");
    assert_in_range(rf_clock_ms() - start_ms, 400, 4000);
    with_speaker(RF_STR(""), true, true, RF_RETRY, "was lost: closed by the server");
    assert_true(err.connect);
}

/* ------------------------------------------------------------------------------------------ TLS */

static char directory[64];

static const char *in_directory(const char *name)
{
    static char path[4][128];
    static unsigned next;
    char *out = path[next++ % 4];
    snprintf(out, sizeof path[0], "%s/%s", directory, name);
    return out;
}

static int make_certificates(void **state)
{
    enum { DAY_S = 86400 };
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/rowferry-mongo-tls-XXXXXX");
    rf_assert(mkdtemp(directory) != NULL);
    rf_test_certificate(directory, "ca", NULL, NULL, -DAY_S, DAY_S);
    rf_test_certificate(directory, "server", "ca", "IP:127.0.0.1", -DAY_S, DAY_S);
    rf_test_certificate(directory, "other", "ca", "DNS:other.example", -DAY_S, DAY_S);
    return 0;
}

static int remove_certificates(void **state)
{
    static const char *const names[] = {"ca", "server", "other"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s.pem", names[i]);
        unlink(in_directory(name));
        snprintf(name, sizeof name, "%s.key", names[i]);
        unlink(in_directory(name));
    }
    return rmdir(directory);
}

static void test_tls_is_what_was_asked_for_or_nothing(void **state)
{
    (void)state;
    begin(&(struct rf_mongo_script_options){
        .certificate = in_directory("server"), .user = "cdc", .password = "x"});
    address.user = "cdc";
    address.password = "x";
    address.tls = (struct rf_tls_options){.mode = RF_TLS_ON, .ca = in_directory("ca.pem")};
    expect_connect(RF_OK, NULL);
    assert_int_equal(run("d", "{\"find\": \"t\", \"filter\": {}}"), RF_OK);
    address.tls.ca = NULL;
    expect_connect(RF_CONFIG, "the certificate of MongoDB at 127.0.0.1:");
    address.tls.skip_verify = true;
    expect_connect(RF_OK, NULL);
    address.tls = (struct rf_tls_options){.mode = RF_TLS_AUTO}; /* this machine: in the clear */
    expect_connect(RF_RETRY, NULL);
    address.tls = (struct rf_tls_options){.mode = RF_TLS_ON, .ca = "/no/such/file"};
    expect_connect(RF_CONFIG, "tls_ca");
}

static void test_a_certificate_for_somebody_else_is_refused(void **state)
{
    (void)state;
    begin(&(struct rf_mongo_script_options){.certificate = in_directory("other")});
    address.tls = (struct rf_tls_options){.mode = RF_TLS_ON, .ca = in_directory("ca.pem")};
    expect_connect(RF_CONFIG, "the certificate of MongoDB at 127.0.0.1:");
    teardown(NULL);
    begin(NULL);
    address.tls = (struct rf_tls_options){.mode = RF_TLS_ON, .ca = in_directory("ca.pem")};
    address.connect_timeout_ms = 500;
    enum rf_status status = rf_mongo_connect(&mongo, &address, &err);
    assert_true(status == RF_RETRY || status == RF_CONFIG); /* and not in the clear */
    assert_non_null(strstr(err.message, "TLS"));
}

/* Larger than a record of TLS, in both directions. */
static void test_large_messages_pass_through_tls(void **state)
{
    enum { LARGE = 5 << 20 };
    (void)state;
    begin(&(struct rf_mongo_script_options){.certificate = in_directory("server")});
    address.tls = (struct rf_tls_options){.mode = RF_TLS_ON, .ca = in_directory("ca.pem")};
    expect_connect(RF_OK, NULL);
    char *text = malloc(LARGE);
    memset(text, 'x', LARGE);
    bson_t command, array, document, reply;
    bson_init(&command);
    BSON_APPEND_UTF8(&command, "insert", "t");
    BSON_APPEND_ARRAY_BEGIN(&command, "documents", &array);
    BSON_APPEND_DOCUMENT_BEGIN(&array, "0", &document);
    BSON_APPEND_INT32(&document, "_id", 1);
    assert_true(bson_append_utf8(&document, "a", 1, text, LARGE));
    bson_append_document_end(&array, &document);
    bson_append_array_end(&command, &array);
    assert_int_equal(rf_mongo_run(&mongo, "d", &command, &reply, &err), RF_OK);
    bson_destroy(&reply);
    bson_reinit(&command);
    BSON_APPEND_UTF8(&command, "find", "t");
    assert_int_equal(rf_mongo_run(&mongo, "d", &command, &reply, &err), RF_OK);
    bson_iter_t iter, found;
    uint32_t size = 0;
    assert_true(bson_iter_init(&iter, &reply) &&
                bson_iter_find_descendant(&iter, "cursor.firstBatch.0.a", &found));
    assert_true(strncmp(bson_iter_utf8(&found, &size), text, LARGE) == 0);
    assert_int_equal(size, LARGE);
    bson_destroy(&reply);
    bson_destroy(&command);
    free(text);
}

/* ------------------------------------------------------------------------------------- commands */

static void test_a_refusal_is_told_without_what_it_repeats(void **state)
{
    (void)state;
    begin(NULL);
    expect_connect(RF_OK, NULL);
    rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){
                                     .command = "count",
                                     .act = RF_MONGO_SCRIPT_ANSWER,
                                     .json = "{\"ok\": 0, \"code\": 13, \"codeName\": "
                                             "\"Unauthorized\", \"errmsg\": \"not authorized on d "
                                             "to execute command { count: \\\"secret\\\" }\"}"});
    assert_int_equal(run("d", "{\"count\": \"t\"}"), RF_CONFIG);
    assert_int_equal(err.code, 13);
    assert_true(err.access);
    assert_non_null(strstr(err.message, "refused the command count: not authorized on d to execute "
                                        "command (code 13, Unauthorized)"));
    assert_null(strstr(err.message, "secret"));
    assert_int_equal(run("d", "{\"ping\": 1}"), RF_OK); /* it is not the end of the connection */
}

static void test_a_refusal_that_nobody_knows_is_tried_again_and_says_what_to_do(void **state)
{
    (void)state;
    begin(NULL);
    expect_connect(RF_OK, NULL);
    rf_mongo_script_rule(
        script, &(struct rf_mongo_script_rule){.command = "count",
                                               .act = RF_MONGO_SCRIPT_ANSWER,
                                               .json = "{\"ok\": 0, \"code\": 4711, \"codeName\": "
                                                       "\"NewInVersion99\", \"errmsg\": \"no\"}"});
    assert_int_equal(run("d", "{\"count\": \"t\"}"), RF_RETRY);
    assert_non_null(strstr(err.message, "(code 4711, NewInVersion99)"));
    assert_non_null(strstr(err.hint, "when it stays: look the code up"));
}

static void *interrupt_soon(void *argument)
{
    rf_assert(rf_mongo_script_wait_held(argument, 1));
    rf_mongo_interrupt(&mongo);
    return NULL;
}

static void test_an_interrupt_ends_a_command_and_stays_in_force(void **state)
{
    pthread_t thread;
    (void)state;
    begin(NULL);
    address.timeout_ms = 60000;
    expect_connect(RF_OK, NULL);
    rf_mongo_script_rule(
        script, &(struct rf_mongo_script_rule){.command = "count", .act = RF_MONGO_SCRIPT_HOLD});
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, script), 0);
    int64_t start_ms = rf_clock_ms();
    assert_int_equal(run("d", "{\"count\": \"t\"}"), RF_RETRY);
    pthread_join(thread, NULL);
    assert_in_range(rf_clock_ms() - start_ms, 0, 5000);
    assert_non_null(strstr(err.message, "was interrupted"));
    assert_int_equal(run("d", "{\"ping\": 1}"), RF_RETRY);
    rf_mongo_close(&mongo);
    assert_int_equal(rf_mongo_connect(&mongo, &address, &err), RF_RETRY);
    assert_non_null(strstr(err.message, "was interrupted"));
    rf_mongo_script_release(script);
}

static void test_silence_ends_a_command_after_the_timeout(void **state)
{
    (void)state;
    begin(NULL);
    address.timeout_ms = 300;
    expect_connect(RF_OK, NULL);
    rf_mongo_script_freeze(script, true);
    int64_t start_ms = rf_clock_ms();
    assert_int_equal(run("d", "{\"count\": \"t\"}"), RF_RETRY);
    assert_in_range(rf_clock_ms() - start_ms, 250, 3000);
    assert_non_null(strstr(err.message, "did not answer for "));
    rf_mongo_script_freeze(script, false);
}

static void test_a_broken_connection_stays_broken(void **state)
{
    (void)state;
    begin(NULL);
    expect_connect(RF_OK, NULL);
    uint32_t connections = rf_mongo_script_connections(script);
    rf_mongo_script_cut(script);
    assert_int_equal(run("d", "{\"ping\": 1}"), RF_RETRY);
    assert_int_equal(run("d", "{\"ping\": 1}"), RF_RETRY);
    assert_non_null(strstr(err.message, "was lost"));
    assert_int_equal(rf_mongo_script_connections(script), connections);
    expect_connect(RF_OK, NULL);
}

static void test_closing_accepts_what_is_closed(void **state)
{
    (void)state;
    struct rf_mongo nothing = {0};
    rf_mongo_close(&nothing);
    rf_mongo_interrupt(&nothing);
    rf_mongo_close(&nothing);
    assert_true(atomic_load(&nothing.interrupted));
}

int main(void)
{
#define test(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        test(test_it_knows_whom_it_talks_to),
        test(test_an_old_server_says_so),
        test(test_a_user_logs_in_with_the_right_password_only),
        test(test_nobody_there_is_an_error_of_the_connection),
        test(test_a_secondary_is_not_written_to),
        test(test_a_set_of_another_name_is_a_mistake),
        test(test_a_member_that_is_away_is_made_up_for_by_another),
        test(test_a_member_that_is_just_starting_is_waited_for),
        test(test_a_stray_member_is_no_reason_to_give_up_on_the_others),
        test(test_what_is_no_mongodb_is_called_so),
        test(test_a_server_that_says_nothing_is_given_up),
        test(test_tls_is_what_was_asked_for_or_nothing),
        test(test_a_certificate_for_somebody_else_is_refused),
        test(test_large_messages_pass_through_tls),
        test(test_a_refusal_is_told_without_what_it_repeats),
        test(test_a_refusal_that_nobody_knows_is_tried_again_and_says_what_to_do),
        test(test_an_interrupt_ends_a_command_and_stays_in_force),
        test(test_silence_ends_a_command_after_the_timeout),
        test(test_a_broken_connection_stays_broken),
        test(test_closing_accepts_what_is_closed),
    };
    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
