#include "wire/payload.h"

#include "lib/binlog.h"
#include "wire/binlog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zstd.h>

/* An event of that size, its bytes from `fill` on. */
static void put_event(struct rf_buf *out, size_t size, uint8_t fill)
{
    test_put(out, 1700000000, 4);
    test_put(out, RF_BINLOG_QUERY, 1);
    test_put(out, 1, 4);
    test_put(out, size, 4);
    test_put(out, 0, 6);
    for (size_t i = RF_BINLOG_HEADER_SIZE; i < size; i++) {
        test_put(out, fill, 1);
    }
}

static void compress(struct rf_buf *out, struct rf_str bytes)
{
    size_t most = ZSTD_compressBound(bytes.size);
    size_t size = ZSTD_compress(rf_buf_reserve(out, most), most, bytes.data, bytes.size, 3);
    assert_false(ZSTD_isError(size));
    out->size += size;
}

static void put_field(struct rf_buf *out, uint8_t type, uint64_t value)
{
    struct rf_buf packed = {0};
    test_put_packed(&packed, value);
    test_put(out, type, 1);
    test_put_packed(out, packed.size);
    rf_buf_add_str(out, rf_buf_str(&packed));
    rf_buf_deinit(&packed);
}

/* The body of a payload event; says that it has `said` bytes. */
static void put_body(struct rf_buf *out, struct rf_str packed, uint8_t compression, uint64_t said)
{
    put_field(out, 2, compression);
    put_field(out, 3, said);
    put_field(out, 1, packed.size);
    test_put(out, 0, 1);
    rf_buf_add_str(out, packed);
}

/* Reads all events; counts them and their bytes. */
static enum rf_status drain(struct rf_payload *payload, struct rf_str body, size_t *count,
                            size_t *bytes, struct rf_error *err)
{
    struct rf_str event = RF_STR_NONE;
    *count = *bytes = 0;
    enum rf_status status = rf_payload_open(payload, body, err);
    while (status == RF_OK) {
        status = rf_payload_next(payload, &event, err);
        if (status != RF_OK || event.data == NULL) {
            break;
        }
        assert_int_equal(rf_binlog_header_event_size(event.data), event.size);
        (*count)++;
        *bytes += event.size;
    }
    rf_payload_close(payload);
    return status;
}

static void test_events_come_out_one_by_one_as_they_went_in(void **state)
{
    (void)state;
    static const size_t sizes[] = {19, 20, 500, 300000, 19, 1000000, 77};
    for (int compressed = 0; compressed < 2; compressed++) {
        struct rf_buf plain = {0}, packed = {0}, body = {0};
        struct rf_payload payload = {0};
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            put_event(&plain, sizes[i], (uint8_t)i);
        }
        compress(&packed, rf_buf_str(&plain));
        put_body(&body, compressed ? rf_buf_str(&packed) : rf_buf_str(&plain), compressed ? 0 : 255,
                 plain.size);
        for (int round = 0; round < 2; round++) { /* an instance is used again and again */
            size_t at = 0;
            struct rf_str event;
            assert_int_equal(rf_payload_open(&payload, rf_buf_str(&body), NULL), RF_OK);
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                assert_int_equal(rf_payload_next(&payload, &event, NULL), RF_OK);
                assert_int_equal(event.size, sizes[i]);
                assert_memory_equal(event.data, plain.data + at, event.size);
                at += event.size;
            }
            assert_int_equal(rf_payload_next(&payload, &event, NULL), RF_OK);
            assert_null(event.data);
            rf_payload_close(&payload);
        }
        rf_payload_deinit(&payload);
        rf_buf_deinit(&plain);
        rf_buf_deinit(&packed);
        rf_buf_deinit(&body);
    }
}

/* Memory is that of the largest event, however much comes out: 64 MiB of small ones here. */
static void test_a_large_transaction_needs_little_memory(void **state)
{
    (void)state;
    enum { EVENT = 8192, COUNT = 8192 };
    struct rf_buf plain = {0}, packed = {0}, body = {0};
    struct rf_payload payload = {0};
    size_t count, bytes;
    for (int i = 0; i < COUNT; i++) {
        put_event(&plain, EVENT, (uint8_t)i);
    }
    compress(&packed, rf_buf_str(&plain));
    put_body(&body, rf_buf_str(&packed), 0, plain.size);
    assert_int_equal(drain(&payload, rf_buf_str(&body), &count, &bytes, NULL), RF_OK);
    assert_int_equal(count, COUNT);
    assert_int_equal(bytes, plain.size);
    assert_true(payload.out.capacity <= 512 * 1024);
    rf_payload_deinit(&payload);
    rf_buf_deinit(&plain);
    rf_buf_deinit(&packed);
    rf_buf_deinit(&body);
}

static void refused(struct rf_str body, const char *words)
{
    struct rf_payload payload = {0};
    struct rf_error err = {0};
    size_t count, bytes;
    assert_int_equal(drain(&payload, body, &count, &bytes, &err), RF_FATAL);
    if (strstr(err.message, words) == NULL) {
        fail_msg("\"%s\" is not in: %s", words, err.message);
    }
    rf_payload_deinit(&payload);
}

