/* The sink `mongodb` on a deployment that somebody lends, with ROWFERRY_TEST_MONGODB_URI: what the
 * test server of the protocol cannot show, as it knows neither $currentOp nor write concerns. The
 * unit tests and the contract's of the sink take the same deployment, too. */
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "lib/mongo_server.h"
#include "lib/sink_subject.h"

extern const struct rf_sink_type rf_sink_mongodb;

enum { LIMIT_MS = 60000 };

static struct rf_test_mongo server;
static struct rf_table *table;
static uint32_t written; /* events of the batch */

static int start(void **state)
{
    (void)state;
    rf_test_mongo_start_lent(&server);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rf_test_mongo_destroy(&server);
    return 0;
}

static int setup(void **state)
{
    struct rf_test_setting given[SETTINGS_MAX];
    (void)state;
    uint32_t count = rf_test_mongo_settings(&server, given, SETTINGS_MAX);
    given[count] = (struct rf_test_setting){NULL, NULL};
    begin_sink(&rf_sink_mongodb, given, 64 << 20);
    rf_test_begin(&batch, 1);
    table = rf_test_table("shop", "orders", "id:int! name:text");
    written = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    end_sink();
    rf_table_release(table);
    rf_test_mongo_wipe(&server);
    return 0;
}

/* Opens it as often as the end of an earlier connection takes to be known to the server. */
static void open_in_time(struct rf_test_sink *subject)
{
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    enum rf_status status = rf_test_sink_open(subject, &err);
    while (status == RF_RETRY && rf_clock_ms() < until_ms) {
        status = rf_test_sink_open(subject, &err);
    }
    expect_status(status, RF_OK);
}

static enum rf_status write_rest(void)
{
    uint32_t first = written;
    written = batch.count;
    return write_some(first, UINT32_MAX);
}

static void expect_answer(const char *database, const char *command, const char *words)
{
    char *answer = rf_test_mongo_ask(&server, database, command);
    if (strstr(answer, words) == NULL) {
        fail_msg("%s is not in the answer to %s: %s", words, command, answer);
    }
    free(answer);
}

static void expect_content(const char *expected)
{
    struct rf_buf content = {0};
    rf_test_mongo_dump(&server, &content);
    assert_string_equal(rf_buf_cstr(&content), expected);
    rf_buf_deinit(&content);
}

#define ROW(id, name)                                                                            \
    "shop.orders { \"_id\" : { \"$numberInt\" : \"" id "\" }, \"id\" : { \"$numberInt\" : \"" id \
    "\" }, \"name\" : \"" name "\" }\n"

static void test_rows_positions_and_truncates_last_as_the_majority_confirms_them(void **state)
{
    (void)state;
    open_in_time(&sink);
    rf_test_create(&batch, table, "1|tea");
    rf_test_create(&batch, table, "2|milk");
    rf_test_update(&batch, table, "2|milk", "3|milk");
    expect_status(write_rest(), RF_OK);
    flush("a");
    rf_test_sink_close(&sink);
    open_in_time(&sink);
    assert_true(rf_str_equal(sink.resume, RF_STR("a")));
    expect_content(ROW("1", "tea") ROW("3", "milk"));
    rf_test_truncate(&batch, "shop", "orders");
    rf_test_create(&batch, table, "4|honey");
    expect_status(write_rest(), RF_OK);
    flush("b");
    expect_content(ROW("4", "honey"));
}

static void test_a_duplicate_of_a_unique_index_costs_its_row_alone(void **state)
{
    (void)state;
    open_in_time(&sink);
    expect_answer("shop",
                  "{\"createIndexes\": \"orders\", \"indexes\": [{\"key\": {\"name\": 1}, "
                  "\"name\": \"by_name\", \"unique\": true}]}",
                  "\"ok\" : { \"$numberDouble\" : \"1.0\" }");
    rf_test_create(&batch, table, "1|tea");
    rf_test_create(&batch, table, "2|tea");
    rf_test_create(&batch, table, "3|milk");
    expect_status(write_rest(), RF_REJECT);
    assert_ptr_equal(err.event, &batch.events[1]);
    expect_content(ROW("1", "tea") ROW("3", "milk"));
}

/* As long as the server has a connection of an older start, it may still be at what that one sent:
 * nothing is written. The older one is told, and once its connection is gone, the newer goes on. */
static void test_a_newer_start_waits_for_the_end_of_the_older_ones_connection(void **state)
{
    struct rf_test_sink newer = {.type = &rf_sink_mongodb, .settings = settings};
    (void)state;
    open_in_time(&sink);
    newer.epoch = sink.epoch;
    rf_test_create(&batch, table, "1|tea");
    expect_status(write_rest(), RF_OK);
    flush("a");
    expect_status(rf_test_sink_open(&newer, &err), RF_RETRY);
    expect_said("of this pipeline");
    rf_test_create(&batch, table, "1|late");
    expect_status(write_rest(), RF_FATAL);
    expect_said("another process has taken over");
    rf_test_sink_close(&sink);
    open_in_time(&newer);
    expect_content(ROW("1", "tea"));
    rf_test_sink_deinit(&newer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_rows_positions_and_truncates_last_as_the_majority_confirms_them),
        TEST(test_a_duplicate_of_a_unique_index_costs_its_row_alone),
        TEST(test_a_newer_start_waits_for_the_end_of_the_older_ones_connection),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
