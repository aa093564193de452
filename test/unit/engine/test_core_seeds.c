/* The core in a world of kills, lost answers and broken destinations. ROWFERRY_SEEDS says how
 * many seeds (80, and 12,000 with ROWFERRY_SCALE=1), ROWFERRY_SEEDS_FROM where they begin;
 * ROWFERRY_SEED=n runs that one and prints every step. */
#include "unit/engine/sim_process.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    uint64_t number;
    const char *text = getenv(name);
    return text != NULL && rf_str_to_u64(rf_str_of(text), &number) ? number : otherwise;
}

/* A sanitizer makes the core ten times slower. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifdef SANITIZED
enum { SEEDS = 80, SEEDS_FULL = 800, KILL_EVERY = 7 };
#else
enum { SEEDS = 80, SEEDS_FULL = 12000, KILL_EVERY = 1 };
#endif

/* What all seeds together have reached. */
struct tally {
    uint64_t seeds, kills, faults, rewinds, adopted, stops, steps, acks, stalls, orders, buried,
        limits, rejoined, source_opens, own[RF_OWN_RETURNED + 1];
};

static void count(struct tally *tally, const struct sim_world *world)
{
    tally->seeds++;
    tally->kills += world->kills;
    tally->faults += world->faults;
    tally->rewinds += world->rewinds;
    tally->adopted += world->adopted;
    tally->stops += world->stops;
    tally->steps += world->step;
    tally->acks += world->acks;
    tally->stalls += world->stalls;
    tally->orders += world->orders;
    tally->buried += world->buried;
    tally->limits += world->limits;
    tally->rejoined += world->rejoined;
    tally->source_opens += world->source_opens;
    for (int why = RF_OWN_SLOW; why <= RF_OWN_RETURNED; why++) {
        tally->own[why] += world->own[why];
    }
}

static void print(const struct tally *tally)
{
#define N(name) (unsigned long long)tally->name
    print_message("%llu seeds, %llu steps, %llu kills, %llu faults, %llu stalls, %llu stops, "
                  "%llu adopted, %llu orders, %llu buried, %llu ends, %llu acks\n",
                  N(seeds), N(steps), N(kills), N(faults), N(stalls), N(stops), N(adopted),
                  N(orders), N(buried), N(limits), N(acks));
    print_message("feeds of their own: %llu slow, %llu behind, %llu added, %llu returned; "
                  "%llu rejoined, %llu rewinds, %llu opens of a source\n",
                  N(own[RF_OWN_SLOW]), N(own[RF_OWN_BEHIND]), N(own[RF_OWN_ADDED]),
                  N(own[RF_OWN_RETURNED]), N(rejoined), N(rewinds), N(source_opens));
#undef N
}

static void test_nothing_is_lost_or_doubled_whatever_happens(void **state)
{
    (void)state;
    static struct sim_world world;
    struct tally tally = {0};
    uint64_t only = from_environment("ROWFERRY_SEED", 0), failures = 0;
    uint64_t usual = from_environment("ROWFERRY_SCALE", 20) == 1 ? SEEDS_FULL : SEEDS;
    uint64_t first = only ? only : from_environment("ROWFERRY_SEEDS_FROM", 1);
    uint64_t last = only ? only : first + from_environment("ROWFERRY_SEEDS", usual) - 1;
    for (uint64_t seed = first; seed <= last && failures < 5; seed++) {
        sim_init(&world, seed);
        world.trace = only != 0;
        sim_live(&world);
        if (world.failure[0] != '\0') {
            print_error("seed %llu, step %llu: %s\n  again, with every step: ROWFERRY_SEED=%llu\n",
                        (unsigned long long)seed, (unsigned long long)world.step, world.failure,
                        (unsigned long long)seed);
            failures++;
        }
        count(&tally, &world);
    }
    print(&tally);
    assert_int_equal(failures, 0);
    if (tally.seeds >= SEEDS) {
        /* The seeds reach what they are there for. */
        assert_true(tally.kills > 100 && tally.faults > 500 && tally.acks > 1000);
        assert_true(tally.adopted > 5 && tally.orders > 20 && tally.buried > 100);
        assert_true(tally.rewinds > 20 && tally.limits > 10 && tally.stalls > 100);
        for (int why = RF_OWN_SLOW; why <= RF_OWN_RETURNED; why++) {
            assert_true(tally.own[why] > 20);
        }
        assert_true(tally.rejoined > 10);
    }
}

