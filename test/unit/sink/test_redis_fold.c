/* The sink `redis`, where changes of one key meet before they are sent: fold=on and off end in the
 * same content, in every form that a row may take. And as=json. */
#include "lib/feed.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/redis_subject.h"
#include "lib/sink_subject.h"

extern const struct rf_sink_type rf_sink_redis;

static void setup(const char *as, const char *fold, const char *name, const char *value)
{
    const struct rf_test_setting given[] = {
        {"port", server.port}, {"as", as}, {"fold", fold}, {name, value}, {NULL, NULL}};
    /* Always full, so that the sink expects more to come. */
    begin_sink(&rf_sink_redis, given, 1);
    tell("FLUSHALL");
    tell("CONFIG RESETSTAT");
    rf_test_begin(&batch, 1);
    open_sink();
}

static void teardown(void)
{
    end_sink();
}

/* In views of that many events. */
static enum rf_status write_all(uint32_t step)
{
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < batch.count && status == RF_OK; i += step) {
        status = write_some(i, step);
    }
    return status;
}

/* How often Redis has carried out that command since setup. */
static long calls_of(const char *command)
{
    char name[64];
    snprintf(name, sizeof name, "cmdstat_%s:calls=", command);
    char *info = rf_test_redis_ask(&server, "INFO commandstats");
    const char *at = strstr(info, name);
    long calls = at != NULL ? strtol(at + strlen(name), NULL, 10) : 0;
    free(info);
    return calls;
}

static void test_only_the_last_state_of_a_key_is_sent(void **state)
{
    (void)state;
    static const char *const folds[] = {"on", "off"};
    for (int i = 0; i < 2; i++) {
        setup("hash", folds[i], NULL, NULL);
        struct rf_table *table = rf_test_table("d", "t", "id:int! x:int");
        char before[32] = "1|0", after[32];
        rf_test_create(&batch, table, before);
        for (int j = 1; j <= 1000; j++) {
            snprintf(after, sizeof after, "1|%d", j);
            rf_test_update(&batch, table, before, after);
            memcpy(before, after, sizeof before);
        }
        expect_status(write_all(100), RF_OK);
        flush("1");
        expect_content("d:t:1 hash id=1 x=1000\n");
        /* Beside those of epoch, table and position. */
        assert_in_range(calls_of("hset"), i == 0 ? 4 : 1004, i == 0 ? 4 : 1004);
        rf_table_release(table);
        teardown();
    }
}

static void test_changes_of_one_key_become_what_both_make(void **state)
{
    (void)state;
    static const struct {
        const char *steps[4]; /* "c 1|2|3", "u 1|2|3 1|5|?", "d 1|2|3" */
        const char *expected;
    } cases[] = {
        {{"c 1|a|b", "u 1|a|b 1|x|?"}, "d:t:1 hash a=x b=b id=1\n"},
        {{"c 1|a|b", "u 1|a|b 1|NULL|?"}, "d:t:1 hash b=b id=1\n"},
        {{"c 1|a|b", "u 1|?|? ?|?|y", "u 1|?|? ?|z|?"}, "d:t:1 hash a=z b=y id=1\n"},
        {{"u 1|?|? 1|x|?", "u 1|?|? 1|?|y"}, "d:t:1 hash a=x b=y id=1 old=1\n"},
        {{"u 1|?|? 1|x|?", "u 1|?|? 1|NULL|?"}, "d:t:1 hash b=there id=1 old=1\n"},
        {{"u 1|?|? 1|x|?", "c 1|NULL|NULL"}, "d:t:1 hash id=1\n"},
        {{"d 1|a|b", "c 1|x|NULL"}, "d:t:1 hash a=x id=1\n"},
        {{"d 1|a|b", "c 1|x|NULL", "u 1|x|NULL ?|?|y"}, "d:t:1 hash a=x b=y id=1\n"},
        {{"c 1|a|b", "d 1|a|b"}, ""},
        {{"c 1|a|b", "d 1|a|b", "c 1|NULL|c"}, "d:t:1 hash b=c id=1\n"},
        {{"u 1|a|b 2|a|b", "u 2|a|b 1|x|b"}, "d:t:1 hash a=x b=b id=1\n"},
        {{"c 2|x|y", "u 2|x|y 3|x|z", "c 2|q|NULL"},
         "d:t:1 hash a=there b=there id=1 old=1\nd:t:2 hash a=q id=2\nd:t:3 hash a=x b=z id=3\n"},
        {{"u 1|a|b 1|c|b", "u 1|c|b 4|c|NULL", "u 4|c|NULL 4|e|?"}, "d:t:4 hash a=e id=4\n"},
        {{"d 1|a|b", "u 9|a|b 1|c|d"}, "d:t:1 hash a=c b=d id=1\n"},
    };
    for (size_t i = 0; i < 2 * (sizeof cases / sizeof *cases); i++) {
        setup("hash", i % 2 == 0 ? "on" : "off", NULL, NULL);
        struct rf_table *table = rf_test_table("d", "t", "id:int! a:text b:text");
        tell("HSET d:t:1 id 1 a there b there old 1");
        for (int j = 0; j < 4 && cases[i / 2].steps[j] != NULL; j++) {
            char row[64];
            snprintf(row, sizeof row, "%s", cases[i / 2].steps[j] + 2);
            char *space = strchr(row, ' ');
            switch (cases[i / 2].steps[j][0]) {
            case 'c': rf_test_create(&batch, table, row); break;
            case 'd': rf_test_delete(&batch, table, row); break;
            default: *space = '\0'; rf_test_update(&batch, table, row, space + 1);
            }
        }
        expect_status(write_all(1), RF_OK);
        flush("1");
        expect_content(cases[i / 2].expected);
        rf_table_release(table);
        teardown();
    }
}

