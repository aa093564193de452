#include "wire/inflate.h"

#include "lib/binlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* zlib's format, or with wrap false without head and sum. */
static void put_zlib(struct rf_buf *out, struct rf_str plain, bool wrap)
{
    z_stream stream = {0};
    size_t most = compressBound(plain.size) + 16;
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, wrap ? 15 : -15, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)plain.data;
    stream.avail_in = (uInt)plain.size;
    stream.next_out = (Bytef *)rf_buf_reserve(out, most);
    stream.avail_out = (uInt)most;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out->size += stream.total_out;
    deflateEnd(&stream);
}

/* First byte, the size that it says, highest byte first, and the packed bytes. */
static void put_packed(struct rf_buf *out, uint8_t first, uint64_t said, struct rf_str plain)
{
    test_put(out, first, 1);
    for (int i = (first & 7) - 1; i >= 0; i--) {
        test_put(out, said >> 8 * i & 0xff, 1);
    }
    put_zlib(out, plain, (first & 8) == 0);
}

/* ---- Values -------------------------------------------------------------------------------- */

static void test_a_value_comes_out_as_it_went_in(void **context)
{
    static const struct {
        uint8_t first;
        size_t size;
    } cases[] = {{0x81, 0},       {0x81, 1},       {0x81, 255},    {0x82, 256},
                 {0x83, 70000},   {0x84, 70000},   {0x89, 1},      {0x8a, 300},
                 {0x83, 1 << 20}, {0x83, 5000001}, {0x8b, 5000001}};
    struct rf_inflater inflater = {0};
    struct rf_arena arena = {0};
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_buf plain = {0}, packed = {0};
        struct rf_str value;
        for (size_t k = 0; k < cases[i].size; k++) {
            rf_buf_add_byte(&plain, (char)(k * 7 % 11));
        }
        put_packed(&packed, cases[i].first, cases[i].size, rf_buf_str(&plain));
        assert_null(
            rf_inflate_value(&inflater, rf_buf_str(&packed), cases[i].size, &arena, &value));
        assert_true(rf_str_equal(value, rf_buf_str(&plain)));
        rf_buf_deinit(&plain);
        rf_buf_deinit(&packed);
    }
    rf_arena_deinit(&arena);
    rf_inflater_deinit(&inflater);
}

static void test_a_value_that_was_not_compressed_is_what_lies_behind_its_first_byte(void **context)
{
    struct rf_inflater inflater = {0};
    struct rf_str value;
    (void)context;
    assert_null(rf_inflate_value(&inflater, RF_STR("\0abc"), 3, NULL, &value));
    assert_true(rf_str_equal(value, RF_STR("abc")));
    assert_null(rf_inflate_value(&inflater, RF_STR("\0"), 0, NULL, &value));
    assert_int_equal(value.size, 0);
    assert_null(rf_inflate_value(&inflater, RF_STR(""), 0, NULL, &value));
    assert_int_equal(value.size, 0);
    assert_non_null(strstr(rf_inflate_value(&inflater, RF_STR("\0abcd"), 3, NULL, &value),
                           "larger than its column"));
    rf_inflater_deinit(&inflater);
}

static void test_a_value_that_is_none_says_why(void **context)
{
    static const struct {
        uint8_t first;
        uint64_t said, max;
        int cut; /* bytes taken away at the end, or added */
        const char *why;
    } cases[] = {
        {0x82, 499, 1000, 0, "not as large as it says"},
        {0x82, 501, 1000, 0, "not as large as it says"},
        {0x82, 500, 499, 0, "larger than it may be"},
        {0x82, 500, 1000, 1, "not as large as it says"},
        {0x82, 500, 1000, -1, "not as large as it says"},
        {0x8a, 500, 1000, 2, "not as large as it says"},
        {0x84, 1 << 30, UINT32_MAX, 0, "larger than so few bytes can be"},
        {0x80, 500, 1000, 0, "does not say how large"},
        {0x85, 500, 1000, 0, "does not say how large"},
        {0x92, 500, 1000, 0, "compression is not known"},
        {0x12, 500, 1000, 0, "compression is not known"},
    };
    struct rf_inflater inflater = {0};
    struct rf_arena arena = {0};
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_buf plain = {0}, packed = {0};
        struct rf_str value;
        for (size_t k = 0; k < 500; k++) {
            rf_buf_add_byte(&plain, (char)(k % 13));
        }
        put_packed(&packed, cases[i].first, cases[i].said, rf_buf_str(&plain));
        for (int k = cases[i].cut; k < 0; k++) {
            test_put(&packed, 0, 1);
        }
        packed.size -= cases[i].cut > 0 ? (size_t)cases[i].cut : 0;
        const char *why =
            rf_inflate_value(&inflater, rf_buf_str(&packed), cases[i].max, &arena, &value);
        if (why == NULL || strstr(why, cases[i].why) == NULL) {
            fail_msg("%zu: not %s: %s", i, cases[i].why, why != NULL ? why : "nothing");
        }
        rf_buf_deinit(&plain);
        rf_buf_deinit(&packed);
    }
    /* Too short for the size, and damaged inside. */
    struct rf_str value;
    assert_non_null(rf_inflate_value(&inflater, RF_STR("\x84\0\0"), 9, &arena, &value));
    assert_non_null(strstr(rf_inflate_value(&inflater, RF_STR("\x81\x03xyz"), 9, &arena, &value),
                           "cannot be decompressed"));
    rf_arena_deinit(&arena);
    rf_inflater_deinit(&inflater);
}

