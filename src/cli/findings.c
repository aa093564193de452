#include "cli/findings.h"

#include "wire/json.h"

#include <stdio.h>

enum { VERDICT_WIDTH = 8, INDENT = 2 };

/* ---- For people ------------------------------------------------------------------------------ */

static const char *colour_of(enum rf_verdict verdict)
{
    switch (verdict) {
    case RF_FINDING_FINE: return "\033[32m";
    case RF_FINDING_ADVICE: return "\033[33m";
    case RF_FINDING_UNKNOWN: return "\033[35m";
    case RF_FINDING_WRONG: return "\033[1;31m";
    }
    return "";
}

/* Words that go on in a column of their own. */
static void add_wrapped(struct rf_buf *out, size_t indent, const char *lead, const char *text,
                        uint32_t columns)
{
    size_t lead_size = strlen(lead), at = indent + lead_size;
    struct rf_str rest = rf_str_of(text), word;
    bool first = true;

    rf_buf_printf(out, "%*s%s", (int)indent, "", lead);
    while (rf_str_split(&rest, ' ', &word)) {
        if (!first && at + 1 + word.size > columns) {
            rf_buf_printf(out, "\n%*s", (int)(indent + lead_size), "");
            at = indent + lead_size;
        } else if (!first) {
            rf_buf_add_byte(out, ' ');
            at++;
        }
        rf_buf_add_str(out, word);
        at += word.size;
        first = false;
    }
    rf_buf_add_byte(out, '\n');
}

static size_t widest_of(const struct rf_findings *findings)
{
    size_t widest = 0;

    for (uint32_t i = 0; i < findings->count; i++) {
        size_t size = strlen(findings->items[i].what);
        widest = size > widest ? size : widest;
    }
    return widest;
}

static void print_finding(struct rf_buf *out, const struct rf_finding *finding, size_t widest,
                          uint32_t columns, bool colours)
{
    size_t column = INDENT + VERDICT_WIDTH + widest + 2;
    struct rf_buf text = {0};

    rf_buf_printf(out, "%*s%s%-*s%s%-*s", INDENT, "", colours ? colour_of(finding->verdict) : "",
                  VERDICT_WIDTH, rf_verdict_name(finding->verdict), colours ? "\033[0m" : "",
                  (int)widest + 2, finding->what);
    if (finding->found != NULL) {
        rf_buf_printf(&text, "%s", finding->found);
    } else if (finding->verdict != RF_FINDING_UNKNOWN && finding->why == NULL) {
        rf_buf_printf(&text, "none");
    }
    if (finding->needed != NULL && finding->verdict != RF_FINDING_FINE) {
        rf_buf_printf(&text, "%sneeded: %s", text.size > 0 ? "; " : "", finding->needed);
    }
    /* The first line has its lead already. */
    struct rf_buf lines = {0};
    add_wrapped(&lines, column, "", rf_buf_cstr(&text), columns);
    rf_buf_add(out, lines.data + column, lines.size - column);
    rf_buf_deinit(&lines);
    if (finding->why != NULL) {
        add_wrapped(out, INDENT + VERDICT_WIDTH, "why  ", finding->why, columns);
    }
    if (finding->fix != NULL) {
        add_wrapped(out, INDENT + VERDICT_WIDTH, "fix  ", finding->fix, columns);
    }
    rf_buf_deinit(&text);
}

void rf_findings_print(struct rf_buf *out, const struct rf_examined *examined, uint32_t columns,
                       bool colours)
{
    size_t widest = widest_of(&examined->findings);

    rf_buf_printf(out, "%s %s\n", examined->is_source ? "source" : "sink", examined->address);
    for (uint32_t i = 0; i < examined->findings.count; i++) {
        print_finding(out, &examined->findings.items[i], widest, columns, colours);
    }
    if (examined->status != RF_OK) {
        struct rf_finding finding = {
            .verdict = RF_FINDING_WRONG,
            .what = examined->err.connect ? "reached" : "looked at",
            .found = "no",
            .why = examined->err.message,
            .fix = examined->err.hint[0] != '\0' ? examined->err.hint : NULL,
        };
        print_finding(out, &finding, widest > strlen(finding.what) ? widest : strlen(finding.what),
                      columns, colours);
    } else if (examined->findings.count == 0) {
        rf_buf_printf(out, "%*s%-*s%s\n", INDENT, "", VERDICT_WIDTH, "ok",
                      "there is nothing to look at");
    }
}

