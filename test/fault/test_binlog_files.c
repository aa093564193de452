/* The source `binlog` on several files: an index, ranges, holes between files, and files that grow,
 * end in the middle of an event, or become other files while they are followed. */
#include "base/clock.h"
#include "lib/log_writer.h"
#include "lib/source.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
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

enum { LIMIT_MS = 20000 };

extern const struct rf_source_type rf_source_binlog;

static char directory[64];

/* ---- Frame --------------------------------------------------------------------------------- */

static const char *place(const char *name)
{
    static char path[4][160];
    static unsigned next;
    char *out = path[next++ % 4];
    snprintf(out, sizeof path[0], "%s/%s", directory, name);
    return out;
}

static void write_part(const char *name, struct rf_str bytes, size_t from, size_t to)
{
    int fd = open(place(name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.data + from, to - from), (ssize_t)(to - from));
    close(fd);
}

static void write_all(const char *name, const struct rf_test_log *log)
{
    unlink(place(name));
    write_part(name, rf_buf_str(&log->log), 0, log->log.size);
}

static void write_text(const char *name, const char *text)
{
    unlink(place(name));
    write_part(name, rf_str_of(text), 0, strlen(text));
}

/* bin.NUMBER: behind `before`, with transactions first to last, and a ROTATE to the next file when
 * `rotates`. */
static void write_log(unsigned number, const char *before, unsigned first, unsigned last,
                      bool rotates)
{
    struct rf_test_log log = {0};
    char name[32];
    rf_test_log_begin(&log, before);
    for (unsigned i = first; i <= last; i++) {
        rf_test_log_row(&log, i, "shop", "t", (int32_t)i);
    }
    if (rotates) {
        snprintf(name, sizeof name, "bin.%06u", number + 1);
        rf_test_log_rotate(&log, name);
    }
    snprintf(name, sizeof name, "bin.%06u", number);
    write_all(name, &log);
    rf_test_log_deinit(&log);
}

/* Three files with transactions 1 and 2, 3 and 4, 5 and 6, and their index. */
static int three_files(void **context)
{
    (void)context;
    snprintf(directory, sizeof directory, "/tmp/rowferry-test-XXXXXX");
    assert_non_null(mkdtemp(directory));
    write_log(1, "", 1, 2, true);
    write_log(2, "0-1-2", 3, 4, true);
    write_log(3, "0-1-4", 5, 6, false);
    write_text("bin.index", "./bin.000001\n./bin.000002\n./bin.000003\n");
    return 0;
}

static int clean(void **context)
{
    (void)context;
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", "--", directory, (char *)NULL);
        _exit(127);
    }
    return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

struct subject {
    struct rf_test_source source;
    struct rf_test_setting settings[4];
    char path[160];
    struct rf_error err;
};

static void prepare(struct subject *subject, const char *name, bool follow)
{
    *subject = (struct subject){0};
    snprintf(subject->path, sizeof subject->path, "%s", place(name));
    subject->source.type = &rf_source_binlog;
    subject->source.settings = subject->settings;
    subject->source.from = "earliest";
    subject->settings[0] = (struct rf_test_setting){"path", subject->path};
    subject->settings[1] = (struct rf_test_setting){"follow", follow ? "on" : "off"};
}

static void open_it(struct subject *subject)
{
    subject->err = (struct rf_error){0};
    if (rf_test_source_open(&subject->source, &subject->err) != RF_OK) {
        fail_msg("%s (%s)", subject->err.message, subject->err.hint);
    }
}

/* Opens and reads to the end of the files, to an error, or (followed) until nothing more comes. */
static enum rf_status read_all(struct subject *subject)
{
    subject->err = (struct rf_error){0};
    enum rf_status status = rf_test_source_open(&subject->source, &subject->err);
    return status == RF_OK ? rf_test_source_drain(&subject->source, 100, &subject->err) : status;
}

static void expect(struct subject *subject, unsigned first, unsigned last)
{
    struct rf_buf text = {0};
    for (unsigned i = first; i <= last; i++) {
        rf_buf_printf(&text, "begin 0-1-%u\n2.0 create shop.t %u|%u\nend 0-1-%u\n", i, i, i + 1, i);
    }
    assert_string_equal(rf_buf_cstr(&subject->source.text), rf_buf_cstr(&text));
    rf_buf_deinit(&text);
}

