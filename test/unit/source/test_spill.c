#include "source/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool without_tmpfile; /* file systems that do not know O_TMPFILE */

/* In front of the C library's. */
int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list args;
    va_start(args, flags);
    if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) {
        mode = va_arg(args, mode_t);
    }
    va_end(args);
    if (without_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static char directory[] = "/tmp/rowferry-test-XXXXXX";

static int begin(void **context)
{
    (void)context;
    return mkdtemp(directory) != NULL ? 0 : -1;
}

/* Nothing must be left in it. */
static int end(void **context)
{
    (void)context;
    return rmdir(directory);
}

static enum rf_status write_text(struct rf_spill *spill, const char *text, struct rf_error *err)
{
    struct iovec part = {(char *)(uintptr_t)text, strlen(text)};
    struct rf_spill_block block = {&part, 1};
    return rf_spill_write(spill, &block, 1, err);
}

/* The next block is this text. */
static void expect_text(struct rf_spill *spill, const char *text)
{
    char data[4096];
    size_t size;
    assert_true(rf_spill_left(spill));
    assert_int_equal(rf_spill_peek(spill, &size, NULL), RF_OK);
    assert_int_equal(size, strlen(text));
    assert_true(size <= sizeof data);
    assert_int_equal(rf_spill_read(spill, data, NULL), RF_OK);
    assert_memory_equal(data, text, size);
}

static enum rf_status read_whole(struct rf_spill *spill, struct rf_error *err)
{
    char data[4096];
    size_t size;
    enum rf_status status = RF_OK;
    while (status == RF_OK && rf_spill_left(spill)) {
        status = rf_spill_peek(spill, &size, err);
        if (status == RF_OK) {
            assert_true(size <= sizeof data);
            status = rf_spill_read(spill, data, err);
        }
    }
    return status;
}

static void test_blocks_come_back_as_they_were_written(void **context)
{
    enum { ROUNDS = 20, PART_MAX = 40 };
    struct rf_spill spill = {.directory = directory};
    unsigned seed = 1;
    char bytes[PART_MAX * RF_SPILL_PARTS_MAX], back[sizeof bytes];
    size_t sizes[ROUNDS * RF_SPILL_BLOCKS_MAX];
    uint32_t total = 0;
    (void)context;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)(i * 7);
    }
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct iovec parts[RF_SPILL_BLOCKS_MAX][RF_SPILL_PARTS_MAX];
        struct rf_spill_block blocks[RF_SPILL_BLOCKS_MAX];
        uint32_t count = 1 + (uint32_t)rand_r(&seed) % RF_SPILL_BLOCKS_MAX;
        for (uint32_t i = 0; i < count; i++) {
            size_t size = 0;
            blocks[i].parts = parts[i];
            blocks[i].count = (uint32_t)rand_r(&seed) % (RF_SPILL_PARTS_MAX + 1);
            for (uint32_t k = 0; k < blocks[i].count; k++) {
                size_t more = (size_t)rand_r(&seed) % PART_MAX;
                parts[i][k] = (struct iovec){bytes + size, more};
                size += more;
            }
            sizes[total++] = size;
        }
        assert_int_equal(rf_spill_write(&spill, blocks, count, NULL), RF_OK);
    }
    for (uint32_t i = 0; i < total; i++) {
        size_t size;
        assert_int_equal(rf_spill_peek(&spill, &size, NULL), RF_OK);
        assert_int_equal(size, sizes[i]);
        assert_int_equal(rf_spill_read(&spill, back, NULL), RF_OK);
        assert_memory_equal(back, bytes, size);
    }
    assert_false(rf_spill_left(&spill));
    rf_spill_close(&spill);
}

