/* Groups that take effect only for the owner of a hash, on a real server. The sink's tests show
 * what comes of it; these are about the moments that another process hardly ever hits. */
#include "net/redis_guard.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/redis_subject.h"

static struct rf_redis_guard guard;
static struct rf_error err;

static void open_guard(struct rf_redis_guard *one, uint64_t epoch)
{
    struct rf_redis_address address = {.host = "127.0.0.1",
                                       .port = (uint16_t)strtoul(server.port, NULL, 10),
                                       .connect_timeout_ms = 5000,
                                       .timeout_ms = 5000};
    rf_buf_set(&one->key, RF_STR("guard"));
    assert_int_equal(rf_redis_connect(&one->redis, &address, &err), RF_OK);
    assert_int_equal(rf_redis_guard_read(one, &err), RF_OK);
    assert_int_equal(rf_redis_guard_take(one, epoch, &err), RF_OK);
}

static int setup(void **state)
{
    (void)state;
    tell("FLUSHALL");
    guard = (struct rf_redis_guard){0};
    err = (struct rf_error){0};
    open_guard(&guard, 3);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rf_redis_guard_close(&guard);
    return 0;
}

/* What the tags point to. */
static const char tags[16];

static void set(const char *key, const char *value, const void *tag)
{
    assert_int_equal(rf_redis_group_open(&guard, &err), RF_OK);
    rf_redis_group_command(&guard, tag, 3);
    rf_redis_bulk(&guard.redis, RF_STR("SET"));
    rf_redis_bulk(&guard.redis, rf_str_of(key));
    rf_redis_bulk(&guard.redis, rf_str_of(value));
}

static void test_the_owner_and_the_epoch_are_written(void **state)
{
    (void)state;
    expect_answer("HGET guard epoch", "3");
    expect_answer("HGET guard owner", guard.owner);
    assert_int_equal(strlen(guard.owner), RF_REDIS_OWNER_SIZE);
    set("a", "1", &tags[0]);
    assert_int_equal(rf_redis_group_finish(&guard, &err), RF_OK);
    assert_int_equal(rf_redis_group_finish(&guard, &err), RF_OK);
    expect_answer("GET a", "1");
}

/* The group itself gives the hash away: that is, just before it is watched anew. */
static void test_an_owner_that_changed_between_two_groups_stops_the_second(void **state)
{
    (void)state;
    assert_int_equal(rf_redis_group_open(&guard, &err), RF_OK);
    rf_redis_group_command(&guard, &tags[0], 4);
    rf_redis_bulk(&guard.redis, RF_STR("HSET"));
    rf_redis_bulk(&guard.redis, RF_STR("guard"));
    rf_redis_bulk(&guard.redis, RF_STR("owner"));
    rf_redis_bulk(&guard.redis, RF_STR("somebody else"));
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < 2 * RF_REDIS_GROUP_COMMANDS && status == RF_OK; i++) {
        status = rf_redis_group_open(&guard, &err);
        if (status == RF_OK) {
            rf_redis_group_command(&guard, &tags[1], 2);
            rf_redis_bulk(&guard.redis, RF_STR("INCR"));
            rf_redis_bulk(&guard.redis, RF_STR("count"));
        }
    }
    status = status == RF_OK ? rf_redis_group_finish(&guard, &err) : status;
    assert_int_equal(status, RF_FATAL);
    assert_non_null(strstr(err.message, "another process"));
    /* One group was carried out: at most that many, and the HSET. */
    char *count = rf_test_redis_ask(&server, "GET count");
    assert_in_range(strtoul(count, NULL, 10), 1, RF_REDIS_GROUP_COMMANDS - 1);
    free(count);
}

