/* One run of a pipeline, as a person sees it: signals, the live line, the summary, the exit code.
 *
 * What `run` and `tail` share. */
#ifndef ROWFERRY_CLI_STREAM_H
#define ROWFERRY_CLI_STREAM_H

#include "config/ends.h"

#include <rowferry/log.h>

struct rf_stream {
    struct rf_pipeline_options pipeline; /* filled by the command */
    bool quiet;                          /* no progress and no summary */
    bool until_reader_goes;              /* end when nobody reads standard output any more */
    bool shared;                         /* the events may go to the terminal of the live line */
    /* where no terminal can hang up on us, SIGHUP asks for new files instead of a stop */
    bool rotates;
};

/* Runs it to its end. Returns the process's exit code; what went wrong has been said. */
int rf_stream_run(const struct rf_stream *stream);

/* Where a sink without a position begins when nobody says it: "earliest" of a log file, which is
 * there to be read, else "now". */
const char *rf_stream_default_from(const struct rf_ends *ends);

/* True when one of the sinks writes to standard output. */
bool rf_stream_prints(const struct rf_ends *ends);
/* True when standard output is a terminal, or a pipe, whose reader may write to one. */
bool rf_stream_output_is_shared(void);

/* The exit code for a failure before anything ran. */
int rf_stream_exit_code(enum rf_status status);

#endif
