/* A random load on the scripted server, and on the test server of the protocol, and rowferry killed
 * with -9 again and again while it carries the changes to a scripted server, to Redis and to a
 * file: after the last start all three have what the source has.
 *
 * ROWFERRY_SCALE=1 is 50,000 operations and 20 kills (5,000 on the test server); without it a
 * twentieth (a fifth), and 6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "lib/mongo_script.h"
#include "lib/mongo_server.h"
#include "lib/redis_server.h"

#include <bson/bson.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IDS = 300, LIMIT_MS = 60000 };

static struct rf_mongo_script *from, *to;
static struct rf_test_redis redis;
static struct rf_test_mongo server; /* instead of `from`, while from is NULL */
static char folder[64], path[128];
static uint64_t seed = 11;

static uint32_t draw(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 11) % below);
}

static unsigned scale(void)
{
    const char *text = getenv("ROWFERRY_SCALE");
    uint64_t number = 20;
    return text != NULL && rf_str_to_u64(rf_str_of(text), &number) && number > 0 ? (unsigned)number
                                                                                 : 20;
}

/* ----------------------------------------------------------------------------------------- load */

/* The answer is the caller's to free. */
static char *ask(const char *command)
{
    return from != NULL ? rf_mongo_script_ask(from, "shop", command)
                        : rf_test_mongo_ask(&server, "shop", command);
}

static void dump(struct rf_buf *out)
{
    if (from != NULL) {
        rf_mongo_script_dump(from, out);
    } else {
        rf_test_mongo_dump(&server, out);
    }
}

/* What the test server tells in its change streams as MongoDB does: not updates, and of inserts
 * only those that it does not refuse. */
static void insert_or_delete(uint32_t number)
{
    char command[256];
    static bool there[IDS];
    uint32_t id = draw(IDS);
    if (!there[id]) {
        snprintf(command, sizeof command,
                 "{\"insert\": \"orders\", \"documents\": [{\"_id\": %u, \"v\": \"%u\"}]}", id,
                 number);
    } else {
        snprintf(command, sizeof command,
                 "{\"delete\": \"orders\", \"deletes\": [{\"q\": {\"_id\": %u}, \"limit\": 1}]}",
                 id);
    }
    there[id] = !there[id];
    free(ask(command));
}

static void operate(uint32_t number)
{
    char command[256];
    uint32_t id = draw(IDS);
    switch (draw(10)) {
    case 0:
    case 1:
        snprintf(command, sizeof command,
                 "{\"delete\": \"orders\", \"deletes\": [{\"q\": {\"_id\": %u}, \"limit\": 1}]}",
                 id);
        break;
    case 2:
    case 3:
    case 4:
        snprintf(command, sizeof command,
                 "{\"update\": \"orders\", \"updates\": [{\"q\": {\"_id\": %u}, \"u\": "
                 "{\"$set\": {\"n%u\": {\"$numberLong\": \"%u\"}}}}]}",
                 id, draw(3), number);
        break;
    case 5:
        snprintf(command, sizeof command,
                 "{\"update\": \"orders\", \"updates\": [{\"q\": {\"_id\": %u}, \"u\": "
                 "{\"$unset\": {\"n%u\": 1}}}]}",
                 id, draw(3));
        break;
    default:
        snprintf(command, sizeof command,
                 "{\"update\": \"orders\", \"updates\": [{\"q\": {\"_id\": %u}, \"u\": "
                 "{\"v\": \"%u\", \"a\": [1.5, {\"b\": %u}]}, \"upsert\": true}]}",
                 id, number, number);
        break;
    }
    free(ask(command));
}

/* Some of them as transactions. */
static void load(uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count;) {
        uint32_t together = from != NULL && draw(8) == 0 ? 1 + draw(20) : 1;
        together = together < count - i ? together : count - i;
        if (together > 1) {
            rf_mongo_script_bundle(from, true);
        }
        for (uint32_t k = 0; k < together; k++) {
            if (from != NULL) {
                operate(first + i++);
            } else {
                insert_or_delete(first + i++);
            }
        }
        if (together > 1) {
            rf_mongo_script_bundle(from, false);
        }
    }
}

