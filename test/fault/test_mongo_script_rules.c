#include "base/clock.h"

#include <pthread.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/mongo_client.h"

/* The scripted server where a test tells it what to do. */

static const char insert_1[] = "{'insert': 't', 'documents': [{'_id': 1}]}";
static const char insert_2[] = "{'insert': 't', 'documents': [{'_id': 2}]}";
static const char has_1[] = "shop.t { \"_id\" : { \"$numberInt\" : \"1\" } }\n";

static void rule(struct rf_mongo_script_rule is)
{
    rf_mongo_script_rule(script, &is);
}

/* The command fails, and not by a word of the server's. */
static void expect_broken(const char *command)
{
    if (ask("shop", command) || refused.domain != MONGOC_ERROR_STREAM) {
        fail_msg("%s: %u %u %s (%s)", command, refused.domain, refused.code, refused.message,
                 rf_buf_cstr(&answered));
    }
}

/* ------------------------------------------------------------------------------- which commands */

static void test_a_rule_holds_for_the_commands_that_it_names(void **state)
{
    (void)state;
    begin(NULL, NULL);
    rule((struct rf_mongo_script_rule){.command = "insert",
                                       .collection = "shop.t",
                                       .nth = 2,
                                       .times = 2,
                                       .json = "{\"ok\": 0, \"code\": 91, \"errmsg\": \"going\"}"});
    expect_done("shop", insert_1, NULL);
    expect_done("shop", "{'insert': 'u', 'documents': [{'_id': 1}]}", NULL);
    expect_done("park", insert_1, NULL);
    expect_done("shop", "{'update': 't', 'updates': [{'q': {'_id': 1}, 'u': {}}]}", NULL);
    assert_int_equal(rf_mongo_script_applied(script), 0);
    expect_refused("shop", insert_2, 91);
    assert_string_equal(refused.message, "going");
    expect_refused("shop", insert_2, 91);
    assert_int_equal(rf_mongo_script_applied(script), 2);
    expect_done("shop", insert_2, NULL);
    expect_done("shop", "{'count': 't'}", "\"n\" : { \"$numberInt\" : \"2\" }");
}

static void test_a_rule_for_all_leaves_small_talk_alone(void **state)
{
    (void)state;
    begin(NULL, NULL);
    rule((struct rf_mongo_script_rule){
        .times = UINT32_MAX, .json = "{\"ok\": 0, \"code\": 14031, \"errmsg\": \"full\"}"});
    expect_done("admin", "{'ping': 1}", NULL);
    expect_done("admin", "{'isMaster': 1}", NULL);
    expect_refused("shop", insert_1, 14031);
    expect_refused("shop", "{'find': 't'}", 14031);
    rf_mongo_script_clear(script);
    expect_done("shop", insert_1, NULL);
    assert_int_equal(rf_mongo_script_applied(script), 2);
}

static void test_the_oldest_rule_comes_first(void **state)
{
    (void)state;
    begin(NULL, NULL);
    rule((struct rf_mongo_script_rule){.command = "insert",
                                       .nth = 2,
                                       .json = "{\"ok\": 0, "
                                               "\"code\": 7}"});
    rule((struct rf_mongo_script_rule){
        .command = "insert", .times = 3, .json = "{\"ok\": 0, \"code\": 8}"});
    expect_refused("shop", insert_1, 8);
    expect_refused("shop", insert_1, 7);
    expect_refused("shop", insert_1, 8);
    expect_done("shop", insert_1, NULL);
}

/* -------------------------------------------------------------------------------------- answers */

static void test_an_answer_can_be_put_over_the_truth(void **state)
{
    (void)state;
    begin(NULL, NULL);
    rule((struct rf_mongo_script_rule){
        .command = "insert",
        .executed = true,
        .json = "{\"writeConcernError\": {\"code\": 64, \"codeName\": \"WriteConcernFailed\", "
                "\"errmsg\": \"waiting for replication timed out\"}}"});
    rule((struct rf_mongo_script_rule){
        .command = "insert", .nth = 2, .json = "{\"ok\": 1, \"n\": 1}"});
    /* libmongoc leaves a writeConcernError to who reads the answer. */
    expect_done("shop", insert_1, "\"n\" : { \"$numberInt\" : \"1\" }");
    assert_non_null(strstr(answered.data, "WriteConcernFailed"));
    expect_dump(has_1);
    expect_done("shop", insert_2, "\"n\" : { \"$numberInt\" : \"1\" }");
    expect_dump(has_1); /* the second was a lie */
}

