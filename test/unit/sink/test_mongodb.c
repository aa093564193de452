/* The sink `mongodb` against a real server. */

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/mongo_server.h"
#include "lib/sink_subject.h"

extern const struct rf_sink_type rf_sink_mongodb;

static struct rf_test_mongo server;
static uint32_t written; /* events of the batch */

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

static uint32_t address_count; /* settings that tell where the server is */

/* A closed sink with these options beside those of the server, up to two. */
static void setup(const char *name1, const char *value1, const char *name2, const char *value2)
{
    struct rf_test_setting given[SETTINGS_MAX];
    address_count = rf_test_mongo_settings(&server, given, SETTINGS_MAX - 2);
    given[address_count] = (struct rf_test_setting){name1, value1};
    given[address_count + 1] = (struct rf_test_setting){name2, value2};
    given[address_count + (name1 != NULL) + (name2 != NULL)] = (struct rf_test_setting){0};
    begin_sink(&rf_sink_mongodb, given, 64 << 20);
    written = 0;
    rf_test_mongo_wipe(&server);
    rf_test_begin(&batch, 1);
}

/* The port of the settings, which nobody listens on. */
static void nobody_there(void)
{
    for (uint32_t i = 0; i < address_count; i++) {
        if (strcmp(settings[i].name, "port") == 0) {
            settings[i].value = "1";
        }
    }
}

/* Everything in the batch that was not written yet. */
static enum rf_status write_rest(void)
{
    uint32_t first = written;
    written = batch.count;
    return write_some(first, UINT32_MAX);
}

static void expect_content(const char *expected)
{
    struct rf_buf content = {0};
    rf_test_mongo_dump(&server, &content);
    assert_string_equal(rf_buf_cstr(&content), expected);
    rf_buf_deinit(&content);
}

/* A command of the test's own, and some words of its answer. */
static void tell(const char *database, const char *command, const char *words)
{
    char *answer = rf_test_mongo_ask(&server, database, command);
    if (strstr(answer, words) == NULL) {
        fail_msg("%s: %s", command, answer);
    }
    free(answer);
}

/* ----------------------------------------------------------------------------------------- rows */

static void test_rows_become_documents_and_leave_with_their_rows(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    struct rf_table *table =
        rf_test_table("shop", "orders", "id:int! name:text price:decimal at:datetime");
    open_sink();
    rf_test_create(&batch, table, "1|anna|9.50|2024-02-29 12:00:00");
    rf_test_create(&batch, table, "2|NULL|0.00|NULL");
    rf_test_create(&batch, table, "3||1.00|2024-02-29 12:00:00");
    rf_test_update(&batch, table, "1|anna|9.50|2024-02-29 12:00:00", "1|NULL|10.00|NULL");
    rf_test_update(&batch, table, "3||1.00|2024-02-29 12:00:00", "4|x|1.00|0000-00-00 00:00:00");
    rf_test_delete(&batch, table, "2|NULL|0.00|NULL");
    rf_test_ddl(&batch, "shop", "ALTER TABLE orders ADD z INT");
    expect_status(write_rest(), RF_OK);
    expect_content(
        "shop.orders { \"_id\" : { \"$numberInt\" : \"1\" }, \"id\" : { \"$numberInt\" : \"1\" }, "
        "\"name\" : null, \"price\" : { \"$numberDecimal\" : \"10.00\" }, \"at\" : null }\n"
        "shop.orders { \"_id\" : { \"$numberInt\" : \"4\" }, \"id\" : { \"$numberInt\" : \"4\" }, "
        "\"name\" : \"x\", \"price\" : { \"$numberDecimal\" : \"1.00\" }, \"at\" : "
        "\"0000-00-00T00:00:00\" }\n");
    rf_table_release(table);
    end_sink();
}

static void test_a_key_of_several_columns_is_a_document(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "b:text! x:int a:bigint!");
    open_sink();
    rf_test_create(&batch, table, "k|1|7");
    rf_test_create(&batch, table, "k|2|8");
    rf_test_update(&batch, table, "k|2|8", "l|3|8");
    rf_test_delete(&batch, table, "k|1|7");
    expect_status(write_rest(), RF_OK);
    expect_content("d.t { \"_id\" : { \"b\" : \"l\", \"a\" : { \"$numberLong\" : \"8\" } }, \"b\" "
                   ": \"l\", \"x\" : { \"$numberInt\" : \"3\" }, \"a\" : { \"$numberLong\" : "
                   "\"8\" } }\n");
    rf_table_release(table);
    end_sink();
}