/* Reads on until transaction `last` came, and looks whether all from `first` on did. */
static void expect_until(struct subject *subject, unsigned first, unsigned last)
{
    char part[32];
    snprintf(part, sizeof part, "end 0-1-%u\n", last);
    enum rf_status status = rf_test_source_until(&subject->source, part, LIMIT_MS, &subject->err);
    if (status != RF_OK) {
        fail_msg("%s: %s", rf_status_name(status), subject->err.message);
    }
    expect(subject, first, last);
}

static void expect_words(const struct subject *subject, const char *words)
{
    if (strstr(subject->err.message, words) == NULL) {
        fail_msg("'%s' is not in: %s", words, subject->err.message);
    }
}

/* Reads until an error comes. */
static void expect_error(struct subject *subject, enum rf_status wanted, const char *words)
{
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    enum rf_status status;
    do {
        assert_true(rf_clock_ms() < until_ms);
        status = rf_test_source_read(&subject->source, 50, &subject->err);
        assert_false(subject->source.ended);
    } while (status == RF_OK || status == RF_AGAIN);
    assert_int_equal(status, wanted);
    expect_words(subject, words);
}

static void end(struct subject *subject)
{
    rf_test_source_deinit(&subject->source);
}

static void refused(const char *name, enum rf_status wanted, const char *words)
{
    struct subject subject;
    prepare(&subject, name, false);
    enum rf_status status = read_all(&subject);
    if (status != wanted) {
        fail_msg("%s: %s instead of %s: %s", name, rf_status_name(status), rf_status_name(wanted),
                 subject.err.message);
    }
    expect_words(&subject, words);
    end(&subject);
}

/* ---- Several files ------------------------------------------------------------------------- */

static void test_an_index_and_a_range_give_all_files_in_order(void **context)
{
    static const char *const names[] = {"bin.index", "bin.000001..000003", "bin.000001.."};
    (void)context;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct subject subject;
        prepare(&subject, names[i], false);
        assert_int_equal(read_all(&subject), RF_OK);
        assert_true(subject.source.ended);
        expect(&subject, 1, 6);
        end(&subject);
    }
    struct subject subject;
    prepare(&subject, "bin.000002..000003", false);
    assert_int_equal(read_all(&subject), RF_OK);
    expect(&subject, 3, 6);
    end(&subject);
    prepare(&subject, "bin.000002", false); /* one alone */
    assert_int_equal(read_all(&subject), RF_OK);
    expect(&subject, 3, 4);
    end(&subject);
}

static void test_an_index_may_have_absolute_paths_and_a_line_that_is_being_written(void **context)
{
    char text[600];
    struct subject subject;
    (void)context;
    snprintf(text, sizeof text, "%s/bin.000001\n\n%s/bin.000002\n%s/bin.0000", directory, directory,
             directory);
    write_text("bin.index", text);
    prepare(&subject, "bin.index", false);
    assert_int_equal(read_all(&subject), RF_OK);
    expect(&subject, 1, 4);
    end(&subject);
}

static void test_it_goes_on_from_every_position_in_any_of_the_files(void **context)
{
    struct subject all, rest;
    (void)context;
    prepare(&all, "bin.index", false);
    all.source.batch_bytes_max = 1;
    open_it(&all);
    for (unsigned had = 0; had <= 6; had++) {
        for (int follow = 0; follow < 2; follow++) {
            prepare(&rest, "bin.index", follow != 0);
            rf_buf_set(&rest.source.position, rf_buf_str(&all.source.position));
            enum rf_status status = read_all(&rest);
            assert_int_equal(status, follow ? RF_AGAIN : RF_OK);
            expect(&rest, had + 1, 6);
            end(&rest);
        }
        enum rf_status status = rf_test_source_read(&all.source, 0, &all.err);
        assert_int_equal(status, RF_OK);
    }
    end(&all);
}

