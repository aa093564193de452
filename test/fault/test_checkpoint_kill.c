/* The checkpoint under kill -9, power cuts and full disks, at every single operation on its files.
 *
 * A layer under SQLite counts what SQLite does to files and, at the n-th operation, ends the
 * process: in the middle of the write (kill), or with everything undone that was not synced, or
 * with a random part of that undone (power cut). For every n the parent then opens what is left:
 * it must be the last save that was acknowledged, or the one under way. */
#include "checkpoint/checkpoint.h"
#include "lib/layouts.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum ending { KILL, POWER_CUT, POWER_CUT_TORN, FULL, SYNC_FAILS };
enum { SAVES = 6, DIED = 77, UNDO_MAX = 4096 };

/* What a write replaced, so that a power cut can take it back. */
struct undo {
    char path[160];
    sqlite3_int64 offset, old_file_size;
    int size, had;
    char *old;
};

static struct {
    enum ending ending;
    unsigned at, count; /* the operation that ends it, and how many there were */
    unsigned full_for;  /* FULL: operations that fail */
    unsigned random;
    struct undo undo[UNDO_MAX];
    unsigned undo_count;
} plan;

struct layer_file {
    sqlite3_file base;
    char path[160];
    sqlite3_file *real; /* behind this struct */
};

static sqlite3_vfs *below;

static unsigned draw(void)
{
    plan.random = plan.random * 1103515245 + 12345;
    return plan.random >> 16;
}

/* -------------------------------------------------------------------------------------- endings */

static void remember(const struct layer_file *file, int size, sqlite3_int64 offset)
{
    struct undo *undo = &plan.undo[plan.undo_count++];
    if (plan.undo_count == UNDO_MAX) {
        abort();
    }
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    *undo = (struct undo){.offset = offset, .size = size, .old = malloc((size_t)size)};
    memcpy(undo->path, file->path, sizeof undo->path);
    undo->old_file_size = lseek(fd, 0, SEEK_END);
    undo->had = (int)pread(fd, undo->old, (size_t)size, offset);
    close(fd);
}

static void forget(const char *path)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < plan.undo_count; i++) {
        if (strcmp(plan.undo[i].path, path) == 0) {
            free(plan.undo[i].old);
        } else {
            plan.undo[kept++] = plan.undo[i];
        }
    }
    plan.undo_count = kept;
}

static void die(void)
{
    for (unsigned i = plan.undo_count; plan.ending != KILL && i > 0; i--) {
        const struct undo *undo = &plan.undo[i - 1];
        int fd = open(undo->path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || (plan.ending == POWER_CUT_TORN && draw() % 2)) {
            continue;
        }
        if (undo->had > 0 && pwrite(fd, undo->old, (size_t)undo->had, undo->offset) != undo->had) {
            abort();
        }
        if (plan.ending == POWER_CUT && ftruncate(fd, undo->old_file_size) != 0) {
            abort();
        }
        close(fd);
    }
    _exit(DIED);
}

/* True when this operation is to fail, or never to return. */
static bool due(void)
{
    plan.count++;
    if (plan.ending == FULL) {
        return plan.count >= plan.at && plan.count < plan.at + plan.full_for;
    }
    return plan.count == plan.at;
}

/* ------------------------------------------------------------------------------- the file layer */

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct layer_file *)file)->real;
}

static int layer_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int layer_read(sqlite3_file *file, void *data, int size, sqlite3_int64 offset)
{
    return real_of(file)->pMethods->xRead(real_of(file), data, size, offset);
}

static int layer_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
    const sqlite3_io_methods *methods = real_of(file)->pMethods;
    bool now = due();
    if (now && plan.ending == FULL) {
        return SQLITE_FULL;
    }
    if (plan.ending == POWER_CUT || plan.ending == POWER_CUT_TORN) {
        remember((struct layer_file *)file, size, offset);
    }
    if (now && plan.ending != SYNC_FAILS) {
        methods->xWrite(real_of(file), data, (int)(draw() % (unsigned)(size + 1)), offset);
        die();
    }
    return methods->xWrite(real_of(file), data, size, offset);
}

static int layer_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (due() && plan.ending != SYNC_FAILS) {
        if (plan.ending == FULL) {
            return SQLITE_FULL;
        }
        die();
    }
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int layer_sync(sqlite3_file *file, int flags)
{
    if (due()) {
        if (plan.ending == FULL || plan.ending == SYNC_FAILS) {
            return plan.ending == FULL ? SQLITE_FULL : SQLITE_IOERR_FSYNC;
        }
        die();
    }
    forget(((struct layer_file *)file)->path);
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int layer_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int layer_lock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int layer_unlock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static int layer_check_lock(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int layer_control(sqlite3_file *file, int op, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
}

static int layer_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int layer_traits(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int layer_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}

static int layer_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void layer_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int layer_shm_unmap(sqlite3_file *file, int delete)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), delete);
}

