/* The sink `redis` against a real server. */

#include <rowferry/log.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/redis_subject.h"
#include "lib/sink_subject.h"

extern const struct rf_sink_type rf_sink_redis;

static uint32_t written; /* events of the batch */

/* A closed sink with these options beside the port: "key=...", "as=..." one after the other,
 * NULL. */
static void setup(const char *name1, const char *value1, const char *name2, const char *value2,
                  const char *name3, const char *value3)
{
    const struct rf_test_setting given[] = {
        {"port", server.port}, {name1, value1}, {name2, value2}, {name3, value3}, {NULL, NULL}};
    begin_sink(&rf_sink_redis, given, 16 << 20);
    written = 0;
    tell("FLUSHALL");
    rf_test_begin(&batch, 1);
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

static void test_rows_become_hashes_and_leave_with_their_rows(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    struct rf_table *table =
        rf_test_table("shop", "orders", "id:int! name:text price:decimal at:datetime");
    open_sink();
    rf_test_create(&batch, table, "1|anna|9.50|2024-02-29 12:00:00");
    rf_test_create(&batch, table, "2|NULL|0.00|NULL");
    rf_test_create(&batch, table, "3||1.00|2024-02-29 12:00:00");
    rf_test_update(&batch, table, "1|anna|9.50|2024-02-29 12:00:00", "1|NULL|10.00|NULL");
    rf_test_update(&batch, table, "3||1.00|2024-02-29 12:00:00", "4|x\r\n$y|1.00|NULL");
    rf_test_delete(&batch, table, "2|NULL|0.00|NULL");
    rf_test_ddl(&batch, "shop", "ALTER TABLE orders ADD z INT");
    expect_status(write_rest(), RF_OK);
    expect_content("shop:orders:1 hash id=1 price=10.00\n"
                   "shop:orders:4 hash id=4 name=x\r\n$y price=1.00\n");
    rf_table_release(table);
    teardown();
}

static void test_a_replay_ends_in_the_same_content(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
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
        expect_content("d:t:2 hash a=z id=2\n");
    }
    rf_table_release(table);
    teardown();
}

static void test_strings_come_from_their_template(void **state)
{
    (void)state;
    setup("as", "string", "key", "LastInsertDate", "value", "{stamp}");
    struct rf_table *table = rf_test_table("shop", "orders", "id:int! stamp:datetime");
    open_sink();
    rf_test_create(&batch, table, "1|2024-02-29 12:00:00");
    rf_test_create(&batch, table, "2|2024-03-01 12:00:00");
    expect_status(write_rest(), RF_OK);
    expect_content("LastInsertDate string 2024-03-01 12:00:00\n");
    rf_test_delete(&batch, table, "2|2024-03-01 12:00:00");
    rf_test_truncate(&batch, "shop", "orders");
    rf_test_update(&batch, table, "1|2024-02-29 12:00:00", "9|2024-03-02 00:00:00");
    expect_status(write_rest(), RF_OK);
    expect_content("LastInsertDate string 2024-03-02 00:00:00\n");
    rf_table_release(table);
    teardown();
}

