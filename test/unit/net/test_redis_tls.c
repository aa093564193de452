/* The Redis client over TLS, against a real server and certificates of every kind. */
#include "base/clock.h"
#include "lib/certificates.h"
#include "lib/redis_server.h"

#include <netinet/in.h>
#include <openssl/pem.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { DAY_S = 86400 };

static struct rf_test_redis server;
static char dir[64];
static uint16_t tls_port;
static int64_t connect_timeout_ms = 5000;
static struct rf_redis redis;
static struct rf_error err;

static const char *path_of(const char *file)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", dir, file);
    return path;
}

/* The server shows that certificate from now on. */
static void show(const char *name)
{
    char command[512];
    snprintf(command, sizeof command, "CONFIG SET tls-cert-file %s/%s.pem tls-key-file %s/%s.key",
             dir, name, dir, name);
    char *answer = rf_test_redis_ask(&server, command);
    assert_string_equal(answer, "OK");
    free(answer);
}

/* A connection as a user would ask for one; `ca` NULL: what the system trusts. */
static enum rf_status connect_with(const char *host, uint16_t port, enum rf_tls_mode mode,
                                   const char *ca, bool skip_verify, const char *own)
{
    char cert[128], key[128];
    snprintf(cert, sizeof cert, "%s/%s.pem", dir, own ? own : "");
    snprintf(key, sizeof key, "%s/%s.key", dir, own ? own : "");
    struct rf_redis_address address = {
        .host = host,
        .port = port,
        .tls = {.mode = mode,
                .ca = ca ? path_of(ca) : NULL,
                .skip_verify = skip_verify,
                .cert = own ? cert : NULL,
                .key = own ? key : NULL},
        .connect_timeout_ms = connect_timeout_ms,
        .timeout_ms = 5000,
    };
    struct rf_str words[] = {RF_STR("PING")};
    rf_redis_close(&redis);
    err = (struct rf_error){0};
    enum rf_status status = rf_redis_connect(&redis, &address, &err);
    if (status == RF_OK) {
        rf_redis_command(&redis, words, 1);
        status = rf_redis_wait(&redis, redis.asked, &err);
        if (status == RF_OK && mode != RF_TLS_OFF && redis.reply.kind == RF_REDIS_STATUS) {
            assert_non_null(redis.tls.session); /* no answer ever came in the clear */
        }
    }
    return status;
}

static void expect_said(const char *words)
{
    if (strstr(err.message, words) == NULL) {
        print_message("'%s' is not in: %s\n", words, err.message);
    }
    assert_non_null(strstr(err.message, words));
}

static void test_a_good_certificate_is_taken_by_name_and_by_address(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    show("good");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(connect_with(hosts[i], tls_port, RF_TLS_ON, "ca.pem", false, NULL), RF_OK);
        assert_true(rf_str_equal(redis.reply.text, RF_STR("PONG")));
    }
}

