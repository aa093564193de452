#include "programs/screen.h"

#include <stdio.h>

#define BOLD   "\033[1m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define RED    "\033[31m"
#define PLAIN  "\033[0m"

enum { CELL = 21, CELL_NARROW = 15, COLUMNS_MAX = 5, DATE_SIZE = 11, LATE_MS = 1000 };

/* ---- Cells ----------------------------------------------------------------------------------- */

/* A line that is being made: text is counted in columns, colours are not. */
struct line {
    struct rf_buf *out;
    uint32_t used, columns;
    uint32_t cell; /* its width */
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
    pad_to(line, 2 + cell * line->cell);
    add(line, colour, text);
}

/* A stamp, or the time in it where cells are narrow. */
static void add_stamp(struct line *line, uint32_t cell, const char *colour, const char *stamp)
{
    bool narrow = line->cell < CELL && strlen(stamp) > DATE_SIZE;

    add_cell(line, cell, colour, narrow ? stamp + DATE_SIZE : stamp);
}

static void end(struct line *line)
{
    rf_buf_printf(line->out, "\033[K\n");
    line->used = 0;
    line->lines++;
}

/* On as many lines as it takes: what matters in a message is often its end. */
static void add_message(struct line *line, const char *start, const char *text)
{
    add(line, RED, start);
    for (size_t size = strlen(text); size > 0 && line->columns > 0; size = strlen(text)) {
        size_t room = line->columns - line->used;
        if (room == 0) {
            end(line);
            continue;
        }
        add(line, "", text);
        text += size < room ? size : room;
    }
    end(line);
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
        snprintf(out, size, "%s%llu%s row%s", store->count.about ? "about " : "",
                 (unsigned long long)store->count.rows, store->count.more ? "+" : "",
                 store->count.rows == 1 ? "" : "s");
    }
}

/* What it has is not known just now. */
static bool is_dark(const struct rf_screen_store *store)
{
    return store->away || store->unread;
}

static const char *darkness(const struct rf_screen_store *store)
{
    return store->away ? " is away: " : " cannot be read: ";
}

/* ---- The table ------------------------------------------------------------------------------- */

/* A column of it. */
struct column {
    const char *title;
    const struct rf_screen_store *store;
    int copy; /* enum rf_copy; -1: it is none */
};

/* Returns how many. */
static uint32_t columns_of(const struct rf_screen *screen, struct column out[COLUMNS_MAX])
{
    uint32_t count = 0;

    out[count++] = (struct column){"MySQL", &screen->mysql, -1};
    out[count++] = (struct column){"MongoDB", &screen->mongo, RF_COPY_MONGO};
    out[count++] = (struct column){"Redis", &screen->redis, RF_COPY_REDIS};
    if (screen->has_cassandra) {
        out[count++] = (struct column){"Cassandra", &screen->cassandra, RF_COPY_CASSANDRA};
    }
    out[count++] = (struct column){"notes (MongoDB)", &screen->notes, -1};
    return count;
}

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
    struct column columns[COLUMNS_MAX];
    uint32_t count = columns_of(screen, columns);

    for (uint32_t i = 0; i < count; i++) {
        add_cell(line, i, BOLD, columns[i].title);
        if (is_dark(columns[i].store)) {
            add(line, RED, columns[i].store->away ? " away" : " unread");
        }
    }
    end(line);
}

/* A row that a copy does not have yet is a dash; a question mark where that cannot be seen. */
static void copy_cell(struct line *line, uint32_t cell, const struct rf_screen_store *store,
                      const struct rf_trail_row *row, enum rf_copy copy)
{
    if (is_dark(store)) {
        add_cell(line, cell, RED, "?");
    } else if (row->seen_ms[copy] < 0) {
        add_cell(line, cell, YELLOW, "-");
    } else {
        add_stamp(line, cell, "", row->stamps[copy]);
    }
}

