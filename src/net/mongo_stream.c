#include "net/mongo_stream.h"

#include "base/clock.h"
#include "base/memory.h"
#include "net/mongo_message.h"
#include "net/tcp.h"

#include <errno.h>
#include <mongoc/mongoc.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    STREAM_TYPE = 100, /* none of libmongoc's own */
    READ_BYTES = 64 * 1024,
    KEEP_BYTES = 4 << 20,     /* of what was received, from one message to the next */
    RECORD_BYTES = 16 * 1024, /* what one record of TLS takes */
};

struct stream {
    mongoc_stream_t base; /* the first member: libmongoc's pointer is ours */
    struct rf_mongo *mongo;
    struct rf_tls tls; /* its session is NULL when the stream is in the clear */
    char *peer;
    int fd; /* -1: closed */
    short read_events, send_events;
    bool proven;      /* a sound message has come */
    bool retry;       /* the last call moved nothing, and another may */
    bool timed_out;   /* the last call waited too long */
    struct rf_buf in; /* what was received: */
    size_t given;     /* up to here libmongoc has it, */
    size_t sound;     /* and up to here it may have it */
    size_t unsent;    /* bytes of the message that is being sent */
    int32_t asked;    /* number of the message that was sent last */
};

static struct stream *stream_of(mongoc_stream_t *base)
{
    return (struct stream *)base;
}

/* --------------------------------------------------------------------------------------- errors */

/* Keeps what happened first: the rest follows from it. A number of the system's is none of the
 * server's, by which others go. */
static void break_stream(struct stream *stream, const struct rf_error *why)
{
    if (stream->mongo->broken.status == RF_OK) {
        stream->mongo->broken = *why;
        stream->mongo->broken.code = 0;
    }
}

static enum rf_status lost(const struct stream *stream, int code, struct rf_error *err)
{
    rf_fail(err, RF_RETRY, "the connection to %s was lost: %s", stream->peer,
            code ? strerror(code) : "closed by the server");
    err->code = code;
    return RF_RETRY;
}

/* ------------------------------------------------------------------------------------- transfer */

/* Both move what goes without waiting. Returns RF_OK, *size bytes moved; RF_AGAIN; RF_RETRY;
 * RF_CONFIG. */
static enum rf_status receive_piece(struct stream *stream, void *data, size_t room, size_t *size,
                                    struct rf_error *err)
{
    if (stream->tls.session != NULL) {
        return rf_tls_receive(&stream->tls, data, room, size, &stream->read_events, err);
    }
    for (;;) {
        ssize_t got = recv(stream->fd, data, room, MSG_DONTWAIT);
        if (got > 0) {
            *size = (size_t)got;
            return RF_OK;
        }
        if (got == 0) {
            return lost(stream, 0, err);
        }
        if (errno != EINTR) {
            stream->read_events = POLLIN;
            return errno == EAGAIN || errno == EWOULDBLOCK ? RF_AGAIN : lost(stream, errno, err);
        }
    }
}

static enum rf_status send_clear(struct stream *stream, mongoc_iovec_t *pieces, size_t count,
                                 size_t *size, struct rf_error *err)
{
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
    for (;;) {
        ssize_t sent = sendmsg(stream->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            *size = (size_t)sent;
            return RF_OK;
        }
        if (errno != EINTR) {
            stream->send_events = POLLOUT;
            return errno == EAGAIN || errno == EWOULDBLOCK ? RF_AGAIN : lost(stream, errno, err);
        }
    }
}

/* Copies the first bytes of the pieces, `size` where there are so many; returns how many. */
static size_t gather(const mongoc_iovec_t *pieces, size_t count, char *to, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < count && used < size; i++) {
        size_t room = size - used;
        size_t part = pieces[i].iov_len < room ? pieces[i].iov_len : room;
        memcpy(to + used, pieces[i].iov_base, part);
        used += part;
    }
    return used;
}

/* A message begins with a few small pieces, which are not worth a record each. */
static enum rf_status send_record(struct stream *stream, const mongoc_iovec_t *pieces, size_t count,
                                  size_t *size, struct rf_error *err)
{
    char record[RECORD_BYTES];
    size_t used = gather(pieces, count, record, sizeof record);
    return rf_tls_send(&stream->tls, (struct rf_str){record, used}, size, &stream->send_events,
                       err);
}

/* Takes so many bytes off the front of the pieces. */
static void skip_pieces(mongoc_iovec_t **pieces, size_t *count, size_t size)
{
    while (*count > 0 && size >= (*pieces)->iov_len) {
        size -= (*pieces)->iov_len;
        ++*pieces;
        --*count;
    }
    if (size > 0) {
        (*pieces)->iov_base = (char *)(*pieces)->iov_base + size;
        (*pieces)->iov_len -= size;
    }
}

