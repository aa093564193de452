/* The real clock of a time loop: the monotonic one, and a wait that another thread or a signal
 * handler can end at once.
 *
 * Zeroed is closed. */
#ifndef ROWFERRY_SCHEDULE_CLOCK_H
#define ROWFERRY_SCHEDULE_CLOCK_H

#include "schedule/loop.h"

struct rf_wake_clock {
    int event; /* an eventfd, plus 1; 0: closed */
};

/* Returns RF_OK; RF_CONFIG: the process has no descriptor left. */
RF_USE_RESULT enum rf_status rf_wake_clock_open(struct rf_wake_clock *clock, struct rf_error *err);
/* Accepts closed ones. Not while a loop uses it, or somebody may stop that loop. */
void rf_wake_clock_close(struct rf_wake_clock *clock);
/* What a loop is given; clock is open, and stays where it is. */
struct rf_loop_clock rf_wake_clock_of(struct rf_wake_clock *clock);

#endif
