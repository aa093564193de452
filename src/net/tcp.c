#include "net/tcp.h"

#include "base/clock.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static enum rf_status unreachable(const char *peer, const char *why, int code, struct rf_error *err)
{
    rf_fail(err, RF_RETRY, "could not connect to %s: %s", peer, why);
    if (err != NULL) {
        err->connect = true;
        err->code = code;
    }
    return RF_RETRY;
}

/* 0, or the errno of the failure; ECANCELED: interrupted. */
static int wait_connected(int fd, int64_t deadline_ms, const atomic_bool *interrupted)
{
    for (;;) {
        if (atomic_load(interrupted)) {
            return ECANCELED;
        }
        struct pollfd wait = {fd, POLLOUT, 0};
        int count = poll(&wait, 1, RF_TCP_SLICE_MS);
        if (count > 0) {
            int code = 0;
            socklen_t size = sizeof code;
            return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) ? errno : code;
        }
        if (count < 0 && errno != EINTR) {
            return errno;
        }
        if (rf_clock_ms() >= deadline_ms) {
            return ETIMEDOUT;
        }
    }
}

static int connect_one(const struct addrinfo *address, int64_t deadline_ms,
                       const atomic_bool *interrupted, int *out)
{
    int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    int code = connect(fd, address->ai_addr, address->ai_addrlen) ? errno : 0;
    if (code == EINPROGRESS || code == EINTR) {
        code = wait_connected(fd, deadline_ms, interrupted);
    }
    if (code != 0) {
        close(fd);
        return code;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    *out = fd;
    return 0;
}

enum rf_status rf_tcp_connect(const char *host, uint16_t port, const char *peer,
                              int64_t deadline_ms, const atomic_bool *interrupted, int *fd,
                              struct rf_error *err)
{
    char text[8];
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *found = NULL;
    snprintf(text, sizeof text, "%u", port);
    int failure = getaddrinfo(host, text, &wanted, &found);
    if (failure != 0) {
        return unreachable(peer, gai_strerror(failure), 0, err);
    }
    int code = EADDRNOTAVAIL;
    for (const struct addrinfo *one = found; one != NULL; one = one->ai_next) {
        code = connect_one(one, deadline_ms, interrupted, fd);
        if (code == 0 || code == ECANCELED) {
            break;
        }
    }
    freeaddrinfo(found);
    if (code == ECANCELED) {
        return rf_fail(err, RF_RETRY, "the connection to %s was interrupted", peer);
    }
    return code == 0 ? RF_OK : unreachable(peer, strerror(code), code, err);
}
