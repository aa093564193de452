/* rowferry run SOURCE SINK... */
#include "cli/command.h"
#include "cli/message.h"
#include "cli/places.h"
#include "cli/stream.h"

struct run_options {
    const char *name;
    const char *from;
    const char *state;
    int64_t pool_bytes;
    int64_t flush_ms;
    int64_t connect_timeout_ms;
    bool adopt;
    bool quiet;
    int32_t log_level;
};

static const struct rf_option options[] = {
    {"name", RF_OPTION_TEXT, offsetof(struct run_options, name), NULL, NULL,
     "the pipeline's name, under which positions are kept; else a hash of the source's address",
     false},
    {"from", RF_OPTION_TEXT, offsetof(struct run_options, from), NULL, NULL,
     "where a sink without a position begins: now, earliest or a position (default: now; of a log "
     "file: its beginning)",
     false},
    {"state", RF_OPTION_TEXT, offsetof(struct run_options, state), NULL, NULL,
     "the directory of the state (default: $XDG_STATE_HOME/rowferry)", false},
    {"pool-bytes", RF_OPTION_SIZE, offsetof(struct run_options, pool_bytes), "24M", "1M..64G",
     "memory for events on their way", false},
    {"flush-ms", RF_OPTION_DURATION, offsetof(struct run_options, flush_ms), "100ms", "1..1h",
     "how often sinks make durable what they have, and positions are recorded", false},
    {"connect-timeout", RF_OPTION_DURATION, offsetof(struct run_options, connect_timeout_ms), "10s",
     "1..1d", "how long the first connection of each end is tried", false},
    {"adopt", RF_OPTION_BOOL, offsetof(struct run_options, adopt), NULL, NULL,
     "begin anew with a destination that has lost its position", false},
    {"quiet", RF_OPTION_BOOL, offsetof(struct run_options, quiet), NULL, NULL,
     "no progress and no summary; warnings and errors only", false},
    {"log-level", RF_OPTION_CHOICE, offsetof(struct run_options, log_level), "info",
     "error|warn|info|debug", "how much is logged", false},
    RF_OPTION_END,
};

static enum rf_status find_place(const struct run_options *chosen,
                                 const struct rf_stream_ends *ends, struct rf_buf *name,
                                 struct rf_buf *path, struct rf_error *err)
{
    if (chosen->name != NULL) {
        rf_buf_printf(name, "%s", chosen->name);
    } else {
        rf_endpoint_pipeline_name(&ends->source, name);
    }
    return rf_place_of(chosen->state, rf_buf_cstr(name), path, err);
}

static int run(void *state, const char *const *words, uint32_t word_count)
{
    const struct run_options *chosen = state;
    struct rf_stream stream = {.quiet = chosen->quiet};
    struct rf_stream_ends ends = {0};
    struct rf_buf name = {0};
    struct rf_buf path = {0};
    struct rf_error err = {0};
    int code;

    stream.pipeline = (struct rf_pipeline_options){
        .from = chosen->from,
        .adopt = chosen->adopt,
        .pool_bytes = (size_t)chosen->pool_bytes,
        .flush_ms = chosen->flush_ms,
        .connect_timeout_ms = chosen->connect_timeout_ms,
    };
    rf_log_set_level(chosen->quiet && chosen->log_level > RF_LOG_WARN
                         ? RF_LOG_WARN
                         : (enum rf_level)chosen->log_level);
    enum rf_status status = rf_stream_read(&ends, words, word_count, NULL, &stream.pipeline, &err);
    if (status == RF_OK) {
        status = find_place(chosen, &ends, &name, &path, &err);
    }
    if (status != RF_OK) {
        rf_message_failure(&err);
        code = rf_stream_exit_code(status);
        goto done;
    }
    stream.pipeline.name = rf_buf_cstr(&name);
    stream.pipeline.checkpoint_path = rf_buf_cstr(&path);
    stream.shared = rf_stream_prints(&ends) && rf_stream_output_is_shared();
    code = rf_stream_run(&stream);

done:
    rf_buf_deinit(&name);
    rf_buf_deinit(&path);
    rf_stream_ends_deinit(&ends);
    return code;
}

const struct rf_command rf_command_run = {
    .name = "run",
    .usage = "[OPTION...] SOURCE SINK...",
    .summary = "carry the changes of a source to its sinks until stopped",
    .help =
        "Carries every committed change of SOURCE to each SINK, in order. Where each sink stands "
        "is\n"
        "recorded, so that a restart goes on there. SOURCE and SINK are addresses:\n\n"
        "  mysql://USER@HOST:PORT/TABLES   binlog:FILE\n"
        "  redis://HOST:PORT/DATABASE      file:PATH    -    null:\n\n"
        "'rowferry options' lists what can be set behind a '?'. It stops at SIGINT and SIGTERM\n"
        "after all is flushed; the second one ends it at once. Exit codes: 0 done, 1 usage,\n"
        "2 configuration, 3 data would be lost, 4 a destination refused an event, 5 not\n"
        "connected within --connect-timeout, 130 and 143 stopped by a signal.\n",
    .state_size = sizeof(struct run_options),
    .options = options,
    .words_min = 2,
    .words_max = 64,
    .run = run,
};
