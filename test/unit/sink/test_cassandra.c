/* The sink `cassandra` against a real node. Each test has tables of its own in one keyspace, as
 * making and dropping them takes the node longer than anything else. */

#include <rowferry/log.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/cassandra_subject.h"
#include "lib/relay.h"
#include "lib/sink_subject.h"

extern const struct rf_sink_type rf_sink_cassandra;

enum { START_S = 1700000000 };

static uint32_t written; /* events of the batch */

/* A closed sink with these options beside the port: "table=...", one after the other, NULL. A
 * pipeline that nobody knows yet. */
static void setup(const char *name1, const char *value1, const char *name2, const char *value2,
                  const char *name3, const char *value3)
{
    const struct rf_test_setting given[] = {{"port", server.port}, {"path", "/unit"},
                                            {name1, value1},       {name2, value2},
                                            {name3, value3},       {NULL, NULL}};
    begin_sink(&rf_sink_cassandra, given, 16 << 20);
    written = 0;
    free(rf_test_cassandra_ask(&server, "TRUNCATE unit.rowferry_positions"));
    rf_test_begin(&batch, 1);
}

static void plain(void)
{
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
}

static void teardown(void)
{
    end_sink();
}

/* Everything in the batch that was not written yet. */
static enum rf_status write_rest(void)
{
    uint32_t first = written;
    written = batch.count;
    return write_some(first, UINT32_MAX);
}

/* The transaction ends, and another begins. */
static void next_transaction(uint64_t number)
{
    rf_test_commit(&batch);
    rf_test_begin(&batch, number);
}

/* ----------------------------------------------------------------------------------------- rows */

static void test_rows_become_rows_and_leave_with_their_rows(void **state)
{
    (void)state;
    plain();
    struct rf_table *table =
        rf_test_table("shop", "orders", "id:int! name:text price:decimal at:datetime");
    open_sink();
    rf_test_create(&batch, table, "1|anna|9.50|2024-02-29 12:00:00");
    rf_test_create(&batch, table, "2|NULL|0.00|NULL");
    rf_test_create(&batch, table, "3||1.00|2024-02-29 12:00:00");
    rf_test_update(&batch, table, "1|anna|9.50|2024-02-29 12:00:00", "1|NULL|10.00|NULL");
    rf_test_update(&batch, table, "3||1.00|2024-02-29 12:00:00", "4|x'\"y|1.00|NULL");
    rf_test_delete(&batch, table, "2|NULL|0.00|NULL");
    rf_test_create(&batch, table, "5|NULL|NULL|NULL");
    rf_test_ddl(&batch, "shop", "ALTER TABLE orders ADD z INT");
    expect_status(write_rest(), RF_OK);
    expect_answer("SELECT id, name, price, at FROM unit.orders WHERE id IN (1, 2, 3, 4, 5)",
                  "1 NULL 10.00 NULL\n4 x'\"y 1.00 NULL\n5 NULL NULL NULL");
    rf_table_release(table);
    teardown();
}

static void test_a_replay_ends_in_the_same_content(void **state)
{
    (void)state;
    for (int fold = 0; fold < 2; fold++) {
        setup("fold", fold ? "on" : "off", NULL, NULL, NULL, NULL);
        struct rf_table *table = rf_test_table("d", "replay", "id:int! a:text b:int");
        rf_test_create(&batch, table, "1|x|NULL");
        rf_test_update(&batch, table, "1|x|NULL", "2|NULL|5");
        rf_test_create(&batch, table, "1|y|7");
        rf_test_truncate(&batch, "d", "replay");
        rf_test_create(&batch, table, "2|z|NULL");
        rf_test_create(&batch, table, "3|NULL|NULL");
        rf_test_delete(&batch, table, "3|NULL|NULL");
        for (uint32_t from = 0; from <= batch.count; from++) {
            /* Killed behind any event, it gets all of them again. */
            open_sink();
            expect_status(write_some(0, from), RF_OK);
            reopen();
            expect_status(write_some(0, UINT32_MAX), RF_OK);
            expect_answer("SELECT id, a, b FROM unit.replay", "2 z NULL");
            rf_test_sink_close(&sink);
        }
        expect_answer("TRUNCATE unit.replay", "");
        rf_table_release(table);
        teardown();
    }
}

