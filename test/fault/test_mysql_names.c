/* The source `mysql` against a server that compares names in lower case, and what the server's own
 * tables say at the start: character sets of statements, foreign keys. */
#include "base/clock.h"
#include "event/name.h"
#include "lib/mariadb_subject.h"
#include "lib/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LIMIT_MS = 20000 };

extern const struct rf_source_type rf_source_mysql, rf_source_binlog;

struct subject {
    struct rf_test_source source;
    struct rf_test_setting settings[5];
    struct rf_error err;
};

static void prepare(struct subject *subject, const char *tables, const char *user)
{
    *subject = (struct subject){
        .settings = {{"user", user},
                     {"port", server.port},
                     {"tables", tables},
                     {"heartbeat", "100ms"}},
        .source = {.type = &rf_source_mysql},
    };
    subject->source.settings = subject->settings;
}

static void open_it(struct subject *subject)
{
    if (rf_test_source_open(&subject->source, &subject->err) != RF_OK) {
        fail_msg("%s (%s)", subject->err.message, subject->err.hint);
    }
}

/* Everything up to the one that has `last` in it came, and this is it. */
static void expect(struct subject *subject, const char *last, const char *text)
{
    enum rf_status status = rf_test_source_until(&subject->source, last, LIMIT_MS, &subject->err);
    if (status != RF_OK) {
        fail_msg("%s (%s)", subject->err.message, subject->err.hint);
    }
    assert_string_equal(rf_buf_cstr(&subject->source.text), text);
}

static int fresh(void **context)
{
    (void)context;
    rf_test_sql(&server, "%s",
                "SET NAMES utf8mb4;\n"
                "SET sql_log_bin=0;\n"
                "DROP DATABASE IF EXISTS shop;\n"
                "DROP DATABASE IF EXISTS other;\n"
                "CREATE DATABASE Shop;\n"
                "CREATE DATABASE Other;\n"
                "CREATE TABLE Shop.Orders (a INT PRIMARY KEY);\n"
                "CREATE TABLE Shop.Last (a INT PRIMARY KEY);\n"
                "SET sql_log_bin=1;\n"
                "RESET MASTER");
    return 0;
}

static const char truncated[] = "begin 0-1-1\n2.0 create shop.orders 1\nend 0-1-1\n"
                                "begin 0-1-2\n1.0 truncate shop.orders\nend 0-1-2\n"
                                "begin 0-1-3\n1.0 truncate shop.orders\nend 0-1-3\n"
                                "begin 0-1-4\n2.0 create shop.last 1\nend 0-1-4\n";

static void truncate_as_typed(void)
{
    rf_test_sql(&server, "%s",
                "INSERT INTO Shop.Orders VALUES (1);\n"
                "TRUNCATE TABLE Shop.Orders;\n"
                "TRUNCATE `SHOP`.ORDERS;\n"
                "INSERT INTO Shop.Last VALUES (1)");
}

static void test_a_truncate_is_not_lost_however_it_is_typed(void **context)
{
    static const char *const tables[] = {"shop.orders,shop.last", "Shop.Orders,Shop.Last", "SHOP"};
    (void)context;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        struct subject subject;
        fresh(NULL);
        prepare(&subject, tables[i], "root");
        open_it(&subject);
        truncate_as_typed();
        expect(&subject, "end 0-1-4", truncated);
        rf_test_source_deinit(&subject.source);
    }
}

