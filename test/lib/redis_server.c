#include "lib/redis_server.h"

#include "base/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 32, PORT_TAKEN = 98, TRIES = 20 };

extern char **environ;

static const char *source_dir(void)
{
    const char *dir = getenv("ROWFERRY_SOURCE_DIR");
    if (dir == NULL) {
        fputs("ROWFERRY_SOURCE_DIR must name the source tree, as ctest sets it\n", stderr);
        abort();
    }
    return dir;
}

/* Splits at spaces, in place. Returns the number of words. */
static size_t split(char *text, const char **words, size_t max)
{
    size_t count = 0;
    for (char *at = text; *at != '\0';) {
        while (*at == ' ') {
            *at++ = '\0';
        }
        if (*at != '\0') {
            rf_assert(count < max);
            words[count++] = at;
            at += strcspn(at, " ");
        }
    }
    return count;
}

/* Runs tools/servers with these words; its first line goes to out when that is not NULL. Returns
 * its exit code. */
static int servers(const char *const *words, size_t count, char *out, size_t size)
{
    char program[512];
    int pipes[2], result = 0;
    snprintf(program, sizeof program, "%s/tools/servers", source_dir());
    rf_assert(pipe2(pipes, O_CLOEXEC) == 0);
    pid_t pid = fork();
    rf_assert(pid >= 0);
    if (pid == 0) {
        const char *argv[WORDS_MAX + 2] = {program};
        memcpy(argv + 1, words, count * sizeof *words);
        if (dup2(pipes[1], 1) == 1) {
            execve(program, (char *const *)argv, environ);
        }
        _exit(127);
    }
    close(pipes[1]);
    char said[4096];
    size_t filled = 0;
    for (ssize_t got; (got = read(pipes[0], said + filled, sizeof said - 1 - filled)) > 0;) {
        filled += (size_t)got;
    }
    close(pipes[0]);
    said[filled] = '\0';
    rf_assert(waitpid(pid, &result, 0) == pid && WIFEXITED(result));
    if (out != NULL) {
        said[strcspn(said, "\n")] = '\0';
        rf_assert(strlen(said) < size);
        snprintf(out, size, "%s", said);
    }
    return WEXITSTATUS(result);
}

static void act(struct rf_test_redis *server, const char *action)
{
    const char *words[] = {action, "redis", server->dir};
    rf_redis_close(&server->client);
    rf_assert(servers(words, 3, NULL, 0) == 0);
}