/* -------------------------------------------------------------------------------------- program */

static pid_t start(void)
{
    char program[512], port[8], source_url[128], sink_url[128], redis_url[64], file_url[160];
    const char *build = getenv("ROWFERRY_BUILD_DIR");
    snprintf(program, sizeof program, "%s/rowferry", build != NULL ? build : "build");
    if (from != NULL) {
        snprintf(port, sizeof port, "%u", rf_mongo_script_port(from));
    }
    snprintf(source_url, sizeof source_url, "mongodb://127.0.0.1:%s/shop.orders",
             from != NULL ? port : server.port);
    snprintf(sink_url, sizeof sink_url, "mongodb://127.0.0.1:%u", rf_mongo_script_port(to));
    snprintf(redis_url, sizeof redis_url, "redis://127.0.0.1:%s/0?as=json", redis.port);
    snprintf(file_url, sizeof file_url, "file:%s", path);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char log[160];
        snprintf(log, sizeof log, "%s/rowferry.log", folder);
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        dup2(fd, 2);
        setenv("XDG_STATE_HOME", folder, 1);
        execl(program, program, "run", "--name", "kill", "--from", "1763830000.1", source_url,
              sink_url, redis_url, file_url, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static off_t size_of_file(void)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    if (fd >= 0) {
        close(fd);
    }
    return size;
}

static void show_log(void)
{
    char command[160], line[512];
    snprintf(command, sizeof command, "%s/rowferry.log", folder);
    FILE *log = fopen(command, "re");
    while (log != NULL && fgets(line, sizeof line, log) != NULL) {
        print_message("%s", line);
    }
    if (log != NULL) {
        fclose(log);
    }
}

/* Whether it has ended by itself, which it must not. */
static void expect_alive(pid_t pid)
{
    int result;
    if (waitpid(pid, &result, WNOHANG) == pid) {
        show_log();
        fail_msg("rowferry has ended: %d", result);
    }
}

/* Until the file has grown to `size`, with a limit. */
static void wait_for_growth(pid_t pid, off_t size)
{
    int64_t limit_ms = rf_clock_ms() + LIMIT_MS;
    while (size_of_file() < size) {
        expect_alive(pid);
        if (rf_clock_ms() > limit_ms) {
            show_log();
            fail_msg("the file has not grown to %lld bytes", (long long)size);
        }
        poll(NULL, 0, 2);
    }
}

static void kill_it(pid_t pid)
{
    int result;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &result, 0), pid);
    assert_true(WIFSIGNALED(result) && WTERMSIG(result) == SIGKILL);
}

static bool are_equal(struct rf_buf *left, struct rf_buf *right)
{
    rf_buf_reset(left);
    rf_buf_reset(right);
    dump(left);
    rf_mongo_script_dump(to, right);
    return rf_str_equal(rf_buf_str(left), rf_buf_str(right));
}

static void wait_until_equal(pid_t pid)
{
    struct rf_buf left = {0}, right = {0};
    int64_t limit_ms = rf_clock_ms() + LIMIT_MS;
    while (!are_equal(&left, &right)) {
        expect_alive(pid);
        if (rf_clock_ms() > limit_ms) {
            show_log();
            size_t at = 0;
            while (at < left.size && at < right.size && left.data[at] == right.data[at]) {
                at++;
            }
            at = at < 80 ? 0 : at - 80; /* the lines before show where it is */
            fail_msg("the target has not become equal: at the source\n%.300s\nand there\n%.300s",
                     rf_buf_cstr(&left) + (at < left.size ? at : left.size),
                     rf_buf_cstr(&right) + (at < right.size ? at : right.size));
        }
        poll(NULL, 0, 10);
    }
    assert_true(left.size > 0);
    rf_buf_deinit(&left);
    rf_buf_deinit(&right);
}

