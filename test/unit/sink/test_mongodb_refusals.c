/* The sink `mongodb` where the server does not do what it is told: against a scripted one, as no
 * real one can be made to. */

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/mongo_script.h"
#include "lib/sink_subject.h"

extern const struct rf_sink_type rf_sink_mongodb;

static struct rf_mongo_script *script;
static char port[8];
static struct rf_table *table;
static uint32_t written; /* events of the batch */

/* An open sink on a new server, and a table d.t. NULL: one by itself. */
static void setup_with(const struct rf_mongo_script_options *options,
                       const struct rf_test_setting *more)
{
    struct rf_test_setting given[SETTINGS_MAX] = {{"port", port}, {"timeout", "2000"}};
    script = rf_mongo_script_create(options ? options : &(struct rf_mongo_script_options){0});
    snprintf(port, sizeof port, "%u", rf_mongo_script_port(script));
    for (size_t i = 0; more != NULL && more[i].name != NULL; i++) {
        given[i + 2] = more[i];
    }
    begin_sink(&rf_sink_mongodb, given, 64 << 20);
    table = rf_test_table("d", "t", "id:int! a:text");
    written = 0;
    rf_test_begin(&batch, 1);
}

static void setup(void)
{
    setup_with(NULL, NULL);
    open_sink();
}

static int teardown(void **state)
{
    (void)state;
    end_sink();
    rf_table_release(table);
    rf_mongo_script_destroy(script);
    script = NULL;
    return 0;
}

static enum rf_status write_rest(void)
{
    uint32_t first = written;
    written = batch.count;
    return write_some(first, UINT32_MAX);
}

static void create_rows(int first, int last)
{
    for (int i = first; i <= last; i++) {
        char row[32];
        snprintf(row, sizeof row, "%d|secret%d", i, i);
        rf_test_create(&batch, table, row);
    }
}

/* JSON with ' for ", as the texts below are written. */
static const char *json(const char *text)
{
    static char out[4096];
    size_t at = 0;
    do {
        out[at] = text[at] == '\'' ? '"' : text[at];
    } while (text[at++] != '\0');
    return out;
}

static void rule(const char *command, enum rf_mongo_script_act act, const char *text)
{
    struct rf_mongo_script_rule made = {
        .command = command, .act = act, .json = text ? json(text) : NULL};
    rf_mongo_script_rule(script, &made);
}

static void expect_count(const char *collection, int expected)
{
    char command[64], wanted[64];
    snprintf(command, sizeof command, "{\"count\": \"%s\"}", collection);
    snprintf(wanted, sizeof wanted, "\"n\" : { \"$numberInt\" : \"%d\" }", expected);
    char *answer = rf_mongo_script_ask(script, "d", command);
    if (strstr(answer, wanted) == NULL) {
        fail_msg("%s, not %d", answer, expected);
    }
    free(answer);
}

/* Words of the nth command of a name. */
static void expect_command(const char *name, uint32_t nth, const char *words, bool there)
{
    char *command = rf_mongo_script_command(script, name, nth);
    assert_non_null(command);
    if ((strstr(command, words) != NULL) != there) {
        fail_msg("%s%s in %s", words, there ? " is not" : "", command);
    }
    free(command);
}

static void expect_no_row_data(void)
{
    assert_null(strstr(err.message, "secret"));
    assert_null(strstr(err.hint, "secret"));
}

/* ------------------------------------------------------------------------------------- commands */

static void test_a_command_holds_a_thousand_rows_and_asks_for_durability(void **state)
{
    (void)state;
    setup();
    create_rows(1, 2500);
    expect_status(write_rest(), RF_OK);
    expect_count("t", 2500);
    /* One takes the position's document, one is the record of the table. */
    assert_int_equal(rf_mongo_script_count(script, "update"), 2 + 3);
    expect_command("update", 3, "\"ordered\" : false", true);
    expect_command("update", 3,
                   "\"writeConcern\" : { \"w\" : \"majority\", \"j\" : true, \"wtimeout\" : { "
                   "\"$numberLong\" : \"1600\" } }",
                   true);
    expect_command("update", 3, "\"comment\" : \"rowferry test ", true);
    expect_command("update", 3, "\"id\" : { \"$numberInt\" : \"1000\" }", true);
    expect_command("update", 3, "\"id\" : { \"$numberInt\" : \"1001\" }", false);
    expect_command("update", 5, "\"id\" : { \"$numberInt\" : \"2500\" }", true);
}

