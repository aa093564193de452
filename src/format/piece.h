/* Pieces: text that is put together once and appended to many messages.
 *
 * Used by formats. A piece is a buffer that is complete and padded; appending it copies in steps of
 * 16 bytes, which beats a call for the few dozen that pieces have. Thread: the owner's. */
#ifndef ROWFERRY_FORMAT_PIECE_H
#define ROWFERRY_FORMAT_PIECE_H

#include <rowferry/str.h>

enum { RF_PIECE_STEP = 16 };

/* Room for the last step of a copy, behind a piece that is complete. */
static inline void rf_piece_end(struct rf_buf *piece)
{
    memset(rf_buf_reserve(piece, RF_PIECE_STEP), 0, RF_PIECE_STEP);
}

/* Appends a piece that has ended. */
static inline void rf_piece_add(struct rf_buf *out, const struct rf_buf *piece)
{
    char *at = rf_buf_reserve(out, piece->size + RF_PIECE_STEP);
    for (size_t done = 0; done < piece->size; done += RF_PIECE_STEP) {
        memcpy(at + done, piece->data + done, RF_PIECE_STEP);
    }
    out->size += piece->size;
}

#endif
