#include "cli/watch.h"

#include "base/clock.h"
#include "cli/view.h"

#include <rowferry/log.h>

static void look(void *argument, struct rf_notify_look *look)
{
    struct rf_watch *watch = argument;
    struct rf_progress progress;

    rf_pipeline_snapshot(watch->pipeline, &watch->snapshot);
    rf_view_progress(&progress, watch->options, &watch->snapshot);
    progress.rate = rf_rate_add(&watch->rate, rf_clock_ms(), progress.events);
    rf_progress_line(&progress, 0, &look->line);
    look->ready = rf_notify_is_ready(&watch->snapshot);
    look->alive = !rf_standstill_is_over_limit(&watch->still, &watch->snapshot, rf_clock_ms()) &&
                  rf_notify_is_alive(&watch->snapshot);
}

static void start_control(struct rf_watch *watch)
{
    struct rf_buf path = {0};
    struct rf_error err = {0};

    rf_control_path(watch->options->checkpoint_path, &path);
    if (rf_control_start(&watch->control, rf_buf_cstr(&path), watch->pipeline, watch->options,
                         &err) != RF_OK) {
        rf_log(RF_LOG_WARN, "%s; 'rowferry status' will show what is recorded, and no more",
               err.message);
    }
    rf_buf_deinit(&path);
}

void rf_watch_start(struct rf_watch *watch)
{
    if (watch->options->checkpoint_path != NULL) {
        start_control(watch);
    }
    rf_rate_add(&watch->rate, rf_clock_ms(), 0);
    watch->notify.look = look;
    watch->notify.argument = watch;
    rf_notify_start(&watch->notify);
}

void rf_watch_stopping(struct rf_watch *watch)
{
    rf_notify_stopping(&watch->notify);
}

void rf_watch_stop(struct rf_watch *watch)
{
    rf_notify_stop(&watch->notify);
    rf_control_stop(watch->control);
    rf_pipeline_snapshot_deinit(&watch->snapshot);
}
