#include "engine/views.h"

#include "base/memory.h"

#include <stdlib.h>

enum { KEEP_BYTES = 4 << 20 }; /* of the memory of shadows, from flush to flush */

enum rf_status rf_views_open(struct rf_views *views, const struct rf_sink_spec *spec,
                             uint64_t events_left, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    rf_assert(views->spec == NULL);
    views->spec = spec;
    views->events_left = events_left;
    for (uint32_t i = 0; i < spec->transform_count && status == RF_OK; i++) {
        const struct rf_transform_type *type = spec->transforms[i];
        struct rf_option_set set = {type->name, type->options};
        void *state = rf_alloc_zero(1, type->state_size);
        views->states[views->state_count++] = state;
        status = rf_options_fill(set, spec->settings, state, &views->options, err);
        if (status == RF_OK) {
            status = type->open(state, err);
        }
    }
    return status;
}

/* ------------------------------------------------------------------------------------- a shadow */

/* One event through all transforms. */
static enum rf_status transform(struct rf_views *views, struct rf_event *event, bool *drop,
                                struct rf_error *err)
{
    for (uint32_t i = 0; i < views->spec->transform_count && !*drop; i++) {
        enum rf_status status =
            views->spec->transforms[i]->apply(views->states[i], event, drop, &views->memory, err);
        if (status != RF_OK) {
            return status;
        }
    }
    return RF_OK;
}

/* A batch for the shadow of this view, with room for all of its events. */
static struct rf_batch *make_batch(struct rf_views *views, const struct rf_view *whole)
{
    const struct rf_batch *from = whole->batch;
    struct rf_batch *batch = rf_arena_alloc(&views->memory, sizeof *batch);
    *batch = (struct rf_batch){
        .events = rf_arena_alloc(&views->memory, whole->count * sizeof *batch->events),
        .capacity = whole->count,
        .transactions =
            rf_arena_alloc(&views->memory, whole->transaction_count * sizeof *batch->transactions),
        .transaction_count = whole->transaction_count,
        .transaction_capacity = whole->transaction_count,
        .tables = from->tables,
        .table_count = from->table_count,
        .table_capacity = from->table_capacity,
        .position = from->position,
        .commit_us = from->commit_us,
        .skipped = from->skipped,
        .waived = from->waived,
        /* What the events point to is not counted here: it is as full as the other one. */
        .bytes_max = rf_batch_full(from) ? 0 : from->bytes_max,
        .end = from->end,
        .current = from->current,
    };
    return batch;
}

/* The events of transaction `number` of the view that the sink is to see, in the shadow's batch. */
static enum rf_status copy_transaction(struct rf_views *views, const struct rf_buried *buried,
                                       const struct rf_view *whole, uint32_t number,
                                       struct rf_batch *batch, struct rf_error *err)
{
    const struct rf_transaction *from = &whole->transactions[number];
    struct rf_transaction *transaction = &batch->transactions[number];
    const struct rf_event *events = whole->batch->events + from->first;
    uint32_t first_buried = 0, buried_count = 0;
    *transaction = *from;
    transaction->first = batch->count;
    if (buried->count > 0) {
        buried_count = rf_buried_of(buried, from->id, &first_buried);
    }
    for (uint32_t i = 0; i < from->count && views->events_left > 0; i++) {
        struct rf_event *event = &batch->events[batch->count];
        bool drop = false;
        views->events_left -= views->events_left != UINT64_MAX;
        if (buried_count > 0 && rf_buried_has(buried, first_buried, buried_count, &events[i])) {
            continue;
        }
        *event = events[i];
        event->transaction = number;
        enum rf_status status = transform(views, event, &drop, err);
        if (status != RF_OK) {
            if (err != NULL) {
                err->event = &events[i];
            }
            return status;
        }
        batch->count += !drop;
    }
    transaction->count = batch->count - transaction->first;
    return RF_OK;
}

static enum rf_status make_shadow(struct rf_views *views, const struct rf_buried *buried,
                                  struct rf_given *given, struct rf_error *err)
{
    struct rf_batch *batch = make_batch(views, &given->whole);
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < given->whole.transaction_count && status == RF_OK; i++) {
        status = copy_transaction(views, buried, &given->whole, i, batch, err);
    }
    if (status == RF_OK) {
        given->view = (struct rf_view){
            .batch = batch,
            .events = batch->events,
            .count = batch->count,
            .transactions = batch->transactions,
            .transaction_count = batch->transaction_count,
        };
    }
    return status;
}

enum rf_status rf_views_give(struct rf_views *views, const struct rf_buried *buried,
                             const struct rf_view *whole, const struct rf_view **out,
                             struct rf_error *err)
{
    struct rf_given *given = rf_arena_alloc(&views->memory, sizeof *given);
    *given = (struct rf_given){.before = views->last, .whole = *whole};
    views->last = given;
    *out = &given->view;
    if (views->spec->transform_count == 0 && buried->count == 0 &&
        views->events_left >= whole->count) {
        views->events_left -= views->events_left != UINT64_MAX ? whole->count : 0;
        given->view = *whole;
        return RF_OK;
    }
    return make_shadow(views, buried, given, err);
}

/* ------------------------------------------------------------------------------- what was given */

void rf_views_covered(struct rf_views *views)
{
    views->last = NULL;
    rf_arena_reset(&views->memory, KEEP_BYTES);
}

static bool lies_in(const struct rf_view *view, const struct rf_event *event)
{
    return view->count > 0 && event >= view->events && event < view->events + view->count;
}

const struct rf_view *rf_views_find(const struct rf_views *views, const void *event, bool *as_given)
{
    bool unused;
    as_given = as_given ? as_given : &unused;
    for (const struct rf_given *given = views->last; given != NULL; given = given->before) {
        if (lies_in(&given->view, event)) {
            *as_given = true;
            return &given->view;
        }
        if (lies_in(&given->whole, event)) {
            *as_given = false;
            return &given->whole;
        }
    }
    return NULL;
}

void rf_views_close(struct rf_views *views)
{
    for (uint32_t i = 0; i < views->state_count; i++) {
        views->spec->transforms[i]->close(views->states[i]);
        free(views->states[i]);
    }
    views->state_count = 0;
    views->spec = NULL;
    rf_arena_reset(&views->options, 0);
    rf_views_covered(views);
}

void rf_views_deinit(struct rf_views *views)
{
    rf_views_close(views);
    rf_arena_deinit(&views->options);
    rf_arena_deinit(&views->memory);
}