static void test_a_key_that_is_called_id_is_one_field(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "x:int _id:text!");
    struct rf_table *other = rf_test_table("d", "u", "id:int! _id:text");
    open_sink();
    rf_test_create(&batch, table, "1|a");
    expect_status(write_rest(), RF_OK);
    expect_content("d.t { \"_id\" : \"a\", \"x\" : { \"$numberInt\" : \"1\" } }\n");
    rf_test_create(&batch, other, "1|a");
    expect_status(write_rest(), RF_CONFIG);
    expect_said("table d.u has a column _id that is not its primary key");
    rf_table_release(table);
    rf_table_release(other);
    end_sink();
}

static void test_a_replay_ends_in_the_same_content(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int! a:text b:int");
    open_sink();
    rf_test_create(&batch, table, "1|x|NULL");
    rf_test_update(&batch, table, "1|x|NULL", "2|NULL|5");
    rf_test_create(&batch, table, "1|y|7");
    rf_test_truncate(&batch, "d", "t");
    rf_test_create(&batch, table, "2|z|NULL");
    rf_test_create(&batch, table, "3|NULL|NULL");
    rf_test_delete(&batch, table, "3|NULL|NULL");
    for (uint32_t from = 0; from <= batch.count; from++) {
        struct rf_view again = rf_test_view(&batch, 0, from),
                       all = rf_test_view(&batch, 0, UINT32_MAX);
        expect_status(sink.type->write(sink.state, &again, &err), RF_OK);
        expect_status(sink.type->write(sink.state, &all, &err), RF_OK);
        expect_content("d.t { \"_id\" : { \"$numberInt\" : \"2\" }, \"id\" : { \"$numberInt\" : "
                       "\"2\" }, \"a\" : \"z\", \"b\" : null }\n");
    }
    rf_table_release(table);
    end_sink();
}

static void test_what_the_log_does_not_tell_comes_from_the_older_image(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int! a:text b:text");
    open_sink();
    rf_test_update(&batch, table, "1|x|?", "?|?|y");
    expect_status(write_rest(), RF_OK);
    expect_content("d.t { \"_id\" : { \"$numberInt\" : \"1\" }, \"id\" : { \"$numberInt\" : \"1\" "
                   "}, \"a\" : \"x\", \"b\" : \"y\" }\n");
    rf_test_update(&batch, table, "1|x|y", "1|z|y");
    rf_test_update(&batch, table, "1|?|y", "1|?|w");
    rf_test_update(&batch, table, "1|z|w", "1|late|w");
    expect_status(write_rest(), RF_REJECT);
    assert_ptr_equal(err.event, &batch.events[2]);
    expect_said("does not tell all columns of a row of d.t");
    /* All before it was applied. */
    expect_content("d.t { \"_id\" : { \"$numberInt\" : \"1\" }, \"id\" : { \"$numberInt\" : \"1\" "
                   "}, \"a\" : \"z\", \"b\" : \"y\" }\n");
    rf_table_release(table);
    end_sink();
}

/* ------------------------------------------------------------------------------------- truncate */

static void test_truncate_empties_the_collection_of_its_table_and_no_other(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    struct rf_table *t = rf_test_table("d", "t", "id:int!"),
                    *u = rf_test_table("d", "u", "id:int!");
    open_sink();
    tell("d", "{\"insert\": \"mine\", \"documents\": [{\"_id\": 1}]}", "\"ok\"");
    for (int i = 0; i < 2500; i++) {
        char row[16];
        snprintf(row, sizeof row, "%d", i);
        rf_test_create(&batch, t, row);
    }
    rf_test_create(&batch, u, "1");
    rf_test_truncate(&batch, "d", "t");
    rf_test_create(&batch, t, "7");
    rf_test_truncate(&batch, "d", "mine"); /* nothing there came from this pipeline */
    rf_test_truncate(&batch, "d", "never");
    expect_status(write_rest(), RF_OK);
    expect_content("d.mine { \"_id\" : { \"$numberInt\" : \"1\" } }\n"
                   "d.t { \"_id\" : { \"$numberInt\" : \"7\" }, \"id\" : { \"$numberInt\" : \"7\" "
                   "} }\n"
                   "d.u { \"_id\" : { \"$numberInt\" : \"1\" }, \"id\" : { \"$numberInt\" : \"1\" "
                   "} }\n");
    /* A later process knows it, too, before it sees a row. */
    reopen();
    rf_test_truncate(&batch, "d", "u");
    expect_status(write_rest(), RF_OK);
    tell("d", "{\"count\": \"u\"}", "\"n\" : { \"$numberInt\" : \"0\" }");
    rf_table_release(t);
    rf_table_release(u);
    end_sink();
}

