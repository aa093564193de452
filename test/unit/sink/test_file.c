#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/file_subject.h"

static int setup(void **state)
{
    (void)state;
    begin_file("out", NULL, NULL);
    return 0;
}

/* It leaves nothing else behind. */
static int teardown(void **state)
{
    (void)state;
    end_file();
    unlink(path);
    return rmdir(folder);
}

static void put_file(const char *content)
{
    put_content(path, content);
}

/* As it is, not uncompressed. */
static void expect_file(const char *expected)
{
    static char content[1 << 20];
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t size = fread(content, 1, sizeof content - 1, file);
    content[size] = '\0';
    fclose(file);
    assert_string_equal(content, expected);
}

/* A transaction of its own with these rows. */
static enum rf_status write_rows(uint64_t number, const char *row1, const char *row2, bool ends)
{
    return write_part(number, row1, row2, true, ends);
}

static enum rf_status write_end(uint64_t number)
{
    return write_part(number, NULL, NULL, false, true);
}

static void test_the_repeated_end_is_cut_and_nothing_else(void **state)
{
    (void)state;
    open_sink();
    flush("0");
    expect_status(write_rows(1, "1|a", "2|b", true), RF_OK);
    flush("1");
    expect_status(write_rows(2, "3|c", NULL, true), RF_OK);
    expect_status(write_rows(3, "4|d", NULL, false), RF_OK);
    expect_file("0-1-1 create d.t 1|a\n0-1-1 create d.t 2|b\n0-1-2 create d.t 3|c\n"
                "0-1-3 create d.t 4|d\n");
    reopen();
    expect_file("0-1-1 create d.t 1|a\n0-1-1 create d.t 2|b\n");
    expect_status(write_rows(2, "3|c", NULL, true), RF_OK);
    flush("2");
    expect_file("0-1-1 create d.t 1|a\n0-1-1 create d.t 2|b\n0-1-2 create d.t 3|c\n");
}

static void test_the_note_is_of_the_last_whole_transaction(void **state)
{
    (void)state;
    open_sink();
    expect_status(write_rows(1, "1|a", NULL, true), RF_OK);
    expect_status(write_rows(2, "2|b", NULL, false), RF_OK);
    flush("1");
    reopen();
    expect_file("0-1-1 create d.t 1|a\n");
    expect_status(write_rows(2, "2|b", NULL, false), RF_OK);
    expect_status(write_end(2), RF_OK);
    flush("2");
    reopen();
    expect_file("0-1-1 create d.t 1|a\n0-1-2 create d.t 2|b\n");
}

static void test_a_first_start_goes_on_behind_what_is_there(void **state)
{
    (void)state;
    put_file("mine\n");
    open_sink();
    flush("0");
    expect_status(write_rows(1, "1|a", NULL, true), RF_OK);
    reopen();
    expect_file("mine\n");
    rf_test_sink_close(&sink);
    rf_buf_reset(&sink.note);
    put_file("half a line");
    expect_status(rf_test_sink_open(&sink, &err), RF_CONFIG);
    expect_file("half a line");
}

static void test_another_or_a_shorter_file_is_refused_untouched(void **state)
{
    (void)state;
    char other[160];
    snprintf(other, sizeof other, "%s.old", path);
    open_sink();
    expect_status(write_rows(1, "1|a", NULL, true), RF_OK);
    flush("1");
    rf_test_sink_close(&sink);

    assert_int_equal(truncate(path, 5), 0);
    expect_status(rf_test_sink_open(&sink, &err), RF_FATAL);
    expect_said("lost data");
    expect_file("0-1-1");

    put_file("something else that is longer than the note says, without a line there\n");
    expect_status(rf_test_sink_open(&sink, &err), RF_FATAL);
    expect_said("was changed");

    assert_int_equal(rename(path, other), 0);
    expect_status(rf_test_sink_open(&sink, &err), RF_FATAL);
    expect_said("is gone");
    assert_int_equal(access(path, F_OK), -1);

    put_file("another\n");
    expect_status(rf_test_sink_open(&sink, &err), RF_FATAL);
    expect_said("not the file");
    expect_file("another\n");
    sink.adopt = true;
    open_sink();
    expect_file("another\n");
    unlink(other);
    /* It says that a lost file is given up, not that a good one is. */
    flush("1");
    expect_status(write_rows(2, "2|b", NULL, true), RF_OK);
    reopen();
    expect_file("another\n");
    rf_test_sink_close(&sink);
    unlink(path);
    open_sink();
    expect_file("");
}