/* One hash of many rows and of two tables, whose columns differ. */
static void test_tables_that_share_a_key_do_not_mix_their_columns(void **state)
{
    (void)state;
    for (int fold = 0; fold < 2; fold++) {
        setup("hash", fold ? "on" : "off", "key", "last");
        struct rf_table *one = rf_test_table("d", "one", "id:int! a:text b:text");
        struct rf_table *two = rf_test_table("d", "two", "b:text id:int! c:text");
        rf_test_create(&batch, one, "1|a1|b1");
        rf_test_create(&batch, two, "b2|2|c2");
        rf_test_update(&batch, one, "1|a1|b1", "1|?|NULL");
        rf_test_update(&batch, two, "b2|2|c2", "?|3|?");
        rf_test_delete(&batch, two, "b2|3|c2");
        expect_status(write_all(1), RF_OK);
        flush("1");
        expect_content("last hash a=a1 c=c2 id=3\n");
        rf_table_release(one);
        rf_table_release(two);
        teardown();
    }
}

/* A day of a source, with everything in it, in three forms and both ways. */
static void test_folding_changes_nothing_of_what_is_there_in_the_end(void **state)
{
    (void)state;
    static const char *const forms[] = {"hash", "json", "string"};
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct rf_test_feed feed;
        struct rf_buf contents[2] = {{0}, {0}};
        const char *as = forms[seed % 3];
        rf_test_feed_init(&feed, seed, 24);
        for (int fold = 0; fold < 2; fold++) {
            uint64_t dice = seed;
            setup(as, fold ? "on" : "off", strcmp(as, "string") == 0 ? "value" : NULL,
                  "{op} {ts} {database}");
            for (uint32_t i = 0; i < feed.batch_count; i++) {
                struct rf_view view;
                feed.batches[i].bytes_max = 1;
                assert_true(rf_test_feed_view(&feed, i, 0, &view));
                expect_status(sink.type->write(sink.state, &view, &err), RF_OK);
                if (rf_test_random(&dice, 5) == 0) {
                    flush("1");
                }
            }
            flush("2");
            rf_test_redis_dump(&server, &contents[fold]);
            teardown();
        }
        assert_true(contents[0].size > 100);
        assert_string_equal(rf_buf_cstr(&contents[0]), rf_buf_cstr(&contents[1]));
        rf_buf_deinit(&contents[0]);
        rf_buf_deinit(&contents[1]);
        rf_test_feed_deinit(&feed);
    }
}

/* What is refused at a flush is named all the same, also when its view was an earlier one; and all
 * before it is there. */
