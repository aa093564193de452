#include "wire/mysql_event.h"

#include "lib/binlog.h"
#include "wire/binlog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))

/* Bodies as MySQL 9.7 wrote them. */
static const char plain[] = "01 f1 a7 7f 29 ea 35 11 f1 8e 79 02 fc 00 00 00 01 02 00 00 00 00 00 "
                            "00 00 02 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 47 ee d9 2f "
                            "3d 61 06 e4 50 62 01 00";
static const char tagged[] =
    "02 78 00 00 00 02 c5 03 9d 02 fe 52 a9 03 6a 22 c5 03 39 02 f2 04 f1 03 "
    "00 00 00 02 04 04 06 10 74 61 67 67 65 64 5f 78 08 08 0a 10 0c 7f "
    "b9 f6 d9 2f 3d 61 06 10 bd 04 12 83 12 0b";

static enum rf_status parse(unsigned type, const char *hex, struct rf_mysql_gtid_event *event,
                            struct rf_error *err)
{
    struct rf_buf body = {0};
    test_put_hex(&body, hex);
    enum rf_status status = rf_mysql_gtid_event_parse(type, rf_buf_str(&body), event, err);
    rf_buf_deinit(&body);
    return status;
}

static void expect_gtid(const struct rf_mysql_gtid *gtid, const char *text)
{
    struct rf_buf out = {0};
    rf_mysql_gtid_print(&out, gtid);
    assert_string_equal(rf_buf_cstr(&out), text);
    rf_buf_deinit(&out);
}

static void test_a_gtid_event_of_a_server(void **state)
{
    (void)state;
    struct rf_mysql_gtid_event event;
    assert_int_equal(parse(RF_BINLOG_MYSQL_GTID, plain, &event, NULL), RF_OK);
    expect_gtid(&event.gtid, "f1a77f29-ea35-11f1-8e79-02fc00000001:2");
    assert_int_equal(event.flags, 1);
    assert_int_equal(event.last_committed, 1);
    assert_int_equal(event.sequence_number, 2);
    assert_int_equal(event.commit_us, UINT64_C(1795765283974727));
    assert_int_equal(event.original_commit_us, UINT64_C(1795765283974727));
    assert_int_equal(event.transaction_bytes, 228);
    assert_int_equal(event.version, 90704);
    assert_int_equal(event.original_version, 90704);
}

static void test_a_tagged_gtid_event_of_a_server(void **state)
{
    (void)state;
    struct rf_mysql_gtid_event event;
    assert_int_equal(parse(RF_BINLOG_MYSQL_GTID_TAGGED, tagged, &event, NULL), RF_OK);
    expect_gtid(&event.gtid, "f1a77f29-ea35-11f1-8e79-02fc00000001:tagged_x:1");
    assert_int_equal(event.flags, 0);
    assert_int_equal(event.last_committed, 2);
    assert_int_equal(event.sequence_number, 4);
    assert_int_equal(event.commit_us, UINT64_C(1795765283976889));
    assert_int_equal(event.original_commit_us, UINT64_C(1795765283976889));
    assert_int_equal(event.transaction_bytes, 303);
    assert_int_equal(event.version, 90704);
}

static void test_a_transaction_that_was_first_committed_elsewhere(void **state)
{
    (void)state;
    struct rf_mysql_gtid_event event;
    assert_int_equal(parse(RF_BINLOG_MYSQL_GTID,
                           "00 f1 a7 7f 29 ea 35 11 f1 8e 79 02 fc 00 00 00 01 02 00 00 00 00 00 "
                           "00 00 02 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 "
                           "02 00 00 00 00 00 80 01 00 00 00 00 00 00 fc 00 10 50 62 01 80 04 39 "
                           "01 00 ff ff ff ff ff ff ff 7f",
                           &event, NULL),
                     RF_OK);
    assert_int_equal(event.commit_us, 2);
    assert_int_equal(event.original_commit_us, 1);
    assert_int_equal(event.transaction_bytes, 4096);
    assert_int_equal(event.version, 90704);
    assert_int_equal(event.original_version, 80132);
}