static void test_rows_ask_for_the_concern_that_was_set_and_positions_for_a_majority(void **state)
{
    (void)state;
    const struct rf_test_setting more[] = {{"w", "1"}, {NULL, NULL}};
    setup_with(&(struct rf_mongo_script_options){.wire_version_max = 8}, more);
    open_sink();
    create_rows(1, 1);
    expect_status(write_rest(), RF_OK);
    flush("1");
    expect_command("update", 1, "\"w\" : \"majority\"", true);
    expect_command("update", 3, "\"w\" : { \"$numberInt\" : \"1\" }, \"j\" : true", true);
    expect_command("update", 3, "\"comment\"", false); /* before MongoDB 4.4 nobody knows it */
    expect_command("update", 4, "\"w\" : \"majority\"", true);
    expect_command("update", 4, "\"position\" : \"1\"", true);
}

static void test_of_a_hot_row_only_the_last_state_is_sent(void **state)
{
    (void)state;
    setup();
    rf_test_create(&batch, table, "1|a");
    for (int i = 0; i < 100; i++) {
        rf_test_update(&batch, table, "1|a", "1|b");
        rf_test_update(&batch, table, "1|b", "1|a");
    }
    rf_test_create(&batch, table, "2|x");
    rf_test_delete(&batch, table, "2|x");
    expect_status(write_rest(), RF_OK);
    assert_int_equal(rf_mongo_script_count(script, "update"), 2 + 1);
    expect_command("update", 3, "\"1\" : {", false); /* of the array, a second one */
    assert_int_equal(rf_mongo_script_count(script, "delete"), 1);
    expect_count("t", 1);
}

static void test_large_rows_go_in_several_commands(void **state)
{
    enum { LARGE = 3 << 20 };
    (void)state;
    setup();
    char *row = malloc(LARGE);
    memset(row, 'x', LARGE - 1);
    row[LARGE - 1] = '\0';
    row[1] = '|';
    for (char key = '1'; key <= '5'; key++) {
        row[0] = key;
        rf_test_create(&batch, table, row);
    }
    free(row);
    expect_status(write_rest(), RF_OK);
    expect_count("t", 5);
    assert_in_range(rf_mongo_script_count(script, "update"), 2 + 3, 2 + 5);
}

static void test_the_largest_document_is_taken(void **state)
{
    enum { LIMIT = 16 * 1024 * 1024, AROUND = 4 + 9 + 8 + 7 + 1 + 1 };
    (void)state;
    setup();
    char *row = malloc(LIMIT + 8);
    memset(row, 'x', LIMIT);
    memcpy(row, "1|", 2);
    row[2 + LIMIT - AROUND] = '\0';
    rf_test_create(&batch, table, row);
    expect_status(write_rest(), RF_OK);
    expect_count("t", 1);
    row[2 + LIMIT - AROUND] = 'x';
    row[2 + LIMIT - AROUND + 1] = '\0';
    rf_test_create(&batch, table, row);
    expect_status(write_rest(), RF_REJECT);
    free(row);
}

