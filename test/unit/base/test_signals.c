#include "base/signals.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <poll.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT_MS = 10000 };

struct seen {
    atomic_int hangups;
    atomic_int stops;
    atomic_int resizes;
};

static void on_stop(void *argument)
{
    atomic_fetch_add(&((struct seen *)argument)->stops, 1);
}

static void on_resized(void *argument)
{
    atomic_fetch_add(&((struct seen *)argument)->resizes, 1);
}

static void on_hangup(void *argument)
{
    atomic_fetch_add(&((struct seen *)argument)->hangups, 1);
}

static void on_leave(void *argument)
{
    (void)argument;
    if (write(STDOUT_FILENO, "", 0) != 0) {
        abort();
    }
}

static void wait_for(atomic_int *count, int wanted)
{
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    while (atomic_load(count) < wanted) {
        assert_true(rf_clock_ms() < until_ms);
        sched_yield();
    }
}

static struct rf_signals listening(struct seen *seen)
{
    return (struct rf_signals){
        .stop = on_stop, .leave = on_leave, .resized = on_resized, .argument = seen};
}

static void test_the_first_signal_asks_for_a_stop_and_is_remembered(void **state)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct seen seen = {0};
        struct rf_signals signals = listening(&seen);
        rf_signals_block(&signals);
        rf_signals_listen(&signals);
        assert_int_equal(rf_signals_caught(&signals), 0);
        kill(getpid(), numbers[i]);
        wait_for(&seen.stops, 1);
        rf_signals_deinit(&signals);
        assert_int_equal(rf_signals_caught(&signals), numbers[i]);
        assert_int_equal(atomic_load(&seen.stops), 1);
    }
}

static void test_a_signal_from_before_listening_is_not_lost(void **state)
{
    struct seen seen = {0};
    struct rf_signals signals = listening(&seen);
    (void)state;
    rf_signals_block(&signals);
    kill(getpid(), SIGTERM);
    rf_signals_listen(&signals);
    wait_for(&seen.stops, 1);
    rf_signals_deinit(&signals);
}

static void test_a_resize_is_no_reason_to_stop(void **state)
{
    struct seen seen = {0};
    struct rf_signals signals = listening(&seen);
    (void)state;
    rf_signals_block(&signals);
    rf_signals_listen(&signals);
    kill(getpid(), SIGWINCH);
    wait_for(&seen.resizes, 1);
    rf_signals_deinit(&signals);
    assert_int_equal(rf_signals_caught(&signals), 0);
    assert_int_equal(atomic_load(&seen.stops), 0);
}

static void test_a_hangup_that_means_something_else_never_stops(void **state)
{
    struct seen seen = {0};
    struct rf_signals signals = listening(&seen);
    (void)state;
    signals.hangup = on_hangup;
    rf_signals_block(&signals);
    rf_signals_listen(&signals);
    for (int times = 1; times <= 3; times++) {
        kill(getpid(), SIGHUP);
        wait_for(&seen.hangups, times);
    }
    assert_int_equal(rf_signals_caught(&signals), 0);
    kill(getpid(), SIGTERM);
    wait_for(&seen.stops, 1);
    kill(getpid(), SIGHUP); /* is not the second signal that leaves at once */
    wait_for(&seen.hangups, 4);
    rf_signals_deinit(&signals);
    assert_int_equal(rf_signals_caught(&signals), SIGTERM);
    assert_int_equal(atomic_load(&seen.stops), 1);
}

static void test_an_ignored_signal_stays_ignored(void **state)
{
    struct seen seen = {0};
    struct rf_signals signals = listening(&seen);
    (void)state;
    signal(SIGHUP, SIG_IGN);
    rf_signals_block(&signals);
    rf_signals_listen(&signals);
    kill(getpid(), SIGHUP);
    kill(getpid(), SIGWINCH);
    wait_for(&seen.resizes, 1);
    rf_signals_deinit(&signals);
    signal(SIGHUP, SIG_DFL);
    assert_int_equal(atomic_load(&seen.stops), 0);
}

static void test_a_burst_of_signals_is_one(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct rf_signals signals = listening(&seen);
    rf_signals_block(&signals);
    rf_signals_listen(&signals);
    kill(getpid(), SIGTERM);
    wait_for(&seen.stops, 1);
    kill(getpid(), SIGTERM); /* would end this process */
    kill(getpid(), SIGINT);
    kill(getpid(), SIGWINCH); /* has the highest number: is taken last */
    wait_for(&seen.resizes, 1);
    assert_int_equal(atomic_load(&seen.stops), 1);
    assert_int_equal(rf_signals_caught(&signals), SIGTERM);
    rf_signals_deinit(&signals);
}

/* In a process of its own, as it ends. */
static void test_the_second_signal_leaves_at_once(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct seen seen = {0};
        struct rf_signals signals = listening(&seen);
        rf_signals_block(&signals);
        rf_signals_listen(&signals);
        kill(getpid(), SIGINT);
        wait_for(&seen.stops, 1);
        for (int tries = 0; tries < 200;
             tries++) { /* those of the first half second count as one */
            kill(getpid(), SIGTERM);
            poll(NULL, 0, 50);
        }
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_signal_asks_for_a_stop_and_is_remembered),
        cmocka_unit_test(test_a_signal_from_before_listening_is_not_lost),
        cmocka_unit_test(test_a_resize_is_no_reason_to_stop),
        cmocka_unit_test(test_a_hangup_that_means_something_else_never_stops),
        cmocka_unit_test(test_an_ignored_signal_stays_ignored),
        cmocka_unit_test(test_a_burst_of_signals_is_one),
        cmocka_unit_test(test_the_second_signal_leaves_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
