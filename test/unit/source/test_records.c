#include "source/records.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { NUMBERS_MAX = 4000 };

/* Records and what they have to be: statements with a number and a tail of any length. */
struct model {
    struct rf_records records;
    struct rf_records_mark marks[NUMBERS_MAX + 1];
    unsigned numbers[NUMBERS_MAX];
    uint32_t count;
    unsigned next;
    struct rf_buf tail;
};

static void begin(struct model *model, size_t memory_max)
{
    *model = (struct model){.records.memory_max = memory_max};
    for (unsigned i = 0; i < 200 * 1000; i++) {
        rf_buf_add_byte(&model->tail, (char)('a' + i % 26));
    }
}

static void end(struct model *model)
{
    rf_records_deinit(&model->records);
    rf_buf_deinit(&model->tail);
}

static void add(struct model *model, size_t tail)
{
    char number[16];
    snprintf(number, sizeof number, "%u ", model->next);
    const struct rf_str parts[] = {
        RF_STR("shop"), rf_str_of(number), {model->tail.data, tail}, RF_STR("the event")};
    const struct rf_record head = {
        .type = RF_DDL,
        .ordinal = model->next,
        .offset = 1000 + model->next,
        .database_size = 4,
        .event_size = 9,
    };
    model->marks[model->count] = rf_records_mark(&model->records);
    assert_int_equal(rf_records_add(&model->records, &head, parts, 4, NULL), RF_OK);
    model->numbers[model->count++] = model->next++;
}

static void cut(struct model *model, uint32_t kept)
{
    if (kept < model->count) {
        assert_int_equal(rf_records_cut(&model->records, model->marks[kept], NULL), RF_OK);
        model->count = kept;
    }
}

static void expect_all(struct model *model)
{
    struct rf_batch batch = {.bytes_max = 1};
    uint64_t offset = 0;
    uint32_t at = 0;
    assert_int_equal(model->records.count, model->count);
    while (rf_records_left(&model->records)) {
        rf_batch_reset(&batch, 0);
        rf_batch_begin(&batch, RF_STR("0-1-1"), 0, at == 0);
        assert_int_equal(rf_records_hand_over(&model->records, &batch, &offset, NULL), RF_OK);
        for (uint32_t i = 0; i < batch.count; i++, at++) {
            const struct rf_event *event = &batch.events[i];
            assert_true(at < model->count);
            assert_int_equal(event->ordinal, model->numbers[at]);
            assert_int_equal(strtoul(event->statement.data, NULL, 10), model->numbers[at]);
            assert_true(rf_str_equal(event->database, RF_STR("shop")));
            assert_true(rf_str_equal(event->origin->raw, RF_STR("the event")));
        }
    }
    assert_int_equal(at, model->count);
    rf_batch_deinit(&batch);
    rf_records_reset(&model->records);
    model->count = 0;
}

static const size_t limits[] = {1, 100, 300, 5000, 100 * 1000, 0};
#define LIMITS (sizeof limits / sizeof *limits)

static void test_what_was_added_comes_out_whatever_fits_into_memory(void **context)
{
    (void)context;
    for (size_t limit = 0; limit < LIMITS; limit++) {
        struct model model;
        unsigned seed = 5;
        begin(&model, limits[limit]);
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 300; i++) {
                add(&model, (size_t)rand_r(&seed) % 300);
                if (i % 100 == 50) {
                    add(&model, 150 * 1000); /* larger than a chunk, and than most limits */
                }
            }
            assert_int_equal(model.records.spill.file > 0, limits[limit] != 0);
            expect_all(&model);
        }
        end(&model);
    }
}

/* Larger than what is written at a time, smaller than what may lie in memory. */
static void test_records_of_any_size_come_out_of_the_usual_memory(void **context)
{
    struct model model;
    (void)context;
    begin(&model, 0);
    while (model.tail.size < 3 * RF_RECORDS_WRITE) {
        rf_buf_add_byte(&model.tail, 'z');
    }
    for (int i = 0; i < 40; i++) {
        add(&model, i % 4 == 0 ? 3 * RF_RECORDS_WRITE : i % 4 == 1 ? RF_RECORDS_WRITE : 100);
        assert_true(model.records.bytes - model.records.spilled <= RF_RECORDS_MEMORY_MAX);
    }
    assert_true(model.records.spill.file > 0);
    expect_all(&model);
    end(&model);
}

