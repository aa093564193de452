#include "lib/subjects.h"

#include "base/clock.h"
#include "base/memory.h"
#include "lib/redis_server.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct rf_str rf_test_subject_sink(const struct rf_test_subject *subject)
{
    return (struct rf_str){subject->name, strcspn(subject->name, " ")};
}

/* ----------------------------------------------------------------------------------------- null */

static const struct rf_test_setting *null_begin(void)
{
    static const struct rf_test_setting settings[] = {{NULL, NULL}};
    return settings;
}

static void null_content(const struct rf_test_sink *sink, struct rf_buf *out)
{
    rf_buf_add_str(out, rf_buf_str(&sink->note));
}

static void null_expected(const struct rf_test_feed *feed, struct rf_format *format,
                          struct rf_buf *out)
{
    (void)format;
    rf_buf_add_u64(out, feed->change_count);
}

static void nothing(void)
{
}

/* ----------------------------------------------------------------------------------------- file */

static char file_directory[64], file_path[96];

static const struct rf_test_setting *file_begin(void)
{
    static const struct rf_test_setting settings[] = {{"path", file_path}, {NULL, NULL}};
    snprintf(file_directory, sizeof file_directory, "/tmp/rowferry-sink-XXXXXX");
    rf_assert(mkdtemp(file_directory) != NULL);
    snprintf(file_path, sizeof file_path, "%s/out", file_directory);
    return settings;
}

static void file_content(const struct rf_test_sink *sink, struct rf_buf *out)
{
    (void)sink;
    FILE *file = fopen(file_path, "re");
    rf_assert(file != NULL);
    for (size_t size = 1; size > 0;) {
        size = fread(rf_buf_reserve(out, 4096), 1, 4096, file);
        out->size += size;
    }
    fclose(file);
}

static void file_expected(const struct rf_test_feed *feed, struct rf_format *format,
                          struct rf_buf *out)
{
    for (uint32_t i = 0; i < feed->batch_count; i++) {
        struct rf_view view;
        rf_assert(rf_test_feed_view(feed, i, 0, &view));
        for (uint32_t j = 0; j < view.count; j++) {
            struct rf_encoding encoding = {.value = out, .terminator = RF_STR("\n")};
            rf_assert(format->type->encode(format->state, &view, &view.events[j], &encoding,
                                           NULL) == RF_OK);
        }
    }
}

static void file_end(void)
{
    unlink(file_path);
    rf_assert(rmdir(file_directory) == 0);
}

static void file_wipe(void)
{
    rf_assert(unlink(file_path) == 0);
}

/* ---------------------------------------------------------------------------------------- redis */

static struct rf_test_redis server;

static void redis_at_exit(void)
{
    rf_test_redis_destroy(&server);
}

static void redis_server(void)
{
    if (server.dir[0] == '\0') {
        /* Everything that it acknowledged survives its own crash. */
        rf_test_redis_start(&server, "--appendonly yes --appendfsync always");
        atexit(redis_at_exit);
    }
    free(rf_test_redis_ask(&server, "FLUSHALL"));
}

static const struct rf_test_setting *redis_hash_begin(void)
{
    static struct rf_test_setting settings[] = {
        {"port", server.port}, {"timeout", "5000"}, {NULL, NULL}};
    redis_server();
    return settings;
}

static const struct rf_test_setting *redis_string_begin(void)
{
    static struct rf_test_setting settings[] = {{"port", server.port},   {"timeout", "5000"},
                                                {"key", "last:{table}"}, {"as", "string"},
                                                {"value", "{op} {ts}"},  {NULL, NULL}};
    redis_server();
    return settings;
}

static void redis_content(const struct rf_test_sink *sink, struct rf_buf *out)
{
    (void)sink;
    rf_test_redis_dump(&server, out);
}

struct fold {
    char key[64];
    char text[256];
};

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct fold *)a)->key, ((const struct fold *)b)->key);
}

static struct fold *find_fold(struct fold *folds, uint32_t count, const char *key)
{
    uint32_t i = 0;
    while (i < count && strcmp(folds[i].key, key) != 0) {
        i++;
    }
    return &folds[i];
}

static void hash_text(const struct rf_test_feed *feed, const struct rf_test_change *change,
                      char *out, size_t size)
{
    int at = snprintf(out, size, "hash");
    for (int i = 0; i < RF_TEST_COLUMNS; i++) {
        if (strcmp(change->values[i], "NULL") != 0) {
            struct rf_str name = feed->tables[change->table]->columns[i].name;
            at += snprintf(out + at, size - (size_t)at, " %.*s=%s", RF_STR_ARG(name),
                           change->values[i]);
        }
    }
}

static void print_folds(struct fold *folds, uint32_t count, struct rf_buf *out)
{
    qsort(folds, count, sizeof *folds, by_key);
    for (uint32_t i = 0; i < count; i++) {
        if (folds[i].text[0] != '\0') {
            rf_buf_printf(out, "%s %s\n", folds[i].key, folds[i].text);
        }
    }
}

