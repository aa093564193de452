#include "sink/file_output.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    WRITEBACK_BYTES = 2 * 1024 * 1024,
    RESERVE_BYTES = 32 * 1024 * 1024,  /* at once, */
    RESERVE_FROM = 64 * 1024,          /* by a write of at least so many, */
    RESERVE_FREE = 1024 * 1024 * 1024, /* where that many are free */
    SLICE_MS = 100,                    /* the longest that an interrupt waits for being seen */
};

enum rf_status rf_file_failed(const char *name, enum rf_status status, const char *doing, int code,
                              struct rf_error *err)
{
    rf_fail(err, status, "could not %s %s: %s", doing, name, strerror(code));
    if (err != NULL) {
        err->code = code;
    }
    return status;
}

static enum rf_status write_failed(const struct rf_file_output *output, int code,
                                   struct rf_error *err)
{
    switch (code) {
    case ENOSPC:
    case EDQUOT:
        rf_file_failed(output->name.data, RF_RETRY, "write to", code, err);
        rf_error_hint(err, "it goes on when there is room again");
        return RF_RETRY;
    case EFBIG:
        rf_file_failed(output->name.data, RF_CONFIG, "write to", code, err);
        rf_error_hint(err, "the file is as large as its file system or 'ulimit -f' allows");
        return RF_CONFIG;
    case EPIPE:
    case ECONNRESET:
    case ENOMEM:
    case ENOBUFS: return rf_file_failed(output->name.data, RF_RETRY, "write to", code, err);
    default: return rf_file_failed(output->name.data, RF_FATAL, "write to", code, err);
    }
}

/* False: interrupted. */
static bool wait_writable(struct rf_file_output *output)
{
    for (;;) {
        struct pollfd wait = {output->fd, POLLOUT, 0};
        if (atomic_load(&output->interrupted)) {
            return false;
        }
        if (poll(&wait, 1, SLICE_MS) > 0) {
            return true;
        }
    }
}

/* Lets the kernel begin to write out what has come together, so that the next sync finds little
 * left and waits less. Only a hint: what counts is the sync. */
static void begin_writeback(struct rf_file_output *output)
{
    if (output->regular && output->length - output->handed_out >= WRITEBACK_BYTES) {
        (void)sync_file_range(output->fd, (off_t)output->handed_out,
                              (off_t)(output->length - output->handed_out), SYNC_FILE_RANGE_WRITE);
        output->handed_out = output->length;
    }
}

/* Much is written: its room is found in one step, which costs the file system less than block by
 * block. The file's length stays, and what is not used is given back at the close. Only a hint, and
 * only where it can take room from nobody. */
static void reserve(struct rf_file_output *output, size_t size)
{
    struct statvfs disk;
    if (!output->regular || size < RESERVE_FROM || output->length + size <= output->reserved) {
        return;
    }
    output->reserved = output->length + RESERVE_BYTES; /* not asked again before, room or not */
    if (fstatvfs(output->fd, &disk) == 0 && disk.f_bavail >= RESERVE_FREE / disk.f_frsize) {
        (void)fallocate(output->fd, FALLOC_FL_KEEP_SIZE, (off_t)output->length, RESERVE_BYTES);
    }
}

static void give_back(const struct rf_file_output *output)
{
    struct stat info;
    if (output->reserved > output->length && fstat(output->fd, &info) == 0 &&
        (uint64_t)info.st_size == output->length) {
        (void)!ftruncate(output->fd, info.st_size);
    }
}

static enum rf_status write_out(struct rf_file_output *output, const char *data, size_t size,
                                struct rf_error *err)
{
    size_t done = 0;
    enum rf_status status = RF_OK;
    if (size > 0 && output->began_us == 0) {
        output->began_us = rf_clock_wall_us();
        output->began_ms = rf_clock_ms();
    }
    reserve(output, size);
    while (done < size && status == RF_OK) {
        size_t piece = size - done;
        if (output->careful) {
            /* Others may share this file's flags, so it cannot be made non-blocking; but when there
             * is room, then for this much. */
            piece = piece < PIPE_BUF ? piece : PIPE_BUF;
        }
        if ((output->careful && !wait_writable(output)) || atomic_load(&output->interrupted)) {
            status = rf_fail(err, RF_RETRY, "writing to %s was interrupted", output->name.data);
            break;
        }
        ssize_t written = write(output->fd, data + done, piece);
        if (written >= 0) {
            done += (size_t)written;
            output->unsynced = true;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            (void)wait_writable(output);
        } else if (errno != EINTR) {
            status = write_failed(output, errno, err);
        }
    }
    output->length += done;
    begin_writeback(output);
    return status;
}

/* Compresses, and writes what came out of it. */
static enum rf_status pack(struct rf_file_output *output, struct rf_str data, bool end,
                           struct rf_error *err)
{
    rf_buf_reset(&output->packed);
    enum rf_status status = rf_file_frame_add(&output->frame, data, &output->packed, err);
    if (status == RF_OK && end) {
        status = rf_file_frame_end(&output->frame, &output->packed, err);
    }
    return status == RF_OK ? write_out(output, output->packed.data, output->packed.size, err)
                           : status;
}

/* A piece ends where a transaction does that another one follows which is not at its end: there
 * the file may have to be cut. */
static enum rf_status drain_packed(struct rf_file_output *output, struct rf_error *err)
{
    struct rf_str whole = {output->lines.data, output->settled};
    struct rf_str rest = {output->lines.data + output->settled,
                          output->lines.size - output->settled};
    bool cut = rest.size > 0 && !output->inside;
    enum rf_status status = RF_OK;
    if (whole.size > 0 || cut) {
        status = pack(output, whole, cut, err);
    }
    if (status == RF_OK && cut) {
        output->ended = output->length;
        output->inside = true;
    }
    return status == RF_OK && rest.size > 0 ? pack(output, rest, false, err) : status;
}

enum rf_status rf_file_output_drain(struct rf_file_output *output, struct rf_error *err)
{
    enum rf_status status;
    if (output->lines.size == 0) {
        return RF_OK;
    }
    if (output->frame.kind != RF_FILE_PLAIN) {
        status = drain_packed(output, err);
    } else {
        if (!output->inside) {
            output->ended = output->length + output->settled;
        }
        output->inside |= output->settled < output->lines.size;
        status = write_out(output, output->lines.data, output->lines.size, err);
    }
    rf_buf_reset(&output->lines); /* what is left after a failure comes again */
    output->settled = 0;
    return status;
}

enum rf_status rf_file_output_settle(struct rf_file_output *output, struct rf_error *err)
{
    enum rf_status status = rf_file_output_drain(output, err);
    if (status == RF_OK && output->frame.begun) {
        status = pack(output, RF_STR_NONE, true, err);
    }
    if (status == RF_OK && !output->inside) {
        output->ended = output->length;
    }
    return status;
}

enum rf_status rf_file_output_sync(struct rf_file_output *output, struct rf_error *err)
{
    if (!output->regular || !output->unsynced) {
        return RF_OK;
    }
    if (fdatasync(output->fd) != 0) {
        return rf_file_failed(output->name.data, RF_FATAL, "sync", errno, err);
    }
    output->unsynced = false;
    return RF_OK;
}

void rf_file_output_close(struct rf_file_output *output)
{
    if (output->opened) {
        give_back(output);
        close(output->fd);
    }
    output->opened = false;
    output->reserved = 0;
}

void rf_file_output_deinit(struct rf_file_output *output)
{
    rf_file_frame_close(&output->frame);
    rf_buf_deinit(&output->name);
    rf_buf_deinit(&output->packed);
    rf_buf_deinit(&output->lines);
}