/* Bytes of zlib's format that say nothing of how many come out, and end behind `made` bytes. */
static void put_long(struct rf_buf *out, uint8_t first, uint64_t said, size_t made, size_t more)
{
    struct rf_buf plain = {0};
    memset(rf_buf_reserve(&plain, made), 'x', made);
    plain.size = made;
    put_packed(out, first, said, rf_buf_str(&plain));
    memset(rf_buf_reserve(out, more), 'y', more);
    out->size += more;
    rf_buf_deinit(&plain);
}

/* Damage: there are bytes enough for what it says, and little comes of them. */
static void test_memory_is_taken_as_bytes_come_not_as_they_are_said_to(void **context)
{
    enum { SAID = 1 << 30, MADE = 3 << 20, MORE = 2 << 20, TAKEN_MAX = 16 << 20 };
    struct rf_inflater inflater = {0};
    struct rf_arena arena = {0};
    struct rf_buf packed = {0};
    struct rf_str value;
    (void)context;
    put_long(&packed, 0x84, SAID, MADE, MORE);
    const char *why = rf_inflate_value(&inflater, rf_buf_str(&packed), UINT32_MAX, &arena, &value);
    assert_non_null(why);
    assert_non_null(strstr(why, "not as large as it says"));
    assert_true(arena.bytes + inflater.event.capacity < TAKEN_MAX);
    rf_buf_deinit(&packed);
    rf_arena_deinit(&arena);
    rf_inflater_deinit(&inflater);
}

/* The column would take 4 GiB. */
static void test_the_values_of_an_event_are_no_larger_than_an_event(void **context)
{
    enum { SIZE = 1000, ENOUGH = 5 << 20 };
    struct rf_inflater inflater = {0};
    struct rf_arena arena = {0};
    struct rf_buf one = {0}, large = {0};
    struct rf_str value;
    (void)context;
    put_long(&large, 0x84, RF_INFLATE_EVENT_MAX + UINT64_C(1), 1, ENOUGH);
    assert_non_null(strstr(
        rf_inflate_value(&inflater, rf_buf_str(&large), UINT32_MAX, &arena, &value), "1 GiB"));
    put_long(&one, 0x82, SIZE, SIZE, 0);
    inflater.values = RF_INFLATE_EVENT_MAX - SIZE - 1; /* those in front of it */
    assert_null(rf_inflate_value(&inflater, rf_buf_str(&one), UINT32_MAX, &arena, &value));
    assert_non_null(
        strstr(rf_inflate_value(&inflater, rf_buf_str(&one), UINT32_MAX, &arena, &value), "1 GiB"));
    rf_buf_deinit(&one);
    rf_buf_deinit(&large);
    rf_arena_deinit(&arena);
    rf_inflater_deinit(&inflater);
}

/* ---- Events -------------------------------------------------------------------------------- */

/* A QUERY with this statement in whatever form, header included; what stands in front of it is
 * that of any. */
static void put_query(struct rf_buf *out, uint8_t type, struct rf_str statement)
{
    struct rf_buf body = {0};
    test_put(&body, 7, 4);
    test_put(&body, 0, 4);
    test_put(&body, 4, 1);
    test_put(&body, 0, 4);
    test_put_hex(&body, "73 68 6f 70 00");
    rf_buf_add_str(&body, statement);
    test_put(out, 1700000000, 4);
    test_put(out, type, 1);
    test_put(out, 1, 4);
    test_put(out, RF_BINLOG_HEADER_SIZE + body.size, 4);
    test_put(out, 4711, 4);
    test_put(out, 8, 2);
    rf_buf_add_str(out, rf_buf_str(&body));
    rf_buf_deinit(&body);
}

