#include "net/cql.h"

#include "base/clock.h"
#include "base/memory.h"
#include "net/tcp.h"
#include "wire/cql_segment.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RECEIVE_BYTES = 64 * 1024,
    TIMEOUT_MS = 10000,
    COMPACT_BYTES = 1024 * 1024,
    KEPT_BYTES = 1024 * 1024, /* what a buffer keeps that was larger once */
};

/* -------------------------------------------------------------------------------------- answers */

static enum rf_status damaged(const struct rf_cql *cql, struct rf_error *err)
{
    char said[sizeof err->message] = "";
    if (err != NULL) {
        memcpy(said, err->message, sizeof said);
    }
    if (cql->segmented || cql->version != 0) {
        return rf_fail(err, RF_RETRY, "the answer of Cassandra at %s is not CQL: %.400s",
                       cql->where, said);
    }
    rf_fail(err, RF_CONFIG, "what answers at %s is not Cassandra: %.400s", cql->where, said);
    rf_error_hint(err, "check host and port, and whether it wants tls=on");
    return RF_CONFIG;
}

/* The answer to a stream's request: its tag, and the stream is free again. */
static enum rf_status find_tag(struct rf_cql *cql, const struct rf_cql_frame *frame, uint64_t *tag,
                               struct rf_error *err)
{
    if (frame->stream < 0 || frame->stream >= RF_CQL_IN_FLIGHT_MAX ||
        cql->tags[frame->stream] == 0) {
        return rf_fail(err, RF_RETRY, "Cassandra at %s answered what was not asked", cql->where);
    }
    *tag = cql->tags[frame->stream] - 1;
    cql->tags[frame->stream] = 0;
    cql->streams[cql->free_count++] = frame->stream;
    cql->in_flight--;
    return RF_OK;
}

static enum rf_status keep_answer(struct rf_cql *cql, const struct rf_cql_answer *answer)
{
    struct rf_cursor body = answer->body;
    rf_buf_set(&cql->kept, rf_cursor_rest(&body));
    cql->opcode = answer->opcode;
    cql->answered = true;
    return RF_OK;
}

/* Of what nobody asked for: the node's own news. */
static enum rf_status take_event(struct rf_cql *cql, struct rf_cql_answer *answer,
                                 struct rf_error *err)
{
    struct rf_cql_event event;
    if (rf_cql_event_parse(&answer->body, &event, err) != RF_OK) {
        return damaged(cql, err);
    }
    cql->changed |= event.kind == RF_CQL_TOPOLOGY_CHANGE || event.kind == RF_CQL_STATUS_CHANGE;
    return RF_OK;
}

static enum rf_status take_frame(struct rf_cql *cql, const struct rf_cql_frame *frame,
                                 struct rf_str body, struct rf_error *err)
{
    struct rf_cql_answer answer = {.opcode = frame->opcode, .version = frame->version};
    struct rf_str warning;
    uint64_t tag = 0;
    if (frame->flags & RF_CQL_FRAME_COMPRESSED) {
        if (rf_cql_unpack(body, &cql->body, err) != RF_OK) {
            return damaged(cql, err);
        }
        body = rf_buf_str(&cql->body);
    }
    answer.body = rf_cursor_of(body);
    if (frame->flags != 0) {
        rf_cql_skip_extras(frame, &answer.body, &warning);
        if (rf_cursor_check(&answer.body, "answer", err) != RF_OK) {
            return damaged(cql, err);
        }
    }
    if (frame->opcode == RF_CQL_EVENT) {
        return take_event(cql, &answer, err);
    }
    enum rf_status status = find_tag(cql, frame, &tag, err);
    if (status == RF_OK && tag == RF_CQL_ASK) {
        return keep_answer(cql, &answer);
    }
    return status == RF_OK ? cql->take(cql->argument, tag, &answer, err) : status;
}

