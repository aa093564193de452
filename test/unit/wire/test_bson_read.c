/* Looking into documents: every document of libbson is sound and read as libbson reads it, and no
 * document with a wrong byte is taken beyond its end. */
#include "wire/bson_read.h"

#include <bson/bson.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))

/* One field of each type. */
static const char all_types[] =
    "{\"d\": {\"$numberDouble\": \"1.5\"}, \"s\": \"text\", \"o\": {\"a\": {\"$numberInt\": "
    "\"1\"}}, "
    "\"l\": [{\"$numberInt\": \"1\"}, \"b\"], \"b\": {\"$binary\": {\"base64\": \"AQID\", "
    "\"subType\": \"00\"}}, \"old\": {\"$binary\": {\"base64\": \"AQID\", \"subType\": \"02\"}}, "
    "\"u\": {\"$undefined\": true}, \"i\": {\"$oid\": \"5f0e0d0c0b0a090807060504\"}, \"t\": true, "
    "\"w\": {\"$date\": {\"$numberLong\": \"-5\"}}, \"n\": null, \"r\": {\"$regularExpression\": "
    "{\"pattern\": \"^a\", \"options\": \"i\"}}, \"p\": {\"$dbPointer\": {\"$ref\": \"a.b\", "
    "\"$id\": {\"$oid\": \"5f0e0d0c0b0a090807060504\"}}}, \"c\": {\"$code\": \"x\"}, \"y\": "
    "{\"$symbol\": \"sym\"}, \"cs\": {\"$code\": \"x\", \"$scope\": {\"a\": {\"$numberInt\": "
    "\"1\"}}}, \"i32\": {\"$numberInt\": \"-7\"}, \"ts\": {\"$timestamp\": {\"t\": 5, \"i\": 6}}, "
    "\"i64\": {\"$numberLong\": \"9007199254740993\"}, \"dec\": {\"$numberDecimal\": \"1.50\"}, "
    "\"min\": {\"$minKey\": 1}, \"max\": {\"$maxKey\": 1}}";

/* In memory of its exact size, so that reading beyond it is found. */
static char *make(const char *json, size_t *size)
{
    bson_error_t error;
    bson_t *document = bson_new_from_json((const uint8_t *)json, -1, &error);
    if (document == NULL) {
        fail_msg("%s: %s", json, error.message);
    }
    *size = document->len;
    char *bytes = malloc(*size);
    assert_non_null(bytes);
    memcpy(bytes, bson_get_data(document), *size);
    bson_destroy(document);
    return bytes;
}

static void test_every_type_is_walked_over_as_libbson_does(void **state)
{
    size_t size;
    char *bytes = make(all_types, &size);
    struct rf_str document = {bytes, size};
    struct rf_bson_element element;
    bson_t other;
    bson_iter_t iter;
    uint32_t count = 0;
    (void)state;
    assert_true(rf_bson_is_sound(document));
    assert_true(bson_init_static(&other, (const uint8_t *)bytes, size));
    assert_true(bson_iter_init(&iter, &other));
    struct rf_bson_walk walk = rf_bson_walk(document);
    while (rf_bson_next(&walk, &element)) {
        assert_true(bson_iter_next(&iter));
        assert_true(rf_str_equal(element.name, rf_str_of(bson_iter_key(&iter))));
        assert_int_equal(element.type, (uint8_t)bson_iter_type(&iter));
        count++;
    }
    assert_false(bson_iter_next(&iter));
    assert_int_equal(count, 22);
    free(bytes);
}

static struct rf_bson_element field(struct rf_str document, const char *name)
{
    struct rf_bson_element element;
    assert_true(rf_bson_find(document, rf_str_of(name), &element));
    return element;
}

static void test_values_are_what_was_written(void **state)
{
    size_t size;
    char *bytes = make(all_types, &size);
    struct rf_str document = {bytes, size};
    struct rf_bson_element element;
    (void)state;
    element = field(document, "d");
    assert_true(rf_bson_double(&element) == 1.5);
    element = field(document, "s");
    assert_true(rf_str_equal(rf_bson_text(&element), RF_STR("text")));
    element = field(document, "y");
    assert_true(rf_str_equal(rf_bson_text(&element), RF_STR("sym")));
    element = field(document, "t");
    assert_true(rf_bson_bool(&element));
    element = field(document, "w");
    assert_int_equal(rf_bson_int64(&element), -5);
    element = field(document, "i32");
    assert_int_equal(rf_bson_int32(&element), -7);
    element = field(document, "i64");
    assert_int_equal(rf_bson_int64(&element), INT64_C(9007199254740993));
    element = field(document, "ts");
    assert_int_equal(rf_bson_seconds(&element), 5);
    assert_int_equal(rf_bson_increment(&element), 6);
    element = field(document, "o");
    element = field(rf_bson_document(&element), "a");
    assert_int_equal(rf_bson_int32(&element), 1);
    element = field(document, "l");
    element = field(rf_bson_document(&element), "1");
    assert_true(rf_str_equal(rf_bson_text(&element), RF_STR("b")));
    assert_false(rf_bson_find(document, RF_STR("nothing"), &element));
    assert_int_equal(element.type, 0);
    free(bytes);
}

