/* The source `mysql` and servers in trouble, or up to no good: frozen, replaced, with TLS that is
 * not what it should be, with answers that are lies. */
#include "base/clock.h"
#include "lib/mariadb_subject.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/subject.h"

enum { LIMIT_MS = 20000 };

extern const struct rf_source_type rf_source_mysql;

/* ---- Frame --------------------------------------------------------------------------------- */

static void prepare(struct subject *subject, const char *from, const char *port)
{
    prepare_user(subject, &rf_source_mysql, "root", from, port);
}

static void until(struct subject *subject, const char *part)
{
    if (rf_test_source_until(&subject->source, part, LIMIT_MS, &subject->err) != RF_OK) {
        fail_msg("%s (%s)", subject->err.message, subject->err.hint);
    }
}

/* Reads until an error comes. */
static enum rf_status read_to_error(struct subject *subject)
{
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    enum rf_status status;
    do {
        assert_true(rf_clock_ms() < until_ms);
        status = rf_test_source_read(&subject->source, 60000, &subject->err);
    } while (status == RF_OK || status == RF_AGAIN);
    return status;
}

static void make_table(struct rf_test_mariadb *where)
{
    rf_test_sql(where, "SET sql_log_bin=0;\nCREATE OR REPLACE DATABASE shop;\n"
                       "CREATE TABLE shop.t (a INT PRIMARY KEY, b VARCHAR(2000));\n"
                       "SET sql_log_bin=1;\nRESET MASTER");
}

static int fresh(void **context)
{
    (void)context;
    make_table(&server);
    return 0;
}

/* ---- Silence and interruption -------------------------------------------------------------- */

static void test_a_frozen_server_is_noticed_after_three_heartbeats(void **context)
{
    struct subject subject;
    (void)context;
    prepare(&subject, "now", server.port);
    set(&subject, "heartbeat", "300");
    open_it(&subject);
    assert_int_equal(rf_test_source_read(&subject.source, 2000, &subject.err), RF_AGAIN);
    rf_test_mariadb_freeze(&server, true);
    int64_t begin_ms = rf_clock_ms();
    enum rf_status status = read_to_error(&subject);
    int64_t waited_ms = rf_clock_ms() - begin_ms;
    rf_test_source_close(&subject.source);
    /* Nor does connecting wait for ever. */
    begin_ms = rf_clock_ms();
    set(&subject, "connect_timeout", "500");
    enum rf_status again = rf_test_source_open(&subject.source, &subject.err);
    int64_t connected_ms = rf_clock_ms() - begin_ms;
    rf_test_mariadb_freeze(&server, false);
    assert_int_equal(status, RF_RETRY);
    assert_true(waited_ms < 3000);
    assert_int_equal(again, RF_RETRY);
    assert_true(subject.err.connect);
    assert_true(connected_ms < 3000);
    set(&subject, "connect_timeout", "10s");
    open_it(&subject);
    rf_test_sql(&server, "INSERT INTO shop.t VALUES (1, 'after the thaw')");
    until(&subject, "after the thaw");
    end(&subject);
}

struct interruption {
    struct subject *subject;
    int64_t after_ms;
};

static void *interrupt(void *memory)
{
    struct interruption *one = memory;
    poll(NULL, 0, (int)one->after_ms);
    rf_test_source_interrupt(&one->subject->source);
    return NULL;
}

static void test_an_interrupt_ends_a_read_and_stays(void **context)
{
    struct subject subject;
    struct interruption one = {&subject, 200};
    pthread_t thread;
    (void)context;
    prepare(&subject, "now", server.port);
    open_it(&subject);
    assert_int_equal(pthread_create(&thread, NULL, interrupt, &one), 0);
    int64_t begin_ms = rf_clock_ms();
    assert_int_equal(rf_test_source_read(&subject.source, 30000, &subject.err), RF_RETRY);
    assert_true(rf_clock_ms() - begin_ms < 5000);
    assert_int_equal(rf_test_source_read(&subject.source, 30000, &subject.err), RF_RETRY);
    expect_words(&subject.err, "interrupted", "");
    pthread_join(thread, NULL);
    end(&subject);
}

