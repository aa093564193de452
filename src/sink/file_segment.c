#include "sink/file_segment.h"

#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The mark of a segment: the pipeline, and which file it follows. */
static const char mark_name[] = "user.rowferry.follows";

#define NUMBER_MAX UINT64_C(1000000000000)

static enum rf_status failed(const char *name, enum rf_status status, const char *doing, int code,
                             struct rf_error *err)
{
    rf_fail(err, status, "could not %s %s: %s", doing, name, strerror(code));
    if (err != NULL) {
        err->code = code;
    }
    return status;
}

enum rf_status rf_file_open_failed(const char *name, int code, struct rf_error *err)
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
    failed(name, status, "open", code, err);
    rf_error_hint(err, "%s", hint);
    return status;
}

enum rf_status rf_file_lock(int fd, const char *name, struct rf_error *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        return RF_OK;
    }
    if (errno != EWOULDBLOCK) {
        return failed(name, RF_CONFIG, "lock", errno, err);
    }
    rf_fail(err, RF_CONFIG, "another process writes to %s", name);
    rf_error_hint(err, "give each pipeline a file of its own");
    return RF_CONFIG;
}

/* --------------------------------------------------------------------------------------- names */

/* Where the last point of the name is, that has something in front of it; its size without one. */
static size_t last_point(struct rf_str name)
{
    for (size_t i = name.size; i-- > 1;) {
        if (name.data[i] == '.') {
            return i;
        }
    }
    return name.size;
}

struct rf_file_segments rf_file_segments_of(const char *path, const char *owner)
{
    const char *slash = strrchr(path, '/');
    size_t folder = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    struct rf_str name = rf_str_of(path + folder);
    size_t point = last_point(name);
    struct rf_str suffix = {name.data + point, name.size - point};
    if (rf_str_equal(suffix, RF_STR(".gz")) || rf_str_equal(suffix, RF_STR(".zst"))) {
        size_t before = last_point((struct rf_str){name.data, point});
        point = before;
    }
    return (struct rf_file_segments){
        .path = path,
        .folder = {path, folder},
        .stem = {name.data, point},
        .suffix = {name.data + point, name.size - point},
        .owner = owner,
    };
}

static void add_numbered(const struct rf_file_segments *segments, uint64_t number,
                         struct rf_buf *out)
{
    rf_buf_printf(out, "%.*s.%06llu%.*s", RF_STR_ARG(segments->stem), (unsigned long long)number,
                  RF_STR_ARG(segments->suffix));
}

void rf_file_segment_name(const struct rf_file_segments *segments, uint64_t number,
                          struct rf_buf *out)
{
    rf_buf_reset(out);
    if (number == 0) {
        rf_buf_add_str(out, rf_str_of(segments->path));
    } else {
        rf_buf_add_str(out, segments->folder);
        add_numbered(segments, number, out);
    }
    rf_buf_cstr(out);
}

/* 0: not the name of a segment. */
static uint64_t number_of(const struct rf_file_segments *segments, struct rf_str name,
                          struct rf_buf *text)
{
    uint64_t number = 0;
    size_t around = segments->stem.size + 1 + segments->suffix.size;
    if (name.size <= around || !rf_str_starts(name, segments->stem)) {
        return 0;
    }
    struct rf_str digits = {name.data + segments->stem.size + 1, name.size - around};
    if (!rf_str_to_u64(digits, &number) || number > NUMBER_MAX) {
        return 0;
    }
    rf_buf_reset(text);
    add_numbered(segments, number, text);
    return rf_str_equal(rf_buf_str(text), name) ? number : 0;
}

static void folder_name(const struct rf_file_segments *segments, struct rf_buf *out)
{
    rf_buf_set(out, segments->folder.size > 0 ? segments->folder : RF_STR("."));
    rf_buf_cstr(out);
}