/* ---------------------------------------------------------------------------------------- Redis */

/* The document as relaxed JSON, as libbson writes it; NULL: there is none. The caller's to free. */
static char *as_relaxed(const char *json, const char *within)
{
    bson_t *whole = bson_new_from_json((const uint8_t *)json, -1, NULL), part;
    bson_iter_t iter, found;
    const uint8_t *data;
    uint32_t size;
    char *text = NULL;
    assert_non_null(whole);
    if (within == NULL) {
        text = bson_as_relaxed_extended_json(whole, NULL);
    } else if (bson_iter_init(&iter, whole) && bson_iter_find_descendant(&iter, within, &found)) {
        bson_iter_document(&found, &size, &data);
        assert_true(bson_init_static(&part, data, size));
        text = bson_as_relaxed_extended_json(&part, NULL);
    }
    bson_destroy(whole);
    return text;
}

/* Whether Redis has under the key of that _id what the source has; else what differs. */
static bool is_in_redis(unsigned id, struct rf_buf *difference)
{
    char command[96];
    snprintf(command, sizeof command, "{\"find\": \"orders\", \"filter\": {\"_id\": %u}}", id);
    char *reply = ask(command), *wanted = as_relaxed(reply, "cursor.firstBatch.0");
    snprintf(command, sizeof command, "GET mongo:shop:orders:%u", id);
    char *value = rf_test_redis_ask(&redis, command);
    char *found = value[0] == '{' ? as_relaxed(value, NULL) : NULL;
    bool same = wanted != NULL && found != NULL ? strcmp(wanted, found) == 0 : wanted == found;
    rf_buf_reset(difference);
    rf_buf_printf(difference, "_id %u: %s at the source, and in Redis %s", id,
                  wanted ? wanted : "nothing", value);
    bson_free(wanted);
    bson_free(found);
    free(value);
    free(reply);
    return same;
}

static void wait_until_in_redis(pid_t pid)
{
    struct rf_buf difference = {0};
    int64_t limit_ms = rf_clock_ms() + LIMIT_MS;
    for (unsigned id = 0; id < IDS;) {
        if (is_in_redis(id, &difference)) {
            id++;
            continue;
        }
        expect_alive(pid);
        if (rf_clock_ms() > limit_ms) {
            show_log();
            fail_msg("%s", rf_buf_cstr(&difference));
        }
        poll(NULL, 0, 10);
    }
    /* And nothing besides. */
    char *keys = rf_test_redis_ask(&redis, "KEYS mongo:*");
    for (const char *key = keys; (key = strstr(key, "mongo:")) != NULL; key++) {
        assert_true(strncmp(key, "mongo:shop:orders:", strlen("mongo:shop:orders:")) == 0);
    }
    assert_true(strlen(keys) > 0);
    free(keys);
    rf_buf_deinit(&difference);
}

/* ----------------------------------------------------------------------------------------- file */

/* What the file's last line of each _id leaves there, as the line's document; NULL: deleted. */
static void fold(char *last[IDS], uint64_t *lines)
{
    char *line = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    for (ssize_t size; (size = getline(&line, &room, file)) > 0; (*lines)++) {
        unsigned id;
        const char *key = strstr(line, "\"key\":{\"_id\":");
        assert_true(line[size - 1] == '\n' && key != NULL);
        assert_int_equal(sscanf(key, "\"key\":{\"_id\":%u}", &id), 1);
        assert_true(id < IDS);
        free(last[id]);
        last[id] = NULL;
        char *after = strstr(line, "\"after\":{"), *end = strstr(line, ",\"ts\":");
        assert_non_null(end);
        /* An update whose document was gone when it was looked up has none: its delete follows. */
        if (strstr(line, "\"op\":\"delete\"") == NULL && after != NULL) {
            *end = '\0';
            last[id] = rf_str_dup(rf_str_of(after + strlen("\"after\":")));
        }
    }
    free(line);
    fclose(file);
}

