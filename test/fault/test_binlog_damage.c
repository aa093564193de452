/* The source `binlog` on damaged files: a log that a real server wrote, cut at each byte and with
 * each of its bytes flipped. What is handed over is the beginning of what the whole file gives, and
 * nothing that lies behind the damage. */
#include "lib/log_writer.h"
#include "lib/mariadb_server.h"
#include "lib/source.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

extern const struct rf_source_type rf_source_binlog;

static struct rf_test_mariadb server;
static char path[600];          /* of the damaged file */
static struct rf_buf log_bytes; /* a whole log of about 4 kB */
static struct rf_buf whole;     /* what it gives */

static void read_file(const char *name, struct rf_buf *out)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t got;
    assert_true(fd >= 0);
    while ((got = read(fd, rf_buf_reserve(out, 65536), 65536)) > 0) {
        out->size += (size_t)got;
    }
    close(fd);
}

static void write_file(const void *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
}

struct subject {
    struct rf_test_source source;
    struct rf_test_setting settings[3];
    struct rf_error err;
};

static void prepare(struct subject *subject)
{
    *subject = (struct subject){.settings = {{"path", path}}};
    subject->source.type = &rf_source_binlog;
    subject->source.settings = subject->settings;
    subject->source.from = "earliest";
}

/* Opens and reads to the end. */
static enum rf_status read_all(struct subject *subject)
{
    enum rf_status status = rf_test_source_open(&subject->source, &subject->err);
    return status == RF_OK ? rf_test_source_drain(&subject->source, 0, &subject->err) : status;
}

static void expect_beginning(const struct subject *subject, const char *what, size_t at)
{
    const struct rf_buf *text = &subject->source.text;
    if (text->size > whole.size ||
        memcmp(text->data ? text->data : "", whole.data, text->size) != 0) {
        fail_msg("%s at %zu: handed over what the whole log does not have: %.*s", what, at,
                 (int)text->size, text->data);
    }
}

static int make_log(void **context)
{
    char name[600];
    struct subject subject;
    (void)context;
    rf_test_mariadb_start(&server, NULL);
    rf_test_sql(&server, "%s",
                "CREATE DATABASE shop;\n"
                "USE shop;\n"
                "RESET MASTER;\n"
                "CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(20), c DECIMAL(8,2), d DATETIME(3), "
                "e ENUM('x','y'), f BLOB);\n"
                "INSERT INTO t VALUES (1, 'one', 1.5, '2024-02-29 12:00:00.250', 'x', 'blob'), "
                "(2, NULL, NULL, NULL, NULL, NULL);\n"
                "UPDATE t SET b='two', c=-2.25 WHERE a=2;\n"
                "BEGIN;\n"
                "INSERT INTO t VALUES (3, 'three', 3, '2024-01-01', 'y', REPEAT('f', 100));\n"
                "DELETE FROM t WHERE a=1;\n"
                "COMMIT;\n"
                "ALTER TABLE t ADD g BIT(9);\n"
                "INSERT INTO t (a, g) VALUES (4, 257);\n"
                "TRUNCATE t;\n"
                "INSERT INTO t (a) VALUES (5);\n"
                "FLUSH BINARY LOGS");
    snprintf(name, sizeof name, "%s/data/bin.000001", server.dir);
    snprintf(path, sizeof path, "%s/damaged", server.dir);
    read_file(name, &log_bytes);
    write_file(log_bytes.data, log_bytes.size);
    prepare(&subject);
    assert_int_equal(read_all(&subject), RF_OK);
    assert_int_equal(subject.source.transactions, 8);
    rf_buf_set(&whole, rf_buf_str(&subject.source.text));
    rf_test_source_deinit(&subject.source);
    return 0;
}

static int drop_log(void **context)
{
    (void)context;
    rf_test_mariadb_destroy(&server);
    rf_buf_deinit(&log_bytes);
    rf_buf_deinit(&whole);
    return 0;
}