static void stamps(const struct rf_screen *screen, struct line *line)
{
    const struct rf_trail *trail = screen->trail;
    struct column columns[COLUMNS_MAX];
    uint32_t count = columns_of(screen, columns);

    for (uint32_t i = 0; i < RF_TRAIL_SHOWN; i++) {
        if (i < trail->count) {
            const struct rf_trail_row *row = &trail->rows[i];
            add_stamp(line, 0, is_dark(&screen->mysql) ? RED : "", row->post.stamp);
            for (uint32_t j = 1; j < count - 1; j++) {
                copy_cell(line, j, columns[j].store, row, (enum rf_copy)columns[j].copy);
            }
        }
        if (i < screen->note_count) {
            add_stamp(line, count - 1, is_dark(&screen->notes) ? RED : "",
                      screen->last_notes[i].stamp);
        }
        end(line);
    }
}

static void counts(const struct rf_screen *screen, struct line *line)
{
    struct column columns[COLUMNS_MAX];
    uint32_t count = columns_of(screen, columns);
    char text[64];

    for (uint32_t i = 0; i < count; i++) {
        print_rows(columns[i].store, text, sizeof text);
        add_cell(line, i, "", text);
    }
    end(line);
}

/* The stamp of the newest note that a copy has; empty: none is known there. */
static const char *newest_note(const struct rf_screen *screen, enum rf_copy copy)
{
    for (uint32_t i = 0; i < screen->notes_trail->count; i++) {
        if (screen->notes_trail->rows[i].seen_ms[copy] >= 0) {
            return screen->notes_trail->rows[i].stamps[copy];
        }
    }
    return "";
}

/* A value of its own in that store. */
static void value(struct line *line, const char *title, const struct rf_screen_store *store,
                  const char *stamp, struct rf_lag lag)
{
    char text[64];

    print_lag(&lag, text, sizeof text);
    add_cell(line, 0, "", title);
    if (is_dark(store)) {
        add_cell(line, 1, RED, "?");
        end(line);
        return;
    }
    add_stamp(line, 1, "", stamp[0] != '\0' ? stamp : "-");
    add_cell(line, 2, colour_of(&lag), text);
    end(line);
}

static void lags(const struct rf_screen *screen, struct line *line)
{
    struct column columns[COLUMNS_MAX];
    uint32_t count = columns_of(screen, columns);
    char text[64];

    for (uint32_t i = 1; i < count - 1; i++) {
        struct rf_lag lag =
            rf_trail_lag(screen->trail, (enum rf_copy)columns[i].copy, screen->now_ms);
        print_lag(&lag, text, sizeof text);
        if (line->cell < CELL && lag.rows > 0) {
            snprintf(text, sizeof text, "%u%s missing", lag.rows, lag.more ? "+" : "");
        }
        if (!is_dark(columns[i].store)) {
            add_cell(line, i, colour_of(&lag), text);
        }
    }
    end(line);
    value(line, "LastInsertDate", &screen->redis, screen->date,
          rf_trail_lag(screen->trail, RF_COPY_DATE, screen->now_ms));
    if (screen->has_cassandra) {
        value(line, "maxTimeStamp", &screen->cassandra, screen->max,
              rf_trail_lag(screen->trail, RF_COPY_MAX, screen->now_ms));
    }
    value(line, "notes in Redis", &screen->redis, newest_note(screen, RF_COPY_REDIS),
          rf_trail_lag(screen->notes_trail, RF_COPY_REDIS, screen->now_ms));
    if (screen->has_cassandra) {
        value(line, "notes in Cassandra", &screen->cassandra,
              newest_note(screen, RF_COPY_CASSANDRA),
              rf_trail_lag(screen->notes_trail, RF_COPY_CASSANDRA, screen->now_ms));
    }
}

