#include "cli/plan.h"

#include "base/memory.h"
#include "base/message.h"
#include "cli/command.h"
#include "cli/places.h"
#include "cli/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIELD(name) offsetof(struct rf_run_options, name)

const struct rf_option rf_run_option_table[] = {
    {"name", RF_OPTION_TEXT, FIELD(name), NULL, NULL,
     "the pipeline's name, under which positions are kept; else a hash of the source's address",
     false},
    {"from", RF_OPTION_TEXT, FIELD(from), NULL, NULL,
     "where a sink without a position begins: now, earliest or a position (default: now; of a log "
     "file: its beginning)",
     false},
    {"until", RF_OPTION_TEXT, FIELD(until), NULL, NULL,
     "where to end, with 0: now (what is in the log at the start), a position, or a time in UTC "
     "such as 2026-11-22T12:00:00Z",
     false},
    {"limit", RF_OPTION_INT, FIELD(limit), NULL, "1..",
     "end, with 0, after the transaction in which so many events were read", false},
    {"follow", RF_OPTION_BOOL, FIELD(follow), NULL, NULL,
     "wait at the end of a log file for more, and go on in the files behind it", false},
    {"state", RF_OPTION_TEXT, FIELD(state), NULL, NULL,
     "the directory of the state (default: $XDG_STATE_HOME/rowferry)", false},
    {"spill-dir", RF_OPTION_TEXT, FIELD(spill_directory), NULL, NULL,
     "the directory for transactions too large for memory, while they are read (default: $TMPDIR, "
     "else /var/tmp)",
     false},
    {"pool-bytes", RF_OPTION_SIZE, FIELD(pool_bytes), "24M", "1M..64G",
     "memory for events on their way", false},
    {"flush-ms", RF_OPTION_DURATION, FIELD(flush_ms), "100ms", "1..1h",
     "how often sinks make durable what they have, and positions are recorded", false},
    {"connect-timeout", RF_OPTION_DURATION, FIELD(connect_timeout_ms), "10s", "1..1d",
     "how long the first connection of each end is tried", false},
    {"adopt", RF_OPTION_BOOL, FIELD(adopt), NULL, NULL,
     "begin anew with a destination that has lost its position", false},
    {"quiet", RF_OPTION_BOOL, FIELD(quiet), NULL, NULL,
     "no progress and no summary; warnings and errors only", false},
    {"log-level", RF_OPTION_CHOICE, FIELD(log_level), "info", "error|warn|info|debug",
     "how much is logged", false},
    {"log-format", RF_OPTION_CHOICE, FIELD(log_format), "text", "text|json",
     "how the log is written; json: one object per line, and no live line", false},
    RF_OPTION_END,
};

static const struct rf_config_refusal refusals[] = {
    {"adopt", "it is for one start; give --adopt on the command line"},
    {"follow", "set \"follow\" under source"},
    {NULL, NULL},
};
static const struct rf_config_top top = {rf_run_option_table, refusals};

/* ---- Which kind of words --------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);

    return size > end_size && strcmp(text + size - end_size, end) == 0;
}

bool rf_plan_is_file_name(const char *word)
{
    size_t scheme = strcspn(word, ":/");

    return (ends_with(word, ".yaml") || ends_with(word, ".yml")) && word[scheme] != ':';
}

static bool is_file(const char *word)
{
    return rf_plan_is_file_name(word) || (strcmp(word, "-") != 0 && access(word, F_OK) == 0);
}

static int fail_usage(const char *message)
{
    rf_message_error("run: %s", message);
    rf_message_hint("usage: rowferry run %s", rf_command_run.usage);
    return RF_EXIT_USAGE;
}

/* ---- A file ---------------------------------------------------------------------------------- */

