#include "base/clock.h"
#include "cli/live.h"

#include <rowferry/log.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LIMIT_MS = 10000 };

/* A terminal whose other end we read; standard error is moved to it. */
struct terminal {
    int master;
    int saved;
    struct rf_buf seen;
};

static void resize(const struct terminal *terminal, unsigned short columns)
{
    struct winsize size = {.ws_row = 24, .ws_col = columns};
    assert_int_equal(ioctl(terminal->master, TIOCSWINSZ, &size), 0);
}

static void open_terminal(struct terminal *terminal, unsigned short columns)
{
    int slave;
    *terminal = (struct terminal){0};
    assert_int_equal(openpty(&terminal->master, &slave, NULL, NULL, NULL), 0);
    resize(terminal, columns);
    terminal->saved = dup(STDERR_FILENO);
    assert_int_equal(dup2(slave, STDERR_FILENO), STDERR_FILENO);
    close(slave);
}

static void close_terminal(struct terminal *terminal)
{
    dup2(terminal->saved, STDERR_FILENO);
    close(terminal->saved);
    close(terminal->master);
    rf_buf_deinit(&terminal->seen);
}

/* Reads until what was seen so far ends in `wanted`, then forgets it. */
static void expect_end(struct terminal *terminal, const char *wanted)
{
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    size_t size = strlen(wanted);

    while (terminal->seen.size < size ||
           memcmp(terminal->seen.data + terminal->seen.size - size, wanted, size) != 0) {
        struct pollfd wait = {terminal->master, POLLIN, 0};
        if (poll(&wait, 1, (int)(until_ms - rf_clock_ms())) != 1 || rf_clock_ms() > until_ms) {
            fail_msg("the terminal shows: %s", rf_buf_cstr(&terminal->seen));
        }
        /* byte by byte, so that nothing behind the wanted end is taken with it */
        char byte;
        assert_int_equal(read(terminal->master, &byte, 1), 1);
        rf_buf_add_byte(&terminal->seen, byte);
    }
    rf_buf_reset(&terminal->seen);
}

static void write_columns(void *argument, uint32_t columns, struct rf_buf *out)
{
    (void)argument;
    for (uint32_t i = 0; i < columns && i < 90; i++) {
        rf_buf_add_byte(out, (char)('a' + i % 26));
    }
}

static void test_the_line_is_wiped_before_a_log_line_and_drawn_behind_it(void **state)
{
    struct terminal terminal;
    struct rf_live live = {.text = write_columns, .terminal = true};
    (void)state;
    open_terminal(&terminal, 11);
    rf_live_start(&live);
    expect_end(&terminal, "abcdefghij");
    rf_log(RF_LOG_WARN, "something");
    expect_end(&terminal, "\r\033[J");
    expect_end(&terminal, "Z warn  something\r\n");
    expect_end(&terminal, "abcdefghij");
    rf_live_stop(&live);
    rf_log(RF_LOG_WARN, "after");
    expect_end(&terminal, "\r\033[J");
    expect_end(&terminal, "Z warn  after\r\n");
    close_terminal(&terminal);
}

static void test_a_narrower_terminal_loses_all_rows_of_the_broken_line(void **state)
{
    struct terminal terminal;
    struct rf_live live = {.text = write_columns, .terminal = true};
    (void)state;
    open_terminal(&terminal, 27);
    rf_live_start(&live);
    expect_end(&terminal, "abcdefghijklmnopqrstuvwxyz");
    resize(&terminal, 11);
    rf_live_redraw(&live);
    /* 26 columns are three rows of 11: two up, then everything below goes */
    expect_end(&terminal, "\r\033[2A\033[J");
    expect_end(&terminal, "abcdefghij");
    rf_live_stop(&live);
    close_terminal(&terminal);
}

static void test_an_abandoned_line_is_wiped_and_not_drawn_again(void **state)
{
    struct terminal terminal;
    struct rf_live live = {.text = write_columns, .terminal = true};
    (void)state;
    open_terminal(&terminal, 6);
    rf_live_start(&live);
    expect_end(&terminal, "abcde");
    rf_live_abandon(&live);
    rf_live_stop(&live);
    fprintf(stderr, "end");
    expect_end(&terminal, "\r\033[Jend");
    close_terminal(&terminal);
}

static void test_stop_accepts_what_was_never_started(void **state)
{
    struct rf_live live = {0};
    (void)state;
    rf_live_stop(&live);
    rf_live_abandon(&live);
    rf_live_stop(&live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_line_is_wiped_before_a_log_line_and_drawn_behind_it),
        cmocka_unit_test(test_a_narrower_terminal_loses_all_rows_of_the_broken_line),
        cmocka_unit_test(test_an_abandoned_line_is_wiped_and_not_drawn_again),
        cmocka_unit_test(test_stop_accepts_what_was_never_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
