#include "net/redis.h"

#include "base/clock.h"
#include "base/memory.h"
#include "net/tcp.h"

#include <errno.h>
#include <hiredis/read.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RECEIVE_BYTES = 32 * 1024,
    TIMEOUT_MS = 10000,
    COMPACT_BYTES = 1024 * 1024,
};

/* -------------------------------------------------------------------------------------- replies */

/* The reader wants an object per reply and element; ours live in struct rf_redis, so that each gets
 * the same one. */
static char object;

static struct rf_redis *owner_of(const struct redisReadTask *task)
{
    return task->privdata;
}

static void begin_reply(struct rf_redis *redis, enum rf_redis_kind kind)
{
    redis->text.size = 0;
    redis->reply =
        (struct rf_redis_reply){.kind = kind, .items = redis->reply.items, .error_at = UINT32_MAX};
}

static void keep_item(struct rf_redis *redis)
{
    struct rf_redis_reply *reply = &redis->reply;
    if (reply->item_count == redis->end_capacity) {
        redis->end_capacity = redis->end_capacity ? redis->end_capacity * 2 : 64;
        redis->ends = rf_realloc(redis->ends, redis->end_capacity * sizeof *redis->ends);
    }
    redis->ends[reply->item_count++] = redis->text.size;
}

static void *on_text(const struct redisReadTask *task, char *text, size_t size)
{
    struct rf_redis *redis = owner_of(task);
    if (task->parent == NULL) {
        begin_reply(redis, task->type == REDIS_REPLY_STATUS  ? RF_REDIS_STATUS
                           : task->type == REDIS_REPLY_ERROR ? RF_REDIS_ERROR
                                                             : RF_REDIS_BULK);
        rf_buf_add(&redis->text, text, size);
        return &object;
    }
    struct rf_redis_reply *reply = &redis->reply;
    bool error = task->type == REDIS_REPLY_ERROR && task->parent->parent == NULL;
    if (error && reply->error_at == UINT32_MAX && !redis->keep) {
        reply->error_at = (uint32_t)task->idx;
        rf_buf_add(&redis->text, text, size);
    } else if (redis->keep) {
        rf_buf_add(&redis->text, text, size);
        keep_item(redis);
    }
    return &object;
}

static void *on_array(const struct redisReadTask *task, int count)
{
    struct rf_redis *redis = owner_of(task);
    if (task->parent == NULL) {
        begin_reply(redis, RF_REDIS_ARRAY);
        redis->reply.count = (uint32_t)count;
    }
    return &object;
}

static void *on_integer(const struct redisReadTask *task, long long number)
{
    struct rf_redis *redis = owner_of(task);
    if (task->parent == NULL) {
        begin_reply(redis, RF_REDIS_INTEGER);
        redis->reply.integer = number;
    } else if (redis->keep) {
        keep_item(redis);
    }
    return &object;
}

static void *on_nil(const struct redisReadTask *task)
{
    struct rf_redis *redis = owner_of(task);
    if (task->parent == NULL) {
        begin_reply(redis, RF_REDIS_NIL);
    } else if (redis->keep) {
        keep_item(redis);
    }
    return &object;
}

static void on_free(void *nothing)
{
    (void)nothing;
}

/* Texts got their final place only now that the buffer does not grow any more. */
static void finish_reply(struct rf_redis *redis)
{
    struct rf_redis_reply *reply = &redis->reply;
    if (reply->kind != RF_REDIS_ARRAY) {
        reply->text = rf_buf_str(&redis->text);
    } else if (!redis->keep) {
        reply->error = rf_buf_str(&redis->text);
    } else {
        if (reply->item_count > redis->item_capacity) {
            redis->item_capacity = redis->end_capacity;
            reply->items = rf_realloc(reply->items, redis->item_capacity * sizeof *reply->items);
        }
        for (uint32_t i = 0; i < reply->item_count; i++) {
            size_t begin = i > 0 ? redis->ends[i - 1] : 0;
            reply->items[i] = (struct rf_str){redis->text.data + begin, redis->ends[i] - begin};
        }
    }
}

