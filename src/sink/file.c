/* The sink `file`: one line per event, to a file, a pipe or standard output.
 *
 * A regular file has each event once, whatever happens: the note that is recorded with each
 * position holds the file's device, inode and length there, and what lies behind that length when
 * it is opened again is cut off, as it will come again. Nothing else is ever cut. Everything that
 * is not a regular file, and standard output whatever it is, gets each event at least once. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <rowferry/sink.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUFFER_BYTES = 256 * 1024, /* encoded lines are written when there is this much, or no more */
    WRITEBACK_BYTES = 2 * 1024 * 1024,
    SLICE_MS = 100, /* the longest that an interrupt waits for being seen */
};

struct file_sink {
    const char *path;

    struct rf_format *format;
    struct rf_buf out;
    int fd;
    bool opened;
    bool regular;
    bool noted;    /* a regular file opened by its path: it has a note */
    bool careful;  /* a write may block: never more at once than certainly fits */
    bool unsynced; /* written to since the last sync */
    dev_t device;
    ino_t inode;
    uint64_t length;     /* of the file, without what is in out */
    uint64_t handed_out; /* the kernel was told to begin writing out up to here */
    uint64_t ended;      /* at the end of the last transaction that was accepted whole */
    atomic_bool interrupted;
};

/* --------------------------------------------------------------------------------------- errors */

static enum rf_status failed(const struct file_sink *sink, enum rf_status status, const char *doing,
                             int code, struct rf_error *err)
{
    rf_fail(err, status, "could not %s %s: %s", doing, sink->path, strerror(code));
    if (err != NULL) {
        err->code = code;
    }
    return status;
}

static enum rf_status open_failed(const struct file_sink *sink, int code, struct rf_error *err)
{
    enum rf_status status = RF_CONFIG;
    const char *hint = "check the path and who may write there";
    switch (code) {
    case EINTR:
    case EMFILE:
    case ENFILE:
    case ENOMEM: status = RF_RETRY; break;
    case ENOSPC:
    case EDQUOT:
        status = RF_RETRY;
        hint = "make room on the disk";
        break;
    case ENXIO:
        status = RF_RETRY;
        hint = "nobody reads from this pipe yet";
        break;
    case EIO: status = RF_FATAL; break;
    default: break;
    }
    failed(sink, status, "open", code, err);
    rf_error_hint(err, "%s", hint);
    return status;
}

static enum rf_status write_failed(const struct file_sink *sink, int code, struct rf_error *err)
{
    switch (code) {
    case ENOSPC:
    case EDQUOT:
        failed(sink, RF_RETRY, "write to", code, err);
        rf_error_hint(err, "it goes on when there is room again");
        return RF_RETRY;
    case EFBIG:
        failed(sink, RF_CONFIG, "write to", code, err);
        rf_error_hint(err, "the file is as large as its file system or 'ulimit -f' allows");
        return RF_CONFIG;
    case EPIPE:
    case ECONNRESET:
    case ENOMEM:
    case ENOBUFS: return failed(sink, RF_RETRY, "write to", code, err);
    default: return failed(sink, RF_FATAL, "write to", code, err);
    }
}

/* -------------------------------------------------------------------------------------- opening */

static enum rf_status open_stdout(struct file_sink *sink, struct rf_error *err)
{
    sink->path = "standard output";
    sink->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return sink->fd >= 0 ? RF_OK : open_failed(sink, errno, err);
}

/* May create the file, but not where there was one that is to be continued. */
static enum rf_status open_path(struct file_sink *sink, bool create, struct rf_error *err)
{
    int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (create ? O_CREAT : 0);
    sink->fd = open(sink->path, flags, 0644);
    if (sink->fd >= 0) {
        return RF_OK;
    }
    if (errno == ENOENT && !create) {
        rf_fail(err, RF_FATAL, "%s is gone, and what was written to it with it", sink->path);
        rf_error_hint(err, "put it back; docs/delivery.md says how to begin a new one");
        return RF_FATAL;
    }
    return open_failed(sink, errno, err);
}

