/* What the source and the destinations of the world in sim.h do. */
#ifndef ROWFERRY_TEST_SIM_PLUGINS_H
#define ROWFERRY_TEST_SIM_PLUGINS_H

#include "unit/engine/sim.h"

/* ----------------------------------------------------------------------------------- the source */

static inline enum rf_status sim_lost(struct sim_world *world, struct sim_runner *runner,
                                      const char *what)
{
    world->faults++;
    return rf_fail(&runner->err, RF_RETRY, "%s", what);
}

static inline enum rf_status sim_source_open(struct sim_world *world, struct sim_runner *runner)
{
    uint32_t at = world->from_now ? world->available : 0;
    world->source_opens++;
    if (runner->interrupted || sim_chance(world, world->chances.fault)) {
        return sim_lost(world, runner, "source open");
    }
    if (runner->action.position.size > 0 && !sim_parse(runner->action.position, &at)) {
        SIM_FAIL(world, "the source is opened at \"%.*s\"", RF_STR_ARG(runner->action.position));
    }
    if (at < world->purged) {
        SIM_FAIL(world, "the source is opened at P%u, but up to P%u was acknowledged", at,
                 world->purged);
    }
    runner->transaction = at + 1;
    runner->event = 0;
    snprintf(runner->position, sizeof runner->position, "P%u", at);
    runner->result.position = rf_str_of(runner->position);
    return RF_OK;
}

static inline void sim_fill(struct sim_world *world, struct sim_runner *runner,
                            struct rf_batch *batch)
{
    char text[24];
    uint32_t last = 0;
    while (runner->transaction <= world->available && batch->count < world->batch_events &&
           (batch->count == 0 || !rf_batch_full(batch))) {
        uint32_t number = runner->transaction, size = world->sizes[number];
        bool shown = size > 0 || sim_random(world, 4) == 0;
        if (batch->count + (batch->transaction_count > 0) > 0 &&
            ((size - runner->event > world->batch_events - batch->count &&
              sim_random(world, 2) == 0) ||
             batch->bytes_max == 1)) {
            break; /* whole transactions as far as they fit, or a piece of the next */
        }
        if (shown) {
            snprintf(text, sizeof text, "T%u", number);
            rf_batch_begin(batch, rf_str_of(text), sim_commit_us(world, number),
                           runner->event == 0);
        } else {
            batch->waived++;
        }
        while (runner->event < size && batch->count < world->batch_events &&
               (batch->count == 0 || batch->bytes_max > 1)) {
            struct rf_event *event = rf_batch_add(batch);
            event->op = RF_CREATE;
            event->ordinal = world->ends_at[number] - size + ++runner->event;
        }
        if (runner->event < size) {
            break;
        }
        if (shown) {
            rf_batch_commit(batch);
        }
        last = number;
        runner->transaction++;
        runner->event = 0;
        if (sim_random(world, 6) == 0) {
            break;
        }
    }
    if (last > 0) {
        snprintf(text, sizeof text, "P%u", last);
        rf_batch_set_position(batch, rf_str_of(text), sim_commit_us(world, last));
    }
    batch->end = world->ends && runner->transaction > world->count;
    batch->current = runner->transaction > world->available && sim_random(world, 2) == 0;
}

static inline enum rf_status sim_source_read(struct sim_world *world, struct sim_runner *runner)
{
    struct rf_batch *batch = runner->action.batch;
    rf_batch_reset(batch, 64 * 1024);
    if (runner->interrupted || sim_chance(world, world->chances.fault)) {
        return sim_lost(world, runner, "source read");
    }
    if (sim_random(world, 50) == 0) {
        return RF_AGAIN;
    }
    sim_fill(world, runner, batch);
    return batch->transaction_count > 0 || batch->position.size > 0 || batch->end || batch->current
               ? RF_OK
               : RF_AGAIN;
}

/* As things are when the source is to be told: a destination that went back may take its record
 * back before the source has heard it. */
