/* as=stream against a real server. */

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/redis_subject.h"
#include "lib/sink_subject.h"

extern const struct rf_sink_type rf_sink_redis;

static struct rf_table *orders;
static uint32_t written; /* events of the batch */
static int rows;         /* in it */

static void setup(const char *name, const char *value)
{
    const struct rf_test_setting given[] = {
        {"port", server.port}, {"as", "stream"}, {name, value}, {NULL, NULL}};
    begin_sink(&rf_sink_redis, given, 16 << 20);
    sink.picks = 7;
    written = 0;
    rows = 0;
    orders = rf_test_table("shop", "orders", "id:int! name:text more:json");
    tell("FLUSHALL");
}

static void teardown(void)
{
    end_sink();
    rf_table_release(orders);
}

static enum rf_status write_rest(void)
{
    uint32_t first = written;
    written = batch.count;
    return write_some(first, UINT32_MAX);
}

/* A transaction of `count` new rows, with the numbers that follow. */
static void add_rows(uint64_t transaction, int count)
{
    char text[64];
    rf_test_begin(&batch, transaction);
    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof text, "%d|x|NULL", ++rows);
        rf_test_create(&batch, orders, text);
    }
    rf_test_commit(&batch);
}

static char *all_of(const char *key)
{
    char command[128];
    snprintf(command, sizeof command, "XRANGE %s - +", key);
    return rf_test_redis_ask(&server, command);
}

/* As setup, and it is opened. */
static void start(const char *name, const char *value)
{
    setup(name, value);
    open_sink();
}

/* Writes these, and nothing is said against it. */
static void take(uint32_t first, uint32_t count)
{
    expect_status(write_some(first, count), RF_OK);
}

static void expect_length(const char *expected)
{
    expect_answer("XLEN shop:orders", expected);
}

static void expect_stamp(const char *expected)
{
    expect_answer("HGET rowferry:position:test:redis stamp", expected);
}

static void test_every_event_becomes_an_entry_that_people_can_read(void **state)
{
    (void)state;
    start(NULL, NULL);
    rf_test_begin(&batch, 1);
    rf_test_create(&batch, orders, "1|anna|{\"a\":[1]}");
    rf_test_update(&batch, orders, "1|anna|{\"a\":[1]}", "1|NULL|?");
    rf_test_delete(&batch, orders, "1|NULL|{\"a\":[1]}");
    rf_test_truncate(&batch, "shop", "orders");
    rf_test_ddl(&batch, "shop", "CREATE TABLE t (i INT)");
    rf_test_commit(&batch);
    expect_status(write_rest(), RF_OK);
    char *orders_text = all_of("shop:orders");
    assert_string_equal(
        orders_text,
        "1700000001000-0 op create table shop.orders key {\"id\":1} after "
        "{\"id\":1,\"name\":\"anna\",\"more\":{\"a\":[1]}} ts 2023-11-14T22:13:21Z id 0-1-1:1:0 "
        "1700000001000-1 op update table shop.orders key {\"id\":1} before "
        "{\"id\":1,\"name\":\"anna\",\"more\":{\"a\":[1]}} after {\"id\":1,\"name\":null} ts "
        "2023-11-14T22:13:21Z id 0-1-1:2:0 "
        "1700000001000-2 op delete table shop.orders key {\"id\":1} before "
        "{\"id\":1,\"name\":null,\"more\":{\"a\":[1]}} ts 2023-11-14T22:13:21Z id 0-1-1:3:0 "
        "1700000001000-3 op truncate table shop.orders statement TRUNCATE TABLE `orders` ts "
        "2023-11-14T22:13:21Z id 0-1-1:4:0");
    free(orders_text);
    char *rest = all_of("shop:");
    assert_string_equal(rest, "1700000001000-4 op ddl database shop statement CREATE TABLE t (i "
                              "INT) ts 2023-11-14T22:13:21Z id 0-1-1:5:0");
    free(rest);
    teardown();
}

