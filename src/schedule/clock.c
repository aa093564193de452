#include "schedule/clock.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int64_t now_ms(void *argument)
{
    (void)argument;
    return rf_clock_ms();
}

static void wait_until(void *argument, int64_t until_ms)
{
    struct rf_wake_clock *clock = argument;
    int64_t left_ms = until_ms - rf_clock_ms();
    struct pollfd pollfd = {.fd = clock->event - 1, .events = POLLIN};
    uint64_t calls;

    if (left_ms < 0) {
        left_ms = 0;
    }
    if (poll(&pollfd, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms) > 0 &&
        read(clock->event - 1, &calls, sizeof calls) < 0) {
        return; /* somebody else has read it: as good as woken */
    }
}

static void wake(void *argument)
{
    struct rf_wake_clock *clock = argument;
    int before = errno;
    uint64_t one = 1;

    /* It fails only where 2^64 calls wait already. errno is that of whom a signal interrupted. */
    ssize_t written = write(clock->event - 1, &one, sizeof one);
    (void)written;
    errno = before;
}

enum rf_status rf_wake_clock_open(struct rf_wake_clock *clock, struct rf_error *err)
{
    int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (event < 0) {
        return rf_fail(err, RF_CONFIG, "could not make the time loop's alarm: %s", strerror(errno));
    }
    clock->event = event + 1;
    return RF_OK;
}

void rf_wake_clock_close(struct rf_wake_clock *clock)
{
    if (clock->event > 0) {
        close(clock->event - 1);
    }
    clock->event = 0;
}

struct rf_loop_clock rf_wake_clock_of(struct rf_wake_clock *clock)
{
    return (struct rf_loop_clock){now_ms, wait_until, wake, clock};
}
