#include "lib/events.h"
#include "lib/plugin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

extern const struct rf_sink_type rf_sink_null;

static void write_all(struct rf_test_sink *sink, const struct rf_batch *batch)
{
    struct rf_view view = rf_test_view(batch, 0, UINT32_MAX);
    assert_int_equal(sink->type->write(sink->state, &view, NULL), RF_OK);
}

static void expect_note(struct rf_test_sink *sink, const char *position, const char *note)
{
    assert_int_equal(rf_test_sink_flush(sink, position, NULL), RF_OK);
    assert_string_equal(rf_buf_cstr(&sink->note), note);
}

/* Transaction 1 with two rows, then 2 with three events over three batches; the last one holds
 * nothing but its end. */
static void fill(struct rf_batch batches[3], struct rf_table *table)
{
    rf_test_begin(&batches[0], 1);
    rf_test_create(&batches[0], table, "1");
    rf_test_create(&batches[0], table, "2");
    rf_test_commit(&batches[0]);
    rf_test_begin(&batches[0], 2);
    rf_test_create(&batches[0], table, "3");
    rf_test_resume(&batches[1], 2);
    rf_test_truncate(&batches[1], "d", "t");
    rf_test_ddl(&batches[1], "d", "CREATE TABLE x (y INT)");
    rf_test_resume(&batches[2], 2);
    rf_test_commit(&batches[2]);
}

static void test_each_event_counts_once_over_a_crash(void **state)
{
    (void)state;
    struct rf_test_sink sink = {.type = &rf_sink_null};
    struct rf_table *table = rf_test_table("d", "t", "id:int!");
    struct rf_batch batches[3] = {{.bytes_max = 1 << 20}, {.bytes_max = 1 << 20}, {.bytes_max = 0}};
    fill(batches, table);
    assert_int_equal(rf_test_sink_open(&sink, NULL), RF_OK);
    expect_note(&sink, "0", "0");
    write_all(&sink, &batches[0]);
    expect_note(&sink, "1", "2");
    write_all(&sink, &batches[1]);
    expect_note(&sink, "1", "2");
    rf_test_sink_close(&sink); /* dies inside transaction 2, which comes again */
    assert_int_equal(rf_test_sink_open(&sink, NULL), RF_OK);
    struct rf_view rest = rf_test_view(&batches[0], 2, UINT32_MAX);
    assert_int_equal(sink.type->write(sink.state, &rest, NULL), RF_OK);
    write_all(&sink, &batches[1]);
    write_all(&sink, &batches[2]);
    expect_note(&sink, "2", "5");
    rf_test_sink_deinit(&sink);
    for (int i = 0; i < 3; i++) {
        rf_batch_deinit(&batches[i]);
    }
    rf_table_release(table);
}

static void test_statements_are_left_out_when_asked(void **state)
{
    (void)state;
    static const struct rf_test_setting settings[] = {{"rows", "on"}, {NULL, NULL}};
    struct rf_test_sink sink = {.type = &rf_sink_null, .settings = settings};
    struct rf_table *table = rf_test_table("d", "t", "id:int!");
    struct rf_batch batches[3] = {{.bytes_max = 1 << 20}, {.bytes_max = 1 << 20}, {.bytes_max = 0}};
    fill(batches, table);
    assert_int_equal(rf_test_sink_open(&sink, NULL), RF_OK);
    for (int i = 0; i < 3; i++) {
        write_all(&sink, &batches[i]);
        rf_batch_deinit(&batches[i]);
    }
    expect_note(&sink, "2", "3");
    rf_test_sink_deinit(&sink);
    rf_table_release(table);
}

static void test_a_damaged_note_is_not_taken_for_a_number(void **state)
{
    (void)state;
    struct rf_test_sink sink = {.type = &rf_sink_null};
    struct rf_error err = {0};
    rf_buf_set(&sink.note, RF_STR("12x"));
    assert_int_equal(rf_test_sink_open(&sink, &err), RF_FATAL);
    assert_non_null(strstr(err.message, "12x"));
    rf_test_sink_deinit(&sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_event_counts_once_over_a_crash),
        cmocka_unit_test(test_statements_are_left_out_when_asked),
        cmocka_unit_test(test_a_damaged_note_is_not_taken_for_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
