/* The source `mongodb` in trouble: what is tried again, what stops it, and what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/mongo_source.h"

#include "net/mongo.h"

#include <pthread.h>

#define count_of(array) (sizeof(array) / sizeof *(array))

/* ----------------------------------------------------------------------------- resumable errors */

static void fail_times(const char *command, int code, bool label, uint32_t first, uint32_t count)
{
    char json[256];
    snprintf(json, sizeof json,
             "{\"ok\": 0, \"code\": %d, \"errmsg\": \"no\", \"codeName\": \"Code\"%s}", code,
             label ? ", \"errorLabels\": [\"ResumableChangeStreamError\"]" : "");
    rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){.command = command,
                                                                .nth = first,
                                                                .times = count,
                                                                .act = RF_MONGO_SCRIPT_ANSWER,
                                                                .json = json});
}

/* The error once, for that command. */
static void fail_with(const char *command, int code, bool label)
{
    fail_times(command, code, label, 1, 1);
}

/* What a getMore that fails so comes to; where it is tried again, nothing is lost or doubled. */
static enum rf_status after(int32_t wire, int code, bool label)
{
    begin_with(&(struct rf_mongo_script_options){.set_name = "rs",
                                                 .streams = true,
                                                 .wire_version_max = wire},
               "shop.orders");
    open_source();
    insert("orders", 1);
    until("shop.orders 1|");
    fail_with("getMore", code, label);
    insert("orders", 2);
    enum rf_status status = until_failed();
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.message, "no (code"));
    if (status == RF_RETRY) {
        reopen();
        until("shop.orders 2|");
        assert_int_equal(source.transactions, 2);
    } else {
        assert_true(err.hint[0] != '\0');
    }
    end(NULL);
    return status;
}

/* The allow-list of the specification, and some that are not on it. */
static const struct {
    int code;
    bool listed;
} codes[] = {
    {6, true},    {7, true},     {89, true},    {91, true},    {189, true},    {262, true},
    {9001, true}, {10107, true}, {11600, true}, {11602, true}, {13435, true},  {13436, true},
    {63, true},   {150, true},   {13388, true}, {234, true},   {133, true},    {1, false},
    {8, false},   {50, false},   {96, false},   {237, false},  {11601, false},
};

static void test_older_servers_are_resumed_by_the_list(void **state)
{
    (void)state;
    for (size_t i = 0; i < count_of(codes); i++) {
        enum rf_status status = after(8, codes[i].code, false);
        if (status != (codes[i].listed ? RF_RETRY : RF_FATAL)) {
            fail_msg("code %d: %s", codes[i].code, rf_status_name(status));
        }
    }
    begin(NULL);
}

static void test_servers_with_labels_are_resumed_by_the_label_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < count_of(codes); i++) {
        enum rf_status plain = after(17, codes[i].code, false);
        /* One label is like the other: not each code needs it. */
        enum rf_status labelled = i % 5 == 0 ? after(17, codes[i].code, true) : RF_RETRY;
        if (plain != RF_FATAL || labelled != RF_RETRY) {
            fail_msg("code %d: %s, with the label %s", codes[i].code, rf_status_name(plain),
                     rf_status_name(labelled));
        }
    }
    begin(NULL);
}

/* On a reconnect, as right after an election, when nobody is to look at it. */
static void test_an_opening_that_is_refused_for_now_is_tried_again(void **state)
{
    (void)state;
    static const int passing[] = {6,     7,     8,     50,    63,    89,    91,    112,   133,
                                  134,   189,   211,   234,   262,   9001,  10058, 10107, 11600,
                                  11601, 11602, 13388, 13435, 13436, 14031, 77777};
    static const int32_t wires[] = {8, 13};
    for (size_t i = 0; i < 2 * count_of(passing); i++) {
        begin_with(&(struct rf_mongo_script_options){.set_name = "rs",
                                                     .streams = true,
                                                     .wire_version_max = wires[i % 2]},
                   "shop.orders");
        open_source();
        insert("orders", 1);
        until("shop.orders 1|");
        rf_test_source_close(&source);
        fail_times("aggregate", passing[i / 2], false, 2, 1); /* behind the look at what was seen */
        insert("orders", 2);
        enum rf_status status = rf_test_source_open(&source, &err);
        if (status != RF_RETRY || err.code != passing[i / 2] || err.access) {
            fail_msg("code %d: %s", passing[i / 2], rf_status_name(status));
        }
        reopen();
        until("shop.orders 2|");
        assert_int_equal(source.transactions, 2);
        end(state);
    }
    begin(NULL);
}