static enum rf_status not_redis(const struct rf_redis *redis, struct rf_error *err)
{
    if (redis->answered > 0) {
        return rf_fail(err, RF_RETRY, "the answer of Redis at %s is damaged: %s", redis->where,
                       redis->reader->errstr);
    }
    rf_fail(err, RF_CONFIG, "what answers at %s is not a Redis server: %s", redis->where,
            redis->reader->errstr);
    rf_error_hint(err, "check host and port");
    return RF_CONFIG;
}

static enum rf_status take_replies(struct rf_redis *redis, struct rf_error *err)
{
    for (;;) {
        void *reply = NULL;
        if (redisReaderGetReply(redis->reader, &reply) != REDIS_OK) {
            return not_redis(redis, err);
        }
        if (reply == NULL) {
            return RF_OK;
        }
        finish_reply(redis);
        if (redis->answered == redis->asked) {
            return rf_fail(err, RF_RETRY, "Redis at %s answered what was not asked", redis->where);
        }
        redis->answered++;
        enum rf_status status =
            redis->take != NULL ? redis->take(redis->argument, &redis->reply, err) : RF_OK;
        if (status != RF_OK) {
            return status;
        }
    }
}

/* ------------------------------------------------------------------------------------- transfer */

static enum rf_status lost(const struct rf_redis *redis, int code, struct rf_error *err)
{
    rf_fail(err, RF_RETRY, "the connection to Redis at %s was lost: %s", redis->where,
            code ? strerror(code) : "closed by the server");
    if (err != NULL) {
        err->code = code;
    }
    return RF_RETRY;
}

/* Sends a piece of what waits. Returns RF_OK, with *size bytes gone; RF_AGAIN: the other side takes
 * no more now; RF_RETRY; RF_CONFIG. */
static enum rf_status send_piece(struct rf_redis *redis, size_t *size, struct rf_error *err)
{
    struct rf_str rest = {redis->out.data + redis->sent, redis->out.size - redis->sent};
    if (redis->tls.session != NULL) {
        return rf_tls_send(&redis->tls, rest, size, &redis->send_events, err);
    }
    for (;;) {
        ssize_t sent = send(redis->fd, rest.data, rest.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            *size = (size_t)sent;
            return RF_OK;
        }
        if (errno != EINTR) {
            redis->send_events = POLLOUT;
            return errno == EAGAIN || errno == EWOULDBLOCK ? RF_AGAIN : lost(redis, errno, err);
        }
    }
}

/* Both move what can be moved now and set *moved when something was. */
static enum rf_status send_some(struct rf_redis *redis, bool *moved, struct rf_error *err)
{
    redis->send_events = 0;
    while (redis->sent < redis->out.size) {
        size_t size = 0;
        enum rf_status status = send_piece(redis, &size, err);
        if (status == RF_AGAIN) {
            break;
        }
        if (status != RF_OK) {
            return status;
        }
        redis->sent += size;
        *moved = true;
    }
    if (redis->sent == redis->out.size) {
        redis->sent = redis->out.size = 0;
    } else if (redis->sent >= COMPACT_BYTES) {
        memmove(redis->out.data, redis->out.data + redis->sent, redis->out.size - redis->sent);
        redis->out.size -= redis->sent;
        redis->sent = 0;
    }
    return RF_OK;
}

static enum rf_status receive_piece(struct rf_redis *redis, char *data, size_t *size,
                                    struct rf_error *err)
{
    if (redis->tls.session != NULL) {
        return rf_tls_receive(&redis->tls, data, RECEIVE_BYTES, size, &redis->read_events, err);
    }
    for (;;) {
        ssize_t got = recv(redis->fd, data, RECEIVE_BYTES, MSG_DONTWAIT);
        if (got > 0) {
            *size = (size_t)got;
            return RF_OK;
        }
        if (got == 0) {
            return lost(redis, 0, err);
        }
        if (errno != EINTR) {
            redis->read_events = POLLIN;
            return errno == EAGAIN || errno == EWOULDBLOCK ? RF_AGAIN : lost(redis, errno, err);
        }
    }
}

