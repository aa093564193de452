/* The sink that writes one line per message to a file, a pipe or standard output.
 *
 * A regular file carries nothing twice: the note is its device, inode and the length at the position, and what lies behind that
 * length at the next open is the tail of a run that died, and is cut. Pipes and terminals cannot be cut: there, what was in
 * flight comes again, and the ids in the lines say so. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <rowferry/sink.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WRITE_BYTES = 256 * 1024, /* collected before a write */
    PIPE_BYTES = 4096, /* what a pipe that poll calls writable takes without blocking: PIPE_BUF */
};

struct file_sink {
    const char *path;
    const struct rf_format *format;
    int fd; /* valid when `opened` */
    bool opened;
    bool own;               /* the descriptor is ours to close */
    bool regular;           /* can be cut and synced */
    bool may_block;         /* pipe, socket, terminal: only written to when poll says so */
    bool dirty;             /* written to since the last sync */
    struct stat stat;       /* of a regular file: who it is */
    struct rf_buf out;      /* encoded, not yet written */
    uint64_t length;        /* bytes of the file and of `out` */
    uint64_t length_at_end; /* the same at the end of the last transaction */
    atomic_int wake;        /* eventfd + 1; 0: none yet */
    atomic_bool interrupted;
};

static const struct rf_option file_options[] = {
    {"path", RF_OPTION_TEXT, offsetof(struct file_sink, path), NULL, NULL,
     "file to append to; - is standard output", true},
    RF_OPTION_END,
};

/* ------------------------------------------------------------------------------------------------------------------ open */

static enum rf_status fail_errno(struct rf_error *err, enum rf_status status, const char *what,
                                 const struct file_sink *sink, int code)
{
    rf_fail(err, status, "could not %s %s: %s", what, sink->path, strerror(code));
    err->code = code;
    return status;
}

static enum rf_status refuse_other(const struct file_sink *sink, struct rf_error *err,
                                   const char *what)
{
    rf_fail(err, RF_FATAL, "%s %s", sink->path, what);
    rf_error_hint(
        err, "put the right file back; or begin anew with --adopt: nothing is cut then, and lines "
             "that lie between the file's end and the recorded position are missing");
    return RF_FATAL;
}

static enum rf_status open_path(struct file_sink *sink, bool create, struct rf_error *err)
{
    int flags = O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    int fd = open(sink->path, flags);
    bool created = false;
    if (fd < 0 && errno == ENOENT && create) {
        fd = open(sink->path, flags | O_CREAT | O_EXCL, 0644);
        created = fd >= 0;
    }
    if (fd < 0) {
        int code = errno;
        if (code == ENOENT && !create) {
            return refuse_other(sink, err, "is gone, and with it what was written to it");
        }
        bool later = code == ENXIO || code == ENOSPC || code == EINTR || code == EMFILE ||
                     code == ENFILE || code == EEXIST;
        fail_errno(err, later ? RF_RETRY : RF_CONFIG, "open", sink, code);
        rf_error_hint(err, "%s",
                      code == ENXIO    ? "nobody reads from this pipe yet"
                      : code == ENOENT ? "make its directory first"
                                       : "this user must be allowed to write to it");
        return err->status;
    }
    sink->fd = fd;
    sink->opened = sink->own = true;
    if (fcntl(fd, F_SETFL, 0) != 0) { /* non-blocking was for the open alone */
        return fail_errno(err, RF_FATAL, "set up", sink, errno);
    }
    if (created) {
        /* The new name must survive a crash too. */
        const char *slash = strrchr(sink->path, '/');
        char *directory =
            slash == NULL ? rf_str_dup(RF_STR("."))
            : slash == sink->path
                ? rf_str_dup(RF_STR("/"))
                : rf_str_dup((struct rf_str){sink->path, (size_t)(slash - sink->path)});
        int handle = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int code = handle < 0 || fsync(handle) != 0 ? errno : 0;
        if (handle >= 0) {
            close(handle);
        }
        free(directory);
        /* Some file systems cannot sync a directory, and say EINVAL; some directories may be entered but not read. */
        if (code != 0 && code != EINVAL && code != EACCES) {
            return fail_errno(err, RF_FATAL, "sync the directory of", sink, code);
        }
    }
    return RF_OK;
}

static enum rf_status lock_file(const struct file_sink *sink, struct rf_error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(sink->fd, F_OFD_SETLK, &lock) == 0) {
        return RF_OK;
    }
    if (errno != EAGAIN && errno != EACCES) {
        return fail_errno(err, RF_CONFIG, "lock", sink, errno);
    }
    rf_fail(err, RF_CONFIG, "%s is being written by another process", sink->path);
    rf_error_hint(err, "stop that one, or write to another file");
    return RF_CONFIG;
}

