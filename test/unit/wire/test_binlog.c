#include "wire/binlog.h"

#include "lib/binlog.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))

enum { MARIADB_TYPES = 171 };

/* An event with header and checksum; the body is what `body` holds. */
static void put_event(struct rf_buf *out, unsigned type, uint16_t flags, struct rf_str body)
{
    test_put(out, 1700000000, 4);
    test_put(out, type, 1);
    test_put(out, 12, 4);
    test_put(out, RF_BINLOG_HEADER_SIZE + body.size + RF_BINLOG_CHECKSUM_SIZE, 4);
    test_put(out, 4242, 4);
    test_put(out, flags, 2);
    rf_buf_add_str(out, body);
    test_put(out, 0, 4);
}

/* The description of a MariaDB log with true checksum; *table is where the event lengths begin. */
static void put_format(struct rf_buf *out, uint8_t algorithm, uint16_t flags, size_t *table)
{
    static const uint8_t fixed[][2] = {
        {2, 13}, {4, 8},   {19, 8},  {23, 8},  {24, 8},   {25, 8},
        {26, 2}, {30, 10}, {31, 10}, {32, 10}, {162, 19}, {163, 4},
    };
    struct rf_buf body = {0};
    test_put(&body, 4, 2);
    rf_buf_add_str(&body, RF_STR("10.11.19-MariaDB-log"));
    test_put(&body, 0, 8);
    test_put(&body, 0, 8);
    test_put(&body, 0, 8);
    test_put(&body, 0, 6);
    test_put(&body, 1600000000, 4);
    test_put(&body, RF_BINLOG_HEADER_SIZE, 1);
    size_t at = body.size;
    for (unsigned type = 1; type <= MARIADB_TYPES; type++) {
        test_put(&body, 0, 1);
    }
    for (size_t i = 0; i < count_of(fixed); i++) {
        body.data[at + fixed[i][0] - 1] = (char)fixed[i][1];
    }
    test_put(&body, algorithm, 1);
    put_event(out, RF_BINLOG_FORMAT_DESCRIPTION, flags, rf_buf_str(&body));
    if (table != NULL) {
        *table = RF_BINLOG_HEADER_SIZE + at - 1;
    }
    rf_buf_deinit(&body);
}

/* Puts the magic in front for the time of the repair. */
static void repair(struct rf_buf *event)
{
    struct rf_buf file = {0};
    rf_buf_add_str(&file, RF_STR("\xfe"
                                 "bin"));
    rf_buf_add_str(&file, rf_buf_str(event));
    test_binlog_repair(file.data, file.size);
    rf_buf_set(event, (struct rf_str){file.data + 4, file.size - 4});
    rf_buf_deinit(&file);
}

static struct rf_binlog_format crc_format(void)
{
    return (struct rf_binlog_format){.known = true, .checksum = RF_BINLOG_CHECKSUM_CRC32};
}

static void test_every_type_has_its_name(void **state)
{
    (void)state;
    assert_string_equal(rf_binlog_type_name(0), "UNKNOWN");
    assert_string_equal(rf_binlog_type_name(RF_BINLOG_TABLE_MAP), "TABLE_MAP");
    assert_string_equal(rf_binlog_type_name(RF_BINLOG_MYSQL_GTID_TAGGED), "MYSQL_GTID_TAGGED");
    assert_string_equal(rf_binlog_type_name(43), "UNKNOWN");
    assert_string_equal(rf_binlog_type_name(159), "UNKNOWN");
    assert_string_equal(rf_binlog_type_name(RF_BINLOG_ANNOTATE_ROWS), "ANNOTATE_ROWS");
    assert_string_equal(rf_binlog_type_name(171), "DELETE_ROWS_COMPRESSED_V2");
    assert_string_equal(rf_binlog_type_name(172), "UNKNOWN");
    for (unsigned type = 1; type <= 42; type++) {
        assert_string_not_equal(rf_binlog_type_name(type), "UNKNOWN");
    }
}