static void test_a_certificate_that_is_not_good_is_refused_and_the_reason_said(void **state)
{
    (void)state;
    static const struct {
        const char *shown, *ca, *said;
    } cases[] = {
        {"expired", "ca.pem", "expired"},
        {"future", "ca.pem", "not yet valid"},
        {"elsewhere", "ca.pem", "IP address mismatch"},
        {"stranger", "ca.pem", "unable to get local issuer"},
        {"good", "other-ca.pem", "self-signed certificate in"},
        {"good", NULL, "self-signed certificate in"},
        {"alone", "ca.pem", "self-signed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        show(cases[i].shown);
        assert_int_equal(connect_with("127.0.0.1", tls_port, RF_TLS_ON, cases[i].ca, false, NULL),
                         RF_CONFIG);
        expect_said("is not good");
        expect_said(cases[i].said);
        assert_int_not_equal(err.hint[0], 0);
        /* Asked for by name, it is encrypted all the same. */
        assert_int_equal(connect_with("127.0.0.1", tls_port, RF_TLS_ON, cases[i].ca, true, NULL),
                         RF_OK);
    }
    show("elsewhere");
    assert_int_equal(connect_with("localhost", tls_port, RF_TLS_ON, "ca.pem", false, NULL),
                     RF_CONFIG);
    expect_said("hostname mismatch");
}

static void test_a_server_without_tls_is_never_spoken_to_in_the_clear(void **state)
{
    (void)state;
    uint16_t port = (uint16_t)strtoul(server.port, NULL, 10);
    connect_timeout_ms = 500; /* it may wait for the end of a line that never comes */
    for (int skip = 0; skip < 2; skip++) {
        enum rf_status status =
            connect_with("127.0.0.1", port, RF_TLS_ON, "ca.pem", skip != 0, NULL);
        assert_true(status == RF_CONFIG || status == RF_RETRY);
        assert_non_null(strstr(err.hint, "tls=off"));
    }
    connect_timeout_ms = 5000;
}

static void test_tls_is_left_out_on_loopback_only(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool wanted;
    } cases[] = {
        {"127.0.0.1", false}, {"127.8.9.1", false},        {"localhost", false}, {"::1", false},
        {"10.0.0.1", true},   {"localhost.example", true}, {"fe80::1", true},    {"db", true},
    };
    struct rf_tls_options options = {.mode = RF_TLS_AUTO};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(rf_tls_wanted(&options, cases[i].host), cases[i].wanted);
    }
    options.mode = RF_TLS_ON;
    assert_true(rf_tls_wanted(&options, "localhost"));
    options.mode = RF_TLS_OFF;
    assert_false(rf_tls_wanted(&options, "db"));
    /* What is said in the clear to a port with TLS is not understood, and not tried otherwise. */
    assert_int_not_equal(connect_with("127.0.0.1", tls_port, RF_TLS_AUTO, "ca.pem", false, NULL),
                         RF_OK);
}

static void test_our_certificate_is_shown_to_a_server_that_wants_one(void **state)
{
    (void)state;
    show("good");
    free(rf_test_redis_ask(&server, "CONFIG SET tls-auth-clients yes"));
    assert_int_equal(connect_with("127.0.0.1", tls_port, RF_TLS_ON, "ca.pem", false, NULL),
                     RF_CONFIG);
    expect_said("does not accept our certificate");
    assert_true(err.access);
    assert_int_equal(connect_with("127.0.0.1", tls_port, RF_TLS_ON, "ca.pem", false, "stranger"),
                     RF_CONFIG);
    expect_said("does not accept our certificate");
    assert_int_equal(connect_with("127.0.0.1", tls_port, RF_TLS_ON, "ca.pem", false, "good"),
                     RF_OK);
    free(rf_test_redis_ask(&server, "CONFIG SET tls-auth-clients no"));
}

static void test_files_that_cannot_be_used_are_named(void **state)
{
    (void)state;
    FILE *file = fopen(path_of("empty.pem"), "we");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(connect_with("127.0.0.1", tls_port, RF_TLS_ON, "none.pem", false, NULL),
                     RF_CONFIG);
    expect_said("none.pem");
    assert_int_equal(connect_with("127.0.0.1", tls_port, RF_TLS_ON, "empty.pem", false, NULL),
                     RF_CONFIG);
    expect_said("tls_ca");
    assert_int_equal(connect_with("127.0.0.1", tls_port, RF_TLS_ON, "ca.pem", false, "none"),
                     RF_CONFIG);
    expect_said("tls_cert");
    /* A key that belongs to another one. */
    assert_int_equal(rename(path_of("alone.key"), path_of("kept.key")), 0);
    assert_int_equal(link(path_of("good.key"), path_of("alone.key")), 0);
    assert_int_equal(connect_with("127.0.0.1", tls_port, RF_TLS_ON, "ca.pem", false, "alone"),
                     RF_CONFIG);
    expect_said("tls_key");
    assert_int_equal(rename(path_of("kept.key"), path_of("alone.key")), 0);
}