static enum rf_status examine(struct file_sink *sink, bool named, struct rf_error *err)
{
    struct stat found;
    if (fstat(sink->fd, &found) != 0) {
        return failed(sink, RF_FATAL, "examine", errno, err);
    }
    sink->regular = S_ISREG(found.st_mode);
    sink->noted = sink->regular && named;
    /* What we opened does not block, and neither does a device that is no terminal. */
    sink->careful = !named && !sink->regular && (!S_ISCHR(found.st_mode) || isatty(sink->fd));
    sink->device = found.st_dev;
    sink->inode = found.st_ino;
    sink->length = sink->regular ? (uint64_t)found.st_size : 0;
    if (!sink->noted) {
        return RF_OK;
    }
    if (flock(sink->fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return failed(sink, RF_CONFIG, "lock", errno, err);
        }
        rf_fail(err, RF_CONFIG, "another process writes to %s", sink->path);
        rf_error_hint(err, "give each pipeline a file of its own");
        return RF_CONFIG;
    }
    return RF_OK;
}

/* The byte in front of `end`, which is not 0. */
static enum rf_status ends_line(const struct file_sink *sink, uint64_t end, bool *out,
                                struct rf_error *err)
{
    char last = 0;
    int fd = open(sink->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return failed(sink, RF_CONFIG, "read", errno, err);
    }
    ssize_t size = pread(fd, &last, 1, (off_t)(end - 1));
    int code = size < 0 ? errno : 0;
    close(fd);
    *out = size == 1 && last == '\n';
    return code == 0 ? RF_OK : failed(sink, RF_FATAL, "read", code, err);
}

/* So that a crash of the system does not take the file's name. */
static enum rf_status sync_directory(const struct file_sink *sink, struct rf_error *err)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(sink->path, '/');
    struct rf_str name = slash == NULL ? RF_STR(".")
                         : slash == sink->path
                             ? RF_STR("/")
                             : (struct rf_str){sink->path, (size_t)(slash - sink->path)};
    if (name.size >= sizeof directory) {
        return failed(sink, RF_CONFIG, "open the directory of", ENAMETOOLONG, err);
    }
    memcpy(directory, name.data, name.size);
    directory[name.size] = '\0';
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return failed(sink, RF_CONFIG, "open the directory of", errno, err);
    }
    /* Some file systems do not know how to, and need not. */
    int code = fsync(fd) != 0 && errno != EINVAL ? errno : 0;
    close(fd);
    return code == 0 ? RF_OK : failed(sink, RF_FATAL, "sync the directory of", code, err);
}

/* A first start: what is there stays, and we begin behind it. */
static enum rf_status begin_file(struct file_sink *sink, struct rf_error *err)
{
    bool whole = true;
    enum rf_status status = sink->length > 0 ? ends_line(sink, sink->length, &whole, err) : RF_OK;
    if (status == RF_OK && !whole) {
        rf_fail(err, RF_CONFIG, "%s does not end with a whole line", sink->path);
        rf_error_hint(err, "nothing was written to it; choose another file, or end its last line");
        status = RF_CONFIG;
    }
    return status == RF_OK ? sync_directory(sink, err) : status;
}

static bool parse_note(struct rf_str note, uint64_t numbers[3])
{
    struct rf_str field;
    for (int i = 0; i < 3; i++) {
        if (!rf_str_split(&note, ' ', &field) || !rf_str_to_u64(field, &numbers[i])) {
            return false;
        }
    }
    return note.data == NULL;
}

