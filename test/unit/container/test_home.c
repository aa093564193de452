#include "container/home.h"

#include "container/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "final_test_container"

static char root[64];

static void path_of(char *out, size_t size, const char *rest)
{
    snprintf(out, size, "%s/%s", root, rest);
}

static int begin(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/rowferry-home-XXXXXX");
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

static void make(const char *name)
{
    struct rf_home home = {0};
    struct rf_error err = {0};

    assert_int_equal(rf_home_open(&home, name, true, &err), RF_OK);
    snprintf(home.settings.type, sizeof home.settings.type, "mysql");
    snprintf(home.settings.runtime, sizeof home.settings.runtime, "native");
    home.settings.port = 5600;
    home.settings.memory_bytes = 64 << 20;
    assert_int_equal(rf_home_mark(&home, &err), RF_OK);
    rf_home_close(&home);
}

static void write_text(const char *rest, const char *text)
{
    char path[256];

    path_of(path, sizeof path, rest);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    close(file);
}

static bool is_there(const char *rest)
{
    char path[256];
    struct stat stat_of;

    path_of(path, sizeof path, rest);
    return lstat(path, &stat_of) == 0;
}

static void test_settings_are_found_as_they_were_marked(void **state)
{
    struct rf_home home = {0};
    struct rf_error err = {0};
    (void)state;
    assert_int_equal(rf_home_find(&home, NAME, &err), RF_AGAIN);
    make(NAME);
    assert_int_equal(rf_home_find(&home, NAME, &err), RF_OK);
    assert_string_equal(home.settings.type, "mysql");
    assert_string_equal(home.settings.runtime, "native");
    assert_int_equal(home.settings.port, 5600);
    assert_int_equal(home.settings.memory_bytes, 64 << 20);
    rf_home_close(&home);
}

static void test_what_is_not_ours_is_refused_and_left_alone(void **state)
{
    struct rf_home home = {0};
    struct rf_error err = {0};
    char path[256];
    (void)state;
    path_of(path, sizeof path, NAME);
    assert_int_equal(mkdir(path, 0755), 0);
    write_text(NAME "/thesis.txt", "five years");
    assert_int_equal(rf_home_find(&home, NAME, &err), RF_CONFIG);
    assert_non_null(strstr(err.message, "is there already and is not ours"));
    assert_non_null(strstr(err.hint, "ROWFERRY_CONTAINERS"));
    assert_int_equal(rf_home_open(&home, NAME, true, &err), RF_CONFIG);
    assert_int_equal(rf_home_open(&home, NAME, false, &err), RF_CONFIG);
    rf_home_close(&home);
    write_text(NAME "/container", "mine\n");
    assert_int_equal(rf_home_open(&home, NAME, true, &err), RF_CONFIG);
    assert_non_null(strstr(err.message, "written by somebody else"));
    rf_home_close(&home);
    assert_true(is_there(NAME "/thesis.txt"));
}

static void test_a_file_or_a_link_of_that_name_is_refused(void **state)
{
    struct rf_home home = {0};
    struct rf_error err = {0};
    char path[256];
    (void)state;
    write_text(NAME, "a file");
    assert_int_equal(rf_home_find(&home, NAME, &err), RF_CONFIG);
    assert_int_equal(rf_home_open(&home, NAME, true, &err), RF_CONFIG);
    assert_non_null(strstr(err.message, "no directory"));
    path_of(path, sizeof path, NAME);
    unlink(path);
    assert_int_equal(symlink("/tmp", path), 0);
    assert_int_equal(rf_home_find(&home, NAME, &err), RF_CONFIG);
    assert_int_equal(rf_home_open(&home, NAME, true, &err), RF_CONFIG);
    rf_home_close(&home);
}

static void test_a_mark_that_cannot_be_read_names_its_line(void **state)
{
    static const char *const lines[] = {"port 0", "port 70000", "port many", "memory -1"};
    struct rf_home home = {0};
    struct rf_error err = {0};
    (void)state;
    make(NAME);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "A container of rowferry: 'rowferry container' looks after it.\ntype mysql\n%s\n",
                 lines[i]);
        write_text(NAME "/container", text);
        assert_int_equal(rf_home_find(&home, NAME, &err), RF_CONFIG);
        assert_non_null(strstr(err.message, lines[i]));
    }
    rf_home_close(&home);
}