/* ---- Servers that are none ----------------------------------------------------------------- */

/* A listener that plays a script to whoever connects first: bytes to send, then bytes to wait
 * for. */
struct rogue {
    int fd;
    char port[8];
    pthread_t thread;
    const struct turn *turns;
    struct rf_buf heard;
};
struct turn {
    const char *send;
    size_t size;
    size_t hear; /* bytes to wait for behind it; 0: until it closes */
};

static void *play(void *memory)
{
    struct rogue *rogue = memory;
    int fd = accept4(rogue->fd, NULL, NULL, SOCK_CLOEXEC);
    for (const struct turn *turn = rogue->turns; fd >= 0 && (turn->send || turn->hear); turn++) {
        if (turn->size > 0 && send(fd, turn->send, turn->size, MSG_NOSIGNAL) < 0) {
            break;
        }
        size_t want = turn->hear ? turn->hear : SIZE_MAX, got = 0;
        ssize_t one;
        char bytes[4096];
        while (got < want && (one = recv(fd, bytes, sizeof bytes, 0)) > 0) {
            rf_buf_add(&rogue->heard, bytes, (size_t)one);
            got += (size_t)one;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return NULL;
}

static void start_rogue(struct rogue *rogue, const struct turn *turns)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    *rogue = (struct rogue){.turns = turns};
    rogue->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(rogue->fd >= 0);
    assert_int_equal(bind(rogue->fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(rogue->fd, 5), 0);
    assert_int_equal(getsockname(rogue->fd, (struct sockaddr *)&address, &size), 0);
    snprintf(rogue->port, sizeof rogue->port, "%u", ntohs(address.sin_port));
    if (turns != NULL) {
        assert_int_equal(pthread_create(&rogue->thread, NULL, play, rogue), 0);
    }
}

static void end_rogue(struct rogue *rogue)
{
    if (rogue->turns != NULL) {
        pthread_join(rogue->thread, NULL);
    }
    close(rogue->fd);
    rf_buf_deinit(&rogue->heard);
}

/* The greeting of a MariaDB 10.11 without TLS that likes mysql_native_password. */
#define GREETING                \
    "\x6a\x00\x00\x00"          \
    "\x0a"                      \
    "5.5.5-10.11.9-MariaDB\x00" \
    "\x01\x00\x00\x00"          \
    "12345678\x00"              \
    "\xfe\xf7"                  \
    "\x08\x02\x00"              \
    "\xff\x81"                  \
    "\x15"                      \
    "\x00\x00\x00\x00\x00\x00"  \
    "\x00\x00\x00\x00"          \
    "123456789012\x00"          \
    "mysql_native_password\x00"
#define OK_PACKET "\x07\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00"

static void greeting(struct rf_buf *out)
{
    rf_buf_reset(out);
    rf_buf_add(out, GREETING, sizeof GREETING - 1);
    out->data[0] = (char)(out->size - 4);
}

static void test_a_server_that_says_nothing_can_be_interrupted(void **context)
{
    struct rogue rogue;
    struct subject subject;
    struct interruption one = {&subject, 300};
    pthread_t thread;
    (void)context;
    start_rogue(&rogue, NULL);
    prepare(&subject, "now", rogue.port);
    assert_int_equal(pthread_create(&thread, NULL, interrupt, &one), 0);
    int64_t begin_ms = rf_clock_ms();
    assert_int_equal(rf_test_source_open(&subject.source, &subject.err), RF_RETRY);
    assert_true(rf_clock_ms() - begin_ms < 5000);
    pthread_join(thread, NULL);
    expect_words(&subject.err, "interrupted", "");
    end(&subject);
    end_rogue(&rogue);
}

static void test_a_server_that_wants_the_password_in_clear_does_not_get_it(void **context)
{
    static const char change[] = "\x00\x00\x00\x02\xfemysql_clear_password\x00";
    struct rf_buf hello = {0}, clear = {0};
    struct rogue rogue;
    struct subject subject;
    (void)context;
    greeting(&hello);
    rf_buf_add(&clear, change, sizeof change - 1);
    clear.data[0] = (char)(clear.size - 4);
    struct turn turns[] = {{hello.data, hello.size, 4}, {clear.data, clear.size, 0}, {0}};
    start_rogue(&rogue, turns);
    prepare(&subject, "now", rogue.port);
    set(&subject, "password", "topsecret");
    subject.err = (struct rf_error){0};
    enum rf_status status = rf_test_source_open(&subject.source, &subject.err);
    assert_int_equal(status, RF_CONFIG);
    end(&subject);
    pthread_join(rogue.thread, NULL);
    rogue.turns = NULL;
    assert_true(rogue.heard.size > 30);
    assert_null(memmem(rogue.heard.data, rogue.heard.size, "topsecret", 9));
    end_rogue(&rogue);
    rf_buf_deinit(&hello);
    rf_buf_deinit(&clear);
}

static void test_a_server_that_asks_for_a_file_does_not_get_it(void **context)
{
    char path[600];
    struct rf_buf hello = {0}, wish = {0};
    struct rogue rogue;
    struct subject subject;
    (void)context;
    snprintf(path, sizeof path, "%s/private", server.dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && write(fd, "confidential", 12) == 12);
    close(fd);
    greeting(&hello);
    rf_buf_add(&wish, "\x00\x00\x00\x01\xfb", 5);
    rf_buf_add(&wish, path, strlen(path));
    wish.data[0] = (char)(wish.size - 4);
    struct turn turns[] = {{hello.data, hello.size, 4},
                           {OK_PACKET, sizeof OK_PACKET - 1, 4},
                           {wish.data, wish.size, 0},
                           {0}};
    start_rogue(&rogue, turns);
    prepare(&subject, "now", rogue.port);
    enum rf_status status = rf_test_source_open(&subject.source, &subject.err);
    assert_true(status != RF_OK);
    end(&subject);
    pthread_join(rogue.thread, NULL);
    rogue.turns = NULL;
    assert_true(rogue.heard.size > 30);
    assert_null(memmem(rogue.heard.data, rogue.heard.size, "confidential", 12));
    end_rogue(&rogue);
    rf_buf_deinit(&hello);
    rf_buf_deinit(&wish);
}

static void test_greetings_that_are_lies_end_in_an_error(void **context)
{
    struct rf_buf hello = {0};
    (void)context;
    greeting(&hello);
    for (size_t at = 0; at < hello.size; at++) {
        for (int lie = 0; lie < 3; lie++) {
            struct rf_buf bytes = {0};
            struct rogue rogue;
            struct subject subject;
            rf_buf_set(&bytes, rf_buf_str(&hello));
            if (lie == 0) {
                bytes.data[at] = '\xff';
            } else if (lie == 1) {
                bytes.data[at] = 0;
            } else {
                bytes.size = at;
            }
            struct turn turns[] = {{bytes.data, bytes.size, lie == 2 ? 1 : 4}, {0}};
            /* Hangs up after the first answer, or at once when there will be none. */
            if (lie == 2 || at < 3) {
                turns[0].hear = 1;
            }
            start_rogue(&rogue, turns);
            prepare(&subject, "now", rogue.port);
            set(&subject, "connect_timeout", "200");
            enum rf_status status = rf_test_source_open(&subject.source, &subject.err);
            assert_true(status == RF_RETRY || status == RF_CONFIG);
            assert_true(subject.err.message[0] != '\0');
            end(&subject);
            end_rogue(&rogue);
            rf_buf_deinit(&bytes);
            at += lie == 2 ? 6 : 0;
        }
    }
    rf_buf_deinit(&hello);
}

/* ---- Other servers ------------------------------------------------------------------------- */

static void test_a_server_without_a_log_is_refused(void **context)
{
    static const char *const options[] = {"--skip-log-bin", NULL};
    struct rf_test_mariadb other = {0};
    struct subject subject;
    (void)context;
    rf_test_mariadb_start(&other, options);
    prepare(&subject, "now", other.port);
    refused(&subject, RF_CONFIG, "log_bin is OFF", "--log-bin");
    end(&subject);
    rf_test_mariadb_destroy(&other);
}

static void test_another_server_is_only_good_with_our_history(void **context)
{
    static const char *const same_id[] = {"--server-id=1", NULL};
    static const char *const other_id[] = {"--server-id=2", NULL};
    (void)context;
    rf_test_sql(&server, "INSERT INTO shop.t VALUES (1, 'one')");
    for (int i = 0; i < 2; i++) {
        struct rf_test_mariadb other = {0};
        struct subject subject;
        prepare(&subject, "earliest", server.port);
        open_it(&subject);
        until(&subject, "end 0-1-1");
        rf_test_source_close(&subject.source);
        rf_test_mariadb_start(&other, i == 0 ? same_id : other_id);
        make_table(&other);
        rf_test_sql(&other, "INSERT INTO shop.t VALUES (1, 'one')");
        set(&subject, "port", other.port);
        refused(&subject, RF_FATAL, "", "another one");
        end(&subject);
        rf_test_mariadb_destroy(&other);
    }
}

static void test_a_replica_takes_over_with_its_own_files(void **context)
{
    static const char *const options[] = {"--server-id=2", "--log-slave-updates", NULL};
    struct rf_test_mariadb replica = {0};
    struct subject subject;
    (void)context;
    rf_test_sql(&server, "INSERT INTO shop.t VALUES (1, 'one')");
    rf_test_mariadb_start(&replica, options);
    make_table(&replica);
    rf_test_sql(&replica,
                "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=%s, MASTER_USER='root', "
                "MASTER_USE_GTID=slave_pos;\nSTART SLAVE",
                server.port);
    prepare(&subject, "earliest", server.port);
    open_it(&subject);
    until(&subject, "end 0-1-1");
    rf_test_sql(&server, "INSERT INTO shop.t VALUES (2, 'two')");
    rf_test_sql(&server, "FLUSH BINARY LOGS;\nINSERT INTO shop.t VALUES (3, 'three')");
    free(rf_test_sql_ask(&replica, "SELECT MASTER_GTID_WAIT('0-1-3', 20)"));
    rf_test_sql(&replica, "STOP SLAVE;\nINSERT INTO shop.t VALUES (4, 'four')");
    rf_test_source_close(&subject.source);
    set(&subject, "port", replica.port);
    rf_buf_reset(&subject.source.text);
    open_it(&subject);
    until(&subject, "end 0-2-4");
    assert_string_equal(rf_buf_cstr(&subject.source.text),
                        "begin 0-1-2\n2.0 create shop.t 2|two\nend 0-1-2\n"
                        "begin 0-1-3\n2.0 create shop.t 3|three\nend 0-1-3\n"
                        "begin 0-2-4\n2.0 create shop.t 4|four\nend 0-2-4\n");
    /* Back to the first server, which knows nothing of the fourth. */
    rf_test_source_close(&subject.source);
    set(&subject, "port", server.port);
    refused(&subject, RF_FATAL, "0-2-4", "another one");
    end(&subject);
    rf_test_mariadb_destroy(&replica);
}

static void test_two_readers_with_one_number_do_not_throw_each_other_out_in_silence(void **context)
{
    struct subject first, second;
    (void)context;
    prepare(&first, "now", server.port);
    set(&first, "server_id", "4711");
    open_it(&first);
    prepare(&second, "now", server.port);
    set(&second, "server_id", "4711");
    open_it(&second);
    enum rf_status status = read_to_error(&first);
    assert_int_equal(status, RF_CONFIG);
    expect_words(&first.err, "", "server_id");
    end(&first);
    rf_test_sql(&server, "INSERT INTO shop.t VALUES (1, 'one')");
    until(&second, "end 0-1-1");
    end(&second);
}

/* ---- TLS ----------------------------------------------------------------------------------- */

static char certificates[300];

static void shell(const char *format, ...)
{
    struct rf_buf command = {0};
    va_list args;
    va_start(args, format);
    rf_buf_vprintf(&command, format, args);
    va_end(args);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 1);
        dup2(null, 2);
        execl("/bin/sh", "sh", "-ec", rf_buf_cstr(&command), (char *)NULL);
        _exit(127);
    }
    int result;
    assert_true(waitpid(pid, &result, 0) == pid);
    if (result != 0) {
        fail_msg("failed: %s", rf_buf_cstr(&command));
    }
    rf_buf_deinit(&command);
}

