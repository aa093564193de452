#include "checkpoint/checkpoint.h"
#include "lib/layouts.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char directory[64];
    char path[128], wal[128], lock[128];
    struct rf_checkpoint *checkpoint;
    struct rf_checkpoint_sink sink;
    struct rf_buf buf;
    struct rf_error err;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->directory, sizeof f->directory, "/tmp/rowferry-checkpoint-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof f->path, "%s/a/b/shop.db", f->directory);
    snprintf(f->wal, sizeof f->wal, "%s/a/b/shop.db-wal", f->directory);
    snprintf(f->lock, sizeof f->lock, "%s/a/b/shop.lock", f->directory);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];
    rf_checkpoint_close(f->checkpoint);
    rf_buf_deinit(&f->buf);
    static const char *const names[] = {"a/b/shop.db", "a/b/shop.db-wal", "a/b/shop.db-shm",
                                        "a/b/shop.db.new", "a/b/shop.lock"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(command, sizeof command, "%s/%s", f->directory, names[i]);
        unlink(command);
    }
    static const char *const directories[] = {"a/b", "a", ""};
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
        snprintf(command, sizeof command, "%s/%s", f->directory, directories[i]);
        rmdir(command);
    }
    free(f);
    return 0;
}

static enum rf_status open_it(struct fixture *f)
{
    return rf_checkpoint_open(&f->checkpoint, f->path, "shop", "mysql://db/shop", &f->err);
}

static void close_it(struct fixture *f)
{
    rf_checkpoint_close(f->checkpoint);
    f->checkpoint = NULL;
}

static enum rf_status save(struct fixture *f, const char *name, const char *position)
{
    struct rf_checkpoint_sink sink = {
        .name = rf_str_of(name),
        .address = RF_STR("file:x"),
        .position = rf_str_of(position),
        .note = {"\0note\xff", 6},
        .commit_us = 5,
        .events = 7,
        .transactions = 3,
    };
    return rf_checkpoint_save(f->checkpoint, &sink, &f->err);
}

static enum rf_status load(struct fixture *f, const char *name)
{
    return rf_checkpoint_load(f->checkpoint, rf_str_of(name), &f->buf, &f->sink, &f->err);
}

static void assert_str(struct rf_str str, const char *text)
{
    assert_int_equal(str.size, strlen(text));
    assert_memory_equal(str.data, text, str.size);
}

/* A file with two sinks, saved a few times, everything in the main file. */
static void make_one(struct fixture *f)
{
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(save(f, "redis", "0-1-5"), RF_OK);
    assert_int_equal(save(f, "file", "0-1-3"), RF_OK);
    assert_int_equal(save(f, "redis", "0-1-6"), RF_OK);
    close_it(f);
}

static void read_file(const char *path, struct rf_buf *out)
{
    int file = open(path, O_RDONLY);
    assert_true(file >= 0);
    for (ssize_t got = 1; got > 0; out->size += (size_t)got) {
        got = read(file, rf_buf_reserve(out, 65536), 65536);
        assert_true(got >= 0);
    }
    close(file);
}

static void write_file(const char *path, const char *data, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, data, size), size);
    close(file);
}

static void test_what_was_saved_is_loaded(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(load(f, "redis"), RF_OK);
    assert_int_equal(f->sink.position.size, 0);
    assert_int_equal(save(f, "redis", "0-1-5"), RF_OK);
    assert_int_equal(save(f, "redis", "0-1-6"), RF_OK);
    close_it(f);
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(load(f, "redis"), RF_OK);
    assert_str(f->sink.name, "redis");
    assert_str(f->sink.address, "file:x");
    assert_str(f->sink.position, "0-1-6");
    assert_int_equal(f->sink.note.size, 6);
    assert_memory_equal(f->sink.note.data, "\0note\xff", 6);
    assert_int_equal(f->sink.commit_us, 5);
    assert_int_equal(f->sink.events, 7);
    assert_int_equal(f->sink.transactions, 3);
    assert_true(f->sink.updated_us > 1600000000000000);
    assert_int_equal(load(f, "another"), RF_OK);
    assert_int_equal(f->sink.position.size, 0);
}

