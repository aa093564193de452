#include "lib/format.h"

static bool print_image(struct rf_buf *out, const struct rf_table *table,
                        const struct rf_value *image)
{
    for (uint32_t i = 0; image != NULL && i < table->column_count; i++) {
        rf_buf_add_byte(out, i > 0 ? '|' : ' ');
        if (image[i].kind == RF_NULL) {
            rf_buf_add_str(out, RF_STR("NULL"));
        }
        if (image[i].kind == RF_TEXT && rf_str_equal(rf_value_str(image[i]), RF_STR("refuse"))) {
            return false;
        }
        rf_value_print(out, image[i]);
    }
    return true;
}

static enum rf_status test_encode(void *state, const struct rf_view *view,
                                  const struct rf_event *event, struct rf_encoding *out,
                                  struct rf_error *err)
{
    (void)state;
    size_t start = out->value->size;
    rf_buf_printf(out->value, "%.*s %s", RF_STR_ARG(rf_view_transaction(view, event)->id),
                  rf_op_name(event->op));
    if (event->table != NULL) {
        rf_buf_printf(out->value, " %.*s", RF_STR_ARG(event->table->full_name));
    } else {
        rf_buf_printf(out->value, " %.*s.%.*s", RF_STR_ARG(event->database),
                      RF_STR_ARG(event->object));
    }
    if (!print_image(out->value, event->table, event->before) ||
        !print_image(out->value, event->table, event->after)) {
        out->value->size = start;
        rf_fail(err, RF_REJECT, "the test refuses this row");
        if (err != NULL) {
            err->event = event;
        }
        return RF_REJECT;
    }
    out->messages[out->count++] = (struct rf_message){
        .value_start = start,
        .value_size = out->value->size - start,
    };
    rf_buf_add_str(out->value, out->terminator);
    return RF_OK;
}

static const struct rf_format_type test_format_type = {
    .name = "test",
    .summary = "for tests",
    .encode = test_encode,
};

struct rf_format rf_test_format = {.type = &test_format_type};
