/* XA transactions in two phases on real servers of both kinds: rows leave once, with the commit, or
 * never, whoever stops and starts in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/mariadb_server.h"
#include "lib/subject.h"

#include <stdlib.h>

enum { LIMIT_MS = 30000, QUIET_MS = 300, MYSQL = 0, MARIADB, KINDS };

extern const struct rf_source_type rf_source_mysql, rf_source_binlog;

static struct rf_test_mariadb servers[KINDS] = {{.kind = "mysql"}, {.kind = NULL}};
static struct rf_test_mariadb *server; /* the one in hand */
static char uuid[40];

/* ---- Frame --------------------------------------------------------------------------------- */

static int start_servers(void **context)
{
    /* What was prepared survives a kill. */
    static const char *const options[] = {"--innodb-flush-log-at-trx-commit=2", NULL};
    (void)context;
    for (int i = 0; i < KINDS; i++) {
        rf_test_mariadb_start(&servers[i], options);
    }
    char *answer = rf_test_sql_ask(&servers[MYSQL], "SELECT @@server_uuid");
    snprintf(uuid, sizeof uuid, "%s:", answer);
    free(answer);
    return 0;
}

static int end_servers(void **context)
{
    (void)context;
    for (int i = 0; i < KINDS; i++) {
        rf_test_mariadb_destroy(&servers[i]);
    }
    return 0;
}

/* Empty log and tables of the server of that kind, which is the one in hand from now on. */
static void begin(int kind)
{
    server = &servers[kind];
    rf_test_sql(server,
                "SET sql_log_bin=0;\nDROP DATABASE IF EXISTS shop;\nCREATE DATABASE shop;\n"
                "CREATE TABLE shop.t (a INT PRIMARY KEY, b VARCHAR(50));\n"
                "SET sql_log_bin=1;\nUSE shop;\n%s",
                kind == MYSQL ? "RESET BINARY LOGS AND GTIDS" : "RESET MASTER");
}

static void insert(int a)
{
    rf_test_sql(server, "INSERT INTO shop.t VALUES (%d, 'x')", a);
}

static void xa_prepare(const char *name, int a)
{
    rf_test_sql(server,
                "XA START '%s';\nINSERT INTO shop.t VALUES (%d, 'x');\nXA END '%s';\n"
                "XA PREPARE '%s'",
                name, a, name, name);
    /* The server gives up its hold on it: from now on any connection may say what becomes of it. */
    rf_test_sql_leave(server);
}

/* As the server lets go of a connection when it likes, the statement is repeated until it knows the
 * transaction. */
static void xa_resolve(const char *statement, const char *name)
{
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    struct rf_error err = {0};
    char text[128];
    free(rf_test_sql_ask(server, "SELECT 1"));
    snprintf(text, sizeof text, "XA %s '%s'", statement, name);
    while (rf_mysql_query(&server->client, text, 0, NULL, &err) != RF_OK) {
        if (rf_clock_ms() > until_ms) {
            fail_msg("%s", err.message);
        }
    }
}

/* "G:" for what is in front of a GTID's number, "row" for the ordinal. The caller's to free. */
static char *shortened(const char *text)
{
    struct rf_buf out = {0};
    const char *prefix = server == &servers[MYSQL] ? uuid : "0-1-";
    while (*text != '\0') {
        if (strncmp(text, prefix, strlen(prefix)) == 0) {
            rf_buf_add_str(&out, RF_STR("G:"));
            text += strlen(prefix);
        } else if (strncmp(text, "2.0 ", 4) == 0 || strncmp(text, "3.0 ", 4) == 0) {
            rf_buf_add_str(&out, RF_STR("row "));
            text += 4;
        } else {
            rf_buf_add_byte(&out, *text++);
        }
    }
    char *copy = rf_str_dup(rf_buf_str(&out));
    rf_buf_deinit(&out);
    return copy;
}

#define ROW(number, a) "begin G:" #number "\nrow create shop.t " #a "|x\nend G:" #number "\n"

/* Exactly this comes, and nothing more for a while. */
static void expect(struct subject *subject, const char *text)
{
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    char *found = shortened(rf_buf_cstr(&subject->source.text));
    while (strlen(found) < strlen(text)) {
        enum rf_status status = rf_test_source_read(&subject->source, 50, &subject->err);
        free(found);
        found = shortened(rf_buf_cstr(&subject->source.text));
        if ((status != RF_OK && status != RF_AGAIN) || rf_clock_ms() > until_ms) {
            fail_msg("%s: %s; this came: %s", rf_status_name(status), subject->err.message, found);
        }
    }
    free(found);
    enum rf_status status = rf_test_source_drain(&subject->source, QUIET_MS, &subject->err);
    if (status != RF_AGAIN && status != RF_OK) {
        fail_msg("%s: %s", rf_status_name(status), subject->err.message);
    }
    found = shortened(rf_buf_cstr(&subject->source.text));
    assert_string_equal(found, text);
    free(found);
}

