#include "lib/subjects.h"

#include "base/clock.h"
#include "base/memory.h"
#include "lib/cassandra_server.h"
#include "lib/certificates.h"
#include "lib/files.h"
#include "lib/mongo_script.h"
#include "lib/mongo_server.h"
#include "lib/redis_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

static void file_folder(void)
{
    snprintf(file_directory, sizeof file_directory, "/tmp/rowferry-sink-XXXXXX");
    rf_assert(mkdtemp(file_directory) != NULL);
    snprintf(file_path, sizeof file_path, "%s/out", file_directory);
}

static const struct rf_test_setting *file_begin(void)
{
    static const struct rf_test_setting settings[] = {{"path", file_path}, {NULL, NULL}};
    file_folder();
    return settings;
}

/* Small enough that a segment is finished at almost every flush, and some hold several. */
static const struct rf_test_setting *file_rotating_begin(void)
{
    static const struct rf_test_setting settings[] = {
        {"path", file_path}, {"rotate_bytes", "1500"}, {NULL, NULL}};
    file_folder();
    return settings;
}

static const struct rf_test_setting *file_gzip_begin(void)
{
    static const struct rf_test_setting settings[] = {
        {"path", file_path}, {"compress", "gzip"}, {NULL, NULL}};
    file_folder();
    return settings;
}

static const struct rf_test_setting *file_zstd_begin(void)
{
    static const struct rf_test_setting settings[] = {
        {"path", file_path}, {"compress", "zstd"}, {"rotate_bytes", "700"}, {NULL, NULL}};
    file_folder();
    return settings;
}

static void file_content(const struct rf_test_sink *sink, struct rf_buf *out)
{
    (void)sink;
    rf_assert(rf_test_files_read(file_directory, out));
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
    rf_test_files_remove(file_directory);
    rf_assert(rmdir(file_directory) == 0);
}

static void file_wipe(void)
{
    rf_test_files_remove(file_directory);
}

/* ---------------------------------------------------------------------------------------- redis */

static struct rf_test_redis server;
static char tls_directory[64], tls_port[8];

static void redis_at_exit(void)
{
    static const char *const files[] = {"ca.pem", "ca.key", "server.pem", "server.key"};
    rf_test_redis_destroy(&server);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", tls_directory, files[i]);
        unlink(path);
    }
    rmdir(tls_directory);
}

/* A port that is free now. */
static void find_port(char *port, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    rf_assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
              getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    close(fd);
    snprintf(port, size, "%u", ntohs(address.sin_port));
}