static const char *keep(struct rf_plan *plan, struct rf_str text)
{
    char *copy = rf_arena_alloc(&plan->memory, text.size + 1);

    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

/* Relative paths that were typed begin where we were started. */
static void pin_paths(struct rf_plan *plan, struct rf_setting *settings, uint32_t count)
{
    char *here = getcwd(NULL, 0);

    for (uint32_t i = 0; i < count && here != NULL; i++) {
        bool path =
            strcmp(settings[i].name, "state") == 0 || strcmp(settings[i].name, "spill-dir") == 0;
        if (path && settings[i].value[0] != '/' && settings[i].value[0] != '\0') {
            struct rf_buf text = {0};
            rf_buf_printf(&text, "%s/%s", here, settings[i].value);
            settings[i].value = keep(plan, rf_buf_str(&text));
            rf_buf_deinit(&text);
        }
    }
    free(here);
}

/* Goes to the directory of the file; returns the file's name there. Not for a pipe, whose
 * directory means nothing. */
static const char *enter_directory(struct rf_plan *plan, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct stat info;

    if (slash == NULL || stat(path, &info) != 0 || !S_ISREG(info.st_mode)) {
        return path;
    }
    const char *directory = keep(plan, (struct rf_str){path, (size_t)(slash - path) + 1});
    return chdir(directory) == 0 ? slash + 1 : path;
}

static void print_problems(const struct rf_problems *problems)
{
    const char *hint = "";

    for (uint32_t i = 0; i < problems->count; i++) {
        struct rf_error err = problems->items[i].err;
        if (strcmp(err.hint, hint) == 0) {
            err.hint[0] = '\0'; /* said a line above */
        } else {
            hint = problems->items[i].err.hint;
        }
        rf_message_failure(&err);
    }
    if (problems->left_out > 0) {
        rf_message_error("and %u more problems in %s", problems->left_out, problems->file);
    }
}

static bool is_typed(struct rf_settings typed, const char *name)
{
    for (uint32_t i = 0; i < typed.count; i++) {
        if (strcmp(typed.items[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* What was typed, then what the file says beside it. */
static int fill(struct rf_plan *plan, struct rf_settings typed)
{
    struct rf_option_set set = {"run", rf_run_option_table};
    struct rf_setting *all =
        rf_arena_alloc(&plan->memory, (typed.count + plan->config.top.count + 1) * sizeof *all);
    struct rf_settings settings = {all, 0};
    struct rf_error err = {0};

    for (uint32_t i = 0; i < typed.count; i++) {
        all[settings.count++] = typed.items[i];
    }
    for (uint32_t i = 0; i < plan->config.top.count; i++) {
        if (!is_typed(typed, plan->config.top.settings[i].name)) {
            all[settings.count++] = plan->config.top.settings[i];
        }
    }
    plan->chosen = (struct rf_run_options){0};
    if (rf_options_fill(set, settings, &plan->chosen, &plan->memory, &err) != RF_OK) {
        rf_message_failure(&err);
        return RF_EXIT_CONFIG;
    }
    rf_log_set_format((enum rf_log_format)plan->chosen.log_format);
    rf_log_set_level(plan->chosen.quiet && plan->chosen.log_level > RF_LOG_WARN
                         ? RF_LOG_WARN
                         : (enum rf_level)plan->chosen.log_level);
    return RF_EXIT_DONE;
}

/* ---- Following ------------------------------------------------------------------------------- */

static const struct rf_setting follow_setting = {"follow", "on", NULL};

enum rf_status rf_plan_follow(const char *source, struct rf_settings *out, struct rf_error *err)
{
    struct rf_endpoint_sets sets;
    enum rf_status status = rf_endpoint_source_sets(source, &sets, err);

    if (status != RF_OK) {
        return status;
    }
    if (rf_options_find(sets.items[0].options, "follow") == NULL) {
        rf_fail(err, RF_CONFIG, "--follow is for log files, and %s is none", sets.items[0].owner);
        rf_error_hint(err, "a server is followed until it is stopped, or as --until says");
        return RF_CONFIG;
    }
    *out = (struct rf_settings){&follow_setting, 1};
    return RF_OK;
}

/* ---- The plan -------------------------------------------------------------------------------- */

static int read_file(struct rf_plan *plan, struct rf_settings typed, const char *path)
{
    struct rf_problems *problems = rf_alloc_zero(1, sizeof *problems);
    struct rf_setting *pinned = rf_arena_alloc(&plan->memory, (typed.count + 1) * sizeof *pinned);
    struct rf_settings beside = {&follow_setting, plan->chosen.follow ? 1 : 0};
    int code = RF_EXIT_CONFIG;

    for (uint32_t i = 0; i < typed.count; i++) {
        pinned[i] = typed.items[i];
    }
    pin_paths(plan, pinned, typed.count);
    problems->file = path;
    const char *name = enter_directory(plan, path);
    if (rf_config_read(&plan->config, name, &top, beside, problems) != RF_OK) {
        print_problems(problems);
    } else {
        plan->file = path;
        plan->ends = &plan->config.ends;
        code = fill(plan, (struct rf_settings){pinned, typed.count});
    }
    free(problems);
    return code;
}

static int read_words(struct rf_plan *plan, const char *const *words, uint32_t word_count)
{
    struct rf_settings beside = {0};
    struct rf_error err = {0};
    enum rf_status status = plan->chosen.follow ? rf_plan_follow(words[0], &beside, &err) : RF_OK;

    if (status == RF_OK) {
        status = rf_ends_read(&plan->typed_ends, words, word_count, beside, NULL, &err);
    }
    plan->ends = &plan->typed_ends;
    if (status != RF_OK) {
        rf_message_failure(&err);
    }
    return rf_stream_exit_code(status);
}

/* The line of the file that says it; NULL: none. */
static const char *where_is(const struct rf_plan *plan, const char *name)
{
    for (uint32_t i = 0; i < plan->config.top.count; i++) {
        if (strcmp(plan->config.top.settings[i].name, name) == 0) {
            return plan->config.top.settings[i].where;
        }
    }
    return NULL;
}

/* To an error of rf_pipeline_check: the line of the file that says the wrong `from` or `until`. */
static void locate_end(const struct rf_plan *plan, struct rf_error *err)
{
    struct rf_pipeline_options without = plan->pipeline;
    const char *name = "from", *value = plan->chosen.from;

    without.until = NULL;
    if (rf_pipeline_check(&without, NULL) == RF_OK) {
        name = "until";
        value = plan->chosen.until;
    } else {
        without.from = NULL;
        if (rf_pipeline_check(&without, NULL) != RF_OK) {
            return; /* it is neither of the two */
        }
    }
    for (uint32_t i = 0; i < plan->config.top.count && value != NULL; i++) {
        const struct rf_setting *setting = &plan->config.top.settings[i];
        if (strcmp(setting->name, name) == 0 && strcmp(setting->value, value) == 0) {
            rf_config_hide(&plan->config.top, name, err);
            rf_error_wrap(err, "%s", setting->where);
        }
    }
}

/* What needs the options and the ends. */
static int complete(struct rf_plan *plan)
{
    const struct rf_run_options *chosen = &plan->chosen;
    struct rf_error err = {0};

    if (chosen->name != NULL) {
        rf_buf_printf(&plan->name, "%s", chosen->name);
    } else {
        rf_endpoint_pipeline_name(&plan->ends->source, &plan->name);
    }
    rf_buf_cstr(&plan->name);
    if (rf_place_of(chosen->state, plan->name.data, &plan->path, &err) != RF_OK) {
        const char *where = where_is(plan, "name");
        if (where != NULL) {
            rf_config_hide(&plan->config.top, "name", &err);
            rf_error_wrap(&err, "%s", where);
        }
        rf_message_failure(&err);
        return RF_EXIT_CONFIG;
    }
    plan->pipeline = (struct rf_pipeline_options){
        .name = plan->name.data,
        .checkpoint_path = rf_buf_cstr(&plan->path),
        .from = chosen->from ? chosen->from : rf_stream_default_from(plan->ends),
        .until = chosen->until,
        .limit = (uint64_t)chosen->limit,
        .spill_directory = chosen->spill_directory,
        .adopt = chosen->adopt,
        .pool_bytes = (size_t)chosen->pool_bytes,
        .flush_ms = chosen->flush_ms,
        .connect_timeout_ms = chosen->connect_timeout_ms,
        .source = plan->ends->source_spec,
        .sinks = plan->ends->sink_specs,
        .sink_count = plan->ends->sink_count,
    };
    if (rf_pipeline_check(&plan->pipeline, &err) != RF_OK) {
        locate_end(plan, &err);
        rf_message_failure(&err);
        return RF_EXIT_CONFIG;
    }
    return RF_EXIT_DONE;
}

int rf_plan_make(struct rf_plan *plan, struct rf_settings typed, const char *const *words,
                 uint32_t word_count)
{
    int code = fill(plan, typed);

    if (code != RF_EXIT_DONE) {
        return code;
    }
    if (word_count == 1 && !is_file(words[0])) {
        return fail_usage("a source needs at least one sink behind it");
    }
    for (uint32_t i = 0; i < word_count && word_count > 1; i++) {
        if (rf_plan_is_file_name(words[i])) {
            return fail_usage("a configuration file names the source and the sinks itself");
        }
    }
    code = word_count == 1 ? read_file(plan, typed, words[0]) : read_words(plan, words, word_count);
    return code == RF_EXIT_DONE ? complete(plan) : code;
}

/* ---- For people ------------------------------------------------------------------------------ */

static void add_setting(struct rf_buf *out, const char *name, const char *value)
{
    rf_buf_printf(out, "  %s: %s\n", name, value ? value : "(not shown)");
}

/* In the display of the address, or under its own name in the plan. */
static bool is_shown_elsewhere(const char *name)
{
    static const char *const names[] = {"user", "host", "port", "path", "format"};
    bool found = false;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        found = found || strcmp(names[i], name) == 0;
    }
    return found;
}

/* What stands in the address behind its '?', then what stands beside it. */
static void describe_settings(const struct rf_endpoint *endpoint, const struct rf_option *options,
                              const struct rf_config_part *part, struct rf_buf *out)
{
    for (uint32_t i = 0; i < endpoint->url.count; i++) {
        const struct rf_setting *setting = &endpoint->url.settings[i];
        const struct rf_option *option = rf_options_find(options, setting->name);
        bool secret =
            part->url_hidden || option == NULL ||
            (option->kind == RF_OPTION_SECRET && strcmp(option->name, setting->name) == 0);
        if (!is_shown_elsewhere(setting->name)) {
            add_setting(out, setting->name, secret ? NULL : setting->value);
        }
    }
    for (uint32_t i = 0; i < part->count; i++) {
        if (!is_shown_elsewhere(part->settings[i].name)) {
            add_setting(out, part->settings[i].name, part->shown[i]);
        }
    }
}

static void describe_sink(const struct rf_plan *plan, uint32_t at, struct rf_buf *out)
{
    const struct rf_sink_spec *spec = &plan->ends->sink_specs[at];

    rf_buf_printf(out, "sink: %s\n", spec->address);
    describe_settings(&plan->ends->sinks[at], spec->type->options, &plan->config.sinks[at], out);
    if (spec->format != NULL) {
        add_setting(out, "format", spec->format->name);
    }
    for (uint32_t i = 0; i < spec->transform_count; i++) {
        rf_buf_printf(out, "%s%s", i == 0 ? "  transforms: " : ", ", spec->transforms[i]->name);
    }
    if (spec->transform_count > 0) {
        rf_buf_add_byte(out, '\n');
    }
}

void rf_plan_describe(const struct rf_plan *plan, struct rf_buf *out)
{
    const struct rf_config_part *part = &plan->config.top;
    const struct rf_source_spec *source = &plan->ends->source_spec;

    rf_buf_printf(out, "name: %s\nstate: %s\nfrom: %s\n", plan->pipeline.name,
                  plan->pipeline.checkpoint_path, plan->pipeline.from);
    for (uint32_t i = 0; i < part->count; i++) {
        const char *name = part->settings[i].name;
        if (strcmp(name, "name") == 0 || strcmp(name, "state") == 0 || strcmp(name, "from") == 0) {
            continue;
        }
        for (const char *c = name; *c != '\0'; c++) {
            rf_buf_add_byte(out, *c == '-' ? '_' : *c); /* as the file has it */
        }
        rf_buf_printf(out, ": %s\n", part->shown[i]);
    }
    rf_buf_printf(out, "source: %s\n", source->address);
    describe_settings(&plan->ends->source, source->type->options, &plan->config.source, out);
    for (uint32_t i = 0; i < plan->ends->sink_count; i++) {
        describe_sink(plan, i, out);
    }
}

void rf_plan_deinit(struct rf_plan *plan)
{
    rf_config_deinit(&plan->config);
    rf_ends_deinit(&plan->typed_ends);
    rf_buf_deinit(&plan->name);
    rf_buf_deinit(&plan->path);
    rf_arena_deinit(&plan->memory);
    *plan = (struct rf_plan){0};
}