/* A CA, another one, and certificates of 127.0.0.1, of another host, and one that has expired. */
static void make_certificates(void)
{
    snprintf(certificates, sizeof certificates, "%s/tls", server.dir);
    shell("mkdir %s; chmod 755 %s; cd %s\n"
          "for ca in ca other; do openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=$ca "
          "-keyout $ca.key -out $ca.pem; done\n"
          "one() { openssl req -newkey rsa:2048 -nodes -subj /CN=$1 -keyout $1.key -out $1.csr\n"
          "printf 'subjectAltName=%%s\\n' $2 >$1.ext\n"
          "openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile $1.ext "
          "-out $1.pem $3 $4; }\n"
          "one here IP:127.0.0.1,DNS:localhost -days 30\n"
          "one elsewhere DNS:elsewhere.example -days 30\n"
          "one expired IP:127.0.0.1 -days -1\n"
          "chmod 644 *",
          certificates, certificates, certificates);
}

static void start_tls(struct rf_test_mariadb *other, const char *name)
{
    struct rf_buf cert = {0}, key = {0}, ca = {0};
    rf_buf_printf(&cert, "--ssl-cert=%s/%s.pem", certificates, name);
    rf_buf_printf(&key, "--ssl-key=%s/%s.key", certificates, name);
    rf_buf_printf(&ca, "--ssl-ca=%s/ca.pem", certificates);
    const char *options[] = {rf_buf_cstr(&cert), rf_buf_cstr(&key), rf_buf_cstr(&ca), NULL};
    rf_test_mariadb_start(other, options);
    make_table(other);
    rf_buf_deinit(&cert);
    rf_buf_deinit(&key);
    rf_buf_deinit(&ca);
}

