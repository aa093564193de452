/* A document of MySQL's binary JSON and changes of it. What comes out must be valid JSON in UTF-8,
 * bounded in size, and nothing must be left behind when it cannot be done.
 *
 *   byte 0-1  size of the document, little-endian
 *   the document, then the changes */
#include "wire/jsonb_change.h"

#include "lib/json.h"
#include "wire/charset.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { HEAD = 2, GROWTH_MAX = 16, BASE = 1024 };
    struct rf_arena scratch = {0};
    struct rf_buf out = {0};
    if (size < HEAD) {
        return 0;
    }
    size_t left = size - HEAD, first = (size_t)data[0] | (size_t)data[1] << 8;
    first = first < left ? first : left;
    /* Copies of their exact size, so that a read beyond one of them is found. */
    char *document = malloc(first ? first : 1);
    char *changes = malloc(left > first ? left - first : 1);
    rf_assert(document != NULL && changes != NULL);
    memcpy(document, data + HEAD, first);
    memcpy(changes, data + HEAD + first, left - first);
    rf_buf_add_byte(&out, '!');
    const char *why = rf_jsonb_print_changed(&out, (struct rf_str){document, first},
                                             (struct rf_str){changes, left - first}, &scratch);
    rf_assert(out.data[0] == '!' && (why == NULL || out.size == 1));
    if (why == NULL) {
        struct rf_str text = {out.data + 1, out.size - 1};
        rf_assert(test_json_is_valid(text));
        rf_assert(rf_charset_is_utf8(text.data, text.size));
        rf_assert(text.size <= size * GROWTH_MAX + BASE);
    }
    rf_buf_deinit(&out);
    rf_arena_deinit(&scratch);
    free(document);
    free(changes);
    return 0;
}
