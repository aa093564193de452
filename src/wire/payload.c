#include "wire/payload.h"

#include "wire/binlog.h"
#include "wire/cursor.h"

#include <zstd.h>

enum { PIECE = 128 * 1024, KEPT = 1024 * 1024 };
enum { ZSTD = 0, NONE = 255 };

static enum rf_status read_head(struct rf_payload *payload, struct rf_str body,
                                uint64_t *compression, struct rf_error *err)
{
    enum { END, SIZE, COMPRESSION, PLAIN_SIZE };
    struct rf_cursor cursor = rf_cursor_of(body);
    uint64_t type, size = UINT64_MAX;
    *compression = UINT64_MAX;
    payload->size = UINT64_MAX;
    while ((type = rf_cursor_packed(&cursor, "field")) != END) {
        struct rf_str value =
            rf_cursor_str(&cursor, rf_cursor_packed(&cursor, "size of a field"), "field");
        struct rf_cursor inside = rf_cursor_of(value);
        uint64_t *to = type == SIZE          ? &size
                       : type == COMPRESSION ? compression
                       : type == PLAIN_SIZE  ? &payload->size
                                             : NULL;
        if (to != NULL) {
            *to = rf_cursor_packed(&inside, "value of a field");
        }
        if (inside.missing != NULL) {
            rf_cursor_fail(&cursor, "value of a field");
        }
    }
    payload->packed = rf_cursor_rest(&cursor);
    if (cursor.missing == NULL && size != UINT64_MAX && size != payload->packed.size) {
        rf_cursor_fail(&cursor, "payload of the size that it says");
    }
    if (*compression != NONE && payload->size == UINT64_MAX) {
        rf_cursor_fail(&cursor, "size without compression");
    }
    return rf_cursor_check(&cursor, "TRANSACTION_PAYLOAD event", err);
}

enum rf_status rf_payload_open(struct rf_payload *payload, struct rf_str body, struct rf_error *err)
{
    uint64_t compression;
    enum rf_status status = read_head(payload, body, &compression, err);
    if (status != RF_OK) {
        return status;
    }
    if (compression != ZSTD && compression != NONE) {
        return rf_fail(err, RF_FATAL,
                       "a TRANSACTION_PAYLOAD event with compression %llu, which is "
                       "not known",
                       (unsigned long long)compression);
    }
    payload->compressed = compression == ZSTD;
    if (!payload->compressed && payload->size == UINT64_MAX) {
        payload->size = payload->packed.size;
    }
    if (payload->size > RF_PAYLOAD_MAX) {
        return rf_fail(err, RF_FATAL,
                       "a compressed transaction of %zu bytes that says it has %llu without "
                       "compression; at most %llu are decompressed",
                       payload->packed.size, (unsigned long long)payload->size,
                       (unsigned long long)RF_PAYLOAD_MAX);
    }
    payload->made = 0;
    payload->at = 0;
    payload->finished = true;
    rf_buf_reset(&payload->out);
    if (payload->zstd == NULL) {
        payload->zstd = ZSTD_createDCtx();
        rf_assert(payload->zstd != NULL);
        size_t done =
            ZSTD_DCtx_setParameter(payload->zstd, ZSTD_d_windowLogMax, RF_PAYLOAD_WINDOW_LOG_MAX);
        rf_assert(!ZSTD_isError(done));
    }
    ZSTD_DCtx_reset(payload->zstd, ZSTD_reset_session_only);
    return RF_OK;
}

static enum rf_status more_than_said(const struct rf_payload *payload, struct rf_error *err)
{
    return rf_fail(err, RF_FATAL,
                   "a compressed transaction has more than the %llu bytes that it says it has",
                   (unsigned long long)payload->size);
}