static void test_a_key_that_is_deleted_and_made_again_is_there(void **state)
{
    (void)state;
    for (int fold = 0; fold < 2; fold++) {
        setup("fold", fold ? "on" : "off", "adopt", "on", NULL, NULL);
        struct rf_table *table = rf_test_table("d", "again", "id:int! a:text b:int");
        open_sink();
        rf_test_create(&batch, table, "1|old|1");
        rf_test_delete(&batch, table, "1|old|1");
        rf_test_create(&batch, table, "1|new|NULL");
        rf_test_create(&batch, table, "2|old|2");
        rf_test_create(&batch, table, "3|old|3");
        rf_test_delete(&batch, table, "2|old|2");
        expect_status(write_rest(), RF_OK);
        /* And over what an earlier transaction has written. */
        next_transaction(2);
        rf_test_delete(&batch, table, "3|old|3");
        rf_test_create(&batch, table, "3|NULL|4");
        expect_status(write_rest(), RF_OK);
        expect_answer("SELECT id, a, b FROM unit.again WHERE id IN (1, 2, 3)",
                      "1 new NULL\n3 NULL 4");
        rf_table_release(table);
        teardown();
    }
}

static void test_keys_that_change_places_in_one_transaction_do_so(void **state)
{
    (void)state;
    plain();
    struct rf_table *table = rf_test_table("d", "places", "a:int! b:text! x:text");
    open_sink();
    rf_test_create(&batch, table, "1|k|one");
    rf_test_create(&batch, table, "2|k|two");
    rf_test_update(&batch, table, "1|k|one", "0|k|one");
    rf_test_update(&batch, table, "2|k|two", "1|k|two");
    rf_test_update(&batch, table, "0|k|one", "2|k|one");
    expect_status(write_rest(), RF_OK);
    expect_answer("SELECT a, b, x FROM unit.places WHERE a IN (0, 1, 2) AND b = 'k'",
                  "1 k two\n2 k one");
    expect_answer("SELECT column_name, kind FROM system_schema.columns WHERE keyspace_name = "
                  "'unit' AND table_name = 'places'",
                  "a partition_key\nb partition_key\nx regular");
    rf_table_release(table);
    teardown();
}

static void test_what_the_log_does_not_tell_stays_as_it_is(void **state)
{
    (void)state;
    plain();
    struct rf_table *table = rf_test_table("d", "untold", "id:int! a:text b:int");
    open_sink();
    rf_test_create(&batch, table, "1|x|1");
    rf_test_update(&batch, table, "1|x|?", "?|y|?");
    rf_test_update(&batch, table, "1|?|?", "?|?|NULL");
    expect_status(write_rest(), RF_OK);
    expect_answer("SELECT id, a, b FROM unit.untold", "1 y NULL");
    rf_test_update(&batch, table, "?|y|?", "?|z|?");
    expect_status(write_rest(), RF_REJECT);
    expect_said("does not tell column id");
    assert_ptr_equal(err.event, &batch.events[3]);
    rf_table_release(table);
    teardown();
}

static void test_null_leaves_no_tombstone_in_a_new_row_and_clears_an_older_one(void **state)
{
    (void)state;
    plain();
    struct rf_table *table = rf_test_table("d", "nulls", "id:int! a:text");
    open_sink();
    rf_test_create(&batch, table, "9|made");
    expect_status(write_rest(), RF_OK);
    /* Older than all that we write: a tombstone of ours would hide it. */
    tell("INSERT INTO unit.nulls (id, a) VALUES (1, 'stale') USING TIMESTAMP 1");
    tell("INSERT INTO unit.nulls (id, a) VALUES (2, 'stale') USING TIMESTAMP 1");
    rf_test_create(&batch, table, "1|NULL");
    rf_test_update(&batch, table, "2|x", "2|NULL");
    expect_status(write_rest(), RF_OK);
    expect_answer("SELECT id, a FROM unit.nulls WHERE id IN (1, 2)", "1 stale\n2 NULL");
    rf_table_release(table);
    teardown();
}

/* ---------------------------------------------------------------------------------------- types */

static void test_each_type_has_one_there_that_holds_all_of_it(void **state)
{
    (void)state;
    plain();
    struct rf_table *table = rf_test_table(
        "d", "types",
        "k:int! bi:bigint u:uint de:decimal do:double fl:float y:year da:date ti:time dt:datetime "
        "ts:timestamp c:char t:text b:bytes e:enum s:set j:json g:geometry");
    static const char *const expected =
        "b blob\nbi bigint\nc text\nda date\nde decimal\ndo double\ndt timestamp\ne text\nfl "
        "float\ng blob\nj text\nk int\ns text\nt text\nti duration\nts timestamp\nu varint\ny "
        "smallint";
    open_sink();
    rf_test_create(&batch, table,
                   "-2147483648|9223372036854775807|18446744073709551615|-0.10|1e300|1.5|2155|"
                   "9999-12-31|-3020399000000|1000-01-01 "
                   "00:00:00|2147483647000000|é|'\"|\xff|a|x,y|{\"a\":1}|g");
    expect_status(write_rest(), RF_OK);
    expect_answer("SELECT column_name, type FROM system_schema.columns WHERE keyspace_name = "
                  "'unit' AND table_name = 'types'",
                  expected);
    expect_answer("SELECT k, bi, u, de, do, fl, y, da FROM unit.types",
                  "-2147483648 9223372036854775807 18446744073709551615 -0.10 1e+300 1.5 2155 "
                  "9999-12-31");
    expect_answer("SELECT ti, dt, ts, c, t, b, e, s, j, g FROM unit.types",
                  "-0mo0d3020399000000000ns 1000-01-01 00:00:00.000 2038-01-19 03:14:07.000 é '\" "
                  "0xff a x,y {\"a\":1} 0x67");
    rf_table_release(table);
    teardown();
}

