/* rowferry status [NAME] */
#include "base/clock.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/places.h"
#include "cli/progress.h"
#include "cli/stream.h"
#include "wire/json.h"

#include <stdlib.h>

struct status_options {
    const char *state;
    bool json;
};

static const struct rf_option options[] = {
    {"state", RF_OPTION_TEXT, offsetof(struct status_options, state), NULL, NULL,
     "the directory of the state (default: $XDG_STATE_HOME/rowferry)", false},
    {"json", RF_OPTION_BOOL, offsetof(struct status_options, json), NULL, NULL,
     "print one JSON object", false},
    RF_OPTION_END,
};

/* ---- For people ------------------------------------------------------------------------------ */

enum { COLUMNS = 5 };

static void add_time(struct rf_buf *cell, int64_t us)
{
    if (us > 0) {
        rf_print_time(cell, us);
    } else {
        rf_buf_add_byte(cell, '-');
    }
}

static void add_age(struct rf_buf *cell, int64_t us, const char *behind)
{
    if (us > 0) {
        rf_print_age(cell, rf_clock_wall_us() - us);
        rf_buf_printf(cell, "%s", behind);
    } else {
        rf_buf_add_byte(cell, '-');
    }
}

static void fill_row(struct rf_buf *cells, const struct rf_checkpoint_sink *sink)
{
    struct rf_buf scratch = {0};
    struct rf_str position = rf_position_short(sink->position, &scratch);

    rf_buf_add_str(&cells[0], sink->name);
    rf_buf_add_str(&cells[1], position.size > 0 ? position : RF_STR("-"));
    add_time(&cells[2], sink->commit_us);
    add_age(&cells[3], sink->commit_us, "");
    add_age(&cells[4], sink->updated_us, " ago");
    rf_buf_deinit(&scratch);
}

/* Each column as wide as its widest cell. */
static void add_table(struct rf_buf *out, const struct rf_buf *cells, uint32_t rows)
{
    size_t widths[COLUMNS] = {0};

    for (uint32_t i = 0; i < rows * COLUMNS; i++) {
        if (cells[i].size > widths[i % COLUMNS]) {
            widths[i % COLUMNS] = cells[i].size;
        }
    }
    for (uint32_t i = 0; i < rows * COLUMNS; i++) {
        bool last = i % COLUMNS == COLUMNS - 1;
        rf_buf_printf(out, "%s%-*.*s%s", i % COLUMNS == 0 ? "  " : "",
                      last ? 0 : (int)widths[i % COLUMNS], RF_STR_ARG(rf_buf_str(&cells[i])),
                      last ? "\n" : "  ");
    }
}

static void add_report(struct rf_buf *out, const struct rf_checkpoint_report *report)
{
    static const char *const heads[COLUMNS] = {"SINK", "POSITION", "COMMITTED (UTC)", "AGE",
                                               "UPDATED"};
    uint32_t rows = report->sink_count + 1;
    struct rf_buf *cells = calloc(rows, COLUMNS * sizeof *cells);

    rf_assert(cells != NULL);
    rf_buf_printf(out, "%s%.*s  ", out->size > 0 ? "\n" : "", RF_STR_ARG(report->name));
    if (report->running) {
        rf_buf_printf(out, "running, pid %lld", (long long)report->pid);
    } else {
        rf_buf_printf(out, "stopped");
    }
    rf_buf_printf(out, "  from %.*s\n", RF_STR_ARG(report->source));
    for (size_t i = 0; i < COLUMNS; i++) {
        rf_buf_printf(&cells[i], "%s", heads[i]);
    }
    for (uint32_t i = 0; i < report->sink_count; i++) {
        fill_row(&cells[(size_t)(i + 1) * COLUMNS], &report->sinks[i]);
    }
    if (report->sink_count > 0) {
        add_table(out, cells, rows);
    } else {
        rf_buf_printf(out, "  no position was recorded yet\n");
    }
    for (uint32_t i = 0; i < rows * COLUMNS; i++) {
        rf_buf_deinit(&cells[i]);
    }
    free(cells);
}

/* ---- For programs ---------------------------------------------------------------------------- */

static void add_json_text(struct rf_buf *out, const char *name, struct rf_str text)
{
    rf_buf_printf(out, ",\"%s\":", name);
    rf_json_add_string(out, text);
}

