#include <rowferry/batch.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct rf_table *make_table(void)
{
    struct rf_table *table = calloc(1, sizeof *table);
    assert_non_null(table);
    atomic_init(&table->references, 1);
    return table;
}

static void test_events_belong_to_the_open_transaction(void **state)
{
    (void)state;
    struct rf_batch batch = {.bytes_max = 1 << 20};
    rf_batch_begin(&batch, RF_STR("0-1-1"), 5, true);
    rf_batch_add(&batch)->op = RF_CREATE;
    rf_batch_add(&batch)->op = RF_UPDATE;
    rf_batch_commit(&batch);
    rf_batch_begin(&batch, RF_STR("0-1-2"), 6, false);
    rf_batch_add(&batch)->op = RF_DELETE;

    assert_int_equal(batch.count, 3);
    assert_int_equal(batch.transaction_count, 2);
    assert_int_equal(batch.transactions[0].count, 2);
    assert_true(batch.transactions[0].begins && batch.transactions[0].ends);
    assert_int_equal(batch.transactions[1].first, 2);
    assert_false(batch.transactions[1].begins || batch.transactions[1].ends);
    assert_int_equal(batch.events[2].transaction, 1);

    struct rf_view view = {.batch = &batch,
                           .events = batch.events,
                           .count = 3,
                           .transactions = batch.transactions,
                           .transaction_count = 2};
    assert_false(rf_view_ends(&view, &batch.events[0]));
    assert_true(rf_view_ends(&view, &batch.events[1]));
    assert_false(rf_view_ends(&view, &batch.events[2]));
    assert_true(rf_str_equal(rf_view_transaction(&view, &batch.events[2])->id, RF_STR("0-1-2")));
    rf_batch_deinit(&batch);
}

static void test_a_table_is_held_once_until_the_reset(void **state)
{
    (void)state;
    struct rf_batch batch = {.bytes_max = 1 << 20};
    struct rf_table *one = make_table(), *two = make_table();
    rf_batch_use(&batch, one);
    rf_batch_use(&batch, two);
    rf_batch_use(&batch, one);
    assert_int_equal(batch.table_count, 2);
    assert_int_equal(atomic_load(&one->references), 2);
    rf_batch_reset(&batch, 0);
    assert_int_equal(atomic_load(&one->references), 1);
    rf_table_release(one);
    rf_table_release(two);
    rf_table_release(NULL);
    rf_batch_deinit(&batch);
}

static void test_many_events_survive_growth_and_reset_keeps_the_arrays(void **state)
{
    (void)state;
    struct rf_batch batch = {.bytes_max = 256 * 1024};
    rf_batch_begin(&batch, RF_STR("id"), 0, true);
    assert_false(rf_batch_full(&batch));
    for (uint32_t i = 0; i < 10000; i++) {
        rf_batch_add(&batch)->row = i;
    }
    assert_true(rf_batch_full(&batch));
    for (uint32_t i = 0; i < 10000; i++) {
        assert_int_equal(batch.events[i].row, i);
    }
    rf_batch_set_position(&batch, RF_STR("here"), 9);
    batch.skipped = batch.waived = 3;
    batch.end = batch.current = true;
    struct rf_event *events = batch.events;
    rf_batch_reset(&batch, 1 << 20);
    assert_ptr_equal(batch.events, events);
    assert_int_equal(batch.count, 0);
    assert_int_equal(batch.position.size, 0);
    assert_int_equal(batch.skipped + batch.waived, 0);
    assert_false(batch.end || batch.current);
    assert_false(rf_batch_full(&batch));
    rf_batch_deinit(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_belong_to_the_open_transaction),
        cmocka_unit_test(test_a_table_is_held_once_until_the_reset),
        cmocka_unit_test(test_many_events_survive_growth_and_reset_keeps_the_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