enum rf_status rf_file_segments_highest(const struct rf_file_segments *segments, uint64_t *highest,
                                        struct rf_error *err)
{
    struct rf_buf text = {0};
    enum rf_status status = RF_OK;
    *highest = 0;
    folder_name(segments, &text);
    DIR *folder = opendir(text.data);
    if (folder == NULL) {
        status = rf_file_open_failed(text.data, errno, err);
        goto done;
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (entry == NULL) {
            break;
        }
        uint64_t number = number_of(segments, rf_str_of(entry->d_name), &text);
        *highest = number > *highest ? number : *highest;
    }
    if (errno != 0) {
        status = failed(segments->path, RF_FATAL, "read the folder of", errno, err);
    }
    closedir(folder);
done:
    rf_buf_deinit(&text);
    return status;
}

enum rf_status rf_file_segments_sync(const struct rf_file_segments *segments, struct rf_error *err)
{
    struct rf_buf name = {0};
    enum rf_status status = RF_OK;
    folder_name(segments, &name);
    int fd = open(name.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        status = failed(segments->path, RF_CONFIG, "open the directory of", errno, err);
        goto done;
    }
    /* Some file systems do not know how to, and need not. */
    if (fsync(fd) != 0 && errno != EINVAL) {
        status = failed(segments->path, RF_FATAL, "sync the directory of", errno, err);
    }
    close(fd);
done:
    rf_buf_deinit(&name);
    return status;
}

/* ------------------------------------------------------------------------------------ the files */

static void add_mark(const struct rf_file_segments *segments, struct rf_file_identity before,
                     struct rf_buf *out)
{
    rf_buf_reset(out);
    rf_buf_printf(out, "%s %llu %llu", segments->owner, (unsigned long long)before.device,
                  (unsigned long long)before.inode);
}

enum rf_status rf_file_segment_create(const struct rf_file_segments *segments, uint64_t number,
                                      struct rf_file_identity before, int *out,
                                      struct rf_error *err)
{
    struct rf_buf mark = {0};
    struct rf_buf name = {0};
    enum rf_status status = RF_OK;
    rf_file_segment_name(segments, number, &name);
    int fd = open(name.data, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0644);
    if (fd < 0) {
        status = rf_file_open_failed(name.data, errno, err);
        goto done;
    }
    status = rf_file_lock(fd, name.data, err);
    if (status == RF_OK) {
        add_mark(segments, before, &mark);
        (void)fsetxattr(fd, mark_name, mark.data, mark.size, 0);
        status = rf_file_segments_sync(segments, err);
    }
    if (status == RF_OK) {
        *out = fd;
        fd = -1;
    }
done:
    if (fd >= 0) {
        close(fd);
    }
    rf_buf_deinit(&name);
    rf_buf_deinit(&mark);
    return status;
}

/* ------------------------------------------------------------------------------------- removing */

/* What is known of a segment without its name. */
struct found {
    struct rf_file_identity file;
    bool regular, empty;
    struct rf_buf mark; /* empty: none */
};

static enum rf_status gone(const char *name, struct rf_error *err)
{
    rf_fail(err, RF_FATAL, "%s was taken away, but what was in it would come again", name);
    rf_error_hint(err, "the recorded position is older than this segment; docs/delivery.md says "
                       "how to go on behind what is there");
    return RF_FATAL;
}

/* Returns RF_AGAIN when there is no such file; RF_CONFIG when it is being written to. */
static enum rf_status examine(const char *name, struct found *found, struct rf_error *err)
{
    enum { MARK_BYTES_MAX = 512 };
    struct stat stat;
    enum rf_status status = RF_OK;
    int fd = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT ? RF_AGAIN : failed(name, RF_FATAL, "open", errno, err);
    }
    if (fstat(fd, &stat) != 0) {
        status = failed(name, RF_FATAL, "examine", errno, err);
        goto done;
    }
    found->file = (struct rf_file_identity){stat.st_dev, stat.st_ino};
    found->regular = S_ISREG(stat.st_mode);
    found->empty = stat.st_size == 0;
    rf_buf_reset(&found->mark);
    ssize_t size =
        fgetxattr(fd, mark_name, rf_buf_reserve(&found->mark, MARK_BYTES_MAX), MARK_BYTES_MAX);
    found->mark.size = size > 0 ? (size_t)size : 0;
    status = found->regular ? rf_file_lock(fd, name, err) : RF_OK;
