/* Frames of CQL against those of the Python driver (test/golden/cql), and the heads of answers. */
#include "wire/cql_result.h"
#include "wire/cql_segment.h"
#include "wire/murmur3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/golden_lines.h"

#define count_of(array) (sizeof(array) / sizeof *(array))

enum { STREAM = 258 };

static const struct rf_str id = {"0123456789abcdef", 16};

/* ------------------------------------------------------------------------------------- requests */

static void add_execute(struct rf_buf *out, unsigned version)
{
    struct rf_cql_parameters parameters = {.consistency = RF_CQL_LOCAL_QUORUM,
                                           .value_count = 3,
                                           .has_timestamp = true,
                                           .timestamp = 1700000000000000};
    rf_cql_add_string(out, id);
    if (version >= 5) {
        rf_cql_add_string(out, RF_STR("meta"));
    }
    rf_cql_add_parameters(out, version, &parameters);
    rf_cql_add_bytes(out, (struct rf_str){"\0\0\0\1", 4});
    rf_cql_add_null(out);
    rf_cql_add_unset(out);
    rf_cql_add_parameters_end(out, &parameters);
}

static void add_batch(struct rf_buf *out, unsigned version)
{
    struct rf_cql_parameters parameters = {
        .consistency = RF_CQL_QUORUM, .has_timestamp = true, .timestamp = 42};
    rf_cql_add_batch(out, RF_CQL_UNLOGGED, 2);
    rf_cql_add_batch_prepared(out, id, 1);
    rf_cql_add_bytes(out, RF_STR("x"));
    rf_cql_add_batch_text(out, RF_STR("DELETE FROM ks.t"), 0);
    rf_cql_add_batch_end(out, version, &parameters);
}

static void add_queries(struct rf_buf *out, unsigned version, struct rf_str name)
{
    struct rf_str values[] = {{"\0\0\0\7", 4}, RF_STR("seven")};
    struct rf_cql_parameters plain = {.consistency = RF_CQL_LOCAL_QUORUM};
    struct rf_cql_parameters full = {.consistency = RF_CQL_ONE,
                                     .serial_consistency = RF_CQL_LOCAL_SERIAL,
                                     .value_count = 2,
                                     .page_size = 500,
                                     .paging_state = RF_STR("\1\2\3")};
    if (rf_str_equal(name, RF_STR("query"))) {
        rf_cql_add_query(out, version, RF_STR("SELECT * FROM ks.t"), &plain, NULL);
    } else {
        rf_cql_add_query(out, version, RF_STR("SELECT a FROM ks.t WHERE a = ? AND b = ?"), &full,
                         values);
    }
}

static const struct {
    const char *name;
    enum rf_cql_opcode opcode;
} opcodes[] = {{"options", RF_CQL_OPTIONS},     {"startup", RF_CQL_STARTUP},
               {"startup_lz4", RF_CQL_STARTUP}, {"auth", RF_CQL_AUTH_RESPONSE},
               {"register", RF_CQL_REGISTER},   {"prepare", RF_CQL_PREPARE},
               {"execute", RF_CQL_EXECUTE},     {"batch", RF_CQL_BATCH},
               {"query", RF_CQL_QUERY},         {"query_values", RF_CQL_QUERY}};

static void add_request(struct rf_buf *out, unsigned version, struct rf_str name)
{
    size_t i = 0;
    while (!rf_str_equal(name, rf_str_of(opcodes[i].name))) {
        assert_true(++i < count_of(opcodes));
    }
    size_t begin = rf_cql_begin(out, version, STREAM, opcodes[i].opcode);
    switch (opcodes[i].opcode) {
    case RF_CQL_OPTIONS: break;
    case RF_CQL_STARTUP: rf_cql_add_startup(out, name.size > 7); break;
    case RF_CQL_AUTH_RESPONSE: rf_cql_add_auth_plain(out, RF_STR("user"), RF_STR("pass")); break;
    case RF_CQL_REGISTER: rf_cql_add_register(out); break;
    case RF_CQL_PREPARE:
        rf_cql_add_prepare(out, version, RF_STR("INSERT INTO ks.t (a, b, c) VALUES (?, ?, ?)"));
        break;
    case RF_CQL_EXECUTE: add_execute(out, version); break;
    case RF_CQL_BATCH: add_batch(out, version); break;
    default: add_queries(out, version, name); break;
    }
    rf_cql_end(out, begin);
}

