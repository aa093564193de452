#include "lib/transform.h"

#include "base/memory.h"

#include <stdlib.h>

struct rf_list rf_test_list(struct rf_arena *arena, const char *text)
{
    struct rf_list list = {.items = rf_arena_alloc(arena, (strlen(text) + 1) * sizeof(char *))};
    struct rf_str rest = rf_str_of(text), item;
    while (rest.size > 0 && rf_str_split(&rest, ',', &item)) {
        item = rf_str_trim(item);
        char *copy = rf_arena_alloc(arena, item.size + 1);
        memcpy(copy, item.data, item.size);
        copy[item.size] = '\0';
        list.items[list.count++] = copy;
    }
    return list;
}

enum rf_status rf_test_transform_open(struct rf_test_transform *transform, const char *list,
                                      const char *salt, struct rf_error *err)
{
    rf_assert(transform->state == NULL);
    transform->state = rf_alloc_zero(1, transform->type->state_size);
    for (const struct rf_option *option = transform->type->options; option->name; option++) {
        char *field = (char *)transform->state + option->offset;
        if (option->kind == RF_OPTION_LIST) {
            struct rf_list items = rf_test_list(&transform->arena, list);
            memcpy(field, &items, sizeof items);
        } else {
            memcpy(field, &salt, sizeof salt);
        }
    }
    enum rf_status status = transform->type->open(transform->state, err);
    if (status != RF_OK) {
        rf_test_transform_close(transform);
    }
    return status;
}

void rf_test_transform_close(struct rf_test_transform *transform)
{
    if (transform->state != NULL) {
        transform->type->close(transform->state);
        free(transform->state);
        transform->state = NULL;
    }
    rf_arena_deinit(&transform->arena);
}

static void print_image(const struct rf_table *table, const struct rf_value *image,
                        struct rf_buf *out)
{
    for (uint32_t i = 0; image != NULL && i < table->column_count; i++) {
        if (image[i].kind == RF_ABSENT) {
            continue;
        }
        rf_buf_printf(out, " %.*s=", RF_STR_ARG(table->columns[i].name));
        if (image[i].kind == RF_NULL) {
            rf_buf_add_str(out, RF_STR("NULL"));
        }
        rf_value_print(out, image[i]);
    }
}

enum rf_status rf_test_transform_apply(struct rf_test_transform *transform,
                                       const struct rf_event *event, struct rf_buf *out)
{
    struct rf_event copy = *event;
    struct rf_error err = {0};
    bool drop = false;
    enum rf_status status =
        transform->type->apply(transform->state, &copy, &drop, &transform->arena, &err);
    rf_buf_reset(out);
    if (status != RF_OK) {
        rf_buf_printf(out, "%s", err.message);
    } else if (drop) {
        rf_buf_printf(out, "dropped");
    } else {
        rf_buf_printf(out, "%s %.*s", rf_op_name(copy.op),
                      RF_STR_ARG(copy.table ? copy.table->full_name : copy.database));
        if (copy.table != NULL) {
            print_image(copy.table, copy.before, out);
            print_image(copy.table, copy.after, out);
        }
    }
    rf_buf_cstr(out);
    return status;
}
