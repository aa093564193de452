/* The sink `file`: one line per event, to a file, a pipe or standard output.
 *
 * A regular file has each event once, whatever happens: the note that is recorded with each
 * position holds the file's device, inode and length there, and what lies behind that length when
 * it is opened again is cut off, as it will come again. Nothing else is ever cut. Everything that
 * is not a regular file, and standard output whatever it is, gets each event at least once.
 *
 * A rotating sink writes segments (file_segment.h). It begins the next one in a flush that ends a
 * transaction: when the segment is on the disk, the next one is created, empty, and the note is
 * about that. So while nothing is recorded about a segment, there is nothing in it; and the note
 * alone says what to do at an open: cut the segment that it names, remove those behind it.
 *
 * A compressing sink ends a piece (file_frame.h) at each flush, and in front of whatever may have
 * to be cut off: a length in a note is always one at which the file is whole. */
#include "base/clock.h"
#include "sink/file_note.h"
#include "sink/file_output.h"
#include "sink/file_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <rowferry/sink.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUFFER_BYTES = 256 * 1024, /* encoded lines are written when there is this much, or no more */
};

struct file_sink {
    const char *path; /* options */
    bool rotate;
    int64_t rotate_bytes, rotate_every_ms;
    int32_t compress; /* enum rf_file_kind */
    int64_t level;

    struct rf_format *format;
    const atomic_uint *rotations;
    unsigned rotations_seen;
    struct rf_file_segments segments;
    uint64_t number; /* of the segment that is written to; 0: the path itself */
    struct rf_file_output output;
    bool noted; /* a regular file opened by its path: it has a note */
    dev_t device;
    ino_t inode;
};

static bool rotates(const struct file_sink *sink)
{
    return sink->rotate || sink->rotate_bytes > 0 || sink->rotate_every_ms > 0;
}

/* -------------------------------------------------------------------------------------- opening */

static enum rf_status open_stdout(struct file_sink *sink, struct rf_error *err)
{
    rf_buf_set(&sink->output.name, RF_STR("standard output"));
    rf_buf_cstr(&sink->output.name);
    if (rotates(sink) || sink->compress != RF_FILE_PLAIN) {
        rf_fail(err, RF_CONFIG, "standard output can be neither rotated nor compressed");
        rf_error_hint(err, "leave out %s, or name a file; a pipe can be compressed behind us",
                      rotates(sink) ? "rotate" : "compress");
        return RF_CONFIG;
    }
    sink->output.fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return sink->output.fd >= 0 ? RF_OK : rf_file_open_failed(sink->output.name.data, errno, err);
}

/* May create the file, but not where there was one that is to be continued. */
static enum rf_status open_name(struct file_sink *sink, bool create, struct rf_error *err)
{
    int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (create ? O_CREAT : 0);
    sink->output.fd = open(sink->output.name.data, flags, 0644);
    if (sink->output.fd >= 0) {
        return RF_OK;
    }
    if (errno == ENOENT && !create) {
        rf_fail(err, RF_FATAL, "%s is gone, and what was written to it with it",
                sink->output.name.data);
        rf_error_hint(err, "put it back; docs/delivery.md says how to begin a new one");
        return RF_FATAL;
    }
    return rf_file_open_failed(sink->output.name.data, errno, err);
}

/* What was opened last takes the place of what was open before. */
static enum rf_status examine(struct file_sink *sink, bool named, struct rf_error *err)
{
    struct stat found;
    if (fstat(sink->output.fd, &found) != 0) {
        return rf_file_failed(sink->output.name.data, RF_FATAL, "examine", errno, err);
    }
    sink->output.regular = S_ISREG(found.st_mode);
    sink->noted = sink->output.regular && named;
    /* What we opened does not block, and neither does a device that is no terminal. */
    sink->output.careful =
        !named && !sink->output.regular && (!S_ISCHR(found.st_mode) || isatty(sink->output.fd));
    sink->device = found.st_dev;
    sink->inode = found.st_ino;
    sink->output.length = sink->output.regular ? (uint64_t)found.st_size : 0;
    sink->output.unsynced = sink->output.regular; /* what is there may not be on the disk yet */
    sink->output.handed_out = sink->output.length;
    if (named && !sink->output.regular && (rotates(sink) || sink->compress != RF_FILE_PLAIN)) {
        rf_fail(err, RF_CONFIG,
                "%s is not a regular file: it can be neither rotated nor compressed",
                sink->output.name.data);
        rf_error_hint(err, "leave out %s, or name another file",
                      rotates(sink) ? "rotate" : "compress");
        return RF_CONFIG;
    }
    return RF_OK;
}

