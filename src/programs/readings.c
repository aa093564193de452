#include "programs/readings.h"

#include "base/clock.h"

#include <stdio.h>

enum { COUNT_PACE = 10 /* a count is due after so many times of what the last one took */ };

/* ---- What could not be read ------------------------------------------------------------------ */

/* The first refusal of a look is kept until the next one. */
static bool was_read(struct rf_readings *readings, enum rf_store store, enum rf_status status,
                     const struct rf_error *err)
{
    char *unread = readings->unread[store];

    if (status == RF_CONFIG && unread[0] == '\0') {
        snprintf(unread, sizeof readings->unread[store], "%.150s", err->message);
    }
    return status == RF_OK;
}

static void show(const struct rf_readings *readings, enum rf_store store,
                 struct rf_screen_store *out)
{
    const char *away = readings->stores->away[store], *unread = readings->unread[store];

    out->away = away[0] != '\0';
    out->unread = !out->away && unread[0] != '\0';
    out->why = out->away ? away : unread;
}

void rf_readings_show(const struct rf_readings *readings)
{
    struct rf_screen *screen = readings->screen;

    show(readings, RF_STORE_MYSQL, &screen->mysql);
    show(readings, RF_STORE_MONGO, &screen->mongo);
    show(readings, RF_STORE_MONGO, &screen->notes);
    show(readings, RF_STORE_REDIS, &screen->redis);
    show(readings, RF_STORE_CASSANDRA, &screen->cassandra);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* Of those that were asked for, at the end of posts, the ones that are there. Returns how many rows
 * there are now. */
static uint32_t keep_found(struct rf_post *posts, uint32_t count, uint32_t asked)
{
    uint32_t kept = count;

    for (uint32_t i = 0; i < asked; i++) {
        if (posts[count + i].stamp[0] != '\0') { /* else it was deleted */
            posts[kept++] = posts[count + i];
        }
    }
    return kept;
}

void rf_readings_source(struct rf_readings *readings)
{
    struct rf_post posts[RF_TRAIL_ROWS];
    struct rf_error err = {0};
    uint32_t count = RF_TRAIL_LAST;
    enum rf_status status = rf_stores_posts(readings->stores, posts, &count, &err);

    if (!was_read(readings, RF_STORE_MYSQL, status, &err)) {
        return;
    }
    uint32_t absent = rf_trail_absent(readings->trail, posts, count, posts + count);
    status = rf_stores_find(readings->stores, RF_STORE_MYSQL, posts + count, absent, &err);
    if (was_read(readings, RF_STORE_MYSQL, status, &err)) {
        count = keep_found(posts, count, absent);
        rf_trail_set(readings->trail, posts, count, rf_clock_ms());
    }
}

/* Asks a copy for those rows of a trail that are of interest there. */
static void read_copy(struct rf_readings *readings, struct rf_trail *trail, enum rf_copy copy,
                      enum rf_store store)
{
    struct rf_post asked[RF_TRAIL_ROWS];
    uint32_t rows[RF_TRAIL_ROWS];
    uint32_t count = rf_trail_ask(trail, copy, rows);
    struct rf_error err = {0};

    for (uint32_t i = 0; i < count; i++) {
        asked[i] = trail->rows[rows[i]].post;
    }
    enum rf_status status = trail == readings->trail
                                ? rf_stores_find(readings->stores, store, asked, count, &err)
                                : rf_stores_find_notes(readings->stores, store, asked, count, &err);
    if (!was_read(readings, store, status, &err)) {
        return;
    }
    int64_t now_ms = rf_clock_ms();
    for (uint32_t i = 0; i < count; i++) {
        rf_trail_answer(trail, copy, rows[i], asked[i].stamp[0] != '\0' ? asked[i].stamp : NULL,
                        now_ms);
    }
}

/* LastInsertDate or maxTimeStamp. */
static void read_value(struct rf_readings *readings, enum rf_copy copy, enum rf_store store,
                       char *out)
{
    struct rf_error err = {0};
    enum rf_status status = store == RF_STORE_REDIS ? rf_stores_date(readings->stores, out, &err)
                                                    : rf_stores_max(readings->stores, out, &err);

    if (was_read(readings, store, status, &err)) {
        rf_trail_value(readings->trail, copy, out[0] != '\0' ? out : NULL, rf_clock_ms());
    }
}

/* Of notes only those are looked for in the copies that were written since their pipeline has a
 * place; those of before it does not carry. */
static void read_notes(struct rf_readings *readings)
{
    struct rf_post notes[RF_TRAIL_LAST], known[RF_TRAIL_ROWS];
    struct rf_screen *screen = readings->screen;
    struct rf_error err = {0};
    uint32_t count = RF_TRAIL_LAST, known_count = 0;
    enum rf_status status =
        rf_stores_notes(readings->stores, notes, &count, &screen->notes.count.rows, &err);

    if (!was_read(readings, RF_STORE_MONGO, status, &err)) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (rf_trail_knows(readings->notes_trail, notes[i].id)) {
            known[known_count++] = notes[i];
        }
    }
    uint32_t absent = rf_trail_absent(readings->notes_trail, notes, count, known + known_count);
    status =
        rf_stores_find_notes(readings->stores, RF_STORE_MONGO, known + known_count, absent, &err);
    if (!was_read(readings, RF_STORE_MONGO, status, &err)) {
        return;
    }
    known_count = keep_found(known, known_count, absent);
    screen->note_count = count < RF_SCREEN_NOTES ? count : RF_SCREEN_NOTES;
    memcpy(screen->last_notes, notes, screen->note_count * sizeof *notes);
    screen->notes.counted = true;
    rf_trail_set(readings->notes_trail, known, known_count, rf_clock_ms());
}

