#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum rf_status rf_file_replace(const char *path, struct rf_str text, mode_t mode, unsigned uid,
                               unsigned gid, struct rf_error *err)
{
    struct rf_buf fresh = {0};
    enum rf_status status = RF_OK;

    rf_buf_printf(&fresh, "%s.new", path);
    rf_buf_cstr(&fresh);
    unlink(fresh.data);
    int file = open(fresh.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0 || write(file, text.data, text.size) != (ssize_t)text.size ||
        fchown(file, uid, gid) != 0 || fchmod(file, mode) != 0 || fsync(file) != 0 ||
        rename(fresh.data, path) != 0) {
        status = rf_fail(err, RF_CONFIG, "could not write %s: %s", path, strerror(errno));
        if (errno == ENOSPC || errno == EDQUOT) {
            rf_error_hint(err, "make room on that disk");
        }
        unlink(fresh.data);
    }
    if (file >= 0) {
        close(file);
    }
    rf_buf_deinit(&fresh);
    return status;
}
