#include "base/memory.h"

#include <rowferry/finding.h>
#include <stdlib.h>

const char *rf_verdict_name(enum rf_verdict verdict)
{
    switch (verdict) {
    case RF_FINDING_FINE: return "ok";
    case RF_FINDING_ADVICE: return "advice";
    case RF_FINDING_UNKNOWN: return "unknown";
    case RF_FINDING_WRONG: return "wrong";
    }
    return "?";
}

static const char *keep(struct rf_findings *findings, const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    size_t size = strlen(text) + 1;
    char *copy = rf_arena_alloc(&findings->memory, size);
    memcpy(copy, text, size);
    return copy;
}

void rf_finding_add(struct rf_findings *findings, struct rf_finding finding)
{
    if (findings->count == findings->capacity) {
        findings->capacity = findings->capacity == 0 ? 16 : 2 * findings->capacity;
        findings->items = rf_realloc(findings->items, findings->capacity * sizeof *findings->items);
    }
    findings->items[findings->count++] = (struct rf_finding){
        .verdict = finding.verdict,
        .what = keep(findings, finding.what),
        .found = keep(findings, finding.found),
        .needed = keep(findings, finding.needed),
        .why = keep(findings, finding.why),
        .fix = keep(findings, finding.fix),
    };
}

void rf_finding_add_text(struct rf_findings *findings, struct rf_finding finding,
                         const char *format, ...)
{
    struct rf_buf text = {0};
    va_list args;

    va_start(args, format);
    rf_buf_vprintf(&text, format, args);
    va_end(args);
    finding.found = rf_buf_cstr(&text);
    rf_finding_add(findings, finding);
    rf_buf_deinit(&text);
}

void rf_finding_add_error(struct rf_findings *findings, const char *what,
                          const struct rf_error *err)
{
    if (err->message[0] != '\0') {
        rf_finding_add(findings, (struct rf_finding){.verdict = RF_FINDING_WRONG,
                                                     .what = what,
                                                     .why = err->message,
                                                     .fix = err->hint[0] ? err->hint : NULL});
    }
}

void rf_finding_add_encryption(struct rf_findings *findings, bool encrypted, bool verified,
                               bool local)
{
    struct rf_finding finding = {.what = "encryption", .needed = "TLS, verified"};

    if (encrypted && verified) {
        finding.found = "TLS, verified";
    } else if (encrypted) {
        finding.verdict = RF_FINDING_ADVICE;
        finding.found = "TLS, not verified";
        finding.why = "somebody in between could take the server's place";
        finding.fix = "leave tls_verify=off out, and name the certificate's authority with tls_ca";
    } else if (local) {
        finding.found = "off, on this machine";
        finding.needed = NULL;
    } else {
        finding.verdict = RF_FINDING_ADVICE;
        finding.found = "off";
        finding.why = "everybody in between reads the rows";
        finding.fix = "leave tls=off out of the options";
    }
    rf_finding_add(findings, finding);
}

void rf_finding_add_table(struct rf_findings *findings, struct rf_str database, struct rf_str name)
{
    if (findings->table_count == findings->table_capacity) {
        findings->table_capacity =
            findings->table_capacity == 0 ? 16 : 2 * findings->table_capacity;
        findings->tables =
            rf_realloc(findings->tables, findings->table_capacity * sizeof *findings->tables);
    }
    findings->tables[findings->table_count++] =
        (struct rf_finding_table){.database = rf_arena_copy(&findings->memory, database),
                                  .name = rf_arena_copy(&findings->memory, name)};
}

const struct rf_finding *rf_findings_first_wrong(const struct rf_findings *findings)
{
    for (uint32_t i = 0; i < findings->count; i++) {
        if (findings->items[i].verdict == RF_FINDING_WRONG) {
            return &findings->items[i];
        }
    }
    return NULL;
}

uint32_t rf_findings_count(const struct rf_findings *findings, enum rf_verdict verdict)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < findings->count; i++) {
        count += findings->items[i].verdict == verdict;
    }
    return count;
}

void rf_findings_deinit(struct rf_findings *findings)
{
    free(findings->items);
    free(findings->tables);
    rf_arena_deinit(&findings->memory);
    *findings = (struct rf_findings){0};
}
