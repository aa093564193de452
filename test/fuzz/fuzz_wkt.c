/* Geometries: whatever a log has in a geometry column is read without harm, and what becomes text
 * is no longer than its bytes allow, with each parenthesis closed. */
#include "wire/wkt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Eight bytes of a number become up to 26 with what is between numbers; nine of an empty
     * collection as many. */
    enum { LONGEST = 4 };
    struct rf_buf text = {0};
    int open = 0;
    rf_buf_set(&text, RF_STR("before"));
    if (rf_wkt_add(&text, (struct rf_str){(const char *)data, size})) {
        rf_assert(text.size > 6 && text.size - 6 <= size * LONGEST);
        for (size_t i = 6; i < text.size; i++) {
            open += text.data[i] == '(';
            open -= text.data[i] == ')';
            rf_assert(open >= 0);
        }
        rf_assert(open == 0);
    } else {
        rf_assert(text.size == 6);
    }
    rf_assert(rf_str_starts(rf_buf_str(&text), RF_STR("before")));
    rf_buf_deinit(&text);
    return 0;
}
