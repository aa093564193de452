#include "control/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char sample[] =
    "{\"name\":\"shop\",\"pid\":4711,\"uptime_ms\":73000,\"stopping\":false,\"healthy\":true,"
    "\"source\":{\"name\":\"\",\"address\":\"mysql://cdc@db:3306/shop.*\",\"state\":\"streaming\","
    "\"own_feed\":false,\"position\":\"0-1-7\",\"recorded\":\"\",\"lag_ms\":-1,\"events\":12,"
    "\"transactions\":3,\"events_per_second\":4,\"events_per_second_total\":5,\"skipped\":6,"
    "\"waived\":7,\"marked\":4,\"gone\":5,\"buried\":0,\"held_bytes\":8,\"error\":\"\",\"try\":0,"
    "\"retry_in_"
    "ms\":0},"
    "\"sinks\":[{\"name\":\"redis://cache\",\"address\":\"redis://u@cache\",\"state\":\"retrying\","
    "\"own_feed\":true,\"position\":\"0-1-6\",\"recorded\":\"0-1-5\",\"lag_ms\":1500,\"events\":9,"
    "\"transactions\":2,\"events_per_second\":1,\"events_per_second_total\":1,\"skipped\":0,"
    "\"waived\":0,\"marked\":0,\"gone\":0,\"buried\":18446744073709551615,\"held_bytes\":0,"
    "\"error\":\"say \\\"no\\\"\\\\\\u000a\",\"try\":3,\"retry_in_ms\":2100}]}";

static void assert_str(struct rf_str str, const char *text)
{
    assert_int_equal(str.size, strlen(text));
    assert_memory_equal(str.data ? str.data : "", text, str.size);
}

static enum rf_status read_it(struct rf_document *document, const char *json, struct rf_error *err)
{
    /* On the heap, so that a byte too far is seen. */
    size_t size = strlen(json);
    char *copy = malloc(size + 1);
    memcpy(copy, json, size);
    char *exact = realloc(copy, size > 0 ? size : 1);
    enum rf_status status = rf_document_read(document, (struct rf_str){exact, size}, err);
    free(exact);
    return status;
}

static void test_what_is_written_is_read(void **state)
{
    struct rf_document document = {0};
    struct rf_error err;
    struct rf_buf again = {0};
    (void)state;
    assert_int_equal(read_it(&document, sample, &err), RF_OK);
    assert_str(document.name, "shop");
    assert_int_equal(document.pid, 4711);
    assert_true(document.healthy);
    assert_str(document.source.address, "mysql://cdc@db:3306/shop.*");
    assert_int_equal(document.source.lag_ms, -1);
    assert_int_equal(document.source.held_bytes, 8);
    assert_int_equal(document.sink_count, 1);
    assert_str(document.sinks[0].error, "say \"no\"\\\n");
    assert_true(document.sinks[0].own_feed);
    assert_true(document.sinks[0].buried == UINT64_MAX);
    rf_document_print(&again, &document);
    assert_str(rf_buf_str(&again), sample);
    rf_buf_deinit(&again);
    rf_document_deinit(&document);
}