static void test_one_word_is_one_stream_of_all(void **state)
{
    (void)state;
    setup("key", "changes");
    struct rf_table *keyless = rf_test_table("shop", "log", "at:int");
    open_sink();
    rf_test_begin(&batch, 1);
    rf_test_create(&batch, orders, "1|x|NULL");
    rf_test_create(&batch, keyless, "5");
    rf_test_ddl(&batch, "shop", "DROP TABLE log");
    rf_test_commit(&batch);
    expect_status(write_rest(), RF_OK);
    expect_answer("XLEN changes", "3");
    expect_answer("XRANGE changes 1700000001000-1 1700000001000-1",
                  "1700000001000-1 op create table shop.log after {\"at\":5} ts "
                  "2023-11-14T22:13:21Z id 0-1-1:2:0");
    rf_table_release(keyless);
    teardown();
}

/* A thousand events of one second and one transaction: ids stay in order over the thousand. */
static void test_ids_grow_as_stamps_do(void **state)
{
    (void)state;
    start(NULL, NULL);
    add_rows(1, 2500);
    add_rows(1, 10); /* of the same second */
    add_rows(2, 1);
    expect_status(write_rest(), RF_OK);
    expect_length("2511");
    expect_answer(
        "XRANGE shop:orders 1700000001000-999 1700000001001-0 COUNT 3",
        "1700000001000-999 op create table shop.orders key {\"id\":1000} after "
        "{\"id\":1000,\"name\":\"x\",\"more\":null} ts 2023-11-14T22:13:21Z id "
        "0-1-1:1000:0 1700000001001-0 op create table shop.orders key {\"id\":1001} after "
        "{\"id\":1001,\"name\":\"x\",\"more\":null} ts 2023-11-14T22:13:21Z id "
        "0-1-1:1001:0");
    flush("2");
    expect_answer("HMGET rowferry:position:test:redis stamp picks", "1700000002000000 7");
    teardown();
}

static void test_a_replay_from_anywhere_adds_nothing(void **state)
{
    (void)state;
    start(NULL, NULL);
    flush("0");
    for (uint64_t i = 1; i <= 8; i++) {
        add_rows(i / 3 + 1, 5); /* several of one second */
        rf_test_begin(&batch, i / 3 + 1);
        rf_test_truncate(&batch, "shop", "other");
        rf_test_commit(&batch);
    }
    for (uint32_t cut = 0; cut < batch.count; cut += 3) {
        /* Some arrive, and the position is still before them all. */
        take(0, cut);
        reopen();
    }
    take(0, UINT32_MAX);
    char *first = all_of("shop:orders"), *other = all_of("shop:other");
    expect_length("40");
    expect_answer("XLEN shop:other", "8");
    reopen();
    take(0, UINT32_MAX);
    char *second = all_of("shop:orders"), *other_second = all_of("shop:other");
    assert_string_equal(first, second);
    assert_string_equal(other, other_second);
    free(first);
    free(second);
    free(other);
    free(other_second);
    teardown();
}

static void test_the_stamp_beside_a_position_is_that_of_whole_transactions(void **state)
{
    (void)state;
    start(NULL, NULL);
    add_rows(1, 3);
    rf_test_begin(&batch, 1);
    rf_test_create(&batch, orders, "900|x|NULL");
    batch.transactions[1].ends = false; /* it goes on in another batch */
    take(0, 3);
    flush("1");
    take(3, 1);
    flush("1");
    expect_stamp("1700000001000002");
    reopen();
    take(3, 1);
    expect_length("4");
    teardown();
}

/* As a source fills batches: the beginning of a large transaction lies behind whole ones. */
static void test_a_transaction_that_goes_on_leaves_the_stamp_of_the_one_before(void **state)
{
    (void)state;
    start(NULL, NULL);
    add_rows(1, 3);
    rf_test_begin(&batch, 1);
    rf_test_create(&batch, orders, "900|x|NULL");
    rf_test_create(&batch, orders, "901|x|NULL");
    batch.transactions[1].ends = false;
    take(0, 5);
    flush("1");
    expect_stamp("1700000001000002");
    reopen();
    take(3, 2);
    flush("1");
    expect_length("5");
    teardown();
}

