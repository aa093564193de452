#include "container/home.h"

#include "base/file.h"
#include "container/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK       "container"
#define MARK_TITLE "A container of rowferry: 'rowferry container' looks after it."

enum { MARK_SIZE_MAX = 4096 };

/* ---- Where homes are ------------------------------------------------------------------------- */

enum rf_status rf_home_root(struct rf_buf *out, struct rf_error *err)
{
    const char *chosen = getenv("ROWFERRY_CONTAINERS");
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");

    if (chosen != NULL && chosen[0] == '/') {
        rf_buf_printf(out, "%s", chosen);
    } else if (chosen != NULL && chosen[0] != '\0') {
        char *here = realpath(".", NULL);
        rf_buf_printf(out, "%s/%s", here != NULL ? here : "", chosen);
        free(here);
    } else if (geteuid() == 0) {
        rf_buf_printf(out, "/var/lib/rowferry/containers");
    } else if (state != NULL && state[0] == '/') {
        rf_buf_printf(out, "%s/rowferry/containers", state);
    } else if (home != NULL && home[0] == '/') {
        rf_buf_printf(out, "%s/.local/state/rowferry/containers", home);
    } else {
        rf_fail(err, RF_CONFIG,
                "there is no place for containers: neither XDG_STATE_HOME nor HOME "
                "is set");
        rf_error_hint(err, "ROWFERRY_CONTAINERS=DIRECTORY names one");
        return RF_CONFIG;
    }
    rf_buf_cstr(out);
    return RF_OK;
}

/* With its parents; who is not us has to reach what is in them, whatever our umask is. */
static enum rf_status make_directories(const char *path, struct rf_error *err)
{
    char *copy = rf_str_dup(rf_str_of(path));
    enum rf_status status = RF_OK;

    for (char *at = copy + 1; status == RF_OK && at != NULL;) {
        at = strchr(at, '/');
        if (at != NULL) {
            *at = '\0';
        }
        if (mkdir(copy, 0755) == 0) {
            if (chmod(copy, 0755) != 0) {
                status = rf_fail(err, RF_CONFIG, "could not open %s to servers: %s", copy,
                                 strerror(errno));
            }
        } else if (errno != EEXIST) {
            status = rf_fail(err, RF_CONFIG, "could not make the directory %s: %s", copy,
                             strerror(errno));
        }
        if (at != NULL) {
            *at++ = '/';
        }
    }
    free(copy);
    return status;
}

/* ---- The mark -------------------------------------------------------------------------------- */

static void set_text(char *out, size_t size, struct rf_str value)
{
    snprintf(out, size, "%.*s", RF_STR_ARG(value));
}

static bool take_setting(struct rf_home_settings *settings, struct rf_str name, struct rf_str value)
{
    uint64_t number = 0;

    if (rf_str_equal(name, RF_STR("type"))) {
        set_text(settings->type, sizeof settings->type, value);
    } else if (rf_str_equal(name, RF_STR("runtime"))) {
        set_text(settings->runtime, sizeof settings->runtime, value);
    } else if (rf_str_equal(name, RF_STR("server"))) {
        set_text(settings->server, sizeof settings->server, value);
    } else if (rf_str_equal(name, RF_STR("image"))) {
        set_text(settings->image, sizeof settings->image, value);
    } else if (rf_str_equal(name, RF_STR("port"))) {
        if (!rf_str_to_u64(value, &number) || number == 0 || number > UINT16_MAX) {
            return false;
        }
        settings->port = (uint16_t)number;
    } else if (rf_str_equal(name, RF_STR("memory"))) {
        return rf_str_to_i64(value, &settings->memory_bytes) && settings->memory_bytes >= 0;
    }
    return true; /* a later version may know more of it */
}

bool rf_home_is_native(const struct rf_home *home)
{
    return home->settings.runtime[0] == '\0' || strcmp(home->settings.runtime, "native") == 0;
}

static enum rf_status fail_foreign(const struct rf_home *home, const char *why,
                                   struct rf_error *err)
{
    rf_fail(err, RF_CONFIG, "%s is there already and is not ours: %s", home->path.data, why);
    rf_error_hint(err, "move it away, or have containers elsewhere: ROWFERRY_CONTAINERS=DIRECTORY");
    return RF_CONFIG;
}

static enum rf_status parse_mark(struct rf_home *home, struct rf_str text, struct rf_error *err)
{
    struct rf_str line, name;