static void test_a_cursor_that_is_gone_is_always_resumed(void **state)
{
    (void)state;
    assert_int_equal(after(8, 43, false), RF_RETRY);
    assert_int_equal(after(17, 43, false), RF_RETRY);
    begin("shop.orders");
    open_source();
    insert("orders", 1);
    until("shop.orders 1|");
    rf_mongo_script_kill_cursors(script);
    insert("orders", 2);
    assert_int_equal(until_failed(), RF_RETRY);
    reopen();
    until("shop.orders 2|");
    assert_int_equal(source.transactions, 2);
}

static void test_a_broken_connection_is_resumed(void **state)
{
    (void)state;
    static const enum rf_mongo_script_act acts[] = {RF_MONGO_SCRIPT_CUT,   RF_MONGO_SCRIPT_RESET,
                                                    RF_MONGO_SCRIPT_HALF,  RF_MONGO_SCRIPT_GARBAGE,
                                                    RF_MONGO_SCRIPT_SHORT, RF_MONGO_SCRIPT_DAMAGED,
                                                    RF_MONGO_SCRIPT_OTHER};
    for (size_t i = 0; i < 2 * count_of(acts); i++) {
        bool executed = i % 2 != 0; /* the cursor has moved, and nobody got its events */
        begin("shop.orders");
        open_source();
        insert("orders", 1);
        until("shop.orders 1|");
        rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){.command = "getMore",
                                                                    .act = acts[i / 2],
                                                                    .executed = executed});
        insert("orders", 2);
        assert_int_equal(until_failed(), RF_RETRY);
        assert_int_equal(err.code, 0);
        reopen();
        until("shop.orders 2|");
        assert_int_equal(source.transactions, 2);
        end(state);
    }
    begin(NULL);
}

static void test_a_server_that_was_restarted_is_resumed(void **state)
{
    (void)state;
    begin("shop.orders");
    open_source();
    insert("orders", 1);
    until("shop.orders 1|");
    rf_mongo_script_crash(script);
    assert_int_equal(until_failed(), RF_RETRY);
    rf_test_source_close(&source);
    assert_int_equal(rf_test_source_open(&source, &err), RF_RETRY);
    assert_true(err.connect);
    rf_mongo_script_again(script);
    open_source();
    insert("orders", 2);
    until("shop.orders 2|");
    assert_int_equal(source.transactions, 2);
}

/* --------------------------------------------------------------------------------- for good */

static void test_lost_history_stops_it_and_says_what_to_do(void **state)
{
    (void)state;
    static const int lost[] = {286, 280, 136};
    for (size_t i = 0; i < count_of(lost); i++) {
        assert_int_equal(after(17, lost[i], false), RF_FATAL);
        assert_non_null(strstr(err.hint, "new snapshot"));
    }
    begin("shop.orders");
    open_source();
    insert("orders", 1);
    until("shop.orders 1|");
    rf_test_source_close(&source);
    insert("orders", 2);
    insert("orders", 3);
    rf_mongo_script_lose_history(script);
    insert("orders", 4);
    assert_int_equal(rf_test_source_open(&source, &err), RF_FATAL);
    assert_int_equal(err.code, 286);
    assert_non_null(strstr(err.hint, "new snapshot"));
}

static void test_another_deployment_is_refused(void **state)
{
    (void)state;
    begin("shop.orders");
    open_source();
    insert("orders", 1);
    until("shop.orders 1|");
    rf_test_source_close(&source);
    rf_mongo_script_forget(script); /* and it is another set now */
    assert_int_equal(rf_test_source_open(&source, &err), RF_FATAL);
    assert_non_null(strstr(err.message, "another deployment"));
}

/* A source that has read two changes; quiet: and stands further on, where others were. */
static void begin_seen(const char *path, bool quiet)
{
    begin(path);
    open_source();
    insert("orders", 1);
    insert("orders", 2);
    until("shop.orders 2|");
    if (quiet) {
        insert("other", 1);
    }
    for (int i = 0; i < 3; i++) {
        enum rf_status status = rf_test_source_read(&source, 10, &err);
        assert_true(status == RF_OK || status == RF_AGAIN);
    }
    rf_test_source_close(&source);
}

static const char *const watched[] = {"shop.orders", "shop.orders,shop.items", NULL};

