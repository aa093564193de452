/* Compressed pieces of a file: what the sink `file` writes with compress=gzip or zstd.
 *
 * A piece is one gzip member or one zstd frame. Pieces behind one another are a valid file, so a
 * file can be cut where one ends, read at any time, and gone on with. Knows nothing of events.
 * One thread at a time. Source: RFC 1952 section 2.2; RFC 8878 section 3. */
#ifndef ROWFERRY_SINK_FILE_FRAME_H
#define ROWFERRY_SINK_FILE_FRAME_H

#include <rowferry/str.h>
#include <stdatomic.h>

/* As the option and the note name them. */
enum rf_file_kind { RF_FILE_PLAIN = 0, RF_FILE_GZIP, RF_FILE_ZSTD };
#define RF_FILE_KINDS "none|gzip|zstd"

/* "none", "gzip", "zstd". */
const char *rf_file_kind_name(enum rf_file_kind kind);
/* False: no such kind, *out untouched. */
bool rf_file_kind_of(struct rf_str name, enum rf_file_kind *out);

/* Zeroed is RF_FILE_PLAIN and needs no opening: everything passes as it is. */
struct rf_file_frame {
    enum rf_file_kind kind;
    void *stream; /* kept from piece to piece, so that the steady state does not allocate */
    bool begun;   /* something is in the piece under way */
};

/* level 0: the library's own. Returns RF_OK; RF_CONFIG (no such level). */
RF_USE_RESULT enum rf_status rf_file_frame_open(struct rf_file_frame *frame, enum rf_file_kind kind,
                                                int64_t level, struct rf_error *err);
/* Adds to the piece under way, or begins one; appends to out what comes out of it already. Returns
 * RF_OK; RF_FATAL (the library failed). */
RF_USE_RESULT enum rf_status rf_file_frame_add(struct rf_file_frame *frame, struct rf_str data,
                                               struct rf_buf *out, struct rf_error *err);
/* Ends the piece: with what is appended to out the file is whole. Nothing begun: nothing happens.
 * Returns as add does. */
RF_USE_RESULT enum rf_status rf_file_frame_end(struct rf_file_frame *frame, struct rf_buf *out,
                                               struct rf_error *err);
/* Accepts one that was never opened. */
void rf_file_frame_close(struct rf_file_frame *frame);

/* Whether the file consists of whole pieces of this kind; reads all of it. An empty one does.
 * Returns RF_OK; RF_RETRY (*interrupted became true); RF_FATAL (it cannot be read). */
RF_USE_RESULT enum rf_status rf_file_frame_check(const char *path, enum rf_file_kind kind,
                                                 const atomic_bool *interrupted, bool *whole,
                                                 struct rf_error *err);

#endif
