#include "base/process.h"

#include "base/clock.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT_MS = 10000 };

static struct rf_words shell(const char *script)
{
    struct rf_words words = {0};

    rf_words_add(&words, "/bin/sh");
    rf_words_add(&words, "-c");
    rf_words_add(&words, "%s", script);
    return words;
}

static void test_what_a_program_says_and_how_it_ends_are_told(void **state)
{
    static const struct {
        const char *script, *said, *complained;
        int code;
    } cases[] = {
        {"exit 0", "", "", 0},
        {"echo out; echo err >&2; exit 98", "out\n", "err\n", 98},
        {"printf no-newline", "no-newline", "", 0},
        {"kill -KILL $$", "", "", 128 + 9},
        {"cat", "", "", 0}, /* there is nothing to read */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_words words = shell(cases[i].script);
        struct rf_process_result result = {0};
        assert_int_equal(rf_process_run(&words, &result, NULL), RF_OK);
        assert_int_equal(result.code, cases[i].code);
        assert_string_equal(rf_buf_cstr(&result.said), cases[i].said);
        assert_string_equal(rf_buf_cstr(&result.complained), cases[i].complained);
        rf_process_result_deinit(&result);
        rf_words_deinit(&words);
    }
}

static void test_much_on_both_streams_locks_nobody_up(void **state)
{
    struct rf_words words = shell("i=0; while [ $i -lt 20000 ]; do echo 1234567; "
                                  "echo 7654321 >&2; i=$((i + 1)); done");
    struct rf_process_result result = {0};
    (void)state;
    assert_int_equal(rf_process_run(&words, &result, NULL), RF_OK);
    assert_int_equal(result.said.size, 160000);
    assert_int_equal(result.complained.size, 160000);
    rf_process_result_deinit(&result);
    rf_words_deinit(&words);
}

static void test_blocked_and_ignored_signals_are_not_handed_on(void **state)
{
    struct rf_words words = shell("kill -PIPE $$; echo survived");
    struct rf_process_result result = {0};
    sigset_t all, before;
    (void)state;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    void (*handler)(int) = signal(SIGPIPE, SIG_IGN);
    assert_int_equal(rf_process_run(&words, &result, NULL), RF_OK);
    signal(SIGPIPE, handler);
    sigprocmask(SIG_SETMASK, &before, NULL);
    assert_int_equal(result.code, 128 + SIGPIPE);
    assert_int_equal(result.said.size, 0);
    rf_process_result_deinit(&result);
    rf_words_deinit(&words);
}

static void test_a_program_that_is_not_there_is_named(void **state)
{
    struct rf_words words = {0};
    struct rf_process_result result = {0};
    struct rf_error err = {0};
    pid_t pid = 0;
    (void)state;
    rf_words_add(&words, "/nowhere/program");
    assert_int_equal(rf_process_run(&words, &result, &err), RF_CONFIG);
    assert_string_equal(err.message, "could not start /nowhere/program: No such file or directory");
    assert_int_equal(rf_process_start(&words, "/dev/null", &pid, &err), RF_CONFIG);
    assert_string_equal(err.message, "could not start /nowhere/program: No such file or directory");
    rf_process_result_deinit(&result);
    rf_words_deinit(&words);
}

static void wait_for_end(pid_t pid, char expected)
{
    char path[64], line[256];
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;

    for (;;) {
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        FILE *file = fopen(path, "re");
        if (file == NULL) {
            return;
        }
        char process_state = '?';
        if (fgets(line, sizeof line, file) != NULL && strrchr(line, ')') != NULL) {
            process_state = strrchr(line, ')')[2];
        }
        fclose(file);
        if (process_state == expected) {
            return;
        }
        assert_true(rf_clock_ms() < until_ms);
        sched_yield();
    }
}

/* Starts a program that sleeps, tells its pid, and is killed. */
static void start_and_die(int out, const char *log)
{
    struct rf_words words = shell("exec tail -f /dev/null");
    pid_t pid = 0;

    if (rf_process_start(&words, log, &pid, NULL) != RF_OK ||
        write(out, &pid, sizeof pid) != (ssize_t)sizeof pid) {
        abort();
    }
    raise(SIGKILL);
}

