/* Answers of a CQL server: any bytes are read or refused, and what is a value prints as a text that
 * reads back as one that prints the same. The first byte says how the rest is taken. */
#include "wire/cql_result.h"
#include "wire/cql_segment.h"
#include "wire/cql_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COLUMNS_MAX = 64, TEXT_MAX = 64 * 1024 };

/* Texts of which a part looks like an element's end cannot all be told apart: what is neither read
 * nor printed again is no mistake, but another text is. */
static void check_value(const struct rf_cql_type *type, struct rf_str bytes)
{
    struct rf_buf text = {0}, again = {0}, back = {0};
    if (rf_cql_value_print(&text, type, bytes) && text.size < TEXT_MAX &&
        rf_cql_value_read(&back, type, rf_buf_str(&text))) {
        rf_assert(rf_cql_value_print(&again, type, rf_buf_str(&back)));
        rf_assert(rf_str_equal(rf_buf_str(&text), rf_buf_str(&again)));
    }
    rf_buf_deinit(&text);
    rf_buf_deinit(&again);
    rf_buf_deinit(&back);
}

static void check_result(struct rf_str body, unsigned version)
{
    struct rf_arena arena = {0};
    struct rf_cql_result result;
    struct rf_error err = {0};
    struct rf_cursor cursor = rf_cursor_of(body);
    if (rf_cql_result_parse(&cursor, version, &arena, &result, &err) == RF_OK &&
        result.kind == RF_CQL_ROWS && result.columns.count <= COLUMNS_MAX) {
        struct rf_str values[COLUMNS_MAX];
        for (uint32_t i = 0; i < result.row_count; i++) {
            if (rf_cql_result_row(&result, values, &err) != RF_OK) {
                break;
            }
            for (uint32_t j = 0; result.columns.items != NULL && j < result.columns.count; j++) {
                if (values[j].data != NULL) {
                    check_value(&result.columns.items[j].type, values[j]);
                }
            }
        }
    }
    rf_arena_deinit(&arena);
}

static void check_heads(struct rf_str body, unsigned version)
{
    struct rf_cql_error error;
    struct rf_cql_supported supported;
    struct rf_cql_event event;
    struct rf_error err = {0};
    struct rf_cursor cursor = rf_cursor_of(body);
    if (rf_cql_error_parse(&cursor, version, &error, &err) == RF_OK) {
        rf_assert(error.message.size + error.write_type.size + error.id.size <= body.size);
    }
    cursor = rf_cursor_of(body);
    if (rf_cql_supported_parse(&cursor, &supported, &err) == RF_OK) {
        rf_assert(supported.version >= RF_CQL_VERSION_MIN &&
                  supported.version <= RF_CQL_VERSION_MAX);
    }
    cursor = rf_cursor_of(body);
    if (rf_cql_event_parse(&cursor, &event, &err) == RF_OK) {
        rf_assert(event.kind != 0);
    }
    struct rf_cql_frame frame = {.flags = RF_CQL_FRAME_WARNING | RF_CQL_FRAME_PAYLOAD};
    struct rf_str warning;
    cursor = rf_cursor_of(body);
    rf_cql_skip_extras(&frame, &cursor, &warning);
    rf_assert(warning.size <= body.size);
}

static void check_segments(struct rf_str bytes, bool lz4)
{
    struct rf_buf frames = {0};
    struct rf_error err = {0};
    for (size_t taken = 1; taken > 0;) {
        if (rf_cql_segment_take(bytes, lz4, &taken, &frames, &err) != RF_OK) {
            break;
        }
        rf_assert(taken <= bytes.size);
        bytes.data += taken;
        bytes.size -= taken;
    }
    rf_buf_deinit(&frames);
}

static void check_value_of_its_type(struct rf_str bytes)
{
    struct rf_arena arena = {0};
    struct rf_cql_type type;
    struct rf_buf text = {0}, out = {0};
    struct rf_cursor cursor = rf_cursor_of(bytes);
    rf_cql_type_read(&cursor, &arena, &type);
    if (cursor.missing == NULL) {
        struct rf_str rest = rf_cursor_rest(&cursor);
        rf_cql_type_print(&text, &type);
        check_value(&type, rest);
        /* The same bytes as a text. */
        if (rf_cql_value_read(&out, &type, rest)) {
            rf_buf_reset(&text);
            rf_assert(rf_cql_value_print(&text, &type, rf_buf_str(&out)));
        }
        rf_buf_deinit(&out);
    }
    rf_buf_deinit(&text);
    rf_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct rf_str rest = {(const char *)data + 1, size - 1};
    struct rf_buf out = {0};
    struct rf_error err = {0};
    switch (data[0] % 8) {
    case 0: check_result(rest, 4); break;
    case 1: check_result(rest, 5); break;
    case 2: check_heads(rest, 4); break;
    case 3: check_heads(rest, 5); break;
    case 4: check_segments(rest, false); break;
    case 5: check_segments(rest, true); break;
    case 6:
        if (rf_cql_unpack(rest, &out, &err) == RF_OK) {
            rf_assert(out.size <= rest.size * 255);
        }
        rf_buf_deinit(&out);
        break;
    default: check_value_of_its_type(rest); break;
    }
    return 0;
}