done:
    close(fd);
    return status;
}

static bool follows(const struct rf_file_segments *segments, const struct found *found,
                    struct rf_file_identity before)
{
    struct rf_buf mark = {0};
    add_mark(segments, before, &mark);
    bool same = rf_str_equal(rf_buf_str(&mark), rf_buf_str(&found->mark));
    rf_buf_deinit(&mark);
    return same;
}

/* Which segment follows the file that was not one: the number of the first that may be removed,
 * highest + 1 when none may. */
static enum rf_status find_first(const struct rf_file_segments *segments, uint64_t highest,
                                 struct rf_file_identity file, uint64_t *first,
                                 struct rf_error *err)
{
    struct rf_buf name = {0};
    struct found found = {0};
    enum rf_status status = RF_OK;
    bool empty_top = true;
    *first = highest + 1;
    for (uint64_t i = highest; i > 0; i--) {
        rf_file_segment_name(segments, i, &name);
        status = examine(name.data, &found, err);
        if (status != RF_OK) {
            status = status == RF_AGAIN ? RF_OK : status;
            break;
        }
        if (follows(segments, &found, file)) {
            *first = i;
            break;
        }
        /* One that was just created, and not marked yet. */
        empty_top &= found.regular && found.empty;
        *first = empty_top ? i : *first;
    }
    rf_buf_deinit(&name);
    rf_buf_deinit(&found.mark);
    return status;
}

static enum rf_status check_chain(const struct rf_file_segments *segments, uint64_t first,
                                  uint64_t highest, struct rf_file_identity file,
                                  struct rf_error *err)
{
    struct rf_buf name = {0};
    struct found found = {0};
    enum rf_status status = RF_OK;
    for (uint64_t i = first; i <= highest && status == RF_OK; i++) {
        rf_file_segment_name(segments, i, &name);
        status = examine(name.data, &found, err);
        if (status == RF_AGAIN) {
            status = gone(name.data, err);
        } else if (status == RF_OK && !(found.regular && found.empty) &&
                   !(found.regular && follows(segments, &found, file))) {
            rf_fail(err, RF_FATAL,
                    "%s lies behind the recorded position, and is not known to be a segment that "
                    "may be removed",
                    name.data);
            rf_error_hint(err,
                          "nothing was removed. Move it away if it is somebody else's; if this "
                          "sink wrote it, its events come again, and it may be removed");
            status = RF_FATAL;
        }
        file = found.file;
    }
    rf_buf_deinit(&name);
    rf_buf_deinit(&found.mark);
    return status;
}

enum rf_status rf_file_segments_remove(const struct rf_file_segments *segments, uint64_t number,
                                       struct rf_file_identity file, struct rf_error *err)
{
    uint64_t highest, first = number + 1;
    struct rf_buf name = {0};
    enum rf_status status = rf_file_segments_highest(segments, &highest, err);
    if (status == RF_OK && number == 0) {
        status = find_first(segments, highest, file, &first, err);
    }
    if (status != RF_OK || highest < first) {
        return status;
    }
    status = check_chain(segments, first, highest, file, err);
    for (uint64_t i = highest; i >= first && status == RF_OK; i--) {
        rf_file_segment_name(segments, i, &name);
        if (unlink(name.data) != 0 && errno != ENOENT) {
            status = failed(name.data, RF_FATAL, "remove", errno, err);
        }
    }
    rf_buf_deinit(&name);
    return status == RF_OK ? rf_file_segments_sync(segments, err) : status;
}