/* Its end may come without events, as when a transform left them out. */
static void test_the_stamp_grows_with_an_end_that_comes_alone(void **state)
{
    (void)state;
    struct rf_batch end = {.bytes_max = 16 << 20};
    start(NULL, NULL);
    add_rows(1, 3);
    batch.transactions[0].ends = false;
    take(0, 3);
    rf_test_begin(&end, 1);
    end.transactions[0].begins = false;
    rf_test_commit(&end);
    struct rf_view view = rf_test_view(&end, 0, UINT32_MAX);
    view.transactions = end.transactions;
    view.transaction_count = 1;
    expect_status(sink.type->write(sink.state, &view, &err), RF_OK);
    flush("1");
    expect_stamp("1700000001000002");
    rf_batch_deinit(&end);
    teardown();
}

/* Others come between ours, or behind them, while we run or while we do not. */
static void test_entries_of_others_are_noticed_before_anything_is_passed_over(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        bool closed;   /* it happens while we are away */
        bool position; /* which was written behind our entries */
    } cases[] = {
        {"XADD shop:orders * mine 1", false, true},
        {"XADD shop:orders * mine 1", true, false},
        {"XADD shop:orders * mine 1", true, true},
        {"XADD shop:orders * op create id 0-1-9:1:0", true, false},
        {"XADD shop:orders 1700000001000-1 op create id 0-1-9:1:0", true, false},
        {"XADD shop:orders 1700000009000-5000 op create id 0-1-9:1:0", true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        start(NULL, NULL);
        flush("0");
        add_rows(1, i == 4 ? 1 : 2);
        expect_status(write_rest(), RF_OK);
        if (cases[i].position) {
            flush("1");
        }
        if (cases[i].closed) {
            rf_test_sink_close(&sink);
        }
        tell(cases[i].command);
        char *before = all_of("shop:orders");
        add_rows(1, 1);
        enum rf_status status = RF_OK;
        if (cases[i].closed) {
            open_sink();
        }
        status = cases[i].position ? write_some(batch.count - 1, 1) : write_some(0, UINT32_MAX);
        if (status == RF_OK) { /* all of it would be there, by the last id */
            status = rf_test_sink_flush(&sink, "2", &err);
        }
        if (status != RF_FATAL) {
            print_message("case %zu: %s\n", i, rf_status_name(status));
        }
        assert_int_equal(status, RF_FATAL);
        assert_int_not_equal(err.hint[0], 0);
        expect_said(cases[i].closed ? "shop:orders" : "somebody else");
        char *after = all_of("shop:orders");
        assert_string_equal(before, after);
        free(before);
        free(after);
        teardown();
    }
}

/* As docs/delivery.md says. */
static void test_a_stream_that_was_mended_goes_on(void **state)
{
    (void)state;
    for (int renamed = 0; renamed < 2; renamed++) {
        start(NULL, NULL);
        add_rows(1, 2);
        expect_status(write_rest(), RF_OK);
        expect_answer("XADD shop:orders 1800000000000-0 mine 1", "1800000000000-0");
        add_rows(2, 1);
        expect_status(write_some(2, 1), RF_FATAL);
        if (renamed) {
            expect_answer("RENAME shop:orders kept", "OK");
        } else {
            expect_answer("XDEL shop:orders 1800000000000-0", "1");
            reopen();
            take(0, 2);
            /* Its last id is still the other one's. */
            flush("1");
            take(2, 1);
            expect_status(rf_test_sink_flush(&sink, "2", &err), RF_FATAL);
            expect_answer("XSETID shop:orders 1700000001000-1", "OK");
        }
        reopen();
        take(renamed ? 0 : 2, UINT32_MAX);
        flush("2");
        expect_length("3");
        teardown();
    }
}

