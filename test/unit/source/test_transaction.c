#include "source/transaction.h"

#include "lib/log_writer.h"
#include "lib/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BATCH_BYTES = 1024 * 1024, STANDALONE = 0x01, PREPARED_XA = 0x40, COMPLETED_XA = 0x80 };

/* A log in memory, read as a source reads it. */
struct reading {
    struct rf_test_log log;
    size_t at;
    struct rf_pick pick;
    struct rf_assembly assembly;
    struct rf_batch batch;
    struct rf_buf text;     /* what was handed over */
    struct rf_buf position; /* the last one that was */
    struct rf_error err;
    uint64_t skipped;
    uint32_t batches;
};

static enum rf_status find(void *reader, int64_t deadline_ms, struct rf_str *event, uint64_t *end,
                           struct rf_error *err)
{
    struct reading *reading = reader;
    (void)deadline_ms;
    (void)err;
    if (!rf_test_log_next(&reading->log, &reading->at, event)) {
        return RF_AGAIN;
    }
    *end = 0;
    return RF_OK;
}

static void begin(struct reading *reading, const char *patterns, const char *gtids)
{
    struct rf_str rest = rf_str_of(patterns), field;
    *reading = (struct reading){.batch.bytes_max = BATCH_BYTES};
    while (rest.size > 0 && rf_str_split(&rest, ' ', &field)) {
        assert_int_equal(rf_pick_add(&reading->pick, field, NULL), RF_OK);
    }
    reading->assembly.pick = &reading->pick;
    reading->assembly.adopts_list = true;
    rf_assembly_turn(&reading->assembly, RF_STR("bin.000001"));
    rf_test_log_begin(&reading->log, gtids);
}

/* Reads what the log has by now. Returns RF_AGAIN, or the error. */
static enum rf_status read_all(struct reading *reading)
{
    for (;;) {
        rf_batch_reset(&reading->batch, 0);
        enum rf_status status = rf_assembly_fill(&reading->assembly, &reading->batch, INT64_MAX,
                                                 find, reading, &reading->err);
        if (status != RF_OK) {
            return status;
        }
        reading->batches++;
        rf_test_batch_print(&reading->text, &reading->batch);
        reading->skipped += reading->batch.skipped;
        if (reading->batch.position.size > 0) {
            rf_buf_set(&reading->position, reading->batch.position);
        }
    }
}

static void end(struct reading *reading)
{
    rf_assembly_deinit(&reading->assembly);
    rf_pick_deinit(&reading->pick);
    rf_batch_deinit(&reading->batch);
    rf_test_log_deinit(&reading->log);
    rf_buf_deinit(&reading->text);
    rf_buf_deinit(&reading->position);
}

/* Everything is read, and this was handed over. */
static void expect(struct reading *reading, const char *text)
{
    assert_int_equal(read_all(reading), RF_AGAIN);
    assert_string_equal(rf_buf_cstr(&reading->text), text);
}

/* It stops with this in its message, and this was handed over before. */
static void expect_stop(struct reading *reading, enum rf_status status, const char *message,
                        const char *text)
{
    assert_int_equal(read_all(reading), status);
    assert_string_equal(rf_buf_cstr(&reading->text), text);
    if (strstr(reading->err.message, message) == NULL) {
        fail_msg("'%s' is not in: %s", message, reading->err.message);
    }
    assert_non_null(strstr(reading->err.message, "bin.000001 at "));
    /* It stays stopped. */
    assert_int_equal(read_all(reading), status);
    assert_string_equal(rf_buf_cstr(&reading->text), text);
}

/* ---- What comes out ------------------------------------------------------------------------ */

static void test_rows_leave_when_their_transaction_has_ended(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 2, true);
    expect(&reading, "");
    assert_int_equal(reading.position.size, 0);
    rf_test_log_xid(&reading.log);
    expect(&reading, "begin 0-1-1\n2.0 create shop.t 1|2\n2.1 create shop.t 11|12\nend 0-1-1\n");
    assert_non_null(strstr(rf_buf_cstr(&reading.position), "gtid=0-1-1;file=bin.000001;start="));
    end(&reading);
}

static void test_each_operation_has_its_images(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "0-1-6");
    rf_test_log_gtid(&reading.log, 0, 7, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 3, true);
    rf_test_log_insert(&reading.log, 20, 3, 5, 1, true);
    rf_test_log_table(&reading.log, 20, "shop", "t", 3, true);
    rf_test_log_delete(&reading.log, 20, 3, -2, true);
    rf_test_log_query(&reading.log, "", "COMMIT");
    expect(&reading,
           "begin 0-1-7\n2.0 create shop.t 5|6|7\n4.0 delete shop.t -2|-1|0\nend 0-1-7\n");
    end(&reading);
}

static void test_ordinals_count_what_is_skipped_but_not_annotations(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "shop.t", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_event(&reading.log, 160, 0, "INSERT ...", 10);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_table(&reading.log, 21, "shop", "audit", 2, true);
    rf_test_log_insert(&reading.log, 21, 2, 1, 1, false);
    rf_test_log_event(&reading.log, 29, 0x80, "ignorable", 9);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    rf_test_log_xid(&reading.log);
    expect(&reading, "begin 0-1-1\n5.0 create shop.t 1|2\nend 0-1-1\n");
    assert_int_equal(reading.skipped, 1);
    end(&reading);
}

static void test_a_filtered_transaction_moves_the_position_without_an_event(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "shop.t", "");
    rf_test_log_row(&reading.log, 1, "other", "t", 1);
    expect(&reading, "");
    assert_int_equal(reading.batches, 1);
    assert_int_equal(reading.skipped, 1);
    assert_non_null(strstr(rf_buf_cstr(&reading.position), "last=0-1-1"));
    end(&reading);
}

static void test_tables_left_out_need_no_metadata(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "shop.t", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 20, "other", "t", 2, false);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    rf_test_log_xid(&reading.log);
    expect(&reading, "");
    rf_test_log_gtid(&reading.log, 0, 2, 0);
    rf_test_log_table(&reading.log, 21, "shop", "t", 2, false);
    expect_stop(&reading, RF_CONFIG, "GTID 0-1-2", "");
    assert_non_null(strstr(reading.err.hint, "binlog_row_metadata"));
    end(&reading);
}