/* ---------------------------------------------------------------------------------- collections */

static void test_templates_choose_database_and_collection(void **state)
{
    (void)state;
    setup("path", "/copy", "collection", "{database}_{table}");
    struct rf_table *table = rf_test_table("shop", "orders", "id:int!");
    open_sink();
    rf_test_create(&batch, table, "1");
    expect_status(write_rest(), RF_OK);
    expect_content("copy.shop_orders { \"_id\" : { \"$numberInt\" : \"1\" }, \"id\" : { "
                   "\"$numberInt\" : \"1\" } }\n");
    rf_table_release(table);
    end_sink();
}

static void test_two_tables_do_not_fill_one_collection(void **state)
{
    (void)state;
    setup("database", "all", "collection", "rows");
    struct rf_table *a = rf_test_table("d", "a", "id:int!"),
                    *b = rf_test_table("d", "b", "id:int!");
    open_sink();
    rf_test_create(&batch, a, "1");
    expect_status(write_rest(), RF_OK);
    rf_test_create(&batch, b, "1");
    expect_status(write_rest(), RF_CONFIG);
    expect_said("rows of d.b would go to all.rows, which another table fills already");
    /* And not in a later process, which sees the other one first. */
    reopen();
    rf_test_truncate(&batch, "d", "b");
    expect_status(write_rest(), RF_OK);
    tell("all", "{\"count\": \"rows\"}", "\"n\" : { \"$numberInt\" : \"1\" }");
    rf_test_create(&batch, b, "1");
    expect_status(write_rest(), RF_CONFIG);
    rf_table_release(a);
    rf_table_release(b);
    end_sink();
}

/* A document that somebody else put there. */
static void fill(const char *database, const char *collection)
{
    char command[128];
    snprintf(command, sizeof command, "{\"insert\": \"%s\", \"documents\": [{\"_id\": 77}]}",
             collection);
    tell(database, command, "\"ok\"");
}

static void test_a_collection_that_somebody_else_filled_is_refused_until_adopted(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int!");
    fill("d", "t");
    open_sink();
    rf_test_create(&batch, table, "1");
    expect_status(write_rest(), RF_CONFIG);
    expect_said("the collection d.t has documents, and none that this pipeline has written");
    rf_test_sink_close(&sink);
    sink.adopt = true;
    open_sink();
    written = 0;
    expect_status(write_rest(), RF_OK);
    sink.adopt = false;
    reopen();
    rf_test_create(&batch, table, "2");
    expect_status(write_rest(), RF_OK);
    tell("d", "{\"count\": \"t\"}", "\"n\" : { \"$numberInt\" : \"3\" }");
    rf_table_release(table);
    end_sink();
}

static void test_a_collection_of_another_pipeline_is_refused_by_its_name_until_adopted(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int!");
    tell("rowferry",
         "{\"insert\": \"tables\", \"documents\": [{\"_id\": {\"database\": \"d\", "
         "\"collection\": \"t\"}, \"pipeline\": \"other\", \"sink\": \"main\", \"database\": "
         "\"shop\", \"table\": \"orders\"}]}",
         "\"ok\"");
    open_sink();
    rf_test_create(&batch, table, "1");
    expect_status(write_rest(), RF_CONFIG);
    expect_said("would go to d.t, which another table fills already: shop.orders of pipeline "
                "other, sink main");
    /* Nor may a TRUNCATE of ours empty it. */
    fill("d", "t");
    reopen();
    rf_test_truncate(&batch, "d", "t");
    written = batch.count - 1;
    expect_status(write_rest(), RF_OK);
    tell("d", "{\"count\": \"t\"}", "\"n\" : { \"$numberInt\" : \"1\" }");
    rf_test_sink_close(&sink);
    sink.adopt = true;
    open_sink();
    rf_test_create(&batch, table, "2");
    expect_status(write_rest(), RF_OK);
    tell("rowferry", "{\"find\": \"tables\", \"filter\": {}}", "\"pipeline\" : \"test\"");
    rf_table_release(table);
    end_sink();
}

