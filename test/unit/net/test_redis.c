#include "lib/redis_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Says what it is told to whoever connects, a few bytes at a time, and hangs up: what no real
 * server can be made to do. */
struct speaker {
    int listener;
    uint16_t port;
    const char *text;
    size_t step;
    pthread_t thread;
};

static void *speak(void *argument)
{
    const struct speaker *speaker = argument;
    char heard[256];
    int fd = accept(speaker->listener, NULL, NULL);
    rf_assert(fd >= 0 && recv(fd, heard, sizeof heard, 0) > 0);
    for (size_t at = 0, size = strlen(speaker->text); at < size; at += speaker->step) {
        size_t rest = size - at < speaker->step ? size - at : speaker->step;
        if (send(fd, speaker->text + at, rest, MSG_NOSIGNAL) < 0) {
            break;
        }
    }
    close(fd);
    return NULL;
}

static void speaker_start(struct speaker *speaker, const char *text, size_t step)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    *speaker = (struct speaker){.text = text, .step = step};
    speaker->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(speaker->listener >= 0);
    assert_int_equal(bind(speaker->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(speaker->listener, 1), 0);
    assert_int_equal(getsockname(speaker->listener, (struct sockaddr *)&address, &size), 0);
    speaker->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&speaker->thread, NULL, speak, speaker), 0);
}

static void speaker_stop(struct speaker *speaker)
{
    pthread_join(speaker->thread, NULL);
    close(speaker->listener);
}

static enum rf_status connect_to(struct rf_redis *redis, uint16_t port, struct rf_error *err)
{
    struct rf_redis_address address = {
        .host = "127.0.0.1", .port = port, .connect_timeout_ms = 5000, .timeout_ms = 5000};
    return rf_redis_connect(redis, &address, err);
}

/* Asks `count` things of a speaker that says this. */
static enum rf_status converse(struct rf_redis *redis, const char *said, size_t step, int count,
                               struct rf_error *err)
{
    struct speaker speaker;
    struct rf_str words[] = {RF_STR("PING")};
    speaker_start(&speaker, said, step);
    enum rf_status status = connect_to(redis, speaker.port, err);
    assert_int_equal(status, RF_OK);
    for (int i = 0; i < count; i++) {
        rf_redis_command(redis, words, 1);
    }
    status = rf_redis_wait(redis, redis->asked, err);
    speaker_stop(&speaker);
    return status;
}

struct seen {
    struct rf_buf text;
};

static enum rf_status note_reply(void *argument, const struct rf_redis_reply *reply,
                                 struct rf_error *err)
{
    struct rf_buf *out = &((struct seen *)argument)->text;
    (void)err;
    rf_buf_printf(out, "%d %lld '%.*s' %u", reply->kind, (long long)reply->integer,
                  RF_STR_ARG(reply->text), reply->count);
    if (reply->error_at != UINT32_MAX) {
        rf_buf_printf(out, " error %u '%.*s'", reply->error_at, RF_STR_ARG(reply->error));
    }
    for (uint32_t i = 0; i < reply->item_count; i++) {
        rf_buf_printf(out, " [%.*s]", RF_STR_ARG(reply->items[i]));
    }
    rf_buf_add_byte(out, '\n');
    return RF_OK;
}

