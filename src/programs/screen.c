#include "programs/screen.h"

#include <stdio.h>

#define BOLD   "\033[1m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define RED    "\033[31m"
#define PLAIN  "\033[0m"

enum { CELL = 21, COLUMNS = 4, LATE_MS = 1000 };

/* ---- Cells ----------------------------------------------------------------------------------- */

/* A line that is being made: text is counted in columns, colours are not. */
struct line {
    struct rf_buf *out;
    uint32_t used, columns;
    bool coloured;
    uint32_t lines;
};

static void add(struct line *line, const char *colour, const char *text)
{
    size_t size = strlen(text), room = line->columns - line->used;

    if (size > room) {
        size = room;
    }
    if (size == 0) {
        return;
    }
    rf_buf_printf(line->out, "%s%.*s%s", line->coloured ? colour : "", (int)size, text,
                  line->coloured && colour[0] != '\0' ? PLAIN : "");
    line->used += (uint32_t)size;
}

static void pad_to(struct line *line, uint32_t column)
{
    while (line->used < column && line->used < line->columns) {
        rf_buf_add_byte(line->out, ' ');
        line->used++;
    }
}

static void add_cell(struct line *line, uint32_t cell, const char *colour, const char *text)
{
    pad_to(line, 2 + cell * CELL);
    add(line, colour, text);
}

static void end(struct line *line)
{
    rf_buf_printf(line->out, "\033[K\n");
    line->used = 0;
    line->lines++;
}

/* ---- What is said of a lag ------------------------------------------------------------------- */

static void print_time(int64_t ms, char *out, size_t size)
{
    if (ms < 1000) {
        snprintf(out, size, "%lld ms", (long long)ms);
    } else {
        snprintf(out, size, "%.1f s", (double)ms / 1000);
    }
}

static void print_lag(const struct rf_lag *lag, char *out, size_t size)
{
    char time[32];

    if (!lag->known) {
        snprintf(out, size, "-");
    } else if (lag->rows == 0) {
        print_time(lag->ms, time, sizeof time);
        snprintf(out, size, "%s behind", time);
    } else {
        print_time(lag->ms, time, sizeof time);
        snprintf(out, size, "%u%s missing, %s", lag->rows, lag->more ? "+" : "", time);
    }
}

static const char *colour_of(const struct rf_lag *lag)
{
    return !lag->known ? "" : lag->ms < LATE_MS ? GREEN : YELLOW;
}

static void print_rows(const struct rf_screen_store *store, char *out, size_t size)
{
    if (!store->counted) {
        snprintf(out, size, "-");
    } else {
        snprintf(out, size, "%s%llu row%s", store->about ? "about " : "",
                 (unsigned long long)store->rows, store->rows == 1 ? "" : "s");
    }
}

/* ---- The table ------------------------------------------------------------------------------- */

static void head(const struct rf_screen *screen, struct line *line)
{
    char text[160];

    snprintf(text, sizeof text, "run %llu, every %.1f s", (unsigned long long)screen->run,
             (double)screen->every_ms / 1000);
    add(line, BOLD, "scheduler");
    add(line, "", "  ");
    add(line, "", text);
    if (screen->missed > 0) {
        snprintf(text, sizeof text, ", %llu missed", (unsigned long long)screen->missed);
        add(line, YELLOW, text);
    }
    pad_to(line, 2 + 2 * CELL);
    if (screen->pid > 0) {
        snprintf(text, sizeof text, "the pipeline runs, pid %d", screen->pid);
        add(line, GREEN, text);
    } else {
        add(line, RED, "the pipeline does not run");
    }
    if (screen->restarts > 0) {
        snprintf(text, sizeof text, ", restarted %u time%s", screen->restarts,
                 screen->restarts == 1 ? "" : "s");
        add(line, YELLOW, text);
    }
    end(line);
    end(line);
}

static void titles(const struct rf_screen *screen, struct line *line)
{
    const struct {
        const char *title;
        const struct rf_screen_store *store;
    } cells[COLUMNS] = {{"MySQL", &screen->mysql},
                        {"MongoDB", &screen->mongo},
                        {"Redis", &screen->redis},
                        {"notes (MongoDB)", &screen->notes}};

    for (uint32_t i = 0; i < COLUMNS; i++) {
        add_cell(line, i, BOLD, cells[i].title);
        if (cells[i].store->away) {
            add(line, RED, " away");
        }
    }
    end(line);
}

/* A row that a copy does not have yet is a dash, that of a copy that is away a question mark. */
static void copy_cell(struct line *line, uint32_t cell, const struct rf_screen_store *store,
                      const struct rf_trail_row *row, enum rf_copy copy)
{
    if (store->away) {
        add_cell(line, cell, RED, "?");
    } else if (row->seen_ms[copy] < 0) {
        add_cell(line, cell, YELLOW, "-");
    } else {
        add_cell(line, cell, "", row->stamps[copy]);
    }
}

