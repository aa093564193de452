/* rowferry run CONFIG.yaml, rowferry run SOURCE SINK... */
#include "cli/command.h"
#include "cli/list.h"
#include "cli/plan.h"
#include "cli/stream.h"

static int run(struct rf_settings typed, const char *const *words, uint32_t word_count)
{
    struct rf_plan plan = {0};
    int code = rf_plan_make(&plan, typed, words, word_count);

    if (code == RF_EXIT_DONE) {
        struct rf_stream stream = {
            .pipeline = plan.pipeline,
            .quiet = plan.chosen.quiet,
            .shared = rf_stream_prints(plan.ends) && rf_stream_output_is_shared(),
            .rotates = true,
        };
        rf_log_set_pipeline(plan.pipeline.name);
        code = rf_stream_run(&stream);
    }
    rf_plan_deinit(&plan);
    return code;
}

static void complete(struct rf_buf *out)
{
    rf_list_add_source_schemes(out);
    rf_list_add_sink_schemes(out);
}

const struct rf_command rf_command_run = {
    .name = "run",
    .usage = "[OPTION...] CONFIG.yaml | SOURCE SINK...",
    .summary = "carry the changes of a source to its sinks until stopped",
    .help =
        "Carries every committed change of SOURCE to each SINK, in order. Where each sink stands "
        "is\n"
        "recorded, so that a restart goes on there. SOURCE and SINK are addresses:\n\n"
        "  mysql://USER@HOST:PORT/TABLES   binlog:FILE\n"
        "  mongodb://HOST:PORT/DATABASE    redis://HOST:PORT/DATABASE\n"
        "  cassandra://HOST:PORT/KEYSPACE  file:PATH    -    null:\n\n"
        "'rowferry options' lists what can be set behind a '?'. A configuration file names source\n"
        "and sinks itself, and may have the options below too, '_' for '-'; what is typed wins. "
        "Its\n"
        "relative paths begin at the file. See rowferry.yaml(5) and 'rowferry help config'.\n\n"
        "It stops at SIGINT and SIGTERM after all is flushed; the second one ends it at once. "
        "SIGHUP\n"
        "does the same at a terminal; without one (a service) it makes sinks begin new files.\n"
        "Exit codes: 0 done, 1 usage, 2 configuration, 3 data would be lost, 4 a destination "
        "refused\n"
        "an event, 5 not connected within --connect-timeout, 129, 130 and 143 stopped by a "
        "signal.\n",
    .state_size = sizeof(struct rf_run_options),
    .options = rf_run_option_table,
    .words_min = 1,
    .words_max = 1 + RF_ENDS_SINKS_MAX,
    .complete = complete,
    .completes_files = true,
    .run_typed = run,
};