static void test_a_log_cut_anywhere_gives_its_beginning(void **context)
{
    size_t boundaries = 0;
    (void)context;
    for (size_t size = 0; size < log_bytes.size; size++) {
        struct subject subject;
        write_file(log_bytes.data, size);
        prepare(&subject);
        enum rf_status status = read_all(&subject);
        expect_beginning(&subject, "cut", size);
        /* Between two events a log may end: it is still being written, or its server crashed. */
        enum rf_status expected = size < 4 ? RF_CONFIG : RF_FATAL; /* no log at all, or damaged */
        if (status == RF_OK) {
            boundaries++;
        } else if (status != expected || subject.err.message[0] == '\0') {
            fail_msg("cut at %zu: %s %s", size, rf_status_name(status), subject.err.message);
        }
        rf_test_source_deinit(&subject.source);
    }
    assert_true(boundaries > 20 && boundaries < 80);
}

static void test_a_flipped_byte_stops_the_reading_there(void **context)
{
    enum { IN_USE_AT = 4 + 17 };
    size_t harmless = 0;
    (void)context;
    for (size_t at = 0; at < log_bytes.size; at++) {
        for (unsigned mask = 1; mask < 256; mask = mask == 1 ? 0x80 : mask == 0x80 ? 0xff : 256) {
            struct subject subject;
            log_bytes.data[at] ^= (char)mask;
            write_file(log_bytes.data, log_bytes.size);
            log_bytes.data[at] ^= (char)mask;
            prepare(&subject);
            enum rf_status status = read_all(&subject);
            expect_beginning(&subject, "flipped", at);
            if (status == RF_OK) {
                /* "The log is in use" is switched off without a new checksum, so it is in none. */
                assert_int_equal(at, IN_USE_AT);
                assert_int_equal(mask, 1);
                assert_int_equal(subject.source.text.size, whole.size);
                harmless++;
            } else if (status != (at < 4 ? RF_CONFIG : RF_FATAL) ||
                       subject.err.message[0] == '\0') {
                fail_msg("flipped at %zu: %s %s", at, rf_status_name(status), subject.err.message);
            }
            rf_test_source_deinit(&subject.source);
        }
    }
    assert_int_equal(harmless, 1);
}

static void test_what_is_no_log_is_refused(void **context)
{
    static const struct {
        const char *bytes, *message;
        size_t size;
        enum rf_status status;
    } cases[] = {
        {"", "", 0, RF_CONFIG},
        {"\xfe", "", 1, RF_CONFIG},
        {"hello, world, this is a text file", "", 33, RF_CONFIG},
        {"\xfd"
         "bin"
         "0123456789012345678901234567890123456789",
         "encrypted", 44, RF_CONFIG},
        {"\xfe"
         "bin",
         "format", 4, RF_FATAL},
    };
    struct subject subject;
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file(cases[i].bytes, cases[i].size);
        prepare(&subject);
        assert_int_equal(read_all(&subject), cases[i].status);
        assert_non_null(strstr(subject.err.message, cases[i].message));
        assert_non_null(strstr(subject.err.message, "damaged"));
        /* Where a position says that a log was, it is lost. */
        rf_buf_set(&subject.source.position,
                   RF_STR("mariadb:gtid=0-1-1;file=damaged;start=300;end=400;last=0-1-1;time=1"));
        assert_int_equal(read_all(&subject), RF_FATAL);
        rf_test_source_deinit(&subject.source);
    }
    prepare(&subject);
    subject.settings[0].value = "/no/such/file";
    assert_int_equal(read_all(&subject), RF_CONFIG);
    rf_test_source_deinit(&subject.source);
    prepare(&subject);
    subject.settings[0].value = "/";
    assert_int_equal(read_all(&subject), RF_CONFIG);
    rf_test_source_deinit(&subject.source);
}

