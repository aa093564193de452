#include "cli/report.h"

#include "base/clock.h"
#include "base/memory.h"
#include "cli/places.h"
#include "cli/progress.h"
#include "control/control.h"
#include "wire/json.h"

#include <stdlib.h>

/* ---- Reading --------------------------------------------------------------------------------- */

static void ask(struct rf_report *out)
{
    struct rf_buf path = {0};

    rf_control_path(rf_buf_cstr(&out->path), &path);
    if (rf_control_ask(rf_buf_cstr(&path), &out->answer, NULL) == RF_OK) {
        out->answer.size = rf_str_trim(rf_buf_str(&out->answer)).size;
        out->answered = rf_document_read(&out->live, rf_buf_str(&out->answer), NULL) == RF_OK;
    }
    rf_buf_deinit(&path);
}

enum rf_status rf_report_read(struct rf_report *out, const char *directory, const char *name,
                              struct rf_error *err)
{
    enum rf_status status = rf_place_of(directory, name, &out->path, err);

    if (status == RF_OK) {
        status = rf_place_read(rf_buf_cstr(&out->path), name, &out->state, err);
    }
    if (status == RF_OK && out->state.running) {
        ask(out);
    }
    return status;
}

void rf_report_deinit(struct rf_report *report)
{
    rf_buf_deinit(&report->path);
    rf_buf_deinit(&report->answer);
    rf_checkpoint_report_deinit(&report->state);
    rf_document_deinit(&report->live);
    *report = (struct rf_report){0};
}

/* ---- A table: each column as wide as its widest cell ----------------------------------------- */

enum { COLUMNS_MAX = 8, POSITION_COLUMNS = 48 };

struct table {
    const char *const *heads; /* ended by NULL; a '>' in front: numbers, to the right */
    struct rf_buf *cells;
    uint32_t columns, rows; /* the heads are the first row */
};

static void table_init(struct table *table, const char *const *heads, uint32_t rows)
{
    *table = (struct table){.heads = heads, .rows = rows + 1};
    while (heads[table->columns] != NULL) {
        table->columns++;
    }
    rf_assert(table->columns <= COLUMNS_MAX);
    table->cells = rf_alloc_zero((size_t)table->rows * table->columns, sizeof *table->cells);
    for (uint32_t i = 0; i < table->columns; i++) {
        rf_buf_printf(&table->cells[i], "%s", heads[i] + (heads[i][0] == '>'));
    }
}

static struct rf_buf *table_row(struct table *table, uint32_t row)
{
    return &table->cells[(size_t)(row + 1) * table->columns];
}

static void table_print(struct rf_buf *out, struct table *table)
{
    int widths[COLUMNS_MAX] = {0};
    uint32_t count = table->rows * table->columns;

    for (uint32_t i = 0; i < count; i++) {
        int size = (int)table->cells[i].size;
        int *width = &widths[i % table->columns];
        *width = size > *width ? size : *width;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t column = i % table->columns;
        bool last = column == table->columns - 1, right = table->heads[column][0] == '>';
        int width = last && !right ? 0 : widths[column];
        rf_buf_printf(out, "  %*.*s%s", right ? width : -width,
                      RF_STR_ARG(rf_buf_str(&table->cells[i])), last ? "\n" : "");
    }
}

static void table_deinit(struct table *table)
{
    for (uint32_t i = 0; i < table->rows * table->columns; i++) {
        rf_buf_deinit(&table->cells[i]);
    }
    free(table->cells);
}

/* ---- Cells ----------------------------------------------------------------------------------- */

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

static void add_position(struct rf_buf *cell, struct rf_str position)
{
    struct rf_buf scratch = {0};
    struct rf_str text = rf_position_short(position, &scratch);

    if (text.size > POSITION_COLUMNS) {
        size_t kept = POSITION_COLUMNS - 2;
        rf_buf_printf(cell, "..%.*s", (int)kept, text.data + text.size - kept);
    } else {
        rf_buf_add_str(cell, text.size > 0 ? text : RF_STR("-"));
    }
    rf_buf_deinit(&scratch);
}

static void add_count(struct rf_buf *out, const char *lead, uint64_t count, const char *what)
{
    rf_buf_printf(out, "%s", lead);
    rf_print_number(out, count);
    rf_buf_printf(out, " %s", what);
}

/* ---- What is in the state file --------------------------------------------------------------- */

static void fill_state_row(struct rf_buf *cells, const struct rf_checkpoint_sink *sink)
{
    rf_buf_add_str(&cells[0], sink->name);
    if (sink->ordered && sink->position.size == 0) {
        rf_buf_printf(&cells[1], "to begin anew");
    } else {
        add_position(&cells[1], sink->position);
        rf_buf_printf(&cells[1], "%s", sink->ordered ? " (to be set)" : "");
    }
    add_time(&cells[2], sink->commit_us);
    add_age(&cells[3], sink->commit_us, "");
    rf_print_number(&cells[4], sink->events);
    add_age(&cells[5], sink->updated_us, " ago");
}

