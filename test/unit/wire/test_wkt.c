#include "wire/wkt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* Well-known binary from its parts, and the text of it; "refused" when there is none. */
static struct rf_buf wkb, text;

static void part(const char *bytes, size_t size)
{
    rf_buf_add(&wkb, bytes, size);
}
#define PART(bytes) part(bytes, sizeof bytes - 1)

/* Lowest byte first. */
static void head(char type, char count)
{
    const char bytes[] = {1, type, 0, 0, 0, count, 0, 0, 0};
    part(bytes, type == 1 ? 5 : 9);
}

static void count(char number)
{
    const char bytes[] = {number, 0, 0, 0};
    part(bytes, sizeof bytes);
}

static void xy(double x, double y)
{
    part((const char *)&x, sizeof x);
    part((const char *)&y, sizeof y);
}

static const char *read_it(void)
{
    /* A copy of its exact size, so that a read behind it is seen. */
    char *copy = malloc(wkb.size > 0 ? wkb.size : 1);
    memcpy(copy, rf_buf_cstr(&wkb), wkb.size);
    rf_buf_set(&text, RF_STR("x"));
    bool good = rf_wkt_add(&text, (struct rf_str){copy, wkb.size});
    free(copy);
    rf_buf_reset(&wkb);
    if (!good) {
        assert_int_equal(text.size, 1);
        return "refused";
    }
    return rf_buf_cstr(&text) + 1;
}

static void test_each_type_has_its_text(void **state)
{
    (void)state;
    head(1, 0), xy(1, -2.5);
    assert_string_equal(read_it(), "POINT (1 -2.5)");
    head(2, 2), xy(0, 0), xy(1, 1);
    assert_string_equal(read_it(), "LINESTRING (0 0, 1 1)");
    head(3, 2), count(3), xy(0, 0), xy(1, 0), xy(0, 0), count(1), xy(5, 6);
    assert_string_equal(read_it(), "POLYGON ((0 0, 1 0, 0 0), (5 6))");
    head(4, 2), head(1, 0), xy(1, 2), head(1, 0), xy(3, 4);
    assert_string_equal(read_it(), "MULTIPOINT ((1 2), (3 4))");
    head(5, 1), head(2, 2), xy(0, 0), xy(1, 1);
    assert_string_equal(read_it(), "MULTILINESTRING ((0 0, 1 1))");
    head(6, 1), head(3, 1), count(1), xy(7, 8);
    assert_string_equal(read_it(), "MULTIPOLYGON (((7 8)))");
    head(7, 2), head(1, 0), xy(1, 2), head(7, 0);
    assert_string_equal(read_it(), "GEOMETRYCOLLECTION (POINT (1 2), GEOMETRYCOLLECTION EMPTY)");
    head(4, 0);
    assert_string_equal(read_it(), "MULTIPOINT EMPTY");
}

static void test_both_orders_of_bytes_are_read(void **state)
{
    (void)state;
    PART("\0\0\0\0\1\x3f\xf0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0");
    assert_string_equal(read_it(), "POINT (1 2)");
    /* Each geometry within has its own. */
    PART("\1\4\0\0\0\1\0\0\0\0\0\0\0\1\x3f\xf0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0");
    assert_string_equal(read_it(), "MULTIPOINT ((1 2))");
}

static void test_a_cut_geometry_is_refused_wherever_it_ends(void **state)
{
    (void)state;
    struct rf_buf whole = {0};
    head(7, 2), head(3, 1), count(2), xy(0, 0), xy(1, 1), head(4, 1), head(1, 0), xy(1, 2);
    rf_buf_set(&whole, rf_buf_str(&wkb));
    assert_string_equal(read_it(), "GEOMETRYCOLLECTION (POLYGON ((0 0, 1 1)), MULTIPOINT ((1 2)))");
    for (size_t size = 0; size < whole.size; size++) {
        part(whole.data, size);
        assert_string_equal(read_it(), "refused");
    }
    part(whole.data, whole.size);
    PART("x");
    assert_string_equal(read_it(), "refused");
    rf_buf_deinit(&whole);
}

static void test_what_is_no_geometry_is_refused(void **state)
{
    (void)state;
    head(0, 0);
    assert_string_equal(read_it(), "refused");
    head(8, 0);
    assert_string_equal(read_it(), "refused");
    /* A line among points. */
    head(4, 1), head(2, 1), xy(1, 2);
    assert_string_equal(read_it(), "refused");
    /* Numbers that are not finite. */
    PART("\0\0\0\0\1\x7f\xf0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0");
    assert_string_equal(read_it(), "refused");
    PART("\0\0\0\0\1\x40\0\0\0\0\0\0\0\x7f\xf8\0\0\0\0\0\0");
    assert_string_equal(read_it(), "refused");
    /* More points than there are bytes. */
    PART("\1\2\0\0\0\xff\xff\xff\xff");
    assert_string_equal(read_it(), "refused");
}

static void test_collections_may_be_nested_so_deep_and_no_deeper(void **state)
{
    (void)state;
    enum { DEEPEST = 32 };
    for (int i = 0; i < DEEPEST; i++) {
        head(7, 1);
    }
    head(7, 0);
    assert_string_not_equal(read_it(), "refused");
    for (int i = 0; i <= DEEPEST; i++) {
        head(7, 1);
    }
    head(7, 0);
    assert_string_equal(read_it(), "refused");
}

static int free_buffers(void **state)
{
    (void)state;
    rf_buf_deinit(&wkb);
    rf_buf_deinit(&text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_type_has_its_text),
        cmocka_unit_test(test_both_orders_of_bytes_are_read),
        cmocka_unit_test(test_a_cut_geometry_is_refused_wherever_it_ends),
        cmocka_unit_test(test_what_is_no_geometry_is_refused),
        cmocka_unit_test(test_collections_may_be_nested_so_deep_and_no_deeper),
    };
    return cmocka_run_group_tests(tests, NULL, free_buffers);
}
