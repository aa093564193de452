/* The way of lines into a file: what the sink `file` writes through.
 *
 * The sink appends lines, says where transactions end, and drains them: as they are, or compressed.
 * Here is known how long the file is, and where it can be cut behind a transaction. Knows nothing
 * of events, notes and segments. One thread at a time but for `interrupted`, which any may set:
 * then writing ends with RF_RETRY, at the latest after a tenth of a second. */
#ifndef ROWFERRY_SINK_FILE_OUTPUT_H
#define ROWFERRY_SINK_FILE_OUTPUT_H

#include "sink/file_frame.h"

#include <rowferry/finding.h>

/* The owner opens fd and sets what belongs to it. Zeroed is closed and valid. */
struct rf_file_output {
    int fd;
    bool opened;
    struct rf_buf name; /* terminated: of the file */
    bool regular;
    bool careful;        /* a write may block: never more at once than certainly fits */
    bool unsynced;       /* written to since the last sync */
    uint64_t length;     /* of the file, without what is in lines */
    uint64_t handed_out; /* the kernel was told to begin writing out up to here */
    uint64_t reserved;   /* room was asked for up to here, perhaps behind the file's end */
    uint64_t ended;      /* where the file can be cut behind a transaction: the last such place */
    int64_t began_ms;    /* when the first bytes came into it, by the monotonic clock */
    int64_t began_us;    /* the same by the wall clock; 0: it is empty */

    struct rf_buf lines;
    size_t settled; /* of lines: up to the end of a transaction */
    bool inside;    /* what was drained last belongs to a transaction that is not at its end */
    struct rf_file_frame frame;
    struct rf_buf packed; /* what is written instead of lines */
    atomic_bool interrupted;
};

/* What was appended to lines is complete up to the end of a transaction. */
static inline void rf_file_output_settled(struct rf_file_output *output)
{
    output->settled = output->lines.size;
    output->inside = false;
}

/* Writes the lines and empties them, also after a failure: they come again. Returns RF_OK; RF_RETRY
 * (no room, nobody reads, interrupted); RF_CONFIG (larger than may be); RF_FATAL. */
RF_USE_RESULT enum rf_status rf_file_output_drain(struct rf_file_output *output,
                                                  struct rf_error *err);
/* The same, and ends the piece under way: the file is whole. Returns as drain does. */
RF_USE_RESULT enum rf_status rf_file_output_settle(struct rf_file_output *output,
                                                   struct rf_error *err);
/* What was drained is on the disk. Returns RF_OK or RF_FATAL. */
RF_USE_RESULT enum rf_status rf_file_output_sync(struct rf_file_output *output,
                                                 struct rf_error *err);

/* Closes the file; another one may be opened in its place. */
void rf_file_output_close(struct rf_file_output *output);
/* Frees the rest. */
void rf_file_output_deinit(struct rf_file_output *output);

/* "could not DOING NAME: ...", with the code. Returns status. */
enum rf_status rf_file_failed(const char *name, enum rf_status status, const char *doing, int code,
                              struct rf_error *err);

/* ---- file_examine.c */

/* Whether that file can be written, and how much room there is. Adds what it finds. */
void rf_file_examine(const char *path, struct rf_findings *findings);

#endif
