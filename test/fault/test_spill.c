/* A large transaction where the disk has no room for it: the source says so and asks to be opened
 * again; when there is room everything comes, once. The room is taken by a limit on the size of
 * files, and, where this process may mount one, by a small file system. */
#include "lib/log_writer.h"
#include "lib/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/leave_out.h"

extern const struct rf_source_type rf_source_binlog;

enum { EVENTS = 60, ROWS = 50000, MIB = 1024 * 1024 };

static char dir[] = "/tmp/rowferry-test-XXXXXX";
static char path[64], small[64];
static uint64_t log_size;

static int begin(void **context)
{
    struct rf_test_log log = {0};
    (void)context;
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/bin.000001", dir);
    snprintf(small, sizeof small, "%s/small", dir);
    rf_test_log_begin(&log, "");
    rf_test_log_row(&log, 1, "shop", "t", 1);
    rf_test_log_gtid(&log, 0, 2, 0);
    rf_test_log_table(&log, 20, "shop", "t", 2, true);
    for (int i = 0; i < EVENTS; i++) {
        rf_test_log_insert(&log, 20, 2, i * ROWS * 10, ROWS, i + 1 == EVENTS);
    }
    rf_test_log_xid(&log);
    rf_test_log_row(&log, 3, "shop", "t", 3);
    log_size = log.log.size;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, log.log.data, log.log.size) == (ssize_t)log.log.size;
    close(fd);
    rf_test_log_deinit(&log);
    return written ? 0 : -1;
}

static int end(void **context)
{
    (void)context;
    unlink(path);
    return rmdir(dir);
}

struct subject {
    struct rf_test_source source;
    struct rf_test_setting settings[2];
    struct rf_error err;
};

/* Where large transactions go is $TMPDIR here. */
static void prepare(struct subject *subject, const char *directory)
{
    *subject = (struct subject){.settings = {{"path", path}}};
    subject->source.type = &rf_source_binlog;
    subject->source.settings = subject->settings;
    subject->source.from = "earliest";
    subject->source.quiet = true;
    assert_int_equal(setenv("TMPDIR", directory, 1), 0);
}

/* The first transaction comes, the second finds no room, twice. */
static void expect_no_room(struct subject *subject, const char *why, const char *where)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rf_test_source_open(&subject->source, &subject->err), RF_OK);
        assert_int_equal(rf_test_source_drain(&subject->source, 1000, &subject->err), RF_RETRY);
        rf_test_source_close(&subject->source);
        assert_int_equal(subject->source.events, 1);
        assert_non_null(strstr(subject->err.message, "GTID 0-1-2"));
        assert_non_null(strstr(subject->err.message, why));
        assert_non_null(strstr(subject->err.message, where));
        assert_non_null(strstr(subject->err.message, "bytes of it are there"));
        assert_non_null(strstr(subject->err.hint, "make room there"));
    }
}

static void expect_the_rest(struct subject *subject)
{
    assert_int_equal(rf_test_source_open(&subject->source, &subject->err), RF_OK);
    assert_int_equal(rf_test_source_drain(&subject->source, 1000, &subject->err), RF_OK);
    assert_int_equal(subject->source.events, 2 + EVENTS * ROWS);
    assert_int_equal(subject->source.transactions, 3);
    rf_test_source_deinit(&subject->source);
}

static void test_a_limit_on_files_is_survived(void **context)
{
    struct rlimit before, limit;
    struct subject subject;
    (void)context;
    prepare(&subject, dir);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 10 * MIB;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_no_room(&subject, strerror(EFBIG), dir);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    expect_the_rest(&subject);
}

static uint64_t room(void)
{
    struct statvfs status;
    assert_int_equal(statvfs(small, &status), 0);
    return status.f_bfree * status.f_frsize;
}

/* In a mount namespace of its own: nothing is left of it, however the test ends. */
static void test_a_full_disk_is_survived_and_its_room_comes_back(void **context)
{
    struct subject subject;
    char filler[128];
    (void)context;
    assert_int_equal(mkdir(small, 0700), 0);
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", small, "tmpfs", 0, "size=48m") != 0) {
        assert_int_equal(rmdir(small), 0);
        leave_out("a small file system cannot be mounted");
    }
    prepare(&subject, small);
    assert_true(log_size < 40 * MIB);
    /* Half of it belongs to somebody else. */
    snprintf(filler, sizeof filler, "%s/filler", small);
    int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(posix_fallocate(fd, 0, 34 * MIB), 0);
    close(fd);
    uint64_t before = room();
    expect_no_room(&subject, strerror(ENOSPC), small);
    assert_int_equal(room(), before);
    assert_int_equal(unlink(filler), 0);
    before = room();
    expect_the_rest(&subject);
    assert_int_equal(room(), before);
    assert_int_equal(umount(small), 0);
    assert_int_equal(rmdir(small), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_limit_on_files_is_survived),
        cmocka_unit_test(test_a_full_disk_is_survived_and_its_room_comes_back),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
