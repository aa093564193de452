/* A connection to a Redis server: RESP2, pipelined, without an allocation per command or reply.
 *
 * Used by what writes to or reads from Redis. The caller writes commands straight into the buffer
 * `out` (rf_redis_begin, then one rf_redis_bulk per argument) and says when to send. Replies are
 * parsed by hiredis' reader and handed over one by one, in order; arrays as a whole. Sending never
 * waits without reading, so that two full socket buffers cannot lock each other up.
 *
 * After any status but RF_OK the connection is of no use any more: close it. An error that the
 * server replied is no such status; what it means is for the caller, who has rf_redis_error to
 * translate it. Zeroed is valid and closed. One thread at a time, but for rf_redis_interrupt.
 *
 * Source: https://redis.io/docs/reference/protocol-spec/ */
#ifndef ROWFERRY_NET_REDIS_H
#define ROWFERRY_NET_REDIS_H

#include "net/tls.h"

struct redisReader;

enum rf_redis_kind {
    RF_REDIS_STATUS = 1, /* text */
    RF_REDIS_ERROR,      /* text */
    RF_REDIS_INTEGER,    /* integer */
    RF_REDIS_BULK,       /* text */
    RF_REDIS_NIL,
    RF_REDIS_ARRAY, /* count; items when they are kept */
};

/* A whole reply. Everything in it is valid until the next one is read. */
struct rf_redis_reply {
    enum rf_redis_kind kind;
    int64_t integer;
    struct rf_str text;
    uint32_t count; /* RF_REDIS_ARRAY: its elements */
    /* RF_REDIS_ARRAY: the first element that is an error, and its text; UINT32_MAX: none is. */
    uint32_t error_at;
    struct rf_str error;
    /* RF_REDIS_ARRAY, with `keep`: the texts in it, those of inner arrays too, in order. Integers
     * and nils have an empty one. */
    struct rf_str *items;
    uint32_t item_count;
};

/* Takes one reply. Another status than RF_OK ends the call that is reading, with that status. */
typedef enum rf_status rf_redis_take(void *argument, const struct rf_redis_reply *reply,
                                     struct rf_error *err);

struct rf_redis {
    rf_redis_take *take; /* NULL: replies are only counted, and the last one stays in `reply` */
    void *argument;
    bool keep;         /* fill `items` of arrays */
    struct rf_buf out; /* commands; those before `sent` are gone already */
    size_t sent;
    uint64_t asked;    /* commands written */
    uint64_t answered; /* replies read */
    struct rf_redis_reply reply;
    struct redisReader *reader;
    struct rf_buf text; /* of the reply that is being read */
    size_t *ends;       /* of its kept items in text */
    uint32_t end_capacity;
    uint32_t item_capacity;
    int64_t timeout_ms;
    char *where; /* "host:port", for messages */
    char *peer;  /* "Redis at host:port" */
    int fd;
    bool connected;
    struct rf_tls tls; /* over fd; its session is NULL when the connection is in the clear */
    short read_events; /* what the last reading and sending wait for */
    short send_events;
    atomic_bool interrupted; /* the last member: all before it is what close gives back */
};

/* Where and as whom. Everything is borrowed for the call. */
struct rf_redis_address {
    const char *host;
    uint16_t port;
    const char *user;     /* NULL or empty: the default user */
    const char *password; /* NULL or empty: no AUTH */
    struct rf_tls_options tls;
    uint32_t database;
    int64_t connect_timeout_ms; /* of connecting and logging in */
    int64_t timeout_ms;         /* without a byte from the other side, after that */
};

/* Connects, by TLS where that is wanted, logs in, selects the database. Returns RF_OK; RF_RETRY
 * (not reachable, with err->connect; interrupted; not ready); RF_CONFIG (refused, with err->access
 * for user and password; not a Redis server; TLS not as wanted). */
RF_USE_RESULT enum rf_status rf_redis_connect(struct rf_redis *redis,
                                              const struct rf_redis_address *address,
                                              struct rf_error *err);
/* Accepts closed ones. An interrupt stays in force. */
void rf_redis_close(struct rf_redis *redis);
/* Makes the call under way, and each later one, return soon with RF_RETRY. Not while, nor after,
 * the memory of redis goes away. Thread: any. */
void rf_redis_interrupt(struct rf_redis *redis);

/* Writes the head of a number line: "*3\r\n", "$12\r\n". Returns the first byte behind it, at most
 * 24 further on. */
static inline char *rf_redis_head(char *at, char type, uint64_t number)
{
    *at++ = type;
    if (number < 10) {
        *at++ = (char)('0' + number);
    } else {
        char digits[20];
        size_t first = sizeof digits;
        for (; number > 0; number /= 10) {
            digits[--first] = (char)('0' + number % 10);
        }
        memcpy(at, digits + first, sizeof digits - first);
        at += sizeof digits - first;
    }
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

/* Begins a command of that many arguments, its name counted. */
static inline void rf_redis_begin(struct rf_redis *redis, uint32_t arguments)
{
    char *at = rf_buf_reserve(&redis->out, 24);
    redis->out.size += (size_t)(rf_redis_head(at, '*', arguments) - at);
    redis->asked++;
}

/* One argument. */
static inline void rf_redis_bulk(struct rf_redis *redis, struct rf_str argument)
{
    char *begin = rf_buf_reserve(&redis->out, argument.size + 26);
    char *at = rf_redis_head(begin, '$', argument.size);
    if (argument.size > 0) {
        memcpy(at, argument.data, argument.size);
        at += argument.size;
    }
    *at++ = '\r';
    *at++ = '\n';
    redis->out.size += (size_t)(at - begin);
}

/* A whole command of a few arguments. */
void rf_redis_command(struct rf_redis *redis, const struct rf_str *arguments, uint32_t count);

/* Sends what is written as far as it goes without waiting, and reads what has come; waits only as
 * long as more than unsent_max bytes are left to send.
 * Returns RF_OK; RF_RETRY; what `take` returned. */
RF_USE_RESULT enum rf_status rf_redis_push(struct rf_redis *redis, size_t unsent_max,
                                           struct rf_error *err);
/* Sends everything and waits until that many replies in all were read (see asked, answered).
 * Returns RF_OK; RF_RETRY; what `take` returned. */
RF_USE_RESULT enum rf_status rf_redis_wait(struct rf_redis *redis, uint64_t answered,
                                           struct rf_error *err);

/* Fills err from an error that the server replied, and says what it means: RF_RETRY (loading, out
 * of memory, read-only, busy ...), RF_CONFIG (not permitted, with err->access; a cluster; a
 * command that it does not know), RF_REJECT for everything that is about the command's own data
 * (wrong type ...). */
enum rf_status rf_redis_error(const struct rf_redis *redis, struct rf_str text,
                              struct rf_error *err);

#endif