static void test_names_with_points_and_dollars_need_a_server_that_takes_them(void **state)
{
    static const char *const columns[] = {"id:int! a.b:int", "id:int! $a:int", "$a:int! b:int!"};
    (void)state;
    for (int32_t wire = 8; wire <= 13; wire += 5) {
        setup_with(&(struct rf_mongo_script_options){.wire_version_max = wire}, NULL);
        open_sink();
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
            char name[8];
            snprintf(name, sizeof name, "t%zu", i);
            struct rf_table *other = rf_test_table("d", name, columns[i]);
            rf_test_create(&batch, other, "1|2");
            /* Within an _id no server takes them. */
            expect_status(write_rest(), wire == 13 && i < 2 ? RF_OK : RF_CONFIG);
            rf_table_release(other);
        }
        expect_count("t0", wire == 13);
        expect_count("t1", wire == 13);
        teardown(NULL);
    }
    setup_with(&(struct rf_mongo_script_options){.wire_version_max = 8}, NULL);
    open_sink();
    struct rf_table *other = rf_test_table("d", "u", "id:int! a.b:int");
    rf_test_create(&batch, other, "1|2");
    expect_status(write_rest(), RF_CONFIG);
    expect_said("column 'a.b' of table d.u");
    assert_non_null(strstr(err.hint, "columns=-a?b"));
    rf_table_release(other);
}

/* A value of a unique index may move from a row that goes to one that comes. */
static void test_deletes_go_before_all_else(void **state)
{
    (void)state;
    setup();
    create_rows(1, 1);
    expect_status(write_rest(), RF_OK);
    rule("delete", RF_MONGO_SCRIPT_CUT, NULL);
    rf_test_create(&batch, table, "2|secret1");
    rf_test_delete(&batch, table, "1|secret1");
    expect_status(write_rest(), RF_RETRY);
    expect_count("t", 1);
}

/* --------------------------------------------------------------------------------- refused rows */

static void test_the_row_that_was_refused_is_named_and_all_others_are_written(void **state)
{
    (void)state;
    setup();
    create_rows(0, 9);
    rf_mongo_script_rule(
        script, &(struct rf_mongo_script_rule){
                    .command = "update",
                    .collection = "d.t",
                    .act = RF_MONGO_SCRIPT_FAIL,
                    .json = "{\"writeErrors\": [{\"index\": 4, \"code\": 11000, \"errmsg\": "
                            "\"E11000 duplicate key error collection: d.t index: a_1 dup key: { "
                            "a: \\\"secret4\\\" }\"}]}"});
    expect_status(write_rest(), RF_REJECT);
    assert_ptr_equal(err.event, &batch.events[4]);
    expect_said("refused d.t: E11000 duplicate key error collection: d.t index: a_1 (code 11000, "
                "DuplicateKey)");
    expect_no_row_data();
    assert_int_equal(err.code, 11000);
    expect_count("t", 9);
}

static void test_of_several_refused_rows_the_first_one_is_told(void **state)
{
    (void)state;
    setup();
    struct rf_table *other = rf_test_table("d", "u", "id:int! a:text");
    create_rows(0, 1);
    rf_test_create(&batch, other, "1|x");
    create_rows(2, 3);
    rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){
                                     .command = "update",
                                     .collection = "d.t",
                                     .act = RF_MONGO_SCRIPT_FAIL,
                                     .json = "{\"writeErrors\": [{\"index\": 3, \"code\": 121, "
                                             "\"errmsg\": \"Document failed validation\"}]}"});
    rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){
                                     .command = "update",
                                     .collection = "d.u",
                                     .act = RF_MONGO_SCRIPT_FAIL,
                                     .json = "{\"writeErrors\": [{\"index\": 0, \"code\": 121, "
                                             "\"errmsg\": \"Document failed validation\"}]}"});
    expect_status(write_rest(), RF_REJECT);
    assert_ptr_equal(err.event, &batch.events[2]);
    expect_count("t", 3);
    expect_count("u", 0);
    rf_table_release(other);
}

static void test_an_error_that_passes_is_no_fault_of_a_row(void **state)
{
    static const int codes[] = {6, 89, 91, 112, 189, 262, 10107, 11600, 11602, 13435, 14031, 4242};
    (void)state;
    setup();
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "{\"writeErrors\": [{\"index\": 1, \"code\": %d, \"errmsg\": \"told so\"}]}",
                 codes[i]);
        reopen();
        rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){.command = "update",
                                                                    .collection = "d.t",
                                                                    .act = RF_MONGO_SCRIPT_FAIL,
                                                                    .json = text});
        create_rows(1, 3);
        expect_status(write_rest(), RF_RETRY);
        expect_said("told so (code ");
        assert_int_equal(err.code, codes[i]);
    }
    assert_int_equal(rf_mongo_script_applied(script), sizeof codes / sizeof *codes);
}

