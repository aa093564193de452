#include "wire/gtid.h"

#include "lib/binlog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))

static void expect_list(const struct rf_gtid_list *list, const char *text)
{
    struct rf_buf out = {0};
    rf_gtid_list_print(&out, list);
    assert_string_equal(rf_buf_cstr(&out), text);
    rf_buf_deinit(&out);
}

static void test_a_gtid_reads_back_as_printed(void **state)
{
    (void)state;
    static const char *const texts[] = {"0-1-42", "0-0-0",
                                        "4294967295-4294967295-18446744073709551615"};
    for (size_t i = 0; i < count_of(texts); i++) {
        struct rf_gtid gtid;
        struct rf_buf out = {0};
        assert_true(rf_gtid_parse(rf_str_of(texts[i]), &gtid));
        rf_gtid_print(&out, gtid);
        assert_string_equal(rf_buf_cstr(&out), texts[i]);
        assert_true(out.size <= RF_GTID_TEXT_MAX);
        rf_buf_deinit(&out);
    }
}

static void test_text_that_is_no_gtid_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "0",
                                        "0-1",
                                        "0-1-",
                                        "-1-2",
                                        "0--2",
                                        "0-1-2-3",
                                        "0-1-2-",
                                        " 0-1-2",
                                        "0-1-2 ",
                                        "0-1-x",
                                        "a-1-2",
                                        "4294967296-1-2",
                                        "0-4294967296-2",
                                        "0-1-18446744073709551616",
                                        "0-1--2",
                                        "+0-1-2"};
    for (size_t i = 0; i < count_of(texts); i++) {
        struct rf_gtid gtid = {9, 9, 9};
        assert_false(rf_gtid_parse(rf_str_of(texts[i]), &gtid));
        assert_int_equal(gtid.sequence, 9);
    }
}

static void test_a_list_is_kept_by_domain(void **state)
{
    (void)state;
    struct rf_gtid_list list = {0};
    struct rf_error err = {0};
    assert_int_equal(rf_gtid_list_parse(&list, RF_STR(" 7-2-12 ,\n0-1-42, 3-1-1\n"), &err), RF_OK);
    expect_list(&list, "0-1-42,3-1-1,7-2-12");
    rf_gtid_list_update(&list, (struct rf_gtid){3, 9, 2});
    rf_gtid_list_update(&list, (struct rf_gtid){4, 1, 5});
    rf_gtid_list_update(&list, (struct rf_gtid){9, 1, 1});
    expect_list(&list, "0-1-42,3-9-2,4-1-5,7-2-12,9-1-1");
    assert_int_equal(rf_gtid_list_find(&list, 4)->sequence, 5);
    assert_null(rf_gtid_list_find(&list, 5));
    assert_int_equal(rf_gtid_list_parse(&list, RF_STR(""), &err), RF_OK);
    expect_list(&list, "");
    rf_gtid_list_deinit(&list);
}

static void test_a_thousand_domains_stay_sorted(void **state)
{
    (void)state;
    struct rf_gtid_list list = {0};
    for (uint32_t i = 0; i < 1000; i++) {
        rf_gtid_list_update(&list, (struct rf_gtid){i * 7919 % 1000, 1, i});
    }
    assert_int_equal(list.count, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(list.items[i].domain, i);
    }
    rf_gtid_list_deinit(&list);
}

static void test_a_wrong_list_leaves_the_old_one(void **state)
{
    (void)state;
    static const struct rf_str texts[] = {
        RF_STR("0-1"),         RF_STR("0-1-2,"),      RF_STR(",0-1-2"),   RF_STR("0-1-2,,1-1-1"),
        RF_STR("0-1-2,0-1-3"), RF_STR("0-1-2 1-1-1"), RF_STR("gibberish")};
    struct rf_gtid_list list = {0};
    struct rf_error err = {0};
    assert_int_equal(rf_gtid_list_parse(&list, RF_STR("5-5-5"), &err), RF_OK);
    for (size_t i = 0; i < count_of(texts); i++) {
        assert_int_equal(rf_gtid_list_parse(&list, texts[i], &err), RF_CONFIG);
        assert_int_not_equal(err.message[0], '\0');
        expect_list(&list, "5-5-5");
    }
    rf_gtid_list_deinit(&list);
}