static void test_statements_become_events(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, STANDALONE);
    rf_test_log_query(&reading.log, "shop", "ALTER TABLE t ADD c INT");
    rf_test_log_gtid(&reading.log, 0, 2, STANDALONE);
    rf_test_log_query(&reading.log, "shop", "TRUNCATE other.`t`");
    rf_test_log_gtid(&reading.log, 0, 3, STANDALONE);
    rf_test_log_query(&reading.log, "shop", "TRUNCATE t");
    rf_test_log_gtid(&reading.log, 0, 4, STANDALONE);
    rf_test_log_query(&reading.log, "shop", "GRANT ALL ON *.* TO x IDENTIFIED BY 'secret'");
    rf_test_log_gtid(&reading.log, 0, 5, 0);
    rf_test_log_query(&reading.log, "shop", "CREATE TABLE u (a INT, b INT)");
    rf_test_log_table(&reading.log, 20, "shop", "u", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    rf_test_log_xid(&reading.log);
    expect(&reading, "begin 0-1-1\n1.0 ddl shop/t ALTER TABLE t ADD c INT\nend 0-1-1\n"
                     "begin 0-1-2\n1.0 truncate other.t\nend 0-1-2\n"
                     "begin 0-1-3\n1.0 truncate shop.t\nend 0-1-3\n"
                     "begin 0-1-5\n1.0 ddl shop/u CREATE TABLE u (a INT, b INT)\n"
                     "3.0 create shop.u 1|2\nend 0-1-5\n");
    assert_int_equal(reading.skipped, 1);
    end(&reading);
}

static void test_statements_are_filtered_by_what_they_may_touch(void **context)
{
    static const struct {
        const char *patterns, *database, *statement, *text;
    } cases[] = {
        {"shop.t", "shop", "DROP TABLE u", "1.0 ddl shop/u DROP TABLE u\n"},
        {"shop.t", "x", "DROP TABLE shop.u", "1.0 ddl shop/u DROP TABLE shop.u\n"},
        {"shop.t", "x", "DROP TABLE u", ""},
        {"shop.t", "", "FLUSH TABLES", ""},
        {"", "", "FLUSH TABLES", "1.0 ddl / FLUSH TABLES\n"},
        {"-shop.t", "", "FLUSH TABLES", "1.0 ddl / FLUSH TABLES\n"},
        {"-shop", "shop", "DROP TABLE u", ""},
        {"shop.t", "shop", "TRUNCATE t", "1.0 truncate shop.t\n"},
        {"shop.t", "shop", "TRUNCATE u", ""},
        {"shop.t", "x", "TRUNCATE shop.t", "1.0 truncate shop.t\n"},
        {"shop.t", "shop", "TRUNCATE x.t", ""},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading reading;
        struct rf_buf text = {0};
        begin(&reading, cases[i].patterns, "");
        rf_test_log_gtid(&reading.log, 0, 1, STANDALONE);
        rf_test_log_query(&reading.log, cases[i].database, cases[i].statement);
        if (cases[i].text[0] != '\0') {
            rf_buf_printf(&text, "begin 0-1-1\n%send 0-1-1\n", cases[i].text);
        }
        expect(&reading, rf_buf_cstr(&text));
        rf_buf_deinit(&text);
        end(&reading);
    }
}

static void statement_in(struct reading *reading, unsigned charset, const char *database,
                         const char *statement)
{
    enum { CHARSET_AT = 19 + 13 + 1 };
    rf_test_log_query(&reading->log, database, statement);
    char *event = reading->log.log.data + reading->log.last;
    event[CHARSET_AT] = (char)charset;
    event[CHARSET_AT + 1] = (char)(charset >> 8);
    rf_test_log_seal(&reading->log, reading->log.last);
}

enum folding { EXACT, FOLDED, LOOSE };