/* ----------------------------------------------------------------------------- refused commands */

static void test_what_the_whole_command_is_refused_for_decides(void **state)
{
    static const struct {
        const char *answer;
        enum rf_status status;
        bool access;
    } cases[] = {
        {"{'ok': 0, 'code': 13, 'codeName': 'Unauthorized', 'errmsg': 'not authorized on d to "
         "execute command { update: secret1 }'}",
         RF_CONFIG, true},
        {"{'ok': 0, 'code': 18, 'errmsg': 'x'}", RF_CONFIG, true},
        {"{'ok': 0, 'code': 73, 'errmsg': 'x'}", RF_CONFIG, false},
        {"{'ok': 0, 'code': 59, 'errmsg': 'x'}", RF_CONFIG, false},
        {"{'ok': 0, 'code': 9, 'errmsg': 'x'}", RF_CONFIG, false}, /* of no row in particular */
        {"{'ok': 0, 'code': 10107, 'errmsg': 'x'}", RF_RETRY, false},
        {"{'ok': 0, 'code': 10107, 'errmsg': 'x', 'errorLabels': ['RetryableWriteError']}",
         RF_RETRY, false},
        {"{'ok': 0, 'code': 13, 'errmsg': 'x', 'errorLabels': ['RetryableWriteError']}", RF_RETRY,
         false},
        {"{'ok': 0, 'code': 11600, 'errmsg': 'x'}", RF_RETRY, false},
        {"{'ok': 0, 'code': 14031, 'errmsg': 'x'}", RF_RETRY, false},
        {"{'ok': 0, 'code': 4242, 'errmsg': 'x'}", RF_RETRY, false},
        {"{'ok': 0}", RF_RETRY, false},
        {"{'ok': 1, 'n': 3, 'writeConcernError': {'code': 64, 'errmsg': 'waiting for replication "
         "timed out'}}",
         RF_RETRY, false},
        {"{'ok': 1, 'n': 3, 'writeConcernError': {'code': 79, 'errmsg': 'no such mode'}}",
         RF_CONFIG, false},
        {"{'ok': 1, 'n': 2}", RF_RETRY, false}, /* and does not say why not 3 */
        {"{'ok': 1, 'n': 4}", RF_RETRY, false},
        {"{'ok': 1}", RF_RETRY, false},
        {"{'ok': 1, 'n': 3, 'writeErrors': [5]}", RF_RETRY, false},
        {"{'ok': 1, 'n': 2, 'writeErrors': [{'index': 3, 'code': 11000}]}", RF_RETRY, false},
        {"{'ok': 1, 'n': 2, 'writeErrors': [{'index': -1, 'code': 11000}]}", RF_RETRY, false},
        {"{'ok': 1, 'n': 2, 'writeErrors': [{'code': 11000}]}", RF_RETRY, false},
        {"{}", RF_RETRY, false},
    };
    (void)state;
    setup();
    create_rows(1, 3); /* the table has its record */
    expect_status(write_rest(), RF_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        reopen();
        rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){.command = "update",
                                                                    .collection = "d.t",
                                                                    .act = RF_MONGO_SCRIPT_ANSWER,
                                                                    .json = json(cases[i].answer)});
        create_rows(1, 3);
        enum rf_status status = write_rest();
        if (status != cases[i].status || err.access != cases[i].access) {
            fail_msg("%s: %s (%s)", cases[i].answer, rf_status_name(status), err.message);
        }
        expect_no_row_data();
    }
    assert_int_equal(rf_mongo_script_applied(script), sizeof cases / sizeof *cases);
}