static void check_request(struct rf_str line)
{
    struct rf_buf out = {0};
    struct rf_str rest = line, name = next_word(&rest), number = next_word(&rest);
    uint64_t version = 0;
    assert_true(rf_str_to_u64(number, &version));
    add_request(&out, (unsigned)version, name);
    expect_hex(line, rf_buf_str(&out), rest);
    rf_buf_deinit(&out);
}

static void test_requests_are_those_of_the_python_driver(void **state)
{
    (void)state;
    for_each_line(ROWFERRY_TEST_DIR "/golden/cql/frames.txt", check_request);
}

static void check_token(struct rf_str line)
{
    struct rf_buf key = {0};
    struct rf_str hex = next_word(&line);
    int64_t token = 0;
    assert_true(rf_str_to_i64(line, &token));
    assert_int_equal(rf_murmur3_token(bytes_of_hex(&key, hex)), token);
    rf_buf_deinit(&key);
}

static void test_tokens_are_those_of_the_python_driver(void **state)
{
    (void)state;
    for_each_line(ROWFERRY_TEST_DIR "/golden/cql/tokens.txt", check_token);
    assert_int_equal(rf_murmur3_token(RF_STR("")), INT64_MIN);
}

/* ------------------------------------------------------------------------------------- segments */

static void expect_frames(struct rf_str bytes, bool lz4, struct rf_str wanted)
{
    struct rf_buf frames = {0};
    struct rf_error err = {0};
    while (bytes.size > 0) {
        size_t taken;
        assert_int_equal(rf_cql_segment_take(bytes, lz4, &taken, &frames, &err), RF_OK);
        assert_true(taken > 0);
        bytes.data += taken;
        bytes.size -= taken;
    }
    assert_true(rf_str_equal(rf_buf_str(&frames), wanted));
    rf_buf_deinit(&frames);
}

static void check_segments(struct rf_str line)
{
    struct rf_buf frames = {0}, out = {0};
    struct rf_str rest = line, name = next_word(&rest), first = next_word(&rest);
    if (rf_str_equal(name, RF_STR("large"))) {
        uint64_t size = 0;
        struct rf_buf text = {0};
        struct rf_cql_parameters one = {.consistency = RF_CQL_ONE};
        memset(rf_buf_reserve(&text, 300000), 'x', 300000);
        text.size = 300000;
        size_t begin = rf_cql_begin(&frames, 5, 2, RF_CQL_QUERY);
        rf_cql_add_query(&frames, 5, rf_buf_str(&text), &one, NULL);
        rf_cql_end(&frames, begin);
        rf_cql_segments_add(&out, rf_buf_str(&frames), false);
        assert_true(rf_str_to_u64(first, &size));
        assert_int_equal(out.size, size);
        expect_hex(line, (struct rf_str){out.data, 32}, next_word(&rest));
        expect_hex(line, (struct rf_str){out.data + out.size - 16, 16}, rest);
        rf_buf_deinit(&text);
    } else {
        bytes_of_hex(&frames, first);
        rf_cql_segments_add(&out, rf_buf_str(&frames), false);
        expect_hex(line, rf_buf_str(&out), rest);
    }
    expect_frames(rf_buf_str(&out), false, rf_buf_str(&frames));
    rf_buf_deinit(&frames);
    rf_buf_deinit(&out);
}

static void test_segments_are_those_of_the_python_driver(void **state)
{
    (void)state;
    for_each_line(ROWFERRY_TEST_DIR "/golden/cql/segments.txt", check_segments);
}

/* A frame of each size, the bytes of which are not all alike. */
static void add_frames(struct rf_buf *out, const size_t *sizes, size_t count)
{
    struct rf_cql_parameters one = {.consistency = RF_CQL_ONE};
    for (size_t i = 0; i < count; i++) {
        struct rf_buf text = {0};
        for (size_t j = 0; j < sizes[i]; j++) {
            rf_buf_add_byte(&text, (char)('a' + j * j % 23));
        }
        size_t begin = rf_cql_begin(out, 5, 1, RF_CQL_QUERY);
        rf_cql_add_query(out, 5, rf_buf_str(&text), &one, NULL);
        rf_cql_end(out, begin);
        rf_buf_deinit(&text);
    }
}