static enum rf_status receive_some(struct rf_redis *redis, bool *moved, struct rf_error *err)
{
    char data[RECEIVE_BYTES];
    for (;;) {
        size_t size = 0;
        enum rf_status status = receive_piece(redis, data, &size, err);
        if (status != RF_OK) {
            return status == RF_AGAIN ? RF_OK : status;
        }
        *moved = true;
        if (redisReaderFeed(redis->reader, data, size) != REDIS_OK) {
            return rf_fail(err, RF_RETRY, "no memory for the answer of Redis at %s", redis->where);
        }
        status = take_replies(redis, err);
        /* A socket that had less than was asked for is empty; of TLS only the session knows. */
        if (status != RF_OK || (size < RECEIVE_BYTES && redis->tls.session == NULL)) {
            redis->read_events = POLLIN;
            return status;
        }
    }
}

static enum rf_status interrupted(const struct rf_redis *redis, struct rf_error *err)
{
    return rf_fail(err, RF_RETRY, "the connection to Redis at %s was interrupted", redis->where);
}

static enum rf_status pump(struct rf_redis *redis, size_t unsent_max, uint64_t answered,
                           struct rf_error *err)
{
    int64_t heard_ms = 0; /* the clock is read only when there is something to wait for */
    for (;;) {
        bool moved = false;
        if (atomic_load_explicit(&redis->interrupted, memory_order_relaxed)) {
            return interrupted(redis, err);
        }
        struct rf_error broken = {0};
        enum rf_status sent = send_some(redis, &moved, &broken);
        /* Even when nothing can be sent any more: the server may have said why. */
        enum rf_status status = receive_some(redis, &moved, err);
        if (status != RF_OK) {
            return status;
        }
        if (sent != RF_OK) {
            if (err != NULL) {
                *err = broken;
            }
            return sent;
        }
        size_t unsent = redis->out.size - redis->sent;
        if (unsent <= unsent_max && redis->answered >= answered) {
            return RF_OK;
        }
        int64_t now_ms = rf_clock_ms();
        heard_ms = moved || heard_ms == 0 ? now_ms : heard_ms;
        if (now_ms - heard_ms >= redis->timeout_ms) {
            return rf_fail(err, RF_RETRY, "Redis at %s did not answer for %lld ms", redis->where,
                           (long long)(now_ms - heard_ms));
        }
        struct pollfd wait = {redis->fd, (short)(redis->read_events | redis->send_events), 0};
        (void)poll(&wait, 1, RF_TCP_SLICE_MS);
    }
}

enum rf_status rf_redis_push(struct rf_redis *redis, size_t unsent_max, struct rf_error *err)
{
    return pump(redis, unsent_max, 0, err);
}

enum rf_status rf_redis_wait(struct rf_redis *redis, uint64_t answered, struct rf_error *err)
{
    rf_assert(answered <= redis->asked);
    return pump(redis, 0, answered, err);
}

void rf_redis_command(struct rf_redis *redis, const struct rf_str *arguments, uint32_t count)
{
    rf_redis_begin(redis, count);
    for (uint32_t i = 0; i < count; i++) {
        rf_redis_bulk(redis, arguments[i]);
    }
}

/* --------------------------------------------------------------------------------------- errors */

static struct rf_str first_word(struct rf_str text)
{
    struct rf_str word = RF_STR_NONE;
    (void)rf_str_split(&text, ' ', &word);
    return word;
}

