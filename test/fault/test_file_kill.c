/* The sink `file` is killed before every single call to the system that changes anything, also in
 * the middle of a write, and once more while it puts right what the first kill left. What is there
 * in the end is what would be there without. */
#include "lib/events.h"
#include "lib/files.h"
#include "lib/format.h"
#include "lib/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

extern const struct rf_sink_type rf_sink_file;

/* ---------------------------------------------------------------------------- the system's calls
 *
 * Defined here they are called instead of libc's. */

static unsigned calls_left; /* 0: nobody is to be killed */
static bool tears;          /* a write that is killed has written half of its bytes */
static bool sync_fails, folder_sync_fails;

static bool is_last_call(void)
{
    return calls_left > 0 && --calls_left == 0;
}

static void die(void)
{
    syscall(SYS_kill, getpid(), SIGKILL);
}

static void step(void)
{
    if (is_last_call()) {
        die();
    }
}

ssize_t our_write(int fd, const void *data, size_t size) __asm__("write");
int our_open(const char *path, int flags, unsigned mode) __asm__("open64");
int our_truncate(int fd, off_t length) __asm__("ftruncate64");
int our_unlink(const char *path) __asm__("unlink");
int our_sync(int fd) __asm__("fsync");
int our_datasync(int fd) __asm__("fdatasync");
int our_mark(int fd, const char *name, const void *data, size_t size,
             int flags) __asm__("fsetxattr");

ssize_t our_write(int fd, const void *data, size_t size)
{
    if (is_last_call()) {
        if (tears) {
            (void)syscall(SYS_write, fd, data, size / 2);
        }
        die();
    }
    return syscall(SYS_write, fd, data, size);
}

int our_open(const char *path, int flags, unsigned mode)
{
    if ((flags & O_CREAT) != 0) {
        step();
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int our_truncate(int fd, off_t length)
{
    step();
    return (int)syscall(SYS_ftruncate, fd, length);
}

int our_unlink(const char *path)
{
    step();
    return (int)syscall(SYS_unlink, path);
}

/* A kill takes nothing out of the system's memory: to sync would only take time. */
static int sync_or_fail(bool fails)
{
    step();
    errno = EIO;
    return fails ? -1 : 0;
}

int our_sync(int fd)
{
    (void)fd;
    return sync_or_fail(folder_sync_fails);
}

int our_datasync(int fd)
{
    (void)fd;
    return sync_or_fail(sync_fails);
}

int our_mark(int fd, const char *name, const void *data, size_t size, int flags)
{
    step();
    return (int)syscall(SYS_fsetxattr, fd, name, data, size, flags);
}

/* ------------------------------------------------------------------------------------- the life */

enum { TRANSACTIONS = 9, LARGE = 5 }; /* the large one comes in three pieces, flushed between */

/* What a killed process leaves behind, beside its files. */
struct record {
    int current;
    bool done;
    struct {
        uint64_t position;
        char note[128];
    } slots[2];
};

static char folder[64], path[128];
static struct rf_test_setting settings[4];
static struct rf_table *table;
static struct record *record;

static void begin_life(struct rf_test_sink *sink)
{
    char position[32];
    snprintf(position, sizeof position, "%llu",
             (unsigned long long)record->slots[record->current].position);
    *sink = (struct rf_test_sink){
        .type = &rf_sink_file, .settings = settings, .format = &rf_test_format};
    rf_buf_set(&sink->position, rf_str_of(position));
    rf_buf_set(&sink->note, rf_str_of(record->slots[record->current].note));
}

static bool write_piece(struct rf_test_sink *sink, uint64_t number, int piece, int pieces)
{
    struct rf_batch batch = {.bytes_max = 1 << 20};
    struct rf_error err = {0};
    if (piece == 0) {
        rf_test_begin(&batch, number);
    } else {
        rf_test_resume(&batch, number);
    }
    for (int i = 0; i < 3; i++) {
        char row[64];
        snprintf(row, sizeof row, "%llu|piece %d row %d", (unsigned long long)number, piece, i);
        rf_test_create(&batch, table, row);
    }
    if (piece + 1 == pieces) {
        rf_test_commit(&batch);
    }
    struct rf_view view = rf_test_view(&batch, 0, UINT32_MAX);
    enum rf_status status = sink->type->write(sink->state, &view, &err);
    rf_batch_deinit(&batch);
    if (status != RF_OK) {
        fprintf(stderr, "write: %s\n", err.message);
    }
    return status == RF_OK;
}

static bool flush(struct rf_test_sink *sink, uint64_t position)
{
    char text[32];
    struct rf_error err = {0};
    int other = 1 - record->current;
    snprintf(text, sizeof text, "%llu", (unsigned long long)position);
    if (rf_test_sink_flush(sink, text, &err) != RF_OK) {
        fprintf(stderr, "flush: %s\n", err.message);
        return false;
    }
    record->slots[other].position = position;
    snprintf(record->slots[other].note, sizeof record->slots[other].note, "%s",
             rf_buf_cstr(&sink->note));
    __atomic_store_n(&record->current, other, __ATOMIC_SEQ_CST);
    return true;
}

/* From what is recorded to the end. */
static bool live(void)
{
    struct rf_test_sink sink;
    struct rf_error err = {0};
    begin_life(&sink);
    bool fine = rf_test_sink_open(&sink, &err) == RF_OK;
    if (!fine) {
        fprintf(stderr, "open: %s\n", err.message);
    }
    uint64_t number = record->slots[record->current].position;
    fine = fine && flush(&sink, number);
    while (fine && number < TRANSACTIONS) {
        int pieces = ++number == LARGE ? 3 : 1;
        for (int i = 0; i < pieces && fine; i++) {
            bool last = i + 1 == pieces;
            fine = write_piece(&sink, number, i, pieces);
            if (fine && (!last || number % 2 == 1 || number == TRANSACTIONS)) {
                fine = flush(&sink, last ? number : number - 1);
            }
        }
    }
    record->done = fine;
    rf_test_sink_deinit(&sink);
    return fine;
}

/* True when it was killed. */
static bool live_and_die(unsigned calls, bool torn)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        calls_left = calls;
        tears = torn;
        _exit(live() ? 0 : 1);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFSIGNALED(result) ? WTERMSIG(result) == SIGKILL : WEXITSTATUS(result) == 0);
    return WIFSIGNALED(result);
}