/* The source's documents, as the file has them. */
static void expect_file(void)
{
    char *last[IDS] = {0};
    uint64_t lines = 0;
    uint32_t there = 0;
    fold(last, &lines);
    for (unsigned id = 0; id < IDS; id++) {
        char command[96], wanted[32];
        snprintf(command, sizeof command, "{\"count\": \"orders\", \"query\": {\"_id\": %u}}", id);
        char *count = ask(command);
        bool exists = strstr(count, "\"n\" : { \"$numberInt\" : \"1\" }") != NULL;
        snprintf(wanted, sizeof wanted, "{\"_id\":%u,", id);
        if (exists != (last[id] != NULL) ||
            (exists && strncmp(last[id], wanted, strlen(wanted)) != 0)) {
            fail_msg("_id %u: %s at the source, and in the file %s", id, count,
                     last[id] ? last[id] : "nothing");
        }
        if (exists) {
            /* What stands in the file is what a find of that whole document finds. */
            struct rf_buf find = {0};
            rf_buf_printf(&find, "{\"count\": \"orders\", \"query\": %s}", last[id]);
            char *found = ask(rf_buf_cstr(&find));
            if (strstr(found, "\"n\" : { \"$numberInt\" : \"1\" }") == NULL) {
                fail_msg("_id %u is another in the file: %s", id, last[id]);
            }
            free(found);
            rf_buf_deinit(&find);
        }
        there += exists;
        free(count);
        free(last[id]);
    }
    assert_true(there > 0);
}

static void carry_through_kills(uint32_t operations, uint32_t kills)
{
    uint32_t part = operations / (kills + 1), done = 0;
    load(0, part);
    done = part;
    for (uint32_t i = 0; i < kills; i++) {
        off_t size = size_of_file();
        pid_t pid = start();
        load(done, part);
        done += part;
        wait_for_growth(pid, size + 1 + draw(20000));
        kill_it(pid);
    }
    load(done, operations - done);
    pid_t pid = start();
    wait_until_equal(pid);
    wait_until_in_redis(pid);
    int result;
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(waitpid(pid, &result, 0), pid);
    assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 143);
    expect_file();
}

static uint32_t kills_of_scale(void)
{
    return 20 / scale() > 6 ? 20 / scale() : 6;
}

static void test_kills_lose_and_double_nothing(void **state)
{
    (void)state;
    from = rf_mongo_script_create(
        &(struct rf_mongo_script_options){.set_name = "rs", .streams = true, .unrecorded = true});
    carry_through_kills(50000 / scale(), kills_of_scale());
}

static void test_the_same_on_the_test_server_with_inserts_and_deletes(void **state)
{
    (void)state;
    rf_test_mongo_start(&server, "--oplog --version MONGO_5_0 -Xmx256m");
    carry_through_kills(5000 / (scale() > 5 ? 5 : scale()), kills_of_scale());
}

static int prepare(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/rowferry-test-XXXXXX");
    rf_assert(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/changes.jsonl", folder);
    to = rf_mongo_script_create(
        &(struct rf_mongo_script_options){.set_name = "rs", .unrecorded = true});
    rf_test_redis_start(&redis, NULL);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    rf_mongo_script_destroy(from);
    rf_mongo_script_destroy(to);
    from = NULL;
    rf_test_redis_destroy(&redis);
    redis = (struct rf_test_redis){0};
    rf_test_mongo_destroy(&server);
    server = (struct rf_test_mongo){0};
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", "--", folder, (char *)NULL);
        _exit(127);
    }
    return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kills_lose_and_double_nothing, prepare, clean),
        cmocka_unit_test_setup_teardown(test_the_same_on_the_test_server_with_inserts_and_deletes,
                                        prepare, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
