#include "lib/reading.h"

#include "lib/mysql_log.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH_BYTES = 1024 * 1024, WORDS_MAX = 16 };

size_t rf_test_reading_memory_max;

enum rf_status rf_test_reading_find(void *reader, int64_t deadline_ms, struct rf_str *event,
                                    uint64_t *end, struct rf_error *err)
{
    struct rf_test_reading *reading = reader;
    (void)deadline_ms;
    (void)err;
    if (!rf_test_log_next(&reading->log, &reading->at, event)) {
        return RF_AGAIN;
    }
    *end = 0;
    return RF_OK;
}

static void prepare(struct rf_test_reading *reading)
{
    *reading = (struct rf_test_reading){.batch.bytes_max = BATCH_BYTES};
    reading->assembly.pick = &reading->pick;
    reading->assembly.skips = &reading->skips;
    reading->assembly.records.memory_max = rf_test_reading_memory_max;
    rf_assembly_turn(&reading->assembly, RF_STR("bin.000001"));
}

static void begin(struct rf_test_reading *reading, const char *patterns)
{
    struct rf_str rest = rf_str_of(patterns), field;
    prepare(reading);
    while (rest.size > 0 && rf_str_split(&rest, ' ', &field)) {
        rf_assert(rf_pick_add(&reading->pick, field, NULL) == RF_OK);
    }
    reading->assembly.adopts_list = true;
}

void rf_test_reading_begin(struct rf_test_reading *reading, const char *patterns, const char *gtids)
{
    begin(reading, patterns);
    rf_test_log_begin(&reading->log, gtids);
}

void rf_test_reading_begin_mysql(struct rf_test_reading *reading, const char *patterns,
                                 uint64_t last)
{
    begin(reading, patterns);
    rf_test_log_begin_mysql(&reading->log, last);
}

void rf_test_reading_skip(struct rf_test_reading *reading, const char *skips)
{
    const char *items[WORDS_MAX];
    struct rf_list list = {items, 0};
    struct rf_str rest = rf_str_of(skips), field;
    while (rest.size > 0 && rf_str_split(&rest, ' ', &field)) {
        rf_assert(list.count < WORDS_MAX);
        items[list.count++] = rf_str_dup(field);
    }
    rf_assert(rf_skips_read(&reading->skips, &list, NULL) == RF_OK);
    for (uint32_t i = 0; i < list.count; i++) {
        free((void *)(uintptr_t)items[i]);
    }
}

void rf_test_reading_resume(struct rf_test_reading *reading, const struct rf_test_reading *from,
                            size_t at)
{
    struct rf_assembly *assembly = &reading->assembly;
    struct rf_str event;
    prepare(reading);
    rf_buf_set(&reading->log.log, rf_buf_str(&from->log.log));
    rf_assert(rf_position_parse(&assembly->position, rf_buf_str(&from->position), NULL) == RF_OK);
    rf_position_copy(&assembly->expected, &assembly->position);
    /* As a server does: the format description first, then from the place on. */
    rf_assert(rf_test_log_next(&reading->log, &reading->at, &event));
    rf_assert(rf_assembly_take(assembly, event, 0, NULL) == RF_OK);
    assembly->mode = RF_ASSEMBLY_VERIFY;
    reading->at = at;
    assembly->next = at;
}

enum rf_status rf_test_reading_one(struct rf_test_reading *reading)
{
    rf_batch_reset(&reading->batch, 0);
    return rf_assembly_fill(&reading->assembly, &reading->batch, INT64_MAX, rf_test_reading_find,
                            reading, &reading->err);
}

/* Each event has the log event that it came from. */
static void check_raw(const struct rf_test_reading *reading)
{
    for (uint32_t i = 0; i < reading->batch.count; i++) {
        struct rf_str raw = reading->batch.events[i].origin->raw;
        rf_assert(raw.size > RF_BINLOG_HEADER_SIZE);
        rf_assert(reading->compressed ||
                  memmem(reading->log.log.data, reading->log.log.size, raw.data, raw.size) != NULL);
    }
}

enum rf_status rf_test_reading_all(struct rf_test_reading *reading)
{
    for (;;) {
        enum rf_status status = rf_test_reading_one(reading);
        if (status != RF_OK) {
            return status;
        }
        reading->batches++;
        rf_test_batch_print(&reading->text, &reading->batch);
        check_raw(reading);
        reading->skipped += reading->batch.skipped;
        reading->waived += reading->batch.waived;
        if (reading->batch.position.size > 0) {
            rf_buf_set(&reading->position, reading->batch.position);
        }
    }
}

static void give_up(struct rf_test_reading *reading, const char *what, const char *text)
{
    fprintf(stderr, "%s\n---- wanted:\n%s---- got:\n%s---- %s %s (hint: %s)\n", what, text,
            rf_buf_cstr(&reading->text), rf_status_name(reading->err.status), reading->err.message,
            reading->err.hint);
    abort();
}

void rf_test_reading_expect(struct rf_test_reading *reading, const char *text)
{
    enum rf_status status = rf_test_reading_all(reading);
    if (status != RF_AGAIN || strcmp(rf_buf_cstr(&reading->text), text) != 0) {
        give_up(reading, "another end or other events than wanted", text);
    }
}

void rf_test_reading_expect_stop(struct rf_test_reading *reading, enum rf_status status,
                                 const char *message, const char *text)
{
    /* Twice: it stays stopped. */
    for (int i = 0; i < 2; i++) {
        enum rf_status got = rf_test_reading_all(reading);
        if (got != status || strcmp(rf_buf_cstr(&reading->text), text) != 0) {
            give_up(reading, "another status or other events than wanted", text);
        }
        if (strstr(reading->err.message, message) == NULL ||
            strstr(reading->err.message, "bin.000001 at ") == NULL) {
            give_up(reading, message, text);
        }
    }
}

void rf_test_reading_end(struct rf_test_reading *reading)
{
    rf_assembly_deinit(&reading->assembly);
    rf_pick_deinit(&reading->pick);
    rf_skips_deinit(&reading->skips);
    rf_batch_deinit(&reading->batch);
    rf_test_log_deinit(&reading->log);
    rf_buf_deinit(&reading->text);
    rf_buf_deinit(&reading->position);
}
