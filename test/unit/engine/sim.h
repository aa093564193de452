/* A world in miniature around the core: one log, some destinations, a checkpoint, a clock, and
 * chance from a seed.
 *
 * The world survives the death of the process; the core and the plugins' memory do not.
 * Everything that happens is drawn from the seed, so that a failing seed repeats exactly.
 * Destinations check every event that they are given. Here is what the world consists of;
 * sim_plugins.h has what its source and its destinations do, sim_process.h the process and the
 * course of the world. */
#ifndef ROWFERRY_TEST_SIM_H
#define ROWFERRY_TEST_SIM_H

#include "engine/core.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SIM_SINKS_MAX = 4,
    SIM_ACTORS_MAX = 1 + 2 * SIM_SINKS_MAX,
    SIM_TRANSACTIONS_MAX = 4000,
    SIM_TRANSACTIONS_DRAWN = 400, /* at most, in a world from a seed */
    SIM_EVENTS_MAX = 200000,
    SIM_KEYS = 32,
    SIM_SNAPSHOTS = 4,
    SIM_STEPS_MAX = 1500000,
    SIM_VIEWS_MAX = 512,
    SIM_BATCH_BYTES = 66 * 1024,
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
    bool emptied;     /* its loss was not noticed yet */
    bool started;     /* `start` is decided */
    bool live;        /* must never be far behind; see sim_watch */
    bool buries;      /* else the first event that it refuses ends the process */
    uint32_t start;   /* transaction behind which its content begins */
    uint32_t refuses; /* one event in so many; 0: none */
    uint32_t seen;    /* sim_watch: transactions that it has */
    int64_t stalled_from_ms, stalled_until_ms;
    struct sim_content now, durable, older[SIM_SNAPSHOTS];
    uint32_t snapshots;
    uint32_t buried_to; /* every event from `start` to this one that it refuses is in `dead` */
    uint8_t dead[SIM_EVENTS_MAX / 8]; /* its dead letters */
};

struct sim_record {
    uint32_t position; /* UINT32_MAX: none */
    uint32_t note;
    bool ordered;
};

/* Chances are 1 in n; 0: never. */
struct sim_chances {
    uint32_t kill, fault, back, empty, stop, no_room, stall, order;
};

struct sim_world {
    uint64_t random, seed;
    bool trace;
    char failure[400];
    int64_t now_ms;
    uint64_t step, kill_at; /* kill_at: that very step; 0: by chance */
    uint32_t budget;        /* of kills and faults; then all goes well, so that every seed ends */
    struct sim_chances chances;
    bool ends, purges, from_now, adopt, clockless;
    uint32_t batch_events; /* largest batch */
    size_t pool_bytes;
    uint32_t step_ms; /* each step takes up to so long; 0: hardly any time */
    /* 0: the log grows by chance; else by one transaction every so often from begun_ms on, and
     * destinations that are `live` are watched */
    uint32_t rate_ms;
    uint32_t begun_with;
    int64_t begun_ms;
    uint32_t until;  /* this run ends behind that transaction; 0: none */
    bool until_time; /* and is told so by a time */
    uint32_t limit;
    bool runs_on; /* does not stop when all is recorded; see sim_run */
    int64_t stop_at_ms;

    uint32_t count; /* transactions in the log, 1.. */
    uint32_t available;
    uint32_t sizes[SIM_TRANSACTIONS_MAX + 1];   /* events of each; 0: all filtered out */
    uint32_t ends_at[SIM_TRANSACTIONS_MAX + 1]; /* number of its last event */
    uint32_t purged;

    uint32_t sinks;
    struct sim_dest dests[SIM_SINKS_MAX];
    struct sim_record records[SIM_SINKS_MAX];
    uint64_t kills, faults, reopens, rewinds, adopted, backs, stops, writes, acks, stalls, orders,
        buried, limits, own[RF_OWN_RETURNED + 1], rejoined, source_opens;
    int64_t rejoined_ms[SIM_SINKS_MAX], parted_ms[SIM_SINKS_MAX]; /* the last time; 0: never */
    int64_t worst_ms; /* that a watched destination was behind */
    uint64_t most_bytes;
};

enum sim_stage { SIM_IDLE, SIM_GIVEN, SIM_READY };

/* A plugin's memory, and what its actor is at. */
struct sim_runner {
    enum sim_stage stage;
    bool exited, interrupted, open;
    int64_t wait_until_ms;
    int64_t since_ms;   /* of the action */
    int64_t back_at_ms; /* a call that was interrupted returns then */
    struct rf_action action;
    struct rf_result result;
    struct rf_error err;
    struct rf_buf text;
    char position[24];
    /* source */
    uint32_t transaction, event; /* the next to hand over */
    /* sinks */
    uint32_t length;  /* FILE: at the last transaction's end */
    uint32_t whole;   /* KEYED: end of the last view that ended a transaction */
    uint32_t next;    /* the event that must come next; UINT32_MAX: not known yet */
    uint32_t refused; /* 0: none */
    bool ordered;     /* an order is to be recorded before anything is written */
    struct {
        const struct rf_event *events;
        uint32_t count, first;
    } views[SIM_VIEWS_MAX]; /* borrowed until the flush */
    uint32_t view_count;
    uint8_t left_out[SIM_EVENTS_MAX / 8];
};

struct sim_process {
    struct rf_core *core;
    struct sim_runner runners[SIM_ACTORS_MAX];
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

/* True when the destination refuses the event. */
static inline bool sim_refuses(const struct sim_dest *dest, uint32_t event)
{
    return dest->refuses > 0 && (event * 2246822519U >> 8) % dest->refuses == 0;
}

static inline bool sim_bit(const uint8_t *bits, uint32_t event)
{
    return bits[event / 8] >> event % 8 & 1;
}

static inline void sim_set_bit(uint8_t *bits, uint32_t event)
{
    bits[event / 8] |= (uint8_t)(1 << event % 8);
}

/* One second between two transactions. */
static inline int64_t sim_commit_us(const struct sim_world *world, uint32_t transaction)
{
    return world->clockless ? 0 : transaction * 1000000LL;
}

#endif
