/* XA transactions in two phases, of both kinds of log. */
#include "lib/mysql_log.h"
#include "lib/reading.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define U   RF_TEST_UUID
#define XID "X'61',X'',1"

/* One of the two kinds; `mysql` is set by each test before it begins. */
static bool mysql;

static void begin_with(struct rf_test_reading *reading, const char *patterns)
{
    if (mysql) {
        rf_test_reading_begin_mysql(reading, patterns, 0);
    } else {
        rf_test_reading_begin(reading, patterns, "");
    }
}

static void begin(struct rf_test_reading *reading)
{
    begin_with(reading, "");
}

static void start_group(struct rf_test_log *log, uint64_t number, uint8_t flags)
{
    if (mysql) {
        rf_test_log_mysql_gtid(log, number, 0);
    } else {
        rf_test_log_gtid(log, 0, number, flags);
    }
}

/* XA START to XA PREPARE, with `rows` rows in shop.t: 3.0 in a log of MySQL, 2.0 in MariaDB's. */
static void prepare(struct rf_test_log *log, uint64_t number, int32_t first, unsigned rows)
{
    start_group(log, number, RF_TEST_PREPARED_XA);
    if (mysql) {
        rf_test_log_query(log, "shop", "XA START " XID);
    }
    rf_test_log_table(log, 20, "shop", "t", 2, true);
    rf_test_log_insert(log, 20, 2, first, rows, true);
    rf_test_log_query(log, "shop", "XA END " XID);
    rf_test_log_xa_prepare(log, false);
}

static void resolve(struct rf_test_log *log, uint64_t number, const char *statement)
{
    start_group(log, number, RF_TEST_STANDALONE | RF_TEST_COMPLETED_XA);
    rf_test_log_query(log, "shop", statement);
}

static void row(struct rf_test_log *log, uint64_t number, int32_t first)
{
    if (mysql) {
        rf_test_log_mysql_row(log, number, "shop", "t", first);
    } else {
        rf_test_log_row(log, number, "shop", "t", first);
    }
}

/* "5:1" is row 1 of transaction 5, which is the row's second event in MariaDB's log. */
static const char *rows(const char *list)
{
    static struct rf_buf texts[2];
    static unsigned next;
    struct rf_buf *text = &texts[next++ % 2];
    struct rf_str rest = rf_str_of(list), field;
    rf_buf_reset(text);
    while (list[0] != '\0' && rf_str_split(&rest, ' ', &field)) {
        int number, first;
        const char *name = mysql ? U ":" : "0-1-";
        assert_int_equal(sscanf(field.data, "%d:%d", &number, &first), 2);
        rf_buf_printf(text, "begin %s%d\n%d.0 create shop.t %d|%d\nend %s%d\n", name, number,
                      mysql ? 3 : 2, first, first + 1, name, number);
    }
    return rf_buf_cstr(text);
}

static void expect_listed(const struct rf_test_reading *reading, const char *text)
{
    struct rf_buf copy = {0};
    rf_buf_set(&copy, rf_buf_str(&reading->position));
    const char *found = strstr(rf_buf_cstr(&copy), ";prepared=");
    if (text == NULL ? found != NULL : found == NULL || strcmp(found + 10, text) != 0) {
        fail_msg("not %s: %s", text != NULL ? text : "nothing", rf_buf_cstr(&copy));
    }
    rf_buf_deinit(&copy);
}

static void test_rows_come_once_and_with_their_commit(void **context)
{
    (void)context;
    for (int kind = 0; kind < 2; kind++) {
        struct rf_test_reading reading;
        char listed[128];
        mysql = kind;
        begin(&reading);
        snprintf(listed, sizeof listed, "%s1@bin.000001:%zu", mysql ? U ":" : "0-1-",
                 reading.log.log.size);
        prepare(&reading.log, 1, 1, 1);
        row(&reading.log, 2, 5);
        rf_test_reading_expect(&reading, rows("2:5"));
        expect_listed(&reading, listed);
        resolve(&reading.log, 3, "XA COMMIT " XID);
        row(&reading.log, 4, 7);
        rf_test_reading_expect(&reading, rows("2:5 3:1 4:7"));
        expect_listed(&reading, NULL);
        assert_int_equal(reading.assembly.held.count, 0);
        assert_int_equal(reading.assembly.held.bytes, 0);
        rf_test_reading_end(&reading);
    }
}