/* Takes the whole frames off the buffer, from *used on. */
static enum rf_status take_frames(struct rf_cql *cql, struct rf_buf *from, size_t *used,
                                  struct rf_error *err)
{
    enum rf_status status = RF_OK;
    while (status == RF_OK && from->size - *used >= RF_CQL_HEADER) {
        struct rf_cql_frame frame;
        if (rf_cql_frame_parse(from->data + *used, &frame, err) != RF_OK) {
            return damaged(cql, err);
        }
        if (from->size - *used - RF_CQL_HEADER < frame.size) {
            break;
        }
        struct rf_str body = {from->data + *used + RF_CQL_HEADER, frame.size};
        *used += RF_CQL_HEADER + frame.size;
        status = take_frame(cql, &frame, body, err);
    }
    return status;
}

/* What is used is forgotten; what is left moves to the front when that is little or the buffer
 * large. */
static void forget(struct rf_buf *buf, size_t *used)
{
    if (*used == buf->size) {
        buf->size = *used = 0;
        if (buf->capacity > 4 * KEPT_BYTES) {
            rf_buf_deinit(buf);
        }
    } else if (*used > 0) {
        memmove(buf->data, buf->data + *used, buf->size - *used);
        buf->size -= *used;
        *used = 0;
    }
}

static enum rf_status take_segments(struct rf_cql *cql, struct rf_error *err)
{
    size_t size = 1;
    enum rf_status status = RF_OK;
    while (size > 0 && status == RF_OK) {
        struct rf_str rest = {cql->in.data + cql->taken, cql->in.size - cql->taken};
        if (rf_cql_segment_take(rest, cql->lz4, &size, &cql->plain, err) != RF_OK) {
            return damaged(cql, err);
        }
        cql->taken += size;
        if (size > 0) {
            status = take_frames(cql, &cql->plain, &cql->read, err);
        }
    }
    forget(&cql->plain, &cql->read);
    return status;
}

static enum rf_status take_answers(struct rf_cql *cql, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    if (!cql->segmented) {
        status = take_frames(cql, &cql->in, &cql->taken, err);
    }
    if (status == RF_OK && cql->segmented) {
        status = take_segments(cql, err);
    }
    forget(&cql->in, &cql->taken);
    return status;
}

/* ------------------------------------------------------------------------------------- transfer */

static enum rf_status lost(const struct rf_cql *cql, int code, struct rf_error *err)
{
    rf_fail(err, RF_RETRY, "the connection to Cassandra at %s was lost: %s", cql->where,
            code ? strerror(code) : "closed by the node");
    if (code == 0 && cql->version == 0 && cql->tls.session == NULL) {
        rf_error_hint(err, "it closed it before it said a word: does it want tls=on?");
    }
    if (err != NULL) {
        err->code = code;
    }
    return RF_RETRY;
}

static enum rf_status interrupted(const struct rf_cql *cql, struct rf_error *err)
{
    return rf_fail(err, RF_RETRY, "the connection to Cassandra at %s was interrupted", cql->where);
}

/* Sends a piece of what waits. Returns RF_OK, with *size bytes gone; RF_AGAIN: the other side takes
 * no more now; RF_RETRY; RF_CONFIG. */
static enum rf_status send_piece(struct rf_cql *cql, size_t *size, struct rf_error *err)
{
    struct rf_str rest = {cql->out.data + cql->sent, cql->out.size - cql->sent};
    if (cql->tls.session != NULL) {
        return rf_tls_send(&cql->tls, rest, size, &cql->send_events, err);
    }
    for (;;) {
        ssize_t sent = send(cql->fd, rest.data, rest.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            *size = (size_t)sent;
            return RF_OK;
        }
        if (errno != EINTR) {
            cql->send_events = POLLOUT;
            return errno == EAGAIN || errno == EWOULDBLOCK ? RF_AGAIN : lost(cql, errno, err);
        }
    }
}

