#include "checkpoint/file.h"

#include "checkpoint/checkpoint.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_SIZE_MAX = 100, LOCK_TEXT_SIZE = 64 };

/* ---------------------------------------------------------------------------------------- paths */

enum rf_status rf_checkpoint_directory(struct rf_buf *path, struct rf_error *err)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    /* The specification says that a relative path is to be ignored. */
    if (state != NULL && state[0] == '/') {
        rf_buf_printf(path, "%s/rowferry", state);
    } else if (home != NULL && home[0] == '/') {
        rf_buf_printf(path, "%s/.local/state/rowferry", home);
    } else {
        rf_fail(err, RF_CONFIG,
                "there is no place for the state: neither XDG_STATE_HOME nor HOME is set");
        rf_error_hint(err, "XDG_STATE_HOME=/var/lib/... rowferry ...");
        return RF_CONFIG;
    }
    return RF_OK;
}

enum rf_status rf_checkpoint_path(const char *name, struct rf_buf *path, struct rf_error *err)
{
    size_t size = strlen(name);
    bool fine = size > 0 && size <= NAME_SIZE_MAX && name[0] != '.';
    for (size_t i = 0; i < size && fine; i++) {
        fine = isalnum((unsigned char)name[i]) || strchr("._-", name[i]) != NULL;
    }
    if (!fine) {
        rf_fail(err, RF_CONFIG, "\"%.*s\" is not a pipeline's name", NAME_SIZE_MAX, name);
        rf_error_hint(err, "letters, digits, '.', '_' and '-', no '.' in front, %d bytes at most",
                      NAME_SIZE_MAX);
        return RF_CONFIG;
    }
    enum rf_status status = rf_checkpoint_directory(path, err);
    if (status == RF_OK) {
        rf_buf_printf(path, "/%s.db", name);
    }
    return status;
}

/* Makes every directory above the file that is not there. */
static enum rf_status make_directories(const char *path, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    char *copy = rf_str_dup(rf_str_of(path));
    for (char *slash = strchr(copy + 1, '/'); slash != NULL && status == RF_OK;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0700) != 0 && errno != EEXIST) {
            status = rf_fail(err, RF_CONFIG, "could not make the directory %s: %s", copy,
                             strerror(errno));
            rf_error_hint(err, "XDG_STATE_HOME says where the state is to lie");
        }
        *slash = '/';
    }
    free(copy);
    return status;
}

static enum rf_status sync_directory_of(const char *path, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    const char *slash = strrchr(path, '/');
    char *directory =
        slash == NULL ? rf_str_dup(RF_STR("."))
                      : rf_str_dup((struct rf_str){path, (size_t)(slash - path) + (slash == path)});
    int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0 || fsync(file) != 0) {
        status = rf_fail(err, RF_FATAL, "could not sync the directory %s: %s", directory,
                         strerror(errno));
    }
    if (file >= 0) {
        close(file);
    }
    free(directory);
    return status;
}

/* ----------------------------------------------------------------------------------------- lock */

static struct rf_str without_suffix(const char *path)
{
    size_t size = strlen(path);
    size -= size > 3 && strcmp(path + size - 3, ".db") == 0 ? 3 : 0;
    return (struct rf_str){path, size};
}

static void lock_path(const char *path, struct rf_buf *out)
{
    rf_buf_printf(out, "%.*s.lock", RF_STR_ARG(without_suffix(path)));
}

void rf_state_name(const char *path, struct rf_buf *out)
{
    const char *slash = strrchr(path, '/');
    rf_buf_add_str(out, without_suffix(slash ? slash + 1 : path));
}

/* A lock of the open file, not of the process: another open of the same file in this process
 * does not share it, and closing that does not end it. */
