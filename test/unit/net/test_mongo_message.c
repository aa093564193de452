#include "net/mongo_message.h"

#include <bson/bson.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { OP_REPLY = 1, OP_MSG = 2013 };

static void add_number(struct rf_buf *out, int32_t number)
{
    for (int shift = 0; shift < 32; shift += 8) {
        rf_buf_add_byte(out, (char)((uint32_t)number >> shift));
    }
}

/* An OP_MSG of that document. */
static void make(struct rf_buf *out, const bson_t *document, int32_t flags)
{
    rf_buf_reset(out);
    add_number(out, (int32_t)(21 + document->len));
    add_number(out, 7);
    add_number(out, 3);
    add_number(out, OP_MSG);
    add_number(out, flags);
    rf_buf_add_byte(out, '\0');
    rf_buf_add(out, bson_get_data(document), document->len);
}

/* Exactly as many bytes as there are, so that reading beyond them is found. */
static bool is_sound(const struct rf_buf *message)
{
    char *exact = malloc(message->size);
    memcpy(exact, message->data, message->size);
    bool sound = rf_mongo_message_is_sound((struct rf_str){exact, message->size});
    free(exact);
    return sound;
}

/* One element of every type that there is. */
static void append_all_types(bson_t *document)
{
    bson_oid_t id = {{0}};
    bson_decimal128_t decimal = {0, 0};
    bson_t inner = BSON_INITIALIZER;
    BSON_APPEND_DOUBLE(document, "a", 1.5);
    BSON_APPEND_UTF8(document, "b", "text");
    BSON_APPEND_DOCUMENT(document, "c", &inner);
    BSON_APPEND_INT32(&inner, "0", 1);
    BSON_APPEND_ARRAY(document, "d", &inner);
    BSON_APPEND_BINARY(document, "e", BSON_SUBTYPE_BINARY, (const uint8_t *)"\0\1", 2);
    BSON_APPEND_BINARY(document, "f", BSON_SUBTYPE_BINARY_DEPRECATED, (const uint8_t *)"\0\1", 2);
    BSON_APPEND_UNDEFINED(document, "g");
    BSON_APPEND_OID(document, "h", &id);
    BSON_APPEND_BOOL(document, "i", true);
    BSON_APPEND_DATE_TIME(document, "j", 5);
    BSON_APPEND_NULL(document, "k");
    BSON_APPEND_REGEX(document, "l", "a.*", "i");
    bson_append_dbpointer(document, "m", 1, "d.t", &id);
    BSON_APPEND_CODE(document, "n", "f()");
    BSON_APPEND_SYMBOL(document, "o", "s");
    BSON_APPEND_CODE_WITH_SCOPE(document, "p", "f()", &inner);
    BSON_APPEND_INT32(document, "q", -1);
    BSON_APPEND_TIMESTAMP(document, "r", 1, 2);
    BSON_APPEND_INT64(document, "s", -1);
    BSON_APPEND_DECIMAL128(document, "t", &decimal);
    BSON_APPEND_MINKEY(document, "u");
    BSON_APPEND_MAXKEY(document, "v");
    bson_destroy(&inner);
}

static void test_an_answer_of_all_types_is_sound(void **state)
{
    struct rf_buf message = {0};
    bson_t document = BSON_INITIALIZER;
    (void)state;
    append_all_types(&document);
    make(&message, &document, 0);
    assert_int_equal(rf_mongo_message_size(rf_buf_str(&message)), message.size);
    assert_true(is_sound(&message));
    make(&message, &document, 1);
    assert_false(is_sound(&message)); /* the checksum is missing */
    add_number(&message, 0);
    assert_true(is_sound(&message));
    bson_destroy(&document);
    rf_buf_deinit(&message);
}

/* Whatever one byte becomes, and wherever the message ends: nothing is read that is not there, and
 * what is called sound libbson can read to its end. */