enum rf_status rf_redis_error(const struct rf_redis *redis, struct rf_str text,
                              struct rf_error *err)
{
    static const struct {
        const char *word;
        enum rf_status status;
        bool access;
        const char *hint;
    } words[] = {
        {"LOADING", RF_RETRY, false, NULL},
        {"BUSY", RF_RETRY, false, NULL},
        {"UNKILLABLE", RF_RETRY, false, NULL},
        {"TRYAGAIN", RF_RETRY, false, NULL},
        {"NOREPLICAS", RF_RETRY, false, NULL},
        {"OOM", RF_RETRY, false,
         "Redis has used up its maxmemory: give it more, or remove something"},
        {"READONLY", RF_RETRY, false,
         "this is a replica; if it is not about to be promoted, give the primary's address"},
        {"MASTERDOWN", RF_RETRY, false, "this is a replica without its primary"},
        {"MISCONF", RF_RETRY, false,
         "Redis cannot save to its disk and refuses to write; its log says why"},
        {"NOAUTH", RF_CONFIG, true,
         "Redis wants a password: set password, password_file or an "
         "environment variable"},
        {"WRONGPASS", RF_CONFIG, true, "check user and password"},
        {"NOPERM", RF_CONFIG, true, "the ACL of this user does not allow it"},
        {"DENIED", RF_CONFIG, true,
         "Redis runs in protected mode and takes connections from its own host only"},
        {"MOVED", RF_CONFIG, false, "Redis Cluster is not supported"},
        {"ASK", RF_CONFIG, false, "Redis Cluster is not supported"},
        {"CLUSTERDOWN", RF_CONFIG, false, "Redis Cluster is not supported"},
        {"CROSSSLOT", RF_CONFIG, false, "Redis Cluster is not supported"},
    };
    enum rf_status status = RF_REJECT;
    const char *hint = NULL;
    bool access = false;
    struct rf_str word = first_word(text);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (rf_str_equal(word, rf_str_of(words[i].word))) {
            status = words[i].status;
            hint = words[i].hint;
            access = words[i].access;
        }
    }
    if (rf_str_starts(text, RF_STR("ERR max number of clients"))) {
        status = RF_RETRY;
    } else if (rf_str_starts(text, RF_STR("ERR unknown command"))) {
        /* Behind a comma it would repeat what it was given: rows. */
        const char *comma = memchr(text.data, ',', text.size);
        text.size = comma != NULL ? (size_t)(comma - text.data) : text.size;
        status = RF_CONFIG;
        hint = "the server must know the commands of Redis 4.0, and none of them renamed";
    } else if (rf_str_starts(text, RF_STR("ERR Protocol error"))) {
        status = RF_CONFIG;
        hint = "the value may be larger than the server's proto-max-bulk-len";
    }
    rf_fail(err, status, "Redis at %s refused: %.*s", redis->where, RF_STR_ARG(text));
    if (hint != NULL) {
        rf_error_hint(err, "%s", hint);
    }
    if (err != NULL) {
        err->access = access;
    }
    return status;
}

/* ----------------------------------------------------------------------------------- connecting */

/* What a server says about an AUTH that it does not know may repeat all of it. */
static enum rf_status auth_refused(const struct rf_redis *redis, struct rf_str password,
                                   struct rf_error *err)
{
    struct rf_str text = redis->reply.text;
    if (rf_str_starts(text, RF_STR("ERR unknown command"))) {
        rf_fail(err, RF_CONFIG, "Redis at %s does not know the command AUTH", redis->where);
        rf_error_hint(err, "leave out the password if it needs none; AUTH must not be renamed");
    } else if (memmem(text.data, text.size, password.data, password.size) != NULL) {
        rf_fail(err, RF_CONFIG, "Redis at %s refused AUTH, in words that hold the password",
                redis->where);
        rf_error_hint(err, "check user and password, and whether the server wants any");
    } else {
        return rf_redis_error(redis, text, err);
    }
    return RF_CONFIG;
}

/* One command of the log-in: every refusal of it is for the operator, but for those that pass. */
static enum rf_status login(struct rf_redis *redis, const struct rf_str *arguments, uint32_t count,
                            struct rf_str password, struct rf_error *err)
{
    rf_redis_command(redis, arguments, count);
    enum rf_status status = rf_redis_wait(redis, redis->asked, err);
    if (status == RF_OK && redis->reply.kind == RF_REDIS_ERROR) {
        const bool access = password.size > 0;
        status = access ? auth_refused(redis, password, err)
                        : rf_redis_error(redis, redis->reply.text, err);
        if (status == RF_REJECT) {
            status = rf_fail(err, RF_CONFIG, "Redis at %s refused: %.*s", redis->where,
                             RF_STR_ARG(redis->reply.text));
            rf_error_hint(err, access ? "check user and password"
                                      : "the part of the address behind the host is the number of "
                                        "the database");
        }
        if (status == RF_CONFIG && err != NULL) {
            err->access = access || err->access;
        }
    }
    return status;
}