static struct flock whole_file(short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

static void read_lock(int file, int64_t *pid, uint64_t *saves)
{
    char text[LOCK_TEXT_SIZE + 1] = "";
    *pid = 0;
    *saves = 0;
    ssize_t size = pread(file, text, LOCK_TEXT_SIZE, 0);
    if (size > 0) {
        struct rf_str rest = {text, (size_t)size}, line;
        if (rf_str_split(&rest, '\n', &line) && rf_str_to_i64(rf_str_trim(line), pid) &&
            rf_str_split(&rest, '\n', &line) && rest.data != NULL) {
            rf_str_to_u64(rf_str_trim(line), saves);
        }
    }
}

static enum rf_status refuse_second(const struct rf_state_lock *lock, const char *name,
                                    const char *advice, struct rf_error *err)
{
    int64_t pid;
    uint64_t saves;
    read_lock(lock->file, &pid, &saves);
    rf_fail(err, RF_CONFIG, "the pipeline \"%s\" is running already, as process %" PRId64, name,
            pid);
    rf_error_hint(err, "%s", advice);
    return RF_CONFIG;
}

static void lock_close(struct rf_state_lock *lock)
{
    if (lock->file >= 0) {
        close(lock->file);
        lock->file = -1;
    }
}

/* Opens and locks the file that has that name now: between the two, its last owner may have
 * removed it. */
static enum rf_status open_and_lock(struct rf_state_lock *lock, const char *name,
                                    const char *advice, struct rf_error *err)
{
    const char *path = rf_buf_cstr(&lock->path);
    struct flock wanted = whole_file(F_WRLCK);
    struct stat info = {.st_nlink = 0};
    while (info.st_nlink == 0) {
        lock_close(lock);
        lock->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (lock->file < 0) {
            rf_fail(err, RF_CONFIG, "could not write %s: %s", path, strerror(errno));
            rf_error_hint(err, "the state of a pipeline needs a directory that can be written: "
                               "XDG_STATE_HOME says where");
            return RF_CONFIG;
        }
        if (fcntl(lock->file, F_OFD_SETLK, &wanted) != 0) {
            return errno == EAGAIN || errno == EACCES
                       ? refuse_second(lock, name, advice, err)
                       : rf_fail(err, RF_CONFIG, "could not lock %s: %s", path, strerror(errno));
        }
        if (fstat(lock->file, &info) != 0) {
            return rf_fail(err, RF_CONFIG, "could not read %s: %s", path, strerror(errno));
        }
    }
    return RF_OK;
}

enum rf_status rf_state_lock_take(struct rf_state_lock *lock, const char *path, const char *name,
                                  const char *advice, uint64_t *saves, struct rf_error *err)
{
    int64_t pid;
    enum rf_status status = make_directories(path, err);
    if (status == RF_OK) {
        lock_path(path, &lock->path);
        status = open_and_lock(lock, name, advice, err);
    }
    if (status == RF_OK) {
        read_lock(lock->file, &pid, saves);
    }
    return status;
}

void rf_state_lock_note(struct rf_state_lock *lock, uint64_t saves)
{
    char text[LOCK_TEXT_SIZE];
    int size = snprintf(text, sizeof text, "%-20lld\n%-20llu\n", (long long)getpid(),
                        (unsigned long long)saves);
    ssize_t written = pwrite(lock->file, text, (size_t)size, 0);
    (void)written;
}

void rf_state_lock_release(struct rf_state_lock *lock)
{
    lock_close(lock);
    rf_buf_deinit(&lock->path);
}

void rf_state_remove(const struct rf_state_lock *lock, const char *path)
{
    static const char *const tails[] = {"-wal",     "-shm",     ".new", ".new-journal",
                                        ".new-wal", ".new-shm", ""};
    struct rf_buf each = {0};
    if (lock->file >= 0) {
        for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
            rf_buf_reset(&each);
            rf_buf_printf(&each, "%s%s", path, tails[i]);
            unlink(rf_buf_cstr(&each));
        }
        unlink(lock->path.data);
    }
    rf_buf_deinit(&each);
}

bool rf_state_is_locked(const char *path)
{
    struct rf_buf beside = {0};
    struct flock held = whole_file(F_WRLCK);
    lock_path(path, &beside);
    int file = open(rf_buf_cstr(&beside), O_RDWR | O_CLOEXEC);
    bool locked = file >= 0 && fcntl(file, F_OFD_GETLK, &held) == 0 && held.l_type != F_UNLCK;
    if (file >= 0) {
        close(file);
    }
    rf_buf_deinit(&beside);
    return locked;
}

/* ------------------------------------------------------------------------------------- contents */

/* Source: the SQLite file format, section 1.3: a header of 100 bytes that begins with this text,
 * NUL included. */
enum rf_status rf_state_check_header(const char *path, struct rf_error *err)
{
    static const char magic[16] = "SQLite format 3";
    char header[100];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return rf_fail(err, RF_CONFIG, "could not read the state file %s: %s", path,
                       strerror(errno));
    }
    ssize_t size = read(file, header, sizeof header);
    enum rf_status status = RF_OK;
    if (size < 0) {
        status =
            rf_fail(err, RF_CONFIG, "could not read the state file %s: %s", path, strerror(errno));
    } else if ((size_t)size < sizeof header || memcmp(header, magic, sizeof magic) != 0) {
        rf_fail(err, RF_FATAL, "the state file %s is damaged: %s", path,
                size == 0 ? "it is empty" : "it is not a database");
        rf_error_hint(err, "restore it from a backup; or, to give up the positions in it, move it "
                           "away with its -wal and "
                           ".lock files and start anew with --from");
        status = RF_FATAL;
    }
    close(file);
    return status;
}

enum rf_status rf_state_begin(const char *path, const char *fresh, struct rf_error *err)
{
    static const char *const tails[] = {"-journal", "-wal", "-shm", ""};
    struct rf_buf each = {0};
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        rf_buf_reset(&each);
        rf_buf_printf(&each, "%s%s", fresh, tails[i]);
        unlink(rf_buf_cstr(&each));
        if (tails[i][0] != '\0') {
            /* A WAL that outlived its database would be played into the new one. */
            rf_buf_reset(&each);
            rf_buf_printf(&each, "%s%s", path, tails[i]);
            unlink(rf_buf_cstr(&each));
        }
    }
    int file = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        status = rf_fail(err, RF_CONFIG, "could not write %s: %s", fresh, strerror(errno));
    } else {
        close(file);
    }
    rf_buf_deinit(&each);
    return status;
}

enum rf_status rf_state_rename(const char *fresh, const char *path, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    int file = open(fresh, O_RDWR | O_CLOEXEC);
    if (file < 0 || fsync(file) != 0) {
        status = rf_fail(err, RF_FATAL, "could not sync %s: %s", fresh, strerror(errno));
    } else if (rename(fresh, path) != 0) {
        status = rf_fail(err, RF_FATAL, "could not give %s its name: %s", fresh, strerror(errno));
    } else {
        status = sync_directory_of(path, err);
    }
    if (file >= 0) {
        close(file);
    }
    return status;
}
