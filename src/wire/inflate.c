#include "wire/inflate.h"

#include "base/load.h"
#include "base/memory.h"
#include "wire/cursor.h"
#include "wire/rows.h"

#include <stdlib.h>
#include <zlib.h>

enum {
    KEPT = 1024 * 1024, /* bytes of an event's memory that stay */
    STEP = 1024 * 1024, /* bytes that memory is taken for before any came */
    RATIO_MAX = 1032,   /* zlib's own limit */
    SIZE_BITS = 0x07,
};

void rf_inflater_deinit(struct rf_inflater *inflater)
{
    if (inflater->stream != NULL) {
        inflateEnd(inflater->stream);
        free(inflater->stream);
    }
    rf_buf_deinit(&inflater->event);
    *inflater = (struct rf_inflater){0};
}

void rf_inflater_trim(struct rf_inflater *inflater)
{
    if (inflater->event.capacity > KEPT) {
        rf_buf_deinit(&inflater->event);
    }
}

/* Windows are those of zlib's format, or negative without its head. */
static void ready(struct rf_inflater *inflater, int window)
{
    int done;
    if (inflater->stream == NULL) {
        inflater->stream = rf_alloc_zero(1, sizeof *inflater->stream);
        done = inflateInit2(inflater->stream, window);
    } else {
        done = inflateReset2(inflater->stream, window);
    }
    rf_assert(done == Z_OK); /* else there is no memory */
}

/* What is said in front: bytes without compression, and the packed ones behind that. */
static const char *read_size(struct rf_str bytes, uint64_t max, size_t *size, struct rf_str *packed)
{
    size_t width = (unsigned char)bytes.data[0] & SIZE_BITS;
    if (width < 1 || width > 4 || bytes.size < 1 + width) {
        return "it does not say how large it is without compression";
    }
    *size = (size_t)rf_load_sized_be(bytes.data + 1, width);
    *packed = (struct rf_str){bytes.data + 1 + width, bytes.size - 1 - width};
    if (*size > max) {
        return "it says that without compression it is larger than it may be";
    }
    return *size / RATIO_MAX > packed->size
               ? "it says that without compression it is larger than so few bytes can be"
               : NULL;
}

/* Adds `size` bytes, which takes at most twice the memory of those that really come. */
static const char *inflate_all(struct rf_inflater *inflater, int window, struct rf_str packed,
                               struct rf_buf *out, size_t size)
{
    char none;
    int done;
    ready(inflater, window);
    z_stream *stream = inflater->stream;
    stream->next_in = (Bytef *)(uintptr_t)packed.data;
    stream->avail_in = (uInt)packed.size;
    do {
        size_t step = out->size > STEP ? out->size : STEP;
        step = step < size ? step : size;
        stream->next_out = (Bytef *)(step > 0 ? rf_buf_reserve(out, step) : &none);
        stream->avail_out = (uInt)step;
        done = inflate(stream, step == size ? Z_FINISH : Z_NO_FLUSH);
        out->size += step - stream->avail_out;
        size -= step - stream->avail_out;
    } while (done == Z_OK && stream->avail_out == 0 && size > 0);
    if (done == Z_STREAM_END && size == 0 && stream->avail_in == 0) {
        return NULL;
    }
    return done == Z_DATA_ERROR ? "it cannot be decompressed"
                                : "without compression it is not as large as it says";
}

/* ---- Events -------------------------------------------------------------------------------- */

bool rf_inflate_is(unsigned type)
{
    return type >= RF_BINLOG_QUERY_COMPRESSED && type <= RF_BINLOG_DELETE_ROWS_COMPRESSED_V2;
}

static unsigned plain_type(unsigned type)
{
    if (type == RF_BINLOG_QUERY_COMPRESSED) {
        return RF_BINLOG_QUERY;
    }
    return type >= RF_BINLOG_WRITE_ROWS_COMPRESSED_V2
               ? type - RF_BINLOG_WRITE_ROWS_COMPRESSED_V2 + RF_BINLOG_WRITE_ROWS_V2
               : type - RF_BINLOG_WRITE_ROWS_COMPRESSED_V1 + RF_BINLOG_WRITE_ROWS_V1;
}