static void test_missing_rights_are_told_with_the_roles_that_are_missing(void **state)
{
    (void)state;
    const struct rf_test_setting more[] = {
        {"user", "cdc"}, {"password", "open sesame"}, {NULL, NULL}};
    setup_with(&(struct rf_mongo_script_options){.user = "cdc", .password = "open sesame"}, more);
    open_sink();
    rf_mongo_script_rule(
        script,
        &(struct rf_mongo_script_rule){
            .command = "update",
            .collection = "d.t",
            .act = RF_MONGO_SCRIPT_ANSWER,
            .json =
                "{\"ok\": 0, \"code\": 13, \"codeName\": \"Unauthorized\", \"errmsg\": \"x\"}"});
    create_rows(1, 1);
    expect_status(write_rest(), RF_CONFIG);
    assert_true(err.access);
    assert_non_null(strstr(err.hint, "db.grantRolesToUser(\"cdc\", [{role: \"readWrite\", db: "
                                     "\"rowferry\"}, {role: \"readWrite\", db: "));
}

/* --------------------------------------------------------------------------------- lost answers */

/* Whatever happens to an answer, and whether or not it was carried out: it is tried again, and the
 * end is right. */
static void test_lost_and_damaged_answers_are_no_answers(void **state)
{
    static const enum rf_mongo_script_act acts[] = {
        RF_MONGO_SCRIPT_CUT,     RF_MONGO_SCRIPT_LOSE,  RF_MONGO_SCRIPT_HALF,
        RF_MONGO_SCRIPT_GARBAGE, RF_MONGO_SCRIPT_LONG,  RF_MONGO_SCRIPT_SHORT,
        RF_MONGO_SCRIPT_DAMAGED, RF_MONGO_SCRIPT_OTHER,
    };
    static const struct {
        const char *command, *collection;
    } places[] = {{"update", "d.t"}, {"update", "rowferry.positions"}, {"find", NULL}};
    (void)state;
    const struct rf_test_setting more[] = {{"timeout", "300"}, {NULL, NULL}};
    setup_with(NULL, more);
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        for (size_t j = 0; j < 2 * (sizeof places / sizeof *places); j++) {
            char position[16];
            snprintf(position, sizeof position, "%zu", 10 * i + j + 1);
            reopen();
            rf_mongo_script_rule(
                script, &(struct rf_mongo_script_rule){.command = places[j / 2].command,
                                                       .collection = places[j / 2].collection,
                                                       .act = acts[i],
                                                       .executed = j % 2 == 1});
            create_rows((int)i, (int)i);
            enum rf_status status = write_rest();
            if (status == RF_OK) {
                status = rf_test_sink_flush(&sink, position, &err);
            }
            if (status != RF_RETRY) {
                fail_msg("act %d, place %zu: %s", acts[i], j, rf_status_name(status));
            }
            reopen();
            written--;
            expect_status(write_rest(), RF_OK);
            flush(position);
            expect_count("t", (int)i + 1);
        }
    }
}

static void test_an_open_that_is_cut_off_is_tried_again(void **state)
{
    static const char *const commands[] = {"find", "update", "aggregate", "ping", "hello"};
    (void)state;
    setup();
    flush("1");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        rule(commands[i], RF_MONGO_SCRIPT_CUT, NULL);
        reopen_fails(RF_RETRY);
        reopen();
        assert_true(rf_str_equal(sink.resume, RF_STR("1")));
    }
}

static void test_a_connection_that_broke_is_not_made_again_in_silence(void **state)
{
    (void)state;
    setup();
    create_rows(1, 1);
    expect_status(write_rest(), RF_OK);
    uint32_t connections = rf_mongo_script_connections(script);
    rf_mongo_script_cut(script);
    create_rows(2, 2);
    expect_status(write_rest(), RF_RETRY);
    expect_said("was lost");
    create_rows(3, 3);
    expect_status(write_rest(), RF_RETRY);
    assert_int_equal(rf_mongo_script_connections(script), connections);
    expect_count("t", 1);
}

/* --------------------------------------------------------------------------------- replica sets */