/* Ends the server should this process not come to it. */
static void guard(const struct rf_test_redis *server)
{
    char program[512], pid[16], path[512];
    snprintf(program, sizeof program, "%s/test/lib/guard", source_dir());
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    snprintf(path, sizeof path, "%s/guarded", server->dir);
    FILE *file = fopen(path, "we");
    rf_assert(file != NULL);
    fprintf(file, "%s\n", server->dir);
    rf_assert(fclose(file) == 0);
    pid_t child = fork();
    rf_assert(child >= 0);
    if (child == 0) {
        /* A grandchild, so that nobody has to wait for it. */
        if (fork() == 0) {
            int null = open("/dev/null", O_RDWR);
            dup2(null, 0);
            dup2(null, 1);
            dup2(null, 2);
            setsid();
            execl(program, program, pid, server->dir, (char *)NULL);
        }
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

void rf_test_redis_start(struct rf_test_redis *server, const char *options)
{
    const char *words[WORDS_MAX] = {"dir"};
    char *copy = rf_str_dup(rf_str_of(options));
    int result = PORT_TAKEN;
    rf_assert(servers(words, 1, server->dir, sizeof server->dir) == 0);
    guard(server);
    for (int i = 0; i < TRIES && result == PORT_TAKEN; i++) {
        words[0] = "port";
        rf_assert(servers(words, 1, server->port, sizeof server->port) == 0);
        words[0] = "start";
        words[1] = "redis";
        words[2] = server->dir;
        words[3] = server->port;
        words[4] = "--";
        size_t count = split(copy, words + 5, WORDS_MAX - 5);
        result = servers(words, count > 0 ? 5 + count : 4, NULL, 0);
        free(copy);
        copy = rf_str_dup(rf_str_of(options));
    }
    free(copy);
    rf_assert(result == 0);
}

void rf_test_redis_stop(struct rf_test_redis *server)
{
    act(server, "stop");
}

void rf_test_redis_kill(struct rf_test_redis *server)
{
    act(server, "kill");
}

void rf_test_redis_again(struct rf_test_redis *server)
{
    const char *words[] = {"start", "redis", server->dir};
    rf_assert(servers(words, 3, NULL, 0) == 0);
}

void rf_test_redis_destroy(struct rf_test_redis *server)
{
    if (server->dir[0] != '\0') {
        act(server, "kill");
        pid_t pid = fork();
        rf_assert(pid >= 0);
        if (pid == 0) {
            execlp("rm", "rm", "-rf", "--", server->dir, (char *)NULL);
            _exit(127);
        }
        waitpid(pid, NULL, 0);
        server->dir[0] = '\0';
    }
}

/* ------------------------------------------------------------------------------------ questions */

static void connect_client(struct rf_test_redis *server)
{
    struct rf_error err = {0};
    struct rf_redis_address address = {.host = "127.0.0.1",
                                       .port = (uint16_t)strtoul(server->port, NULL, 10),
                                       .timeout_ms = 20000};
    if (!server->client.connected) {
        rf_redis_close(&server->client);
        if (rf_redis_connect(&server->client, &address, &err) != RF_OK) {
            fprintf(stderr, "%s\n", err.message);
            abort();
        }
        server->client.keep = true;
    }
}

static const struct rf_redis_reply *ask(struct rf_test_redis *server, const struct rf_str *words,
                                        uint32_t count)
{
    struct rf_error err = {0};
    connect_client(server);
    rf_redis_command(&server->client, words, count);
    if (rf_redis_wait(&server->client, server->client.asked, &err) != RF_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    return &server->client.reply;
}

char *rf_test_redis_ask(struct rf_test_redis *server, const char *command)
{
    char *copy = rf_str_dup(rf_str_of(command));
    const char *words[WORDS_MAX];
    struct rf_str arguments[WORDS_MAX];
    size_t count = split(copy, words, WORDS_MAX);
    for (size_t i = 0; i < count; i++) {
        arguments[i] = rf_str_of(words[i]);
    }
    const struct rf_redis_reply *reply = ask(server, arguments, (uint32_t)count);
    struct rf_buf text = {0};
    if (reply->kind == RF_REDIS_INTEGER) {
        rf_buf_add_i64(&text, reply->integer);
    }
    rf_buf_add_str(&text, reply->text);
    for (uint32_t i = 0; i < reply->item_count; i++) {
        if (i > 0) {
            rf_buf_add_byte(&text, ' ');
        }
        rf_buf_add_str(&text, reply->items[i]);
    }
    char *result = rf_str_dup(rf_buf_str(&text));
    rf_buf_deinit(&text);
    free(copy);
    return result;
}

struct item {
    struct rf_str key, value;
};

static int by_key(const void *a, const void *b)
{
    return rf_str_compare(((const struct item *)a)->key, ((const struct item *)b)->key);
}

/* The items of the reply, `step` of them each, sorted and copied. */
static struct item *sorted(const struct rf_redis_reply *reply, uint32_t step, uint32_t *count)
{
    *count = reply->item_count / step;
    struct item *items = rf_alloc_zero(*count + 1, sizeof *items);
    for (uint32_t i = 0; i < *count; i++) {
        struct rf_str key = reply->items[i * step], value = reply->items[i * step + step - 1];
        items[i].key = (struct rf_str){rf_str_dup(key), key.size};
        items[i].value = (struct rf_str){rf_str_dup(value), value.size};
    }
    if (*count > 0) {
        qsort(items, *count, sizeof *items, by_key);
    }
    return items;
}

static void free_items(struct item *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        free((char *)(uintptr_t)items[i].key.data);
        free((char *)(uintptr_t)items[i].value.data);
    }
    free(items);
}

static void dump_key(struct rf_test_redis *server, struct rf_str key, struct rf_buf *out)
{
    struct rf_str type[] = {RF_STR("TYPE"), key};
    struct rf_str hash[] = {RF_STR("HGETALL"), key}, string[] = {RF_STR("GET"), key};
    rf_buf_add_str(out, key);
    const struct rf_redis_reply *reply = ask(server, type, 2);
    bool is_hash = rf_str_equal(reply->text, RF_STR("hash"));
    bool is_string = rf_str_equal(reply->text, RF_STR("string"));
    rf_buf_add_byte(out, ' ');
    rf_buf_add_str(out, reply->text);
    if (is_string) {
        rf_buf_add_byte(out, ' ');
        rf_buf_add_str(out, ask(server, string, 2)->text);
    } else if (is_hash) {
        uint32_t count;
        struct item *fields = sorted(ask(server, hash, 2), 2, &count);
        for (uint32_t i = 0; i < count; i++) {
            rf_buf_printf(out, " %.*s=", RF_STR_ARG(fields[i].key));
            rf_buf_add_str(out, fields[i].value);
        }
        free_items(fields, count);
    }
    rf_buf_add_byte(out, '\n');
}

void rf_test_redis_dump(struct rf_test_redis *server, struct rf_buf *out)
{
    struct rf_str words[] = {RF_STR("KEYS"), RF_STR("*")};
    uint32_t count;
    struct item *keys = sorted(ask(server, words, 2), 1, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (!rf_str_starts(keys[i].key, RF_STR("rowferry:"))) {
            dump_key(server, keys[i].key, out);
        }
    }
    free_items(keys, count);
}
