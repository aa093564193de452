#include "lib/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <rowferry/error.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAIRS_MAX = 16, PIECE_BYTES = 64 << 10 };

/* A connection: the client's side and the server's. */
struct pair {
    int client, server; /* -1: there is none */
    bool silent;
};

struct rf_test_relay {
    int listener;
    int stop[2]; /* a pipe: what is written ends the thread */
    uint16_t port, server_port;
    pthread_t thread;
    struct pair pairs[PAIRS_MAX];
    char piece[PIECE_BYTES];
    struct rf_buf out;

    pthread_mutex_t lock; /* of what follows */
    bool armed, struck, from_server;
    enum rf_test_injury injury;
    uint64_t left;
    rf_test_relay_filter *filter;
    void *argument;
};

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void close_pair(struct pair *pair)
{
    close(pair->client);
    close(pair->server);
    *pair = (struct pair){.client = -1, .server = -1};
}

static void accept_one(struct rf_test_relay *relay)
{
    struct sockaddr_in at = loopback(relay->server_port);
    int one = 1;
    size_t free_one = 0;
    while (free_one < PAIRS_MAX && relay->pairs[free_one].client >= 0) {
        free_one++;
    }
    rf_assert(free_one < PAIRS_MAX);
    struct pair pair = {.client = accept(relay->listener, NULL, NULL),
                        .server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    rf_assert(pair.client >= 0 && pair.server >= 0);
    (void)setsockopt(pair.client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)setsockopt(pair.server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(pair.server, (struct sockaddr *)&at, sizeof at) != 0) {
        close_pair(&pair);
    }
    relay->pairs[free_one] = pair;
}

/* Does to the piece what is armed for its place. Returns how much of it is to be carried. */
static size_t injure(struct rf_test_relay *relay, struct pair *pair, bool from_server, size_t size,
                     bool *cut)
{
    pthread_mutex_lock(&relay->lock);
    bool here = relay->armed && !relay->struck && relay->from_server == from_server;
    if (here && size <= relay->left) {
        relay->left -= size;
    } else if (here) {
        size_t at = (size_t)relay->left;
        relay->struck = true;
        switch (relay->injury) {
        case RF_INJURY_CUT:
            *cut = true;
            size = at;
            break;
        case RF_INJURY_SILENCE:
            pair->silent = true;
            size = at;
            break;
        case RF_INJURY_GARBAGE:
            for (; at < size; at++) {
                relay->piece[at] = (char)(0xa5 + at * 7);
            }
            break;
        case RF_INJURY_FLIP: relay->piece[at] ^= 0x10; break;
        }
    }
    pthread_mutex_unlock(&relay->lock);
    return size;
}

/* False when there is no filter; else what is to be carried is in relay->out. */
static bool sieve(struct rf_test_relay *relay, size_t size)
{
    pthread_mutex_lock(&relay->lock);
    bool there = relay->filter != NULL;
    if (there) {
        rf_buf_reset(&relay->out);
        relay->filter(relay->argument, (struct rf_str){relay->piece, size}, &relay->out);
    }
    pthread_mutex_unlock(&relay->lock);
    return there;
}

static bool send_all(int fd, const char *data, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t more = send(fd, data + sent, size - sent, MSG_NOSIGNAL);
        if (more < 0 && errno == EINTR) {
            continue;
        }
        if (more <= 0) {
            return false;
        }
        sent += (size_t)more;
    }
    return true;
}

/* True while the connection is to be kept. */
static bool carry(struct rf_test_relay *relay, struct pair *pair, bool from_server)
{
    int from = from_server ? pair->server : pair->client;
    int to = from_server ? pair->client : pair->server;
    bool cut = false;
    ssize_t got = read(from, relay->piece, sizeof relay->piece);
    if (got <= 0) {
        return false;
    }
    if (pair->silent) {
        return true;
    }
    if (from_server && sieve(relay, (size_t)got)) {
        return send_all(to, relay->out.data, relay->out.size);
    }
    size_t size = injure(relay, pair, from_server, (size_t)got, &cut);
    return send_all(to, relay->piece, size) && !cut;
}