static void test_frames_of_all_sizes_come_out_of_their_segments(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,      1,      131050, 20, 131071, 131072, 400000, 131051,
                                   131052, 131053, 131054, 7,  60000,  60000,  60000};
    struct rf_buf frames = {0};
    add_frames(&frames, sizes, count_of(sizes));
    for (int lz4 = 0; lz4 < 2; lz4++) {
        struct rf_buf out = {0};
        rf_cql_segments_add(&out, rf_buf_str(&frames), lz4);
        expect_frames(rf_buf_str(&out), lz4, rf_buf_str(&frames));
        if (lz4 && rf_cql_lz4_here()) {
            assert_true(out.size < frames.size / 4);
        }
        rf_buf_deinit(&out);
    }
    rf_buf_deinit(&frames);
}

static void test_a_segment_with_any_bit_turned_over_is_refused(void **state)
{
    (void)state;
    static const size_t sizes[] = {40};
    struct rf_buf frames = {0};
    add_frames(&frames, sizes, 1);
    for (int lz4 = 0; lz4 < 2; lz4++) {
        struct rf_buf out = {0}, got = {0};
        rf_cql_segments_add(&out, rf_buf_str(&frames), lz4);
        for (size_t bit = 0; bit < out.size * 8; bit++) {
            struct rf_error err = {0};
            size_t taken;
            out.data[bit / 8] ^= (char)(1 << bit % 8);
            assert_int_equal(rf_cql_segment_take(rf_buf_str(&out), lz4, &taken, &got, &err),
                             RF_FATAL);
            assert_int_equal(taken, 0);
            out.data[bit / 8] ^= (char)(1 << bit % 8);
        }
        rf_buf_deinit(&out);
        rf_buf_deinit(&got);
    }
    rf_buf_deinit(&frames);
}

static void test_half_a_segment_is_waited_for(void **state)
{
    (void)state;
    static const size_t sizes[] = {100};
    struct rf_buf frames = {0}, out = {0}, got = {0};
    struct rf_error err = {0};
    add_frames(&frames, sizes, 1);
    rf_cql_segments_add(&out, rf_buf_str(&frames), false);
    for (size_t size = 0; size < out.size; size++) {
        size_t taken = 1;
        assert_int_equal(
            rf_cql_segment_take((struct rf_str){out.data, size}, false, &taken, &got, &err), RF_OK);
        assert_int_equal(taken, 0);
    }
    assert_int_equal(got.size, 0);
    rf_buf_deinit(&frames);
    rf_buf_deinit(&out);
    rf_buf_deinit(&got);
}

static void test_a_packed_body_comes_out_as_it_was(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 5, 1000, 300000};
    for (size_t i = 0; i < count_of(sizes); i++) {
        struct rf_buf plain = {0}, packed = {0}, scratch = {0}, body = {0};
        struct rf_error err = {0};
        add_frames(&plain, &sizes[i], 1);
        rf_buf_set(&packed, rf_buf_str(&plain));
        rf_cql_pack(&packed, 0, &scratch);
        bool marked = packed.data[1] & RF_CQL_FRAME_COMPRESSED;
        assert_int_equal(marked, rf_cql_lz4_here() && sizes[i] >= 1000);
        struct rf_str rest = {packed.data + RF_CQL_HEADER, packed.size - RF_CQL_HEADER};
        if (marked) {
            assert_true(packed.size < plain.size);
            assert_int_equal(rf_cql_unpack(rest, &body, &err), RF_OK);
            rest = rf_buf_str(&body);
        }
        assert_true(rf_str_equal(
            rest, (struct rf_str){plain.data + RF_CQL_HEADER, plain.size - RF_CQL_HEADER}));
        rf_buf_deinit(&plain);
        rf_buf_deinit(&packed);
        rf_buf_deinit(&scratch);
        rf_buf_deinit(&body);
    }
}