static void expect_everything_once(const char *what, unsigned calls)
{
    struct rf_buf content = {0}, expected = {0};
    for (uint64_t number = 1; number <= TRANSACTIONS; number++) {
        for (int i = 0; i < (number == LARGE ? 9 : 3); i++) {
            rf_buf_printf(&expected, "0-1-%llu create d.t %llu|piece %d row %d\n",
                          (unsigned long long)number, (unsigned long long)number, i / 3, i % 3);
        }
    }
    bool whole = rf_test_files_read(folder, &content);
    if (!whole || !rf_str_equal(rf_buf_str(&content), rf_buf_str(&expected))) {
        fail_msg("%s, killed at call %u: %s holds\n%s", what, calls, rf_test_files_list(folder),
                 rf_buf_cstr(&content));
    }
    rf_buf_deinit(&content);
    rf_buf_deinit(&expected);
}

/* How a life begins: with nothing; or with a plain file that was written so far. */
static void prepare(bool plain_before)
{
    rf_test_files_remove(folder);
    *record = (struct record){0};
    if (plain_before) {
        struct rf_test_setting kept = settings[1];
        struct rf_test_sink sink;
        struct rf_error err = {0};
        settings[1] = (struct rf_test_setting){NULL, NULL};
        begin_life(&sink);
        assert_int_equal(rf_test_sink_open(&sink, &err), RF_OK);
        assert_true(flush(&sink, 0));
        for (uint64_t number = 1; number <= 2; number++) {
            assert_true(write_piece(&sink, number, 0, 1));
            assert_true(number == 2 || flush(&sink, number));
        }
        rf_test_sink_deinit(&sink);
        settings[1] = kept;
    }
}