static void test_no_byte_makes_it_read_beyond_the_end(void **state)
{
    static const unsigned char bytes[] = {0x00, 0x01, 0x05, 0x7f, 0x80, 0xff};
    struct rf_buf message = {0}, spoiled = {0};
    bson_t document = BSON_INITIALIZER;
    uint32_t refused = 0;
    (void)state;
    append_all_types(&document);
    make(&message, &document, 0);
    for (size_t at = 16; at < message.size; at++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            rf_buf_set(&spoiled, rf_buf_str(&message));
            spoiled.data[at] = (char)bytes[i];
            refused += !is_sound(&spoiled);
        }
        rf_buf_set(&spoiled, (struct rf_str){message.data, at});
        assert_false(is_sound(&spoiled));
    }
    assert_true(refused > 100);
    bson_destroy(&document);
    rf_buf_deinit(&message);
    rf_buf_deinit(&spoiled);
}

/* Documents in documents: `depth` of them around nothing. */
static void nest(struct rf_buf *out, uint32_t depth)
{
    rf_buf_reset(out);
    add_number(out, (int32_t)(21 + 5 + 8 * depth));
    add_number(out, 7);
    add_number(out, 3);
    add_number(out, OP_MSG);
    add_number(out, 0);
    rf_buf_add_byte(out, '\0');
    for (uint32_t i = depth; i > 0; i--) {
        add_number(out, (int32_t)(5 + 8 * i));
        rf_buf_add(out, "\3a", 3);
    }
    add_number(out, 5);
    for (uint32_t i = 0; i <= depth; i++) {
        rf_buf_add_byte(out, '\0');
    }
}

static void test_a_document_of_any_depth_does_no_harm(void **state)
{
    struct rf_buf message = {0};
    (void)state;
    nest(&message, 180);
    assert_int_equal(rf_mongo_message_size(rf_buf_str(&message)), message.size);
    assert_true(is_sound(&message));
    nest(&message, 5000000);
    assert_int_equal(rf_mongo_message_size(rf_buf_str(&message)), message.size);
    assert_false(is_sound(&message));
    rf_buf_deinit(&message);
}

static void test_lengths_that_cannot_be_are_no_message(void **state)
{
    static const int32_t lengths[] = {-1, 0, 15, RF_MONGO_MESSAGE_MAX + 1, INT32_MAX, INT32_MIN};
    struct rf_buf message = {0};
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        rf_buf_reset(&message);
        add_number(&message, lengths[i]);
        assert_int_equal(rf_mongo_message_size(rf_buf_str(&message)), -1);
    }
    rf_buf_reset(&message);
    add_number(&message, 40);
    assert_int_equal(rf_mongo_message_size(rf_buf_str(&message)), 0); /* more may follow */
    add_number(&message, 1);
    add_number(&message, 1);
    add_number(&message, 2012); /* compressed, which nobody asked for */
    assert_int_equal(rf_mongo_message_size(rf_buf_str(&message)), -1);
    rf_buf_deinit(&message);
}

static void test_an_old_answer_has_as_many_documents_as_it_says(void **state)
{
    (void)state;
    for (int32_t count = -1; count <= 3; count++) {
        struct rf_buf message = {0};
        bson_t document = BSON_INITIALIZER;
        BSON_APPEND_INT32(&document, "ok", 1);
        add_number(&message, (int32_t)(36 + 2 * document.len));
        add_number(&message, 7);
        add_number(&message, 3);
        add_number(&message, OP_REPLY);
        for (int i = 0; i < 4; i++) {
            add_number(&message, 0);
        }
        add_number(&message, count);
        rf_buf_add(&message, bson_get_data(&document), document.len);
        rf_buf_add(&message, bson_get_data(&document), document.len);
        assert_int_equal(is_sound(&message), count == 2);
        bson_destroy(&document);
        rf_buf_deinit(&message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_of_all_types_is_sound),
        cmocka_unit_test(test_no_byte_makes_it_read_beyond_the_end),
        cmocka_unit_test(test_a_document_of_any_depth_does_no_harm),
        cmocka_unit_test(test_lengths_that_cannot_be_are_no_message),
        cmocka_unit_test(test_an_old_answer_has_as_many_documents_as_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