/* The id of a set comes along with the files. */
static void test_a_backup_that_was_restored_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * count_of(watched); i++) {
        bool quiet = i % 2 != 0;
        begin_seen(watched[i / 2], quiet);
        open_source(); /* a clock that stands still is none that was set back */
        rf_test_source_close(&source);
        rf_mongo_script_set_back(script, quiet ? 2 : 1);
        assert_int_equal(rf_test_source_open(&source, &err), RF_FATAL);
        assert_non_null(strstr(err.message, "it was set back"));
        assert_non_null(strstr(err.hint, "new snapshot"));
        end(state);
    }
    begin(NULL);
}

static void test_a_backup_is_noticed_also_once_something_was_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * count_of(watched); i++) {
        begin_seen(watched[i / 2], true);
        rf_mongo_script_set_back(script, 2); /* shop.orders 2 and shop.other 1 */
        for (int k = 0; k < 5; k++) { /* empty transactions: the clock goes on, as all clocks do */
            rf_mongo_script_bundle(script, true);
            rf_mongo_script_bundle(script, false);
        }
        for (int k = 10; k < 20; k++) {
            insert(i % 2 == 0 ? "other" : "orders", k);
        }
        tell("shop", "{\"create\": \"items\"}");
        assert_int_equal(rf_test_source_open(&source, &err), RF_FATAL);
        assert_non_null(strstr(err.message, "which was the last change before the position"));
        assert_non_null(strstr(err.hint, "new snapshot"));
        end(state);
    }
    begin(NULL);
}

static void test_what_went_on_or_cannot_be_told_is_no_backup(void **state)
{
    (void)state;
    for (size_t i = 0; i < count_of(watched); i++) {
        begin_seen(watched[i], true);
        insert("other", 2);
        insert("orders", 3);
        open_source();
        until("shop.orders 3|");
        rf_mongo_script_bundle(script, true); /* one time for all */
        insert("orders", 4);
        insert("other", 4);
        insert("orders", 5);
        rf_mongo_script_bundle(script, false);
        insert("other", 6);
        until("shop.orders 5|");
        until("end ");
        rf_buf_reset(&source.text);
        reopen();
        /* The log does not reach back so far. */
        insert("other", 7);
        for (int k = 0; k < 3; k++) {
            enum rf_status status = rf_test_source_read(&source, 10, &err);
            assert_true(status == RF_OK || status == RF_AGAIN);
        }
        rf_test_source_close(&source);
        rf_mongo_script_lose_history(script);
        open_source();
        insert("orders", 8);
        until("shop.orders 8|");
        assert_false(has("shop.orders 5|"));
        end(state);
    }
    begin(NULL);
}

/* MongoDB may have to look through all of its log for it: the stream is begun without an event, the
 * wait for one has a limit, and where that does not help either, the reason is told. */
static void test_the_look_for_the_last_change_has_a_limit_and_says_why_it_failed(void **state)
{
    (void)state;
    begin_seen("shop.orders", true);
    uint32_t streams = rf_mongo_script_count(script, "aggregate");
    uint32_t more = rf_mongo_script_count(script, "getMore");
    open_source();
    rf_test_source_close(&source);
    char *stream = rf_mongo_script_command(script, "aggregate", streams + 1);
    assert_non_null(strstr(stream, "\"batchSize\" : { \"$numberInt\" : \"0\" }"));
    free(stream);
    char *wait = rf_mongo_script_command(script, "getMore", more + 1);
    assert_non_null(strstr(wait, "\"maxTimeMS\" : { \"$numberLong\" : \"200\" }"));
    free(wait);
    assert_int_equal(rf_mongo_script_count(script, "killCursors"), 1);

    /* Refused, it is no answer, and the cursor is ended all the same. */
    fail_with("getMore", 11601, false);
    open_source();
    rf_test_source_close(&source);
    assert_int_equal(rf_mongo_script_count(script, "killCursors"), 2);

    set("timeout", "2s");
    rf_mongo_script_rule(
        script, &(struct rf_mongo_script_rule){.command = "getMore", .act = RF_MONGO_SCRIPT_LOSE});
    assert_int_equal(rf_test_source_open(&source, &err), RF_RETRY);
    assert_non_null(strstr(err.message, "It was asked for the last change before the position"));
    assert_non_null(strstr(err.hint, "raise timeout"));
    open_source();
}