static void test_the_magic_tells_a_log_from_other_files(void **state)
{
    (void)state;
    struct rf_error err = {0};
    assert_int_equal(rf_binlog_magic_check(RF_STR("\xfe\x62\x69\x6e more"), &err), RF_OK);
    assert_int_equal(rf_binlog_magic_check(RF_STR("\xfd\x62\x69\x6e"), &err), RF_FATAL);
    assert_non_null(strstr(err.message, "encrypted"));
    assert_int_equal(rf_binlog_magic_check(RF_STR("\x7f"
                                                  "ELF"),
                                           &err),
                     RF_FATAL);
    assert_non_null(strstr(err.message, "7f 45 4c 46"));
    assert_int_equal(rf_binlog_magic_check(RF_STR("\xfe\x62\x69"), &err), RF_FATAL);
    assert_int_equal(rf_binlog_magic_check(RF_STR_NONE, &err), RF_FATAL);
}

static void test_a_header_is_nineteen_bytes(void **state)
{
    (void)state;
    struct rf_buf event = {0};
    struct rf_binlog_header header;
    struct rf_error err = {0};
    put_event(&event, RF_BINLOG_XID, 0x28, RF_STR("12345678"));
    assert_int_equal(rf_binlog_header_parse(rf_buf_str(&event), &header, &err), RF_OK);
    assert_int_equal(header.timestamp, 1700000000);
    assert_int_equal(header.type, RF_BINLOG_XID);
    assert_int_equal(header.server_id, 12);
    assert_int_equal(header.size, event.size);
    assert_int_equal(header.end_position, 4242);
    assert_int_equal(header.flags, 0x28);
    for (size_t size = 0; size < RF_BINLOG_HEADER_SIZE; size++) {
        assert_int_equal(rf_binlog_header_parse((struct rf_str){event.data, size}, &header, &err),
                         RF_FATAL);
    }
    event.data[9] = 18; /* smaller than the header itself */
    assert_int_equal(rf_binlog_header_parse(rf_buf_str(&event), &header, &err), RF_FATAL);
    rf_buf_deinit(&event);
}

static void test_the_format_description_sets_the_stream_up(void **state)
{
    (void)state;
    for (uint8_t algorithm = 0; algorithm <= 1; algorithm++) {
        struct rf_buf event = {0};
        struct rf_binlog_format format = {0};
        struct rf_error err = {0};
        put_format(&event, algorithm, RF_BINLOG_FLAG_IN_USE, NULL);
        repair(&event);
        assert_int_equal(rf_binlog_format_parse(rf_buf_str(&event), &format, &err), RF_OK);
        assert_true(format.known && format.mariadb && format.in_use);
        assert_int_equal(format.checksum, algorithm);
        assert_int_equal(format.fixed_count, MARIADB_TYPES);
        assert_int_equal(format.fixed[RF_BINLOG_QUERY], 13);
        assert_int_equal(format.created, 1600000000);
        assert_string_equal(format.server_version, "10.11.19-MariaDB-log");
        rf_buf_deinit(&event);
    }
}

static void test_the_in_use_flag_does_not_count_in_the_checksum(void **state)
{
    (void)state;
    enum { FLAGS = 17 };
    struct rf_buf event = {0};
    struct rf_binlog_format format;
    struct rf_error err = {0};
    put_format(&event, 1, 0, NULL);
    repair(&event);
    event.data[FLAGS] = RF_BINLOG_FLAG_IN_USE; /* as the server does, in place */
    assert_int_equal(rf_binlog_format_parse(rf_buf_str(&event), &format, &err), RF_OK);
    assert_true(format.in_use);
    event.data[FLAGS] = 2;
    assert_int_equal(rf_binlog_format_parse(rf_buf_str(&event), &format, &err), RF_FATAL);
    rf_buf_deinit(&event);
}

/* A server that sends a log without checksums from its middle clears the creation time, and does
 * not compute this one anew. In a log with checksums it does. */
