#include "engine/letters.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/quote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------- one line */

static void add_text(struct rf_buf *out, const char *name, struct rf_str text)
{
    rf_buf_printf(out, "%s\"%s\":", out->data[out->size - 1] == '{' ? "" : ",", name);
    rf_quote_json(out, text);
}

static void add_time(struct rf_buf *out)
{
    char text[32];
    struct tm utc;
    int64_t now_us = rf_clock_wall_us();
    time_t seconds = (time_t)(now_us / 1000000);
    gmtime_r(&seconds, &utc);
    size_t size = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    struct rf_buf stamp = {0};
    rf_buf_printf(&stamp, "%.*s.%03dZ", (int)size, text, (int)(now_us % 1000000 / 1000));
    add_text(out, "time", rf_buf_str(&stamp));
    rf_buf_deinit(&stamp);
}

/* The event as the format writes it. An instance of its own: this happens seldom. */
static void add_event(struct rf_buf *out, const struct rf_letter *letter)
{
    const struct rf_format_type *type = letter->format;
    struct rf_error err = {0};
    size_t start = out->size;
    rf_buf_add_str(out, RF_STR(",\"event\":"));
    size_t value = out->size;
    if (type != NULL) {
        struct rf_encoding encoding = {.value = out};
        void *state = rf_alloc_zero(1, type->state_size);
        enum rf_status status = type->open(state, &err);
        if (status == RF_OK) {
            status = type->encode(state, letter->view, letter->event, &encoding, &err);
        }
        type->close(state);
        free(state);
        if (status != RF_OK || encoding.count != 1) {
            out->size = value;
        }
    }
    if (out->size == value) {
        out->size = start;
        rf_buf_add_str(out, RF_STR(",\"event\":null"));
    }
    if (err.message[0] != '\0') {
        add_text(out, "event_missing", rf_str_of(err.message));
    }
}

void rf_letter_write(const struct rf_letter *letter, struct rf_buf *out)
{
    const struct rf_event *event = letter->event;
    struct rf_str transaction = rf_view_transaction(letter->view, event)->id;
    struct rf_buf id = {0};
    rf_buf_printf(&id, "%.*s:%u:%u", RF_STR_ARG(transaction), event->ordinal, event->row);
    rf_buf_add_byte(out, '{');
    add_time(out);
    add_text(out, "pipeline", rf_str_of(letter->pipeline));
    add_text(out, "sink", rf_str_of(letter->sink));
    add_text(out, "reason", rf_str_of(letter->reason));
    add_text(out, "position", letter->position);
    add_text(out, "transaction", transaction);
    add_text(out, "id", rf_buf_str(&id));
    add_text(out, "op", rf_str_of(rf_op_name((enum rf_op)event->op)));
    add_text(out, "database", event->table ? event->table->database : event->database);
    add_text(out, "table", event->table ? event->table->name : event->object);
    add_event(out, letter);
    if (letter->raw && event->origin != NULL && event->origin->raw.size > 0) {
        rf_buf_add_str(out, RF_STR(",\"raw\":\""));
        rf_quote_base64(out, event->origin->raw);
        rf_buf_add_str(out, RF_STR("\"}\n"));
    } else {
        rf_buf_add_str(out, RF_STR(",\"raw\":null}\n"));
    }
    rf_buf_deinit(&id);
}

/* ------------------------------------------------------------------------------------- the file */

static enum rf_status refuse_kind(const char *path, struct rf_error *err)
{
    rf_fail(err, RF_CONFIG, "dead_letters: %s is not a regular file", path);
    rf_error_hint(err, "name a file, which is made when it is first needed");
    return RF_CONFIG;
}

/* The directory of the path, into a buffer. */
static const char *directory_of(const char *path, struct rf_buf *out)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        rf_buf_printf(out, ".");
    } else {
        rf_buf_printf(out, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    }
    return rf_buf_cstr(out);
}

