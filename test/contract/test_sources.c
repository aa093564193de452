/* What every source promises, shown on those that need no server. Sources of servers have the same
 * promises shown by the stories in test/integration. */
#include "base/clock.h"
#include "base/memory.h"
#include "engine/registry.h"
#include "lib/format.h"
#include "lib/log_writer.h"
#include "lib/plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Three log files and their index, made at the start. */
static char index_path[64];

/* How to read something from a source of this name. A new source adds an entry, or a line that says
 * where it is shown. */
static const struct subject {
    const char *name;
    const char *elsewhere;                /* instead: the tests that have its server */
    const struct rf_test_setting *good;   /* several transactions */
    const struct rf_test_setting *absent; /* there is nothing */
    bool endless; /* it never ends: it says when it has given all that there is */
} subjects[] = {
    {.name = "mysql", .elsewhere = "test/integration"},
    {.name = "mongodb", .elsewhere = "test/fault/test_mongo_source.c"},
    {
        .name = "binlog",
        .good = (const struct rf_test_setting[]){{"path", ROWFERRY_TEST_DIR "/golden/wire/keys.in"},
                                                 {NULL, NULL}},
        .absent = (const struct rf_test_setting[]){{"path", "/nowhere/at/all"}, {NULL, NULL}},
    },
    {
        .name = "binlog",
        .good = (const struct rf_test_setting[]){{"path", index_path}, {NULL, NULL}},
        .absent = (const struct rf_test_setting[]){{"path", "/nowhere/at/all.index"}, {NULL, NULL}},
    },
    {
        .name = "binlog",
        .good =
            (const struct rf_test_setting[]){{"path", index_path}, {"follow", "on"}, {NULL, NULL}},
        .absent = (const struct rf_test_setting[]){{"path", "/nowhere/bin.000001.."},
                                                   {"follow", "on"},
                                                   {NULL, NULL}},
        .endless = true,
    },
};

#define each_subject(subject)                                \
    const struct subject *subject = subjects;                \
    subject < subjects + sizeof subjects / sizeof *subjects; \
    subject++

/* A source at work. */
struct reader {
    const struct rf_source_type *type;
    void *state;
    struct rf_context ctx;
    struct rf_buf position; /* where it opened */
    struct rf_error err;
};

static enum rf_status open_reader(struct reader *reader, const char *name,
                                  const struct rf_test_setting *settings, struct rf_str position)
{
    *reader = (struct reader){0};
    assert_int_equal(rf_registry_find_source(name, &reader->type, &reader->err), RF_OK);
    reader->state = rf_alloc_zero(1, reader->type->state_size);
    rf_test_fallbacks(reader->type->options, reader->state);
    for (; settings->name != NULL; settings++) {
        rf_test_set(reader->type->options, reader->state, settings->name, settings->value);
    }
    reader->ctx = (struct rf_context){.pipeline = "test",
                                      .instance = name,
                                      .from = RF_STR("earliest"),
                                      .connect_timeout_ms = 5000};
    rf_buf_set(&reader->position, position);
    return reader->type->open(reader->state, &reader->ctx, &reader->position, &reader->err);
}

static void close_reader(struct reader *reader)
{
    reader->type->close(reader->state);
    free(reader->state);
    rf_buf_deinit(&reader->position);
}

/* Everything that was read, and each position on the way. */
struct reading {
    struct rf_buf text; /* one line per event */
    struct {
        struct rf_buf position;
        size_t text_size; /* of what was read by then */
        struct rf_buf last_id;
    } marks[512];
    uint32_t mark_count;
    uint32_t batches;
};

static void reading_deinit(struct reading *reading)
{
    for (uint32_t i = 0; i < reading->mark_count; i++) {
        rf_buf_deinit(&reading->marks[i].position);
        rf_buf_deinit(&reading->marks[i].last_id);
    }
    rf_buf_deinit(&reading->text);
}

/* The shape of a batch, as batch.h and event.h have it. `inside` says whether a transaction is
 * open. */
