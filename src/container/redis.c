/* The container of Redis: every write is on disk before it is answered, and a password is asked
 * for. The password comes to the server in a file that only its user can read. */
#include "net/redis.h"
#include "container/type.h"

enum { TIMEOUT_MS = 5000 };

static const char user[] = "default";

static enum rf_status equip(const struct rf_home *home, int64_t memory_bytes,
                            struct rf_words *options, struct rf_error *err)
{
    struct rf_buf secret = {0}, text = {0};
    enum rf_status status = rf_home_secret(home, user, &secret, err);

    rf_words_add(options, "--include");
    rf_words_add(options, "%s/redis.conf", home->path.data);
    rf_words_add(options, "--appendonly");
    rf_words_add(options, "yes");
    rf_words_add(options, "--appendfsync");
    rf_words_add(options, "always");
    if (memory_bytes > 0) {
        /* Full, it refuses to write; it never drops what it was given. */
        rf_words_add(options, "--maxmemory");
        rf_words_add(options, "%lld", (long long)memory_bytes);
        rf_words_add(options, "--maxmemory-policy");
        rf_words_add(options, "noeviction");
    }
    if (status == RF_OK) {
        rf_buf_printf(&text, "requirepass %s\n", secret.data);
        status = rf_home_give(home, "redis.conf", rf_buf_str(&text), err);
    }
    rf_buf_wipe(&secret);
    rf_buf_wipe(&text);
    return status;
}

static void describe(const struct rf_home *home, struct rf_str called, struct rf_buf *out)
{
    struct rf_str kind;

    (void)home;
    rf_str_split(&called, ' ', &kind);
    rf_buf_printf(out, "this machine's Redis %.*s", RF_STR_ARG(called));
}

static enum rf_status pack(const struct rf_home *home, struct rf_pack *pack, struct rf_error *err)
{
    struct rf_buf secret = {0};
    enum rf_status status = rf_home_secret(home, user, &secret, err);

    if (status == RF_OK) {
        rf_words_add(&pack->command, "redis-server");
        rf_words_add(&pack->command, "%s", RF_PACK_DIRECTORY "/redis.conf");
        struct rf_buf *text = rf_pack_file(pack, "redis.conf", 0644, 0);
        rf_buf_printf(text,
                      "bind * -::*\n"
                      "protected-mode no\n"
                      "requirepass %s\n"
                      "appendonly yes\n"
                      "appendfsync always\n",
                      secret.data);
        if (home->settings.memory_bytes > 0) {
            /* Less than the container has: a rewrite of the log takes some beside the data. */
            rf_buf_printf(text, "maxmemory %lld\nmaxmemory-policy noeviction\n",
                          (long long)home->settings.memory_bytes / 2);
        }
    }
    rf_buf_wipe(&secret);
    return status;
}

/* Who lets us in with a password that was drawn by chance, and given to one server only, is that
 * server. */
static enum rf_status answers(const struct rf_home *home, uint16_t port, struct rf_error *err)
{
    struct rf_redis redis = {0};
    struct rf_buf secret = {0};
    struct rf_str ping = RF_STR("PING");
    enum rf_status status = rf_home_secret(home, user, &secret, err);

    if (status == RF_OK) {
        struct rf_redis_address address = {.host = "127.0.0.1",
                                           .port = port,
                                           .password = secret.data,
                                           .tls = {.mode = RF_TLS_OFF},
                                           .connect_timeout_ms = TIMEOUT_MS,
                                           .timeout_ms = TIMEOUT_MS};
        status = rf_redis_connect(&redis, &address, err);
    }
    if (status == RF_OK) {
        rf_redis_command(&redis, &ping, 1);
        status = rf_redis_wait(&redis, redis.asked, err);
    }
    if (status == RF_OK && redis.reply.kind == RF_REDIS_ERROR) {
        status = rf_redis_error(&redis, redis.reply.text, err);
    }
    rf_redis_close(&redis);
    rf_buf_wipe(&secret);
    return status;
}

/* Redis knows no databases, tables or users that would have to be made. */
static enum rf_status prepare(const struct rf_home *home, uint16_t port, struct rf_error *err)
{
    (void)home;
    (void)port;
    (void)err;
    return RF_OK;
}

const struct rf_container_type rf_container_redis = {
    .name = "redis",
    .title = "Redis",
    .server = "final_redis_container",
    .port = 2400,
    .users = {user},
    .servers = {{.name = "redis"}},
    .equip = equip,
    .describe = describe,
    .image = "redis:7",
    .inside = 6379,
    .pack = pack,
    .answers = answers,
    .prepare = prepare,
};
