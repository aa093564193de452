#include "wire/gtid_set.h"

#include "lib/binlog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))

#define A "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define B "4350f323-7565-4e59-8763-4b1b83a0ce0e"

static struct rf_gtid_set set_of(const char *text)
{
    struct rf_gtid_set set = {0};
    struct rf_error err = {0};
    if (rf_gtid_set_parse(&set, rf_str_of(text), &err) != RF_OK) {
        fail_msg("%s: %s", text, err.message);
    }
    return set;
}

static void expect_set(const struct rf_gtid_set *set, const char *text)
{
    struct rf_buf out = {0};
    rf_gtid_set_print(&out, set);
    assert_string_equal(rf_buf_cstr(&out), text);
    rf_buf_deinit(&out);
}

static struct rf_mysql_gtid gtid_of(const char *text)
{
    struct rf_mysql_gtid gtid;
    assert_true(rf_mysql_gtid_parse(rf_str_of(text), &gtid));
    return gtid;
}

static void test_a_gtid_reads_back_as_printed(void **state)
{
    (void)state;
    static const char *const texts[] = {A ":1", A ":9223372036854775806", A ":tag:7", A ":_t1:23",
                                        B ":abcdefghijklmnopqrstuvwxyz012345:9223372036854775806"};
    for (size_t i = 0; i < count_of(texts); i++) {
        struct rf_buf out = {0};
        struct rf_mysql_gtid gtid = gtid_of(texts[i]);
        rf_mysql_gtid_print(&out, &gtid);
        assert_string_equal(rf_buf_cstr(&out), texts[i]);
        assert_true(out.size <= RF_MYSQL_GTID_TEXT_MAX);
        rf_buf_deinit(&out);
    }
    struct rf_mysql_gtid large = gtid_of("3E11FA47-71CA-11E1-9E33-C80AA9429562:TaG:7");
    struct rf_mysql_gtid small = gtid_of(A ":tag:7");
    assert_true(rf_mysql_gtid_equal(&large, &small));
}

static void test_text_that_is_no_gtid_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        A,
                                        A ":",
                                        A ":0",
                                        A ":-1",
                                        A ":1-2",
                                        A ":1 ",
                                        " " A ":1",
                                        A ":1:2:3",
                                        A "::1",
                                        A ":tag:",
                                        A ":tag",
                                        A ":9tag:1",
                                        A ":ta-g:1",
                                        A ":tag:0",
                                        A ":9223372036854775807",
                                        A ":abcdefghijklmnopqrstuvwxyz0123456:1",
                                        "3e11fa47-71ca-11e1-9e33-c80aa942956:1",
                                        "3e11fa4771ca11e19e33c80aa9429562:1",
                                        "3e11fa47-71ca-11e1-9e33-c80aa942956g:1",
                                        "3e11fa47x71ca-11e1-9e33-c80aa9429562:1",
                                        "0-1-5"};
    for (size_t i = 0; i < count_of(texts); i++) {
        struct rf_mysql_gtid gtid = {.number = 42};
        if (rf_mysql_gtid_parse(rf_str_of(texts[i]), &gtid)) {
            fail_msg("\"%s\" was read", texts[i]);
        }
        assert_int_equal(gtid.number, 42);
    }
}

static void test_a_set_prints_as_the_server_prints_it(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"", ""},
        {" \n", ""},
        {A ":1", A ":1"},
        {A ":1-5", A ":1-5"},
        {A ":1-5:7", A ":1-5:7"},
        {A ":5:3:4:1", A ":1:3-5"},
        {A ":1-3:2-7:8", A ":1-8"},
        {A ":1-3:5-7:4", A ":1-7"},
        {" " A " : 1 - 3 : 5 ,\n" B ":9 ", A ":1-3:5," B ":9"},
        {B ":1," A ":1", A ":1," B ":1"},
        {A ":1," A ":2-3", A ":1-3"},
        {A ":1:tag:2-3:b:4", A ":1:b:4:tag:2-3"},
        {A ":tag:1," A ":4", A ":4:tag:1"},
        {A ":TAG:1", A ":tag:1"},
        {A ":a:1:a:2", A ":a:1-2"},
        {"3E11FA47-71CA-11E1-9E33-C80AA9429562:1", A ":1"},
        {A ":9223372036854775806", A ":9223372036854775806"},
    };
    for (size_t i = 0; i < count_of(texts); i++) {
        struct rf_gtid_set set = set_of(texts[i][0]);
        expect_set(&set, texts[i][1]);
        rf_gtid_set_deinit(&set);
    }
}

