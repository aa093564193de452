/* A document of MySQL's binary JSON. Its text must be valid JSON in UTF-8, bounded in size, the
 * same when it is printed again, and nothing must be left behind when the bytes are none. */
#include "wire/jsonb.h"

#include "lib/json.h"
#include "wire/charset.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { GROWTH_MAX = 16, BASE = 1024 };
    struct rf_buf out = {0};
    char *exact = malloc(size ? size : 1); /* so that a read beyond it is found */
    rf_assert(exact != NULL);
    if (size > 0) {
        memcpy(exact, data, size);
    }
    rf_buf_add_byte(&out, '!');
    const char *why = rf_jsonb_print(&out, (struct rf_str){exact, size});
    rf_assert(out.data[0] == '!');
    if (why != NULL) {
        rf_assert(why[0] != '\0' && out.size == 1);
    } else {
        struct rf_str text = {out.data + 1, out.size - 1};
        rf_assert(test_json_is_valid(text));
        rf_assert(rf_charset_is_utf8(text.data, text.size));
        rf_assert(text.size <= size * GROWTH_MAX + BASE);
        struct rf_buf again = {0};
        rf_assert(rf_jsonb_print(&again, (struct rf_str){exact, size}) == NULL);
        rf_assert(rf_str_equal(rf_buf_str(&again), text));
        rf_buf_deinit(&again);
    }
    rf_buf_deinit(&out);
    free(exact);
    return 0;
}