static enum rf_status inflate_it(struct rf_inflater *inflater, const struct rf_buf *event,
                                 struct rf_str *plain, struct rf_error *err)
{
    struct rf_binlog_header header;
    assert_int_equal(rf_binlog_header_parse(rf_buf_str(event), &header, err), RF_OK);
    struct rf_str body = {event->data + RF_BINLOG_HEADER_SIZE, event->size - RF_BINLOG_HEADER_SIZE};
    return rf_inflate_event(inflater, &header, body, plain, err);
}

static void test_an_event_becomes_the_one_without_compression(void **context)
{
    struct rf_inflater inflater = {0};
    struct rf_buf statement = {0}, packed = {0}, event = {0}, wanted = {0};
    struct rf_str plain;
    struct rf_error err = {0};
    (void)context;
    for (int i = 0; i < 40; i++) {
        rf_buf_add_str(&statement, RF_STR("INSERT INTO t "));
    }
    put_packed(&packed, 0x82, statement.size, rf_buf_str(&statement));
    put_query(&event, RF_BINLOG_QUERY_COMPRESSED, rf_buf_str(&packed));
    put_query(&wanted, RF_BINLOG_QUERY, rf_buf_str(&statement));
    assert_int_equal(inflate_it(&inflater, &event, &plain, &err), RF_OK);
    assert_true(rf_str_equal(plain, rf_buf_str(&wanted)));
    rf_inflater_trim(&inflater);
    rf_buf_deinit(&statement);
    rf_buf_deinit(&packed);
    rf_buf_deinit(&event);
    rf_buf_deinit(&wanted);
    rf_inflater_deinit(&inflater);
}

static void test_an_event_that_is_none_says_which_and_why(void **context)
{
    static const struct {
        const char *packed; /* in hexadecimal */
        const char *why;
    } cases[] = {
        {"", "nothing is in it"},
        {"02 78", "compression is not known"},
        {"92 78", "compression is not known"},
        {"80 78", "does not say how large"},
        {"84 00 00", "does not say how large"},
        {"84 7f ff ff ff 78 9c", "larger than it may be"},
        {"83 10 00 00 78 9c", "larger than so few bytes can be"},
        {"81 05 78 9c ff ff", "cannot be decompressed"},
    };
    struct rf_inflater inflater = {0};
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_buf packed = {0}, event = {0};
        struct rf_str plain;
        struct rf_error err = {0};
        test_put_hex(&packed, cases[i].packed);
        put_query(&event, RF_BINLOG_QUERY_COMPRESSED, rf_buf_str(&packed));
        assert_int_equal(inflate_it(&inflater, &event, &plain, &err), RF_FATAL);
        if (strstr(err.message, cases[i].why) == NULL ||
            strstr(err.message, "QUERY_COMPRESSED") == NULL) {
            fail_msg("%zu: not %s: %s", i, cases[i].why, err.message);
        }
        assert_true(inflater.event.capacity < 4096); /* nothing was taken for what it says */
        rf_buf_deinit(&packed);
        rf_buf_deinit(&event);
    }
    rf_inflater_deinit(&inflater);
}

static void test_memory_of_an_event_is_taken_as_its_bytes_come(void **context)
{
    enum { SAID = 1 << 29, MADE = 3 << 20, MORE = 1 << 20, TAKEN_MAX = 16 << 20 };
    struct rf_inflater inflater = {0};
    struct rf_buf packed = {0}, event = {0};
    struct rf_str plain;
    struct rf_error err = {0};
    (void)context;
    put_long(&packed, 0x84, SAID, MADE, MORE);
    put_query(&event, RF_BINLOG_QUERY_COMPRESSED, rf_buf_str(&packed));
    assert_int_equal(inflate_it(&inflater, &event, &plain, &err), RF_FATAL);
    assert_non_null(strstr(err.message, "not as large as it says"));
    assert_true(inflater.event.capacity < TAKEN_MAX);
    rf_buf_deinit(&packed);
    rf_buf_deinit(&event);
    rf_inflater_deinit(&inflater);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_value_comes_out_as_it_went_in),
        cmocka_unit_test(test_a_value_that_was_not_compressed_is_what_lies_behind_its_first_byte),
        cmocka_unit_test(test_a_value_that_is_none_says_why),
        cmocka_unit_test(test_memory_is_taken_as_bytes_come_not_as_they_are_said_to),
        cmocka_unit_test(test_the_values_of_an_event_are_no_larger_than_an_event),
        cmocka_unit_test(test_an_event_becomes_the_one_without_compression),
        cmocka_unit_test(test_an_event_that_is_none_says_which_and_why),
        cmocka_unit_test(test_memory_of_an_event_is_taken_as_its_bytes_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