static void test_records_of_earlier_versions_are_understood(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int!");
    tell("rowferry",
         "{\"insert\": \"tables\", \"documents\": [{\"_id\": {\"pipeline\": \"test\", \"sink\": "
         "\"mongodb\", \"database\": \"d\", \"collection\": \"t\"}, \"database\": \"d\", "
         "\"table\": \"t\"}]}",
         "\"ok\"");
    fill("d", "t");
    open_sink();
    tell("rowferry", "{\"count\": \"tables\"}", "\"n\" : { \"$numberInt\" : \"2\" }");
    rf_test_truncate(&batch, "d", "t");
    rf_test_create(&batch, table, "1");
    expect_status(write_rest(), RF_OK);
    tell("d", "{\"count\": \"t\"}", "\"n\" : { \"$numberInt\" : \"1\" }");
    rf_table_release(table);
    end_sink();
}

/* A record of ours of an earlier version, and one of today of somebody who adopted the collection:
 * no reason to stop as long as no row goes there. */
static void test_a_record_of_before_does_not_outweigh_one_of_today(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int!");
    tell("rowferry",
         "{\"insert\": \"tables\", \"documents\": ["
         "{\"_id\": {\"pipeline\": \"test\", \"sink\": \"mongodb\", \"database\": \"d\", "
         "\"collection\": \"t\"}, \"database\": \"d\", \"table\": \"t\"}, "
         "{\"_id\": {\"database\": \"d\", \"collection\": \"t\"}, \"pipeline\": \"other\", "
         "\"sink\": \"main\", \"database\": \"d\", \"table\": \"t\"}]}",
         "\"ok\"");
    fill("d", "t");
    open_sink();
    rf_test_truncate(&batch, "d", "t");
    expect_status(write_rest(), RF_OK);
    tell("d", "{\"count\": \"t\"}", "\"n\" : { \"$numberInt\" : \"1\" }");
    rf_test_create(&batch, table, "1");
    expect_status(write_rest(), RF_CONFIG);
    expect_said("another table fills already: d.t of pipeline other, sink main");
    rf_test_sink_close(&sink);
    sink.adopt = true;
    open_sink();
    rf_test_create(&batch, table, "2");
    expect_status(write_rest(), RF_OK);
    rf_table_release(table);
    end_sink();
}

static void test_a_truncate_spares_what_another_has_adopted_meanwhile(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int!");
    open_sink();
    rf_test_create(&batch, table, "1");
    expect_status(write_rest(), RF_OK);
    tell("rowferry",
         "{\"update\": \"tables\", \"updates\": [{\"q\": {}, \"u\": {\"$set\": {\"pipeline\": "
         "\"other\"}}}]}",
         "\"n\" : { \"$numberInt\" : \"1\" }");
    rf_test_truncate(&batch, "d", "t");
    expect_status(write_rest(), RF_CONFIG);
    expect_said("a TRUNCATE of d.t would empty d.t, which another table fills already: d.t of "
                "pipeline other");
    tell("rowferry", "{\"drop\": \"tables\"}", "\"ok\"");
    rf_test_truncate(&batch, "d", "t");
    expect_status(write_rest(), RF_CONFIG);
    expect_said("which is not recorded as its own any more");
    tell("d", "{\"count\": \"t\"}", "\"n\" : { \"$numberInt\" : \"1\" }");
    rf_table_release(table);
    end_sink();
}

