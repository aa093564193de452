#include "wire/rows.h"

#include "lib/binlog.h"
#include "wire/binlog.h"
#include "wire/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))

enum { WRITE = RF_BINLOG_WRITE_ROWS_V1, UPDATE, DELETE };
enum { UTF8 = 45, LATIN1 = 8, ASCII = 11, BINARY = 63 };

/* Decodes the images, written as hex, of the table, into the batch's one transaction. The bytes
 * lie in a chunk of exactly their size, which becomes the batch's. */
static enum rf_status decode_by(const struct test_column *columns, unsigned type,
                                const char *images, bool strict, struct rf_batch *batch,
                                struct rf_error *err)
{
    struct rf_buf map = {0}, body = {0};
    struct rf_table *table = NULL;
    struct rf_rows rows;
    uint32_t count = 0;
    while (columns[count].name != NULL) {
        count++;
    }
    test_put_table(&map, columns);
    assert_int_equal(rf_binlog_table_parse(rf_buf_str(&map), RF_LOG_OF_MARIADB, 1, &table, err),
                     RF_OK);
    test_put_rows(&body, type, count);
    test_put_hex(&body, images);
    struct rf_chunk *chunk = malloc(sizeof *chunk + body.size);
    *chunk = (struct rf_chunk){.size = body.size, .used = body.size};
    memcpy(chunk->data, body.data, body.size);
    assert_int_equal(rf_rows_parse(type, (struct rf_str){chunk->data, body.size}, &rows, err),
                     RF_OK);
    rows.strict = strict;
    if (batch->transaction_count == 0) {
        rf_batch_begin(batch, RF_STR("0-1-1"), 0, true);
    }
    enum rf_status status = rf_rows_decode(&rows, table, 5, batch, err);
    rf_arena_adopt_chunk(&batch->arena, chunk);
    rf_table_release(table);
    rf_buf_deinit(&map);
    rf_buf_deinit(&body);
    return status;
}

static enum rf_status decode(const struct test_column *columns, unsigned type, const char *images,
                             struct rf_batch *batch, struct rf_error *err)
{
    return decode_by(columns, type, images, false, batch, err);
}

/* The one value of a row of one column, with its bytes in front of nothing. */
struct one {
    struct rf_batch batch;
    struct rf_error err;
    enum rf_status status;
    struct rf_value value;
};

static struct one decode_one(struct test_column column, const char *bytes)
{
    struct one one = {0};
    struct rf_buf hex = {0};
    struct test_column columns[] = {column, {0}};
    columns[0].name = "c";
    rf_buf_printf(&hex, "fe %s", bytes); /* not NULL; the other bits mean nothing */
    one.status = decode(columns, WRITE, rf_buf_cstr(&hex), &one.batch, &one.err);
    if (one.status == RF_OK) {
        assert_int_equal(one.batch.count, 1);
        one.value = one.batch.events[0].after[0];
    } else {
        assert_int_equal(one.batch.count, 0);
    }
    rf_buf_deinit(&hex);
    return one;
}

static void test_integers_at_their_boundaries(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        bool is_unsigned;
        const char *bytes;
        int64_t i;
        uint64_t u;
    } cases[] = {
        {1, false, "80", INT8_MIN, 0},
        {1, false, "7f", INT8_MAX, 0},
        {1, true, "ff", 0, UINT8_MAX},
        {2, false, "00 80", INT16_MIN, 0},
        {2, false, "ff 7f", INT16_MAX, 0},
        {2, true, "ff ff", 0, UINT16_MAX},
        {9, false, "00 00 80", -8388608, 0},
        {9, false, "ff ff 7f", 8388607, 0},
        {9, false, "ff ff ff", -1, 0},
        {9, true, "ff ff ff", 0, 16777215},
        {3, false, "00 00 00 80", INT32_MIN, 0},
        {3, false, "ff ff ff 7f", INT32_MAX, 0},
        {3, true, "ff ff ff ff", 0, UINT32_MAX},
        {8, false, "00 00 00 00 00 00 00 80", INT64_MIN, 0},
        {8, false, "ff ff ff ff ff ff ff 7f", INT64_MAX, 0},
        {8, true, "ff ff ff ff ff ff ff ff", 0, UINT64_MAX},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        struct test_column column = {.type = cases[i].type, .is_unsigned = cases[i].is_unsigned};
        struct one one = decode_one(column, cases[i].bytes);
        assert_int_equal(one.status, RF_OK);
        assert_int_equal(one.value.kind, cases[i].is_unsigned ? RF_UINT : RF_INT);
        assert_true(cases[i].is_unsigned ? one.value.u == cases[i].u : one.value.i == cases[i].i);
        rf_batch_deinit(&one.batch);
    }
}