static enum rf_status open_file(struct file_sink *sink, bool create, struct rf_error *err)
{
    enum rf_status status = open_name(sink, create, err);
    sink->output.opened = status == RF_OK;
    if (status == RF_OK) {
        status = examine(sink, true, err);
    }
    return status == RF_OK && sink->noted
               ? rf_file_lock(sink->output.fd, sink->output.name.data, err)
               : status;
}

/* The byte in front of `end`, which is not 0. */
static enum rf_status ends_line(const struct file_sink *sink, uint64_t end, bool *out,
                                struct rf_error *err)
{
    char last = 0;
    int fd = open(sink->output.name.data, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return rf_file_failed(sink->output.name.data, RF_CONFIG, "read", errno, err);
    }
    ssize_t size = pread(fd, &last, 1, (off_t)(end - 1));
    int code = size < 0 ? errno : 0;
    close(fd);
    *out = size == 1 && last == '\n';
    return code == 0 ? RF_OK : rf_file_failed(sink->output.name.data, RF_FATAL, "read", code, err);
}

/* Whether something can be put behind all that is there. */
static enum rf_status ends_whole(const struct file_sink *sink, bool *out, struct rf_error *err)
{
    *out = true;
    if (sink->output.length == 0) {
        return RF_OK;
    }
    return sink->compress == RF_FILE_PLAIN
               ? ends_line(sink, sink->output.length, out, err)
               : rf_file_frame_check(sink->output.name.data, (enum rf_file_kind)sink->compress,
                                     &sink->output.interrupted, out, err);
}

/* A first start: what is there stays, and we begin behind it. */
static enum rf_status begin_file(struct file_sink *sink, struct rf_error *err)
{
    bool whole = true;
    enum rf_status status = ends_whole(sink, &whole, err);
    if (status == RF_OK && !whole && sink->compress == RF_FILE_PLAIN) {
        rf_fail(err, RF_CONFIG, "%s does not end with a whole line", sink->output.name.data);
        rf_error_hint(err, "nothing was written to it; choose another file, or end its last line");
        status = RF_CONFIG;
    } else if (status == RF_OK && !whole) {
        rf_fail(err, RF_CONFIG, "%s is not a whole file of %s", sink->output.name.data,
                rf_file_kind_name((enum rf_file_kind)sink->compress));
        rf_error_hint(err, "nothing was written to it; choose another file");
        status = RF_CONFIG;
    }
    return status == RF_OK ? rf_file_segments_sync(&sink->segments, err) : status;
}

static void be_at(struct file_sink *sink, uint64_t number)
{
    sink->number = number;
    rf_file_segment_name(&sink->segments, number, &sink->output.name);
}

/* Begins the next segment; only when it is there, the old one is let go. */
static enum rf_status next_segment(struct file_sink *sink, uint64_t number, struct rf_error *err)
{
    int fd;
    struct rf_file_identity before = {sink->device, sink->inode};
    enum rf_status status = rf_file_segment_create(&sink->segments, number, before, &fd, err);
    if (status != RF_OK) {
        return status;
    }
    rf_file_output_close(&sink->output);
    sink->output.fd = fd;
    sink->output.opened = true;
    sink->output.began_us = 0;
    be_at(sink, number);
    status = examine(sink, true, err);
    sink->output.ended = sink->output.length;
    return status;
}

/* Segments beside a device or a pipe are certainly not what was meant. */
static enum rf_status check_path(const struct file_sink *sink, struct rf_error *err)
{
    struct stat found;
    if (stat(sink->path, &found) != 0 || S_ISREG(found.st_mode)) {
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG, "%s is not a regular file: it can be neither rotated nor compressed",
            sink->path);
    rf_error_hint(err, "leave out rotate, or name another file");
    return RF_CONFIG;
}

/* The file itself is followed by a number that is free. */
static enum rf_status follow(struct file_sink *sink, struct rf_error *err)
{
    uint64_t last = sink->number;
    enum rf_status status =
        last > 0 ? RF_OK : rf_file_segments_highest(&sink->segments, &last, err);
    return status == RF_OK ? next_segment(sink, last + 1, err) : status;
}