static void test_what_is_rolled_back_never_leaves(void **context)
{
    (void)context;
    for (int kind = 0; kind < 2; kind++) {
        struct rf_test_reading reading;
        mysql = kind;
        begin(&reading);
        prepare(&reading.log, 1, 1, 1);
        resolve(&reading.log, 2, "XA ROLLBACK " XID);
        row(&reading.log, 3, 5);
        /* The name is free again. */
        prepare(&reading.log, 4, 7, 1);
        resolve(&reading.log, 5, "XA COMMIT " XID);
        /* Nothing is known of this one, and nothing has to be. */
        resolve(&reading.log, 6, "XA ROLLBACK X'62',X'',1");
        rf_test_reading_expect(&reading, rows("3:5 5:7"));
        expect_listed(&reading, NULL);
        rf_test_reading_end(&reading);
    }
}

static void test_rows_that_were_never_seen_stop_at_their_commit(void **context)
{
    (void)context;
    for (int kind = 0; kind < 2; kind++) {
        struct rf_test_reading reading;
        mysql = kind;
        begin(&reading);
        row(&reading.log, 1, 1);
        resolve(&reading.log, 2, "XA COMMIT " XID);
        rf_test_reading_expect_stop(&reading, RF_FATAL, "XA COMMIT " XID, rows("1:1"));
        assert_non_null(strstr(reading.err.hint, mysql ? "skip=" U ":2" : "skip=0-1-2"));
        rf_test_reading_end(&reading);
    }
}

static void test_a_name_that_is_prepared_twice_stops(void **context)
{
    (void)context;
    for (int kind = 0; kind < 2; kind++) {
        struct rf_test_reading reading;
        mysql = kind;
        begin(&reading);
        prepare(&reading.log, 1, 1, 1);
        prepare(&reading.log, 2, 5, 1);
        rf_test_reading_expect_stop(&reading, RF_FATAL, "XA PREPARE " XID, "");
        rf_test_reading_end(&reading);
    }
}

/* As a source does: what is listed is read again from its own place, then the log goes on behind
 * the position, be that before or behind the commit. */
static void test_a_restart_between_finds_the_rows_again(void **context)
{
    (void)context;
    for (int kind = 0; kind < 4; kind++) {
        struct rf_test_reading first, second;
        bool between = kind / 2;
        mysql = kind % 2;
        begin(&first);
        row(&first.log, 1, 1);
        size_t prepared_at = first.log.log.size;
        prepare(&first.log, 2, 3, 1);
        size_t last_at = between ? first.log.log.size : prepared_at;
        if (between) {
            row(&first.log, 3, 5);
        }
        assert_int_equal(rf_test_reading_all(&first), RF_AGAIN);
        resolve(&first.log, 4, "XA COMMIT " XID);
        row(&first.log, 5, 7);

        rf_test_reading_resume(&second, &first, prepared_at);
        struct rf_assembly *assembly = &second.assembly;
        uint32_t number;
        assert_non_null(rf_assembly_awaited(assembly, 0, &number));
        assembly->mode = RF_ASSEMBLY_COLLECT;
        while (assembly->held.count == 0) {
            struct rf_str event;
            uint64_t end = 0;
            assert_int_equal(rf_test_reading_find(&second, 0, &event, &end, &second.err), RF_OK);
            assert_int_equal(rf_assembly_take(assembly, event, end, &second.err), RF_OK);
        }
        assert_null(rf_assembly_awaited(assembly, 0, &number));
        assembly->mode = RF_ASSEMBLY_VERIFY;
        second.at = assembly->next = last_at;
        rf_test_reading_expect(&second, rows("4:3 5:7"));
        expect_listed(&second, NULL);
        rf_test_reading_end(&second);
        rf_test_reading_end(&first);
    }
}