static const sqlite3_io_methods layer_methods = {
    .iVersion = 2,
    .xClose = layer_close,
    .xRead = layer_read,
    .xWrite = layer_write,
    .xTruncate = layer_truncate,
    .xSync = layer_sync,
    .xFileSize = layer_size,
    .xLock = layer_lock,
    .xUnlock = layer_unlock,
    .xCheckReservedLock = layer_check_lock,
    .xFileControl = layer_control,
    .xSectorSize = layer_sector,
    .xDeviceCharacteristics = layer_traits,
    .xShmMap = layer_shm_map,
    .xShmLock = layer_shm_lock,
    .xShmBarrier = layer_shm_barrier,
    .xShmUnmap = layer_shm_unmap,
};

static int layer_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    struct layer_file *layer = (struct layer_file *)file;
    (void)vfs;
    if (due() && plan.ending != FULL && plan.ending != SYNC_FAILS) {
        die();
    }
    layer->real = (sqlite3_file *)(layer + 1);
    snprintf(layer->path, sizeof layer->path, "%s", name ? name : "");
    int code = below->xOpen(below, name, layer->real, flags, out);
    layer->base.pMethods = layer->real->pMethods != NULL ? &layer_methods : NULL;
    return code;
}

static int layer_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    if (due() && plan.ending != FULL && plan.ending != SYNC_FAILS) {
        die();
    }
    forget(name);
    return below->xDelete(below, name, sync);
}

/* For this process, and for every file that it opens from now on. */
static void install_layer(void)
{
    static sqlite3_vfs layer;
    below = sqlite3_vfs_find(NULL);
    layer = *below;
    layer.zName = "layer";
    layer.szOsFile = (int)sizeof(struct layer_file) + below->szOsFile;
    layer.xOpen = layer_open;
    layer.xDelete = layer_delete;
    sqlite3_vfs_register(&layer, 1);
}

/* -------------------------------------------------------------------------------- the two sides */

struct fixture {
    char directory[64], path[128];
    struct rf_buf buf;
    struct rf_error err;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->directory, sizeof f->directory, "/tmp/rowferry-checkpoint-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof f->path, "%s/shop.db", f->directory);
    *state = f;
    return 0;
}

static void remove_files(const struct fixture *f)
{
    static const char *const names[] = {"shop.db",         "shop.db-wal",    "shop.db-shm",
                                        "shop.lock",       "shop.db.new",    "shop.db.new-journal",
                                        "shop.db.new-wal", "shop.db.new-shm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", f->directory, names[i]);
        unlink(path);
    }
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    remove_files(f);
    rmdir(f->directory);
    rf_buf_deinit(&f->buf);
    free(f);
    return 0;
}

/* The two sinks go on in turn; position and note always belong together. */
static enum rf_status save(struct rf_checkpoint *checkpoint, unsigned number, struct rf_error *err)
{
    char position[16], note[24];
    snprintf(position, sizeof position, "%u", number);
    snprintf(note, sizeof note, "note of %u", number);
    struct rf_checkpoint_sink sink = {
        .name = number % 2 ? RF_STR("redis") : RF_STR("file"),
        .position = rf_str_of(position),
        .note = rf_str_of(note),
        .events = number,
    };
    return rf_checkpoint_save(checkpoint, &sink, err);
}

/* Number of the last save that is in there; 0: none. */
static unsigned load(struct fixture *f, struct rf_checkpoint *checkpoint)
{
    static const char *const names[] = {"redis", "file"};
    uint64_t last = 0;
    for (int i = 0; i < 2; i++) {
        struct rf_checkpoint_sink sink;
        uint64_t number = 0;
        char note[24];
        assert_int_equal(
            rf_checkpoint_load(checkpoint, rf_str_of(names[i]), &f->buf, &sink, &f->err), RF_OK);
        if (sink.position.size == 0) {
            continue;
        }
        assert_true(rf_str_to_u64(sink.position, &number));
        snprintf(note, sizeof note, "note of %u", (unsigned)number);
        assert_true(rf_str_equal(sink.note, rf_str_of(note)));
        assert_int_equal(sink.events, number);
        last = number > last ? number : last;
    }
    return (unsigned)last;
}

/* In the child: saves numbers behind `from`, and writes each to the pipe once it is
 * acknowledged. */
