/* rowferry doctor SOURCE [SINK...], rowferry doctor CONFIG.yaml */
#include "base/memory.h"
#include "base/message.h"
#include "base/terminal.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "cli/places.h"
#include "cli/plan.h"
#include "cli/stream.h"
#include "event/pattern.h"

#include <rowferry/log.h>
#include <stdlib.h>
#include <unistd.h>

struct doctor_options {
    const char *name;
    const char *state;
    int64_t connect_timeout_ms;
    bool json;
};

enum { COLUMNS_PIPE = 100, COLUMNS_LEAST = 60 };

static const struct rf_option options[] = {
    {"name", RF_OPTION_TEXT, offsetof(struct doctor_options, name), NULL, NULL,
     "the pipeline whose recorded positions are looked at; else the one that `run` would use",
     false},
    {"state", RF_OPTION_TEXT, offsetof(struct doctor_options, state), NULL, NULL,
     "the directory of the state (default: what the file says, else $XDG_STATE_HOME/rowferry)",
     false},
    {"connect-timeout", RF_OPTION_DURATION, offsetof(struct doctor_options, connect_timeout_ms),
     "10s", "1..1d", "how long one try to connect may take", false},
    {"json", RF_OPTION_BOOL, offsetof(struct doctor_options, json), NULL, NULL,
     "one JSON object, for programs", false},
    RF_OPTION_END,
};

/* What is looked at. Zeroed is empty. */
struct patient {
    struct rf_plan plan;
    struct rf_ends typed;
    const struct rf_ends *ends;
    struct rf_buf name; /* the pipeline's */
    const char *state;  /* the directory of its state; NULL: the usual one. Borrowed */
    struct rf_checkpoint_report report;
    struct rf_recorded *recorded;
};

static void patient_deinit(struct patient *patient)
{
    free(patient->recorded);
    rf_checkpoint_report_deinit(&patient->report);
    rf_buf_deinit(&patient->name);
    rf_ends_deinit(&patient->typed);
    rf_plan_deinit(&patient->plan);
}

/* ---- What there is to look at ---------------------------------------------------------------- */

static int read_typed(struct patient *patient, const struct doctor_options *chosen,
                      const char *const *words, uint32_t word_count)
{
    struct rf_settings beside = {0};
    struct rf_error err = {0};
    enum rf_status status = rf_ends_read(&patient->typed, words, word_count, beside, NULL, &err);

    if (status != RF_OK) {
        rf_message_failure(&err);
        return rf_stream_exit_code(status);
    }
    patient->ends = &patient->typed;
    patient->state = chosen->state;
    if (chosen->name != NULL) {
        rf_buf_printf(&patient->name, "%s", chosen->name);
    } else {
        rf_endpoint_pipeline_name(&patient->typed.source, &patient->name);
    }
    return RF_EXIT_DONE;
}

/* What is typed beside a file wins here as it does for `run`, and its relative paths keep their
 * meaning. */
static int read_file(struct patient *patient, const struct doctor_options *chosen,
                     const char *const *words)
{
    enum { TYPED_MAX = 3 };
    struct rf_setting items[TYPED_MAX];
    struct rf_settings typed = {items, 0};

    items[typed.count++] = (struct rf_setting){"log-level", "error", NULL};
    if (chosen->name != NULL) {
        items[typed.count++] = (struct rf_setting){"name", chosen->name, NULL};
    }
    if (chosen->state != NULL) {
        items[typed.count++] = (struct rf_setting){"state", chosen->state, NULL};
    }
    int code = rf_plan_make(&patient->plan, typed, words, 1);
    if (code == RF_EXIT_DONE) {
        patient->ends = patient->plan.ends;
        patient->state = patient->plan.chosen.state;
        rf_buf_printf(&patient->name, "%s", patient->plan.pipeline.name);
    }
    return code;
}

static int read_patient(struct patient *patient, const struct doctor_options *chosen,
                        const char *const *words, uint32_t word_count)
{
    return word_count > 1 || !rf_plan_is_file_name(words[0])
               ? read_typed(patient, chosen, words, word_count)
               : read_file(patient, chosen, words);
}