static void check_batch(const struct rf_batch *batch, bool *inside)
{
    uint32_t events = 0;
    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        const struct rf_transaction *transaction = &batch->transactions[i];
        assert_int_equal(transaction->first, events);
        assert_int_equal(transaction->begins, !*inside);
        assert_true(transaction->ends || i + 1 == batch->transaction_count);
        assert_true(transaction->id.size > 0);
        events += transaction->count;
        *inside = !transaction->ends;
    }
    assert_int_equal(events, batch->count);
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct rf_event *event = &batch->events[i];
        bool before = event->op == RF_UPDATE || event->op == RF_DELETE;
        bool after = event->op == RF_CREATE || event->op == RF_UPDATE || event->op == RF_READ;
        bool row = before || after;
        assert_int_equal(event->before != NULL, before);
        assert_int_equal(event->after != NULL, after);
        assert_int_equal(event->table != NULL, row);
        assert_int_equal(event->statement.size > 0, !row);
        assert_true(event->ordinal > 0);
    }
    for (size_t i = 0; i < batch->position.size; i++) {
        assert_true(batch->position.data[i] != '\t' && batch->position.data[i] != '\n');
    }
}

static void note_batch(struct reading *reading, const struct rf_batch *batch)
{
    struct rf_view view = {.batch = batch,
                           .events = batch->events,
                           .count = batch->count,
                           .transactions = batch->transactions,
                           .transaction_count = batch->transaction_count};
    const struct rf_transaction *ended = NULL;
    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        ended = batch->transactions[i].ends ? &batch->transactions[i] : ended;
    }
    size_t at_end = reading->text.size;
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct rf_event *event = &batch->events[i];
        struct rf_encoding out = {.value = &reading->text};
        rf_buf_printf(&reading->text, "%u.%u ", event->ordinal, event->row);
        assert_int_equal(rf_test_format.type->encode(NULL, &view, event, &out, NULL), RF_OK);
        rf_buf_add_byte(&reading->text, '\n');
        if (rf_view_ends(&view, event)) {
            at_end = reading->text.size;
        }
    }
    reading->batches++;
    if (batch->position.size == 0) {
        assert_null(ended);
        return;
    }
    rf_assert(reading->mark_count < sizeof reading->marks / sizeof *reading->marks);
    uint32_t mark = reading->mark_count++;
    rf_buf_set(&reading->marks[mark].position, batch->position);
    reading->marks[mark].text_size = at_end;
    if (ended != NULL) {
        rf_buf_set(&reading->marks[mark].last_id, ended->id);
    } else if (mark > 0) {
        rf_buf_set(&reading->marks[mark].last_id, rf_buf_str(&reading->marks[mark - 1].last_id));
    }
}

/* Reads to the end with batches of that size. */
static void read_all(struct reader *reader, bool endless, size_t bytes_max, struct reading *reading)
{
    struct rf_batch batch = {.bytes_max = bytes_max};
    bool inside = false;
    *reading = (struct reading){0};
    while (!batch.end && !(endless && batch.current)) {
        rf_batch_reset(&batch, 1 << 20);
        enum rf_status status =
            reader->type->read(reader->state, &batch, rf_clock_ms() + 5000, &reader->err);
        if (status != RF_OK) {
            print_message("%s: %s\n", reader->type->name, reader->err.message);
        }
        assert_int_equal(status, RF_OK);
        check_batch(&batch, &inside);
        assert_true(bytes_max > 1 || batch.transaction_count <= 1);
        note_batch(reading, &batch);
        assert_false(batch.current && inside);
    }
    assert_false(inside);
    rf_batch_deinit(&batch);
}

static void read_from(const struct subject *subject, struct rf_str position, size_t bytes_max,
                      struct reading *reading)
{
    struct reader reader;
    enum rf_status status = open_reader(&reader, subject->name, subject->good, position);
    if (status != RF_OK) {
        print_message("%s: %s\n", subject->name, reader.err.message);
    }
    assert_int_equal(status, RF_OK);
    assert_true(reader.position.size > 0);
    read_all(&reader, subject->endless, bytes_max, reading);
    close_reader(&reader);
}

static void test_every_source_of_this_build_is_shown(void **state)
{
    (void)state;
    for (const struct rf_registry_source *source = rf_registry_sources(); source->name != NULL;
         source++) {
        bool found = false;
        for (each_subject(subject)) {
            found |= strcmp(subject->name, source->name) == 0;
        }
        if (!found) {
            print_message("source %s has no entry in this file\n", source->name);
        }
        assert_true(found);
        assert_string_equal(source->type->name, source->name);
    }
}