static void test_secrets_are_random_for_us_alone_and_stay(void **state)
{
    static const char *const users[] = {"root", "pluto", NULL};
    struct rf_home home = {0};
    struct rf_buf first = {0}, second = {0}, again = {0};
    struct rf_error err = {0};
    struct stat stat_of;
    char path[256];
    (void)state;
    make(NAME);
    assert_int_equal(rf_home_open(&home, NAME, false, &err), RF_OK);
    assert_int_equal(rf_home_secret(&home, "root", &first, &err), RF_CONFIG);
    assert_int_equal(rf_home_make_secrets(&home, users, &err), RF_OK);
    assert_int_equal(rf_home_secret(&home, "root", &first, &err), RF_OK);
    assert_int_equal(rf_home_secret(&home, "pluto", &second, &err), RF_OK);
    assert_int_equal(first.size, 40);
    assert_int_equal(strspn(first.data, "0123456789abcdef"), 40);
    assert_string_not_equal(first.data, second.data);
    assert_int_equal(rf_home_make_secrets(&home, users, &err), RF_OK);
    assert_int_equal(rf_home_secret(&home, "root", &again, &err), RF_OK);
    assert_string_equal(first.data, again.data);
    path_of(path, sizeof path, NAME "/secrets/root");
    assert_int_equal(stat(path, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 07777, 0600);
    path_of(path, sizeof path, NAME "/secrets");
    assert_int_equal(stat(path, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 07777, 0700);
    rf_buf_wipe(&first);
    rf_buf_wipe(&second);
    rf_buf_wipe(&again);
    rf_home_close(&home);
}

static void test_what_the_server_is_given_nobody_else_can_read(void **state)
{
    struct rf_home home = {0};
    struct stat stat_of;
    char path[256];
    unsigned uid, gid;
    (void)state;
    make(NAME);
    assert_int_equal(rf_home_open(&home, NAME, false, NULL), RF_OK);
    assert_int_equal(rf_home_server_user(&uid, &gid, NULL), RF_OK);
    assert_int_equal(rf_home_give(&home, "init.sql", RF_STR("secret"), NULL), RF_OK);
    path_of(path, sizeof path, NAME "/init.sql");
    assert_int_equal(stat(path, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 07777, 0600);
    assert_int_equal(stat_of.st_uid, uid);
    if (getuid() == 0) {
        assert_int_not_equal(uid, 0); /* a server never runs as root */
    }
    rf_home_close(&home);
}

static void test_removal_takes_all_and_follows_no_link(void **state)
{
    struct rf_home home = {0};
    struct rf_error err = {0};
    char path[256], target[256];
    (void)state;
    make(NAME);
    path_of(target, sizeof target, "elsewhere");
    assert_int_equal(mkdir(target, 0755), 0);
    write_text("elsewhere/precious", "x");
    path_of(path, sizeof path, NAME "/data");
    assert_int_equal(mkdir(path, 0700), 0);
    write_text(NAME "/data/file", "x");
    path_of(path, sizeof path, NAME "/data/link");
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(rf_home_open(&home, NAME, false, &err), RF_OK);
    assert_int_equal(rf_home_remove(&home, &err), RF_OK);
    rf_home_close(&home);
    assert_false(is_there(NAME));
    assert_true(is_there("elsewhere/precious"));
    assert_int_equal(rf_home_open(&home, NAME, false, &err), RF_AGAIN);
    rf_home_close(&home);
}

static void test_a_removal_that_was_cut_short_can_be_done_again(void **state)
{
    struct rf_home home = {0};
    (void)state;
    make(NAME);
    write_text(NAME "/lock", "");
    /* As far as it may have come: everything but the mark, and then the mark, too. */
    assert_int_equal(rf_home_open(&home, NAME, false, NULL), RF_OK);
    assert_int_equal(rf_tree_empty(home.lock - 1, root, "container", NULL), RF_OK);
    rf_home_close(&home);
    assert_true(is_there(NAME "/container"));
    char path[256];
    path_of(path, sizeof path, NAME "/container");
    unlink(path);
    assert_int_equal(rf_home_open(&home, NAME, false, NULL), RF_OK);
    assert_int_equal(rf_home_remove(&home, NULL), RF_OK);
    rf_home_close(&home);
    assert_false(is_there(NAME));
}

struct meddler {
    pthread_t thread;
    atomic_bool over;
    int directory;
};

/* Puts files into the home, as a program would that does not know that it is being removed. */
static void *meddle(void *argument)
{
    struct meddler *meddler = argument;

    while (!atomic_load(&meddler->over)) {
        int file = openat(meddler->directory, "late", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (file >= 0) {
            close(file);
        }
    }
    return NULL;
}

static void test_a_removal_with_somebody_in_the_way_leaves_nothing_that_is_refused(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        struct rf_home home = {0};
        struct rf_error err = {0};
        struct meddler meddler = {.over = false};
        make(NAME);
        assert_int_equal(rf_home_open(&home, NAME, false, &err), RF_OK);
        meddler.directory = dup(home.lock - 1);
        assert_int_equal(pthread_create(&meddler.thread, NULL, meddle, &meddler), 0);
        enum rf_status removed = rf_home_remove(&home, &err);
        (void)removed; /* it may not come to an end with him about */
        atomic_store(&meddler.over, true);
        pthread_join(meddler.thread, NULL);
        close(meddler.directory);
        rf_home_close(&home);
        /* Either it is gone, or it is ours and can be removed. */
        enum rf_status status = rf_home_open(&home, NAME, false, &err);
        if (status == RF_OK) {
            status = rf_home_remove(&home, &err);
            assert_int_equal(status, RF_OK);
            rf_home_close(&home);
            status = rf_home_open(&home, NAME, false, &err);
        }
        assert_int_equal(status, RF_AGAIN);
        rf_home_close(&home);
    }
}

static void test_what_an_earlier_removal_has_left_goes_with_the_next(void **state)
{
    struct rf_home home = {0};
    char path[256];
    (void)state;
    path_of(path, sizeof path, NAME ".removed");
    assert_int_equal(mkdir(path, 0700), 0);
    write_text(NAME ".removed/late", "x");
    make(NAME);
    assert_int_equal(rf_home_open(&home, NAME, false, NULL), RF_OK);
    assert_int_equal(rf_home_remove(&home, NULL), RF_OK);
    rf_home_close(&home);
    assert_false(is_there(NAME));
    assert_false(is_there(NAME ".removed"));
}

static void test_one_program_at_a_time_changes_a_home(void **state)
{
    struct rf_home home = {0};
    int status = 0;
    (void)state;
    make(NAME);
    assert_int_equal(rf_home_open(&home, NAME, false, NULL), RF_OK);
    pid_t child = fork();
    if (child == 0) {
        char path[256];
        path_of(path, sizeof path, NAME);
        int file = open(path, O_RDONLY | O_DIRECTORY);
        _exit(flock(file, LOCK_EX | LOCK_NB) == 0 ? 1 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    rf_home_close(&home);
}

static void test_places_come_from_the_environment(void **state)
{
    struct rf_buf path = {0};
    (void)state;
    assert_int_equal(rf_home_root(&path, NULL), RF_OK);
    assert_string_equal(path.data, root);
    rf_buf_reset(&path);
    unsetenv("ROWFERRY_CONTAINERS");
    setenv("XDG_STATE_HOME", "/some/state", 1);
    assert_int_equal(rf_home_root(&path, NULL), RF_OK);
    assert_string_equal(path.data, getuid() == 0 ? "/var/lib/rowferry/containers"
                                                 : "/some/state/rowferry/containers");
    setenv("ROWFERRY_CONTAINERS", root, 1);
    rf_buf_deinit(&path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_settings_are_found_as_they_were_marked),
        TEST(test_what_is_not_ours_is_refused_and_left_alone),
        TEST(test_a_file_or_a_link_of_that_name_is_refused),
        TEST(test_a_mark_that_cannot_be_read_names_its_line),
        TEST(test_secrets_are_random_for_us_alone_and_stay),
        TEST(test_what_the_server_is_given_nobody_else_can_read),
        TEST(test_removal_takes_all_and_follows_no_link),
        TEST(test_a_removal_that_was_cut_short_can_be_done_again),
        TEST(test_a_removal_with_somebody_in_the_way_leaves_nothing_that_is_refused),
        TEST(test_what_an_earlier_removal_has_left_goes_with_the_next),
        TEST(test_one_program_at_a_time_changes_a_home),
        TEST(test_places_come_from_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