static void test_text_that_is_no_set_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {A,
                                        A ":",
                                        A ":x-1",
                                        A ":0",
                                        A ":0-3",
                                        A ":5-3",
                                        A ":1-",
                                        A ":-1",
                                        A ":1-2-3",
                                        A ":1,",
                                        "," A ":1",
                                        A ":1,," B ":1",
                                        A ":tag",
                                        A ":tag:",
                                        A ":1:tag",
                                        A ":1::2",
                                        "x:1",
                                        "0-1-5",
                                        A ":1;" B,
                                        A ":1 2",
                                        A ":9223372036854775807",
                                        A ":1-9223372036854775807"};
    struct rf_gtid_set set = set_of(B ":1-2");
    for (size_t i = 0; i < count_of(texts); i++) {
        struct rf_error err = {0};
        if (rf_gtid_set_parse(&set, rf_str_of(texts[i]), &err) != RF_CONFIG) {
            fail_msg("\"%s\" was read", texts[i]);
        }
        assert_true(err.message[0] != '\0' && err.hint[0] != '\0');
        expect_set(&set, B ":1-2");
    }
    rf_gtid_set_deinit(&set);
}

static void test_a_hole_stays_a_hole_until_it_is_filled(void **state)
{
    (void)state;
    struct rf_gtid_set set = set_of(A ":1-7:9-10");
    struct rf_mysql_gtid eight = gtid_of(A ":8"), ten = gtid_of(A ":10");
    assert_false(rf_gtid_set_has(&set, &eight));
    assert_true(rf_gtid_set_has(&set, &ten));
    assert_false(rf_gtid_set_add(&set, &ten));
    expect_set(&set, A ":1-7:9-10");
    assert_true(rf_gtid_set_add(&set, &eight));
    expect_set(&set, A ":1-10");
    rf_gtid_set_deinit(&set);
}

static void test_tags_number_on_their_own(void **state)
{
    (void)state;
    struct rf_gtid_set set = set_of(A ":1-3:tag:1");
    struct rf_mysql_gtid tagged = gtid_of(A ":tag:2"), plain = gtid_of(A ":2");
    assert_true(rf_gtid_set_has(&set, &plain));
    assert_false(rf_gtid_set_has(&set, &tagged));
    assert_true(rf_gtid_set_add(&set, &tagged));
    expect_set(&set, A ":1-3:tag:1-2");
    rf_gtid_set_deinit(&set);
}

static void test_containing_uniting_and_subtracting(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool contains; /* a all of b */
        const char *both, *rest;
    } cases[] = {
        {"", "", true, "", ""},
        {A ":1-5", "", true, A ":1-5", A ":1-5"},
        {"", A ":1-5", false, A ":1-5", ""},
        {A ":1-5", A ":1-5", true, A ":1-5", ""},
        {A ":1-10", A ":3-4:7", true, A ":1-10", A ":1-2:5-6:8-10"},
        {A ":1-7:9-10", A ":8", false, A ":1-10", A ":1-7:9-10"},
        {A ":1-7:9-10", A ":7-9", false, A ":1-10", A ":1-6:10"},
        {A ":1-5", B ":1", false, A ":1-5," B ":1", A ":1-5"},
        {A ":1-5," B ":1", B ":1", true, A ":1-5," B ":1", A ":1-5"},
        {A ":1-5:t:1-5", A ":t:2", true, A ":1-5:t:1-5", A ":1-5:t:1:3-5"},
        {A ":1-5", A ":t:2", false, A ":1-5:t:2", A ":1-5"},
        {A ":2:4:6:8", A ":1-9", false, A ":1-9", ""},
        {A ":1-9", A ":2:4:6:8", true, A ":1-9", A ":1:3:5:7:9"},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        struct rf_gtid_set a = set_of(cases[i].a), b = set_of(cases[i].b);
        assert_int_equal(rf_gtid_set_contains(&a, &b), cases[i].contains);
        struct rf_gtid_set copy = {0};
        rf_gtid_set_copy(&copy, &a);
        rf_gtid_set_unite(&copy, &b);
        expect_set(&copy, cases[i].both);
        rf_gtid_set_copy(&copy, &a);
        rf_gtid_set_subtract(&copy, &b);
        expect_set(&copy, cases[i].rest);
        rf_gtid_set_deinit(&copy);
        rf_gtid_set_deinit(&a);
        rf_gtid_set_deinit(&b);
    }
}

