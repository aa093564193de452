/* From a snapshot of the engine to what a person reads: the progress line. */
#ifndef ROWFERRY_CLI_VIEW_H
#define ROWFERRY_CLI_VIEW_H

#include "cli/progress.h"
#include "engine/pipeline.h"

/* Fills all but the rate. Borrows from the snapshot. */
void rf_view_progress(struct rf_progress *out, const struct rf_pipeline_options *options,
                      const struct rf_pipeline_snapshot *snapshot);

#endif