static void test_truncates_are_found_as_the_server_compares_names(void **context)
{
    static const struct {
        enum folding folding;
        const char *patterns, *database, *statement;
        const char *text; /* NULL: it stops */
    } cases[] = {
        {FOLDED, "shop.orders", "", "TRUNCATE TABLE Shop.Orders", "1.0 truncate shop.orders\n"},
        {FOLDED, "Shop.Orders", "SHOP", "TRUNCATE `ORDERS`", "1.0 truncate shop.orders\n"},
        {FOLDED, "shop.orders", "x", "TRUNCATE Shop.Other", ""},
        {FOLDED, "-shop.orders", "x", "TRUNCATE Shop.Orders", ""},
        {FOLDED, "", "x", "TRUNCATE \xc3\x84.B", "1.0 truncate \xc3\xa4.b\n"},
        {FOLDED, "shop.orders", "Shop", "DROP TABLE Orders",
         "1.0 ddl shop/orders DROP TABLE Orders\n"},
        {FOLDED, "shop.orders", "x", "ALTER TABLE Shop.Orders FORCE",
         "1.0 ddl shop/orders ALTER TABLE Shop.Orders FORCE\n"},
        /* Letters whose lower case nobody here knows. */
        {FOLDED, "", "shop", "TRUNCATE \xd4\xb1", NULL},
        {FOLDED, "shop.*", "shop", "TRUNCATE \xd4\xb1", NULL},
        {FOLDED, "shop.*", "x", "TRUNCATE \xd4\xb1", ""},
        {FOLDED, "shop.*", "x", "TRUNCATE \xd4\xb1.t", NULL},
        {EXACT, "shop.orders", "shop", "TRUNCATE Orders", ""},
        {EXACT, "shop.Orders", "shop", "TRUNCATE Orders", "1.0 truncate shop.Orders\n"},
        {EXACT, "shop.*", "shop", "TRUNCATE \xd4\xb1", "1.0 truncate shop.\xd4\xb1\n"},
        {LOOSE, "shop.orders", "shop", "TRUNCATE Orders", NULL},
        {LOOSE, "shop.Orders", "shop", "TRUNCATE orders", NULL},
        {LOOSE, "-shop.orders", "shop", "TRUNCATE Orders", NULL},
        {LOOSE, "shop.orders", "Shop", "TRUNCATE orders", NULL},
        {LOOSE, "shop.orders", "shop", "TRUNCATE orders", "1.0 truncate shop.orders\n"},
        {LOOSE, "shop.orders", "shop", "TRUNCATE Other", ""},
        {LOOSE, "shop.*", "shop", "TRUNCATE Orders", "1.0 truncate shop.Orders\n"},
        {LOOSE, "shop.o", "shop", "TRUNCATE \xd4\xb1", NULL},
        {LOOSE, "shop.o", "x", "TRUNCATE \xd4\xb1", ""},
        {LOOSE, "shop.o", "x", "DROP TABLE Shop.O", "1.0 ddl Shop/O DROP TABLE Shop.O\n"},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading reading;
        struct rf_pick loose = {0};
        struct rf_buf text = {0};
        struct rf_str rest = rf_str_of(cases[i].patterns), field;
        begin(&reading, cases[i].patterns, "");
        if (cases[i].folding == FOLDED) {
            rf_pick_fold(&reading.pick);
        } else if (cases[i].folding == LOOSE) {
            while (rest.size > 0 && rf_str_split(&rest, ' ', &field)) {
                assert_int_equal(rf_pick_add(&loose, field, NULL), RF_OK);
            }
            rf_pick_fold(&loose);
            reading.assembly.loose = &loose;
        }
        rf_test_log_gtid(&reading.log, 0, 1, STANDALONE);
        rf_test_log_query(&reading.log, cases[i].database, cases[i].statement);
        if (cases[i].text == NULL) {
            expect_stop(&reading, RF_FATAL, "TRUNCATE of ", "");
            assert_non_null(strstr(reading.err.hint, cases[i].folding == LOOSE
                                                         ? "lower_case_table_names="
                                                         : "tables="));
        } else {
            if (cases[i].text[0] != '\0') {
                rf_buf_printf(&text, "begin 0-1-1\n%send 0-1-1\n", cases[i].text);
            }
            expect(&reading, rf_buf_cstr(&text));
            assert_int_equal(reading.skipped, cases[i].text[0] == '\0');
        }
        rf_buf_deinit(&text);
        rf_pick_deinit(&loose);
        end(&reading);
    }
}

static void test_other_character_sets_stop_only_where_something_is_picked(void **context)
{
    enum { CP1251 = 51, GBK = 28, SJIS = 13, SWE7 = 10 };
    static const struct {
        unsigned charset;
        const char *patterns, *database, *statement;
        bool stops;
    } cases[] = {
        {CP1251, "shop.t", "x", "ALTER TABLE t COMMENT='\xcf'", false},
        {CP1251, "shop.t", "x", "CREATE TABLE \xcf (a INT)", false},
        {CP1251, "shop.t", "x", "/* \xcf */ TRUNCATE x.\xcf", false},
        {CP1251, "shop.t", "x", "TRUNCATE shop.\xcf", true},
        {CP1251, "shop.t", "x", "TRUNCATE \xcf.t", true},
        {CP1251, "shop.t", "x", "TRUNCATE shop.u -- \xcf", false},
        {CP1251, "shop.t", "x", "TRUNCATE shop.t -- \xcf", true},
        {CP1251, "shop.t", "shop", "ALTER TABLE t COMMENT='\xcf'", true},
        {CP1251, "shop.t", "x", "ALTER TABLE shop.t COMMENT='\xcf'", true},
        {CP1251, "-x", "x", "ALTER TABLE t COMMENT='\xcf'", false},
        {CP1251, "", "x", "ALTER TABLE t COMMENT='\xcf'", true},
        {GBK, "shop.t", "x", "ALTER TABLE t COMMENT='\x81\\'", false},
        {GBK, "shop.t", "x", "TRUNCATE `\x81`.`shop`.`t`", true},
        {GBK, "shop.t", "x", "TRUNCATE `\x81``.`t`", true},
        {GBK, "shop.t", "x", "TRUNCATE x.`\x81\\`", false},
        {GBK, "shop.t", "x", "TRUNCATE shop.`\x81\\`", true},
        {SJIS, "shop.t", "x",
         "SET STATEMENT sql_mode='\x95\\' FOR TRUNCATE x.t /* ' FOR TRUNCATE x.t */", true},
        {SJIS, "shop.t", "x", "DROP TABLE x.t, y.\x95\\", false},
        {SWE7, "shop.t", "x", "ALTER TABLE t COMMENT='{'", false},
        {SWE7, "shop.t", "x", "TRUNCATE {.t", true},
        {65535, "shop.t", "x", "DROP TABLE t /* \x81 */", false},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading reading;
        begin(&reading, cases[i].patterns, "");
        rf_test_log_gtid(&reading.log, 0, 1, STANDALONE);
        statement_in(&reading, cases[i].charset, cases[i].database, cases[i].statement);
        enum rf_status status = read_all(&reading);
        if (status != (cases[i].stops ? RF_FATAL : RF_AGAIN)) {
            fail_msg("%zu: %s: %s", i, rf_status_name(status), reading.err.message);
        }
        assert_string_equal(rf_buf_cstr(&reading.text), "");
        assert_int_equal(reading.skipped, !cases[i].stops);
        if (cases[i].stops && strstr(reading.err.message, "not known") == NULL) {
            assert_non_null(strstr(reading.err.hint, "SET NAMES utf8mb4"));
            assert_non_null(strstr(reading.err.hint, "tables="));
        }
        end(&reading);
    }
}

/* ---- Tables -------------------------------------------------------------------------------- */

static const struct rf_table *table_of(const struct reading *reading)
{
    assert_true(reading->batch.count > 0);
    return reading->batch.events[reading->batch.count - 1].table;
}

