/* One pipeline as `rowferry status` shows it: what its state file says and, while it runs, what it
 * says itself. For people, and as JSON. */
#ifndef ROWFERRY_CLI_REPORT_H
#define ROWFERRY_CLI_REPORT_H

#include "checkpoint/checkpoint.h"
#include "control/document.h"

/* Zeroed is empty and valid. */
struct rf_report {
    struct rf_buf path; /* of the state file */
    struct rf_checkpoint_report state;
    bool answered;        /* live and answer are what it says itself */
    struct rf_buf answer; /* as it came: JSON, without the newline at its end */
    struct rf_document live;
};

/* Reads both; a pipeline that runs and does not answer is one that has not answered. directory:
 * NULL for the usual one. Returns RF_OK; RF_CONFIG; RF_FATAL: about the state file. */
RF_USE_RESULT enum rf_status rf_report_read(struct rf_report *out, const char *directory,
                                            const char *name, struct rf_error *err);
void rf_report_deinit(struct rf_report *report);

/* Append it. */
void rf_report_text(struct rf_buf *out, const struct rf_report *report);
void rf_report_json(struct rf_buf *out, const struct rf_report *report);

/* True when it runs and all of it is at work, no sink further behind than lag_ms_max (0: any). Else
 * why appends the first reason. */
bool rf_report_is_healthy(const struct rf_report *report, int64_t lag_ms_max, struct rf_buf *why);

#endif