static void test_a_damaged_note_is_refused(void **state)
{
    (void)state;
    static const char *const notes[] = {"x", "1 2", "1 2 3 4", "1 2 -3", "1 2 3x", " 1 2"};
    put_file("mine\n");
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        rf_buf_set(&sink.note, rf_str_of(notes[i]));
        expect_status(rf_test_sink_open(&sink, &err), RF_FATAL);
        expect_said("damaged");
    }
    expect_file("mine\n");
}

static void test_one_file_has_one_writer(void **state)
{
    (void)state;
    struct rf_test_sink second = sink;
    open_sink();
    expect_status(rf_test_sink_open(&second, &err), RF_CONFIG);
    expect_said("another process");
    rf_test_sink_close(&sink);
    expect_status(rf_test_sink_open(&second, &err), RF_OK);
    rf_test_sink_deinit(&second);
}

static void test_meddling_with_the_open_file_is_noticed_at_the_flush(void **state)
{
    (void)state;
    char other[160];
    snprintf(other, sizeof other, "%s.1", path);
    for (int i = 0; i < 4; i++) {
        rf_test_sink_deinit(&sink);
        unlink(path);
        open_sink();
        expect_status(write_rows(1, "1|a", NULL, true), RF_OK);
        flush("1");
        expect_status(write_rows(2, "2|b", NULL, true), RF_OK);
        if (i == 0) {
            assert_int_equal(truncate(path, 0), 0); /* as logrotate's copytruncate does */
        } else if (i == 1) {
            assert_int_equal(rename(path, other), 0);
            put_file("");
        } else if (i == 2) {
            assert_int_equal(unlink(path), 0);
        } else {
            FILE *file = fopen(path, "ae");
            fputs("mine\n", file);
            fclose(file);
        }
        expect_status(rf_test_sink_flush(&sink, "2", &err), RF_FATAL);
    }
    unlink(other);
}

static void test_a_refused_row_leaves_those_before_it(void **state)
{
    (void)state;
    open_sink();
    expect_status(write_rows(1, "1|a", "2|refuse", true), RF_REJECT);
    assert_non_null(err.event);
    expect_file("0-1-1 create d.t 1|a\n");
    flush("0");
    reopen();
    expect_file("");
}

static void test_rows_larger_than_the_buffer_are_whole(void **state)
{
    (void)state;
    static char row[700 * 1024], expected[720 * 1024];
    memset(row, 'x', sizeof row - 1);
    memcpy(row, "1|", 2);
    open_sink();
    expect_status(write_rows(1, row, "2|b", true), RF_OK);
    snprintf(expected, sizeof expected, "0-1-1 create d.t %s\n0-1-1 create d.t 2|b\n", row);
    expect_file(expected);
    flush("1");
}

/* A large write reserves room behind the file's end; a closed file has none left. */
static void test_room_that_was_reserved_is_given_back(void **state)
{
    enum { SIZE = 200 * 1024, SLACK = 64 * 1024 };
    (void)state;
    char *row = malloc(SIZE + 1);
    assert_non_null(row);
    memset(row, 'a', SIZE);
    memcpy(row, "1|", 2);
    row[SIZE] = '\0';
    open_sink();
    expect_status(write_rows(1, row, NULL, true), RF_OK);
    flush("1");
    rf_test_sink_close(&sink);
    free(row);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_true(info.st_size > SIZE);
    assert_true(info.st_blocks * 512 <= info.st_size + SLACK);
    open_sink();
}

