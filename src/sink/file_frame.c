#include "sink/file_frame.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum {
    GZIP_LEVEL_MAX = 9,
    GZIP_WINDOW = 15 + 16, /* the largest window, with gzip's own header and trailer */
    GZIP_MEMORY = 8,
    ROOM = 64 * 1024,
};

static const char *const names[] = {"none", "gzip", "zstd"};

const char *rf_file_kind_name(enum rf_file_kind kind)
{
    return names[kind];
}

bool rf_file_kind_of(struct rf_str name, enum rf_file_kind *out)
{
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (rf_str_equal(name, rf_str_of(names[i]))) {
            *out = (enum rf_file_kind)i;
            return true;
        }
    }
    return false;
}

static enum rf_status zstd_failed(size_t code, struct rf_error *err)
{
    return rf_fail(err, RF_FATAL, "zstd could not compress: %s", ZSTD_getErrorName(code));
}

static enum rf_status gzip_failed(int code, struct rf_error *err)
{
    return rf_fail(err, RF_FATAL, "zlib could not compress: %s", zError(code));
}

static enum rf_status open_zstd(struct rf_file_frame *frame, int level, struct rf_error *err)
{
    ZSTD_CCtx *stream = ZSTD_createCCtx();
    rf_assert(stream != NULL);
    frame->stream = stream;
    size_t code = ZSTD_CCtx_setParameter(stream, ZSTD_c_compressionLevel, level);
    if (!ZSTD_isError(code)) {
        code = ZSTD_CCtx_setParameter(stream, ZSTD_c_checksumFlag, 1);
    }
    return ZSTD_isError(code) ? zstd_failed(code, err) : RF_OK;
}

static enum rf_status open_gzip(struct rf_file_frame *frame, int level, struct rf_error *err)
{
    z_stream *stream = rf_alloc_zero(1, sizeof *stream);
    frame->stream = stream;
    int code = deflateInit2(stream, level > 0 ? level : Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                            GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY);
    return code == Z_OK ? RF_OK : gzip_failed(code, err);
}

enum rf_status rf_file_frame_open(struct rf_file_frame *frame, enum rf_file_kind kind,
                                  int64_t level, struct rf_error *err)
{
    frame->kind = kind;
    if (level != 0 && (kind == RF_FILE_PLAIN || (kind == RF_FILE_GZIP && level > GZIP_LEVEL_MAX))) {
        rf_fail(err, RF_CONFIG, "compress_level=%lld does not go with compress=%s",
                (long long)level, names[kind]);
        rf_error_hint(err, "gzip has levels from 1 to 9, zstd from 1 to 19");
        return RF_CONFIG;
    }
    switch (kind) {
    case RF_FILE_GZIP: return open_gzip(frame, (int)level, err);
    case RF_FILE_ZSTD: return open_zstd(frame, (int)level, err);
    default: return RF_OK;
    }
}

/* Until all of the input is taken, and at an end all of the output is given. */
static enum rf_status run_zstd(ZSTD_CCtx *stream, struct rf_str data, ZSTD_EndDirective how,
                               struct rf_buf *out, struct rf_error *err)
{
    ZSTD_inBuffer in = {data.data, data.size, 0};
    for (;;) {
        ZSTD_outBuffer room = {rf_buf_reserve(out, ROOM), ROOM, 0};
        size_t left = ZSTD_compressStream2(stream, &room, &in, how);
        if (ZSTD_isError(left)) {
            return zstd_failed(left, err);
        }
        out->size += room.pos;
        if (how == ZSTD_e_end ? left == 0 : in.pos == in.size) {
            return RF_OK;
        }
    }
}

/* zlib counts in 32 bits, and data is the sink's buffer or one event's line: up to a few GiB. */
static enum rf_status run_gzip(z_stream *stream, struct rf_str data, int how, struct rf_buf *out,
                               struct rf_error *err)
{
    enum { PIECE = 1 << 30 };
    size_t done = 0;
    for (;;) {
        size_t piece = data.size - done < PIECE ? data.size - done : PIECE;
        stream->next_in = (Bytef *)(uintptr_t)(data.data + done);
        stream->avail_in = (uInt)piece;
        int code = Z_OK;
        do {
            stream->next_out = (Bytef *)rf_buf_reserve(out, ROOM);
            stream->avail_out = ROOM;
            code = deflate(stream, how);
            if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
                return gzip_failed(code, err);
            }
            out->size += ROOM - stream->avail_out;
        } while (stream->avail_out == 0);
        done += piece;
        if (done == data.size) {
            return how != Z_FINISH || code == Z_STREAM_END ? RF_OK : gzip_failed(code, err);
        }
    }
}