static inline void sim_check_ack(struct sim_world *world, struct sim_runner *runner)
{
    uint32_t position = 0;
    if (!sim_parse(runner->action.position, &position)) {
        SIM_FAIL(world, "acknowledged \"%.*s\"", RF_STR_ARG(runner->action.position));
    }
    for (uint32_t i = 0; i < world->sinks; i++) {
        if (world->records[i].position == UINT32_MAX || position > world->records[i].position) {
            SIM_FAIL(world, "P%u is acknowledged, but sink %u has recorded P%d", position, i,
                     (int)world->records[i].position);
        }
    }
}

static inline enum rf_status sim_source_ack(struct sim_world *world, struct sim_runner *runner)
{
    uint32_t position = 0;
    sim_parse(runner->action.position, &position);
    world->acks++;
    if (world->purges && position > world->purged) {
        world->purged = position;
    }
    return runner->interrupted || sim_chance(world, world->chances.fault)
               ? sim_lost(world, runner, "source ack")
               : RF_OK;
}

/* ------------------------------------------------------------------------------------ the sinks */

static inline void sim_start(struct sim_world *world, struct sim_dest *dest, uint32_t position)
{
    if (!dest->started) {
        dest->started = true;
        dest->start = position;
        dest->now.high = dest->durable.high = dest->buried_to = world->ends_at[position];
    }
}

/* Every event up to that position that the destination refuses is in its dead letters. */
static inline void sim_check_buried(struct sim_world *world, struct sim_dest *dest,
                                    uint32_t position)
{
    while (dest->buried_to < world->ends_at[position]) {
        uint32_t event = dest->buried_to + 1;
        if (sim_refuses(dest, event) && !sim_bit(dest->dead, event)) {
            SIM_FAIL(world, "P%u lies behind event %u, which was refused and is nowhere", position,
                     event);
            return;
        }
        dest->buried_to++;
    }
}

/* An operator's order is carried out: the destination is taken as it is now. */
static inline void sim_carry_out(struct sim_world *world, struct sim_dest *dest, uint32_t position)
{
    dest->snapshots = 0;
    if (position == UINT32_MAX) {
        memset(dest->now.state, 0, sizeof dest->now.state);
        memset(dest->durable.state, 0, sizeof dest->durable.state);
    }
    if (dest->kind == SIM_FILE || position == UINT32_MAX || dest->emptied) {
        dest->now.lines = dest->durable.lines = 0;
        dest->started = dest->emptied = false;
        dest->now.high = dest->durable.high = 0;
    }
    if (position != UINT32_MAX) {
        dest->start = dest->started && dest->start < position ? dest->start : position;
        dest->started = true;
        dest->buried_to = world->ends_at[dest->start];
        if (dest->kind == SIM_FILE || dest->now.high < world->ends_at[position]) {
            dest->now.high = dest->durable.high = world->ends_at[position];
        }
    }
}

static inline enum rf_status sim_open_file(struct sim_world *world, struct sim_dest *dest,
                                           struct sim_runner *runner, uint32_t position)
{
    uint64_t note = 0;
    const struct rf_str text = runner->action.note;
    if (position != UINT32_MAX && !runner->action.ordered && !rf_str_to_u64(text, &note)) {
        SIM_FAIL(world, "note \"%.*s\"", RF_STR_ARG(text));
    }
    if (runner->action.ordered && text.size > 0) {
        SIM_FAIL(world, "an order comes with the note \"%.*s\"", RF_STR_ARG(text));
    }
    if (dest->now.lines < note) {
        SIM_FAIL(world, "the file has %u lines, its note says %u", dest->now.lines, (unsigned)note);
    }
    dest->now.lines = runner->length = (uint32_t)note;
    dest->now.high = dest->started ? world->ends_at[dest->start] + dest->now.lines : 0;
    if (dest->durable.lines > dest->now.lines) {
        dest->durable = dest->now;
    }
    return RF_OK;
}

