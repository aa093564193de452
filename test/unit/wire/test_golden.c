/* Logs that a real server wrote (test/golden/wire/NAME.in, made from NAME.sql by the script beside
 * them) against what they say in words (NAME.out).
 *
 * ROWFERRY_UPDATE_GOLDEN=1 writes the .out files instead; the change is then read in the diff. */
#include "lib/binlog.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define GOLDEN ROWFERRY_TEST_DIR "/golden/wire"

static bool read_file(const char *path, struct rf_buf *out)
{
    char piece[4096];
    size_t size;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    rf_buf_reset(out);
    while ((size = fread(piece, 1, sizeof piece, file)) > 0) {
        rf_buf_add(out, piece, size);
    }
    bool good = ferror(file) == 0;
    fclose(file);
    return good;
}

static void write_file(const char *path, struct rf_str text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text.data, 1, text.size, file), text.size);
    assert_int_equal(fclose(file), 0);
}

/* A comparison of two long texts is only read when it shows the first line that differs. */
static void compare_lines(const char *name, struct rf_str wanted, struct rf_str found)
{
    struct rf_str wanted_line, found_line;
    for (size_t line = 1;; line++) {
        bool more_wanted = rf_str_split(&wanted, '\n', &wanted_line);
        bool more_found = rf_str_split(&found, '\n', &found_line);
        if (!more_wanted && !more_found) {
            return;
        }
        if (!more_wanted || !more_found || !rf_str_equal(wanted_line, found_line)) {
            wanted_line = more_wanted ? wanted_line : RF_STR("(no line)");
            found_line = more_found ? found_line : RF_STR("(no line)");
            fail_msg("%s.out, line %zu\nwanted: %.*s\nfound:  %.*s", name, line,
                     RF_STR_ARG(wanted_line), RF_STR_ARG(found_line));
        }
    }
}

static void check_log(const char *name)
{
    char path[512];
    struct rf_buf log = {0}, wanted = {0}, found = {0};
    struct rf_error err = {0};
    snprintf(path, sizeof path, GOLDEN "/%s.in", name);
    assert_true(read_file(path, &log));
    if (test_binlog_print(rf_buf_str(&log), &found, &err) != RF_OK) {
        rf_buf_printf(&found, "\n%s: %s\nhint: %s\n", rf_status_name(err.status), err.message,
                      err.hint);
    }
    snprintf(path, sizeof path, GOLDEN "/%s.out", name);
    if (getenv("ROWFERRY_UPDATE_GOLDEN") != NULL) {
        write_file(path, rf_buf_str(&found));
    }
    assert_true(read_file(path, &wanted));
    compare_lines(name, rf_buf_str(&wanted), rf_buf_str(&found));
    rf_buf_deinit(&log);
    rf_buf_deinit(&wanted);
    rf_buf_deinit(&found);
}

static void test_logs_of_a_real_server_read_as_written_down(void **state)
{
    (void)state;
    size_t count = 0;
    DIR *directory = opendir(GOLDEN);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        struct rf_str name = rf_str_of(entry->d_name);
        if (name.size > 3 && strcmp(name.data + name.size - 3, ".in") == 0) {
            char *stem = rf_str_dup((struct rf_str){name.data, name.size - 3});
            check_log(stem);
            free(stem);
            count++;
        }
    }
    closedir(directory);
    assert_true(count >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logs_of_a_real_server_read_as_written_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