static void test_a_key_that_is_not_our_stream_is_refused_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *command, *said;
    } cases[] = {
        {"SET shop:orders x", "holds a string, not a stream"},
        {"XADD shop:orders 1-1 mine 1", "did not begin it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setup(NULL, NULL);
        tell(cases[i].command);
        open_sink();
        add_rows(1, 1);
        expect_status(write_rest(), RF_CONFIG);
        expect_said(cases[i].said);
        assert_int_not_equal(err.hint[0], 0);
        teardown();
    }
}

static void test_two_pipelines_do_not_share_a_stream(void **state)
{
    (void)state;
    setup("key", "changes");
    struct rf_sink_type type = rf_sink_redis;
    struct rf_test_sink second = {.type = &type, .settings = settings};
    type.name = "other"; /* is the instance in its key */
    add_rows(1, 1);
    add_rows(2, 1);
    open_sink();
    expect_status(rf_test_sink_open(&second, &err), RF_OK);
    take(0, 1);
    struct rf_view view = rf_test_view(&batch, 0, UINT32_MAX);
    expect_status(type.write(second.state, &view, &err), RF_CONFIG);
    expect_said("did not begin it");
    expect_answer("XLEN changes", "1");
    rf_test_sink_deinit(&second);
    teardown();
}

/* Then other events come: none of them is taken for one that is there. */
static void test_other_picks_continue_far_behind_what_is_there(void **state)
{
    (void)state;
    start(NULL, NULL);
    add_rows(1, 2);
    take(0, 2);
    flush("1");
    add_rows(2, 2); /* there, and the position is before them */
    take(2, 2);
    sink.picks = 8;
    reopen();
    /* The last id was 1700000002000-1; the gap is ten thousand seconds. */
    expect_answer("HMGET rowferry:position:test:redis stamp picks", "1700010002000001 8");
    take(2, 2);
    expect_length("6");
    expect_answer("XREVRANGE shop:orders 1700010002000-3 1700010002000-3 COUNT 1",
                  "1700010002000-3 op create table shop.orders key {\"id\":4} after "
                  "{\"id\":4,\"name\":\"x\",\"more\":null} ts 2023-11-14T22:13:22Z id 0-1-2:2:0");
    /* And the same again is a replay like any other. */
    reopen();
    take(2, 2);
    expect_length("6");
    teardown();
}

static void test_an_ordered_position_writes_its_events_anew(void **state)
{
    (void)state;
    start(NULL, NULL);
    add_rows(1, 2);
    add_rows(2, 2);
    expect_status(write_rest(), RF_OK);
    flush("2");
    rf_test_sink_close(&sink);
    sink.ordered = true;
    rf_buf_set(&sink.position, RF_STR("1"));
    open_sink();
    assert_int_equal(sink.resume.size, 0);
    flush("1");
    expect_answer("HGET rowferry:position:test:redis position", "1");
    sink.ordered = false;
    take(2, 2);
    expect_length("6");
    reopen();
    assert_true(rf_str_equal(sink.resume, RF_STR("1")));
    take(2, 2);
    expect_length("6");
    teardown();
}

/* Entries, position and stamp went back together. */
static void test_a_server_that_went_back_is_brought_forward_to_the_same_entries(void **state)
{
    (void)state;
    start(NULL, NULL);
    add_rows(1, 3);
    add_rows(2, 3);
    take(0, 3);
    flush("1");
    take(3, 1);
    expect_answer("SAVE", "OK");
    take(4, 2);
    flush("2");
    char *before = all_of("shop:orders");
    rf_test_sink_close(&sink);
    rf_test_redis_kill(&server);
    rf_test_redis_again(&server);
    expect_length("4");
    open_sink();
    assert_true(rf_str_equal(sink.resume, RF_STR("1")));
    take(3, 3);
    flush("2");
    char *after = all_of("shop:orders");
    assert_string_equal(before, after);
    free(before);
    free(after);
    teardown();
}