static void test_tls_is_verified_or_refused(void **context)
{
    static const struct {
        const char *certificate, *host, *tls, *ca, *verify;
        enum rf_status status;
    } cases[] = {
        {"here", "127.0.0.1", "on", "ca", "on", RF_OK},
        {"here", "localhost", "on", "ca", "on", RF_OK},
        {"here", "127.0.0.1", "on", "other", "on", RF_CONFIG},
        {"here", "127.0.0.1", "on", NULL, "on", RF_CONFIG},
        {"here", "127.0.0.1", "on", NULL, "off", RF_OK},
        {"here", "127.0.0.1", "on", "nosuchfile", "on", RF_CONFIG},
        {"here", "127.0.0.1", "off", NULL, "on", RF_OK},
        {"here", "127.0.0.1", "auto", NULL, "on", RF_OK},
        {"elsewhere", "127.0.0.1", "on", "ca", "on", RF_CONFIG},
        {"expired", "127.0.0.1", "on", "ca", "on", RF_CONFIG},
        {NULL, "127.0.0.1", "on", "ca", "on", RF_CONFIG},
        {NULL, "127.0.0.1", "on", NULL, "off", RF_CONFIG},
        {NULL, "127.0.0.1", "auto", NULL, "on", RF_OK},
    };
    const char *running = "";
    struct rf_test_mariadb other = {0};
    (void)context;
    make_certificates();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char ca[400];
        struct subject subject;
        if (cases[i].certificate != NULL && strcmp(running, cases[i].certificate) != 0) {
            rf_test_mariadb_destroy(&other);
            other = (struct rf_test_mariadb){0};
            start_tls(&other, cases[i].certificate);
            running = cases[i].certificate;
        }
        prepare(&subject, "now", cases[i].certificate ? other.port : server.port);
        set(&subject, "host", cases[i].host);
        set(&subject, "tls", cases[i].tls);
        set(&subject, "tls_verify", cases[i].verify);
        if (cases[i].ca != NULL) {
            snprintf(ca, sizeof ca, "%s/%s.pem", certificates, cases[i].ca);
            set(&subject, "tls_ca", ca);
        }
        enum rf_status status = rf_test_source_open(&subject.source, &subject.err);
        if (status != cases[i].status || (status != RF_OK && subject.err.hint[0] == '\0')) {
            fail_msg("case %zu: %s %s (%s)", i, rf_status_name(status), subject.err.message,
                     subject.err.hint);
        }
        if (status == RF_OK) {
            struct rf_test_mariadb *where = cases[i].certificate ? &other : &server;
            char *seen =
                rf_test_sql_ask(where, "SELECT COUNT(*) FROM information_schema.processlist "
                                       "WHERE command='Binlog Dump'");
            assert_string_not_equal(seen, "0");
            free(seen);
        }
        end(&subject);
    }
    rf_test_mariadb_destroy(&other);
}