static void test_the_new_primary_is_found_when_the_old_one_goes(void **state)
{
    (void)state;
    char uri[32];
    struct rf_test_setting more[] = {{"replica_set", "rs0"}, {NULL, NULL}};
    setup_with(&(struct rf_mongo_script_options){.set_name = "rs0"}, more);
    struct rf_mongo_script *second = rf_mongo_script_create(
        &(struct rf_mongo_script_options){.set_name = "rs0", .with = script});
    snprintf(uri, sizeof uri, "%u", rf_mongo_script_port(second));
    open_sink();
    create_rows(1, 1);
    expect_status(write_rest(), RF_OK);
    flush("1");
    rf_mongo_script_elect(second);
    create_rows(2, 2);
    expect_status(write_rest(), RF_RETRY);
    assert_int_equal(err.code, 13435); /* NotPrimaryNoSecondaryOk */
    reopen();                          /* by the address of the first one */
    assert_true(rf_str_equal(sink.resume, RF_STR("1")));
    written--;
    expect_status(write_rest(), RF_OK);
    flush("2");
    assert_true(rf_mongo_script_count(second, "update") > 0);
    expect_count("t", 2);
    rf_test_sink_close(&sink);
    rf_mongo_script_destroy(second);
}

static void test_a_set_without_a_primary_is_waited_for(void **state)
{
    (void)state;
    const struct rf_test_setting more[] = {{"replica_set", "rs0"}, {NULL, NULL}};
    setup_with(&(struct rf_mongo_script_options){.set_name = "rs0"}, more);
    rf_mongo_script_step_down(script);
    reopen_fails(RF_RETRY);
    assert_true(err.connect);
    expect_said("no primary was found");
    rf_mongo_script_elect(script);
    reopen();
}

/* ---------------------------------------------------------------------------------------- fence */

static const char ours_and_another[] =
    "{'ok': 1, 'cursor': {'id': 0, 'ns': 'admin.$cmd.aggregate', 'firstBatch': ["
    "{'type': 'op', 'appName': 'x', 'connectionId': 7, 'active': true, 'opid': 4711,"
    " 'command': {'update': 't', 'comment': 'rowferry test'}},"
    "{'type': 'idleSession', 'appName': 'x', 'connectionId': 8, 'active': false}]}}";
static const char nobody[] = "{'ok': 1, 'cursor': {'id': 0, 'ns': 'x', 'firstBatch': []}}";

static void test_what_an_earlier_connection_is_at_is_ended_before_anything_is_written(void **state)
{
    (void)state;
    setup();
    flush("1");
    expect_command("aggregate", 1,
                   "\"$currentOp\" : { \"allUsers\" : false, \"idleConnections\" : "
                   "true }",
                   true);
    expect_command("aggregate", 1, "\"$match\" : { \"appName\" : \"rowferry test ", true);
    rule("aggregate", RF_MONGO_SCRIPT_ANSWER, ours_and_another);
    reopen_fails(RF_RETRY);
    expect_said("still has 2 earlier connections of this pipeline");
    assert_int_equal(rf_mongo_script_count(script, "killOp"), 1);
    expect_command("killOp", 1, "\"op\" : { \"$numberInt\" : \"4711\" }", true);
    rule("aggregate", RF_MONGO_SCRIPT_ANSWER, nobody);
    reopen();
}

static void test_a_server_that_tells_no_operations_is_written_to_all_the_same(void **state)
{
    (void)state;
    setup();
    rule("aggregate", RF_MONGO_SCRIPT_ANSWER, "{'ok': 0, 'code': 13, 'errmsg': 'not authorized'}");
    reopen();
    create_rows(1, 1);
    expect_status(write_rest(), RF_OK);
}