static void test_paths_that_cannot_be_are_said_to_be(void **state)
{
    (void)state;
    settings[0].value = "/nowhere/at/all";
    expect_status(rf_test_sink_open(&sink, &err), RF_CONFIG);
    expect_said("/nowhere/at/all");
    settings[0].value = folder;
    expect_status(rf_test_sink_open(&sink, &err), RF_CONFIG);
    assert_int_not_equal(err.hint[0], 0);
}

static void test_a_device_takes_everything_without_a_note(void **state)
{
    (void)state;
    settings[0].value = "/dev/null";
    open_sink();
    expect_status(write_rows(1, "1|a", NULL, true), RF_OK);
    flush("1");
    assert_int_equal(sink.note.size, 0);
    rf_test_sink_close(&sink);
    settings[0].value = "/dev/full";
    open_sink();
    expect_status(write_rows(1, "1|a", NULL, true), RF_RETRY);
    assert_int_equal(err.code, ENOSPC);
}

/* The limit on a file's size stands in for a full disk: a write is cut short, the next one
 * fails. */
static void test_a_write_that_was_cut_short_is_repeated_whole(void **state)
{
    (void)state;
    struct rlimit old, small;
    open_sink();
    expect_status(write_rows(1, "1|a", NULL, true), RF_OK);
    flush("1");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 30;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    expect_status(write_rows(2, "2|b", NULL, true), RF_CONFIG);
    assert_int_equal(err.code, EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_DFL);
    expect_file("0-1-1 create d.t 1|a\n0-1-2 cre");
    reopen();
    expect_status(write_rows(2, "2|b", NULL, true), RF_OK);
    expect_file("0-1-1 create d.t 1|a\n0-1-2 create d.t 2|b\n");
}

/* Standard output becomes the given descriptor until restored. */
static int replace_stdout(int fd)
{
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_true(saved >= 0 && dup2(fd, STDOUT_FILENO) == STDOUT_FILENO);
    close(fd);
    settings[0].value = "-";
    return saved;
}

static void restore_stdout(int saved)
{
    assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
    close(saved);
}

static void test_a_pipe_without_a_reader_says_so(void **state)
{
    (void)state;
    int pipes[2];
    char said[128];
    assert_int_equal(pipe(pipes), 0);
    signal(SIGPIPE, SIG_IGN);
    int saved = replace_stdout(pipes[1]);
    enum rf_status opened = rf_test_sink_open(&sink, &err);
    enum rf_status written = write_rows(1, "1|a", NULL, true);
    enum rf_status flushed = rf_test_sink_flush(&sink, "1", &err);
    ssize_t size = read(pipes[0], said, sizeof said - 1);
    close(pipes[0]);
    enum rf_status broken = write_rows(2, "2|b", NULL, true);
    rf_test_sink_close(&sink);
    restore_stdout(saved);
    assert_int_equal(opened, RF_OK);
    assert_int_equal(written, RF_OK);
    assert_int_equal(flushed, RF_OK);
    assert_int_equal(sink.note.size, 0);
    assert_int_equal(size, strlen("0-1-1 create d.t 1|a\n"));
    assert_int_equal(broken, RF_RETRY);
    assert_int_equal(err.code, EPIPE);
}

static void *interrupt_when_stuck(void *argument)
{
    /* The pipe holds 64 KiB: when it has that much, the write waits for a reader. */
    int fd = *(int *)argument, held = 0;
    while (held < 65536) {
        rf_assert(ioctl(fd, FIONREAD, &held) == 0);
        poll(NULL, 0, 1);
    }
    sink.type->interrupt(sink.state);
    return NULL;
}

/* Opens the sink, then fills what it writes to until the other thread interrupts. */
static enum rf_status fill_until_interrupted(int reader)
{
    static char row[200 * 1024];
    pthread_t thread;
    memset(row, 'x', sizeof row - 1);
    memcpy(row, "1|", 2);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_when_stuck, &reader), 0);
    enum rf_status status = write_rows(1, row, NULL, true);
    pthread_join(thread, NULL);
    return status;
}

