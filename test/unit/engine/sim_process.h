/* The process of the world in sim.h, and the course of that world. */
#ifndef ROWFERRY_TEST_SIM_PROCESS_H
#define ROWFERRY_TEST_SIM_PROCESS_H

#include "unit/engine/sim_plugins.h"

static inline uint32_t sim_actors(const struct sim_world *world)
{
    return 1 + 2 * world->sinks;
}

/* The number of the actor's sink, or -1: it is a source. */
static inline int sim_sink_of(const struct sim_world *world, uint32_t id)
{
    return id >= RF_CORE_SINK && id < RF_CORE_SINK + world->sinks ? (int)(id - RF_CORE_SINK) : -1;
}

/* ---------------------------------------------------------------------------------- the process */

static inline void sim_open(struct sim_world *world, struct sim_process *process, uint32_t id)
{
    struct sim_runner *runner = &process->runners[id];
    int sink = sim_sink_of(world, id);
    uint32_t feed = id == RF_CORE_SOURCE ? 0 : id - world->sinks;
    if (runner->open) {
        SIM_FAIL(world, "actor %u is opened twice", id);
    }
    if (sink < 0 && runner->action.feed != feed) {
        SIM_FAIL(world, "actor %u is opened for feed %u", id, runner->action.feed);
    }
    runner->open = true;
    world->reopens++;
    runner->result.status = sink >= 0 ? sim_sink_open(world, &world->dests[sink], runner)
                                      : sim_source_open(world, runner);
}

static inline void sim_perform(struct sim_world *world, struct sim_process *process, uint32_t id)
{
    struct sim_runner *runner = &process->runners[id];
    struct rf_result *result = &runner->result;
    int sink = sim_sink_of(world, id);
    struct sim_dest *dest = sink >= 0 ? &world->dests[sink] : NULL;
    *result = (struct rf_result){.err = &runner->err};
    switch (runner->action.kind) {
    case RF_ACTION_OPEN: sim_open(world, process, id); break;
    case RF_ACTION_READ: result->status = sim_source_read(world, runner); break;
    case RF_ACTION_ACK: result->status = sim_source_ack(world, runner); break;
    case RF_ACTION_WRITE: result->status = sim_sink_write(world, dest, runner); break;
    case RF_ACTION_FLUSH: result->status = sim_sink_flush(world, dest, runner); break;
    case RF_ACTION_RECORD: result->status = sim_sink_record(world, (uint32_t)sink, runner); break;
    case RF_ACTION_BURY: result->status = sim_sink_bury(world, dest, runner); break;
    default: /* close */
        if (!runner->open) {
            SIM_FAIL(world, "actor %u is closed twice", id);
        }
        if (dest != NULL) {
            sim_check_borrowed(world, runner); /* they are held until it is closed */
        }
        runner->open = runner->interrupted = false;
        result->status = RF_OK;
        if (dest != NULL && sim_random(world, 2) == 0 && world->budget > 0) {
            sim_dest_crash(world, (uint32_t)sink);
        }
        break;
    }
    runner->stage = SIM_READY;
}

static inline bool sim_calls_out(const struct sim_runner *runner)
{
    enum rf_action_kind kind = runner->action.kind;
    return kind == RF_ACTION_OPEN || kind == RF_ACTION_WRITE || kind == RF_ACTION_FLUSH;
}

/* A read that finds nothing blocks; a slow sink takes its time; a stalled one blocks for as long as
 * a call may, and may take long to come back when it is interrupted. */
static inline bool sim_blocks(struct sim_world *world, const struct sim_runner *runner, uint32_t id)
{
    int sink = sim_sink_of(world, id);
    if (sink < 0 && runner->action.kind == RF_ACTION_READ) {
        bool nothing = runner->transaction > world->available &&
                       !(world->ends && world->available == world->count);
        return !runner->interrupted && nothing && world->now_ms < runner->action.until_ms;
    }
    if (sink < 0 || !sim_calls_out(runner)) {
        return false;
    }
    if (sim_stalled(world, &world->dests[sink])) {
        bool over = world->now_ms - runner->since_ms >= 10000;
        return !over && (!runner->interrupted || world->now_ms < runner->back_at_ms);
    }
    return !runner->interrupted && world->dests[sink].slow && sim_random(world, 8) != 0;
}

