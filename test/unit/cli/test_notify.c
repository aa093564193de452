#include "cli/notify.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* The service manager's end. */
struct fixture {
    char directory[64];
    char name[96]; /* as in NOTIFY_SOCKET */
    int manager;
    struct rf_notify notify;
    atomic_bool ready, alive;
    atomic_int looks;
    char got[4096];
};

static void look(void *argument, struct rf_notify_look *out)
{
    struct fixture *f = argument;
    out->ready = atomic_load(&f->ready);
    out->alive = atomic_load(&f->alive);
    rf_buf_printf(&out->line, "0-1-7  lag 0s\nnot this");
    atomic_fetch_add(&f->looks, 1);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->directory, sizeof f->directory, "/tmp/rowferry-notify-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    f->manager = -1;
    f->notify.look = look;
    f->notify.argument = f;
    atomic_store(&f->alive, true);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    unsetenv("NOTIFY_SOCKET");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    rf_notify_stop(&f->notify);
    if (f->manager >= 0) {
        close(f->manager);
    }
    if (f->name[0] == '/') {
        unlink(f->name);
    }
    assert_int_equal(rmdir(f->directory), 0);
    free(f);
    return 0;
}

static void listen_as_manager(struct fixture *f, bool abstract)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = 20};
    int size = snprintf(f->name, sizeof f->name, "%s%s/notify", abstract ? "@" : "", f->directory);
    memcpy(address.sun_path, f->name, (size_t)size);
    if (abstract) {
        address.sun_path[0] = '\0';
    }
    f->manager = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(f->manager, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)size)),
                     0);
    assert_int_equal(setsockopt(f->manager, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    setenv("NOTIFY_SOCKET", f->name, 1);
}

/* The next datagram. */
static const char *hear(struct fixture *f)
{
    ssize_t size = recv(f->manager, f->got, sizeof f->got - 1, 0);
    assert_true(size > 0);
    f->got[size] = '\0';
    return f->got;
}

static void hears_all(struct fixture *f)
{
    rf_notify_start(&f->notify);
    assert_string_equal(hear(f), "STATUS=0-1-7  lag 0s\n");
    while (atomic_load(&f->looks) < 3) {
        /* It looks, and has nothing to say. */
    }
    atomic_store(&f->ready, true);
    assert_string_equal(hear(f), "READY=1\n");
    rf_notify_stopping(&f->notify);
    rf_notify_stopping(&f->notify);
    assert_string_equal(hear(f), "STOPPING=1\nSTATUS=stopping\n");
    rf_notify_stop(&f->notify);
    assert_int_equal(recv(f->manager, f->got, sizeof f->got, MSG_DONTWAIT), -1);
}

static void test_a_manager_at_a_path_hears_all(void **state)
{
    listen_as_manager(*state, false);
    hears_all(*state);
}

static void test_a_manager_with_an_abstract_name_hears_all(void **state)
{
    listen_as_manager(*state, true);
    hears_all(*state);
}

static void test_an_end_that_nobody_asked_for_is_said_too(void **state)
{
    struct fixture *f = *state;
    listen_as_manager(f, false);
    rf_notify_start(&f->notify);
    hear(f);
    rf_notify_stop(&f->notify);
    assert_string_equal(hear(f), "STOPPING=1\n");
}

/* Counts signs of life until there are so many, or for so long. */
static int signs_of_life(struct fixture *f, int enough, int64_t ms)
{
    int count = 0;
    for (int64_t until_ms = rf_clock_ms() + ms; count < enough && rf_clock_ms() < until_ms;) {
        if (recv(f->manager, f->got, sizeof f->got - 1, MSG_DONTWAIT) > 0) {
            count += strstr(f->got, "WATCHDOG=1") != NULL;
        }
        memset(f->got, 0, sizeof f->got);
    }
    return count;
}

static void test_signs_of_life_come_until_something_hangs(void **state)
{
    struct fixture *f = *state;
    listen_as_manager(f, false);
    atomic_store(&f->ready, true);
    setenv("WATCHDOG_USEC", "40000", 1); /* one every 20 ms */
    rf_notify_start(&f->notify);
    assert_int_equal(signs_of_life(f, 5, 20000), 5);
    atomic_store(&f->alive, false);
    int looks = atomic_load(&f->looks);
    while (atomic_load(&f->looks) < looks + 2) {
        /* Whoever was looking when it hung has told. */
    }
    signs_of_life(f, 1000, 1);
    assert_int_equal(signs_of_life(f, 1, 200), 0);
}

static void test_no_sign_of_life_for_another_process_or_by_nonsense(void **state)
{
    struct fixture *f = *state;
    static const char *const values[][2] = {
        {"40000", "1"}, {"soon", NULL}, {"-1", NULL}, {"0", NULL}, {"40000", "x"}};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        unsetenv("WATCHDOG_PID");
        setenv("WATCHDOG_USEC", values[i][0], 1);
        if (values[i][1] != NULL) {
            setenv("WATCHDOG_PID", values[i][1], 1);
        }
        if (f->manager < 0) {
            listen_as_manager(f, false);
        }
        rf_notify_start(&f->notify);
        assert_int_equal(signs_of_life(f, 1, 60), 0);
        rf_notify_stop(&f->notify);
        f->notify = (struct rf_notify){.look = look, .argument = f};
    }
}