/* Whatever else it answers, as right after a fail-over, says nothing about who is still at work. */
static void test_an_answer_that_tells_nothing_of_operations_is_asked_for_again(void **state)
{
    static const char *const answers[] = {
        "{'ok': 0, 'code': 11602, 'errmsg': 'interrupted due to repl state change'}",
        "{'ok': 0, 'code': 262, 'errmsg': 'exceeded time limit'}",
        "{'ok': 0, 'code': 91, 'errmsg': 'the server is in quiesce mode'}",
        "{'ok': 0, 'code': 8000, 'errmsg': 'something new'}",
        "{'ok': 0, 'code': 9, 'errmsg': 'it does not take the command, which is no row'}",
        "{'ok': 0, 'code': 20, 'errmsg': 'not now'}",
        "{'ok': 1, 'cursor': 'none'}",
    };
    (void)state;
    setup();
    flush("1");
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        rule("aggregate", RF_MONGO_SCRIPT_ANSWER, answers[i]);
        reopen_fails(RF_RETRY);
    }
    rule("aggregate", RF_MONGO_SCRIPT_ANSWER,
         "{'ok': 0, 'code': 40324, 'errmsg': 'Unrecognized pipeline stage name'}");
    reopen();
}

/* --------------------------------------------------------------------------------------- owners */

static void test_nothing_is_written_once_another_has_taken_over(void **state)
{
    (void)state;
    setup();
    create_rows(1, 1);
    expect_status(write_rest(), RF_OK);
    flush("1");
    free(rf_mongo_script_ask(script, "rowferry",
                             "{\"update\": \"positions\", \"updates\": [{\"q\": {}, \"u\": "
                             "{\"$set\": {\"owner\": \"another\"}}}]}"));
    create_rows(2, 2);
    expect_status(write_rest(), RF_FATAL);
    expect_said("another process has taken over this pipeline");
    expect_count("t", 1);
    expect_status(rf_test_sink_flush(&sink, "2", &err), RF_FATAL);
    free(rf_mongo_script_ask(script, "rowferry", "{\"drop\": \"positions\"}"));
    expect_status(rf_test_sink_flush(&sink, "2", &err), RF_FATAL);
    expect_said("the position has vanished");
}

static void test_only_what_was_read_is_taken(void **state)
{
    (void)state;
    setup();
    flush("1");
    /* Somebody is faster between our reading and our taking. */
    rule("find", RF_MONGO_SCRIPT_ANSWER,
         "{'ok': 1, 'cursor': {'id': 0, 'ns': 'x', 'firstBatch': [{'position': '1', 'epoch': 1, "
         "'owner': 'of before'}]}}");
    reopen_fails(RF_RETRY);
    expect_said("in the same moment");
}

static void test_a_damaged_position_is_fatal(void **state)
{
    (void)state;
    setup();
    flush("1");
    free(rf_mongo_script_ask(script, "rowferry",
                             "{\"update\": \"positions\", \"updates\": [{\"q\": {}, \"u\": "
                             "{\"$set\": {\"position\": 5}}}]}"));
    reopen_fails(RF_FATAL);
    expect_said("is damaged");
}

/* ------------------------------------------------------------------------------------- truncate */

static void test_a_truncate_that_takes_long_goes_on_where_it_was(void **state)
{
    (void)state;
    setup();
    create_rows(1, 5);
    rf_test_truncate(&batch, "d", "t");
    rf_mongo_script_rule(
        script, &(struct rf_mongo_script_rule){
                    .command = "delete",
                    .times = 3,
                    .act = RF_MONGO_SCRIPT_ANSWER,
                    .json = "{\"ok\": 0, \"code\": 50, \"codeName\": \"MaxTimeMSExpired\", "
                            "\"errmsg\": \"operation exceeded time limit\"}"});
    expect_status(write_rest(), RF_OK);
    assert_int_equal(rf_mongo_script_count(script, "delete"), 4);
    expect_command("delete", 4, "\"maxTimeMS\"", true);
    expect_count("t", 0);
}