static void test_a_position_contains_what_lies_before_it(void **state)
{
    (void)state;
    static const struct {
        const char *position, *other;
        bool contains;
    } cases[] = {
        {"0-1-5", "0-1-5", true},
        {"0-1-5", "0-1-4", true},
        {"0-1-5", "0-2-4", true},
        {"0-1-5", "0-1-6", false},
        {"0-1-5", "0-2-5", false},
        {"0-1-5", "1-1-1", false},
        {"0-1-5", "", true},
        {"", "0-1-1", false},
        {"", "", true},
        {"0-1-5,1-1-3", "1-1-3", true},
        {"0-1-5,1-1-3", "0-1-5,1-1-4", false},
        {"0-1-5", "0-1-5,1-1-1", false},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        struct rf_gtid_list position = {0}, other = {0};
        assert_int_equal(rf_gtid_list_parse(&position, rf_str_of(cases[i].position), NULL), RF_OK);
        assert_int_equal(rf_gtid_list_parse(&other, rf_str_of(cases[i].other), NULL), RF_OK);
        assert_int_equal(rf_gtid_list_contains(&position, &other), cases[i].contains);
        rf_gtid_list_deinit(&position);
        rf_gtid_list_deinit(&other);
    }
}

/* The body parsed from memory of exactly this size. */
static enum rf_status parse_event(const char *hex, size_t cut, struct rf_gtid_event *event)
{
    struct rf_buf body = {0};
    struct rf_error err = {0};
    test_put_hex(&body, hex);
    size_t size = body.size - cut;
    char *exact = malloc(size ? size : 1);
    memcpy(exact, body.data, size);
    enum rf_status status = rf_gtid_event_parse((struct rf_str){exact, size}, 12, event, &err);
    event->xid_global = RF_STR_NONE; /* they point into what is gone */
    event->xid_branch = RF_STR_NONE;
    free(exact);
    rf_buf_deinit(&body);
    return status;
}

static void test_a_gtid_event_gives_domain_server_and_sequence(void **state)
{
    (void)state;
    struct rf_gtid_event event;
    assert_int_equal(
        parse_event("2a 00 00 00 00 00 00 00 07 00 00 00 29 00 00 00 00 00 00", 0, &event), RF_OK);
    assert_int_equal(event.gtid.domain, 7);
    assert_int_equal(event.gtid.server_id, 12);
    assert_int_equal(event.gtid.sequence, 42);
    assert_int_equal(event.flags, RF_GTID_STANDALONE | RF_GTID_ALLOW_PARALLEL | RF_GTID_DDL);
    assert_int_equal(event.commit_id, 0);
}

static void test_a_gtid_event_has_its_group_commit_id(void **state)
{
    (void)state;
    struct rf_gtid_event event;
    static const char hex[] = "01 00 00 00 00 00 00 00 00 00 00 00 02 05 01 00 00 00 00 00 00";
    assert_int_equal(parse_event(hex, 0, &event), RF_OK);
    assert_int_equal(event.commit_id, 261);
    for (size_t cut = 1; cut <= 8; cut++) {
        assert_int_equal(parse_event(hex, cut, &event), RF_FATAL);
    }
}