static void test_the_file_has_no_name_and_is_ours_alone(void **context)
{
    (void)context;
    for (int fallback = 0; fallback < 2; fallback++) {
        struct rf_spill spill = {.directory = directory};
        struct stat status;
        without_tmpfile = fallback == 1;
        assert_int_equal(write_text(&spill, "secret", NULL), RF_OK);
        without_tmpfile = false;
        assert_int_equal(fstat(spill.file - 1, &status), 0);
        assert_int_equal(status.st_nlink, 0);
        assert_int_equal(status.st_mode & 07777, 0600);
        assert_int_equal(fcntl(spill.file - 1, F_GETFD), FD_CLOEXEC);
        expect_text(&spill, "secret");
        int fd = spill.file - 1;
        rf_spill_close(&spill);
        assert_int_equal(fcntl(fd, F_GETFD), -1);
        assert_string_equal(spill.directory, directory);
    }
}

static void test_where_it_lies(void **context)
{
    struct rf_spill spill = {0};
    char *before = getenv("TMPDIR") ? rf_str_dup(rf_str_of(getenv("TMPDIR"))) : NULL;
    (void)context;
    unsetenv("TMPDIR");
    assert_string_equal(rf_spill_directory(&spill), "/var/tmp");
    setenv("TMPDIR", "", 1);
    assert_string_equal(rf_spill_directory(&spill), "/var/tmp");
    setenv("TMPDIR", "/elsewhere", 1);
    assert_string_equal(rf_spill_directory(&spill), "/elsewhere");
    spill.directory = directory;
    assert_string_equal(rf_spill_directory(&spill), directory);
    if (before != NULL) {
        setenv("TMPDIR", before, 1);
        free(before);
    } else {
        unsetenv("TMPDIR");
    }
}

static void test_any_flipped_bit_is_noticed(void **context)
{
    struct rf_spill spill = {.directory = directory};
    (void)context;
    assert_int_equal(write_text(&spill, "the first block", NULL), RF_OK);
    assert_int_equal(write_text(&spill, "and another one, which is longer than that", NULL), RF_OK);
    const struct rf_spill fresh = spill;
    for (uint64_t bit = 0; bit < spill.size * 8; bit++) {
        struct rf_error err = {0};
        char byte, flipped;
        spill = fresh;
        assert_int_equal(pread(spill.file - 1, &byte, 1, (off_t)(bit / 8)), 1);
        flipped = (char)(byte ^ 1 << bit % 8);
        assert_int_equal(pwrite(spill.file - 1, &flipped, 1, (off_t)(bit / 8)), 1);
        assert_int_equal(read_whole(&spill, &err), RF_RETRY);
        assert_non_null(strstr(err.message, "not what was written"));
        assert_non_null(strstr(err.message, directory));
        assert_non_null(strstr(err.hint, "TMPDIR"));
        assert_int_equal(pwrite(spill.file - 1, &byte, 1, (off_t)(bit / 8)), 1);
    }
    spill = fresh;
    assert_int_equal(read_whole(&spill, NULL), RF_OK);
    rf_spill_close(&spill);
}

static void test_a_block_in_the_place_of_another_is_noticed(void **context)
{
    struct rf_spill spill = {.directory = directory};
    char first[64], second[64];
    (void)context;
    assert_int_equal(write_text(&spill, "one", NULL), RF_OK);
    size_t size = spill.size;
    assert_int_equal(write_text(&spill, "two", NULL), RF_OK);
    assert_int_equal(pread(spill.file - 1, first, size, 0), size);
    assert_int_equal(pread(spill.file - 1, second, size, (off_t)size), size);
    assert_int_equal(pwrite(spill.file - 1, second, size, 0), size);
    assert_int_equal(pwrite(spill.file - 1, first, size, (off_t)size), size);
    assert_int_equal(read_whole(&spill, NULL), RF_RETRY);
    rf_spill_close(&spill);
}