static void test_gtids_and_places_are_found_in_their_file(void **context)
{
    struct subject subject;
    char from[64];
    struct stat first;
    (void)context;
    for (unsigned had = 1; had <= 6; had++) {
        prepare(&subject, "bin.index", false);
        snprintf(from, sizeof from, "0-1-%u", had);
        subject.source.from = from;
        assert_int_equal(read_all(&subject), RF_OK);
        expect(&subject, had + 1, 6);
        end(&subject);
    }
    prepare(&subject, "bin.index", false);
    subject.source.from = "bin.000002:4";
    assert_int_equal(read_all(&subject), RF_OK);
    expect(&subject, 3, 6);
    end(&subject);
    /* Where a file ends, nothing begins but the next one. */
    assert_int_equal(stat(place("bin.000001"), &first), 0);
    snprintf(from, sizeof from, "bin.000001:%lld", (long long)first.st_size);
    prepare(&subject, "bin.index", false);
    subject.source.from = from;
    assert_int_equal(read_all(&subject), RF_OK);
    expect(&subject, 3, 6);
    end(&subject);
    prepare(&subject, "bin.index", false);
    subject.source.from = "bin.000009:4";
    assert_int_equal(read_all(&subject), RF_CONFIG);
    end(&subject);
}

static void test_a_hole_between_files_stops_by_name(void **context)
{
    (void)context;
    /* In the list. */
    write_text("bin.index", "bin.000001\nbin.000003\n");
    refused("bin.index", RF_FATAL, "bin.000002");
    /* Among the files. */
    write_text("bin.index", "bin.000001\nbin.000002\nbin.000003\n");
    unlink(place("bin.000002"));
    refused("bin.index", RF_FATAL, "bin.000002");
    refused("bin.000001..000003", RF_FATAL, "bin.000002");
    refused("bin.000001..", RF_FATAL, "bin.000002");
    /* In what the files say of each other. */
    struct rf_test_log log = {0};
    rf_test_log_begin(&log, "0-1-2");
    rf_test_log_rotate(&log, "bin.000009");
    write_all("bin.000002", &log);
    rf_test_log_deinit(&log);
    refused("bin.index", RF_FATAL, "goes on in bin.000009");
    /* In the transactions that lie before the next file. */
    write_log(2, "0-1-2", 3, 3, true);
    refused("bin.index", RF_FATAL, "a gap in the log: transaction 0-1-4");
    write_log(2, "0-1-2", 3, 5, true);
    refused("bin.index", RF_FATAL, "0-1-4, but 0-1-5");
}

static void test_damage_in_a_file_that_others_follow_stops(void **context)
{
    struct stat status;
    (void)context;
    assert_int_equal(stat(place("bin.000002"), &status), 0);
    assert_int_equal(truncate(place("bin.000002"), status.st_size - 3), 0);
    refused("bin.index", RF_FATAL, "bin.000002 is truncated");
    write_text("bin.000002", "");
    refused("bin.index", RF_FATAL, "bin.000002");
    write_text("bin.000002", "\xfe"
                             "bin");
    refused("bin.index", RF_FATAL, "bin.000002 does not begin");
}

static void test_a_position_whose_file_was_deleted_stops_when_something_was_in_it(void **context)
{
    struct subject subject;
    (void)context;
    prepare(&subject, "bin.index", false);
    subject.source.batch_bytes_max = 1;
    open_it(&subject);
    assert_int_equal(rf_test_source_read(&subject.source, 0, &subject.err), RF_OK);
    rf_test_source_close(&subject.source);
    rf_buf_reset(&subject.source.text);
    write_text("bin.index", "bin.000002\nbin.000003\n");
    unlink(place("bin.000001"));
    assert_int_equal(read_all(&subject), RF_FATAL);
    expect_words(&subject, "bin.000001, which is not there any more");
    expect_words(&subject, "0-1-2");
    end(&subject);
    /* Nothing was: it goes on. */
    prepare(&subject, "bin.index", false);
    subject.source.from = "0-1-2";
    open_it(&subject);
    rf_test_source_close(&subject.source);
    rf_buf_set(&subject.source.position,
               RF_STR("mariadb:gtid=0-1-2;file=bin.000001;start=300;end=400;last=0-1-2;time=9"));
    assert_int_equal(read_all(&subject), RF_OK);
    expect(&subject, 3, 6);
    end(&subject);
    /* The log has begun anew. */
    prepare(&subject, "bin.index", false);
    rf_buf_set(&subject.source.position,
               RF_STR("mariadb:gtid=0-1-9;file=bin.000007;start=300;end=400;last=0-1-9;time=9"));
    assert_int_equal(read_all(&subject), RF_FATAL);
    expect_words(&subject, "went back");
    end(&subject);
}

