/* The sink `file` on a disk that is full: it waits, and goes on with nothing lost or doubled when
 * there is room. The disk is a small file system of our own, in a namespace of our own. */
#include "lib/events.h"
#include "lib/files.h"
#include "lib/format.h"
#include "lib/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/leave_out.h"

extern const struct rf_sink_type rf_sink_file;

enum { TRANSACTIONS = 200, ROW_BYTES = 1000, BALLAST_BYTES = 200 * 1024, FILES = 20 };

static char mounted[64], folder[80], path[96], ballast[96];
static struct rf_test_setting settings[4];
static struct rf_table *table;

/* Text that hardly compresses, the same for each number. */
static void make_row(uint64_t number, char *row)
{
    uint64_t random = number * 88172645463325252u + 1;
    int at = snprintf(row, ROW_BYTES, "%llu|", (unsigned long long)number);
    for (; at < ROW_BYTES - 1; at++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        row[at] = (char)('A' + random % 26);
    }
    row[at] = '\0';
}

static enum rf_status write_row(struct rf_test_sink *sink, uint64_t number, struct rf_error *err)
{
    char row[ROW_BYTES];
    struct rf_batch batch = {.bytes_max = 1 << 20};
    make_row(number, row);
    rf_test_begin(&batch, number);
    rf_test_create(&batch, table, row);
    rf_test_commit(&batch);
    struct rf_view view = rf_test_view(&batch, 0, UINT32_MAX);
    enum rf_status status = sink->type->write(sink->state, &view, err);
    rf_batch_deinit(&batch);
    return status;
}

/* One connection, as the engine has it: from the recorded position until something fails. */
static enum rf_status live(struct rf_test_sink *sink, uint64_t *recorded, struct rf_error *err)
{
    enum rf_status status = rf_test_sink_open(sink, err);
    for (uint64_t number = *recorded; status == RF_OK; number++) {
        if (number > *recorded) {
            status = write_row(sink, number, err);
        }
        if (status == RF_OK && (number % 7 == 0 || number == TRANSACTIONS)) {
            char position[24];
            snprintf(position, sizeof position, "%llu", (unsigned long long)number);
            status = rf_test_sink_flush(sink, position, err);
            *recorded = status == RF_OK ? number : *recorded;
        }
        if (number == TRANSACTIONS) {
            break;
        }
    }
    rf_test_sink_close(sink);
    return status;
}

static void expect_everything_once(void)
{
    struct rf_buf content = {0}, expected = {0};
    char row[ROW_BYTES];
    for (uint64_t number = 1; number <= TRANSACTIONS; number++) {
        make_row(number, row);
        rf_buf_printf(&expected, "0-1-%llu create d.t %s\n", (unsigned long long)number, row);
    }
    assert_true(rf_test_files_read(folder, &content));
    assert_true(rf_str_equal(rf_buf_str(&content), rf_buf_str(&expected)));
    rf_buf_deinit(&content);
    rf_buf_deinit(&expected);
}

/* Fills the disk, lets the sink meet that a few times, makes room, and lets it end. */
static void run_full(void (*make_room)(void))
{
    struct rf_test_sink sink = {
        .type = &rf_sink_file, .settings = settings, .format = &rf_test_format};
    struct rf_error err = {0};
    uint64_t recorded = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t before = recorded;
        assert_int_equal(live(&sink, &recorded, &err), RF_RETRY);
        assert_int_equal(err.code, ENOSPC);
        assert_non_null(strstr(err.hint, "room"));
        assert_true(i == 0 ? recorded > 0 : recorded >= before);
    }
    assert_true(recorded < TRANSACTIONS);
    make_room();
    enum rf_status status = live(&sink, &recorded, &err);
    if (status != RF_OK) {
        print_message("%s\n", err.message);
    }
    assert_int_equal(status, RF_OK);
    assert_int_equal(recorded, TRANSACTIONS);
    expect_everything_once();
    rf_test_sink_deinit(&sink);
}

static void skip_without_a_disk(void)
{
    if (mounted[0] == '\0') {
        leave_out("this system lets us mount nothing");
    }
}

static void remove_ballast(void)
{
    assert_int_equal(unlink(ballast), 0);
}

static void test_a_full_disk_is_waited_out(void **state)
{
    static const struct rf_test_setting cases[][2] = {
        {{NULL, NULL}, {NULL, NULL}},
        {{"rotate_bytes", "20000"}, {NULL, NULL}},
        {{"compress", "gzip"}, {NULL, NULL}},
        {{"compress", "zstd"}, {"rotate_bytes", "20000"}},
    };
    (void)state;
    skip_without_a_disk();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static const char zeros[BALLAST_BYTES];
        int fd = open(ballast, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, zeros, sizeof zeros), sizeof zeros);
        close(fd);
        settings[1] = cases[i][0];
        settings[2] = cases[i][1];
        run_full(remove_ballast);
        rf_test_files_remove(folder);
    }
}

static void free_names(void)
{
    for (int i = 0; i < FILES; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%d", ballast, i);
        assert_int_equal(unlink(name), 0);
    }
}

static void test_a_disk_that_takes_no_more_files_is_waited_out(void **state)
{
    (void)state;
    skip_without_a_disk();
    assert_int_equal(mount("none", mounted, "tmpfs", MS_REMOUNT, "size=1m,nr_inodes=26"), 0);
    for (int i = 0; i < FILES; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%d", ballast, i);
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
    settings[1] = (struct rf_test_setting){"rotate_bytes", "40000"};
    run_full(free_names);
}

static void write_to(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!write(fd, text, strlen(text));
        close(fd);
    }
}

/* False where this system lets nobody but root mount anything, and we are not. */
static bool make_disk(void)
{
    char map[64];
    uid_t user = getuid();
    gid_t group = getgid();
    if (user != 0) {
        if (unshare(CLONE_NEWUSER) != 0) {
            return false;
        }
        write_to("/proc/self/setgroups", "deny");
        snprintf(map, sizeof map, "0 %u 1", (unsigned)user);
        write_to("/proc/self/uid_map", map);
        snprintf(map, sizeof map, "0 %u 1", (unsigned)group);
        write_to("/proc/self/gid_map", map);
    }
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", mounted, "tmpfs", 0, "size=320k,nr_inodes=100,mode=0700") == 0;
}

static int setup(void **state)
{
    (void)state;
    snprintf(mounted, sizeof mounted, "/tmp/rowferry-full-XXXXXX");
    assert_non_null(mkdtemp(mounted));
    table = rf_test_table("d", "t", "id:int! x:text");
    if (!make_disk()) {
        rmdir(mounted);
        mounted[0] = '\0';
        return 0;
    }
    snprintf(folder, sizeof folder, "%s/here", mounted);
    snprintf(path, sizeof path, "%s/out", folder);
    snprintf(ballast, sizeof ballast, "%s/ballast", mounted);
    settings[0] = (struct rf_test_setting){"path", path};
    return mkdir(folder, 0700);
}

static int teardown(void **state)
{
    (void)state;
    rf_table_release(table);
    if (mounted[0] != '\0') {
        assert_int_equal(umount2(mounted, MNT_DETACH), 0);
        rmdir(mounted);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_disk_is_waited_out),
        cmocka_unit_test(test_a_disk_that_takes_no_more_files_is_waited_out),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