/* Source: MariaDB, sql/log_event.h, Gtid_log_event::FL_EXTRA_THREAD_ID. */
static void test_a_gtid_event_of_newer_servers_has_its_thread(void **state)
{
    (void)state;
    struct rf_gtid_event event;
    static const char plain[] = "01 00 00 00 00 00 00 00 00 00 00 00 00 10 2a 01 00 00 00";
    static const char full[] = "01 00 00 00 00 00 00 00 00 00 00 00 00 15 02 "
                               "09 00 00 00 00 00 00 00 ff ff ff ff";
    assert_int_equal(parse_event(plain, 0, &event), RF_OK);
    assert_true(event.has_thread);
    assert_int_equal(event.thread_id, 298);
    assert_int_equal(parse_event(full, 0, &event), RF_OK);
    assert_true(event.has_thread);
    assert_int_equal(event.thread_id, UINT32_MAX);
    for (size_t cut = 1; cut <= 4; cut++) {
        assert_int_equal(parse_event(full, cut, &event), RF_FATAL);
    }
    assert_int_equal(
        parse_event("01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", 0, &event), RF_OK);
    assert_false(event.has_thread);
}

static void test_a_gtid_event_names_its_xa_transaction(void **state)
{
    (void)state;
    struct rf_buf body = {0};
    struct rf_gtid_event event;
    struct rf_error err = {0};
    test_put_hex(&body, "01 00 00 00 00 00 00 00 00 00 00 00 4c 07 00 00 00 02 01 67 68 62 01 02");
    assert_int_equal(rf_gtid_event_parse(rf_buf_str(&body), 1, &event, &err), RF_OK);
    assert_int_equal(event.xid_format, 7);
    assert_true(rf_str_equal(event.xid_global, RF_STR("gh")));
    assert_true(rf_str_equal(event.xid_branch, RF_STR("b")));
    assert_int_equal(event.extra_flags, 1);
    /* Cut inside the XID, or before the engines that the extra flags promise. */
    for (size_t size = 13; size < body.size; size++) {
        bool whole = size == body.size - 2;
        assert_int_equal(
            rf_gtid_event_parse((struct rf_str){body.data, size}, 1, &event, &err) == RF_OK, whole);
    }
    rf_buf_deinit(&body);
}

static void test_a_gtid_list_keeps_the_last_of_each_domain(void **state)
{
    (void)state;
    struct rf_buf body = {0};
    struct rf_gtid_list list = {0};
    struct rf_error err = {0};
    test_put(&body, 3 | 1u << 28, 4);
    for (uint64_t i = 0; i < 3; i++) {
        test_put(&body, i == 2 ? 5 : 0, 4);
        test_put(&body, i + 1, 4);
        test_put(&body, 100 - i, 8);
    }
    assert_int_equal(rf_gtid_list_event_parse(rf_buf_str(&body), &list, &err), RF_OK);
    expect_list(&list, "0-2-99,5-3-98");
    for (size_t size = 0; size < body.size; size++) {
        assert_int_equal(rf_gtid_list_event_parse((struct rf_str){body.data, size}, &list, &err),
                         RF_FATAL);
        expect_list(&list, "0-2-99,5-3-98");
    }
    rf_buf_reset(&body);
    test_put_hex(&body, "00 00 00 00 00 00");
    assert_int_equal(rf_gtid_list_event_parse(rf_buf_str(&body), &list, &err), RF_OK);
    assert_int_equal(list.count, 0);
    rf_gtid_list_deinit(&list);
    rf_buf_deinit(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_gtid_reads_back_as_printed),
        cmocka_unit_test(test_text_that_is_no_gtid_is_refused),
        cmocka_unit_test(test_a_list_is_kept_by_domain),
        cmocka_unit_test(test_a_thousand_domains_stay_sorted),
        cmocka_unit_test(test_a_wrong_list_leaves_the_old_one),
        cmocka_unit_test(test_a_position_contains_what_lies_before_it),
        cmocka_unit_test(test_a_gtid_event_gives_domain_server_and_sequence),
        cmocka_unit_test(test_a_gtid_event_has_its_group_commit_id),
        cmocka_unit_test(test_a_gtid_event_of_newer_servers_has_its_thread),
        cmocka_unit_test(test_a_gtid_event_names_its_xa_transaction),
        cmocka_unit_test(test_a_gtid_list_keeps_the_last_of_each_domain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