/* Nobody is there who could type a pass phrase: nothing may wait for one. */
static void test_a_key_behind_a_pass_phrase_is_refused_and_not_asked_for(void **state)
{
    (void)state;
    FILE *file = fopen(path_of("good.key"), "re");
    assert_non_null(file);
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    assert_non_null(key);
    assert_int_equal(link(path_of("good.pem"), path_of("locked.pem")), 0);
    file = fopen(path_of("locked.key"), "we");
    assert_non_null(file);
    assert_int_equal(
        PEM_write_PKCS8PrivateKey(file, key, EVP_aes_256_cbc(), "phrase", 6, NULL, NULL), 1);
    fclose(file);
    EVP_PKEY_free(key);
    assert_int_equal(connect_with("127.0.0.1", tls_port, RF_TLS_ON, "ca.pem", false, "locked"),
                     RF_CONFIG);
    expect_said("tls_key");
    expect_said("pass phrase");
    assert_int_equal(unlink(path_of("locked.pem")) + unlink(path_of("locked.key")), 0);
}

static void test_full_buffers_on_both_sides_do_not_lock_up(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20, COMMANDS = 24 };
    char *value = calloc(1, SIZE);
    assert_non_null(value);
    show("good");
    assert_int_equal(connect_with("127.0.0.1", tls_port, RF_TLS_ON, "ca.pem", false, NULL), RF_OK);
    struct rf_str words[] = {RF_STR("ECHO"), {value, SIZE}};
    for (int i = 0; i < COMMANDS; i++) {
        rf_redis_command(&redis, words, 2);
    }
    assert_int_equal(rf_redis_wait(&redis, redis.asked, &err), RF_OK);
    assert_int_equal(redis.reply.text.size, SIZE);
    for (int i = 0; i < COMMANDS; i++) {
        value[i] = 'x';
        rf_redis_command(&redis, words, 2);
        assert_int_equal(rf_redis_push(&redis, 1 << 20, &err), RF_OK);
    }
    assert_int_equal(rf_redis_wait(&redis, redis.asked, &err), RF_OK);
    assert_memory_equal(redis.reply.text.data, value, SIZE);
    free(value);
}

static void test_a_server_that_goes_away_is_a_lost_connection(void **state)
{
    (void)state;
    struct rf_str words[] = {RF_STR("PING")};
    show("good");
    assert_int_equal(connect_with("127.0.0.1", tls_port, RF_TLS_ON, "ca.pem", false, NULL), RF_OK);
    free(rf_test_redis_ask(&server, "CLIENT KILL TYPE normal SKIPME yes"));
    rf_redis_command(&redis, words, 1);
    assert_int_equal(rf_redis_wait(&redis, redis.asked, &err), RF_RETRY);
    expect_said("lost");
}

static void signal_server(int number)
{
    char path[300];
    long pid = 0;
    snprintf(path, sizeof path, "%s/redis.pid", server.dir);
    FILE *file = fopen(path, "re");
    assert_true(file != NULL && fscanf(file, "%ld", &pid) == 1 && pid > 1);
    fclose(file);
    assert_int_equal(kill((pid_t)pid, number), 0);
}

static void *interrupt_soon(void *argument)
{
    (void)argument;
    poll(NULL, 0, 200); /* it blocks by then; when this comes earlier, it is seen too */
    rf_redis_interrupt(&redis);
    return NULL;
}