static void test_what_is_no_index_and_no_range_is_refused(void **context)
{
    (void)context;
    write_text("empty.index", "\n\n");
    refused("empty.index", RF_CONFIG, "lists no log file");
    refused("absent.index", RF_CONFIG, "absent.index");
    refused("bin.000003..000001", RF_CONFIG, "not a range");
    refused("bin.000001..x", RF_CONFIG, "not a range");
    refused("bin..000001", RF_CONFIG, "not a range");
    refused("bin.000004..", RF_CONFIG, "bin.000004");
    int fd = open(place("binary.index"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "bin\0x\n", 6), 6);
    close(fd);
    refused("binary.index", RF_CONFIG, "not text");
}

/* ---- Files that grow ----------------------------------------------------------------------- */

static void test_a_followed_log_goes_on_byte_by_byte_and_file_by_file(void **context)
{
    struct rf_test_log log = {0};
    struct subject subject;
    (void)context;
    prepare(&subject, "bin.000003", true);
    open_it(&subject);
    expect_until(&subject, 5, 6);
    rf_test_log_begin(&log, "");
    size_t at = log.log.size;
    for (unsigned i = 7; i <= 9; i++) {
        rf_test_log_row(&log, i, "shop", "t", (int32_t)i);
    }
    rf_test_log_rotate(&log, "bin.000004");
    for (; at < log.log.size; at++) {
        write_part("bin.000003", rf_buf_str(&log.log), at, at + 1);
        enum rf_status status = rf_test_source_read(&subject.source, 0, &subject.err);
        assert_true(status == RF_OK || status == RF_AGAIN);
    }
    expect_until(&subject, 5, 9);
    rf_test_log_deinit(&log);
    rf_test_log_begin(&log, "0-1-9");
    rf_test_log_row(&log, 10, "shop", "t", 10);
    for (at = 0; at < log.log.size; at++) {
        write_part("bin.000004", rf_buf_str(&log.log), at, at + 1);
        enum rf_status status = rf_test_source_read(&subject.source, 0, &subject.err);
        if (status != RF_OK && status != RF_AGAIN) {
            fail_msg("%s", subject.err.message);
        }
    }
    expect_until(&subject, 5, 10);
    assert_non_null(strstr(rf_buf_cstr(&subject.source.position), "file=bin.000004;"));
    /* Without a ROTATE: the server crashed, and began the next file at its restart. */
    write_log(5, "0-1-10", 11, 12, false);
    expect_until(&subject, 5, 12);
    assert_false(subject.source.ended);
    end(&subject);
    rf_test_log_deinit(&log);
}

static void test_nothing_more_is_said_only_when_nothing_more_is_there(void **context)
{
    struct rf_test_log log = {0};
    struct subject subject;
    (void)context;
    prepare(&subject, "bin.index", true);
    subject.source.batch_bytes_max = 1;
    open_it(&subject);
    while (subject.source.currents == 0) {
        enum rf_status status = rf_test_source_read(&subject.source, 0, &subject.err);
        assert_true(status == RF_OK || status == RF_AGAIN);
    }
    expect(&subject, 1, 6);
    /* Not in the middle of an event, nor of a transaction. */
    rf_test_log_begin(&log, "");
    size_t from = log.log.size, to = from;
    rf_test_log_row(&log, 7, "shop", "t", 7);
    for (; to + 1 < log.log.size; from = to) {
        to = from + 10 < log.log.size ? from + 10 : log.log.size - 1;
        write_part("bin.000003", rf_buf_str(&log.log), from, to);
        uint64_t before = subject.source.currents;
        assert_int_equal(rf_test_source_read(&subject.source, 5, &subject.err), RF_AGAIN);
        assert_int_equal(subject.source.currents, before);
    }
    write_part("bin.000003", rf_buf_str(&log.log), to, log.log.size);
    expect_until(&subject, 1, 7);
    end(&subject);
    rf_test_log_deinit(&log);
}