/* ---- Counts ---------------------------------------------------------------------------------- */

static void count(struct rf_readings *readings, enum rf_store store, struct rf_screen_store *shown,
                  bool now)
{
    struct rf_error err = {0};
    int64_t begin_ms = rf_clock_ms();
    int64_t due_ms = readings->counts[store].at_ms + COUNT_PACE * readings->counts[store].took_ms;

    if (readings->unread[store][0] != '\0' || (!now && begin_ms < due_ms)) {
        return;
    }
    enum rf_status status = rf_stores_count(readings->stores, store, &shown->count, &err);
    shown->counted = was_read(readings, store, status, &err);
    readings->counts[store].at_ms = rf_clock_ms();
    readings->counts[store].took_ms = readings->counts[store].at_ms - begin_ms;
}

static void count_all(struct rf_readings *readings, bool now)
{
    struct rf_screen *screen = readings->screen;

    count(readings, RF_STORE_MYSQL, &screen->mysql, now);
    count(readings, RF_STORE_MONGO, &screen->mongo, now);
    count(readings, RF_STORE_REDIS, &screen->redis, now);
    if (screen->has_cassandra) {
        count(readings, RF_STORE_CASSANDRA, &screen->cassandra, now);
    }
}

/* ---- All of it ------------------------------------------------------------------------------- */

static bool have_arrived(const struct rf_readings *readings, bool with_notes)
{
    for (int store = 0; store < RF_STORES; store++) {
        if (readings->stores->away[store][0] != '\0' || readings->unread[store][0] != '\0') {
            return false;
        }
    }
    for (int copy = 0; copy < RF_COPIES; copy++) {
        if (rf_trail_lag(readings->trail, (enum rf_copy)copy, 0).rows > 0) {
            return false;
        }
    }
    for (int copy = 0; copy < RF_COPIES && with_notes; copy++) {
        if (rf_trail_lag(readings->notes_trail, (enum rf_copy)copy, 0).rows > 0) {
            return false;
        }
    }
    return true;
}

bool rf_readings_take(struct rf_readings *readings, bool with_notes)
{
    struct rf_screen *screen = readings->screen;

    memset(readings->unread, 0, sizeof readings->unread);
    read_copy(readings, readings->trail, RF_COPY_MONGO, RF_STORE_MONGO);
    read_copy(readings, readings->trail, RF_COPY_REDIS, RF_STORE_REDIS);
    read_value(readings, RF_COPY_DATE, RF_STORE_REDIS, screen->date);
    if (screen->has_cassandra) {
        read_copy(readings, readings->trail, RF_COPY_CASSANDRA, RF_STORE_CASSANDRA);
        read_value(readings, RF_COPY_MAX, RF_STORE_CASSANDRA, screen->max);
    }
    rf_readings_source(readings);
    read_copy(readings, readings->notes_trail, RF_COPY_REDIS, RF_STORE_REDIS);
    if (screen->has_cassandra) {
        read_copy(readings, readings->notes_trail, RF_COPY_CASSANDRA, RF_STORE_CASSANDRA);
    }
    read_notes(readings);
    bool arrived = have_arrived(readings, with_notes);
    count_all(readings, arrived);
    return arrived && have_arrived(readings, with_notes); /* to be counted is to be read, too */
}