static void test_a_stuck_pipe_can_be_interrupted(void **state)
{
    (void)state;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    int saved = replace_stdout(pipes[1]);
    enum rf_status opened = rf_test_sink_open(&sink, &err);
    enum rf_status written = fill_until_interrupted(pipes[0]);
    rf_test_sink_close(&sink);
    restore_stdout(saved);
    close(pipes[0]);
    assert_int_equal(opened, RF_OK);
    assert_int_equal(written, RF_RETRY);
    expect_said("interrupted");
}

static void test_a_fifo_waits_for_its_reader_and_can_be_interrupted(void **state)
{
    (void)state;
    char said[64] = "";
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_status(rf_test_sink_open(&sink, &err), RF_RETRY);
    assert_int_equal(err.code, ENXIO);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    open_sink();
    expect_status(write_rows(1, "1|a", NULL, true), RF_OK);
    assert_int_equal(read(reader, said, sizeof said), strlen("0-1-1 create d.t 1|a\n"));
    flush("1");
    assert_int_equal(sink.note.size, 0);
    expect_status(fill_until_interrupted(reader), RF_RETRY);
    close(reader);
}

/* A child is killed while it writes and flushes as fast as it can. What it has told us about is
 * there, and the file never holds anything twice. */
static void test_a_kill_loses_and_doubles_nothing(void **state)
{
    (void)state;
    uint64_t next = 1, kills = 0;
    open_sink();
    flush("0");
    rf_test_sink_close(&sink);
    for (; kills < 20; kills++) {
        int pipes[2];
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            if (rf_test_sink_open(&sink, &err) != RF_OK) {
                _exit(1);
            }
            for (uint64_t number = next;; number++) {
                char row[64], record[128] = "";
                snprintf(row, sizeof row, "%llu|x", (unsigned long long)number);
                if (write_rows(number, row, NULL, true) != RF_OK ||
                    (number % 3 == 0 && rf_test_sink_flush(&sink, "x", &err) != RF_OK)) {
                    _exit(1);
                }
                if (number % 3 == 0) {
                    snprintf(record, sizeof record, "%llu %s", (unsigned long long)number,
                             rf_buf_cstr(&sink.note));
                    if (write(pipes[1], record, sizeof record) != sizeof record) {
                        _exit(1);
                    }
                }
            }
        }
        close(pipes[1]);
        char record[128];
        unsigned long long number = 0;
        int position = 0;
        for (uint64_t i = 0; i <= kills * 7; i++) {
            assert_int_equal(read(pipes[0], record, sizeof record), sizeof record);
        }
        kill(child, SIGKILL);
        while (read(pipes[0], record, sizeof record) == sizeof record) {
        }
        close(pipes[0]);
        waitpid(child, NULL, 0);
        assert_int_equal(sscanf(record, "%llu %n", &number, &position), 1);
        rf_buf_set(&sink.note, rf_str_of(record + position));
        next = number + 1;
    }
    open_sink();
    struct rf_buf expected = {0};
    for (uint64_t number = 1; number < next; number++) {
        rf_buf_printf(&expected, "0-1-%llu create d.t %llu|x\n", (unsigned long long)number,
                      (unsigned long long)number);
    }
    expect_file(rf_buf_cstr(&expected));
    rf_buf_deinit(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_repeated_end_is_cut_and_nothing_else, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_the_note_is_of_the_last_whole_transaction, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_first_start_goes_on_behind_what_is_there, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_another_or_a_shorter_file_is_refused_untouched, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_damaged_note_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_file_has_one_writer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_meddling_with_the_open_file_is_noticed_at_the_flush,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_refused_row_leaves_those_before_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rows_larger_than_the_buffer_are_whole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_room_that_was_reserved_is_given_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_paths_that_cannot_be_are_said_to_be, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_device_takes_everything_without_a_note, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_write_that_was_cut_short_is_repeated_whole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_pipe_without_a_reader_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_stuck_pipe_can_be_interrupted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_fifo_waits_for_its_reader_and_can_be_interrupted,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_kill_loses_and_doubles_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