static inline void sim_hear(struct sim_world *world, const struct rf_news *news)
{
    int sink = sim_sink_of(world, news->actor);
    SIM_TRACE(world, "news %d of actor %u: %s %.*s", (int)news->kind, news->actor, news->message,
              RF_STR_ARG(news->position));
    world->rewinds += news->kind == RF_NEWS_REWIND;
    if (news->kind == RF_NEWS_OWN_FEED) {
        world->own[news->why]++;
        world->parted_ms[sink] = world->now_ms;
    } else if (news->kind == RF_NEWS_REJOINED) {
        world->rejoined++;
        world->rejoined_ms[sink] = world->now_ms;
    }
}

/* What is held is bounded, whatever stalls. core_check.c knows the exact bound. */
static inline void sim_weigh(struct sim_world *world, const struct sim_process *process)
{
    uint64_t bytes = 0;
    for (uint32_t id = 0; id < sim_actors(world); id++) {
        if (sim_sink_of(world, id) < 0) {
            struct rf_core_status status;
            rf_core_status(process->core, id, &status);
            bytes += status.held_bytes;
        }
    }
    world->most_bytes = bytes > world->most_bytes ? bytes : world->most_bytes;
    uint64_t most = world->pool_bytes * 3 / 2 + (2 + world->sinks) * 2 * SIM_BATCH_BYTES;
    if (bytes > most) {
        SIM_FAIL(world, "%llu bytes are held, more than %llu", (unsigned long long)bytes,
                 (unsigned long long)most);
    }
}

static inline void sim_after(struct sim_world *world, struct sim_process *process)
{
    struct rf_news news;
    uint32_t id;
    while (rf_core_take_interrupt(process->core, &id)) {
        process->runners[id].interrupted = true;
        process->runners[id].back_at_ms =
            world->now_ms +
            (sim_random(world, 4) == 0 ? sim_random(world, 10000) : sim_random(world, 20));
        SIM_TRACE(world, "actor %u is interrupted", id);
    }
    while (rf_core_take_news(process->core, &news)) {
        sim_hear(world, &news);
    }
    if (rf_core_take_change(process->core)) {
        for (uint32_t i = 0; i < sim_actors(world); i++) {
            process->runners[i].wait_until_ms = 0;
        }
        sim_weigh(world, process);
    }
}