static void test_our_own_and_the_servers_databases_are_refused(void **state)
{
    static const char *const names[] = {"rowferry", "admin", "local", "config", "a b", "a$b"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        setup(NULL, NULL, NULL, NULL);
        struct rf_table *table = rf_test_table(names[i], "t", "id:int!");
        open_sink();
        rf_test_create(&batch, table, "1");
        expect_status(write_rest(), RF_CONFIG);
        expect_said("cannot go to '");
        rf_table_release(table);
        end_sink();
    }
}

static void test_bad_options_are_found_before_anybody_is_asked(void **state)
{
    static const struct {
        struct rf_test_setting first, second;
        const char *said;
    } cases[] = {
        {{"database", "{id}"}, {NULL, NULL}, "can be made of {database}, {table} and text only"},
        {{"collection", "{op}"}, {NULL, NULL}, "can be made of {database}, {table} and text only"},
        {{"collection", "{"}, {NULL, NULL}, "without its '}'"},
        {{"database", "x"}, {"path", "/y"}, "leave one of them out"},
        {{"w", "0"}, {NULL, NULL}, "a write must be confirmed"},
        {{"w", ""}, {NULL, NULL}, "a write must be confirmed"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setup(cases[i].first.name, cases[i].first.value, cases[i].second.name,
              cases[i].second.value);
        nobody_there();
        expect_status(rf_test_sink_open(&sink, &err), RF_CONFIG);
        if (strstr(err.message, cases[i].said) == NULL && strstr(err.hint, cases[i].said) == NULL) {
            fail_msg("%s (%s)", err.message, err.hint);
        }
        end_sink();
    }
}

static void test_a_table_without_a_key_is_named(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "log", "a:int");
    open_sink();
    rf_test_create(&batch, table, "1");
    expect_status(write_rest(), RF_CONFIG);
    expect_said("table d.log has no primary key");
    assert_non_null(strstr(err.hint, "tables=...,-d.log"));
    rf_table_release(table);
    end_sink();
}

static void test_a_table_of_another_shape_is_written_by_its_new_one(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    struct rf_table *old = rf_test_table("d", "t", "id:int! a:text"),
                    *new = rf_test_table("d", "t", "id:bigint! b:int");
    open_sink();
    rf_test_create(&batch, old, "1|x");
    rf_test_create(&batch, old, "2|y");
    rf_test_update(&batch, new, "1|NULL", "1|5");
    expect_status(write_rest(), RF_OK);
    tell("d", "{\"find\": \"t\", \"filter\": {\"_id\": 1}}", "\"b\" : { \"$numberInt\" : \"5\" }");
    tell("d", "{\"find\": \"t\", \"filter\": {\"_id\": 2}}", "\"a\" : \"y\"");
    tell("d", "{\"count\": \"t\"}", "\"n\" : { \"$numberInt\" : \"2\" }");
    rf_table_release(old);
    rf_table_release(new);
    end_sink();
}

/* ----------------------------------------------------------------------------------------- size */

static void test_a_row_that_is_too_large_is_named_and_those_before_it_stay(void **state)
{
    enum { LARGE = 16 * 1024 * 1024, FITTING = 15 * 1024 * 1024 };
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int! a:text");
    char *row = malloc(LARGE + 16);
    open_sink();
    memset(row, 'x', LARGE + 8);
    memcpy(row, "2|", 2);
    row[FITTING] = '\0';
    rf_test_create(&batch, table, "1|small");
    rf_test_create(&batch, table, row);
    expect_status(write_rest(), RF_OK);
    tell("d", "{\"count\": \"t\"}", "\"n\" : { \"$numberInt\" : \"2\" }");
    row[FITTING] = 'x';
    row[LARGE + 2] = '\0';
    row[0] = '4';
    rf_test_create(&batch, table, "3|small");
    rf_test_create(&batch, table, row);
    rf_test_create(&batch, table, "5|small");
    expect_status(write_rest(), RF_REJECT);
    assert_ptr_equal(err.event, &batch.events[3]);
    expect_said("a row of d.t is a document of more than 16777216 bytes");
    tell("d", "{\"count\": \"t\"}", "\"n\" : { \"$numberInt\" : \"3\" }");
    free(row);
    rf_table_release(table);
    end_sink();
}

/* ------------------------------------------------------------------------------------- position */