/* Goes on in a segment of its own behind what is there; the last one serves if it is empty. */
static enum rf_status begin_segment(struct file_sink *sink, struct rf_error *err)
{
    uint64_t highest = 0;
    enum rf_status status = check_path(sink, err);
    if (status == RF_OK) {
        status = rf_file_segments_highest(&sink->segments, &highest, err);
    }
    if (status == RF_OK && highest > 0) {
        be_at(sink, highest);
        status = open_file(sink, false, err);
        if (status != RF_OK || sink->output.length == 0) {
            return status == RF_OK ? rf_file_segments_sync(&sink->segments, err) : status;
        }
    }
    /* It follows nothing whose events could come again. */
    sink->device = 0;
    sink->inode = 0;
    return status == RF_OK ? next_segment(sink, highest + 1, err) : status;
}

static enum rf_status begin(struct file_sink *sink, struct rf_error *err)
{
    rf_file_output_close(&sink->output);
    sink->output.began_us = 0;
    if (rotates(sink)) {
        return begin_segment(sink, err);
    }
    be_at(sink, 0);
    enum rf_status status = open_file(sink, true, err);
    return status == RF_OK && sink->noted ? begin_file(sink, err) : status;
}

/* What was set is not what the file was written with. */
static enum rf_status check_options(const struct file_sink *sink, const struct rf_file_note *note,
                                    struct rf_error *err)
{
    if (note->kind != (enum rf_file_kind)sink->compress) {
        rf_fail(err, RF_CONFIG, "%s was written with compress=%s, which is now %s",
                sink->output.name.data, rf_file_kind_name(note->kind),
                rf_file_kind_name((enum rf_file_kind)sink->compress));
        rf_error_hint(err, "one file is of one kind: set it back, or give the sink another path "
                           "and the position of this one");
        return RF_CONFIG;
    }
    if (note->number > 0 && !rotates(sink)) {
        rf_fail(err, RF_CONFIG, "%s was written in segments, the last of which is %s", sink->path,
                sink->output.name.data);
        rf_error_hint(err, "set rotate=on, which goes on in that one until a SIGHUP; or give the "
                           "sink another path and the position of this one");
        return RF_CONFIG;
    }
    return RF_OK;
}

/* Whether this is the file that the note is about, and still has all of it. */
static enum rf_status check_content(const struct file_sink *sink, const struct rf_file_note *note,
                                    struct rf_error *err)
{
    const char *name = sink->output.name.data;
    bool whole = true;
    enum rf_status status = RF_OK;
    if (!sink->output.regular || note->device != sink->device || note->inode != sink->inode) {
        status = rf_fail(err, RF_FATAL, "%s is not the file that was written to before", name);
    } else if (sink->output.length < note->length) {
        status = rf_fail(err, RF_FATAL, "%s has lost data: it has %llu bytes and had %llu", name,
                         (unsigned long long)sink->output.length, (unsigned long long)note->length);
    } else if (note->length > 0 && note->kind == RF_FILE_PLAIN) {
        status = ends_line(sink, note->length, &whole, err);
        if (status == RF_OK && !whole) {
            status = rf_fail(err, RF_FATAL, "%s was changed: no line ends at byte %llu", name,
                             (unsigned long long)note->length);
        }
    }
    if (status != RF_OK) {
        rf_error_hint(err, "nothing was written to it; put the right file back, or see "
                           "docs/delivery.md on how to begin a new one");
    }
    return status;
}

/* How old what is in the file is: by the wall clock once, then by the other one. Where the note
 * does not say, it begins now. */
static void set_age(struct file_sink *sink, uint64_t began_us)
{
    int64_t now_us = rf_clock_wall_us();
    bool said = began_us > 0 && began_us < (uint64_t)now_us;
    sink->output.began_us = said ? (int64_t)began_us : now_us;
    sink->output.began_ms = rf_clock_ms() - (now_us - sink->output.began_us) / 1000;
    if (sink->output.length == 0) {
        sink->output.began_us = 0;
    }
}

/* Finds the file that the note is about. Nothing is changed. */
static enum rf_status find_file(struct file_sink *sink, const struct rf_file_note *note,
                                struct rf_error *err)
{
    be_at(sink, note->number);
    enum rf_status status = check_options(sink, note, err);
    if (status == RF_OK) {
        status = open_file(sink, false, err);
    }
    return status == RF_OK ? check_content(sink, note, err) : status;
}