enum rf_status rf_file_frame_add(struct rf_file_frame *frame, struct rf_str data,
                                 struct rf_buf *out, struct rf_error *err)
{
    if (data.size == 0) {
        return RF_OK;
    }
    frame->begun = true;
    switch (frame->kind) {
    case RF_FILE_GZIP: return run_gzip(frame->stream, data, Z_NO_FLUSH, out, err);
    case RF_FILE_ZSTD: return run_zstd(frame->stream, data, ZSTD_e_continue, out, err);
    default: rf_buf_add_str(out, data); return RF_OK;
    }
}

enum rf_status rf_file_frame_end(struct rf_file_frame *frame, struct rf_buf *out,
                                 struct rf_error *err)
{
    enum rf_status status = RF_OK;
    if (!frame->begun) {
        return RF_OK;
    }
    frame->begun = false;
    if (frame->kind == RF_FILE_ZSTD) {
        return run_zstd(frame->stream, RF_STR_NONE, ZSTD_e_end, out, err);
    }
    if (frame->kind == RF_FILE_GZIP) {
        status = run_gzip(frame->stream, RF_STR(""), Z_FINISH, out, err);
        if (status == RF_OK && deflateReset(frame->stream) != Z_OK) {
            status = gzip_failed(Z_STREAM_ERROR, err);
        }
    }
    return status;
}

void rf_file_frame_close(struct rf_file_frame *frame)
{
    if (frame->kind == RF_FILE_ZSTD) {
        ZSTD_freeCCtx(frame->stream);
    } else if (frame->kind == RF_FILE_GZIP && frame->stream != NULL) {
        (void)deflateEnd(frame->stream);
        free(frame->stream);
    }
    *frame = (struct rf_file_frame){0};
}

/* ------------------------------------------------------------------------------------- checking */

/* Takes the file's bytes in order. `between`: no piece is open, so the file may end here. */
struct reader {
    ZSTD_DCtx *zstd;
    z_stream gzip;
    bool between;
    char in[ROOM], out[ROOM];
};

/* False: this is no piece of that kind. */
static bool read_zstd(struct reader *reader, size_t size)
{
    ZSTD_inBuffer in = {reader->in, size, 0};
    ZSTD_outBuffer out = {reader->out, sizeof reader->out, 0};
    while (in.pos < in.size || out.pos == out.size) {
        out.pos = 0;
        size_t left = ZSTD_decompressStream(reader->zstd, &out, &in);
        if (ZSTD_isError(left)) {
            return false;
        }
        reader->between = left == 0;
        if (reader->between && in.pos == in.size) {
            break;
        }
    }
    return true;
}

static bool read_gzip(struct reader *reader, size_t size)
{
    z_stream *gzip = &reader->gzip;
    gzip->next_in = (Bytef *)reader->in;
    gzip->avail_in = (uInt)size;
    do {
        gzip->next_out = (Bytef *)reader->out;
        gzip->avail_out = sizeof reader->out;
        int code = inflate(gzip, Z_NO_FLUSH);
        if (code == Z_STREAM_END) {
            reader->between = true;
            if (inflateReset(gzip) != Z_OK) {
                return false;
            }
        } else if (code == Z_OK) {
            reader->between = false;
        } else if (code != Z_BUF_ERROR) {
            return false;
        }
    } while (gzip->avail_in > 0 || gzip->avail_out == 0);
    return true;
}

enum rf_status rf_file_frame_check(const char *path, enum rf_file_kind kind,
                                   const atomic_bool *interrupted, bool *whole,
                                   struct rf_error *err)
{
    enum rf_status status = RF_OK;
    struct reader *reader = rf_alloc_zero(1, sizeof *reader);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int code = fd < 0 ? errno : 0;
    bool fine = true;
    reader->between = true;
    reader->zstd = ZSTD_createDCtx();
    rf_assert(reader->zstd != NULL);
    rf_assert(inflateInit2(&reader->gzip, GZIP_WINDOW) == Z_OK);
    while (code == 0 && fine && status == RF_OK) {
        ssize_t size = read(fd, reader->in, sizeof reader->in);
        if (size < 0) {
            code = errno == EINTR ? 0 : errno;
            continue;
        }
        if (size == 0) {
            break;
        }
        fine = kind == RF_FILE_ZSTD ? read_zstd(reader, (size_t)size)
                                    : read_gzip(reader, (size_t)size);
        if (atomic_load(interrupted)) {
            status = rf_fail(err, RF_RETRY, "reading %s was interrupted", path);
        }
    }
    if (code != 0) {
        status = rf_fail(err, RF_FATAL, "could not read %s: %s", path, strerror(code));
    }
    *whole = fine && reader->between;
    if (fd >= 0) {
        close(fd);
    }
    ZSTD_freeDCtx(reader->zstd);
    (void)inflateEnd(&reader->gzip);
    free(reader);
    return status;
}
