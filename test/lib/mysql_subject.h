/* Two MySQL servers of a test program, `first` and `second`, from its first test to its last, and a
 * source of one of them. In what is expected their UUIDs are A and B. For tests with cmocka. */
#ifndef ROWFERRY_TEST_MYSQL_SUBJECT_H
#define ROWFERRY_TEST_MYSQL_SUBJECT_H

#include "lib/mariadb_server.h"
#include "lib/subject.h"
#include "wire/gtid_set.h"

#include <stdlib.h>

enum { LIMIT_MS = 30000, QUIET_MS = 300 };

extern const struct rf_source_type rf_source_mysql, rf_source_binlog;

static struct rf_test_mariadb first = {.kind = "mysql"}, second = {.kind = "mysql"};
static char uuids[2][40];

static inline void learn_uuid(struct rf_test_mariadb *server, char *uuid)
{
    char *answer = rf_test_sql_ask(server, "SELECT @@server_uuid");
    snprintf(uuid, sizeof uuids[0], "%s", answer);
    free(answer);
}

static inline int start_servers(void **context)
{
    (void)context;
    rf_test_mariadb_start(&first, NULL);
    rf_test_mariadb_start(&second, NULL);
    learn_uuid(&first, uuids[0]);
    learn_uuid(&second, uuids[1]);
    return 0;
}

static inline int end_servers(void **context)
{
    (void)context;
    rf_test_mariadb_destroy(&first);
    rf_test_mariadb_destroy(&second);
    return 0;
}

/* gtid_mode goes from one to the other step by step. */
static inline void set_gtid_mode(struct rf_test_mariadb *server, const char *mode)
{
    static const char *const steps[] = {"OFF", "OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"};
    int at = 0, to = 0;
    char *now = rf_test_sql_ask(server, "SELECT @@gtid_mode");
    for (int i = 0; i < 4; i++) {
        at = strcmp(steps[i], now) == 0 ? i : at;
        to = strcmp(steps[i], mode) == 0 ? i : to;
    }
    while (at != to) {
        at += at < to ? 1 : -1;
        rf_test_sql(server, "SET GLOBAL gtid_mode=%s", steps[at]);
    }
    free(now);
}

/* An empty log, no GTIDs, the settings as they should be, and tables shop.t (a, b), shop.u. */
static inline void fresh_server(struct rf_test_mariadb *server)
{
    set_gtid_mode(server, "ON");
    rf_test_sql(server, "%s",
                "SET GLOBAL binlog_format='ROW', GLOBAL binlog_row_image='FULL', "
                "GLOBAL binlog_row_metadata='FULL', GLOBAL binlog_row_value_options='', "
                "GLOBAL binlog_transaction_compression=OFF, GLOBAL binlog_checksum='CRC32';\n"
                "SET SESSION binlog_format='ROW', binlog_row_image='FULL', "
                "binlog_transaction_compression=OFF, gtid_next='AUTOMATIC';\n"
                "SET sql_log_bin=0;\n"
                "DROP DATABASE IF EXISTS shop;\n"
                "CREATE DATABASE shop;\n"
                "CREATE TABLE shop.t (a INT PRIMARY KEY, b VARCHAR(300));\n"
                "CREATE TABLE shop.u (a INT PRIMARY KEY, b VARCHAR(300));\n"
                "SET sql_log_bin=1;\n"
                "USE shop;\n"
                "RESET BINARY LOGS AND GTIDS");
}

static inline int fresh(void **context)
{
    (void)context;
    fresh_server(&first);
    fresh_server(&second);
    return 0;
}

/* The text with A and B for the servers' UUIDs; the caller's to free. */
static inline char *shortened(const char *text)
{
    struct rf_buf out = {0};
    while (*text != '\0') {
        int found = strncmp(text, uuids[0], RF_UUID_TEXT_SIZE) == 0   ? 'A'
                    : strncmp(text, uuids[1], RF_UUID_TEXT_SIZE) == 0 ? 'B'
                                                                      : 0;
        rf_buf_add_byte(&out, found != 0 ? (char)found : *text);
        text += found != 0 ? RF_UUID_TEXT_SIZE : 1;
    }
    char *copy = rf_str_dup(rf_buf_str(&out));
    rf_buf_deinit(&out);
    return copy;
}