static void test_a_block_that_promises_what_it_has_not_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "", "\0\0\0", "\0\0\0\5x", "\x10\0\0\0abc", "\xff\xff\xff\xff", "\x0f\xff\xff\xff\x10z"};
    static const size_t sizes[] = {0, 3, 5, 7, 4, 6};
    for (size_t i = 0; i < count_of(bodies); i++) {
        struct rf_buf out = {0};
        struct rf_error err = {0};
        assert_int_equal(rf_cql_unpack((struct rf_str){bodies[i], sizes[i]}, &out, &err), RF_FATAL);
        assert_true(out.capacity < 1024 * 1024);
        rf_buf_deinit(&out);
    }
}

/* -------------------------------------------------------------------------------------- answers */

static void test_a_header_is_read_and_what_is_none_is_refused(void **state)
{
    (void)state;
    struct rf_cql_frame frame;
    struct rf_error err = {0};
    assert_int_equal(rf_cql_frame_parse("\x84\x08\xff\xff\x0c\0\0\1\2", &frame, &err), RF_OK);
    assert_int_equal(frame.version, 4);
    assert_int_equal(frame.flags, RF_CQL_FRAME_WARNING);
    assert_int_equal(frame.stream, -1);
    assert_int_equal(frame.opcode, RF_CQL_EVENT);
    assert_int_equal(frame.size, 258);
    assert_int_equal(rf_cql_frame_parse("HTTP/1.1 4", &frame, &err), RF_FATAL);
    assert_int_equal(rf_cql_frame_parse("\x04\0\0\0\2\0\0\0\0", &frame, &err), RF_FATAL);
    assert_int_equal(rf_cql_frame_parse("\xff\0\0\0\2\0\0\0\0", &frame, &err), RF_FATAL);
    assert_int_equal(rf_cql_frame_parse("\x84\0\0\0\2\x7f\0\0\0", &frame, &err), RF_FATAL);
}

static void test_what_flags_announce_is_taken_off_the_front(void **state)
{
    (void)state;
    struct rf_cql_frame frame = {.flags = RF_CQL_FRAME_TRACING | RF_CQL_FRAME_WARNING |
                                          RF_CQL_FRAME_PAYLOAD};
    struct rf_str warning,
        body = RF_STR("0123456789abcdef\0\2\0\3one\0\3two\0\1\0\1k\0\0\0\1v\0\0\0\1");
    struct rf_cursor cursor = rf_cursor_of(body);
    rf_cql_skip_extras(&frame, &cursor, &warning);
    assert_true(rf_str_equal(warning, RF_STR("one")));
    assert_int_equal(rf_cql_int(&cursor, "rest"), 1);
    assert_null(cursor.missing);
    cursor = rf_cursor_of((struct rf_str){body.data, 20});
    rf_cql_skip_extras(&frame, &cursor, &warning);
    assert_non_null(cursor.missing);
}

static struct rf_cql_error error_of(struct rf_str body, unsigned version)
{
    struct rf_cql_error error;
    struct rf_error err = {0};
    struct rf_cursor cursor = rf_cursor_of(body);
    assert_int_equal(rf_cql_error_parse(&cursor, version, &error, &err), RF_OK);
    assert_int_equal(rf_cursor_left(&cursor), 0);
    assert_true(rf_str_equal(error.message, RF_STR("no")));
    return error;
}

