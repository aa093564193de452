/* The stream of the binary log: packets from the connection's socket, events from packets.
 *
 * After COM_BINLOG_DUMP the server only sends and we only read, so the socket is ours: what comes
 * is received into one buffer, as much as there is in one call, and events are handed out where
 * they lie. An event of 16 MiB and more comes in several packets whose headers are taken out.
 *
 *   packet: size (3, little-endian), number (1), payload; a payload of 16777215 bytes goes on in
 *   the next packet. First byte of the payload: 0 event, 0xff error, 0xfe with fewer than 9 bytes
 *   end.
 *
 * Source: MySQL Source Code Documentation, "MySQL Packets", "COM_BINLOG_DUMP",
 * "COM_BINLOG_DUMP_GTID". */
#include "net/mysql.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    BUFFER_SIZE = 256 * 1024,
    PACKET_HEADER = 4,
    PACKET_MAX = 0xffffff,
    EVENT_MAX = 1 << 30, /* the server's own limit for what it sends to replicas */
};

static void store(char *to, uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        to[i] = (char)(number >> (8 * i));
    }
}

/* The server only sends and we only read from here on. */
static enum rf_status begin_stream(struct rf_mysql *mysql, int64_t silence_ms, struct rf_error *err)
{
    mysql->fd = mysql_get_socket(mysql->handle);
    /* Reads of a TLS session must not block either. */
    int flags = fcntl(mysql->fd, F_GETFL);
    if (flags < 0 || fcntl(mysql->fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        return rf_fail(err, RF_RETRY, "%s: the socket is of no use: %s", mysql->where,
                       strerror(errno));
    }
    /* Answers to queries were read to their end, so nothing is left in the library's own buffer. */
    mysql->data = rf_alloc(BUFFER_SIZE);
    mysql->capacity = BUFFER_SIZE;
    mysql->start = mysql->end = mysql->handed = mysql->joined = 0;
    mysql->joining = false;
    mysql->sequence = 1; /* the command was packet 0 */
    mysql->streaming = true;
    mysql->heard_ms = rf_clock_ms();
    mysql->silence_ms = silence_ms;
    return RF_OK;
}

static enum rf_status ask(struct rf_mysql *mysql, unsigned number, struct rf_buf *command,
                          int64_t silence_ms, struct rf_error *err)
{
    /* The library has no name for one of the two. */
    int failed = mysql->handle->methods->db_command(mysql->handle, (enum enum_server_command)number,
                                                    command->data, command->size, 1, NULL);
    rf_buf_deinit(command);
    return failed ? rf_mysql_fail(mysql, err, "asking for the log", mysql_errno(mysql->handle),
                                  mysql_error(mysql->handle))
                  : begin_stream(mysql, silence_ms, err);
}

static void add_number(struct rf_buf *out, uint64_t number, int bytes)
{
    store(rf_buf_reserve(out, (size_t)bytes), number, bytes);
    out->size += (size_t)bytes;
}

/* Block at the end of the log. Of MariaDB: with ANNOTATE_ROWS or without; of MySQL: heartbeats
 * that have room for large files. */
static uint64_t flags_of(const struct rf_mysql *mysql)
{
    enum { SEND_ANNOTATE_ROWS = 1 << 1, HEARTBEAT_V2 = 1 << 1 };
    if (rf_mysql_is_mariadb(mysql)) {
        return mysql->annotations ? SEND_ANNOTATE_ROWS : 0;
    }
    return HEARTBEAT_V2;
}

enum rf_status rf_mysql_dump(struct rf_mysql *mysql, struct rf_str file, uint32_t position,
                             uint32_t server_id, int64_t silence_ms, struct rf_error *err)
{
    struct rf_buf command = {0};
    add_number(&command, position, 4);
    add_number(&command, flags_of(mysql), 2);
    add_number(&command, server_id, 4);
    rf_buf_add_str(&command, file);
    return ask(mysql, COM_BINLOG_DUMP, &command, silence_ms, err);
}

enum rf_status rf_mysql_dump_behind(struct rf_mysql *mysql, struct rf_str set, uint32_t server_id,
                                    int64_t silence_ms, struct rf_error *err)
{
    enum { BINLOG_DUMP_GTID = 30, FIRST_POSITION = 4 };
    struct rf_buf command = {0};
    add_number(&command, flags_of(mysql), 2);
    add_number(&command, server_id, 4);
    add_number(&command, 0, 4); /* no file's name */
    add_number(&command, FIRST_POSITION, 8);
    add_number(&command, set.size, 4);
    rf_buf_add_str(&command, set);
    return ask(mysql, BINLOG_DUMP_GTID, &command, silence_ms, err);
}

/* Room for `need` bytes from start on, more than there are. */
static void make_room(struct rf_mysql *mysql, size_t need)
{
    if (mysql->capacity - mysql->start >= need && mysql->end < mysql->capacity / 2) {
        return;
    }
    /* What lies there is a part of one packet, little against what the next call can bring. */
    if (mysql->start > 0) {
        memmove(mysql->data, mysql->data + mysql->start, mysql->end - mysql->start);
        mysql->end -= mysql->start;
        mysql->start = 0;
    }
    if (need > mysql->capacity) {
        size_t capacity = mysql->capacity;
        while (capacity < need) {
            capacity *= 2;
        }
        mysql->data = rf_realloc(mysql->data, capacity);
        mysql->capacity = capacity;
    }
}

/* A large event must not keep its memory for ever. */
static void give_back(struct rf_mysql *mysql)
{
    size_t held = mysql->end - mysql->start;
    if (mysql->capacity > 4 * BUFFER_SIZE && held < BUFFER_SIZE) {
        char *data = rf_alloc(BUFFER_SIZE);
        memcpy(data, mysql->data + mysql->start, held);
        free(mysql->data);
        mysql->data = data;
        mysql->capacity = BUFFER_SIZE;
        mysql->start = 0;
        mysql->end = held;
    }
}

/* Nothing was there to receive. Who has no time left to wait does not ask the kernel again. */
static enum rf_status wait_for(struct rf_mysql *mysql, short events, int64_t deadline_ms,
                               struct rf_error *err)
{
    if (deadline_ms == 0 && !rf_mysql_interrupted(mysql)) {
        return RF_AGAIN;
    }
    for (;;) {
        int64_t now_ms = rf_clock_ms();
        int64_t silent_ms = mysql->heard_ms + mysql->silence_ms;
        int64_t until_ms = deadline_ms < silent_ms ? deadline_ms : silent_ms;
        struct pollfd pollfd = {.fd = mysql->fd, .events = events};
        int64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
        if (rf_mysql_interrupted(mysql)) {
            return rf_fail(err, RF_RETRY, "%s: interrupted while reading the log", mysql->where);
        }
        int ready = poll(&pollfd, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
        if (ready > 0) {
            return RF_OK;
        }
        if (ready < 0 && errno != EINTR) {
            return rf_fail(err, RF_RETRY, "%s: poll: %s", mysql->where, strerror(errno));
        }
        now_ms = rf_clock_ms();
        if (now_ms >= silent_ms) {
            return rf_fail(err, RF_RETRY, "%s: the server was silent for %lld s", mysql->where,
                           (long long)(mysql->silence_ms / 1000));
        }
        if (now_ms >= deadline_ms) {
            return RF_AGAIN;
        }
    }
}

static enum rf_status lost(struct rf_mysql *mysql, struct rf_error *err, const char *why)
{
    if (rf_mysql_interrupted(mysql)) {
        return rf_fail(err, RF_RETRY, "%s: interrupted while reading the log", mysql->where);
    }
    return rf_fail(err, RF_RETRY, "%s: the connection broke while reading the log: %s",
                   mysql->where, why);
}

/* Receives what is there, without waiting. *events: what to wait for when nothing is.
 * Returns RF_OK, RF_AGAIN or RF_RETRY. */
static enum rf_status receive_tls(struct rf_mysql *mysql, short *events, struct rf_error *err)
{
    SSL *ssl = rf_mysql_session(mysql);
    size_t got = 0;
    ERR_clear_error();
    errno = 0;
    int done = SSL_read_ex(ssl, mysql->data + mysql->end, mysql->capacity - mysql->end, &got);
    if (done == 1) {
        mysql->end += got;
        return RF_OK;
    }
    switch (SSL_get_error(ssl, done)) {
    case SSL_ERROR_WANT_READ: *events = POLLIN; return RF_AGAIN;
    case SSL_ERROR_WANT_WRITE: *events = POLLOUT; return RF_AGAIN;
    case SSL_ERROR_ZERO_RETURN: return lost(mysql, err, "the server closed it");
    default: return lost(mysql, err, errno != 0 ? strerror(errno) : "TLS ended without a farewell");
    }
}

static enum rf_status receive(struct rf_mysql *mysql, short *events, struct rf_error *err)
{
    *events = POLLIN;
    if (mysql->tls) {
        return receive_tls(mysql, events, err);
    }
    ssize_t got;
    do {
        got = recv(mysql->fd, mysql->data + mysql->end, mysql->capacity - mysql->end, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        mysql->end += (size_t)got;
        return RF_OK;
    }
    if (got == 0) {
        return lost(mysql, err, "the server closed it");
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        return RF_AGAIN;
    }
    return lost(mysql, err, strerror(errno));
}

/* Makes `need` bytes available from start on. */
static enum rf_status fill(struct rf_mysql *mysql, size_t need, int64_t deadline_ms,
                           struct rf_error *err)
{
    enum rf_status status = RF_OK;
    while (mysql->end - mysql->start < need) {
        short events;
        make_room(mysql, need);
        status = receive(mysql, &events, err);
        if (status == RF_OK) {
            mysql->heard_ms = rf_clock_ms();
            continue;
        }
        if (status == RF_AGAIN) {
            status = wait_for(mysql, events, deadline_ms, err);
        }
        if (status != RF_OK) {
            return status;
        }
    }
    return RF_OK;
}

static size_t packet_size(const char *at)
{
    const unsigned char *bytes = (const unsigned char *)at;
    return (size_t)bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16;
}

/* The server's words behind 0xff: error number (2), '#' and state (6), message. */
static enum rf_status refused(struct rf_mysql *mysql, struct rf_str payload, struct rf_error *err)
{
    if (payload.size < 3) {
        return lost(mysql, err, "an error without a number came");
    }
    unsigned code = (unsigned char)payload.data[1] | (unsigned)(unsigned char)payload.data[2] << 8;
    struct rf_str words = {payload.data + 3, payload.size - 3};
    if (words.size >= 6 && words.data[0] == '#') {
        words = (struct rf_str){words.data + 6, words.size - 6};
    }
    struct rf_buf text = {0};
    rf_buf_add_str(&text, words);
    enum rf_status status = rf_mysql_fail(mysql, err, "reading the log", code, rf_buf_cstr(&text));
    if (strstr(text.data, "same server_uuid/server_id") != NULL) { /* 1236, or 4052 from 10.5 on */
        err->status = status = RF_CONFIG;
        rf_error_hint(err,
                      "another reader of this server uses the same server_id: give each its own, "
                      "or leave server_id out and a random one is taken");
    }
    rf_buf_deinit(&text);
    return status;
}

static enum rf_status expect_number(struct rf_mysql *mysql, const char *header,
                                    struct rf_error *err)
{
    return (uint8_t)header[3] == mysql->sequence
               ? RF_OK
               : lost(mysql, err, "its packets came out of order");
}

/* The first packet of an event, whole at start. */
static enum rf_status first_packet(struct rf_mysql *mysql, int64_t deadline_ms,
                                   struct rf_error *err)
{
    enum rf_status status = fill(mysql, PACKET_HEADER, deadline_ms, err);
    if (status != RF_OK) {
        return status;
    }
    size_t size = packet_size(mysql->data + mysql->start);
    status = fill(mysql, PACKET_HEADER + size, deadline_ms, err);
    if (status == RF_OK) {
        status = expect_number(mysql, mysql->data + mysql->start, err);
    }
    if (status == RF_OK) {
        mysql->sequence++;
        mysql->joined = size;
        mysql->joining = size == PACKET_MAX;
    }
    return status;
}

/* The next packet of a large event, its header taken out. */
static enum rf_status join_packet(struct rf_mysql *mysql, int64_t deadline_ms, struct rf_error *err)
{
    size_t at = PACKET_HEADER + mysql->joined;
    enum rf_status status = fill(mysql, at + PACKET_HEADER, deadline_ms, err);
    if (status != RF_OK) {
        return status;
    }
    size_t size = packet_size(mysql->data + mysql->start + at);
    if (mysql->joined + size > EVENT_MAX) {
        return rf_fail(err, RF_FATAL, "%s: an event of more than 1 GiB", mysql->where);
    }
    status = fill(mysql, at + PACKET_HEADER + size, deadline_ms, err);
    if (status == RF_OK) {
        status = expect_number(mysql, mysql->data + mysql->start + at, err);
    }
    if (status != RF_OK) {
        return status;
    }
    char *to = mysql->data + mysql->start + at;
    memmove(to, to + PACKET_HEADER, mysql->end - mysql->start - at - PACKET_HEADER);
    mysql->end -= PACKET_HEADER;
    mysql->joined += size;
    mysql->joining = size == PACKET_MAX;
    mysql->sequence++;
    return RF_OK;
}

enum rf_status rf_mysql_read_event(struct rf_mysql *mysql, int64_t deadline_ms,
                                   struct rf_str *event, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    /* Only now may what was handed out last be overwritten. */
    mysql->start += mysql->handed;
    mysql->handed = 0;
    if (!mysql->joining) {
        give_back(mysql);
        status = first_packet(mysql, deadline_ms, err);
    }
    while (status == RF_OK && mysql->joining) {
        status = join_packet(mysql, deadline_ms, err);
    }
    if (status != RF_OK) {
        return status;
    }
    struct rf_str payload = {mysql->data + mysql->start + PACKET_HEADER, mysql->joined};
    mysql->handed = PACKET_HEADER + payload.size;
    if (payload.size > 0 && payload.data[0] == 0) {
        *event = (struct rf_str){payload.data + 1, payload.size - 1};
        return RF_OK;
    }
    if (payload.size > 0 && (uint8_t)payload.data[0] == 0xff) {
        return refused(mysql, payload, err);
    }
    return lost(mysql, err,
                payload.size > 0 && payload.size < 9 && (uint8_t)payload.data[0] == 0xfe
                    ? "the server ended the stream"
                    : "a packet that is no event came");
}
