/* rowferry tail SOURCE */
#include "base/message.h"
#include "cli/command.h"
#include "cli/list.h"
#include "cli/plan.h"
#include "cli/stream.h"

#include <unistd.h>

struct tail_options {
    const char *format;
    const char *from;
    const char *until;
    int64_t limit;
    bool follow;
    const char *spill_directory;
    int64_t connect_timeout_ms;
    bool quiet;
    int32_t log_level;
    int32_t log_format; /* enum rf_log_format */
};

/* The first choice of --log-level: info beside a live line, else warn. */
enum { LEVEL_AUTO = 0 };

static const struct rf_option options[] = {
    {"format", RF_OPTION_TEXT, offsetof(struct tail_options, format), "json", NULL,
     "how events are written, with its options behind it: 'debezium?schemas=on&clock=commit'; "
     "'rowferry formats' lists them",
     false},
    {"from", RF_OPTION_TEXT, offsetof(struct tail_options, from), NULL, NULL,
     "where to begin: now, earliest or a position (default: now; of a log file: its beginning)",
     false},
    {"until", RF_OPTION_TEXT, offsetof(struct tail_options, until), NULL, NULL,
     "where to end, with 0: now (what is in the log at the start), a position, or a time in UTC "
     "such as 2026-11-22T12:00:00Z",
     false},
    {"limit", RF_OPTION_INT, offsetof(struct tail_options, limit), NULL, "1..",
     "end, with 0, after so many events", false},
    {"follow", RF_OPTION_BOOL, offsetof(struct tail_options, follow), NULL, NULL,
     "wait at the end of a log file for more, and go on in the files behind it", false},
    {"spill-dir", RF_OPTION_TEXT, offsetof(struct tail_options, spill_directory), NULL, NULL,
     "the directory for transactions too large for memory, while they are read (default: $TMPDIR, "
     "else /var/tmp)",
     false},
    {"connect-timeout", RF_OPTION_DURATION, offsetof(struct tail_options, connect_timeout_ms),
     "10s", "1..1d", "how long one try to connect may take", false},
    {"quiet", RF_OPTION_BOOL, offsetof(struct tail_options, quiet), NULL, NULL,
     "no live line and no summary", false},
    {"log-level", RF_OPTION_CHOICE, offsetof(struct tail_options, log_level), "auto",
     "auto|error|warn|info|debug", "how much is logged", false},
    {"log-format", RF_OPTION_CHOICE, offsetof(struct tail_options, log_format), "text", "text|json",
     "how the log is written; json: one object per line, and no live line", false},
    RF_OPTION_END,
};

static void set_log(const struct tail_options *chosen, bool shared)
{
    rf_log_set_format((enum rf_log_format)chosen->log_format);
    if (chosen->log_level == LEVEL_AUTO) {
        rf_log_set_level(shared || !isatty(STDERR_FILENO) ? RF_LOG_WARN : RF_LOG_INFO);
    } else {
        rf_log_set_level((enum rf_level)(chosen->log_level - 1));
    }
}

/* Standard output, and how it is written: the text lives as long as the ends. */
struct output {
    struct rf_buf address;
    struct rf_buf format;
};

/* A format's options are written behind its name as those of an address are. */
static void read_format(const char *text, struct output *output)
{
    const char *options_of_it = strchr(text, '?');
    if (options_of_it == NULL) {
        rf_buf_printf(&output->format, "%s", text);
        rf_buf_printf(&output->address, "-");
    } else {
        rf_buf_printf(&output->format, "%.*s", (int)(options_of_it - text), text);
        rf_buf_printf(&output->address, "file:-%s", options_of_it);
    }
}

static enum rf_status read_ends(const struct tail_options *chosen, const char *source,
                                struct output *output, struct rf_ends *ends, struct rf_error *err)
{
    struct rf_settings beside = {0};

    if (rf_plan_is_file_name(source)) {
        rf_fail(err, RF_CONFIG, "tail takes the address of a source, not a configuration file");
        rf_error_hint(err, "to run what the file says, write: rowferry run %s", source);
        return RF_CONFIG;
    }
    read_format(chosen->format, output);
    const char *both[] = {source, rf_buf_cstr(&output->address)};
    enum rf_status status = chosen->follow ? rf_plan_follow(source, &beside, err) : RF_OK;
    if (status != RF_OK) {
        return status;
    }
    return rf_ends_read(ends, both, 2, beside, rf_buf_cstr(&output->format), err);
}

static int run(void *state, const char *const *words, uint32_t word_count)
{
    const struct tail_options *chosen = state;
    struct rf_stream stream = {.quiet = chosen->quiet, .until_reader_goes = true};
    struct rf_ends ends = {0};
    struct output output = {0};
    struct rf_error err = {0};
    int code;

    (void)word_count;
    stream.shared = rf_stream_output_is_shared();
    set_log(chosen, stream.shared);
    enum rf_status status = read_ends(chosen, words[0], &output, &ends, &err);
    if (status != RF_OK) {
        rf_message_failure(&err);
        code = rf_stream_exit_code(status);
    } else {
        stream.pipeline = (struct rf_pipeline_options){
            .name = "tail",
            .from = chosen->from ? chosen->from : rf_stream_default_from(&ends),
            .until = chosen->until,
            .limit = (uint64_t)chosen->limit,
            .limit_exact = true,
            .spill_directory = chosen->spill_directory,
            .connect_timeout_ms = chosen->connect_timeout_ms,
            .connect_once = true,
            .ends_with_reader = true,
            .source = ends.source_spec,
            .sinks = ends.sink_specs,
            .sink_count = ends.sink_count,
        };
        code = rf_stream_run(&stream);
    }
    rf_ends_deinit(&ends);
    rf_buf_deinit(&output.address);
    rf_buf_deinit(&output.format);
    return code;
}

const struct rf_command rf_command_tail = {
    .name = "tail",
    .usage = "[OPTION...] SOURCE",
    .summary = "print the changes of a source to standard output",
    .help =
        "Prints every committed change of SOURCE, one line each, from now on; of a log file from\n"
        "its beginning to its end, or on and on with --follow. It keeps no state. When the reader "
        "of\n"
        "its output goes away, it ends with 0.\n",
    .state_size = sizeof(struct tail_options),
    .options = options,
    .words_min = 1,
    .words_max = 1,
    .complete = rf_list_add_source_schemes,
    .completes_files = true,
    .run = run,
};