/* Its log file may be gone by then, and nothing of it is needed. */
static void test_one_without_picked_rows_is_over_without_being_read_again(void **context)
{
    static const char *const ends[] = {"XA COMMIT " XID, "XA ROLLBACK " XID};
    (void)context;
    for (int kind = 0; kind < 4; kind++) {
        struct rf_test_reading first, second;
        char listed[128];
        uint32_t number;
        mysql = kind % 2;
        begin_with(&first, "shop.* -shop.t");
        snprintf(listed, sizeof listed, "%s1@bin.000001:%zu=%016llx.61..1", mysql ? U ":" : "0-1-",
                 first.log.log.size, (unsigned long long)rf_pick_fingerprint(&first.pick));
        prepare(&first.log, 1, 3, 1);
        size_t last_at = first.log.log.size;
        resolve(&first.log, 2, "XA ROLLBACK X'62',X'',1");
        assert_int_equal(rf_test_reading_all(&first), RF_AGAIN);
        expect_listed(&first, listed);
        resolve(&first.log, 3, ends[kind / 2]);
        rf_test_reading_resume(&second, &first, last_at);
        assert_int_equal(rf_pick_add(&second.pick, RF_STR("-shop.t"), NULL), RF_OK);
        assert_int_equal(rf_pick_add(&second.pick, RF_STR("shop.*"), NULL), RF_OK);
        assert_null(rf_assembly_awaited(&second.assembly, 0, &number));
        rf_test_reading_expect(&second, "");
        expect_listed(&second, NULL);
        rf_test_reading_end(&second);
        rf_test_reading_end(&first);
    }
}

/* What earlier patterns left out, later ones may pick. */
static void test_one_without_picked_rows_is_read_again_for_other_patterns(void **context)
{
    (void)context;
    for (int kind = 0; kind < 2; kind++) {
        struct rf_test_reading first, second;
        uint32_t number;
        mysql = kind;
        begin_with(&first, "-shop.t");
        size_t prepared_at = first.log.log.size;
        prepare(&first.log, 1, 3, 1);
        assert_int_equal(rf_test_reading_all(&first), RF_AGAIN);
        size_t resolved_at = first.log.log.size;
        resolve(&first.log, 2, "XA COMMIT " XID);
        rf_test_reading_resume(&second, &first, prepared_at);
        assert_non_null(rf_assembly_awaited(&second.assembly, 0, &number));
        second.assembly.mode = RF_ASSEMBLY_TAKE;
        rf_test_reading_expect(&second, rows("2:3"));
        rf_test_reading_end(&second);
        /* Nobody has read it: then its commit stops. */
        rf_test_reading_resume(&second, &first, resolved_at);
        second.assembly.mode = RF_ASSEMBLY_TAKE;
        rf_test_reading_expect_stop(&second, RF_FATAL, "XA COMMIT " XID, "");
        rf_test_reading_end(&second);
        rf_test_reading_end(&first);
    }
}

/* With rows that were left out by name it is none that the patterns left out. */
static void test_one_whose_rows_were_waived_is_listed_with_rows(void **context)
{
    struct rf_test_reading reading;
    char listed[128];
    (void)context;
    mysql = true;
    begin(&reading);
    rf_test_reading_skip(&reading, "statements");
    snprintf(listed, sizeof listed, U ":1@bin.000001:%zu", reading.log.log.size);
    rf_test_log_mysql_gtid(&reading.log, 1, 0);
    rf_test_log_query(&reading.log, "shop", "XA START " XID);
    rf_test_log_query(&reading.log, "shop", "DELETE FROM t");
    rf_test_log_query(&reading.log, "shop", "XA END " XID);
    rf_test_log_xa_prepare(&reading.log, false);
    assert_int_equal(rf_test_reading_all(&reading), RF_AGAIN);
    expect_listed(&reading, listed);
    rf_test_reading_end(&reading);
}