static void test_a_key_of_more_than_the_primary_key_moves_with_its_columns(void **state)
{
    (void)state;
    setup("key", "o:{id}:{city}", NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("shop", "orders", "id:int! city:text x:int");
    open_sink();
    rf_test_create(&batch, table, "1|Bern|5");
    rf_test_update(&batch, table, "1|Bern|5", "1|Rome|5");
    /* MINIMAL: only what changed is told, and the key. */
    rf_test_update(&batch, table, "1|Rome|?", "?|?|6");
    expect_status(write_rest(), RF_OK);
    expect_content("o:1:Rome hash city=Rome id=1 x=6\n");
    rf_test_update(&batch, table, "1|?|?", "?|Oslo|?");
    expect_status(write_rest(), RF_REJECT);
    assert_ptr_equal(err.event, &batch.events[3]);
    expect_content("o:1:Rome hash city=Rome id=1 x=6\n");
    rf_table_release(table);
    teardown();
}

static void test_truncate_takes_the_keys_of_its_table_and_no_others(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    struct rf_table *b = rf_test_table("a", "b", "id:int! x:text");
    struct rf_table *b_c = rf_test_table("a", "b:c", "id:int! x:text");
    struct rf_table *star = rf_test_table("a", "b*", "id:text! x:text");
    open_sink();
    for (int i = 0; i < 3000; i++) {
        char row[32];
        snprintf(row, sizeof row, "%d|x", i);
        rf_test_create(&batch, b, row);
    }
    rf_test_create(&batch, b_c, "1|keep");
    rf_test_create(&batch, star, "1|keep");
    rf_test_create(&batch, star, "c:1|keep");
    expect_status(write_rest(), RF_OK);
    tell("SET a:b:by_date mine");
    tell("SET a:b:01 mine");
    tell("SET other mine");
    flush("1");
    /* Another process knows as much. */
    reopen();
    rf_test_truncate(&batch, "a", "b");
    rf_test_truncate(&batch, "a", "never_seen");
    rf_test_create(&batch, b, "7|new");
    expect_status(write_rest(), RF_OK);
    expect_content("a:b*:1 hash id=1 x=keep\n"
                   "a:b*:c:1 hash id=c:1 x=keep\n"
                   "a:b:01 string mine\n"
                   "a:b:7 hash id=7 x=new\n"
                   "a:b:by_date string mine\n"
                   "a:b\\:c:1 hash id=1 x=keep\n"
                   "other string mine\n");
    rf_table_release(b);
    rf_table_release(b_c);
    rf_table_release(star);
    teardown();
}

/* An earlier version has written rows of two tables under such keys. */
static void test_truncate_of_keys_that_tables_share_is_refused(void **state)
{
    (void)state;
    setup("key", "c:{id}", NULL, NULL, NULL, NULL);
    struct rf_table *one = rf_test_table("d", "one", "id:int! x:text");
    open_sink();
    rf_test_create(&batch, one, "1|x");
    rf_test_truncate(&batch, "d", "two");
    rf_test_truncate(&batch, "d", "one");
    rf_test_create(&batch, one, "1|x");
    expect_status(write_rest(), RF_OK);
    expect_content("c:1 hash id=1 x=x\n");
    rf_test_sink_close(&sink);
    expect_answer("EVAL return(redis.call('HSET','rowferry:position:test:redis','table:d:two',"
                  "'whole'..string.char(32)..'c:{i}')) 0",
                  "1");
    open_sink();
    struct rf_event *event = rf_test_truncate(&batch, "d", "one");
    expect_status(write_rest(), RF_REJECT);
    assert_ptr_equal(err.event, event);
    expect_said("d:two");
    expect_content("c:1 hash id=1 x=x\n");
    rf_table_release(one);
    teardown();
}

static void test_new_rows_have_no_fields_of_what_was_under_their_key(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    struct rf_table *old = rf_test_table("d", "t", "id:int! x:int y:int");
    struct rf_table *new = rf_test_table("d", "t", "id:int! q:int");
    open_sink();
    rf_test_create(&batch, old, "1|10|11");
    rf_test_create(&batch, old, "2|20|21");
    rf_test_create(&batch, old, "3|30|31");
    rf_test_ddl(&batch, "d", "DROP TABLE t");
    rf_test_ddl(&batch, "d", "CREATE TABLE t (id INT PRIMARY KEY, q INT)");
    rf_test_create(&batch, new, "1|5");
    rf_test_create(&batch, new, "4|6");
    rf_test_create(&batch, new, "3|NULL")->op = RF_READ;
    rf_test_update(&batch, new, "4|6", "2|NULL");
    expect_status(write_rest(), RF_OK);
    expect_content("d:t:1 hash id=1 q=5\nd:t:2 hash id=2\nd:t:3 hash id=3\n");
    /* The same key again, in what goes out at once. */
    rf_test_create(&batch, new, "7|1");
    rf_test_create(&batch, new, "7|NULL");
    rf_test_create(&batch, new, "8|1");
    rf_test_create(&batch, new, "7|2");
    rf_test_create(&batch, new, "7|NULL");
    expect_status(write_rest(), RF_OK);
    expect_answer("HGETALL d:t:7", "id 7");
    expect_answer("HGETALL d:t:8", "id 8 q 1");
    rf_table_release(old);
    rf_table_release(new);
    teardown();
}

/* Many at once, of sizes that end a run in many places, over keys that all hold something. */
static void test_new_rows_replace_what_is_there_in_runs_of_any_size(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    struct rf_table *old = rf_test_table("d", "t", "id:int! gone:text");
    struct rf_table *other = rf_test_table("d", "other", "id:int! gone:text");
    struct rf_table *new = rf_test_table("d", "t", "id:int! x:text");
    enum { ROWS = 3000, LONG = 5000 };
    char row[LONG + 32], command[64], expected[LONG + 32];
    open_sink();
    for (int i = 0; i < ROWS; i++) {
        snprintf(row, sizeof row, "%d|old", i);
        rf_test_create(&batch, old, row);
    }
    for (int i = 0; i < ROWS; i++) {
        snprintf(row, sizeof row, "%d|%0*d", i, i * 7 % (i % 400 < 40 ? LONG : 90) + 1, 5);
        rf_test_create(&batch, new, row);
        if (i % 211 == 0) {
            rf_test_create(&batch, other, row);
        }
    }
    expect_status(write_rest(), RF_OK);
    for (int i = 0; i < ROWS; i++) {
        snprintf(command, sizeof command, "HLEN d:t:%d", i);
        expect_answer(command, "2");
        snprintf(command, sizeof command, "HGET d:t:%d x", i);
        snprintf(expected, sizeof expected, "%0*d", i * 7 % (i % 400 < 40 ? LONG : 90) + 1, 5);
        expect_answer(command, expected);
    }
    rf_table_release(old);
    rf_table_release(other);
    rf_table_release(new);
    teardown();
}

/* A row within a run that is refused: those in front of it are there, and it is as it was. */
static void test_a_refused_row_leaves_what_is_under_its_key(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int! x:text");
    open_sink();
    rf_test_create(&batch, table, "2|there");
    rf_test_create(&batch, table, "1|x");
    struct rf_event *bad = rf_test_create(&batch, table, "2|x");
    struct rf_value values[] = {bad->after[0], {.kind = RF_BYTES, .size = (512u << 20) + 1}};
    values[1].text = "";
    bad->after = values;
    rf_test_create(&batch, table, "3|x");
    expect_status(write_rest(), RF_REJECT);
    assert_ptr_equal(err.event, &batch.events[2]);
    expect_content("d:t:1 hash id=1 x=x\nd:t:2 hash id=2 x=there\n");
    rf_table_release(table);
    teardown();
}

static void test_tables_that_would_share_keys_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *key, *database, *second, *columns; /* beside r.a (id:int! x:text) */
        bool refused;
    } cases[] = {
        {"c:{id}", "r", "b", "id:int! x:text", true},
        {"c:{id}", "r", "b", "id:text! x:text", true},
        {"c:{id}", "r", "b", "id:int x:int!", true}, /* b folds, and would overwrite a's rows */
        {"{table}:{key}", "s", "a", "id:int! x:text", true},
        {"{table}:{key}", "r", "b", "id:int! x:text", false},
        {"{database}:{table}:{key}", "s", "a", "id:int! x:text", false},
        {"c:{id}:{table}", "r", "b", "id:int! x:text", false},
        {"c:{id}:{table}", "s", "a", "id:int! x:text", true},
        {"last", "r", "b", "id:int! x:text", false},
        {"last:{x}", "r", "b", "id:int! x:text", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setup("key", cases[i].key, NULL, NULL, NULL, NULL);
        struct rf_table *a = rf_test_table("r", "a", "id:int! x:text");
        struct rf_table *b = rf_test_table(cases[i].database, cases[i].second, cases[i].columns);
        char names[2][32] = {"r:a", ""};
        snprintf(names[1], sizeof names[1], "%s:%s", cases[i].database, cases[i].second);
        open_sink();
        rf_test_create(&batch, a, "1|7");
        expect_status(write_rest(), RF_OK);
        flush("1");
        struct rf_buf before = {0}, after = {0};
        rf_test_redis_dump(&server, &before);
        rf_test_create(&batch, b, "1|8");
        /* Now, again, and in a later process. */
        for (int again = 0; again < 3 && cases[i].refused; again++) {
            struct rf_view view = rf_test_view(&batch, 1, UINT32_MAX);
            if (again == 2) {
                reopen();
            }
            err = (struct rf_error){0};
            expect_status(sink.type->write(sink.state, &view, &err), RF_CONFIG);
            assert_non_null(strstr(err.message, names[0]));
            assert_non_null(strstr(err.message, names[1]));
            assert_non_null(strstr(err.hint, "{database} and {table}"));
        }
        rf_test_redis_dump(&server, &after);
        assert_string_equal(rf_buf_cstr(&after), rf_buf_cstr(&before));
        if (!cases[i].refused) {
            expect_status(write_rest(), RF_OK);
        }
        rf_buf_deinit(&before);
        rf_buf_deinit(&after);
        rf_table_release(a);
        rf_table_release(b);
        teardown();
    }
}