static void test_a_table_of_somebodys_own_types_is_written_where_they_hold_everything(void **state)
{
    (void)state;
    plain();
    tell("CREATE TABLE unit.own (\"Id\" bigint, day timestamp, at text, clock time, n decimal, v "
         "varint, f double, other int, PRIMARY KEY (\"Id\", day)) WITH CLUSTERING ORDER BY (day "
         "DESC)");
    struct rf_table *table = rf_test_table(
        "d", "own", "Id:int! day:date! at:datetime clock:time n:int v:bigint f:float");
    open_sink();
    rf_test_create(&batch, table, "7|2024-02-29|2024-02-29 12:00:00|86399000000|5|-6|1.5");
    rf_test_create(&batch, table, "8|2024-02-29|0000-00-00 00:00:00|0|NULL|NULL|NULL");
    expect_status(write_rest(), RF_OK);
    expect_answer("SELECT \"Id\", day, at, clock, n, v, f FROM unit.own WHERE \"Id\" IN (7, 8)",
                  "7 2024-02-29 00:00:00.000 2024-02-29 12:00:00 23:59:59.000000000 5 -6 1.5\n"
                  "8 2024-02-29 00:00:00.000 0000-00-00 00:00:00 00:00:00.000000000 NULL NULL "
                  "NULL");
    rf_table_release(table);
    teardown();
}

struct misfit {
    const char *there, *columns, *said;
};

