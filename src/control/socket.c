#include "control/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 8 };

static int fail(int file)
{
    int number = errno;
    if (file >= 0) {
        close(file);
    }
    errno = number;
    return -1;
}

static int make_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Bound under a name that nobody knows, in the directory, with the rights that it is to have. */
static int bind_aside(int file, int directory, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int size =
        snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory, name);
    rf_assert(size > 0 && (size_t)size < sizeof address.sun_path);
    if (fchmod(file, 0600) != 0 ||
        bind(file, (const struct sockaddr *)&address, sizeof address) != 0) {
        return -1;
    }
    return fchmodat(directory, name, 0600, 0);
}

static int listen_in(int directory, const char *name)
{
    char aside[40];
    uint64_t number = 0;
    int file = make_socket();
    if (file < 0 || getrandom(&number, sizeof number, 0) != sizeof number) {
        return fail(file);
    }
    snprintf(aside, sizeof aside, ".%016" PRIx64 ".sock", number);
    if (bind_aside(file, directory, aside) != 0 || listen(file, BACKLOG) != 0 ||
        renameat(directory, aside, directory, name) != 0) {
        int why = errno;
        unlinkat(directory, aside, 0);
        errno = why;
        return fail(file);
    }
    return file;
}

int rf_socket_listen(const char *path, struct rf_error *err)
{
    const char *slash = strrchr(path, '/');
    struct rf_str parent = slash == NULL   ? RF_STR(".")
                           : slash == path ? RF_STR("/")
                                           : (struct rf_str){path, (size_t)(slash - path)};
    char *copy = rf_str_dup(parent);
    int file = -1, directory = open(copy, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0) {
        file = listen_in(directory, slash ? slash + 1 : path);
    }
    if (file < 0) {
        rf_fail(err, RF_CONFIG, "could not make the socket %s: %s", path, strerror(errno));
    }
    if (directory >= 0) {
        close(directory);
    }
    free(copy);
    return file;
}

int rf_control_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int place = open(path, O_PATH | O_CLOEXEC);
    if (place < 0) {
        return -1;
    }
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", place);
    int file = make_socket();
    if (file < 0 || connect(file, (const struct sockaddr *)&address, sizeof address) != 0) {
        file = fail(file);
    }
    int why = errno;
    close(place);
    errno = why;
    return file;
}
