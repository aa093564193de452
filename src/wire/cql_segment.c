#include "wire/cql_segment.h"

#include <zlib.h>

#ifdef RF_WITH_ISAL
#include <isa-l/crc.h>
#endif
#ifdef RF_WITH_LZ4
#include <lz4.h>
#endif

enum {
    CRC24_START = 0x875060,
    CRC24_POLYNOMIAL = 0x1974F0B,
    TRAILER = 4,
    PLAIN_HEAD = 3,
    LZ4_HEAD = 5,
    CRC24_SIZE = 3,
    SIZE_BITS = 17,
};

#define SIZE_MASK ((UINT64_C(1) << SIZE_BITS) - 1)

/* ------------------------------------------------------------------------------------ checksums */

static uint32_t crc24_of(uint64_t head, unsigned size)
{
    uint32_t crc = CRC24_START;
    for (unsigned i = 0; i < size; i++, head >>= 8) {
        crc ^= (uint32_t)(head & 0xFF) << 16;
        for (unsigned bit = 0; bit < 8; bit++) {
            crc <<= 1;
            crc ^= crc & 0x1000000 ? CRC24_POLYNOMIAL : 0u;
        }
    }
    return crc;
}

/* The checksum begins with four bytes that are not sent, so that zeros do not have a sum of 0. */
static uint32_t crc32_of(const char *bytes, size_t size)
{
    static const unsigned char start[] = {0xFA, 0x2D, 0x55, 0xCA};
#ifdef RF_WITH_ISAL
    return crc32_gzip_refl(crc32_gzip_refl(0, start, sizeof start), (const unsigned char *)bytes,
                           size);
#else
    return (uint32_t)crc32_z(crc32_z(0, start, sizeof start), (const unsigned char *)bytes, size);
#endif
}

static void put_little(char *out, uint64_t number, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        out[i] = (char)(uint8_t)(number >> 8 * i);
    }
}

static uint64_t get_little(const char *bytes, unsigned size)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < size; i++) {
        number |= (uint64_t)(uint8_t)bytes[i] << 8 * i;
    }
    return number;
}

/* ------------------------------------------------------------------------------------------ LZ4 */

bool rf_cql_lz4_here(void)
{
#ifdef RF_WITH_LZ4
    return true;
#else
    return false;
#endif
}

/* Appends the packed bytes when they are fewer; else nothing, and gives 0. */
static size_t pack(struct rf_buf *out, struct rf_str bytes)
{
#ifdef RF_WITH_LZ4
    if (bytes.size > 0 && bytes.size <= LZ4_MAX_INPUT_SIZE) {
        char *to = rf_buf_reserve(out, bytes.size);
        int size = LZ4_compress_default(bytes.data, to, (int)bytes.size, (int)bytes.size - 1);
        out->size += size > 0 ? (size_t)size : 0;
        return size > 0 ? (size_t)size : 0;
    }
#else
    (void)out;
    (void)bytes;
#endif
    return 0;
}

/* Appends exactly `size` bytes. */
static enum rf_status unpack(struct rf_str bytes, size_t size, struct rf_buf *out,
                             struct rf_error *err)
{
#ifdef RF_WITH_LZ4
    /* A block cannot be larger than 255 times its packed size: no room is made for a lie. */
    if (bytes.size <= INT32_MAX && size / 255 <= bytes.size &&
        LZ4_decompress_safe(bytes.data, rf_buf_reserve(out, size + 1), (int)bytes.size,
                            (int)size) == (int)size) {
        out->size += size;
        return RF_OK;
    }
#else
    (void)bytes;
    (void)out;
#endif
    return rf_fail(err, RF_FATAL, "damaged LZ4 block, of %zu bytes for %zu", bytes.size, size);
}

void rf_cql_pack(struct rf_buf *out, size_t begin, struct rf_buf *scratch)
{
    struct rf_str body = {out->data + begin + RF_CQL_HEADER, out->size - begin - RF_CQL_HEADER};
    rf_assert(body.size <= RF_CQL_BODY_MAX);
    rf_buf_reset(scratch);
    rf_cql_add_int(scratch, (int32_t)body.size);
    if (body.size > RF_CQL_HEADER && pack(scratch, body) > 0 && scratch->size < body.size) {
        out->size = begin + RF_CQL_HEADER;
        rf_buf_add_str(out, rf_buf_str(scratch));
        out->data[begin + 1] |= RF_CQL_FRAME_COMPRESSED;
    }
    rf_cql_end(out, begin);
}