/* Until a batch without events has moved the place. */
static void until_moved(void)
{
    struct rf_buf before = {0};
    rf_buf_set(&before, rf_buf_str(&source.position));
    for (int i = 0; i < 100 && rf_str_equal(rf_buf_str(&before), rf_buf_str(&source.position));
         i++) {
        enum rf_status status = rf_test_source_read(&source, 500, &err);
        assert_true(status == RF_OK || status == RF_AGAIN);
    }
    assert_false(rf_str_equal(rf_buf_str(&before), rf_buf_str(&source.position)));
    rf_buf_deinit(&before);
}

/* What another stream had last is nothing that this one could miss: not behind a batch that had no
 * event, nor behind an event that changes nothing. */
static void test_a_stream_of_other_patterns_is_not_asked_for_what_the_old_one_had(void **state)
{
    (void)state;
    for (int idle = 0; idle < 2; idle++) {
        begin("shop");
        open_source();
        insert("other", 1);
        until("shop.other 1|");
        rf_test_source_close(&source);
        set("path", "shop.orders,shop.items");
        insert("other", 2);
        tell("shop", idle ? "{\"create\": \"items\"}"
                          : "{\"insert\": \"other\", \"documents\": "
                            "[{\"_id\": 3}]}");
        open_source();
        until_moved();
        reopen();
        reopen();
        insert("orders", 4);
        until("shop.orders 4|");
        reopen(); /* of its own it knows again what it had */
        rf_test_source_close(&source);
        rf_mongo_script_set_back(script, 1);
        assert_int_equal(rf_test_source_open(&source, &err), RF_FATAL);
        assert_non_null(strstr(err.message, "it was set back"));
        end(state);
    }
    begin(NULL);
}

static void test_a_deployment_that_does_not_say_who_it_is_gets_a_marker(void **state)
{
    (void)state;
    begin_with(
        &(struct rf_mongo_script_options){.set_name = "rs", .streams = true, .nameless = true},
        NULL);
    open_source();
    assert_true(rf_str_starts(rf_buf_str(&source.position), RF_STR("mongodb:marker=")));
    insert("orders", 1);
    until("shop.orders 1|");
    assert_false(has("rowferry"));
    reopen();
    insert("orders", 2);
    until("shop.orders 2|");
    assert_int_equal(source.transactions, 2);
    rf_test_source_close(&source);
    tell("rowferry", "{\"drop\": \"deployment\"}");
    assert_int_equal(rf_test_source_open(&source, &err), RF_FATAL);
    assert_non_null(strstr(err.message, "rowferry.deployment is gone"));
    /* It was not made again in silence. */
    assert_int_equal(rf_test_source_open(&source, &err), RF_FATAL);
}

/* Their codes are their own. */
static void test_a_hosted_service_that_refuses_to_say_who_it_is_gets_a_marker(void **state)
{
    (void)state;
    static const int refusals[] = {13, 20, 59, 76, 115, 238, 303, 323, 8000};
    for (size_t i = 0; i < count_of(refusals); i++) {
        char json[128];
        begin("shop.orders");
        snprintf(json, sizeof json,
                 "{\"ok\": 0, \"code\": %d, \"errmsg\": \"CMD_NOT_ALLOWED: replSetGetConfig\"}",
                 refusals[i]);
        rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){.command = "replSetGetConfig",
                                                                    .times = UINT32_MAX,
                                                                    .act = RF_MONGO_SCRIPT_ANSWER,
                                                                    .json = json});
        open_source();
        assert_true(rf_str_starts(rf_buf_str(&source.position), RF_STR("mongodb:marker=")));
        insert("orders", 1);
        until("shop.orders 1|");
        reopen();
        insert("orders", 2);
        until("shop.orders 2|");
        assert_int_equal(source.transactions, 2);
        end(state);
    }
    /* But who has told it before is asked again. */
    begin("shop.orders");
    open_source();
    rf_test_source_close(&source);
    fail_with("replSetGetConfig", 8000, false);
    assert_int_equal(rf_test_source_open(&source, &err), RF_RETRY);
    open_source();
}

static void test_a_refusal_that_passes_makes_no_other_deployment_of_it(void **state)
{
    (void)state;
    begin("shop.orders");
    fail_with("replSetGetConfig", 11600, false);
    assert_int_equal(rf_test_source_open(&source, &err), RF_RETRY);
    assert_int_equal(rf_mongo_script_count(script, "insert"), 0);
    open_source();
    assert_true(rf_str_starts(rf_buf_str(&source.position), RF_STR("mongodb:set=")));
    rf_test_source_close(&source);
    /* And a right that was taken away is a matter for a person. */
    fail_with("replSetGetConfig", 13, false);
    assert_int_equal(rf_test_source_open(&source, &err), RF_CONFIG);
    assert_non_null(strstr(err.hint, "clusterMonitor"));
    open_source();
}