static void count_line(void *argument)
{
    ++*(int *)argument;
}

static void ignore_line(void *argument)
{
    (void)argument;
}

static void test_statements_that_lose_rows_are_warned_of(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        int lines;
    } cases[] = {
        {"ALTER TABLE t DROP PARTITION p1", 1},
        {"alter table `t` truncate  partition p1, p2", 1},
        {"ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u", 1},
        {"ALTER TABLE t CONVERT PARTITION p TO TABLE u", 1},
        {"RENAME TABLE t TO u", 1},
        {"ALTER TABLE t RENAME TO `u`", 1},
        {"ALTER TABLE t RENAME `u`", 1},
        {"DROP TABLE `t` /* generated by server */", 1},
        {"DROP /* now */ TABLE IF EXISTS t, u", 1},
        {"DROP DATABASE d", 1},
        {"CREATE OR REPLACE TABLE t (id INT)", 1},
        {"CREATE TABLE t (id INT) PARTITION BY HASH (id)", 0},
        {"ALTER TABLE t ADD PARTITION (PARTITION p2 VALUES LESS THAN (9))", 0},
        {"ALTER TABLE t RENAME COLUMN a TO b, RENAME INDEX i TO j", 0},
        {"ALTER TABLE t ADD c INT COMMENT 'DROP TABLE t'", 0},
        {"ALTER TABLE `drop table` ADD c INT", 0},
        {"CREATE TABLE t (id INT) /* DROP TABLE t */", 0},
        {"DROP INDEX i ON t", 0},
        {"DROP TEMPORARY TABLE t", 0},
        {"ALTER TABLE t COMMENT 'open", 0},
        {"/* open", 0},
        {"", 0},
    };
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    open_sink();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int lines = 0;
        rf_test_ddl(&batch, "d", cases[i].sql);
        rf_log_set_around(count_line, ignore_line, &lines);
        expect_status(write_rest(), RF_OK);
        rf_log_set_around(NULL, NULL, NULL);
        if (lines != cases[i].lines) {
            print_message("%s\n", cases[i].sql);
        }
        assert_int_equal(lines, cases[i].lines);
    }
    teardown();
}