/* Without a note: behind what is there, which must end with a whole line. */
static enum rf_status append(struct file_sink *sink, struct rf_error *err)
{
    sink->length = sink->length_at_end = (uint64_t)sink->stat.st_size;
    if (sink->length == 0) {
        return RF_OK;
    }
    char last = '\0';
    int fd = open(sink->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t got = fd < 0 ? -1 : pread(fd, &last, 1, (off_t)sink->length - 1);
    if (fd >= 0) {
        close(fd);
    }
    if (got == 1 && last == '\n') {
        return RF_OK;
    }
    if (got != 1) {
        return fail_errno(err, RF_CONFIG, "read the end of", sink, errno);
    }
    rf_fail(err, RF_CONFIG, "%s exists and does not end with a whole line", sink->path);
    rf_error_hint(err, "move it away, or mend its last line: lines are only ever appended");
    return RF_CONFIG;
}

/* The note of the last recorded flush says which file it was and how far it was good. */
static enum rf_status cut_tail(struct file_sink *sink, struct rf_str note, struct rf_error *err)
{
    struct rf_str rest = note, field;
    uint64_t numbers[3] = {0};
    uint32_t count = 0;
    while (count < 3 && rf_str_split(&rest, ' ', &field) && rf_str_to_u64(field, &numbers[count])) {
        count++;
    }
    if (count != 3 || rest.data != NULL) {
        return rf_fail(err, RF_FATAL, "the note on %s cannot be read: \"%.*s\"", sink->path,
                       RF_STR_ARG(note));
    }
    if (numbers[0] != (uint64_t)sink->stat.st_dev || numbers[1] != (uint64_t)sink->stat.st_ino) {
        return refuse_other(sink, err, "is not the file that was written before");
    }
    if ((uint64_t)sink->stat.st_size < numbers[2]) {
        char what[128];
        snprintf(what, sizeof what, "has lost data: %llu bytes were safe, %llu are there",
                 (unsigned long long)numbers[2], (unsigned long long)sink->stat.st_size);
        return refuse_other(sink, err, what);
    }
    if ((uint64_t)sink->stat.st_size > numbers[2] && ftruncate(sink->fd, (off_t)numbers[2]) != 0) {
        return fail_errno(err, RF_FATAL, "cut the unfinished end of", sink, errno);
    }
    sink->length = sink->length_at_end = numbers[2];
    return RF_OK;
}

static enum rf_status open_regular(struct file_sink *sink, const struct rf_context *ctx,
                                   struct rf_error *err)
{
    sink->regular = true;
    enum rf_status status = lock_file(sink, err);
    /* Before the lock was ours, another process may have made the file longer. */
    if (status == RF_OK && fstat(sink->fd, &sink->stat) != 0) {
        status = fail_errno(err, RF_FATAL, "examine", sink, errno);
    }
    if (status != RF_OK) {
        return status;
    }
    if (ctx->note.size > 0) {
        status = cut_tail(sink, ctx->note, err);
        return status == RF_FATAL && ctx->adopt ? append(sink, err) : status;
    }
    if (ctx->position.size > 0 && !ctx->adopt) {
        return refuse_other(sink, err,
                            "is a regular file, but was none when its position was recorded");
    }
    return append(sink, err);
}

static enum rf_status file_open(void *state, const struct rf_context *ctx, struct rf_str *resume,
                                struct rf_error *err)
{
    struct file_sink *sink = state;
    (void)resume; /* the checkpoint keeps the position, the note ties it to the file */
    sink->format = ctx->format;
    int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake < 0) {
        return fail_errno(err, RF_RETRY, "set up", sink, errno);
    }
    atomic_store(&sink->wake, wake + 1);
    if (strcmp(sink->path, "-") == 0) {
        sink->fd = STDOUT_FILENO;
        sink->opened = true;
    } else {
        enum rf_status status = open_path(sink, ctx->note.size == 0 || ctx->adopt, err);
        if (status != RF_OK) {
            return status;
        }
    }
    if (fstat(sink->fd, &sink->stat) != 0) {
        return fail_errno(err, RF_CONFIG, "examine", sink, errno);
    }
    if (S_ISREG(sink->stat.st_mode) && sink->own) {
        return open_regular(sink, ctx, err);
    }
    if (S_ISDIR(sink->stat.st_mode) || S_ISBLK(sink->stat.st_mode)) {
        return rf_fail(err, RF_CONFIG, "%s is neither a file nor a pipe", sink->path);
    }
    sink->may_block =
        S_ISFIFO(sink->stat.st_mode) || S_ISSOCK(sink->stat.st_mode) || isatty(sink->fd);
    return RF_OK;
}

/* ----------------------------------------------------------------------------------------------------------------- write */

