/* The passwords of a home, and who else may read one. */
#include "container/home.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_BYTES = 20, SECRET_SIZE_MAX = 256 };

static void path_of(const struct rf_home *home, const char *user, struct rf_buf *out)
{
    rf_buf_printf(out, "%s/secrets/%s", home->path.data, user);
    rf_buf_cstr(out);
}

static enum rf_status draw(struct rf_buf *out, struct rf_error *err)
{
    unsigned char bytes[SECRET_BYTES];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        return rf_fail(err, RF_CONFIG, "could not make a password: %s", strerror(errno));
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        rf_buf_printf(out, "%02x", bytes[i]);
    }
    return RF_OK;
}

static enum rf_status make_secret(const char *path, struct rf_error *err)
{
    struct rf_buf text = {0};
    enum rf_status status = RF_OK;

    if (access(path, F_OK) != 0) {
        status = draw(&text, err);
        rf_buf_add_byte(&text, '\n');
        if (status == RF_OK) {
            status = rf_file_replace(path, rf_buf_str(&text), 0600, geteuid(), getegid(), err);
        }
    }
    rf_buf_wipe(&text);
    return status;
}

enum rf_status rf_home_make_secrets(const struct rf_home *home, const char *const *users,
                                    struct rf_error *err)
{
    struct rf_buf path = {0};
    enum rf_status status = RF_OK;

    if (mkdir(rf_home_file(home, "secrets", &path), 0700) != 0 && errno != EEXIST) {
        status = rf_fail(err, RF_CONFIG, "could not make %s: %s", path.data, strerror(errno));
    }
    for (; status == RF_OK && *users != NULL; users++) {
        rf_buf_reset(&path);
        path_of(home, *users, &path);
        status = make_secret(path.data, err);
    }
    rf_buf_deinit(&path);
    return status;
}

enum rf_status rf_home_secret(const struct rf_home *home, const char *user, struct rf_buf *out,
                              struct rf_error *err)
{
    struct rf_buf path = {0};
    char text[SECRET_SIZE_MAX];
    enum rf_status status = RF_OK;

    path_of(home, user, &path);
    int file = open(path.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t size = file >= 0 ? read(file, text, sizeof text) : -1;
    struct rf_str secret = {text, size > 0 ? (size_t)size : 0};
    secret = rf_str_trim(secret);
    if (size < 0) {
        status = rf_fail(err, RF_CONFIG, "could not read the password of %s in %s: %s", user,
                         path.data, strerror(errno));
        rf_error_hint(err, errno == EACCES ? "be the user who made the container"
                                           : "delete the container and create it again");
    } else if (secret.size == 0) {
        status = rf_fail(err, RF_CONFIG, "the password of %s in %s is empty", user, path.data);
        rf_error_hint(err, "delete the container and create it again");
    } else {
        rf_buf_add_str(out, secret);
        rf_buf_cstr(out);
    }
    if (file >= 0) {
        close(file);
    }
    explicit_bzero(text, sizeof text);
    rf_buf_deinit(&path);
    return status;
}

enum rf_status rf_home_server_user(unsigned *uid, unsigned *gid, struct rf_error *err)
{
    struct passwd entry, *found = NULL;
    char text[4096];

    *uid = geteuid();
    *gid = getegid();
    if (*uid != 0) {
        return RF_OK;
    }
    if (getpwnam_r("nobody", &entry, text, sizeof text, &found) != 0 || found == NULL) {
        rf_fail(err, RF_CONFIG, "there is no user 'nobody', as whom servers run for root");
        rf_error_hint(err, "add one, or do this as another user than root");
        return RF_CONFIG;
    }
    *uid = found->pw_uid;
    *gid = found->pw_gid;
    return RF_OK;
}
