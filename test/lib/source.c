#include "lib/source.h"

#include "base/clock.h"
#include "base/memory.h"
#include "wire/bson_json.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH_BYTES = 1024 * 1024, KEPT_BYTES = 256 * 1024 };

/* ---- Printing ------------------------------------------------------------------------------ */

static void print_image(struct rf_buf *out, const struct rf_table *table,
                        const struct rf_value *image)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (i > 0) {
            rf_buf_add_byte(out, '|');
        }
        if (image[i].kind == RF_NULL) {
            rf_buf_add_str(out, RF_STR("NULL"));
        } else if (image[i].kind == RF_ABSENT) {
            rf_buf_add_byte(out, '?');
        } else if (image[i].kind == RF_DOCUMENT) {
            rf_bson_json_add(out, rf_value_str(image[i]), RF_BSON_JSON_RELAXED);
        } else {
            rf_value_print(out, image[i]);
        }
    }
}

static void print_event(struct rf_buf *out, const struct rf_event *event)
{
    rf_buf_printf(out, "%u.%u %s ", event->ordinal, event->row, rf_op_name(event->op));
    if (event->op == RF_DDL) {
        rf_buf_printf(out, "%.*s/%.*s %.*s", RF_STR_ARG(event->database), RF_STR_ARG(event->object),
                      RF_STR_ARG(event->statement));
    } else if (event->op == RF_TRUNCATE) {
        rf_buf_printf(out, "%.*s.%.*s", RF_STR_ARG(event->database), RF_STR_ARG(event->object));
    } else {
        rf_buf_printf(out, "%.*s ", RF_STR_ARG(event->table->full_name));
        if (event->before != NULL) {
            print_image(out, event->table, event->before);
        }
        if (event->before != NULL && event->after != NULL) {
            rf_buf_add_str(out, RF_STR(" > "));
        }
        if (event->after != NULL) {
            print_image(out, event->table, event->after);
        }
    }
    rf_buf_add_byte(out, '\n');
}

void rf_test_batch_print(struct rf_buf *out, const struct rf_batch *batch)
{
    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        const struct rf_transaction *transaction = &batch->transactions[i];
        if (transaction->begins) {
            rf_buf_printf(out, "begin %.*s\n", RF_STR_ARG(transaction->id));
        }
        for (uint32_t k = 0; k < transaction->count; k++) {
            print_event(out, &batch->events[transaction->first + k]);
        }
        if (transaction->ends) {
            rf_buf_printf(out, "end %.*s\n", RF_STR_ARG(transaction->id));
        }
    }
}

/* What must hold for every batch of every source. */
static void check(const struct rf_batch *batch)
{
    uint32_t first = 0;
    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        const struct rf_transaction *transaction = &batch->transactions[i];
        rf_assert(transaction->first == first);
        first += transaction->count;
        rf_assert(transaction->begins || i == 0);
        rf_assert(transaction->ends || i + 1 == batch->transaction_count);
        for (uint32_t k = transaction->first; k < first; k++) {
            rf_assert(batch->events[k].transaction == i);
        }
    }
    rf_assert(first == batch->count);
}

/* ---- Driving ------------------------------------------------------------------------------- */

/* False when it is no option with a list. */
static bool set_list(struct rf_test_source *source, const char *name, const char *value)
{
    const struct rf_option *option = source->type->options;
    while (option->name != NULL && strcmp(option->name, name) != 0) {
        option++;
    }
    if (option->name == NULL || option->kind != RF_OPTION_LIST) {
        return false;
    }
    rf_assert(source->list_count < RF_TEST_SOURCE_LISTS);
    struct rf_test_list *one = &source->lists[source->list_count++];
    struct rf_str rest = rf_str_of(value), field;
    while (rf_str_split(&rest, ',', &field)) {
        one->list.count++;
    }
    one->list.items = rf_alloc_zero(one->list.count, sizeof *one->list.items);
    one->text = rf_str_dup(rf_str_of(value));
    char *next = one->text;
    for (uint32_t i = 0; i < one->list.count; i++) {
        one->list.items[i] = next;
        char *comma = strchr(next, ',');
        next = comma ? comma + 1 : next;
        if (comma != NULL) {
            *comma = '\0';
        }
    }
    memcpy((char *)source->state + option->offset, &one->list, sizeof one->list);
    return true;
}