/* Goes on where the note was taken. */
static enum rf_status go_on(struct file_sink *sink, const struct rf_context *ctx,
                            struct rf_error *err)
{
    struct rf_file_note note;
    enum rf_status status = RF_OK;
    if (rf_file_note_parse(ctx->note, &note)) {
        status = find_file(sink, &note, err);
    } else {
        status = rf_fail(err, RF_FATAL, "the note '%.*s' of %s is damaged", RF_STR_ARG(ctx->note),
                         sink->path);
    }
    if (status == RF_OK && rotates(sink)) {
        status = rf_file_segments_remove(&sink->segments, note.number,
                                         (struct rf_file_identity){note.device, note.inode}, err);
    }
    if (status == RF_FATAL && ctx->adopt) {
        return begin(sink, err);
    }
    if (status != RF_OK) {
        return status;
    }
    if (sink->output.length > note.length && ftruncate(sink->output.fd, (off_t)note.length) != 0) {
        return rf_file_failed(sink->output.name.data, RF_FATAL, "cut the repeated end off", errno,
                              err);
    }
    sink->output.length = sink->output.handed_out = note.length;
    set_age(sink, note.began_us);
    return RF_OK;
}

static enum rf_status file_open(void *state, const struct rf_context *ctx, struct rf_str *resume,
                                struct rf_error *err)
{
    struct file_sink *sink = state;
    (void)resume;
    sink->format = ctx->format;
    sink->rotations = ctx->rotations;
    sink->rotations_seen = ctx->rotations != NULL ? atomic_load(ctx->rotations) : 0;
    sink->segments = rf_file_segments_of(sink->path, ctx->pipeline);
    enum rf_status status = rf_file_frame_open(&sink->output.frame,
                                               (enum rf_file_kind)sink->compress, sink->level, err);
    if (status != RF_OK) {
        return status;
    }
    if (strcmp(sink->path, "-") == 0) {
        status = open_stdout(sink, err);
        sink->output.opened = status == RF_OK;
        status = status == RF_OK ? examine(sink, false, err) : status;
    } else if (ctx->note.size > 0 && !ctx->ordered) {
        status = go_on(sink, ctx, err);
    } else {
        status = begin(sink, err);
    }
    sink->output.ended = sink->output.length;
    return status;
}

/* -------------------------------------------------------------------------------------- writing */

static enum rf_status encode(struct file_sink *sink, const struct rf_view *view,
                             const struct rf_event *event, struct rf_error *err)
{
    struct rf_encoding encoding = {.value = &sink->output.lines, .terminator = RF_STR("\n")};
    return sink->format->type->encode(sink->format->state, view, event, &encoding, err);
}

/* What stands behind a transaction in some formats. */
static enum rf_status encode_end(struct file_sink *sink, const struct rf_view *view,
                                 const struct rf_transaction *transaction, struct rf_error *err)
{
    struct rf_encoding encoding = {.value = &sink->output.lines, .terminator = RF_STR("\n")};
    if (sink->format->type->end == NULL) {
        return RF_OK;
    }
    return sink->format->type->end(sink->format->state, view, transaction, &encoding, err);
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
            if (status == RF_OK && sink->output.lines.size >= BUFFER_BYTES) {
                status = rf_file_output_drain(&sink->output, err);
            }
        }
        if (status == RF_OK && transaction->ends) {
            status = encode_end(sink, view, transaction, err);
        }
        if (status == RF_OK && transaction->ends) {
            rf_file_output_settled(&sink->output);
        }
    }
    if (status == RF_REJECT) {
        /* What came before it counts as written. */
        struct rf_error later = {0};
        enum rf_status drained = rf_file_output_drain(&sink->output, &later);
        if (drained != RF_OK) {
            status = drained;
            if (err != NULL) {
                *err = later;
            }
        }
        return status;
    }
    return status == RF_OK ? rf_file_output_drain(&sink->output, err) : status;
}

/* Somebody may have rotated, shortened or removed the file. Then nobody would find in it what we
 * say is there. */
static enum rf_status check_file(const struct file_sink *sink, struct rf_error *err)
{
    struct stat found;
    enum rf_status status = RF_OK;
    if (stat(sink->output.name.data, &found) != 0) {
        status = rf_fail(err, RF_FATAL, "%s was taken away while it was written to: %s",
                         sink->output.name.data, strerror(errno));
    } else if (found.st_dev != sink->device || found.st_ino != sink->inode) {
        status = rf_fail(err, RF_FATAL, "%s was replaced while it was written to",
                         sink->output.name.data);
    } else if ((uint64_t)found.st_size != sink->output.length) {
        status = rf_fail(err, RF_FATAL,
                         "%s was changed by somebody else: it has %llu bytes instead of %llu",
                         sink->output.name.data, (unsigned long long)found.st_size,
                         (unsigned long long)sink->output.length);
    }
    if (status != RF_OK) {
        rf_error_hint(err, "log rotation and the like must leave this file alone while it is "
                           "written to; rotate=on has it done by us");
    }
    return status;
}