static void test_floating_numbers_keep_their_bits(void **state)
{
    (void)state;
    struct one one = decode_one((struct test_column){.type = 4, .metadata = 4}, "00 00 80 7f");
    uint32_t bits;
    memcpy(&bits, &one.value.f, sizeof bits);
    assert_int_equal(one.value.kind, RF_FLOAT);
    assert_int_equal(bits, 0x7f800000);
    rf_batch_deinit(&one.batch);
    one = decode_one((struct test_column){.type = 5, .metadata = 8}, "01 00 00 00 00 00 00 80");
    uint64_t wide;
    memcpy(&wide, &one.value.d, sizeof wide);
    assert_int_equal(one.value.kind, RF_DOUBLE);
    assert_true(wide == UINT64_C(0x8000000000000001));
    rf_batch_deinit(&one.batch);
}

static void test_bits_are_a_number_of_their_width(void **state)
{
    (void)state;
    struct one one = decode_one((struct test_column){.type = 16, .metadata = 1 | 1 << 8}, "01 ff");
    assert_int_equal(one.value.kind, RF_BIT);
    assert_int_equal(one.value.u, 511);
    assert_int_equal(one.value.scale, 9);
    rf_batch_deinit(&one.batch);
    one = decode_one((struct test_column){.type = 16, .metadata = 0 | 8 << 8},
                     "ff ff ff ff ff ff ff fe");
    assert_true(one.value.u == UINT64_MAX - 1);
    assert_int_equal(one.value.scale, 64);
    rf_batch_deinit(&one.batch);
    one = decode_one((struct test_column){.type = 16, .metadata = 1 | 1 << 8}, "03 ff");
    assert_int_equal(one.status, RF_FATAL);
    rf_batch_deinit(&one.batch);
}

static void expect_packed(struct test_column column, const char *bytes, unsigned kind,
                          unsigned scale, uint64_t packed)
{
    /* Alone, and with more bytes behind, which is another way through the decoder. */
    struct test_column columns[] = {column, {.name = "d", .type = 8}, {0}};
    struct rf_buf hex = {0};
    struct rf_batch batch = {0};
    struct rf_error err = {0};
    struct one one = decode_one(column, bytes);
    columns[0].name = "c";
    rf_buf_printf(&hex, "00 %s 00 00 00 00 00 00 00 00", bytes);
    assert_int_equal(decode(columns, WRITE, rf_buf_cstr(&hex), &batch, &err), RF_OK);
    assert_int_equal(one.status, RF_OK);
    const struct rf_value values[] = {one.value, batch.events[0].after[0]};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(values[i].kind, kind);
        assert_int_equal(values[i].scale, scale);
        assert_true(values[i].u == packed);
    }
    rf_batch_deinit(&batch);
    rf_batch_deinit(&one.batch);
    rf_buf_deinit(&hex);
}

static void test_temporal_types_are_packed(void **state)
{
    (void)state;
    const struct test_column year = {.type = 13}, date = {.type = 10};
    expect_packed(year, "00", RF_YEAR, 0, 0);
    expect_packed(year, "01", RF_YEAR, 0, 1901);
    expect_packed(year, "ff", RF_YEAR, 0, 2155);
    expect_packed(date, "00 00 00", RF_DATE, 0, 0);
    expect_packed(date, "5d d0 0f", RF_DATE, 0, RF_DATETIME_PACK(2024, 2, 29, 0, 0, 0, 0));
    expect_packed(date, "9f 1f 4e", RF_DATE, 0, RF_DATETIME_PACK(9999, 12, 31, 0, 0, 0, 0));

    const struct test_column datetime = {.type = 18}, datetime6 = {.type = 18, .metadata = 6};
    const struct test_column datetime1 = {.type = 18, .metadata = 1};
    const struct test_column datetime3 = {.type = 18, .metadata = 3};
    expect_packed(datetime, "80 00 00 00 00", RF_DATETIME, 0, 0);
    expect_packed(datetime, "99 b2 ba c8 b8", RF_DATETIME, 0,
                  RF_DATETIME_PACK(2024, 2, 29, 12, 34, 56, 0));
    expect_packed(datetime1, "99 b2 ba c8 b8 46", RF_DATETIME, 1,
                  RF_DATETIME_PACK(2024, 2, 29, 12, 34, 56, 700000));
    expect_packed(datetime3, "99 b2 ba c8 b8 1e d2", RF_DATETIME, 3,
                  RF_DATETIME_PACK(2024, 2, 29, 12, 34, 56, 789000));
    expect_packed(datetime6, "fe f3 ff 7e fb 0f 42 3f", RF_DATETIME, 6,
                  RF_DATETIME_PACK(9999, 12, 31, 23, 59, 59, 999999));

    const struct test_column stamp = {.type = 17}, stamp6 = {.type = 17, .metadata = 6};
    expect_packed(stamp, "00 00 00 00", RF_TIMESTAMP, 0, 0);
    expect_packed(stamp, "7f ff ff ff", RF_TIMESTAMP, 0, UINT64_C(2147483647000000));
    expect_packed(stamp, "ff ff ff ff", RF_TIMESTAMP, 0, UINT64_C(4294967295000000));
    expect_packed(stamp6, "00 00 00 01 00 00 01", RF_TIMESTAMP, 6, 1000001);

    const struct test_column time0 = {.type = 19}, time1 = {.type = 19, .metadata = 1};
    const struct test_column time4 = {.type = 19, .metadata = 4};
    const struct test_column time6 = {.type = 19, .metadata = 6};
    const int64_t most = (838 * 3600 + 59 * 60 + 59) * INT64_C(1000000);
    expect_packed(time0, "80 00 00", RF_TIME, 0, 0);
    expect_packed(time0, "b4 6e fb", RF_TIME, 0, (uint64_t)most);
    expect_packed(time0, "4b 91 05", RF_TIME, 0, (uint64_t)-most);
    expect_packed(time0, "7f ff ff", RF_TIME, 0, (uint64_t)-1000000);
    expect_packed(time1, "7f ff ff f6", RF_TIME, 1, (uint64_t)-100000);
    expect_packed(time4, "7f ff ff f6 3c", RF_TIME, 4, (uint64_t)-250000);
    expect_packed(time6, "7f ff ff ff ff ff", RF_TIME, 6, (uint64_t)-1);
    expect_packed(time6, "4b 91 04 f0 bd c1", RF_TIME, 6, (uint64_t)(-most - 999999));
    expect_packed(time6, "b4 6e fb 0f 42 3f", RF_TIME, 6, (uint64_t)(most + 999999));
}