static void test_a_file_in_use_ends_where_it_ends(void **context)
{
    struct rf_test_log log = {0};
    struct subject subject;
    (void)context;
    rf_test_log_begin(&log, "");
    rf_test_log_row(&log, 1, "shop", "t", 1);
    rf_test_log_gtid(&log, 0, 2, 0);
    rf_test_log_table(&log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&log, 20, 2, 5, 1, true);
    write_file(log.log.data, log.log.size);
    prepare(&subject);
    assert_int_equal(read_all(&subject), RF_OK);
    assert_true(subject.source.ended);
    assert_string_equal(rf_buf_cstr(&subject.source.text),
                        "begin 0-1-1\n2.0 create shop.t 1|2\nend 0-1-1\n");
    /* The server finishes it. */
    rf_test_source_close(&subject.source);
    rf_buf_reset(&subject.source.text);
    rf_test_log_xid(&log);
    write_file(log.log.data, log.log.size);
    assert_int_equal(read_all(&subject), RF_OK);
    assert_string_equal(rf_buf_cstr(&subject.source.text),
                        "begin 0-1-2\n2.0 create shop.t 5|6\nend 0-1-2\n");
    rf_test_source_deinit(&subject.source);
    rf_test_log_deinit(&log);
}

static void test_a_resume_in_another_file_of_that_name_stops(void **context)
{
    struct rf_test_log log = {0};
    struct subject subject;
    (void)context;
    for (int difference = 0; difference < 3; difference++) {
        rf_test_log_begin(&log, "");
        rf_test_log_row(&log, 1, "shop", "t", 1);
        write_file(log.log.data, log.log.size);
        prepare(&subject);
        assert_int_equal(read_all(&subject), RF_OK);
        rf_test_source_close(&subject.source);
        rf_buf_reset(&subject.source.text);
        rf_test_log_deinit(&log);

        log.time = difference == 0 ? 1700000001 : 0;
        rf_test_log_begin(&log, "");
        rf_test_log_row(&log, difference == 1 ? 2 : 1, "shop", difference == 2 ? "longer" : "t", 1);
        rf_test_log_row(&log, 3, "shop", "t", 1);
        write_file(log.log.data, log.log.size);
        assert_int_equal(read_all(&subject), RF_FATAL);
        assert_string_equal(rf_buf_cstr(&subject.source.text), "");
        assert_non_null(strstr(subject.err.hint, "RESET MASTER"));
        rf_test_source_deinit(&subject.source);
        rf_test_log_deinit(&log);
    }
}

static void test_a_place_to_begin_is_found_from_the_top(void **context)
{
    struct rf_test_log log = {0};
    struct subject subject;
    char place[64];
    (void)context;
    rf_test_log_begin(&log, "0-1-5");
    size_t first = log.log.size;
    rf_test_log_row(&log, 6, "shop", "t", 1);
    size_t second = log.log.size;
    rf_test_log_row(&log, 7, "shop", "t", 3);
    write_file(log.log.data, log.log.size);
    for (size_t at = 4; at <= log.log.size + 1; at++) {
        snprintf(place, sizeof place, "damaged:%zu", at);
        prepare(&subject);
        subject.source.from = place;
        enum rf_status status = read_all(&subject);
        if (at <= first) {
            assert_int_equal(status, RF_OK);
            assert_int_equal(subject.source.transactions, 2);
        } else if (at == second || at == log.log.size) {
            assert_int_equal(status, RF_OK);
            assert_int_equal(subject.source.transactions, at == second);
            assert_non_null(strstr(rf_buf_cstr(&subject.source.position), "gtid=0-1-7;"));
        } else {
            assert_int_equal(status, RF_CONFIG);
        }
        rf_test_source_deinit(&subject.source);
    }
    prepare(&subject);
    subject.source.from = "other.000001:4";
    assert_int_equal(read_all(&subject), RF_CONFIG);
    rf_test_source_deinit(&subject.source);
    rf_test_log_deinit(&log);
}