/* Frozen, it takes connections, by its kernel, and says nothing. */
static void test_a_frozen_server_holds_nobody_for_long(void **state)
{
    (void)state;
    static const enum rf_tls_mode modes[] = {RF_TLS_ON, RF_TLS_OFF};
    for (int i = 0; i < 2; i++) {
        uint16_t port = i == 0 ? tls_port : (uint16_t)strtoul(server.port, NULL, 10);
        struct rf_redis_address address = {.host = "127.0.0.1",
                                           .port = port,
                                           .user = "default",
                                           .password = "any",
                                           .tls = {.mode = modes[i], .ca = path_of("ca.pem")},
                                           .connect_timeout_ms = 700,
                                           .timeout_ms = 60000};
        pthread_t thread;
        rf_redis_close(&redis);
        signal_server(SIGSTOP);
        int64_t began_ms = rf_clock_ms();
        enum rf_status timed_out = rf_redis_connect(&redis, &address, &err);
        int64_t timeout_ms = rf_clock_ms() - began_ms;
        rf_redis_close(&redis);
        address.connect_timeout_ms = 60000;
        began_ms = rf_clock_ms();
        assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, NULL), 0);
        enum rf_status interrupted = rf_redis_connect(&redis, &address, &err);
        pthread_join(thread, NULL);
        int64_t interrupted_ms = rf_clock_ms() - began_ms;
        signal_server(SIGCONT);
        rf_redis_close(&redis);
        redis = (struct rf_redis){0}; /* the interrupt ends with it */
        assert_int_equal(timed_out, RF_RETRY);
        assert_in_range(timeout_ms, 600, 3000);
        assert_int_equal(interrupted, RF_RETRY);
        assert_in_range(interrupted_ms, 150, 2000);
        expect_said("interrupted");
    }
}

/* A port that is free now. */
static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static int start_server(void **state)
{
    (void)state;
    char options[512];
    snprintf(dir, sizeof dir, "/tmp/rowferry-tls-XXXXXX");
    rf_assert(mkdtemp(dir) != NULL && chmod(dir, 0755) == 0);
    rf_test_certificate(dir, "ca", NULL, NULL, -DAY_S, DAY_S);
    rf_test_certificate(dir, "other-ca", NULL, NULL, -DAY_S, DAY_S);
    rf_test_certificate(dir, "good", "ca", "DNS:localhost,IP:127.0.0.1", -DAY_S, DAY_S);
    rf_test_certificate(dir, "expired", "ca", "IP:127.0.0.1", -2 * DAY_S, -DAY_S);
    rf_test_certificate(dir, "future", "ca", "IP:127.0.0.1", DAY_S, 2 * DAY_S);
    rf_test_certificate(dir, "elsewhere", "ca", "DNS:redis.example,IP:10.0.0.1", -DAY_S, DAY_S);
    rf_test_certificate(dir, "stranger", "other-ca", "IP:127.0.0.1", -DAY_S, DAY_S);
    rf_test_certificate(dir, "alone", NULL, "IP:127.0.0.1", -DAY_S, DAY_S);
    tls_port = free_port();
    snprintf(options, sizeof options,
             "--tls-port %u --tls-cert-file %s/good.pem --tls-key-file %s/good.key "
             "--tls-ca-cert-file %s/ca.pem --tls-auth-clients no",
             tls_port, dir, dir, dir);
    rf_test_redis_start(&server, options);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    static const char *const names[] = {"ca",        "other-ca", "good",  "expired", "future",
                                        "elsewhere", "stranger", "alone", "empty"};
    rf_redis_close(&redis);
    rf_test_redis_destroy(&server);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s.pem", dir, names[i]);
        unlink(path);
        snprintf(path, sizeof path, "%s/%s.key", dir, names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_certificate_is_taken_by_name_and_by_address),
        cmocka_unit_test(test_a_certificate_that_is_not_good_is_refused_and_the_reason_said),
        cmocka_unit_test(test_a_server_without_tls_is_never_spoken_to_in_the_clear),
        cmocka_unit_test(test_tls_is_left_out_on_loopback_only),
        cmocka_unit_test(test_our_certificate_is_shown_to_a_server_that_wants_one),
        cmocka_unit_test(test_files_that_cannot_be_used_are_named),
        cmocka_unit_test(test_a_key_behind_a_pass_phrase_is_refused_and_not_asked_for),
        cmocka_unit_test(test_full_buffers_on_both_sides_do_not_lock_up),
        cmocka_unit_test(test_a_server_that_goes_away_is_a_lost_connection),
        cmocka_unit_test(test_a_frozen_server_holds_nobody_for_long),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
