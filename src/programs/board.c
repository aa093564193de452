#include "programs/board.h"

#include "base/clock.h"
#include "base/terminal.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define GREEN "\033[32m"
#define RED   "\033[31m"
#define DIM   "\033[2m"
#define PLAIN "\033[0m"

enum { DRAW_MS = 100, NAME_COLUMNS = 26 };

void rf_board_begin(struct rf_board *board, const char *const *names, uint32_t count)
{
    pthread_condattr_t attributes;

    memset(board, 0, sizeof *board);
    rf_assert(count <= RF_BOARD_ROWS_MAX);
    pthread_mutex_init(&board->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&board->news, &attributes);
    pthread_condattr_destroy(&attributes);
    board->terminal = isatty(STDOUT_FILENO);
    board->coloured = rf_terminal_takes_colours(STDOUT_FILENO);
    board->row_count = board->open = count;
    for (uint32_t i = 0; i < count; i++) {
        board->rows[i].name = names[i];
        board->rows[i].begin_ms = rf_clock_ms();
    }
}

static void add_row(const struct rf_board *board, const struct rf_board_row *row, size_t columns,
                    struct rf_buf *out)
{
    static const char *const colours[] = {DIM, GREEN, RED};
    bool works = row->end == RF_BOARD_WORKS;
    long long passed_ms = (works ? rf_clock_ms() : row->end_ms) - row->begin_ms;
    char time[48];

    int size =
        snprintf(time, sizeof time, "%5lld.%lld s  ", passed_ms / 1000, passed_ms % 1000 / 100);
    size_t taken = NAME_COLUMNS + (size_t)size;
    size_t room = columns > taken ? columns - taken : 0;
    struct rf_str shown = {row->text.data, row->text.size < room ? row->text.size : room};
    rf_buf_printf(out, "%-*s%s%s%.*s%s", NAME_COLUMNS, row->name, time,
                  board->coloured ? colours[row->end] : "", RF_STR_ARG(shown),
                  board->coloured ? PLAIN : "");
}

/* The last column stays free: a character in it makes some terminals go to the next line. */
static void draw(struct rf_board *board)
{
    struct rf_buf out = {0};
    size_t columns = rf_terminal_columns(STDOUT_FILENO) - 1;

    if (board->drawn) {
        rf_buf_printf(&out, "\033[%uA", board->row_count);
    }
    for (uint32_t i = 0; i < board->row_count; i++) {
        add_row(board, &board->rows[i], columns, &out);
        rf_buf_printf(&out, "\033[K\n");
    }
    rf_terminal_put(STDOUT_FILENO, rf_buf_str(&out));
    rf_buf_deinit(&out);
    board->drawn = true;
}

static void change(struct rf_board *board, uint32_t row, enum rf_board_end end, const char *what)
{
    struct rf_board_row *changed = &board->rows[row];

    pthread_mutex_lock(&board->lock);
    rf_buf_set(&changed->text, rf_str_of(what));
    if (end != RF_BOARD_WORKS) {
        changed->end = end;
        changed->end_ms = rf_clock_ms();
        board->open--;
    }
    if (!board->terminal) {
        printf("%s: %s\n", changed->name, what);
        fflush(stdout);
    }
    pthread_cond_signal(&board->news);
    pthread_mutex_unlock(&board->lock);
}

void rf_board_say(struct rf_board *board, uint32_t row, const char *what)
{
    change(board, row, RF_BOARD_WORKS, what);
}

void rf_board_end(struct rf_board *board, uint32_t row, bool done, const char *what)
{
    change(board, row, done ? RF_BOARD_DONE : RF_BOARD_FAILED, what);
}

void rf_board_watch(struct rf_board *board)
{
    pthread_mutex_lock(&board->lock);
    while (board->open > 0) {
        int64_t until_ms = rf_clock_ms() + DRAW_MS;
        struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
        if (board->terminal) {
            draw(board);
        }
        pthread_cond_timedwait(&board->news, &board->lock, &until);
    }
    if (board->terminal) {
        draw(board);
    }
    pthread_mutex_unlock(&board->lock);
    for (uint32_t i = 0; i < board->row_count; i++) {
        rf_buf_deinit(&board->rows[i].text);
    }
    pthread_cond_destroy(&board->news);
    pthread_mutex_destroy(&board->lock);
}