static inline enum rf_status sim_open_keyed(struct sim_world *world, struct sim_dest *dest,
                                            struct sim_runner *runner, uint32_t *position)
{
    if (runner->action.ordered) {
        return RF_OK; /* what the destination says of its place is void */
    }
    if (dest->now.position != UINT32_MAX) {
        snprintf(runner->position, sizeof runner->position, "P%u", dest->now.position);
        runner->result.position = rf_str_of(runner->position);
        *position = dest->now.position;
    } else if (*position != UINT32_MAX) {
        if (!runner->action.adopt) {
            return rf_fail(&runner->err, RF_FATAL, "the destination lost its data");
        }
        SIM_TRACE(world, "adopted at P%u", *position);
        world->adopted++;
        dest->started = true;
        dest->start = *position;
        dest->now.high = dest->durable.high = dest->buried_to = world->ends_at[*position];
    }
    return RF_OK;
}

static inline bool sim_stalled(const struct sim_world *world, const struct sim_dest *dest)
{
    return world->now_ms >= dest->stalled_from_ms && world->now_ms < dest->stalled_until_ms;
}

static inline enum rf_status sim_sink_open(struct sim_world *world, struct sim_dest *dest,
                                           struct sim_runner *runner)
{
    const struct rf_action *action = &runner->action;
    uint32_t position = UINT32_MAX;
    enum rf_status status = RF_OK;
    runner->view_count = 0;
    runner->whole = runner->next = UINT32_MAX;
    runner->refused = 0;
    if (action->position.size > 0 && !sim_parse(action->position, &position)) {
        SIM_FAIL(world, "a sink is opened at \"%.*s\"", RF_STR_ARG(action->position));
    }
    if (runner->interrupted || sim_stalled(world, dest) ||
        sim_chance(world, world->chances.fault)) {
        return sim_lost(world, runner, "sink open");
    }
    if (action->ordered != world->records[dest - world->dests].ordered) {
        SIM_FAIL(world, "sink %d is opened with an order: %d", (int)(dest - world->dests),
                 action->ordered);
    }
    runner->ordered = action->ordered;
    if (action->ordered) {
        sim_carry_out(world, dest, position);
    }
    if (dest->kind == SIM_FILE) {
        status = sim_open_file(world, dest, runner, position);
    } else if (dest->kind == SIM_KEYED) {
        status = sim_open_keyed(world, dest, runner, &position);
    }
    if (position != UINT32_MAX) {
        runner->next = world->ends_at[position] + 1;
    }
    return status;
}

static inline void sim_apply(struct sim_world *world, struct sim_dest *dest, uint32_t event)
{
    struct sim_content *now = &dest->now;
    if (!dest->started) {
        SIM_FAIL(world, "event %u before a first position was flushed", event);
    } else if (event > now->high + 1) {
        SIM_FAIL(world, "lost: event %u comes after %u", event, now->high);
    } else if (dest->kind == SIM_FILE && event != world->ends_at[dest->start] + now->lines + 1) {
        SIM_FAIL(world, "the file has %u lines from %u on, event %u comes again", now->lines,
                 world->ends_at[dest->start] + 1, event);
    }
    now->high = event > now->high ? event : now->high;
    now->lines++;
    if (!sim_refuses(dest, event)) { /* else it lies in the dead letters, and counts as a line */
        now->state[sim_key(event)] = event;
    }
}

/* Each transaction once per open, in order, whole. */
static inline void sim_check_view(struct sim_world *world, struct sim_runner *runner)
{
    const struct rf_view *view = &runner->action.view;
    if (runner->ordered) {
        SIM_FAIL(world, "something is written before an order was recorded");
    }
    for (uint32_t i = 0; i < view->count; i++) {
        if (runner->next != UINT32_MAX && view->events[i].ordinal != runner->next) {
            SIM_FAIL(world, "event %u is given, not %u", view->events[i].ordinal, runner->next);
        }
        runner->next = view->events[i].ordinal + 1;
    }
    if (view->transaction_count == 0 || view->transactions[0].first + view->transactions[0].count <
                                            (uint32_t)(view->events - view->batch->events)) {
        SIM_FAIL(world, "a view's transactions are not those of its events");
    }
}