/* Where the pipeline's sinks stand; one that never ran stands nowhere. */
static int read_positions(struct patient *patient)
{
    struct rf_checkpoint_report *report = &patient->report;
    struct rf_buf path = {0};
    struct rf_error err = {0};
    enum rf_status status = rf_place_of(patient->state, rf_buf_cstr(&patient->name), &path, &err);

    if (status == RF_OK && access(rf_buf_cstr(&path), F_OK) == 0) {
        status = rf_checkpoint_read(path.data, report, &err);
    }
    if (status == RF_OK && report->sink_count > 0) {
        patient->recorded = rf_alloc_zero(report->sink_count, sizeof *patient->recorded);
    }
    if (status != RF_OK) {
        rf_message_failure(&err);
    }
    rf_buf_deinit(&path);
    return rf_stream_exit_code(status);
}

/* ---- Looking --------------------------------------------------------------------------------- */

static void examine_source(const struct patient *patient, struct rf_context *ctx,
                           struct rf_examined *out)
{
    const struct rf_source_spec *spec = &patient->ends->source_spec;
    struct rf_option_set set = {spec->type->name, spec->type->options};
    struct rf_arena arena = {0};
    void *state = rf_alloc_zero(1, spec->type->state_size + 1);

    out->is_source = true;
    out->address = spec->address;
    ctx->instance = spec->address;
    out->status = rf_options_fill(set, spec->settings, state, &arena, &out->err);
    if (out->status == RF_OK && spec->type->examine != NULL) {
        out->status = spec->type->examine(state, ctx, &out->findings, &out->err);
    }
    spec->type->close(state);
    free(state);
    rf_arena_deinit(&arena);
}

/* Those of the source's tables whose rows would reach the sink, by its own patterns. */
static void pick_tables(const struct rf_sink_spec *spec, const struct rf_findings *source,
                        struct rf_arena *arena, struct rf_context *ctx)
{
    struct rf_finding_table *picked = rf_arena_alloc(arena, source->table_count * sizeof *picked);
    struct rf_pattern *patterns = NULL;
    struct rf_str list = RF_STR_NONE, one, rest;
    struct rf_buf name = {0};
    uint32_t count = 0, room = 0;

    for (uint32_t i = 0; i < spec->settings.count; i++) {
        if (strcmp(spec->settings.items[i].name, "tables") == 0) {
            list = rf_str_of(spec->settings.items[i].value);
        }
    }
    for (rest = list; list.size > 0 && rf_str_split(&rest, ',', &one);) {
        room++;
    }
    patterns = rf_arena_alloc(arena, (room + 1) * sizeof *patterns);
    for (rest = list; list.size > 0 && rf_str_split(&rest, ',', &one);) {
        count += rf_pattern_read(one, arena, &patterns[count], NULL) == RF_OK;
    }
    ctx->table_count = 0;
    for (uint32_t i = 0; i < source->table_count; i++) {
        const struct rf_finding_table *table = &source->tables[i];
        rf_buf_reset(&name);
        rf_buf_printf(&name, "%.*s.%.*s", RF_STR_ARG(table->database), RF_STR_ARG(table->name));
        if (rf_pattern_picks_table(patterns, count, rf_buf_str(&name))) {
            picked[ctx->table_count++] = *table;
        }
    }
    ctx->tables = picked;
    rf_buf_deinit(&name);
}

static void examine_sink(const struct rf_sink_spec *spec, struct rf_context *ctx,
                         struct rf_examined *out)
{
    struct rf_option_set set = {spec->type->name, spec->type->options};
    struct rf_arena arena = {0};
    void *state = rf_alloc_zero(1, spec->type->state_size + 1);

    out->address = spec->address;
    ctx->instance = spec->name;
    out->status = rf_options_fill(set, spec->settings, state, &arena, &out->err);
    if (out->status == RF_OK && spec->type->examine != NULL) {
        out->status = spec->type->examine(state, ctx, &out->findings, &out->err);
    }
    spec->type->close(state);
    free(state);
    rf_arena_deinit(&arena);
}