/* -------------------------------------------------------------------------------------- waiting */

/* What a call answers to libmongoc when it cannot go on. */
static ssize_t failed_call(struct stream *stream, const struct rf_error *why)
{
    break_stream(stream, why);
    stream->retry = false;
    errno = stream->timed_out ? ETIMEDOUT : ECONNRESET;
    return -1;
}

/* Waits for the events a little. `heard_ms` is when something was moved last, 0: at this call.
 * Returns RF_OK: look again; RF_RETRY: interrupted, or silent for too long. */
static enum rf_status wait_a_slice(struct stream *stream, short events, int64_t *heard_ms,
                                   struct rf_error *err)
{
    struct rf_mongo *mongo = stream->mongo;
    int64_t now_ms = rf_clock_ms();
    *heard_ms = *heard_ms == 0 ? now_ms : *heard_ms;
    bool late =
        mongo->tls != NULL ? now_ms >= mongo->deadline_ms : now_ms - *heard_ms >= mongo->timeout_ms;
    if (atomic_load_explicit(&mongo->interrupted, memory_order_relaxed)) {
        return rf_fail(err, RF_RETRY, "the connection to %s was interrupted", stream->peer);
    }
    if (late) {
        stream->timed_out = true;
        return rf_fail(err, RF_RETRY, "%s did not answer for %lld ms", stream->peer,
                       (long long)(now_ms - *heard_ms));
    }
    struct pollfd wait = {stream->fd, events, 0};
    (void)poll(&wait, 1, RF_TCP_SLICE_MS);
    return RF_OK;
}

/* ------------------------------------------------------------------------ libmongoc's interface */

/* Of what a message begins with: its length and its number. */
static void begin_message(struct stream *stream, const mongoc_iovec_t *pieces, size_t count)
{
    char head[8];
    size_t used = gather(pieces, count, head, sizeof head);
    if (used == sizeof head) {
        stream->unsent = (size_t)rf_mongo_message_i32(head);
        stream->asked = rf_mongo_message_i32(head + 4);
    }
}

static ssize_t stream_writev(mongoc_stream_t *base, mongoc_iovec_t *pieces, size_t count,
                             int32_t timeout_ms)
{
    struct stream *stream = stream_of(base);
    struct rf_error why = {0};
    int64_t heard_ms = 0;
    ssize_t total = 0;
    stream->timed_out = stream->retry = false;
    skip_pieces(&pieces, &count, 0);
    while (count > 0) {
        size_t size = 0;
        if (stream->unsent == 0) {
            begin_message(stream, pieces, count);
        }
        enum rf_status status = stream->tls.session != NULL
                                    ? send_record(stream, pieces, count, &size, &why)
                                    : send_clear(stream, pieces, count, &size, &why);
        if (status == RF_OK) {
            total += (ssize_t)size;
            stream->unsent -= size < stream->unsent ? size : stream->unsent;
            skip_pieces(&pieces, &count, size);
            heard_ms = 0;
        } else if (status == RF_AGAIN && timeout_ms == 0) {
            stream->retry = true;
            errno = EAGAIN;
            return total > 0 ? total : -1;
        } else if (status != RF_AGAIN ||
                   wait_a_slice(stream, stream->send_events, &heard_ms, &why) != RF_OK) {
            return failed_call(stream, &why);
        }
    }
    return total;
}

/* Whole messages among what was received become readable. Returns RF_OK; RF_CONFIG; RF_RETRY. */
static enum rf_status check_messages(struct stream *stream, struct rf_error *err)
{
    for (;;) {
        struct rf_str rest = {stream->in.data + stream->sound, stream->in.size - stream->sound};
        int64_t size = rf_mongo_message_size(rest);
        if (size == 0 || (size > 0 && (size_t)size > rest.size)) {
            return RF_OK;
        }
        if (size < 0 || !rf_mongo_message_is_sound((struct rf_str){rest.data, (size_t)size})) {
            break;
        }
        if (rf_mongo_message_i32(rest.data + RF_MONGO_MESSAGE_ANSWERS) != stream->asked) {
            return rf_fail(err, RF_RETRY, "%s answered what was not asked", stream->peer);
        }
        stream->proven = true;
        stream->sound += (size_t)size;
    }
    if (stream->proven) {
        return rf_fail(err, RF_RETRY, "the answer of %s is damaged", stream->peer);
    }
    rf_fail(err, RF_CONFIG, "what answers at %s is not a MongoDB server",
            stream->peer + sizeof "MongoDB at " - 1);
    rf_error_hint(err, "check host and port");
    return RF_CONFIG;
}

