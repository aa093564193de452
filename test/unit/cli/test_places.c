#include "cli/places.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

static void test_a_pipelines_state_lies_in_the_directory_that_was_asked_for(void **state)
{
    struct rf_buf path = {0};
    struct rf_error err = {0};
    (void)state;
    assert_int_equal(rf_place_of("/var/lib/rowferry", "shop-1.b_C", &path, &err), RF_OK);
    assert_string_equal(rf_buf_cstr(&path), "/var/lib/rowferry/shop-1.b_C.db");
    rf_buf_reset(&path);
    setenv("XDG_STATE_HOME", "/state", 1);
    assert_int_equal(rf_place_of(NULL, "shop", &path, &err), RF_OK);
    assert_string_equal(rf_buf_cstr(&path), "/state/rowferry/shop.db");
    rf_buf_deinit(&path);
}

/* Both places follow the same rule, so that what one accepts the other finds. */
static void test_a_name_is_refused_in_any_directory(void **state)
{
    static const char *const bad[] = {"", ".", ".x", "a/b", "../x", "a b", "a\n", "\xc3\xa4"};
    static const char *const good[] = {"a", "A", "1", "-", "_", "a.b", "a..b"};
    char name[128] = {0};
    (void)state;
    setenv("XDG_STATE_HOME", "/state", 1);
    for (int i = 0; i < 2; i++) {
        const char *directory = i == 0 ? "/x" : NULL;
        struct rf_buf path = {0};
        struct rf_error err = {0};
        for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
            assert_int_equal(rf_place_of(directory, bad[k], &path, &err), RF_CONFIG);
        }
        for (size_t k = 0; k < sizeof good / sizeof *good; k++) {
            assert_int_equal(rf_place_of(directory, good[k], &path, &err), RF_OK);
        }
        memset(name, 'a', 100);
        name[100] = '\0';
        assert_int_equal(rf_place_of(directory, name, &path, &err), RF_OK);
        name[100] = 'a';
        assert_int_equal(rf_place_of(directory, name, &path, &err), RF_CONFIG);
        rf_buf_deinit(&path);
    }
}

static void touch(const char *directory, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int file = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(file >= 0);
    close(file);
}

static void test_pipelines_are_listed_by_name_and_other_files_are_not(void **state)
{
    static const char *const files[] = {"shop.db", "a.b.db", "shop.db-wal", "shop.lock",
                                        ".db",     "db",     ".hidden.db"};
    char directory[] = "/tmp/rowferry-places-XXXXXX";
    char path[256];
    struct rf_error err = {0};
    char **names = NULL;
    uint32_t count = 0;
    (void)state;
    assert_non_null(mkdtemp(directory));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        touch(directory, files[i]);
    }
    assert_int_equal(rf_places_list(directory, &names, &count, &err), RF_OK);
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "a.b");
    assert_string_equal(names[1], "shop");
    free(names[0]);
    free(names[1]);
    free(names);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, files[i]);
        unlink(path);
    }
    rmdir(directory);

    assert_int_equal(rf_places_list(directory, &names, &count, &err), RF_OK);
    assert_int_equal(count, 0);
    assert_null(names);
    assert_int_equal(rf_places_list("/dev/null", &names, &count, &err), RF_CONFIG);
    assert_string_equal(err.message, "could not read the directory /dev/null: Not a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pipelines_state_lies_in_the_directory_that_was_asked_for),
        cmocka_unit_test(test_a_name_is_refused_in_any_directory),
        cmocka_unit_test(test_pipelines_are_listed_by_name_and_other_files_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