static void redis_server(void)
{
    if (server.dir[0] == '\0') {
        enum { DAY_S = 86400 };
        char options[512];
        snprintf(tls_directory, sizeof tls_directory, "/tmp/rowferry-sink-tls-XXXXXX");
        rf_assert(mkdtemp(tls_directory) != NULL && chmod(tls_directory, 0755) == 0);
        rf_test_certificate(tls_directory, "ca", NULL, NULL, -DAY_S, DAY_S);
        rf_test_certificate(tls_directory, "server", "ca", "IP:127.0.0.1", -DAY_S, DAY_S);
        find_port(tls_port, sizeof tls_port);
        /* Everything that it acknowledged survives its own crash. */
        snprintf(options, sizeof options,
                 "--appendonly yes --appendfsync always --tls-port %s --tls-cert-file "
                 "%s/server.pem --tls-key-file %s/server.key --tls-ca-cert-file %s/ca.pem "
                 "--tls-auth-clients no",
                 tls_port, tls_directory, tls_directory, tls_directory);
        rf_test_redis_start(&server, options);
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

static const struct rf_test_setting *redis_json_begin(void)
{
    static struct rf_test_setting settings[] = {
        {"port", server.port}, {"timeout", "5000"}, {"as", "json"}, {NULL, NULL}};
    redis_server();
    return settings;
}

static const struct rf_test_setting *redis_stream_begin(void)
{
    static struct rf_test_setting settings[] = {
        {"port", server.port}, {"timeout", "5000"}, {"as", "stream"}, {NULL, NULL}};
    redis_server();
    return settings;
}

static const struct rf_test_setting *redis_tls_begin(void)
{
    static char ca[160];
    static struct rf_test_setting settings[] = {{"port", tls_port}, {"timeout", "5000"},
                                                {"tls", "on"},      {"tls_ca", ca},
                                                {"fold", "off"},    {NULL, NULL}};
    redis_server();
    snprintf(ca, sizeof ca, "%s/ca.pem", tls_directory);
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

static int by_line(const void *a, const void *b)
{
    const struct fold *left = a, *right = b;
    int order = strcmp(left->key, right->key);
    return order != 0 ? order : strcmp(left->text, right->text);
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

static void json_text(const struct rf_test_feed *feed, const struct rf_test_change *change,
                      char *out, size_t size)
{
    const struct rf_table *table = feed->tables[change->table];
    int at = snprintf(out, size, "{");
    for (int i = 0; i < RF_TEST_COLUMNS; i++) {
        const struct rf_column *column = &table->columns[i];
        bool bare = column->type == RF_COLUMN_INT || strcmp(change->values[i], "NULL") == 0;
        const char *value = strcmp(change->values[i], "NULL") == 0 ? "null" : change->values[i];
        at += snprintf(out + at, size - (size_t)at, "%s\"%.*s\":%s%s%s", i > 0 ? "," : "",
                       RF_STR_ARG(column->name), bare ? "" : "\"", value, bare ? "" : "\"");
    }
    snprintf(out + at, size - (size_t)at, "}");
}

typedef void row_text(const struct rf_test_feed *feed, const struct rf_test_change *change,
                      char *out, size_t size);

/* The last state of each row, with an empty text where there is none; `prefixes` of their keys by
 * table. The caller frees it. */
static struct fold *fold_rows(const struct rf_test_feed *feed, const char *const *prefixes,
                              row_text *text, uint32_t *count)
{
    struct fold *folds = rf_alloc_zero(feed->change_count * 2 + 1, sizeof *folds);
    *count = 0;
    for (uint32_t i = 0; i < feed->change_count; i++) {
        const struct rf_test_change *change = &feed->changes[i];
        if (change->op == RF_DDL) {
            continue;
        }
        const char *prefix = prefixes[change->table];
        for (uint32_t j = 0; change->op == RF_TRUNCATE && j < *count; j++) {
            if (strncmp(folds[j].key, prefix, strlen(prefix)) == 0) {
                folds[j].text[0] = '\0';
            }
        }
        char key[64];
        if (change->old_key[0] != '\0') {
            snprintf(key, sizeof key, "%s%s", prefix, change->old_key);
            find_fold(folds, *count, key)->text[0] = '\0';
        }
        if (change->new_key[0] != '\0') {
            snprintf(key, sizeof key, "%s%s", prefix, change->new_key);
            struct fold *fold = find_fold(folds, *count, key);
            *count += fold == &folds[*count];
            memcpy(fold->key, key, sizeof key);
            text(feed, change, fold->text, sizeof fold->text);
        }
    }
    return folds;
}

static void redis_rows_expected(const struct rf_test_feed *feed, row_text *text, struct rf_buf *out)
{
    static const char *const prefixes[RF_TEST_TABLES] = {"shop:orders:", "shop:pairs:"};
    uint32_t count;
    struct fold *folds = fold_rows(feed, prefixes, text, &count);
    print_folds(folds, count, out);
    free(folds);
}

static void json_string_text(const struct rf_test_feed *feed, const struct rf_test_change *change,
                             char *out, size_t size)
{
    size_t begun = (size_t)snprintf(out, size, "string ");
    json_text(feed, change, out + begun, size - begun);
}

static void redis_hash_expected(const struct rf_test_feed *feed, struct rf_format *format,
                                struct rf_buf *out)
{
    (void)format;
    redis_rows_expected(feed, hash_text, out);
}

static void redis_json_expected(const struct rf_test_feed *feed, struct rf_format *format,
                                struct rf_buf *out)
{
    (void)format;
    redis_rows_expected(feed, json_string_text, out);
}

static const char *const streams[] = {"shop:", "shop:orders", "shop:pairs"};

/* Of each entry its id, op, the new row and the event's id, which is always the last field. */
static void redis_stream_content(const struct rf_test_sink *sink, struct rf_buf *out)
{
    (void)sink;
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        char command[64];
        snprintf(command, sizeof command, "XRANGE %s - +", streams[i]);
        free(rf_test_redis_ask(&server, command));
        const struct rf_redis_reply *reply = &server.client.reply;
        for (uint32_t j = 0; j < reply->item_count;) {
            rf_buf_printf(out, "%s %.*s", streams[i], RF_STR_ARG(reply->items[j]));
            j++;
            for (bool ends = false; !ends; j += 2) {
                rf_assert(j + 1 < reply->item_count);
                struct rf_str name = reply->items[j], value = reply->items[j + 1];
                ends = rf_str_equal(name, RF_STR("id"));
                if (ends || rf_str_equal(name, RF_STR("op")) ||
                    rf_str_equal(name, RF_STR("after"))) {
                    rf_buf_printf(out, " %.*s=%.*s", RF_STR_ARG(name), RF_STR_ARG(value));
                }
            }
            rf_buf_add_byte(out, '\n');
        }
    }
}

static void redis_stream_expected(const struct rf_test_feed *feed, struct rf_format *format,
                                  struct rf_buf *out)
{
    (void)format;
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        uint64_t stamp = 0;
        for (uint32_t j = 0, at = 0; j < feed->batch_count; j++) {
            const struct rf_batch *batch = &feed->batches[j];
            for (uint32_t k = 0; k < batch->count; k++, at++) {
                const struct rf_test_change *change = &feed->changes[at];
                const struct rf_event *event = &batch->events[k];
                const struct rf_transaction *transaction = &batch->transactions[event->transaction];
                stamp = rf_stamp_next(stamp, transaction->commit_us);
                if (change->table + 1 != (int)i) {
                    continue;
                }
                rf_buf_printf(out, "%s %llu-%llu op=%s", streams[i],
                              (unsigned long long)(stamp / 1000),
                              (unsigned long long)(stamp % 1000), rf_op_name(change->op));
                if (change->op == RF_CREATE || change->op == RF_UPDATE) {
                    char row[256];
                    json_text(feed, change, row, sizeof row);
                    rf_buf_printf(out, " after=%s", row);
                }
                rf_buf_printf(out, " id=%.*s:%u:%u\n", RF_STR_ARG(transaction->id), event->ordinal,
                              event->row);
            }
        }
    }
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

/* -------------------------------------------------------------------------------------- mongodb */

static struct rf_test_mongo mongo;

static void mongo_at_exit(void)
{
    rf_test_mongo_destroy(&mongo);
}

static void mongo_server(void)
{
    if (mongo.port[0] == '\0' && !mongo.external) {
        rf_test_mongo_start(&mongo, NULL);
        atexit(mongo_at_exit);
    }
    rf_test_mongo_wipe(&mongo);
}

enum { MONGO_SETTINGS = 16 };

static const struct rf_test_setting *mongodb_begin(void)
{
    static struct rf_test_setting settings[MONGO_SETTINGS];
    mongo_server();
    uint32_t count = rf_test_mongo_settings(&mongo, settings, MONGO_SETTINGS - 1);
    settings[count] = (struct rf_test_setting){"timeout", "5000"};
    settings[count + 1] = (struct rf_test_setting){NULL, NULL};
    return settings;
}

static const struct rf_test_setting *mongodb_unfolded_begin(void)
{
    static struct rf_test_setting settings[MONGO_SETTINGS];
    mongo_server();
    uint32_t count = rf_test_mongo_settings(&mongo, settings, MONGO_SETTINGS - 1);
    settings[count] = (struct rf_test_setting){"fold", "off"};
    settings[count + 1] = (struct rf_test_setting){NULL, NULL};
    return settings;
}

static void mongodb_content(const struct rf_test_sink *sink, struct rf_buf *out)
{
    (void)sink;
    rf_test_mongo_dump(&mongo, out);
}

static int add_field(char *out, size_t size, const struct rf_column *column, const char *name,
                     const char *value)
{
    bool null = strcmp(value, "NULL") == 0;
    if (column->type == RF_COLUMN_INT && !null) {
        return snprintf(out, size, "\"%s\" : { \"$numberInt\" : \"%s\" }", name, value);
    }
    return snprintf(out, size, "\"%s\" : %s%s%s", name, null ? "" : "\"", null ? "null" : value,
                    null ? "" : "\"");
}

/* As canonical extended JSON: types show. */
static void document_text(const struct rf_test_feed *feed, const struct rf_test_change *change,
                          char *out, size_t size)
{
    const struct rf_table *table = feed->tables[change->table];
    char name[32];
    int at = snprintf(out, size, "{ ");
    if (table->key_count == 1) {
        at += add_field(out + at, size - (size_t)at, table->columns, "_id", change->values[0]);
    } else {
        at += snprintf(out + at, size - (size_t)at, "\"_id\" : { ");
        at += add_field(out + at, size - (size_t)at, &table->columns[0], "a", change->values[0]);
        at += snprintf(out + at, size - (size_t)at, ", ");
        at += add_field(out + at, size - (size_t)at, &table->columns[1], "b", change->values[1]);
        at += snprintf(out + at, size - (size_t)at, " }");
    }
    for (int i = 0; i < RF_TEST_COLUMNS; i++) {
        snprintf(name, sizeof name, "%.*s", RF_STR_ARG(table->columns[i].name));
        at += snprintf(out + at, size - (size_t)at, ", ");
        at += add_field(out + at, size - (size_t)at, &table->columns[i], name, change->values[i]);
    }
    snprintf(out + at, size - (size_t)at, " }");
}

static int by_place(const void *a, const void *b)
{
    const struct fold *x = a, *y = b;
    size_t size = strcspn(x->key, " ") + 1;
    int order = strncmp(x->key, y->key, size);
    return order != 0 ? order : strcmp(x->text, y->text);
}

static void mongodb_expected(const struct rf_test_feed *feed, struct rf_format *format,
                             struct rf_buf *out)
{
    static const char *const prefixes[RF_TEST_TABLES] = {"shop.orders ", "shop.pairs "};
    uint32_t count;
    (void)format;
    struct fold *folds = fold_rows(feed, prefixes, document_text, &count);
    qsort(folds, count, sizeof *folds, by_place);
    for (uint32_t i = 0; i < count; i++) {
        if (folds[i].text[0] != '\0') {
            rf_buf_printf(out, "%.*s %s\n", (int)strcspn(folds[i].key, " "), folds[i].key,
                          folds[i].text);
        }
    }
    free(folds);
}

static void mongodb_wipe(void)
{
    rf_test_mongo_wipe(&mongo);
}

static void mongodb_stall(void)
{
    rf_test_server_freeze(&mongo.server, "mongo", true);
}

static void mongodb_resume(void)
{
    rf_test_server_freeze(&mongo.server, "mongo", false);
}

/* A replica set of one, which keeps over its death what was journaled, and nothing else. */
static struct rf_mongo_script *set;
static char set_port[8];

static const struct rf_test_setting *mongodb_set_begin(void)
{
    static const struct rf_mongo_script_options options = {
        .set_name = "rs0", .forgetful = true, .unrecorded = true};
    static struct rf_test_setting settings[] = {
        {"port", set_port}, {"timeout", "5000"}, {"replica_set", "rs0"}, {NULL, NULL}};
    set = rf_mongo_script_create(&options);
    snprintf(set_port, sizeof set_port, "%u", rf_mongo_script_port(set));
    return settings;
}

static void mongodb_set_end(void)
{
    rf_mongo_script_destroy(set);
    set = NULL;
}

static void mongodb_set_content(const struct rf_test_sink *sink, struct rf_buf *out)
{
    (void)sink;
    rf_mongo_script_dump(set, out);
}

static void mongodb_set_wipe(void)
{
    rf_mongo_script_forget(set);
}

static void mongodb_set_crash(void)
{
    rf_mongo_script_crash(set);
}

static void mongodb_set_revive(void)
{
    rf_mongo_script_again(set);
}

static void mongodb_set_stall(void)
{
    rf_mongo_script_freeze(set, true);
}

static void mongodb_set_resume(void)
{
    rf_mongo_script_freeze(set, false);
}

/* ------------------------------------------------------------------------------------ cassandra */

static struct rf_test_cassandra cassandra;

static void cassandra_at_exit(void)
{
    rf_test_cassandra_destroy(&cassandra);
}

/* Everything that it confirmed survives its own crash. */
static const struct rf_test_setting *cassandra_begin(void)
{
    static struct rf_test_setting settings[] = {
        {"port", cassandra.port}, {"path", "/contract"}, {"timeout", "5000"}, {NULL, NULL}};
    static const char *const options[] = {"commitlog_sync=batch", NULL};
    if (cassandra.dir[0] == '\0') {
        rf_test_cassandra_start(&cassandra, options);
        atexit(cassandra_at_exit);
    }
    rf_test_cassandra_empty(&cassandra, "contract");
    return settings;
}

static void cassandra_content(const struct rf_test_sink *sink, struct rf_buf *out)
{
    (void)sink;
    rf_test_cassandra_dump(&cassandra, "contract", out);
}

/* The columns of the key come first there, and then the others in the order of their names, which
 * is how the tables of the feed have them. */
static void cassandra_text(const struct rf_test_feed *feed, const struct rf_test_change *change,
                           char *out, size_t size)
{
    int at = 0;
    for (int i = 0; i < RF_TEST_COLUMNS; i++) {
        struct rf_str name = feed->tables[change->table]->columns[i].name;
        if (strcmp(change->values[i], "NULL") != 0) {
            at += snprintf(out + at, size - (size_t)at, "%s%.*s=%s", at > 0 ? " " : "",
                           RF_STR_ARG(name), change->values[i]);
        }
    }
}

static void cassandra_expected(const struct rf_test_feed *feed, struct rf_format *format,
                               struct rf_buf *out)
{
    static const char *const prefixes[RF_TEST_TABLES] = {"orders ", "pairs "};
    uint32_t count, lines = 0;
    struct fold *folds = fold_rows(feed, prefixes, cassandra_text, &count);
    (void)format;
    for (uint32_t i = 0; i < count; i++) {
        if (folds[i].text[0] != '\0') {
            folds[lines] = folds[i];
            folds[lines].key[strcspn(folds[lines].key, " ")] = '\0';
            lines++;
        }
    }
    qsort(folds, lines, sizeof *folds, by_line);
    for (uint32_t i = 0; i < lines; i++) {
        rf_buf_printf(out, "%s %s\n", folds[i].key, folds[i].text);
    }
    free(folds);
}

static void cassandra_wipe(void)
{
    rf_test_cassandra_empty(&cassandra, "contract");
}

static void cassandra_crash(void)
{
    rf_test_server_act(&cassandra.server, "cassandra", "kill");
}

static void cassandra_revive(void)
{
    rf_test_cassandra_again(&cassandra);
}

static void cassandra_stall(void)
{
    rf_test_server_freeze(&cassandra.server, "cassandra", true);
}

static void cassandra_resume(void)
{
    rf_test_server_freeze(&cassandra.server, "cassandra", false);
}

/* --------------------------------------------------------------------------------------- table */

struct rf_test_subject rf_test_subjects[] = {
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
        .name = "file rotating",
        .begin = file_rotating_begin,
        .content = file_content,
        .expected = file_expected,
        .end = file_end,
        .wipe = file_wipe,
    },
    {
        .name = "file gzip",
        .begin = file_gzip_begin,
        .content = file_content,
        .expected = file_expected,
        .end = file_end,
        .wipe = file_wipe,
    },
    {
        .name = "file zstd rotating",
        .begin = file_zstd_begin,
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
    /* Strings, and but for a crash JSON, differ from hashes in the commands only: what is waited
     * for is the same. */
    {
        .name = "redis as string",
        .begin = redis_string_begin,
        .content = redis_content,
        .expected = redis_string_expected,
        .end = nothing,
        .wipe = redis_wipe,
    },
    {
        .name = "redis as json",
        .begin = redis_json_begin,
        .content = redis_content,
        .expected = redis_json_expected,
        .end = nothing,
        .wipe = redis_wipe,
        .crash = redis_crash,
        .revive = redis_revive,
    },
    {
        .name = "redis over TLS, without folding",
        .begin = redis_tls_begin,
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
        .name = "redis as stream",
        .begin = redis_stream_begin,
        .content = redis_stream_content,
        .expected = redis_stream_expected,
        .end = nothing,
        .once = true,
        .wipe = redis_wipe,
        .crash = redis_crash,
        .revive = redis_revive,
        .stall = redis_stall,
        .resume = redis_resume,
    },
    /* The server that tests can have keeps nothing over its death: there is no crash of it that a
     * sink could survive. The scripted one has it. */
    {
        .name = "mongodb",
        .begin = mongodb_begin,
        .content = mongodb_content,
        .expected = mongodb_expected,
        .end = nothing,
        .wipe = mongodb_wipe,
        .stall = mongodb_stall,
        .resume = mongodb_resume,
    },
    {
        .name = "mongodb on a replica set",
        .begin = mongodb_set_begin,
        .content = mongodb_set_content,
        .expected = mongodb_expected,
        .end = mongodb_set_end,
        .threads = true,
        .wipe = mongodb_set_wipe,
        .crash = mongodb_set_crash,
        .revive = mongodb_set_revive,
        .stall = mongodb_set_stall,
        .resume = mongodb_set_resume,
    },
    {
        .name = "mongodb without folding",
        .begin = mongodb_unfolded_begin,
        .content = mongodb_content,
        .expected = mongodb_expected,
        .end = nothing,
        .wipe = mongodb_wipe,
    },
    /* Each of its starts takes seconds. */
    {
        .name = "cassandra",
        .begin = cassandra_begin,
        .content = cassandra_content,
        .expected = cassandra_expected,
        .end = nothing,
        .wipe = cassandra_wipe,
        .crash = cassandra_crash,
        .revive = cassandra_revive,
        .crashes = 2,
        .stall = cassandra_stall,
        .resume = cassandra_resume,
    },
    {0},
};

/* A deployment that somebody lent us is not ours to freeze. */
__attribute__((constructor)) static void spare_deployment(void)
{
    const char *given = getenv("ROWFERRY_TEST_MONGODB_URI");
    for (struct rf_test_subject *subject = rf_test_subjects; given != NULL && subject->name;
         subject++) {
        if (subject->stall == mongodb_stall) {
            subject->stall = subject->resume = NULL;
        }
    }
}