static void test_now_is_the_end_of_a_followed_log(void **context)
{
    struct rf_test_log log = {0};
    struct subject subject;
    (void)context;
    prepare(&subject, "bin.index", true);
    subject.source.from = "now";
    open_it(&subject);
    assert_int_equal(rf_test_source_drain(&subject.source, 50, &subject.err), RF_AGAIN);
    assert_string_equal(rf_buf_cstr(&subject.source.text), "");
    assert_non_null(strstr(rf_buf_cstr(&subject.source.position), "gtid=0-1-6;file=bin.000003;"));
    rf_test_log_begin(&log, "");
    size_t at = log.log.size;
    rf_test_log_row(&log, 7, "shop", "t", 7);
    write_part("bin.000003", rf_buf_str(&log.log), at, log.log.size);
    expect_until(&subject, 7, 7);
    end(&subject);
    rf_test_log_deinit(&log);
}

static void test_a_torn_event_is_damage_once_the_next_file_is_there(void **context)
{
    struct rf_test_log log = {0};
    struct subject subject;
    (void)context;
    rf_test_log_begin(&log, "");
    size_t at = log.log.size;
    rf_test_log_row(&log, 7, "shop", "t", 7);
    prepare(&subject, "bin.index", true);
    open_it(&subject);
    expect_until(&subject, 1, 6);
    write_part("bin.000003", rf_buf_str(&log.log), at, log.log.size - 5);
    assert_int_equal(rf_test_source_drain(&subject.source, 1500, &subject.err), RF_AGAIN);
    write_log(4, "0-1-7", 8, 8, false);
    expect_error(&subject, RF_FATAL, "bin.000003 is truncated");
    expect(&subject, 1, 6);
    end(&subject);
    rf_test_log_deinit(&log);
}

static void test_a_file_that_shrinks_or_becomes_another_one_stops(void **context)
{
    struct subject subject;
    (void)context;
    struct stat status;
    prepare(&subject, "bin.000003", true);
    open_it(&subject);
    expect_until(&subject, 5, 6);
    assert_int_equal(stat(place("bin.000003"), &status), 0);
    assert_int_equal(truncate(place("bin.000003"), status.st_size - 1), 0);
    expect_error(&subject, RF_FATAL, "bin.000003 became shorter");
    end(&subject);

    write_log(3, "0-1-4", 5, 6, false);
    prepare(&subject, "bin.000003", true);
    open_it(&subject);
    expect_until(&subject, 5, 6);
    write_log(8, "", 1, 9, false);
    assert_int_equal(rename(place("bin.000008"), place("bin.000003")), 0);
    expect_error(&subject, RF_FATAL, "bin.000003 was replaced");
    end(&subject);
}

static void test_a_deleted_file_is_no_loss_as_long_as_the_next_one_is_there(void **context)
{
    struct subject subject;
    (void)context;
    prepare(&subject, "bin.000003", true);
    open_it(&subject);
    expect_until(&subject, 5, 6);
    write_log(4, "0-1-6", 7, 8, false);
    unlink(place("bin.000003"));
    expect_until(&subject, 5, 8);
    /* RESET MASTER deletes all of them. */
    unlink(place("bin.000004"));
    expect_error(&subject, RF_FATAL, "bin.000004 was deleted");
    end(&subject);
}

static void test_a_hole_in_front_of_the_next_file_stops_by_name(void **context)
{
    struct subject subject;
    (void)context;
    prepare(&subject, "bin.index", true);
    open_it(&subject);
    expect_until(&subject, 1, 6);
    write_log(5, "0-1-8", 9, 9, false);
    expect_error(&subject, RF_FATAL, "the file behind");
    expect_words(&subject, "bin.000005");
    expect(&subject, 1, 6);
    end(&subject);
}