static void test_the_size_of_batches_changes_nothing(void **state)
{
    (void)state;
    for (each_subject(subject)) {
        static struct reading large, small;
        if (subject->elsewhere != NULL) {
            continue;
        }
        read_from(subject, RF_STR_NONE, 16 << 20, &large);
        read_from(subject, RF_STR_NONE, 1, &small);
        assert_true(large.text.size > 0);
        assert_true(small.batches > large.batches);
        assert_true(rf_str_equal(rf_buf_str(&large.text), rf_buf_str(&small.text)));
        assert_true(rf_str_equal(rf_buf_str(&large.marks[large.mark_count - 1].position),
                                 rf_buf_str(&small.marks[small.mark_count - 1].position)));
        reading_deinit(&large);
        reading_deinit(&small);
    }
}

/* So the engine ends exactly where it was told to. */
static void test_a_batch_of_one_byte_has_at_most_one_transaction(void **state)
{
    (void)state;
    for (each_subject(subject)) {
        static struct reading reading;
        if (subject->elsewhere != NULL) {
            continue;
        }
        read_from(subject, RF_STR_NONE, 1, &reading); /* which looks at each batch */
        assert_true(reading.batches > 2);
        reading_deinit(&reading);
    }
}

static void test_it_goes_on_from_every_position_ever_given(void **state)
{
    (void)state;
    for (each_subject(subject)) {
        static struct reading all, rest;
        if (subject->elsewhere != NULL) {
            continue;
        }
        read_from(subject, RF_STR_NONE, 1, &all);
        assert_true(all.mark_count > 3);
        for (uint32_t i = 0; i < all.mark_count; i++) {
            size_t had = all.marks[i].text_size;
            read_from(subject, rf_buf_str(&all.marks[i].position), 4096, &rest);
            struct rf_str expected = {all.text.data + had, all.text.size - had};
            assert_true(rf_str_equal(rf_buf_str(&rest.text), expected));
            reading_deinit(&rest);
        }
        reading_deinit(&all);
    }
}

static void test_a_position_contains_what_lies_before_it_and_nothing_else(void **state)
{
    (void)state;
    for (each_subject(subject)) {
        static struct reading all;
        const struct rf_source_type *type = NULL;
        if (subject->elsewhere != NULL) {
            continue;
        }
        assert_int_equal(rf_registry_find_source(subject->name, &type, NULL), RF_OK);
        read_from(subject, RF_STR_NONE, 1, &all);
        for (uint32_t i = 0; i < all.mark_count; i++) {
            struct rf_str position = rf_buf_str(&all.marks[i].position);
            for (uint32_t j = 0; j < all.mark_count; j++) {
                struct rf_str other = rf_buf_str(&all.marks[j].position);
                struct rf_str id = rf_buf_str(&all.marks[j].last_id);
                bool same = rf_str_equal(position, other);
                assert_int_equal(type->contains(position, other), j <= i || same);
                if (id.size > 0 &&
                    (j <= i || !rf_str_equal(id, rf_buf_str(&all.marks[i].last_id)))) {
                    assert_int_equal(type->contains(position, id), j <= i);
                }
            }
            assert_false(type->contains(position, RF_STR("nonsense")));
            assert_false(type->contains(RF_STR("nonsense"), position));
            assert_false(type->contains(RF_STR_NONE, position));
        }
        reading_deinit(&all);
    }
}

static void test_what_is_no_position_is_refused(void **state)
{
    (void)state;
    static const char *const positions[] = {
        "nonsense", "0", "\x01", "0-1", "-", "99999999999999", "keys.in:99999999999:0-1-5"};
    for (each_subject(subject)) {
        if (subject->elsewhere != NULL) {
            continue;
        }
        for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
            struct reader reader;
            enum rf_status status =
                open_reader(&reader, subject->name, subject->good, rf_str_of(positions[i]));
            assert_true(status == RF_CONFIG || status == RF_FATAL);
            assert_int_not_equal(reader.err.message[0], 0);
            close_reader(&reader);
        }
    }
}