static void test_what_cannot_be_read_back_is_tried_again(void **context)
{
    struct rf_spill spill = {.directory = directory};
    struct rf_error err = {0};
    (void)context;
    assert_int_equal(write_text(&spill, "one", NULL), RF_OK);
    const struct rf_spill fresh = spill;
    for (uint64_t size = 0; size < fresh.size; size++) {
        spill = fresh;
        assert_int_equal(ftruncate(spill.file - 1, (off_t)size), 0);
        assert_int_equal(read_whole(&spill, &err), RF_RETRY);
        assert_true(strstr(err.message, "shorter") || strstr(err.message, "not what was written"));
    }
    spill = fresh;
    int other = open("/", O_RDONLY | O_DIRECTORY);
    assert_true(other >= 0 && dup2(other, spill.file - 1) >= 0);
    close(other);
    assert_int_equal(read_whole(&spill, &err), RF_RETRY);
    assert_non_null(strstr(err.message, strerror(EISDIR)));
    rf_spill_close(&spill);
}

static void test_a_missing_directory_is_named_with_what_to_do(void **context)
{
    struct rf_spill spill = {.directory = "/nowhere/at/all"};
    struct rf_error err = {0};
    (void)context;
    assert_int_equal(write_text(&spill, "one", &err), RF_RETRY);
    assert_non_null(strstr(err.message, "/nowhere/at/all"));
    assert_int_equal(err.code, ENOENT);
    assert_non_null(strstr(err.hint, "--spill-dir"));
    rf_spill_close(&spill);
}

/* A limit on the size of files ends a write as a full disk does: with a part of it, then an
 * error. */
static void test_without_room_it_says_where_and_how_much(void **context)
{
    enum { ROOM = 10000, BLOCK = 1500 };
    struct rf_spill spill = {.directory = directory};
    struct rf_error err = {0};
    struct rlimit before, limit;
    char text[BLOCK + 1];
    enum rf_status status = RF_OK;
    (void)context;
    memset(text, 'x', BLOCK);
    text[BLOCK] = '\0';
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = ROOM;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (int i = 0; i < ROOM && status == RF_OK; i++) {
        status = write_text(&spill, text, &err);
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, RF_RETRY);
    assert_int_equal(err.code, EFBIG);
    assert_non_null(strstr(err.message, directory));
    assert_non_null(strstr(err.message, "10000 bytes of it are there"));
    assert_non_null(strstr(err.hint, "make room there"));
    assert_int_equal(spill.written, 6);
    rf_spill_close(&spill);
}

static void test_a_cut_file_goes_on_where_it_was_cut(void **context)
{
    static const char *const texts[] = {"a", "bb", "ccc", "dddd", "eeeee"};
    struct rf_spill spill = {.directory = directory};
    size_t size;
    (void)context;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(write_text(&spill, texts[i], NULL), RF_OK);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rf_spill_peek(&spill, &size, NULL), RF_OK);
        rf_spill_skip(&spill);
    }
    assert_int_equal(rf_spill_cut(&spill, NULL), RF_OK);
    struct stat status; /* the room of the rest is free */
    assert_int_equal(fstat(spill.file - 1, &status), 0);
    assert_int_equal(status.st_size, spill.size);
    assert_int_equal(write_text(&spill, "after the cut", NULL), RF_OK);
    for (int i = 0; i < 3; i++) {
        expect_text(&spill, texts[i]);
    }
    expect_text(&spill, "after the cut");
    assert_false(rf_spill_left(&spill));
    rf_spill_close(&spill);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_come_back_as_they_were_written),
        cmocka_unit_test(test_the_file_has_no_name_and_is_ours_alone),
        cmocka_unit_test(test_where_it_lies),
        cmocka_unit_test(test_any_flipped_bit_is_noticed),
        cmocka_unit_test(test_a_block_in_the_place_of_another_is_noticed),
        cmocka_unit_test(test_what_cannot_be_read_back_is_tried_again),
        cmocka_unit_test(test_a_missing_directory_is_named_with_what_to_do),
        cmocka_unit_test(test_without_room_it_says_where_and_how_much),
        cmocka_unit_test(test_a_cut_file_goes_on_where_it_was_cut),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