static void child_saves(struct fixture *f, unsigned from, unsigned saves, int acks)
{
    struct rf_checkpoint *checkpoint;
    int code = 0;
    if (rf_checkpoint_open(&checkpoint, f->path, "shop", "source", &f->err) != RF_OK) {
        _exit(2);
    }
    for (unsigned number = from + 1; number <= from + saves; number++) {
        enum rf_status status = save(checkpoint, number, &f->err);
        for (int tries = 0; status == RF_RETRY && tries < 1000; tries++) {
            status = save(checkpoint, number, &f->err); /* the disk has room again in the end */
        }
        if (status != RF_OK) {
            _exit(status == RF_FATAL ? 3 : 4);
        }
        if (write(acks, &number, sizeof number) != sizeof number) {
            _exit(5);
        }
    }
    rf_checkpoint_close(checkpoint);
    _exit(code);
}

/* Returns the child's exit code, -1 for a signal; *acked is the last save that it was told is
 * done. */
static int run_child(struct fixture *f, unsigned from, unsigned saves, unsigned kill_after,
                     bool layered, unsigned *acked)
{
    int acks[2], status;
    assert_int_equal(pipe(acks), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(acks[0]);
        if (layered) {
            install_layer();
        }
        child_saves(f, from, saves, acks[1]);
    }
    close(acks[1]);
    *acked = from;
    unsigned number, seen = 0;
    while (read(acks[0], &number, sizeof number) == sizeof number) {
        *acked = number;
        if (++seen == kill_after) {
            kill(child, SIGKILL);
        }
    }
    close(acks[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What the next process finds. */
static unsigned reopen(struct fixture *f, unsigned acked, unsigned at)
{
    struct rf_checkpoint *checkpoint;
    enum rf_status status = rf_checkpoint_open(&checkpoint, f->path, "shop", "source", &f->err);
    if (status != RF_OK) {
        fail_msg("operation %u: %s", at, f->err.message);
    }
    unsigned last = load(f, checkpoint);
    if (last != acked && last != acked + 1) {
        fail_msg("operation %u: save %u was acknowledged, %u was found", at, acked, last);
    }
    rf_checkpoint_close(checkpoint);
    return last;
}

/* Ends the child at each of its operations in turn; each time from nothing, or each time on what
 * the last one left. */
static unsigned end_at_every_operation(struct fixture *f, enum ending ending, bool afresh)
{
    unsigned last = 0, acked, at = 1;
    remove_files(f);
    for (;; at++) {
        if (afresh) {
            remove_files(f);
            last = 0;
        }
        plan.ending = ending;
        plan.at = at;
        plan.count = plan.undo_count = 0;
        plan.random = at;
        int code = run_child(f, last, SAVES, 0, true, &acked);
        if (code == 0) {
            assert_int_equal(acked, last + SAVES);
            break;
        }
        assert_int_equal(code, DIED);
        last = reopen(f, acked, at);
    }
    print_message("%u operations\n", at - 1);
    return at - 1;
}

static void test_a_kill_at_every_operation_loses_nothing(void **state)
{
    assert_true(end_at_every_operation(*state, KILL, true) > 40);
    assert_true(end_at_every_operation(*state, KILL, false) > 20);
}

static void test_a_power_cut_at_every_operation_loses_nothing(void **state)
{
    assert_true(end_at_every_operation(*state, POWER_CUT, true) > 40);
    assert_true(end_at_every_operation(*state, POWER_CUT, false) > 20);
}

static void test_a_power_cut_that_tears_writes_loses_nothing(void **state)
{
    assert_true(end_at_every_operation(*state, POWER_CUT_TORN, true) > 40);
    assert_true(end_at_every_operation(*state, POWER_CUT_TORN, false) > 20);
}

static void make_layout_1(const struct fixture *f)
{
    sqlite3 *db;
    remove_files(f);
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, LAYOUT_1 "PRAGMA journal_mode = WAL", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void assert_str(struct rf_str str, const char *text)
{
    assert_int_equal(str.size, strlen(text));
    assert_memory_equal(str.data, text, str.size);
}

/* Ends an upgrade at each of its operations; whatever was left, the next process finds what the old
 * file held, and the one behind it as well. */
static void end_an_upgrade_at_every_operation(struct fixture *f, enum ending ending)
{
    unsigned at = 1;
    for (int code = DIED; code == DIED; at++) {
        int ignored;
        make_layout_1(f);
        plan.ending = ending;
        plan.at = plan.random = at;
        plan.count = plan.undo_count = 0;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct rf_checkpoint *checkpoint;
            install_layer();
            _exit(rf_checkpoint_open(&checkpoint, f->path, "shop", "source", &f->err) == RF_OK ? 0
                                                                                               : 2);
        }
        assert_int_equal(waitpid(child, &ignored, 0), child);
        code = WEXITSTATUS(ignored);
        for (int i = 0; i < 2; i++) {
            struct rf_checkpoint *checkpoint;
            struct rf_checkpoint_sink sink;
            if (rf_checkpoint_open(&checkpoint, f->path, "shop", "source", &f->err) != RF_OK) {
                fail_msg("operation %u: %s", at, f->err.message);
            }
            assert_true(rf_checkpoint_epoch(checkpoint) >= 2 + (unsigned)i);
            assert_int_equal(
                rf_checkpoint_load(checkpoint, RF_STR("redis"), &f->buf, &sink, &f->err), RF_OK);
            assert_str(sink.position, "0-1-6");
            assert_int_equal(sink.note.size, 6);
            assert_int_equal(
                rf_checkpoint_load(checkpoint, RF_STR("file"), &f->buf, &sink, &f->err), RF_OK);
            assert_str(sink.position, "0-1-3");
            rf_checkpoint_close(checkpoint);
        }
    }
    print_message("%u operations\n", at - 1);
    assert_true(at > 10);
}

static void test_an_upgrade_that_ends_anywhere_loses_nothing(void **state)
{
    end_an_upgrade_at_every_operation(*state, KILL);
    end_an_upgrade_at_every_operation(*state, POWER_CUT);
    end_an_upgrade_at_every_operation(*state, POWER_CUT_TORN);
}

static void test_an_upgrade_without_room_leaves_the_old_file(void **state)
{
    struct fixture *f = *state;
    unsigned refused = 0;
    for (unsigned at = 1; at < 30; at++) {
        struct rf_checkpoint *checkpoint;
        struct rf_checkpoint_sink sink;
        int ignored;
        make_layout_1(f);
        plan.ending = FULL;
        plan.at = at;
        plan.full_for = 3;
        plan.count = plan.undo_count = 0;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            install_layer();
            enum rf_status status =
                rf_checkpoint_open(&checkpoint, f->path, "shop", "source", &f->err);
            rf_checkpoint_close(checkpoint);
            _exit(status == RF_OK ? 0 : status == RF_CONFIG ? 2 : 3);
        }
        assert_int_equal(waitpid(child, &ignored, 0), child);
        assert_true(WEXITSTATUS(ignored) == 0 || WEXITSTATUS(ignored) == 2);
        refused += WEXITSTATUS(ignored) == 2;
        assert_int_equal(rf_checkpoint_open(&checkpoint, f->path, "shop", "source", &f->err),
                         RF_OK);
        assert_int_equal(rf_checkpoint_load(checkpoint, RF_STR("redis"), &f->buf, &sink, &f->err),
                         RF_OK);
        assert_str(sink.position, "0-1-6");
        rf_checkpoint_close(checkpoint);
    }
    assert_true(refused > 0);
}

static void test_a_full_disk_keeps_the_old_state_and_goes_on_with_room(void **state)
{
    struct fixture *f = *state;
    unsigned last, acked;
    assert_int_equal(run_child(f, 0, SAVES, 0, false, &acked), 0);
    last = reopen(f, acked, 0);
    for (unsigned at = 1; at < 60; at++) {
        plan.ending = FULL;
        plan.at = at;
        plan.full_for = 5;
        plan.count = plan.undo_count = 0;
        int code = run_child(f, last, SAVES, 0, true, &acked);
        /* With no room at its start it does not start; later it waits and goes on. */
        assert_true(code == 0 || (code == 2 && acked == last));
        last = reopen(f, acked, at);
        assert_int_equal(last, acked);
    }
}

static void test_a_failed_sync_is_fatal(void **state)
{
    struct fixture *f = *state;
    unsigned last, acked, failures = 0;
    assert_int_equal(run_child(f, 0, SAVES, 0, false, &acked), 0);
    last = reopen(f, acked, 0);
    for (unsigned at = 1; at < 60; at++) {
        plan.ending = SYNC_FAILS;
        plan.at = at;
        plan.count = plan.undo_count = 0;
        int code = run_child(f, last, SAVES, 0, true, &acked);
        assert_true(code == 0 || code == 2 || code == 3);
        failures += code == 3;
        last = reopen(f, acked, at);
    }
    assert_true(failures > 0);
}

static void test_kill_9_in_the_middle_of_saves_loses_nothing(void **state)
{
    struct fixture *f = *state;
    unsigned last = 0, acked;
    for (unsigned round = 0; round < 40; round++) {
        assert_int_equal(run_child(f, last, 100000, 1 + round * 7 % 50, false, &acked), -1);
        last = reopen(f, acked, round);
    }
    assert_true(last > 100);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_a_kill_at_every_operation_loses_nothing),
        test(test_a_power_cut_at_every_operation_loses_nothing),
        test(test_a_power_cut_that_tears_writes_loses_nothing),
        test(test_an_upgrade_that_ends_anywhere_loses_nothing),
        test(test_an_upgrade_without_room_leaves_the_old_file),
        test(test_a_full_disk_keeps_the_old_state_and_goes_on_with_room),
        test(test_a_failed_sync_is_fatal),
        test(test_kill_9_in_the_middle_of_saves_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
