/* What MariaDB compresses with zlib: single events, and values of COMPRESSED columns.
 *
 * Used by the sources for events and by rows.c for values. What comes out must be exactly as much
 * as is said in front, no more than the caller takes, and no more than zlib can make of so few
 * bytes: a bomb is refused before memory is taken for it. An event is no larger than a server's
 * may be, nor are the values of one event together: without compression they would have to fit
 * into one. Memory beyond the first MiB is taken as the bytes come, not as they are said to.
 *
 * Events, with log_bin_compress=ON (types 165 to 171): as the one without compression, but the
 * statement of a QUERY, or the rows behind the bitmaps of a rows event, are
 *
 *   offset size
 *        0    1  bit 7 set; bits 4-6 how it is compressed: 0 zlib; bits 0-2 n, 1 to 4
 *        1    n  bytes without compression, highest first
 *      1+n    .  zlib's format
 *
 * Values of COMPRESSED columns (column types 140 and 141); the empty value has no byte at all:
 *
 *        0    1  bits 4-7 how it is compressed: 0 not, 8 zlib; bit 3 without zlib's head and sum;
 *                bits 0-2 n, 1 to 4 (0 where it is not compressed)
 *        1    n  bytes without compression, highest first
 *      1+n    .  the bytes themselves, or zlib's format
 *
 * Source: MariaDB, sql/log_event.cc, binlog_buf_compress and query_event_uncompress;
 * sql/field_comp.cc. */
#ifndef ROWFERRY_WIRE_INFLATE_H
#define ROWFERRY_WIRE_INFLATE_H

#include "wire/binlog.h"

#include <rowferry/arena.h>

enum { RF_INFLATE_EVENT_MAX = 1 << 30 }; /* bytes of one event: the server's own limit */

/* Zeroed is valid. Thread: the owner's. */
struct rf_inflater {
    struct z_stream_s *stream;
    struct rf_buf event; /* the last one that was made, or a large value while it is */
    uint64_t values;     /* bytes of all values that were decompressed */
};
void rf_inflater_deinit(struct rf_inflater *inflater);
/* Gives memory back that only a large event needed. */
void rf_inflater_trim(struct rf_inflater *inflater);

/* True for the types of compressed events. */
bool rf_inflate_is(unsigned type);
/* The event as a server without log_bin_compress writes it: header, with type and size as they then
 * are, and body, without a checksum. body is the compressed one's. *event is valid until the next
 * call. Returns RF_OK; RF_FATAL (damage, a compression that is not known, more than the limit). */
RF_USE_RESULT enum rf_status rf_inflate_event(struct rf_inflater *inflater,
                                              const struct rf_binlog_header *header,
                                              struct rf_str body, struct rf_str *event,
                                              struct rf_error *err);
/* A value of at most `max` bytes; it points into `bytes` or into the arena. One inflater makes the
 * values of one event. Returns NULL, or why it is none. */
const char *rf_inflate_value(struct rf_inflater *inflater, struct rf_str bytes, uint64_t max,
                             struct rf_arena *arena, struct rf_str *value);

#endif
