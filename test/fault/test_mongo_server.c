#include "lib/mongo_server.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* What other tests believe of the server that they are given. */

static struct rf_test_mongo server;

static int start_server(void **state)
{
    (void)state;
    rf_test_mongo_start(&server, NULL);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    rf_test_mongo_destroy(&server);
    return 0;
}

static void tell(const char *database, const char *command)
{
    char *reply = rf_test_mongo_ask(&server, database, command);
    if (strstr(reply, "\"ok\" : { \"$numberDouble\" : \"1.0\" }") == NULL) {
        fail_msg("%s: %s", command, reply);
    }
    free(reply);
}

static void expect_dump(const char *expected)
{
    struct rf_buf out = {0};
    rf_test_mongo_dump(&server, &out);
    assert_string_equal(rf_buf_cstr(&out), expected);
    rf_buf_deinit(&out);
}

static void test_a_dump_has_every_document_with_its_types_in_a_fixed_order(void **state)
{
    (void)state;
    tell("shop", "{\"insert\": \"b\", \"documents\": [{\"_id\": 2}, {\"_id\": 1, \"v\": "
                 "{\"$numberLong\": \"1\"}}]}");
    tell("shop", "{\"insert\": \"a\", \"documents\": [{\"_id\": \"x\"}]}");
    tell("rowferry", "{\"insert\": \"positions\", \"documents\": [{\"_id\": \"mine\"}]}");
    tell("park", "{\"insert\": \"c\", \"documents\": [{\"_id\": 1.5}]}");
    expect_dump(
        "park.c { \"_id\" : { \"$numberDouble\" : \"1.5\" } }\n"
        "shop.a { \"_id\" : \"x\" }\n"
        "shop.b { \"_id\" : { \"$numberInt\" : \"1\" }, \"v\" : { \"$numberLong\" : \"1\" } }\n"
        "shop.b { \"_id\" : { \"$numberInt\" : \"2\" } }\n");
    rf_test_mongo_wipe(&server);
    expect_dump("");
    char *reply = rf_test_mongo_ask(&server, "rowferry", "{\"count\": \"positions\"}");
    assert_non_null(strstr(reply, "\"n\" : { \"$numberInt\" : \"0\" }"));
    free(reply);
}

static void test_a_refusal_is_an_answer(void **state)
{
    (void)state;
    char *reply = rf_test_mongo_ask(&server, "admin", "{\"noSuchThing\": 1}");
    assert_non_null(strstr(reply, "\"code\" : { \"$numberInt\" : \"59\" }"));
    free(reply);
}

static void test_a_collection_of_many_batches_is_dumped_whole(void **state)
{
    (void)state;
    enum { COUNT = 950 };
    struct rf_buf command = {0}, out = {0};
    rf_buf_printf(&command, "{\"insert\": \"many\", \"documents\": [");
    for (int i = 0; i < COUNT; i++) {
        rf_buf_printf(&command, "%s{\"_id\": %d}", i ? ", " : "", i);
    }
    rf_buf_printf(&command, "]}");
    tell("shop", rf_buf_cstr(&command));
    rf_test_mongo_dump(&server, &out);
    size_t lines = 0;
    for (size_t i = 0; i < out.size; i++) {
        lines += out.data[i] == '\n';
    }
    assert_int_equal(lines, COUNT);
    rf_buf_deinit(&command);
    rf_buf_deinit(&out);
    rf_test_mongo_wipe(&server);
}

static void test_what_it_keeps_over_a_kill_is_as_it_says(void **state)
{
    (void)state;
    if (server.external) {
        skip(); /* it is not ours to kill */
    }
    tell("shop", "{\"insert\": \"t\", \"documents\": [{\"_id\": 1}], "
                 "\"writeConcern\": {\"w\": 1, \"j\": true}}");
    rf_test_mongo_kill(&server);
    rf_test_mongo_again(&server);
    expect_dump(server.keeps ? "shop.t { \"_id\" : { \"$numberInt\" : \"1\" } }\n" : "");
    rf_test_mongo_wipe(&server);
    rf_test_mongo_stop(&server);
    rf_test_mongo_again(&server);
    expect_dump("");
}

static void test_options_reach_the_java_server(void **state)
{
    (void)state;
    struct rf_test_mongo older;
    rf_test_mongo_start(&older, "--version MONGO_3_6 -Xmx64m");
    assert_false(older.keeps);
    assert_false(older.external);
    char *reply = rf_test_mongo_ask(&older, "admin", "{\"isMaster\": 1}");
    assert_non_null(strstr(reply, "\"maxWireVersion\" : { \"$numberInt\" : \"6\" }"));
    free(reply);
    rf_test_mongo_destroy(&older);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_dump_has_every_document_with_its_types_in_a_fixed_order),
        cmocka_unit_test(test_a_refusal_is_an_answer),
        cmocka_unit_test(test_a_collection_of_many_batches_is_dumped_whole),
        cmocka_unit_test(test_what_it_keeps_over_a_kill_is_as_it_says),
        cmocka_unit_test(test_options_reach_the_java_server),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