static void test_labels_of_an_error_reach_the_client(void **state)
{
    (void)state;
    begin(NULL, NULL);
    rule((struct rf_mongo_script_rule){
        .command = "insert",
        .json = "{\"ok\": 0, \"code\": 91, \"errmsg\": \"shutting down\", \"errorLabels\": "
                "[\"RetryableWriteError\"]}"});
    expect_refused("shop", insert_1, 91);
    bson_t *reply = bson_new_from_json((const uint8_t *)answered.data, -1, NULL);
    assert_true(mongoc_error_has_label(reply, "RetryableWriteError"));
    bson_destroy(reply);
}

static void test_some_operations_of_a_bulk_can_fail(void **state)
{
    (void)state;
    static const char failures[] = "{\"writeErrors\": [{\"index\": 1, \"code\": 50, \"errmsg\": "
                                   "\"no\"}, {\"index\": 2, \"code\": 51, \"errmsg\": \"nor\"}]}";
    static const char rest[] = "'documents': [{'_id': 1}, {'_id': 2}, {'_id': 3}, {'_id': 4}]}";
    char command[256];
    begin(NULL, NULL);
    rule((struct rf_mongo_script_rule){
        .command = "insert", .times = 2, .act = RF_MONGO_SCRIPT_FAIL, .json = failures});
    snprintf(command, sizeof command, "{'insert': 'o', %s", rest);
    ask("shop", command);
    assert_non_null(strstr(answered.data, "\"n\" : { \"$numberInt\" : \"1\" }"));
    assert_non_null(strstr(answered.data, "\"no\""));
    assert_null(strstr(answered.data, "\"nor\""));
    snprintf(command, sizeof command, "{'insert': 'u', 'ordered': false, %s", rest);
    ask("shop", command);
    assert_non_null(strstr(answered.data, "\"n\" : { \"$numberInt\" : \"2\" }"));
    assert_non_null(strstr(answered.data, "\"no\""));
    assert_non_null(strstr(answered.data, "\"nor\""));
    expect_dump("shop.o { \"_id\" : { \"$numberInt\" : \"1\" } }\n"
                "shop.u { \"_id\" : { \"$numberInt\" : \"1\" } }\n"
                "shop.u { \"_id\" : { \"$numberInt\" : \"4\" } }\n");
}

/* --------------------------------------------------------------------------- broken connections */

static void test_a_connection_is_cut_before_or_after_the_write(void **state)
{
    (void)state;
    begin(NULL, NULL);
    for (int executed = 0; executed < 2; executed++) {
        rule((struct rf_mongo_script_rule){
            .command = "insert", .act = RF_MONGO_SCRIPT_CUT, .executed = executed});
        expect_broken(insert_1);
        expect_dump(executed ? has_1 : "");
    }
    /* The client comes back by itself. */
    expect_done("shop", "{'count': 't'}", "\"n\" : { \"$numberInt\" : \"1\" }");
    assert_true(rf_mongo_script_connections(script) >= 3);
}

static void test_a_lost_answer_leaves_the_connection(void **state)
{
    (void)state;
    begin(NULL, "socketTimeoutMS=300");
    for (int executed = 0; executed < 2; executed++) {
        int64_t begun = rf_clock_ms();
        rule((struct rf_mongo_script_rule){
            .command = "insert", .act = RF_MONGO_SCRIPT_LOSE, .executed = executed});
        expect_broken(insert_1);
        assert_true(rf_clock_ms() - begun >= 300); /* it was the client that gave up */
        expect_dump(executed ? has_1 : "");
    }
}

static void test_no_broken_message_passes_for_an_answer(void **state)
{
    (void)state;
    static const enum rf_mongo_script_act acts[] = {
        RF_MONGO_SCRIPT_HALF,  RF_MONGO_SCRIPT_GARBAGE, RF_MONGO_SCRIPT_LONG,
        RF_MONGO_SCRIPT_SHORT, RF_MONGO_SCRIPT_DAMAGED,
    };
    begin(NULL, NULL);
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        reconnect("socketTimeoutMS=300");
        /* From a DAMAGED one libmongoc 1.23 reads on, and dies: see test_mongo_script_peer.c. */
        if (acts[i] != RF_MONGO_SCRIPT_DAMAGED) {
            rule(
                (struct rf_mongo_script_rule){.command = "find", .act = acts[i], .executed = true});
            if (ask("shop", "{'find': 't'}")) {
                fail_msg("act %d was taken for an answer: %s", acts[i], answered.data);
            }
        }
        /* And in the handshake, too: the client is a new one. */
        rule((struct rf_mongo_script_rule){
            .command = "hello", .act = acts[i], .executed = true, .times = UINT32_MAX});
        reconnect("socketTimeoutMS=300&connectTimeoutMS=300&serverSelectionTryOnce=true");
        if (ask("shop", "{'find': 't'}")) {
            fail_msg("act %d was taken for a hello: %s", acts[i], answered.data);
        }
        assert_int_equal(refused.domain, MONGOC_ERROR_SERVER_SELECTION);
        rf_mongo_script_clear(script);
        reconnect(NULL);
        expect_done("shop", "{'find': 't'}", "\"firstBatch\" : [  ]");
    }
}

