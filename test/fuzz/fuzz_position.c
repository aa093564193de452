/* Any text as a position, and as a place to begin: no crash, and what is accepted has one text,
 * which means the same when it is read again. */
#include "source/position.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rf_str text = {(const char *)data, size};
    struct rf_start start = {0};
    struct rf_error err = {0};
    if (rf_start_parse(&start, text, &err) == RF_OK) {
        struct rf_position again = {0};
        struct rf_buf first = {0}, second = {0};
        rf_position_print(&first, &start.position);
        rf_assert(rf_position_parse(&again, rf_buf_str(&first), &err) == RF_OK);
        rf_position_print(&second, &again);
        rf_assert(rf_str_equal(rf_buf_str(&first), rf_buf_str(&second)));
        rf_assert(rf_position_contains(rf_buf_str(&first), rf_buf_str(&second)));
        rf_assert(memchr(first.data, '\t', first.size) == NULL);
        rf_assert(memchr(first.data, '\n', first.size) == NULL);
        rf_position_deinit(&again);
        rf_buf_deinit(&first);
        rf_buf_deinit(&second);
    } else {
        rf_assert(err.message[0] != '\0');
        rf_assert(!rf_position_contains(text, text) || start.kind == RF_START_GTIDS);
    }
    rf_position_deinit(&start.position);
    return 0;
}