/* Nothing of the log-in is sent before this is over. */
static enum rf_status secure(struct rf_redis *redis, const struct rf_redis_address *address,
                             int64_t deadline_ms, struct rf_error *err)
{
    if (!rf_tls_wanted(&address->tls, address->host)) {
        return RF_OK;
    }
    return rf_tls_connect(&redis->tls, redis->fd, address->host, redis->peer, &address->tls,
                          deadline_ms, &redis->interrupted, err);
}

static enum rf_status log_in(struct rf_redis *redis, const struct rf_redis_address *address,
                             struct rf_error *err)
{
    enum rf_status status = RF_OK;
    struct rf_str password = rf_str_of(address->password), user = rf_str_of(address->user);
    if (password.size > 0) {
        struct rf_str words[] = {RF_STR("AUTH"), user, password};
        if (user.size == 0) {
            words[1] = password;
        }
        status = login(redis, words, user.size > 0 ? 3 : 2, password, err);
        /* Nothing of it stays in memory that is written over and over. */
        explicit_bzero(redis->out.data, redis->out.capacity);
        if (redis->text.data != NULL) {
            explicit_bzero(redis->text.data, redis->text.capacity);
        }
    }
    if (status == RF_OK && address->database > 0) {
        char number[12];
        snprintf(number, sizeof number, "%u", address->database);
        struct rf_str words[] = {RF_STR("SELECT"), rf_str_of(number)};
        status = login(redis, words, 2, RF_STR_NONE, err);
    }
    return status;
}

static struct redisReader *create_reader(struct rf_redis *redis)
{
    static redisReplyObjectFunctions functions = {on_text, on_array, on_integer, on_nil, on_free};
    struct redisReader *reader = redisReaderCreateWithFunctions(&functions);
    rf_assert(reader != NULL);
    reader->maxbuf = 0; /* it gives back and takes again its buffer at each reading otherwise */
    reader->privdata = redis;
    return reader;
}

enum rf_status rf_redis_connect(struct rf_redis *redis, const struct rf_redis_address *address,
                                struct rf_error *err)
{
    struct rf_buf where = {0};
    int64_t limit_ms = address->connect_timeout_ms > 0 ? address->connect_timeout_ms : TIMEOUT_MS;
    int64_t deadline_ms = rf_clock_ms() + limit_ms;
    rf_buf_printf(&where, strchr(address->host, ':') ? "[%s]:%u" : "%s:%u", address->host,
                  address->port);
    redis->where = rf_str_dup(rf_buf_str(&where));
    rf_buf_reset(&where);
    rf_buf_printf(&where, "Redis at %s", redis->where);
    redis->peer = rf_str_dup(rf_buf_str(&where));
    rf_buf_deinit(&where);
    redis->reader = create_reader(redis);

    enum rf_status status = rf_tcp_connect(address->host, address->port, redis->peer, deadline_ms,
                                           &redis->interrupted, &redis->fd, err);
    redis->connected = status == RF_OK;
    if (status == RF_OK) {
        status = secure(redis, address, deadline_ms, err);
    }
    if (status == RF_OK) {
        int64_t left_ms = deadline_ms - rf_clock_ms();
        redis->timeout_ms = left_ms > RF_TCP_SLICE_MS ? left_ms : RF_TCP_SLICE_MS;
        status = log_in(redis, address, err);
    }
    redis->timeout_ms = address->timeout_ms > 0 ? address->timeout_ms : TIMEOUT_MS;
    return status;
}

void rf_redis_close(struct rf_redis *redis)
{
    rf_tls_close(&redis->tls);
    if (redis->connected) {
        close(redis->fd);
    }
    if (redis->reader != NULL) {
        redisReaderFree(redis->reader);
    }
    rf_buf_deinit(&redis->out);
    rf_buf_deinit(&redis->text);
    free(redis->reply.items);
    free(redis->ends);
    free(redis->where);
    free(redis->peer);
    memset(redis, 0, offsetof(struct rf_redis, interrupted));
}

void rf_redis_interrupt(struct rf_redis *redis)
{
    atomic_store(&redis->interrupted, true);
}