static void test_a_failed_open_can_be_closed_and_a_source_that_was_never_opened(void **state)
{
    (void)state;
    for (each_subject(subject)) {
        struct reader reader;
        if (subject->elsewhere != NULL) {
            continue;
        }
        assert_int_not_equal(open_reader(&reader, subject->name, subject->absent, RF_STR_NONE),
                             RF_OK);
        assert_int_not_equal(reader.err.message[0], 0);
        close_reader(&reader);
    }
    for (const struct rf_registry_source *source = rf_registry_sources(); source->name != NULL;
         source++) {
        void *zeroed = rf_alloc_zero(1, source->type->state_size);
        rf_test_fallbacks(source->type->options, zeroed);
        source->type->close(zeroed);
        free(zeroed);
    }
}

static void test_an_interrupt_stays_in_force(void **state)
{
    (void)state;
    for (each_subject(subject)) {
        struct reader reader;
        struct rf_batch batch = {.bytes_max = 1};
        if (subject->elsewhere != NULL) {
            continue;
        }
        assert_int_equal(open_reader(&reader, subject->name, subject->good, RF_STR_NONE), RF_OK);
        reader.type->interrupt(reader.state);
        for (int i = 0; i < 2; i++) {
            rf_batch_reset(&batch, 0);
            assert_int_equal(
                reader.type->read(reader.state, &batch, rf_clock_ms() + 5000, &reader.err),
                RF_RETRY);
            assert_int_equal(batch.count, 0);
        }
        rf_batch_deinit(&batch);
        close_reader(&reader);
    }
}

static void write_file(const char *path, struct rf_str bytes)
{
    FILE *file = fopen(path, "we");
    rf_assert(file != NULL);
    rf_assert(fwrite(bytes.data, 1, bytes.size, file) == bytes.size);
    rf_assert(fclose(file) == 0);
}

/* Transactions 1 to 9 in bin.000001 to bin.000003. */
static int make_logs(void **state)
{
    char directory[32] = "/tmp/rowferry-test-XXXXXX", path[64], before[16] = "";
    (void)state;
    rf_assert(mkdtemp(directory) != NULL);
    snprintf(index_path, sizeof index_path, "%s/bin.index", directory);
    write_file(index_path, RF_STR("./bin.000001\n./bin.000002\n./bin.000003\n"));
    for (unsigned i = 0; i < 3; i++) {
        struct rf_test_log log = {0};
        rf_test_log_begin(&log, before);
        for (unsigned k = 1; k <= 3; k++) {
            rf_test_log_row(&log, i * 3 + k, "shop", k == 2 ? "other" : "t", (int32_t)k);
        }
        snprintf(path, sizeof path, "bin.%06u", i + 2);
        if (i < 2) {
            rf_test_log_rotate(&log, path);
        }
        snprintf(path, sizeof path, "%s/bin.%06u", directory, i + 1);
        write_file(path, rf_buf_str(&log.log));
        snprintf(before, sizeof before, "0-1-%u", i * 3 + 3);
        rf_test_log_deinit(&log);
    }
    return 0;
}

static int drop_logs(void **state)
{
    char path[80];
    (void)state;
    for (unsigned i = 1; i <= 3; i++) {
        snprintf(path, sizeof path, "%.*s/bin.%06u", (int)(strrchr(index_path, '/') - index_path),
                 index_path, i);
        unlink(path);
    }
    unlink(index_path);
    *strrchr(index_path, '/') = '\0';
    return rmdir(index_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_source_of_this_build_is_shown),
        cmocka_unit_test(test_the_size_of_batches_changes_nothing),
        cmocka_unit_test(test_a_batch_of_one_byte_has_at_most_one_transaction),
        cmocka_unit_test(test_it_goes_on_from_every_position_ever_given),
        cmocka_unit_test(test_a_position_contains_what_lies_before_it_and_nothing_else),
        cmocka_unit_test(test_what_is_no_position_is_refused),
        cmocka_unit_test(test_a_failed_open_can_be_closed_and_a_source_that_was_never_opened),
        cmocka_unit_test(test_an_interrupt_stays_in_force),
    };
    return cmocka_run_group_tests(tests, make_logs, drop_logs);
}
