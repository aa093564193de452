#include "container/hold.h"

#include "container/container.h"
#include "container/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "final_mysql_container"

static char root[64];

static int begin(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/rowferry-hold-XXXXXX");
    assert_non_null(mkdtemp(root));
    setenv("ROWFERRY_CONTAINERS", root, 1);
    return 0;
}

static int end(void **state)
{
    int directory = open(root, O_RDONLY | O_DIRECTORY);
    (void)state;
    assert_int_equal(rf_tree_empty(directory, root, NULL, NULL), RF_OK);
    close(directory);
    return rmdir(root);
}

/* A home that nothing was ever started in. */
static void make(void)
{
    struct rf_home home = {0};

    assert_int_equal(rf_home_open(&home, NAME, true, NULL), RF_OK);
    snprintf(home.settings.type, sizeof home.settings.type, "mysql");
    snprintf(home.settings.runtime, sizeof home.settings.runtime, "native");
    home.settings.port = 5600;
    assert_int_equal(rf_home_mark(&home, NULL), RF_OK);
    rf_home_close(&home);
}

static void test_who_has_the_hold_is_named(void **state)
{
    struct rf_hold hold = {0}, other = {0};
    struct rf_error err = {0};
    char expected[64];
    (void)state;
    make();
    assert_int_equal(rf_hold_check(&err), RF_OK);
    assert_int_equal(rf_hold_take(&hold, "scheduler", &err), RF_OK);
    snprintf(expected, sizeof expected, "scheduler (pid %d) works with", getpid());
    assert_int_equal(rf_hold_check(&err), RF_CONFIG);
    assert_non_null(strstr(err.message, expected));
    assert_non_null(strstr(err.hint, "Ctrl-C"));
    snprintf(expected, sizeof expected, "another scheduler runs already: scheduler (pid %d)",
             getpid());
    assert_int_equal(rf_hold_take(&other, "scheduler", &err), RF_CONFIG);
    assert_non_null(strstr(err.message, expected));
    assert_int_equal(rf_hold_take(&hold, "scheduler", &err), RF_OK); /* we have it already */
    rf_hold_release(&hold);
    rf_hold_release(&other);
    assert_int_equal(rf_hold_check(&err), RF_OK); /* what is written there does not matter */
}

static void test_what_is_held_is_not_deleted(void **state)
{
    struct rf_hold hold = {0};
    struct rf_error err = {0};
    struct rf_container_work work = {.type = rf_container_type_find("mysql")};
    char path[256];
    (void)state;
    assert_non_null(work.type);
    make();
    assert_int_equal(rf_hold_take(&hold, "scheduler", &err), RF_OK);
    assert_int_equal(rf_container_delete(&work, &err), RF_CONFIG);
    assert_non_null(strstr(err.message, "works with the containers"));
    snprintf(path, sizeof path, "%s/" NAME "/pipeline/holder", root);
    assert_int_equal(access(path, F_OK), 0);
    rf_hold_release(&hold);
    assert_int_equal(rf_container_delete(&work, &err), RF_OK);
    assert_int_not_equal(access(path, F_OK), 0);
    rf_container_work_deinit(&work);
}

static void test_a_home_made_afresh_is_held_anew(void **state)
{
    struct rf_hold hold = {0};
    struct rf_home home = {0};
    struct rf_error err = {0};
    (void)state;
    assert_int_equal(rf_hold_take(&hold, "scheduler", &err), RF_AGAIN);
    assert_int_equal(rf_hold_check(&err), RF_OK);
    make();
    assert_int_equal(rf_hold_take(&hold, "scheduler", &err), RF_OK);
    /* By hand, as no program of ours does it. */
    assert_int_equal(rf_home_open(&home, NAME, false, NULL), RF_OK);
    assert_int_equal(rf_home_remove(&home, NULL), RF_OK);
    rf_home_close(&home);
    assert_int_equal(rf_hold_take(&hold, "scheduler", &err), RF_AGAIN);
    make();
    assert_int_equal(rf_hold_take(&hold, "scheduler", &err), RF_OK);
    assert_int_equal(rf_hold_check(&err), RF_CONFIG);
    rf_hold_release(&hold);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_who_has_the_hold_is_named),
        TEST(test_what_is_held_is_not_deleted),
        TEST(test_a_home_made_afresh_is_held_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