/* The server deletes a file that was read, and one behind it that never was looked at. */
static void test_files_deleted_unseen_are_no_loss_when_nothing_was_in_them(void **context)
{
    static const struct {
        const char *before;
        const char *words; /* NULL: it goes on */
    } cases[] = {
        {"0-1-6", NULL},
        {"0-1-7", "a gap in the log: transaction 0-1-7"},
        {"", "not of the log that was read"},
        {"0-1-4", "not of the log that was read"},
        {"1-1-6", "not of the log that was read"},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct subject subject;
        write_log(3, "0-1-4", 5, 6, true); /* says that bin.000004 comes next */
        prepare(&subject, "bin.000003", true);
        open_it(&subject);
        expect_until(&subject, 5, 6);
        unlink(place("bin.000003"));
        write_log(5, cases[i].before, 7, 8, false);
        if (cases[i].words == NULL) {
            expect_until(&subject, 5, 8);
        } else {
            expect_error(&subject, RF_FATAL, cases[i].words);
            expect(&subject, 5, 6);
        }
        end(&subject);
        unlink(place("bin.000005"));
    }
}

/* A server that is upgraded, or reset, writes it anew; and rights may change. */
static void test_an_index_that_goes_away_does_not_end_the_following(void **context)
{
    struct subject subject;
    (void)context;
    write_log(3, "0-1-4", 5, 6, true); /* the next one is looked for at each end */
    prepare(&subject, "bin.index", true);
    open_it(&subject);
    expect_until(&subject, 1, 6);
    assert_int_equal(unlink(place("bin.index")), 0);
    assert_int_equal(rf_test_source_read(&subject.source, 50, &subject.err), RF_AGAIN);
    write_log(4, "0-1-6", 7, 8, false);
    expect_until(&subject, 1, 8);
    end(&subject);
}

static void *interrupt_later(void *argument)
{
    struct rf_test_source *source = argument;
    poll(NULL, 0, 50);
    source->type->interrupt(source->state);
    return NULL;
}

static void test_an_interrupt_ends_the_waiting(void **context)
{
    struct subject subject;
    pthread_t thread;
    (void)context;
    prepare(&subject, "bin.index", true);
    open_it(&subject);
    expect_until(&subject, 1, 6);
    int64_t begin_ms = rf_clock_ms();
    assert_int_equal(pthread_create(&thread, NULL, interrupt_later, &subject.source), 0);
    expect_error(&subject, RF_RETRY, "interrupted");
    int64_t waited_ms = rf_clock_ms() - begin_ms;
    assert_true(waited_ms < 5000);
    assert_int_equal(pthread_join(thread, NULL), 0);
    end(&subject);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, three_files, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_index_and_a_range_give_all_files_in_order),
        TEST(test_an_index_may_have_absolute_paths_and_a_line_that_is_being_written),
        TEST(test_it_goes_on_from_every_position_in_any_of_the_files),
        TEST(test_gtids_and_places_are_found_in_their_file),
        TEST(test_a_hole_between_files_stops_by_name),
        TEST(test_damage_in_a_file_that_others_follow_stops),
        TEST(test_a_position_whose_file_was_deleted_stops_when_something_was_in_it),
        TEST(test_what_is_no_index_and_no_range_is_refused),
        TEST(test_a_followed_log_goes_on_byte_by_byte_and_file_by_file),
        TEST(test_nothing_more_is_said_only_when_nothing_more_is_there),
        TEST(test_now_is_the_end_of_a_followed_log),
        TEST(test_a_torn_event_is_damage_once_the_next_file_is_there),
        TEST(test_a_file_that_shrinks_or_becomes_another_one_stops),
        TEST(test_a_deleted_file_is_no_loss_as_long_as_the_next_one_is_there),
        TEST(test_a_hole_in_front_of_the_next_file_stops_by_name),
        TEST(test_files_deleted_unseen_are_no_loss_when_nothing_was_in_them),
        TEST(test_an_index_that_goes_away_does_not_end_the_following),
        TEST(test_an_interrupt_ends_the_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
