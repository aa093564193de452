#include "container/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH_MAX = 64 };

static enum rf_status fail(const char *path, const char *name, struct rf_error *err)
{
    return rf_fail(err, RF_CONFIG, "could not remove %s in %s: %s", name, path, strerror(errno));
}

static enum rf_status empty(int directory, const char *path, const char *kept, int depth,
                            struct rf_error *err);

/* An entry that vanishes by itself is as good as removed. */
static enum rf_status remove_entry(int directory, const char *name, const char *path, int depth,
                                   struct rf_error *err)
{
    if (unlinkat(directory, name, 0) == 0 || errno == ENOENT) {
        return RF_OK;
    }
    if (errno != EISDIR && errno != EPERM) {
        return fail(path, name, err);
    }
    int inner = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner < 0) {
        return fail(path, name, err);
    }
    enum rf_status status = empty(inner, path, NULL, depth + 1, err);
    close(inner);
    if (status == RF_OK && unlinkat(directory, name, AT_REMOVEDIR) != 0 && errno != ENOENT) {
        status = fail(path, name, err);
    }
    return status;
}

static enum rf_status empty(int directory, const char *path, const char *kept, int depth,
                            struct rf_error *err)
{
    int copy = depth < DEPTH_MAX ? fcntl(directory, F_DUPFD_CLOEXEC, 0) : -1;
    DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
    enum rf_status status = RF_OK;
    struct dirent *entry;

    if (entries == NULL) {
        status = rf_fail(err, RF_CONFIG, "could not look into %s: %s", path,
                         depth < DEPTH_MAX ? strerror(errno) : "too many levels of directories");
        if (copy >= 0) {
            close(copy);
        }
        return status;
    }
    rewinddir(entries);
    while (status == RF_OK && (entry = readdir(entries)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
            (kept == NULL || strcmp(name, kept) != 0)) {
            status = remove_entry(directory, name, path, depth, err);
        }
    }
    closedir(entries);
    return status;
}

enum rf_status rf_tree_empty(int directory, const char *path, const char *kept,
                             struct rf_error *err)
{
    return empty(directory, path, kept, 0, err);
}