/* Whether this is the file that the note is about, and still has all of it. */
static enum rf_status check_note(struct file_sink *sink, struct rf_str note, uint64_t *length,
                                 struct rf_error *err)
{
    uint64_t numbers[3];
    bool whole = true;
    enum rf_status status = RF_OK;
    if (!parse_note(note, numbers)) {
        return rf_fail(err, RF_FATAL, "the note '%.*s' of %s is damaged", RF_STR_ARG(note),
                       sink->path);
    }
    if (!sink->regular || numbers[0] != sink->device || numbers[1] != sink->inode) {
        status =
            rf_fail(err, RF_FATAL, "%s is not the file that was written to before", sink->path);
    } else if (sink->length < numbers[2]) {
        status =
            rf_fail(err, RF_FATAL, "%s has lost data: it has %llu bytes and had %llu", sink->path,
                    (unsigned long long)sink->length, (unsigned long long)numbers[2]);
    } else if (numbers[2] > 0) {
        status = ends_line(sink, numbers[2], &whole, err);
        if (status == RF_OK && !whole) {
            status = rf_fail(err, RF_FATAL, "%s was changed: no line ends at byte %llu", sink->path,
                             (unsigned long long)numbers[2]);
        }
    }
    if (status != RF_OK) {
        rf_error_hint(err, "nothing was written to it; put the right file back, or see "
                           "docs/delivery.md on how to begin a new one");
    }
    *length = numbers[2];
    return status;
}

/* Goes on where the note was taken. */
static enum rf_status continue_file(struct file_sink *sink, const struct rf_context *ctx,
                                    struct rf_error *err)
{
    uint64_t length = 0;
    enum rf_status status = check_note(sink, ctx->note, &length, err);
    if (status != RF_OK) {
        return ctx->adopt && sink->noted ? begin_file(sink, err) : status;
    }
    if (sink->length > length && ftruncate(sink->fd, (off_t)length) != 0) {
        return failed(sink, RF_FATAL, "cut the repeated end off", errno, err);
    }
    sink->length = length;
    return RF_OK;
}

static enum rf_status file_open(void *state, const struct rf_context *ctx, struct rf_str *resume,
                                struct rf_error *err)
{
    struct file_sink *sink = state;
    bool named = strcmp(sink->path, "-") != 0;
    bool again = named && ctx->note.size > 0;
    (void)resume;
    sink->format = ctx->format;
    enum rf_status status =
        named ? open_path(sink, !again || ctx->adopt, err) : open_stdout(sink, err);
    sink->opened = status == RF_OK;
    if (status == RF_OK) {
        status = examine(sink, named, err);
    }
    if (status == RF_OK && again) {
        status = continue_file(sink, ctx, err);
    } else if (status == RF_OK && sink->noted) {
        status = begin_file(sink, err);
    }
    sink->ended = sink->handed_out = sink->length;
    return status;
}

/* -------------------------------------------------------------------------------------- writing */

/* False: interrupted. */
static bool wait_writable(struct file_sink *sink)
{
    for (;;) {
        struct pollfd wait = {sink->fd, POLLOUT, 0};
        if (atomic_load(&sink->interrupted)) {
            return false;
        }
        if (poll(&wait, 1, SLICE_MS) > 0) {
            return true;
        }
    }
}

/* Lets the kernel begin to write out what has come together, so that the next sync finds little
 * left and waits less. Only a hint: what counts is the sync. */
static void begin_writeback(struct file_sink *sink)
{
    if (sink->regular && sink->length - sink->handed_out >= WRITEBACK_BYTES) {
        (void)sync_file_range(sink->fd, (off_t)sink->handed_out,
                              (off_t)(sink->length - sink->handed_out), SYNC_FILE_RANGE_WRITE);
        sink->handed_out = sink->length;
    }
}

static enum rf_status drain(struct file_sink *sink, struct rf_error *err)
{
    struct rf_buf *out = &sink->out;
    size_t done = 0;
    enum rf_status status = RF_OK;
    while (done < out->size && status == RF_OK) {
        size_t size = out->size - done;
        if (sink->careful) {
            /* Others may share this file's flags, so it cannot be made non-blocking; but when there
             * is room, then for this much. */
            size = size < PIPE_BUF ? size : PIPE_BUF;
        }
        if ((sink->careful && !wait_writable(sink)) || atomic_load(&sink->interrupted)) {
            status = rf_fail(err, RF_RETRY, "writing to %s was interrupted", sink->path);
            break;
        }
        ssize_t written = write(sink->fd, out->data + done, size);
        if (written >= 0) {
            done += (size_t)written;
            sink->unsynced = true;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            (void)wait_writable(sink);
        } else if (errno != EINTR) {
            status = write_failed(sink, errno, err);
        }
    }
    sink->length += done;
    begin_writeback(sink);
    out->size = 0; /* what is left after a failure comes again */
    return status;
}