static void test_impossible_values_are_damage(void **state)
{
    (void)state;
    static const struct {
        struct test_column column;
        const char *bytes;
    } cases[] = {
        {{.type = 10}, "a0 d1 0f"},                         /* month 13 */
        {{.type = 10}, "5d 20 4e"},                         /* year 10000 */
        {{.type = 18}, "7f ff ff ff ff"},                   /* below year 0 */
        {{.type = 18}, "fe fa c2 00 00"},                   /* year 10002 */
        {{.type = 18}, "99 b2 bb 88 b8"},                   /* hour 24 */
        {{.type = 18}, "99 b2 ba cf 38"},                   /* minute 60 */
        {{.type = 18}, "99 b2 ba c8 bc"},                   /* second 60 */
        {{.type = 18, .metadata = 1}, "99 b2 ba c8 b8 64"}, /* a hundred hundredths */
        {{.type = 18, .metadata = 6}, "99 b2 ba c8 b8 0f 42 40"},
        {{.type = 17, .metadata = 3}, "00 00 00 01 27 10"},
        {{.type = 19}, "b4 70 00"}, /* 839 hours */
        {{.type = 19}, "80 0f 00"}, /* 60 minutes */
        {{.type = 19}, "80 00 3c"}, /* 60 seconds */
        {{.type = 19, .metadata = 2}, "80 00 00 64"},
        {{.type = 246, .metadata = 9}, "bb 9a ca 00"},
        {{.type = 254, .metadata = 0xf7 | 1 << 8, .collation = UTF8, .members = "a,b"}, "03"},
        {{.type = 254, .metadata = 0xf8 | 1 << 8, .collation = UTF8, .members = "a,b"}, "04"},
        {{.type = 255, .metadata = 4, .collation = BINARY}, "03 00 00 00 01 02 03"},
        {{.type = 254, .metadata = 0xfe | 4 << 8, .collation = BINARY}, "05 01 02 03 04 05"},
        {{.type = 242, .metadata = 4}, "03 00 00 00 00 00 80"}, /* not whole singles */
        {{.type = 245, .metadata = 4}, "02 00 00 00 00 01"},    /* no document */
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        struct one one = decode_one(cases[i].column, cases[i].bytes);
        if (one.status != RF_FATAL ||
            strstr(one.err.message, "column c of table shop.items") == NULL ||
            strstr(one.err.message, "row 0") == NULL) {
            fail_msg("case %zu: %s", i, one.err.message);
        }
        rf_batch_deinit(&one.batch);
    }
}

static void expect_text(struct test_column column, const char *bytes, unsigned kind,
                        struct rf_str wanted)
{
    struct one one = decode_one(column, bytes);
    assert_int_equal(one.status, RF_OK);
    assert_int_equal(one.value.kind, kind);
    assert_true(rf_str_equal(rf_value_str(one.value), wanted));
    rf_batch_deinit(&one.batch);
}

