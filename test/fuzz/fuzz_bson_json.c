/* A document as Extended JSON. The text of whatever passes for a sound document must be valid JSON
 * in UTF-8, bounded in size, and the same when it is written again. Its fields as texts are UTF-8,
 * too. */
#include "wire/bson_json.h"

#include "lib/json.h"
#include "wire/bson_row.h"
#include "wire/charset.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct rf_str document, unsigned form)
{
    enum { GROWTH_MAX = 48 };
    struct rf_buf out = {0}, again = {0};
    rf_buf_add_byte(&out, '!');
    rf_bson_json_add(&out, document, form);
    rf_assert(out.data[0] == '!');
    struct rf_str text = {out.data + 1, out.size - 1};
    rf_assert(test_json_is_valid(text));
    rf_assert(rf_charset_is_utf8(text.data, text.size));
    rf_assert(text.size <= document.size * GROWTH_MAX);
    rf_bson_json_add(&again, document, form);
    rf_assert(rf_str_equal(rf_buf_str(&again), text));
    rf_buf_deinit(&out);
    rf_buf_deinit(&again);
}

static void check_texts(struct rf_str document)
{
    struct rf_bson_walk walk = rf_bson_walk(document);
    struct rf_bson_element field;
    struct rf_buf out = {0};
    while (rf_bson_next(&walk, &field)) {
        rf_buf_reset(&out);
        bool told = rf_bson_text_add(&out, &field);
        rf_assert(told == (field.type != RF_BSON_NULL) && (told || out.size == 0));
        rf_assert(rf_charset_is_utf8(out.data, out.size));
    }
    rf_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = malloc(size ? size : 1); /* so that a read beyond it is found */
    rf_assert(exact != NULL);
    if (size > 0) {
        memcpy(exact, data, size);
    }
    struct rf_str document = {exact, size};
    if (rf_bson_is_sound(document)) {
        check(document, RF_BSON_JSON_RELAXED);
        check(document, RF_BSON_JSON_CANONICAL);
        check(document, RF_BSON_JSON_STRICT | RF_BSON_JSON_COLONS | RF_BSON_JSON_COMMAS);
        check_texts(document);
    }
    free(exact);
    return 0;
}