static void test_a_cleared_creation_time_may_have_a_stale_checksum(void **state)
{
    (void)state;
    enum { CREATED = RF_BINLOG_HEADER_SIZE + 52 };
    for (uint8_t algorithm = 0; algorithm <= 1; algorithm++) {
        struct rf_buf event = {0};
        struct rf_binlog_format format = {0};
        struct rf_error err = {0};
        put_format(&event, algorithm, 0, NULL);
        repair(&event);
        memset(event.data + CREATED, 0, 4);
        assert_int_equal(rf_binlog_format_parse(rf_buf_str(&event), &format, &err),
                         algorithm == 0 ? RF_OK : RF_FATAL);
        event.data[CREATED] = 1;
        assert_int_equal(rf_binlog_format_parse(rf_buf_str(&event), &format, &err), RF_FATAL);
        rf_buf_deinit(&event);
    }
}

static void test_a_changed_bit_of_a_format_description_is_noticed(void **state)
{
    (void)state;
    enum { TYPE = 4, IN_USE_BIT = 17 * 8 };
    struct rf_buf event = {0};
    struct rf_error err = {0};
    put_format(&event, 1, 0, NULL);
    repair(&event);
    for (size_t bit = 0; bit < event.size * 8; bit++) {
        struct rf_binlog_format format = {.created = 77};
        if (bit / 8 == TYPE || bit == IN_USE_BIT) {
            continue;
        }
        event.data[bit / 8] = (char)(event.data[bit / 8] ^ 1 << bit % 8);
        if (rf_binlog_format_parse(rf_buf_str(&event), &format, &err) != RF_FATAL) {
            fail_msg("bit %zu", bit);
        }
        assert_int_equal(format.created, 77);
        event.data[bit / 8] = (char)(event.data[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t size = 0; size < event.size; size++) {
        struct rf_binlog_format format;
        struct rf_buf cut = {0};
        rf_buf_add(&cut, event.data, size);
        if (size >= RF_BINLOG_HEADER_SIZE) {
            memcpy(cut.data + 9, &(uint32_t){htole32((uint32_t)size)}, 4);
            repair(&cut);
            /* The table may be short, as long as a server ever had it so. */
            enum rf_status status = rf_binlog_format_parse(rf_buf_str(&cut), &format, &err);
            assert_true(status == RF_FATAL || size >= 19 + 57 + RF_BINLOG_INCIDENT + 5);
        } else {
            assert_int_equal(rf_binlog_format_parse(rf_buf_str(&cut), &format, &err), RF_FATAL);
        }
        rf_buf_deinit(&cut);
    }
    rf_buf_deinit(&event);
}

static void test_what_cannot_be_read_is_named_by_the_format_description(void **state)
{
    (void)state;
    struct rf_buf event = {0};
    struct rf_binlog_format format = {0};
    struct rf_error err = {0};
    size_t table;
    put_format(&event, 2, 0, NULL);
    repair(&event);
    assert_int_equal(rf_binlog_format_parse(rf_buf_str(&event), &format, &err), RF_FATAL);
    assert_non_null(strstr(err.message, "checksum algorithm 2"));

    rf_buf_reset(&event);
    put_format(&event, 1, 0, &table);
    event.data[table + RF_BINLOG_TABLE_MAP] = 6; /* MySQL 5.1.4 and before */
    repair(&event);
    assert_int_equal(rf_binlog_format_parse(rf_buf_str(&event), &format, &err), RF_FATAL);
    assert_non_null(strstr(err.message, "TABLE_MAP"));

    rf_buf_reset(&event);
    put_format(&event, 1, 0, &table);
    event.data[RF_BINLOG_HEADER_SIZE] = 3;
    repair(&event);
    assert_int_equal(rf_binlog_format_parse(rf_buf_str(&event), &format, &err), RF_FATAL);
    assert_non_null(strstr(err.message, "version 3"));

    rf_buf_reset(&event);
    put_format(&event, 1, 0, &table);
    event.data[table + RF_BINLOG_WRITE_ROWS_V2] = 0; /* not written by this server */
    repair(&event);
    assert_int_equal(rf_binlog_format_parse(rf_buf_str(&event), &format, &err), RF_OK);
    rf_buf_deinit(&event);
}

static void test_a_body_is_what_lies_between_header_and_checksum(void **state)
{
    (void)state;
    struct rf_buf event = {0};
    struct rf_binlog_header header;
    struct rf_binlog_format format = crc_format(), none = {0};
    struct rf_error err = {0};
    struct rf_str body;
    put_event(&event, RF_BINLOG_XID, 0, RF_STR("12345678"));
    repair(&event);
    assert_int_equal(rf_binlog_header_parse(rf_buf_str(&event), &header, &err), RF_OK);
    assert_int_equal(rf_binlog_body(&format, &header, rf_buf_str(&event), &body, &err), RF_OK);
    assert_true(rf_str_equal(body, RF_STR("12345678")));
    assert_int_equal(rf_binlog_body(&none, &header, rf_buf_str(&event), &body, &err), RF_OK);
    assert_int_equal(body.size, 12);
    struct rf_str less = {event.data, event.size - 1};
    assert_int_equal(rf_binlog_body(&format, &header, less, &body, &err), RF_FATAL);
    header.size = RF_BINLOG_HEADER_SIZE + 3;
    struct rf_str tiny = {event.data, header.size};
    assert_int_equal(rf_binlog_body(&format, &header, tiny, &body, &err), RF_FATAL);
    rf_buf_deinit(&event);
}

static void test_a_changed_bit_of_an_event_is_a_checksum_mismatch(void **state)
{
    (void)state;
    struct rf_buf event = {0};
    struct rf_binlog_header header;
    struct rf_binlog_format format = crc_format();
    struct rf_error err = {0};
    struct rf_str body;
    put_event(&event, RF_BINLOG_XID, 0, RF_STR("12345678"));
    repair(&event);
    assert_int_equal(rf_binlog_header_parse(rf_buf_str(&event), &header, &err), RF_OK);
    for (size_t bit = 0; bit < event.size * 8; bit++) {
        event.data[bit / 8] = (char)(event.data[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(rf_binlog_body(&format, &header, rf_buf_str(&event), &body, &err),
                         RF_FATAL);
        assert_non_null(strstr(err.message, "checksum mismatch"));
        event.data[bit / 8] = (char)(event.data[bit / 8] ^ 1 << bit % 8);
    }
    rf_buf_deinit(&event);
}

static void test_a_rotation_names_the_next_file(void **state)
{
    (void)state;
    struct rf_binlog_rotate rotate;
    struct rf_error err = {0};
    struct rf_buf body = {0};
    test_put(&body, UINT64_C(0x100000004), 8);
    assert_int_equal(rf_binlog_rotate_parse(rf_buf_str(&body), &rotate, &err), RF_FATAL);
    rf_buf_add_str(&body, RF_STR("bin.000042"));
    assert_int_equal(rf_binlog_rotate_parse(rf_buf_str(&body), &rotate, &err), RF_OK);
    assert_int_equal(rotate.position, UINT64_C(0x100000004));
    assert_true(rf_str_equal(rotate.file, RF_STR("bin.000042")));
    rf_buf_deinit(&body);
}

static void put_query(struct rf_buf *out, const char *variables, const char *statement)
{
    struct rf_buf status = {0};
    test_put_hex(&status, variables);
    test_put(out, 5, 4);
    test_put(out, 6, 4);
    test_put(out, 4, 1);
    test_put(out, 1062, 2);
    test_put(out, status.size, 2);
    rf_buf_add_str(out, rf_buf_str(&status));
    rf_buf_add(out, "shop", 5);
    rf_buf_add_str(out, rf_str_of(statement));
    rf_buf_deinit(&status);
}

/* One of each status variable that a server of today writes, in their order. */
static const char all_variables[] = "00 01 00 00 01 "             /* flags2 */
                                    "01 00 00 20 54 00 00 00 00 " /* sql_mode */
                                    "06 03 73 74 64 "             /* catalog */
                                    "03 02 00 01 00 "             /* auto_increment */
                                    "04 2d 00 21 00 08 00 "       /* character sets */
                                    "05 03 55 54 43 "             /* time zone */
                                    "07 01 00 08 2d 00 09 00 00 00 00 00 00 00 00 0a 00 00 00 00 "
                                    "0b 01 75 01 68 "             /* invoker */
                                    "0c 02 61 00 62 63 00 "       /* databases */
                                    "0d 40 e2 01 "                /* microseconds: 123456 */
                                    "80 40 e2 01 "                /* MariaDB's */
                                    "81 2a 00 00 00 00 00 00 00"; /* xid */

static void test_a_query_has_its_statement_and_status(void **state)
{
    (void)state;
    struct rf_binlog_query query;
    struct rf_error err = {0};
    struct rf_buf body = {0};
    put_query(&body, all_variables, "CREATE TABLE t (a INT)");
    assert_int_equal(rf_binlog_query_parse(rf_buf_str(&body), &query, &err), RF_OK);
    assert_int_equal(query.thread_id, 5);
    assert_int_equal(query.execution_seconds, 6);
    assert_int_equal(query.error_code, 1062);
    assert_true(rf_str_equal(query.database, RF_STR("shop")));
    assert_true(rf_str_equal(query.statement, RF_STR("CREATE TABLE t (a INT)")));
    assert_true(query.has_flags2 && query.has_sql_mode && query.has_xid);
    assert_int_equal(query.flags2, 0x01000001);
    assert_int_equal(query.sql_mode, 0x54200000);
    assert_int_equal(query.charset, 45);
    assert_int_equal(query.micros, 123456);
    assert_int_equal(query.xid, 42);
    rf_buf_deinit(&body);
}

static void test_an_unknown_status_variable_ends_them(void **state)
{
    (void)state;
    struct rf_binlog_query query;
    struct rf_error err = {0};
    struct rf_buf body = {0};
    put_query(&body, "04 08 00 08 00 08 00 63 ff ff", "x");
    assert_int_equal(rf_binlog_query_parse(rf_buf_str(&body), &query, &err), RF_OK);
    assert_int_equal(query.charset, 8);
    assert_true(rf_str_equal(query.statement, RF_STR("x")));
    rf_buf_deinit(&body);
}

static void test_status_variables_that_end_too_early_are_damage(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "00 01",          "01 00 00", "02 03 61 62", "03 01 00 01", "04 2d 00", "05 03 55 54",
        "06 02 73",       "07 01",    "08 01",       "09 01",       "0a 01",    "0b 01 75 02 68",
        "0c 02 61 00 62", "0d 01 02", "80 01",       "81 01"};
    for (size_t i = 0; i < count_of(cases); i++) {
        struct rf_binlog_query query;
        struct rf_error err = {0};
        struct rf_buf body = {0};
        put_query(&body, cases[i], "x");
        if (rf_binlog_query_parse(rf_buf_str(&body), &query, &err) != RF_FATAL) {
            fail_msg("%s", cases[i]);
        }
        rf_buf_deinit(&body);
    }
}

static void test_a_query_cut_anywhere_is_damage(void **state)
{
    (void)state;
    struct rf_binlog_query query;
    struct rf_error err = {0};
    struct rf_buf body = {0};
    put_query(&body, all_variables, "");
    for (size_t size = 0; size < body.size; size++) {
        char *exact = malloc(size ? size : 1);
        memcpy(exact, body.data, size);
        assert_int_equal(rf_binlog_query_parse((struct rf_str){exact, size}, &query, &err),
                         RF_FATAL);
        free(exact);
    }
    rf_buf_deinit(&body);
}

static void expect_statement(unsigned charset, const char *logged, const char *wanted)
{
    struct rf_binlog_query query = {.charset = (uint16_t)charset, .statement = rf_str_of(logged)};
    struct rf_arena arena = {0};
    struct rf_error err = {0};
    struct rf_str statement = RF_STR_NONE;
    enum rf_status status = rf_binlog_statement(&query, &arena, &statement, &err);
    if (wanted == NULL) {
        assert_int_equal(status, RF_FATAL);
    } else {
        assert_int_equal(status, RF_OK);
        assert_true(rf_str_equal(statement, rf_str_of(wanted)));
    }
    rf_arena_deinit(&arena);
}

static void test_statements_become_utf8(void **state)
{
    (void)state;
    expect_statement(45, "CREATE \xc3\xa4", "CREATE \xc3\xa4");
    expect_statement(0, "CREATE \xc3\xa4", "CREATE \xc3\xa4");
    expect_statement(8, "CREATE \xe4", "CREATE \xc3\xa4");
    expect_statement(63, "CREATE \xc3\xa4", "CREATE \xc3\xa4");
    expect_statement(51, "CREATE TABLE", "CREATE TABLE"); /* ASCII in any of them */
    expect_statement(51, "CREATE \xe6", "CREATE ж");
    expect_statement(28, "CREATE \x81\x60", "CREATE 乣");           /* not a quote */
    expect_statement(45, "CREATE \xe4", "CREATE \xf4\x8f\xbb\xa4"); /* marked */
    expect_statement(11, "CREATE \xe4", "CREATE \xf4\x8f\xbb\xa4");
    expect_statement(10, "CREATE [", "CREATE Ä"); /* swe7 has letters where ASCII has brackets */
    expect_statement(82, "CREATE [", "CREATE Ä");
    expect_statement(17, "CREATE \xe4", NULL);
    expect_statement(17, "CREATE", "CREATE");
    expect_statement(45, "", "");
}

static void test_an_xid_is_eight_bytes(void **state)
{
    (void)state;
    uint64_t xid = 0;
    struct rf_error err = {0};
    assert_int_equal(rf_binlog_xid_parse(RF_STR("\x2a\0\0\0\0\0\0\x80"), &xid, &err), RF_OK);
    assert_int_equal(xid, UINT64_C(0x800000000000002a));
    assert_int_equal(rf_binlog_xid_parse(RF_STR("\x2a\0\0\0\0\0\0"), &xid, &err), RF_FATAL);
}

static void test_an_incident_has_a_message(void **state)
{
    (void)state;
    struct rf_binlog_incident incident;
    struct rf_error err = {0};
    assert_int_equal(rf_binlog_incident_parse(RF_STR("\x01\0\x04lost"), &incident, &err), RF_OK);
    assert_int_equal(incident.kind, 1);
    assert_true(rf_str_equal(incident.message, RF_STR("lost")));
    assert_int_equal(rf_binlog_incident_parse(RF_STR("\x01\0\x05lost"), &incident, &err), RF_FATAL);
    assert_int_equal(rf_binlog_incident_parse(RF_STR("\x01\0"), &incident, &err), RF_FATAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_has_its_name),
        cmocka_unit_test(test_the_magic_tells_a_log_from_other_files),
        cmocka_unit_test(test_a_header_is_nineteen_bytes),
        cmocka_unit_test(test_the_format_description_sets_the_stream_up),
        cmocka_unit_test(test_the_in_use_flag_does_not_count_in_the_checksum),
        cmocka_unit_test(test_a_cleared_creation_time_may_have_a_stale_checksum),
        cmocka_unit_test(test_a_changed_bit_of_a_format_description_is_noticed),
        cmocka_unit_test(test_what_cannot_be_read_is_named_by_the_format_description),
        cmocka_unit_test(test_a_body_is_what_lies_between_header_and_checksum),
        cmocka_unit_test(test_a_changed_bit_of_an_event_is_a_checksum_mismatch),
        cmocka_unit_test(test_a_rotation_names_the_next_file),
        cmocka_unit_test(test_a_query_has_its_statement_and_status),
        cmocka_unit_test(test_an_unknown_status_variable_ends_them),
        cmocka_unit_test(test_status_variables_that_end_too_early_are_damage),
        cmocka_unit_test(test_a_query_cut_anywhere_is_damage),
        cmocka_unit_test(test_statements_become_utf8),
        cmocka_unit_test(test_an_xid_is_eight_bytes),
        cmocka_unit_test(test_an_incident_has_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