static void expect_position(struct subject *subject, const char *words, bool has)
{
    char *found = shortened(rf_buf_cstr(&subject->source.position));
    if ((strstr(found, words) != NULL) != has) {
        fail_msg("%s%s: %s", has ? "" : "not ", words, found);
    }
    free(found);
}

static void prepare(struct subject *subject, const char *from)
{
    prepare_user(subject, &rf_source_mysql, "root", from, server->port);
    set(subject, "tables", "shop.*");
}

/* As after a kill of the reader: what it had in memory is gone, and it goes on at its position. */
static void reopen(struct subject *subject)
{
    rf_test_source_close(&subject->source);
    rf_buf_reset(&subject->source.text);
    open_it(subject);
}

/* ---- Tests --------------------------------------------------------------------------------- */

static void test_rows_come_with_the_commit_of_another_connection_or_never(void **context)
{
    (void)context;
    for (int kind = 0; kind < KINDS; kind++) {
        struct subject subject;
        begin(kind);
        prepare(&subject, "earliest");
        open_it(&subject);
        xa_prepare("one", 1);
        xa_prepare("two", 2);
        insert(3);
        expect(&subject, ROW(3, 3));
        expect_position(&subject, ";prepared=G:1@bin.000001:", true);
        expect_position(&subject, ",G:2@bin.000001:", true);
        xa_resolve("ROLLBACK", "two");
        xa_resolve("COMMIT", "one");
        insert(4);
        expect(&subject, ROW(3, 3) ROW(5, 1) ROW(6, 4));
        expect_position(&subject, "prepared", false);
        reopen(&subject);
        expect(&subject, "");
        end(&subject);
    }
}

/* Reader and server are killed, log files begin anew, and the rows lie files behind. */
static void test_kills_of_both_between_prepare_and_commit_lose_and_double_nothing(void **context)
{
    (void)context;
    for (int kind = 0; kind < KINDS; kind++) {
        struct subject subject;
        begin(kind);
        insert(1);
        xa_prepare("one", 2);
        xa_prepare("two", 3);
        rf_test_sql(server, "FLUSH BINARY LOGS");
        insert(4);
        prepare(&subject, "earliest");
        open_it(&subject);
        expect(&subject, ROW(1, 1) ROW(4, 4));
        rf_test_source_close(&subject.source);
        rf_test_mariadb_kill(server);
        rf_test_mariadb_again(server);
        rf_buf_reset(&subject.source.text);
        open_it(&subject);
        expect(&subject, "");
        xa_resolve("COMMIT", "two");
        expect(&subject, ROW(5, 3));
        reopen(&subject);
        expect_position(&subject, ";prepared=G:2@bin.000001:", true);
        xa_resolve("COMMIT", "one");
        /* The commit lies behind the place already when reading goes on. */
        reopen(&subject);
        expect(&subject, ROW(6, 2));
        expect_position(&subject, "prepared", false);
        end(&subject);
    }
}

static void test_a_reader_of_the_files_goes_on_between_too(void **context)
{
    (void)context;
    for (int kind = 0; kind < KINDS; kind++) {
        struct subject subject;
        char path[512];
        begin(kind);
        insert(1);
        xa_prepare("one", 2);
        rf_test_sql(server, "FLUSH BINARY LOGS");
        insert(3);
        snprintf(path, sizeof path, "%s/%sdata/bin.000001", server->dir,
                 kind == MYSQL ? "mysql/" : "");
        struct rf_test_setting settings[] = {
            {"path", path}, {"tables", "shop.*"}, {"follow", "on"}, {0}};
        subject = (struct subject){
            .source = {.type = &rf_source_binlog, .from = "earliest", .settings = settings}};
        open_it(&subject);
        expect(&subject, ROW(1, 1) ROW(3, 3));
        expect_position(&subject, ";prepared=G:2@bin.000001:", true);
        reopen(&subject);
        xa_resolve("COMMIT", "one");
        expect(&subject, ROW(4, 2));
        end(&subject);
    }
}