static void test_text_and_bytes(void **state)
{
    (void)state;
    const struct test_column utf8 = {.type = 15, .metadata = 20, .collation = UTF8};
    const struct test_column wide = {.type = 15, .metadata = 256, .collation = UTF8};
    const struct test_column ascii = {.type = 15, .metadata = 20, .collation = ASCII};
    const struct test_column latin1 = {.type = 254, .metadata = 0xfe | 9 << 8, .collation = LATIN1};
    const struct test_column binary = {.type = 254, .metadata = 0xfe | 4 << 8, .collation = BINARY};
    const struct test_column bytes = {.type = 15, .metadata = 9, .collation = BINARY};
    expect_text(utf8, "00", RF_TEXT, RF_STR(""));
    expect_text(utf8, "02 c3 a4", RF_TEXT, RF_STR("\xc3\xa4"));
    expect_text(wide, "01 00 61", RF_TEXT, RF_STR("a"));
    expect_text(ascii, "02 61 7f", RF_TEXT, RF_STR("a\x7f"));
    expect_text(latin1, "02 61 62", RF_TEXT, RF_STR("ab"));
    expect_text(latin1, "03 61 e4 80", RF_TEXT, RF_STR("a\xc3\xa4\xe2\x82\xac"));
    expect_text(bytes, "02 ff 00", RF_BYTES, RF_STR("\xff\0"));
    expect_text(binary, "04 01 02 03 04", RF_BYTES, RF_STR("\1\2\3\4"));
    expect_text(binary, "02 01 02", RF_BYTES, RF_STR("\1\2\0\0"));
    expect_text(binary, "00", RF_BYTES, RF_STR("\0\0\0\0"));
    for (uint16_t width = 1; width <= 4; width++) {
        static const char *const sized[] = {"01 78", "01 00 78", "01 00 00 78", "01 00 00 00 78"};
        const struct test_column text = {.type = 252, .metadata = width, .collation = UTF8};
        const struct test_column blob = {.type = 252, .metadata = width, .collation = BINARY};
        expect_text(text, sized[width - 1], RF_TEXT, RF_STR("x"));
        expect_text(blob, sized[width - 1], RF_BYTES, RF_STR("x"));
    }
    const struct test_column shape = {.type = 255, .metadata = 4, .collation = BINARY};
    expect_text(shape, "05 00 00 00 e6 10 00 00 01", RF_GEOMETRY, RF_STR("\xe6\x10\0\0\1"));
    const struct test_column decimal = {.type = 246, .metadata = 12 | 2 << 8};
    expect_text(decimal, "80 00 00 00 00 32", RF_DECIMAL, RF_STR("0.50"));
    expect_text(decimal, "7f ff ff ff f3 ff", RF_DECIMAL, RF_STR("-12.00"));
}

static void test_enums_and_sets_are_their_members(void **state)
{
    (void)state;
    const struct test_column choice = {
        .type = 254, .metadata = 0xf7 | 1 << 8, .collation = LATIN1, .members = "a,\xe4"};
    const struct test_column set = {
        .type = 254, .metadata = 0xf8 | 2 << 8, .collation = UTF8, .members = "a,bb,c,d,e,f,g,h,i"};
    struct one one = decode_one(choice, "02");
    assert_int_equal(one.value.ordinal, 2);
    rf_batch_deinit(&one.batch);
    expect_text(choice, "02", RF_ENUM, RF_STR("\xc3\xa4"));
    expect_text(choice, "00", RF_ENUM, RF_STR(""));
    expect_text(set, "00 00", RF_SET, RF_STR(""));
    expect_text(set, "02 00", RF_SET, RF_STR("bb"));
    expect_text(set, "03 01", RF_SET, RF_STR("a,bb,i"));
    expect_text(set, "ff 01", RF_SET, RF_STR("a,bb,c,d,e,f,g,h,i"));
}

static const struct test_column pair[] = {
    {.name = "id", .type = 3, .key = true},
    {.name = "name", .type = 15, .metadata = 9, .collation = UTF8},
    {0}};

static void test_rows_become_events_in_their_order(void **state)
{
    (void)state;
    struct rf_batch batch = {0};
    struct rf_error err = {0};
    assert_int_equal(decode(pair, WRITE, "00 01 00 00 00 01 61 02 02 00 00 00", &batch, &err),
                     RF_OK);
    assert_int_equal(
        decode(pair, UPDATE, "00 01 00 00 00 01 61 00 01 00 00 00 01 62", &batch, &err), RF_OK);
    assert_int_equal(decode(pair, DELETE, "00 01 00 00 00 01 62", &batch, &err), RF_OK);
    static const struct {
        unsigned op, row;
        const char *before, *after;
    } wanted[] = {
        {RF_CREATE, 0, NULL, "a"},
        {RF_CREATE, 1, NULL, ""},
        {RF_UPDATE, 0, "a", "b"},
        {RF_DELETE, 0, "b", NULL},
    };
    assert_int_equal(batch.count, count_of(wanted));
    assert_int_equal(batch.table_count, 3); /* a reference for each table that was parsed */
    assert_int_equal(batch.transactions[0].count, count_of(wanted));
    for (size_t i = 0; i < count_of(wanted); i++) {
        const struct rf_event *event = &batch.events[i];
        const struct rf_value *sides[2] = {event->before, event->after};
        const char *names[2] = {wanted[i].before, wanted[i].after};
        assert_int_equal(event->op, wanted[i].op);
        assert_int_equal(event->row, wanted[i].row);
        assert_int_equal(event->ordinal, 5);
        assert_true(rf_str_equal(event->table->name, RF_STR("items")));
        for (size_t side = 0; side < 2; side++) {
            assert_int_equal(sides[side] == NULL, names[side] == NULL);
            if (names[side] != NULL) {
                bool null = names[side][0] == '\0';
                assert_int_equal(sides[side][1].kind, null ? RF_NULL : RF_TEXT);
                assert_true(null ||
                            rf_str_equal(rf_value_str(sides[side][1]), rf_str_of(names[side])));
            }
        }
    }
    rf_batch_deinit(&batch);
}

