/* One log file: its events, one by one, where they lie.
 *
 * Used by the source `binlog`. Reads ordinary files and pipes through one window that moves along;
 * an event larger than the window makes it grow. It knows the sizes of events and nothing else of
 * them. What the end of the file means, the caller decides. */
#ifndef ROWFERRY_SOURCE_LOG_FILE_H
#define ROWFERRY_SOURCE_LOG_FILE_H

#include "wire/binlog.h"

#include <stdatomic.h>

/* Zeroed is valid and closed. Thread: the owner's, but for `interrupted`. */
struct rf_log_file {
    char *path;
    struct rf_str name; /* of the file, without directories */
    int file;           /* descriptor plus 1 */
    bool regular;
    atomic_bool interrupted; /* set by another thread: waiting ends with RF_RETRY */
    char *data;
    size_t capacity;
    size_t start;    /* of the event that is handed out, or will be next */
    size_t handed;   /* its size, once it was handed out */
    size_t end;      /* of what was read */
    uint64_t offset; /* in the file, of data[start] */
};

/* Closes what was open and opens this one, "-" for standard input; keeps the window's memory.
 * Returns RF_OK; RF_CONFIG (it cannot be opened, or is a directory; err->code is errno). */
RF_USE_RESULT enum rf_status rf_log_file_open(struct rf_log_file *file, const char *path,
                                              struct rf_error *err);
/* Accepts closed ones. */
void rf_log_file_close(struct rf_log_file *file);

/* Makes `need` bytes available behind what was taken. deadline_ms counts for pipes only. Returns
 * RF_OK, also when the file ends before (*had says how many there are); RF_AGAIN; RF_RETRY
 * (interrupted); RF_FATAL (it cannot be read). */
RF_USE_RESULT enum rf_status rf_log_file_fill(struct rf_log_file *file, size_t need,
                                              int64_t deadline_ms, size_t *had,
                                              struct rf_error *err);
/* The next event, not taken yet; valid until the next call. event->data is NULL where the file
 * ends: *missing is then how many bytes an event that has begun lacks, 0 between two events.
 * Returns RF_OK; RF_AGAIN; RF_RETRY; RF_FATAL (damage). */
RF_USE_RESULT enum rf_status rf_log_file_peek(struct rf_log_file *file, int64_t deadline_ms,
                                              struct rf_str *event, struct rf_binlog_header *header,
                                              uint64_t *missing, struct rf_error *err);
/* The same for an event that lies whole in memory; false: it does not, or is damaged, and peek has
 * to say which. */
bool rf_log_file_peek_ready(struct rf_log_file *file, struct rf_str *event);
/* Takes so many bytes. Returns the offset behind them. */
uint64_t rf_log_file_take(struct rf_log_file *file, size_t size);
/* Where the next event begins. */
uint64_t rf_log_file_offset(const struct rf_log_file *file);
/* Goes to an offset of an ordinary file. Returns RF_OK or RF_FATAL. */
RF_USE_RESULT enum rf_status rf_log_file_seek(struct rf_log_file *file, uint64_t offset,
                                              struct rf_error *err);

/* Waits until the deadline, but not for longer than a moment, for a file that grows. Returns RF_OK
 * (look again); RF_AGAIN (the deadline has passed); RF_RETRY (interrupted). */
RF_USE_RESULT enum rf_status rf_log_file_wait(struct rf_log_file *file, int64_t deadline_ms,
                                              struct rf_error *err);
/* What became of the file at that path since it was opened. Returns RF_OK (*gone says whether it
 * was deleted); RF_FATAL (it is shorter than what was read of it, or another file). */
RF_USE_RESULT enum rf_status rf_log_file_check(const struct rf_log_file *file, bool *gone,
                                               struct rf_error *err);
/* Fails with RF_FATAL: the file ends inside an event. */
enum rf_status rf_log_file_truncated(const struct rf_log_file *file, uint64_t missing,
                                     struct rf_error *err);

#endif
