#include "lib/plugin.h"

#include "base/memory.h"

#include <rowferry/arena.h>

#include <stdlib.h>

static int32_t choice_of(const char *choices, const char *value)
{
    struct rf_str rest = rf_str_of(choices), word;
    for (int32_t i = 0; rf_str_split(&rest, '|', &word); i++) {
        if (rf_str_equal(word, rf_str_of(value))) {
            return i;
        }
    }
    rf_assert(false);
    return -1;
}

static int64_t number_of(enum rf_option_kind kind, const char *value)
{
    char *end;
    int64_t number = strtoll(value, &end, 10);
    if (kind == RF_OPTION_DURATION && strcmp(end, "s") == 0) {
        return number * 1000;
    }
    if (kind == RF_OPTION_SIZE && strcmp(end, "M") == 0) {
        return number << 20;
    }
    if (kind == RF_OPTION_DURATION && strcmp(end, "m") == 0) {
        return number * 60000;
    }
    rf_assert(*end == '\0' || (kind == RF_OPTION_DURATION && strcmp(end, "ms") == 0));
    return number;
}

/* Split at commas; kept until the program ends, as nobody gives it back. */
static void set_list(const char *value, struct rf_list *list)
{
    enum { ITEMS_MAX = 16 };
    static struct rf_arena kept;
    struct rf_str rest = rf_str_of(value), item;
    list->items = rf_arena_alloc(&kept, ITEMS_MAX * sizeof *list->items);
    for (list->count = 0; rf_str_split(&rest, ',', &item); list->count++) {
        char *copy = rf_arena_alloc(&kept, item.size + 1);
        rf_assert(list->count < ITEMS_MAX);
        memcpy(copy, item.data, item.size);
        copy[item.size] = '\0';
        list->items[list->count] = copy;
    }
}

static void set_option(const struct rf_option *option, void *state, const char *value)
{
    char *field = (char *)state + option->offset;
    int64_t number = 0;
    int32_t choice = 0;
    bool flag = false;
    switch (option->kind) {
    case RF_OPTION_TEXT:
    case RF_OPTION_SECRET: memcpy(field, &value, sizeof value); break;
    case RF_OPTION_INT:
    case RF_OPTION_SIZE:
    case RF_OPTION_DURATION:
        number = number_of(option->kind, value);
        memcpy(field, &number, sizeof number);
        break;
    case RF_OPTION_BOOL:
        flag = strcmp(value, "on") == 0;
        memcpy(field, &flag, sizeof flag);
        break;
    case RF_OPTION_CHOICE:
        choice = choice_of(option->choices, value);
        memcpy(field, &choice, sizeof choice);
        break;
    case RF_OPTION_LIST: set_list(value, (struct rf_list *)(void *)field); break;
    }
}

void rf_test_set(const struct rf_option *options, void *state, const char *name, const char *value)
{
    const struct rf_option *option = options;
    while (option->name != NULL && strcmp(option->name, name) != 0) {
        option++;
    }
    rf_assert(option->name != NULL);
    set_option(option, state, value);
}

void rf_test_fallbacks(const struct rf_option *options, void *state)
{
    for (const struct rf_option *option = options; option && option->name; option++) {
        if (option->fallback != NULL) {
            set_option(option, state, option->fallback);
        }
    }
}

enum rf_status rf_test_sink_open(struct rf_test_sink *sink, struct rf_error *err)
{
    rf_assert(sink->state == NULL);
    sink->state = rf_alloc_zero(1, sink->type->state_size);
    rf_test_fallbacks(sink->type->options, sink->state);
    for (const struct rf_test_setting *one = sink->settings; one && one->name; one++) {
        rf_test_set(sink->type->options, sink->state, one->name, one->value);
    }
    sink->resume = RF_STR_NONE;
    sink->ctx = (struct rf_context){
        .pipeline = "test",
        .instance = sink->type->name,
        .position = rf_buf_str(&sink->position),
        .note = rf_buf_str(&sink->note),
        .first_start = sink->position.size == 0,
        .adopt = sink->adopt,
        .ordered = sink->ordered,
        .picks = sink->picks,
        .rotations = sink->rotations,
        .epoch = ++sink->epoch,
        .format = sink->format,
        .connect_timeout_ms = 5000,
    };
    enum rf_status status = sink->type->open(sink->state, &sink->ctx, &sink->resume, err);
    if (status != RF_OK) {
        rf_test_sink_close(sink);
    }
    return status;
}

enum rf_status rf_test_sink_flush(struct rf_test_sink *sink, const char *position,
                                  struct rf_error *err)
{
    struct rf_buf note = {0};
    enum rf_status status = sink->type->flush(sink->state, rf_str_of(position), &note, err);
    if (status == RF_OK) {
        rf_buf_set(&sink->position, rf_str_of(position));
        rf_buf_set(&sink->note, rf_buf_str(&note));
        sink->resume = RF_STR_NONE;
    }
    rf_buf_deinit(&note);
    return status;
}

void rf_test_sink_close(struct rf_test_sink *sink)
{
    if (sink->state != NULL) {
        sink->type->close(sink->state);
        free(sink->state);
        sink->state = NULL;
        sink->resume = RF_STR_NONE;
    }
}

void rf_test_sink_deinit(struct rf_test_sink *sink)
{
    rf_test_sink_close(sink);
    rf_buf_deinit(&sink->position);
    rf_buf_deinit(&sink->note);
}

struct rf_str rf_test_sink_position(const struct rf_test_sink *sink)
{
    return sink->resume.size > 0 ? sink->resume : rf_buf_str(&sink->position);
}
