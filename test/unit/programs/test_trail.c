#include "programs/trail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct rf_post post_of(unsigned number)
{
    struct rf_post post;

    snprintf(post.id, sizeof post.id, "id-%u", number);
    snprintf(post.stamp, sizeof post.stamp, "2026-11-22 17:%02u:%02u", number / 60 % 60,
             number % 60);
    return post;
}

/* All rows are in that copy. */
static void answer_all(struct rf_trail *trail, enum rf_copy copy, int64_t now_ms)
{
    for (uint32_t i = 0; i < trail->count; i++) {
        rf_trail_answer(trail, copy, i, trail->rows[i].post.stamp, now_ms);
    }
}

static void expect_lag(const struct rf_trail *trail, enum rf_copy copy, int64_t now_ms,
                       uint32_t rows, int64_t ms)
{
    struct rf_lag lag = rf_trail_lag(trail, copy, now_ms);

    assert_true(lag.known);
    assert_int_equal(lag.rows, rows);
    assert_int_equal(lag.ms, ms);
}

static void test_lag_is_what_the_newest_row_took_once_all_are_there(void **state)
{
    struct rf_trail trail = {0};
    (void)state;
    rf_trail_wrote(&trail, &(struct rf_post){"a", "s"}, 1000);
    expect_lag(&trail, RF_COPY_MONGO, 1040, 1, 40);
    rf_trail_answer(&trail, RF_COPY_MONGO, 0, "s", 1050);
    expect_lag(&trail, RF_COPY_MONGO, 9000, 0, 50);
    /* Seen again later it is not younger. */
    rf_trail_answer(&trail, RF_COPY_MONGO, 0, "s", 8000);
    expect_lag(&trail, RF_COPY_MONGO, 9000, 0, 50);
    expect_lag(&trail, RF_COPY_REDIS, 9000, 1, 8000);
}

static void test_lag_grows_from_the_oldest_row_that_is_missing(void **state)
{
    struct rf_trail trail = {0};
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct rf_post post = post_of(i);
        rf_trail_wrote(&trail, &post, 1000 * (i + 1));
    }
    /* The newest comes first: rows 3, 2, 1, 0. */
    rf_trail_answer(&trail, RF_COPY_MONGO, 3, "s", 1100);
    rf_trail_answer(&trail, RF_COPY_MONGO, 0, "s", 4100);
    expect_lag(&trail, RF_COPY_MONGO, 5000, 2, 3000);
}

static void test_a_row_that_goes_away_is_missing_again(void **state)
{
    struct rf_trail trail = {0};
    (void)state;
    rf_trail_wrote(&trail, &(struct rf_post){"a", "s"}, 1000);
    rf_trail_answer(&trail, RF_COPY_REDIS, 0, "s", 1001);
    rf_trail_answer(&trail, RF_COPY_REDIS, 0, NULL, 2000);
    expect_lag(&trail, RF_COPY_REDIS, 3000, 1, 2000);
    assert_string_equal(trail.rows[0].stamps[RF_COPY_REDIS], "");
}

static void test_only_rows_shown_or_missing_are_asked_for(void **state)
{
    struct rf_trail trail = {0};
    uint32_t rows[RF_TRAIL_ROWS];
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        struct rf_post post = post_of(i);
        rf_trail_wrote(&trail, &post, 0);
    }
    assert_int_equal(rf_trail_ask(&trail, RF_COPY_MONGO, rows), 10);
    for (uint32_t i = 0; i < 10; i++) {
        if (i != 7) {
            rf_trail_answer(&trail, RF_COPY_MONGO, i, "s", 1);
        }
    }
    assert_int_equal(rf_trail_ask(&trail, RF_COPY_MONGO, rows), RF_TRAIL_SHOWN + 1);
    assert_int_equal(rows[RF_TRAIL_SHOWN], 7);
}

static void test_what_mysql_has_decides_and_times_are_kept(void **state)
{
    struct rf_trail trail = {0};
    struct rf_post old = post_of(1), own = post_of(2), others = post_of(3);
    struct rf_post now[] = {others, own};
    (void)state;
    rf_trail_wrote(&trail, &old, 1000);
    rf_trail_wrote(&trail, &own, 2000);
    rf_trail_answer(&trail, RF_COPY_MONGO, 0, own.stamp, 2010);
    rf_trail_set(&trail, now, 2, 5000);
    assert_int_equal(trail.count, 2);
    assert_int_equal(trail.rows[0].written_ms, 5000);
    assert_int_equal(trail.rows[0].seen_ms[RF_COPY_MONGO], -1);
    assert_int_equal(trail.rows[1].written_ms, 2000);
    assert_int_equal(trail.rows[1].seen_ms[RF_COPY_MONGO], 2010);
    rf_trail_set(&trail, NULL, 0, 6000);
    assert_int_equal(trail.count, 0);
    assert_false(rf_trail_lag(&trail, RF_COPY_MONGO, 6000).known);
}