static void test_a_token_of_nowhere_is_refused(void **state)
{
    (void)state;
    begin("shop.orders");
    source.from = "82FFFFFFFF000000010000000004";
    assert_int_equal(rf_test_source_open(&source, &err), RF_FATAL);
    assert_int_equal(err.code, 286);
    source.from = "12FFFFFFFF000000010000000004";
    assert_int_equal(rf_test_source_open(&source, &err), RF_FATAL);
    assert_int_equal(err.code, 260);
}

/* ------------------------------------------------------------------------------- bad input */

static void test_what_a_server_cannot_do_is_told_by_name(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *hint;
    } cases[] = {
        {40573, "rs.initiate()"}, {13, "the role read"}, {166, "view"},
        {40324, "MongoDB 3.6"},   {40415, "older"},      {2, "oplog"},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        begin("shop.orders");
        fail_times("aggregate", cases[i].code, false, 1, 2); /* the second with fewer options */
        assert_int_equal(rf_test_source_open(&source, &err), RF_CONFIG);
        assert_int_equal(err.code, cases[i].code);
        if (strstr(err.hint, cases[i].hint) == NULL) {
            fail_msg("%d: %s", cases[i].code, err.hint);
        }
        end(state);
    }
    begin_with(&(struct rf_mongo_script_options){0}, "shop.orders"); /* no set, no history */
    assert_int_equal(rf_test_source_open(&source, &err), RF_CONFIG);
    assert_int_equal(err.code, 40573);
    end(state);
    begin_with(&(struct rf_mongo_script_options){.set_name = "rs",
                                                 .streams = true,
                                                 .wire_version_max = 13},
               "shop.orders");
    set("images", "required");
    assert_int_equal(rf_test_source_open(&source, &err), RF_CONFIG);
    assert_non_null(strstr(err.message, "older than MongoDB 6.0"));
}

static void test_what_is_no_place_to_begin_is_refused_before_anybody_is_asked(void **state)
{
    (void)state;
    static const char *const places[] = {
        "earliest",
        "yesterday",
        "-1",
        "2026-13-01T00:00:00Z",
        "1763830000.x",
        "0-1-5",
        "82XX",
        "mongodb:",
        "mongodb:set=1;time=x",
        "mongodb:set=1;time=1.1;token=",
        "mongodb:set=1;resume=05000000",
        "mongodb:who=1;time=1.1",
        "1.2.3",
    };
    for (size_t i = 0; i < count_of(places); i++) {
        enum rf_status status = rf_source_mongodb.check_from(rf_str_of(places[i]), &err);
        if (status != RF_CONFIG || err.hint[0] == '\0') {
            fail_msg("%s: %s", places[i], rf_status_name(status));
        }
    }
    begin("shop.orders");
    source.from = "yesterday";
    assert_int_equal(rf_test_source_open(&source, &err), RF_CONFIG);
    assert_int_equal(rf_mongo_script_connections(script), 0);
}

static void test_our_own_database_is_not_captured(void **state)
{
    (void)state;
    begin("rowferry");
    assert_int_equal(rf_test_source_open(&source, &err), RF_CONFIG);
    assert_non_null(strstr(err.message, "our own"));
}

static void test_a_document_of_101_levels_stops_it_behind_what_came_before(void **state)
{
    (void)state;
    begin("shop.orders");
    open_source();
    insert_levels(100);
    insert_levels(101);
    until("shop.orders 100|");
    assert_int_equal(until_failed(), RF_FATAL);
    assert_non_null(strstr(err.message, "nested deeper than the 100 levels"));
    assert_non_null(strstr(err.message, "shop.orders"));
    assert_int_equal(source.events, 1);
    rf_test_source_close(&source);
    open_source();
    assert_int_equal(until_failed(), RF_FATAL); /* not passed over */
}