static void news(const struct rf_screen *screen, struct line *line)
{
    struct column columns[COLUMNS_MAX];
    uint32_t count = columns_of(screen, columns);
    char start[64];

    end(line);
    for (uint32_t i = 0; i < count - 1; i++) {
        if (is_dark(columns[i].store)) {
            snprintf(start, sizeof start, "%s%s", columns[i].title, darkness(columns[i].store));
            add_message(line, start, columns[i].store->why);
        }
    }
    if (screen->no_row[0] != '\0') {
        add_message(line, "", screen->no_row);
    }
    if (screen->no_note[0] != '\0') {
        add_message(line, "", screen->no_note);
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
    uint32_t cells = screen->has_cassandra ? COLUMNS_MAX : COLUMNS_MAX - 1;
    struct line line = {.out = out,
                        .columns = columns,
                        .cell = columns >= 2 + cells * CELL - 2 ? CELL : CELL_NARROW,
                        .coloured = screen->coloured};

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

    if (is_dark(store)) {
        rf_buf_printf(out, "; %s%s%s", name, darkness(store), store->why);
        return;
    }
    print_rows(store, rows, sizeof rows);
    print_lag(&lag, behind, sizeof behind);
    rf_buf_printf(out, "; %s %s, %s", name, rows, behind);
}

static void add_value(const struct rf_screen *screen, const char *name, const char *stamp,
                      enum rf_copy copy, struct rf_buf *out)
{
    struct rf_lag lag = rf_trail_lag(screen->trail, copy, screen->now_ms);
    char behind[64];

    print_lag(&lag, behind, sizeof behind);
    rf_buf_printf(out, "; %s %s, %s", name, stamp[0] != '\0' ? stamp : "-", behind);
}

static void add_notes(const struct rf_screen *screen, const char *name,
                      const struct rf_screen_store *store, enum rf_copy copy, struct rf_buf *out)
{
    struct rf_lag lag = rf_trail_lag(screen->notes_trail, copy, screen->now_ms);
    char behind[64];

    if (!is_dark(store)) {
        print_lag(&lag, behind, sizeof behind);
        rf_buf_printf(out, ", in %s %s", name, behind);
    }
}

void rf_screen_line(const struct rf_screen *screen, struct rf_buf *out)
{
    char text[64];

    rf_buf_printf(out, "run %llu: ", (unsigned long long)screen->run);
    if (is_dark(&screen->mysql)) {
        rf_buf_printf(out, "MySQL%s%s", darkness(&screen->mysql), screen->mysql.why);
    } else {
        print_rows(&screen->mysql, text, sizeof text);
        rf_buf_printf(out, "MySQL %s", text);
    }
    add_copy(screen, "MongoDB", &screen->mongo, RF_COPY_MONGO, out);
    add_copy(screen, "Redis", &screen->redis, RF_COPY_REDIS, out);
    if (!is_dark(&screen->redis)) {
        add_value(screen, "LastInsertDate", screen->date, RF_COPY_DATE, out);
    }
    if (screen->has_cassandra) {
        add_copy(screen, "Cassandra", &screen->cassandra, RF_COPY_CASSANDRA, out);
    }
    if (screen->has_cassandra && !is_dark(&screen->cassandra)) {
        add_value(screen, "maxTimeStamp", screen->max, RF_COPY_MAX, out);
    }
    if (!is_dark(&screen->notes)) {
        print_rows(&screen->notes, text, sizeof text);
        rf_buf_printf(out, "; notes %s", text);
        add_notes(screen, "Redis", &screen->redis, RF_COPY_REDIS, out);
        if (screen->has_cassandra) {
            add_notes(screen, "Cassandra", &screen->cassandra, RF_COPY_CASSANDRA, out);
        }
    }
    if (screen->no_row[0] != '\0') {
        rf_buf_printf(out, "; %s", screen->no_row);
    }
    if (screen->no_note[0] != '\0') {
        rf_buf_printf(out, "; %s", screen->no_note);
    }
    rf_buf_add_byte(out, '\n');
}