static void test_replies_are_whole_however_they_come(void **state)
{
    (void)state;
    static const char said[] = "+OK\r\n:-7\r\n$3\r\na\r\n\r\n$-1\r\n-ERR no\r\n*0\r\n"
                               "*4\r\n:1\r\n-WRONGTYPE x\r\n-OTHER\r\n$1\r\nz\r\n"
                               "*2\r\n$1\r\n0\r\n*3\r\n$1\r\nb\r\n$-1\r\n$2\r\ncd\r\n*-1\r\n";
    static const char plain[] = "1 0 'OK' 0\n3 -7 '' 0\n4 0 'a\r\n' 0\n5 0 '' 0\n2 0 'ERR no' 0\n"
                                "6 0 '' 0\n6 0 '' 4 error 1 'WRONGTYPE x'\n6 0 '' 2\n5 0 '' 0\n";
    static const char kept[] = "1 0 'OK' 0\n3 -7 '' 0\n4 0 'a\r\n' 0\n5 0 '' 0\n2 0 'ERR no' 0\n"
                               "6 0 '' 0\n6 0 '' 4 [] [WRONGTYPE x] [OTHER] [z]\n"
                               "6 0 '' 2 [0] [b] [] [cd]\n5 0 '' 0\n";
    for (size_t step = 1; step < 200; step = step * 2 + 1) {
        for (int keep = 0; keep < 2; keep++) {
            struct rf_redis redis = {0};
            struct rf_error err = {0};
            struct seen seen = {0};
            redis.take = note_reply;
            redis.argument = &seen;
            redis.keep = keep;
            assert_int_equal(converse(&redis, said, step, 9, &err), RF_OK);
            assert_string_equal(rf_buf_cstr(&seen.text), keep ? kept : plain);
            rf_buf_deinit(&seen.text);
            rf_redis_close(&redis);
        }
    }
}

static void test_an_unknown_command_is_named_without_what_it_was_given(void **state)
{
    (void)state;
    static char where[] = "here:1";
    const struct rf_redis redis = {.where = where};
    struct rf_error err = {0};
    struct rf_str text =
        RF_STR("ERR unknown command 'HSET', with args beginning with: 'a' 'a row' ");
    assert_int_equal(rf_redis_error(&redis, text, &err), RF_CONFIG);
    assert_string_equal(err.message, "Redis at here:1 refused: ERR unknown command 'HSET'");
    assert_int_equal(rf_redis_error(&redis, RF_STR("ERR unknown command"), &err), RF_CONFIG);
    assert_string_equal(err.message, "Redis at here:1 refused: ERR unknown command");
}