static void test_members_of_a_newer_version_are_left_out(void **state)
{
    struct rf_document document = {0};
    struct rf_error err;
    (void)state;
    assert_int_equal(
        read_it(&document,
                " { \"new\" : [1, -2.5e3, {\"a\":null,\"b\":[]}, \"\\ud83d\\ude00\", true] ,"
                "\"a name that is longer than any of ours\":1, "
                "\"name\":\"\\u00e4\\u20ac\\ud83d\\ude00\","
                "\"sinks\":[{},{\"events\":3}] }\n",
                &err),
        RF_OK);
    assert_str(document.name, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_int_equal(document.sink_count, 2);
    assert_int_equal(document.sinks[1].events, 3);
    assert_int_equal(document.source.events, 0);
    rf_document_deinit(&document);
}

static void test_what_is_no_document_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "[]",
        "{",
        "{\"name\":",
        "{\"name\":\"a",
        "{\"name\":\"a\"",
        "{\"name\":\"a\"}}",
        "{\"name\":1}",
        "{\"pid\":\"1\"}",
        "{\"pid\":1.5}",
        "{\"pid\":99999999999999999999}",
        "{\"stopping\":maybe}",
        "{\"name\":\"\\x\"}",
        "{\"name\":\"\\u12g4\"}",
        "{\"name\":\"\\ud83d\"}",
        "{\"name\":\"\\ud83d\\u0041\"}",
        "{\"name\":\"\\ude00\"}",
        "{\"name\":\"a\nb\"}",
        "{\"sinks\":{}}",
        "{\"sinks\":[1]}",
        "{\"sinks\":[{}",
        "{\"x\":[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]}",
        "{\"x\":}",
        "{\"name\":\"\\",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct rf_document document = {0};
        struct rf_error err = {0};
        if (read_it(&document, bad[i], &err) != RF_FATAL) {
            fail_msg("was taken: %s", bad[i]);
        }
        assert_non_null(strstr(err.message, "no running pipeline"));
        rf_document_deinit(&document);
    }
}

/* Every cut of a good one as well. */
static void test_an_answer_that_was_cut_is_refused(void **state)
{
    (void)state;
    for (size_t size = 0; size + 1 < sizeof sample; size++) {
        struct rf_document document = {0};
        char *part = strndup(sample, size);
        assert_int_equal(read_it(&document, part, NULL), RF_FATAL);
        rf_document_deinit(&document);
        free(part);
    }
}

static void test_bytes_that_are_no_utf8_are_marked(void **state)
{
    struct rf_document document = {.name = RF_STR("a\xff\xc3\xa4\xed\xa0\x80\xc0\x80\x7f\t")};
    struct rf_buf out = {0};
    (void)state;
    rf_document_print(&out, &document);
    assert_non_null(
        strstr(rf_buf_cstr(&out),
               "\"a\\u00ff\xc3\xa4\\u00ed\\u00a0\\u0080\\u00c0\\u0080\\u007f\\u0009\""));
    rf_buf_deinit(&out);
}

static void test_health_is_that_everything_is_at_work(void **state)
{
    static const struct {
        enum rf_phase source, sink;
        bool stopping, healthy;
    } cases[] = {
        {RF_PHASE_STREAMING, RF_PHASE_STREAMING, false, true},
        {RF_PHASE_FULL, RF_PHASE_STREAMING, false, true},
        {RF_PHASE_CLOSED, RF_PHASE_STREAMING, false, true}, /* parked: a sink is slow */
        {RF_PHASE_DONE, RF_PHASE_DONE, false, true},
        {RF_PHASE_STREAMING, RF_PHASE_STREAMING, true, false},
        {RF_PHASE_CONNECTING, RF_PHASE_STREAMING, false, false},
        {RF_PHASE_RETRYING, RF_PHASE_STREAMING, false, false},
        {RF_PHASE_STREAMING, RF_PHASE_RETRYING, false, false},
        {RF_PHASE_STREAMING, RF_PHASE_CONNECTING, false, false},
        {RF_PHASE_STREAMING, RF_PHASE_CLOSED, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_document_actor sinks[2] = {
            {.state = rf_str_of(rf_phase_name(RF_PHASE_STREAMING))},
            {.state = rf_str_of(rf_phase_name(cases[i].sink))}};
        struct rf_document document = {
            .stopping = cases[i].stopping,
            .source.state = rf_str_of(rf_phase_name(cases[i].source)),
            .sinks = sinks,
            .sink_count = 2,
        };
        assert_int_equal(rf_document_judge(&document), cases[i].healthy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_members_of_a_newer_version_are_left_out),
        cmocka_unit_test(test_what_is_no_document_is_refused),
        cmocka_unit_test(test_an_answer_that_was_cut_is_refused),
        cmocka_unit_test(test_bytes_that_are_no_utf8_are_marked),
        cmocka_unit_test(test_health_is_that_everything_is_at_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
