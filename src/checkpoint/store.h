/* What stands in a checkpoint's database: its rows, read back and checked. Used by checkpoint.c
 * and report.c alone, which open, write and report. */
#ifndef ROWFERRY_CHECKPOINT_STORE_H
#define ROWFERRY_CHECKPOINT_STORE_H

#include "checkpoint/checkpoint.h"

#include <sqlite3.h>

enum {
    RF_STORE_APPLICATION = 0x52574659, /* "RWFY", in the database's header */
    RF_STORE_VERSION = 2, /* of the layout that this program writes; it reads older ones too */
};

/* The one row of the table `pipeline`. Strings are borrowed. */
struct rf_pipeline_row {
    struct rf_str name, source, host;
    int64_t pid, started_us;
    uint64_t epoch, saves;
};

/* What the column `checksum` holds: SQLite checks its own structure, this what stands in the
 * fields. version: of the layout; 1 had no waived, buried and ordered. */
uint64_t rf_store_sum_pipeline(const struct rf_pipeline_row *row);
uint64_t rf_store_sum_sink(const struct rf_checkpoint_sink *sink, int version);

/* Fills err with RF_FATAL, the file's name and what to do about it. Returns RF_FATAL. */
enum rf_status rf_store_damaged(const char *path, const char *how, struct rf_error *err);
/* What the last failure of db means: RF_RETRY (no room, busy), RF_CONFIG (may not be opened or
 * written), RF_FATAL (damage, I/O). db may be NULL. */
enum rf_status rf_store_failed(sqlite3 *db, const char *path, const char *doing,
                               struct rf_error *err);

/* Opens an existing file and finds it to be ours, of a version that we know, and whole. flags are
 * SQLite's. *out is to be closed in any case; *layout is the version of the file. Returns RF_OK or
 * as rf_store_failed. */
RF_USE_RESULT enum rf_status rf_store_open(const char *path, int flags, sqlite3 **out, int *layout,
                                           struct rf_error *err);

/* Reads the pipeline's row; its strings lie in buf. Returns RF_OK or as rf_store_failed. */
RF_USE_RESULT enum rf_status rf_store_read_pipeline(sqlite3 *db, const char *path,
                                                    struct rf_buf *buf, struct rf_pipeline_row *row,
                                                    struct rf_error *err);

/* Reads a sink from the current row of a statement that selects all columns as rf_store_walk_sinks
 * does.
 * Its strings are appended to buf and given as offsets, until rf_store_settle_sink makes pointers
 * of them, once buf does not move any more. False: the checksum does not fit. */
RF_USE_RESULT bool rf_store_read_sink(sqlite3_stmt *statement, int version, struct rf_buf *buf,
                                      struct rf_checkpoint_sink *sink);
void rf_store_settle(struct rf_str *str, const struct rf_buf *buf);
void rf_store_settle_sink(struct rf_checkpoint_sink *sink, const struct rf_buf *buf);

/* Reads all sinks by name, each checksum looked at; each (may be NULL) gets them unsettled.
 * Returns RF_OK or as rf_store_failed. */
RF_USE_RESULT enum rf_status rf_store_walk_sinks(
    sqlite3 *db, const char *path, int version, struct rf_buf *buf,
    void (*each)(void *argument, const struct rf_checkpoint_sink *sink), void *argument,
    struct rf_error *err);

/* Appends it, unsettled, to the sinks of a struct rf_checkpoint_report; fits the walk. */
void rf_report_add(void *report, const struct rf_checkpoint_sink *sink);

#endif