enum rf_status rf_letters_check(const char *path, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    struct rf_buf directory = {0};
    struct stat info;
    if (stat(path, &info) == 0) {
        if (!S_ISREG(info.st_mode)) {
            status = refuse_kind(path, err);
        } else if (access(path, R_OK | W_OK) != 0) {
            status = rf_fail(err, RF_CONFIG, "dead_letters: cannot read and write %s: %s", path,
                             strerror(errno));
        }
    } else if (errno != ENOENT) {
        status = rf_fail(err, RF_CONFIG, "dead_letters: %s: %s", path, strerror(errno));
    } else if (access(directory_of(path, &directory), W_OK | X_OK) != 0) {
        status = rf_fail(err, RF_CONFIG, "dead_letters: %s cannot be made in %s: %s", path,
                         directory.data, strerror(errno));
    }
    rf_buf_deinit(&directory);
    return status;
}

static enum rf_status failed(const char *path, const char *what, struct rf_error *err)
{
    int code = errno;
    bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
    bool ours = code == EACCES || code == EPERM || code == ENOENT || code == ENOTDIR ||
                code == EISDIR || code == ELOOP || code == EROFS;
    rf_fail(err,
            full   ? RF_RETRY
            : ours ? RF_CONFIG
                   : RF_FATAL,
            "the dead letters could not be %s %s: %s", what, path, strerror(code));
    if (err != NULL) {
        err->code = code;
    }
    if (full) {
        rf_error_hint(err, "the sink goes on when there is room for what it refused");
    }
    return full ? RF_RETRY : ours ? RF_CONFIG : RF_FATAL;
}

/* A name in a directory is on disk when the directory is. */
static enum rf_status sync_directory(const char *path, struct rf_error *err)
{
    struct rf_buf name = {0};
    enum rf_status status = RF_OK;
    int directory = open(directory_of(path, &name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* A file system that cannot sync a directory says EINVAL. */
    if (directory < 0 || (fsync(directory) != 0 && errno != EINVAL)) {
        status = failed(path, "made durable as", err);
    }
    if (directory >= 0) {
        close(directory);
    }
    rf_buf_deinit(&name);
    return status;
}

/* True when the file does not end with a whole line: the power went in the middle of it. */
static bool ends_inside_a_line(int file, off_t size)
{
    char last = '\n';
    return size > 0 && pread(file, &last, 1, size - 1) == 1 && last != '\n';
}

static enum rf_status write_all(int file, struct rf_str rest)
{
    while (rest.size > 0) {
        ssize_t done = write(file, rest.data, rest.size);
        if (done < 0 && errno != EINTR) {
            return RF_FATAL;
        }
        if (done > 0) {
            rest.data += done;
            rest.size -= (size_t)done;
        }
    }
    return RF_OK;
}

/* Under the file's lock. What does not fit whole is taken away again. */
static enum rf_status append(int file, const char *path, struct rf_str lines, struct rf_error *err)
{
    struct stat info;
    enum rf_status status = RF_OK;
    if (fstat(file, &info) != 0) {
        return failed(path, "written to", err);
    }
    if (!S_ISREG(info.st_mode)) {
        return refuse_kind(path, err);
    }
    if (ends_inside_a_line(file, info.st_size)) {
        status = write_all(file, RF_STR("\n"));
    }
    if (status == RF_OK) {
        status = write_all(file, lines);
    }
    if (status != RF_OK || fsync(file) != 0) {
        status = failed(path, "written to", err);
        /* Should this fail as well, the next one begins a line of its own. */
        (void)!ftruncate(file, info.st_size);
    }
    return status;
}

enum rf_status rf_letters_append(const char *path, struct rf_str lines, struct rf_error *err)
{
    enum { FLAGS = O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };
    enum rf_status status = RF_OK;
    bool made = false;
    int file = open(path, FLAGS);
    if (file < 0 && errno == ENOENT) {
        file = open(path, FLAGS | O_CREAT, 0600);
        made = true;
    }
    if (file < 0) {
        return failed(path, "written to", err);
    }
    while (flock(file, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            status =
                rf_fail(err, RF_RETRY, "the dead letters in %s are locked by somebody else", path);
            goto done;
        }
        if (errno != EINTR) {
            status = failed(path, "locked in", err);
            goto done;
        }
    }
    status = append(file, path, lines, err);
    if (status == RF_OK && made) {
        status = sync_directory(path, err);
    }
done:
    close(file);
    return status;
}