static void add_json_time(struct rf_buf *out, const char *name, int64_t us)
{
    rf_buf_printf(out, ",\"%s\":", name);
    if (us > 0) {
        rf_json_add_instant(out, us);
    } else {
        rf_buf_printf(out, "null");
    }
}

static void add_json_sink(struct rf_buf *out, const struct rf_checkpoint_sink *sink)
{
    rf_buf_printf(out, "{\"name\":");
    rf_json_add_string(out, sink->name);
    add_json_text(out, "address", sink->address);
    add_json_text(out, "position", sink->position);
    add_json_time(out, "committed", sink->commit_us);
    add_json_time(out, "updated", sink->updated_us);
    rf_buf_printf(out, ",\"events\":%llu,\"transactions\":%llu}", (unsigned long long)sink->events,
                  (unsigned long long)sink->transactions);
}

static void add_json_report(struct rf_buf *out, const struct rf_checkpoint_report *report,
                            const char *path)
{
    rf_buf_printf(out, "%s{\"name\":", out->size > 0 ? "," : "");
    rf_json_add_string(out, report->name);
    rf_buf_printf(out, ",\"running\":%s,\"pid\":%lld", report->running ? "true" : "false",
                  (long long)report->pid);
    add_json_text(out, "host", report->host);
    add_json_time(out, "started", report->started_us);
    add_json_text(out, "source", report->source);
    add_json_text(out, "file", rf_str_of(path));
    rf_buf_printf(out, ",\"sinks\":[");
    for (uint32_t i = 0; i < report->sink_count; i++) {
        rf_buf_printf(out, "%s", i > 0 ? "," : "");
        add_json_sink(out, &report->sinks[i]);
    }
    rf_buf_printf(out, "]}");
}

/* ---------------------------------------------------------------------------------------------- */

/* One pipeline; what cannot be read is said, and is the exit code. */
static int add_pipeline(const struct status_options *chosen, const char *name, struct rf_buf *out)
{
    struct rf_checkpoint_report report = {0};
    struct rf_buf path = {0};
    struct rf_error err = {0};
    enum rf_status status = rf_place_of(chosen->state, name, &path, &err);

    if (status == RF_OK) {
        status = rf_place_read(rf_buf_cstr(&path), name, &report, &err);
    }
    if (status != RF_OK) {
        rf_message_failure(&err);
    } else if (chosen->json) {
        add_json_report(out, &report, rf_buf_cstr(&path));
    } else {
        add_report(out, &report);
    }
    rf_checkpoint_report_deinit(&report);
    rf_buf_deinit(&path);
    return rf_stream_exit_code(status);
}

static int add_all(const struct status_options *chosen, struct rf_buf *out)
{
    struct rf_error err = {0};
    char **names = NULL;
    uint32_t count = 0;
    enum rf_status status = rf_places_list(chosen->state, &names, &count, &err);
    int worst = rf_stream_exit_code(status);

    if (status != RF_OK) {
        rf_message_failure(&err);
    }
    for (uint32_t i = 0; i < count; i++) {
        int code = add_pipeline(chosen, names[i], out);
        worst = code > worst ? code : worst;
        free(names[i]);
    }
    free(names);
    if (worst == RF_EXIT_DONE && count == 0 && !chosen->json) {
        rf_buf_printf(out, "no pipeline has run here yet\n");
    }
    return worst;
}

static int run(void *state, const char *const *words, uint32_t word_count)
{
    const struct status_options *chosen = state;
    struct rf_buf body = {0};
    struct rf_buf out = {0};
    int code = word_count > 0 ? add_pipeline(chosen, words[0], &body) : add_all(chosen, &body);

    if (chosen->json) {
        rf_buf_printf(&out, "{\"pipelines\":[%.*s]}\n", RF_STR_ARG(rf_buf_str(&body)));
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
    .summary = "show where pipelines stand, running or not",
    .help =
        "Reads the state files, of all pipelines or of that one: whether it runs, and per sink "
        "the\n"
        "recorded position, when its last transaction was committed, how long ago that was, and\n"
        "when it was recorded. AGE is not a lag: on a quiet source it grows.\n",
    .state_size = sizeof(struct status_options),
    .options = options,
    .words_min = 0,
    .words_max = 1,
    .run = run,
};