/* Waits until the pipe takes bytes. */
static enum rf_status wait_writable(struct file_sink *sink, struct rf_error *err)
{
    struct pollfd polled[] = {
        {.fd = sink->fd, .events = POLLOUT},
        {.fd = atomic_load(&sink->wake) - 1, .events = POLLIN},
    };
    while (!atomic_load(&sink->interrupted)) {
        if (poll(polled, 2, -1) > 0 && polled[0].revents != 0) {
            return RF_OK; /* an error shows at the write */
        }
    }
    return rf_fail(err, RF_RETRY, "writing to %s was interrupted", sink->path);
}

static enum rf_status write_failed(struct file_sink *sink, int code, struct rf_error *err)
{
    enum rf_status status =
        code == ENOSPC || code == EDQUOT || code == EPIPE || code == EINTR ? RF_RETRY : RF_FATAL;
    fail_errno(err, status, "write to", sink, code);
    if (code == ENOSPC || code == EDQUOT) {
        rf_error_hint(err, "make room on its file system; writing goes on by itself");
    }
    return status;
}

static enum rf_status write_out(struct file_sink *sink, struct rf_error *err)
{
    size_t done = 0;
    while (done < sink->out.size) {
        size_t size = sink->out.size - done;
        if (sink->may_block) {
            enum rf_status status = wait_writable(sink, err);
            if (status != RF_OK) {
                return status;
            }
            size = size < PIPE_BYTES ? size : PIPE_BYTES;
        }
        const char *from = sink->out.data + done;
        off_t at = (off_t)(sink->length - (sink->out.size - done));
        ssize_t put =
            sink->regular ? pwrite(sink->fd, from, size, at) : write(sink->fd, from, size);
        if (put < 0 && errno != EINTR && errno != EAGAIN) {
            return write_failed(sink, errno, err);
        }
        done += put > 0 ? (size_t)put : 0;
        sink->dirty = true;
    }
    rf_buf_reset(&sink->out);
    return RF_OK;
}

static enum rf_status file_write(void *state, const struct rf_view *view, struct rf_error *err)
{
    struct file_sink *sink = state;
    enum rf_status status = RF_OK;
    /* The last place between two transactions lies behind the view's last event, or, when a transaction goes on in the next
     * view, in front of the first one of that. */
    const struct rf_transaction *last = &view->transactions[view->transaction_count - 1];
    uint32_t end = view->count;
    if (!last->ends) {
        end = last->begins ? view->count - last->count : UINT32_MAX;
    }
    for (uint32_t i = 0; i < view->count && status == RF_OK; i++) {
        const struct rf_event *event = &view->events[i];
        if (i == end) {
            sink->length_at_end = sink->length;
        }
        size_t before = sink->out.size;
        struct rf_encoding encoding = {.value = &sink->out, .terminator = RF_STR("\n")};
        status = sink->format->type->encode(sink->format->state, view, event, &encoding, err);
        sink->length += sink->out.size - before;
        if (status == RF_OK && sink->out.size >= WRITE_BYTES) {
            status = write_out(sink, err);
        }
    }
    if (status == RF_OK && !sink->regular) {
        status = write_out(sink, err); /* somebody may be reading along */
    }
    if (status == RF_OK && end == view->count) {
        sink->length_at_end = sink->length;
    }
    return status;
}

static enum rf_status file_flush(void *state, struct rf_str position, struct rf_buf *note,
                                 struct rf_error *err)
{
    struct file_sink *sink = state;
    (void)position;
    enum rf_status status = write_out(sink, err);
    if (status != RF_OK || !sink->regular) {
        return status;
    }
    if (sink->dirty && fdatasync(sink->fd) != 0) {
        /* The kernel may have dropped the pages: nobody knows what is on disk, and a second sync would say OK. */
        return fail_errno(err, RF_FATAL, "sync", sink, errno);
    }
    sink->dirty = false;
    rf_buf_printf(note, "%llu %llu %llu", (unsigned long long)sink->stat.st_dev,
                  (unsigned long long)sink->stat.st_ino, (unsigned long long)sink->length_at_end);
    return RF_OK;
}

static void file_interrupt(void *state)
{
    struct file_sink *sink = state;
    uint64_t one = 1;
    atomic_store(&sink->interrupted, true);
    int wake = atomic_load(&sink->wake);
    if (wake > 0 && write(wake - 1, &one, sizeof one) < 0) {
        return; /* its counter is full: it was woken before */
    }
}

static void file_close(void *state)
{
    struct file_sink *sink = state;
    if (sink->opened && sink->own) {
        close(sink->fd);
    }
    int wake = atomic_exchange(&sink->wake, 0);
    if (wake > 0) {
        close(wake - 1);
    }
    rf_buf_deinit(&sink->out);
}

const struct rf_sink_type rf_sink_file = {
    .name = "file",
    .summary = "one line per message to a file, a pipe or standard output",
    .example = "file:changes.jsonl",
    .state_size = sizeof(struct file_sink),
    .options = file_options,
    .default_format = "json",
    .open = file_open,
    .write = file_write,
    .flush = file_flush,
    .close = file_close,
    .interrupt = file_interrupt,
};