static void test_what_is_not_redis_is_said_to_be_so(void **state)
{
    (void)state;
    static const struct {
        const char *said;
        int count;
        enum rf_status status;
        const char *message;
    } cases[] = {
        {"HTTP/1.1 400 Bad Request\r\n\r\n", 1, RF_CONFIG, "not a Redis server"},
        {"+OK\r\nHTTP", 2, RF_RETRY, "damaged"},
        {"+OK\r\n+OK\r\n", 1, RF_RETRY, "not asked"},
        {"", 1, RF_RETRY, "closed by the server"},
        {"+OK\r\n$5\r\nab", 2, RF_RETRY, "closed by the server"},
        {"*3\r\n+OK\r\n", 1, RF_RETRY, "closed by the server"},
        {"*2147483647\r\n$-1\r\n", 1, RF_RETRY, "closed by the server"},
        {"$2147483647\r\nx", 1, RF_RETRY, "closed by the server"},
        {"+OK\r\n$99999999999999999999\r\nx", 2, RF_RETRY, ""},
        {"+OK\r\n*-7\r\n", 2, RF_RETRY, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_redis redis = {0};
        struct rf_error err = {0};
        assert_int_equal(converse(&redis, cases[i].said, 1000, cases[i].count, &err),
                         cases[i].status);
        assert_non_null(strstr(err.message, cases[i].message));
        rf_redis_close(&redis);
    }
}

static void test_a_password_does_not_show_up_again(void **state)
{
    (void)state;
    struct speaker speaker;
    struct rf_redis redis = {0};
    struct rf_error err = {0};
    speaker_start(&speaker, "-WRONGPASS invalid username-password pair\r\n", 1000);
    struct rf_redis_address address = {.host = "127.0.0.1",
                                       .port = speaker.port,
                                       .user = "cdc",
                                       .password = "hunter2",
                                       .connect_timeout_ms = 5000};
    assert_int_equal(rf_redis_connect(&redis, &address, &err), RF_CONFIG);
    assert_true(err.access);
    assert_null(strstr(err.message, "hunter2"));
    assert_null(memmem(redis.out.data, redis.out.capacity, "hunter2", 7));
    speaker_stop(&speaker);
    rf_redis_close(&redis);
}

/* A server that does not know AUTH, or a proxy in front of one, says back what it was given. */
static void test_an_answer_that_repeats_the_password_is_not_shown(void **state)
{
    (void)state;
    struct rf_test_redis server = {0};
    const char *const users[] = {NULL, "cdc"};
    rf_test_redis_start(&server, "--rename-command AUTH NOTHING");
    for (size_t i = 0; i < 2; i++) {
        struct rf_redis redis = {0};
        struct rf_error err = {0};
        struct rf_redis_address address = {.host = "127.0.0.1",
                                           .port = (uint16_t)strtoul(server.port, NULL, 10),
                                           .user = users[i],
                                           .password = "hunter2",
                                           .connect_timeout_ms = 5000};
        assert_int_equal(rf_redis_connect(&redis, &address, &err), RF_CONFIG);
        assert_true(err.access);
        assert_non_null(strstr(err.message, "AUTH"));
        assert_null(strstr(err.message, "hunter2"));
        assert_null(strstr(err.hint, "hunter2"));
        assert_null(memmem(redis.text.data, redis.text.capacity, "hunter2", 7));
        rf_redis_close(&redis);
    }
    rf_test_redis_destroy(&server);
}

/* Both directions carry more than all buffers between the two can hold: who only sends, or only
 * reads, waits for ever. */
static void test_full_buffers_on_both_sides_do_not_lock_up(void **state)
{
    (void)state;
    enum { COMMANDS = 20000, SIZE = 3000 };
    static char payload[SIZE];
    struct rf_test_redis server = {0};
    struct rf_redis redis = {0};
    struct rf_error err = {0};
    struct rf_str words[] = {RF_STR("ECHO"), {payload, SIZE}};
    memset(payload, 'x', SIZE);
    rf_test_redis_start(&server, NULL);
    assert_int_equal(connect_to(&redis, (uint16_t)strtoul(server.port, NULL, 10), &err), RF_OK);
    for (int i = 0; i < COMMANDS; i++) {
        rf_redis_command(&redis, words, 2);
    }
    assert_int_equal(rf_redis_wait(&redis, redis.asked, &err), RF_OK);
    assert_int_equal(redis.answered, COMMANDS);
    assert_int_equal(redis.reply.text.size, SIZE);
    for (int i = 0; i < COMMANDS; i++) {
        rf_redis_command(&redis, words, 2);
        assert_int_equal(rf_redis_push(&redis, 1 << 20, &err), RF_OK);
        assert_true(redis.out.size - redis.sent <= 1 << 20);
    }
    assert_int_equal(rf_redis_wait(&redis, redis.asked, &err), RF_OK);
    rf_redis_close(&redis);
    rf_test_redis_destroy(&server);
}

static void test_an_interrupt_stays_in_force(void **state)
{
    (void)state;
    struct speaker speaker;
    struct rf_redis redis = {0};
    struct rf_error err = {0};
    struct rf_str words[] = {RF_STR("PING")};
    speaker_start(&speaker, "+PONG\r\n", 1000);
    assert_int_equal(connect_to(&redis, speaker.port, &err), RF_OK);
    rf_redis_command(&redis, words, 1);
    assert_int_equal(rf_redis_wait(&redis, 1, &err), RF_OK);
    rf_redis_interrupt(&redis);
    rf_redis_command(&redis, words, 1);
    assert_int_equal(rf_redis_wait(&redis, 2, &err), RF_RETRY);
    assert_int_equal(rf_redis_push(&redis, 0, &err), RF_RETRY);
    rf_redis_close(&redis);
    /* Nor does a new connection come about. */
    assert_int_equal(connect_to(&redis, speaker.port, &err), RF_RETRY);
    speaker_stop(&speaker);
    rf_redis_close(&redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies_are_whole_however_they_come),
        cmocka_unit_test(test_an_unknown_command_is_named_without_what_it_was_given),
        cmocka_unit_test(test_what_is_not_redis_is_said_to_be_so),
        cmocka_unit_test(test_a_password_does_not_show_up_again),
        cmocka_unit_test(test_an_answer_that_repeats_the_password_is_not_shown),
        cmocka_unit_test(test_full_buffers_on_both_sides_do_not_lock_up),
        cmocka_unit_test(test_an_interrupt_stays_in_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