static void kill_at_every_call(const char *what, bool plain_before)
{
    unsigned kills = 0;
    for (unsigned calls = 1;; calls++) {
        bool killed = false;
        for (int torn = 0; torn < 2; torn++) {
            prepare(plain_before);
            killed = live_and_die(calls, torn == 1);
            kills += killed;
            /* Again, while it goes on: early, where it puts things right. */
            kills += killed && live_and_die(1 + calls % 7, torn == 0);
            if (!record->done) {
                assert_true(live());
            }
            /* The position of the very end, with everything behind it: nothing is to be done. */
            assert_true(live());
            expect_everything_once(what, calls);
        }
        if (!killed) {
            break;
        }
    }
    print_message("%s: %u kills\n", what, kills);
    assert_true(kills > 40);
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/rowferry-kill-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/out", folder);
    settings[0] = (struct rf_test_setting){"path", path};
    settings[1] = settings[2] = settings[3] = (struct rf_test_setting){NULL, NULL};
    table = rf_test_table("d", "t", "id:int! x:text");
    record = mmap(NULL, sizeof *record, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(record != MAP_FAILED);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rf_table_release(table);
    munmap(record, sizeof *record);
    rf_test_files_remove(folder);
    return rmdir(folder);
}

static void test_a_plain_file_survives_a_kill_anywhere(void **state)
{
    (void)state;
    kill_at_every_call("plain", false);
}

static void test_segments_survive_a_kill_anywhere(void **state)
{
    (void)state;
    settings[1] = (struct rf_test_setting){"rotate_bytes", "100"};
    kill_at_every_call("segments", false);
}

static void test_a_plain_file_that_begins_to_rotate_survives_a_kill_anywhere(void **state)
{
    (void)state;
    settings[1] = (struct rf_test_setting){"rotate_bytes", "100"};
    kill_at_every_call("plain, then segments", true);
}

static void test_a_compressed_file_survives_a_kill_anywhere(void **state)
{
    (void)state;
    settings[1] = (struct rf_test_setting){"compress", "gzip"};
    kill_at_every_call("gzip", false);
    settings[1].value = "zstd";
    kill_at_every_call("zstd", false);
}

static void test_compressed_segments_survive_a_kill_anywhere(void **state)
{
    (void)state;
    settings[1] = (struct rf_test_setting){"compress", "zstd"};
    settings[2] = (struct rf_test_setting){"rotate_bytes", "100"};
    kill_at_every_call("zstd segments", false);
}

/* After that nobody knows what is on the disk. */
static void test_a_failed_sync_is_fatal(void **state)
{
    static const char *const kinds[] = {"none", "gzip", "zstd"};
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct rf_test_sink sink;
        struct rf_error err = {0};
        settings[1] = (struct rf_test_setting){"compress", kinds[i]};
        prepare(false);
        begin_life(&sink);
        assert_int_equal(rf_test_sink_open(&sink, &err), RF_OK);
        assert_int_equal(rf_test_sink_flush(&sink, "0", &err), RF_OK);
        assert_true(write_piece(&sink, 1, 0, 1));
        sync_fails = true;
        assert_int_equal(rf_test_sink_flush(&sink, "1", &err), RF_FATAL);
        sync_fails = false;
        assert_int_equal(err.code, EIO);
        assert_non_null(strstr(err.message, "could not sync"));
        rf_test_sink_deinit(&sink);
    }
}

static void test_a_folder_that_cannot_be_synced_is_fatal_too(void **state)
{
    struct rf_test_sink sink;
    struct rf_error err = {0};
    (void)state;
    folder_sync_fails = true;
    prepare(false);
    begin_life(&sink);
    assert_int_equal(rf_test_sink_open(&sink, &err), RF_FATAL);
    assert_non_null(strstr(err.message, "could not sync the directory of"));
    folder_sync_fails = false;
    settings[1] = (struct rf_test_setting){"rotate_bytes", "10"};
    assert_int_equal(rf_test_sink_open(&sink, &err), RF_OK);
    assert_true(write_piece(&sink, 1, 0, 1));
    folder_sync_fails = true;
    assert_int_equal(rf_test_sink_flush(&sink, "1", &err), RF_FATAL);
    folder_sync_fails = false;
    rf_test_sink_deinit(&sink);
}

int main(void)
{
#define claim(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        claim(test_a_plain_file_survives_a_kill_anywhere),
        claim(test_segments_survive_a_kill_anywhere),
        claim(test_a_plain_file_that_begins_to_rotate_survives_a_kill_anywhere),
        claim(test_a_compressed_file_survives_a_kill_anywhere),
        claim(test_compressed_segments_survive_a_kill_anywhere),
        claim(test_a_failed_sync_is_fatal),
        claim(test_a_folder_that_cannot_be_synced_is_fatal_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