enum { ORIGINS = 4, NUMBERS = 40 };

/* What a set should be, one bit per transaction. */
struct model {
    uint64_t bits[ORIGINS];
};

static struct rf_mysql_gtid gtid_at(unsigned origin, unsigned number)
{
    static const char *const texts[ORIGINS] = {A ":1", A ":a:1", A ":b:1", B ":1"};
    struct rf_mysql_gtid gtid = gtid_of(texts[origin]);
    gtid.number = number;
    return gtid;
}

static void fill(struct rf_gtid_set *set, struct model *model, unsigned *seed)
{
    for (int i = 0; i < 20; i++) {
        unsigned origin = (unsigned)rand_r(seed) % ORIGINS;
        unsigned number = 1 + (unsigned)rand_r(seed) % NUMBERS;
        struct rf_mysql_gtid gtid = gtid_at(origin, number);
        bool added = rf_gtid_set_add(set, &gtid);
        assert_int_equal(added, (model->bits[origin] >> number & 1) == 0);
        model->bits[origin] |= (uint64_t)1 << number;
    }
}

static void expect_model(const struct rf_gtid_set *set, const struct model *model)
{
    for (unsigned origin = 0; origin < ORIGINS; origin++) {
        for (unsigned number = 1; number <= NUMBERS; number++) {
            struct rf_mysql_gtid gtid = gtid_at(origin, number);
            assert_int_equal(rf_gtid_set_has(set, &gtid), model->bits[origin] >> number & 1);
        }
    }
    for (uint32_t i = 0; i < set->count; i++) {
        assert_true(set->items[i].count > 0);
        for (uint32_t j = 1; j < set->items[i].count; j++) {
            assert_true(set->items[i].items[j - 1].last + 1 < set->items[i].items[j].first);
        }
    }
}

/* Text and bytes lead back to the same set. */
static void expect_round_trips(const struct rf_gtid_set *set)
{
    struct rf_gtid_set again = {0};
    struct rf_buf text = {0}, bytes = {0};
    rf_gtid_set_print(&text, set);
    assert_int_equal(rf_gtid_set_parse(&again, rf_buf_str(&text), NULL), RF_OK);
    expect_set(&again, rf_buf_cstr(&text));
    rf_gtid_set_encode(&bytes, set);
    assert_int_equal(rf_gtid_set_decode(&again, rf_buf_str(&bytes), NULL), RF_OK);
    expect_set(&again, rf_buf_cstr(&text));
    rf_gtid_set_deinit(&again);
    rf_buf_deinit(&text);
    rf_buf_deinit(&bytes);
}

static void test_random_sets_behave_as_sets(void **state)
{
    (void)state;
    for (unsigned round = 1; round <= 300; round++) {
        unsigned seed = round;
        struct rf_gtid_set a = {0}, b = {0};
        struct model of_a = {{0}}, of_b = {{0}};
        bool contains = true;
        fill(&a, &of_a, &seed);
        fill(&b, &of_b, &seed);
        expect_model(&a, &of_a);
        expect_round_trips(&a);
        for (unsigned i = 0; i < ORIGINS; i++) {
            contains = contains && (of_b.bits[i] & ~of_a.bits[i]) == 0;
        }
        assert_int_equal(rf_gtid_set_contains(&a, &b), contains);
        if (round % 2 == 0) {
            rf_gtid_set_unite(&a, &b);
            assert_true(rf_gtid_set_contains(&a, &b));
        } else {
            rf_gtid_set_subtract(&a, &b);
        }
        for (unsigned i = 0; i < ORIGINS; i++) {
            of_a.bits[i] =
                round % 2 == 0 ? of_a.bits[i] | of_b.bits[i] : of_a.bits[i] & ~of_b.bits[i];
        }
        expect_model(&a, &of_a);
        expect_round_trips(&a);
        rf_gtid_set_deinit(&a);
        rf_gtid_set_deinit(&b);
    }
}

