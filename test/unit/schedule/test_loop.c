#include "schedule/clock.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

/* A clock that stands still until somebody waits or works. */
struct fake {
    int64_t now_ms;
    int waits, wakes;
};

static int64_t fake_now(void *argument)
{
    return ((struct fake *)argument)->now_ms;
}

static void fake_wait(void *argument, int64_t until_ms)
{
    struct fake *fake = argument;
    assert_true(until_ms > fake->now_ms);
    assert_true(until_ms < INT64_MAX); /* nobody would ever wake it */
    fake->now_ms = until_ms;
    fake->waits++;
}

static void fake_wake(void *argument)
{
    ((struct fake *)argument)->wakes++;
}

/* What the jobs of a test share: when each of them ran, as "a0 b100 a200". */
struct play {
    struct rf_loop loop;
    struct fake fake;
    char text[512];
    size_t size;
    uint32_t runs, runs_max;
    char reported[1024];
};

struct actor {
    struct play *play;
    char letter;
    int64_t takes_ms[8]; /* of each run in turn; the clock moves by it */
    uint32_t run;
    uint32_t fails_at; /* the run, from 1; 0: none */
};

static enum rf_status act(void *argument, struct rf_error *err)
{
    struct actor *actor = argument;
    struct play *play = actor->play;
    play->size +=
        (size_t)snprintf(play->text + play->size, sizeof play->text - play->size, "%s%c%d",
                         play->size > 0 ? " " : "", actor->letter, (int)play->fake.now_ms);
    assert_true(play->size < sizeof play->text);
    if (actor->run < 8) {
        play->fake.now_ms += actor->takes_ms[actor->run];
    }
    actor->run++;
    if (++play->runs >= play->runs_max) {
        rf_loop_stop(&play->loop);
    }
    if (actor->run == actor->fails_at) {
        return rf_fail(err, RF_RETRY, "run %u failed", actor->run);
    }
    return RF_OK;
}

static void report(void *argument, const struct rf_job *job, const struct rf_error *err)
{
    struct play *play = argument;
    snprintf(play->reported, sizeof play->reported, "%s: %s", job->name, err->message);
}

static void begin(struct play *play, uint32_t runs_max)
{
    memset(play, 0, sizeof *play);
    play->runs_max = runs_max;
    play->loop.clock = (struct rf_loop_clock){fake_now, fake_wait, fake_wake, &play->fake};
    play->loop.failed = report;
    play->loop.argument = play;
}

static struct rf_job job_of(struct actor *actor, int64_t every_ms)
{
    return (struct rf_job){.name = "job", .every_ms = every_ms, .run = act, .argument = actor};
}

static void test_beats_do_not_drift_however_long_a_run_takes(void **state)
{
    struct play play;
    (void)state;
    begin(&play, 5);
    struct actor a = {.play = &play, .letter = 'a', .takes_ms = {30, 99, 1, 50, 7}};
    struct rf_job job = job_of(&a, 100);
    rf_loop_add(&play.loop, &job);
    assert_int_equal(rf_loop_run(&play.loop, NULL), RF_OK);
    assert_string_equal(play.text, "a0 a100 a200 a300 a400");
    assert_int_equal(job.runs, 5);
    assert_int_equal(job.missed, 0);
}

static void test_beats_that_passed_are_missed_counted_and_not_made_up_for(void **state)
{
    static const struct {
        int64_t takes_ms;
        const char *seen;
        uint64_t missed;
    } cases[] = {
        {99, "a0 a100 a200", 0},     {100, "a0 a100 a200", 0}, /* just in time for the next one */
        {101, "a0 a200 a300", 1},    {200, "a0 a200 a300", 1},     {201, "a0 a300 a400", 2},
        {1000, "a0 a1000 a1100", 9}, {1050, "a0 a1100 a1200", 10},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct play play;
        begin(&play, 3);
        struct actor a = {.play = &play, .letter = 'a', .takes_ms = {cases[i].takes_ms}};
        struct rf_job job = job_of(&a, 100);
        rf_loop_add(&play.loop, &job);
        assert_int_equal(rf_loop_run(&play.loop, NULL), RF_OK);
        assert_string_equal(play.text, cases[i].seen);
        assert_int_equal(job.missed, cases[i].missed);
    }
}

