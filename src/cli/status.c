/* rowferry status [NAME] */
#include "base/message.h"
#include "cli/command.h"
#include "cli/places.h"
#include "cli/report.h"
#include "cli/stream.h"

#include <stdlib.h>

struct status_options {
    const char *state;
    bool json;
    bool check;
    int64_t lag_ms_max;
};

static const struct rf_option options[] = {
    {"state", RF_OPTION_TEXT, offsetof(struct status_options, state), NULL, NULL,
     "the directory of the state (default: $XDG_STATE_HOME/rowferry)", false},
    {"json", RF_OPTION_BOOL, offsetof(struct status_options, json), NULL, NULL,
     "print one JSON object", false},
    {"check", RF_OPTION_BOOL, offsetof(struct status_options, check), NULL, NULL,
     "end with 6 unless everything runs and is at work", false},
    {"lag-max", RF_OPTION_DURATION, offsetof(struct status_options, lag_ms_max), NULL, "1..365d",
     "with --check: end with 6 also when a sink is further behind, or that is not known", false},
    RF_OPTION_END,
};

/* One pipeline; what cannot be read is said, and is the exit code. */
static int add_pipeline(const struct status_options *chosen, const char *name, struct rf_buf *out)
{
    struct rf_report report = {0};
    struct rf_buf why = {0};
    struct rf_error err = {0};
    enum rf_status status = rf_report_read(&report, chosen->state, name, &err);
    int code = rf_stream_exit_code(status);

    if (status != RF_OK) {
        rf_message_failure(&err);
        goto done;
    }
    if (chosen->json) {
        rf_buf_printf(out, "%s", out->size > 0 ? "," : "");
        rf_report_json(out, &report);
    } else {
        rf_buf_printf(out, "%s", out->size > 0 ? "\n" : "");
        rf_report_text(out, &report);
    }
    if (chosen->check && !rf_report_is_healthy(&report, chosen->lag_ms_max, &why)) {
        rf_message_error("%s: %s", name, rf_buf_cstr(&why));
        code = RF_EXIT_UNHEALTHY;
    }

done:
    rf_buf_deinit(&why);
    rf_report_deinit(&report);
    return code;
}

/* Trouble with a state file outweighs a pipeline that is not well. */
static int worse(int one, int other)
{
    if (one == RF_EXIT_DONE || one == RF_EXIT_UNHEALTHY) {
        return other == RF_EXIT_DONE ? one : other;
    }
    return other != RF_EXIT_UNHEALTHY && other > one ? other : one;
}

static int add_all(const struct status_options *chosen, struct rf_buf *out)
{
    struct rf_error err = {0};
    char **names = NULL;
    uint32_t count = 0;
    enum rf_status status = rf_places_list(chosen->state, &names, &count, &err);
    int code = rf_stream_exit_code(status);

    if (status != RF_OK) {
        rf_message_failure(&err);
    }
    for (uint32_t i = 0; i < count; i++) {
        code = worse(code, add_pipeline(chosen, names[i], out));
        free(names[i]);
    }
    free(names);
    if (status == RF_OK && count == 0) {
        rf_buf_printf(out, "%s", chosen->json ? "" : "no pipeline has run here yet\n");
        code = chosen->check ? RF_EXIT_UNHEALTHY : code;
    }
    return code;
}

static int run(void *state, const char *const *words, uint32_t word_count)
{
    const struct status_options *chosen = state;
    struct rf_buf body = {0};
    struct rf_buf out = {0};

    if (chosen->lag_ms_max > 0 && !chosen->check) {
        rf_message_error("--lag-max says what --check is to look at, and needs it");
        rf_message_hint("write: rowferry status --check --lag-max ...");
        return RF_EXIT_USAGE;
    }
    int code = word_count > 0 ? add_pipeline(chosen, words[0], &body) : add_all(chosen, &body);

    if (chosen->json) {
        rf_buf_printf(&out, "{\"pipelines\":[");
        rf_buf_add_str(&out, rf_buf_str(&body));
        rf_buf_printf(&out, "]}\n");
    } else {
        rf_buf_add_str(&out, rf_buf_str(&body));
    }
    int printed = rf_command_print(&out);
    rf_buf_deinit(&body);
    rf_buf_deinit(&out);
    return code != RF_EXIT_DONE ? code : printed;
}

const struct rf_command rf_command_status = {
    .name = "status",
    .usage = "[OPTION...] [NAME]",
    .summary = "show how pipelines do, running or not",
    .help =
        "Of all pipelines, or of that one. One that runs is asked itself: how its source and its\n"
        "sinks do, the recorded positions, how far each sink is behind (LAG: nothing that the\n"
        "source has had for longer is missing, also on a quiet source), events per second over "
        "the\n"
        "last ten seconds and since its start, and what is wrong and when it is tried again. Of "
        "one\n"
        "that does not run the state file tells: the recorded position, when its last transaction\n"
        "was committed and how long ago that was (AGE is no lag: on a quiet source it grows).\n\n"
        "The exit code is 0 when that could be shown, 2 or 3 when a state file cannot be read or "
        "is\n"
        "damaged. With --check it is 6 when a pipeline does not run or does not answer, when its\n"
        "source or a sink is not at work, or when one is further behind than --lag-max (or that "
        "is\n"
        "not known, as in the first second).\n",
    .state_size = sizeof(struct status_options),
    .options = options,
    .words_min = 0,
    .words_max = 1,
    .run = run,
};