/* Receives what has come. Returns RF_OK: there is something to read now; RF_AGAIN; RF_RETRY;
 * RF_CONFIG. */
static enum rf_status fill(struct stream *stream, struct rf_error *err)
{
    if (stream->given == stream->in.size) {
        rf_buf_reset(&stream->in);
        stream->given = stream->sound = 0;
        if (stream->in.capacity > KEEP_BYTES) {
            rf_buf_deinit(&stream->in);
        }
    }
    while (stream->given == stream->sound) {
        size_t got = 0;
        char *at = rf_buf_reserve(&stream->in, READ_BYTES);
        enum rf_status status = receive_piece(stream, at, READ_BYTES, &got, err);
        stream->in.size += status == RF_OK ? got : 0;
        if (status == RF_OK) {
            status = check_messages(stream, err);
        }
        if (status != RF_OK) {
            return status;
        }
    }
    return RF_OK;
}

/* Moves bytes to `data`. Returns as fill. */
static enum rf_status read_piece(struct stream *stream, char *data, size_t room, size_t *size,
                                 struct rf_error *err)
{
    if (stream->given == stream->sound) {
        enum rf_status status = fill(stream, err);
        if (status != RF_OK) {
            return status;
        }
    }
    size_t have = stream->sound - stream->given;
    *size = have < room ? have : room;
    memcpy(data, stream->in.data + stream->given, *size);
    stream->given += *size;
    return RF_OK;
}

static ssize_t stream_readv(mongoc_stream_t *base, mongoc_iovec_t *pieces, size_t count,
                            size_t least, int32_t timeout_ms)
{
    struct stream *stream = stream_of(base);
    struct rf_error why = {0};
    int64_t heard_ms = 0;
    size_t total = 0;
    stream->timed_out = stream->retry = false;
    skip_pieces(&pieces, &count, 0);
    while (count > 0 && (total == 0 || total < least)) {
        size_t size = 0;
        enum rf_status status = read_piece(stream, pieces->iov_base, pieces->iov_len, &size, &why);
        if (status == RF_OK) {
            total += size;
            skip_pieces(&pieces, &count, size);
            heard_ms = 0;
        } else if (status == RF_AGAIN && (timeout_ms == 0 || total >= least)) {
            stream->retry = true;
            errno = EAGAIN;
            return total > 0 ? (ssize_t)total : -1;
        } else if (status != RF_AGAIN ||
                   wait_a_slice(stream, stream->read_events, &heard_ms, &why) != RF_OK) {
            return failed_call(stream, &why);
        }
    }
    return (ssize_t)total;
}

/* What of the events has come, without waiting. Of TLS only the session knows what can be read. */
static int ready_events(struct stream *stream, int events)
{
    struct rf_error why = {0};
    if ((events & POLLIN) && stream->given == stream->sound) {
        enum rf_status status = fill(stream, &why);
        if (status != RF_OK && status != RF_AGAIN) {
            break_stream(stream, &why);
            return POLLERR;
        }
    }
    return stream->given < stream->sound ? events & POLLIN : 0;
}

/* One look at all of them, of at most so long. Returns how many have something. */
static ssize_t poll_slice(mongoc_stream_poll_t *polled, size_t count, struct pollfd *waits,
                          int slice_ms)
{
    ssize_t found = 0;
    for (size_t i = 0; i < count; i++) {
        struct stream *stream = stream_of(polled[i].stream);
        bool interrupted = atomic_load(&stream->mongo->interrupted);
        int events = polled[i].events & (POLLIN | POLLOUT);
        polled[i].revents = interrupted ? POLLERR : ready_events(stream, events);
        waits[i] = (struct pollfd){stream->fd, (short)events, 0};
        if ((events & POLLIN) && stream->tls.session != NULL) {
            waits[i].events = (short)(events & ~POLLIN) | stream->read_events;
        }
        found += polled[i].revents != 0;
    }
    if (found > 0 || poll(waits, count, slice_ms) <= 0) {
        return found;
    }
    for (size_t i = 0; i < count; i++) {
        polled[i].revents = waits[i].revents & (POLLOUT | POLLNVAL);
        if (waits[i].revents & ~POLLOUT) {
            polled[i].revents |= ready_events(stream_of(polled[i].stream), polled[i].events);
        }
        found += polled[i].revents != 0;
    }
    return found;
}