static void test_a_table_that_does_not_fit_is_refused_by_name(void **state)
{
    (void)state;
    static const struct misfit cases[] = {
        {"id int PRIMARY KEY, a int", "id:int! a:bigint", "the column a of"},
        {"id int PRIMARY KEY, a blob", "id:int! a:text", "is blob there"},
        {"id int PRIMARY KEY, a timestamp", "id:int! a:time", "the column a of"},
        {"id int PRIMARY KEY, a list<text>", "id:int! a:text", "of a type that we do not write"},
        {"id int PRIMARY KEY, a int", "id:int! a:int!", "not part of the primary key"},
        {"id int, b int, a int, PRIMARY KEY (id, b)", "id:int! a:int",
         "part of the primary key there alone"},
        {"id int, b int, a int static, PRIMARY KEY (id, b)", "id:int! b:int! a:int", "is static"},
        {"id int PRIMARY KEY, a counter", "id:int! a:int", "the column a of"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char statement[256];
        plain();
        snprintf(statement, sizeof statement, "CREATE TABLE unit.misfit%zu (%s)", i,
                 cases[i].there);
        tell(statement);
        snprintf(statement, sizeof statement, "misfit%zu", i);
        struct rf_table *table = rf_test_table("d", statement, cases[i].columns);
        open_sink();
        rf_test_create(&batch, table, table->column_count == 2 ? "1|NULL" : "1|2|NULL");
        expect_status(write_rest(), RF_CONFIG);
        expect_said(cases[i].said);
        expect_said(statement);
        assert_int_not_equal(err.hint[0], 0);
        rf_table_release(table);
        teardown();
    }
}

static void test_a_value_that_cannot_be_said_is_refused_and_those_before_it_are_there(void **state)
{
    (void)state;
    plain();
    struct rf_table *table = rf_test_table("d", "unsaid", "id:int! day:date");
    open_sink();
    rf_test_create(&batch, table, "1|2024-02-29");
    rf_test_create(&batch, table, "2|0000-00-00");
    rf_test_create(&batch, table, "3|2024-02-29");
    expect_status(write_rest(), RF_REJECT);
    expect_said("column day of a row of d.unsaid is a date that there is not");
    assert_ptr_equal(err.event, &batch.events[1]);
    expect_answer("SELECT id FROM unit.unsaid WHERE id IN (1, 2)", "1");
    /* Without it, as after a dead letter, all goes on. */
    reopen();
    expect_status(write_some(0, 1), RF_OK);
    expect_status(write_some(2, 1), RF_OK);
    expect_answer("SELECT id FROM unit.unsaid WHERE id IN (1, 2, 3)", "1\n3");
    rf_table_release(table);
    teardown();
}

/* A row of one text of that many bytes. */
static void add_large(struct rf_table *table, int id, size_t size)
{
    struct rf_buf row = {0};
    rf_buf_printf(&row, "%d|", id);
    memset(rf_buf_reserve(&row, size), 'x', size);
    row.size += size;
    rf_test_create(&batch, table, rf_buf_cstr(&row));
    rf_buf_deinit(&row);
}

static void test_of_rows_that_the_node_refuses_the_first_is_told(void **state)
{
    (void)state;
    setup("fold", "off", NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "empty_keys", "k:text! a:int");
    open_sink();
    rf_test_create(&batch, table, "a|1");
    rf_test_create(&batch, table, "|2"); /* Cassandra has no empty key of one column */
    rf_test_create(&batch, table, "b|3");
    rf_test_update(&batch, table, "|4", "c|4");
    expect_status(write_rest(), RF_REJECT);
    expect_said("a row of d.empty_keys: Cassandra at");
    expect_said("Key may not be empty");
    assert_ptr_equal(err.event, &batch.events[1]);
    expect_answer("SELECT k FROM unit.empty_keys WHERE k IN ('a', 'b', 'c')", "a\nb\nc");
    rf_table_release(table);
    teardown();
}

static void test_a_row_that_is_larger_than_the_node_takes_is_refused(void **state)
{
    (void)state;
    setup("row_bytes_max", "2000", NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "large", "id:int! t:text");
    open_sink();
    add_large(table, 1, 1000);
    add_large(table, 2, 2000);
    expect_status(write_rest(), RF_REJECT);
    expect_said("no more than 2000 may be");
    assert_ptr_equal(err.event, &batch.events[1]);
    expect_answer("SELECT id FROM unit.large", "1");
    rf_table_release(table);
    teardown();
    /* A node of so small a heap takes three million bytes at once, whatever the version. */
    for (int version = 4; version <= 5; version++) {
        setup("protocol", version == 4 ? "4" : "5", "adopt", "on", NULL, NULL);
        table = rf_test_table("d", "larger", "id:int! t:text");
        open_sink();
        add_large(table, 3, 100);
        add_large(table, 4, 3 << 20);
        add_large(table, 5, 4 << 20);
        expect_status(write_rest(), RF_REJECT);
        expect_said("a row of d.larger has about");
        assert_ptr_equal(err.event, &batch.events[2]);
        expect_answer("SELECT id FROM unit.larger WHERE id IN (3, 4, 5)", "3\n4");
        rf_table_release(table);
        teardown();
    }
}

/* --------------------------------------------------------------------------------------- schema */

static void test_columns_that_the_source_gets_are_added(void **state)
{
    (void)state;
    plain();
    struct rf_table *before = rf_test_table("d", "grows", "id:int! a:text");
    struct rf_table *after = rf_test_table("d", "grows", "id:int! b:decimal c:text");
    open_sink();
    rf_test_create(&batch, before, "1|x");
    rf_test_ddl(&batch, "d", "ALTER TABLE grows DROP a, ADD b DECIMAL(10,2), ADD c TEXT");
    rf_test_create(&batch, after, "2|1.50|y");
    rf_test_update(&batch, after, "1|0.00|", "1|2.00|z");
    expect_status(write_rest(), RF_OK);
    expect_answer("SELECT id, a, b, c FROM unit.grows WHERE id IN (1, 2)",
                  "1 x 2.00 z\n2 NULL 1.50 y");
    /* A type that another one is too small for. */
    struct rf_table *wider = rf_test_table("d", "grows", "id:bigint! b:decimal c:text");
    rf_test_create(&batch, wider, "3|1.50|y");
    expect_status(write_rest(), RF_CONFIG);
    expect_said("the column id of");
    rf_table_release(before);
    rf_table_release(after);
    rf_table_release(wider);
    teardown();
}

static void test_names_are_taken_as_they_are(void **state)
{
    (void)state;
    plain();
    struct rf_table *table = rf_test_table(
        "d", "Select", "Key:int! the\"quote:text select:int Grüße:text ID:int id:int");
    open_sink();
    rf_test_create(&batch, table, "1|a|2|ä|3|4");
    expect_status(write_rest(), RF_OK);
    expect_answer("SELECT \"Key\", \"the\"\"quote\", \"select\", \"Grüße\", \"ID\", id FROM "
                  "unit.\"Select\"",
                  "1 a 2 ä 3 4");
    rf_table_release(table);
    teardown();
    static const char *const names[] = {"a-b", "größe", "rowferry_mine",
                                        "a123456789b123456789c123456789d123456789e12345678"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        plain();
        table = rf_test_table("d", names[i], "id:int!");
        open_sink();
        rf_test_create(&batch, table, "1");
        expect_status(write_rest(), RF_CONFIG);
        expect_said(names[i]);
        assert_non_null(strstr(err.hint, "table="));
        rf_table_release(table);
        teardown();
    }
}

static void test_tables_without_a_key_are_refused(void **state)
{
    (void)state;
    plain();
    struct rf_table *table = rf_test_table("d", "keyless", "id:int a:text");
    open_sink();
    rf_test_create(&batch, table, "1|x");
    expect_status(write_rest(), RF_CONFIG);
    expect_said("d.keyless has no primary key");
    rf_table_release(table);
    teardown();
}

static void test_two_tables_do_not_share_one(void **state)
{
    (void)state;
    plain();
    struct rf_table *a = rf_test_table("a", "shared", "id:int! x:text");
    struct rf_table *b = rf_test_table("b", "shared", "id:int! x:text");
    open_sink();
    rf_test_create(&batch, a, "1|x");
    rf_test_create(&batch, b, "1|y");
    expect_status(write_rest(), RF_CONFIG);
    expect_said("rows of b.shared would go to \"unit\".\"shared\", which a.shared fills already");
    teardown();
    setup("table", "{database}_{table}", NULL, NULL, NULL, NULL);
    open_sink();
    rf_test_create(&batch, a, "1|x");
    rf_test_create(&batch, b, "1|y");
    expect_status(write_rest(), RF_OK);
    expect_answer("SELECT x FROM unit.a_shared", "x");
    expect_answer("SELECT x FROM unit.b_shared", "y");
    rf_table_release(a);
    rf_table_release(b);
    teardown();
}

static void test_truncate_takes_the_rows_of_its_table_and_no_others(void **state)
{
    (void)state;
    plain();
    struct rf_table *goes = rf_test_table("d", "goes", "id:int! x:text");
    struct rf_table *stays = rf_test_table("d", "stays", "id:int! x:text");
    open_sink();
    rf_test_create(&batch, goes, "1|x");
    rf_test_create(&batch, stays, "1|x");
    next_transaction(2);
    expect_status(write_rest(), RF_OK);
    flush("1");
    /* A later process has not seen the table itself. */
    reopen();
    tell("CREATE TABLE unit.foreign (id int PRIMARY KEY)");
    tell("INSERT INTO unit.foreign (id) VALUES (1)");
    rf_test_truncate(&batch, "d", "foreign");
    rf_test_truncate(&batch, "d", "goes");
    rf_test_create(&batch, goes, "2|y");
    expect_status(write_rest(), RF_OK);
    expect_answer("SELECT id, x FROM unit.goes", "2 y");
    expect_answer("SELECT id, x FROM unit.stays", "1 x");
    expect_answer("SELECT id FROM unit.foreign", "1");
    rf_table_release(goes);
    rf_table_release(stays);
    teardown();
}

/* --------------------------------------------------------------------------------------- values */

static void test_rows_of_other_columns_are_made_by_templates(void **state)
{
    (void)state;
    setup("table", "latest", "values", "id=maxTimeStamp,stamp={ts},number={n}", NULL, NULL);
    struct rf_table *table = rf_test_table("pluto", "posts", "id:int! n:int title:text");
    open_sink();
    rf_test_create(&batch, table, "1|10|a");
    rf_test_create(&batch, table, "2|20|b");
    next_transaction(2);
    rf_test_delete(&batch, table, "2|20|b");
    rf_test_truncate(&batch, "pluto", "posts");
    expect_status(write_rest(), RF_OK);
    expect_answer("SELECT id, stamp, number FROM unit.latest",
                  "maxTimeStamp 2023-11-14 22:13:21.000000 20");
    rf_test_update(&batch, table, "1|10|a", "7|30|a");
    expect_status(write_rest(), RF_OK);
    expect_answer("SELECT id, stamp, number FROM unit.latest",
                  "maxTimeStamp 2023-11-14 22:13:22.000000 30");
    teardown();
    /* Into columns of other types, where the text is one of them. */
    tell("CREATE TABLE unit.typed (id int PRIMARY KEY, stamp timestamp, op ascii)");
    setup("table", "typed", "values", "op={op},stamp={title},id={id}", "key", "id");
    open_sink();
    rf_test_create(&batch, table, "1|10|2024-02-29 12:00");
    rf_test_create(&batch, table, "2|10|2024-02-29");
    rf_test_update(&batch, table, "2|10|2024-02-29", "3|10|2024-02-29");
    rf_test_create(&batch, table, "4|10|soon");
    expect_status(write_rest(), RF_REJECT);
    expect_said("what column stamp is to be for a row of pluto.posts is no timestamp");
    assert_ptr_equal(err.event, &batch.events[3]);
    expect_answer("SELECT id, op, stamp FROM unit.typed WHERE id IN (1, 2, 3, 4)",
                  "1 create 2024-02-29 12:00:00.000\n3 update 2024-02-29 00:00:00.000");
    rf_table_release(table);
    teardown();
}

static void test_options_that_make_no_sense_are_refused_before_anybody_is_asked(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *also, *said;
    } cases[] = {
        {"path", "/", NULL, "names no keyspace"},
        {"path", "/a-b", NULL, "'a-b' is not the name of a keyspace"},
        {"path", "/system_auth", NULL, "is Cassandra's own"},
        {"table", "{id}", NULL, "{database}, {table} and text only"},
        {"table", "{ts}", NULL, "{database}, {table} and text only"},
        {"values", "id", NULL, "is not NAME=TEMPLATE"},
        {"values", "id=1,id=2", NULL, "comes twice"},
        {"values", "id={", NULL, "{"},
        {"key", "id", NULL, "goes with values only"},
        {"key", "b", "a=1", "is none of values"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct rf_test_setting given[] = {{"port", "1"},
                                                {"path", "/unit"},
                                                {cases[i].name, cases[i].value},
                                                {cases[i].also ? "values" : NULL, cases[i].also},
                                                {NULL, NULL}};
        begin_sink(&rf_sink_cassandra, given, 1 << 20);
        expect_status(rf_test_sink_open(&sink, &err), RF_CONFIG);
        expect_said(cases[i].said);
        teardown();
    }
}

/* ------------------------------------------------------------------------------------- position */

static void test_the_position_comes_back_and_its_loss_is_noticed(void **state)
{
    (void)state;
    plain();
    struct rf_table *table = rf_test_table("d", "placed", "id:int! x:text");
    open_sink();
    assert_int_equal(sink.resume.size, 0);
    flush("0");
    rf_test_create(&batch, table, "1|x");
    next_transaction(2);
    expect_status(write_rest(), RF_OK);
    flush("1");
    reopen();
    assert_true(rf_str_equal(sink.resume, RF_STR("1")));
    /* Gone behind our back. */
    tell("TRUNCATE unit.rowferry_positions");
    rf_test_create(&batch, table, "2|y");
    expect_status(write_rest(), RF_FATAL);
    expect_said("the position has vanished from the keyspace unit");
    expect_answer("SELECT id FROM unit.placed", "1");
    reopen_fails(RF_FATAL);
    expect_said("it lost its data, or is another one");
    sink.adopt = true;
    open_sink();
    expect_status(write_some(0, UINT32_MAX), RF_OK);
    expect_answer("SELECT id FROM unit.placed WHERE id IN (1, 2)", "1\n2");
    rf_table_release(table);
    teardown();
}

static void test_a_table_that_somebody_dropped_is_not_quietly_made_again(void **state)
{
    (void)state;
    plain();
    struct rf_table *table = rf_test_table("d", "dropped", "id:int! x:text");
    open_sink();
    rf_test_create(&batch, table, "1|x");
    next_transaction(2);
    expect_status(write_rest(), RF_OK);
    flush("1");
    tell("DROP TABLE unit.dropped");
    rf_test_create(&batch, table, "2|y");
    expect_status(write_rest(), RF_RETRY);
    for (int i = 0; i < 2; i++) {
        reopen();
        expect_status(write_some(1, UINT32_MAX), RF_FATAL);
        expect_said("has vanished");
    }
    rf_table_release(table);
    teardown();
}

static void test_rows_of_others_are_taken_over_only_when_that_is_wished(void **state)
{
    (void)state;
    plain();
    tell("CREATE TABLE unit.foreign2 (id int PRIMARY KEY, x text)");
    tell("INSERT INTO unit.foreign2 (id, x) VALUES (1, 'theirs')");
    tell("INSERT INTO unit.foreign2 (id, x) VALUES (2, 'theirs')");
    struct rf_table *table = rf_test_table("d", "foreign2", "id:int! x:text");
    open_sink();
    rf_test_create(&batch, table, "1|NULL");
    expect_status(write_rest(), RF_CONFIG);
    expect_said("has rows, and this pipeline did not begin it");
    teardown();
    setup("adopt", "on", NULL, NULL, NULL, NULL);
    open_sink();
    /* The log is older than what is there, and is written over it all the same. */
    rf_test_create(&batch, table, "1|NULL");
    rf_test_delete(&batch, table, "2|x");
    expect_status(write_rest(), RF_OK);
    expect_answer("SELECT id, x FROM unit.foreign2", "1 NULL");
    reopen();
    expect_status(write_some(0, UINT32_MAX), RF_OK);
    rf_test_update(&batch, table, "1|NULL", "1|ours");
    expect_status(write_rest(), RF_OK);
    expect_answer("SELECT id, x FROM unit.foreign2", "1 ours");
    rf_table_release(table);
    teardown();
}

static void test_another_process_of_this_name_ends_the_older_one(void **state)
{
    (void)state;
    plain();
    struct rf_table *table = rf_test_table("d", "owned", "id:int! x:text");
    open_sink();
    rf_test_create(&batch, table, "1|x");
    expect_status(write_rest(), RF_OK);
    struct rf_test_sink second = {.type = &rf_sink_cassandra, .settings = settings, .epoch = 100};
    expect_status(rf_test_sink_open(&second, &err), RF_OK);
    expect_status(rf_test_sink_flush(&sink, "1", &err), RF_FATAL);
    expect_said("another process has taken over this pipeline");
    rf_test_truncate(&batch, "d", "owned");
    expect_status(write_rest(), RF_FATAL);
    expect_answer("SELECT id FROM unit.owned", "1");
    reopen_fails(RF_FATAL);
    expect_said("opened by a later start");
    rf_test_sink_deinit(&second);
    rf_table_release(table);
    teardown();
}

/* --------------------------------------------------------------------------------------- stamps */

/* Writes a row in a transaction of its own, committed so many seconds after the start. */
static void write_at(struct rf_table *table, uint64_t number, const char *row)
{
    rf_test_begin(&batch, number);
    rf_test_update(&batch, table, row, row);
    rf_test_commit(&batch);
    expect_status(write_rest(), RF_OK);
}

static void expect_time(const char *table, uint64_t expected)
{
    char statement[128], number[32];
    snprintf(statement, sizeof statement, "SELECT writetime(x) FROM unit.%s WHERE id = 1", table);
    snprintf(number, sizeof number, "%llu", (unsigned long long)expected);
    expect_answer(statement, number);
}

static void test_a_source_clock_that_steps_back_does_not_hide_what_comes_later(void **state)
{
    (void)state;
    const uint64_t second = 1000000, start = (uint64_t)START_S * second;
    plain();
    rf_test_commit(&batch);
    struct rf_table *table = rf_test_table("d", "clock", "id:int! x:text");
    open_sink();
    write_at(table, 500, "1|first");
    expect_time("clock", start + 500 * second);
    write_at(table, 100, "1|second");
    expect_answer("SELECT x FROM unit.clock", "second");
    expect_time("clock", start + 500 * second + 1);
    flush("1");
    /* The stamp is kept with the position, not with the process. */
    reopen();
    write_at(table, 102, "1|third");
    expect_answer("SELECT x FROM unit.clock", "third");
    expect_time("clock", start + 500 * second + 2);
    write_at(table, 900, "1|fourth");
    expect_time("clock", start + 900 * second);
    rf_table_release(table);
    teardown();
}

static void test_when_other_events_are_picked_all_that_comes_is_newer(void **state)
{
    (void)state;
    const uint64_t second = 1000000, start = (uint64_t)START_S * second;
    plain();
    rf_test_commit(&batch);
    struct rf_table *table = rf_test_table("d", "picked", "id:int! x:text");
    open_sink();
    write_at(table, 500, "1|first");
    flush("1");
    sink.picks = 7;
    for (int i = 0; i < 2; i++) {
        reopen(); /* killed before it flushed, it has the same stamps again */
        rf_test_begin(&batch, 501);
        rf_test_update(&batch, table, "1|second", "1|second");
        expect_status(write_rest(), RF_OK);
        expect_time("picked", start + 500 * second + RF_STAMP_GAP + 1);
    }
    rf_test_commit(&batch);
    /* So it is when an operator moves the position. */
    sink.ordered = true;
    reopen();
    sink.ordered = false;
    assert_int_equal(sink.resume.size, 0);
    write_at(table, 400, "1|older");
    expect_answer("SELECT x FROM unit.picked", "older");
    expect_time("picked", start + 500 * second + 2 * RF_STAMP_GAP + 1);
    rf_table_release(table);
    teardown();
}

/* --------------------------------------------------------------------------------------- injury */

/* Rows of this round over those of the last, and the position. */
static enum rf_status write_round(struct rf_table *table, unsigned round)
{
    char row[64], position[16];
    snprintf(position, sizeof position, "%u", round);
    if (written == batch.count) {
        for (int i = 0; i < 300; i++) {
            snprintf(row, sizeof row, "%d|round %u|%u", i, round, round);
            rf_test_update(&batch, table, row, row);
        }
        rf_test_commit(&batch);
    }
    enum rf_status status = write_some(written, UINT32_MAX);
    return status == RF_OK ? rf_test_sink_flush(&sink, position, &err) : status;
}

/* A real node, and a way to it on which what it is told, or what it says, is cut short or becomes
 * something else. Nothing of it counts as written, and the next connection writes it all. */
static void test_what_is_injured_on_the_way_is_lost_by_nobody(void **state)
{
    (void)state;
    static const struct {
        enum rf_test_injury injury;
        bool from_server;
        const char *protocol; /* only the later one has checksums */
    } cases[] = {
        {RF_INJURY_CUT, true, "4"},     {RF_INJURY_CUT, true, "5"},
        {RF_INJURY_CUT, false, "4"},    {RF_INJURY_CUT, false, "5"},
        {RF_INJURY_SILENCE, true, "4"}, {RF_INJURY_SILENCE, true, "5"},
        {RF_INJURY_GARBAGE, true, "4"}, {RF_INJURY_GARBAGE, true, "5"},
        {RF_INJURY_FLIP, true, "5"},    {RF_INJURY_FLIP, false, "5"},
    };
    static const uint64_t places[] = {0, 1, 8, 9, 100, 2700};
    struct rf_test_relay *relay = rf_test_relay_start((uint16_t)strtoul(server.port, NULL, 10));
    struct rf_table *table = rf_test_table("d", "injured", "id:int! x:text y:int");
    unsigned round = 0;
    char port[8];
    snprintf(port, sizeof port, "%u", rf_test_relay_port(relay));
    setup("port", port, "protocol", "auto", "timeout", "30s");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        settings[3].value = cases[i].protocol;
        for (size_t j = 0; j < sizeof places / sizeof *places; j++) {
            settings[4].value = "500ms"; /* damaged, an answer may say that more of it comes */
            reopen();
            round++;
            rf_test_relay_arm(relay, cases[i].injury, cases[i].from_server, places[j]);
            enum rf_status status = write_round(table, round);
            if (!rf_test_relay_disarm(relay) || status != RF_RETRY) {
                fail_msg("injury %d behind byte %d, version %s: %s, %s", cases[i].injury,
                         (int)places[j], cases[i].protocol, rf_status_name(status), err.message);
            }
            settings[4].value = "30s";
            reopen();
            expect_status(write_round(table, round), RF_OK);
            written = batch.count;
            char *answer =
                rf_test_cassandra_ask(&server, "SELECT count(*), min(y), max(y) FROM unit.injured");
            char expected[48];
            snprintf(expected, sizeof expected, "300 %u %u", round, round);
            assert_string_equal(answer, expected);
            free(answer);
            rf_test_begin(&batch, round + 1);
        }
    }
    teardown();
    rf_table_release(table);
    rf_test_relay_stop(relay);
}