static void test_a_relay_log_is_read_at_its_own_offsets(void **context)
{
    struct rf_test_log log = {0};
    struct rf_buf description = {0};
    struct subject subject;
    struct rf_str event;
    size_t at = 0;
    (void)context;
    /* The replica's own description, its master's ROTATE and description, then what the master
     * sent. */
    rf_test_log_begin(&log, "");
    assert_true(rf_test_log_next(&log, &at, &event));
    rf_buf_set(&description, event);
    rf_test_log_rotate(&log, "master-bin.000009");
    rf_buf_add_str(&log.log, rf_buf_str(&description));
    rf_test_log_row(&log, 1, "shop", "t", 1);
    size_t resumes = log.log.size;
    rf_test_log_row(&log, 2, "shop", "t", 3);
    write_file(log.log.data, log.log.size);
    prepare(&subject);
    subject.source.batch_bytes_max = 1;
    assert_int_equal(rf_test_source_open(&subject.source, &subject.err), RF_OK);
    assert_int_equal(rf_test_source_read(&subject.source, 0, &subject.err), RF_OK);
    rf_test_source_close(&subject.source);
    char end[64];
    snprintf(end, sizeof end, "file=damaged;start=%zu;end=%zu;last=0-1-1",
             resumes - (log.log.size - resumes), resumes);
    assert_non_null(strstr(rf_buf_cstr(&subject.source.position), end));
    assert_int_equal(read_all(&subject), RF_OK);
    assert_string_equal(rf_buf_cstr(&subject.source.text),
                        "begin 0-1-1\n2.0 create shop.t 1|2\nend 0-1-1\n"
                        "begin 0-1-2\n2.0 create shop.t 3|4\nend 0-1-2\n");
    rf_test_source_deinit(&subject.source);
    rf_buf_deinit(&description);
    rf_test_log_deinit(&log);
}

static void test_a_pipe_is_read_as_it_comes(void **context)
{
    struct subject subject;
    char name[700];
    (void)context;
    snprintf(name, sizeof name, "%s/pipe", server.dir);
    assert_int_equal(mkfifo(name, 0600), 0);
    pid_t writer = fork();
    assert_true(writer >= 0);
    if (writer == 0) {
        int fd = open(name, O_WRONLY | O_CLOEXEC);
        for (size_t at = 0; at < log_bytes.size; at += 97) {
            size_t left = log_bytes.size - at;
            if (write(fd, log_bytes.data + at, left < 97 ? left : 97) < 0) {
                _exit(1);
            }
        }
        _exit(0);
    }
    prepare(&subject);
    subject.settings[0].value = name;
    assert_int_equal(rf_test_source_open(&subject.source, &subject.err), RF_OK);
    enum rf_status status;
    do {
        status = rf_test_source_read(&subject.source, 5000, &subject.err);
    } while (status == RF_OK && !subject.source.ended);
    assert_int_equal(status, RF_OK);
    assert_string_equal(rf_buf_cstr(&subject.source.text), rf_buf_cstr(&whole));
    rf_test_source_deinit(&subject.source);
    int result = 1;
    assert_true(waitpid(writer, &result, 0) == writer && result == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_log_cut_anywhere_gives_its_beginning),
        cmocka_unit_test(test_a_flipped_byte_stops_the_reading_there),
        cmocka_unit_test(test_what_is_no_log_is_refused),
        cmocka_unit_test(test_a_file_in_use_ends_where_it_ends),
        cmocka_unit_test(test_a_resume_in_another_file_of_that_name_stops),
        cmocka_unit_test(test_a_place_to_begin_is_found_from_the_top),
        cmocka_unit_test(test_a_relay_log_is_read_at_its_own_offsets),
        cmocka_unit_test(test_a_pipe_is_read_as_it_comes),
    };
    return cmocka_run_group_tests(tests, make_log, drop_log);
}