static void test_errors_tell_what_their_code_adds(void **state)
{
    (void)state;
    struct rf_cql_error error =
        error_of(RF_STR("\0\0\x11\0\0\2no\0\6\0\0\0\1\0\0\0\2\0\6SIMPLE"), 4);
    assert_int_equal(error.code, RF_CQL_WRITE_TIMEOUT);
    assert_int_equal(error.consistency, RF_CQL_LOCAL_QUORUM);
    assert_int_equal(error.received, 1);
    assert_int_equal(error.required, 2);
    assert_true(rf_str_equal(error.write_type, RF_STR("SIMPLE")));
    error = error_of(RF_STR("\0\0\x10\0\0\2no\0\4\0\0\0\3\0\0\0\1"), 4);
    assert_int_equal(error.required, 3);
    assert_int_equal(error.received, 1);
    error = error_of(RF_STR("\0\0\x15\0\0\2no\0\4\0\0\0\1\0\0\0\2\0\0\0\1\0\3CAS"), 4);
    assert_int_equal(error.failures, 1);
    assert_true(rf_str_equal(error.write_type, RF_STR("CAS")));
    error =
        error_of(RF_STR("\0\0\x15\0\0\2no\0\4\0\0\0\1\0\0\0\2\0\0\0\1\4\x7f\0\0\1\0\0\0\3CAS"), 5);
    assert_int_equal(error.failures, 1);
    assert_true(rf_str_equal(error.write_type, RF_STR("CAS")));
    error = error_of(RF_STR("\0\0\x12\0\0\2no\0\1\0\0\0\1\0\0\0\2\1"), 4);
    assert_true(error.data_present);
    error = error_of(RF_STR("\0\0\x13\0\0\2no\0\1\0\0\0\1\0\0\0\2\0\0\0\0\1"), 5);
    assert_true(error.data_present);
    error = error_of(RF_STR("\0\0\x25\0\0\2no\0\3abc"), 4);
    assert_true(rf_str_equal(error.id, RF_STR("abc")));
    error = error_of(RF_STR("\0\0\x24\0\0\2no\0\2ks\0\1t"), 4);
    assert_true(rf_str_equal(error.keyspace, RF_STR("ks")));
    assert_true(rf_str_equal(error.name, RF_STR("t")));
    error = error_of(RF_STR("\0\0\x17\0\0\2no\0\1\0\0\0\1\0\0\0\2"), 5);
    assert_int_equal(error.required, 2);
    error = error_of(RF_STR("\0\0\x99\0\0\2no"), 4);
    assert_null(rf_cql_code_name(error.code));
}

static void test_an_answer_that_ends_too_early_is_refused(void **state)
{
    (void)state;
    struct rf_str body =
        RF_STR("\0\0\x15\0\0\2no\0\4\0\0\0\1\0\0\0\2\0\0\0\1\4\x7f\0\0\1\0\0\0\3CAS");
    for (size_t size = 0; size < body.size; size++) {
        struct rf_cql_error error;
        struct rf_error err = {0};
        struct rf_cursor cursor = rf_cursor_of((struct rf_str){body.data, size});
        assert_int_equal(rf_cql_error_parse(&cursor, 5, &error, &err), RF_FATAL);
    }
}

static void test_supported_says_the_highest_version_that_is_no_beta(void **state)
{
    (void)state;
    struct rf_cql_supported supported;
    struct rf_error err = {0};
    struct rf_cursor cursor = rf_cursor_of(RF_STR("\0\3\0\x11PROTOCOL_VERSIONS\0\4\0\4"
                                                  "3/v3\0\4"
                                                  "4/v4\0\4"
                                                  "5/v5\0\x09"
                                                  "6/v6-beta"
                                                  "\0\x0b"
                                                  "COMPRESSION\0\2\0\6snappy\0\3lz4\0\x0b"
                                                  "CQL_VERSION\0\1\0\5"
                                                  "3.4.7"));
    assert_int_equal(rf_cql_supported_parse(&cursor, &supported, &err), RF_OK);
    assert_int_equal(supported.version, 5);
    assert_true(supported.lz4);
    assert_true(rf_str_equal(supported.cql_version, RF_STR("3.4.7")));
    cursor = rf_cursor_of(RF_STR("\0\1\0\x0b"
                                 "CQL_VERSION\0\1\0\5"
                                 "3.3.1"));
    assert_int_equal(rf_cql_supported_parse(&cursor, &supported, &err), RF_OK);
    assert_int_equal(supported.version, 4);
    assert_false(supported.lz4);
}