static void test_what_older_servers_leave_out_is_not_said(void **state)
{
    (void)state;
    struct rf_mysql_gtid_event event;
    struct rf_buf body = {0};
    test_put_hex(&body, plain);
    static const size_t ends[] = {25, 42, 49, 50};
    for (size_t i = 0; i < count_of(ends); i++) {
        struct rf_str old = {body.data, ends[i]};
        assert_int_equal(rf_mysql_gtid_event_parse(RF_BINLOG_MYSQL_GTID, old, &event, NULL), RF_OK);
        assert_int_equal(event.gtid.number, 2);
        assert_int_equal(event.sequence_number, ends[i] > 25 ? 2 : 0);
        assert_int_equal(event.commit_us != 0, ends[i] > 42);
        assert_int_equal(event.version, 0);
    }
    rf_buf_deinit(&body);
}

static void test_an_anonymous_transaction_has_no_number(void **state)
{
    (void)state;
    struct rf_mysql_gtid_event event;
    assert_int_equal(parse(RF_BINLOG_MYSQL_ANONYMOUS_GTID,
                           "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
                           "00 00 02 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00",
                           &event, NULL),
                     RF_OK);
    assert_int_equal(event.gtid.number, 0);
}

static void test_a_number_that_cannot_be_is_damage(void **state)
{
    (void)state;
    struct rf_mysql_gtid_event event = {.flags = 77};
    struct rf_error err = {0};
    assert_int_equal(parse(RF_BINLOG_MYSQL_GTID,
                           "00 f1 a7 7f 29 ea 35 11 f1 8e 79 02 fc 00 00 00 01 00 00 00 00 00 00 "
                           "00 00 02 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00",
                           &event, &err),
                     RF_FATAL);
    assert_int_equal(event.flags, 77);
    assert_non_null(strstr(err.message, "GTID"));
}

static void test_gtid_events_cut_inside_a_field_are_damage(void **state)
{
    (void)state;
    static const struct {
        unsigned type;
        const char *hex;
        uint64_t whole; /* bit: the event may end there */
    } cases[] = {
        {RF_BINLOG_MYSQL_GTID, plain, 1ull << 25 | 1ull << 42 | 1ull << 49 | 1ull << 50},
        /* behind the number, and behind each field from there on */
        {RF_BINLOG_MYSQL_GTID_TAGGED, tagged,
         1ull << 30 | 1ull << 40 | 1ull << 42 | 1ull << 44 | 1ull << 53 | 1ull << 56},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        struct rf_buf body = {0};
        test_put_hex(&body, cases[i].hex);
        for (size_t size = 0; size < body.size; size++) {
            struct rf_mysql_gtid_event event;
            char *cut = malloc(size > 0 ? size : 1);
            assert_non_null(cut);
            memcpy(cut, body.data, size);
            enum rf_status status =
                rf_mysql_gtid_event_parse(cases[i].type, (struct rf_str){cut, size}, &event, NULL);
            if ((status == RF_OK) != ((cases[i].whole >> size & 1) != 0)) {
                fail_msg("case %zu cut at %zu: %s", i, size, rf_status_name(status));
            }
            free(cut);
        }
        rf_buf_deinit(&body);
    }
}

static void test_tagged_fields_that_are_not_known(void **state)
{
    (void)state;
    struct rf_mysql_gtid_event event;
    struct rf_error err = {0};
    struct rf_buf body = {0};
    /* Field 12 behind the others: may be skipped, as the last needed field is 0. */
    test_put_hex(&body, tagged);
    test_put_hex(&body, "18 ff 01 02 03");
    assert_int_equal(
        rf_mysql_gtid_event_parse(RF_BINLOG_MYSQL_GTID_TAGGED, rf_buf_str(&body), &event, NULL),
        RF_OK);
    assert_int_equal(event.gtid.number, 1);
    /* ... and not, when the message says that it is needed. */
    body.data[2] = 0x18;
    assert_int_equal(
        rf_mysql_gtid_event_parse(RF_BINLOG_MYSQL_GTID_TAGGED, rf_buf_str(&body), &event, &err),
        RF_FATAL);
    assert_non_null(strstr(err.message, "field 12"));
    /* Another version of the whole message. */
    body.data[0] = 0x04;
    assert_int_equal(
        rf_mysql_gtid_event_parse(RF_BINLOG_MYSQL_GTID_TAGGED, rf_buf_str(&body), &event, &err),
        RF_FATAL);
    assert_non_null(strstr(err.message, "version 2"));
    rf_buf_deinit(&body);
}