/* Small when compressed, and nothing that is there says how large it becomes. */
static void test_a_bomb_is_refused_where_it_says_less_than_it_has(void **state)
{
    (void)state;
    enum { EVENT = 64 * 1024 * 1024 };
    struct rf_buf plain = {0}, packed = {0}, body = {0};
    struct rf_payload payload = {0};
    size_t count, bytes;
    put_event(&plain, EVENT, 0);
    compress(&packed, rf_buf_str(&plain));
    put_body(&body, rf_buf_str(&packed), 0, 1000);
    refused(rf_buf_str(&body), "has more than the 1000 bytes that it says");
    assert_int_equal(drain(&payload, rf_buf_str(&body), &count, &bytes, NULL), RF_FATAL);
    assert_true(payload.made < EVENT / 16); /* long before it is all there */
    rf_payload_deinit(&payload);
    rf_buf_deinit(&plain);
    rf_buf_deinit(&packed);
    rf_buf_deinit(&body);
}

static void test_a_bomb_is_refused_where_it_says_too_much(void **state)
{
    (void)state;
    struct rf_buf plain = {0}, packed = {0}, body = {0};
    put_event(&plain, 100, 0);
    compress(&packed, rf_buf_str(&plain));
    put_body(&body, rf_buf_str(&packed), 0, RF_PAYLOAD_MAX + 1);
    refused(rf_buf_str(&body), "at most 17179869184 are decompressed");
    /* One event that says it is larger than any server sends. */
    rf_buf_reset(&plain);
    rf_buf_reset(&packed);
    rf_buf_reset(&body);
    put_event(&plain, 100, 0);
    plain.data[12] = 0x7f;
    compress(&packed, rf_buf_str(&plain));
    put_body(&body, rf_buf_str(&packed), 0, plain.size);
    refused(rf_buf_str(&body), "has an event of 2130706532 bytes");
    rf_buf_deinit(&plain);
    rf_buf_deinit(&packed);
    rf_buf_deinit(&body);
}

/* A frame may ask its reader for a window of 2 GiB and more. */
static void test_a_frame_that_wants_too_much_memory_is_refused(void **state)
{
    (void)state;
    struct rf_buf packed = {0}, body = {0};
    test_put_hex(&packed, "28 b5 2f fd 00 b8 01 00 00"); /* window 2^33, an empty last block */
    put_body(&body, rf_buf_str(&packed), 0, 0);
    refused(rf_buf_str(&body), "memory");
    rf_buf_deinit(&packed);
    rf_buf_deinit(&body);
}

static void test_damage_is_named(void **state)
{
    (void)state;
    struct rf_buf plain = {0}, packed = {0}, body = {0};
    put_event(&plain, 500, 3);
    put_event(&plain, 600, 4);
    compress(&packed, rf_buf_str(&plain));

    put_body(&body, rf_buf_str(&packed), 0, plain.size + 1);
    refused(rf_buf_str(&body), "has 1100 bytes, not the 1101");
    rf_buf_reset(&body);
    put_body(&body, (struct rf_str){packed.data, packed.size - 5}, 0, plain.size);
    refused(rf_buf_str(&body), "ends too early");
    rf_buf_reset(&body);
    put_body(&body, rf_buf_str(&packed), 7, plain.size);
    refused(rf_buf_str(&body), "compression 7");
    rf_buf_reset(&body);
    put_body(&body, (struct rf_str){plain.data, plain.size - 1}, 255, plain.size - 1);
    refused(rf_buf_str(&body), "inside an event: 599 bytes of 600");
    rf_buf_reset(&body);
    put_body(&body, RF_STR("no zstd at all"), 0, plain.size);
    refused(rf_buf_str(&body), "cannot be decompressed");
    rf_buf_reset(&body);
    put_field(&body, 2, 0);
    test_put(&body, 0, 1);
    refused(rf_buf_str(&body), "size without compression");

    rf_buf_deinit(&plain);
    rf_buf_deinit(&packed);
    rf_buf_deinit(&body);
}

static void test_heads_cut_anywhere_are_damage(void **state)
{
    (void)state;
    struct rf_buf plain = {0}, packed = {0}, body = {0};
    put_event(&plain, 500, 3);
    compress(&packed, rf_buf_str(&plain));
    put_body(&body, rf_buf_str(&packed), 0, plain.size);
    for (size_t size = 0; size < body.size; size++) {
        struct rf_payload payload = {0};
        size_t count, bytes;
        char *cut = malloc(size > 0 ? size : 1);
        assert_non_null(cut);
        memcpy(cut, body.data, size);
        assert_int_equal(drain(&payload, (struct rf_str){cut, size}, &count, &bytes, NULL),
                         RF_FATAL);
        free(cut);
        rf_payload_deinit(&payload);
    }
    rf_buf_deinit(&plain);
    rf_buf_deinit(&packed);
    rf_buf_deinit(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_come_out_one_by_one_as_they_went_in),
        cmocka_unit_test(test_a_large_transaction_needs_little_memory),
        cmocka_unit_test(test_a_bomb_is_refused_where_it_says_less_than_it_has),
        cmocka_unit_test(test_a_bomb_is_refused_where_it_says_too_much),
        cmocka_unit_test(test_a_frame_that_wants_too_much_memory_is_refused),
        cmocka_unit_test(test_damage_is_named),
        cmocka_unit_test(test_heads_cut_anywhere_are_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