/* One quiet world, killed at each of its steps in turn. */
static void test_a_kill_at_every_step_is_survived(void **state)
{
    (void)state;
    static struct sim_world world;
    uint64_t steps = 0, failures = 0;
    for (uint64_t kill_at = 0; kill_at <= steps && failures < 5; kill_at++) {
        sim_init(&world, 1);
        world.until = world.limit = 0;
        world.chances = (struct sim_chances){0};
        world.sinks = 0;
        sim_write_log(&world, 30);
        sim_add_sink(&world, SIM_FILE);
        sim_add_sink(&world, SIM_KEYED);
        world.kill_at = kill_at;
        sim_live(&world);
        steps = kill_at == 0 ? world.step : steps;
        if (world.failure[0] != '\0') {
            print_error("killed at step %llu: %s\n", (unsigned long long)kill_at, world.failure);
            failures++;
        }
    }
    print_message("%llu kills\n", (unsigned long long)steps);
    assert_int_equal(failures, 0);
    assert_true(steps > 100);
}

/* The same with feeds: one destination is far ahead of the others, one is new, one hangs for a
 * while. Every so many steps where a sanitizer makes it slow. */
static void test_a_kill_at_every_step_with_several_feeds_is_survived(void **state)
{
    (void)state;
    static struct sim_world world;
    uint64_t begun = 0, steps = 0, failures = 0, runs = 0, rejoined = 0, killed_apart = 0;
    for (uint64_t kill_at = 0; kill_at <= steps && failures < 5; kill_at += KILL_EVERY, runs++) {
        bool stopped;
        sim_init(&world, 1);
        world.chances = (struct sim_chances){0};
        world.budget = 0;
        world.sinks = world.limit = 0;
        world.step_ms = 2;
        world.pool_bytes = 8 * SIM_BATCH_BYTES;
        world.clockless = world.from_now = world.purges = false;
        sim_write_log(&world, 100);
        world.available = 100;
        sim_add_sink(&world, SIM_FILE);
        world.until = 80;
        world.until_time = false;
        assert_int_equal(sim_run(&world, &stopped), 0);
        world.until = 0;
        sim_add_sink(&world, SIM_KEYED);
        sim_add_sink(&world, SIM_FILE)->stalled_from_ms = world.now_ms + 20;
        world.dests[2].stalled_until_ms = world.now_ms + 2000;
        begun = world.step;
        world.kill_at = kill_at > 0 ? begun + kill_at : 0;
        sim_live(&world);
        steps = kill_at == 0 ? world.step - begun : steps;
        rejoined += world.rejoined;
        killed_apart += world.kills > 0 && world.own[RF_OWN_ADDED] > 0;
        if (world.failure[0] != '\0') {
            print_error("killed at step %llu: %s\n", (unsigned long long)kill_at, world.failure);
            failures++;
        }
    }
    print_message("%llu kills in %llu steps, %llu with feeds of their own; %llu rejoined\n",
                  (unsigned long long)runs - 1, (unsigned long long)steps,
                  (unsigned long long)killed_apart, (unsigned long long)rejoined);
    assert_int_equal(failures, 0);
    assert_true(steps > 200 && killed_apart > runs / 2 && rejoined > runs / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_lost_or_doubled_whatever_happens),
        cmocka_unit_test(test_a_kill_at_every_step_is_survived),
        cmocka_unit_test(test_a_kill_at_every_step_with_several_feeds_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