static void test_a_refusal_names_the_first_event_that_it_is_about(void **state)
{
    (void)state;
    setup("hash", "on", NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int! x:text");
    tell("SET d:t:2 mine");
    rf_test_create(&batch, table, "1|x");
    rf_test_update(&batch, table, "2|y", "2|x");
    rf_test_create(&batch, table, "3|x");
    rf_test_update(&batch, table, "2|x", "2|z");
    rf_test_update(&batch, table, "1|x", "1|y");
    expect_status(write_all(1), RF_OK);
    expect_status(rf_test_sink_flush(&sink, "1", &err), RF_REJECT);
    assert_ptr_equal(err.event, &batch.events[1]);
    expect_answer("EXISTS d:t:1", "1");
    expect_answer("HEXISTS rowferry:position:test:redis position", "0");
    rf_table_release(table);
    teardown();
}

/* Refused by ourselves, in the middle of what waits. */
static void test_what_waits_is_sent_before_a_row_is_refused(void **state)
{
    (void)state;
    setup("hash", "on", NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int! x:text");
    rf_test_create(&batch, table, "1|x");
    rf_test_update(&batch, table, "1|x", "1|y");
    struct rf_event *bad = rf_test_update(&batch, table, "1|y", "1|z");
    struct rf_value values[] = {bad->after[0], {.kind = RF_BYTES, .size = (512u << 20) + 1}};
    values[1].text = "";
    bad->after = values;
    expect_status(write_all(3), RF_REJECT);
    assert_ptr_equal(err.event, &batch.events[2]);
    expect_content("d:t:1 hash id=1 x=y\n");
    rf_table_release(table);
    teardown();
}

static void test_a_batch_that_is_not_full_is_seen_at_once(void **state)
{
    (void)state;
    setup("hash", "on", NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int! x:text");
    rf_test_create(&batch, table, "1|x");
    batch.bytes_max = 1 << 20;
    expect_status(write_all(1), RF_OK);
    expect_content("d:t:1 hash id=1 x=x\n");
    rf_test_create(&batch, table, "2|x");
    batch.bytes_max = 1;
    batch.current = true; /* full, and the source says that this is all */
    expect_status(write_some(1, 1), RF_OK);
    expect_content("d:t:1 hash id=1 x=x\nd:t:2 hash id=2 x=x\n");
    rf_table_release(table);
    teardown();
}

/* Many keys, each of them often: the window is sent several times, and is grown. */
static void test_hot_keys_are_written_a_tenth_as_often(void **state)
{
    (void)state;
    enum { CHANGES = 200000, KEYS = 10000 };
    setup("hash", "on", NULL, NULL);
    struct rf_table *table = rf_test_table("d", "t", "id:int! x:int");
    uint64_t seed = 5;
    char row[64];
    static int last[KEYS];
    for (int i = 0; i < CHANGES; i++) {
        bool hot = rf_test_random(&seed, 10) != 0;
        uint32_t id = rf_test_random(&seed, hot ? KEYS / 100 : KEYS);
        snprintf(row, sizeof row, "%u|%d", id, i + 1);
        rf_test_update(&batch, table, row, row);
        last[id] = i + 1;
    }
    expect_status(write_all(2000), RF_OK);
    flush("1");
    assert_in_range(calls_of("hset"), 5000, CHANGES / 8);
    for (uint32_t i = 0; i < KEYS; i += 7) {
        char command[64], expected[32];
        snprintf(command, sizeof command, "HGET d:t:%u x", i);
        snprintf(expected, sizeof expected, "%.0d", last[i]);
        expect_answer(command, expected);
    }
    rf_table_release(table);
    teardown();
}

static void test_json_holds_the_whole_row(void **state)
{
    (void)state;
    for (int fold = 0; fold < 2; fold++) {
        setup("json", fold ? "on" : "off", NULL, NULL);
        struct rf_table *table = rf_test_table(
            "d", "t", "id:int! name:text price:decimal more:json raw:bytes at:datetime");
        rf_test_create(&batch, table, "1|a\"b|9.50|{\"x\": [1, null]}|\xff|2024-02-29 12:00:00");
        rf_test_create(&batch, table, "2|NULL|0.00|NULL|NULL|NULL");
        rf_test_create(&batch, table, "3|c|1.00|[]|NULL|NULL");
        rf_test_create(&batch, table, "4|d|1.00||NULL|NULL");
        rf_test_update(&batch, table, "2|NULL|0.00|NULL|NULL|NULL", "2|e|?|5|?|?");
        rf_test_update(&batch, table, "3|c|1.00|[]|NULL|NULL", "5|c|?|?|?|?");
        rf_test_delete(&batch, table, "4|d|1.00||NULL|NULL");
        expect_status(write_all(2), RF_OK);
        flush("1");
        expect_content("d:t:1 string {\"id\":1,\"name\":\"a\\\"b\",\"price\":\"9.50\",\"more\":"
                       "{\"x\": [1, null]},\"raw\":\"/w==\",\"at\":\"2024-02-29T12:00:00\"}\n"
                       "d:t:2 string {\"id\":2,\"name\":\"e\",\"price\":\"0.00\",\"more\":5,"
                       "\"raw\":null,\"at\":null}\n"
                       "d:t:5 string {\"id\":5,\"name\":\"c\",\"price\":\"1.00\",\"more\":[],"
                       "\"raw\":null,\"at\":null}\n");
        /* Neither image tells it: JSON cannot be written in part. */
        struct rf_event *bad = rf_test_update(&batch, table, "1|?|?|?|?|?", "?|x|?|?|?|?");
        expect_status(write_some(batch.count - 1, 1), RF_REJECT);
        assert_ptr_equal(err.event, bad);
        assert_non_null(strstr(err.hint, "binlog_row_image=FULL"));
        rf_table_release(table);
        teardown();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_last_state_of_a_key_is_sent),
        cmocka_unit_test(test_changes_of_one_key_become_what_both_make),
        cmocka_unit_test(test_tables_that_share_a_key_do_not_mix_their_columns),
        cmocka_unit_test(test_folding_changes_nothing_of_what_is_there_in_the_end),
        cmocka_unit_test(test_a_refusal_names_the_first_event_that_it_is_about),
        cmocka_unit_test(test_what_waits_is_sent_before_a_row_is_refused),
        cmocka_unit_test(test_a_batch_that_is_not_full_is_seen_at_once),
        cmocka_unit_test(test_hot_keys_are_written_a_tenth_as_often),
        cmocka_unit_test(test_json_holds_the_whole_row),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