static enum rf_status read_one(struct reading *reading)
{
    rf_batch_reset(&reading->batch, 0);
    return rf_assembly_fill(&reading->assembly, &reading->batch, INT64_MAX, find, reading,
                            &reading->err);
}

static void test_the_same_definition_is_the_same_table(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "");
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    assert_int_equal(read_one(&reading), RF_OK);
    const struct rf_table *first = table_of(&reading);
    assert_int_equal(first->version, 1);
    rf_test_log_row(&reading.log, 2, "shop", "t", 2);
    assert_int_equal(read_one(&reading), RF_OK);
    assert_ptr_equal(table_of(&reading), first);
    /* Another number, as after FLUSH TABLES. */
    rf_test_log_gtid(&reading.log, 0, 3, 0);
    rf_test_log_table(&reading.log, 77, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 77, 2, 3, 1, true);
    rf_test_log_xid(&reading.log);
    assert_int_equal(read_one(&reading), RF_OK);
    assert_ptr_equal(table_of(&reading), first);
    /* Another file. */
    rf_test_log_rotate(&reading.log, "bin.000002");
    rf_test_log_row(&reading.log, 4, "shop", "t", 4);
    assert_int_equal(read_one(&reading), RF_OK);
    assert_ptr_equal(table_of(&reading), first);
    end(&reading);
}

static void test_a_changed_definition_is_another_version(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_table(&reading.log, 21, "shop", "t", 3, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, false);
    rf_test_log_insert(&reading.log, 21, 3, 1, 1, true);
    rf_test_log_xid(&reading.log);
    assert_int_equal(read_one(&reading), RF_OK);
    assert_int_equal(reading.batch.count, 2);
    assert_int_equal(reading.batch.events[0].table->version, 1);
    assert_int_equal(reading.batch.events[0].table->column_count, 2);
    assert_int_equal(reading.batch.events[1].table->version, 2);
    assert_int_equal(reading.batch.events[1].table->column_count, 3);
    end(&reading);
}

static void test_a_table_number_that_changes_its_meaning_keeps_what_was_read(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    for (unsigned columns = 2; columns < 6; columns++) {
        rf_test_log_table(&reading.log, 20, "shop", "t", columns, true);
        rf_test_log_insert(&reading.log, 20, columns, 1, 1, true);
    }
    rf_test_log_xid(&reading.log);
    expect(&reading, "begin 0-1-1\n2.0 create shop.t 1|2\n4.0 create shop.t 1|2|3\n"
                     "6.0 create shop.t 1|2|3|4\n8.0 create shop.t 1|2|3|4|5\nend 0-1-1\n");
    end(&reading);
}

static void test_many_tables_are_told_apart(void **context)
{
    enum { TABLES = 1000 };
    struct reading reading;
    struct rf_buf text = {0};
    (void)context;
    begin(&reading, "db.t*", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_buf_add_str(&text, RF_STR("begin 0-1-1\n"));
    for (unsigned i = 0; i < TABLES; i++) {
        struct rf_buf name = {0};
        rf_buf_printf(&name, "%c%u", i % 3 == 0 ? 'x' : 't', i);
        rf_test_log_table(&reading.log, 1000 - i, "db", rf_buf_cstr(&name), 2, true);
        rf_test_log_insert(&reading.log, 1000 - i, 2, (int32_t)i, 1, true);
        if (i % 3 != 0) {
            rf_buf_printf(&text, "%u.0 create db.%s %u|%u\n", 2 * i + 2, name.data, i, i + 1);
        }
        rf_buf_deinit(&name);
    }
    rf_test_log_xid(&reading.log);
    rf_buf_add_str(&text, RF_STR("end 0-1-1\n"));
    expect(&reading, rf_buf_cstr(&text));
    rf_buf_deinit(&text);
    end(&reading);
}

static void test_a_table_map_holds_for_one_statement(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "");
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    rf_test_log_gtid(&reading.log, 0, 2, 0);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    expect_stop(&reading, RF_FATAL, "no TABLE_MAP",
                "begin 0-1-1\n2.0 create shop.t 1|2\nend 0-1-1\n");
    end(&reading);
}

static void test_a_rows_event_without_a_table_only_ends_the_statement(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_insert(&reading.log, 0xffffff, 0, 0, 0, true);
    rf_test_log_xid(&reading.log);
    expect(&reading, "");
    assert_non_null(strstr(rf_buf_cstr(&reading.position), "last=0-1-1"));
    end(&reading);
}

/* ---- Size ---------------------------------------------------------------------------------- */