static void *work(void *argument)
{
    struct rf_test_relay *relay = argument;
    for (;;) {
        struct pollfd polled[2 + 2 * PAIRS_MAX] = {{relay->stop[0], POLLIN, 0},
                                                   {relay->listener, POLLIN, 0}};
        for (size_t i = 0; i < PAIRS_MAX; i++) {
            polled[2 + 2 * i] = (struct pollfd){relay->pairs[i].client, POLLIN, 0};
            polled[3 + 2 * i] = (struct pollfd){relay->pairs[i].server, POLLIN, 0};
        }
        if (poll(polled, sizeof polled / sizeof *polled, -1) < 0) {
            rf_assert(errno == EINTR);
            continue;
        }
        if (polled[0].revents != 0) {
            return NULL;
        }
        for (size_t i = 0; i < PAIRS_MAX; i++) {
            struct pair *pair = &relay->pairs[i];
            if ((polled[2 + 2 * i].revents != 0 && !carry(relay, pair, false)) ||
                (polled[3 + 2 * i].revents != 0 && !carry(relay, pair, true))) {
                close_pair(pair);
            }
        }
        if (polled[1].revents != 0) {
            accept_one(relay);
        }
    }
}

struct rf_test_relay *rf_test_relay_start(uint16_t port)
{
    struct rf_test_relay *relay = calloc(1, sizeof *relay);
    struct sockaddr_in at = loopback(0);
    socklen_t size = sizeof at;
    rf_assert(relay != NULL);
    relay->server_port = port;
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        relay->pairs[i] = (struct pair){.client = -1, .server = -1};
    }
    relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    rf_assert(relay->listener >= 0);
    rf_assert(bind(relay->listener, (struct sockaddr *)&at, sizeof at) == 0);
    rf_assert(listen(relay->listener, PAIRS_MAX) == 0);
    rf_assert(getsockname(relay->listener, (struct sockaddr *)&at, &size) == 0);
    relay->port = ntohs(at.sin_port);
    rf_assert(pipe(relay->stop) == 0);
    rf_assert(pthread_mutex_init(&relay->lock, NULL) == 0);
    rf_assert(pthread_create(&relay->thread, NULL, work, relay) == 0);
    return relay;
}

uint16_t rf_test_relay_port(const struct rf_test_relay *relay)
{
    return relay->port;
}

void rf_test_relay_arm(struct rf_test_relay *relay, enum rf_test_injury injury, bool from_server,
                       uint64_t after)
{
    pthread_mutex_lock(&relay->lock);
    relay->armed = true;
    relay->struck = false;
    relay->injury = injury;
    relay->from_server = from_server;
    relay->left = after;
    pthread_mutex_unlock(&relay->lock);
}

bool rf_test_relay_disarm(struct rf_test_relay *relay)
{
    pthread_mutex_lock(&relay->lock);
    bool struck = relay->struck;
    relay->armed = false;
    pthread_mutex_unlock(&relay->lock);
    return struck;
}

void rf_test_relay_set_filter(struct rf_test_relay *relay, rf_test_relay_filter *filter,
                              void *argument)
{
    pthread_mutex_lock(&relay->lock);
    relay->filter = filter;
    relay->argument = argument;
    pthread_mutex_unlock(&relay->lock);
}

void rf_test_relay_stop(struct rf_test_relay *relay)
{
    rf_assert(write(relay->stop[1], "", 1) == 1);
    rf_assert(pthread_join(relay->thread, NULL) == 0);
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        if (relay->pairs[i].client >= 0) {
            close_pair(&relay->pairs[i]);
        }
    }
    close(relay->listener);
    close(relay->stop[0]);
    close(relay->stop[1]);
    pthread_mutex_destroy(&relay->lock);
    rf_buf_deinit(&relay->out);
    free(relay);
}