static ssize_t stream_poll(mongoc_stream_poll_t *polled, size_t count, int32_t timeout_ms)
{
    int64_t deadline_ms = timeout_ms < 0 ? INT64_MAX : rf_clock_ms() + timeout_ms;
    struct pollfd *waits = rf_alloc(count * sizeof *waits);
    ssize_t found = 0;
    for (;;) {
        int64_t left_ms = deadline_ms - rf_clock_ms();
        bool last = left_ms <= RF_TCP_SLICE_MS;
        int slice_ms = last ? (left_ms > 0 ? (int)left_ms : 0) : RF_TCP_SLICE_MS;
        found = poll_slice(polled, count, waits, slice_ms);
        if (found > 0 || last) {
            break;
        }
    }
    free(waits);
    return found;
}

/* What an end that nobody regrets leaves unsent, the other side still gets; else it must not: it
 * could come late, among what a newer connection writes. */
static int stream_close(mongoc_stream_t *base)
{
    struct stream *stream = stream_of(base);
    rf_tls_close(&stream->tls);
    if (stream->fd < 0) {
        return 0;
    }
    if (stream->mongo->broken.status == RF_OK && !atomic_load(&stream->mongo->interrupted)) {
        struct linger linger = {0};
        (void)setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    }
    close(stream->fd);
    stream->fd = -1;
    return 0;
}

static void stream_destroy(mongoc_stream_t *base)
{
    struct stream *stream = stream_of(base);
    (void)stream_close(base);
    rf_buf_deinit(&stream->in);
    free(stream->peer);
    free(stream);
}

static int stream_flush(mongoc_stream_t *base)
{
    (void)base;
    return 0;
}

static int stream_setsockopt(mongoc_stream_t *base, int level, int option, void *value,
                             mongoc_socklen_t size)
{
    return setsockopt(stream_of(base)->fd, level, option, value, (socklen_t)size);
}

static bool stream_check_closed(mongoc_stream_t *base)
{
    struct stream *stream = stream_of(base);
    if (stream->given < stream->sound) {
        return false;
    }
    return stream->fd < 0 || (ready_events(stream, POLLIN) & POLLERR) != 0;
}

static bool stream_timed_out(mongoc_stream_t *base)
{
    return stream_of(base)->timed_out;
}

static bool stream_should_retry(mongoc_stream_t *base)
{
    return stream_of(base)->retry;
}

/* ---------------------------------------------------------------------------------- connecting */

static enum rf_status connect_stream(struct stream *stream, const mongoc_host_list_t *host,
                                     struct rf_error *err)
{
    struct rf_mongo *mongo = stream->mongo;
    int64_t deadline_ms = rf_clock_ms() + mongo->member_ms;
    deadline_ms = deadline_ms < mongo->deadline_ms ? deadline_ms : mongo->deadline_ms;
    enum rf_status status = rf_tcp_connect(host->host, host->port, stream->peer, deadline_ms,
                                           &mongo->interrupted, &stream->fd, err);
    if (status != RF_OK) {
        return status;
    }
    /* When this process is killed, the kernel must not send what is left. See stream_close. */
    struct linger linger = {.l_onoff = 1};
    (void)setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    if (!rf_tls_wanted(mongo->tls, host->host)) {
        return RF_OK;
    }
    return rf_tls_connect(&stream->tls, stream->fd, host->host, stream->peer, mongo->tls,
                          deadline_ms, &mongo->interrupted, err);
}

mongoc_stream_t *rf_mongo_stream_create(const mongoc_uri_t *uri, const mongoc_host_list_t *host,
                                        void *user_data, bson_error_t *error)
{
    struct rf_mongo *mongo = user_data;
    struct rf_error why = {0};
    (void)uri;
    if (mongo->tls == NULL) {
        bson_set_error(error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_NOT_ESTABLISHED,
                       "a connection is not made again");
        return NULL;
    }
    struct stream *stream = rf_alloc_zero(1, sizeof *stream);
    struct rf_buf peer = {0};
    rf_buf_printf(&peer, "MongoDB at %s", host->host_and_port);
    stream->peer = rf_str_dup(rf_buf_str(&peer));
    rf_buf_deinit(&peer);
    stream->mongo = mongo;
    stream->fd = -1;
    stream->base = (mongoc_stream_t){
        .type = STREAM_TYPE,
        .destroy = stream_destroy,
        .close = stream_close,
        .flush = stream_flush,
        .writev = stream_writev,
        .readv = stream_readv,
        .setsockopt = stream_setsockopt,
        .check_closed = stream_check_closed,
        .poll = stream_poll,
        .failed = stream_destroy,
        .timed_out = stream_timed_out,
        .should_retry = stream_should_retry,
    };
    if (connect_stream(stream, host, &why) != RF_OK) {
        break_stream(stream, &why);
        bson_set_error(error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_CONNECT, "%.400s",
                       why.message);
        stream_destroy(&stream->base);
        return NULL;
    }
    return &stream->base;
}