static void test_a_transaction_larger_than_a_batch_comes_in_pieces(void **context)
{
    enum { EVENTS = 400, ROWS = 100 };
    struct reading reading;
    struct rf_buf text = {0};
    (void)context;
    begin(&reading, "", "");
    reading.batch.bytes_max = 64 * 1024;
    rf_test_log_row(&reading.log, 1, "shop", "t", 0);
    rf_test_log_gtid(&reading.log, 0, 2, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_buf_add_str(&text, RF_STR("begin 0-1-1\n2.0 create shop.t 0|1\nend 0-1-1\nbegin 0-1-2\n"));
    for (unsigned i = 0; i < EVENTS; i++) {
        rf_test_log_insert(&reading.log, 20, 2, (int32_t)(i * 1000), ROWS, i + 1 == EVENTS);
        for (unsigned row = 0; row < ROWS; row++) {
            rf_buf_printf(&text, "%u.%u create shop.t %u|%u\n", i + 2, row, i * 1000 + row * 10,
                          i * 1000 + row * 10 + 1);
        }
    }
    rf_test_log_xid(&reading.log);
    rf_test_log_row(&reading.log, 3, "shop", "t", 7);
    rf_buf_add_str(&text, RF_STR("end 0-1-2\nbegin 0-1-3\n2.0 create shop.t 7|8\nend 0-1-3\n"));
    expect(&reading, rf_buf_cstr(&text));
    assert_true(reading.batches > 5);
    rf_buf_deinit(&text);
    end(&reading);
}

static void test_the_position_waits_for_the_last_piece(void **context)
{
    struct reading reading;
    bool ended = false;
    (void)context;
    begin(&reading, "", "");
    reading.batch.bytes_max = 1;
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    for (unsigned i = 0; i < 20000; i++) {
        rf_test_log_insert(&reading.log, 20, 2, 1, 1, i == 19999);
    }
    rf_test_log_xid(&reading.log);
    for (int piece = 0; !ended; piece++) {
        assert_int_equal(read_one(&reading), RF_OK);
        assert_int_equal(reading.batch.transaction_count, 1);
        assert_true(reading.batch.transactions[0].begins == (piece == 0));
        ended = reading.batch.transactions[0].ends;
        assert_true((reading.batch.position.size > 0) == ended);
        assert_true(!ended || piece > 3);
    }
    assert_int_equal(read_one(&reading), RF_AGAIN);
    end(&reading);
}

static void test_a_transaction_that_fits_is_not_cut(void **context)
{
    struct reading reading;
    uint32_t batches = 0;
    (void)context;
    begin(&reading, "", "");
    reading.batch.bytes_max = 200 * 1024;
    for (unsigned i = 1; i <= 40; i++) {
        rf_test_log_gtid(&reading.log, 0, i, 0);
        rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
        rf_test_log_insert(&reading.log, 20, 2, 1, 1000, true);
        rf_test_log_xid(&reading.log);
    }
    while (read_one(&reading) == RF_OK) {
        batches++;
        for (uint32_t i = 0; i < reading.batch.transaction_count; i++) {
            assert_true(reading.batch.transactions[i].begins);
            assert_true(reading.batch.transactions[i].ends);
        }
    }
    assert_true(batches > 3);
    end(&reading);
}

static void test_an_event_larger_than_a_chunk_keeps_its_place(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, false);
    rf_test_log_insert(&reading.log, 20, 2, 100000, 20000, false);
    rf_test_log_insert(&reading.log, 20, 2, 5, 1, true);
    rf_test_log_xid(&reading.log);
    reading.batch.bytes_max = 16 * 1024 * 1024;
    assert_int_equal(read_one(&reading), RF_OK);
    assert_int_equal(reading.batch.count, 20002);
    assert_int_equal(reading.batch.events[0].after[0].i, 1);
    assert_int_equal(reading.batch.events[1].after[0].i, 100000);
    assert_int_equal(reading.batch.events[20000].after[0].i, 100000 + 19999 * 10);
    assert_int_equal(reading.batch.events[20001].after[0].i, 5);
    end(&reading);
}

static void test_a_transaction_that_is_too_large_stops_by_name(void **context)
{
    struct reading reading;
    enum rf_status status = RF_OK;
    (void)context;
    begin(&reading, "", "");
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    rf_test_log_gtid(&reading.log, 0, 2, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 100000, false);
    struct rf_str rows = rf_test_log_last(&reading.log);
    assert_int_equal(read_all(&reading), RF_AGAIN);
    for (int i = 0; i < 100 && status == RF_OK; i++) {
        status = rf_assembly_take(&reading.assembly, rows, 0, &reading.err);
    }
    assert_int_equal(status, RF_FATAL);
    assert_non_null(strstr(reading.err.message, "64 MiB"));
    assert_non_null(strstr(reading.err.message, "GTID 0-1-2"));
    end(&reading);
}

static void test_small_transactions_do_not_bring_a_chunk_each(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "");
    for (unsigned i = 1; i <= 1000; i++) {
        rf_test_log_row(&reading.log, i, "shop", "t", 1);
    }
    assert_int_equal(read_one(&reading), RF_OK);
    assert_int_equal(reading.batch.transaction_count, 1000);
    assert_true(reading.batch.arena.bytes < 512 * 1024);
    end(&reading);
}

/* ---- What stops ---------------------------------------------------------------------------- */

#define ONE_ROW "begin 0-1-1\n2.0 create shop.t 1|2\nend 0-1-1\n"

static void test_a_transaction_without_its_end_is_dropped(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    rf_test_log_rotate(&reading.log, "bin.000002");
    rf_test_log_row(&reading.log, 2, "shop", "t", 5);
    expect(&reading, "begin 0-1-2\n2.0 create shop.t 5|6\nend 0-1-2\n");
    end(&reading);
}

static void test_transactions_that_are_not_carried_stop_by_name(void **context)
{
    static const struct {
        uint8_t flags;
        const char *first, *second, *message;
    } cases[] = {
        {PREPARED_XA, NULL, NULL, "XA"},
        {COMPLETED_XA, NULL, NULL, "XA"},
        {0, "XA END X'61',X'',1", NULL, "XA"},
        {0, "ROLLBACK", NULL, "ROLLBACK"},
        {0, "ROLLBACK TO `s`", NULL, "ROLLBACK TO"},
        {0, "INSERT INTO t VALUES (1)", NULL, "INSERT INTO t VALUES (1)"},
        {0, "SAVEPOINT s", "FROBNICATE t\nnow", "FROBNICATE t now"},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading reading;
        begin(&reading, "", "");
        rf_test_log_row(&reading.log, 1, "shop", "t", 1);
        rf_test_log_gtid(&reading.log, 0, 2, cases[i].flags);
        rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
        rf_test_log_insert(&reading.log, 20, 2, 9, 1, true);
        if (cases[i].first != NULL) {
            rf_test_log_query(&reading.log, "shop", cases[i].first);
        }
        if (cases[i].second != NULL) {
            rf_test_log_query(&reading.log, "shop", cases[i].second);
        }
        rf_test_log_xid(&reading.log);
        expect_stop(&reading, RF_FATAL, cases[i].message, ONE_ROW);
        assert_non_null(strstr(reading.err.message, "GTID 0-1-2"));
        end(&reading);
    }
}

static void test_rolled_back_rows_that_nobody_picked_are_no_trouble(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "shop.t", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 21, "shop", "u", 2, true);
    rf_test_log_insert(&reading.log, 21, 2, 9, 1, true);
    rf_test_log_query(&reading.log, "shop", "SAVEPOINT s");
    rf_test_log_query(&reading.log, "shop", "ROLLBACK TO s");
    rf_test_log_query(&reading.log, "shop", "ROLLBACK");
    rf_test_log_row(&reading.log, 2, "shop", "t", 1);
    expect(&reading, "begin 0-1-2\n2.0 create shop.t 1|2\nend 0-1-2\n");
    end(&reading);
}