static void test_the_epoch_grows_with_each_open(void **state)
{
    struct fixture *f = *state;
    uint64_t last = 0;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(open_it(f), RF_OK);
        assert_true(rf_checkpoint_epoch(f->checkpoint) > last);
        last = rf_checkpoint_epoch(f->checkpoint);
        assert_int_equal(save(f, "redis", "0-1-5"), RF_OK);
        close_it(f);
    }
}

static void test_a_first_start_that_saved_nothing_leaves_no_trace(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(access(f->path, F_OK), 0);
    close_it(f);
    const char *const paths[] = {f->path, f->wal, f->lock};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(access(paths[i], F_OK), -1);
    }
    /* What an earlier start saved stays, whatever this one does. */
    make_one(f);
    assert_int_equal(open_it(f), RF_OK);
    close_it(f);
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(load(f, "redis"), RF_OK);
    assert_str(f->sink.position, "0-1-6");
}

static void test_counts_of_waived_and_buried_events_are_kept(void **state)
{
    struct fixture *f = *state;
    struct rf_checkpoint_sink sink = {
        .name = RF_STR("redis"), .position = RF_STR("0-1-5"), .waived = 11, .buried = 12};
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(rf_checkpoint_save(f->checkpoint, &sink, &f->err), RF_OK);
    close_it(f);
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(load(f, "redis"), RF_OK);
    assert_int_equal(f->sink.waived, 11);
    assert_int_equal(f->sink.buried, 12);
    assert_false(f->sink.ordered);
}

static enum rf_status order(struct fixture *f, const char *name, const char *position)
{
    return rf_checkpoint_order(f->path, rf_str_of(name), rf_str_of(position), &f->err);
}

static void test_an_order_stays_until_the_next_save_of_its_sink(void **state)
{
    struct fixture *f = *state;
    make_one(f);
    assert_int_equal(order(f, "redis", "0-1-2"), RF_OK);
    assert_int_equal(order(f, "file", ""), RF_OK);
    assert_int_equal(order(f, "later", "0-1-1"), RF_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(open_it(f), RF_OK);
        assert_int_equal(load(f, "redis"), RF_OK);
        assert_true(f->sink.ordered);
        assert_str(f->sink.position, "0-1-2");
        assert_int_equal(f->sink.note.size, 0);
        assert_int_equal(f->sink.commit_us, 0);
        assert_int_equal(f->sink.events, 7); /* what was counted stays */
        assert_int_equal(load(f, "file"), RF_OK);
        assert_true(f->sink.ordered);
        assert_int_equal(f->sink.position.size, 0);
        assert_int_equal(load(f, "later"), RF_OK);
        assert_true(f->sink.ordered);
        close_it(f);
    }
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(save(f, "redis", "0-1-3"), RF_OK);
    close_it(f);
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(load(f, "redis"), RF_OK);
    assert_false(f->sink.ordered);
    assert_str(f->sink.position, "0-1-3");
    assert_int_equal(load(f, "file"), RF_OK);
    assert_true(f->sink.ordered);
}

static void test_an_order_is_refused_while_the_pipeline_runs(void **state)
{
    struct fixture *f = *state;
    char process[32];
    make_one(f);
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(order(f, "redis", "0-1-2"), RF_CONFIG);
    snprintf(process, sizeof process, "process %d", (int)getpid());
    assert_non_null(strstr(f->err.message, process));
    assert_non_null(strstr(f->err.message, "\"shop\""));
    assert_non_null(strstr(f->err.hint, "stop it first"));
    assert_int_equal(load(f, "redis"), RF_OK);
    assert_str(f->sink.position, "0-1-6");
}