static void test_of_two_that_are_due_at_once_the_first_added_runs_first(void **state)
{
    struct play play;
    (void)state;
    begin(&play, 7);
    struct actor b = {.play = &play, .letter = 'b'};
    struct actor a = {.play = &play, .letter = 'a'};
    struct rf_job jobs[] = {job_of(&b, 100), job_of(&a, 50)};
    rf_loop_add(&play.loop, &jobs[0]);
    rf_loop_add(&play.loop, &jobs[1]);
    assert_int_equal(rf_loop_run(&play.loop, NULL), RF_OK);
    assert_string_equal(play.text, "b0 a0 a50 b100 a100 a150 b200");
}

static void test_the_one_that_is_due_longest_runs_first(void **state)
{
    struct play play;
    (void)state;
    begin(&play, 4);
    struct actor slow = {.play = &play, .letter = 's', .takes_ms = {40}};
    struct actor early = {.play = &play, .letter = 'e'}, late = {.play = &play, .letter = 'l'};
    struct rf_job jobs[] = {job_of(&slow, 1000), job_of(&late, 1000), job_of(&early, 1000)};
    jobs[1].first_ms = 20;
    jobs[2].first_ms = 10;
    for (size_t i = 0; i < 3; i++) {
        rf_loop_add(&play.loop, &jobs[i]);
    }
    assert_int_equal(rf_loop_run(&play.loop, NULL), RF_OK);
    assert_string_equal(play.text, "s0 e40 l40 s1000");
}

static void test_a_slow_job_makes_others_late_but_does_not_shift_them(void **state)
{
    struct play play;
    (void)state;
    begin(&play, 5);
    struct actor slow = {.play = &play, .letter = 's', .takes_ms = {250}};
    struct actor a = {.play = &play, .letter = 'a'};
    struct rf_job jobs[] = {job_of(&slow, 1000), job_of(&a, 100)};
    rf_loop_add(&play.loop, &jobs[0]);
    rf_loop_add(&play.loop, &jobs[1]);
    assert_int_equal(rf_loop_run(&play.loop, NULL), RF_OK);
    assert_string_equal(play.text, "s0 a250 a300 a400 a500");
    assert_int_equal(jobs[1].missed, 2); /* those of 100 and 200; 0 was late */
}

static void test_a_failing_job_is_reported_and_goes_on(void **state)
{
    struct play play;
    (void)state;
    begin(&play, 3);
    struct actor a = {.play = &play, .letter = 'a', .fails_at = 2};
    struct rf_job job = job_of(&a, 100);
    job.name = "writer";
    rf_loop_add(&play.loop, &job);
    assert_int_equal(rf_loop_run(&play.loop, NULL), RF_OK);
    assert_string_equal(play.text, "a0 a100 a200");
    assert_string_equal(play.reported, "writer: run 2 failed");
    assert_int_equal(job.failures, 1);
}

static void test_a_failing_job_may_end_the_loop_with_its_error(void **state)
{
    struct play play;
    struct rf_error err = {0};
    (void)state;
    begin(&play, 9);
    struct actor a = {.play = &play, .letter = 'a', .fails_at = 2};
    struct rf_job job = job_of(&a, 100);
    job.policy = RF_JOB_STOP;
    rf_loop_add(&play.loop, &job);
    assert_int_equal(rf_loop_run(&play.loop, &err), RF_RETRY);
    assert_string_equal(play.text, "a0 a100");
    assert_string_equal(err.message, "run 2 failed");
    assert_string_equal(play.reported, "job: run 2 failed");
}

static enum rf_status nothing_to_do(void *argument, struct rf_error *err)
{
    struct play *play = argument;
    (void)err;
    if (++play->runs >= play->runs_max) {
        rf_loop_stop(&play->loop);
    }
    return RF_AGAIN;
}