static void test_version_2_has_extra_data_that_is_skipped(void **state)
{
    (void)state;
    struct rf_buf body = {0};
    struct rf_rows rows;
    struct rf_error err = {0};
    test_put_hex(&body, "07 00 00 00 00 00 01 00 05 00 01 02 03 02 ff 00 01 00 00 00 01 61");
    assert_int_equal(rf_rows_parse(RF_BINLOG_WRITE_ROWS_V2, rf_buf_str(&body), &rows, &err), RF_OK);
    assert_int_equal(rows.table_id, 7);
    assert_int_equal(rows.flags, RF_ROWS_STATEMENT_END);
    assert_int_equal(rows.op, RF_CREATE);
    assert_int_equal(rows.column_count, 2);
    assert_int_equal(rows.images.size, 7);
    body.data[8] = 1; /* less than its own two bytes */
    assert_int_equal(rf_rows_parse(RF_BINLOG_WRITE_ROWS_V2, rf_buf_str(&body), &rows, &err),
                     RF_FATAL);
    body.data[8] = 99;
    assert_int_equal(rf_rows_parse(RF_BINLOG_WRITE_ROWS_V2, rf_buf_str(&body), &rows, &err),
                     RF_FATAL);
    rf_buf_deinit(&body);
}

static void test_the_seven_rows_types_are_known(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        bool wanted = (type >= 23 && type <= 25) || (type >= 30 && type <= 32) || type == 39;
        assert_int_equal(rf_rows_is(type), wanted);
    }
}

static void test_rows_cut_anywhere_leave_the_batch_as_it_was(void **state)
{
    (void)state;
    /* Everything with a width of its own behind the last column. */
    static const struct test_column columns[] = {
        {.name = "id", .type = 3},
        {.name = "at", .type = 18, .metadata = 3},
        {.name = "price", .type = 246, .metadata = 12 | 2 << 8},
        {.name = "text", .type = 252, .metadata = 2, .collation = UTF8},
        {0}};
    static const char image[] =
        "00 01 00 00 00 99 b2 ba c8 b8 1e d2 80 00 00 00 0c 05 02 00 61 62 ";
    const size_t size = (sizeof image - 1) / 3;
    for (size_t cut = 1; cut <= 2 * size; cut++) {
        struct rf_batch batch = {0};
        struct rf_error err = {0};
        struct rf_buf hex = {0};
        assert_int_equal(decode(columns, WRITE, image, &batch, &err), RF_OK);
        rf_buf_printf(&hex, "%s%s", image, image);
        hex.size -= cut * 3;
        bool whole = cut == size || cut == 2 * size;
        assert_int_equal(decode(columns, WRITE, rf_buf_cstr(&hex), &batch, &err) == RF_OK, whole);
        assert_int_equal(batch.count, cut == size ? 2 : 1);
        assert_int_equal(batch.transactions[0].count, batch.count);
        if (!whole) {
            assert_int_equal(err.status, RF_FATAL);
            assert_non_null(strstr(err.message, cut < size ? "row 1" : "row 0"));
        }
        rf_buf_deinit(&hex);
        rf_batch_deinit(&batch);
    }
}

static void test_an_update_without_its_after_image_is_damage(void **state)
{
    (void)state;
    struct rf_batch batch = {0};
    struct rf_error err = {0};
    assert_int_equal(decode(pair, UPDATE, "00 01 00 00 00 01 61", &batch, &err), RF_FATAL);
    assert_int_equal(batch.count, 0);
    rf_batch_deinit(&batch);
}