static void test_an_order_makes_no_file_and_mends_none(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(order(f, "redis", "0-1-2"), RF_CONFIG);
    assert_int_equal(access(f->path, F_OK), -1);
    assert_int_equal(access(f->lock, F_OK), -1);
    make_one(f);
    write_file(f->path, "", 0);
    assert_int_equal(order(f, "redis", "0-1-2"), RF_FATAL);
}

static void test_an_order_leaves_epoch_and_process_as_they_were(void **state)
{
    struct fixture *f = *state;
    struct rf_checkpoint_report report;
    make_one(f);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(order(f, "redis", "0-1-2") == RF_OK ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(rf_checkpoint_read(f->path, &report, &f->err), RF_OK);
    assert_int_equal(report.epoch, 1);
    assert_int_equal(report.pid, getpid());
    assert_false(report.running);
    assert_true(report.sinks[1].ordered);
    rf_checkpoint_report_deinit(&report);
}

static void make_layout_1(const struct fixture *f, const char *more)
{
    sqlite3 *db;
    char directory[128];
    for (int i = 0; i < 2; i++) {
        snprintf(directory, sizeof directory, "%s/%s", f->directory, i == 0 ? "a" : "a/b");
        mkdir(directory, 0700);
    }
    unlink(f->path);
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, LAYOUT_1, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, more, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void assert_as_layout_1_said(struct fixture *f)
{
    assert_int_equal(load(f, "redis"), RF_OK);
    assert_str(f->sink.address, "redis://h");
    assert_str(f->sink.position, "0-1-6");
    assert_int_equal(f->sink.note.size, 6);
    assert_memory_equal(f->sink.note.data, "\0note\xff", 6);
    assert_int_equal(f->sink.commit_us, 5);
    assert_int_equal(f->sink.updated_us, 1795380739169885);
    assert_int_equal(f->sink.events, 7);
    assert_int_equal(f->sink.transactions, 3);
    assert_int_equal(f->sink.waived + f->sink.buried, 0);
    assert_false(f->sink.ordered);
    assert_int_equal(load(f, "file"), RF_OK);
    assert_str(f->sink.position, "0-1-3");
}

static void test_a_file_of_the_first_layout_is_upgraded_in_place(void **state)
{
    struct fixture *f = *state;
    make_layout_1(f, "");
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(rf_checkpoint_epoch(f->checkpoint), 2);
    assert_as_layout_1_said(f);
    close_it(f);
    assert_int_equal(open_it(f), RF_OK);
    assert_as_layout_1_said(f);
    assert_int_equal(save(f, "redis", "0-1-7"), RF_OK);
    close_it(f);
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(load(f, "redis"), RF_OK);
    assert_str(f->sink.position, "0-1-7");
}

static void test_a_report_reads_the_first_layout_and_leaves_it(void **state)
{
    struct fixture *f = *state;
    struct rf_buf before = {0}, after = {0};
    struct rf_checkpoint_report report;
    make_layout_1(f, "");
    read_file(f->path, &before);
    assert_int_equal(rf_checkpoint_read(f->path, &report, &f->err), RF_OK);
    assert_int_equal(report.sink_count, 2);
    assert_str(report.sinks[1].position, "0-1-6");
    assert_int_equal(report.sinks[1].waived, 0);
    read_file(f->path, &after);
    assert_int_equal(after.size, before.size);
    assert_memory_equal(after.data, before.data, before.size);
    rf_checkpoint_report_deinit(&report);
    rf_buf_deinit(&before);
    rf_buf_deinit(&after);
}

static void test_an_order_upgrades_the_first_layout(void **state)
{
    struct fixture *f = *state;
    make_layout_1(f, "");
    assert_int_equal(order(f, "file", "0-1-1"), RF_OK);
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(load(f, "file"), RF_OK);
    assert_true(f->sink.ordered);
    assert_int_equal(save(f, "file", "0-1-3"), RF_OK);
    assert_as_layout_1_said(f);
}

static void test_a_changed_field_of_the_first_layout_is_damage(void **state)
{
    struct fixture *f = *state;
    make_layout_1(f, "UPDATE sink SET position = '0-1-7' WHERE name = 'redis'");
    assert_int_equal(open_it(f), RF_FATAL);
    assert_non_null(strstr(f->err.message, "checksum"));
}

static void test_files_are_for_their_owner_alone(void **state)
{
    struct fixture *f = *state;
    struct stat info;
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(save(f, "redis", "0-1-5"), RF_OK);
    const char *const paths[] = {f->path, f->wal, f->lock};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(stat(paths[i], &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
    char directory[128];
    snprintf(directory, sizeof directory, "%s/a/b", f->directory);
    assert_int_equal(stat(directory, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
}

static void test_a_second_process_is_refused_by_name(void **state)
{
    struct fixture *f = *state;
    struct rf_checkpoint *second;
    char pid[32];
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(rf_checkpoint_open(&second, f->path, "shop", "x", &f->err), RF_CONFIG);
    assert_null(second);
    snprintf(pid, sizeof pid, "process %d", (int)getpid());
    assert_non_null(strstr(f->err.message, pid));
    assert_non_null(strstr(f->err.hint, "--name"));
    /* The first one still holds it, and can save. */
    assert_int_equal(save(f, "redis", "0-1-5"), RF_OK);
    assert_int_equal(rf_checkpoint_open(&second, f->path, "shop", "x", &f->err), RF_CONFIG);
}

static void test_a_report_is_read_beside_a_running_pipeline(void **state)
{
    struct fixture *f = *state;
    struct rf_checkpoint_report report;
    assert_int_equal(rf_checkpoint_read(f->path, &report, &f->err), RF_CONFIG);
    rf_checkpoint_report_deinit(&report);
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(save(f, "redis", "0-1-5"), RF_OK);
    assert_int_equal(save(f, "file", "0-1-3"), RF_OK);
    assert_int_equal(save(f, "file", "0-1-4"), RF_OK);
    assert_int_equal(rf_checkpoint_read(f->path, &report, &f->err), RF_OK);
    assert_str(report.name, "shop");
    assert_str(report.source, "mysql://db/shop");
    assert_int_equal(report.pid, getpid());
    assert_true(report.running);
    assert_int_equal(report.epoch, 1);
    assert_int_equal(report.sink_count, 2);
    assert_str(report.sinks[0].name, "file");
    assert_str(report.sinks[0].position, "0-1-4");
    assert_str(report.sinks[1].position, "0-1-5");
    rf_checkpoint_report_deinit(&report);
    assert_int_equal(save(f, "file", "0-1-5"), RF_OK);
    close_it(f);
    assert_int_equal(rf_checkpoint_read(f->path, &report, &f->err), RF_OK);
    assert_false(report.running);
    assert_str(report.sinks[0].position, "0-1-5");
    rf_checkpoint_report_deinit(&report);
}

static void test_empty_and_foreign_files_are_damage(void **state)
{
    struct fixture *f = *state;
    struct rf_checkpoint_report report;
    static const char text[] =
        "this is a text file, and a rather long one, so that it fills more than the hundred "
        "bytes of a header of a database";
    make_one(f);
    const size_t sizes[] = {0, 1, 50, sizeof text};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        write_file(f->path, text, sizes[i]);
        assert_int_equal(open_it(f), RF_FATAL);
        assert_null(f->checkpoint);
        assert_non_null(strstr(f->err.message, f->path));
        assert_int_equal(rf_checkpoint_read(f->path, &report, &f->err), RF_FATAL);
        rf_checkpoint_report_deinit(&report);
    }
    sqlite3 *db;
    unlink(f->path);
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (x)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(open_it(f), RF_FATAL);
    assert_non_null(strstr(f->err.message, "not one of Rowferry"));
}

static void test_a_torn_or_zeroed_file_is_damage(void **state)
{
    struct fixture *f = *state;
    struct rf_buf whole = {0};
    make_one(f);
    read_file(f->path, &whole);
    assert_true(whole.size >= 3 * 4096);
    for (size_t size = 0; size < whole.size; size += 512) {
        write_file(f->path, whole.data, size);
        assert_int_equal(open_it(f), RF_FATAL);
    }
    for (size_t page = 0; page < whole.size; page += 4096) {
        struct rf_buf zeroed = {0};
        rf_buf_add(&zeroed, whole.data, whole.size);
        memset(zeroed.data + page, 0, 4096);
        write_file(f->path, zeroed.data, zeroed.size);
        assert_int_equal(open_it(f), RF_FATAL);
        rf_buf_deinit(&zeroed);
    }
    /* And the file itself was fine. */
    write_file(f->path, whole.data, whole.size);
    assert_int_equal(open_it(f), RF_OK);
    rf_buf_deinit(&whole);
}

/* A flipped bit may lie where nothing is; but then what is loaded is what was saved. */
static void test_no_flipped_bit_changes_a_position(void **state)
{
    struct fixture *f = *state;
    struct rf_buf whole = {0};
    struct rf_checkpoint_report report;
    unsigned refused = 0;
    make_one(f);
    read_file(f->path, &whole);
    for (size_t at = 0; at < whole.size; at++) {
        if (whole.data[at] == 0 && at % 61 != 0) {
            continue; /* most of it is empty space */
        }
        int file = open(f->path, O_WRONLY);
        char flipped = (char)(whole.data[at] ^ (1 << at % 8));
        assert_int_equal(pwrite(file, &flipped, 1, (off_t)at), 1);
        enum rf_status status = rf_checkpoint_read(f->path, &report, &f->err);
        if (status == RF_OK) {
            assert_int_equal(report.sink_count, 2);
            assert_str(report.sinks[0].position, "0-1-3");
            assert_str(report.sinks[1].position, "0-1-6");
            assert_str(report.name, "shop");
        } else {
            assert_true(status == RF_FATAL || status == RF_CONFIG);
            assert_true(f->err.message[0] != '\0');
            refused++;
        }
        rf_checkpoint_report_deinit(&report);
        assert_int_equal(pwrite(file, whole.data + at, 1, (off_t)at), 1);
        close(file);
        unlink(f->wal);
    }
    assert_true(refused > 100);
    rf_buf_deinit(&whole);
}

static void test_a_newer_version_is_refused(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db;
    make_one(f);
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(open_it(f), RF_CONFIG);
    assert_non_null(strstr(f->err.message, "newer Rowferry"));
}

/* Runs in a child that dies without closing anything. */
static void save_and_die(struct fixture *f, int saves)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool fine = open_it(f) == RF_OK;
        for (int i = 0; fine && i < saves; i++) {
            char position[16];
            snprintf(position, sizeof position, "0-1-%d", 10 + i);
            fine = save(f, "redis", position) == RF_OK;
        }
        _exit(fine ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_a_lost_wal_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct stat info;
    save_and_die(f, 4);
    assert_int_equal(stat(f->wal, &info), 0);
    assert_true(info.st_size > 0);
    unlink(f->wal);
    assert_int_equal(open_it(f), RF_FATAL);
    assert_non_null(strstr(f->err.message, "older than what was saved"));
    assert_non_null(strstr(f->err.hint, f->lock));
    /* As the hint says; and even then the sink has a position. */
    unlink(f->lock);
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(load(f, "redis"), RF_OK);
    assert_str(f->sink.position, "0-1-10");
}

static void test_a_wal_that_is_lost_before_the_first_save_loses_nothing(void **state)
{
    struct fixture *f = *state;
    save_and_die(f, 0);
    assert_int_equal(unlink(f->wal), 0);
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(load(f, "redis"), RF_OK);
    assert_int_equal(f->sink.position.size, 0);
    close_it(f);
}

static void test_a_wal_without_its_database_is_not_played_back(void **state)
{
    struct fixture *f = *state;
    save_and_die(f, 4);
    unlink(f->path);
    unlink(f->lock);
    assert_int_equal(open_it(f), RF_OK);
    assert_int_equal(load(f, "redis"), RF_OK);
    assert_int_equal(f->sink.position.size, 0);
    assert_int_equal(rf_checkpoint_epoch(f->checkpoint), 1);
}

static void test_a_file_that_is_gone_is_no_first_start(void **state)
{
    struct fixture *f = *state;
    make_one(f);
    unlink(f->path);
    assert_int_equal(open_it(f), RF_FATAL);
    assert_non_null(strstr(f->err.message, "is gone"));
    assert_non_null(strstr(f->err.hint, f->lock));
    assert_int_equal(access(f->path, F_OK), -1);
    /* As the hint says. */
    unlink(f->lock);
    assert_int_equal(open_it(f), RF_OK);
}

static void test_a_directory_that_cannot_be_written_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(
        rf_checkpoint_open(&f->checkpoint, "/dev/null/x/shop.db", "shop", "x", &f->err), RF_CONFIG);
    assert_non_null(strstr(f->err.message, "/dev/null"));
    assert_int_equal(chmod(f->directory, 0555), 0);
    pid_t child = fork();
    if (child == 0) {
        /* The superuser may write anywhere. */
        bool lowered = geteuid() != 0 || seteuid(65534) == 0;
        _exit(lowered && open_it(f) == RF_CONFIG && strstr(f->err.message, f->directory) != NULL
                  ? 0
                  : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(f->directory, 0700), 0);
    assert_int_equal(status, 0);
}

static void test_paths_come_from_names(void **state)
{
    struct fixture *f = *state;
    setenv("XDG_STATE_HOME", "/var/state", 1);
    assert_int_equal(rf_checkpoint_path("shop.v-2_x", &f->buf, &f->err), RF_OK);
    assert_string_equal(rf_buf_cstr(&f->buf), "/var/state/rowferry/shop.v-2_x.db");
    setenv("XDG_STATE_HOME", "relative", 1);
    setenv("HOME", "/home/me", 1);
    rf_buf_reset(&f->buf);
    assert_int_equal(rf_checkpoint_path("a", &f->buf, &f->err), RF_OK);
    assert_string_equal(rf_buf_cstr(&f->buf), "/home/me/.local/state/rowferry/a.db");
    static const char *const bad[] = {"", ".", "..", ".x", "a/b", "a b", "a\n", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(rf_checkpoint_path(bad[i], &f->buf, &f->err), RF_CONFIG);
    }
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_what_was_saved_is_loaded),
        test(test_the_epoch_grows_with_each_open),
        test(test_a_first_start_that_saved_nothing_leaves_no_trace),
        test(test_counts_of_waived_and_buried_events_are_kept),
        test(test_an_order_stays_until_the_next_save_of_its_sink),
        test(test_an_order_is_refused_while_the_pipeline_runs),
        test(test_an_order_makes_no_file_and_mends_none),
        test(test_an_order_leaves_epoch_and_process_as_they_were),
        test(test_a_file_of_the_first_layout_is_upgraded_in_place),
        test(test_a_report_reads_the_first_layout_and_leaves_it),
        test(test_an_order_upgrades_the_first_layout),
        test(test_a_changed_field_of_the_first_layout_is_damage),
        test(test_files_are_for_their_owner_alone),
        test(test_a_second_process_is_refused_by_name),
        test(test_a_report_is_read_beside_a_running_pipeline),
        test(test_empty_and_foreign_files_are_damage),
        test(test_a_torn_or_zeroed_file_is_damage),
        test(test_no_flipped_bit_changes_a_position),
        test(test_a_newer_version_is_refused),
        test(test_a_lost_wal_is_noticed),
        test(test_a_wal_that_is_lost_before_the_first_save_loses_nothing),
        test(test_a_wal_without_its_database_is_not_played_back),
        test(test_a_file_that_is_gone_is_no_first_start),
        test(test_a_directory_that_cannot_be_written_is_refused),
        test(test_paths_come_from_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
