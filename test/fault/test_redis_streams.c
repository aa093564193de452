/* Redis dies again and again while streams are written, and each time we go on at its position:
 * every event is there once, in order, under the id that it would have had without. */
#include "lib/subjects.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

extern const struct rf_sink_type rf_sink_redis;

enum { BATCHES = 600, CRASHES_MIN = 10, CRASHES_MAX = 200 };

static const struct rf_test_subject *stream_subject(void)
{
    const struct rf_test_subject *subject = rf_test_subjects;
    while (subject->name != NULL && strcmp(subject->name, "redis as stream") != 0) {
        subject++;
    }
    assert_non_null(subject->name);
    return subject;
}

static uint64_t number_of(struct rf_str position)
{
    uint64_t number = 0;
    assert_true(position.size == 0 || rf_str_to_u64(position, &number));
    return number;
}

struct crash {
    const struct rf_test_subject *subject;
    int delay_ms;
};

static void *crash_soon(void *argument)
{
    const struct crash *crash = argument;
    poll(NULL, 0, crash->delay_ms);
    crash->subject->crash();
    return NULL;
}

/* From where the sink stands to the end of the feed, or until an error. */
static enum rf_status work(struct rf_test_sink *sink, const struct rf_test_feed *feed,
                           uint64_t *seed, struct rf_error *err)
{
    uint64_t accepted = number_of(rf_test_sink_position(sink));
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < feed->batch_count && status == RF_OK; i++) {
        struct rf_view view;
        char position[24];
        if (!rf_test_feed_view(feed, i, accepted, &view)) {
            continue;
        }
        status = sink->type->write(sink->state, &view, err);
        if (status == RF_OK && view.batch->position.size > 0) {
            accepted = number_of(view.batch->position);
        }
        if (status == RF_OK && (rf_test_random(seed, 4) == 0 || i + 1 == feed->batch_count)) {
            snprintf(position, sizeof position, "%llu", (unsigned long long)accepted);
            status = rf_test_sink_flush(sink, position, err);
        }
    }
    return status;
}

static void test_crashes_of_redis_lose_and_double_no_entry(void **state)
{
    (void)state;
    const struct rf_test_subject *subject = stream_subject();
    struct rf_test_sink sink = {.type = &rf_sink_redis, .settings = subject->begin()};
    struct rf_test_feed feed;
    struct rf_error err = {0};
    struct rf_buf content = {0}, expected = {0};
    uint64_t seed = 3;
    uint32_t crashes = 0;
    bool done = false;
    rf_test_feed_init(&feed, seed, BATCHES);
    while (!done) {
        /* The later ones leave it the time to come to the end. */
        struct crash crash = {subject, (int)rf_test_random(&seed, 8 + crashes * crashes / 8)};
        pthread_t thread;
        assert_int_equal(rf_test_sink_open(&sink, &err), RF_OK);
        assert_int_equal(pthread_create(&thread, NULL, crash_soon, &crash), 0);
        enum rf_status status = work(&sink, &feed, &seed, &err);
        pthread_join(thread, NULL);
        if (status != RF_OK && status != RF_RETRY) {
            print_message("%s\n", err.message);
        }
        assert_true(status == RF_OK || status == RF_RETRY);
        done = status == RF_OK;
        rf_test_sink_close(&sink);
        subject->revive();
        assert_true(++crashes < CRASHES_MAX);
    }
    assert_true(crashes >= CRASHES_MIN);
    subject->content(&sink, &content);
    subject->expected(&feed, NULL, &expected);
    assert_true(rf_str_equal(rf_buf_str(&content), rf_buf_str(&expected)));
    rf_buf_deinit(&content);
    rf_buf_deinit(&expected);
    rf_test_sink_deinit(&sink);
    rf_test_feed_deinit(&feed);
    subject->end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crashes_of_redis_lose_and_double_no_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