static void test_truncate_by_a_name_in_other_letters_is_not_passed_over(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "orders", "id:int! x:text");
    open_sink();
    rf_test_create(&batch, table, "1|x");
    rf_test_truncate(&batch, "d", "Orders");
    expect_status(write_rest(), RF_REJECT);
    rf_table_release(table);
    teardown();
}

static void test_tables_and_templates_that_do_not_fit_are_named(void **state)
{
    (void)state;
    struct rf_table *keyless = rf_test_table("d", "log", "at:int x:text");
    struct rf_table *table = rf_test_table("d", "t", "id:int! x:text");
    struct rf_table *own = rf_test_table("rowferry", "position", "id:int! x:text");
    static const struct {
        const char *key;
        int table;
        const char *said;
    } cases[] = {
        {"{database}:{table}:{key}", 0, "d.log has no primary key"},
        {"k:{id}", 0, "d.log has no column 'id'"},
        {"{database}:{table}:{key}", 2, "among rowferry's own keys"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setup("key", cases[i].key, NULL, NULL, NULL, NULL);
        open_sink();
        rf_test_create(&batch,
                       cases[i].table == 0   ? keyless
                       : cases[i].table == 1 ? table
                                             : own,
                       "1|x");
        expect_status(write_rest(), RF_CONFIG);
        assert_non_null(strstr(err.message, cases[i].said));
        assert_int_not_equal(err.hint[0], 0);
        assert_true(cases[i].table != 0 || strstr(err.hint, "tables=...,-d.log") != NULL);
        teardown();
    }
    setup("key", "last:{x}", NULL, NULL, NULL, NULL);
    open_sink();
    rf_test_create(&batch, keyless, "1|x");
    rf_test_delete(&batch, keyless, "1|x");
    expect_status(write_rest(), RF_OK);
    expect_content("last:x hash at=1 x=x\n");
    teardown();
    rf_table_release(keyless);
    rf_table_release(table);
    rf_table_release(own);
}

static void test_options_that_cannot_be_are_refused_before_anything(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *said;
    } cases[] = {
        {"path", "/x", "number of a Redis database"},
        {"path", "/99", "refused"},
        {"key", "{", "without its '}'"},
        {"key", "{id}", "begins with a column"},
        {"key", "{key}:{table}", "begins with a column"},
        {"key", "{column:table}:x", "begins with a column"},
        {"as", "string", "needs a template"},
        {"value", "{x}", "as=string only"},
        {"password", "secret", "refused"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setup(cases[i].name, cases[i].value, NULL, NULL, NULL, NULL);
        expect_status(rf_test_sink_open(&sink, &err), RF_CONFIG);
        assert_non_null(strstr(err.message, cases[i].said));
        assert_null(strstr(err.message, "secret"));
        assert_int_not_equal(err.hint[0], 0);
        teardown();
    }
    setup("path", "/3", NULL, NULL, NULL, NULL);
    open_sink();
    teardown();
}

static void test_a_change_of_the_table_is_followed(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    struct rf_table *old = rf_test_table("d", "t", "id:int! x:text");
    struct rf_table *new = rf_test_table("d", "t", "y:text id:int! z:int");
    open_sink();
    rf_test_create(&batch, old, "1|a");
    rf_test_create(&batch, new, "b|2|5");
    rf_test_create(&batch, old, "3|c");
    expect_status(write_rest(), RF_OK);
    expect_content("d:t:1 hash id=1 x=a\nd:t:2 hash id=2 y=b z=5\nd:t:3 hash id=3 x=c\n");
    rf_table_release(old);
    rf_table_release(new);
    teardown();
}

static void test_many_rows_go_through_in_order(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int! x:text");
    char row[400];
    open_sink();
    for (int i = 0; i < 20000; i++) {
        snprintf(row, sizeof row, "%d|%d-%0*d", i % 7, i, i % 300, 0);
        rf_test_create(&batch, table, row);
    }
    expect_status(write_rest(), RF_OK);
    for (int i = 0; i < 7; i++) {
        char command[64], expected[400];
        int last = 19999 - (19999 - i) % 7;
        snprintf(command, sizeof command, "HGET d:t:%d x", i);
        snprintf(expected, sizeof expected, "%d-%0*d", last, last % 300, 0);
        expect_answer(command, expected);
    }
    rf_table_release(table);
    teardown();
}

static void test_large_values_pass_and_too_large_ones_are_refused(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int! x:bytes");
    open_sink();
    size_t size = 20 << 20;
    char *large = calloc(1, size);
    assert_non_null(large);
    struct rf_event *event = rf_test_create(&batch, table, "1|x");
    struct rf_value values[] = {event->after[0], {.kind = RF_BYTES, .size = (uint32_t)size}};
    values[1].text = large;
    event->after = values;
    rf_test_create(&batch, table, "2|y");
    expect_status(write_rest(), RF_OK);
    expect_answer("HSTRLEN d:t:1 x", "20971520");
    /* Refused before a byte of it is looked at. */
    struct rf_event *bad = rf_test_create(&batch, table, "3|x");
    struct rf_value too_large[] = {bad->after[0], {.kind = RF_BYTES, .size = (512u << 20) + 1}};
    too_large[1].text = large;
    bad->after = too_large;
    rf_test_create(&batch, table, "4|y");
    expect_status(write_rest(), RF_REJECT);
    assert_ptr_equal(err.event, &batch.events[2]);
    expect_answer("EXISTS d:t:2 d:t:3 d:t:4", "1");
    free(large);
    rf_table_release(table);
    teardown();
}

static void test_a_key_that_holds_something_else_names_the_row(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int! x:text");
    open_sink();
    tell("SET d:t:2 mine");
    rf_test_create(&batch, table, "1|x");
    rf_test_update(&batch, table, "2|y", "2|x");
    rf_test_create(&batch, table, "3|x");
    expect_status(write_rest(), RF_REJECT);
    assert_ptr_equal(err.event, &batch.events[1]);
    expect_said("WRONGTYPE");
    expect_answer("EXISTS d:t:1", "1");
    rf_table_release(table);
    teardown();
}

static void test_the_position_lies_beside_the_data_and_wins(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    open_sink();
    assert_int_equal(sink.resume.size, 0);
    flush("10");
    flush("10");
    flush("20");
    assert_int_equal(sink.note.size, 0);
    expect_answer("HGET rowferry:position:test:redis position", "20");
    rf_buf_set(&sink.position, RF_STR("10"));
    reopen();
    assert_true(rf_str_equal(sink.resume, RF_STR("20")));
    teardown();
}

/* The operator's word counts: what Redis says of the place is void, and its guard is not. */
static void test_an_ordered_position_wins_over_the_one_beside_the_data(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    open_sink();
    flush("20");
    rf_test_sink_close(&sink);
    sink.ordered = true;
    rf_buf_set(&sink.position, RF_STR("10"));
    open_sink();
    assert_int_equal(sink.resume.size, 0);
    expect_answer("HGET rowferry:position:test:redis position", "20");
    flush("10");
    expect_answer("HGET rowferry:position:test:redis position", "10");
    /* The very position that is there is written, too: it is the order that is carried out. */
    rf_test_sink_close(&sink);
    expect_answer("HDEL rowferry:position:test:redis updated", "1");
    open_sink();
    flush("10");
    expect_answer("HEXISTS rowferry:position:test:redis updated", "1");
    /* A destination that lost it takes it again. */
    rf_test_sink_close(&sink);
    tell("FLUSHALL");
    open_sink();
    flush("10");
    rf_test_sink_close(&sink);
    /* One that belongs to a later start is not taken over by an order. */
    tell("HSET rowferry:position:test:redis epoch 100");
    expect_status(rf_test_sink_open(&sink, &err), RF_FATAL);
    expect_said("later start");
    teardown();
}

/* A server that saves now and then comes back as it was then: data and position together. */
static void test_a_server_that_went_back_took_the_position_with_it(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int! x:text");
    open_sink();
    rf_test_create(&batch, table, "1|old");
    expect_status(write_rest(), RF_OK);
    flush("10");
    expect_answer("SAVE", "OK");
    rf_test_update(&batch, table, "1|old", "1|new");
    rf_test_create(&batch, table, "2|new");
    expect_status(write_rest(), RF_OK);
    flush("20");
    rf_test_redis_kill(&server);
    rf_test_create(&batch, table, "3|new");
    expect_status(write_rest(), RF_RETRY);
    rf_test_sink_close(&sink);
    rf_test_redis_again(&server);
    open_sink();
    assert_true(rf_str_equal(sink.resume, RF_STR("10")));
    expect_content("d:t:1 hash id=1 x=old\n");
    struct rf_view again = rf_test_view(&batch, 1, UINT32_MAX);
    expect_status(sink.type->write(sink.state, &again, &err), RF_OK);
    expect_content("d:t:1 hash id=1 x=new\nd:t:2 hash id=2 x=new\nd:t:3 hash id=3 x=new\n");
    rf_table_release(table);
    teardown();
}

static void test_a_destination_that_lost_its_data_is_refused_until_adopted(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    open_sink();
    flush("10");
    rf_test_sink_close(&sink);
    tell("FLUSHALL");
    expect_status(rf_test_sink_open(&sink, &err), RF_FATAL);
    expect_said("lost its data");
    expect_answer("DBSIZE", "0");
    sink.adopt = true;
    open_sink();
    assert_int_equal(sink.resume.size, 0);
    teardown();
}

static void test_data_removed_under_our_feet_are_noticed_at_the_next_write(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int! x:text");
    open_sink();
    rf_test_create(&batch, table, "1|x");
    expect_status(write_rest(), RF_OK);
    flush("1");
    tell("FLUSHALL");
    rf_test_create(&batch, table, "2|x");
    expect_status(write_rest(), RF_FATAL);
    expect_said("vanished");
    expect_answer("DBSIZE", "0");
    rf_table_release(table);
    teardown();
}

static void test_a_second_process_stops_the_first_before_it_writes_anything(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int! x:text");
    struct rf_test_sink second = {.type = &rf_sink_redis, .settings = settings, .epoch = 5};
    open_sink();
    rf_test_create(&batch, table, "1|first");
    expect_status(write_rest(), RF_OK);
    expect_status(rf_test_sink_open(&second, &err), RF_OK);
    for (int i = 0; i < 2500; i++) {
        rf_test_create(&batch, table, "2|first");
    }
    struct rf_view view = rf_test_view(&batch, 1, UINT32_MAX);
    expect_status(sink.type->write(sink.state, &view, &err), RF_FATAL);
    expect_said("another process");
    rf_test_sink_close(&sink);
    expect_content("d:t:1 hash id=1 x=first\n");
    /* And it does not come back. */
    expect_status(rf_test_sink_open(&sink, &err), RF_FATAL);
    expect_said("later start");
    expect_status(rf_test_sink_flush(&second, "1", &err), RF_OK);
    rf_test_sink_deinit(&second);
    rf_table_release(table);
    teardown();
}

static void test_a_second_process_stops_the_flush_too(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    struct rf_test_sink second = {.type = &rf_sink_redis, .settings = settings};
    open_sink();
    expect_status(rf_test_sink_open(&second, &err), RF_OK); /* the same epoch: the later one wins */
    expect_status(rf_test_sink_flush(&second, "7", &err), RF_OK);
    expect_status(rf_test_sink_flush(&sink, "3", &err), RF_FATAL);
    expect_answer("HGET rowferry:position:test:redis position", "7");
    rf_test_sink_deinit(&second);
    teardown();
}

static void test_two_pipelines_share_a_server(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    struct rf_test_sink second = {.type = &rf_sink_redis, .settings = settings};
    struct rf_sink_type other = rf_sink_redis;
    other.name = "other"; /* is the instance in its key */
    second.type = &other;
    open_sink();
    expect_status(rf_test_sink_open(&second, &err), RF_OK);
    flush("3");
    expect_status(rf_test_sink_flush(&second, "4", &err), RF_OK);
    expect_answer("HGET rowferry:position:test:redis position", "3");
    expect_answer("HGET rowferry:position:test:other position", "4");
    rf_test_sink_deinit(&second);
    teardown();
}

static void test_access_is_checked_and_what_is_missing_is_said(void **state)
{
    (void)state;
    setup("user", "cdc", "password", "right", NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int! x:text");
    tell("ACL SETUSER cdc on >right ~rowferry:position:* ~d:t:* +multi "
         "+exec +watch +hset +hdel +hget +hgetall +set +unlink +scan "
         "+select");
    /* Enough without INFO. */
    open_sink();
    rf_test_create(&batch, table, "1|x");
    expect_status(write_rest(), RF_OK);
    rf_test_sink_close(&sink);
    tell("ACL SETUSER cdc -hset");
    expect_status(rf_test_sink_open(&sink, &err), RF_CONFIG);
    assert_true(err.access);
    assert_non_null(strstr(err.hint, "ACL SETUSER cdc"));
    settings[2].value = "wrong";
    expect_status(rf_test_sink_open(&sink, &err), RF_CONFIG);
    assert_true(err.access);
    assert_null(strstr(err.message, "wrong"));
    tell("ACL DELUSER cdc");
    rf_table_release(table);
    teardown();
}

static void test_a_full_or_read_only_server_is_tried_again(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int! x:text");
    open_sink();
    rf_test_create(&batch, table, "1|x");
    tell("CONFIG SET maxmemory 1");
    expect_status(write_rest(), RF_RETRY);
    expect_said("OOM");
    rf_test_sink_close(&sink);
    tell("CONFIG SET maxmemory 0");
    open_sink();
    tell("REPLICAOF 127.0.0.1 1");
    struct rf_view view = rf_test_view(&batch, 0, UINT32_MAX);
    expect_status(sink.type->write(sink.state, &view, &err), RF_RETRY);
    expect_said("READONLY");
    rf_test_sink_close(&sink);
    tell("REPLICAOF NO ONE");
    open_sink();
    expect_status(sink.type->write(sink.state, &view, &err), RF_OK);
    expect_content("d:t:1 hash id=1 x=x\n");
    rf_table_release(table);
    teardown();
}

static void test_nobody_there_is_an_error_of_the_connection(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    settings[0].value = "1";
    expect_status(rf_test_sink_open(&sink, &err), RF_RETRY);
    assert_true(err.connect);
    teardown();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_become_hashes_and_leave_with_their_rows),
        cmocka_unit_test(test_a_replay_ends_in_the_same_content),
        cmocka_unit_test(test_strings_come_from_their_template),
        cmocka_unit_test(test_a_key_of_more_than_the_primary_key_moves_with_its_columns),
        cmocka_unit_test(test_truncate_takes_the_keys_of_its_table_and_no_others),
        cmocka_unit_test(test_truncate_of_keys_that_tables_share_is_refused),
        cmocka_unit_test(test_new_rows_have_no_fields_of_what_was_under_their_key),
        cmocka_unit_test(test_new_rows_replace_what_is_there_in_runs_of_any_size),
        cmocka_unit_test(test_a_refused_row_leaves_what_is_under_its_key),
        cmocka_unit_test(test_tables_that_would_share_keys_are_refused),
        cmocka_unit_test(test_statements_that_lose_rows_are_warned_of),
        cmocka_unit_test(test_truncate_by_a_name_in_other_letters_is_not_passed_over),
        cmocka_unit_test(test_tables_and_templates_that_do_not_fit_are_named),
        cmocka_unit_test(test_options_that_cannot_be_are_refused_before_anything),
        cmocka_unit_test(test_a_change_of_the_table_is_followed),
        cmocka_unit_test(test_many_rows_go_through_in_order),
        cmocka_unit_test(test_large_values_pass_and_too_large_ones_are_refused),
        cmocka_unit_test(test_a_key_that_holds_something_else_names_the_row),
        cmocka_unit_test(test_the_position_lies_beside_the_data_and_wins),
        cmocka_unit_test(test_an_ordered_position_wins_over_the_one_beside_the_data),
        cmocka_unit_test(test_a_server_that_went_back_took_the_position_with_it),
        cmocka_unit_test(test_a_destination_that_lost_its_data_is_refused_until_adopted),
        cmocka_unit_test(test_data_removed_under_our_feet_are_noticed_at_the_next_write),
        cmocka_unit_test(test_a_second_process_stops_the_first_before_it_writes_anything),
        cmocka_unit_test(test_a_second_process_stops_the_flush_too),
        cmocka_unit_test(test_two_pipelines_share_a_server),
        cmocka_unit_test(test_access_is_checked_and_what_is_missing_is_said),
        cmocka_unit_test(test_a_full_or_read_only_server_is_tried_again),
        cmocka_unit_test(test_nobody_there_is_an_error_of_the_connection),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
