#include "source/log_file.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WINDOW = 1024 * 1024,
    POLL_MS = 100, /* how soon an interrupt is seen while a pipe is empty */
    GROWS_MS = 20, /* how soon it is seen that a file has grown: one read() each time */
    PIPE_EVENT_MAX = 1 << 30,
};

/* ---- Opening ------------------------------------------------------------------------------- */

static void close_file(struct rf_log_file *file)
{
    if (file->file > 0) {
        close(file->file - 1);
    }
    free(file->path);
    file->path = NULL;
    file->name = RF_STR_NONE;
    file->file = 0;
    file->start = file->end = file->handed = 0;
    file->offset = 0;
}

enum rf_status rf_log_file_open(struct rf_log_file *file, const char *path, struct rf_error *err)
{
    struct stat status;
    char *copy = rf_str_dup(rf_str_of(path));
    close_file(file);
    file->path = copy;
    int fd = strcmp(copy, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                    : open(copy, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    file->file = fd + 1;
    if (fd < 0 || fstat(fd, &status) != 0) {
        int number = errno;
        rf_fail(err, RF_CONFIG, "%s could not be opened: %s", copy, strerror(number));
        if (err != NULL) {
            err->code = number;
        }
        return RF_CONFIG;
    }
    if (S_ISDIR(status.st_mode)) {
        return rf_fail(err, RF_CONFIG, "%s is a directory, not a log file", copy);
    }
    file->regular = S_ISREG(status.st_mode);
    const char *slash = strrchr(copy, '/');
    file->name = rf_str_of(slash ? slash + 1 : copy);
    return RF_OK;
}

void rf_log_file_close(struct rf_log_file *file)
{
    close_file(file);
    free(file->data);
    file->data = NULL;
    file->capacity = 0;
}

/* ---- Waiting ------------------------------------------------------------------------------- */

static enum rf_status interrupted(const struct rf_log_file *file, struct rf_error *err)
{
    return rf_fail(err, RF_RETRY, "%s: interrupted", file->path);
}

/* A pipe may have nothing for a while. Returns RF_OK, RF_AGAIN or RF_RETRY. */
static enum rf_status wait_pipe(struct rf_log_file *file, int64_t deadline_ms, struct rf_error *err)
{
    struct pollfd pollfd = {.fd = file->file - 1, .events = POLLIN};
    for (;;) {
        if (atomic_load(&file->interrupted)) {
            return interrupted(file, err);
        }
        int64_t left_ms = deadline_ms - rf_clock_ms();
        int ready = poll(&pollfd, 1, left_ms <= 0 ? 0 : left_ms < POLL_MS ? (int)left_ms : POLL_MS);
        if (ready > 0) {
            return RF_OK;
        }
        if (ready < 0 && errno != EINTR) {
            return rf_fail(err, RF_RETRY, "%s: %s", file->path, strerror(errno));
        }
        if (left_ms <= 0) {
            return RF_AGAIN;
        }
    }
}

enum rf_status rf_log_file_wait(struct rf_log_file *file, int64_t deadline_ms, struct rf_error *err)
{
    int64_t left_ms = deadline_ms - rf_clock_ms();
    if (atomic_load(&file->interrupted)) {
        return interrupted(file, err);
    }
    if (left_ms <= 0) {
        return RF_AGAIN;
    }
    poll(NULL, 0, left_ms < GROWS_MS ? (int)left_ms : GROWS_MS);
    return RF_OK;
}

enum rf_status rf_log_file_check(const struct rf_log_file *file, bool *gone, struct rf_error *err)
{
    struct stat here, there;
    uint64_t read = file->offset + file->end - file->start;
    *gone = false;
    if (fstat(file->file - 1, &here) != 0) {
        return rf_fail(err, RF_FATAL, "%s: %s", file->path, strerror(errno));
    }
    if ((uint64_t)here.st_size < read) {
        rf_fail(err, RF_FATAL,
                "%s became shorter while it was read: %llu bytes, of which %llu are left",
                file->path, (unsigned long long)read, (unsigned long long)here.st_size);
        rf_error_hint(err, "log files only ever grow: somebody wrote to it, or copied over it");
        return RF_FATAL;
    }
    if (stat(file->path, &there) != 0) {
        *gone = errno == ENOENT;
        return RF_OK;
    }
    if (here.st_ino != there.st_ino || here.st_dev != there.st_dev) {
        rf_fail(err, RF_FATAL, "%s was replaced by another file while it was read", file->path);
        rf_error_hint(err, "the server ran RESET MASTER, or somebody put another file there: what "
                           "lies in between is not known");
        return RF_FATAL;
    }
    return RF_OK;
}

/* ---- Bytes --------------------------------------------------------------------------------- */

static void make_room(struct rf_log_file *file, size_t need)
{
    if (file->start > 0) {
        memmove(file->data, file->data + file->start, file->end - file->start);
        file->end -= file->start;
        file->start = 0;
    }
    /* A large event is read whole, and its memory is given back behind it. */
    size_t capacity = need <= WINDOW ? WINDOW : (need + WINDOW - 1) / WINDOW * WINDOW;
    bool much = file->capacity > 4 * WINDOW && capacity == WINDOW && file->end <= WINDOW;
    if (file->capacity < need || file->data == NULL || much) {
        file->data = rf_realloc(file->data, capacity);
        file->capacity = capacity;
    }
}

enum rf_status rf_log_file_fill(struct rf_log_file *file, size_t need, int64_t deadline_ms,
                                size_t *had, struct rf_error *err)
{
    while (file->end - file->start < need) {
        if (!file->regular) {
            enum rf_status status = wait_pipe(file, deadline_ms, err);
            if (status != RF_OK) {
                return status;
            }
        }
        make_room(file, need);
        ssize_t got = read(file->file - 1, file->data + file->end, file->capacity - file->end);
        if (got < 0 && errno != EINTR && errno != EAGAIN) {
            rf_fail(err, RF_FATAL, "%s could not be read at %llu: %s", file->path,
                    (unsigned long long)(file->offset + file->end - file->start), strerror(errno));
            err->code = errno;
            return RF_FATAL;
        }
        if (got == 0) {
            break;
        }
        file->end += got > 0 ? (size_t)got : 0;
    }
    *had = file->end - file->start;
    return RF_OK;
}

uint64_t rf_log_file_offset(const struct rf_log_file *file)
{
    return file->offset + file->handed;
}

uint64_t rf_log_file_take(struct rf_log_file *file, size_t size)
{
    file->handed = size;
    return file->offset + size;
}

enum rf_status rf_log_file_seek(struct rf_log_file *file, uint64_t offset, struct rf_error *err)
{
    if (lseek(file->file - 1, (off_t)offset, SEEK_SET) < 0) {
        return rf_fail(err, RF_FATAL, "%s: no way to go to %llu: %s", file->path,
                       (unsigned long long)offset, strerror(errno));
    }
    file->start = file->end = file->handed = 0;
    file->offset = offset;
    return RF_OK;
}

/* ---- Events -------------------------------------------------------------------------------- */

enum rf_status rf_log_file_truncated(const struct rf_log_file *file, uint64_t missing,
                                     struct rf_error *err)
{
    uint64_t had = file->end - file->start - file->handed;
    return rf_fail(err, RF_FATAL, "%s is truncated: the event at %llu has %llu of its %llu bytes",
                   file->path, (unsigned long long)rf_log_file_offset(file),
                   (unsigned long long)had, (unsigned long long)(had + missing));
}

/* Behind what was handed out. */
static void step(struct rf_log_file *file)
{
    file->start += file->handed;
    file->offset += file->handed;
    file->handed = 0;
}

bool rf_log_file_peek_ready(struct rf_log_file *file, struct rf_str *event)
{
    step(file);
    size_t had = file->end - file->start;
    if (had < RF_BINLOG_HEADER_SIZE) {
        return false;
    }
    const char *data = file->data + file->start;
    size_t size = rf_binlog_header_event_size(data);
    *event = (struct rf_str){data, size};
    return size >= RF_BINLOG_HEADER_SIZE && size <= had;
}

/* A damaged size must not make us reserve gigabytes. */
static bool exceeds(const struct rf_log_file *file, uint64_t size)
{
    struct stat status;
    if (!file->regular) {
        return size > PIPE_EVENT_MAX;
    }
    return fstat(file->file - 1, &status) != 0 || file->offset + size > (uint64_t)status.st_size;
}

enum rf_status rf_log_file_peek(struct rf_log_file *file, int64_t deadline_ms, struct rf_str *event,
                                struct rf_binlog_header *header, uint64_t *missing,
                                struct rf_error *err)
{
    size_t had;
    step(file);
    *event = RF_STR_NONE;
    *missing = 0;
    enum rf_status status = rf_log_file_fill(file, RF_BINLOG_HEADER_SIZE, deadline_ms, &had, err);
    if (status != RF_OK || had == 0) {
        return status;
    }
    if (had < RF_BINLOG_HEADER_SIZE) {
        *missing = RF_BINLOG_HEADER_SIZE - had;
        return RF_OK;
    }
    struct rf_str bytes = {file->data + file->start, had};
    status = rf_binlog_header_parse(bytes, header, err);
    if (status != RF_OK) {
        return rf_error_wrap(err, "%s at %llu", file->path, (unsigned long long)file->offset);
    }
    if (had < header->size && !exceeds(file, header->size)) {
        status = rf_log_file_fill(file, header->size, deadline_ms, &had, err);
        if (status != RF_OK) {
            return status;
        }
    }
    if (had < header->size) {
        *missing = header->size - had;
        return RF_OK;
    }
    *event = (struct rf_str){file->data + file->start, header->size};
    return RF_OK;
}