static void test_events_that_are_none_stop_it(void **state)
{
    (void)state;
    static const char *const events[] = {
        "{\"operationType\": \"insert\"}",
        "{\"_id\": {\"_data\": \"82AA\"}}",
        "{\"_id\": {\"_data\": 5}, \"operationType\": \"insert\"}",
        "{\"_id\": {\"_data\": \"82AA\"}, \"operationType\": \"reshape\"}",
        "{\"_id\": {\"_data\": \"82AA\"}, \"operationType\": 5}",
        "{\"_id\": {\"_data\": \"82AA\"}, \"operationType\": \"insert\", \"fullDocument\": 5}",
        "{\"_id\": {\"_data\": \"82AA\"}, \"operationType\": \"insert\", \"documentKey\": "
        "{\"_id\": 1}}",
        "{\"_id\": {\"_data\": \"82AA\"}, \"operationType\": \"update\", \"documentKey\": "
        "{\"$set\": {\"a\": 1}}}",
        "{\"_id\": {\"_data\": \"82AA\"}, \"operationType\": \"update\"}",
        "{\"_id\": {\"_data\": \"82AA\"}, \"operationType\": \"drop\", \"clusterTime\": 1}",
        "5",
    };
    for (size_t i = 0; i < count_of(events); i++) {
        struct rf_buf json = {0};
        begin("shop.orders");
        open_source();
        rf_buf_printf(&json, "{\"cursor\": {\"nextBatch\": [%s], \"id\": 5}, \"ok\": 1}",
                      events[i]);
        rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){.command = "getMore",
                                                                    .act = RF_MONGO_SCRIPT_ANSWER,
                                                                    .json = rf_buf_cstr(&json)});
        enum rf_status status = until_failed();
        if (status != RF_FATAL || source.events != 0) {
            fail_msg("%s: %s", events[i], rf_status_name(status));
        }
        rf_buf_deinit(&json);
        end(state);
    }
    begin(NULL);
}

/* ----------------------------------------------------------------------------------- interrupts */

static void *interrupt(void *unused)
{
    (void)unused;
    rf_assert(rf_mongo_script_wait_held(script, 1));
    rf_test_source_interrupt(&source);
    return NULL;
}

static void test_an_interrupt_ends_a_read_that_waits_and_stays_in_force(void **state)
{
    (void)state;
    pthread_t thread;
    begin("shop.orders");
    open_source();
    rf_mongo_script_rule(
        script, &(struct rf_mongo_script_rule){.command = "getMore", .act = RF_MONGO_SCRIPT_HOLD});
    rf_assert(pthread_create(&thread, NULL, interrupt, NULL) == 0);
    assert_int_equal(until_failed(), RF_RETRY);
    pthread_join(thread, NULL);
    insert("orders", 1);
    assert_int_equal(rf_test_source_read(&source, 100, &err), RF_RETRY);
    assert_int_equal(source.events, 0);
    rf_mongo_script_release(script);
}

static void test_a_source_that_was_never_opened_can_be_closed(void **state)
{
    (void)state;
    begin(NULL);
    void *zeroed = calloc(1, rf_source_mongodb.state_size);
    assert_non_null(zeroed);
    rf_source_mongodb.close(zeroed);
    free(zeroed);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, end)
    const struct CMUnitTest tests[] = {
        TEST(test_older_servers_are_resumed_by_the_list),
        TEST(test_servers_with_labels_are_resumed_by_the_label_alone),
        TEST(test_an_opening_that_is_refused_for_now_is_tried_again),
        TEST(test_a_cursor_that_is_gone_is_always_resumed),
        TEST(test_a_broken_connection_is_resumed),
        TEST(test_a_server_that_was_restarted_is_resumed),
        TEST(test_lost_history_stops_it_and_says_what_to_do),
        TEST(test_another_deployment_is_refused),
        TEST(test_a_backup_that_was_restored_is_refused),
        TEST(test_a_backup_is_noticed_also_once_something_was_written),
        TEST(test_what_went_on_or_cannot_be_told_is_no_backup),
        TEST(test_the_look_for_the_last_change_has_a_limit_and_says_why_it_failed),
        TEST(test_a_stream_of_other_patterns_is_not_asked_for_what_the_old_one_had),
        TEST(test_a_deployment_that_does_not_say_who_it_is_gets_a_marker),
        TEST(test_a_hosted_service_that_refuses_to_say_who_it_is_gets_a_marker),
        TEST(test_a_refusal_that_passes_makes_no_other_deployment_of_it),
        TEST(test_a_token_of_nowhere_is_refused),
        TEST(test_what_a_server_cannot_do_is_told_by_name),
        TEST(test_what_is_no_place_to_begin_is_refused_before_anybody_is_asked),
        TEST(test_our_own_database_is_not_captured),
        TEST(test_a_document_of_101_levels_stops_it_behind_what_came_before),
        TEST(test_events_that_are_none_stop_it),
        TEST(test_an_interrupt_ends_a_read_that_waits_and_stays_in_force),
        TEST(test_a_source_that_was_never_opened_can_be_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