static uint32_t count_of(const struct rf_examined *examined, uint32_t count,
                         enum rf_verdict verdict)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < count; i++) {
        sum += rf_findings_count(&examined[i].findings, verdict);
        sum += verdict == RF_FINDING_WRONG && examined[i].status != RF_OK;
    }
    return sum;
}

void rf_findings_sum(struct rf_buf *out, const struct rf_examined *examined, uint32_t count)
{
    uint32_t wrong = count_of(examined, count, RF_FINDING_WRONG);
    uint32_t advice = count_of(examined, count, RF_FINDING_ADVICE);
    uint32_t unknown = count_of(examined, count, RF_FINDING_UNKNOWN);

    if (wrong == 0) {
        rf_buf_printf(out, "nothing has to change");
    } else {
        rf_buf_printf(out, wrong == 1 ? "1 thing has to change" : "%u things have to change",
                      wrong);
    }
    if (advice > 0) {
        rf_buf_printf(out, advice == 1 ? "; 1 piece of advice" : "; %u pieces of advice", advice);
    }
    if (unknown > 0) {
        rf_buf_printf(out, "; %u could not be looked at", unknown);
    }
    rf_buf_add_byte(out, '\n');
}

/* ---- For programs ---------------------------------------------------------------------------- */

static void add_member(struct rf_buf *out, const char *name, const char *text)
{
    rf_buf_printf(out, ",\"%s\":", name);
    if (text != NULL) {
        rf_json_add_string(out, rf_str_of(text));
    } else {
        rf_buf_printf(out, "null");
    }
}

static void add_finding(struct rf_buf *out, const struct rf_finding *finding)
{
    rf_buf_printf(out, "{\"verdict\":\"%s\"", rf_verdict_name(finding->verdict));
    add_member(out, "what", finding->what);
    add_member(out, "found", finding->found);
    add_member(out, "needed", finding->needed);
    add_member(out, "why", finding->why);
    add_member(out, "fix", finding->fix);
    rf_buf_add_byte(out, '}');
}

static void add_end(struct rf_buf *out, const struct rf_examined *examined)
{
    bool failed = examined->status != RF_OK;

    rf_buf_printf(out, "{\"end\":\"%s\"", examined->is_source ? "source" : "sink");
    add_member(out, "address", examined->address);
    rf_buf_printf(out, ",\"reached\":%s", failed ? "false" : "true");
    add_member(out, "error", failed ? examined->err.message : NULL);
    add_member(out, "hint", failed && examined->err.hint[0] != '\0' ? examined->err.hint : NULL);
    rf_buf_printf(out, ",\"findings\":[");
    for (uint32_t i = 0; i < examined->findings.count; i++) {
        rf_buf_printf(out, i > 0 ? "," : "");
        add_finding(out, &examined->findings.items[i]);
    }
    rf_buf_printf(out, "]}");
}

void rf_findings_json(struct rf_buf *out, const struct rf_examined *examined, uint32_t count)
{
    rf_buf_printf(out, "{\"wrong\":%u,\"advice\":%u,\"unknown\":%u,\"ends\":[",
                  count_of(examined, count, RF_FINDING_WRONG),
                  count_of(examined, count, RF_FINDING_ADVICE),
                  count_of(examined, count, RF_FINDING_UNKNOWN));
    for (uint32_t i = 0; i < count; i++) {
        rf_buf_printf(out, i > 0 ? "," : "");
        add_end(out, &examined[i]);
    }
    rf_buf_printf(out, "]}\n");
}