static void test_one_value_covers_all_rows_up_to_the_one_it_is_of(void **state)
{
    struct rf_trail trail = {0};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct rf_post post = post_of(i);
        rf_trail_wrote(&trail, &post, 1000 * i);
    }
    rf_trail_value(&trail, RF_COPY_DATE, NULL, 2100);
    expect_lag(&trail, RF_COPY_DATE, 3000, 3, 3000);
    rf_trail_value(&trail, RF_COPY_DATE, "2026-11-22 17:00:01", 2100);
    expect_lag(&trail, RF_COPY_DATE, 3000, 1, 1000);
    rf_trail_value(&trail, RF_COPY_DATE, "2026-11-22 17:00:02", 2200);
    expect_lag(&trail, RF_COPY_DATE, 3000, 0, 200);
    /* Of a row that is not known yet: what was carried was carried. */
    rf_trail_value(&trail, RF_COPY_DATE, "2026-11-22 19:00:00", 2300);
    expect_lag(&trail, RF_COPY_DATE, 3000, 0, 200);
    rf_trail_value(&trail, RF_COPY_DATE, NULL, 2400);
    expect_lag(&trail, RF_COPY_DATE, 3000, 3, 3000);
}

/* The row written last has the earliest stamp. */
static void test_a_clock_that_steps_back_makes_no_missing_row_arrive(void **state)
{
    struct rf_trail trail = {0};
    struct rf_post before = {"before", "2026-11-22 17:00:10"};
    struct rf_post behind = {"behind", "2026-11-22 16:00:00"};
    (void)state;
    rf_trail_wrote(&trail, &before, 1000);
    rf_trail_wrote(&trail, &behind, 2000);
    rf_trail_value(&trail, RF_COPY_DATE, before.stamp, 2100);
    expect_lag(&trail, RF_COPY_DATE, 2500, 1, 500);
    rf_trail_value(&trail, RF_COPY_DATE, behind.stamp, 2600);
    expect_lag(&trail, RF_COPY_DATE, 3000, 0, 600);
}

/* After the step a stamp comes twice. The copy has the first row's; of the second, and of those
 * between them, it has nothing. */
static void test_a_stamp_that_comes_twice_is_that_of_a_row_which_the_copy_has(void **state)
{
    struct rf_trail trail = {0};
    static const struct rf_post posts[] = {
        {"a", "2026-11-22 17:00:05"}, {"b", "2026-11-22 17:00:03"}, {"c", "2026-11-22 17:00:05"}};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        rf_trail_wrote(&trail, &posts[i], 1000 * (i + 1));
    }
    rf_trail_value(&trail, RF_COPY_DATE, posts[0].stamp, 3100);
    expect_lag(&trail, RF_COPY_DATE, 3500, 2, 1500);
    rf_trail_answer(&trail, RF_COPY_REDIS, 2, posts[0].stamp, 3200);
    rf_trail_value(&trail, RF_COPY_DATE, posts[0].stamp, 3200);
    expect_lag(&trail, RF_COPY_DATE, 3500, 2, 1500);
    rf_trail_answer(&trail, RF_COPY_REDIS, 1, posts[1].stamp, 3600);
    rf_trail_answer(&trail, RF_COPY_REDIS, 0, posts[2].stamp, 3600);
    rf_trail_value(&trail, RF_COPY_DATE, posts[2].stamp, 3600);
    expect_lag(&trail, RF_COPY_DATE, 9000, 0, 600);
}