static void test_a_stream_keeps_as_many_entries_as_asked(void **state)
{
    (void)state;
    start("maxlen", "1000");
    flush("0");
    add_rows(1, 5000);
    expect_status(write_rest(), RF_OK);
    char *length = rf_test_redis_ask(&server, "XLEN shop:orders");
    assert_in_range(strtol(length, NULL, 10), 1000, 1200);
    /* What was trimmed away, or removed, is not written again. */
    expect_answer("XTRIM shop:orders MAXLEN 0", length);
    reopen();
    take(0, UINT32_MAX);
    expect_length("0");
    add_rows(1, 1);
    take(5000, 1);
    expect_length("1");
    free(length);
    teardown();
}

static void test_templates_that_ask_for_columns_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *said;
    } cases[] = {
        {"key", "s:{id}", "{database}, {table} and text only"},
        {"key", "s:{key}", "{database}, {table} and text only"},
        {"key", "rowferry:position:x", "rowferry's own keys"},
        {"value", "{ts}", "as=string only"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setup(cases[i].name, cases[i].value);
        expect_status(rf_test_sink_open(&sink, &err), RF_CONFIG);
        expect_said(cases[i].said);
        assert_int_not_equal(err.hint[0], 0);
        teardown();
    }
    setup("as", "json");
    settings[1] = (struct rf_test_setting){"maxlen", "10"};
    expect_status(rf_test_sink_open(&sink, &err), RF_CONFIG);
    expect_said("as=stream only");
    teardown();
}

static void test_a_damaged_record_is_not_guessed_around(void **state)
{
    (void)state;
    start(NULL, NULL);
    flush("1");
    rf_test_sink_close(&sink);
    tell("HSET rowferry:position:test:redis stamp 12x");
    expect_status(rf_test_sink_open(&sink, &err), RF_FATAL);
    expect_said("not a number");
    teardown();
}

static void test_the_rights_that_are_missing_are_named(void **state)
{
    (void)state;
    setup("user", "cdc");
    settings[3] = (struct rf_test_setting){"password", "right"};
    settings[4] = (struct rf_test_setting){NULL, NULL};
    tell("ACL SETUSER cdc reset on >right ~rowferry:position:* ~shop:* "
         "+multi +exec +watch +hset +hget +hgetall +select +info +xadd "
         "+type +xinfo +xrange +xrevrange");
    open_sink();
    flush("0");
    add_rows(1, 2);
    expect_status(write_rest(), RF_OK);
    reopen();
    take(0, 1);
    flush("1");
    take(1, 1);
    tell("ACL SETUSER cdc -xadd");
    add_rows(2, 1);
    expect_status(write_some(2, 1), RF_CONFIG);
    assert_true(err.access);
    assert_non_null(strstr(err.hint, "+xadd"));
    tell("ACL DELUSER cdc");
    teardown();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_event_becomes_an_entry_that_people_can_read),
        cmocka_unit_test(test_one_word_is_one_stream_of_all),
        cmocka_unit_test(test_ids_grow_as_stamps_do),
        cmocka_unit_test(test_a_replay_from_anywhere_adds_nothing),
        cmocka_unit_test(test_the_stamp_beside_a_position_is_that_of_whole_transactions),
        cmocka_unit_test(test_a_transaction_that_goes_on_leaves_the_stamp_of_the_one_before),
        cmocka_unit_test(test_the_stamp_grows_with_an_end_that_comes_alone),
        cmocka_unit_test(test_entries_of_others_are_noticed_before_anything_is_passed_over),
        cmocka_unit_test(test_a_stream_that_was_mended_goes_on),
        cmocka_unit_test(test_a_key_that_is_not_our_stream_is_refused_at_once),
        cmocka_unit_test(test_two_pipelines_do_not_share_a_stream),
        cmocka_unit_test(test_other_picks_continue_far_behind_what_is_there),
        cmocka_unit_test(test_an_ordered_position_writes_its_events_anew),
        cmocka_unit_test(test_a_server_that_went_back_is_brought_forward_to_the_same_entries),
        cmocka_unit_test(test_a_stream_keeps_as_many_entries_as_asked),
        cmocka_unit_test(test_templates_that_ask_for_columns_are_refused),
        cmocka_unit_test(test_a_damaged_record_is_not_guessed_around),
        cmocka_unit_test(test_the_rights_that_are_missing_are_named),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