/* Others wait for the sink: what takes too long goes on after it was opened again. */
static void test_a_truncate_that_has_no_end_is_broken_off_and_goes_on(void **state)
{
    (void)state;
    setup_with(NULL, (const struct rf_test_setting[]){{"timeout", "250"}, {NULL, NULL}});
    open_sink();
    create_rows(1, 5);
    rf_test_truncate(&batch, "d", "t");
    rf_mongo_script_rule(
        script, &(struct rf_mongo_script_rule){
                    .command = "delete",
                    .times = UINT32_MAX,
                    .act = RF_MONGO_SCRIPT_ANSWER,
                    .json = "{\"ok\": 0, \"code\": 50, \"codeName\": \"MaxTimeMSExpired\", "
                            "\"errmsg\": \"operation exceeded time limit\"}"});
    expect_status(write_rest(), RF_RETRY);
    expect_said("is still at the TRUNCATE of d.t");
    assert_true(rf_mongo_script_count(script, "delete") > 1);
    expect_command("delete", 1, "\"maxTimeMS\" : { \"$numberLong\" : \"125\" }", true);
    rf_mongo_script_clear(script);
    reopen();
    written = batch.count - 1;
    expect_status(write_rest(), RF_OK);
    expect_count("t", 0);
}

/* A TRUNCATE may take long: another process may take over in the middle of it. */
static void test_a_truncate_ends_when_another_has_taken_over(void **state)
{
    (void)state;
    setup();
    create_rows(1, 5);
    expect_status(write_rest(), RF_OK);
    flush("1");
    rf_test_truncate(&batch, "d", "t");
    rf_mongo_script_rule(
        script, &(struct rf_mongo_script_rule){
                    .command = "delete",
                    .times = 1,
                    .act = RF_MONGO_SCRIPT_ANSWER,
                    .json = "{\"ok\": 0, \"code\": 50, \"codeName\": \"MaxTimeMSExpired\", "
                            "\"errmsg\": \"operation exceeded time limit\"}"});
    /* The look before the first step finds us, the next one does not. */
    rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){
                                     .command = "find",
                                     .collection = "rowferry.positions",
                                     .nth = 2,
                                     .times = 1,
                                     .act = RF_MONGO_SCRIPT_ANSWER,
                                     .json = "{\"ok\": 1, \"cursor\": {\"id\": 0, \"ns\": "
                                             "\"x\", \"firstBatch\": [{\"owner\": "
                                             "\"another\"}]}}"});
    expect_status(write_rest(), RF_FATAL);
    expect_said("another process has taken over this pipeline");
    assert_int_equal(rf_mongo_script_count(script, "delete"), 1);
}

int main(void)
{
#define test(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        test(test_a_command_holds_a_thousand_rows_and_asks_for_durability),
        test(test_rows_ask_for_the_concern_that_was_set_and_positions_for_a_majority),
        test(test_of_a_hot_row_only_the_last_state_is_sent),
        test(test_large_rows_go_in_several_commands),
        test(test_the_largest_document_is_taken),
        test(test_names_with_points_and_dollars_need_a_server_that_takes_them),
        test(test_deletes_go_before_all_else),
        test(test_the_row_that_was_refused_is_named_and_all_others_are_written),
        test(test_of_several_refused_rows_the_first_one_is_told),
        test(test_an_error_that_passes_is_no_fault_of_a_row),
        test(test_what_the_whole_command_is_refused_for_decides),
        test(test_missing_rights_are_told_with_the_roles_that_are_missing),
        test(test_lost_and_damaged_answers_are_no_answers),
        test(test_an_open_that_is_cut_off_is_tried_again),
        test(test_a_connection_that_broke_is_not_made_again_in_silence),
        test(test_the_new_primary_is_found_when_the_old_one_goes),
        test(test_a_set_without_a_primary_is_waited_for),
        test(test_what_an_earlier_connection_is_at_is_ended_before_anything_is_written),
        test(test_a_server_that_tells_no_operations_is_written_to_all_the_same),
        test(test_an_answer_that_tells_nothing_of_operations_is_asked_for_again),
        test(test_nothing_is_written_once_another_has_taken_over),
        test(test_only_what_was_read_is_taken),
        test(test_a_damaged_position_is_fatal),
        test(test_a_truncate_that_takes_long_goes_on_where_it_was),
        test(test_a_truncate_that_has_no_end_is_broken_off_and_goes_on),
        test(test_a_truncate_ends_when_another_has_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