static enum rf_status send_some(struct rf_cql *cql, bool *moved, struct rf_error *err)
{
    cql->send_events = 0;
    if (cql->segmented && cql->frames.size > 0) {
        rf_cql_segments_add(&cql->out, rf_buf_str(&cql->frames), cql->lz4);
        rf_buf_reset(&cql->frames);
    }
    while (cql->sent < cql->out.size) {
        size_t size = 0;
        enum rf_status status = send_piece(cql, &size, err);
        if (status == RF_AGAIN) {
            break;
        }
        if (status != RF_OK) {
            return status;
        }
        cql->sent += size;
        *moved = true;
    }
    if (cql->sent == cql->out.size || cql->sent >= COMPACT_BYTES) {
        forget(&cql->out, &cql->sent);
    }
    return RF_OK;
}

static enum rf_status receive_piece(struct rf_cql *cql, char *data, size_t *size,
                                    struct rf_error *err)
{
    if (cql->tls.session != NULL) {
        return rf_tls_receive(&cql->tls, data, RECEIVE_BYTES, size, &cql->read_events, err);
    }
    for (;;) {
        ssize_t got = recv(cql->fd, data, RECEIVE_BYTES, MSG_DONTWAIT);
        if (got > 0) {
            *size = (size_t)got;
            return RF_OK;
        }
        if (got == 0) {
            return lost(cql, 0, err);
        }
        if (errno != EINTR) {
            cql->read_events = POLLIN;
            return errno == EAGAIN || errno == EWOULDBLOCK ? RF_AGAIN : lost(cql, errno, err);
        }
    }
}

static enum rf_status receive_some(struct rf_cql *cql, bool *moved, struct rf_error *err)
{
    for (;;) {
        size_t size = 0;
        char *to = rf_buf_reserve(&cql->in, RECEIVE_BYTES);
        enum rf_status status = receive_piece(cql, to, &size, err);
        if (status == RF_AGAIN) {
            return RF_OK;
        }
        if (status != RF_OK) {
            return status;
        }
        cql->in.size += size;
        cql->heard_ms = rf_clock_ms();
        *moved = true;
        status = take_answers(cql, err);
        if (status != RF_OK || (size < RECEIVE_BYTES && cql->tls.session == NULL)) {
            return status;
        }
    }
}

enum rf_status rf_cql_step(struct rf_cql *cql, bool *moved, struct rf_error *err)
{
    if (atomic_load(cql->interrupted)) {
        return interrupted(cql, err);
    }
    enum rf_status status = send_some(cql, moved, err);
    if (status == RF_OK) {
        status = receive_some(cql, moved, err);
    }
    if (status == RF_OK && !*moved && cql->in_flight > 0 &&
        rf_clock_ms() - cql->heard_ms > cql->timeout_ms) {
        status = rf_fail(err, RF_RETRY, "Cassandra at %s has not answered for %lld ms", cql->where,
                         (long long)cql->timeout_ms);
    }
    return status;
}

short rf_cql_events(const struct rf_cql *cql)
{
    short events = cql->read_events != 0 ? cql->read_events : POLLIN;
    return (short)(events | (cql->sent < cql->out.size ? cql->send_events : 0));
}

/* ------------------------------------------------------------------------------------- requests */

/* Version 5 collects frames for segments; version 4 sends them as they are. */
static struct rf_buf *frames_of(struct rf_cql *cql)
{
    return cql->segmented ? &cql->frames : &cql->out;
}

struct rf_buf *rf_cql_request(struct rf_cql *cql, enum rf_cql_opcode opcode, uint64_t tag)
{
    rf_assert(cql->free_count > 0 && tag < UINT64_MAX);
    int16_t stream = cql->streams[--cql->free_count];
    struct rf_buf *out = frames_of(cql);
    if (cql->in_flight++ == 0) {
        cql->heard_ms = rf_clock_ms();
    }
    cql->tags[stream] = tag + 1;
    cql->begun =
        rf_cql_begin(out, cql->version ? cql->version : RF_CQL_VERSION_MIN, stream, opcode);
    return out;
}

void rf_cql_request_end(struct rf_cql *cql)
{
    if (cql->lz4 && !cql->segmented) {
        rf_cql_pack(&cql->out, cql->begun, &cql->scratch);
    } else {
        rf_cql_end(frames_of(cql), cql->begun);
    }
}

