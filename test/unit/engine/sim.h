/* A world in miniature around the core: one log, some destinations, a checkpoint, a clock, and
 * chance from a seed.
 *
 * The world survives the death of the process; the core and the plugins' memory do not.
 * Everything that happens is drawn from the seed, so that a failing seed repeats exactly.
 * Destinations check every event that they are given. */
#ifndef ROWFERRY_TEST_SIM_H
#define ROWFERRY_TEST_SIM_H

#include "engine/core.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SIM_SINKS_MAX = 4,
    SIM_TRANSACTIONS_MAX = 400,
    SIM_KEYS = 32,
    SIM_SNAPSHOTS = 4,
    SIM_STEPS_MAX = 400000,
    SIM_VIEWS_MAX = 512,
};

enum sim_kind {
    SIM_FILE,   /* lines; its note is a length, a repeated tail is cut at open */
    SIM_KEYED,  /* last value by key, the position beside it */
    SIM_PLAIN,  /* last value by key, no position */
    SIM_STREAM, /* lines that are never cut: repeats are allowed, gaps are not */
    SIM_KINDS,
};

/* What a destination holds. Events are numbered from 1 in log order; the kinds use what they
 * need. */
struct sim_content {
    uint32_t state[SIM_KEYS]; /* number of the last event by key */
    uint32_t position;        /* transaction; UINT32_MAX: none */
    uint32_t lines;           /* FILE: events behind `start` that it holds */
    uint32_t high;            /* every event up to it, from `start` on, was applied */
};

struct sim_dest {
    enum sim_kind kind;
    bool slow;
    bool emptied;   /* its loss was not noticed yet */
    bool started;   /* `start` is decided */
    uint32_t start; /* transaction behind which its content begins */
    struct sim_content now, durable, older[SIM_SNAPSHOTS];
    uint32_t snapshots;
};

struct sim_record {
    uint32_t position; /* UINT32_MAX: none */
    uint32_t note;
};

/* Chances are 1 in n; 0: never. */
struct sim_chances {
    uint32_t kill, fault, back, empty, stop, no_room;
};

struct sim_world {
    uint64_t random, seed;
    bool trace;
    char failure[400];
    int64_t now_ms;
    uint64_t step, kill_at; /* kill_at: that very step; 0: by chance */
    uint32_t budget;        /* of kills and faults; then all goes well, so that every seed ends */
    struct sim_chances chances;
    bool ends, purges, from_now, adopt;
    uint32_t batch_events; /* largest batch */
    size_t pool_bytes;

    uint32_t count; /* transactions in the log, 1.. */
    uint32_t available;
    uint32_t sizes[SIM_TRANSACTIONS_MAX + 1];   /* events of each; 0: all filtered out */
    uint32_t ends_at[SIM_TRANSACTIONS_MAX + 1]; /* number of its last event */
    uint32_t purged;

    uint32_t sinks;
    struct sim_dest dests[SIM_SINKS_MAX];
    struct sim_record records[SIM_SINKS_MAX];
    uint64_t kills, faults, reopens, rewinds, adopted, backs, stops, writes, acks;
};

enum sim_stage { SIM_IDLE, SIM_GIVEN, SIM_READY };

/* A plugin's memory, and what its actor is at. */
struct sim_runner {
    enum sim_stage stage;
    bool exited, interrupted, open;
    int64_t wait_until_ms;
    struct rf_action action;
    struct rf_result result;
    struct rf_error err;
    struct rf_buf text;
    char position[24];
    /* source */
    uint32_t transaction, event; /* the next to hand over */
    /* sinks */
    uint32_t length; /* FILE: at the last transaction's end */
    uint32_t whole;  /* KEYED: end of the last view that ended a transaction */
    struct {
        const struct rf_event *events;
        uint32_t count, first;
    } views[SIM_VIEWS_MAX]; /* borrowed until the flush */
    uint32_t view_count;
};

struct sim_process {
    struct rf_core *core;
    struct sim_runner runners[1 + SIM_SINKS_MAX];
};

/* ------------------------------------------------------------------------------ chance and text */

static inline uint32_t sim_random(struct sim_world *world, uint32_t below)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return (uint32_t)((world->random * 0x2545F4914F6CDD1DULL) >> 33) % below;
}

