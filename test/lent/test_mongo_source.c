/* The source `mongodb` on a deployment that somebody lends, with ROWFERRY_TEST_MONGODB_URI: a
 * replica set or a sharded cluster, as the test server of the protocol has no right updates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/mongo_server.h"
#include "lib/source.h"

#include <stdlib.h>

extern const struct rf_source_type rf_source_mongodb;

enum { SETTINGS = 24, LIMIT_MS = 60000 };

static struct rf_test_mongo server;
static struct rf_test_setting settings[SETTINGS];
static struct rf_test_source source = {.type = &rf_source_mongodb, .settings = settings};

static int start(void **state)
{
    (void)state;
    rf_test_mongo_start_lent(&server);
    uint32_t count = rf_test_mongo_settings(&server, settings, SETTINGS - 2);
    settings[count] = (struct rf_test_setting){"path", "shop.orders"};
    settings[count + 1] = (struct rf_test_setting){"images", "update_lookup"};
    settings[count + 2] = (struct rf_test_setting){NULL, NULL};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rf_test_source_deinit(&source);
    rf_test_mongo_destroy(&server);
    return 0;
}

static void must(enum rf_status status, const struct rf_error *err)
{
    if (status != RF_OK) {
        fail_msg("%s: %s", rf_status_name(status), err->message);
    }
}

static void tell(const char *command)
{
    free(rf_test_mongo_ask(&server, "shop", command));
}

static void test_changes_of_a_lent_deployment_come_as_they_were_made(void **state)
{
    struct rf_error err = {0};
    (void)state;
    must(rf_test_source_open(&source, &err), &err);
    tell("{\"insert\": \"orders\", \"documents\": [{\"_id\": 1, \"v\": \"tea\"}]}");
    must(rf_test_source_until(&source, "create shop.orders 1|{\"_id\":1,\"v\":\"tea\"}", LIMIT_MS,
                              &err),
         &err);
    tell("{\"update\": \"orders\", \"updates\": [{\"q\": {\"_id\": 1}, \"u\": {\"$set\": "
         "{\"v\": \"milk\"}}}]}");
    must(rf_test_source_until(&source, "update shop.orders 1|? > 1|{\"_id\":1,\"v\":\"milk\"}",
                              LIMIT_MS, &err),
         &err);
    rf_test_source_close(&source);
    tell("{\"update\": \"orders\", \"updates\": [{\"q\": {\"_id\": 1}, \"u\": {\"w\": 5}}]}");
    tell("{\"delete\": \"orders\", \"deletes\": [{\"q\": {\"_id\": 1}, \"limit\": 1}]}");
    tell("{\"drop\": \"orders\"}");
    tell("{\"insert\": \"orders\", \"documents\": [{\"_id\": 2}]}");
    must(rf_test_source_open(&source, &err), &err);
    must(rf_test_source_until(&source, "create shop.orders 2|", LIMIT_MS, &err), &err);
    assert_non_null(strstr(rf_buf_cstr(&source.text), "delete shop.orders 1|"));
    assert_non_null(strstr(rf_buf_cstr(&source.text), "\"operationType\":\"drop\""));
    assert_int_equal(source.transactions >= 6, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes_of_a_lent_deployment_come_as_they_were_made),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
