#include "programs/trail.h"

#include <stdio.h>

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
    trail->count = kept + 1;
}

void rf_trail_set(struct rf_trail *trail, const struct rf_post *posts, uint32_t count,
                  int64_t now_ms)
{
    struct rf_trail before = *trail;

    rf_assert(count <= RF_TRAIL_ROWS);
    for (uint32_t i = 0; i < count; i++) {
        const struct rf_trail_row *known = find(&before, posts[i].id);
        if (known != NULL) {
            trail->rows[i] = *known;
        } else {
            begin_row(&trail->rows[i], &posts[i], now_ms);
        }
    }
    trail->count = count;
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

void rf_trail_date(struct rf_trail *trail, const char *stamp, int64_t now_ms)
{
    for (uint32_t i = 0; i < trail->count; i++) {
        bool there = stamp != NULL && strcmp(stamp, trail->rows[i].post.stamp) >= 0;
        rf_trail_answer(trail, RF_COPY_DATE, i, there ? stamp : NULL, now_ms);
    }
}

struct rf_lag rf_trail_lag(const struct rf_trail *trail, enum rf_copy copy, int64_t now_ms)
{
    struct rf_lag lag = {0};

    for (uint32_t i = 0; i < trail->count; i++) {
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
