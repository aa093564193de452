/* The source `binlog` on log files of MySQL whose transactions have no GTIDs (gtid_mode=OFF): only
 * file and offset say where reading goes on. */
#include "lib/log_writer.h"
#include "lib/mysql_log.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/subject.h"

enum { TRANSACTIONS = 6, FILES = 3 };

#define XID "X'61',X'',1"

extern const struct rf_source_type rf_source_binlog;

static char directory[64], path[128];

/* ---- Frame --------------------------------------------------------------------------------- */

static void write_file(const char *name, const char *bytes, size_t size)
{
    char place[128];
    snprintf(place, sizeof place, "%s/%s", directory, name);
    FILE *file = fopen(place, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* Ends bin.NUMBER, and begins the next one in its place. */
static void turn(struct rf_test_log *log, unsigned number)
{
    char name[32];
    snprintf(name, sizeof name, "bin.%06u", number + 1);
    rf_test_log_rotate(log, name);
    snprintf(name, sizeof name, "bin.%06u", number);
    write_file(name, log->log.data, log->log.size);
    log->log.size = 0;
    rf_test_log_begin_mysql(log, 0);
}

static void write_last(struct rf_test_log *log)
{
    static const char index[] = "./bin.000001\n./bin.000002\n./bin.000003\n";
    write_file("bin.000003", log->log.data, log->log.size);
    write_file("bin.index", index, sizeof index - 1);
    rf_test_log_deinit(log);
}

static int make_directory(void **context)
{
    (void)context;
    snprintf(directory, sizeof directory, "/tmp/rowferry-test-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/bin.index", directory);
    return 0;
}

static int clean(void **context)
{
    (void)context;
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", "--", directory, (char *)NULL);
        _exit(127);
    }
    return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static void prepare(struct subject *subject, bool follow)
{
    *subject = (struct subject){0};
    subject->source.type = &rf_source_binlog;
    subject->source.settings = subject->settings;
    subject->source.from = "earliest";
    set(subject, "path", path);
    set(subject, "follow", follow ? "on" : "off");
}

/* Opens at the position of the source, which stays as it is, and reads all there is. */
static void read_on(struct subject *subject, bool follow)
{
    struct rf_buf before = {0};
    rf_buf_set(&before, rf_buf_str(&subject->source.position));
    open_it(subject);
    if (before.size > 0) {
        assert_string_equal(rf_buf_cstr(&subject->source.position), rf_buf_cstr(&before));
    }
    enum rf_status status = rf_test_source_drain(&subject->source, 50, &subject->err);
    if (status != (follow ? RF_AGAIN : RF_OK)) {
        fail_msg("behind %s: %s: %s", rf_buf_cstr(&before), rf_status_name(status),
                 subject->err.message);
    }
    rf_buf_deinit(&before);
}

/* The rows of transactions `first` to `last`, each once, and nothing else. */
static void expect_rows(const struct subject *subject, unsigned first, unsigned last)
{
    char row[64];
    unsigned count = 0;
    const char *text = rf_buf_cstr((struct rf_buf *)(uintptr_t)&subject->source.text);
    for (const char *at = text; (at = strstr(at, " create ")) != NULL; at++) {
        snprintf(row, sizeof row, " create shop.t %u|%u\n", first + count, first + count + 1);
        if (strncmp(at, row, strlen(row)) != 0) {
            fail_msg("not%s: %s", row, at);
        }
        count++;
    }
    assert_int_equal(count, last + 1 - first);
}

/* ---- Tests --------------------------------------------------------------------------------- */

static void test_it_goes_on_from_every_place_in_any_of_the_files(void **context)
{
    struct rf_test_log log = {0};
    struct subject all, rest;
    (void)context;
    rf_test_log_begin_mysql(&log, 0);
    for (unsigned i = 1; i <= TRANSACTIONS; i++) {
        rf_test_log_mysql_row(&log, 0, "shop", "t", (int32_t)i);
        if (i % (TRANSACTIONS / FILES) == 0 && i < TRANSACTIONS) {
            turn(&log, i / (TRANSACTIONS / FILES));
        }
    }
    write_last(&log);
    prepare(&all, false);
    all.source.batch_bytes_max = 1;
    open_it(&all);
    unsigned had = 0, places = 0;
    for (enum rf_status status = RF_OK; status == RF_OK; places++) {
        for (int follow = 0; follow < 2; follow++) {
            prepare(&rest, follow != 0);
            rf_buf_set(&rest.source.position, rf_buf_str(&all.source.position));
            read_on(&rest, follow != 0);
            expect_rows(&rest, had + 1, TRANSACTIONS);
            /* As at a restart with nothing new. */
            rf_test_source_close(&rest.source);
            rf_buf_reset(&rest.source.text);
            read_on(&rest, follow != 0);
            assert_string_equal(rf_buf_cstr(&rest.source.text), "");
            end(&rest);
        }
        if (all.source.ended) {
            break;
        }
        status = rf_test_source_read(&all.source, 0, &all.err);
        had = (unsigned)all.source.events;
    }
    assert_int_equal(had, TRANSACTIONS);
    assert_true(places > TRANSACTIONS);
    end(&all);
}

/* An XA transaction that is prepared: one row of shop.t. */
static void write_prepared(struct rf_test_log *log)
{
    rf_test_log_mysql_gtid(log, 0, 0);
    rf_test_log_query(log, "shop", "XA START " XID);
    rf_test_log_table(log, 20, "shop", "t", 2, true);
    rf_test_log_insert(log, 20, 2, 3, 1, true);
    rf_test_log_query(log, "shop", "XA END " XID);
    rf_test_log_xa_prepare(log, false);
}

/* The file that has the rows is read again, and is not where reading goes on. */
static void test_prepared_rows_in_an_earlier_file_do_not_move_the_place(void **context)
{
    struct rf_test_log log = {0};
    struct subject subject;
    (void)context;
    rf_test_log_begin_mysql(&log, 0);
    write_prepared(&log);
    turn(&log, 1);
    rf_test_log_mysql_row(&log, 0, "shop", "t", 1);
    turn(&log, 2);
    rf_test_log_mysql_row(&log, 0, "shop", "t", 2);
    struct rf_test_log later = {0};
    rf_buf_set(&later.log, rf_buf_str(&log.log));
    write_last(&log);
    prepare(&subject, true);
    read_on(&subject, true);
    expect_rows(&subject, 1, 2);
    rf_test_log_mysql_gtid(&later, 0, 0);
    rf_test_log_query(&later, "shop", "XA COMMIT " XID);
    write_last(&later);
    for (int i = 0; i < 2; i++) {
        rf_test_source_close(&subject.source);
        rf_buf_reset(&subject.source.text);
        read_on(&subject, true);
        expect_rows(&subject, 3, i == 0 ? 3 : 2);
    }
    end(&subject);
}

/* The file in which it was prepared was deleted since, and none of its rows was wanted. */
static void test_a_prepared_one_that_is_not_wanted_needs_no_file(void **context)
{
    struct rf_test_log log = {0}, later = {0};
    struct subject subject;
    char first[128];
    (void)context;
    rf_test_log_begin_mysql(&log, 0);
    write_prepared(&log);
    turn(&log, 1);
    turn(&log, 2);
    rf_test_log_mysql_row(&log, 0, "shop", "u", 1);
    rf_buf_set(&later.log, rf_buf_str(&log.log));
    write_last(&log);
    prepare(&subject, true);
    set(&subject, "tables", "-shop.t");
    read_on(&subject, true);
    assert_int_equal(subject.source.events, 1);
    snprintf(first, sizeof first, "%s/bin.000001", directory);
    assert_int_equal(unlink(first), 0);
    rf_test_log_mysql_gtid(&later, 0, 0);
    rf_test_log_query(&later, "shop", "XA COMMIT " XID);
    rf_test_log_mysql_row(&later, 0, "shop", "u", 2);
    write_last(&later);
    write_file("bin.index", "bin.000002\nbin.000003\n", 22);
    rf_test_source_close(&subject.source);
    read_on(&subject, true);
    assert_int_equal(subject.source.events, 2);
    assert_null(strstr(rf_buf_cstr(&subject.source.position), "prepared"));
    end(&subject);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_it_goes_on_from_every_place_in_any_of_the_files,
                                        make_directory, clean),
        cmocka_unit_test_setup_teardown(test_prepared_rows_in_an_earlier_file_do_not_move_the_place,
                                        make_directory, clean),
        cmocka_unit_test_setup_teardown(test_a_prepared_one_that_is_not_wanted_needs_no_file,
                                        make_directory, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
