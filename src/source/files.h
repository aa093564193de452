/* The files of a log, read as one, to their end or as they grow.
 *
 * Used by the source `binlog`. A file that ends between two events is whole as far as it goes: it
 * may be the one that a running server writes to. A file that ends inside an event is damaged,
 * unless it is followed and none comes behind it: then the rest is on its way. Relay logs are read
 * too; offsets are those of the file in hand, whatever its events say.
 *
 * That two files belong together is known by three things, and each is looked at: their numbers,
 * the name that the first one's ROTATE gives, and the GTIDs that the second one says lie before it.
 *
 * A file that is followed is looked at every few milliseconds: that works on every file system, and
 * costs one read() each time. The next file is known to be there when the server has closed this
 * one; what came until then is read first. Files that the server deleted before they were looked at
 * are no loss when nothing was in them: then the file behind them has before it what was read. */
#ifndef ROWFERRY_SOURCE_FILES_H
#define ROWFERRY_SOURCE_FILES_H

#include "source/index.h"
#include "source/log_file.h"
#include "source/transaction.h"

/* Zeroed, with an assembly, is valid. Thread: the owner's, but for file.interrupted. */
struct rf_files {
    struct rf_assembly *assembly; /* which takes the events; the caller's */
    struct rf_index index;        /* filled by the caller */
    bool follow;                  /* set by the caller */

    uint32_t at; /* in the index, of the file in hand */
    struct rf_log_file file;
    uint32_t created;      /* timestamp of its first event */
    bool described;        /* the file's first event was read */
    bool continues;        /* the file before it was read to its end */
    bool leapt;            /* ... and files between the two were deleted */
    bool foreign;          /* it is no log file at all */
    struct rf_buf rotated; /* name that the file's last ROTATE gives; empty: none */
    bool complete;         /* another file has come behind it: nothing is added any more */
    struct rf_buf next;    /* path of that file */
    int64_t hole_ms;       /* since when one is there with a higher number than that; 0: none */
    int64_t looked_ms;
    int64_t deadline_ms; /* of the last call */
    bool at_end;         /* followed: all that is there was handed out */
};

/* Opens the file of that number in the index. Returns RF_OK; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_files_open(struct rf_files *files, uint32_t at,
                                           struct rf_error *err);
/* Gives magic and the events that describe the file to the assembly, and stands in front of the
 * first transaction. Returns RF_OK; RF_AGAIN (not there by deadline_ms); RF_RETRY; RF_FATAL
 * (damage; `foreign` is set when it is no log file). */
RF_USE_RESULT enum rf_status rf_files_head(struct rf_files *files, int64_t deadline_ms,
                                           struct rf_error *err);
/* Gives the next event of this file to the assembly. Returns as rf_files_read_on. */
RF_USE_RESULT enum rf_status rf_files_step(struct rf_files *files, int64_t deadline_ms,
                                           struct rf_error *err);
/* Gives events of this file to the assembly until the transaction that it verifies is over and
 * `offset` is reached. Returns RF_OK; RF_AGAIN; RF_RETRY; RF_CONFIG (no transaction begins there);
 * RF_FATAL. */
RF_USE_RESULT enum rf_status rf_files_read_on(struct rf_files *files, uint64_t offset,
                                              int64_t deadline_ms, struct rf_error *err);
/* rf_event_finder; reader is a struct rf_files. Goes from file to file. Returns RF_OK, RF_AGAIN,
 * RF_RETRY (interrupted), RF_FATAL (damage, a hole, a file that was replaced or cut). */
enum rf_status rf_files_find(void *reader, int64_t deadline_ms, struct rf_str *event, uint64_t *end,
                             struct rf_error *err);
void rf_files_deinit(struct rf_files *files);

#endif