/* Names of sinks are not terminated in a report. */
static void collect_recorded(const struct patient *patient, struct rf_context *ctx,
                             struct rf_arena *arena)
{
    for (uint32_t i = 0; patient->recorded != NULL && i < patient->report.sink_count; i++) {
        const struct rf_checkpoint_sink *sink = &patient->report.sinks[i];
        char *name = rf_arena_alloc(arena, sink->name.size + 1);
        memcpy(name, sink->name.data, sink->name.size);
        name[sink->name.size] = '\0';
        if (sink->position.size > 0) {
            patient->recorded[ctx->recorded_count++] = (struct rf_recorded){name, sink->position};
        }
    }
    ctx->recorded = patient->recorded;
}

static int show(const struct rf_examined *examined, uint32_t count, bool json)
{
    bool terminal = isatty(STDOUT_FILENO) == 1;
    uint32_t columns = terminal ? rf_terminal_columns(STDOUT_FILENO) : COLUMNS_PIPE;
    struct rf_buf out = {0};
    int code = RF_EXIT_DONE;

    if (json) {
        rf_findings_json(&out, examined, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        bool wrong = rf_findings_first_wrong(&examined[i].findings) != NULL;
        if (!json) {
            rf_findings_print(&out, &examined[i], columns > COLUMNS_LEAST ? columns : COLUMNS_LEAST,
                              rf_terminal_takes_colours(STDOUT_FILENO));
            rf_buf_add_byte(&out, '\n');
        }
        if (examined[i].status == RF_RETRY) {
            code = RF_EXIT_UNREACHABLE;
        } else if ((wrong || examined[i].status != RF_OK) && code == RF_EXIT_DONE) {
            code = RF_EXIT_CONFIG;
        }
    }
    if (!json) {
        rf_findings_sum(&out, examined, count);
    }
    int printed = rf_command_print(&out);
    rf_buf_deinit(&out);
    return printed != RF_EXIT_DONE ? printed : code;
}

static int examine(const struct patient *patient, const struct doctor_options *chosen)
{
    uint32_t count = 1 + patient->ends->sink_count;
    struct rf_examined *examined = rf_alloc_zero(count, sizeof *examined);
    struct rf_arena arena = {0};
    struct rf_context ctx = {.pipeline = patient->name.data,
                             .whole = count == 1, /* whatever is to come behind it */
                             .connect_timeout_ms = chosen->connect_timeout_ms};

    for (uint32_t i = 1; i < count; i++) {
        ctx.whole |= patient->ends->sink_specs[i - 1].type->keeps_state;
    }
    collect_recorded(patient, &ctx, &arena);
    examine_source(patient, &ctx, &examined[0]);
    for (uint32_t i = 1; i < count; i++) {
        pick_tables(&patient->ends->sink_specs[i - 1], &examined[0].findings, &arena, &ctx);
        examine_sink(&patient->ends->sink_specs[i - 1], &ctx, &examined[i]);
    }
    int code = show(examined, count, chosen->json);
    for (uint32_t i = 0; i < count; i++) {
        rf_findings_deinit(&examined[i].findings);
    }
    rf_arena_deinit(&arena);
    free(examined);
    return code;
}

static int run(void *state, const char *const *words, uint32_t word_count)
{
    const struct doctor_options *chosen = state;
    struct patient patient = {0};

    rf_log_set_level(RF_LOG_ERROR); /* what would be warned of is a finding here */
    int code = read_patient(&patient, chosen, words, word_count);
    if (code == RF_EXIT_DONE) {
        code = read_positions(&patient);
    }
    if (code == RF_EXIT_DONE) {
        code = examine(&patient, chosen);
    }
    patient_deinit(&patient);
    return code;
}

const struct rf_command rf_command_doctor = {
    .name = "doctor",
    .usage = "[OPTION...] CONFIG.yaml | SOURCE [SINK...]",
    .summary = "look at everything that has to be so before a pipeline runs, and how to mend it",
    .help =
        "Asks the source and each sink for what a pipeline needs of them, and says what was "
        "found,\n"
        "what is needed and the statement that mends it. It reads no changes, writes nothing and\n"
        "disturbs no pipeline that runs. What is 'wrong' stops 'rowferry run'; 'advice' does not.\n"
        "Exit codes: 0 nothing has to change, 2 something has to, 5 not reachable.\n",
    .state_size = sizeof(struct doctor_options),
    .options = options,
    .words_min = 1,
    .words_max = 1 + RF_ENDS_SINKS_MAX,
    .run = run,
};