static inline bool sim_chance(struct sim_world *world, uint32_t one_in)
{
    return one_in > 0 && world->budget > 0 && sim_random(world, one_in) == 0 && world->budget--;
}

#define SIM_FAIL(world, ...)                                                 \
    do {                                                                     \
        if ((world)->failure[0] == '\0') {                                   \
            snprintf((world)->failure, sizeof(world)->failure, __VA_ARGS__); \
        }                                                                    \
    } while (0)

#define SIM_TRACE(world, ...)                                                    \
    do {                                                                         \
        if ((world)->trace) {                                                    \
            fprintf(stderr, "%llu %lld ms: ", (unsigned long long)(world)->step, \
                    (long long)(world)->now_ms);                                 \
            fprintf(stderr, __VA_ARGS__);                                        \
            fputc('\n', stderr);                                                 \
        }                                                                        \
    } while (0)

/* "P7": everything up to transaction 7; "T7": that transaction. */
static inline bool sim_parse(struct rf_str text, uint32_t *out)
{
    uint64_t number;
    if (text.size < 2 || (text.data[0] != 'P' && text.data[0] != 'T') ||
        !rf_str_to_u64((struct rf_str){text.data + 1, text.size - 1}, &number)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static inline bool sim_contains(struct rf_str position, struct rf_str other)
{
    uint32_t a, b;
    return sim_parse(position, &a) && sim_parse(other, &b) && position.data[0] == 'P' && b <= a;
}

static inline uint32_t sim_key(uint32_t event)
{
    return (event * 2654435761U) >> 27;
}

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
    while (runner->transaction <= world->available && batch->count < world->batch_events) {
        uint32_t number = runner->transaction, size = world->sizes[number];
        bool shown = size > 0 || sim_random(world, 4) == 0;
        if (size - runner->event > world->batch_events - batch->count && batch->count > 0 &&
            sim_random(world, 2) == 0) {
            break; /* whole transactions as far as they fit, or a piece of the next */
        }
        if (shown) {
            snprintf(text, sizeof text, "T%u", number);
            rf_batch_begin(batch, rf_str_of(text), number * 1000000LL, runner->event == 0);
        }
        while (runner->event < size && batch->count < world->batch_events) {
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
        rf_batch_set_position(batch, rf_str_of(text), last * 1000000LL);
    }
    batch->end = world->ends && runner->transaction > world->count;
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
    return batch->transaction_count > 0 || batch->position.size > 0 || batch->end ? RF_OK
                                                                                  : RF_AGAIN;
}

static inline enum rf_status sim_source_ack(struct sim_world *world, struct sim_runner *runner)
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
        dest->now.high = dest->durable.high = world->ends_at[position];
    }
}

static inline enum rf_status sim_sink_open(struct sim_world *world, struct sim_dest *dest,
                                           struct sim_runner *runner)
{
    const struct rf_action *action = &runner->action;
    uint32_t position = UINT32_MAX;
    uint64_t note = 0;
    runner->view_count = 0;
    runner->whole = UINT32_MAX;
    if (action->position.size > 0 && !sim_parse(action->position, &position)) {
        SIM_FAIL(world, "a sink is opened at \"%.*s\"", RF_STR_ARG(action->position));
    }
    if (runner->interrupted || sim_chance(world, world->chances.fault)) {
        return sim_lost(world, runner, "sink open");
    }
    if (dest->kind == SIM_FILE) {
        if (position != UINT32_MAX && !rf_str_to_u64(action->note, &note)) {
            SIM_FAIL(world, "note \"%.*s\"", RF_STR_ARG(action->note));
        }
        if (dest->now.lines < note) {
            SIM_FAIL(world, "the file has %u lines, its note says %u", dest->now.lines,
                     (unsigned)note);
        }
        dest->now.lines = runner->length = (uint32_t)note;
        dest->now.high = dest->started ? world->ends_at[dest->start] + dest->now.lines : 0;
        if (dest->durable.lines > dest->now.lines) {
            dest->durable = dest->now;
        }
    }
    if (dest->kind == SIM_KEYED) {
        if (dest->now.position != UINT32_MAX) {
            snprintf(runner->position, sizeof runner->position, "P%u", dest->now.position);
            runner->result.position = rf_str_of(runner->position);
        } else if (position != UINT32_MAX) {
            if (!action->adopt) {
                return rf_fail(&runner->err, RF_FATAL, "the destination lost its data");
            }
            SIM_TRACE(world, "adopted at P%u", position);
            world->adopted++;
            dest->started = true;
            dest->start = position;
            dest->now.high = dest->durable.high = world->ends_at[position];
        }
    }
    return RF_OK;
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
    now->state[sim_key(event)] = event;
    now->lines++;
}