static inline void sim_maybe_stall(struct sim_world *world, uint32_t id)
{
    int sink = sim_sink_of(world, id);
    if (sink >= 0 && sim_chance(world, world->chances.stall)) {
        world->dests[sink].stalled_from_ms = world->now_ms;
        world->dests[sink].stalled_until_ms = world->now_ms + 200 + sim_random(world, 90000);
        world->stalls++;
        SIM_TRACE(world, "destination %d stalls until %lld ms", sink,
                  (long long)world->dests[sink].stalled_until_ms);
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
            runner->wait_until_ms = runner->action.until_ms;
            sim_after(world, process);
            return false;
        }
        SIM_TRACE(world, "actor %u: %s %.*s (%u events, slot %p)", id,
                  rf_action_name(runner->action.kind), RF_STR_ARG(runner->action.position),
                  runner->action.view.count,
                  (const void *)(runner->action.batch ? runner->action.batch
                                                      : runner->action.view.batch));
        runner->exited = runner->action.kind == RF_ACTION_EXIT;
        runner->stage = runner->exited ? SIM_IDLE : SIM_GIVEN;
        runner->since_ms = world->now_ms;
        if (sim_calls_out(runner)) {
            sim_maybe_stall(world, id);
        } else if (runner->action.kind == RF_ACTION_ACK) {
            sim_check_ack(world, runner);
        }
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

/* The log grows: by chance, or at its rate. */
static inline void sim_grow(struct sim_world *world, bool stuck)
{
    if (world->rate_ms > 0) {
        uint64_t due =
            world->begun_with + (uint64_t)(world->now_ms - world->begun_ms) / world->rate_ms;
        world->available = due > world->count ? world->count : (uint32_t)due;
    } else if (world->available < world->count && (stuck || sim_random(world, 10) == 0)) {
        world->available += 1 + sim_random(world, 3);
        world->available = world->available > world->count ? world->count : world->available;
    }
}

static inline void sim_pass_time(struct sim_world *world, struct sim_process *process, bool stuck)
{
    if (!stuck) {
        world->now_ms += world->step_ms > 0           ? sim_random(world, world->step_ms + 1)
                         : sim_random(world, 20) == 0 ? sim_random(world, 30)
                                                      : 0;
        sim_grow(world, stuck);
        return;
    }
    int64_t until = world->now_ms + (world->rate_ms > 0 ? world->rate_ms : 1000);
    for (uint32_t i = 0; i < sim_actors(world); i++) {
        const struct sim_runner *runner = &process->runners[i];
        int64_t times[] = {runner->wait_until_ms, runner->back_at_ms};
        for (int j = 0; j < 2; j++) {
            if (!runner->exited && times[j] > world->now_ms && times[j] < until) {
                until = times[j];
            }
        }
    }
    world->now_ms = until;
    sim_grow(world, stuck);
}

/* A destination that works must have everything that is older than this. */
static inline void sim_watch(struct sim_world *world, int64_t most_ms)
{
    for (uint32_t i = 0; i < world->sinks && world->rate_ms > 0; i++) {
        struct sim_dest *dest = &world->dests[i];
        while (dest->seen < world->available && world->ends_at[dest->seen + 1] <= dest->now.high) {
            dest->seen++;
        }
        if (!dest->live || dest->seen == world->available || dest->seen < world->begun_with) {
            continue;
        }
        int64_t came_ms =
            world->begun_ms + (int64_t)(dest->seen + 1 - world->begun_with) * world->rate_ms;
        int64_t behind_ms = world->now_ms - came_ms;
        world->worst_ms = behind_ms > world->worst_ms ? behind_ms : world->worst_ms;
        if (behind_ms > most_ms) {
            SIM_FAIL(world, "sink %u has not had transaction %u for %lld ms", i, dest->seen + 1,
                     (long long)behind_ms);
        }
    }
}

/* Every sink has all there is, or was given as much as the process was told to give. */
static inline bool sim_all_done(const struct sim_world *world, const struct sim_process *process)
{
    for (uint32_t i = 0; i < world->sinks; i++) {
        if (world->records[i].position != world->count &&
            !process->runners[RF_CORE_SINK + i].exited) {
            return false;
        }
    }
    return true;
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

static inline void sim_tell_sink(const struct sim_world *world, struct rf_core *core,
                                 uint32_t index)
{
    const struct sim_record *record = &world->records[index];
    const struct sim_dest *dest = &world->dests[index];
    char position[24], note[24];
    snprintf(position, sizeof position, "P%u", record->position);
    snprintf(note, sizeof note, "%u", record->note);
    struct rf_core_sink known = {.ordered = record->ordered, .buries = dest->buries};
    if (record->position != UINT32_MAX) {
        known.position = rf_str_of(position);
        known.note = dest->kind == SIM_FILE && !record->ordered ? rf_str_of(note) : RF_STR_NONE;
        known.commit_us = sim_commit_us(world, record->position);
    }
    rf_core_set_sink(core, RF_CORE_SINK + index, &known);
}

static inline struct sim_process *sim_begin(struct sim_world *world)
{
    struct sim_process *process = calloc(1, sizeof *process);
    char until[24];
    snprintf(until, sizeof until, "P%u", world->until);
    struct rf_core_options options = {
        .sink_count = world->sinks,
        .pool_bytes = world->pool_bytes,
        .batch_bytes = SIM_BATCH_BYTES,
        .connect_timeout_ms = 3600000,
        .seed = world->random,
        .adopt = world->adopt,
        .limit = world->limit,
        .contains = sim_contains,
    };
    if (world->until > 0 && world->until_time) {
        options.until_us = (world->until + 1) * 1000000LL;
    } else if (world->until > 0) {
        options.until = rf_str_of(until);
    }
    process->core = rf_core_create(&options);
    for (uint32_t i = 0; i < world->sinks; i++) {
        sim_tell_sink(world, process->core, i);
    }
    return process;
}

static inline void sim_end(struct sim_world *world, struct sim_process *process, bool killed)
{
    for (uint32_t i = 0; i < sim_actors(world); i++) {
        if (!killed && process->runners[i].open) {
            SIM_FAIL(world, "actor %u was never closed", i);
        }
        rf_buf_deinit(&process->runners[i].text);
    }
    rf_core_destroy(process->core);
    free(process);
}

/* True: it is time for a graceful stop. */
static inline bool sim_wants_stop(struct sim_world *world, const struct sim_process *process)
{
    /* On a quiet source a time is not reached by itself. */
    bool ends = world->ends || (world->until > 0 && !world->until_time) || world->runs_on;
    return (!ends && sim_all_done(world, process)) || sim_chance(world, world->chances.stop) ||
           (world->stop_at_ms > 0 && world->now_ms >= world->stop_at_ms);
}

/* Runs one process to its end. Returns its exit code, or -1 when it was killed. */
static inline int sim_run(struct sim_world *world, bool *stopped)
{
    struct sim_process *process = sim_begin(world);
    int code = -1;
    *stopped = false;
    while (world->failure[0] == '\0') {
        bool moved = false;
        uint32_t actors = sim_actors(world), first = sim_random(world, actors);
        if (++world->step == world->kill_at || sim_chance(world, world->chances.kill)) {
            break;
        }
        if (world->step > SIM_STEPS_MAX) {
            SIM_FAIL(world, "no end after %d steps: P%d, P%d, P%d and P%d are recorded of P%u",
                     SIM_STEPS_MAX, (int)world->records[0].position,
                     (int)world->records[1].position, (int)world->records[2].position,
                     (int)world->records[3].position, world->count);
        }
        for (uint32_t i = 0; i < actors && !moved; i++) {
            moved = sim_move(world, process, (first + i) % actors);
        }
        sim_pass_time(world, process, !moved);
        sim_watch(world, 1500);
        rf_core_tick(process->core, world->now_ms);
        if (sim_random(world, 200) == 0) {
            rf_core_flush_soon(process->core);
        }
        sim_after(world, process);
        if (!*stopped && sim_wants_stop(world, process)) {
            *stopped = true;
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
    sim_end(world, process, code < 0);
    return code;
}

/* ------------------------------------------------------------------------------------ the world */

static inline struct sim_dest *sim_add_sink(struct sim_world *world, enum sim_kind kind)
{
    struct sim_dest *dest = &world->dests[world->sinks];
    *dest = (struct sim_dest){
        .kind = kind,
        .now.position = UINT32_MAX,
        .durable.position = UINT32_MAX,
        .slow = sim_random(world, 4) == 0,
    };
    world->records[world->sinks++] = (struct sim_record){.position = UINT32_MAX};
    return dest;
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
    rf_assert(world->ends_at[count] < SIM_EVENTS_MAX);
}

static inline void sim_draw_sink(struct sim_world *world)
{
    struct sim_dest *dest = sim_add_sink(world, (enum sim_kind)sim_random(world, SIM_KINDS));
    if (sim_random(world, 4) == 0) {
        dest->refuses = 20 + sim_random(world, 200);
        dest->buries = sim_random(world, 4) != 0;
    }
}

/* Draws everything from the seed. */
static inline void sim_init(struct sim_world *world, uint64_t seed)
{
    memset(world, 0, sizeof *world);
    world->seed = seed;
    world->random = seed * 0x9E3779B97F4A7C15ULL + 1;
    world->now_ms = 1000;
    for (int i = 0; i < 8; i++) {
        sim_random(world, 2);
    }
    static const uint32_t kills[] = {0, 1000, 300, 60}, faults[] = {0, 200, 50, 15},
                          stops[] = {0, 2000}, stalls[] = {0, 0, 300, 30};
    world->chances.kill = kills[sim_random(world, 4)];
    world->chances.fault = faults[sim_random(world, 4)];
    world->chances.stop = stops[sim_random(world, 2)];
    world->chances.back = sim_random(world, 2) ? 6 : 0;
    world->chances.empty = sim_random(world, 5) == 0 ? 4 : 0;
    world->chances.no_room = sim_random(world, 3) == 0 ? 30 : 0;
    world->chances.stall = stalls[sim_random(world, 4)];
    world->chances.order = sim_random(world, 3) == 0 ? 3 : 0;
    world->budget = 20 + sim_random(world, 100);
    world->ends = sim_random(world, 2);
    world->purges = world->chances.back == 0;
    world->clockless = sim_random(world, 5) == 0;
    world->step_ms = sim_random(world, 3) == 0 ? 1 + sim_random(world, 40) : 0;
    world->batch_events = 8 + sim_random(world, 40);
    world->pool_bytes = (size_t)(4 + sim_random(world, 20)) * SIM_BATCH_BYTES;
    sim_write_log(world, 50 + sim_random(world, SIM_TRANSACTIONS_DRAWN - 50));
    if (sim_random(world, 3) == 0) {
        world->until = 1 + sim_random(world, world->count);
        world->until_time =
            !world->clockless && world->until < world->count && sim_random(world, 2);
    } else if (sim_random(world, 4) == 0) {
        world->limit = 1 + sim_random(world, world->ends_at[world->count] + 1);
    }
    if (sim_random(world, 3) == 0) {
        world->available = sim_random(world, world->count); /* and much of it is there at once */
    }
    uint32_t sinks = 1 + sim_random(world, 3);
    for (uint32_t i = 0; i < sinks; i++) {
        sim_draw_sink(world);
    }
}

/* At the end: everything is there, and nothing is there twice. */
static inline void sim_judge(struct sim_world *world)
{
    for (uint32_t i = 0; i < world->sinks; i++) {
        const struct sim_dest *dest = &world->dests[i];
        uint32_t last = world->ends_at[world->count], expected[SIM_KEYS] = {0};
        for (uint32_t event = world->ends_at[dest->start] + 1; event <= last; event++) {
            if (!sim_refuses(dest, event)) {
                expected[sim_key(event)] = event;
            } else if (!sim_bit(dest->dead, event)) {
                SIM_FAIL(world, "event %u, which sink %u refused, is nowhere", event, i);
            }
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

/* It ran to where it was told to: everything before that, and nothing behind it. */
static inline void sim_judge_until(struct sim_world *world, const uint32_t *high_before)
{
    uint32_t end = world->ends_at[world->until];
    for (uint32_t i = 0; i < world->sinks && world->until > 0; i++) {
        uint32_t most = high_before[i] > end ? high_before[i] : end;
        uint32_t recorded = world->records[i].position;
        if (recorded == UINT32_MAX || world->ends_at[recorded] < end) {
            SIM_FAIL(world, "sink %u ends at P%d, before P%u", i, (int)recorded, world->until);
        }
        if (world->dests[i].now.high > most && world->dests[i].start <= world->until) {
            SIM_FAIL(world, "sink %u has events up to %u, behind %u", i, world->dests[i].now.high,
                     most);
        }
    }
    world->limits++;
    world->until = world->limit = 0;
}

/* The operator sets a position back, or begins anew. */
static inline void sim_order(struct sim_world *world)
{
    uint32_t index = sim_random(world, world->sinks);
    struct sim_record *record = &world->records[index];
    struct sim_dest *dest = &world->dests[index];
    if (record->position == UINT32_MAX || record->position == world->count || record->ordered) {
        return;
    }
    uint32_t least = dest->start > world->purged ? dest->start : world->purged;
    world->orders++;
    if (sim_random(world, 3) == 0) {
        world->from_now |= world->purged > 0;
        *record = (struct sim_record){.position = UINT32_MAX, .ordered = true};
    } else {
        *record = (struct sim_record){
            .position = least + sim_random(world, record->position - least + 1), .ordered = true};
    }
    SIM_TRACE(world, "sink %u is ordered to P%d", index, (int)record->position);
}

/* Between two runs. */
static inline void sim_tend(struct sim_world *world)
{
    if (world->sinks < SIM_SINKS_MAX && sim_random(world, 20) == 0) {
        world->from_now = sim_random(world, 2);
        sim_draw_sink(world);
        if (world->purged > 0) {
            world->from_now = true; /* nothing else is there any more */
        }
    }
    if (sim_chance(world, world->chances.order)) {
        sim_order(world);
    }
}

/* Lives one seed through all its processes. */
static inline void sim_live(struct sim_world *world)
{
    bool done = false;
    while (!done && world->failure[0] == '\0') {
        bool emptied = false, refuses = false, stopped;
        uint32_t high[SIM_SINKS_MAX];
        for (uint32_t i = 0; i < world->sinks; i++) {
            high[i] = world->dests[i].now.high;
        }
        int code = sim_run(world, &stopped);
        for (uint32_t i = 0; i < world->sinks; i++) {
            emptied |= world->dests[i].emptied;
            refuses |= world->dests[i].refuses > 0 && !world->dests[i].buries;
            world->dests[i].stalled_until_ms = 0;
        }
        sim_forget(world);
        if (code < 0) {
            sim_kill(world);
        } else if (code == 3 && emptied) {
            world->adopt = true; /* the operator has read the message */
        } else if (code == 4 && refuses) {
            for (uint32_t i = 0; i < world->sinks; i++) {
                world->dests[i].buries = true; /* likewise */
            }
        } else if (code != 0) {
            SIM_FAIL(world, "exit code %d", code);
        } else {
            if (!stopped && (world->until > 0 || world->limit > 0)) {
                sim_judge_until(world, high);
            }
            if (stopped && world->until_time) {
                world->until = 0; /* as far as it gets */
            }
            done = sim_all_recorded(world);
        }
        if (!done) {
            sim_tend(world);
        }
    }
    sim_judge(world);
}

#endif
