#include "lib/mongo_script_own.h"

#include "base/memory.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Below the ports that the kernel gives to outgoing connections, so that none of these takes it
 * while the server is away. */
enum { PORT_MIN = 20000, PORT_RANGE = 12000, PORT_TRIES = 200, BACKLOG = 64 };

/* One connection and its thread. */
struct peer {
    struct peer *next;
    struct rf_mongo_script_client client;
    int fd;
    SSL *tls; /* NULL: plain */
    pthread_t thread;
    bool done; /* its thread is at its end */
};

/* ---------------------------------------------------------------------------------------- bytes */

/* False: the other side, or stop, has ended it. */
static bool read_all(struct peer *peer, char *data, size_t size)
{
    while (size > 0) {
        ssize_t got = peer->tls ? SSL_read(peer->tls, data, size < 65536 ? (int)size : 65536)
                                : recv(peer->fd, data, size, 0);
        if (got <= 0) {
            return false;
        }
        data += got;
        size -= (size_t)got;
    }
    return true;
}

static bool write_all(struct peer *peer, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = peer->tls ? SSL_write(peer->tls, data, size < 65536 ? (int)size : 65536)
                                 : send(peer->fd, data, size, 0);
        if (sent <= 0) {
            return false;
        }
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* Reads one message; false: there is none any more, or what came is none. */
static bool read_message(struct peer *peer, struct rf_buf *buf, struct rf_error *err)
{
    size_t size;
    rf_buf_reset(buf);
    char *data = rf_buf_reserve(buf, RF_MONGO_SCRIPT_HEADER);
    if (!read_all(peer, data, RF_MONGO_SCRIPT_HEADER) ||
        rf_mongo_script_length(data, &size, err) != RF_OK) {
        return false;
    }
    buf->size = RF_MONGO_SCRIPT_HEADER;
    data = rf_buf_reserve(buf, size - buf->size);
    if (!read_all(peer, data, size - buf->size)) {
        return false;
    }
    buf->size = size;
    return true;
}

static void converse(struct peer *peer)
{
    struct rf_buf in = {0}, out = {0};
    struct rf_error err = {0};
    enum rf_mongo_script_outcome outcome = RF_MONGO_SCRIPT_GOES_ON;
    while (outcome == RF_MONGO_SCRIPT_GOES_ON && read_message(peer, &in, &err)) {
        struct rf_mongo_script_request request;
        if (rf_mongo_script_parse(rf_buf_str(&in), &request, &err) != RF_OK) {
            break;
        }
        rf_buf_reset(&out);
        outcome = rf_mongo_script_take(&peer->client, &request, &out);
        bson_destroy(&request.command);
        if (!write_all(peer, out.data, out.size)) {
            break;
        }
    }
    if (outcome == RF_MONGO_SCRIPT_RESETS) {
        static const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
        rf_assert(connect(peer->fd, &nobody, sizeof nobody) == 0);
    }
    if (err.status != RF_OK) {
        struct rf_mongo_script *script = peer->client.script;
        pthread_mutex_lock(&script->set->lock);
        snprintf(script->complaint, sizeof script->complaint, "%.200s", err.message);
        pthread_mutex_unlock(&script->set->lock);
    }
    rf_buf_deinit(&in);
    rf_buf_deinit(&out);
}

static void *run_peer(void *argument)
{
    struct peer *peer = argument;
    struct rf_mongo_script *script = peer->client.script;
    if (peer->tls == NULL || SSL_accept(peer->tls) == 1) {
        converse(peer);
    }
    ERR_clear_error();
    /* The descriptor is closed when the thread has been waited for: nobody may shut another one. */
    shutdown(peer->fd, SHUT_RDWR);
    pthread_mutex_lock(&script->set->lock);
    peer->done = true;
    pthread_mutex_unlock(&script->set->lock);
    return NULL;
}

/* ---------------------------------------------------------------------------------- connections */

/* No signal is for these threads: those of the test, and SIGPIPE. */
static void start_thread(pthread_t *thread, void *(*run)(void *), void *argument)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rf_assert(pthread_create(thread, NULL, run, argument) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void destroy_peer(struct peer *peer)
{
    pthread_join(peer->thread, NULL);
    SSL_free(peer->tls);
    close(peer->fd);
    rf_mongo_script_login_deinit(&peer->client.login);
    free(peer);
}

/* Those that have ended, or all. Without the lock. */
static void reap(struct rf_mongo_script *script, bool all)
{
    for (struct peer **place = &script->peers; *place != NULL;) {
        struct peer *peer = *place;
        pthread_mutex_lock(&script->set->lock);
        bool ends = all || peer->done;
        if (ends) {
            *place = peer->next;
        }
        pthread_mutex_unlock(&script->set->lock);
        if (ends) {
            destroy_peer(peer);
        } else {
            place = &peer->next;
        }
    }
}

static void take_connection(struct rf_mongo_script *script, int fd)
{
    struct peer *peer = rf_alloc_zero(1, sizeof *peer);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    peer->fd = fd;
    peer->client.script = script;
    peer->client.login.user = script->set->user;
    peer->client.login.password = script->set->password;
    if (script->tls != NULL) {
        peer->tls = SSL_new(script->tls);
        rf_assert(peer->tls != NULL && SSL_set_fd(peer->tls, fd) == 1);
    }
    pthread_mutex_lock(&script->set->lock);
    peer->client.id = (int32_t)++script->connection_count;
    peer->next = script->peers;
    script->peers = peer;
    start_thread(&peer->thread, run_peer, peer);
    pthread_cond_broadcast(&script->set->changed);
    pthread_mutex_unlock(&script->set->lock);
}

static void *accept_peers(void *argument)
{
    struct rf_mongo_script *script = argument;
    for (int fd; (fd = accept4(script->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
        reap(script, false);
        take_connection(script, fd);
    }
    return NULL;
}

/* -------------------------------------------------------------------------------- begin and end */

static bool bind_to(int fd, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, BACKLOG) == 0;
}

static uint16_t any_port(void)
{
    uint32_t number;
    rf_assert(getentropy(&number, sizeof number) == 0);
    return (uint16_t)(PORT_MIN + number % PORT_RANGE);
}

void rf_mongo_script_listen(struct rf_mongo_script *script)
{
    bool bound = false;
    int tries = script->port != 0 ? 1 : PORT_TRIES;
    uint16_t port = script->port;
    for (int i = 0; i < tries && !bound; i++) {
        int on = 1;
        port = script->port != 0 ? script->port : any_port();
        script->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        rf_assert(script->listener >= 0);
        setsockopt(script->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        bound = bind_to(script->listener, port);
        if (!bound) {
            close(script->listener);
        }
    }
    if (!bound) {
        fprintf(stderr, "the scripted server cannot listen on 127.0.0.1:%u\n", port);
        abort();
    }
    script->port = port;
    script->stopping = false;
    script->running = true;
    start_thread(&script->acceptor, accept_peers, script);
}

void rf_mongo_script_cut(struct rf_mongo_script *script)
{
    pthread_mutex_lock(&script->set->lock);
    for (struct peer *peer = script->peers; peer != NULL; peer = peer->next) {
        shutdown(peer->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&script->set->lock);
}

void rf_mongo_script_hang_up(struct rf_mongo_script *script)
{
    if (!script->running) {
        return;
    }
    pthread_mutex_lock(&script->set->lock);
    script->stopping = true;
    pthread_cond_broadcast(&script->set->changed);
    pthread_mutex_unlock(&script->set->lock);
    shutdown(script->listener, SHUT_RDWR); /* ends the accept */
    pthread_join(script->acceptor, NULL);
    close(script->listener);
    rf_mongo_script_cut(script);
    reap(script, true);
    script->running = false;
}