/* MINIMAL: the key before, what changed after. What is absent has no bit among the NULLs. */
static void test_images_that_may_lack_columns_have_them_absent(void **state)
{
    (void)state;
    static const struct {
        uint8_t before, after;
        const char *images;
        bool good;
    } cases[] = {
        {1, 2, "00 01 00 00 00 00 01 61 00 02 00 00 00 00 01 62", true},
        {1, 2, "00 01 00 00 00 01 00 02 00 00 00 01", true},
        {1, 0, "00 01 00 00 00 00 02 00 00 00", true},
        {0, 2, "00 01 61", false},
        {0, 0, "", false},
        {1, 2, "00 01 00 00 00 00 01", false},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        struct rf_buf map = {0}, body = {0};
        struct rf_batch batch = {0};
        struct rf_error err = {0};
        struct rf_table *table = NULL;
        struct rf_rows rows;
        test_put_table(&map, pair);
        assert_int_equal(
            rf_binlog_table_parse(rf_buf_str(&map), RF_LOG_OF_MARIADB, 1, &table, &err), RF_OK);
        test_put_rows(&body, UPDATE, 2);
        body.data[body.size - 2] = (char)cases[i].before;
        body.data[body.size - 1] = (char)cases[i].after;
        test_put_hex(&body, cases[i].images);
        assert_int_equal(rf_rows_parse(UPDATE, rf_buf_str(&body), &rows, &err), RF_OK);
        rows.lacking = true;
        rf_batch_begin(&batch, RF_STR("0-1-1"), 0, true);
        enum rf_status status = rf_rows_decode(&rows, table, 1, &batch, &err);
        assert_int_equal(status, cases[i].good ? RF_OK : RF_FATAL);
        assert_int_equal(batch.count, cases[i].good ? 2 : 0);
        for (uint32_t k = 0; k < batch.count; k++) {
            const struct rf_event *event = &batch.events[k];
            assert_int_equal(event->before[0].i, k + 1);
            assert_int_equal(event->before[1].kind, RF_ABSENT);
            assert_int_equal(event->after[0].i, k + 1);
            assert_int_equal(event->after[1].kind, i == 0 ? RF_TEXT : i == 1 ? RF_NULL : RF_ABSENT);
        }
        rf_table_release(table);
        rf_batch_deinit(&batch);
        rf_buf_deinit(&map);
        rf_buf_deinit(&body);
    }
}

static void test_images_that_lack_a_column_are_refused_by_name(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        struct rf_buf map = {0}, body = {0};
        struct rf_batch batch = {0};
        struct rf_error err = {0};
        struct rf_table *table = NULL;
        struct rf_rows rows;
        test_put_table(&map, pair);
        assert_int_equal(
            rf_binlog_table_parse(rf_buf_str(&map), RF_LOG_OF_MARIADB, 1, &table, &err), RF_OK);
        test_put_rows(&body, UPDATE, 2);
        body.data[body.size - 1 - (size_t)side] = 1; /* only the first column */
        test_put_hex(&body, "00 01 00 00 00 00 01 00 00 00 01 61");
        assert_int_equal(rf_rows_parse(UPDATE, rf_buf_str(&body), &rows, &err), RF_OK);
        rf_batch_begin(&batch, RF_STR("0-1-1"), 0, true);
        assert_int_equal(rf_rows_decode(&rows, table, 1, &batch, &err), RF_FATAL);
        assert_non_null(strstr(err.message, "without column name"));
        assert_non_null(strstr(err.message, "MINIMAL or NOBLOB"));
        assert_non_null(strstr(err.hint, "SET GLOBAL binlog_row_image=FULL"));
        rf_table_release(table);
        rf_batch_deinit(&batch);
        rf_buf_deinit(&map);
        rf_buf_deinit(&body);
    }
}

static void test_rows_of_another_width_than_their_table_are_damage(void **state)
{
    (void)state;
    struct rf_buf map = {0}, body = {0};
    struct rf_batch batch = {0};
    struct rf_error err = {0};
    struct rf_table *table = NULL;
    struct rf_rows rows;
    test_put_table(&map, pair);
    assert_int_equal(rf_binlog_table_parse(rf_buf_str(&map), RF_LOG_OF_MARIADB, 1, &table, &err),
                     RF_OK);
    rf_batch_begin(&batch, RF_STR("0-1-1"), 0, true);
    for (uint32_t count = 0; count < 20; count++) {
        rf_buf_reset(&body);
        test_put_rows(&body, WRITE, count);
        assert_int_equal(rf_rows_parse(WRITE, rf_buf_str(&body), &rows, &err), RF_OK);
        assert_int_equal(rf_rows_decode(&rows, table, 1, &batch, &err),
                         count == 2 ? RF_OK : RF_FATAL);
    }
    rf_table_release(table);
    rf_batch_deinit(&batch);
    rf_buf_deinit(&map);
    rf_buf_deinit(&body);
}

static void test_text_that_is_utf8_already_is_not_copied(void **state)
{
    (void)state;
    struct rf_buf map = {0}, body = {0};
    struct rf_batch batch = {0};
    struct rf_error err = {0};
    struct rf_table *table = NULL;
    struct rf_rows rows;
    test_put_table(&map, pair);
    assert_int_equal(rf_binlog_table_parse(rf_buf_str(&map), RF_LOG_OF_MARIADB, 1, &table, &err),
                     RF_OK);
    test_put_rows(&body, WRITE, 2);
    test_put_hex(&body, "00 01 00 00 00 03 61 c3 a4");
    assert_int_equal(rf_rows_parse(WRITE, rf_buf_str(&body), &rows, &err), RF_OK);
    rf_batch_begin(&batch, RF_STR("0-1-1"), 0, true);
    assert_int_equal(rf_rows_decode(&rows, table, 1, &batch, &err), RF_OK);
    assert_ptr_equal(batch.events[0].after[1].text, body.data + body.size - 3);
    rf_table_release(table);
    rf_batch_deinit(&batch);
    rf_buf_deinit(&map);
    rf_buf_deinit(&body);
}