/* ------------------------------------------------------------------------------------ held back */

/* A client that asks in a thread of its own, as its answer takes time. */
static bool asked_ok;

static void *ask_aside(void *argument)
{
    asked_ok = ask("shop", argument);
    return NULL;
}

static void begin_asking(pthread_t *thread, const char *command)
{
    assert_int_equal(pthread_create(thread, NULL, ask_aside, (void *)(uintptr_t)command), 0);
}

static void test_a_command_is_held_until_it_is_released(void **state)
{
    (void)state;
    for (int executed = 0; executed < 2; executed++) {
        pthread_t thread;
        begin(NULL, NULL);
        rule((struct rf_mongo_script_rule){
            .command = "insert", .act = RF_MONGO_SCRIPT_HOLD, .executed = executed});
        begin_asking(&thread, insert_1);
        assert_true(rf_mongo_script_wait_held(script, 1));
        expect_dump(executed ? has_1 : "");
        rf_mongo_script_release(script);
        pthread_join(thread, NULL);
        assert_true(asked_ok);
        expect_dump(has_1);
        end(NULL);
    }
}

static void test_a_stop_ends_what_is_held(void **state)
{
    (void)state;
    pthread_t thread;
    begin(NULL, NULL);
    rule((struct rf_mongo_script_rule){.command = "insert", .act = RF_MONGO_SCRIPT_HOLD});
    begin_asking(&thread, insert_1);
    assert_true(rf_mongo_script_wait_held(script, 1));
    rf_mongo_script_stop(script);
    pthread_join(thread, NULL);
    assert_false(asked_ok);
    expect_dump("");
    rf_mongo_script_again(script);
    reconnect(NULL);
    expect_done("shop", insert_1, NULL);
    expect_dump(has_1);
}

static void test_a_frozen_server_takes_connections_and_says_nothing(void **state)
{
    (void)state;
    begin(NULL, "socketTimeoutMS=1500");
    expect_done("shop", insert_1, NULL);
    rf_mongo_script_freeze(script, true);
    expect_broken("{'count': 't'}");
    uint32_t before = rf_mongo_script_connections(script);
    reconnect("connectTimeoutMS=300&serverSelectionTryOnce=true");
    assert_false(ask("shop", "{'count': 't'}"));
    assert_int_equal(refused.domain, MONGOC_ERROR_SERVER_SELECTION);
    assert_true(rf_mongo_script_connections(script) > before);
    rf_mongo_script_freeze(script, false);
    reconnect(NULL);
    expect_done("shop", "{'count': 't'}", "\"n\" : { \"$numberInt\" : \"1\" }");
}

static void test_a_stopped_server_refuses_connections(void **state)
{
    (void)state;
    begin(NULL, "serverSelectionTryOnce=true");
    expect_done("shop", insert_1, NULL);
    rf_mongo_script_stop(script);
    assert_false(ask("shop", "{'count': 't'}"));
    reconnect("serverSelectionTryOnce=true");
    assert_false(ask("shop", "{'count': 't'}"));
    assert_int_equal(refused.domain, MONGOC_ERROR_SERVER_SELECTION);
    assert_non_null(strstr(refused.message, "refused"));
    rf_mongo_script_again(script);
    reconnect(NULL);
    expect_done("shop", "{'count': 't'}", "\"n\" : { \"$numberInt\" : \"1\" }");
    rf_mongo_script_forget(script);
    expect_done("shop", "{'count': 't'}", "\"n\" : { \"$numberInt\" : \"0\" }");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_rule_holds_for_the_commands_that_it_names, end),
        cmocka_unit_test_teardown(test_a_rule_for_all_leaves_small_talk_alone, end),
        cmocka_unit_test_teardown(test_the_oldest_rule_comes_first, end),
        cmocka_unit_test_teardown(test_an_answer_can_be_put_over_the_truth, end),
        cmocka_unit_test_teardown(test_labels_of_an_error_reach_the_client, end),
        cmocka_unit_test_teardown(test_some_operations_of_a_bulk_can_fail, end),
        cmocka_unit_test_teardown(test_a_connection_is_cut_before_or_after_the_write, end),
        cmocka_unit_test_teardown(test_a_lost_answer_leaves_the_connection, end),
        cmocka_unit_test_teardown(test_no_broken_message_passes_for_an_answer, end),
        cmocka_unit_test_teardown(test_a_command_is_held_until_it_is_released, end),
        cmocka_unit_test_teardown(test_a_stop_ends_what_is_held, end),
        cmocka_unit_test_teardown(test_a_frozen_server_takes_connections_and_says_nothing, end),
        cmocka_unit_test_teardown(test_a_stopped_server_refuses_connections, end),
    };
    mongoc_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