static void test_what_is_no_prepared_transaction_is_not_taken_for_one(void **context)
{
    (void)context;
    for (int kind = 0; kind < 4; kind++) {
        struct rf_test_reading first, second;
        mysql = kind % 2;
        begin(&first);
        size_t row_at = first.log.log.size;
        row(&first.log, 1, 1);
        prepare(&first.log, 2, 3, 1);
        assert_int_equal(rf_test_reading_all(&first), RF_AGAIN);
        rf_test_reading_resume(&second, &first, row_at);
        if (kind / 2) {
            /* The position says that the first one is prepared, and it is not. */
            struct rf_txid txid = {.kind = mysql ? RF_TXID_MYSQL : RF_TXID_MARIADB};
            assert_true(rf_txid_parse(rf_str_of(mysql ? U ":1" : "0-1-1"), &txid));
            second.assembly.position.prepared.items[0].txid = txid;
        }
        second.assembly.mode = RF_ASSEMBLY_COLLECT;
        rf_test_reading_expect_stop(&second, RF_FATAL, "the position says that an XA transaction",
                                    "");
        rf_test_reading_end(&second);
        rf_test_reading_end(&first);
    }
}

/* A server of MySQL sends what is not in a set: the rows come again with the stream. */
static void test_rows_that_are_listed_may_come_with_the_stream(void **context)
{
    struct rf_test_reading first, second;
    (void)context;
    mysql = true;
    begin(&first);
    row(&first.log, 1, 1);
    size_t prepared_at = first.log.log.size;
    prepare(&first.log, 2, 3, 1);
    assert_int_equal(rf_test_reading_all(&first), RF_AGAIN);
    resolve(&first.log, 3, "XA COMMIT " XID);
    rf_test_reading_resume(&second, &first, prepared_at);
    second.assembly.mode = RF_ASSEMBLY_TAKE;
    rf_test_reading_expect(&second, rows("3:3"));
    rf_test_reading_end(&second);
    rf_test_reading_end(&first);
}

/* To a place that a person named: what is prepared before it may commit behind it. */
static void test_rows_before_a_place_are_held_when_they_are_prepared(void **context)
{
    (void)context;
    for (int kind = 0; kind < 2; kind++) {
        struct rf_test_reading reading;
        mysql = kind;
        begin(&reading);
        reading.assembly.mode = RF_ASSEMBLY_ADVANCE;
        row(&reading.log, 1, 1);
        prepare(&reading.log, 2, 3, 1);
        resolve(&reading.log, 3, "XA ROLLBACK " XID);
        prepare(&reading.log, 4, 5, 1);
        assert_int_equal(rf_test_reading_all(&reading), RF_AGAIN);
        assert_int_equal(reading.assembly.held.count, 1);
        reading.assembly.mode = RF_ASSEMBLY_TAKE;
        resolve(&reading.log, 5, "XA COMMIT " XID);
        rf_test_reading_expect(&reading, rows("5:5"));
        expect_listed(&reading, NULL);
        rf_test_reading_end(&reading);
    }
}