/* MySQL's last rows by stamp do not have it among them. */
static void test_a_row_of_our_own_is_kept_until_it_was_seen_everywhere(void **state)
{
    static struct rf_trail trail;
    struct rf_post posts[RF_TRAIL_ROWS], absent[RF_TRAIL_ROWS - RF_TRAIL_LAST];
    struct rf_post own = {"own", "2001-01-01 00:00:00"};
    (void)state;
    for (unsigned i = 0; i < RF_TRAIL_LAST; i++) {
        posts[i] = post_of(RF_TRAIL_LAST - i);
    }
    trail.unused[RF_COPY_CASSANDRA] = trail.unused[RF_COPY_MAX] = true;
    rf_trail_set(&trail, posts, RF_TRAIL_LAST, 1000);
    assert_int_equal(rf_trail_absent(&trail, posts, RF_TRAIL_LAST, absent), 0);
    rf_trail_wrote(&trail, &own, 2000);
    for (unsigned i = 0; i < RF_TRAIL_SHOWN; i++) { /* later ones, which are shown instead */
        struct rf_post later = post_of(200 + i);
        rf_trail_wrote(&trail, &later, 2500);
        memmove(&posts[1], &posts[0], (RF_TRAIL_LAST - 1) * sizeof *posts);
        posts[0] = later;
    }
    assert_int_equal(rf_trail_absent(&trail, posts, RF_TRAIL_LAST, absent), 1);
    assert_string_equal(absent[0].id, "own");
    posts[RF_TRAIL_LAST] = absent[0];
    rf_trail_set(&trail, posts, RF_TRAIL_LAST + 1, 3000);
    assert_string_equal(trail.rows[RF_TRAIL_SHOWN].post.id, "own");
    for (uint32_t i = 0; i < trail.count; i++) {
        if (i != RF_TRAIL_SHOWN) {
            rf_trail_answer(&trail, RF_COPY_MONGO, i, "s", 3000);
            rf_trail_answer(&trail, RF_COPY_REDIS, i, "s", 3000);
        }
    }
    rf_trail_value(&trail, RF_COPY_DATE, posts[RF_TRAIL_SHOWN].stamp, 3000);
    expect_lag(&trail, RF_COPY_MONGO, 4000, 1, 2000);
    expect_lag(&trail, RF_COPY_DATE, 4000, 6, 2000);
    rf_trail_answer(&trail, RF_COPY_MONGO, RF_TRAIL_SHOWN, own.stamp, 4000);
    rf_trail_answer(&trail, RF_COPY_REDIS, RF_TRAIL_SHOWN, own.stamp, 4000);
    assert_int_equal(rf_trail_absent(&trail, posts, RF_TRAIL_LAST, absent), 1);
    rf_trail_value(&trail, RF_COPY_DATE, own.stamp, 4000);
    assert_int_equal(rf_trail_absent(&trail, posts, RF_TRAIL_LAST, absent), 0);
}

/* What the newest row took is what is shown, not what that with the latest stamp once did. */
static void test_after_a_step_back_the_row_written_last_is_still_the_newest(void **state)
{
    static struct rf_trail trail;
    struct rf_post posts[RF_TRAIL_ROWS], absent[RF_TRAIL_ROWS - RF_TRAIL_LAST];
    struct rf_post own = {"own", "2001-01-01 00:00:00"};
    (void)state;
    for (unsigned i = 0; i < RF_TRAIL_LAST; i++) {
        posts[i] = post_of(RF_TRAIL_LAST - i);
    }
    rf_trail_set(&trail, posts, RF_TRAIL_LAST, 1000);
    answer_all(&trail, RF_COPY_MONGO, 1001);
    rf_trail_wrote(&trail, &own, 2000);
    for (int look = 0; look < 3; look++) { /* also once it was seen everywhere */
        uint32_t count = rf_trail_absent(&trail, posts, RF_TRAIL_LAST, absent);
        assert_int_equal(count, 1);
        posts[RF_TRAIL_LAST] = absent[0];
        rf_trail_set(&trail, posts, RF_TRAIL_LAST + count, 2010);
        assert_string_equal(trail.rows[0].post.id, "own");
        for (int copy = 0; copy < RF_COPIES; copy++) {
            answer_all(&trail, (enum rf_copy)copy, 2700);
        }
        expect_lag(&trail, RF_COPY_MONGO, 9000, 0, 700);
    }
}

/* Where the last rows are as many as are asked for, the deletion of some lets older ones in. */
static void test_old_rows_that_come_to_light_are_not_the_newest(void **state)
{
    static struct rf_trail trail;
    struct rf_post posts[RF_TRAIL_LAST];
    (void)state;
    for (unsigned i = 0; i < RF_TRAIL_LAST; i++) {
        posts[i] = post_of(100 + RF_TRAIL_LAST - i);
    }
    rf_trail_set(&trail, posts, RF_TRAIL_LAST, 1000);
    rf_trail_value(&trail, RF_COPY_DATE, posts[0].stamp, 1001);
    expect_lag(&trail, RF_COPY_DATE, 2000, 0, 1);
    memmove(&posts[0], &posts[3], (RF_TRAIL_LAST - 3) * sizeof *posts);
    for (unsigned i = 0; i < 3; i++) {
        posts[RF_TRAIL_LAST - 3 + i] = post_of(100 - i);
    }
    rf_trail_set(&trail, posts, RF_TRAIL_LAST, 2000);
    assert_string_equal(trail.rows[0].post.id, posts[0].id);
    rf_trail_value(&trail, RF_COPY_DATE, posts[0].stamp, 2001);
    expect_lag(&trail, RF_COPY_DATE, 3000, 0, 1);
}