enum rf_status rf_cql_unpack(struct rf_str body, struct rf_buf *out, struct rf_error *err)
{
    struct rf_cursor cursor = rf_cursor_of(body);
    uint32_t size = (uint32_t)rf_cql_int(&cursor, "size");
    rf_buf_reset(out);
    if (cursor.missing != NULL || size > RF_CQL_BODY_MAX) {
        return rf_fail(err, RF_FATAL, "damaged LZ4 body of %zu bytes", body.size);
    }
    return size == 0 ? RF_OK : unpack(rf_cursor_rest(&cursor), size, out, err);
}

/* ------------------------------------------------------------------------------------- segments */

static void add_segment(struct rf_buf *out, struct rf_str payload, bool whole, bool lz4)
{
    const unsigned head_size = lz4 ? LZ4_HEAD : PLAIN_HEAD;
    const size_t begin = out->size;
    size_t unpacked = 0;
    (void)rf_buf_reserve(out, payload.size + RF_CQL_SEGMENT_EXTRA);
    out->size += head_size + CRC24_SIZE;
    if (lz4 && pack(out, payload) > 0) {
        unpacked = payload.size;
    } else {
        rf_buf_add_str(out, payload);
    }
    size_t size = out->size - begin - head_size - CRC24_SIZE;
    uint64_t head = size | (uint64_t)unpacked << SIZE_BITS;
    head = lz4 ? head | (uint64_t)whole << 2 * SIZE_BITS : size | (uint64_t)whole << SIZE_BITS;
    put_little(out->data + begin, head, head_size);
    put_little(out->data + begin + head_size, crc24_of(head, head_size), CRC24_SIZE);
    uint32_t crc = crc32_of(out->data + begin + head_size + CRC24_SIZE, size);
    put_little(rf_buf_reserve(out, TRAILER), crc, TRAILER);
    out->size += TRAILER;
}

/* Bytes of the whole frames at the front that fit into a segment; 0: the first does not. */
static size_t whole_frames(struct rf_str frames)
{
    size_t size = 0;
    while (size < frames.size) {
        struct rf_cursor cursor =
            rf_cursor_of((struct rf_str){frames.data + size, frames.size - size});
        (void)rf_cursor_str(&cursor, RF_CQL_HEADER - 4, "header");
        size_t next = RF_CQL_HEADER + (size_t)rf_cql_number(&cursor, 4, "size");
        rf_assert(next <= frames.size - size);
        if (size + next > RF_CQL_PAYLOAD_MAX) {
            break;
        }
        size += next;
    }
    return size;
}

void rf_cql_segments_add(struct rf_buf *out, struct rf_str frames, bool lz4)
{
    while (frames.size > 0) {
        size_t size = whole_frames(frames);
        bool whole = size > 0;
        if (!whole) {
            struct rf_cursor cursor = rf_cursor_of(frames);
            (void)rf_cursor_str(&cursor, RF_CQL_HEADER - 4, "header");
            size_t left = RF_CQL_HEADER + (size_t)rf_cql_number(&cursor, 4, "size");
            for (size = 0; size < left;) {
                size_t piece = left - size < RF_CQL_PAYLOAD_MAX ? left - size : RF_CQL_PAYLOAD_MAX;
                add_segment(out, (struct rf_str){frames.data + size, piece}, false, lz4);
                size += piece;
            }
        } else {
            add_segment(out, (struct rf_str){frames.data, size}, true, lz4);
        }
        frames.data += size;
        frames.size -= size;
    }
}

enum rf_status rf_cql_segment_take(struct rf_str bytes, bool lz4, size_t *taken,
                                   struct rf_buf *frames, struct rf_error *err)
{
    const unsigned head_size = lz4 ? LZ4_HEAD : PLAIN_HEAD;
    const size_t front = head_size + CRC24_SIZE;
    *taken = 0;
    if (bytes.size < front) {
        return RF_OK;
    }
    uint64_t head = get_little(bytes.data, head_size);
    if (get_little(bytes.data + head_size, CRC24_SIZE) != crc24_of(head, head_size)) {
        return rf_fail(err, RF_FATAL, "damaged segment: its head has another CRC24");
    }
    size_t size = (size_t)(head & SIZE_MASK);
    size_t unpacked = lz4 ? (size_t)(head >> SIZE_BITS & SIZE_MASK) : 0;
    if (bytes.size < front + size + TRAILER) {
        return RF_OK;
    }
    struct rf_str payload = {bytes.data + front, size};
    if (get_little(payload.data + size, TRAILER) != crc32_of(payload.data, size)) {
        return rf_fail(err, RF_FATAL, "damaged segment: its payload has another CRC32");
    }
    enum rf_status status = RF_OK;
    if (unpacked > 0) {
        status = unpack(payload, unpacked, frames, err);
    } else {
        rf_buf_add_str(frames, payload);
    }
    *taken = status == RF_OK ? front + size + TRAILER : 0;
    return status;
}