/* The other way round: "A:1-5" with the UUIDs. Valid until the next call but three. */
static inline const char *lengthened(const char *text)
{
    static struct rf_buf outs[4];
    static unsigned next;
    struct rf_buf *out = &outs[next++ % 4];
    rf_buf_reset(out);
    for (; *text != '\0'; text++) {
        if ((*text == 'A' || *text == 'B') && text[1] == ':') {
            rf_buf_add_str(out, rf_str_of(uuids[*text - 'A']));
        } else {
            rf_buf_add_byte(out, *text);
        }
    }
    return rf_buf_cstr(out);
}

static inline void prepare(struct subject *subject, const char *from)
{
    prepare_user(subject, &rf_source_mysql, "root", from, first.port);
    set(subject, "tables", "shop.*");
}

static inline void open_at(struct subject *subject, const char *from)
{
    prepare(subject, from);
    open_it(subject);
}

/* At its position, as after a restart; what was handed over before is forgotten. */
static inline void reopen(struct subject *subject)
{
    rf_test_source_close(&subject->source);
    rf_buf_reset(&subject->source.text);
    open_it(subject);
}

/* The same at the other server. */
static inline void fail_over(struct subject *subject)
{
    rf_test_source_close(&subject->source);
    rf_buf_reset(&subject->source.text);
    set(subject, "port", second.port);
}

/* Exactly this comes, and nothing more for a while. */
static inline void expect(struct subject *subject, const char *text)
{
    struct rf_buf *came = &subject->source.text;
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    char *found = shortened(rf_buf_cstr(came));
    while (strlen(found) < strlen(text)) {
        enum rf_status status = rf_test_source_read(&subject->source, 50, &subject->err);
        free(found);
        found = shortened(rf_buf_cstr(came));
        if ((status != RF_OK && status != RF_AGAIN) || rf_clock_ms() > until_ms) {
            fail_msg("%s: %s; this came: %s", rf_status_name(status), subject->err.message, found);
        }
    }
    assert_string_equal(found, text);
    assert_int_equal(rf_test_source_drain(&subject->source, QUIET_MS, &subject->err), RF_AGAIN);
    free(found);
    found = shortened(rf_buf_cstr(came));
    assert_string_equal(found, text);
    free(found);
}

static inline void expect_position(struct subject *subject, const char *begin)
{
    char *found = shortened(rf_buf_cstr(&subject->source.position));
    if (strncmp(found, begin, strlen(begin)) != 0) {
        fail_msg("not at %s: %s", begin, found);
    }
    free(found);
}

/* It opens, and stops with these words. */
static inline void stopped(struct subject *subject, enum rf_status status, const char *message,
                           const char *hint)
{
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    enum rf_status got;
    do {
        got = rf_test_source_read(&subject->source, 50, &subject->err);
    } while ((got == RF_OK || got == RF_AGAIN) && rf_clock_ms() < until_ms);
    if (got != status) {
        fail_msg("%s instead of %s (%s): %s", rf_status_name(got), rf_status_name(status), message,
                 subject->err.message);
    }
    expect_words(&subject->err, message, hint);
}

static inline void insert_into(struct rf_test_mariadb *server, int a)
{
    rf_test_sql(server, "INSERT INTO shop.t VALUES (%d, 'row %d')", a, a);
}

static inline void insert(int a)
{
    insert_into(&first, a);
}

/* As a replica does: the row of the first server's transaction of that number. */
static inline void replicate(int number, int a)
{
    rf_test_sql(&second,
                "SET gtid_next='%s:%d';\nINSERT INTO shop.t VALUES (%d, 'row %d');\n"
                "SET gtid_next='AUTOMATIC'",
                uuids[0], number, a, a);
}

/* Its server deletes all files but the newest, which it may need itself for a moment. */
static inline void purge_all(struct rf_test_mariadb *server)
{
    int64_t until_ms = rf_clock_ms() + LIMIT_MS;
    rf_test_sql(server, "FLUSH BINARY LOGS");
    for (bool gone = false; !gone;) {
        char *last = rf_test_sql_ask(server, "SHOW BINARY LOG STATUS");
        rf_test_sql(server, "PURGE BINARY LOGS TO '%s'", last);
        char *oldest = rf_test_sql_ask(server, "SHOW BINARY LOGS");
        gone = strcmp(last, oldest) == 0;
        free(last);
        free(oldest);
        assert_true(rf_clock_ms() < until_ms);
    }
}

#define ROW(gtid, a) "begin " gtid "\n3.0 create shop.t " #a "|row " #a "\nend " gtid "\n"

#endif