static inline enum rf_status sim_sink_write(struct sim_world *world, struct sim_dest *dest,
                                            struct sim_runner *runner)
{
    const struct rf_view *view = &runner->action.view;
    uint32_t count = view->count;
    bool fails = runner->interrupted || sim_chance(world, world->chances.fault);
    world->writes++;
    if (fails) {
        count =
            sim_random(world, count + 1); /* some of it, all of it with the answer lost, or none */
    } else if (runner->view_count < SIM_VIEWS_MAX) {
        runner->views[runner->view_count].events = view->events;
        runner->views[runner->view_count].count = view->count;
        runner->views[runner->view_count++].first = view->events[0].ordinal;
    }
    if (dest->kind == SIM_KEYED && runner->whole != UINT32_MAX) {
        dest->now.position = runner->whole; /* as Redis does: with the next group */
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct rf_event *event = &view->events[i];
        uint32_t number = 0;
        sim_apply(world, dest, event->ordinal);
        if (rf_view_ends(view, event)) {
            runner->length = dest->now.lines;
            sim_parse(rf_view_transaction(view, event)->id, &number);
            runner->whole = number;
        }
        if (i > 0 && event->ordinal != event[-1].ordinal + 1) {
            SIM_FAIL(world, "a view has event %u behind %u", event->ordinal, event[-1].ordinal);
        }
    }
    if (view->transaction_count == 0 || view->transactions[0].first + view->transactions[0].count <
                                            (uint32_t)(view->events - view->batch->events)) {
        SIM_FAIL(world, "a view's transactions are not those of its events");
    }
    return fails ? sim_lost(world, runner, "sink write") : RF_OK;
}