static void test_rolling_back_to_a_savepoint_without_rows_behind_it_is_no_trouble(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 1, 1, true);
    rf_test_log_query(&reading.log, "shop", "SAVEPOINT s");
    rf_test_log_query(&reading.log, "shop", "ROLLBACK TO s");
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 3, 1, true);
    rf_test_log_xid(&reading.log);
    expect(&reading, "begin 0-1-1\n2.0 create shop.t 1|2\n6.0 create shop.t 3|4\nend 0-1-1\n");
    end(&reading);
}

static void test_events_that_are_not_carried_stop_by_name(void **context)
{
    static const struct {
        uint8_t type;
        const char *message;
    } cases[] = {
        {5, "INTVAR"},      {13, "RAND"},        {14, "USER_VAR"}, {17, "LOAD"},  {18, "LOAD"},
        {26, "hole"},       {38, "XA"},          {33, "MySQL"},    {40, "MySQL"}, {39, "MySQL"},
        {164, "encrypted"}, {165, "compressed"}, {200, "200"},     {255, "255"},
    };
    static const char body[] = "\x01\x00\x04lost events and more";
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading reading;
        begin(&reading, "none.such", "");
        rf_test_log_gtid(&reading.log, 0, 1, 0);
        rf_test_log_event(&reading.log, cases[i].type, 0, body, sizeof body);
        rf_test_log_xid(&reading.log);
        expect_stop(&reading, RF_FATAL, cases[i].message, "");
        end(&reading);
    }
}

static void test_compressed_rows_stop_only_when_they_are_picked(void **context)
{
    static const char body[] = {20, 0, 0, 0, 0, 0, 1, 0, 2, 3, 0};
    (void)context;
    for (int picked = 0; picked < 2; picked++) {
        struct reading reading;
        begin(&reading, picked ? "shop.t" : "other.t", "");
        rf_test_log_gtid(&reading.log, 0, 1, 0);
        rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
        rf_test_log_event(&reading.log, 166, 0, body, sizeof body);
        rf_test_log_xid(&reading.log);
        if (picked) {
            expect_stop(&reading, RF_FATAL, "compressed", "");
        } else {
            expect(&reading, "");
            assert_int_equal(reading.skipped, 1);
        }
        end(&reading);
    }
}

static void test_gtids_that_do_not_grow_stop(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "0-1-9,1-1-9");
    rf_test_log_gtid(&reading.log, 2, 1, STANDALONE);
    rf_test_log_query(&reading.log, "shop", "FLUSH TABLES");
    rf_test_log_gtid(&reading.log, 1, 9, STANDALONE);
    rf_test_log_query(&reading.log, "shop", "FLUSH TABLES");
    expect_stop(&reading, RF_FATAL, "out of order",
                "begin 2-1-1\n1.0 ddl shop/ FLUSH TABLES\nend 2-1-1\n");
    end(&reading);
}

static void test_events_outside_of_a_transaction_stop(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "");
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    expect_stop(&reading, RF_FATAL, "without a GTID", ONE_ROW);
    end(&reading);

    begin(&reading, "", "");
    rf_test_log_gtid(&reading.log, 0, 1, 0);
    rf_test_log_gtid(&reading.log, 0, 2, 0);
    expect_stop(&reading, RF_FATAL, "before this one has ended", "");
    end(&reading);
}

static void test_a_gap_between_files_stops(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "0-1-3");
    rf_test_log_row(&reading.log, 4, "shop", "t", 1);
    rf_test_log_rotate(&reading.log, "bin.000001");
    rf_test_log_gtid_list(&reading.log, "0-1-4");
    rf_test_log_row(&reading.log, 5, "shop", "t", 3);
    rf_test_log_rotate(&reading.log, "bin.000001");
    rf_test_log_gtid_list(&reading.log, "0-1-6");
    expect_stop(&reading, RF_FATAL, "0-1-6",
                "begin 0-1-4\n2.0 create shop.t 1|2\nend 0-1-4\n"
                "begin 0-1-5\n2.0 create shop.t 3|4\nend 0-1-5\n");
    end(&reading);
}

static void test_a_row_that_cannot_be_read_takes_its_transaction_with_it(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "");
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    rf_test_log_gtid(&reading.log, 0, 2, 0);
    rf_test_log_table(&reading.log, 20, "shop", "t", 2, true);
    rf_test_log_insert(&reading.log, 20, 2, 5, 1, false);
    rf_test_log_insert(&reading.log, 20, 2, 7, 2, true);
    reading.log.log.data[reading.log.last + 19 + 8 + 1] = 1; /* the image lacks a column */
    rf_test_log_seal(&reading.log, reading.log.last);
    rf_test_log_xid(&reading.log);
    expect_stop(&reading, RF_FATAL, "GTID 0-1-2", ONE_ROW);
    end(&reading);
}

static void test_any_flipped_bit_stops_before_anything_behind_it(void **context)
{
    struct reading reading;
    struct rf_buf whole = {0};
    size_t first;
    (void)context;
    begin(&reading, "", "");
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    first = reading.log.log.size;
    rf_test_log_row(&reading.log, 2, "shop", "t", 3);
    rf_test_log_gtid(&reading.log, 0, 3, STANDALONE);
    rf_test_log_query(&reading.log, "shop", "DROP TABLE t");
    rf_buf_set(&whole, rf_buf_str(&reading.log.log));
    end(&reading);
    for (size_t bit = first * 8; bit < whole.size * 8; bit++) {
        size_t offset = bit / 8;
        begin(&reading, "", "");
        rf_buf_set(&reading.log.log, rf_buf_str(&whole));
        reading.log.log.data[offset] ^= (char)(1u << bit % 8);
        struct rf_error err = {0};
        enum rf_status status = RF_OK;
        /* Sizes come from the log that was not touched: those are the reader's to check. */
        size_t at = 0;
        struct rf_str event;
        struct rf_test_log clean = {.log = whole};
        while (status == RF_OK && rf_test_log_next(&clean, &at, &event)) {
            struct rf_str flipped = {reading.log.log.data + (event.data - whole.data), event.size};
            status = rf_assembly_take(&reading.assembly, flipped, 0, &err);
            while (status == RF_OK && reading.assembly.ready) {
                status = rf_assembly_drain(&reading.assembly, &reading.batch, &err);
            }
        }
        if (status != RF_FATAL) {
            fail_msg("bit %zu: status %s", bit, rf_status_name(status));
        }
        assert_true(reading.batch.count <= 2);
        end(&reading);
    }
    rf_buf_deinit(&whole);
}

