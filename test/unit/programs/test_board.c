#include "programs/board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pty.h>
#include <unistd.h>

enum { OUTPUT_MAX = 65536 };

static const char *const names[] = {"first", "second"};
static char output[OUTPUT_MAX];

static void *work(void *argument)
{
    struct rf_board *board = argument;

    rf_board_say(board, 0, "starting");
    rf_board_say(board, 1, "stopping");
    rf_board_end(board, 1, false, "failed");
    rf_board_end(board, 0, true,
                 "answers on a port, with a line that is much longer than any room");
    return NULL;
}

/* Plays it with standard output going to `file`. */
static void play(int file)
{
    struct rf_board board;
    pthread_t thread;
    int before;

    fflush(stdout);
    before = dup(STDOUT_FILENO);
    dup2(file, STDOUT_FILENO);
    rf_board_begin(&board, names, 2);
    assert_int_equal(pthread_create(&thread, NULL, work, &board), 0);
    rf_board_watch(&board);
    pthread_join(thread, NULL);
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
}

static void test_off_a_terminal_each_change_is_a_line(void **state)
{
    char path[] = "/tmp/rowferry-board-XXXXXX";
    int file = mkstemp(path);
    (void)state;
    play(file);
    ssize_t size = pread(file, output, OUTPUT_MAX - 1, 0);
    output[size > 0 ? size : 0] = '\0';
    close(file);
    unlink(path);
    assert_string_equal(output,
                        "first: starting\nsecond: stopping\nsecond: failed\n"
                        "first: answers on a port, with a line that is much longer than any "
                        "room\n");
}

static void test_on_a_terminal_each_piece_has_its_line(void **state)
{
    struct winsize size = {.ws_row = 24, .ws_col = 60};
    int master, slave;
    (void)state;
    setenv("NO_COLOR", "1", 1);
    assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
    play(slave);
    close(slave);
    ssize_t got, all = 0;
    while (all < OUTPUT_MAX - 1 &&
           (got = read(master, output + all, (size_t)(OUTPUT_MAX - 1 - all))) > 0) {
        all += got;
    }
    output[all] = '\0';
    close(master);
    /* The last drawing: a line each, in order, cut before the last column. */
    const char *last = strrchr(output, 'A'); /* the cursor goes up */
    const char *lines = last != NULL ? last + 1 : output;
    assert_non_null(strstr(lines, "first  "));
    assert_non_null(strstr(lines, "s  answers on a port"));
    assert_null(strstr(lines, "any room"));
    assert_true(strstr(lines, "first  ") < strstr(lines, "second  "));
    assert_non_null(strstr(lines, "s  failed"));
    assert_null(strstr(output, "\033[3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_off_a_terminal_each_change_is_a_line),
        cmocka_unit_test(test_on_a_terminal_each_piece_has_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