static void test_events_tell_who_and_what(void **state)
{
    (void)state;
    struct rf_cql_event event;
    struct rf_error err = {0};
    struct rf_cursor cursor =
        rf_cursor_of(RF_STR("\0\x0dSTATUS_CHANGE\0\4DOWN\4\x7f\0\0\2\0\0\x23\x52"));
    assert_int_equal(rf_cql_event_parse(&cursor, &event, &err), RF_OK);
    assert_int_equal(event.kind, RF_CQL_STATUS_CHANGE);
    assert_true(rf_str_equal(event.change, RF_STR("DOWN")));
    assert_true(rf_str_equal(event.address, RF_STR("\x7f\0\0\2")));
    assert_int_equal(event.port, 9042);
    cursor = rf_cursor_of(RF_STR("\0\x0dSCHEMA_CHANGE\0\7"
                                 "CREATED\0\5TABLE\0\2ks\0\1t"));
    assert_int_equal(rf_cql_event_parse(&cursor, &event, &err), RF_OK);
    assert_int_equal(event.kind, RF_CQL_SCHEMA_CHANGE);
    assert_true(rf_str_equal(event.name, RF_STR("t")));
    cursor = rf_cursor_of(RF_STR("\0\4NEWS"));
    assert_int_equal(rf_cql_event_parse(&cursor, &event, &err), RF_OK);
    assert_int_equal(event.kind, RF_CQL_OTHER_EVENT);
    cursor = rf_cursor_of(RF_STR("\0\x0dSTATUS_CHANGE\0\4DOWN\3\x7f\0\0\0\0\x23\x52"));
    assert_int_equal(rf_cql_event_parse(&cursor, &event, &err), RF_FATAL);
}

/* -------------------------------------------------------------------------------------- results */

static enum rf_status parse_result(struct rf_str body, unsigned version, struct rf_arena *arena,
                                   struct rf_cql_result *result)
{
    struct rf_error err = {0};
    struct rf_cursor cursor = rf_cursor_of(body);
    return rf_cql_result_parse(&cursor, version, arena, result, &err);
}

#define ROWS                                                                        \
    "\0\0\0\2\0\0\0\3\0\0\0\2\0\0\0\2\xab\xcd\0\2ks\0\1t\0\2id\0\x09\0\4name\0\x0d" \
    "\0\0\0\2\0\0\0\4\0\0\0\7\xff\xff\xff\xff\0\0\0\4\0\0\0\x08\0\0\0\0"

static void test_rows_are_read_with_their_nulls_and_the_next_page(void **state)
{
    (void)state;
    struct rf_arena arena = {0};
    struct rf_cql_result result;
    struct rf_error err = {0};
    struct rf_str values[2];
    assert_int_equal(parse_result(RF_STR(ROWS), 4, &arena, &result), RF_OK);
    assert_int_equal(result.kind, RF_CQL_ROWS);
    assert_int_equal(result.row_count, 2);
    assert_true(rf_str_equal(result.columns.paging_state, RF_STR("\xab\xcd")));
    assert_true(rf_str_equal(result.columns.keyspace, RF_STR("ks")));
    assert_true(rf_str_equal(result.columns.items[1].name, RF_STR("name")));
    assert_int_equal(result.columns.items[1].type.kind, RF_CQL_TEXT);
    assert_int_equal(rf_cql_result_row(&result, values, &err), RF_OK);
    assert_true(rf_str_equal(values[0], RF_STR("\0\0\0\7")));
    assert_null(values[1].data);
    assert_int_equal(rf_cql_result_row(&result, values, &err), RF_OK);
    assert_non_null(values[1].data);
    assert_int_equal(values[1].size, 0);
    assert_int_equal(rf_cql_result_row(&result, values, &err), RF_FATAL);
    rf_arena_deinit(&arena);
}

static void test_a_prepared_statement_tells_its_key(void **state)
{
    (void)state;
    struct rf_arena arena = {0};
    struct rf_cql_result result;
    struct rf_str four = RF_STR("\0\0\0\4\0\2ID\0\0\0\1\0\0\0\2\0\0\0\1\0\1\0\2ks\0\1t\0\1a\0\x09"
                                "\0\1b\0\x0d\0\0\0\4\0\0\0\0");
    struct rf_str five = RF_STR("\0\0\0\4\0\2ID\0\2ME\0\0\0\1\0\0\0\2\0\0\0\1\0\1\0\2ks\0\1t\0\1a"
                                "\0\x09\0\1b\0\x0d\0\0\0\4\0\0\0\0");
    assert_int_equal(parse_result(four, 4, &arena, &result), RF_OK);
    assert_true(rf_str_equal(result.id, RF_STR("ID")));
    assert_int_equal(result.bound.count, 2);
    assert_int_equal(result.key_count, 1);
    assert_int_equal(result.key[0], 1);
    assert_null(result.columns.items);
    assert_int_equal(parse_result(five, 5, &arena, &result), RF_OK);
    assert_true(rf_str_equal(result.metadata_id, RF_STR("ME")));
    assert_int_equal(result.bound.items[1].type.kind, RF_CQL_TEXT);
    rf_arena_deinit(&arena);
}