static void test_what_follows_a_document_is_not_its(void **state)
{
    static const char two[] = "\x05\x00\x00\x00\x00\x05\x00\x00\x00\x00";
    size_t size = 0;
    (void)state;
    struct rf_str bytes = {two, sizeof two - 1};
    assert_true(rf_bson_take(bytes, &size));
    assert_int_equal(size, 5);
    assert_false(rf_bson_is_sound(bytes));
}

static void read_all(struct rf_str document)
{
    struct rf_bson_element element;
    struct rf_bson_walk walk = rf_bson_walk(document);
    while (rf_bson_next(&walk, &element)) {
        assert_true(element.value.data + element.value.size <= document.data + document.size);
        if (element.type == RF_BSON_DOCUMENT || element.type == RF_BSON_ARRAY) {
            read_all(rf_bson_document(&element));
        }
    }
}

/* Each byte in turn has each of some values; a document that is still sound can be read. */
static void test_no_spoiled_byte_leads_beyond_the_end(void **state)
{
    static const unsigned char values[] = {0x00, 0x01, 0x02, 0x05, 0x0b, 0x0f, 0x7f, 0x80, 0xff};
    size_t size;
    char *bytes = make(all_types, &size);
    uint32_t refused = 0;
    (void)state;
    for (size_t at = 0; at < size; at++) {
        char kept = bytes[at];
        for (size_t i = 0; i < count_of(values); i++) {
            struct rf_str document = {bytes, size};
            bytes[at] = (char)values[i];
            if (rf_bson_is_sound(document)) {
                read_all(document);
            } else {
                refused++;
            }
        }
        bytes[at] = kept;
    }
    assert_true(refused > size); /* and not by chance alone */
    free(bytes);
}

static void test_no_part_of_a_document_is_one(void **state)
{
    size_t size;
    char *bytes = make(all_types, &size);
    (void)state;
    for (size_t part = 0; part < size; part++) {
        char *exact = malloc(part + 1);
        assert_non_null(exact);
        memcpy(exact + 1, bytes, part);
        assert_false(rf_bson_is_sound((struct rf_str){exact + 1, part}));
        free(exact);
    }
    free(bytes);
}

/* {"": {"": ... }}, so many documents in each other. */
static struct rf_str nest(struct rf_buf *out, int levels)
{
    rf_buf_reset(out);
    for (int i = levels; i > 0; i--) {
        uint32_t size = i == 1 ? 5 : (uint32_t)(5 + (i - 1) * 7);
        for (int shift = 0; shift < 32; shift += 8) {
            rf_buf_add_byte(out, (char)(size >> shift));
        }
        if (i > 1) {
            rf_buf_add(out, "\x03", 2);
        }
    }
    for (int i = 0; i < levels; i++) {
        rf_buf_add_byte(out, '\0');
    }
    return rf_buf_str(out);
}

static void test_nesting_has_a_limit(void **state)
{
    struct rf_buf out = {0};
    (void)state;
    assert_true(rf_bson_is_sound(nest(&out, 1)));
    assert_true(rf_bson_is_sound(nest(&out, 100)));
    assert_true(rf_bson_is_sound(nest(&out, RF_BSON_DEPTH_MAX + 1)));
    assert_false(rf_bson_is_sound(nest(&out, RF_BSON_DEPTH_MAX + 2)));
    assert_false(rf_bson_is_sound(nest(&out, 100000)));
    rf_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_is_walked_over_as_libbson_does),
        cmocka_unit_test(test_values_are_what_was_written),
        cmocka_unit_test(test_what_follows_a_document_is_not_its),
        cmocka_unit_test(test_no_spoiled_byte_leads_beyond_the_end),
        cmocka_unit_test(test_no_part_of_a_document_is_one),
        cmocka_unit_test(test_nesting_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