/* Decompresses a piece behind what is there; false in *some when there is nothing any more. */
static enum rf_status decompress(struct rf_payload *payload, bool *some, struct rf_error *err)
{
    struct rf_buf *out = &payload->out;
    *some = payload->packed.size > 0 || !payload->finished;
    if (!*some) {
        return RF_OK;
    }
    ZSTD_outBuffer to = {rf_buf_reserve(out, PIECE), PIECE, 0};
    ZSTD_inBuffer from = {payload->packed.data, payload->packed.size, 0};
    size_t left = ZSTD_decompressStream(payload->zstd, &to, &from);
    if (ZSTD_isError(left)) {
        return rf_fail(err, RF_FATAL, "a compressed transaction cannot be decompressed: %s",
                       ZSTD_getErrorName(left));
    }
    if (to.pos == 0 && from.pos == 0) {
        return rf_fail(err, RF_FATAL, "a compressed transaction ends too early");
    }
    payload->finished = left == 0;
    payload->packed.data += from.pos;
    payload->packed.size -= from.pos;
    payload->made += to.pos;
    out->size += to.pos;
    return payload->made > payload->size ? more_than_said(payload, err) : RF_OK;
}

/* Makes `need` bytes available from `at` on; *had: as many as there are, when it is fewer. */
static enum rf_status fill(struct rf_payload *payload, size_t need, size_t *had,
                           struct rf_error *err)
{
    struct rf_buf *out = &payload->out;
    enum rf_status status = RF_OK;
    bool some = true;
    if (out->size - payload->at < need && payload->at > 0) {
        memmove(out->data, out->data + payload->at, out->size - payload->at);
        out->size -= payload->at;
        payload->at = 0;
    }
    while (status == RF_OK && some && out->size - payload->at < need) {
        status = decompress(payload, &some, err);
    }
    *had = out->size - payload->at;
    return status;
}

static struct rf_str available(const struct rf_payload *payload)
{
    return payload->compressed
               ? (struct rf_str){payload->out.data + payload->at, payload->out.size - payload->at}
               : payload->packed;
}

static enum rf_status require(struct rf_payload *payload, size_t need, struct rf_error *err)
{
    size_t had = payload->packed.size;
    enum rf_status status = payload->compressed ? fill(payload, need, &had, err) : RF_OK;
    if (status == RF_OK && had < need) {
        status =
            rf_fail(err, RF_FATAL,
                    "a compressed transaction ends inside an event: %zu bytes of %zu", had, need);
    }
    return status;
}

static enum rf_status is_over(struct rf_payload *payload, bool *over, struct rf_error *err)
{
    size_t had = payload->packed.size;
    enum rf_status status = payload->compressed ? fill(payload, 1, &had, err) : RF_OK;
    *over = had == 0;
    if (status == RF_OK && *over && payload->made < payload->size && payload->compressed) {
        status =
            rf_fail(err, RF_FATAL,
                    "a compressed transaction has %llu bytes, not the %llu that it says it has",
                    (unsigned long long)payload->made, (unsigned long long)payload->size);
    }
    return status;
}

enum rf_status rf_payload_next(struct rf_payload *payload, struct rf_str *event,
                               struct rf_error *err)
{
    struct rf_binlog_header header;
    bool over;
    *event = RF_STR_NONE;
    enum rf_status status = is_over(payload, &over, err);
    if (status != RF_OK || over) {
        return status;
    }
    status = require(payload, RF_BINLOG_HEADER_SIZE, err);
    if (status == RF_OK) {
        status = rf_binlog_header_parse(available(payload), &header, err);
    }
    if (status == RF_OK && header.size > RF_PAYLOAD_EVENT_MAX) {
        status = rf_fail(err, RF_FATAL, "a compressed transaction has an event of %u bytes",
                         header.size);
    }
    if (status == RF_OK) {
        status = require(payload, header.size, err);
    }
    if (status != RF_OK) {
        return status;
    }
    *event = (struct rf_str){available(payload).data, header.size};
    if (payload->compressed) {
        payload->at += header.size;
    } else {
        payload->packed.data += header.size;
        payload->packed.size -= header.size;
    }
    return RF_OK;
}

void rf_payload_close(struct rf_payload *payload)
{
    if (payload->out.capacity > KEPT) {
        rf_buf_deinit(&payload->out);
    }
    payload->packed = RF_STR_NONE;
}

void rf_payload_deinit(struct rf_payload *payload)
{
    ZSTD_freeDCtx(payload->zstd);
    rf_buf_deinit(&payload->out);
    *payload = (struct rf_payload){0};
}
