/* One run of a pipeline, as a person sees it: signals, the live line, the summary, the exit code.
 *
 * What `run` and `tail` share. */
#ifndef ROWFERRY_CLI_STREAM_H
#define ROWFERRY_CLI_STREAM_H

#include "config/endpoint.h"

#include <rowferry/log.h>

struct rf_stream {
    struct rf_pipeline_options pipeline; /* filled by the command */
    bool quiet;                          /* no progress and no summary */
    bool until_reader_goes;              /* end when nobody reads standard output any more */
    bool shared;                         /* the events may go to the terminal of the live line */
};

/* Runs it to its end. Returns the process's exit code; what went wrong has been said. */
int rf_stream_run(const struct rf_stream *stream);

/* Sources and sinks of the command line. Zeroed is empty and valid. */
struct rf_stream_ends {
    struct rf_endpoint source;
    struct rf_endpoint *sinks;
    struct rf_sink_spec *sink_specs;
    uint32_t sink_count;
};
/* The first word is the source, the others are sinks; fills what the options say of them. format:
 * of sinks that name none; NULL: their own choice. Returns RF_OK or RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_stream_read(struct rf_stream_ends *ends, const char *const *words,
                                            uint32_t word_count, const char *format,
                                            struct rf_pipeline_options *options,
                                            struct rf_error *err);
void rf_stream_ends_deinit(struct rf_stream_ends *ends);

/* True when one of the sinks writes to standard output. */
bool rf_stream_prints(const struct rf_stream_ends *ends);
/* True when standard output is a terminal, or a pipe, whose reader may write to one. */
bool rf_stream_output_is_shared(void);

/* The exit code for a failure before anything ran. */
int rf_stream_exit_code(enum rf_status status);

#endif