/* The part of the body that is compressed lies at its end. */
static enum rf_status find_packed(unsigned type, struct rf_str body, struct rf_str *packed,
                                  struct rf_error *err)
{
    struct rf_binlog_query query;
    struct rf_rows rows;
    enum rf_status status;
    if (type == RF_BINLOG_QUERY) {
        status = rf_binlog_query_parse(body, &query, err);
        *packed = status == RF_OK ? query.statement : RF_STR_NONE;
    } else {
        status = rf_rows_parse(type, body, &rows, err);
        *packed = status == RF_OK ? rows.images : RF_STR_NONE;
    }
    return status;
}

enum rf_status rf_inflate_event(struct rf_inflater *inflater, const struct rf_binlog_header *header,
                                struct rf_str body, struct rf_str *event, struct rf_error *err)
{
    enum { KIND_BITS = 0xf0, ZLIB = 0x80, TYPE_AT = 4, SIZE_AT = 9, SIZE_SIZE = 4 };
    struct rf_buf *out = &inflater->event;
    const unsigned type = plain_type(header->type);
    struct rf_str packed;
    size_t size = 0;
    rf_assert(rf_inflate_is(header->type));
    enum rf_status status = find_packed(type, body, &packed, err);
    if (status != RF_OK) {
        return status;
    }
    size_t front = RF_BINLOG_HEADER_SIZE + body.size - packed.size;
    const char *why = packed.size == 0 ? "nothing is in it" : NULL;
    if (why == NULL && ((unsigned char)packed.data[0] & KIND_BITS) != ZLIB) {
        why = "its compression is not known";
    }
    if (why == NULL) {
        why = read_size(packed, RF_INFLATE_EVENT_MAX - front, &size, &packed);
    }
    if (why == NULL) {
        rf_buf_reset(out);
        /* The header lies in front of the body, in the event. */
        rf_buf_add(out, body.data - RF_BINLOG_HEADER_SIZE, front);
        why = inflate_all(inflater, MAX_WBITS, packed, out, size);
        out->data[TYPE_AT] = (char)type;
        for (int i = 0; i < SIZE_SIZE; i++) {
            out->data[SIZE_AT + i] = (char)(out->size >> 8 * i);
        }
    }
    if (why != NULL) {
        return rf_fail(err, RF_FATAL, "a %s event of %zu bytes cannot be read: %s",
                       rf_binlog_type_name(header->type), (size_t)header->size, why);
    }
    *event = rf_buf_str(out);
    return RF_OK;
}

/* ---- Values -------------------------------------------------------------------------------- */

const char *rf_inflate_value(struct rf_inflater *inflater, struct rf_str bytes, uint64_t max,
                             struct rf_arena *arena, struct rf_str *value)
{
    enum { METHOD_BITS = 0xf0, PLAIN = 0x00, ZLIB = 0x80, WITHOUT_HEAD = 0x08 };
    struct rf_str packed;
    size_t size;
    *value = RF_STR("");
    if (bytes.size == 0) {
        return NULL;
    }
    unsigned first = (unsigned char)bytes.data[0];
    if ((first & METHOD_BITS) == PLAIN) {
        *value = (struct rf_str){bytes.data + 1, bytes.size - 1};
        return value->size > max ? "it is larger than its column" : NULL;
    }
    if ((first & METHOD_BITS) != ZLIB) {
        return "its compression is not known";
    }
    const char *why = read_size(bytes, max, &size, &packed);
    if (why == NULL && size > RF_INFLATE_EVENT_MAX - inflater->values) {
        why = "without compression the values of one event are together larger than 1 GiB";
    }
    if (why != NULL) {
        return why;
    }
    int window = (first & WITHOUT_HEAD) != 0 ? -MAX_WBITS : MAX_WBITS;
    if (size <= STEP) { /* at once where it belongs */
        struct rf_buf out = {.data = rf_arena_alloc(arena, size > 0 ? size : 1), .capacity = size};
        why = inflate_all(inflater, window, packed, &out, size);
        *value = rf_buf_str(&out);
    } else {
        rf_buf_reset(&inflater->event);
        why = inflate_all(inflater, window, packed, &inflater->event, size);
        *value = why == NULL ? rf_arena_copy(arena, rf_buf_str(&inflater->event)) : RF_STR("");
    }
    inflater->values += size;
    return why;
}