static const char *const prefixes[RF_TEST_TABLES] = {"shop:orders:", "shop:pairs:"};

static void redis_hash_expected(const struct rf_test_feed *feed, struct rf_format *format,
                                struct rf_buf *out)
{
    struct fold *folds = rf_alloc_zero(feed->change_count * 2 + 1, sizeof *folds);
    uint32_t count = 0;
    (void)format;
    for (uint32_t i = 0; i < feed->change_count; i++) {
        const struct rf_test_change *change = &feed->changes[i];
        if (change->op == RF_DDL) {
            continue;
        }
        const char *prefix = prefixes[change->table];
        for (uint32_t j = 0; change->op == RF_TRUNCATE && j < count; j++) {
            if (strncmp(folds[j].key, prefix, strlen(prefix)) == 0) {
                folds[j].text[0] = '\0';
            }
        }
        char key[64];
        if (change->old_key[0] != '\0') {
            snprintf(key, sizeof key, "%s%s", prefix, change->old_key);
            find_fold(folds, count, key)->text[0] = '\0';
        }
        if (change->new_key[0] != '\0') {
            snprintf(key, sizeof key, "%s%s", prefix, change->new_key);
            struct fold *fold = find_fold(folds, count, key);
            count += fold == &folds[count];
            memcpy(fold->key, key, sizeof key);
            hash_text(feed, change, fold->text, sizeof fold->text);
        }
    }
    print_folds(folds, count, out);
    free(folds);
}

static void redis_string_expected(const struct rf_test_feed *feed, struct rf_format *format,
                                  struct rf_buf *out)
{
    struct fold folds[RF_TEST_TABLES] = {{.key = "last:orders"}, {.key = "last:pairs"}};
    (void)format;
    for (uint32_t i = 0, at = 0; i < feed->batch_count; i++) {
        const struct rf_batch *batch = &feed->batches[i];
        for (uint32_t j = 0; j < batch->count; j++, at++) {
            const struct rf_test_change *change = &feed->changes[at];
            if (change->op == RF_CREATE || change->op == RF_UPDATE) {
                struct rf_value time = {
                    .kind = RF_TIMESTAMP,
                    .scale = 6,
                    .i = batch->transactions[batch->events[j].transaction].commit_us};
                struct rf_buf text = {0};
                rf_value_print(&text, time);
                snprintf(folds[change->table].text, sizeof folds->text, "string %s %s",
                         rf_op_name(change->op), rf_buf_cstr(&text));
                rf_buf_deinit(&text);
            }
        }
    }
    print_folds(folds, RF_TEST_TABLES, out);
}

static void redis_wipe(void)
{
    free(rf_test_redis_ask(&server, "FLUSHALL"));
}

static void redis_signal(int number)
{
    char path[300];
    long pid = 0;
    snprintf(path, sizeof path, "%s/redis.pid", server.dir);
    FILE *file = fopen(path, "re");
    rf_assert(file != NULL && fscanf(file, "%ld", &pid) == 1 && pid > 1);
    fclose(file);
    rf_assert(kill((pid_t)pid, number) == 0);
}

static void redis_crash(void)
{
    redis_signal(SIGKILL);
}

static void redis_revive(void)
{
    rf_redis_close(&server.client);
    rf_test_redis_kill(&server); /* waits for its end */
    rf_test_redis_again(&server);
    bool loading = true;
    for (int64_t limit_ms = rf_clock_ms() + 20000; loading; poll(NULL, 0, 1)) {
        char *answer = rf_test_redis_ask(&server, "DBSIZE");
        loading = strncmp(answer, "LOADING", 7) == 0;
        free(answer);
        rf_assert(rf_clock_ms() < limit_ms);
    }
}

static void redis_stall(void)
{
    redis_signal(SIGSTOP);
}

static void redis_resume(void)
{
    redis_signal(SIGCONT);
}

/* --------------------------------------------------------------------------------------- table */

const struct rf_test_subject rf_test_subjects[] = {
    {
        .name = "null",
        .begin = null_begin,
        .content = null_content,
        .expected = null_expected,
        .end = nothing,
        .nowhere = true,
    },
    {
        .name = "file",
        .begin = file_begin,
        .content = file_content,
        .expected = file_expected,
        .end = file_end,
        .wipe = file_wipe,
    },
    {
        .name = "redis",
        .begin = redis_hash_begin,
        .content = redis_content,
        .expected = redis_hash_expected,
        .end = nothing,
        .wipe = redis_wipe,
        .crash = redis_crash,
        .revive = redis_revive,
        .stall = redis_stall,
        .resume = redis_resume,
    },
    {
        .name = "redis as string",
        .begin = redis_string_begin,
        .content = redis_content,
        .expected = redis_string_expected,
        .end = nothing,
        .wipe = redis_wipe,
        .crash = redis_crash,
        .revive = redis_revive,
        .stall = redis_stall,
        .resume = redis_resume,
    },
    {0},
};