static void test_integers_of_every_length(void **state)
{
    (void)state;
    /* As commit time of a tagged event, behind a UUID of zeros and the number 1. Made by hand from
     * the description: as many ones as bytes follow. */
    static const struct {
        const char *hex;
        uint64_t number;
    } cases[] = {
        {"00", 0},
        {"fe", 127},
        {"01 02", 128},
        {"fd ff", 16383},
        {"fb ff 07", 65535},
        {"c3 02 0b", 90200},
        {"7f 39 7d 89 70 db 2d 06", UINT64_C(1739270369410361)},
        {"7f ff ff ff ff ff ff ff", UINT64_C(0xffffffffffffff)},
        {"ff ff ff ff ff ff ff ff ff", UINT64_MAX},
        {"ff 00 00 00 00 00 00 00 80", UINT64_C(1) << 63},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        struct rf_mysql_gtid_event event;
        struct rf_buf body = {0};
        test_put_hex(&body, "02 40 00 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 04 04 0c");
        test_put_hex(&body, cases[i].hex);
        assert_int_equal(
            rf_mysql_gtid_event_parse(RF_BINLOG_MYSQL_GTID_TAGGED, rf_buf_str(&body), &event, NULL),
            RF_OK);
        assert_int_equal(event.commit_us, cases[i].number);
        rf_buf_deinit(&body);
    }
}

static void test_a_heartbeat_says_where_the_server_is(void **state)
{
    (void)state;
    struct rf_mysql_heartbeat heartbeat = {0};
    struct rf_buf body = {0};
    test_put_hex(&body, "01 0a 62 69 6e 2e 30 30 30 30 30 31 02 09 fe 00 00 00 00 02 00 00 00 00");
    assert_int_equal(rf_mysql_heartbeat_parse(rf_buf_str(&body), &heartbeat, NULL), RF_OK);
    assert_true(rf_str_equal(heartbeat.file, RF_STR("bin.000001")));
    assert_int_equal(heartbeat.position, UINT64_C(2) << 32);
    for (size_t size = 0; size < body.size; size++) {
        struct rf_str cut = {body.data, size};
        assert_int_equal(rf_mysql_heartbeat_parse(cut, &heartbeat, NULL), RF_FATAL);
    }
    rf_buf_deinit(&body);
}

static void test_an_xa_prepare_says_whether_it_commits(void **state)
{
    (void)state;
    struct rf_mysql_xa_prepare prepare = {0};
    struct rf_buf body = {0};
    test_put_hex(&body, "01 01 00 00 00 02 00 00 00 01 00 00 00 78 31 62");
    assert_int_equal(rf_mysql_xa_prepare_parse(rf_buf_str(&body), &prepare, NULL), RF_OK);
    assert_true(prepare.one_phase);
    assert_true(rf_str_equal(prepare.global, RF_STR("x1")));
    assert_true(rf_str_equal(prepare.branch, RF_STR("b")));
    for (size_t size = 0; size < body.size; size++) {
        struct rf_str cut = {body.data, size};
        assert_int_equal(rf_mysql_xa_prepare_parse(cut, &prepare, NULL), RF_FATAL);
    }
    body.data[0] = 0;
    assert_int_equal(rf_mysql_xa_prepare_parse(rf_buf_str(&body), &prepare, NULL), RF_OK);
    assert_false(prepare.one_phase);
    rf_buf_deinit(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_gtid_event_of_a_server),
        cmocka_unit_test(test_a_tagged_gtid_event_of_a_server),
        cmocka_unit_test(test_a_transaction_that_was_first_committed_elsewhere),
        cmocka_unit_test(test_what_older_servers_leave_out_is_not_said),
        cmocka_unit_test(test_an_anonymous_transaction_has_no_number),
        cmocka_unit_test(test_a_number_that_cannot_be_is_damage),
        cmocka_unit_test(test_gtid_events_cut_inside_a_field_are_damage),
        cmocka_unit_test(test_tagged_fields_that_are_not_known),
        cmocka_unit_test(test_integers_of_every_length),
        cmocka_unit_test(test_a_heartbeat_says_where_the_server_is),
        cmocka_unit_test(test_an_xa_prepare_says_whether_it_commits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
