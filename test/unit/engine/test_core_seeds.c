/* The core in a world of kills, lost answers and broken destinations. ROWFERRY_SEEDS says how
 * many seeds (200); ROWFERRY_SEED=n runs that one and prints every step. */
#include "unit/engine/sim.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    uint64_t number;
    const char *text = getenv(name);
    return text != NULL && rf_str_to_u64(rf_str_of(text), &number) ? number : otherwise;
}

static void test_nothing_is_lost_or_doubled_whatever_happens(void **state)
{
    (void)state;
    static struct sim_world world;
    uint64_t only = from_environment("ROWFERRY_SEED", 0), failures = 0;
    uint64_t last = only ? only : from_environment("ROWFERRY_SEEDS", 200);
    uint64_t kills = 0, faults = 0, rewinds = 0, adopted = 0, stops = 0, steps = 0, acks = 0;
    for (uint64_t seed = only ? only : 1; seed <= last && failures < 5; seed++) {
        sim_init(&world, seed);
        world.trace = only != 0;
        sim_live(&world);
        if (world.failure[0] != '\0') {
            print_error("seed %llu, step %llu: %s\n  again, with every step: ROWFERRY_SEED=%llu\n",
                        (unsigned long long)seed, (unsigned long long)world.step, world.failure,
                        (unsigned long long)seed);
            failures++;
        }
        kills += world.kills;
        faults += world.faults;
        rewinds += world.rewinds;
        adopted += world.adopted;
        stops += world.stops;
        steps += world.step;
        acks += world.acks;
    }
    print_message(
        "%llu steps, %llu kills, %llu faults, %llu rewinds, %llu stops, %llu adopted, %llu acks\n",
        (unsigned long long)steps, (unsigned long long)kills, (unsigned long long)faults,
        (unsigned long long)rewinds, (unsigned long long)stops, (unsigned long long)adopted,
        (unsigned long long)acks);
    assert_int_equal(failures, 0);
    if (!only && last >= 200) {
        /* The seeds reach what they are there for. */
        assert_true(kills > 100 && faults > 500 && rewinds > 20 && adopted > 5 && acks > 1000);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_lost_or_doubled_whatever_happens),
        cmocka_unit_test(test_a_kill_at_every_step_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
