/* Segments: how version 5 of Cassandra's native protocol carries frames, and LZ4 bodies.
 *
 * Used by net/cql. Frames follow each other as a stream of bytes, cut into segments with checksums.
 * All numbers are little-endian, against the custom of the frames. Without compression
 *
 *   offset  size
 *   0       3     bits 0-16 size of the payload, bit 17 self-contained, 18-23 zero
 *   3       3     CRC24 of those
 *   6       n     payload: whole frames when it is self-contained, else a piece of one
 *   6 + n   4     CRC32 of the payload
 *
 * and with LZ4
 *
 *   0       5     bits 0-16 size of the payload as it comes, bits 17-33 its size when it is
 *                 unpacked, 0: it was not packed; bit 34 self-contained, 35-39 zero
 *   5       3     CRC24 of those
 *   8       n     payload, one LZ4 block
 *   8 + n   4     CRC32 of the payload as it comes
 *
 * In version 4 there are no segments; there the body of a frame is packed by itself, an [int] with
 * its unpacked size and the LZ4 block.
 *
 * Source: Apache Cassandra, doc/native_protocol_v5.spec, section 2; native_protocol_v4.spec,
 * section 5; CEP-2, and Crc.java for the checksums' constants. */
#ifndef ROWFERRY_WIRE_CQL_SEGMENT_H
#define ROWFERRY_WIRE_CQL_SEGMENT_H

#include "wire/cql.h"

enum {
    RF_CQL_PAYLOAD_MAX = 131071,
    RF_CQL_SEGMENT_EXTRA = 12, /* bytes around a payload, at most */
};

/* True when this build has LZ4. */
bool rf_cql_lz4_here(void);

/* Appends whole frames as segments. What is in `frames` is one or more whole frames. */
void rf_cql_segments_add(struct rf_buf *out, struct rf_str frames, bool lz4);

/* Takes one segment off the front of `bytes` and appends its payload to `frames`. *taken: bytes
 * that it had; 0: it is not there as a whole yet. Returns RF_OK; RF_FATAL: damaged. */
RF_USE_RESULT enum rf_status rf_cql_segment_take(struct rf_str bytes, bool lz4, size_t *taken,
                                                 struct rf_buf *frames, struct rf_error *err);

/* Version 4: packs the body of the frame that begins at `begin` and ends the buffer, and marks the
 * frame; leaves it as it is when that does not make it shorter. `scratch` is overwritten. Call
 * instead of rf_cql_end. */
void rf_cql_pack(struct rf_buf *out, size_t begin, struct rf_buf *scratch);
/* Version 4: the unpacked body of a frame that is marked, in `out`, whose content is replaced.
 * Returns RF_OK; RF_FATAL: damaged. */
RF_USE_RESULT enum rf_status rf_cql_unpack(struct rf_str body, struct rf_buf *out,
                                           struct rf_error *err);

#endif