static void test_the_position_lies_beside_the_rows_and_wins(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    open_sink();
    assert_int_equal(sink.resume.size, 0);
    flush("41");
    tell("rowferry", "{\"find\": \"positions\", \"filter\": {}}", "\"position\" : \"41\"");
    tell("rowferry", "{\"find\": \"positions\", \"filter\": {}}",
         "\"_id\" : { \"pipeline\" : \"test\", \"sink\" : \"mongodb\" }");
    rf_test_sink_close(&sink);
    rf_buf_set(&sink.position, RF_STR("40"));
    open_sink();
    assert_true(rf_str_equal(sink.resume, RF_STR("41")));
    end_sink();
}

static void test_a_position_that_has_gone_is_fatal_until_adopted(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    open_sink();
    flush("41");
    rf_test_mongo_wipe(&server);
    expect_status(rf_test_sink_flush(&sink, "42", &err), RF_FATAL);
    expect_said("the position has vanished");
    reopen_fails(RF_FATAL);
    expect_said("it lost its data, or is another one");
    sink.adopt = true;
    reopen();
    assert_int_equal(sink.resume.size, 0);
    flush("43");
    sink.adopt = false;
    reopen();
    end_sink();
}

static void test_an_older_start_is_refused_until_adopted(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    sink.epoch = 7;
    open_sink();
    flush("41");
    rf_test_sink_close(&sink);
    sink.epoch = 3;
    expect_status(rf_test_sink_open(&sink, &err), RF_FATAL);
    expect_said("(epoch 8, this is 4)");
    sink.adopt = true;
    open_sink();
    assert_true(rf_str_equal(sink.resume, RF_STR("41")));
    end_sink();
}

static void test_an_order_makes_the_position_void(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    open_sink();
    flush("41");
    rf_test_sink_close(&sink);
    rf_buf_set(&sink.position, RF_STR("12"));
    sink.ordered = true;
    open_sink();
    assert_int_equal(sink.resume.size, 0);
    flush("12");
    sink.ordered = false;
    reopen();
    assert_true(rf_str_equal(sink.resume, RF_STR("12")));
    end_sink();
}

static void test_nobody_there_is_an_error_of_the_connection(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL);
    nobody_there();
    expect_status(rf_test_sink_open(&sink, &err), RF_RETRY);
    assert_true(err.connect);
    expect_said("could not connect to MongoDB at ");
    expect_said(":1: Connection refused");
    end_sink();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_become_documents_and_leave_with_their_rows),
        cmocka_unit_test(test_a_key_of_several_columns_is_a_document),
        cmocka_unit_test(test_a_key_that_is_called_id_is_one_field),
        cmocka_unit_test(test_a_replay_ends_in_the_same_content),
        cmocka_unit_test(test_what_the_log_does_not_tell_comes_from_the_older_image),
        cmocka_unit_test(test_truncate_empties_the_collection_of_its_table_and_no_other),
        cmocka_unit_test(test_templates_choose_database_and_collection),
        cmocka_unit_test(test_two_tables_do_not_fill_one_collection),
        cmocka_unit_test(test_a_collection_that_somebody_else_filled_is_refused_until_adopted),
        cmocka_unit_test(
            test_a_collection_of_another_pipeline_is_refused_by_its_name_until_adopted),
        cmocka_unit_test(test_records_of_earlier_versions_are_understood),
        cmocka_unit_test(test_a_record_of_before_does_not_outweigh_one_of_today),
        cmocka_unit_test(test_a_truncate_spares_what_another_has_adopted_meanwhile),
        cmocka_unit_test(test_our_own_and_the_servers_databases_are_refused),
        cmocka_unit_test(test_bad_options_are_found_before_anybody_is_asked),
        cmocka_unit_test(test_a_table_without_a_key_is_named),
        cmocka_unit_test(test_a_table_of_another_shape_is_written_by_its_new_one),
        cmocka_unit_test(test_a_row_that_is_too_large_is_named_and_those_before_it_stay),
        cmocka_unit_test(test_the_position_lies_beside_the_rows_and_wins),
        cmocka_unit_test(test_a_position_that_has_gone_is_fatal_until_adopted),
        cmocka_unit_test(test_an_older_start_is_refused_until_adopted),
        cmocka_unit_test(test_an_order_makes_the_position_void),
        cmocka_unit_test(test_nobody_there_is_an_error_of_the_connection),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
