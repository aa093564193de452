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
static void make_one(const char *name, const char *type)
{
    struct rf_home home = {0};

    assert_int_equal(rf_home_open(&home, name, true, NULL), RF_OK);
    snprintf(home.settings.type, sizeof home.settings.type, "%s", type);
    snprintf(home.settings.runtime, sizeof home.settings.runtime, "native");
    home.settings.port = 5600;
    assert_int_equal(rf_home_mark(&home, NULL), RF_OK);
    rf_home_close(&home);
}

static void make(void)
{
    make_one(NAME, "mysql");
}

static void test_who_has_the_hold_is_named(void **state)
{
    struct rf_hold hold = {0}, other = {0};
    struct rf_error err = {0};
    char expected[64];
    (void)state;
    make();
    assert_int_equal(rf_hold_check(&err), RF_OK);
    assert_int_equal(rf_hold_take(&hold, NAME, "scheduler", &err), RF_OK);
    snprintf(expected, sizeof expected, "scheduler (pid %d) works with", getpid());
    assert_int_equal(rf_hold_check(&err), RF_CONFIG);
    assert_non_null(strstr(err.message, expected));
    assert_non_null(strstr(err.hint, "Ctrl-C"));
    snprintf(expected, sizeof expected, "another scheduler runs already: scheduler (pid %d)",
             getpid());
    assert_int_equal(rf_hold_take(&other, NAME, "scheduler", &err), RF_CONFIG);
    assert_non_null(strstr(err.message, expected));
    assert_int_equal(rf_hold_take(&hold, NAME, "scheduler", &err), RF_OK); /* we have it already */
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
    assert_int_equal(rf_hold_take(&hold, NAME, "scheduler", &err), RF_OK);
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
    assert_int_equal(rf_hold_take(&hold, NAME, "scheduler", &err), RF_AGAIN);
    assert_int_equal(rf_hold_check(&err), RF_OK);
    make();
    assert_int_equal(rf_hold_take(&hold, NAME, "scheduler", &err), RF_OK);
    /* By hand, as no program of ours does it. */
    assert_int_equal(rf_home_open(&home, NAME, false, NULL), RF_OK);
    assert_int_equal(rf_home_remove(&home, NULL), RF_OK);
    rf_home_close(&home);
    assert_int_equal(rf_hold_take(&hold, NAME, "scheduler", &err), RF_AGAIN);
    make();
    assert_int_equal(rf_hold_take(&hold, NAME, "scheduler", &err), RF_OK);
    assert_int_equal(rf_hold_check(&err), RF_CONFIG);
    rf_hold_release(&hold);
}

/* mongocdc works with MongoDB's home, and with what its pipeline writes to. */
static void test_a_hold_of_one_container_keeps_all_of_them(void **state)
{
    struct rf_hold hold = {0}, other = {0};
    struct rf_error err = {0};
    struct rf_container_work work = {.type = rf_container_type_find("mysql")};
    struct rf_buf who = {0};
    char expected[64];
    (void)state;
    make();
    make_one("final_mongo_container", "mongo");
    assert_false(rf_hold_holder("final_mongo_container", &who));
    assert_int_equal(rf_hold_take(&hold, "final_mongo_container", "mongocdc", &err), RF_OK);
    snprintf(expected, sizeof expected, "mongocdc (pid %d)", getpid());
    assert_true(rf_hold_holder("final_mongo_container", &who));
    assert_string_equal(rf_buf_cstr(&who), expected);
    assert_false(rf_hold_holder(NAME, &who));
    assert_int_equal(rf_container_delete(&work, &err), RF_CONFIG);
    assert_non_null(strstr(err.message, expected));
    assert_int_equal(rf_hold_take(&other, NAME, "scheduler", &err), RF_OK); /* beside it */
    rf_hold_release(&other);
    rf_hold_release(&hold);
    assert_int_equal(rf_hold_check(&err), RF_OK);
    rf_container_work_deinit(&work);
    rf_buf_deinit(&who);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_who_has_the_hold_is_named),
        TEST(test_what_is_held_is_not_deleted),
        TEST(test_a_home_made_afresh_is_held_anew),
        TEST(test_a_hold_of_one_container_keeps_all_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
