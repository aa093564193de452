/* Events that a sink refuses, in a pipeline with real threads and a real file. */
#include "unit/engine/world.h"

#include <fcntl.h>
#include <sys/file.h>

enum { COUNT = 400, EVERY = 331 }; /* refused: 331, 662, ... */

static char letters_path[96];
static struct rf_sink_spec specs[2];

static void prepare_letters(struct run *run)
{
    snprintf(letters_path, sizeof letters_path, "%s/refused.jsonl", directory);
    world.count = COUNT;
    world.ends = true;
    world.refuse_every[0] = EVERY;
    memcpy(specs, sink_specs, sizeof specs);
    specs[0].dead_letters = letters_path;
    prepare(run, 2);
    run->options.sinks = specs;
}

/* How often the id is in the file; of all lines with "". */
static uint32_t letters_about(const char *id)
{
    char line[1024], wanted[64];
    uint32_t count = 0;
    snprintf(wanted, sizeof wanted, id[0] ? "\"id\":\"%s\"" : "%s", id[0] ? id : "\"id\":");
    FILE *file = fopen(letters_path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        count += strstr(line, wanted) != NULL;
    }
    if (file != NULL) {
        fclose(file);
    }
    return count;
}

static uint64_t buried_on_record(void)
{
    struct rf_checkpoint_report report;
    struct rf_error err;
    uint64_t buried = UINT64_MAX;
    if (rf_checkpoint_read(checkpoint_path, &report, &err) == RF_OK) {
        for (uint32_t i = 0; i < report.sink_count; i++) {
            if (rf_str_equal(report.sinks[i].name, RF_STR("a"))) {
                buried = report.sinks[i].buried;
            }
        }
    }
    rf_checkpoint_report_deinit(&report);
    return buried;
}

static void test_refused_events_go_to_the_file_and_everything_else_arrives(void **state)
{
    (void)state;
    struct run run;
    struct rf_pipeline_snapshot snapshot = {0};
    const uint32_t refusals = COUNT * PER_TRANSACTION / EVERY;
    prepare_letters(&run);
    start(&run);
    pthread_join(run.thread, NULL);
    assert_int_equal(run.code, 0);
    rf_pipeline_snapshot(run.pipeline, &snapshot);
    assert_int_equal(snapshot.sinks[0].buried, refusals);
    assert_int_equal(snapshot.sinks[1].buried, 0);
    rf_pipeline_snapshot_deinit(&snapshot);
    rf_pipeline_destroy(run.pipeline);

    assert_false(world.gap);
    assert_int_equal(world.high[0], COUNT * PER_TRANSACTION);
    assert_int_equal(world.high[1], COUNT * PER_TRANSACTION);
    assert_int_equal(world.repeats[1], 0);
    assert_int_equal(letters_about(""), refusals);
    assert_int_equal(letters_about("T67:331:0"), 1);
    assert_int_equal(letters_about("T133:662:0"), 1);
    assert_int_equal(buried_on_record(), refusals);
    assert_int_equal(recorded("a"), COUNT);
}

static void test_without_the_file_the_first_refusal_ends_it(void **state)
{
    (void)state;
    struct run run;
    prepare_letters(&run);
    specs[0].dead_letters = NULL;
    assert_int_equal(run_to_end(&run), 4);
    assert_string_equal(run.err.message,
                        "truncate in shop, event T67:331:0: number 331 is refused");
    assert_int_equal(letters_about(""), 0);
}

/* Killed behind the letter, before the position was recorded: as if the sink fails for good
 * there. */
static void test_after_a_crash_a_letter_is_written_once_more_at_most(void **state)
{
    (void)state;
    struct run run;
    prepare_letters(&run);
    world.verdict[0] = RF_FATAL;
    world.verdict_at = EVERY + 1;
    run.options.flush_ms = LIMIT_MS;
    run.options.pool_bytes = 64 << 20;
    assert_int_equal(run_to_end(&run), 3);
    assert_int_equal(letters_about("T67:331:0"), 1);
    assert_true(recorded("a") < 67);
    world.verdict[0] = RF_OK;
    prepare_letters(&run);
    assert_int_equal(run_to_end(&run), 0);
    assert_int_equal(letters_about("T67:331:0"), 2);
    assert_int_equal(letters_about("T133:662:0"), 1);
    assert_false(world.gap);
    assert_int_equal(world.high[0], COUNT * PER_TRANSACTION);
    assert_int_equal(run_to_end(&run), 0); /* nothing is left to be refused */
    assert_int_equal(letters_about("T67:331:0"), 2);
    assert_int_equal(buried_on_record(), COUNT * PER_TRANSACTION / EVERY);
}

static void test_no_room_for_a_letter_is_waited_for_and_the_others_go_on(void **state)
{
    (void)state;
    struct run run;
    prepare_letters(&run);
    int file = open(letters_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    assert_int_equal(flock(file, LOCK_EX), 0); /* answers RETRY, as a full disk does */
    start(&run);
    assert_true(wait_until(world.high[1] == COUNT * PER_TRANSACTION && world.high[0] == EVERY - 1));
    assert_int_equal(letters_about(""), 0);
    close(file);
    assert_int_equal(finish(&run), 0);
    assert_int_equal(world.high[0], COUNT * PER_TRANSACTION);
    assert_int_equal(letters_about(""), COUNT * PER_TRANSACTION / EVERY);
}

static void test_a_place_for_letters_is_looked_at_before_anything_starts(void **state)
{
    (void)state;
    struct run run;
    prepare_letters(&run);
    specs[0].dead_letters = "/no/such/place/refused.jsonl";
    assert_int_equal(rf_pipeline_create(&run.options, &run.pipeline, &run.err), RF_CONFIG);
    assert_non_null(strstr(run.err.message, "/no/such/place"));
    assert_null(run.pipeline);
}

/* Order stamps count what is given: with an event less they would be others. */
static void test_picks_are_others_while_an_event_is_left_out(void **state)
{
    (void)state;
    struct run run;
    prepare_letters(&run);
    world.count = 66; /* up to 330 */
    assert_int_equal(run_to_end(&run), 0);
    uint64_t before = world.picks[0];
    world.count = 100;
    prepare_letters(&run);
    world.count = 100;
    assert_int_equal(run_to_end(&run), 0);
    assert_int_equal(letters_about(""), 1);
    assert_true(world.picks[0] != before && world.picks[0] != 0);
    assert_true(world.picks[1] == before);
    assert_int_equal(run_to_end(&run), 0);
    assert_true(world.picks[0] == before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_refused_events_go_to_the_file_and_everything_else_arrives),
        test(test_without_the_file_the_first_refusal_ends_it),
        test(test_after_a_crash_a_letter_is_written_once_more_at_most),
        test(test_no_room_for_a_letter_is_waited_for_and_the_others_go_on),
        test(test_a_place_for_letters_is_looked_at_before_anything_starts),
        test(test_picks_are_others_while_an_event_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