/* ---- Resuming ------------------------------------------------------------------------------ */

static void resume(struct reading *reading, const struct reading *from, size_t at)
{
    struct rf_assembly *assembly = &reading->assembly;
    *reading = (struct reading){.batch.bytes_max = BATCH_BYTES};
    rf_buf_set(&reading->log.log, rf_buf_str(&from->log.log));
    assembly->pick = &reading->pick;
    rf_assembly_turn(assembly, RF_STR("bin.000001"));
    assert_int_equal(rf_position_parse(&assembly->position, rf_buf_str(&from->position), NULL),
                     RF_OK);
    rf_position_copy(&assembly->expected, &assembly->position);
    /* As a server does: the format description first, then from the place on. */
    struct rf_str event;
    assert_true(rf_test_log_next(&reading->log, &reading->at, &event));
    assert_int_equal(rf_assembly_take(assembly, event, 0, NULL), RF_OK);
    assembly->mode = RF_ASSEMBLY_VERIFY;
    reading->at = at;
    assembly->next = at;
}

static void test_a_resume_compares_the_last_transaction_and_goes_on_behind_it(void **context)
{
    struct reading first, second;
    (void)context;
    begin(&first, "", "");
    rf_test_log_row(&first.log, 1, "shop", "t", 1);
    size_t at = first.log.log.size;
    rf_test_log_row(&first.log, 2, "shop", "t", 3);
    assert_int_equal(read_all(&first), RF_AGAIN);
    rf_test_log_row(&first.log, 3, "shop", "t", 5);

    resume(&second, &first, at);
    expect(&second, "begin 0-1-3\n2.0 create shop.t 5|6\nend 0-1-3\n");
    assert_int_equal(second.assembly.mode, RF_ASSEMBLY_TAKE);
    end(&second);
    end(&first);
}

static void test_a_resume_in_another_log_stops(void **context)
{
    static const char *const differences[] = {"sequence", "time", "end", "created",
                                              "another transaction in that second"};
    (void)context;
    for (int i = 0; i < 5; i++) {
        struct reading first, second;
        begin(&first, "", "");
        size_t at = first.log.log.size;
        rf_test_log_row(&first.log, 2, "shop", "t", 3);
        assert_int_equal(read_all(&first), RF_AGAIN);
        struct rf_buf position = first.position;
        first.position = (struct rf_buf){0};
        end(&first);

        begin(&first, "", "");
        first.log.time = i == 1 ? 1700000001 : 0;
        first.log.xid = i == 4 ? 8 : 0;
        rf_test_log_row(&first.log, i == 0 ? 3 : 2, "shop", i == 2 ? "tt" : "t", 3);
        rf_buf_deinit(&first.position);
        first.position = position;
        resume(&second, &first, at);
        second.assembly.must_created = 0;
        if (i == 3) {
            end(&second);
            resume(&second, &first, 0);
            struct rf_str event;
            size_t again = 0;
            assert_true(rf_test_log_next(&second.log, &again, &event));
            second.assembly.must_created = 1600000000;
            assert_int_equal(rf_assembly_take(&second.assembly, event, 0, &second.err), RF_FATAL);
        } else {
            assert_int_equal(read_all(&second), RF_FATAL);
        }
        if (second.err.hint[0] == '\0' || second.text.size > 0) {
            fail_msg("%s: %s", differences[i], second.err.message);
        }
        end(&second);
        end(&first);
    }
}

static void test_what_the_position_contains_is_skipped(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "0-1-1");
    reading.assembly.adopts_list = false;
    reading.assembly.mode = RF_ASSEMBLY_SKIP;
    assert_int_equal(
        rf_gtid_list_parse(&reading.assembly.position.gtids, RF_STR("0-1-3,1-1-1"), NULL), RF_OK);
    for (unsigned i = 2; i <= 5; i++) {
        rf_test_log_row(&reading.log, i, "shop", "t", (int32_t)i);
    }
    expect(&reading, "begin 0-1-4\n2.0 create shop.t 4|5\nend 0-1-4\n"
                     "begin 0-1-5\n2.0 create shop.t 5|6\nend 0-1-5\n");
    rf_test_log_row(&reading.log, 5, "shop", "t", 9);
    assert_int_equal(read_all(&reading), RF_FATAL);
    assert_non_null(strstr(reading.err.message, "out of order"));
    end(&reading);
}

static void test_advancing_moves_the_position_and_hands_nothing_over(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "");
    reading.assembly.mode = RF_ASSEMBLY_ADVANCE;
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    expect(&reading, "");
    assert_int_equal(reading.assembly.position.gtids.count, 1);
    reading.assembly.mode = RF_ASSEMBLY_TAKE;
    rf_test_log_row(&reading.log, 2, "shop", "t", 3);
    expect(&reading, "begin 0-1-2\n2.0 create shop.t 3|4\nend 0-1-2\n");
    end(&reading);
}

static void test_offsets_above_4_gib_are_counted(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "");
    expect(&reading, "");
    reading.assembly.next = 0xffffff00;
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    expect(&reading, ONE_ROW);
    struct rf_position position = {0};
    assert_int_equal(rf_position_parse(&position, rf_buf_str(&reading.position), NULL), RF_OK);
    assert_true(position.end == ((uint64_t)1 << 32) + reading.log.log.size);
    assert_true(position.start > (uint64_t)1 << 32);
    rf_position_deinit(&position);
    end(&reading);
}

