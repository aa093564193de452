#include "container/hold.h"

#include "base/file.h"
#include "container/type.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY "pipeline"
#define HOLDER    "holder" /* "scheduler (pid 4711)" */

enum { HOLDER_SIZE_MAX = 100 };

static int open_directory(const struct rf_buf *path)
{
    return open(path->data, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Appends who wrote there that it has the hold. */
static void read_holder(int directory, struct rf_buf *out)
{
    char text[HOLDER_SIZE_MAX];
    int file = openat(directory, HOLDER, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t size = file >= 0 ? read(file, text, sizeof text) : 0;
    struct rf_str holder = rf_str_trim((struct rf_str){text, size > 0 ? (size_t)size : 0});

    rf_buf_add_str(out, holder.size > 0 ? holder : RF_STR("somebody"));
    if (file >= 0) {
        close(file);
    }
}

static enum rf_status write_holder(const struct rf_hold *hold, const char *who,
                                   struct rf_error *err)
{
    struct rf_buf path = {0}, text = {0};

    rf_buf_printf(&path, "%s/" HOLDER, hold->path.data);
    rf_buf_printf(&text, "%s (pid %lld)\n", who, (long long)getpid());
    enum rf_status status =
        rf_file_replace(rf_buf_cstr(&path), rf_buf_str(&text), 0600, geteuid(), getegid(), err);
    rf_buf_deinit(&path);
    rf_buf_deinit(&text);
    return status;
}

/* The directory that we have locked is the one that is there. */
static bool is_held(const struct rf_hold *hold)
{
    struct stat held, there;

    return hold->lock > 0 && fstat(hold->lock - 1, &held) == 0 &&
           lstat(hold->path.data, &there) == 0 && held.st_ino == there.st_ino &&
           held.st_dev == there.st_dev;
}

static enum rf_status lock(struct rf_hold *hold, const char *who, struct rf_error *err)
{
    struct rf_buf holder = {0};
    int file = open_directory(&hold->path);
    enum rf_status status = RF_OK;

    if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0) {
        hold->lock = file + 1;
        return write_holder(hold, who, err);
    }
    if (file >= 0 && errno == EWOULDBLOCK) {
        read_holder(file, &holder);
        status = rf_fail(err, RF_CONFIG, "another %s runs already: %.*s", who,
                         RF_STR_ARG(rf_buf_str(&holder)));
    } else {
        status = rf_fail(err, RF_CONFIG, "could not lock its directory: %s", strerror(errno));
    }
    rf_error_hint(err, "its files are in %s", hold->path.data);
    rf_buf_deinit(&holder);
    if (file >= 0) {
        close(file);
    }
    return status;
}

enum rf_status rf_hold_take(struct rf_hold *hold, const char *container, const char *who,
                            struct rf_error *err)
{
    struct rf_home home = {0};

    if (is_held(hold)) {
        return RF_OK;
    }
    rf_hold_release(hold);
    /* With the home's lock, so that it is not deleted meanwhile. */
    enum rf_status status = rf_home_open(&home, container, false, err);
    if (status == RF_OK && home.settings.type[0] == '\0') {
        status = RF_AGAIN;
    }
    if (status == RF_OK) {
        rf_home_file(&home, DIRECTORY, &hold->path);
        if (mkdir(hold->path.data, 0700) != 0 && errno != EEXIST) {
            status =
                rf_fail(err, RF_CONFIG, "could not make %s: %s", hold->path.data, strerror(errno));
        }
    }
    if (status == RF_OK) {
        status = lock(hold, who, err);
    }
    rf_home_close(&home);
    return status;
}

void rf_hold_release(struct rf_hold *hold)
{
    if (hold->lock > 0) {
        close(hold->lock - 1);
    }
    rf_buf_deinit(&hold->path);
    *hold = (struct rf_hold){0};
}

bool rf_hold_holder(const char *container, struct rf_buf *who)
{
    struct rf_buf path = {0};
    bool held = false;

    if (rf_home_root(&path, NULL) == RF_OK) {
        rf_buf_printf(&path, "/%s/" DIRECTORY, container);
        rf_buf_cstr(&path);
        int file = open_directory(&path);
        held = file >= 0 && flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
        if (held) {
            read_holder(file, who);
        }
        if (file >= 0) {
            close(file);
        }
    }
    rf_buf_deinit(&path);
    return held;
}

enum rf_status rf_hold_check(struct rf_error *err)
{
    struct rf_buf holder = {0};
    enum rf_status status = RF_OK;

    for (size_t i = 0; status == RF_OK && rf_container_types[i] != NULL; i++) {
        if (rf_hold_holder(rf_container_types[i]->server, &holder)) {
            status = rf_fail(err, RF_CONFIG, "%.*s works with the containers",
                             RF_STR_ARG(rf_buf_str(&holder)));
            rf_error_hint(err, "end it first, with Ctrl-C or SIGTERM: its positions would be "
                               "deleted under it");
        }
    }
    rf_buf_deinit(&holder);
    return status;
}
