/* The core's decisions as lines of the log: what a person who was woken by them reads. */
#include "engine/core_state.h"
#include "engine/worker.h"

#include <rowferry/log.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { SINK = RF_CORE_SINK, OTHER, OWN = RF_CORE_SINK + 2, ACTORS = 5 };

static bool contains(struct rf_str position, struct rf_str other)
{
    return rf_str_equal(position, other);
}

static const struct rf_sink_type redis = {.name = "redis"}, file = {.name = "file"};
static const struct rf_sink_spec specs[2] = {
    {.type = &redis, .address = "redis://cache/0", .dead_letters = "/var/refused.jsonl"},
    {.type = &file, .address = "file:out.jsonl"},
};
static struct {
    struct rf_worker workers[ACTORS];
    struct rf_pipeline pipeline;
    struct rf_buf log;
} page;

static int set_up(void **state)
{
    (void)state;
    const struct rf_core_options options = {.sink_count = 2, .contains = contains};
    memset(&page, 0, sizeof page);
    for (uint32_t i = 0; i < ACTORS; i++) {
        struct rf_worker *worker = &page.workers[i];
        worker->address = "mysql://db";
        if (i == SINK || i == OTHER) {
            worker->sink = &specs[i - SINK];
            worker->address = worker->sink->address;
        }
        worker->feed = i >= OWN ? 1 + i - OWN : 0;
    }
    page.pipeline.options.sinks = specs;
    page.pipeline.options.sink_count = 2;
    page.pipeline.workers = page.workers;
    page.pipeline.core = rf_core_create(&options);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rf_core_destroy(page.pipeline.core);
    rf_buf_deinit(&page.log);
    return 0;
}

static struct rf_news_item *tell(enum rf_news_kind kind, uint32_t actor, const char *position)
{
    struct rf_news_item *item = rf_core_tell(page.pipeline.core, kind, actor);
    rf_buf_set(&item->position, rf_str_of(position));
    return item;
}

/* The level, then "actor<tab>message". */
static void expect_line(enum rf_level level, const char *line)
{
    struct rf_buf wanted = {0};
    rf_buf_printf(&wanted, "%d%s\n", (int)level, line);
    rf_buf_reset(&page.log);
    rf_news_collect(&page.pipeline, &page.log);
    assert_string_equal(rf_buf_cstr(&page.log), rf_buf_cstr(&wanted));
    rf_buf_deinit(&wanted);
}

static void test_a_feed_of_its_own_is_told_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        enum rf_own_feed why;
        enum rf_level level;
        const char *reason;
    } cases[] = {
        {RF_OWN_SLOW, RF_LOG_WARN, "it was too slow for the others, which waited for it"},
        {RF_OWN_BEHIND, RF_LOG_INFO, "it stands far behind the others"},
        {RF_OWN_ADDED, RF_LOG_INFO, "it begins at another place than the others"},
        {RF_OWN_RETURNED, RF_LOG_INFO,
         "it came back, and what it needs next is not kept in memory any more"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[400];
        tell(RF_NEWS_OWN_FEED, SINK, "0-1-7")->news.why = cases[i].why;
        snprintf(line, sizeof line,
                 "redis redis://cache/0\t%s; it gets a feed of its own, from 0-1-7 on, so that "
                 "nobody waits for it, and goes along with the others again once it has caught up",
                 cases[i].reason);
        expect_line(cases[i].level, line);
    }
}

static void test_the_way_back_is_told_with_its_place(void **state)
{
    (void)state;
    tell(RF_NEWS_REJOINED, OTHER, "0-1-90");
    expect_line(RF_LOG_INFO, "file file:out.jsonl\tcaught up at 0-1-90; it goes along with the "
                             "others again");
}

static void test_a_buried_event_is_told_with_its_file_and_what_to_do(void **state)
{
    (void)state;
    struct rf_news_item *item = tell(RF_NEWS_BURIED, SINK, "");
    rf_buf_set(&item->message, RF_STR("insert of shop.a, event 0-1-7:0:3: too large"));
    expect_line(RF_LOG_WARN, "redis redis://cache/0\tinsert of shop.a, event 0-1-7:0:3: too large; "
                             "the event is in /var/refused.jsonl, and the sink goes on without it");
    item = tell(RF_NEWS_BURIED, SINK, "");
    rf_buf_set(&item->message, RF_STR("too large"));
    rf_buf_set(&item->hint, RF_STR("leave out the column"));
    expect_line(RF_LOG_WARN, "redis redis://cache/0\ttoo large; the event is in "
                             "/var/refused.jsonl, and the sink goes on without it (leave out the "
                             "column)");
}

static void test_a_destination_that_stands_elsewhere_is_told_with_its_direction(void **state)
{
    (void)state;
    tell(RF_NEWS_MOVED, SINK, "0-1-9");
    expect_line(RF_LOG_INFO,
                "redis redis://cache/0\tthe destination itself stands ahead of what was "
                "recorded, and it decides: 0-1-9");
    tell(RF_NEWS_MOVED, SINK, "0-1-3")->news.behind = true;
    expect_line(RF_LOG_INFO, "redis redis://cache/0\tthe destination itself stands before what was "
                             "recorded, and it decides: 0-1-3");
}

static void test_who_comes_back_is_told_of_and_a_first_opening_is_not(void **state)
{
    (void)state;
    tell(RF_NEWS_OPENED, SINK, "0-1-9");
    expect_line(RF_LOG_DEBUG, "redis redis://cache/0\topen at 0-1-9");
    tell(RF_NEWS_OPENED, SINK, "0-1-9")->news.try = 3;
    expect_line(RF_LOG_INFO, "redis redis://cache/0\tanswers again, and goes on at 0-1-9");
}

static void test_the_source_of_one_sink_is_told_from_the_shared_one(void **state)
{
    (void)state;
    struct rf_news_item *item = tell(RF_NEWS_RETRY, OWN + 1, "");
    rf_buf_set(&item->message, RF_STR("Too many connections"));
    item->news.delay_ms = 1500;
    item->news.try = 3;
    expect_line(RF_LOG_WARN, "source mysql://db for file:out.jsonl alone\tToo many connections; "
                             "trying again in 1.5 s (try 3)");
    tell(RF_NEWS_PARKED, RF_CORE_SOURCE, "");
    expect_line(RF_LOG_WARN, "source mysql://db\tclosed for now, as the sinks have not kept up for "
                             "30 s");
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_a_feed_of_its_own_is_told_with_its_reason),
        test(test_the_way_back_is_told_with_its_place),
        test(test_a_buried_event_is_told_with_its_file_and_what_to_do),
        test(test_a_destination_that_stands_elsewhere_is_told_with_its_direction),
        test(test_who_comes_back_is_told_of_and_a_first_opening_is_not),
        test(test_the_source_of_one_sink_is_told_from_the_shared_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