static void test_what_was_started_ends_when_we_are_killed(void **state)
{
    int pipes[2];
    pid_t grandchild = 0;
    char log[] = "/tmp/rowferry-process-XXXXXX";
    int file = mkstemp(log);
    (void)state;
    assert_true(file >= 0);
    close(file);
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        start_and_die(pipes[1], log);
    }
    assert_int_equal(read(pipes[0], &grandchild, sizeof grandchild), sizeof grandchild);
    assert_int_equal(waitpid(child, NULL, 0), child);
    /* Who becomes its parent may take its time to bury it. */
    wait_for_end(grandchild, 'Z');
    close(pipes[0]);
    close(pipes[1]);
    unlink(log);
}

static void test_what_was_started_writes_to_its_log_in_a_group_of_its_own(void **state)
{
    struct rf_words words = shell("echo out; echo err >&2; exec tail -f /dev/null");
    char log[] = "/tmp/rowferry-process-XXXXXX", text[64];
    int file = mkstemp(log);
    pid_t pid = 0;
    ssize_t size = 0;
    (void)state;
    assert_true(file >= 0);
    assert_int_equal(rf_process_start(&words, log, &pid, NULL), RF_OK);
    assert_int_equal(getpgid(pid), pid);
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    while (size < 8) {
        assert_true(rf_clock_ms() < until_ms);
        size = pread(file, text, sizeof text, 0);
        sched_yield();
    }
    assert_memory_equal(text, "out\nerr\n", 8);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(file);
    unlink(log);
    rf_words_deinit(&words);
}

static void test_a_file_is_replaced_whole_or_stays(void **state)
{
    char directory[] = "/tmp/rowferry-file-XXXXXX", path[64], text[64];
    struct rf_error err = {0};
    struct stat stat_of;
    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/file", directory);
    assert_int_equal(rf_file_replace(path, RF_STR("one"), 0600, getuid(), getgid(), &err), RF_OK);
    assert_int_equal(rf_file_replace(path, RF_STR("second"), 0640, getuid(), getgid(), &err),
                     RF_OK);
    assert_int_equal(stat(path, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 07777, 0640);
    int file = open(path, O_RDONLY);
    assert_int_equal(read(file, text, sizeof text), 6);
    assert_memory_equal(text, "second", 6);
    close(file);
    unlink(path);
    rmdir(directory);
    assert_int_equal(rf_file_replace(path, RF_STR("three"), 0600, getuid(), getgid(), &err),
                     RF_CONFIG);
    assert_non_null(strstr(err.message, "could not write"));
    assert_non_null(strstr(err.message, "No such file or directory"));
}

static void test_programs_are_found_by_path_and_where_servers_are(void **state)
{
    struct rf_buf path = {0};
    (void)state;
    setenv("PATH", "/nowhere:/bin", 1);
    assert_true(rf_process_find("sh", &path));
    assert_string_equal(rf_buf_cstr(&path), "/bin/sh");
    rf_buf_reset(&path);
    assert_false(rf_process_find("no-such-program-anywhere", &path));
    assert_int_equal(path.size, 0);
    assert_int_equal(rf_process_directory(&path, NULL), RF_OK);
    rf_buf_deinit(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_program_says_and_how_it_ends_are_told),
        cmocka_unit_test(test_much_on_both_streams_locks_nobody_up),
        cmocka_unit_test(test_blocked_and_ignored_signals_are_not_handed_on),
        cmocka_unit_test(test_a_program_that_is_not_there_is_named),
        cmocka_unit_test(test_what_was_started_ends_when_we_are_killed),
        cmocka_unit_test(test_what_was_started_writes_to_its_log_in_a_group_of_its_own),
        cmocka_unit_test(test_a_file_is_replaced_whole_or_stays),
        cmocka_unit_test(test_programs_are_found_by_path_and_where_servers_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