static void test_bytes_are_those_of_the_protocol(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "00 00 00 00 00 00 00 00"},
        {A ":1-7:9", "01 00 00 00 00 00 00 00 3e 11 fa 47 71 ca 11 e1 9e 33 c8 0a a9 42 95 62 "
                     "02 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00 "
                     "09 00 00 00 00 00 00 00 0a 00 00 00 00 00 00 00"},
        {A ":1:ab:2", "01 02 00 00 00 00 00 01 3e 11 fa 47 71 ca 11 e1 9e 33 c8 0a a9 42 95 62 00 "
                      "01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 "
                      "3e 11 fa 47 71 ca 11 e1 9e 33 c8 0a a9 42 95 62 04 61 62 "
                      "01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 03 00 00 00 00 00 00 00"},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        struct rf_gtid_set set = set_of(cases[i][0]), again = {0};
        struct rf_buf wanted = {0}, found = {0};
        test_put_hex(&wanted, cases[i][1]);
        rf_gtid_set_encode(&found, &set);
        assert_int_equal(found.size, wanted.size);
        assert_memory_equal(found.data, wanted.data, wanted.size);
        assert_int_equal(rf_gtid_set_decode(&again, rf_buf_str(&found), NULL), RF_OK);
        expect_set(&again, cases[i][0]);
        rf_gtid_set_deinit(&set);
        rf_gtid_set_deinit(&again);
        rf_buf_deinit(&wanted);
        rf_buf_deinit(&found);
    }
}

static void test_bytes_cut_anywhere_are_damage(void **state)
{
    (void)state;
    struct rf_gtid_set set = set_of(A ":1-7:9:ab:2"), read = {0};
    struct rf_buf bytes = {0};
    rf_gtid_set_encode(&bytes, &set);
    for (size_t size = 0; size < bytes.size; size++) {
        struct rf_error err = {0};
        char *cut = malloc(size > 0 ? size : 1);
        assert_non_null(cut);
        memcpy(cut, bytes.data, size);
        assert_int_equal(rf_gtid_set_decode(&read, (struct rf_str){cut, size}, &err), RF_FATAL);
        assert_int_equal(read.count, 0);
        free(cut);
    }
    rf_buf_add_byte(&bytes, 0);
    assert_int_equal(rf_gtid_set_decode(&read, rf_buf_str(&bytes), NULL), RF_FATAL);
    rf_gtid_set_deinit(&set);
    rf_gtid_set_deinit(&read);
    rf_buf_deinit(&bytes);
}

static void test_intervals_that_no_server_writes_are_damage(void **state)
{
    (void)state;
    static const uint64_t intervals[][4] = {
        {0, 5, 6, 7}, /* from 0 */
        {5, 5, 6, 7}, /* empty */
        {5, 3, 6, 7}, /* backwards */
        {1, 5, 5, 7}, /* adjacent */
        {1, 5, 4, 7}, /* overlapping */
        {1, 5, 6, UINT64_MAX}, {1, 5, 6, (uint64_t)INT64_MAX + 1},
    };
    for (size_t i = 0; i < count_of(intervals); i++) {
        struct rf_gtid_set set = {0};
        struct rf_buf bytes = {0};
        test_put(&bytes, 1, 8);
        test_put_hex(&bytes, "3e 11 fa 47 71 ca 11 e1 9e 33 c8 0a a9 42 95 62");
        test_put(&bytes, 2, 8);
        for (size_t j = 0; j < 4; j++) {
            test_put(&bytes, intervals[i][j], 8);
        }
        assert_int_equal(rf_gtid_set_decode(&set, rf_buf_str(&bytes), NULL), RF_FATAL);
        rf_buf_deinit(&bytes);
        rf_gtid_set_deinit(&set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_gtid_reads_back_as_printed),
        cmocka_unit_test(test_text_that_is_no_gtid_is_refused),
        cmocka_unit_test(test_a_set_prints_as_the_server_prints_it),
        cmocka_unit_test(test_text_that_is_no_set_is_refused_and_changes_nothing),
        cmocka_unit_test(test_a_hole_stays_a_hole_until_it_is_filled),
        cmocka_unit_test(test_tags_number_on_their_own),
        cmocka_unit_test(test_containing_uniting_and_subtracting),
        cmocka_unit_test(test_random_sets_behave_as_sets),
        cmocka_unit_test(test_bytes_are_those_of_the_protocol),
        cmocka_unit_test(test_bytes_cut_anywhere_are_damage),
        cmocka_unit_test(test_intervals_that_no_server_writes_are_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
