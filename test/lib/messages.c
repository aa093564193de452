#include "lib/messages.h"

#include "base/memory.h"
#include "lib/events.h"

#include <stdlib.h>

void rf_test_messages_open(struct rf_test_messages *messages, const struct rf_format_type *type,
                           const struct rf_test_setting *settings)
{
    struct rf_error err = {0};
    *messages = (struct rf_test_messages){
        .type = type,
        .state = rf_alloc_zero(1, type->state_size),
    };
    rf_test_fallbacks(type->options, messages->state);
    for (; settings != NULL && settings->name != NULL; settings++) {
        rf_test_set(type->options, messages->state, settings->name, settings->value);
    }
    rf_assert(type->open(messages->state, &err) == RF_OK);
}

void rf_test_messages_close(struct rf_test_messages *messages)
{
    messages->type->close(messages->state);
    free(messages->state);
    rf_batch_deinit(&messages->batch);
    rf_buf_deinit(&messages->key);
    rf_buf_deinit(&messages->value);
    rf_buf_deinit(&messages->text);
}

/* In front of each message's value and key is what was there before: a format appends. */
static struct rf_encoding begin(struct rf_test_messages *messages)
{
    rf_buf_set(&messages->key, RF_STR("before"));
    rf_buf_set(&messages->value, RF_STR("before"));
    return (struct rf_encoding){
        .key = messages->keyless ? NULL : &messages->key,
        .value = &messages->value,
        .terminator = RF_STR("\n"),
    };
}

static const char *text_of(struct rf_test_messages *messages, const struct rf_encoding *out)
{
    struct rf_buf *text = &messages->text;
    size_t key_end = sizeof "before" - 1, value_end = key_end;
    rf_buf_reset(text);
    for (uint32_t i = 0; i < out->count; i++) {
        const struct rf_message *message = &out->messages[i];
        if (!messages->keyless) {
            rf_assert(message->key_start == key_end);
            key_end += message->key_size;
            rf_assert(key_end <= messages->key.size);
            rf_buf_add(text, messages->key.data + message->key_start, message->key_size);
        }
        rf_buf_add_byte(text, ' ');
        rf_assert(message->value_start == value_end);
        value_end += message->value_size;
        if (message->tombstone) {
            rf_assert(message->value_size == 0);
            rf_buf_add_str(text, RF_STR("TOMBSTONE"));
        } else {
            rf_assert(value_end < messages->value.size && messages->value.data[value_end] == '\n');
            rf_buf_add(text, messages->value.data + message->value_start, message->value_size);
            value_end++;
        }
        rf_buf_add_byte(text, '\n');
    }
    rf_assert(value_end == messages->value.size && key_end == messages->key.size);
    return rf_buf_cstr(text);
}

const char *rf_test_messages_of(struct rf_test_messages *messages, const struct rf_event *event,
                                struct rf_error *err)
{
    struct rf_error own = {0};
    struct rf_encoding out = begin(messages);
    struct rf_view view = rf_test_view(&messages->batch, 0, UINT32_MAX);
    enum rf_status status =
        messages->type->encode(messages->state, &view, event, &out, err != NULL ? err : &own);
    if (status == RF_REJECT || status == RF_CONFIG) {
        rf_assert((err != NULL ? err : &own)->event == event);
        rf_assert(text_of(messages, &out)[0] == '\0');
        return status == RF_REJECT ? "REJECT" : "CONFIG";
    }
    rf_assert(status == RF_OK);
    return text_of(messages, &out);
}

const char *rf_test_messages_end(struct rf_test_messages *messages)
{
    struct rf_error err = {0};
    struct rf_encoding out = begin(messages);
    struct rf_view view = rf_test_view(&messages->batch, 0, UINT32_MAX);
    if (messages->type->end != NULL) {
        enum rf_status status = messages->type->end(
            messages->state, &view, rf_test_messages_transaction(messages), &out, &err);
        rf_assert(status == RF_OK);
    }
    return text_of(messages, &out);
}

struct rf_transaction *rf_test_messages_transaction(struct rf_test_messages *messages)
{
    return &messages->batch.transactions[messages->batch.transaction_count - 1];
}
