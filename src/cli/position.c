/* rowferry position show NAME */
#include "cli/command.h"
#include "cli/message.h"
#include "cli/places.h"
#include "cli/stream.h"

struct position_options {
    const char *state;
};

static const struct rf_option options[] = {
    {"state", RF_OPTION_TEXT, offsetof(struct position_options, state), NULL, NULL,
     "the directory of the state (default: $XDG_STATE_HOME/rowferry)", false},
    RF_OPTION_END,
};

static int run(void *state, const char *const *words, uint32_t word_count)
{
    const struct position_options *chosen = state;
    struct rf_checkpoint_report report = {0};
    struct rf_buf path = {0};
    struct rf_buf out = {0};
    struct rf_error err = {0};
    int code;

    if (strcmp(words[0], "show") != 0 || word_count != 2) {
        rf_message_error("usage: rowferry position show [OPTION...] NAME");
        rf_message_hint("'rowferry status' lists the pipelines");
        return RF_EXIT_USAGE;
    }
    enum rf_status status = rf_place_of(chosen->state, words[1], &path, &err);
    if (status == RF_OK) {
        status = rf_place_read(rf_buf_cstr(&path), words[1], &report, &err);
    }
    if (status != RF_OK) {
        rf_message_failure(&err);
        code = rf_stream_exit_code(status);
        goto done;
    }
    for (uint32_t i = 0; i < report.sink_count; i++) {
        rf_buf_printf(&out, "%.*s\t%.*s\n", RF_STR_ARG(report.sinks[i].name),
                      RF_STR_ARG(report.sinks[i].position));
    }
    code = rf_command_print(&out);

done:
    rf_checkpoint_report_deinit(&report);
    rf_buf_deinit(&path);
    rf_buf_deinit(&out);
    return code;
}

const struct rf_command rf_command_position = {
    .name = "position",
    .usage = "show [OPTION...] NAME",
    .summary = "print the recorded positions of a pipeline",
    .help =
        "One line per sink: its name, a tab, its whole position. That text is what --from takes.\n",
    .state_size = sizeof(struct position_options),
    .options = options,
    .words_min = 1,
    .words_max = 2,
    .run = run,
};