static void test_without_a_manager_nothing_is_done(void **state)
{
    struct fixture *f = *state;
    char long_name[300] = "/";
    memset(long_name + 1, 'x', sizeof long_name - 2);
    const char *const names[] = {NULL,          "",       "@", "relative", "vsock:2:1234",
                                 "/none/there", long_name};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i] != NULL) {
            setenv("NOTIFY_SOCKET", names[i], 1);
        }
        rf_notify_start(&f->notify);
        assert_false(f->notify.started);
        rf_notify_stopping(&f->notify);
        rf_notify_stop(&f->notify);
    }
    assert_int_equal(atomic_load(&f->looks), 0);
}

static void test_ready_is_all_open_and_alive_is_no_long_call(void **state)
{
    struct rf_actor_snapshot sinks[2] = {{.phase = RF_PHASE_STREAMING},
                                         {.phase = RF_PHASE_CONNECTING}};
    struct rf_pipeline_snapshot snapshot = {
        .source.phase = RF_PHASE_STREAMING, .sinks = sinks, .sink_count = 2};
    (void)state;
    assert_false(rf_notify_is_ready(&snapshot));
    sinks[1].phase = RF_PHASE_STREAMING;
    assert_true(rf_notify_is_ready(&snapshot));
    snapshot.source.phase = RF_PHASE_FULL;
    assert_true(rf_notify_is_ready(&snapshot));
    snapshot.source.phase = RF_PHASE_RETRYING;
    assert_false(rf_notify_is_ready(&snapshot));
    snapshot.source.phase = RF_PHASE_DONE;
    assert_false(rf_notify_is_ready(&snapshot)); /* it was never open */
    snapshot.source.opened = true;
    assert_true(rf_notify_is_ready(&snapshot));
    assert_true(rf_notify_is_alive(&snapshot));
    sinks[1].call_ms = 299999;
    snapshot.source.call_ms = 30000; /* it is retrying, and on its way */
    assert_true(rf_notify_is_alive(&snapshot));
    sinks[1].call_ms = 300000;
    assert_false(rf_notify_is_alive(&snapshot));
    sinks[1].phase = RF_PHASE_CONNECTING;
    assert_true(rf_notify_is_alive(&snapshot));
    sinks[1].call_ms = 900000;
    assert_false(rf_notify_is_alive(&snapshot));
    sinks[1].call_ms = 0;
    snapshot.source.phase = RF_PHASE_FULL;
    snapshot.source.call_ms = 300000;
    assert_false(rf_notify_is_alive(&snapshot));
}

static void test_a_full_pool_that_nobody_empties_is_over_after_five_minutes(void **state)
{
    struct rf_actor_snapshot sinks[2] = {{.phase = RF_PHASE_STREAMING, .idle = true},
                                         {.phase = RF_PHASE_STREAMING, .idle = true}};
    struct rf_pipeline_snapshot snapshot = {
        .source = {.phase = RF_PHASE_FULL, .events = 7}, .sinks = sinks, .sink_count = 2};
    struct rf_standstill still = {0};
    (void)state;
    assert_false(rf_standstill_is_over_limit(&still, &snapshot, 1000));
    assert_false(rf_standstill_is_over_limit(&still, &snapshot, 300999));
    assert_true(rf_standstill_is_over_limit(&still, &snapshot, 301000));
    assert_true(rf_standstill_is_over_limit(&still, &snapshot, 400000));
    /* It has moved in between two looks. */
    snapshot.source.events = 8;
    assert_false(rf_standstill_is_over_limit(&still, &snapshot, 500000));
    assert_true(rf_standstill_is_over_limit(&still, &snapshot, 800000));
    assert_true(rf_notify_is_alive(&snapshot));
}

static void test_who_waits_with_a_reason_does_not_stand_still(void **state)
{
    static const struct {
        enum rf_phase source, sink;
        bool idle;
        int64_t source_call_ms, sink_call_ms;
    } cases[] = {
        {RF_PHASE_STREAMING, RF_PHASE_STREAMING, true, 0, 0}, /* nothing new */
        {RF_PHASE_FULL, RF_PHASE_STREAMING, false, 0, 0},    /* a flush is due, or a disk is full */
        {RF_PHASE_FULL, RF_PHASE_STREAMING, true, 0, 9},     /* it writes */
        {RF_PHASE_FULL, RF_PHASE_STREAMING, true, 9, 0},     /* it hands over what it has read */
        {RF_PHASE_FULL, RF_PHASE_RETRYING, true, 0, 0},      /* a destination is away */
        {RF_PHASE_RETRYING, RF_PHASE_STREAMING, true, 0, 0}, /* the source is */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_actor_snapshot sinks[2] = {
            {.phase = RF_PHASE_STREAMING, .idle = true},
            {.phase = cases[i].sink, .idle = cases[i].idle, .call_ms = cases[i].sink_call_ms}};
        struct rf_pipeline_snapshot snapshot = {
            .source = {.phase = cases[i].source, .call_ms = cases[i].source_call_ms},
            .sinks = sinks,
            .sink_count = 2};
        struct rf_standstill still = {0};
        assert_false(rf_standstill_is_over_limit(&still, &snapshot, 1000));
        assert_false(rf_standstill_is_over_limit(&still, &snapshot, 900000));
    }
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_a_manager_at_a_path_hears_all),
        test(test_a_manager_with_an_abstract_name_hears_all),
        test(test_an_end_that_nobody_asked_for_is_said_too),
        test(test_signs_of_life_come_until_something_hangs),
        test(test_no_sign_of_life_for_another_process_or_by_nonsense),
        test(test_without_a_manager_nothing_is_done),
        test(test_ready_is_all_open_and_alive_is_no_long_call),
        test(test_a_full_pool_that_nobody_empties_is_over_after_five_minutes),
        test(test_who_waits_with_a_reason_does_not_stand_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
