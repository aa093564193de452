/* The changes that wait, one for each key. */
#include "sink/window.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { LEAST = 512 };

static struct rf_window window = {.change_size = 24, .least = LEAST, .key_bytes = 512};

/* What a sink does for each row; true when the key was there. */
static bool put(const char *text)
{
    struct rf_str key = rf_str_of(text);
    uint64_t hash = rf_window_hash(&window, key);
    bool found = rf_window_find(&window, key, hash) != NULL;
    if (!found && rf_window_full(&window)) {
        rf_window_reset(&window);
    }
    if (found) {
        window.folded++;
    } else {
        rf_window_add(&window, key, hash);
    }
    return found;
}

static void put_number(int number)
{
    char key[32];
    snprintf(key, sizeof key, "shop:orders:%d", number);
    put(key);
}

static int teardown(void **state)
{
    (void)state;
    rf_window_deinit(&window);
    window.change_size = 24;
    window.least = LEAST;
    window.key_bytes = 512;
    return 0;
}

static void test_changes_keep_the_order_in_which_their_keys_came(void **state)
{
    (void)state;
    static const char *const keys[] = {"b", "a", "", "ab", "b:1", "a\n"};
    for (int again = 0; again < 2; again++) {
        for (uint32_t i = 0; i < 6; i++) {
            assert_int_equal(put(keys[i]), again != 0);
        }
    }
    assert_int_equal(window.count, 6);
    assert_int_equal(window.folded, 6);
    for (uint32_t i = 0; i < 6; i++) {
        assert_true(rf_str_equal(window.keys[i], rf_str_of(keys[i])));
    }
    rf_window_reset(&window);
    assert_false(put("b"));
    assert_int_equal(window.count, 1);
}

static void test_a_newer_change_of_a_key_takes_the_older_ones_place(void **state)
{
    (void)state;
    put("a");
    put("b");
    struct rf_str key = RF_STR("a");
    uint64_t hash = rf_window_hash(&window, key);
    void *newer = rf_window_add(&window, key, hash);
    assert_ptr_equal(rf_window_find(&window, key, hash), newer);
    assert_int_equal(rf_window_number(&window, newer), 2);
    assert_true(put("b"));
    assert_int_equal(window.count, 3);
}

static void test_it_grows_while_keys_come_again_and_shrinks_when_they_do_not(void **state)
{
    (void)state;
    for (int i = 0; i < 4 * LEAST; i++) {
        put_number(i);
    }
    assert_int_equal(window.limit, LEAST);
    /* Ten keys take nine of ten rows, and the rest is spread. */
    uint32_t largest = 0;
    for (int i = 0; i < 3000000 && largest < RF_WINDOW_MOST; i++) {
        put_number(i % 10 != 0 ? i % 11 : 1000 + i);
        largest = window.limit;
    }
    assert_int_equal(largest, RF_WINDOW_MOST);
    for (int i = 0; i < 4 * RF_WINDOW_MOST; i++) {
        put_number(10000000 + i);
    }
    assert_int_equal(window.limit, LEAST);
}

static void test_large_values_fill_it(void **state)
{
    (void)state;
    put("a");
    assert_false(rf_window_full(&window));
    window.bytes += 1 << 20;
    assert_true(rf_window_full(&window));
    rf_window_reset(&window);
    assert_false(rf_window_full(&window));
}

/* Whatever the keys are, no search is long. */
static void test_keys_that_crowd_one_place_fill_it(void **state)
{
    (void)state;
    char text[16];
    int count = 0;
    while (!rf_window_full(&window)) {
        snprintf(text, sizeof text, "%d", count++);
        rf_window_add(&window, rf_str_of(text), 42); /* the same hash for all */
    }
    assert_in_range(count, 10, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_changes_keep_the_order_in_which_their_keys_came, teardown),
        cmocka_unit_test_teardown(test_a_newer_change_of_a_key_takes_the_older_ones_place,
                                  teardown),
        cmocka_unit_test_teardown(test_it_grows_while_keys_come_again_and_shrinks_when_they_do_not,
                                  teardown),
        cmocka_unit_test_teardown(test_large_values_fill_it, teardown),
        cmocka_unit_test_teardown(test_keys_that_crowd_one_place_fill_it, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