static void test_an_error_says_where_text_stops_being_text(void **state)
{
    (void)state;
    struct rf_batch batch = {0};
    struct rf_error err = {0};
    static const char image[] = "00 01 00 00 00 00 00 02 00 00 00 04 61 62 e4 63";
    assert_int_equal(decode_by(pair, WRITE, image, true, &batch, &err), RF_FATAL);
    assert_non_null(strstr(err.message, "column name of table shop.items, row 1"));
    assert_non_null(strstr(err.message, "e4 63"));
    assert_null(strstr(err.message, "61 62"));
    assert_non_null(strstr(err.hint, "Mend the row"));
    rf_batch_deinit(&batch);
}

static void test_invalid_bytes_are_marked_and_counted_by_value(void **state)
{
    (void)state;
    static const struct test_column columns[] = {
        {.name = "u", .type = 15, .metadata = 20, .collation = UTF8},
        {.name = "a", .type = 15, .metadata = 20, .collation = ASCII},
        {.name = "g", .type = 15, .metadata = 20, .collation = 28},
        {.name = "e",
         .type = 254,
         .metadata = 0xf7 | 1 << 8,
         .collation = ASCII,
         .members = "x,\xe4"},
        {0}};
    static const char images[] = "f0 01 ff 02 61 80 02 a2 a0 02 f0 01 61 01 62 02 d6 d0 01";
    struct rf_batch batch = {0};
    struct rf_error err = {0};
    assert_int_equal(decode(columns, WRITE, images, &batch, &err), RF_OK);
    assert_int_equal(batch.count, 2);
    assert_int_equal(batch.marked, 4);
    const struct rf_value *bad = batch.events[0].after, *good = batch.events[1].after;
    assert_true(rf_str_equal(rf_value_str(bad[0]), RF_STR("\xf4\x8f\xbb\xbf")));
    assert_true(rf_str_equal(rf_value_str(bad[1]), RF_STR("a\xf4\x8f\xba\x80")));
    assert_true(rf_str_equal(rf_value_str(bad[2]), RF_STR("\xf4\x8f\xba\xa2\xf4\x8f\xba\xa0")));
    assert_true(rf_str_equal(rf_value_str(bad[3]), RF_STR("\xf4\x8f\xbb\xa4")));
    assert_true(rf_str_equal(rf_value_str(good[2]), RF_STR("中")));
    assert_true(rf_str_equal(rf_value_str(good[3]), RF_STR("x")));
    rf_batch_deinit(&batch);
    /* Only with what is valid does a strict reading go on. */
    assert_int_equal(decode_by(columns, WRITE, "f0 01 61 01 62 02 d6 d0 01", true, &batch, &err),
                     RF_OK);
    rf_batch_deinit(&batch);
    static const char *const alone[] = {"f0 01 ff 01 62 02 d6 d0 01", "f0 01 61 01 80 02 d6 d0 01",
                                        "f0 01 61 01 62 01 d6 01", "f0 01 61 01 62 02 d6 d0 02"};
    for (size_t i = 0; i < count_of(alone); i++) {
        assert_int_equal(decode_by(columns, WRITE, alone[i], true, &batch, &err), RF_FATAL);
        assert_int_equal(batch.count, 0);
        assert_int_equal(batch.marked, 0);
        rf_batch_deinit(&batch);
    }
}

static void test_documents_and_vectors(void **state)
{
    (void)state;
    const struct test_column json = {.type = 245, .metadata = 4};
    const struct test_column vector = {.type = 242, .metadata = 4};
    expect_text(json, "0b 00 00 00 02 02 00 0a 00 05 01 00 05 02 00", RF_JSON, RF_STR("[1, 2]"));
    expect_text(json, "00 00 00 00", RF_JSON, RF_STR("null"));
    expect_text(vector, "08 00 00 00 00 00 80 3f 00 00 00 c0", RF_VECTOR,
                (struct rf_str){"\0\0\x80\x3f\0\0\0\xc0", 8});
}

enum { PARTIAL_UPDATE = RF_BINLOG_PARTIAL_UPDATE_ROWS };