static void test_results_of_other_kinds_are_read(void **state)
{
    (void)state;
    struct rf_arena arena = {0};
    struct rf_cql_result result;
    assert_int_equal(parse_result(RF_STR("\0\0\0\1"), 4, &arena, &result), RF_OK);
    assert_int_equal(result.kind, RF_CQL_VOID);
    assert_int_equal(parse_result(RF_STR("\0\0\0\3\0\2ks"), 4, &arena, &result), RF_OK);
    assert_true(rf_str_equal(result.keyspace, RF_STR("ks")));
    assert_int_equal(parse_result(RF_STR("\0\0\0\5\0\7"
                                         "CREATED\0\x08KEYSPACE\0\2ks"),
                                  4, &arena, &result),
                     RF_OK);
    assert_true(rf_str_equal(result.change.keyspace, RF_STR("ks")));
    assert_int_equal(parse_result(RF_STR("\0\0\0\x09"), 4, &arena, &result), RF_FATAL);
    rf_arena_deinit(&arena);
}

static void test_results_that_promise_more_than_they_have_are_refused(void **state)
{
    (void)state;
    struct rf_str body = RF_STR(ROWS);
    for (size_t size = 0; size < body.size; size++) {
        struct rf_arena arena = {0};
        struct rf_cql_result result;
        struct rf_error err = {0};
        struct rf_str values[2];
        if (parse_result((struct rf_str){body.data, size}, 4, &arena, &result) == RF_OK) {
            assert_true(rf_cql_result_row(&result, values, &err) != RF_OK ||
                        rf_cql_result_row(&result, values, &err) != RF_OK);
        }
        rf_arena_deinit(&arena);
    }
    struct rf_arena arena = {0};
    struct rf_cql_result result;
    assert_int_equal(parse_result(RF_STR("\0\0\0\2\0\0\0\0\x7f\xff\xff\xff"), 4, &arena, &result),
                     RF_FATAL);
    assert_int_equal(parse_result(RF_STR("\0\0\0\2\0\0\0\1\0\0\0\0\0\2ks\0\1t\x7f\xff\xff\xff"), 4,
                                  &arena, &result),
                     RF_FATAL);
    rf_arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_are_those_of_the_python_driver),
        cmocka_unit_test(test_tokens_are_those_of_the_python_driver),
        cmocka_unit_test(test_segments_are_those_of_the_python_driver),
        cmocka_unit_test(test_frames_of_all_sizes_come_out_of_their_segments),
        cmocka_unit_test(test_a_segment_with_any_bit_turned_over_is_refused),
        cmocka_unit_test(test_half_a_segment_is_waited_for),
        cmocka_unit_test(test_a_packed_body_comes_out_as_it_was),
        cmocka_unit_test(test_a_block_that_promises_what_it_has_not_is_refused),
        cmocka_unit_test(test_a_header_is_read_and_what_is_none_is_refused),
        cmocka_unit_test(test_what_flags_announce_is_taken_off_the_front),
        cmocka_unit_test(test_errors_tell_what_their_code_adds),
        cmocka_unit_test(test_an_answer_that_ends_too_early_is_refused),
        cmocka_unit_test(test_supported_says_the_highest_version_that_is_no_beta),
        cmocka_unit_test(test_events_tell_who_and_what),
        cmocka_unit_test(test_rows_are_read_with_their_nulls_and_the_next_page),
        cmocka_unit_test(test_a_prepared_statement_tells_its_key),
        cmocka_unit_test(test_results_of_other_kinds_are_read),
        cmocka_unit_test(test_results_that_promise_more_than_they_have_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