static void stamps(const struct rf_screen *screen, struct line *line)
{
    const struct rf_trail *trail = screen->trail;

    for (uint32_t i = 0; i < RF_TRAIL_SHOWN; i++) {
        if (i < trail->count) {
            const struct rf_trail_row *row = &trail->rows[i];
            add_cell(line, 0, screen->mysql.away ? RED : "", row->post.stamp);
            copy_cell(line, 1, &screen->mongo, row, RF_COPY_MONGO);
            copy_cell(line, 2, &screen->redis, row, RF_COPY_REDIS);
        }
        if (i < screen->note_count) {
            add_cell(line, 3, screen->notes.away ? RED : "", screen->last_notes[i].stamp);
        }
        end(line);
    }
}

static void counts(const struct rf_screen *screen, struct line *line)
{
    const struct rf_screen_store *stores[COLUMNS] = {&screen->mysql, &screen->mongo, &screen->redis,
                                                     &screen->notes};
    char text[64];

    for (uint32_t i = 0; i < COLUMNS; i++) {
        print_rows(stores[i], text, sizeof text);
        add_cell(line, i, "", text);
    }
    end(line);
}

static void lags(const struct rf_screen *screen, struct line *line)
{
    char text[64];

    for (uint32_t copy = RF_COPY_MONGO; copy <= RF_COPY_REDIS; copy++) {
        struct rf_lag lag = rf_trail_lag(screen->trail, (enum rf_copy)copy, screen->now_ms);
        print_lag(&lag, text, sizeof text);
        add_cell(line, 1 + copy, colour_of(&lag), text);
    }
    end(line);
    struct rf_lag lag = rf_trail_lag(screen->trail, RF_COPY_DATE, screen->now_ms);
    print_lag(&lag, text, sizeof text);
    add_cell(line, 0, "", "LastInsertDate");
    add_cell(line, 1, "", screen->date[0] != '\0' ? screen->date : "-");
    add_cell(line, 2, colour_of(&lag), text);
    end(line);
}

static void news(const struct rf_screen *screen, struct line *line)
{
    const struct rf_screen_store *stores[] = {&screen->mysql, &screen->mongo, &screen->redis};
    static const char *const names[] = {"MySQL", "MongoDB", "Redis"};

    end(line);
    for (uint32_t i = 0; i < 3; i++) {
        if (stores[i]->away) {
            add(line, RED, names[i]);
            add(line, RED, " is away: ");
            add(line, "", stores[i]->why);
            end(line);
        }
    }
    for (uint32_t i = 0; i < RF_SCREEN_NEWS; i++) {
        if (screen->news[i][0] != '\0') {
            add(line, "", screen->news[i]);
            end(line);
        }
    }
}

uint32_t rf_screen_table(const struct rf_screen *screen, uint32_t columns, struct rf_buf *out)
{
    struct line line = {.out = out, .columns = columns, .coloured = screen->coloured};

    head(screen, &line);
    titles(screen, &line);
    stamps(screen, &line);
    counts(screen, &line);
    lags(screen, &line);
    news(screen, &line);
    return line.lines;
}

/* ---- The line -------------------------------------------------------------------------------- */

static void add_copy(const struct rf_screen *screen, const char *name,
                     const struct rf_screen_store *store, enum rf_copy copy, struct rf_buf *out)
{
    struct rf_lag lag = rf_trail_lag(screen->trail, copy, screen->now_ms);
    char rows[64], behind[64];

    if (store->away) {
        rf_buf_printf(out, "; %s is away: %s", name, store->why);
        return;
    }
    print_rows(store, rows, sizeof rows);
    print_lag(&lag, behind, sizeof behind);
    rf_buf_printf(out, "; %s %s, %s", name, rows, behind);
}

void rf_screen_line(const struct rf_screen *screen, struct rf_buf *out)
{
    struct rf_lag lag = rf_trail_lag(screen->trail, RF_COPY_DATE, screen->now_ms);
    char text[64];

    rf_buf_printf(out, "run %llu: ", (unsigned long long)screen->run);
    if (screen->mysql.away) {
        rf_buf_printf(out, "MySQL is away: %s", screen->mysql.why);
    } else {
        print_rows(&screen->mysql, text, sizeof text);
        rf_buf_printf(out, "MySQL %s", text);
    }
    add_copy(screen, "MongoDB", &screen->mongo, RF_COPY_MONGO, out);
    add_copy(screen, "Redis", &screen->redis, RF_COPY_REDIS, out);
    if (!screen->redis.away) {
        print_lag(&lag, text, sizeof text);
        rf_buf_printf(out, "; LastInsertDate %s, %s", screen->date[0] != '\0' ? screen->date : "-",
                      text);
    }
    if (!screen->notes.away) {
        print_rows(&screen->notes, text, sizeof text);
        rf_buf_printf(out, "; notes %s", text);
    }
    rf_buf_add_byte(out, '\n');
}
