/* Segments: the numbered files that a rotating sink `file` writes one after the other.
 *
 * Of "log/changes.jsonl" they are "log/changes.000001.jsonl", "log/changes.000002.jsonl" and so on;
 * of "changes.jsonl.zst", "changes.000001.jsonl.zst". The highest one is being written to; those
 * before it are finished, and may be taken away by anybody. Segment 0 is the file itself, from a
 * time when it did not rotate. One thread at a time. */
#ifndef ROWFERRY_SINK_FILE_SEGMENT_H
#define ROWFERRY_SINK_FILE_SEGMENT_H

#include <rowferry/str.h>

/* Which file it is, whatever its name. Zeroed: none. */
struct rf_file_identity {
    uint64_t device, inode;
};

/* Borrows the path and the owner. */
struct rf_file_segments {
    const char *path;
    struct rf_str folder; /* with the slash at its end; empty: where we are */
    struct rf_str stem;   /* what stands in front of the number, without the folder */
    struct rf_str suffix; /* what stands behind it, from the point on */
    const char *owner;    /* the pipeline's name, for the marks */
};
struct rf_file_segments rf_file_segments_of(const char *path, const char *owner);

/* Its name, terminated; out is emptied first. */
void rf_file_segment_name(const struct rf_file_segments *segments, uint64_t number,
                          struct rf_buf *out);

/* The highest number there is; 0: no segment. Returns RF_OK; RF_CONFIG (the folder cannot be
 * read). */
RF_USE_RESULT enum rf_status rf_file_segments_highest(const struct rf_file_segments *segments,
                                                      uint64_t *number, struct rf_error *err);

/* Creates the segment, locked, its name safe from a crash, and marked, where the file system takes
 * marks, as the one that follows `before`. *fd is the caller's. Returns RF_OK; RF_RETRY (no room,
 * no memory); RF_CONFIG (not allowed; the name is taken); RF_FATAL (the folder could not be
 * synced). On failure there may be an empty file. */
RF_USE_RESULT enum rf_status rf_file_segment_create(const struct rf_file_segments *segments,
                                                    uint64_t number, struct rf_file_identity before,
                                                    int *fd, struct rf_error *err);

/* Removes the segments that follow the one of this number, which is `file`: what is in them comes
 * again. First it makes sure that each is empty, or marked as the one that follows the one before;
 * that nobody writes to it; and that none is missing, as what somebody took away would come twice.
 * Only then is anything removed, the highest first, so that it can be done again after a crash.
 * Behind segment 0, which is followed by any number, there may be others that do not follow it:
 * they stay. Returns RF_OK; RF_CONFIG (another process writes to one); RF_FATAL. */
RF_USE_RESULT enum rf_status rf_file_segments_remove(const struct rf_file_segments *segments,
                                                     uint64_t number, struct rf_file_identity file,
                                                     struct rf_error *err);

/* So that a crash of the system does not take the names in the folder. Returns RF_OK; RF_CONFIG;
 * RF_FATAL. */
RF_USE_RESULT enum rf_status rf_file_segments_sync(const struct rf_file_segments *segments,
                                                   struct rf_error *err);

/* The error for a failed open or create of that name. Returns RF_RETRY, RF_CONFIG or RF_FATAL. */
RF_USE_RESULT enum rf_status rf_file_open_failed(const char *name, int code, struct rf_error *err);
/* Nobody else may write there from now on, until fd is closed. Returns RF_OK or RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_file_lock(int fd, const char *name, struct rf_error *err);

#endif