    if (!rf_str_split(&text, '\n', &line) || !rf_str_equal(line, RF_STR(MARK_TITLE))) {
        return fail_foreign(home, "its file '" MARK "' was written by somebody else", err);
    }
    while (rf_str_split(&text, '\n', &line)) {
        struct rf_str value = line;
        if (rf_str_split(&value, ' ', &name) && name.size > 0 &&
            !take_setting(&home->settings, name, rf_str_trim(value))) {
            rf_fail(err, RF_CONFIG, "%s/" MARK ": '%.*s' cannot be read", home->path.data,
                    RF_STR_ARG(line));
            rf_error_hint(err, "mend the line by hand");
            return RF_CONFIG;
        }
    }
    return RF_OK;
}

static bool is_empty(const char *path)
{
    DIR *entries = opendir(path);
    bool empty = entries != NULL;
    struct dirent *entry;

    while (empty && (entry = readdir(entries)) != NULL) {
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    }
    if (entries != NULL) {
        closedir(entries);
    }
    return empty;
}

/* Returns RF_OK; RF_AGAIN: the directory is there, and empty; RF_CONFIG. */
static enum rf_status read_mark(struct rf_home *home, struct rf_error *err)
{
    struct rf_buf path = {0};
    char text[MARK_SIZE_MAX];
    struct stat stat;
    enum rf_status status = RF_OK;
    int file = open(rf_home_file(home, MARK, &path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    memset(&home->settings, 0, sizeof home->settings);
    if (file < 0 && errno == ENOENT) {
        status = is_empty(home->path.data) ? RF_AGAIN
                                           : fail_foreign(home, "it has no file '" MARK "'", err);
        goto done;
    }
    ssize_t size = file >= 0 ? read(file, text, sizeof text) : -1;
    if (size < 0 || fstat(file, &stat) != 0) {
        status = rf_fail(err, RF_CONFIG, "could not read %s: %s", path.data, strerror(errno));
    } else if (stat.st_uid != geteuid()) {
        status = rf_fail(err, RF_CONFIG, "%s belongs to another user", home->path.data);
        rf_error_hint(err,
                      "be that user (number %u), or have containers elsewhere: "
                      "ROWFERRY_CONTAINERS=DIRECTORY",
                      stat.st_uid);
    } else {
        status = parse_mark(home, (struct rf_str){text, (size_t)size}, err);
    }

done:
    if (file >= 0) {
        close(file);
    }
    rf_buf_deinit(&path);
    return status;
}

enum rf_status rf_home_mark(struct rf_home *home, struct rf_error *err)
{
    struct rf_buf path = {0}, text = {0};
    const struct rf_home_settings *settings = &home->settings;

    rf_assert(home->lock > 0);
    rf_buf_printf(&text, "%s\ntype %s\nruntime %s\nport %u\n", MARK_TITLE, settings->type,
                  settings->runtime, settings->port);
    if (settings->memory_bytes > 0) {
        rf_buf_printf(&text, "memory %lld\n", (long long)settings->memory_bytes);
    }
    if (settings->server[0] != '\0') {
        rf_buf_printf(&text, "server %s\n", settings->server);
    }
    if (settings->image[0] != '\0') {
        rf_buf_printf(&text, "image %s\n", settings->image);
    }
    enum rf_status status = rf_file_replace(rf_home_file(home, MARK, &path), rf_buf_str(&text),
                                            0644, geteuid(), getegid(), err);
    rf_buf_deinit(&path);
    rf_buf_deinit(&text);
    return status;
}

/* ---- Finding, making, removing --------------------------------------------------------------- */

static enum rf_status set_path(struct rf_home *home, const char *name, struct rf_error *err)
{
    rf_home_close(home);
    enum rf_status status = rf_home_root(&home->path, err);
    if (status == RF_OK) {
        rf_buf_printf(&home->path, "/%s", name);
        rf_buf_cstr(&home->path);
    }
    return status;
}

enum rf_status rf_home_find(struct rf_home *home, const char *name, struct rf_error *err)
{
    struct stat stat;
    enum rf_status status = set_path(home, name, err);

    if (status != RF_OK) {
        return status;
    }
    if (lstat(home->path.data, &stat) != 0) {
        return errno == ENOENT || errno == ENOTDIR
                   ? RF_AGAIN
                   : rf_fail(err, RF_CONFIG, "could not look at %s: %s", home->path.data,
                             strerror(errno));
    }
    if (!S_ISDIR(stat.st_mode)) {
        return fail_foreign(home, "it is no directory", err);
    }
    return read_mark(home, err);
}

/* Opens the directory and takes its lock. RF_AGAIN: it was removed before we had the lock. */
static enum rf_status lock(struct rf_home *home, struct rf_error *err)
{
    struct stat held, there;
    int file = open(home->path.data, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (file < 0 && errno == ENOENT) {
        return RF_AGAIN;
    }
    if (file < 0 && (errno == ENOTDIR || errno == ELOOP)) {
        return fail_foreign(home, "it is no directory", err);
    }
    if (file < 0 || flock(file, LOCK_EX) != 0 || fstat(file, &held) != 0) {
        rf_fail(err, RF_CONFIG, "could not lock %s: %s", home->path.data, strerror(errno));
        if (file >= 0) {
            close(file);
        }
        return RF_CONFIG;
    }
    if (lstat(home->path.data, &there) != 0 || there.st_ino != held.st_ino ||
        there.st_dev != held.st_dev) {
        close(file);
        return RF_AGAIN;
    }
    home->lock = file + 1;
    return RF_OK;
}

enum rf_status rf_home_open(struct rf_home *home, const char *name, bool make, struct rf_error *err)
{
    enum rf_status status = set_path(home, name, err);

    while (status == RF_OK && home->lock == 0) {
        status = make ? make_directories(home->path.data, err) : RF_OK;
        if (status == RF_OK) {
            status = lock(home, err);
        }
        if (status == RF_AGAIN && make) {
            status = RF_OK; /* another program has just removed it: once more */
        }
    }
    if (status != RF_OK) {
        return status;
    }
    status = read_mark(home, err);
    return status == RF_AGAIN ? RF_OK : status; /* empty: made just now, or cut short before */
}

/* What an earlier removal has left of its own. */
static void clear_removed(const char *path)
{
    struct stat stat;
    int file = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (file >= 0 && fstat(file, &stat) == 0 && stat.st_uid == geteuid() &&
        rf_tree_empty(file, path, NULL, NULL) == RF_OK) {
        rmdir(path);
    }
    if (file >= 0) {
        close(file);
    }
}

enum rf_status rf_home_remove(struct rf_home *home, struct rf_error *err)
{
    struct rf_buf gone = {0};

    rf_assert(home->lock > 0);
    rf_buf_printf(&gone, "%s.removed", home->path.data);
    rf_buf_cstr(&gone);
    enum rf_status status = rf_tree_empty(home->lock - 1, home->path.data, MARK, err);
    if (status != RF_OK) {
        goto done;
    }
    clear_removed(gone.data);
    if (rename(home->path.data, gone.data) != 0) {
        status = rf_fail(err, RF_CONFIG, "could not move %s to %s: %s", home->path.data, gone.data,
                         strerror(errno));
        goto done;
    }
    status = rf_tree_empty(home->lock - 1, gone.data, NULL, err);
    if (status == RF_OK && rmdir(gone.data) != 0) {
        status = rf_fail(err, RF_CONFIG, "could not remove %s: %s", gone.data, strerror(errno));
    }

done:
    rf_buf_deinit(&gone);
    return status;
}

void rf_home_close(struct rf_home *home)
{
    if (home->lock > 0) {
        close(home->lock - 1);
    }
    rf_buf_deinit(&home->path);
    memset(home, 0, sizeof *home);
}

/* ---- Files in it ----------------------------------------------------------------------------- */

const char *rf_home_file(const struct rf_home *home, const char *name, struct rf_buf *out)
{
    rf_buf_printf(out, "%s/%s", home->path.data, name);
    return rf_buf_cstr(out);
}

enum rf_status rf_home_give(const struct rf_home *home, const char *name, struct rf_str text,
                            struct rf_error *err)
{
    struct rf_buf path = {0};
    unsigned uid, gid;
    enum rf_status status = rf_home_server_user(&uid, &gid, err);

    if (status == RF_OK) {
        status = rf_file_replace(rf_home_file(home, name, &path), text, 0600, uid, gid, err);
    }
    rf_buf_deinit(&path);
    return status;
}

enum rf_status rf_home_keep(const struct rf_home *home, const char *name, struct rf_str text,
                            struct rf_error *err)
{
    struct rf_buf path = {0};
    enum rf_status status =
        rf_file_replace(rf_home_file(home, name, &path), text, 0600, geteuid(), getegid(), err);

    rf_buf_deinit(&path);
    return status;
}