enum rf_status rf_test_source_open(struct rf_test_source *source, struct rf_error *err)
{
    rf_assert(source->state == NULL);
    void *state = rf_alloc_zero(1, source->type->state_size);
    pthread_mutex_lock(&source->guard);
    source->state = state;
    pthread_mutex_unlock(&source->guard);
    rf_test_fallbacks(source->type->options, source->state);
    for (const struct rf_test_setting *one = source->settings; one && one->name; one++) {
        if (!set_list(source, one->name, one->value)) {
            rf_test_set(source->type->options, source->state, one->name, one->value);
        }
    }
    source->batch.bytes_max = source->batch_bytes_max ? source->batch_bytes_max : BATCH_BYTES;
    source->ended = false;
    source->ctx = (struct rf_context){
        .pipeline = "test",
        .instance = source->type->name,
        .from = rf_str_of(source->from),
        .connect_timeout_ms = 10000,
        .feed = source->feed,
        .whole = source->whole,
    };
    enum rf_status status = source->type->open(source->state, &source->ctx, &source->position, err);
    if (status != RF_OK) {
        rf_test_source_close(source);
    }
    return status;
}

static bool holds_something(const struct rf_batch *batch)
{
    return batch->count > 0 || batch->position.size > 0 || batch->end;
}

enum rf_status rf_test_source_read(struct rf_test_source *source, int64_t wait_ms,
                                   struct rf_error *err)
{
    struct rf_batch *batch = &source->batch;
    int64_t deadline_ms = rf_clock_ms() + wait_ms;
    enum rf_status status;
    do {
        rf_batch_reset(batch, KEPT_BYTES);
        status = source->type->read(source->state, batch, deadline_ms, err);
        rf_assert(status != RF_OK || batch->current || holds_something(batch));
        source->currents += batch->current;
    } while (rf_clock_ms() < deadline_ms &&
             (status == RF_AGAIN || (status == RF_OK && !holds_something(batch))));
    if (status == RF_OK && !holds_something(batch)) {
        return RF_AGAIN;
    }
    if (status != RF_OK) {
        rf_assert(batch->count == 0 && batch->transaction_count == 0 && batch->position.size == 0);
        return status;
    }
    check(batch);
    if (!source->quiet) {
        rf_test_batch_print(&source->text, batch);
    }
    if (batch->position.size > 0) {
        rf_buf_set(&source->position, batch->position);
    }
    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        source->transactions += batch->transactions[i].ends;
    }
    source->events += batch->count;
    source->skipped += batch->skipped;
    source->gone += batch->gone;
    source->waived += batch->waived;
    source->batches++;
    source->ended |= batch->end;
    return RF_OK;
}

enum rf_status rf_test_source_until(struct rf_test_source *source, const char *part,
                                    int64_t limit_ms, struct rf_error *err)
{
    int64_t until_ms = rf_clock_ms() + limit_ms;
    while (strstr(rf_buf_cstr(&source->text), part) == NULL) {
        enum rf_status status = rf_test_source_read(source, 50, err);
        if (status != RF_OK && status != RF_AGAIN) {
            return status;
        }
        if (rf_clock_ms() > until_ms) {
            fprintf(stderr, "'%s' did not come within %lld ms; this came:\n%s\n", part,
                    (long long)limit_ms, rf_buf_cstr(&source->text));
            abort();
        }
    }
    return RF_OK;
}

enum rf_status rf_test_source_drain(struct rf_test_source *source, int64_t quiet_ms,
                                    struct rf_error *err)
{
    enum rf_status status;
    do {
        status = rf_test_source_read(source, quiet_ms, err);
    } while (status == RF_OK && !source->ended);
    return status;
}

void rf_test_source_close(struct rf_test_source *source)
{
    pthread_mutex_lock(&source->guard);
    void *state = source->state;
    source->state = NULL;
    pthread_mutex_unlock(&source->guard);
    if (state != NULL) {
        source->type->close(state);
        free(state);
    }
    for (; source->list_count > 0; source->list_count--) {
        struct rf_test_list *one = &source->lists[source->list_count - 1];
        free(one->list.items);
        free(one->text);
        *one = (struct rf_test_list){0};
    }
}

void rf_test_source_interrupt(struct rf_test_source *source)
{
    pthread_mutex_lock(&source->guard);
    if (source->state != NULL) {
        source->type->interrupt(source->state);
    }
    pthread_mutex_unlock(&source->guard);
}

void rf_test_source_deinit(struct rf_test_source *source)
{
    rf_test_source_close(source);
    rf_batch_deinit(&source->batch);
    rf_buf_deinit(&source->position);
    rf_buf_deinit(&source->text);
}