static enum rf_status encode(struct file_sink *sink, const struct rf_view *view,
                             const struct rf_event *event, struct rf_error *err)
{
    struct rf_encoding encoding = {.value = &sink->out, .terminator = RF_STR("\n")};
    return sink->format->type->encode(sink->format->state, view, event, &encoding, err);
}

static enum rf_status file_write(void *state, const struct rf_view *view, struct rf_error *err)
{
    struct file_sink *sink = state;
    enum rf_status status = RF_OK;
    const struct rf_event *event = view->events;
    for (uint32_t i = 0; i < view->transaction_count && status == RF_OK; i++) {
        const struct rf_transaction *transaction = &view->transactions[i];
        for (uint32_t j = 0; j < transaction->count && status == RF_OK; j++, event++) {
            status = encode(sink, view, event, err);
            if (status == RF_OK && sink->out.size >= BUFFER_BYTES) {
                status = drain(sink, err);
            }
        }
        if (status == RF_OK && transaction->ends) {
            sink->ended = sink->length + sink->out.size;
        }
    }
    if (status == RF_REJECT) {
        /* What came before it counts as written. */
        struct rf_error later = {0};
        enum rf_status drained = drain(sink, &later);
        if (drained != RF_OK) {
            status = drained;
            if (err != NULL) {
                *err = later;
            }
        }
        return status;
    }
    return status == RF_OK ? drain(sink, err) : status;
}

/* Somebody may have rotated, shortened or removed the file. Then nobody would find in it what we
 * say is there. */
static enum rf_status check_file(const struct file_sink *sink, struct rf_error *err)
{
    struct stat found;
    enum rf_status status = RF_OK;
    if (stat(sink->path, &found) != 0) {
        status = rf_fail(err, RF_FATAL, "%s was taken away while it was written to: %s", sink->path,
                         strerror(errno));
    } else if (found.st_dev != sink->device || found.st_ino != sink->inode) {
        status = rf_fail(err, RF_FATAL, "%s was replaced while it was written to", sink->path);
    } else if ((uint64_t)found.st_size != sink->length) {
        status = rf_fail(
            err, RF_FATAL, "%s was changed by somebody else: it has %llu bytes instead of %llu",
            sink->path, (unsigned long long)found.st_size, (unsigned long long)sink->length);
    }
    if (status != RF_OK) {
        rf_error_hint(err, "log rotation and the like must leave this file alone while it is "
                           "written to");
    }
    return status;
}

static enum rf_status file_flush(void *state, struct rf_str position, struct rf_buf *note,
                                 struct rf_error *err)
{
    struct file_sink *sink = state;
    (void)position;
    if (sink->regular && sink->unsynced) {
        if (fdatasync(sink->fd) != 0) {
            return failed(sink, RF_FATAL, "sync", errno, err);
        }
        sink->unsynced = false;
    }
    if (!sink->noted) {
        return RF_OK;
    }
    enum rf_status status = check_file(sink, err);
    if (status == RF_OK) {
        rf_buf_printf(note, "%llu %llu %llu", (unsigned long long)sink->device,
                      (unsigned long long)sink->inode, (unsigned long long)sink->ended);
    }
    return status;
}

static void file_close(void *state)
{
    struct file_sink *sink = state;
    if (sink->opened) {
        close(sink->fd);
    }
    sink->opened = false;
    rf_buf_deinit(&sink->out);
}

static void file_interrupt(void *state)
{
    struct file_sink *sink = state;
    atomic_store(&sink->interrupted, true);
}

static const struct rf_option file_options[] = {
    {"path", RF_OPTION_TEXT, offsetof(struct file_sink, path), NULL, NULL,
     "the file, or - for standard output", true},
    RF_OPTION_END,
};

const struct rf_sink_type rf_sink_file = {
    .name = "file",
    .summary = "one line per event, to a file, a pipe or standard output (-)",
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