/* As if the file had `more` bytes in front; events have only 32 bits of their place. */
static void shift(struct reading *reading, uint32_t more)
{
    enum { END_AT = 13 };
    for (size_t at = reading->at, next = at;; at = next) {
        struct rf_str event;
        uint32_t place = 0;
        if (!rf_test_log_next(&reading->log, &next, &event)) {
            return;
        }
        char *bytes = reading->log.log.data + (next - event.size);
        for (int i = 3; i >= 0; i--) {
            place = place << 8 | (unsigned char)bytes[END_AT + i];
        }
        place += more;
        for (int i = 0; i < 4; i++) {
            bytes[END_AT + i] = (char)(place >> (8 * i));
        }
        rf_test_log_seal(&reading->log, next - event.size);
    }
}

static void test_offsets_wrap_at_any_byte(void **context)
{
    static const uint64_t gib4 = (uint64_t)1 << 32;
    (void)context;
    for (uint64_t before = 0; before < 400; before++) {
        struct reading reading;
        struct rf_position position = {0};
        begin(&reading, "", "");
        expect(&reading, "");
        size_t head = reading.log.log.size, begins[3];
        for (unsigned i = 0; i < 3; i++) {
            begins[i] = reading.log.log.size;
            rf_test_log_row(&reading.log, i + 1, "shop", "t", 1);
        }
        uint64_t more = 3 * gib4 - head - before;
        shift(&reading, (uint32_t)more);
        reading.assembly.next = head + more;
        assert_int_equal(read_all(&reading), RF_AGAIN);
        assert_int_equal(rf_position_parse(&position, rf_buf_str(&reading.position), NULL), RF_OK);
        assert_true(position.end == reading.log.log.size + more);
        assert_true(position.start == begins[2] + more);
        rf_position_deinit(&position);
        end(&reading);
    }
}

static void test_a_place_that_is_not_known_is_not_written(void **context)
{
    struct reading reading;
    (void)context;
    begin(&reading, "", "");
    expect(&reading, "");
    reading.assembly.adrift = true;
    rf_test_log_row(&reading.log, 1, "shop", "t", 1);
    assert_int_equal(read_all(&reading), RF_AGAIN);
    assert_string_equal(rf_buf_cstr(&reading.position), "mariadb:gtid=0-1-1;server=1");
    /* It goes on with the next file, whose top is known. */
    rf_test_log_rotate(&reading.log, "bin.000002");
    rf_test_log_row(&reading.log, 2, "shop", "t", 1);
    assert_int_equal(read_all(&reading), RF_AGAIN);
    assert_non_null(strstr(rf_buf_cstr(&reading.position), "gtid=0-1-2;file=bin.000002;start="));
    end(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_leave_when_their_transaction_has_ended),
        cmocka_unit_test(test_each_operation_has_its_images),
        cmocka_unit_test(test_ordinals_count_what_is_skipped_but_not_annotations),
        cmocka_unit_test(test_a_filtered_transaction_moves_the_position_without_an_event),
        cmocka_unit_test(test_tables_left_out_need_no_metadata),
        cmocka_unit_test(test_statements_become_events),
        cmocka_unit_test(test_statements_are_filtered_by_what_they_may_touch),
        cmocka_unit_test(test_truncates_are_found_as_the_server_compares_names),
        cmocka_unit_test(test_other_character_sets_stop_only_where_something_is_picked),
        cmocka_unit_test(test_the_same_definition_is_the_same_table),
        cmocka_unit_test(test_a_changed_definition_is_another_version),
        cmocka_unit_test(test_a_table_number_that_changes_its_meaning_keeps_what_was_read),
        cmocka_unit_test(test_many_tables_are_told_apart),
        cmocka_unit_test(test_a_table_map_holds_for_one_statement),
        cmocka_unit_test(test_a_rows_event_without_a_table_only_ends_the_statement),
        cmocka_unit_test(test_a_transaction_larger_than_a_batch_comes_in_pieces),
        cmocka_unit_test(test_the_position_waits_for_the_last_piece),
        cmocka_unit_test(test_a_transaction_that_fits_is_not_cut),
        cmocka_unit_test(test_an_event_larger_than_a_chunk_keeps_its_place),
        cmocka_unit_test(test_a_transaction_that_is_too_large_stops_by_name),
        cmocka_unit_test(test_small_transactions_do_not_bring_a_chunk_each),
        cmocka_unit_test(test_a_transaction_without_its_end_is_dropped),
        cmocka_unit_test(test_transactions_that_are_not_carried_stop_by_name),
        cmocka_unit_test(test_rolled_back_rows_that_nobody_picked_are_no_trouble),
        cmocka_unit_test(test_rolling_back_to_a_savepoint_without_rows_behind_it_is_no_trouble),
        cmocka_unit_test(test_events_that_are_not_carried_stop_by_name),
        cmocka_unit_test(test_compressed_rows_stop_only_when_they_are_picked),
        cmocka_unit_test(test_gtids_that_do_not_grow_stop),
        cmocka_unit_test(test_events_outside_of_a_transaction_stop),
        cmocka_unit_test(test_a_gap_between_files_stops),
        cmocka_unit_test(test_a_row_that_cannot_be_read_takes_its_transaction_with_it),
        cmocka_unit_test(test_any_flipped_bit_stops_before_anything_behind_it),
        cmocka_unit_test(test_a_resume_compares_the_last_transaction_and_goes_on_behind_it),
        cmocka_unit_test(test_a_resume_in_another_log_stops),
        cmocka_unit_test(test_what_the_position_contains_is_skipped),
        cmocka_unit_test(test_advancing_moves_the_position_and_hands_nothing_over),
        cmocka_unit_test(test_offsets_above_4_gib_are_counted),
        cmocka_unit_test(test_offsets_wrap_at_any_byte),
        cmocka_unit_test(test_a_place_that_is_not_known_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
