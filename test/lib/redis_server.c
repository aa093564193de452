#include "lib/redis_server.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORDS_MAX = 32 };

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

void rf_test_redis_start(struct rf_test_redis *server, const char *options)
{
    const char *words[WORDS_MAX] = {NULL};
    char *copy = rf_str_dup(rf_str_of(options));
    split(copy, words, WORDS_MAX - 1);
    rf_test_server_start(&server->server, "redis", words);
    free(copy);
}

void rf_test_redis_stop(struct rf_test_redis *server)
{
    rf_redis_close(&server->client);
    rf_test_server_act(&server->server, "redis", "stop");
}

void rf_test_redis_kill(struct rf_test_redis *server)
{
    rf_redis_close(&server->client);
    rf_test_server_act(&server->server, "redis", "kill");
}

void rf_test_redis_again(struct rf_test_redis *server)
{
    rf_test_server_act(&server->server, "redis", "start");
}

void rf_test_redis_destroy(struct rf_test_redis *server)
{
    rf_redis_close(&server->client);
    rf_test_server_destroy(&server->server, "redis");
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