/* The same of a server with binlog_transaction_compression. */
static void test_packed_rows_before_a_place_are_held_too(void **context)
{
    struct rf_test_reading reading;
    (void)context;
    mysql = true;
    begin(&reading);
    reading.assembly.mode = RF_ASSEMBLY_ADVANCE;
    for (uint64_t number = 1; number <= 2; number++) {
        size_t at = reading.log.log.size, first;
        struct rf_str gtid;
        if (number == 1) {
            row(&reading.log, number, 1);
        } else {
            prepare(&reading.log, number, 3, 1);
        }
        first = at;
        assert_true(rf_test_log_next(&reading.log, &first, &gtid));
        rf_test_log_pack(&reading.log, first);
    }
    reading.compressed = true;
    assert_int_equal(rf_test_reading_all(&reading), RF_AGAIN);
    assert_int_equal(reading.assembly.held.count, 1);
    reading.assembly.mode = RF_ASSEMBLY_TAKE;
    resolve(&reading.log, 3, "XA COMMIT " XID);
    rf_test_reading_expect(&reading, rows("3:3"));
    rf_test_reading_end(&reading);
}

/* Many of them, each with more than all the memory: they wait in files. */
static void test_what_waits_stays_within_the_memory_of_one(void **context)
{
    enum { COUNT = 5, ROWS = 60 };
    struct rf_test_reading reading;
    (void)context;
    mysql = false;
    rf_test_reading_memory_max = 4096;
    begin(&reading);
    for (int i = 0; i < COUNT; i++) {
        char statement[32];
        start_group(&reading.log, (uint64_t)(1 + i), RF_TEST_PREPARED_XA);
        for (int k = 0; k < ROWS; k++) {
            rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
            rf_test_log_insert(&reading.log, 20, 2, i * 1000 + k, 1, true);
        }
        snprintf(statement, sizeof statement, "XA END X'6%d',X'',1", i);
        rf_test_log_query(&reading.log, "shop", statement);
        uint8_t body[] = {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, (uint8_t)(0x60 + i)};
        rf_test_log_event(&reading.log, 38, 0, body, sizeof body);
    }
    assert_int_equal(rf_test_reading_all(&reading), RF_AGAIN);
    assert_int_equal(reading.assembly.held.count, COUNT);
    assert_true(reading.assembly.held.bytes <= rf_test_reading_memory_max);
    for (int i = 0; i < COUNT; i++) {
        char statement[32];
        snprintf(statement, sizeof statement, "XA COMMIT X'6%d',X'',1", COUNT - 1 - i);
        resolve(&reading.log, (uint64_t)(COUNT + 1 + i), statement);
    }
    assert_int_equal(rf_test_reading_all(&reading), RF_AGAIN);
    uint32_t count = 0;
    for (const char *at = rf_buf_cstr(&reading.text); (at = strstr(at, " create ")) != NULL; at++) {
        count++;
    }
    assert_int_equal(count, COUNT * ROWS);
    assert_non_null(strstr(rf_buf_cstr(&reading.text), "begin 0-1-6\n2.0 create shop.t 4000|4001"));
    assert_non_null(strstr(rf_buf_cstr(&reading.text), "create shop.t 59|60\nend 0-1-10\n"));
    rf_test_reading_end(&reading);
    rf_test_reading_memory_max = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_come_once_and_with_their_commit),
        cmocka_unit_test(test_what_is_rolled_back_never_leaves),
        cmocka_unit_test(test_rows_that_were_never_seen_stop_at_their_commit),
        cmocka_unit_test(test_a_name_that_is_prepared_twice_stops),
        cmocka_unit_test(test_a_restart_between_finds_the_rows_again),
        cmocka_unit_test(test_one_without_picked_rows_is_over_without_being_read_again),
        cmocka_unit_test(test_one_without_picked_rows_is_read_again_for_other_patterns),
        cmocka_unit_test(test_one_whose_rows_were_waived_is_listed_with_rows),
        cmocka_unit_test(test_what_is_no_prepared_transaction_is_not_taken_for_one),
        cmocka_unit_test(test_rows_that_are_listed_may_come_with_the_stream),
        cmocka_unit_test(test_rows_before_a_place_are_held_when_they_are_prepared),
        cmocka_unit_test(test_packed_rows_before_a_place_are_held_too),
        cmocka_unit_test(test_what_waits_stays_within_the_memory_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