void rf_cql_request_drop(struct rf_cql *cql)
{
    struct rf_buf *out = frames_of(cql);
    const uint8_t *header = (const uint8_t *)out->data + cql->begun;
    int16_t stream = (int16_t)(header[2] << 8 | header[3]);
    out->size = cql->begun;
    cql->tags[stream] = 0;
    cql->streams[cql->free_count++] = stream;
    cql->in_flight--;
}

/* Until there is something to do, for at most a slice. */
static void wait_some(const struct rf_cql *cql)
{
    struct pollfd wait = {cql->fd, rf_cql_events(cql), 0};
    (void)poll(&wait, 1, RF_TCP_SLICE_MS);
}

enum rf_status rf_cql_ask(struct rf_cql *cql, struct rf_cql_answer *answer, struct rf_error *err)
{
    int64_t deadline_ms = rf_clock_ms() + cql->timeout_ms;
    rf_cql_request_end(cql);
    cql->answered = false;
    for (;;) {
        bool moved = false;
        enum rf_status status = rf_cql_step(cql, &moved, err);
        if (status != RF_OK) {
            return status;
        }
        if (cql->answered) {
            break;
        }
        if (rf_clock_ms() > deadline_ms) {
            return rf_fail(err, RF_RETRY, "Cassandra at %s has not answered for %lld ms",
                           cql->where, (long long)cql->timeout_ms);
        }
        if (!moved) {
            wait_some(cql);
        }
    }
    *answer = (struct rf_cql_answer){.opcode = cql->opcode,
                                     .version = cql->version,
                                     .body = rf_cursor_of(rf_buf_str(&cql->kept))};
    return RF_OK;
}

/* --------------------------------------------------------------------------------------- errors */

bool rf_cql_is_transient(int32_t code)
{
    switch ((enum rf_cql_code)code) {
    case RF_CQL_SERVER_ERROR:
    case RF_CQL_UNAVAILABLE:
    case RF_CQL_OVERLOADED:
    case RF_CQL_BOOTSTRAPPING:
    case RF_CQL_TRUNCATE_ERROR:
    case RF_CQL_WRITE_TIMEOUT:
    case RF_CQL_READ_TIMEOUT:
    case RF_CQL_READ_FAILURE:
    case RF_CQL_WRITE_FAILURE:
    case RF_CQL_CDC_WRITE_FAILURE:
    case RF_CQL_CAS_WRITE_UNKNOWN: return true;
    default: return false;
    }
}

static enum rf_status status_of(int32_t code)
{
    switch ((enum rf_cql_code)code) {
    case RF_CQL_INVALID:
    case RF_CQL_FUNCTION_FAILURE:
    case RF_CQL_ALREADY_EXISTS: return RF_REJECT;
    case RF_CQL_UNPREPARED: return RF_RETRY;
    default: return rf_cql_is_transient(code) ? RF_RETRY : RF_CONFIG;
    }
}

enum rf_status rf_cql_refused(const struct rf_cql *cql, const struct rf_cql_error *error,
                              struct rf_error *err)
{
    const char *name = rf_cql_code_name(error->code);
    /* Behind the log-in both sides know how to talk: a request was damaged on its way. */
    bool garbled = error->code == RF_CQL_PROTOCOL_ERROR && cql->connected;
    enum rf_status status = garbled ? RF_RETRY : status_of(error->code);
    struct rf_str message = error->message;
    const size_t most = 500;
    message.size = message.size < most ? message.size : most;
    rf_fail(err, status, "Cassandra at %s refused: %s (0x%04x): %.*s", cql->where,
            name != NULL ? name : "an error that we do not know", (unsigned)error->code,
            RF_STR_ARG(message));
    if (err != NULL) {
        err->code = error->code;
        err->access = error->code == RF_CQL_BAD_CREDENTIALS || error->code == RF_CQL_UNAUTHORIZED;
    }
    if (error->code == RF_CQL_BAD_CREDENTIALS) {
        rf_error_hint(err, "check user and password");
    } else if (error->code == RF_CQL_UNAUTHORIZED) {
        rf_error_hint(err, "the role of this user does not permit it");
    } else if (error->code == RF_CQL_UNAVAILABLE) {
        rf_error_hint(err,
                      "%d of %d replicas are up: start the others, or choose a lower "
                      "consistency",
                      error->received, error->required);
    }
    return status;
}

