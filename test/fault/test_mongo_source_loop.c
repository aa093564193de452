/* A pipeline from MongoDB to the same MongoDB: it copies to where it does not capture, and never
 * feeds itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "lib/mongo_script.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT_MS = 20000 };

static struct rf_mongo_script *deployment, *other;
static char folder[64];

static void ask(const char *command)
{
    free(rf_mongo_script_ask(deployment, "shop", command));
}

/* The program between the collections of `path` and what stands behind the port of `to`. */
static pid_t start(const char *path, const struct rf_mongo_script *to, const char *beside)
{
    char program[512], source[128], sink[160], log[128];
    const char *build = getenv("ROWFERRY_BUILD_DIR");
    snprintf(program, sizeof program, "%s/rowferry", build != NULL ? build : "build");
    snprintf(source, sizeof source, "mongodb://127.0.0.1:%u/%s", rf_mongo_script_port(deployment),
             path);
    /* By another name, as it may be reached. */
    snprintf(sink, sizeof sink, "mongodb://localhost:%u%s", rf_mongo_script_port(to), beside);
    snprintf(log, sizeof log, "%s/rowferry.log", folder);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        dup2(fd, 2);
        setenv("XDG_STATE_HOME", folder, 1);
        execl(program, program, "run", "--name", "loop", "--from", "1763830000.1", source, sink,
              "--adopt", (char *)NULL);
        _exit(127);
    }
    return pid;
}

static bool has_logged(const char *part)
{
    char name[128], text[16384];
    snprintf(name, sizeof name, "%s/rowferry.log", folder);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(size >= 0);
    text[size] = '\0';
    if (strstr(text, part) == NULL) {
        print_message("%s", text);
    }
    return strstr(text, part) != NULL;
}

/* Its exit code, once it has ended by itself. */
static int ended(pid_t pid)
{
    int64_t limit_ms = rf_clock_ms() + LIMIT_MS;
    int result;
    while (waitpid(pid, &result, WNOHANG) == 0) {
        if (rf_clock_ms() > limit_ms) {
            kill(pid, SIGKILL);
            waitpid(pid, &result, 0);
            has_logged("\n\n");
            fail_msg("it has not ended");
        }
        poll(NULL, 0, 10);
    }
    return WIFEXITED(result) ? WEXITSTATUS(result) : 128;
}

static bool has_document(struct rf_mongo_script *script, const char *collection, int id)
{
    char command[128];
    snprintf(command, sizeof command, "{\"count\": \"%s\", \"query\": {\"_id\": %d}}", collection,
             id);
    char *reply = rf_mongo_script_ask(script, "shop", command);
    bool there = strstr(reply, "\"n\" : { \"$numberInt\" : \"1\" }") != NULL;
    free(reply);
    return there;
}

static void test_a_collection_is_not_copied_onto_itself(void **state)
{
    (void)state;
    ask("{\"insert\": \"orders\", \"documents\": [{\"_id\": 1, \"v\": 1}]}");
    ask("{\"update\": \"orders\", \"updates\": [{\"q\": {\"_id\": 1}, \"u\": {\"v\": 2}}]}");
    assert_int_equal(ended(start("shop.orders", deployment, "")), 2);
    assert_true(has_logged("the pipeline would feed itself"));
    assert_true(has_logged("would go to shop.orders, where they come from"));
    assert_true(has_logged("If it is another deployment, made of a copy of the files"));
}

static void test_a_copy_is_not_copied_again(void **state)
{
    (void)state;
    ask("{\"insert\": \"orders\", \"documents\": [{\"_id\": 1}]}");
    assert_int_equal(ended(start("shop", deployment, "/?collection={table}_copy")), 2);
    assert_true(has_logged("the pipeline would feed itself"));
    assert_true(has_logged("tables=-shop.orders_copy"));
    assert_true(has_document(deployment, "orders_copy", 1));
    assert_false(has_document(deployment, "orders_copy_copy", 1));
}

/* Carries the document over, and runs on. */
static void expect_copied(pid_t pid, struct rf_mongo_script *to, const char *collection)
{
    int64_t limit_ms = rf_clock_ms() + LIMIT_MS;
    int result;
    while (!has_document(to, collection, 1)) {
        if (waitpid(pid, &result, WNOHANG) == pid || rf_clock_ms() > limit_ms) {
            has_logged("\n\n");
            fail_msg("it was not copied");
        }
        poll(NULL, 0, 10);
    }
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(ended(pid), 143);
}

static void test_other_collections_and_other_deployments_are_filled(void **state)
{
    (void)state;
    ask("{\"insert\": \"orders\", \"documents\": [{\"_id\": 1}]}");
    expect_copied(start("shop.orders", deployment, "/?collection=copy"), deployment, "copy");
    expect_copied(start("shop.orders", other, ""), other, "orders");
}

static int prepare(void **state)
{
    struct rf_mongo_script_options options = {
        .set_name = "rs", .streams = true, .unrecorded = true};
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/rowferry-test-XXXXXX");
    rf_assert(mkdtemp(folder) != NULL);
    deployment = rf_mongo_script_create(&options);
    other = rf_mongo_script_create(&options);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    rf_mongo_script_destroy(deployment);
    rf_mongo_script_destroy(other);
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", "--", folder, (char *)NULL);
        _exit(127);
    }
    return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, clean)
    const struct CMUnitTest tests[] = {
        TEST(test_a_collection_is_not_copied_onto_itself),
        TEST(test_a_copy_is_not_copied_again),
        TEST(test_other_collections_and_other_deployments_are_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
