/* Who looks at a running pipeline from outside: the control socket beside its state, and the
 * service manager that started it. What goes wrong here is a warning, never an end. */
#ifndef ROWFERRY_CLI_WATCH_H
#define ROWFERRY_CLI_WATCH_H

#include "cli/notify.h"
#include "cli/progress.h"
#include "control/control.h"

struct rf_watch {
    struct rf_pipeline *pipeline;
    const struct rf_pipeline_options *options;
    /* the rest is private */
    struct rf_control *control;
    struct rf_notify notify;
    struct rf_rate rate; /* of the notifier's thread, as all below */
    struct rf_standstill still;
    struct rf_pipeline_snapshot snapshot;
};

/* Starts both; pipeline and options are set. A pipeline without state has no socket. */
void rf_watch_start(struct rf_watch *watch);
/* The pipeline was asked to end. Any thread. */
void rf_watch_stopping(struct rf_watch *watch);
/* Once the pipeline has ended, and before it is destroyed. */
void rf_watch_stop(struct rf_watch *watch);

#endif
