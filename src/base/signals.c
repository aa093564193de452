#include "base/signals.h"

#include "base/clock.h"
#include "base/exit.h"

#include <rowferry/error.h>
#include <unistd.h>

static bool is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void rf_signals_block(struct rf_signals *signals)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

    sigemptyset(&signals->set);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        /* A blocked signal is not thrown away even when it is ignored, so it must stay out. */
        if (!is_ignored(numbers[i])) {
            sigaddset(&signals->set, numbers[i]);
        }
    }
    sigaddset(&signals->set, SIGWINCH);
    pthread_sigmask(SIG_BLOCK, &signals->set, &signals->before);
}

/* The second signal means "now". One that comes at once is not a second one: supervisors and
 * timeout(1) signal a process and then its group. */
enum { SAME_BURST_MS = 500 };

static void *listen_for_signals(void *argument)
{
    struct rf_signals *signals = argument;
    int64_t caught_ms = 0;
    int number = 0;

    while (sigwait(&signals->set, &number) == 0) {
        int none = 0;
        if (atomic_load(&signals->ending)) {
            break;
        }
        if (number == SIGWINCH) {
            signals->resized(signals->argument);
        } else if (number == SIGHUP && signals->hangup != NULL) {
            signals->hangup(signals->argument);
        } else if (atomic_compare_exchange_strong(&signals->caught, &none, number)) {
            caught_ms = rf_clock_ms();
            signals->stop(signals->argument);
        } else if (rf_clock_ms() - caught_ms >= SAME_BURST_MS) {
            signals->leave(signals->argument);
            _exit(RF_EXIT_SIGNAL + number);
        }
    }
    return NULL;
}

void rf_signals_listen(struct rf_signals *signals)
{
    atomic_store(&signals->caught, 0);
    atomic_store(&signals->ending, false);
    rf_assert(pthread_create(&signals->thread, NULL, listen_for_signals, signals) == 0);
}

int rf_signals_caught(const struct rf_signals *signals)
{
    return atomic_load(&signals->caught);
}

void rf_signals_deinit(struct rf_signals *signals)
{
    atomic_store(&signals->ending, true);
    pthread_kill(signals->thread, SIGWINCH); /* the one of the set that never means an end */
    pthread_join(signals->thread, NULL);
    pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
}