static inline void sim_borrow(struct sim_runner *runner)
{
    const struct rf_view *view = &runner->action.view;
    if (view->count > 0 && runner->view_count < SIM_VIEWS_MAX) {
        runner->views[runner->view_count].events = view->events;
        runner->views[runner->view_count].count = view->count;
        runner->views[runner->view_count++].first = view->events[0].ordinal;
    }
}

static inline enum rf_status sim_sink_write(struct sim_world *world, struct sim_dest *dest,
                                            struct sim_runner *runner)
{
    const struct rf_view *view = &runner->action.view;
    uint32_t count = view->count;
    bool fails =
        runner->interrupted || sim_stalled(world, dest) || sim_chance(world, world->chances.fault);
    world->writes++;
    sim_check_view(world, runner);
    if (fails) {
        count =
            sim_random(world, count + 1); /* some of it, all of it with the answer lost, or none */
    } else {
        sim_borrow(runner);
    }
    if (runner->refused > 0) {
        return fails ? sim_lost(world, runner, "sink write") : RF_OK; /* the flush will say so */
    }
    if (dest->kind == SIM_KEYED && runner->whole != UINT32_MAX) {
        dest->now.position = runner->whole; /* as Redis does: with the next group */
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct rf_event *event = &view->events[i];
        uint32_t number = 0;
        if (sim_refuses(dest, event->ordinal) && !sim_bit(runner->left_out, event->ordinal)) {
            runner->refused = event->ordinal;
            if (sim_random(world, 4) == 0) {
                return RF_OK; /* it will be found at the flush */
            }
            return rf_fail(&runner->err, RF_REJECT, "event %u is refused", event->ordinal);
        }
        sim_apply(world, dest, event->ordinal);
        if (rf_view_ends(view, event)) {
            runner->length = dest->now.lines;
            sim_parse(rf_view_transaction(view, event)->id, &number);
            runner->whole = number;
        }
    }
    return fails ? sim_lost(world, runner, "sink write") : RF_OK;
}

static inline void sim_check_borrowed(struct sim_world *world, struct sim_runner *runner)
{
    for (uint32_t i = 0; i < runner->view_count; i++) {
        const struct rf_event *events = runner->views[i].events;
        uint32_t count = runner->views[i].count, first = runner->views[i].first;
        if (events[0].ordinal != first || events[count - 1].ordinal != first + count - 1) {
            SIM_FAIL(world, "a batch was changed before its flush");
        }
    }
    runner->view_count = 0;
}

static inline enum rf_status sim_sink_flush(struct sim_world *world, struct sim_dest *dest,
                                            struct sim_runner *runner)
{
    uint32_t position = 0;
    bool fails =
        runner->interrupted || sim_stalled(world, dest) || sim_chance(world, world->chances.fault);
    sim_check_borrowed(world, runner);
    if (!sim_parse(runner->action.position, &position)) {
        SIM_FAIL(world, "flush of \"%.*s\"", RF_STR_ARG(runner->action.position));
    }
    if (fails && sim_random(world, 2) == 0) {
        return sim_lost(world, runner, "sink flush");
    }
    if (runner->refused > 0) {
        return rf_fail(&runner->err, RF_REJECT, "event %u is refused", runner->refused);
    }
    sim_start(world, dest, position);
    runner->next = runner->next == UINT32_MAX ? world->ends_at[position] + 1 : runner->next;
    dest->emptied = false; /* an adopted one has a position again */
    if (world->ends_at[position] > dest->now.high) {
        SIM_FAIL(world, "flush of P%u, but the sink was given events up to %u only", position,
                 dest->now.high);
    }
    sim_check_buried(world, dest, position);
    if (dest->kind == SIM_KEYED) {
        dest->now.position = position;
        runner->whole =
            UINT32_MAX; /* it may lie behind the last event: the rest was filtered out */
    }
    uint32_t before = dest->durable.position; /* void, after an order to begin anew */
    bool whole = before == UINT32_MAX || dest->durable.high >= world->ends_at[before];
    if (whole && sim_random(world, 8) == 0) {
        dest->older[dest->snapshots++ % SIM_SNAPSHOTS] = dest->durable;
    }
    dest->durable = dest->now;
    rf_buf_reset(&runner->text);
    if (dest->kind == SIM_FILE) {
        rf_buf_add_u64(&runner->text, runner->length);
        runner->result.note = rf_buf_str(&runner->text);
    }
    return fails ? sim_lost(world, runner, "sink flush, answer lost") : RF_OK;
}

