#include "programs/trail.h"

#include <stdio.h>
#include <stdlib.h>

static void begin_row(struct rf_trail_row *row, const struct rf_post *post, int64_t now_ms)
{
    *row = (struct rf_trail_row){.post = *post, .written_ms = now_ms};
    for (int copy = 0; copy < RF_COPIES; copy++) {
        row->seen_ms[copy] = -1;
    }
}

static const struct rf_trail_row *find(const struct rf_trail *trail, const char *id)
{
    for (uint32_t i = 0; i < trail->count; i++) {
        if (strcmp(trail->rows[i].post.id, id) == 0) {
            return &trail->rows[i];
        }
    }
    return NULL;
}

void rf_trail_wrote(struct rf_trail *trail, const struct rf_post *post, int64_t now_ms)
{
    uint32_t kept = trail->count < RF_TRAIL_ROWS ? trail->count : RF_TRAIL_ROWS - 1;

    memmove(&trail->rows[1], &trail->rows[0], kept * sizeof trail->rows[0]);
    begin_row(&trail->rows[0], post, now_ms);
    trail->rows[0].order = ++trail->order;
    trail->rows[0].own = true;
    trail->count = kept + 1;
}

static bool is_among(const struct rf_post *posts, uint32_t count, const char *id)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(posts[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_seen(const struct rf_trail *trail, const struct rf_trail_row *row)
{
    for (int copy = 0; copy < RF_COPIES; copy++) {
        if (row->seen_ms[copy] < 0 && !trail->unused[copy]) {
            return false;
        }
    }
    return true;
}

uint32_t rf_trail_absent(const struct rf_trail *trail, const struct rf_post *posts, uint32_t count,
                         struct rf_post *out)
{
    uint32_t absent = 0;

    for (uint32_t i = 0; i < trail->count && absent < RF_TRAIL_ROWS - RF_TRAIL_LAST; i++) {
        const struct rf_trail_row *row = &trail->rows[i];
        bool wanted = i < RF_TRAIL_SHOWN || !is_seen(trail, row);
        if (row->own && wanted && !is_among(posts, count, row->post.id)) {
            out[absent++] = row->post;
        }
    }
    return absent;
}

/* The newest first; among those whose order is not known, as their stamps say. */
static int compare(const void *left, const void *right)
{
    const struct rf_trail_row *a = left, *b = right;

    if (a->order != b->order) {
        return a->order < b->order ? 1 : -1;
    }
    return strcmp(b->post.stamp, a->post.stamp);
}

/* The first of MySQL's last rows that are unknown because they are old: behind the last known one,
 * where deletions have made room for them. */
static uint32_t first_old(const struct rf_trail *trail, const struct rf_post *posts, uint32_t count)
{
    uint32_t last = count < RF_TRAIL_LAST ? count : RF_TRAIL_LAST, known = last;

    while (trail->full && known > 0 && find(trail, posts[known - 1].id) == NULL) {
        known--;
    }
    return known > 0 ? known : last; /* none is known: all were written since */
}

void rf_trail_set(struct rf_trail *trail, const struct rf_post *posts, uint32_t count,
                  int64_t now_ms)
{
    struct rf_trail before = *trail;
    uint32_t old = first_old(&before, posts, count);

    rf_assert(count <= RF_TRAIL_ROWS);
    for (uint32_t i = count; i-- > 0;) { /* so that of new ones the oldest is known first */
        const struct rf_trail_row *known = find(&before, posts[i].id);
        if (known != NULL) {
            trail->rows[i] = *known;
        } else {
            begin_row(&trail->rows[i], &posts[i], now_ms);
            trail->rows[i].order = i >= old ? 0 : ++trail->order;
        }
    }
    trail->count = count;
    trail->full = count >= RF_TRAIL_LAST;
    qsort(trail->rows, count, sizeof *trail->rows, compare);
}

bool rf_trail_knows(const struct rf_trail *trail, const char *id)
{
    return find(trail, id) != NULL;
}

uint32_t rf_trail_ask(const struct rf_trail *trail, enum rf_copy copy, uint32_t *rows)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < trail->count; i++) {
        if (i < RF_TRAIL_SHOWN || trail->rows[i].seen_ms[copy] < 0) {
            rows[count++] = i;
        }
    }
    return count;
}

void rf_trail_answer(struct rf_trail *trail, enum rf_copy copy, uint32_t row, const char *stamp,
                     int64_t now_ms)
{
    struct rf_trail_row *asked = &trail->rows[row];

    if (stamp == NULL) {
        asked->seen_ms[copy] = -1;
        asked->stamps[copy][0] = '\0';
        return;
    }
    snprintf(asked->stamps[copy], sizeof asked->stamps[copy], "%s", stamp);
    if (asked->seen_ms[copy] < 0) {
        asked->seen_ms[copy] = now_ms;
    }
}

/* The row that has this stamp. Of several: the newest that the store has itself; where it has none
 * of them, the oldest, as no more is sure. trail->count: there is none. */
static uint32_t row_of(const struct rf_trail *trail, enum rf_copy rows, const char *stamp)
{
    uint32_t found = trail->count;

    for (uint32_t i = 0; i < trail->count; i++) {
        if (strcmp(stamp, trail->rows[i].post.stamp) == 0) {
            found = i;
            if (trail->rows[i].seen_ms[rows] >= 0) {
                break;
            }
        }
    }
    return found;
}

void rf_trail_value(struct rf_trail *trail, enum rf_copy copy, const char *stamp, int64_t now_ms)
{
    enum rf_copy rows = copy == RF_COPY_DATE ? RF_COPY_REDIS : RF_COPY_CASSANDRA;

    for (uint32_t i = stamp != NULL ? row_of(trail, rows, stamp) : 0; i < trail->count; i++) {
        rf_trail_answer(trail, copy, i, stamp, now_ms);
    }
}

struct rf_lag rf_trail_lag(const struct rf_trail *trail, enum rf_copy copy, int64_t now_ms)
{
    struct rf_lag lag = {0};

    for (uint32_t i = 0; i < trail->count && !trail->unused[copy]; i++) {
        const struct rf_trail_row *row = &trail->rows[i];
        if (row->seen_ms[copy] < 0) {
            int64_t age_ms = now_ms - row->written_ms;
            lag.ms = age_ms > lag.ms ? age_ms : lag.ms;
            lag.rows++;
        }
    }
    lag.known = trail->count > 0;
    lag.more = lag.rows == RF_TRAIL_ROWS;
    if (lag.rows == 0 && trail->count > 0) {
        lag.ms = trail->rows[0].seen_ms[copy] - trail->rows[0].written_ms;
    }
    return lag;
}