/* ----------------------------------------------------------------------------------- connecting */

/* A request without a body but what `out` holds, and the answer to it. */
static enum rf_status unexpected(const struct rf_cql *cql, const struct rf_cql_answer *answer,
                                 struct rf_error *err)
{
    struct rf_cql_error error;
    struct rf_cursor body = answer->body;
    if (answer->opcode != RF_CQL_ERROR) {
        return rf_fail(err, RF_CONFIG, "Cassandra at %s answered the log-in with opcode %u",
                       cql->where, answer->opcode);
    }
    if (rf_cql_error_parse(&body, answer->version, &error, err) != RF_OK) {
        return damaged(cql, err);
    }
    enum rf_status status = rf_cql_refused(cql, &error, err);
    return status == RF_REJECT ? RF_CONFIG : status;
}

/* The version and what else both sides can do. */
static enum rf_status agree(struct rf_cql *cql, const struct rf_cql_address *address,
                            struct rf_error *err)
{
    struct rf_cql_answer answer;
    struct rf_cql_supported supported;
    unsigned most = address->version > 0 ? address->version : RF_CQL_VERSION_MAX;
    (void)rf_cql_request(cql, RF_CQL_OPTIONS, RF_CQL_ASK);
    enum rf_status status = rf_cql_ask(cql, &answer, err);
    if (status != RF_OK) {
        return status;
    }
    if (answer.opcode != RF_CQL_SUPPORTED) {
        return unexpected(cql, &answer, err);
    }
    if (rf_cql_supported_parse(&answer.body, &supported, err) != RF_OK) {
        return damaged(cql, err);
    }
    cql->version = supported.version < most ? supported.version : most;
    if (address->lz4 && !(supported.lz4 && rf_cql_lz4_here())) {
        rf_fail(err, RF_CONFIG, "%s cannot pack with LZ4",
                supported.lz4 ? "this build of rowferry" : cql->peer);
        rf_error_hint(err, "leave out compression=lz4");
        return RF_CONFIG;
    }
    return RF_OK;
}

static enum rf_status start_up(struct rf_cql *cql, const struct rf_cql_address *address,
                               struct rf_cql_answer *answer, struct rf_error *err)
{
    struct rf_buf *out = rf_cql_request(cql, RF_CQL_STARTUP, RF_CQL_ASK);
    rf_cql_add_startup(out, address->lz4);
    enum rf_status status = rf_cql_ask(cql, answer, err);
    if (status == RF_OK && answer->opcode != RF_CQL_READY &&
        answer->opcode != RF_CQL_AUTHENTICATE) {
        status = unexpected(cql, answer, err);
    }
    if (status == RF_OK) {
        cql->lz4 = address->lz4;
        cql->segmented = cql->version >= 5;
    }
    return status;
}