static void test_a_file_needs_to_be_told_how_names_are_compared(void **context)
{
    static const struct {
        const char *folding;
        const char *text;
    } cases[] = {
        {"1", truncated},
        {"2", truncated},
        {"0", "begin 0-1-1\n2.0 create shop.orders 1\nend 0-1-1\n"
              "begin 0-1-4\n2.0 create shop.last 1\nend 0-1-4\n"},
        {"unknown", "begin 0-1-1\n2.0 create shop.orders 1\nend 0-1-1\n"},
    };
    (void)context;
    truncate_as_typed();
    char path[512];
    char *data = rf_test_sql_ask(&server, "SELECT @@log_bin_basename");
    snprintf(path, sizeof path, "%s.000001", data);
    free(data);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct subject subject = {
            .settings = {{"path", path},
                         {"tables", "shop.orders,shop.last"},
                         {"lower_case_table_names", cases[i].folding}},
            .source = {.type = &rf_source_binlog},
        };
        subject.source.settings = subject.settings;
        open_it(&subject);
        bool stops = strcmp(cases[i].folding, "unknown") == 0;
        assert_int_equal(rf_test_source_drain(&subject.source, LIMIT_MS, &subject.err),
                         stops ? RF_FATAL : RF_OK);
        assert_string_equal(rf_buf_cstr(&subject.source.text), cases[i].text);
        if (stops) {
            assert_non_null(strstr(subject.err.message, "GTID 0-1-2: TRUNCATE of Shop.Orders"));
            assert_non_null(strstr(subject.err.hint, "lower_case_table_names=0, 1 or 2"));
        }
        rf_test_source_deinit(&subject.source);
    }
}

/* Every letter of the plane that names may have, against the server's own opinion. */
static void test_names_are_folded_as_the_server_does(void **context)
{
    unsigned known = 0;
    (void)context;
    for (unsigned first = 0; first < 0x10000; first += 0x100) {
        if (first >= 0xd800 && first < 0xe000) {
            continue;
        }
        char *hex = rf_test_sql_ask(
            &server,
            "USE shop;\nSET SESSION group_concat_max_len=100000;\n"
            "SELECT GROUP_CONCAT(RPAD(HEX(LOWER(CONVERT(CHAR(%u + seq USING ucs2) USING utf8mb3) "
            "COLLATE utf8mb3_general_ci)), 6, ' ') ORDER BY seq SEPARATOR '') "
            "FROM seq_0_to_255",
            first);
        assert_int_equal(strlen(hex), 256 * 6);
        for (unsigned i = 0; i < 256; i++) {
            unsigned code = first + i;
            char name[3], out[3], ours[7] = "";
            size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
            if (size == 1) {
                name[0] = (char)code;
            } else if (size == 2) {
                name[0] = (char)(0xc0 | code >> 6);
            } else {
                name[0] = (char)(0xe0 | code >> 12);
                name[1] = (char)(0x80 | (code >> 6 & 0x3f));
            }
            if (size > 1) {
                name[size - 1] = (char)(0x80 | (code & 0x3f));
            }
            if (!rf_name_fold(out, (struct rf_str){name, size})) {
                continue;
            }
            known++;
            for (size_t byte = 0; byte < 3; byte++) {
                snprintf(ours + byte * 2, 3, byte < size ? "%02X" : "  ",
                         (unsigned)(unsigned char)out[byte < size ? byte : 0]);
            }
            if (memcmp(ours, hex + (size_t)i * 6, 6) != 0) {
                fail_msg("U+%04X becomes %s, the server says %.6s", code, ours, hex + i * 6);
            }
        }
        free(hex);
    }
    assert_true(known > 30000);
}

static void test_statements_in_other_character_sets_become_utf8(void **context)
{
    struct subject subject;
    (void)context;
    prepare(&subject, "shop.orders", "root");
    open_it(&subject);
    rf_test_sql(&server, "%s",
                "SET NAMES cp1251;\n"
                "CREATE TABLE Other.`\xcf\xf0` (a INT) COMMENT='\xcf\xf0';\n"
                "TRUNCATE Other.`\xcf\xf0`;\n"
                "SET NAMES sjis;\n"
                "CREATE TABLE Other.`\x83\x8f` (a INT) COMMENT='\x95\x5c'");
    rf_test_sql(&server, "INSERT INTO Shop.Orders VALUES (1)");
    expect(&subject, "end 0-1-4", "begin 0-1-4\n2.0 create shop.orders 1\nend 0-1-4\n");
    rf_test_sql(&server, "%s", "SET NAMES cp1251;\nALTER TABLE Shop.Orders COMMENT='\xcf\xf0'");
    assert_int_equal(rf_test_source_until(&subject.source, "COMMENT='Пр'", LIMIT_MS, &subject.err),
                     RF_OK);
    rf_test_sql(&server, "%s", "SET NAMES sjis;\nALTER TABLE Shop.Orders COMMENT='\x95\x5c'");
    assert_int_equal(rf_test_source_until(&subject.source, "COMMENT='表'", LIMIT_MS, &subject.err),
                     RF_OK);
    rf_test_source_deinit(&subject.source);
}

