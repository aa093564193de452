/* rowferry tail SOURCE */
#include "cli/command.h"
#include "cli/message.h"
#include "cli/stream.h"

#include <unistd.h>

struct tail_options {
    const char *format;
    const char *from;
    int64_t connect_timeout_ms;
    bool quiet;
    int32_t log_level;
};

/* The first choice of --log-level: info beside a live line, else warn. */
enum { LEVEL_AUTO = 0 };

static const struct rf_option options[] = {
    {"format", RF_OPTION_TEXT, offsetof(struct tail_options, format), "json", NULL,
     "how events are written; 'rowferry formats' lists them", false},
    {"from", RF_OPTION_TEXT, offsetof(struct tail_options, from), NULL, NULL,
     "where to begin: now, earliest or a position (default: now; of a log file: its beginning)",
     false},
    {"connect-timeout", RF_OPTION_DURATION, offsetof(struct tail_options, connect_timeout_ms),
     "10s", "1..1d", "how long one try to connect may take", false},
    {"quiet", RF_OPTION_BOOL, offsetof(struct tail_options, quiet), NULL, NULL,
     "no live line and no summary", false},
    {"log-level", RF_OPTION_CHOICE, offsetof(struct tail_options, log_level), "auto",
     "auto|error|warn|info|debug", "how much is logged", false},
    RF_OPTION_END,
};

static int run(void *state, const char *const *words, uint32_t word_count)
{
    const struct tail_options *chosen = state;
    const char *both[] = {words[0], "-"};
    struct rf_stream stream = {.quiet = chosen->quiet, .until_reader_goes = true};
    struct rf_stream_ends ends = {0};
    struct rf_error err = {0};
    int code;

    (void)word_count;
    stream.pipeline = (struct rf_pipeline_options){
        .name = "tail",
        .from = chosen->from,
        .connect_timeout_ms = chosen->connect_timeout_ms,
        .connect_once = true,
        .ends_with_reader = true,
    };
    stream.shared = rf_stream_output_is_shared();
    if (chosen->log_level == LEVEL_AUTO) {
        rf_log_set_level(stream.shared || !isatty(STDERR_FILENO) ? RF_LOG_WARN : RF_LOG_INFO);
    } else {
        rf_log_set_level((enum rf_level)(chosen->log_level - 1));
    }
    enum rf_status status = rf_stream_read(&ends, both, 2, chosen->format, &stream.pipeline, &err);
    if (status != RF_OK) {
        rf_message_failure(&err);
        code = rf_stream_exit_code(status);
    } else {
        code = rf_stream_run(&stream);
    }
    rf_stream_ends_deinit(&ends);
    return code;
}

const struct rf_command rf_command_tail = {
    .name = "tail",
    .usage = "[OPTION...] SOURCE",
    .summary = "print the changes of a source to standard output",
    .help =
        "Prints every committed change of SOURCE, one line each, from now on; of a log file from\n"
        "its beginning to its end. It keeps no state. When the reader of its output goes away, it\n"
        "ends with 0.\n",
    .state_size = sizeof(struct tail_options),
    .options = options,
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