static void test_any_change_of_the_hash_by_others_stops_the_next_group(void **state)
{
    (void)state;
    set("a", "1", &tags[0]);
    assert_int_equal(rf_redis_group_finish(&guard, &err), RF_OK);
    tell("HSET guard position 1");
    set("a", "2", &tags[0]);
    assert_int_equal(rf_redis_group_finish(&guard, &err), RF_FATAL);
    assert_non_null(strstr(err.message, "somebody has changed"));
    expect_answer("GET a", "1");
}

/* What an old connection of ours has sent, but the server has not carried out yet. */
static void test_an_open_group_of_an_old_connection_is_dead_after_a_new_take(void **state)
{
    (void)state;
    struct rf_redis_guard later = {0};
    set("a", "old", &tags[0]);
    assert_int_equal(rf_redis_push(&guard.redis, 0, &err), RF_OK);
    open_guard(&later, 3);
    assert_int_equal(rf_redis_group_finish(&guard, &err), RF_FATAL);
    expect_answer("EXISTS a", "0");
    rf_redis_guard_close(&later);
}

static void test_a_take_behind_an_old_reading_is_tried_again(void **state)
{
    (void)state;
    struct rf_redis_guard later = {0};
    assert_int_equal(rf_redis_guard_read(&guard, &err), RF_OK);
    open_guard(&later, 4);
    assert_int_equal(rf_redis_guard_take(&guard, 3, &err), RF_RETRY);
    expect_answer("HGET guard epoch", "4");
    rf_redis_guard_close(&later);
}

static void test_the_refused_command_is_known_by_its_tag(void **state)
{
    (void)state;
    tell("SET text x");
    set("a", "1", &tags[10]);
    assert_int_equal(rf_redis_group_open(&guard, &err), RF_OK);
    rf_redis_group_command(&guard, &tags[11], 2);
    rf_redis_bulk(&guard.redis, RF_STR("HLEN"));
    rf_redis_bulk(&guard.redis, RF_STR("text"));
    set("b", "1", &tags[12]);
    assert_int_equal(rf_redis_group_finish(&guard, &err), RF_REJECT);
    assert_ptr_equal(guard.refused, &tags[11]);
    expect_answer("GET a", "1");
}

/* Then nothing of the group was carried out, so no row can be blamed. */
static void test_a_command_that_is_not_queued_is_for_the_operator(void **state)
{
    (void)state;
    set("a", "1", &tags[10]);
    assert_int_equal(rf_redis_group_open(&guard, &err), RF_OK);
    rf_redis_group_command(&guard, &tags[11], 1);
    rf_redis_bulk(&guard.redis, RF_STR("HSET"));
    assert_int_equal(rf_redis_group_finish(&guard, &err), RF_CONFIG);
    expect_answer("EXISTS a", "0");
}

static void test_a_refusal_of_our_own_command_is_not_blamed_on_a_row(void **state)
{
    (void)state;
    set("a", "1", &tags[10]);
    assert_int_equal(rf_redis_group_open(&guard, &err), RF_OK);
    rf_redis_group_command(&guard, RF_REDIS_NO_TAG, 2);
    rf_redis_bulk(&guard.redis, RF_STR("GET"));
    rf_redis_bulk(&guard.redis, RF_STR("guard"));
    assert_int_equal(rf_redis_group_finish(&guard, &err), RF_FATAL);
    assert_non_null(strstr(err.message, "WRONGTYPE"));
}

int main(void)
{
#define guarded(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        guarded(test_the_owner_and_the_epoch_are_written),
        guarded(test_an_owner_that_changed_between_two_groups_stops_the_second),
        guarded(test_any_change_of_the_hash_by_others_stops_the_next_group),
        guarded(test_an_open_group_of_an_old_connection_is_dead_after_a_new_take),
        guarded(test_a_take_behind_an_old_reading_is_tried_again),
        guarded(test_the_refused_command_is_known_by_its_tag),
        guarded(test_a_command_that_is_not_queued_is_for_the_operator),
        guarded(test_a_refusal_of_our_own_command_is_not_blamed_on_a_row),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