/* bin.000001 goes. The server lets go of it when it likes. */
static void purge_first(void)
{
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    for (bool gone = false; !gone;) {
        rf_test_sql(server, "PURGE BINARY LOGS TO 'bin.000002'");
        char *oldest = rf_test_sql_ask(server, "SHOW BINARY LOGS");
        gone = strcmp(oldest, "bin.000002") == 0;
        free(oldest);
        assert_true(rf_clock_ms() < until_ms);
    }
}

static void test_a_purge_of_the_file_that_has_the_rows_stops_by_name(void **context)
{
    (void)context;
    for (int kind = 0; kind < KINDS; kind++) {
        struct subject subject;
        begin(kind);
        xa_prepare("one", 1);
        rf_test_sql(server, "FLUSH BINARY LOGS");
        insert(2);
        prepare(&subject, "earliest");
        open_it(&subject);
        expect(&subject, ROW(2, 2));
        rf_test_source_close(&subject.source);
        purge_first();
        refused(&subject, RF_FATAL, "in bin.000001 at ", "binlog_expire_logs_seconds");
        expect_words(&subject.err, "has prepared are needed: the server has deleted that file",
                     "leave it out: skip=");
        end(&subject);
        xa_resolve("ROLLBACK", "one");
    }
}

/* Somebody else's, and forgotten by all. */
static void test_one_of_tables_that_are_not_captured_needs_no_log_file(void **context)
{
    (void)context;
    for (int kind = 0; kind < KINDS; kind++) {
        struct subject subject;
        begin(kind);
        xa_prepare("one", 1);
        rf_test_sql(server, "FLUSH BINARY LOGS;\nCREATE TABLE shop.u (a INT)");
        prepare(&subject, "earliest");
        set(&subject, "tables", "shop.*,-shop.t");
        open_it(&subject);
        assert_int_equal(rf_test_source_until(&subject.source, "end ", LIMIT_MS, &subject.err),
                         RF_OK);
        expect_position(&subject, ";prepared=G:1@bin.000001:", true);
        rf_test_source_close(&subject.source);
        purge_first();
        reopen(&subject);
        expect(&subject, "");
        xa_resolve("COMMIT", "one");
        rf_test_sql(server, "DROP TABLE shop.u");
        assert_int_equal(rf_test_source_until(&subject.source, "end ", LIMIT_MS, &subject.err),
                         RF_OK);
        expect_position(&subject, "prepared", false);
        end(&subject);
    }
}

static void test_a_commit_of_rows_that_were_never_read_stops_by_name(void **context)
{
    (void)context;
    for (int kind = 0; kind < KINDS; kind++) {
        struct subject subject;
        begin(kind);
        xa_prepare("one", 1);
        prepare(&subject, "now");
        open_it(&subject);
        xa_resolve("COMMIT", "one");
        int64_t until_ms = rf_clock_ms() + LIMIT_MS;
        enum rf_status status;
        do {
            status = rf_test_source_read(&subject.source, 50, &subject.err);
        } while ((status == RF_OK || status == RF_AGAIN) && rf_clock_ms() < until_ms);
        assert_int_equal(status, RF_FATAL);
        expect_words(&subject.err, "XA COMMIT X'6f6e65',X'',1", "skip=");
        end(&subject);
    }
}

static void test_a_packed_xa_transaction_is_as_others_are(void **context)
{
    struct subject subject;
    (void)context;
    begin(MYSQL);
    rf_test_sql(server, "SET GLOBAL binlog_transaction_compression=ON");
    rf_test_sql_leave(server);
    xa_prepare("one", 1);
    insert(2);
    prepare(&subject, "earliest");
    open_it(&subject);
    expect(&subject, ROW(2, 2));
    reopen(&subject);
    xa_resolve("COMMIT", "one");
    expect(&subject, ROW(3, 1));
    end(&subject);
    rf_test_sql(server, "SET GLOBAL binlog_transaction_compression=OFF");
    rf_test_sql_leave(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_come_with_the_commit_of_another_connection_or_never),
        cmocka_unit_test(test_kills_of_both_between_prepare_and_commit_lose_and_double_nothing),
        cmocka_unit_test(test_a_reader_of_the_files_goes_on_between_too),
        cmocka_unit_test(test_a_purge_of_the_file_that_has_the_rows_stops_by_name),
        cmocka_unit_test(test_one_of_tables_that_are_not_captured_needs_no_log_file),
        cmocka_unit_test(test_a_commit_of_rows_that_were_never_read_stops_by_name),
        cmocka_unit_test(test_a_packed_xa_transaction_is_as_others_are),
    };
    return cmocka_run_group_tests(tests, start_servers, end_servers);
}