static inline enum rf_status sim_sink_flush(struct sim_world *world, struct sim_dest *dest,
                                            struct sim_runner *runner)
{
    uint32_t position = 0;
    bool fails = runner->interrupted || sim_chance(world, world->chances.fault);
    for (uint32_t i = 0; i < runner->view_count; i++) {
        const struct rf_event *events = runner->views[i].events;
        uint32_t count = runner->views[i].count, first = runner->views[i].first;
        if (events[0].ordinal != first || events[count - 1].ordinal != first + count - 1) {
            SIM_FAIL(world, "a batch was changed before its flush");
        }
    }
    runner->view_count = 0;
    if (!sim_parse(runner->action.position, &position)) {
        SIM_FAIL(world, "flush of \"%.*s\"", RF_STR_ARG(runner->action.position));
    }
    if (fails && sim_random(world, 2) == 0) {
        return sim_lost(world, runner, "sink flush");
    }
    sim_start(world, dest, position);
    dest->emptied = false; /* an adopted one has a position again */
    if (world->ends_at[position] > dest->now.high) {
        SIM_FAIL(world, "flush of P%u, but the sink was given events up to %u only", position,
                 dest->now.high);
    }
    if (dest->kind == SIM_KEYED) {
        dest->now.position = position;
        runner->whole =
            UINT32_MAX; /* it may lie behind the last event: the rest was filtered out */
    }
    if (sim_random(world, 8) == 0) {
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
    if (dest->kind != SIM_KEYED) {
        return;
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

/* ---------------------------------------------------------------------------------- the process */

static inline void sim_perform(struct sim_world *world, struct sim_process *process, uint32_t id)
{
    struct sim_runner *runner = &process->runners[id];
    struct rf_result *result = &runner->result;
    struct sim_dest *dest = id > 0 ? &world->dests[id - 1] : NULL;
    *result = (struct rf_result){.err = &runner->err};
    switch (runner->action.kind) {
    case RF_ACTION_OPEN:
        if (runner->open) {
            SIM_FAIL(world, "actor %u is opened twice", id);
        }
        runner->open = true;
        world->reopens++;
        result->status = dest ? sim_sink_open(world, dest, runner) : sim_source_open(world, runner);
        break;
    case RF_ACTION_READ: result->status = sim_source_read(world, runner); break;
    case RF_ACTION_ACK: result->status = sim_source_ack(world, runner); break;
    case RF_ACTION_WRITE: result->status = sim_sink_write(world, dest, runner); break;
    case RF_ACTION_FLUSH: result->status = sim_sink_flush(world, dest, runner); break;
    case RF_ACTION_RECORD: result->status = sim_sink_record(world, id - 1, runner); break;
    default: /* close */
        if (!runner->open) {
            SIM_FAIL(world, "actor %u is closed twice", id);
        }
        runner->open = runner->interrupted = false;
        result->status = RF_OK;
        if (dest != NULL && sim_random(world, 2) == 0 && world->budget > 0) {
            sim_dest_crash(world, id - 1);
        }
        break;
    }
    runner->stage = SIM_READY;
}

/* A read that finds nothing blocks; a slow sink takes its time. */
static inline bool sim_blocks(struct sim_world *world, const struct sim_runner *runner, uint32_t id)
{
    if (runner->interrupted) {
        return false;
    }
    if (runner->action.kind == RF_ACTION_READ) {
        bool nothing = runner->transaction > world->available &&
                       !(world->ends && world->available == world->count);
        return nothing && world->now_ms < runner->action.until_ms;
    }
    return id > 0 && world->dests[id - 1].slow && sim_random(world, 8) != 0;
}

static inline void sim_after(struct sim_world *world, struct sim_process *process)
{
    struct rf_news news;
    uint32_t id;
    while (rf_core_take_interrupt(process->core, &id)) {
        process->runners[id].interrupted = true;
        SIM_TRACE(world, "actor %u is interrupted", id);
    }
    while (rf_core_take_news(process->core, &news)) {
        SIM_TRACE(world, "news %d of actor %u: %s %.*s", (int)news.kind, news.actor, news.message,
                  RF_STR_ARG(news.position));
        world->rewinds += news.kind == RF_NEWS_REWIND;
    }
    if (rf_core_take_change(process->core)) {
        for (uint32_t i = 0; i <= world->sinks; i++) {
            process->runners[i].wait_until_ms = 0;
        }
    }
}

/* One move of one actor. False: it could not move. */
static inline bool sim_move(struct sim_world *world, struct sim_process *process, uint32_t id)
{
    struct sim_runner *runner = &process->runners[id];
    if (runner->exited || runner->wait_until_ms > world->now_ms) {
        return false;
    }
    switch (runner->stage) {
    case SIM_IDLE:
        rf_core_next(process->core, id, world->now_ms, &runner->action);
        if (runner->action.kind == RF_ACTION_WAIT) {
            sim_after(world, process);
            runner->wait_until_ms = runner->action.until_ms;
            return false;
        }
        SIM_TRACE(world, "actor %u: %s %.*s (%u events, slot %p)", id,
                  rf_action_name(runner->action.kind), RF_STR_ARG(runner->action.position),
                  runner->action.view.count,
                  (const void *)(runner->action.batch ? runner->action.batch
                                                      : runner->action.view.batch));
        runner->exited = runner->action.kind == RF_ACTION_EXIT;
        runner->stage = runner->exited ? SIM_IDLE : SIM_GIVEN;
        break;
    case SIM_GIVEN:
        if (sim_blocks(world, runner, id)) {
            return false;
        }
        sim_perform(world, process, id);
        break;
    case SIM_READY:
        SIM_TRACE(world, "actor %u: %s is %s", id, rf_action_name(runner->action.kind),
                  rf_status_name(runner->result.status));
        runner->stage = SIM_IDLE;
        rf_core_done(process->core, id, &runner->action, &runner->result, world->now_ms);
        break;
    }
    sim_after(world, process);
    return true;
}

static inline void sim_pass_time(struct sim_world *world, struct sim_process *process, bool stuck)
{
    if (world->available < world->count && (stuck || sim_random(world, 10) == 0)) {
        world->available += 1 + sim_random(world, 3);
        world->available = world->available > world->count ? world->count : world->available;
    }
    if (!stuck) {
        world->now_ms += sim_random(world, 20) == 0 ? sim_random(world, 30) : 0;
        return;
    }
    int64_t until = world->now_ms + 1000;
    for (uint32_t i = 0; i <= world->sinks; i++) {
        const struct sim_runner *runner = &process->runners[i];
        if (!runner->exited && runner->wait_until_ms > world->now_ms &&
            runner->wait_until_ms < until) {
            until = runner->wait_until_ms;
        }
    }
    world->now_ms = until;
}

static inline bool sim_all_recorded(const struct sim_world *world)
{
    for (uint32_t i = 0; i < world->sinks; i++) {
        if (world->records[i].position != world->count) {
            return false;
        }
    }
    return true;
}

static inline void sim_kill(struct sim_world *world)
{
    world->kills++;
    SIM_TRACE(world, "killed");
    for (uint32_t i = 0; i < world->sinks; i++) {
        sim_dest_crash(world, i);
    }
}

/* A first position that was flushed but not recorded is forgotten, unless the destination itself
 * keeps it. */
static inline void sim_forget(struct sim_world *world)
{
    for (uint32_t i = 0; i < world->sinks; i++) {
        struct sim_dest *dest = &world->dests[i];
        if (dest->kind != SIM_KEYED && world->records[i].position == UINT32_MAX) {
            dest->started = false;
            dest->now = dest->durable = (struct sim_content){.position = UINT32_MAX};
        }
    }
}

static inline struct sim_process *sim_begin(struct sim_world *world)
{
    struct sim_process *process = calloc(1, sizeof *process);
    struct rf_core_options options = {
        .sink_count = world->sinks,
        .pool_bytes = world->pool_bytes,
        .batch_bytes = 66 * 1024,
        .connect_timeout_ms = 3600000,
        .seed = world->random,
        .adopt = world->adopt,
        .contains = sim_contains,
    };
    process->core = rf_core_create(&options);
    for (uint32_t i = 0; i < world->sinks; i++) {
        const struct sim_record *record = &world->records[i];
        if (record->position != UINT32_MAX) {
            char position[24], note[24];
            snprintf(position, sizeof position, "P%u", record->position);
            snprintf(note, sizeof note, "%u", record->note);
            struct rf_core_sink known = {
                .position = rf_str_of(position),
                .note = world->dests[i].kind == SIM_FILE ? rf_str_of(note) : RF_STR_NONE,
            };
            rf_core_set_sink(process->core, RF_CORE_SINK + i, &known);
        }
    }
    return process;
}

/* Runs one process to its end. Returns its exit code, or -1 when it was killed. */
static inline int sim_run(struct sim_world *world)
{
    struct sim_process *process = sim_begin(world);
    int code = -1;
    bool stopping = false;
    while (world->failure[0] == '\0') {
        bool moved = false;
        uint32_t first = sim_random(world, world->sinks + 1);
        if (++world->step == world->kill_at || sim_chance(world, world->chances.kill)) {
            break;
        }
        if (world->step > SIM_STEPS_MAX) {
            SIM_FAIL(world, "no end after %d steps", SIM_STEPS_MAX);
        }
        for (uint32_t i = 0; i <= world->sinks && !moved; i++) {
            moved = sim_move(world, process, (first + i) % (world->sinks + 1));
        }
        sim_pass_time(world, process, !moved);
        rf_core_tick(process->core, world->now_ms);
        sim_after(world, process);
        if (!stopping &&
            ((!world->ends && sim_all_recorded(world)) || sim_chance(world, world->chances.stop))) {
            stopping = true;
            world->stops++;
            SIM_TRACE(world, "stop");
            rf_core_stop(process->core, world->now_ms);
            sim_after(world, process);
        }
        if (rf_core_finished(process->core)) {
            code = rf_core_exit_code(process->core, NULL);
            break;
        }
    }
    for (uint32_t i = 0; i <= world->sinks; i++) {
        if (code >= 0 && process->runners[i].open) {
            SIM_FAIL(world, "actor %u was never closed", i);
        }
        rf_buf_deinit(&process->runners[i].text);
    }
    rf_core_destroy(process->core);
    free(process);
    return code;
}

/* ------------------------------------------------------------------------------------ the world */

static inline void sim_add_sink(struct sim_world *world, enum sim_kind kind)
{
    world->dests[world->sinks] = (struct sim_dest){
        .kind = kind,
        .now.position = UINT32_MAX,
        .durable.position = UINT32_MAX,
        .slow = sim_random(world, 4) == 0,
    };
    world->records[world->sinks++] = (struct sim_record){.position = UINT32_MAX};
}

static inline void sim_write_log(struct sim_world *world, uint32_t count)
{
    world->count = count;
    for (uint32_t i = 1; i <= count; i++) {
        uint32_t kind = sim_random(world, 20);
        world->sizes[i] = kind < 5    ? 0
                          : kind < 18 ? 1 + sim_random(world, 6)
                                      : 20 + sim_random(world, 150);
        world->ends_at[i] = world->ends_at[i - 1] + world->sizes[i];
    }
}

/* Draws everything from the seed. */
static inline void sim_init(struct sim_world *world, uint64_t seed)
{
    *world = (struct sim_world){
        .seed = seed, .random = seed * 0x9E3779B97F4A7C15ULL + 1, .now_ms = 1000};
    for (int i = 0; i < 8; i++) {
        sim_random(world, 2);
    }
    static const uint32_t kills[] = {0, 1000, 300, 60}, faults[] = {0, 200, 50, 15},
                          stops[] = {0, 2000};
    world->chances.kill = kills[sim_random(world, 4)];
    world->chances.fault = faults[sim_random(world, 4)];
    world->chances.stop = stops[sim_random(world, 2)];
    world->chances.back = sim_random(world, 2) ? 6 : 0;
    world->chances.empty = sim_random(world, 5) == 0 ? 4 : 0;
    world->chances.no_room = sim_random(world, 3) == 0 ? 30 : 0;
    world->budget = 20 + sim_random(world, 100);
    world->ends = sim_random(world, 2);
    world->purges = world->chances.back == 0;
    world->batch_events = 8 + sim_random(world, 40);
    world->pool_bytes = (size_t)(4 + sim_random(world, 20)) * 66 * 1024;
    sim_write_log(world, 50 + sim_random(world, SIM_TRANSACTIONS_MAX - 50));
    uint32_t sinks = 1 + sim_random(world, 3);
    for (uint32_t i = 0; i < sinks; i++) {
        sim_add_sink(world, (enum sim_kind)sim_random(world, SIM_KINDS));
    }
}

/* At the end: everything is there, and nothing is there twice. */
static inline void sim_judge(struct sim_world *world)
{
    for (uint32_t i = 0; i < world->sinks; i++) {
        const struct sim_dest *dest = &world->dests[i];
        uint32_t last = world->ends_at[world->count], expected[SIM_KEYS] = {0};
        for (uint32_t event = world->ends_at[dest->start] + 1; event <= last; event++) {
            expected[sim_key(event)] = event;
        }
        if (world->records[i].position != world->count) {
            SIM_FAIL(world, "sink %u has recorded P%d of P%u", i, (int)world->records[i].position,
                     world->count);
        }
        if (dest->now.high != last || dest->durable.high != last) {
            SIM_FAIL(world, "sink %u has events up to %u of %u", i, dest->now.high, last);
        }
        if (dest->kind == SIM_FILE && dest->now.lines != last - world->ends_at[dest->start]) {
            SIM_FAIL(world, "file %u has %u lines", i, dest->now.lines);
        }
        if ((dest->kind == SIM_KEYED || dest->kind == SIM_PLAIN) &&
            memcmp(expected, dest->now.state, sizeof expected) != 0) {
            SIM_FAIL(world, "the state of sink %u is not what the log says", i);
        }
        if (dest->kind == SIM_KEYED && dest->durable.position != world->count) {
            SIM_FAIL(world, "destination %u stands at P%u", i, dest->durable.position);
        }
    }
}

/* Lives one seed through all its processes. */
static inline void sim_live(struct sim_world *world)
{
    bool done = false;
    while (!done && world->failure[0] == '\0') {
        bool emptied = false;
        int code = sim_run(world);
        for (uint32_t i = 0; i < world->sinks; i++) {
            emptied |= world->dests[i].emptied;
        }
        sim_forget(world);
        if (code < 0) {
            sim_kill(world);
        } else if (code == 3 && emptied) {
            world->adopt = true; /* the operator has read the message */
        } else if (code != 0) {
            SIM_FAIL(world, "exit code %d", code);
        } else {
            done = sim_all_recorded(world);
        }
        if (!done && world->sinks < SIM_SINKS_MAX && sim_random(world, 20) == 0) {
            world->from_now = sim_random(world, 2);
            sim_add_sink(world, (enum sim_kind)sim_random(world, SIM_KINDS));
            if (world->purged > 0) {
                world->from_now = true; /* nothing else is there any more */
            }
        }
    }
    sim_judge(world);
}

#endif