static enum rf_status log_in(struct rf_cql *cql, const struct rf_cql_address *address,
                             struct rf_cql_answer *answer, struct rf_error *err)
{
    struct rf_str user = rf_str_of(address->user), password = rf_str_of(address->password);
    if (user.size == 0) {
        rf_fail(err, RF_CONFIG, "Cassandra at %s wants a user and a password", cql->where);
        rf_error_hint(err, "write the user into the address, and set password, password_file or an "
                           "environment variable");
        if (err != NULL) {
            err->access = true;
        }
        return RF_CONFIG;
    }
    rf_cql_add_auth_plain(rf_cql_request(cql, RF_CQL_AUTH_RESPONSE, RF_CQL_ASK), user, password);
    enum rf_status status = rf_cql_ask(cql, answer, err);
    /* Nothing of it stays in memory that is written over and over. */
    struct rf_buf *used[] = {&cql->out, &cql->frames, &cql->scratch};
    for (size_t i = 0; i < sizeof used / sizeof *used; i++) {
        if (used[i]->data != NULL) {
            explicit_bzero(used[i]->data, used[i]->capacity);
        }
    }
    if (status == RF_OK && answer->opcode == RF_CQL_AUTH_CHALLENGE) {
        rf_fail(err, RF_CONFIG, "Cassandra at %s wants more than a user and a password",
                cql->where);
        rf_error_hint(err, "only PasswordAuthenticator and its like are known");
        return RF_CONFIG;
    }
    if (status == RF_OK && answer->opcode != RF_CQL_AUTH_SUCCESS) {
        status = unexpected(cql, answer, err);
    }
    return status;
}

static void prepare(struct rf_cql *cql, const struct rf_cql_address *address)
{
    struct rf_buf text = {0};
    rf_buf_printf(&text, strchr(address->host, ':') ? "[%s]:%u" : "%s:%u", address->host,
                  address->port);
    cql->where = rf_str_dup(rf_buf_str(&text));
    rf_buf_reset(&text);
    rf_buf_printf(&text, "Cassandra at %s", cql->where);
    cql->peer = rf_str_dup(rf_buf_str(&text));
    rf_buf_deinit(&text);
    cql->tags = rf_alloc_zero(RF_CQL_IN_FLIGHT_MAX, sizeof *cql->tags);
    cql->streams = rf_alloc_zero(RF_CQL_IN_FLIGHT_MAX, sizeof *cql->streams);
    for (int16_t i = 0; i < RF_CQL_IN_FLIGHT_MAX; i++) {
        cql->streams[i] = (int16_t)(RF_CQL_IN_FLIGHT_MAX - 1 - i);
    }
    cql->free_count = RF_CQL_IN_FLIGHT_MAX;
    cql->interrupted = address->interrupted;
}

enum rf_status rf_cql_connect(struct rf_cql *cql, const struct rf_cql_address *address,
                              struct rf_error *err)
{
    int64_t limit_ms = address->connect_timeout_ms > 0 ? address->connect_timeout_ms : TIMEOUT_MS;
    int64_t deadline_ms = rf_clock_ms() + limit_ms;
    struct rf_cql_answer answer = {0};
    prepare(cql, address);
    enum rf_status status = rf_tcp_connect(address->host, address->port, cql->peer, deadline_ms,
                                           cql->interrupted, &cql->fd, err);
    cql->connected = status == RF_OK;
    if (status == RF_OK && rf_tls_wanted(&address->tls, address->host)) {
        status = rf_tls_connect(&cql->tls, cql->fd, address->host, cql->peer, &address->tls,
                                deadline_ms, cql->interrupted, err);
    }
    if (status == RF_OK) {
        int64_t left_ms = deadline_ms - rf_clock_ms();
        cql->timeout_ms = left_ms > RF_TCP_SLICE_MS ? left_ms : RF_TCP_SLICE_MS;
        status = agree(cql, address, err);
    }
    if (status == RF_OK) {
        status = start_up(cql, address, &answer, err);
    }
    if (status == RF_OK && answer.opcode == RF_CQL_AUTHENTICATE) {
        status = log_in(cql, address, &answer, err);
    }
    cql->timeout_ms = address->timeout_ms > 0 ? address->timeout_ms : TIMEOUT_MS;
    return status;
}

void rf_cql_close(struct rf_cql *cql)
{
    struct rf_buf *bufs[] = {&cql->frames, &cql->out,  &cql->in,     &cql->plain,
                             &cql->body,   &cql->kept, &cql->scratch};
    rf_tls_close(&cql->tls);
    if (cql->connected) {
        close(cql->fd);
    }
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) {
        rf_buf_deinit(bufs[i]);
    }
    free(cql->tags);
    free(cql->streams);
    free(cql->where);
    free(cql->peer);
    *cql = (struct rf_cql){0};
}