/* As when the scheduler starts beside rows that are there: it looks before it writes. */
static void test_rows_known_before_a_write_are_covered_by_the_value_of_that_write(void **state)
{
    struct rf_trail trail = {0};
    struct rf_post now[] = {post_of(9), post_of(2), post_of(1)};
    (void)state;
    rf_trail_set(&trail, now + 1, 2, 1000);
    rf_trail_wrote(&trail, &now[0], 1001);
    rf_trail_set(&trail, now, 3, 1010);
    rf_trail_value(&trail, RF_COPY_DATE, now[1].stamp, 1020);
    expect_lag(&trail, RF_COPY_DATE, 1021, 1, 20);
    rf_trail_value(&trail, RF_COPY_DATE, now[0].stamp, 1030);
    expect_lag(&trail, RF_COPY_DATE, 2000, 0, 29);
}

static void test_a_copy_that_is_not_there_is_not_behind(void **state)
{
    struct rf_trail trail = {.unused = {[RF_COPY_CASSANDRA] = true}};
    (void)state;
    rf_trail_wrote(&trail, &(struct rf_post){"a", "s"}, 1000);
    assert_int_equal(rf_trail_lag(&trail, RF_COPY_CASSANDRA, 2000).rows, 0);
    assert_int_equal(rf_trail_lag(&trail, RF_COPY_MONGO, 2000).rows, 1);
}

static void test_more_rows_than_there_is_room_for_may_be_missing(void **state)
{
    static struct rf_trail trail;
    (void)state;
    for (unsigned i = 0; i < RF_TRAIL_ROWS + 20; i++) {
        struct rf_post post = post_of(i);
        rf_trail_wrote(&trail, &post, i);
    }
    assert_int_equal(trail.count, RF_TRAIL_ROWS);
    assert_string_equal(trail.rows[0].post.id, "id-119");
    assert_string_equal(trail.rows[RF_TRAIL_ROWS - 1].post.id, "id-20");
    struct rf_lag lag = rf_trail_lag(&trail, RF_COPY_MONGO, 1000);
    assert_true(lag.more);
    assert_int_equal(lag.rows, RF_TRAIL_ROWS);
    rf_trail_answer(&trail, RF_COPY_MONGO, 5, "s", 500);
    assert_false(rf_trail_lag(&trail, RF_COPY_MONGO, 1000).more);
}

static void test_posts_have_random_ids_and_the_time(void **state)
{
    struct rf_post one, two;
    (void)state;
    rf_post_make(&one);
    rf_post_make(&two);
    assert_int_equal(strlen(one.id), 36);
    assert_string_not_equal(one.id, two.id);
    assert_int_equal(one.id[14], '4'); /* the version of random ones */
    assert_non_null(strchr("89ab", one.id[19]));
    assert_int_equal(strspn(one.id, "0123456789abcdef-"), 36);
    assert_int_equal(strlen(one.stamp), 19);
    assert_int_equal(one.stamp[10], ' ');
    assert_int_equal(strspn(one.stamp, "0123456789-: "), 19);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lag_is_what_the_newest_row_took_once_all_are_there),
        cmocka_unit_test(test_lag_grows_from_the_oldest_row_that_is_missing),
        cmocka_unit_test(test_a_row_that_goes_away_is_missing_again),
        cmocka_unit_test(test_only_rows_shown_or_missing_are_asked_for),
        cmocka_unit_test(test_what_mysql_has_decides_and_times_are_kept),
        cmocka_unit_test(test_one_value_covers_all_rows_up_to_the_one_it_is_of),
        cmocka_unit_test(test_a_clock_that_steps_back_makes_no_missing_row_arrive),
        cmocka_unit_test(test_a_stamp_that_comes_twice_is_that_of_a_row_which_the_copy_has),
        cmocka_unit_test(test_a_row_of_our_own_is_kept_until_it_was_seen_everywhere),
        cmocka_unit_test(test_after_a_step_back_the_row_written_last_is_still_the_newest),
        cmocka_unit_test(test_old_rows_that_come_to_light_are_not_the_newest),
        cmocka_unit_test(test_rows_known_before_a_write_are_covered_by_the_value_of_that_write),
        cmocka_unit_test(test_a_copy_that_is_not_there_is_not_behind),
        cmocka_unit_test(test_more_rows_than_there_is_room_for_may_be_missing),
        cmocka_unit_test(test_posts_have_random_ids_and_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