/* What went another way than to the sink, since the first start. */
static void add_losses(struct rf_buf *out, const struct rf_checkpoint_sink *sink)
{
    if (sink->buried > 0) {
        rf_buf_printf(out, "  %.*s: ", RF_STR_ARG(sink->name));
        add_count(out, "", sink->buried, "events in its dead letters\n");
    }
    if (sink->waived > 0) {
        rf_buf_printf(out, "  %.*s: ", RF_STR_ARG(sink->name));
        add_count(out, "", sink->waived, "log events skipped by name\n");
    }
}

static void add_state(struct rf_buf *out, const struct rf_checkpoint_report *state)
{
    static const char *const heads[] = {"SINK",    "POSITION", "COMMITTED (UTC)", "AGE", ">EVENTS",
                                        "UPDATED", NULL};
    struct table table;

    if (state->sink_count == 0) {
        rf_buf_printf(out, "  no position was recorded yet\n");
        return;
    }
    table_init(&table, heads, state->sink_count);
    for (uint32_t i = 0; i < state->sink_count; i++) {
        fill_state_row(table_row(&table, i), &state->sinks[i]);
    }
    table_print(out, &table);
    table_deinit(&table);
}

/* ---- What it says itself --------------------------------------------------------------------- */

static bool is_in(const struct rf_document_actor *actor, enum rf_phase phase)
{
    return rf_str_equal(actor->state, rf_str_of(rf_phase_name(phase)));
}

static bool is_at_work(const struct rf_document_actor *sink)
{
    return is_in(sink, RF_PHASE_STREAMING) || is_in(sink, RF_PHASE_DONE);
}

static void add_phase(struct rf_buf *cell, const struct rf_document_actor *actor)
{
    if (actor->own_feed && is_at_work(actor)) {
        rf_buf_printf(cell, "own feed");
    } else {
        rf_buf_add_str(cell, actor->state);
    }
}

static void fill_live_row(struct rf_buf *cells, const struct rf_document_actor *actor, bool source)
{
    rf_buf_add_str(&cells[0], source ? actor->address : actor->name);
    add_phase(&cells[1], actor);
    add_position(&cells[2], source ? actor->position : actor->recorded);
    if (source || actor->lag_ms < 0) {
        rf_buf_add_byte(&cells[3], '-');
    } else {
        rf_print_age(&cells[3], actor->lag_ms * 1000);
    }
    rf_print_number(&cells[4], actor->events_per_second);
    rf_print_number(&cells[5], actor->events_per_second_total);
    rf_print_number(&cells[6], actor->events);
}

static void add_trouble(struct rf_buf *out, const struct rf_document_actor *actor, bool source)
{
    if (actor->error.size > 0) {
        rf_buf_printf(out, "  %.*s: %.*s", RF_STR_ARG(source ? actor->address : actor->name),
                      RF_STR_ARG(actor->error));
        if (actor->try > 0 && (!is_in(actor, RF_PHASE_RETRYING) || actor->retry_in_ms <= 0)) {
            rf_buf_printf(out, "; try %llu is under way", (unsigned long long)actor->try);
        } else if (actor->try > 0) {
            rf_buf_printf(out, "; try %llu in %lld.%lld s", (unsigned long long)actor->try,
                          (long long)actor->retry_in_ms / 1000,
                          (long long)actor->retry_in_ms % 1000 / 100);
        }
        rf_buf_add_byte(out, '\n');
    }
}

static void add_live(struct rf_buf *out, const struct rf_document *live)
{
    static const char *const heads[] = {"",          "STATE",    "POSITION", ">LAG",
                                        ">EVENTS/S", ">AVERAGE", ">EVENTS",  NULL};
    struct table table;

    table_init(&table, heads, live->sink_count + 1);
    fill_live_row(table_row(&table, 0), &live->source, true);
    for (uint32_t i = 0; i < live->sink_count; i++) {
        fill_live_row(table_row(&table, i + 1), &live->sinks[i], false);
    }
    table_print(out, &table);
    table_deinit(&table);
    if (live->source.held_bytes > 0) {
        rf_buf_printf(out, "  on its way in memory: %.1f MB\n",
                      (double)live->source.held_bytes / 1e6);
    }
    if (live->source.marked > 0) {
        rf_buf_printf(out, "  values with bytes that are not of their character set: ");
        rf_print_number(out, live->source.marked);
        rf_buf_add_byte(out, '\n');
    }
    if (live->source.gone > 0) {
        rf_buf_printf(out, "  updates whose document was gone when it was looked up: ");
        rf_print_number(out, live->source.gone);
        rf_buf_add_byte(out, '\n');
    }
    add_trouble(out, &live->source, true);
    for (uint32_t i = 0; i < live->sink_count; i++) {
        add_trouble(out, &live->sinks[i], false);
    }
}

