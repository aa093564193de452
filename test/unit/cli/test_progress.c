#include "cli/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect_text(struct rf_buf *out, const char *wanted)
{
    assert_string_equal(rf_buf_cstr(out), wanted);
    rf_buf_deinit(out);
}

static void test_numbers_have_a_comma_every_three_digits(void **state)
{
    static const struct {
        uint64_t number;
        const char *text;
    } cases[] = {{0, "0"},
                 {7, "7"},
                 {999, "999"},
                 {1000, "1,000"},
                 {123456, "123,456"},
                 {UINT64_MAX, "18,446,744,073,709,551,615"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_buf out = {0};
        rf_print_number(&out, cases[i].number);
        expect_text(&out, cases[i].text);
    }
}

static void test_ages_have_their_two_largest_units(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {{-5, "0s"},         {0, "0s"},         {59, "59s"},
                 {60, "1m 0s"},      {3599, "59m 59s"}, {3600, "1h 0m"},
                 {86399, "23h 59m"}, {86400, "1d 0h"},  {90061, "1d 1h"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_buf out = {0};
        rf_print_age(&out, cases[i].seconds * 1000000 + 999999 * (cases[i].seconds >= 0));
        expect_text(&out, cases[i].text);
    }
}

static void test_times_are_utc(void **state)
{
    struct rf_buf out = {0};
    (void)state;
    rf_print_time(&out, 1709208000000000);
    expect_text(&out, "2024-02-29 12:00:00");
}

static void test_a_position_is_shown_by_its_gtids_or_its_place(void **state)
{
    static const struct {
        const char *position;
        const char *text;
    } cases[] = {
        {"", ""},
        {"0-1-7", "0-1-7"},
        {"plain", "plain"},
        {"mariadb:gtid=0-1-300000,1-2-7;file=bin.000003;start=4;end=1234;last=0-1-1",
         "0-1-300000,1-2-7"},
        {"mariadb:gtid=;file=bin.000003;end=1234;server=1", "bin.000003:1234"},
        {"mariadb:gtid=;file=;end=1234", "mariadb:gtid=;file=;end=1234"},
        {"other:x=1;y=2", "other:x=1;y=2"},
        {"other:", "other:"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_buf scratch = {0};
        struct rf_buf out = {0};
        rf_buf_add_str(&out, rf_position_short(rf_str_of(cases[i].position), &scratch));
        expect_text(&out, cases[i].text);
        rf_buf_deinit(&scratch);
    }
}

static void test_the_rate_is_of_the_last_samples_only(void **state)
{
    struct rf_rate rate = {0};
    uint64_t events = 0;
    (void)state;
    assert_int_equal(rf_rate_add(&rate, 1000, 0), 0);
    assert_int_equal(rf_rate_add(&rate, 1000, 5), 0); /* no time has passed */
    assert_int_equal(rf_rate_add(&rate, 1500, 500), 1000);
    for (int64_t at_ms = 2000; at_ms < 2000 + 250 * RF_RATE_SAMPLES; at_ms += 250) {
        events = (uint64_t)(at_ms - 1000);
        rf_rate_add(&rate, at_ms, events);
    }
    assert_int_equal(rf_rate_add(&rate, 2000 + 250 * RF_RATE_SAMPLES, events + 250), 1000);
    /* 15 samples of rest, and nothing of the rush before is left */
    for (int i = 1; i < RF_RATE_SAMPLES; i++) {
        rf_rate_add(&rate, 6000 + 250 * i, events + 250);
    }
    assert_int_equal(rf_rate_add(&rate, 6000 + 250 * RF_RATE_SAMPLES, events + 250), 0);
}

static struct rf_progress sample(void)
{
    return (struct rf_progress){
        .position = RF_STR("mariadb:gtid=0-1-300000;file=bin.000001;end=77"),
        .events = 1234567,
        .rate = 12345,
        .lag_us = 2500000,
        .source = {.name = "mysql", .state = RF_PROGRESS_BUSY},
        .sinks = {{.name = "redis", .state = RF_PROGRESS_OK},
                  {.name = "file", .state = RF_PROGRESS_RETRYING, .retry_in_ms = 2001}},
        .sink_count = 2,
    };
}

static void test_the_line_says_where_how_fast_and_how_each_sink_does(void **state)
{
    struct rf_progress progress = sample();
    struct rf_buf out = {0};
    (void)state;
    rf_progress_line(&progress, 0, &out);
    expect_text(&out, "0-1-300000  12,345/s  1,234,567 events  lag 2s  redis ok  file retry in 3s");
    progress.source.state = RF_PROGRESS_RETRYING;
    progress.source.retry_in_ms = 0;
    progress.lag_us = -1;
    progress.events = 1;
    progress.position = RF_STR_NONE;
    progress.sinks[0].state = RF_PROGRESS_WAITING;
    progress.sink_count = 1;
    progress.more_sinks = 3;
    rf_progress_line(&progress, 200, &out);
    expect_text(&out, "mysql retrying  -  12,345/s  1 event  lag -  redis waiting  and 3 more");
}

static void test_trouble_has_a_colour_that_takes_no_room(void **state)
{
    struct rf_progress progress = sample();
    struct rf_buf out = {0};
    (void)state;
    progress.coloured = true;
    progress.sinks[0].state = RF_PROGRESS_OWN_FEED;
    progress.sinks[0].lag_us = -1;
    progress.sink_count = 3;
    progress.sinks[2] = (struct rf_progress_actor){.name = "null", .buried = 2};
    rf_progress_line(&progress, 0, &out);
    assert_int_equal(rf_progress_width(rf_buf_str(&out)), 99);
    expect_text(&out,
                "0-1-300000  12,345/s  1,234,567 events  lag 2s  redis \033[33mown feed\033[0m  "
                "file \033[31mretry in 3s\033[0m  null \033[33mok, 2 buried\033[0m");
    /* cut inside a colour: it ends there */
    rf_progress_line(&progress, 43, &out);
    assert_int_equal(rf_progress_width(rf_buf_str(&out)), 43);
    expect_text(&out, "0-1-300000  12,345/s  lag 2s  redis \033[33mown fee\033[0m");
    progress.sinks[0].state = RF_PROGRESS_BUSY;
    progress.sink_count = 1;
    rf_progress_line(&progress, 0, &out);
    expect_text(&out, "0-1-300000  12,345/s  1,234,567 events  lag 2s  redis busy");
}

static void test_the_line_is_cut_at_the_terminals_width(void **state)
{
    struct rf_progress progress = sample();
    struct rf_buf out = {0};
    char position[200] = {0};
    (void)state;
    rf_progress_line(&progress, 79, &out);
    expect_text(&out, "0-1-300000  12,345/s  1,234,567 events  lag 2s  redis ok  file retry in 3s");
    rf_progress_line(&progress, 73, &out);
    expect_text(&out, "0-1-300000  12,345/s  lag 2s  redis ok  file retry in 3s");
    rf_progress_line(&progress, 55, &out);
    expect_text(&out, "0-1-300000  12,345/s  lag 2s  file retry in 3s  1 ok");
    rf_progress_line(&progress, 20, &out);
    expect_text(&out, "0-1-300000  12,345/s");
    memset(position, '7', sizeof position - 1);
    progress.position = rf_str_of(position);
    rf_progress_line(&progress, 79, &out);
    expect_text(&out, "..7777777777777777777777  12,345/s  lag 2s  redis ok  file retry in 3s");
    for (uint32_t columns = 1; columns < 300; columns++) {
        rf_progress_line(&progress, columns, &out);
        assert_true(out.size <= columns);
        rf_buf_deinit(&out);
    }
}

static void test_the_line_names_what_is_far_behind_skipped_or_buried(void **state)
{
    struct rf_progress progress = sample();
    struct rf_buf out = {0};
    (void)state;
    progress.waived = 7;
    progress.sinks[0].buried = 1234;
    progress.sinks[1].state = RF_PROGRESS_OWN_FEED;
    progress.sinks[1].lag_us = 181 * 1000000LL;
    rf_progress_line(&progress, 0, &out);
    expect_text(&out, "0-1-300000  12,345/s  1,234,567 events  7 skipped  lag 2s  "
                      "redis ok, 1,234 buried  file own feed 3m 1s");
    progress.sinks[1].lag_us = -1;
    rf_progress_line(&progress, 60, &out);
    expect_text(&out, "0-1-300000  12,345/s  7 skipped  lag 2s  redis ok, 1,234 bur");
}

static void test_a_long_name_is_shortened(void **state)
{
    struct rf_progress progress = sample();
    struct rf_buf out = {0};
    (void)state;
    snprintf(progress.sinks[0].name, sizeof progress.sinks[0].name, "12345678901234567890");
    snprintf(progress.sinks[1].name, sizeof progress.sinks[1].name,
             "123456789012345678\xc3\xa4"
             "901");
    rf_progress_line(&progress, 0, &out);
    expect_text(&out, "0-1-300000  12,345/s  1,234,567 events  lag 2s  12345678901234567890 ok  "
                      "123456789012345678.. retry in 3s");
}

static void test_a_character_is_never_cut_in_two(void **state)
{
    struct rf_progress progress = sample();
    struct rf_buf out = {0};
    (void)state;
    progress.position = RF_STR("\xc3\xa4\xc3\xb6\xc3\xbc");
    rf_progress_line(&progress, 2, &out);
    expect_text(&out, "\xc3\xa4\xc3\xb6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_have_a_comma_every_three_digits),
        cmocka_unit_test(test_ages_have_their_two_largest_units),
        cmocka_unit_test(test_times_are_utc),
        cmocka_unit_test(test_a_position_is_shown_by_its_gtids_or_its_place),
        cmocka_unit_test(test_the_rate_is_of_the_last_samples_only),
        cmocka_unit_test(test_the_line_says_where_how_fast_and_how_each_sink_does),
        cmocka_unit_test(test_trouble_has_a_colour_that_takes_no_room),
        cmocka_unit_test(test_the_line_is_cut_at_the_terminals_width),
        cmocka_unit_test(test_the_line_names_what_is_far_behind_skipped_or_buried),
        cmocka_unit_test(test_a_long_name_is_shortened),
        cmocka_unit_test(test_a_character_is_never_cut_in_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
