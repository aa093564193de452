#include "base/memory.h"
#include "checkpoint/file.h"
#include "checkpoint/store.h"

#include <stdlib.h>

void rf_report_add(void *argument, const struct rf_checkpoint_sink *sink)
{
    struct rf_checkpoint_report *report = argument;
    report->sinks = rf_realloc(report->sinks, (report->sink_count + 1) * sizeof *report->sinks);
    report->sinks[report->sink_count++] = *sink;
}

enum rf_status rf_checkpoint_read(const char *path, struct rf_checkpoint_report *out,
                                  struct rf_error *err)
{
    sqlite3 *db = NULL;
    int layout = 0;
    struct rf_pipeline_row row = {0};
    struct rf_buf text = {0};
    *out = (struct rf_checkpoint_report){0};
    enum rf_status status = rf_store_open(path, SQLITE_OPEN_READONLY, &db, &layout, err);
    if (status == RF_OK && sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK) {
        status = rf_store_failed(db, path, "could not read", err);
    }
    if (status == RF_OK) {
        status = rf_store_read_pipeline(db, path, &text, &row, err);
    }
    if (status == RF_OK) {
        struct rf_str *strings[] = {&row.name, &row.source, &row.host};
        for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
            size_t at = out->text.size;
            rf_buf_add_str(&out->text, *strings[i]);
            strings[i]->data = (const char *)(uintptr_t)at;
        }
        status = rf_store_walk_sinks(db, path, layout, &out->text, rf_report_add, out, err);
    }
    if (status == RF_OK) {
        rf_store_settle(&row.name, &out->text);
        rf_store_settle(&row.source, &out->text);
        rf_store_settle(&row.host, &out->text);
        for (uint32_t i = 0; i < out->sink_count; i++) {
            rf_store_settle_sink(&out->sinks[i], &out->text);
        }
        out->name = row.name;
        out->source = row.source;
        out->host = row.host;
        out->epoch = row.epoch;
        out->pid = row.pid;
        out->started_us = row.started_us;
        out->running = rf_state_is_locked(path);
    }
    if (status == RF_RETRY) {
        status = err ? (err->status = RF_CONFIG) : RF_CONFIG;
    }
    rf_buf_deinit(&text);
    sqlite3_close(db);
    return status;
}

void rf_checkpoint_report_deinit(struct rf_checkpoint_report *report)
{
    free(report->sinks);
    rf_buf_deinit(&report->text);
    *report = (struct rf_checkpoint_report){0};
}