int main(void)
{
    rf_log_set_level(RF_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_become_rows_and_leave_with_their_rows),
        cmocka_unit_test(test_a_replay_ends_in_the_same_content),
        cmocka_unit_test(test_a_key_that_is_deleted_and_made_again_is_there),
        cmocka_unit_test(test_keys_that_change_places_in_one_transaction_do_so),
        cmocka_unit_test(test_what_the_log_does_not_tell_stays_as_it_is),
        cmocka_unit_test(test_null_leaves_no_tombstone_in_a_new_row_and_clears_an_older_one),
        cmocka_unit_test(test_each_type_has_one_there_that_holds_all_of_it),
        cmocka_unit_test(test_a_table_of_somebodys_own_types_is_written_where_they_hold_everything),
        cmocka_unit_test(test_a_table_that_does_not_fit_is_refused_by_name),
        cmocka_unit_test(test_a_value_that_cannot_be_said_is_refused_and_those_before_it_are_there),
        cmocka_unit_test(test_of_rows_that_the_node_refuses_the_first_is_told),
        cmocka_unit_test(test_a_row_that_is_larger_than_the_node_takes_is_refused),
        cmocka_unit_test(test_columns_that_the_source_gets_are_added),
        cmocka_unit_test(test_names_are_taken_as_they_are),
        cmocka_unit_test(test_tables_without_a_key_are_refused),
        cmocka_unit_test(test_two_tables_do_not_share_one),
        cmocka_unit_test(test_truncate_takes_the_rows_of_its_table_and_no_others),
        cmocka_unit_test(test_rows_of_other_columns_are_made_by_templates),
        cmocka_unit_test(test_options_that_make_no_sense_are_refused_before_anybody_is_asked),
        cmocka_unit_test(test_the_position_comes_back_and_its_loss_is_noticed),
        cmocka_unit_test(test_a_table_that_somebody_dropped_is_not_quietly_made_again),
        cmocka_unit_test(test_rows_of_others_are_taken_over_only_when_that_is_wished),
        cmocka_unit_test(test_another_process_of_this_name_ends_the_older_one),
        cmocka_unit_test(test_a_source_clock_that_steps_back_does_not_hide_what_comes_later),
        cmocka_unit_test(test_when_other_events_are_picked_all_that_comes_is_newer),
        cmocka_unit_test(test_what_is_injured_on_the_way_is_lost_by_nobody),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