/* The client library would ask for it at the terminal, where nobody may be. */
static void test_a_key_behind_a_pass_phrase_is_refused_and_not_asked_for(void **context)
{
    char cert[400], key[400];
    struct subject subject;
    (void)context;
    shell("cd %s && openssl pkey -in here.key -aes256 -passout pass:phrase -out locked.key",
          certificates);
    snprintf(cert, sizeof cert, "%s/here.pem", certificates);
    snprintf(key, sizeof key, "%s/locked.key", certificates);
    prepare(&subject, "now", server.port);
    set(&subject, "tls", "on");
    set(&subject, "tls_cert", cert);
    set(&subject, "tls_key", key);
    set(&subject, "tls_verify", "off");
    assert_int_equal(rf_test_source_open(&subject.source, &subject.err), RF_CONFIG);
    assert_non_null(strstr(subject.err.message, "tls_key"));
    assert_non_null(strstr(subject.err.message, "pass phrase"));
    end(&subject);
}

static void test_much_comes_through_tls_as_it_does_in_clear(void **context)
{
    struct rf_test_mariadb other = {0};
    struct rf_buf texts[2] = {{0}, {0}};
    char ca[400];
    (void)context;
    start_tls(&other, "here");
    snprintf(ca, sizeof ca, "%s/ca.pem", certificates);
    rf_test_sql(&other, "USE shop;\n"
                        "INSERT INTO t SELECT seq, REPEAT(CHAR(97 + seq %% 26), seq %% 2000) FROM "
                        "seq_1_to_3000;\n"
                        "CREATE TABLE big (a INT PRIMARY KEY, b LONGTEXT)");
    rf_test_sql(&other, "SET GLOBAL max_allowed_packet=64*1024*1024");
    rf_test_sql_leave(&other);
    rf_test_sql(&other, "INSERT INTO shop.big VALUES (1, REPEAT('long ', 4000000)), (2, 'short')");
    for (int i = 0; i < 2; i++) {
        struct subject subject;
        prepare(&subject, "earliest", other.port);
        set(&subject, "tls", i == 0 ? "on" : "off");
        set(&subject, "tls_ca", ca);
        subject.source.batch_bytes_max = 256 * 1024;
        open_it(&subject);
        until(&subject, "end 0-1-3");
        texts[i] = subject.source.text;
        subject.source.text = (struct rf_buf){0};
        end(&subject);
    }
    assert_true(texts[0].size > 20 * 1000 * 1000);
    assert_true(rf_str_equal(rf_buf_str(&texts[0]), rf_buf_str(&texts[1])));
    rf_buf_deinit(&texts[0]);
    rf_buf_deinit(&texts[1]);
    rf_test_mariadb_destroy(&other);
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_frozen_server_is_noticed_after_three_heartbeats),
        TEST(test_an_interrupt_ends_a_read_and_stays),
        TEST(test_a_server_that_says_nothing_can_be_interrupted),
        TEST(test_a_server_that_wants_the_password_in_clear_does_not_get_it),
        TEST(test_a_server_that_asks_for_a_file_does_not_get_it),
        TEST(test_greetings_that_are_lies_end_in_an_error),
        TEST(test_a_server_without_a_log_is_refused),
        TEST(test_another_server_is_only_good_with_our_history),
        TEST(test_a_replica_takes_over_with_its_own_files),
        TEST(test_two_readers_with_one_number_do_not_throw_each_other_out_in_silence),
        TEST(test_tls_is_verified_or_refused),
        TEST(test_a_key_behind_a_pass_phrase_is_refused_and_not_asked_for),
        TEST(test_much_comes_through_tls_as_it_does_in_clear),
    };
    return cmocka_run_group_tests(tests, start_server, end_server);
}