enum { IN_TIME_MS = 5000 };

/* What is said on standard error when nothing more is to be read; by opening nothing is. */
static void quiet_says(const char *tables, const char *user, uint32_t feed, const char *text)
{
    struct subject subject;
    char said[2048] = "";
    prepare(&subject, tables, user);
    subject.source.feed = feed;
    int file = memfd_create("said", MFD_CLOEXEC), before = dup(STDERR_FILENO);
    assert_true(file >= 0 && before >= 0);
    assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
    enum rf_status status = rf_test_source_open(&subject.source, &subject.err);
    assert_int_equal(lseek(file, 0, SEEK_END), 0);
    bool current = false;
    int64_t deadline_ms = rf_clock_ms() + IN_TIME_MS;
    while (status == RF_OK && !current && rf_clock_ms() < deadline_ms) {
        struct rf_batch batch = {.bytes_max = 1};
        status = rf_source_mysql.read(subject.source.state, &batch, deadline_ms, &subject.err);
        status = status == RF_AGAIN ? RF_OK : status;
        current = batch.current;
        rf_batch_deinit(&batch);
    }
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    assert_true(pread(file, said, sizeof said - 1, 0) >= 0);
    close(file);
    close(before);
    if (status != RF_OK) {
        fail_msg("%s", subject.err.message);
    }
    assert_true(current);
    if (text == NULL ? strstr(said, "foreign") != NULL : strstr(said, text) == NULL) {
        fail_msg("%s %s: %s", tables, user, said);
    }
    rf_test_source_deinit(&subject.source);
}

static void test_foreign_keys_that_change_rows_are_named(void **context)
{
    (void)context;
    rf_test_sql(&server, "%s",
                "CREATE TABLE shop.p (a INT PRIMARY KEY);\n"
                "CREATE TABLE shop.c1 (a INT, FOREIGN KEY (a) REFERENCES p (a) ON DELETE "
                "CASCADE);\n"
                "CREATE TABLE shop.c2 (a INT, FOREIGN KEY (a) REFERENCES p (a) ON UPDATE "
                "SET NULL);\n"
                "CREATE TABLE shop.plain (a INT, FOREIGN KEY (a) REFERENCES p (a));\n"
                "CREATE OR REPLACE USER nobody;\n"
                "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO nobody");
    quiet_says("shop.*", "root", 0, "are not in its log: shop.c1, shop.c2\n");
    quiet_says("shop.c2", "root", 0, "are not in its log: shop.c2\n");
    quiet_says("shop.plain,shop.p", "root", 0, NULL);
    quiet_says("shop.*", "root", 1, NULL);
    quiet_says("shop.*", "nobody", 0, NULL);
    rf_test_sql(&server, "%s",
                "CREATE TABLE shop.c3 (a INT, FOREIGN KEY (a) REFERENCES p (a) ON DELETE "
                "SET NULL);\n"
                "CREATE TABLE shop.c4 (a INT, FOREIGN KEY (a) REFERENCES p (a) ON UPDATE "
                "CASCADE)");
    quiet_says("shop.*", "root", 0, "are not in its log: shop.c1, shop.c2, shop.c3, ...\n");
}

static int start_folding(void **context)
{
    static const char *const options[] = {"--lower-case-table-names=1", NULL};
    (void)context;
    rf_test_mariadb_start(&server, options);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_truncate_is_not_lost_however_it_is_typed),
        TEST(test_a_file_needs_to_be_told_how_names_are_compared),
        TEST(test_names_are_folded_as_the_server_does),
        TEST(test_statements_in_other_character_sets_become_utf8),
        TEST(test_foreign_keys_that_change_rows_are_named),
    };
    return cmocka_run_group_tests(tests, start_folding, end_server);
}