static inline enum rf_status sim_sink_record(struct sim_world *world, uint32_t index,
                                             struct sim_runner *runner)
{
    struct sim_dest *dest = &world->dests[index];
    struct sim_record record = {0};
    uint64_t note = 0;
    if (sim_chance(world, world->chances.no_room)) {
        return sim_lost(world, runner, "no room");
    }
    if (!sim_parse(runner->action.position, &record.position)) {
        SIM_FAIL(world, "record of \"%.*s\"", RF_STR_ARG(runner->action.position));
    }
    if (world->ends_at[record.position] > dest->durable.high) {
        SIM_FAIL(world, "P%u is recorded, but only events up to %u are durable", record.position,
                 dest->durable.high);
    }
    if (dest->kind == SIM_FILE &&
        (!rf_str_to_u64(runner->action.note, &note) ||
         note != world->ends_at[record.position] - world->ends_at[dest->start])) {
        SIM_FAIL(world, "P%u is recorded with the note \"%.*s\"", record.position,
                 RF_STR_ARG(runner->action.note));
    }
    record.note = (uint32_t)note;
    world->records[index] = record;
    runner->ordered = false;
    return RF_OK;
}

static inline enum rf_status sim_sink_bury(struct sim_world *world, struct sim_dest *dest,
                                           struct sim_runner *runner)
{
    if (runner->refused == 0) {
        SIM_FAIL(world, "sink %d is to bury an event, but has refused none",
                 (int)(dest - world->dests));
    }
    if (sim_chance(world, world->chances.no_room)) {
        return sim_lost(world, runner, "no room for dead letters");
    }
    world->buried++;
    sim_set_bit(dest->dead, runner->refused);
    sim_set_bit(runner->left_out, runner->refused);
    return RF_OK;
}

/* The destination itself fails while nobody is connected: what it had not made durable may be
 * gone, or more. */
static inline void sim_dest_crash(struct sim_world *world, uint32_t index)
{
    struct sim_dest *dest = &world->dests[index];
    if (world->records[index].position == world->count) {
        return; /* nobody would look at it again */
    }
    if (sim_random(world, 2) == 0) {
        dest->now = dest->durable;
    }
    if (dest->kind != SIM_KEYED || world->records[index].ordered) {
        return; /* who gives an order knows what is there */
    }
    if (dest->snapshots > 0 && sim_chance(world, world->chances.back)) {
        uint32_t have = dest->snapshots < SIM_SNAPSHOTS ? dest->snapshots : SIM_SNAPSHOTS;
        const struct sim_content *older = &dest->older[sim_random(world, have)];
        if (older->position != UINT32_MAX && older->position >= dest->start) {
            SIM_TRACE(world, "destination %u went back to P%u", index, older->position);
            dest->now = dest->durable = *older;
        }
    }
    if (world->records[index].position != UINT32_MAX && sim_chance(world, world->chances.empty)) {
        SIM_TRACE(world, "destination %u was emptied", index);
        dest->now = dest->durable = (struct sim_content){.position = UINT32_MAX};
        dest->emptied = true;
        dest->snapshots = 0;
    }
    if (dest->now.position == UINT32_MAX && !dest->emptied) {
        dest->started = false;
        dest->now.high = dest->durable.high = 0;
    }
}

#endif