void rf_report_text(struct rf_buf *out, const struct rf_report *report)
{
    const struct rf_checkpoint_report *state = &report->state;

    rf_buf_printf(out, "%.*s  ", RF_STR_ARG(state->name));
    if (!state->running) {
        rf_buf_printf(out, "stopped");
    } else {
        bool stopping = report->answered && report->live.stopping;
        rf_buf_printf(out, "%s, pid %lld", stopping ? "stopping" : "running",
                      (long long)state->pid);
        if (state->started_us > 0) {
            rf_buf_printf(out, ", for ");
            rf_print_age(out, rf_clock_wall_us() - state->started_us);
        }
    }
    rf_buf_printf(out, "  from %.*s\n", RF_STR_ARG(state->source));
    if (report->answered) {
        add_live(out, &report->live);
    } else {
        add_state(out, state);
    }
    for (uint32_t i = 0; i < state->sink_count; i++) {
        add_losses(out, &state->sinks[i]);
    }
    if (state->running && !report->answered) {
        rf_buf_printf(out, "  it does not answer: this is what it recorded last\n");
    }
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

static void add_json_count(struct rf_buf *out, const char *name, uint64_t count)
{
    rf_buf_printf(out, ",\"%s\":", name);
    rf_buf_add_u64(out, count);
}

static void add_json_sink(struct rf_buf *out, const struct rf_checkpoint_sink *sink)
{
    rf_buf_printf(out, "{\"name\":");
    rf_json_add_string(out, sink->name);
    add_json_text(out, "address", sink->address);
    add_json_text(out, "position", sink->position);
    rf_buf_printf(out, ",\"ordered\":%s", sink->ordered ? "true" : "false");
    add_json_time(out, "committed", sink->commit_us);
    add_json_time(out, "updated", sink->updated_us);
    add_json_count(out, "events", sink->events);
    add_json_count(out, "transactions", sink->transactions);
    add_json_count(out, "waived", sink->waived);
    add_json_count(out, "buried", sink->buried);
    rf_buf_add_byte(out, '}');
}

void rf_report_json(struct rf_buf *out, const struct rf_report *report)
{
    const struct rf_checkpoint_report *state = &report->state;

    rf_buf_printf(out, "{\"name\":");
    rf_json_add_string(out, state->name);
    rf_buf_printf(out, ",\"running\":%s,\"pid\":%lld", state->running ? "true" : "false",
                  (long long)state->pid);
    add_json_text(out, "host", state->host);
    add_json_time(out, "started", state->started_us);
    add_json_text(out, "source", state->source);
    add_json_text(out, "file", rf_buf_str(&report->path));
    rf_buf_printf(out, ",\"healthy\":%s", rf_report_is_healthy(report, 0, NULL) ? "true" : "false");
    rf_buf_printf(out, ",\"sinks\":[");
    for (uint32_t i = 0; i < state->sink_count; i++) {
        rf_buf_printf(out, "%s", i > 0 ? "," : "");
        add_json_sink(out, &state->sinks[i]);
    }
    rf_buf_printf(out, "],\"live\":");
    rf_buf_add_str(out, report->answered ? rf_buf_str(&report->answer) : RF_STR("null"));
    rf_buf_add_byte(out, '}');
}

/* ---- Health ---------------------------------------------------------------------------------- */

static void explain(struct rf_buf *why, const struct rf_document_actor *actor, bool source)
{
    rf_buf_printf(why, "%.*s is %.*s", RF_STR_ARG(source ? actor->address : actor->name),
                  RF_STR_ARG(actor->state));
    if (actor->error.size > 0) {
        rf_buf_printf(why, ": %.*s", RF_STR_ARG(actor->error));
    }
}

static void explain_all(struct rf_buf *why, const struct rf_document *live)
{
    if (live->stopping) {
        rf_buf_printf(why, "it is stopping");
        return;
    }
    for (uint32_t i = 0; i < live->sink_count; i++) {
        if (!is_at_work(&live->sinks[i])) {
            explain(why, &live->sinks[i], false);
            return;
        }
    }
    explain(why, &live->source, true);
}

static bool is_in_time(const struct rf_document *live, int64_t lag_ms_max, struct rf_buf *why)
{
    for (uint32_t i = 0; i < live->sink_count && lag_ms_max > 0; i++) {
        const struct rf_document_actor *sink = &live->sinks[i];
        if (sink->lag_ms < 0 || sink->lag_ms > lag_ms_max) {
            if (sink->lag_ms < 0) {
                rf_buf_printf(why,
                              "how far %.*s is behind is not known yet: it has recorded "
                              "nothing since the start",
                              RF_STR_ARG(sink->name));
            } else {
                rf_buf_printf(why, "%.*s is behind by ", RF_STR_ARG(sink->name));
                rf_print_age(why, sink->lag_ms * 1000);
            }
            return false;
        }
    }
    return true;
}

bool rf_report_is_healthy(const struct rf_report *report, int64_t lag_ms_max, struct rf_buf *why)
{
    struct rf_buf unwanted = {0};
    struct rf_buf *out = why ? why : &unwanted;
    bool healthy = false;

    if (!report->state.running) {
        rf_buf_printf(out, "it does not run");
    } else if (!report->answered) {
        rf_buf_printf(out, "it does not answer");
    } else if (!report->live.healthy) {
        explain_all(out, &report->live);
    } else {
        healthy = is_in_time(&report->live, lag_ms_max, out);
    }
    rf_buf_deinit(&unwanted);
    return healthy;
}