static void test_partial_updates_change_the_documents_of_the_before_image(void **state)
{
    (void)state;
    static const struct test_column columns[] = {{.name = "id", .type = 3},
                                                 {.name = "a", .type = 245, .metadata = 4},
                                                 {.name = "n", .type = 1},
                                                 {.name = "b", .type = 245, .metadata = 4},
                                                 {0}};
    /* Two rows: of the first a is changed and b is whole, of the second it is the other way round;
     * a is NULL there. */
    static const char images[] =
        "f0 01 00 00 00 0b 00 00 00 02 02 00 0a 00 05 01 00 05 02 00 07 02 00 00 00 04 00 "
        "01 01 f0 01 00 00 00 0a 00 00 00 00 04 24 5b 30 5d 03 05 09 00 08 02 00 00 00 04 01 "
        "f2 02 00 00 00 07 02 00 00 00 04 00 "
        "01 02 f2 02 00 00 00 07 06 00 00 00 00 01 24 02 04 02";
    struct rf_batch batch = {0};
    struct rf_error err = {0};
    assert_int_equal(decode(columns, PARTIAL_UPDATE, images, &batch, &err), RF_OK);
    assert_int_equal(batch.count, 2);
    const struct rf_value *before = batch.events[0].before, *after = batch.events[0].after;
    assert_int_equal(batch.events[0].op, RF_UPDATE);
    assert_true(rf_str_equal(rf_value_str(before[1]), RF_STR("[1, 2]")));
    assert_true(rf_str_equal(rf_value_str(after[1]), RF_STR("[9, 2]")));
    assert_int_equal(after[2].i, 8);
    assert_true(rf_str_equal(rf_value_str(after[3]), RF_STR("true")));
    after = batch.events[1].after;
    assert_int_equal(after[1].kind, RF_NULL);
    assert_true(rf_str_equal(rf_value_str(after[3]), RF_STR("false")));
    rf_batch_deinit(&batch);
}

static void test_partial_updates_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const struct test_column columns[] = {{.name = "a", .type = 245, .metadata = 4}, {0}};
    static const struct {
        const char *images, *why;
    } cases[] = {
        {"fe 02 00 00 00 04 00", "in front of the after image"},
        {"fe 02 00 00 00 04 00 02 fe 02 00 00 00 04 00", "options that are not known"},
        {"fe 02 00 00 00 04 00 01", "bitmap of changed documents"},
        {"fe 02 00 00 00 04 00 01 01", "bitmap of NULLs"},
        {"ff 01 01 fe 06 00 00 00 00 01 24 02 04 02", "not there"},
        {"fe 02 00 00 00 04 00 01 01 fe 08 00 00 00 00 03 24 2e 61 02 04 02", "does not fit"},
        {"fe 02 00 00 00 04 00 01 01 fe 03 00 00 00 00 01 24", "damaged"},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        struct rf_batch batch = {0};
        struct rf_error err = {0};
        assert_int_equal(decode(columns, PARTIAL_UPDATE, cases[i].images, &batch, &err), RF_FATAL);
        if (strstr(err.message, cases[i].why) == NULL) {
            fail_msg("case %zu: %s", i, err.message);
        }
        assert_int_equal(batch.count, 0);
        rf_batch_deinit(&batch);
    }
    /* Without options it is an update like any other. */
    struct rf_batch batch = {0};
    struct rf_error err = {0};
    assert_int_equal(decode(columns, PARTIAL_UPDATE, "fe 02 00 00 00 04 00 00 fe 02 00 00 00 04 01",
                            &batch, &err),
                     RF_OK);
    assert_true(rf_str_equal(rf_value_str(batch.events[0].after[0]), RF_STR("true")));
    rf_batch_deinit(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers_at_their_boundaries),
        cmocka_unit_test(test_floating_numbers_keep_their_bits),
        cmocka_unit_test(test_bits_are_a_number_of_their_width),
        cmocka_unit_test(test_temporal_types_are_packed),
        cmocka_unit_test(test_impossible_values_are_damage),
        cmocka_unit_test(test_text_and_bytes),
        cmocka_unit_test(test_enums_and_sets_are_their_members),
        cmocka_unit_test(test_rows_become_events_in_their_order),
        cmocka_unit_test(test_version_2_has_extra_data_that_is_skipped),
        cmocka_unit_test(test_the_seven_rows_types_are_known),
        cmocka_unit_test(test_rows_cut_anywhere_leave_the_batch_as_it_was),
        cmocka_unit_test(test_an_update_without_its_after_image_is_damage),
        cmocka_unit_test(test_images_that_may_lack_columns_have_them_absent),
        cmocka_unit_test(test_images_that_lack_a_column_are_refused_by_name),
        cmocka_unit_test(test_rows_of_another_width_than_their_table_are_damage),
        cmocka_unit_test(test_text_that_is_utf8_already_is_not_copied),
        cmocka_unit_test(test_an_error_says_where_text_stops_being_text),
        cmocka_unit_test(test_invalid_bytes_are_marked_and_counted_by_value),
        cmocka_unit_test(test_documents_and_vectors),
        cmocka_unit_test(test_partial_updates_change_the_documents_of_the_before_image),
        cmocka_unit_test(test_partial_updates_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