/* Any mix of additions and cuts is what a list would be. */
static void test_cuts_forget_exactly_what_came_behind_their_mark(void **context)
{
    (void)context;
    for (size_t limit = 0; limit < LIMITS; limit++) {
        for (unsigned seed = 1; seed <= 30; seed++) {
            struct model model;
            unsigned random = seed;
            begin(&model, limits[limit]);
            for (int step = 0; step < 60; step++) {
                for (int more = rand_r(&random) % 20; more > 0; more--) {
                    add(&model, (size_t)rand_r(&random) % (step % 20 == 7 ? 70000 : 200));
                }
                if (rand_r(&random) % 3 == 0 && model.count > 0) {
                    uint32_t back = (uint32_t)rand_r(&random) % (step % 2 ? 5 : model.count + 1);
                    cut(&model, model.count - (back < model.count ? back : model.count));
                }
            }
            expect_all(&model);
            end(&model);
        }
    }
}

static size_t bytes_of(const struct rf_chunk *chunk)
{
    size_t bytes = 0;
    for (; chunk != NULL; chunk = chunk->next) {
        bytes += sizeof *chunk + chunk->size;
    }
    return bytes;
}

static void test_memory_stays_flat(void **context)
{
    enum { RECORDS = 3000, TAIL = 40 * 1000, LIMIT = 1024 * 1024 };
    struct model model;
    struct rf_batch batch = {.bytes_max = 1};
    uint64_t offset = 0;
    (void)context;
    begin(&model, LIMIT);
    for (unsigned i = 0; i < RECORDS; i++) {
        add(&model, TAIL);
        /* A chunk holds one of them, and nothing in the rest. */
        assert_true(bytes_of(model.records.first) + bytes_of(model.records.spare) <= 2 * LIMIT);
    }
    while (rf_records_left(&model.records)) {
        rf_batch_reset(&batch, 0);
        rf_batch_begin(&batch, RF_STR("0-1-1"), 0, false);
        assert_int_equal(rf_records_hand_over(&model.records, &batch, &offset, NULL), RF_OK);
        assert_true(bytes_of(model.records.first) + bytes_of(model.records.spare) <= 2 * LIMIT);
        assert_true(batch.arena.bytes <= 3 * RF_ARENA_CHUNK);
    }
    rf_records_reset(&model.records);
    assert_true(bytes_of(model.records.spare) <= RF_ARENA_CHUNK);
    assert_int_equal(model.records.spill.file, 0);
    rf_batch_deinit(&batch);
    end(&model);
}

static void test_tables_come_back_from_the_file(void **context)
{
    enum { TABLES = 3000 };
    static struct rf_table tables[TABLES];
    struct rf_records records = {.memory_max = 100};
    (void)context;
    /* Rows events of no columns and no rows decode to nothing: which table they meet is looked at
     * in the chunks, by reading them back through a cut. */
    for (unsigned i = 0; i < 2 * TABLES; i++) {
        const struct rf_record head = {.table = &tables[i * 7 % TABLES], .ordinal = i};
        const struct rf_str part = RF_STR("a rows event");
        struct rf_records_mark mark = rf_records_mark(&records);
        assert_int_equal(rf_records_add(&records, &head, &part, 1, NULL), RF_OK);
        if (i % 97 == 5) {
            /* Two in memory, one of which comes from the file. */
            assert_int_equal(rf_records_add(&records, &head, &part, 1, NULL), RF_OK);
            assert_int_equal(rf_records_cut(&records, mark, NULL), RF_OK);
            assert_int_equal(rf_records_add(&records, &head, &part, 1, NULL), RF_OK);
        }
    }
    assert_true(records.table_count <= TABLES);
    for (uint32_t i = 0; i < records.table_count; i++) {
        assert_true(records.tables[i] >= tables && records.tables[i] < tables + TABLES);
        for (uint32_t k = i + 1; k < records.table_count; k += 97) {
            assert_ptr_not_equal(records.tables[i], records.tables[k]);
        }
    }
    rf_records_deinit(&records);
}

static void test_no_room_is_told_and_nothing_leaks(void **context)
{
    struct model model;
    struct rf_error err = {0};
    const struct rf_str part = RF_STR("more");
    const struct rf_record head = {.type = RF_DDL};
    (void)context;
    begin(&model, 1000);
    model.records.spill.directory = "/nowhere/at/all";
    for (int i = 0; i < 3; i++) {
        add(&model, 200);
    }
    enum rf_status status = RF_OK;
    for (int i = 0; i < 20 && status == RF_OK; i++) {
        status = rf_records_add(&model.records, &head, &part, 1, &err);
    }
    assert_int_equal(status, RF_RETRY);
    assert_non_null(strstr(err.message, "/nowhere/at/all"));
    end(&model);
    assert_string_equal(model.records.spill.directory, "/nowhere/at/all");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_added_comes_out_whatever_fits_into_memory),
        cmocka_unit_test(test_records_of_any_size_come_out_of_the_usual_memory),
        cmocka_unit_test(test_cuts_forget_exactly_what_came_behind_their_mark),
        cmocka_unit_test(test_memory_stays_flat),
        cmocka_unit_test(test_tables_come_back_from_the_file),
        cmocka_unit_test(test_no_room_is_told_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