/* Whether the next segment is due. Never inside a transaction, and no segment is empty. */
static bool is_due(const struct file_sink *sink)
{
    if (!rotates(sink) || sink->output.inside || sink->output.length == 0) {
        return false;
    }
    return (sink->rotate_bytes > 0 && sink->output.length >= (uint64_t)sink->rotate_bytes) ||
           (sink->rotate_every_ms > 0 &&
            rf_clock_ms() - sink->output.began_ms >= sink->rotate_every_ms) ||
           (sink->rotations != NULL && atomic_load(sink->rotations) != sink->rotations_seen);
}

/* Of a file that neither rotates nor is compressed the note is as short as it always was. */
static void add_note(const struct file_sink *sink, struct rf_buf *out)
{
    struct rf_file_note note = {
        .device = sink->device,
        .inode = sink->inode,
        .length = sink->output.ended,
        .number = sink->number,
        .kind = (enum rf_file_kind)sink->compress,
        .began_us = (uint64_t)sink->output.began_us,
    };
    rf_file_note_add(&note, rotates(sink) || sink->compress != RF_FILE_PLAIN, out);
}

static enum rf_status file_flush(void *state, struct rf_str position, struct rf_buf *note,
                                 struct rf_error *err)
{
    struct file_sink *sink = state;
    (void)position;
    enum rf_status status = rf_file_output_settle(&sink->output, err);
    if (status == RF_OK) {
        status = rf_file_output_sync(&sink->output, err);
    }
    if (status != RF_OK || !sink->noted) {
        return status;
    }
    unsigned rotations = sink->rotations != NULL ? atomic_load(sink->rotations) : 0;
    status = check_file(sink, err);
    if (status == RF_OK && is_due(sink)) {
        status = follow(sink, err);
    }
    if (status == RF_OK) {
        if (sink->output.length == 0) {
            sink->rotations_seen = rotations;
        }
        add_note(sink, note);
    }
    return status;
}

static void file_close(void *state)
{
    struct file_sink *sink = state;
    rf_file_output_close(&sink->output);
    rf_file_output_deinit(&sink->output);
}

static void file_interrupt(void *state)
{
    struct file_sink *sink = state;
    atomic_store(&sink->output.interrupted, true);
}

static const struct rf_option file_options[] = {
    {"path", RF_OPTION_TEXT, offsetof(struct file_sink, path), NULL, NULL,
     "the file, or - for standard output", true},
    {"rotate", RF_OPTION_BOOL, offsetof(struct file_sink, rotate), "off", NULL,
     "write numbered segments, a new one at each SIGHUP and as rotate_bytes and rotate_every say",
     false},
    {"rotate_bytes", RF_OPTION_SIZE, offsetof(struct file_sink, rotate_bytes), NULL, "1..",
     "a new segment when one has this many bytes; sets rotate", false},
    {"rotate_every", RF_OPTION_DURATION, offsetof(struct file_sink, rotate_every_ms), NULL, "1ms..",
     "a new segment when one is this old; sets rotate", false},
    {"compress", RF_OPTION_CHOICE, offsetof(struct file_sink, compress), "none", RF_FILE_KINDS,
     "compress what is written, readable by zcat or zstdcat at any time", false},
    {"compress_level", RF_OPTION_INT, offsetof(struct file_sink, level), NULL, "1..19",
     "gzip: 1 to 9, 6 unless set; zstd: 1 to 19, 3 unless set", false},
    RF_OPTION_END,
};

/* --------------------------------------------------------------------------------------- doctor */

static enum rf_status file_examine(void *state, const struct rf_context *ctx,
                                   struct rf_findings *findings, struct rf_error *err)
{
    struct file_sink *sink = state;

    (void)ctx;
    (void)err;
    if (strcmp(sink->path, "-") == 0) {
        rf_finding_add(findings, (struct rf_finding){.what = "file", .found = "standard output"});
    } else {
        rf_file_examine(sink->path, findings);
    }
    return RF_OK;
}

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
    .examine = file_examine,
};