static void test_nothing_to_do_is_no_failure(void **state)
{
    struct play play;
    (void)state;
    begin(&play, 3);
    struct rf_job job = {"idle", 10, 0, RF_JOB_STOP, nothing_to_do, &play, 0, 0, 0, 0};
    rf_loop_add(&play.loop, &job);
    assert_int_equal(rf_loop_run(&play.loop, NULL), RF_OK);
    assert_int_equal(job.runs, 3);
    assert_int_equal(job.failures, 0);
    assert_string_equal(play.reported, "");
}

static void test_a_stop_before_the_start_runs_nothing(void **state)
{
    struct play play;
    (void)state;
    begin(&play, 9);
    struct actor a = {.play = &play, .letter = 'a'};
    struct rf_job job = job_of(&a, 100);
    rf_loop_add(&play.loop, &job);
    rf_loop_stop(&play.loop);
    assert_int_equal(rf_loop_run(&play.loop, NULL), RF_OK);
    assert_int_equal(job.runs, 0);
    assert_int_equal(play.fake.wakes, 1);
}

static void *stop_from_outside(void *argument)
{
    rf_loop_stop(argument);
    return NULL;
}

static enum rf_status stop_later(void *argument, struct rf_error *err)
{
    pthread_t *thread = argument;
    (void)err;
    /* The thread's loop is the first member behind it. */
    assert_int_equal(pthread_create(thread, NULL, stop_from_outside, thread + 1), 0);
    return RF_OK;
}

static void test_another_thread_ends_a_long_wait_at_once(void **state)
{
    struct {
        pthread_t thread;
        struct rf_loop loop;
    } both = {0};
    struct rf_wake_clock clock = {0};
    struct rf_error err = {0};
    (void)state;
    assert_int_equal(rf_wake_clock_open(&clock, &err), RF_OK);
    both.loop.clock = rf_wake_clock_of(&clock);
    /* Its second beat is an hour away; this test's time limit is a minute. */
    struct rf_job job = {.name = "rare", .every_ms = 3600 * 1000, .run = stop_later};
    job.argument = &both.thread;
    rf_loop_add(&both.loop, &job);
    assert_int_equal(rf_loop_run(&both.loop, &err), RF_OK);
    assert_int_equal(job.runs, 1);
    pthread_join(both.thread, NULL);
    rf_wake_clock_close(&clock);
    rf_wake_clock_close(&clock);
}

static enum rf_status stop_at_third(void *argument, struct rf_error *err)
{
    struct rf_loop *loop = argument;
    (void)err;
    if (++loop->jobs[0]->failures == 3) { /* a counter that the loop leaves alone here */
        rf_loop_stop(loop);
    }
    return RF_OK;
}

static void test_the_real_clock_waits_for_the_beats(void **state)
{
    struct rf_wake_clock clock = {0};
    struct rf_loop loop = {0};
    (void)state;
    assert_int_equal(rf_wake_clock_open(&clock, NULL), RF_OK);
    loop.clock = rf_wake_clock_of(&clock);
    struct rf_job job = {.name = "soon", .every_ms = 20, .run = stop_at_third, .argument = &loop};
    int64_t begin_ms = rf_clock_ms();
    rf_loop_add(&loop, &job);
    assert_int_equal(rf_loop_run(&loop, NULL), RF_OK);
    assert_true(rf_clock_ms() - begin_ms >= 40);
    rf_wake_clock_close(&clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beats_do_not_drift_however_long_a_run_takes),
        cmocka_unit_test(test_beats_that_passed_are_missed_counted_and_not_made_up_for),
        cmocka_unit_test(test_of_two_that_are_due_at_once_the_first_added_runs_first),
        cmocka_unit_test(test_the_one_that_is_due_longest_runs_first),
        cmocka_unit_test(test_a_slow_job_makes_others_late_but_does_not_shift_them),
        cmocka_unit_test(test_a_failing_job_is_reported_and_goes_on),
        cmocka_unit_test(test_a_failing_job_may_end_the_loop_with_its_error),
        cmocka_unit_test(test_nothing_to_do_is_no_failure),
        cmocka_unit_test(test_a_stop_before_the_start_runs_nothing),
        cmocka_unit_test(test_another_thread_ends_a_long_wait_at_once),
        cmocka_unit_test(test_the_real_clock_waits_for_the_beats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
